//! `hubmill diff`: the import that turns one export into another.

use std::time::Instant;

use hubmill_mend::{Diff, DiffOptions};
use hubmill_reader::Input;
use hubmill_writer::Pending;

use crate::end::End;
use crate::entries::Run;
use crate::exit::{Exit, Failure};
use crate::flags::DiffArguments;
use crate::human;
use crate::places;
use crate::transform::open_input;
use crate::{signals, simd};

/// Runs the command.
pub(crate) fn run(arguments: &DiffArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let level = simd::level()?;
    let io = &arguments.io;
    places::check_standard_input(&[("FROM", Some(&arguments.from)), ("TO", io.input.as_deref())])?;
    let from = places::open(&arguments.from, io)?;
    let to = open_input(io)?;
    places::check(&[("FROM", &from), ("TO", &to)], io, &[])?;
    let pending = Pending::default();
    signals::watch(&pending)?;
    let mut run = Run::open("diff", io, (started, level), &[&from, &to], pending)?;
    let (end, summary) = match compare(&mut run, arguments, from, to) {
        Ok(summary) => (End::Whole, summary),
        Err(early) => (early, Vec::new()),
    };
    run.finish(end, &summary)
}

fn compare(run: &mut Run<'_>, arguments: &DiffArguments, from: Input, to: Input) -> Result<Vec<String>, End> {
    let from = run.index("FROM", from)?;
    let to = run.index("TO", to)?;
    if let (true, Some(first)) = (arguments.delete, to.first_invalid()) {
        let message = format!(
            "TO has lines that are no device, line {} for instance, whose devices --delete would delete; mend the file, or leave \
             --delete out",
            first.line
        );
        return Err(Failure::usage(message).into());
    }
    let options = DiffOptions { delete: arguments.delete, if_match: arguments.if_match, reported: arguments.reported };
    let work = Diff::new(&from, &to, options, run.reading(), run.wants_all_findings());
    run.go(&work.first_passes(), &work)?;
    run.go(&work.last_passes(), &work)?;

    let totals = &run.totals;
    let mut lines = vec![format!(
        "FROM: {}, {}; TO: {}, {}; {} equal",
        human::counted(from.counts().devices, "device"),
        human::counted(from.counts().modules, "module"),
        human::counted(to.counts().devices, "device"),
        human::counted(to.counts().modules, "module"),
        human::count(totals.equal)
    )];
    for (count, what) in [
        (totals.only_from, "only in FROM, and left there (--delete)"),
        (totals.with_device, "deleted with its device"),
        (totals.not_known, "with a line that can't be read for certain: nothing is written for it"),
        (totals.system_modules, "of the hub itself ($), which no import writes"),
        (
            totals.authentication_unknown - totals.authentication_set,
            "without authentication in an export: not known whether it is equal, and left as it is",
        ),
        (
            totals.authentication_set,
            "without authentication in an export and with another difference: the update sets that of the other export",
        ),
        (totals.keys_by_hub, "whose keys the hub makes"),
    ] {
        if count > 0 {
            lines.push(format!("{} {what}", human::count(count)));
        }
    }
    Ok(lines)
}
