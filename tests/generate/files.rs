//! Where lines and keys go.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use super::{generate, generate_from};
use crate::support::{Folder, command, json_lines, run, run_watched};
use hubmill_testkit::process::anonymous_memory;

fn mode(folder: &Folder, name: &str) -> u32 {
    folder.path(name).metadata().expect("the file is there").permissions().mode() & 0o777
}

#[test]
fn keys_out_has_every_key_and_only_the_owner_reads_it() {
    let folder = Folder::new();
    let (out, keys) = (folder.arg("out"), folder.arg("keys"));
    let csv = "id,moduleId,authentication.type\nd1,,\nd1,\"m\"\"1\",\nd2,,ca\n";
    let answer = generate_from(&["--from-csv", "-", "-o", &out, "--keys-out", &keys], csv.replace("\"m\"\"1\"", "m1"));
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    let (lines, keys) = (json_lines(&folder.read("out")), json_lines(&folder.read("keys")));
    assert_eq!(keys.len(), 4);
    for (at, key) in keys.iter().enumerate() {
        let line = &lines[at / 2];
        assert_eq!((&key["id"], key["moduleId"].as_str()), (&line["id"], line["moduleId"].as_str()));
        let slot = key["slot"].as_str().unwrap();
        assert_eq!(slot, ["primary", "secondary"][at % 2]);
        assert_eq!(key["key"], line["authentication"]["symmetricKey"][format!("{slot}Key")]);
    }
    assert_eq!((mode(&folder, "out"), mode(&folder, "keys")), (0o600, 0o600));
    let text = folder.text("keys");
    assert!(text.starts_with("{\"id\":\"d1\",\"moduleId\":null,\"slot\":\"primary\",\"key\":\""), "{text}");
}

#[test]
fn many_keys_are_those_of_the_lines() {
    let folder = Folder::new();
    let (out, keys) = (folder.arg("out"), folder.arg("keys"));
    let args =
        ["--count", "20000", "--id", "{index}-{uuid}", "-o", &out, "--keys-out", &keys, "--key-bytes", "33", "-j", "2"];
    assert_eq!(generate(&args).code, 0);
    assert_keys_are_of_lines(&folder.read("out"), &folder.read("keys"));
}

/// The lines of a file and, in their order, the keys that were collected.
#[track_caller]
fn assert_keys_are_of_lines(lines: &[u8], keys: &[u8]) {
    let mut keys = json_lines(keys).into_iter();
    for line in json_lines(lines) {
        for slot in ["primary", "secondary"] {
            let key = keys.next().expect("a key for each slot");
            assert_eq!((&key["id"], &key["slot"]), (&line["id"], &slot.into()));
            assert_eq!(key["key"], line["authentication"]["symmetricKey"][format!("{slot}Key")]);
        }
    }
    assert!(keys.next().is_none());
}

#[test]
fn a_file_is_written_while_rows_are_checked_and_given_up_where_one_is_wrong() {
    let folder = Folder::new();
    let rows = |last: &str| format!("id\n{}{last}\n", (0..30_000).map(|n| format!("d{n}\n")).collect::<String>());
    for (name, csv) in [("wrong", rows("d 1")), ("twice", rows("d7")), ("cells", rows("d,1"))] {
        folder.write("out", "as it was");
        let keys = format!("keys-{name}");
        let args = ["--from-csv", "-", "-o", &folder.arg("out"), "--keys-out", &folder.arg(&keys), "-j", "2"];
        let answer = generate_from(&args, csv);
        assert_eq!(answer.code, 2, "{name}: {}", answer.stderr_text());
        assert!(answer.stderr_text().contains("row 30001"), "{name}: {}", answer.stderr_text());
        assert_eq!(folder.text("out"), "as it was", "{name}");
        assert!(!folder.path(&keys).exists(), "{name}");
    }
    assert_eq!(folder.path("").read_dir().unwrap().count(), 1, "nothing unfinished is left");
}

#[test]
fn a_file_has_what_standard_output_gets() {
    let folder = Folder::new();
    let csv = format!("id,tags.n\n{}", (0..20_000).map(|n| format!("d{n},{}\n", n * 7)).collect::<String>());
    let args = ["--from-csv", "-", "--auth", "ca", "--import-mode", "create"];
    let piped = generate_from(&args, &csv);
    assert_eq!((piped.code, json_lines(&piped.stdout).len()), (0, 20_000), "{}", piped.stderr_text());
    let answer = generate_from(&[&args[..], &["-o", &folder.arg("out")]].concat(), &csv);
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    assert!(folder.read("out") == piped.stdout);
}

#[test]
fn a_warning_for_each_row_loses_no_line_and_no_key() {
    let folder = Folder::new();
    let csv = format!("id\n{}", (0..20_000).map(|n| format!("{n}:\n")).collect::<String>());
    let args = ["--from-csv", "-", "-o", &folder.arg("out"), "--keys-out", &folder.arg("keys")];
    let answer = generate_from(&[&args[..], &["--diagnostics", &folder.arg("found")]].concat(), csv);
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    let ids: Vec<String> =
        json_lines(&folder.read("out")).iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, (0..20_000).map(|n| format!("{n}:")).collect::<Vec<_>>());
    let found = json_lines(&folder.read("found"));
    assert_eq!(found.len(), 20_000);
    for (at, found) in found.iter().enumerate() {
        assert_eq!((&found["code"], &found["line"]), (&"id-discouraged".into(), &(at + 2).into()));
    }
    assert_keys_are_of_lines(&folder.read("out"), &folder.read("keys"));
}

#[test]
fn files_without_keys_are_as_others() {
    let folder = Folder::new();
    let out = folder.arg("out");
    folder.write("reference", "");
    assert_eq!(generate(&["--count", "2", "--auth", "ca", "-o", &out]).code, 0);
    assert_eq!(mode(&folder, "out"), mode(&folder, "reference"));
}

#[test]
fn the_report_says_what_was_made() {
    let folder = Folder::new();
    let (out, report) = (folder.arg("out"), folder.arg("report"));
    assert_eq!(generate(&["--count", "1234", "--auth", "self-signed", "-o", &out, "--report", &report]).code, 0);
    let report = folder.report("report");
    report.assert_adds_up();
    assert!(report.is_complete());
    assert_eq!((report.0["command"].as_str(), report.0["source"].as_str()), (Some("generate"), Some("count")));
    assert_eq!((report.number("written"), report.code("thumbprint-missing")), (1234, 1234));
    assert_eq!(report.number("bytes_out"), folder.read("out").len() as u64);
    let (report, csv) = (folder.arg("report2"), folder.write("in.csv", "id\nd1\nd2\n"));
    assert_eq!(generate(&["--from-csv", &csv, "-o", &out, "--report", &report]).code, 0);
    let report = folder.report("report2");
    assert_eq!((report.number("lines"), report.number("bytes_in")), (2, 9));
    assert_eq!(report.0["source"].as_str(), Some("csv"));
}

#[test]
fn storage_that_fails_and_readers_that_go_away() {
    let full = generate(&["--count", "100000", "-o", "/dev/full"]);
    assert_eq!(full.code, 3, "{}", full.stderr_text());
    let folder = Folder::new();
    let nowhere = generate(&["--count", "2", "-o", &folder.arg("none/out")]);
    assert_eq!(nowhere.code, 3, "{}", nowhere.stderr_text());
    let missing = generate(&["--from-csv", &folder.arg("none.csv")]);
    assert_eq!(missing.code, 3);
    assert!(missing.stderr_text().contains("can't open"), "{}", missing.stderr_text());
    let closed = crate::support::script("\"$0\" generate --count 1000000 | head -1; exit ${PIPESTATUS:-0}", &[""; 0]);
    let answer = run(closed, b"");
    assert_eq!((answer.code, answer.stderr.len()), (0, 0), "{}", answer.stderr_text());
    assert_eq!(answer.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn lists_come_from_pipes_too() {
    let folder = Folder::new();
    let fifo = folder.fifo("list");
    let script = crate::support::script(
        "printf 'id,tags.a\\nd1,x\\nd2,y\\n' > \"$1\" & \"$0\" generate --auth ca --from-csv \"$1\"",
        &[fifo],
    );
    let answer = run(script, b"");
    assert_eq!(
        (answer.code, answer.stdout),
        (0, generate_from(&["--auth", "ca", "--from-csv", "-"], "id,tags.a\nd1,x\nd2,y\n").stdout)
    );
}

#[test]
fn memory_does_not_grow_with_the_count() {
    let desired = format!("{{\"a\":\"{}\"}}", "x".repeat(4000));
    for args in [&["--count", "200000"][..], &["--count", "20000", "--desired", &desired]] {
        let folder = Folder::new();
        let keys = folder.arg("keys");
        let mut generate = command(&["generate", "-j", "4", "-o", "/dev/null", "--keys-out", &keys]);
        generate.args(args).stdin(Stdio::null());
        let mut most = 0;
        let answer = run_watched(generate, b"", |process| most = most.max(anonymous_memory(process).unwrap_or(0)));
        assert_eq!(answer.code, 0, "{}", answer.stderr_text());
        assert!(most > 0 && most < 64 << 20, "{most} bytes");
    }
}
