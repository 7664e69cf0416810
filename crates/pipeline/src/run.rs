//! The run itself.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use hubmill_reader::{Cut, Input, Watch};

use crate::slot::Slot;
use crate::state::{Reason, State};
use crate::{Drain, Error, Flow, Work};

/// How a run is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Sizes of chunks.
    pub cut: Cut,
}

/// How many chunks can be under way at once: what memory follows from.
pub fn slot_count(threads: usize) -> usize {
    2 * threads + 2
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
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|number| format!("worker-{number}"))
        .build()
        .map_err(|error| Error::Start(error.to_string()))?;
    let scratches: Vec<Mutex<W::Scratch>> = (0..threads).map(|_| Mutex::new(work.scratch())).collect();
    let state = State::new();
    let slots = slot_count(threads);
    let (free_in, free_out) = bounded(slots);
    let (done_in, done_out) = bounded(slots);
    for _ in 0..slots {
        if free_in.send(Slot::new(work.batch())).is_err() {
            unreachable!("the receiver is in scope");
        }
    }
    std::thread::scope(|scope| {
        let (state, scratches) = (&state, &scratches);
        let ordered = scope.spawn(move || drain_in_order(work, drain, options, state, &done_out, &free_in));
        let mut watch = Slots { free: &free_out, idle: Vec::new(), count: slots, state };
        pool.in_place_scope_fifo(|jobs| {
            let mut chunks = input.chunks(options.cut);
            let mut sequence = 0;
            while let Some(mut slot) = watch.take() {
                match chunks.next(&mut slot.buffer, &mut watch) {
                    Ok(Some(chunk)) => slot.chunk = chunk,
                    Ok(None) => break,
                    Err(error) => {
                        state.end(Reason::Failed(Error::Read(error)));
                        break;
                    }
                }
                slot.sequence = sequence;
                sequence += 1;
                let large = slot.chunk.len() > options.cut.chunk_bytes;
                if large {
                    watch.hold_all_others();
                }
                let done = done_in.clone();
                jobs.spawn_fifo(move |_| compute(work, scratches, slot, &done));
                if large {
                    watch.wait_for_one();
                }
            }
        });
        drop(done_in);
        if let Err(panic) = ordered.join() {
            state.end(Reason::Panicked(panic));
        }
    });
    match state.into_reason() {
        None => Ok(true),
        Some(Reason::Stopped) => Ok(false),
        Some(Reason::Failed(error)) => Err(error),
        Some(Reason::Panicked(panic)) => resume_unwind(panic),
    }
}

/// One job: computes and never waits (there is room for every slot in the channel of finished ones).
fn compute<'a, W: Work>(
    work: &W,
    scratches: &[Mutex<W::Scratch>],
    mut slot: Slot<'a, W::Batch>,
    done: &Sender<Slot<'a, W::Batch>>,
) {
    let worker = rayon::current_thread_index().unwrap_or(0);
    // A panic must not lose the slot: others may be waiting for it.
    let result = catch_unwind(AssertUnwindSafe(|| {
        let mut scratch = scratches[worker].lock().unwrap_or_else(PoisonError::into_inner);
        let (piece, batch) = slot.parts();
        work.work(&mut scratch, piece, 0, work.allowance(), batch)
    }));
    match result {
        Ok(next) => slot.next = next,
        Err(panic) => slot.panic = Some(panic),
    }
    // Where nobody receives, the run is over.
    let _ = done.send(slot);
}

/// The slots as the cutting thread sees them.
struct Slots<'s, 'a, B, E> {
    free: &'s Receiver<Slot<'a, B>>,
    /// Slots held back.
    idle: Vec<Slot<'a, B>>,
    count: usize,
    state: &'s State<E>,
}

impl<'a, B, E> Slots<'_, 'a, B, E> {
    /// The next free slot; `None` where the run is over.
    fn take(&mut self) -> Option<Slot<'a, B>> {
        if self.state.is_over() {
            return None;
        }
        self.idle.pop().or_else(|| self.free.recv().ok())
    }

    /// Waits until every slot but the one that the caller has is here.
    fn hold_all_others(&mut self) {
        while self.idle.len() + 1 < self.count {
            match self.free.recv() {
                Ok(slot) => self.idle.push(slot),
                Err(_) => return,
            }
        }
    }

    /// Waits until the one slot that is out has come back.
    fn wait_for_one(&mut self) {
        if let Ok(slot) = self.free.recv() {
            self.idle.push(slot);
        }
    }
}

impl<B, E> Watch for Slots<'_, '_, B, E> {
    fn stopped(&self) -> bool {
        self.state.is_over()
    }

    fn before_growth(&mut self) {
        self.hold_all_others();
    }
}

/// Drains finished slots in the order of the input, and gives them back.
fn drain_in_order<'a, W, D>(
    work: &W,
    drain: &mut D,
    options: Options,
    state: &State<D::Error>,
    done: &Receiver<Slot<'a, W::Batch>>,
    free: &Sender<Slot<'a, W::Batch>>,
) where
    W: Work,
    D: Drain<W::Batch>,
{
    let window = slot_count(options.threads.max(1));
    let mut waiting: Vec<Option<Slot<'a, W::Batch>>> = (0..window).map(|_| None).collect();
    let mut next = 0u64;
    let mut ended = false;
    let mut scratch = None;
    for slot in done {
        let place = (slot.sequence % window as u64) as usize;
        assert!(waiting[place].is_none(), "no more slots under way than there are places");
        waiting[place] = Some(slot);
        while let Some(mut slot) = waiting[(next % window as u64) as usize].take() {
            next += 1;
            // Only what ends the draining itself counts here: where reading failed, what came before is still written.
            let end = match slot.panic.take() {
                _ if ended => None,
                Some(panic) => Some(Reason::Panicked(panic)),
                None => match drain_slot(work, drain, &mut scratch, &mut slot) {
                    Ok(Flow::Stop) => Some(Reason::Stopped),
                    Ok(_) => None,
                    Err(error) => Some(Reason::Failed(Error::Drain(error))),
                },
            };
            if let Some(reason) = end {
                ended = true;
                state.end(reason);
            }
            work.clear(&mut slot.batch);
            if slot.buffer.capacity() > 2 * options.cut.chunk_bytes {
                slot.buffer = Vec::new();
            }
            // Where nobody receives, the input has ended.
            let _ = free.send(slot);
        }
    }
}

/// Drains one slot, to its end: what did not fit in the batch is computed here.
fn drain_slot<W, D>(
    work: &W,
    drain: &mut D,
    scratch: &mut Option<W::Scratch>,
    slot: &mut Slot<'_, W::Batch>,
) -> Result<Flow, D::Error>
where
    W: Work,
    D: Drain<W::Batch>,
{
    let mut next = slot.next;
    let mut from = 0;
    let (piece, batch) = slot.parts();
    let mut allowance = work.allowance();
    loop {
        match drain.drain(piece, from, batch)? {
            Flow::Continue if next < piece.bytes.len() => from = next,
            Flow::Redo { allowance: less } => allowance = less,
            flow @ (Flow::Continue | Flow::Stop) => return Ok(flow),
        }
        work.clear(batch);
        next = work.work(scratch.get_or_insert_with(|| work.scratch()), piece, from, allowance, batch);
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
