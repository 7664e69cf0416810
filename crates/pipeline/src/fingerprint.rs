//! Keyed hashes of ids and of lines. The keys are fresh in every run, so that no file can be made to collide.
//!
//! Texts are hashed to 128 bits by NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: UMAC, 1999) over words of 64 bits, a block of
//! 1 KiB at a time: two texts that differ have the same hash with a probability of at most 2^-64. NH pads with zeros, which no
//! valid line holds; after an id, which may hold them, stand its lengths. A device's id has a SipHash of 64 bits besides.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Words of a block.
const BLOCK_WORDS: usize = 128;
const BLOCK_BYTES: usize = BLOCK_WORDS * 8;

/// Ids up to this length leave the last two words of a block free.
const IDS_BYTES_MAX: usize = BLOCK_BYTES - 16;

/// One product of NH.
#[inline]
fn product((first, second): (u64, u64), keys: &[u64; 2]) -> u128 {
    u128::from(first.wrapping_add(keys[0])) * u128::from(second.wrapping_add(keys[1]))
}

/// Keys for one run.
#[derive(Debug)]
pub(crate) struct Fingerprints {
    sips: [RandomState; 2],
    words: [u64; BLOCK_WORDS],
}

impl Fingerprints {
    /// With fresh keys.
    pub(crate) fn new() -> Self {
        let source = RandomState::new();
        Self {
            sips: [RandomState::new(), RandomState::new()],
            words: std::array::from_fn(|number| source.hash_one(number)),
        }
    }

    /// The 64-bit hash of a device's id.
    #[inline]
    pub(crate) fn of_device(&self, id: &[u8]) -> u64 {
        let mut hasher = self.sips[0].build_hasher();
        hasher.write(id);
        hasher.finish()
    }

    /// The hash of a device's id, or of a device's and a module's.
    #[inline]
    pub(crate) fn of_ids(&self, id: &[u8], module_id: Option<&[u8]>) -> [u64; 2] {
        let lengths = (id.len() as u64, module_id.map_or(0, |module_id| module_id.len() as u64 + 1));
        if id.len() <= IDS_BYTES_MAX && module_id.is_none() {
            let last = self.words.len() - 2;
            let sum = product(lengths, &[self.words[last], self.words[last + 1]]);
            let ids = self.block(id);
            let sum = sum.wrapping_add(u128::from(ids[1]) << 64 | u128::from(ids[0]));
            return [sum as u64, (sum >> 64) as u64];
        }
        let mut all = Vec::with_capacity(256);
        for part in [&lengths.0.to_le_bytes(), &lengths.1.to_le_bytes(), id, module_id.unwrap_or_default()] {
            all.extend_from_slice(part);
        }
        self.of_line(&all)
    }

    /// The hash of a line.
    #[inline]
    pub(crate) fn of_line(&self, line: &[u8]) -> [u64; 2] {
        if line.len() <= BLOCK_BYTES {
            return self.block(line);
        }
        self.of_long_line(line)
    }

    fn of_long_line(&self, line: &[u8]) -> [u64; 2] {
        let mut hashers = [0, 1].map(|number: usize| self.sips[number].build_hasher());
        for block in line.chunks(BLOCK_BYTES) {
            for word in self.block(block) {
                hashers.iter_mut().for_each(|hasher| hasher.write_u64(word));
            }
        }
        hashers.map(|hasher| hasher.finish())
    }

    /// NH of a block.
    #[inline]
    fn block(&self, bytes: &[u8]) -> [u64; 2] {
        let pair = |bytes: &[u8; 16]| {
            let both = u128::from_le_bytes(*bytes);
            (both as u64, (both >> 64) as u64)
        };
        let (pairs, rest) = bytes.as_chunks::<16>();
        let keys = &self.words.as_chunks::<2>().0[..BLOCK_WORDS / 2];
        // Two sums that do not wait for each other.
        let mut sums = [0u128; 2];
        let (twos, last) = pairs.as_chunks::<2>();
        for (two, keys) in twos.iter().zip(keys.as_chunks::<2>().0) {
            for ((sum, bytes), keys) in sums.iter_mut().zip(two).zip(keys) {
                *sum = sum.wrapping_add(product(pair(bytes), keys));
            }
        }
        if let [last] = last {
            sums[0] = sums[0].wrapping_add(product(pair(last), &keys[pairs.len() - 1]));
        }
        if !rest.is_empty() {
            let mut padded = [0; 16];
            padded[..rest.len()].copy_from_slice(rest);
            sums[1] = sums[1].wrapping_add(product(pair(&padded), &keys[pairs.len()]));
        }
        let sum = sums[0].wrapping_add(sums[1]);
        [sum as u64, (sum >> 64) as u64]
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprints;

    #[test]
    fn equal_texts_have_equal_hashes_and_others_do_not() {
        let keys = Fingerprints::new();
        let mut all = Vec::new();
        for length in (0..40usize).chain([1000, 1023, 1024, 1025, 3000, 100_000]) {
            for place in [0, length / 2, length.saturating_sub(1)] {
                let mut line = vec![b'x'; length];
                if let Some(byte) = line.get_mut(place) {
                    *byte = b'y';
                }
                assert_eq!(keys.of_line(&line), keys.of_line(&line.clone()));
                all.push((keys.of_line(&line), line));
            }
        }
        for (number, (hash, line)) in all.iter().enumerate() {
            for (other, text) in &all[..number] {
                assert_eq!(hash == other, line == text);
            }
        }
        assert_ne!(keys.of_line(b"x"), Fingerprints::new().of_line(b"x"), "keys are fresh");
    }

    #[test]
    fn devices_and_modules_are_told_apart() {
        let keys = Fingerprints::new();
        let ids: [(&str, Option<&str>); 10] = [
            ("ab", None),
            ("a", Some("b")),
            ("ab", Some("")),
            ("", Some("ab")),
            ("AB", None),
            ("a", Some("B")),
            ("a", None),
            ("a\0", None),
            ("", None),
            ("\0", None),
        ];
        let hashes = ids.map(|(id, module)| keys.of_ids(id.as_bytes(), module.map(str::as_bytes)));
        for (number, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..number].contains(hash), "{:?}", ids[number]);
        }
    }
}
