//! What the peers know of devices: legal ids, and keys.

use rand::Rng as _;
use rand::rngs::ThreadRng;

/// The characters of an id, as an expression that jq, DuckDB and polars understand, too.
pub const ID_PATTERN: &str = "[A-Za-z0-9:.+%_#*?!(),=@;$'-]{1,128}";

const LEGAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let punctuation = b"-:.+%_#*?!(),=@;$'";
    let mut at = 0;
    while at < punctuation.len() {
        table[punctuation[at] as usize] = true;
        at += 1;
    }
    table
};

/// Whether the hub takes this id: 1 to 128 of the legal characters.
#[must_use]
pub fn is_legal_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| LEGAL[usize::from(byte)])
}

/// Makes keys.
#[derive(Default)]
pub struct Keys(ThreadRng);

impl Keys {
    /// 32 random bytes in base64: 44 characters that need no escaping.
    pub fn fresh(&mut self) -> String {
        let key: [u8; 32] = self.0.random();
        base64_simd::STANDARD.encode_to_string(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        for id in ["a", "a-:.+%_#*?!(),=@;$'9Z", &"x".repeat(128)] {
            assert!(is_legal_id(id), "{id}");
        }
        for id in ["", "a b", "a/b", "ä", "a\"", &"x".repeat(129)] {
            assert!(!is_legal_id(id), "{id}");
        }
    }

    #[test]
    fn keys_differ() {
        let mut keys = Keys::default();
        let (first, second) = (keys.fresh(), keys.fresh());
        assert_eq!((first.len(), second.len()), (44, 44));
        assert_ne!(first, second);
    }
}
