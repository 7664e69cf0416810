//! Lines that were found to fit stencils, and are to be visited.
//!
//! A few lines are traced in a row before any is visited: what is needed for the one then stays in the CPU's registers.

use crate::index::Flags;
use crate::stencil::PIECES_MAX;

/// Lines in a row, at most.
const LINES_MAX: usize = 32;
/// Bytes after which no further line is traced: those that are traced are to be in the first cache when they are visited.
const BYTES_MAX: usize = 16 * 1024;
/// Pieces after which no further line is traced.
const STARTS_MAX: usize = 1024;

/// A line that fits a stencil, as far as the tree tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traced {
    /// The number of the stencil.
    pub(crate) stencil: u32,
    /// Where the places of its pieces are among those of all lines.
    starts: u32,
    /// The end of the line without its line end, and with it.
    pub(crate) end: u32,
    pub(crate) end_with_newline: u32,
    /// What its values hold.
    pub(crate) flags: Flags,
}

impl Traced {
    pub(crate) fn new(stencil: u32, end: usize, end_with_newline: usize, flags: Flags) -> Self {
        Self { stencil, starts: 0, end: end as u32, end_with_newline: end_with_newline as u32, flags }
    }
}

/// The lines that were traced last.
#[derive(Debug)]
pub(crate) struct Traces {
    lines: [Traced; LINES_MAX],
    count: usize,
    /// Where the pieces of all lines start.
    starts: Box<[u32; STARTS_MAX + PIECES_MAX]>,
    starts_used: usize,
}

impl Default for Traces {
    fn default() -> Self {
        Self {
            lines: [Traced::default(); LINES_MAX],
            count: 0,
            starts: Box::new([0; STARTS_MAX + PIECES_MAX]),
            starts_used: 0,
        }
    }
}

impl Traces {
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.starts_used = 0;
    }

    #[inline]
    pub(crate) fn lines(&self) -> &[Traced] {
        &self.lines[..self.count]
    }

    /// Where the pieces of a line start.
    #[inline(always)]
    pub(crate) fn starts(&self, line: &Traced) -> &[u32; PIECES_MAX] {
        self.starts[line.starts as usize..].first_chunk().expect("room for the pieces of a whole line")
    }

    /// How many of the first lines have the same stencil, hold nothing that needs a closer look, and end with a `\n` alone.
    #[inline]
    pub(crate) fn alike(&self) -> usize {
        let first = self.lines[0].stencil;
        let is_alike = |line: &&Traced| {
            line.stencil == first && line.flags == Flags::NONE && line.end_with_newline == line.end + 1
        };
        self.lines().iter().take_while(is_alike).count()
    }

    /// Where the pieces of the lines start, from the first line's on.
    #[inline]
    pub(crate) fn all_starts(&self) -> &[u32] {
        &*self.starts
    }

    /// How many pieces each of some lines has that have the same stencil, the first of two or more.
    #[inline]
    pub(crate) fn pieces_of_first(&self) -> usize {
        (self.lines[1].starts - self.lines[0].starts) as usize
    }

    /// Room for the places where the pieces of a further line start; `None` where the lines, of so many bytes, are enough.
    #[inline(always)]
    pub(crate) fn room(&mut self, bytes: usize) -> Option<&mut [u32; PIECES_MAX]> {
        let is_enough = self.count == LINES_MAX || self.starts_used > STARTS_MAX || bytes >= BYTES_MAX;
        if is_enough { None } else { self.starts[self.starts_used..].first_chunk_mut() }
    }

    /// Adds a line of which the pieces, so many, start where was written down in the [`room`](Self::room).
    #[inline(always)]
    pub(crate) fn add(&mut self, line: Traced, pieces: usize) {
        self.lines[self.count] = Traced { starts: self.starts_used as u32, ..line };
        self.count += 1;
        self.starts_used += pieces;
    }

    /// Moves all that was traced to where it stands `offset` bytes later.
    pub(crate) fn shift(&mut self, offset: usize) {
        let offset = offset as u32;
        for line in &mut self.lines[..self.count] {
            line.end += offset;
            line.end_with_newline += offset;
        }
        self.starts[..self.starts_used].iter_mut().for_each(|place| *place += offset);
    }
}
