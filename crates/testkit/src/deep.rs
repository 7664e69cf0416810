//! Responsible for: `--merge-twin`, `--set`, `--set-text` and `--unset`, made at random, written as flags and carried out one
//! after the other on the lossless tree. Not for: how they are read; that is what is tested.

use crate::json::{self, Json, Object, Text};
use crate::oracle::{Findings, KNOWN_MEMBERS};
use crate::query::{Pick, known_names};

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deep {
    /// `--merge-twin JSON`
    Merge(String),
    /// `--set PATH=JSON`
    Set(Vec<String>, String),
    /// `--set-text PATH=TEXT`
    SetText(Vec<String>, String),
    /// `--unset PATH`
    Unset(Vec<String>),
}

const PATHS: [&[&str]; 18] = [
    &["tags"],
    &["tags", "a"],
    &["tags", "a"],
    &["tags", "a", "b"],
    &["tags", "a", "b", "c"],
    &["tags", "a.b"],
    &["tags", "é\""],
    &["properties"],
    &["properties", "desired"],
    &["properties", "desired", "a"],
    &["properties", "reported"],
    &["properties", "desired", "$version"],
    &["z"],
    &["z", "a"],
    &["twinETag"],
    &["authentication"],
    &["authentication", "type"],
    &["capabilities", "iotEdge"],
];
const VALUES: [&str; 10] = [
    "1",
    "null",
    "{}",
    "{\"b\":{\"c\":2}}",
    "[1, 2]",
    "{ \"b\" : 1 }",
    "\"x\"",
    "1.50",
    "\"\\u0041\"",
    "{\"a\":null,\"c\":[]}",
];
const MERGES: [&str; 10] = [
    "{\"tags\":{\"a\":1}}",
    "{\"tags\":{\"a\":null}}",
    "{\"tags\":{\"a\":{\"b\":null,\"c\":{}}}}",
    "{\"tags\":null}",
    "{ \"tags\" : { \"a\" : { \"b\" : 1.0 } , \"\\u0078\" : [ 1 ] } }",
    "{\"properties\":{\"desired\":{\"a\":{\"b\":{\"c\":null}}}}}",
    "{\"properties\":{\"reported\":null}}",
    "{\"properties\":null,\"tags\":{}}",
    "{\"properties\":{\"desired\":null,\"reported\":{\"$version\":null}}}",
    "{}",
];

impl Deep {
    /// An edit made at random.
    pub fn random(pick: Pick<'_>) -> Self {
        let path: Vec<String> = PATHS[pick(PATHS.len())].iter().map(|name| (*name).to_owned()).collect();
        let is_type = path == ["authentication", "type"];
        match pick(7) {
            0 => Self::Merge(MERGES[pick(MERGES.len())].to_owned()),
            1..4 if is_type => Self::SetText(path, "sas".to_owned()),
            1..3 => Self::Set(path, VALUES[pick(VALUES.len())].to_owned()),
            3 => Self::SetText(path, ["oslo", "", "a \"b\" \\ é", "1"][pick(4)].to_owned()),
            _ => Self::Unset(path),
        }
    }

    /// The flag that says it.
    #[must_use]
    pub fn args(&self) -> [String; 2] {
        let (flag, value) = match self {
            Self::Merge(json) => ("--merge-twin", json.clone()),
            Self::Set(path, json) => ("--set", format!("{}={json}", written(path))),
            Self::SetText(path, text) => ("--set-text", format!("{}={text}", written(path))),
            Self::Unset(path) => ("--unset", written(path)),
        };
        [flag.to_owned(), value]
    }

    /// The member at the top, if it is a known one.
    pub(crate) fn members(&self) -> Vec<&'static str> {
        let known = |name: &str| KNOWN_MEMBERS.iter().copied().find(|known| *known == name);
        match self {
            Self::Merge(merge) => {
                let merged = parsed(merge);
                let names = merged.as_object().map(|merged| merged.members.iter().map(|member| &member.name));
                names.into_iter().flatten().filter_map(|name| known(&name.decoded()?)).collect()
            }
            Self::Set(path, _) | Self::SetText(path, _) | Self::Unset(path) => known(&path[0]).into_iter().collect(),
        }
    }
}

/// Whether all edits can be made one after the other in some line: none goes through a value that one before it has given.
#[must_use]
pub fn agree(edits: &[Deep]) -> bool {
    // A line without members refuses nothing of its own.
    let mut line = Object::default();
    let mut findings = Findings::default();
    apply(edits, &mut line, &mut findings);
    findings.errors.is_empty()
}

fn parsed(text: &str) -> Json {
    json::parse(text.as_bytes(), 128).expect("JSON").root
}

/// A path as it is written on the command line.
fn written(path: &[String]) -> String {
    let mut text = String::new();
    for name in path {
        if name.contains(['.', '[', '=']) {
            text.push_str(&format!(".[[{name}]]"));
        } else {
            text.push_str(&format!(".{name}"));
        }
    }
    text[1..].to_owned()
}

/// Merges come first.
fn in_order(edits: &[Deep]) -> impl Iterator<Item = &Deep> {
    let is_merge = |edit: &&Deep| matches!(edit, Deep::Merge(_));
    edits.iter().filter(is_merge).chain(edits.iter().filter(move |edit| !is_merge(edit)))
}

/// Makes all edits.
pub(crate) fn apply(edits: &[Deep], line: &mut Object, findings: &mut Findings) {
    for edit in in_order(edits) {
        apply_one(edit, line, findings);
    }
}

fn apply_one(edit: &Deep, line: &mut Object, findings: &mut Findings) {
    match edit {
        Deep::Merge(merge) => {
            if let Json::Object(merge) = parsed(merge) {
                merge_into(line, &merge, &mut Vec::new(), findings);
            }
        }
        Deep::Set(path, value) => set(line, path, &[], parsed(value), findings),
        Deep::SetText(path, text) => set(line, path, &[], Json::String(Text::of(text)), findings),
        Deep::Unset(path) => unset(line, path, &[], findings),
    }
}

/// What an object must be for a member of this name to be edited.
fn check(object: &Object, way: &[String], name: &str, findings: &mut Findings) {
    if known_names(way).is_some_and(|known| known.contains(&name)) && object.has_case_variant(&[name]) {
        findings.error("member-case");
    }
    if known_names(way).is_some() && object.has_duplicates() {
        findings.error("duplicate-member");
    }
}

/// Removes a member. What is added to an object inside of the line that loses all its own members stands at its start.
fn remove(object: &mut Object, way: &[String], name: &str) {
    object.remove(&[name]);
    if !way.is_empty() {
        object.close_up();
    }
}

fn is_there_twice(object: &Object, name: &str) -> bool {
    object.members.iter().filter(|member| member.name.is(name)).count() > 1
}

fn set(object: &mut Object, path: &[String], way: &[String], value: Json, findings: &mut Findings) {
    let Some((name, rest)) = path.split_first() else { return };
    check(object, way, name, findings);
    if is_there_twice(object, name) {
        return findings.error("duplicate-member");
    }
    if rest.is_empty() {
        return object.set(name, value);
    }
    let way: Vec<String> = way.iter().cloned().chain([name.clone()]).collect();
    if matches!(object.get(name), None | Some(Json::Null)) {
        object.set(name, Json::Object(Object::default()));
    }
    match object.get_mut(name) {
        Some(Json::Object(inner)) => set(inner, rest, &way, value, findings),
        _ => findings.error("member-type"),
    }
}

fn unset(object: &mut Object, path: &[String], way: &[String], findings: &mut Findings) {
    let Some((name, rest)) = path.split_first() else { return };
    check(object, way, name, findings);
    if rest.is_empty() {
        return remove(object, way, name);
    }
    if is_there_twice(object, name) {
        return findings.error("duplicate-member");
    }
    let way: Vec<String> = way.iter().cloned().chain([name.clone()]).collect();
    if let Some(Json::Object(inner)) = object.get_mut(name) {
        unset(inner, rest, &way, findings);
    }
}

/// RFC 7396, section 2, on a tree that keeps its spelling.
fn merge_into(object: &mut Object, merge: &Object, way: &mut Vec<String>, findings: &mut Findings) {
    for member in &merge.members {
        let name = member.name.decoded().expect("whole characters");
        check(object, way, &name, findings);
        match &member.value {
            Json::Null => remove(object, way, &name),
            _ if is_there_twice(object, &name) => findings.error("duplicate-member"),
            Json::Object(inner) => {
                if !matches!(object.get(&name), Some(Json::Object(_))) {
                    put(object, &member.name, Json::Object(Object::default()));
                }
                way.push(name.clone());
                if let Some(Json::Object(target)) = object.get_mut(&name) {
                    merge_into(target, inner, way, findings);
                }
                way.pop();
            }
            value => put(object, &member.name, value.clone()),
        }
    }
}

/// Sets a member; a new one is spelled as the merge spells it.
fn put(object: &mut Object, name: &Text, value: Json) {
    let decoded = name.decoded().expect("whole characters");
    if object.get(&decoded).is_some() {
        return object.set(&decoded, value);
    }
    object.add(&decoded, value);
    if let Some(added) = object.members.last_mut() {
        added.name = name.clone();
    }
}

/// A device line of small twins, in which the paths of random edits and conditions are met.
#[must_use]
pub fn line(pick: Pick<'_>) -> String {
    let space = |pick: Pick<'_>| [" ", "", "", "", "", "", "\t"][pick(7)];
    let mut members = vec![format!("\"id\":\"{}\"", ["a", "b", "ab", "\\u0061"][pick(4)])];
    let mut maybe = |pick: Pick<'_>, name: &str, values: &[&str]| {
        let at = pick(values.len() + 2);
        if let Some(value) = values.get(at) {
            let name = if pick(60) == 0 { name.to_uppercase() } else { name.to_owned() };
            members.push(format!("\"{name}\":{value}"));
        }
    };
    maybe(pick, "status", &["\"enabled\"", "\"disabled\"", "\"Disabled\"", "1", "null", "\"other\""]);
    maybe(pick, "importMode", &["\"create\"", "\"DELETE\"", "7", "\"updateTwin\""]);
    maybe(pick, "moduleId", &["\"a\"", "\"$edge\"", "null"]);
    maybe(pick, "eTag", &["\"MA==\"", "\"a\""]);
    maybe(pick, "twinETag", &["\"AA==\""]);
    maybe(pick, "z", &["1", "{\"a\":\"x\"}", "\"\\\\\""]);
    maybe(
        pick,
        "authentication",
        &[
            "null",
            "{\"type\":\"sas\",\"symmetricKey\":{\"primaryKey\":null,\"secondaryKey\":null}}",
            "{\"symmetricKey\":{\"primaryKey\":\"a\"},\"x509Thumbprint\":{},\"type\":1}",
            "{\"Type\":\"sas\"}",
            "7",
        ],
    );
    maybe(pick, "capabilities", &["{\"iotEdge\":true}", "{\"iotEdge\":false}", "{}", "null"]);
    let tags = value(pick, 3);
    let (desired, reported) = (value(pick, 2), value(pick, 2));
    if pick(8) > 0 {
        members.push(format!("\"tags\":{tags}"));
    }
    match pick(12) {
        0 => {}
        1 => members.push(format!("\"properties\":{tags}")),
        2 => members.push(format!("\"properties\":{{\"desired\":{desired},\"Reported\":{reported}}}")),
        3 => members.push(format!("\"properties\":{{\"desired\":{desired},\"desired\":{reported}}}")),
        _ => members.push(format!("\"properties\":{{\"desired\":{desired},\"reported\":{reported}}}")),
    }
    let (before, between, after) = (space(pick), space(pick), space(pick));
    format!("{before}{{{after}{}{between}}}{after}", members.join(&format!("{between},{after}")))
}

const NAMES: [&str; 9] = ["a", "b", "c", "a.b", "$c", "\\u0061", "é\\\"", "$version", "$metadata"];

/// A small value, mostly an object.
fn value(pick: Pick<'_>, depth: usize) -> String {
    if depth == 0 || pick(4) == 0 {
        let all = [
            "1",
            "null",
            "true",
            "\"a\"",
            "\"ab\"",
            "1.0",
            "9007199254740993",
            "[]",
            "[ {} ]",
            "\"\"",
            "-1",
            "\"é\"",
            "{}",
            "{ }",
        ];
        return all[pick(all.len())].to_owned();
    }
    let count = pick(4);
    let members: Vec<String> = (0..count)
        .map(|_| {
            let name = NAMES[pick(NAMES.len())];
            let inner = value(pick, depth - 1);
            let space = ["", "", " "][pick(3)];
            format!("{space}\"{name}\"{space}:{inner}{space}")
        })
        .collect();
    format!("{{{}}}", members.join(","))
}
