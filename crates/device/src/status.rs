//! `status` (§1.2).

/// Whether a device may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `enabled`
    Enabled,
    /// `disabled`
    Disabled,
}

impl Status {
    /// The canonical spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}
