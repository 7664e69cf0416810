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

/// The severity of a full check: its own where there is one.
macro_rules! checked {
    ($severity:ident) => {
        Severity::$severity
    };
    ($severity:ident $checked:ident) => {
        Severity::$checked
    };
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $severity:ident $(, $checked:ident)?;)+) => {
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

            /// The severity that it has by itself where a line is transformed.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)+ }
            }

            /// The severity that it has where a line is checked in full, and nothing allows or denies it.
            pub fn checked_severity(self) -> Severity {
                match self { $(Self::$variant => checked!($severity $($checked)?),)+ }
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
    /// A known member of the wrong JSON type (§1.1).
    MemberType = "member-type", Error;
    /// No `id` (§1.5).
    IdMissing = "id-missing", Error;
    /// A character in the id that the hub refuses (§3.1).
    IdCharset = "id-charset", Error;
    /// An id that is empty or longer than 128 characters (§3.1).
    IdLength = "id-length", Error;
    /// A character in the module id that the hub refuses (§3.1).
    ModuleIdCharset = "module-id-charset", Error;
    /// A module id that is empty or longer than 128 characters (§3.1).
    ModuleIdLength = "module-id-length", Error;
    /// A module of the hub itself (§1.7).
    ModuleIdReserved = "module-id-reserved", Error;
    /// No `status`, which a job file needs on every line (§1.5).
    StatusMissing = "status-missing", Warning, Error;
    /// A `status` that is neither of the two (§1.2).
    StatusValue = "status-value", Error;
    /// A `statusReason` of more than 128 characters (§3.2).
    StatusReasonLength = "status-reason-length", Error;
    /// An `importMode` that is none of the nine (§2).
    ImportModeValue = "import-mode-value", Error;
    /// An IfMatch mode without the ETag that it needs (§2).
    EtagMissing = "etag-missing", Error;
    /// `updateTwinIfMatchETag` without the ETag of the twin (§2).
    TwinEtagMissing = "twin-etag-missing", Error;
    /// An `authentication.type` that is none of the four (§1.2).
    AuthenticationType = "authentication-type", Error;
    /// A key that is not base64 (§3.3).
    KeyBase64 = "key-base64", Error;
    /// A key that is shorter than 16 or longer than 64 bytes (§3.3).
    KeyLength = "key-length", Error;
    /// One key without the other (§3.3).
    KeyHalf = "key-half", Error;
    /// A thumbprint that is not 40 or 64 hexadecimal digits (§3.4).
    ThumbprintFormat = "thumbprint-format", Error;
    /// Two thumbprints of different kinds (§3.4).
    ThumbprintMismatch = "thumbprint-mismatch", Error;
    /// Keys, thumbprints and type that do not go together (§3.5).
    AuthenticationConflict = "authentication-conflict", Error;
    /// Tags over their limit (§3.6).
    TagsSize = "tags-size", Error;
    /// Desired properties over their limit (§3.6).
    DesiredSize = "desired-size", Error;
    /// Reported properties over their limit (§3.6).
    ReportedSize = "reported-size", Error;
    /// A character in a twin's name that the hub refuses (§3.6).
    TwinKeyCharset = "twin-key-charset", Error;
    /// A name in a twin that is too long (§3.6).
    TwinKeyLength = "twin-key-length", Error;
    /// A text in a twin that is too long (§3.6).
    TwinStringLength = "twin-string-length", Error;
    /// A twin that nests too deep (§3.6).
    TwinDepth = "twin-depth", Error;
    /// An integer in a twin that is out of range (§3.6).
    TwinIntegerRange = "twin-integer-range", Error;
    /// No authentication under a mode that can touch an existing identity: it would get new keys (§2).
    KeysRotate = "keys-rotate", Count, Error;
    /// Two lines of one id that differ (§2).
    DuplicateId = "duplicate-id", Error;
    /// A child's `deviceScope` belongs to the old hub and can't be used in another (§3.7).
    DeviceScope = "device-scope", Error, Warning;
    /// A line without authentication: the hub would make keys that nobody here knows (§4).
    KeysByHub = "keys-by-hub", Error, Warning;
    /// A known name in another case, which the hub probably binds to the same member (§1.5).
    MemberCase = "member-case", Error, Warning;
    /// A member that the hub does not know and passes over (§1.5).
    UnknownMember = "unknown-member", Warning;
    /// An enum value in another case than the canonical one (§1.5).
    EnumCase = "enum-case", Warning;
    /// An enum value as a number (§1.5).
    EnumNumber = "enum-number", Warning;
    /// A character in an id that newer documentation leaves out (§3.1).
    IdDiscouraged = "id-discouraged", Warning;
    /// An `eTag` on a line that creates (§2).
    EtagStale = "etag-stale", Warning;
    /// A `twinETag` on a line that creates (§2).
    TwinEtagStale = "twin-etag-stale", Warning;
    /// Two lines of one id that are equal (§2).
    DuplicateLine = "duplicate-line", Warning;
    /// `selfSigned` without a thumbprint (§3.5).
    ThumbprintMissing = "thumbprint-missing", Warning;
    /// `none` as the type of authentication (§3.5).
    AuthenticationNone = "authentication-none", Warning;
    /// `type` stands before `x509Thumbprint` (§1.2).
    TypeBeforeThumbprint = "type-before-thumbprint", Warning;
    /// A module's line stands before its device's (§1.7).
    ModuleBeforeDevice = "module-before-device", Warning;
    /// `parentScopes`, of which it is not known what an import does with it (§1.3).
    ParentScopes = "parent-scopes", Warning;
    /// More than 50 modules on one device (§3.1).
    TooManyModules = "too-many-modules", Warning;
    /// An edge device's own scope, set by hand (§3.7).
    DeviceScopeSet = "device-scope-set", Warning;
    /// Symmetric keys that are needed are not there.
    KeysMissing = "keys-missing", Warning;
    /// A key rule met a line whose authentication is not in the file (§4), and left it alone.
    Keyless = "keyless", Warning;
    /// null in a twin (§3.6).
    TwinNull = "twin-null", Warning;
    /// An escape of half a character (RFC 8259, section 8.2).
    LoneSurrogate = "lone-surrogate", Warning;
    /// The hub's plain-text first line (§1.6), left out.
    Notice = "notice", Count, Warning;
    /// A byte order mark at the start of the file (§1.5).
    Bom = "bom", Warning;
    /// A blank line (§1.5).
    BlankLine = "blank-line", Warning;
    /// Not one line was written, or there is none: an empty blob was seen to be refused (§5.4).
    EmptyOutput = "empty-output", Warning;
    /// Ids of `--ids` or `--ids-not` that no line has.
    IdsNotFound = "ids-not-found", Warning;
    /// A row of a CSV file with more or fewer cells than its header.
    CsvRow = "csv-row", Error;
    /// A line of the log of an import that can't be read (§5.5).
    LogSyntax = "log-syntax", Error;
    /// An entry of the log of an import that is in no line of the import file (§5.5).
    LogUnmatched = "log-unmatched", Error;
    /// An error code in the log of an import that is in no list (§5.6).
    LogCodeUnknown = "log-code-unknown", Warning;
    /// A failed line that another import can't mend (§5.6).
    LeftOut = "left-out", Warning;
    /// Lines of an export that are no device and no module.
    NotADevice = "not-a-device", Error;
    /// What differs, or was changed, and can't be set right by a line of an import (§2, §4).
    NotWritten = "not-written", Error;
    /// Something of a device that an import changed or deleted can't come back (§2, §3.7, §4).
    NotRestored = "not-restored", Warning;
    /// A line of an import whose twin was refused, and whose identity may be written all the same (§2).
    FailedPartly = "failed-partly", Warning;
    /// A device or module is not as the import that is to be taken back left it.
    ChangedSince = "changed-since", Error;
    /// Authentication that is null in one of two exports or both, and can't be compared (§4).
    AuthenticationUnknown = "authentication-unknown", Warning;
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
