//! Chunks through reader, workers and writer: in order, in bounded memory.
//!
//! Every worker does the whole round: its turn to read a chunk, its own work, its turn to drain what is next in the order
//! of the input. A fixed set of slots goes round between them and is backpressure and reorder window in one. Where pieces
//! come from, what is computed and where it goes is open: see [`Source`], [`Work`] and [`Drain`]. [`Transform`] is the work that rewrites lines by rules,
//! [`Validate`] the one that checks them, [`Statistics`] the one that counts what is in them.
#![forbid(unsafe_code)]

mod batch;
mod duplicates;
mod entries;
mod fingerprint;
mod full_check;
mod layout;
mod notes;
mod repeats;
mod run;
mod search;
mod slabs;
mod slot;
mod source;
mod state;
mod statistics;
mod transform;
mod validate;
mod validation;

use std::fmt;

pub use batch::{Batch, Diagnostic, Sample, Tally};
pub use duplicates::Duplicates;
pub use entries::{Entries, Entry};
pub use layout::Layout;
pub use notes::{DIAGNOSTICS_SHOWN_MAX, fault_finding, is_notice, notice_text, shown};
pub use repeats::{Repeat, RepeatKind, Repeats};
pub use run::{Options, run, run_from, slot_count};
pub use source::{Kind, Lines, Source};
pub use statistics::{Counts, Sizes, Statistics, StatisticsBatch};
pub use transform::{OnInvalid, Transform, TransformScratch};
pub use validate::{CheckedBatch, Subject, Validate, ValidateScratch};
pub use validation::Validation;

/// The bytes that a worker is given.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// The offset of the first byte in the input.
    pub offset: u64,
    /// Whether it is the first piece of the input.
    pub is_first: bool,
    /// The bytes.
    pub bytes: &'a [u8],
    /// What they are a part of.
    pub part: hubmill_reader::Part,
}

/// The byte order mark, as UTF-8 has it.
const BOM: &[u8] = b"\xef\xbb\xbf";

impl Piece<'_> {
    /// Whether the offset `from` is the start of the input.
    pub fn is_start(&self, from: usize) -> bool {
        self.is_first && from == 0
    }

    /// The offset `from`, or the one after the byte order mark that stands there.
    pub fn after_mark(&self, from: usize) -> usize {
        if self.is_start(from) && self.bytes.starts_with(BOM) { BOM.len() } else { from }
    }
}

/// What is computed from a piece: a run of lines, or another kind.
pub trait Work<K: Kind = Lines>: Sync {
    /// What one thread needs and keeps.
    type Scratch: Send;
    /// What comes out of a piece. Reused: its room is kept.
    type Batch: Send;

    /// A new scratch.
    fn scratch(&self) -> Self::Scratch;

    /// A new, empty batch.
    fn batch(&self) -> Self::Batch;

    /// Empties a batch, and gives back room beyond what is usual.
    fn clear(&self, batch: &mut Self::Batch);

    /// Works through the piece from the place `from` on, an offset where it is lines, into an empty batch.
    ///
    /// Returns the first place that is not in the batch. That is the end of the piece, unless the batch is
    /// full, and then the rest is asked for again, or `allowance` is used up: the number of faults after which the rest of the
    /// piece will not be looked at.
    fn work(
        &self,
        scratch: &mut Self::Scratch,
        piece: K::Piece<'_>,
        from: usize,
        allowance: u64,
        batch: &mut Self::Batch,
    ) -> usize;

    /// Whether these first bytes of a stream tell all that its first piece is to tell of the whole.
    fn is_enough(&self, first: &[u8]) -> bool {
        let _ = first;
        true
    }

    /// The allowance for workers: faults in one piece after which the run is over whatever came before.
    fn allowance(&self) -> u64 {
        u64::MAX
    }
}

/// What to do after a batch was drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// This batch was not taken, since it goes past the fault that ends the run: make it again with a smaller allowance.
    Redo {
        /// Faults after which to stop.
        allowance: u64,
    },
    /// The run is over.
    Stop,
}

/// Where batches go, one by one, in the order of the input.
pub trait Drain<B, K: Kind = Lines>: Send {
    /// What can go wrong.
    type Error: Send;

    /// Takes a batch that came from `piece`, the part of it from `from` on.
    fn drain(&mut self, piece: K::Piece<'_>, from: usize, batch: &B) -> Result<Flow, Self::Error>;
}

/// Why a run failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error<E, R = hubmill_reader::Error> {
    /// The source could not be read on.
    Read(R),
    /// The drain could not go on.
    Drain(E),
    /// The workers could not be started.
    Start(String),
}

impl<E: fmt::Display, R: fmt::Display> fmt::Display for Error<E, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Drain(error) => error.fmt(f),
            Self::Start(reason) => write!(f, "can't start the worker threads: {reason}"),
        }
    }
}

impl<E: std::error::Error, R: std::error::Error> std::error::Error for Error<E, R> {}
