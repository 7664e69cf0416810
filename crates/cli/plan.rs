//! `hubmill plan`: what an import would do to the hub that an export is a backup of.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::path::Path;
use std::str::FromStr;
use std::time::Instant;

use hubmill_device::{Code, Printable};
use hubmill_pipeline::Tally;
use hubmill_reader::Input;
use hubmill_registry::{Event, How, Outcome, Registry, Summary, Witness, log_line, rehearse};
use hubmill_writer::{Access, Pending, Sink};

use crate::console::Console;
use crate::destination::{Destination, Paths};
use crate::end::{End, Written};
use crate::exit::{Exit, Failure};
use crate::flags::{Format, PlanArguments};
use crate::human;
use crate::plan_text::{self, Plan};
use crate::progress::Progress;
use crate::report::{Course, Report};
use crate::said::{about_the_whole, notice_left_out};
use crate::transform::{create, limits, open_input, options};
use crate::validate::open_outputs;
use crate::{signals, simd};

/// Bytes that are collected before they are written.
const WRITE_BYTES: usize = 64 * 1024;

/// How many devices an import may delete.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MaxDelete {
    /// So many.
    Count(u64),
    /// So many of a hundred in the registry.
    Percent(f64),
}

impl FromStr for MaxDelete {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither a number of devices nor a share like 5%");
        match text.strip_suffix('%') {
            None => text.parse().map(Self::Count).map_err(|_| wrong()),
            Some(percent) => match percent.trim_end().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Percent(percent)),
                _ => Err(wrong()),
            },
        }
    }
}

impl MaxDelete {
    /// Whether so many deletes of a registry of so many devices are more.
    fn is_exceeded(self, deletes: u64, devices: u64) -> bool {
        match self {
            Self::Count(max) => deletes > max,
            Self::Percent(percent) => deletes as f64 * 100.0 > percent * devices as f64,
        }
    }
}

impl std::fmt::Display for MaxDelete {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Count(max) => write!(f, "{max}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &PlanArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let level = simd::level()?;
    let io = &arguments.io;
    if io.run.diagnostics.is_some() {
        return Err(Failure::usage("plan has no --diagnostics: `--details --format json` names every line"));
    }
    let (export, import) = open_inputs(arguments)?;
    check_paths(arguments, &export, &import)?;
    let pending = Pending::default();
    signals::watch(&pending)?;
    let outputs = open_outputs(io, &pending)?;
    let errors = open_private(arguments.errors.as_deref(), &pending)?;
    let result = open_private(arguments.result.as_deref(), &pending)?;

    let import = import.spooled(io.mmap.into()).map_err(Failure::storage)?;
    let total = export.bytes().zip(import.bytes()).map(|(export, import)| export + import);
    let mut progress = io.run.progress(false, total);
    let mut console = io.run.console();
    let how = |input: &Input| How { options: options(io, input), limits: limits(io), level, mmap: io.mmap.into() };
    let export_how = how(&export);
    let registry = Registry::build(export, &export_how, |bytes| progress.advance(bytes, &console));
    let registry = registry.map_err(Failure::storage)?;
    let mut tally = Tally::default();
    say_oddities(&mut console, &registry, &mut tally);
    let how = how(&import);
    let witness = Scribe {
        errors: errors.map(Buffered::new),
        details: arguments.details.then(|| Details::new(arguments.format)).transpose().map_err(Failure::storage)?,
        progress,
        console,
        notice: None,
    };
    let rehearsed = rehearse(&registry, &import, &how, arguments.quota, witness).map_err(Failure::storage);
    let (summary, after, mut scribe) = rehearsed?;
    scribe.progress.finish();
    scribe.say_of_import(&summary);
    let errors = scribe.errors.take().map(Buffered::finish).transpose().map_err(Failure::storage)?;

    let stopped = arguments.max_delete.and_then(|max| too_many_deletes(max, &summary));
    let mut written = None;
    let mut data = Vec::new();
    if let Some(mut sink) = result {
        if stopped.is_none() {
            let write = |bytes: &[u8]| sink.write(bytes).map_err(io::Error::other);
            written = Some(after.write(write).map_err(Failure::storage)?);
        }
        data.push(sink);
    }
    let plan = Plan { summary: &summary, registry: registry.counts(), quota: arguments.quota, written };
    let mut output = outputs.findings;
    let is_closed = match write_plan(&mut output, arguments.format, &plan, scribe.details.take()) {
        Err(End::Failed(failure)) => return Err(failure),
        end => end.is_err(),
    };
    let bytes_out = output.bytes();
    data.push(output);
    let course = Course {
        complete: stopped.is_none(),
        bytes_in: plan.registry.bytes + plan.summary.bytes,
        bytes_out,
        started,
        threads: how.options.threads,
        source: import.source(),
        chunk_bytes: how.options.cut.chunk_bytes,
        simd: level.name(),
    };
    let report = report_text(&plan, tally.clone(), course);
    let report = (report.as_slice(), outputs.report);
    let written = Written { findings: errors, report, output: data, keeps_output: stopped.is_none() };
    written.put_in_place(&io.run, &pending, &scribe.console)?;
    // What was to stop an import is told by the exit code, too.
    if is_closed && stopped.is_none() {
        return Ok(Exit::Done);
    }
    if !io.run.quiet {
        say_summary(&scribe.console, &plan, started);
    }
    match stopped {
        Some(reason) => Err(Failure::new(Exit::Stopped, anyhow::anyhow!(reason))),
        None if summary.failing_lines() > 0 || tally.errors > 0 => Ok(Exit::Findings),
        None => Ok(Exit::Done),
    }
}

/// Opens the export and the import.
fn open_inputs(arguments: &PlanArguments) -> Result<(Input, Input), Failure> {
    let io = &arguments.io;
    let is_stdin = arguments.registry.as_os_str() == "-";
    if is_stdin && io.input.as_deref().is_none_or(|input| input.as_os_str() == "-") {
        return Err(Failure::usage(
            "--registry and the import can't both be standard input; name a file for one of them",
        ));
    }
    let export = if is_stdin { Input::stdin(io.mmap.into()) } else { Input::open(&arguments.registry, io.mmap.into()) };
    Ok((export.map_err(Failure::storage)?, open_input(io)?))
}

/// Refuses two paths that are one file.
fn check_paths(arguments: &PlanArguments, export: &Input, import: &Input) -> Result<(), Failure> {
    let mut paths = Paths::default();
    paths.add_file("--registry", export.file())?;
    paths.add_file("the import", import.file())?;
    let io = &arguments.io;
    let mut standard: Option<&str> = None;
    for (name, path) in [
        ("--output", Some(io.run.output())),
        ("--errors", arguments.errors.as_deref()),
        ("--result", arguments.result.as_deref()),
        ("--report", io.run.report.as_deref()),
    ] {
        match path.map(Destination::from_flag) {
            Some(Destination::Path(path)) => paths.add(name, &path)?,
            Some(Destination::Standard) if name != "--report" => {
                if let Some(other) = standard.replace(name) {
                    return Err(Failure::usage(format!(
                        "{other} and {name} can't both be standard output; name a file for one of them"
                    )));
                }
                paths.add_stdout()?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens a file that may hold what others must not read.
fn open_private(path: Option<&Path>, pending: &Pending) -> Result<Option<Sink>, Failure> {
    path.map(|path| match Destination::from_flag(path) {
        Destination::Standard => Sink::stdout().map_err(Failure::storage),
        Destination::Path(path) => create(&path, Access::Private, pending),
    })
    .transpose()
}

/// Says why the import is not to be, where it deletes more than it may.
fn too_many_deletes(max: MaxDelete, summary: &Summary) -> Option<String> {
    let deletes = summary.deleted.devices + summary.risks.maybe_deleted;
    max.is_exceeded(deletes, summary.devices.0).then(|| {
        let maybe = summary.risks.maybe_deleted;
        let maybe = if maybe > 0 { format!(" ({} of them maybe)", human::count(maybe)) } else { String::new() };
        format!(
            "{} of {} devices would be deleted{maybe}, more than --max-delete {max} allows",
            human::count(deletes),
            human::count(summary.devices.0)
        )
    })
}

/// What people should know of the export.
fn say_oddities(console: &mut Console, registry: &Registry, tally: &mut Tally) {
    let counts = registry.counts();
    (tally.blank, tally.notices) = (counts.blank, counts.notices);
    if let Some(notice) = &counts.notice {
        tally.count(Code::Notice);
        console.say(&notice_left_out("the export", notice));
    }
    if let Some(first) = registry.first_invalid() {
        let (are, first) = (if counts.invalid == 1 { "is" } else { "are" }, first);
        let message = format!(
            "{} of the export {are} no device and left out; the first is line {} (byte {}): {}",
            human::counted(counts.invalid, "line"),
            human::count(first.line),
            first.byte,
            first.message
        );
        let diagnostic = about_the_whole(Code::NotADevice, message, None);
        tally.count_finding(diagnostic.code, diagnostic.severity);
        console.say_diagnostic(&diagnostic);
    }
    for (count, text) in [
        (counts.repeated, "of the export with ids of an earlier line: the earlier one counts"),
        (counts.orphans, "of the export about modules whose device is not in it"),
        (counts.with_mode, "of the export with an importMode, which no export has: is it an import?"),
    ] {
        if count > 0 {
            console.say_warning(&format!("{} {text}", human::counted(count, "line")));
        }
    }
}

/// Writes the summary, and the details after it.
fn write_plan(output: &mut Sink, format: Format, plan: &Plan<'_>, details: Option<Details>) -> Result<(), End> {
    let text = match format {
        Format::Text => plan_text::text(plan),
        Format::Json => plan_text::json(plan).to_string() + "\n",
    };
    output.write(text.as_bytes())?;
    let Some(details) = details else {
        return Ok(());
    };
    let mut details = details.rewound().map_err(Failure::storage)?;
    let mut buffer = Vec::new();
    if format == Format::Text {
        output.write(b"\n")?;
    }
    while details.read(&mut buffer).map_err(Failure::storage)? {
        output.write(&buffer)?;
    }
    Ok(())
}

/// The report; `tally` has what was found in the export.
fn report_text(plan: &Plan<'_>, mut tally: Tally, course: Course) -> Vec<u8> {
    let summary = plan.summary;
    tally.lines = summary.lines;
    tally.blank += summary.blank;
    tally.notices += summary.notices;
    if summary.notices > 0 {
        tally.count(Code::Notice);
    }
    let mut report = Report::new("plan", &tally, course);
    report.plan = Some(plan_text::json(plan));
    report.text()
}

fn say_summary(console: &Console, plan: &Plan<'_>, started: Instant) {
    let bytes = plan.registry.bytes + plan.summary.bytes;
    let seconds = started.elapsed().as_secs_f64();
    console.say(&format!(
        "{} against {} and {}, {} in {seconds:.2} s ({})",
        human::counted(plan.summary.lines, "line"),
        human::counted(plan.registry.devices, "device"),
        human::counted(plan.registry.modules, "module"),
        human::bytes(bytes),
        human::rate(bytes, seconds)
    ));
}

/// A sink that is written to in big pieces.
struct Buffered {
    sink: Sink,
    buffer: Vec<u8>,
}

impl Buffered {
    fn new(sink: Sink) -> Self {
        Self { sink, buffer: Vec::new() }
    }

    fn add(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= WRITE_BYTES {
            self.sink.write(&self.buffer).map_err(io::Error::other)?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Sink, hubmill_writer::Error> {
        self.sink.write(&self.buffer)?;
        Ok(self.sink)
    }
}

/// What becomes of each line, kept in a temporary file until the summary is known, which comes first.
struct Details {
    file: BufWriter<File>,
    format: Format,
    /// Lines of which it turned out later that they rest on an assumption.
    assumed: Vec<u64>,
}

impl Details {
    fn new(format: Format) -> io::Result<Self> {
        let file = BufWriter::with_capacity(WRITE_BYTES, tempfile::tempfile()?);
        Ok(Self { file, format, assumed: Vec::new() })
    }

    fn add(&mut self, event: &Event<'_>) -> io::Result<()> {
        let text = match self.format {
            Format::Text if event.outcome == Outcome::Unchanged => return Ok(()),
            Format::Text => plan_text::detail(event),
            Format::Json => plan_text::detail_json(event).to_string(),
        };
        writeln!(self.file, "{text}")
    }

    fn rewound(self) -> io::Result<KeptDetails> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        let mut assumed = self.assumed;
        assumed.sort_unstable_by(|one, other| other.cmp(one));
        Ok(KeptDetails { file: BufReader::with_capacity(WRITE_BYTES, file), format: self.format, assumed })
    }
}

/// The details, to be read again.
struct KeptDetails {
    file: BufReader<File>,
    format: Format,
    /// The lines that are still to be marked, the first one last.
    assumed: Vec<u64>,
}

impl KeptDetails {
    /// Reads some more of them in place of what is in a buffer; whether there were any.
    fn read(&mut self, buffer: &mut Vec<u8>) -> io::Result<bool> {
        buffer.clear();
        let mut detail = Vec::new();
        while buffer.len() < WRITE_BYTES && self.file.read_until(b'\n', &mut detail)? > 0 {
            let number = plan_text::number_of(&detail, self.format);
            // Some lines have no details.
            while self.assumed.pop_if(|line| *line < number).is_some() {}
            if self.assumed.pop_if(|line| *line == number).is_some() {
                plan_text::mark_assumed(&mut detail, self.format);
            }
            buffer.append(&mut detail);
        }
        Ok(!buffer.is_empty())
    }
}

/// Writes down what becomes of lines.
struct Scribe {
    errors: Option<Buffered>,
    details: Option<Details>,
    progress: Progress,
    console: Console,
    notice: Option<String>,
}

impl Scribe {
    /// What people should know of the import as a whole.
    fn say_of_import(&self, summary: &Summary) {
        if let Some(notice) = &self.notice {
            self.console.say_warning(&format!(
                "the first line is no device (§1.6): an import with it is probably refused as a whole (400009): {}",
                Printable(notice)
            ));
        }
        if summary.bom {
            self.console.say_warning("a byte order mark: what the hub makes of it is not known (§1.5)");
        }
        if summary.blank > 0 {
            let lines = human::counted(summary.blank, "blank line");
            self.console.say_warning(&format!("{lines}: what the hub makes of them is not known (§1.5)"));
        }
        if summary.lines == summary.blank + summary.notices {
            self.console.say_warning("the import is empty; an import of an empty file was seen to be refused (§5.4)");
        }
    }
}

impl Witness for Scribe {
    fn wants_changes(&self) -> bool {
        self.details.is_some()
    }

    fn wants(&self, outcome: Outcome) -> bool {
        self.details.is_some() || (self.errors.is_some() && matches!(outcome, Outcome::Fails(_)))
    }

    fn see(&mut self, event: &Event<'_>) -> io::Result<()> {
        if let Some(errors) = &mut self.errors
            && let Some(line) = log_line(event)
        {
            errors.add(&line)?;
        }
        self.details.as_mut().map_or(Ok(()), |details| details.add(event))
    }

    fn assume(&mut self, line: u64) {
        self.details.iter_mut().for_each(|details| details.assumed.push(line));
    }

    fn advance(&mut self, bytes: u64, notice: Option<&str>) {
        if let Some(notice) = notice {
            self.notice = Some(notice.to_owned());
        }
        self.progress.advance(bytes, &self.console);
    }
}

#[cfg(test)]
mod tests {
    use super::MaxDelete;

    #[test]
    fn shares_and_numbers_are_read() {
        assert_eq!("5".parse(), Ok(MaxDelete::Count(5)));
        assert_eq!("0%".parse(), Ok(MaxDelete::Percent(0.0)));
        assert_eq!("2.5%".parse(), Ok(MaxDelete::Percent(2.5)));
        for wrong in ["", "%", "-1", "101%", "-1%", "NaN%", "inf%", "5 %%", "x", "1.5"] {
            assert!(wrong.parse::<MaxDelete>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn as_many_as_allowed_are_not_too_many() {
        for (max, deletes, devices, want) in
            [("5", 5, 10, false), ("5", 6, 10, true), ("50%", 5, 10, false), ("50%", 6, 10, true), ("0%", 0, 0, false)]
        {
            assert_eq!(max.parse::<MaxDelete>().unwrap().is_exceeded(deletes, devices), want, "{max} {deletes}");
        }
    }
}
