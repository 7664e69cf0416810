//! Responsible for: every flag of `hubmill transform` on small inputs, to the byte.
//! Not for: many lines, broken input, files and pipes; those have tests of their own beside this folder.

#[path = "../support/mod.rs"]
mod support;

mod check_full;
mod condition;
mod contradictions;
mod deep;
mod edit;
mod keys;
mod order_of_rules;
mod presets;
mod remove;
mod report;
mod rules_file;
mod select;

use support::{assert_answer, transform};

/// Runs the lines through in one go, with `--check none` beside these flags, and compares each with what it must become.
#[track_caller]
fn becomes(args: &[&str], lines: &[(&str, &str)]) {
    let input: String = lines.iter().map(|line| format!("{}\n", line.0)).collect();
    let answer = transform(&[&["--check", "none"], args].concat(), input.as_bytes());
    let stderr = answer.stderr_text();
    let output = answer.stdout_text();
    let mut output = output.lines();
    for (line, wanted) in lines {
        assert_eq!(output.next(), Some(*wanted), "{args:?} on {line}: {stderr}");
    }
    assert_eq!((output.next(), answer.code), (None, 0), "{args:?}: {stderr}");
}

/// Runs the lines through in one go and expects all of them to be rejected with this code, and nothing else.
#[track_caller]
fn rejects(args: &[&str], code: &str, lines: &[&str]) {
    let folder = support::Folder::new();
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let files = [("--diagnostics", folder.arg("diagnostics")), ("--rejects", folder.arg("rejects"))];
    let mut all: Vec<&str> = args.to_vec();
    files.iter().for_each(|(flag, path)| all.extend([*flag, path]));
    let answer = transform(&all, input.as_bytes());
    assert_answer(&answer, 1, "");
    assert_eq!(folder.text("rejects"), input, "{args:?}");
    let findings = support::json_lines(&folder.read("diagnostics"));
    for (number, line) in lines.iter().enumerate() {
        let of_line = findings.iter().filter(|finding| finding["line"] == number + 1);
        let codes: Vec<&str> = of_line.filter_map(|finding| finding["code"].as_str()).collect();
        assert_eq!(codes, [code], "{args:?} on {line}");
    }
}

/// The text with `'` for `"`, so that lines can be read here.
fn q(text: &str) -> String {
    text.replace('\'', "\"")
}
