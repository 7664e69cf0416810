//! What comes out of one piece.

use std::ops::Range;

use hubmill_device::{Code, Severity};
use hubmill_writer::{Edit, Gather, splice};

use crate::notes::Enough;

/// How many lines there were and what became of them. Where lines are only checked, those without an error count as
/// written, the others as rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Lines in.
    pub lines: u64,
    /// Lines out.
    pub written: u64,
    /// Invalid lines left out.
    pub rejected: u64,
    /// Lines that the selection left out.
    pub filtered: u64,
    /// Invalid lines among the written.
    pub invalid_kept: u64,
    /// The hub's plain-text line (§1.6).
    pub notices: u64,
    /// Blank lines.
    pub blank: u64,
    /// Written lines that a rule changed.
    pub edited: u64,
    /// Findings that are errors.
    pub errors: u64,
    /// Findings that are warnings.
    pub warnings: u64,
    /// By [`Code`].
    codes: [u64; Code::COUNT],
    /// Those of them that are errors.
    error_codes: [u64; Code::COUNT],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            lines: 0,
            written: 0,
            rejected: 0,
            filtered: 0,
            invalid_kept: 0,
            notices: 0,
            blank: 0,
            edited: 0,
            errors: 0,
            warnings: 0,
            codes: [0; Code::COUNT],
            error_codes: [0; Code::COUNT],
        }
    }
}

impl Tally {
    /// Counts one of this code; how many there are now.
    pub fn count(&mut self, code: Code) -> u64 {
        self.count_findings(code, Severity::Count, 1)
    }

    /// Counts a finding of this code; how many there are now.
    #[inline]
    pub fn count_finding(&mut self, code: Code, severity: Severity) -> u64 {
        self.count_findings(code, severity, 1)
    }

    /// Counts so many findings of this code; how many there are now.
    #[inline]
    pub fn count_findings(&mut self, code: Code, severity: Severity, number: u64) -> u64 {
        match severity {
            Severity::Error => {
                self.errors += number;
                self.error_codes[code as usize] += number;
            }
            Severity::Warning => self.warnings += number,
            Severity::Count => {}
        }
        let count = &mut self.codes[code as usize];
        *count += number;
        *count
    }

    /// Forgets how many there are of a code; what they add to errors or warnings is the caller's.
    pub fn forget(&mut self, code: Code) {
        self.codes[code as usize] = 0;
    }

    /// The same so many times over.
    #[must_use]
    pub fn times(&self, times: u64) -> Self {
        let mut product = self.clone();
        let Self {
            lines,
            written,
            rejected,
            filtered,
            invalid_kept,
            notices,
            blank,
            edited,
            errors,
            warnings,
            codes,
            error_codes,
        } = &mut product;
        for count in [lines, written, rejected, filtered, invalid_kept, notices, blank, edited, errors, warnings] {
            *count = count.saturating_mul(times);
        }
        codes.iter_mut().chain(error_codes).for_each(|count| *count = count.saturating_mul(times));
        product
    }

    /// Forgets all errors of a code, which were no findings of their own.
    pub fn forget_errors(&mut self, code: Code) {
        let errors = std::mem::take(&mut self.error_codes[code as usize]);
        self.codes[code as usize] -= errors;
        self.errors -= errors;
    }

    /// Forgets all findings: the lines are parts of something larger, and none is good by itself.
    pub fn forget_findings(&mut self) {
        self.rejected += std::mem::take(&mut self.written) + std::mem::take(&mut self.filtered);
        *self = Self { lines: self.lines, rejected: self.rejected, blank: self.blank, ..Self::default() };
    }

    /// How many errors there are of a code.
    pub fn errors_of(&self, code: Code) -> u64 {
        self.error_codes[code as usize]
    }

    /// How many there are of a code.
    pub fn of(&self, code: Code) -> u64 {
        self.codes[code as usize]
    }

    /// The codes that were met, with how many there are.
    pub fn codes(&self) -> impl Iterator<Item = (Code, u64)> {
        Code::ALL.iter().map(|code| (*code, self.of(*code))).filter(|(_, count)| *count > 0)
    }

    /// Lines that could not be used, left out or kept.
    pub fn invalid(&self) -> u64 {
        self.rejected + self.invalid_kept
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.lines, other.lines),
            (&mut self.written, other.written),
            (&mut self.rejected, other.rejected),
            (&mut self.filtered, other.filtered),
            (&mut self.invalid_kept, other.invalid_kept),
            (&mut self.notices, other.notices),
            (&mut self.blank, other.blank),
            (&mut self.edited, other.edited),
            (&mut self.errors, other.errors),
            (&mut self.warnings, other.warnings),
        ] {
            *sum += more;
        }
        for (sum, more) in self.codes.iter_mut().zip(other.codes) {
            *sum += more;
        }
        for (sum, more) in self.error_codes.iter_mut().zip(other.error_codes) {
            *sum += more;
        }
        assert_eq!(
            self.lines,
            self.written + self.rejected + self.filtered + self.notices + self.blank,
            "no line is lost in silence"
        );
    }
}

/// A finding in words. The line is counted from the first line of the batch, which is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub code: Code,
    /// The line.
    pub line: u64,
    /// The offset in the input of the fault's first byte.
    pub byte: u64,
    /// The device id, decoded, where it is known. May hold anything that is not a secret.
    pub id: Option<String>,
    /// The member, dotted; empty for the whole line.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What could be done.
    pub hint: Option<&'static str>,
}

impl Diagnostic {
    /// A finding that is about no place in the input.
    pub fn of_the_whole(code: Code, severity: Severity, message: String) -> Self {
        Self { severity, code, line: 0, byte: 0, id: None, path: String::new(), message, hint: None }
    }
}

/// A line that was changed: what is needed to tell how it was and how it leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Counted from the first line of the batch, which is 1.
    pub line: u64,
    /// Where it stands in the chunk, without its end.
    place: Range<usize>,
    edits: Vec<Edit>,
    /// The texts of the edits.
    texts: Vec<u8>,
}

impl Sample {
    /// Of the line at a place of a chunk, with the edits that are made there.
    #[cold]
    pub(crate) fn new(line: u64, place: Range<usize>, edits: &[Edit], texts: &[u8]) -> Self {
        let mut own = Self { line, place, edits: Vec::with_capacity(edits.len()), texts: Vec::new() };
        for edit in edits {
            let text_start = own.texts.len() as u32;
            own.texts.extend_from_slice(&texts[edit.text_start as usize..edit.text_end as usize]);
            own.edits.push(Edit { text_start, text_end: own.texts.len() as u32, ..*edit });
        }
        own
    }

    /// The offset of its first byte from the start of the chunk.
    pub fn at(&self) -> usize {
        self.place.start
    }

    /// As it was read, without its end.
    pub fn before<'c>(&self, chunk: &'c [u8]) -> &'c [u8] {
        &chunk[self.place.clone()]
    }

    /// As it leaves, without its end.
    pub fn after(&self, chunk: &[u8]) -> Vec<u8> {
        let mut after = Vec::new();
        splice(&mut after, chunk, self.place.start, self.place.end, self.edits.iter().copied(), &self.texts);
        after
    }
}

/// What comes out of one piece.
#[derive(Debug, Default)]
pub struct Batch {
    /// Lines out.
    pub output: Gather,
    /// Rejected lines, where they are collected.
    pub rejects: Gather,
    /// Filtered lines, where they are collected.
    pub filtered: Gather,
    /// Keys that were made, as NDJSON, where they are collected.
    pub keys: Vec<u8>,
    /// Findings that may be shown.
    pub diagnostics: Vec<Diagnostic>,
    /// The hub's plain-text line, fit to be shown.
    pub notice: Option<String>,
    /// What became of the lines.
    pub tally: Tally,
    /// The first lines that were changed, where they are asked for.
    pub samples: Vec<Sample>,
    /// The allowance that it was made with.
    pub allowance: u64,
    pub(crate) enough: Enough,
}

/// Room that buffers keep for the next piece, in bytes.
const ROOM_KEPT: usize = 2 << 20;
/// Bytes of output or keys that make a batch full.
const FULL_BYTES: usize = 2 << 20;

impl Batch {
    pub(crate) fn clear(&mut self) {
        for gather in [&mut self.output, &mut self.rejects, &mut self.filtered] {
            gather.clear();
            gather.shrink(ROOM_KEPT);
        }
        self.keys.clear();
        self.keys.shrink_to(ROOM_KEPT);
        self.diagnostics.clear();
        self.samples.clear();
        self.notice = None;
        self.tally = Tally::default();
    }

    /// Makes room for the output of so many bytes of input.
    pub(crate) fn reserve_output(&mut self, input_bytes: usize) {
        self.output.reserve(input_bytes + input_bytes / 8 + 4096);
    }

    /// Ends the runs of the gathers.
    pub(crate) fn close(&mut self, bytes: &[u8]) {
        for gather in [&mut self.output, &mut self.rejects, &mut self.filtered] {
            gather.close_run(bytes);
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.output.buffered() >= FULL_BYTES || self.keys.len() >= FULL_BYTES
    }
}
