//! One round of the buffers: a chunk and what comes out of it.

use std::any::Any;

use hubmill_reader::{Chunk, Data, Part};

use crate::Piece;

/// What a worker panicked with.
pub(crate) type Panic = Box<dyn Any + Send>;

pub(crate) struct Slot<'a, B> {
    /// The place in the order of the input.
    pub(crate) sequence: u64,
    pub(crate) chunk: Chunk<'a>,
    /// Where the chunk's bytes are, unless they are mapped.
    pub(crate) buffer: Vec<u8>,
    pub(crate) batch: B,
    /// The offset of the first byte of the chunk that is not in the batch.
    pub(crate) next: usize,
    pub(crate) panic: Option<Panic>,
}

impl<B> Slot<'_, B> {
    pub(crate) fn new(batch: B) -> Self {
        let chunk = Chunk { offset: 0, data: Data::Buffered(0), part: Part::Lines };
        Self { sequence: 0, chunk, buffer: Vec::new(), batch, next: 0, panic: None }
    }

    /// The bytes, and the batch to put what comes out of them.
    pub(crate) fn parts(&mut self) -> (Piece<'_>, &mut B) {
        let bytes = self.chunk.bytes(&self.buffer);
        let is_first = self.sequence == 0;
        (Piece { offset: self.chunk.offset, is_first, bytes, part: self.chunk.part }, &mut self.batch)
    }
}
