//! What the backup does not have: deleted, where the import made it.

use hubmill_device::{Code, ImportMode, Member, Severity};
use hubmill_pipeline::shown;
use hubmill_registry::{Ambiguity, Error, LineReader, Number};

use super::{Undo, note_changed};
use crate::fate::{Doubt, Fate};
use crate::left::{Left, is_as_left};
use crate::line_room::LineRoom;
use crate::new_line::{NewLine, etag_of};
use crate::passes::{LinesBatch, LinesScratch, Rooms};

impl Undo<'_> {
    /// What the backup does not have: it was made by the import, or by someone else.
    pub(super) fn step_new(
        &self,
        scratch: &mut LinesScratch,
        number: Number,
        batch: &mut LinesBatch,
    ) -> Result<(), Error> {
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
        batch.totals.failed += fate.failed;
        self.note_failed_partly(&fate, ids, batch);
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
            // A log names each line that failed (§5.5).
            Some(Doubt::ETag) if after.is_none() && (self.files.log.is_none() || !fate.failed_partly.is_empty()) => {
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
