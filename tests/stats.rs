//! Responsible for: `hubmill stats`: what it counts and how it writes that. Not for: what is wrong with lines; see `validate`.

mod support;

use serde_json::{Value, json};
use support::{Folder, assert_answer, hubmill, json_lines};

const INPUT: &str = concat!(
    r#"{"id":"a","status":"enabled","authentication":{"type":"sas"},"tags":{"site":"lyon"},"properties":{"desired":{"x":"éé"}}}"#,
    "\n",
    r#"{"id":"b","status":"Disabled","importMode":"create","authentication":{"type":"selfSigned"},"tags":{"site":"graz"}}"#,
    "\n",
    r#"{"id":"b","moduleId":"m","status":"enabled","authentication":null,"tags":{"site":"lyon"}}"#,
    "\n",
    r#"{"id":"e","moduleId":"$edgeHub","status":"enabled","authentication":{"type":"none"},"tags":{}}"#,
    "\n",
    r#"{"id":"e","status":"enabled","authentication":{"type":"certificateAuthority"},"capabilities":{"iotEdge":true}}"#,
    "\n",
    r#"{"id":"c","status":"enabled","importMode":"x","deviceScope":"ms-azure-iot-edge://e-1","tags":{"site":{"a":1}}}"#,
    "\n",
    r#"{"id":"c","status":"enabled"}"#,
    "\n",
    r#"{"id":"c","status":"enabled"}"#,
    "\n",
    "\n",
    "not a device\n",
    "{\"status\":\"enabled\"}",
);

fn json_of(args: &[&str], input: &str) -> Value {
    let answer = hubmill(&[&["stats", "--format", "json", "-q"], args].concat(), input.as_bytes());
    assert_eq!(answer.stderr_text(), "");
    serde_json::from_slice(&answer.stdout).expect("one object")
}

#[test]
fn everything_is_counted() {
    let counted = json_of(&[], INPUT);
    let want = json!({
        "totalDeviceCount": 6, "enabledDeviceCount": 5, "disabledDeviceCount": 1, "edgeDevices": 1, "childDevices": 1,
        "modules": 2, "systemModules": 1,
        "authentication": {"sas": 1, "selfSigned": 1, "certificateAuthority": 1, "none": 1, "notSaid": 4, "unreadable": 0},
        "importModes": {
            "createOrUpdate": 6, "create": 1, "update": 0, "updateIfMatchETag": 0, "createOrUpdateIfMatchETag": 0,
            "delete": 0, "deleteIfMatchETag": 0, "updateTwin": 0, "updateTwinIfMatchETag": 0, "unreadable": 1,
        },
        "twinSizes": {
            "tags": {"count": 5, "p50": 8, "p99": 13, "largest": 13, "limit": 8192, "over": 0},
            "desired": {"count": 1, "p50": 5, "p99": 5, "largest": 5, "limit": 32768, "over": 0},
            "reported": {"count": 0, "p50": 0, "p99": 0, "largest": 0, "limit": 32768, "over": 0},
        },
        "duplicates": {"ids": 2, "lines": 0},
        "lines": 11, "invalid": 2, "filtered": 0, "notices": 0, "blank": 1, "bytes": INPUT.len(),
    });
    assert_eq!(counted, want);
    let answer = hubmill(&["stats"], INPUT.as_bytes());
    assert_eq!(answer.code, 1);
    let table = answer.stdout_text();
    for row in [
        "devices                                      6\n",
        "  disabled                                   1\n",
        "import mode: unreadable",
    ] {
        assert!(table.contains(row), "{table}");
    }
    assert!(answer.stderr_text().starts_with("11 lines, "), "{}", answer.stderr_text());
}

#[test]
fn lines_are_counted_by_a_member() {
    let counted = json_of(&["--by", "tags.site"], INPUT);
    let want = json!({"path": "tags.site", "values": [
        {"value": "", "count": 4}, {"value": "lyon", "count": 2}, {"value": "graz", "count": 1}, {"value": "{\"a\":1}", "count": 1},
    ]});
    assert_eq!(counted["by"], want);
    let table = hubmill(&["stats", "--by", "tags.site"], INPUT.as_bytes()).stdout_text();
    assert!(table.contains("\nby tags.site\n(not there, or empty)                        4\nlyon "), "{table}");
}

#[test]
fn the_same_whatever_the_threads_and_the_source() {
    let line = |number: usize| {
        format!("{{\"id\":\"d{number}\",\"status\":\"enabled\",\"tags\":{{\"site\":\"s{}\"}}}}\n", number % 7)
    };
    let input: String = (0..40_000).map(|number| line(number % 39_000)).collect();
    let folder = Folder::new();
    let path = folder.write("in", &input);
    let first = json_of(&["--by", "tags.site", "-j", "1"], &input);
    assert_eq!((&first["duplicates"]["lines"], &first["totalDeviceCount"]), (&json!(1000), &json!(40_000)));
    for args in [["-j", "3", "--mmap", "never"], ["-j", "2", "--mmap", "always"]] {
        assert_eq!(json_of(&[&["--by", "tags.site", &path], args.as_slice()].concat(), ""), first);
    }
}

#[test]
fn the_report_says_what_became_of_the_lines() {
    let folder = Folder::new();
    let path = folder.arg("report");
    let answer = hubmill(&["stats", "--report", &path, "--where", "tags.site = 'lyon'"], INPUT.as_bytes());
    assert_eq!(answer.code, 1, "{}", answer.stderr_text());
    let report = &json_lines(&folder.read("report"))[0];
    let number = |name: &str| report[name].as_u64().unwrap_or_else(|| panic!("{name} in {report}"));
    assert_eq!((report["command"].as_str(), report["complete"].as_bool()), (Some("stats"), Some(true)));
    assert_eq!((number("lines"), number("valid")), (11, 2));
    let others = ["invalid", "filtered", "notices", "blank"].map(number);
    assert_eq!(number("valid") + others.iter().sum::<u64>(), 11, "{report}");
    assert_eq!(number("bytes_out"), answer.stdout.len() as u64);
}

#[test]
fn wrong_calls() {
    assert_answer(&hubmill(&["stats", "--diagnostics", "-"], b""), 2, "");
    assert!(!hubmill(&["stats", "--help"], b"").stdout_text().contains("--diagnostics"));
    assert_answer(&hubmill(&["stats", "no-such-file"], b""), 3, "");
    assert_eq!(hubmill(&["stats"], b"").code, 0);
}
