//! Every edit, seen through serde_json, is what a naive edit of a serde_json value gives.
//!
//! The oracle of the testkit is compared byte for byte elsewhere; here the point is that an ordinary JSON library, which
//! nobody here wrote, agrees about what the lines say.

use hubmill_testkit::generate::{Kind, file};
use hubmill_testkit::process::run;
use serde_json::{Map, Value, json};

const LINES: u64 = 400;

type Line = Map<String, Value>;

fn set(line: &mut Line, name: &str, value: Value) {
    line.insert(name.to_owned(), value);
}

fn remove(line: &mut Line, names: &[&str]) {
    line.retain(|name, _| !names.contains(&name.as_str()));
}

fn keep(line: &mut Line, names: &[&str]) {
    line.retain(|name, _| names.contains(&name.as_str()));
}

/// The flags, and the same done to a value; `None` where the line is left out.
type Edit = (&'static [&'static str], fn(Line) -> Option<Line>);

const EDITS: &[Edit] = &[
    (&[], Some),
    (&["--import-mode", "createOrUpdateIfMatchETag"], |mut line| {
        set(&mut line, "importMode", json!("createOrUpdateIfMatchETag"));
        Some(line)
    }),
    (&["--status", "disabled", "--status-reason", "a \"reason\" \u{e9}"], |mut line| {
        set(&mut line, "status", json!("disabled"));
        set(&mut line, "statusReason", json!("a \"reason\" \u{e9}"));
        Some(line)
    }),
    (&["--status-reason", ""], |mut line| {
        remove(&mut line, &["statusReason"]);
        Some(line)
    }),
    (&["--strip-keys"], |mut line| {
        if let Some(keys) = line.get_mut("authentication").and_then(|value| value.get_mut("symmetricKey")) {
            for name in ["primaryKey", "secondaryKey"] {
                if let Some(key) = keys.get_mut(name) {
                    *key = Value::Null;
                }
            }
        }
        Some(line)
    }),
    (&["--strip-authentication"], |mut line| {
        if let Some(authentication) = line.get_mut("authentication") {
            *authentication = Value::Null;
        }
        Some(line)
    }),
    (&["--swap-keys"], |mut line| {
        let system = line.get("moduleId").and_then(Value::as_str).is_some_and(|id| id.starts_with('$'));
        let keys = line.get_mut("authentication").and_then(|value| value.get_mut("symmetricKey"));
        if let Some(Value::Object(keys)) = keys.filter(|_| !system)
            && keys["primaryKey"].is_string()
            && keys["secondaryKey"].is_string()
        {
            let (primary, secondary) = (keys["primaryKey"].clone(), keys["secondaryKey"].clone());
            set(keys, "primaryKey", secondary);
            set(keys, "secondaryKey", primary);
        }
        Some(line)
    }),
    (&["--strip-etags"], |mut line| {
        remove(&mut line, &["eTag", "twinETag"]);
        Some(line)
    }),
    (&["--strip-twin"], |mut line| {
        remove(&mut line, &["twinETag", "tags", "properties"]);
        Some(line)
    }),
    (&["--strip-metadata"], |mut line| {
        for section in ["desired", "reported"] {
            if let Some(Value::Object(section)) = line.get_mut("properties").and_then(|value| value.get_mut(section)) {
                remove(section, &["$metadata", "$version"]);
            }
        }
        Some(line)
    }),
    (&["--minimal", "--import-mode", "delete"], |mut line| {
        set(&mut line, "importMode", json!("delete"));
        keep(&mut line, &["id", "moduleId", "eTag", "importMode", "status"]);
        Some(line)
    }),
    (&["--minimal", "--import-mode", "updateTwin"], |mut line| {
        set(&mut line, "importMode", json!("updateTwin"));
        keep(&mut line, &["id", "moduleId", "importMode", "status", "twinETag", "tags", "properties"]);
        if let Some(Value::Object(properties)) = line.get_mut("properties") {
            keep(properties, &["desired"]);
            if properties.is_empty() {
                remove(&mut line, &["properties"]);
            }
        }
        Some(line)
    }),
    (&["--devices-only"], |line| (!line.get("moduleId").is_some_and(Value::is_string)).then_some(line)),
    (&["--preset", "share"], |mut line| {
        if line.get("moduleId").and_then(Value::as_str).is_some_and(|id| id.starts_with('$')) {
            return None;
        }
        if let Some(authentication) = line.get_mut("authentication") {
            *authentication = Value::Null;
        }
        remove(&mut line, &["twinETag", "tags", "properties"]);
        Some(line)
    }),
];

fn parsed(line: &[u8]) -> Line {
    serde_json::from_slice(line).unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(line)))
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n')
}

#[test]
fn an_ordinary_json_library_agrees_with_every_edit() {
    for kind in [Kind::Identity, Kind::Twin] {
        let input = file(kind, LINES, 11);
        for (flags, edit) in EDITS {
            let arguments = [&["transform"], *flags].concat();
            let answer = run(env!("CARGO_BIN_EXE_hubmill").as_ref(), &arguments, &input).unwrap();
            assert_eq!(answer.code, 0, "{flags:?}: {}", answer.stderr_text());
            let mut found = lines(&answer.stdout);
            for line in lines(&input) {
                if let Some(want) = edit(parsed(line)) {
                    let found = found.next().unwrap_or_else(|| panic!("{flags:?}: a line is missing"));
                    assert_eq!(parsed(found), want, "{flags:?} on {}", String::from_utf8_lossy(line));
                }
            }
            assert_eq!(found.next(), None, "{flags:?}: a line too many");
        }
    }
}
