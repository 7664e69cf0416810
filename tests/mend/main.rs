//! Responsible for: the commands that mend an import, take one back, or carry a state over: what they write, say and exit with.
//! Not for: what an import does to a registry; see `crates/registry`.

#[path = "../support/mod.rs"]
mod support;

mod diff;
mod doubts;
mod rehearsed;
mod retry;
mod retry_hostile;
mod undo;
