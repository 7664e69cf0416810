//! The work of `validate`: what is wrong with the lines of a piece, and what is needed to compare them with all others.

use std::ops::ControlFlow;

use hubmill_device::{Code, ImportMode, Severity};
use hubmill_parser::{Content, Fault, FaultKind, FixedLine, FixedRun, Level, Limits, Line, Parser, Record, Visit};
use hubmill_reader::Part;
use hubmill_rules::{CheckScratch, Checker, Detail, Facts, Filter, FilterScratch, Finding, Known};

use crate::batch::{Diagnostic, Tally};
use crate::entries::{Entries, Entry};
use crate::fingerprint::Fingerprints;
use crate::layout::{self, Layout};
use crate::notes::{DIAGNOSTICS_MAX, Enough, Notes, fault_finding, is_notice, notice_text};
use crate::{Piece, Work};

/// How to check.
#[derive(Debug)]
pub struct Validate {
    checker: Checker,
    limits: Limits,
    level: Level,
    /// All findings are kept, not only the first of each code.
    all_diagnostics: bool,
    /// Lines are compared with each other.
    fingerprints: Option<Fingerprints>,
    /// They can be looked at again for that, and need no hash.
    again: bool,
    /// Only lines for which it holds are looked at.
    filter: Option<Filter>,
}

impl Validate {
    /// Work that checks lines, and compares them with each other where `compares` says so.
    pub fn new(checker: Checker, limits: Limits, level: Level, all_diagnostics: bool, compares: bool) -> Self {
        let fingerprints = compares.then(|| Fingerprints::new(level));
        Self { checker, limits, level, all_diagnostics, fingerprints, again: false, filter: None }
    }

    /// Makes no hashes of lines if they can be looked at `again`, where two are about the same device.
    #[must_use]
    pub fn with_lines_again(self, again: bool) -> Self {
        Self { again, ..self }
    }

    /// Leaves out the lines for which the condition does not hold. A line that can't be asked is looked at.
    #[must_use]
    pub fn with_filter(self, filter: Option<Filter>) -> Self {
        Self { filter, ..self }
    }
}

/// What one thread needs.
#[derive(Debug)]
pub struct ValidateScratch {
    parser: Parser,
    check: CheckScratch,
    filter: FilterScratch,
}

/// What comes out of one piece.
#[derive(Debug, Default)]
pub struct CheckedBatch {
    /// Findings that may be shown.
    pub diagnostics: Vec<Diagnostic>,
    /// What became of the lines: those without an error count as written.
    pub tally: Tally,
    /// The lines, to be compared with all others.
    pub entries: Entries,
    /// What the input is instead of a device a line, where it starts here and shows it.
    pub layout: Option<Layout>,
    enough: Enough,
}

impl CheckedBatch {
    /// Whether there are lines with an id to be compared with others.
    pub fn has_ids(&self) -> bool {
        !self.entries.entries.is_empty()
    }
}

impl Work for Validate {
    type Scratch = ValidateScratch;
    type Batch = CheckedBatch;

    fn scratch(&self) -> ValidateScratch {
        ValidateScratch {
            parser: self.checker.parser(self.level, self.limits, &[]),
            check: CheckScratch::default(),
            filter: FilterScratch::default(),
        }
    }

    fn batch(&self) -> CheckedBatch {
        CheckedBatch::default()
    }

    fn clear(&self, batch: &mut CheckedBatch) {
        batch.diagnostics.clear();
        batch.tally = Tally::default();
        batch.entries.clear();
        batch.layout = None;
    }

    fn is_enough(&self, first: &[u8]) -> bool {
        layout::is_told(first, self.level, self.limits)
    }

    fn work(
        &self,
        scratch: &mut ValidateScratch,
        piece: Piece<'_>,
        from: usize,
        _: u64,
        batch: &mut CheckedBatch,
    ) -> usize {
        let at_start = piece.is_start(from);
        let before_mark = from;
        let from = piece.after_mark(from);
        if from > before_mark {
            let message = "a byte order mark: what the hub makes of it is not known (§1.5)";
            self.note(Finding::new(Code::Bom, 0, "", Detail::Text(message)), None, piece, 1, batch);
        }
        if let Part::LongLine { first, .. } = piece.part {
            if first {
                let fault = Fault { kind: FaultKind::LineTooLong, at: from as u32, expected: "a shorter line" };
                batch.tally.lines += 1;
                self.note_fault(fault_finding(fault, piece.bytes, self.limits), piece, batch);
            }
            return piece.bytes.len();
        }
        let ValidateScratch { parser, check, filter } = scratch;
        let filters = self.filter.is_some();
        let mut round = Round { work: self, check, filter, piece, from, at_start, filters, batch };
        parser.parse_with(piece.bytes, from, &mut round)
    }
}

/// One look at the lines of a piece.
struct Round<'w> {
    work: &'w Validate,
    check: &'w mut CheckScratch,
    filter: &'w mut FilterScratch,
    piece: Piece<'w>,
    from: usize,
    /// It starts with the first line of the input.
    at_start: bool,
    /// Lines are asked whether they are looked at.
    filters: bool,
    batch: &'w mut CheckedBatch,
}

impl Visit for Round<'_> {
    /// Looks at lines in a row, in each of which the same is found.
    fn run(&mut self, run: &FixedRun<'_>) -> usize {
        let Self { work, check, piece, batch, .. } = self;
        if self.filters || batch.layout.is_some() {
            return 0;
        }
        let Some((known, lines)) = work.checker.known_run(check, run) else { return 0 };
        if work.fingerprints.is_some() && known.mode().is_none()
            || !work.notes(batch).are_enough(known.findings(), *piece)
        {
            return 0;
        }
        if work.fingerprints.is_some() {
            for (line, number) in run.lines().take(lines).zip(batch.tally.lines + 1..) {
                work.note_known(known, &line, number, *piece, &mut batch.entries);
            }
        }
        count_known(&mut batch.tally, known, lines as u64);
        for planned in known.findings() {
            batch.tally.count_findings(planned.code(), planned.severity(), lines as u64);
        }
        lines
    }

    /// Looks at a line of which its form and a few of its values tell what is found.
    #[inline(always)]
    fn fixed(&mut self, line: &FixedLine<'_>) -> Option<ControlFlow<()>> {
        let Self { work, check, piece, batch, .. } = self;
        if self.filters || batch.layout.is_some() {
            return None;
        }
        let known = work.checker.known(check, line.text)?;
        if work.fingerprints.is_some() && known.mode().is_none() {
            return None;
        }
        work.note_known(known, line, batch.tally.lines + 1, *piece, &mut batch.entries);
        count_known(&mut batch.tally, known, 1);
        if known.findings().is_empty() {
            return Some(ControlFlow::Continue(()));
        }
        let line_number = batch.tally.lines;
        for planned in known.findings() {
            work.notes(batch).add_planned(planned, *piece, line_number, || {
                (planned.of(&line.text), known.id(&line.text).map(|id| id.of(piece.bytes)))
            });
        }
        Some(work.next(batch))
    }

    fn line(&mut self, line: &Line<'_>) -> ControlFlow<()> {
        let Self { work, check, filter, piece, from, at_start, batch, .. } = self;
        let (work, piece) = (*work, *piece);
        batch.tally.lines += 1;
        match &line.content {
            Content::Record(_) if batch.layout == Some(Layout::Array) => batch.tally.rejected += 1,
            Content::Record(record) if work.leaves_out(filter, record) => batch.tally.filtered += 1,
            Content::Record(record) => work.look_at_record(check, record, line, piece, batch),
            Content::Blank => {
                batch.tally.blank += 1;
                if batch.layout == Some(Layout::Array) {
                    return ControlFlow::Continue(());
                }
                let message = "a blank line: what the hub makes of it is not known (§1.5)";
                let finding = Finding::new(Code::BlankLine, line.start as u32, "", Detail::Text(message));
                work.note(finding, None, piece, batch.tally.lines, batch);
            }
            Content::Invalid(fault) => {
                let is_notice = *at_start && line.start == *from && is_notice(piece.bytes, line, *fault);
                work.look_at_invalid(*fault, line, is_notice, piece, batch);
            }
        }
        work.next(batch)
    }
}

/// Counts lines, and what is allowed in each of them.
#[inline(always)]
fn count_known(tally: &mut Tally, known: Known<'_>, lines: u64) {
    tally.lines += lines;
    *if known.has_errors() { &mut tally.rejected } else { &mut tally.written } += lines;
    for code in known.allowed() {
        tally.count_findings(*code, Severity::Count, lines);
    }
}

/// Who a line is about, and what it does there.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'l> {
    /// The device's id, as text.
    pub id: &'l [u8],
    /// The module's id, as text.
    pub module_id: Option<&'l [u8]>,
    /// The mode, where there is one.
    pub mode: Option<ImportMode>,
}

/// Notes what is needed to compare a record with all others, unless it has no id.
#[inline]
pub(crate) fn note_record(
    entries: &mut Entries,
    hashing: (&Fingerprints, bool),
    record: &Record<'_>,
    facts: &Facts,
    place: (u64, u64),
) {
    let Some(id) = facts.id.and_then(|id| record.text(id)) else { return };
    let module_id = facts.module_id.and_then(|module_id| record.text(module_id));
    let subject = Subject { id: &id, module_id: module_id.as_deref(), mode: facts.mode };
    note_entry(entries, hashing, &subject, record.line(), place);
}

/// Notes what is needed to compare a line with all others; no hash of its text if it can be looked at `again`.
#[inline]
fn note_entry(
    entries: &mut Entries,
    (fingerprints, again): (&Fingerprints, bool),
    subject: &Subject<'_>,
    text: &[u8],
    (line, byte): (u64, u64),
) {
    let [device, key] = fingerprints.of_ids(subject.id, subject.module_id);
    let mut flags = if subject.module_id.is_some() { Entry::MODULE } else { 0 };
    if subject.mode.is_some_and(|mode| !mode.writes_identity()) {
        flags |= Entry::NOT_CREATED;
    }
    entries.entries.push(Entry { device, key, line: line | flags, byte });
    if !again {
        entries.texts.push(fingerprints.of_line(text));
    }
}

impl Validate {
    /// Adds a line that is known to be good, without a look at it: its text, without a line end, and its offset.
    #[inline]
    pub fn add_good(&self, batch: &mut CheckedBatch, subject: &Subject<'_>, text: &[u8], offset: u64) {
        batch.tally.lines += 1;
        batch.tally.written += 1;
        if let Some(fingerprints) = &self.fingerprints {
            let place = (batch.tally.lines, offset);
            note_entry(&mut batch.entries, (fingerprints, self.again), subject, text, place);
        }
    }

    /// Notes what is needed to compare a line with all others, where that is asked for and its mode is known.
    #[inline(always)]
    fn note_known(&self, known: Known<'_>, line: &FixedLine<'_>, number: u64, piece: Piece<'_>, entries: &mut Entries) {
        let Some(fingerprints) = &self.fingerprints else { return };
        let (Some(mode), Some(id)) = (known.mode(), known.id(&line.text)) else { return };
        let flags = if known.has_errors() { Entry::INVALID } else { 0 };
        let module_id = known.module_id(&line.text).map(|module_id| module_id.inside_of(piece.bytes));
        let subject = Subject { id: id.inside_of(piece.bytes), module_id, mode };
        let text = &piece.bytes[line.start..line.end];
        let place = (number | flags, piece.offset + line.start as u64);
        note_entry(entries, (fingerprints, self.again), &subject, text, place);
    }

    #[inline]
    fn leaves_out(&self, scratch: &mut FilterScratch, record: &Record<'_>) -> bool {
        self.filter.as_ref().is_some_and(|filter| !filter.keeps(scratch, record).unwrap_or(true))
    }

    #[inline]
    fn look_at_record(
        &self,
        check: &mut CheckScratch,
        record: &Record<'_>,
        line: &Line<'_>,
        piece: Piece<'_>,
        batch: &mut CheckedBatch,
    ) {
        let facts = self.checker.check(check, record);
        let mut flags = 0;
        if check.has_errors() {
            batch.tally.rejected += 1;
            flags |= Entry::INVALID;
        } else {
            batch.tally.written += 1;
        }
        if !check.findings().is_empty() || !check.allowed().is_empty() {
            self.note_findings(check, &facts, piece, batch);
        }
        if let Some(fingerprints) = &self.fingerprints {
            let place = (batch.tally.lines | flags, piece.offset + line.start as u64);
            note_record(&mut batch.entries, (fingerprints, self.again), record, &facts, place);
        }
    }

    /// A line that is no record.
    #[cold]
    fn look_at_invalid(
        &self,
        fault: Fault,
        line: &Line<'_>,
        is_notice: bool,
        piece: Piece<'_>,
        batch: &mut CheckedBatch,
    ) {
        if is_notice {
            batch.tally.notices += 1;
            let finding = Finding::new(Code::Notice, line.start as u32, "", Detail::Text("")).warning();
            let before = batch.diagnostics.len();
            self.note(finding, None, piece, batch.tally.lines, batch);
            if let Some(notice) = batch.diagnostics.get_mut(before) {
                let text = notice_text(&piece.bytes[line.start..line.end]);
                notice.message =
                    format!("the first line is no device (§1.6), and an import probably fails with it: {text}");
            }
            return;
        }
        let mut finding = fault_finding(fault, &piece.bytes[..line.end], self.limits);
        let may_be_part = layout::may_be_part(fault.kind);
        let is_first = || piece.is_first && layout::is_blank(&piece.bytes[piece.after_mark(0)..line.start]);
        if may_be_part
            && is_first()
            && let Some(layout) = layout::detect(piece.bytes, line.start, self.level, self.limits)
        {
            batch.layout = Some(layout);
            let (code, detail) = match layout {
                Layout::Array => (Code::NotAnObject, Detail::OneArray),
                Layout::Object => (Code::JsonSyntax, Detail::SpreadObject),
            };
            finding = Finding::new(code, line.start as u32, "", detail);
        } else if batch.layout.is_some() && (may_be_part || batch.layout == Some(Layout::Array)) {
            batch.tally.rejected += 1;
            return;
        }
        self.note_fault(finding, piece, batch);
    }

    fn note_fault(&self, finding: Finding, piece: Piece<'_>, batch: &mut CheckedBatch) {
        batch.tally.rejected += 1;
        self.note(finding, None, piece, batch.tally.lines, batch);
    }

    #[cold]
    fn note_findings(&self, check: &CheckScratch, facts: &Facts, piece: Piece<'_>, batch: &mut CheckedBatch) {
        let id = facts.id.map(|id| id.of(piece.bytes));
        for finding in check.findings() {
            let line = batch.tally.lines;
            let mut notes = self.notes(batch);
            notes.add(*finding, id, piece, line);
        }
        for code in check.allowed() {
            batch.tally.count(*code);
        }
    }

    /// Adds a finding that no checker has looked at yet.
    fn note(&self, finding: Finding, id: Option<&[u8]>, piece: Piece<'_>, line: u64, batch: &mut CheckedBatch) {
        let severity = self.severity(finding.code, finding.severity);
        self.notes(batch).add(Finding { severity, ..finding }, id, piece, line);
    }

    /// How bad a finding is that would be `severity` by itself.
    pub fn severity(&self, code: Code, severity: Severity) -> Severity {
        self.checker.policy().severity(code, severity)
    }

    /// Whether all findings are kept, not only the first of each code.
    pub(crate) fn keeps_all(&self) -> bool {
        self.all_diagnostics
    }

    /// Whether the rest of the piece has to wait, so that memory stays bounded.
    fn next(&self, batch: &CheckedBatch) -> ControlFlow<()> {
        let is_full = self.all_diagnostics && batch.diagnostics.len() >= DIAGNOSTICS_MAX;
        if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn notes<'b>(&self, batch: &'b mut CheckedBatch) -> Notes<'b> {
        Notes {
            tally: &mut batch.tally,
            diagnostics: &mut batch.diagnostics,
            enough: &mut batch.enough,
            all: self.all_diagnostics,
        }
    }
}
