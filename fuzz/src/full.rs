//! `transform --check full`: what the reference checker finds on the lines as they leave, by the oracle, is what decides
//! which of them leave.

use std::collections::BTreeSet;

use hubmill_device::Severity;
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::Transform;
use hubmill_rules::{Check, Checker, Policy};
use hubmill_testkit::checker;
use hubmill_testkit::oracle::{self, Outcome};
use hubmill_testkit::rules::{self, OnInvalid, Rules};
use hubmill_testkit::tree::FRESH;

use crate::rule_choice::to_product;
use crate::transform::{COUNTS, Given};

/// What the reference finds on a line by itself: errors, and warnings.
fn found(line: &str, depth: usize) -> [BTreeSet<&'static str>; 2] {
    let found = checker::check(line.as_bytes(), checker::Limits { line_bytes: usize::MAX, depth });
    let of =
        |errors: bool| found.iter().filter(|(.., is_error)| *is_error == errors).map(|(_, code, _)| *code).collect();
    [of(true), of(false)]
}

/// Takes the same rules with the full check, and compares; `run` gives what a transform makes of the input.
pub(crate) fn check(rules: &Rules, input: &[u8], level: Level, run: impl Fn(&Transform) -> Given) {
    let rules = Rules { check: rules::Check::None, ..rules.clone() };
    let expected = oracle::transform(&rules, input);
    let Ok(product) = hubmill_rules::Rules::new(hubmill_rules::RuleSet { check: Check::Full, ..to_product(&rules) })
    else {
        return;
    };
    let on_invalid = match rules.on_invalid {
        OnInvalid::Reject => hubmill_pipeline::OnInvalid::Reject,
        OnInvalid::Keep => hubmill_pipeline::OnInvalid::Keep,
    };
    let given = run(&Transform {
        rules: product,
        limits: Limits { line_bytes_max: rules.max_line_bytes, depth_max: rules.max_depth },
        level,
        on_invalid,
        collect_rejects: true,
        collect_filtered: true,
        collect_keys: true,
        all_diagnostics: true,
        invalid_max: u64::MAX,
        checker: Some(Checker::new(Check::Full, Policy::default())),
        samples_max: 0,
    });
    let told = || format!("{} {rules:?}\n{:?}\n", level.name(), String::from_utf8_lossy(input));
    let mut output = Vec::new();
    let mut any_fresh = false;
    for line in &expected.lines {
        let codes = |severity| -> BTreeSet<&str> {
            let here = given.diagnostics.iter().filter(|found| found.line == line.number && found.severity == severity);
            here.map(|found| found.code.as_str()).collect()
        };
        let kept = match &line.outcome {
            Outcome::Written { document, .. } => {
                let text = document.to_line();
                if text.contains(FRESH) {
                    any_fresh = true;
                    continue;
                }
                // The limit is one for lines that are read: an edit may make a line deeper.
                let [errors, mut warnings] = found(&text, usize::from(u16::MAX));
                assert_eq!(codes(Severity::Error), errors, "line {}: {text}\n{}", line.number, told());
                if errors.is_empty() {
                    warnings.extend(line.warnings.iter().filter(|code| !COUNTS.contains(code)));
                    assert_eq!(codes(Severity::Warning), warnings, "line {}: {text}\n{}", line.number, told());
                    output.extend_from_slice(text.as_bytes());
                    output.push(b'\n');
                    continue;
                }
                rules.on_invalid == OnInvalid::Keep
            }
            Outcome::Kept { .. } => true,
            _ => false,
        };
        if kept {
            output.extend_from_slice(&line.read);
            output.push(b'\n');
        }
    }
    if !any_fresh {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(&given.output), text(&output), "{}", told());
    }
}
