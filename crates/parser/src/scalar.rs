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

/// Whether a literal, and no other one, stands at `at`, with what may follow it: the common case, without a branch that
/// goes by which literal it is. `false` does not mean that there is none.
#[inline(always)]
pub(crate) fn is_literal(bytes: &[u8], at: usize) -> bool {
    const NULL: u64 = u64::from_le_bytes(*b"null\0\0\0\0");
    const TRUE: u64 = u64::from_le_bytes(*b"true\0\0\0\0");
    const FALSE: u64 = u64::from_le_bytes(*b"false\0\0\0");
    const FOUR: u64 = 0xffff_ffff;
    const FIVE: u64 = 0xff_ffff_ffff;
    let Some(word) = bytes.get(at..at + 8).and_then(<[u8]>::first_chunk).map(|word| u64::from_le_bytes(*word)) else {
        return false;
    };
    let four = (word & FOUR == NULL) | (word & FOUR == TRUE);
    let five = word & FIVE == FALSE;
    (four & ENDS[(word >> 32) as usize & 0xff]) | (five & ENDS[(word >> 40) as usize & 0xff])
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
    use super::{literal, number, scalar_end};

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
