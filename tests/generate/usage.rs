//! Calls that can't be what was meant.

use super::{generate, generate_from};
use crate::support::Folder;

/// The call is refused, and its message has all of these words.
#[track_caller]
fn refused(args: &[&str], words: &[&str]) {
    let answer = generate(args);
    let text = answer.stderr_text();
    assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{args:?}: {text}");
    assert!(words.iter().all(|word| text.contains(word)), "{args:?}: {words:?} in {text}");
}

#[test]
fn ids_that_can_not_be() {
    refused(&["--count", "2", "--id", "same"], &["--id", "{index}", "{uuid}"]);
    refused(&["--count", "2", "--id", "a b{index}"], &["--id", "' '", "hint: allowed are"]);
    refused(&["--count", "2", "--id", "{device}"], &["{device}", "{index:08}"]);
    refused(&["--count", "2", "--id", "{index:8}"], &["{index:8}", "{index:08}"]);
    refused(&["--count", "2", "--id", "{index"], &["--id", "}"]);
    let long = format!("{}{{index}}", "a".repeat(127));
    refused(&["--count", "10", "--id", &long], &["129 characters", "128"]);
    assert_eq!(generate(&["--count", "9", "--id", &long]).code, 0);
}

#[test]
fn contradictions_name_both_flags() {
    refused(&["--count", "2", "--import-mode", "delete", "--auth", "sas"], &["--auth", "--import-mode delete"]);
    refused(&["--count", "2", "--import-mode", "updateTwin", "--edge"], &["--edge", "--import-mode updateTwin"]);
    refused(&["--count", "2", "--import-mode", "delete", "--tags", "{}"], &["--tags", "--import-mode delete"]);
    refused(&["--count", "2", "--keys-out", "k", "--auth", "ca"], &["--keys-out", "--auth"]);
    refused(&["--count", "2", "--csv-text", "tags.a"], &["--from-csv"]);
    refused(&[], &["--count"]);
    refused(&["--count", "0"], &["--count 0"]);
    refused(&["--count", "2", "--key-bytes", "15"], &["15", "16..=64"]);
    refused(&["--count", "2", "--auth", "none"], &["none", "self-signed"]);
    refused(&["--count", "2", "--keys-out", "-"], &["--output", "--keys-out"]);
    let answer = generate_from(&["--from-csv", "-", "--id", "d{index}"], "id\nd1\n");
    assert!(answer.code == 2 && answer.stderr_text().contains("--id and a column id of --from-csv"));
}

#[test]
fn values_that_are_no_json_objects() {
    refused(&["--count", "2", "--tags", "site=oslo"], &["--tags is not JSON", "hint:"]);
    refused(&["--count", "2", "--desired", "[]"], &["--desired must be a JSON object"]);
}

#[test]
fn half_a_character_is_json_and_warned_of() {
    for (flag, json, column) in [
        ("--tags", r#"{"a":{"b":"\ud800"}}"#, "tags.c"),
        ("--desired", r#"{"\udc00\ud800":1}"#, "properties.desired.c"),
    ] {
        let told = generate(&["--count", "2", flag, json, "--auth", "ca"]);
        let lines =
            generate_from(&["--from-csv", "-", flag, json, "--auth", "ca"], format!("id,{column}\nd1,7\nd2,\n"));
        for (answer, all) in [(&told, "every device: "), (&lines, "")] {
            let text = answer.stderr_text();
            assert_eq!(answer.code, 0, "{text}");
            assert!(text.contains(&format!("{all}an escape of half a character")), "{text}");
            assert!(text.starts_with("warning[lone-surrogate]"), "{text}");
            assert!(answer.stdout_text().contains(json), "{}", answer.stdout_text());
        }
        let joined = format!("{},\"c\":7}}", json.strip_suffix('}').expect("an object"));
        assert!(lines.stdout_text().contains(&joined), "{}", lines.stdout_text());
    }
}

#[test]
fn errors_of_every_device() {
    refused(&["--count", "3", "--tags", "{\"a b\":1}"], &["\nerror: 3 errors in 3 devices; nothing was made\n"]);
    refused(&["--count", "1", "--tags", "{\"a b\":1}"], &["\nerror: 1 error in 1 device; nothing was made\n"]);
}

#[test]
fn values_that_are_nested_too_deeply() {
    let nested = |levels: usize| format!("{{\"é\":\n{}1{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
    for flag in ["--tags", "--desired"] {
        for levels in [127, 128, 5000] {
            let said = format!("{flag} is nested too deeply: at character 126 of line 2 it opens level 127");
            refused(&["--count", "2", flag, &nested(levels)], &[&said, "hint: the hub takes 10"]);
        }
        refused(&["--count", "2", flag, &nested(126)], &["twin-depth", "ten levels"]);
    }
    let text = format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(200));
    assert_eq!(generate(&["--count", "2", "--tags", &text]).code, 0);
}

#[test]
fn two_paths_that_are_one_file() {
    let folder = Folder::new();
    let csv = folder.write("devices.csv", "id\nd1\n");
    refused(&["--from-csv", &csv, "-o", &csv], &["--from-csv and --output are the same file"]);
    let out = folder.arg("out");
    refused(&["--count", "2", "-o", &out, "--keys-out", &out], &["--output and --keys-out are the same file"]);
    assert_eq!(folder.names(), ["devices.csv"]);
    assert_eq!(folder.text("devices.csv"), "id\nd1\n");
}

#[test]
fn a_count_that_the_file_has_not() {
    let answer = generate_from(&["--from-csv", "-", "--count", "3"], "id\nd1\nd2\n");
    assert_eq!((answer.code, answer.stdout.len()), (2, 0));
    assert!(answer.stderr_text().contains("--count 3: standard input has 2 rows"), "{}", answer.stderr_text());
    let swallowed = generate_from(&["--from-csv", "-", "--count", "3"], "id,tags.a\nd1,\"x\nd2,y\nd3,z\n");
    let text = swallowed.stderr_text();
    assert!(swallowed.code == 2 && text.contains("csv-row") && !text.contains("has 1 row"), "{text}");
    let answer = generate_from(&["--from-csv", "-", "--count", "1"], "id\nd1\nd2\n");
    assert_eq!((answer.code, answer.stdout.iter().filter(|byte| **byte == b'\n').count()), (0, 1));
}
