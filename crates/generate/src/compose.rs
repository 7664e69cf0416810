//! One line: its members in the order that the hub's SDK writes them (§1.2), `type` last in `authentication`.
//!
//! A member that has nothing to say is left out: the hub's SDK writes `"deviceScope":null` and ETags of no meaning, other
//! tools do not, and both are taken (§1.1, §7).

use std::ops::Range;

use hubmill_device::{AuthenticationType, ImportMode, Status};

use crate::cells::{literal, push_json, push_string};
use crate::columns::Field;
use crate::plan::{Plan, authentication_from_word};
use crate::random::Random;
use crate::rows::Row;
use crate::template::IdMarks;

/// Where in a made line is what differs from line to line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// The value of `id`, with its quotes; empty where there is none.
    pub(crate) id: Range<usize>,
    /// The value of `moduleId`, with its quotes; empty where there is none.
    pub(crate) module_id: Range<usize>,
    pub(crate) in_id: IdMarks,
    /// Values in the twin that are cells, without quotes, and their columns.
    pub(crate) values: Vec<(Range<usize>, usize)>,
    /// The import mode, where it can be read.
    pub(crate) mode: ImportMode,
    /// The texts of both keys, without quotes, where they were made.
    pub(crate) keys: Option<[usize; 2]>,
}

impl Marks {
    pub(crate) fn clear(&mut self) {
        self.id = 0..0;
        self.module_id = 0..0;
        self.in_id.indexes.clear();
        self.in_id.uuids.clear();
        self.values.clear();
        self.keys = None;
    }
}

/// The text of a member's cell; empty where there is no column or nothing in it.
#[inline]
fn cell<'r>(plan: &Plan, row: Option<&Row<'r>>, field: Field) -> &'r [u8] {
    match (row, plan.columns.of(field)) {
        (Some(row), Some(column)) => row.cell(column),
        _ => b"",
    }
}

/// Appends a member whose value is text, unless there is none.
fn push_text(out: &mut Vec<u8>, key: &str, text: &[u8]) {
    if !text.is_empty() {
        out.extend_from_slice(key.as_bytes());
        push_string(out, text);
    }
}

impl Plan {
    /// Appends the line of a device, with its `\n`.
    pub(crate) fn compose(
        &self,
        index: u64,
        row: Option<&Row<'_>>,
        random: &mut Random,
        marks: &mut Marks,
        out: &mut Vec<u8>,
    ) {
        let text = |field| cell(self, row, field);
        marks.clear();
        let start = out.len();
        self.push_id(index, row, random, marks, out);
        let module_id = text(Field::ModuleId);
        if !module_id.is_empty() {
            out.extend_from_slice(b",\"moduleId\":");
            marks.module_id = out.len()..out.len();
            push_string(out, module_id);
            marks.module_id.end = out.len();
        }
        push_text(out, ",\"eTag\":", text(Field::ETag));
        let mode = self.push_mode(text(Field::ImportMode), out);
        marks.mode = mode;
        out.extend_from_slice(b",\"status\":");
        match text(Field::Status) {
            b"" => push_string(out, self.status.as_str().as_bytes()),
            text => push_string(out, Status::from_text(text).map_or(text, |status| status.as_str().as_bytes())),
        }
        push_text(out, ",\"statusReason\":", text(Field::StatusReason));
        self.push_authentication(row, mode, random, marks, out);
        push_text(out, ",\"twinETag\":", text(Field::TwinETag));
        self.push_twin(row, &mut marks.values, out);
        push_capabilities(out, text(Field::IotEdge), self.edge && module_id.is_empty());
        push_text(out, ",\"deviceScope\":", text(Field::DeviceScope));
        push_scopes(out, text(Field::ParentScopes));
        out.push(b'}');
        // What is missing at the start leaves its comma.
        if out[start..].starts_with(b"{,") {
            out.remove(start + 1);
            marks.move_back(1);
        }
        out.push(b'\n');
    }

    fn push_id(&self, index: u64, row: Option<&Row<'_>>, random: &mut Random, marks: &mut Marks, out: &mut Vec<u8>) {
        if let (Some(row), Some(column)) = (row, self.columns.of(Field::Id)) {
            out.push(b'{');
            let before = out.len();
            push_text(out, "\"id\":", row.cell(column));
            if out.len() > before {
                marks.id = before + "\"id\":".len()..out.len();
            }
            return;
        }
        out.extend_from_slice(b"{\"id\":\"");
        let start = out.len() - 1;
        self.template.append(index, random, &mut marks.in_id, out);
        out.push(b'"');
        marks.id = start..out.len();
    }

    /// Appends the import mode; what it is, where it can be read.
    fn push_mode(&self, text: &[u8], out: &mut Vec<u8>) -> ImportMode {
        let mode = match text {
            b"" => self.import_mode,
            text => match ImportMode::from_text(text) {
                Some(mode) => Some(mode),
                None => {
                    push_text(out, ",\"importMode\":", text);
                    return ImportMode::default();
                }
            },
        };
        if let Some(mode) = mode {
            push_text(out, ",\"importMode\":", mode.as_str().as_bytes());
        }
        mode.unwrap_or_default()
    }

    fn push_authentication(
        &self,
        row: Option<&Row<'_>>,
        mode: ImportMode,
        random: &mut Random,
        marks: &mut Marks,
        out: &mut Vec<u8>,
    ) {
        let text = |field| cell(self, row, field);
        let keys = [text(Field::PrimaryKey), text(Field::SecondaryKey)];
        let thumbprints = [text(Field::PrimaryThumbprint), text(Field::SecondaryThumbprint)];
        let kind = text(Field::AuthenticationType);
        let given = !kind.is_empty() || keys.iter().chain(&thumbprints).any(|text| !text.is_empty());
        if !given && !mode.writes_identity() {
            return;
        }
        // Without a word about it, a thumbprint says how: the hub's SDK takes it so, too (§3.5).
        let default = match self.authentication {
            Some(kind) => kind,
            None if thumbprints.iter().any(|text| !text.is_empty()) => AuthenticationType::SelfSigned,
            None => AuthenticationType::Sas,
        };
        let read = |text: &[u8]| {
            let word = std::str::from_utf8(text).ok();
            word.and_then(authentication_from_word).or_else(|| AuthenticationType::from_text(text))
        };
        let known = if kind.is_empty() { Some(default) } else { read(kind) };
        let makes_keys = known == Some(AuthenticationType::Sas) && keys.iter().all(|text| text.is_empty());
        out.extend_from_slice(b",\"authentication\":{\"symmetricKey\":{\"primaryKey\":");
        let primary = push_key(out, keys[0], makes_keys, random);
        out.extend_from_slice(b",\"secondaryKey\":");
        let secondary = push_key(out, keys[1], makes_keys, random);
        marks.keys = makes_keys.then_some([primary, secondary]);
        out.extend_from_slice(b"},\"x509Thumbprint\":{\"primaryThumbprint\":");
        push_text_or_null(out, thumbprints[0]);
        out.extend_from_slice(b",\"secondaryThumbprint\":");
        push_text_or_null(out, thumbprints[1]);
        out.extend_from_slice(b"},\"type\":");
        push_string(out, known.map_or(kind, |kind| kind.as_str().as_bytes()));
        out.push(b'}');
    }

    fn push_twin(&self, row: Option<&Row<'_>>, values: &mut Vec<(Range<usize>, usize)>, out: &mut Vec<u8>) {
        let mut push = |out: &mut Vec<u8>, key: &str, section: &Option<crate::tree::Node>| {
            let before = out.len();
            let Some(section) = section else { return };
            out.extend_from_slice(key.as_bytes());
            if !section.append(row, values, out) {
                out.truncate(before);
            }
        };
        push(out, ",\"tags\":", &self.sections.tags);
        let before = out.len();
        out.extend_from_slice(b",\"properties\":{");
        let empty = out.len();
        push(out, "\"desired\":", &self.sections.desired);
        push(out, if out.len() == empty { "\"reported\":" } else { ",\"reported\":" }, &self.sections.reported);
        if out.len() == empty { out.truncate(before) } else { out.push(b'}') }
    }
}

impl Marks {
    /// Makes places count from `start` on.
    pub(crate) fn move_back(&mut self, start: usize) {
        let back = |range: &mut Range<usize>| {
            if range.start < range.end {
                *range = range.start - start..range.end - start;
            }
        };
        back(&mut self.id);
        back(&mut self.module_id);
        self.values.iter_mut().for_each(|(place, _)| back(place));
        self.keys = self.keys.map(|keys| keys.map(|at| at - start));
    }
}

/// Appends a key that is given or made, or null; where its text starts.
fn push_key(out: &mut Vec<u8>, given: &[u8], makes: bool, random: &mut Random) -> usize {
    if !makes {
        push_text_or_null(out, given);
        return 0;
    }
    out.push(b'"');
    let start = out.len();
    random.push_key(out);
    out.push(b'"');
    start
}

fn push_text_or_null(out: &mut Vec<u8>, text: &[u8]) {
    match text {
        b"" => out.extend_from_slice(b"null"),
        text => push_string(out, text),
    }
}

fn push_capabilities(out: &mut Vec<u8>, text: &[u8], edge: bool) {
    if text.is_empty() && !edge {
        return;
    }
    out.extend_from_slice(b",\"capabilities\":{\"iotEdge\":");
    match text {
        b"" => out.extend_from_slice(b"true"),
        text if text.eq_ignore_ascii_case(b"true") => out.extend_from_slice(b"true"),
        text if text.eq_ignore_ascii_case(b"false") => out.extend_from_slice(b"false"),
        text => push_string(out, text),
    }
    out.push(b'}');
}

/// Appends the scopes of parents: an array as JSON, or one scope as text.
fn push_scopes(out: &mut Vec<u8>, text: &[u8]) {
    if text.is_empty() {
        return;
    }
    out.extend_from_slice(b",\"parentScopes\":");
    match literal(text) {
        Some(json) => push_json(out, json),
        None => {
            out.push(b'[');
            push_string(out, text);
            out.push(b']');
        }
    }
}
