//! The work of `transform`: from a piece of input to a piece of output, with what is to be said about it.

use std::ops::ControlFlow;

use hubmill_device::{Code, Severity, WORDS};
use hubmill_parser::{
    Content, Fault, FaultKind, FixedLine, FixedRun, Level, Limits, Line, Parser, Record, Span, Visit,
};
use hubmill_reader::Part;
use hubmill_rules::{Checker, Finding, MadeKey, Rules, Verdict};
use hubmill_writer::Gather;

use crate::batch::{Batch, Sample};
use crate::full_check::FullCheck;
use crate::notes::{DIAGNOSTICS_MAX, Notes, fault_finding, is_notice, notice_text};
use crate::{Piece, Work};

/// Lines in a row are edited at once where that adds no more bytes than these.
const RUN_TEXT_BYTES_MAX: usize = 64 * 1024;

/// What becomes of lines that can't be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInvalid {
    /// They are left out, and collected where asked for.
    #[default]
    Reject,
    /// They go through as they are.
    Keep,
}

/// How to transform.
#[derive(Debug)]
pub struct Transform {
    /// What to do with records.
    pub rules: Rules,
    /// What a line may be.
    pub limits: Limits,
    /// The SIMD level of the parser.
    pub level: Level,
    /// What becomes of lines that can't be used.
    pub on_invalid: OnInvalid,
    /// Rejected lines are collected.
    pub collect_rejects: bool,
    /// Filtered lines are collected.
    pub collect_filtered: bool,
    /// Keys that were made are collected.
    pub collect_keys: bool,
    /// All findings are kept, not only the first of each code.
    pub all_diagnostics: bool,
    /// More invalid lines than this end the run.
    pub invalid_max: u64,
    /// Checks the lines that are kept, as they leave, in full.
    pub checker: Option<Checker>,
    /// How many of the first changed lines of a piece are kept, as they were and as they leave.
    pub samples_max: usize,
}

/// What one thread needs.
#[derive(Debug)]
pub struct TransformScratch {
    parser: Parser,
    rules: hubmill_rules::Scratch,
    full: FullCheck,
}

impl Work for Transform {
    type Scratch = TransformScratch;
    type Batch = Batch;

    fn scratch(&self) -> TransformScratch {
        let (level, limits, checker) = (self.level, self.limits, self.checker.as_ref());
        let deep_names = self.rules.deep_names();
        let parser = match checker {
            Some(checker) => checker.parser(level, limits, deep_names),
            None => Parser::new(level, limits).with_words(&WORDS).with_deep_names(deep_names),
        };
        TransformScratch { parser, rules: self.rules.scratch(), full: FullCheck::new(checker, level, limits) }
    }

    fn batch(&self) -> Batch {
        Batch::default()
    }

    fn clear(&self, batch: &mut Batch) {
        batch.clear();
    }

    fn allowance(&self) -> u64 {
        self.invalid_max.saturating_add(1)
    }

    fn work(
        &self,
        scratch: &mut TransformScratch,
        piece: Piece<'_>,
        from: usize,
        allowance: u64,
        batch: &mut Batch,
    ) -> usize {
        batch.allowance = allowance;
        let at_start = piece.is_start(from);
        let from = piece.after_mark(from);
        if let Part::LongLine { first, last } = piece.part {
            self.pass_long_line(piece, from, first, last, batch);
            return piece.bytes.len();
        }
        batch.reserve_output(piece.bytes.len() - from);
        let TransformScratch { parser, rules, full } = scratch;
        let wants_more = self.checker.is_some() || batch.samples.len() < self.samples_max;
        let mut round = Round { work: self, rules, full, piece, from, at_start, wants_more, batch };
        let next = parser.parse_with(piece.bytes, from, &mut round);
        batch.close(piece.bytes);
        next
    }
}

/// One look at the lines of a piece.
struct Round<'w> {
    work: &'w Transform,
    rules: &'w mut hubmill_rules::Scratch,
    full: &'w mut FullCheck,
    piece: Piece<'w>,
    from: usize,
    /// It starts with the first line of the input.
    at_start: bool,
    /// More is wanted of a line than what becomes of it.
    wants_more: bool,
    batch: &'w mut Batch,
}

impl Visit for Round<'_> {
    /// Does to lines in a row what was done to others of their form.
    fn run(&mut self, run: &FixedRun<'_>) -> usize {
        let Self { work, rules, piece, batch, .. } = self;
        if self.wants_more || work.is_full(batch) {
            return 0;
        }
        let Some((followed, lines)) = work.rules.follow_run(rules, run) else { return 0 };
        if !work.notes(batch).are_enough(followed.findings(), *piece) {
            return 0;
        }
        match followed.verdict() {
            Verdict::Keep => batch.output.keep(piece.bytes, run.start(), run.end(lines)),
            Verdict::Edit if lines * followed.text_bytes() <= RUN_TEXT_BYTES_MAX => {
                // As one line that goes on over the ends of all but the last.
                let edits = followed.edits_of_run(run, lines);
                batch.output.edit(piece.bytes, run.start(), run.end(lines) - 1, edits, followed.texts());
                batch.tally.edited += lines as u64;
            }
            Verdict::Edit | Verdict::Filter | Verdict::Invalid => return 0,
        }
        let number = lines as u64;
        batch.tally.lines += number;
        batch.tally.written += number;
        for code in followed.counts() {
            batch.tally.count_findings(*code, Severity::Count, number);
        }
        for planned in followed.findings().iter().filter(|planned| planned.severity() == Severity::Warning) {
            batch.tally.count_findings(planned.code(), Severity::Warning, number);
        }
        lines
    }

    /// Does to a line what was done to others of its form.
    #[inline(always)]
    fn fixed(&mut self, line: &FixedLine<'_>) -> Option<ControlFlow<()>> {
        let Self { work, batch, piece, .. } = self;
        if self.wants_more {
            return None;
        }
        let followed = work.rules.follow(self.rules, line.text)?;
        batch.tally.lines += 1;
        let FixedLine { start, end, end_with_newline, .. } = *line;
        match followed.verdict() {
            Verdict::Keep => keep_trimmed(&mut batch.output, piece.bytes, start, end, end_with_newline),
            Verdict::Edit => {
                batch.output.edit(piece.bytes, start, end, followed.edits(line.text), followed.texts());
                batch.tally.edited += 1;
                if work.collect_keys {
                    let ids = [followed.id(&line.text), followed.module_id(&line.text)];
                    collect_keys(followed.made_keys(), followed.texts(), ids, piece.bytes, &mut batch.keys);
                }
            }
            Verdict::Filter | Verdict::Invalid => {
                debug_assert_eq!(followed.verdict(), Verdict::Filter, "no recipe says that a line is invalid");
                work.leave_out(*piece, start, end_with_newline, batch);
                return Some(ControlFlow::Continue(()));
            }
        }
        batch.tally.written += 1;
        for code in followed.counts() {
            batch.tally.count(*code);
        }
        let line_number = batch.tally.lines;
        for planned in followed.findings().iter().filter(|planned| planned.severity() == Severity::Warning) {
            work.notes(batch).add_planned(planned, *piece, line_number, || {
                (planned.of(&line.text), followed.id(&line.text).map(|id| id.of(piece.bytes)))
            });
        }
        Some(if work.is_full(batch) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }

    fn line(&mut self, line: &Line<'_>) -> ControlFlow<()> {
        let Self { work, rules, full, piece, from, at_start, batch, .. } = self;
        let (work, piece) = (*work, *piece);
        batch.tally.lines += 1;
        match &line.content {
            Content::Blank => batch.tally.blank += 1,
            Content::Record(record) => match work.checked(rules, full, record, piece, batch) {
                Verdict::Keep => {
                    keep_trimmed(&mut batch.output, piece.bytes, line.start, line.end, line.end_with_newline);
                    work.note_written(rules, piece, batch);
                }
                Verdict::Edit => {
                    let edits = rules.edits().iter().copied();
                    batch.output.edit(piece.bytes, line.start, line.end, edits, rules.texts());
                    batch.tally.edited += 1;
                    if batch.samples.len() < work.samples_max {
                        let place = line.start..line.end;
                        batch.samples.push(Sample::new(batch.tally.lines, place, rules.edits(), rules.texts()));
                    }
                    if work.collect_keys {
                        let ids = [rules.id(), rules.module_id()];
                        collect_keys(
                            rules.made_keys().iter().copied(),
                            rules.texts(),
                            ids,
                            piece.bytes,
                            &mut batch.keys,
                        );
                    }
                    work.note_written(rules, piece, batch);
                }
                Verdict::Filter => work.leave_out(piece, line.start, line.end_with_newline, batch),
                Verdict::Invalid => {
                    work.note_findings(rules, Severity::Error, piece, batch);
                    work.pass_invalid(piece, line.start, line.end_with_newline, batch);
                }
            },
            Content::Invalid(fault) => {
                if *at_start && line.start == *from && is_notice(piece.bytes, line, *fault) {
                    batch.tally.notices += 1;
                    batch.tally.count(Code::Notice);
                    batch.notice = Some(notice_text(&piece.bytes[line.start..line.end]));
                } else {
                    let finding = fault_finding(*fault, &piece.bytes[..line.end], work.limits);
                    work.note(finding, None, piece, batch);
                    work.pass_invalid(piece, line.start, line.end_with_newline, batch);
                }
            }
        }
        let over = batch.tally.invalid() >= batch.allowance || work.is_full(batch);
        if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Transform {
    /// Applies rules to lines of the usual limits, at the fastest level of this CPU: lines that can't be used are left out, and
    /// nothing is collected but the first findings of each code.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            limits: Limits::default(),
            level: Level::detect(),
            on_invalid: OnInvalid::Reject,
            collect_rejects: false,
            collect_filtered: false,
            collect_keys: false,
            all_diagnostics: false,
            invalid_max: u64::MAX,
            checker: None,
            samples_max: 0,
        }
    }

    /// Whether lines take no longer than to be read and written.
    pub fn is_light(&self) -> bool {
        self.checker.is_none() && self.rules.are_light()
    }

    /// Applies the rules, and checks what they leave.
    #[inline]
    fn checked(
        &self,
        rules: &mut hubmill_rules::Scratch,
        full: &mut FullCheck,
        record: &Record<'_>,
        piece: Piece<'_>,
        batch: &mut Batch,
    ) -> Verdict {
        let verdict = self.rules.apply(rules, record);
        let Some(checker) = self.checker.as_ref().filter(|_| matches!(verdict, Verdict::Keep | Verdict::Edit)) else {
            return verdict;
        };
        let good = full.check(
            checker,
            record,
            piece.bytes,
            if verdict == Verdict::Edit { rules.edits() } else { &[] },
            rules.texts(),
        );
        let id = rules.id().map(|id| id.of(piece.bytes));
        // Of a line that can't be used only errors are said.
        for (finding, path_end) in full.findings().iter().filter(|(found, _)| good || found.severity == Severity::Error)
        {
            let line = batch.tally.lines;
            self.notes(batch).add_with_path(*finding, path_end.as_deref(), id, piece, line);
        }
        if good { verdict } else { Verdict::Invalid }
    }

    fn notes<'b>(&self, batch: &'b mut Batch) -> Notes<'b> {
        Notes {
            tally: &mut batch.tally,
            diagnostics: &mut batch.diagnostics,
            enough: &mut batch.enough,
            all: self.all_diagnostics,
        }
    }

    /// Whether the rest of the piece has to wait, so that memory stays bounded.
    fn is_full(&self, batch: &Batch) -> bool {
        batch.is_full() || (self.all_diagnostics && batch.diagnostics.len() >= DIAGNOSTICS_MAX)
    }

    /// A line of which only a part is here: too long, whatever it holds.
    fn pass_long_line(&self, piece: Piece<'_>, from: usize, first: bool, last: bool, batch: &mut Batch) {
        let gather = match self.on_invalid {
            OnInvalid::Keep => Some(&mut batch.output),
            OnInvalid::Reject => self.collect_rejects.then_some(&mut batch.rejects),
        };
        if let Some(gather) = gather {
            keep_raw(gather, piece.bytes, from, piece.bytes.len(), last);
        }
        if first {
            batch.tally.lines += 1;
            let at = from as u32;
            let fault = Fault { kind: FaultKind::LineTooLong, at, expected: "a shorter line" };
            self.note(fault_finding(fault, piece.bytes, self.limits), None, piece, batch);
            self.count_invalid(batch);
        }
        batch.close(piece.bytes);
    }

    fn leave_out(&self, piece: Piece<'_>, start: usize, end: usize, batch: &mut Batch) {
        batch.tally.filtered += 1;
        if self.collect_filtered {
            keep_raw(&mut batch.filtered, piece.bytes, start, end, true);
        }
    }

    fn pass_invalid(&self, piece: Piece<'_>, start: usize, end: usize, batch: &mut Batch) {
        match self.on_invalid {
            OnInvalid::Keep => keep_raw(&mut batch.output, piece.bytes, start, end, true),
            OnInvalid::Reject if self.collect_rejects => {
                keep_raw(&mut batch.rejects, piece.bytes, start, end, true);
            }
            OnInvalid::Reject => {}
        }
        self.count_invalid(batch);
    }

    fn count_invalid(&self, batch: &mut Batch) {
        match self.on_invalid {
            OnInvalid::Keep => {
                batch.tally.written += 1;
                batch.tally.invalid_kept += 1;
            }
            OnInvalid::Reject => batch.tally.rejected += 1,
        }
    }

    #[inline]
    fn note_written(&self, rules: &hubmill_rules::Scratch, piece: Piece<'_>, batch: &mut Batch) {
        batch.tally.written += 1;
        for code in rules.counts() {
            batch.tally.count(*code);
        }
        if !rules.findings().is_empty() {
            self.note_findings(rules, Severity::Warning, piece, batch);
        }
    }

    #[cold]
    fn note_findings(&self, rules: &hubmill_rules::Scratch, severity: Severity, piece: Piece<'_>, batch: &mut Batch) {
        let id = rules.id().map(|id| id.of(piece.bytes));
        for finding in rules.findings().iter().filter(|finding| finding.severity == severity) {
            self.note(*finding, id, piece, batch);
        }
    }

    /// Counts a finding, and keeps it where it will be shown.
    fn note(&self, finding: Finding, id: Option<&[u8]>, piece: Piece<'_>, batch: &mut Batch) {
        let line = batch.tally.lines;
        self.notes(batch).add(finding, id, piece, line);
    }
}

/// Adds keys that were made as NDJSON: with the values of `id` and `moduleId`, as they stand in the line.
fn collect_keys(
    made: impl Iterator<Item = MadeKey>,
    texts: &[u8],
    ids: [Option<Span>; 2],
    bytes: &[u8],
    keys: &mut Vec<u8>,
) {
    let [id, module_id] = ids.map(|span| span.map_or(b"null".as_slice(), |span| span.of(bytes)));
    for key in made {
        let pieces: [&[u8]; 9] = [
            b"{\"id\":",
            id,
            b",\"moduleId\":",
            module_id,
            b",\"slot\":\"",
            key.slot.as_bytes(),
            b"\",\"key\":",
            key.text.of(texts),
            b"}\n",
        ];
        pieces.iter().for_each(|piece| keys.extend_from_slice(piece));
    }
}

/// Adds a line without its `\r`, with a `\n`.
#[inline]
fn keep_trimmed(gather: &mut Gather, bytes: &[u8], start: usize, end: usize, end_with_newline: usize) {
    if end_with_newline == end + 1 && bytes[end] == b'\n' {
        gather.keep(bytes, start, end_with_newline);
    } else {
        gather.edit(bytes, start, end, [], &[]);
    }
}

/// Adds bytes as they are, and a `\n` where the line ends here and has none.
fn keep_raw(gather: &mut Gather, bytes: &[u8], start: usize, end: usize, line_ends: bool) {
    if line_ends && bytes[start..end].last() != Some(&b'\n') {
        gather.edit(bytes, start, end, [], &[]);
    } else {
        gather.keep(bytes, start, end);
    }
}

#[cfg(test)]
mod tests {
    use hubmill_device::Code;
    use hubmill_reader::Part;
    use hubmill_rules::{RuleSet, Rules};

    use super::Transform;
    use crate::{Batch, Piece, Tally, Work as _};

    fn transform() -> Transform {
        Transform {
            collect_rejects: true,
            collect_filtered: true,
            collect_keys: true,
            all_diagnostics: true,
            ..Transform::new(Rules::new(RuleSet::default()).unwrap())
        }
    }

    /// Works through a first piece in as many rounds as it takes.
    fn rounds(work: &Transform, bytes: &[u8]) -> (usize, Tally, Vec<u8>) {
        let piece = Piece { offset: 0, is_first: true, bytes, part: Part::Lines };
        let (mut scratch, mut batch) = (work.scratch(), work.batch());
        let (mut rounds, mut tally, mut rejects, mut from) = (0, Tally::default(), Vec::new(), 0);
        while from < bytes.len() {
            work.clear(&mut batch);
            from = work.work(&mut scratch, piece, from, u64::MAX, &mut batch);
            tally.add(&batch.tally);
            batch.rejects.pieces(bytes).for_each(|piece| rejects.extend_from_slice(piece));
            rounds += 1;
        }
        (rounds, tally, rejects)
    }

    #[test]
    fn only_the_first_line_of_all_can_be_a_notice_however_often_a_batch_is_full() {
        let bytes = b"no braces\n".repeat(10_000);
        let (rounds, tally, rejects) = rounds(&transform(), &bytes);
        assert!(rounds > 2);
        assert_eq!((tally.lines, tally.notices, tally.rejected), (10_000, 1, 9_999));
        assert_eq!(tally.of(Code::JsonSyntax), 9_999);
        assert_eq!(rejects, bytes[10..]);
    }

    #[test]
    fn a_clear_batch_is_like_a_new_one() {
        let work = transform();
        let bytes = b"\xef\xbb\xbfnotice\n{\"id\":\"a\"}\r\nbroken\n\n";
        let piece = Piece { offset: 0, is_first: true, bytes, part: Part::Lines };
        let (mut scratch, mut batch) = (work.scratch(), Batch::default());
        for _ in 0..2 {
            assert_eq!(work.work(&mut scratch, piece, 0, u64::MAX, &mut batch), bytes.len());
            assert_eq!(batch.output.pieces(bytes).collect::<Vec<_>>(), [b"{\"id\":\"a\"}\n".as_slice()]);
            assert_eq!(batch.rejects.pieces(bytes).collect::<Vec<_>>(), [b"broken\n".as_slice()]);
            assert_eq!(batch.diagnostics.len(), 2);
            assert_eq!((batch.diagnostics[1].line, batch.diagnostics[1].byte), (3, 22));
            assert_eq!(batch.notice.as_deref(), Some("notice"));
            work.clear(&mut batch);
            assert!(batch.output.is_empty() && batch.rejects.is_empty() && batch.diagnostics.is_empty());
            assert_eq!((batch.notice.as_ref(), &batch.tally), (None, &Tally::default()));
        }
    }
}
