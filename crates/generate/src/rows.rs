//! Rows of a CSV file, many in one buffer, and reading them.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use csv::{ByteRecord, Reader, ReaderBuilder};

use crate::csv_file::Csv;
use crate::error::{Error, Kind};

/// Where a row is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The line that it starts in, from 1.
    pub(crate) line: u64,
    /// The offset of its first byte.
    pub(crate) byte: u64,
}

/// Consecutive rows, or consecutive numbers where there is no file.
#[derive(Debug, Default)]
pub struct Rows {
    /// The number of the first one, from 1.
    pub(crate) first: u64,
    /// How many there are.
    pub(crate) count: usize,
    /// Bytes of the file that they take.
    pub(crate) file_bytes: u64,
    text: Vec<u8>,
    /// Where each cell ends in the text.
    ends: Vec<usize>,
    /// Of each row: its place, and the number of its first cell and the one after its last.
    rows: Vec<(Place, usize, usize)>,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'r> {
    rows: &'r Rows,
    first: usize,
    end: usize,
}

impl Rows {
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.file_bytes = 0;
        self.text.clear();
        self.ends.clear();
        self.rows.clear();
    }

    /// Bytes of all cells.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Gives back room beyond `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        if self.text.capacity() > bytes {
            self.text.clear();
            self.text.shrink_to(bytes);
        }
    }

    fn push(&mut self, record: &ByteRecord, place: Place) {
        let first = self.ends.len();
        for cell in record {
            self.text.extend_from_slice(cell);
            self.ends.push(self.text.len());
        }
        self.rows.push((place, first, self.ends.len()));
        self.count += 1;
    }

    /// The row of this number from the first one, which is 0.
    pub(crate) fn row(&self, number: usize) -> Row<'_> {
        let (_, first, end) = self.rows[number];
        Row { rows: self, first, end }
    }

    /// Where it is in the file.
    pub(crate) fn place(&self, number: usize) -> Place {
        self.rows.get(number).map_or(Place::default(), |row| row.0)
    }

    #[cfg(test)]
    pub(crate) fn of_numbers(first: u64, count: usize) -> Self {
        Self { first, count, ..Self::default() }
    }

    #[cfg(test)]
    pub(crate) fn of_cells(cells: &[&str]) -> Self {
        let mut rows = Self { first: 1, ..Self::default() };
        rows.push(&ByteRecord::from(cells.to_vec()), Place { line: 2, byte: 0 });
        rows
    }
}

impl<'r> Row<'r> {
    /// How many cells it has.
    pub(crate) fn len(&self) -> usize {
        self.end - self.first
    }

    /// The text of a cell.
    pub(crate) fn cell(&self, column: usize) -> &'r [u8] {
        let cell = self.first + column;
        let start = if cell == 0 { 0 } else { self.rows.ends[cell - 1] };
        &self.rows.text[start..self.rows.ends[cell]]
    }
}

/// The longest row, in bytes: one that is longer has a quote that nobody closed.
const ROW_BYTES_MAX: u64 = 16 << 20;
/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;

/// Reads a file from its start, whoever else reads it, and no more than is allowed for a row.
struct Budgeted<'f> {
    file: &'f File,
    offset: u64,
    budget: u64,
}

impl Read for Budgeted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(buffer, self.offset)?;
        if count as u64 > self.budget {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.budget -= count as u64;
        self.offset += count as u64;
        Ok(count)
    }
}

/// Goes through the rows of a file.
pub(crate) struct RowReader<'f> {
    csv: &'f Csv,
    reader: Reader<Budgeted<'f>>,
    record: ByteRecord,
}

impl<'f> RowReader<'f> {
    /// From the header on, which is the first row that comes.
    pub(crate) fn new(csv: &'f Csv) -> Self {
        let source = Budgeted { file: csv.file(), offset: csv.start(), budget: 0 };
        let reader =
            ReaderBuilder::new().has_headers(false).flexible(true).buffer_capacity(READ_BYTES).from_reader(source);
        Self { csv, reader, record: ByteRecord::new() }
    }

    /// The next row, and where it is; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<(&ByteRecord, Place)>, Error> {
        self.reader.get_mut().budget = ROW_BYTES_MAX;
        let before = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(false) => {
                self.csv.check()?;
                Ok(None)
            }
            Ok(true) => {
                let place = self
                    .record
                    .position()
                    .map_or(Place::default(), |position| Place { line: position.line(), byte: position.byte() });
                Ok(Some((&self.record, place)))
            }
            Err(error) => Err(Error::new(
                self.csv.name(),
                match error.into_kind() {
                    csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                        Kind::RowTooLong { line: before, max: ROW_BYTES_MAX }
                    }
                    csv::ErrorKind::Io(error) => Kind::Read(error),
                    _ => Kind::Changed,
                },
            )),
        }
    }

    /// Bytes read so far, but for what is buffered.
    pub(crate) fn bytes(&self) -> u64 {
        self.reader.position().byte()
    }

    /// Fills `rows` with rows until they are `count_max` or have `bytes_max` bytes.
    pub(crate) fn fill(&mut self, rows: &mut Rows, count_max: usize, bytes_max: usize) -> Result<(), Error> {
        let before = self.bytes();
        while rows.count < count_max && rows.text_bytes() < bytes_max {
            match self.next()? {
                None => break,
                Some((record, place)) => rows.push(record, place),
            }
        }
        rows.file_bytes = self.bytes() - before;
        Ok(())
    }
}
