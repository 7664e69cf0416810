//! What of the full check follows from the form of a line, that is from its structure and all of its names.
//!
//! It is worked out once for each form: which member is which, that names are as they should be, what the names of a
//! twin's sections count, and which tokens are the values that are still to be looked at in every line. See
//! [`quick`](super::quick) for what is done with it. Where something about a part of a line is out of the ordinary by
//! its form alone there is no plan for that part, and it is looked at in every line anew.

use hubmill_device::{BOOLEAN_SIZE, Member, MemberSet, Place, TWIN_DEPTH_MAX, TWIN_KEY_BYTES_MAX};
use hubmill_parser::{MemberSpan, NumberedTokens, Record, Span, TokenMark, TokenPlaces as _, ValueToken};

use super::text::read_name;
use super::{CheckScratch, Checker};

/// Inside of members of this name at the top of a twin's section names are of no importance.
pub(super) const METADATA: &str = "$metadata";
const VERSION: &str = "$version";

/// Members of which null says as much as their absence.
const NULL_IS_ABSENT: MemberSet =
    MemberSet::of(&[Member::ModuleId, Member::ETag, Member::StatusReason, Member::TwinETag, Member::DeviceScope]);

/// A value of a line: its first token, and what that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value {
    pub(super) text: Text,
    /// A quote, an opening bracket, or [`ValueToken::SCALAR`].
    pub(super) kind: u8,
}

/// The quotes of a string; of any other value the first token, twice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) open: TokenMark,
    pub(super) close: TokenMark,
}

/// A value that is an object, or null as far as its form tells.
#[derive(Debug)]
pub(super) enum Part<T> {
    /// The member is not there.
    Absent,
    /// A scalar with this token: nothing is to be looked at if it is null.
    Scalar(TokenMark),
    Object(T),
    /// It has to be looked at in every line.
    Odd,
}

/// `authentication`, of known names that stand once each, `type` last if it is there.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AuthenticationPlan {
    /// `symmetricKey` or `x509Thumbprint` where they are scalars, and not null in all lines of the form.
    pub(super) nulls: [Option<TokenMark>; 2],
    pub(super) keys: [Option<Value>; 2],
    pub(super) thumbprints: [Option<Value>; 2],
    pub(super) kind: Option<Value>,
}

/// A section of a twin in whose names and depth nothing is wrong.
#[derive(Debug)]
pub(super) struct SectionPlan {
    /// Its brackets.
    pub(super) open: TokenMark,
    pub(super) last: TokenMark,
    /// What its names count, and its values that are the same in all lines of the form.
    pub(super) fixed: usize,
    /// Its texts.
    pub(super) texts: Vec<Text>,
    /// Its numbers and literals that may be others in other lines.
    pub(super) scalars: Vec<TokenMark>,
}

/// `properties`, with nothing in it but sections.
#[derive(Debug)]
pub(super) struct PropertiesPlan {
    /// Desired and reported.
    pub(super) sections: [Part<SectionPlan>; 2],
}

/// Whether a device is an edge device.
#[derive(Clone, Copy, Debug)]
pub(super) enum Edge {
    /// In all lines of the form, or in none.
    Fixed(bool),
    /// Where a literal is `true`, which starts here.
    Literal(TokenMark),
    /// There is no `iotEdge` where `capabilities`, which start here, are null.
    Null(TokenMark),
    /// It has to be looked at in every line.
    Odd,
}

/// What follows from a form.
#[derive(Debug)]
pub(super) struct Plan {
    /// By [`Member`]: its number among the record's members.
    pub(super) known: [u32; Member::COUNT],
    /// By [`Member`]: its value.
    pub(super) values: [Option<Value>; Member::COUNT],
    pub(super) authentication: Part<AuthenticationPlan>,
    /// The value of `iotEdge`.
    pub(super) edge: Edge,
    pub(super) tags: Part<SectionPlan>,
    pub(super) properties: Part<PropertiesPlan>,
}

impl Checker {
    /// Works out what follows from the form of this line; `None` where its outer names are out of the ordinary.
    #[cold]
    pub(super) fn plan(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        tokens: NumberedTokens<'_>,
    ) -> Option<Plan> {
        let as_should_be = self.read_names_anew(scratch, record);
        // They are found again when the line is checked.
        scratch.clear();
        if !as_should_be {
            return None;
        }
        let form_of_line = FormOfLine { record, tokens };
        let member = |member: Member| scratch.get(record, member);
        let mut values = [None; Member::COUNT];
        for (member, value) in Member::ALL.into_iter().zip(&mut values) {
            let found = scratch
                .get(record, member)
                .filter(|found| !NULL_IS_ABSENT.contains(member) || !form_of_line.is_null(found));
            *value = found.and_then(|member| form_of_line.value(&member));
        }
        Some(Plan {
            known: scratch.known,
            values,
            authentication: form_of_line.part(member(Member::Authentication), |it| it.authentication()),
            edge: match form_of_line.part(member(Member::Capabilities), |it| it.edge()) {
                Part::Absent => Edge::Fixed(false),
                Part::Scalar(mark) => Edge::Null(mark),
                Part::Object(edge) => edge,
                Part::Odd => Edge::Odd,
            },
            tags: form_of_line.part(member(Member::Tags), |it| it.section()),
            properties: form_of_line.part(member(Member::Properties), |it| it.properties()),
        })
    }
}

/// A line of the form.
#[derive(Clone, Copy)]
struct FormOfLine<'r> {
    record: &'r Record<'r>,
    tokens: NumberedTokens<'r>,
}

/// A value of it that is an object, from its first token to its last.
struct Object<'r> {
    line: FormOfLine<'r>,
    member: MemberSpan,
    open: usize,
    last: usize,
}

impl<'r> FormOfLine<'r> {
    /// The value of a member, by its tokens.
    fn value(self, member: &MemberSpan) -> Option<Value> {
        let token = self.record.tokens(member)?.value();
        let kind = self.tokens.kinds()[token];
        Some(Value { text: self.text(token, if kind == b'"' { token + 1 } else { token }), kind })
    }

    fn text(self, open: usize, close: usize) -> Text {
        Text { open: self.tokens.mark(open), close: self.tokens.mark(close) }
    }

    fn place(self, token: usize) -> u32 {
        self.tokens.place(self.tokens.mark(token))
    }

    /// Whether a value is null in all lines of the form.
    fn is_null(self, member: &MemberSpan) -> bool {
        self.record.bytes(member.value) == b"null" && self.record.is_fixed(member.value)
    }

    fn part<T>(self, member: Option<MemberSpan>, plan: impl Fn(Object<'r>) -> Option<T>) -> Part<T> {
        let Some(member) = member else {
            return Part::Absent;
        };
        match (self.value(&member), self.record.tokens(&member)) {
            (Some(Value { text, kind: ValueToken::SCALAR }), _) => Part::Scalar(text.open),
            (Some(Value { kind: b'{', .. }), Some(tokens)) => {
                let object = Object { line: self, member, open: tokens.value(), last: tokens.last() };
                plan(object).map_or(Part::Odd, Part::Object)
            }
            _ => Part::Odd,
        }
    }

    /// Whether the literal that starts with this token is the same in all lines of the form.
    fn is_fixed(self, token: usize) -> bool {
        let start = self.place(token);
        self.record.is_fixed(Span { start, end: start + 1 })
    }

    /// What stands between the quotes of the string that opens with this token.
    fn content(self, token: usize) -> Span {
        Span { start: self.place(token) + 1, end: self.place(token + 1) }
    }
}

impl Object<'_> {
    /// Its members, where all have names that the hub knows in this place and none stands twice.
    fn pick<const N: usize>(&self, place: Place) -> Option<[Option<MemberSpan>; N]> {
        let mut found = [None; N];
        for member in self.line.record.object(&self.member)? {
            let name = self.line.record.name(&member);
            let number = place.names().iter().position(|known| known.as_bytes() == name.as_ref())?;
            if found[number].replace(member).is_some() {
                return None;
            }
        }
        Some(found)
    }

    fn authentication(self) -> Option<AuthenticationPlan> {
        let [keys, thumbprints, kind] = self.pick::<3>(Place::Authentication)?;
        if let (Some(kind), Some(thumbprints)) = (kind, thumbprints)
            && kind.start() < thumbprints.start()
        {
            return None;
        }
        let mut plan = AuthenticationPlan { kind: self.optional(kind)?, ..AuthenticationPlan::default() };
        for (number, (member, place)) in
            [(keys, Place::SymmetricKey), (thumbprints, Place::Thumbprint)].into_iter().enumerate()
        {
            let pair = match self.line.part(member, |pair| pair.pick::<2>(place)) {
                Part::Absent => [None; 2],
                Part::Scalar(mark) => {
                    plan.nulls[number] = member.is_some_and(|member| !self.line.is_null(&member)).then_some(mark);
                    [None; 2]
                }
                Part::Object(pair) => pair,
                Part::Odd => return None,
            };
            let values = [self.optional(pair[0])?, self.optional(pair[1])?];
            *(if number == 0 { &mut plan.keys } else { &mut plan.thumbprints }) = values;
        }
        Some(plan)
    }

    /// The value of a member that need not be there; `None` for one that is an object or an array.
    fn optional(&self, member: Option<MemberSpan>) -> Option<Option<Value>> {
        let Some(member) = member.filter(|member| !self.line.is_null(member)) else {
            return Some(None);
        };
        self.line.value(&member).filter(|value| matches!(value.kind, b'"' | ValueToken::SCALAR)).map(Some)
    }

    fn edge(self) -> Option<Edge> {
        let [edge] = self.pick::<1>(Place::Capabilities)?;
        let edge = edge?;
        match self.line.record.bytes(edge.value) {
            b"true" if self.line.record.is_fixed(edge.value) => return Some(Edge::Fixed(true)),
            b"false" | b"null" if self.line.record.is_fixed(edge.value) => return Some(Edge::Fixed(false)),
            _ => {}
        }
        let value = self.line.value(&edge)?;
        (value.kind == ValueToken::SCALAR).then_some(Edge::Literal(value.text.open))
    }

    fn properties(self) -> Option<PropertiesPlan> {
        let sections = self.pick::<2>(Place::Properties)?;
        let sections = sections.map(|section| self.line.part(section, |section| section.section()));
        let is_odd = |section: &Part<SectionPlan>| matches!(section, Part::Odd);
        (!sections.iter().any(is_odd)).then_some(PropertiesPlan { sections })
    }

    /// A section of a twin.
    fn section(self) -> Option<SectionPlan> {
        let kinds = self.line.tokens.kinds();
        let chunk = self.line.record.chunk();
        let mark = |token: usize| self.line.tokens.mark(token);
        let mut plan = SectionPlan {
            open: mark(self.open),
            last: mark(self.last),
            fixed: 0,
            texts: Vec::new(),
            scalars: Vec::new(),
        };
        // The names of each open object, the innermost last; nothing for an array.
        let mut open: Vec<Vec<&[u8]>> = vec![Vec::new()];
        let mut at = self.open + 1;
        while at < self.last {
            match kinds[at] {
                b'{' | b'[' => {
                    open.push(Vec::new());
                    if open.len() > TWIN_DEPTH_MAX + 1 {
                        return None;
                    }
                }
                b'}' | b']' => {
                    let mut names = open.pop()?;
                    if has_repeated(&mut names) {
                        return None;
                    }
                }
                b'"' if kinds[at + 2] == b':' => {
                    let name = self.line.content(at);
                    let text = name.of(chunk);
                    open.last_mut()?.push(text);
                    at += 3;
                    let of_the_hub = [METADATA, VERSION].iter().any(|known| known.as_bytes() == text);
                    if of_the_hub && open.len() == 1 {
                        at = self.after_value(at);
                    } else if read_name(chunk, name).1 && text.len() <= TWIN_KEY_BYTES_MAX {
                        plan.fixed += text.len();
                    } else {
                        return None;
                    }
                    continue;
                }
                b'"' => {
                    plan.texts.push(self.line.text(at, at + 1));
                    at += 1;
                }
                ValueToken::SCALAR if self.line.is_fixed(at) => match chunk[self.line.place(at) as usize] {
                    b'n' => return None,
                    _ => plan.fixed += BOOLEAN_SIZE as usize,
                },
                ValueToken::SCALAR => plan.scalars.push(mark(at)),
                _ => {}
            }
            at += 1;
        }
        (!has_repeated(&mut open.pop()?)).then_some(plan)
    }

    /// The token after the value that starts with this one.
    fn after_value(&self, value: usize) -> usize {
        let kinds = self.line.tokens.kinds();
        let mut depth = 0u32;
        let mut at = value;
        loop {
            match kinds[at] {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                b'"' => at += 1,
                _ => {}
            }
            at += 1;
            if depth == 0 {
                return at;
            }
        }
    }
}

/// Whether one of the names stands twice.
fn has_repeated(names: &mut [&[u8]]) -> bool {
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}
