//! Responsible for: what lines selection keeps, and that a split loses nothing.

use crate::rejects;
use crate::support::{Folder, assert_answer, transform};

const DEVICE: &str = "{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{}}\n";
const NULL_MODULE: &str = "{\"id\":\"b\",\"status\":\"enabled\",\"authentication\":{},\"moduleId\":null}\n";
const MODULE: &str = "{\"id\":\"a\",\"moduleId\":\"m\",\"status\":\"enabled\",\"authentication\":{}}\n";
const EMPTY_MODULE: &str = "{\"id\":\"a\",\"moduleId\":\"\",\"status\":\"enabled\",\"authentication\":{}}\n";
const SYSTEM_MODULE: &str = "{\"id\":\"c\",\"moduleId\":\"$edgeHub\",\"status\":\"enabled\",\"authentication\":{}}\n";
const ESCAPED_SYSTEM_MODULE: &str =
    "{\"moduleId\":\"\\u0024x\",\"id\":\"d\",\"status\":\"enabled\",\"authentication\":{}}\n";
const NUMBER_MODULE: &str = "{\"id\":\"e\",\"moduleId\":7,\"status\":\"enabled\",\"authentication\":{}}\n";
const DOLLAR_INSIDE: &str = "{\"id\":\"f\",\"moduleId\":\"a$\",\"status\":\"enabled\",\"authentication\":{}}\n";
const ALL: [&str; 8] =
    [DEVICE, NULL_MODULE, MODULE, EMPTY_MODULE, SYSTEM_MODULE, ESCAPED_SYSTEM_MODULE, NUMBER_MODULE, DOLLAR_INSIDE];

/// Runs all lines through and expects these to be kept, and the others in `--filtered`.
#[track_caller]
fn keeps(args: &[&str], kept: &[&str]) {
    let folder = Folder::new();
    let (filtered, report) = (folder.arg("filtered"), folder.arg("report"));
    let all = [args, &["--filtered", &filtered, "--report", &report]].concat();
    assert_answer(&transform(&all, ALL.concat().as_bytes()), 0, kept.concat());
    let left_out: Vec<&str> = ALL.iter().filter(|line| !kept.contains(line)).copied().collect();
    assert_eq!(folder.text("filtered"), left_out.concat(), "{args:?}");
    let report = folder.report("report");
    report.assert_adds_up();
    assert_eq!((report.number("filtered"), report.number("edited")), (left_out.len() as u64, 0));
}

#[test]
fn devices_and_modules() {
    keeps(&[], &ALL);
    keeps(&["--devices-only"], &[DEVICE, NULL_MODULE, NUMBER_MODULE]);
    keeps(&["--modules-only"], &[MODULE, EMPTY_MODULE, SYSTEM_MODULE, ESCAPED_SYSTEM_MODULE, DOLLAR_INSIDE]);
    keeps(&["--drop-system-modules"], &[DEVICE, NULL_MODULE, MODULE, EMPTY_MODULE, NUMBER_MODULE, DOLLAR_INSIDE]);
    keeps(&["--modules-only", "--drop-system-modules"], &[MODULE, EMPTY_MODULE, DOLLAR_INSIDE]);
    keeps(&["--devices-only", "--drop-system-modules"], &[DEVICE, NULL_MODULE, NUMBER_MODULE]);
}

#[test]
fn ids_take_their_modules_along() {
    let folder = Folder::new();
    let some = folder.write("ids", "a\nc\n");
    keeps(&["--ids", &some], &[DEVICE, MODULE, EMPTY_MODULE, SYSTEM_MODULE]);
    keeps(&["--ids-not", &some], &[NULL_MODULE, ESCAPED_SYSTEM_MODULE, NUMBER_MODULE, DOLLAR_INSIDE]);
    keeps(&["--ids", &some, "--devices-only"], &[DEVICE]);
    let other = folder.write("other", "c\nd\n");
    keeps(&["--ids", &some, "--ids-not", &other], &[DEVICE, MODULE, EMPTY_MODULE]);
    let one = folder.write("one", "a");
    keeps(&["--ids", &one], &[DEVICE, MODULE, EMPTY_MODULE]);
}

#[test]
fn lists_of_ids_are_read_leniently() {
    let folder = Folder::new();
    for text in [
        "\u{feff}a\nc",
        "a\r\nc\r\n",
        "\n\n \t\na\n\r\nc\n\n",
        "\u{feff}c\r\n\r\na\r\n",
        "a\na\nc\na\n",
        "\u{feff}\r\na\nc\r",
    ] {
        let list = folder.write("ids", text);
        keeps(&["--ids", &list], &[DEVICE, MODULE, EMPTY_MODULE, SYSTEM_MODULE]);
    }
}

#[test]
fn ids_are_compared_as_they_are_meant() {
    let folder = Folder::new();
    let list = folder.write("ids", "a'b\nB\n");
    let kept = "{\"id\":\"\\u0061\\u0027b\",\"status\":\"enabled\",\"authentication\":{}}\n";
    let case = "{\"id\":\"b\",\"status\":\"enabled\",\"authentication\":{}}\n";
    let answer = transform(&["--ids", &list], [kept, case].concat().as_bytes());
    assert_answer(&answer, 0, kept);
}

#[test]
fn ids_that_were_not_found_are_said() {
    let folder = Folder::new();
    let names: String = (1..=8).map(|number| format!("gone-{number}\n")).collect();
    let list = folder.write("ids", format!("a\n{names}"));
    let (report, diagnostics) = (folder.arg("report"), folder.arg("diagnostics"));
    let answer =
        transform(&["--ids", &list, "--report", &report, "--diagnostics", &diagnostics], ALL.concat().as_bytes());
    assert_answer(&answer, 0, [DEVICE, MODULE, EMPTY_MODULE].concat());
    let stderr = answer.stderr_text();
    assert!(stderr.contains("warning[ids-not-found]: 8 of the 9 ids of --ids"), "{stderr}");
    assert!(stderr.contains("gone-1, gone-2") && !stderr.contains("gone-8"), "the first ones are named: {stderr}");
    let report = folder.report("report");
    assert!(report.code("ids-not-found") > 0 && report.is_complete(), "{report:?}");
    assert!(folder.text("diagnostics").contains("\"code\":\"ids-not-found\""));
    // An id that is in a line which is left out for another reason was found.
    let list = folder.write("ids", "a\nc\n");
    let answer = transform(&["--ids", &list, "--devices-only"], ALL.concat().as_bytes());
    assert_answer(&answer, 0, DEVICE);
    // And nothing is said where all are there.
    let all = folder.write("ids", "a\nb\nc\nd\ne\nf\n");
    let answer = transform(&["--ids", &all], ALL.concat().as_bytes());
    assert_answer(&answer, 0, ALL.concat());
    assert_eq!(answer.stderr_text(), "");
}

#[test]
fn a_selection_by_id_needs_an_id() {
    let folder = Folder::new();
    let list = folder.write("ids", "a\n");
    for flag in ["--ids", "--ids-not"] {
        for check in ["id", "none"] {
            let args = [flag, list.as_str(), "--check", check];
            rejects(&args, "id-missing", &["{\"status\":\"enabled\"}", "{\"id\":null}", "{\"ID\":\"a\"}"]);
            rejects(&args, "member-type", &["{\"id\":1}", "{\"id\":[\"a\"]}"]);
            rejects(&args, "member-case", &["{\"id\":\"a\",\"Id\":\"b\"}"]);
        }
    }
}

#[test]
fn a_selection_reads_exact_names_only() {
    for flag in ["--devices-only", "--modules-only", "--drop-system-modules"] {
        rejects(&[flag], "member-case", &["{\"id\":\"a\",\"moduleID\":\"m\"}", "{\"id\":\"a\",\"ModuleId\":null}"]);
        rejects(&[flag], "duplicate-member", &["{\"id\":\"a\",\"moduleId\":\"m\",\"moduleId\":null}"]);
    }
}

#[test]
fn a_split_loses_nothing() {
    let folder = Folder::new();
    let kept = "{\"id\":\"k\",\"status\":\"enabled\",\"authentication\":{}}";
    let left = "{ \"id\":\"l\", \"moduleId\":\"m\" }  ";
    let input = format!("\u{feff}{left}\r\n{kept}\r\n\r\nbroken{{\r\n{left}\r\r\n  \n{kept}\n{left}");
    let (filtered, rejected, report) = (folder.arg("filtered"), folder.arg("rejects"), folder.arg("report"));
    let args = ["--devices-only", "--filtered", &filtered, "--rejects", &rejected, "--report", &report];
    assert_answer(&transform(&args, input.as_bytes()), 1, format!("{kept}\n{kept}\n"));
    assert_eq!(folder.text("filtered"), format!("{left}\r\n{left}\r\r\n{left}\n"));
    assert_eq!(folder.text("rejects"), "broken{\r\n");
    let report = folder.report("report");
    report.assert_adds_up();
    let counts = ["lines", "written", "rejected", "filtered", "blank"].map(|name| report.number(name));
    assert_eq!(counts, [8, 2, 1, 3, 2]);
    // What was left out is left out again, whole.
    let again = transform(&["--modules-only"], &folder.read("filtered"));
    assert_answer(&again, 0, format!("{left}\n").repeat(3));
}

#[test]
fn an_invalid_line_is_never_filtered() {
    let folder = Folder::new();
    let filtered = folder.arg("filtered");
    let input = "{\"id\":\"a\",\"moduleId\":\"m\"\n{\"id\":\"a\",\"moduleId\":\"m\",\"x\":1,\"x\":2}\n";
    let answer = transform(&["--devices-only", "--filtered", &filtered], input.as_bytes());
    assert_answer(&answer, 1, "");
    assert_eq!(folder.text("filtered"), "");
}

#[test]
fn where_nothing_is_left_it_is_said() {
    let folder = Folder::new();
    let (list, report) = (folder.write("ids", ""), folder.arg("report"));
    let answer = transform(&["--ids", &list, "--report", &report], DEVICE.as_bytes());
    assert_answer(&answer, 0, "");
    assert!(answer.stderr_text().contains("warning[empty-output]"), "{}", answer.stderr_text());
    assert_eq!(folder.report("report").code("empty-output"), 1);
}
