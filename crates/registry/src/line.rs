//! What a device's or module's line says, member by member: where each stands, and what it means.

mod place;

use std::borrow::Cow;

use hubmill_device::{AuthenticationType, Member, Status, scope_parent};
use hubmill_parser::{Span, string_text};

use crate::equality::{is_empty_without, members, same_object_without};
use crate::places::Places;

/// A name of which it is not known what the hub makes of it (§1.5), by the path of the member that it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ambiguity {
    /// It is there in another case: the hub probably takes it for the same.
    Case(&'static str),
    /// It is there twice: the last one probably counts.
    Twice(&'static str),
}

/// What a name says; `content` stands between its quotes.
fn text_of(content: &[u8]) -> Cow<'_, [u8]> {
    if content.contains(&b'\\') { hubmill_parser::decode(content) } else { Cow::Borrowed(content) }
}

/// A part of a line of which an import can supply another (§2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Section {
    /// `tags`
    Tags,
    /// `properties.desired`
    Desired,
    /// `properties.reported`
    Reported,
}

impl Section {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tags, Self::Desired, Self::Reported];

    /// The path of the member.
    pub fn path(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Desired => "properties.desired",
            Self::Reported => "properties.reported",
        }
    }

    /// Members at its top that the hub keeps, and that say nothing of what is in it (§1.4).
    pub fn kept_by_hub(self) -> &'static [&'static str] {
        match self {
            Self::Tags => &[],
            Self::Desired | Self::Reported => &["$metadata", "$version"],
        }
    }

    /// Whether two values of it say the same: an absent one is an empty one, and what the hub keeps does not count.
    pub fn same(self, one: Option<&[u8]>, other: Option<&[u8]>) -> bool {
        match (one, other) {
            (Some(one), Some(other)) => same_object_without(one, other, self.kept_by_hub()),
            (Some(only), None) | (None, Some(only)) => is_empty_without(only, self.kept_by_hub()),
            (None, None) => true,
        }
    }
}

/// How a device or module authenticates, as far as its line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication<'a> {
    /// `authentication` is null or missing: a keyless export, or an import that leaves it to the hub (§4).
    NotSaid,
    /// What the line says.
    Said(Credentials<'a>),
}

/// What is in `authentication`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials<'a> {
    /// `type`; sas without one (§1.2); `None` where it can't be read.
    pub kind: Option<AuthenticationType>,
    /// The primary and the secondary key, decoded; `None` for null, absent and empty ones. Secret.
    pub keys: [Option<Cow<'a, [u8]>>; 2],
    /// The primary and the secondary thumbprint, the same way.
    pub thumbprints: [Option<Cow<'a, [u8]>>; 2],
}

impl std::fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Credentials<'_> {
    /// Whether the hub makes the keys: symmetric ones are meant, and none are there (§4).
    pub fn need_keys(&self) -> bool {
        self.kind == Some(AuthenticationType::Sas) && self.keys == [None, None]
    }

    /// Whether it authenticates by a certificate: `selfSigned` or `certificateAuthority`.
    pub fn is_x509(&self) -> bool {
        matches!(self.kind, Some(AuthenticationType::SelfSigned | AuthenticationType::CertificateAuthority))
    }
}

impl Authentication<'_> {
    /// Whether an import of this makes the hub generate keys (§4).
    pub fn needs_keys(&self) -> bool {
        match self {
            Self::NotSaid => true,
            Self::Said(credentials) => credentials.need_keys(),
        }
    }
}

/// One line, to be asked for what it says.
#[derive(Clone, Copy)]
pub struct DeviceLine<'a> {
    chunk: &'a [u8],
    places: Places,
}

impl std::fmt::Debug for DeviceLine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceLine").field("places", &self.places).finish_non_exhaustive()
    }
}

impl<'a> DeviceLine<'a> {
    /// Of the chunk that the places count from.
    pub fn new(chunk: &'a [u8], places: Places) -> Self {
        Self { chunk, places }
    }

    fn bytes(&self, span: Span) -> &'a [u8] {
        self.chunk.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Whether two lines, each read by itself, are the same bytes.
    pub fn is_spelt_as(&self, other: &DeviceLine<'_>) -> bool {
        self.chunk == other.chunk
    }

    /// The value of a member as it is spelt; `None` where it is not there.
    #[inline]
    pub fn raw(&self, member: Member) -> Option<&'a [u8]> {
        Some(self.bytes(self.places.members[member as usize])).filter(|value| !value.is_empty())
    }

    /// The value of a member as it is spelt; `None` where it is not there, and where it is null.
    #[inline]
    pub fn value(&self, member: Member) -> Option<&'a [u8]> {
        self.raw(member).filter(|value| *value != b"null")
    }

    /// The decoded text of a member; `None` where it is no string, and where it is an empty one.
    #[inline]
    pub fn text(&self, member: Member) -> Option<Cow<'a, [u8]>> {
        string_text(self.raw(member)?).filter(|text| !text.is_empty())
    }

    /// The id of the device; empty where there is none.
    pub fn id(&self) -> Cow<'a, [u8]> {
        self.text(Member::Id).unwrap_or_default()
    }

    /// The id of the module, for a module's line.
    pub fn module_id(&self) -> Option<Cow<'a, [u8]>> {
        string_text(self.raw(Member::ModuleId)?)
    }

    /// `eTag` or `twinETag` as the hub compares it: without one pair of quotes (§3.8). `None` for an empty one.
    pub fn etag(&self, member: Member) -> Option<Cow<'a, [u8]>> {
        let etag = self.text(member)?;
        let unquoted = match &*etag {
            [b'"', inside @ .., b'"'] => Some(inside.to_vec()),
            _ => None,
        };
        Some(unquoted.map_or(etag, Cow::Owned)).filter(|etag| !etag.is_empty())
    }

    /// `status`; `None` where it can't be read.
    pub fn status(&self) -> Option<Status> {
        let raw = self.raw(Member::Status)?;
        match raw {
            b"\"enabled\"" => Some(Status::Enabled),
            b"\"disabled\"" => Some(Status::Disabled),
            _ => Status::from_text(&string_text(raw).unwrap_or(Cow::Borrowed(raw))),
        }
    }

    /// `statusReason`; `None` for an empty one, too.
    pub fn status_reason(&self) -> Option<Cow<'a, [u8]>> {
        self.text(Member::StatusReason)
    }

    /// Whether it is an edge device.
    pub fn is_edge(&self) -> bool {
        let Some(value) = self.value(Member::Capabilities) else {
            return false;
        };
        match value {
            br#"{"iotEdge":false}"# => false,
            br#"{"iotEdge":true}"# => true,
            _ => members(value)
                .filter(|(name, _)| string_is(name, b"iotEdge"))
                .last()
                .is_some_and(|(_, edge)| edge == b"true"),
        }
    }

    /// `deviceScope`; `None` for an empty one, too. An edge device's own one, which the hub made, or the one that a device is
    /// a child in (§3.7).
    pub fn device_scope(&self) -> Option<Cow<'a, [u8]>> {
        self.text(Member::DeviceScope)
    }

    /// The same as it is spelt.
    pub fn raw_scope(&self) -> Option<&'a [u8]> {
        self.value(Member::DeviceScope).filter(|scope| *scope != b"\"\"")
    }

    /// Whether it can be told if it is an edge device: `iotEdge` is true, false or null wherever it is there.
    pub fn edge_is_readable(&self) -> bool {
        match self.value(Member::Capabilities) {
            None | Some(br#"{"iotEdge":false}"# | br#"{"iotEdge":true}"#) => true,
            Some(value) => {
                let is_readable = |edge: &[u8]| matches!(edge, b"true" | b"false" | b"null");
                value.first() == Some(&b'{')
                    && members(value).all(|(name, edge)| !string_is(name, b"iotEdge") || is_readable(edge))
            }
        }
    }

    /// The id of the edge device that this device is a child of; `None` for edge devices, whose scope is their own.
    pub fn parent(&self) -> Option<Vec<u8>> {
        if self.is_edge() {
            return None;
        }
        scope_parent(&self.device_scope()?).map(<[u8]>::to_vec)
    }

    /// A section of the twin as it is spelt, an object; `None` where it is not there, or null.
    #[inline]
    pub fn section(&self, section: Section) -> Option<&'a [u8]> {
        let value = match section {
            Section::Tags => self.places.members[Member::Tags as usize],
            Section::Desired => self.places.desired,
            Section::Reported => self.places.reported,
        };
        Some(self.bytes(value)).filter(|value| value.first() == Some(&b'{'))
    }

    /// A name of which it is not known what the hub makes of it, so that neither is what the line says. Asked of a line that was
    /// [read](crate::LineReader::read).
    pub fn ambiguity(&self) -> Option<Ambiguity> {
        if self.places.ambiguity_is_whole {
            return self.places.ambiguity;
        }
        self.places
            .ambiguity
            .or_else(|| self.value(Member::Authentication).and_then(ambiguity_of_authentication))
            .or_else(|| ambiguity_of(self.value(Member::Capabilities)?, &[("iotEdge", "capabilities.iotEdge")]))
    }

    /// How the device or module authenticates.
    pub fn authentication(&self) -> Authentication<'a> {
        let Some(value) = self.value(Member::Authentication) else {
            return Authentication::NotSaid;
        };
        if let Some(credentials) = read_usual(value) {
            return Authentication::Said(credentials);
        }
        let mut credentials =
            Credentials { kind: Some(AuthenticationType::Sas), keys: [None, None], thumbprints: [None, None] };
        for (name, value) in members(value) {
            if string_is(name, b"type") {
                credentials.kind = read_type(value);
            } else if string_is(name, b"symmetricKey") {
                credentials.keys = pair(value, [b"primaryKey", b"secondaryKey"]);
            } else if string_is(name, b"x509Thumbprint") {
                credentials.thumbprints = pair(value, [b"primaryThumbprint", b"secondaryThumbprint"]);
            }
        }
        Authentication::Said(credentials)
    }
}

/// `authentication` as the hub itself writes it (§1.2): the same members in the same order, without spaces or escapes.
#[inline]
fn read_usual(value: &[u8]) -> Option<Credentials<'_>> {
    const BEFORE: [&[u8]; 4] = [
        br#"{"symmetricKey":{"primaryKey":"#,
        br#","secondaryKey":"#,
        br#"},"x509Thumbprint":{"primaryThumbprint":"#,
        br#","secondaryThumbprint":"#,
    ];
    let mut rest = value;
    let mut texts = [None; 4];
    for (before, text) in BEFORE.into_iter().zip(&mut texts) {
        rest = rest.strip_prefix(before)?;
        if let Some(after) = rest.strip_prefix(b"null") {
            rest = after;
            continue;
        }
        let content = rest.strip_prefix(b"\"")?;
        let end = memchr::memchr2(b'"', b'\\', content).filter(|end| content[*end] == b'"')?;
        *text = Some(&content[..end]).filter(|text| !text.is_empty());
        rest = &content[end + 1..];
    }
    let kind = rest.strip_prefix(br#"},"type":""#)?.strip_suffix(b"\"}")?;
    if kind.contains(&b'"') || kind.contains(&b'\\') {
        return None;
    }
    let [primary_key, secondary_key, primary, secondary] = texts.map(|text| text.map(Cow::Borrowed));
    Some(Credentials {
        kind: if matches!(kind, b"sas" | b"") {
            Some(AuthenticationType::Sas)
        } else {
            AuthenticationType::from_text(kind)
        },
        keys: [primary_key, secondary_key],
        thumbprints: [primary, secondary],
    })
}

#[inline]
fn ambiguity_of_authentication(value: &[u8]) -> Option<Ambiguity> {
    const NAMES: [(&str, &str); 3] = [
        ("symmetricKey", "authentication.symmetricKey"),
        ("x509Thumbprint", "authentication.x509Thumbprint"),
        ("type", "authentication.type"),
    ];
    const KEYS: [(&str, &str); 2] = [
        ("primaryKey", "authentication.symmetricKey.primaryKey"),
        ("secondaryKey", "authentication.symmetricKey.secondaryKey"),
    ];
    const THUMBPRINTS: [(&str, &str); 2] = [
        ("primaryThumbprint", "authentication.x509Thumbprint.primaryThumbprint"),
        ("secondaryThumbprint", "authentication.x509Thumbprint.secondaryThumbprint"),
    ];
    if read_usual(value).is_some() {
        return None;
    }
    ambiguity_of(value, &NAMES).or_else(|| {
        members(value).find_map(|(name, value)| match () {
            () if string_is(name, b"symmetricKey") => ambiguity_of(value, &KEYS),
            () if string_is(name, b"x509Thumbprint") => ambiguity_of(value, &THUMBPRINTS),
            () => None,
        })
    })
}

/// The first of these names, each with its path, that an object has in another case or twice.
fn ambiguity_of(object: &[u8], names: &[(&str, &'static str)]) -> Option<Ambiguity> {
    let mut seen = 0u8;
    members(object).find_map(|(name, _)| {
        let name = text_of(name);
        let number = names.iter().position(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))?;
        let (known, path) = names[number];
        let is_again = seen >> number & 1 == 1;
        seen |= 1 << number;
        match () {
            () if *name != *known.as_bytes() => Some(Ambiguity::Case(path)),
            () => is_again.then_some(Ambiguity::Twice(path)),
        }
    })
}

/// Whether what stands between the quotes of a name says this.
fn string_is(content: &[u8], name: &[u8]) -> bool {
    content == name || (content.contains(&b'\\') && *hubmill_parser::decode(content) == *name)
}

fn read_type(value: &[u8]) -> Option<AuthenticationType> {
    match value {
        // An empty text is null to the hub's reader, probably (§1.5).
        b"\"sas\"" | b"null" | b"\"\"" => Some(AuthenticationType::Sas),
        _ => AuthenticationType::from_text(&string_text(value).unwrap_or(Cow::Borrowed(value))),
    }
}

/// The texts of these two members of an object.
fn pair<'a>(object: &'a [u8], names: [&[u8]; 2]) -> [Option<Cow<'a, [u8]>>; 2] {
    let mut pair = [None, None];
    for (name, value) in members(object) {
        if let Some(number) = names.iter().position(|known| string_is(name, known)) {
            pair[number] = string_text(value).filter(|text| !text.is_empty());
        }
    }
    pair
}

#[cfg(test)]
mod tests {
    use hubmill_device::{AuthenticationType, Member, Status};
    use hubmill_parser::{Level, Limits};

    use super::{Authentication, Section};
    use crate::places::LineReader;

    fn read(line: &str, look: impl FnOnce(super::DeviceLine<'_>)) {
        let mut reader = LineReader::new(Level::detect(), Limits::default());
        look(reader.read(line.as_bytes()).expect("a line"));
    }

    #[test]
    fn members_are_read_however_they_are_spelt() {
        let line = r#"{"\u0069d":"d\u0031","moduleId":"m","status":"DISABLED","statusReason":"","eTag":"\"MA==\"","twinETag":"",
            "authentication":{"type":"SelfSigned","x509Thumbprint":{"primary\u0054humbprint":"AB","secondaryThumbprint":null}},
            "capabilities":{ "iotEdge" : false },"deviceScope":"ms-azure-iot-edge://e-1-77",
            "tags":{"a":1},"properties":{"desired":{"x":1},"reported":null}}"#
            .replace('\n', "");
        read(&line, |line| {
            assert_eq!((&*line.id(), line.module_id().as_deref()), (b"d1".as_slice(), Some(b"m".as_slice())));
            assert_eq!((line.status(), line.status_reason()), (Some(Status::Disabled), None));
            assert_eq!(
                (line.etag(Member::ETag).as_deref(), line.etag(Member::TwinETag)),
                (Some(b"MA==".as_slice()), None)
            );
            assert!(!line.is_edge());
            assert_eq!(line.parent().as_deref(), Some(b"e-1".as_slice()));
            let sections = Section::ALL.map(|section| line.section(section));
            assert_eq!(sections, [Some(br#"{"a":1}"#.as_slice()), Some(br#"{"x":1}"#.as_slice()), None]);
            let Authentication::Said(credentials) = line.authentication() else { panic!("there is one") };
            assert_eq!(credentials.kind, Some(AuthenticationType::SelfSigned));
            assert_eq!(
                (credentials.thumbprints[0].as_deref(), &credentials.keys),
                (Some(b"AB".as_slice()), &[None, None])
            );
            assert!(!credentials.need_keys() && credentials.is_x509());
        });
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is() {
        read(r#"{"id":"a","authentication":null,"capabilities":null}"#, |line| {
            assert_eq!((line.module_id(), line.status(), line.etag(Member::ETag)), (None, None, None));
            assert_eq!(line.authentication(), Authentication::NotSaid);
            assert!(line.authentication().needs_keys() && !line.is_edge() && line.device_scope().is_none());
        });
        let empty = r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":""},"type":null}}"#;
        read(empty, |line| assert!(line.authentication().needs_keys()));
        let key = r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":"c2VjcmV0"}}}"#;
        read(key, |line| {
            assert!(!line.authentication().needs_keys());
            assert!(!format!("{:?}", line.authentication()).contains("c2VjcmV0"), "keys are never shown");
        });
        read(r#"{"id":"a","authentication":{"type":"other"}}"#, |line| assert!(!line.authentication().needs_keys()));
    }

    #[test]
    fn sections_compare_without_what_the_hub_keeps() {
        let same = |section: Section, one: Option<&str>, other: Option<&str>| {
            section.same(one.map(str::as_bytes), other.map(str::as_bytes))
        };
        let kept = r#"{"$version":3,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z"}}"#;
        assert!(same(Section::Desired, Some(kept), None));
        assert!(same(Section::Reported, Some("{}"), Some(kept)));
        assert!(!same(Section::Tags, Some(kept), None));
        assert!(same(Section::Tags, None, Some("{ }")));
        assert!(same(Section::Tags, None, None));
        assert!(!same(Section::Desired, Some(r#"{"x":1}"#), Some(kept)));
    }
}
