//! Lines applied one after the other, in the order of the file: what each comes to, and what the registry is then.
//!
//! This part is not parallel, and does little: what a line says, and how it compares with the export, was worked out by the
//! workers. Only a line about something that an earlier line has written to is compared anew.

use std::collections::HashMap;

use hubmill_device::{ImportMode, MODULES_MAX};
use hubmill_pipeline::{Drain, Flow, Piece};

use crate::compare::{Comparison, View, compare, describe};
use crate::decide::{Deed, Existence, Match, decide};
use crate::entry::{Entry, NONE, Number};
use crate::error::Error;
use crate::line::{LineReader, Section};
use crate::outcome::{Doubt, Failure, Outcome};
use crate::state::{ByHash, Current, Rooms, Source, State};
use crate::step::{Asks, SEPARATOR, Step, Steps};
use crate::summary::Summary;

/// What became of a line, for whoever writes that down.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The line, counted from 1.
    pub line: u64,
    /// Its ids, decoded, where they are known.
    pub ids: Option<(&'a [u8], Option<&'a [u8]>)>,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether that rests on an assumption.
    pub assumed: bool,
    /// Modules that went with the device.
    pub modules: u64,
    /// What is wrong with it, where that is not told by the outcome.
    pub reason: &'a str,
    /// What changes, where that was asked for: paths of members, with values where these are no secrets.
    pub changes: &'a [&'a str],
    /// The line itself. Holds secrets.
    pub bytes: &'a [u8],
}

/// Writes down what becomes of lines.
pub trait Witness: Send {
    /// Whether changes are to be said in words.
    fn wants_changes(&self) -> bool;

    /// Whether to be told of lines with this outcome.
    fn wants(&self, outcome: Outcome) -> bool;

    /// Told of every line that it [`wants`](Self::wants) but blank ones and the notice, in the order of the file.
    ///
    /// # Errors
    /// Where it can't be written down; that ends the rehearsal.
    fn see(&mut self, event: &Event<'_>) -> std::io::Result<()>;

    /// Told of bytes that are done, and of the hub's notice where there is one.
    fn advance(&mut self, bytes: u64, notice: Option<&str>);
}

/// Applies lines.
pub(crate) struct Applying<'r, W> {
    pub(crate) state: State<'r>,
    pub(crate) summary: Summary,
    witness: W,
    /// Devices and modules that the hub takes.
    quota: Option<u64>,
    /// How many devices and modules there are at least, and at most.
    present: (u64, u64),
    /// Lines that failed for want of something, by the hash of what was not there.
    wanting: ByHash<u64>,
    /// Modules' lines that failed for want of their device, by the hash of its id.
    wanting_device: ByHash<u64>,
    /// Modules of devices, without the hub's own, where they had to be counted.
    module_counts: HashMap<Number, u64>,
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
            wanting: ByHash::default(),
            wanting_device: ByHash::default(),
            module_counts: HashMap::new(),
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
        self.summary.uncertain = (self.present.1.saturating_sub(now), now.saturating_sub(self.present.0));
        (self.summary, self.state, self.deleted_edges, self.witness)
    }

    /// Takes a line.
    fn take(&mut self, step: &Step, piece: Piece<'_>, batch: &Steps) -> Result<(), Error> {
        let done = self.apply(step, piece)?;
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
            line: self.summary.lines + step.line,
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
    fn apply(&mut self, step: &Step, piece: Piece<'_>) -> Result<Done, Error> {
        let mode = match step.asks {
            Asks::Fails(failure) => return Ok(Outcome::Fails(failure).into()),
            Asks::IsNotKnown(doubt, mode) => {
                if step.has_ids {
                    let about = self.about(step)?;
                    self.leave_open(step, about, mode)?;
                }
                return Ok(Outcome::NotKnown(doubt).into());
            }
            Asks::ForIts(mode) => mode,
        };
        let about = self.about(step)?;
        let mut done = self.apply_known(step, piece, about, mode)?;
        if let Some(number) = about.number {
            let current = &mut self.state.currents[number as usize];
            if current.is(Current::SEEN) {
                self.summary.repeated += 1;
                done.assumed = true;
                if !current.is(Current::FIRST_ASSUMED) {
                    current.set(Current::FIRST_ASSUMED);
                    self.summary.assumed += 1;
                }
            } else {
                current.set(Current::SEEN);
                current.set(if done.assumed { Current::FIRST_ASSUMED } else { 0 });
            }
        }
        // What is not known rests on nothing.
        done.assumed &= !matches!(done.outcome, Outcome::NotKnown(_));
        Ok(done)
    }

    fn apply_known(&mut self, step: &Step, piece: Piece<'_>, about: About, mode: ImportMode) -> Result<Done, Error> {
        let mut rests_on_order = false;
        if step.entry.is_module() {
            match about.device.map(|device| (device, self.state.currents[device as usize])) {
                Some((_, device)) if device.is(Current::MAYBE) => {
                    self.leave_open(step, about, Some(mode))?;
                    return Ok(Outcome::NotKnown(Doubt::Earlier).into());
                }
                Some((_, device)) if !device.is(Current::GONE) => rests_on_order = device.is(Current::MOVED),
                missing => {
                    let assumed = missing.is_some_and(|(_, device)| device.is(Current::MOVED));
                    if !assumed {
                        *self.wanting_device.entry(step.device_hash).or_default() += 1;
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
                self.leave_open(step, about, Some(mode))?;
                Outcome::NotKnown(Doubt::EdgeScope).into()
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
                if about.number.is_none() {
                    self.count_wanting(step);
                }
                Outcome::Fails(failure).into()
            }
            (Deed::NotKnown(doubt), ..) => {
                self.leave_open(step, about, Some(mode))?;
                Outcome::NotKnown(doubt).into()
            }
            // What is there was compared, or the mode needs no comparison.
            (Deed::Overwrite | Deed::WriteTwin | Deed::Delete, ..) => Outcome::NotKnown(Doubt::Earlier).into(),
        };
        done.assumed |= rests_on_order;
        done.changes = changes;
        Ok(done)
    }

    /// A line that failed since what it is about is not there.
    fn count_wanting(&mut self, step: &Step) {
        let count = self.wanting.entry(step.entry.hash).or_default();
        self.summary.repeated += u64::from(*count > 0);
        *count += 1;
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

    /// Makes a device or module, where there is room.
    fn create(&mut self, step: &Step, piece: Piece<'_>, about: About) -> Result<Done, Error> {
        if let Some(quota) = self.quota {
            if self.present.0 >= quota {
                return Ok(Done { assumed: true, ..Outcome::Fails(Failure::Quota).into() });
            }
            if self.present.1 >= quota {
                self.leave_open(step, about, Some(ImportMode::Create))?;
                return Ok(Outcome::NotKnown(Doubt::Quota).into());
            }
        }
        let mut done: Done = Outcome::Created.into();
        if let Some(device) = about.device.filter(|_| step.entry.is_module()) {
            let count = self.module_count(device);
            if count >= MODULES_MAX {
                return Ok(Done { assumed: true, ..Outcome::Fails(Failure::TooManyModules).into() });
            }
            self.module_counts.insert(device, count + 1);
        }
        let number = self.number_or_add(step, about)?;
        let source = self.state.add_line(&step.entry)?;
        let current = &mut self.state.currents[number as usize];
        current.identity = source;
        for section in Section::ALL {
            let has = step.sections.has(section);
            current.sections[section as usize] = if has { source } else { Source::NOWHERE };
        }
        current.clear(Current::GONE | Current::UNSURE);
        current.set(Current::TOUCHED | Current::MADE | Current::MOVED);
        current.set_kind(&step.entry);
        if about.number.is_none() {
            current.set(Current::SEEN);
        }
        self.present.0 += 1;
        self.present.1 += 1;
        *self.count_of(step.entry.is_module()) += 1;
        if step.target == NONE {
            self.count_risks(step, number, None, false);
        } else {
            let (comparison, loses_twin) = self.comparison_with_export(step, piece)?;
            self.count_risks(step, number, comparison.as_ref(), loses_twin);
        }
        // Lines that came before and failed would not have failed after.
        let own = self.wanting.remove(&step.entry.hash);
        let of_modules = if step.entry.is_module() { None } else { self.wanting_device.remove(&step.entry.hash) };
        self.summary.repeated += u64::from(own.is_some());
        self.summary.assumed += own.unwrap_or(0) + of_modules.unwrap_or(0);
        done.assumed = own.is_some();
        if done.assumed {
            self.state.currents[number as usize].set(Current::FIRST_ASSUMED);
        }
        Ok(done)
    }

    fn number_or_add(&mut self, step: &Step, about: About) -> Result<Number, Error> {
        match about.number {
            Some(number) => Ok(number),
            None => self.state.add(&step.entry, about.device.unwrap_or(NONE)),
        }
    }

    fn count_of(&mut self, is_module: bool) -> &mut u64 {
        if is_module { &mut self.summary.modules.1 } else { &mut self.summary.devices.1 }
    }

    /// How many modules a device has, without the hub's own.
    fn module_count(&mut self, device: Number) -> u64 {
        if let Some(count) = self.module_counts.get(&device) {
            return *count;
        }
        let counts = |module: &Number| {
            !self.state.currents[*module as usize].is(Current::GONE) && !self.state.entry(*module).is(Entry::SYSTEM)
        };
        let count = self.state.modules_of(device).iter().filter(|module| counts(module)).count() as u64;
        self.module_counts.insert(device, count);
        count
    }

    /// Replaces an identity, and the sections of the twin that the line has.
    fn overwrite(&mut self, step: &Step, number: Number, comparison: &Comparison) -> Result<Done, Error> {
        let source = self.write_sections(step, number)?;
        let current = &mut self.state.currents[number as usize];
        current.identity = source;
        current.set_kind(&step.entry);
        let changes = !comparison.identity.is_empty() || current.is(Current::UNSURE);
        self.count_risks(step, number, step.comparison.as_ref(), false);
        let outcome = match () {
            () if changes => Outcome::Updated,
            () if !comparison.differing.is_empty() => Outcome::TwinUpdated,
            () => Outcome::Unchanged,
        };
        Ok(Done { assumed: !comparison.replacing.is_empty(), ..outcome.into() })
    }

    /// Counts what is at stake where a line writes an identity: `exported` is how it compares with what the export has.
    ///
    /// What an earlier line wrote does not count: devices out there have what the export has.
    fn count_risks(&mut self, step: &Step, number: Number, exported: Option<&Comparison>, loses_twin: bool) {
        let (risks, current) = (&mut self.summary.risks, &mut self.state.currents[number as usize]);
        let Some(exported) = exported else {
            if step.target == NONE && step.needs_keys {
                current.count_once(0, &mut risks.new_keys_by_hub);
            }
            return;
        };
        for ((count, is_there), risk) in [
            (&mut risks.keys_by_hub, step.needs_keys),
            (&mut risks.keys_replaced, exported.loses_keys && !step.needs_keys),
            (&mut risks.turn_sas, exported.turns_sas),
            (&mut risks.keyless, exported.is_keyless),
            (&mut risks.disabled, exported.disables),
            (&mut risks.twins_replaced, !exported.replacing.is_empty() || loses_twin),
        ]
        .into_iter()
        .zip(1..)
        {
            if is_there {
                current.count_once(risk, count);
            }
        }
    }

    /// How a line compares with what the export has, and whether a section of the twin that the export has is not in the line.
    fn comparison_with_export(&mut self, step: &Step, piece: Piece<'_>) -> Result<(Option<Comparison>, bool), Error> {
        let exported = self.state.registry.line(step.target, &mut self.other_room)?;
        let both = (self.reader.read_known(exported), self.own_reader.read(bytes_of(step, piece)));
        let (Some(exported), Some(own)) = both else {
            return Ok((None, false));
        };
        let view = View::of(exported);
        let is_lost =
            |section: &Section| !step.sections.has(*section) && !section.same(view.sections[*section as usize], None);
        Ok((Some(compare(&view, &own)), Section::ALL.iter().any(is_lost)))
    }

    /// Replaces the sections of the twin that the line has.
    fn write_sections(&mut self, step: &Step, number: Number) -> Result<Source, Error> {
        let source = self.state.add_line(&step.entry)?;
        let current = &mut self.state.currents[number as usize];
        for section in Section::ALL.into_iter().filter(|section| step.sections.has(*section)) {
            current.sections[section as usize] = source;
        }
        current.set(Current::TOUCHED);
        Ok(source)
    }

    /// Takes a device with its modules away, or a module.
    fn delete(&mut self, number: Number) -> Done {
        let mut done: Done = Outcome::Deleted.into();
        let entry = self.state.entry(number);
        if entry.is_module() {
            let (device, is_system) = (entry.link, entry.is(Entry::SYSTEM));
            if let Some(count) = self.module_counts.get_mut(&device).filter(|_| !is_system) {
                *count = count.saturating_sub(1);
            }
        } else {
            if self.state.currents[number as usize].is(Current::EDGE) {
                self.summary.risks.edge_deleted += 1;
                self.deleted_edges.push(number);
            }
            self.module_counts.remove(&number);
            for module in self.state.modules_of(number) {
                done.modules += u64::from(self.remove(module));
            }
            self.summary.risks.modules_with_device += done.modules;
        }
        self.remove(number);
        done
    }

    /// Takes one away; whether it was there.
    fn remove(&mut self, number: Number) -> bool {
        let is_module = self.state.entry(number).is_module();
        let current = &mut self.state.currents[number as usize];
        let (was_gone, was_open) = (current.is(Current::GONE), current.is(Current::MAYBE));
        current.set(Current::GONE | Current::TOUCHED | Current::MOVED);
        current.clear(Current::MAYBE | Current::UNSURE);
        self.present.0 -= u64::from(!was_gone && !was_open);
        self.present.1 -= u64::from(!was_gone || was_open);
        *self.count_of(is_module) -= u64::from(!was_gone);
        !was_gone
    }

    /// Notes that it is not known what becomes of what a line is about.
    fn leave_open(&mut self, step: &Step, about: About, mode: Option<ImportMode>) -> Result<(), Error> {
        let creates = mode.is_none_or(|mode| {
            matches!(mode, ImportMode::CreateOrUpdate | ImportMode::Create | ImportMode::CreateOrUpdateIfMatchETag)
        });
        let deletes = mode.is_none_or(ImportMode::is_delete);
        let is_module = step.entry.is_module();
        let is_there = |current: &Current| !current.is(Current::GONE) || current.is(Current::MAYBE);
        let has_device =
            !is_module || about.device.is_some_and(|device| is_there(&self.state.currents[device as usize]));
        let current = about.number.map(|number| self.state.currents[number as usize]);
        match (about.number, current) {
            (Some(number), Some(current)) if !current.is(Current::GONE) => {
                self.state.currents[number as usize].set(Current::UNSURE | Current::SEEN | Current::FIRST_ASSUMED);
                if deletes && !current.is(Current::MAYBE) {
                    self.summary.risks.maybe_deleted += u64::from(!is_module);
                    let with = if is_module { Vec::new() } else { self.state.modules_of(number) };
                    for number in with.into_iter().chain([number]) {
                        let current = &mut self.state.currents[number as usize];
                        if !current.is(Current::GONE | Current::MAYBE) {
                            current.set(Current::MAYBE);
                            self.present.0 -= 1;
                        }
                    }
                }
            }
            _ if creates && has_device && !current.is_some_and(|current| current.is(Current::MAYBE)) => {
                let number = self.number_or_add(step, about)?;
                self.state.currents[number as usize].set(Current::MAYBE | Current::SEEN | Current::FIRST_ASSUMED);
                self.present.1 += 1;
            }
            _ => {}
        }
        Ok(())
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
