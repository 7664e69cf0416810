//! `hubmill stats`: what is in a file, at a glance.

use std::collections::HashMap;
use std::time::Instant;

use hubmill_device::{ImportMode, PROPERTIES_SIZE_MAX, Printable, TAGS_SIZE_MAX, TextKind, redacted};
use hubmill_pipeline::{
    Counts, Drain, Duplicates, Flow, Piece, RepeatKind, Sizes, Statistics, StatisticsBatch, Tally, run as run_pipeline,
};
use hubmill_writer::{Error, Pending};
use serde_json::{Map, Value, json};

use crate::console::Console;
use crate::end::{End, Written, end_of};
use crate::excerpt::first_characters;
use crate::exit::{Exit, Failure};
use crate::flags::{Format, StatsArguments};
use crate::human;
use crate::progress::Progress;
use crate::report::{Course, Report};
use crate::transform::{limits, open_input, options};
use crate::validate::open_outputs;
use crate::{places, select, signals, simd};

/// The sections of a twin, and how large each may be (§3.6).
const SECTIONS: [(&str, u64); 3] =
    [("tags", TAGS_SIZE_MAX), ("desired", PROPERTIES_SIZE_MAX), ("reported", PROPERTIES_SIZE_MAX)];
/// Values that `--by` shows to people.
const VALUES_SHOWN_MAX: usize = 20;
/// Characters of a value that are shown.
const VALUE_CHARACTERS_MAX: usize = 60;

/// Runs the command.
pub(crate) fn run(arguments: &StatsArguments) -> Result<Exit, Failure> {
    let started = Instant::now();
    let level = simd::level()?;
    let io = &arguments.io;
    let filter = select::filter(arguments.condition.as_deref())?;
    let by = arguments.by.as_deref().map(select::path).transpose()?;
    let input = open_input(io)?;
    places::check(&[("the input", &input)], io, &[])?;
    if io.run.diagnostics.is_some() {
        return Err(Failure::usage("stats has no --diagnostics: it finds nothing but numbers; see hubmill validate"));
    }
    let pending = Pending::default();
    signals::watch(&pending)?;
    let outputs = open_outputs(io, &pending)?;
    let mut sink = outputs.findings;
    let work = Statistics::new(limits(io), level, by.as_ref()).with_filter(filter).with_lines_again(input.is_mapped());
    let options = options(io, &input);
    let mut whole = Whole {
        counts: Counts::default(),
        sizes: Default::default(),
        by: HashMap::new(),
        duplicates: Duplicates::default(),
        bytes_in: 0,
        progress: io.run.progress(false, input.bytes()),
        console: io.run.console(),
    };
    let end = end_of(run_pipeline(&input, options, &work, &mut whole));
    whole.progress.finish();
    if let End::Failed(failure) = end {
        return Err(failure);
    }
    let are_equal = |one, other| input.lines_are_equal(one, other);
    let repeats = std::mem::take(&mut whole.duplicates).finish(options.threads, 0, &are_equal);
    // Lines were looked at again for that.
    input.check().map_err(Failure::storage)?;
    let duplicates = [RepeatKind::Differs, RepeatKind::Equal].map(|kind| repeats.count(kind));
    let text = match arguments.format {
        Format::Json => whole.json(duplicates, arguments.by.as_deref()).to_string() + "\n",
        Format::Text => whole.table(duplicates, arguments.by.as_deref()),
    };
    let end = sink.write(text.as_bytes()).map_or_else(End::from, |()| End::Whole);
    if let End::Failed(failure) = end {
        return Err(failure);
    }
    let course = Course {
        complete: matches!(end, End::Whole),
        bytes_in: whole.bytes_in,
        bytes_out: sink.bytes(),
        started,
        threads: options.threads,
        source: input.source(),
        chunk_bytes: options.cut.chunk_bytes,
        simd: level.name(),
    };
    let report = whole.report(course);
    let written =
        Written { findings: None, report: (&report, outputs.report), output: [sink], keeps_output: end.keeps_output() };
    written.put_in_place(&io.run, &pending, &whole.console)?;
    if let End::StdoutClosed = end {
        return Ok(Exit::Done);
    }
    if !io.run.quiet {
        let seconds = started.elapsed().as_secs_f64();
        whole.console.say(&format!(
            "{}, {} in {seconds:.2} s ({})",
            human::counted(whole.counts.lines, "line"),
            human::bytes(whole.bytes_in),
            human::rate(whole.bytes_in, seconds)
        ));
    }
    Ok(if whole.counts.invalid > 0 { Exit::Findings } else { Exit::Done })
}

/// All lines.
struct Whole {
    counts: Counts,
    sizes: [Sizes; 3],
    by: HashMap<Vec<u8>, u64>,
    duplicates: Duplicates,
    bytes_in: u64,
    progress: Progress,
    console: Console,
}

impl Drain<StatisticsBatch> for Whole {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, from: usize, batch: &StatisticsBatch) -> Result<Flow, Error> {
        self.duplicates.add(&batch.entries, self.counts.lines);
        batch.add_to(&mut self.counts, &mut self.sizes, &mut self.by);
        if from == 0 {
            self.bytes_in += piece.bytes.len() as u64;
            self.progress.advance(piece.bytes.len() as u64, &self.console);
        }
        Ok(Flow::Continue)
    }
}

impl Whole {
    /// The summary of the run: what became of the lines, and not what is in them.
    fn report(&self, course: Course) -> Vec<u8> {
        let Counts { lines, blank, notices, filtered, invalid, .. } = self.counts;
        let mut tally = Tally::default();
        tally.written = lines - blank - notices - filtered - invalid;
        tally.rejected = invalid;
        (tally.lines, tally.blank, tally.notices, tally.filtered) = (lines, blank, notices, filtered);
        Report::of_check("stats", &tally, course).text()
    }

    /// Names of types of authentication, with their counts.
    fn authentication(&self) -> Vec<(&'static str, u64)> {
        let names = Counts::AUTHENTICATION.map(|kind| kind.as_str());
        names.into_iter().chain(["notSaid", "unreadable"]).zip(self.counts.authentication).collect()
    }

    /// Names of import modes, with their counts.
    fn modes(&self) -> Vec<(&'static str, u64)> {
        let names = ImportMode::ALL.map(ImportMode::as_str);
        names.into_iter().chain(["unreadable"]).zip(self.counts.modes).collect()
    }

    /// The values that lines were counted by, the most frequent first, fit to be shown.
    fn values(&self) -> impl Iterator<Item = (String, u64)> {
        let mut values: Vec<(&Vec<u8>, u64)> = self.by.iter().map(|(value, count)| (value, *count)).collect();
        values.sort_unstable_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        let shown = |value: &[u8]| redacted(&String::from_utf8_lossy(value), TextKind::Name);
        values.into_iter().map(move |(value, count)| (shown(value), count))
    }

    fn json(&self, [differing, equal]: [u64; 2], by: Option<&str>) -> Value {
        let counts = &self.counts;
        let object = |pairs: Vec<(&'static str, u64)>| {
            Value::Object(pairs.into_iter().map(|(name, count)| (name.to_owned(), count.into())).collect::<Map<_, _>>())
        };
        let mut sizes = Map::new();
        for ((section, limit), found) in SECTIONS.into_iter().zip(&self.sizes) {
            let [p50, p99, largest] = [50, 99, 100].map(|percent| found.percentile(percent));
            sizes.insert(
                section.to_owned(),
                json!({"count": found.count(), "p50": p50, "p99": p99, "largest": largest, "limit": limit, "over": found.over(limit)}),
            );
        }
        let mut all = json!({
            "totalDeviceCount": counts.devices,
            "enabledDeviceCount": counts.enabled,
            "disabledDeviceCount": counts.disabled,
            "edgeDevices": counts.edge,
            "childDevices": counts.children,
            "modules": counts.modules,
            "systemModules": counts.system_modules,
            "authentication": object(self.authentication()),
            "importModes": object(self.modes()),
            "twinSizes": sizes,
            "duplicates": {"ids": differing, "lines": equal},
            "lines": counts.lines,
            "invalid": counts.invalid,
            "filtered": counts.filtered,
            "notices": counts.notices,
            "blank": counts.blank,
            "bytes": self.bytes_in,
        });
        if let (Some(path), Some(object)) = (by, all.as_object_mut()) {
            let values: Vec<Value> =
                self.values().map(|(value, count)| json!({"value": value, "count": count})).collect();
            object.insert("by".to_owned(), json!({"path": path, "values": values}));
        }
        all
    }

    fn table(&self, [differing, equal]: [u64; 2], by: Option<&str>) -> String {
        let counts = &self.counts;
        let mut text = String::new();
        let mut row = |name: &str, count: u64| {
            let name = name.to_owned();
            text.push_str(&format!("{name:<38}{:>8}\n", human::count(count)));
        };
        row("devices", counts.devices);
        row("  enabled", counts.enabled);
        row("  disabled", counts.disabled);
        for (name, count) in [
            ("  edge devices", counts.edge),
            ("  children of edge devices", counts.children),
            ("modules", counts.modules),
            ("  of the hub itself ($)", counts.system_modules),
            ("lines that are no device", counts.invalid),
            ("lines left out by --where", counts.filtered),
            ("notices", counts.notices),
            ("blank lines", counts.blank),
            ("ids again, in other lines", differing),
            ("lines again", equal),
        ] {
            if count > 0 {
                row(name, count);
            }
        }
        for (title, pairs) in [("authentication", self.authentication()), ("import mode", self.modes())] {
            for (name, count) in pairs.into_iter().filter(|(_, count)| *count > 0) {
                let name = if name == "notSaid" { "null or missing" } else { name };
                row(&format!("{title}: {name}"), count);
            }
        }
        if self.sizes.iter().any(|sizes| sizes.count() > 0) {
            text.push_str(&format!(
                "\n{:<12}{:>12}{:>10}{:>10}{:>10}{:>10}{:>10}\n",
                "twin sizes", "count", "p50", "p99", "largest", "limit", "over"
            ));
            for ((section, limit), sizes) in
                SECTIONS.into_iter().zip(&self.sizes).filter(|(_, sizes)| sizes.count() > 0)
            {
                let [p50, p99, largest] = [50, 99, 100].map(|percent| human::count(sizes.percentile(percent)));
                let (count, over) = (human::count(sizes.count()), human::count(sizes.over(limit)));
                let limit = human::count(limit);
                text.push_str(&format!(
                    "{section:<12}{count:>12}{p50:>10}{p99:>10}{largest:>10}{limit:>10}{over:>10}\n"
                ));
            }
        }
        if let Some(path) = by {
            text.push_str(&format!("\nby {}\n", Printable(path)));
            for (value, count) in self.values().take(VALUES_SHOWN_MAX) {
                let value = if value.is_empty() { "(not there, or empty)" } else { &value };
                let shown = Printable(first_characters(value, VALUE_CHARACTERS_MAX)).to_string();
                text.push_str(&format!("{shown:<38}{:>8}\n", human::count(count)));
            }
            if self.by.len() > VALUES_SHOWN_MAX {
                let more = human::count((self.by.len() - VALUES_SHOWN_MAX) as u64);
                text.push_str(&format!("… and {more} more values\n"));
            }
        }
        text
    }
}
