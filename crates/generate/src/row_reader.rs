//! From the text of rows to their cells.
//!
//! Without a quote in it, a row is a line, and its cells are what is between commas: they are found where they stand, and not copied.

use csv_core::{ReadRecordResult, Reader};
use memchr::{memchr, memchr3};

use crate::quotes::{WrongQuote, wrong_quote};
use crate::rows::{Place, Row};

/// What reading takes. Reused.
#[derive(Debug)]
pub(crate) struct RowReader {
    reader: Reader,
    /// The cells of a row, where they can't be had from the text.
    cells: Vec<u8>,
    /// Where cells end.
    ends: Vec<usize>,
}

/// Reads the rows of a text that starts where a row does.
#[derive(Debug)]
pub(crate) struct Reading<'r> {
    with: &'r mut RowReader,
    text: &'r [u8],
    /// There is more text after this one: a row that does not end in it is none.
    goes_on: bool,
    has_quotes: bool,
    /// Where reading goes on.
    at: usize,
    line: u64,
    /// Where the row that was read last starts.
    row: usize,
    cell_count: usize,
}

impl RowReader {
    pub(crate) fn new() -> Self {
        Self { reader: Reader::new(), cells: Vec::new(), ends: vec![0; 16] }
    }

    /// Reads a whole text, whose first byte is in this line.
    pub(crate) fn read<'r>(&'r mut self, text: &'r [u8], line: u64) -> Reading<'r> {
        self.reader.reset();
        // It takes a mark at the start for one of the byte order, and this is not the start of the file.
        self.reader.read_record(b"\n", &mut [0], &mut [0]);
        let has_quotes = memchr(b'"', text).is_some();
        Reading { with: self, text, goes_on: false, has_quotes, at: 0, line, row: 0, cell_count: 0 }
    }

    /// Reads a text that may end in the midst of a row.
    pub(crate) fn read_part<'r>(&'r mut self, text: &'r [u8], line: u64) -> Reading<'r> {
        Reading { goes_on: true, ..self.read(text, line) }
    }

    /// Gives back room beyond `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        self.cells.truncate(bytes);
        self.cells.shrink_to(bytes);
    }
}

impl Reading<'_> {
    /// Reads the next row; where it starts, with the byte as an offset in the text.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Place> {
        while let Some(end @ (b'\r' | b'\n')) = self.text.get(self.at) {
            self.line += u64::from(*end == b'\n');
            self.at += 1;
        }
        self.row = self.at;
        let place = self.end();
        let is_read = if self.has_quotes { self.next_quoted() } else { self.next_plain() };
        is_read.then_some(place)
    }

    #[inline]
    fn next_plain(&mut self) -> bool {
        let Some(row) = self.text.get(self.row..).filter(|row| !row.is_empty()) else { return false };
        let mut at = 0;
        self.cell_count = 0;
        loop {
            let end = memchr3(b',', b'\n', b'\r', &row[at..]).map(|length| at + length);
            if self.cell_count == self.with.ends.len() {
                self.with.ends.resize(2 * self.cell_count, 0);
            }
            self.with.ends[self.cell_count] = end.unwrap_or(row.len());
            self.cell_count += 1;
            match end {
                Some(end) if row[end] == b',' => at = end + 1,
                Some(end) => {
                    self.at = self.row + end;
                    return true;
                }
                None => {
                    self.at = self.text.len();
                    return !self.goes_on;
                }
            }
        }
    }

    fn next_quoted(&mut self) -> bool {
        let RowReader { reader, cells, ends } = &mut *self.with;
        if cells.len() < self.text.len() {
            cells.resize(self.text.len(), 0);
        }
        reader.set_line(0);
        let mut cell_bytes = 0;
        self.cell_count = 0;
        loop {
            let input = &self.text[self.at..];
            if input.is_empty() && self.goes_on {
                return false;
            }
            let (result, read, written, ended) =
                reader.read_record(input, &mut cells[cell_bytes..], &mut ends[self.cell_count..]);
            self.at += read;
            cell_bytes += written;
            self.cell_count += ended;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputEndsFull => ends.resize(2 * ends.len(), 0),
                // The cells of a row are never longer than the row.
                ReadRecordResult::OutputFull => cells.resize(cell_bytes + 1, 0),
                ReadRecordResult::End => return false,
            }
        }
        self.line += reader.line();
        true
    }

    /// The row that was read last.
    #[inline]
    pub(crate) fn row(&self) -> Row<'_> {
        let ends = &self.with.ends[..self.cell_count];
        match self.has_quotes {
            true => Row { text: &self.with.cells, ends, gap: 0 },
            false => Row { text: &self.text[self.row..], ends, gap: 1 },
        }
    }

    /// The first quote of the row that was read last that stands where none may.
    #[inline]
    pub(crate) fn wrong_quote(&self) -> Option<WrongQuote> {
        if self.has_quotes { wrong_quote(&self.text[self.row..self.at]) } else { None }
    }

    /// Where the row that was read last ends, maybe before its line end.
    pub(crate) fn end(&self) -> Place {
        Place { line: self.line, byte: self.at as u64 }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::RowReader;

    /// Where each row starts (line and byte), and its cells.
    type Read = Vec<((u64, u64), Vec<Vec<u8>>)>;

    fn read(text: &[u8]) -> Read {
        let mut reader = RowReader::new();
        let mut reading = reader.read(text, 1);
        let mut rows = Vec::new();
        while let Some(place) = reading.next() {
            let row = reading.row();
            let cells = (0..row.len()).map(|column| row.cell(column).to_vec()).collect();
            rows.push(((place.line, place.byte), cells));
        }
        rows
    }

    #[test]
    fn places_are_those_of_the_first_bytes() {
        let text = b"a,b\r\n\r\n\"x\ny\",2\n\n3";
        let cells = |cells: &[&str]| cells.iter().map(|cell| cell.as_bytes().to_vec()).collect::<Vec<_>>();
        assert_eq!(
            read(text),
            [((1, 0), cells(&["a", "b"])), ((3, 7), cells(&["x\ny", "2"])), ((6, 16), cells(&["3"]))]
        );
    }

    #[test]
    fn a_mark_in_the_midst_of_a_file_is_text() {
        assert_eq!(read("\u{feff}a\n".as_bytes())[0].1, ["\u{feff}a".as_bytes()]);
    }

    #[test]
    fn many_cells_have_room() {
        let text = vec![b','; 1000];
        assert_eq!(read(&text)[0].1.len(), 1001);
    }

    proptest! {
        #[test]
        fn cells_are_those_of_the_whole_reader(text in "[ab,\"\r\n]{0,60}|[ab,\r\n]{0,60}") {
            let mut oracle =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let want: Vec<Vec<Vec<u8>>> =
                oracle.byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect();
            let rows = read(text.as_bytes());
            for ((line, byte), _) in &rows {
                let before = &text.as_bytes()[..*byte as usize];
                prop_assert_eq!(*line, 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64);
            }
            let got: Vec<_> = rows.into_iter().map(|(_, cells)| cells).collect();
            prop_assert_eq!(got, want);
        }
    }
}
