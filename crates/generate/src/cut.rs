//! Cuts a CSV file into pieces of whole rows, which can be read side by side.

use std::io;
use std::os::unix::fs::FileExt as _;

use memchr::{memchr, memchr_iter, memrchr2};

use crate::csv_file::Csv;
use crate::error::{Error, Kind};
use crate::row_reader::RowReader;
use crate::rows::{Place, Rows};

/// The longest row, in bytes: one that is longer has a quote that nobody closed.
const ROW_BYTES_MAX: usize = 16 << 20;
/// Bytes of a piece, about.
pub(crate) const PIECE_BYTES: usize = 32 << 10;

/// Goes through a file, piece by piece.
#[derive(Debug)]
pub(crate) struct Cutter<'f> {
    csv: &'f Csv,
    /// Where the next piece starts.
    place: Place,
    /// Bytes of it that were read already.
    ahead: Vec<u8>,
    /// For text with quotes, which says where rows end only to who reads it from the start.
    reader: RowReader,
}

/// Where a text can be cut, and how many rows are before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cut {
    end: usize,
    rows: usize,
}

impl<'f> Cutter<'f> {
    /// From a place in the file on, where a row starts.
    pub(crate) fn new(csv: &'f Csv, place: Place) -> Self {
        Self { csv, place, ahead: Vec::new(), reader: RowReader::new() }
    }

    /// Fills `rows` with what comes next, `most` rows at most; `false` where there is none.
    ///
    /// # Errors
    /// If the file can't be read, was changed, or has a row that can't be one.
    pub(crate) fn next(&mut self, rows: &mut Rows, most: usize) -> Result<bool, Error> {
        loop {
            let cut = self.fill(&mut rows.text)?;
            rows.place = self.place;
            self.place.byte += rows.text.len() as u64;
            self.place.line += memchr_iter(b'\n', &rows.text).count() as u64;
            rows.count = cut.rows.min(most);
            if rows.text.is_empty() {
                self.csv.check()?;
                return Ok(false);
            }
            // A piece of blank lines is none.
            if rows.count > 0 {
                return Ok(true);
            }
        }
    }

    /// Reads on until the text has whole rows, and no more than them.
    fn fill(&mut self, text: &mut Vec<u8>) -> Result<Cut, Error> {
        text.clear();
        text.append(&mut self.ahead);
        let mut wanted = PIECE_BYTES;
        loop {
            let is_last = !self.read(text, wanted)?;
            if is_last {
                let rows = self.cut(text, true).rows;
                return Ok(Cut { end: text.len(), rows });
            }
            let cut = self.cut(text, false);
            if cut.end > 0 {
                self.ahead.extend_from_slice(&text[cut.end..]);
                text.truncate(cut.end);
                return Ok(cut);
            }
            if text.len() > ROW_BYTES_MAX {
                let blank = text.iter().take_while(|byte| is_end(**byte)).filter(|byte| **byte == b'\n').count();
                let kind = Kind::RowTooLong { line: self.place.line + blank as u64, max: ROW_BYTES_MAX as u64 };
                return Err(Error::new(self.csv.name(), kind));
            }
            wanted = (2 * text.len()).min(ROW_BYTES_MAX + 1);
        }
    }

    /// Reads until there are `wanted` bytes; `false` where the file ends before.
    fn read(&self, text: &mut Vec<u8>, wanted: usize) -> Result<bool, Error> {
        let mut have = text.len();
        text.resize(wanted.max(have), 0);
        while have < wanted {
            match self.csv.file().read_at(&mut text[have..], self.place.byte + have as u64) {
                Ok(0) => {
                    text.truncate(have);
                    return Ok(false);
                }
                Ok(count) => have += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::new(self.csv.name(), Kind::Read(error))),
            }
        }
        Ok(true)
    }

    /// Where the last whole row of a text ends.
    fn cut(&mut self, text: &[u8], is_last: bool) -> Cut {
        if memchr(b'"', text).is_some() { self.cut_quoted(text, is_last) } else { cut_plain(text, is_last) }
    }

    fn cut_quoted(&mut self, text: &[u8], is_last: bool) -> Cut {
        let mut cut = Cut { end: 0, rows: 0 };
        let mut reading = if is_last { self.reader.read(text, 0) } else { self.reader.read_part(text, 0) };
        while reading.next().is_some() {
            cut = Cut { end: reading.end().byte as usize, rows: cut.rows + 1 };
        }
        self.reader.shrink(PIECE_BYTES);
        cut
    }
}

/// The same for text without a quote: every line that is not blank is a row.
fn cut_plain(text: &[u8], is_last: bool) -> Cut {
    let end = match memrchr2(b'\r', b'\n', text) {
        _ if is_last => text.len(),
        Some(at) => at + 1,
        None => 0,
    };
    Cut { end, rows: count_runs(&text[..end]) }
}

#[inline]
fn is_end(byte: u8) -> bool {
    (byte == b'\r') | (byte == b'\n')
}

/// How many runs of bytes other than `\r` and `\n` there are.
fn count_runs(text: &[u8]) -> usize {
    let starts = |before: &[u8], after: &[u8]| {
        before.iter().zip(after).map(|(before, after)| u8::from(is_end(*before) & !is_end(*after))).sum::<u8>()
    };
    // So few at once that a byte holds their number.
    const STEP: usize = 128;
    let Some((first, after)) = text.split_first() else { return 0 };
    let runs = text.chunks(STEP).zip(after.chunks(STEP)).map(|(before, after)| usize::from(starts(before, after)));
    usize::from(!is_end(*first)) + runs.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::{Cut, Cutter, PIECE_BYTES, cut_plain};
    use crate::csv_file::Csv;
    use crate::row_reader::RowReader;
    use crate::rows::{Place, Row, Rows};

    fn csv(text: &[u8]) -> Csv {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        Csv::new(file, "test".to_owned()).unwrap()
    }

    fn cells(row: &Row<'_>) -> Vec<Vec<u8>> {
        (0..row.len()).map(|column| row.cell(column).to_vec()).collect()
    }

    /// All rows of a file, with their places, by pieces.
    fn by_pieces(text: &[u8]) -> Vec<(Place, Vec<Vec<u8>>)> {
        let csv = csv(text);
        let mut cutter = Cutter::new(&csv, Place { line: 1, byte: 0 });
        let (mut rows, mut reader, mut all) = (Rows::default(), RowReader::new(), Vec::new());
        while cutter.next(&mut rows, usize::MAX).unwrap() {
            let mut reading = reader.read(&rows.text, rows.place.line);
            for _ in 0..rows.count {
                let place = reading.next().unwrap();
                all.push((Place { byte: place.byte + rows.place.byte, ..place }, cells(&reading.row())));
            }
            assert!(reading.next().is_none());
        }
        all
    }

    fn whole(text: &[u8]) -> Vec<(Place, Vec<Vec<u8>>)> {
        let (mut reader, mut all) = (RowReader::new(), Vec::new());
        let mut reading = reader.read(text, 1);
        while let Some(place) = reading.next() {
            all.push((place, cells(&reading.row())));
        }
        all
    }

    #[test]
    fn lines_are_counted_as_rows_are() {
        for (text, is_last, end, rows) in [
            ("a\nb\nc", false, 4, 2),
            ("a\nb\nc", true, 5, 3),
            ("\r\n\r\na\r\n", false, 7, 1),
            ("a\rb", false, 2, 1),
            ("abc", false, 0, 0),
            ("\n", false, 1, 0),
            ("", true, 0, 0),
        ] {
            assert_eq!(cut_plain(text.as_bytes(), is_last), Cut { end, rows }, "{text:?}");
        }
    }

    #[test]
    fn a_row_may_be_larger_than_a_piece() {
        let long = "x".repeat(3 * PIECE_BYTES);
        for text in [format!("a,b\n\"{long}\n\",2\n3,4"), format!("{long}\n{long}\r\n\r\n{long}")] {
            assert_eq!(by_pieces(text.as_bytes()), whole(text.as_bytes()));
        }
    }

    #[test]
    fn blank_lines_are_no_rows_and_no_end() {
        let text = format!("a\n{}b\n", "\r\n".repeat(2 * PIECE_BYTES));
        let lines: Vec<u64> = by_pieces(text.as_bytes()).iter().map(|(place, _)| place.line).collect();
        assert_eq!(lines, [1, 2 + 2 * PIECE_BYTES as u64]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn pieces_have_all_rows(parts in prop::collection::vec("[ab,\r\n]{0,9}|\"[ab,\r\n]{0,9}\"|\"", 1..40)) {
            let text = parts.concat().repeat(1 + 3 * PIECE_BYTES / parts.concat().len().max(1));
            prop_assert_eq!(by_pieces(text.as_bytes()), whole(text.as_bytes()));
        }
    }
}
