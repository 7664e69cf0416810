//! Where the batches of a transform go.

use hubmill_pipeline::{Batch, Diagnostic, Drain, Flow, Piece, Tally};
use hubmill_writer::{Error, Gather, Sink};

use crate::console::Console;
use crate::diagnostics::DiagnosticsFile;
use crate::dry_run::Samples;
use crate::progress::Progress;

/// The places that a transform writes to, and what it has written.
pub(crate) struct Outputs {
    pub(crate) output: Sink,
    pub(crate) rejects: Option<Sink>,
    pub(crate) filtered: Option<Sink>,
    pub(crate) keys: Option<Sink>,
    pub(crate) diagnostics: Option<DiagnosticsFile>,
    /// Changed lines that are shown, in place of output.
    pub(crate) samples: Option<Samples>,
    pub(crate) console: Console,
    pub(crate) progress: Progress,
    pub(crate) tally: Tally,
    pub(crate) bytes_in: u64,
    /// More invalid lines than this end the run.
    pub(crate) invalid_max: u64,
}

impl Drain<Batch> for Outputs {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, from: usize, batch: &Batch) -> Result<Flow, Error> {
        let left = self.invalid_max.saturating_add(1).saturating_sub(self.tally.invalid());
        if batch.tally.invalid() >= left && batch.allowance != left {
            return Ok(Flow::Redo { allowance: left });
        }
        if let Some(notice) = &batch.notice {
            let (console, progress) = (&self.console, &self.progress);
            let text = hubmill_device::Printable(notice);
            progress.suspend(|| {
                console.say(&format!("notice: the first line is no device (§1.6) and was left out: {text}"));
            });
        }
        for diagnostic in &batch.diagnostics {
            self.note(diagnostic)?;
        }
        if let Some(samples) = &mut self.samples {
            samples.show(&batch.samples, piece, self.tally.lines)?;
        }
        // What keeps a loss from being one goes first.
        write(self.rejects.as_mut(), &batch.rejects, piece.bytes)?;
        write(self.filtered.as_mut(), &batch.filtered, piece.bytes)?;
        if let Some(keys) = self.keys.as_mut().filter(|_| !batch.keys.is_empty()) {
            keys.write(&batch.keys)?;
        }
        self.tally.add(&batch.tally);
        if from == 0 {
            self.bytes_in += piece.bytes.len() as u64;
        }
        write(Some(&mut self.output), &batch.output, piece.bytes)?;
        if from == 0 {
            self.progress.advance(piece.bytes.len() as u64, &self.console);
        }
        Ok(if self.tally.invalid() > self.invalid_max { Flow::Stop } else { Flow::Continue })
    }
}

impl Outputs {
    /// All that is written to but the report.
    pub(crate) fn sinks(&mut self) -> impl Iterator<Item = &mut Sink> {
        let Self { output, rejects, filtered, keys, diagnostics, .. } = self;
        let diagnostics = diagnostics.as_mut().map(DiagnosticsFile::sink);
        [Some(output), rejects.as_mut(), filtered.as_mut(), keys.as_mut(), diagnostics].into_iter().flatten()
    }

    /// Whether one is standard output whose reader went away.
    pub(crate) fn reader_is_gone(&mut self) -> bool {
        self.sinks().any(|sink| sink.is_gone())
    }

    /// Shows a finding, and adds it to the file of findings.
    fn note(&mut self, diagnostic: &Diagnostic) -> Result<(), Error> {
        let line = self.tally.lines + diagnostic.line;
        let shows = self.console.shows(diagnostic);
        if !shows && self.diagnostics.is_none() {
            return Ok(());
        }
        let diagnostic = Diagnostic { line, ..diagnostic.clone() };
        if shows {
            let console = &mut self.console;
            self.progress.suspend(|| console.say_diagnostic(&diagnostic));
        }
        self.note_in_file(&diagnostic)
    }

    /// Adds a finding to the file of findings.
    pub(crate) fn note_in_file(&mut self, diagnostic: &Diagnostic) -> Result<(), Error> {
        self.diagnostics.as_mut().map_or(Ok(()), |file| file.add(diagnostic))
    }
}

fn write(sink: Option<&mut Sink>, gather: &Gather, bytes: &[u8]) -> Result<(), Error> {
    if let Some(sink) = sink {
        for piece in gather.pieces(bytes) {
            sink.write(piece)?;
        }
    }
    Ok(())
}
