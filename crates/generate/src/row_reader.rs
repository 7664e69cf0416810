//! From the text of rows to their cells.

use csv_core::{ReadRecordResult, Reader};

use crate::rows::{Place, Row};

/// Reads rows of a text that starts where a row does.
#[derive(Debug)]
pub(crate) struct RowReader {
    reader: Reader,
    /// The cells of the row that was read last.
    cells: Vec<u8>,
    ends: Vec<usize>,
    cell_count: usize,
    /// Where reading goes on.
    at: usize,
    line: u64,
}

impl RowReader {
    pub(crate) fn new() -> Self {
        Self { reader: Reader::new(), cells: Vec::new(), ends: vec![0; 16], cell_count: 0, at: 0, line: 0 }
    }

    /// Begins with a text whose first byte is in this line.
    pub(crate) fn begin(&mut self, line: u64) {
        self.reader.reset();
        // It takes a mark at the start for one of the byte order, and this is not the start of the file.
        self.reader.read_record(b"\n", &mut [0], &mut [0]);
        self.at = 0;
        self.line = line;
    }

    /// Reads the next row; where it starts, with the byte as an offset in the text. `None` where there is none, or where it
    /// does not end in a text that goes on.
    #[inline]
    pub(crate) fn next(&mut self, text: &[u8], goes_on: bool) -> Option<Place> {
        while let Some(end @ (b'\r' | b'\n')) = text.get(self.at) {
            self.line += u64::from(*end == b'\n');
            self.at += 1;
        }
        let place = Place { line: self.line, byte: self.at as u64 };
        if self.cells.len() < text.len() {
            self.cells.resize(text.len(), 0);
        }
        self.reader.set_line(0);
        let (mut at, mut cell_bytes) = (self.at, 0);
        self.cell_count = 0;
        loop {
            let input = &text[at..];
            if input.is_empty() && goes_on {
                return None;
            }
            let (result, read, written, ended) =
                self.reader.read_record(input, &mut self.cells[cell_bytes..], &mut self.ends[self.cell_count..]);
            at += read;
            cell_bytes += written;
            self.cell_count += ended;
            match result {
                ReadRecordResult::Record => break,
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                // The cells of a row are never longer than the row.
                ReadRecordResult::OutputFull => self.cells.resize(cell_bytes + 1, 0),
                ReadRecordResult::End => return None,
            }
        }
        self.at = at;
        self.line += self.reader.line();
        Some(place)
    }

    /// The row that was read last.
    #[inline]
    pub(crate) fn row(&self) -> Row<'_> {
        let ends = &self.ends[..self.cell_count];
        Row { text: &self.cells[..ends.last().copied().unwrap_or(0)], ends }
    }

    /// Where the row that was read last ends in the text.
    pub(crate) fn end(&self) -> usize {
        self.at
    }

    /// Gives back room beyond `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        self.cells.truncate(bytes);
        self.cells.shrink_to(bytes);
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
        let mut rows = Vec::new();
        reader.begin(1);
        while let Some(place) = reader.next(text, false) {
            let row = reader.row();
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
        fn cells_are_those_of_the_whole_reader(text in "[ab,\"\r\n]{0,60}") {
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
