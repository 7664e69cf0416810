//! Class `end_to_end`: file to file through all threads, beside a plain copy of the same file by read and write.
//!
//! The file is small, so that starting threads and creating the output count in full; whole tools are compared on large
//! files and as processes elsewhere.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use std::io::{Read as _, Write as _};
use std::path::Path;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hubmill_device::ImportMode;
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{Batch, Drain, Flow, OnInvalid, Options, Piece, Transform, run};
use hubmill_reader::{Cut, Input, MmapChoice};
use hubmill_rules::{RuleSet, Rules};
use hubmill_writer::{Access, Error, Pending, Sink, Sync, commit_all};

struct Write {
    sink: Sink,
    lines: u64,
}

impl Drain<Batch> for Write {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, _: usize, batch: &Batch) -> Result<Flow, Error> {
        for bytes in batch.output.pieces(piece.bytes) {
            self.sink.write(bytes)?;
        }
        self.lines += batch.tally.lines;
        Ok(Flow::Continue)
    }
}

fn transform(work: &Transform, from: &Path, to: &Path, choice: MmapChoice, threads: usize) -> u64 {
    let input = Input::open(from, choice).expect("the file is there");
    let pending = Pending::default();
    let mut drain =
        Write { sink: Sink::create(to, Access::Ordinary, &pending).expect("a folder to write to"), lines: 0 };
    let whole = run(&input, Options { threads, cut: Cut::default() }, work, &mut drain);
    assert!(whole.expect("reading and writing work"));
    commit_all(vec![drain.sink], Sync::BySystem, &pending).expect("the file can be put in place");
    drain.lines
}

fn copy(from: &Path, to: &Path) {
    let mut from = std::fs::File::open(from).expect("the file is there");
    let mut to = std::fs::File::create(to).expect("a folder to write to");
    let mut buffer = vec![0; 128 << 10];
    loop {
        let count = from.read(&mut buffer).expect("the file can be read");
        if count == 0 {
            return;
        }
        to.write_all(&buffer[..count]).expect("room for the copy");
    }
}

fn end_to_end(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("end_to_end");
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (from, to) = (folder.path().join("in"), folder.path().join("out"));
    for data in data::all() {
        group.throughput(data.throughput());
        std::fs::write(&from, &data.bytes).expect("room for the data");
        group.bench_function(BenchmarkId::new("plain-copy", data.name), |bencher| bencher.iter(|| copy(&from, &to)));
        let added = ",\"importMode\":\"delete\"".len() * data.lines;
        for (name, mode, length) in
            [("copy", None, data.bytes.len()), ("import-mode", Some(ImportMode::Delete), data.bytes.len() + added)]
        {
            let work = Transform {
                rules: Rules::new(RuleSet { import_mode: mode, ..RuleSet::default() }).expect("the rules agree"),
                limits: Limits::default(),
                level: Level::detect(),
                on_invalid: OnInvalid::Reject,
                collect_rejects: false,
                collect_filtered: false,
                collect_keys: false,
                all_diagnostics: false,
                invalid_max: u64::MAX,
                checker: None,
            };
            for (source, choice) in [("mmap", MmapChoice::Always), ("read", MmapChoice::Never)] {
                for threads in [1, 2] {
                    let id = BenchmarkId::new(format!("{name}-{source}-{threads}"), data.name);
                    group.bench_function(id, |bencher| {
                        bencher.iter(|| assert_eq!(transform(&work, &from, &to, choice, threads), data.lines as u64));
                    });
                    let written = std::fs::metadata(&to).expect("the output is there").len();
                    assert_eq!(written, length as u64);
                }
            }
        }
    }
}

criterion_group!(benches, end_to_end);
criterion_main!(benches);
