//! The run itself.
//!
//! Every worker does the whole round: it takes its turn to read a chunk, computes, and takes its turn to drain what is
//! next in the order of the input. So a chunk is read, parsed, spliced and, as a rule, written by one core, out of that
//! core's cache, and while one worker writes the others compute. A worker that finds another one draining leaves its
//! batch to that one and goes on.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use hubmill_reader::{Cut, Input, Watch};

use crate::slot::Slot;
use crate::source::{InputSource, Kind, Source};
use crate::state::{Reason, State};
use crate::{Drain, Error, Flow, Work};

/// How a run is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Worker threads, at least 1; the caller's thread is one of them.
    pub threads: usize,
    /// Sizes of chunks.
    pub cut: Cut,
}

/// How many chunks can be under way at once: what memory follows from.
pub fn slot_count(threads: usize) -> usize {
    2 * threads
}

/// Runs `work` over all of `input` and hands the batches to `drain`, in order.
///
/// `Ok(false)` where the drain stopped the run.
///
/// # Errors
/// The first failure of reader or drain.
///
/// # Panics
/// Where `work` or `drain` did: their panic goes on here, after all threads have come to rest.
pub fn run<W, D>(input: &Input, options: Options, work: &W, drain: &mut D) -> Result<bool, Error<D::Error>>
where
    W: Work,
    D: Drain<W::Batch>,
{
    run_from(&InputSource { input, cut: options.cut }, options.threads, work, drain)
}

/// As [`run`], over the pieces of any source.
///
/// # Errors
/// The first failure of source or drain.
///
/// # Panics
/// Where `work` or `drain` did: their panic goes on here, after all threads have come to rest.
pub fn run_from<S, W, D>(source: &S, threads: usize, work: &W, drain: &mut D) -> Result<bool, Error<D::Error, S::Error>>
where
    S: Source,
    W: Work<S::Kind>,
    D: Drain<W::Batch, S::Kind>,
{
    let threads = threads.max(1);
    let slots = slot_count(threads);
    let (free_in, free_out) = bounded(slots);
    for _ in 0..slots {
        if free_in.send(Slot::new(source.held(), work.batch())).is_err() {
            unreachable!("the receiver is in scope");
        }
    }
    let run = Run {
        source,
        work,
        state: State::new(),
        reading: Mutex::new(Reading { place: source.start(), sequence: 0, ended: false }),
        free_in,
        free_out,
        order: Mutex::new(Order::new(slots)),
        drained: Condvar::new(),
        draining: Mutex::new(Draining { drain, ended: false }),
    };
    if threads == 1 {
        run.worker();
    } else {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads - 1)
            .thread_name(|number| format!("worker-{}", number + 1))
            .build()
            .map_err(|error| Error::Start(error.to_string()))?;
        pool.in_place_scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|_| run.worker());
            }
            run.worker();
        });
    }
    match run.state.into_reason() {
        None => Ok(true),
        Some(Reason::Stopped) => Ok(false),
        Some(Reason::Failed(error)) => Err(error),
        Some(Reason::Panicked(panic)) => resume_unwind(panic),
    }
}

/// What goes round between the workers.
type SlotOf<S, W> = Slot<<S as Source>::Held, <W as Work<<S as Source>::Kind>>::Batch>;
/// What a failed drain or source says.
type ErrorOf<S, W, D> =
    Error<<D as Drain<<W as Work<<S as Source>::Kind>>::Batch, <S as Source>::Kind>>::Error, <S as Source>::Error>;

/// What all workers share.
struct Run<'r, S: Source, W: Work<S::Kind>, D: Drain<W::Batch, S::Kind>> {
    source: &'r S,
    work: &'r W,
    state: State<D::Error, S::Error>,
    reading: Mutex<Reading<S::Place>>,
    free_in: Sender<SlotOf<S, W>>,
    free_out: Receiver<SlotOf<S, W>>,
    order: Mutex<Order<SlotOf<S, W>>>,
    /// Told whenever a piece was drained.
    drained: Condvar,
    draining: Mutex<Draining<'r, D>>,
}

/// Where batches go.
struct Draining<'r, D> {
    drain: &'r mut D,
    /// The drain has failed or stopped: nothing more goes there.
    ended: bool,
}

/// How far the source has been read.
struct Reading<P> {
    place: P,
    /// The number of the next piece.
    sequence: u64,
    ended: bool,
}

/// Finished pieces that wait for the ones before them.
struct Order<T> {
    /// By the piece's number, modulo the number of slots.
    waiting: Vec<Option<T>>,
    /// The piece that is to be drained next.
    next: u64,
    /// Some worker drains.
    draining: bool,
    /// Pieces that were read and not drained yet.
    under_way: usize,
}

impl<T> Order<T> {
    fn new(slots: usize) -> Self {
        Self { waiting: (0..slots).map(|_| None).collect(), next: 0, draining: false, under_way: 0 }
    }

    fn place(&self, sequence: u64) -> usize {
        (sequence % self.waiting.len() as u64) as usize
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the reader may have to wait for, which is where all other chunks have been drained.
struct Others<'o, 'r, S: Source, W: Work<S::Kind>, D: Drain<W::Batch, S::Kind>>(&'o Run<'r, S, W, D>);

impl<S: Source, W: Work<S::Kind>, D: Drain<W::Batch, S::Kind>> Watch for Others<'_, '_, S, W, D> {
    fn stopped(&self) -> bool {
        self.0.state.is_over()
    }

    fn before_growth(&mut self) {
        let order = lock(&self.0.order);
        let rested = self.0.drained.wait_while(order, |order| order.under_way > 0);
        drop(rested.unwrap_or_else(PoisonError::into_inner));
    }
}

impl<S: Source, W: Work<S::Kind>, D: Drain<W::Batch, S::Kind>> Run<'_, S, W, D> {
    /// Goes round until the input or the run is over.
    fn worker(&self) {
        let mut scratch = None;
        let mut spare = None;
        // A panic outside of computing and draining, which catch their own, is a bug here; it must end the run, too.
        let result = catch_unwind(AssertUnwindSafe(|| while self.round(&mut scratch, &mut spare) {}));
        if let Err(panic) = result {
            self.state.end(Reason::Panicked(panic));
        }
        spare.into_iter().for_each(|slot| self.give_back(slot));
    }

    /// One piece, from the source to where it goes; `false` where there is none any more.
    fn round(&self, scratch: &mut Option<W::Scratch>, spare: &mut Option<SlotOf<S, W>>) -> bool {
        // A slot is had before it is this worker's turn to read: it may take others' draining to get one.
        let Some(mut slot) = spare.take().or_else(|| self.free_out.recv().ok()) else {
            return false;
        };
        let mut reading = lock(&self.reading);
        if reading.ended || self.state.is_over() || !self.read(&mut reading, &mut slot) {
            reading.ended = true;
            self.give_back(slot);
            return false;
        }
        lock(&self.order).under_way += 1;
        // Nothing else is read while a piece of unusual size is under way.
        let alone = self.source.is_unusual(&slot.held).then_some(reading);
        self.compute(scratch, &mut slot);
        self.pass_on(scratch, slot, spare);
        drop(alone);
        true
    }

    /// Reads the next piece into a slot.
    fn read(&self, reading: &mut Reading<S::Place>, slot: &mut SlotOf<S, W>) -> bool {
        match self.source.next(&mut reading.place, &mut slot.held, &mut Others(self)) {
            Ok(true) => {
                slot.sequence = reading.sequence;
                reading.sequence += 1;
                true
            }
            Ok(false) => false,
            Err(error) => {
                self.state.end(Reason::Failed(Error::Read(error)));
                false
            }
        }
    }

    fn compute(&self, scratch: &mut Option<W::Scratch>, slot: &mut SlotOf<S, W>) {
        // A panic must not lose the slot: others may be waiting for it.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let scratch = scratch.get_or_insert_with(|| self.work.scratch());
            self.work.work(scratch, self.source.piece(&slot.held), 0, self.work.allowance(), &mut slot.batch)
        }));
        match result {
            Ok(next) => slot.next = next,
            Err(panic) => slot.panic = Some(panic),
        }
    }

    /// Puts a finished slot in its place, and drains whatever is next, unless another worker is at it.
    fn pass_on(&self, scratch: &mut Option<W::Scratch>, slot: SlotOf<S, W>, spare: &mut Option<SlotOf<S, W>>) {
        let mut order = lock(&self.order);
        let place = order.place(slot.sequence);
        assert!(order.waiting[place].is_none(), "no more slots under way than there are places");
        order.waiting[place] = Some(slot);
        if order.draining {
            return;
        }
        loop {
            let place = order.place(order.next);
            let Some(mut slot) = order.waiting[place].take() else {
                order.draining = false;
                return;
            };
            order.next += 1;
            order.draining = true;
            drop(order);
            self.drain(scratch, &mut slot);
            // The first one stays with this worker, in whose cache it is.
            match spare {
                None => *spare = Some(slot),
                Some(_) => self.give_back(slot),
            }
            order = lock(&self.order);
            order.under_way -= 1;
            self.drained.notify_all();
        }
    }

    /// Drains a slot, unless the drain has ended, and empties it.
    fn drain(&self, scratch: &mut Option<W::Scratch>, slot: &mut SlotOf<S, W>) {
        let mut draining = lock(&self.draining);
        // Only what ends the draining itself counts here: where reading failed, what came before is still written.
        if !draining.ended {
            let drained = match slot.panic.take() {
                Some(panic) => Err(panic),
                None => catch_unwind(AssertUnwindSafe(|| self.drain_intact(draining.drain, scratch, slot))),
            };
            let end = match drained {
                Ok(Ok(Flow::Stop)) => Some(Reason::Stopped),
                Ok(Ok(_)) => None,
                Ok(Err(error)) => Some(Reason::Failed(error)),
                Err(panic) => Some(Reason::Panicked(panic)),
            };
            if let Some(reason) = end {
                draining.ended = true;
                self.state.end(reason);
            }
        }
        slot.panic = None;
        self.work.clear(&mut slot.batch);
        self.source.release(&mut slot.held);
    }

    /// Drains a slot, unless its source turned out not to be there.
    fn drain_intact(
        &self,
        drain: &mut D,
        scratch: &mut Option<W::Scratch>,
        slot: &mut SlotOf<S, W>,
    ) -> Result<Flow, ErrorOf<S, W, D>> {
        self.source.check().map_err(Error::Read)?;
        self.drain_whole(drain, scratch, slot).map_err(|error| {
            // Writing may have failed because there was nothing left to write.
            self.source.check_closely().map_or_else(Error::Read, |()| Error::Drain(error))
        })
    }

    /// Drains a slot to its end: what did not fit in the batch is computed here.
    fn drain_whole(
        &self,
        drain: &mut D,
        scratch: &mut Option<W::Scratch>,
        slot: &mut SlotOf<S, W>,
    ) -> Result<Flow, D::Error> {
        let mut next = slot.next;
        let mut from = 0;
        let (piece, batch) = (self.source.piece(&slot.held), &mut slot.batch);
        let mut allowance = self.work.allowance();
        loop {
            match drain.drain(piece, from, batch)? {
                Flow::Continue if next < S::Kind::end(piece) => from = next,
                Flow::Redo { allowance: less } => allowance = less,
                flow @ (Flow::Continue | Flow::Stop) => return Ok(flow),
            }
            self.work.clear(batch);
            let scratch = scratch.get_or_insert_with(|| self.work.scratch());
            next = self.work.work(scratch, piece, from, allowance, batch);
        }
    }

    /// Leaves an empty slot to whoever comes first.
    fn give_back(&self, slot: SlotOf<S, W>) {
        // There is room for every slot, and the receiver is in the same struct.
        let _ = self.free_in.send(slot);
    }
}

#[cfg(test)]
mod tests {
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
        Options { threads, cut: Cut { first_chunk_bytes: chunk_bytes, chunk_bytes, line_bytes_max: 1 << 20 } }
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

        fn piece<'p>(&self, held: &'p (u64, u64)) -> (u64, u64) {
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
}
