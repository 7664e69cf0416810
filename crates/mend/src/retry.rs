//! The work of `retry`: the lines of an import that its log says failed.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

use hubmill_device::{Code, Member, Severity};
use hubmill_parser::{Content, FaultKind, Level, Limits, Line, Parser, Record};
use hubmill_pipeline::{DIAGNOSTICS_SHOWN_MAX, Diagnostic, Piece, Tally, Work, is_notice, shown};
use hubmill_reader::Part;
use hubmill_writer::Gather;

use crate::failures::{Choice, Failures, Found, Hasher, choices};
use crate::read_log::ReadLog;

/// Room that buffers keep for the next piece, in bytes, and bytes that make a batch full.
const ROOM_KEPT: usize = 2 << 20;
/// Findings that make a batch full, where all are kept.
const DIAGNOSTICS_MAX: usize = 2048;

/// Which failed lines are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those that failed with one of these codes; where there are none, those that another import can mend.
    pub codes: Vec<u32>,
    /// All of them.
    pub all: bool,
    /// Those that another import can't mend are wanted, too, apart from the others.
    pub individually: bool,
}

/// Picks failed lines.
#[derive(Debug)]
pub struct Retry<'a> {
    failures: &'a Failures,
    hasher: Arc<Hasher>,
    choices: Vec<Choice>,
    limits: Limits,
    level: Level,
    /// Lines that are left out are collected.
    collect_left_out: bool,
    /// All findings are kept, not only the first of each code.
    all_diagnostics: bool,
}

impl<'a> Retry<'a> {
    /// Picks lines of what `failures`, read by `log`, says.
    pub fn new(log: &ReadLog, failures: &'a Failures, selection: &Selection, limits: Limits, level: Level) -> Self {
        Self {
            failures,
            hasher: Arc::clone(&log.hasher),
            choices: choices(failures, selection),
            limits,
            level,
            collect_left_out: selection.individually,
            all_diagnostics: false,
        }
    }

    /// All findings are kept, not only the first of each code, where `all` says so.
    #[must_use]
    pub fn with_all_diagnostics(mut self, all: bool) -> Self {
        self.all_diagnostics = all;
        self
    }

    /// Whether lines that failed with a cause are written; `None` where they were not asked for.
    pub fn writes(&self, code: &crate::LoggedCode) -> Option<bool> {
        let number =
            (0..self.failures.cause_count()).find(|number| self.failures.cause_of(*number as u32).code == *code)?;
        match self.choices[number] {
            Choice::NotSelected => None,
            Choice::LeftOut => Some(false),
            Choice::Written => Some(true),
        }
    }
}

/// What comes out of one piece.
#[derive(Debug, Default)]
pub struct RetryBatch {
    /// Lines out.
    pub output: Gather,
    /// Lines that are left out, where they are collected.
    pub left_out: Gather,
    /// How many are left out.
    pub left_out_count: u64,
    /// How many the log names.
    pub failed_count: u64,
    /// Findings that may be shown.
    pub diagnostics: Vec<Diagnostic>,
    /// What became of the lines.
    pub tally: Tally,
}

/// Buffers for one thread.
#[derive(Debug)]
pub struct RetryScratch {
    parser: Parser,
    key: Vec<u8>,
}

impl Work for Retry<'_> {
    type Scratch = RetryScratch;
    type Batch = RetryBatch;

    fn scratch(&self) -> RetryScratch {
        RetryScratch { parser: Parser::new(self.level, self.limits), key: Vec::new() }
    }

    fn batch(&self) -> RetryBatch {
        RetryBatch::default()
    }

    fn clear(&self, batch: &mut RetryBatch) {
        for gather in [&mut batch.output, &mut batch.left_out] {
            gather.clear();
            gather.shrink(ROOM_KEPT);
        }
        batch.diagnostics.clear();
        (batch.left_out_count, batch.failed_count) = (0, 0);
        batch.tally = Tally::default();
    }

    fn work(&self, scratch: &mut RetryScratch, piece: Piece<'_>, from: usize, _: u64, batch: &mut RetryBatch) -> usize {
        if let Part::LongLine { first, .. } = piece.part {
            if first {
                batch.tally.lines += 1;
                self.too_long(piece.offset, batch);
            }
            return piece.bytes.len();
        }
        let at_start = piece.is_start(from);
        let from = piece.after_mark(from);
        let RetryScratch { parser, key } = scratch;
        let next = parser.parse(piece.bytes, from, |line| {
            batch.tally.lines += 1;
            let text = &piece.bytes[line.start..line.end];
            let failed = match &line.content {
                Content::Blank => {
                    batch.tally.blank += 1;
                    return ControlFlow::Continue(());
                }
                Content::Record(record) => {
                    let (device, module) = ids(record);
                    let ids = device.as_deref().map(|device| (device, module.as_deref()));
                    self.failures.look_up(&self.hasher, ids, text, &self.choices, key)
                }
                Content::Invalid(fault) if fault.kind == FaultKind::LineTooLong => {
                    self.too_long(piece.offset + line.start as u64, batch);
                    return ControlFlow::Continue(());
                }
                Content::Invalid(fault) => {
                    let failed = self.failures.look_up(&self.hasher, None, text, &self.choices, key);
                    if failed.is_none() && at_start && line.start == from && is_notice(piece.bytes, line, *fault) {
                        batch.tally.notices += 1;
                        return ControlFlow::Continue(());
                    }
                    failed
                }
            };
            batch.failed_count += u64::from(failed.is_some());
            match failed {
                Some(Found { choice: Choice::Written, .. }) => {
                    batch.tally.written += 1;
                    keep(&mut batch.output, piece.bytes, line);
                }
                Some(failed @ Found { choice: Choice::LeftOut, .. }) => {
                    batch.tally.filtered += 1;
                    batch.left_out_count += 1;
                    if self.collect_left_out {
                        keep(&mut batch.left_out, piece.bytes, line);
                    }
                    self.name(failed, line, piece, batch);
                }
                Some(Found { choice: Choice::NotSelected, .. }) | None => batch.tally.filtered += 1,
            }
            let full = batch.output.buffered() + batch.left_out.buffered() >= ROOM_KEPT
                || (self.all_diagnostics && batch.diagnostics.len() >= DIAGNOSTICS_MAX);
            if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        batch.output.close_run(piece.bytes);
        batch.left_out.close_run(piece.bytes);
        next
    }
}

impl Retry<'_> {
    /// Names a line that another import can't mend.
    fn name(&self, failed: Found, line: &Line<'_>, piece: Piece<'_>, batch: &mut RetryBatch) {
        let number = batch.tally.count_finding(Code::LeftOut, Severity::Warning);
        if !self.all_diagnostics && number > u64::from(DIAGNOSTICS_SHOWN_MAX) {
            return;
        }
        let (device, module) = match &line.content {
            Content::Record(record) => ids(record),
            _ => (None, None),
        };
        let (device, module) = (device.map(|id| shown(&id)), module.map(|id| shown(&id)));
        let code = self.failures.cause_of(failed.cause).code.text();
        let what = match (&device, &module) {
            (Some(device), Some(module)) => format!("the module {module:?} of {device:?}"),
            (Some(device), None) => format!("the device {device:?}"),
            (None, _) => "the line".to_owned(),
        };
        batch.diagnostics.push(Diagnostic {
            severity: Severity::Warning,
            code: Code::LeftOut,
            line: batch.tally.lines,
            byte: piece.offset + line.start as u64,
            id: device,
            path: String::new(),
            message: format!("{what} failed with {code}, which another import can't mend: left out"),
            hint: Some("--individually PATH writes such lines, --code N and --all select them all the same"),
        });
    }

    /// A line that can't be looked up: as a rule only a part of it is in memory.
    fn too_long(&self, byte: u64, batch: &mut RetryBatch) {
        batch.tally.rejected += 1;
        batch.tally.count_finding(Code::LineTooLong, Severity::Error);
        batch.diagnostics.push(Diagnostic {
            severity: Severity::Error,
            code: Code::LineTooLong,
            line: batch.tally.lines,
            byte,
            id: None,
            path: String::new(),
            message: format!(
                "longer than {} bytes: whether it failed was not looked up, and it was left out",
                self.limits.line_bytes_max
            ),
            hint: Some("--max-line-bytes N accepts longer lines"),
        });
    }
}

/// A decoded text, where it is there.
type MaybeText<'a> = Option<Cow<'a, [u8]>>;

/// The ids of a line, as the hub probably binds them: the exact name before one in another case, and the last before an
/// earlier one (§1.5).
fn ids<'a>(record: &Record<'a>) -> (MaybeText<'a>, MaybeText<'a>) {
    const IDS: [Member; 2] = [Member::Id, Member::ModuleId];
    let mut found = [None; 2];
    for member in record.members() {
        let name = record.name(member);
        for (wanted, found) in IDS.into_iter().zip(&mut found) {
            let exact = *name == *wanted.name().as_bytes();
            let before_exact = matches!(found, Some((true, _)));
            if exact || (!before_exact && name.eq_ignore_ascii_case(wanted.name().as_bytes())) {
                *found = Some((exact, member.value));
            }
        }
    }
    let [device, module] = found.map(|found| found.and_then(|(_, value)| record.text(value)));
    (device, module)
}

/// Adds a line without its `\r`, with a `\n`.
fn keep(gather: &mut Gather, bytes: &[u8], line: &Line<'_>) {
    if line.end_with_newline == line.end + 1 && bytes[line.end] == b'\n' {
        gather.keep(bytes, line.start, line.end_with_newline);
    } else {
        gather.edit(bytes, line.start, line.end, [], &[]);
    }
}
