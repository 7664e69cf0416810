//! What becomes of a line, and why.

use hubmill_device::{Code, HubError};

/// Why a line fails: the hub logs an error for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The hub can't read the line (§1.5): 400012.
    Unreadable(Code),
    /// The line is readable, and holds what the hub refuses (§3); which number it logs is in no source.
    Refused(Code),
    /// A module of the hub itself (§1.7): 401100.
    SystemModule,
    /// The device is there already (§2): 409001.
    DeviceExists,
    /// The module is there already: 409301.
    ModuleExists,
    /// The device, or the module's device, is not there (§2): 404001.
    DeviceMissing,
    /// The module is not there: 404010.
    ModuleMissing,
    /// The ETag of the identity is another one (§2). 412001 or 400023: which is not known (§5.6).
    ETag,
    /// The ETag of the twin is another one (§2); the same holds for its number.
    TwinETag,
    /// The mode compares ETags, and the line has none (§2), which matches nothing; the same holds for its number.
    ETagMissing,
    /// The hub is full (§5.3): 403002.
    Quota,
    /// The device has as many modules as it may (§3.1): 413003.
    TooManyModules,
}

impl Failure {
    /// The number that the hub logs (§5.6), where that is known.
    pub fn code(self) -> Option<u32> {
        match self {
            Self::Unreadable(_) => Some(HubError::DESERIALIZATION_ERROR),
            Self::SystemModule => Some(HubError::SYSTEM_MODULE),
            Self::DeviceExists => Some(HubError::DEVICE_ALREADY_EXISTS),
            Self::ModuleExists => Some(HubError::MODULE_ALREADY_EXISTS),
            Self::DeviceMissing => Some(HubError::DEVICE_NOT_FOUND),
            Self::ModuleMissing => Some(HubError::MODULE_NOT_FOUND),
            Self::Quota => Some(HubError::QUOTA_EXCEEDED),
            Self::TooManyModules => Some(HubError::TOO_MANY_MODULES),
            Self::Refused(_) | Self::ETag | Self::TwinETag | Self::ETagMissing => None,
        }
    }

    /// What it is called where failures are counted.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreadable(_) => "DeserializationError",
            Self::Refused(_) => "refused by the hub's rules",
            Self::SystemModule => "SystemModuleModifyUnauthorizedAccess",
            Self::DeviceExists => "DeviceAlreadyExists",
            Self::ModuleExists => "ModuleAlreadyExistsOnDevice",
            Self::DeviceMissing => "DeviceNotFound",
            Self::ModuleMissing => "ModuleNotFound",
            Self::ETag => "eTag does not match",
            Self::TwinETag => "twinETag does not match",
            Self::ETagMissing => "the ETag that the mode compares is missing",
            Self::Quota => "IotHubQuotaExceeded",
            Self::TooManyModules => "TooManyModulesOnDevice",
        }
    }
}

/// Why what becomes of a line is not known (§10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// The line is longer than is read here; no limit of the hub's is published (§1.5).
    LineTooLong,
    /// It nests deeper than is read here; the hub's limit is not known (§1.5).
    Depth,
    /// A name stands twice: which one counts is inferred only (§1.5).
    MemberTwice,
    /// A name in another case: the hub probably binds it (§1.5).
    MemberCase,
    /// A member that a delete does not use has a type that it should not have.
    MemberType,
    /// Keys, thumbprints and type do not go together (§3.5).
    Authentication,
    /// `type` before `x509Thumbprint` (§1.2).
    TypeBeforeThumbprint,
    /// The type `none` (§3.5).
    AuthenticationNone,
    /// null in a twin (§3.6).
    TwinNull,
    /// A twin update of a module of the hub itself (§1.7).
    SystemModuleTwin,
    /// `parentScopes` (§1.3).
    ParentScopes,
    /// A section of the twin is over its limit in bytes and not in characters (§3.6).
    TwinSize,
    /// An eTag under `create`, or under `createOrUpdateIfMatchETag` none where the device is not there (§2).
    ETagOfNew,
    /// A twinETag where the device is not there: there is no twin to match (§2).
    TwinETagOfNew,
    /// A twinETag that does not match under `update` or `updateIfMatchETag`, of which the documentation says nothing (§2).
    TwinETagUnderUpdate,
    /// The hub's ETag is not known: it is not in the export, or an earlier line has changed it; or the line's is `*` (§3.8).
    ETagNotKnown,
    /// An edge device's scope can't be blanked (§3.7): whether the line is refused or the scope stays.
    EdgeScope,
    /// An edge device would be none any more (§3.7): whether the line is refused, and what becomes of the scope.
    EdgeCapability,
    /// What becomes of the device is not known from an earlier line.
    Earlier,
    /// Whether the hub is full is not known, since it is not known what became of earlier lines.
    Quota,
}

impl Doubt {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::LineTooLong,
        Self::Depth,
        Self::MemberTwice,
        Self::MemberCase,
        Self::MemberType,
        Self::Authentication,
        Self::TypeBeforeThumbprint,
        Self::AuthenticationNone,
        Self::TwinNull,
        Self::SystemModuleTwin,
        Self::ParentScopes,
        Self::TwinSize,
        Self::ETagOfNew,
        Self::TwinETagOfNew,
        Self::TwinETagUnderUpdate,
        Self::ETagNotKnown,
        Self::EdgeScope,
        Self::EdgeCapability,
        Self::Earlier,
        Self::Quota,
    ];

    /// A stable name for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::LineTooLong => "line-too-long",
            Self::Depth => "json-depth",
            Self::MemberTwice => "duplicate-member",
            Self::MemberCase => "member-case",
            Self::MemberType => "member-type",
            Self::Authentication => "authentication-conflict",
            Self::TypeBeforeThumbprint => "type-before-thumbprint",
            Self::AuthenticationNone => "authentication-none",
            Self::TwinNull => "twin-null",
            Self::SystemModuleTwin => "system-module-twin",
            Self::ParentScopes => "parent-scopes",
            Self::TwinSize => "twin-size",
            Self::ETagOfNew => "etag-of-new",
            Self::TwinETagOfNew => "twin-etag-of-new",
            Self::TwinETagUnderUpdate => "twin-etag-under-update",
            Self::ETagNotKnown => "etag-not-known",
            Self::EdgeScope => "edge-scope",
            Self::EdgeCapability => "edge-capability",
            Self::Earlier => "earlier-line",
            Self::Quota => "quota",
        }
    }

    /// What is not known, in words.
    pub fn text(self) -> &'static str {
        match self {
            Self::LineTooLong => "longer than --max-line-bytes; the hub's limit is not published (§1.5)",
            Self::Depth => "nested deeper than --max-depth; the hub's limit is not known (§1.5)",
            Self::MemberTwice => "a name stands twice: which of the two the hub takes is not known (§1.5)",
            Self::MemberCase => "a name in another case: whether the hub takes it for the same is not known (§1.5)",
            Self::MemberType => "a member of the wrong type that a delete does not use (§1.5)",
            Self::Authentication => "keys, thumbprints and type that do not go together (§3.5)",
            Self::TypeBeforeThumbprint => "type stands before x509Thumbprint (§1.2)",
            Self::AuthenticationNone => "the type none (§3.5)",
            Self::TwinNull => "null in a twin (§3.6)",
            Self::SystemModuleTwin => "a twin update of a module of the hub itself (§1.7)",
            Self::ParentScopes => "parentScopes: whether an import heeds them is not known (§1.3)",
            Self::TwinSize => "a section of the twin over its limit in bytes, not in characters (§3.6)",
            Self::ETagOfNew => "the ETag of a device that is not there yet (§2): --strip-etags takes it away",
            Self::TwinETagOfNew => "a twinETag, and no twin to match (§2): --strip-etags takes it away",
            Self::TwinETagUnderUpdate => "a twinETag that does not match, under update (§2)",
            Self::ETagNotKnown => "an ETag to compare with one that is not known (§2)",
            Self::EdgeScope => "an edge device without its deviceScope, which can't be blanked (§3.7)",
            Self::EdgeCapability => "iotEdge taken from an edge device, whose scope is immutable (§3.7)",
            Self::Earlier => "an earlier line about the device, of which the same is not known",
            Self::Quota => "whether there is room after lines of which it is not known",
        }
    }
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device or module is made.
    Created,
    /// Its identity changes, and maybe its twin.
    Updated,
    /// Its twin changes, and its identity does not.
    TwinUpdated,
    /// It goes, a device with its modules.
    Deleted,
    /// It is written, and stays as it is but for its ETags.
    Unchanged,
    /// An error is logged.
    Fails(Failure),
    /// It is not known.
    NotKnown(Doubt),
}

impl Outcome {
    /// A word for it, for machines.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::TwinUpdated => "twinUpdated",
            Self::Deleted => "deleted",
            Self::Unchanged => "unchanged",
            Self::Fails(_) => "fails",
            Self::NotKnown(_) => "notKnown",
        }
    }
}
