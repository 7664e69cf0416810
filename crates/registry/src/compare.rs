//! What a line would change of a device or module as it is.

use std::borrow::Cow;
use std::fmt::Write as _;

use hubmill_device::{AuthenticationType, Member, Printable, Status};
use hubmill_pipeline::shown;

use crate::decide::Match;
use crate::equality::{members, same_json};
use crate::line::{Authentication, Credentials, DeviceLine, Section};

/// A device or module as it is: its identity, and the sections of its twin, which may come from different lines.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The line that says what its identity is.
    pub identity: DeviceLine<'a>,
    /// Its twin, by [`Section`].
    pub sections: [Option<&'a [u8]>; 3],
    /// The identity is the export's: what it does not say of authentication is not known. Where a line of an import does not say
    /// it, the hub makes keys (§4).
    pub is_exported: bool,
    /// The ETags are the hub's: nothing was written since the export.
    pub has_etags: bool,
}

impl<'a> View<'a> {
    /// Of a line of an export.
    pub fn of(line: DeviceLine<'a>) -> Self {
        let sections = Section::ALL.map(|section| line.section(section));
        Self { identity: line, sections, is_exported: true, has_etags: true }
    }
}

/// Members of an identity that differ, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdentityChanges(u16);

impl IdentityChanges {
    /// `status`
    pub const STATUS: u16 = 1;
    /// `statusReason`
    pub const STATUS_REASON: u16 = 1 << 1;
    /// `authentication.type`
    pub const TYPE: u16 = 1 << 2;
    /// The keys: the primary one, and the secondary one with the next bit.
    pub const KEYS: u16 = 1 << 3;
    /// The thumbprints, the same way.
    pub const THUMBPRINTS: u16 = 1 << 5;
    /// `capabilities.iotEdge`
    pub const EDGE: u16 = 1 << 7;
    /// `deviceScope`
    pub const SCOPE: u16 = 1 << 8;
    /// `authentication` is in one of the two lines only, so that it is not known whether it differs.
    pub const NOT_KNOWN: u16 = 1 << 9;

    const PATHS: [(u16, &'static str); 10] = [
        (Self::STATUS, "status"),
        (Self::STATUS_REASON, "statusReason"),
        (Self::TYPE, "authentication.type"),
        (Self::KEYS, "authentication.symmetricKey.primaryKey"),
        (Self::KEYS << 1, "authentication.symmetricKey.secondaryKey"),
        (Self::THUMBPRINTS, "authentication.x509Thumbprint.primaryThumbprint"),
        (Self::THUMBPRINTS << 1, "authentication.x509Thumbprint.secondaryThumbprint"),
        (Self::EDGE, "capabilities.iotEdge"),
        (Self::SCOPE, "deviceScope"),
        (Self::NOT_KNOWN, "authentication"),
    ];

    /// Whether nothing differs.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether any of these differs.
    pub fn has(self, members: u16) -> bool {
        self.0 & members != 0
    }

    fn set(&mut self, member: u16, differs: bool) {
        if differs {
            self.0 |= member;
        }
    }

    /// The paths of the members that differ.
    pub fn paths(self) -> impl Iterator<Item = &'static str> {
        Self::PATHS.into_iter().filter(move |(member, _)| self.has(*member)).map(|(_, path)| path)
    }
}

/// Sections of a twin, a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sections(u8);

impl Sections {
    /// Whether it is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the section is one of them.
    pub fn has(self, section: Section) -> bool {
        self.0 >> section as u8 & 1 == 1
    }

    /// Adds one.
    pub fn insert(&mut self, section: Section) {
        self.0 |= 1 << section as u8;
    }

    /// Of a line: those that it has.
    pub fn of(line: &DeviceLine<'_>) -> Self {
        let mut sections = Self::default();
        Section::ALL
            .into_iter()
            .filter(|section| line.section(*section).is_some())
            .for_each(|one| sections.insert(one));
        sections
    }
}

/// How a line compares with a device or module as it is.
#[derive(Clone, Copy, Debug)]
pub struct Comparison {
    /// `eTag`
    pub etag: Match,
    /// `twinETag`
    pub twin_etag: Match,
    /// What would change where the identity is replaced.
    pub identity: IdentityChanges,
    /// The sections that the line has and that say something else.
    pub differing: Sections,
    /// Those of them where there is something to replace: if the hub merged, the outcome would be another one (§2).
    pub replacing: Sections,
    /// Neither of the old keys would work any more.
    pub loses_keys: bool,
    /// It authenticates by a certificate now, and would by keys.
    pub turns_sas: bool,
    /// How it authenticates now is not in the export (§4).
    pub is_keyless: bool,
    /// It may connect now, and could not any more.
    pub disables: bool,
    /// An edge device's scope would be blanked (§3.7).
    pub blanks_scope: bool,
    /// An edge device would be none any more, and its scope is immutable (§3.7).
    pub stops_edge: bool,
}

/// Compares.
pub fn compare(view: &View<'_>, line: &DeviceLine<'_>) -> Comparison {
    let (from, to) = (authentication(view), line.authentication());
    let mut comparison = Comparison {
        etag: compare_etag(view, line, Member::ETag),
        twin_etag: compare_etag(view, line, Member::TwinETag),
        identity: IdentityChanges::default(),
        differing: Sections::default(),
        replacing: Sections::default(),
        loses_keys: false,
        turns_sas: false,
        is_keyless: from == Authentication::NotSaid,
        disables: view.identity.status() == Some(Status::Enabled) && line.status() == Some(Status::Disabled),
        blanks_scope: false,
        stops_edge: false,
    };
    compare_authentication(&mut comparison, &from, &to);
    let changes = &mut comparison.identity;
    changes.set(IdentityChanges::STATUS, view.identity.status() != line.status());
    changes.set(IdentityChanges::STATUS_REASON, view.identity.status_reason() != line.status_reason());
    let (was_edge, is_edge) = (view.identity.is_edge(), line.is_edge());
    changes.set(IdentityChanges::EDGE, was_edge != is_edge);
    let scopes = [view.identity.device_scope(), line.device_scope()];
    let is_device = line.module_id().is_none();
    comparison.stops_edge = was_edge && !is_edge && is_device;
    if was_edge && is_edge && is_device {
        // Its own scope, which it has whether the export says so or not, never changes (§3.7).
        comparison.blanks_scope = scopes[1].as_deref().is_none_or(|scope| scope.trim_ascii().is_empty());
    } else {
        changes.set(IdentityChanges::SCOPE, scopes[0] != scopes[1]);
    }
    for section in Section::ALL {
        let (now, then) = (view.sections[section as usize], line.section(section));
        if then.is_some() && !section.same(now, then) {
            comparison.differing.insert(section);
            if !section.same(now, None) {
                comparison.replacing.insert(section);
            }
        }
    }
    comparison
}

/// How it authenticates now. Keys that the hub made are in no file.
fn authentication<'a>(view: &View<'a>) -> Authentication<'a> {
    match view.identity.authentication() {
        Authentication::NotSaid if !view.is_exported => Authentication::Said(BY_HUB),
        said => said,
    }
}

/// What the hub makes where it makes the keys.
const BY_HUB: Credentials<'_> =
    Credentials { kind: Some(AuthenticationType::Sas), keys: [None, None], thumbprints: [None, None] };

fn compare_authentication(comparison: &mut Comparison, from: &Authentication<'_>, to: &Authentication<'_>) {
    let changes = &mut comparison.identity;
    let (from, to) = match (from, to) {
        (Authentication::NotSaid, Authentication::Said(to)) if !to.need_keys() => {
            changes.set(IdentityChanges::NOT_KNOWN, true);
            return;
        }
        // Whatever it was, the hub makes new keys.
        (Authentication::NotSaid, _) => {
            changes.set(IdentityChanges::KEYS | IdentityChanges::KEYS << 1, true);
            return;
        }
        (Authentication::Said(from), to) => (from, to),
    };
    let by_hub = BY_HUB;
    let needs_keys = to.needs_keys();
    let to = match to {
        Authentication::Said(to) => to,
        Authentication::NotSaid => &by_hub,
    };
    changes.set(IdentityChanges::TYPE, from.kind != to.kind);
    for number in 0..2 {
        let key = needs_keys || from.keys[number] != to.keys[number];
        changes.set(IdentityChanges::KEYS << number, key);
        changes.set(IdentityChanges::THUMBPRINTS << number, from.thumbprints[number] != to.thumbprints[number]);
    }
    let is_kept = |key: &Option<Cow<'_, [u8]>>| key.is_some() && to.keys.contains(key);
    comparison.loses_keys = from.keys.iter().any(Option::is_some) && !from.keys.iter().any(is_kept);
    comparison.turns_sas = from.is_x509() && to.kind == by_hub.kind;
}

fn compare_etag(view: &View<'_>, line: &DeviceLine<'_>, member: Member) -> Match {
    let Some(etag) = line.etag(member) else {
        return Match::Absent;
    };
    match view.identity.etag(member).filter(|_| view.has_etags) {
        Some(own) if *etag != *b"*" => {
            if own == etag {
                Match::Equal
            } else {
                Match::Differs
            }
        }
        _ => Match::NotKnown,
    }
}

/// Paths of a twin that are named at most.
const PATHS_MAX: usize = 50;

/// What would change, in words: the paths of the members, with values where they are no secrets. `identity` and
/// `sections` say what would be written.
pub fn describe(view: &View<'_>, line: &DeviceLine<'_>, comparison: &Comparison, writes_identity: bool) -> Vec<String> {
    let mut all = Vec::new();
    if writes_identity {
        for path in comparison.identity.paths() {
            all.push(match path {
                "status" => format!("{path}: {} → {}", status_word(&view.identity), status_word(line)),
                "authentication.type" => format!("{path}: {} → {}", kind_word(&view.identity), kind_word(line)),
                "capabilities.iotEdge" => format!("{path}: {} → {}", view.identity.is_edge(), line.is_edge()),
                "authentication" => format!("{path}: not known, since it is not in the export"),
                path if path.contains("Key") && line.authentication().needs_keys() => {
                    format!("{path}: REDACTED → a new one, by the hub")
                }
                path if path.contains("Key") => format!("{path}: REDACTED → REDACTED"),
                path => path.to_owned(),
            });
        }
    }
    for section in Section::ALL {
        if comparison.differing.has(section) {
            let now = view.sections[section as usize].unwrap_or(b"{}");
            let then = line.section(section).unwrap_or(b"{}");
            changed_paths(section.path(), now, then, section.kept_by_hub(), &mut all);
        }
    }
    all
}

fn status_word(line: &DeviceLine<'_>) -> &'static str {
    line.status().map_or("not known", Status::as_str)
}

fn kind_word(line: &DeviceLine<'_>) -> &'static str {
    match line.authentication() {
        Authentication::Said(Credentials { kind: Some(kind), .. }) => kind.as_str(),
        Authentication::Said(_) => "not known",
        Authentication::NotSaid => "sas",
    }
}

/// The paths of members that are in one object only, or differ; deeper where both are objects.
fn changed_paths(path: &str, one: &[u8], other: &[u8], left_out: &[&str], all: &mut Vec<String>) {
    let first = all.len();
    // What is still to be looked into, deepest last: no recursion, whatever the input.
    let mut open = vec![(path.to_owned(), one, other, left_out)];
    while let Some((path, one, other, left_out)) = open.pop() {
        let decoded = |object| members(object).map(|(name, value)| (hubmill_parser::decode(name), value));
        let mut names: Vec<Cow<'_, [u8]>> = Vec::new();
        for (name, _) in decoded(one).chain(decoded(other)) {
            let is_left_out = left_out.iter().any(|known| known.as_bytes() == &*name);
            if !is_left_out && !names.contains(&name) {
                names.push(name);
            }
            if names.len() > 1_000 {
                break;
            }
        }
        for name in names {
            let value = |object| decoded(object).filter(|(other, _)| *other == name).last().map(|(_, value)| value);
            let (was, is) = (value(one), value(other));
            if let (Some(was), Some(is)) = (was, is)
                && same_json(was, is)
            {
                continue;
            }
            let mut path = path.clone();
            let _ = write!(path, ".{}", Printable(&shown(&name)));
            match (was, is) {
                (Some(was), Some(is))
                    if was.first() == Some(&b'{') && is.first() == Some(&b'{') && open.len() < PATHS_MAX =>
                {
                    open.push((path, was, is, &[]));
                }
                _ => {
                    if all.len() - first == PATHS_MAX {
                        all.push("…".to_owned());
                        return;
                    }
                    let what = match (was, is) {
                        (None, _) => " added",
                        (_, None) => " removed",
                        _ => "",
                    };
                    all.push(path + what);
                }
            }
        }
    }
}
