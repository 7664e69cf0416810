//! The index against a list: whatever the threads, the chunks and the way of reading.

use std::io::Write as _;

use hubmill_parser::{Level, Limits};
use hubmill_pipeline::Options;
use hubmill_reader::{Cut, Input, MmapChoice};

use crate::{Counts, How, Number, Registry};

pub(crate) fn how(threads: usize, chunk_bytes: usize, mmap: MmapChoice) -> How {
    let cut = Cut { first_chunk_bytes: chunk_bytes, chunk_bytes, line_bytes_max: 1 << 20 };
    let limits = Limits { line_bytes_max: 1 << 20, ..Limits::default() };
    How { options: Options { threads, cut, once: false }, limits, level: Level::detect(), mmap }
}

pub(crate) fn input(content: &[u8], choice: MmapChoice) -> (tempfile::NamedTempFile, Input) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    let input = Input::open(file.path(), choice).unwrap();
    (file, input)
}

/// Looks at the index of this content, built in many ways.
fn every_way(content: &[u8], look: impl Fn(&Registry)) {
    for (threads, chunk_bytes, choice) in [
        (1, 1 << 20, MmapChoice::Always),
        (1, 50, MmapChoice::Never),
        (3, 200, MmapChoice::Always),
        (2, 1 << 20, MmapChoice::Never),
    ] {
        let (_file, input) = input(content, choice);
        let mut bytes = 0;
        let registry = Registry::build(input, &how(threads, chunk_bytes, choice), |more| bytes += more).unwrap();
        assert_eq!((bytes, registry.counts().bytes), (content.len() as u64, content.len() as u64));
        look(&registry);
    }
}

fn find(registry: &Registry, id: &str, module_id: Option<&str>) -> Option<Number> {
    registry.find(id.as_bytes(), module_id.map(str::as_bytes), &mut Vec::new()).unwrap()
}

const EXPORT: &str = concat!(
    "\u{feff}Keys were left out of this export.\r\n",
    r#"{"id":"a","status":"enabled"}"#,
    "\r\n\n",
    r#"{"id":"e","moduleId":"m1","status":"enabled"}"#,
    "\n \t\n",
    r#"{"status":"enabled","capabilities":{"iotEdge":true},"id":"e","deviceScope":"ms-azure-iot-edge://e-1"}"#,
    "\n? no device\n",
    r#"{"id":"a","status":"disabled"}"#,
    "\n",
    r#"{"id":"c","status":"enabled","deviceScope":"ms-azure-iot-edge://e-1","capabilities":{ "iotEdge":false}}"#,
    "\n",
    r#"{"id":"e","moduleId":"m2","importMode":"create"}"#,
    "\n",
    r#"{"\u0069d":"\u0041","status":"enabled"}"#,
    "\n",
    r#"{"id":"e","status":"enabled","moduleId":"m1"}"#,
    "\n",
    r#"{"id":"gone","moduleId":"m1","status":"enabled"}"#,
    "\n",
    r#"{"id":"d 1","status":"enabled"}"#,
    "\n",
    r#"{"id":"last","status":"enabled"}"#,
);

#[test]
fn everything_is_found_and_counted() {
    every_way(EXPORT.as_bytes(), |registry| {
        let want = Counts {
            lines: 15,
            devices: 5,
            modules: 3,
            edge: 1,
            repeated: 2,
            orphans: 1,
            invalid: 2,
            ambiguous: 0,
            notices: 1,
            notice: Some("Keys were left out of this export.".to_owned()),
            blank: 2,
            with_mode: 1,
            bytes: EXPORT.len() as u64,
        };
        assert_eq!(registry.counts(), &want);
        let first = registry.first_invalid().unwrap();
        assert_eq!((first.line, first.byte), (7, EXPORT.find("? no device").unwrap() as u64));
        let a = find(registry, "a", None).unwrap();
        assert_eq!(registry.line(a, &mut Vec::new()).unwrap(), br#"{"id":"a","status":"enabled"}"#, "the first counts");
        let escaped = find(registry, "A", None).unwrap();
        assert_eq!(registry.ids(escaped, &mut Vec::new()).unwrap(), (b"A".to_vec(), None));
        let edge = find(registry, "e", None).unwrap();
        let modules: Vec<_> = registry.modules_of(edge).collect();
        assert_eq!(modules, [find(registry, "e", Some("m1")).unwrap(), find(registry, "e", Some("m2")).unwrap()]);
        assert!(modules.iter().all(|module| registry.device_of(*module) == Some(edge)));
        let entry = |number: Number| registry.entries()[number as usize];
        assert!(entry(edge).is_edge() && !entry(edge).is_child());
        assert!(entry(find(registry, "c", None).unwrap()).is_child());
        let orphan = find(registry, "gone", Some("m1")).unwrap();
        assert_eq!((registry.device_of(orphan), registry.modules_of(a).count()), (None, 0));
        for missing in ["", "b", "d 1", "gone", "ab", "LAST"] {
            assert_eq!(find(registry, missing, None), None, "{missing}");
        }
        assert_eq!((find(registry, "a", Some("m1")), find(registry, "e", Some("m"))), (None, None));
    });
}

#[test]
fn lines_that_only_the_hub_may_read_are_counted_and_lines_have_numbers() {
    let lines = [
        r#"{"id":"a","status":"enabled"}"#,
        "{",
        r#"{"Id":"b","status":"enabled"}"#,
        "",
        r#"{"id":"c","MODULEID":"m","status":"enabled"}"#,
        r#"{"id":"d","tags":{},"tags":{}}"#,
        r#"{"id":"e","Tags":{}}"#,
        &"[".repeat(200),
        r#"{"id":"f"}"#,
    ];
    every_way(lines.join("\n").as_bytes(), |registry| {
        let counts = registry.counts();
        assert_eq!((counts.devices, counts.invalid, counts.ambiguous), (3, 5, 4));
        assert_eq!(registry.first_invalid().map(|first| first.line), Some(2));
        let first = registry.first_ambiguous().unwrap();
        assert_eq!((first.line, first.byte), (3, 1 + lines[..2].join("\n").len() as u64 + 1));
        let numbers = registry.entries().iter().map(|entry| registry.line_number(entry.start).unwrap());
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 7, 9]);
    });
}

#[test]
fn an_empty_export_has_nothing_in_it() {
    for content in ["", "\n", "\u{feff}", "notice"] {
        every_way(content.as_bytes(), |registry| {
            assert_eq!((registry.entries().len(), find(registry, "a", None)), (0, None));
            assert_eq!(registry.counts().notices, u64::from(content == "notice"));
        });
    }
}

#[test]
fn ids_far_into_a_line_and_long_ones_are_found() {
    let far = format!(r#"{{"x":"{}","id":"far","moduleId":"\u006d"}}"#, "y".repeat(70_000));
    let escaped = "\\u0061".repeat(128);
    let content = format!("{far}\n{{\"id\":\"{escaped}\"}}\n{{\"id\":\"far\"}}\n{far}\n");
    every_way(content.as_bytes(), |registry| {
        let module = find(registry, "far", Some("m")).unwrap();
        assert_eq!(registry.device_of(module), find(registry, "far", None));
        assert!(registry.device_of(module).is_some() && find(registry, &"a".repeat(128), None).is_some());
        assert_eq!(registry.counts().repeated, 1);
    });
}

#[test]
fn a_hundred_thousand_of_one_id_are_one_device() {
    let content = "{\"id\":\"d\",\"status\":\"enabled\"}\n".repeat(100_000);
    let (_file, input) = input(content.as_bytes(), MmapChoice::Auto);
    let registry = Registry::build(input, &how(2, 1 << 16, MmapChoice::Auto), |_| {}).unwrap();
    assert_eq!((registry.counts().devices, registry.counts().repeated), (1, 99_999));
}

#[test]
fn a_device_takes_at_most_96_bytes() {
    for lines in [1_000, 16_384, 17_000] {
        let content = hubmill_testkit::generate::file(hubmill_testkit::generate::Kind::Identity, lines, 3);
        let (_file, input) = input(&content, MmapChoice::Auto);
        let registry = Registry::build(input, &how(2, 1 << 18, MmapChoice::Auto), |_| {}).unwrap();
        assert_eq!(registry.counts().devices + registry.counts().modules, lines);
        assert!(registry.memory() as u64 <= 96 * lines, "{} for {lines}", registry.memory());
        for (number, entry) in registry.entries().iter().enumerate() {
            let (id, module_id) = registry.ids(number as Number, &mut Vec::new()).unwrap();
            assert_eq!(registry.find(&id, module_id.as_deref(), &mut Vec::new()).unwrap(), Some(number as Number));
            assert_eq!(entry.is_module(), module_id.is_some());
        }
    }
}

#[test]
fn the_next_one_is_found_whether_it_is_the_next_one_or_not() {
    let content = "{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"b\"}\n{\"id\":\"b\",\"moduleId\":\"m\"}\n{\"id\":\"c\"}\n";
    let (_file, input) = input(content.as_bytes(), MmapChoice::Auto);
    let registry = Registry::build(input, &how(1, 1 << 16, MmapChoice::Auto), |_| {}).unwrap();
    let ids = [
        ("a", None, Some(0)),
        ("b", None, Some(1)),
        ("b", Some("m"), Some(3)),
        ("c", None, Some(4)),
        ("d", None, None),
    ];
    for start in [0, 1, 2, 3, 4, 5, Number::MAX] {
        for (id, module_id, want) in ids {
            let mut next = start;
            let found = registry.find_next(&mut next, (id.as_bytes(), module_id.map(str::as_bytes)), &mut Vec::new());
            assert_eq!(found.unwrap(), want);
            assert_eq!(next, want.map_or(start, |found| found + 1));
        }
    }
}
