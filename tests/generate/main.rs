//! Responsible for: `hubmill generate`: what it makes, from numbers and from CSV files, what it refuses, and where it goes.
//! Not for: what `validate` finds in a line; see `validate`.

#[path = "../support/mod.rs"]
mod support;

mod combinations;
mod csv_cells;
mod csv_faults;
mod files;
mod usage;

use hubmill_testkit::process::Answer;
use serde_json::Value;
use support::{command, hubmill, json_lines, run};

/// Runs `hubmill generate`.
fn generate(args: &[&str]) -> Answer {
    generate_from(args, "")
}

/// Runs `hubmill generate` with a CSV file on standard input.
fn generate_from(args: &[&str], csv: impl AsRef<[u8]>) -> Answer {
    let mut generate = command(&["generate"]);
    generate.args(args);
    run(generate, csv.as_ref())
}

/// What is made of a CSV file, which must be everything.
#[track_caller]
fn made(args: &[&str], csv: impl AsRef<[u8]>) -> Vec<Value> {
    let answer = generate_from(&[&["--from-csv", "-"], args].concat(), csv);
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    json_lines(&answer.stdout)
}

/// What `validate` finds in these lines, by code.
fn codes_found(lines: &[u8]) -> Vec<String> {
    let answer = hubmill(&["validate", "--format", "json", "-q"], lines);
    let code = |finding: &Value| finding["code"].as_str().expect("a code").to_owned();
    let mut codes: Vec<String> = json_lines(&answer.stdout).iter().map(code).collect();
    codes.sort();
    codes.dedup();
    codes
}
