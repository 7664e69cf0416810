//! What takes all lines to see: ids that stand twice, modules before their devices, and how many modules a device has.
//!
//! Workers hash; the drain puts what they found into parts by a hash of the device, in the order of the input, and does
//! nothing else. At the end each part, small enough for a cache, is looked through by itself, on all threads. A line costs
//! [`Entry`], 32 bytes, and 16 more where it can't be looked at again, and what is left over in the last block of each part, some
//! MiB in all.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hubmill_device::MODULES_MAX;

use crate::slabs::{BLOCK_ENTRIES, Slabs};

/// One line: who it is about, what it is, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The hash of the device's id.
    pub device: u64,
    /// The rest of that hash, with that of the module's id where the line is about a module: with `device`, the 128 bits by
    /// which ids are told apart.
    pub key: u64,
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

    /// Whether both are about the same device, or the same module.
    fn is_about_the_same(&self, other: &Self) -> bool {
        (self.device, self.key) == (other.device, other.key) && self.is(Self::MODULE) == other.is(Self::MODULE)
    }

    #[inline]
    fn to_bytes(self) -> [[u8; 8]; ENTRY_WORDS] {
        [self.device, self.key, self.line, self.byte].map(u64::to_ne_bytes)
    }

    #[inline]
    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let word = |number: usize| bytes.as_chunks().0.get(number).map_or(0, |word| u64::from_ne_bytes(*word));
        Self { device: word(0), key: word(1), line: word(2), byte: word(3) }
    }
}

const ENTRY_WORDS: usize = 4;
const ENTRY_BYTES: usize = ENTRY_WORDS * 8;

/// The hash of a line.
pub(crate) type TextHash = [u64; 2];
const TEXT_BYTES: usize = 16;

const _: () = assert!(ENTRY_BYTES + TEXT_BYTES <= 64, "what is promised for a line");

/// Lines of a batch, to be compared with all others. Reused.
#[derive(Debug, Default)]
pub struct Entries {
    pub(crate) entries: Vec<Entry>,
    /// The hash of each line, or nothing where lines can be looked at again.
    pub(crate) texts: Vec<TextHash>,
}

/// Room that a batch keeps, in entries.
const ENTRIES_KEPT: usize = 16 * 1024;

impl Entries {
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.entries.shrink_to(ENTRIES_KEPT);
        self.texts.clear();
        self.texts.shrink_to(ENTRIES_KEPT);
    }
}

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

/// The entries of some of the devices, in the order of the input.
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

    /// The hash of the line of the entry of this number in a part, where there are any.
    fn text(&self, part: &Part, number: usize) -> Option<&[u8; TEXT_BYTES]> {
        self.texts.get(part.place(number))
    }

    /// Gives a part a new block; the place of its first entry.
    #[inline(never)]
    fn new_block(&mut self, part: usize) -> usize {
        let place = self.blocks_used * BLOCK_ENTRIES;
        self.parts[part].blocks.push(self.blocks_used as u32);
        self.blocks_used += 1;
        place
    }

    /// The entries of a part, in the order of the lines.
    fn entries<'a>(&'a self, part: &'a Part) -> impl Iterator<Item = Entry> + use<'a> {
        let blocks = part.blocks.iter().flat_map(|block| self.entries.block(*block));
        blocks.take(part.count).map(Entry::from_bytes)
    }

    /// What there is to find, in the order of the lines. All room is given back.
    ///
    /// `are_equal` tells whether the lines at two offsets are equal; it is only asked where their hashes were not given.
    pub fn finish(mut self, threads: usize, are_equal: &(dyn Fn(u64, u64) -> bool + Sync)) -> Vec<Repeat> {
        for (part, next) in self.parts.iter_mut().zip(&self.next) {
            let in_last_block = (next + BLOCK_ENTRIES - 1) % BLOCK_ENTRIES + 1;
            part.count = part.blocks.len().saturating_sub(1) * BLOCK_ENTRIES + in_last_block;
            if part.blocks.is_empty() {
                part.count = 0;
            }
        }
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::new());
        let work = || {
            let (mut table, mut in_parts) = (Vec::new(), Vec::new());
            while let Some(part) = self.parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                Search { all: &self, part, are_equal, table: &mut table, found: &mut in_parts }.run();
            }
            if let Ok(mut found) = found.lock() {
                found.append(&mut in_parts);
            }
        };
        let threads = threads.clamp(1, self.parts.len().max(1));
        on_threads(threads, work);
        let mut found = found.into_inner().unwrap_or_default();
        found.sort_unstable_by_key(|repeat: &Repeat| (repeat.line, repeat.kind as u8));
        found
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

/// A free place of a table.
const FREE: u64 = 0;
/// Words of the bits that tell which devices have modules.
const WANTED_WORDS: usize = 64;

/// Looks through a part.
struct Search<'a> {
    all: &'a Duplicates,
    part: &'a Part,
    are_equal: &'a (dyn Fn(u64, u64) -> bool + Sync),
    /// Places for entries by their hash: the upper half of that, and the entry's number, counted from 1.
    table: &'a mut Vec<u64>,
    found: &'a mut Vec<Repeat>,
}

impl Search<'_> {
    fn run(&mut self) {
        let mut modules = self.find_repeated();
        if !modules.is_empty() {
            modules.sort_unstable_by_key(|entry| (entry.device, entry.key, entry.number()));
            self.find_devices_later(&modules);
            self.count_modules(modules);
        }
    }

    fn entry(&self, number: usize) -> Entry {
        Entry::from_bytes(self.all.entries.get(self.part.place(number)).expect("a part's entries are there"))
    }

    /// The first entry in the table that is about the same as the entry `number`; where there is none, that one goes there.
    #[inline]
    fn meet(&mut self, entry: &Entry, number: usize) -> Option<(usize, Entry)> {
        let hash = entry.key;
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            match self.table[place] {
                FREE => {
                    self.table[place] = hash >> 32 << 32 | (number as u64 + 1);
                    return None;
                }
                there if there >> 32 == hash >> 32 => {
                    let number = (there as u32 - 1) as usize;
                    let other = self.entry(number);
                    if other.is_about_the_same(entry) {
                        return Some((number, other));
                    }
                }
                _ => {}
            }
            place = (place + 1) & mask;
        }
    }

    /// Finds ids that stand twice; the modules that are there afterwards.
    fn find_repeated(&mut self) -> Vec<Entry> {
        self.table.clear();
        self.table.resize((self.part.count * 2).next_power_of_two(), FREE);
        let mut modules = Vec::new();
        for (number, entry) in self.all.entries(self.part).enumerate() {
            if entry.is(Entry::MODULE) && !entry.is(Entry::NOT_CREATED) {
                modules.push(entry);
            }
            if let Some((first_number, first)) = self.meet(&entry, number) {
                let texts = [first_number, number].map(|number| self.all.text(self.part, number));
                let equal =
                    if texts[0].is_some() { texts[0] == texts[1] } else { (self.are_equal)(first.byte, entry.byte) };
                let kind = if equal { RepeatKind::Equal } else { RepeatKind::Differs };
                self.add(&entry, kind, first.number());
            }
        }
        modules
    }

    /// Modules that come before the first line of their device.
    fn find_devices_later(&mut self, modules: &[Entry]) {
        // Most devices have no modules, and are passed over by a bit of their hash.
        let mut wanted = [0u64; WANTED_WORDS];
        let bit = |device: u64| ((device / 64) as usize % WANTED_WORDS, 1 << (device % 64));
        for module in modules {
            let (word, bit) = bit(module.device);
            wanted[word] |= bit;
        }
        let mut devices: Vec<(u64, u64)> = Vec::new();
        for entry in self.all.entries(self.part) {
            let (word, bit) = bit(entry.device);
            if wanted[word] & bit != 0 && !entry.is(Entry::MODULE | Entry::NOT_CREATED) {
                devices.push((entry.device, entry.number()));
            }
        }
        devices.sort_unstable();
        devices.dedup_by_key(|(device, _)| *device);
        for module in modules {
            if let Ok(found) = devices.binary_search_by_key(&module.device, |(device, _)| *device)
                && devices[found].1 > module.number()
            {
                self.add(module, RepeatKind::DeviceLater, devices[found].1);
            }
        }
    }

    /// Devices with too many modules, which are sorted.
    fn count_modules(&mut self, mut modules: Vec<Entry>) {
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
    use hubmill_parser::Level;

    use super::{Duplicates, Entries, Entry, Repeat, RepeatKind, TextHash};
    use crate::fingerprint::Fingerprints;

    type Line = (Entry, TextHash);

    fn entry(keys: &Fingerprints, line: u64, id: &str, module: Option<&str>, text: &str, flags: u64) -> Line {
        let module = module.map(str::as_bytes);
        let module_flag = if module.is_some() { Entry::MODULE } else { 0 };
        let [device, key] = keys.of_ids(id.as_bytes(), module);
        (Entry { device, key, line: line | flags | module_flag, byte: line * 100 }, keys.of_line(text.as_bytes()))
    }

    fn add(duplicates: &mut Duplicates, lines: &[Line], lines_before: u64, hashed: bool) {
        let (entries, mut texts): (Vec<_>, Vec<_>) = lines.iter().copied().unzip();
        if !hashed {
            texts.clear();
        }
        duplicates.add(&Entries { entries, texts }, lines_before);
    }

    fn kinds(found: &[Repeat]) -> Vec<(u64, u64, RepeatKind)> {
        found.iter().map(|repeat| (repeat.line, repeat.other, repeat.kind)).collect()
    }

    #[test]
    fn repeated_ids_name_the_first_line_and_whether_the_lines_are_equal() {
        let keys = Fingerprints::new(Level::detect());
        let lines = [
            entry(&keys, 1, "a", None, "x", 0),
            entry(&keys, 2, "b", None, "x", 0),
            entry(&keys, 3, "a", None, "x", 0),
            entry(&keys, 4, "A", None, "x", 0),
            entry(&keys, 5, "a", Some("m"), "x", 0),
            entry(&keys, 6, "a", None, "y", Entry::INVALID),
            entry(&keys, 7, "a", Some("m"), "z", 0),
        ];
        let text = |byte: u64| lines.iter().find(|(entry, _)| entry.byte == byte).expect("a line").1;
        for (threads, hashed) in [(1, true), (3, true), (1, false), (3, false)] {
            let mut duplicates = Duplicates::default();
            add(&mut duplicates, &lines[..3], 10, hashed);
            add(&mut duplicates, &lines[3..], 10, hashed);
            let found = duplicates.finish(threads, &|one, other| !hashed && text(one) == text(other));
            assert_eq!(
                kinds(&found),
                [(13, 11, RepeatKind::Equal), (16, 11, RepeatKind::Differs), (17, 15, RepeatKind::Differs)]
            );
            assert_eq!(found.iter().map(|repeat| repeat.invalid).collect::<Vec<_>>(), [false, true, false]);
            assert_eq!(found[0].byte, 300);
        }
        assert!(Duplicates::default().finish(2, &|_, _| true).is_empty());
    }

    #[test]
    fn modules_come_after_their_device_and_are_fifty_at_most() {
        let keys = Fingerprints::new(Level::detect());
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
        lines.sort_by_key(|(entry, _)| entry.number());
        let mut duplicates = Duplicates::default();
        add(&mut duplicates, &lines, 0, true);
        let found = kinds(&duplicates.finish(2, &|_, _| false));
        let modules: Vec<_> = found.iter().filter(|found| found.2 != RepeatKind::Equal).copied().collect();
        assert_eq!(modules, [(1, 2, RepeatKind::DeviceLater), (56, 51, RepeatKind::OneModuleTooMany)]);
    }

    #[test]
    fn many_lines_are_all_found() {
        let keys = Fingerprints::new(Level::detect());
        let lines: Vec<Line> =
            (0..400_000).map(|line| entry(&keys, line + 1, &format!("d{}", line % 390_000), None, "x", 0)).collect();
        let mut duplicates = Duplicates::default();
        lines.chunks(777).for_each(|lines| add(&mut duplicates, lines, 0, true));
        let found = duplicates.finish(2, &|_, _| false);
        assert!(found.iter().all(|repeat| repeat.kind == RepeatKind::Equal));
        assert_eq!(found.len(), 10_000);
        assert!(found.iter().enumerate().all(|(number, repeat)| repeat.line == 390_001 + number as u64));
        assert!(found.iter().all(|repeat| repeat.other + 390_000 == repeat.line));
    }
}
