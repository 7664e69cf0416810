//! Fresh symmetric keys.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use hubmill_device::KEY_BYTES_MAX;
use zeroize::{Zeroize as _, Zeroizing};

/// Random bytes made at once.
const BUFFER_BYTES: usize = 4096;

/// Makes keys: ChaCha20, seeded by the system, one per thread. There is no way to seed it otherwise.
pub(crate) struct KeySource {
    generator: ChaCha20Rng,
    buffer: Zeroizing<[u8; BUFFER_BYTES]>,
    used: usize,
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeySource(REDACTED)")
    }
}

impl KeySource {
    /// A source that the system's random number generator has seeded.
    pub(crate) fn from_system() -> Result<Self, getrandom::Error> {
        let mut seed = Zeroizing::new([0u8; 32]);
        getrandom::fill(seed.as_mut_slice())?;
        let generator = ChaCha20Rng::from_seed(*seed);
        Ok(Self { generator, buffer: Zeroizing::new([0; BUFFER_BYTES]), used: BUFFER_BYTES })
    }

    /// Appends a key of `key_bytes` bytes in standard base64 with padding, in JSON quotes.
    ///
    /// As in the hub's own SDK no byte of a key is zero (§4).
    pub(crate) fn append_quoted(&mut self, key_bytes: usize, out: &mut Vec<u8>) {
        let mut key = [0u8; KEY_BYTES_MAX];
        let key = &mut key[..key_bytes];
        self.fill(key);
        out.push(b'"');
        base64_simd::STANDARD.encode_append(&*key, out);
        out.push(b'"');
        key.zeroize();
    }

    fn fill(&mut self, key: &mut [u8]) {
        if BUFFER_BYTES - self.used < key.len() {
            self.refill();
        }
        key.copy_from_slice(&self.buffer[self.used..self.used + key.len()]);
        self.used += key.len();
        while let Some(zero) = memchr::memchr(0, key) {
            key[zero] = self.byte();
        }
    }

    fn byte(&mut self) -> u8 {
        if self.used == BUFFER_BYTES {
            self.refill();
        }
        self.used += 1;
        self.buffer[self.used - 1]
    }

    fn refill(&mut self) {
        self.generator.fill_bytes(self.buffer.as_mut_slice());
        self.used = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use hubmill_device::{KEY_BYTES_MAX, KEY_BYTES_MIN};

    use super::KeySource;

    #[test]
    fn keys_are_base64_of_the_right_length_without_zero_bytes_and_differ() {
        let mut source = KeySource::from_system().unwrap();
        let mut seen = HashSet::new();
        for round in 0..4000 {
            let key_bytes = KEY_BYTES_MIN + round % (KEY_BYTES_MAX - KEY_BYTES_MIN + 1);
            let mut text = b"x".to_vec();
            source.append_quoted(key_bytes, &mut text);
            let [b'x', b'"', encoded @ .., b'"'] = text.as_slice() else { panic!("quoted after what was there") };
            let key = base64_simd::STANDARD.decode_to_vec(encoded).unwrap();
            assert_eq!(key.len(), key_bytes);
            assert!(!key.contains(&0));
            assert!(seen.insert(key));
        }
    }

    #[test]
    fn bytes_are_spread_evenly() {
        let mut source = KeySource::from_system().unwrap();
        let mut counts = [0u32; 256];
        for _ in 0..4000 {
            let mut key = [0; 64];
            source.fill(&mut key);
            key.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
        }
        assert_eq!(counts[0], 0);
        // About 1004 each; a deviation of eight standard deviations does not happen by chance.
        assert!(counts[1..].iter().all(|count| (750..1260).contains(count)), "{counts:?}");
    }

    #[test]
    fn two_sources_give_different_keys() {
        let mut key = [Vec::new(), Vec::new()];
        for out in &mut key {
            KeySource::from_system().unwrap().append_quoted(32, out);
        }
        assert_ne!(key[0], key[1]);
    }
}
