//! What is found in all lines, against lines compared one by one.

use std::collections::{BTreeMap, BTreeSet};

use hubmill_parser::Level;
use hubmill_testkit::rng::Rng;

use crate::duplicates::Duplicates;
use crate::entries::{Entries, Entry, TextHash};
use crate::fingerprint::Fingerprints;
use crate::repeats::{Repeat, RepeatKind, Repeats};

/// A line as the search gets it, and as it is.
#[derive(Clone, Debug)]
struct Line {
    entry: Entry,
    hash: TextHash,
    id: String,
    module: Option<String>,
    text: String,
}

impl Line {
    fn new(keys: &Fingerprints, line: u64, id: &str, module: Option<&str>, text: &str, flags: u64) -> Self {
        let module_flag = if module.is_some() { Entry::MODULE } else { 0 };
        let [device, key] = keys.of_ids(id.as_bytes(), module.map(str::as_bytes));
        Self {
            entry: Entry { device, key, line: line | flags | module_flag, byte: line * 100 },
            hash: keys.of_line(text.as_bytes()),
            id: id.to_owned(),
            module: module.map(str::to_owned),
            text: text.to_owned(),
        }
    }

    fn number(&self) -> u64 {
        self.entry.number()
    }

    fn is_created(&self) -> bool {
        !self.entry.is(Entry::NOT_CREATED)
    }
}

/// What is found in lines that come in two batches.
fn search(lines: &[Line], threads: usize, kept_max: usize, hashed: bool) -> Repeats {
    let mut duplicates = Duplicates::default();
    let (one, other) = lines.split_at(lines.len() / 3);
    for lines in [one, other] {
        let hashes = lines.iter().filter(|_| hashed).map(|line| line.hash);
        let entries = lines.iter().map(|line| line.entry);
        duplicates.add(&Entries { entries: entries.collect(), texts: hashes.collect() }, 0);
    }
    let text = |byte: u64| lines.iter().find(|line| line.entry.byte == byte).expect("a line").text.as_str();
    duplicates.finish(threads, kept_max, &|one, other| !hashed && text(one) == text(other))
}

fn found(repeats: &Repeats) -> Vec<(u64, RepeatKind, u64)> {
    let told = |repeat: Repeat| {
        assert_eq!(repeat.byte, repeat.line * 100);
        (repeat.line, repeat.kind, repeat.other)
    };
    repeats.in_order().map(told).collect()
}

/// The same, found line by line.
fn one_by_one(lines: &[Line]) -> Vec<(u64, RepeatKind, u64)> {
    let mut found = Vec::new();
    let mut modules: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        let same = |other: &&Line| (&other.id, &other.module) == (&line.id, &line.module);
        if let Some(first) = lines[..at].iter().find(same) {
            let kind = if first.text == line.text { RepeatKind::Equal } else { RepeatKind::Differs };
            found.push((line.number(), kind, first.number()));
        }
        let Some(module) = line.module.as_ref().filter(|_| line.is_created()) else { continue };
        modules.entry(&line.id).or_default().entry(module).or_insert(line.number());
        let is_device = |other: &&Line| other.id == line.id && other.module.is_none() && other.is_created();
        match lines.iter().find(is_device) {
            Some(device) if device.number() > line.number() => {
                found.push((line.number(), RepeatKind::DeviceLater, device.number()));
            }
            _ => {}
        }
    }
    for modules in modules.values().filter(|modules| modules.len() > 50) {
        let lines: BTreeSet<u64> = modules.values().copied().collect();
        let line = *lines.iter().nth(50).expect("more than 50");
        found.push((line, RepeatKind::OneModuleTooMany, modules.len() as u64));
    }
    found.sort_unstable();
    found
}

#[test]
fn repeated_ids_name_the_first_line_and_whether_the_lines_are_equal() {
    let keys = Fingerprints::new(Level::detect());
    let lines = [
        Line::new(&keys, 11, "a", None, "x", 0),
        Line::new(&keys, 12, "b", None, "x", 0),
        Line::new(&keys, 13, "a", None, "x", 0),
        Line::new(&keys, 14, "A", None, "x", 0),
        Line::new(&keys, 15, "a", Some("m"), "x", 0),
        Line::new(&keys, 16, "a", None, "y", Entry::INVALID),
        Line::new(&keys, 17, "a", Some("m"), "z", 0),
    ];
    for (threads, hashed) in [(1, true), (3, true), (1, false), (3, false)] {
        let repeats = search(&lines, threads, usize::MAX, hashed);
        assert_eq!(
            found(&repeats),
            [(13, RepeatKind::Equal, 11), (16, RepeatKind::Differs, 11), (17, RepeatKind::Differs, 15)]
        );
        assert_eq!((repeats.count(RepeatKind::Differs), repeats.count(RepeatKind::Equal)), (2, 1));
        assert_eq!(repeats.good_lines(&RepeatKind::ALL), 2);
        assert_eq!(repeats.good_lines(&[RepeatKind::Differs]), 1);
        assert_eq!(repeats.good_lines(&[]), 0);
    }
    assert_eq!(found(&search(&[], 2, usize::MAX, true)), []);
}

#[test]
fn lines_in_any_order_give_what_a_look_at_each_gives() {
    let keys = Fingerprints::new(Level::detect());
    let mut rng = Rng::new(7);
    let mut next = |below: u64| rng.below(below as usize) as u64;
    let mut kinds = [0; RepeatKind::ALL.len()];
    for _ in 0..100 {
        let (ids, modules, texts) = (1 + next(6), 1 + next(120), 1 + next(3));
        let lines: Vec<Line> = (1..=next(600))
            .map(|line| {
                let id = format!("d{}", next(ids));
                let module = (next(3) > 0).then(|| format!("m{}", next(modules)));
                let flags = [0, 0, Entry::NOT_CREATED, Entry::INVALID][next(4) as usize];
                Line::new(&keys, line, &id, module.as_deref(), &next(texts).to_string(), flags)
            })
            .collect();
        let want = one_by_one(&lines);
        let hashed = next(2) == 0;
        let repeats = search(&lines, 1 + next(3) as usize, usize::MAX, hashed);
        assert_eq!(found(&repeats), want);
        for kind in RepeatKind::ALL {
            let count = want.iter().filter(|found| found.1 == kind).count();
            kinds[kind as usize] += count;
            assert_eq!(repeats.count(kind), count as u64);
        }
        let errors = &RepeatKind::ALL[next(4) as usize..];
        let is_good = |line: u64| !lines[line as usize - 1].entry.is(Entry::INVALID);
        let bad: BTreeSet<u64> =
            want.iter().filter(|found| errors.contains(&found.1) && is_good(found.0)).map(|found| found.0).collect();
        assert_eq!(repeats.good_lines(errors), bad.len() as u64);

        let kept_max = next(12) as usize;
        let few = search(&lines, 2, kept_max, hashed);
        let of_kind = |kind| want.iter().filter(move |found| found.1 == kind).take(kept_max).copied();
        let first_of_each: BTreeSet<_> = RepeatKind::ALL.into_iter().flat_map(of_kind).collect();
        assert!(found(&few).into_iter().eq(first_of_each));
        assert!(RepeatKind::ALL.iter().all(|kind| few.count(*kind) == repeats.count(*kind)));
    }
    assert!(kinds.iter().all(|count| *count > 10), "{kinds:?}");
}

#[test]
fn many_lines_of_one_part_and_of_many_are_all_found() {
    let keys = Fingerprints::new(Level::detect());
    // Modules of one device are in one part; devices are in all.
    for modules in [false, true] {
        let lines: Vec<Line> = (1..=40_000u64)
            .map(|line| {
                let name = format!("m{}", line % 39_000);
                let (id, module) = if modules { ("d", Some(name.as_str())) } else { (name.as_str(), None) };
                Line::new(&keys, line, id, module, "x", Entry::NOT_CREATED)
            })
            .collect();
        let repeats = search(&lines, 2, usize::MAX, true);
        let want: Vec<_> = (39_001..=40_000).map(|line| (line, RepeatKind::Equal, line - 39_000)).collect();
        assert_eq!(found(&repeats), want);
        assert_eq!(repeats.count(RepeatKind::Equal), 1_000);
    }
}
