//! Stage 1: where the structural characters of a block are.
//!
//! The bit logic over one 64-byte step is here, written once; the kernels in `arch` only classify bytes. Places are
//! offsets from the start of the chunk. Stage 1 renders no verdict: it notes per line what stage 2 has to look at more
//! closely (escapes, bytes outside of ASCII, control characters in strings).

use std::ops::{BitOr, BitOrAssign};

use crate::arch::{BATCH_STEPS, Step};

/// Bytes in one step.
pub(crate) const STEP_BYTES: usize = 64;

/// The kind of a token that is neither structural nor a quote.
pub(crate) const SCALAR: u8 = b's';

/// What a line holds that a clean line does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    /// A backslash, anywhere.
    pub(crate) const BACKSLASH: Self = Self(1);
    /// A byte of 0x80 or above.
    pub(crate) const NON_ASCII: Self = Self(2);
    /// A control character inside a string: such a line is never valid.
    pub(crate) const CONTROL: Self = Self(4);

    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Flags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineEnd {
    /// The offset of its `\n`, or of the end of the input where there is none.
    pub(crate) end: u32,
    /// How many tokens there are up to here.
    pub(crate) tokens_end: u32,
    pub(crate) flags: Flags,
}

/// What stage 1 finds. Buffers are reused from block to block.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// Places of `{ } [ ] : ,` outside of strings, of both quotes of each string, and of the first byte of anything else
    /// outside of strings. Only the first `token_count` count; what follows is spare room.
    pub(crate) tokens: Vec<u32>,
    /// For each token the byte that stands there, or [`SCALAR`] where it is the start of anything else.
    pub(crate) kinds: Vec<u8>,
    pub(crate) token_count: usize,
    pub(crate) lines: Vec<LineEnd>,
    /// Room for the kernels.
    pub(crate) steps: Option<Box<[Step; BATCH_STEPS]>>,
}

impl Index {
    pub(crate) fn clear(&mut self) {
        self.token_count = 0;
        self.lines.clear();
    }

    /// Makes room for every byte of a block being a token, and one step more, which the kernels may write over.
    pub(crate) fn make_room(&mut self, block_bytes: usize) {
        let need = self.token_count + block_bytes + 2 * STEP_BYTES;
        if self.tokens.len() < need {
            self.tokens.resize(need, 0);
            self.kinds.resize(need, 0);
        }
    }
}

/// What one step hands to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Carry {
    /// All ones inside a string, else 0.
    in_string: u64,
    /// 1 where the next byte is escaped.
    escaped: u64,
    /// 1 where the last byte was part of a scalar.
    scalar: u64,
    /// What the line has shown so far.
    pub(crate) flags: Flags,
}

/// What the bytes of a step are: one bit per byte in the mask of each class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Masks {
    pub(crate) quote: u64,
    /// `{ } [ ] : ,`
    pub(crate) operator: u64,
    /// Space, tab, `\r`, `\n`.
    pub(crate) space: u64,
    pub(crate) newline: u64,
    pub(crate) backslash: u64,
    /// Bytes below 0x20 but for `\n`.
    pub(crate) control: u64,
    /// Bytes of 0x80 and above.
    pub(crate) non_ascii: u64,
    /// Newlines, and what lines are flagged for: backslashes, control characters, bytes of 0x80 and above.
    pub(crate) of_line: u64,
}

impl Masks {
    pub(crate) const EMPTY: Self =
        Self { quote: 0, operator: 0, space: 0, newline: 0, backslash: 0, control: 0, non_ascii: 0, of_line: 0 };
}

/// Bit n is the parity of bits 0 to n.
#[inline(always)]
pub(crate) fn prefix_xor(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Which bytes are escaped by an odd run of backslashes before them.
#[inline(always)]
pub(crate) fn escaped(backslash: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    let backslash = backslash & !*carry;
    let after = (backslash << 1) | *carry;
    // Adding a run's start to the run carries out of its end; where the run starts on an odd bit, that end tells an odd
    // run from an even one by its parity against the even bits.
    let odd_starts = backslash & !EVEN & !after;
    let (ends, overflow) = odd_starts.overflowing_add(backslash);
    *carry = u64::from(overflow);
    (EVEN ^ (ends << 1)) & after
}

/// What one step finds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    /// Where tokens are.
    pub(crate) tokens: u64,
    /// Bytes inside of strings, opening quotes among them.
    in_string: u64,
    /// How many tokens there are before the step.
    pub(crate) tokens_before: usize,
}

impl Found {
    pub(crate) const EMPTY: Self = Self { tokens: 0, in_string: 0, tokens_before: 0 };
}

/// Where the tokens of a step are.
#[inline(always)]
pub(crate) fn find_tokens(
    masks: &Masks,
    prefix_xor: impl Fn(u64) -> u64,
    carry: &mut Carry,
    tokens_before: usize,
) -> Found {
    let quotes = if masks.backslash | carry.escaped == 0 {
        masks.quote
    } else {
        masks.quote & !escaped(masks.backslash, &mut carry.escaped)
    };
    let mut in_string = prefix_xor(quotes) ^ carry.in_string;
    let mut broken = masks.newline & in_string;
    while broken != 0 {
        // A string that its line leaves open: from here on everything is the other way round.
        let bit = broken & broken.wrapping_neg();
        in_string ^= bit.wrapping_neg();
        broken = masks.newline & in_string & !(bit | (bit - 1));
    }
    carry.in_string = ((in_string as i64) >> 63) as u64;

    let scalar = !(masks.operator | masks.space);
    let plain_scalar = scalar & !quotes;
    let follows_scalar = (plain_scalar << 1) | carry.scalar;
    carry.scalar = plain_scalar >> 63;
    let string_rest = in_string ^ quotes;
    let tokens = ((masks.operator | (scalar & !follows_scalar)) & !string_rest) | quotes;
    Found { tokens, in_string, tokens_before }
}

impl Masks {
    /// What a line shows in the bytes of `segment`.
    #[inline(always)]
    fn flags(&self, segment: u64, in_string: u64) -> Flags {
        let flag = |bits: u64, flag: Flags| Flags(flag.0 * u8::from(bits & segment != 0));
        flag(self.backslash, Flags::BACKSLASH)
            | flag(self.non_ascii, Flags::NON_ASCII)
            | flag(self.control & in_string, Flags::CONTROL)
    }
}

/// Notes the line ends of the step at `base`, and what its lines have to be flagged for.
#[inline(always)]
pub(crate) fn note_lines(masks: &Masks, found: &Found, base: u32, flags: &mut Flags, lines: &mut Vec<LineEnd>) {
    let mut newlines = masks.newline;
    let mut done = 0u64;
    while newlines != 0 {
        let bit = newlines & newlines.wrapping_neg();
        let below = bit - 1;
        lines.push(LineEnd {
            end: base + bit.trailing_zeros(),
            tokens_end: (found.tokens_before + (found.tokens & below).count_ones() as usize) as u32,
            flags: *flags | masks.flags(below & !done, found.in_string),
        });
        *flags = Flags::NONE;
        done = below | bit;
        newlines &= newlines - 1;
    }
    *flags |= masks.flags(!done, found.in_string);
}

#[cfg(test)]
mod tests {
    use super::escaped;
    use crate::test_numbers::numbers;

    #[test]
    fn escapes_agree_with_a_loop_over_bytes() {
        let mut next = numbers(7);
        let mut carry = 0;
        let mut naive_carry = false;
        for round in 0..20_000 {
            let seed = next(1 << 31) << 33 | next(1 << 31) << 2 | next(4);
            let bits = match round % 4 {
                0 => seed & (seed >> 7),
                1 => seed | (seed << 9),
                2 => u64::MAX << (seed >> 58),
                _ => 0,
            };
            let mut want = 0u64;
            for place in 0..64 {
                if naive_carry {
                    want |= 1 << place;
                    naive_carry = false;
                } else {
                    naive_carry = bits >> place & 1 == 1;
                }
            }
            assert_eq!(escaped(bits, &mut carry), want, "round {round}: {bits:b}");
            assert_eq!(carry == 1, naive_carry);
        }
    }
}
