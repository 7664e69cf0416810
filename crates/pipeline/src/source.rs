//! Where pieces come from: the lines of an input, or whatever else can be cut into pieces.

use std::sync::atomic::{AtomicU64, Ordering};

use hubmill_reader::{Chunk, Chunks, Cut, Data, Error, Input, Part, Watch};

use crate::Piece;

/// What a run is cut into: the kind of piece that work and drain are about.
pub trait Kind {
    /// A piece, as workers and the drain see it.
    type Piece<'p>: Copy;

    /// Where the work on a piece ends: its length, counted as [`Work::work`](crate::Work::work) counts.
    fn end(piece: Self::Piece<'_>) -> usize;
}

/// Where pieces come from, one by one, in order. One worker at a time asks for the next.
pub trait Source: Sync {
    /// What it is cut into.
    type Kind: Kind;
    /// How far it has been cut; goes from worker to worker.
    type Place: Send;
    /// What is kept of a piece until it is drained. Reused: its room is kept.
    type Held: Send;
    /// What can go wrong.
    type Error: Send;

    /// Before the first piece.
    fn start(&self) -> Self::Place;

    /// Room for a piece.
    fn held(&self) -> Self::Held;

    /// Gets the next piece; `false` at the end, or where the run is over.
    fn next(&self, place: &mut Self::Place, held: &mut Self::Held, watch: &mut impl Watch)
    -> Result<bool, Self::Error>;

    /// The piece that is held.
    fn piece<'p>(&self, held: &'p Self::Held) -> <Self::Kind as Kind>::Piece<'p>;

    /// Whether it is so large that no other is to be got while it is under way.
    fn is_unusual(&self, _: &Self::Held) -> bool {
        false
    }

    /// Gives back room beyond what is usual, when a piece was drained.
    fn release(&self, _: &mut Self::Held) {}

    /// Does what there is to do now and then, while other workers read and drain.
    fn tidy(&self) {}

    /// Whether what was got so far is still to be relied on; asked before a piece is drained.
    fn check(&self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// The same, more closely; asked where draining failed.
    fn check_closely(&self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// The kind of piece that is a run of lines of an input.
#[derive(Clone, Copy, Debug)]
pub enum Lines {}

impl Kind for Lines {
    type Piece<'p> = Piece<'p>;

    #[inline]
    fn end(piece: Piece<'_>) -> usize {
        piece.bytes.len()
    }
}

/// The lines of an input, chunk by chunk.
#[derive(Debug)]
pub(crate) struct InputSource<'a> {
    input: &'a Input,
    cut: Cut,
    /// What was drained is not looked at again.
    once: bool,
    /// The end of what was drained, as an offset.
    drained: AtomicU64,
    /// The end of what was given back.
    given_back: AtomicU64,
}

/// Bytes of a map that are given back at once: at the end, one thread alone would have to give back all, and for each piece
/// all CPUs are interrupted.
const GIVEN_BACK_BYTES: u64 = 32 << 20;

impl<'a> InputSource<'a> {
    pub(crate) fn new(input: &'a Input, cut: Cut, once: bool) -> Self {
        Self { input, cut, once, drained: AtomicU64::new(0), given_back: AtomicU64::new(0) }
    }
}

/// A chunk, and where its bytes are, unless they are mapped.
pub(crate) struct HeldChunk<'a> {
    chunk: Chunk<'a>,
    buffer: Vec<u8>,
    is_first: bool,
}

/// What is left of an input.
pub(crate) struct Rest<'a> {
    chunks: Chunks<'a>,
    at_start: bool,
}

impl<'a> Source for InputSource<'a> {
    type Kind = Lines;
    type Place = Rest<'a>;
    type Held = HeldChunk<'a>;
    type Error = Error;

    fn start(&self) -> Rest<'a> {
        Rest { chunks: self.input.chunks(self.cut), at_start: true }
    }

    fn held(&self) -> HeldChunk<'a> {
        let chunk = Chunk { offset: 0, data: Data::Buffered(0), part: Part::Lines };
        HeldChunk { chunk, buffer: Vec::new(), is_first: false }
    }

    fn next(&self, rest: &mut Rest<'a>, held: &mut HeldChunk<'a>, watch: &mut impl Watch) -> Result<bool, Error> {
        let Some(chunk) = rest.chunks.next(&mut held.buffer, watch)? else {
            return Ok(false);
        };
        held.chunk = chunk;
        held.is_first = std::mem::take(&mut rest.at_start);
        Ok(true)
    }

    #[inline]
    fn piece<'p>(&self, held: &'p HeldChunk<'a>) -> Piece<'p> {
        let HeldChunk { chunk, buffer, is_first } = held;
        Piece { offset: chunk.offset, is_first: *is_first, bytes: chunk.bytes(buffer), part: chunk.part }
    }

    fn is_unusual(&self, held: &HeldChunk<'a>) -> bool {
        held.chunk.len() > self.cut.chunk_bytes
    }

    fn release(&self, held: &mut HeldChunk<'a>) {
        self.drained.store(held.chunk.offset + held.chunk.len() as u64, Ordering::Relaxed);
        if held.buffer.capacity() > 2 * self.cut.chunk_bytes {
            held.buffer = Vec::new();
        }
    }

    fn tidy(&self) {
        let (from, to) = (self.given_back.load(Ordering::Relaxed), self.drained.load(Ordering::Relaxed));
        if self.once
            && to.saturating_sub(from) >= GIVEN_BACK_BYTES
            && self.given_back.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            self.input.give_back(from, to);
        }
    }

    fn check(&self) -> Result<(), Error> {
        self.input.check()
    }

    fn check_closely(&self) -> Result<(), Error> {
        self.input.check_length()
    }
}
