//! Where output bytes go.
//!
//! Three parts: [`Gather`] collects the output of one chunk (untouched runs by reference, changed lines spliced),
//! [`Sink`] is a place that bytes are written to (standard output, a file that appears whole or not at all, a device or
//! pipe), and [`Pending`] is the set of files that must go if the run is ended early.
//!
//! This crate does not know what the bytes mean.
#![deny(unsafe_code)]

mod atomic;
mod error;
mod gather;
mod outlet;
mod pending;
mod sink;
#[allow(unsafe_code, reason = "wide copies; every block says why it is sound")]
mod splice;

pub use error::{Error, ErrorKind};
pub use gather::{Gather, Pieces};
pub use pending::Pending;
pub use sink::{Access, Sink, Sync, commit_all, outlive_reader, resolve};
pub use splice::{Edit, append, splice};
