//! Which of many pieces may stand at a place: told by the first bytes in which they differ.
//!
//! Devices of a hundred models have a hundred sets of names, and as many pieces that may stand where the sets begin. To try
//! them one by one takes longer than all the rest of the line.

/// Bytes that tell, at most.
const KEY_BYTES_MAX: usize = 8;

/// The number of a node by a few bytes of its piece. Where several have the same, the first of them.
#[derive(Debug)]
pub(crate) struct Switch {
    /// What all pieces start with; the bytes that tell come after it.
    prefix: Vec<u8>,
    key_bytes: usize,
    /// At least half of them are empty.
    slots: Vec<Option<(u64, u32)>>,
    used: usize,
}

impl Switch {
    /// A switch for pieces, each with the number of its node, in the order in which they are to be tried; `None` where one of
    /// them is the start of all others.
    pub(crate) fn new(pieces: &[(&[u8], u32)]) -> Option<Self> {
        let ((first, _), others) = pieces.split_first()?;
        let same_as_first = |piece: &[u8]| first.iter().zip(piece).take_while(|(one, other)| one == other).count();
        let prefix = &first[..others.iter().map(|(piece, _)| same_as_first(piece)).min()?];
        let key_bytes = pieces.iter().map(|(piece, _)| piece.len() - prefix.len()).min()?.min(KEY_BYTES_MAX);
        let slots = vec![None; (2 * pieces.len()).next_power_of_two()];
        let mut switch = Self { prefix: prefix.to_vec(), key_bytes, slots, used: 0 };
        let all_added = key_bytes > 0 && pieces.iter().all(|(piece, number)| switch.add(piece, *number));
        all_added.then_some(switch)
    }

    /// Adds a piece, which comes after all others; `false` where that takes another switch.
    pub(crate) fn add(&mut self, piece: &[u8], number: u32) -> bool {
        let Some(key) = piece.strip_prefix(self.prefix.as_slice()).and_then(|rest| rest.get(..self.key_bytes)) else {
            return false;
        };
        let key = key.iter().rev().fold(0, |key, byte| key << 8 | u64::from(*byte));
        let slot = self.slot(key);
        if self.slots[slot].is_some() {
            return true;
        }
        self.used += 1;
        self.slots[slot] = Some((key, number));
        2 * self.used <= self.slots.len()
    }

    /// Where a key is, or where it would be.
    fn slot(&self, key: u64) -> usize {
        const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
        let last = self.slots.len() - 1;
        let mut slot = (key.wrapping_mul(FACTOR) >> 32) as usize & last;
        while self.slots[slot].is_some_and(|(other, _)| other != key) {
            slot = (slot + 1) & last;
        }
        slot
    }

    /// The first node of which the piece may stand at `at`, as far as its key tells. Eight bytes after the end of any piece are
    /// looked at; where there are none, there is no node.
    #[inline(never)]
    pub(crate) fn find(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let word: &[u8; KEY_BYTES_MAX] = bytes.get(at + self.prefix.len()..)?.first_chunk()?;
        let key = u64::from_le_bytes(*word) & (u64::MAX >> (64 - 8 * self.key_bytes));
        self.slots[self.slot(key)].map(|(_, number)| number)
    }
}

#[cfg(test)]
mod tests {
    use super::Switch;
    use crate::test_numbers::numbers;

    #[test]
    fn each_piece_is_found_or_one_before_it_with_the_same_key() {
        let mut next = numbers(5);
        let (mut made, mut grown) = (0, 0);
        for _ in 0..2_000 {
            let prefix = "p".repeat(next(40) as usize);
            let tail = if next(4) == 0 { "" } else { "\":\"" };
            let texts: Vec<String> = (0..2 + next(60))
                .map(|_| format!("{prefix}{}{tail}", ["m", ""][next(2) as usize].to_owned() + &next(90).to_string()))
                .collect();
            let pieces: Vec<(&[u8], u32)> = texts.iter().map(|text| text.as_bytes()).zip(100..).collect();
            let (some, more) = pieces.split_at(pieces.len() / 2 + 1);
            let Some(mut switch) = Switch::new(some) else { continue };
            made += 1;
            let added = more.iter().take_while(|(piece, number)| switch.add(piece, *number)).count();
            grown += added;
            for (piece, number) in &pieces[..some.len() + added] {
                let line = [b"...", *piece, b"12345678"].concat();
                let found = switch.find(&line, 3).expect("a piece with this key");
                assert!(found <= *number, "{texts:?}");
                let (same, _) = pieces[found as usize - 100];
                let key = ..switch.prefix.len() + switch.key_bytes;
                assert_eq!(same[key], piece[key]);
            }
            assert_eq!(switch.find(b"", 0), None);
            assert_eq!(switch.find(format!("{prefix}\n\n\n\n\n\n\n\n").as_bytes(), 0), None);
        }
        assert!(made > 1_000 && grown > 1_000, "{made} {grown}");
    }
}
