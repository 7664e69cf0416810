//! One round of the buffers: a piece and what comes out of it.

use std::any::Any;

/// What a worker panicked with.
pub(crate) type Panic = Box<dyn Any + Send>;

pub(crate) struct Slot<H, B> {
    /// The place in the order of the pieces.
    pub(crate) sequence: u64,
    /// The piece, as its source keeps it.
    pub(crate) held: H,
    pub(crate) batch: B,
    /// The first place of the piece that is not in the batch.
    pub(crate) next: usize,
    pub(crate) panic: Option<Panic>,
}

impl<H, B> Slot<H, B> {
    pub(crate) fn new(held: H, batch: B) -> Self {
        Self { sequence: 0, held, batch, next: 0, panic: None }
    }
}
