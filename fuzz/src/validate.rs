//! `validate`: the work of a check, over pieces cut anywhere, finds on every line what the reference checker finds, on every
//! SIMD level.

use hubmill_device::Severity;
use hubmill_parser::{DEPTH_MAX_DEFAULT, LINE_BYTES_MAX_DEFAULT, Level, Limits};
use hubmill_pipeline::{Diagnostic, Piece, Validate, Validation, Work as _};
use hubmill_reader::Part;
use hubmill_rules::{Check, Checker, Policy};
use hubmill_testkit::checker::{self, Found};

use crate::choices::Choices;
use crate::inputs::{Maker, Mix};
use crate::transform::cut;

const HEADER_BYTES: usize = 16;

/// Makes an input.
pub fn make(maker: &mut Maker) -> Vec<u8> {
    let mut data = maker.header(HEADER_BYTES);
    let mix = if maker.rng.chance(20) { Mix::Broken } else { Mix::Devices };
    data.extend(maker.file(6, mix));
    data
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let (mut choices, input) = Choices::split(data, HEADER_BYTES);
    let limits = Limits {
        line_bytes_max: if choices.chance(10) { choices.below(300) } else { LINE_BYTES_MAX_DEFAULT },
        depth_max: if choices.chance(20) { 1 + choices.below(15) } else { DEPTH_MAX_DEFAULT },
    };
    let mut pieces = cut(&mut choices, input, limits.line_bytes_max);
    let want = checker::check(input, checker::Limits { line_bytes: limits.line_bytes_max, depth: limits.depth_max });
    // Whether the input is one document is seen in its first piece.
    if want.iter().any(|(_, code, _)| ["json-syntax", "not-an-object"].contains(code)) {
        let lines = pieces.iter().all(|(_, part)| matches!(part, Part::Lines));
        if lines && !pieces.is_empty() {
            pieces = vec![(0..input.len(), Part::Lines)];
        }
    }
    let has_long_lines = pieces.iter().any(|(_, part)| !matches!(part, Part::Lines));
    for level in Level::available() {
        let checker = Checker::new(Check::Full, Policy::default());
        let work = Validate::new(checker, limits, level, true, true);
        let mut validation = Validation::new(&work);
        let (mut scratch, mut batch) = (work.scratch(), work.batch());
        let mut found: Vec<Diagnostic> = Vec::new();
        for (number, (range, part)) in pieces.iter().enumerate() {
            let piece =
                Piece { offset: range.start as u64, is_first: number == 0, bytes: &input[range.clone()], part: *part };
            let mut from = 0;
            loop {
                work.clear(&mut batch);
                from = work.work(&mut scratch, piece, from, u64::MAX, &mut batch);
                found.extend(validation.take(&batch));
                if from >= piece.bytes.len() {
                    break;
                }
            }
        }
        validation.finish(2, |diagnostic| found.push(diagnostic));
        for diagnostic in &found {
            assert!(diagnostic.byte <= input.len() as u64 && !diagnostic.message.is_empty());
        }
        let tally = validation.tally();
        assert_eq!(tally.errors + tally.warnings, found.len() as u64);
        let given: Found =
            found.iter().map(|found| (found.line, found.code.as_str(), found.severity == Severity::Error)).collect();
        // Which documents are one over several lines can't be told where long lines part them.
        if !has_long_lines {
            assert_eq!(given, want, "{} {:?}", level.name(), String::from_utf8_lossy(input));
        }
    }
}
