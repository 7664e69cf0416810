//! What a line says of its authentication (§1.2, §3.5).

use hubmill_device::{AuthenticationType, Code, Member, same_name};
use hubmill_parser::{MemberSpan, Record, Span};

use crate::finding::{Detail, Finding};
use crate::names::{Names, case_variant, twice, unique};

/// One of the two keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Key {
    /// No such member.
    #[default]
    Missing,
    /// null or an empty string: the value.
    Empty(Span),
    /// A string: the value, quotes and all.
    There(Span),
}

impl Key {
    pub(crate) fn there(self) -> Option<Span> {
        match self {
            Self::There(span) => Some(span),
            Self::Missing | Self::Empty(_) => None,
        }
    }
}

/// `symmetricKey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymmetricKey {
    Missing,
    /// null: the value.
    Null(Span),
    Object {
        primary: Key,
        secondary: Key,
        /// Where a member can be added, and whether it is the first.
        end: u32,
        empty: bool,
    },
}

/// `authentication` as an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authentication {
    pub(crate) kind: Option<AuthenticationType>,
    pub(crate) symmetric_key: SymmetricKey,
    /// An X.509 thumbprint is there.
    pub(crate) thumbprint: bool,
    /// Where its value starts.
    pub(crate) start: u32,
    /// Where a first member can be put in, and whether it is the only one then.
    pub(crate) first: u32,
    pub(crate) empty: bool,
}

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// The keys only.
    Keys,
    /// Type and thumbprints, too: who authenticates how.
    All,
}

const PATH: &str = "authentication";
const KEY_PATH: &str = "authentication.symmetricKey";
const THUMBPRINT_PATH: &str = "authentication.x509Thumbprint";

/// Reads `authentication`; `None` where it is null or missing.
pub(crate) fn read(record: &Record<'_>, names: &Names, depth: Depth) -> Result<Option<Authentication>, Finding> {
    let Some(member) = names.get(record, Member::Authentication) else {
        return Ok(None);
    };
    let Some(inner) = object_or_null(record, member, PATH)? else {
        return Ok(None);
    };
    let mut found: [Option<MemberSpan>; 3] = [None; 3];
    let ends = pick(record, inner, &["symmetricKey", "x509Thumbprint", "type"], PATH, &mut found)?;
    let [symmetric_key, thumbprints, kind] = found;
    Ok(Some(Authentication {
        symmetric_key: read_symmetric_key(record, symmetric_key, depth)?,
        thumbprint: depth == Depth::All && read_thumbprints(record, thumbprints)?,
        kind: if depth == Depth::All { read_kind(record, kind)? } else { None },
        start: member.value.start,
        first: ends.map_or(member.value.start + 1, |(first, _)| first),
        empty: ends.is_none(),
    }))
}

fn read_symmetric_key(record: &Record<'_>, member: Option<MemberSpan>, depth: Depth) -> Result<SymmetricKey, Finding> {
    let Some(member) = member else {
        return Ok(SymmetricKey::Missing);
    };
    let Some(inner) = object_or_null(record, &member, KEY_PATH)? else {
        return Ok(SymmetricKey::Null(member.value));
    };
    let mut found = [None; 2];
    let ends = pick(record, inner, &["primaryKey", "secondaryKey"], KEY_PATH, &mut found)?;
    let [primary, secondary] = found;
    Ok(SymmetricKey::Object {
        primary: read_key(record, primary, "authentication.symmetricKey.primaryKey", depth)?,
        secondary: read_key(record, secondary, "authentication.symmetricKey.secondaryKey", depth)?,
        end: ends.map_or(member.value.start + 1, |(_, end)| end),
        empty: ends.is_none(),
    })
}

fn read_key(record: &Record<'_>, member: Option<MemberSpan>, path: &'static str, depth: Depth) -> Result<Key, Finding> {
    let Some(member) = member else {
        return Ok(Key::Missing);
    };
    match record.bytes(member.value) {
        b"null" | b"\"\"" => Ok(Key::Empty(member.value)),
        [b'"', ..] => Ok(Key::There(member.value)),
        // What is taken away may be anything.
        _ if depth == Depth::Keys => Ok(Key::There(member.value)),
        _ => Err(wrong_type(&member, path, "a string or null")),
    }
}

fn read_thumbprints(record: &Record<'_>, member: Option<MemberSpan>) -> Result<bool, Finding> {
    let Some(member) = member else {
        return Ok(false);
    };
    let Some(inner) = object_or_null(record, &member, THUMBPRINT_PATH)? else {
        return Ok(false);
    };
    let mut found = [None; 2];
    pick(record, inner, &["primaryThumbprint", "secondaryThumbprint"], THUMBPRINT_PATH, &mut found)?;
    let [primary, secondary] = found;
    let primary = read_key(record, primary, "authentication.x509Thumbprint.primaryThumbprint", Depth::All)?;
    let secondary = read_key(record, secondary, "authentication.x509Thumbprint.secondaryThumbprint", Depth::All)?;
    Ok(primary.there().or(secondary.there()).is_some())
}

fn read_kind(record: &Record<'_>, member: Option<MemberSpan>) -> Result<Option<AuthenticationType>, Finding> {
    let Some(member) = member else {
        return Ok(None);
    };
    let raw = record.bytes(member.value);
    if raw == b"null" {
        return Ok(None);
    }
    let kind = match record.text(member.value) {
        Some(text) => AuthenticationType::from_text(&text),
        None => AuthenticationType::from_text(raw),
    };
    match kind {
        Some(kind) => Ok(Some(kind)),
        None => Err(Finding::new(
            Code::AuthenticationType,
            member.value.start,
            "authentication.type",
            Detail::Type("sas, selfSigned, certificateAuthority or none (§1.2)"),
        )),
    }
}

/// The members of an object; `None` where the value is null, a finding where it is anything else.
pub(crate) fn object_or_null<'r>(
    record: &Record<'r>,
    member: &MemberSpan,
    path: &'static str,
) -> Result<Option<hubmill_parser::Members<'r>>, Finding> {
    match record.object(member) {
        Some(members) => Ok(Some(members)),
        None if record.bytes(member.value) == b"null" => Ok(None),
        None => Err(wrong_type(member, path, "an object or null")),
    }
}

#[cold]
pub(crate) fn wrong_type(member: &MemberSpan, path: &'static str, expected: &'static str) -> Finding {
    Finding::new(Code::MemberType, member.value.start, path, Detail::Type(expected))
}

/// Picks the members of these names into `found`. No name may stand twice, or be one of the wanted in another case.
///
/// Returns where the first member starts and the last one ends; `None` for an object without members.
pub(crate) fn pick<'r>(
    record: &Record<'r>,
    members: impl Iterator<Item = MemberSpan>,
    wanted: &[&'static str],
    path: &'static str,
    found: &mut [Option<MemberSpan>],
) -> Result<Option<(u32, u32)>, Finding> {
    let mut first = None;
    let mut end = 0;
    let mut others = Vec::new();
    for member in members {
        first.get_or_insert(member.start());
        end = member.value.end;
        let name = record.name(&member);
        match wanted.iter().position(|want| same_name(&name, want.as_bytes())) {
            Some(place) if found[place].is_some() => return Err(twice(&member, path)),
            Some(place) => found[place] = Some(member),
            None => {
                if let Some(exact) = wanted.iter().find(|want| name.eq_ignore_ascii_case(want.as_bytes())) {
                    return Err(case_variant(&member, path, exact));
                }
                others.push(member);
            }
        }
    }
    if others.len() > 1 {
        unique(record, others.iter(), path)?;
    }
    Ok(first.map(|first| (first, end)))
}
