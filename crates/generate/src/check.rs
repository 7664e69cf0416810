//! Looks at every line that would be made, before one is written.
//!
//! The lines are made and checked as those of a file are by `validate`, ids that stand twice included. What is found is told by the
//! row and the column that it comes from.

use hubmill_device::{Code, Severity};
use hubmill_parser::{Level, Limits};
use hubmill_pipeline::{
    CheckedBatch, Diagnostic, Drain, Error as RunError, Flow, Piece, Tally, Validate, ValidateScratch, Validation,
    Work, run_from,
};
use hubmill_reader::Part;
use hubmill_rules::{Check, Checker, Policy};

use crate::columns::shown;
use crate::compose::Marks;
use crate::devices::Devices;
use crate::error::Error;
use crate::plan::Plan;
use crate::random::Random;
use crate::rows::{Place, Rows};

/// What was found.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Rows, or devices where there is no CSV file; each with an error counts as rejected.
    pub tally: Tally,
    /// How many there are.
    pub devices: u64,
}

/// Checks all lines of a plan; `give` gets what is found, `advance` how many bytes of a CSV file were looked at.
///
/// With `all`, all findings are given, not only the first of each code.
///
/// # Errors
/// If the CSV file can't be read, or threads not be started.
pub fn check(
    plan: &Plan,
    threads: usize,
    level: Level,
    all: bool,
    mut give: impl FnMut(Diagnostic) + Send,
    advance: impl FnMut(u64) + Send,
) -> Result<Checked, RunError<std::convert::Infallible, Error>> {
    // A row that can't be read is a blank line here, and told by itself. Two equal rows are two of one id.
    let policy = Policy::new(&[Code::BlankLine], &[Code::DuplicateLine]).expect("both may be asked for");
    let limits = Limits { line_bytes_max: u32::MAX as usize >> 1, ..Limits::default() };
    let validate = Validate::new(Checker::new(Check::Full, policy), limits, level, all, true);
    if plan.csv.is_none() {
        return Ok(check_alike(plan, &validate, give));
    }
    let work = CheckRows { plan, validate: &validate };
    let validation = Validation::new(&validate).counting("row");
    let mut drain = Found { plan, validation, places: Places::default(), faults: 0, give: &mut give, advance };
    run_from(&Devices::new(plan), threads, &work, &mut drain)?;
    Ok(drain.finish(threads))
}

/// Lines that are alike but for the id: one says it for all.
fn check_alike(plan: &Plan, validate: &Validate, mut give: impl FnMut(Diagnostic)) -> Checked {
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

/// Makes lines and checks them.
struct CheckRows<'p> {
    plan: &'p Plan,
    validate: &'p Validate,
}

struct CheckScratch {
    random: Random,
    marks: Marks,
    lines: Vec<u8>,
    validate: ValidateScratch,
}

#[derive(Default)]
struct CheckBatch {
    checked: CheckedBatch,
    /// Rows with another number of cells than the header, counted in the piece: which one, and how many it has.
    broken: Vec<(usize, usize)>,
    /// Where the batch starts in the piece.
    from: usize,
}

impl<'p> Work<Devices<'p>> for CheckRows<'p> {
    type Scratch = CheckScratch;
    type Batch = CheckBatch;

    fn scratch(&self) -> CheckScratch {
        CheckScratch {
            random: Random::new(self.plan.key_bytes),
            marks: Marks::default(),
            lines: Vec::new(),
            validate: self.validate.scratch(),
        }
    }

    fn batch(&self) -> CheckBatch {
        CheckBatch::default()
    }

    fn clear(&self, batch: &mut CheckBatch) {
        self.validate.clear(&mut batch.checked);
        batch.broken.clear();
    }

    fn work(&self, scratch: &mut CheckScratch, rows: &Rows, from: usize, _: u64, batch: &mut CheckBatch) -> usize {
        let CheckScratch { random, marks, lines, validate } = scratch;
        batch.from = from;
        lines.clear();
        let mut next = from;
        while next < rows.count && lines.len() < LINES_BYTES {
            let row = rows.row(next);
            if row.len() == self.plan.columns.names().len() {
                self.plan.compose(rows.first + next as u64, Some(&row), random, marks, lines);
            } else {
                batch.broken.push((next, row.len()));
                lines.push(b'\n');
            }
            next += 1;
        }
        let piece = Piece { offset: rows.first + from as u64, is_first: false, bytes: lines, part: Part::Lines };
        let done = self.validate.work(validate, piece, 0, u64::MAX, &mut batch.checked);
        if done < lines.len() {
            // There is so much to say that the rest has to wait.
            next = from + batch.checked.tally.lines as usize;
            batch.broken.retain(|(row, _)| *row < next);
        }
        next
    }
}

/// Bytes of lines that are checked at once.
const LINES_BYTES: usize = 2 << 20;

/// Where rows are in the file: 8 bytes a row, and something where a row is more than a line.
#[derive(Default)]
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

/// What was found so far.
struct Found<'p, 'g, G, A> {
    plan: &'p Plan,
    validation: Validation<'p>,
    places: Places,
    /// Rows that are no rows.
    faults: u64,
    give: &'g mut G,
    advance: A,
}

impl<'d, G: FnMut(Diagnostic) + Send, A: FnMut(u64) + Send> Drain<CheckBatch, Devices<'d>> for Found<'_, '_, G, A> {
    type Error = std::convert::Infallible;

    fn drain(&mut self, rows: &Rows, from: usize, batch: &CheckBatch) -> Result<Flow, Self::Error> {
        if from == 0 {
            (0..rows.count).for_each(|row| self.places.add(rows.place(row)));
            (self.advance)(rows.file_bytes());
        }
        for (row, cells) in &batch.broken {
            self.faults += 1;
            let row = rows.first + *row as u64;
            let columns = self.plan.columns.names().len();
            let message = format!("the row has {cells} cells, the header has {columns}");
            self.tell(Diagnostic {
                severity: Severity::Error,
                code: Code::CsvRow,
                line: row,
                byte: 0,
                id: None,
                path: String::new(),
                message,
                hint: Some("a comma or a line end in a cell needs the cell in double quotes"),
            });
        }
        for mut found in self.validation.take(&batch.checked) {
            if found.code == Code::JsonUtf8 {
                let row = rows.row((found.line - rows.first) as usize);
                let bad = (0..row.len()).find(|column| std::str::from_utf8(row.cell(*column)).is_err());
                found.path = bad.map_or_else(String::new, |column| self.plan.columns.names()[column].clone());
            }
            self.tell(found);
        }
        Ok(Flow::Continue)
    }
}

impl<G: FnMut(Diagnostic), A> Found<'_, '_, G, A> {
    /// Tells of a finding whose line is the number of a row.
    fn tell(&mut self, found: Diagnostic) {
        tell(self.plan, &self.places, found, self.give);
    }

    fn finish(mut self, threads: usize) -> Checked {
        let Self { plan, validation, places, give, .. } = &mut self;
        // A row that is none was a blank line to the check, and such a file has a row all the same.
        let is_empty = validation.tally().lines == 0;
        validation.finish(threads, &|_, _| false, |found| {
            if is_empty || found.code != Code::EmptyOutput {
                tell(plan, places, found, give);
            }
        });
        let mut tally = validation.tally().clone();
        if !is_empty {
            tally.warnings -= tally.of(Code::EmptyOutput);
            tally.forget(Code::EmptyOutput);
        }
        tally.blank -= self.faults;
        tally.rejected += self.faults;
        tally.forget(Code::BlankLine);
        for _ in 0..self.faults {
            tally.count_finding(Code::CsvRow, Severity::Error);
        }
        Checked { devices: tally.lines, tally }
    }
}

fn tell(plan: &Plan, places: &Places, found: Diagnostic, give: &mut impl FnMut(Diagnostic)) {
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
    let Place { line, byte } = places.of(row);
    let path = column.map_or(found.path, shown);
    let hint = match found.code {
        Code::DuplicateId | Code::DuplicateLine => Some("one row for each device and module"),
        _ => found.hint,
    };
    give(Diagnostic { line, byte, path, message, hint, ..found });
}
