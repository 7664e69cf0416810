//! Responsible for: the tests of [`strategy`](super): what it promises occurs, and occurs often enough to test anything.

use super::*;
use crate::json;
use crate::oracle::{Outcome, transform};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;

/// So many values, the same at every run.
fn sample<T: std::fmt::Debug>(strategy: &impl Strategy<Value = T>, count: usize) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).expect("a value").current()).collect()
}

#[test]
fn device_lines_are_json_objects() {
    for line in sample(&line(), 2000) {
        let document =
            json::parse(&line, 128).unwrap_or_else(|fault| panic!("{fault:?} {}", String::from_utf8_lossy(&line)));
        assert!(document.root.as_object().is_some() && !line.contains(&b'\n'));
    }
    for value in sample(&value(), 500) {
        assert!(json::check_json(value.as_bytes(), 128).is_ok(), "{value}");
    }
}

#[test]
fn rules_do_not_contradict_each_other() {
    let all = sample(&rules(), 2000);
    assert!(all.iter().all(is_allowed));
    for preset in [Preset::Migrate, Preset::Delete, Preset::Share] {
        assert!(all.iter().filter(|rules| rules.preset == Some(preset)).count() > 50, "{preset:?}");
    }
    let both = Rules { devices_only: true, modules_only: true, ..Rules::default() };
    assert!(!is_allowed(&both));
    assert!(!is_allowed(&Rules { strip_etags: true, import_mode: Some(3), ..Rules::default() }));
    assert!(!is_allowed(&Rules { swap_keys: true, preset: Some(Preset::Share), ..Rules::default() }));
}

#[test]
fn every_outcome_and_every_code_occurs() {
    let mut found: BTreeMap<String, u32> = BTreeMap::new();
    for (rules, file) in sample(&(rules(), file()), 1500) {
        let expected = transform(&rules, &file);
        let counts = expected.counts();
        let sum = counts.written + counts.rejected + counts.filtered + counts.notices + counts.blank;
        assert_eq!(sum, counts.lines);
        for line in &expected.lines {
            let (outcome, codes) = match &line.outcome {
                Outcome::Written { untouched: true, .. } => ("untouched", Vec::new()),
                Outcome::Written { .. } => ("edited", Vec::new()),
                Outcome::Rejected { codes } => ("rejected", codes.iter().copied().collect()),
                Outcome::Kept { codes } => ("kept", codes.iter().copied().collect()),
                Outcome::Filtered => ("filtered", Vec::new()),
                Outcome::Notice => ("notice", Vec::new()),
                Outcome::Blank => ("blank", Vec::new()),
            };
            for code in codes.into_iter().chain(line.warnings.iter().copied()).chain([outcome]) {
                *found.entry(code.to_owned()).or_default() += 1;
            }
        }
    }
    for wanted in [
        "untouched",
        "edited",
        "rejected",
        "kept",
        "filtered",
        "notice",
        "blank",
        "json-syntax",
        "json-utf8",
        "json-depth",
        "line-too-long",
        "not-an-object",
        "duplicate-member",
        "member-case",
        "member-type",
        "id-missing",
        "id-charset",
        "id-length",
        "import-mode-value",
        "authentication-type",
        "device-scope",
        "keys-by-hub",
        "keyless",
        "keys-missing",
        "status-missing",
        "left-mode",
        "left-system-module",
        "left-x509",
        "left-ca",
        "left-none",
        "keys-rotate",
        "etag-missing",
        "twin-rollback",
    ] {
        assert!(found.get(wanted).is_some_and(|&count| count >= 3), "{wanted}: {found:#?}");
    }
    assert!(found["edited"] > 1000 && found["untouched"] > 300, "{found:#?}");
}
