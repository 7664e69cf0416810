//! Numbers and literals: their grammar (RFC 8259, sections 3 and 6) and where they end.

/// Whether a number or literal may end before this byte.
#[inline(always)]
const fn ends_scalar(byte: u8) -> bool {
    matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | b':' | b'{' | b'[' | b'"')
}

/// By byte: whether a number or literal may end before it.
const ENDS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = ends_scalar(byte as u8);
        byte += 1;
    }
    table
};

/// Whether a number or literal may end before this byte; without a branch.
#[inline(always)]
pub(crate) fn ends_at(byte: u8) -> bool {
    ENDS[usize::from(byte)]
}

/// The length of the literal that stands at `at` with what may follow it: the common case, without a branch that goes by
/// which literal it is. 0 does not mean that there is none.
#[inline(always)]
pub(crate) fn short_literal(bytes: &[u8], at: usize) -> usize {
    const NULL: u64 = u64::from_le_bytes(*b"null\0\0\0\0");
    const TRUE: u64 = u64::from_le_bytes(*b"true\0\0\0\0");
    const FALSE: u64 = u64::from_le_bytes(*b"false\0\0\0");
    const FOUR: u64 = 0xffff_ffff;
    const FIVE: u64 = 0xff_ffff_ffff;
    let Some(word) = bytes.get(at..at + 8).and_then(<[u8]>::first_chunk).map(|word| u64::from_le_bytes(*word)) else {
        return 0;
    };
    let four = (word & FOUR == NULL) | (word & FOUR == TRUE);
    let five = word & FIVE == FALSE;
    4 * usize::from(four & ENDS[(word >> 32) as usize & 0xff])
        + 5 * usize::from(five & ENDS[(word >> 40) as usize & 0xff])
}

/// The length of the number that stands at `at` with what may follow it: the common case of one of at most 15 bytes without
/// an exponent, without a branch that goes by how long its parts are. 0 does not mean that there is none.
#[inline(always)]
pub(crate) fn short_number(bytes: &[u8], at: usize) -> usize {
    const ONES: u128 = u128::from_ne_bytes([1; 16]);
    let Some(word) = bytes.get(at..at + 16).and_then(<[u8]>::first_chunk).map(|word| u128::from_le_bytes(*word)) else {
        return 0;
    };
    let digits = word ^ (ONES * 0x30);
    // The high bit of each byte that is no digit: the others are 9 at the most, and 9 + 0x76 is 0x7f.
    let others = (((digits & (ONES * 0x7f)) + ONES * 0x76) | digits) & (ONES * 0x80);
    let run = |from: u32| (others >> (8 * from)).trailing_zeros() / 8;
    let byte = |place: u32| (word >> (8 * place)) as u8;
    let sign = u32::from(byte(0) == b'-');
    let whole = run(sign).min(15 - sign);
    let leading_zero = (byte(sign) == b'0') & (whole > 1);
    let point = (sign + whole).min(15);
    let has_point = byte(point) == b'.';
    let fraction = run((point + 1).min(15)).min(14);
    let end = point + if has_point { 1 + fraction } else { 0 };
    let fits = end < 16;
    let valid =
        fits & (whole > 0) & !leading_zero & (!has_point | (fraction > 0)) & ENDS[usize::from(byte(end.min(15)))];
    if valid { end as usize } else { 0 }
}

/// The length of the number of at most seven digits, and nothing else, that stands at `at` with what may follow it. 0 does not
/// mean that there is none.
#[inline(always)]
pub(crate) fn short_integer(bytes: &[u8], at: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let Some(word) = bytes.get(at..at + 8).and_then(<[u8]>::first_chunk).map(|word| u64::from_le_bytes(*word)) else {
        return 0;
    };
    let digits = word ^ (ONES * 0x30);
    // As in `short_number`.
    let others = (((digits & (ONES * 0x7f)) + ONES * 0x76) | digits) & (ONES * 0x80);
    let length = others.trailing_zeros() / 8;
    let byte = |place: u32| (word >> (8 * (place % 8))) as u8;
    let leading_zero = (byte(0) == b'0') & (length > 1);
    let valid = (length > 0) & (length < 8) & !leading_zero & ends_at(byte(length));
    if valid { length as usize } else { 0 }
}

/// The end of a valid scalar that starts at `at`: the first byte that can't belong to it.
pub(crate) fn scalar_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| ends_scalar(*byte)).map_or(bytes.len(), |length| at + length)
}

/// The end of the number that starts at `at`, or where its grammar breaks.
#[inline]
pub(crate) fn number(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let byte = |place: usize| bytes.get(place).copied().unwrap_or(b',');
    let digits = |mut place: usize| {
        while byte(place).is_ascii_digit() {
            place += 1;
        }
        place
    };
    let some_digits = |place: usize| {
        let end = digits(place);
        if end == place { Err(place) } else { Ok(end) }
    };
    let first = if byte(at) == b'-' { at + 1 } else { at };
    let mut end = if byte(first) == b'0' { first + 1 } else { some_digits(first)? };
    if byte(end) == b'.' {
        end = some_digits(end + 1)?;
    }
    if matches!(byte(end), b'e' | b'E') {
        let sign = usize::from(matches!(byte(end + 1), b'+' | b'-'));
        end = some_digits(end + 1 + sign)?;
    }
    if ends_scalar(byte(end)) { Ok(end) } else { Err(end) }
}

/// The end of `true`, `false` or `null` at `at`, or where it breaks.
#[inline]
pub(crate) fn literal(bytes: &[u8], at: usize) -> Result<usize, usize> {
    let rest = &bytes[at..];
    if let Some(b"null" | b"true") = rest.first_chunk::<4>()
        && rest.get(4).is_none_or(|byte| ends_scalar(*byte))
    {
        return Ok(at + 4);
    }
    let want: &[u8] = match rest[0] {
        b't' => b"true",
        b'f' => b"false",
        b'n' => b"null",
        _ => return Err(at),
    };
    let end = at + want.len();
    if bytes.get(at..end) != Some(want) {
        let same = want.iter().zip(&bytes[at..]).take_while(|(want, found)| want == found).count();
        return Err(at + same);
    }
    match bytes.get(end) {
        Some(byte) if !ends_scalar(*byte) => Err(end),
        _ => Ok(end),
    }
}

#[cfg(test)]
mod tests {
    use super::{literal, number, scalar_end, short_integer, short_literal, short_number};
    use crate::test_numbers;

    #[test]
    fn the_short_ways_never_accept_what_the_grammar_does_not_and_know_the_common_cases() {
        let mut next = test_numbers::numbers(3);
        let (mut numbers, mut integers, mut literals) = (0, 0, 0);
        for _ in 0..400_000 {
            let alphabet: &[u8] = [b"0123456789.", b"019.-eE+,} x".as_slice(), b"truefalsn,}] "][next(3) as usize];
            let mut text: Vec<u8> = (0..1 + next(18)).map(|_| alphabet[next(alphabet.len() as u64) as usize]).collect();
            if next(2) == 0 {
                let word = [b"true".as_slice(), b"false", b"null", b"-", b"0", b"12"][next(6) as usize];
                text.splice(0..0, word.iter().copied());
            }
            text.extend_from_slice(b",\"some text after it\"");
            for (short, count, exact) in [
                (short_number(&text, 0), &mut numbers, number(&text, 0)),
                (short_integer(&text, 0), &mut integers, number(&text, 0)),
                (short_literal(&text, 0), &mut literals, literal(&text, 0)),
            ] {
                if short != 0 {
                    *count += 1;
                    assert_eq!(exact, Ok(short), "{}", String::from_utf8_lossy(&text));
                }
            }
        }
        assert!(numbers > 10_000 && integers > 5000 && literals > 1000, "{numbers} {integers} {literals}");
        let after = ",                ";
        for text in ["0", "7", "10", "1234567"] {
            assert_eq!(short_integer(format!("{text}{after}").as_bytes(), 0), text.len(), "{text}");
            assert_eq!(short_integer(text.as_bytes(), 0), 0, "too near to the end to tell");
        }
        for text in ["12345678", "-1", "1.5", "1e5", "01", "1a", "", "\u{b0}"] {
            assert_eq!(short_integer(format!("{text}{after}").as_bytes(), 0), 0, "{text}");
        }
        for text in ["0", "-0", "7", "-12.5", "123456789012345", "0.25", "-1234567.123456", "10"] {
            assert_eq!(short_number(format!("{text}{after}").as_bytes(), 0), text.len(), "{text}");
            assert_eq!(short_number(format!("{text}}}{after}").as_bytes(), 0), text.len(), "{text}");
        }
        for text in ["1234567890123456", "1e5", "01", "-", "1.", ".5", "-.5", "+1", "1a", "1.2.3", "--1", ""] {
            assert_eq!(short_number(format!("{text}{after}").as_bytes(), 0), 0, "{text}");
        }
        for text in ["true", "false", "null"] {
            assert_eq!(short_literal(format!("{text}]{after}").as_bytes(), 0), text.len(), "{text}");
            assert_eq!(short_literal(format!("{text}x{after}").as_bytes(), 0), 0, "{text}");
            assert_eq!(short_literal(text.as_bytes(), 0), 0, "too near to the end to tell");
        }
    }

    #[test]
    fn numbers() {
        for (text, want) in [
            ("0", Ok(1)),
            ("-0", Ok(2)),
            ("10", Ok(2)),
            ("75.10", Ok(5)),
            ("1e400", Ok(5)),
            ("1E+2", Ok(4)),
            ("1.5e-07,", Ok(7)),
            ("18446744073709551616}", Ok(20)),
            ("7 ", Ok(1)),
            ("01", Err(1)),
            ("-", Err(1)),
            ("-a", Err(1)),
            ("1.", Err(2)),
            ("1.e5", Err(2)),
            ("1e", Err(2)),
            ("1e+", Err(3)),
            ("1a", Err(1)),
            ("1\u{c}", Err(1)),
            ("0x1", Err(1)),
            ("1.2.3", Err(3)),
        ] {
            assert_eq!(number(text.as_bytes(), 0), want, "{text}");
            if let Ok(end) = want {
                assert_eq!(scalar_end(text.as_bytes(), 0), end, "{text}");
            }
        }
    }

    #[test]
    fn literals() {
        for (text, want) in [
            ("true", Ok(4)),
            ("false]", Ok(5)),
            ("null,", Ok(4)),
            ("nul", Err(3)),
            ("nulll", Err(4)),
            ("True", Err(0)),
            ("trux", Err(3)),
            ("truefalse", Err(4)),
        ] {
            assert_eq!(literal(text.as_bytes(), 0), want, "{text}");
        }
    }
}
