//! Rules that take members out.

use hubmill_device::{ImportMode, Member, MemberSet};
use hubmill_parser::Record;

use crate::authentication::{object_or_null, pick};
use crate::edit::Remover;
use crate::finding::Finding;
use crate::rules::Rules;
use crate::scratch::Scratch;

/// What a delete needs (§9.1).
const KEPT_BY_DELETE: MemberSet =
    MemberSet::of(&[Member::Id, Member::ModuleId, Member::ETag, Member::ImportMode, Member::Status]);
/// What a twin update needs (§2).
const KEPT_BY_UPDATE_TWIN: MemberSet = MemberSet::of(&[
    Member::Id,
    Member::ModuleId,
    Member::ImportMode,
    Member::Status,
    Member::TwinETag,
    Member::Tags,
    Member::Properties,
]);

impl Rules {
    /// `--minimal`, `--strip-etags`, `--strip-twin`, `--strip-metadata`.
    pub(crate) fn take_members_out(
        &self,
        scratch: &mut Scratch,
        record: &Record<'_>,
        mode: ImportMode,
    ) -> Result<(), Finding> {
        let mut removed = scratch.changes.removed | self.removed;
        let mut desired_only = false;
        if self.minimal {
            let kept = match mode {
                _ if mode.is_delete() => Some(KEPT_BY_DELETE),
                _ if mode.is_update_twin() => Some(KEPT_BY_UPDATE_TWIN),
                _ => None,
            };
            if let Some(kept) = kept {
                removed = removed | kept.complement();
                scratch.changes.unknown_removed = true;
                desired_only = mode.is_update_twin();
            }
        }
        if !removed.contains(Member::Properties)
            && (desired_only || self.strip_metadata)
            && !self.trim_properties(scratch, record, desired_only)?
        {
            removed.insert(Member::Properties);
        }
        scratch.changes.removed = removed;
        Ok(())
    }

    /// Trims what is inside of `properties`; `false` where nothing of it is needed.
    fn trim_properties(&self, scratch: &mut Scratch, record: &Record<'_>, desired_only: bool) -> Result<bool, Finding> {
        let Some(properties) = scratch.layouts.names().get(record, Member::Properties) else {
            return Ok(true);
        };
        let Some(inner) = object_or_null(record, &properties, "properties")? else {
            return Ok(!desired_only);
        };
        let mut found = [None; 2];
        pick(record, inner, &["desired", "reported"], "properties", &mut found)?;
        let [desired, reported] = found;
        let inside = &mut scratch.changes.inside;
        if desired_only {
            let Some(desired) = desired else {
                return Ok(false);
            };
            if let Some(inner) = record.object(&properties) {
                Remover::all(inner, |member| member.name != desired.name, inside);
            }
        }
        if self.strip_metadata {
            for section in [desired, if desired_only { None } else { reported }].into_iter().flatten() {
                if let Some(inner) = record.object(&section) {
                    Remover::all(
                        inner,
                        |member| matches!(record.name(member).as_ref(), b"$metadata" | b"$version"),
                        inside,
                    );
                }
            }
        }
        Ok(true)
    }
}
