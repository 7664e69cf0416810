//! Where `hubmill generate` writes to.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use hubmill_generate::{Check, Checked, Devices, Findings, Made, Plan, Rows};
use hubmill_pipeline::{Diagnostic, Drain, Flow};
use hubmill_writer::{Access, Error, Pending, Sink, outlive_reader};

use crate::console::Console;
use crate::destination::Destination;
use crate::diagnostics::DiagnosticsFile;
use crate::exit::Failure;
use crate::generate_flags::GenerateArguments;
use crate::places;
use crate::progress::Progress;
use crate::transform::create;

/// The places that a run writes to, and how much it has made.
pub(crate) struct Outputs<'p> {
    pub(crate) output: Sink,
    pub(crate) keys: Option<Sink>,
    /// All that is written can be given up, so that lines can be written before all are checked.
    pub(crate) can_be_given_up: bool,
    pub(crate) told: Told,
    /// What was found so far, while lines are checked.
    pub(crate) findings: Option<Findings<'p>>,
    /// Progress counts bytes of a CSV file, and not of the output.
    counts_rows: bool,
    /// Devices written.
    pub(crate) made: u64,
}

/// Where people are told.
pub(crate) struct Told {
    pub(crate) diagnostics: Option<DiagnosticsFile>,
    pub(crate) console: Console,
    pub(crate) progress: Progress,
    /// Why a finding could not be written.
    failed: Option<Error>,
}

impl Told {
    fn tell(&mut self, found: &Diagnostic) {
        let console = &mut self.console;
        self.progress.suspend(|| console.say_diagnostic(found));
        if let (None, Some(file)) = (&self.failed, &mut self.diagnostics) {
            self.failed = file.add(found).err();
        }
    }

    fn result(&mut self) -> Result<(), Error> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

/// Why lines could not be written.
#[derive(Debug)]
pub(crate) enum WriteError {
    Write(Error),
    /// The CSV file is not what was checked.
    Changed,
}

impl From<Error> for WriteError {
    fn from(error: Error) -> Self {
        Self::Write(error)
    }
}

impl<'p> Outputs<'p> {
    pub(crate) fn open(
        arguments: &GenerateArguments,
        plan: &Plan,
        console: Console,
        pending: &Pending,
    ) -> Result<Self, Failure> {
        let open = |path: &Path, access| match Destination::from_flag(path) {
            Destination::Standard => Sink::stdout().map_err(Failure::storage),
            Destination::Path(path) => create(&path, access, pending),
        };
        let diagnostics = places::open_diagnostics(&arguments.run, pending)?;
        let keys = arguments.keys_out.as_deref().map(|path| open(path, Access::Private)).transpose()?;
        let access = if plan.holds_keys() { Access::Private } else { Access::Ordinary };
        let output = open(arguments.run.output(), access)?;
        let data_on_terminal = output.is_stdout() && io::stdout().is_terminal();
        let can_be_given_up = output.is_atomic() && keys.as_ref().is_none_or(Sink::is_atomic);
        let passes = if can_be_given_up { 1 } else { 2 };
        let total = plan.csv().map_or_else(|| plan.bytes(), |csv| Some(passes * csv.bytes()));
        let told = Told {
            diagnostics: diagnostics.map(DiagnosticsFile::new),
            console,
            progress: arguments.run.progress(data_on_terminal, total),
            failed: None,
        };
        let counts_rows = plan.csv().is_some();
        let mut outputs = Self { output, keys, can_be_given_up, told, findings: None, counts_rows, made: 0 };
        outlive_reader(outputs.sinks());
        Ok(outputs)
    }

    /// All that is written to but the report.
    fn sinks(&mut self) -> impl Iterator<Item = &mut Sink> {
        let diagnostics = self.told.diagnostics.as_mut().map(DiagnosticsFile::sink);
        [Some(&mut self.output), self.keys.as_mut(), diagnostics].into_iter().flatten()
    }

    /// Whether one is standard output whose reader went away.
    pub(crate) fn reader_is_gone(&mut self) -> bool {
        self.sinks().any(|sink| sink.is_gone())
    }

    /// Checks lines that are all alike.
    pub(crate) fn check_alike(&mut self, check: &Check<'_>) -> Result<Checked, Error> {
        let checked = check.check_alike(|found| self.told.tell(&found));
        self.told.result().map(|()| checked)
    }

    /// Looks at what was found as a whole, after the last row.
    pub(crate) fn finish_findings(&mut self, threads: usize) -> Result<Checked, Error> {
        let mut findings = self.findings.take().expect("lines were checked");
        let checked = findings.finish(threads, |found| self.told.tell(&found));
        self.told.result().map(|()| checked)
    }
}

impl<'p> Drain<Made, Devices<'p>> for Outputs<'_> {
    type Error = WriteError;

    fn drain(&mut self, rows: &Rows, from: usize, made: &Made) -> Result<Flow, WriteError> {
        if made.is_broken {
            return Err(WriteError::Changed);
        }
        let Self { told, findings, .. } = self;
        if let Some(findings) = findings {
            findings.take(rows, made, |found| told.tell(&found));
            told.result()?;
        }
        // After an error all is given up, and the rest is only looked at.
        if !findings.as_ref().is_some_and(Findings::has_errors) {
            // Keys first: a device without its key is a loss, a key without its device is none.
            if let Some(keys) = &mut self.keys {
                keys.write(&made.keys)?;
            }
            self.output.write(&made.output)?;
            self.made += made.devices;
        }
        let bytes = match self.counts_rows {
            false => made.output.len() as u64,
            true if from == 0 => rows.file_bytes(),
            true => 0,
        };
        self.told.progress.advance(bytes, &self.told.console);
        Ok(Flow::Continue)
    }
}
