//! Peers that keep the line's bytes: their library finds where the values stand, and everything else is copied.
//!
//! Unknown members are skipped, which checks them. A member that the tasks know and that has another type than the hub's
//! makes the line a bad one.

use std::ops::Range;

use serde::{Deserialize, Deserializer};

use crate::device::{Keys, is_legal_id};
use crate::task::Task;

/// A value that is not read, only found.
pub trait Spelt {
    /// Its bytes in the line.
    fn text(&self) -> &str;
}

/// The members that the tasks read.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"))]
pub struct Device<V> {
    #[serde(default, deserialize_with = "even_null")]
    id: Option<V>,
    #[serde(default, deserialize_with = "even_null", rename = "importMode")]
    import_mode: Option<V>,
    authentication: Option<Authentication<V>>,
}

#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"), rename_all = "camelCase")]
struct Authentication<V> {
    symmetric_key: Option<SymmetricKey<V>>,
    r#type: Option<V>,
}

#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "V: Deserialize<'de>"), rename_all = "camelCase")]
struct SymmetricKey<V> {
    #[serde(default, deserialize_with = "even_null")]
    primary_key: Option<V>,
    #[serde(default, deserialize_with = "even_null")]
    secondary_key: Option<V>,
}

/// A null has a place, too.
fn even_null<'de, D: Deserializer<'de>, V: Deserialize<'de>>(deserializer: D) -> Result<Option<V>, D::Error> {
    V::deserialize(deserializer).map(Some)
}

/// Edits lines; the memory is used again.
#[derive(Default)]
pub struct Splicer {
    edits: Vec<(Range<usize>, String)>,
    keys: Keys,
}

impl Splicer {
    /// Does the task to the line that the device was read from; false if the line is to be left out.
    pub fn line<V: Spelt>(&mut self, task: Task, line: &[u8], device: &Device<V>, out: &mut Vec<u8>) -> bool {
        if task.checks_id() && !device.id.as_ref().is_some_and(|id| is_legal(id.text())) {
            return false;
        }
        if task.strips_keys() || task.makes_keys() {
            self.set_keys(task, line, device);
        }
        if task.sets_mode() {
            self.edits.push(match &device.import_mode {
                Some(mode) => (place(line, mode), "\"delete\"".to_owned()),
                None => added(line, "\"importMode\":\"delete\""),
            });
        }
        if !task.counts() {
            self.splice(line, out);
        }
        true
    }

    fn set_keys<V: Spelt>(&mut self, task: Task, line: &[u8], device: &Device<V>) {
        let Some(authentication) = &device.authentication else {
            return;
        };
        let is_sas = authentication.r#type.as_ref().is_some_and(|kind| kind.text() == "\"sas\"");
        let Some(symmetric_key) = authentication.symmetric_key.as_ref().filter(|_| task.strips_keys() || is_sas) else {
            return;
        };
        for key in [&symmetric_key.primary_key, &symmetric_key.secondary_key].into_iter().flatten() {
            let text = if task.makes_keys() { format!("\"{}\"", self.keys.fresh()) } else { "null".to_owned() };
            self.edits.push((place(line, key), text));
        }
    }

    fn splice(&mut self, line: &[u8], out: &mut Vec<u8>) {
        self.edits.sort_unstable_by_key(|(place, _)| place.start);
        let mut copied = 0;
        for (place, text) in self.edits.drain(..) {
            out.extend_from_slice(&line[copied..place.start]);
            out.extend_from_slice(text.as_bytes());
            copied = place.end;
        }
        out.extend_from_slice(&line[copied..]);
    }
}

fn is_legal(id: &str) -> bool {
    serde_json::from_str::<String>(id).is_ok_and(|id| is_legal_id(&id))
}

/// Where a value stands in the line that it was read from.
fn place(line: &[u8], value: &impl Spelt) -> Range<usize> {
    let text = value.text();
    let start = text.as_ptr().addr() - line.as_ptr().addr();
    start..start + text.len()
}

/// A new last member.
fn added(line: &[u8], member: &str) -> (Range<usize>, String) {
    let end = line.iter().rposition(|byte| *byte == b'}').unwrap_or_default();
    let is_first = line[..end].trim_ascii_end().ends_with(b"{");
    (end..end, format!("{}{member}", if is_first { "" } else { "," }))
}
