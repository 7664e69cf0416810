//! `status` (§1.2).

use crate::enum_from_text;

/// Whether a device may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `enabled`
    Enabled,
    /// `disabled`
    Disabled,
}

const VALUES: [(&str, Status); 2] = [("enabled", Status::Enabled), ("disabled", Status::Disabled)];

impl Status {
    /// Reads the decoded text of a value, a name in any case or the number (§1.5).
    pub fn from_text(text: &[u8]) -> Option<Self> {
        enum_from_text(text, &VALUES)
    }

    /// The canonical spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}
