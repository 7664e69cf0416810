//! Why a line is not a record.

/// Which rule a line breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Not JSON by RFC 8259.
    Syntax,
    /// A backslash that starts no escape of RFC 8259; the fault is at the backslash.
    Escape,
    /// Not valid UTF-8.
    Utf8,
    /// Nested deeper than the limit.
    Depth,
    /// Longer than the limit.
    LineTooLong,
    /// JSON, but not an object.
    NotAnObject,
}

/// Why a line is not a record: the first fault in byte order (invalid UTF-8 before anything else in its line).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which rule is broken.
    pub kind: FaultKind,
    /// The offset of the first byte of the fault, from the start of the chunk.
    pub at: u32,
    /// What would have been right there, in words.
    pub expected: &'static str,
}

impl Fault {
    pub(crate) fn syntax(at: usize, expected: &'static str) -> Self {
        Self::new(FaultKind::Syntax, at, expected)
    }

    #[cold]
    pub(crate) fn new(kind: FaultKind, at: usize, expected: &'static str) -> Self {
        Self { kind, at: at as u32, expected }
    }
}
