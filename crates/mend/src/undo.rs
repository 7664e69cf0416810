//! The import that takes another one back: what it created is deleted, what it deleted is created, and what it changed is
//! changed back, by the lines of a backup.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use hubmill_device::{Code, ImportMode, Member, Severity, is_system_module};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::shown;
use hubmill_registry::{Ambiguity, DeviceLine, Error, LineReader, Number, Registry, Section};

use crate::compare::{difference, lacks_keys, same_authentication};
use crate::failures::Failures;
use crate::fate::{Doubt, Failed, Fate, ImportLine};
use crate::left::{Left, is_as_left};
use crate::met::Met;
use crate::new_line::{Identity, NewLine, etag_of};
use crate::passes::{LinesBatch, LinesScratch, Pass, Passes, Rooms, Step, Steps};
use crate::read_log::ReadLog;
use crate::unusable::{Flaw, Unusable};

const EMPTY: &[u8] = b"{}";

/// The files that an undo goes by.
#[derive(Clone, Copy, Debug)]
pub struct UndoFiles<'a> {
    /// The export from before the import.
    pub backup: &'a Registry,
    /// The import.
    pub import: &'a Registry,
    /// The export from after it.
    pub after: Option<&'a Registry>,
    /// What its log says, with what read it. All lines of the import have been looked up in it once.
    pub log: Option<(&'a ReadLog, &'a Failures)>,
}

/// Takes an import back.
#[derive(Debug)]
pub struct Undo<'a> {
    files: UndoFiles<'a>,
    /// Further lines of the import about the same ids, by the first one.
    repeated: HashMap<Number, Vec<Number>>,
    /// The ids of edge devices that were deleted, and so get another scope.
    lost_scopes: Mutex<HashSet<Vec<u8>>>,
    any_scope_lost: AtomicBool,
    /// The entries of the import that the backup has, too.
    met: Met,
}

/// What an entry is called.
type Ids<'i> = (&'i [u8], Option<&'i [u8]>);

impl<'a> Undo<'a> {
    /// Work that takes `files.import` back.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn new(files: UndoFiles<'a>, reading: (Level, Limits), all_diagnostics: bool) -> Result<Steps<Self>, Error> {
        let mut repeated: HashMap<Number, Vec<Number>> = HashMap::new();
        let mut room = Vec::new();
        for (number, entry) in (0..).zip(files.import.entries()) {
            if !entry.is_repeated() {
                continue;
            }
            let (id, module_id) = files.import.ids(number, &mut room)?;
            if let Some(first) = files.import.find(&id, module_id.as_deref(), &mut room)? {
                repeated.entry(first).or_default().push(number);
            }
        }
        let lost_scopes = Mutex::new(HashSet::new());
        let any_scope_lost = AtomicBool::new(false);
        let met = Met::none_of(files.import);
        Ok(Steps { step: Self { files, repeated, lost_scopes, any_scope_lost, met }, reading, all_diagnostics })
    }
}

impl<'a> Steps<Undo<'a>> {
    /// What has to be gone through one after the other, each to its end.
    pub fn passes(&self) -> [Passes<'a>; 3] {
        let UndoFiles { backup, import, after, .. } = self.step.files;
        let all: Vec<&Registry> = [backup, import].into_iter().chain(after).collect();
        [
            Passes::new(&[Pass::Edge], backup, &all),
            Passes::new(&[Pass::Devices, Pass::Modules], backup, &all),
            Passes::new(&[Pass::Others], import, &all),
        ]
    }
}

impl Step for Undo<'_> {
    fn over(&self, pass: Pass) -> &Registry {
        if pass == Pass::Others { self.files.import } else { self.files.backup }
    }

    fn step(
        &self,
        scratch: &mut LinesScratch,
        pass: Pass,
        number: Number,
        batch: &mut LinesBatch,
    ) -> Result<(), Error> {
        if pass == Pass::Others {
            self.step_new(scratch, number, batch)
        } else {
            self.step_backup(scratch, number, batch)
        }
    }
}

/// Lines of the import about one device or module, as bytes of their own.
#[derive(Debug, Default)]
pub(crate) struct LineRoom {
    texts: Vec<Vec<u8>>,
    starts: Vec<u64>,
    count: usize,
}

impl LineRoom {
    fn clear(&mut self) {
        self.count = 0;
        self.starts.clear();
    }

    fn push(&mut self, line: &[u8], start: u64) {
        if self.texts.len() == self.count {
            self.texts.push(Vec::new());
        }
        let text = &mut self.texts[self.count];
        text.clear();
        text.extend_from_slice(line);
        self.starts.push(start);
        self.count += 1;
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.texts[..self.count].iter().map(Vec::as_slice).zip(self.starts.iter().copied())
    }
}

impl Undo<'_> {
    /// Gets the lines of the import that have the ids of the entry `first`.
    fn gather(&self, first: Option<Number>, lines: &mut LineRoom, room: &mut Vec<u8>) -> Result<(), Error> {
        lines.clear();
        let Some(first) = first else { return Ok(()) };
        let import = self.files.import;
        for number in std::iter::once(&first).chain(self.repeated.get(&first).into_iter().flatten()) {
            lines.push(import.line(*number, room)?, import.entries()[*number as usize].start);
        }
        Ok(())
    }

    /// Reads them, and looks them up in the log.
    fn read<'l>(
        &self,
        reader: &mut LineReader,
        ids: Ids<'_>,
        lines: &'l LineRoom,
        key: &mut Vec<u8>,
    ) -> Vec<ImportLine<'l>> {
        let read = |(text, start): (&'l [u8], u64)| {
            let line = reader.read(text)?;
            let failed = match self.files.log {
                Some((log, failures)) => failures.certainty(&log.hasher, ids, text, key),
                None => Failed::No,
            };
            Some(ImportLine { line, failed, start })
        };
        lines.lines().filter_map(read).collect()
    }

    /// What became of a device of the backup, or of one that the backup does not have.
    fn step_backup(&self, scratch: &mut LinesScratch, number: Number, batch: &mut LinesBatch) -> Result<(), Error> {
        let LinesScratch { reader, rooms, next, key, lines, device_lines } = scratch;
        let UndoFiles { backup, import, .. } = self.files;
        let text = backup.line(number, &mut rooms.wanted)?;
        let Some(before) = reader.read(text) else { return Ok(()) };
        let (id, module_id) = (before.id(), before.module_id());
        let ids = (&*id, module_id.as_deref());
        let first = import.find_next(next, ids, &mut rooms.ids)?;
        if let Some(first) = first {
            self.met.meet(first);
        }
        self.gather(first, lines, &mut rooms.ids)?;
        let mut own = self.read(reader, ids, lines, key);
        let mut start = Fate::start(true);
        if module_id.is_some() {
            let device = (ids.0, None);
            self.gather(import.find(ids.0, None, &mut rooms.ids)?, device_lines, &mut rooms.ids)?;
            let of_device = self.read(reader, device, device_lines, key);
            if !of_device.is_empty() {
                let device_before = match backup.device_of(number) {
                    Some(device) => reader.read(backup.line(device, &mut rooms.parent)?),
                    None => None,
                };
                let fate = Fate::start(true).after(&of_device, device_before.as_ref());
                start.ambiguous = fate.ambiguous;
                if let Some(deleted_at) = fate.deleted_at {
                    // The module went with it; what came before has no bearing, and without its device there is no module.
                    let may_not_be_deleted = fate.may_not_be_deleted;
                    start = Fate { exists: false, deleted_at: Some(deleted_at), may_not_be_deleted, ..start };
                    own.retain(|line| fate.exists && line.start > deleted_at);
                }
            }
        }
        let fate = start.after(&own, Some(&before));
        self.note_failed(&fate, ids, batch);
        if module_id.as_deref().is_some_and(is_system_module) {
            self.note_system_module(&fate, ids, batch);
            return Ok(());
        }
        if !fate.is_touched() {
            self.note_parent(&before, ids, batch);
            batch.totals.equal += 1;
            return Ok(());
        }
        let (after, after_start) = self.after(reader, ids, &mut rooms.after)?;
        let is_said =
            self.note_if_unusable(&fate, Some((&before, backup.entries()[number as usize].start)), ids, batch)
                || self.note_after_if_unusable(after.flatten(), after_start, ids, batch);
        if !is_said {
            self.restore(&before, &fate, after, ids, batch);
        }
        Ok(())
    }

    /// Counts the lines that failed, and says of which it is not known whether they did something all the same.
    fn note_failed(&self, fate: &Fate<'_>, ids: Ids<'_>, batch: &mut LinesBatch) {
        batch.totals.failed += fate.failed;
        batch.totals.failed_partly += fate.failed_partly.len() as u64;
        for start in &fate.failed_partly {
            let (place, code) = ((self.files.import, *start), (Code::FailedPartly, Severity::Warning));
            batch.note_at(place, Member::TwinETag.name(), code, ids, || {
                "has this line of the import, which failed for an ETag and has a twinETag: whether its identity was written all the same \
                 is not known (§2)"
                    .to_owned()
            });
        }
    }

    /// Says that a line of the import or of the backup can't be used, where that is so.
    fn note_if_unusable(
        &self,
        fate: &Fate<'_>,
        before: Option<(&DeviceLine<'_>, u64)>,
        ids: Ids<'_>,
        batch: &mut LinesBatch,
    ) -> bool {
        let UndoFiles { backup, import, .. } = self.files;
        if let Some((start, ambiguity)) = fate.ambiguous {
            let line = Unusable { name: "the import", file: import, start, flaw: Flaw::Name(ambiguity) };
            batch.note_unusable(line, ids, "may be changed by");
            return true;
        }
        let Some((start, flaw)) = before.and_then(|(line, start)| Some((start, Flaw::of(line)?))) else {
            return false;
        };
        let line = Unusable { name: "the backup", file: backup, start, flaw };
        batch.note_unusable(line, ids, "was changed, and stands in");
        true
    }

    /// The same of the export from after the import.
    fn note_after_if_unusable(
        &self,
        after: Option<DeviceLine<'_>>,
        start: u64,
        ids: Ids<'_>,
        batch: &mut LinesBatch,
    ) -> bool {
        let flaw = after.and_then(|after| Flaw::of(&after));
        let (Some(flaw), Some(file)) = (flaw, self.files.after) else { return false };
        let line = Unusable { name: "the export of --after", file, start, flaw };
        batch.note_unusable(line, ids, "was changed, and stands in");
        true
    }

    /// The line of the export from after the import, and where it starts; `None` where there is no such export.
    fn after<'r>(
        &'r self,
        reader: &mut LineReader,
        (id, module_id): Ids<'_>,
        room: &'r mut Vec<u8>,
    ) -> Result<(Option<Option<DeviceLine<'r>>>, u64), Error> {
        let Some(after) = self.files.after else { return Ok((None, 0)) };
        let Some(number) = after.find(id, module_id, room)? else { return Ok((Some(None), 0)) };
        Ok((Some(reader.read(after.line(number, room)?)), after.entries()[number as usize].start))
    }

    /// Brings back what the backup has.
    fn restore(
        &self,
        before: &DeviceLine<'_>,
        fate: &Fate<'_>,
        after: Option<Option<DeviceLine<'_>>>,
        ids: Ids<'_>,
        batch: &mut LinesBatch,
    ) {
        if let Some(after) = &after {
            match is_as_left(after.as_ref(), fate, Some(before)) {
                Left::AsImported => {}
                Left::AsBefore => {
                    batch.totals.equal += 1;
                    return;
                }
                Left::Changed => {
                    note_changed(ids, batch);
                    return;
                }
            }
        }
        if fate.exists {
            let now = after.flatten();
            let sets_authentication = self.change_back(before, fate, now.as_ref(), ids, batch);
            if sets_authentication && now.is_some_and(|after| lacks_keys(&after)) {
                batch.totals.authentication_unknown += 1;
                let what = "does not say how it authenticates in the export of --after (§4): whether that is as the import left it is not \
                            known; the line that changes it back sets it";
                batch.note(Code::AuthenticationUnknown, Severity::Warning, ids, what);
            }
        } else {
            let has_keys = !lacks_keys(before);
            let unsure = fate.may_not_be_deleted && has_keys;
            if fate.may_not_be_deleted && !has_keys {
                let what = "may be gone or not, and the backup does not have its keys: the line brings it back only where it is gone";
                batch.note(Code::NotWritten, Severity::Error, ids, what);
            }
            let mode = if unsure { ImportMode::CreateOrUpdate } else { ImportMode::Create };
            let mut line = NewLine::about(before, mode);
            line.identity = identity_of(before);
            // What is new gets another one; one that may be there still keeps its own, and must not lack it (§3.7).
            if before.is_edge() && !unsure {
                line.identity.device_scope = None;
            }
            line.sections = Section::ALL.map(|section| {
                // What may still be there has to be replaced, by an empty section, too.
                let value = before.section(section).or(unsure.then_some(EMPTY));
                value.filter(|value| unsure || !section.same(Some(value), None))
            });
            line.write(&mut batch.output);
            batch.totals.creates += 1;
            self.note_lost(before, true, lacks_keys(before), ids, batch);
        }
    }

    /// Changes what is there back to what the backup has; `now` is what --after has of it. Whether the line for that has an
    /// authentication.
    fn change_back(
        &self,
        before: &DeviceLine<'_>,
        fate: &Fate<'_>,
        now: Option<&DeviceLine<'_>>,
        ids: Ids<'_>,
        batch: &mut LinesBatch,
    ) -> bool {
        let was_made_anew = fate.deleted_at.is_some();
        let changed = fate.changed;
        let reported = changed[Section::Reported as usize];
        let mut line = NewLine::about(before, ImportMode::UpdateTwin);
        line.sections =
            Section::ALL.map(|section| changed[section as usize].then(|| before.section(section).unwrap_or(EMPTY)));
        line.identity = identity_of(before);
        if before.is_edge() {
            // Another scope than its own is passed over, and none is refused (§3.7).
            let scope = line.identity.device_scope;
            line.identity.device_scope = scope.or(now.and_then(|now| now.value(Member::DeviceScope)));
        }
        let mut keys_lost = false;
        let mut identity_differs = false;
        let is_said = !lacks_keys(before);
        for import in fate.identities.iter().chain(&fate.identity) {
            let makes_keys = lacks_keys(import);
            keys_lost |= !is_said;
            // Keys that the hub made are others than those of the backup, whatever that has.
            identity_differs |= (is_said && makes_keys) || difference(import, before).identity;
            if !is_said {
                // The keys of now are those of the import, and stay.
                line.identity.authentication = import.value(Member::Authentication).filter(|_| !makes_keys);
            }
            if before.status_reason().is_none() && import.status_reason().is_some() {
                line.identity.status_reason = Some(b"\"\"");
            }
            if !before.is_edge() && import.is_edge() {
                line.identity.capabilities = Some(b"{\"iotEdge\":false}");
            }
            if !before.is_edge() && before.device_scope().is_none() && import.device_scope().is_some() {
                line.identity.device_scope = Some(b"null");
            }
        }
        let differ =
            |other: &DeviceLine<'_>| fate.identity.as_ref().is_some_and(|last| !same_authentication(last, other).0);
        let unsure = fate.may_not_be_written || fate.identities.iter().any(differ);
        if !is_said && unsure {
            // Whose keys it has now is not certain.
            line.identity.authentication = None;
        }
        if identity_differs || reported {
            line.mode = ImportMode::Update;
            let without_keys = line.identity.authentication.is_none_or(|value| value == b"null");
            if without_keys {
                let what = "was changed, but neither backup nor import has its keys: an update would give it new ones (§2), so none is written";
                batch.note(Code::NotWritten, Severity::Error, ids, what);
                line.mode = ImportMode::UpdateTwin;
            } else if let Some(what) = why_edge_stays(before, fate, now, &line) {
                batch.note(Code::NotWritten, Severity::Error, ids, what);
                line.mode = ImportMode::UpdateTwin;
            } else if may_have_stopped_edge(before, fate, now) && !was_made_anew {
                let what = "may be no edge device any more by the import: whether its scope, and so its children, come back is not known (§3.7)";
                batch.note(Code::NotRestored, Severity::Warning, ids, what);
            }
            if line.mode == ImportMode::UpdateTwin {
                line.sections[Section::Reported as usize] = None;
            }
        }
        if line.mode == ImportMode::UpdateTwin {
            line.identity = Identity::default();
        }
        let is_empty = line.mode == ImportMode::UpdateTwin && line.sections == [None; 3];
        if is_empty {
            batch.totals.equal += u64::from(!keys_lost);
        } else {
            batch.totals.twin_updates += u64::from(line.mode == ImportMode::UpdateTwin);
            batch.totals.updates += u64::from(line.mode == ImportMode::Update);
            line.write(&mut batch.output);
        }
        self.note_lost(before, was_made_anew, keys_lost, ids, batch);
        line.mode == ImportMode::Update
    }

    /// What the backup does not have: it was made by the import, or by someone else.
    fn step_new(&self, scratch: &mut LinesScratch, number: Number, batch: &mut LinesBatch) -> Result<(), Error> {
        // All entries of the backup have been gone through before.
        if self.met.is_met(number) {
            return Ok(());
        }
        let LinesScratch { reader, rooms, key, lines, device_lines, .. } = scratch;
        let import = self.files.import;
        let (id, module_id) = import.ids(number, &mut rooms.ids)?;
        let ids = (id.as_slice(), module_id.as_deref());
        self.gather(import.find_next(&mut { number }, ids, &mut rooms.ids)?, lines, &mut rooms.ids)?;
        let own = self.read(reader, ids, lines, key);
        let mut fate = Fate::start(false).after(&own, None);
        if ids.1.is_some() && (fate.exists || fate.ambiguous.is_some()) {
            match self.device_of_new_module(reader, rooms, key, device_lines, ids.0)? {
                DeviceIs::There => {}
                DeviceIs::New => {
                    batch.totals.with_device += 1;
                    return Ok(());
                }
                // Without its device it failed, or has gone with it.
                DeviceIs::Missing => (fate.exists, fate.ambiguous) = (false, None),
                DeviceIs::NotKnown(line) => fate.ambiguous = Some(line),
            }
        }
        self.note_failed(&fate, ids, batch);
        if self.note_if_unusable(&fate, None, ids, batch) {
            return Ok(());
        }
        if !fate.exists {
            batch.totals.equal += 1;
            return Ok(());
        }
        let added = match ids.1 {
            None => self.added_module(reader, rooms, key, device_lines, ids.0)?,
            Some(_) => None,
        };
        let (after, after_start) = self.after(reader, ids, &mut rooms.after)?;
        if self.note_after_if_unusable(after.flatten(), after_start, ids, batch) {
            return Ok(());
        }
        match fate.doubt {
            Some(Doubt::Log) => {
                let what = "is named in the log, and more lines than one are about it: whether the import made it is not known (§5.5), \
                            so it is not deleted";
                batch.note(Code::NotWritten, Severity::Error, ids, what);
                return Ok(());
            }
            Some(Doubt::ETag) if after.is_none() => {
                let what = "is not in the backup, and its line has an ETag: whether the import made it is not known (§2), so it is not \
                            deleted; --after tells";
                batch.note(Code::NotWritten, Severity::Error, ids, what);
                return Ok(());
            }
            _ => {}
        }
        // A create that did not fail made what it says.
        let is_made = self.files.log.is_some() && !fate.may_have_overwritten;
        if let (false, Some(first)) = (is_made, self.files.backup.first_invalid()) {
            let what = || {
                format!(
                    "is not in the backup, which has lines that are no device, line {} for instance: whether the import made it is not \
                     known, so it is not deleted",
                    first.line
                )
            };
            batch.note_with(Code::NotWritten, Severity::Error, ids, what);
            return Ok(());
        }
        let mut line = NewLine::about(&own[0].line, ImportMode::Delete);
        let etag;
        if let Some(after) = &after {
            match is_as_left(after.as_ref(), &fate, None) {
                Left::AsImported => {}
                Left::AsBefore => {
                    batch.totals.equal += 1;
                    return Ok(());
                }
                Left::Changed => {
                    note_changed(ids, batch);
                    return Ok(());
                }
            }
            if let Some(module) = added {
                let what = || {
                    format!(
                        "has a module {:?} that the import did not make: it was added since, and both are left as they are",
                        shown(&module)
                    )
                };
                batch.note_with(Code::ChangedSince, Severity::Error, ids, what);
                return Ok(());
            }
            etag = after.as_ref().and_then(|after| etag_of(after, Member::ETag));
            if etag.is_none() {
                let what = "has no ETag in the export of --after: not deleted";
                batch.note(Code::NotWritten, Severity::Error, ids, what);
                return Ok(());
            }
            (line.mode, line.etag) = (ImportMode::DeleteIfMatchETag, etag);
        }
        batch.totals.assumed += u64::from(after.is_none() && !is_made);
        line.write(&mut batch.output);
        batch.totals.deletes += 1;
        Ok(())
    }

    /// A module that the export from after the import has of a new device, and that the import did not make: it would go with its device.
    fn added_module(
        &self,
        reader: &mut LineReader,
        rooms: &mut Rooms,
        key: &mut Vec<u8>,
        lines: &mut LineRoom,
        id: &[u8],
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(after) = self.files.after else { return Ok(None) };
        let Some(device) = after.find(id, None, &mut rooms.ids)? else { return Ok(None) };
        for number in after.modules_of(device) {
            // The hub makes its own with the device (§1.7).
            if after.entries()[number as usize].is_system_module() {
                continue;
            }
            let (id, module_id) = after.ids(number, &mut rooms.ids)?;
            let ids = (id.as_slice(), module_id.as_deref());
            self.gather(self.files.import.find(ids.0, ids.1, &mut rooms.ids)?, lines, &mut rooms.ids)?;
            let own = self.read(reader, ids, lines, key);
            if !Fate::start(false).after(&own, None).exists {
                return Ok(module_id);
            }
        }
        Ok(None)
    }

    fn device_of_new_module(
        &self,
        reader: &mut LineReader,
        rooms: &mut Rooms,
        key: &mut Vec<u8>,
        lines: &mut LineRoom,
        id: &[u8],
    ) -> Result<DeviceIs, Error> {
        let before = self.files.backup.find(id, None, &mut rooms.there)?;
        self.gather(self.files.import.find(id, None, &mut rooms.ids)?, lines, &mut rooms.ids)?;
        let of_device = self.read(reader, (id, None), lines, key);
        let before_line = match before {
            Some(number) => reader.read(self.files.backup.line(number, &mut rooms.parent)?),
            None => None,
        };
        let fate = Fate::start(before.is_some()).after(&of_device, before_line.as_ref());
        if let Some(line) = fate.ambiguous {
            return Ok(DeviceIs::NotKnown(line));
        }
        Ok(match (before.is_some(), fate.exists) {
            // Made with the import: deleted as a whole, unless that is in doubt.
            (false, true) if fate.doubt.is_none() => DeviceIs::New,
            (_, true) => DeviceIs::There,
            (true, false) if !fate.may_not_be_deleted => DeviceIs::Missing,
            (true, false) => DeviceIs::There,
            // It may have been made between the backup and the import.
            (false, false) if of_device.is_empty() => DeviceIs::There,
            (false, false) => DeviceIs::Missing,
        })
    }

    fn note_system_module(&self, fate: &Fate<'_>, ids: Ids<'_>, batch: &mut LinesBatch) {
        if fate.deleted_at.is_some() {
            batch.totals.system_modules += 1;
            let what =
                "is the hub's own: the hub makes it anew with its device, without what was deployed on it (§1.7)";
            batch.note(Code::NotRestored, Severity::Warning, ids, what);
        } else if fate.is_touched() {
            batch.totals.system_modules += 1;
            let what = "is the hub's own: whether the import changed its twin is not known, nor whether an import can change it back (§1.7)";
            batch.note(Code::NotWritten, Severity::Error, ids, what);
        }
    }

    /// Says what of a device that comes back is lost for good.
    fn note_lost(&self, before: &DeviceLine<'_>, was_deleted: bool, keys: bool, ids: Ids<'_>, batch: &mut LinesBatch) {
        let is_device = ids.1.is_none();
        let mut lost = Vec::new();
        if was_deleted && is_device {
            batch.totals.recreated += 1;
            lost.push("its generation id and the messages that were queued for it");
        }
        if keys {
            batch.totals.keys_lost += 1;
            lost.push("its keys, which the backup does not have (§4)");
        }
        if was_deleted && is_device && before.is_edge() {
            batch.totals.scopes_lost += 1;
            self.lost_scopes.lock().unwrap_or_else(PoisonError::into_inner).insert(ids.0.to_vec());
            self.any_scope_lost.store(true, Ordering::Relaxed);
            lost.push("its scope, and so its children (§3.7)");
        }
        if !lost.is_empty() {
            let what = || format!("comes back without {}", lost.join("; without "));
            batch.note_with(Code::NotRestored, Severity::Warning, ids, what);
        }
        self.note_parent(before, ids, batch);
    }

    /// Says that a device is the child of an edge device that gets another scope.
    fn note_parent(&self, before: &DeviceLine<'_>, ids: Ids<'_>, batch: &mut LinesBatch) {
        // Edge devices have all been gone through before.
        if ids.1.is_some() || !self.any_scope_lost.load(Ordering::Relaxed) {
            return;
        }
        let lost = self.lost_scopes.lock().unwrap_or_else(PoisonError::into_inner);
        if before.parent().is_some_and(|parent| lost.contains(&parent)) {
            drop(lost);
            batch.totals.children_lost += 1;
            let what =
                "is a child of an edge device that comes back with another scope (§3.7): its parent is to be set anew";
            batch.note(Code::NotRestored, Severity::Warning, ids, what);
        }
    }
}

/// Whether a new module's device is there.
enum DeviceIs {
    There,
    /// Made by the import, and deleted with its modules.
    New,
    Missing,
    /// A line about it can't be read for certain.
    NotKnown((u64, Ambiguity)),
}

/// Why no line that changes a device back is sure to apply, where it is an edge device by the import (§3.7).
fn why_edge_stays(
    before: &DeviceLine<'_>,
    fate: &Fate<'_>,
    now: Option<&DeviceLine<'_>>,
    line: &NewLine<'_>,
) -> Option<&'static str> {
    let is_edge = match now {
        Some(now) => now.is_edge(),
        None => fate.identities.iter().chain(&fate.identity).any(DeviceLine::is_edge),
    };
    match before.is_edge() {
        _ if !is_edge || line.module_id.is_some() => None,
        false => Some(
            "may be an edge device by the import, and was none: whether an update can take that back is not known (§3.7), so none is \
             written",
        ),
        true if fate.deleted_at.is_some() && line.identity.device_scope.is_none() => Some(
            "was made anew as an edge device, with a scope that is in no file and can't be blanked (§3.7): no update is written; an export \
             for --after has it",
        ),
        true => None,
    }
}

/// Whether the import may have made an edge device one that is none: no source says whether that is refused (§3.7).
fn may_have_stopped_edge(before: &DeviceLine<'_>, fate: &Fate<'_>, now: Option<&DeviceLine<'_>>) -> bool {
    let is_other = match now {
        Some(now) => !now.is_edge(),
        None => fate.identities.iter().chain(&fate.identity).any(|import| !import.is_edge()),
    };
    before.is_edge() && before.module_id().is_none() && is_other
}

/// The identity that a line has, with what it does not say left out.
fn identity_of<'l>(line: &DeviceLine<'l>) -> Identity<'l> {
    Identity {
        status_reason: line.value(Member::StatusReason),
        authentication: line.raw(Member::Authentication),
        capabilities: line.value(Member::Capabilities),
        device_scope: line.value(Member::DeviceScope),
        parent_scopes: line.value(Member::ParentScopes),
    }
}

fn note_changed(ids: Ids<'_>, batch: &mut LinesBatch) {
    batch.note(
        Code::ChangedSince,
        Severity::Error,
        ids,
        "is not as the import left it: it was changed since, and is left as it is",
    );
}
