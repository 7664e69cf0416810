//! What a line says of its authentication (§1.2, §3.5).

use hubmill_device::{AuthenticationType, Code, Member, Place, same_name};
use hubmill_parser::{MemberSpan, MemberTokens, Record, Span};

use crate::finding::{Detail, Finding};
use crate::layout::Layouts;
use crate::names::{PAIRWISE_MAX, case_variant, twice, unique};

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

/// Where the primary and the secondary key stand in a line.
pub(crate) const KEY_PATHS: [&str; 2] =
    ["authentication.symmetricKey.primaryKey", "authentication.symmetricKey.secondaryKey"];
/// Where the primary and the secondary thumbprint stand in a line.
pub(crate) const THUMBPRINT_PATHS: [&str; 2] =
    ["authentication.x509Thumbprint.primaryThumbprint", "authentication.x509Thumbprint.secondaryThumbprint"];

/// The members inside of `authentication` that rules go by, and those of its objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Inside<T> {
    symmetric_key: Option<T>,
    thumbprint: Option<T>,
    kind: Option<T>,
    /// The first member of all.
    first: Option<T>,
    /// `primaryKey` and `secondaryKey`, and the last member of `symmetricKey`.
    keys: [Option<T>; 2],
    last_of_key: Option<T>,
    /// `primaryThumbprint` and `secondaryThumbprint`.
    thumbprints: [Option<T>; 2],
}

impl Inside<MemberSpan> {
    /// Finds the members. What goes wrong here follows from names alone; whether an object should be one is seen later.
    fn find(record: &Record<'_>, authentication: &MemberSpan, depth: Depth) -> Result<Self, Finding> {
        let mut inside = Self::default();
        let Some(members) = record.object(authentication) else {
            return Ok(inside);
        };
        let mut found = [None; 3];
        let ends = pick(record, members, Place::Authentication.names(), Place::Authentication.path(), &mut found)?;
        [inside.symmetric_key, inside.thumbprint, inside.kind] = found;
        inside.first = ends.map(|(first, _)| first);
        if let Some(members) = inside.symmetric_key.and_then(|member| record.object(&member)) {
            let ends =
                pick(record, members, Place::SymmetricKey.names(), Place::SymmetricKey.path(), &mut inside.keys)?;
            inside.last_of_key = ends.map(|(_, last)| last);
        }
        if depth == Depth::All
            && let Some(members) = inside.thumbprint.and_then(|member| record.object(&member))
        {
            pick(record, members, Place::Thumbprint.names(), Place::Thumbprint.path(), &mut inside.thumbprints)?;
        }
        Ok(inside)
    }

    /// The same members by their tokens.
    fn tokens(&self, record: &Record<'_>) -> Option<Inside<MemberTokens>> {
        let tokens = |member: Option<MemberSpan>| match member {
            Some(member) => record.tokens(&member).map(Some),
            None => Some(None),
        };
        Some(Inside {
            symmetric_key: tokens(self.symmetric_key)?,
            thumbprint: tokens(self.thumbprint)?,
            kind: tokens(self.kind)?,
            first: tokens(self.first)?,
            keys: [tokens(self.keys[0])?, tokens(self.keys[1])?],
            last_of_key: tokens(self.last_of_key)?,
            thumbprints: [tokens(self.thumbprints[0])?, tokens(self.thumbprints[1])?],
        })
    }
}

/// How to get from a found member to where it stands.
pub(crate) trait Locate: Copy {
    fn value(self, record: &Record<'_>) -> Span;
    fn start(self, record: &Record<'_>) -> u32;
}

impl Locate for MemberSpan {
    #[inline(always)]
    fn value(self, _: &Record<'_>) -> Span {
        self.value
    }

    fn start(self, _: &Record<'_>) -> u32 {
        MemberSpan::start(&self)
    }
}

impl Locate for MemberTokens {
    #[inline(always)]
    fn value(self, record: &Record<'_>) -> Span {
        record.value_at(self)
    }

    fn start(self, record: &Record<'_>) -> u32 {
        MemberSpan::start(&record.at(self))
    }
}

/// Reads `authentication`; `None` where it is null or missing.
#[inline]
pub(crate) fn read(record: &Record<'_>, layouts: &mut Layouts) -> Result<Option<Authentication>, Finding> {
    let Some(value) = layouts.names().value(record, Member::Authentication) else {
        return Ok(None);
    };
    match layouts.authentication(Depth::All) {
        Some(inside) => inside.read(record, value),
        None => find_and_keep(record, layouts, Depth::All)?.read(record, value),
    }
}

/// The values of the two keys, whatever they are, where they are there.
#[inline]
pub(crate) fn read_keys(record: &Record<'_>, layouts: &mut Layouts) -> Result<[Option<Span>; 2], Finding> {
    let Some(value) = layouts.names().value(record, Member::Authentication) else {
        return Ok([None; 2]);
    };
    match layouts.authentication(Depth::Keys) {
        Some(inside) => inside.read_keys(record, value),
        None => find_and_keep(record, layouts, Depth::Keys)?.read_keys(record, value),
    }
}

#[cold]
fn find_and_keep(record: &Record<'_>, layouts: &mut Layouts, depth: Depth) -> Result<Inside<MemberSpan>, Finding> {
    let Some(authentication) = layouts.names().get(record, Member::Authentication) else {
        return Ok(Inside::default());
    };
    let inside = Inside::find(record, &authentication, depth)?;
    if record.form_covers(&authentication)
        && let Some(tokens) = inside.tokens(record)
    {
        layouts.keep_authentication(depth, tokens);
    }
    Ok(inside)
}

impl<T: Locate> Inside<T> {
    /// The value of a member that is an object; `None` where it is missing or null.
    #[inline]
    fn object(member: Option<T>, record: &Record<'_>, path: &'static str) -> Result<Option<Span>, Finding> {
        let Some(value) = member.map(|member| member.value(record)) else {
            return Ok(None);
        };
        Ok(is_object(record, value, path)?.then_some(value))
    }

    #[inline]
    fn read_keys(&self, record: &Record<'_>, authentication: Span) -> Result<[Option<Span>; 2], Finding> {
        if !is_object(record, authentication, Place::Authentication.path())?
            || Self::object(self.symmetric_key, record, Place::SymmetricKey.path())?.is_none()
        {
            return Ok([None; 2]);
        }
        let [primary, secondary] = self.keys;
        Ok([primary.map(|key| key.value(record)), secondary.map(|key| key.value(record))])
    }

    #[inline]
    fn read(&self, record: &Record<'_>, authentication: Span) -> Result<Option<Authentication>, Finding> {
        if !is_object(record, authentication, Place::Authentication.path())? {
            return Ok(None);
        }
        let mut symmetric_key = SymmetricKey::Missing;
        if let Some(member) = self.symmetric_key {
            symmetric_key = match Self::object(Some(member), record, Place::SymmetricKey.path())? {
                None => SymmetricKey::Null(member.value(record)),
                Some(object) => {
                    let [primary, secondary] = self.keys;
                    let last = self.last_of_key.map(|last| last.value(record));
                    SymmetricKey::Object {
                        primary: read_key(record, primary, KEY_PATHS[0])?,
                        secondary: read_key(record, secondary, KEY_PATHS[1])?,
                        end: last.map_or(object.start + 1, |last| last.end),
                        empty: last.is_none(),
                    }
                }
            };
        }
        let mut thumbprint = false;
        if Self::object(self.thumbprint, record, Place::Thumbprint.path())?.is_some() {
            let [primary, secondary] = self.thumbprints;
            let primary = read_key(record, primary, THUMBPRINT_PATHS[0])?;
            let secondary = read_key(record, secondary, THUMBPRINT_PATHS[1])?;
            thumbprint = primary.there().or(secondary.there()).is_some();
        }
        let first = self.first.map(|first| first.start(record));
        Ok(Some(Authentication {
            symmetric_key,
            thumbprint,
            kind: read_kind(record, self.kind.map(|kind| kind.value(record)))?,
            start: authentication.start,
            first: first.unwrap_or(authentication.start + 1),
            empty: first.is_none(),
        }))
    }
}

#[inline]
fn read_key<T: Locate>(record: &Record<'_>, member: Option<T>, path: &'static str) -> Result<Key, Finding> {
    let Some(value) = member.map(|member| member.value(record)) else {
        return Ok(Key::Missing);
    };
    match record.bytes(value) {
        b"null" | b"\"\"" => Ok(Key::Empty(value)),
        [b'"', ..] => Ok(Key::There(value)),
        _ => Err(wrong_type(value, path, "a string or null")),
    }
}

fn read_kind(record: &Record<'_>, value: Option<Span>) -> Result<Option<AuthenticationType>, Finding> {
    let Some(value) = value else {
        return Ok(None);
    };
    let raw = record.bytes(value);
    match raw {
        // An empty text is null to the hub's reader, probably (§1.5).
        b"null" | b"\"\"" => return Ok(None),
        b"\"sas\"" => return Ok(Some(AuthenticationType::Sas)),
        _ => {}
    }
    let kind = match record.text(value) {
        Some(text) => AuthenticationType::from_text(&text),
        None => AuthenticationType::from_text(raw),
    };
    match kind {
        Some(kind) => Ok(Some(kind)),
        None => Err(Finding::new(
            Code::AuthenticationType,
            value.start,
            "authentication.type",
            Detail::Type("sas, selfSigned, certificateAuthority or none (§1.2)"),
        )),
    }
}

/// Whether a value is an object; a finding where it is neither that nor null.
#[inline]
fn is_object(record: &Record<'_>, value: Span, path: &'static str) -> Result<bool, Finding> {
    match record.bytes(value) {
        [b'{', ..] => Ok(true),
        b"null" => Ok(false),
        _ => Err(wrong_type(value, path, "an object or null")),
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
        None => Err(wrong_type(member.value, path, "an object or null")),
    }
}

#[cold]
pub(crate) fn wrong_type(value: Span, path: &'static str, expected: &'static str) -> Finding {
    Finding::new(Code::MemberType, value.start, path, Detail::Type(expected))
}

/// Picks the members of these names into `found`. No name may stand twice, or be one of the wanted in another case.
///
/// Returns the first and the last member; `None` for an object without members.
pub(crate) fn pick<'r>(
    record: &Record<'r>,
    members: impl Iterator<Item = MemberSpan>,
    wanted: &[&'static str],
    path: &'static str,
    found: &mut [Option<MemberSpan>],
) -> Result<Option<(MemberSpan, MemberSpan)>, Finding> {
    let mut ends = None;
    // On the stack, as long as there are few.
    let mut few = [MemberSpan::default(); PAIRWISE_MAX];
    let mut many = Vec::new();
    let mut count = 0;
    for member in members {
        ends = Some((ends.map_or(member, |(first, _)| first), member));
        let name = record.name(&member);
        match wanted.iter().position(|want| same_name(&name, want.as_bytes())) {
            Some(place) if found[place].is_some() => return Err(twice(&member, path)),
            Some(place) => found[place] = Some(member),
            None => {
                if let Some(exact) = wanted.iter().find(|want| name.eq_ignore_ascii_case(want.as_bytes())) {
                    return Err(case_variant(&member, path, exact));
                }
                match few.get_mut(count) {
                    Some(place) => *place = member,
                    None => many.push(member),
                }
                count += 1;
            }
        }
    }
    if count > 1 {
        unique(record, few[..count.min(PAIRWISE_MAX)].iter().chain(&many), path)?;
    }
    Ok(ends)
}
