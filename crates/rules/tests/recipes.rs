//! Responsible for: that what is done to a line does not rest on the lines before it. Lines of the same form are met in any
//! order, so that most of them follow a recipe; each must become what it becomes by itself.
//! Not for: what rules should make of a line; the process tests and the oracle say that.

use std::ops::ControlFlow;

use hubmill_device::{Code, ImportMode, Severity, Status};
use hubmill_parser::{Content, FixedLine, Level, Limits, Line, Parser, Span, Visit};
use hubmill_rules::{
    Check, Detail, Finding, KeySlots, Keyless, MadeKey, Preset, RuleSet, Rules, Scratch, StatusReason, Verdict,
};
use hubmill_testkit::generate::{self, Kind};
use hubmill_testkit::rng::Rng;
use hubmill_writer::Edit;

/// What became of a line; places are from its start.
#[derive(Debug, PartialEq)]
struct Became {
    verdict: Verdict,
    /// Where the edits are, and their texts, or only the lengths of texts where these are random.
    edits: Vec<(usize, usize, Result<Vec<u8>, usize>)>,
    made_keys: Vec<(&'static str, usize)>,
    findings: Vec<(Code, Severity, &'static str, Detail, usize)>,
    counts: Vec<Code>,
    ids: [Option<(usize, usize)>; 2],
}

struct Worker {
    parser: Parser,
    scratch: Scratch,
}

impl Worker {
    fn new(rules: &Rules) -> Self {
        let parser = Parser::new(Level::detect(), Limits::default()).with_deep_names(rules.deep_names());
        Self { parser, scratch: rules.scratch() }
    }

    /// Applies the rules to each line.
    fn apply(&mut self, rules: &Rules, chunk: &[u8]) -> Vec<Became> {
        let mut visitor = Visitor { rules, scratch: &mut self.scratch, follows: false, followed: 0, all: Vec::new() };
        self.parser.parse_with(chunk, 0, &mut visitor);
        visitor.all
    }

    /// Does to each line what is known ahead, and applies the rules where nothing is. Tells also how many were of the first
    /// kind.
    fn follow(&mut self, rules: &Rules, chunk: &[u8]) -> (Vec<Became>, usize) {
        let mut visitor = Visitor { rules, scratch: &mut self.scratch, follows: true, followed: 0, all: Vec::new() };
        self.parser.parse_with(chunk, 0, &mut visitor);
        (visitor.all, visitor.followed)
    }
}

struct Visitor<'w> {
    rules: &'w Rules,
    scratch: &'w mut Scratch,
    follows: bool,
    followed: usize,
    all: Vec<Became>,
}

/// What is said about a line, with places in the chunk.
struct Said<'s> {
    verdict: Verdict,
    edits: Vec<Edit>,
    texts: &'s [u8],
    made_keys: Vec<MadeKey>,
    findings: Vec<Finding>,
    counts: &'s [Code],
    ids: [Option<Span>; 2],
}

impl Said<'_> {
    fn became(self, start: usize, has_random_texts: bool) -> Became {
        let Self { verdict, edits, texts, made_keys, findings, counts, ids } = self;
        let at = |place: u32| place as usize - start;
        let edits = edits.iter().filter(|_| verdict == Verdict::Edit).map(|edit| {
            let text = &texts[edit.text_start as usize..edit.text_end as usize];
            (at(edit.start), at(edit.end), if has_random_texts { Err(text.len()) } else { Ok(text.to_vec()) })
        });
        let findings =
            findings.iter().map(|found| (found.code, found.severity, found.path, found.detail, at(found.at)));
        Became {
            verdict,
            edits: edits.collect(),
            made_keys: made_keys.iter().map(|key| (key.slot, key.text.of(texts).len())).collect(),
            findings: findings.collect(),
            counts: counts.to_vec(),
            ids: ids.map(|span| span.map(|span| (at(span.start), at(span.end)))),
        }
    }
}

impl Visit for Visitor<'_> {
    fn fixed(&mut self, line: &FixedLine<'_>) -> Option<ControlFlow<()>> {
        if !self.follows {
            return None;
        }
        let followed = self.rules.follow(self.scratch, line.text)?;
        let said = Said {
            verdict: followed.verdict(),
            edits: followed.edits(line.text).collect(),
            texts: followed.texts(),
            made_keys: followed.made_keys().collect(),
            findings: followed.findings().iter().map(|finding| finding.of(&line.text)).collect(),
            counts: followed.counts(),
            ids: [followed.id(&line.text), followed.module_id(&line.text)],
        };
        self.all.push(said.became(line.start, self.rules.makes_keys()));
        self.followed += 1;
        Some(ControlFlow::Continue(()))
    }

    fn line(&mut self, line: &Line<'_>) -> ControlFlow<()> {
        if let Content::Record(record) = &line.content {
            let verdict = self.rules.apply(self.scratch, record);
            let said = Said {
                verdict,
                edits: self.scratch.edits().to_vec(),
                texts: self.scratch.texts(),
                made_keys: self.scratch.made_keys().to_vec(),
                findings: self.scratch.findings().to_vec(),
                counts: self.scratch.counts(),
                ids: [self.scratch.id(), self.scratch.module_id()],
            };
            self.all.push(said.became(line.start, self.rules.makes_keys()));
        }
        ControlFlow::Continue(())
    }
}

fn rule_sets() -> Vec<RuleSet> {
    let set = RuleSet::default;
    vec![
        set(),
        RuleSet { check: Check::None, ..set() },
        RuleSet { import_mode: Some(ImportMode::Delete), ..set() },
        RuleSet { import_mode: Some(ImportMode::Update), status: Some(Status::Disabled), strip_twin: true, ..set() },
        RuleSet { status: Some(Status::Enabled), ..set() },
        RuleSet { status_reason: Some(StatusReason::Set("retired 2023".to_owned())), ..set() },
        RuleSet { status_reason: Some(StatusReason::Remove), drop_system_modules: true, ..set() },
        RuleSet { strip_keys: true, devices_only: true, ..set() },
        RuleSet { strip_keys: true, strip_metadata: true, ..set() },
        RuleSet { strip_authentication: true, modules_only: true, ..set() },
        RuleSet { strip_etags: true, ..set() },
        RuleSet { minimal: true, ..set() },
        RuleSet { regenerate_keys: Some(KeySlots::Both), ..set() },
        RuleSet { regenerate_keys: Some(KeySlots::Primary), key_bytes: Some(64), ..set() },
        RuleSet { regenerate_keys: Some(KeySlots::Secondary), keyless: Some(Keyless::Sas), ..set() },
        RuleSet { swap_keys: true, ..set() },
        RuleSet { promote_secondary: true, ..set() },
        RuleSet { preset: Some(Preset::Migrate), ..set() },
        RuleSet { preset: Some(Preset::Migrate), allow: vec![Code::DeviceScope, Code::KeysByHub], ..set() },
        RuleSet { preset: Some(Preset::Migrate), import_mode: Some(ImportMode::UpdateTwin), ..set() },
        RuleSet { preset: Some(Preset::Delete), ..set() },
        RuleSet { preset: Some(Preset::Share), ..set() },
    ]
}

/// A line with some of the values changed that rules go by, so that lines of one form differ in them.
fn varied(rng: &mut Rng, line: &str) -> String {
    const VALUES: [(&str, &[&str]); 12] = [
        ("\"status\":\"enabled\"", &["\"status\":\"Disabled\"", "\"status\":\"\"", "\"status\":null", "\"status\":1"]),
        ("\"status\":\"disabled\"", &["\"status\":\"enabled\""]),
        ("\"statusReason\":\"\"", &["\"statusReason\":\"retired 2023\"", "\"statusReason\":null"]),
        ("\"iotEdge\":true", &["\"iotEdge\":false", "\"iotEdge\":null", "\"iotEdge\":7", "\"iotEdge\":\"true\""]),
        ("\"iotEdge\":false", &["\"iotEdge\":true"]),
        (
            "\"type\":\"sas\"",
            &["\"type\":\"SAS\"", "\"type\":\"none\"", "\"type\":\"selfSigned\"", "\"type\":0", "\"type\":\"x\""],
        ),
        ("\"type\":\"selfSigned\"", &["\"type\":\"sas\"", "\"type\":\"certificateAuthority\""]),
        ("\"secondaryKey\":null", &["\"secondaryKey\":\"\"", "\"secondaryKey\":false"]),
        (
            "\"primaryThumbprint\":null",
            &["\"primaryThumbprint\":\"\"", "\"primaryThumbprint\":\"x\"", "\"primaryThumbprint\":true"],
        ),
        ("\"authentication\":null", &["\"authentication\":true", "\"authentication\":\"\""]),
        ("\"deviceScope\":null", &["\"deviceScope\":\"\"", "\"deviceScope\":false", "\"deviceScope\":\"x\""]),
        ("\"id\":\"", &["\"id\":\"\u{e9}", "\"id\":\" ", "\"id\":\"\\u0041"]),
    ];
    let mut line = line.to_owned();
    for _ in 0..rng.below(3) {
        let (from, to) = VALUES[rng.below(VALUES.len())];
        line = line.replacen(from, rng.pick(to), 1);
    }
    match rng.below(6) {
        0 => line.insert_str(
            line.len() - 1,
            &format!(",\"importMode\":\"{}\"", rng.pick(&["delete", "Create", "updateTwin", "5", ""])),
        ),
        1 => {
            // The same key twice, and empty ones.
            if let (Some(at), Some(end)) = (line.find("\"primaryKey\":\""), line.find(",\"secondaryKey\":\"")) {
                let key = line[at + 13..end].to_owned();
                let rest = line[end + 16..].find('"').map(|_| end + 16);
                if let Some(start) = rest {
                    let close = start + 1 + line[start + 1..].find('"').expect("a string ends");
                    let key = if rng.chance(50) { key } else { "\"\"".to_owned() };
                    line.replace_range(start..=close, &key);
                }
            }
        }
        _ => {}
    }
    line
}

#[test]
fn what_a_line_becomes_does_not_rest_on_the_lines_before_it() {
    let mut rng = Rng::new(5);
    let mut lines = Vec::new();
    for index in 0..400u64 {
        let kind = if index % 4 == 3 { Kind::Twin } else { Kind::Identity };
        let mut line = Vec::new();
        generate::line(kind, 9, index, &mut line);
        let line = String::from_utf8(line).expect("UTF-8");
        // Each in some ways, so that forms are known.
        for _ in 0..3 {
            lines.push(if rng.chance(40) { line.clone() } else { varied(&mut rng, &line) });
        }
    }
    for number in (1..lines.len()).rev() {
        lines.swap(number, rng.below(number + 1));
    }
    let chunk: String = lines.iter().map(|line| format!("{line}\n")).collect();
    for set in rule_sets() {
        let shown = format!("{set:?}");
        let rules = Rules::new(set).expect("no contradiction");
        let mut worker = Worker::new(&rules);
        // The second time, all forms are known.
        worker.apply(&rules, chunk.as_bytes());
        let found = worker.apply(&rules, chunk.as_bytes());
        let (followed, count) = worker.follow(&rules, chunk.as_bytes());
        assert_eq!((found.len(), followed.len()), (lines.len(), lines.len()));
        let mut usable = 0;
        for (line, both) in lines.iter().zip(found.iter().zip(&followed)) {
            let [want] = Worker::new(&rules).apply(&rules, format!("{line}\n").as_bytes()).try_into().expect("a line");
            usable += usize::from(want.verdict != Verdict::Invalid);
            assert_eq!(both, (&want, &want), "{line}\n{shown}");
        }
        assert!(usable > 300, "{usable} {shown}");
        // Rules that copy keys from one slot to the other have no recipes.
        assert!(
            count > 300 || shown.contains("swap_keys: true") || shown.contains("promote_secondary: true"),
            "{count} {shown}"
        );
    }
}
