//! `hubmill diff`: files, pipes, flags and what is said.

use crate::support::{Folder, assert_answer, hubmill, json_lines, run, script};
use hubmill_testkit::process::fixtures;
use serde_json::{Value, json};
use std::fs;

const KEY: &str = "pC7hQx+V2zT0rJ4/kWb9sYd3LmN8uGfAeXo1iRv5BtE=";

fn device(id: &str, status: &str, more: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"eTag\":\"MQ==\",\"status\":\"{status}\",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":\"{KEY}\",\
         \"secondaryKey\":\"{KEY}\"}},\"type\":\"sas\"}},\"twinETag\":\"AAAAAAAAAAE=\"{more}}}\n"
    )
}

fn modes(output: &[u8]) -> Vec<(String, String)> {
    let pair = |line: &Value| {
        (line["id"].as_str().unwrap_or("?").to_owned(), line["importMode"].as_str().unwrap_or("?").to_owned())
    };
    json_lines(output).iter().map(pair).collect()
}

#[test]
fn one_line_for_each_difference_with_only_what_differs() {
    let folder = Folder::new();
    let from = folder.write(
        "from",
        [device("a", "enabled", ",\"tags\":{\"x\":1}"), device("b", "enabled", ""), device("c", "enabled", "")]
            .concat(),
    );
    let to = folder.write(
        "to",
        [device("c", "disabled", ""), device("a", "enabled", ",\"tags\":{\"x\":2}"), device("n", "enabled", "")]
            .concat(),
    );
    let answer = hubmill(&["diff", &from, &to, "--report", &folder.arg("report")], b"");
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    let want =
        [("c", "update"), ("a", "updateTwin"), ("n", "create")].map(|(id, mode)| (id.to_owned(), mode.to_owned()));
    assert_eq!(modes(&answer.stdout), want);
    let lines = json_lines(&answer.stdout);
    assert_eq!(lines[1], json!({"id": "a", "importMode": "updateTwin", "status": "enabled", "tags": {"x": 2}}));
    assert!(lines.iter().all(|line| line.get("eTag").is_none() && line.get("twinETag").is_none()));
    let report = folder.report("report");
    let diff = &report.0["diff"];
    assert_eq!((&diff["only_from"], &diff["creates"], &diff["equal"]), (&json!(1), &json!(1), &json!(0)));
    assert!(answer.stderr_text().contains("1 only in FROM, and left there (--delete)"), "{}", answer.stderr_text());
    let answer = hubmill(&["diff", "--delete", "--if-match", &from, &to], b"");
    let last = json_lines(&answer.stdout).pop().expect("a line");
    assert_eq!(last, json!({"id": "b", "eTag": "MQ==", "importMode": "deleteIfMatchETag", "status": "enabled"}));
}

#[test]
fn every_fixture_is_equal_to_itself_and_to_what_it_comes_from() {
    let mut compared = 0;
    for entry in fs::read_dir(fixtures().join("export")).expect("fixtures") {
        let path = entry.expect("an entry").path();
        let name = path.to_str().expect("a plain name");
        let folder = Folder::new();
        let copy = folder.write("copy", fs::read(&path).expect("a file"));
        let answer = hubmill(&["diff", "--delete", "--reported", name, &copy], b"");
        assert_eq!(answer.stdout, b"", "{name}: {}", answer.stdout_text());
        compared += 1;
    }
    assert!(compared >= 5);
}

#[test]
fn lines_that_are_no_device_are_told_and_never_deleted() {
    let folder = Folder::new();
    let from = folder.write("from", [device("a", "enabled", ""), device("b", "enabled", "")].concat());
    let to = folder.write("to", format!("{}{{\"id\":\"b\",\"status\":\n", device("a", "enabled", "")));
    let answer = hubmill(&["diff", &from, &to], b"");
    assert_answer(&answer, 1, "");
    assert!(
        answer.stderr_text().contains("error[not-a-device]: TO has 1 line that is no device; the first is line 2"),
        "{}",
        answer.stderr_text()
    );
    let answer = hubmill(&["diff", "--delete", &from, &to, "-o", &folder.arg("out")], b"");
    assert_answer(&answer, 2, "");
    assert!(answer.stderr_text().contains("--delete") && !folder.has("out"));
    let import = folder.write("import", "{\"id\":\"a\",\"importMode\":\"delete\",\"status\":\"enabled\"}\n");
    let answer = hubmill(&["diff", &from, &import], b"");
    assert_answer(&answer, 2, "");
    assert!(answer.stderr_text().contains("plan --result"));
}

#[test]
fn empty_files_pipes_and_wrong_calls() {
    let folder = Folder::new();
    let (full, empty) = (folder.write("full", device("a", "enabled", "")), folder.write("empty", ""));
    let answer = hubmill(&["diff", "--delete", &full, &empty], b"");
    assert_eq!(modes(&answer.stdout), [("a".to_owned(), "delete".to_owned())]);
    let answer = hubmill(&["diff", &empty, "-"], device("a", "enabled", "").as_bytes());
    assert_eq!(modes(&answer.stdout), [("a".to_owned(), "create".to_owned())]);
    let answer = hubmill(&["diff", "-", &full], device("a", "disabled", "").as_bytes());
    assert_eq!(modes(&answer.stdout), [("a".to_owned(), "update".to_owned())]);
    assert_answer(&hubmill(&["diff", &empty, &folder.write("notice", "no keys were exported\n")], b""), 0, "");
    for args in
        [vec!["diff"], vec!["diff", "-", "-"], vec!["diff", &full, &full], vec!["diff", &full, &empty, "-o", &full]]
    {
        assert_answer(&hubmill(&args, b""), 2, "");
    }
    assert_answer(&hubmill(&["diff", &full, "/nonexistent"], b""), 3, "");
    assert_answer(&hubmill(&["diff", &empty, &full, "-o", "/dev/full"], b""), 3, "");
    assert_eq!(folder.names(), ["empty", "full", "notice"]);
}

#[test]
fn the_same_bytes_at_any_thread_count_and_source_and_a_closed_pipe_is_no_error() {
    let folder = Folder::new();
    let lines = |status: &str, step: usize| -> String {
        (0..9_000)
            .step_by(step)
            .map(|index| device(&format!("d{index}"), if index % 3 == 0 { status } else { "enabled" }, ""))
            .collect()
    };
    let (from, to) = (folder.write("from", lines("enabled", 2)), folder.write("to", lines("disabled", 1)));
    let want = hubmill(&["diff", "--delete", &from, &to, "-j", "1"], b"").stdout;
    assert_eq!(json_lines(&want).len(), 4_500 + 1_500);
    for args in [vec!["-j", "2"], vec!["-j", "5", "--mmap", "never"], vec!["--mmap", "always"]] {
        assert_answer(&hubmill(&[vec!["diff", "--delete", &from, &to], args].concat(), b""), 0, &want);
    }
    assert_answer(&hubmill(&["diff", "--delete", &from], folder.text("to").as_bytes()), 0, &want);
    let closed = run(script("\"$0\" \"$@\" | head -c 100 > /dev/null", &["diff", &from, &to]), b"");
    assert_eq!(closed.code, 0, "{}", closed.stderr_text());
}

#[test]
fn keys_are_in_the_output_and_nowhere_else() {
    let folder = Folder::new();
    let token = format!("SharedAccessKey={KEY}");
    let from = folder.write("from", [device("a", "enabled", ""), device(KEY, "enabled", "")].concat());
    let to = folder.write("to", format!(
        "{}{}{{\"id\":\"b\",\"authentication\":\"{KEY}\n{{\"id\":\"{KEY}\",\"moduleId\":\"{KEY}\",\"status\":\"enabled\"}}\n{{\"id\":\"x\",\"status\":\"{token}\"}}\n",
        device("a", "disabled", ""),
        "{\"id\":\"n\",\"status\":\"enabled\",\"authentication\":null}\n"
    ));
    let (report, findings) = (folder.arg("report"), folder.arg("findings"));
    let answer = hubmill(&["diff", &from, &to, "--report", &report, "--diagnostics", &findings], b"");
    assert!(answer.stdout_text().contains(KEY));
    for text in [answer.stderr_text(), folder.text("report"), folder.text("findings")] {
        for window in KEY.as_bytes().windows(12) {
            let window = std::str::from_utf8(window).expect("ASCII");
            assert!(!text.contains(window), "{window} in {text}");
        }
    }
}

#[test]
fn notices_are_shown_and_counted_with_blank_lines() {
    let folder = Folder::new();
    let from = folder.write("from", "No keys\n".to_owned() + &device("a", "enabled", "") + "\n\n");
    let to = folder.write("to", "No keys here\n\n".to_owned() + &device("a", "disabled", ""));
    let report = folder.arg("report");
    let answer = hubmill(&["diff", "-q", &from, &to, "--report", &report], b"");
    assert_eq!(
        (answer.code, answer.stderr_text().as_str()),
        (
            0,
            "notice: the first line of FROM is no device (§1.6) and was left out: No keys\n\
             notice: the first line of TO is no device (§1.6) and was left out: No keys here\n"
        )
    );
    let told = folder.report("report");
    assert_eq!((told.number("notices"), told.number("blank"), told.code("notice")), (2, 3, 2));
    let undone = hubmill(&["undo", "-q", "--registry", &from, &to, "--report", &report], b"");
    assert!(undone.stderr_text().contains("first line of --registry is no device"), "{}", undone.stderr_text());
    assert_eq!(folder.report("report").number("notices"), 2);
}

#[test]
fn of_a_child_whose_parent_has_no_scope_in_the_hub_only_what_is_known_is_said() {
    let child = |status: &str, parent: &str| {
        device("c", status, &format!(",\"deviceScope\":\"ms-azure-iot-edge://{parent}-1\""))
    };
    let edge = |scope: &str| device("e", "enabled", &format!(",\"capabilities\":{{\"iotEdge\":true}}{scope}"));
    let own = edge(",\"deviceScope\":\"ms-azure-iot-edge://e-7\"");
    let leaf = device("e", "enabled", "");
    let (new, none, unsaid) = (
        "is a child of an edge device that the first export does not have: the hub makes a new scope",
        "has the scope of a device that is an edge device in neither export",
        "is a child of an edge device whose scope the first export does not have",
    );
    for (from, to, want) in [
        (String::new(), own.clone(), Some(new)),
        (leaf.clone(), own.clone(), Some(new)),
        (String::new(), String::new(), Some(none)),
        (leaf.clone(), leaf, Some(none)),
        (edge(""), edge(""), Some(unsaid)),
        (own.clone(), String::new(), None),
        // What the device has already, it keeps.
        (child("disabled", "e"), String::new(), None),
        (edge("") + &child("disabled", "e"), String::new(), None),
        (child("disabled", "e"), own.clone(), Some(new)),
        (child("disabled", "f"), String::new(), Some(none)),
    ] {
        let folder = Folder::new();
        let (from_file, to_file) =
            (folder.write("from", &from), folder.write("to", format!("{to}{}", child("enabled", "e"))));
        let answer = hubmill(&["diff", &from_file, &to_file], b"");
        let said = answer.stderr_text();
        assert_eq!(said.matches("warning[device-scope]").count(), usize::from(want.is_some()), "{from}{to}{said}");
        assert!(
            want.is_none_or(|want| said.contains(&format!("warning[device-scope]: the device \"c\" {want}"))),
            "{said}"
        );
        let scope = if from.contains("e-7") { "e-7" } else { "e-1" };
        let written = json_lines(&answer.stdout).pop().expect("a line");
        assert_eq!(written["deviceScope"], json!(format!("ms-azure-iot-edge://{scope}")), "{from}{to}");
    }
}
