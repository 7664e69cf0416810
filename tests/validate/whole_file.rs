//! What takes more than one line to see.

use crate::support::{Folder, command, run, script};
use crate::{findings_of, good, lines_and_codes};

#[test]
fn a_file_that_is_one_document_gets_one_finding() {
    let element = "{\"id\":\"d\",\"status\":\"enabled\"}";
    let array = format!("[\n{}{element}\n]\n", format!("{element},\n").repeat(50_000));
    let spread = "{\n  \"id\": \"d\",\n  \"tags\": {\n  }\n}\n".repeat(50_000);
    for (input, code, lines) in [(array, "not-an-object", 50_003), (spread, "json-syntax", 250_000)] {
        for threads in ["1", "4"] {
            let mut validate = command(&["validate", "--format", "json", "--report", "-", "-j", threads]);
            validate.arg("-");
            let answer = run(validate, input.as_bytes());
            assert_eq!(answer.code, 1);
            assert_eq!(answer.stdout.iter().filter(|byte| **byte == b'\n').count(), 1, "{}", answer.stdout_text());
            assert!(answer.stdout_text().contains(&format!("\"code\":\"{code}\",\"line\":1,\"byte\":0")));
            assert!(
                answer.stderr_text().contains(&format!("\"invalid\":{lines},\"errors\":1,")),
                "{}",
                answer.stderr_text()
            );
        }
    }
}

#[test]
fn a_broken_first_line_does_not_hide_the_others() {
    let input = format!(
        "{{\"id\":\"a\",\n{}{{\"id\":\"b c\",\"status\":\"enabled\",\"importMode\":\"delete\"}}\n[\n",
        good("x")
    );
    let found = lines_and_codes(&findings_of(&[], input.as_bytes()));
    let want = [(1, "json-syntax"), (3, "id-charset"), (4, "json-syntax")];
    assert_eq!(found, want.map(|(line, code)| (line, code.to_owned())));
}

#[test]
fn what_a_file_is_does_not_depend_on_how_it_comes() {
    let folder = Folder::new();
    let bad = "{\"id\":\"b b\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n";
    let long = |bytes: usize| format!("[\"{}\"]\n", "y".repeat(bytes));
    let cut = |bytes: usize| format!("{{\"id\":\"a\",\"x\":\"{}\"\n", "y".repeat(bytes));
    let starts = [
        "[]\n".to_owned(),
        "[1,2]\n".to_owned(),
        cut(1),
        format!("{}\n{}", "\n".repeat(5_000), cut(1)),
        long(32_000),
        long(65_499),
        long(70_000),
        long(1_100_000),
        cut(65_516),
        cut(130_000),
    ];
    for start in starts {
        let path = folder.write("in", format!("{start}{}", bad.repeat(3)));
        folder.write("start", &start);
        let blanks = start.bytes().take_while(|byte| *byte == b'\n').count();
        let first = if start.contains('[') { "not-an-object" } else { "json-syntax" };
        let mut want = vec![first, "id-charset", "id-charset", "id-charset", "duplicate-line", "duplicate-line"];
        want.sort_unstable();
        for mmap in ["always", "never"] {
            let found = lines_and_codes(&findings_of(&["--mmap", mmap, &path], b""));
            let mut codes: Vec<&str> = found[blanks..].iter().map(|(_, code)| code.as_str()).collect();
            codes.sort_unstable();
            assert_eq!(codes, want, "{mmap}, {} bytes", start.len());
        }
        let direct = command(&["validate", "--format", "json", &path]);
        let piped = script(
            "(cat \"$1\"; sleep 0.2; printf '%s' \"$2\") | \"$0\" validate --format json",
            &[folder.arg("start"), bad.repeat(3)],
        );
        assert_eq!(run(piped, b"").stdout_text(), run(direct, b"").stdout_text(), "{} bytes", start.len());
    }
}

#[test]
fn one_line_is_what_it_is() {
    let message = |input: &str| {
        findings_of(&["--check", "id"], input.as_bytes())
            .iter()
            .map(|found| (found["byte"].as_u64(), found["message"].to_string()))
            .next()
    };
    // A file that is cut off, and an array.
    for ends in ["", "\n", "\n\n \n"] {
        let (byte, text) = message(&format!("{{\"id\":\"a\",\"status\":\"enabled\"{ends}")).expect("a finding");
        assert!(byte == Some(28) && text.contains("expected ','"), "{byte:?} {text}");
        let (byte, text) = message(&format!("[{{\"id\":\"a\"}}]{ends}")).expect("a finding");
        assert!(byte == Some(0) && text.contains("the line is a JSON array"), "{byte:?} {text}");
    }
}

#[test]
fn duplicates_are_found_over_the_whole_file_whatever_the_threads() {
    let mut lines: Vec<String> = (0..60_000).map(|number| good(&format!("device-{number:06}"))).collect();
    lines[50_000] = good("device-000003");
    lines[59_999] = good("device-000004").replace("enabled", "disabled");
    lines[70] = good("DEVICE-000005");
    let input = lines.concat();
    let folder = Folder::new();
    let path = folder.write("in", &input);
    for threads in ["1", "3"] {
        for mmap in ["always", "never"] {
            let found = findings_of(&["-j", threads, "--mmap", mmap, &path], b"");
            let want = [(50_001, "duplicate-line"), (60_000, "duplicate-id")];
            assert_eq!(lines_and_codes(&found), want.map(|(line, code)| (line, code.to_owned())));
            for (finding, first) in found.iter().zip(["line 4", "line 5"]) {
                assert!(finding["message"].as_str().expect("a message").contains(first), "{finding}");
                let byte = finding["byte"].as_u64().expect("a place") as usize;
                assert!(input[byte..].starts_with("{\"id\":\"device-00000"));
            }
        }
    }
    let found = findings_of(&["--allow", "duplicate-id", "--allow", "duplicate-line", &path], b"");
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_short_check_compares_no_lines() {
    let input = good("d").repeat(2) + "{\"id\":\"e\",\"status\":\"enabled\",\"etag\":1}\n";
    assert!(findings_of(&["--check", "id"], input.as_bytes()).is_empty());
}

#[test]
fn modules_may_come_before_a_device_that_is_deleted() {
    let module = "{\"id\":\"d\",\"moduleId\":\"m\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n";
    assert!(findings_of(&[], (module.to_owned() + &good("d")).as_bytes()).is_empty());
}

#[test]
fn a_line_with_two_errors_of_the_whole_is_one_invalid_line() {
    let line = |module: &str| {
        format!(
            "{{\"id\":\"d\",{module}\"status\":\"enabled\",\"importMode\":\"create\",\"authentication\":{{\"type\":\"none\"}}}}\n"
        )
    };
    let modules = (0..51).map(|number| line(&format!("\"moduleId\":\"m{number}\",")));
    let input = modules.collect::<String>() + &line("");
    let deny = ["--deny", "too-many-modules", "--deny", "module-before-device"];
    let validate = command(&[&["validate", "--report", "-"], deny.as_slice(), &["-"]].concat());
    let answer = run(validate, input.as_bytes());
    assert_eq!(answer.code, 1);
    let report = answer.stderr_text();
    assert!(report.contains("\"valid\":1,\"invalid\":51,\"errors\":52,"), "{report}");
}
