//! Which findings count for how much: `--allow` and `--deny`.

use hubmill_device::{Code, Severity};

/// Codes that say that a line is no record: nothing can be done with it, whatever is allowed.
const NEVER_ALLOWED: [Code; 5] =
    [Code::JsonSyntax, Code::JsonUtf8, Code::JsonDepth, Code::LineTooLong, Code::NotAnObject];

const _: () = assert!(Code::COUNT <= 128, "a bit for each code");

/// What is allowed and what is denied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    allowed: u128,
    denied: u128,
}

impl Policy {
    /// What these lists of codes ask for.
    ///
    /// # Errors
    /// A code that is in both, or that can't be allowed, in words.
    pub fn new(allow: &[Code], deny: &[Code]) -> Result<Self, String> {
        let bits = |codes: &[Code]| codes.iter().fold(0, |bits, code| bits | 1u128 << *code as u8);
        if let Some(code) = allow.iter().find(|code| NEVER_ALLOWED.contains(code)) {
            return Err(format!(
                "--allow {}: such a line is no device at all, and can't be let through",
                code.as_str()
            ));
        }
        if let Some(code) = allow.iter().find(|code| deny.contains(code)) {
            return Err(format!("--allow {0} contradicts --deny {0}", code.as_str()));
        }
        Ok(Self { allowed: bits(allow), denied: bits(deny) })
    }

    /// Whether findings of this code are only counted.
    #[inline]
    pub fn allows(self, code: Code) -> bool {
        self.allowed >> code as u8 & 1 == 1
    }

    /// How bad a finding is that would be `severity` by itself.
    #[inline]
    pub fn severity(self, code: Code, severity: Severity) -> Severity {
        match () {
            () if self.allows(code) => Severity::Count,
            () if self.denied >> code as u8 & 1 == 1 => Severity::Error,
            () => severity,
        }
    }
}

#[cfg(test)]
mod tests {
    use hubmill_device::{Code, Severity};

    use super::Policy;

    #[test]
    fn what_is_allowed_is_counted_and_what_is_denied_is_an_error() {
        let policy = Policy::new(&[Code::KeysRotate], &[Code::EnumCase]).unwrap();
        assert_eq!(policy.severity(Code::KeysRotate, Severity::Error), Severity::Count);
        assert_eq!(policy.severity(Code::EnumCase, Severity::Warning), Severity::Error);
        assert_eq!(policy.severity(Code::Bom, Severity::Warning), Severity::Warning);
        assert!(Policy::new(&[Code::JsonSyntax], &[]).unwrap_err().contains("--allow json-syntax"));
        assert!(Policy::new(&[Code::Bom], &[Code::Bom]).unwrap_err().contains("--deny bom"));
    }
}
