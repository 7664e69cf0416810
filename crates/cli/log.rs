//! Reading the log of an import job, and saying what is wrong with it.

use hubmill_device::Code;
use hubmill_mend::{Failures, LogBatch, ReadLog, Unmatched};
use hubmill_parser::Limits;
use hubmill_pipeline::{Diagnostic, Drain, Flow, Piece, Tally, run as run_pipeline, shown};
use hubmill_reader::Input;
use hubmill_writer::Error;

use crate::end::{End, end_of};
use crate::flags::IoArguments;
use crate::said::{Said, about_the_whole};
use crate::transform::options;

/// A line of the log quotes a line of the import, with an escape for each quote, and says more.
const LOG_LINE_FACTOR: usize = 6;
const LOG_LINE_BYTES_MAX: usize = 1 << 30;

/// What a line of the log may be, where lines of the import may be so long.
pub(crate) fn limits(lines: Limits) -> Limits {
    let line_bytes_max = lines.line_bytes_max.saturating_mul(LOG_LINE_FACTOR).min(LOG_LINE_BYTES_MAX);
    Limits { line_bytes_max, ..lines }
}

/// Reads a log; lines that can't be read are counted and told.
pub(crate) fn read(
    input: &Input,
    io: &IoArguments,
    work: &ReadLog,
    tally: &mut Tally,
    said: &mut Said,
) -> (Failures, End) {
    let mut failures = Failures::default();
    let mut options = options(io, input);
    options.cut.line_bytes_max = limits(crate::transform::limits(io)).line_bytes_max;
    let mut drain = ReadDrain { failures: &mut failures, tally, said };
    let end = end_of(run_pipeline(input, options, work, &mut drain));
    failures.finish();
    (failures, end)
}

/// What of the log is in no line that was looked up in it.
pub(crate) fn unmatched(failures: &Failures) -> impl Iterator<Item = Diagnostic> {
    failures.unmatched().into_iter().map(|entry| {
        let id = entry.device.as_deref().map(shown);
        let mut diagnostic = about_the_whole(Code::LogUnmatched, unmatched_message(&entry), id);
        diagnostic.hint = Some("is it the file that was imported, unchanged, and the log of that job?");
        diagnostic
    })
}

/// Adds the findings about the log to those about the import, whose lines are counted.
pub(crate) fn add_findings(tally: &mut Tally, log: &Tally) {
    for (code, count) in log.codes() {
        for _ in 0..count {
            tally.count_finding(code, code.severity());
        }
    }
}

/// Takes what was read of the log.
struct ReadDrain<'a> {
    failures: &'a mut Failures,
    tally: &'a mut Tally,
    said: &'a mut Said,
}

impl Drain<LogBatch> for ReadDrain<'_> {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, from: usize, batch: &LogBatch) -> Result<Flow, Error> {
        let before = self.failures.log_lines();
        for fault in &batch.faults {
            let message = format!("line {} of the log says nothing: {}", before + fault.line, fault.reason);
            let mut diagnostic = about_the_whole(Code::LogSyntax, message, None);
            diagnostic.hint = Some("lines that it may name are in no output; is the log whole?");
            self.tally.count_finding(diagnostic.code, diagnostic.severity);
            self.said.note(&diagnostic)?;
        }
        self.failures.add(batch);
        if from == 0 {
            self.said.progress.advance(piece.bytes.len() as u64, &self.said.console);
        }
        Ok(Flow::Continue)
    }
}

fn unmatched_message(entry: &Unmatched) -> String {
    let name = |id: &Option<Vec<u8>>| id.as_deref().map(shown);
    let what = match (name(&entry.device), name(&entry.module), entry.is_quoted) {
        (Some(device), _, true) => format!("quotes a line of the device {device:?}"),
        (None, _, _) => "quotes a line, or none at all,".to_owned(),
        (Some(device), Some(module), _) => format!("names the module {module:?} of {device:?}"),
        (Some(device), None, _) => format!("names the device {device:?}"),
    };
    format!("line {} of the log {what} with {}, and no line of the import file is that", entry.log_line, entry.code)
}
