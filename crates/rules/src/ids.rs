//! Lists of device ids.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

/// Device ids, and which of them were met.
#[derive(Debug, Default)]
pub struct IdList {
    places: HashMap<Box<[u8]>, usize>,
    met: Vec<AtomicBool>,
}

impl IdList {
    /// Reads a list: one id a line. A byte order mark, `\r` before the line end and blank lines are fine.
    pub fn parse(text: &[u8]) -> Self {
        let mut list = Self::default();
        for line in text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).split(|byte| *byte == b'\n') {
            let id = line.strip_suffix(b"\r").unwrap_or(line);
            if id.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
                continue;
            }
            let next = list.met.len();
            if *list.places.entry(id.into()).or_insert(next) == next {
                list.met.push(AtomicBool::new(false));
            }
        }
        list
    }

    /// How many different ids there are.
    pub fn len(&self) -> usize {
        self.met.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.met.is_empty()
    }

    /// Whether the id is in the list; it counts as met then.
    pub(crate) fn meets(&self, id: &[u8]) -> bool {
        let place = self.places.get(id);
        if let Some(place) = place {
            // Written once and read often: most lines of an id come after its first.
            if !self.met[*place].load(Ordering::Relaxed) {
                self.met[*place].store(true, Ordering::Relaxed);
            }
        }
        place.is_some()
    }

    /// The ids that were not met, in the order of the list.
    pub fn not_met(&self) -> Vec<&[u8]> {
        let mut missing: Vec<(usize, &[u8])> = self
            .places
            .iter()
            .filter(|(_, place)| !self.met[**place].load(Ordering::Relaxed))
            .map(|(id, place)| (*place, id.as_ref()))
            .collect();
        missing.sort_unstable();
        missing.into_iter().map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::IdList;

    #[test]
    fn lists_are_read_leniently_and_remember_what_was_met() {
        let list = IdList::parse(b"\xef\xbb\xbfone\r\n\r\n  \ntwo\nTwo\ntwo\nthree");
        assert_eq!(list.len(), 4);
        assert!(list.meets(b"two") && list.meets(b"two") && !list.meets(b"TWO"));
        assert_eq!(list.not_met(), [b"one".as_slice(), b"Two", b"three"]);
        assert!(IdList::parse(b"").is_empty());
    }
}
