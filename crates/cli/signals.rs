//! SIGINT, SIGTERM and SIGHUP: unfinished files go, then the process ends.

use hubmill_writer::Pending;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::exit::Failure;

/// Waits for signals on a thread of its own, so that none has to wait for a slow pipe.
#[expect(clippy::exit, reason = "the one place where a run is ended from outside; files have been dealt with")]
pub(crate) fn watch(pending: &Pending) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(Failure::storage)?;
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
