//! Responsible for: `hubmill explain` and docs/CODES.md: that both are what the code says, that each code's examples do
//! what is said of them, and how codes are named in flags. Not for: how a finding reads; see `messages` and `validate`.

mod support;

use hubmill_device::{Code, EXAMPLE_HUB, EXAMPLE_KEYLESS_HUB, EXAMPLE_LOG, expand_example};
use hubmill_testkit::process::fixtures;
use std::fs;
use support::{Folder, assert_answer, hubmill};

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

#[test]
fn a_misspelt_code_is_named_with_the_one_that_was_meant() {
    for command in ["transform", "validate"] {
        let answer = hubmill(&[command, "--allow", "device-scop"], b"");
        assert_answer(&answer, 2, "");
        assert!(answer.stderr_text().contains("'device-scope'"), "{}", answer.stderr_text());
        let help = hubmill(&[command, "--help"], b"").stdout_text();
        assert!(help.contains("--allow <CODE>") && !help.contains("[possible values: ]"), "{help}");
    }
}

/// The codes of a run's report.
fn codes_of(command: &str, input: &[u8]) -> Vec<String> {
    let folder = Folder::new();
    let files =
        [("ids.txt", "dev1"), ("hub.txt", EXAMPLE_HUB), ("keyless.txt", EXAMPLE_KEYLESS_HUB), ("log.txt", EXAMPLE_LOG)];
    for (name, line) in files {
        folder.write(name, format!("{line}\n"));
    }
    let mut words: Vec<&str> = command.split(' ').collect();
    words.extend(["--report", "report"]);
    let mut run = support::command(&words);
    run.current_dir(folder.root());
    let answer = support::run(run, input);
    // What is wrong with a list of devices is wrong with the call: nothing is made.
    let codes: &[i32] = if command.starts_with("generate") { &[0, 2] } else { &[0, 1] };
    assert!(codes.contains(&answer.code), "{command}: {}", answer.stderr_text());
    let report = folder.report("report");
    report.0["codes"].as_object().expect("an object").keys().cloned().collect()
}

#[test]
fn examples_trigger_their_code_and_its_counterparts_do_not() {
    for code in Code::ALL {
        let about = code.about();
        let triggered = codes_of(about.command, &expand_example(about.triggers));
        assert!(triggered.contains(&code.as_str().to_owned()), "{}: {triggered:?}", code.as_str());
        let passed = codes_of(about.command, &expand_example(about.passes));
        assert!(!passed.contains(&code.as_str().to_owned()), "{}: {passed:?}", code.as_str());
    }
}
