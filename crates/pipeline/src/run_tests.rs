use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use hubmill_reader::{Cut, Input, MmapChoice, Watch};

use super::{Options, run, run_from, slot_count};
use crate::{Drain, Error, Flow, Kind, Piece, Source, Work};

/// Copies lines; a line `!` panics; a line `x` is a fault; a batch is full after `full` lines.
struct Copy {
    full: usize,
    allowance: u64,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

impl Copy {
    fn new(full: usize, allowance: u64) -> Self {
        Self { full, allowance, under_way: AtomicUsize::new(0), most_under_way: AtomicUsize::new(0) }
    }
}

#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    faults: u64,
    allowance: u64,
}

impl Work for Copy {
    type Scratch = ();
    type Batch = Batch;

    fn scratch(&self) {}

    fn batch(&self) -> Batch {
        Batch::default()
    }

    fn clear(&self, batch: &mut Batch) {
        *batch = Batch::default();
        self.under_way.fetch_sub(1, Ordering::SeqCst);
    }

    fn work(&self, (): &mut (), piece: Piece<'_>, from: usize, allowance: u64, batch: &mut Batch) -> usize {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_under_way.fetch_max(now, Ordering::SeqCst);
        let mut at = from;
        batch.allowance = allowance;
        for (count, line) in piece.bytes[from..].split_inclusive(|byte| *byte == b'\n').enumerate() {
            if count == self.full || batch.faults == allowance {
                break;
            }
            assert!(!line.starts_with(b"!"), "a line that panics");
            batch.faults += u64::from(line.starts_with(b"x"));
            batch.bytes.extend_from_slice(line);
            at += line.len();
        }
        at
    }

    fn allowance(&self) -> u64 {
        self.allowance
    }
}

struct Collect {
    bytes: Vec<u8>,
    faults: u64,
    faults_max: u64,
    fail_after: usize,
    slow: bool,
}

impl Collect {
    fn new() -> Self {
        Self { bytes: Vec::new(), faults: 0, faults_max: u64::MAX, fail_after: usize::MAX, slow: false }
    }
}

impl Drain<Batch> for Collect {
    type Error = String;

    fn drain(&mut self, _: Piece<'_>, _: usize, batch: &Batch) -> Result<Flow, String> {
        let left = self.faults_max.saturating_add(1) - self.faults;
        if batch.faults >= left && batch.allowance != left {
            return Ok(Flow::Redo { allowance: left });
        }
        self.faults += batch.faults;
        self.bytes.extend_from_slice(&batch.bytes);
        if self.bytes.len() > self.fail_after {
            return Err("no room".to_owned());
        }
        if self.slow {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        Ok(if self.faults > self.faults_max { Flow::Stop } else { Flow::Continue })
    }
}

fn options(threads: usize, chunk_bytes: usize) -> Options {
    Options { threads, cut: Cut { first_chunk_bytes: chunk_bytes, chunk_bytes, line_bytes_max: 1 << 20 }, once: true }
}

fn go(content: &[u8], options: Options, work: &Copy, drain: &mut Collect) -> Result<bool, Error<String>> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    let input = Input::open(file.path(), MmapChoice::Never).unwrap();
    run(&input, options, work, drain)
}

fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

#[test]
fn order_is_kept_for_all_threads_chunks_and_full_batches() {
    let content = lines(500);
    for threads in [1, 2, 8] {
        for chunk_bytes in [1, 16, 1000, 1 << 20] {
            for full in [1, 3, usize::MAX] {
                let mut drain = Collect::new();
                let whole = go(&content, options(threads, chunk_bytes), &Copy::new(full, u64::MAX), &mut drain);
                assert!(whole.unwrap());
                assert_eq!(drain.bytes, content);
            }
        }
    }
}

#[test]
fn a_long_line_among_short_ones_does_not_hang() {
    let content = [lines(50), vec![b'y'; 5000], b"\n".to_vec(), lines(50)].concat();
    for threads in [1, 3] {
        let mut drain = Collect::new();
        assert!(go(&content, options(threads, 64), &Copy::new(usize::MAX, u64::MAX), &mut drain).unwrap());
        assert_eq!(drain.bytes, content);
    }
}

#[test]
fn a_slow_drain_holds_the_workers_back() {
    let work = Copy::new(usize::MAX, u64::MAX);
    let mut drain = Collect { slow: true, ..Collect::new() };
    assert!(go(&lines(2000), options(3, 100), &work, &mut drain).unwrap());
    assert!(work.most_under_way.load(Ordering::SeqCst) <= slot_count(3));
}

#[test]
fn the_run_stops_right_after_the_last_fault_allowed() {
    let content = b"a\nx1\nb\nc\nx2\nd\nx3\ne\nx4\n";
    for (faults_max, want) in [(0, "a\nx1\n"), (1, "a\nx1\nb\nc\nx2\n"), (2, "a\nx1\nb\nc\nx2\nd\nx3\n")] {
        for chunk_bytes in [1, 5, 9, 100] {
            for full in [1, 2, usize::MAX] {
                let mut drain = Collect { faults_max, ..Collect::new() };
                let whole = go(content, options(2, chunk_bytes), &Copy::new(full, faults_max + 1), &mut drain);
                assert!(!whole.unwrap());
                assert_eq!(String::from_utf8_lossy(&drain.bytes), want, "{faults_max} {chunk_bytes} {full}");
            }
        }
    }
}

#[test]
fn a_failing_drain_ends_the_run() {
    for threads in [1, 4] {
        let mut drain = Collect { fail_after: 300, ..Collect::new() };
        let result = go(&lines(5000), options(threads, 50), &Copy::new(usize::MAX, u64::MAX), &mut drain);
        assert!(matches!(result, Err(Error::Drain(reason)) if reason == "no room"));
        assert!(drain.bytes.len() < 500, "nothing is drained after the failure");
    }
}

#[test]
fn a_panic_in_a_worker_goes_on_in_the_caller() {
    for threads in [1, 4] {
        let content = [lines(300), b"!\n".to_vec(), lines(3000)].concat();
        let result = std::panic::catch_unwind(|| {
            let _ = go(&content, options(threads, 50), &Copy::new(usize::MAX, u64::MAX), &mut Collect::new());
        });
        let panic = result.unwrap_err();
        assert!(panic.downcast_ref::<&str>().is_some_and(|message| message.contains("a line that panics")));
    }
}

/// Numbers up to a limit, a few at a time; fails past `fails_at`.
struct Numbers {
    limit: u64,
    fails_at: u64,
}

impl Kind for Numbers {
    type Piece<'p> = (u64, u64);

    fn end((start, end): (u64, u64)) -> usize {
        (end - start) as usize
    }
}

impl Source for Numbers {
    type Kind = Self;
    type Place = u64;
    type Held = (u64, u64);
    type Error = String;

    fn start(&self) -> u64 {
        0
    }

    fn held(&self) -> (u64, u64) {
        (0, 0)
    }

    fn next(&self, place: &mut u64, held: &mut (u64, u64), _: &mut impl Watch) -> Result<bool, String> {
        if *place >= self.fails_at {
            return Err("no more numbers".to_owned());
        }
        *held = (*place, (*place + 10).min(self.limit));
        *place = held.1;
        Ok(held.0 < held.1)
    }

    fn piece(&self, held: &(u64, u64)) -> (u64, u64) {
        *held
    }
}

/// Writes numbers as lines, three to a batch.
struct Spell;

impl Work<Numbers> for Spell {
    type Scratch = ();
    type Batch = Vec<u8>;

    fn scratch(&self) {}

    fn batch(&self) -> Vec<u8> {
        Vec::new()
    }

    fn clear(&self, batch: &mut Vec<u8>) {
        batch.clear();
    }

    fn work(&self, (): &mut (), (start, end): (u64, u64), from: usize, _: u64, batch: &mut Vec<u8>) -> usize {
        let next = (start + from as u64 + 3).min(end);
        for number in start + from as u64..next {
            batch.extend_from_slice(format!("{number}\n").as_bytes());
        }
        (next - start) as usize
    }
}

struct Bytes(Vec<u8>);

impl Drain<Vec<u8>, Numbers> for Bytes {
    type Error = String;

    fn drain(&mut self, _: (u64, u64), _: usize, batch: &Vec<u8>) -> Result<Flow, String> {
        self.0.extend_from_slice(batch);
        Ok(Flow::Continue)
    }
}

#[test]
fn pieces_can_come_from_elsewhere_than_an_input() {
    for threads in [1, 2, 5] {
        let mut drain = Bytes(Vec::new());
        let whole = run_from(&Numbers { limit: 1234, fails_at: u64::MAX }, threads, &Spell, &mut drain);
        assert!(whole.unwrap());
        assert_eq!(drain.0, lines(1234));
        let mut drain = Bytes(Vec::new());
        let failed = run_from(&Numbers { limit: 1234, fails_at: 500 }, threads, &Spell, &mut drain);
        assert!(matches!(failed, Err(Error::Read(reason)) if reason == "no more numbers"));
        assert_eq!(drain.0, lines(500), "what came before is drained");
    }
}

#[test]
fn an_empty_input_is_no_batch() {
    let mut drain = Collect::new();
    assert!(go(b"", options(2, 10), &Copy::new(usize::MAX, 1), &mut drain).unwrap());
    assert!(drain.bytes.is_empty());
}
