//! Responsible for: colours, and what is different on a terminal.

use crate::support::{Folder, binary, devices, run, skip, transform, transform_command};
use std::process::Command;

/// Runs a shell command on a terminal of its own and returns what is seen there; nothing where that can't be had.
fn on_a_terminal(test: &str, line: &str, no_color: bool) -> Option<String> {
    if !cfg!(target_os = "linux") {
        skip(test, "util-linux's `script` is needed");
        return None;
    }
    let mut command = Command::new("script");
    command.args(["-qec", line, "/dev/null"]).env("TERM", "xterm").env("HUBMILL", binary()).env_remove("HUBMILL_SIMD");
    command.stdin(std::process::Stdio::null());
    if no_color {
        command.env("NO_COLOR", "1");
    } else {
        command.env_remove("NO_COLOR");
    }
    match command.output() {
        Ok(answer) => Some(String::from_utf8_lossy(&answer.stdout).replace("\r\n", "\n")),
        Err(error) => {
            skip(test, &format!("`script` can't be run: {error}"));
            None
        }
    }
}

#[test]
fn the_summary_is_always_shown_on_a_terminal() {
    let folder = Folder::new();
    let (input, output) = (folder.write("in", devices(1234)), folder.arg("out"));
    let line = format!("\"$HUBMILL\" transform {input} -o {output}; echo exit $?");
    let Some(seen) = on_a_terminal("the_summary_is_always_shown_on_a_terminal", &line, false) else { return };
    assert_eq!(folder.text("out"), devices(1234));
    assert!(
        seen.starts_with("1,234 lines, ") && seen.contains(" s (") && seen.contains("/s): 1,234 written\n"),
        "{seen:?}"
    );
    assert!(seen.ends_with("exit 0\n"), "{seen:?}");
    let line = format!("\"$HUBMILL\" transform -q {input} -o {output}; echo exit $?");
    let seen = on_a_terminal("quiet on a terminal", &line, false);
    assert_eq!(seen.as_deref(), Some("exit 0\n"));
}

#[test]
fn no_input_on_a_terminal_is_a_usage_error() {
    let line = "\"$HUBMILL\" transform; echo exit $?";
    let Some(seen) = on_a_terminal("no_input_on_a_terminal_is_a_usage_error", line, true) else { return };
    assert!(seen.starts_with("error: no input"), "{seen:?}");
    assert!(seen.ends_with("exit 2\n"), "{seen:?}");
}

#[test]
fn colours_are_for_terminals() {
    let folder = Folder::new();
    let input = folder.write("in", "{\n");
    let line = |flags: &str| format!("\"$HUBMILL\" transform {flags} {input} -o /dev/null");
    let test = "colours_are_for_terminals";
    let Some(seen) = on_a_terminal(test, &line(""), false) else { return };
    assert!(seen.contains("\u{1b}["), "{seen:?}");
    for (flags, no_color, coloured) in [
        ("--color never", false, false),
        ("--color always", false, true),
        ("", true, false),
        ("--color auto", true, false),
        ("--color always", true, true),
    ] {
        let seen = on_a_terminal(test, &line(flags), no_color).expect("it could be run just now");
        assert_eq!(seen.contains("\u{1b}["), coloured, "{flags} {no_color}: {seen:?}");
    }
}

#[test]
fn colours_elsewhere_only_when_asked_for() {
    for (args, coloured) in [
        ([].as_slice(), false),
        (&["--color", "auto"], false),
        (&["--color", "never"], false),
        (&["--color", "always"], true),
    ] {
        let mut command = transform_command(args);
        command.env_remove("NO_COLOR");
        let stderr = run(command, b"{\n").stderr_text();
        assert_eq!(stderr.contains("\u{1b}["), coloured, "{args:?}: {stderr:?}");
    }
    // Data and files for programs are never coloured.
    let folder = Folder::new();
    let (findings, report) = (folder.arg("findings"), folder.arg("report"));
    let args = ["--color", "always", "--diagnostics", &findings, "--report", &report];
    let answer = transform(&args, format!("{}{{\n", devices(1)).as_bytes());
    assert_eq!(answer.stdout_text(), devices(1));
    assert!(!format!("{}{}", folder.text("findings"), folder.text("report")).contains('\u{1b}'));
}

#[test]
fn progress_can_be_had_without_a_terminal() {
    // Nothing to show in so short a run but the summary.
    let answer = transform(&["--progress", "always"], devices(3).as_bytes());
    assert_eq!((answer.code, answer.stdout_text()), (0, devices(3)));
    assert!(answer.stderr_text().contains("3 lines, "), "{}", answer.stderr_text());
    let answer = transform(&["--progress", "never"], devices(3).as_bytes());
    assert_eq!((answer.code, answer.stderr_text().as_str()), (0, ""));
}
