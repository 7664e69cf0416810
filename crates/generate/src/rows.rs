//! Consecutive rows of a CSV file, as they stand there, and one of them with its cells.

/// Where a row is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line that it starts in, from 1.
    pub(crate) line: u64,
    /// The offset of its first byte.
    pub(crate) byte: u64,
}

impl Place {
    /// The place of something in the row that is here: so many line ends and bytes after its first byte.
    pub(crate) fn after(self, lines: u64, bytes: usize) -> Self {
        Self { line: self.line + lines, byte: self.byte + bytes as u64 }
    }
}

/// Consecutive rows, or consecutive numbers where there is no file.
#[derive(Debug, Default)]
pub struct Rows {
    /// The number of the first one, from 1.
    pub(crate) first: u64,
    /// How many there are.
    pub(crate) count: usize,
    /// The rows, from the start of a row to the end of one; and maybe more rows, which are not meant.
    pub(crate) text: Vec<u8>,
    /// Where the text starts.
    pub(crate) place: Place,
}

impl Rows {
    /// Bytes of the CSV file that they take.
    pub fn file_bytes(&self) -> u64 {
        self.text.len() as u64
    }

    #[cfg(test)]
    pub(crate) fn of_numbers(first: u64, count: usize) -> Self {
        Self { first, count, ..Self::default() }
    }
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'r> {
    /// The cells, one after the other.
    pub(crate) text: &'r [u8],
    /// Where each ends in the text.
    pub(crate) ends: &'r [usize],
    /// Bytes between two cells: a comma, or nothing.
    pub(crate) gap: usize,
}

impl<'r> Row<'r> {
    /// How many cells it has.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a cell.
    #[inline]
    pub(crate) fn cell(&self, column: usize) -> &'r [u8] {
        let start = column.checked_sub(1).map_or(0, |before| self.ends[before] + self.gap);
        &self.text[start..self.ends[column]]
    }

    /// The first cell that is not UTF-8.
    pub(crate) fn bad_cell(&self) -> Option<usize> {
        (0..self.len()).find(|column| std::str::from_utf8(self.cell(*column)).is_err())
    }
}
