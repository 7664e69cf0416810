//! NH, the universal hash of UMAC (Black, Halevi, Krawczyk, Krovetz, Rogaway, 1999), over words of 32 bits, twice.
//!
//! Two different texts of one length have both sums the same with a probability of at most 2^-64 over all keys.

#[cfg(target_arch = "x86_64")]
use super::Inner;
use super::Level;

/// Bytes of a stripe: eight words.
const STRIPE_BYTES: usize = 32;
/// Stripes of a block.
const STRIPES: usize = 128;
/// The longest text that keys reach for.
pub const NH_BYTES_MAX: usize = STRIPE_BYTES * STRIPES;
/// How many words the keys of the second sum are further on: the way of Toeplitz, in which two sums share keys.
const SHIFT: usize = 4;

/// Keys: as many words as a block has, and some more.
#[derive(Debug)]
pub struct NhKeys([u32; 8 * STRIPES + SHIFT]);

impl NhKeys {
    /// Keys out of a source of random words.
    pub fn new(mut next: impl FnMut() -> u32) -> Self {
        Self(std::array::from_fn(|_| next()))
    }
}

/// The last stripe of a text that does not end with a whole one: some bytes a second time, or zeros.
#[inline]
fn last_stripe(text: &[u8]) -> [u8; STRIPE_BYTES] {
    text.last_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; STRIPE_BYTES];
        padded[..text.len()].copy_from_slice(text);
        padded
    })
}

fn sums_one_by_one(keys: &NhKeys, text: &[u8]) -> [u64; 2] {
    let (whole, rest) = text.as_chunks::<STRIPE_BYTES>();
    let last = last_stripe(text);
    let last = if rest.is_empty() { &[][..] } else { std::slice::from_ref(&last) };
    let mut sums = [0u64; 2];
    for (number, stripe) in whole.iter().chain(last).enumerate() {
        for (pair, bytes) in stripe.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*bytes);
            for (sum, shift) in sums.iter_mut().zip([0, SHIFT]) {
                let keys = &keys.0[8 * number + 2 * pair + shift..];
                let (low, high) = ((word as u32).wrapping_add(keys[0]), ((word >> 32) as u32).wrapping_add(keys[1]));
                *sum = sum.wrapping_add(u64::from(low) * u64::from(high));
            }
        }
    }
    sums
}

impl Level {
    /// The two sums of a text of at most [`NH_BYTES_MAX`] bytes. Its length is not in them.
    ///
    /// # Panics
    /// For a longer text.
    #[inline]
    pub fn nh(self, keys: &NhKeys, text: &[u8]) -> [u64; 2] {
        assert!(text.len() <= NH_BYTES_MAX, "keys reach for no more");
        match self.0 {
            // SAFETY: a value of these levels exists only where the CPU was found to have the features; the length was
            // looked at.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 | Inner::Avx512 => unsafe { x86_64::sums(keys, text) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            _ => sums_one_by_one(keys, text),
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi32, _mm256_add_epi64, _mm256_loadu_si256, _mm256_mul_epu32, _mm256_setzero_si256,
        _mm256_srli_epi64, _mm256_storeu_si256,
    };

    use super::{NhKeys, SHIFT, STRIPE_BYTES, last_stripe};

    #[inline]
    #[target_feature(enable = "avx2")]
    fn load(stripe: &[u8; STRIPE_BYTES]) -> __m256i {
        // SAFETY: 32 bytes are there, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(stripe.as_ptr().cast()) }
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn products(stripe: __m256i, keys: &[u32; 8]) -> __m256i {
        // SAFETY: eight words are there, and the load needs no alignment.
        let keys = unsafe { _mm256_loadu_si256(keys.as_ptr().cast()) };
        let added = _mm256_add_epi32(stripe, keys);
        _mm256_mul_epu32(added, _mm256_srli_epi64::<32>(added))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn total(lanes: __m256i) -> u64 {
        let mut sums = [0u64; 4];
        // SAFETY: there is room for four words, and the store needs no alignment.
        unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), lanes) };
        sums.iter().fold(0, |sum, lane| sum.wrapping_add(*lane))
    }

    /// # Safety
    /// The CPU must have AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn sums(keys: &NhKeys, text: &[u8]) -> [u64; 2] {
        let (whole, rest) = text.as_chunks::<STRIPE_BYTES>();
        let mut sums = [_mm256_setzero_si256(); 2];
        let first = keys.0.as_chunks::<8>().0;
        let second = keys.0[SHIFT..].as_chunks::<8>().0;
        for ((stripe, first), second) in whole.iter().zip(first).zip(second) {
            let stripe = load(stripe);
            sums[0] = _mm256_add_epi64(sums[0], products(stripe, first));
            sums[1] = _mm256_add_epi64(sums[1], products(stripe, second));
        }
        if !rest.is_empty() {
            let stripe = load(&last_stripe(text));
            sums[0] = _mm256_add_epi64(sums[0], products(stripe, &first[whole.len()]));
            sums[1] = _mm256_add_epi64(sums[1], products(stripe, &second[whole.len()]));
        }
        sums.map(|lanes| total(lanes))
    }
}

#[cfg(test)]
mod tests {
    use super::{Level, NH_BYTES_MAX, NhKeys, sums_one_by_one};
    use crate::test_numbers::numbers;

    fn keys() -> NhKeys {
        let mut next = numbers(5);
        NhKeys::new(|| (next(1 << 16) << 16 | next(1 << 16)) as u32)
    }

    #[test]
    fn every_level_gives_the_same_sums() {
        let keys = keys();
        let text: Vec<u8> = (0..NH_BYTES_MAX).map(|place| (place * place / 7) as u8).collect();
        for level in Level::available() {
            for length in (0..200).chain([1000, 1023, 1024, NH_BYTES_MAX - 1, NH_BYTES_MAX]) {
                let text = &text[NH_BYTES_MAX - length..];
                assert_eq!(level.nh(&keys, text), sums_one_by_one(&keys, text), "{} {length}", level.name());
            }
        }
    }

    #[test]
    fn every_bit_counts_in_both_sums() {
        let keys = keys();
        for length in [1, 31, 32, 33, 100, NH_BYTES_MAX] {
            let mut text = vec![b'a'; length];
            let sums = Level::detect().nh(&keys, &text);
            for place in 0..length {
                for bit in 0..8 {
                    text[place] ^= 1 << bit;
                    let others = Level::detect().nh(&keys, &text);
                    assert!(sums[0] != others[0] && sums[1] != others[1], "{length} {place} {bit}");
                    text[place] ^= 1 << bit;
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "keys reach for no more")]
    fn longer_texts_are_refused() {
        Level::SCALAR.nh(&keys(), &vec![0; NH_BYTES_MAX + 1]);
    }
}
