//! Responsible for: what is JSON and what is not, on every case of JSONTestSuite (Nicolas Seriot, MIT): `y_` must be accepted,
//! `n_` refused, and `i_` as docs/FORMAT.md says. Not for: what a device line is beyond JSON.
//!
//! A case a line: its name, how often its text stands, and the text, with `\xNN` for bytes. A line feed can't be in a line; a tab
//! stands in its place, which is white space between tokens, too, and a fault in a string.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;

use hubmill_parser::{Content, FaultKind, Level, Limits, Parser};
use hubmill_testkit::process::fixtures;
use support::{command, json_lines, run};

struct Case {
    name: String,
    text: Vec<u8>,
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.extend_from_slice(plain.as_bytes());
        if let Some(after) = escape.strip_prefix('\\') {
            out.push(b'\\');
            rest = after;
        } else {
            out.push(u8::from_str_radix(&escape[1..3], 16).expect("two digits"));
            rest = &escape[3..];
        }
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn cases() -> Vec<Case> {
    let text = fs::read_to_string(fixtures().join("conformance/json-test-suite.tsv")).expect("the cases");
    let cases: Vec<Case> = text
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.splitn(3, '\t').collect();
            let count: usize = fields[1].parse().expect("a number");
            let text = unescaped(fields[2]).repeat(count);
            let text = text.into_iter().map(|byte| if byte == b'\n' { b'\t' } else { byte }).collect();
            Case { name: fields[0].to_owned(), text }
        })
        .collect();
    assert_eq!(cases.len(), 318);
    cases
}

/// The `i_` cases that are accepted, as docs/FORMAT.md says why.
const ACCEPTED: [&str; 21] = [
    "i_number_double_huge_neg_exp",
    "i_number_huge_exp",
    "i_number_neg_int_huge_exp",
    "i_number_pos_double_huge_exp",
    "i_number_real_neg_overflow",
    "i_number_real_pos_overflow",
    "i_number_real_underflow",
    "i_number_too_big_neg_int",
    "i_number_too_big_pos_int",
    "i_number_very_big_negative_int",
    "i_object_key_lone_2nd_surrogate",
    "i_string_1st_surrogate_but_2nd_missing",
    "i_string_1st_valid_surrogate_2nd_invalid",
    "i_string_incomplete_surrogate_and_escape_valid",
    "i_string_incomplete_surrogate_pair",
    "i_string_incomplete_surrogates_escape_valid",
    "i_string_invalid_lonely_surrogate",
    "i_string_invalid_surrogate",
    "i_string_inverted_surrogates_U+1D11E",
    "i_string_lone_second_surrogate",
    "i_structure_500_nested_arrays",
];

fn is_accepted(case: &Case) -> bool {
    case.name.starts_with("y_") || ACCEPTED.contains(&case.name.as_str())
}

/// As one member of a device's line.
fn wrapped(case: &Case) -> Vec<u8> {
    let start = b"{\"id\":\"d\",\"status\":\"enabled\",\"importMode\":\"delete\",\"case\":".as_slice();
    [start, &case.text, b"}"].concat()
}

/// Whether a line is JSON, and whether it is an object.
fn read(parser: &mut Parser, line: &[u8]) -> (bool, bool) {
    let mut read = (false, false);
    parser.parse(line, 0, |line| {
        read = match line.content {
            Content::Record(_) => (true, true),
            Content::Invalid(fault) => (fault.kind == FaultKind::NotAnObject, false),
            Content::Blank => (false, false),
        };
        ControlFlow::Break(())
    });
    read
}

#[test]
fn every_case_is_judged_right_bare_and_wrapped_on_every_level() {
    let limits = Limits { depth_max: 600, ..Limits::default() };
    for level in Level::available() {
        for (block, long) in [(64 * 1024, 1 << 20), (1, 0)] {
            let mut parser = Parser::new(level, limits).with_block_bytes(block, long);
            for case in cases() {
                let want = is_accepted(&case);
                let is_object = case.text.trim_ascii_start().first() == Some(&b'{');
                assert_eq!(
                    read(&mut parser, &case.text),
                    (want, want && is_object),
                    "{} bare, {}",
                    case.name,
                    level.name()
                );
                assert_eq!(read(&mut parser, &wrapped(&case)), (want, want), "{} wrapped, {}", case.name, level.name());
            }
        }
    }
}

#[test]
fn validate_judges_every_wrapped_case_the_same() {
    let cases = cases();
    let mut input = Vec::new();
    for case in &cases {
        input.extend(wrapped(case));
        input.push(b'\n');
    }
    for threads in ["1", "3"] {
        let answer = run(
            command(&["validate", "--format", "json", "--max-depth", "600", "-j", threads, "--deny", "lone-surrogate"]),
            &input,
        );
        let mut codes: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for finding in json_lines(&answer.stdout) {
            let code = finding["code"].as_str().expect("a code").to_owned();
            codes.entry(finding["line"].as_u64().expect("a line")).or_default().push(code);
        }
        for (number, case) in cases.iter().enumerate() {
            let codes = codes.get(&(number as u64 + 1)).map(Vec::as_slice).unwrap_or_default();
            let refused = codes.iter().any(|code| code.starts_with("json-"));
            assert_eq!(refused, !is_accepted(case), "{}: {codes:?}", case.name);
            let half = case.name.contains("surrogate") && ACCEPTED.contains(&case.name.as_str());
            assert!(!half || codes.iter().any(|code| code == "lone-surrogate"), "{}: {codes:?}", case.name);
        }
    }
}

#[test]
fn a_mark_before_the_first_line_is_taken_and_named() {
    let answer = run(command(&["validate", "--format", "json"]), b"\xef\xbb\xbf{}\n");
    let codes: Vec<String> = json_lines(&answer.stdout).iter().map(|finding| finding["code"].to_string()).collect();
    assert!(codes.contains(&"\"bom\"".to_owned()) && !codes.iter().any(|code| code.contains("json-")), "{codes:?}");
}
