//! Commands that go over the entries of exports: indexing them, taking what comes out, and what they have in common at their end.

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Instant;

use hubmill_device::{Code, Severity};
use hubmill_mend::{LinesBatch, Passes, Steps, Stretch, Stretches, Totals};
use hubmill_parser::Level;
use hubmill_pipeline::{Diagnostic, Drain, Flow, Options, Tally, Work, run_from};
use hubmill_reader::Input;
use hubmill_registry::{How, Registry};
use hubmill_writer::{Pending, Sink};
use serde_json::{Map, Value};

use crate::diagnostics::DiagnosticsFile;
use crate::end::{End, Written};
use crate::exit::{Exit, Failure};
use crate::flags::IoArguments;
use crate::human;
use crate::report::{Course, Report};
use crate::said::{Said, about_the_whole, notice_left_out};
use crate::transform::{limits, options};
use crate::validate::open_outputs;

/// A run over the entries of exports.
pub(crate) struct Run<'a> {
    command: &'static str,
    io: &'a IoArguments,
    started: Instant,
    level: Level,
    output: Sink,
    report: Option<Sink>,
    pub(crate) said: Said,
    pending: Pending,
    pub(crate) totals: Totals,
    pub(crate) tally: Tally,
    bytes_in: u64,
    lines_in: u64,
    notices_in: u64,
    blank_in: u64,
    threads: usize,
    chunk_bytes: usize,
}

/// What can go wrong in a drain.
#[derive(Debug)]
pub(crate) enum Error {
    Read(Arc<hubmill_registry::Error>),
    Write(hubmill_writer::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Write(error) => error.fmt(f),
        }
    }
}

// The message holds the cause, so there is no source to be said a second time.
impl std::error::Error for Error {}

impl From<hubmill_pipeline::Error<Error>> for End {
    fn from(error: hubmill_pipeline::Error<Error>) -> Self {
        match error {
            hubmill_pipeline::Error::Drain(Error::Write(error)) => error.into(),
            error => Self::Failed(Failure::storage(error)),
        }
    }
}

impl<'a> Run<'a> {
    /// Opens the outputs; `inputs` are for the progress.
    pub(crate) fn open(
        command: &'static str,
        io: &'a IoArguments,
        (started, level): (Instant, Level),
        inputs: &[&Input],
        pending: Pending,
    ) -> Result<Self, Failure> {
        let outputs = open_outputs(io, &pending)?;
        let on_terminal = outputs.findings.is_stdout() && io::stdout().is_terminal();
        // Each byte is indexed, and then looked at again.
        let total: Option<u64> = inputs.iter().map(|input| input.bytes()).sum();
        let said = Said {
            diagnostics: outputs.diagnostics.map(DiagnosticsFile::new),
            console: io.run.console(),
            progress: io.run.progress(on_terminal, total.map(|total| 2 * total)),
        };
        Ok(Self {
            command,
            io,
            started,
            level,
            output: outputs.findings,
            report: outputs.report,
            said,
            pending,
            totals: Totals::default(),
            tally: Tally::default(),
            bytes_in: 0,
            lines_in: 0,
            notices_in: 0,
            blank_in: 0,
            threads: 1,
            chunk_bytes: 0,
        })
    }

    /// Whether all findings are wanted, and not only those that are shown.
    pub(crate) fn wants_all_findings(&self) -> bool {
        self.said.diagnostics.is_some()
    }

    /// How lines are read.
    pub(crate) fn reading(&self) -> (Level, hubmill_parser::Limits) {
        (self.level, limits(self.io))
    }

    /// Layout of a run over an input.
    pub(crate) fn options(&mut self, input: &Input) -> Options {
        let options = options(self.io, input);
        self.threads = self.threads.max(options.threads);
        self.chunk_bytes = options.cut.chunk_bytes;
        options
    }

    /// Indexes an export; lines that are no device are counted, and the first of them is told.
    pub(crate) fn index(&mut self, name: &str, input: Input) -> Result<Registry, End> {
        let registry = self.index_lines(name, Severity::Error, input)?;
        let counts = registry.counts();
        if counts.with_mode > 0 {
            return Err(Failure::usage(format!(
                "{name} has lines with an importMode, so it is an import and no export; what a hub would be after it is told by \
                 hubmill plan --result"
            ))
            .into());
        }
        if counts.repeated > 0 {
            let message = format!(
                "{name} has {} whose ids stand in an earlier one: the first of each counts",
                human::counted(counts.repeated, "line")
            );
            self.note(&about_the_whole(Code::DuplicateId, message, None))?;
        }
        Ok(registry)
    }

    /// Indexes an import. Lines that are no device are none to the hub either, as a rule: a warning, unless the hub may read one.
    pub(crate) fn index_import(&mut self, name: &str, input: Input) -> Result<Registry, End> {
        self.index_lines(name, Severity::Warning, input)
    }

    fn index_lines(&mut self, name: &str, severity: Severity, input: Input) -> Result<Registry, End> {
        let how = How {
            options: self.options(&input),
            limits: limits(self.io),
            level: self.level,
            mmap: self.io.mmap.into(),
        };
        let Said { progress, console, .. } = &mut self.said;
        let registry = Registry::build(input, &how, |bytes| progress.advance(bytes, console));
        let registry = registry.map_err(Failure::storage)?;
        if let Some(notice) = &registry.counts().notice {
            let console = &*console;
            progress.suspend(|| console.say(&notice_left_out(name, notice)));
            self.tally.count(Code::Notice);
        }
        self.notices_in += registry.counts().notices;
        self.blank_in += registry.counts().blank;
        let counts = registry.counts();
        self.bytes_in += counts.bytes;
        self.lines_in += counts.lines;
        if let Some(first) = registry.first_invalid() {
            let mut severity = severity;
            let mut message = format!(
                "{name} has {} that {} no device; the first is line {} (byte {}): {}",
                human::counted(counts.invalid, "line"),
                if counts.invalid == 1 { "is" } else { "are" },
                first.line,
                first.byte,
                first.message
            );
            if let (Severity::Warning, Some(first)) = (severity, registry.first_ambiguous()) {
                severity = Severity::Error;
                message.push_str(&format!(
                    "; the hub may have read {} of them, line {} (byte {}) for instance ({}): what it did is not known (§1.5), and nothing is \
                     written for it",
                    human::count(counts.ambiguous),
                    first.line,
                    first.byte,
                    first.message
                ));
            }
            self.note(&Diagnostic { severity, ..about_the_whole(Code::NotADevice, message, None) })?;
        }
        Ok(registry)
    }

    /// Counts and shows a finding.
    pub(crate) fn note(&mut self, diagnostic: &Diagnostic) -> Result<(), hubmill_writer::Error> {
        self.tally.count_finding(diagnostic.code, diagnostic.severity);
        self.said.note(diagnostic)
    }

    /// Goes over entries, and writes what comes out.
    pub(crate) fn go<S>(&mut self, passes: &Passes<'_>, work: &Steps<S>) -> Result<(), End>
    where
        Steps<S>: Work<Stretches, Batch = LinesBatch>,
    {
        let threads = self.threads;
        let share = Share { bytes: self.bytes_in, entries: passes.entries().max(1) };
        run_from(passes, threads, work, &mut LinesDrain { run: self, share })?;
        Ok(())
    }

    /// Brings everything to its end: files are put in place, and it is said how it went.
    pub(crate) fn finish(mut self, end: End, summary: &[String]) -> Result<Exit, Failure> {
        self.said.progress.finish();
        if matches!(end, End::Whole) && self.totals.lines() == 0 {
            // With errors there may be something to do that no line can do.
            let why = if self.tally.errors > 0 { "see the errors" } else { "there is nothing to do" };
            let message =
                format!("no line was written: {why}; an import of an empty file was seen to be refused (§5.4)");
            self.note(&about_the_whole(Code::EmptyOutput, message, None)).map_err(Failure::storage)?;
        }
        let end = end.or_stdout_closed(self.output.is_gone());
        let report = self.report_text(matches!(end, End::Whole));
        let Self { io, output, report: report_sink, said, pending, tally, totals, started, bytes_in, .. } = self;
        let Said { diagnostics, console, .. } = said;
        let written = Written {
            findings: diagnostics.map(DiagnosticsFile::finish).transpose().map_err(Failure::storage)?,
            report: (&report, report_sink),
            output: [output],
            keeps_output: end.keeps_output(),
        };
        written.put_in_place(&io.run, &pending, &console)?;
        match end {
            End::Failed(failure) => Err(failure),
            End::StdoutClosed => Ok(Exit::Done),
            End::Whole | End::Stopped => {
                console.say_rest(&tally);
                if !io.run.quiet {
                    summary.iter().for_each(|line| console.say(line));
                    let seconds = started.elapsed().as_secs_f64();
                    console.say(&format!(
                        "{} in {seconds:.2} s ({}): {}",
                        human::bytes(bytes_in),
                        human::rate(bytes_in, seconds),
                        lines_out(&totals)
                    ));
                }
                Ok(if tally.errors > 0 { Exit::Findings } else { Exit::Done })
            }
        }
    }

    fn report_text(&self, complete: bool) -> Vec<u8> {
        let mut counts = self.tally.clone();
        (counts.lines, counts.written) = (self.lines_in, self.totals.lines());
        (counts.notices, counts.blank) = (self.notices_in, self.blank_in);
        let course = Course {
            complete,
            bytes_in: self.bytes_in,
            bytes_out: self.output.bytes(),
            started: self.started,
            threads: self.threads,
            source: "index",
            chunk_bytes: self.chunk_bytes,
            simd: self.level.name(),
        };
        let mut report = Report::new(self.command, &counts, course);
        let more: Map<String, Value> =
            self.totals.all().into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect();
        report.more = [(self.command.to_owned(), Value::Object(more))].into_iter().collect();
        report.text()
    }
}

/// `3 create, 2 update, 1 delete`
fn lines_out(totals: &Totals) -> String {
    let parts: Vec<String> = [
        (totals.creates, "create"),
        (totals.updates, "update"),
        (totals.twin_updates, "update the twin"),
        (totals.deletes, "delete"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, word)| format!("{} {word}", human::count(count)))
    .collect();
    let lines = human::counted(totals.lines(), "line");
    if parts.is_empty() { format!("{lines} written") } else { format!("{lines} written: {}", parts.join(", ")) }
}

/// What of the progress an entry is worth.
#[derive(Clone, Copy)]
struct Share {
    bytes: u64,
    entries: u64,
}

/// Takes what comes out of the entries.
struct LinesDrain<'r, 'a> {
    run: &'r mut Run<'a>,
    share: Share,
}

impl Drain<LinesBatch, Stretches> for LinesDrain<'_, '_> {
    type Error = Error;

    fn drain(&mut self, stretch: Stretch, from: usize, batch: &LinesBatch) -> Result<Flow, Error> {
        let run = &mut *self.run;
        for diagnostic in &batch.diagnostics {
            if run.said.diagnostics.is_some() || run.said.console.shows(diagnostic) {
                run.said.note(diagnostic).map_err(Error::Write)?;
            }
        }
        if let Some(error) = &batch.error {
            return Err(Error::Read(Arc::clone(error)));
        }
        if !batch.output.is_empty() {
            run.output.write(&batch.output).map_err(Error::Write)?;
        }
        run.totals.add(&batch.totals);
        run.tally.add(&batch.tally);
        if from == 0 {
            let bytes = u128::from(stretch.entries()) * u128::from(self.share.bytes) / u128::from(self.share.entries);
            run.said.progress.advance(bytes as u64, &run.said.console);
        }
        Ok(Flow::Continue)
    }
}
