//! Lines of which the fixed text is known: where places of that text are in one of them, or in many in a row.

use crate::arch::{ByteSet, Level};
use crate::form::Form;
use crate::index::Flags;
use crate::record::Span;
use crate::stencil::PIECES_MAX;
use crate::traces::Traced;

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

/// Lines in a row that have the same fixed text. Their values hold no escape and nothing outside of ASCII, and each line ends
/// with a `\n` alone. All places are from the start of the chunk.
#[derive(Clone, Copy, Debug)]
pub struct FixedRun<'a> {
    /// The chunk up to the end of the last line, line end included.
    pub(crate) bytes: &'a [u8],
    /// Where the first line starts.
    pub(crate) start: usize,
    pub(crate) lines: &'a [Traced],
    /// Where the pieces of the lines start: so many of each line, and [`PIECES_MAX`] from any line's first on.
    pub(crate) starts: &'a [u32],
    pub(crate) pieces: usize,
    pub(crate) form: Form,
    pub(crate) level: Level,
}

impl<'a> FixedRun<'a> {
    /// The form of the lines.
    #[inline]
    pub fn form(&self) -> Form {
        self.form
    }

    /// How many lines there are.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a run has lines")]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// The first byte of the first line.
    #[inline]
    pub fn start(&self) -> usize {
        self.start
    }

    /// One past the last byte of the last of the first `count` lines, with its line end; `count` is not 0.
    #[inline]
    pub fn end(&self, count: usize) -> usize {
        self.lines[count - 1].end_with_newline as usize
    }

    /// The lines, in order.
    #[inline(always)]
    pub fn lines(&self) -> impl Iterator<Item = FixedLine<'a>> + use<'a> {
        let Self { bytes, pieces, form, level, .. } = *self;
        self.lines.iter().scan((self.start, self.starts), move |(start, starts), traced| {
            let Traced { end, end_with_newline, flags, .. } = *traced;
            let (end, end_with_newline) = (end as usize, end_with_newline as usize);
            let own = starts.first_chunk().expect("room for the pieces of a whole line");
            let text = FixedText { bytes: &bytes[..end], starts: own, form, flags, level };
            *starts = &starts[pieces..];
            Some(FixedLine { start: std::mem::replace(start, end_with_newline), end, end_with_newline, text })
        })
    }

    /// How many of the first lines have at `value` a string of 1 to `bytes_max` characters, all of them of `set`.
    #[inline]
    pub fn texts_within(&self, value: AnchoredSpan, set: &ByteSet, bytes_max: usize) -> usize {
        // That it is a string is a matter of the fixed text.
        if !self.lines().next().is_some_and(|line| line.text.bytes(line.text.span(value)).starts_with(b"\"")) {
            return 0;
        }
        let contents = self.lines().map(move |line| {
            let Span { start, end } = line.text.span(value);
            start as usize + 1..end as usize - 1
        });
        self.level.each_within(set, self.bytes, contents, bytes_max)
    }
}

#[cfg(test)]
#[path = "fixed_tests.rs"]
mod tests;
