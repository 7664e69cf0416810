//! The flags of all commands that make something of many lines: where it goes, how it runs, what is said of it.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hubmill_writer::Sync;

use crate::console::Console;
use crate::destination::Destination;
use crate::progress::Progress;

#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The file to write, which appears whole or not at all; `-` or nothing: standard output
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// Write a summary of the run as JSON; `-`: stderr
    #[arg(long, value_name = "PATH")]
    pub(crate) report: Option<PathBuf>,
    /// Write all findings as NDJSON; `-`: stderr
    #[arg(long, value_name = "PATH")]
    pub(crate) diagnostics: Option<PathBuf>,
    /// Worker threads; default: the CPUs that this process may use, or one fewer between two pipes
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// Leave it to the system when output files reach the disk
    #[arg(long)]
    pub(crate) no_sync: bool,
    /// Show how far a long run is
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) progress: When,
    /// Colour messages
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: When,
    /// No summary, no hints, no progress; findings are still shown
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl RunArguments {
    /// Where the output goes: a path, or `-`.
    pub(crate) fn output(&self) -> &Path {
        self.output.as_deref().unwrap_or(Path::new("-"))
    }

    /// Whether the report goes to stderr.
    pub(crate) fn reports_to_stderr(&self) -> bool {
        self.report.as_deref().map(Destination::from_flag) == Some(Destination::Standard)
    }

    /// How many workers are asked for.
    pub(crate) fn threads(&self) -> usize {
        let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.threads.map_or_else(available, usize::from)
    }

    /// When output files reach the disk.
    pub(crate) fn sync(&self) -> Sync {
        if self.no_sync { Sync::BySystem } else { Sync::ToDisk }
    }

    /// What people see on stderr.
    pub(crate) fn console(&self) -> Console {
        Console::new(self.color, self.quiet)
    }

    /// How far a run of `total` bytes is, where that is known.
    pub(crate) fn progress(&self, data_on_terminal: bool, total: Option<u64>) -> Progress {
        Progress::new(self.progress, self.quiet, data_on_terminal, total)
    }
}

/// When to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// Where it makes sense
    Auto,
    Always,
    Never,
}
