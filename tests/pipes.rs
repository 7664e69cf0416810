//! Responsible for: pipes: slow ones, closed ones, and ones that never were.
//! Not for: files, which are in `atomic`.
#![cfg(unix)]

mod support;

use hubmill_testkit::process::code_of;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::Stdio;
use std::time::{Duration, Instant};
use support::{Folder, PATIENCE, Tap, assert_answer, command, device, devices, run, script, transform_command, wait};

/// More than all buffers between two processes hold.
const MUCH: usize = 60_000;

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let folder = Folder::new();
    let input = devices(MUCH);
    let path = folder.write("in", &input);
    for (index, args) in
        [vec![path.as_str()], vec!["--mmap", "always", &path], vec![&path, "--status", "disabled"], vec!["-"]]
            .into_iter()
            .enumerate()
    {
        let report = folder.arg(&format!("report-{index}"));
        let mut command = transform_command(&args);
        command.args(["--report", &report]);
        if args == ["-"] {
            command.stdin(File::open(&path).expect("the input"));
        }
        let mut child = command.spawn().expect("it starts");
        drop(child.stdin.take());
        let mut first = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut first).expect("a line");
        drop(stdout);
        let mut stderr = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("it ends");
        assert_eq!((wait(&mut child, &mut |_| {}), stderr.as_str()), (0, ""), "{args:?}");
        assert_eq!(first, device("device-0").replace("enabled", if index == 2 { "disabled" } else { "enabled" }));
        let report = folder.report(&format!("report-{index}"));
        assert!(!report.is_complete(), "{args:?}: {report:?}");
        report.assert_adds_up();
    }
}

#[test]
fn a_shell_pipe_into_head() {
    let folder = Folder::new();
    let path = folder.write("in", devices(MUCH));
    let text = "\"$0\" transform \"$1\" | head -n 1; \"$0\" transform < \"$1\" | head -n 1";
    let answer = run(script(text, &[&path]), b"");
    assert_answer(&answer, 0, device("device-0").repeat(2));
    assert_eq!(answer.stderr_text(), "");
}

/// What is asked for as a file is whole or not there, whatever becomes of what goes to standard output.
#[test]
fn files_are_whole_though_the_reader_of_standard_output_went_away() {
    let folder = Folder::new();
    let (device, module) = (device("a"), "{\"id\":\"a\",\"moduleId\":\"m\"}\n");
    let path = folder.write("in", format!("{device}{module}[]\n").repeat(MUCH / 2));
    let [all_devices, modules, broken] = [device.as_str(), module, "[]\n"].map(|line| line.repeat(MUCH / 2));
    let script_of = |flags: &str| format!("cd \"$1\"; \"$0\" {flags} < in | head -n 1 > first");
    let head = |flags: &str| {
        let folder = folder.arg("");
        let answer = run(script(&script_of(flags), &[folder.trim_end_matches('/')]), b"");
        assert_eq!((answer.code, answer.stdout_text()), (0, String::new()), "{flags}");
    };
    head("transform --devices-only --filtered filtered --rejects rejects --report report");
    assert_eq!(folder.text("first"), device);
    assert!(folder.text("filtered") == modules && folder.text("rejects") == broken, "all of them");
    assert!(!folder.report("report").is_complete());
    head("transform -q --devices-only --filtered - -o out");
    assert_eq!(folder.text("first"), module);
    assert!(folder.text("out") == all_devices, "all of them");
    head("validate --check id --all --diagnostics findings");
    let not_objects = folder.text("findings").lines().filter(|line| line.contains("\"not-an-object\"")).count();
    assert_eq!(not_objects, MUCH / 2);
    let keys = |text: String| text.lines().count();
    head("generate --count 40000 --keys-out keys");
    assert_eq!(keys(folder.text("keys")), 80_000);
    folder.write("import", devices(MUCH));
    let entry = |number: usize| {
        let code = if number.is_multiple_of(2) { 429_001 } else { 409_001 };
        format!("{{\"deviceId\":\"device-{number}\",\"errorCode\":{code},\"errorStatus\":\"x\"}}\n")
    };
    folder.write("log", (0..MUCH).map(entry).collect::<String>());
    head("retry -q --errors log --individually left import");
    assert_eq!(folder.text("left").lines().count(), MUCH / 2);
    let state = |status: &str, authentication: &str| {
        let line =
            |number| format!("{{\"id\":\"d{number}\",\"status\":\"{status}\",\"authentication\":{authentication}}}\n");
        (0..MUCH).map(line).collect::<String>()
    };
    folder.write("from", state("disabled", "null"));
    folder.write("to", state("enabled", "{\"type\":\"certificateAuthority\"}"));
    head("diff -q --diagnostics findings from to");
    assert_eq!(folder.text("findings").lines().count(), MUCH);
    assert_eq!(fs::read(&path).expect("the input").len(), (device.len() + module.len() + 3) * (MUCH / 2));
}

#[test]
fn too_many_deletes_are_told_though_nobody_reads_the_plan() {
    let folder = Folder::new();
    let (hub, import) = (
        folder.write("hub", device("a")),
        folder.write("import", device("a").replace("{", "{\"importMode\":\"delete\",")),
    );
    let code = folder.arg("code");
    let text = "{ sleep 0.2; \"$0\" plan -q --max-delete 0 --registry \"$1\" \"$2\"; echo $? > \"$3\"; } | true";
    run(script(text, &[&hub, &import, &code]), b"");
    assert_eq!(folder.text("code"), "4\n");
}

#[test]
fn a_producer_stops_when_the_reader_went_away() {
    // The input never ends; only the closed output can end the run.
    let mut child = transform_command::<&str>(&[]).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    stdin.write_all(device("first").as_bytes()).expect("it reads");
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    drop(stdout);
    let started = Instant::now();
    let block = devices(100);
    while stdin.write_all(block.as_bytes()).is_ok() {
        assert!(started.elapsed() < PATIENCE, "it goes on reading though nobody reads what it writes");
    }
    assert_eq!(wait(&mut child, &mut |_| {}), 0);
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("it ends");
    assert_eq!(stderr, "");
}

#[test]
fn one_line_comes_out_before_the_next_goes_in() {
    for args in [["-j", "1"].as_slice(), &["-j", "4"], &["-j", "2", "--status", "enabled"]] {
        let mut child = transform_command(args).spawn().expect("it starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let output = Tap::new(child.stdout.take().expect("a pipe"));
        for number in 0..200 {
            let line = device(&format!("slow-{number}"));
            stdin.write_all(line.as_bytes()).expect("it reads");
            assert_eq!(String::from_utf8_lossy(&output.read_at_least(line.len())), line, "{args:?}");
        }
        drop(stdin);
        assert!(output.rest().is_empty());
        assert_eq!(code_of(child.wait().expect("it ends")), 0);
    }
}

#[test]
fn many_lines_come_out_before_more_go_in() {
    let mut child = transform_command(&["-j", "2"]).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = Tap::new(child.stdout.take().expect("a pipe"));
    // From less than a chunk to a few.
    for count in [10, 1000, 5000, 20_000, 3, 12_000] {
        let block = devices(count);
        stdin.write_all(block.as_bytes()).expect("it reads");
        assert!(output.read_at_least(block.len()) == block.as_bytes(), "{count} lines");
    }
    drop(stdin);
    assert!(output.rest().is_empty());
    assert_eq!(code_of(child.wait().expect("it ends")), 0);
}

#[test]
fn what_goes_from_pipe_to_pipe_is_what_goes_from_file_to_file() {
    let folder = Folder::new();
    let text = devices(MUCH);
    let (input, output) = (folder.write("in", &text), folder.arg("out"));
    assert_answer(&support::transform(&["-q", "--status", "disabled", &input, "-o", &output], b""), 0, "");
    let want = folder.text("out");
    for (args, fed, taken) in [
        (["-j", "1"], 1 << 20, 1 << 20),
        (["-j", "1"], 70_001, 3_333),
        (["-j", "2"], 300_007, 65_536),
        (["-j", "3"], 4096, 250_000),
    ] {
        let mut command = transform_command(&["-q", "--status", "disabled"]);
        let mut child = command.args(args).spawn().expect("it starts");
        let (mut stdin, mut stdout) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let text = text.clone();
        let feeder = std::thread::spawn(move || text.as_bytes().chunks(fed).try_for_each(|part| stdin.write_all(part)));
        let (mut found, mut room) = (Vec::new(), vec![0; taken]);
        loop {
            let count = stdout.read(&mut room).expect("it writes");
            found.extend_from_slice(&room[..count]);
            if count == 0 {
                break;
            }
        }
        feeder.join().expect("no panic").expect("it reads");
        assert!(found == want.as_bytes(), "{args:?}, {fed} and {taken} bytes at once");
        assert_eq!(code_of(child.wait().expect("it ends")), 0);
    }
}

#[test]
fn a_line_that_is_not_complete_waits_and_the_lines_before_it_do_not() {
    let mut child = transform_command::<&str>(&[]).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = Tap::new(child.stdout.take().expect("a pipe"));
    let (whole, next) = (device("whole"), device("halved"));
    let (start, rest) = next.split_at(12);
    stdin.write_all(format!("{whole}{start}").as_bytes()).expect("it reads");
    assert_eq!(output.read_at_least(whole.len()), whole.as_bytes());
    assert!(output.is_silent_for(Duration::from_millis(150)));
    // A byte at a time.
    for byte in rest.bytes() {
        stdin.write_all(&[byte]).expect("it reads");
    }
    assert_eq!(output.read_at_least(next.len()), next.as_bytes());
    // The last line without its end comes with the end of the input.
    stdin.write_all(device("last").trim_end().as_bytes()).expect("it reads");
    drop(stdin);
    assert_eq!(output.rest(), device("last").as_bytes());
    assert_eq!(code_of(child.wait().expect("it ends")), 0);
}

#[test]
fn rejected_lines_are_told_while_the_input_goes_on() {
    let mut child = transform_command::<&str>(&[]).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let said = Tap::new(child.stderr.take().expect("a pipe"));
    stdin.write_all(b"{\"id\":\"a b\"}\n").expect("it reads");
    let start = said.read_at_least("error[id-charset]: line 1".len());
    assert!(start.starts_with(b"error[id-charset]: line 1"), "{}", String::from_utf8_lossy(&start));
    drop(stdin);
    assert_eq!(code_of(child.wait().expect("it ends")), 1);
}

#[test]
fn no_stdin_is_an_empty_input() {
    let folder = Folder::new();
    let report = folder.arg("report");
    for text in ["exec \"$0\" transform --report \"$1\" <&-", "exec \"$0\" transform --report \"$1\" </dev/null"] {
        let answer = run(script(text, &[&report]), b"");
        assert_answer(&answer, 0, "");
        assert!(answer.stderr_text().starts_with("warning[empty-output]: "), "{}", answer.stderr_text());
        let report = folder.report("report");
        assert_eq!((report.number("lines"), report.code("empty-output"), report.is_complete()), (0, 1, true));
    }
}

#[test]
fn no_stderr_is_no_crash() {
    let folder = Folder::new();
    let input = folder.write("in", format!("{}{{\n{}", device("a"), device("b")));
    let wanted = format!("{}{}", device("a"), device("b"));
    for (args, code) in [(["--color", "always"].as_slice(), 1), (&["--report", "-"], 1), (&["--progress", "always"], 1)]
    {
        let answer = run(script("exec \"$0\" transform \"$@\" 2>&-", &[args, &[&input]].concat()), b"");
        assert_answer(&answer, code, &wanted);
        // A pipe that nobody reads.
        let mut command = transform_command(&[args, &[&input]].concat());
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        command.stderr(writer);
        assert_answer(&run(command, b""), code, &wanted);
    }
    let answer = run(script("exec \"$0\" transform --no-such-flag 2>&-", &[""; 0]), b"");
    assert_answer(&answer, 2, "");
    let answer = run(script("exec \"$0\" transform /no/such/file 2>&-", &[""; 0]), b"");
    assert_answer(&answer, 3, "");
}

#[test]
fn no_command_fails_where_nobody_reads_its_output() {
    let folder = Folder::new();
    let input = folder.write("in", device("a") + "not a device\n");
    let export = folder.write("export", device("b"));
    let failing = folder.write("failing", device("b").replace("}\n", ",\"importMode\":\"create\"}\n"));
    let report = folder.arg("report");
    for args in [
        ["transform", input.as_str()].as_slice(),
        &["validate", &input],
        &["validate", "--format", "json", &input],
        &["stats", &input],
        &["stats", "--format", "json", &input],
        &["plan", "--registry", &export, &failing],
        &["plan", "--registry", &export, "--details", &failing],
        &["diff", &export, &input],
        &["generate", "--count", "3"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut closed = command(&[args, &["--report", &report]].concat());
        closed.stdout(writer);
        let answer = run(closed, b"");
        assert_eq!(answer.code, 0, "{args:?}: {}", answer.stderr_text());
    }
}

#[test]
fn what_is_for_people_can_go_into_a_closed_pipe() {
    for args in [
        ["--help"].as_slice(),
        &["--version"],
        &["transform", "--help"],
        &["completions", "bash"],
        &["completions", "zsh"],
        &["completions", "fish"],
        &["man"],
        &["help"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut closed = command(args);
        closed.stdout(writer);
        let answer = run(closed, b"");
        assert_eq!((answer.code, answer.stderr_text().as_str()), (0, ""), "{args:?}");
        let answer = run(command(args), b"");
        assert_eq!((answer.code, answer.stderr_text().as_str()), (0, ""), "{args:?}");
        assert!(answer.stdout_text().contains("hubmill"), "{args:?}");
    }
}

#[test]
fn a_named_pipe_is_written_and_read_as_one() {
    let folder = Folder::new();
    let (input, output) = (folder.fifo("in"), folder.fifo("out"));
    let mut command = transform_command(&[&input, "-o", &output]);
    command.stdin(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    let text = devices(2000);
    let feeding = text.clone();
    let feeder = std::thread::spawn(move || fs::write(&input, feeding));
    let read = fs::read(&output).expect("it writes");
    assert!(read == text.as_bytes());
    assert!(feeder.join().expect("no panic").is_ok());
    assert_eq!(wait(&mut child, &mut |_| {}), 0);
    assert_eq!(folder.names(), ["in", "out"]);
}

#[test]
fn a_named_pipe_that_is_closed_is_a_failure() {
    let folder = Folder::new();
    let (input, output) = (folder.write("in", devices(MUCH)), folder.fifo("out"));
    let report = folder.arg("report");
    let mut child = transform_command(&[&input, "-o", &output, "--report", &report]).spawn().expect("it starts");
    let mut first = String::new();
    let mut reader = BufReader::new(File::open(&output).expect("it is opened for writing"));
    reader.read_line(&mut first).expect("a line");
    drop(reader);
    let answer = support::finish(&mut child, b"", |_| {});
    assert_answer(&answer, 3, "");
    assert_eq!(first, device("device-0"));
    assert!(answer.stderr_text().contains(&output), "{}", answer.stderr_text());
    assert!(!folder.report("report").is_complete());
}

#[test]
#[cfg(target_os = "linux")]
fn names_of_open_files_are_written_through() {
    let folder = Folder::new();
    let (input, log) = (folder.write("in", devices(100)), folder.arg("log"));
    // Pipes, as a shell's `>(…)` makes them, too.
    for text in [
        "\"$0\" transform \"$1\" -o /dev/stdout | cat",
        "\"$0\" transform \"$1\" -o /proc/self/fd/1 | cat",
        "\"$0\" transform \"$1\" -o /dev/fd/3 3>&1 >/dev/null | cat",
        "{ \"$0\" transform \"$1\" --strip-keys --filtered /dev/stderr --modules-only 2>&1 >/dev/null | grep -v empty; }",
    ] {
        let answer = run(script(text, &[&input]), b"");
        assert_answer(&answer, 0, devices(100));
    }
    let report = run(script("\"$0\" transform \"$1\" --report /dev/stderr 2>&1 >/dev/null | cat", &[&input]), b"");
    assert_eq!(support::Report::of(&report.stdout).number("written"), 100);
    // A file that others write to as well stays that file.
    let text = "{ echo before; \"$0\" transform \"$1\" -o /dev/stdout; echo after; } > \"$2\"; cat \"$2\"";
    let answer = run(script(text, &[&input, &log]), b"");
    assert_answer(&answer, 0, format!("before\n{}after\n", devices(100)));
    assert_eq!(folder.names(), ["in", "log"]);
}
