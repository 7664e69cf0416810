//! `authentication.type` (§1.2, §3.5).

use crate::enum_from_text;

/// How a device or module proves who it is. The numbers are the hub's own (§1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthenticationType {
    /// `sas`: a symmetric key.
    Sas,
    /// `selfSigned`: the thumbprint of an X.509 certificate.
    SelfSigned,
    /// `certificateAuthority`: a certificate that a known authority signed.
    CertificateAuthority,
    /// `none`: as the hub's own edge modules have it.
    None,
}

const VALUES: [(&str, AuthenticationType); 4] = [
    ("sas", AuthenticationType::Sas),
    ("selfSigned", AuthenticationType::SelfSigned),
    ("certificateAuthority", AuthenticationType::CertificateAuthority),
    ("none", AuthenticationType::None),
];

impl AuthenticationType {
    /// Reads the decoded text of a value, a name in any case or the number (§1.5).
    pub fn from_text(text: &[u8]) -> Option<Self> {
        enum_from_text(text, &VALUES)
    }

    /// The canonical spelling.
    pub const fn as_str(self) -> &'static str {
        VALUES[self as usize].0
    }
}

#[cfg(test)]
mod tests {
    use super::AuthenticationType::{self, CertificateAuthority, None as NoneType, Sas, SelfSigned};

    #[test]
    fn any_case_and_numbers() {
        for (text, want) in [
            ("sas", Some(Sas)),
            ("SAS", Some(Sas)),
            ("SelfSigned", Some(SelfSigned)),
            ("certificateauthority", Some(CertificateAuthority)),
            ("none", Some(NoneType)),
            ("0", Some(Sas)),
            ("3", Some(NoneType)),
            ("4", None),
            ("SELF_SIGNED", None),
            ("", None),
            ("00", None),
        ] {
            assert_eq!(AuthenticationType::from_text(text.as_bytes()), want, "{text}");
        }
    }
}
