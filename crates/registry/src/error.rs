//! What can go wrong while files are indexed or looked into.

use std::fmt;

/// Why an export could not be indexed, or an import not be rehearsed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    Read(hubmill_reader::Error),
    /// There are more lines than can be numbered.
    TooManyLines {
        /// What the file is called.
        input: String,
        /// How many can be.
        max: u64,
    },
    /// The workers could not be started.
    Start(String),
    /// What a line is about could not be looked up, in words.
    Lookup(String),
    /// What was found could not be handed on.
    Output(std::io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::TooManyLines { input, max } => {
                write!(f, "{input} has more than {max} devices and modules, which is more than can be kept in mind")
            }
            Self::Start(reason) => write!(f, "can't start the worker threads: {reason}"),
            Self::Lookup(reason) => f.write_str(reason),
            Self::Output(error) => write!(f, "can't keep what was found: {error}"),
        }
    }
}

// The message holds the cause, so there is no source to be said a second time.
impl std::error::Error for Error {}

impl From<hubmill_reader::Error> for Error {
    fn from(error: hubmill_reader::Error) -> Self {
        Self::Read(error)
    }
}

impl From<hubmill_pipeline::Error<Self>> for Error {
    fn from(error: hubmill_pipeline::Error<Self>) -> Self {
        match error {
            hubmill_pipeline::Error::Read(error) => Self::Read(error),
            hubmill_pipeline::Error::Drain(error) => error,
            hubmill_pipeline::Error::Start(reason) => Self::Start(reason),
            other => Self::Start(other.to_string()),
        }
    }
}
