//! Responsible for: full disks, folders that can't be written, inputs that can't be read or become shorter.

use crate::support::{Folder, assert_answer, device, devices, run, script, skip, transform, transform_command};
use std::fs::{self, File, OpenOptions};
use std::io::Read as _;

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_a_failure_wherever_it_is() {
    for flag in ["-o", "--rejects", "--filtered", "--report", "--diagnostics", "--keys-out"] {
        let folder = Folder::new();
        let output = folder.arg("out");
        let mut args = vec![flag, "/dev/full", "--devices-only", "--regenerate-keys"];
        if flag != "-o" {
            args.extend(["-o", &output]);
        }
        let input = format!("{}{{\n{{\"id\":\"a\",\"moduleId\":\"m\"}}\n", device("a"));
        let answer = transform(&args, input.as_bytes());
        assert_answer(&answer, 3, "");
        assert!(answer.stderr_text().contains("/dev/full"), "{flag}: {}", answer.stderr_text());
        assert!(folder.names().is_empty(), "{flag}: {:?}", folder.names());
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_output_is_a_failure() {
    let folder = Folder::new();
    let report = folder.arg("report");
    let answer = run(script("exec \"$0\" transform --report \"$1\" > /dev/full", &[&report]), devices(10).as_bytes());
    assert_answer(&answer, 3, "");
    assert!(answer.stderr_text().contains("standard output"), "{}", answer.stderr_text());
    assert!(!folder.report("report").is_complete());
    for args in [["man"].as_slice(), &["completions", "bash"]] {
        assert_answer(&run(script("exec \"$0\" \"$@\" > /dev/full", args), b""), 3, "");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_without_room() {
    // A mount of our own, in a name space of our own, gone with the shell.
    let inside = "mount -t tmpfs -o size=1m none \"$1\" || exit 77; \
                  printf old > \"$1/out\"; \
                  \"$0\" transform \"$2\" --no-sync -o \"$1/out\" --rejects \"$1/rejects\" --report \"$1/report\"; \
                  echo \"exit $?\"; ls -A \"$1\"; cat \"$1/out\"";
    let folder = Folder::new();
    let input = folder.write("in", devices(60_000));
    fs::create_dir(folder.path("small")).expect("a folder");
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "--map-root-user", "/bin/sh", "-c", inside]).arg(crate::support::binary());
    command.args([&folder.arg("small"), &input]);
    let answer = match command.output() {
        Ok(answer) if answer.status.code() != Some(77) && !answer.stdout.is_empty() => answer,
        Ok(answer) => return skip("a_disk_without_room", &String::from_utf8_lossy(&answer.stderr)),
        Err(error) => return skip("a_disk_without_room", &error.to_string()),
    };
    let (said, stderr) = (String::from_utf8_lossy(&answer.stdout), String::from_utf8_lossy(&answer.stderr));
    let mut lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.remove(0), "exit 3", "{stderr}");
    assert_eq!(lines.pop(), Some("old"), "the old file stays: {said}");
    // The report says that it is not complete, where there was room for it.
    lines.retain(|name| *name != "report");
    assert_eq!(lines, ["out"], "{stderr}");
    assert!(stderr.contains("No space left"), "{stderr}");
}

#[test]
fn folders_that_are_not_there_or_can_not_be_written() {
    let folder = Folder::new();
    folder.write("file", "x");
    let mut places = vec![folder.arg("missing/out"), folder.arg("file/out"), folder.arg("missing/deeper/out")];
    if cfg!(target_os = "linux") {
        places.push("/proc/hubmill-out".to_owned());
    }
    fs::create_dir(folder.path("locked")).expect("a folder");
    let locked = std::os::unix::fs::PermissionsExt::from_mode(0o555);
    fs::set_permissions(folder.path("locked"), locked).expect("the mode can be set");
    if File::create(folder.path("locked/try")).is_err() {
        places.push(folder.arg("locked/out"));
    } else {
        skip("a locked folder", "this user may write everywhere");
        fs::remove_file(folder.path("locked/try")).expect("it was there");
    }
    for place in &places {
        for flag in ["-o", "--rejects", "--report", "--diagnostics", "--filtered"] {
            let answer = transform(&[flag, place.as_str()], devices(1).as_bytes());
            assert_answer(&answer, 3, "");
            assert!(answer.stderr_text().contains(place.as_str()), "{flag} {place}: {}", answer.stderr_text());
        }
        // What was opened before it goes again.
        let other = folder.arg("other");
        assert_answer(&transform(&["--rejects", &other, "-o", place], devices(1).as_bytes()), 3, "");
        assert_eq!(folder.names(), ["file", "locked"]);
    }
}

#[test]
fn a_folder_is_no_output_and_no_input() {
    let folder = Folder::new();
    fs::create_dir(folder.path("dir")).expect("a folder");
    let place = folder.arg("dir");
    for args in [["-o", &place].as_slice(), &["--rejects", &place], &["--report", &place], &[&place]] {
        let answer = transform(args, devices(1).as_bytes());
        assert_answer(&answer, 3, "");
        assert!(answer.stderr_text().contains(&place), "{args:?}: {}", answer.stderr_text());
    }
    assert_eq!(folder.names(), ["dir"]);
    assert_eq!(fs::read_dir(&place).expect("a folder").count(), 0);
}

#[test]
fn an_input_that_is_not_there() {
    let folder = Folder::new();
    let (output, missing) = (folder.write("out", "old"), folder.arg("missing"));
    for args in [[missing.as_str()].as_slice(), &["--ids", &missing], &["--preset", "migrate", "--scope-map", &missing]]
    {
        let answer = transform(&[args, &["-o", &output]].concat(), devices(1).as_bytes());
        assert_answer(&answer, 3, "");
        assert!(answer.stderr_text().contains(&missing), "{args:?}: {}", answer.stderr_text());
        assert_eq!((folder.text("out"), folder.names().len()), ("old".to_owned(), 1));
    }
}

#[test]
fn an_input_that_becomes_shorter_is_a_failure() {
    for (redirected, mmap) in [(false, "never"), (true, "never"), (false, "always"), (true, "auto")] {
        let folder = Folder::new();
        // Much more than the chunks that can be under way; the output is not read until the input is cut.
        let input = folder.write("in", devices(200_000));
        let (report, rejects) = (folder.arg("report"), folder.arg("rejects"));
        let args = ["--mmap", mmap, "-j", "1", "--report", &report, "--rejects", &rejects, "--status", "disabled"];
        let mut command = transform_command(&args);
        if redirected {
            command.stdin(File::open(&input).expect("the input"));
        } else {
            command.arg(&input);
        }
        let mut child = command.spawn().expect("it starts");
        let mut stdout = child.stdout.take().expect("a pipe");
        let mut first = [0];
        stdout.read_exact(&mut first).expect("it has started");
        OpenOptions::new().write(true).open(&input).expect("the input").set_len(1000).expect("it is cut");
        child.stdout = Some(stdout);
        let answer = crate::support::finish(&mut child, b"", |_| {});
        assert_eq!(answer.code, 3, "{}", answer.stderr_text());
        assert!(answer.stderr_text().contains("shorter"), "{}", answer.stderr_text());
        assert!(!folder.report("report").is_complete());
        assert!(!folder.has("rejects"));
        assert_eq!(folder.names(), ["in", "report"]);
    }
}

#[test]
fn an_input_that_becomes_shorter_leaves_no_output() {
    for mmap in ["never", "always", "auto"] {
        becomes_shorter_before_there_is_output(mmap);
    }
}

fn becomes_shorter_before_there_is_output(mmap: &str) {
    let folder = Folder::new();
    let module = "{\"id\":\"a\",\"moduleId\":\"m\",\"status\":\"enabled\"}\n";
    let input = folder.write("in", format!("{}{}", devices(100), module.repeat(200_000)));
    let output = folder.write("out", "old");
    // A pipe that is not emptied holds the run up until the input is cut.
    let filtered = folder.fifo("filtered");
    let args = ["--mmap", mmap, "-j", "1", "--devices-only", "--filtered", &filtered, "-o", &output, &input];
    let mut child = transform_command(&args).spawn().expect("it starts");
    let mut pipe = File::open(&filtered).expect("it is opened for writing");
    pipe.read_exact(&mut [0]).expect("it has started");
    assert_eq!(folder.names().iter().filter(|name| name.starts_with(".hubmill-")).count(), 1);
    OpenOptions::new().write(true).open(&input).expect("the input").set_len(1000).expect("it is cut");
    pipe.read_to_end(&mut Vec::new()).expect("it ends");
    let answer = crate::support::finish(&mut child, b"", |_| {});
    assert_eq!(answer.code, 3, "{}", answer.stderr_text());
    assert_eq!(
        (folder.text("out"), folder.names()),
        ("old".to_owned(), ["filtered", "in", "out"].map(String::from).to_vec())
    );
}
