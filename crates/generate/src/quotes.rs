//! Quotes that stand where RFC 4180 has none.
//!
//! The reader of cells takes any text: a quote that nobody closes has all that follows in its cell, and text after a closing quote is
//! added to the cell. A slip of the hand would become devices of other values, or of none, without a word.

use memchr::{memchr, memchr_iter, memchr2};

/// What is wrong with a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slip {
    /// It opens a cell, and none closes it.
    Open,
    /// It opens a cell, and there is text between the quote that closes that and the next comma or line end.
    Followed {
        /// Line ends up to the closing quote, from the opening one on.
        lines: u64,
    },
    /// It stands in a cell that does not begin with one.
    Bare,
}

/// The first quote of a row that stands where none may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongQuote {
    /// Where it is in the row.
    pub(crate) at: usize,
    /// Line ends in the row before it.
    pub(crate) lines: u64,
    /// The cell, from 0.
    pub(crate) column: usize,
    pub(crate) slip: Slip,
}

impl WrongQuote {
    /// What is wrong, in words that hold nothing of the cell; the quote is in this line.
    pub(crate) fn message(&self, line: u64) -> String {
        match self.slip {
            Slip::Open => {
                "the quote that opens here is never closed; all that follows would be in this cell".to_owned()
            }
            Slip::Followed { lines } => format!(
                "the quoted cell that opens here is closed in line {}, and there is text after that, where only a comma or a line end \
                 may be",
                line + lines
            ),
            Slip::Bare => "there is a quote in a cell that does not begin with one".to_owned(),
        }
    }

    /// What would be right.
    pub(crate) fn hint(&self) -> &'static str {
        match self.slip {
            Slip::Open | Slip::Followed { .. } => {
                "a quoted cell ends with a quote and then a comma or a line end; a quote in it is written twice"
            }
            Slip::Bare => {
                "put the whole cell in double quotes, from its first character on, and write each quote in it twice"
            }
        }
    }
}

/// Finds it; `row` may have its line end.
pub(crate) fn wrong_quote(row: &[u8]) -> Option<WrongQuote> {
    let line_ends = |text: &[u8]| memchr_iter(b'\n', text).count() as u64;
    let wrong =
        |at, column, slip| Some(WrongQuote { at, lines: line_ends(row.get(..at).unwrap_or_default()), column, slip });
    let (mut start, mut column) = (0, 0);
    loop {
        start = if row.get(start) == Some(&b'"') {
            let Some(end) = closed(row, start) else { return wrong(start, column, Slip::Open) };
            match row.get(end) {
                Some(b',') => end + 1,
                None | Some(b'\r' | b'\n') => return None,
                Some(_) => return wrong(start, column, Slip::Followed { lines: line_ends(&row[start..end]) }),
            }
        } else {
            let end = start + memchr2(b',', b'"', row.get(start..)?)?;
            if row[end] == b'"' {
                return wrong(end, column, Slip::Bare);
            }
            end + 1
        };
        column += 1;
    }
}

/// Where a cell ends whose opening quote is here, after the closing one.
fn closed(row: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    loop {
        at += memchr(b'"', row.get(at..)?)? + 1;
        if row.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Slip, WrongQuote, wrong_quote};

    #[test]
    fn the_first_wrong_quote_is_found_where_it_is() {
        let at = |at, lines, column, slip| Some(WrongQuote { at, lines, column, slip });
        for (row, want) in [
            ("", None),
            ("\"\"", None),
            ("a,\"b\",c\r\n", None),
            ("\"a\"\"\",\"\n,\"\n", None),
            ("a,\"b", at(2, 0, 1, Slip::Open)),
            ("\"", at(0, 0, 0, Slip::Open)),
            ("\"\"\"", at(0, 0, 0, Slip::Open)),
            ("\"\n\",\"b\n", at(4, 1, 1, Slip::Open)),
            ("\"a\"b", at(0, 0, 0, Slip::Followed { lines: 0 })),
            ("\"a\n\nb\" ,c\n", at(0, 0, 0, Slip::Followed { lines: 2 })),
            ("a, \"b\"", at(3, 0, 1, Slip::Bare)),
            ("a\"", at(1, 0, 0, Slip::Bare)),
        ] {
            assert_eq!(wrong_quote(row.as_bytes()), want, "{row:?}");
        }
    }

    /// Whether a row is its cells, each as RFC 4180 spells it.
    fn is_spelt_right(row: &str, cells: &csv::StringRecord) -> bool {
        let mut rest = row.trim_end_matches(['\r', '\n']);
        for (number, cell) in cells.iter().enumerate() {
            let spelt = match rest.strip_prefix(',').filter(|_| number > 0).unwrap_or(rest).starts_with('"') {
                true => format!("\"{}\"", cell.replace('"', "\"\"")),
                false if cell.contains('"') => return false,
                false => cell.to_owned(),
            };
            let comma = if number > 0 { "," } else { "" };
            let Some(after) = rest.strip_prefix(comma).and_then(|rest| rest.strip_prefix(&*spelt)) else {
                return false;
            };
            rest = after;
        }
        rest.is_empty()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn rows_without_one_are_those_that_are_spelt_right(parts in prop::collection::vec("[a,\n]|\"[a,\n]?(\"\")?\"|\"", 1..9)) {
            let text = parts.concat();
            let text = text.trim_start_matches('\n');
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            let mut cells = csv::StringRecord::new();
            prop_assume!(reader.read_record(&mut cells).unwrap());
            let row = &text[..reader.position().byte() as usize];
            prop_assert_eq!(wrong_quote(row.as_bytes()).is_none(), is_spelt_right(row, &cells), "{:?}", row);
        }
    }
}
