//! What takes all lines to see: ids that stand twice, modules before their devices, and how many modules a device has.
//!
//! Workers hash; the drain puts what they found into parts by a hash of the device, in the order of the input, and does
//! nothing else. At the end each part, small enough for a cache, is looked through by itself, on all threads. A line costs
//! [`ENTRY_BYTES`], 32, and 16 more where it can't be looked at again, what a [finding](crate::repeats) costs, and what is left over in
//! the last block of each part, some MiB in all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::entries::{ENTRY_BYTES, Entries, Entry, TEXT_BYTES};
use crate::repeats::{Found, Repeats};
use crate::search::Search;
use crate::slabs::{BLOCK_ENTRIES, Slabs};

/// By so many bits of the hash of a device lines are parted.
const PART_BITS: u32 = 10;

/// Where the entries of some of the devices are.
#[derive(Clone, Debug, Default)]
struct Part {
    /// The numbers of its blocks, in order.
    blocks: Vec<u32>,
    count: usize,
}

impl Part {
    /// The place of the entry of this number.
    #[inline]
    fn place(&self, number: usize) -> usize {
        self.blocks[number / BLOCK_ENTRIES] as usize * BLOCK_ENTRIES + number % BLOCK_ENTRIES
    }
}

/// All lines of a run.
#[derive(Debug, Default)]
pub struct Duplicates {
    entries: Slabs<ENTRY_BYTES>,
    /// The hashes of the lines, at the same places; none where lines can be looked at again.
    texts: Slabs<TEXT_BYTES>,
    blocks_used: usize,
    parts: Vec<Part>,
    /// By part: the place of its next entry. At the start of a block: in a new one.
    next: Vec<usize>,
}

impl Duplicates {
    /// Takes the entries of a batch, which start after line `lines_before`. Either all batches have the hashes of lines, or none has.
    pub fn add(&mut self, Entries { entries, texts }: &Entries, lines_before: u64) {
        if self.parts.is_empty() && !entries.is_empty() {
            self.parts = vec![Part::default(); 1 << PART_BITS];
            self.next = vec![0; 1 << PART_BITS];
        }
        for (at, entry) in entries.iter().enumerate() {
            let number = (entry.device >> (64 - PART_BITS)) as usize;
            let mut place = self.next[number];
            if place.is_multiple_of(BLOCK_ENTRIES) {
                place = self.new_block(number);
            }
            let entry = Entry { line: entry.line + lines_before, ..*entry };
            self.entries.put(place, entry.to_bytes().as_flattened());
            if let Some(text) = texts.get(at) {
                self.texts.put(place, text.map(u64::to_ne_bytes).as_flattened());
            }
            self.next[number] = place + 1;
        }
    }

    /// Gives a part a new block; the place of its first entry.
    #[inline(never)]
    fn new_block(&mut self, part: usize) -> usize {
        let place = self.blocks_used * BLOCK_ENTRIES;
        self.parts[part].blocks.push(self.blocks_used as u32);
        self.blocks_used += 1;
        place
    }

    /// The entries of a part.
    pub(crate) fn part(&self, number: usize) -> PartEntries<'_> {
        PartEntries { all: self, part: &self.parts[number] }
    }

    /// What there is to find. Of each kind the first `kept_max` are told one by one, in the order of the lines; all are counted.
    ///
    /// `are_equal` tells whether the lines at two offsets are equal; it is only asked where their hashes were not given.
    pub fn finish(mut self, threads: usize, kept_max: usize, are_equal: &(dyn Fn(u64, u64) -> bool + Sync)) -> Repeats {
        for (part, next) in self.parts.iter_mut().zip(&self.next) {
            let in_last_block = (next + BLOCK_ENTRIES - 1) % BLOCK_ENTRIES + 1;
            part.count = part.blocks.len().saturating_sub(1) * BLOCK_ENTRIES + in_last_block;
            if part.blocks.is_empty() {
                part.count = 0;
            }
        }
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Found::new(kept_max));
        on_threads(threads.clamp(1, self.parts.len().max(1)), || {
            let mut table = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.parts.len() {
                    break;
                }
                let part = self.part(number);
                let in_part = Search::new(part, are_equal, &mut table).run();
                if !in_part.is_empty() {
                    found.lock().unwrap_or_else(PoisonError::into_inner).add(number, part, in_part);
                }
            }
        });
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.texts = Slabs::default();
        Repeats::new(self, found)
    }
}

/// The entries of some of the devices, numbered in the order of the lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartEntries<'a> {
    all: &'a Duplicates,
    part: &'a Part,
}

impl<'a> PartEntries<'a> {
    pub(crate) fn len(&self) -> usize {
        self.part.count
    }

    /// The entry of this number.
    ///
    /// # Panics
    /// Where there is none.
    #[inline]
    pub(crate) fn entry(&self, number: u32) -> Entry {
        Entry::from_bytes(self.all.entries.get(self.part.place(number as usize)).expect("a part's entries are there"))
    }

    /// All of them, with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (u32, Entry)> + use<'a> {
        let Self { all, part } = *self;
        let blocks = part.blocks.iter().flat_map(|block| all.entries.block(*block));
        (0..).zip(blocks.take(part.count).map(Entry::from_bytes))
    }

    /// The hash of the line of the entry of this number, where there are any.
    pub(crate) fn text(&self, number: u32) -> Option<&'a [u8; TEXT_BYTES]> {
        self.all.texts.get(self.part.place(number as usize))
    }
}

/// Runs `work` on so many threads, this one included.
fn on_threads(threads: usize, work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(&work);
        }
        work();
    });
}
