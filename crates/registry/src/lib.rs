//! An index of an export, and what an import would do to the hub that the export is a backup of.
//!
//! - [`Registry`] finds the devices and modules of an export by their ids. It keeps places in the file and no text.
//! - [`DeviceLine`] says what a line means: its ETags, credentials, scope, and the sections of its twin.
//! - [`same_json`], [`same_object_without`] and [`Section::same`] say whether two values are equal, whatever their spelling.
//!
//! `§` points into the project's collection of facts about the format. What is unknown there stays unknown here.
#![forbid(unsafe_code)]

mod build;
mod entry;
mod equality;
mod error;
mod index;
mod keys;
mod line;
mod number;

pub use entry::{Entry, Number};
pub use equality::{DEPTH_MAX, is_empty_without, members, same_json, same_object_without};
pub use error::Error;
pub use index::{Counts, How, Oddity, Registry};
pub use line::{Authentication, Credentials, DeviceLine, LineReader, Places, Section};
pub use number::same_number;

#[cfg(test)]
#[path = "index_tests.rs"]
mod index_tests;
