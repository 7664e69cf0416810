//! Runs a program once: how long it took, and how much anonymous memory it held.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::programs::Launch;

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Wall time of the process, its start included.
    pub seconds: f64,
    /// The most `RssAnon` that was seen, in bytes; 0 where it was not looked at.
    pub peak_bytes: u64,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// What it writes, and the memory that it holds, looked at once a millisecond.
    Answer,
    /// How long it takes; what goes through pipes goes nowhere in the end.
    Time,
}

/// Runs a program with `output`, which must not be there yet, as its result.
///
/// # Errors
/// If it can't be run or fails; the message holds the start of what it said.
pub fn to_file(launch: &Launch, output: &Path, aim: Aim) -> io::Result<Run> {
    let messages = tempfile::NamedTempFile::new()?;
    let mut command = launch.command();
    command.stdin(Stdio::null()).stderr(messages.reopen()?);
    command.stdout(if launch.writes_itself { Stdio::null() } else { File::create(output)?.into() });
    let started = Instant::now();
    let mut child = command.spawn()?;
    let peak_bytes = if aim == Aim::Answer { watch(&mut child)? } else { 0 };
    let status = child.wait()?;
    let seconds = started.elapsed().as_secs_f64();
    if status.success() {
        return Ok(Run { seconds, peak_bytes });
    }
    let said = fs::read_to_string(messages.path()).unwrap_or_default();
    Err(io::Error::other(format!("{status}: {}", said.lines().next().unwrap_or("no message"))))
}

/// Runs `cat INPUT | program | cat > OUTPUT`, with `/dev/null` for the output where only the time is wanted.
///
/// # Errors
/// If a part can't be run or fails.
pub fn through_pipes(launch: &Launch, input: &Path, output: &Path, aim: Aim) -> io::Result<Run> {
    let output = File::create(if aim == Aim::Time { Path::new("/dev/null") } else { output })?;
    let started = Instant::now();
    let mut from = Command::new("cat").arg(input).stdout(Stdio::piped()).spawn()?;
    let mut middle = launch.command();
    middle.stdin(stdout_of(&mut from)).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut program = middle.spawn()?;
    // The command holds the read end of the first pipe until it goes.
    drop(middle);
    let mut to = Command::new("cat").stdin(stdout_of(&mut program)).stdout(output).spawn()?;
    for child in [&mut from, &mut program, &mut to] {
        let status = child.wait()?;
        if !status.success() {
            return Err(io::Error::other(status.to_string()));
        }
    }
    Ok(Run { seconds: started.elapsed().as_secs_f64(), peak_bytes: 0 })
}

fn stdout_of(child: &mut Child) -> Stdio {
    child.stdout.take().map_or_else(Stdio::null, Stdio::from)
}

fn watch(child: &mut Child) -> io::Result<u64> {
    let mut peak = 0;
    while child.try_wait()?.is_none() {
        peak = peak.max(anonymous_memory(child.id()).unwrap_or(0));
        thread::sleep(Duration::from_millis(1));
    }
    Ok(peak)
}

/// `RssAnon` of a process in bytes, where the system has it: mapped files are the system's memory, not the program's.
fn anonymous_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

/// The median; the mean of the two in the middle, where there are two. Nothing of nothing.
#[must_use]
pub fn median(seconds: &[f64]) -> Option<f64> {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0]), Some(3.0));
        assert_eq!(median(&[9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 3.0, 100.0]), Some(3.5));
    }

    fn shell(script: &str) -> Launch {
        Launch::new("/bin/sh", ["-c", script])
    }

    #[test]
    fn what_a_program_writes_is_kept_and_a_failure_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let output = folder.path().join("out");
        let run = to_file(&shell("echo done; sleep 0.05"), &output, Aim::Answer).expect("it works");
        assert!(run.seconds >= 0.05 && (run.peak_bytes > 0 || !cfg!(target_os = "linux")), "{run:?}");
        assert_eq!(fs::read_to_string(&output).expect("it is there"), "done\n");
        let failed = to_file(&shell("echo why >&2; exit 3"), &output, Aim::Time).expect_err("it fails");
        assert!(failed.to_string().contains("3: why"), "{failed}");
    }

    #[test]
    fn pipes_carry_everything() {
        let folder = tempfile::tempdir().expect("a folder");
        let input = folder.path().join("in");
        fs::write(&input, vec![b'x'; 1 << 20]).expect("a file");
        let output = folder.path().join("out");
        through_pipes(&shell("wc -c"), &input, &output, Aim::Answer).expect("it works");
        assert_eq!(fs::read_to_string(&output).expect("it is there").trim(), "1048576");
        through_pipes(&shell("cat > /dev/null; exit 1"), &input, &output, Aim::Time).expect_err("it fails");
    }
}
