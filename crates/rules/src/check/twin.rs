//! Tags, desired and reported properties (§3.6): names, texts, numbers, depth and size, in one walk over the tokens.
//!
//! The same walk looks for names that stand twice in any object that is deeper in a line (§1.5).

use hubmill_device::{
    BOOLEAN_SIZE, Code, NUMBER_SIZE, PROPERTIES_SIZE_MAX, Place, Severity, TAGS_SIZE_MAX, TWIN_DEPTH_MAX,
    TWIN_KEY_BYTES_MAX, TWIN_STRING_MAX, is_refused_in_twin_keys, is_twin_number, same_name,
};
use hubmill_parser::{Record, Span, ValueToken, VisitTokens, decode};

use super::place::{first_repeated, names_of};
use super::text::{Length, characters, measure, read_name};
use super::{CheckScratch, Checker};
use crate::finding::{Detail, Finding};

/// What a walk goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Tags,
    Desired,
    Reported,
    /// A value that the hub has no rules for: only names that stand twice count.
    Other,
}

impl Section {
    fn path(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Desired => "properties.desired",
            Self::Reported => "properties.reported",
            Self::Other => "",
        }
    }
}

/// How large the sections of a line's twin are; 0 where they are not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TwinSizes {
    /// In characters, as the hub counts: tags, desired, reported.
    pub characters: [u64; 3],
    /// The same in bytes of UTF-8.
    pub bytes: [u64; 3],
    /// Which of them are there.
    pub there: [bool; 3],
}

impl TwinSizes {
    pub(super) fn set(&mut self, section: usize, size: Length) {
        self.characters[section] = size.characters as u64;
        self.bytes[section] = size.bytes as u64;
        self.there[section] = true;
    }
}

/// Objects of up to so many members have their names compared pair by pair.
const PAIRWISE_MAX: usize = 16;

/// An integer of no more characters than this is in range.
const SHORT_NUMBER: usize = 15;

/// An object or array that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    open: u32,
    /// Where its names start among the numbers; `None` for an array.
    names: Option<u32>,
}

/// A walk through one section.
struct Walk<'a, 'r> {
    checker: &'a Checker,
    scratch: &'a mut CheckScratch,
    record: &'a Record<'r>,
    section: Section,
    plain: bool,
    /// The codes of which the line has enough, as errors and as warnings.
    enough: [u128; 2],
    size: Length,
}

/// What a walk through a value that is an object gives, from its opening bracket on.
struct WholeValue<'a, 'r>(Walk<'a, 'r>);

impl VisitTokens for WholeValue<'_, '_> {
    type Output = Length;

    fn visit(self, mut tokens: impl Iterator<Item = ValueToken>) -> Length {
        match tokens.next() {
            Some(ValueToken { place, kind: kind @ (b'{' | b'[') }) => self.0.run(&mut tokens, place, kind == b'{'),
            _ => Length::default(),
        }
    }
}

impl Walk<'_, '_> {
    fn has_rules(&self) -> bool {
        self.section != Section::Other
    }

    /// Walks to the bracket that closes the one at `open`; what the value counts.
    #[inline]
    fn run(mut self, tokens: &mut impl Iterator<Item = ValueToken>, open: u32, is_object: bool) -> Length {
        let has_rules = self.has_rules();
        self.scratch.frames.clear();
        self.scratch.numbers.clear();
        let mut frame = Frame { open, names: is_object.then_some(0) };
        while let Some(token) = tokens.next() {
            let value = match token.kind {
                b',' => continue,
                b'}' | b']' => {
                    self.close(frame);
                    match self.scratch.frames.pop() {
                        Some(outer) => frame = outer,
                        None => break,
                    }
                    continue;
                }
                _ if frame.names.is_some() => {
                    let Some(close) = tokens.next() else { break };
                    tokens.next();
                    let Some(value) = tokens.next() else { break };
                    let name = Span { start: token.place + 1, end: close.place };
                    if self.name(name, has_rules) {
                        skip(tokens, value);
                        continue;
                    }
                    value
                }
                _ => token,
            };
            match value.kind {
                b'"' => {
                    let Some(close) = tokens.next() else { break };
                    if has_rules {
                        self.text(Span { start: value.place + 1, end: close.place });
                    }
                }
                b'{' | b'[' => {
                    self.scratch.frames.push(frame);
                    let names = self.scratch.numbers.len() as u32;
                    frame = Frame { open: value.place, names: (value.kind == b'{').then_some(names) };
                    if has_rules && self.scratch.frames.len() > TWIN_DEPTH_MAX {
                        let message = "nested deeper than the ten levels that the hub takes (§3.6)";
                        self.say(Code::TwinDepth, value.place, Severity::Error, Detail::Text(message));
                    }
                }
                _ if has_rules => self.scalar(value.place),
                _ => {}
            }
        }
        self.size
    }

    /// A name; whether its value is not looked at.
    #[inline]
    fn name(&mut self, name: Span, has_rules: bool) -> bool {
        let (number, is_common) = read_name(self.record.chunk(), name);
        self.scratch.numbers.push(number);
        if !has_rules {
            return false;
        }
        let length = (name.end - name.start) as usize;
        if is_common && length <= TWIN_KEY_BYTES_MAX {
            self.size.add(Length::of(length));
            return false;
        }
        self.odd_name(name)
    }

    #[cold]
    fn odd_name(&mut self, name: Span) -> bool {
        let raw = self.record.bytes(name);
        let text = decode(raw);
        // What the hub itself puts at the top of a section does not count (§3.6).
        if self.scratch.frames.is_empty() && matches!(text.as_ref(), b"$metadata" | b"$version") {
            return true;
        }
        if let Some(character) = characters(&text).find(|character| is_refused_in_twin_keys(*character)) {
            self.say(Code::TwinKeyCharset, name.start - 1, Severity::Error, Detail::KeyCharacter(character));
        }
        if text.len() > TWIN_KEY_BYTES_MAX {
            let detail = Detail::Long { unit: "bytes", count: text.len(), max: TWIN_KEY_BYTES_MAX };
            self.say(Code::TwinKeyLength, name.start - 1, Severity::Error, detail);
        }
        self.size.add(measure(raw, false).counted());
        false
    }

    #[inline]
    fn text(&mut self, content: Span) {
        let measured = measure(self.record.bytes(content), self.plain);
        self.size.add(measured.counted());
        if measured.whole.bytes > TWIN_STRING_MAX {
            let whole = measured.whole;
            let (severity, unit, count) = if whole.characters > TWIN_STRING_MAX {
                (Severity::Error, "characters", whole.characters)
            } else {
                (Severity::Warning, "bytes of UTF-8 (which of the two the hub counts is not known)", whole.bytes)
            };
            self.say(
                Code::TwinStringLength,
                content.start - 1,
                severity,
                Detail::Long { unit, count, max: TWIN_STRING_MAX },
            );
        }
    }

    #[inline]
    fn scalar(&mut self, place: u32) {
        let rest = &self.record.chunk()[place as usize..];
        match rest[0] {
            b't' | b'f' => self.size.add(Length::of(BOOLEAN_SIZE as usize)),
            b'n' => self.null(place),
            _ => {
                self.size.add(Length::of(NUMBER_SIZE as usize));
                // A shorter number is in range.
                if rest.get(SHORT_NUMBER).is_some_and(u8::is_ascii_digit) {
                    self.long_number(place, rest);
                }
            }
        }
    }

    #[inline(never)]
    fn long_number(&mut self, place: u32, rest: &[u8]) {
        let end = rest.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'));
        if !is_twin_number(&rest[..end.unwrap_or(rest.len())]) {
            let message = "an integer out of the hub's range, -4503599627370496 to 4503599627370495 (§3.6)";
            self.say(Code::TwinIntegerRange, place, Severity::Error, Detail::Text(message));
        }
    }

    #[cold]
    fn null(&mut self, place: u32) {
        let message =
            "a null in a twin: it is not known what the hub makes of it in an import (§3.6); leave the member out";
        self.say(Code::TwinNull, place, Severity::Warning, Detail::Text(message));
    }

    /// Looks for a name that stands twice in an object that ends here.
    #[inline]
    fn close(&mut self, frame: Frame) {
        let Some(start) = frame.names else {
            return;
        };
        let numbers = &mut self.scratch.numbers[start as usize..];
        let repeated = if numbers.len() <= PAIRWISE_MAX {
            numbers.iter().enumerate().any(|(at, number)| numbers[..at].contains(number))
        } else {
            numbers.sort_unstable();
            numbers.windows(2).any(|pair| pair[0] == pair[1])
        };
        self.scratch.numbers.truncate(start as usize);
        if repeated {
            self.repeated(frame.open);
        }
    }

    #[cold]
    fn repeated(&mut self, open: u32) {
        let chunk = self.record.chunk();
        if self.enough[1] >> Code::DuplicateMember as u8 & 1 == 1 {
            return;
        }
        if let Some(name) = first_repeated(chunk, &names_of(chunk, open)) {
            self.say(Code::DuplicateMember, name.start - 1, Severity::Warning, Detail::Twice);
        }
    }

    #[cold]
    fn say(&mut self, code: Code, at: u32, severity: Severity, detail: Detail) {
        let enough = &mut self.enough[usize::from(severity != Severity::Error)];
        if *enough >> code as u8 & 1 == 1 {
            return;
        }
        let finding = Finding::new(code, at, "", detail).within(self.record.start() as u32);
        if !self.checker.add(self.scratch, Finding { severity, ..finding }) {
            *enough |= 1 << code as u8;
        }
    }
}

/// Passes over the value whose first token was just taken.
fn skip(tokens: &mut impl Iterator<Item = ValueToken>, value: ValueToken) {
    match value.kind {
        b'"' => {
            tokens.next();
        }
        b'{' | b'[' => {
            let mut depth = 1u32;
            for token in tokens {
                match token.kind {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => continue,
                }
                if depth == 0 {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// The members of `properties`, from its opening bracket on.
struct Properties<'a, 'r> {
    checker: &'a Checker,
    scratch: &'a mut CheckScratch,
    record: &'a Record<'r>,
    sizes: &'a mut TwinSizes,
}

impl VisitTokens for Properties<'_, '_> {
    type Output = ();

    fn visit(self, mut tokens: impl Iterator<Item = ValueToken>) {
        let Self { checker, scratch, record, sizes } = self;
        scratch.odd.clear();
        let mut seen = [false; 2];
        tokens.next();
        while let Some(token) = tokens.next() {
            match token.kind {
                b',' => continue,
                b'"' => {}
                _ => break,
            }
            let Some(close) = tokens.next() else { break };
            tokens.next();
            let Some(value) = tokens.next() else { break };
            let name = Span { start: token.place + 1, end: close.place };
            let text = record.decoded(name);
            let which = ["desired", "reported"].iter().position(|known| same_name(&text, known.as_bytes()));
            let section = match which {
                Some(0) => Section::Desired,
                Some(_) => Section::Reported,
                None => {
                    checker.odd_name(scratch, Place::Properties, name, &text);
                    scratch.odd.push(name);
                    Section::Other
                }
            };
            if let Some(which) = which
                && std::mem::replace(&mut seen[which], true)
            {
                checker.twice(scratch, Place::Properties, name);
            }
            match value.kind {
                b'{' | b'[' if which.is_none() || value.kind == b'{' => {
                    let walk = Walk {
                        checker,
                        scratch: &mut *scratch,
                        record,
                        section,
                        plain: record.is_plain(),
                        enough: [0; 2],
                        size: Length::default(),
                    };
                    let size = walk.run(&mut tokens, value.place, value.kind == b'{');
                    if let Some(which) = which {
                        sizes.set(which + 1, size);
                        checker.look_at_size(scratch, section, value.place, size);
                    }
                }
                kind => {
                    let is_null = kind == ValueToken::SCALAR && record.chunk()[value.place as usize] == b'n';
                    if which.is_some() && !is_null {
                        checker.wrong_type(scratch, value.place, section.path(), "an object or null");
                    }
                    skip(&mut tokens, value);
                }
            }
        }
        checker.odd_twice(scratch, record, Place::Properties, Severity::Error);
    }
}

impl Checker {
    /// Checks `tags`, which is an object.
    pub(super) fn check_tags(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        member: &hubmill_parser::MemberSpan,
        sizes: &mut TwinSizes,
    ) {
        let size = self.walk(scratch, record, member, Section::Tags);
        sizes.set(0, size);
        self.look_at_size(scratch, Section::Tags, member.value.start, size);
    }

    /// Checks `properties`, which is an object.
    pub(super) fn check_properties(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        member: &hubmill_parser::MemberSpan,
        sizes: &mut TwinSizes,
    ) {
        record.visit_tokens(member, Properties { checker: self, scratch, record, sizes });
    }

    /// Walks through a value, if it is an object or an array.
    pub(super) fn walk(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        member: &hubmill_parser::MemberSpan,
        section: Section,
    ) -> Length {
        let walk = Walk {
            checker: self,
            scratch,
            record,
            section,
            plain: record.is_plain(),
            enough: [0; 2],
            size: Length::default(),
        };
        record.visit_tokens(member, WholeValue(walk))
    }

    #[inline]
    fn look_at_size(&self, scratch: &mut CheckScratch, section: Section, at: u32, size: Length) {
        let (code, max) = match section {
            Section::Tags => (Code::TagsSize, TAGS_SIZE_MAX),
            Section::Desired => (Code::DesiredSize, PROPERTIES_SIZE_MAX),
            _ => (Code::ReportedSize, PROPERTIES_SIZE_MAX),
        };
        let (characters, bytes) = (size.characters as u64, size.bytes as u64);
        if bytes > max {
            let finding = Finding::new(code, at, section.path(), Detail::Size { characters, bytes, max });
            let severity = if characters > max { Severity::Error } else { Severity::Warning };
            self.add(scratch, Finding { severity, ..finding });
        }
    }
}
