//! How a run ends, and what then becomes of the files that it has written.

use hubmill_pipeline::Error as RunError;
use hubmill_writer::{Error, ErrorKind, Pending, Sink, commit_all};

use crate::console::Console;
use crate::exit::Failure;
use crate::run_flags::RunArguments;

/// How a run ended.
#[derive(Debug)]
pub(crate) enum End {
    /// To the end of the input.
    Whole,
    /// By `--strict` or `--max-rejects`, or by rows that nothing can be made of.
    Stopped,
    /// The reader of standard output went away.
    StdoutClosed,
    /// Reading or writing failed.
    Failed(Failure),
}

impl End {
    /// The same; but where the reader of standard output was gone by the end, that is how the run ended.
    pub(crate) fn or_stdout_closed(self, is_gone: bool) -> Self {
        match self {
            Self::Whole if is_gone => Self::StdoutClosed,
            end => end,
        }
    }

    /// Whether the output stays. Where nobody reads one, the others are whole all the same.
    pub(crate) fn keeps_output(&self) -> bool {
        matches!(self, Self::Whole | Self::StdoutClosed)
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        if error.kind() == ErrorKind::StdoutClosed { Self::StdoutClosed } else { Self::Failed(Failure::storage(error)) }
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// How a run through the pipeline ended.
pub(crate) fn end_of(result: Result<bool, RunError<Error>>) -> End {
    match result {
        Ok(true) => End::Whole,
        Ok(false) => End::Stopped,
        Err(RunError::Drain(error)) => error.into(),
        Err(error) => End::Failed(Failure::storage(error)),
    }
}

/// The files of a run, all written.
pub(crate) struct Written<'a, I> {
    /// All findings.
    pub(crate) findings: Option<Sink>,
    /// The report, and the file for it.
    pub(crate) report: (&'a [u8], Option<Sink>),
    /// What goes with the output, then the output.
    pub(crate) output: I,
    /// Whether the output stays.
    pub(crate) keeps_output: bool,
}

impl<I: IntoIterator<Item = Sink>> Written<'_, I> {
    /// Puts the files in place: what says how it went, then what goes with the output, then the output. Where it is, the rest is.
    pub(crate) fn put_in_place(self, run: &RunArguments, pending: &Pending, console: &Console) -> Result<(), Failure> {
        let (report, report_sink) = self.report;
        let mut sinks = Vec::from_iter(self.findings);
        if let Some(mut sink) = report_sink {
            sink.write(report).map_err(Failure::storage)?;
            sinks.push(sink);
        }
        if self.keeps_output {
            sinks.extend(self.output);
        } else {
            self.output.into_iter().for_each(Sink::discard);
        }
        commit_all(sinks, run.sync(), pending).map_err(Failure::storage)?;
        if run.reports_to_stderr() {
            console.say(String::from_utf8_lossy(report).trim_end());
        }
        Ok(())
    }
}
