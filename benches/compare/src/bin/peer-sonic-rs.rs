//! The peer that finds the values to edit with sonic-rs's `LazyValue`, and copies the rest of the line as it is.

use std::process::ExitCode;

use hubmill_compare::peer::{self, Peer};
use hubmill_compare::splice::{Device, Spelt, Splicer};
use hubmill_compare::task::Task;
use serde::Deserialize;
use sonic_rs::LazyValue;

#[derive(Deserialize)]
#[serde(transparent)]
struct Lazy<'a>(#[serde(borrow)] LazyValue<'a>);

impl Spelt for Lazy<'_> {
    fn text(&self) -> &str {
        self.0.as_raw_str()
    }
}

#[derive(Default)]
struct SonicRs(Splicer);

impl Peer for SonicRs {
    fn line(&mut self, task: Task, line: &mut [u8], out: &mut Vec<u8>) -> bool {
        let device = sonic_rs::from_slice::<Device<Lazy<'_>>>(line);
        device.is_ok_and(|device| self.0.line(task, line, &device, out))
    }
}

fn main() -> ExitCode {
    peer::main::<SonicRs>()
}
