//! The shapes of lines: a million devices have a few dozen structures.
//!
//! Two lines with the same kinds of tokens in the same order have the same structure: where the grammar accepts the one, it
//! accepts the other, up to the spelling of numbers and literals, and their members are the same tokens. So a line whose
//! shape was met before is not walked again. A shape is found by a hash and then compared in full. It is kept at its
//! second sighting only: where every line has another shape, nothing is kept and little is spent.
//!
//! A shape of which the names are known, too, is a [`Form`].

use std::ops::Range;

use crate::arch::Level;
use crate::form::{DeepNames, Form, Forms};
use crate::index::{Flags, SCALAR};
use crate::record::{MemberSpan, Span};
use crate::scalar::short_literal;
use crate::walk::{LineTokens, scalar, texts_are_valid};

/// Slots for shapes; a shape that finds its slot taken replaces what is there.
const SLOTS: usize = 512;
/// A line with more tokens is walked.
const TOKENS_MAX: usize = 4096;
/// Shapes of more tokens than this share a quarter of the slots, so that all together take little room.
const SMALL_TOKENS_MAX: usize = 1024;

/// Where a member's tokens are, counted from the line's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemberTokens {
    /// The opening quote of the name; the closing one is next, then the colon, then the value.
    pub(crate) name: u16,
    /// The value's last token: a closing quote or bracket; the value itself where it is a scalar.
    last: u16,
    scalar: bool,
}

impl MemberTokens {
    /// The tokens of the member whose value starts with the token of this number.
    pub(crate) fn new(kinds: &[u8], value: usize) -> Option<Self> {
        let last = u16::try_from(last_token(kinds, value)).ok()?;
        Some(Self { name: value as u16 - 3, last, scalar: kinds[value] == SCALAR })
    }

    /// The tokens of the member whose name starts with the token `first`, and after which comes the token `end`.
    #[inline]
    pub(crate) fn before(kinds: &[u8], first: u16, end: u16) -> Self {
        Self { name: first, last: end - 1, scalar: kinds[usize::from(first) + 3] == SCALAR }
    }

    /// The number of the value's first token.
    #[inline]
    pub fn value(self) -> usize {
        usize::from(self.name) + 3
    }

    /// The number of the value's last token.
    #[inline]
    pub fn last(self) -> usize {
        usize::from(self.last)
    }

    /// Where the member stands in a line; `place` tells where the token of a number is.
    #[inline(always)]
    pub(crate) fn span(self, bytes: &[u8], place: impl Fn(usize) -> u32) -> MemberSpan {
        let name = usize::from(self.name);
        MemberSpan {
            name: Span { start: place(name) + 1, end: place(name + 1) },
            value: self.value_span(bytes, place),
            token: u32::from(self.name) + 3,
        }
    }

    /// Where its value stands.
    #[inline(always)]
    pub(crate) fn value_span(self, bytes: &[u8], place: impl Fn(usize) -> u32) -> Span {
        let start = place(self.value());
        // A scalar ends where the token after it starts, but for white space, and in a valid line there is nothing else
        // between them. Any other value ends with its own last token.
        let scalar = usize::from(self.scalar);
        let mut end = place(self.last() + scalar) + (1 - scalar as u32);
        while end > start && matches!(bytes[end as usize - 1], b' ' | b'\t' | b'\r') {
            end -= 1;
        }
        Span { start, end }
    }
}

/// A structure, known to be valid.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    hash: u64,
    kinds: Vec<u8>,
    /// The members of the outer object.
    pub(crate) members: Vec<MemberTokens>,
    /// Scalars that were numbers when the shape was met first.
    numbers: Vec<u16>,
    /// Scalars that were literals then.
    literals: Vec<u16>,
    forms: Forms,
}

impl Shape {
    /// What was a number once is likely to be one again: a guess that costs little where it is wrong.
    #[inline(always)]
    fn scalars_are_valid(&self, level: Level, bytes: &[u8], places: &[u32]) -> bool {
        let mut numbers = self.numbers.as_slice();
        while !numbers.is_empty() {
            numbers = &numbers[level.count_short_numbers(bytes, places, numbers)..];
            if let Some((other, rest)) = numbers.split_first() {
                if scalar(bytes, places[usize::from(*other)] as usize).is_err() {
                    return false;
                }
                numbers = rest;
            }
        }
        for token in &self.literals {
            let place = places[usize::from(*token)] as usize;
            if short_literal(bytes, place) == 0 && scalar(bytes, place).is_err() {
                return false;
            }
        }
        true
    }
}

/// The shapes that were met.
#[derive(Debug)]
pub(crate) struct Shapes {
    shapes: Vec<Shape>,
    /// By slot: the hash of the shape that was met last and not kept.
    seen: Vec<u64>,
    deep: DeepNames,
    /// For how many names the forms of all shapes have room.
    all_names: usize,
}

/// The tokens of a line that was not recognised, as far as they tell where its shape would be kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unknown {
    /// `None` where there are too many.
    hash: Option<u64>,
}

/// Where a known shape is kept, and the form of the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    slot: usize,
    pub(crate) form: Option<Form>,
}

impl Shapes {
    pub(crate) fn new(deep: DeepNames) -> Self {
        Self { shapes: (0..SLOTS).map(|_| Shape::default()).collect(), seen: vec![0; SLOTS], deep, all_names: 0 }
    }

    /// Recognises a line of a known shape; an error where it has to be looked at more closely: its shape is not known, or it is
    /// not valid.
    ///
    /// `bytes` goes on past the end of the line where there is more: so its last tokens can be looked at in one go, too.
    #[inline(always)]
    pub(crate) fn recognise(
        &mut self,
        bytes: &[u8],
        line: Range<usize>,
        flags: Flags,
        tokens: LineTokens<'_>,
        level: Level,
    ) -> Result<Known, Unknown> {
        if tokens.kinds.len() > TOKENS_MAX {
            return Err(Unknown { hash: None });
        }
        let hash = hash(tokens.kinds);
        let unknown = Err(Unknown { hash: Some(hash) });
        let slot = slot(hash, tokens.kinds);
        let shape = &mut self.shapes[slot];
        if shape.hash != hash || !same_kinds(&shape.kinds, tokens.kinds) || !texts_are_valid(bytes, line, flags, level)
        {
            return unknown;
        }
        let places = &tokens.places[..tokens.kinds.len()];
        if !shape.scalars_are_valid(level, bytes, places) {
            return unknown;
        }
        let form = shape.forms.recognise(bytes, places).or_else(|| self.learn_form(slot, bytes, places));
        Ok(Known { slot, form })
    }

    /// Makes a form of a line of the shape in this slot.
    #[cold]
    fn learn_form(&mut self, slot: usize, bytes: &[u8], places: &[u32]) -> Option<Form> {
        if Forms::are_too_many(self.all_names) {
            self.shapes.iter_mut().for_each(|shape| shape.forms = Forms::default());
            self.all_names = 0;
        }
        let Shape { forms, kinds, .. } = &mut self.shapes[slot];
        forms.learn(bytes, places, kinds, self.deep, &mut self.all_names)
    }

    /// For how many names the forms of all shapes have room, counted one by one.
    #[cfg(test)]
    pub(crate) fn names_kept(&self) -> usize {
        self.shapes.iter().map(|shape| shape.forms.names_kept()).sum()
    }

    /// The shape that was recognised last, and inside of which members names belong to its forms.
    #[inline]
    pub(crate) fn shape(&self, known: Known) -> (&Shape, DeepNames) {
        (&self.shapes[known.slot], self.deep)
    }

    /// Notes the shape of a line that was not recognised and is valid.
    #[inline]
    pub(crate) fn learn(&mut self, unknown: Unknown, bytes: &[u8], tokens: LineTokens<'_>, members: &[MemberSpan]) {
        let Some(hash) = unknown.hash else {
            return;
        };
        let seen = std::mem::replace(&mut self.seen[slot(hash, tokens.kinds)], hash);
        if seen == hash {
            self.keep(hash, bytes, tokens, members);
        }
    }

    #[cold]
    fn keep(&mut self, hash: u64, bytes: &[u8], tokens: LineTokens<'_>, members: &[MemberSpan]) {
        let LineTokens { places, kinds } = tokens;
        let shape = &mut self.shapes[slot(hash, kinds)];
        if shape.hash == hash && shape.kinds == kinds {
            // A line of this shape that had to be walked for another reason.
            return;
        }
        shape.hash = hash;
        shape.kinds.clear();
        shape.kinds.extend_from_slice(kinds);
        shape.numbers.clear();
        shape.literals.clear();
        for (token, place) in (0..).zip(places).filter(|(token, _)| kinds[usize::from(*token)] == SCALAR) {
            let is_literal = bytes[*place as usize].is_ascii_alphabetic();
            (if is_literal { &mut shape.literals } else { &mut shape.numbers }).push(token);
        }
        shape.members.clear();
        shape.members.extend(members.iter().filter_map(|member| MemberTokens::new(kinds, member.token as usize)));
        shape.forms.clear();
        // Its first form is that of this line, so that all room is taken now.
        let _ = self.learn_form(slot(hash, kinds), bytes, places);
    }
}

/// The last token of the value that starts with the token of this number.
pub(crate) fn last_token(kinds: &[u8], value: usize) -> usize {
    match kinds[value] {
        b'"' => value + 1,
        b'{' | b'[' => {
            let mut depth = 0;
            for (number, kind) in kinds.iter().enumerate().skip(value) {
                match kind {
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    return number;
                }
            }
            unreachable!("a valid line closes what it opens")
        }
        _ => value,
    }
}

/// The slot of the shape with these tokens, and this hash of them.
#[inline(always)]
fn slot(hash: u64, kinds: &[u8]) -> usize {
    let slot = (hash >> 32) as usize % SLOTS;
    if kinds.len() > SMALL_TOKENS_MAX { slot & !3 } else { slot }
}

/// Compares without a call: most lines have a few dozen tokens.
#[inline]
fn same_kinds(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (Some(one_last), Some(other_last)) = (one.last_chunk::<16>(), other.last_chunk::<16>()) else {
        return one == other;
    };
    let pairs = one.as_chunks::<16>().0.iter().zip(other.as_chunks::<16>().0);
    let last = u128::from_ne_bytes(*one_last) ^ u128::from_ne_bytes(*other_last);
    pairs.fold(last, |differ, (one, other)| differ | (u128::from_ne_bytes(*one) ^ u128::from_ne_bytes(*other))) == 0
}

/// A quick hash of the kinds of tokens. It need not resist anybody: what it finds is compared in full, and the worst
/// that a collision does is a walk.
#[inline]
fn hash(kinds: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    fn mix(one: u64, other: u64) -> u64 {
        let product = u128::from(one) * u128::from(other);
        product as u64 ^ (product >> 64) as u64
    }
    let mut hash = ODD ^ kinds.len() as u64;
    for pair in kinds.as_chunks::<16>().0 {
        let value = u128::from_le_bytes(*pair);
        hash = hash.rotate_left(23) ^ mix(value as u64 ^ ODD, (value >> 64) as u64 ^ !ODD);
    }
    // The last 16 bytes, some of them a second time: what is left over is not copied byte by byte.
    let last = kinds.last_chunk::<16>().copied().unwrap_or_else(|| {
        let mut last = [0u8; 16];
        last[..kinds.len()].copy_from_slice(kinds);
        last
    });
    let value = u128::from_le_bytes(last);
    mix(hash ^ value as u64, (value >> 64) as u64 ^ ODD) | 1
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use crate::{Content, Level, Limits, Parser};

    /// What each line is: its members as text, or its fault.
    fn read(parser: &mut Parser, text: &str) -> Vec<String> {
        let mut all = Vec::new();
        parser.parse(text.as_bytes(), 0, |line| {
            all.push(match line.content {
                Content::Record(record) => {
                    let text = |span| String::from_utf8_lossy(record.bytes(span)).into_owned();
                    let members = record.members().iter();
                    members.map(|member| format!("{}={};", text(member.name), text(member.value))).collect()
                }
                Content::Invalid(fault) => format!("{:?} at {}", fault.kind, fault.at as usize - line.start),
                Content::Blank => "blank".to_owned(),
            });
            ControlFlow::Continue(())
        });
        all
    }

    #[test]
    fn a_known_shape_says_what_a_walk_says() {
        let lines = [
            r#"{"a":1,"b":{"c":[1,"x",null]},"d":"e","f":true}"#,
            r#"{ "a" : 22 , "b":{"c":[-1.5e3,"yy",null]}, "d":"", "f":false }"#,
            r#"{"a":01,"b":{"c":[1,"x",null]},"d":"e","f":true}"#,
            r#"{"a":1,"b":{"c":[1x,"x",null]},"d":"e","f":true}"#,
            r#"{"a":1,"b":{"c":[1,"x",nul]},"d":"e","f":true}"#,
            r#"{"a":1,"b":{"c":[1,"x",null]},"d":"\q","f":true}"#,
            r#"{"a":1,"b":{"c":[1,"é",null]},"d":"e","f":trues}"#,
            r#"{"a":1,"b":{"c":[1,"é",null]},"d":"e","f":7}"#,
            "{}",
            "[]",
            r#"{"a":{}}"#,
            r#"{"a":[]}"#,
        ];
        let text: String = lines.iter().cycle().take(lines.len() * 6).map(|line| format!("{line}\n")).collect();
        for level in Level::available() {
            let mut parser = Parser::new(level, Limits::default());
            let all = read(&mut parser, &text);
            for (number, line) in lines.iter().enumerate() {
                // A fresh parser has met no shape.
                let want = read(&mut Parser::new(level, Limits::default()), line);
                for round in 0..6 {
                    assert_eq!(all[round * lines.len() + number], want[0], "{line} in round {round}");
                }
            }
        }
    }
}
