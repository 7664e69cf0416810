//! Lists of device ids.

use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Device ids, and which of them were met: the text of the list, and some 40 bytes for each id.
#[derive(Debug, Default)]
pub struct IdList {
    text: Vec<u8>,
    /// In the order of the list, each once.
    ids: Vec<Listed>,
    /// The numbers of the ids.
    table: HashTable<usize>,
    hasher: RandomState,
}

/// One id of a list.
#[derive(Debug)]
struct Listed {
    /// Where it stands in the text.
    at: Range<usize>,
    met: AtomicBool,
}

impl Listed {
    fn of<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.at.clone()]
    }
}

impl IdList {
    /// Reads a list: one id a line. A byte order mark, `\r` before the line end and blank lines are fine.
    pub fn parse(text: Vec<u8>) -> Self {
        // Room for all: a table that grows looks at each text again.
        let lines_max = memchr::memchr_iter(b'\n', &text).count() + 1;
        let (mut ids, mut table) = (Vec::<Listed>::with_capacity(lines_max), HashTable::with_capacity(lines_max));
        let hasher = RandomState::default();
        let mut start = if text.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        while start < text.len() {
            let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |length| start + length);
            let line = &text[start..end];
            let id = line.strip_suffix(b"\r").unwrap_or(line);
            if !id.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                let is_same = |number: &usize| ids[*number].of(&text) == id;
                let rehash = |number: &usize| hasher.hash_one(ids[*number].of(&text));
                if let Entry::Vacant(place) = table.entry(hasher.hash_one(id), is_same, rehash) {
                    place.insert(ids.len());
                    ids.push(Listed { at: start..start + id.len(), met: AtomicBool::new(false) });
                }
            }
            start = end + 1;
        }
        Self { text, ids, table, hasher }
    }

    /// How many different ids there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Whether the id is in the list; it counts as met then.
    pub(crate) fn meets(&self, id: &[u8]) -> bool {
        let found = self.table.find(self.hasher.hash_one(id), |number| self.ids[*number].of(&self.text) == id);
        let Some(listed) = found.map(|number| &self.ids[*number]) else {
            return false;
        };
        // Written once and read often: most lines of an id come after its first.
        if !listed.met.load(Ordering::Relaxed) {
            listed.met.store(true, Ordering::Relaxed);
        }
        true
    }

    /// The ids that were not met, in the order of the list.
    pub fn not_met(&self) -> Vec<&[u8]> {
        let missing = self.ids.iter().filter(|listed| !listed.met.load(Ordering::Relaxed));
        missing.map(|listed| listed.of(&self.text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::IdList;

    #[test]
    fn lists_are_read_leniently_and_remember_what_was_met() {
        let list = IdList::parse(b"\xef\xbb\xbfone\r\n\r\n  \ntwo\nTwo\ntwo\nthree".to_vec());
        assert_eq!(list.len(), 4);
        assert!(list.meets(b"two") && list.meets(b"two") && !list.meets(b"TWO") && !list.meets(b""));
        assert_eq!(list.not_met(), [b"one".as_slice(), b"Two", b"three"]);
        assert!(IdList::parse(Vec::new()).is_empty() && IdList::parse(b"\xef\xbb\xbf".to_vec()).is_empty());
    }

    #[test]
    fn all_of_many_ids_are_met_and_no_other() {
        let text: String = (0..20_000).map(|number| format!("device-{}\n", number % 15_000)).collect();
        let list = IdList::parse(text.into_bytes());
        assert_eq!(list.len(), 15_000);
        assert!((0..15_000).step_by(2).all(|number| list.meets(format!("device-{number}").as_bytes())));
        assert!((15_000..30_000).all(|number| !list.meets(format!("device-{number}").as_bytes())));
        let missing = list.not_met();
        assert!(missing.into_iter().eq((1..15_000).step_by(2).map(|number| format!("device-{number}").into_bytes())));
    }
}
