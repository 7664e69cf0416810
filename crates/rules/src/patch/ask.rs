//! What a user asks for with `--merge-twin`, `--set`, `--set-text` and `--unset`.

use std::collections::HashSet;
use std::fmt;
use std::ops::ControlFlow;

use hubmill_device::{
    AuthenticationType, IdFault, ImportMode, Member, MemberSet, Place, Status, TextKind, check_id, redacted,
};
use hubmill_parser::{Content, DEPTH_MAX_DEFAULT, Level, Limits, MemberSpan, Parser, Record};

use super::compose::Edit;
use super::inside::{members_of_value, name_twice};
use super::{Name, Otherwise, Patch};
use crate::path::{self, Bare, read_path};
use crate::query::probably_meant;

/// Edits of any members, in the order in which they are made: merges first, then the others as they were given.
#[derive(Clone, Debug, Default)]
pub struct DeepEdits {
    merges: Vec<Step>,
    /// A merge was asked for, be it of nothing.
    merges_twin: bool,
    sets: Vec<Step>,
}

/// One edit, and the flag that asked for it.
#[derive(Clone, Debug)]
struct Step {
    flag: String,
    path: Vec<Name>,
    edit: Edit,
    otherwise: Otherwise,
}

/// Why an edit can't be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditFault {
    /// Lower case, no full stop; names the flag.
    pub message: String,
    /// What could be done.
    pub hint: Option<String>,
}

impl EditFault {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for EditFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EditFault {}

/// A value for messages: short, and never one that may be a secret.
const SHOWN_CHARACTERS_MAX: usize = 60;

/// Names on the way to a value, at most: as many as lines have levels, unless more are accepted. Each takes a step of recursion.
const NAMES_MAX: usize = DEPTH_MAX_DEFAULT;

/// Members of a line that hold nothing inside.
const PLAIN: [Member; 9] = [
    Member::Id,
    Member::ModuleId,
    Member::ETag,
    Member::ImportMode,
    Member::Status,
    Member::StatusReason,
    Member::TwinETag,
    Member::DeviceScope,
    Member::ParentScopes,
];

impl DeepEdits {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.merges.is_empty() && self.sets.is_empty()
    }

    /// Asks for a merge (RFC 7396) of `{"tags":…,"properties":…}`.
    ///
    /// # Errors
    /// Where the text is no such object.
    pub fn merge_twin(&mut self, text: &[u8]) -> Result<(), EditFault> {
        let steps = merge_steps(text)
            .map_err(|fault| EditFault { message: format!("--merge-twin: {}", fault.message), ..fault })?;
        self.merges_twin = true;
        self.merges.extend(steps);
        Ok(())
    }

    /// Asks for a value: `PATH=JSON`.
    ///
    /// # Errors
    /// Where that is not what the text is.
    pub fn set(&mut self, text: &str) -> Result<(), EditFault> {
        let (path, shown, value) = path_and_value("--set", text)?;
        let value = match compact(value.as_bytes()) {
            Ok(value) => value,
            Err(reason) => {
                let secret = path.first().is_some_and(|name| name.text == b"authentication");
                let hint = |path: &str, text: &str| {
                    format!("for a text: --set-text {path}={text}, or with JSON's quotes: --set '{path}=\"{text}\"'")
                };
                // After the name of a key anything is hidden, which would leave half a hint.
                let stays = |hint: &String| redacted(hint, TextKind::Name) == *hint;
                let whole = hint(&shown, value);
                let may_show = !secret
                    && value.chars().count() <= SHOWN_CHARACTERS_MAX
                    && redacted(value, TextKind::Free) == value
                    && stays(&whole);
                let (what, hint) = match may_show {
                    true => (value, whole),
                    false => {
                        let by_path = Some(hint(&shown, "TEXT")).filter(stays);
                        ("the value", by_path.unwrap_or_else(|| hint("PATH", "TEXT")))
                    }
                };
                return Err(EditFault::new(format!("--set {shown}: {what} is not JSON: {reason}")).hint(hint));
            }
        };
        check_value(&names_of(&path), &value, "--set", &shown)?;
        check_members(&path, &value)?;
        check_once(&value).map_err(|fault| EditFault::new(format!("--set {shown}: {fault}")))?;
        self.push(Step { flag: format!("--set {shown}"), path, edit: Edit::Put(value), otherwise: Otherwise::Refuse });
        Ok(())
    }

    /// Asks for a text as the value: `PATH=TEXT`.
    ///
    /// # Errors
    /// Where that is not what the text is.
    pub fn set_text(&mut self, text: &str) -> Result<(), EditFault> {
        let (path, shown, value) = path_and_value("--set-text", text)?;
        let value = serde_json::Value::from(value).to_string();
        check_value(&names_of(&path), &value, "--set-text", &shown)?;
        let flag = format!("--set-text {shown}");
        self.push(Step { flag, path, edit: Edit::Put(value), otherwise: Otherwise::Refuse });
        Ok(())
    }

    /// Asks for a member to go.
    ///
    /// # Errors
    /// Where the text is no path, or that of a member that every line needs.
    pub fn unset(&mut self, text: &str) -> Result<(), EditFault> {
        let names = path::whole_path(text).map_err(|fault| path_fault("--unset", text, fault))?;
        let path = checked_path("--unset", text, &names)?;
        if matches!(path.as_slice(), [name] if name.text == b"id") {
            return Err(EditFault::new("--unset id: every line needs its id (§1.5)"));
        }
        let flag = format!("--unset {text}");
        self.push(Step { flag, path, edit: Edit::Remove, otherwise: Otherwise::Leave });
        Ok(())
    }

    fn push(&mut self, step: Step) {
        self.sets.push(step);
    }

    /// Whether a merge is asked for, be it of nothing.
    pub(crate) fn merges_twin(&self) -> bool {
        self.merges_twin
    }

    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.merges.iter().chain(&self.sets)
    }

    /// The first flag that edits one of these members of the line: a member as a whole, or inside of it.
    pub(crate) fn flag_for(&self, members: MemberSet) -> Option<&str> {
        let touches = |step: &&Step| {
            let member = step.path.first().and_then(|name| Member::from_name(&name.text));
            member.is_some_and(|member| members.contains(member))
        };
        self.steps().find(touches).map(|step| step.flag.as_str())
    }

    /// The first flag that edits what `--minimal` may take out.
    pub(crate) fn flag_against_minimal(&self) -> Option<&str> {
        if self.merges_twin {
            return Some("--merge-twin");
        }
        let kept = [Member::Id, Member::ModuleId, Member::Status];
        let against = |step: &&Step| {
            let member = step.path.first().and_then(|name| Member::from_name(&name.text));
            !member.is_some_and(|member| kept.contains(&member))
        };
        self.steps().find(against).map(|step| step.flag.as_str())
    }

    /// Whether lines get a mode that needs an ETag (§2).
    pub(crate) fn needs_etag(&self) -> bool {
        self.compose(false).ok().and_then(|patch| patch.mode()).is_some_and(ImportMode::is_if_match)
    }

    /// Whether something is edited inside of `properties`, or all of it.
    pub(crate) fn edits_properties(&self) -> bool {
        self.flag_for(MemberSet::of(&[Member::Properties])).is_some()
    }

    /// Names of the line that the hub does not know and that probably were meant otherwise, each with what was meant.
    pub fn doubtful_names(&self) -> Vec<(String, Option<&'static str>)> {
        let mut doubtful = Vec::new();
        for step in self.steps().filter(|step| !matches!(step.edit, Edit::Remove)) {
            let mut place = Some(Place::Line);
            for name in &step.path {
                let Some(here) = place else { break };
                if !here.names().iter().any(|known| known.as_bytes() == name.text) {
                    doubtful.push((step.flag.clone(), probably_meant(here, &name.text)));
                    break;
                }
                place = crate::query::place_inside(here, &name.text);
            }
            let Edit::Put(value) = &step.edit else { continue };
            for member in members_of_value(&step.path, value) {
                if !member.place.names().iter().any(|known| known.as_bytes() == member.name) {
                    let meant = probably_meant(member.place, &member.name);
                    doubtful.push((format!("--set {}", member.shown_path()), meant));
                }
            }
        }
        doubtful
    }

    /// All edits as one. `strips_metadata`: `--strip-metadata` comes before them.
    pub(crate) fn compose(&self, strips_metadata: bool) -> Result<Patch, EditFault> {
        let mut patch = Patch::of_line();
        let name = |text: &str| Name { text: text.as_bytes().to_vec(), quoted: format!("\"{text}\"") };
        if strips_metadata {
            for (section, member) in
                [("desired", "$metadata"), ("desired", "$version"), ("reported", "$metadata"), ("reported", "$version")]
            {
                let path = [name("properties"), name(section), name(member)];
                let made = patch.then(&path, &Edit::Remove, Otherwise::Leave);
                debug_assert!(made.is_ok(), "nothing was set before");
            }
        }
        for step in self.steps() {
            patch.then(&step.path, &step.edit, step.otherwise).map_err(|_| {
                EditFault::new(format!(
                    "{} sets something inside of a value that an earlier flag makes no object",
                    step.flag
                ))
            })?;
        }
        Ok(patch)
    }

    /// How deep lines may become by the edits; the line itself is 1.
    ///
    /// # Errors
    /// Where the edits contradict each other.
    pub fn depth(&self) -> Result<usize, EditFault> {
        Ok(self.compose(false)?.depth())
    }
}

/// The path, the path as it is written, and what stands after `=`.
fn path_and_value<'t>(flag: &str, text: &'t str) -> Result<(Vec<Name>, String, &'t str), EditFault> {
    let (names, end) = read_path(text, 0, Bare::UpToEquals).map_err(|fault| path_fault(flag, text, fault))?;
    let Some(value) = text[end..].strip_prefix('=') else {
        let what = if flag == "--set" { "JSON" } else { "TEXT" };
        return Err(EditFault::new(format!("{flag}: expected = after the path {}", &text[..end]))
            .hint(format!("it is written {flag} PATH={what}")));
    };
    let shown = text[..end].to_owned();
    let path = checked_path(flag, &shown, &names)?;
    Ok((path, shown, value))
}

fn path_fault(flag: &str, text: &str, fault: path::TextFault) -> EditFault {
    // What stands after a fault may be a value, and that a secret.
    let before: String = text[..fault.at.start].chars().take(SHOWN_CHARACTERS_MAX).collect();
    let place = if before.is_empty() { "at the start".to_owned() } else { format!("after {before}") };
    EditFault { message: format!("{flag}: {} {place}", fault.message), hint: fault.hint }
}

/// Looks at the names of a path for what can't be meant.
fn checked_path(flag: &str, shown: &str, names: &[path::Name]) -> Result<Vec<Name>, EditFault> {
    let fault = |message: String| EditFault::new(format!("{flag} {shown}: {message}"));
    if names.len() > NAMES_MAX {
        return Err(fault(too_many_names().message));
    }
    let mut place = Some(Place::Line);
    let mut path = Vec::with_capacity(names.len());
    for name in names {
        let Ok(text) = std::str::from_utf8(&name.text) else {
            return Err(fault("half a character in a name".to_owned()));
        };
        if let Some(here) = place {
            check_case(here, text, flag, shown)?;
            let is_name = here.names().contains(&text);
            if here == Place::Line
                && !is_name
                && !name.bracketed
                && let Some(line) = named_otherwise(text)
            {
                return Err(fault(format!("a line has no member {text}: there it is {line}"))
                    .hint(format!("[[{text}]] is a member of just this name")));
            }
            place = crate::query::place_inside(here, text.as_bytes());
        }
        path.push(Name { text: name.text.clone(), quoted: serde_json::Value::from(text).to_string() });
    }
    let first = path.first().and_then(|name| Member::from_name(&name.text));
    if let Some(member) = first.filter(|member| path.len() > 1 && PLAIN.contains(member)) {
        return Err(fault(format!("{} holds no members", member.name())));
    }
    Ok(path)
}

/// Looks whether the hub may take a name for one that it knows.
fn check_case(place: Place, name: &str, flag: &str, shown: &str) -> Result<(), EditFault> {
    let variant = |known: &&&str| known.eq_ignore_ascii_case(name) && **known != name;
    match place.names().iter().find(variant) {
        None => Ok(()),
        Some(known) => Err(EditFault::new(format!(
            "{flag} {shown}: {name} is not {known}, but the hub may take it for that (§1.5)"
        ))
        .hint(format!("write {known}"))),
    }
}

/// Looks at the members of a value as at those that are set by their own paths.
fn check_members(path: &[Name], value: &str) -> Result<(), EditFault> {
    for member in members_of_value(path, value) {
        let path = member.shown_path();
        check_case(member.place, &member.shown_name(), "--set", &path)?;
        check_value(&member.names(), &member.value, "--set", &path)?;
    }
    Ok(())
}

/// Looks for a name that stands twice in an object of a value: which of the two is meant is nobody's to guess (§1.5).
fn check_once(value: &str) -> Result<(), EditFault> {
    match name_twice(value.as_bytes()) {
        None => Ok(()),
        Some(name) => Err(stands_twice(&name)),
    }
}

fn stands_twice(name: &[u8]) -> EditFault {
    EditFault::new(format!("{} stands twice", redacted(&String::from_utf8_lossy(name), TextKind::Name)))
}

/// Names that the query language has for members of a line.
fn named_otherwise(name: &str) -> Option<&'static str> {
    [
        ("deviceId", "id"),
        ("deviceEtag", "eTag"),
        ("authenticationType", "authentication.type"),
        ("x509Thumbprint", "authentication.x509Thumbprint"),
    ]
    .into_iter()
    .find(|(language, _)| language.eq_ignore_ascii_case(name))
    .map(|(_, line)| line)
}

fn names_of(path: &[Name]) -> Vec<&[u8]> {
    path.iter().map(|name| name.text.as_slice()).collect()
}

/// Looks at the value of a known member for what the hub refuses on every line.
fn check_value(names: &[&[u8]], value: &str, flag: &str, shown: &str) -> Result<(), EditFault> {
    let fault = |expected: &str| Err(EditFault::new(format!("{flag} {shown}: the value must be {expected}")));
    let text = hubmill_parser::string_text(value.as_bytes());
    let word = || text.clone().unwrap_or(value.as_bytes().into());
    match names {
        [b"id"] => match text {
            None => return fault("a text: every line needs an id (§1.5)"),
            Some(id) => match check_id(&id) {
                [None, None] => {}
                [Some(IdFault::Length { .. }), _] | [_, Some(IdFault::Length { .. })] => {
                    return fault("1 to 128 characters (§3.1)");
                }
                _ => return fault("ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ ' (§3.1)"),
            },
        },
        [b"importMode"] if ImportMode::from_text(&word()).is_none() => {
            return fault("one of the nine import modes (§2)");
        }
        [b"status"] if Status::from_text(&word()).is_none() => return fault("\"enabled\" or \"disabled\" (§1.2)"),
        [b"authentication", b"type"] if value != "null" && AuthenticationType::from_text(&word()).is_none() => {
            return fault("sas, selfSigned, certificateAuthority or none (§1.2)");
        }
        _ => {}
    }
    Ok(())
}

/// A JSON value on one line: line breaks, and the white space around them, go. What is wrong with a text that is none.
fn compact(text: &[u8]) -> Result<String, String> {
    let mut line = b"{\"v\":".to_vec();
    for (number, part) in text.split(|byte| matches!(byte, b'\n' | b'\r')).enumerate() {
        line.extend_from_slice(if number > 0 { part.trim_ascii_start() } else { part });
        while number > 0 && part.is_empty() && line.last().is_some_and(|last| matches!(last, b' ' | b'\t')) {
            line.pop();
        }
    }
    line.push(b'}');
    read_object(&line, |_, members| match members {
        [member] => Ok(member.value),
        _ => Err("expected one value".to_owned()),
    })
    .and_then(|value| String::from_utf8(value.of(&line).to_vec()).map_err(|_| "expected valid UTF-8".to_owned()))
}

/// Reads a text as one object.
pub(super) fn read_object<T>(
    line: &[u8],
    read: impl Fn(&Record<'_>, &[MemberSpan]) -> Result<T, String>,
) -> Result<T, String> {
    let limits = Limits { line_bytes_max: usize::MAX >> 1, depth_max: usize::from(u16::MAX) };
    let mut result = Err("expected a value".to_owned());
    Parser::new(Level::detect(), limits).parse(line, 0, |line| {
        result = match &line.content {
            Content::Record(record) => read(record, record.members()),
            Content::Blank => Err("expected a value".to_owned()),
            Content::Invalid(fault) => Err(format!("expected {}", fault.expected)),
        };
        ControlFlow::Break(())
    });
    result
}

/// The steps of a merge, each after those of the objects around it.
fn merge_steps(text: &[u8]) -> Result<Vec<Step>, EditFault> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let value = compact(text).map_err(|reason| EditFault::new(format!("not JSON: {reason}")))?;
    if !value.starts_with('{') {
        return Err(EditFault::new("expected an object, as in {\"tags\":{\"site\":\"oslo\"}}"));
    }
    let read = read_object(value.as_bytes(), |record, members| {
        let mut steps = Vec::new();
        Ok(collect_steps(record, members, &mut Vec::new(), &mut steps).map(|()| steps))
    });
    read.map_err(EditFault::new)?
}

fn collect_steps(
    record: &Record<'_>,
    members: &[MemberSpan],
    path: &mut Vec<Name>,
    steps: &mut Vec<Step>,
) -> Result<(), EditFault> {
    if path.len() == NAMES_MAX && !members.is_empty() {
        return Err(too_many_names());
    }
    let mut names = HashSet::with_capacity(members.len());
    for member in members {
        let text = record.name(member).into_owned();
        if !names.insert(text.clone()) {
            return Err(stands_twice(&text));
        }
        let raw = record.bytes(member.name);
        path.push(Name { text, quoted: format!("\"{}\"", String::from_utf8_lossy(raw)) });
        check_merged(path, record.bytes(member.value))?;
        let flag = "--merge-twin".to_owned();
        let step = |edit| Step { flag: flag.clone(), path: path.clone(), edit, otherwise: Otherwise::Replace };
        match record.object(member) {
            Some(inner) => {
                steps.push(step(Edit::MakeObject));
                let inner: Vec<MemberSpan> = inner.collect();
                collect_steps(record, &inner, path, steps)?;
            }
            None if record.bytes(member.value) == b"null" => {
                let step = Step { otherwise: Otherwise::Leave, ..step(Edit::Remove) };
                steps.push(step);
            }
            None => {
                let value = String::from_utf8_lossy(record.bytes(member.value)).into_owned();
                check_once(&value)?;
                steps.push(step(Edit::Put(value)));
            }
        }
        path.pop();
    }
    Ok(())
}

fn too_many_names() -> EditFault {
    EditFault::new(format!("more than {NAMES_MAX} names on the way to a value"))
}

/// Only tags and properties can be merged.
fn check_merged(path: &[Name], value: &[u8]) -> Result<(), EditFault> {
    let names = names_of(path);
    let (known, holds) = match names.as_slice() {
        [b"tags" | b"properties"] | [b"properties", b"desired" | b"reported"] => (true, true),
        [_] | [b"properties", _] => (false, false),
        _ => (true, false),
    };
    let last = names.last().map(|name| String::from_utf8_lossy(name).into_owned()).unwrap_or_default();
    let last = redacted(&last, TextKind::Name);
    if !known {
        return Err(EditFault::new(format!(
            "{last} is no part of a twin: there are tags, properties.desired and properties.reported"
        ))
        .hint("--set PATH=JSON sets any member"));
    }
    if holds && !matches!(value, [b'{', ..] | b"null") {
        return Err(EditFault::new(format!("{last} must be an object or null")));
    }
    Ok(())
}
