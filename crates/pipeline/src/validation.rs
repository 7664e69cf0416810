//! The state of a whole `validate` run: what batches add up to, and what takes all of them to see.

use hubmill_device::{Code, Severity};

use crate::batch::{Diagnostic, Tally};
use crate::duplicates::Duplicates;
use crate::layout::Layout;
use crate::notes::DIAGNOSTICS_SHOWN_MAX;
use crate::repeats::{Repeat, RepeatKind, Repeats};
use crate::validate::{CheckedBatch, Validate};

/// Codes of lines that are a part of something larger.
const PARTS: [Code; 2] = [Code::JsonSyntax, Code::NotAnObject];

/// What was seen so far. Batches come in the order of the input.
#[derive(Debug)]
pub struct Validation<'a> {
    work: &'a Validate,
    tally: Tally,
    duplicates: Duplicates,
    /// What the input is instead of a device a line: there is one finding about that, and none for each line.
    layout: Option<Layout>,
    /// What the lines are made of, where they are not those of a file.
    made_of: Option<&'static str>,
}

impl<'a> Validation<'a> {
    /// Before the first batch.
    pub fn new(work: &'a Validate) -> Self {
        Self { work, tally: Tally::default(), duplicates: Duplicates::default(), layout: None, made_of: None }
    }

    /// The same of lines that are made of something else, which messages name instead. Whether two of these are equal is not said:
    /// lines of equal ones may differ, and those of others be equal.
    #[must_use]
    pub fn made_of(mut self, noun: &'static str) -> Self {
        self.made_of = Some(noun);
        self
    }

    /// How many lines there were and what was found.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether findings of this code are counted and no more.
    pub fn allows(&self, code: Code) -> bool {
        self.work.severity(code, Severity::Error) == Severity::Count
    }

    /// Takes a batch; gives its findings, with lines counted from the start of the input.
    pub fn take(&mut self, batch: &CheckedBatch) -> Vec<Diagnostic> {
        let lines_before = self.tally.lines;
        let layout = self.layout;
        let counts = |found: &&Diagnostic| match layout {
            None => true,
            Some(Layout::Object) => !PARTS.contains(&found.code),
            Some(Layout::Array) => false,
        };
        let found = batch.diagnostics.iter().filter(counts);
        let found = found.map(|found| Diagnostic { line: lines_before + found.line, ..found.clone() }).collect();
        match layout {
            None => self.tally.add(&batch.tally),
            Some(layout) => {
                let mut tally = batch.tally.clone();
                match layout {
                    Layout::Object => PARTS.into_iter().for_each(|code| tally.forget_errors(code)),
                    Layout::Array => tally.forget_findings(),
                }
                self.tally.add(&tally);
            }
        }
        if layout != Some(Layout::Array) {
            self.duplicates.add(&batch.entries, lines_before);
        }
        self.layout = layout.or(batch.layout);
        found
    }

    /// Looks at the whole, after the last batch; gives findings in the order of the lines. `are_equal` tells whether the lines at
    /// two offsets are equal; it is only asked where the work was told that they can be looked at again.
    pub fn finish(
        &mut self,
        threads: usize,
        are_equal: &(dyn Fn(u64, u64) -> bool + Sync),
        mut give: impl FnMut(Diagnostic),
    ) {
        let kept_max = if self.work.keeps_all() { usize::MAX } else { DIAGNOSTICS_SHOWN_MAX as usize };
        let repeats = std::mem::take(&mut self.duplicates).finish(threads, kept_max, are_equal);
        for repeat in repeats.in_order() {
            self.tell(&repeat, &mut give);
        }
        self.count(&repeats);
        if self.tally.written + self.tally.rejected == 0 {
            let message = match self.tally.filtered {
                0 => "there is no line of a device; an import of an empty file was seen to be refused (§5.4)",
                _ => "no line was checked: the condition holds for none",
            };
            let message = message.to_owned();
            let code = Code::EmptyOutput;
            let severity = self.work.severity(code, code.checked_severity());
            self.tally.count_findings(code, severity, 1);
            if severity != Severity::Count {
                give(Diagnostic::of_the_whole(code, severity, message));
            }
        }
    }

    /// Tells of a repeat in words, unless its code is only counted.
    fn tell(&self, repeat: &Repeat, give: &mut impl FnMut(Diagnostic)) {
        let (code, severity) = self.judged(repeat.kind);
        if severity == Severity::Count {
            return;
        }
        let (other, noun) = (repeat.other, self.made_of.unwrap_or("line"));
        let (message, hint) = match repeat.kind {
            RepeatKind::Differs => {
                let differs = if self.made_of.is_none() { ", in a line that differs" } else { "" };
                (
                    format!("the same id as in {noun} {other}{differs}: the order of the two is not promised (§2)"),
                    Some("one line for each device and module; --allow duplicate-id where two are meant"),
                )
            }
            RepeatKind::Equal if self.made_of.is_some() => (format!("makes the same line as {noun} {other}"), None),
            RepeatKind::Equal => (format!("the same line as line {other}"), None),
            RepeatKind::DeviceLater => {
                (format!("a module's {noun} before its device's, which is {noun} {other} (§1.7)"), None)
            }
            RepeatKind::OneModuleTooMany => {
                (format!("the 51st module of one device, of {other}; the hub takes 50 (§3.1)"), None)
            }
        };
        let Repeat { line, byte, .. } = *repeat;
        give(Diagnostic { severity, code, line, byte, id: None, path: String::new(), message, hint });
    }

    /// Counts all repeats; lines that have an error by one of them are no good lines any more.
    fn count(&mut self, repeats: &Repeats) {
        let mut errors = Vec::new();
        for kind in RepeatKind::ALL {
            let (code, severity) = self.judged(kind);
            self.tally.count_findings(code, severity, repeats.count(kind));
            if severity == Severity::Error {
                errors.push(kind);
            }
        }
        let lines = repeats.good_lines(&errors);
        self.tally.written -= lines;
        self.tally.rejected += lines;
    }

    /// The code of a repeat, and how bad it is.
    fn judged(&self, kind: RepeatKind) -> (Code, Severity) {
        let code = match kind {
            RepeatKind::Differs => Code::DuplicateId,
            RepeatKind::Equal => Code::DuplicateLine,
            RepeatKind::DeviceLater => Code::ModuleBeforeDevice,
            RepeatKind::OneModuleTooMany => Code::TooManyModules,
        };
        (code, self.work.severity(code, code.checked_severity()))
    }
}
