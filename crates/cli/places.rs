//! Inputs and outputs: opened, and checked for being one file.

use std::path::Path;

use hubmill_reader::Input;
use hubmill_writer::{Access, Pending, Sink};

use crate::destination::{Destination, Paths};
use crate::exit::Failure;
use crate::flags::IoArguments;
use crate::run_flags::RunArguments;
use crate::transform::create;

/// Opens an input that a flag or an argument names: a file, or `-` for standard input.
pub(crate) fn open(path: &Path, io: &IoArguments) -> Result<Input, Failure> {
    let choice = io.mmap.into();
    let input = if is_standard(path) { Input::stdin(choice) } else { Input::open(path, choice) };
    input.map_err(Failure::storage)
}

/// Whether a path stands for standard input or output.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Refuses two of the paths that are one file, and two inputs or outputs that are standard input or output.
pub(crate) fn check(
    inputs: &[(&str, &Input)],
    io: &IoArguments,
    more: &[(&str, Option<&Path>)],
) -> Result<(), Failure> {
    let mut paths = Paths::default();
    for (name, input) in inputs {
        paths.add_file(name, input.file())?;
    }
    let mut standard = Vec::new();
    let output = io.run.output();
    let own = [
        ("--output", Some(output)),
        ("--diagnostics", io.run.diagnostics.as_deref()),
        ("--report", io.run.report.as_deref()),
    ];
    for (name, path) in own.iter().chain(more) {
        let Some(path) = path else { continue };
        match Destination::from_flag(path) {
            Destination::Path(path) => paths.add(name, &path)?,
            Destination::Standard if matches!(*name, "--diagnostics" | "--report") => {}
            Destination::Standard => {
                if let Some(other) = standard.first() {
                    return Err(Failure::usage(format!(
                        "{other} and {name} can't both be standard output; name a file for one of them"
                    )));
                }
                standard.push(*name);
                paths.add_stdout()?;
            }
        }
    }
    Ok(())
}

/// Refuses to read two inputs from standard input.
pub(crate) fn check_standard_input(inputs: &[(&str, Option<&Path>)]) -> Result<(), Failure> {
    let mut standard = inputs.iter().filter(|(_, path)| path.is_none_or(is_standard)).map(|(name, _)| name);
    match (standard.next(), standard.next()) {
        (Some(one), Some(other)) => {
            Err(Failure::usage(format!("{one} and {other} can't both be standard input; name a file for one of them")))
        }
        _ => Ok(()),
    }
}

/// Opens a place for output: standard output, or a file.
pub(crate) fn open_sink(path: Option<&Path>, access: Access, pending: &Pending) -> Result<Sink, Failure> {
    match path.map(Destination::from_flag) {
        Some(Destination::Path(path)) => create(&path, access, pending),
        _ => Sink::stdout().map_err(Failure::storage),
    }
}

/// Opens the place for all findings, where one is named: stderr, or a file.
pub(crate) fn open_diagnostics(run: &RunArguments, pending: &Pending) -> Result<Option<Sink>, Failure> {
    Ok(match run.diagnostics.as_deref().map(Destination::from_flag) {
        None => None,
        Some(Destination::Path(path)) => Some(create(&path, Access::Ordinary, pending)?),
        Some(Destination::Standard) => Some(Sink::stderr().map_err(Failure::storage)?),
    })
}

/// Opens the file for the report, where one is named; see [`RunArguments::reports_to_stderr`].
pub(crate) fn open_report(run: &RunArguments, pending: &Pending) -> Result<Option<Sink>, Failure> {
    Ok(match run.report.as_deref().map(Destination::from_flag) {
        Some(Destination::Path(path)) => Some(create(&path, Access::Ordinary, pending)?),
        _ => None,
    })
}
