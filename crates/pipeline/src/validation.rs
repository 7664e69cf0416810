//! The state of a whole `validate` run: what batches add up to, and what takes all of them to see.

use hubmill_device::{Code, Severity};

use crate::batch::{Diagnostic, Tally};
use crate::duplicates::{Duplicates, Repeat, RepeatKind};
use crate::layout::Layout;
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
    /// What messages call a line.
    noun: &'static str,
}

impl<'a> Validation<'a> {
    /// Before the first batch.
    pub fn new(work: &'a Validate) -> Self {
        Self { work, tally: Tally::default(), duplicates: Duplicates::default(), layout: None, noun: "line" }
    }

    /// The same of lines that come from something else, and are called that in messages.
    #[must_use]
    pub fn counting(mut self, noun: &'static str) -> Self {
        self.noun = noun;
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
        for repeat in std::mem::take(&mut self.duplicates).finish(threads, are_equal) {
            self.repeat(&repeat, &mut give);
        }
        if self.tally.written + self.tally.rejected == 0 {
            let message =
                "there is no line of a device; an import of an empty file was seen to be refused (§5.4)".to_owned();
            self.add(Code::EmptyOutput, (0, 0), message, None, &mut give);
        }
    }

    fn repeat(&mut self, repeat: &Repeat, give: &mut impl FnMut(Diagnostic)) {
        let (other, noun) = (repeat.other, self.noun);
        let (code, message, hint) = match repeat.kind {
            RepeatKind::Differs => (
                Code::DuplicateId,
                format!(
                    "the same id as in {noun} {other}, in a {noun} that differs: the order of the two is not promised (§2)"
                ),
                Some("one line for each device and module; --allow duplicate-id where two are meant"),
            ),
            RepeatKind::Equal => (Code::DuplicateLine, format!("the same {noun} as {noun} {other}"), None),
            RepeatKind::DeviceLater => (
                Code::ModuleBeforeDevice,
                format!("a module's {noun} before its device's, which is {noun} {other} (§1.7)"),
                None,
            ),
            RepeatKind::OneModuleTooMany => (
                Code::TooManyModules,
                format!("the 51st module of one device, of {other}; the hub takes 50 (§3.1)"),
                None,
            ),
        };
        let severity = self.add(code, (repeat.line, repeat.byte), message, hint, give);
        if severity == Severity::Error && !repeat.invalid {
            self.tally.written -= 1;
            self.tally.rejected += 1;
        }
    }

    /// Adds a finding; how bad it is.
    fn add(
        &mut self,
        code: Code,
        (line, byte): (u64, u64),
        message: String,
        hint: Option<&'static str>,
        give: &mut impl FnMut(Diagnostic),
    ) -> Severity {
        let severity = self.work.severity(code, code.checked_severity());
        self.tally.count_finding(code, severity);
        if severity != Severity::Count {
            give(Diagnostic { severity, code, line, byte, id: None, path: String::new(), message, hint });
        }
        severity
    }
}
