//! Responsible for: what `hubmill validate` must find in an input, worked out slowly from the facts of the format, one rule
//! at a time, over trees. Not for: messages, places inside of a line, and not for speed.
//!
//! A finding is a line, a code and whether it is an error; the same one on a line counts once.

mod authentication;
mod twin;

use self::authentication::check_authentication;
use self::twin::check_twin;
use crate::json::{self, Json, Object, Text};
use crate::lines::{self, RawLine};
use std::collections::{BTreeMap, BTreeSet};

/// What is found: the line (0 for the input as a whole), the code, and whether it is an error.
pub type Found = BTreeSet<(u64, &'static str, bool)>;

/// What may be a line.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The longest line in bytes, without its `\n`.
    pub line_bytes: usize,
    /// The deepest nesting.
    pub depth: usize,
}

const MODES: [&str; 9] = [
    "createOrUpdate",
    "create",
    "update",
    "updateIfMatchETag",
    "createOrUpdateIfMatchETag",
    "delete",
    "deleteIfMatchETag",
    "updateTwin",
    "updateTwinIfMatchETag",
];
const STATUSES: [&str; 2] = ["enabled", "disabled"];

const LINE: [&str; 13] = crate::oracle::KNOWN_MEMBERS;

/// What must be found in an input.
#[must_use]
pub fn check(input: &[u8], limits: Limits) -> Found {
    let mut found = Found::new();
    if input.starts_with(b"\xef\xbb\xbf") {
        found.insert((1, "bom", false));
    }
    let lines = lines::split(input);
    let mut devices = Vec::new();
    let mut document = None;
    let mut only_blank = true;
    let mut any_line = false;
    for line in &lines {
        if document == Some(Whole::Array) {
            continue;
        }
        if line.is_blank() && line.read.len() <= limits.line_bytes {
            found.insert((line.number, "blank-line", false));
            continue;
        }
        let first = std::mem::replace(&mut only_blank, false);
        if line.read.len() > limits.line_bytes {
            found.insert((line.number, "line-too-long", true));
            any_line = true;
            continue;
        }
        match json::parse(line.text(), limits.depth) {
            Ok(parsed) => match parsed.root.as_object() {
                Some(object) => {
                    any_line = true;
                    devices.extend(check_object(object, line, &mut found));
                    continue;
                }
                None if line.is_notice() => {
                    found.insert((line.number, "notice", false));
                    continue;
                }
                None => {}
            },
            Err(_) if line.is_notice() => {
                found.insert((line.number, "notice", false));
                continue;
            }
            Err(_) => {}
        }
        any_line = true;
        let codes = invalid_codes(line, limits.depth);
        let is_part = codes.iter().all(|code| ["json-syntax", "not-an-object"].contains(code));
        if first && is_part {
            document = whole(input, line.at, limits.depth);
            if let Some(whole) = document {
                found.insert((line.number, whole.code(), true));
                continue;
            }
        }
        if document.is_none() || !is_part {
            // Which of several faults is named first is not this module's business.
            found.insert((line.number, codes[0], true));
        }
    }
    if !any_line {
        found.insert((0, "empty-output", false));
    }
    compare(&devices, &mut found);
    found
}

/// The code of a line that is no object: the encoding is looked at before the syntax.
fn invalid_codes(line: &RawLine<'_>, depth: usize) -> Vec<&'static str> {
    if std::str::from_utf8(line.text()).is_err() {
        return vec!["json-utf8"];
    }
    match json::check_json(line.text(), depth) {
        Ok(()) => vec!["not-an-object"],
        Err(fault) => vec![fault.code],
    }
}

/// An input that is one document over several lines, or several such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whole {
    Array,
    Objects,
}

impl Whole {
    fn code(self) -> &'static str {
        match self {
            Self::Array => "not-an-object",
            Self::Objects => "json-syntax",
        }
    }
}

/// What of an input tells whether it is one document, in bytes.
const HEAD_BYTES: usize = 65_536;

/// Whether an input whose first line, at `at`, is no object starts with a value over several lines.
fn whole(input: &[u8], at: usize, depth: usize) -> Option<Whole> {
    let head = if input.len() > HEAD_BYTES {
        input[..HEAD_BYTES]
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| line.ends_with(b"\n"))
            .map(<[u8]>::len)
            .sum()
    } else {
        input.len()
    };
    let input = input.get(at..head)?;
    if input.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count() < 2 {
        return None;
    }
    let kind = match input.trim_ascii_start().first()? {
        b'[' => Whole::Array,
        b'{' => Whole::Objects,
        _ => return None,
    };
    // A line end is white space between tokens, and a fault inside of a string, as a tab is.
    let joined: Vec<u8> = input.iter().map(|byte| if *byte == b'\n' { b'\t' } else { *byte }).collect();
    if std::str::from_utf8(&joined).is_err() {
        return None;
    }
    let is_value = match json::check_json(&joined, depth) {
        Ok(()) => true,
        Err(fault) if fault.code != "json-syntax" => false,
        Err(fault) if fault.at == joined.len() => true,
        // An object over several lines, with more after it.
        Err(_) if kind == Whole::Objects => (0..joined.len()).any(|end| {
            joined[end] == b'}' && input[..end].contains(&b'\n') && json::check_json(&joined[..=end], depth).is_ok()
        }),
        Err(_) => false,
    };
    is_value.then_some(kind)
}

/// A device or module of a line.
struct Device {
    line: u64,
    id: Vec<u16>,
    module: Option<Vec<u16>>,
    text: Vec<u8>,
    /// It is created or kept by the line, not deleted and not only given a twin.
    is_created: bool,
}

/// Ids that stand twice, modules before their devices, too many modules.
fn compare(devices: &[Device], found: &mut Found) {
    let mut first: BTreeMap<(&[u16], Option<&[u16]>), &Device> = BTreeMap::new();
    for device in devices {
        let key = (device.id.as_slice(), device.module.as_deref());
        if let Some(earlier) = first.get(&key) {
            let equal = earlier.text == device.text;
            found.insert((device.line, if equal { "duplicate-line" } else { "duplicate-id" }, !equal));
        } else {
            first.insert(key, device);
        }
    }
    let created = || devices.iter().filter(|device| device.is_created);
    let mut modules: BTreeMap<&[u16], Vec<(&[u16], u64)>> = BTreeMap::new();
    for module in created() {
        let Some(id) = &module.module else { continue };
        let its_device = created().find(|device| device.module.is_none() && device.id == module.id);
        if its_device.is_some_and(|device| device.line > module.line) {
            found.insert((module.line, "module-before-device", false));
        }
        let modules = modules.entry(&module.id).or_default();
        if modules.iter().all(|(other, _)| other != id) {
            modules.push((id, module.line));
            if modules.len() == 51 {
                found.insert((module.line, "too-many-modules", false));
            }
        }
    }
}

/// What one line is given.
struct Line<'a> {
    number: u64,
    object: &'a Object,
    found: &'a mut Found,
}

impl Line<'_> {
    fn error(&mut self, code: &'static str) {
        self.found.insert((self.number, code, true));
    }

    fn warning(&mut self, code: &'static str) {
        self.found.insert((self.number, code, false));
    }

    /// The last member of this name: where it stands twice, that one counts.
    fn get(&self, name: &str) -> Option<&Json> {
        last(self.object, name)
    }

    /// Whether there is no such member, be it in another case.
    fn lacks(&self, name: &str) -> bool {
        self.get(name).is_none() && !self.object.members.iter().any(|member| member.name.is_case_variant(name))
    }
}

fn last<'a>(object: &'a Object, name: &str) -> Option<&'a Json> {
    object.members.iter().rev().find(|member| member.name.is(name)).map(|member| &member.value)
}

fn check_object(object: &Object, raw: &RawLine<'_>, found: &mut Found) -> Option<Device> {
    let mut line = Line { number: raw.number, object, found };
    check_names(&mut line, object, &LINE, true);
    let id = check_ids(&mut line);
    let mode = check_mode(&mut line);
    let module = line.get("moduleId").and_then(Json::as_text).map(Text::units);
    let is_reserved = module.as_ref().is_some_and(|module| module.first() == Some(&u16::from(b'$')));
    check_status(&mut line);
    if is_reserved {
        if mode.is_some_and(is_twin_update) {
            line.warning("module-id-reserved")
        } else {
            line.error("module-id-reserved")
        }
    }
    check_etags(&mut line, mode);
    check_authentication(&mut line, mode, is_reserved);
    check_twin(&mut line);
    check_scopes(&mut line, mode, id.as_deref(), module.is_some());
    if has_half_character(&Json::Object(object.clone())) {
        line.warning("lone-surrogate");
    }
    let is_created = !mode.is_some_and(|mode| is_delete(mode) || is_twin_update(mode));
    Some(Device { line: raw.number, id: id?, module, text: raw.text().to_vec(), is_created })
}

/// Unknown names, names in another case and names that stand twice; and names that stand twice inside of unknown members.
fn check_names(line: &mut Line<'_>, object: &Object, known: &[&str], twice_is_error: bool) {
    for member in &object.members {
        if known.iter().any(|known| member.name.is(known)) {
            continue;
        }
        let other_case = known.iter().any(|known| member.name.is_case_variant(known));
        // `id` in another case is a missing id, too.
        line.warning(if other_case { "member-case" } else { "unknown-member" });
        if repeats_deep(&member.value) {
            line.warning("duplicate-member");
        }
    }
    if repeats(object) {
        if twice_is_error { line.error("duplicate-member") } else { line.warning("duplicate-member") }
    }
}

fn repeats(object: &Object) -> bool {
    let names: Vec<Vec<u16>> = object.members.iter().map(|member| member.name.units()).collect();
    let different: BTreeSet<&Vec<u16>> = names.iter().collect();
    different.len() < names.len()
}

fn repeats_deep(value: &Json) -> bool {
    match value {
        Json::Object(object) => repeats(object) || object.members.iter().any(|member| repeats_deep(&member.value)),
        Json::Array(array) => array.items.iter().any(|item| repeats_deep(&item.value)),
        _ => false,
    }
}

fn check_ids(line: &mut Line<'_>) -> Option<Vec<u16>> {
    let id = match line.get("id").cloned() {
        None | Some(Json::Null) => {
            line.error("id-missing");
            None
        }
        Some(Json::String(id)) => {
            check_id(line, &id, ["id-charset", "id-length"]);
            Some(id.units())
        }
        Some(_) => {
            line.error("member-type");
            None
        }
    };
    match line.get("moduleId").cloned() {
        None | Some(Json::Null) => {}
        Some(Json::String(module)) => check_id(line, &module, ["module-id-charset", "module-id-length"]),
        Some(_) => line.error("member-type"),
    }
    id
}

fn check_id(line: &mut Line<'_>, id: &Text, [charset, length]: [&'static str; 2]) {
    let characters = decoded(id);
    let allowed = |character: &char| character.is_ascii_alphanumeric() || "-:.+%_#*?!(),=@;$'".contains(*character);
    if !characters.iter().all(allowed) {
        line.error(charset);
    }
    if characters.is_empty() || characters.len() > 128 {
        line.error(length);
    }
    if characters.contains(&':') || characters.contains(&';') {
        line.warning("id-discouraged");
    }
}

/// The characters of a text; half a character is one.
fn decoded(text: &Text) -> Vec<char> {
    let units = char::decode_utf16(text.units());
    units.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// An enum value: a name in any case, or its number as a digit.
fn enum_value(line: &mut Line<'_>, value: &Json, values: &[&'static str], code: &'static str) -> Option<&'static str> {
    let spelled = match value {
        Json::String(text) => decoded(text).into_iter().collect::<String>(),
        Json::Number(number) => number.clone(),
        Json::Null => {
            line.error(code);
            return None;
        }
        _ => {
            line.error("member-type");
            return None;
        }
    };
    let by_number = match spelled.as_bytes() {
        [digit @ b'0'..=b'9'] => values.get(usize::from(digit - b'0')),
        _ => None,
    };
    if let Some(value) = by_number {
        line.warning("enum-number");
        return Some(value);
    }
    let by_name = values.iter().find(|name| matches!(value, Json::String(_)) && name.eq_ignore_ascii_case(&spelled));
    match by_name {
        Some(name) => {
            if *name != spelled {
                line.warning("enum-case");
            }
            Some(name)
        }
        None => {
            line.error(code);
            None
        }
    }
}

fn check_mode(line: &mut Line<'_>) -> Option<&'static str> {
    match line.get("importMode").cloned() {
        Some(value) => enum_value(line, &value, &MODES, "import-mode-value"),
        None => line.lacks("importMode").then_some("createOrUpdate"),
    }
}

fn is_delete(mode: &str) -> bool {
    mode.starts_with("delete")
}

fn is_twin_update(mode: &str) -> bool {
    mode.starts_with("updateTwin")
}

fn check_status(line: &mut Line<'_>) {
    match line.get("status").cloned() {
        Some(Json::Null) => line.error("status-missing"),
        Some(value) => {
            enum_value(line, &value, &STATUSES, "status-value");
        }
        None if line.lacks("status") => line.error("status-missing"),
        None => {}
    }
    match line.get("statusReason").cloned() {
        Some(Json::String(reason)) if decoded(&reason).len() > 128 => line.error("status-reason-length"),
        None | Some(Json::Null | Json::String(_)) => {}
        Some(_) => line.error("member-type"),
    }
}

fn check_etags(line: &mut Line<'_>, mode: Option<&'static str>) {
    let [etag, twin_etag] = ["eTag", "twinETag"].map(|name| match line.get(name).cloned() {
        None | Some(Json::Null) => false,
        Some(Json::String(etag)) => !etag.raw.is_empty(),
        Some(_) => {
            line.error("member-type");
            false
        }
    });
    match mode {
        Some("create") => {
            if etag {
                line.warning("etag-stale");
            }
            if twin_etag {
                line.warning("twin-etag-stale");
            }
        }
        Some("updateTwinIfMatchETag") if !twin_etag && !has_variant(line, "twinETag") => {
            line.error("twin-etag-missing")
        }
        Some("updateIfMatchETag" | "createOrUpdateIfMatchETag" | "deleteIfMatchETag")
            if !etag && !has_variant(line, "eTag") =>
        {
            line.error("etag-missing");
        }
        _ => {}
    }
}

fn has_variant(line: &Line<'_>, name: &str) -> bool {
    line.object.members.iter().any(|member| member.name.is_case_variant(name))
}

fn check_scopes(line: &mut Line<'_>, mode: Option<&'static str>, id: Option<&[u16]>, is_module: bool) {
    let mut is_edge = false;
    match line.get("capabilities").cloned() {
        None | Some(Json::Null) => {}
        Some(Json::Object(capabilities)) => {
            check_names(line, &capabilities, &["iotEdge"], false);
            match last(&capabilities, "iotEdge") {
                Some(Json::Bool(edge)) => is_edge = *edge,
                None | Some(Json::Null) => {}
                Some(_) => line.error("member-type"),
            }
        }
        Some(_) => line.error("member-type"),
    }
    match line.get("deviceScope").cloned() {
        None | Some(Json::Null) => {}
        Some(Json::String(scope)) => {
            let writes_identity = mode.is_some_and(|mode| !is_delete(mode) && !is_twin_update(mode));
            if !scope.raw.is_empty() && writes_identity && !is_module {
                if !is_edge {
                    line.warning("device-scope");
                } else if mode == Some("create") || !is_scope_of(&scope, id) {
                    line.warning("device-scope-set");
                }
            }
        }
        Some(_) => line.error("member-type"),
    }
    match line.get("parentScopes").cloned() {
        None | Some(Json::Null) => {}
        Some(Json::Array(scopes)) if scopes.items.is_empty() => {}
        Some(Json::Array(_)) => line.warning("parent-scopes"),
        Some(_) => line.error("member-type"),
    }
}

/// `ms-azure-iot-edge://<id>-<digits>`
fn is_scope_of(scope: &Text, id: Option<&[u16]>) -> bool {
    let scope: String = decoded(scope).into_iter().collect();
    let parts = scope.strip_prefix("ms-azure-iot-edge://").and_then(|rest| rest.rsplit_once('-'));
    let Some((parent, digits)) = parts else {
        return id.is_none();
    };
    let well_formed = !parent.is_empty() && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !well_formed {
        return id.is_none();
    }
    id.is_some_and(|id| parent.encode_utf16().eq(id.iter().copied()))
}

/// Whether some text has half of a surrogate pair.
fn has_half_character(value: &Json) -> bool {
    let half = |text: &Text| text.decoded().is_none();
    match value {
        Json::String(text) => half(text),
        Json::Array(array) => array.items.iter().any(|item| has_half_character(&item.value)),
        Json::Object(object) => {
            object.members.iter().any(|member| half(&member.name) || has_half_character(&member.value))
        }
        _ => false,
    }
}
