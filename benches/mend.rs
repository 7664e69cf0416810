//! Class `mend`: a log to the failed lines of an import, two exports to the import between them, and an import to the one that takes
//! it back; in memory, files mapped, on one thread.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hubmill_mend::{Diff, DiffOptions, LinesBatch, Passes, Steps, Stretch, Stretches, Totals, Undo, UndoFiles};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{Drain, Flow, Options, Work, run_from};
use hubmill_reader::{Cut, Input, MmapChoice};
use hubmill_registry::{How, Registry};
use hubmill_testkit::generate::{Kind, file};

const LINES: u64 = 20_000;

/// Counts what comes out.
#[derive(Default)]
struct Count {
    totals: Totals,
    bytes: usize,
}

impl Drain<LinesBatch, Stretches> for Count {
    type Error = String;

    fn drain(&mut self, _: Stretch, _: usize, batch: &LinesBatch) -> Result<Flow, String> {
        self.totals.add(&batch.totals);
        self.bytes += batch.output.len();
        Ok(Flow::Continue)
    }
}

fn registry(folder: &tempfile::TempDir, name: &str, content: &str) -> Registry {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a file can be written");
    let options = Options { threads: 1, cut: Cut::default(), once: true };
    let how = How { options, limits: Limits::default(), level: Level::detect(), mmap: MmapChoice::Always };
    let input = Input::open(&path, MmapChoice::Always).expect("the file is there");
    Registry::build(input, &how, |_| {}).expect("an index")
}

fn go<S>(work: &Steps<S>, all: &[Passes<'_>]) -> Count
where
    Steps<S>: Work<Stretches, Batch = LinesBatch>,
{
    let mut count = Count::default();
    for passes in all {
        assert!(run_from(passes, 1, work, &mut count).expect("it runs"));
    }
    count
}

fn mend(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let from = String::from_utf8(file(Kind::Identity, LINES, 1)).expect("text");
    let to = from.replace("\"status\":\"disabled\"", "\"status\":\"enabled\"");
    let changed = from.lines().zip(to.lines()).filter(|(one, other)| one != other).count() as u64;
    assert!(changed > 500, "{changed}");
    let import: String = from
        .lines()
        .filter(|line| !line.contains("moduleId"))
        .map(|line| line.replace("\"status\":", "\"importMode\":\"delete\",\"status\":") + "\n")
        .collect();
    let devices = import.lines().count() as u64;
    let (from, to, import) =
        (registry(&folder, "from", &from), registry(&folder, "to", &to), registry(&folder, "import", &import));
    let reading = (Level::detect(), Limits::default());
    let mut group = criterion.benchmark_group("mend");
    group.throughput(Throughput::Elements(LINES));
    let diff = || {
        let work = Diff::new(&from, &to, DiffOptions::default(), reading, false);
        let count = go(&work, &[work.first_passes(), work.last_passes()]);
        // Where keys are not known, an update is not written.
        assert!(count.totals.updates <= changed && count.totals.updates * 10 > changed * 8, "{:?}", count.totals);
        assert_eq!((count.totals.creates, count.totals.deletes, count.totals.only_from), (0, 0, 0));
        count.bytes
    };
    let bytes = diff();
    group.bench_function("diff", |bencher| bencher.iter(|| assert_eq!(diff(), bytes)));
    let undo = || {
        let files = UndoFiles { backup: &from, import: &import, after: None, log: None };
        let work = Undo::new(files, reading, false).expect("it can be made");
        let count = go(&work, &work.passes());
        assert_eq!(count.totals.recreated, devices);
        assert_eq!(count.totals.creates + count.totals.system_modules, LINES);
        count.bytes
    };
    let bytes = undo();
    group.bench_function("undo", |bencher| bencher.iter(|| assert_eq!(undo(), bytes)));
}

criterion_group!(benches, mend);
criterion_main!(benches);
