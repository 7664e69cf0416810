//! What a log says failed: each thing once, however often it stands there.
//!
//! Memory follows from the log's distinct entries. Of a quoted line only hashes are kept, 128 bits under keys that are fresh in
//! every run, so the keys of devices that such a line may hold are in no table.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use hubmill_device::{HubError, Remedy, TextKind, is_system_module, redacted};

use crate::fate::Failed;
use crate::quoted::trimmed;
use crate::read_log::{About, LogBatch};
use crate::retry::Selection;

/// How much of a code that is no number is kept, in characters.
const CODE_CHARACTERS_MAX: usize = 40;
/// What stands between a device's and a module's id in a key: a byte that no text holds.
const BETWEEN: u8 = 0xff;

/// An error code as the log has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LoggedCode {
    /// A number, or its digits in a string, or a name that stands for one.
    Number(u32),
    /// Anything else, fit to be shown.
    Other(String),
}

impl LoggedCode {
    /// Reads the spelling of a code.
    pub(crate) fn from_text(text: &[u8]) -> Self {
        let digits = std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok());
        match digits.or_else(|| HubError::from_name(text).map(|error| error.code)) {
            Some(number) => Self::Number(number),
            None => {
                let text = redacted(&String::from_utf8_lossy(text), TextKind::Free);
                Self::Other(text.chars().take(CODE_CHARACTERS_MAX).collect())
            }
        }
    }

    /// The number, where it is one.
    pub fn number(&self) -> Option<u32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Other(_) => None,
        }
    }

    /// What is known of it.
    pub fn known(&self) -> Option<&'static HubError> {
        match self {
            Self::Number(number) => HubError::of(*number),
            Self::Other(_) => None,
        }
    }

    /// The code with its name: `404001 DeviceNotFound`.
    pub fn text(&self) -> String {
        match (self, self.known()) {
            (Self::Number(number), Some(error)) => format!("{number} {}", error.name),
            (Self::Number(number), None) => number.to_string(),
            (Self::Other(text), _) => format!("{text:?}"),
        }
    }
}

/// A code of the log, and how much there is of it.
#[derive(Debug)]
pub struct Cause {
    /// The code.
    pub code: LoggedCode,
    /// Lines of the log, repeats included.
    pub log_lines: u64,
    /// Different entries.
    pub entries: u64,
    lines: AtomicU64,
}

impl Cause {
    /// Lines of the import that failed with it.
    pub fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }
}

/// One thing that failed.
#[derive(Debug)]
struct Entry {
    /// The code, by its number among the causes, and more of them.
    cause: u32,
    more: Vec<u32>,
    /// It names a device and no module, and so stands for all lines of the id.
    is_device: bool,
    log_line: u64,
    lines: AtomicU32,
    modules: AtomicU32,
}

/// An end that a quoted line may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct QuotedEnd {
    length: u32,
    hash: [u64; 2],
    entry: u32,
}

/// Hashes of texts, under keys of this run.
#[derive(Debug, Default)]
pub(crate) struct Hasher([RandomState; 2]);

impl Hasher {
    pub(crate) fn hash(&self, text: &[u8]) -> [u64; 2] {
        [self.0[0].hash_one(text), self.0[1].hash_one(text)]
    }
}

/// What is in the log and in no line of the import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// Its first line in the log, from 1.
    pub log_line: u64,
    /// The device, as it is in the log; of a quoted line where its id could be read. `None` where there is none.
    pub device: Option<Vec<u8>>,
    /// The module.
    pub module: Option<Vec<u8>>,
    /// The entry quotes a line and names no device.
    pub is_quoted: bool,
    /// Its first code, as text.
    pub code: String,
}

/// What a log says failed.
#[derive(Debug, Default)]
pub struct Failures {
    causes: Vec<Cause>,
    cause_numbers: HashMap<LoggedCode, u32>,
    /// By device, or by device, [`BETWEEN`] and module.
    named: HashMap<Box<[u8]>, u32>,
    has_modules: bool,
    /// By the hash of the whole status.
    quoted: HashMap<[u64; 2], u32>,
    quoted_ids: HashMap<u32, Box<[u8]>>,
    ends: Vec<QuotedEnd>,
    entries: Vec<Entry>,
    lines: u64,
    blank: u64,
    faults: u64,
}

/// What a line of the import is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The cause that says what becomes of it.
    pub(crate) cause: u32,
    /// What becomes of it.
    pub(crate) choice: Choice,
}

/// What becomes of a failed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    /// It was not asked for.
    NotSelected,
    /// Another import can't mend it.
    LeftOut,
    /// It is written.
    Written,
}

impl Failures {
    /// Adds what was read from a piece of the log, in order.
    pub fn add(&mut self, batch: &LogBatch) {
        for item in &batch.items {
            let cause = self.cause(LoggedCode::from_text(&batch.bytes[item.code.clone()]));
            self.causes[cause as usize].log_lines += 1;
            let log_line = self.lines + item.line;
            let next = self.entries.len() as u32;
            let number = match &item.about {
                About::Named { device, module } => {
                    let mut key = batch.bytes[device.clone()].to_vec();
                    if let Some(module) = module {
                        self.has_modules = true;
                        key.push(BETWEEN);
                        key.extend_from_slice(&batch.bytes[module.clone()]);
                    }
                    *self.named.entry(key.into_boxed_slice()).or_insert(next)
                }
                About::Quoted { status, ends, id } => {
                    let number = *self.quoted.entry(*status).or_insert(next);
                    if number == next {
                        let ends = batch.ends[ends.clone()].iter();
                        self.ends.extend(ends.map(|(length, hash)| QuotedEnd {
                            length: *length,
                            hash: *hash,
                            entry: next,
                        }));
                        if !id.is_empty() {
                            self.quoted_ids.insert(next, batch.bytes[id.clone()].into());
                        }
                    }
                    number
                }
            };
            if number == next {
                let is_device = matches!(item.about, About::Named { module: None, .. });
                let [lines, modules] = [0; 2].map(AtomicU32::new);
                self.entries.push(Entry { cause, more: Vec::new(), is_device, log_line, lines, modules });
                self.causes[cause as usize].entries += 1;
            } else {
                let entry = &mut self.entries[number as usize];
                if entry.cause != cause && !entry.more.contains(&cause) {
                    entry.more.push(cause);
                    self.causes[cause as usize].entries += 1;
                }
            }
        }
        self.lines += batch.lines;
        self.blank += batch.blank;
        self.faults += batch.faults.len() as u64;
    }

    fn cause(&mut self, code: LoggedCode) -> u32 {
        let next = self.causes.len() as u32;
        let number = *self.cause_numbers.entry(code.clone()).or_insert(next);
        if number == next {
            self.causes.push(Cause { code, log_lines: 0, entries: 0, lines: AtomicU64::new(0) });
        }
        number
    }

    /// Makes it ready to be looked in, after the last batch.
    pub fn finish(&mut self) {
        self.ends.sort_unstable();
        self.ends.shrink_to_fit();
        self.quoted = HashMap::new();
    }

    /// Lines of the log, those that could not be read and blank ones included.
    pub fn log_lines(&self) -> u64 {
        self.lines
    }

    /// Blank lines of the log.
    pub fn blank_lines(&self) -> u64 {
        self.blank
    }

    /// Lines of the log that could not be read.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// Different entries.
    pub fn entries(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The codes, by number; those that are no numbers last.
    pub fn causes(&self) -> Vec<&Cause> {
        let mut causes: Vec<&Cause> = self.causes.iter().collect();
        causes.sort_by_key(|cause| match &cause.code {
            LoggedCode::Number(number) => (*number, String::new()),
            LoggedCode::Other(text) => (u32::MAX, text.clone()),
        });
        causes
    }

    pub(crate) fn cause_of(&self, number: u32) -> &Cause {
        &self.causes[number as usize]
    }

    /// How many codes there are.
    pub(crate) fn cause_count(&self) -> usize {
        self.causes.len()
    }

    /// Entries without a module id that stand for more than one line: how many, their lines, and how many of these are
    /// modules'.
    pub fn widened(&self) -> (u64, u64, u64) {
        let several = |entry: &&Entry| entry.is_device && entry.lines.load(Ordering::Relaxed) > 1;
        self.entries.iter().filter(several).fold((0, 0, 0), |(entries, lines, modules), entry| {
            let of = |count: &AtomicU32| u64::from(count.load(Ordering::Relaxed));
            (entries + 1, lines + of(&entry.lines), modules + of(&entry.modules))
        })
    }

    /// Whether a line of the import failed, when all of them have been looked up once: what `undo` asks.
    pub(crate) fn certainty(
        &self,
        hasher: &Hasher,
        (device, module): (&[u8], Option<&[u8]>),
        line: &[u8],
        key: &mut Vec<u8>,
    ) -> Failed {
        if self.by_line(hasher, line).next().is_some() {
            return Failed::Yes;
        }
        let is_system = module.is_some_and(is_system_module);
        let of = |entry: &Entry| {
            let mut codes =
                std::iter::once(&entry.cause).chain(&entry.more).map(|cause| &self.causes[*cause as usize].code);
            let is_for_systems = codes.clone().all(|code| *code == LoggedCode::Number(HubError::SYSTEM_MODULE));
            // Which of the two the hub writes is not known (§5.6).
            let of_etags = [HubError::PRECONDITION_FAILED, HubError::ETAG_DOES_NOT_MATCH].map(LoggedCode::Number);
            let failed = if codes.any(|code| of_etags.contains(code)) { Failed::ByETag } else { Failed::Yes };
            match () {
                // It names the module.
                () if !entry.is_device => failed,
                () if is_for_systems => {
                    if is_system {
                        Failed::Yes
                    } else {
                        Failed::No
                    }
                }
                () if entry.lines.load(Ordering::Relaxed) > 1 => Failed::Maybe,
                () => failed,
            }
        };
        let entries = self.by_name(device, module, key).into_iter().flatten();
        entries.map(|number| of(&self.entries[number as usize])).max().unwrap_or(Failed::No)
    }

    fn by_name(&self, device: &[u8], module: Option<&[u8]>, key: &mut Vec<u8>) -> [Option<u32>; 2] {
        let all = self.named.get(device).copied();
        let one = module.filter(|_| self.has_modules).and_then(|module| {
            key.clear();
            key.extend_from_slice(device);
            key.push(BETWEEN);
            key.extend_from_slice(module);
            self.named.get(key.as_slice()).copied()
        });
        [all, one]
    }

    /// The entries that quote this line.
    fn by_line<'a>(&'a self, hasher: &Hasher, line: &[u8]) -> impl Iterator<Item = u32> + use<'a> {
        // The log holds text: bytes that are none have become the replacement character.
        let line = if self.ends.is_empty() { Cow::default() } else { String::from_utf8_lossy(trimmed(line)) };
        let length = line.len() as u32;
        let from = self.ends.partition_point(|end| end.length < length);
        let any = self.ends.get(from).is_some_and(|end| end.length == length);
        let hash = any.then(|| hasher.hash(line.as_bytes()));
        self.ends[from..]
            .iter()
            .take_while(move |end| any && end.length == length)
            .filter(move |end| Some(end.hash) == hash)
            .map(|end| end.entry)
    }

    /// What the log says of a line of the import, which is counted; `None` where it is not in the log.
    pub(crate) fn look_up(
        &self,
        hasher: &Hasher,
        ids: Option<(&[u8], Option<&[u8]>)>,
        line: &[u8],
        choices: &[Choice],
        key: &mut Vec<u8>,
    ) -> Option<Found> {
        let named = ids.map_or([None; 2], |(device, module)| self.by_name(device, module, key));
        let mut best: Option<Found> = None;
        for number in named.into_iter().flatten().chain(self.by_line(hasher, line)) {
            let entry = &self.entries[number as usize];
            entry.lines.fetch_add(1, Ordering::Relaxed);
            if ids.is_some_and(|(_, module)| module.is_some()) {
                entry.modules.fetch_add(1, Ordering::Relaxed);
            }
            for cause in std::iter::once(&entry.cause).chain(&entry.more) {
                self.causes[*cause as usize].lines.fetch_add(1, Ordering::Relaxed);
                let choice = choices[*cause as usize];
                if best.is_none_or(|best| choice > best.choice) {
                    best = Some(Found { cause: *cause, choice });
                }
            }
        }
        best
    }

    /// What is in the log and in no line that was looked up, in the log's order.
    pub fn unmatched(&self) -> Vec<Unmatched> {
        let mut keys: Vec<Option<&[u8]>> = vec![None; self.entries.len()];
        self.named.iter().for_each(|(key, number)| keys[*number as usize] = Some(key));
        let unmatched = |(number, (entry, key)): (u32, (&Entry, Option<&[u8]>))| {
            let mut parts = key.into_iter().flat_map(|key| key.splitn(2, |byte| *byte == BETWEEN));
            let quoted_id = self.quoted_ids.get(&number).map(|id| &**id);
            Unmatched {
                log_line: entry.log_line,
                device: parts.next().or(quoted_id).map(<[u8]>::to_vec),
                module: parts.next().map(<[u8]>::to_vec),
                is_quoted: key.is_none(),
                code: self.causes[entry.cause as usize].code.text(),
            }
        };
        let entries = (0..).zip(self.entries.iter().zip(keys));
        entries.filter(|(_, (entry, _))| entry.lines.load(Ordering::Relaxed) == 0).map(unmatched).collect()
    }
}

/// What is chosen by each code.
pub(crate) fn choices(failures: &Failures, selection: &Selection) -> Vec<Choice> {
    let by_default = selection.codes.is_empty();
    let choice = |code: &LoggedCode| {
        let named = code.number().is_some_and(|number| selection.codes.contains(&number));
        match code.known().map(|error| error.remedy) {
            _ if selection.all || named => Choice::Written,
            Some(Remedy::Individually | Remedy::LeaveOut) if by_default || selection.individually => Choice::LeftOut,
            _ if !by_default => Choice::NotSelected,
            _ => Choice::Written,
        }
    };
    failures.causes.iter().map(|cause| choice(&cause.code)).collect()
}
