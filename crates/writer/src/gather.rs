//! The output of one chunk: untouched runs of the input by reference, everything else in a buffer.

use std::ops::Range;

use crate::splice::{Edit, append, splice_line};

/// An untouched run at least this long is written straight from the input; a shorter one is copied, since a write of
/// its own would cost more.
const RUN_BYTES_MIN: usize = 32 * 1024;

/// Collects the output of one chunk, line by line, in order. Reused from chunk to chunk.
#[derive(Debug, Default)]
pub struct Gather {
    buffer: Vec<u8>,
    /// Runs of the input, each with the length that the buffer had before it.
    runs: Vec<(usize, Range<usize>)>,
    /// The run that is growing.
    open: Range<usize>,
    run_bytes: usize,
}

impl Gather {
    /// Forgets everything; keeps the buffer's room.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.runs.clear();
        self.open = 0..0;
        self.run_bytes = 0;
    }

    /// Makes room for `bytes` more in the buffer.
    pub fn reserve(&mut self, bytes: usize) {
        self.buffer.reserve_exact(bytes);
    }

    /// How many bytes there are to write.
    pub fn len(&self) -> usize {
        self.buffer.len() + self.run_bytes + self.open.len()
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the buffer holds: what this costs in memory.
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// How many bytes the buffer has room for.
    pub fn capacity(&self) -> usize {
        self.buffer.capacity()
    }

    /// Gives back room beyond `bytes`; only for an empty gather.
    pub fn shrink(&mut self, bytes: usize) {
        if self.buffer.capacity() > bytes {
            self.buffer.shrink_to(bytes);
        }
    }

    /// Adds bytes of the chunk as they are, line end included.
    #[inline]
    pub fn keep(&mut self, chunk: &[u8], start: usize, end: usize) {
        if self.open.end != start || self.open.is_empty() {
            self.close_run(chunk);
            self.open = start..end;
        } else {
            self.open.end = end;
        }
    }

    /// Adds bytes of the chunk with the edits made, and a `\n`.
    #[inline]
    pub fn edit(
        &mut self,
        chunk: &[u8],
        start: usize,
        end: usize,
        edits: impl IntoIterator<Item = Edit>,
        texts: &[u8],
    ) {
        if !self.open.is_empty() {
            self.close_run(chunk);
        }
        if end - start < RUN_BYTES_MIN {
            splice_line(&mut self.buffer, chunk, start..end, edits, texts);
        } else {
            self.edit_long(chunk, start, end, edits, texts);
        }
    }

    /// As [`edit`](Self::edit), of a line that may have runs that are not copied.
    #[cold]
    fn edit_long(
        &mut self,
        chunk: &[u8],
        start: usize,
        end: usize,
        edits: impl IntoIterator<Item = Edit>,
        texts: &[u8],
    ) {
        let mut kept = start;
        for edit in edits {
            self.keep(chunk, kept, edit.start as usize);
            self.close_run(chunk);
            self.buffer.extend_from_slice(&texts[edit.text_start as usize..edit.text_end as usize]);
            kept = edit.end as usize;
        }
        self.keep(chunk, kept, end);
        self.close_run(chunk);
        self.buffer.push(b'\n');
    }

    /// Ends the run that is growing. To be called when the chunk is done.
    pub fn close_run(&mut self, chunk: &[u8]) {
        let run = std::mem::take(&mut self.open);
        if run.len() >= RUN_BYTES_MIN {
            self.run_bytes += run.len();
            self.runs.push((self.buffer.len(), run));
        } else {
            append(&mut self.buffer, chunk, run.start, run.end);
        }
    }

    /// The bytes to write, in order, piece by piece. `chunk` is what the runs were taken from.
    pub fn pieces<'a>(&'a self, chunk: &'a [u8]) -> Pieces<'a> {
        debug_assert!(self.open.is_empty(), "close_run ends a chunk");
        Pieces { gather: self, chunk, next: 0, buffer_done: 0 }
    }
}

/// The pieces of a [`Gather`], in order; none is empty.
#[derive(Debug)]
pub struct Pieces<'a> {
    gather: &'a Gather,
    chunk: &'a [u8],
    /// Twice the number of the next run, plus one where what the buffer holds before it was given out.
    next: usize,
    buffer_done: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let run = self.gather.runs.get(self.next / 2);
            let piece = match run {
                Some((_, range)) if self.next % 2 == 1 => &self.chunk[range.clone()],
                _ => {
                    let end = run.map_or(self.gather.buffer.len(), |(before, _)| *before);
                    let start = std::mem::replace(&mut self.buffer_done, end);
                    if run.is_none() && start == end {
                        return None;
                    }
                    &self.gather.buffer[start..end]
                }
            };
            self.next += 1;
            if !piece.is_empty() {
                return Some(piece);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Edit, Gather, RUN_BYTES_MIN};

    fn all(gather: &Gather, chunk: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in gather.pieces(chunk) {
            assert!(!piece.is_empty());
            out.extend_from_slice(piece);
        }
        assert_eq!(out.len(), gather.len());
        out
    }

    #[test]
    fn short_runs_are_copied_and_long_ones_are_not() {
        let chunk: Vec<u8> = (0..4 * RUN_BYTES_MIN).map(|at| at as u8).collect();
        let mut gather = Gather::default();
        let mut want = Vec::new();
        let long = RUN_BYTES_MIN + 5;
        for (start, end) in [(0, 10), (10, 20), (30, 30 + long), (30 + long, 90 + long)] {
            gather.keep(&chunk, start, end);
            want.extend_from_slice(&chunk[start..end]);
        }
        let edit = Edit { start: 5, end: 6, text_start: 0, text_end: 2 };
        gather.edit(&chunk, 4, 8, [edit], b"ab");
        want.extend_from_slice(&[4, b'a', b'b', 6, 7, b'\n']);
        let start = 2 * RUN_BYTES_MIN + 100;
        gather.keep(&chunk, start, chunk.len());
        want.extend_from_slice(&chunk[start..]);
        gather.close_run(&chunk);
        assert_eq!(all(&gather, &chunk), want);
        assert!(gather.buffered() < 100);
        gather.clear();
        assert!(gather.is_empty());
        assert_eq!(all(&gather, &chunk), b"");
    }

    #[test]
    fn what_is_long_in_an_edited_line_is_not_copied() {
        let chunk: Vec<u8> = (0..6 * RUN_BYTES_MIN).map(|at| at as u8).collect();
        let edit = |start: usize, end: usize, text_start, text_end| Edit {
            start: start as u32,
            end: end as u32,
            text_start,
            text_end,
        };
        let far = 2 + 3 * RUN_BYTES_MIN;
        let edits = [edit(2, 2, 0, 1), edit(2, 2, 1, 2), edit(far, far + 7, 2, 3), edit(far + 9, far + 9, 3, 3)];
        let mut gather = Gather::default();
        gather.keep(&chunk, 0, 2);
        gather.edit(&chunk, 2, chunk.len() - 1, edits, b"abc");
        gather.keep(&chunk, 0, 1);
        gather.close_run(&chunk);
        let mut want = chunk[..2].to_vec();
        crate::splice(&mut want, &chunk, 2, chunk.len() - 1, edits, b"abc");
        want.extend_from_slice(b"\n\0");
        assert_eq!(all(&gather, &chunk), want);
        assert!(gather.buffered() < 16);
    }
}
