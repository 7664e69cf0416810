//! What strings say: escapes checked and decoded.

use std::borrow::Cow;

use crate::record::Span;

/// What a byte is worth as a hexadecimal digit; 16 and more where it is none.
const HEX: [u8; 256] = {
    let mut table = [16; 256];
    let mut digit = 0;
    while digit < 16 {
        let byte = b"0123456789abcdef"[digit];
        table[byte as usize] = digit as u8;
        table[byte.to_ascii_uppercase() as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// The four hexadecimal digits of a `\u` escape.
#[inline]
fn hex_unit(digits: &[u8]) -> Option<u16> {
    let [first, second, third, fourth] = digits.first_chunk::<4>()?.map(|digit| HEX[usize::from(digit)]);
    if first | second | third | fourth > 15 {
        return None;
    }
    Some(u16::from(first) << 12 | u16::from(second) << 8 | u16::from(third) << 4 | u16::from(fourth))
}

/// The same byte in all eight places.
const fn eight(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The first place from `at` on with a backslash or, where `CONTROL` asks for them, a byte below 0x20.
///
/// Where escapes are dense the next one is near: eight bytes at a time, without a call.
#[inline]
fn next_special<const CONTROL: bool>(bytes: &[u8], at: usize) -> Option<usize> {
    /// Steps after which the next one is taken to be far.
    const NEAR: usize = 4;
    let mut rest = bytes.get(at..)?;
    let mut steps = 0;
    // Marks the lowest such byte of eight with bit 7, and nothing below it.
    let special = |word: u64| {
        let other = word ^ eight(b'\\');
        let mut found = other.wrapping_sub(eight(1)) & !other & eight(0x80);
        if CONTROL {
            found |= word.wrapping_sub(eight(0x20)) & !word & eight(0x80);
        }
        found
    };
    while let Some((word, following)) = rest.split_first_chunk::<8>() {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize / 8);
        }
        rest = following;
        steps += 1;
        if !CONTROL && steps == NEAR {
            return memchr::memchr(b'\\', rest).map(|found| bytes.len() - rest.len() + found);
        }
    }
    // After the last bytes there are some that are nothing special.
    let found = special(few_bytes(rest) | eight(b'a').checked_shl(8 * rest.len() as u32).unwrap_or(0));
    (found != 0).then(|| bytes.len() - rest.len() + found.trailing_zeros() as usize / 8)
}

/// Whether there is no backslash in a text, where that can be told by one look: it is no longer than 16 bytes, and so many stand
/// in `bytes` from its start on.
#[inline(always)]
pub(crate) fn is_short_and_plain(bytes: &[u8], text: Span) -> bool {
    const ONES: u128 = u128::from_ne_bytes([1; 16]);
    let (start, length) = (text.start as usize, text.end - text.start);
    let Some(chunk) = bytes.get(start..).and_then(<[u8]>::first_chunk::<16>) else {
        return false;
    };
    let other = u128::from_le_bytes(*chunk) ^ (ONES * u128::from(b'\\'));
    // The lowest bit that is set belongs to the first backslash.
    let found = other.wrapping_sub(ONES) & !other & (ONES * 0x80);
    length <= 16 && found.trailing_zeros() >= 8 * length
}

/// Less than eight bytes, the first one lowest, zeros after the last; without a branch that goes by each byte.
#[inline]
fn few_bytes(bytes: &[u8]) -> u64 {
    let count = bytes.len();
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (count - 4))
        }
        _ if count == 0 => 0,
        _ => {
            let byte = |at: usize| u64::from(bytes[at]) << (8 * at);
            byte(0) | byte(count / 2) | byte(count - 1)
        }
    }
}

/// Checks what stands between the quotes of a string: no control characters, and only the escapes of RFC 8259.
///
/// A lone surrogate (`\ud800`) is in the grammar. Returns the place of the first fault, and what would be right.
pub(crate) fn check_string(content: &[u8]) -> Result<(), (usize, &'static str)> {
    let mut at = 0;
    while let Some(place) = next_special::<true>(content, at) {
        if content[place] != b'\\' {
            return Err((place, "an escape in place of a control character"));
        }
        at = match (escape_end(content, place), content.get(place + 1)) {
            (Some(end), _) => end,
            (None, Some(b'u')) => return Err((place, "four hexadecimal digits after \\u")),
            (None, _) => return Err((place, "one of \" \\ / b f n r t u after a backslash")),
        };
    }
    Ok(())
}

/// The end of the escape of RFC 8259 that starts with the backslash at `at`, if it is one.
#[inline]
pub(crate) fn escape_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' if hex_unit(&bytes[at + 2..]).is_some() => Some(at + 6),
        _ => None,
    }
}

/// Whether every backslash in `bytes` starts an escape of RFC 8259.
pub(crate) fn escapes_are_valid(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(place) = next_special::<false>(bytes, at) {
        match escape_end(bytes, place) {
            Some(end) => at = end,
            None => return false,
        }
    }
    true
}

/// Decodes what stands between the quotes of a valid string.
///
/// Borrowed where there is no escape. A lone surrogate becomes the three bytes that UTF-8 would have for it, so that
/// different texts stay different; such a result is not valid UTF-8.
#[inline]
pub fn decode(content: &[u8]) -> Cow<'_, [u8]> {
    match next_special::<false>(content, 0) {
        None => Cow::Borrowed(content),
        Some(first) => Cow::Owned(decode_from(content, first)),
    }
}

/// The same of content whose first escape is at `first`.
fn decode_from(content: &[u8], first: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len());
    let (mut copied, mut next) = (0, Some(first));
    while let Some(at) = next {
        out.extend_from_slice(&content[copied..at]);
        copied = at + 2;
        match content.get(at + 1).copied().unwrap_or(b'\\') {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => copied += decode_unit(&content[copied.min(content.len())..], &mut out),
            other => out.push(other),
        }
        next = next_special::<false>(content, copied);
    }
    out.extend_from_slice(content.get(copied..).unwrap_or_default());
    out
}

/// Decodes the digits after `\u`, with those of a second escape where both are a pair; returns how many bytes that took.
fn decode_unit(rest: &[u8], out: &mut Vec<u8>) -> usize {
    let Some(unit) = hex_unit(rest) else {
        return 0;
    };
    if let 0xd800..0xdc00 = unit
        && let Some(low @ 0xdc00..0xe000) =
            rest.get(4..6).filter(|mark| *mark == b"\\u").and_then(|_| hex_unit(&rest[6..]))
    {
        let scalar = 0x10000 + (u32::from(unit - 0xd800) << 10) + u32::from(low - 0xdc00);
        push_char(scalar, out);
        return 10;
    }
    push_char(u32::from(unit), out);
    4
}

fn push_char(scalar: u32, out: &mut Vec<u8>) {
    match char::from_u32(scalar) {
        Some(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        None => out.extend_from_slice(&[
            0xe0 | (scalar >> 12) as u8,
            0x80 | (scalar >> 6 & 0x3f) as u8,
            0x80 | (scalar & 0x3f) as u8,
        ]),
    }
}

/// The place of the first escape of half a character (`\ud800`) in a valid line, if there is one.
pub fn lone_surrogate(line: &[u8]) -> Option<usize> {
    let unit = |at: usize| line.get(at..)?.strip_prefix(b"\\u").and_then(hex_unit);
    let mut at = 0;
    while let Some(place) = next_special::<false>(line, at) {
        at = place
            + match unit(place) {
                Some(0xd800..0xdc00) if matches!(unit(place + 6), Some(0xdc00..0xe000)) => 12,
                Some(0xd800..0xe000) => return Some(place),
                Some(_) => 6,
                None => 2,
            };
    }
    None
}

/// The decoded text of a string value, quotes and all; `None` where the value is no string.
pub fn string_text(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    match value {
        [b'"', content @ .., b'"'] => Some(decode(content)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        check_string, decode, escapes_are_valid, is_short_and_plain, lone_surrogate, next_special, string_text,
    };
    use crate::record::Span;
    use crate::test_numbers::numbers;

    #[test]
    fn a_look_at_backslashes_alone_agrees_where_there_are_no_control_characters() {
        let parts = ["\\", "u", "0", "a", "F", "g", "\"", "n", "/", "x", "\\u00e9", "é"];
        let mut next = numbers(5);
        for _ in 0..20_000 {
            let mut content = String::new();
            for _ in 0..next(8) {
                content.push_str(parts[next(parts.len() as u64) as usize]);
            }
            let content = content.as_bytes();
            assert_eq!(escapes_are_valid(content), check_string(content).is_ok(), "{content:?}");
        }
    }

    #[test]
    fn short_and_plain_is_what_has_no_backslash_and_room_for_a_look() {
        let mut next = numbers(3);
        for _ in 0..20_000 {
            let dense = 1 + next(40);
            let bytes: Vec<u8> = (0..next(40))
                .map(|_| if next(dense) == 0 { b'\\' } else { b"\x00[]\xdcA\x5d\xff"[next(7) as usize] })
                .collect();
            let start = next(bytes.len() as u64 + 1) as usize;
            let end = start + next((bytes.len() - start) as u64 + 1) as usize;
            let want = end - start <= 16 && bytes.len() - start >= 16 && !bytes[start..end].contains(&b'\\');
            assert_eq!(is_short_and_plain(&bytes, Span::new(start, end)), want, "{bytes:?} {start} {end}");
        }
    }

    #[test]
    fn the_next_special_byte_is_the_one_that_a_loop_finds() {
        let parts = [
            b"a".as_slice(),
            b"\\",
            b"\x1f",
            b"\0",
            b"\x20",
            b"[",
            b"]",
            b"\xdc",
            b"\x9f",
            b"plain text, long enough for far",
        ];
        let mut next = numbers(11);
        for _ in 0..20_000 {
            let mut bytes = Vec::new();
            for _ in 0..next(16) {
                bytes.extend_from_slice(parts[next(parts.len() as u64) as usize]);
            }
            for at in 0..=bytes.len() + 1 {
                let naive = |control: bool| {
                    (at..bytes.len()).find(|place| bytes[*place] == b'\\' || (control && bytes[*place] < 0x20))
                };
                assert_eq!(next_special::<false>(&bytes, at), naive(false), "{bytes:?} {at}");
                assert_eq!(next_special::<true>(&bytes, at), naive(true), "{bytes:?} {at}");
            }
        }
    }

    #[test]
    fn escapes_decode() {
        for (content, want) in [
            ("plain", "plain"),
            (r"\u0069d", "id"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\u00e9\u20AC", "é€"),
            (r"a\\u0041", r"a\u0041"),
        ] {
            assert_eq!(check_string(content.as_bytes()), Ok(()), "{content}");
            assert_eq!(decode(content.as_bytes()).as_ref(), want.as_bytes(), "{content}");
        }
        assert_eq!(decode(br"\ud800x").as_ref(), b"\xed\xa0\x80x");
        assert_eq!(decode(br"\ud800\u0041").as_ref(), b"\xed\xa0\x80A");
        assert_eq!(decode(br"\udc00").as_ref(), b"\xed\xb0\x80");
    }

    #[test]
    fn faults_have_their_place() {
        for (content, place) in
            [(r"ab\x", 2), (r"\u12g4", 0), (r"ok\u123", 2), ("tab\there", 3), ("nul\0", 3), (r"\U0041", 0), (r"a\ ", 1)]
        {
            assert_eq!(check_string(content.as_bytes()).map_err(|fault| fault.0), Err(place), "{content:?}");
        }
    }

    #[test]
    fn only_strings_have_text() {
        assert_eq!(string_text(b"\"a\"").as_deref(), Some(b"a".as_slice()));
        assert_eq!(string_text(b"\"\"").as_deref(), Some(b"".as_slice()));
        for value in ["null", "12", "{}", "\""] {
            assert_eq!(string_text(value.as_bytes()), None);
        }
    }

    #[test]
    fn half_characters() {
        for (line, place) in [
            (r#"{"a":"\ud800"}"#, Some(6)),
            (r#"{"a":"\udc00"}"#, Some(6)),
            (r#"{"a":"\ud800\ud800\udc00"}"#, Some(6)),
            (r#"{"a":"\ud83d\ude00","b":"\uD83Dx"}"#, Some(25)),
            (r#"{"a":"\\ud800"}"#, None),
            (r#"{"a":"\\\ud800"}"#, Some(8)),
            (r#"{"a":"\u00e9\n\""}"#, None),
        ] {
            assert_eq!(lone_surrogate(line.as_bytes()), place, "{line}");
        }
    }
}
