//! Class `allocations`: how often memory is asked for, per record and per piece. A count, so it is the same on every machine.
//!
//! Each rule set goes over N lines and over 2N lines with buffers that are warm. What the second N cost more is what a
//! record costs: it must be nothing for lines as a hub writes them, and no more than is written here for others.

#![allow(clippy::print_stdout, reason = "the counts are what it is for")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use hubmill_device::{Code, ImportMode};
use hubmill_generate::{Check, Csv, Devices, Made, Make, Plan, Request, Rows};
use hubmill_parser::Level;
use hubmill_pipeline::{Batch, Drain, Flow, Options, Piece, Transform, TransformScratch, Work as _, run, run_from};
use hubmill_reader::{Cut, Input, MmapChoice, Part};
use hubmill_rules::{Condition, DeepEdits, IdList, KeySlots, Preset, RuleSet, Rules, ScopeMap};
use hubmill_testkit::generate::{Kind, file};

/// Counts what it hands on to the system's allocator.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

fn count(bytes: usize) {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
}

// SAFETY: every call is handed on as it came; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is the system allocator's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise is the system allocator's, which gave `pointer`.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the system allocator's, which gave `pointer`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What was asked for, by all threads.
#[derive(Clone, Copy)]
struct Cost {
    allocations: u64,
    bytes: u64,
}

fn cost_of(job: impl FnOnce()) -> Cost {
    let before = (ALLOCATIONS.load(Ordering::Relaxed), BYTES.load(Ordering::Relaxed));
    job();
    Cost {
        allocations: ALLOCATIONS.load(Ordering::Relaxed) - before.0,
        bytes: BYTES.load(Ordering::Relaxed) - before.1,
    }
}

/// Lines of one kind. Twice as many still make one batch, so that what is kept once a batch is not taken for what is
/// kept once a record.
struct Lines {
    name: &'static str,
    half: Vec<u8>,
    whole: Vec<u8>,
    count: u64,
    /// The most that a record may ask for, in allocations, whatever the rules.
    ceiling: f64,
}

impl Lines {
    fn new(name: &'static str, count: u64, ceiling: f64, make: impl Fn(u64) -> Vec<u8>) -> Self {
        Self { name, half: make(count), whole: make(2 * count), count, ceiling }
    }

    /// Each identity with more members where each of `objects` begins.
    fn with_members(name: &'static str, count: u64, ceiling: f64, members: &str, objects: &[&str]) -> Self {
        Self::new(name, count, ceiling, |count| {
            let text = String::from_utf8(file(Kind::Identity, count, 1)).expect("made of text");
            let more = |text: String, object: &&str| text.replace(object, &format!("{{{members}{}", &object[1..]));
            objects.iter().fold(text, more).into_bytes()
        })
    }
}

/// Lines as a hub writes them, for which nothing may be asked for, and three kinds for which something is.
fn all_lines() -> [Lines; 5] {
    let inner = ["{\"id\":", "{\"symmetricKey\":", "{\"primaryKey\":", "{\"iotEdge\":"];
    let twelve: String = (0..12).map(|number| format!("\"tag{number}\":{number},")).collect();
    [
        Lines::new("identity", 2_000, 0.0, |count| file(Kind::Identity, count, 1)),
        // Of this seed the first half has the ten findings of each code that are put in words.
        Lines::new("twin", 300, 0.0, |count| file(Kind::Twin, count, 1)),
        // Names that the hub does not know, also inside of what the rules read.
        Lines::with_members("unknown", 1_500, 0.0, "\"vendor\":{\"a\":1},\"batch\":\"7\",", &inner),
        // More than are compared pair by pair.
        Lines::with_members("many-unknown", 1_000, 0.0, &twelve, &inner[..1]),
        // What is spelt with an escape is decoded where a rule reads it.
        Lines::new("escaped", 2_000, 4.0, escaped),
    ]
}

fn escaped(count: u64) -> Vec<u8> {
    let mut lines = Vec::new();
    for index in 0..count {
        let written = writeln!(
            lines,
            "{{\"id\":\"dev\\u0069ce-{index}\",\"status\":\"enabled\",\"importMode\":\"\\u0063reate\",\"authentication\":\
             {{\"symmetricKey\":{{\"primaryKey\":\"\",\"secondaryKey\":\"\"}},\"type\":\"s\\u0061s\"}}}}"
        );
        written.expect("a vector takes all");
    }
    lines
}

fn transform(set: RuleSet) -> Transform {
    Transform {
        collect_rejects: true,
        collect_filtered: true,
        collect_keys: true,
        ..Transform::new(Rules::new(set).expect("the rules agree"))
    }
}

/// Goes over all lines, which fit in one batch; how many there were.
fn go(work: &Transform, bytes: &[u8], scratch: &mut TransformScratch, batch: &mut Batch) -> u64 {
    let piece = Piece { offset: 0, is_first: false, bytes, part: Part::Lines };
    work.clear(batch);
    assert_eq!(work.work(scratch, piece, 0, u64::MAX, batch), bytes.len(), "one batch holds all");
    assert_eq!(batch.tally.rejected, 0, "all lines are valid");
    batch.tally.lines
}

fn ids() -> IdList {
    let text = String::from_utf8(file(Kind::Identity, 500, 1)).expect("made of text");
    let ids: String = text.lines().filter_map(|line| line.split('"').nth(3)).map(|id| format!("{id}\n")).collect();
    IdList::parse(ids.into_bytes())
}

fn scopes() -> ScopeMap {
    let mut scopes = ScopeMap::new();
    assert_eq!(scopes.read(&file(Kind::Identity, 4_000, 1)), 0);
    scopes
}

fn migrate() -> RuleSet {
    RuleSet { preset: Some(Preset::Migrate), allow: vec![Code::DeviceScope, Code::KeysByHub], ..RuleSet::default() }
}

fn condition() -> Condition {
    let text = "NOT is_null(tags.location.floor) OR startswith(deviceId, 'x') OR properties.desired.a.b IN [1, 2]";
    Condition::parse(text).expect("a condition")
}

fn edits() -> DeepEdits {
    let mut edits = DeepEdits::default();
    for edit in ["tags.location.floor=3", "properties.desired.a.b=1"] {
        edits.set(edit).expect("an edit");
    }
    edits
}

fn minimal() -> RuleSet {
    RuleSet { minimal: true, import_mode: Some(ImportMode::Delete), ..RuleSet::default() }
}

fn rule_sets() -> [(&'static str, RuleSet); 15] {
    let default = RuleSet::default;
    [
        ("copy", default()),
        ("import-mode", RuleSet { import_mode: Some(ImportMode::Delete), ..default() }),
        ("strip-keys", RuleSet { strip_keys: true, ..default() }),
        ("regenerate-keys", RuleSet { regenerate_keys: Some(KeySlots::Both), ..default() }),
        ("promote-secondary", RuleSet { promote_secondary: true, ..default() }),
        ("swap-keys", RuleSet { swap_keys: true, ..default() }),
        ("minimal", minimal()),
        ("minimal-twin", RuleSet { import_mode: Some(ImportMode::UpdateTwin), ..minimal() }),
        ("migrate", migrate()),
        ("migrate-scopes", RuleSet { scope_map: Some(scopes()), ..migrate() }),
        ("share", RuleSet { preset: Some(Preset::Share), ..default() }),
        ("strip-metadata", RuleSet { strip_metadata: true, ..default() }),
        ("ids", RuleSet { ids: Some(ids()), ..default() }),
        ("where", RuleSet { condition: Some(condition()), ..default() }),
        ("set", RuleSet { deep: edits(), ..default() }),
    ]
}

/// What a piece may ask for whatever it holds: the findings that are shown, of two codes at most.
const PIECE_CEILING: u64 = 100;

/// Prints what a record and a piece of N lines ask for, and checks it.
fn by_rule_set(lines: &Lines) {
    for (name, set) in rule_sets() {
        let work = transform(set);
        let (mut scratch, mut batch) = (work.scratch(), work.batch());
        // A structure is kept at its second sighting: after two rounds all are known. Where two take turns at one slot, its room
        // has grown after some more.
        for _ in 0..6 {
            assert_eq!(go(&work, &lines.whole, &mut scratch, &mut batch), 2 * lines.count);
        }
        let once = cost_of(|| assert_eq!(go(&work, &lines.half, &mut scratch, &mut batch), lines.count));
        let twice = cost_of(|| assert_eq!(go(&work, &lines.whole, &mut scratch, &mut batch), 2 * lines.count));
        let records = lines.count as f64;
        let per_record = (twice.allocations - once.allocations) as f64 / records;
        let bytes_per_record = twice.bytes.saturating_sub(once.bytes) as f64 / records;
        let per_piece = once.allocations.saturating_sub((per_record * records) as u64);
        println!("{:<14}{name:<20}{per_record:>12.3}{bytes_per_record:>12.1}{per_piece:>12}", lines.name);
        assert!(
            per_record <= lines.ceiling,
            "{name} on {}: {per_record} allocations a record, at most {} were allowed",
            lines.name,
            lines.ceiling
        );
        assert!(per_piece <= PIECE_CEILING, "{name} on {}: {per_piece} allocations a piece", lines.name);
    }
}

/// Takes batches and counts their lines.
struct Count(u64);

impl Drain<Batch> for Count {
    type Error = std::convert::Infallible;

    fn drain(&mut self, _: Piece<'_>, _: usize, batch: &Batch) -> Result<Flow, Self::Error> {
        self.0 += batch.tally.lines;
        Ok(Flow::Continue)
    }
}

/// What a whole run from a file asks for, threads, slots and buffers included.
fn run_cost(path: &Path, lines: u64, threads: usize) -> Cost {
    std::fs::write(path, file(Kind::Identity, lines, 1)).expect("room for the data");
    let work = transform(minimal());
    let mut drain = Count(0);
    let cost = cost_of(|| {
        let input = Input::open(path, MmapChoice::Never).expect("the file is there");
        let whole = run(&input, Options { threads, cut: Cut::default(), once: true }, &work, &mut drain);
        assert!(whole.expect("reading works"));
    });
    assert_eq!(drain.0, lines);
    cost
}

/// What one more chunk may ask for: the job, and now and then a block of a queue.
const CHUNK_CEILING: f64 = 4.0;
/// What a run over ten lines may ask for on two threads, in bytes: it should cost next to nothing.
const SMALL_RUN_BYTES_MAX: u64 = 640 << 10;

fn whole_runs() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("in");
    println!("\n{:<14}{:>20}{:>12}{:>12}", "whole run", "per chunk more", "10 lines", "bytes");
    for threads in [1, 2] {
        // Enough for every slot to have been used and its buffers to have grown.
        let lines = 40_000;
        let once = run_cost(&path, lines, threads);
        let twice = run_cost(&path, 2 * lines, threads);
        let chunks = std::fs::metadata(&path).expect("just written").len() / 2 / Cut::default().chunk_bytes as u64;
        let per_chunk = twice.allocations.saturating_sub(once.allocations) as f64 / chunks as f64;
        let small = run_cost(&path, 10, threads);
        println!("{threads} threads{per_chunk:>25.2}{:>12}{:>12}", small.allocations, small.bytes);
        assert!(per_chunk <= CHUNK_CEILING, "{per_chunk} allocations a chunk");
        assert!(small.bytes <= SMALL_RUN_BYTES_MAX, "{} bytes for ten lines", small.bytes);
    }
}

/// Takes devices and counts them.
struct CountDevices(u64);

impl<'p> Drain<Made, Devices<'p>> for CountDevices {
    type Error = std::convert::Infallible;

    fn drain(&mut self, _: &Rows, _: usize, made: &Made) -> Result<Flow, Self::Error> {
        self.0 += made.devices;
        Ok(Flow::Continue)
    }
}

/// What a run asks for that makes so many devices, by number or from a list.
fn generate_cost(count: u64, csv: Option<Csv>) -> Cost {
    let request = Request {
        count: Some(count),
        id: csv.is_none().then(|| "Hub_{index}_{uuid}".to_owned()),
        key_bytes: 32,
        collect_keys: true,
        ..Request::default()
    };
    let plan = Plan::new(request, csv).expect("the list can be read").expect("the request can be met");
    let mut drain = CountDevices(0);
    let check = plan.csv().map(|_| Check::new(&plan, Level::detect(), false));
    let cost = cost_of(|| {
        let make = check.as_ref().map_or_else(|| Make::new(&plan), |check| Make::checked(check, true));
        let whole = run_from(&Devices::new(&plan), 1, &make, &mut drain);
        assert!(whole.expect("making works"));
    });
    assert_eq!(drain.0, count);
    cost
}

/// A device that is made asks for nothing. What a run asks for by itself is the same for any number of devices.
fn made_devices() {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let path = folder.path().join("list.csv");
    let devices = 20_000;
    let rows: String = (0..2 * devices).map(|number| format!("pump-{number},oslo,{number}\n")).collect();
    std::fs::write(&path, format!("id,tags.site,properties.desired.n\n{rows}")).expect("room for the list");
    println!("\n{:<14}{:>20}", "made devices", "per device");
    for from_list in [false, true] {
        let list = || from_list.then(|| Csv::open(&path).expect("the list can be read"));
        let [once, twice] = [devices, 2 * devices].map(|count| generate_cost(count, list()).allocations);
        let per_device = twice.saturating_sub(once) as f64 / devices as f64;
        println!("{:<14}{per_device:>20.3}", if from_list { "from a list" } else { "by number" });
        assert!(per_device < 0.001, "{per_device} allocations a device");
    }
}

fn main() {
    println!("{:<14}{:<20}{:>12}{:>12}{:>12}", "lines", "rules", "per record", "bytes", "per piece");
    for lines in all_lines() {
        by_rule_set(&lines);
    }
    whole_runs();
    made_devices();
}
