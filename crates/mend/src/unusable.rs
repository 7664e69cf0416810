//! Lines that can't be used: it is not known what they say to a hub, or no hub reads them.

use hubmill_device::{Code, Member, Severity};
use hubmill_registry::{Ambiguity, Authentication, Credentials, DeviceLine, Registry};

use crate::passes::LinesBatch;

/// Why a line can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It has a name of which it is not known what the hub makes of it.
    Name(Ambiguity),
    /// It has a value that the hub can't read.
    Value(Unreadable),
}

/// A member with a value that is none of its enum or of another JSON type, so that the hub can't read the line (§1.2, §1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// `status`
    Status,
    /// `authentication.type`
    Type,
    /// `capabilities`, or `iotEdge` in it.
    Edge,
}

impl Flaw {
    /// Of a line that was read, where it has one.
    pub(crate) fn of(line: &DeviceLine<'_>) -> Option<Self> {
        line.ambiguity().map(Self::Name).or_else(|| unreadable(line).map(Self::Value))
    }

    /// Where in the line it is.
    pub(crate) fn place(self, line: &DeviceLine<'_>) -> u64 {
        match self {
            Self::Name(ambiguity) => line.place_of_name(ambiguity),
            Self::Value(value) => line.place_of_value(value.path()),
        }
    }
}

impl Unreadable {
    fn path(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Type => "authentication.type",
            Self::Edge => "capabilities.iotEdge",
        }
    }
}

/// The member that the hub can't read, where there is one.
pub(crate) fn unreadable(line: &DeviceLine<'_>) -> Option<Unreadable> {
    if line.raw(Member::Status).is_some() && line.status().is_none() {
        return Some(Unreadable::Status);
    }
    if !line.edge_is_readable() {
        return Some(Unreadable::Edge);
    }
    // As hubs write it: the last member of the outer object.
    let ends_with_type = |value: &[u8]| {
        [br#","type":"sas"}"#.as_slice(), br#","type":"selfSigned"}"#, br#","type":"certificateAuthority"}"#]
            .iter()
            .any(|end| value.ends_with(end))
    };
    if line.value(Member::Authentication).is_none_or(ends_with_type) {
        return None;
    }
    match line.authentication() {
        Authentication::Said(Credentials { kind: None, .. }) => Some(Unreadable::Type),
        _ => None,
    }
}

/// A line that can't be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unusable<'a> {
    /// What the file is called in messages.
    pub(crate) name: &'static str,
    pub(crate) file: &'a Registry,
    /// Where in the file the flaw is.
    pub(crate) byte: u64,
    pub(crate) flaw: Flaw,
}

impl LinesBatch {
    /// Says that a line about a device or module, or one that would do something to it, can't be used, so that nothing is written
    /// for it. A value is not shown: it may be anything.
    #[cold]
    pub(crate) fn note_unusable(&mut self, line: Unusable<'_>, ids: (&[u8], Option<&[u8]>), verb: &str) {
        let Unusable { name, file, byte, flaw } = line;
        let (code, path, what) = match flaw {
            Flaw::Name(Ambiguity::Case(path)) => (
                Code::MemberCase,
                path,
                "the name {path} in another case: whether the hub takes it for the same is not known (§1.5)",
            ),
            Flaw::Name(Ambiguity::Twice(path)) => (
                Code::DuplicateMember,
                path,
                "the name {path} twice: which of the two the hub takes is not known (§1.5)",
            ),
            Flaw::Value(value) => {
                let (code, what) = match value {
                    Unreadable::Status => {
                        (Code::StatusValue, "a {path} that is neither enabled nor disabled: no hub reads it (§1.2)")
                    }
                    Unreadable::Edge => (Code::MemberType, "a {path} that is neither true nor false (§1.2)"),
                    Unreadable::Type => (
                        Code::AuthenticationType,
                        "an {path} that is none of sas, selfSigned, certificateAuthority and none: no hub reads it (§1.2)",
                    ),
                };
                (code, value.path(), what)
            }
        };
        self.totals.not_known += 1;
        self.note_at((file, byte), path, (code, Severity::Error), ids, || {
            let what = what.replace("{path}", &format!("{path:?}"));
            format!("{verb} this line of {name}, which has {what}, so nothing is written for it")
        });
    }
}
