//! Verdicts: what was found in one line, to be told of others at once.
//!
//! Two lines of one form differ in their values only. Where those agree that a check goes by (a mode, a type, whether there is
//! an ETag), and the others are of one kind (ids and keys as they should be), the same is found in both, at the same places of
//! the fixed text. A verdict is what was found in the first of them, with what it rests on.
//!
//! There is none for lines with a twin: their values are looked at by [`plan`](super::plan).

use hubmill_device::{Code, ImportMode, Member, STATUS_REASON_CHARACTERS_MAX, Severity, same_name};
use hubmill_parser::{AnchoredSpan, ByteSet, FixedRun, FixedText, Form, MemberSpan, Record, Span};

use super::authentication::{BASE64, HEXADECIMAL, is_key, is_thumbprint};
use super::identity::PLAIN;
use super::{CheckScratch, Checker, Facts, ID_SET, is_plain_id, plain_ids};
use crate::finding::PlannedFinding;
use crate::options::Check;
use crate::recipe::anchored;

/// Verdicts kept for one form.
const KEPT: usize = 8;
/// Lines of one form without a verdict after which none is looked for.
const TRIES: u32 = 16;
/// A longer value is not compared.
const VALUE_BYTES_MAX: usize = 64;

/// What is known of the lines of one form.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    all: Vec<Verdict>,
    /// Lines for which one was looked for.
    tries: u32,
}

/// What is found in each line of a form that has certain values.
#[derive(Debug)]
struct Verdict {
    rests: Vec<(AnchoredSpan, Rest)>,
    id: Option<AnchoredSpan>,
    module_id: Option<AnchoredSpan>,
    /// What an import does with it; not known after a short check.
    mode: Option<Option<ImportMode>>,
    findings: Vec<PlannedFinding>,
    allowed: Vec<Code>,
    has_errors: bool,
}

/// What a verdict rests on, of one value.
#[derive(Debug)]
enum Rest {
    /// It is this one.
    Same(Box<[u8]>),
    /// A string that is not empty.
    Filled,
    /// An id that the hub takes.
    Legal,
    /// The same without a character that is discouraged, or with one; not of a module of the hub itself.
    Plain,
    Discouraged,
    /// A status as the hub writes it.
    Status,
    /// A text that is no longer than a reason of a status may be.
    Short,
    /// A key that the hub takes, of any length.
    Key,
    /// A thumbprint of so many digits.
    Thumbprint(usize),
}

impl Rest {
    #[inline(always)]
    fn holds(&self, line: &FixedText<'_>, span: Span) -> bool {
        match self {
            Self::Same(value) => same_name(line.bytes(span), value),
            Self::Filled => line.bytes(span).len() > 2,
            Self::Legal => is_id(line, span, &ID_SET),
            Self::Plain => is_id(line, span, &PLAIN) && line.bytes(span)[1] != b'$',
            Self::Discouraged => {
                is_id(line, span, &ID_SET) && !is_id(line, span, &PLAIN) && line.bytes(span)[1] != b'$'
            }
            Self::Status => is_status(line.bytes(span)),
            Self::Short => line.bytes(span).len() <= STATUS_REASON_CHARACTERS_MAX + 2,
            Self::Key => is_key(line.content(span), |digits| line.all_within(digits, &BASE64)),
            Self::Thumbprint(digits) => {
                line.content(span).len() == *digits && line.all_within(line.content(span), &HEXADECIMAL)
            }
        }
    }

    /// For how many of the first lines of a run it holds.
    #[inline]
    fn holds_for(&self, run: &FixedRun<'_>, value: AnchoredSpan) -> usize {
        match self {
            Self::Legal => plain_ids(run, value),
            _ => run.lines().take_while(|line| self.holds(&line.text, line.text.span(value))).count(),
        }
    }

    /// How much it takes to tell whether it holds.
    fn cost(&self) -> u32 {
        match self {
            Self::Same(_) | Self::Filled | Self::Status | Self::Short => 0,
            Self::Legal | Self::Plain | Self::Discouraged => 1,
            Self::Key | Self::Thumbprint(_) => 2,
        }
    }
}

/// Whether a value is a status as the hub writes it.
#[inline(always)]
fn is_status(value: &[u8]) -> bool {
    same_name(value, b"\"enabled\"") || same_name(value, b"\"disabled\"")
}

/// Whether a value is an id of such characters, of a length that the hub takes.
#[inline(always)]
fn is_id(line: &FixedText<'_>, value: Span, characters: &ByteSet) -> bool {
    is_plain_id(line.text_within(value, characters))
}

/// What is found in a line, or in each of some in a row, by what is known of its form.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a>(&'a Verdict);

impl<'a> Known<'a> {
    /// The value of `id`, a string, as it stands in such a line.
    #[inline]
    pub fn id(&self, line: &FixedText<'_>) -> Option<Span> {
        self.0.id.map(|id| line.span(id))
    }

    /// The value of `moduleId`, if that is a string, as it stands in such a line.
    #[inline]
    pub fn module_id(&self, line: &FixedText<'_>) -> Option<Span> {
        self.0.module_id.map(|module_id| line.span(module_id))
    }

    /// What an import does with the line, or `None` within where that can't be read; `None` after a short check.
    #[inline]
    pub fn mode(&self) -> Option<Option<ImportMode>> {
        self.0.mode
    }

    /// What was found, in the order of the line.
    #[inline]
    pub fn findings(&self) -> &'a [PlannedFinding] {
        &self.0.findings
    }

    /// The codes of what was found and is allowed.
    #[inline]
    pub fn allowed(&self) -> &'a [Code] {
        &self.0.allowed
    }

    /// Whether there is an error among the findings.
    #[inline]
    pub fn has_errors(&self) -> bool {
        self.0.has_errors
    }
}

impl Checker {
    /// What [`check`](Self::check) finds in a line, where that is known ahead for lines of its form.
    #[inline(always)]
    pub fn known<'a>(&self, scratch: &'a CheckScratch, line: FixedText<'_>) -> Option<Known<'a>> {
        let kept = scratch.verdicts.get(line.form())?;
        if self.check == Check::Full && line.may_have_escapes() {
            return None;
        }
        let holds = |verdict: &&Verdict| verdict.rests.iter().all(|(span, rest)| rest.holds(&line, line.span(*span)));
        kept.all.iter().find(holds).map(Known)
    }

    /// What is found in the first lines of a run, the same in each, and how many these are.
    pub fn known_run<'a>(&self, scratch: &'a CheckScratch, run: &FixedRun<'_>) -> Option<(Known<'a>, usize)> {
        let known = self.known(scratch, run.lines().next()?.text)?;
        let lines = known.0.rests.iter().fold(run.len(), |lines, (span, rest)| lines.min(rest.holds_for(run, *span)));
        Some((known, lines))
    }

    /// Keeps what was found in a record as a verdict, if it can be one.
    #[inline]
    pub(super) fn note_verdict(&self, scratch: &mut CheckScratch, record: &Record<'_>, facts: &Facts) {
        let Some(line) = record.fixed_text().filter(|_| self.says) else { return };
        let kept = scratch.verdicts.get(line.form());
        if kept.is_none_or(|kept| kept.tries < TRIES && kept.all.len() < KEPT) {
            self.make_verdict(scratch, record, facts, line.form());
        }
    }

    #[cold]
    fn make_verdict(&self, scratch: &mut CheckScratch, record: &Record<'_>, facts: &Facts, form: Form) {
        let verdict = self.verdict(scratch, record, facts);
        let kept = scratch.verdicts.get_or_default(form);
        kept.tries += 1;
        kept.all.extend(verdict);
    }

    fn verdict(&self, scratch: &CheckScratch, record: &Record<'_>, facts: &Facts) -> Option<Verdict> {
        let mut rests = Rests { record, all: Vec::new() };
        match self.check {
            Check::Full if record.may_have_escapes() => return None,
            Check::Full => {
                if !self.is_planned(scratch, record, facts) {
                    return None;
                }
                for member in Member::ALL {
                    if let Some(found) = scratch.get(record, member) {
                        rests.add_of(member, &found, facts)?;
                    }
                }
            }
            _ => rests.add_of_short(scratch)?,
        }
        let findings = scratch.findings();
        // First what is told soonest.
        rests.all.sort_by_key(|(_, rest)| rest.cost());
        Some(Verdict {
            rests: rests.all,
            id: anchored(record, facts.id)?,
            module_id: anchored(record, facts.module_id)?,
            mode: (self.check == Check::Full).then_some(facts.mode),
            findings: PlannedFinding::all(record, findings)?,
            allowed: scratch.allowed().to_vec(),
            has_errors: findings.iter().any(|found| found.severity == Severity::Error),
        })
    }
}

/// What a verdict on a record rests on.
struct Rests<'r> {
    record: &'r Record<'r>,
    all: Vec<(AnchoredSpan, Rest)>,
}

impl Rests<'_> {
    /// Adds a value, unless it is the same in all lines of the form; `None` where it has no place.
    fn add(&mut self, value: Span, rest: Rest) -> Option<()> {
        if !self.record.is_fixed(value) {
            self.all.push((self.record.anchored(value)?, rest));
        }
        Some(())
    }

    fn add_same(&mut self, value: Span) -> Option<()> {
        let bytes = self.record.bytes(value);
        let is_scalar = !matches!(bytes[0], b'{' | b'[');
        if is_scalar && bytes.len() <= VALUE_BYTES_MAX { self.add(value, Rest::Same(bytes.into())) } else { None }
    }

    /// Adds a string by what `rest` makes of its content, and null or an empty string as it is.
    fn add_string(&mut self, value: Span, rest: impl FnOnce(&[u8]) -> Option<Rest>) -> Option<()> {
        match self.record.bytes(value) {
            b"null" | b"\"\"" => self.add_same(value),
            [b'"', content @ .., b'"'] => self.add(value, rest(content)?),
            _ => None,
        }
    }

    fn add_id(&mut self, value: Span) -> Option<()> {
        let line = self.record.fixed_text()?;
        self.add_string(value, |id| match id {
            [b'$', ..] => None,
            _ if is_id(&line, value, &PLAIN) => Some(Rest::Plain),
            _ => is_id(&line, value, &ID_SET).then_some(Rest::Discouraged),
        })
    }

    /// What a full check goes by, of a member of the outer object; `None` where it goes by more than can be told.
    fn add_of(&mut self, member: Member, found: &MemberSpan, facts: &Facts) -> Option<()> {
        let value = found.value;
        let bytes = self.record.bytes(value);
        match member {
            Member::Id => self.add_id(value),
            Member::ModuleId if bytes.starts_with(b"\"$") => self.add_same(value),
            Member::ModuleId => self.add_id(value),
            Member::Status if is_status(bytes) => self.add(value, Rest::Status),
            Member::ImportMode | Member::Status => self.add_same(value),
            Member::StatusReason => match bytes {
                [b'"', ..] if bytes.len() <= STATUS_REASON_CHARACTERS_MAX + 2 => self.add(value, Rest::Short),
                b"null" => self.add_same(value),
                _ => None,
            },
            Member::ETag | Member::TwinETag => self.add_string(value, |_| Some(Rest::Filled)),
            Member::Authentication | Member::Capabilities if bytes != b"null" => self.add_inside(found),
            Member::Authentication | Member::Capabilities | Member::Tags | Member::Properties => {
                if bytes == b"null" {
                    self.add_same(value)
                } else {
                    None
                }
            }
            Member::DeviceScope => {
                let is_compared = facts.is_edge && facts.module_id.is_none();
                self.add_string(value, |_| (!is_compared).then_some(Rest::Filled))
            }
            Member::ParentScopes => None,
        }
    }

    /// The same of all that is inside of `authentication` or `capabilities`.
    fn add_inside(&mut self, member: &MemberSpan) -> Option<()> {
        let record = self.record;
        for inner in record.object(member)? {
            match record.name(&inner).as_ref() {
                b"symmetricKey" | b"x509Thumbprint" if record.bytes(inner.value)[0] == b'{' => {
                    self.add_inside(&inner)?;
                }
                b"primaryKey" | b"secondaryKey" => {
                    let is_right = |text: &[u8]| is_key(text, |digits| record.all_within(digits, &BASE64));
                    self.add_string(inner.value, |text| is_right(text).then_some(Rest::Key))?;
                }
                b"primaryThumbprint" | b"secondaryThumbprint" => {
                    let is_right = |text: &[u8]| is_thumbprint(text, |digits| record.all_within(digits, &HEXADECIMAL));
                    self.add_string(inner.value, |text| is_right(text).then_some(Rest::Thumbprint(text.len())))?;
                }
                _ => self.add_same(inner.value)?,
            }
        }
        Some(())
    }

    /// What a short check goes by.
    fn add_of_short(&mut self, scratch: &CheckScratch) -> Option<()> {
        let line = self.record.fixed_text()?;
        let id = scratch.get(self.record, Member::Id)?.value;
        if !is_id(&line, id, &ID_SET) {
            return None;
        }
        self.add(id, Rest::Legal)?;
        match scratch.get(self.record, Member::Status) {
            // What is a string in one line is one in all of them, whatever it says.
            Some(status) if self.record.bytes(status.value)[0] == b'"' => Some(()),
            Some(status) => self.add_same(status.value),
            None => Some(()),
        }
    }
}
