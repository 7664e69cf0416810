//! The kernel without SIMD: a table and a loop. It is the reference for the others.

use super::{BATCH_STEPS, Kernel, Step, write_one_by_one};
use crate::index::{Masks, SCALAR, STEP_BYTES, prefix_xor};

pub(super) struct Scalar;

// The classes, each the number of a byte in an entry of the table.
const QUOTE: usize = 0;
const OPERATOR: usize = 1;
const SPACE: usize = 2;
const NEWLINE: usize = 3;
const BACKSLASH: usize = 4;
const CONTROL: usize = 5;
const NON_ASCII: usize = 6;
const OF_LINE: usize = 7;
const CLASS_COUNT: usize = 8;

/// The lowest bit of the byte of a class.
const fn class(number: usize) -> u64 {
    1 << (8 * number)
}

/// By byte: the classes that it is in, as the lowest bit of the byte of each class.
const CLASSES: [u64; 256] = {
    let mut table = [0u64; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'"' => class(QUOTE),
            b'{' | b'}' | b'[' | b']' | b':' | b',' => class(OPERATOR),
            b' ' => class(SPACE),
            b'\t' | b'\r' => class(SPACE) | class(CONTROL) | class(OF_LINE),
            b'\n' => class(SPACE) | class(NEWLINE) | class(OF_LINE),
            b'\\' => class(BACKSLASH) | class(OF_LINE),
            0..0x20 => class(CONTROL) | class(OF_LINE),
            0x80.. => class(NON_ASCII) | class(OF_LINE),
            _ => 0,
        };
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
                of_line: classes[OF_LINE],
            };
            step.kinds = *bytes;
        }
    }

    #[inline(always)]
    unsafe fn prefix_xor(bits: u64) -> u64 {
        prefix_xor(bits)
    }

    unsafe fn write(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8) {
        // SAFETY: passed on from the caller.
        unsafe { write_one_by_one(steps, base, places, kinds, |byte| KINDS[usize::from(byte)]) }
    }
}
