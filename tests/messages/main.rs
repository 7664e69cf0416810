//! Responsible for: what is said about a run on stderr, in diagnostics and in the report: that it is right, in its place,
//! and holds no secret.
//! Not for: whether lines are kept or not; see `transform` and `invalid`.

#[path = "../support/mod.rs"]
mod support;

mod escapes;
mod places;
mod secrets;
mod terminal;
mod wording;
