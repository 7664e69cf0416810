//! The peers do the same work, and leave out the same lines.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

const PEERS: [&str; 5] = [
    env!("CARGO_BIN_EXE_peer-raw-splice"),
    env!("CARGO_BIN_EXE_peer-raw-value"),
    env!("CARGO_BIN_EXE_peer-serde-json"),
    env!("CARGO_BIN_EXE_peer-simd-json"),
    env!("CARGO_BIN_EXE_peer-sonic-rs"),
];

/// What a peer writes, and its exit code.
fn run(peer: &str, task: &str, input: &str) -> (String, Option<i32>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("in");
    fs::write(&path, input).expect("a file");
    let output = Command::new(peer).args(["--task", task, "--threads", "2"]).arg(path).output().expect("it runs");
    (String::from_utf8(output.stdout).expect("text"), output.status.code())
}

fn name(peer: &str) -> &str {
    Path::new(peer).file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

const DEVICES: &str = r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":"AA==","secondaryKey":null},"type":"sas"},"x":{"b":1,"a":[]}}
{"id":"b","importMode":null,"authentication":null}
{"importMode":"update","authentication":{"symmetricKey":{"primaryKey":"AA==","secondaryKey":"BB=="},"type":"selfSigned"}}
{"id":"not legal"}
{}
"#;

#[test]
fn edits() {
    let import_mode = r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":"AA==","secondaryKey":null},"type":"sas"},"x":{"b":1,"a":[]},"importMode":"delete"}
{"id":"b","importMode":"delete","authentication":null}
{"importMode":"delete","authentication":{"symmetricKey":{"primaryKey":"AA==","secondaryKey":"BB=="},"type":"selfSigned"}}
{"id":"not legal","importMode":"delete"}
{"importMode":"delete"}
"#;
    let strip_keys = DEVICES.replace("\"AA==\"", "null").replace("\"BB==\"", "null");
    let all = r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"},"x":{"b":1,"a":[]},"importMode":"delete"}
{"id":"b","importMode":"delete","authentication":null}
"#;
    for peer in PEERS {
        assert_eq!(run(peer, "import-mode", DEVICES), (import_mode.to_owned(), Some(0)), "{}", name(peer));
        assert_eq!(run(peer, "strip-keys", DEVICES), (strip_keys.clone(), Some(0)), "{}", name(peer));
        assert_eq!(run(peer, "all", DEVICES), (all.to_owned(), Some(1)), "{}", name(peer));
        assert_eq!(run(peer, "check", DEVICES), ("2\n".to_owned(), Some(1)), "{}", name(peer));
    }
}

#[test]
fn fresh_keys() {
    for peer in PEERS {
        let (text, code) = run(peer, "fresh-keys", DEVICES);
        assert_eq!(code, Some(0), "{}", name(peer));
        let (first, rest) = text.split_once('\n').expect("lines");
        let (_, want) = DEVICES.split_once('\n').expect("lines");
        assert_eq!(rest, want, "{}", name(peer));
        let device: serde_json::Value = serde_json::from_str(first).expect("JSON");
        let keys = &device["authentication"]["symmetricKey"];
        let [primary, secondary] = ["primaryKey", "secondaryKey"].map(|name| keys[name].as_str().expect("a key"));
        assert_eq!((primary.len(), secondary.len()), (44, 44), "{}", name(peer));
        assert_ne!(primary, secondary, "{}", name(peer));
    }
}

#[test]
fn what_is_not_json_is_left_out() {
    let bad = [
        "",
        "[]",
        "1",
        "{",
        "{\"id\":\"a\"",
        "{\"id\":\"a\"} x",
        "{\"id\":\"a\"}}",
        "{\"id\":\"a\",}",
        "{\"id\":\"a\",\"b\":01}",
        "{\"id\":\"a\",\"b\":{\"c\":[1,]}}",
        "{\"id\":\"a\",\"b\":\"\\x\"}",
        "{\"id\":\"a\",\"b\":tru}",
        "{\"id\":\"a\",\"b\":{\"c\":1e}}",
        "{\"id\":\"a\",\"b\":{\"c\" 1}}",
        "{\"id\":\"a\",\"b\":\"\t\"}",
    ];
    let input = format!("{}\n{{\"id\":\"ok\"}}\n", bad.join("\n"));
    for peer in PEERS {
        assert_eq!(run(peer, "check", &input), ("1\n".to_owned(), Some(1)), "{}", name(peer));
        assert_eq!(run(peer, "strip-keys", &input), ("{\"id\":\"ok\"}\n".to_owned(), Some(1)), "{}", name(peer));
    }
}

#[test]
fn as_many_bytes_as_a_task_has_to_write_without_a_look_at_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let program = || Command::new(env!("CARGO_BIN_EXE_no-look"));
    let lines: Vec<u8> = (0..3_000_000u32).map(|number| number as u8).collect();
    fs::write(path("in"), &lines).expect("a file");
    for bytes in [0, 1, 1_000_000, lines.len(), 4_000_001] {
        fs::write(path("like"), vec![0; bytes]).expect("a file");
        for threads in ["1", "3"] {
            let output = File::create(path("out")).expect("a file");
            let mut command = program();
            command.args(["--threads", threads, "--like"]).arg(path("like")).arg(path("in")).stdout(output);
            assert!(command.status().expect("it runs").success());
            let out = fs::read(path("out")).expect("it is there");
            assert_eq!(out.len(), bytes);
            assert!(bytes != lines.len() || out == lines);
        }
    }
    let mut from = Command::new("cat").arg(path("in")).stdout(Stdio::piped()).spawn().expect("it runs");
    let output = program().stdin(from.stdout.take().expect("a pipe")).stdout(Stdio::piped()).output().expect("it runs");
    assert!(output.status.success() && output.stdout == lines && from.wait().expect("it ends").success());
}
