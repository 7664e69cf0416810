//! Class `writer`: splicing alone, one edit a line, against one copy of everything.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hubmill_writer::{Edit, Gather};

fn writer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("writer");
    let text = b",\"importMode\":\"delete\"";
    let mut texts = text.to_vec();
    texts.extend_from_slice(&[0; 64]);
    for data in data::all() {
        group.throughput(data.throughput());
        let mut lines = Vec::new();
        let mut start = 0;
        for (newline, _) in data.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            lines.push((start, newline));
            start = newline + 1;
        }
        assert_eq!(lines.len(), data.lines);
        let mut gather = Gather::default();
        group.bench_function(BenchmarkId::new("splice", data.name), |bencher| {
            bencher.iter(|| {
                gather.clear();
                for (start, end) in &lines {
                    let at = *end as u32 - 1;
                    let edit = Edit { start: at, end: at, text_start: 0, text_end: text.len() as u32 };
                    gather.edit(&data.bytes, *start, *end, [edit], &texts);
                }
                assert_eq!(gather.len(), data.bytes.len() + lines.len() * text.len());
            });
        });
        let mut copy = Vec::new();
        group.bench_function(BenchmarkId::new("one-copy", data.name), |bencher| {
            bencher.iter(|| {
                copy.clear();
                copy.extend_from_slice(&data.bytes);
                assert_eq!(copy.len(), data.bytes.len());
            });
        });
    }
}

criterion_group!(benches, writer);
criterion_main!(benches);
