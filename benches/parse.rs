//! Class `parse`: both stages, every line fully checked and its members found; and the oracle beside it.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use std::ops::ControlFlow;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hubmill_parser::{Content, Level, Limits, Parser};

/// Lines and members.
fn count(parser: &mut Parser, bytes: &[u8]) -> (usize, usize) {
    let (mut lines, mut members) = (0, 0);
    parser.parse(bytes, 0, |line| {
        lines += 1;
        if let Content::Record(record) = line.content {
            members += record.members().len();
        }
        ControlFlow::Continue(())
    });
    (lines, members)
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    for data in data::all() {
        group.throughput(data.throughput());
        let members = data
            .bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice::<serde_json::Map<_, _>>(line).expect("generated lines are valid").len())
            .sum();
        for level in Level::available() {
            let mut parser = Parser::new(level, Limits::default());
            group.bench_function(BenchmarkId::new(level.name(), data.name), |bencher| {
                bencher.iter(|| assert_eq!(count(&mut parser, &data.bytes), (data.lines, members)));
            });
        }
        let mut simd_json_buffers = simd_json::Buffers::new(4096);
        let mut line_buffer = Vec::new();
        group.bench_function(BenchmarkId::new("simd-json-tape", data.name), |bencher| {
            bencher.iter(|| {
                let mut lines = 0;
                for line in data.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                    line_buffer.clear();
                    line_buffer.extend_from_slice(line);
                    let tape = simd_json::to_tape_with_buffers(&mut line_buffer, &mut simd_json_buffers);
                    lines += usize::from(tape.is_ok());
                }
                // Numbers past its range are refused there, so this count is only close to ours.
                assert!(lines > 0);
            });
        });
    }
}

criterion_group!(benches, parse);
criterion_main!(benches);
