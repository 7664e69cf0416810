//! The registry as the import's lines change it: which line says what of each device and module.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use hubmill_reader::Input;

use crate::compare::View;
use crate::entry::{Entry, NONE, Number};
use crate::error::Error;
use crate::index::Registry;
use crate::line::Section;
use crate::places::LineReader;

/// Hashes that are hashes already.
#[derive(Default)]
pub(crate) struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

pub(crate) type ByHash<V> = HashMap<u64, V, BuildHasherDefault<Same>>;

/// Which line says something: the export's own, one of the import, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source(u32);

impl Source {
    /// The line of the export.
    pub(crate) const EXPORT: Self = Self(0);
    /// No line.
    pub(crate) const NOWHERE: Self = Self(u32::MAX);

    fn line(number: usize) -> Self {
        Self(number as u32 + 1)
    }
}

/// A device or module as it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Current {
    pub(crate) identity: Source,
    pub(crate) sections: [Source; 3],
    flags: u16,
    /// The risks that it is counted among, a bit each.
    risks: u8,
}

const _: () = assert!(size_of::<Current>() == 20, "what is promised for a device, with its entry and the table");

impl Current {
    /// It is not there.
    pub(crate) const GONE: u16 = 1;
    /// Whether it is there is not known.
    pub(crate) const MAYBE: u16 = 2;
    /// What it is like is not known.
    pub(crate) const UNSURE: u16 = 4;
    /// A line has written to it.
    pub(crate) const TOUCHED: u16 = 8;
    /// A line has made it; what the export has of it is history.
    pub(crate) const MADE: u16 = 16;
    /// A line of the import was about it.
    pub(crate) const SEEN: u16 = 32;
    /// The first line that was about it is among the assumed.
    pub(crate) const FIRST_ASSUMED: u16 = 64;
    /// It is an edge device now.
    pub(crate) const EDGE: u16 = 128;
    /// It is a child of one now.
    pub(crate) const CHILD: u16 = 256;
    /// A line has made it or deleted it: whether it is there rests on the order of lines.
    pub(crate) const MOVED: u16 = 512;

    fn of(entry: &Entry, identity: Source) -> Self {
        let mut current = Self { identity, sections: [identity; 3], flags: 0, risks: 0 };
        current.set_kind(entry);
        if entry.is_repeated() {
            current.set(Self::GONE);
        }
        current
    }

    #[inline]
    pub(crate) fn is(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    #[inline]
    pub(crate) fn set(&mut self, flag: u16) {
        self.flags |= flag;
    }

    #[inline]
    pub(crate) fn clear(&mut self, flag: u16) {
        self.flags &= !flag;
    }

    /// Counts it among a risk, by the number of that, unless it is counted already.
    pub(crate) fn count_once(&mut self, risk: u32, count: &mut u64) {
        let bit = 1 << risk;
        *count += u64::from(self.risks & bit == 0);
        self.risks |= bit;
    }

    /// Takes from a line whether it is an edge device or a child of one.
    pub(crate) fn set_kind(&mut self, entry: &Entry) {
        self.clear(Self::EDGE | Self::CHILD);
        self.set(if entry.is_edge() { Self::EDGE } else { 0 });
        self.set(if entry.is_child() { Self::CHILD } else { 0 });
    }
}

/// Where a line of the import is.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: u64,
    length: u32,
}

/// All devices and modules: those of the export by their numbers, and behind them those that lines were about and that the
/// export does not have.
#[derive(Debug)]
pub(crate) struct State<'r> {
    pub(crate) registry: &'r Registry,
    pub(crate) import: &'r Input,
    pub(crate) currents: Vec<Current>,
    /// Those that the export does not have.
    added: Vec<Entry>,
    /// The last of them by hash; the ones before it with the same hash follow by `next`.
    added_by_hash: ByHash<Number>,
    /// Modules that the export does not have, by the number of their device.
    added_modules: HashMap<Number, Vec<Number>>,
    /// Lines of the import that say something.
    lines: Vec<Place>,
}

/// Buffers for lines.
#[derive(Debug, Default)]
pub(crate) struct Rooms([Vec<u8>; 4]);

impl<'r> State<'r> {
    pub(crate) fn new(registry: &'r Registry, import: &'r Input) -> Self {
        let currents = registry.entries.iter().map(|entry| Current::of(entry, Source::EXPORT)).collect();
        Self {
            registry,
            import,
            currents,
            added: Vec::new(),
            added_by_hash: ByHash::default(),
            added_modules: HashMap::new(),
            lines: Vec::new(),
        }
    }

    pub(crate) fn entry(&self, number: Number) -> &Entry {
        let exported = &self.registry.entries;
        exported.get(number as usize).unwrap_or_else(|| &self.added[number as usize - exported.len()])
    }

    fn is_added(&self, number: Number) -> bool {
        number as usize >= self.registry.entries.len()
    }

    /// The input that an entry's ids are in.
    fn input_of(&self, number: Number) -> &'r Input {
        if self.is_added(number) { self.import } else { &self.registry.input }
    }

    /// Calls `look` with the decoded ids.
    pub(crate) fn with_ids<R>(
        &self,
        number: Number,
        room: &mut Vec<u8>,
        look: impl FnOnce(&[u8], Option<&[u8]>) -> R,
    ) -> Result<R, Error> {
        self.entry(number).with_ids(self.input_of(number), room, look)
    }

    /// One that the export does not have, by its ids.
    pub(crate) fn find_added(
        &self,
        hash: u64,
        room: &mut Vec<u8>,
        id: &[u8],
        module_id: Option<&[u8]>,
    ) -> Result<Option<Number>, Error> {
        let mut next = self.added_by_hash.get(&hash).copied().unwrap_or(NONE);
        while next != NONE {
            let entry = self.entry(next);
            if entry.has_ids(self.import, room, id, module_id)? {
                return Ok(Some(next));
            }
            next = entry.next;
        }
        Ok(None)
    }

    /// Whether any has this hash that the export does not have.
    pub(crate) fn may_have_added(&self, hash: u64) -> bool {
        self.added_by_hash.contains_key(&hash)
    }

    /// Takes one that the export does not have; it is not there yet.
    pub(crate) fn add(&mut self, entry: &Entry, device: Number) -> Result<Number, Error> {
        let number = self.currents.len();
        if number >= NONE as usize {
            return Err(Error::TooManyLines { input: self.import.name().to_owned(), max: u64::from(NONE) - 1 });
        }
        let number = number as Number;
        let before = self.added_by_hash.insert(entry.hash, number).unwrap_or(NONE);
        let mut added = *entry;
        (added.link, added.next) = (device, before);
        self.added.push(added);
        let mut current = Current::of(entry, Source::NOWHERE);
        current.set(Current::GONE);
        self.currents.push(current);
        if entry.is_module() && device != NONE {
            self.added_modules.entry(device).or_default().push(number);
        }
        Ok(number)
    }

    /// Notes a line of the import that says something.
    pub(crate) fn add_line(&mut self, entry: &Entry) -> Result<Source, Error> {
        if self.lines.len() >= NONE as usize - 1 {
            return Err(Error::TooManyLines { input: self.import.name().to_owned(), max: u64::from(NONE) - 1 });
        }
        self.lines.push(Place { start: entry.start, length: entry.length });
        Ok(Source::line(self.lines.len() - 1))
    }

    /// The modules of a device, those that are not there, too.
    pub(crate) fn modules_of(&self, device: Number) -> Vec<Number> {
        let exported = if self.is_added(device) { None } else { Some(self.registry.modules_of(device)) };
        let added = self.added_modules.get(&device).into_iter().flatten().copied();
        exported.into_iter().flatten().chain(added).collect()
    }

    fn line<'b>(&'b self, number: Number, source: Source, room: &'b mut Vec<u8>) -> Result<&'b [u8], Error> {
        if source == Source::EXPORT {
            return self.registry.line(number, room);
        }
        let place = self.lines[source.0 as usize - 1];
        Ok(self.import.bytes_at(place.start, place.length as usize, room)?)
    }

    /// Calls `look` with a device or module as it is; `None` where the lines can't be read any more.
    pub(crate) fn with_view<R>(
        &self,
        number: Number,
        reader: &mut LineReader,
        rooms: &mut Rooms,
        look: impl FnOnce(&View<'_>) -> R,
    ) -> Result<Option<R>, Error> {
        let current = &self.currents[number as usize];
        let [identity_room, section_rooms @ ..] = &mut rooms.0;
        let Some(identity) = reader.read(self.line(number, current.identity, identity_room)?) else {
            return Ok(None);
        };
        let mut sections = [None; 3];
        for ((section, source), room) in Section::ALL.into_iter().zip(current.sections).zip(section_rooms) {
            sections[section as usize] = match source {
                Source::NOWHERE => None,
                source if source == current.identity => identity.section(section),
                source => match reader.read(self.line(number, source, room)?) {
                    Some(line) => line.section(section),
                    None => return Ok(None),
                },
            };
        }
        let has_etags = !current.is(Current::TOUCHED | Current::UNSURE);
        let is_exported = current.identity == Source::EXPORT;
        Ok(Some(look(&View { identity, sections, is_exported, has_etags })))
    }

    /// The scope that the hub made for an edge device, where the export has it and it is still the same device.
    pub(crate) fn own_scope<'b>(
        &'b self,
        number: Number,
        reader: &mut LineReader,
        room: &'b mut Vec<u8>,
    ) -> Result<Option<&'b [u8]>, Error> {
        let current = &self.currents[number as usize];
        if self.is_added(number) || current.is(Current::MADE) || !self.entry(number).is_edge() {
            return Ok(None);
        }
        let line = reader.read(self.registry.line(number, room)?);
        Ok(line.and_then(|line| line.device_scope().and(line.value(hubmill_device::Member::DeviceScope))))
    }
}
