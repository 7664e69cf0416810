//! Differential: lines made by templates, and findings that were not looked for, against lines put together and looked at one by one.

use std::io::{Seek as _, Write as _};

use hubmill_device::{AuthenticationType, Code};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{CheckedBatch, Drain, Flow, Piece, Validate, Validation, Work as _, run_from};
use hubmill_reader::Part;
use hubmill_rules::{Check as Extent, Checker, Policy};
use proptest::prelude::*;

use crate::compose::Marks;
use crate::make::{Made, Make};
use crate::plan::Request;
use crate::random::Random;
use crate::row_reader::RowReader;
use crate::rows::Rows;
use crate::{Check, Csv, Devices, Findings, Plan};

const HEADER: &str =
    "id,moduleId,status,importMode,tags.a,tags.b.c,properties.desired.d,deviceScope,capabilities.iotEdge";

/// Every row is one line, after the header.
const HEADER_LINES: u64 = 1;

/// What a run gives: lines, and findings by row.
#[derive(Default)]
struct Taken<'p> {
    findings: Option<Findings<'p>>,
    lines: Vec<u8>,
    found: Vec<(u64, Code)>,
}

impl<'d> Drain<Made, Devices<'d>> for Taken<'_> {
    type Error = std::convert::Infallible;

    fn drain(&mut self, rows: &Rows, _: usize, made: &Made) -> Result<Flow, Self::Error> {
        assert!(!made.is_broken);
        self.lines.extend_from_slice(&made.output);
        let Self { findings, found, .. } = self;
        if let Some(findings) = findings {
            findings.take(rows, made, |one| found.push((one.line - HEADER_LINES, one.code)));
        }
        Ok(Flow::Continue)
    }
}

fn plan(csv: &str, authentication: AuthenticationType) -> Plan {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(csv.as_bytes()).unwrap();
    file.rewind().unwrap();
    let request = Request {
        authentication: Some(authentication),
        csv_text: vec!["tags.b.c".to_owned()],
        tags: Some(r#"{"z":[1, 2],"a":"none"}"#.to_owned()),
        key_bytes: 33,
        ..Request::default()
    };
    Plan::new(request, Some(Csv::new(file, "test".to_owned()).unwrap())).unwrap().unwrap()
}

/// The lines and findings of a list, as they are given out.
fn made(plan: &Plan) -> (Vec<u8>, Vec<(u64, Code)>) {
    let check = Check::new(plan, Level::detect(), true);
    let mut taken = Taken { findings: Some(Findings::new(&check)), ..Taken::default() };
    run_from(&Devices::new(plan), 1, &Make::checked(&check, true), &mut taken).unwrap();
    let Taken { findings, lines, mut found } = taken;
    findings.unwrap().finish(1, |one| found.push((one.line - HEADER_LINES, one.code)));
    (lines, found)
}

/// The lines of a list that was checked before.
fn made_unchecked(plan: &Plan) -> Vec<u8> {
    let mut taken = Taken::default();
    run_from(&Devices::new(plan), 1, &Make::new(plan), &mut taken).unwrap();
    taken.lines
}

/// All lines put together, each by itself.
fn composed(plan: &Plan, csv: &str) -> Vec<u8> {
    let (mut reader, mut random, mut marks) = (RowReader::new(), Random::new(33), Marks::default());
    let mut reading = reader.read(csv.as_bytes(), 1);
    reading.next();
    let mut lines = Vec::new();
    let mut index = 0;
    while reading.next().is_some() {
        index += 1;
        plan.compose(index, Some(&reading.row()), &mut random, &mut marks, &mut lines);
    }
    lines
}

/// What `validate` finds in lines, by row; where they start stands for their number.
fn validated(lines: &[u8]) -> Vec<(u64, Code)> {
    let policy = Policy::new(&[], &[Code::DuplicateLine]).unwrap();
    let validate = Validate::new(Checker::new(Extent::Full, policy), Limits::default(), Level::detect(), true, true);
    let mut batch = CheckedBatch::default();
    let mut validation = Validation::new(&validate);
    let mut found = Vec::new();
    let mut from = 0;
    while from < lines.len() {
        validate.clear(&mut batch);
        let piece = Piece { offset: 0, is_first: false, bytes: lines, part: Part::Lines };
        from = validate.work(&mut validate.scratch(), piece, from, u64::MAX, &mut batch);
        found.extend(validation.take(&batch).into_iter().map(|one| (one.line, one.code)));
    }
    validation.finish(1, &|_, _| false, |one| found.push((one.line, one.code)));
    found
}

/// A cell: as a rule one of a few, so that rows are of few kinds.
fn cell(usual: &'static [&'static str], odd: &'static [&'static str]) -> impl Strategy<Value = String> {
    let any = |texts: &'static [&'static str]| prop::sample::select(texts).prop_map(str::to_owned);
    prop_oneof![30 => any(usual), 1 => any(odd), 1 => Just(String::new())]
}

fn row() -> impl Strategy<Value = String> {
    const LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    (
        prop_oneof![40 => (0..300u32).prop_map(|n| format!("d{n}")), 1 => cell(&["d 1", "d:1", "dé", LONG], &["d\"1"])],
        cell(&["", "", "m1", "m2"], &["$edgeAgent", "m 1", LONG]),
        cell(&["enabled", "disabled", ""], &["on", "Enabled"]),
        cell(&["", "create", "create"], &["delete", "updateTwin", "make"]),
        cell(
            &["oslo", "turin", "12", "007", "1.5"],
            &["true", "null", "[1", "{\"k\":1}", "é", "\u{7f}", "-1", "x\"y", LONG, " 1 "],
        ),
        cell(&["7", "words with space", "null"], &["\u{1}", "\\"]),
        cell(&["1", "2", "12345678901234567890", ""], &["1e999", "false", "\"q\""]),
        cell(&["", "", "ms-azure-iot-edge://d7-1"], &["x"]),
        cell(&["", "true", "false"], &["TRUE", "1"]),
    )
        .prop_map(|(a, b, c, d, e, f, g, h, i)| {
            let quoted = |cell: String| match cell.contains('"') {
                true => format!("\"{}\"", cell.replace('"', "\"\"")),
                false => cell,
            };
            format!("{}\n", [a, b, c, d, e, f, g, h, i].map(quoted).join(","))
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_and_findings_are_those_of_a_look_at_each(rows in prop::collection::vec(row(), 1..300)) {
        let csv = format!("{HEADER}\n{}", rows.concat());
        let plan = plan(&csv, AuthenticationType::CertificateAuthority);
        let (lines, found) = made(&plan);
        let want = composed(&plan, &csv);
        prop_assert_eq!(String::from_utf8_lossy(&lines), String::from_utf8_lossy(&want));
        prop_assert_eq!(found, validated(&lines));
        let lines = made_unchecked(&plan);
        prop_assert_eq!(String::from_utf8_lossy(&lines), String::from_utf8_lossy(&want));
    }

    #[test]
    fn keys_have_their_place(rows in prop::collection::vec(row(), 1..60)) {
        let csv = format!("{HEADER}\n{}", rows.concat());
        let plan = plan(&csv, AuthenticationType::Sas);
        let (lines, found) = made(&plan);
        prop_assert_eq!(found, validated(&lines));
        // Keys are of one length, so that all else can be compared.
        let without_keys = |lines: &[u8]| {
            let text = String::from_utf8_lossy(lines).into_owned();
            let parts = text.split('"').map(|part| if part.len() == 44 { "" } else { part });
            parts.collect::<Vec<_>>().join("\"")
        };
        prop_assert_eq!(without_keys(&lines), without_keys(&composed(&plan, &csv)));
    }
}

#[test]
fn most_rows_of_a_plain_list_are_not_looked_at() {
    let csv = format!("{HEADER}\n{}", (0..100).map(|n| format!("d{n},,enabled,,oslo,{n},{n},,\n")).collect::<String>());
    let plan = plan(&csv, AuthenticationType::Sas);
    let mut known = super::Known::new(&plan);
    let (mut reader, mut good) = (RowReader::new(), 0);
    let mut reading = reader.read(csv.as_bytes(), 1);
    reading.next();
    while reading.next().is_some() {
        match known.ask(&reading.row()) {
            super::Answer::Good(_) => good += 1,
            super::Answer::New => {
                let (mut line, mut marks) = (Vec::new(), Marks::default());
                plan.compose(1, Some(&reading.row()), &mut Random::new(33), &mut marks, &mut line);
                known.learn(Some(super::LineTemplate::new(&plan, &line, &marks)));
            }
            super::Answer::Unknown => {}
        }
    }
    assert_eq!(good, 99);
}
