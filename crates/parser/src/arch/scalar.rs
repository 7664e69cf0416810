//! The kernel without SIMD: a table and a loop. It is the reference for the others.

use super::{BATCH_STEPS, Kernel, Step};
use crate::index::{Masks, SCALAR, STEP_BYTES};

pub(super) struct Scalar;

// The classes, each the number of a byte in an entry of the table.
const QUOTE: usize = 0;
const OPERATOR: usize = 1;
const SPACE: usize = 2;
const NEWLINE: usize = 3;
const BACKSLASH: usize = 4;
const CONTROL: usize = 5;
const NON_ASCII: usize = 6;
const OWN_NAME: usize = 7;
const CLASS_COUNT: usize = 8;

/// By byte: the classes that it is in, as the lowest bit of the byte of each class.
const CLASSES: [u64; 256] = {
    let mut table = [0u64; 256];
    let mut byte = 0;
    while byte < 256 {
        let class = match byte as u8 {
            b'"' => 1 << (8 * QUOTE) | 1 << (8 * OWN_NAME),
            b'{' | b'}' | b'[' | b']' | b':' | b',' => 1 << (8 * OPERATOR) | 1 << (8 * OWN_NAME),
            b' ' => 1 << (8 * SPACE),
            b'\t' | b'\r' => 1 << (8 * SPACE) | 1 << (8 * CONTROL),
            b'\n' => 1 << (8 * SPACE) | 1 << (8 * NEWLINE),
            b'\\' => 1 << (8 * BACKSLASH),
            0..0x20 => 1 << (8 * CONTROL),
            0x80.. => 1 << (8 * NON_ASCII),
            _ => 0,
        };
        table[byte] = class;
        byte += 1;
    }
    table
};

/// One mask per class: eight bytes fill one byte of each, a bit a time.
#[inline(always)]
fn classes(bytes: &[u8; STEP_BYTES]) -> [u64; CLASS_COUNT] {
    let mut masks = [[0u8; 8]; CLASS_COUNT];
    for (number, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
        let mut found = 0;
        for (bit, byte) in eight.iter().enumerate() {
            found |= CLASSES[usize::from(*byte)] << bit;
        }
        for (mask, found) in masks.iter_mut().zip(found.to_le_bytes()) {
            mask[number] = found;
        }
    }
    masks.map(u64::from_le_bytes)
}

/// The kind of a token by its byte.
const KINDS: [u8; 256] = {
    let mut table = [SCALAR; 256];
    let own = b"{}[]:,\"";
    let mut at = 0;
    while at < own.len() {
        table[own[at] as usize] = own[at];
        at += 1;
    }
    table
};

impl Kernel for Scalar {
    unsafe fn classify(bytes: &[[u8; STEP_BYTES]], steps: &mut [Step; BATCH_STEPS]) {
        for (bytes, step) in bytes.iter().zip(steps) {
            let classes = classes(bytes);
            step.masks = Masks {
                quote: classes[QUOTE],
                operator: classes[OPERATOR],
                space: classes[SPACE],
                newline: classes[NEWLINE],
                backslash: classes[BACKSLASH],
                control: classes[CONTROL],
                non_ascii: classes[NON_ASCII],
                own_name: classes[OWN_NAME],
            };
            step.kinds = *bytes;
        }
    }

    #[inline(always)]
    unsafe fn prefix_xor(mut bits: u64) -> u64 {
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        bits
    }

    unsafe fn write(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8) {
        let mut at = base;
        for step in steps {
            let mut bits = step.found.tokens;
            let before = step.found.tokens_before;
            let count = bits.count_ones() as usize;
            let mut written = 0;
            // Eight at a time, so that their number is seldom guessed wrongly.
            while written < count {
                for number in before + written..before + written + 8 {
                    let place = bits.trailing_zeros();
                    // SAFETY: `written` is a multiple of 8 below 64, and there is room for 64.
                    unsafe {
                        places.add(number).write(at.wrapping_add(place));
                        kinds.add(number).write(KINDS[usize::from(step.kinds[place as usize % STEP_BYTES])]);
                    }
                    bits &= bits.wrapping_sub(1);
                }
                written += 8;
            }
            at = at.wrapping_add(STEP_BYTES as u32);
        }
    }
}
