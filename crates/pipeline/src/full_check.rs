//! `transform --check full`: the full check of a line as it leaves, that is after its edits.
//!
//! An edited line is put together and read again. Its findings point to where they are in the input: where a rule put
//! something in, to what it replaced.

use std::ops::ControlFlow;

use hubmill_device::Severity;
use hubmill_parser::{Content, Level, Limits, Parser, Record};
use hubmill_rules::{CheckScratch, Checker, Finding};
use hubmill_writer::{Edit, splice};

/// Buffers for one thread, and what was found last.
#[derive(Debug)]
pub(crate) struct FullCheck {
    parser: Parser,
    check: CheckScratch,
    line: Vec<u8>,
    findings: Vec<(Finding, Option<Vec<u8>>)>,
}

/// Deeper than any line becomes by a rule.
const DEPTH_MAX: usize = 20_000;

impl FullCheck {
    pub(crate) fn new(checker: Option<&Checker>, level: Level, limits: Limits) -> Self {
        // A line may become longer and deeper than an input line may be.
        let limits = Limits { line_bytes_max: usize::MAX >> 1, depth_max: limits.depth_max.max(DEPTH_MAX) };
        Self {
            parser: checker.map_or_else(|| Parser::new(level, limits), |checker| checker.parser(level, limits, &[])),
            check: CheckScratch::default(),
            line: Vec::new(),
            findings: Vec::new(),
        }
    }

    /// What was found, each with what ends its path.
    pub(crate) fn findings(&self) -> &[(Finding, Option<Vec<u8>>)] {
        &self.findings
    }

    /// Checks a record with its edits; whether there is no error.
    #[inline]
    pub(crate) fn check(
        &mut self,
        checker: &Checker,
        record: &Record<'_>,
        chunk: &[u8],
        edits: &[Edit],
        texts: &[u8],
    ) -> bool {
        self.findings.clear();
        if edits.is_empty() {
            checker.check(&mut self.check, record);
            self.keep(chunk, |at| at);
        } else {
            self.check_edited(checker, record, chunk, edits, texts);
        }
        !self.findings.iter().any(|(finding, _)| finding.severity == Severity::Error)
    }

    fn check_edited(&mut self, checker: &Checker, record: &Record<'_>, chunk: &[u8], edits: &[Edit], texts: &[u8]) {
        let start = record.start();
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        splice(&mut line, chunk, start, start + record.line().len(), edits.iter().copied(), texts);
        let Self { parser, check, .. } = self;
        parser.parse(&line, 0, |line| {
            match &line.content {
                Content::Record(record) => {
                    checker.check(check, record);
                }
                Content::Blank | Content::Invalid(_) => *check = CheckScratch::default(),
            }
            ControlFlow::Break(())
        });
        self.keep(&line, |at| place_before(at, start as u32, edits));
        self.line = line;
    }

    /// Keeps what was found in `text`, with places in the input.
    #[inline]
    fn keep(&mut self, text: &[u8], place: impl Fn(u32) -> u32) {
        for finding in self.check.findings() {
            let path_end = finding.path_end(text);
            self.findings.push((Finding { at: place(finding.at), ..*finding }, path_end));
        }
    }
}

/// Where in the input the byte stands that is at `at` in the edited line; what was put in stands where it was put.
fn place_before(at: u32, start: u32, edits: &[Edit]) -> u32 {
    // The line as edited so far, and how far that is in the input.
    let (mut after, mut before) = (0, start);
    for edit in edits {
        let kept = edit.start - before;
        if at < after + kept {
            break;
        }
        after += kept;
        before = edit.start;
        let put_in = edit.text_end - edit.text_start;
        if at < after + put_in {
            return before;
        }
        after += put_in;
        before = edit.end;
    }
    before + (at - after)
}
