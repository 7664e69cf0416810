//! Whether scalars are numbers: the common ones, many at a time and without a branch on how long their parts are.

#[cfg(target_arch = "x86_64")]
use super::Inner;
use super::Level;
use crate::scalar::short_number;

impl Level {
    /// How many of the scalars that start at `places[tokens[..]]`, from the first on, are short numbers: without doubt valid
    /// ones. The next one may be valid, too.
    #[inline]
    pub(crate) fn count_short_numbers(self, bytes: &[u8], places: &[u32], tokens: &[u16]) -> usize {
        match self.0 {
            // SAFETY: a value of these levels exists only where the CPU was found to have the features.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 | Inner::Avx512 => unsafe { x86_64::count_short_numbers(bytes, places, tokens) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            _ => {
                let is_other = |token: &u16| short_number(bytes, places[usize::from(*token)] as usize) == 0;
                tokens.iter().position(is_other).unwrap_or(tokens.len())
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86_64 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8, _mm_sub_epi8,
    };

    use crate::scalar::ends_at;

    /// Bytes that are looked at.
    const REACH: usize = 16;

    /// # Safety
    /// The CPU must have AVX2 and what [`has_avx2`](super::super::x86_64::has_avx2) asks for beside it.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) unsafe fn count_short_numbers(bytes: &[u8], places: &[u32], tokens: &[u16]) -> usize {
        // SAFETY: passed on from the caller.
        let is_other = |token: &u16| unsafe { short_number(bytes, places[usize::from(*token)] as usize) } == 0;
        tokens.iter().position(is_other).unwrap_or(tokens.len())
    }

    /// As [`short_number`], apart from its caller for as long as that is laid out: the compiler may put it there in the end, and
    /// the caller takes 3 % fewer instructions than with `short_number` itself.
    ///
    /// # Safety
    /// As for [`short_number`].
    #[inline(never)]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(in crate::arch) unsafe fn one_short_number(bytes: &[u8], at: usize) -> usize {
        // SAFETY: passed on from the caller.
        unsafe { short_number(bytes, at) }
    }

    /// The length of the short number that stands at `at` with what may follow it, or 0: then there may be another number.
    ///
    /// # Safety
    /// The CPU must have AVX2 and what [`has_avx2`](super::super::x86_64::has_avx2) asks for beside it.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    unsafe fn short_number(bytes: &[u8], at: usize) -> usize {
        let Some(word) = bytes.get(at..at + REACH).and_then(<[u8]>::first_chunk::<REACH>) else {
            return 0;
        };
        // SAFETY: 16 bytes are there, and the load needs no alignment.
        let lanes = unsafe { _mm_loadu_si128(word.as_ptr().cast()) };
        let values = _mm_sub_epi8(lanes, _mm_set1_epi8(b'0' as i8));
        let digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
        // Bytes past the reach count as no digits, so that a run ends there at the latest.
        let others = !(_mm_movemask_epi8(digits) as u32 & 0xffff);
        // Where a number ends is told by its bytes alone, long before its grammar is checked; what comes after it need not
        // wait for that.
        let is = |byte: u8| _mm_cmpeq_epi8(lanes, _mm_set1_epi8(byte as i8));
        let signs = _mm_or_si128(is(b'-'), is(b'+'));
        let letters = _mm_or_si128(is(b'e'), is(b'E'));
        let marks = _mm_or_si128(_mm_or_si128(signs, letters), is(b'.'));
        let first_other = (others & !(_mm_movemask_epi8(marks) as u32)).trailing_zeros();
        let byte = |place: u32| word[place as usize % REACH];
        let run = |from: u32| (others >> from).trailing_zeros();

        let sign = u32::from(word[0] == b'-');
        let whole = run(sign);
        let leading_zero = (byte(sign) == b'0') & (whole > 1);
        let point = sign + whole;
        let has_point = byte(point) == b'.';
        let fraction = run(point + 1);
        let mantissa = point + if has_point { 1 + fraction } else { 0 };
        let has_exponent = byte(mantissa) | 0x20 == b'e';
        let exponent_sign = u32::from(matches!(byte(mantissa + 1), b'+' | b'-'));
        let exponent = run((mantissa + 1 + exponent_sign).min(31));
        let end = mantissa + if has_exponent { 1 + exponent_sign + exponent } else { 0 };
        let valid = (whole > 0)
            & !leading_zero
            & (!has_point | (fraction > 0))
            & (!has_exponent | (exponent > 0))
            & (end < REACH as u32)
            & (end == first_other)
            & ends_at(byte(end));
        if valid { first_other as usize } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use crate::Level;
    use crate::scalar::number;
    use crate::test_numbers::numbers;

    #[test]
    fn what_is_counted_is_valid_and_common_numbers_are_counted() {
        let mut next = numbers(11);
        for level in Level::available() {
            let mut counted = 0;
            for _ in 0..200_000 {
                let alphabet: &[u8] = [b"0123456789.", b"019.-eE+,} x".as_slice(), b"12e+-5.,]"][next(3) as usize];
                let mut text: Vec<u8> =
                    (0..1 + next(18)).map(|_| alphabet[next(alphabet.len() as u64) as usize]).collect();
                if next(2) == 0 {
                    let word = [b"-".as_slice(), b"0", b"12", b"1.5e"][next(4) as usize];
                    text.splice(0..0, word.iter().copied());
                }
                text.extend_from_slice(b",\"some text after it\"");
                if level.count_short_numbers(&text, &[0], &[0]) == 1 {
                    counted += 1;
                    assert!(number(&text, 0).is_ok(), "{} {}", level.name(), String::from_utf8_lossy(&text));
                }
            }
            assert!(counted > 10_000, "{counted}");
            let numbers = ["0", "-0", "7", "-12.5", "0.25", "-1234567.123456", "10", "123456789012345"];
            for text in numbers {
                for after in [",                ", "}                ", "]\r               "] {
                    let text = format!("{text}{after}");
                    assert_eq!(level.count_short_numbers(text.as_bytes(), &[0], &[0]), 1, "{} {text}", level.name());
                }
                assert_eq!(level.count_short_numbers(text.as_bytes(), &[0], &[0]), 0, "too near to the end to tell");
            }
            for text in ["01", "-", "1.", ".5", "-.5", "+1", "1a", "1.2.3", "--1", "", "1e", "1e+", "1.5e+-2"] {
                let text = format!("{text},                ");
                assert_eq!(level.count_short_numbers(text.as_bytes(), &[0], &[0]), 0, "{} {text}", level.name());
            }
        }
    }
}
