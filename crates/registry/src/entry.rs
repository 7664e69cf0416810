//! One device or module of an export, as the index keeps it, and how its ids are found again.

use std::borrow::Cow;

use hubmill_parser::{Span, decode, string_text};
use hubmill_reader::Input;

use crate::equality::members;
use crate::error::Error;

/// The number of a device or module: its place in the export, counted from 0 over all that were indexed.
pub type Number = u32;

/// Stands for no device or module.
pub(crate) const NONE: Number = Number::MAX;

/// A device or module: where its line is in the file, and what is needed to find it. 40 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The offset of the line's first byte in the input.
    pub start: u64,
    pub(crate) hash: u64,
    /// The length of the line in bytes, without its line end.
    pub length: u32,
    /// Of a module: its device. Of a device: the first of its modules.
    pub(crate) link: Number,
    /// Of a module: the next one of its device.
    pub(crate) next: Number,
    /// Where what stands between the quotes of the ids is, from the start of the line.
    id: Place,
    module_id: Place,
    flags: u8,
}

const _: () = assert!(size_of::<Entry>() == 40, "what is promised for a device, with the table");

/// A short piece of a line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(Rust, packed)]
struct Place {
    at: u16,
    length: u8,
}

impl Place {
    /// `None` where it is too far into the line, or too long.
    fn of(span: Span, line_start: usize) -> Option<Self> {
        let at = (span.start as usize + 1).checked_sub(line_start)?;
        let length = (span.end - span.start).checked_sub(2)?;
        Some(Self { at: u16::try_from(at).ok()?, length: u8::try_from(length).ok()? })
    }
}

impl Entry {
    pub(crate) const MODULE: u8 = 1;
    pub(crate) const EDGE: u8 = 2;
    pub(crate) const CHILD: u8 = 4;
    pub(crate) const REPEATED: u8 = 8;
    /// A module of the hub itself (§1.7).
    pub(crate) const SYSTEM: u8 = 64;
    /// An id has an escape.
    const ESCAPED: u8 = 16;
    /// The ids are not where they could be noted.
    const FAR: u8 = 32;

    /// Of a line at `start` in its chunk, which is at `chunk_offset` in the input.
    pub(crate) fn new(
        (chunk, chunk_offset): (&[u8], u64),
        (start, length): (usize, usize),
        hash: u64,
        (id, module_id): (Span, Option<Span>),
        flags: u8,
    ) -> Self {
        let places =
            Place::of(id, start).zip(module_id.map_or(Some(Place::default()), |module_id| Place::of(module_id, start)));
        let escaped = |span: Span| span.of(chunk).contains(&b'\\');
        let mut flags = flags | if module_id.is_some() { Self::MODULE } else { 0 };
        if places.is_none() {
            flags |= Self::FAR;
        } else if escaped(id) || module_id.is_some_and(escaped) {
            flags |= Self::ESCAPED;
        }
        let (id, module_id) = places.unwrap_or_default();
        let start = chunk_offset + start as u64;
        Self { start, hash, length: length as u32, link: NONE, next: NONE, id, module_id, flags }
    }

    /// Of a line of which the ids are not known.
    pub(crate) fn without_ids(start: u64, length: usize) -> Self {
        let (id, module_id) = (Place::default(), Place::default());
        Self { start, hash: 0, length: length as u32, link: NONE, next: NONE, id, module_id, flags: 0 }
    }

    pub(crate) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8) {
        self.flags |= flag;
    }

    /// Whether it is a module.
    pub fn is_module(&self) -> bool {
        self.is(Self::MODULE)
    }

    /// Whether it is a module of the hub itself (§1.7).
    pub fn is_system_module(&self) -> bool {
        self.is(Self::SYSTEM)
    }

    /// Whether it is an edge device.
    pub fn is_edge(&self) -> bool {
        self.is(Self::EDGE)
    }

    /// Whether it has a scope that is another device's: an edge device's child (§3.7).
    pub fn is_child(&self) -> bool {
        self.is(Self::CHILD)
    }

    /// Whether a line before this one has the same ids. Such a line is in the file and not in the index: it is never found by
    /// its ids.
    pub fn is_repeated(&self) -> bool {
        self.is(Self::REPEATED)
    }

    /// Calls `look` with the decoded id and module id, as `input` has them.
    pub(crate) fn with_ids<R>(
        &self,
        input: &Input,
        room: &mut Vec<u8>,
        look: impl FnOnce(&[u8], Option<&[u8]>) -> R,
    ) -> Result<R, Error> {
        if self.is(Self::FAR) {
            return self.with_far_ids(input, room, look);
        }
        // Both ids are near each other as a rule: one piece of the line holds them.
        let places = [self.id, self.module_id];
        let count = if self.is_module() { 2 } else { 1 };
        let ends = places.map(|place| usize::from(place.at) + usize::from(place.length));
        let first = places[..count].iter().map(|place| usize::from(place.at)).min().unwrap_or(0);
        let last = ends[..count].iter().copied().max().unwrap_or(0);
        let bytes = input.bytes_at(self.start + first as u64, last - first, room)?;
        let text = |number: usize| {
            let raw = bytes.get(usize::from(places[number].at) - first..ends[number] - first).unwrap_or_default();
            if self.is(Self::ESCAPED) { decode(raw) } else { Cow::Borrowed(raw) }
        };
        let id = text(0);
        let module_id = self.is_module().then(|| text(1));
        Ok(look(&id, module_id.as_deref()))
    }

    #[cold]
    fn with_far_ids<R>(
        &self,
        input: &Input,
        room: &mut Vec<u8>,
        look: impl FnOnce(&[u8], Option<&[u8]>) -> R,
    ) -> Result<R, Error> {
        let line = input.bytes_at(self.start, self.length as usize, room)?;
        let text = |wanted: &[u8]| {
            let open = line.iter().position(|byte| *byte == b'{').unwrap_or(0);
            let found = members(&line[open..]).filter(|(name, _)| *decode(name) == *wanted).last();
            found.and_then(|(_, value)| string_text(value))
        };
        let id = text(b"id").unwrap_or_default();
        let module_id = if self.is_module() { text(b"moduleId") } else { None };
        Ok(look(&id, module_id.as_deref()))
    }

    /// Whether it has these ids, exactly.
    pub(crate) fn has_ids(
        &self,
        input: &Input,
        room: &mut Vec<u8>,
        id: &[u8],
        module_id: Option<&[u8]>,
    ) -> Result<bool, Error> {
        Ok(self.is_module() == module_id.is_some()
            && self.with_ids(input, room, |own, own_module| own == id && own_module == module_id)?)
    }

    /// The whole line, without its line end.
    pub(crate) fn line<'b>(&self, input: &'b Input, room: &'b mut Vec<u8>) -> Result<&'b [u8], Error> {
        Ok(input.bytes_at(self.start, self.length as usize, room)?)
    }
}
