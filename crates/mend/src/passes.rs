//! The entries of an export, a stretch at a time, as often as a command has to go through them.
//!
//! Each pass takes another kind of entry: edge devices come before their children, and devices before their modules, without
//! a line that waits for others in memory.

use std::sync::Arc;

use hubmill_device::{Code, Severity};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{DIAGNOSTICS_SHOWN_MAX, Diagnostic, Kind, Source, Tally, Work, shown};
use hubmill_reader::{Input, Watch};
use hubmill_registry::{Entry, Error, LineReader, Number, Registry};

use crate::line_room::LineRoom;
use crate::totals::Totals;

/// Entries that a worker takes at once.
const ENTRIES_EACH: Number = 1024;
/// Bytes of output that make a batch full.
const FULL_BYTES: usize = 1 << 20;
/// Room that a batch keeps, in bytes.
const ROOM_KEPT: usize = 2 << 20;
/// Findings that make a batch full, where all are kept.
const DIAGNOSTICS_MAX: usize = 2048;

/// Which entries a pass takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// The edge devices of the state that is wanted.
    Edge,
    /// Its other devices.
    Devices,
    /// Its modules.
    Modules,
    /// All entries of the other file: what has to go.
    Others,
}

impl Pass {
    fn takes(self, entry: &Entry) -> bool {
        !entry.is_repeated()
            && match self {
                Self::Edge => entry.is_edge() && !entry.is_module(),
                Self::Devices => !entry.is_edge() && !entry.is_module(),
                Self::Modules => entry.is_module(),
                Self::Others => true,
            }
    }
}

/// Entries that follow each other, in a pass.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// The pass.
    pub pass: Pass,
    first: Number,
    end: Number,
}

impl Stretch {
    /// How many entries it goes over.
    pub fn entries(self) -> u64 {
        u64::from(self.end - self.first)
    }
}

/// The kind of piece that is a stretch of entries.
#[derive(Clone, Copy, Debug)]
pub enum Stretches {}

impl Kind for Stretches {
    type Piece<'p> = Stretch;

    fn end(piece: Stretch) -> usize {
        (piece.end - piece.first) as usize
    }
}

/// Passes over entries.
#[derive(Clone, Debug)]
pub struct Passes<'a> {
    passes: Vec<(Pass, Number)>,
    inputs: Vec<&'a Input>,
}

impl<'a> Passes<'a> {
    /// Passes over the entries of `over`; whether the files of all of `files` are still there is asked before anything is drained.
    pub fn new(passes: &[Pass], over: &Registry, files: &[&'a Registry]) -> Self {
        let count = over.entries().len() as Number;
        Self {
            passes: passes.iter().map(|pass| (*pass, count)).collect(),
            inputs: files.iter().map(|file| file.input()).collect(),
        }
    }

    /// How many entries there are to go over, each pass counted.
    pub fn entries(&self) -> u64 {
        self.passes.iter().map(|(_, count)| u64::from(*count)).sum()
    }
}

impl Source for Passes<'_> {
    type Kind = Stretches;
    type Place = (usize, Number);
    type Held = Stretch;
    type Error = hubmill_reader::Error;

    fn start(&self) -> (usize, Number) {
        (0, 0)
    }

    fn held(&self) -> Stretch {
        Stretch { pass: Pass::Others, first: 0, end: 0 }
    }

    fn next(
        &self,
        (pass, next): &mut (usize, Number),
        held: &mut Stretch,
        _: &mut impl Watch,
    ) -> Result<bool, hubmill_reader::Error> {
        while let Some((kind, count)) = self.passes.get(*pass) {
            if *next < *count {
                let end = next.saturating_add(ENTRIES_EACH).min(*count);
                *held = Stretch { pass: *kind, first: std::mem::replace(next, end), end };
                return Ok(true);
            }
            (*pass, *next) = (*pass + 1, 0);
        }
        Ok(false)
    }

    fn piece(&self, held: &Stretch) -> Stretch {
        *held
    }

    fn check(&self) -> Result<(), hubmill_reader::Error> {
        self.inputs.iter().try_for_each(|input| input.check())
    }

    fn check_closely(&self) -> Result<(), hubmill_reader::Error> {
        self.inputs.iter().try_for_each(|input| input.check_length())
    }
}

/// What comes out of a stretch.
#[derive(Debug, Default)]
pub struct LinesBatch {
    /// Lines out.
    pub output: Vec<u8>,
    /// What they are.
    pub totals: Totals,
    /// Findings that may be shown.
    pub diagnostics: Vec<Diagnostic>,
    /// The codes of all findings; lines are not counted here.
    pub tally: Tally,
    /// A file could not be read on.
    pub error: Option<Arc<Error>>,
    all_diagnostics: bool,
}

impl LinesBatch {
    /// Counts a finding about a device or module, and keeps it where it will be shown.
    pub(crate) fn note(&mut self, code: Code, severity: Severity, ids: (&[u8], Option<&[u8]>), what: &str) {
        self.note_with(code, severity, ids, || what.to_owned());
    }

    /// As [`LinesBatch::note`], with words that are only made where they are shown.
    pub(crate) fn note_with(
        &mut self,
        code: Code,
        severity: Severity,
        ids: (&[u8], Option<&[u8]>),
        what: impl FnOnce() -> String,
    ) {
        if self.counts_to_be_shown(code, severity) {
            self.diagnostics.push(finding(code, severity, ids, &what()));
        }
    }

    /// The same about a member of a line, at this byte. The words are to name the file.
    pub(crate) fn note_at(
        &mut self,
        (file, byte): (&Registry, u64),
        path: &str,
        (code, severity): (Code, Severity),
        ids: (&[u8], Option<&[u8]>),
        what: impl FnOnce() -> String,
    ) {
        if self.counts_to_be_shown(code, severity) {
            // A file that can't be read any more ends the run by itself.
            let line = file.line_number(byte).unwrap_or(0);
            let found = finding(code, severity, ids, &what());
            self.diagnostics.push(Diagnostic { line, byte, path: path.to_owned(), ..found });
        }
    }

    fn counts_to_be_shown(&mut self, code: Code, severity: Severity) -> bool {
        let number = self.tally.count_finding(code, severity);
        self.all_diagnostics || number <= u64::from(DIAGNOSTICS_SHOWN_MAX)
    }
}

fn finding(code: Code, severity: Severity, (id, module): (&[u8], Option<&[u8]>), what: &str) -> Diagnostic {
    let id = shown(id);
    let name = match module {
        Some(module) => format!("the module {:?} of {id:?}", shown(module)),
        None => format!("the device {id:?}"),
    };
    let message = format!("{name} {what}");
    Diagnostic { id: Some(id), ..Diagnostic::of_the_whole(code, severity, message) }
}

/// What one thread needs to look at lines.
#[derive(Debug)]
pub struct LinesScratch {
    pub(crate) reader: LineReader,
    /// Rooms for lines of files that are not mapped, and for looking ids up.
    pub(crate) rooms: Rooms,
    /// The entry that is probably asked for next: files keep their order as a rule.
    pub(crate) next: Number,
    pub(crate) key: Vec<u8>,
    /// Lines of an import about one device or module, and about a module's device.
    pub(crate) lines: LineRoom,
    pub(crate) device_lines: LineRoom,
}

/// Room for lines.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    pub(crate) wanted: Vec<u8>,
    pub(crate) there: Vec<u8>,
    pub(crate) after: Vec<u8>,
    pub(crate) parent: Vec<u8>,
    pub(crate) ids: Vec<u8>,
}

/// What is done with one entry.
pub(crate) trait Step: Sync {
    /// The file whose entries a pass goes over.
    fn over(&self, pass: Pass) -> &Registry;

    /// Looks at one entry, and writes what there is to write.
    fn step(&self, scratch: &mut LinesScratch, pass: Pass, number: Number, batch: &mut LinesBatch)
    -> Result<(), Error>;
}

/// The work of a command that goes over entries.
#[derive(Debug)]
pub struct Steps<S> {
    pub(crate) step: S,
    /// How lines are read.
    pub(crate) reading: (Level, Limits),
    /// All findings are kept, not only the first of each code.
    pub(crate) all_diagnostics: bool,
}

#[allow(private_bounds, reason = "how a step is done is nobody else's business")]
impl<S: Step> Work<Stretches> for Steps<S> {
    type Scratch = LinesScratch;
    type Batch = LinesBatch;

    fn scratch(&self) -> LinesScratch {
        let (level, limits) = self.reading;
        LinesScratch {
            reader: LineReader::new(level, limits),
            rooms: Rooms::default(),
            next: 0,
            key: Vec::new(),
            lines: LineRoom::default(),
            device_lines: LineRoom::default(),
        }
    }

    fn batch(&self) -> LinesBatch {
        LinesBatch { all_diagnostics: self.all_diagnostics, ..LinesBatch::default() }
    }

    fn clear(&self, batch: &mut LinesBatch) {
        batch.output.clear();
        batch.output.shrink_to(ROOM_KEPT);
        batch.totals = Totals::default();
        batch.diagnostics.clear();
        batch.tally = Tally::default();
        batch.error = None;
    }

    fn work(&self, scratch: &mut LinesScratch, stretch: Stretch, from: usize, _: u64, batch: &mut LinesBatch) -> usize {
        let entries = self.step.over(stretch.pass).entries();
        for number in stretch.first + from as Number..stretch.end {
            if !stretch.pass.takes(&entries[number as usize]) {
                continue;
            }
            if let Err(error) = self.step.step(scratch, stretch.pass, number, batch) {
                batch.error = Some(Arc::new(error));
                break;
            }
            let full = batch.output.len() >= FULL_BYTES
                || (batch.all_diagnostics && batch.diagnostics.len() >= DIAGNOSTICS_MAX);
            if full {
                return (number + 1 - stretch.first) as usize;
            }
        }
        Stretches::end(stretch)
    }
}
