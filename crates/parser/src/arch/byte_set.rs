//! Whether all bytes of a text are in a set of ASCII characters.

use std::ops::Range;

#[cfg(target_arch = "x86_64")]
use super::Inner;
use super::Level;
use crate::record::Span;

/// A set of ASCII characters.
#[derive(Clone, Debug)]
pub struct ByteSet {
    has: [bool; 256],
    /// By the low four bits of a character: bit n is set where the character with n in its high bits is in the set.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        allow(dead_code, reason = "only its kernels look a byte up in two halves")
    )]
    by_low_bits: [u8; 16],
}

impl ByteSet {
    /// The set of these characters.
    ///
    /// # Panics
    /// Where one is not ASCII.
    pub const fn new(characters: &[u8]) -> Self {
        let mut set = Self { has: [false; 256], by_low_bits: [0; 16] };
        let mut at = 0;
        while at < characters.len() {
            let character = characters[at];
            assert!(character.is_ascii(), "a set of ASCII characters");
            set.has[character as usize] = true;
            set.by_low_bits[(character & 0xf) as usize] |= 1 << (character >> 4);
            at += 1;
        }
        set
    }

    /// The set without these characters.
    #[must_use]
    pub const fn without(mut self, characters: &[u8]) -> Self {
        let mut at = 0;
        while at < characters.len() {
            let character = characters[at];
            assert!(character.is_ascii(), "a set of ASCII characters");
            self.has[character as usize] = false;
            self.by_low_bits[(character & 0xf) as usize] &= !(1 << (character >> 4));
            at += 1;
        }
        self
    }

    fn holds_one_by_one(&self, bytes: &[u8]) -> bool {
        bytes.iter().fold(true, |all, byte| all & self.has[usize::from(*byte)])
    }
}

impl Level {
    /// Whether all of `bytes` are in `set`.
    #[inline]
    pub(crate) fn all_in(self, set: &ByteSet, bytes: &[u8]) -> bool {
        match self.0 {
            // SAFETY: a value of this level exists only where the CPU was found to have the features.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 => unsafe { x86_64::all_in_avx2(set, bytes) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx512 => unsafe { x86_64::all_in_avx512(set, bytes) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            _ => set.holds_one_by_one(bytes),
        }
    }

    /// Whether all of the last `count` of `bytes` are in `set`: as [`all_in`](Self::all_in), with no look at each byte where
    /// they are few and others stand before them.
    #[inline]
    fn last_in(self, set: &ByteSet, bytes: &[u8], count: usize) -> bool {
        match self.0 {
            // SAFETY: a value of this level exists only where the CPU was found to have the features.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 => unsafe { x86_64::last_in_avx2(set, bytes, count) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            _ => self.all_in(set, &bytes[bytes.len() - count..]),
        }
    }

    /// How many of the first of some texts of `bytes` have 1 to `bytes_max` bytes, all of them in `set`.
    #[inline]
    pub(crate) fn each_within(
        self,
        set: &ByteSet,
        bytes: &[u8],
        texts: impl Iterator<Item = Range<usize>>,
        bytes_max: usize,
    ) -> usize {
        match self.0 {
            // SAFETY: values of these levels exist only where the CPU was found to have the features.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 | Inner::Avx512 => unsafe { x86_64::each_within_avx2(set, bytes, texts, bytes_max) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            _ => {
                let is_within = |text: &Range<usize>| {
                    (1..=bytes_max).contains(&text.len()) && set.holds_one_by_one(&bytes[text.clone()])
                };
                texts.take_while(is_within).count()
            }
        }
    }

    /// What stands between the quotes of a value of `bytes` that is a string of nothing but characters of `set`.
    #[inline]
    pub(crate) fn text_within<'a>(self, bytes: &'a [u8], value: Span, set: &ByteSet) -> Option<&'a [u8]> {
        match value.of(bytes) {
            [b'"', content @ .., b'"'] => {
                let to_end = &bytes[..value.end as usize - 1];
                self.last_in(set, to_end, content.len()).then_some(content)
            }
            _ => None,
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::{
        __m128i, __m256i, __m512i, _mm_and_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8, _mm_setr_epi8, _mm_setzero_si128, _mm_shuffle_epi8, _mm_srli_epi16, _mm256_and_si256,
        _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
        _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm512_and_si512, _mm512_broadcast_i32x4,
        _mm512_mask_testn_epi8_mask, _mm512_maskz_loadu_epi8, _mm512_set1_epi8, _mm512_shuffle_epi8, _mm512_srli_epi16,
    };

    use std::ops::Range;

    use super::ByteSet;

    const LANES: usize = 16;
    const WIDE: usize = 32;

    /// By the high four bits of a character: its bit in the tables by the low four. Bytes of 0x80 and above have none.
    #[inline]
    #[target_feature(enable = "sse2")]
    fn high_bits() -> __m128i {
        _mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 0, 0, 0, 0, 0, 0, 0, 0)
    }

    #[inline]
    #[target_feature(enable = "sse2")]
    fn load(bytes: &[u8; LANES]) -> __m128i {
        // SAFETY: 16 bytes are there, and the load needs no alignment.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }

    /// All ones for each byte that is not in `set`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn outside(set: &ByteSet, bytes: &[u8; LANES]) -> __m128i {
        let lanes = load(bytes);
        let high = _mm_and_si128(_mm_srli_epi16::<4>(lanes), _mm_set1_epi8(0xf));
        // A byte of 0x80 or above looks up 0.
        let found = _mm_and_si128(_mm_shuffle_epi8(load(&set.by_low_bits), lanes), _mm_shuffle_epi8(high_bits(), high));
        _mm_cmpeq_epi8(found, _mm_setzero_si128())
    }

    /// A bit for each byte that is not in `set`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn outside_wide(set: &ByteSet, bytes: &[u8; WIDE]) -> u32 {
        // SAFETY: 32 bytes are there, and the load needs no alignment.
        let lanes: __m256i = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
        let twice = _mm256_broadcastsi128_si256;
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(lanes), _mm256_set1_epi8(0xf));
        // A byte of 0x80 or above looks up 0.
        let found = _mm256_and_si256(
            _mm256_shuffle_epi8(twice(load(&set.by_low_bits)), lanes),
            _mm256_shuffle_epi8(twice(high_bits()), high),
        );
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(found, _mm256_setzero_si256())) as u32
    }

    /// # Safety
    /// The CPU must have AVX2.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn all_in_avx2(set: &ByteSet, bytes: &[u8]) -> bool {
        let Some(last) = bytes.last_chunk() else {
            return set.holds_one_by_one(bytes);
        };
        let mut any = _mm_setzero_si128();
        // Some of the last bytes a second time, and no loop over what is left.
        for lanes in bytes.as_chunks().0.iter().chain([last]) {
            any = _mm_or_si128(any, outside(set, lanes));
        }
        _mm_movemask_epi8(any) == 0
    }

    /// # Safety
    /// The CPU must have AVX2.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn last_in_avx2(set: &ByteSet, bytes: &[u8], count: usize) -> bool {
        match bytes.last_chunk() {
            // Those of the text are the last bits.
            Some(last) if count <= WIDE => u64::from(outside_wide(set, last)) << count <= u64::from(u32::MAX),
            // SAFETY: passed on from the caller.
            _ => unsafe { all_in_avx2(set, &bytes[bytes.len() - count..]) },
        }
    }

    /// # Safety
    /// The CPU must have AVX2.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) unsafe fn each_within_avx2(
        set: &ByteSet,
        bytes: &[u8],
        texts: impl Iterator<Item = Range<usize>>,
        bytes_max: usize,
    ) -> usize {
        let mut count = 0;
        for text in texts {
            let length = text.len();
            // SAFETY: the features are there, says the caller.
            if !(1..=bytes_max).contains(&length) || !unsafe { last_in_avx2(set, &bytes[..text.end], length) } {
                break;
            }
            count += 1;
        }
        count
    }

    /// # Safety
    /// The CPU must have AVX-512 with BW.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq")]
    pub(super) unsafe fn all_in_avx512(set: &ByteSet, bytes: &[u8]) -> bool {
        let by_low_bits: __m512i = _mm512_broadcast_i32x4(load(&set.by_low_bits));
        let high_bits = _mm512_broadcast_i32x4(high_bits());
        bytes.chunks(64).all(|chunk| {
            let mask = u64::MAX >> (64 - chunk.len());
            // SAFETY: only the bytes of the chunk are read.
            let lanes = unsafe { _mm512_maskz_loadu_epi8(mask, chunk.as_ptr().cast()) };
            let high = _mm512_and_si512(_mm512_srli_epi16::<4>(lanes), _mm512_set1_epi8(0xf));
            let (low, high) = (_mm512_shuffle_epi8(by_low_bits, lanes), _mm512_shuffle_epi8(high_bits, high));
            _mm512_mask_testn_epi8_mask(mask, low, high) == 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ByteSet;
    use crate::{Level, Span};

    #[test]
    fn every_byte_at_every_place_of_texts_of_many_lengths() {
        let set = ByteSet::new(b"aZ09-:\x00\x7f ~!q").without(b"!q");
        for level in Level::available() {
            for length in (0..40).chain([63, 64, 65, 127, 128, 129, 200]) {
                let mut text = vec![b'a'; length];
                assert!(level.all_in(&set, &text), "{} {length}", level.name());
                for at in 0..length {
                    for byte in 0..=255u8 {
                        text[at] = byte;
                        let want = b"aZ09-:\x00\x7f ~".contains(&byte);
                        assert_eq!(level.all_in(&set, &text), want, "{} {length} {at} {byte}", level.name());
                    }
                    text[at] = b'a';
                }
            }
        }
    }

    #[test]
    fn texts_are_within_a_set_whatever_is_around_them() {
        let set = ByteSet::new(b"aZ09-");
        for level in Level::available() {
            for before in [0, 1, 13, 14, 15, 16, 29, 30, 31, 40] {
                for length in (0..36).chain([127]) {
                    let around = "!".repeat(before);
                    let line = |text: &str| format!("{around}\"{text}\"!");
                    let value = Span::new(before, before + length + 2);
                    let text = "a".repeat(length);
                    let shown = format!("{} {before} {length}", level.name());
                    assert_eq!(
                        level.text_within(line(&text).as_bytes(), value, &set),
                        Some(text.as_bytes()),
                        "{shown}"
                    );
                    for at in 0..length {
                        let mut other = text.clone();
                        other.replace_range(at..=at, "!");
                        assert_eq!(level.text_within(line(&other).as_bytes(), value, &set), None, "{shown} {at}");
                    }
                }
            }
            assert_eq!(level.text_within(b"12 ", Span::new(0, 2), &set), None);
            assert_eq!(level.text_within(b"\"", Span::new(0, 1), &set), None);
        }
    }
}
