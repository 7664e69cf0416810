//! `importMode`: what an import job does with a line (§2).

use crate::enum_from_text;

/// The nine import modes. The numbers are the hub's own (§1.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImportMode {
    /// `createOrUpdate`: what a line without the member means (§2).
    #[default]
    CreateOrUpdate,
    /// `create`
    Create,
    /// `update`
    Update,
    /// `updateIfMatchETag`
    UpdateIfMatchETag,
    /// `createOrUpdateIfMatchETag`
    CreateOrUpdateIfMatchETag,
    /// `delete`
    Delete,
    /// `deleteIfMatchETag`
    DeleteIfMatchETag,
    /// `updateTwin`
    UpdateTwin,
    /// `updateTwinIfMatchETag`
    UpdateTwinIfMatchETag,
}

const VALUES: [(&str, ImportMode); 9] = [
    ("createOrUpdate", ImportMode::CreateOrUpdate),
    ("create", ImportMode::Create),
    ("update", ImportMode::Update),
    ("updateIfMatchETag", ImportMode::UpdateIfMatchETag),
    ("createOrUpdateIfMatchETag", ImportMode::CreateOrUpdateIfMatchETag),
    ("delete", ImportMode::Delete),
    ("deleteIfMatchETag", ImportMode::DeleteIfMatchETag),
    ("updateTwin", ImportMode::UpdateTwin),
    ("updateTwinIfMatchETag", ImportMode::UpdateTwinIfMatchETag),
];

impl ImportMode {
    /// All modes, in the order of their numbers.
    pub const ALL: [Self; 9] = [
        Self::CreateOrUpdate,
        Self::Create,
        Self::Update,
        Self::UpdateIfMatchETag,
        Self::CreateOrUpdateIfMatchETag,
        Self::Delete,
        Self::DeleteIfMatchETag,
        Self::UpdateTwin,
        Self::UpdateTwinIfMatchETag,
    ];

    /// Reads the decoded text of a value, a name in any case or the number (§1.5).
    pub fn from_text(text: &[u8]) -> Option<Self> {
        enum_from_text(text, &VALUES)
    }

    /// The canonical spelling, as the hub documents the wire form (§1.2).
    pub const fn as_str(self) -> &'static str {
        VALUES[self as usize].0
    }

    /// `delete` or `deleteIfMatchETag`.
    pub fn is_delete(self) -> bool {
        matches!(self, Self::Delete | Self::DeleteIfMatchETag)
    }

    /// `updateTwin` or `updateTwinIfMatchETag`: the identity, and so its keys, is not written.
    pub fn is_update_twin(self) -> bool {
        matches!(self, Self::UpdateTwin | Self::UpdateTwinIfMatchETag)
    }

    /// Creates or overwrites an identity, keys included (§2).
    pub fn writes_identity(self) -> bool {
        !self.is_delete() && !self.is_update_twin()
    }

    /// Needs `eTag` or `twinETag` in the line (§2).
    pub fn is_if_match(self) -> bool {
        matches!(
            self,
            Self::UpdateIfMatchETag
                | Self::CreateOrUpdateIfMatchETag
                | Self::DeleteIfMatchETag
                | Self::UpdateTwinIfMatchETag
        )
    }

    /// Can overwrite an identity that is already there, keys included (§2).
    pub fn overwrites_identity(self) -> bool {
        matches!(self, Self::CreateOrUpdate | Self::CreateOrUpdateIfMatchETag | Self::Update | Self::UpdateIfMatchETag)
    }
}

#[cfg(test)]
mod tests {
    use super::ImportMode;

    #[test]
    fn every_mode_reads_its_own_name_and_number() {
        for (number, mode) in ImportMode::ALL.into_iter().enumerate() {
            assert_eq!(mode as usize, number);
            assert_eq!(ImportMode::from_text(mode.as_str().as_bytes()), Some(mode));
            assert_eq!(ImportMode::from_text(mode.as_str().to_uppercase().as_bytes()), Some(mode));
            assert_eq!(ImportMode::from_text(number.to_string().as_bytes()), Some(mode));
        }
        assert_eq!(ImportMode::from_text(b"9"), None);
        assert_eq!(ImportMode::from_text(b"remove"), None);
    }

    #[test]
    fn classes() {
        let names = |test: fn(ImportMode) -> bool| -> Vec<&str> {
            ImportMode::ALL.into_iter().filter(|mode| test(*mode)).map(ImportMode::as_str).collect()
        };
        assert_eq!(names(ImportMode::is_delete), ["delete", "deleteIfMatchETag"]);
        assert_eq!(names(ImportMode::is_update_twin), ["updateTwin", "updateTwinIfMatchETag"]);
        assert_eq!(
            names(ImportMode::overwrites_identity),
            ["createOrUpdate", "update", "updateIfMatchETag", "createOrUpdateIfMatchETag"]
        );
        assert_eq!(
            names(ImportMode::writes_identity),
            ["createOrUpdate", "create", "update", "updateIfMatchETag", "createOrUpdateIfMatchETag"]
        );
        assert!(ImportMode::ALL.into_iter().all(|mode| mode.is_if_match() == mode.as_str().ends_with("IfMatchETag")));
    }
}
