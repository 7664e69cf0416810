//! The command line, as clap reads it.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use hubmill_device::Code;
use hubmill_reader::MmapChoice;

use crate::generate_flags::GenerateArguments;
use crate::plan::MaxDelete;
use crate::rule_flags::RuleFlags;
use crate::run_flags::RunArguments;

/// A mill for Azure IoT Hub bulk device-identity files.
///
/// An export job of an IoT hub writes its registry as devices.txt, one device or module a line; an import job reads such a
/// file back and can't be undone. hubmill transforms these files line by line: what no rule touches stays as it is, to the
/// byte.
#[derive(Debug, Parser)]
#[command(name = "hubmill", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Rewrite the lines of an export or import file by rules
    Transform(Box<TransformArguments>),
    /// Check an import or export file against everything that is known of the hub's rules
    Validate(Box<ValidateArguments>),
    /// Count what is in a file: devices, modules, authentication, modes, twin sizes, duplicates
    Stats(Box<StatsArguments>),
    /// Make new devices with fresh keys, by number or from a CSV file
    Generate(Box<GenerateArguments>),
    /// Rehearse an import: what it would do to the hub that an export is a backup of
    Plan(Box<PlanArguments>),
    /// Compute the import that turns one hub into another
    Diff(DiffArguments),
    /// Compute the import that takes another one back
    Undo(UndoArguments),
    /// Pick the lines of an import that failed and that another try can mend, and say why each failed
    Retry(RetryArguments),
    /// Say what the code of a finding means, why, and how well that is known
    Explain(ExplainArguments),
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// Rewrite the lines of an export or import file by rules.
///
/// Rules apply in a fixed order, whatever the order of the flags: select, edit, check. Without any rule the output is a
/// strict copy.
///
/// Exit codes: 0 done; 1 done, with lines rejected; 2 wrong usage, nothing was touched; 3 input, output or storage failed;
/// 4 stopped by --strict or --max-rejects; 130 and 143 ended by a signal.
#[derive(Debug, Args)]
pub(crate) struct TransformArguments {
    #[command(flatten)]
    pub(crate) io: IoArguments,
    #[command(flatten)]
    pub(crate) invalid: InvalidArguments,
    #[command(flatten)]
    pub(crate) rules: RuleFlags,
}

/// Check an import or export file against everything that is known of the hub's rules; writes no devices.
///
/// Findings go to standard output, line by line as they are found, the first 10 of each code; a summary follows on stderr.
/// `hubmill explain CODE` says what a code means, its source, and how well it is known. A line without importMode is a
/// createOrUpdate. Ids that stand twice are looked for in the whole file, which takes up to 64 bytes of memory a line.
///
/// Exit codes: 0 no errors; 1 errors, or warnings under --deny-warnings; 2 wrong usage; 3 input or output failed; 130 and 143
/// ended by a signal.
#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    #[command(flatten)]
    pub(crate) io: IoArguments,
    /// Check only lines for which EXPR holds: what stands after WHERE in the hub's query language
    #[arg(id = "where", long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    pub(crate) condition: Option<String>,
    /// What is checked: everything, or JSON, id and status only
    #[arg(long, value_name = "WHAT", default_value = "full")]
    pub(crate) check: ValidateCheck,
    /// Show all findings, not only the first 10 of each code
    #[arg(long)]
    pub(crate) all: bool,
    /// How findings are written: text for people, json for machines (NDJSON, all of them)
    #[arg(long, value_name = "HOW", default_value = "text")]
    pub(crate) format: Format,
    /// Let findings of this code pass: they are counted and no more; repeatable
    #[arg(long, value_name = "CODE", value_parser = code_parser(), hide_possible_values = true)]
    pub(crate) allow: Vec<Code>,
    /// Make findings of this code errors; repeatable
    #[arg(long, value_name = "CODE", value_parser = code_parser(), hide_possible_values = true)]
    pub(crate) deny: Vec<Code>,
    /// Exit with 1 where there are warnings
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

/// Count what is in a file: devices, modules, authentication, import modes, twin sizes against the hub's limits, duplicates.
///
/// Sizes are counted as the hub counts them, in bytes of UTF-8: whether it counts these or characters is not known. Ids that
/// stand twice are looked for in the whole file, which takes up to 64 bytes of memory a line; --by takes a table of all
/// values.
///
/// Exit codes: 0 done; 1 done, with lines that are no device; 2 wrong usage; 3 input or output failed; 130 and 143 ended by a
/// signal.
#[derive(Debug, Args)]
#[command(mut_arg("diagnostics", |flag| flag.hide(true)))]
pub(crate) struct StatsArguments {
    #[command(flatten)]
    pub(crate) io: IoArguments,
    /// Count only lines for which EXPR holds: what stands after WHERE in the hub's query language
    #[arg(id = "where", long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    pub(crate) condition: Option<String>,
    /// Count by the values of a member: tags.site for instance, tags.[[odd name]], deviceScope
    #[arg(long, value_name = "PATH")]
    pub(crate) by: Option<String>,
    /// How the counts are written: a table for people, or one JSON object
    #[arg(long, value_name = "HOW", default_value = "text")]
    pub(crate) format: Format,
}

/// Rehearse an import: what it would do to the hub that an export is a backup of. Nothing talks to a hub.
///
/// An import job can't be undone, and says "completed" even where every line failed. The summary says what would be created,
/// updated and deleted, which lines would fail and with which code, and what is risky: keys that would change, devices that would
/// turn from X.509 to SAS, twins that would go back to the file's state, children of deleted edge devices.
///
/// Two things are assumed: that lines apply in file order, and that a section of a twin in a line replaces the hub's. Lines whose
/// outcome rests on one of them are counted. What is not known of the hub is counted as not known, by why. A line without
/// importMode is a createOrUpdate. The devices of the export take up to 96 bytes of memory each, those of the import as much.
///
/// Exit codes: 0 nothing would fail; 1 some lines would, or the export has lines that are no device; 2 wrong usage; 3 input or
/// output failed; 4 more devices would be deleted than --max-delete allows, and nothing but --errors and --report is written; 130
/// and 143 ended by a signal.
#[derive(Debug, Args)]
#[command(mut_arg("diagnostics", |flag| flag.hide(true)))]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) io: IoArguments,
    /// The export of the hub that the import is for, a file as new as can be; a pipe is kept in a temporary file
    #[arg(long, value_name = "EXPORT")]
    pub(crate) registry: PathBuf,
    /// After the summary, say of each line what it changes: member paths, secrets left out
    #[arg(long)]
    pub(crate) details: bool,
    /// Write the importErrors.log that the hub would write, lines quoted without secrets; empty if nothing fails
    #[arg(long, value_name = "PATH")]
    pub(crate) errors: Option<PathBuf>,
    /// Write the registry as it would be after the import, as an export; what was written to has no ETags, and keys that only the hub
    /// can make are null
    #[arg(long, value_name = "PATH")]
    pub(crate) result: Option<PathBuf>,
    /// Stop with exit code 4 where more devices would be deleted: a number, or a share of the registry's devices (5%)
    #[arg(long, value_name = "N|P%")]
    pub(crate) max_delete: Option<MaxDelete>,
    /// How many devices and modules the hub takes: what is created past it fails
    #[arg(long, value_name = "N")]
    pub(crate) quota: Option<u64>,
    /// How the plan is written: text for people, or JSON: an object, and with --details one more for each line after it
    #[arg(long, value_name = "HOW", default_value = "text")]
    pub(crate) format: Format,
}

/// Compute the import that turns the hub that FROM is an export of into the one that TO is: the fewest lines, each as small as it can be.
///
/// Nothing is written for devices that are equal: spelling, order, ETags, $metadata, and absent, empty or default values do not
/// count. Edge devices come first, devices before their modules, deletes last. Devices that only FROM has are counted, and
/// deleted with --delete alone. Where an export has no authentication (it was made without keys), that is not known and left
/// as it is. Two indexes are held in memory, some 55 bytes for each device and module of the exports.
///
/// Exit codes: 0 done; 1 done, with differences that no line can set right, or lines that are no device; 2 wrong usage; 3
/// input, output or storage failed; 130 and 143 ended by a signal.
#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The export of the hub that the import is for; `-`: standard input
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) io: IoArguments,
    /// Delete devices and modules that only FROM has
    #[arg(long)]
    pub(crate) delete: bool,
    /// Let each line apply only to what still has FROM's ETag
    #[arg(long)]
    pub(crate) if_match: bool,
    /// Compare and write reported properties, too; they belong to the devices
    #[arg(long)]
    pub(crate) reported: bool,
}

/// Compute the import that takes another one back, by an export from before it.
///
/// What the import created is deleted, what it deleted is created, what it changed is changed back, by the lines of the backup and
/// without their ETags. What it failed to do has nothing to take back: --errors tells what failed, and without it only what
/// follows from the backup is known. What can't come back (keys that the backup does not have, generation ids, the scopes of edge
/// devices, queued messages, the hub's own modules) is said for each device and in total. Indexes of the files are held in
/// memory, some 55 bytes for each device and module, and the log's different entries.
///
/// Exit codes: 0 done; 1 done, with changes that are not taken back; 2 wrong usage; 3 input, output or storage failed; 130 and
/// 143 ended by a signal.
#[derive(Debug, Args)]
pub(crate) struct UndoArguments {
    #[command(flatten)]
    pub(crate) io: IoArguments,
    /// The export from right before the import
    #[arg(long, value_name = "BACKUP")]
    pub(crate) registry: PathBuf,
    /// The log of the import job, importErrors.log: lines that failed have nothing to take back
    #[arg(long, value_name = "LOG")]
    pub(crate) errors: Option<PathBuf>,
    /// An export from after the import: what was changed since is left alone, and what is deleted is deleted by its ETag
    #[arg(long, value_name = "EXPORT")]
    pub(crate) after: Option<PathBuf>,
}

/// Pick the lines of an import that failed and that another try can mend, once each, in their order.
///
/// An import job says "completed" even where every line failed; what failed is in the log that it leaves beside the output,
/// importErrors.log. Name that log and the file that was imported. Causes are told on stderr, with their counts and what to do
/// about each. Lines that had to be edited first (400012) are among the written; lines that another import can't mend (409001:
/// the device exists already; 403002: the hub is near its quota) are named and left out. An entry of the log without a module
/// id stands for all lines of its device. Memory follows from the different entries of the log.
///
/// Exit codes: 0 done; 1 done, with entries of the log that could not be read or are in no line; 2 wrong usage; 3 input, output
/// or storage failed; 130 and 143 ended by a signal.
#[derive(Debug, Args)]
pub(crate) struct RetryArguments {
    #[command(flatten)]
    pub(crate) io: IoArguments,
    /// The log of the import job, importErrors.log; `-`: standard input
    #[arg(long, value_name = "LOG")]
    pub(crate) errors: PathBuf,
    /// Select the lines that failed with this code, 429001 for instance, and no others; repeatable
    #[arg(long, value_name = "N", conflicts_with = "all")]
    pub(crate) code: Vec<u32>,
    /// Select all lines that failed
    #[arg(long)]
    pub(crate) all: bool,
    /// Write the failed lines there that another import can't mend, to be dealt with one by one
    #[arg(long, value_name = "PATH", conflicts_with = "all")]
    pub(crate) individually: Option<PathBuf>,
}

/// The command line, with names of inputs that are the commands' own.
pub(crate) fn command() -> clap::Command {
    Cli::command().mut_subcommand("diff", |diff| {
        diff.mut_arg("input", |input| {
            input.value_name("TO").help("The export of the state that is wanted; `-` or nothing: standard input")
        })
    })
}

/// Reads the name of a code.
pub(crate) fn code_parser() -> impl TypedValueParser<Value = Code> {
    PossibleValuesParser::new(Code::ALL.iter().map(|code| PossibleValue::new(code.as_str())))
        .try_map(|name| Code::from_name(&name).ok_or("no code"))
}

/// What `validate` checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ValidateCheck {
    /// JSON, id and status
    Id,
    /// All that is known
    Full,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}

/// Say what the code of a finding means, why, its source and how well that is known; without a code: all, a line each.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The code, id-charset for instance
    pub(crate) code: Option<String>,
    /// All codes in full, as in docs/CODES.md
    #[arg(long, conflicts_with = "code")]
    pub(crate) markdown: bool,
}

/// Where bytes come from and go to.
#[derive(Debug, Args)]
pub(crate) struct IoArguments {
    /// The file to read; `-` or nothing: standard input
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) run: RunArguments,
    /// How a regular file is read
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) mmap: Mmap,
    /// The longest accepted line in bytes, without its line end
    #[arg(long, value_name = "N", default_value_t = 16 << 20, value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    pub(crate) max_line_bytes: u32,
    /// The deepest accepted nesting; the outer object is 1
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) max_depth: u16,
}

/// What becomes of lines that can't be used.
#[derive(Debug, Args)]
pub(crate) struct InvalidArguments {
    /// What becomes of invalid lines: left out and counted, or passed through untouched
    #[arg(long, value_name = "WHAT", default_value = "reject")]
    pub(crate) on_invalid: InvalidChoice,
    /// Write rejected lines there, byte for byte
    #[arg(long, value_name = "PATH")]
    pub(crate) rejects: Option<PathBuf>,
    /// Stop when more than N lines are invalid; no output file then
    #[arg(long, value_name = "N", conflicts_with = "strict")]
    pub(crate) max_rejects: Option<u64>,
    /// Stop at the first invalid line: --max-rejects 0
    #[arg(long)]
    pub(crate) strict: bool,
    /// Exit with 1 where there are warnings
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

/// How a regular file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mmap {
    /// Whichever the benches show to be right
    Auto,
    /// Mapped; a file that becomes shorter meanwhile ends the run with exit code 3
    Always,
    /// Read
    Never,
}

impl From<Mmap> for MmapChoice {
    fn from(choice: Mmap) -> Self {
        match choice {
            Mmap::Auto => Self::Auto,
            Mmap::Always => Self::Always,
            Mmap::Never => Self::Never,
        }
    }
}

/// What becomes of lines that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum InvalidChoice {
    /// Left out and counted
    Reject,
    /// Passed through untouched
    Keep,
}
