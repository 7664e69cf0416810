//! The bodies of the fuzz targets, as plain functions.
//!
//! Each target's `run` takes any bytes, has the product and a slow, naive reference do the same with them, and panics where
//! they disagree. libFuzzer calls `run` by way of `fuzz_targets/`, the driver `src/bin/drive.rs` with inputs of
//! [`inputs::Maker`]. The references are in `hubmill-testkit` and know nothing of the product's code.
#![forbid(unsafe_code)]

pub mod choices;
pub mod chunks;
mod full;
pub mod inputs;
pub mod parse;
pub mod rule_choice;
pub mod splice;
pub mod text;
pub mod transform;
pub mod validate;

use inputs::Maker;

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, which is that of its libFuzzer binary, too.
    pub name: &'static str,
    /// Runs it; panics on a disagreement.
    pub run: fn(&[u8]),
    /// Makes an input that is likely to be worth running.
    pub make: fn(&mut Maker) -> Vec<u8>,
}

/// All targets.
pub const TARGETS: [Target; 6] = [
    Target { name: "parse", run: parse::run, make: parse::make },
    Target { name: "transform", run: transform::run, make: transform::make },
    Target { name: "splice", run: splice::run, make: splice::make },
    Target { name: "chunks", run: chunks::run, make: chunks::make },
    Target { name: "text", run: text::run, make: text::make },
    Target { name: "validate", run: validate::run, make: validate::make },
];
