//! Escapes, 64 bytes at a time: whether what follows backslashes makes some, and where a string with many of them ends.

#[cfg(target_arch = "x86_64")]
use super::Inner;
use super::Level;
use crate::text;

impl Level {
    /// Whether every backslash in `bytes` starts an escape of RFC 8259.
    pub(crate) fn escapes_are_valid(self, bytes: &[u8]) -> bool {
        match self.0 {
            // SAFETY: values of these levels exist only where the CPU was found to have the features.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 | Inner::Avx512 => unsafe { x86_64::escapes_are_valid_avx2(bytes) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            _ => text::escapes_are_valid(bytes),
        }
    }

    /// The same as [`text::check_string`], which says what is wrong where something is.
    pub(crate) fn check_string(self, content: &[u8]) -> Result<(), (usize, &'static str)> {
        let is_valid = match self.0 {
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 | Inner::Avx512 => content.len() > SHORT && unsafe { x86_64::string_is_valid_avx2(content) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            _ => false,
        };
        if is_valid { Ok(()) } else { text::check_string(content) }
    }
}

/// No longer strings are looked at byte by byte.
#[cfg(target_arch = "x86_64")]
const SHORT: usize = 16;

#[cfg(target_arch = "x86_64")]
pub(super) mod x86_64 {
    use std::arch::x86_64::{
        __m256i, _mm_setr_epi8, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
        _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256,
        _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_sub_epi8,
    };

    use crate::index::{STEP_BYTES, escaped};

    const LANES: usize = STEP_BYTES / 2;

    /// What is left of a step for the next one.
    #[derive(Default)]
    struct Carry {
        /// 1 where its first byte is escaped.
        escaped: u64,
        /// Which of its first bytes have to be digits.
        digits: u64,
    }

    /// 64 bytes.
    #[derive(Clone, Copy)]
    struct Step([__m256i; 2]);

    impl Step {
        /// # Safety
        /// The CPU must have AVX2, and 64 bytes must follow `at`.
        #[inline]
        #[target_feature(enable = "avx2")]
        unsafe fn load(bytes: &[u8], at: usize) -> Self {
            debug_assert!(at + STEP_BYTES <= bytes.len());
            // SAFETY: 64 bytes are there, says the caller, and loads need no alignment.
            let half = |from: usize| unsafe { _mm256_loadu_si256(bytes.as_ptr().add(from).cast()) };
            Self([half(at), half(at + LANES)])
        }

        /// Which bytes `is` marks, a bit each, the first one lowest.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn which(self, is: impl Fn(__m256i) -> __m256i) -> u64 {
            let [low, high] = self.0.map(|bytes| u64::from(_mm256_movemask_epi8(is(bytes)) as u32));
            low | high << LANES
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn equal(self, byte: u8) -> u64 {
            let wanted = _mm256_set1_epi8(byte as i8);
            self.which(|bytes| _mm256_cmpeq_epi8(bytes, wanted))
        }

        #[inline]
        #[target_feature(enable = "avx2")]
        fn control(self) -> u64 {
            let most = _mm256_set1_epi8(0x1f);
            self.which(|bytes| _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, most), bytes))
        }

        /// Which bytes may follow a backslash.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn marks(self) -> u64 {
            // Bits 0 to 3 stand for the high halves 2, 5, 6 and 7 of a byte: by its low half, those that go with it.
            let by_low = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 13, 0, 8, 8, 4, 0, 0, 0, 0, 0, 2, 0, 4, 1));
            let by_high = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 1, 0, 0, 2, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0));
            let half = _mm256_set1_epi8(0xf);
            let others = self.which(|bytes| {
                let low = _mm256_shuffle_epi8(by_low, _mm256_and_si256(bytes, half));
                let high = _mm256_shuffle_epi8(by_high, _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), half));
                _mm256_cmpeq_epi8(_mm256_and_si256(low, high), _mm256_setzero_si256())
            });
            !others
        }

        /// Which bytes are hexadecimal digits.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn digits(self) -> u64 {
            let among = |bytes, first: u8, count: i8| {
                let from_first = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first as i8));
                _mm256_cmpeq_epi8(_mm256_min_epu8(from_first, _mm256_set1_epi8(count - 1)), from_first)
            };
            self.which(|bytes| {
                let small = _mm256_or_si256(bytes, _mm256_set1_epi8(0x20));
                _mm256_or_si256(among(bytes, b'0', 10), among(small, b'a', 6))
            })
        }

        /// Which bytes are escaped, and which are not what an escape has in their place.
        #[inline]
        #[target_feature(enable = "avx2")]
        fn escaped(self, backslashes: u64, carry: &mut Carry) -> (u64, u64) {
            let escaped = escaped(backslashes, &mut carry.escaped);
            let units = escaped & self.equal(b'u');
            let due = units << 1 | units << 2 | units << 3 | units << 4 | carry.digits;
            carry.digits = units >> 63 | units >> 62 | units >> 61 | units >> 60;
            let mut wrong = escaped & !self.marks();
            if due != 0 {
                wrong |= due & !self.digits();
            }
            (escaped, wrong)
        }
    }

    /// # Safety
    /// The CPU must have AVX2 and what comes with it in practice.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) unsafe fn escapes_are_valid_avx2(bytes: &[u8]) -> bool {
        all_valid(bytes, |_| 0)
    }

    /// # Safety
    /// The CPU must have AVX2 and what comes with it in practice.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) unsafe fn string_is_valid_avx2(content: &[u8]) -> bool {
        all_valid(content, |step| step.control())
    }

    /// Whether every backslash in `bytes` starts an escape, and there is nothing of what else is wrong.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn all_valid(bytes: &[u8], otherwise_wrong: impl Fn(Step) -> u64) -> bool {
        let mut carry = Carry::default();
        let mut is_valid = |step: Step| {
            let mut wrong = otherwise_wrong(step);
            let backslashes = step.equal(b'\\');
            if backslashes | carry.escaped | carry.digits != 0 {
                wrong |= step.escaped(backslashes, &mut carry).1;
            }
            wrong == 0
        };
        let (steps, rest) = bytes.as_chunks::<STEP_BYTES>();
        // SAFETY: a step has 64 bytes.
        if !steps.iter().all(|step| is_valid(unsafe { Step::load(step, 0) })) {
            return false;
        }
        // A space, of which there is one here at least, is in no escape.
        let mut last = [b' '; STEP_BYTES];
        last[..rest.len()].copy_from_slice(rest);
        // SAFETY: as above.
        is_valid(unsafe { Step::load(&last, 0) })
    }

    /// The end of a string that goes on at `at`, where no byte is escaped: its quote, or a control character. `None` where an
    /// escape before it is none, or fewer than 64 bytes are left. Tells also whether there was a byte of 0x80 or above among those
    /// that were looked at.
    ///
    /// Not a part of its caller, which has few registers left.
    ///
    /// # Safety
    /// The CPU must have AVX2 and what comes with it in practice.
    #[cold]
    #[inline(never)]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) unsafe fn string_end_avx2(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
        let (mut carry, mut at, mut seen) = (Carry::default(), at, _mm256_setzero_si256());
        while at + STEP_BYTES <= bytes.len() {
            // SAFETY: 64 bytes are left.
            let step = unsafe { Step::load(bytes, at) };
            seen = _mm256_or_si256(seen, _mm256_or_si256(step.0[0], step.0[1]));
            let (escaped, wrong) = step.escaped(step.equal(b'\\'), &mut carry);
            let stops = step.equal(b'"') & !escaped | step.control() | wrong;
            if stops != 0 {
                let first = stops.trailing_zeros();
                let end = (at + first as usize, _mm256_movemask_epi8(seen) != 0);
                return (wrong >> first & 1 == 0).then_some(end);
            }
            at += STEP_BYTES;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::Level;
    use crate::test_numbers::numbers;
    use crate::text;

    const PARTS: [&[u8]; 24] = [
        b"\\\\",
        b"\\\"",
        b"\\/",
        b"\\b",
        b"\\f",
        b"\\n",
        b"\\r",
        b"\\t",
        b"\\u00e9",
        b"\\uD83D",
        b"\\uaBcF",
        b"a",
        b"plain",
        b"u",
        b"\xc3\xa9",
        b"\\",
        b"\\u",
        b"\\u12",
        b"\\u123g",
        b"\\x",
        b"\\U0041",
        b"0",
        b"\\\x7f",
        b"\\u00/0",
    ];

    /// Bytes with escapes, few of which are none.
    fn bytes(next: &mut impl FnMut(u64) -> u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (rare, long) = (15 + next(2) * next(10), next(120));
        for _ in 0..next(1 + long) {
            let few = if next(30) == 0 { PARTS.len() as u64 } else { rare };
            bytes.extend_from_slice(PARTS[next(few.min(PARTS.len() as u64)) as usize]);
        }
        bytes
    }

    #[test]
    fn escapes_are_told_as_one_by_one() {
        let mut next = numbers(17);
        for level in Level::available() {
            let mut valid = 0;
            for _ in 0..20_000 {
                let bytes = bytes(&mut next);
                let want = text::escapes_are_valid(&bytes);
                assert_eq!(level.escapes_are_valid(&bytes), want, "{} {}", level.name(), bytes.escape_ascii());
                valid += usize::from(want);
            }
            assert!((5000..15_000).contains(&valid), "some of each: {valid}");
        }
    }

    #[test]
    fn strings_are_told_as_one_by_one() {
        let mut next = numbers(29);
        for level in Level::available() {
            let mut valid = 0;
            for _ in 0..20_000 {
                let mut content = bytes(&mut next);
                if !content.is_empty() && next(4) == 0 {
                    let at = next(content.len() as u64) as usize;
                    content[at] = b"\x00\x1f\x20\x7f\x80"[next(5) as usize];
                }
                let want = text::check_string(&content);
                assert_eq!(level.check_string(&content), want, "{} {}", level.name(), content.escape_ascii());
                valid += usize::from(want.is_ok());
            }
            assert!((5000..15_000).contains(&valid), "some of each: {valid}");
        }
    }

    #[test]
    fn each_byte_after_a_backslash_and_each_digit_over_the_end_of_a_step() {
        for level in Level::available() {
            for before in 56..66 {
                for byte in 0..=255u8 {
                    for escape in [
                        vec![b'\\', byte],
                        vec![b'\\', b'u', b'0', byte, b'a', b'F'],
                        vec![b'\\', b'u', b'9', b'1', b'c', byte],
                    ] {
                        for after in [0, 1, 70] {
                            let bytes = [vec![b'x'; before], escape.clone(), vec![b'x'; after]].concat();
                            let want = text::escapes_are_valid(&bytes);
                            assert_eq!(level.escapes_are_valid(&bytes), want, "{}", bytes.escape_ascii());
                        }
                    }
                }
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn the_end_of_a_string_is_that_of_a_loop() {
        if !Level::available().iter().any(|level| level.name() == "avx2") {
            return;
        }
        let naive = |bytes: &[u8]| {
            let mut at = 0;
            while bytes[at] != b'"' && bytes[at] >= 0x20 {
                at = if bytes[at] == b'\\' { text::escape_end(bytes, at)? } else { at + 1 };
            }
            Some(at)
        };
        let mut next = numbers(23);
        let (mut ends, mut faults) = (0, 0);
        for _ in 0..20_000 {
            let mut content = bytes(&mut next);
            content.push(if next(6) == 0 { 0x1f } else { b'"' });
            content.extend(bytes(&mut next));
            content.extend([b'"'; 64]);
            let want = naive(&content);
            // SAFETY: AVX2 is there.
            let found = unsafe { super::x86_64::string_end_avx2(&content, 0) };
            assert_eq!(found.map(|found| found.0), want, "{}", content.escape_ascii());
            if let Some((end, has_high)) = found {
                let looked_at = &content[..(end / 64 + 1) * 64];
                assert_eq!(has_high, !looked_at.is_ascii(), "{}", content.escape_ascii());
            }
            if want.is_some() {
                ends += 1;
            } else {
                faults += 1;
            }
        }
        assert!(ends > 3000 && faults > 3000, "{ends} {faults}");
    }
}
