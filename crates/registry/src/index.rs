//! The index of an export.

use hubmill_parser::{Level, Limits};
use hubmill_pipeline::Options;
use hubmill_reader::{Input, MmapChoice};

use crate::build::build;
use crate::entry::{Entry, NONE, Number};
use crate::error::Error;
use crate::keys::{Keys, Table};

/// How files are read and indexed.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// Threads, and sizes of chunks.
    pub options: Options,
    /// What a line may be.
    pub limits: Limits,
    /// What the CPU can do.
    pub level: Level,
    /// How a stream is read, once it is in a temporary file.
    pub mmap: MmapChoice,
}

/// What is in an export.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines.
    pub lines: u64,
    /// Devices in the index.
    pub devices: u64,
    /// Modules in the index.
    pub modules: u64,
    /// Those of the devices that are edge devices.
    pub edge: u64,
    /// Lines whose ids an earlier line has, too. They are not in the index.
    pub repeated: u64,
    /// Those of the modules whose device is not in the export.
    pub orphans: u64,
    /// Lines that are no device and no module. They are not in the index.
    pub invalid: u64,
    /// Those of them that the hub may read all the same (§1.5): a name twice, an id's name in another case, longer or deeper than is
    /// read here.
    pub ambiguous: u64,
    /// The hub's plain-text line (§1.6).
    pub notices: u64,
    /// The text of that, fit to be shown.
    pub notice: Option<String>,
    /// Blank lines.
    pub blank: u64,
    /// Lines with an `importMode`, which no export has: the file may be an import.
    pub with_mode: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A line of an export that is no device and no module, or whose ids stand in an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// The line, counted from 1.
    pub line: u64,
    /// The offset of the fault's first byte.
    pub byte: u64,
    /// What is wrong, fit to be shown.
    pub message: String,
}

/// The devices and modules of an export, to be found by their ids.
///
/// The file is mapped or opened as long as this lives, and lines are looked up in it: what is kept of a device is 40 bytes and
/// 8 to 16 bytes of a table. Nothing is taken from a hash alone: where hashes are equal, ids are compared in the file.
///
/// A line whose ids an earlier line has is kept among the [`entries`](Self::entries), and not found by its ids.
#[derive(Debug)]
pub struct Registry {
    pub(crate) input: Input,
    pub(crate) entries: Vec<Entry>,
    pub(crate) table: Table,
    pub(crate) keys: Keys,
    pub(crate) counts: Counts,
    pub(crate) first_invalid: Option<Oddity>,
    pub(crate) first_ambiguous: Option<Oddity>,
    /// Offsets in the file, each with how many lines start before it.
    pub(crate) line_counts: Vec<(u64, u64)>,
}

impl Registry {
    /// Reads and indexes an export, on all threads. `progress` is told of bytes that are done.
    ///
    /// A stream is copied into a temporary file first. Blank lines, a byte order mark, the hub's notice, `\r` before `\n` and
    /// a last line without `\n` are as anywhere; lines that are no device, and ids that stand twice, are
    /// [counted](Self::counts) and left out of the index. Where ids stand twice, the first line counts.
    ///
    /// # Errors
    /// Where the input can't be read, or holds more than 2^32 - 2 devices and modules.
    pub fn build(input: Input, how: &How, progress: impl FnMut(u64) + Send) -> Result<Self, Error> {
        build(input.spooled(how.mmap)?, how, progress)
    }

    /// What is in it.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The first line that is no device and no module.
    pub fn first_invalid(&self) -> Option<&Oddity> {
        self.first_invalid.as_ref()
    }

    /// The first of the lines that are no device and no module which the hub may read all the same.
    pub fn first_ambiguous(&self) -> Option<&Oddity> {
        self.first_ambiguous.as_ref()
    }

    /// The number of the line that has this offset in it, counted from 1.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn line_number(&self, at: u64) -> Result<u64, Error> {
        let after = self.line_counts.partition_point(|(offset, _)| *offset <= at);
        let (offset, lines) = after.checked_sub(1).map_or((0, 0), |before| self.line_counts[before]);
        let mut room = Vec::new();
        let bytes = self.input.bytes_at(offset, (at - offset) as usize, &mut room)?;
        Ok(lines + memchr::memchr_iter(b'\n', bytes).count() as u64 + 1)
    }

    /// The export.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// How much memory the index takes besides the file, in bytes.
    pub fn memory(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>() + self.table.bytes()
    }

    /// All devices and modules in the order of the file, by their number; those, too, whose ids an earlier line has.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The device of this id, or the module of these ids. `room` is used where the file is not mapped.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn find(&self, id: &[u8], module_id: Option<&[u8]>, room: &mut Vec<u8>) -> Result<Option<Number>, Error> {
        self.find_hash(self.keys.hash(id, module_id), id, module_id, room)
    }

    /// As [`find`](Self::find), for many lookups in much the order of the file: `next` is the number after the one that was found
    /// last, and looked at first.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn find_next(
        &self,
        next: &mut Number,
        (id, module_id): (&[u8], Option<&[u8]>),
        room: &mut Vec<u8>,
    ) -> Result<Option<Number>, Error> {
        let is_next = match self.entries.get(*next as usize) {
            Some(entry) => !entry.is_repeated() && entry.has_ids(&self.input, room, id, module_id)?,
            None => false,
        };
        let found = if is_next { Some(*next) } else { self.find(id, module_id, room)? };
        if let Some(found) = found {
            *next = found + 1;
        }
        Ok(found)
    }

    #[inline]
    pub(crate) fn find_hash(
        &self,
        hash: u64,
        id: &[u8],
        module_id: Option<&[u8]>,
        room: &mut Vec<u8>,
    ) -> Result<Option<Number>, Error> {
        for number in self.table.candidates(hash) {
            let entry = &self.entries[number as usize];
            if entry.hash == hash && entry.has_ids(&self.input, room, id, module_id)? {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    /// The line of a device or module, without its line end: of the map, or read into `room`.
    ///
    /// # Errors
    /// Where the file can't be read.
    ///
    /// # Panics
    /// Where there is none of this number.
    pub fn line<'b>(&'b self, number: Number, room: &'b mut Vec<u8>) -> Result<&'b [u8], Error> {
        self.entries[number as usize].line(&self.input, room)
    }

    /// The decoded ids of a device or module.
    ///
    /// # Errors
    /// Where the file can't be read.
    ///
    /// # Panics
    /// Where there is none of this number.
    pub fn ids(&self, number: Number, room: &mut Vec<u8>) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
        let owned = |id: &[u8], module_id: Option<&[u8]>| (id.to_vec(), module_id.map(<[u8]>::to_vec));
        self.entries[number as usize].with_ids(&self.input, room, owned)
    }

    /// The device of a module; `None` where the export does not have it.
    pub fn device_of(&self, module: Number) -> Option<Number> {
        let entry = &self.entries[module as usize];
        (entry.is_module() && entry.link != NONE).then_some(entry.link)
    }

    /// The modules of a device, in the order of the file.
    pub fn modules_of(&self, device: Number) -> impl Iterator<Item = Number> {
        let entry = &self.entries[device as usize];
        let mut next = if entry.is_module() { NONE } else { entry.link };
        std::iter::from_fn(move || {
            let module = (next != NONE).then_some(next)?;
            next = self.entries[module as usize].next;
            Some(module)
        })
    }
}
