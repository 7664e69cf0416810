//! The peer that finds the values to edit with serde_json's `RawValue`, and copies the rest of the line as it is.

use std::process::ExitCode;

use hubmill_compare::peer::{self, Peer};
use hubmill_compare::splice::{Device, Spelt, Splicer};
use hubmill_compare::task::Task;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
#[serde(transparent)]
struct Raw<'a>(#[serde(borrow)] &'a RawValue);

impl Spelt for Raw<'_> {
    fn text(&self) -> &str {
        self.0.get()
    }
}

#[derive(Default)]
struct RawSplice(Splicer);

impl Peer for RawSplice {
    fn line(&mut self, task: Task, line: &mut [u8], out: &mut Vec<u8>) -> bool {
        // As text: what is skipped in bytes would not be checked for UTF-8.
        let Ok(text) = str::from_utf8(line) else {
            return false;
        };
        let device = serde_json::from_str::<Device<Raw<'_>>>(text);
        device.is_ok_and(|device| self.0.line(task, line, &device, out))
    }
}

fn main() -> ExitCode {
    peer::main::<RawSplice>()
}
