//! Keyed hashes of ids, and the table that finds entries by them.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use crate::entry::Number;

/// Hashes ids with a key that is fresh in every run, so that no file can be made to collide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys(RandomState);

impl Keys {
    /// The hash of a device's id, or of a device's and a module's.
    #[inline]
    pub(crate) fn hash(&self, id: &[u8], module_id: Option<&[u8]>) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(id);
        if let Some(module_id) = module_id {
            // No text has this byte.
            hasher.write_u8(0xff);
            hasher.write(module_id);
        }
        hasher.finish()
    }
}

/// Bits of a hash that choose the part of the table.
const PART_BITS: u32 = 8;
const PARTS: usize = 1 << PART_BITS;

/// The numbers of entries, by hash: 8 to 16 bytes an entry. Which of the entries of one hash is meant is for the caller to
/// find out.
#[derive(Debug)]
pub(crate) struct Table {
    /// Each has room for twice as many as are in it. A number is kept as one more than it is, and 0 is a free place.
    parts: Vec<Vec<u32>>,
}

impl Table {
    /// The part of a hash.
    pub(crate) fn part_of(hash: u64) -> usize {
        (hash >> (64 - PART_BITS)) as usize
    }

    /// With room for entries of these hashes.
    pub(crate) fn for_hashes(hashes: impl Iterator<Item = u64>) -> Self {
        let mut counts = [0usize; PARTS];
        hashes.for_each(|hash| counts[Self::part_of(hash)] += 1);
        Self { parts: counts.iter().map(|count| vec![0; (count * 2).next_power_of_two()]).collect() }
    }

    /// The parts, to be filled by several threads, each by one.
    pub(crate) fn parts_mut(&mut self) -> &mut [Vec<u32>] {
        &mut self.parts
    }

    /// The entries of a hash, and maybe some others.
    pub(crate) fn candidates(&self, hash: u64) -> impl Iterator<Item = Number> {
        let part = &self.parts[Self::part_of(hash)];
        let mask = part.len() - 1;
        let mut place = hash as usize & mask;
        std::iter::from_fn(move || {
            let number = part[place].checked_sub(1)?;
            place = (place + 1) & mask;
            Some(number)
        })
    }

    /// Puts a number into the first free place of its hash; before that `is_same` is asked of each that is there, and where
    /// it says yes of one, nothing is put in and that one comes back.
    pub(crate) fn insert_into<E>(
        part: &mut [u32],
        hash: u64,
        number: Number,
        mut is_same: impl FnMut(Number) -> Result<bool, E>,
    ) -> Result<Option<Number>, E> {
        let mask = part.len() - 1;
        let mut place = hash as usize & mask;
        while let Some(other) = part[place].checked_sub(1) {
            if is_same(other)? {
                return Ok(Some(other));
            }
            place = (place + 1) & mask;
        }
        part[place] = number + 1;
        Ok(None)
    }

    /// How much memory it takes, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.capacity() * size_of::<u32>()).sum()
    }
}
