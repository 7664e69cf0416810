//! Responsible for: what `hubmill transform` must do with an input, worked out slowly from the contract, one line and
//! one rule at a time. Not for: `--check full`.
//!
//! Where a line has more faults than one, the tool may report any of them first: the codes of an invalid line are those
//! that it may be given, and it must be given at least one of them.

use crate::deep::Deep;
use crate::edits;
use crate::json::{self, Document, Json, Object};
use crate::lines::{self, RawLine};
use crate::rules::{Check, IMPORT_MODES, OnInvalid, Preset, Rules};
use crate::tree;
use std::collections::{BTreeMap, BTreeSet};

/// What must become of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Written.
    Written {
        /// The line to be written, [`Json::Fresh`] where a key is made.
        document: Document,
        /// No rule changed it: the output is the line byte for byte, less the `\r` at its end.
        untouched: bool,
    },
    /// Invalid and left out, under `--on-invalid reject`.
    Rejected {
        /// The codes that it may be given.
        codes: BTreeSet<&'static str>,
    },
    /// Invalid and written as read, under `--on-invalid keep`.
    Kept {
        /// The codes that it may be given.
        codes: BTreeSet<&'static str>,
    },
    /// Left out by selection.
    Filtered,
    /// The hub's plain-text notice.
    Notice,
    /// A blank line.
    Blank,
}

/// What must become of one line, and which line it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// The 0-based offset of its first byte in the input.
    pub at: usize,
    /// The line as read, with its `\r`, without its `\n`.
    pub read: Vec<u8>,
    /// What must become of it.
    pub outcome: Outcome,
    /// The warnings and counts of a written line: `keyless`, `left-x509` and so on.
    pub warnings: Vec<&'static str>,
}

/// What a run must do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Every line of the input in its order.
    pub lines: Vec<Line>,
    /// How often each warning or count must be in the report's `codes`. Codes of errors are not here.
    pub codes: BTreeMap<&'static str, u64>,
}

/// How many lines became what; the names are the report's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines read.
    pub lines: u64,
    /// Lines written, kept ones included.
    pub written: u64,
    /// Lines rejected.
    pub rejected: u64,
    /// Lines left out by selection.
    pub filtered: u64,
    /// Invalid lines written as read.
    pub invalid_kept: u64,
    /// Notices.
    pub notices: u64,
    /// Blank lines.
    pub blank: u64,
    /// Lines that a rule changed.
    pub edited: u64,
}

/// What the rules found on one line.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) errors: BTreeSet<&'static str>,
    pub(crate) warnings: Vec<&'static str>,
}

impl Findings {
    pub(crate) fn error(&mut self, code: &'static str) {
        self.errors.insert(code);
    }

    pub(crate) fn warn(&mut self, code: &'static str) {
        self.warnings.push(code);
    }
}

/// The members that §1.1 knows.
pub(crate) const KNOWN_MEMBERS: [&str; 13] = [
    "id",
    "moduleId",
    "eTag",
    "importMode",
    "status",
    "statusReason",
    "authentication",
    "twinETag",
    "tags",
    "properties",
    "capabilities",
    "deviceScope",
    "parentScopes",
];

/// What `hubmill transform` with these rules must do with this input.
#[must_use]
pub fn transform(rules: &Rules, input: &[u8]) -> Expected {
    let rules = rules.expanded();
    let scopes = rules.scope_map.as_deref().map(edits::scopes_of);
    let mut codes = BTreeMap::new();
    let mut lines = Vec::new();
    for raw in lines::split(input) {
        let mut findings = Findings::default();
        let outcome = transform_line(&rules, scopes.as_ref(), raw, &mut findings);
        let outcome = match outcome {
            Some(outcome) if findings.errors.is_empty() => outcome,
            _ if rules.on_invalid == OnInvalid::Keep => Outcome::Kept { codes: findings.errors },
            _ => Outcome::Rejected { codes: findings.errors },
        };
        let written = matches!(outcome, Outcome::Written { .. });
        let warnings = if written { findings.warnings } else { Vec::new() };
        for &code in &warnings {
            *codes.entry(code).or_default() += 1;
        }
        lines.push(Line { number: raw.number, at: raw.at, read: raw.read.to_vec(), outcome, warnings });
    }
    let expected = Expected { lines, codes };
    if expected.counts().written > 0 {
        return expected;
    }
    Expected { codes: expected.codes.into_iter().chain([("empty-output", 1)]).collect(), ..expected }
}

/// What becomes of a line that has no error; nothing, where an error ends the work on it.
fn transform_line(
    rules: &Rules,
    scopes: Option<&edits::Scopes>,
    raw: RawLine<'_>,
    findings: &mut Findings,
) -> Option<Outcome> {
    if raw.read.len() > rules.max_line_bytes {
        findings.error("line-too-long");
        return None;
    }
    if raw.is_blank() {
        return Some(Outcome::Blank);
    }
    if raw.is_notice() {
        return Some(Outcome::Notice);
    }
    let text = raw.text();
    findings.errors.extend(json::fault_codes(text, rules.max_depth));
    let mut document = json::parse(text, rules.max_depth).ok()?;
    let Some(object) = document.root.as_object_mut() else {
        findings.error("not-an-object");
        return None;
    };
    if object.has_duplicates() && (rules.any() || rules.check == Check::Id) {
        findings.error("duplicate-member");
    }
    if !is_selected(rules, object, findings) && findings.errors.is_empty() {
        return Some(Outcome::Filtered);
    }
    edits::apply(rules, scopes, object, findings);
    check(rules, object, findings);
    let rolls_back = may_roll_twin_back(rules, object);
    let untouched = document.to_line().as_bytes() == text;
    if rolls_back && !untouched {
        findings.warn("twin-rollback");
    }
    Some(Outcome::Written { document, untouched })
}

/// Whether selection keeps the line. A line that a selection rule can't read gets an error.
fn is_selected(rules: &Rules, object: &Object, findings: &mut Findings) -> bool {
    let mut selected = true;
    if let Some(condition) = &rules.condition {
        if object.has_case_variant(&known(&condition.members())) {
            findings.error("member-case");
        }
        match condition.holds(object) {
            Ok(holds) => selected = holds,
            Err(codes) => codes.iter().for_each(|code| findings.error(code)),
        }
    }
    if rules.ids.is_some() || rules.ids_not.is_some() {
        let id = read_id(object, findings).and_then(|id| id.decoded());
        let is_in = |ids: &Vec<String>| id.as_ref().is_some_and(|id| ids.contains(id));
        selected &= rules.ids.as_ref().is_none_or(is_in);
        selected &= !rules.ids_not.as_ref().is_some_and(is_in);
    }
    if rules.devices_only || rules.modules_only || rules.drop_system_modules {
        if object.has_case_variant(&["moduleId"]) {
            findings.error("member-case");
        }
        let module = object.get("moduleId").and_then(Json::as_text);
        selected &= !rules.devices_only || module.is_none();
        selected &= !rules.modules_only || module.is_some();
        selected &= !rules.drop_system_modules || !is_system_module(object);
    }
    selected
}

/// Those of the names that are known ones.
fn known(names: &[&str]) -> Vec<&'static str> {
    KNOWN_MEMBERS.into_iter().filter(|known| names.contains(known)).collect()
}

/// Whether `moduleId` is a string that begins with `$` (§1.7).
pub(crate) fn is_system_module(object: &Object) -> bool {
    let module = object.get("moduleId").and_then(Json::as_text);
    module.is_some_and(|module| module.units().first() == Some(&u16::from(b'$')))
}

/// The id, or the error that it gives.
fn read_id<'a>(object: &'a Object, findings: &mut Findings) -> Option<&'a json::Text> {
    match object.get("id") {
        None | Some(Json::Null) => findings.error("id-missing"),
        Some(Json::String(_)) => {}
        Some(_) => findings.error("member-type"),
    }
    if object.get("id").is_some() && object.has_case_variant(&["id"]) {
        findings.error("member-case");
    }
    object.get("id").and_then(Json::as_text)
}

/// `--check id` and the count of lines that would give existing devices new keys.
fn check(rules: &Rules, object: &Object, findings: &mut Findings) {
    if rules.check == Check::Id {
        if let Some(id) = read_id(object, findings) {
            let units = id.units();
            let allowed = |unit: &u16| char::from_u32(u32::from(*unit)).is_some_and(is_id_character);
            if !units.iter().all(allowed) {
                findings.error("id-charset");
            }
            // A lone surrogate is a character like any other here.
            if !(1..=128).contains(&char::decode_utf16(units.iter().copied()).count()) {
                findings.error("id-length");
            }
        }
        if matches!(object.get("status"), None | Some(Json::Null)) {
            findings.warn("status-missing");
        }
    }
    if !matches!(object.get("authentication"), None | Some(Json::Null)) {
        return;
    }
    if can_overwrite_identity(object) {
        findings.warn("keys-rotate");
    }
    // Other modes write no identity, so that the hub makes no keys (§2).
    let writes_identity = can_overwrite_identity(object) || mode_name(object) == Some("create");
    if rules.is_preset(Preset::Migrate) && writes_identity {
        edits::error_unless_allowed(rules, "keys-by-hub", findings);
    }
}

/// Whether the line's mode can touch an existing identity (§2).
fn can_overwrite_identity(object: &Object) -> bool {
    let modes = ["createOrUpdate", "createOrUpdateIfMatchETag", "update", "updateIfMatchETag"];
    mode_name(object).is_some_and(|mode| modes.contains(&mode))
}

fn mode_name(object: &Object) -> Option<&'static str> {
    read_enum(object.get("importMode"), &IMPORT_MODES, 0).map(|mode| IMPORT_MODES[mode])
}

/// Whether the line, if it is changed, sets the twin of an existing device back to the time of the export: keys or status
/// are changed, and the twin is still in the line.
fn may_roll_twin_back(rules: &Rules, object: &Object) -> bool {
    let changes_identity = rules.disabled.is_some()
        || rules.status_reason.is_some()
        || rules.strip_keys
        || rules.strip_authentication
        || rules.moves_keys()
        || rules.deep.iter().any(edits_keys_or_status);
    let has_twin = object.get("tags").is_some() || object.get("properties").is_some();
    changes_identity && !rules.strip_twin && has_twin && can_overwrite_identity(object)
}

fn edits_keys_or_status(edit: &Deep) -> bool {
    match edit {
        Deep::Merge(_) => false,
        Deep::Set(path, _) | Deep::SetText(path, _) | Deep::Unset(path) => {
            matches!(path[0].as_str(), "status" | "statusReason" | "authentication")
        }
    }
}

/// §3.1.
fn is_id_character(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-:.+%_#*?!(),=@;$'".contains(letter)
}

/// An enum as the hub reads it (§1.5): in any ASCII case, as a number or as a number in a string. `missing` if it is not
/// there, nothing if it can't be read.
pub(crate) fn read_enum(value: Option<&Json>, names: &[&str], missing: usize) -> Option<usize> {
    let text = match value {
        None => return Some(missing),
        Some(Json::Number(spelling)) => spelling.clone(),
        Some(Json::String(text)) => text.decoded()?,
        Some(_) => return None,
    };
    let by_name = names.iter().position(|name| name.eq_ignore_ascii_case(&text));
    let is_name_of_number = |index: &usize| index.to_string() == text;
    let by_number = (0..names.len()).find(is_name_of_number);
    by_number.or(by_name.filter(|_| matches!(value, Some(Json::String(_)))))
}

impl Expected {
    /// How many lines became what.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for line in &self.lines {
            counts.lines += 1;
            match &line.outcome {
                Outcome::Written { untouched, .. } => {
                    counts.written += 1;
                    counts.edited += u64::from(!untouched);
                }
                Outcome::Kept { .. } => {
                    counts.written += 1;
                    counts.invalid_kept += 1;
                }
                Outcome::Rejected { .. } => counts.rejected += 1,
                Outcome::Filtered => counts.filtered += 1,
                Outcome::Notice => counts.notices += 1,
                Outcome::Blank => counts.blank += 1,
            }
        }
        counts
    }

    /// The exit code: 1 if a line is invalid, else 0.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        let counts = self.counts();
        i32::from(counts.rejected + counts.invalid_kept > 0)
    }

    /// The bytes of `--rejects`.
    #[must_use]
    pub fn rejects(&self) -> Vec<u8> {
        self.as_read(|outcome| matches!(outcome, Outcome::Rejected { .. }))
    }

    /// The bytes of `--filtered`.
    #[must_use]
    pub fn filtered(&self) -> Vec<u8> {
        self.as_read(|outcome| matches!(outcome, Outcome::Filtered))
    }

    fn as_read(&self, wanted: impl Fn(&Outcome) -> bool) -> Vec<u8> {
        let wanted = self.lines.iter().filter(|line| wanted(&line.outcome));
        wanted.flat_map(|line| line.read.iter().copied().chain([b'\n'])).collect()
    }

    /// Compares the whole output with what it must be, byte for byte but for keys that can't be predicted.
    ///
    /// # Errors
    /// The first line that differs, and how.
    pub fn compare(&self, output: &[u8], key_bytes: usize) -> Result<(), String> {
        let mut rest = output;
        for line in &self.lines {
            if !matches!(line.outcome, Outcome::Written { .. } | Outcome::Kept { .. }) {
                continue;
            }
            let end = rest.iter().position(|&byte| byte == b'\n');
            let end = end.ok_or_else(|| format!("line {} is not in the output", line.number))?;
            let actual = &rest[..end];
            rest = &rest[end + 1..];
            let result = match &line.outcome {
                Outcome::Written { document, .. } => tree::matches_line(document, actual, key_bytes),
                _ if actual == line.read => Ok(()),
                _ => Err(format!("kept as {:?}", String::from_utf8_lossy(actual))),
            };
            result.map_err(|why| format!("line {}: {:?}: {why}", line.number, String::from_utf8_lossy(&line.read)))?;
        }
        if rest.is_empty() { Ok(()) } else { Err(format!("too much output: {:?}", String::from_utf8_lossy(rest))) }
    }
}

#[cfg(test)]
#[path = "oracle_tests.rs"]
mod tests;
