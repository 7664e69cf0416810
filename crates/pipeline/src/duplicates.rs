//! What takes all lines to see: ids that stand twice, modules before their devices, and how many modules a device has.
//!
//! Workers hash; the drain puts what they found into parts by a hash of the device, in the order of the input, and does
//! nothing else. At the end each part, small enough for a cache, is looked through by itself, on all threads. A line costs
//! [`Entry`], 56 bytes, and what is left over in the last block of each part, some MiB in all.

use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hubmill_device::MODULES_MAX;

/// One line: who it is about, what it is, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The hash of the id, or of both ids of a module.
    pub key: [u64; 2],
    /// The hash of the line.
    pub text: [u64; 2],
    /// The hash of the device's id.
    pub device: u64,
    /// The line's number, with [`Entry::MODULE`] and the others in the highest bits.
    pub line: u64,
    /// The offset of the line's first byte.
    pub byte: u64,
}

impl Entry {
    /// It is a module's line.
    pub const MODULE: u64 = 1 << 63;
    /// The mode neither creates nor keeps: deletes and twin updates.
    pub const NOT_CREATED: u64 = 1 << 62;
    /// The line has an error already.
    pub const INVALID: u64 = 1 << 61;

    fn number(&self) -> u64 {
        self.line & !(Self::MODULE | Self::NOT_CREATED | Self::INVALID)
    }

    fn is(&self, flag: u64) -> bool {
        self.line & flag != 0
    }
}

const _: () = assert!(size_of::<Entry>() <= 64, "what is promised for a line");

/// What was found about two lines or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Whether the line has an error already.
    pub invalid: bool,
}

/// By so many bits of the hash of a device lines are parted.
const PART_BITS: u32 = 10;
/// Entries of a block: a part grows by one.
const BLOCK_ENTRIES: usize = 64;

/// The entries of some of the devices, in the order of the input.
type Part = Vec<Vec<Entry>>;

/// All lines of a run.
#[derive(Debug, Default)]
pub struct Duplicates {
    parts: Vec<Part>,
}

impl Duplicates {
    /// Takes the entries of a batch, which start after line `lines_before`.
    pub fn add(&mut self, entries: &[Entry], lines_before: u64) {
        if self.parts.is_empty() && !entries.is_empty() {
            self.parts = (0..1 << PART_BITS).map(|_| Part::new()).collect();
        }
        for entry in entries {
            let part = &mut self.parts[(entry.device >> (64 - PART_BITS)) as usize];
            let block = match part.last_mut() {
                Some(block) if block.len() < BLOCK_ENTRIES => block,
                _ => {
                    part.push(Vec::with_capacity(BLOCK_ENTRIES));
                    part.last_mut().expect("one was just added")
                }
            };
            block.push(Entry { line: entry.line + lines_before, ..*entry });
        }
    }

    /// What there is to find, in the order of the lines. All room is given back.
    pub fn finish(self, threads: usize) -> Vec<Repeat> {
        let parts: Vec<Mutex<Part>> = self.parts.into_iter().map(Mutex::new).collect();
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::new());
        let work = || {
            let mut search = Search::default();
            while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                search.entries.clear();
                if let Ok(mut part) = part.lock() {
                    mem::take(&mut *part).iter().for_each(|block| search.entries.extend_from_slice(block));
                }
                search.run();
            }
            if let Ok(mut found) = found.lock() {
                found.append(&mut search.found);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads.clamp(1, parts.len().max(1)) {
                scope.spawn(work);
            }
            work();
        });
        let mut found = found.into_inner().unwrap_or_default();
        found.sort_unstable_by_key(|repeat: &Repeat| (repeat.line, repeat.kind as u8));
        found
    }
}

const FREE: u32 = u32::MAX;

/// Looks through parts. Keeps its buffers from part to part.
#[derive(Default)]
struct Search {
    entries: Vec<Entry>,
    /// Places for entries, by their hash.
    table: Vec<u32>,
    found: Vec<Repeat>,
}

impl Search {
    fn run(&mut self) {
        self.find_repeated();
        if self.entries.iter().any(|entry| entry.is(Entry::MODULE) && !entry.is(Entry::NOT_CREATED)) {
            self.look_at_modules();
        }
    }

    fn clear_table(&mut self) {
        self.table.clear();
        self.table.resize((self.entries.len() * 2).next_power_of_two(), FREE);
    }

    /// The place in the table of the first entry that is the same, or where it would be.
    fn place(&self, hash: u64, same: impl Fn(&Entry) -> bool) -> usize {
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        while self.table[place] != FREE && !same(&self.entries[self.table[place] as usize]) {
            place = (place + 1) & mask;
        }
        place
    }

    fn find_repeated(&mut self) {
        self.clear_table();
        for number in 0..self.entries.len() {
            let entry = self.entries[number];
            let place =
                self.place(entry.device ^ entry.key[1], |other| (other.key, other.device) == (entry.key, entry.device));
            if self.table[place] == FREE {
                self.table[place] = number as u32;
                continue;
            }
            let first = self.entries[self.table[place] as usize];
            let kind = if first.text == entry.text { RepeatKind::Equal } else { RepeatKind::Differs };
            self.add(&entry, kind, first.number());
        }
    }

    /// Modules that come before their device, and devices with too many.
    fn look_at_modules(&mut self) {
        // First what each device's first line is.
        self.clear_table();
        for number in 0..self.entries.len() {
            let entry = self.entries[number];
            if !entry.is(Entry::MODULE | Entry::NOT_CREATED) {
                let place = self.place(entry.device, |other| other.device == entry.device);
                if self.table[place] == FREE {
                    self.table[place] = number as u32;
                }
            }
        }
        let mut modules: Vec<Entry> = Vec::new();
        for number in 0..self.entries.len() {
            let entry = self.entries[number];
            if !entry.is(Entry::MODULE) || entry.is(Entry::NOT_CREATED) {
                continue;
            }
            let place = self.place(entry.device, |other| other.device == entry.device);
            if let Some(device) = self.entries.get(self.table[place] as usize).copied()
                && device.number() > entry.number()
            {
                self.add(&entry, RepeatKind::DeviceLater, device.number());
            }
            modules.push(entry);
        }
        self.count_modules(modules);
    }

    fn count_modules(&mut self, mut modules: Vec<Entry>) {
        modules.sort_unstable_by_key(|entry| (entry.device, entry.key, entry.number()));
        // A module that stands twice counts once.
        modules.dedup_by_key(|entry| entry.key);
        for group in modules.chunk_by_mut(|one, other| one.device == other.device) {
            let max = MODULES_MAX as usize;
            if group.len() > max {
                group.sort_unstable_by_key(Entry::number);
                self.add(&group[max].clone(), RepeatKind::OneModuleTooMany, group.len() as u64);
            }
        }
    }

    fn add(&mut self, entry: &Entry, kind: RepeatKind, other: u64) {
        let (line, byte, invalid) = (entry.number(), entry.byte, entry.is(Entry::INVALID));
        self.found.push(Repeat { line, byte, other, kind, invalid });
    }
}

#[cfg(test)]
mod tests {
    use super::{Duplicates, Entry, Repeat, RepeatKind};
    use crate::fingerprint::Fingerprints;

    fn entry(keys: &Fingerprints, line: u64, id: &str, module: Option<&str>, text: &str, flags: u64) -> Entry {
        let module = module.map(str::as_bytes);
        let module_flag = if module.is_some() { Entry::MODULE } else { 0 };
        Entry {
            key: keys.of_ids(id.as_bytes(), module),
            text: keys.of_line(text.as_bytes()),
            device: keys.of_device(id.as_bytes()),
            line: line | flags | module_flag,
            byte: line * 100,
        }
    }

    fn kinds(found: &[Repeat]) -> Vec<(u64, u64, RepeatKind)> {
        found.iter().map(|repeat| (repeat.line, repeat.other, repeat.kind)).collect()
    }

    #[test]
    fn repeated_ids_name_the_first_line_and_whether_the_lines_are_equal() {
        let keys = Fingerprints::new();
        let lines = [
            entry(&keys, 1, "a", None, "x", 0),
            entry(&keys, 2, "b", None, "x", 0),
            entry(&keys, 3, "a", None, "x", 0),
            entry(&keys, 4, "A", None, "x", 0),
            entry(&keys, 5, "a", Some("m"), "x", 0),
            entry(&keys, 6, "a", None, "y", Entry::INVALID),
            entry(&keys, 7, "a", Some("m"), "z", 0),
        ];
        for threads in [1, 3] {
            let mut duplicates = Duplicates::default();
            duplicates.add(&lines[..3], 10);
            duplicates.add(&lines[3..], 10);
            let found = duplicates.finish(threads);
            assert_eq!(
                kinds(&found),
                [(13, 11, RepeatKind::Equal), (16, 11, RepeatKind::Differs), (17, 15, RepeatKind::Differs)]
            );
            assert_eq!(found.iter().map(|repeat| repeat.invalid).collect::<Vec<_>>(), [false, true, false]);
            assert_eq!(found[0].byte, 300);
        }
        assert!(Duplicates::default().finish(2).is_empty());
    }

    #[test]
    fn modules_come_after_their_device_and_are_fifty_at_most() {
        let keys = Fingerprints::new();
        let mut lines = vec![
            entry(&keys, 1, "a", Some("m"), "1", 0),
            entry(&keys, 2, "a", None, "2", 0),
            entry(&keys, 3, "b", Some("m"), "3", Entry::NOT_CREATED),
            entry(&keys, 4, "b", None, "4", Entry::NOT_CREATED),
            entry(&keys, 5, "elsewhere", Some("m"), "5", 0),
        ];
        for number in 0..52 {
            lines.push(entry(&keys, 6 + number, "c", Some(&format!("m{}", number.min(50))), "6", 0));
            lines.push(entry(&keys, 100 + number, "d", Some(&format!("m{}", number.min(49))), "6", 0));
        }
        lines.sort_by_key(Entry::number);
        let mut duplicates = Duplicates::default();
        duplicates.add(&lines, 0);
        let found = kinds(&duplicates.finish(2));
        let modules: Vec<_> = found.iter().filter(|found| found.2 != RepeatKind::Equal).copied().collect();
        assert_eq!(modules, [(1, 2, RepeatKind::DeviceLater), (56, 51, RepeatKind::OneModuleTooMany)]);
    }

    #[test]
    fn many_lines_are_all_found() {
        let keys = Fingerprints::new();
        let lines: Vec<Entry> =
            (0..100_000).map(|line| entry(&keys, line + 1, &format!("d{}", line % 90_000), None, "x", 0)).collect();
        let mut duplicates = Duplicates::default();
        lines.chunks(777).for_each(|lines| duplicates.add(lines, 0));
        let found = duplicates.finish(2);
        assert_eq!(found.len(), 10_000);
        assert!(found.iter().enumerate().all(|(number, repeat)| repeat.line == 90_001 + number as u64));
        assert!(found.iter().all(|repeat| repeat.other + 90_000 == repeat.line));
    }
}
