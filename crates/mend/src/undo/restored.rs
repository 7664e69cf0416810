//! What the backup has and the import changed or deleted: brought back by the backup's line, as far as it can come back.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use hubmill_device::{Code, ImportMode, Member, Severity};
use hubmill_registry::{DeviceLine, Section};

use super::{Ids, Undo, note_changed};
use crate::compare::{difference, lacks_keys, same_authentication};
use crate::diff::OWN_SCOPE_NOT_SAID;
use crate::fate::Fate;
use crate::left::{Left, is_as_left};
use crate::new_line::{Identity, NewLine};
use crate::passes::LinesBatch;

const EMPTY: &[u8] = b"{}";

impl Undo<'_> {
    /// Brings back what the backup has.
    pub(super) fn restore(
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
        let mut scope_is_unsaid = false;
        if before.is_edge() {
            // Another scope than its own is passed over, and none is refused (§3.7). But one that is made anew and no edge device has
            // none: the hub makes it one as it becomes an edge device.
            let is_new_leaf =
                was_made_anew && !fate.may_not_be_deleted && fate.identity.as_ref().is_some_and(|made| !made.is_edge());
            let scope = before.raw_scope().or(now.and_then(DeviceLine::raw_scope));
            line.identity.device_scope = scope.filter(|_| !is_new_leaf);
            scope_is_unsaid = scope.is_none() && !was_made_anew && line.module_id.is_none();
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
            } else if scope_is_unsaid {
                batch.note(Code::DeviceScope, Severity::Warning, ids, OWN_SCOPE_NOT_SAID);
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
    pub(super) fn note_parent(&self, before: &DeviceLine<'_>, ids: Ids<'_>, batch: &mut LinesBatch) {
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
        device_scope: line.raw_scope(),
        parent_scopes: line.value(Member::ParentScopes),
    }
}
