//! Responsible for: output files appear whole or not at all, whatever ends the run, and nobody else may read secrets.
//! Not for: standard output, which is in `pipes`.
#![cfg(unix)]

#[path = "../support/mod.rs"]
mod support;

mod modes;
mod same_file;
mod signals;
mod storage;
