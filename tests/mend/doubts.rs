//! `hubmill diff` and `hubmill undo` where a file leaves open what the hub is like: nothing is guessed, and that is said.

use crate::support::{Folder, hubmill, json_lines};
use hubmill_testkit::process::Answer;
use serde_json::{Value, json};

const OLD: &str = "T0xELXByaW1hcnkta2V5LW9mLWEtZGV2aWNlLTAwMDA=";
const NEW: &str = "TkVXLXByaW1hcnkta2V5LW9mLWEtZGV2aWNlLTAwMDA=";
const CERTIFICATE: &str = r#"{"type":"certificateAuthority"}"#;
const TWIN: &str = r#","twinETag":"AAAAAAAAAAE=","tags":{"x":1}"#;

fn sas(key: &str) -> String {
    format!(
        "{{\"symmetricKey\":{{\"primaryKey\":\"{key}\",\"secondaryKey\":\"{key}\"}},\
         \"x509Thumbprint\":{{\"primaryThumbprint\":null,\"secondaryThumbprint\":null}},\"type\":\"sas\"}}"
    )
}

/// A line of an export: a device "a", with this ETag, status and authentication, and the twin of all of them.
fn exported(etag: &str, status: &str, authentication: &str) -> String {
    format!("{{\"id\":\"a\",\"eTag\":\"{etag}\",\"status\":\"{status}\",\"authentication\":{authentication}{TWIN}}}\n")
}

fn backup() -> String {
    exported("MQ==", "enabled", &sas(OLD))
}

/// A line of an import about "a" with these members.
fn import(members: &str) -> String {
    format!("{{\"id\":\"a\",{members}}}\n")
}

/// Runs `undo` on these texts; the last two are `--after` and `--errors`.
fn undo(backup: &str, import: &str, after: Option<&str>, log: Option<&str>) -> Answer {
    let folder = Folder::new();
    let (backup, import) = (folder.write("backup", backup), folder.write("import", import));
    let after = after.map(|text| folder.write("after", text));
    let log = log.map(|text| folder.write("log", text));
    let mut args = vec!["undo", "--registry", &backup, &import];
    for (flag, path) in [("--after", &after), ("--errors", &log)] {
        args.extend(path.as_deref().map(|path| [flag, path]).into_iter().flatten());
    }
    hubmill(&args, b"")
}

fn diff(flags: &[&str], from: &str, to: &str) -> Answer {
    let folder = Folder::new();
    let (from, to) = (folder.write("from", from), folder.write("to", to));
    hubmill(&[&["diff"], flags, &[&from, &to]].concat(), b"")
}

/// Exit code, and id, mode and primary key of each line.
fn written(answer: &Answer) -> (i32, Vec<(String, String, String)>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |line: &Value| {
        let name = match line["moduleId"].as_str() {
            Some(module) => format!("{}/{module}", text(&line["id"])),
            None => text(&line["id"]),
        };
        (name, text(&line["importMode"]), text(&line["authentication"]["symmetricKey"]["primaryKey"]))
    };
    (answer.code, json_lines(&answer.stdout).iter().map(line).collect())
}

fn lines(code: i32, lines: &[(&str, &str, &str)]) -> (i32, Vec<(String, String, String)>) {
    (code, lines.iter().map(|(id, mode, key)| ((*id).to_owned(), (*mode).to_owned(), (*key).to_owned())).collect())
}

#[track_caller]
fn assert_said(answer: &Answer, parts: &[&str]) {
    let said = answer.stderr_text();
    for part in parts {
        assert!(said.contains(part), "{part} in {said}");
    }
    for key in [OLD, NEW] {
        assert!(!said.contains(key), "{said}");
    }
}

#[test]
fn keys_that_the_export_from_after_does_not_show_are_written_back() {
    let (old, new) = (sas(OLD), sas(NEW));
    let keyless = exported("Mg==", "enabled", "null");
    let back = lines(0, &[("a", "update", OLD)]);
    // New keys, keys by the hub, and a certificate in place of keys.
    for authentication in [new.as_str(), "null", "{\"type\":\"sas\"}", CERTIFICATE] {
        let line =
            import(&format!("\"importMode\":\"update\",\"status\":\"enabled\",\"authentication\":{authentication}"));
        let answer = undo(&backup(), &line, Some(&keyless), None);
        assert_eq!(written(&answer), back, "{authentication}: {}", answer.stderr_text());
        assert_said(
            &answer,
            &["warning[authentication-unknown]: the device \"a\"", "1 device or module without authentication"],
        );
    }
    // Keys in place of a certificate, by the line or by the hub.
    for authentication in [new.as_str(), "null"] {
        let line =
            import(&format!("\"importMode\":\"update\",\"status\":\"enabled\",\"authentication\":{authentication}"));
        let answer = undo(&exported("MQ==", "enabled", CERTIFICATE), &line, Some(&keyless), None);
        assert_eq!(written(&answer), lines(0, &[("a", "update", "")]), "{authentication}");
        assert!(answer.stdout_text().contains(CERTIFICATE));
    }
    // The import did not change how it authenticates, or is seen not to have been applied: by the status, or by the ETag.
    let same = import(&format!(
        "\"importMode\":\"update\",\"status\":\"enabled\",\"authentication\":{old},\"tags\":{{\"x\":9}}"
    ));
    let other_status = import(&format!("\"importMode\":\"update\",\"status\":\"disabled\",\"authentication\":{new}"));
    let line = import(&format!("\"importMode\":\"update\",\"status\":\"enabled\",\"authentication\":{new}"));
    for (line, after) in [(same, keyless.clone()), (other_status, keyless), (line, exported("MQ==", "enabled", "null"))]
    {
        let answer = undo(&backup(), &line, Some(&after), None);
        assert_eq!(written(&answer), lines(0, &[]), "{line}: {}", answer.stderr_text());
        assert!(!answer.stderr_text().contains("authentication-unknown"), "{}", answer.stderr_text());
    }
}

#[test]
fn what_authenticates_as_no_import_without_keys_left_it_was_changed_since() {
    let line = import("\"importMode\":\"update\",\"status\":\"disabled\",\"authentication\":null");
    // The old keys, where the import would have made new ones, or a certificate: so somebody else has disabled it.
    for authentication in [sas(OLD).as_str(), CERTIFICATE] {
        let after = exported("Mg==", "disabled", authentication);
        let answer = undo(&backup(), &line, Some(&after), None);
        assert_eq!(written(&answer), lines(1, &[]), "{authentication}: {}", answer.stderr_text());
        assert_said(&answer, &["error[changed-since]: the device \"a\""]);
    }
    let answer = undo(&backup(), &line, Some(&exported("Mg==", "disabled", &sas(NEW))), None);
    assert_eq!(written(&answer), lines(0, &[("a", "update", OLD)]), "{}", answer.stderr_text());
    // The same for what the import made.
    let created = line.replace("\"a\"", "\"n\"").replace("update", "create");
    let made = |authentication: &str| {
        backup() + &exported("Mg==", "disabled", authentication).replace("\"a\"", "\"n\"").replace(TWIN, "")
    };
    let answer = undo(&backup(), &created, Some(&made(CERTIFICATE)), None);
    assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
    for authentication in [sas(NEW).as_str(), "null"] {
        let answer = undo(&backup(), &created, Some(&made(authentication)), None);
        assert_eq!(written(&answer), lines(0, &[("n", "deleteIfMatchETag", "")]), "{}", answer.stderr_text());
    }
}

#[test]
fn a_device_with_a_module_that_somebody_added_since_is_not_deleted() {
    let new = sas(NEW);
    let device =
        format!("{{\"id\":\"n\",\"importMode\":\"create\",\"status\":\"enabled\",\"authentication\":{new}}}\n");
    let module = |mode: &str| device.replace("\"id\":\"n\"", "\"id\":\"n\",\"moduleId\":\"m\"").replace("create", mode);
    let after = |lines: &str| {
        lines
            .lines()
            .fold(backup(), |all, line| all + &line.replace("\"importMode\":\"create\"", "\"eTag\":\"Mg==\"") + "\n")
    };
    let there = after(&(device.clone() + &module("create")));
    // No line of the import about it, or one that made nothing.
    for import in [device.clone(), device.clone() + &module("update")] {
        let answer = undo(&backup(), &import, Some(&there), None);
        assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
        assert_said(&answer, &["error[changed-since]: the device \"n\" has a module \"m\""]);
    }
    let gone = lines(0, &[("n", "deleteIfMatchETag", "")]);
    let answer = undo(&backup(), &(device.clone() + &module("create")), Some(&there), None);
    assert_eq!(written(&answer), gone, "{}", answer.stderr_text());
    // The hub makes its own.
    let of_hub = after(&(device.clone() + &module("create").replace("\"m\"", "\"$edgeHub\"")));
    assert_eq!(written(&undo(&backup(), &device, Some(&of_hub), None)), gone);
}

#[test]
fn an_identity_that_may_be_written_although_its_twin_was_refused_is_written_back() {
    let log = |code: u32| format!("{{\"deviceId\":\"a\",\"errorCode\":{code},\"errorStatus\":\"a\"}}\n");
    let (old, new) = (sas(OLD), sas(NEW));
    let line = |mode: &str| {
        import(&format!(
            "{mode}\"status\":\"enabled\",\"authentication\":{new},\"twinETag\":\"AAAAAAAAAAI=\",\"tags\":{{\"x\":2}}"
        ))
    };
    let said = |id: &str, line: &str| {
        let place = line.find("\"AAAAAAAAAAI=").expect("a twinETag");
        format!(
            "warning[failed-partly]: line 1 (byte {place}): the device \"{id}\" has this line of the import, which failed"
        )
    };
    let back = lines(0, &[("a", "update", OLD)]);
    for mode in ["", "\"importMode\":\"createOrUpdate\",", "\"importMode\":\"update\","] {
        for code in [412_001, 400_023] {
            let answer = undo(&backup(), &line(mode), None, Some(&log(code)));
            assert_eq!(written(&answer), back, "{mode} {code}: {}", answer.stderr_text());
            assert!(!answer.stdout_text().contains("tags"), "the twin was not written");
            assert_said(
                &answer,
                &["1 line of the import failed for an ETag and has a twinETag", &said("a", &line(mode))],
            );
        }
    }
    // An export from after it tells.
    let answer = undo(&backup(), &line(""), Some(&exported("Mg==", "enabled", &new)), Some(&log(412_001)));
    assert_eq!(written(&answer), back, "{}", answer.stderr_text());
    let answer = undo(&backup(), &line(""), Some(&exported("Mg==", "enabled", &old)), Some(&log(412_001)));
    assert_eq!(written(&answer), lines(0, &[]), "{}", answer.stderr_text());
    // What writes no identity, has no twinETag, or failed for another reason, has nothing to take back.
    for (line, code) in [
        (line("\"importMode\":\"updateTwinIfMatchETag\","), 412_001),
        (line("").replace("\"twinETag\":\"AAAAAAAAAAI=\",", ""), 412_001),
        (line(""), 409_001),
    ] {
        let answer = undo(&backup(), &line, None, Some(&log(code)));
        assert_eq!(written(&answer), lines(0, &[]), "{line}: {}", answer.stderr_text());
    }
    // Whether it was made is not known, so it is not deleted.
    let created = line("").replace("\"a\"", "\"n\"");
    let answer = undo(&backup(), &created, None, Some(&log(412_001).replace("\"a\"", "\"n\"")));
    assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
    assert_said(&answer, &["error[not-written]: the device \"n\"", &said("n", &created)]);
    // Each line has a finding of its own.
    let folder = Folder::new();
    let lines = format!("\n{}{}", created, line("").replace("\"a\"", "\"o\""));
    let logged = ["n", "o"].map(|id| log(412_001).replace("\"a\"", &format!("\"{id}\""))).concat();
    let [backup, import, log] =
        [("backup", backup()), ("import", lines), ("log", logged)].map(|(name, text)| folder.write(name, text));
    let findings = folder.arg("findings");
    hubmill(&["undo", "--registry", &backup, "--errors", &log, &import, "--diagnostics", &findings], b"");
    let found = json_lines(&folder.read("findings"));
    let found: Vec<&Value> = found.iter().filter(|found| found["code"] == "failed-partly").collect();
    let places: Vec<Value> = found.iter().map(|found| json!([found["line"], found["id"], found["path"]])).collect();
    assert_eq!(places, [json!([2, "n", "twinETag"]), json!([3, "o", "twinETag"])]);
}

#[test]
fn an_etag_that_is_empty_is_none() {
    let (from, to) = (backup(), exported("MQ==", "disabled", &sas(OLD)));
    for etag in ["", "\\\"\\\""] {
        let from = from.replace("MQ==", etag);
        for (flags, to) in [(vec!["--if-match"], to.as_str()), (vec!["--if-match", "--delete"], "")] {
            let answer = diff(&flags, &from, to);
            assert_eq!(written(&answer), lines(1, &[]), "{flags:?} {}", answer.stderr_text());
            assert_said(&answer, &["error[not-written]: the device \"a\" has no ETag"]);
        }
    }
    let twin = from.replace("{\"x\":1}", "{\"x\":2}");
    let answer = diff(&["--if-match"], &from.replace("AAAAAAAAAAE=", ""), &twin);
    assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
    // A twin's ETag is left out where the identity has one.
    let both = to.replace("{\"x\":1}", "{\"x\":2}");
    let answer = diff(&["--if-match"], &from.replace("AAAAAAAAAAE=", ""), &both);
    assert_eq!(written(&answer), lines(0, &[("a", "updateIfMatchETag", OLD)]), "{}", answer.stderr_text());
    assert!(!answer.stdout_text().contains("twinETag"));
    let created = import("\"importMode\":\"create\",\"status\":\"enabled\"").replace("\"a\"", "\"n\"");
    let after = backup() + &from.replace("\"a\"", "\"n\"").replace("MQ==", "").replace(TWIN, "");
    let answer = undo(&backup(), &created, Some(&after), None);
    assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
    assert_said(&answer, &["error[not-written]: the device \"n\" has no ETag in the export of --after"]);
}

#[test]
fn what_an_update_says_of_authentication_that_one_export_does_not_have_is_said() {
    let (known, null) = (sas(NEW), "null");
    let answer = diff(&[], &exported("MQ==", "enabled", null), &exported("MQ==", "disabled", &known));
    assert_eq!(written(&answer), lines(0, &[("a", "update", NEW)]), "{}", answer.stderr_text());
    assert_said(&answer, &["warning[authentication-unknown]: the device \"a\"", "sets the one of the second export"]);
    assert!(!answer.stderr_text().contains("left as it is"), "{}", answer.stderr_text());
    let answer = diff(&[], &exported("MQ==", "enabled", &known), &exported("MQ==", "disabled", null));
    assert_eq!(written(&answer), lines(0, &[("a", "update", NEW)]), "{}", answer.stderr_text());
    assert_said(&answer, &["sets the one of the first export"]);
    // Nothing is written of it here.
    let twin = exported("MQ==", "enabled", &known).replace("{\"x\":1}", "{\"x\":2}");
    for to in [twin, exported("MQ==", "enabled", &known)] {
        let answer = diff(&[], &exported("MQ==", "enabled", null), &to);
        assert_said(&answer, &["not compared, and left as it is"]);
    }
}

/// A line of an export: the device "a" with these members of an edge device, or of none, and this tag.
fn of_kind(kind: &str, tag: u8) -> String {
    backup().replace(TWIN, &format!("{kind},\"twinETag\":\"AAAAAAAAAAE=\",\"tags\":{{\"x\":{tag}}}"))
}

const EDGE: &str = ",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"ms-azure-iot-edge://a-1\"";
const LEAF: &str = ",\"capabilities\":{\"iotEdge\":false}";

#[test]
fn no_line_is_written_that_takes_an_edge_device_or_its_scope_away() {
    let (edge, leaf) = (of_kind(EDGE, 1), of_kind(LEAF, 1));
    for (flags, to) in [(vec![], &leaf), (vec!["--if-match"], &leaf), (vec![], &of_kind("", 2))] {
        let answer = diff(&flags, &edge, to);
        assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
        assert_said(
            &answer,
            &["error[not-written]: the device \"a\" is an edge device in the first export and none in the"],
        );
    }
    assert_eq!(written(&diff(&[], &leaf, &edge)), lines(0, &[("a", "update", OLD)]));
    // An import that made it one: its twin comes back, the rest is not known.
    let mode = |line: &str, mode: &str| line.replace("\"eTag\":\"MQ==\"", &format!("\"importMode\":\"{mode}\""));
    let update = |line: &str| mode(&line.replace("\"twinETag\":\"AAAAAAAAAAE=\",", ""), "update");
    let after = of_kind(EDGE, 2).replace("MQ==", "Mg==");
    for after in [None, Some(after.as_str())] {
        let answer = undo(&leaf, &update(&of_kind(EDGE, 2)), after, None);
        assert_eq!(written(&answer), lines(1, &[("a", "updateTwin", "")]), "{}", answer.stderr_text());
        assert_said(
            &answer,
            &["error[not-written]: the device \"a\" may be an edge device by the import, and was none"],
        );
    }
    // One that made it none may have been refused: the line back does no harm then.
    let answer = undo(&edge, &update(&leaf), None, None);
    assert_eq!(written(&answer), lines(0, &[("a", "update", OLD)]), "{}", answer.stderr_text());
    assert!(answer.stdout_text().contains(EDGE), "{}", answer.stdout_text());
    assert_said(&answer, &["warning[not-restored]: the device \"a\" may be no edge device any more by the import"]);
    // What may be there still keeps its scope, and so does what was made anew.
    let delete = import("\"importMode\":\"delete\",\"status\":\"enabled\"");
    let module = delete.replace("\"a\",", "\"a\",\"moduleId\":\"m\",");
    let log = "{\"deviceId\":\"a\",\"errorCode\":404001,\"errorStatus\":\"a\"}\n";
    let answer = undo(&edge, &(delete.clone() + &module), None, Some(log));
    assert_eq!(written(&answer), lines(0, &[("a", "createOrUpdate", OLD)]), "{}", answer.stderr_text());
    assert!(answer.stdout_text().contains(EDGE), "{}", answer.stdout_text());
    let anew =
        |kind: &str| delete.clone() + &mode(&of_kind(kind, 1).replace("\"twinETag\":\"AAAAAAAAAAE=\",", ""), "create");
    let disabled =
        |line: String| line.replace("\"create\",\"status\":\"enabled\"", "\"create\",\"status\":\"disabled\"");
    let answer = undo(&edge, &disabled(anew(EDGE)), None, None);
    assert_eq!(written(&answer), lines(0, &[("a", "update", OLD)]), "{}", answer.stderr_text());
    assert!(answer.stdout_text().contains(EDGE), "{}", answer.stdout_text());
    // Where no file has the scope that the hub made, nothing can be written; --after has it.
    let bare = ",\"capabilities\":{\"iotEdge\":true}";
    let backup = of_kind(bare, 1);
    let answer = undo(&backup, &disabled(anew(bare)), None, None);
    assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
    assert_said(&answer, &["error[not-written]: the device \"a\" was made anew as an edge device", "--after has it"]);
    let after =
        of_kind(&EDGE.replace("a-1", "a-9"), 1).replace("MQ==\",\"status\":\"enabled", "Mg==\",\"status\":\"disabled");
    let answer = undo(&backup, &disabled(anew(bare)), Some(&after), None);
    assert_eq!(written(&answer), lines(0, &[("a", "update", OLD)]), "{}", answer.stderr_text());
    assert!(answer.stdout_text().contains("://a-9\""), "{}", answer.stdout_text());
}

/// Lines about "a" with a name that the hub may bind, each with the path of what it may be.
fn ambiguous_lines() -> Vec<(String, &'static str, usize)> {
    let line = exported("MQ==", "disabled", &sas(NEW)).replace("}}\n", "},\"properties\":{\"desired\":{\"y\":1}}}\n");
    let with = |from: &str, to: &str| {
        assert!(line.contains(from), "{from} in {line}");
        line.replace(from, to)
    };
    [
        (with("\"tags\"", "^\"Tags\""), "tags"),
        (with("\"tags\"", "^\"\\u0054ags\""), "tags"),
        (with("\"status\"", "^\"STATUS\""), "status"),
        (with("\"authentication\"", "^\"Authentication\""), "authentication"),
        (with("\"desired\"", "^\"Desired\""), "properties.desired"),
        (with("\"desired\"", "\"desired\":{},^\"desired\""), "properties.desired"),
        (with("\"type\"", "^\"Type\""), "authentication.type"),
        (with("\"type\"", "\"type\":\"sas\",^\"type\""), "authentication.type"),
        (with("\"primaryKey\"", "^\"PrimaryKey\""), "authentication.symmetricKey.primaryKey"),
        (with("\"eTag\"", "^\"etag\""), "eTag"),
        (line.replace("}}}\n", "}},\"capabilities\":{^\"IotEdge\":true}}\n"), "capabilities.iotEdge"),
    ]
    .map(|(line, path)| {
        let (line, place) = marked(&line);
        (line, path, place)
    })
    .to_vec()
}

/// A line without its mark `^`, and where that stood.
fn marked(line: &str) -> (String, usize) {
    (line.replace('^', ""), line.find('^').expect("a mark"))
}

fn code_of(line: &str) -> &'static str {
    if line.contains("\"desired\":{},") || line.contains("\"sas\",\"type\"") {
        "duplicate-member"
    } else {
        "member-case"
    }
}

#[test]
fn a_difference_to_a_line_that_can_be_read_in_two_ways_is_named_and_not_written() {
    let other = backup().replace("\"a\"", "\"b\"");
    for (line, path, place) in ambiguous_lines() {
        let said = |file: &str| {
            format!(
                "error[{}]: line 3 (byte {}): the device \"a\" differs, and stands in this line of the {file} export, which has the \
                 name \"{path}\"",
                code_of(&line),
                1 + other.len() + place
            )
        };
        let with = format!("\n{other}{line}");
        let answer = diff(&["--delete"], &(backup() + &other), &with);
        assert_eq!(written(&answer), lines(1, &[]), "{line}: {}", answer.stderr_text());
        assert_said(&answer, &[&said("second"), "no line was written: see the errors"]);
        let answer = diff(&["--delete"], &with, &(backup() + &other));
        assert_eq!(written(&answer), lines(1, &[]), "{line}: {}", answer.stderr_text());
        assert_said(&answer, &[&said("first")]);
        // Nor is it created from it.
        let answer = diff(&[], &other, &with);
        assert_eq!(written(&answer), lines(1, &[]), "{line}: {}", answer.stderr_text());
        // What is the same needs nothing.
        assert_eq!(written(&diff(&[], &line, &line)), lines(0, &[]));
    }
    // What may be a module's line is no device's, and nothing is deleted that it may be about.
    let module = exported("MQ==", "enabled", &sas(OLD)).replace("\"a\",", "\"a\",\"ModuleId\":\"m\",");
    let answer = diff(&["--delete"], &(backup() + &module.replace("ModuleId", "moduleId")), &(backup() + &module));
    assert_eq!(written(&answer), lines(2, &[]), "{}", answer.stderr_text());
    assert_said(&answer, &["moduleId stands in another case; it must be \"moduleId\""]);
    // A child's scope is that of its parent.
    let edge =
        backup().replace(TWIN, ",\"capabilities\":{\"iotEdge\":true},\"DeviceScope\":\"ms-azure-iot-edge://a-1\"");
    let child = other.replace(TWIN, ",\"deviceScope\":\"ms-azure-iot-edge://a-2\"");
    let odd = of_kind(&EDGE.replace("true", "\"true\""), 1);
    for edge in [edge, odd] {
        let answer = diff(&[], &edge, &(edge.clone() + &child));
        assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
        assert_said(&answer, &["error[not-written]: the device \"b\" is a child of an edge device whose line"]);
    }
}

#[test]
fn what_a_line_that_can_be_read_in_two_ways_did_is_not_known_and_that_is_said() {
    let disabled = import("\"importMode\":\"update\",\"status\":\"disabled\",\"authentication\":null");
    let not_known = |backup: &str, import: &str, after: Option<&str>, parts: &[&str]| {
        let answer = undo(backup, import, after, None);
        assert_eq!(written(&answer), lines(1, &[]), "{import}: {}", answer.stderr_text());
        assert_said(&answer, &[parts, &["no line was written: see the errors"]].concat());
    };
    for (line, path, place) in ambiguous_lines() {
        let code = code_of(&line);
        let has = format!("which has the name \"{path}\"");
        let of_import = format!(
            "error[{code}]: line 1 (byte {place}): the device \"a\" may be changed by this line of the import, {has}"
        );
        not_known(&backup(), &line, None, &[&of_import]);
        // A line that can be read does not help: which of them came last is not known either.
        not_known(&backup(), &format!("{line}{disabled}"), None, &[&of_import]);
        let of = |file: &str| {
            format!(
                "error[{code}]: line 1 (byte {place}): the device \"a\" was changed, and stands in this line of {file}, {has}"
            )
        };
        not_known(&line, &disabled, None, &[&of("the backup")]);
        not_known(&backup(), &disabled, Some(&line), &[&of("the export of --after")]);
        let new = line.replace("\"a\"", "\"n\"");
        not_known(&backup(), &new, None, &[&format!("line 1 (byte {place}): the device \"n\" may be changed by")]);
        let created = disabled.replace("\"a\"", "\"n\"").replace("update", "create");
        not_known(
            &backup(),
            &created,
            Some(&(backup() + &new)),
            &[&format!(
                "line 2 (byte {}): the device \"n\" was changed, and stands in this line of the export of --after",
                backup().len() + place
            )],
        );
    }
    let deleted = import("\"ImportMode\":\"delete\",\"status\":\"enabled\"");
    not_known(
        &backup(),
        &deleted,
        None,
        &["by this line of the import, which has the name \"importMode\" in another case"],
    );
    // Its modules may have gone with it.
    let module = backup().replace("\"a\",", "\"a\",\"moduleId\":\"m\",");
    not_known(
        &(backup() + &module),
        &deleted,
        None,
        &["line 1 (byte 10): the module \"m\" of \"a\" may be changed by this line of the import"],
    );
    // A line that the log says failed did nothing.
    let log = "{\"deviceId\":\"a\",\"errorCode\":404001,\"errorStatus\":\"a\"}\n";
    assert_eq!(written(&undo(&backup(), &deleted, None, Some(log))), lines(0, &[]));
}

/// Lines about "a" with a value that no hub reads, each with the code, the path and the place of it.
fn unreadable_lines() -> Vec<(String, &'static str, &'static str, usize)> {
    let line = exported("MQ==", "disabled", &sas(NEW));
    let with_status = |value: &str| line.replace("\"disabled\"", &format!("^{value}"));
    let status = ["7", "null", "\"\"", "\"on\"", "[]"].map(|value| (with_status(value), "status-value", "status"));
    let kind = ["\"SELF_SIGNED\"", "9"]
        .map(|value| (line.replace("\"sas\"", &format!("^{value}")), "authentication-type", "authentication.type"));
    let edge = ["{\"iotEdge\":^\"true\"}", "{\"iotEdge\":^5}", "{\"iotEdg\\u0065\":^[]}", "^[]"].map(|value| {
        let with = format!(",\"capabilities\":{value}{TWIN}");
        (line.replace(TWIN, &with), "member-type", "capabilities.iotEdge")
    });
    let all = [status.to_vec(), kind.to_vec(), edge.to_vec()].concat();
    let unmarked = |(line, code, path): (String, _, _)| {
        let (line, place) = marked(&line);
        (line, code, path, place)
    };
    all.into_iter().map(unmarked).collect()
}

#[test]
fn a_scope_of_a_device_that_is_gone_is_not_the_new_one_s() {
    let edge = of_kind(EDGE, 1);
    let delete = import("\"importMode\":\"delete\",\"status\":\"enabled\"");
    let create = import(&format!("\"importMode\":\"create\",\"status\":\"enabled\",\"authentication\":{}", sas(OLD)));
    let answer = undo(&edge, &(delete + &create), None, None);
    assert_eq!(written(&answer), lines(0, &[("a", "update", OLD)]), "{}", answer.stderr_text());
    let text = answer.stdout_text();
    assert!(text.contains("\"capabilities\":{\"iotEdge\":true}") && !text.contains("deviceScope"), "{text}");
}

#[test]
fn an_empty_scope_of_an_edge_device_is_never_written() {
    let with = |scope: &str, version: u8| of_kind(&EDGE.replace("ms-azure-iot-edge://a-1", scope), version);
    assert!(with("", 1).contains("\"deviceScope\":\"\""), "{}", with("", 1));
    let update = import(&format!(
        "\"importMode\":\"update\",\"status\":\"disabled\",\"authentication\":{},\"capabilities\":{{\"iotEdge\":true}}",
        sas(OLD)
    ));
    let disabled = with("", 1).replace("enabled", "disabled");
    for answer in [diff(&[], &with("", 1), &disabled), undo(&with("", 1), &update, None, None)] {
        assert!(!answer.stdout_text().contains("deviceScope"), "{} {}", answer.stdout_text(), answer.stderr_text());
        assert_said(
            &answer,
            &["warning[device-scope]: the device \"a\" is an edge device whose own scope is in no file"],
        );
    }
    // Another scope than its own is passed over; a twin alone takes none.
    let answer = diff(&[], &with("", 1), &of_kind(EDGE, 1).replace("enabled", "disabled"));
    assert!(answer.stdout_text().contains("\"deviceScope\":\"ms-azure-iot-edge://a-1\""), "{}", answer.stdout_text());
    let twin = import("\"importMode\":\"updateTwin\",\"status\":\"enabled\",\"tags\":{\"x\":2}");
    let quiet = [diff(&[], &with("", 1), &with("", 2)), undo(&with("", 1), &twin, None, None)];
    for answer in quiet.into_iter().chain([answer]) {
        assert_eq!(
            (answer.code, answer.stderr_text().contains("device-scope")),
            (0, false),
            "{}",
            answer.stderr_text()
        );
    }
}

#[test]
fn an_export_of_now_that_is_the_backup_leaves_nothing_to_take_back() {
    let unreadable = exported("MQ==", "on", &sas(OLD));
    let update = import(&format!(
        "\"status\":\"disabled\",\"authentication\":{},\"twinETag\":\"AAAAAAAAAAI=\",\"tags\":{{\"a\":2}}",
        sas(NEW)
    ));
    let log = "{\"deviceId\":\"a\",\"errorCode\":412001,\"errorStatus\":\"a\"}\n";
    for backup in [unreadable, backup()] {
        let answer = undo(&backup, &update, Some(&backup), Some(log));
        assert_eq!(written(&answer), lines(0, &[]), "{}", answer.stderr_text());
        assert!(!answer.stderr_text().contains("not known"), "{}", answer.stderr_text());
    }
}

#[test]
fn a_log_that_does_not_name_a_line_with_an_etag_tells_that_it_made_the_device() {
    let create = import(&format!(
        "\"importMode\":\"create\",\"status\":\"enabled\",\"authentication\":{},\"twinETag\":\"AAAAAAAAAAI=\"",
        sas(NEW)
    ));
    let other = backup().replace("\"a\"", "\"b\"");
    let answer = undo(&other, &create, None, Some(""));
    assert_eq!(written(&answer), lines(0, &[("a", "delete", "")]), "{}", answer.stderr_text());
    let answer = undo(&other, &create, None, None);
    assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
}

#[test]
fn values_that_no_hub_reads_are_named_and_not_written() {
    let other = backup().replace("\"a\"", "\"b\"");
    for (line, code, path, place) in unreadable_lines() {
        let said = |text: &str| format!("error[{code}]: line 2 (byte {}): {text}, which has a", other.len() + place);
        let with = format!("{other}{line}");
        // Another one, a new one, and one with another twin and the same value.
        let twin = with.replace("{\"x\":1}", "{\"x\":2}");
        for (from, to, file, verb) in [
            (other.clone() + &backup(), &with, "second", "differs"),
            (other.clone(), &with, "second", "is not in the first export"),
            (with.clone(), &twin, "second", "differs"),
            (with.clone(), &(other.clone() + &backup()), "first", "differs"),
        ] {
            let answer = diff(&[], &from, to);
            assert_eq!(
                (answer.code, answer.stdout_text().contains("\"a\"")),
                (1, false),
                "{line} {}",
                answer.stderr_text()
            );
            assert_said(
                &answer,
                &[&said(&format!("the device \"a\" {verb}, and stands in this line of the {file} export"))],
            );
            assert!(answer.stderr_text().contains(&format!("\"{path}\"")), "{}", answer.stderr_text());
        }
        // A delete uses none of it.
        let answer = diff(&["--delete"], &with, &other);
        assert_eq!(written(&answer), lines(0, &[("a", "delete", "")]), "{}", answer.stderr_text());
        assert_eq!(
            json_lines(&answer.stdout)[0]["status"],
            json!(if path == "status" { "enabled" } else { "disabled" })
        );
        // An import with it failed; a backup or an export of now with it has nothing to go by.
        let update = line
            .replace("\"eTag\":\"MQ==\"", "\"importMode\":\"update\"")
            .replace("\"twinETag\":\"AAAAAAAAAAE=\",", "");
        let answer = undo(&backup(), &update, None, None);
        assert_eq!(written(&answer), lines(0, &[]), "{line} {}", answer.stderr_text());
        assert_said(&answer, &["1 line of the import failed"]);
        let disabled = import("\"importMode\":\"update\",\"status\":\"disabled\",\"authentication\":null");
        let answer = undo(&with, &disabled, None, None);
        assert_eq!(written(&answer), lines(1, &[]), "{line} {}", answer.stderr_text());
        assert_said(&answer, &[&said("the device \"a\" was changed, and stands in this line of the backup")]);
        let answer = undo(&backup(), &disabled, Some(&with), None);
        assert_eq!(written(&answer), lines(1, &[]), "{line} {}", answer.stderr_text());
        assert_said(
            &answer,
            &[&said("the device \"a\" was changed, and stands in this line of the export of --after")],
        );
    }
}

#[test]
fn an_empty_type_is_read_as_null_is() {
    let disabled = exported("MQ==", "disabled", &sas(OLD));
    for kind in ["null", "\"\""] {
        let with = |line: &str| line.replace("\"sas\"", kind);
        assert_eq!(written(&diff(&[], &backup(), &with(&backup()))), lines(0, &[]), "{kind}");
        let answer = diff(&[], &backup(), &with(&disabled));
        assert_eq!(written(&answer), lines(0, &[("a", "update", OLD)]), "{kind}: {}", answer.stderr_text());
        let update = with(&import(&format!(
            "\"importMode\":\"update\",\"status\":\"disabled\",\"authentication\":{}",
            sas(NEW)
        )));
        let answer = undo(&with(&backup()), &update, None, None);
        assert_eq!(written(&answer), lines(0, &[("a", "update", OLD)]), "{kind}: {}", answer.stderr_text());
    }
}

#[test]
fn findings_about_a_line_have_its_place_for_machines() {
    let folder = Folder::new();
    let (odd, path, place) = ambiguous_lines().swap_remove(4);
    let disabled = import("\"importMode\":\"update\",\"status\":\"disabled\",\"authentication\":null");
    let [plain, with_odd, import] = [("plain", backup()), ("odd", format!("\n{odd}")), ("import", disabled)]
        .map(|(name, text)| folder.write(name, text));
    let findings = folder.arg("findings");
    for (args, file) in [
        (vec!["diff", &plain, &with_odd], "the second export"),
        (vec!["diff", &with_odd, &plain], "the first export"),
        (vec!["undo", "--registry", &with_odd, &import], "the backup"),
        (vec!["undo", "--registry", &plain, "--after", &with_odd, &import], "the export of --after"),
        (vec!["undo", "--registry", &plain, &with_odd], "the import"),
    ] {
        let answer = hubmill(&[args.clone(), vec!["--diagnostics", &findings]].concat(), b"");
        let found = json_lines(&folder.read("findings"));
        let places = ["code", "line", "byte", "id", "path"].map(|name| found[0][name].clone());
        assert_eq!(places, [json!("member-case"), json!(2), json!(1 + place), json!("a"), json!(path)], "{args:?}");
        let message = found[0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(&format!(" this line of {file}, which has")), "{message}");
        assert_said(&answer, &[&format!("error[member-case]: line 2 (byte {}): the device \"a\"", 1 + place)]);
    }
}

#[test]
fn lines_of_an_import_that_only_the_hub_may_read_are_not_known() {
    for line in [
        "{\"id\":\"a\",\"importMode\":\"delete\",\"importMode\":\"delete\",\"status\":\"enabled\"}\n",
        "{\"Id\":\"a\",\"importMode\":\"delete\",\"status\":\"enabled\"}\n",
        "{\"id\":\"a\",\"ModuleId\":\"m\",\"importMode\":\"delete\",\"status\":\"enabled\"}\n",
    ] {
        let answer = undo(&backup(), &format!("no device\n\n?\n{line}"), None, None);
        assert_eq!(written(&answer), lines(1, &[]), "{line}: {}", answer.stderr_text());
        let parts = [
            "error[not-a-device]: the import has 2 lines that are no device",
            "the hub may have read 1 of them, line 4 (byte ",
            "what it did is not known",
        ];
        assert_said(&answer, &parts);
    }
    assert_eq!(written(&undo(&backup(), "\n?\n", None, None)), lines(0, &[]));
}

#[test]
fn what_a_line_of_the_backup_may_be_about_is_not_deleted() {
    let broken = backup().replace("\"tags\"", "\"tags\":{},\"tags\"");
    let line = import(&format!("\"status\":\"disabled\",\"authentication\":{}", sas(NEW)));
    let after = exported("Mg==", "disabled", &sas(NEW)).replace(TWIN, "");
    for after in [None, Some(after.as_str())] {
        let answer = undo(&broken, &line, after, None);
        assert_eq!(written(&answer), lines(1, &[]), "{}", answer.stderr_text());
        assert_said(
            &answer,
            &["the device \"a\" is not in the backup, which has lines that are no device, line 1 for instance"],
        );
    }
    // What was created, and is not in the log, was not there before.
    let created = line.replace("\"status\"", "\"importMode\":\"create\",\"status\"");
    assert_eq!(written(&undo(&broken, &created, None, Some(""))), lines(1, &[("a", "delete", "")]));
}
