//! The table for people: a program a row, a task a column, times as multiples of `cat`.

use std::fmt::Write as _;

use crate::equality::Difference;
use crate::programs::Kind;
use crate::record::{Measurement, mebibytes};
use crate::task::Column;

/// What is shown of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// Times, memory and outputs.
    Everything,
    /// Outputs only.
    Outputs,
}

/// The measurements as a Markdown table and the notes to it. Of a program's thread counts the best one is shown.
#[must_use]
pub fn render(measurements: &[Measurement], columns: &[Column], show: Show) -> String {
    let mut text = String::from("| program |");
    let shown = if show == Show::Everything { columns } else { &[] };
    for column in shown {
        let _always_fits = write!(text, " {} |", column.name());
    }
    text += if show == Show::Everything { " MiB | output |\n|---|" } else { " output |\n|---|" };
    text += &"---|".repeat(shown.len() + if show == Show::Everything { 2 } else { 1 });
    text.push('\n');
    for program in programs(measurements) {
        let _always_fits = write!(text, "| {program} |");
        for column in shown {
            let _always_fits = write!(text, " {} |", best(measurements, program, *column).map_or(String::new(), cell));
        }
        let own = measurements.iter().filter(|measured| measured.program == program);
        if show == Show::Everything {
            let peak = own.clone().map(|measured| measured.peak_bytes).max().unwrap_or_default();
            let _always_fits = write!(text, " {:.0} |", mebibytes(peak));
        }
        let _always_fits = writeln!(text, " {} |", outputs(own));
    }
    if show == Show::Everything {
        for (name, kind) in [("hubmill", Kind::Hubmill), ("no look", Kind::NoLook)] {
            text += &against_libraries(measurements, columns, name, kind);
        }
    }
    text + &differences(measurements)
}

/// In the order in which they came.
fn programs(measurements: &[Measurement]) -> Vec<&str> {
    let mut programs = Vec::new();
    for measured in measurements {
        if !programs.contains(&measured.program.as_str()) {
            programs.push(measured.program.as_str());
        }
    }
    programs
}

/// The program's fastest measurement in a column.
fn best<'m>(measurements: &'m [Measurement], program: &str, column: Column) -> Option<&'m Measurement> {
    let own = measurements.iter().filter(|measured| measured.program == program && measured.column == column);
    own.min_by(|one, other| one.ratio.total_cmp(&other.ratio))
}

fn cell(measured: &Measurement) -> String {
    let about = if measured.kind == Kind::Jq { "≈ " } else { "" };
    format!("{about}{}", ratio(measured.ratio))
}

fn ratio(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.2}") } else { format!("{ratio:.0}") }
}

/// The worst that can be said of a program's outputs.
fn outputs<'m>(own: impl Iterator<Item = &'m Measurement>) -> &'static str {
    let words: Vec<_> = own.filter_map(|measured| measured.difference).map(|difference| difference.word()).collect();
    match words.as_slice() {
        [] => "",
        words if words.contains(&"no") => "differs",
        words if words.contains(&"values") => "same values",
        _ => "same bytes",
    }
}

/// A row: how many times as long as the first program of a kind takes the fastest library does.
fn against_libraries(measurements: &[Measurement], columns: &[Column], name: &str, kind: Kind) -> String {
    if measurements.iter().all(|measured| measured.kind != kind) {
        return String::new();
    }
    let mut text = format!("| **fastest library ÷ {name}** |");
    for column in columns {
        let here = measurements.iter().filter(|measured| measured.column == *column);
        let seconds = |measured: &Measurement| measured.seconds;
        let fastest =
            here.clone().filter(|measured| measured.kind == Kind::Library).map(seconds).min_by(f64::total_cmp);
        let mut own = here.filter(|measured| measured.kind == kind).map(seconds);
        // hubmill as it is by default; the best of what has no default.
        let own = if kind == Kind::Hubmill { own.next() } else { own.min_by(f64::total_cmp) };
        match (fastest, own) {
            (Some(fastest), Some(own)) => {
                let _always_fits = write!(text, " **{:.2}** |", fastest / own);
            }
            _ => text += " |",
        }
    }
    text + " | |\n"
}

/// A line for each way in which a program's outputs are not the same bytes.
fn differences(measurements: &[Measurement]) -> String {
    let mut found: Vec<(&str, Difference, Vec<Column>)> = Vec::new();
    for measured in measurements {
        let Some(difference) = measured.difference.filter(|difference| difference.word() != "bytes") else {
            continue;
        };
        match found.iter_mut().find(|entry| (entry.0, entry.1) == (measured.program.as_str(), difference)) {
            Some((_, _, columns)) if columns.contains(&measured.column) => {}
            Some((_, _, columns)) => columns.push(measured.column),
            None => found.push((&measured.program, difference, vec![measured.column])),
        }
    }
    let lines = found.iter().map(|(program, difference, columns)| {
        let columns: Vec<String> = columns.iter().map(|column| column.name()).collect();
        format!("- {program} ({}): {difference}\n", columns.join("; "))
    });
    let lines: String = lines.collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    fn measured(program: &str, kind: Kind, seconds: f64, difference: Option<Difference>) -> Measurement {
        Measurement {
            column: Column { task: Task::ImportMode, piped: false },
            program: program.to_owned(),
            kind,
            threads: None,
            seconds,
            ratio: seconds / 0.5,
            peak_bytes: 5 << 20,
            difference,
        }
    }

    #[test]
    fn the_best_of_each_program_and_the_worst_of_its_outputs() {
        let same = Difference { lines: 9, ..Difference::default() };
        let respelt = Difference { lines: 9, bytes: 2, numbers: 2, ..Difference::default() };
        let columns: Vec<Column> = Column::all().into_iter().take(2).collect();
        let measurements = [
            measured("cat", Kind::Cat, 0.5, None),
            measured("hubmill", Kind::Hubmill, 0.6, Some(same)),
            measured("peer", Kind::Library, 3.0, Some(same)),
            measured("peer", Kind::Library, 1.8, Some(respelt)),
            measured("bytes", Kind::NoLook, 0.6, None),
            measured("bytes", Kind::NoLook, 0.4, None),
            measured("jq", Kind::Jq, 60.0, Some(same)),
        ];
        let want = "\
| program | import-mode | strip-keys | MiB | output |
|---|---|---|---|---|
| cat | 1.00 |  | 5 |  |
| hubmill | 1.20 |  | 5 | same bytes |
| peer | 3.60 |  | 5 | differs |
| bytes | 0.80 |  | 5 |  |
| jq | ≈ 120 |  | 5 | same bytes |
| **fastest library ÷ hubmill** | **3.00** | | | |
| **fastest library ÷ no look** | **4.50** | | | |

- peer (import-mode): 2 of 9 lines are other bytes; numbers respelt: 2
";
        assert_eq!(render(&measurements, &columns, Show::Everything), want);
        let outputs = render(&measurements[..2], &columns, Show::Outputs);
        assert_eq!(outputs, "| program | output |\n|---|---|\n| cat |  |\n| hubmill | same bytes |\n");
    }
}
