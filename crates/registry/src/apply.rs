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
    /// Whether changes are to be said in words, and which lines are [assumed](Self::assume).
    fn wants_changes(&self) -> bool;

    /// Whether to be told of lines with this outcome.
    fn wants(&self, outcome: Outcome) -> bool;

    /// Told of every line that it [`wants`](Self::wants) but blank ones and the notice, in the order of the file.
    ///
    /// # Errors
    /// Where it can't be written down; that ends the rehearsal.
    fn see(&mut self, event: &Event<'_>) -> std::io::Result<()>;

    /// Told of a line that was [seen](Self::see) before and rests on an assumption after all: only a later one shows that it does.
    fn assume(&mut self, _line: u64) {}

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
    /// How many of them were deleted and are not there.
    deleted: u64,
    /// What was made while there was room, to be looked at once there is none.
    made_by_quota: Option<Vec<Number>>,
    /// Lines about what is not in the export and that no line has made. All that a line was about has a count here.
    wanting: Wanting,
    /// Modules' lines that failed for want of their device.
    wanting_device: Wanting,
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

/// Lines that failed for want of something, by the hash of what was not there: how many and, where that is asked for, which.
#[derive(Debug, Default)]
struct Wanting {
    counts: ByHash<u64>,
    lines: ByHash<Vec<u64>>,
}

impl Wanting {
    fn add(&mut self, hash: u64, line: u64, is_asked_for: bool) {
        *self.counts.entry(hash).or_default() += 1;
        if is_asked_for {
            self.lines.entry(hash).or_default().push(line);
        }
    }

    fn take(&mut self, hash: u64) -> (u64, Vec<u64>) {
        (self.counts.remove(&hash).unwrap_or_default(), self.lines.remove(&hash).unwrap_or_default())
    }
}

/// The modules of a device, without the hub's own.
#[derive(Clone, Copy, Debug, Default)]
struct Modules {
    there: u64,
    /// They were deleted.
    gone: u64,
    /// A module was refused for want of room.
    is_full: bool,
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
            deleted: 0,
            made_by_quota: quota.map(|_| Vec::new()),
            wanting: Wanting::default(),
            wanting_device: Wanting::default(),
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
        self.summary.uncertain = (self.present.1.saturating_sub(now), now.saturating_sub(self.present.0));
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
        if let Some(number) = about.number {
            if !was_known {
                self.assume_wanting(step);
            }
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

    /// Keeps the first line about something in mind, where it may have to be told that it rests on an assumption.
    fn keep_first(&mut self, number: Number, line: u64) {
        if self.witness.wants_changes() {
            let count = self.firsts.len().max(number as usize + 1);
            self.firsts.resize(count, 0);
            self.firsts[number as usize] = line;
        }
    }

    /// The first line about something rests on an assumption, since another one could have come before it.
    fn assume_first(&mut self, number: Number) {
        let current = &mut self.state.currents[number as usize];
        if current.is(Current::SEEN) && !current.is(Current::FIRST_ASSUMED) {
            current.set(Current::FIRST_ASSUMED);
            self.summary.assumed += 1;
            if let Some(line) = self.firsts.get(number as usize) {
                self.witness.assume(*line);
            }
        }
    }

    /// Lines that came before what they are about and failed would not have failed after.
    fn assume_wanting(&mut self, step: &Step) {
        let hash = step.entry.hash;
        let own = self.wanting.take(hash);
        let of_modules = (!step.entry.is_module()).then(|| self.wanting_device.take(hash));
        for (count, lines) in [Some(own), of_modules].into_iter().flatten() {
            self.summary.assumed += count;
            lines.into_iter().for_each(|line| self.witness.assume(line));
        }
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
                if about.number.is_none() {
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

    /// Makes a device or module, where there is room.
    ///
    /// That there was room rests on the order of lines where that is only so since others are deleted by now; and where a later
    /// one finds none, on who came first.
    fn create(&mut self, step: &Step, piece: Piece<'_>, about: &mut About) -> Result<Done, Error> {
        let mut done: Done = Outcome::Created.into();
        if let Some(quota) = self.quota {
            if self.present.1 >= quota {
                let made = self.made_by_quota.take();
                made.into_iter().flatten().for_each(|number| self.assume_first(number));
            }
            if self.present.0 >= quota {
                return Ok(Done { assumed: true, ..Outcome::Fails(Failure::Quota).into() });
            }
            if self.present.1 >= quota {
                return self.leave_open(step, about, Some(ImportMode::Create), Doubt::Quota);
            }
            done.assumed = self.present.1 + self.deleted >= quota;
        }
        let was_there = u64::from(about.number.is_some());
        if let Some(device) = about.device.filter(|_| step.entry.is_module()) {
            let mut modules = self.count_modules(device);
            if modules.there >= MODULES_MAX {
                if !modules.is_full {
                    self.modules.insert(device, Modules { is_full: true, ..modules });
                    self.assume_made(device);
                }
                return Ok(Done { assumed: true, ..Outcome::Fails(Failure::TooManyModules).into() });
            }
            done.assumed |= modules.there + modules.gone >= MODULES_MAX;
            modules.there += 1;
            modules.gone = modules.gone.saturating_sub(was_there);
            self.modules.insert(device, modules);
        }
        self.deleted = self.deleted.saturating_sub(was_there);
        let number = self.number_or_add(step, about)?;
        if let Some(made) = &mut self.made_by_quota {
            made.push(number);
        }
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
        self.present.0 += 1;
        self.present.1 += 1;
        *self.count_of(step.entry.is_module()) += 1;
        if step.target == NONE {
            self.count_risks(step, number, None, false);
        } else {
            let (comparison, loses_twin) = self.comparison_with_export(step, piece)?;
            self.count_risks(step, number, comparison.as_ref(), loses_twin);
        }
        Ok(done)
    }

    fn number_or_add(&mut self, step: &Step, about: &mut About) -> Result<Number, Error> {
        let number = match about.number {
            Some(number) => number,
            None => self.state.add(&step.entry, about.device.unwrap_or(NONE))?,
        };
        about.number = Some(number);
        Ok(number)
    }

    fn count_of(&mut self, is_module: bool) -> &mut u64 {
        if is_module { &mut self.summary.modules.1 } else { &mut self.summary.devices.1 }
    }

    /// How many modules a device has.
    fn count_modules(&mut self, device: Number) -> Modules {
        if let Some(modules) = self.modules.get(&device) {
            return *modules;
        }
        let mut modules = Modules::default();
        for module in self.state.modules_of(device) {
            let current = &self.state.currents[module as usize];
            if !self.state.entry(module).is(Entry::SYSTEM) {
                modules.there += u64::from(!current.is(Current::GONE));
                modules.gone += u64::from(current.is(Current::GONE) && !current.is(Current::MAYBE));
            }
        }
        self.modules.insert(device, modules);
        modules
    }

    /// The lines that made modules of a device rest on the order of lines.
    fn assume_made(&mut self, device: Number) {
        for module in self.state.modules_of(device) {
            if self.state.currents[module as usize].is(Current::MADE) {
                self.assume_first(module);
            }
        }
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
            if let Some(modules) = self.modules.get_mut(&device).filter(|_| !is_system) {
                modules.there = modules.there.saturating_sub(1);
                modules.gone += 1;
            }
        } else {
            if self.state.currents[number as usize].is(Current::EDGE) {
                self.summary.risks.edge_deleted += 1;
                self.deleted_edges.push(number);
            }
            self.modules.remove(&number);
            for module in self.state.modules_of(number) {
                // A line about a module would have failed after this one.
                self.assume_first(module);
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
        self.deleted += u64::from(!was_gone || was_open);
        *self.count_of(is_module) -= u64::from(!was_gone);
        !was_gone
    }

    /// Notes that it is not known what becomes of what a line is about.
    fn leave_open(
        &mut self,
        step: &Step,
        about: &mut About,
        mode: Option<ImportMode>,
        doubt: Doubt,
    ) -> Result<Done, Error> {
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
                self.state.currents[number as usize].set(Current::UNSURE);
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
                self.state.currents[number as usize].set(Current::MAYBE);
                self.present.1 += 1;
            }
            _ => {}
        }
        Ok(Outcome::NotKnown(doubt).into())
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
