//! Class `reader`: a file cut into chunks of whole lines, mapped and read.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hubmill_reader::{Cut, Input, MmapChoice, Watch};

struct Alone;

impl Watch for Alone {
    fn stopped(&self) -> bool {
        false
    }

    fn before_growth(&mut self) {}
}

fn reader(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("reader");
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    for data in data::all() {
        group.throughput(data.throughput());
        let path = folder.path().join(data.name);
        std::fs::write(&path, &data.bytes).expect("room for the data");
        let newlines = data.lines;
        for (name, choice) in [("mmap", MmapChoice::Always), ("read", MmapChoice::Never)] {
            let mut buffer = Vec::new();
            group.bench_function(BenchmarkId::new(name, data.name), |bencher| {
                bencher.iter(|| {
                    let input = Input::open(&path, choice).expect("the file is there");
                    let mut chunks = input.chunks(Cut::default());
                    let mut found = 0;
                    while let Some(chunk) = chunks.next(&mut buffer, &mut Alone).expect("the file can be read") {
                        // Counting touches every byte, as whatever comes after reading does.
                        found += chunk.bytes(&buffer).iter().filter(|byte| **byte == b'\n').count();
                    }
                    assert_eq!(found, newlines);
                });
            });
        }
    }
}

criterion_group!(benches, reader);
criterion_main!(benches);
