//! The full check of a record: everything that is known of the hub's rules about one line.
//!
//! Nothing is allocated for a line that is as it should be, and no tree is built: members are looked at where they stand.
//! What takes more than one line to see (ids that stand twice, modules before their devices) is not here.

use hubmill_device::{
    AuthenticationType, Code, ImportMode, Member, MemberSet, Place, Severity, Status, WORDS, same_name,
};
use hubmill_parser::{ByForm, Level, Limits, MemberSpan, Parser, Record, Span, lone_surrogate};

use super::place::first_repeated;
use super::plan::METADATA;
use super::policy::Policy;
use super::quick::Planned;
use super::twin::{Frame, Section, TwinSizes};
use super::verdict::Verdicts;
use crate::finding::{Detail, Finding};
use crate::options::Check;

const ABSENT: u32 = u32::MAX;
/// Findings of one code and severity that a line is given at most.
const ALIKE_MAX: usize = 16;

/// Checks records. One for all threads.
#[derive(Clone, Copy, Debug)]
pub struct Checker {
    pub(super) check: Check,
    policy: Policy,
    /// Findings are asked for; where they are not, the sizes of twins are.
    pub(super) says: bool,
}

/// Buffers for one thread. What is in them is about the record that was checked last.
#[derive(Debug)]
pub struct CheckScratch {
    findings: Vec<Finding>,
    allowed: Vec<Code>,
    /// By [`Member`]: its number among the record's members. Where it stands twice, the last one.
    pub(super) known: [u32; Member::COUNT],
    /// The same for forms of lines in whose names nothing is wrong.
    forms: ByForm<[u32; Member::COUNT]>,
    /// What follows from a form.
    pub(super) plans: ByForm<Planned>,
    /// What is found in certain lines of a form.
    pub(super) verdicts: ByForm<Verdicts>,
    /// Members that are there in another case.
    pub(super) variants: MemberSet,
    /// The names of an object that are none of the known ones.
    pub(super) odd: Vec<Span>,
    /// The numbers of the names of all open objects of a walk.
    pub(super) numbers: Vec<u64>,
    /// The open objects and arrays of a walk but the innermost.
    pub(super) frames: Vec<Frame>,
}

impl Default for CheckScratch {
    fn default() -> Self {
        Self {
            findings: Vec::new(),
            allowed: Vec::new(),
            known: [ABSENT; Member::COUNT],
            forms: ByForm::default(),
            plans: ByForm::default(),
            verdicts: ByForm::default(),
            variants: MemberSet::EMPTY,
            odd: Vec::new(),
            numbers: Vec::new(),
            frames: Vec::new(),
        }
    }
}

impl CheckScratch {
    /// Forgets all about the record that was checked last.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.findings.clear();
        self.allowed.clear();
        self.variants = MemberSet::EMPTY;
        self.odd.clear();
    }

    /// What was found, in the order of the line.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The codes of what was found and is allowed.
    pub fn allowed(&self) -> &[Code] {
        &self.allowed
    }

    /// Whether there is an error among the findings.
    pub fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Members that are there in another case.
    pub fn variants(&self) -> MemberSet {
        self.variants
    }

    /// The member, where it is there.
    #[inline]
    pub fn get(&self, record: &Record<'_>, member: Member) -> Option<MemberSpan> {
        record.member(self.known[member as usize] as usize)
    }
}

/// What a record is about.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// The value of `id`, a string.
    pub id: Option<Span>,
    /// The value of `moduleId`, a string.
    pub module_id: Option<Span>,
    /// What an import does with the line; `None` where that can't be read.
    pub mode: Option<ImportMode>,
    /// Whether the device may connect; `None` where that can't be read.
    pub status: Option<Status>,
    /// How it authenticates; known after a full check only, as all that follows.
    pub authenticates: Authenticates,
    /// It is an edge device.
    pub is_edge: bool,
    /// It has a `deviceScope` that is not empty.
    pub has_scope: bool,
    /// How large the twin's sections are; known after [`Checker::of_facts`] only.
    pub sizes: TwinSizes,
}

/// How a device or module authenticates, as far as the line tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authenticates {
    /// `authentication` is null or missing.
    #[default]
    NotSaid,
    /// By the type in the line; without one it is sas (§1.2).
    By(AuthenticationType),
    /// It can't be read.
    Unreadable,
}

impl Checker {
    /// A checker that looks at as much as `check` says, and takes findings as `policy` says.
    pub fn new(check: Check, policy: Policy) -> Self {
        Self { check, policy, says: true }
    }

    /// A checker that only reads what each line is about, with the sizes of twins, and finds nothing.
    pub fn of_facts() -> Self {
        Self { check: Check::Full, policy: Policy::default(), says: false }
    }

    /// A parser for lines that are to be checked: what is checked in full follows mostly from forms with all names. Other checks
    /// ask for none but those inside of the members `deep_names`.
    pub fn parser(&self, level: Level, limits: Limits, deep_names: &'static [&'static str]) -> Parser {
        let parser = Parser::new(level, limits).with_words(&WORDS);
        if self.check == Check::Full { parser.with_all_names(METADATA) } else { parser.with_deep_names(deep_names) }
    }

    /// What is allowed and denied.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// Checks a record. What was found is in `scratch` until the next call.
    #[inline]
    pub fn check(&self, scratch: &mut CheckScratch, record: &Record<'_>) -> Facts {
        scratch.clear();
        let facts = match self.check {
            Check::None => return Facts::default(),
            Check::Full => self.check_by_plan(scratch, record).unwrap_or_else(|| self.check_at_length(scratch, record)),
            Check::Id => self.check_at_length(scratch, record),
        };
        if scratch.findings.len() > 1 {
            scratch.findings.sort_by_key(|finding| finding.at);
        }
        self.note_verdict(scratch, record, &facts);
        facts
    }

    /// Checks a record of which nothing is known.
    fn check_at_length(&self, scratch: &mut CheckScratch, record: &Record<'_>) -> Facts {
        let mut facts = Facts::default();
        self.read_names(scratch, record);
        self.check_ids(scratch, record, &mut facts);
        facts.mode = self.read_mode(scratch, record);
        facts.status = self.check_status(scratch, record);
        if self.check == Check::Full {
            self.check_reserved(scratch, record, &facts);
            self.check_status_reason(scratch, record);
            self.check_etags(scratch, record, facts.mode);
            facts.authenticates = self.check_authentication(scratch, record, &facts);
            self.check_tags_if_any(scratch, record, &mut facts);
            self.check_properties_if_any(scratch, record, &mut facts);
            self.check_scopes(scratch, record, &mut facts);
            if record.may_have_escapes() {
                self.check_surrogates(scratch, record);
            }
        }
        facts
    }

    /// Adds a finding, unless it is allowed.
    ///
    /// `false` where the line has enough of its code and severity, so that it is passed over as those after it would be.
    #[cold]
    pub(super) fn add(&self, scratch: &mut CheckScratch, mut finding: Finding) -> bool {
        if !self.says {
            return false;
        }
        finding.severity = self.policy.severity(finding.code, finding.severity);
        if finding.severity == Severity::Count {
            let is_new = scratch.allowed.iter().filter(|code| **code == finding.code).count() < ALIKE_MAX;
            if is_new {
                scratch.allowed.push(finding.code);
            }
            return is_new;
        }
        let is_alike = |earlier: &&Finding| (earlier.code, earlier.severity) == (finding.code, finding.severity);
        let is_new = scratch.findings.iter().filter(is_alike).count() < ALIKE_MAX;
        if is_new {
            scratch.findings.push(finding);
        }
        is_new
    }

    /// Adds a finding with the severity that its code has in a full check.
    #[cold]
    pub(super) fn say(&self, scratch: &mut CheckScratch, code: Code, at: u32, path: &'static str, detail: Detail) {
        let finding = Finding::new(code, at, path, detail);
        self.add(scratch, Finding { severity: code.checked_severity(), ..finding });
    }

    #[cold]
    pub(super) fn wrong_type(&self, scratch: &mut CheckScratch, at: u32, path: &'static str, expected: &'static str) {
        self.say(scratch, Code::MemberType, at, path, Detail::Type(expected));
    }

    /// A name that stands a second time where that is an error.
    #[cold]
    pub(super) fn twice(&self, scratch: &mut CheckScratch, place: Place, name: Span) {
        let finding = Finding::new(Code::DuplicateMember, name.start - 1, place.path(), Detail::Twice);
        self.add(scratch, finding.named(name));
    }

    /// A name that is none of those that the hub knows in this place: another case of one, or unknown.
    #[cold]
    pub(super) fn odd_name(&self, scratch: &mut CheckScratch, place: Place, name: Span, text: &[u8]) {
        if self.check != Check::Full {
            return;
        }
        let exact = place.names().iter().find(|known| text.eq_ignore_ascii_case(known.as_bytes()));
        let (code, detail) = match exact {
            Some(exact) => (Code::MemberCase, Detail::CaseOf(exact)),
            None => (Code::UnknownMember, Detail::Unknown(place)),
        };
        let finding = Finding::new(code, name.start - 1, place.path(), detail).named(name);
        self.add(scratch, finding.warning());
    }

    /// Looks for a name that stands twice among the odd ones.
    #[inline]
    pub(super) fn odd_twice(&self, scratch: &mut CheckScratch, record: &Record<'_>, place: Place, severity: Severity) {
        if scratch.odd.len() > 1
            && let Some(name) = first_repeated(record.chunk(), &scratch.odd)
        {
            let finding = Finding::new(Code::DuplicateMember, name.start - 1, place.path(), Detail::Twice).named(name);
            self.add(scratch, Finding { severity, ..finding });
        }
    }

    /// Looks at the names of the line.
    #[inline]
    fn read_names(&self, scratch: &mut CheckScratch, record: &Record<'_>) {
        let form = record.form();
        if let Some(known) = form.and_then(|form| scratch.forms.get(form)) {
            scratch.known = *known;
            return;
        }
        if self.read_names_anew(scratch, record)
            && let Some(form) = form
        {
            scratch.forms.put(form, scratch.known);
        }
    }

    /// Looks at the names of the line; whether nothing is wrong with them.
    pub(super) fn read_names_anew(&self, scratch: &mut CheckScratch, record: &Record<'_>) -> bool {
        scratch.known = [ABSENT; Member::COUNT];
        let mut all_once = true;
        for (number, member) in record.members().iter().enumerate() {
            let name = record.name(member);
            let nearest = Member::from_any_case(&name);
            let Some((known, true)) = nearest else {
                scratch.odd.push(member.name);
                if let Some((variant, _)) = nearest {
                    scratch.variants.insert(variant);
                }
                self.odd_name(scratch, Place::Line, member.name, &name);
                continue;
            };
            let place = &mut scratch.known[known as usize];
            let first = *place == ABSENT;
            *place = number as u32;
            if !first {
                all_once = false;
                self.twice(scratch, Place::Line, member.name);
            }
        }
        if scratch.odd.is_empty() {
            return all_once;
        }
        self.odd_twice(scratch, record, Place::Line, Severity::Error);
        if self.check == Check::Full {
            self.look_into_odd(scratch, record);
        }
        false
    }

    /// Looks for names that stand twice inside of members that the hub does not know.
    #[cold]
    fn look_into_odd(&self, scratch: &mut CheckScratch, record: &Record<'_>) {
        for member in record.members() {
            if matches!(record.bytes(member.value)[0], b'{' | b'[') && Member::from_name(&record.name(member)).is_none()
            {
                self.walk(scratch, record, member, Section::Other);
            }
        }
    }

    /// Picks the members of these names out of an object; `None` where the value is null, or not an object.
    #[inline]
    pub(super) fn pick<const N: usize>(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        member: &MemberSpan,
        place: Place,
        severity: Severity,
    ) -> Option<[Option<MemberSpan>; N]> {
        let Some(members) = record.object(member) else {
            if record.bytes(member.value) != b"null" {
                self.wrong_type(scratch, member.value.start, place.path(), "an object or null");
            }
            return None;
        };
        let wanted = place.names();
        let mut found = [None; N];
        scratch.odd.clear();
        // Members mostly stand in the order in which the hub writes them.
        let mut next = 0;
        for member in members {
            let name = record.name(&member);
            let is_next = wanted.get(next).is_some_and(|want| same_name(&name, want.as_bytes()));
            let place_of = || wanted.iter().position(|want| same_name(&name, want.as_bytes()));
            let number = if is_next { Some(next) } else { place_of() };
            next = number.map_or(next, |number| number + 1);
            match number {
                Some(number) => {
                    if found[number].replace(member).is_some() {
                        let finding = Finding::new(Code::DuplicateMember, member.start(), place.path(), Detail::Twice)
                            .named(member.name);
                        self.add(scratch, Finding { severity, ..finding });
                    }
                }
                None => {
                    self.odd_name(scratch, place, member.name, &name);
                    scratch.odd.push(member.name);
                    if matches!(record.bytes(member.value)[0], b'{' | b'[') {
                        self.walk(scratch, record, &member, Section::Other);
                    }
                }
            }
        }
        self.odd_twice(scratch, record, place, severity);
        Some(found)
    }

    /// The text of a member that is a string or null.
    #[inline]
    pub(super) fn text_or_null<'r>(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'r>,
        member: &MemberSpan,
        path: &'static str,
    ) -> Option<std::borrow::Cow<'r, [u8]>> {
        let text = record.text(member.value);
        if text.is_none() && record.bytes(member.value) != b"null" {
            self.wrong_type(scratch, member.value.start, path, "a string or null");
        }
        text
    }

    /// `tags`
    #[inline]
    pub(super) fn check_tags_if_any(&self, scratch: &mut CheckScratch, record: &Record<'_>, facts: &mut Facts) {
        if let Some(tags) = self.object(scratch, record, Member::Tags) {
            self.check_tags(scratch, record, &tags, &mut facts.sizes);
        }
    }

    /// `properties`
    #[inline]
    pub(super) fn check_properties_if_any(&self, scratch: &mut CheckScratch, record: &Record<'_>, facts: &mut Facts) {
        if let Some(properties) = self.object(scratch, record, Member::Properties) {
            self.check_properties(scratch, record, &properties, &mut facts.sizes);
        }
    }

    /// The member, if its value is an object.
    #[inline]
    fn object(&self, scratch: &mut CheckScratch, record: &Record<'_>, member: Member) -> Option<MemberSpan> {
        let found = scratch.get(record, member)?;
        match record.bytes(found.value) {
            [b'{', ..] => Some(found),
            b"null" => None,
            _ => {
                self.wrong_type(scratch, found.value.start, member.name(), "an object or null");
                None
            }
        }
    }

    #[inline]
    pub(super) fn check_surrogates(&self, scratch: &mut CheckScratch, record: &Record<'_>) {
        if let Some(at) = lone_surrogate(record.line()) {
            let message = "an escape of half a character, which stands for nothing: readers refuse it or put another in its place";
            let at = (record.start() + at) as u32;
            let finding = Finding::new(Code::LoneSurrogate, at, "", Detail::Text(message));
            self.add(scratch, finding);
        }
    }
}
