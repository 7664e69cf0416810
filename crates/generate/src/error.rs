//! What can go wrong.

use std::{fmt, io};

/// A request that can't be met, in words: nothing was touched.
#[derive(Debug)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What could be done.
    pub hint: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    pub(crate) fn with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: Some(hint.into()) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// What kind of failure it was.
#[derive(Debug)]
pub(crate) enum Kind {
    Open(io::Error),
    Read(io::Error),
    /// It was written to while it was read.
    Changed,
    /// A row that is too long to be one, by the line that it starts in.
    RowTooLong {
        line: u64,
        max: u64,
    },
}

/// A failure to read a CSV file, with its name.
#[derive(Debug)]
pub struct Error(Box<(String, Kind)>);

impl Error {
    pub(crate) fn new(name: &str, kind: Kind) -> Self {
        Self(Box::new((name.to_owned(), kind)))
    }

    /// Whether it is about what the file says, and could be read.
    pub fn is_about_text(&self) -> bool {
        matches!(self.0.1, Kind::RowTooLong { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, kind) = &*self.0;
        match kind {
            Kind::Open(error) => write!(f, "can't open {name}: {error}"),
            Kind::Read(error) => write!(f, "can't read {name}: {error}"),
            Kind::Changed => write!(f, "{name} changed while it was read; run again when nothing writes to it"),
            Kind::RowTooLong { line, max } => write!(
                f,
                "{name}: the row that starts in line {line} has more than {max} bytes; a quote is probably open there"
            ),
        }
    }
}

// The message holds the cause, so there is no source to be said a second time.
impl std::error::Error for Error {}
