//! The kernels of stage 1, and which of them this CPU can run.
//!
//! A kernel classifies the 64 bytes of a step; the scalar one is always there and is what the others are tested against.
//! All work on `&[u8]` and read no byte outside of it: the last, short step is padded with spaces in a buffer of its own.

#[cfg(any(all(target_arch = "aarch64", target_endian = "little"), test))]
mod aarch64;
mod byte_set;
mod escapes;
mod kinds;
#[cfg(all(not(target_arch = "aarch64"), test))]
mod neon_by_hand;
mod nh;
mod numbers;
mod scalar;
mod trace;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use byte_set::ByteSet;
pub use nh::{NH_BYTES_MAX, NhKeys};
pub(crate) use trace::REACH;

use crate::index::{Carry, Found, Index, Masks, STEP_BYTES, find_tokens, note_lines};

/// Classifies bytes and writes tokens, a batch of steps of 64 bytes at a time.
///
/// The functions are unsafe to call where the CPU lacks what the kernel is made for.
trait Kernel {
    /// Finds the classes of the bytes of each step, and for each byte the kind of a token that would stand there.
    ///
    /// # Safety
    /// The CPU must have the features of the kernel.
    unsafe fn classify(bytes: &[[u8; STEP_BYTES]], steps: &mut [Step; BATCH_STEPS]);

    /// Bit n is the parity of bits 0 to n.
    ///
    /// # Safety
    /// The CPU must have the features of the kernel.
    unsafe fn prefix_xor(bits: u64) -> u64;

    /// Writes place and kind of each token that was found in steps whose first byte is at `base`.
    ///
    /// # Safety
    /// The CPU must have the features of the kernel. `places` and `kinds` must be valid for writes of 64 elements from the
    /// number on that each step has as tokens before it.
    unsafe fn write(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8);
}

/// [`Kernel::write`] without SIMD. `kind` tells the kind of a token by what the kernel keeps for each byte.
///
/// # Safety
/// As for [`Kernel::write`].
#[inline(always)]
unsafe fn write_one_by_one(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8, kind: impl Fn(u8) -> u8) {
    let mut at = base;
    for step in steps {
        let before = step.found.tokens_before;
        let mut bits = step.found.tokens;
        let count = bits.count_ones() as usize;
        let mut written = 0;
        // Eight at a time, so that their number is seldom guessed wrongly.
        while written < count {
            for number in before + written..before + written + 8 {
                let place = bits.trailing_zeros();
                // SAFETY: `written` is a multiple of 8 below 64, and there is room for 64.
                unsafe {
                    places.add(number).write(at.wrapping_add(place));
                    kinds.add(number).write(kind(step.kinds[place as usize % STEP_BYTES]));
                }
                bits &= bits.wrapping_sub(1);
            }
            written += 8;
        }
        at = at.wrapping_add(STEP_BYTES as u32);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inner {
    Scalar,
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Neon,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// A level of SIMD that this CPU has: holding the value is the proof that its kernels may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Inner);

impl Level {
    /// Plain code, on every CPU.
    pub const SCALAR: Self = Self(Inner::Scalar);

    /// The fastest level that this CPU has.
    pub fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::SCALAR)
    }

    /// All levels that this CPU has, slowest first.
    pub fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "only scalar on other architectures")]
        let mut levels = vec![Self::SCALAR];
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        if aarch64::has_neon() {
            levels.push(Self(Inner::Neon));
        }
        #[cfg(target_arch = "x86_64")]
        if x86_64::has_avx2() {
            levels.push(Self(Inner::Avx2));
            if x86_64::has_avx512() {
                levels.push(Self(Inner::Avx512));
            }
        }
        levels
    }

    /// The level of this name (`scalar`, `avx2`, `avx512`, `neon`), if this CPU has it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|level| level.name() == name)
    }

    /// `scalar`, `avx2`, `avx512`, `neon`
    pub fn name(self) -> &'static str {
        match self.0 {
            Inner::Scalar => "scalar",
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Inner::Neon => "neon",
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Inner::Avx512 => "avx512",
        }
    }

    /// Runs stage 1 over `bytes`, whose first byte has the offset `base`.
    ///
    /// With `carry` from the call before, bytes may come in pieces, all but the last a multiple of [`STEP_BYTES`] long.
    pub(crate) fn index(self, bytes: &[u8], base: u32, carry: &mut Carry, index: &mut Index) {
        match self.0 {
            // SAFETY: the scalar kernel needs nothing of the CPU.
            Inner::Scalar => unsafe { index_steps::<scalar::Scalar>(bytes, base, carry, index) },
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            // SAFETY: a `Level` of NEON is only made by `available`, after the CPU said that it has it.
            Inner::Neon => unsafe { index_steps::<aarch64::Neon>(bytes, base, carry, index) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a `Level` of AVX2 is only made by `available`, after the CPU said that it has all of it.
            Inner::Avx2 => unsafe { x86_64::index_avx2(bytes, base, carry, index) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: likewise for AVX-512.
            Inner::Avx512 => unsafe { x86_64::index_avx512(bytes, base, carry, index) },
        }
    }
}

/// Steps that go through one loop before they go through the next.
pub(crate) const BATCH_STEPS: usize = 32;

/// What the loops over a batch hand to each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    masks: Masks,
    /// By byte.
    kinds: [u8; STEP_BYTES],
    found: Found,
}

impl Step {
    const EMPTY: Self = Self { masks: Masks::EMPTY, kinds: [0; STEP_BYTES], found: Found::EMPTY };
}

/// # Safety
/// The CPU must have the features of the kernel.
#[inline(always)]
unsafe fn index_steps<K: Kernel>(bytes: &[u8], base: u32, carry: &mut Carry, index: &mut Index) {
    index.make_room(bytes.len());
    // Kept from call to call: to make it anew costs more than to index a short line.
    let mut steps = index.steps.take().unwrap_or_else(|| Box::new([Step::EMPTY; BATCH_STEPS]));
    let (whole, rest) = bytes.as_chunks::<STEP_BYTES>();
    let mut padded = [b' '; STEP_BYTES];
    padded[..rest.len()].copy_from_slice(rest);
    let last = if rest.is_empty() { &[][..] } else { std::slice::from_ref(&padded) };
    let mut at = base;
    for batch in whole.chunks(BATCH_STEPS).chain(last.chunks(BATCH_STEPS)) {
        // SAFETY: passed on from the caller.
        unsafe { index_batch::<K>(batch, at, carry, index, &mut steps) };
        at = at.wrapping_add((batch.len() * STEP_BYTES) as u32);
    }
    index.steps = Some(steps);
}

/// Classifies some steps, works out where their tokens are, notes line ends, then writes the tokens: short loops, each of
/// which keeps in registers what it needs, and the branches that nobody can foretell are in one of them.
///
/// # Safety
/// The CPU must have the features of the kernel.
#[inline(always)]
unsafe fn index_batch<K: Kernel>(
    bytes: &[[u8; STEP_BYTES]],
    base: u32,
    carry: &mut Carry,
    index: &mut Index,
    steps: &mut [Step; BATCH_STEPS],
) {
    // SAFETY: passed on from the caller.
    unsafe { K::classify(bytes, steps) };
    let steps = &mut steps[..bytes.len()];

    let before = index.token_count;
    let mut count = before;
    let mut line_steps = 0u64;
    let mut local = *carry;
    for (number, step) in steps.iter_mut().enumerate() {
        // SAFETY: passed on from the caller.
        let prefix_xor = |bits| unsafe { K::prefix_xor(bits) };
        step.found = find_tokens(&step.masks, prefix_xor, &mut local, count);
        count += step.found.tokens.count_ones() as usize;
        line_steps |= u64::from(step.masks.of_line != 0) << number;
    }
    *carry = local;
    index.token_count = count;

    while line_steps != 0 {
        let number = line_steps.trailing_zeros() as usize;
        let at = base + (number * STEP_BYTES) as u32;
        note_lines(&steps[number].masks, &steps[number].found, at, &mut carry.flags, &mut index.lines);
        line_steps &= line_steps - 1;
    }

    let room = before + steps.len() * STEP_BYTES;
    let (places, kinds) = (&mut index.tokens[..room], &mut index.kinds[..room]);
    // SAFETY: there is room for all bytes of these steps being tokens, as just checked, so for 64 of each step behind
    // those of the steps before. The CPU is the caller's promise.
    unsafe { K::write(steps, base, places.as_mut_ptr(), kinds.as_mut_ptr()) };
}

#[cfg(test)]
mod tests {
    use super::{Level, index_steps};
    use crate::index::{Carry, Index, LineEnd, STEP_BYTES};
    use crate::test_numbers::numbers;

    /// Runs stage 1 over bytes whose first one is at this offset.
    type Run = fn(&[u8], u32, &mut Carry, &mut Index);

    fn run(stage: impl Fn(&[u8], u32, &mut Carry, &mut Index), bytes: &[u8]) -> (Vec<u32>, Vec<u8>, Vec<LineEnd>) {
        let mut index = Index::default();
        let mut carry = Carry::default();
        // In two pieces, so that the second goes on where the first ends.
        let (first, second) = bytes.split_at(bytes.len() / 3 / STEP_BYTES * STEP_BYTES);
        stage(first, 3, &mut carry, &mut index);
        stage(second, 3 + first.len() as u32, &mut carry, &mut index);
        let count = index.token_count;
        (index.tokens[..count].to_vec(), index.kinds[..count].to_vec(), index.lines)
    }

    /// What NEON finds, on whatever CPU.
    const NEON: Run = |bytes, base, carry, index| {
        // SAFETY: on ARM every CPU that runs tests has NEON; elsewhere the kernel runs on plain functions.
        unsafe { index_steps::<super::aarch64::Neon>(bytes, base, carry, index) }
    };

    #[test]
    fn every_level_finds_what_the_scalar_one_finds() {
        let mut next = numbers(99);
        let alphabet = b"{}[]:,\"\"\\\\ \t\r\n\nab1-\x00\x0c\x1a\x1f\x7f\x80\xc3\xff";
        for round in 0..3000 {
            // Some are longer than a batch, some are nothing but tokens.
            let length = if round % 60 == 0 { 2 * round } else { round % 400 };
            let alphabet = if round % 7 == 0 { &alphabet[..6] } else { &alphabet[..] };
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    let roll = next(1 << 31) as usize;
                    if roll.is_multiple_of(5) && round % 7 != 0 {
                        (roll / 5) as u8
                    } else {
                        alphabet[roll % alphabet.len()]
                    }
                })
                .collect();
            let shown = String::from_utf8_lossy(&bytes);
            let of_level = |level: Level| {
                move |bytes: &[u8], base, carry: &mut _, index: &mut _| level.index(bytes, base, carry, index)
            };
            let want = run(of_level(Level::SCALAR), &bytes);
            for level in Level::available() {
                assert_eq!(run(of_level(level), &bytes), want, "{} {shown:?}", level.name());
            }
            assert_eq!(run(NEON, &bytes), want, "neon {shown:?}");
        }
    }

    #[test]
    fn names_lead_back_to_levels() {
        for level in Level::available() {
            assert_eq!(Level::from_name(level.name()), Some(level));
        }
        assert_eq!(Level::from_name("mmx"), None);
        assert!(Level::available().contains(&Level::detect()));
    }
}
