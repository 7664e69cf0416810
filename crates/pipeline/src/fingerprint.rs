//! Keyed hashes of ids and of lines. The keys are fresh in every run, so that no file can be made to collide.
//!
//! Both are NH (Black, Halevi, Krawczyk, Krovetz, Rogaway: UMAC, 1999). A line has two sums over words of 32 bits and blocks of
//! 4 KiB: two lines that differ have the same 128 bits with a probability of at most 2^-64. An id has two sums over words of 64
//! bits by keys of their own, each folded to 64 bits: one of the device, one of the device and its module. Where a text does
//! not fill its last words, its last bytes count twice, or zeros come after them; its length is added.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use hubmill_parser::{Level, NH_BYTES_MAX, NhKeys};

/// Ids up to this length are summed; longer ones, which no hub takes, are hashed by SipHash.
const IDS_BYTES_MAX: usize = 256;
/// Pairs of words in the longest such id.
const PAIRS: usize = IDS_BYTES_MAX / 16;

type Pair = [u64; 2];

/// One product of NH.
#[inline]
fn product(pair: Pair, keys: &Pair) -> u128 {
    u128::from(pair[0].wrapping_add(keys[0])) * u128::from(pair[1].wrapping_add(keys[1]))
}

/// Keys of the hash of an id.
#[derive(Debug)]
struct IdKeys {
    pairs: [Pair; PAIRS],
    length: u64,
    /// Odd: a product with them loses nothing.
    folding: Pair,
}

impl IdKeys {
    fn new(mut next: impl FnMut() -> u64) -> Self {
        Self { pairs: std::array::from_fn(|_| [next(), next()]), length: next() | 1, folding: [next() | 1, next() | 1] }
    }

    #[inline]
    fn fold(&self, sum: u128, length: usize) -> u64 {
        let high = (sum >> 64) as u64;
        let [low, high] = [(sum as u64).wrapping_mul(self.folding[0]), high.wrapping_mul(self.folding[1])];
        // No id at all is another one than an empty one.
        low.wrapping_add(high).wrapping_add(self.length.wrapping_mul(length as u64 + 1))
    }
}

/// Keys for one run.
#[derive(Debug)]
pub(crate) struct Fingerprints {
    level: Level,
    sips: [RandomState; 3],
    /// Of devices; of devices, for the second half; of modules.
    ids: [IdKeys; 3],
    lines: NhKeys,
    length: u64,
}

impl Fingerprints {
    /// With fresh keys.
    pub(crate) fn new(level: Level) -> Self {
        let source = RandomState::new();
        let mut number = 0u64;
        let mut next = || {
            number += 1;
            source.hash_one(number)
        };
        Self {
            level,
            sips: std::array::from_fn(|_| RandomState::new()),
            ids: std::array::from_fn(|_| IdKeys::new(&mut next)),
            lines: NhKeys::new(|| next() as u32),
            length: next() | 1,
        }
    }

    /// The hash of a device's id, and one that is of the module's id, too.
    #[inline]
    pub(crate) fn of_ids(&self, id: &[u8], module_id: Option<&[u8]>) -> [u64; 2] {
        let [device, key] = self.of_id(id, [0, 1]);
        match module_id {
            None => [device, key],
            Some(module_id) => [device, key.wrapping_add(self.of_id(module_id, [2])[0])],
        }
    }

    /// Hashes of an id by some of the keys.
    #[inline]
    fn of_id<const N: usize>(&self, id: &[u8], numbers: [usize; N]) -> [u64; N] {
        let (pairs, rest) = id.as_chunks::<16>();
        if pairs.len() >= PAIRS {
            return self.of_long_id(id, numbers);
        }
        let pair = |bytes: &[u8; 16]| {
            let both = u128::from_le_bytes(*bytes);
            [both as u64, (both >> 64) as u64]
        };
        let mut sums = [0u128; N];
        let mut add = |number: usize, bytes: &[u8; 16]| {
            let pair = pair(bytes);
            for (sum, keys) in sums.iter_mut().zip(numbers) {
                *sum = sum.wrapping_add(product(pair, &self.ids[keys].pairs[number]));
            }
        };
        pairs.iter().enumerate().for_each(|(number, bytes)| add(number, bytes));
        if !rest.is_empty() {
            let last = id.last_chunk().copied().unwrap_or_else(|| short(id));
            add(pairs.len(), &last);
        }
        let mut hashes = [0; N];
        for ((hash, sum), keys) in hashes.iter_mut().zip(sums).zip(numbers) {
            *hash = self.ids[keys].fold(sum, id.len());
        }
        hashes
    }

    #[cold]
    fn of_long_id<const N: usize>(&self, id: &[u8], numbers: [usize; N]) -> [u64; N] {
        numbers.map(|number| {
            let mut hasher = self.sips[number].build_hasher();
            hasher.write(id);
            hasher.finish()
        })
    }

    /// The hash of a line.
    #[inline]
    pub(crate) fn of_line(&self, line: &[u8]) -> [u64; 2] {
        if line.len() > NH_BYTES_MAX {
            return self.of_long_line(line);
        }
        let [first, second] = self.level.nh(&self.lines, line);
        let length = self.length.wrapping_mul(line.len() as u64);
        [first.wrapping_add(length), second.wrapping_add(length)]
    }

    fn of_long_line(&self, line: &[u8]) -> [u64; 2] {
        let mut hashers = [0, 1].map(|number: usize| self.sips[number].build_hasher());
        hashers.iter_mut().for_each(|hasher| hasher.write_usize(line.len()));
        for block in line.chunks(NH_BYTES_MAX) {
            for word in self.level.nh(&self.lines, block) {
                hashers.iter_mut().for_each(|hasher| hasher.write_u64(word));
            }
        }
        hashers.map(|hasher| hasher.finish())
    }
}

/// Fewer than 16 bytes, with zeros after them.
#[inline]
fn short(text: &[u8]) -> [u8; 16] {
    let mut padded = [0; 16];
    padded[..text.len()].copy_from_slice(text);
    padded
}

#[cfg(test)]
mod tests {
    use hubmill_parser::Level;

    use super::Fingerprints;

    #[test]
    fn equal_texts_have_equal_hashes_and_others_do_not() {
        let keys = Fingerprints::new(Level::detect());
        let mut all = Vec::new();
        for length in (0..40usize).chain([1000, 1023, 1024, 1025, 3000, 4095, 4096, 4097, 8192, 100_000]) {
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
        assert_ne!(keys.of_line(b"x"), Fingerprints::new(Level::detect()).of_line(b"x"), "keys are fresh");
    }

    #[test]
    fn devices_and_modules_are_told_apart() {
        let keys = Fingerprints::new(Level::detect());
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
        for length in [0, 1, 255, 256, 257, 3000] {
            let (id, other) = ("d".repeat(length), "d".repeat(length + 1));
            let of = |id: &str, module: Option<&str>| keys.of_ids(id.as_bytes(), module.map(str::as_bytes));
            let modules = ["", "m", &other].map(|module| of(&id, Some(module)));
            assert!(modules.iter().all(|hash| hash[0] == of(&id, None)[0]), "one device");
            assert!(of(&id, None) != of(&other, None) && of(&id, None)[0] != of(&other, None)[0], "{length}");
            let [first, second, third] = modules.map(|hash| hash[1]);
            assert!(first != second && second != third && first != third, "{length}");
        }
    }
}
