//! Responsible for: `authentication` and what is in it (§1.5, §3.3).

use super::{Line, check_names, decoded, enum_value, is_delete, is_twin_update, last};
use crate::json::{Json, Text};

const TYPES: [&str; 4] = ["sas", "selfSigned", "certificateAuthority", "none"];
const AUTHENTICATION: [&str; 3] = ["symmetricKey", "x509Thumbprint", "type"];
const KEYS: [&str; 2] = ["primaryKey", "secondaryKey"];
const THUMBPRINTS: [&str; 2] = ["primaryThumbprint", "secondaryThumbprint"];

pub(super) fn check_authentication(line: &mut Line<'_>, mode: Option<&'static str>, is_reserved: bool) {
    let object = match line.get("authentication").cloned() {
        None if !line.lacks("authentication") => return,
        None | Some(Json::Null) => {
            match mode {
                _ if is_reserved => {}
                Some("create") => line.warning("keys-by-hub"),
                Some("createOrUpdate" | "createOrUpdateIfMatchETag" | "update" | "updateIfMatchETag") => {
                    line.error("keys-rotate");
                }
                _ => {}
            }
            return;
        }
        Some(Json::Object(object)) => object,
        Some(_) => return line.error("member-type"),
    };
    check_names(line, &object, &AUTHENTICATION, true);
    let keys = check_pair(line, last(&object, "symmetricKey"), &KEYS);
    let thumbprints = check_pair(line, last(&object, "x509Thumbprint"), &THUMBPRINTS);
    if let Some(keys) = &keys {
        check_keys(line, keys);
    }
    if let Some(thumbprints) = &thumbprints {
        check_thumbprints(line, thumbprints);
    }
    let place = |name: &str| object.members.iter().rposition(|member| member.name.is(name));
    if let (Some(kind), Some(thumbprint), Some(_)) = (place("type"), place("x509Thumbprint"), &thumbprints)
        && kind < thumbprint
    {
        line.warning("type-before-thumbprint");
    }
    let kind = match last(&object, "type") {
        None | Some(Json::Null) => Some("sas"),
        Some(Json::String(text)) if text.decoded().is_some_and(|text| text.is_empty()) => {
            line.warning("authentication-type");
            Some("sas")
        }
        Some(kind) => enum_value(line, kind, &TYPES, "authentication-type"),
    };
    let there = |pair: &Option<[Option<Text>; 2]>| pair.as_ref().is_some_and(|pair| pair.iter().any(Option::is_some));
    let writes_identity = mode.is_some_and(|mode| !is_delete(mode) && !is_twin_update(mode));
    match (kind, there(&keys), there(&thumbprints)) {
        (_, true, true) => line.error("authentication-conflict"),
        (Some("sas"), false, true) | (Some("selfSigned"), true, false) => line.warning("authentication-conflict"),
        (Some("sas"), false, false) if writes_identity => line.warning("keys-missing"),
        (Some("selfSigned"), false, false) => line.warning("thumbprint-missing"),
        (Some("certificateAuthority"), keys, thumbprints) if keys || thumbprints => {
            line.warning("authentication-conflict")
        }
        (Some("none"), ..) if !is_reserved => line.warning("authentication-none"),
        _ => {}
    }
}

/// A pair of texts that may be null or empty; `None` where there is no object.
fn check_pair(line: &mut Line<'_>, value: Option<&Json>, names: &[&'static str; 2]) -> Option<[Option<Text>; 2]> {
    let object = match value {
        None | Some(Json::Null) => return None,
        Some(Json::Object(object)) => object,
        Some(_) => {
            line.error("member-type");
            return None;
        }
    };
    check_names(line, object, names, true);
    Some(names.map(|name| match last(object, name) {
        None | Some(Json::Null) => None,
        Some(Json::String(text)) => (!text.raw.is_empty()).then(|| text.clone()),
        Some(_) => {
            line.error("member-type");
            None
        }
    }))
}

fn check_keys(line: &mut Line<'_>, keys: &[Option<Text>; 2]) {
    for key in keys.iter().flatten() {
        let text: String = decoded(key).into_iter().collect();
        match base64_length(&text) {
            None => line.error("key-base64"),
            Some(length) if !(16..=64).contains(&length) => line.error("key-length"),
            Some(_) => {}
        }
    }
    if keys[0].is_some() != keys[1].is_some() {
        line.error("key-half");
    }
}

/// How many bytes a text of base64 stands for.
fn base64_length(text: &str) -> Option<usize> {
    let digits = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    let good = digits.chars().all(|digit| digit.is_ascii_alphanumeric() || "+/".contains(digit));
    let bits = digits.chars().count() * 6;
    (good && text.chars().count().is_multiple_of(4)).then_some(bits / 8)
}

fn check_thumbprints(line: &mut Line<'_>, thumbprints: &[Option<Text>; 2]) {
    let mut lengths = Vec::new();
    for thumbprint in thumbprints.iter().flatten() {
        let digits = decoded(thumbprint);
        if [40, 64].contains(&digits.len()) && digits.iter().all(char::is_ascii_hexdigit) {
            lengths.push(digits.len());
        } else {
            line.error("thumbprint-format");
        }
    }
    if let [one, other] = lengths[..]
        && one != other
    {
        line.error("thumbprint-mismatch");
    }
}
