//! `hubmill validate`: checks all lines, shows what is wrong, and sums it up.

use std::io::{self, IsTerminal as _};
use std::time::Instant;

use hubmill_device::Severity;
use hubmill_pipeline::{
    CheckedBatch, Diagnostic, Drain, Flow, Piece, Tally, Validate, Validation, run as run_pipeline,
};
use hubmill_reader::Input;
use hubmill_rules::{Check, Checker, Policy};
use hubmill_writer::{Access, Error, Pending, Sink, outlive_reader};

use crate::console::Console;
use crate::diagnostics::DiagnosticsFile;
use crate::end::{End, Written, end_of};
use crate::exit::{Exit, Failure};
use crate::flags::{Format, IoArguments, ValidateArguments, ValidateCheck};
use crate::human;
use crate::progress::Progress;
use crate::report::{Course, Report};
use crate::transform::{limits, open_input, options};
use crate::{places, select, signals, simd};

/// Runs the command.
pub(crate) fn run(arguments: &ValidateArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let level = simd::level()?;
    let policy = Policy::new(&arguments.allow, &arguments.deny).map_err(Failure::usage)?;
    let io = &arguments.io;
    let filter = select::filter(arguments.condition.as_deref())?;
    let input = open_input(io)?;
    places::check(&[("the input", &input)], io, &[])?;
    let pending = Pending::default();
    signals::watch(&pending)?;

    let outputs = open_outputs(io, &pending)?;
    let is_json = arguments.format == Format::Json;
    let all = arguments.all || is_json || io.run.diagnostics.is_some();
    let check = match arguments.check {
        ValidateCheck::Id => Check::Id,
        ValidateCheck::Full => Check::Full,
    };
    let compares = check == Check::Full;
    let work = Validate::new(Checker::new(check, policy), limits(io), level, all, compares)
        .with_filter(filter)
        .with_lines_again(input.is_mapped());
    let findings = match arguments.format {
        Format::Json => Findings::Json(DiagnosticsFile::new(outputs.findings)),
        Format::Text => {
            let is_terminal = outputs.findings.is_stdout() && io::stdout().is_terminal();
            let console = Console::for_stream(io.run.color, io.run.quiet, is_terminal);
            let console = if arguments.all { console.show_all() } else { console };
            Findings::Text { sink: outputs.findings, console: Box::new(console), text: String::new() }
        }
    };
    let on_terminal = arguments.format == Format::Text && io::stdout().is_terminal();
    let mut drain = Run {
        validation: Validation::new(&work),
        findings,
        diagnostics: outputs.diagnostics.map(DiagnosticsFile::new),
        console: io.run.console(),
        progress: io.run.progress(on_terminal, input.bytes()),
        bytes_in: 0,
    };
    let options = options(io, &input);
    let mut end = end_of(run_pipeline(&input, options, &work, &mut drain));
    drain.progress.finish();
    if let End::Whole = end {
        let looked = drain.look_at_the_whole(options.threads, &input).map_err(hubmill_pipeline::Error::Drain);
        // Lines were looked at again for that.
        let checked = looked.and_then(|()| input.check().map_err(hubmill_pipeline::Error::Read));
        end = end_of(checked.map(|()| true)).or_stdout_closed(drain.findings.sink().is_gone());
    }

    let whole = matches!(end, End::Whole);
    let course = Course {
        complete: whole,
        bytes_in: drain.bytes_in,
        bytes_out: drain.findings.sink().bytes(),
        started,
        threads: options.threads,
        source: input.source(),
        chunk_bytes: options.cut.chunk_bytes,
        simd: level.name(),
    };
    let report = Report::of_check("validate", drain.validation.tally(), course).text();

    let Run { validation, findings, diagnostics, console, bytes_in, .. } = drain;
    let tally = validation.tally();
    let diagnostics = diagnostics.map(DiagnosticsFile::finish).transpose().map_err(Failure::storage)?;
    let output = match findings.finish(tally, &end) {
        Ok(sink) => Some(sink),
        Err(error) => {
            end = error.into();
            None
        }
    };
    let report = (report.as_slice(), outputs.report);
    let written = Written { findings: diagnostics, report, output, keeps_output: end.keeps_output() };
    written.put_in_place(&io.run, &pending, &console)?;
    if !io.run.quiet && !matches!(end, End::StdoutClosed) {
        say_summary(&console, &validation, bytes_in, started);
    }
    match end {
        End::Failed(failure) => Err(failure),
        End::StdoutClosed => Ok(Exit::Done),
        End::Whole | End::Stopped => {
            let found = tally.errors > 0 || (arguments.deny_warnings && tally.warnings > 0);
            Ok(if found { Exit::Findings } else { Exit::Done })
        }
    }
}

/// The places that a command without device output writes to.
pub(crate) struct OpenOutputs {
    pub(crate) findings: Sink,
    pub(crate) diagnostics: Option<Sink>,
    pub(crate) report: Option<Sink>,
}

/// Opens them.
pub(crate) fn open_outputs(io: &IoArguments, pending: &Pending) -> Result<OpenOutputs, Failure> {
    let mut diagnostics = places::open_diagnostics(&io.run, pending)?;
    let report = places::open_report(&io.run, pending)?;
    let mut findings = places::open_sink(io.run.output.as_deref(), Access::Ordinary, pending)?;
    outlive_reader([Some(&mut findings), diagnostics.as_mut()].into_iter().flatten());
    Ok(OpenOutputs { findings, diagnostics, report })
}

/// Where findings go.
enum Findings {
    Text { sink: Sink, console: Box<Console>, text: String },
    Json(DiagnosticsFile),
}

impl Findings {
    fn add(&mut self, diagnostic: &Diagnostic) -> Result<(), Error> {
        match self {
            Self::Json(file) => file.add(diagnostic),
            Self::Text { console, text, .. } => {
                if let Some(finding) = console.diagnostic_text(diagnostic) {
                    text.push_str(&finding);
                    text.push('\n');
                }
                Ok(())
            }
        }
    }

    /// Writes what was added.
    fn flush(&mut self) -> Result<(), Error> {
        match self {
            Self::Json(file) => file.flush(),
            Self::Text { text, .. } if text.is_empty() => Ok(()),
            Self::Text { sink, text, .. } => {
                let result = sink.write(text.as_bytes());
                text.clear();
                result
            }
        }
    }

    fn sink(&mut self) -> &mut Sink {
        match self {
            Self::Json(file) => file.sink(),
            Self::Text { sink, .. } => sink,
        }
    }

    /// Says how many were not shown; the sink, to be committed.
    fn finish(mut self, tally: &Tally, end: &End) -> Result<Sink, Error> {
        if let Self::Text { console, text, .. } = &mut self
            && !matches!(end, End::StdoutClosed)
        {
            for line in console.rest(tally) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        if !matches!(end, End::StdoutClosed) {
            self.flush()?;
        }
        match self {
            Self::Json(file) => Ok(file.into_sink()),
            Self::Text { sink, .. } => Ok(sink),
        }
    }
}

/// Takes what comes out of the pieces.
struct Run<'a> {
    validation: Validation<'a>,
    findings: Findings,
    diagnostics: Option<DiagnosticsFile>,
    console: Console,
    progress: Progress,
    bytes_in: u64,
}

impl Drain<CheckedBatch> for Run<'_> {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, from: usize, batch: &CheckedBatch) -> Result<Flow, Error> {
        let found = self.validation.take(batch);
        if !found.is_empty() {
            for diagnostic in &found {
                self.note(diagnostic)?;
            }
            let findings = &mut self.findings;
            let mut result = Ok(());
            self.progress.suspend(|| result = findings.flush());
            result?;
        }
        if from == 0 {
            self.bytes_in += piece.bytes.len() as u64;
            self.progress.advance(piece.bytes.len() as u64, &self.console);
        }
        Ok(Flow::Continue)
    }
}

impl Run<'_> {
    fn note(&mut self, diagnostic: &Diagnostic) -> Result<(), Error> {
        self.findings.add(diagnostic)?;
        self.diagnostics.as_mut().map_or(Ok(()), |file| file.add(diagnostic))
    }

    /// What takes all lines to see.
    fn look_at_the_whole(&mut self, threads: usize, input: &Input) -> Result<(), Error> {
        let Self { validation, findings, diagnostics, .. } = self;
        let mut result = Ok(());
        validation.finish(threads, &|one, other| input.lines_are_equal(one, other), |diagnostic| {
            if result.is_ok() {
                result = findings.add(&diagnostic);
            }
            if let (Ok(()), Some(file)) = (&result, diagnostics.as_mut()) {
                result = file.add(&diagnostic);
            }
        });
        result.and_then(|()| findings.flush())
    }
}

/// How many there are of each code, errors first, and one line about the whole.
fn say_summary(console: &Console, validation: &Validation<'_>, bytes_in: u64, started: Instant) {
    let tally = validation.tally();
    for severity in [Severity::Error, Severity::Warning] {
        for (code, count) in tally.codes().filter(|(code, _)| !validation.allows(*code)) {
            let errors = tally.errors_of(code);
            let count = if severity == Severity::Error { errors } else { count - errors };
            if count > 0 {
                let padding = " ".repeat(8 - severity.as_str().len());
                let word = console.severity_word(severity);
                console.say(&format!("{word}{padding}{:<24}{:>14}", code.as_str(), human::count(count)));
            }
        }
    }
    let allowed: Vec<String> = tally
        .codes()
        .filter(|(code, _)| validation.allows(*code))
        .map(|(code, count)| format!("{} {}", human::count(count), code.as_str()))
        .collect();
    if !allowed.is_empty() {
        console.say(&format!("allowed: {}", allowed.join(", ")));
    }
    let seconds = started.elapsed().as_secs_f64();
    let mut parts = vec![format!("{} good", human::count(tally.written))];
    for (count, word) in [
        (tally.rejected, "with errors"),
        (tally.filtered, "filtered"),
        (tally.notices, "notice"),
        (tally.blank, "blank"),
    ] {
        if count > 0 {
            parts.push(format!("{} {word}", human::count(count)));
        }
    }
    console.say(&format!(
        "{}, {} in {seconds:.2} s ({}): {}; {}, {}",
        human::counted(tally.lines, "line"),
        human::bytes(bytes_in),
        human::rate(bytes_in, seconds),
        parts.join(", "),
        human::counted(tally.errors, "error"),
        human::counted(tally.warnings, "warning")
    ));
}
