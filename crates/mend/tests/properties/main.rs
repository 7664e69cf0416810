//! Responsible for: that an import which `diff` or `undo` computes does what is said of it, told by a naive hub, for generated exports
//! and imports. Not for: files, flags and messages; see `tests/mend` of the program.

mod diff;
mod hubs;
mod undo;

use std::io::Write as _;
use std::path::Path;

use hubmill_device::Code;
use hubmill_mend::{
    Diff, DiffOptions, Failures, LinesBatch, LogBatch, Passes, ReadLog, Retry, RetryBatch, Selection, Steps, Stretch,
    Stretches, Totals, Undo, UndoFiles,
};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{Drain, Flow, Options, Piece, Work, run, run_from};
use hubmill_reader::{Cut, Input, MmapChoice};
use hubmill_registry::{How, Registry};

/// What came of a computation.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) import: String,
    pub(crate) totals: Totals,
    /// Code and id of each finding.
    pub(crate) findings: Vec<(Code, String)>,
}

impl Outcome {
    /// The ids of findings of a code.
    pub(crate) fn ids_of(&self, code: Code) -> Vec<&str> {
        self.findings.iter().filter(|(found, _)| *found == code).map(|(_, id)| id.as_str()).collect()
    }
}

impl Drain<LinesBatch, Stretches> for Outcome {
    type Error = String;

    fn drain(&mut self, _: Stretch, _: usize, batch: &LinesBatch) -> Result<Flow, String> {
        assert!(batch.error.is_none(), "{:?}", batch.error);
        self.import.push_str(std::str::from_utf8(&batch.output).expect("text"));
        self.totals.add(&batch.totals);
        let found = batch.diagnostics.iter().map(|found| (found.code, found.id.clone().unwrap_or_default()));
        self.findings.extend(found);
        Ok(Flow::Continue)
    }
}

struct Folder(tempfile::TempDir, usize);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"), 0)
    }

    fn input(&mut self, text: &str) -> Input {
        self.1 += 1;
        let path = self.0.path().join(self.1.to_string());
        write(&path, text);
        // Both ways of reading.
        let choice = if self.1.is_multiple_of(2) { MmapChoice::Always } else { MmapChoice::Never };
        Input::open(&path, choice).expect("a file")
    }

    fn registry(&mut self, text: &str) -> Registry {
        let how = How { options: options(), limits: Limits::default(), level: Level::detect(), mmap: MmapChoice::Auto };
        Registry::build(self.input(text), &how, |_| {}).expect("an index")
    }
}

fn write(path: &Path, text: &str) {
    std::fs::File::create(path).and_then(|mut file| file.write_all(text.as_bytes())).expect("a file can be written");
}

fn options() -> Options {
    Options { threads: 1, cut: Cut::default(), once: true }
}

fn reading() -> (Level, Limits) {
    (Level::detect(), Limits::default())
}

fn go<S>(work: &Steps<S>, passes: &Passes<'_>, outcome: &mut Outcome)
where
    Steps<S>: Work<Stretches, Batch = LinesBatch>,
{
    assert!(run_from(passes, 1, work, outcome).expect("it runs"));
}

/// The import that turns one export into another.
pub(crate) fn diff(from: &str, to: &str, options: DiffOptions) -> Outcome {
    let mut folder = Folder::new();
    let (from, to) = (folder.registry(from), folder.registry(to));
    let work = Diff::new(&from, &to, options, reading(), true);
    let mut outcome = Outcome::default();
    go(&work, &work.first_passes(), &mut outcome);
    go(&work, &work.last_passes(), &mut outcome);
    outcome
}

struct Entries<'a>(&'a mut Failures);

impl Drain<LogBatch> for Entries<'_> {
    type Error = String;

    fn drain(&mut self, _: Piece<'_>, _: usize, batch: &LogBatch) -> Result<Flow, String> {
        self.0.add(batch);
        Ok(Flow::Continue)
    }
}

struct Ignore;

impl Drain<RetryBatch> for Ignore {
    type Error = String;

    fn drain(&mut self, _: Piece<'_>, _: usize, _: &RetryBatch) -> Result<Flow, String> {
        Ok(Flow::Continue)
    }
}

/// The import that takes another one back.
pub(crate) fn undo(backup: &str, import: &str, log: Option<&str>, after: Option<&str>) -> Outcome {
    let mut folder = Folder::new();
    let (backup, import) = (folder.registry(backup), folder.registry(import));
    let after = after.map(|after| folder.registry(after));
    let log = log.map(|log| {
        let read = ReadLog::new(Limits::default(), Level::detect());
        let mut failures = Failures::default();
        assert!(run(&folder.input(log), options(), &read, &mut Entries(&mut failures)).expect("it runs"));
        failures.finish();
        let all = Selection { all: true, ..Selection::default() };
        let retry = Retry::new(&read, &failures, &all, Limits::default(), Level::detect());
        assert!(run(import.input(), options(), &retry, &mut Ignore).expect("it runs"));
        assert!(failures.unmatched().is_empty(), "{:?}", failures.unmatched());
        (read, failures)
    });
    let files = UndoFiles {
        backup: &backup,
        import: &import,
        after: after.as_ref(),
        log: log.as_ref().map(|(read, failures)| (read, failures)),
    };
    let work = Undo::new(files, reading(), true).expect("it can be made");
    let mut outcome = Outcome::default();
    for passes in work.passes() {
        go(&work, &passes, &mut outcome);
    }
    outcome
}
