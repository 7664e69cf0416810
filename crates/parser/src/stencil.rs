//! Stencils: lines of which everything is known but the values.
//!
//! What stands between the values of a line (brackets, commas, names, white space) is the same, byte for byte, in thousands
//! of lines. A stencil is that text, piece by piece, with a hole for each string, number or literal. A line that fits
//! one is recognised by comparing the pieces and finding where each value ends: it needs no index, its grammar is that
//! of the line which the stencil was made of, and its [`Form`] covers all names at every depth.
//!
//! `true`, `false` and `null` count as fixed text, too, as long as that leads to few stencils, and so do a few strings, the
//! words: most of them are the same in thousands of lines, and what is fixed needs no look of its own.
//!
//! The pieces of all stencils are a tree: what two stencils have in common at their start is looked at once. A stencil is
//! made of a line at the second sighting of its fixed text, so that names which never come again cost little. What fits no
//! stencil is indexed and walked as ever; that is where faults are found and said.

use std::ops::Range;

use crate::arch::Level;
use crate::fixed::Anchor;
use crate::form::Form;
use crate::index::{Flags, SCALAR};
use crate::lazy::Lazy;
use crate::scalar::{scalar_end, short_integer};
use crate::shape::MemberTokens;
use crate::traces::{Traced, Traces};
use crate::tree::{Hole, NONE, Tree};
use crate::walk::LineTokens;

/// A longer line gets no stencil: what stands in it has 16 bits for its place in a piece.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// Pieces in one stencil: one more than it has values.
pub(crate) const PIECES_MAX: usize = 1025;
/// Limits of what is kept. Where one is reached, no more is learnt.
const STENCILS_MAX: usize = 1024;
const NODES_MAX: usize = 32 * 1024;
const TEXT_BYTES_MAX: usize = 1024 * 1024;
const TOKENS_MAX: usize = 256 * 1024;
/// In lines of more tokens words are values: they are a small part of the work, and each of them has all that comes after it learnt
/// anew.
const WORDS_TOKENS_MAX: usize = 128;
/// So many lines in a row that fit nothing of what is kept end that: all is forgotten and learnt anew. To do so for fewer would
/// take longer than to walk these.
const STALE_AFTER: u32 = 2048;
/// Places for fixed texts that were met once.
const SEEN: usize = 2048;
/// How many lines in a row that fit no stencil are looked at; of later ones one in [`RARELY`] is, until one fits again.
const PATIENCE: u32 = 2048;
const RARELY: u32 = 64;
/// So many lines without a stencil may differ in what is fixed more than in anything else: at the start, or where as many
/// tries in a row have found none that fits.
const NONE_AFTER: u32 = 64;
const MISSES_MAX: u32 = 8;

/// Which values are fixed text. What too many lines differ in is not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fixed {
    LiteralsAndWords,
    Words,
    None,
}

impl Fixed {
    /// What is left to try where lines differ too much.
    fn looser(self) -> Option<Self> {
        match self {
            Self::LiteralsAndWords => Some(Self::Words),
            Self::Words => Some(Self::None),
            Self::None => None,
        }
    }
}

/// Strings that may be fixed text, without their quotes.
#[derive(Clone, Copy, Debug, Default)]
struct Words {
    all: &'static [&'static str],
    /// Their lengths, a bit each: those of 63 and more share one.
    lengths: u64,
}

impl Words {
    fn new(all: &'static [&'static str]) -> Self {
        Self { all, lengths: all.iter().fold(0, |lengths, word| lengths | Self::length(word.len())) }
    }

    fn length(bytes: usize) -> u64 {
        1 << bytes.min(63)
    }

    #[inline]
    fn has(self, text: &[u8]) -> bool {
        self.lengths & Self::length(text.len()) != 0 && self.all.iter().any(|word| word.as_bytes() == text)
    }
}

/// Where a token stands: the number of its piece, and how far from the piece's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TokenPlace {
    piece: u16,
    offset: u16,
}

/// What is known of all lines that fit.
#[derive(Debug)]
pub(crate) struct Stencil {
    pub(crate) form: Form,
    tokens: Vec<TokenPlace>,
    kinds: Vec<u8>,
    /// The members of the outer object.
    pub(crate) members: Vec<MemberTokens>,
    /// The length of each piece, and what comes after it.
    pieces: Vec<(u32, Hole)>,
    /// What the pieces hold.
    flags: Flags,
}

/// The tokens of a line that fits a stencil.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StencilTokens<'a> {
    pub(crate) stencil: &'a Stencil,
    /// Where the pieces of this line start.
    pub(crate) starts: &'a [u32; PIECES_MAX],
    pub(crate) listed: &'a Lazy<u32>,
}

impl<'a> StencilTokens<'a> {
    /// Where the token of this number is.
    #[inline(always)]
    pub(crate) fn place(self, token: usize) -> u32 {
        let TokenPlace { piece, offset } = self.stencil.tokens[token];
        self.starts[usize::from(piece)] + u32::from(offset)
    }

    /// A number that tells where the token of this number is.
    pub(crate) fn packed(self, token: usize) -> u32 {
        let TokenPlace { piece, offset } = self.stencil.tokens[token];
        u32::from(piece) << 16 | u32::from(offset)
    }

    /// Where the token is of which such a number tells.
    #[inline(always)]
    pub(crate) fn packed_place(self, packed: u32) -> u32 {
        self.starts[(packed >> 16) as usize] + (packed & 0xffff)
    }

    /// The anchor of a place; `None` where that is inside of a value.
    pub(crate) fn anchor(self, place: u32) -> Option<Anchor> {
        let pieces = &self.stencil.pieces;
        let piece = self.starts[..pieces.len()].partition_point(|start| *start <= place).checked_sub(1)?;
        let offset = place - self.starts[piece];
        // Right after a text is where the next text may have its end, too.
        let after_text = offset == 0 && piece > 0 && pieces[piece - 1].1 == Hole::Text;
        let inside = offset <= pieces[piece].0 && !after_text;
        inside.then_some(Anchor { piece: piece as u16, offset: offset as u16 })
    }

    /// Whether nothing between two places can differ from line to line.
    pub(crate) fn is_fixed(self, start: u32, end: u32) -> bool {
        let piece = |place| self.anchor(place).map(|anchor| anchor.piece);
        piece(start).is_some() && piece(start) == piece(end)
    }

    pub(crate) fn kinds(self) -> &'a [u8] {
        &self.stencil.kinds
    }

    /// All tokens one by one, for those who go through them.
    pub(crate) fn list(self) -> LineTokens<'a> {
        let places = self.stencil.tokens.iter();
        let places = places.map(|token| self.starts[usize::from(token.piece)] + u32::from(token.offset));
        LineTokens { places: self.listed.get_or_fill(places), kinds: &self.stencil.kinds }
    }
}

/// The stencils that were made of the lines so far.
#[derive(Debug)]
pub(crate) struct Stencils {
    pub(crate) tree: Tree,
    all: Vec<Stencil>,
    /// How many tokens they have.
    tokens: usize,
    /// The lines that were traced last.
    pub(crate) traces: Traces,
    /// By place: the hash of a fixed text that was met once.
    seen: Vec<u64>,
    /// Lines in a row that fit no stencil.
    unfit: u32,
    /// Blocks of lines in a row of which the first fitted no stencil.
    misses: u32,
    words: Words,
    fixed: Fixed,
    /// A limit was reached.
    full: bool,
    /// A longer line gets no stencil.
    pub(crate) line_bytes_max: usize,
    pieces: Pieces,
}

/// A line taken apart. Reused.
#[derive(Debug, Default)]
struct Pieces {
    pieces: Vec<(Range<usize>, Hole)>,
    tokens: Vec<TokenPlace>,
}

impl Default for Stencils {
    fn default() -> Self {
        Self {
            tree: Tree::default(),
            all: Vec::new(),
            tokens: 0,
            traces: Traces::default(),
            seen: vec![0; SEEN],
            unfit: 0,
            misses: 0,
            words: Words::default(),
            fixed: Fixed::LiteralsAndWords,
            full: false,
            line_bytes_max: LINE_BYTES_MAX,
            pieces: Pieces::default(),
        }
    }
}

impl Stencils {
    /// Takes these strings for fixed text, without their quotes.
    pub(crate) fn set_words(&mut self, words: &'static [&'static str]) {
        self.words = Words::new(words);
    }

    /// Tries the lines that start at `start`; [`Self::traces`] then has those that fit, as far as [`Level::trace`] tells.
    #[inline]
    pub(crate) fn trace(&mut self, level: Level, bytes: &[u8], start: usize) {
        level.trace(&self.tree, bytes, start, &mut self.traces);
    }

    /// As [`Self::trace`], of a line that stands at the start of `copy`; places are told as if it stood at `start`.
    pub(crate) fn trace_copy(&mut self, level: Level, copy: &[u8], start: usize) {
        self.trace(level, copy, 0);
        self.traces.shift(start);
    }

    /// Whether there is no stencil at all.
    #[inline]
    pub(crate) fn are_none(&self) -> bool {
        self.tree.root == NONE
    }

    /// The stencil of a line that fits, and all that the line holds.
    #[inline]
    pub(crate) fn get(&self, traced: &Traced) -> (&Stencil, Flags) {
        let stencil = &self.all[traced.stencil as usize];
        (stencil, traced.flags | stencil.flags)
    }

    /// The line that was tried last fits.
    #[inline]
    pub(crate) fn note_fit(&mut self) {
        (self.unfit, self.misses) = (0, 0);
    }

    /// The line that was tried last fits none: others may be worth learning again, or in another way.
    #[inline]
    pub(crate) fn note_miss(&mut self) {
        if self.tree.root != NONE {
            self.misses += 1;
            if self.misses >= MISSES_MAX && self.unfit >= NONE_AFTER {
                self.loosen();
            }
        }
    }

    /// Takes note of a valid line that fits no stencil; at the second sighting of its fixed text it becomes one.
    #[inline]
    pub(crate) fn meet(&mut self, bytes: &[u8], line: Range<usize>, tokens: LineTokens<'_>, members: &[MemberTokens]) {
        let is_worth_it = if self.full {
            self.unfit >= STALE_AFTER
        } else {
            self.unfit < PATIENCE || self.unfit.is_multiple_of(RARELY)
        };
        if is_worth_it {
            self.look_at(bytes, line, tokens, members);
        }
        self.unfit = self.unfit.wrapping_add(1);
        if self.unfit == NONE_AFTER && self.all.is_empty() {
            self.loosen();
        }
    }

    /// Starts anew, with less that is fixed; tells whether that can be.
    #[cold]
    fn loosen(&mut self) -> bool {
        let Some(looser) = self.fixed.looser() else { return false };
        self.fixed = looser;
        self.unfit = 0;
        self.misses = 0;
        self.forget();
        true
    }

    fn forget(&mut self) {
        self.tree.clear();
        self.all.clear();
        self.tokens = 0;
    }

    #[cold]
    fn look_at(&mut self, bytes: &[u8], line: Range<usize>, tokens: LineTokens<'_>, members: &[MemberTokens]) {
        let has_fixed_words = self.fixed != Fixed::None && tokens.kinds.len() <= WORDS_TOKENS_MAX;
        let is_fixed = |value: &[u8]| match value {
            [b'"', text @ .., b'"'] => has_fixed_words && self.words.has(text),
            [first, ..] => first.is_ascii_alphabetic() && self.fixed == Fixed::LiteralsAndWords,
            [] => false,
        };
        if line.len() > self.line_bytes_max || !self.pieces.take_apart(bytes, line, tokens, is_fixed) {
            return;
        }
        let hash = self.pieces.hash(bytes);
        let seen = &mut self.seen[(hash >> 32) as usize % SEEN];
        if std::mem::replace(seen, hash) == hash {
            self.learn(bytes, tokens, members);
        }
    }

    fn learn(&mut self, bytes: &[u8], tokens: LineTokens<'_>, members: &[MemberTokens]) {
        let text_bytes: usize = self.pieces.pieces.iter().map(|(piece, _)| piece.len()).sum();
        if self.all.len() == STENCILS_MAX
            || self.tree.nodes.len() + self.pieces.pieces.len() > NODES_MAX
            || self.tree.text.len() + text_bytes > TEXT_BYTES_MAX
            || self.tokens + tokens.kinds.len() > TOKENS_MAX
        {
            if self.loosen() {
                return;
            }
            self.full = self.unfit < STALE_AFTER;
            if self.full {
                return;
            }
            self.forget();
        }
        let mut node = NONE;
        let pieces = &self.pieces.pieces;
        for (number, (piece, hole)) in pieces.iter().enumerate() {
            let value_bytes = pieces.get(number + 1).map_or(0, |(following, _)| following.start - piece.end);
            node = self.tree.enter(node, &bytes[piece.clone()], *hole, value_bytes);
        }
        let leaf = &mut self.tree.nodes[node as usize];
        if leaf.child != NONE {
            // It fits a stencil but for its values, or for what is after it: a line end of another kind, the chunk's end.
            return;
        }
        leaf.child = self.all.len() as u32;
        let pieces = self.pieces.pieces.iter().flat_map(|(piece, _)| &bytes[piece.clone()]);
        let flags = pieces.fold(Flags::NONE, |flags, byte| {
            flags
                | match byte {
                    b'\\' => Flags::BACKSLASH,
                    0x80.. => Flags::NON_ASCII,
                    _ => Flags::NONE,
                }
        });
        self.tokens += tokens.kinds.len();
        self.all.push(Stencil {
            form: Form::next(),
            tokens: self.pieces.tokens.clone(),
            kinds: tokens.kinds.to_vec(),
            members: members.to_vec(),
            pieces: self.pieces.pieces.iter().map(|(piece, hole)| (piece.len() as u32, *hole)).collect(),
            flags,
        });
    }
}

impl Pieces {
    /// Finds the pieces of a valid line; `false` where it is not worth a stencil.
    fn take_apart(
        &mut self,
        bytes: &[u8],
        line: Range<usize>,
        tokens: LineTokens<'_>,
        is_fixed: impl Fn(&[u8]) -> bool,
    ) -> bool {
        let LineTokens { places, kinds } = tokens;
        self.pieces.clear();
        self.tokens.clear();
        let mut start = line.start;
        let mut number = 0;
        while number < kinds.len() {
            let place = places[number] as usize;
            self.tokens.push(self.token(start, place));
            let (hole, end, next) = match kinds[number] {
                b'"' if kinds.get(number + 2) == Some(&b':')
                    || is_fixed(&bytes[place..=places[number + 1] as usize]) =>
                {
                    // A name is fixed, too.
                    self.tokens.push(self.token(start, places[number + 1] as usize));
                    number += 2;
                    continue;
                }
                b'"' => (Hole::Text, place + 1, places[number + 1] as usize),
                SCALAR => {
                    let end = scalar_end(bytes, place);
                    let hole = if bytes[place].is_ascii_alphabetic() {
                        Hole::Literal
                    } else if short_integer(bytes, place) > 0 {
                        Hole::Integer
                    } else {
                        Hole::Number
                    };
                    if is_fixed(&bytes[place..end]) {
                        number += 1;
                        continue;
                    }
                    (hole, place, end)
                }
                _ => {
                    number += 1;
                    continue;
                }
            };
            self.pieces.push((start..end, hole));
            start = next;
            number += 1;
            if hole == Hole::Text {
                self.tokens.push(self.token(start, start));
                number += 1;
            }
        }
        self.pieces.push((start..line.end, Hole::End));
        self.pieces.len() <= PIECES_MAX
    }

    /// The place of a token in the piece that starts at `start`. A line is shorter than what the numbers have room for.
    fn token(&self, start: usize, place: usize) -> TokenPlace {
        TokenPlace { piece: self.pieces.len() as u16, offset: (place - start) as u16 }
    }

    /// A hash of the fixed text. It need not resist anybody: the worst that a collision does is a stencil made too early.
    fn hash(&self, bytes: &[u8]) -> u64 {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |hash: u64, word: u64| (hash.rotate_left(29) ^ word).wrapping_mul(FACTOR);
        self.pieces.iter().fold(1, |hash, (piece, hole)| {
            let (words, rest) = bytes[piece.clone()].as_chunks::<8>();
            let hash = words.iter().fold(hash, |hash, word| mix(hash, u64::from_le_bytes(*word)));
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            mix(hash, u64::from_le_bytes(last)) ^ u64::from(*hole == Hole::Text) ^ ((piece.len() as u64) << 8)
        }) | 1
    }
}

#[cfg(test)]
#[path = "stencil_tests.rs"]
mod tests;
