//! The run itself.
//!
//! Every worker does the whole round: it takes its turn to read a chunk, computes, and takes its turn to drain what is
//! next in the order of the input. So a chunk is read, parsed, spliced and, as a rule, written by one core, out of that
//! core's cache, and while one worker writes the others compute. A worker that finds another one draining leaves its
//! batch to that one and goes on.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use hubmill_reader::{Chunks, Cut, Input, Watch};

use crate::slot::Slot;
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
    let threads = options.threads.max(1);
    let slots = slot_count(threads);
    let (free_in, free_out) = bounded(slots);
    for _ in 0..slots {
        if free_in.send(Slot::new(work.batch())).is_err() {
            unreachable!("the receiver is in scope");
        }
    }
    let run = Run {
        input,
        work,
        cut: options.cut,
        state: State::new(),
        source: Mutex::new(Source { chunks: input.chunks(options.cut), sequence: 0, ended: false }),
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

/// What all workers share.
struct Run<'r, 'a, W: Work, D: Drain<W::Batch>> {
    input: &'r Input,
    work: &'r W,
    cut: Cut,
    state: State<D::Error>,
    source: Mutex<Source<'a>>,
    free_in: Sender<Slot<'a, W::Batch>>,
    free_out: Receiver<Slot<'a, W::Batch>>,
    order: Mutex<Order<'a, W::Batch>>,
    /// Told whenever a chunk was drained.
    drained: Condvar,
    draining: Mutex<Draining<'r, D>>,
}

/// Where batches go.
struct Draining<'r, D> {
    drain: &'r mut D,
    /// The drain has failed or stopped: nothing more goes there.
    ended: bool,
}

/// Where chunks come from.
struct Source<'a> {
    chunks: Chunks<'a>,
    /// The number of the next chunk.
    sequence: u64,
    ended: bool,
}

/// Finished chunks that wait for the ones before them.
struct Order<'a, B> {
    /// By the chunk's number, modulo the number of slots.
    waiting: Vec<Option<Slot<'a, B>>>,
    /// The chunk that is to be drained next.
    next: u64,
    /// Some worker drains.
    draining: bool,
    /// Chunks that were read and not drained yet.
    under_way: usize,
}

impl<B> Order<'_, B> {
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
struct Others<'o, 'r, 'a, W: Work, D: Drain<W::Batch>>(&'o Run<'r, 'a, W, D>);

impl<W: Work, D: Drain<W::Batch>> Watch for Others<'_, '_, '_, W, D> {
    fn stopped(&self) -> bool {
        self.0.state.is_over()
    }

    fn before_growth(&mut self) {
        let order = lock(&self.0.order);
        let rested = self.0.drained.wait_while(order, |order| order.under_way > 0);
        drop(rested.unwrap_or_else(PoisonError::into_inner));
    }
}

impl<'a, W: Work, D: Drain<W::Batch>> Run<'_, 'a, W, D> {
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

    /// One chunk, from the input to where it goes; `false` where there is none any more.
    fn round(&self, scratch: &mut Option<W::Scratch>, spare: &mut Option<Slot<'a, W::Batch>>) -> bool {
        // A slot is had before it is this worker's turn to read: it may take others' draining to get one.
        let Some(mut slot) = spare.take().or_else(|| self.free_out.recv().ok()) else {
            return false;
        };
        let mut source = lock(&self.source);
        if source.ended || self.state.is_over() || !self.read(&mut source, &mut slot) {
            source.ended = true;
            self.give_back(slot);
            return false;
        }
        lock(&self.order).under_way += 1;
        // Nothing else is read while a chunk of unusual size is under way.
        let alone = (slot.chunk.len() > self.cut.chunk_bytes).then_some(source);
        self.compute(scratch, &mut slot);
        self.pass_on(scratch, slot, spare);
        drop(alone);
        true
    }

    /// Reads the next chunk into a slot.
    fn read(&self, source: &mut Source<'a>, slot: &mut Slot<'a, W::Batch>) -> bool {
        match source.chunks.next(&mut slot.buffer, &mut Others(self)) {
            Ok(Some(chunk)) => {
                slot.chunk = chunk;
                slot.sequence = source.sequence;
                source.sequence += 1;
                true
            }
            Ok(None) => false,
            Err(error) => {
                self.state.end(Reason::Failed(Error::Read(error)));
                false
            }
        }
    }

    fn compute(&self, scratch: &mut Option<W::Scratch>, slot: &mut Slot<'a, W::Batch>) {
        // A panic must not lose the slot: others may be waiting for it.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let (piece, batch) = slot.parts();
            let scratch = scratch.get_or_insert_with(|| self.work.scratch());
            self.work.work(scratch, piece, 0, self.work.allowance(), batch)
        }));
        match result {
            Ok(next) => slot.next = next,
            Err(panic) => slot.panic = Some(panic),
        }
    }

    /// Puts a finished slot in its place, and drains whatever is next, unless another worker is at it.
    fn pass_on(
        &self,
        scratch: &mut Option<W::Scratch>,
        slot: Slot<'a, W::Batch>,
        spare: &mut Option<Slot<'a, W::Batch>>,
    ) {
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
    fn drain(&self, scratch: &mut Option<W::Scratch>, slot: &mut Slot<'a, W::Batch>) {
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
        if slot.buffer.capacity() > 2 * self.cut.chunk_bytes {
            slot.buffer = Vec::new();
        }
    }

    /// Drains a slot, unless its input turned out not to be there.
    fn drain_intact(
        &self,
        drain: &mut D,
        scratch: &mut Option<W::Scratch>,
        slot: &mut Slot<'a, W::Batch>,
    ) -> Result<Flow, Error<D::Error>> {
        self.input.check().map_err(Error::Read)?;
        self.drain_whole(drain, scratch, slot).map_err(|error| {
            // Writing may have failed because there was nothing left to write.
            self.input.check_length().map_or_else(Error::Read, |()| Error::Drain(error))
        })
    }

    /// Drains a slot to its end: what did not fit in the batch is computed here.
    fn drain_whole(
        &self,
        drain: &mut D,
        scratch: &mut Option<W::Scratch>,
        slot: &mut Slot<'a, W::Batch>,
    ) -> Result<Flow, D::Error> {
        let mut next = slot.next;
        let mut from = 0;
        let (piece, batch) = slot.parts();
        let mut allowance = self.work.allowance();
        loop {
            match drain.drain(piece, from, batch)? {
                Flow::Continue if next < piece.bytes.len() => from = next,
                Flow::Redo { allowance: less } => allowance = less,
                flow @ (Flow::Continue | Flow::Stop) => return Ok(flow),
            }
            self.work.clear(batch);
            let scratch = scratch.get_or_insert_with(|| self.work.scratch());
            next = self.work.work(scratch, piece, from, allowance, batch);
        }
    }

    /// Leaves an empty slot to whoever comes first.
    fn give_back(&self, slot: Slot<'a, W::Batch>) {
        // There is room for every slot, and the receiver is in the same struct.
        let _ = self.free_in.send(slot);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use hubmill_reader::{Cut, Input, MmapChoice};

    use super::{Options, run, slot_count};
    use crate::{Drain, Error, Flow, Piece, Work};

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

    #[test]
    fn an_empty_input_is_no_batch() {
        let mut drain = Collect::new();
        assert!(go(b"", options(2, 10), &Copy::new(usize::MAX, 1), &mut drain).unwrap());
        assert!(drain.bytes.is_empty());
    }
}
