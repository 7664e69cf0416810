//! The peer that reads only the members on the way to what it edits, with serde_json's `RawValue`.

use std::process::ExitCode;

use hubmill_compare::device::{Keys, is_legal_id};
use hubmill_compare::members::{Members, Name};
use hubmill_compare::peer::{self, Peer};
use hubmill_compare::task::Task;
use serde_json::value::{RawValue, to_raw_value};

struct Raw {
    delete: Box<RawValue>,
    keys: Keys,
}

impl Default for Raw {
    fn default() -> Self {
        Self { delete: to_raw_value("delete").expect("a string is JSON"), keys: Keys::default() }
    }
}

impl Peer for Raw {
    fn line(&mut self, task: Task, line: &mut [u8], out: &mut Vec<u8>) -> bool {
        let Some(mut device) = Members::parse(line) else {
            return false;
        };
        if task.checks_id() && !device.get("id").is_some_and(is_legal) {
            return false;
        }
        let authentication = if task.strips_keys() {
            with_keys(&device, [RawValue::NULL; 2], |_| true)
        } else if task.makes_keys() {
            let keys = [(); 2].map(|()| to_raw_value(&self.keys.fresh()).expect("a string is JSON"));
            with_keys(&device, [&*keys[0], &*keys[1]], |kind| kind == "\"sas\"")
        } else {
            None
        };
        if let Some(authentication) = &authentication {
            device.replace("authentication", authentication);
        }
        if task.sets_mode() {
            device.set("importMode", &self.delete);
        }
        task.counts() || serde_json::to_writer(out, &device).is_ok()
    }
}

fn is_legal(id: &RawValue) -> bool {
    serde_json::from_str(id.get()).is_ok_and(|Name(id)| is_legal_id(&id))
}

/// `authentication` with other keys, if it has keys and its type is one of the wanted.
fn with_keys(device: &Members<'_>, keys: [&RawValue; 2], wanted: fn(&str) -> bool) -> Option<Box<RawValue>> {
    let mut authentication = device.object("authentication")?;
    if !authentication.get("type").is_some_and(|kind| wanted(kind.get())) {
        return None;
    }
    let mut symmetric_key = authentication.object("symmetricKey")?;
    for (name, key) in ["primaryKey", "secondaryKey"].into_iter().zip(keys) {
        symmetric_key.replace(name, key);
    }
    let symmetric_key = to_raw_value(&symmetric_key).ok()?;
    authentication.replace("symmetricKey", &symmetric_key);
    to_raw_value(&authentication).ok()
}

fn main() -> ExitCode {
    peer::main::<Raw>()
}
