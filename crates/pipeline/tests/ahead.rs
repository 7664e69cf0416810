//! Responsible for: that lines which are transformed, or checked, by what is known ahead of their forms become, and leave
//! behind, what they do one by one.
//! Not for: what rules should make of a line; the process tests and the oracle say that.

use hubmill_device::{Code, ImportMode, Status};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{Diagnostic, Piece, Tally, Transform, Validate, Validation, Work};
use hubmill_reader::Part;
use hubmill_rules::{Check, Checker, Condition, Filter, KeySlots, Policy, Preset, RuleSet, Rules};
use hubmill_testkit::generate::{self, Kind};
use hubmill_testkit::rng::Rng;
use hubmill_testkit::siblings;

/// What is told of a line: code, line, byte, id, path, message.
type Told = (Code, u64, u64, Option<String>, String, String);

fn told(found: &Diagnostic, lines_before: u64) -> Told {
    let line = lines_before + found.line;
    (found.code, line, found.byte, found.id.clone(), found.path.clone(), found.message.clone())
}

/// Does the work on all pieces; `take` takes each batch, with the bytes of its piece.
fn work_through<W: Work>(work: &W, pieces: &[&[u8]], mut take: impl FnMut(&W::Batch, &[u8])) {
    let (mut scratch, mut batch) = (work.scratch(), work.batch());
    let mut offset = 0;
    for (number, bytes) in pieces.iter().enumerate() {
        let piece = Piece { offset, is_first: number == 0, bytes, part: Part::Lines };
        let mut from = 0;
        while from < bytes.len() {
            work.clear(&mut batch);
            from = work.work(&mut scratch, piece, from, u64::MAX, &mut batch);
            take(&batch, bytes);
        }
        offset += bytes.len() as u64;
    }
}

/// Lines in two pieces.
fn halves(lines: &[u8]) -> [&[u8]; 2] {
    let cut = 1 + lines[..lines.len() / 2].iter().rposition(|byte| *byte == b'\n').expect("lines");
    lines.split_at(cut).into()
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
    let mut out = Out::default();
    work_through(&transform, pieces, |batch, bytes| {
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
    });
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
        if rng.chance(2) {
            let stretch = siblings::stretch(&chunk[start..], rng.below(90), &mut rng);
            chunk.push(b'\n');
            chunk.extend(stretch);
        }
        chunk.extend_from_slice(rng.pick(&[b"\n".as_slice(), b"\n", b"\n", b"\r\n"]));
    }
    let pieces = halves(&chunk);
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

/// What a check tells of the lines of all pieces and of the whole, and what became of the lines.
fn checked(
    checker: Checker,
    compares: bool,
    all_diagnostics: bool,
    again: bool,
    one_by_one: bool,
    pieces: &[&[u8]],
) -> (Vec<Told>, Tally) {
    // Lines that are asked whether they are looked at are looked at one by one.
    let all = Condition::parse("NOT is_defined(tags.nothing.of.this.name)").expect("a condition");
    let work = Validate::new(checker, Limits::default(), Level::detect(), all_diagnostics, compares)
        .with_lines_again(again)
        .with_filter(one_by_one.then(|| Filter::new(all)));
    let mut validation = Validation::new(&work);
    let mut found = Vec::new();
    work_through(&work, pieces, |batch, _| {
        found.extend(validation.take(batch).iter().map(|found| told(found, 0)));
    });
    let input = pieces.concat();
    let line_at = |start: u64| input[start as usize..].split(|byte| *byte == b'\n').next();
    validation.finish(1, &|one, other| line_at(one) == line_at(other), |diagnostic| found.push(told(&diagnostic, 0)));
    (found, validation.tally().clone())
}

/// Values of one form that say other things, and such of other forms.
const CHANGES: [(&str, &[&str]); 12] = [
    ("\"id\":\"", &["\"id\":\" ", "\"id\":\":", "\"id\":\"\\u0061", "\"id\":null,\"was\":\"", "\"id\":\"$"]),
    (
        "\"id\":",
        &["\"ID\":", "\"moduleId\":\"m:\",\"id\":", "\"moduleId\":\"$edgeHub\",\"id\":", "\"moduleId\":\"\",\"id\":"],
    ),
    ("\"enabled\"", &["null", "1", "true", "\"\"", "\"disabled\"", "\"Enabled\"", "\"on\""]),
    ("\"status\":", &["\"stat\\u0075s\":", "\"eTag\":\"twice\",\"status\":", "\"unknown\":[],\"status\":"]),
    (
        "}\n",
        &[",\"importMode\":\"create\"}\n", ",\"importMode\":\"delete\"}\n", ",\"importMode\":\"updateIfMatchETag\"}\n"],
    ),
    ("}\n", &[",\"importMode\":\"Create\"}\n", ",\"importMode\":\"all\"}\n", ",\"importMode\":7}\n"]),
    (
        "\"statusReason\":\"",
        &[
            "\"statusReason\":\"\\ud800",
            "\"statusReason\":\"12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
        ],
    ),
    (
        "\"eTag\":\"",
        &["\"eTag\":\"\",\"twinETag\":\"", "\"eTag\":null,\"twinETag\":\"", "\"eTag\":1,\"parentScopes\":\""],
    ),
    ("Key\":\"", &["Key\":\"=", "Key\":\"AAAA", "Key\":null,\"otherKey\":\"", "Key\":\"%"]),
    ("\"sas\"", &["\"selfSigned\"", "\"certificateAuthority\"", "\"none\"", "\"SAS\"", "null", "3"]),
    (
        "humbprint\":null",
        &["humbprint\":\"\"", "humbprint\":\"00\"", "humbprint\":\"0123456789012345678901234567890123456789\""],
    ),
    ("\"iotEdge\":false", &["\"iotEdge\":true", "\"iotEdge\":null", "\"iotEdge\":0", "\"iotedge\":true"]),
];

/// Lines that differ in a key of 64 bytes, which are the most, 65 or 66: all of the same length in base64, or nearly.
fn line_with_key(rng: &mut Rng, index: u64) -> String {
    let end = rng.pick(&["==", "==", "==", "=A", "A=", "AA", "A", "=%"]);
    format!(
        "{{\"id\":\"key-{index}\",\"status\":\"enabled\",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":\"{0}{end}\",\"secondaryKey\":\"{0}==\"}},\"type\":\"sas\"}}}}\n",
        "k".repeat(86)
    )
}

#[test]
fn what_is_known_ahead_of_lines_changes_nothing_of_what_a_check_finds() {
    let mut rng = Rng::new(12);
    let mut chunk = Vec::new();
    for index in 0..4_000 {
        let kind = [Kind::Identity, Kind::Identity, Kind::Identity, Kind::Twin, Kind::TenBytes][rng.below(5)];
        let start = chunk.len();
        generate::line(kind, 3, index % 700, &mut chunk);
        chunk.push(b'\n');
        let mut line = String::from_utf8(chunk.split_off(start)).expect("UTF-8");
        // Every other line says what to expect, and some of the changes are made often enough to be expected, too.
        for _ in 0..rng.below(3) {
            let (from, to) = &CHANGES[rng.below(CHANGES.len())];
            let to = to[rng.below(to.len()).min(rng.below(to.len()))];
            line = line.replacen(from, to, 1 + rng.below(2));
        }
        chunk.extend_from_slice(line.as_bytes());
        if rng.chance(2) {
            chunk.extend(siblings::stretch(line.trim_end().as_bytes(), rng.below(90), &mut rng));
        }
        if rng.chance(10) {
            chunk.extend_from_slice(line_with_key(&mut rng, index).as_bytes());
        }
    }
    let pieces = halves(&chunk);
    let policies: [(&[Code], &[Code]); 3] = [
        (&[], &[]),
        (&[Code::StatusMissing, Code::IdCharset, Code::KeysRotate, Code::EtagStale, Code::UnknownMember], &[]),
        (&[], &[Code::StatusMissing, Code::IdDiscouraged, Code::DeviceScope]),
    ];
    for check in [Check::Id, Check::Full] {
        for (number, (allowed, denied)) in policies.iter().enumerate() {
            let checker = Checker::new(check, Policy::new(allowed, denied).expect("no contradiction"));
            for all_diagnostics in [false, true] {
                let [found, want] = [false, true].map(|one_by_one| {
                    checked(checker, check == Check::Full, all_diagnostics, number == 1, one_by_one, &pieces)
                });
                assert_eq!(found.1, want.1, "{check:?} {allowed:?} {denied:?}");
                assert_eq!(found.0.len(), want.0.len());
                for (found, want) in found.0.iter().zip(&want.0) {
                    assert_eq!(found, want, "{check:?} {allowed:?} {denied:?}");
                }
                let Tally { written, rejected, .. } = found.1;
                assert!(written > 400 && rejected > 300, "{:?}", found.1);
            }
        }
    }
}
