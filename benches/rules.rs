//! Class `rules`: a piece of input to a piece of output in memory, parsing and splicing included, on one thread.

#![allow(missing_docs, reason = "criterion's macros make the functions")]

mod data;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hubmill_device::ImportMode;
use hubmill_pipeline::{Piece, Transform, Work as _};
use hubmill_reader::Part;
use hubmill_rules::{Check, Condition, DeepEdits, KeySlots, Preset, RuleSet, Rules};

const DESIRED: &str = "NOT (properties.desired.telemetry.interval < 0)  OR NOT is_defined(properties.desired.x)";

fn condition(text: &str) -> Condition {
    Condition::parse(text).expect("a condition")
}

fn edits(all: &[&str]) -> DeepEdits {
    let mut edits = DeepEdits::default();
    all.iter().for_each(|edit| edits.set(edit).expect("an edit"));
    edits
}

fn sets() -> Vec<(&'static str, RuleSet)> {
    let delete = || RuleSet { import_mode: Some(ImportMode::Delete), ..RuleSet::default() };
    vec![
        ("copy", RuleSet::default()),
        ("copy-unchecked", RuleSet { check: Check::None, ..RuleSet::default() }),
        ("import-mode", delete()),
        ("strip-keys", RuleSet { strip_keys: true, ..RuleSet::default() }),
        ("import-mode+strip-keys", RuleSet { strip_keys: true, ..delete() }),
        ("regenerate-keys", RuleSet { regenerate_keys: Some(KeySlots::Both), ..RuleSet::default() }),
        ("migrate", RuleSet { preset: Some(Preset::Migrate), ..RuleSet::default() }),
        ("delete", RuleSet { preset: Some(Preset::Delete), ..RuleSet::default() }),
        // Beside `import-mode`: what a condition costs. It holds for all lines, so that all are written.
        (
            "import-mode+where-status",
            RuleSet { condition: Some(condition("status IN ['enabled', 'disabled']")), ..delete() },
        ),
        (
            "import-mode+where-tag",
            RuleSet { condition: Some(condition("NOT is_null(tags.location.region)")), ..delete() },
        ),
        ("import-mode+where-desired", RuleSet { condition: Some(condition(DESIRED)), ..delete() }),
        ("set-tag", RuleSet { deep: edits(&["tags.site=\"oslo\""]), ..RuleSet::default() }),
        ("set-desired", RuleSet { deep: edits(&["properties.desired.telemetry.interval=60"]), ..RuleSet::default() }),
    ]
}

/// Goes through all pieces; lines and bytes out.
fn go(work: &Transform, bytes: &[u8], scratch: &mut <Transform as hubmill_pipeline::Work>::Scratch) -> (u64, u64) {
    let mut batch = work.batch();
    let (mut lines, mut written, mut start) = (0, 0, 0);
    while start < bytes.len() {
        let limit = bytes.len().min(start + (512 << 10));
        let end = bytes[..limit].iter().rposition(|byte| *byte == b'\n').map_or(bytes.len(), |newline| newline + 1);
        let piece = Piece { offset: start as u64, is_first: false, bytes: &bytes[start..end], part: Part::Lines };
        let mut from = 0;
        while from < piece.bytes.len() {
            work.clear(&mut batch);
            from = work.work(scratch, piece, from, u64::MAX, &mut batch);
            lines += batch.tally.lines;
            written += batch.output.len() as u64;
        }
        start = end;
    }
    (lines, written)
}

fn rules(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rules");
    for data in data::all() {
        group.throughput(data.throughput());
        for (name, set) in sets() {
            let work = Transform {
                collect_rejects: true,
                collect_filtered: true,
                ..Transform::new(Rules::new(set).expect("the rules agree"))
            };
            let mut scratch = work.scratch();
            let want = go(&work, &data.bytes, &mut scratch);
            assert_eq!(want.0, data.lines as u64);
            assert!(want.1 as usize >= 40 * data.lines, "{name}: lines are missing");
            group.bench_function(BenchmarkId::new(name, data.name), |bencher| {
                bencher.iter(|| assert_eq!(go(&work, &data.bytes, &mut scratch), want));
            });
        }
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);
