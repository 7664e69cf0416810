//! What is said of a run while it goes on: findings on stderr and in their file, and how far it is.

use hubmill_device::{Code, Printable};
use hubmill_pipeline::Diagnostic;
use hubmill_writer::Error;

use crate::console::Console;
use crate::diagnostics::DiagnosticsFile;
use crate::progress::Progress;

/// Where findings go, and how far a run is.
pub(crate) struct Said {
    pub(crate) diagnostics: Option<DiagnosticsFile>,
    pub(crate) console: Console,
    pub(crate) progress: Progress,
}

impl Said {
    /// Shows a finding, unless enough of its code were shown, and adds it to the file of findings.
    pub(crate) fn note(&mut self, diagnostic: &Diagnostic) -> Result<(), Error> {
        let console = &mut self.console;
        self.progress.suspend(|| console.say_diagnostic(diagnostic));
        self.diagnostics.as_mut().map_or(Ok(()), |file| file.add(diagnostic))
    }
}

/// A finding that is about no place in the input.
pub(crate) fn about_the_whole(code: Code, message: String, id: Option<String>) -> Diagnostic {
    Diagnostic { id, ..Diagnostic::of_the_whole(code, code.severity(), message) }
}

/// What is said of the notice of one of several inputs.
pub(crate) fn notice_left_out(name: &str, notice: &str) -> String {
    format!("notice: the first line of {name} is no device (§1.6) and was left out: {}", Printable(notice))
}
