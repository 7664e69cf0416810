//! The `hubmill` program: flags, messages, progress, exit codes. Everything else is in the libraries beside it.
#![forbid(unsafe_code)]

mod about;
mod console;
mod destination;
mod diagnostics;
mod diff;
mod drain;
mod dry_run;
mod end;
mod entries;
mod excerpt;
mod exit;
mod explain;
mod flags;
mod generate;
mod generate_flags;
mod generate_outputs;
mod human;
mod log;
mod places;
mod plan;
mod plan_text;
mod progress;
mod report;
mod retry;
mod rule_flags;
mod rules_file;
#[cfg(test)]
mod rules_schema;
mod run_flags;
mod said;
mod select;
mod signals;
mod simd;
mod stats;
mod transform;
mod undo;
mod validate;

use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::console::Console;
use crate::exit::Exit;
use crate::flags::{Cli, Command};

/// Reads the command line.
fn read_call() -> Result<Cli, clap::Error> {
    let mut command = flags::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os())?;
    let mut cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
    if let (Command::Transform(arguments), Some(matches)) = (&mut cli.command, matches.subcommand_matches("transform"))
    {
        arguments.rules.note_order(matches);
    }
    Ok(cli)
}

fn main() -> ExitCode {
    let cli = match read_call() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            Console::plain().say_wrong_call(&error);
            return Exit::Usage.into();
        }
        // Help and version, which are no errors; nobody has to read them.
        Err(error) => {
            let _ = error.print();
            return Exit::Done.into();
        }
    };
    let result = match cli.command {
        Command::Transform(arguments) => transform::run(*arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Stats(arguments) => stats::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Undo(arguments) => undo::run(&arguments),
        Command::Retry(arguments) => retry::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Completions { shell } => about::completions(shell),
        Command::Man => about::man(),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => {
            Console::plain().say_failure(&failure);
            failure.exit.into()
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn flags_are_consistent() {
        crate::flags::command().debug_assert();
    }

    #[test]
    fn codes_are_those_of_the_contract() {
        use crate::exit::Exit;
        let codes = [Exit::Done, Exit::Findings, Exit::Usage, Exit::Storage, Exit::Stopped].map(|exit| exit as u8);
        assert_eq!(codes, [0, 1, 2, 3, 4]);
    }
}
