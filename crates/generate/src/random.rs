//! What is random in a device: keys and UUIDs, of one generator per thread.

use hubmill_device::KEY_BYTES_MAX;
use hubmill_rules::KeySource;
use uuid::Builder;
use uuid::fmt::Hyphenated;

/// The length of the longest key as text.
const KEY_TEXT_BYTES_MAX: usize = KEY_BYTES_MAX.div_ceil(3) * 4;
/// The length of a UUID as text.
pub(crate) const UUID_BYTES: usize = Hyphenated::LENGTH;

/// A generator that the system has seeded.
#[derive(Debug)]
pub(crate) struct Random(KeySource);

impl Random {
    pub(crate) fn new(key_bytes: usize) -> Self {
        Self(KeySource::from_system(key_bytes).expect("the system's random number generator works"))
    }

    pub(crate) fn key_text_bytes(&self) -> usize {
        self.0.text_bytes()
    }

    /// Appends a key as text.
    #[inline]
    pub(crate) fn push_key(&mut self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; KEY_TEXT_BYTES_MAX][..self.key_text_bytes()]);
        self.key_over(&mut out[start..]);
    }

    /// Writes a key over `place`.
    #[inline]
    pub(crate) fn key_over(&mut self, place: &mut [u8]) {
        self.0.write_over(place);
    }

    /// Writes a UUID of version 4 (RFC 9562, section 5.4) over `place`.
    #[inline]
    pub(crate) fn uuid_over(&mut self, place: &mut [u8]) {
        let mut bytes = [0; 16];
        self.0.fill(&mut bytes);
        Builder::from_random_bytes(bytes).as_uuid().hyphenated().encode_lower(place);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Random, UUID_BYTES};

    #[test]
    fn uuids_are_of_version_4_and_its_variant_and_differ() {
        let mut random = Random::new(32);
        let mut seen = HashSet::new();
        let mut bits = [0u32; 16];
        for _ in 0..2000 {
            let mut text = [0; UUID_BYTES];
            random.uuid_over(&mut text);
            let text = std::str::from_utf8(&text).unwrap().to_owned();
            for (at, character) in text.bytes().enumerate() {
                match at {
                    8 | 13 | 18 | 23 => assert_eq!(character, b'-', "{text}"),
                    14 => assert_eq!(character, b'4', "{text}"),
                    19 => assert!(b"89ab".contains(&character), "{text}"),
                    _ => assert!(matches!(character, b'0'..=b'9' | b'a'..=b'f'), "{text}"),
                }
            }
            bits[usize::from(u8::from_str_radix(&text[..1], 16).unwrap())] += 1;
            assert!(seen.insert(text));
        }
        // 125 each; a deviation of seven standard deviations does not happen by chance.
        assert!(bits.iter().all(|count| (45..205).contains(count)), "{bits:?}");
    }
}
