//! Responsible for: that lines which are transformed, or checked, by what is known ahead of their forms become, and leave
//! behind, what they do one by one.
//! Not for: what rules should make of a line; the process tests and the oracle say that.

use hubmill_device::{Code, ImportMode, Status};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{Batch, Diagnostic, Piece, Tally, Transform, Validate, Validation, Work};
use hubmill_reader::Part;
use hubmill_rules::{Check, Checker, KeySlots, Policy, Preset, RuleSet, Rules};
use hubmill_testkit::generate::{self, Kind};
use hubmill_testkit::rng::Rng;

/// What is told of a line: code, line, byte, id, path, message.
type Told = (Code, u64, u64, Option<String>, String, String);

fn told(found: &Diagnostic, lines_before: u64) -> Told {
    let line = lines_before + found.line;
    (found.code, line, found.byte, found.id.clone(), found.path.clone(), found.message.clone())
}

/// What comes out of all rounds over a piece; of what is random only the length.
#[derive(Debug, Default, PartialEq)]
struct Out {
    output: Vec<u8>,
    output_bytes: usize,
    rejects: Vec<u8>,
    filtered: Vec<u8>,
    keys_bytes: usize,
    diagnostics: Vec<Told>,
    tally: Tally,
}

fn out(set: RuleSet, all_diagnostics: bool, one_by_one: bool, pieces: &[&[u8]]) -> Out {
    let rules = Rules::new(set).expect("no contradiction");
    let is_random = rules.makes_keys();
    let transform = Transform {
        collect_rejects: true,
        collect_filtered: true,
        collect_keys: true,
        all_diagnostics,
        // Who wants to see lines as they were and as they leave has them one by one.
        samples_max: if one_by_one { usize::MAX } else { 0 },
        ..Transform::new(rules)
    };
    let (mut scratch, mut batch) = (transform.scratch(), Batch::default());
    let mut out = Out::default();
    let mut offset = 0;
    for (number, bytes) in pieces.iter().enumerate() {
        let piece = Piece { offset, is_first: number == 0, bytes, part: Part::Lines };
        let mut from = 0;
        while from < bytes.len() {
            transform.clear(&mut batch);
            from = transform.work(&mut scratch, piece, from, u64::MAX, &mut batch);
            let lines_before = out.tally.lines;
            out.tally.add(&batch.tally);
            batch.rejects.pieces(bytes).for_each(|piece| out.rejects.extend_from_slice(piece));
            batch.filtered.pieces(bytes).for_each(|piece| out.filtered.extend_from_slice(piece));
            for piece in batch.output.pieces(bytes) {
                out.output_bytes += piece.len();
                if !is_random {
                    out.output.extend_from_slice(piece);
                }
            }
            out.keys_bytes += batch.keys.len();
            out.diagnostics.extend(batch.diagnostics.iter().map(|found| told(found, lines_before)));
        }
        offset += bytes.len() as u64;
    }
    out
}

#[test]
fn what_is_known_ahead_of_lines_changes_nothing_of_what_becomes_of_them() {
    let mut rng = Rng::new(11);
    let mut chunk = Vec::new();
    for index in 0..6_000 {
        let kind = [Kind::Identity, Kind::Identity, Kind::Identity, Kind::Twin, Kind::TenBytes][rng.below(5)];
        let start = chunk.len();
        generate::line(kind, 3, index % 500, &mut chunk);
        match rng.below(12) {
            // No id that a hub takes; no JSON; no line.
            0 => {
                let at = chunk[start..].windows(6).position(|name| name == b"\"id\":\"").expect("an id");
                chunk.insert(start + at + 6, b' ');
            }
            1 => drop(chunk.pop()),
            2 => chunk.truncate(start),
            _ => {}
        }
        chunk.extend_from_slice(rng.pick(&[b"\n".as_slice(), b"\n", b"\n", b"\r\n"]));
    }
    let cut = 1 + chunk[..chunk.len() / 2].iter().rposition(|byte| *byte == b'\n').expect("lines");
    let (first, second) = chunk.split_at(cut);
    let pieces = [first, second];
    let sets: [fn() -> RuleSet; 10] = [
        RuleSet::default,
        || RuleSet { check: Check::None, ..RuleSet::default() },
        || RuleSet { import_mode: Some(ImportMode::Delete), ..RuleSet::default() },
        || RuleSet { import_mode: Some(ImportMode::Update), status: Some(Status::Disabled), ..RuleSet::default() },
        || RuleSet { strip_keys: true, devices_only: true, ..RuleSet::default() },
        || RuleSet { minimal: true, modules_only: true, ..RuleSet::default() },
        || RuleSet { strip_etags: true, strip_twin: true, ..RuleSet::default() },
        || RuleSet { regenerate_keys: Some(KeySlots::Both), ..RuleSet::default() },
        || RuleSet { preset: Some(Preset::Share), ..RuleSet::default() },
        || RuleSet {
            preset: Some(Preset::Migrate),
            allow: vec![Code::DeviceScope, Code::KeysByHub],
            ..RuleSet::default()
        },
    ];
    for set in sets {
        for all_diagnostics in [false, true] {
            let found = out(set(), all_diagnostics, false, &pieces);
            let want = out(set(), all_diagnostics, true, &pieces);
            assert_eq!(found.tally, want.tally, "{:?}", set());
            // Not all of it in words, which would be unreadable.
            assert!(found == want, "{:?}", set());
            let Tally { written, filtered, rejected, blank, .. } = found.tally;
            assert!(written + filtered > 4_000 && rejected > 400 && blank > 300, "{:?}", found.tally);
        }
    }
}

/// What a short check tells of the lines of all pieces, and what became of these.
fn checked(policy: Policy, all_diagnostics: bool, one_by_one: bool, pieces: &[&[u8]]) -> (Vec<Told>, Tally) {
    // Lines that are to be compared with each other are looked at one by one.
    let checker = Checker::new(Check::Id, policy);
    let work = Validate::new(checker, Limits::default(), Level::detect(), all_diagnostics, one_by_one);
    let (mut scratch, mut batch) = (work.scratch(), work.batch());
    let mut validation = Validation::new(&work);
    let (mut offset, mut found) = (0, Vec::new());
    for (number, bytes) in pieces.iter().enumerate() {
        let piece = Piece { offset, is_first: number == 0, bytes, part: Part::Lines };
        let mut from = 0;
        while from < bytes.len() {
            work.clear(&mut batch);
            from = work.work(&mut scratch, piece, from, u64::MAX, &mut batch);
            found.extend(validation.take(&batch).iter().map(|found| told(found, 0)));
        }
        offset += bytes.len() as u64;
    }
    (found, validation.tally().clone())
}

#[test]
fn what_is_known_ahead_of_lines_changes_nothing_of_what_a_short_check_finds() {
    let mut rng = Rng::new(12);
    let mut chunk = Vec::new();
    for index in 0..6_000 {
        let kind = [Kind::Identity, Kind::Identity, Kind::Twin, Kind::TenBytes][rng.below(4)];
        let start = chunk.len();
        generate::line(kind, 3, index % 500, &mut chunk);
        let mut line = String::from_utf8(chunk.split_off(start)).expect("UTF-8");
        // One line in three is changed where a short check looks, the others tell it what to expect.
        let (from, to) = match rng.below(24) {
            0 => ("\"id\":\"", "\"id\":\" "),
            1 => ("\"id\":\"", "\"id\":\"\\u0061"),
            2 => ("\"id\":\"", "\"id\":null,\"was\":\""),
            3 => ("\"id\":", "\"ID\":"),
            4 => ("\"status\":\"enabled\"", "\"status\":null"),
            5 => ("\"status\":\"enabled\"", "\"status\":1"),
            6 => ("\"status\":\"enabled\"", "\"status\":true"),
            7 => ("\"status\":\"enabled\"", "\"status\":\"\""),
            8 => ("\"status\":", "\"stat\\u0075s\":"),
            9 => ("\"status\":", "\"eTag\":\"twice\",\"status\":"),
            _ => ("", ""),
        };
        line = line.replacen(from, to, 1);
        if rng.chance(2) {
            line.pop();
        }
        chunk.extend_from_slice(line.as_bytes());
        chunk.push(b'\n');
    }
    let cut = 1 + chunk[..chunk.len() / 2].iter().rposition(|byte| *byte == b'\n').expect("lines");
    let (first, second) = chunk.split_at(cut);
    let policies: [(&[Code], &[Code]); 3] =
        [(&[], &[]), (&[Code::StatusMissing, Code::IdCharset], &[]), (&[], &[Code::StatusMissing])];
    for (allowed, denied) in policies {
        let policy = Policy::new(allowed, denied).expect("no contradiction");
        for all_diagnostics in [false, true] {
            let found = checked(policy, all_diagnostics, false, &[first, second]);
            let want = checked(policy, all_diagnostics, true, &[first, second]);
            assert_eq!(found.1, want.1);
            assert!(found == want, "{allowed:?} {denied:?}");
            let Tally { written, rejected, .. } = found.1;
            assert!(written > 3_000 && rejected > 300, "{:?}", found.1);
        }
    }
}
