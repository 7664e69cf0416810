//! `authentication`: keys, thumbprints, type, and whether they go together (§3.3 to §3.5).

use std::borrow::Cow;

use hubmill_device::{
    AuthenticationType, Code, ImportMode, KEY_BYTES_DEFAULT, KEY_BYTES_MAX, KEY_BYTES_MIN, Member, Place, Severity,
    is_system_module,
};
use hubmill_parser::{ByteSet, MemberSpan, Record};

use super::{Authenticates, CheckScratch, Checker, Facts};
use crate::authentication::{KEY_PATHS, THUMBPRINT_PATHS};
use crate::finding::{Detail, Finding};

/// The digits of a SHA-1 and of a SHA-256 thumbprint (§3.4).
const THUMBPRINT_DIGITS: [usize; 2] = [40, 64];

/// A pair of keys or of thumbprints.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    /// Where the object is.
    at: Option<u32>,
    /// Which of the two are there: texts that are not empty.
    there: [bool; 2],
}

impl Pair {
    fn any(self) -> bool {
        self.there != [false, false]
    }
}

impl Checker {
    #[inline]
    pub(super) fn check_authentication(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        facts: &Facts,
    ) -> Authenticates {
        let Some(member) = scratch.get(record, Member::Authentication) else {
            if scratch.variants.contains(Member::Authentication) {
                return Authenticates::Unreadable;
            }
            self.none_at_all(scratch, record, record.open(), facts);
            return Authenticates::NotSaid;
        };
        if record.bytes(member.value) == b"null" {
            self.none_at_all(scratch, record, member.value.start, facts);
            return Authenticates::NotSaid;
        }
        if is_usual(record.bytes(member.value), |digits| record.all_within(digits, &BASE64)) {
            return Authenticates::By(AuthenticationType::Sas);
        }
        let Some([keys, thumbprints, kind]) =
            self.pick::<3>(scratch, record, &member, Place::Authentication, Severity::Error)
        else {
            return Authenticates::Unreadable;
        };
        let symmetric = keys.map_or(Pair::default(), |keys| self.check_keys(scratch, record, &keys));
        let x509 = thumbprints.map_or(Pair::default(), |pair| self.check_thumbprints(scratch, record, &pair));
        if let (Some(kind), Some(at)) = (kind, x509.at)
            && kind.value.start < at
        {
            let message = "type stands before x509Thumbprint: Microsoft's SDK takes the device for selfSigned then (§1.2); put type last";
            self.say(
                scratch,
                Code::TypeBeforeThumbprint,
                kind.value.start,
                "authentication.type",
                Detail::Text(message),
            );
        }
        // Without a type, or with null, it is sas (§1.2).
        let of =
            ("authentication.type", Code::AuthenticationType, "sas, selfSigned, certificateAuthority or none (§1.2)");
        let read = match kind.filter(|kind| record.bytes(kind.value) != b"null") {
            None => Some(AuthenticationType::Sas),
            Some(kind) if record.bytes(kind.value) == b"\"\"" => {
                let message = "the type is empty: the hub probably takes that for null, and the device for sas (§1.5)";
                let finding = Finding::new(Code::AuthenticationType, kind.value.start, of.0, Detail::Text(message));
                self.add(scratch, finding.warning());
                Some(AuthenticationType::Sas)
            }
            Some(kind) => {
                self.enum_value(scratch, record, &kind, of, AuthenticationType::from_text, AuthenticationType::as_str)
            }
        };
        let at = kind.map_or(member.value.start, |kind| kind.value.start);
        self.check_agreement(scratch, record, facts, (read, at), symmetric, x509);
        read.map_or(Authenticates::Unreadable, Authenticates::By)
    }

    /// No authentication: what that means depends on the mode (§2, §4).
    #[cold]
    fn none_at_all(&self, scratch: &mut CheckScratch, record: &Record<'_>, at: u32, facts: &Facts) {
        if is_of_the_hub(record, facts) {
            return;
        }
        let (code, message) = match facts.mode {
            Some(mode) if mode.overwrites_identity() => (
                Code::KeysRotate,
                "no authentication: where the device is there already, the hub gives it new keys (§2); --allow keys-rotate where that is meant",
            ),
            Some(ImportMode::Create) => {
                (Code::KeysByHub, "no authentication: the hub makes keys that this file does not know (§4)")
            }
            _ => return,
        };
        self.say(scratch, code, at, "authentication", Detail::Text(message));
    }

    #[inline]
    fn check_keys(&self, scratch: &mut CheckScratch, record: &Record<'_>, member: &MemberSpan) -> Pair {
        let Some(keys) = self.pick::<2>(scratch, record, member, Place::SymmetricKey, Severity::Error) else {
            return Pair::default();
        };
        let mut pair = Pair { at: Some(member.value.start), there: [false, false] };
        for (number, key) in keys.iter().enumerate() {
            let Some(key) = key else { continue };
            let Some(text) = self.text_or_null(scratch, record, key, KEY_PATHS[number]).filter(|text| !text.is_empty())
            else {
                continue;
            };
            pair.there[number] = true;
            match base64_bytes(&text, |digits| record.all_within(digits, &BASE64)) {
                Some(KEY_BYTES_MIN..=KEY_BYTES_MAX) => {}
                bytes => self.bad_key(scratch, key, KEY_PATHS[number], bytes),
            }
        }
        if pair.there[0] != pair.there[1] {
            let message = "one key without the other: the hub takes both or none (§3.3)";
            let there = usize::from(pair.there[1]);
            let at = keys[there].map_or(member.value.start, |key| key.value.start);
            self.say(scratch, Code::KeyHalf, at, Place::SymmetricKey.path(), Detail::Text(message));
        }
        pair
    }

    #[cold]
    fn bad_key(&self, scratch: &mut CheckScratch, key: &MemberSpan, path: &'static str, bytes: Option<usize>) {
        let (code, detail) = match bytes {
            None => (Code::KeyBase64, Detail::Type("standard base64 with padding (§3.3)")),
            Some(0..KEY_BYTES_MIN) => {
                (Code::KeyLength, Detail::Type("at least 16 bytes long, counted without base64 (§3.3)"))
            }
            Some(_) => (Code::KeyLength, Detail::Type("at most 64 bytes long, counted without base64 (§3.3)")),
        };
        self.say(scratch, code, key.value.start, path, detail);
    }

    #[inline]
    fn check_thumbprints(&self, scratch: &mut CheckScratch, record: &Record<'_>, member: &MemberSpan) -> Pair {
        let Some(thumbprints) = self.pick::<2>(scratch, record, member, Place::Thumbprint, Severity::Error) else {
            return Pair::default();
        };
        let mut pair = Pair { at: Some(member.value.start), there: [false, false] };
        let mut digits = [0, 0];
        for (number, thumbprint) in thumbprints.iter().enumerate() {
            let Some(thumbprint) = thumbprint else { continue };
            let path = THUMBPRINT_PATHS[number];
            let text: Option<Cow<'_, [u8]>> = self.text_or_null(scratch, record, thumbprint, path);
            let Some(text) = text.filter(|text| !text.is_empty()) else { continue };
            pair.there[number] = true;
            if is_thumbprint(&text, |digits| record.all_within(digits, &HEXADECIMAL)) {
                digits[number] = text.len();
            } else {
                let expected = "40 or 64 hexadecimal digits, without separators (§3.4)";
                self.say(scratch, Code::ThumbprintFormat, thumbprint.value.start, path, Detail::Type(expected));
            }
        }
        if digits[0] != digits[1]
            && !digits.contains(&0)
            && let Some(second) = thumbprints[1]
        {
            let message = "one thumbprint is SHA-1 and the other SHA-256: both must be of one kind (§3.4)";
            self.say(
                scratch,
                Code::ThumbprintMismatch,
                second.value.start,
                Place::Thumbprint.path(),
                Detail::Text(message),
            );
        }
        pair
    }

    /// Whether type, keys and thumbprints go together (§3.5).
    #[inline]
    fn check_agreement(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        facts: &Facts,
        (kind, at): (Option<AuthenticationType>, u32),
        keys: Pair,
        thumbprints: Pair,
    ) {
        let path = "authentication.type";
        let conflict = |scratch: &mut CheckScratch, severity, at, path, message| {
            let finding = Finding::new(Code::AuthenticationConflict, at, path, Detail::Text(message));
            self.add(scratch, Finding { severity, ..finding });
        };
        if keys.any() && thumbprints.any() {
            let message = "both symmetric keys and thumbprints: a device can't have both (§3.5)";
            conflict(scratch, Severity::Error, thumbprints.at.unwrap_or(at), Place::Thumbprint.path(), message);
            return;
        }
        let writes_identity = facts.mode.is_some_and(ImportMode::writes_identity);
        match kind {
            Some(AuthenticationType::Sas) if thumbprints.any() => {
                let message =
                    "thumbprints under the type sas, which does not use them (§3.5); selfSigned was probably meant";
                conflict(scratch, Severity::Warning, at, path, message);
            }
            Some(AuthenticationType::Sas) if writes_identity && !keys.any() => {
                let message = "no symmetric keys: the hub makes them, and this file does not know them (§4)";
                self.say(scratch, Code::KeysMissing, at, Place::SymmetricKey.path(), Detail::Text(message));
            }
            Some(AuthenticationType::SelfSigned) if keys.any() => {
                let message =
                    "symmetric keys under the type selfSigned, which does not use them (§3.5); sas was probably meant";
                conflict(scratch, Severity::Warning, at, path, message);
            }
            Some(AuthenticationType::SelfSigned) if !thumbprints.any() => {
                let message = "selfSigned without a thumbprint: the hub takes it, but no certificate will match (§3.5)";
                self.say(scratch, Code::ThumbprintMissing, at, Place::Thumbprint.path(), Detail::Text(message));
            }
            Some(AuthenticationType::CertificateAuthority) if keys.any() || thumbprints.any() => {
                let message = "keys or thumbprints under the type certificateAuthority, which has none (§3.5)";
                conflict(scratch, Severity::Warning, at, path, message);
            }
            Some(AuthenticationType::None) => self.type_none(scratch, record, facts, at),
            _ => {}
        }
    }

    #[cold]
    fn type_none(&self, scratch: &mut CheckScratch, record: &Record<'_>, facts: &Facts, at: u32) {
        if is_of_the_hub(record, facts) {
            return;
        }
        let message = if facts.module_id.is_some() {
            "the type none: the hub was seen to make it sas for a module (§3.5)"
        } else {
            "the type none: the hub was seen to refuse it for a device (§3.5)"
        };
        self.say(scratch, Code::AuthenticationNone, at, "authentication.type", Detail::Text(message));
    }
}

/// What the hub writes around the two keys of a device that has the keys that the hub makes (§1.2, §4).
const USUAL: [&[u8]; 3] = [
    br#"{"symmetricKey":{"primaryKey":""#,
    br#"","secondaryKey":""#,
    br#""},"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"}"#,
];
/// A key that the hub makes: 32 bytes.
const USUAL_KEY_CHARACTERS: usize = 44;

/// The digits of thumbprints.
pub(super) static HEXADECIMAL: ByteSet = ByteSet::new(b"0123456789abcdefABCDEF");
/// The digits of base64.
pub(super) static BASE64: ByteSet = ByteSet::new(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

/// Whether the value is, to the byte, as the hub writes it for most devices: then there is nothing to find in it.
#[inline]
fn is_usual(value: &[u8], are_digits: impl Fn(&[u8]) -> bool) -> bool {
    let key = |rest: &mut &[u8], before: &[u8]| {
        let found = rest.strip_prefix(before).and_then(|rest| rest.split_at_checked(USUAL_KEY_CHARACTERS));
        found.is_some_and(|(key, after)| {
            *rest = after;
            base64_bytes(key, &are_digits) == Some(KEY_BYTES_DEFAULT)
        })
    };
    let mut rest = value;
    key(&mut rest, USUAL[0]) && key(&mut rest, USUAL[1]) && rest == USUAL[2]
}

/// Whether the line is a module of the hub itself (§1.7), which has no keys of its own to lose.
fn is_of_the_hub(record: &Record<'_>, facts: &Facts) -> bool {
    let module_id = facts.module_id.and_then(|module_id| record.text(module_id));
    module_id.is_some_and(|module_id| is_system_module(&module_id))
}

/// How many bytes a text of standard base64 with padding stands for; `None` where it is none.
///
/// Bits that are left over may be set (§3.3).
#[inline]
fn base64_bytes(text: &[u8], are_digits: impl Fn(&[u8]) -> bool) -> Option<usize> {
    let digits = match text {
        [digits @ .., b'=', b'='] | [digits @ .., b'='] => digits,
        digits => digits,
    };
    (text.len().is_multiple_of(4) && are_digits(digits)).then_some(digits.len() * 3 / 4)
}

/// Whether a text is a key that the hub takes (§3.3).
#[inline]
pub(super) fn is_key(text: &[u8], are_digits: impl Fn(&[u8]) -> bool) -> bool {
    base64_bytes(text, are_digits).is_some_and(|bytes| (KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&bytes))
}

/// Whether a text is a thumbprint (§3.4).
#[inline]
pub(super) fn is_thumbprint(text: &[u8], are_digits: impl Fn(&[u8]) -> bool) -> bool {
    THUMBPRINT_DIGITS.contains(&text.len()) && are_digits(text)
}

#[cfg(test)]
mod tests {
    use super::{base64_bytes, is_usual};

    fn are_digits(text: &[u8]) -> bool {
        text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
    }

    #[test]
    fn what_the_hub_writes_is_known_to_the_byte() {
        let usual = |key: &str, kind: &str| {
            format!(
                r#"{{"symmetricKey":{{"primaryKey":"{key}","secondaryKey":"{key}"}},"x509Thumbprint":{{"primaryThumbprint":null,"secondaryThumbprint":null}},"type":"{kind}"}}"#
            )
        };
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        assert!(is_usual(usual(key, "sas").as_bytes(), are_digits));
        for other in [
            usual(key, "SAS"),
            usual(&key.replace('=', "A"), "sas"),
            usual(&key.replace("Aw", "A-"), "sas"),
            usual(&key[4..], "sas"),
            usual(key, "sas") + " ",
            usual(key, "sas").replace("null,", "null ,"),
            "{}".to_owned(),
            String::new(),
        ] {
            assert!(!is_usual(other.as_bytes(), are_digits), "{other}");
        }
    }

    #[test]
    fn base64_is_counted_in_bytes() {
        for (text, want) in [
            ("AAECAwQFBgcICQoLDA0ODw==", Some(16)),
            ("AAEC", Some(3)),
            ("AAE=", Some(2)),
            ("AB==", Some(1)),
            ("abc=", Some(2)),
            ("+/9z", Some(3)),
            ("123", None),
            ("A===", None),
            ("====", None),
            ("AAE", None),
            ("AA=A", None),
            ("AA-_", None),
            ("AA\nA", None),
            ("AAAA ", None),
            ("AAA.", None),
            ("AA@A", None),
            ("AA[A", None),
            ("AA`A", None),
            ("AA{A", None),
            ("AA:A", None),
        ] {
            assert_eq!(base64_bytes(text.as_bytes(), are_digits), want, "{text}");
        }
    }
}
