//! Looks at every line that is made.
//!
//! The lines are checked as those of a file are by `validate`, ids that stand twice included. What is found is told by the
//! row and the column that it comes from.

use std::ops::Range;

use hubmill_device::{Code, Severity};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{
    CheckedBatch, Diagnostic, Piece, Subject, Tally, Validate, ValidateScratch, Validation, Work as _,
};
use hubmill_reader::Part;
use hubmill_rules::{Check as Extent, Checker, Policy};

use crate::columns::{Barred, shown};
use crate::compose::Marks;
use crate::make::Made;
use crate::plan::Plan;
use crate::quotes::WrongQuote;
use crate::random::Random;
use crate::row_reader::RowReader;
use crate::rows::{Place, Rows};

/// The check of a plan's lines.
#[derive(Debug)]
pub struct Check<'p> {
    plan: &'p Plan,
    validate: Validate,
}

/// What was found in all.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Rows, or devices where there is no CSV file; each with an error counts as rejected.
    pub tally: Tally,
    /// How many there are.
    pub devices: u64,
}

/// What one thread needs.
#[derive(Debug)]
pub(crate) struct CheckScratch {
    validate: ValidateScratch,
    /// For a line that is looked at by itself.
    alone: CheckedBatch,
}

/// What was found in the rows of one piece.
#[derive(Debug, Default)]
pub(crate) struct CheckedRows {
    lines: CheckedBatch,
    rows: Vec<RowMade>,
    /// Where the lines start that were not looked at yet.
    ahead: usize,
    /// Rows, counted in the piece, that nothing can be made of.
    broken: Vec<(usize, Broken)>,
    /// Cells that are not UTF-8: the row, counted in the piece, and the column.
    bad_cells: Vec<(usize, usize)>,
}

impl CheckedRows {
    /// Takes a row of which a line was made; the line stands last, and is looked at later.
    pub(crate) fn add_row(&mut self, making: Making<'_>, place: Place) {
        self.rows.push(RowMade { place, lines_bytes: making.lines.len(), keys_bytes: making.keys_bytes });
    }

    /// Notes that a row, counted in the piece, is none: a blank line stands in its place.
    pub(crate) fn add_broken(&mut self, row: usize, broken: Broken) {
        self.broken.push((row, broken));
    }
}

/// Why nothing can be made of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Broken {
    /// It has not as many cells as the header, but so many.
    Cells(usize),
    /// It has a quote, at this place in the file, that stands where none may.
    Quote(Place, WrongQuote),
    /// It has a cell in the barred column of this number.
    Barred(usize),
}

impl Broken {
    /// What there is to say about it: where, the column, the message and the hint.
    fn told<'p>(&self, plan: &'p Plan, row: Place) -> (Place, Option<&'p str>, String, &'static str) {
        let names = plan.columns.names();
        match self {
            Self::Cells(cells) => (
                row,
                None,
                format!("the row has {cells} cells, the header has {}", names.len()),
                "a comma or a line end in a cell needs the cell in double quotes",
            ),
            Self::Quote(place, wrong) => {
                (*place, names.get(wrong.column).map(String::as_str), wrong.message(place.line), wrong.hint())
            }
            Self::Barred(number) => {
                let Barred { column, flag, at } = plan.columns.barred(*number);
                let message = format!("{flag} gives a value to {at} that is no object, and this cell would go into it");
                (
                    row,
                    Some(names[*column].as_str()),
                    message,
                    "leave the cell empty, or give an object there for all rows",
                )
            }
        }
    }
}

/// What was made of a row.
#[derive(Clone, Copy, Debug)]
struct RowMade {
    place: Place,
    /// The length of all lines up to this one.
    lines_bytes: usize,
    /// The length of all keys up to those of this one.
    keys_bytes: usize,
}

/// What was made last, of rows from `from` on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Making<'m> {
    pub(crate) rows: &'m Rows,
    pub(crate) from: usize,
    /// The lines so far.
    pub(crate) lines: &'m [u8],
    /// The length of the keys so far.
    pub(crate) keys_bytes: usize,
}

/// How much of what was made was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) rows: usize,
    pub(crate) lines_bytes: usize,
    pub(crate) keys_bytes: usize,
}

impl<'p> Check<'p> {
    /// With `all`, all findings are given, not only the first of each code.
    pub fn new(plan: &'p Plan, level: Level, all: bool) -> Self {
        // A row that can't be read is a blank line here, and told by itself. Two equal rows are two of one id.
        let policy = Policy::new(&[Code::BlankLine], &[Code::DuplicateLine]).expect("both may be asked for");
        let limits = Limits { line_bytes_max: u32::MAX as usize >> 1, ..Limits::default() };
        Self { plan, validate: Validate::new(Checker::new(Extent::Full, policy), limits, level, all, true) }
    }

    pub(crate) fn plan(&self) -> &'p Plan {
        self.plan
    }

    pub(crate) fn scratch(&self) -> CheckScratch {
        CheckScratch { validate: self.validate.scratch(), alone: CheckedBatch::default() }
    }

    pub(crate) fn clear(&self, checked: &mut CheckedRows) {
        self.validate.clear(&mut checked.lines);
        checked.rows.clear();
        checked.ahead = 0;
        checked.broken.clear();
        checked.bad_cells.clear();
    }

    /// Takes a line that was made of a row and is known to be good; it stands last and begins at `start`. `false` where no more can
    /// be taken.
    #[inline]
    pub(crate) fn add_good(
        &self,
        scratch: &mut CheckScratch,
        checked: &mut CheckedRows,
        making: Making<'_>,
        place: Place,
        (start, marks): (usize, &Marks),
    ) -> bool {
        let Making { rows, from, lines, .. } = making;
        let number = from + checked.rows.len();
        checked.add_row(making, place);
        if checked.ahead < start && !self.catch_up(scratch, checked, Making { lines: &lines[..start], ..making }) {
            return false;
        }
        checked.ahead = lines.len();
        let line = &lines[start..];
        let id = |range: &Range<usize>| &line[range.start + 1..range.end - 1];
        let module_id = (!marks.module_id.is_empty()).then(|| id(&marks.module_id));
        let subject = Subject { id: id(&marks.id), module_id, mode: Some(marks.mode) };
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        self.validate.add_good(&mut checked.lines, &subject, text, rows.first + number as u64);
        true
    }

    /// Whether a line with an id is good by itself.
    pub(crate) fn is_good(&self, scratch: &mut CheckScratch, line: &[u8]) -> bool {
        let CheckScratch { validate, alone, .. } = scratch;
        self.validate.clear(alone);
        let piece = Piece { offset: 0, is_first: false, bytes: line, part: Part::Lines };
        self.validate.work(validate, piece, 0, u64::MAX, alone);
        let mut good = Tally::default();
        (good.lines, good.written) = (1, 1);
        alone.tally == good && alone.has_ids()
    }

    /// Looks at the lines that were not looked at yet; `false` where there is so much to say that some have to wait.
    #[cold]
    fn catch_up(&self, scratch: &mut CheckScratch, checked: &mut CheckedRows, making: Making<'_>) -> bool {
        let offset = making.rows.first + making.from as u64;
        let piece = Piece { offset, is_first: false, bytes: making.lines, part: Part::Lines };
        let end = self.validate.work(&mut scratch.validate, piece, checked.ahead, u64::MAX, &mut checked.lines);
        checked.ahead = end;
        end == making.lines.len()
    }

    /// Looks at what is left; how much was looked at.
    pub(crate) fn finish(&self, scratch: &mut CheckScratch, checked: &mut CheckedRows, making: Making<'_>) -> Kept {
        if checked.ahead < making.lines.len() {
            self.catch_up(scratch, checked, making);
        }
        checked.rows.truncate(checked.lines.tally.lines as usize);
        let end = making.from + checked.rows.len();
        checked.broken.retain(|(row, _)| *row < end);
        if checked.lines.diagnostics.iter().any(|found| found.code == Code::JsonUtf8) {
            let mut reader = RowReader::new();
            let mut reading = reader.read(&making.rows.text, 0);
            for row in 0..end {
                reading.next();
                checked.bad_cells.extend(reading.row().bad_cell().map(|column| (row, column)));
            }
        }
        let (lines_bytes, keys_bytes) = checked.rows.last().map_or((0, 0), |row| (row.lines_bytes, row.keys_bytes));
        Kept { rows: checked.rows.len(), lines_bytes, keys_bytes }
    }

    /// Lines that are alike but for the id: one says it for all.
    ///
    /// `give` gets what is found.
    pub fn check_alike(&self, mut give: impl FnMut(Diagnostic)) -> Checked {
        let Self { plan, validate } = self;
        let mut line = Vec::new();
        plan.compose(1, None, &mut Random::new(plan.key_bytes), &mut Marks::default(), &mut line);
        let piece = Piece { offset: 0, is_first: false, bytes: &line, part: Part::Lines };
        let mut batch = CheckedBatch::default();
        validate.work(&mut validate.scratch(), piece, 0, u64::MAX, &mut batch);
        let mut validation = Validation::new(validate);
        let found = validation.take(&batch);
        for found in found {
            let message = format!("every device: {}", found.message);
            give(Diagnostic { line: 0, byte: 0, id: None, message, ..found });
        }
        let devices = plan.count.unwrap_or(1);
        Checked { tally: validation.tally().times(devices), devices }
    }
}

/// Where rows are in the file: 8 bytes a row, and something where a row is more than a line.
#[derive(Debug, Default)]
struct Places {
    bytes: Vec<u64>,
    /// From this row on, counted from 1, rows are a line each, the first of them in this line.
    lines: Vec<(u64, u64)>,
}

impl Places {
    fn add(&mut self, place: Place) {
        self.bytes.push(place.byte);
        let row = self.bytes.len() as u64;
        if self.line(row) != place.line {
            self.lines.push((row, place.line));
        }
    }

    fn line(&self, row: u64) -> u64 {
        let before = self.lines.partition_point(|(first, _)| *first <= row);
        before.checked_sub(1).map_or(0, |at| self.lines[at].1 + (row - self.lines[at].0))
    }

    fn of(&self, row: u64) -> Place {
        let byte = row.checked_sub(1).and_then(|at| self.bytes.get(at as usize)).copied().unwrap_or(0);
        Place { line: self.line(row), byte }
    }
}

/// What was found so far. Pieces come in the order of the rows.
#[derive(Debug)]
pub struct Findings<'p> {
    plan: &'p Plan,
    validation: Validation<'p>,
    places: Places,
    /// Rows that are no rows.
    faults: u64,
}

impl<'p> Findings<'p> {
    /// Before the first piece.
    pub fn new(check: &'p Check<'p>) -> Self {
        let validation = Validation::new(&check.validate).made_of("row");
        Self { plan: check.plan, validation, places: Places::default(), faults: 0 }
    }

    /// Whether a row was found of which nothing can be made.
    pub fn has_errors(&self) -> bool {
        self.faults > 0 || self.validation.tally().errors > 0
    }

    /// Takes what was made of rows; `give` gets what was found, in the order of the rows.
    pub fn take(&mut self, rows: &Rows, made: &Made, mut give: impl FnMut(Diagnostic)) {
        let CheckedRows { lines, rows: made, broken, bad_cells, .. } = &made.checked;
        made.iter().for_each(|row| self.places.add(row.place));
        self.faults += broken.len() as u64;
        let broken = broken.iter().map(|(row, broken)| {
            let row = rows.first + *row as u64;
            let (place, column, message, hint) = broken.told(self.plan, self.places.of(row));
            let found = Diagnostic {
                severity: Severity::Error,
                code: Code::CsvRow,
                line: row,
                byte: 0,
                id: None,
                path: column.map_or_else(String::new, str::to_owned),
                message,
                hint: Some(hint),
            };
            (place, found)
        });
        let checked = self.validation.take(lines).into_iter().map(|mut found| {
            if found.code == Code::JsonUtf8 {
                let row = (found.line - rows.first) as usize;
                let bad = bad_cells.binary_search_by_key(&row, |(row, _)| *row).ok().map(|at| bad_cells[at].1);
                found.path = bad.map_or_else(String::new, |column| self.plan.columns.names()[column].clone());
            }
            (self.places.of(found.line), found)
        });
        let mut all: Vec<(Place, Diagnostic)> = broken.chain(checked).collect();
        all.sort_by_key(|(_, found)| found.line);
        for (place, found) in all {
            tell(self.plan, place, found, &mut give);
        }
    }

    /// Looks at the whole, after the last piece.
    pub fn finish(&mut self, threads: usize, mut give: impl FnMut(Diagnostic)) -> Checked {
        let Self { plan, validation, places, faults } = self;
        // A row that is none was a blank line to the check, and such a file has a row all the same.
        let is_empty = validation.tally().lines == 0;
        validation.finish(threads, &|_, _| false, |found| {
            if is_empty || found.code != Code::EmptyOutput {
                tell(plan, places.of(found.line), found, &mut give);
            }
        });
        let mut tally = validation.tally().clone();
        if !is_empty {
            tally.warnings -= tally.of(Code::EmptyOutput);
            tally.forget(Code::EmptyOutput);
        }
        tally.blank -= *faults;
        tally.rejected += *faults;
        tally.forget(Code::BlankLine);
        tally.count_findings(Code::CsvRow, Severity::Error, *faults);
        Checked { devices: tally.lines, tally }
    }
}

/// Gives what was found in the row that it has for its line, and which is at this place of the file.
fn tell(plan: &Plan, place: Place, found: Diagnostic, give: &mut impl FnMut(Diagnostic)) {
    if found.code == Code::EmptyOutput {
        let message = "there is no row beside the header: nothing was made".to_owned();
        return give(Diagnostic { line: 0, message, ..found });
    }
    let row = found.line;
    let column = match found.code {
        Code::DuplicateId | Code::DuplicateLine => Some("id"),
        _ => plan.columns.at_path(&found.path),
    };
    let message = match column {
        Some(column) => format!("row {row}, column {}: {}", shown(column), found.message),
        None => format!("row {row}: {}", found.message),
    };
    let Place { line, byte } = place;
    let path = column.map_or(found.path, shown);
    let hint = match found.code {
        Code::DuplicateId | Code::DuplicateLine => Some("one row for each device and module"),
        Code::JsonDepth => Some("the hub takes ten levels inside of tags, desired and reported properties (§3.6)"),
        _ => found.hint,
    };
    give(Diagnostic { line, byte, path, message, hint, ..found });
}
