//! The names of findings: stable, kebab-case, never renamed.

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The line can't be used: it is rejected, or kept as it is.
    Error,
    /// The line is used; something about it is worth knowing.
    Warning,
    /// A count and nothing more: it is in the report and in the summary, and is no finding of its own.
    Count,
}

impl Severity {
    /// The word in messages and in diagnostics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Count => "count",
        }
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $severity:ident;)+) => {
        /// What a finding is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable name.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The severity that it has where nothing allows or denies it.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }
        }
    };
}

codes! {
    /// The line is not JSON by RFC 8259.
    JsonSyntax = "json-syntax", Error;
    /// The line is not valid UTF-8.
    JsonUtf8 = "json-utf8", Error;
    /// The line nests deeper than `--max-depth`.
    JsonDepth = "json-depth", Error;
    /// The line is longer than `--max-line-bytes`.
    LineTooLong = "line-too-long", Error;
    /// The line is a JSON value, but not an object.
    NotAnObject = "not-an-object", Error;
    /// A name stands twice in an object that a rule edits or a check reads: readers differ in which one counts (§1.5).
    DuplicateMember = "duplicate-member", Error;
    /// A known name in another case, which the hub probably binds to the same member (§1.5).
    MemberCase = "member-case", Error;
    /// A known member of the wrong JSON type (§1.1).
    MemberType = "member-type", Error;
    /// No `id` (§1.5).
    IdMissing = "id-missing", Error;
    /// A character in the id that the hub refuses (§3.1).
    IdCharset = "id-charset", Error;
    /// An id that is empty or longer than 128 characters (§3.1).
    IdLength = "id-length", Error;
    /// An `importMode` that is none of the nine (§2), where a rule must know it.
    ImportModeValue = "import-mode-value", Error;
    /// An `authentication.type` that is none of the four (§1.2), where a rule must know it.
    AuthenticationType = "authentication-type", Error;
    /// A child's `deviceScope` belongs to the old hub and can't be used in another (§3.7).
    DeviceScope = "device-scope", Error;
    /// A line without authentication: the hub would make keys that nobody here knows (§4).
    KeysByHub = "keys-by-hub", Error;
    /// An IfMatch mode without the ETag that it needs (§2).
    EtagMissing = "etag-missing", Error;
    /// No `status`, which a job file needs on every line (§1.5).
    StatusMissing = "status-missing", Warning;
    /// A key rule met a line whose authentication is not in the file (§4), and left it alone.
    Keyless = "keyless", Warning;
    /// A key rule needs a key that the line does not have, and left it alone.
    KeysMissing = "keys-missing", Warning;
    /// Not one line was written: an empty blob was seen to be refused (§5.4).
    EmptyOutput = "empty-output", Warning;
    /// The hub's plain-text first line (§1.6), left out.
    Notice = "notice", Count;
    /// Written lines that would give existing devices new keys (§2).
    KeysRotate = "keys-rotate", Count;
    /// Written lines that were changed and whose twin would go back to the time of the export (§2).
    TwinRollback = "twin-rollback", Count;
    /// Lines that a key rule left alone: X.509 thumbprints.
    LeftX509 = "left-x509", Count;
    /// Lines that a key rule left alone: certificate authority.
    LeftCa = "left-ca", Count;
    /// Lines that a key rule left alone: authentication type `none`.
    LeftNone = "left-none", Count;
    /// Lines that a key rule left alone: modules of the hub itself (§1.7).
    LeftSystemModule = "left-system-module", Count;
    /// Lines that a key rule left alone: modes that write no keys (§2).
    LeftMode = "left-mode", Count;
    /// Ids of `--ids` or `--ids-not` that no line has.
    IdsNotFound = "ids-not-found", Warning;
}

impl Code {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The code of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn names_are_kebab_case_unique_and_read_back() {
        for (at, code) in Code::ALL.iter().enumerate() {
            assert_eq!(*code as usize, at);
            assert_eq!(Code::from_name(code.as_str()), Some(*code));
            assert!(
                code.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
        }
        assert_eq!(Code::from_name("no-such-code"), None);
    }
}
