//! What was found where all lines were compared with each other. A finding costs 12 bytes where all are kept.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::duplicates::{Duplicates, PartEntries};
use crate::entries::Entry;

/// What was found about two lines or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RepeatKind {
    /// The lines are about one device or module, and differ.
    Differs,
    /// The lines are equal.
    Equal,
    /// The module's device comes later, at the other line.
    DeviceLater,
    /// With this line the device has one module more than it may.
    OneModuleTooMany,
}

impl RepeatKind {
    /// All kinds, in order.
    pub const ALL: [Self; 4] = [Self::Differs, Self::Equal, Self::DeviceLater, Self::OneModuleTooMany];

    /// Its bit in a set of kinds.
    fn bit(self) -> usize {
        1 << self as usize
    }
}

/// Sets of kinds.
const KIND_SETS: usize = 1 << RepeatKind::ALL.len();

/// A finding about a line and another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// The line that it is about.
    pub line: u64,
    /// The offset of its first byte.
    pub byte: u64,
    /// The line that it repeats, or the device's; of [`RepeatKind::OneModuleTooMany`] how many modules there are.
    pub other: u64,
    /// What it is.
    pub kind: RepeatKind,
}

/// A finding in a part, by the numbers of entries there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NumberedRepeat {
    /// The entry that it is about.
    pub(crate) entry: u32,
    pub(crate) kind: RepeatKind,
    /// The other entry; of [`RepeatKind::OneModuleTooMany`] how many modules there are.
    pub(crate) other: u32,
}

/// What was found in parts.
#[derive(Debug)]
pub(crate) struct Found {
    /// Of each kind so many are kept.
    kept_max: usize,
    /// The numbers of parts, with what is kept of each, in the order of the lines.
    kept: Vec<(usize, Vec<NumberedRepeat>)>,
    /// How many lines have which findings, by the set of their kinds: first those that have no error yet.
    lines: [[u64; KIND_SETS]; 2],
}

impl Found {
    pub(crate) fn new(kept_max: usize) -> Self {
        Self { kept_max, kept: Vec::new(), lines: [[0; KIND_SETS]; 2] }
    }

    /// Adds what was found in a part, in the order of the lines.
    pub(crate) fn add(&mut self, number: usize, part: PartEntries<'_>, mut found: Vec<NumberedRepeat>) {
        for of_line in found.chunk_by(|one, other| one.entry == other.entry) {
            let is_invalid = part.entry(of_line[0].entry).is(Entry::INVALID);
            let kinds = of_line.iter().fold(0, |kinds, found| kinds | found.kind.bit());
            self.lines[usize::from(is_invalid)][kinds] += 1;
        }
        let mut room = Room::new(self.kept_max);
        found.retain(|found| room.takes(found.kind));
        self.kept.push((number, found));
    }
}

/// How many of each kind are still taken.
struct Room([usize; RepeatKind::ALL.len()]);

impl Room {
    fn new(kept_max: usize) -> Self {
        Self([kept_max; RepeatKind::ALL.len()])
    }

    fn takes(&mut self, kind: RepeatKind) -> bool {
        let room = &mut self.0[kind as usize];
        let takes = *room > 0;
        *room -= usize::from(takes);
        takes
    }
}

/// All that was found.
#[derive(Debug)]
pub struct Repeats {
    all: Duplicates,
    found: Found,
}

impl Repeats {
    pub(crate) fn new(all: Duplicates, found: Found) -> Self {
        Self { all, found }
    }

    /// How many there are of a kind.
    pub fn count(&self, kind: RepeatKind) -> u64 {
        let counts = self.found.lines.iter().flat_map(|lines| lines.iter().enumerate());
        counts.filter(|(kinds, _)| kinds & kind.bit() != 0).map(|(_, count)| count).sum()
    }

    /// How many lines have one of these kinds, and no error of their own.
    pub fn good_lines(&self, kinds: &[RepeatKind]) -> u64 {
        let wanted = kinds.iter().fold(0, |wanted, kind| wanted | kind.bit());
        let counts = self.found.lines[0].iter().enumerate();
        counts.filter(|(kinds, _)| kinds & wanted != 0).map(|(_, count)| count).sum()
    }

    /// The first of each kind, as many as were to be kept, in the order of the lines.
    pub fn in_order(&self) -> impl Iterator<Item = Repeat> {
        let Found { kept_max, kept, .. } = &self.found;
        // The next of each part.
        let next = |list: usize, at: usize| {
            let (part, found) = &kept[list];
            let found = found.get(at)?;
            Some(Reverse((self.all.part(*part).entry(found.entry).number(), found.kind, list, at)))
        };
        let mut heads: BinaryHeap<_> = (0..kept.len()).filter_map(|list| next(list, 0)).collect();
        let mut room = Room::new(*kept_max);
        let sorted = std::iter::from_fn(move || {
            let Reverse((_, _, list, at)) = heads.pop()?;
            heads.extend(next(list, at + 1));
            Some((list, at))
        });
        sorted.map(|(list, at)| self.repeat(list, at)).filter(move |repeat| room.takes(repeat.kind))
    }

    fn repeat(&self, list: usize, at: usize) -> Repeat {
        let (part, found) = &self.found.kept[list];
        let (part, NumberedRepeat { entry, kind, other }) = (self.all.part(*part), found[at]);
        let entry = part.entry(entry);
        let other = match kind {
            RepeatKind::OneModuleTooMany => u64::from(other),
            _ => part.entry(other).number(),
        };
        Repeat { line: entry.number(), byte: entry.byte, other, kind }
    }
}
