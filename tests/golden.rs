//! Responsible for: the runs in `fixtures/golden`: each folder is a command, its input, and everything that comes of it.
//! Not for: runs that make keys, which are never the same twice.
//!
//! A folder holds `command` (the command line, split at white space), `in` (standard input), `out`, `err` and `code`. Other
//! files are there for the command to read; what it writes must be there as `made-…`. `UPDATE_GOLDEN=1` writes what comes
//! of the commands instead of comparing it: look at the difference before you keep it.

mod support;

use hubmill_testkit::process::fixtures;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use support::{Folder, command, run};

/// What comes of a command, by file name.
type Outcome = BTreeMap<String, Vec<u8>>;

fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(fixtures().join("golden")).expect("the folder of golden runs");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn file_names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name")).collect()
}

fn is_outcome(name: &str) -> bool {
    ["out", "err", "code"].contains(&name) || name.starts_with("made-")
}

fn expected(case: &Path) -> Outcome {
    let names = file_names(case).into_iter().filter(|name| is_outcome(name));
    names.map(|name| (name.clone(), fs::read(case.join(name)).expect("a file"))).collect()
}

/// Runs a command in a copy of its folder.
fn outcome(case: &Path) -> Outcome {
    let folder = Folder::new();
    for name in file_names(case).iter().filter(|name| !is_outcome(name)) {
        fs::copy(case.join(name), folder.path(name)).expect("a file can be copied");
    }
    let before = folder.names();
    let text = folder.text("command");
    let words: Vec<&str> = text.split_whitespace().collect();
    assert_eq!(words.first(), Some(&"hubmill"), "{}", case.display());
    let mut command = command(&words[1..]);
    command.current_dir(folder.root());
    let answer = run(command, &folder.read("in"));
    let mut outcome = Outcome::new();
    for name in folder.names().iter().filter(|name| !before.contains(name)) {
        assert!(is_outcome(name), "{} makes {name}: let its name begin with made-", case.display());
        outcome.insert(name.clone(), folder.read(name));
    }
    outcome.insert("out".to_owned(), answer.stdout.clone());
    outcome.insert("err".to_owned(), without_times(&answer.stderr_text()).into_bytes());
    outcome.insert("code".to_owned(), format!("{}\n", answer.code).into_bytes());
    outcome
}

/// The summary's `in 0.21 s (1.59 GB/s)` as `in … s (…/s)`.
fn without_times(text: &str) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        match (line.find(" in "), line.find("/s): ")) {
            (Some(start), Some(end)) if start < end => {
                out.push_str(&line[..start]);
                out.push_str(" in … s (…");
                out.push_str(&line[end..]);
            }
            _ => out.push_str(line),
        }
    }
    out
}

#[test]
fn golden_runs() {
    let cases = cases();
    assert!(cases.len() >= 15, "only {} cases were found", cases.len());
    let update = std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    for case in &cases {
        let (found, wanted) = (outcome(case), expected(case));
        if found == wanted {
            continue;
        }
        if update {
            wanted.keys().for_each(|name| fs::remove_file(case.join(name)).expect("a file can be removed"));
            found.iter().for_each(|(name, bytes)| fs::write(case.join(name), bytes).expect("a file can be written"));
            continue;
        }
        for name in found.keys().chain(wanted.keys().filter(|name| !found.contains_key(*name))) {
            let text = |outcome: &Outcome| outcome.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            if found.get(name) != wanted.get(name) {
                wrong.push(format!("{}/{name}\nis:  {:?}\nnot: {:?}", case.display(), text(&found), text(&wanted)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn times_are_left_out_of_summaries_only() {
    let summary = "2 lines, 108 B in 0.00 s (38.0 kB/s): 1 written, 1 rejected\n";
    assert_eq!(without_times(summary), "2 lines, 108 B in … s (…/s): 1 written, 1 rejected\n");
    let finding = "error[x]: line 1 (byte 6): no device in here\n";
    assert_eq!(without_times(&format!("{finding}{summary}")), format!("{finding}{}", without_times(summary)));
}
