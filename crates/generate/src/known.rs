//! Rows of whose lines nothing is to be said, since a line of their kind was looked at.
//!
//! The lines of a list are put together here, so what a line looks like is known from the cells of its row. Two rows are of a kind
//! if their cells are the same but for ids and for values in the twin, and those are plain: nothing is ever found in them, whatever
//! they say. Where the line of one was checked and is good, so is that of the other.

use hubmill_device::{ID_CHARACTERS_MAX, TAGS_SIZE_MAX};

use crate::cells::literal;
use crate::columns::Field;
use crate::line_template::LineTemplate;
use crate::plan::{COUNT_MAX, Plan};
use crate::rows::Row;

/// The longest cell that is looked at, in bytes.
const CELL_BYTES_MAX: usize = 128;
/// So many kinds are kept. A list with more has cells that differ everywhere, such as keys.
const KINDS_MAX: usize = 32;
/// The longest integer that no reader loses a digit of.
const DIGITS_MAX: usize = 15;

/// What a cell is to the check of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// An id, which may be any that is plain.
    Id,
    /// A value in the twin, which may be any that is plain.
    Value { as_text: bool },
    /// Anything else: it is the same, or the line is another.
    Same,
    /// It has to do with the id: where it says something, each line is looked at.
    Scope,
}

/// The kinds of rows that were met.
#[derive(Debug)]
pub(crate) struct Known {
    roles: Vec<Role>,
    /// What tells a kind from others, and its lines, where they are good.
    kinds: Vec<(Vec<u8>, Option<LineTemplate>)>,
    /// The kind of the row that was asked about last.
    asked: Vec<u8>,
    gave_up: bool,
}

/// What is known of a row's line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It is good, and of the kind of this number.
    Good(usize),
    /// It has to be looked at.
    Unknown,
    /// It has to be looked at, and what comes of it to be said to [`Known::learn`].
    New,
}

impl Known {
    pub(crate) fn new(plan: &Plan) -> Self {
        let roles: Vec<Role> = (0..plan.columns.names().len()).map(|column| role(plan, column)).collect();
        // What all lines have, and the most that cells can add to it, is less than a twin may be.
        let names: usize = plan.columns.names().iter().map(String::len).sum();
        let largest = plan.line_bytes() + names + roles.len() * CELL_BYTES_MAX;
        let has_id = plan.columns.of(Field::Id).is_some();
        let fits = largest < TAGS_SIZE_MAX as usize && (has_id || plan.template.check(COUNT_MAX).is_ok());
        Self { roles, kinds: Vec::new(), asked: Vec::new(), gave_up: !fits }
    }

    /// What is known of the line of a row, which has as many cells as the header.
    #[inline]
    pub(crate) fn ask(&mut self, row: &Row<'_>) -> Answer {
        if self.gave_up {
            return Answer::Unknown;
        }
        self.asked.clear();
        for (column, role) in self.roles.iter().enumerate() {
            if !push_kind(&mut self.asked, *role, row.cell(column)) {
                return Answer::Unknown;
            }
        }
        match self.kinds.iter().position(|(kind, _)| *kind == self.asked) {
            Some(number) if self.kinds[number].1.is_some() => Answer::Good(number),
            Some(_) => Answer::Unknown,
            None => Answer::New,
        }
    }

    /// The lines of a kind that is good.
    pub(crate) fn template(&self, kind: usize) -> &LineTemplate {
        self.kinds[kind].1.as_ref().expect("the answer was that it is good")
    }

    /// Takes the line of the row that was asked about last, and new, if it is good.
    pub(crate) fn learn(&mut self, good: Option<LineTemplate>) {
        self.gave_up = self.kinds.len() == KINDS_MAX;
        self.kinds.push((self.asked.clone(), good));
    }
}

fn role(plan: &Plan, column: usize) -> Role {
    let is = |fields: &[Field]| fields.iter().any(|field| plan.columns.of(*field) == Some(column));
    if is(&[Field::Id, Field::ModuleId]) {
        Role::Id
    } else if is(&[Field::DeviceScope, Field::ParentScopes]) {
        Role::Scope
    } else if let Some(as_text) = plan.columns.in_twin(column) {
        Role::Value { as_text }
    } else {
        Role::Same
    }
}

/// Appends what a cell adds to the kind of its row; `false` where that can't be said.
#[inline]
fn push_kind(kind: &mut Vec<u8>, role: Role, cell: &[u8]) -> bool {
    if cell.is_empty() {
        kind.push(0);
        return true;
    }
    match role {
        Role::Id => {
            kind.push(1);
            is_plain_id(cell)
        }
        Role::Value { as_text } => {
            let is_integer = !as_text && is_short_integer(cell);
            kind.push(if is_integer { 2 } else { 1 });
            is_integer || is_plain_text(cell, as_text)
        }
        Role::Same => {
            kind.push(cell.len().min(CELL_BYTES_MAX) as u8);
            kind.extend_from_slice(cell);
            cell.len() < CELL_BYTES_MAX
        }
        Role::Scope => false,
    }
}

/// Bytes of an id of which nothing is said.
const ID: u8 = 1;
/// Bytes of a text that stands in JSON as it is, and of which nothing is said.
const TEXT: u8 = 2;
/// By byte, what it is a plain byte of.
const PLAIN: [u8; 256] = {
    let mut plain = [0; 256];
    let mut byte = 0u8;
    while byte < 0x80 {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
            plain[byte as usize] |= ID;
        }
        if byte >= 0x20 && !matches!(byte, b'"' | b'\\') {
            plain[byte as usize] |= TEXT;
        }
        byte += 1;
    }
    plain
};

/// Whether all bytes are plain ones of an id, or of a text.
#[inline]
fn all_plain(cell: &[u8], of: u8) -> bool {
    cell.iter().fold(of, |plain, byte| plain & PLAIN[usize::from(*byte)]) == of
}

/// Whether it is an id of which nothing is said.
#[inline]
fn is_plain_id(cell: &[u8]) -> bool {
    cell.len() <= ID_CHARACTERS_MAX && all_plain(cell, ID)
}

/// Whether it becomes a number of which nothing is said.
#[inline]
fn is_short_integer(cell: &[u8]) -> bool {
    cell.len() <= DIGITS_MAX && (cell == b"0" || cell[0] != b'0') && cell.iter().all(u8::is_ascii_digit)
}

/// Whether it becomes a string of which nothing is said.
#[inline]
fn is_plain_text(cell: &[u8], as_text: bool) -> bool {
    cell.len() <= CELL_BYTES_MAX && all_plain(cell, TEXT) && (as_text || is_word(cell) || literal(cell).is_none())
}

/// Whether it begins as a word does, and no word of JSON's.
#[inline]
fn is_word(cell: &[u8]) -> bool {
    cell[0].is_ascii_alphabetic() && !matches!(cell[0], b't' | b'f' | b'n')
}

#[cfg(test)]
#[path = "known_tests.rs"]
mod tests;
