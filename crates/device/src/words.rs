//! Values that stand in many lines.

/// Texts that stand as values in many lines of a file: what its enums are spelt like (§1.2), and nothing at all.
pub static WORDS: [&str; 16] = [
    "",
    "enabled",
    "disabled",
    "sas",
    "selfSigned",
    "certificateAuthority",
    "none",
    "createOrUpdate",
    "create",
    "update",
    "updateIfMatchETag",
    "createOrUpdateIfMatchETag",
    "delete",
    "deleteIfMatchETag",
    "updateTwin",
    "updateTwinIfMatchETag",
];

#[cfg(test)]
mod tests {
    use super::WORDS;
    use crate::AuthenticationType::{CertificateAuthority, None as NoneType, Sas, SelfSigned};
    use crate::{ImportMode, Status};

    #[test]
    fn each_spelling_is_there_once() {
        let types = [Sas, SelfSigned, CertificateAuthority, NoneType].map(|of_type| of_type.as_str());
        let statuses = [Status::Enabled, Status::Disabled].map(Status::as_str);
        let modes = ImportMode::ALL.map(ImportMode::as_str);
        let mut want: Vec<&str> = [&types[..], &statuses, &modes, &[""]].concat();
        let mut found = WORDS.to_vec();
        want.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, want);
    }
}
