//! `hubmill transform`: opens what is named, runs, and brings everything to its end.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::Instant;

use hubmill_device::{Code, Printable, Severity, TextKind, redacted};
use hubmill_parser::Limits;
use hubmill_pipeline::{Diagnostic, OnInvalid, Options, Tally, Transform, run as run_pipeline};
use hubmill_reader::{Cut, Input};
use hubmill_rules::{Check, Checker, Policy, Rules};
use hubmill_writer::{Access, Pending, Sink, outlive_reader};

use crate::console::Console;
use crate::destination::{Destination, Paths};
use crate::diagnostics::DiagnosticsFile;
use crate::drain::Outputs;
use crate::dry_run::{SAMPLES_MAX, Samples};
use crate::end::{End, Written, end_of};
use crate::exit::{Exit, Failure};
use crate::flags::{InvalidChoice, IoArguments, TransformArguments};
use crate::human;
use crate::report::{Course, Report};
use crate::run_flags::When;
use crate::{places, signals, simd};

/// Runs the command.
pub(crate) fn run(mut arguments: TransformArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let level = simd::level()?;
    arguments.rules.add_file()?;
    let rule_set = arguments.rules.rule_set(usize::from(arguments.io.max_depth))?;
    check_dry_run(&arguments)?;
    let doubtful = rule_set.deep.doubtful_names();
    let checker = match rule_set.check {
        Check::Full => Some(Checker::new(Check::Full, Policy::new(&rule_set.allow, &[]).map_err(Failure::usage)?)),
        Check::Id | Check::None => None,
    };
    let rules = Rules::new(rule_set).map_err(Failure::usage)?;
    let input = open_input(&arguments.io)?;
    check_paths(&arguments, &input)?;
    let pending = Pending::default();
    signals::watch(&pending)?;
    say_doubtful(&arguments.io, &doubtful);

    let invalid_max = if arguments.invalid.strict { 0 } else { arguments.invalid.max_rejects.unwrap_or(u64::MAX) };
    let mut outputs = open_outputs(&arguments, &input, rules.makes_keys(), invalid_max, &pending)?;
    let report_sink = places::open_report(&arguments.io.run, &pending)?;
    let work = Transform {
        rules,
        limits: limits(&arguments.io),
        level,
        on_invalid: match arguments.invalid.on_invalid {
            InvalidChoice::Reject => OnInvalid::Reject,
            InvalidChoice::Keep => OnInvalid::Keep,
        },
        collect_rejects: outputs.rejects.is_some(),
        collect_filtered: outputs.filtered.is_some(),
        collect_keys: outputs.keys.is_some(),
        all_diagnostics: outputs.diagnostics.is_some(),
        invalid_max,
        checker,
        samples_max: if arguments.rules.dry_run { SAMPLES_MAX } else { 0 },
    };
    let mut options = options(&arguments.io, &input);
    let between_pipes = input.is_pipe() && outputs.output.is_pipe();
    if arguments.io.run.threads.is_none() && between_pipes && work.is_light() {
        options.threads = leaving_one(options.threads);
    }
    let end = end_of(run_pipeline(&input, options, &work, &mut outputs)).or_stdout_closed(outputs.reader_is_gone());
    outputs.progress.finish();
    let finish = Finish {
        arguments: &arguments,
        rules: &work.rules,
        doubtful: doubtful.len() as u64,
        report_sink,
        threads: options.threads,
        source: input.source(),
        simd: level.name(),
        chunk_bytes: options.cut.chunk_bytes,
        started,
        pending,
    };
    finish.run(outputs, end)
}

/// Says which members the hub does not know that are set.
fn say_doubtful(io: &IoArguments, doubtful: &[(String, Option<&'static str>)]) {
    let console = io.run.console();
    for (flag, meant) in doubtful {
        let meant = meant.map_or(String::new(), |meant| format!("; {meant} was probably meant"));
        console.say_warning(&format!(
            "{}: the hub does not know this member and passes over it (§1.5){meant}",
            Printable(flag)
        ));
    }
}

/// Nothing is written in a dry run: what would be is refused where it says how the run went, and left out where it is lines.
fn check_dry_run(arguments: &TransformArguments) -> Result<(), Failure> {
    let io = &arguments.io;
    for (flag, path) in [("--report", &io.run.report), ("--diagnostics", &io.run.diagnostics)] {
        if arguments.rules.dry_run && path.as_deref().is_some_and(|path| path.as_os_str() != "-") {
            return Err(Failure::usage(format!("--dry-run can't be combined with {flag} PATH: it writes nothing"))
                .hint(Some(format!("{flag} - shows it on stderr"))));
        }
    }
    Ok(())
}

/// What a line may be.
pub(crate) fn limits(io: &IoArguments) -> Limits {
    Limits { line_bytes_max: io.max_line_bytes as usize, depth_max: usize::from(io.max_depth) }
}

/// A chunk of a stream, in bytes: small enough that what has come through a pipe is still in a cache, and that whoever is at its
/// ends waits little.
const STREAM_CHUNK_BYTES: usize = 256 << 10;

/// How a run is laid out.
pub(crate) fn options(io: &IoArguments, input: &Input) -> Options {
    let chunk_bytes = if input.bytes().is_some() { Cut::default().chunk_bytes } else { STREAM_CHUNK_BYTES };
    let cut = Cut { line_bytes_max: io.max_line_bytes as usize, chunk_bytes, ..Cut::default() };
    let asked = io.run.threads();
    let threads = asked.min(input.bytes().map_or(usize::MAX, |bytes| chunk_count(bytes, cut, asked)));
    Options { threads, cut, once: true }
}

/// One worker fewer. Between two pipes, where lines take no longer to be changed than to be read and written, the programs at their
/// ends have more of that CPU than another worker has.
fn leaving_one(threads: usize) -> usize {
    (threads - 1).max(1)
}

/// How many chunks so many bytes make, at least one and at most `most`. With a worker for each, one more would only cost
/// its start.
fn chunk_count(bytes: u64, cut: Cut, most: usize) -> usize {
    let (mut rest, mut chunk_bytes, mut count) = (bytes, cut.first_chunk_bytes, 1);
    while rest > chunk_bytes as u64 && count < most {
        rest -= chunk_bytes as u64;
        chunk_bytes = (2 * chunk_bytes).min(cut.chunk_bytes);
        count += 1;
    }
    count
}

/// Opens the input that is named, or standard input.
pub(crate) fn open_input(io: &IoArguments) -> Result<Input, Failure> {
    let choice = io.mmap.into();
    let input = match io.input.as_deref() {
        Some(path) if path.as_os_str() != "-" => Input::open(path, choice),
        named => {
            if named.is_none() && io::stdin().is_terminal() {
                return Err(Failure::usage(
                    "no input: name a file, or pipe one in (`-` reads from the terminal); see --help",
                ));
            }
            Input::stdin(choice)
        }
    };
    input.map_err(Failure::storage)
}

/// Refuses two paths that are one file.
fn check_paths(arguments: &TransformArguments, input: &Input) -> Result<(), Failure> {
    let mut paths = Paths::default();
    paths.add_file("the input", input.file())?;
    let (io, rules, invalid) = (&arguments.io, &arguments.rules, &arguments.invalid);
    for path in rules.merge_twin.iter().filter_map(|merge| merge.strip_prefix('@')) {
        paths.add("--merge-twin", Path::new(path))?;
    }
    let mut standard = Vec::new();
    let output = io.run.output();
    for (name, path) in [
        ("--ids", rules.ids.as_deref()),
        ("--ids-not", rules.ids_not.as_deref()),
        ("--scope-map", rules.scope_map.as_deref()),
        ("--rules", rules.rules.as_deref()),
        ("--output", Some(output)),
        ("--rejects", invalid.rejects.as_deref()),
        ("--filtered", rules.filtered.as_deref()),
        ("--keys-out", rules.keys_out.as_deref()),
        ("--diagnostics", io.run.diagnostics.as_deref()),
        ("--report", io.run.report.as_deref()),
    ] {
        let Some(path) = path else { continue };
        let to_stderr = matches!(name, "--diagnostics" | "--report");
        match Destination::from_flag(path) {
            Destination::Path(path) => paths.add(name, &path)?,
            Destination::Standard if to_stderr => {}
            Destination::Standard => {
                if let Some(other) = standard.first() {
                    return Err(Failure::usage(format!(
                        "{other} and {name} can't both be standard output; name a file for one of them"
                    )));
                }
                standard.push(name);
                paths.add_stdout()?;
            }
        }
    }
    Ok(())
}

/// Opens a file to be written.
pub(crate) fn create(path: &Path, access: Access, pending: &Pending) -> Result<Sink, Failure> {
    Sink::create(path, access, pending).map_err(Failure::storage)
}

fn open_outputs(
    arguments: &TransformArguments,
    input: &Input,
    makes_keys: bool,
    invalid_max: u64,
    pending: &Pending,
) -> Result<Outputs, Failure> {
    let dry_run = arguments.rules.dry_run;
    let open = |path: Option<&Path>, access| {
        path.map(|path| match Destination::from_flag(path) {
            _ if dry_run => Ok(Sink::nowhere()),
            Destination::Standard => Sink::stdout().map_err(Failure::storage),
            Destination::Path(path) => create(&path, access, pending),
        })
        .transpose()
    };
    let io = &arguments.io;
    let output_access = if makes_keys { Access::Private } else { Access::Ordinary };
    let rejects = open(arguments.invalid.rejects.as_deref(), Access::Private)?;
    let filtered = open(arguments.rules.filtered.as_deref(), Access::Private)?;
    let keys = open(arguments.rules.keys_out.as_deref(), Access::Private)?;
    let diagnostics = places::open_diagnostics(&io.run, pending)?;
    let output = open(Some(io.run.output()), output_access)?.expect("there is always a path");
    let samples = dry_run.then(Sink::stdout).transpose().map_err(Failure::storage)?.map(Samples::new);
    let data_on_terminal = (output.is_stdout() || dry_run) && io::stdout().is_terminal();
    let mut outputs = Outputs {
        output,
        rejects,
        filtered,
        keys,
        diagnostics: diagnostics.map(DiagnosticsFile::new),
        samples,
        console: io.run.console(),
        progress: io.run.progress(data_on_terminal, input.bytes()),
        tally: Tally::default(),
        bytes_in: 0,
        invalid_max,
    };
    outlive_reader(outputs.sinks());
    Ok(outputs)
}

/// What is left to do when all lines have gone through.
struct Finish<'a> {
    arguments: &'a TransformArguments,
    rules: &'a Rules,
    /// Warnings about flags.
    doubtful: u64,
    report_sink: Option<Sink>,
    threads: usize,
    source: &'static str,
    simd: &'static str,
    chunk_bytes: usize,
    started: Instant,
    pending: Pending,
}

/// Lines that leave and would give existing devices new keys: those that a check refuses don't.
fn rotated(tally: &Tally) -> u64 {
    tally.of(Code::KeysRotate) - tally.errors_of(Code::KeysRotate)
}

/// How many ids are named that were not found.
const IDS_SHOWN_MAX: usize = 5;

impl Finish<'_> {
    fn run(mut self, mut outputs: Outputs, end: End) -> Result<Exit, Failure> {
        if let End::Whole = end {
            self.look_at_the_whole(&mut outputs).map_err(Failure::storage)?;
        }
        // That existing devices would get new keys is said as a warning, once for all lines.
        let warnings = outputs.tally.warnings + rotated(&outputs.tally) + self.doubtful;
        let exit = match &end {
            End::Failed(failure) => failure.exit,
            End::Stopped => Exit::Stopped,
            End::StdoutClosed => Exit::Done,
            End::Whole if outputs.tally.invalid() > 0 => Exit::Findings,
            End::Whole if self.arguments.invalid.deny_warnings && warnings > 0 => Exit::Findings,
            End::Whole => Exit::Done,
        };
        let whole = matches!(end, End::Whole);
        let (tally, console, bytes_in) = (outputs.tally.clone(), outputs.console, outputs.bytes_in);
        let report = self.report(&tally, bytes_in, outputs.output.bytes(), whole);

        let findings = outputs.diagnostics.map(DiagnosticsFile::finish).transpose().map_err(Failure::storage)?;
        let written = Written {
            findings,
            report: (&report, self.report_sink.take()),
            output: [outputs.rejects, outputs.filtered, outputs.keys, Some(outputs.output)].into_iter().flatten(),
            keeps_output: end.keeps_output(),
        };
        written.put_in_place(&self.arguments.io.run, &self.pending, &console)?;
        if !matches!(end, End::StdoutClosed) {
            self.say_summary(&console, &tally, bytes_in, &end);
        }
        match end {
            End::Failed(failure) => Err(failure),
            End::Whole | End::Stopped | End::StdoutClosed => Ok(exit),
        }
    }

    /// Findings that are about the input as a whole.
    fn look_at_the_whole(&self, outputs: &mut Outputs) -> Result<(), hubmill_writer::Error> {
        let mut warnings = Vec::new();
        for (flag, list) in self.rules.id_lists() {
            let missing = list.not_met();
            if missing.is_empty() {
                continue;
            }
            let names: Vec<String> = missing
                .iter()
                .take(IDS_SHOWN_MAX)
                .map(|id| redacted(&String::from_utf8_lossy(id), TextKind::Name))
                .collect();
            let more = if missing.len() > IDS_SHOWN_MAX { ", …" } else { "" };
            let count = human::count(missing.len() as u64);
            let message = format!(
                "{count} of the {} ids of {flag} are in no line: {}{more}",
                human::count(list.len() as u64),
                names.join(", ")
            );
            warnings.push((Code::IdsNotFound, message));
        }
        if outputs.tally.written == 0 {
            let message = "no line was written; an import of an empty file was seen to be refused (§5.4)".to_owned();
            warnings.push((Code::EmptyOutput, message));
        }
        for (code, message) in warnings {
            outputs.tally.count_finding(code, Severity::Warning);
            let diagnostic = Diagnostic::of_the_whole(code, Severity::Warning, message);
            outputs.console.say_diagnostic(&diagnostic);
            outputs.note_in_file(&diagnostic)?;
        }
        Ok(())
    }

    fn report(&self, tally: &Tally, bytes_in: u64, bytes_out: u64, complete: bool) -> Vec<u8> {
        let course = Course {
            complete,
            bytes_in,
            bytes_out,
            started: self.started,
            threads: self.threads,
            source: self.source,
            chunk_bytes: self.chunk_bytes,
            simd: self.simd,
        };
        Report::new("transform", tally, course).text()
    }

    /// What people should know at the end: on a terminal always, elsewhere where something is not as usual.
    fn say_summary(&self, console: &Console, tally: &Tally, bytes_in: u64, end: &End) {
        console.say_rest(tally);
        let quiet = self.arguments.io.run.quiet;
        let rotated = rotated(tally);
        // What ends in an exit code is never silent.
        if rotated > 0 && (!quiet || self.arguments.invalid.deny_warnings) {
            let would =
                if rotated == 1 { "line would give an existing device" } else { "lines would give existing devices" };
            console.say_warning(&format!("{} {would} new keys", human::count(rotated)));
        }
        if quiet {
            return;
        }
        let rolled_back = tally.of(Code::TwinRollback);
        if rolled_back > 0 {
            console.say_hint(&format!(
                "{} would set the twin back to the time of the export; --strip-twin leaves it as it is in the hub",
                human::counted(rolled_back, "changed line")
            ));
        }
        let left: Vec<String> = [
            (Code::LeftX509, "X.509"),
            (Code::LeftCa, "certificate authority"),
            (Code::LeftNone, "type none"),
            (Code::LeftSystemModule, "system modules"),
            (Code::LeftMode, "import mode without keys"),
            (Code::Keyless, "without authentication"),
            (Code::KeysMissing, "without the key that is needed"),
        ]
        .into_iter()
        .filter(|(code, _)| tally.of(*code) > 0)
        .map(|(code, words)| format!("{} {words}", human::count(tally.of(code))))
        .collect();
        // Without a rule for keys it is the check that finds some missing.
        if !left.is_empty() && self.rules.has_key_rule() {
            console.say(&format!("keys left alone: {}", left.join(", ")));
        }
        let unusual = tally.invalid() > 0 || !matches!(end, End::Whole) || self.arguments.rules.dry_run;
        if unusual || io::stderr().is_terminal() || self.arguments.io.run.progress == When::Always {
            console.say(&self.summary(tally, bytes_in, end));
        }
    }

    /// `1,000,000 lines, 334.6 MB in 0.21 s (1.59 GB/s): 999,998 written, 2 rejected`
    fn summary(&self, tally: &Tally, bytes_in: u64, end: &End) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut parts = vec![format!("{} written", human::count(tally.written))];
        for (count, word) in [
            (tally.edited, "edited"),
            (tally.invalid_kept, "of them invalid"),
            (tally.rejected, "rejected"),
            (tally.filtered, "filtered"),
            (tally.notices, "notice"),
            (tally.blank, "blank"),
        ] {
            if count > 0 {
                parts.push(format!("{} {word}", human::count(count)));
            }
        }
        let mut text = format!(
            "{}, {} in {seconds:.2} s ({}): {}",
            human::counted(tally.lines, "line"),
            human::bytes(bytes_in),
            human::rate(bytes_in, seconds),
            parts.join(", ")
        );
        match end {
            End::Stopped => {
                let flag = if self.arguments.invalid.strict { "--strict" } else { "--max-rejects" };
                text.push_str(&format!("; STOPPED by {flag}, no output file was made"));
            }
            End::Failed(_) => text.push_str("; FAILED, no output file was made"),
            End::Whole | End::StdoutClosed => {}
        }
        if self.arguments.rules.dry_run {
            text.push_str("; DRY RUN: nothing was written");
            return text;
        }
        if tally.rejected > 0 && self.arguments.invalid.rejects.is_none() && matches!(end, End::Whole) {
            text.push_str(&format!(
                "; INCOMPLETE: {} left out and not saved (--rejects)",
                human::counted(tally.rejected, "line")
            ));
        }
        text
    }
}
