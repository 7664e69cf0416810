//! Looks through the lines of some of the devices for what takes all of them to see.

use hubmill_device::MODULES_MAX;

use crate::duplicates::PartEntries;
use crate::entries::Entry;
use crate::repeats::{NumberedRepeat, RepeatKind};

/// A free place of a table.
const FREE: u64 = 0;
/// Places of the first table.
const PLACES_FIRST: usize = 1024;
/// Words of the bits that tell which devices have modules.
const WANTED_WORDS: usize = 64;

/// Looks through a part.
pub(crate) struct Search<'a> {
    part: PartEntries<'a>,
    are_equal: &'a (dyn Fn(u64, u64) -> bool + Sync),
    /// Places for the first entry of each device and module by its hash: the upper half of that, and the entry's number,
    /// counted from 1. At least half of them are free.
    table: &'a mut Vec<u64>,
    used: usize,
    found: Vec<NumberedRepeat>,
}

impl<'a> Search<'a> {
    /// A search that uses this table, which may hold anything.
    pub(crate) fn new(
        part: PartEntries<'a>,
        are_equal: &'a (dyn Fn(u64, u64) -> bool + Sync),
        table: &'a mut Vec<u64>,
    ) -> Self {
        // Parts have as many devices as others had, as a rule.
        let places = table.len().max(PLACES_FIRST).min((part.len() * 2).next_power_of_two());
        table.clear();
        table.resize(places, FREE);
        Self { part, are_equal, table, used: 0, found: Vec::new() }
    }

    /// What there is to find, in the order of the lines.
    pub(crate) fn run(mut self) -> Vec<NumberedRepeat> {
        let mut modules = self.find_repeated();
        if !modules.is_empty() {
            modules.sort_unstable();
            self.find_devices_later(&modules);
            self.count_modules(&modules);
            self.found.sort_unstable();
        }
        self.found
    }

    /// The first entry that is about the same as the entry `number`; where that is itself the first, it goes into the table.
    #[inline]
    fn meet(&mut self, entry: &Entry, number: u32) -> Option<(u32, Entry)> {
        let upper_half = entry.key >> 32 << 32;
        let last = self.table.len() - 1;
        let mut place = entry.key as usize & last;
        loop {
            match self.table[place] {
                FREE => break,
                there if there & !u64::from(u32::MAX) == upper_half => {
                    let first = there as u32 - 1;
                    let other = self.part.entry(first);
                    if other.is_about_the_same(entry) {
                        return Some((first, other));
                    }
                }
                _ => {}
            }
            place = (place + 1) & last;
        }
        self.table[place] = upper_half | u64::from(number + 1);
        self.used += 1;
        if 2 * self.used > self.table.len() {
            self.grow();
        }
        None
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![FREE; 2 * self.table.len()];
        let last = larger.len() - 1;
        for there in std::mem::replace(self.table, larger).into_iter().filter(|there| *there != FREE) {
            let mut place = self.part.entry(there as u32 - 1).key as usize & last;
            while self.table[place] != FREE {
                place = (place + 1) & last;
            }
            self.table[place] = there;
        }
    }

    /// Finds ids that stand twice; the modules that are there afterwards: the hash of the device, and the entry's number.
    fn find_repeated(&mut self) -> Vec<(u64, u32)> {
        let mut modules = Vec::new();
        for (number, entry) in self.part.numbered() {
            if entry.is(Entry::MODULE) && !entry.is(Entry::NOT_CREATED) {
                modules.push((entry.device, number));
            }
            if let Some((first_number, first)) = self.meet(&entry, number) {
                let equal = match (self.part.text(first_number), self.part.text(number)) {
                    (Some(one), Some(other)) => one == other,
                    _ => (self.are_equal)(first.byte, entry.byte),
                };
                let kind = if equal { RepeatKind::Equal } else { RepeatKind::Differs };
                self.found.push(NumberedRepeat { entry: number, kind, other: first_number });
            }
        }
        modules
    }

    /// Modules, which are sorted, that come before the first line of their device.
    fn find_devices_later(&mut self, modules: &[(u64, u32)]) {
        // Most devices have no modules, and are passed over by a bit of their hash.
        let mut wanted = [0u64; WANTED_WORDS];
        let bit = |device: u64| ((device / 64) as usize % WANTED_WORDS, 1 << (device % 64));
        let groups = || modules.chunk_by(|one, other| one.0 == other.0);
        let mut devices: Vec<(u64, Option<u32>)> = groups().map(|group| (group[0].0, None)).collect();
        for (device, _) in &devices {
            let (word, bit) = bit(*device);
            wanted[word] |= bit;
        }
        for (number, entry) in self.part.numbered() {
            let (word, bit) = bit(entry.device);
            if wanted[word] & bit != 0
                && !entry.is(Entry::MODULE | Entry::NOT_CREATED)
                && let Ok(found) = devices.binary_search_by_key(&entry.device, |(device, _)| *device)
            {
                devices[found].1.get_or_insert(number);
            }
        }
        for (group, (_, device)) in groups().zip(devices) {
            let Some(other) = device else { continue };
            let before = group.iter().take_while(|(_, module)| *module < other);
            let kind = RepeatKind::DeviceLater;
            self.found.extend(before.map(|(_, module)| NumberedRepeat { entry: *module, kind, other }));
        }
    }

    /// Devices with too many modules, which are sorted.
    fn count_modules(&mut self, modules: &[(u64, u32)]) {
        let max = MODULES_MAX as usize;
        for group in modules.chunk_by(|one, other| one.0 == other.0).filter(|group| group.len() > max) {
            // A module that stands twice counts once.
            let mut keys: Vec<(u64, u32)> =
                group.iter().map(|(_, module)| (self.part.entry(*module).key, *module)).collect();
            keys.sort_unstable();
            keys.dedup_by_key(|(key, _)| *key);
            if keys.len() > max {
                keys.sort_unstable_by_key(|(_, module)| *module);
                let kind = RepeatKind::OneModuleTooMany;
                self.found.push(NumberedRepeat { entry: keys[max].1, kind, other: keys.len() as u32 });
            }
        }
    }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
