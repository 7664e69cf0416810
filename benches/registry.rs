//! Class `registry`: an export to its index, and an import rehearsed on it, from files, on one thread.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use std::io::Write as _;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::Options;
use hubmill_reader::{Cut, Input, MmapChoice};
use hubmill_registry::{Event, How, Outcome, Registry, Summary, Witness, rehearse};

/// Sees nothing.
struct Blind;

impl Witness for Blind {
    fn wants_changes(&self) -> bool {
        false
    }

    fn wants(&self, _: Outcome) -> bool {
        false
    }

    fn see(&mut self, _: &Event<'_>) -> std::io::Result<()> {
        Ok(())
    }

    fn advance(&mut self, _: u64, _: Option<&str>) {}
}

fn how() -> How {
    let options = Options { threads: 1, cut: Cut::default(), once: true };
    How { options, limits: Limits::default(), level: Level::detect(), mmap: MmapChoice::Always }
}

/// Lines of an outcome: updated, unchanged, failing, not known.
fn counts(summary: &Summary) -> [u64; 4] {
    [summary.updated.sum(), summary.unchanged.sum(), summary.failing_lines(), summary.not_known_lines()]
}

fn registry(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("registry");
    for data in data::all() {
        let file = |bytes: &[u8]| {
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(bytes).expect("it can be written");
            file
        };
        let disabled = String::from_utf8(data.bytes.clone())
            .expect("text")
            .replace("\"status\":\"enabled\"", "\"status\":\"disabled\"");
        let (export, import) = (file(&data.bytes), file(disabled.as_bytes()));
        let open = |file: &tempfile::NamedTempFile| Input::open(file.path(), MmapChoice::Always).expect("it is there");
        group.throughput(data.throughput());
        group.bench_function(BenchmarkId::new("index", data.name), |bencher| {
            bencher.iter(|| {
                let index = Registry::build(open(&export), &how(), |_| {}).expect("an index");
                assert_eq!(index.entries().len(), data.lines);
                assert!(index.memory() <= 96 * data.lines, "what is promised for a device");
            });
        });
        let index = Registry::build(open(&export), &how(), |_| {}).expect("an index");
        let opened = open(&import);
        // Two lines in sixteen are the hub's own modules; those without authentication change in any case.
        let want = if data.name == "identity" { IDENTITY } else { TWIN };
        group.throughput(Throughput::Bytes(disabled.len() as u64));
        group.bench_function(BenchmarkId::new("rehearse", data.name), |bencher| {
            bencher.iter(|| {
                let (summary, _, _) = rehearse(&index, &opened, &how(), None, Blind).expect("a rehearsal");
                assert_eq!(counts(&summary), want, "{}", data.name);
            });
        });
    }
}

const IDENTITY: [u64; 4] = [16_256, 1_244, 2_500, 0];
const TWIN: [u64; 4] = [1_635, 115, 250, 0];

criterion_group!(benches, registry);
criterion_main!(benches);
