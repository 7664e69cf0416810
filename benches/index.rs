//! Class `index`: stage 1 alone, the places of structural characters and line ends, at every SIMD level.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hubmill_parser::{Level, Limits, Parser};

fn index(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index");
    for data in data::all() {
        group.throughput(data.throughput());
        let want = Parser::new(Level::SCALAR, Limits::default()).count_tokens(&data.bytes);
        assert_eq!(want.1, data.lines);
        for level in Level::available() {
            let mut parser = Parser::new(level, Limits::default());
            group.bench_function(BenchmarkId::new(level.name(), data.name), |bencher| {
                bencher.iter(|| assert_eq!(parser.count_tokens(&data.bytes), want));
            });
        }
    }
}

criterion_group!(benches, index);
criterion_main!(benches);
