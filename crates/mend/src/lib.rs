//! Import files that mend an import, take one back, or carry one hub's state over to another.
//!
//! Responsible for: reading the log of an import job ([`ReadLog`], [`Failures`]), and picking the lines that failed ([`Retry`]).
//! Not for: what an import does to a registry, and not for files, flags or messages on a terminal.
//! `§` points into the project's collection of facts about the format.
#![forbid(unsafe_code)]

mod failures;
mod log_line;
mod quoted;
mod read_log;
mod retry;

pub use failures::{Cause, Failures, LoggedCode, Unmatched};
pub use read_log::{LogBatch, LogFault, ReadLog};
pub use retry::{Retry, RetryBatch, Selection};
