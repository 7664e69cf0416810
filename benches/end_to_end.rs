//! Class `end_to_end`: file to file through all threads, beside a plain copy of the same file by read and write.
//!
//! The file is small, so that starting threads and creating the output count in full; whole tools are compared on large
//! files and as processes elsewhere.
//!
//! Class `hostile`: the same for shapes that no hub writes, beside lines that it does write. In bytes of input a second, so
//! that one run shows how many times dearer a byte can be made.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use std::io::{Read as _, Write as _};
use std::path::Path;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hubmill_device::ImportMode;
use hubmill_pipeline::{Batch, Drain, Flow, Options, Piece, Tally, Transform, run};
use hubmill_reader::{Cut, Input, MmapChoice};
use hubmill_rules::{RuleSet, Rules};
use hubmill_testkit::generate::{Kind, file};
use hubmill_testkit::hostile::names_line;
use hubmill_writer::{Access, Error, Pending, Sink, Sync, commit_all};

struct Write {
    sink: Sink,
    tally: Tally,
}

impl Drain<Batch> for Write {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, _: usize, batch: &Batch) -> Result<Flow, Error> {
        for bytes in batch.output.pieces(piece.bytes) {
            self.sink.write(bytes)?;
        }
        self.tally.add(&batch.tally);
        Ok(Flow::Continue)
    }
}

/// What became of the lines, and how many bytes came out.
fn transform(work: &Transform, from: &Path, to: &Path, choice: MmapChoice, threads: usize) -> (Tally, u64) {
    let input = Input::open(from, choice).expect("the file is there");
    let pending = Pending::default();
    let mut drain = Write {
        sink: Sink::create(to, Access::Ordinary, &pending).expect("a folder to write to"),
        tally: Tally::default(),
    };
    let whole = run(&input, Options { threads, cut: Cut::default(), once: true }, work, &mut drain);
    assert!(whole.expect("reading and writing work"));
    let bytes = drain.sink.bytes();
    commit_all(vec![drain.sink], Sync::BySystem, &pending).expect("the file can be put in place");
    (drain.tally, bytes)
}

/// The work of setting the mode of every line, or of none.
fn rewrite(mode: Option<ImportMode>) -> Transform {
    Transform::new(Rules::new(RuleSet { import_mode: mode, ..RuleSet::default() }).expect("the rules agree"))
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

/// What is added to a line.
const MODE_MEMBER: &str = ",\"importMode\":\"delete\"";

fn end_to_end(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("end_to_end");
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (from, to) = (folder.path().join("in"), folder.path().join("out"));
    for data in data::all() {
        group.throughput(data.throughput());
        std::fs::write(&from, &data.bytes).expect("room for the data");
        group.bench_function(BenchmarkId::new("plain-copy", data.name), |bencher| bencher.iter(|| copy(&from, &to)));
        let added = MODE_MEMBER.len() * data.lines;
        for (name, mode, length) in
            [("copy", None, data.bytes.len()), ("import-mode", Some(ImportMode::Delete), data.bytes.len() + added)]
        {
            let work = rewrite(mode);
            for (source, choice) in [("mmap", MmapChoice::Always), ("read", MmapChoice::Never)] {
                for threads in [1, 2] {
                    let id = BenchmarkId::new(format!("{name}-{source}-{threads}"), data.name);
                    group.bench_function(id, |bencher| {
                        bencher.iter(|| {
                            let (tally, bytes) = transform(&work, &from, &to, choice, threads);
                            assert_eq!((tally.written, bytes), (data.lines as u64, length as u64));
                        });
                    });
                }
            }
        }
    }
}

/// One line of nearly 16 MiB that is nothing but members of different names.
fn one_line_of_names() -> Vec<u8> {
    let mut line = Vec::new();
    names_line(1_300_000, 1, &mut line);
    assert!((15 << 20..16 << 20).contains(&line.len()), "{} bytes", line.len());
    line.push(b'\n');
    line
}

fn hostile(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hostile");
    group.sample_size(20);
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let (from, to) = (folder.path().join("in"), folder.path().join("out"));
    let work = rewrite(Some(ImportMode::Delete));
    let shapes: [(&str, u64, Vec<u8>); 11] = [
        ("identity", 20_000, file(Kind::Identity, 20_000, 1)),
        ("every-line-another", 15_000, file(Kind::EveryLineAnother, 15_000, 1)),
        ("deep", 8_000, file(Kind::Deep, 8_000, 1)),
        ("escapes", 1_000, file(Kind::Escapes, 1_000, 1)),
        ("non-ascii", 2_000, file(Kind::NonAscii, 2_000, 1)),
        ("many-names", 400, file(Kind::ManyNames, 400, 1)),
        ("all-invalid", 80_000, file(Kind::AllInvalid, 80_000, 1)),
        ("ten-bytes", 400_000, file(Kind::TenBytes, 400_000, 1)),
        ("blank", 4_000_000, b"\n".repeat(4_000_000)),
        ("one-line-of-text", 1, file(Kind::Huge, 1, 1)),
        ("one-line-of-names", 1, one_line_of_names()),
    ];
    for (name, lines, bytes) in shapes {
        std::fs::write(&from, &bytes).expect("room for the data");
        let mut want = (lines, 0, 0, bytes.len() as u64 + lines * MODE_MEMBER.len() as u64);
        match name {
            "all-invalid" => want = (0, lines, 0, 0),
            "blank" => want = (0, 0, lines, 0),
            _ => {}
        }
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (tally, bytes) = transform(&work, &from, &to, MmapChoice::Never, 2);
                assert_eq!((tally.written, tally.rejected, tally.blank, bytes), want);
            });
        });
    }
}

criterion_group!(benches, end_to_end, hostile);
criterion_main!(benches);
