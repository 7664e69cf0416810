//! Texts and names of a line: how the hub counts them, and what is in them.

use std::borrow::Cow;

use hubmill_parser::decode;

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

#[cold]
fn measure_slowly(content: &[u8]) -> Measure {
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

/// What a byte of a twin's name asks for: nothing, or a closer look at the name.
const CLOSER_LOOK: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte <= 0x20 || byte >= 0x7f || matches!(byte as u8, b'.' | b'$' | b'#' | b'\\');
        byte += 1;
    }
    table
};

/// Whether a raw name in a twin is made of common characters only.
#[inline]
pub(super) fn is_common_name(name: &[u8]) -> bool {
    !name.iter().fold(false, |look, byte| look | CLOSER_LOOK[usize::from(*byte)])
}

/// A number for a name: equal names have equal numbers, different ones mostly not.
#[inline]
pub(super) fn name_number(name: &[u8], plain: bool) -> u64 {
    let name = if plain || is_simple(name) { Cow::Borrowed(name) } else { decode(name) };
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |number: u64, word: u64| (number ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let (words, rest) = name.as_chunks::<8>();
    let number = words
        .iter()
        .fold((name.len() as u64).wrapping_mul(FACTOR), |number, word| mix(number, u64::from_le_bytes(*word)));
    let last = match (name.last_chunk::<8>(), rest.first_chunk::<4>(), rest.last_chunk::<4>()) {
        (Some(last), ..) => u64::from_le_bytes(*last),
        (None, Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    mix(number, last)
}

/// The place of the first escape of half a character in a valid line, if there is one.
pub(super) fn lone_surrogate(line: &[u8]) -> Option<usize> {
    let unit = |at: usize| -> Option<u16> {
        let digits = line.get(at..at + 6).filter(|escape| escape.starts_with(b"\\u"))?;
        u16::from_str_radix(std::str::from_utf8(&digits[2..]).ok()?, 16).ok()
    };
    let mut at = 0;
    while let Some(length) = memchr::memchr(b'\\', &line[at..]) {
        at += length;
        at += match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => return Some(at),
            Some(_) => 6,
            None => 2,
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Length, characters, is_common_name, is_simple, lone_surrogate, measure, name_number};

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

    #[test]
    fn names_have_numbers_of_their_own() {
        let mut numbers: Vec<u64> = (0..300)
            .flat_map(|length| [b'a', b'b'].map(|byte| name_number(&vec![byte; length], true)))
            .chain((0..20).flat_map(|length| {
                (0..length).map(move |place| {
                    let mut name = vec![b'x'; length];
                    name[place] = b'y';
                    name_number(&name, false)
                })
            }))
            .collect();
        numbers.sort_unstable();
        let count = numbers.len();
        numbers.dedup();
        // The two empty names are one, and `a` to `y` of one letter differ.
        assert_eq!(numbers.len(), count - 1);
        assert_eq!(name_number(br"\u0061b", false), name_number(b"ab", true));
        assert!(is_common_name(b"temperature_2") && !is_common_name(b"a.b") && !is_common_name("é".as_bytes()));
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
