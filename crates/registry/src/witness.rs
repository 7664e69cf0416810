//! Who is told what becomes of each line.

use crate::outcome::Outcome;

/// What became of a line, for whoever writes that down.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The line, counted from 1.
    pub line: u64,
    /// Its ids, decoded, where they are known.
    pub ids: Option<(&'a [u8], Option<&'a [u8]>)>,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether that rests on an assumption.
    pub assumed: bool,
    /// Modules that went with the device.
    pub modules: u64,
    /// What is wrong with it, where that is not told by the outcome.
    pub reason: &'a str,
    /// What changes, where that was asked for: paths of members, with values where these are no secrets.
    pub changes: &'a [&'a str],
    /// The line itself. Holds secrets.
    pub bytes: &'a [u8],
}

/// Writes down what becomes of lines.
pub trait Witness: Send {
    /// Whether changes are to be said in words, and which lines are [assumed](Self::assume).
    fn wants_changes(&self) -> bool;

    /// Whether to be told of lines with this outcome.
    fn wants(&self, outcome: Outcome) -> bool;

    /// Told of every line that it [`wants`](Self::wants) but blank ones and the notice, in the order of the file.
    ///
    /// # Errors
    /// Where it can't be written down; that ends the rehearsal.
    fn see(&mut self, event: &Event<'_>) -> std::io::Result<()>;

    /// Told of a line that was [seen](Self::see) before and rests on an assumption after all: only a later one shows that it does.
    fn assume(&mut self, _line: u64) {}

    /// Told of bytes that are done, and of the hub's notice where there is one.
    fn advance(&mut self, bytes: u64, notice: Option<&str>);
}
