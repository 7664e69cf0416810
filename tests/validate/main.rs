//! Responsible for: `hubmill validate`: what it finds, where, how it is shown and what it exits with.
//! Not for: the codes' own words; see `codes`.

#[path = "../support/mod.rs"]
mod support;

mod findings;
mod output;
mod reference;
mod whole_file;

use serde_json::Value;
use support::{command, json_lines, run};

/// The findings of an input, all of them.
fn findings_of(args: &[&str], input: &[u8]) -> Vec<Value> {
    let mut validate = command(&["validate", "--format", "json"]);
    validate.args(args);
    let answer = run(validate, input);
    assert!([0, 1].contains(&answer.code), "exit {}: {}", answer.code, answer.stderr_text());
    json_lines(&answer.stdout)
}

/// Line and code of each finding.
fn lines_and_codes(findings: &[Value]) -> Vec<(u64, String)> {
    let pair = |finding: &Value| {
        let line = finding["line"].as_u64().expect("a line");
        (line, finding["code"].as_str().expect("a code").to_owned())
    };
    findings.iter().map(pair).collect()
}

/// A good line that is nothing but its id.
fn good(id: &str) -> String {
    format!("{{\"id\":\"{id}\",\"status\":\"enabled\",\"importMode\":\"delete\"}}\n")
}
