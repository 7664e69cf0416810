//! What differs between two lines of one device or module, as far as an import can change it.
//!
//! Absent, empty and default values are equal. ETags do not count, and what only the hub makes does not either: an edge
//! device's own scope, and the number at the end of its children's (§3.7).

use std::sync::LazyLock;

use hubmill_device::{Member, Status, scope_parent};
use hubmill_registry::{DeviceLine, Section};
use memchr::memmem::Finder;

/// What differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Status, its reason, authentication, capabilities or scope.
    pub(crate) identity: bool,
    /// By [`Section`].
    pub(crate) sections: [bool; 3],
    /// One of the two lines does not say how it authenticates, so that it can't be compared (§4).
    pub(crate) authentication_unknown: bool,
}

impl Difference {
    /// Whether nothing is known to differ.
    pub(crate) fn is_none(self) -> bool {
        !self.identity && self.sections == [false; 3]
    }
}

/// Compares two lines of the same device or module.
pub(crate) fn difference(one: &DeviceLine<'_>, other: &DeviceLine<'_>) -> Difference {
    let sections = Section::ALL.map(|section| !section.same(one.section(section), other.section(section)));
    let (same_authentication, authentication_unknown) = same_authentication(one, other);
    let same_identity = same_authentication
        && status(one) == status(other)
        && one.status_reason() == other.status_reason()
        && one.is_edge() == other.is_edge()
        && (one.is_edge() || same_scope(one, other));
    Difference { identity: !same_identity, sections, authentication_unknown }
}

/// Whether a line leaves its keys to the hub (§4). As hubs write them, keys are seen at the start.
pub(crate) fn lacks_keys(line: &DeviceLine<'_>) -> bool {
    const START: &[u8] = b"{\"symmetricKey\":{\"primaryKey\":\"";
    static ANOTHER: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"symmetricKey"));
    let Some(value) = line.value(Member::Authentication) else { return true };
    let rest = value.strip_prefix(START).unwrap_or_default();
    let is_usual = !rest.is_empty() && rest[0] != b'"' && ANOTHER.find(rest).is_none();
    !is_usual && line.authentication().needs_keys()
}

/// Whether the two authenticate the same way, and whether that is not known: null, and symmetric keys that are not there, say nothing
/// of what a hub has.
pub(crate) fn same_authentication(one: &DeviceLine<'_>, other: &DeviceLine<'_>) -> (bool, bool) {
    if one.raw(Member::Authentication) == other.raw(Member::Authentication) {
        return (true, lacks_keys(one));
    }
    let unknown = lacks_keys(one) || lacks_keys(other);
    (unknown || one.authentication() == other.authentication(), unknown)
}

/// Modules have no status (§1.7); where nothing is said, both are what the hub makes of that.
fn status(line: &DeviceLine<'_>) -> Option<Status> {
    match line.raw(Member::Status) {
        None => Some(Status::Enabled),
        Some(_) => line.status(),
    }
}

/// Whether two devices that are no edge devices have the same parent.
fn same_scope(one: &DeviceLine<'_>, other: &DeviceLine<'_>) -> bool {
    match (one.device_scope(), other.device_scope()) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            one == other || scope_parent(&one).is_some_and(|parent| Some(parent) == scope_parent(&other))
        }
        _ => false,
    }
}
