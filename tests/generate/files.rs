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
    let mut keys = json_lines(&folder.read("keys")).into_iter();
    for line in json_lines(&folder.read("out")) {
        for slot in ["primary", "secondary"] {
            let key = keys.next().expect("a key for each slot");
            assert_eq!((&key["id"], &key["slot"]), (&line["id"], &slot.into()));
            assert_eq!(key["key"], line["authentication"]["symmetricKey"][format!("{slot}Key")]);
        }
    }
    assert!(keys.next().is_none());
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
