//! The peer that reads each line into `serde_json::Value` and prints it again.

use std::process::ExitCode;

use hubmill_compare::device::{Keys, is_legal_id};
use hubmill_compare::peer::{self, Peer};
use hubmill_compare::task::Task;
use serde_json::{Map, Value};

#[derive(Default)]
struct SerdeJson {
    keys: Keys,
}

impl Peer for SerdeJson {
    fn line(&mut self, task: Task, line: &mut [u8], out: &mut Vec<u8>) -> bool {
        let Ok(Value::Object(mut device)) = serde_json::from_slice(line) else {
            return false;
        };
        if task.checks_id() && !device.get("id").and_then(Value::as_str).is_some_and(is_legal_id) {
            return false;
        }
        if task.strips_keys() {
            set_keys(&mut device, || Value::Null);
        }
        if task.makes_keys() && device.get("authentication").is_some_and(|value| value["type"] == "sas") {
            set_keys(&mut device, || self.keys.fresh().into());
        }
        if task.sets_mode() {
            device.insert("importMode".to_owned(), "delete".into());
        }
        task.counts() || serde_json::to_writer(out, &device).is_ok()
    }
}

fn set_keys(device: &mut Map<String, Value>, mut key: impl FnMut() -> Value) {
    let symmetric_key = device.get_mut("authentication").and_then(|value| value.get_mut("symmetricKey"));
    let Some(Value::Object(symmetric_key)) = symmetric_key else {
        return;
    };
    for name in ["primaryKey", "secondaryKey"] {
        if let Some(value) = symmetric_key.get_mut(name) {
            *value = key();
        }
    }
}

fn main() -> ExitCode {
    peer::main::<SerdeJson>()
}
