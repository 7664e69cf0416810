//! SIGINT, SIGTERM and SIGHUP: unfinished files go, then the process ends.

use hubmill_writer::Pending;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit::Failure;

/// Waits for signals on a thread of its own, so that none has to wait for a slow pipe.
///
/// A signal that the caller has this process ignore (`nohup`, a background job of a script) stays ignored.
#[expect(clippy::exit, reason = "the one place where a run is ended from outside; files have been dealt with")]
pub(crate) fn watch(pending: &Pending) -> Result<(), Failure> {
    let ignored = ignored_signals();
    let heeded = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = Signals::new(heeded).map_err(Failure::storage)?;
    let pending = pending.clone();
    let wait = move || {
        for signal in signals.forever() {
            // Where the files are in place already, the run is as good as done and ends by itself.
            if pending.abandon() {
                std::process::exit(128 + signal);
            }
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map_err(Failure::storage)?;
    Ok(())
}

/// A bit for each signal, from 1 on, that was ignored when the process started; none where the system does not say.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}
