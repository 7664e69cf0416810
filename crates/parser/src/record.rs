//! One valid line: its members, and the members of what is inside of them.

use std::borrow::Cow;

use crate::arch::Level;
use crate::index::Flags;
use crate::scalar::scalar_end;
use crate::text::{decode, string_text};
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

/// Where the tokens of a line are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Places<'a> {
    Indexed(LineTokens<'a>),
    /// Not kept: found anew where asked for.
    Windowed(Level),
}

/// One line that is a JSON object.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The chunk up to the end of the line.
    pub(crate) bytes: &'a [u8],
    /// Where the line starts.
    pub(crate) start: usize,
    pub(crate) flags: Flags,
    pub(crate) members: &'a [MemberSpan],
    pub(crate) places: Places<'a>,
}

impl<'a> Record<'a> {
    /// The place of the `{` that the record starts with.
    pub fn open(&self) -> u32 {
        let line = &self.bytes[self.start..];
        let spaces = line.iter().take_while(|byte| **byte != b'{').count();
        (self.start + spaces) as u32
    }

    /// The members of the outer object, in order.
    #[inline]
    pub fn members(&self) -> &'a [MemberSpan] {
        self.members
    }

    /// The bytes of a span of this record.
    #[inline]
    pub fn bytes(&self, span: Span) -> &'a [u8] {
        span.of(self.bytes)
    }

    /// The decoded name of a member.
    #[inline]
    pub fn name(&self, member: &MemberSpan) -> Cow<'a, [u8]> {
        let raw = self.bytes(member.name);
        if self.flags.has(Flags::BACKSLASH) { decode(raw) } else { Cow::Borrowed(raw) }
    }

    /// The decoded text of a value, `None` where it is no string.
    #[inline]
    pub fn text(&self, value: Span) -> Option<Cow<'a, [u8]>> {
        let raw = self.bytes(value);
        if self.flags.has(Flags::BACKSLASH) {
            return string_text(raw);
        }
        match raw {
            [b'"', content @ .., b'"'] => Some(Cow::Borrowed(content)),
            _ => None,
        }
    }

    /// The members of a value that is an object, in order; `None` where it is none.
    #[inline]
    pub fn object(&self, member: &MemberSpan) -> Option<Members<'a>> {
        let open = member.value.start as usize;
        if self.bytes[open] != b'{' {
            return None;
        }
        let tokens = match self.places {
            Places::Indexed(tokens) => AnyTokens::Slice(SliceTokens::new(tokens, member.token as usize + 1)),
            Places::Windowed(level) => AnyTokens::Window(Box::new(WindowTokens::new(level, self.bytes, open + 1))),
        };
        Some(Members { bytes: self.bytes, tokens })
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
