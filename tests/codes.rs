//! Responsible for: `hubmill explain` and docs/CODES.md: that both are what the code says, and that each code's examples do
//! what is said of them. Not for: how a finding reads; see `messages` and `validate`.

mod support;

use hubmill_device::Code;
use hubmill_testkit::process::fixtures;
use std::fs;
use support::{assert_answer, hubmill};

#[test]
fn the_document_is_what_the_code_generates() {
    let path = fixtures().join("../docs/CODES.md");
    let generated = hubmill(&["explain", "--markdown"], b"");
    assert_eq!(generated.code, 0);
    let document = fs::read_to_string(path).expect("docs/CODES.md");
    assert!(
        document == generated.stdout_text(),
        "docs/CODES.md is old: write it with `hubmill explain --markdown > docs/CODES.md`"
    );
}

#[test]
fn every_code_is_listed_and_explained() {
    let list = hubmill(&["explain"], b"").stdout_text();
    assert_eq!(list.lines().count(), Code::ALL.len());
    for code in Code::ALL {
        let answer = hubmill(&["explain", code.as_str()], b"");
        assert_eq!(answer.code, 0);
        let text = answer.stdout_text();
        let about = code.about();
        assert!(text.starts_with(&format!("{}: {}", code.as_str(), code.checked_severity().as_str())), "{text}");
        for part in [about.source, about.evidence.as_str(), about.command, about.triggers.lines().next().unwrap()] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(list.contains(code.as_str()));
    }
    assert_answer(&hubmill(&["explain", "no-such-code"], b""), 2, "");
}
