//! Import files that mend an import, take one back, or carry one hub's state over to another.
//!
//! Responsible for: reading the log of an import job ([`ReadLog`], [`Failures`]), picking the lines that failed ([`Retry`]), the import that
//! turns one export into another ([`Diff`]), and the one that takes an import back ([`Undo`]).
//! Not for: what an import does to a registry, and not for files, flags or messages on a terminal.
//! `§` points into the project's collection of facts about the format.
#![forbid(unsafe_code)]

mod compare;
mod diff;
mod failures;
mod fate;
mod left;
mod line_room;
mod log_line;
mod met;
mod new_line;
mod passes;
mod quoted;
mod read_log;
mod retry;
mod totals;
mod undo;
mod unusable;

pub use diff::{Diff, DiffOptions};
pub use failures::{Cause, Failures, LoggedCode, Unmatched};
pub use passes::{LinesBatch, LinesScratch, Pass, Passes, Steps, Stretch, Stretches};
pub use read_log::{LogBatch, LogFault, ReadLog};
pub use retry::{Retry, RetryBatch, Selection};
pub use totals::Totals;
pub use undo::{Undo, UndoFiles};
