//! Values that stand in many lines.

use crate::{AuthenticationType, ImportMode, Status};

/// Texts that stand as values in many lines of a file: what its enums are spelt like (§1.2), and nothing at all.
pub static WORDS: [&str; 16] = [
    "",
    Status::Enabled.as_str(),
    Status::Disabled.as_str(),
    AuthenticationType::Sas.as_str(),
    AuthenticationType::SelfSigned.as_str(),
    AuthenticationType::CertificateAuthority.as_str(),
    AuthenticationType::None.as_str(),
    ImportMode::CreateOrUpdate.as_str(),
    ImportMode::Create.as_str(),
    ImportMode::Update.as_str(),
    ImportMode::UpdateIfMatchETag.as_str(),
    ImportMode::CreateOrUpdateIfMatchETag.as_str(),
    ImportMode::Delete.as_str(),
    ImportMode::DeleteIfMatchETag.as_str(),
    ImportMode::UpdateTwin.as_str(),
    ImportMode::UpdateTwinIfMatchETag.as_str(),
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
