//! Class `validate`: a piece of input to its findings in memory, on one thread, and the comparison of all lines at the end.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{Piece, Statistics, Validate, Validation, Work};
use hubmill_reader::Part;
use hubmill_rules::{Check, Checker, Policy};

/// Bytes of a piece.
const PIECE_BYTES: usize = 512 << 10;

/// Hands all pieces to `take`.
fn pieces(bytes: &[u8], mut take: impl FnMut(Piece<'_>)) {
    let mut start = 0;
    while start < bytes.len() {
        let limit = bytes.len().min(start + PIECE_BYTES);
        let end = bytes[..limit].iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |newline| newline + 1);
        take(Piece { offset: start as u64, is_first: false, bytes: &bytes[start..end], part: Part::Lines });
        start = end;
    }
}

/// Lines, errors and warnings.
fn go(work: &Validate, bytes: &[u8], scratch: &mut <Validate as Work>::Scratch) -> [u64; 3] {
    let mut validation = Validation::new(work);
    let mut batch = work.batch();
    pieces(bytes, |piece| {
        work.clear(&mut batch);
        assert_eq!(work.work(scratch, piece, 0, u64::MAX, &mut batch), piece.bytes.len());
        validation.take(&batch);
    });
    validation.finish(1, &|_, _| false, drop);
    let tally = validation.tally();
    [tally.lines, tally.errors, tally.warnings]
}

fn validate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("validate");
    for data in data::all() {
        group.throughput(data.throughput());
        for (name, check, compares) in
            [("id", Check::Id, false), ("full-each-line", Check::Full, false), ("full", Check::Full, true)]
        {
            let checker = Checker::new(check, Policy::default());
            let work = Validate::new(checker, Limits::default(), Level::detect(), false, compares);
            let mut scratch = work.scratch();
            let found = go(&work, &data.bytes, &mut scratch);
            // No id stands twice; of the lines some are the hub's own modules, some have no authentication.
            let want = match (check, data.name) {
                (Check::Full, "identity") => [20_000, IDENTITY_FOUND[0], IDENTITY_FOUND[1]],
                (Check::Full, _) => [2_000, TWIN_FOUND[0], TWIN_FOUND[1]],
                _ => [data.lines as u64, 0, 0],
            };
            assert_eq!(found, want, "{name} {}", data.name);
            group.bench_function(BenchmarkId::new(name, data.name), |bencher| {
                bencher.iter(|| assert_eq!(go(&work, &data.bytes, &mut scratch), want));
            });
        }
        let work = Statistics::new(Limits::default(), Level::detect(), None);
        let (mut scratch, mut batch) = (work.scratch(), work.batch());
        group.bench_function(BenchmarkId::new("stats", data.name), |bencher| {
            bencher.iter(|| {
                let mut lines = 0;
                pieces(&data.bytes, |piece| {
                    work.clear(&mut batch);
                    work.work(&mut scratch, piece, 0, u64::MAX, &mut batch);
                    lines += batch.counts.devices + batch.counts.modules;
                });
                assert_eq!(lines, data.lines as u64);
            });
        });
    }
}

/// Errors and warnings in the data without twins.
const IDENTITY_FOUND: [u64; 2] = [3_288, 4_619];
/// Errors and warnings in the data with twins.
const TWIN_FOUND: [u64; 2] = [342, 467];

criterion_group!(benches, validate);
criterion_main!(benches);
