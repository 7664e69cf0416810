//! Responsible for: the oracle's rules on keys: strip, make, promote, swap.
//! Not for: the bytes of a key; where one is made stands [`Json::Fresh`].

use crate::edits::mode_of;
use crate::json::{Json, Object};
use crate::oracle::{Findings, is_system_module, read_enum};
use crate::rules::{AUTHENTICATION_TYPES, Rules, Slot};

const KEYS: [&str; 2] = ["primaryKey", "secondaryKey"];
const THUMBPRINTS: [&str; 2] = ["primaryThumbprint", "secondaryThumbprint"];

/// `--strip-keys`: keys that are there become null, whatever they are.
pub(crate) fn strip(object: &mut Object, findings: &mut Findings) {
    let authentication = match object.get_mut("authentication") {
        None | Some(Json::Null) => return,
        Some(Json::Object(authentication)) => authentication,
        Some(_) => return findings.error("member-type"),
    };
    check_names(authentication, &["symmetricKey", "x509Thumbprint", "type"], findings);
    let pair = match authentication.get_mut("symmetricKey") {
        None | Some(Json::Null) => return,
        Some(Json::Object(pair)) => pair,
        Some(_) => return findings.error("member-type"),
    };
    check_names(pair, &KEYS, findings);
    for name in KEYS {
        if let Some(key) = pair.get_mut(name) {
            *key = Json::Null;
        }
    }
}

/// `--regenerate-keys`, `--promote-secondary`, `--swap-keys`.
pub(crate) fn make_and_move(rules: &Rules, object: &mut Object, findings: &mut Findings) {
    if !rules.moves_keys() {
        return;
    }
    let Some(mode) = mode_of(object, findings) else { return };
    if mode.starts_with("delete") || mode.starts_with("updateTwin") {
        return findings.warn("left-mode");
    }
    if is_system_module(object) {
        return findings.warn("left-system-module");
    }
    match object.get_mut("authentication") {
        None | Some(Json::Null) if rules.keyless_sas && rules.regenerate_keys.is_some() => {
            object.set("authentication", full_authentication());
        }
        None | Some(Json::Null) => findings.warn("keyless"),
        Some(Json::Object(authentication)) => in_authentication(rules, authentication, findings),
        Some(_) => findings.error("member-type"),
    }
}

/// The full shape of §1.2 with fresh keys.
fn full_authentication() -> Json {
    Json::object(vec![
        ("symmetricKey", fresh_pair()),
        ("x509Thumbprint", Json::object(vec![(THUMBPRINTS[0], Json::Null), (THUMBPRINTS[1], Json::Null)])),
        ("type", Json::text("sas")),
    ])
}

fn fresh_pair() -> Json {
    Json::object(vec![(KEYS[0], Json::Fresh), (KEYS[1], Json::Fresh)])
}

fn in_authentication(rules: &Rules, authentication: &mut Object, findings: &mut Findings) {
    check_names(authentication, &["symmetricKey", "x509Thumbprint", "type"], findings);
    let thumbprint_there =
        pair_of(authentication, "x509Thumbprint", &THUMBPRINTS, findings).into_iter().any(|there| there);
    let keys_there = pair_of(authentication, "symmetricKey", &KEYS, findings);
    let is_null = |value: &Json| match value {
        Json::Null => true,
        Json::String(text) => text.decoded().is_some_and(|text| text.is_empty()),
        _ => false,
    };
    let type_value = authentication.get("type").filter(|value| !is_null(value));
    let Some(kind) = read_enum(type_value, &AUTHENTICATION_TYPES, usize::MAX) else {
        return findings.error("authentication-type");
    };
    let has_keys = authentication.get("symmetricKey").and_then(Json::as_object);
    let has_keys = has_keys.is_some_and(|pair| KEYS.iter().any(|name| pair.get(name).is_some()));
    match kind {
        _ if thumbprint_there => findings.warn("left-x509"),
        1 => findings.warn("left-x509"),
        2 => findings.warn("left-ca"),
        3 => findings.warn("left-none"),
        0 => move_keys(rules, authentication, keys_there, findings),
        _ if has_keys => move_keys(rules, authentication, keys_there, findings),
        _ => findings.warn("keyless"),
    }
}

/// The errors of an object's names where a rule looks into it.
pub(crate) fn check_names(object: &Object, names: &[&str], findings: &mut Findings) {
    if object.has_duplicates() {
        findings.error("duplicate-member");
    }
    if object.has_case_variant(names) {
        findings.error("member-case");
    }
}

/// Which of the two texts of a pair are there, and the errors of the pair.
fn pair_of(authentication: &Object, name: &str, names: &[&str; 2], findings: &mut Findings) -> [bool; 2] {
    let pair = match authentication.get(name) {
        None | Some(Json::Null) => return [false; 2],
        Some(Json::Object(pair)) => pair,
        Some(_) => {
            findings.error("member-type");
            return [false; 2];
        }
    };
    check_names(pair, names, findings);
    names.map(|name| match pair.get(name) {
        None | Some(Json::Null) => false,
        Some(Json::String(text)) => !text.raw.is_empty(),
        Some(_) => {
            findings.error("member-type");
            false
        }
    })
}

fn move_keys(rules: &Rules, authentication: &mut Object, [primary, secondary]: [bool; 2], findings: &mut Findings) {
    let keys_missing = match rules.regenerate_keys {
        Some(Slot::Both) => false,
        Some(Slot::Primary) => !secondary,
        Some(Slot::Secondary) => !primary,
        None if rules.promote_secondary => !secondary,
        None => !primary || !secondary,
    };
    if keys_missing {
        return findings.warn("keys-missing");
    }
    let pair = match authentication.get_mut("symmetricKey") {
        Some(Json::Object(pair)) => pair,
        Some(null) => {
            *null = fresh_pair();
            return;
        }
        None => return authentication.add_first("symmetricKey", fresh_pair()),
    };
    let old = KEYS.map(|name| pair.get(name).cloned().unwrap_or(Json::Null));
    let [old_primary, old_secondary] = old;
    if rules.swap_keys {
        pair.set(KEYS[0], old_secondary);
        pair.set(KEYS[1], old_primary);
    } else if rules.promote_secondary {
        pair.set(KEYS[0], old_secondary);
        pair.set(KEYS[1], Json::Fresh);
    } else {
        if rules.regenerate_keys != Some(Slot::Secondary) {
            pair.set(KEYS[0], Json::Fresh);
        }
        if rules.regenerate_keys != Some(Slot::Primary) {
            pair.set(KEYS[1], Json::Fresh);
        }
    }
}
