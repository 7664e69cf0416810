//! An index of an export, and what an import would do to the hub that the export is a backup of.
//!
//! - [`Registry`] finds the devices and modules of an export by their ids. It keeps places in the file and no text.
//! - [`DeviceLine`] says what a line means: its ETags, credentials, scope, and the sections of its twin.
//! - [`same_json`], [`same_object_without`] and [`Section::same`] say whether two values are equal, whatever their spelling.
//! - [`decide`] is the table of import modes (§2), and [`rehearse`] applies it to a whole import: a [`Summary`], an [`Event`] for
//!   each line, and the registry [`After`] it.
//!
//! `§` points into the project's collection of facts about the format. What is unknown there stays unknown here.
#![forbid(unsafe_code)]

mod apply;
mod build;
mod compare;
mod decide;
mod entry;
mod equality;
mod error;
mod index;
mod keys;
mod line;
mod log;
mod number;
mod outcome;
mod places;
mod rehearse;
mod result;
mod state;
mod step;
mod summary;
mod witness;

pub use compare::{Comparison, IdentityChanges, Sections, View, compare, describe};
pub use decide::{Deed, Existence, Match, decide};
pub use entry::{Entry, Number};
pub use equality::{DEPTH_MAX, is_empty_without, members, same_json, same_object_without};
pub use error::Error;
pub use index::{Counts, How, Oddity, Registry};
pub use line::{Ambiguity, Authentication, Credentials, DeviceLine, Section};
pub use log::{log_line, push_json_string};
pub use number::same_number;
pub use outcome::{Doubt, Failure, Outcome};
pub use places::{LineReader, Places};
pub use rehearse::{After, rehearse};
pub use result::Written;
pub use summary::{Pair, Risks, Summary};
pub use witness::{Event, Witness};

#[cfg(test)]
#[path = "index_tests.rs"]
mod index_tests;
#[cfg(test)]
mod rehearse_tests;
