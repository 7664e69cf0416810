//! One valid line: its members, and the members of what is inside of them.

use std::borrow::Cow;

use crate::arch::{ByteSet, Level};
use crate::fixed::{Anchor, AnchoredSpan, FixedText};
use crate::form::{DeepNames, Form};
use crate::index::Flags;
use crate::lazy::Lazy;
use crate::scalar::scalar_end;
use crate::shape::MemberTokens;
use crate::stencil::StencilTokens;
use crate::text::{decode, is_short_and_plain, string_text};
use crate::walk::{LineTokens, SliceTokens, Token, Tokens};
use crate::window::WindowTokens;

/// A range of bytes of a chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range from `start` up to `end`.
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// The bytes of the range.
    #[inline]
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize..self.end as usize]
    }

    /// The bytes of the range without the first and the last: what stands between the quotes of a string.
    ///
    /// # Panics
    /// Where it has less than two.
    #[inline(always)]
    pub fn inside_of(self, bytes: &[u8]) -> &[u8] {
        &bytes[self.start as usize + 1..self.end as usize - 1]
    }
}

/// A member of an object: where its name and its value stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberSpan {
    /// What stands between the quotes of the name.
    pub name: Span,
    /// The value, without white space around it.
    pub value: Span,
    /// The number of the value's first token in its line.
    pub(crate) token: u32,
}

impl MemberSpan {
    /// The place of the opening quote of the name.
    #[inline]
    pub fn start(&self) -> u32 {
        self.name.start - 1
    }
}

/// What tells where a token is, in a line of the [`Form`] that it was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenMark(u32);

/// Where the tokens of a line are.
pub trait TokenPlaces: Copy {
    /// Where a token is, from the start of the chunk.
    fn place(self, mark: TokenMark) -> u32;
}

/// The tokens of a line, in the way in which the line was recognised.
#[derive(Clone, Copy, Debug)]
pub enum NumberedTokens<'a> {
    /// By its shape.
    Listed(ListedTokens<'a>),
    /// By its fixed text.
    Fixed(FixedTokens<'a>),
}

/// Tokens that were found one by one.
#[derive(Clone, Copy, Debug)]
pub struct ListedTokens<'a>(LineTokens<'a>);

/// Tokens that stand where the fixed text of a line has them.
#[derive(Clone, Copy, Debug)]
pub struct FixedTokens<'a>(StencilTokens<'a>);

impl TokenPlaces for ListedTokens<'_> {
    #[inline(always)]
    fn place(self, TokenMark(token): TokenMark) -> u32 {
        self.0.places[token as usize]
    }
}

impl TokenPlaces for FixedTokens<'_> {
    #[inline(always)]
    fn place(self, TokenMark(mark): TokenMark) -> u32 {
        self.0.packed_place(mark)
    }
}

impl TokenPlaces for NumberedTokens<'_> {
    #[inline]
    fn place(self, mark: TokenMark) -> u32 {
        match self {
            Self::Listed(tokens) => tokens.place(mark),
            Self::Fixed(tokens) => tokens.place(mark),
        }
    }
}

impl<'a> NumberedTokens<'a> {
    /// The mark of the token of this number.
    ///
    /// # Panics
    /// Where there is none of this number.
    pub fn mark(self, token: usize) -> TokenMark {
        TokenMark(match self {
            Self::Listed(ListedTokens(tokens)) => {
                assert!(token < tokens.kinds.len(), "a token of the line");
                token as u32
            }
            Self::Fixed(FixedTokens(tokens)) => tokens.packed(token),
        })
    }

    /// What each is: the byte that stands there, or [`ValueToken::SCALAR`](crate::ValueToken::SCALAR).
    #[inline]
    pub fn kinds(&self) -> &'a [u8] {
        match self {
            Self::Listed(ListedTokens(tokens)) => tokens.kinds,
            Self::Fixed(FixedTokens(tokens)) => tokens.kinds(),
        }
    }
}

/// Where the tokens of a line are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Places<'a> {
    Indexed(LineTokens<'a>),
    /// Worked out from the places of the stencil's pieces.
    Stencil(StencilTokens<'a>),
    /// Not kept: found anew where asked for.
    Windowed,
}

/// Inside of which members of the outer object names belong to the form, too.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Covers {
    These(DeepNames),
    All,
}

/// Where the members of a line are to be had from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MemberSource<'a> {
    Walked(&'a [MemberSpan]),
    Known { members: &'a [MemberTokens], form: Option<Form>, covers: Covers, lazy: &'a Lazy<MemberSpan> },
}

/// What is known of a line that is a JSON object.
#[derive(Debug)]
pub(crate) struct RecordParts<'a> {
    /// The chunk up to the end of the line.
    pub(crate) bytes: &'a [u8],
    /// Where the line starts.
    pub(crate) start: usize,
    pub(crate) flags: Flags,
    pub(crate) level: Level,
    pub(crate) members: MemberSource<'a>,
    pub(crate) places: Places<'a>,
}

/// One line that is a JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a>(pub(crate) &'a RecordParts<'a>);

impl<'a> Record<'a> {
    /// The place of the `{` that the record starts with.
    pub fn open(&self) -> u32 {
        let line = &self.0.bytes[self.0.start..];
        let spaces = line.iter().take_while(|byte| **byte != b'{').count();
        (self.0.start + spaces) as u32
    }

    /// The members of the outer object, in order.
    #[inline]
    pub fn members(&self) -> &'a [MemberSpan] {
        match self.0.members {
            MemberSource::Walked(members) => members,
            MemberSource::Known { members, lazy, .. } => {
                lazy.get_or_fill(members.iter().map(|member| self.at(*member)))
            }
        }
    }

    /// The member with this number among those of the outer object: where only a few are wanted, less work than
    /// [`members`](Self::members).
    #[inline(always)]
    pub fn member(&self, number: usize) -> Option<MemberSpan> {
        match self.0.members {
            MemberSource::Walked(members) => members.get(number).copied(),
            MemberSource::Known { members, .. } => members.get(number).map(|member| self.at(*member)),
        }
    }

    /// The value of the member with this number among those of the outer object.
    #[inline(always)]
    pub fn value(&self, number: usize) -> Option<Span> {
        match self.0.members {
            MemberSource::Walked(members) => members.get(number).map(|member| member.value),
            MemberSource::Known { members, .. } => members.get(number).map(|member| self.value_at(*member)),
        }
    }

    /// How many members the outer object has.
    #[inline]
    pub fn member_count(&self) -> usize {
        match self.0.members {
            MemberSource::Walked(members) => members.len(),
            MemberSource::Known { members, .. } => members.len(),
        }
    }

    /// The form of the line, where it has one and it is known.
    #[inline]
    pub fn form(&self) -> Option<Form> {
        match self.0.members {
            MemberSource::Walked(_) => None,
            MemberSource::Known { form, .. } => form,
        }
    }

    /// Whether the names inside of a member of the outer object belong to the form, too.
    pub fn form_covers(&self, member: &MemberSpan) -> bool {
        match self.0.members {
            MemberSource::Known { form: Some(_), covers: Covers::All, .. } => true,
            MemberSource::Known { form: Some(_), covers: Covers::These(deep), .. } => {
                deep.cover(self.bytes(member.name))
            }
            _ => false,
        }
    }

    /// The form of the line, where all names belong to it that the parser was [asked for](crate::Parser::with_all_names), and
    /// the tokens of the line.
    #[inline]
    pub fn whole_form(&self) -> Option<(Form, NumberedTokens<'a>)> {
        let (form, covers) = match self.0.members {
            MemberSource::Known { form: Some(form), covers, .. } => (form, covers),
            _ => return None,
        };
        let tokens = match (self.0.places, covers) {
            (Places::Stencil(tokens), Covers::All) => NumberedTokens::Fixed(FixedTokens(tokens)),
            (Places::Indexed(tokens), Covers::These(DeepNames::AllBut(_))) => {
                NumberedTokens::Listed(ListedTokens(tokens))
            }
            _ => return None,
        };
        Some((form, tokens))
    }

    /// The tokens of a member, at any depth: the same in all lines of the same [`Form`]. `None` for a line so long that
    /// its tokens are not numbered.
    pub fn tokens(&self, member: &MemberSpan) -> Option<MemberTokens> {
        match self.0.places {
            Places::Indexed(tokens) => MemberTokens::new(tokens.kinds, member.token as usize),
            Places::Stencil(tokens) => MemberTokens::new(tokens.kinds(), member.token as usize),
            Places::Windowed => None,
        }
    }

    /// The member that has these tokens, in a line of the [`Form`] that they were taken from.
    #[inline(always)]
    pub fn at(&self, tokens: MemberTokens) -> MemberSpan {
        match self.0.places {
            Places::Indexed(line) => tokens.span(self.0.bytes, |token| line.places[token]),
            Places::Stencil(line) => tokens.span(self.0.bytes, |token| line.place(token)),
            Places::Windowed => unreachable!("no tokens were taken from a line without any"),
        }
    }

    /// The value of the member that has these tokens, in a line of the [`Form`] that they were taken from.
    #[inline(always)]
    pub fn value_at(&self, tokens: MemberTokens) -> Span {
        match self.0.places {
            Places::Indexed(line) => tokens.value_span(self.0.bytes, |token| line.places[token]),
            Places::Stencil(line) => tokens.value_span(self.0.bytes, |token| line.place(token)),
            Places::Windowed => unreachable!("no tokens were taken from a line without any"),
        }
    }

    /// Where a place is in all lines of the same [`Form`]; `None` where it is inside of a value, and for a line of which only
    /// the names are known.
    pub fn anchor(&self, place: u32) -> Option<Anchor> {
        match self.0.places {
            Places::Stencil(line) => line.anchor(place),
            Places::Indexed(_) | Places::Windowed => None,
        }
    }

    /// Whether a span holds the same bytes in all lines of the same [`Form`]; `false` also where that is not known.
    pub fn is_fixed(&self, span: Span) -> bool {
        match self.0.places {
            Places::Stencil(line) => line.is_fixed(span.start, span.end),
            Places::Indexed(_) | Places::Windowed => false,
        }
    }

    /// Where a span is in all lines of the same [`Form`], in as far as its ends are no places inside of values.
    pub fn anchored(&self, span: Span) -> Option<AnchoredSpan> {
        Some(AnchoredSpan { start: self.anchor(span.start)?, end: self.anchor(span.end)? })
    }

    /// The fixed text of the line, where that is known.
    #[inline]
    pub fn fixed_text(&self) -> Option<FixedText<'a>> {
        match self.0.places {
            Places::Stencil(line) => Some(FixedText {
                bytes: self.0.bytes,
                starts: line.starts,
                form: line.stencil.form,
                flags: self.0.flags,
                level: self.0.level,
            }),
            Places::Indexed(_) | Places::Windowed => None,
        }
    }

    /// The tokens one by one; `None` for a line so long that they are not kept.
    #[inline]
    pub(crate) fn line_tokens(&self) -> Option<LineTokens<'a>> {
        match self.0.places {
            Places::Indexed(tokens) => Some(tokens),
            Places::Stencil(tokens) => Some(tokens.list()),
            Places::Windowed => None,
        }
    }

    /// The bytes of a span of this record.
    #[inline]
    pub fn bytes(&self, span: Span) -> &'a [u8] {
        span.of(self.0.bytes)
    }

    /// The decoded name of a member.
    #[inline(always)]
    pub fn name(&self, member: &MemberSpan) -> Cow<'a, [u8]> {
        let raw = self.bytes(member.name);
        if !self.0.flags.has(Flags::BACKSLASH) || is_short_and_plain(self.0.bytes, member.name) {
            Cow::Borrowed(raw)
        } else {
            decode(raw)
        }
    }

    /// The decoded text of a value, `None` where it is no string.
    #[inline]
    pub fn text(&self, value: Span) -> Option<Cow<'a, [u8]>> {
        let raw = self.bytes(value);
        if self.0.flags.has(Flags::BACKSLASH) {
            return string_text(raw);
        }
        match raw {
            [b'"', content @ .., b'"'] => Some(Cow::Borrowed(content)),
            _ => None,
        }
    }

    /// Whether all of these bytes are in `set`.
    #[inline]
    pub fn all_within(&self, bytes: &[u8], set: &ByteSet) -> bool {
        self.0.level.all_in(set, bytes)
    }

    /// What stands between the quotes of a value that is a string of nothing but characters of `set`, which must not have
    /// the quote or the backslash; `None` for any other string and for what is no string.
    #[inline]
    pub fn text_within(&self, value: Span, set: &ByteSet) -> Option<&'a [u8]> {
        self.0.level.text_within(self.0.bytes, value, set)
    }

    /// The members of a value that is an object, in order; `None` where it is none.
    #[inline]
    pub fn object(&self, member: &MemberSpan) -> Option<Members<'a>> {
        let open = member.value.start as usize;
        if self.0.bytes[open] != b'{' {
            return None;
        }
        let tokens = match self.line_tokens() {
            Some(tokens) => AnyTokens::Slice(SliceTokens::new(tokens, member.token as usize + 1)),
            None => AnyTokens::Window(Box::new(WindowTokens::new(self.0.level, self.0.bytes, open + 1))),
        };
        Some(Members { bytes: self.0.bytes, tokens })
    }
}

#[derive(Debug)]
enum AnyTokens<'a> {
    Slice(SliceTokens<'a>),
    Window(Box<WindowTokens<'a>>),
}

impl Tokens for AnyTokens<'_> {
    #[inline]
    fn next(&mut self) -> Option<Token> {
        match self {
            Self::Slice(tokens) => tokens.next(),
            Self::Window(tokens) => tokens.next(),
        }
    }

    #[inline]
    fn number(&self) -> u32 {
        match self {
            Self::Slice(tokens) => tokens.number(),
            Self::Window(tokens) => tokens.number(),
        }
    }
}

/// The members of an inner object, in order.
#[derive(Debug)]
pub struct Members<'a> {
    bytes: &'a [u8],
    tokens: AnyTokens<'a>,
}

impl Members<'_> {
    /// The end of the value whose first token was just taken.
    #[inline]
    fn value_end(&mut self, value: Token) -> Option<usize> {
        match value.kind {
            b'"' => Some(self.tokens.next()?.place + 1),
            b'{' | b'[' => {
                let mut depth = 1u32;
                loop {
                    let token = self.tokens.next()?;
                    match token.kind {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => {
                            depth -= 1;
                            if depth == 0 {
                                return Some(token.place + 1);
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => Some(scalar_end(self.bytes, value.place)),
        }
    }
}

impl Iterator for Members<'_> {
    type Item = MemberSpan;

    #[inline]
    fn next(&mut self) -> Option<MemberSpan> {
        let mut open = self.tokens.next()?;
        if open.kind == b',' {
            open = self.tokens.next()?;
        }
        if open.kind != b'"' {
            return None;
        }
        let close = self.tokens.next()?;
        let _colon = self.tokens.next()?;
        let value = self.tokens.next()?;
        let token = self.tokens.number();
        let end = self.value_end(value)?;
        Some(MemberSpan { name: Span::new(open.place + 1, close.place), value: Span::new(value.place, end), token })
    }
}
