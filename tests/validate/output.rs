//! How findings are shown, and what a run ends with.

use std::time::Duration;

use crate::support::{Folder, Tap, assert_answer, command, finish, hubmill, json_lines, run};
use crate::{findings_of, good, lines_and_codes};

#[test]
fn findings_go_to_stdout_and_the_summary_to_stderr() {
    let input = good("a") + "{\"id\":\"b c\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n";
    let answer = hubmill(&["validate"], input.as_bytes());
    assert_answer(
        &answer,
        1,
        "error[id-charset]: line 2 (byte 58): device id \"b c\" has a character that the hub refuses: ' ' at 1\n\
         hint: allowed are ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '\n",
    );
    let summary = answer.stderr_text();
    assert!(summary.starts_with("error   id-charset                           1\n2 lines, "), "{summary}");
    assert!(summary.ends_with(": 1 good, 1 with errors; 1 error, 0 warnings\n"), "{summary}");
    let quiet = hubmill(&["validate", "-q"], input.as_bytes());
    assert_eq!((quiet.stdout_text().lines().count(), quiet.stderr.len()), (1, 0));
}

#[test]
fn ten_of_each_code_are_shown_and_all_of_them_on_demand() {
    let input = "{\"id\":\"b c\",\"importMode\":\"delete\"}\n".repeat(3000);
    let text = hubmill(&["validate"], input.as_bytes()).stdout_text();
    assert_eq!(text.matches("error[id-charset]").count(), 10);
    assert_eq!(text.matches("error[status-missing]").count(), 10);
    assert!(text.contains("… and 2,990 more id-charset\n"), "{text}");
    assert!(text.contains("… and 2,990 more status-missing\n"), "{text}");
    let all = hubmill(&["validate", "--all"], input.as_bytes()).stdout_text();
    assert_eq!(all.matches("error[id-charset]").count(), 3000);
    assert!(!all.contains("more"));
    let folder = Folder::new();
    let path = folder.arg("found");
    assert_answer(&hubmill(&["validate", "--format", "json", "-o", &path], input.as_bytes()), 1, "");
    // The last line is the first one again: 2999 repeats.
    assert_eq!(json_lines(&folder.read("found")).len(), 3000 + 3000 + 2999);
}

#[test]
fn exit_codes_follow_errors_and_what_is_denied() {
    let warning = good("a").replace("enabled", "Enabled");
    let error = "{\"id\":\"a\",\"status\":\"enabled\"}\n";
    for (args, input, code) in [
        (vec![], good("a").as_str(), 0),
        (vec![], warning.as_str(), 0),
        (vec!["--deny-warnings"], warning.as_str(), 1),
        (vec!["--deny", "enum-case"], warning.as_str(), 1),
        (vec!["--allow", "enum-case", "--deny-warnings"], warning.as_str(), 0),
        (vec![], error, 1),
        (vec!["--allow", "keys-rotate"], error, 0),
        (vec!["--allow", "json-syntax"], error, 2),
        (vec!["--allow", "bom", "--deny", "bom"], error, 2),
        (vec!["--allow", "no-such-code"], error, 2),
        (vec!["no-such-file"], "", 3),
    ] {
        let answer = hubmill(&[&["validate"], args.as_slice()].concat(), input.as_bytes());
        assert_eq!(answer.code, code, "{args:?} {}", answer.stderr_text());
    }
    let allowed = hubmill(&["validate", "--allow", "keys-rotate"], error.as_bytes());
    assert!(allowed.stderr_text().contains("allowed: 1 keys-rotate\n"), "{}", allowed.stderr_text());
}

#[test]
fn a_file_in_which_no_line_is_asked_about_is_not_said_to_be_empty() {
    let said = |input: &str| {
        let args = ["validate", "--where", "status = 'disabled'"];
        hubmill(&args, input.as_bytes()).stdout_text()
    };
    let asked = said(&good("a"));
    assert!(asked.contains("empty-output") && asked.contains("the condition holds for none"), "{asked}");
    let empty = said("\n");
    assert!(empty.contains("empty-output") && empty.contains("there is no line of a device"), "{empty}");
}

#[test]
fn places_are_right_after_marks_line_ends_long_and_broken_lines() {
    let long = format!(
        "{{\"id\":\"long\",\"status\":\"enabled\",\"importMode\":\"delete\",\"x\":\"{}\"}}",
        "y".repeat(3 << 20)
    );
    let bad = "{\"id\":\"b c\",\"status\":\"enabled\",\"importMode\":\"delete\"}";
    let input = format!("\u{feff}{bad}\r\n\r\n{{\"id\":\r\n{long}\r\n{bad}x\n{bad}");
    for args in [&["-j", "1"], &["-j", "4"]] {
        let found = findings_of(args, input.as_bytes());
        let want = [
            (1, "bom"),
            (1, "id-charset"),
            (2, "blank-line"),
            (3, "json-syntax"),
            (4, "unknown-member"),
            (5, "json-syntax"),
            (6, "id-charset"),
            (6, "duplicate-line"),
        ];
        assert_eq!(lines_and_codes(&found), want.map(|(line, code)| (line, code.to_owned())));
        let byte = |number: usize| found[number]["byte"].as_u64().expect("a place") as usize;
        assert_eq!((byte(0), byte(1)), (0, 3 + 6));
        assert!(input[byte(4)..].starts_with("\"x\":\"yy"));
        assert_eq!(input.as_bytes()[byte(5)], b'x');
        assert!(input[byte(6)..].starts_with("\"b c\""));
    }
    let short = findings_of(&["--max-line-bytes", "1000"], input.as_bytes());
    let want = (4, "line-too-long".to_owned());
    assert!(lines_and_codes(&short).contains(&want));
    assert_eq!(lines_and_codes(&short).last(), Some(&(6, "duplicate-line".to_owned())));
}

#[test]
fn first_findings_appear_while_a_pipe_is_still_open() {
    use std::io::Write as _;
    let mut child = command(&["validate"]).spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let tap = Tap::new(child.stdout.take().expect("a pipe"));
    stdin.write_all(b"{\"id\":\"b c\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n").expect("a pipe");
    assert!(tap.read_at_least(20).starts_with(b"error[id-charset]: line 1 "));
    assert!(tap.is_silent_for(Duration::from_millis(20)));
    drop(stdin);
    assert_eq!(finish(&mut child, b"", |_| {}).code, 1);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let input = "{\"id\":\"b c\"}\n".repeat(100_000);
    let text = "{ \"$0\" validate --all; echo \"exit $?\" >&2; } | head -n 1";
    let answer = run(crate::support::script(text, &[""; 0]), input.as_bytes());
    assert_eq!((answer.stdout_text().lines().count(), answer.stderr_text()), (1, "exit 0\n".to_owned()));
}

#[test]
fn the_report_counts_lines_and_findings() {
    let input = good("a") + "\n{\"id\":\"b\",\"status\":\"Enabled\"}\n{\n";
    let folder = Folder::new();
    let path = folder.arg("report");
    assert_eq!(hubmill(&["validate", "--report", &path, "-q"], input.as_bytes()).code, 1);
    let report = folder.report("report");
    let counts = ["lines", "blank", "valid", "invalid", "errors", "warnings", "written", "rejected"];
    assert_eq!(counts.map(|name| report.number(name)), [4, 1, 1, 2, 2, 2, 0, 0]);
    assert_eq!(report.0["command"], "validate");
    assert!(report.is_complete());
    assert_eq!(report.code("keys-rotate"), 1);
}
