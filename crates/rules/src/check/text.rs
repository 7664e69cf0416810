//! Texts and names of a line: how the hub counts them, and what is in them.

use hubmill_parser::{Span, decode};

/// How long a text is, in both units that the hub may count in (§3.6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Length {
    pub(super) characters: usize,
    pub(super) bytes: usize,
}

impl Length {
    pub(super) fn add(&mut self, other: Self) {
        self.characters += other.characters;
        self.bytes += other.bytes;
    }

    /// The same in both units.
    pub(super) fn of(count: usize) -> Self {
        Self { characters: count, bytes: count }
    }
}

/// How long a text is, and how much of that are control characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) whole: Length,
    pub(super) control: Length,
}

impl Measure {
    /// What a text counts in the size of a section: without control characters (§3.6).
    pub(super) fn counted(self) -> Length {
        Length {
            characters: self.whole.characters - self.control.characters,
            bytes: self.whole.bytes - self.control.bytes,
        }
    }
}

/// Whether what stands between quotes reads as it is spelled, and is ASCII.
#[inline]
pub(super) fn is_simple(content: &[u8]) -> bool {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const ONES: u64 = 0x0101_0101_0101_0101;
    const BACKSLASHES: u64 = ONES * b'\\' as u64;
    // A bit is set in each byte of 0x80 and above, and in each backslash (and perhaps in bytes after one).
    let odd = |word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        let difference = word ^ BACKSLASHES;
        (word | (difference.wrapping_sub(ONES) & !difference)) & HIGH
    };
    let (words, rest) = content.as_chunks::<8>();
    if words.iter().fold(0, |found, word| found | odd(word)) != 0 {
        return false;
    }
    match content.last_chunk::<8>() {
        Some(last) => odd(last) == 0,
        None => rest.iter().all(|byte| *byte < 0x80 && *byte != b'\\'),
    }
}

/// Measures what stands between the quotes of a string.
#[inline]
pub(super) fn measure(content: &[u8], plain: bool) -> Measure {
    if plain || is_simple(content) {
        return Measure { whole: Length::of(content.len()), control: Length::default() };
    }
    measure_slowly(content)
}

/// Measures a text that is not ASCII, or has escapes.
fn measure_slowly(content: &[u8]) -> Measure {
    if memchr::memchr(b'\\', content).is_some() {
        return measure_decoded(content);
    }
    let whole = Length { characters: character_count(content), bytes: content.len() };
    // C1 is the bytes c2 80 to c2 9f.
    let controls = content.windows(2).filter(|pair| pair[0] == 0xc2 && pair[1] < 0xa0).count();
    Measure { whole, control: Length { characters: controls, bytes: 2 * controls } }
}

fn measure_decoded(content: &[u8]) -> Measure {
    let mut measure = Measure::default();
    for character in characters(&decode(content)) {
        let length = Length { characters: 1, bytes: character.len_utf8() };
        measure.whole.add(length);
        if is_control(character) {
            measure.control.add(length);
        }
    }
    measure
}

/// The control characters that do not count: C0 and C1 (§3.6).
fn is_control(character: char) -> bool {
    matches!(character, '\0'..='\u{1f}' | '\u{80}'..='\u{9f}')
}

/// The characters of a decoded text; half a character is U+FFFD, which has as many bytes.
pub(super) fn characters(text: &[u8]) -> impl Iterator<Item = char> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = *rest.first()?;
        let length = match first {
            0..0x80 => 1,
            0x80..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
        };
        let (one, others) = rest.split_at_checked(length)?;
        rest = others;
        let character = std::str::from_utf8(one).ok().and_then(|text| text.chars().next());
        Some(character.unwrap_or(char::REPLACEMENT_CHARACTER))
    })
}

/// How many characters a decoded text has.
pub(super) fn character_count(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// Names of up to so many bytes are looked at all at once.
const LANES: usize = 16;
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A name as a number, and whether it is made of common characters only: nothing that the hub refuses in a twin, no escape,
/// ASCII.
///
/// Equal texts have equal numbers, different ones mostly not. `chunk` is what the name is a part of.
#[inline]
pub(super) fn read_name(chunk: &[u8], name: Span) -> (u64, bool) {
    let (start, length) = (name.start as usize, (name.end - name.start) as usize);
    if length <= LANES
        && let Some(lanes) = chunk[start..].first_chunk::<LANES>()
    {
        let mask = u128::MAX.checked_shr(8 * (LANES - length) as u32).unwrap_or(0);
        let text = u128::from_le_bytes(*lanes) & mask;
        // What is not of the name is made a letter.
        let (low, high) = split(text | (!mask & u128::from_ne_bytes([b'a'; LANES])));
        if !has_odd(low) && (length <= 8 || !has_odd(high)) {
            return (number_of(text, length), true);
        }
    }
    read_long_name(name.of(chunk))
}

/// Whether a byte of a twin's name asks for a closer look at the name: up to space, from delete on, and `.` `$` `#` `\`.
const fn is_odd(byte: u8) -> bool {
    matches!(byte, 0..=0x20 | 0x7f..=0xff | b'.' | b'$' | b'#' | b'\\')
}

/// Whether one of eight bytes does, without a loop.
#[inline(always)]
fn has_odd(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES * 0x80;
    // A high bit for a byte below `than`, if there is one; `than` is at most 0x80.
    let below = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word & HIGH;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (word & HIGH) | below(word, 0x21) | equal(0x7f) | equal(b'.') | equal(b'$') | equal(b'#') | equal(b'\\') != 0
}

#[inline(always)]
fn split(text: u128) -> (u64, u64) {
    (text as u64, (text >> 64) as u64)
}

#[inline]
fn number_of(text: u128, length: usize) -> u64 {
    let (low, high) = split(text);
    let mixed = (low ^ (length as u64).rotate_left(56)).wrapping_mul(FACTOR).rotate_left(29) ^ high;
    mixed.wrapping_mul(FACTOR).rotate_left(29)
}

#[cold]
fn read_long_name(name: &[u8]) -> (u64, bool) {
    let common = !name.iter().any(|byte| is_odd(*byte));
    let text = decode(name);
    let mut lanes = [0; LANES];
    if text.len() <= LANES {
        lanes[..text.len()].copy_from_slice(&text);
        return (number_of(u128::from_le_bytes(lanes), text.len()), common);
    }
    let mix = |number: u64, bytes: &[u8]| {
        let word = bytes.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        (number ^ word).wrapping_mul(FACTOR).rotate_left(29)
    };
    (text.chunks(8).fold((text.len() as u64).wrapping_mul(FACTOR), mix), common)
}

#[cfg(test)]
mod tests {
    use hubmill_parser::Span;

    use super::{Length, characters, is_simple, measure, read_name};

    #[test]
    fn simple_texts_are_told_from_others_wherever_the_odd_byte_stands() {
        for length in 0..40 {
            for place in 0..length {
                let mut text = vec![b'x'; length];
                assert!(is_simple(&text));
                for byte in [b'\\', 0x80, 0xff] {
                    text[place] = byte;
                    assert!(!is_simple(&text), "{length} {place}");
                }
                for byte in [b']', b'[', 0x7f, b' '] {
                    text[place] = byte;
                    assert!(is_simple(&text), "{length} {place} {byte}");
                }
            }
        }
    }

    #[test]
    fn texts_are_counted_decoded_and_without_control_characters() {
        for (content, whole, counted) in [
            ("plain", (5, 5), (5, 5)),
            ("é", (1, 2), (1, 2)),
            (r"\u00e9", (1, 2), (1, 2)),
            (r"\n\u0085x", (3, 4), (1, 1)),
            ("\u{85}", (1, 2), (0, 0)),
            ("\u{7f}", (1, 1), (1, 1)),
            (r"\ud83d\ude00", (1, 4), (1, 4)),
            (r"\ud83d!", (2, 4), (2, 4)),
            ("😀漢", (2, 7), (2, 7)),
        ] {
            let measured = measure(content.as_bytes(), false);
            let length = |pair: (usize, usize)| Length { characters: pair.0, bytes: pair.1 };
            assert_eq!((measured.whole, measured.counted()), (length(whole), length(counted)), "{content}");
        }
        assert_eq!(characters(b"a\xed\xa0\x80b").collect::<String>(), "a\u{fffd}b");
    }

    fn name(text: &[u8]) -> (u64, bool) {
        // In the middle and at the end of a chunk: at once, and byte by byte.
        let chunk = [b"\"", text, b"\":1234567890abcdef"].concat();
        let found = read_name(&chunk, Span::new(1, 1 + text.len()));
        assert_eq!(read_name(text, Span::new(0, text.len())), found, "{text:?}");
        found
    }

    #[test]
    fn names_have_numbers_of_their_own() {
        let mut texts: Vec<Vec<u8>> = (0..300).flat_map(|length| [b'a', b'b'].map(|byte| vec![byte; length])).collect();
        for length in 0..40 {
            for place in 0..length {
                let mut text = vec![b'x'; length];
                text[place] = b'y';
                texts.push(text);
            }
        }
        texts.sort();
        texts.dedup();
        let mut numbers: Vec<u64> = texts.iter().map(|text| name(text).0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), texts.len());
        assert_eq!(name(br"\u0061b").0, name(b"ab").0);
    }

    #[test]
    fn odd_bytes_of_names_are_seen_wherever_they_stand() {
        for length in 1..20 {
            for place in 0..length {
                for byte in 0..=255u8 {
                    let mut text = vec![b'x'; length];
                    text[place] = byte;
                    let odd = byte <= b' ' || byte >= 0x7f || b".$#\\".contains(&byte);
                    assert_eq!(name(&text).1, !odd, "{byte} at {place} of {length}");
                }
            }
        }
    }
}
