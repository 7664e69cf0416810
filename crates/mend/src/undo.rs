//! The import that takes another one back: what it created is deleted, what it deleted is created, and what it changed is
//! changed back, by the lines of a backup.

mod made;
mod restored;

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use hubmill_device::{Code, Member, Severity, is_system_module};
use hubmill_parser::{Level, Limits};
use hubmill_registry::{DeviceLine, Error, LineReader, Number, Registry};

use crate::failures::Failures;
use crate::fate::{Failed, Fate, ImportLine};
use crate::line_room::LineRoom;
use crate::met::Met;
use crate::passes::{LinesBatch, LinesScratch, Pass, Passes, Step, Steps};
use crate::read_log::ReadLog;
use crate::unusable::{Flaw, Unusable};

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
        batch.totals.failed += fate.failed;
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
        if after.flatten().is_some_and(|after| after.is_spelt_as(&before)) {
            batch.totals.equal += 1;
            return Ok(());
        }
        self.note_failed_partly(&fate, ids, batch);
        let is_said =
            self.note_if_unusable(&fate, Some((&before, backup.entries()[number as usize].start)), ids, batch)
                || self.note_after_if_unusable(after.flatten(), after_start, ids, batch);
        if !is_said {
            self.restore(&before, &fate, after, ids, batch);
        }
        Ok(())
    }

    /// Says of which lines that failed it is not known whether they did something all the same.
    fn note_failed_partly(&self, fate: &Fate<'_>, ids: Ids<'_>, batch: &mut LinesBatch) {
        batch.totals.failed_partly += fate.failed_partly.len() as u64;
        for byte in &fate.failed_partly {
            let (place, code) = ((self.files.import, *byte), (Code::FailedPartly, Severity::Warning));
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
        if let Some((byte, ambiguity)) = fate.ambiguous {
            let line = Unusable { name: "the import", file: import, byte, flaw: Flaw::Name(ambiguity) };
            batch.note_unusable(line, ids, "may be changed by");
            return true;
        }
        let flaw = before.and_then(|(line, start)| Flaw::of(line).map(|flaw| (start + flaw.place(line), flaw)));
        let Some((byte, flaw)) = flaw else { return false };
        let line = Unusable { name: "the backup", file: backup, byte, flaw };
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
        let flaw = after.and_then(|after| Flaw::of(&after).map(|flaw| (start + flaw.place(&after), flaw)));
        let (Some((byte, flaw)), Some(file)) = (flaw, self.files.after) else { return false };
        let line = Unusable { name: "the export of --after", file, byte, flaw };
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
}

fn note_changed(ids: Ids<'_>, batch: &mut LinesBatch) {
    batch.note(
        Code::ChangedSince,
        Severity::Error,
        ids,
        "is not as the import left it: it was changed since, and is left as it is",
    );
}
