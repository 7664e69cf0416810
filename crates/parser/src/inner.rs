//! The tokens of a value, for those who walk into it themselves: once, in order, without a tree.

use std::borrow::Cow;

use crate::index::Flags;
use crate::record::{MemberSpan, Record, Span};
use crate::text::decode;
use crate::walk::{SliceTokens, Token, Tokens};
use crate::window::WindowTokens;

/// A token inside of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueToken {
    /// Where it is, from the start of the chunk.
    pub place: u32,
    /// `{ } [ ] : ,`, a quote (a string is two of them), or [`ValueToken::SCALAR`] for the start of anything else.
    pub kind: u8,
}

impl ValueToken {
    /// The kind of a number or a literal.
    pub const SCALAR: u8 = crate::index::SCALAR;
}

/// What is done with the tokens of a value.
pub trait VisitTokens {
    /// What comes of it.
    type Output;

    /// Goes through the tokens: those of the value come first, and then those of the rest of the line.
    fn visit(self, tokens: impl Iterator<Item = ValueToken>) -> Self::Output;
}

struct Iter<T>(T);

impl<T: Tokens> Iterator for Iter<T> {
    type Item = ValueToken;

    #[inline(always)]
    fn next(&mut self) -> Option<ValueToken> {
        self.0.next().map(|Token { place, kind }| ValueToken { place: place as u32, kind })
    }
}

impl<'a> Record<'a> {
    /// The decoded text of what stands between two quotes.
    #[inline]
    pub fn decoded(&self, content: Span) -> Cow<'a, [u8]> {
        let raw = self.bytes(content);
        if self.0.flags.has(Flags::BACKSLASH) { decode(raw) } else { Cow::Borrowed(raw) }
    }

    /// Hands the tokens from the member's value on to `visitor`.
    #[inline]
    pub fn visit_tokens<V: VisitTokens>(&self, member: &MemberSpan, visitor: V) -> V::Output {
        match self.line_tokens() {
            Some(tokens) => visitor.visit(Iter(SliceTokens::new(tokens, member.token as usize))),
            None => visitor.visit(Iter(WindowTokens::new(self.0.level, self.0.bytes, member.value.start as usize))),
        }
    }

    /// Whether the line may hold an escape.
    #[inline]
    pub fn may_have_escapes(&self) -> bool {
        self.0.flags.has(Flags::BACKSLASH)
    }

    /// Whether every string of the line is spelled as it reads: no escapes, ASCII only.
    #[inline]
    pub fn is_plain(&self) -> bool {
        !self.0.flags.has(Flags::BACKSLASH | Flags::NON_ASCII)
    }

    /// The bytes of the line, from its start to its end.
    #[inline]
    pub fn line(&self) -> &'a [u8] {
        &self.0.bytes[self.0.start..]
    }

    /// The place of the line's first byte.
    #[inline]
    pub fn start(&self) -> usize {
        self.0.start
    }

    /// The chunk up to the end of the line: what places and spans count from.
    #[inline]
    pub fn chunk(&self) -> &'a [u8] {
        self.0.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{ValueToken, VisitTokens};
    use crate::{Content, Level, Limits, Parser};

    struct Kinds(usize);

    impl VisitTokens for Kinds {
        type Output = String;

        fn visit(self, tokens: impl Iterator<Item = ValueToken>) -> String {
            tokens.take(self.0).map(|token| format!("{}{} ", char::from(token.kind), token.place)).collect()
        }
    }

    #[test]
    fn tokens_start_with_the_value_however_the_line_was_indexed() {
        let line = br#"{"a":1,"b":{"c":[true,"x"]},"d":2}"#;
        for (block, long) in [(64 * 1024, 1 << 20), (1, 0)] {
            let mut parser = Parser::new(Level::detect(), Limits::default()).with_block_bytes(block, long);
            let mut seen = Vec::new();
            parser.parse(line, 0, |line| {
                if let Content::Record(record) = &line.content {
                    // Nothing is known of the strings of a long line.
                    assert_eq!((record.is_plain(), record.may_have_escapes()), (block > 1, block == 1));
                    assert_eq!((record.start(), record.line().len()), (0, 34));
                    seen.extend(record.members().iter().map(|member| record.visit_tokens(member, Kinds(3))));
                    let b = &record.members()[1];
                    let inner = record.object(b).and_then(|mut members| members.next());
                    seen.extend(inner.map(|member| record.visit_tokens(&member, Kinds(5))));
                }
                ControlFlow::Continue(())
            });
            assert_eq!(seen, ["s5 ,6 \"7 ", "{11 \"12 \"14 ", "s32 }33 ", "[16 s17 ,21 \"22 \"24 "], "{block}");
        }
    }
}
