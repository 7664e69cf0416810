//! Responsible for: that conditions and edits of any members, made at random, do to random lines what the oracle says, one
//! edit after the other: bytes, rejected and filtered lines, findings. In one process, so that there are many.
//! Not for: how flags are read and what is said; see `transform`.

use hubmill_device::{ImportMode, Severity, Status};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{OnInvalid, Piece, Transform, Work as _};
use hubmill_reader::Part;
use hubmill_rules::{Check, Condition, DeepEdits, Filter, FilterScratch, RuleSet};
use hubmill_testkit::deep::{self, Deep};
use hubmill_testkit::generate::{Kind, file};
use hubmill_testkit::oracle::{self, Expected, Outcome};
use hubmill_testkit::query::Query;
use hubmill_testkit::rng::Rng;
use hubmill_testkit::rules::{self, Rules};
use hubmill_testkit::strategy::is_allowed;

/// How many random cases are run: HUBMILL_TEST_CASES asks for more.
fn cases(usual: u64) -> u64 {
    std::env::var("HUBMILL_TEST_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}

/// The product's edits that say the same.
fn edits(deep: &[Deep]) -> DeepEdits {
    let mut edits = DeepEdits::default();
    for edit in deep {
        let [flag, value] = edit.args();
        match flag.as_str() {
            "--merge-twin" => edits.merge_twin(value.as_bytes()),
            "--set" => edits.set(&value),
            "--set-text" => edits.set_text(&value),
            _ => edits.unset(&value),
        }
        .unwrap_or_else(|fault| panic!("{edit:?}: {fault}"));
    }
    edits
}

fn rule_set(rules: &Rules) -> RuleSet {
    let condition = rules.condition.as_ref().map(|condition| {
        let text = condition.text();
        Condition::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
    });
    RuleSet {
        condition,
        deep: edits(&rules.deep),
        import_mode: rules.import_mode.map(|mode| ImportMode::ALL[mode]),
        status: rules.disabled.map(|disabled| if disabled { Status::Disabled } else { Status::Enabled }),
        strip_metadata: rules.strip_metadata,
        strip_etags: rules.strip_etags,
        strip_twin: rules.strip_twin,
        minimal: rules.minimal,
        devices_only: rules.devices_only,
        check: if rules.check == rules::Check::Id { Check::Id } else { Check::None },
        ..RuleSet::default()
    }
}

/// Runs the rules over the input; `None` where they contradict each other.
fn transform(rules: &Rules, input: &[u8], level: Level, block: Option<usize>) -> Option<Given> {
    let product = hubmill_rules::Rules::new(rule_set(rules));
    assert_eq!(product.is_ok(), is_allowed(rules), "{:?}: {:?}", rules.args(), product.err());
    let work = Transform {
        rules: hubmill_rules::Rules::new(rule_set(rules)).ok()?,
        limits: Limits::default(),
        level,
        on_invalid: OnInvalid::Reject,
        collect_rejects: true,
        collect_filtered: true,
        collect_keys: false,
        all_diagnostics: true,
        invalid_max: u64::MAX,
        checker: None,
        samples_max: 0,
    };
    let (mut scratch, mut batch) = (work.scratch(), work.batch());
    let mut given = Given::default();
    let mut start = 0;
    while start < input.len() {
        // Whole lines, as many as fit.
        let limit = block.map_or(input.len(), |block| input.len().min(start + block));
        let newline = input[start..limit].iter().rposition(|byte| *byte == b'\n');
        let newline =
            newline.or_else(|| input[limit..].iter().position(|byte| *byte == b'\n').map(|at| limit + at - start));
        let end = newline.map_or(input.len(), |at| start + at + 1);
        let piece = Piece { offset: start as u64, is_first: start == 0, bytes: &input[start..end], part: Part::Lines };
        let mut from = 0;
        while from < piece.bytes.len() {
            work.clear(&mut batch);
            from = work.work(&mut scratch, piece, from, u64::MAX, &mut batch);
            for (to, gather) in [
                (&mut given.output, &batch.output),
                (&mut given.rejects, &batch.rejects),
                (&mut given.filtered, &batch.filtered),
            ] {
                gather.pieces(piece.bytes).for_each(|piece| to.extend_from_slice(piece));
            }
            for found in &batch.diagnostics {
                given.findings.push((found.severity, found.code.as_str(), given.lines + found.line));
            }
            given.lines += batch.tally.lines;
        }
        start = end;
    }
    Some(given)
}

#[derive(Debug, Default, PartialEq)]
struct Given {
    output: Vec<u8>,
    rejects: Vec<u8>,
    filtered: Vec<u8>,
    findings: Vec<(Severity, &'static str, u64)>,
    lines: u64,
}

fn check(expected: &Expected, given: &Given) -> Result<(), String> {
    expected.compare(&given.output, 32)?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if given.filtered != expected.filtered() {
        return Err(format!("filtered {:?}\n  wanted {:?}", text(&given.filtered), text(&expected.filtered())));
    }
    if given.rejects != expected.rejects() {
        return Err(format!("rejected {:?}\n  wanted {:?}", text(&given.rejects), text(&expected.rejects())));
    }
    for line in &expected.lines {
        let found = given.findings.iter().filter(|(_, _, number)| *number == line.number);
        let errors: Vec<&str> =
            found.filter(|(severity, ..)| *severity == Severity::Error).map(|(_, code, _)| *code).collect();
        let right = match &line.outcome {
            Outcome::Rejected { codes } => !errors.is_empty() && errors.iter().all(|code| codes.contains(code)),
            _ => errors.is_empty(),
        };
        if !right {
            return Err(format!("line {}: {errors:?}, wanted {:?}", line.number, line.outcome));
        }
    }
    Ok(())
}

fn random_rules(rng: &mut Rng) -> Rules {
    let mut rules =
        Rules { check: if rng.chance(30) { rules::Check::None } else { rules::Check::Id }, ..Rules::default() };
    if rng.chance(50) {
        rules.condition = Some(Query::random(&mut |bound| rng.below(bound), 3));
    }
    if rng.chance(75) {
        let count = 1 + rng.below(5);
        rules.deep = (0..count).map(|_| Deep::random(&mut |bound| rng.below(bound))).collect();
    }
    rules.import_mode = rng.chance(10).then(|| rng.below(9));
    rules.disabled = rng.chance(10).then(|| rng.chance(50));
    rules.strip_metadata = rng.chance(20);
    rules.strip_etags = rng.chance(5);
    rules.strip_twin = rng.chance(5);
    rules.minimal = rng.chance(5);
    rules.devices_only = rng.chance(5);
    rules
}

/// Whether the order of the edits shows in no white space: where members go and others are added, it may.
fn keeps_spaces(rules: &Rules) -> bool {
    let removes = |edit: &Deep| match edit {
        Deep::Unset(_) => true,
        Deep::Merge(merge) => merge.contains("null"),
        Deep::Set(..) | Deep::SetText(..) => false,
    };
    rules.deep.len() + usize::from(rules.strip_metadata) <= 1
        || !(rules.deep.iter().any(removes) || rules.strip_metadata || rules.strip_twin)
}

/// A line without white space; none of its texts has any.
fn compact(line: &str) -> String {
    line.replace([' ', '\t'], "")
}

#[test]
fn random_conditions_and_edits_do_what_the_oracle_says() {
    let (mut ran, mut written, mut rejected, mut filtered, mut edited) = (0, 0, 0, 0, 0);
    for seed in 0..cases(3_000) {
        let mut rng = Rng::new(seed);
        let rules = random_rules(&mut rng);
        // Lines stand twice and more often, so that their shapes and forms are known from the third on.
        let mut few: Vec<String> = (0..2 + rng.below(3)).map(|_| deep::line(&mut |bound| rng.below(bound))).collect();
        if !keeps_spaces(&rules) {
            few.iter_mut().for_each(|line| *line = compact(line));
        }
        let lines: Vec<&str> = (0..8).map(|_| few[rng.below(few.len())].as_str()).collect();
        let input = lines.join("\n").into_bytes();
        let level = if seed % 2 == 0 { Level::detect() } else { Level::SCALAR };
        let Some(given) = transform(&rules, &input, level, None) else { continue };
        let expected = oracle::transform(&rules, &input);
        if let Err(why) = check(&expected, &given) {
            panic!("seed {seed}: {why}\n{:?}\n{}", rules.args(), String::from_utf8_lossy(&input));
        }
        let pieces = transform(&rules, &input, level, Some(1)).expect("the same rules");
        assert_eq!(given, pieces, "seed {seed}: it depends on the pieces");
        let counts = expected.counts();
        ran += 1;
        written += counts.written;
        rejected += counts.rejected;
        filtered += counts.filtered;
        edited += counts.edited;
    }
    assert!(ran > 1200, "{ran}");
    assert!(
        written > 2500 && rejected > 1000 && filtered > 1500 && edited > 1500,
        "{written} {rejected} {filtered} {edited}"
    );
}

#[test]
fn conditions_alone_keep_what_the_oracle_keeps() {
    let mut kept = [0; 2];
    for seed in 0..cases(6_000) {
        let mut rng = Rng::new(seed ^ 0xabcd);
        let query = Query::random(&mut |bound| rng.below(bound), 2);
        let rules = Rules { condition: Some(query), check: rules::Check::None, ..Rules::default() };
        let line = deep::line(&mut |bound| rng.below(bound));
        let input = format!("{line}\n{line}\n{line}\n");
        let given = transform(&rules, input.as_bytes(), Level::detect(), None).expect("one rule");
        let expected = oracle::transform(&rules, input.as_bytes());
        if let Err(why) = check(&expected, &given) {
            panic!("seed {seed}: {why}\n{:?}\n{line}", rules.args());
        }
        kept[usize::from(!given.output.is_empty())] += 1;
    }
    assert!(kept.iter().all(|count| *count > 400), "{kept:?}");
}

#[test]
fn lines_as_a_hub_writes_them() {
    let conditions = [
        "status = 'disabled'",
        "tags.location.region = 'EU'",
        "tags.location.floor * 2 >= 4 AND NOT is_defined(moduleId)",
    ];
    let input = file(Kind::Twin, 300, 5);
    for condition in conditions {
        let filter = Filter::new(Condition::parse(condition).expect(condition));
        let mut parser = hubmill_parser::Parser::new(Level::detect(), Limits::default());
        let (mut scratch, mut kept) = (FilterScratch::default(), 0);
        parser.parse(&input, 0, |line| {
            if let hubmill_parser::Content::Record(record) = &line.content {
                let line: serde_json::Value =
                    serde_json::from_slice(record.line().trim_ascii_end()).unwrap_or_default();
                let floor = line["tags"]["location"]["floor"].as_f64().unwrap_or(-1.0);
                let want = match condition {
                    "status = 'disabled'" => line["status"] == "disabled",
                    "tags.location.region = 'EU'" => line["tags"]["location"]["region"] == "EU",
                    _ => floor * 2.0 >= 4.0 && line.get("moduleId").is_none(),
                };
                assert_eq!(filter.keeps(&mut scratch, record), Ok(want), "{condition} {line}");
                kept += usize::from(want);
            }
            std::ops::ControlFlow::Continue(())
        });
        assert!(kept < 300, "{condition}: {kept}");
    }
}
