//! Responsible for: what the process tests share: run the binary with a deadline, a folder to work in, read a report.
//! Not for: what the binary must answer.
#![allow(dead_code, reason = "every test binary uses its own part")]

pub(crate) mod examples;

use hubmill_testkit::process::{self, Answer};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Longer than any run may take, on a slow machine with much else to do. Only a run that hangs gets there.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The binary that is tested.
pub(crate) fn binary() -> PathBuf {
    process::binary(option_env!("CARGO_BIN_EXE_hubmill"))
}

/// The binary with these arguments, pipes all around, and nothing of the caller's environment that it would look at.
pub(crate) fn command<S: AsRef<OsStr>>(args: &[S]) -> Command {
    clean(Command::new(binary()), args)
}

/// A shell script; `"$0"` in it is the binary, `"$@"` the arguments.
pub(crate) fn script<S: AsRef<OsStr>>(text: &str, args: &[S]) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(text).arg(binary());
    clean(shell, args)
}

fn clean<S: AsRef<OsStr>>(mut command: Command, args: &[S]) -> Command {
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("HUBMILL_SIMD").env_remove("CLICOLOR_FORCE").env("NO_COLOR", "1");
    command
}

/// Runs `hubmill` with these arguments and this input to its end.
pub(crate) fn hubmill<S: AsRef<OsStr>>(args: &[S], stdin: &[u8]) -> Answer {
    run(command(args), stdin)
}

/// Runs `hubmill transform`.
pub(crate) fn transform<S: AsRef<OsStr>>(args: &[S], stdin: &[u8]) -> Answer {
    run(transform_command(args), stdin)
}

/// `hubmill transform` with these arguments.
pub(crate) fn transform_command<S: AsRef<OsStr>>(args: &[S]) -> Command {
    let mut command = command(&["transform"]);
    command.args(args);
    command
}

/// Runs a command to its end. That it closes stdin early is no error; that it does not end is one.
pub(crate) fn run(command: Command, stdin: &[u8]) -> Answer {
    run_watched(command, stdin, |_| {})
}

/// As [`run`], and `watch` is called with the process id all the while, a millisecond apart.
pub(crate) fn run_watched(mut command: Command, stdin: &[u8], watch: impl FnMut(u32)) -> Answer {
    let mut child = command.spawn().expect("the command starts");
    // The child's ends of the pipes are the caller's, too, as long as the command is there.
    drop(command);
    finish(&mut child, stdin, watch)
}

/// Feeds what is left to be fed and waits for the end.
pub(crate) fn finish(child: &mut Child, stdin: &[u8], mut watch: impl FnMut(u32)) -> Answer {
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::scope(|scope| {
        let feeder = scope.spawn(move || pipes.0.map_or(Ok(()), |mut pipe| pipe.write_all(stdin)));
        let stdout = scope.spawn(move || read_all(pipes.1));
        let stderr = scope.spawn(move || read_all(pipes.2));
        let code = wait(child, &mut watch);
        match feeder.join().expect("the feeding thread ends well") {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => panic!("stdin can't be written: {error}"),
            _ => {}
        }
        let stdout = stdout.join().expect("the reading thread ends well");
        Answer { code, stdout, stderr: stderr.join().expect("the reading thread ends well") }
    })
}

/// Waits for the end of a process; the exit code as a shell says it.
pub(crate) fn wait(child: &mut Child, watch: &mut impl FnMut(u32)) -> i32 {
    let started = Instant::now();
    loop {
        watch(child.id());
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return process::code_of(status);
        }
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the process does not end");
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn read_all(pipe: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
    }
    bytes
}

/// Reads from a pipe on a thread of its own, so that one can wait for bytes and not for ever.
pub(crate) struct Tap(mpsc::Receiver<Vec<u8>>);

impl Tap {
    pub(crate) fn new(mut pipe: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count) = pipe.read(&mut buffer) {
                if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self(receiver)
    }

    /// The next bytes, at least so many; panics where they do not come.
    pub(crate) fn read_at_least(&self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            match self.0.recv_timeout(PATIENCE) {
                Ok(more) => bytes.extend(more),
                Err(why) => panic!("{} of {count} bytes came: {why}", bytes.len()),
            }
        }
        bytes
    }

    /// What is there and what comes to the end.
    pub(crate) fn rest(self) -> Vec<u8> {
        self.0.iter().flatten().collect()
    }

    /// Whether nothing comes for so long.
    pub(crate) fn is_silent_for(&self, time: Duration) -> bool {
        matches!(self.0.recv_timeout(time), Err(mpsc::RecvTimeoutError::Timeout))
    }
}

/// A folder that goes when the test ends.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(process::temporary_directory())
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path of a name, as an argument.
    pub(crate) fn arg(&self, name: &str) -> String {
        self.path(name).to_str().expect("temporary folders have plain names").to_owned()
    }

    /// Writes a file and returns its path as an argument.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), content).expect("a file can be written");
        self.arg(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("a text")
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// The names of all that is in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.root()).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Makes a named pipe and returns its path as an argument.
    pub(crate) fn fifo(&self, name: &str) -> String {
        let made = Command::new("mkfifo").arg(self.path(name)).status().expect("mkfifo is there");
        assert!(made.success(), "{name}");
        self.arg(name)
    }

    pub(crate) fn report(&self, name: &str) -> Report {
        Report::of(&self.read(name))
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Report(pub(crate) Value);

impl Report {
    /// Of one line of JSON.
    pub(crate) fn of(text: &[u8]) -> Self {
        assert!(text.ends_with(b"}\n"), "a report is a line: {:?}", String::from_utf8_lossy(text));
        Self(serde_json::from_slice(text).expect("a report is JSON"))
    }

    /// A whole number of the report.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_else(|| panic!("{name} in {}", self.0))
    }

    /// How often a code is in `codes`.
    pub(crate) fn code(&self, code: &str) -> u64 {
        self.0["codes"].get(code).map_or(0, |count| count.as_u64().expect("a count"))
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.0["complete"].as_bool().expect("complete")
    }

    /// lines in = written + rejected + filtered + notices + blank
    pub(crate) fn assert_adds_up(&self) {
        let parts = ["written", "rejected", "filtered", "notices", "blank"];
        let sum: u64 = parts.iter().map(|part| self.number(part)).sum();
        assert_eq!(self.number("lines"), sum, "{}", self.0);
    }
}

/// The lines of NDJSON.
pub(crate) fn json_lines(text: &[u8]) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with(b"\n"), "{:?}", String::from_utf8_lossy(text));
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("a line of JSON")).collect()
}

/// Exit code and stdout, with everything shown where they differ.
#[track_caller]
pub(crate) fn assert_answer(answer: &Answer, code: i32, stdout: impl AsRef<[u8]>) {
    let want = stdout.as_ref();
    if answer.code != code || answer.stdout != want {
        let cut = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
        panic!(
            "exit {}, not {code}?\nstdout: {} bytes {:?}\nnot:    {} bytes {:?}\nstderr: {}",
            answer.code,
            answer.stdout.len(),
            cut(&answer.stdout),
            want.len(),
            cut(want),
            cut(&answer.stderr)
        );
    }
}

/// A short valid line with `\n`.
pub(crate) fn device(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"status\":\"enabled\",\"authentication\":{{\"type\":\"sas\"}}}}\n")
}

/// So many of them.
pub(crate) fn devices(count: usize) -> String {
    (0..count).map(|index| device(&format!("device-{index}"))).collect()
}

/// The bytes of a text, with `\xff` for each U+FFFD: a byte that no text can hold.
pub(crate) fn with_bad_bytes(text: &str) -> Vec<u8> {
    text.split('\u{fffd}').map(str::as_bytes).collect::<Vec<_>>().join(&0xff)
}

/// Says that a test could not be run, and why.
#[expect(clippy::print_stderr, reason = "a test that is left out must be seen")]
pub(crate) fn skip(test: &str, why: &str) {
    eprintln!("SKIPPED {test}: {why}");
}
