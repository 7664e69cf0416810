//! Lines applied one after the other, in the order of the file: what each comes to, and what the registry is then.
//!
//! This part is not parallel, and does little: what a line says, and how it compares with the export, was worked out by the
//! workers. Only a line about something that an earlier line has written to is compared anew.

mod assumed;
mod changes;
mod risks;
mod room;

use std::collections::HashMap;

use hubmill_device::ImportMode;
use hubmill_pipeline::{Drain, Flow, Piece};

use self::assumed::Wanting;
use self::changes::makes;
use self::room::Modules;
use crate::compare::{Comparison, compare, describe};
use crate::decide::{Deed, Existence, Match, decide};
use crate::entry::{NONE, Number};
use crate::error::Error;
use crate::outcome::{Doubt, Failure, Outcome};
use crate::places::LineReader;
use crate::state::{ByHash, Current, Rooms, State};
use crate::step::{Asks, SEPARATOR, Step, Steps};
use crate::summary::Summary;
use crate::witness::{Event, Witness};

/// Applies lines.
pub(crate) struct Applying<'r, W> {
    pub(crate) state: State<'r>,
    pub(crate) summary: Summary,
    witness: W,
    /// Devices and modules that the hub takes.
    quota: Option<u64>,
    /// How many devices and modules there are at least, and at most.
    present: (u64, u64),
    /// How many are not there and would be in another order of lines: they were deleted, or failed for want of room or of their
    /// device.
    absent: u64,
    /// What was made while there was room in any order, to be looked at once there is none.
    made_by_quota: Option<Vec<Number>>,
    /// Lines about what is not in the export and that no line has made. All that a line was about has a count here.
    wanting: Wanting,
    /// Modules' lines that failed for want of their device.
    wanting_device: Wanting,
    /// How many of these would make a module, by the hash of the device.
    waiting: ByHash<u64>,
    /// Modules of devices, where they had to be counted.
    modules: HashMap<Number, Modules>,
    /// By number, where that is asked for: the first line about it, while it is not known whether that rests on an assumption.
    firsts: Vec<u64>,
    pub(crate) deleted_edges: Vec<Number>,
    reader: LineReader,
    own_reader: LineReader,
    rooms: Rooms,
    id_room: Vec<u8>,
    other_room: Vec<u8>,
}

/// What was made of a line.
struct Done {
    outcome: Outcome,
    /// It rests on an assumption.
    assumed: bool,
    /// Modules that went with a device.
    modules: u64,
    /// What changes, where that could not be worked out before.
    changes: Option<Vec<String>>,
}

impl From<Outcome> for Done {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, assumed: false, modules: 0, changes: None }
    }
}

/// What a line is about.
#[derive(Clone, Copy)]
struct About {
    /// Itself, where it is known.
    number: Option<Number>,
    /// For a module: its device.
    device: Option<Number>,
}

/// The line of a step.
fn bytes_of<'p>(step: &Step, piece: Piece<'p>) -> &'p [u8] {
    let start = (step.entry.start - piece.offset) as usize;
    piece.bytes.get(start..start + step.entry.length as usize).unwrap_or_default()
}

impl<'r, W: Witness> Applying<'r, W> {
    pub(crate) fn new(state: State<'r>, readers: [LineReader; 2], quota: Option<u64>, witness: W) -> Self {
        let counts = state.registry.counts();
        let mut summary = Summary { devices: (counts.devices, counts.devices), ..Summary::default() };
        summary.modules = (counts.modules, counts.modules);
        let present = counts.devices + counts.modules;
        let [reader, own_reader] = readers;
        Self {
            state,
            summary,
            witness,
            quota,
            present: (present, present),
            absent: 0,
            made_by_quota: quota.map(|_| Vec::new()),
            wanting: Wanting::default(),
            wanting_device: Wanting::default(),
            waiting: ByHash::default(),
            modules: HashMap::new(),
            firsts: Vec::new(),
            deleted_edges: Vec::new(),
            reader,
            own_reader,
            rooms: Rooms::default(),
            id_room: Vec::new(),
            other_room: Vec::new(),
        }
    }

    /// What all lines came to, the registry as it is after them, and the edge devices that have gone.
    pub(crate) fn finish(mut self) -> (Summary, State<'r>, Vec<Number>, W) {
        let now = self.summary.devices.1 + self.summary.modules.1;
        // Nothing is made past the quota, whatever became of which line.
        let at_most = self.quota.map_or(self.present.1, |quota| self.present.1.min(quota));
        self.summary.uncertain = (at_most.saturating_sub(now), now.saturating_sub(self.present.0));
        (self.summary, self.state, self.deleted_edges, self.witness)
    }

    /// Takes a line.
    fn take(&mut self, step: &Step, piece: Piece<'_>, batch: &Steps) -> Result<(), Error> {
        let line = self.summary.lines + step.line;
        let done = self.apply(step, piece, line)?;
        let is_module = step.entry.is_module();
        self.summary.count(done.outcome, is_module);
        self.summary.assumed += u64::from(done.assumed);
        if !self.witness.wants(done.outcome) {
            return Ok(());
        }
        let bytes = bytes_of(step, piece);
        let text = batch.text(step);
        let is_change = matches!(done.outcome, Outcome::Updated | Outcome::TwinUpdated);
        let changes: Vec<&str> = match &done.changes {
            _ if !is_change || !self.witness.wants_changes() => Vec::new(),
            Some(changes) => changes.iter().map(String::as_str).collect(),
            None => text.split(SEPARATOR).filter(|change| !change.is_empty()).collect(),
        };
        let is_verdict = !matches!(step.asks, Asks::ForIts(_));
        let event = Event {
            line,
            ids: None,
            outcome: done.outcome,
            assumed: done.assumed,
            modules: done.modules,
            reason: if is_verdict { text } else { "" },
            changes: &changes,
            bytes,
        };
        if !step.has_ids {
            return self.witness.see(&event).map_err(Error::Output);
        }
        let witness = &mut self.witness;
        let see = |id: &[u8], module_id: Option<&[u8]>| witness.see(&Event { ids: Some((id, module_id)), ..event });
        step.entry.with_ids(self.state.import, &mut self.id_room, see)?.map_err(Error::Output)
    }

    /// Finds out what a line is about.
    fn about(&mut self, step: &Step) -> Result<About, Error> {
        let known = |number: Number| (number != NONE).then_some(number);
        let mut about = About { number: known(step.target), device: known(step.device) };
        let is_module = step.entry.is_module();
        let state = &self.state;
        if about.number.is_none() && state.may_have_added(step.entry.hash) {
            let room = &mut self.other_room;
            about.number = step.entry.with_ids(state.import, &mut self.id_room, |id, module_id| {
                state.find_added(step.entry.hash, room, id, module_id)
            })??;
        }
        if is_module && about.device.is_none() && state.may_have_added(step.device_hash) {
            let room = &mut self.other_room;
            about.device = step.entry.with_ids(state.import, &mut self.id_room, |id, _| {
                state.find_added(step.device_hash, room, id, None)
            })??;
        }
        Ok(about)
    }

    /// Applies a line.
    fn apply(&mut self, step: &Step, piece: Piece<'_>, line: u64) -> Result<Done, Error> {
        match step.asks {
            Asks::Fails(failure) => return Ok(Outcome::Fails(failure).into()),
            Asks::IsNotKnown(doubt, mode) if !step.has_ids => {
                // Whatever the hub reads in it, it may be a delete.
                self.summary.risks.maybe_deleted += u64::from(mode.is_none_or(ImportMode::is_delete));
                return Ok(Outcome::NotKnown(doubt).into());
            }
            _ => {}
        }
        let mut about = self.about(step)?;
        let was_known = about.number.is_some();
        let was_seen = match about.number {
            Some(number) => self.state.currents[number as usize].is(Current::SEEN),
            None => self.wanting.counts.contains_key(&step.entry.hash),
        };
        self.summary.repeated += u64::from(was_seen);
        let mut done = match step.asks {
            Asks::ForIts(mode) => self.apply_known(step, piece, &mut about, mode, line)?,
            Asks::IsNotKnown(doubt, mode) => self.leave_open(step, &mut about, mode, doubt)?,
            Asks::Fails(failure) => Outcome::Fails(failure).into(),
        };
        let is_known = !matches!(done.outcome, Outcome::NotKnown(_));
        if about.number.is_some() && !was_known {
            self.assume_wanting(step);
        }
        self.assume_made_if_tight();
        done.assumed |= done.outcome == Outcome::Created && self.is_tight();
        if let Some(number) = about.number {
            done.assumed |= was_seen;
            if was_seen && was_known {
                self.assume_first(number);
            } else {
                let current = &mut self.state.currents[number as usize];
                current.set(Current::SEEN);
                if done.assumed || !is_known {
                    current.set(Current::FIRST_ASSUMED);
                } else {
                    self.keep_first(number, line);
                }
            }
        } else {
            self.wanting.counts.entry(step.entry.hash).or_default();
        }
        // What is not known rests on nothing.
        done.assumed &= is_known;
        Ok(done)
    }

    fn apply_known(
        &mut self,
        step: &Step,
        piece: Piece<'_>,
        about: &mut About,
        mode: ImportMode,
        line: u64,
    ) -> Result<Done, Error> {
        let mut rests_on_order = false;
        if step.entry.is_module() {
            match about.device.map(|device| (device, self.state.currents[device as usize])) {
                Some((_, device)) if device.is(Current::MAYBE) => {
                    return self.leave_open(step, about, Some(mode), Doubt::Earlier);
                }
                Some((_, device)) if !device.is(Current::GONE) => rests_on_order = device.is(Current::MOVED),
                missing => {
                    let assumed = missing.is_some_and(|(_, device)| device.is(Current::MOVED));
                    let own = about.number.map(|number| &mut self.state.currents[number as usize]);
                    if !assumed && !own.as_ref().is_some_and(|own| own.is(Current::SEEN)) {
                        // A module that an export has without its device is not to be counted by its number, too.
                        own.into_iter().for_each(|own| own.set(Current::FIRST_ASSUMED));
                        self.wanting_device.add(step.device_hash, line, self.witness.wants_changes());
                        if makes(mode) {
                            *self.waiting.entry(step.device_hash).or_default() += 1;
                        }
                    }
                    if assumed && makes(mode) {
                        self.note_absent(step, about)?;
                    }
                    return Ok(Done { assumed, ..Outcome::Fails(Failure::DeviceMissing).into() });
                }
            }
        }
        let current = about.number.map(|number| self.state.currents[number as usize]);
        let existence = match current {
            Some(current) if current.is(Current::MAYBE) => Existence::NotKnown,
            Some(current) if !current.is(Current::GONE) => Existence::There,
            _ => Existence::Missing,
        };
        let (mut comparison, mut changes) = (None, None);
        if let (Existence::There, Some(number)) = (existence, about.number)
            && !matches!(mode, ImportMode::Create | ImportMode::Delete)
        {
            (comparison, changes) = self.comparison(step, piece, number, mode)?;
        }
        let [etag, twin_etag] = match &comparison {
            Some(comparison) => [comparison.etag, comparison.twin_etag],
            None => step.has_etags.map(|has| if has { Match::NotKnown } else { Match::Absent }),
        };
        let failures = if step.entry.is_module() {
            (Failure::ModuleMissing, Failure::ModuleExists)
        } else {
            (Failure::DeviceMissing, Failure::DeviceExists)
        };
        let deed = decide(mode, existence, etag, twin_etag, failures);
        let mut done: Done = match (deed, about.number, comparison) {
            (Deed::Overwrite, ..) if comparison.is_some_and(|comparison| comparison.blanks_scope) => {
                self.leave_open(step, about, Some(mode), Doubt::EdgeScope)?
            }
            (Deed::Overwrite, ..) if comparison.is_some_and(|comparison| comparison.stops_edge) => {
                self.leave_open(step, about, Some(mode), Doubt::EdgeCapability)?
            }
            (Deed::Create, ..) => self.create(step, piece, about)?,
            (Deed::Overwrite, Some(number), Some(comparison)) => self.overwrite(step, number, &comparison)?,
            (Deed::WriteTwin, Some(number), Some(comparison)) => {
                self.write_sections(step, number)?;
                let outcome = if comparison.differing.is_empty() { Outcome::Unchanged } else { Outcome::TwinUpdated };
                Done { assumed: !comparison.replacing.is_empty(), ..outcome.into() }
            }
            (Deed::Delete, Some(number), _) => self.delete(number),
            (Deed::FailPartly(failure), Some(number), _) => {
                self.state.currents[number as usize].set(Current::UNSURE);
                self.summary.failing_partly += 1;
                Outcome::Fails(failure).into()
            }
            (Deed::Fail(failure) | Deed::FailPartly(failure), ..) => {
                if about.number.is_none() && !rests_on_order {
                    self.wanting.add(step.entry.hash, line, self.witness.wants_changes());
                }
                Outcome::Fails(failure).into()
            }
            (Deed::NotKnown(doubt), ..) => self.leave_open(step, about, Some(mode), doubt)?,
            // What is there was compared, or the mode needs no comparison.
            (Deed::Overwrite | Deed::WriteTwin | Deed::Delete, ..) => Outcome::NotKnown(Doubt::Earlier).into(),
        };
        done.assumed |= rests_on_order;
        done.changes = changes;
        Ok(done)
    }

    /// How a line compares with what is there, and what changes in words, where that had to be worked out again.
    fn comparison(
        &mut self,
        step: &Step,
        piece: Piece<'_>,
        number: Number,
        mode: ImportMode,
    ) -> Result<(Option<Comparison>, Option<Vec<String>>), Error> {
        let current = &self.state.currents[number as usize];
        if !current.is(Current::TOUCHED | Current::UNSURE) && step.comparison.is_some() {
            return Ok((step.comparison, None));
        }
        let Some(own) = self.own_reader.read(bytes_of(step, piece)) else {
            return Ok((None, None));
        };
        let wants_changes = self.witness.wants_changes();
        let both = self.state.with_view(number, &mut self.reader, &mut self.rooms, |view| {
            let comparison = compare(view, &own);
            let changes = wants_changes.then(|| describe(view, &own, &comparison, !mode.is_update_twin()));
            (comparison, changes)
        })?;
        Ok(both.map_or((None, None), |(comparison, changes)| (Some(comparison), changes)))
    }
}

impl<W: Witness> Drain<Steps> for Applying<'_, W> {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, from: usize, batch: &Steps) -> Result<Flow, Error> {
        for step in &batch.steps {
            self.take(step, piece, batch)?;
        }
        if let Some(reason) = &batch.error {
            return Err(Error::Lookup(reason.clone()));
        }
        self.summary.lines += batch.lines;
        self.summary.blank += batch.blank;
        self.summary.notices += u64::from(batch.notice.is_some());
        self.summary.bom |= batch.bom;
        let bytes = if from == 0 { piece.bytes.len() as u64 } else { 0 };
        self.summary.bytes += bytes;
        self.witness.advance(bytes, batch.notice.as_deref());
        Ok(Flow::Continue)
    }
}
