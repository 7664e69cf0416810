//! What takes all lines to see: ids that stand twice, modules before their devices, and how many modules a device has.
//!
//! Workers hash; the drain puts what they found into parts by a hash of the device, in the order of the input, and does
//! nothing else. At the end each part, small enough for a cache, is looked through by itself, on all threads. A line costs
//! [`Entry`], 48 bytes, and what is left over in the last block of each part, some MiB in all.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use hubmill_device::MODULES_MAX;

/// One line: who it is about, what it is, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The hash of the device's id.
    pub device: u64,
    /// The rest of that hash, with that of the module's id where the line is about a module: with `device`, the 128 bits by
    /// which ids are told apart.
    pub key: u64,
    /// The hash of the line.
    pub text: [u64; 2],
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

    fn words(self) -> [u64; ENTRY_WORDS] {
        [self.device, self.key, self.text[0], self.text[1], self.line, self.byte]
    }

    fn from_words([device, key, text, more_text, line, byte]: [u64; ENTRY_WORDS]) -> Self {
        Self { device, key, text: [text, more_text], line, byte }
    }
}

const ENTRY_WORDS: usize = 6;

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
const PART_BITS: u32 = 8;
/// Entries of a block: a part grows by one.
const BLOCK_ENTRIES: usize = 64;
/// Entries of a slab, out of which blocks are taken. The system gives memory of this size as it is written to.
const SLAB_ENTRIES: usize = 256 * BLOCK_ENTRIES;

/// The entries of some of the devices, in the order of the input.
#[derive(Clone, Debug, Default)]
struct Part {
    /// The numbers of its blocks, in order.
    blocks: Vec<u32>,
    count: usize,
}

/// All lines of a run.
#[derive(Debug, Default)]
pub struct Duplicates {
    slabs: Vec<Vec<[u64; ENTRY_WORDS]>>,
    blocks_used: usize,
    parts: Vec<Part>,
    /// By part: where among all entries its next one goes. At the start of a block: to a new one.
    next: Vec<usize>,
}

impl Duplicates {
    /// Takes the entries of a batch, which start after line `lines_before`.
    pub fn add(&mut self, entries: &[Entry], lines_before: u64) {
        if self.parts.is_empty() && !entries.is_empty() {
            self.parts = vec![Part::default(); 1 << PART_BITS];
            self.next = vec![0; 1 << PART_BITS];
        }
        for entry in entries {
            let number = (entry.device >> (64 - PART_BITS)) as usize;
            let mut place = self.next[number];
            if place.is_multiple_of(BLOCK_ENTRIES) {
                place = self.new_block(number);
            }
            let entry = Entry { line: entry.line + lines_before, ..*entry };
            self.slabs[place / SLAB_ENTRIES][place % SLAB_ENTRIES] = entry.words();
            self.next[number] = place + 1;
        }
    }

    /// Gives a part a new block; the place of its first entry.
    #[inline(never)]
    fn new_block(&mut self, part: usize) -> usize {
        let place = self.blocks_used * BLOCK_ENTRIES;
        if place / SLAB_ENTRIES == self.slabs.len() {
            self.slabs.push(vec![[0; ENTRY_WORDS]; SLAB_ENTRIES]);
        }
        self.parts[part].blocks.push(self.blocks_used as u32);
        self.blocks_used += 1;
        place
    }

    fn block(&self, number: u32) -> &[[u64; ENTRY_WORDS]] {
        let place = number as usize * BLOCK_ENTRIES;
        &self.slabs[place / SLAB_ENTRIES][place % SLAB_ENTRIES..][..BLOCK_ENTRIES]
    }

    /// What there is to find, in the order of the lines. All room is given back.
    pub fn finish(mut self, threads: usize) -> Vec<Repeat> {
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
                Search { all: &self, part, table: &mut table, found: &mut in_parts }.run();
            }
            if let Ok(mut found) = found.lock() {
                found.append(&mut in_parts);
            }
        };
        let threads = threads.clamp(1, self.parts.len().max(1));
        on_threads(threads, |_| work());
        // What the entries had goes back to the system on all threads, too: page by page, that takes as long as the search.
        let slabs: Vec<_> = self.slabs.into_iter().map(|slab| Mutex::new(Some(slab))).collect();
        on_threads(threads, |thread| {
            for slab in slabs.iter().skip(thread).step_by(threads) {
                drop(slab.lock().map(|mut slab| slab.take()));
            }
        });
        let mut found = found.into_inner().unwrap_or_default();
        found.sort_unstable_by_key(|repeat: &Repeat| (repeat.line, repeat.kind as u8));
        found
    }
}

/// Runs `work` on so many threads, this one included; each is given its number.
fn on_threads(threads: usize, work: impl Fn(usize) + Sync) {
    let work = &work;
    std::thread::scope(|scope| {
        for thread in 1..threads {
            scope.spawn(move || work(thread));
        }
        work(0);
    });
}

/// A free place of a table.
const FREE: u64 = 0;

/// Looks through a part.
struct Search<'a> {
    all: &'a Duplicates,
    part: &'a Part,
    /// Places for entries by their hash: the upper half of that, and the entry's number, counted from 1.
    table: &'a mut Vec<u64>,
    found: &'a mut Vec<Repeat>,
}

impl Search<'_> {
    fn run(&mut self) {
        let any_module = self.find_repeated();
        if any_module {
            self.look_at_modules();
        }
    }

    fn entry(&self, number: usize) -> Entry {
        let block = self.all.block(self.part.blocks[number / BLOCK_ENTRIES]);
        Entry::from_words(block[number % BLOCK_ENTRIES])
    }

    fn clear_table(&mut self) {
        self.table.clear();
        self.table.resize((self.part.count * 2).next_power_of_two(), FREE);
    }

    /// The first entry in the table that has this hash and is the same; else puts the entry `number` there, if there is one.
    #[inline]
    fn meet(&mut self, hash: u64, number: Option<usize>, same: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let mask = self.table.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            match self.table[place] {
                FREE => {
                    if let Some(number) = number {
                        self.table[place] = hash >> 32 << 32 | (number as u64 + 1);
                    }
                    return None;
                }
                there if there >> 32 == hash >> 32 => {
                    let other = self.entry((there as u32 - 1) as usize);
                    if same(&other) {
                        return Some(other);
                    }
                }
                _ => {}
            }
            place = (place + 1) & mask;
        }
    }

    /// Finds ids that stand twice; whether there are modules to be looked at.
    fn find_repeated(&mut self) -> bool {
        self.clear_table();
        let mut any_module = false;
        let part = self.part;
        for (number, words) in part.blocks.iter().flat_map(|block| self.all.block(*block)).take(part.count).enumerate()
        {
            let entry = Entry::from_words(*words);
            any_module |= entry.is(Entry::MODULE) && !entry.is(Entry::NOT_CREATED);
            if let Some(first) = self.meet(entry.key, Some(number), |other| other.is_about_the_same(&entry)) {
                let kind = if first.text == entry.text { RepeatKind::Equal } else { RepeatKind::Differs };
                self.add(&entry, kind, first.number());
            }
        }
        any_module
    }

    /// Modules that come before their device, and devices with too many.
    fn look_at_modules(&mut self) {
        // First what each device's first line is.
        self.clear_table();
        let mut modules: Vec<Entry> = Vec::new();
        for number in 0..self.part.count {
            let entry = self.entry(number);
            if !entry.is(Entry::MODULE | Entry::NOT_CREATED) {
                self.meet(entry.device, Some(number), |other| other.device == entry.device);
            } else if !entry.is(Entry::NOT_CREATED) {
                modules.push(entry);
            }
        }
        for entry in &modules {
            if let Some(device) = self.meet(entry.device, None, |other| other.device == entry.device)
                && device.number() > entry.number()
            {
                self.add(entry, RepeatKind::DeviceLater, device.number());
            }
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
    use hubmill_parser::Level;

    use super::{Duplicates, Entry, Repeat, RepeatKind};
    use crate::fingerprint::Fingerprints;

    fn entry(keys: &Fingerprints, line: u64, id: &str, module: Option<&str>, text: &str, flags: u64) -> Entry {
        let module = module.map(str::as_bytes);
        let module_flag = if module.is_some() { Entry::MODULE } else { 0 };
        let [device, key] = keys.of_ids(id.as_bytes(), module);
        Entry { device, key, text: keys.of_line(text.as_bytes()), line: line | flags | module_flag, byte: line * 100 }
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
        lines.sort_by_key(Entry::number);
        let mut duplicates = Duplicates::default();
        duplicates.add(&lines, 0);
        let found = kinds(&duplicates.finish(2));
        let modules: Vec<_> = found.iter().filter(|found| found.2 != RepeatKind::Equal).copied().collect();
        assert_eq!(modules, [(1, 2, RepeatKind::DeviceLater), (56, 51, RepeatKind::OneModuleTooMany)]);
    }

    #[test]
    fn many_lines_are_all_found() {
        let keys = Fingerprints::new(Level::detect());
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
