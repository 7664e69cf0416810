//! Every combination of flags: what is made passes `validate`, and is the same however it is made.

use super::{codes_found, generate};
use crate::support::{Folder, hubmill, json_lines};

const MODES: [&str; 9] = [
    "createOrUpdate",
    "create",
    "update",
    "updateIfMatchETag",
    "createOrUpdateIfMatchETag",
    "delete",
    "deleteIfMatchETag",
    "updateTwin",
    "updateTwinIfMatchETag",
];
const WAYS: [&str; 6] = ["sas", "shared_private_key", "self-signed", "x509_thumbprint", "ca", "x509_ca"];
const TWIN: [&str; 4] = ["--tags", r#"{"site":"oslo","n":[1,{"a":1.50}]}"#, "--desired", r#"{"interval":60}"#];

/// Lines of these flags must be good but for these codes.
#[track_caller]
fn good(args: &[&str], allowed: &[&str]) {
    let answer = generate(&[&["--count", "12"], args].concat());
    assert_eq!(answer.code, 0, "{args:?}: {}", answer.stderr_text());
    assert_eq!(answer.stdout.iter().filter(|byte| **byte == b'\n').count(), 12);
    assert_eq!(codes_found(&answer.stdout), allowed, "{args:?}: {}", answer.stdout_text());
}

#[test]
fn every_line_passes_validate() {
    for way in WAYS {
        let allowed: &[&str] =
            if matches!(way, "self-signed" | "x509_thumbprint") { &["thumbprint-missing"] } else { &[] };
        for mode in
            MODES.into_iter().filter(|mode| !mode.contains("IfMatch") && *mode != "delete" && *mode != "updateTwin")
        {
            for id in ["Device{index:08}", "Hub_{index}_{uuid}"] {
                for more in [&[][..], &["--edge", "--status", "disabled"], &TWIN] {
                    good(&[&["--auth", way, "--import-mode", mode, "--id", id], more].concat(), allowed);
                }
            }
        }
        good(&["--auth", way], allowed);
    }
    good(&["--key-bytes", "16"], &[]);
    good(&["--key-bytes", "64"], &[]);
    for key_bytes in 16..=64 {
        good(&["--key-bytes", &key_bytes.to_string(), "--import-mode", "CREATE"], &[]);
    }
    good(&["--import-mode", "delete", "--status", "disabled"], &[]);
    good(&[&["--import-mode", "updateTwin"], &TWIN[..]].concat(), &[]);
}

#[test]
fn what_validate_would_refuse_is_not_made() {
    for mode in MODES.into_iter().filter(|mode| mode.contains("IfMatch")) {
        let answer = generate(&["--count", "2", "--import-mode", mode]);
        assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{mode}");
        assert!(answer.stderr_text().contains("etag-missing"), "{mode}: {}", answer.stderr_text());
    }
    let large = |name: &str, bytes: usize| format!("{{\"{name}\":\"{}\"}}", "x".repeat(bytes));
    let deep = format!("{}1{}", "{\"a\":".repeat(12), "}".repeat(12));
    for (flag, json, code) in [
        ("--tags", large("a", 4097), "twin-string-length"),
        (
            "--tags",
            format!(
                "{{{}}}",
                (0..9).map(|n| format!("\"k{n}\":\"{}\"", "x".repeat(1000))).collect::<Vec<_>>().join(",")
            ),
            "tags-size",
        ),
        ("--desired", large("a.b", 1), "twin-key-charset"),
        ("--desired", large(&"n".repeat(1025), 1), "twin-key-length"),
        ("--desired", deep, "twin-depth"),
        ("--desired", "{\"n\":4503599627370496}".to_owned(), "twin-integer-range"),
    ] {
        let folder = Folder::new();
        let target = folder.write("out", "old\n");
        let answer = generate(&["--count", "3", flag, &json, "-o", &target]);
        assert_eq!(answer.code, 2, "{code}");
        assert!(answer.stderr_text().contains(&format!("error[{code}]: every device: ")), "{}", answer.stderr_text());
        assert_eq!((folder.text("out").as_str(), folder.names().len()), ("old\n", 1));
    }
    good(&["--tags", r#"{"a":null}"#], &["twin-null"]);
}

#[test]
fn threads_do_not_change_a_byte() {
    let folder = Folder::new();
    let csv: String = (0..9000).map(|n| format!("d{n},site {},{n}\n", n % 7)).collect();
    let csv = folder.write("in.csv", format!("id,tags.site,properties.desired.n\n{csv}"));
    for args in [
        &["--count", "30000", "--auth", "ca", "--id", "d{index}"][..],
        &["--from-csv", &csv, "--auth", "ca"],
        &["--from-csv", &csv, "--auth", "ca", "--count", "5000"],
    ] {
        let with = |threads: &str| generate(&[args, &["-j", threads]].concat());
        let one = with("1");
        assert_eq!(one.code, 0, "{}", one.stderr_text());
        for threads in ["2", "3", "16"] {
            assert!(one == with(threads), "{args:?} on {threads} threads");
        }
    }
}

#[test]
fn keys_are_fresh_and_all_else_is_not() {
    let make = || generate(&["--count", "500"]).stdout;
    let (one, other) = (make(), make());
    assert!(one != other);
    let stripped = |lines: &[u8]| hubmill(&["transform", "--strip-keys"], lines).stdout;
    assert!(stripped(&one) == stripped(&other));
    let mut keys = std::collections::HashSet::new();
    for line in json_lines(&[one, other].concat()) {
        for slot in ["primaryKey", "secondaryKey"] {
            let key = line["authentication"]["symmetricKey"][slot].as_str().expect("a key");
            assert_eq!(key.len(), 44);
            assert!(keys.insert(key.to_owned()), "a key stands twice");
        }
    }
}

#[test]
fn ids_are_as_the_template_says() {
    let ids = |args: &[&str]| -> Vec<String> {
        let answer = generate(args);
        assert_eq!(answer.code, 0, "{}", answer.stderr_text());
        json_lines(&answer.stdout).iter().map(|line| line["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(&["--count", "2"]), ["Device00000001", "Device00000002"]);
    assert_eq!(ids(&["--count", "1", "--id", "only"]), ["only"]);
    let counted = ids(&["--count", "11000", "--id", "{index}:{index:03}"]);
    assert!(counted.iter().zip(1..).all(|(id, n)| *id == format!("{n}:{n:03}")));
    let mut random = ids(&["--count", "5000", "--id", "{uuid}"]);
    assert!(random.iter().all(|id| id.len() == 36 && id.as_bytes()[14] == b'4'));
    random.sort();
    random.dedup();
    assert_eq!(random.len(), 5000);
}
