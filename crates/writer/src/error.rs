//! What can go wrong while output is written.

use std::fmt;
use std::io;
use std::path::Path;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The reader of standard output went away.
    StdoutClosed,
    /// The run is being ended by a signal.
    Interrupted,
    /// Anything else.
    Io,
}

/// A failure to write, with the place it was for.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    action: &'static str,
    place: String,
    source: io::Error,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, action: &'static str, place: &str, source: io::Error) -> Self {
        Self(Box::new(Inner { kind, action, place: place.to_owned(), source }))
    }

    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::new(ErrorKind::Io, action, &path.display().to_string(), source)
    }

    pub(crate) fn interrupted(path: &Path) -> Self {
        let source = io::Error::from(io::ErrorKind::Interrupted);
        Self::new(ErrorKind::Interrupted, "create", &path.display().to_string(), source)
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "can't {} {}: {}", self.0.action, self.0.place, self.0.source)
    }
}

// The message holds the cause, so there is no source to be said a second time.
impl std::error::Error for Error {}
