//! `transform`: the work of a transform, over pieces cut anywhere, gives what the oracle says: the output byte for byte,
//! the rejected and filtered lines, the counts, the findings of each line and the keys that were made. Every SIMD level
//! gives the same, and a second run over the output changes nothing. With the full check, see [`full`].

use std::ops::Range;

use hubmill_device::{Code, Severity};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{Diagnostic, OnInvalid, Piece, Tally, Transform, Work as _};
use hubmill_reader::Part;
use hubmill_testkit::json::{self, Json};
use hubmill_testkit::oracle::{self, Expected, Outcome};
use hubmill_testkit::rules::{OnInvalid as Invalid, Rules};
use hubmill_testkit::siblings;
use hubmill_testkit::strategy::is_allowed;

use crate::choices::Choices;
use crate::full;
use crate::inputs::{Maker, Mix};
use crate::rule_choice::{is_repeatable, is_stable, take, to_product};

const HEADER_BYTES: usize = 192;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Makes an input.
pub fn make(maker: &mut Maker) -> Vec<u8> {
    let mut data = maker.header(HEADER_BYTES);
    data.extend(maker.file(6, Mix::Devices));
    data
}

/// What a run gave.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub(crate) output: Vec<u8>,
    rejects: Vec<u8>,
    filtered: Vec<u8>,
    keys: Vec<u8>,
    tally: Tally,
    /// The line counts from the start of the input.
    pub(crate) diagnostics: Vec<Diagnostic>,
    notices: u64,
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let (mut choices, input) = Choices::split(data, HEADER_BYTES);
    let rules = take(&mut choices, input);
    let product = hubmill_rules::Rules::new(to_product(&rules));
    assert_eq!(product.is_ok(), is_allowed(&rules), "{rules:?}: {product:?}");
    let Ok(product) = product else { return };
    let limits = Limits { line_bytes_max: rules.max_line_bytes, depth_max: rules.max_depth };
    let mut transform = Transform {
        rules: product,
        limits,
        level: Level::SCALAR,
        on_invalid: match rules.on_invalid {
            Invalid::Reject => OnInvalid::Reject,
            Invalid::Keep => OnInvalid::Keep,
        },
        collect_rejects: true,
        collect_filtered: true,
        collect_keys: true,
        all_diagnostics: true,
        invalid_max: u64::MAX,
        checker: None,
        samples_max: 0,
    };
    let expected = oracle::transform(&rules, input);
    let allowance = if choices.chance(15) { 1 + choices.below(3) as u64 } else { u64::MAX };
    let pieces = cut(&mut choices, input, limits.line_bytes_max);
    let fully = choices.chance(50);
    // Lines of the same forms come first, so that what a thread keeps of forms is kept.
    let before = if choices.chance(50) { siblings::of(input, &mut choices.rng()).repeat(3) } else { Vec::new() };
    let mut first: Option<Given> = None;
    for level in Level::available() {
        transform.level = level;
        let given = work(&transform, &before, input, &pieces, allowance);
        if fully {
            full::check(&rules, input, level, |transform| work(transform, &before, input, &pieces, allowance));
        }
        let told = || format!("{} {rules:?}\n{:?}\n", level.name(), String::from_utf8_lossy(input));
        if let Err(why) = check(&rules, &expected, &given) {
            panic!("{why}\n{}", told());
        }
        if let Some(first) = first.as_ref().filter(|_| is_repeatable(&rules)) {
            assert_eq!((&given.output, &given.diagnostics), (&first.output, &first.diagnostics), "{}", told());
        }
        first.get_or_insert(given);
    }
    let Some(given) = first.filter(|_| is_stable(&rules) && !has_long_kept_line(&expected)) else { return };
    transform.limits.line_bytes_max = 1 << 30;
    // After a blank line no line is a notice.
    let again = [b"\n", given.output.as_slice()].concat();
    let whole = [(0..again.len(), Part::Lines)];
    let given_again = work(&transform, b"", &again, &whole, u64::MAX);
    assert_eq!(given_again.tally.edited, 0, "{rules:?}: {:?}", String::from_utf8_lossy(&given.output));
    assert_eq!(given_again.output, given.output, "{rules:?}: a second run changes the output");
}

/// A line that was kept for its length may be a good one where the limit is another.
fn has_long_kept_line(expected: &Expected) -> bool {
    let is_long = |outcome: &Outcome| matches!(outcome, Outcome::Kept { codes } if codes.contains("line-too-long"));
    expected.lines.iter().any(|line| is_long(&line.outcome))
}

/// Cuts an input into pieces as the reader may: whole lines, and lines past the limit in parts.
pub(crate) fn cut(choices: &mut Choices<'_>, input: &[u8], line_bytes_max: usize) -> Vec<(Range<usize>, Part)> {
    let mut rng = choices.rng();
    let percent = choices.pick(&[0, 0, 30, 100]);
    let mut pieces: Vec<(Range<usize>, Part)> = Vec::new();
    let mut open = 0..0;
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        let start = open.end;
        let end = start + line.len();
        let bom = if start == 0 && line.starts_with(BOM) { BOM.len() } else { 0 };
        let ends_here = line.ends_with(b"\n");
        if line.len() - bom - usize::from(ends_here) <= line_bytes_max || rng.chance(30) {
            open.end = end;
            if rng.chance(percent) {
                pieces.push((std::mem::replace(&mut open, end..end), Part::Lines));
            }
            continue;
        }
        if !open.is_empty() {
            pieces.push((open, Part::Lines));
        }
        let mut at = start;
        while at < end {
            let least = if at == 0 { bom.max(1) } else { 1 };
            let next = if rng.chance(30) { end } else { (at + least + rng.below(line.len())).min(end) };
            // The end of the input may be seen late.
            let last = next == end && (ends_here || rng.chance(50));
            pieces.push((at..next, Part::LongLine { first: at == start, last }));
            if next == end && !last {
                pieces.push((end..end, Part::LongLine { first: false, last: true }));
            }
            at = next;
        }
        open = end..end;
    }
    if !open.is_empty() {
        pieces.push((open, Part::Lines));
    }
    pieces
}

/// Works through all pieces, each to its end. What comes of the lines `before` is not kept.
fn work(transform: &Transform, before: &[u8], input: &[u8], pieces: &[(Range<usize>, Part)], allowance: u64) -> Given {
    let mut scratch = transform.scratch();
    let mut batch = transform.batch();
    let piece = Piece { offset: 0, is_first: false, bytes: before, part: Part::Lines };
    transform.work(&mut scratch, piece, 0, u64::MAX, &mut batch);
    transform.clear(&mut batch);
    let mut given = Given::default();
    for (range, part) in pieces {
        let bytes = &input[range.clone()];
        let piece =
            Piece { offset: range.start as u64, is_first: range.start == 0 && !range.is_empty(), bytes, part: *part };
        let mut from = 0;
        loop {
            let next = transform.work(&mut scratch, piece, from, allowance, &mut batch);
            for (out, gather) in [
                (&mut given.output, &batch.output),
                (&mut given.rejects, &batch.rejects),
                (&mut given.filtered, &batch.filtered),
            ] {
                gather.pieces(bytes).for_each(|piece| out.extend(piece));
            }
            given.keys.extend(&batch.keys);
            given.notices += u64::from(batch.notice.is_some());
            for diagnostic in &batch.diagnostics {
                let line = given.tally.lines + diagnostic.line;
                given.diagnostics.push(Diagnostic { line, ..diagnostic.clone() });
            }
            assert!(batch.tally.invalid() <= allowance, "the allowance is kept");
            given.tally.add(&batch.tally);
            transform.clear(&mut batch);
            assert!(next > from || bytes.is_empty(), "there is progress");
            from = next;
            if next == bytes.len() {
                break;
            }
        }
    }
    given
}

fn check(rules: &Rules, expected: &Expected, given: &Given) -> Result<(), String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    expected.compare(&given.output, rules.key_bytes).map_err(|why| format!("the output: {why}"))?;
    for (name, want, found) in
        [("rejects", expected.rejects(), &given.rejects), ("filtered", expected.filtered(), &given.filtered)]
    {
        if want != *found {
            return Err(format!("{name}: expected {:?}, found {:?}", text(&want), text(found)));
        }
    }
    check_counts(expected, given)?;
    for line in &expected.lines {
        check_findings(line, given).map_err(|why| format!("line {}: {why}", line.number))?;
    }
    let keys = keys_made(expected, &given.output);
    if keys != text(&given.keys) {
        return Err(format!("keys: expected {keys}\n found {}", text(&given.keys)));
    }
    Ok(())
}

/// Codes that are counted and are no findings.
pub(crate) const COUNTS: [&str; 7] =
    ["keys-rotate", "twin-rollback", "left-x509", "left-ca", "left-none", "left-system-module", "left-mode"];

fn check_counts(expected: &Expected, given: &Given) -> Result<(), String> {
    let (want, tally) = (expected.counts(), &given.tally);
    let pairs = [
        ("lines", want.lines, tally.lines),
        ("written", want.written, tally.written),
        ("rejected", want.rejected, tally.rejected),
        ("filtered", want.filtered, tally.filtered),
        ("invalid_kept", want.invalid_kept, tally.invalid_kept),
        ("notices", want.notices, tally.notices),
        ("notices said", want.notices, given.notices),
        ("blank", want.blank, tally.blank),
        ("edited", want.edited, tally.edited),
    ];
    for (name, want, found) in pairs {
        if want != found {
            return Err(format!("{name}: expected {want}, found {found}"));
        }
    }
    for code in Code::ALL {
        let mut want = given.diagnostics.iter().filter(|diagnostic| diagnostic.code == *code).count() as u64;
        if COUNTS.contains(&code.as_str()) {
            want += expected.codes.get(code.as_str()).copied().unwrap_or(0);
        }
        if *code == Code::Notice {
            want += tally.notices;
        }
        if want != tally.of(*code) {
            return Err(format!("{}: expected {want}, found {}", code.as_str(), tally.of(*code)));
        }
    }
    let warnings = given.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Warning).count();
    if warnings as u64 != tally.warnings { Err(format!("{} warnings, not {warnings}", tally.warnings)) } else { Ok(()) }
}

fn check_findings(line: &oracle::Line, given: &Given) -> Result<(), String> {
    let here = || given.diagnostics.iter().filter(|diagnostic| diagnostic.line == line.number);
    let codes = |severity| {
        let mut codes: Vec<&str> =
            here().filter(|found| found.severity == severity).map(|found| found.code.as_str()).collect();
        codes.sort_unstable();
        codes
    };
    let mut warnings = line.warnings.clone();
    warnings.retain(|code| !COUNTS.contains(code));
    warnings.sort_unstable();
    if codes(Severity::Warning) != warnings {
        return Err(format!("expected warnings {warnings:?}, found {:?}", codes(Severity::Warning)));
    }
    let errors = codes(Severity::Error);
    match &line.outcome {
        Outcome::Rejected { codes } | Outcome::Kept { codes } => {
            if errors.is_empty() || !errors.iter().all(|code| codes.contains(code)) {
                return Err(format!("expected some of {codes:?}, found {errors:?}"));
            }
        }
        _ if errors.is_empty() => {}
        other => return Err(format!("{errors:?}, but it is {other:?}")),
    }
    let places = line.at as u64..=(line.at + line.read.len()) as u64;
    for found in here() {
        if !places.contains(&found.byte) {
            return Err(format!("{} at byte {}, not in {places:?}", found.code.as_str(), found.byte));
        }
        check_secrets(line, found)?;
    }
    Ok(())
}

/// No key that stands in the line, and nowhere else in it, is said.
fn check_secrets(line: &oracle::Line, found: &Diagnostic) -> Result<(), String> {
    const LEAST: usize = 20;
    let text = String::from_utf8_lossy(&line.read);
    for name in ["\"primaryKey\":\"", "\"secondaryKey\":\""] {
        for (at, _) in text.match_indices(name) {
            let key = text[at + name.len()..].split('"').next().unwrap_or_default();
            let said = [&found.message, &found.path].into_iter().chain(&found.id).any(|said| said.contains(key));
            if key.len() >= LEAST && said && text.matches(key).count() == 1 {
                return Err(format!("a key is said: {found:?}"));
            }
        }
    }
    Ok(())
}

/// What `--keys-out` must hold, with the keys as they stand in the output.
fn keys_made(expected: &Expected, output: &[u8]) -> String {
    let mut keys = String::new();
    let mut lines = output.split(|byte| *byte == b'\n');
    for line in &expected.lines {
        let document = match &line.outcome {
            Outcome::Written { document, .. } => document,
            Outcome::Kept { .. } => {
                lines.next();
                continue;
            }
            _ => continue,
        };
        let actual = lines.next().unwrap_or_default();
        let mut made = Vec::new();
        if !document.to_line().contains(hubmill_testkit::tree::FRESH) {
            continue;
        }
        let Ok(actual) = json::parse(actual, usize::MAX) else { continue };
        add_fresh(&document.root, &actual.root, "", &mut made);
        made.sort();
        let Json::Object(object) = &actual.root else { continue };
        let value = |name| object.get(name).map_or("null".to_owned(), Json::to_string);
        for (slot, key) in made {
            let (id, module) = (value("id"), value("moduleId"));
            keys += &format!("{{\"id\":{id},\"moduleId\":{module},\"slot\":\"{slot}\",\"key\":{key}}}\n");
        }
    }
    keys
}

/// Adds what stands where the oracle expects a new key, with its slot.
fn add_fresh(expected: &Json, actual: &Json, name: &str, made: &mut Vec<(String, String)>) {
    match (expected, actual) {
        (Json::Fresh, key) => made.push((name.trim_end_matches("Key").to_owned(), key.to_string())),
        (Json::Object(expected), Json::Object(actual)) => {
            for (expected, actual) in expected.members.iter().zip(&actual.members) {
                let name = expected.name.decoded().unwrap_or_default();
                add_fresh(&expected.value, &actual.value, &name, made);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Choices, HEADER_BYTES, Outcome, is_allowed, make, oracle, take};
    use crate::inputs::Maker;

    #[test]
    fn every_outcome_and_every_code_occurs_in_the_inputs() {
        let mut found: BTreeMap<String, u32> = BTreeMap::new();
        let mut maker = Maker::new(1);
        for _ in 0..20_000 {
            let data = make(&mut maker);
            let (mut choices, input) = Choices::split(&data, HEADER_BYTES);
            let rules = take(&mut choices, input);
            if !is_allowed(&rules) {
                *found.entry("contradiction".to_owned()).or_default() += 1;
                continue;
            }
            for line in oracle::transform(&rules, input).lines {
                let (outcome, codes) = match &line.outcome {
                    Outcome::Written { untouched: true, .. } => ("untouched", Vec::new()),
                    Outcome::Written { .. } => ("edited", Vec::new()),
                    Outcome::Rejected { codes } => ("rejected", codes.iter().copied().collect()),
                    Outcome::Kept { codes } => ("kept", codes.iter().copied().collect()),
                    Outcome::Filtered => ("filtered", Vec::new()),
                    Outcome::Notice => ("notice", Vec::new()),
                    Outcome::Blank => ("blank", Vec::new()),
                };
                for code in codes.into_iter().chain(line.warnings).chain([outcome]) {
                    *found.entry(code.to_owned()).or_default() += 1;
                }
            }
        }
        let outcomes = ["contradiction", "untouched", "edited", "rejected", "kept", "filtered", "notice", "blank"];
        let codes = [
            "json-syntax",
            "json-utf8",
            "json-depth",
            "line-too-long",
            "not-an-object",
            "duplicate-member",
            "member-case",
            "member-type",
            "id-missing",
            "id-charset",
            "id-length",
            "import-mode-value",
            "authentication-type",
            "device-scope",
            "keys-by-hub",
            "etag-missing",
            "keyless",
            "keys-missing",
            "status-missing",
            "left-mode",
            "left-system-module",
            "left-x509",
            "left-ca",
            "left-none",
            "keys-rotate",
            "twin-rollback",
        ];
        for wanted in outcomes.into_iter().chain(codes) {
            assert!(found.get(wanted).is_some_and(|count| *count >= 20), "{wanted}: {found:#?}");
        }
        println!("{found:#?}");
    }
}
