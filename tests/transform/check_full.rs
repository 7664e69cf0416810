//! `--check full`: what `validate` knows of a line, asked of the lines as they leave.

use crate::support::{Folder, assert_answer, device, json_lines, transform};

const NO_KEYS: &str = "{\"id\":\"d\",\"status\":\"enabled\",\"authentication\":null}\n";
const TAGS: &str =
    "{\"id\":\"t\",\"eTag\":\"MA==\",\"status\":\"enabled\",\"importMode\":\"updateTwin\",\"tags\":{\"a.b\":1}}\n";

#[test]
fn errors_reject_and_warnings_do_not() {
    let good = device("g").replace("\"sas\"", "\"certificateAuthority\"");
    let warned = good.replace("enabled", "Enabled");
    let input = format!("{good}{NO_KEYS}{warned}{TAGS}");
    let answer = transform(&["--check", "full", "-q"], input.as_bytes());
    assert_answer(&answer, 1, format!("{good}{warned}"));
    let said = answer.stderr_text();
    for part in ["error[keys-rotate]: line 2 ", "warning[enum-case]: line 3 ", "error[twin-key-charset]: line 4 "] {
        assert!(said.contains(part), "{said}");
    }
    assert_answer(&transform(&["-q"], input.as_bytes()), 0, &input);
    let allowed = transform(&["--check", "full", "-q", "--allow", "keys-rotate"], input.as_bytes());
    assert_answer(&allowed, 1, format!("{good}{NO_KEYS}{warned}"));
}

#[test]
fn the_line_is_checked_as_it_leaves_and_places_are_in_the_input() {
    let input = format!("{NO_KEYS}{TAGS}");
    let answer = transform(&["--check", "full", "--strip-twin", "--import-mode", "delete", "-q"], input.as_bytes());
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    let folder = Folder::new();
    let path = folder.arg("found");
    let args = ["--check", "full", "--import-mode", "create", "-q", "--diagnostics", &path];
    let answer = transform(&args, input.as_bytes());
    assert_eq!(answer.code, 1);
    let found = json_lines(&folder.read("found"));
    let found: Vec<_> = found.iter().map(|found| (found["code"].as_str(), found["byte"].as_u64())).collect();
    let line = NO_KEYS.len() as u64;
    let key = line + TAGS.find("\"a.b\"").expect("there") as u64;
    assert_eq!(found, [(Some("keys-by-hub"), Some(46)), (Some("twin-key-charset"), Some(key))]);
    // What a rule put in is wrong where it was put in.
    let input = "{\"id\":\"d\",\"status\":\"enabled\",\"importMode\":\"x\"}\n";
    let args = ["--check", "full", "--import-mode", "deleteIfMatchETag", "-q", "--diagnostics", &path];
    assert_eq!(transform(&args, input.as_bytes()).code, 1);
    let found = json_lines(&folder.read("found"));
    assert_eq!((found[0]["code"].as_str(), found[0]["byte"].as_u64()), (Some("etag-missing"), Some(42)));
}

#[test]
fn lines_that_are_refused_would_give_no_device_new_keys() {
    let would = "would give an existing device new keys";
    let refused = transform(&["--check", "full"], NO_KEYS.as_bytes());
    assert_answer(&refused, 1, "");
    assert!(!refused.stderr_text().contains(would), "{}", refused.stderr_text());
    let kept = transform(&["--check", "full", "--allow", "keys-rotate"], NO_KEYS.as_bytes());
    assert_answer(&kept, 0, NO_KEYS);
    assert!(kept.stderr_text().contains(&format!("1 line {would}")), "{}", kept.stderr_text());
}

#[test]
fn it_looks_for_no_duplicates() {
    let input = device("g").replace("\"sas\"", "\"certificateAuthority\"").repeat(2);
    assert_answer(&transform(&["--check", "full", "-q"], input.as_bytes()), 0, &input);
}

#[test]
fn what_is_allowed_must_be_asked_for() {
    for args in [["--allow", "keys-rotate"], ["--allow", "device-scope"]] {
        let answer = transform(&args, b"");
        assert_answer(&answer, 2, "");
        assert!(answer.stderr_text().contains("--check full"), "{}", answer.stderr_text());
    }
    assert_answer(&transform(&["--check", "full", "--allow", "json-syntax"], b""), 2, "");
}
