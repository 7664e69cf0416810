//! The kernel for 64-bit ARM: NEON, four registers of 16 bytes a step.
//!
//! Tests on other CPUs run it, too, over functions of the same names that do by hand what the instructions do.

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::*;

#[cfg(not(target_arch = "aarch64"))]
use super::neon_by_hand::*;
use super::{BATCH_STEPS, Kernel, Step, write_one_by_one};
use crate::index::{Masks, SCALAR, STEP_BYTES, prefix_xor};
use crate::structure::{BLOCK, KindMasks};

/// Whether this CPU has NEON: nearly every one has.
#[cfg(target_arch = "aarch64")]
pub(super) fn has_neon() -> bool {
    std::arch::is_aarch64_feature_detected!("neon")
}

// A byte is looked up by its low four bits and compared with what it would have to be. Fillers are 0, which only a zero
// byte could equal, and that looks up a space. `{` and `[`, `}` and `]` differ in bit 5 only, which is set before
// comparing; so 0x0c and 0x1a, which become `,` and `:` then, have to be taken out again.
const SPACES: [u8; 16] = [b' ', 0, 0, 0, 0, 0, 0, 0, 0, b'\t', b'\n', 0, 0, b'\r', 0, 0];
const OPERATORS: [u8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, b':', b'{', b',', b'}', 0, 0];

/// The bit that each byte of a register stands for in one of two bytes of a mask.
const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

/// One of the four parts of a step, or all ones in those of its bytes that are of some class.
type Quarter = uint8x16_t;

#[inline]
#[cfg_attr(target_arch = "aarch64", target_feature(enable = "neon"))]
fn load(bytes: &[u8; 16]) -> Quarter {
    // SAFETY: 16 bytes are there, and loads need no alignment.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

/// One bit per byte: neighbours are added up until eight bytes are left.
#[inline]
#[cfg_attr(target_arch = "aarch64", target_feature(enable = "neon"))]
fn mask(quarters: [Quarter; 4]) -> u64 {
    let bits = load(&BITS);
    let [a, b, c, d] = quarters.map(|quarter| vandq_u8(quarter, bits));
    let halves = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
    vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(halves, halves)))
}

/// # Safety
/// The CPU must have NEON.
#[inline]
#[cfg_attr(target_arch = "aarch64", target_feature(enable = "neon"))]
unsafe fn classify_step(bytes: &[u8; STEP_BYTES], step: &mut Step) {
    let (parts, _) = bytes.as_chunks::<16>();
    let quarters = [load(&parts[0]), load(&parts[1]), load(&parts[2]), load(&parts[3])];
    let (spaces, operators) = (load(&SPACES), load(&OPERATORS));
    let (low_bits, bit_5) = (vdupq_n_u8(0x0f), vdupq_n_u8(0x20));
    let equal = |byte: u8| quarters.map(|quarter| vceqq_u8(quarter, vdupq_n_u8(byte)));
    let quote = equal(b'"');
    let newline = mask(equal(b'\n'));
    let operator = quarters.map(|quarter| {
        let wanted = vqtbl1q_u8(operators, vandq_u8(quarter, low_bits));
        vbicq_u8(vceqq_u8(vorrq_u8(quarter, bit_5), wanted), vcltq_u8(quarter, bit_5))
    });
    let space = quarters.map(|quarter| vceqq_u8(quarter, vqtbl1q_u8(spaces, vandq_u8(quarter, low_bits))));
    let backslash = mask(equal(b'\\'));
    let control = mask(quarters.map(|quarter| vcltq_u8(quarter, bit_5))) & !newline;
    let non_ascii = mask(quarters.map(|quarter| vcgeq_u8(quarter, vdupq_n_u8(0x80))));
    step.masks = Masks {
        quote: mask(quote),
        operator: mask(operator),
        space: mask(space),
        newline,
        backslash,
        control,
        non_ascii,
        of_line: newline | backslash | control | non_ascii,
    };
    for (number, quarter) in quarters.into_iter().enumerate() {
        let own = vorrq_u8(quote[number], operator[number]);
        let kinds = vbslq_u8(own, quarter, vdupq_n_u8(SCALAR));
        // SAFETY: four times 16 bytes are there, and stores need no alignment.
        unsafe { vst1q_u8(step.kinds.as_mut_ptr().add(16 * number), kinds) };
    }
}

/// Which of 64 tokens are of what kind.
///
/// # Safety
/// The CPU must have NEON.
#[inline]
#[cfg_attr(target_arch = "aarch64", target_feature(enable = "neon"))]
pub(super) unsafe fn kind_masks(kinds: &[u8; BLOCK]) -> KindMasks {
    let (parts, _) = kinds.as_chunks::<16>();
    let quarters = [load(&parts[0]), load(&parts[1]), load(&parts[2]), load(&parts[3])];
    let equal = |kind: u8| mask(quarters.map(|quarter| vceqq_u8(quarter, vdupq_n_u8(kind))));
    KindMasks::of(equal)
}

pub(super) struct Neon;

impl Kernel for Neon {
    unsafe fn classify(bytes: &[[u8; STEP_BYTES]], steps: &mut [Step; BATCH_STEPS]) {
        for (bytes, step) in bytes.iter().zip(steps) {
            // SAFETY: the caller vouches for the CPU.
            unsafe { classify_step(bytes, step) };
        }
    }

    #[inline(always)]
    unsafe fn prefix_xor(bits: u64) -> u64 {
        prefix_xor(bits)
    }

    unsafe fn write(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8) {
        // SAFETY: passed on from the caller.
        unsafe { write_one_by_one(steps, base, places, kinds, |kind| kind) }
    }
}
