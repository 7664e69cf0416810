//! The kernels of stage 1, and which of them this CPU can run.
//!
//! A kernel classifies the 64 bytes of a step; the scalar one is always there and is what the others are tested against.
//! All work on `&[u8]` and read no byte outside of it: the last, short step is padded with spaces in a buffer of its own.

mod byte_set;
mod numbers;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86_64;

pub use byte_set::ByteSet;

use crate::index::{Carry, Found, Index, Masks, SCALAR, STEP_BYTES, step};

/// Classifies bytes.
///
/// The functions are unsafe to call where the CPU lacks what the kernel is made for.
trait Kernel {
    /// One bit per byte and class.
    ///
    /// # Safety
    /// The CPU must have the features of the kernel.
    unsafe fn masks(bytes: &[u8; STEP_BYTES]) -> Masks;

    /// Bit n is the parity of bits 0 to n.
    ///
    /// # Safety
    /// The CPU must have the features of the kernel.
    unsafe fn prefix_xor(bits: u64) -> u64;

    /// Writes place and kind of each token; up to 64 of each may be written, only the first as many as there are tokens count.
    ///
    /// # Safety
    /// The CPU must have the features of the kernel; `tokens` and `kinds` must be valid for writes of 64 elements.
    #[inline(always)]
    unsafe fn write(bytes: &[u8; STEP_BYTES], found: Found, at: u32, tokens: *mut u32, kinds: *mut u8) {
        let mut bits = found.tokens;
        let count = bits.count_ones() as usize;
        let mut written = 0;
        while written < count {
            for lane in 0..8 {
                let place = bits.trailing_zeros();
                let kind = KINDS[usize::from(bytes[place as usize % STEP_BYTES])];
                // SAFETY: `written` is a multiple of 8 below 64, so `written + lane` is below 64.
                unsafe {
                    tokens.add(written + lane).write(at.wrapping_add(place));
                    kinds.add(written + lane).write(kind);
                }
                bits &= bits.wrapping_sub(1);
            }
            written += 8;
        }
    }
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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inner {
    Scalar,
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
        #[cfg(target_arch = "x86_64")]
        if x86_64::has_avx2() {
            levels.push(Self(Inner::Avx2));
            if x86_64::has_avx512() {
                levels.push(Self(Inner::Avx512));
            }
        }
        levels
    }

    /// The level of this name (`scalar`, `avx2`, `avx512`), if this CPU has it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::available().into_iter().find(|level| level.name() == name)
    }

    /// `scalar`, `avx2`, `avx512`
    pub fn name(self) -> &'static str {
        match self.0 {
            Inner::Scalar => "scalar",
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
            #[cfg(target_arch = "x86_64")]
            // SAFETY: a `Level` of AVX2 is only made by `available`, after the CPU said that it has all of it.
            Inner::Avx2 => unsafe { x86_64::index_avx2(bytes, base, carry, index) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: likewise for AVX-512.
            Inner::Avx512 => unsafe { x86_64::index_avx512(bytes, base, carry, index) },
        }
    }
}

/// # Safety
/// The CPU must have the features of the kernel.
#[inline(always)]
unsafe fn index_steps<K: Kernel>(bytes: &[u8], base: u32, carry: &mut Carry, index: &mut Index) {
    index.make_room(bytes.len());
    // What goes from step to step is kept in locals: stores through the buffers' pointers could change anything else.
    let mut local = *carry;
    let mut count = index.token_count;
    let Index { tokens, kinds, lines, .. } = index;
    let (tokens, kinds) = (tokens.as_mut_slice(), kinds.as_mut_slice());
    let mut at = base;
    let (steps, rest) = bytes.as_chunks::<STEP_BYTES>();
    let mut padded = [b' '; STEP_BYTES];
    padded[..rest.len()].copy_from_slice(rest);
    let last = if rest.is_empty() { None } else { Some(&padded) };
    // One loop and no closure: all of it is compiled for the features of the kernel.
    for chunk in steps.iter().chain(last) {
        // SAFETY: passed on from the caller.
        let masks = unsafe { K::masks(chunk) };
        // SAFETY: passed on from the caller.
        let prefix_xor = |bits| unsafe { K::prefix_xor(bits) };
        let found = step(masks, prefix_xor, at, &mut local, lines, count);
        let (tokens, kinds) = (&mut tokens[count..], &mut kinds[count..]);
        assert!(tokens.len() >= STEP_BYTES && kinds.len() >= STEP_BYTES, "make_room leaves a step of spare room");
        // SAFETY: at least 64 elements are there, as just checked; the CPU is the caller's promise.
        unsafe { K::write(chunk, found, at, tokens.as_mut_ptr(), kinds.as_mut_ptr()) };
        count += found.tokens.count_ones() as usize;
        at += STEP_BYTES as u32;
    }
    index.token_count = count;
    *carry = local;
}

#[cfg(test)]
mod tests {
    use super::Level;
    use crate::index::{Carry, Index};

    fn run(level: Level, bytes: &[u8]) -> (Vec<u32>, Vec<u8>, Vec<crate::index::LineEnd>) {
        let mut index = Index::default();
        let mut carry = Carry::default();
        level.index(bytes, 3, &mut carry, &mut index);
        let count = index.token_count;
        (index.tokens[..count].to_vec(), index.kinds[..count].to_vec(), index.lines)
    }

    #[test]
    fn every_level_finds_what_the_scalar_one_finds() {
        let mut seed = 99u64;
        let alphabet = b"{}[]:,\"\"\\\\ \t\r\n\nab1-\x00\x0c\x1a\x1f\x7f\x80\xc3\xff";
        for round in 0..3000 {
            let bytes: Vec<u8> = (0..round % 400)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let roll = (seed >> 33) as usize;
                    if roll.is_multiple_of(5) { (roll / 5) as u8 } else { alphabet[roll % alphabet.len()] }
                })
                .collect();
            let want = run(Level::SCALAR, &bytes);
            for level in Level::available() {
                assert_eq!(run(level, &bytes), want, "{} {:?}", level.name(), String::from_utf8_lossy(&bytes));
            }
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
