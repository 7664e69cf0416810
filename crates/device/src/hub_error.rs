//! The error codes that an import job logs for a line (§5.5, §5.6), and what can be done about each.
//!
//! Numbers and names are of Microsoft's list of error codes and SDK. Which of them the log of an import really holds is
//! documented nowhere; those that were seen there are marked.

use crate::explain::Evidence;

/// What becomes of a failed line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The line as it is can succeed another time.
    Again,
    /// The line can succeed once it, or something in the hub, is put right.
    Edit,
    /// The device is to be added by itself, and not by a job: the hub is near its quota (§5.3).
    Individually,
    /// No import of the line as it is meant can succeed.
    LeaveOut,
}

impl Remedy {
    /// Whether another import can mend the line.
    pub fn is_mendable(self) -> bool {
        matches!(self, Self::Again | Self::Edit)
    }

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Again => "again",
            Self::Edit => "edit",
            Self::Individually => "individually",
            Self::LeaveOut => "leave-out",
        }
    }
}

/// An error code of the hub.
#[derive(Clone, Copy, Debug)]
pub struct HubError {
    /// The number, as in the log; the first of its family where there is one.
    pub code: u32,
    /// Its name in Microsoft's list.
    pub name: &'static str,
    /// What becomes of a line that failed with it.
    pub remedy: Remedy,
    /// What it means, and what to do.
    pub advice: &'static str,
    /// Where the number and its name are known from.
    pub source: &'static str,
    /// How well it is known that the log of an import holds it.
    pub in_log: Evidence,
}

macro_rules! errors {
    ($($constant:ident = $code:literal, $name:literal, $remedy:ident, $in_log:ident, $source:literal: $advice:literal;)+) => {
        /// The numbers of the codes.
        impl HubError {
            $(#[doc = concat!("`", $name, "`")] pub const $constant: u32 = $code;)+
        }

        const ERRORS: &[HubError] = &[$(HubError {
            code: $code,
            name: $name,
            remedy: Remedy::$remedy,
            advice: $advice,
            source: $source,
            in_log: Evidence::$in_log,
        },)+];
    };
}

errors! {
    ARGUMENT_INVALID = 400004, "ArgumentInvalid", Edit, Inferred, "§5.6":
        "a value is not what the hub takes: `hubmill validate` names it; edit the line";
    ARGUMENT_NULL = 400005, "ArgumentNull", Edit, Inferred, "§5.6":
        "a value that the hub needs is not there: `hubmill validate` names it; edit the line";
    FORMAT_ERROR = 400006, "IotHubFormatError", Edit, Inferred, "§5.6":
        "a value has another form than the hub takes: `hubmill validate` names it; edit the line";
    BLOB_CONTAINER_VALIDATION = 400008, "BlobContainerValidationError", Again, Inferred, "§5.4, §5.6":
        "an error of the job's storage and not of the line: put access to the container right, then import again";
    IMPORT_WARNING_EXISTS = 400009, "ImportWarningExistsError", Again, Inferred, "§1.6, §5.6":
        "the file probably still had the export's plain-text line: hubmill leaves that out; import again";
    DEVICE_DEFINED_MULTIPLE_TIMES = 400011, "DeviceDefinedMultipleTimes", Edit, Inferred, "§2, §5.6":
        "the id stood more than once: keep one of its lines";
    DESERIALIZATION_ERROR = 400012, "DeserializationError", Edit, Confirmed, "§5.5, §5.6":
        "the line could not be read as a device: `hubmill validate` says why; edit the line";
    BULK_OPERATION_FAILURE = 400013, "BulkRegistryOperationFailure", Again, Inferred, "§5.6":
        "the operation failed as a whole: import again";
    ETAG_DOES_NOT_MATCH = 400023, "EtagDoesNotMatch", Edit, Unknown, "§2, §5.6":
        "the device or its twin was changed since the export: take eTag and twinETag from a new export, or drop them (`transform --strip-etags`)";
    INVALID_DEVICE_SCOPE = 400028, "InvalidDeviceScope", Edit, Inferred, "§3.7, §5.6":
        "the scope is of no edge device of this hub: import edge devices first, then map scopes (`transform --scope-map`)";
    MODULE_OF_MODULE = 400301, "CannotRegisterModuleToModule", LeaveOut, Inferred, "§5.6":
        "a module can't have modules";
    UNAUTHORIZED = 401002, "IotHubUnauthorizedAccess", Again, Inferred, "§5.6":
        "the job had no right to do this: put its permissions right, then import again";
    SYSTEM_MODULE = 401100, "SystemModuleModifyUnauthorizedAccess", LeaveOut, Inferred, "§1.7, §5.6":
        "a module of the hub itself ($edgeAgent, $edgeHub): the hub makes it with its edge device, and no import can";
    SUSPENDED = 403001, "IotHubSuspended", Again, Inferred, "§5.6":
        "the hub was suspended (one SDK gives this number to JobQuotaExceeded): import again when it is active";
    QUOTA_EXCEEDED = 403002, "IotHubQuotaExceeded", Individually, Inferred, "§5.3, §5.6":
        "near its quota of devices a hub can refuse a job where there is still room: add these one by one, not by another job (`--individually`)";
    JOB_QUOTA_EXCEEDED = 403003, "JobQuotaExceeded", Again, Inferred, "§5.3, §5.6":
        "another import or export was active: import again when it has ended";
    NOT_IN_TIER = 403010, "OperationNotAvailableInCurrentTier", Edit, Inferred, "§3.6, §5.6":
        "the hub's tier has no such thing (basic tiers have no twins): leave it out (`transform --strip-twin`), or change the tier";
    DEVICE_NOT_FOUND = 404001, "DeviceNotFound", Edit, Confirmed, "§5.5, §5.6":
        "no device of this id: to add it, set the mode (`transform --import-mode create`); a module's line can succeed when its device is there; of a delete nothing is left to do";
    MODULE_NOT_FOUND = 404010, "ModuleNotFound", Edit, Inferred, "§5.6":
        "no module of this id: to add it, set the mode (`transform --import-mode create`); of a delete nothing is left to do";
    IMPORT_NOT_SUPPORTED = 405103, "ImportDevicesNotSupported", Again, Inferred, "§5.6":
        "the hub does not take imports: not the line's fault";
    DEVICE_ALREADY_EXISTS = 409001, "DeviceAlreadyExists", LeaveOut, ThirdParty, "§5.5, §5.6":
        "the device was there already, so it can't be created: nothing to do, or another mode (`transform --import-mode update`)";
    MODULE_ALREADY_EXISTS = 409301, "ModuleAlreadyExistsOnDevice", LeaveOut, Inferred, "§5.6":
        "the module was there already, so it can't be created: nothing to do, or another mode (`transform --import-mode update`)";
    PRECONDITION_FAILED = 412001, "PreconditionFailed", Edit, Unknown, "§2, §5.6":
        "the device or its twin was changed since the export: take eTag and twinETag from a new export, or drop them (`transform --strip-etags`)";
    TOO_MANY_DEVICES = 413002, "TooManyDevices", Individually, Inferred, "§5.6":
        "more devices than the hub takes: make room, then add these one by one (`--individually`)";
    TOO_MANY_MODULES = 413003, "TooManyModulesOnDevice", LeaveOut, Inferred, "§3.1, §5.6":
        "a device takes 50 modules: delete some first";
    THROTTLED = 429001, "ThrottlingException", Again, Inferred, "§5.3, §5.6":
        "the hub was asked for too much at once: import again";
    SERVER_ERROR = 500001, "ServerError", Again, Inferred, "§5.6":
        "an error of the service: import again";
    SERVICE_UNAVAILABLE = 503001, "ServiceUnavailable", Again, Inferred, "§5.6":
        "the service was not there: import again";
}

impl HubError {
    /// Every code of the list, by number.
    pub const ALL: &[Self] = ERRORS;

    /// The error of this number. All of 429xxx are throttling, all of 5xxxxx errors of the service (§5.6). `None` for a number
    /// that is in no list.
    pub fn of(code: u32) -> Option<&'static Self> {
        let of = |code| ERRORS.iter().find(|error| error.code == code);
        of(code).or_else(|| match code {
            429_000..=429_999 => of(Self::THROTTLED),
            500_000..=599_999 => of(Self::SERVER_ERROR),
            _ => None,
        })
    }

    /// The error of this name, in any ASCII case: some answers of the service have names in place of numbers (§5.5).
    pub fn from_name(name: &[u8]) -> Option<&'static Self> {
        ERRORS.iter().find(|error| error.name.as_bytes().eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::{HubError, Remedy};

    #[test]
    fn numbers_and_names_are_unique_and_in_order() {
        assert!(HubError::ALL.is_sorted_by(|one, next| one.code < next.code));
        for error in HubError::ALL {
            assert_eq!(HubError::of(error.code).map(|found| found.name), Some(error.name));
            let upper = error.name.to_uppercase();
            assert_eq!(HubError::from_name(upper.as_bytes()).map(|found| found.code), Some(error.code));
            assert!(!error.advice.ends_with('.') && error.source.starts_with('§'), "{}", error.name);
        }
    }

    #[test]
    fn families_are_known_and_other_numbers_are_not() {
        for (code, want) in [
            (429_001, Some(Remedy::Again)),
            (429_999, Some(Remedy::Again)),
            (500_123, Some(Remedy::Again)),
            (503_003, Some(Remedy::Again)),
            (599_999, Some(Remedy::Again)),
            (400_012, Some(Remedy::Edit)),
            (409_001, Some(Remedy::LeaveOut)),
            (403_002, Some(Remedy::Individually)),
            (400_999, None),
            (428_999, None),
            (600_000, None),
            (0, None),
        ] {
            assert_eq!(HubError::of(code).map(|error| error.remedy), want, "{code}");
        }
        assert!(HubError::from_name(b"").is_none());
    }
}
