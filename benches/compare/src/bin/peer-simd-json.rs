//! The peer that reads each line into simd-json's borrowed value, or onto its tape where nothing is edited.

use std::process::ExitCode;

use hubmill_compare::device::{Keys, is_legal_id};
use hubmill_compare::peer::{self, Peer};
use hubmill_compare::task::Task;
use simd_json::borrowed::{Object, Value};
use simd_json::prelude::*;
use simd_json::{Buffers, StaticNode};

#[derive(Default)]
struct SimdJson {
    buffers: Buffers,
    keys: Keys,
}

impl Peer for SimdJson {
    fn line(&mut self, task: Task, line: &mut [u8], out: &mut Vec<u8>) -> bool {
        if task.counts() {
            return simd_json::to_tape_with_buffers(line, &mut self.buffers)
                .is_ok_and(|tape| tape.as_value().get("id").is_some_and(|id| id.as_str().is_some_and(is_legal_id)));
        }
        let Ok(Value::Object(mut device)) = simd_json::to_borrowed_value_with_buffers(line, &mut self.buffers) else {
            return false;
        };
        if task.checks_id() && !device.get("id").and_then(|id| id.as_str()).is_some_and(is_legal_id) {
            return false;
        }
        if task.strips_keys() {
            set_keys(&mut device, || Value::Static(StaticNode::Null));
        }
        if task.makes_keys() && device.get("authentication").and_then(|value| value.get_str("type")) == Some("sas") {
            set_keys(&mut device, || self.keys.fresh().into());
        }
        if task.sets_mode() {
            device.insert("importMode".into(), "delete".into());
        }
        Value::Object(device).write(out).is_ok()
    }
}

fn set_keys<'a>(device: &mut Object<'a>, mut key: impl FnMut() -> Value<'a>) {
    let symmetric_key = device.get_mut("authentication").and_then(|value| value.get_mut("symmetricKey"));
    let Some(symmetric_key) = symmetric_key.and_then(|value| value.as_object_mut()) else {
        return;
    };
    for name in ["primaryKey", "secondaryKey"] {
        if let Some(value) = symmetric_key.get_mut(name) {
            *value = key();
        }
    }
}

fn main() -> ExitCode {
    peer::main::<SimdJson>()
}
