//! What can go wrong while input is read.

use std::fmt;
use std::io;

/// What kind of failure it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input can't be opened.
    Open(io::Error),
    /// The input can't be read on.
    Read(io::Error),
    /// A stream that is needed more than once can't be kept in a temporary file.
    Spool(io::Error),
    /// The file became shorter while it was read.
    Truncated {
        /// Its length at the start, in bytes.
        expected: u64,
        /// Where it ended, in bytes.
        found: u64,
    },
}

/// A failure to read, with the input it was about.
#[derive(Debug)]
pub struct Error(Box<(String, ErrorKind)>);

impl Error {
    pub(crate) fn new(input: &str, kind: ErrorKind) -> Self {
        Self(Box::new((input.to_owned(), kind)))
    }

    /// What kind of failure it was.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.1
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (input, kind) = &*self.0;
        match kind {
            ErrorKind::Open(error) => write!(f, "can't open {input}: {error}"),
            ErrorKind::Read(error) => write!(f, "can't read {input}: {error}"),
            ErrorKind::Spool(error) => write!(f, "can't keep {input} in a temporary file: {error}"),
            ErrorKind::Truncated { expected, found } => write!(
                f,
                "{input} became shorter while it was read: it had {expected} bytes and ended at {found}; \
                 run again when nothing writes to it"
            ),
        }
    }
}

// The message holds the cause, so there is no source to be said a second time.
impl std::error::Error for Error {}
