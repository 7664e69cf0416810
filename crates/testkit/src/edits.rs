//! Responsible for: the oracle's edits of one line, in the order of the contract's table, on the lossless tree.
//! Not for: keys, which are in [`keys`](crate::keys), and not for selection and checks.

use crate::deep::{self, Deep};
use crate::json::{Json, Object, Text};
use crate::keys;
use crate::oracle::{Findings, KNOWN_MEMBERS, read_enum};
use crate::rules::{IMPORT_MODES, Preset, Rules};
use crate::{json, lines};
use std::collections::BTreeMap;

/// The scope of each edge device of another hub, as it is spelled, by device id in UTF-16.
pub(crate) type Scopes = BTreeMap<Vec<u16>, Text>;

const SCOPE_PREFIX: &str = "ms-azure-iot-edge://";

/// Applies every rule that edits.
pub(crate) fn apply(rules: &Rules, scopes: Option<&Scopes>, object: &mut Object, findings: &mut Findings) {
    if object.has_case_variant(&members_of(rules)) {
        findings.error("member-case");
    }
    if let Some(mode) = rules.import_mode {
        object.set("importMode", Json::text(IMPORT_MODES[mode]));
    }
    if let Some(disabled) = rules.disabled {
        object.set("status", Json::text(if disabled { "disabled" } else { "enabled" }));
    }
    match rules.status_reason.as_deref() {
        None => {}
        Some("") => object.remove(&["statusReason"]),
        Some(reason) => object.set("statusReason", Json::text(reason)),
    }
    if rules.strip_keys {
        keys::strip(object, findings);
    }
    if rules.strip_authentication
        && let Some(authentication) = object.get_mut("authentication")
    {
        *authentication = Json::Null;
    }
    keys::make_and_move(rules, object, findings);
    if rules.minimal {
        minimal(rules, object, findings);
    }
    if rules.strip_etags {
        warn_of_needed_etag(rules, object, findings);
        object.remove(&["eTag", "twinETag"]);
    }
    if rules.strip_twin {
        object.remove(&["twinETag", "tags", "properties"]);
    }
    if rules.strip_metadata {
        strip_metadata(object, findings);
    }
    if rules.is_preset(Preset::Migrate) {
        migrate_scope(rules, scopes, object, findings);
    }
    deep::apply(&rules.deep, object, findings);
}

/// The members at the top that a rule reads or edits, and that may not stand there in another case.
fn members_of(rules: &Rules) -> Vec<&'static str> {
    let sets: [(bool, &[&str]); 9] = [
        (rules.import_mode.is_some(), &["importMode"]),
        (rules.disabled.is_some(), &["status"]),
        (rules.status_reason.is_some(), &["statusReason"]),
        (rules.strip_keys || rules.strip_authentication, &["authentication"]),
        (rules.moves_keys(), &["authentication", "importMode", "moduleId"]),
        (rules.minimal, &KNOWN_MEMBERS),
        (rules.strip_etags, &["eTag", "twinETag"]),
        (rules.strip_twin, &["twinETag", "tags", "properties"]),
        (rules.is_preset(Preset::Migrate), &["capabilities", "deviceScope", "authentication"]),
    ];
    let mut members: Vec<&str> = sets.iter().filter(|set| set.0).flat_map(|set| set.1).copied().collect();
    if rules.strip_metadata {
        members.push("properties");
    }
    members.extend(rules.deep.iter().flat_map(Deep::members));
    members
}

/// The mode of a line, or the error that it can't be read; a missing one is `createOrUpdate`.
pub(crate) fn mode_of(object: &Object, findings: &mut Findings) -> Option<&'static str> {
    let mode = read_enum(object.get("importMode"), &IMPORT_MODES, 0);
    if mode.is_none() {
        findings.error("import-mode-value");
    }
    mode.map(|mode| IMPORT_MODES[mode])
}

/// A line whose own mode needs the ETag that is taken away; a mode that the rules set needs none.
fn warn_of_needed_etag(rules: &Rules, object: &Object, findings: &mut Findings) {
    let mode = read_enum(object.get("importMode"), &IMPORT_MODES, 0);
    if rules.import_mode.is_none() && mode.is_some_and(|mode| IMPORT_MODES[mode].ends_with("IfMatchETag")) {
        findings.warn("etag-missing");
    }
}

fn minimal(rules: &Rules, object: &mut Object, findings: &mut Findings) {
    let Some(mode) = mode_of(object, findings) else { return };
    let kept: &[&str] = if mode.starts_with("delete") {
        &["id", "moduleId", "eTag", "importMode", "status"]
    } else if mode.starts_with("updateTwin") {
        &["id", "moduleId", "importMode", "status", "twinETag", "tags", "properties"]
    } else {
        return;
    };
    object.remove_where(|member| !kept.iter().any(|name| member.name.is(name)));
    if rules.strip_twin {
        // They go whole, whatever they are.
        object.remove(&["properties"]);
    }
    check_properties(object, findings);
    match object.get_mut("properties") {
        Some(Json::Object(properties)) if properties.get("desired").is_some() => {
            properties.remove_where(|member| !member.name.is("desired"));
        }
        Some(Json::Object(_) | Json::Null) => object.remove(&["properties"]),
        Some(_) => findings.error("member-type"),
        None => {}
    }
}

/// The errors of `properties` where a rule looks into it.
fn check_properties(object: &Object, findings: &mut Findings) {
    let Some(Json::Object(properties)) = object.get("properties") else { return };
    if properties.has_duplicates() {
        findings.error("duplicate-member");
    }
    if properties.has_case_variant(&["desired", "reported"]) {
        findings.error("member-case");
    }
}

fn strip_metadata(object: &mut Object, findings: &mut Findings) {
    check_properties(object, findings);
    match object.get_mut("properties") {
        Some(Json::Object(properties)) => {
            for section in ["desired", "reported"] {
                if let Some(Json::Object(section)) = properties.get_mut(section) {
                    section.remove(&["$metadata", "$version"]);
                }
            }
        }
        None | Some(Json::Null) => {}
        Some(_) => findings.error("member-type"),
    }
}

/// Warns if the code is allowed, else it is an error.
pub(crate) fn error_unless_allowed(rules: &Rules, code: &'static str, findings: &mut Findings) {
    if rules.allow.iter().any(|allowed| allowed == code) {
        findings.warn(code);
    } else {
        findings.error(code);
    }
}

/// The id in an edge device's scope (§3.7): between the prefix and the last `-`, which digits follow. Neither is empty.
fn parent_of(scope: &[u16]) -> Option<&[u16]> {
    let prefix: Vec<u16> = SCOPE_PREFIX.encode_utf16().collect();
    let rest = scope.strip_prefix(prefix.as_slice())?;
    let dash = rest.iter().rposition(|unit| *unit == u16::from(b'-'))?;
    let (parent, suffix) = (&rest[..dash], &rest[dash + 1..]);
    let is_digit = |unit: &u16| (u16::from(b'0')..=u16::from(b'9')).contains(unit);
    (!parent.is_empty() && !suffix.is_empty() && suffix.iter().all(is_digit)).then_some(parent)
}

/// Whether `capabilities.iotEdge` is true and the line is not a module's; nothing, where that can't be told.
fn is_edge_device(object: &Object, findings: &mut Findings) -> Option<bool> {
    if object.get("moduleId").and_then(Json::as_text).is_some() {
        return Some(false);
    }
    let capabilities = match object.get("capabilities") {
        None | Some(Json::Null) => return Some(false),
        Some(Json::Object(capabilities)) => capabilities,
        Some(_) => {
            findings.error("member-type");
            return None;
        }
    };
    keys::check_names(capabilities, &["iotEdge"], findings);
    match capabilities.get("iotEdge") {
        None | Some(Json::Null) => Some(false),
        Some(Json::Bool(is_edge)) => Some(*is_edge),
        Some(_) => {
            findings.error("member-type");
            None
        }
    }
}

/// The scopes of the edge devices of an export, each as it is spelled. Lines that would be invalid are passed over.
pub(crate) fn scopes_of(export: &str) -> Scopes {
    let mut scopes = Scopes::new();
    for line in lines::split(export.as_bytes()) {
        let Ok(document) = json::parse(line.text(), 128) else { continue };
        let Some(object) = document.root.as_object().filter(|object| !object.has_duplicates()) else { continue };
        let mut findings = Findings::default();
        if is_edge_device(object, &mut findings) != Some(true) || !findings.errors.is_empty() {
            continue;
        }
        let text = |name| object.get(name).and_then(Json::as_text).filter(|text: &&Text| !text.raw.is_empty());
        if let (Some(id), Some(scope)) = (object.get("id").and_then(Json::as_text), text("deviceScope")) {
            scopes.insert(id.units(), scope.clone());
        }
    }
    scopes
}

/// `deviceScope` in another hub. What does not have the member is not looked at any closer.
fn migrate_scope(rules: &Rules, scopes: Option<&Scopes>, object: &mut Object, findings: &mut Findings) {
    if object.get("deviceScope").is_none() {
        return;
    }
    if is_edge_device(object, findings) == Some(true) {
        return object.remove(&["deviceScope"]);
    }
    let scope = match object.get("deviceScope") {
        Some(Json::String(scope)) if !scope.raw.is_empty() => scope,
        None | Some(Json::Null | Json::String(_)) => return,
        Some(_) => return findings.error("member-type"),
    };
    let scope = scope.units();
    match parent_of(&scope).and_then(|parent| scopes?.get(parent)) {
        Some(new_scope) => object.set("deviceScope", Json::String(new_scope.clone())),
        None => error_unless_allowed(rules, "device-scope", findings),
    }
}
