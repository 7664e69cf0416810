//! `validate`: the work of a check, over pieces cut anywhere and after lines of the same forms with other values, finds on every
//! line what the reference checker finds, on every SIMD level.

use std::ops::Range;

use hubmill_device::Severity;
use hubmill_parser::{DEPTH_MAX_DEFAULT, LINE_BYTES_MAX_DEFAULT, Level, Limits};
use hubmill_pipeline::{Diagnostic, Piece, Validate, Validation, Work as _};
use hubmill_reader::Part;
use hubmill_rules::{Check, Checker, Policy};
use hubmill_testkit::checker::{self, Found};
use hubmill_testkit::rng::Rng;
use hubmill_testkit::siblings;

use crate::choices::Choices;
use crate::inputs::{Maker, Mix};
use crate::transform::cut;

const HEADER_BYTES: usize = 16;

/// Makes an input.
pub fn make(maker: &mut Maker) -> Vec<u8> {
    let mut data = maker.header(HEADER_BYTES);
    let mix = if maker.rng.chance(20) { Mix::Broken } else { Mix::Devices };
    data.extend(maker.file(6, mix));
    if maker.rng.chance(25) {
        data.push(b'\n');
        near_a_limit(&mut maker.rng, &mut data);
    }
    data
}

/// Lines that are about at a limit: mutations of ordinary lines hardly get there.
fn near_a_limit(rng: &mut Rng, out: &mut Vec<u8>) {
    let letter = rng.pick(&["x", "é", "\\u00e9", "\\n", "漢", "😀", "\u{85}"]);
    // As many characters, or as many bytes, as the limit, and a few more or less.
    let text = |rng: &mut Rng, max: usize| {
        let plain = rng.below(4);
        let per_letter = if rng.chance(50) { 1 } else { letter.len() };
        letter.repeat((max + 2 - rng.below(5) - plain) / per_letter) + &"y".repeat(plain)
    };
    let numbers = |count: usize| vec!["-1.5e3"; count].join(",");
    let content = match rng.below(7) {
        0 => format!(r#"{{"{}":1}}"#, text(rng, 1024)),
        1 => format!(r#"{{"a":["{}"]}}"#, text(rng, 4096)),
        2 => format!(r#"{{"a":"{}","b":"{}"}}"#, text(rng, 4096), text(rng, 4092)),
        3 => format!(r#"{{"a":[{}],"b":"{}","$version":1}}"#, numbers(4095), text(rng, 6)),
        4 => {
            let depth = 8 + rng.below(5);
            let (open, close) = if rng.chance(50) { ("{\"a\":", "}") } else { ("[", "]") };
            format!("{{\"a\":{}true{}}}", open.repeat(depth), close.repeat(depth))
        }
        5 => {
            let names = 14 + rng.below(20);
            let members: Vec<String> = (0..names).map(|_| format!("\"n{}\":1", rng.below(200))).collect();
            format!("{{\"a\":{{{}}}}}", members.join(","))
        }
        _ => {
            for module in 0..49 + rng.below(5) {
                let line = format!(
                    "{{\"id\":\"many\",\"moduleId\":\"m{module}\",\"status\":\"enabled\",\"importMode\":\"create\"}}\n"
                );
                out.extend_from_slice(line.as_bytes());
            }
            let thumbprint = |digits: usize| "aB".repeat(digits / 2);
            let (first, second) = (thumbprint(*rng.pick(&[&40, &64, &42])), thumbprint(*rng.pick(&[&40, &64])));
            format!(
                r#"{{}},"authentication":{{"x509Thumbprint":{{"primaryThumbprint":"{first}","secondaryThumbprint":"{second}"}}}}"#
            )
        }
    };
    let line = match rng.below(3) {
        0 => format!(r#"{{"id":"l","status":"enabled","importMode":"updateTwin","tags":{content}}}"#),
        1 => format!(r#"{{"id":"l","status":"enabled","properties":{{"desired":{content}}}}}"#),
        _ => format!(r#"{{"id":"l","status":"enabled","properties":{{"reported":{content}}}}}"#),
    };
    out.extend_from_slice(line.as_bytes());
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
    // Lines of the same forms come first, so that what a thread keeps of forms is kept.
    let before: Vec<Vec<u8>> = if choices.chance(70) {
        let mut rng = choices.rng();
        (0..3).map(|_| siblings::of(input, &mut rng)).collect()
    } else {
        Vec::new()
    };
    let has_long_lines = pieces.iter().any(|(_, part)| !matches!(part, Part::Lines));
    let threads = 1 + usize::from(choices.chance(20));
    for level in Level::available() {
        let checker = Checker::new(Check::Full, Policy::default());
        // Both ways to tell equal lines from others.
        let again = input.len().is_multiple_of(2);
        let work = Validate::new(checker, limits, level, true, true).with_lines_again(again);
        let (mut validation, mut found) = look(&work, &before, &pieces, input);
        let are_equal = |one, other| again && line_at(input, one) == line_at(input, other);
        validation.finish(threads, &are_equal, |diagnostic| found.push(diagnostic));
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
        // A short check, by what is known of forms and, where lines are to be compared, one by one.
        let checker = Checker::new(Check::Id, Policy::default());
        let [ahead, one_by_one] = [false, true].map(|compares| Validate::new(checker, limits, level, true, compares));
        let (ahead, one_by_one) = (look(&ahead, &before, &pieces, input), look(&one_by_one, &before, &pieces, input));
        assert_eq!(ahead.0.tally(), one_by_one.0.tally(), "{} {:?}", level.name(), String::from_utf8_lossy(input));
        assert_eq!(ahead.1, one_by_one.1);
    }
}

/// Checks pieces of an input, after other lines; what was found in the lines.
fn look<'w>(
    work: &'w Validate,
    before: &[Vec<u8>],
    pieces: &[(Range<usize>, Part)],
    input: &[u8],
) -> (Validation<'w>, Vec<Diagnostic>) {
    let mut validation = Validation::new(work);
    let (mut scratch, mut batch) = (work.scratch(), work.batch());
    for lines in before {
        let piece = Piece { offset: 0, is_first: false, bytes: lines, part: Part::Lines };
        work.work(&mut scratch, piece, 0, u64::MAX, &mut batch);
        work.clear(&mut batch);
    }
    let mut found = Vec::new();
    for (number, (range, part)) in pieces.iter().enumerate() {
        let bytes = &input[range.clone()];
        let piece = Piece { offset: range.start as u64, is_first: number == 0, bytes, part: *part };
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
    (validation, found)
}

/// The line that starts at an offset, without its end.
fn line_at(input: &[u8], start: u64) -> &[u8] {
    let line = input[start as usize..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let returns = line.iter().rev().take_while(|byte| **byte == b'\r').count();
    &line[..line.len() - returns]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hubmill_device::Code;
    use hubmill_testkit::checker;

    use super::{HEADER_BYTES, make};
    use crate::inputs::Maker;

    #[test]
    fn inputs_lead_to_every_code() {
        let mut maker = Maker::new(1);
        let mut met = BTreeSet::new();
        for number in 0..20_000 {
            let data = make(&mut maker);
            let limits = checker::Limits { line_bytes: if number % 2 == 0 { 1000 } else { 1 << 20 }, depth: 20 };
            met.extend(checker::check(&data[HEADER_BYTES..], limits).into_iter().map(|(_, code, _)| code));
        }
        // Codes that only other commands give are not among them.
        let abouts = Code::ALL.iter().map(|code| code.about()).filter(|about| about.command.starts_with("validate"));
        let codes = abouts.map(|about| about.code.as_str());
        let missing: Vec<&str> = codes.filter(|code| !met.contains(code)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
