//! `--report`: a run as one JSON object.

use std::collections::BTreeMap;
use std::time::Instant;

use hubmill_pipeline::{Tally, slot_count};
use serde::Serialize;
use serde_json::{Map, Value};

/// The program.
#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// A run. Names are fixed; more may be added.
#[derive(Serialize)]
pub(crate) struct Report {
    tool: Tool,
    command: &'static str,
    complete: bool,
    bytes_in: u64,
    bytes_out: u64,
    seconds: f64,
    lines: u64,
    written: u64,
    rejected: u64,
    filtered: u64,
    invalid_kept: u64,
    notices: u64,
    blank: u64,
    edited: u64,
    /// Of lines that were only checked.
    #[serde(flatten)]
    checked: Option<Checked>,
    /// What only this command has to say.
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
    /// Of a rehearsal: the same as with `--format json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) plan: Option<serde_json::Value>,
    codes: BTreeMap<&'static str, u64>,
    threads: usize,
    source: &'static str,
    /// Chunks that could be under way at once, and how large they are: what memory follows from.
    chunks: usize,
    chunk_bytes: usize,
    simd: &'static str,
}

/// How a run went, beside what became of the lines.
pub(crate) struct Course {
    /// The input was read to its end and everything was written.
    pub(crate) complete: bool,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) started: Instant,
    pub(crate) threads: usize,
    /// Where the lines came from.
    pub(crate) source: &'static str,
    pub(crate) chunk_bytes: usize,
    /// What the parser used.
    pub(crate) simd: &'static str,
}

/// What a check found.
#[derive(Serialize)]
pub(crate) struct Checked {
    /// Lines without an error.
    valid: u64,
    /// Lines with one.
    invalid: u64,
    /// Findings.
    errors: u64,
    warnings: u64,
}

impl Report {
    pub(crate) fn new(command: &'static str, tally: &Tally, course: Course) -> Self {
        let Course { complete, bytes_in, bytes_out, started, threads, source, chunk_bytes, simd } = course;
        Self {
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            command,
            complete,
            bytes_in,
            bytes_out,
            seconds: (started.elapsed().as_secs_f64() * 1e6).round() / 1e6,
            lines: tally.lines,
            written: tally.written,
            rejected: tally.rejected,
            filtered: tally.filtered,
            invalid_kept: tally.invalid_kept,
            notices: tally.notices,
            blank: tally.blank,
            edited: tally.edited,
            checked: None,
            more: Map::new(),
            plan: None,
            codes: tally.codes().map(|(code, count)| (code.as_str(), count)).collect(),
            threads,
            source,
            chunks: slot_count(threads),
            chunk_bytes,
            simd,
        }
    }

    /// Of a run that only checks lines and writes none.
    pub(crate) fn of_check(command: &'static str, tally: &Tally, course: Course) -> Self {
        let (errors, warnings) = (tally.errors, tally.warnings);
        let checked = Checked { valid: tally.written, invalid: tally.rejected, errors, warnings };
        Self { written: 0, rejected: 0, checked: Some(checked), ..Self::new(command, tally, course) }
    }

    /// The text, one line.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).expect("plain text and numbers are always JSON");
        text.push(b'\n');
        text
    }
}
