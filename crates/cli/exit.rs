//! How a run ends.

use std::fmt;
use std::process::ExitCode;

/// The exit codes of the contract; a bug is 101, signals are 128 and their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, nothing invalid; also when the reader of standard output went away.
    Done = 0,
    /// Done, with findings.
    Findings = 1,
    /// Usage or configuration; nothing was touched.
    Usage = 2,
    /// Input, output or storage failed.
    Storage = 3,
    /// Stopped by `--strict` or `--max-rejects`.
    Stopped = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a run could not be done: the exit code and what to say.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) reason: anyhow::Error,
    /// The text that it is about, and a line that points at the place.
    pub(crate) excerpt: Vec<String>,
    /// What could be done.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// A wrong call: nothing was touched.
    pub(crate) fn usage(reason: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, anyhow::anyhow!("{reason}"))
    }

    /// Input, output or storage failed.
    pub(crate) fn storage(reason: impl Into<anyhow::Error>) -> Self {
        Self::new(Exit::Storage, reason.into())
    }

    /// A run that ends like this.
    pub(crate) fn new(exit: Exit, reason: anyhow::Error) -> Self {
        Self { exit, reason, excerpt: Vec::new(), hint: None }
    }

    /// With what could be done.
    pub(crate) fn hint(self, hint: Option<String>) -> Self {
        Self { hint, ..self }
    }

    /// With the lines that show the place.
    pub(crate) fn excerpt(self, excerpt: Vec<String>) -> Self {
        Self { excerpt, ..self }
    }
}
