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
    /// The input is not looked at again: of a map, what was drained is given back.
    pub once: bool,
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
    run_from(&InputSource::new(input, options.cut, options.once), options.threads, work, drain)
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

    fn is_enough(&self, first: &[u8]) -> bool {
        self.0.work.is_enough(first)
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
        self.source.tidy();
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
#[path = "run_tests.rs"]
mod tests;
