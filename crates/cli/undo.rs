//! `hubmill undo`: the import that takes another one back.

use std::io::{Seek as _, SeekFrom};
use std::time::Instant;

use hubmill_mend::{ReadLog, Retry, RetryBatch, Selection, Undo, UndoFiles};
use hubmill_pipeline::{Drain, Flow, Piece, Tally, run as run_pipeline};
use hubmill_reader::Input;
use hubmill_writer::{Error, Pending};

use crate::end::{End, end_of};
use crate::entries::Run;
use crate::exit::{Exit, Failure};
use crate::flags::UndoArguments;
use crate::human;
use crate::log;
use crate::places;
use crate::transform::open_input;
use crate::{signals, simd};

/// The files of a run, opened.
struct Opened {
    backup: Input,
    import: Input,
    after: Option<Input>,
    log: Option<Input>,
}

/// Runs the command.
pub(crate) fn run(arguments: &UndoArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let level = simd::level()?;
    let io = &arguments.io;
    let (errors, after) = (arguments.errors.as_deref(), arguments.after.as_deref());
    let mut named = vec![("--registry", Some(arguments.registry.as_path())), ("the import file", io.input.as_deref())];
    named.extend([("--errors", errors), ("--after", after)].into_iter().filter(|(_, path)| path.is_some()));
    places::check_standard_input(&named)?;
    let opened = Opened {
        backup: places::open(&arguments.registry, io)?,
        import: open_input(io)?,
        after: after.map(|path| places::open(path, io)).transpose()?,
        log: errors.map(|path| places::open(path, io)).transpose()?,
    };
    let Opened { backup, import, after, log } = &opened;
    let mut inputs = vec![("--registry", backup), ("the import file", import)];
    inputs.extend(after.as_ref().map(|after| ("--after", after)));
    inputs.extend(log.as_ref().map(|log| ("--errors", log)));
    places::check(&inputs, io, &[])?;
    let pending = Pending::default();
    signals::watch(&pending)?;
    let measured: Vec<&Input> = inputs.iter().map(|(_, input)| *input).collect();
    let mut run = Run::open("undo", io, (started, level), &measured, pending)?;
    let (end, summary) = match take_back(&mut run, arguments, opened) {
        Ok(summary) => (End::Whole, summary),
        Err(early) => (early, Vec::new()),
    };
    run.finish(end, &summary)
}

fn take_back(run: &mut Run<'_>, arguments: &UndoArguments, opened: Opened) -> Result<Vec<String>, End> {
    let Opened { backup, import, after, log } = opened;
    let reading = run.reading();
    let log = match &log {
        None => None,
        Some(log) => {
            let read = ReadLog::new(log::limits(reading.1), reading.0);
            let mut tally = Tally::default();
            let (failures, end) = log::read(log, &arguments.io, &read, &mut tally, &mut run.said);
            check(end)?;
            log::add_findings(&mut run.tally, &tally);
            Some((read, failures))
        }
    };
    let backup = run.index("--registry", backup)?;
    let start = { import.file() }.stream_position().unwrap_or(0);
    let import = run.index_import("the import", import)?;
    let after = after.map(|after| run.index("--after", after)).transpose()?;
    if let Some((read, failures)) = &log {
        let selection = Selection { all: true, ..Selection::default() };
        let retry = Retry::new(read, failures, &selection, reading.1, reading.0);
        // It was read once for the index; a pipe is in a file of its own by now.
        let mut file = import.input().file();
        file.seek(SeekFrom::Start(start)).map_err(Failure::storage)?;
        let options = run.options(import.input());
        check(end_of(run_pipeline(import.input(), options, &retry, &mut Ignore).map(|_| true)))?;
        for diagnostic in log::unmatched(failures) {
            run.note(&diagnostic)?;
        }
    }
    let files = UndoFiles {
        backup: &backup,
        import: &import,
        after: after.as_ref(),
        log: log.as_ref().map(|(read, failures)| (read, failures)),
    };
    let work = Undo::new(files, reading, run.wants_all_findings()).map_err(Failure::storage)?;
    for passes in work.passes() {
        run.go(&passes, &work)?;
    }

    let totals = &run.totals;
    let mut lines = Vec::new();
    for (count, noun, what) in [
        (totals.failed, "line", "of the import failed, by the log or by what the backup has: nothing to take back"),
        (
            totals.failed_partly,
            "line",
            "of the import failed for an ETag and has a twinETag: whether its identity was written all the same is not known (§2)",
        ),
        (totals.not_known, "device or module", "with a line that can't be read for certain: nothing is written for it"),
        (
            totals.authentication_unknown,
            "device or module",
            "without authentication in the export of --after: not known whether it is as the import left it, and changed back",
        ),
        (totals.with_device, "module", "deleted with its device"),
        (totals.recreated, "device", "made again: another generation id, and no messages that were queued"),
        (totals.keys_lost, "device or module", "without the keys that the backup does not have"),
        (totals.scopes_lost, "edge device", "with another scope"),
        (totals.children_lost, "child", "of such an edge device, whose parent is to be set anew"),
        (totals.system_modules, "module", "of the hub itself ($), which no import brings back"),
    ] {
        match count {
            0 => {}
            1 => lines.push(format!("1 {noun} {what}")),
            _ => lines.push(format!("{} {} {what}", human::count(count), plural(noun))),
        }
    }
    if totals.assumed > 0 {
        let more = match (&arguments.errors, &arguments.after) {
            (None, None) => "; --errors and --after make sure",
            _ => "; --after makes sure",
        };
        lines.push(format!(
            "{} of what the backup does not have: the import is taken to have made it, and not someone else before{more}",
            human::counted(totals.assumed, "delete")
        ));
    }
    Ok(lines)
}

/// The word for more than one.
fn plural(noun: &str) -> String {
    match noun {
        "child" => "children".to_owned(),
        "device or module" => "devices or modules".to_owned(),
        _ => format!("{noun}s"),
    }
}

/// Goes on where a run through the pipeline came to its end.
fn check(end: End) -> Result<(), End> {
    match end {
        End::Whole | End::Stopped => Ok(()),
        End::StdoutClosed | End::Failed(_) => Err(end),
    }
}

/// Takes lines that are only looked up.
struct Ignore;

impl Drain<RetryBatch> for Ignore {
    type Error = Error;

    fn drain(&mut self, _: Piece<'_>, _: usize, _: &RetryBatch) -> Result<Flow, Error> {
        Ok(Flow::Continue)
    }
}
