//! Whether a device or module is as an import left it, by an export from after the import.

use std::borrow::Cow;

use hubmill_device::{AuthenticationType, Member};
use hubmill_registry::{Authentication, DeviceLine, Section};

use crate::compare::{difference, lacks_keys, same_authentication};
use crate::fate::Fate;

/// How a device or module is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    AsImported,
    AsBefore,
    Changed,
}

/// Compares what is there now with what the import left, and with what was there before.
pub(crate) fn is_as_left(after: Option<&DeviceLine<'_>>, fate: &Fate<'_>, before: Option<&DeviceLine<'_>>) -> Left {
    let (after, before) = match (after, before) {
        (None, None) => return Left::AsBefore,
        (None, Some(_)) => return if fate.exists { Left::Changed } else { Left::AsImported },
        (Some(after), before) => (after, before),
    };
    let same_sections = |value: &dyn Fn(Section) -> Option<Option<Vec<u8>>>| {
        Section::ALL
            .into_iter()
            .all(|section| value(section).is_none_or(|value| section.same(after.section(section), value.as_deref())))
    };
    if let Some(before) = before {
        let touched = |section: Section| fate.deleted_at.is_some() || fate.sections[section as usize].is_some();
        let same_identity = (fate.identity.is_none() && fate.exists) || !difference(after, before).identity;
        let owned = |section| touched(section).then(|| before.section(section).map(<[u8]>::to_vec));
        // A device that was made anew is as it was but for what no export shows: nothing is left to be done for it.
        if same_identity && same_sections(&owned) {
            return if may_hide_import(after, fate, before) { Left::AsImported } else { Left::AsBefore };
        }
    }
    if !fate.exists {
        return Left::Changed;
    }
    let same_identity = fate
        .identity
        .is_none_or(|import| !difference(after, &import).identity && may_be_of_import(after, &import, before));
    let written = |section: Section| {
        // What devices report changes by itself.
        let checked = section != Section::Reported;
        fate.sections[section as usize].filter(|_| checked).map(|value| Some(value.to_vec()))
    };
    if same_identity && same_sections(&written) { Left::AsImported } else { Left::Changed }
}

/// Whether what the import wrote may be there although all that can be seen is as it was before: an export without keys does not show
/// how a device authenticates (§4).
fn may_hide_import(after: &DeviceLine<'_>, fate: &Fate<'_>, before: &DeviceLine<'_>) -> bool {
    let etag = after.etag(Member::ETag);
    // The ETag of before is still there only where nothing was written. One that was made anew may have been given the same.
    let is_unwritten = fate.deleted_at.is_none() && etag.is_some() && etag == before.etag(Member::ETag);
    if !fate.exists || !lacks_keys(after) || is_unwritten {
        return false;
    }
    fate.identities.iter().chain(&fate.identity).any(|import| {
        let changes = lacks_keys(import) || lacks_keys(before) || !same_authentication(import, before).0;
        // What the line says of other members has to be there, too, or it was not applied.
        changes && !difference(after, import).identity
    })
}

/// Whether what is there now may authenticate as the import's line left it: one without keys has the hub make both anew (§4).
fn may_be_of_import(after: &DeviceLine<'_>, import: &DeviceLine<'_>, before: Option<&DeviceLine<'_>>) -> bool {
    if !lacks_keys(import) || lacks_keys(after) {
        return true;
    }
    let Authentication::Said(now) = after.authentication() else { return true };
    let old = match before.map(|before| before.authentication()) {
        Some(Authentication::Said(before)) => before.keys,
        _ => [None, None],
    };
    let is_old = |key: &Option<Cow<'_, [u8]>>| key.is_some() && old.iter().any(|old| old.as_deref() == key.as_deref());
    now.kind == Some(AuthenticationType::Sas) && !now.keys.iter().any(is_old)
}
