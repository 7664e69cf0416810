//! What was measured, and the file that keeps it: `<folder>/<cpu>/<date>.csv`.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::equality::Difference;
use crate::machine::{Machine, slug};
use crate::programs::Kind;
use crate::task::Column;

/// What one program did in one column.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// The column.
    pub column: Column,
    /// The program with its version.
    pub program: String,
    /// What it is.
    pub kind: Kind,
    /// Threads, where it was told how many.
    pub threads: Option<usize>,
    /// Median, in seconds; for a slice of the data scaled up to all of it.
    pub seconds: f64,
    /// Times the median of `cat` in the same rounds.
    pub ratio: f64,
    /// The most anonymous memory, in bytes.
    pub peak_bytes: u64,
    /// Against hubmill's output; nothing for `cat`.
    pub difference: Option<Difference>,
}

const HEAD: [&str; 15] = [
    "date",
    "commit",
    "cpu",
    "cores",
    "kernel",
    "hubmill",
    "data",
    "lines",
    "task",
    "program",
    "threads",
    "seconds",
    "ratio_to_cat",
    "peak_anonymous_mib",
    "equal",
];

fn row(machine: &Machine, hubmill: &str, data: &str, lines: u64, measured: &Measurement) -> [String; HEAD.len()] {
    [
        machine.date.clone(),
        machine.commit.clone(),
        machine.cpu.clone(),
        machine.cores.to_string(),
        machine.kernel.clone(),
        hubmill.to_owned(),
        data.to_owned(),
        lines.to_string(),
        measured.column.name(),
        measured.program.clone(),
        measured.threads.map(|threads| threads.to_string()).unwrap_or_default(),
        format!("{:.4}", measured.seconds),
        format!("{:.3}", measured.ratio),
        format!("{:.1}", mebibytes(measured.peak_bytes)),
        measured.difference.map_or("", |difference| difference.word()).to_owned(),
    ]
}

/// Bytes in MiB.
#[must_use]
pub fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Appends the measurements to the record of this machine and day, and returns its path.
///
/// # Errors
/// If the file can't be written.
pub fn append(
    folder: &Path,
    machine: &Machine,
    hubmill: &str,
    (data, lines): (&str, u64),
    measurements: &[Measurement],
) -> io::Result<PathBuf> {
    let folder = folder.join(slug(&machine.cpu));
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.csv", machine.date));
    let file = OpenOptions::new().create(true).append(true).open(&path)?;
    let is_new = file.metadata()?.len() == 0;
    let mut writer = csv::Writer::from_writer(file);
    if is_new {
        writer.write_record(HEAD)?;
    }
    for measured in measurements {
        writer.write_record(row(machine, hubmill, data, lines, measured))?;
    }
    writer.flush()?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Task;

    #[test]
    fn records_are_appended_under_one_head() {
        let machine = Machine {
            cpu: "Some CPU, 2nd \"edition\"".to_owned(),
            cores: 2,
            kernel: "6.1".to_owned(),
            commit: "abc-dirty".to_owned(),
            date: "2026-11-20".to_owned(),
        };
        let measured = Measurement {
            column: Column { task: Task::All, piped: true },
            program: "peer 1".to_owned(),
            kind: Kind::Library,
            threads: Some(2),
            seconds: 0.123_45,
            ratio: 1.5,
            peak_bytes: 3 << 19,
            difference: Some(Difference { lines: 1, bytes: 1, ..Difference::default() }),
        };
        let plain = Measurement { threads: None, difference: None, ..measured.clone() };
        let folder = tempfile::tempdir().expect("a folder");
        for measured in [measured, plain] {
            append(folder.path(), &machine, "0.1.0", ("identity", 7), &[measured]).expect("it can be written");
        }
        let path = folder.path().join("some-cpu-2nd-edition/2026-11-20.csv");
        let text = fs::read_to_string(path).expect("it is there");
        let start = r#"2026-11-20,abc-dirty,"Some CPU, 2nd ""edition""",2,6.1,0.1.0,identity,7,"all, piped",peer 1,"#;
        let want = format!("{}\n{start}2,0.1235,1.500,1.5,values\n{start},0.1235,1.500,1.5,\n", HEAD.join(","));
        assert_eq!(text, want);
    }
}
