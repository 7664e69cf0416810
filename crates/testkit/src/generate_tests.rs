//! Responsible for: the tests of [`generate`](super) and [`hostile`](crate::hostile).

use super::*;
use crate::json;
use std::collections::HashSet;

fn all_lines(kind: Kind, lines: u64) -> Vec<Vec<u8>> {
    (0..lines)
        .map(|index| {
            let mut out = Vec::new();
            line(kind, 42, index, &mut out);
            out
        })
        .collect()
}

#[test]
fn lines_are_valid_but_for_the_invalid_ones() {
    for kind in Kind::ALL {
        for (index, line) in all_lines(kind, if kind == Kind::Huge { 2 } else { 300 }).iter().enumerate() {
            assert!(!line.contains(&b'\n'), "{kind:?} {index}");
            let parsed = json::parse(line, 128);
            let object = parsed.as_ref().is_ok_and(|document| document.root.as_object().is_some());
            assert_eq!(
                object,
                kind != Kind::AllInvalid,
                "{kind:?} {index} {parsed:?} {}",
                String::from_utf8_lossy(line)
            );
        }
    }
}

#[test]
fn ids_are_unique_and_plausible() {
    for kind in [Kind::Identity, Kind::Twin] {
        let mut seen = HashSet::new();
        for line in all_lines(kind, 3000) {
            let document = json::parse(&line, 128).expect("valid");
            let object = document.root.as_object().expect("an object");
            let text = |name| object.get(name).and_then(|value| value.as_text()).map(|text| text.raw.clone());
            let id = text("id").expect("an id");
            assert!(
                id.len() <= 128
                    && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.+%_#*?!(),=@;$'".contains(&byte))
            );
            assert!(seen.insert((id, text("moduleId"))));
        }
    }
}

#[test]
fn sizes_are_as_promised() {
    let identity = file(Kind::Identity, 20_000, 1).len() / 20_000;
    assert!((320..=350).contains(&identity), "{identity}");
    let twin = file(Kind::Twin, 2_000, 1).len() / 2_000;
    assert!((2900..=3300).contains(&twin), "{twin}");
    assert!(all_lines(Kind::TenBytes, 200).iter().all(|line| line.len() == 10));
    assert_eq!(all_lines(Kind::Huge, 1)[0].len(), 16 << 20);
    // A multiple of the step among them.
    for names in [0, 1, 2, 1_000, 7_919, 15_838] {
        let mut line = Vec::new();
        crate::hostile::names_line(names, 3, &mut line);
        let document = json::parse(&line, 128).expect("valid");
        let object = document.root.as_object().expect("an object");
        let different: HashSet<_> = object.members.iter().map(|member| member.name.raw.clone()).collect();
        assert_eq!((object.members.len(), different.len()), (names + 2, names + 2));
    }
}

#[test]
fn every_identity_shape_occurs() {
    let text = String::from_utf8(file(Kind::Identity, 2000, 5)).expect("UTF-8");
    for part in [
        "\"type\":\"sas\"",
        "\"type\":\"selfSigned\"",
        "\"type\":\"certificateAuthority\"",
        "\"type\":\"none\"",
        "\"authentication\":null",
        "\"disabled\"",
        "$edgeAgent",
        "$edgeHub",
        "temperature-filter",
        "\"iotEdge\":true",
        "ms-azure-iot-edge://",
        "\\u00fc",
        "修理中",
        "\"deviceScope\":null",
    ] {
        assert!(text.contains(part), "{part}");
    }
}

#[test]
fn files_are_repeatable() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("devices.txt");
    let bytes = write_file(Kind::Twin, 50, 9, &path).expect("written");
    let written = std::fs::read(&path).expect("read");
    assert_eq!(written.len() as u64, bytes);
    assert_eq!(written, file(Kind::Twin, 50, 9));
    assert_ne!(written, file(Kind::Twin, 50, 10));
}

#[test]
fn children_name_their_edge_device() {
    let lines = all_lines(Kind::Identity, 32);
    let text = |index: usize| String::from_utf8(lines[index].clone()).expect("UTF-8");
    let scope_of = |line: &str| line.split("\"deviceScope\":").nth(1).map(str::to_owned);
    assert_eq!(scope_of(&text(9)), scope_of(&text(13)));
    assert_ne!(scope_of(&text(9)), scope_of(&text(25)));
}
