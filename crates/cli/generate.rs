//! `hubmill generate`: checks what is to be made, makes it, and brings everything to its end.

use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Instant;

use hubmill_generate::{Check, Checked, Csv, Devices, Error as CsvError, Findings, Make, PIECE_BYTES, Plan};
use hubmill_pipeline::{Error as RunError, Tally, run_from};
use hubmill_writer::{Pending, Sink};

use crate::console::Console;
use crate::destination::{Destination, Paths};
use crate::diagnostics::DiagnosticsFile;
use crate::end::{End, Written};
use crate::exit::{Exit, Failure};
use crate::generate_flags::GenerateArguments;
use crate::generate_outputs::{Outputs, WriteError};
use crate::human;
use crate::report::{Course, Report};
use crate::run_flags::When;
use crate::{places, signals, simd};

/// Runs the command.
pub(crate) fn run(arguments: &GenerateArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let level = simd::level()?;
    let csv = arguments.from_csv.as_deref().map(open_csv).transpose()?;
    check_paths(arguments, csv.as_ref())?;
    let console = arguments.run.console();
    let plan = match Plan::new(arguments.request(), csv).map_err(unreadable)? {
        Ok(plan) => plan,
        Err(problem) => {
            let failure = Failure::usage(&problem.message);
            console.say_failure(&failure);
            problem.hint.iter().for_each(|hint| console.say_hint(hint));
            return Ok(failure.exit);
        }
    };
    let pending = Pending::default();
    signals::watch(&pending)?;
    let mut outputs = Outputs::open(arguments, &plan, console, &pending)?;
    let report_sink = places::open_report(&arguments.run, &pending)?;
    let devices = Devices::new(&plan);
    let asked = arguments.run.threads();
    let pieces = devices.pieces().map_or(usize::MAX, |pieces| usize::try_from(pieces).unwrap_or(usize::MAX));
    let threads = asked.min(pieces).max(1);
    let finish = Finish { arguments, plan: &plan, report_sink, threads, simd: level.name(), started, pending };

    let check = Check::new(&plan, level, outputs.told.diagnostics.is_some());
    let at_once = outputs.can_be_given_up;
    let checked = match plan.csv() {
        None => outputs.check_alike(&check),
        Some(_) => {
            outputs.findings = Some(Findings::new(&check));
            if let Err(error) = run_from(&devices, threads, &Make::checked(&check, at_once), &mut outputs) {
                return finish.run(outputs, Tally::default(), failed(error, arguments));
            }
            outputs.finish_findings(threads)
        }
    };
    let Checked { tally, devices: count } = match checked {
        Ok(checked) => checked,
        Err(error) => return finish.run(outputs, Tally::default(), End::Failed(Failure::storage(error))),
    };
    // A row that is wrong may have others in it.
    if let Some(fewer) = plan.count().filter(|asked| tally.errors == 0 && *asked > count) {
        let found = human::counted(count, "row");
        let failure = Failure::usage(format!("--count {fewer}: {} has {found}", csv_name(arguments)));
        return finish.run(outputs, tally, End::Failed(failure));
    }
    if tally.errors > 0 || count == 0 {
        return finish.run(outputs, tally, End::Stopped);
    }
    let is_made = plan.csv().is_some() && at_once;
    if !is_made && let Err(error) = run_from(&devices, threads, &Make::new(&plan), &mut outputs) {
        return finish.run(outputs, tally, failed(error, arguments));
    }
    let end = if outputs.made == count { End::Whole } else { changed(arguments) };
    finish.run(outputs, tally, end)
}

/// How a run ended that could not go on.
fn failed(error: RunError<WriteError, CsvError>, arguments: &GenerateArguments) -> End {
    match error {
        RunError::Drain(WriteError::Write(error)) => error.into(),
        RunError::Drain(WriteError::Changed) => changed(arguments),
        RunError::Read(error) => End::Failed(unreadable(error)),
        error => End::Failed(Failure::storage(anyhow::anyhow!("{error:?}"))),
    }
}

/// A list that can't be read: what it says is wrong, or its storage failed.
fn unreadable(error: CsvError) -> Failure {
    if error.is_about_text() { Failure::usage(error) } else { Failure::storage(error) }
}

fn changed(arguments: &GenerateArguments) -> End {
    End::Failed(Failure::storage(anyhow::anyhow!("{} changed while it was read", csv_name(arguments))))
}

fn csv_name(arguments: &GenerateArguments) -> String {
    match arguments.from_csv.as_deref().map(Destination::from_flag) {
        Some(Destination::Path(path)) => path.display().to_string(),
        _ => "standard input".to_owned(),
    }
}

fn open_csv(path: &Path) -> Result<Csv, Failure> {
    let csv = match Destination::from_flag(path) {
        Destination::Path(path) => Csv::open(&path),
        Destination::Standard if io::stdin().is_terminal() => {
            return Err(Failure::usage("--from-csv -: standard input is a terminal; name a file, or pipe one in"));
        }
        Destination::Standard => {
            let descriptor = io::stdin().as_fd().try_clone_to_owned().map_err(Failure::storage)?;
            Csv::new(File::from(descriptor), "standard input".to_owned())
        }
    };
    csv.map_err(Failure::storage)
}

/// Refuses two paths that are one file.
fn check_paths(arguments: &GenerateArguments, csv: Option<&Csv>) -> Result<(), Failure> {
    let mut paths = Paths::default();
    if let Some(csv) = csv {
        paths.add_file("--from-csv", csv.file())?;
    }
    let output = arguments.run.output();
    let keys = arguments.keys_out.as_deref();
    if keys == Some(Path::new("-")) && Destination::from_flag(output) == Destination::Standard {
        return Err(Failure::usage(
            "--output and --keys-out can't both be standard output; name a file for one of them",
        ));
    }
    for (name, path) in [
        ("--output", Some(output)),
        ("--keys-out", keys),
        ("--diagnostics", arguments.run.diagnostics.as_deref()),
        ("--report", arguments.run.report.as_deref()),
    ] {
        match path.map(Destination::from_flag) {
            Some(Destination::Path(path)) => paths.add(name, &path)?,
            Some(Destination::Standard) if matches!(name, "--output" | "--keys-out") => paths.add_stdout()?,
            _ => {}
        }
    }
    Ok(())
}

/// What is left to do at the end.
struct Finish<'a> {
    arguments: &'a GenerateArguments,
    plan: &'a Plan,
    report_sink: Option<Sink>,
    threads: usize,
    simd: &'static str,
    started: Instant,
    pending: Pending,
}

impl Finish<'_> {
    fn run(mut self, mut outputs: Outputs<'_>, checked: Tally, end: End) -> Result<Exit, Failure> {
        outputs.told.progress.finish();
        let end = end.or_stdout_closed(outputs.reader_is_gone());
        let (made, bytes_out, console) = (outputs.made, outputs.output.bytes(), outputs.told.console);
        let report = self.report(&checked, made, bytes_out, &end);
        let findings = outputs.told.diagnostics.map(DiagnosticsFile::finish).transpose().map_err(Failure::storage)?;
        let written = Written {
            findings,
            report: (&report, self.report_sink.take()),
            output: [outputs.keys, Some(outputs.output)].into_iter().flatten(),
            keeps_output: end.keeps_output(),
        };
        written.put_in_place(&self.arguments.run, &self.pending, &console)?;
        // Without a CSV file a finding is about every device, and was said once for all.
        if self.plan.csv().is_some() {
            console.say_rest(&checked);
        }
        match end {
            End::Failed(failure) => Err(failure),
            End::Stopped if checked.lines == 0 => {
                let name = csv_name(self.arguments);
                Err(Failure::usage(format!("{name} has no row beside the header; nothing was made")))
            }
            End::Stopped => {
                let errors = human::counted(checked.errors, "error");
                let place = match self.plan.csv() {
                    Some(_) => csv_name(self.arguments),
                    None => human::counted(checked.lines, "device"),
                };
                Err(Failure::usage(format!("{errors} in {place}; nothing was made")))
            }
            End::StdoutClosed => Ok(Exit::Done),
            End::Whole => {
                self.say_summary(&console, made, bytes_out);
                Ok(Exit::Done)
            }
        }
    }

    fn report(&self, checked: &Tally, made: u64, bytes_out: u64, end: &End) -> Vec<u8> {
        let mut tally = checked.clone();
        // Where a row can't be used, none is: all of them are left out.
        (tally.lines, tally.written, tally.rejected, tally.blank) = match end {
            End::Stopped => (checked.lines, 0, checked.lines, 0),
            _ => (made, made, 0, 0),
        };
        let course = Course {
            complete: matches!(end, End::Whole),
            bytes_in: self.plan.csv().map_or(0, Csv::bytes),
            bytes_out,
            started: self.started,
            threads: self.threads,
            source: if self.plan.csv().is_some() { "csv" } else { "count" },
            chunk_bytes: PIECE_BYTES,
            simd: self.simd,
        };
        Report::new("generate", &tally, course).text()
    }

    /// `1,000,000 devices, 250.0 MB in 0.21 s (1.19 GB/s)`, on a terminal.
    fn say_summary(&self, console: &Console, made: u64, bytes: u64) {
        let shows = io::stderr().is_terminal() || self.arguments.run.progress == When::Always;
        if self.arguments.run.quiet || !shows {
            return;
        }
        let seconds = self.started.elapsed().as_secs_f64();
        console.say(&format!(
            "{}, {} in {seconds:.2} s ({})",
            human::counted(made, "device"),
            human::bytes(bytes),
            human::rate(bytes, seconds)
        ));
    }
}
