//! The grammar of a line by the kinds of its tokens, 64 at a time.
//!
//! In lines of no known shape nothing foretells the next token, and who [walks](crate::walk::walk) from one to the next guesses
//! wrong time and again. Most of the grammar is about neighbours, and is asked of 64 tokens at once, one bit each; only from
//! bracket to bracket there is a loop, which tells objects from arrays. Why a line is refused is not told: that is for the walk.

use std::ops::Range;

use crate::arch::Level;
use crate::index::{Flags, SCALAR, prefix_xor};
use crate::record::MemberSpan;
use crate::scalar::{short_integer, short_literal, short_number};
use crate::shape::MemberTokens;
use crate::walk::{scalar, texts_are_valid};

/// Tokens that are looked at together.
pub(crate) const BLOCK: usize = 64;
/// A line with more tokens is walked.
const TOKENS_MAX: usize = u16::MAX as usize;

/// Which of 64 tokens are of what kind: one bit per token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KindMasks {
    pub(crate) object_open: u64,
    pub(crate) object_close: u64,
    pub(crate) array_open: u64,
    pub(crate) array_close: u64,
    pub(crate) colon: u64,
    pub(crate) comma: u64,
    pub(crate) quote: u64,
    pub(crate) scalar: u64,
}

impl KindMasks {
    /// The masks of all kinds; `mask` tells which tokens are of one.
    #[inline(always)]
    pub(crate) fn of(mask: impl Fn(u8) -> u64) -> Self {
        Self {
            object_open: mask(b'{'),
            object_close: mask(b'}'),
            array_open: mask(b'['),
            array_close: mask(b']'),
            colon: mask(b':'),
            comma: mask(b','),
            quote: mask(b'"'),
            scalar: mask(SCALAR),
        }
    }
}

/// What a block of tokens hands to the next: the last bits of what it found, highest first.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    object_open: u64,
    array_open: u64,
    colon: u64,
    comma: u64,
    text_open: u64,
    text_close: u64,
    value_end: u64,
}

/// The bits moved up by `by` tokens, with those of the block before moved in.
#[inline(always)]
fn earlier(bits: u64, before: u64, by: u32) -> u64 {
    bits << by | before >> (BLOCK as u32 - by)
}

/// All ones, or nothing.
#[inline(always)]
fn ones_if(is: bool) -> u64 {
    0u64.wrapping_sub(u64::from(is))
}

/// Which containers are open.
#[derive(Debug)]
struct Open {
    /// The innermost, up to 64, the innermost of all lowest: 1 for an object.
    objects: u64,
    depth: usize,
    depth_max: usize,
    /// Where more than this are open, each one is looked at more closely.
    watched: usize,
    /// What `objects` was at depths of 63, 95, 127 and so on, before the next one was opened.
    below: Vec<u64>,
}

/// Looks at the structure of lines. Reused.
#[derive(Debug)]
pub(crate) struct Structure {
    open: Open,
}

impl Structure {
    pub(crate) fn new(depth_max: usize) -> Self {
        // A line with that many tokens can't be deeper.
        let depth_max = depth_max.min(TOKENS_MAX);
        let below = vec![0; depth_max / 32 + 1];
        Self { open: Open { objects: 0, depth: 0, depth_max, watched: depth_max.min(63), below } }
    }

    /// Whether a line is one valid JSON object; `members` then holds its members. `false` does not mean that it is none.
    ///
    /// `bytes` goes on past the end of the line where there is more, and `kinds` past that of its tokens, so that the last ones
    /// can be looked at in one go, too.
    pub(crate) fn read(
        &mut self,
        level: Level,
        (bytes, line, flags): (&[u8], Range<usize>, Flags),
        places: &[u32],
        kinds: &[u8],
        members: &mut Vec<MemberSpan>,
    ) -> bool {
        if level == Level::SCALAR || places.len() > TOKENS_MAX || !texts_are_valid(bytes, line, flags, level) {
            return false;
        }
        level.read_structure(self, bytes, places, kinds, members)
    }

    /// The same of a line whose texts are valid. `masks` tells tokens by their kinds.
    #[inline(always)]
    pub(crate) fn look_at(
        &mut self,
        masks: impl Fn(&[u8; BLOCK]) -> KindMasks,
        bytes: &[u8],
        places: &[u32],
        kinds: &[u8],
        members: &mut Vec<MemberSpan>,
    ) -> bool {
        let count = places.len();
        if kinds[0] != b'{' {
            return false;
        }
        members.clear();
        let open = &mut self.open;
        (open.objects, open.depth) = (0, 0);
        let mut before = Before::default();
        let mut first = 1;
        let mut next = block(&masks, kinds, 0, count);
        let mut start = 0;
        while start < count {
            let here = next;
            next = block(&masks, kinds, start + BLOCK, count);
            let Some(mut ends) = look_at_block(&here, next.colon, count - start, &mut before, open) else {
                return false;
            };
            if !scalars_are_valid(bytes, &places[start..], here.scalar) {
                return false;
            }
            while ends != 0 {
                let end = start + ends.trailing_zeros() as usize;
                // An object without members has its end where the first name would be.
                if first < end {
                    let member = MemberTokens::before(kinds, first as u16, end as u16);
                    members.push(member.span(bytes, |token| places[token]));
                }
                first = end + 1;
                ends &= ends - 1;
            }
            start += BLOCK;
        }
        open.depth == 0
    }
}

/// The kinds of the tokens from `start` on, of which there are `count` in all.
#[inline(always)]
fn block(masks: &impl Fn(&[u8; BLOCK]) -> KindMasks, kinds: &[u8], start: usize, count: usize) -> KindMasks {
    if start >= count {
        return KindMasks::default();
    }
    let kinds = &kinds[start..];
    let all = match kinds.first_chunk() {
        Some(kinds) => masks(kinds),
        None => {
            let mut padded = [0; BLOCK];
            padded[..kinds.len()].copy_from_slice(kinds);
            masks(&padded)
        }
    };
    if count - start >= BLOCK {
        return all;
    }
    let these = !(u64::MAX << (count - start));
    KindMasks {
        object_open: all.object_open & these,
        object_close: all.object_close & these,
        array_open: all.array_open & these,
        array_close: all.array_close & these,
        colon: all.colon & these,
        comma: all.comma & these,
        quote: all.quote & these,
        scalar: all.scalar & these,
    }
}

/// Whether the tokens that `these` says are numbers and literals.
#[inline(always)]
fn scalars_are_valid(bytes: &[u8], places: &[u32], these: u64) -> bool {
    let mut rest = these;
    while rest != 0 {
        let at = places[rest.trailing_zeros() as usize] as usize;
        // No branch goes by which of the two it is.
        let is_short = short_integer(bytes, at) + short_literal(bytes, at) > 0;
        if !is_short && short_number(bytes, at) == 0 && scalar(bytes, at).is_err() {
            return false;
        }
        rest &= rest - 1;
    }
    true
}

/// Looks at the first 64 tokens of `count` that are left, or at all of them: which end members of the outer object. `None` where
/// something is wrong.
#[inline(always)]
fn look_at_block(
    here: &KindMasks,
    colons_after: u64,
    count: usize,
    before: &mut Before,
    open: &mut Open,
) -> Option<u64> {
    let KindMasks { object_open, object_close, array_open, array_close, colon, comma, quote, scalar } = *here;
    let parity = prefix_xor(quote) ^ ones_if(before.text_open >> 63 == 1);
    let text_open = quote & parity;
    let text_close = quote & !parity;
    let close = object_close | array_close;
    let value_start = text_open | scalar | object_open | array_open;
    let value_end = text_close | scalar | close;

    // What has to come after what comes one token earlier, and after a name.
    let after_name = earlier(text_close, before.text_close, 1);
    let mut wrong = earlier(object_open, before.object_open, 1) & !(text_open | object_close)
        | earlier(array_open, before.array_open, 1) & !(value_start | array_close)
        | earlier(colon | comma, before.colon | before.comma, 1) & !value_start
        | earlier(value_end, before.value_end, 1) & !(comma | colon | close);
    // Three tokens before a colon there is what a name comes after.
    let first_of_object = earlier(object_open, before.object_open, 3);
    wrong |= colon & !(after_name & (first_of_object | earlier(comma, before.comma, 3)));
    wrong |= first_of_object & after_name & !colon;
    let all = value_start | value_end | colon | comma;
    if wrong & all != 0 {
        return None;
    }
    *before = Before { object_open, array_open, colon, comma, text_open, text_close, value_end };

    // Which tokens stand in an object, and which in the outer one; a bracket in what it closes, or in what is around it.
    let (mut in_objects, mut in_outer) = (0, 0);
    let Open { mut objects, mut depth, .. } = *open;
    let mut brackets = object_open | array_open | close;
    let mut done = 0;
    while brackets != 0 {
        let up_to = brackets ^ (brackets - 1);
        let these = up_to & !done;
        done = up_to;
        in_objects |= these & 0u64.wrapping_sub(objects & 1);
        in_outer |= these & ones_if(depth == 1);
        // 1 or 0, so that no branch goes by it.
        let closes = u64::from(close & these != 0);
        let lower = depth.wrapping_sub(closes as usize);
        if lower >= open.watched {
            open.go_deep(lower, closes == 1, &mut objects)?;
        }
        objects = (objects << (1 - closes) | u64::from(object_open & these != 0)) >> closes;
        depth = lower + (1 - closes) as usize;
        brackets &= brackets - 1;
    }
    in_objects |= !done & 0u64.wrapping_sub(objects & 1);
    in_outer |= !done & ones_if(depth == 1);
    (open.objects, open.depth) = (objects, depth);
    // A comma before a name is one of an object, any other one of an array.
    let before_name = colon >> 3 | colons_after << 61;
    let wrong = comma & (before_name ^ in_objects) | close & (object_close ^ in_objects);
    // The outer object is closed by the last token of all.
    let not_last = if count > BLOCK { u64::MAX } else { !(1 << (count - 1)) };
    (wrong | close & in_outer & not_last == 0).then_some((comma | close) & in_outer)
}

impl Open {
    /// Looks at a container that is opened or closed inside of `lower` others, where these are many: `None` where it is one
    /// too many, or there was none to close.
    #[inline(always)]
    fn go_deep(&mut self, lower: usize, is_close: bool, objects: &mut u64) -> Option<()> {
        if lower >= self.depth_max {
            return None;
        }
        if lower % 32 == 31 {
            let below = self.below.get_mut(lower / 32)?;
            if is_close {
                // The lowest bit, of what is closed, goes next. The highest is of what is found in the next one below.
                *objects = *below << 1;
            } else {
                *below = *objects;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Structure;
    use crate::arch::Level;
    use crate::index::{Carry, Index};
    use crate::record::MemberSpan;
    use crate::test_numbers::numbers;
    use crate::walk::{LineTokens, Nesting, SliceTokens, walk};

    /// What both make of one line.
    struct Both {
        level: Level,
        structure: Structure,
        nesting: Nesting,
        index: Index,
        members: [Vec<MemberSpan>; 2],
    }

    impl Both {
        fn new(level: Level, depth_max: usize) -> Self {
            Self {
                level,
                structure: Structure::new(depth_max),
                nesting: Nesting::new(depth_max),
                index: Index::default(),
                members: Default::default(),
            }
        }

        /// Whether the line is valid.
        #[track_caller]
        fn agree(&mut self, line: &str) -> bool {
            let Self { level, structure, nesting, index, members: [read, walked] } = self;
            let bytes = line.as_bytes();
            let mut carry = Carry::default();
            index.clear();
            level.index(bytes, 0, &mut carry, index);
            let (places, kinds) = (&index.tokens[..index.token_count], &index.kinds[..index.token_count]);
            if places.is_empty() {
                return false;
            }
            let mut tokens = SliceTokens::new(LineTokens { places, kinds }, 0);
            let want = walk(bytes, 0, carry.flags, *level, &mut tokens, nesting, walked).is_ok();
            for kinds in [kinds, &index.kinds] {
                let is_read = structure.read(*level, (bytes, 0..bytes.len(), carry.flags), places, kinds, read);
                assert_eq!(is_read, want, "{line}");
                if want {
                    assert_eq!(read, walked, "{line}");
                }
            }
            want
        }
    }

    fn levels() -> impl Iterator<Item = Level> {
        Level::available().into_iter().filter(|level| *level != Level::SCALAR)
    }

    #[test]
    fn all_short_runs_of_tokens_are_what_a_walk_says_wherever_they_stand() {
        const TOKENS: [&str; 9] = ["{", "}", "[", "]", ":", ",", r#""x""#, "12", r#""a":"#];
        for level in levels() {
            let mut both = Both::new(level, 3);
            let mut valid = 0;
            for length in 1..=5 {
                for number in 0..TOKENS.len().pow(length) {
                    let token = |at| TOKENS[number / TOKENS.len().pow(at) % TOKENS.len()];
                    let run: String = (0..length).map(token).collect();
                    valid += usize::from(both.agree(&run));
                    valid += usize::from(both.agree(&format!(r#"{{"a":{run}}}"#)));
                    valid += usize::from(both.agree(&format!(r#"{{"a":[{run}]}}"#)));
                    if length <= 3 {
                        // Over the end of the first 64 tokens.
                        for zeros in 26..30 {
                            for extra in ["", "[],"] {
                                let before = "0,".repeat(zeros);
                                both.agree(&format!(r#"{{"a":[{extra}{before}{run}]}}"#));
                                both.agree(&format!(r#"{{"a":[{extra}{before}0],{run}}}"#));
                            }
                        }
                    }
                }
            }
            assert!(valid > 100, "{valid}");
        }
    }

    /// A value that goes about as deep as `depth`.
    fn value(next: &mut impl FnMut(u64) -> u64, depth: u64, text: &mut String) {
        match next(if depth == 0 { 5 } else { 9 }) {
            0 => text.push_str("true"),
            1 => text.push_str("-12.50e+3"),
            2 => text.push_str(r#""a b""#),
            3 => text.push_str("7 "),
            4 => text.push_str(" null"),
            kind => {
                let is_object = kind < 7;
                text.push(if is_object { '{' } else { '[' });
                for number in 0..next(if depth > 8 { 3 } else { 6 }) {
                    if number > 0 {
                        text.push(',');
                    }
                    if is_object {
                        text.push_str(r#""n":"#);
                    }
                    value(next, depth - 1, text);
                }
                text.push(if is_object { '}' } else { ']' });
            }
        }
    }

    #[test]
    fn lines_of_any_depth_and_length_and_with_one_byte_changed_are_what_a_walk_says() {
        let mut next = numbers(31);
        for level in levels() {
            for (depth_max, deep) in [(300, 300), (128, 200), (64, 70), (63, 70), (5, 7), (1, 2)] {
                let mut both = Both::new(level, depth_max);
                let mut valid = 0;
                for round in 0..300 {
                    let mut line = String::from("{");
                    for number in 0..next(8) {
                        line.push_str(if number > 0 { r#" , "m" : "# } else { r#""m":"# });
                        // Down by a random way, so that it gets deep.
                        let kinds: Vec<bool> = (0..next(deep)).map(|_| next(2) == 0).collect();
                        kinds.iter().for_each(|is_object| line.push_str(if *is_object { r#"{"d":"# } else { "[" }));
                        value(&mut next, round % 9, &mut line);
                        kinds.iter().rev().for_each(|is_object| line.push(if *is_object { '}' } else { ']' }));
                    }
                    line.push('}');
                    valid += usize::from(both.agree(&line));
                    let at = next(line.len() as u64) as usize;
                    let other = ["", "{", "}", "[", "]", ":", ",", "\"", "0", " "][next(10) as usize];
                    let mut changed = line.clone();
                    changed.replace_range(at..at + 1, other);
                    both.agree(&changed);
                    both.agree(&line[..at]);
                }
                assert!(valid > 30, "{depth_max} {valid}");
            }
        }
    }

    #[test]
    fn texts_are_looked_at() {
        for level in levels() {
            let mut both = Both::new(level, 9);
            assert!(both.agree(r#"{"a\n":"\u00e4 ä"}"#));
            assert!(!both.agree(r#"{"a":"\x"}"#));
            assert!(!both.agree("{\"a\":\"\t\"}"));
        }
    }
}
