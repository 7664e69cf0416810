//! The full check of a line whose form is known: only values are looked at, and each part of the line is first asked
//! whether there is anything to find in it at all. Where that can't be ruled out, the part is checked as in any line.

use hubmill_device::{
    AuthenticationType, BOOLEAN_SIZE, ID_CHARACTERS_MAX, ImportMode, Member, NUMBER_SIZE, PROPERTIES_SIZE_MAX,
    STATUS_REASON_CHARACTERS_MAX, Status, TAGS_SIZE_MAX, TWIN_STRING_MAX, is_system_module, is_twin_number,
};
use hubmill_parser::{Form, NumberedTokens, Record, Span, TokenMark, TokenPlaces, ValueToken};

use super::authentication::{BASE64, HEXADECIMAL, is_key, is_thumbprint};
use super::identity::PLAIN;
use super::plan::{AuthenticationPlan, Edge, Part, Plan, SectionPlan, Text, Value};
use super::text::{Length, measure};
use super::twin::TwinSizes;
use super::{Authenticates, CheckScratch, Checker, Facts};

/// What follows from a form; no plan for one whose outer names are out of the ordinary.
pub(super) type Planned = Option<Box<Plan>>;

/// A line with the plan of its form.
#[derive(Clone, Copy)]
struct Line<'a, P> {
    record: &'a Record<'a>,
    chunk: &'a [u8],
    tokens: P,
    plan: &'a Plan,
}

impl<'a, P: TokenPlaces> Line<'a, P> {
    #[inline(always)]
    fn new(record: &'a Record<'a>, tokens: P, plan: &'a Plan) -> Self {
        Self { record, chunk: record.chunk(), tokens, plan }
    }

    #[inline(always)]
    fn value(&self, member: Member) -> Option<Value> {
        self.plan.values[member as usize]
    }

    #[inline(always)]
    fn place(&self, mark: TokenMark) -> u32 {
        self.tokens.place(mark)
    }

    /// The first byte of a value.
    #[inline(always)]
    fn first(&self, mark: TokenMark) -> u8 {
        self.chunk[self.place(mark) as usize]
    }

    /// What stands between the quotes of a string.
    #[inline(always)]
    fn content(&self, text: Text) -> &'a [u8] {
        &self.chunk[self.place(text.open) as usize + 1..self.place(text.close) as usize]
    }

    /// A string with its quotes.
    #[inline(always)]
    fn string(&self, text: Text) -> Span {
        Span { start: self.place(text.open), end: self.place(text.close) + 1 }
    }

    /// The length of a text that is right, 0 where there is none; `None` for anything but a right text, an empty one, or null.
    #[inline(always)]
    fn length(&self, value: Option<Value>, is_right: impl Fn(&[u8]) -> bool) -> Option<usize> {
        match value {
            Some(Value { text, kind: b'"' }) => {
                let text = self.content(text);
                (text.is_empty() || is_right(text)).then_some(text.len())
            }
            other => self.is_null_or(other, |_| false).then_some(0),
        }
    }

    /// Whether a value is null, or a text that passes.
    #[inline(always)]
    fn is_null_or(&self, value: Option<Value>, passes: impl Fn(&[u8]) -> bool) -> bool {
        match value {
            None => true,
            Some(Value { text, kind: b'"' }) => passes(self.content(text)),
            Some(Value { text, kind }) => kind == ValueToken::SCALAR && self.first(text.open) == b'n',
        }
    }
}

impl Checker {
    /// Checks a line of a known form; `None` where that has to be done the long way.
    #[inline]
    pub(super) fn check_by_plan(&self, scratch: &mut CheckScratch, record: &Record<'_>) -> Option<Facts> {
        let (form, tokens) = record.whole_form()?;
        let planned = match scratch.plans.get_mut(form) {
            Some(planned) => planned,
            None => self.make_plan(scratch, record, form, tokens),
        };
        let plan = planned.take()?;
        scratch.known = plan.known;
        let facts = match tokens {
            NumberedTokens::Fixed(tokens) => self.check_line(scratch, record, Line::new(record, tokens, &plan)),
            NumberedTokens::Listed(tokens) => self.check_line(scratch, record, Line::new(record, tokens, &plan)),
        };
        *scratch.plans.get_or_default(form) = Some(plan);
        Some(facts)
    }

    /// Whether there is a plan for a record that was just checked, and nothing was found in its `authentication` but what its
    /// absence means.
    pub(super) fn is_planned(&self, scratch: &CheckScratch, record: &Record<'_>, facts: &Facts) -> bool {
        let Some((form, NumberedTokens::Fixed(tokens))) = record.whole_form() else { return false };
        let Some(Some(plan)) = scratch.plans.get(form) else { return false };
        match &plan.authentication {
            Part::Absent => true,
            Part::Scalar(mark) => record.chunk()[tokens.place(*mark) as usize] == b'n',
            Part::Object(inner) => self.quick_authentication(Line::new(record, tokens, plan), inner, facts).is_some(),
            Part::Odd => false,
        }
    }

    #[cold]
    fn make_plan<'s>(
        &self,
        scratch: &'s mut CheckScratch,
        record: &Record<'_>,
        form: Form,
        tokens: NumberedTokens<'_>,
    ) -> &'s mut Planned {
        let plan = self.plan(scratch, record, tokens).map(Box::new);
        scratch.plans.put(form, plan)
    }

    #[inline]
    fn check_line(&self, scratch: &mut CheckScratch, record: &Record<'_>, line: Line<'_, impl TokenPlaces>) -> Facts {
        let mut facts = Facts::default();
        let ids_are_plain = self.ids_are_plain(line, &mut facts) || (!self.says && facts.id.is_some());
        if !ids_are_plain {
            self.check_ids(scratch, record, &mut facts);
        }
        facts.mode = quick_mode(line).or_else(|| self.read_mode(scratch, record));
        facts.status = quick_status(line).or_else(|| self.check_status(scratch, record));
        if self.says {
            if !ids_are_plain {
                self.check_reserved(scratch, record, &facts);
            }
            if !line.is_null_or(line.value(Member::StatusReason), |text| text.len() <= STATUS_REASON_CHARACTERS_MAX) {
                self.check_status_reason(scratch, record);
            }
            if !etags_are_plain(line, facts.mode) {
                self.check_etags(scratch, record, facts.mode);
            }
        }
        let authenticates = match &line.plan.authentication {
            Part::Object(plan) => self.quick_authentication(line, plan, &facts),
            _ => None,
        };
        facts.authenticates = authenticates.unwrap_or_else(|| self.check_authentication(scratch, record, &facts));
        self.check_twin_by_plan(scratch, record, line, &mut facts);
        if !scopes_are_plain(line, &mut facts) {
            self.check_scopes(scratch, record, &mut facts);
        }
        if self.says && record.may_have_escapes() {
            self.check_surrogates(scratch, record);
        }
        facts
    }

    /// Reads the ids; whether nothing is to be said about them.
    #[inline]
    fn ids_are_plain(&self, line: Line<'_, impl TokenPlaces>, facts: &mut Facts) -> bool {
        let is_plain =
            |text: &[u8]| (1..=ID_CHARACTERS_MAX).contains(&text.len()) && line.record.all_within(text, &PLAIN);
        let Some(Value { text: id, kind: b'"' }) = line.value(Member::Id) else {
            return false;
        };
        facts.id = Some(line.string(id));
        let module_is_plain = match line.value(Member::ModuleId) {
            None => true,
            Some(Value { text, kind: b'"' }) => {
                facts.module_id = Some(line.string(text));
                let module_id = line.content(text);
                !is_system_module(module_id) && is_plain(module_id)
            }
            other => line.is_null_or(other, |_| false),
        };
        module_is_plain && is_plain(line.content(id))
    }

    /// How the device authenticates, where nothing is to be said about that; `None` where there may be.
    #[inline]
    fn quick_authentication(
        &self,
        line: Line<'_, impl TokenPlaces>,
        plan: &AuthenticationPlan,
        facts: &Facts,
    ) -> Option<Authenticates> {
        let kind = match plan.kind {
            None => AuthenticationType::Sas,
            Some(Value { text, kind: b'"' }) => match line.content(text) {
                b"sas" => AuthenticationType::Sas,
                b"selfSigned" => AuthenticationType::SelfSigned,
                b"certificateAuthority" => AuthenticationType::CertificateAuthority,
                b"none" => AuthenticationType::None,
                _ => return None,
            },
            Some(_) => return None,
        };
        if !self.says {
            return Some(Authenticates::By(kind));
        }
        if plan.nulls.into_iter().flatten().any(|mark| line.first(mark) != b'n') {
            return None;
        }
        let is_key = |text: &[u8]| is_key(text, |digits| line.record.all_within(digits, &BASE64));
        let is_thumbprint = |text: &[u8]| is_thumbprint(text, |digits| line.record.all_within(digits, &HEXADECIMAL));
        let keys = [line.length(plan.keys[0], is_key)?, line.length(plan.keys[1], is_key)?];
        let thumbprints =
            [line.length(plan.thumbprints[0], is_thumbprint)?, line.length(plan.thumbprints[1], is_thumbprint)?];
        let [keys_there, thumbprints_there] = [keys, thumbprints].map(|pair| pair != [0, 0]);
        let half = (keys[0] == 0) != (keys[1] == 0);
        let mixed = thumbprints[0] != thumbprints[1] && !thumbprints.contains(&0);
        let agree = match kind {
            AuthenticationType::Sas => {
                let writes_identity = facts.mode.is_some_and(ImportMode::writes_identity);
                !thumbprints_there && (keys_there || !writes_identity)
            }
            AuthenticationType::SelfSigned => thumbprints_there && !keys_there,
            AuthenticationType::CertificateAuthority => !thumbprints_there && !keys_there,
            AuthenticationType::None => {
                let is_of_the_hub = facts.module_id.is_some_and(|id| line.chunk[id.start as usize + 1] == b'$');
                is_of_the_hub && !keys_there && !thumbprints_there
            }
        };
        (agree && !half && !mixed).then_some(Authenticates::By(kind))
    }

    /// Tags and properties.
    #[inline]
    fn check_twin_by_plan(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        line: Line<'_, impl TokenPlaces>,
        facts: &mut Facts,
    ) {
        if !self.quick_section(line, &line.plan.tags, 0, &mut facts.sizes) {
            self.check_tags_if_any(scratch, record, facts);
        }
        let as_should_be = match &line.plan.properties {
            Part::Absent => true,
            Part::Scalar(mark) => line.first(*mark) == b'n',
            Part::Object(plan) => {
                let [desired, reported] = &plan.sections;
                self.quick_section(line, desired, 1, &mut facts.sizes)
                    && self.quick_section(line, reported, 2, &mut facts.sizes)
            }
            Part::Odd => false,
        };
        if !as_should_be {
            self.check_properties_if_any(scratch, record, facts);
        }
    }

    /// Whether nothing is to be said about a section; where sizes are asked for, notes its size.
    #[inline]
    fn quick_section(
        &self,
        line: Line<'_, impl TokenPlaces>,
        section: &Part<SectionPlan>,
        number: usize,
        sizes: &mut TwinSizes,
    ) -> bool {
        match section {
            Part::Absent => true,
            Part::Scalar(mark) => line.first(*mark) == b'n',
            Part::Object(plan) if self.says => self.values_are_plain(line, plan, number),
            Part::Object(plan) => {
                sizes.set(number, measured(line, plan));
                true
            }
            Part::Odd => false,
        }
    }

    /// Whether nothing is to be said about the values in a section of a twin, nor about its size.
    #[inline]
    fn values_are_plain(&self, line: Line<'_, impl TokenPlaces>, plan: &SectionPlan, number: usize) -> bool {
        if !scalars_are_plain(line, &plan.scalars) {
            return false;
        }
        // No text counts more than the bytes that it is spelled with.
        let size_max = if number == 0 { TAGS_SIZE_MAX } else { PROPERTIES_SIZE_MAX } as usize;
        let scalars = NUMBER_SIZE as usize * plan.scalars.len();
        let spelled = (line.place(plan.last) - line.place(plan.open)) as usize;
        if spelled <= TWIN_STRING_MAX && spelled + scalars <= size_max {
            return true;
        }
        let (mut sum, mut longest) = (0, 0);
        for text in &plan.texts {
            let length = line.content(*text).len();
            sum += length;
            longest = longest.max(length);
        }
        longest <= TWIN_STRING_MAX && plan.fixed + scalars + sum <= size_max
    }
}

/// The length from which on an integer may be out of range.
const LONG_NUMBER: usize = 16;

/// Whether there is no null among these scalars, and no number out of range.
#[inline]
fn scalars_are_plain(line: Line<'_, impl TokenPlaces>, scalars: &[TokenMark]) -> bool {
    let mut any_null = false;
    for mark in scalars {
        let at = line.place(*mark) as usize;
        any_null |= line.chunk[at] == b'n';
        // What follows a shorter number may be a digit, too, but hardly looks like a number all along.
        if line.chunk.get(at..at + LONG_NUMBER).is_some_and(is_of_digits) && !number_is_plain(&line.chunk[at..]) {
            return false;
        }
    }
    !any_null
}

/// Whether a long integer may stand here: some of its bytes are looked at.
#[inline(always)]
fn is_of_digits(bytes: &[u8]) -> bool {
    bytes[LONG_NUMBER - 1].is_ascii_digit() & bytes[6].is_ascii_digit() & bytes[10].is_ascii_digit()
}

#[inline(never)]
fn number_is_plain(rest: &[u8]) -> bool {
    let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
    is_twin_number(&rest[..end.unwrap_or(rest.len())])
}

/// What a section counts.
#[inline]
fn measured(line: Line<'_, impl TokenPlaces>, plan: &SectionPlan) -> Length {
    let mut size = Length::of(plan.fixed);
    let mut scalars = 0;
    for mark in &plan.scalars {
        scalars += match line.first(*mark) {
            b't' | b'f' => BOOLEAN_SIZE,
            b'n' => 0,
            _ => NUMBER_SIZE,
        } as usize;
    }
    size.add(Length::of(scalars));
    if line.record.is_plain() {
        let spelled = plan.texts.iter().map(|text| line.content(*text).len()).sum();
        size.add(Length::of(spelled));
    } else {
        plan.texts.iter().for_each(|text| size.add(measure(line.content(*text), false).counted()));
    }
    size
}

/// The import mode, where it is not there or written as the hub writes it.
#[inline]
fn quick_mode(line: Line<'_, impl TokenPlaces>) -> Option<ImportMode> {
    match line.value(Member::ImportMode) {
        None => Some(ImportMode::default()),
        Some(Value { text, kind: b'"' }) => {
            let text = line.content(text);
            ImportMode::ALL.into_iter().find(|mode| mode.as_str().as_bytes() == text)
        }
        Some(_) => None,
    }
}

/// The status, where it is written as the hub writes it.
#[inline]
fn quick_status(line: Line<'_, impl TokenPlaces>) -> Option<Status> {
    let Some(Value { text, kind: b'"' }) = line.value(Member::Status) else {
        return None;
    };
    match line.content(text) {
        b"enabled" => Some(Status::Enabled),
        b"disabled" => Some(Status::Disabled),
        _ => None,
    }
}

/// Whether nothing is to be said about the ETags under this mode.
#[inline]
fn etags_are_plain(line: Line<'_, impl TokenPlaces>, mode: Option<ImportMode>) -> bool {
    let none_needed = !mode.is_some_and(ImportMode::is_if_match);
    let any_stale = mode == Some(ImportMode::Create);
    let is_plain = |member| line.is_null_or(line.value(member), |text| text.is_empty() || !any_stale);
    none_needed && is_plain(Member::ETag) && is_plain(Member::TwinETag)
}

/// Reads capabilities and scopes; whether nothing is to be said about them.
#[inline]
fn scopes_are_plain(line: Line<'_, impl TokenPlaces>, facts: &mut Facts) -> bool {
    let edge_is_plain = match line.plan.edge {
        Edge::Fixed(is_edge) => {
            facts.is_edge = is_edge;
            true
        }
        Edge::Literal(mark) => {
            facts.is_edge = line.first(mark) == b't';
            matches!(line.first(mark), b't' | b'f' | b'n')
        }
        Edge::Null(mark) => line.first(mark) == b'n',
        Edge::Odd => false,
    };
    edge_is_plain
        && line.is_null_or(line.value(Member::DeviceScope), <[u8]>::is_empty)
        && line.value(Member::ParentScopes).is_none()
}
