//! Responsible for: what tests of the binary share: run it with arguments and input, look at its memory, find fixtures.
//! Not for: what the binary must answer; see [`oracle`](mod@crate::oracle).

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// What a process answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The exit code; on Unix 128 + the signal, where a signal ended the process, as a shell says it.
    pub code: i32,
    /// What it wrote to stdout.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr.
    pub stderr: Vec<u8>,
}

impl Answer {
    /// stdout as text, for messages.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// stderr as text.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// The binary of the package that is tested: the caller passes `option_env!("CARGO_BIN_EXE_hubmill")`. The environment
/// variable of that name, if set while the test runs, beats it.
///
/// # Panics
/// If neither is there.
#[must_use]
pub fn binary(built_in: Option<&str>) -> PathBuf {
    let named = std::env::var_os("CARGO_BIN_EXE_hubmill").map(PathBuf::from);
    named.or_else(|| built_in.map(PathBuf::from)).expect("CARGO_BIN_EXE_hubmill is not set: run this with `cargo test`")
}

/// The folder with the fixtures.
#[must_use]
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// The files of a folder of fixtures, sorted by name.
///
/// # Errors
/// If the folder can't be read.
pub fn fixture_files(folder: &str) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(fixtures().join(folder))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

/// A new directory that is removed when the value goes.
///
/// # Panics
/// If it can't be made.
#[must_use]
pub fn temporary_directory() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary directory can be made")
}

/// Runs a program to its end with this input. That the program closes stdin early is no error.
///
/// # Errors
/// If it can't be started or its output can't be read.
pub fn run<I, S>(program: &Path, args: I, stdin: &[u8]) -> io::Result<Answer>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut child = spawn(program, args)?;
    feed_and_wait(&mut child, stdin, |_| {})
}

/// Starts a program with pipes for stdin, stdout and stderr.
///
/// # Errors
/// If it can't be started.
pub fn spawn<I, S>(program: &Path, args: I) -> io::Result<Child>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(program);
    command.args(args).env("NO_COLOR", "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// As [`run`], and returns the most anonymous memory in bytes that was seen (Linux; elsewhere 0). Short peaks between two
/// looks, a millisecond apart, can be missed.
///
/// # Errors
/// As [`run`].
pub fn run_with_peak_memory<I, S>(program: &Path, args: I, stdin: &[u8]) -> io::Result<(Answer, u64)>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut child = spawn(program, args)?;
    let mut peak = 0;
    let answer = feed_and_wait(&mut child, stdin, |process| {
        peak = peak.max(anonymous_memory(process).unwrap_or(0));
    })?;
    Ok((answer, peak))
}

/// The anonymous memory of a process in bytes (`RssAnon` of Linux), if it can be read.
#[must_use]
pub fn anonymous_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

fn feed_and_wait(child: &mut Child, stdin: &[u8], mut look: impl FnMut(u32)) -> io::Result<Answer> {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let process = child.id();
    thread::scope(|scope| {
        let feeder = scope.spawn(move || pipes.0.map_or(Ok(()), |mut pipe| pipe.write_all(stdin)));
        let stdout = scope.spawn(move || read_all(pipes.1));
        let stderr = scope.spawn(move || read_all(pipes.2));
        let status = loop {
            look(process);
            if let Some(status) = child.try_wait()? {
                break status;
            }
            thread::sleep(Duration::from_millis(1));
        };
        match feeder.join() {
            Ok(Err(error)) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
        let join = |reader: thread::ScopedJoinHandle<'_, io::Result<Vec<u8>>>| {
            reader.join().unwrap_or_else(|_| Err(io::Error::other("the reading thread panicked")))
        };
        Ok(Answer { code: code_of(status), stdout: join(stdout)?, stderr: join(stderr)? })
    })
}

fn read_all(pipe: Option<impl Read>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The exit code as a shell says it.
#[must_use]
pub fn code_of(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(-1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str, stdin: &[u8]) -> Answer {
        run(Path::new("/bin/sh"), ["-c", script], stdin).expect("a shell")
    }

    #[test]
    fn answers_are_whole() {
        let input = vec![b'x'; 1 << 20];
        let answer = shell("cat; echo why >&2; exit 3", &input);
        assert_eq!((answer.code, answer.stdout.len(), answer.stderr_text().as_str()), (3, 1 << 20, "why\n"));
        assert_eq!(shell("exec <&-; exit 0", &input).code, 0);
        assert_eq!(shell("kill -TERM $$", b"").code, 143);
    }

    #[test]
    fn memory_is_seen() {
        assert!(anonymous_memory(std::process::id()).is_none_or(|bytes| bytes > 0));
        let script = "x=$(head -c 20000000 /dev/zero | tr '\\0' a); sleep 0.1; echo ${#x}";
        let (answer, peak) = run_with_peak_memory(Path::new("/bin/sh"), ["-c", script], b"").expect("a shell");
        assert_eq!(answer.stdout_text(), "20000000\n");
        assert!(!cfg!(target_os = "linux") || peak > 15_000_000, "{peak}");
    }

    #[test]
    fn fixtures_are_found() {
        assert!(fixture_files("export").expect("a folder").iter().any(|path| path.ends_with("devices.txt")));
        assert!(fixture_files("none such").is_err());
    }
}
