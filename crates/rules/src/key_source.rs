//! Fresh symmetric keys.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use zeroize::Zeroizing;

/// Keys made at once.
const KEYS: usize = 64;
/// The length of a key of 32 bytes in base64.
const DEFAULT_TEXT_BYTES: usize = 44;

/// The length of a key of so many bytes in base64.
fn text_bytes(key_bytes: usize) -> usize {
    key_bytes.div_ceil(3) * 4
}

/// Makes keys: ChaCha20, seeded by the system, one per thread. There is no way to seed it otherwise.
///
/// Keys are made by the dozen, so that the random bytes and the base64 come in runs long enough for SIMD. They are written into
/// lines from where they stand here, and overwritten when new ones are made.
pub struct KeySource {
    generator: ChaCha20Rng,
    key_bytes: usize,
    /// Keys in a row, each filled up with zeros to a multiple of 3 bytes.
    rows: Zeroizing<Vec<u8>>,
    /// The same in base64.
    encoded: Zeroizing<Vec<u8>>,
    /// What always stands in front, then the same in JSON quotes.
    texts: Zeroizing<Vec<u8>>,
    /// Where the first key stands among the texts.
    first: usize,
    /// Where the next key stands, the first that was not given out.
    next: usize,
    /// The length of a key with its quotes.
    quoted_bytes: usize,
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeySource(REDACTED)")
    }
}

impl KeySource {
    /// A source of keys of `key_bytes` bytes that the system's random number generator has seeded.
    ///
    /// # Errors
    /// Where that has nothing to give.
    pub fn from_system(key_bytes: usize) -> Result<Self, getrandom::Error> {
        Self::after(&[], key_bytes)
    }

    /// The same, with texts in front of the keys.
    pub(crate) fn after(front: &[u8], key_bytes: usize) -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut_slice())?;
        let quoted_bytes = text_bytes(key_bytes) + 2;
        let mut texts = front.to_vec();
        texts.resize(front.len() + KEYS * quoted_bytes, b'"');
        Ok(Self {
            generator: ChaCha20Rng::from_seed(*seed),
            key_bytes,
            rows: Zeroizing::new(vec![0; KEYS * key_bytes.next_multiple_of(3)]),
            encoded: Zeroizing::new(Vec::with_capacity(KEYS * text_bytes(key_bytes))),
            first: front.len(),
            next: texts.len(),
            texts: Zeroizing::new(texts),
            quoted_bytes,
        })
    }

    /// How long the text of a key is, in bytes.
    pub fn text_bytes(&self) -> usize {
        text_bytes(self.key_bytes)
    }

    /// How long it is with its quotes.
    #[inline]
    pub(crate) fn quoted_bytes(&self) -> usize {
        self.quoted_bytes
    }

    /// What stands in front, and the keys.
    #[inline]
    pub(crate) fn texts(&self) -> &[u8] {
        &self.texts
    }

    /// Makes so many keys, at most [`KEYS`]: where they stand among the texts, one after the other, each in standard base64 with
    /// padding, in JSON quotes. They stand there until more are asked for.
    ///
    /// As in the hub's own SDK no byte of a key is zero (§4).
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> usize {
        debug_assert!(count <= KEYS, "no more than are made at once");
        let bytes = count * self.quoted_bytes;
        if self.texts.len() - self.next < bytes {
            self.make_keys();
        }
        let start = self.next;
        self.next += bytes;
        start
    }

    /// Appends a key in quotes.
    pub(crate) fn append_quoted(&mut self, out: &mut Vec<u8>) {
        let start = self.take(1);
        out.extend_from_slice(&self.texts[start..][..self.quoted_bytes]);
    }

    /// Writes a key over `place`, which is [`KeySource::text_bytes`] long, in standard base64 with padding, without
    /// quotes.
    ///
    /// # Panics
    /// Where `place` is of another length.
    #[inline]
    pub fn write_over(&mut self, place: &mut [u8]) {
        let start = self.take(1);
        let text = &self.texts[start..][..self.quoted_bytes];
        let text = &text[1..text.len() - 1];
        // Without a call, where the length is known.
        match (text.as_array::<DEFAULT_TEXT_BYTES>(), place.as_mut_array::<DEFAULT_TEXT_BYTES>()) {
            (Some(text), Some(place)) => *place = *text,
            _ => place.copy_from_slice(text),
        }
    }

    /// Fills `place` with random bytes of the same generator, zeros among them.
    #[inline]
    pub fn fill(&mut self, place: &mut [u8]) {
        self.generator.fill_bytes(place);
    }

    fn make_keys(&mut self) {
        let row_bytes = self.key_bytes.next_multiple_of(3);
        self.generator.fill_bytes(self.rows.as_mut_slice());
        let mut from = 0;
        while let Some(length) = memchr::memchr(0, &self.rows[from..]) {
            from += length;
            self.rows[from] = self.byte_but_zero();
        }
        let filled_up = row_bytes - self.key_bytes;
        for row in self.rows.chunks_exact_mut(row_bytes) {
            row.iter_mut().rev().take(filled_up).for_each(|byte| *byte = 0);
        }
        self.encoded.clear();
        base64_simd::STANDARD.encode_append(self.rows.as_slice(), &mut *self.encoded);
        let keys = self.encoded.chunks_exact(row_bytes / 3 * 4);
        for (key, text) in keys.zip(self.texts[self.first..].chunks_exact_mut(self.quoted_bytes)) {
            let text = &mut text[1..=key.len()];
            text.copy_from_slice(key);
            // The zeros that a row was filled up with were encoded as `A`.
            text[key.len() - filled_up..].fill(b'=');
        }
        self.next = self.first;
        self.rows.fill(0);
    }

    /// A random byte, drawn anew until it is not zero.
    fn byte_but_zero(&mut self) -> u8 {
        loop {
            let [byte, ..] = self.generator.next_u32().to_le_bytes();
            if byte != 0 {
                return byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hubmill_device::{KEY_BYTES_MAX, KEY_BYTES_MIN};

    use super::{KEYS, KeySource};

    fn next_key(source: &mut KeySource) -> Vec<u8> {
        let mut text = b"x".to_vec();
        source.append_quoted(&mut text);
        let [b'x', b'"', encoded @ .., b'"'] = text.as_slice() else { panic!("quoted after what was there") };
        base64_simd::STANDARD.decode_to_vec(encoded).unwrap()
    }

    #[test]
    fn keys_are_base64_of_the_right_length_without_zero_bytes_and_differ() {
        let mut seen = HashSet::new();
        for key_bytes in KEY_BYTES_MIN..=KEY_BYTES_MAX {
            let mut source = KeySource::from_system(key_bytes).unwrap();
            for _ in 0..3 * KEYS {
                let key = next_key(&mut source);
                assert_eq!(key.len(), key_bytes);
                assert!(!key.contains(&0));
                assert!(seen.insert(key));
            }
        }
    }

    #[test]
    fn bytes_are_spread_evenly_over_all_places() {
        let mut source = KeySource::from_system(64).unwrap();
        let mut counts = [0u32; 256];
        let mut sums = [0u64; 64];
        for _ in 0..4000 {
            for (byte, sum) in next_key(&mut source).into_iter().zip(&mut sums) {
                counts[usize::from(byte)] += 1;
                *sum += u64::from(byte);
            }
        }
        assert_eq!(counts[0], 0);
        // About 1004 each; a deviation of eight standard deviations does not happen by chance.
        assert!(counts[1..].iter().all(|count| (750..1260).contains(count)), "{counts:?}");
        // About 128 on average; the standard deviation is 1.2.
        assert!(sums.iter().all(|sum| (118..138).contains(&(sum / 4000))), "{sums:?}");
    }

    #[test]
    fn what_was_given_out_is_kept_until_more_is_asked_for() {
        let mut source = KeySource::after(b"front", 32).unwrap();
        let quoted = |start: usize, texts: &[u8]| texts[start..start + 46].to_vec();
        let mut given = HashSet::new();
        for _ in 0..3 * KEYS {
            let start = source.take(2);
            assert_eq!(&source.texts()[..5], b"front");
            for start in [start, start + source.quoted_bytes()] {
                assert!(given.insert(quoted(start, source.texts())));
                assert_eq!((source.texts()[start], source.texts()[start + 45]), (b'"', b'"'));
            }
        }
        // An odd one is passed over where two are asked for.
        source.take(1);
        source.take(KEYS);
        assert!(source.texts()[5..].chunks(46).all(|text| !given.contains(text)));
        assert!(source.rows.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn two_sources_give_different_keys() {
        let [one, other] = [0; 2].map(|_| next_key(&mut KeySource::from_system(32).unwrap()));
        assert_ne!(one, other);
    }
}
