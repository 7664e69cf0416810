//! `hubmill retry`: reads the log of an import, writes the lines that another try can mend, and says why each failed.

use std::io::{self, IsTerminal as _};
use std::time::Instant;

use hubmill_device::{Code, Printable};
use hubmill_mend::{Cause, Failures, ReadLog, Retry, RetryBatch, Selection};
use hubmill_pipeline::{Diagnostic, Drain, Flow, Piece, Tally, run as run_pipeline};
use hubmill_writer::{Access, Error, Gather, Pending, Sink, outlive_reader};
use serde_json::{Map, Value, json};

use crate::console::Console;
use crate::diagnostics::DiagnosticsFile;
use crate::end::{End, Written, end_of};
use crate::exit::{Exit, Failure};
use crate::flags::RetryArguments;
use crate::human;
use crate::log;
use crate::places;
use crate::report::{Course, Report};
use crate::said::{Said, about_the_whole};
use crate::transform::{limits, open_input, options};
use crate::validate::open_outputs;
use crate::{signals, simd};

/// Causes that people are shown.
const CAUSES_SHOWN_MAX: usize = 20;
/// Runs the command.
pub(crate) fn run(arguments: &RetryArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let level = simd::level()?;
    let io = &arguments.io;
    places::check_standard_input(&[("--errors", Some(&arguments.errors)), ("the import file", io.input.as_deref())])?;
    let log = places::open(&arguments.errors, io)?;
    let input = open_input(io)?;
    let individually = arguments.individually.as_deref();
    places::check(&[("--errors", &log), ("the import file", &input)], io, &[("--individually", individually)])?;
    let pending = Pending::default();
    signals::watch(&pending)?;
    let mut outputs = open_outputs(io, &pending)?;
    let mut left_out = individually.map(|path| places::open_sink(Some(path), Access::Private, &pending)).transpose()?;
    outlive_reader(
        [Some(&mut outputs.findings), left_out.as_mut(), outputs.diagnostics.as_mut()].into_iter().flatten(),
    );

    let line_limits = limits(io);
    let on_terminal = outputs.findings.is_stdout() && io::stdout().is_terminal();
    let total = input.bytes().zip(log.bytes()).map(|(input, log)| input + log);
    let mut said = Said {
        diagnostics: outputs.diagnostics.map(DiagnosticsFile::new),
        console: io.run.console(),
        progress: io.run.progress(on_terminal, total),
    };
    let read = ReadLog::new(log::limits(line_limits), level);
    let mut log_tally = Tally::default();
    let (failures, mut end) = log::read(&log, io, &read, &mut log_tally, &mut said);

    let selection = Selection { codes: arguments.code.clone(), all: arguments.all, individually: left_out.is_some() };
    let all = said.diagnostics.is_some();
    let retry = Retry::new(&read, &failures, &selection, line_limits, level).with_all_diagnostics(all);
    let options = options(io, &input);
    let mut drain = RetryDrain {
        output: outputs.findings,
        left_out,
        said,
        tally: Tally::default(),
        left_out_count: 0,
        failed_count: 0,
        bytes_in: 0,
    };
    if let End::Whole = end {
        end = end_of(run_pipeline(&input, options, &retry, &mut drain));
    }
    drain.said.progress.finish();
    log::add_findings(&mut drain.tally, &log_tally);
    if let End::Whole = end {
        drain.look_at_the_whole(&failures).map_err(Failure::storage)?;
        end = end.or_stdout_closed(drain.output.is_gone() || drain.left_out.as_ref().is_some_and(Sink::is_gone));
    }

    let course = Course {
        complete: matches!(end, End::Whole),
        bytes_in: drain.bytes_in,
        bytes_out: drain.output.bytes(),
        started,
        threads: options.threads,
        source: input.source(),
        chunk_bytes: options.cut.chunk_bytes,
        simd: level.name(),
    };
    let mut report = Report::new("retry", &drain.tally, course);
    report.more = more(&failures, &retry, &drain);
    let report = report.text();

    let RetryDrain { output, left_out, said, tally, left_out_count, failed_count, bytes_in } = drain;
    let Said { diagnostics, console, .. } = said;
    let written = Written {
        findings: diagnostics.map(DiagnosticsFile::finish).transpose().map_err(Failure::storage)?,
        report: (&report, outputs.report),
        output: left_out.into_iter().chain([output]),
        keeps_output: end.keeps_output(),
    };
    written.put_in_place(&io.run, &pending, &console)?;
    match end {
        End::Failed(failure) => Err(failure),
        End::StdoutClosed => Ok(Exit::Done),
        End::Whole | End::Stopped => {
            console.say_rest(&tally);
            if !io.run.quiet {
                say_causes(&console, &failures, &retry);
                let seconds = started.elapsed().as_secs_f64();
                let mut parts = vec![
                    format!("{} failed", human::count(failed_count)),
                    format!("{} written", human::count(tally.written)),
                ];
                if left_out_count > 0 {
                    let saved = if individually.is_some() { "" } else { " and not saved (--individually)" };
                    parts.push(format!("{} left out{saved}", human::count(left_out_count)));
                }
                console.say(&format!(
                    "{}, {} in {seconds:.2} s: {}",
                    human::counted(tally.lines, "line"),
                    human::bytes(bytes_in),
                    parts.join(", ")
                ));
            }
            Ok(if tally.errors > 0 { Exit::Findings } else { Exit::Done })
        }
    }
}

/// Takes the lines of the import.
struct RetryDrain {
    output: Sink,
    left_out: Option<Sink>,
    said: Said,
    tally: Tally,
    left_out_count: u64,
    failed_count: u64,
    bytes_in: u64,
}

impl Drain<RetryBatch> for RetryDrain {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, from: usize, batch: &RetryBatch) -> Result<Flow, Error> {
        for diagnostic in &batch.diagnostics {
            if self.said.diagnostics.is_some() || self.said.console.shows(diagnostic) {
                self.said.note(&Diagnostic { line: self.tally.lines + diagnostic.line, ..diagnostic.clone() })?;
            }
        }
        if let Some(left_out) = &mut self.left_out {
            write(left_out, &batch.left_out, piece.bytes)?;
        }
        write(&mut self.output, &batch.output, piece.bytes)?;
        self.tally.add(&batch.tally);
        self.left_out_count += batch.left_out_count;
        self.failed_count += batch.failed_count;
        if from == 0 {
            self.bytes_in += piece.bytes.len() as u64;
            self.said.progress.advance(piece.bytes.len() as u64, &self.said.console);
        }
        Ok(Flow::Continue)
    }
}

fn write(sink: &mut Sink, gather: &Gather, bytes: &[u8]) -> Result<(), Error> {
    gather.pieces(bytes).try_for_each(|piece| sink.write(piece))
}

impl RetryDrain {
    /// What takes all lines to see.
    fn look_at_the_whole(&mut self, failures: &Failures) -> Result<(), Error> {
        for diagnostic in log::unmatched(failures) {
            self.note(&diagnostic)?;
        }
        for cause in failures.causes().into_iter().filter(|cause| cause.code.known().is_none()) {
            let message = format!(
                "the error code {} is in no list (§5.6): what it means, and whether another import helps, is not known",
                cause.code.text()
            );
            self.note(&about_the_whole(Code::LogCodeUnknown, message, None))?;
        }
        if self.tally.written == 0 {
            let why = if failures.log_lines() == failures.blank_lines() {
                "the log is empty: no line of the import failed (§5.5), and there is nothing to try again"
            } else {
                "no line was written; an import of an empty file was seen to be refused (§5.4)"
            };
            self.note(&about_the_whole(Code::EmptyOutput, why.to_owned(), None))?;
        }
        Ok(())
    }

    fn note(&mut self, diagnostic: &Diagnostic) -> Result<(), Error> {
        self.tally.count_finding(diagnostic.code, diagnostic.severity);
        self.said.note(diagnostic)
    }
}

/// What becomes of the lines of a cause.
fn choice_of(retry: &Retry<'_>, cause: &Cause) -> &'static str {
    match retry.writes(&cause.code) {
        Some(true) => "written",
        Some(false) => "left out",
        None => "not selected",
    }
}

/// What only this command has to say in its report.
fn more(failures: &Failures, retry: &Retry<'_>, drain: &RetryDrain) -> Map<String, Value> {
    let causes: Vec<Value> = failures
        .causes()
        .into_iter()
        .map(|cause| {
            json!({
                "code": cause.code.number(),
                "name": cause.code.known().map_or_else(|| cause.code.text(), |error| error.name.to_owned()),
                "log_lines": cause.log_lines,
                "entries": cause.entries,
                "lines": cause.lines(),
                "remedy": cause.code.known().map(|error| error.remedy.as_str()),
                "choice": choice_of(retry, cause),
            })
        })
        .collect();
    let (entries, lines, modules) = failures.widened();
    let log = json!({
        "lines": failures.log_lines(),
        "entries": failures.entries(),
        "unreadable": failures.faults(),
        "causes": causes,
        "without_module_id": {"entries": entries, "lines": lines, "modules": modules},
    });
    let counts = [("failed", drain.failed_count), ("left_out", drain.left_out_count)];
    let counts = counts.into_iter().map(|(name, count)| (name.to_owned(), count.into()));
    counts.chain([("log".to_owned(), log)]).collect()
}

/// The causes with their counts and what to do about each.
fn say_causes(console: &Console, failures: &Failures, retry: &Retry<'_>) {
    if failures.log_lines() == failures.blank_lines() {
        return;
    }
    console.say(&format!(
        "the log: {}, {} different",
        human::counted(failures.log_lines(), "line"),
        human::count(failures.entries())
    ));
    let causes = failures.causes();
    for cause in causes.iter().take(CAUSES_SHOWN_MAX) {
        let code = Printable(&cause.code.text()).to_string();
        let choice = if cause.lines() > 0 { format!(", {}", choice_of(retry, cause)) } else { String::new() };
        console.say(&format!("{code}: {}{choice}", human::counted(cause.lines(), "line")));
        let advice = cause
            .code
            .known()
            .map_or("an unknown code: look at what the hub holds of these devices", |error| error.advice);
        console.say(&format!("  {advice}"));
    }
    if causes.len() > CAUSES_SHOWN_MAX {
        console.say(&format!("… and {} more codes", human::count((causes.len() - CAUSES_SHOWN_MAX) as u64)));
    }
    let (entries, lines, modules) = failures.widened();
    if entries > 0 {
        console.say(&format!(
            "the log has no module ids here: {} for all {} of their devices, {} of them modules', failed or not (§5.5)",
            if entries == 1 { "1 entry stands".to_owned() } else { format!("{} entries stand", human::count(entries)) },
            human::counted(lines, "line"),
            human::count(modules)
        ));
    }
}
