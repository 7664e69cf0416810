//! Lines of which the fixed text is known: where places of that text are in one of them.

use crate::arch::{ByteSet, Level};
use crate::form::Form;
use crate::index::Flags;
use crate::record::Span;
use crate::stencil::PIECES_MAX;

/// A place in the fixed text of a line: the same in all lines of the same [`Form`], wherever their values end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The number of its piece.
    pub(crate) piece: u16,
    /// How far it is from the piece's start.
    pub(crate) offset: u16,
}

/// A span that starts and ends at places of the fixed text; what is between them may differ from line to line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchoredSpan {
    /// The first byte.
    pub start: Anchor,
    /// One past the last byte.
    pub end: Anchor,
}

/// One line of which the fixed text is known, and with it the [`Form`].
#[derive(Clone, Copy, Debug)]
pub struct FixedText<'a> {
    /// The chunk up to the end of the line.
    pub(crate) bytes: &'a [u8],
    /// Where its pieces start.
    pub(crate) starts: &'a [u32; PIECES_MAX],
    pub(crate) form: Form,
    /// What the line holds.
    pub(crate) flags: Flags,
    pub(crate) level: Level,
}

impl<'a> FixedText<'a> {
    /// The form of the line.
    #[inline(always)]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Where an anchor is, if it was taken from a line of the same form.
    ///
    /// # Panics
    /// Perhaps, if it was taken from another one.
    #[inline(always)]
    pub fn place(&self, anchor: Anchor) -> u32 {
        self.starts[usize::from(anchor.piece)] + u32::from(anchor.offset)
    }

    /// Where a span is; see [`place`](Self::place).
    #[inline(always)]
    pub fn span(&self, span: AnchoredSpan) -> Span {
        Span { start: self.place(span.start), end: self.place(span.end) }
    }

    /// The bytes of a span of this line.
    #[inline(always)]
    pub fn bytes(&self, span: Span) -> &'a [u8] {
        span.of(self.bytes)
    }

    /// What stands between the quotes of a string of this line.
    #[inline(always)]
    pub fn content(&self, string: Span) -> &'a [u8] {
        string.inside_of(self.bytes)
    }

    /// Whether the line may hold an escape.
    #[inline(always)]
    pub fn may_have_escapes(&self) -> bool {
        self.flags.has(Flags::BACKSLASH)
    }

    /// Whether all of these bytes are in `set`.
    #[inline(always)]
    pub fn all_within(&self, bytes: &[u8], set: &ByteSet) -> bool {
        self.level.all_in(set, bytes)
    }

    /// What stands between the quotes of a value that is a string of nothing but characters of `set`; as
    /// [`Record::text_within`](crate::Record::text_within).
    #[inline(always)]
    pub fn text_within(&self, value: Span, set: &ByteSet) -> Option<&'a [u8]> {
        self.level.text_within(self.bytes, value, set)
    }
}

/// A line of a chunk of which the fixed text is known. All places are from the start of the chunk.
#[derive(Clone, Copy, Debug)]
pub struct FixedLine<'a> {
    /// The first byte.
    pub start: usize,
    /// The end without the line's end characters.
    pub end: usize,
    /// The end with them.
    pub end_with_newline: usize,
    /// What stands between `start` and `end`.
    pub text: FixedText<'a>,
}
