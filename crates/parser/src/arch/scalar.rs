//! The kernel without SIMD: a table and a loop. It is the reference for the others.

use super::Kernel;
use crate::index::{Masks, STEP_BYTES};

pub(super) struct Scalar;

const BACKSLASH: u8 = 1;
const QUOTE: u8 = 2;
const CONTROL: u8 = 4;
const NON_ASCII: u8 = 8;
const OPERATOR: u8 = 16;
const SPACE: u8 = 32;
const NEWLINE: u8 = 64;

const CLASSES: [u8; 256] = {
    let mut table = [0u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut class = match byte as u8 {
            b'\\' => BACKSLASH,
            b'"' => QUOTE,
            b'{' | b'}' | b'[' | b']' | b':' | b',' => OPERATOR,
            b' ' | b'\t' | b'\r' => SPACE,
            b'\n' => SPACE | NEWLINE,
            _ => 0,
        };
        if byte < 0x20 {
            class |= CONTROL;
        }
        if byte >= 0x80 {
            class |= NON_ASCII;
        }
        table[byte] = class;
        byte += 1;
    }
    table
};

impl Kernel for Scalar {
    #[inline(always)]
    unsafe fn masks(bytes: &[u8; STEP_BYTES]) -> Masks {
        let mut masks = Masks { backslash: 0, quote: 0, control: 0, non_ascii: 0, operator: 0, space: 0, newline: 0 };
        for (place, byte) in bytes.iter().enumerate() {
            let class = CLASSES[usize::from(*byte)];
            let bit = |flag: u8| u64::from(class & flag != 0) << place;
            masks.backslash |= bit(BACKSLASH);
            masks.quote |= bit(QUOTE);
            masks.control |= bit(CONTROL);
            masks.non_ascii |= bit(NON_ASCII);
            masks.operator |= bit(OPERATOR);
            masks.space |= bit(SPACE);
            masks.newline |= bit(NEWLINE);
        }
        masks
    }

    #[inline(always)]
    unsafe fn prefix_xor(mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }
}
