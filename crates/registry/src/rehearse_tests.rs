//! Rehearsals: each rule with lines of its own; what rests on the order of lines and all rules against a slow model are in modules.

mod model;
mod order;

use hubmill_reader::MmapChoice;
use serde_json::{Value, json};

use crate::index_tests::{how, input};
use crate::{Event, Outcome, Registry, Summary, Witness, Written, log_line, rehearse};

#[derive(Default)]
pub(crate) struct Log {
    outcomes: Vec<String>,
    changes: Vec<String>,
    errors: String,
    assumed: Vec<u64>,
}

fn name(outcome: Outcome) -> String {
    match outcome {
        Outcome::Fails(failure) => format!("fails {}", failure.code().map_or("?".to_owned(), |code| code.to_string())),
        Outcome::NotKnown(doubt) => format!("not known {}", doubt.name()),
        other => other.name().to_owned(),
    }
}

impl Witness for Log {
    fn wants_changes(&self) -> bool {
        true
    }

    fn wants(&self, _: Outcome) -> bool {
        true
    }

    fn see(&mut self, event: &Event<'_>) -> std::io::Result<()> {
        assert_eq!(event.line as usize, self.outcomes.len() + 1, "every line, in order");
        self.outcomes.push(name(event.outcome));
        self.changes.push(event.changes.join("; "));
        self.errors.push_str(&log_line(event).map_or(String::new(), |line| String::from_utf8(line).unwrap()));
        if event.assumed {
            self.assumed.push(event.line);
        }
        Ok(())
    }

    fn assume(&mut self, line: u64) {
        assert!(line as usize <= self.outcomes.len(), "it was seen before");
        self.assumed.push(line);
    }

    fn advance(&mut self, _: u64, _: Option<&str>) {}
}

struct Rehearsed {
    log: Log,
    summary: Summary,
    result: Vec<Value>,
    written: Written,
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn rehearse_text(export: &str, import: &str, quota: Option<u64>, threads: usize, chunk: usize) -> Rehearsed {
    let choice = if threads == 1 { MmapChoice::Never } else { MmapChoice::Always };
    let (_export, export) = input(export.as_bytes(), choice);
    let (_import, import) = input(import.as_bytes(), choice);
    let how = how(threads, chunk, choice);
    let registry = Registry::build(export, &how, |_| {}).unwrap();
    let (summary, after, mut log) = rehearse(&registry, &import, &how, quota, Log::default()).unwrap();
    log.assumed.sort_unstable();
    assert!(log.assumed.windows(2).all(|pair| pair[0] < pair[1]), "each once: {:?}", log.assumed);
    assert_eq!(summary.assumed as usize, log.assumed.len(), "what is counted is what is marked");
    let mut result = Vec::new();
    let written = after
        .write(|bytes| {
            result.extend_from_slice(bytes);
            Ok(())
        })
        .unwrap();
    let result: Vec<Value> = String::from_utf8(result).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(written.lines as usize, result.len());
    let counted = [summary.created, summary.updated, summary.twin_updated, summary.deleted, summary.unchanged];
    let sum: u64 = counted.iter().map(|pair| pair.sum()).sum();
    let rest = summary.failing_lines() + summary.not_known_lines() + summary.blank + summary.notices;
    assert_eq!(sum + rest, summary.lines, "every line is in one category");
    assert_eq!(summary.devices.1 + summary.modules.1, written.lines, "what is counted is what is written");
    Rehearsed { log, summary, result, written }
}

fn run(export: &[Value], import: &[Value]) -> Rehearsed {
    rehearse_text(&text(export), &text(import), None, 1, 1 << 20)
}

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEY: &str = "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn sas(key: &str) -> Value {
    json!({"symmetricKey": {"primaryKey": key, "secondaryKey": key}, "type": "sas"})
}

fn x509() -> Value {
    json!({"symmetricKey": null, "x509Thumbprint": {"primaryThumbprint": "AB".repeat(20), "secondaryThumbprint": null}, "type": "selfSigned"})
}

/// A device as an export has it.
fn device(id: &str) -> Value {
    json!({"id": id, "eTag": "MQ==", "status": "enabled", "authentication": sas(KEY), "twinETag": "AAAAAAAAAAE=",
        "tags": {"site": "lyon"}, "properties": {"desired": {"x": 1.0}, "reported": {}}, "capabilities": {"iotEdge": false}})
}

/// A value with these members in place of, or besides, its own; null takes away.
fn with(mut value: Value, members: Value) -> Value {
    for (name, member) in members.as_object().unwrap() {
        match member {
            Value::Null => {
                value.as_object_mut().unwrap().remove(name);
            }
            member => value[name] = member.clone(),
        }
    }
    value
}

fn without_etags(value: Value) -> Value {
    with(value, json!({"eTag": null, "twinETag": null}))
}

fn outcomes(export: &[Value], import: &[Value]) -> Vec<String> {
    run(export, import).log.outcomes
}

#[test]
fn a_line_that_says_the_same_changes_nothing_however_it_is_spelt() {
    let line = r#"{"twinETag":"AAAAAAAAAAE=","properties":{"reported":{},"desired":{"x":1,"$version":4}},"tags":{"s\u0069te":"lyon"},"statusReason":"",
        "authentication":{"type":"SAS","symmetricKey":{"secondaryKey":"KEY","primaryKey":"KEY"}},"status":"Enabled","id":"a","importMode":"updateIfMatchETag","eTag":"MQ=="}"#;
    let line = line.replace("KEY", KEY).replace('\n', "");
    let rehearsed = rehearse_text(&text(&[device("a")]), &line, None, 1, 100);
    assert_eq!(rehearsed.log.outcomes, ["unchanged"]);
    assert!(rehearsed.log.assumed.is_empty() && rehearsed.result[0].get("eTag").is_none());
}

#[test]
fn an_overwrite_replaces_the_whole_identity_and_leaves_what_twin_is_not_supplied() {
    let export = with(device("a"), json!({"statusReason": "why", "deviceScope": "ms-azure-iot-edge://e-1"}));
    let line = json!({"id": "a", "status": "disabled", "authentication": x509(), "tags": {"floor": 2}});
    let rehearsed = run(&[export], &[line]);
    assert_eq!(rehearsed.log.outcomes, ["updated"]);
    assert_eq!(
        rehearsed.log.changes[0],
        "status: enabled → disabled; statusReason; authentication.type: sas → selfSigned; \
         authentication.symmetricKey.primaryKey: REDACTED → REDACTED; authentication.symmetricKey.secondaryKey: REDACTED → REDACTED; \
         authentication.x509Thumbprint.primaryThumbprint; deviceScope; tags.site removed; tags.floor added"
    );
    let after = &rehearsed.result[0];
    assert_eq!(
        (&after["status"], &after["tags"], &after["properties"]["desired"]),
        (&json!("disabled"), &json!({"floor": 2}), &json!({"x": 1.0}))
    );
    assert!(["statusReason", "deviceScope", "eTag", "twinETag"].iter().all(|name| after.get(name).is_none()));
    assert_eq!(
        (rehearsed.log.assumed, rehearsed.summary.risks.twins_replaced),
        (vec![1], 1),
        "replaced or merged is not known"
    );
}

#[test]
fn a_section_is_assumed_only_where_merging_would_differ() {
    let line = |twin: Value| with(json!({"id": "a", "status": "enabled", "importMode": "updateTwin"}), twin);
    for (twin, outcome, assumed) in [
        (json!({"tags": {"site": "graz"}}), "twinUpdated", true),
        (json!({"tags": {"site": "lyon"}}), "unchanged", false),
        (json!({"properties": {"reported": {"on": true}}}), "twinUpdated", false),
        (json!({"properties": {"desired": {}}}), "twinUpdated", true),
        (json!({"tags": {}, "properties": {}}), "twinUpdated", true),
        (json!({}), "unchanged", false),
    ] {
        let rehearsed = run(&[device("a")], &[line(twin.clone())]);
        assert_eq!(
            (rehearsed.log.outcomes[0].as_str(), !rehearsed.log.assumed.is_empty()),
            (outcome, assumed),
            "{twin}"
        );
    }
}

#[test]
fn keys_are_made_where_authentication_is_absent_and_that_is_a_risk() {
    let exports = [
        device("a"),
        with(device("x"), json!({"authentication": x509()})),
        with(device("k"), json!({"authentication": false})),
    ];
    let exports = exports.map(|line| {
        if line["authentication"] == json!(false) {
            serde_json::from_str(&line.to_string().replace("\"authentication\":false", "\"authentication\":null"))
                .unwrap()
        } else {
            line
        }
    });
    let line = |id: &str| json!({"id": id, "status": "enabled"});
    let rehearsed = run(&exports, &["a", "x", "k", "new"].map(line));
    assert_eq!(rehearsed.log.outcomes, ["updated", "updated", "updated", "created"]);
    let risks = rehearsed.summary.risks;
    assert_eq!((risks.keys_by_hub, risks.turn_sas, risks.keyless, risks.new_keys_by_hub), (3, 1, 1, 1));
    assert_eq!(rehearsed.written.keys_by_hub, 4);
    for after in &rehearsed.result {
        assert_eq!(after["authentication"]["symmetricKey"], json!({"primaryKey": null, "secondaryKey": null}));
    }
    let same = |authentication: Value| json!({"id": "a", "status": "enabled", "authentication": authentication});
    let replaced = run(&[device("a")], &[same(sas(OTHER_KEY))]).summary.risks;
    assert_eq!((replaced.keys_replaced, replaced.keys_by_hub), (1, 0));
    let half = json!({"symmetricKey": {"primaryKey": OTHER_KEY, "secondaryKey": KEY}, "type": "sas"});
    assert_eq!(run(&[device("a")], &[same(half)]).summary.risks.keys_replaced, 0, "one of the old keys still works");
}

#[test]
fn risks_are_told_against_the_export_whatever_an_earlier_line_did() {
    let line = |mode: &str, authentication: Value| {
        let line = json!({"id": "a", "status": "enabled", "importMode": mode, "authentication": authentication});
        if authentication.is_null() { with(line, json!({"authentication": null})) } else { line }
    };
    let delete = || line("delete", Value::Null);
    let certified = with(device("a"), json!({"authentication": x509(), "tags": null, "properties": null}));
    let bare = with(device("a"), json!({"tags": null, "properties": null}));
    let risks = |export: &Value, import: &[Value]| {
        let risks = run(std::slice::from_ref(export), import).summary.risks;
        assert_eq!((risks.keyless, risks.new_keys_by_hub), (0, 0), "the export has it");
        [risks.turn_sas, risks.keys_by_hub, risks.keys_replaced, risks.twins_replaced]
    };
    assert_eq!(risks(&certified, &[delete(), line("create", sas(KEY))]), [1, 0, 0, 0]);
    assert_eq!(risks(&certified, &[delete(), line("createOrUpdate", Value::Null)]), [1, 1, 0, 0]);
    assert_eq!(risks(&bare, &[delete(), line("create", sas(OTHER_KEY))]), [0, 0, 1, 0]);
    assert_eq!(risks(&bare, &[delete(), line("create", sas(KEY))]), [0, 0, 0, 0]);
    assert_eq!(risks(&bare, &[delete(), line("create", Value::Null), line("update", Value::Null)]), [0, 1, 0, 0]);
    assert_eq!(risks(&device("a"), &[delete(), line("create", sas(KEY))]), [0, 0, 0, 1], "its twin is gone");
    let tagged = with(line("create", sas(KEY)), json!({"tags": {"site": "lyon"}, "properties": {"desired": {"x": 1}}}));
    assert_eq!(risks(&device("a"), &[delete(), tagged]), [0, 0, 0, 0]);
    // Keys that the hub made for an earlier line are not in the export, but those that they replaced are.
    let rehearsed = run(std::slice::from_ref(&bare), &[line("update", Value::Null), line("update", sas(KEY))]);
    assert_eq!(rehearsed.log.outcomes, ["updated", "updated"]);
    assert_eq!(
        rehearsed.log.changes[1],
        "authentication.symmetricKey.primaryKey: REDACTED → REDACTED; authentication.symmetricKey.secondaryKey: REDACTED → REDACTED"
    );
    assert_eq!(risks(&bare, &[line("update", Value::Null), line("update", sas(KEY))]), [0, 1, 0, 0]);
    assert_eq!(risks(&bare, &[line("update", Value::Null), line("update", sas(OTHER_KEY))]), [0, 1, 1, 0]);
    let new = run(&[], &[line("create", sas(KEY)), line("update", Value::Null), line("update", Value::Null)]);
    assert_eq!(new.summary.risks.new_keys_by_hub, 1);
}

#[test]
fn modules_need_their_device_and_go_with_it() {
    let module = |id: &str, module: &str, mode: &str| json!({"id": id, "moduleId": module, "status": "enabled", "importMode": mode, "authentication": sas(KEY)});
    let export =
        [device("d"), module("d", "m1", "create"), module("d", "m2", "create"), module("d", "$edgeHub", "create")];
    let export = export.map(|line| with(line, json!({"importMode": null})));
    let delete = |id: &str| json!({"id": id, "status": "enabled", "importMode": "delete"});
    let rehearsed = run(
        &export,
        &[
            module("d", "m1", "create"),
            module("d", "m3", "update"),
            module("none", "m", "createOrUpdate"),
            module("d", "$edgeHub", "update"),
            module("d", "$edgeAgent", "updateTwin"),
            module("d", "m3", "create"),
            module("d", "m2", "delete"),
            delete("d"),
            module("d", "m1", "createOrUpdate"),
        ],
    );
    assert_eq!(
        rehearsed.log.outcomes,
        [
            "fails 409301",
            "fails 404010",
            "fails 404001",
            "fails 401100",
            "not known system-module-twin",
            "created",
            "deleted",
            "deleted",
            "fails 404001",
        ]
    );
    assert_eq!(rehearsed.summary.risks.modules_with_device, 3, "m1, m3 and $edgeHub");
    assert_eq!((rehearsed.result.len(), rehearsed.summary.devices, rehearsed.summary.modules), (0, (1, 0), (3, 0)));
    assert!(
        rehearsed.log.assumed.contains(&9) && rehearsed.log.assumed.contains(&6),
        "they rest on the order of lines"
    );
}

#[test]
fn a_modules_line_before_its_devices_fails_under_the_assumed_order() {
    let module = json!({"id": "d", "moduleId": "m", "status": "enabled"});
    let rehearsed = run(&[], &[module, json!({"id": "d", "status": "enabled"})]);
    assert_eq!(rehearsed.log.outcomes, ["fails 404001", "created"]);
    assert_eq!(rehearsed.summary.assumed, 1);
}

#[test]
fn children_of_a_deleted_edge_device_are_counted() {
    let edge = with(device("e"), json!({"capabilities": {"iotEdge": true}, "deviceScope": "ms-azure-iot-edge://e-1"}));
    let child = |id: &str| with(device(id), json!({"deviceScope": "ms-azure-iot-edge://e-1"}));
    let delete = |id: &str| json!({"id": id, "status": "enabled", "importMode": "delete"});
    let export = [edge, child("c1"), child("c2"), child("c3"), device("d")];
    let rehearsed = run(&export, &[delete("e"), delete("c1")]);
    let risks = rehearsed.summary.risks;
    assert_eq!((risks.edge_deleted, risks.orphaned_children), (1, 2));
}

#[test]
fn an_edge_devices_scope_is_the_hubs() {
    let edge = with(device("e"), json!({"capabilities": {"iotEdge": true}, "deviceScope": "ms-azure-iot-edge://e-1"}));
    let other = with(without_etags(edge.clone()), json!({"deviceScope": "ms-azure-iot-edge://e-2"}));
    let rehearsed = run(std::slice::from_ref(&edge), std::slice::from_ref(&other));
    assert_eq!(
        (rehearsed.log.outcomes[0].as_str(), &rehearsed.result[0]["deviceScope"]),
        ("unchanged", &edge["deviceScope"])
    );
    // It has one, whether the export says so or not, and blanks are none.
    let bare = with(edge.clone(), json!({"deviceScope": null}));
    for export in [&edge, &bare] {
        for scope in [Value::Null, json!(""), json!(" \t")] {
            let line = with(other.clone(), json!({"deviceScope": scope}));
            assert_eq!(outcomes(std::slice::from_ref(export), std::slice::from_ref(&line)), ["not known edge-scope"]);
            let reason = json!({"statusReason": "why"});
            assert_eq!(outcomes(std::slice::from_ref(export), &[with(line, reason)]), ["not known edge-scope"]);
        }
    }
    // An overwrite replaces the whole identity (§2): nothing else is to be known of a device that becomes an edge device.
    let leaf = with(device("e"), json!({"deviceScope": "ms-azure-iot-edge://f-1"}));
    assert_eq!(outcomes(&[leaf], &[without_etags(bare)]), ["updated"]);
    let rehearsed = run(&[], &[other]);
    assert_eq!((rehearsed.result[0].get("deviceScope"), rehearsed.written.scopes_by_hub), (None, 1));
}

#[test]
fn whether_an_edge_device_can_stop_being_one_is_not_known() {
    let edge = |scope: Value| with(device("e"), json!({"capabilities": {"iotEdge": true}, "deviceScope": scope}));
    let line = |members: Value| with(without_etags(device("e")), members);
    let own = json!("ms-azure-iot-edge://e-1");
    // Whatever its scope is in the export, and whatever the line says of it.
    for scope in [own.clone(), Value::Null] {
        for (capabilities, scope_then) in [
            (json!({"iotEdge": false}), Value::Null),
            (json!({"iotEdge": false}), own.clone()),
            (Value::Null, Value::Null),
            (json!({}), json!("ms-azure-iot-edge://f-2")),
        ] {
            let line = line(json!({"capabilities": capabilities, "deviceScope": scope_then}));
            let update = with(line.clone(), json!({"importMode": "update"}));
            let rehearsed = run(&[edge(scope.clone())], std::slice::from_ref(&line));
            assert_eq!(rehearsed.log.outcomes, ["not known edge-capability"], "{line}");
            assert_eq!(
                (rehearsed.written.not_known, &rehearsed.result[0]["capabilities"]["iotEdge"]),
                (1, &json!(true))
            );
            assert_eq!(outcomes(&[edge(scope.clone())], &[update]), ["not known edge-capability"]);
        }
    }
    // One that the import made is no other; a twin alone, a delete, and one made anew leave no doubt.
    let made = with(line(json!({"capabilities": {"iotEdge": true}})), json!({"importMode": "create"}));
    assert_eq!(outcomes(&[], &[made, line(json!({}))]), ["created", "not known edge-capability"]);
    let mode = |mode: &str| line(json!({"importMode": mode, "tags": {"site": "graz"}}));
    let modes = ["updateTwin", "delete", "create"];
    assert_eq!(outcomes(&[edge(own)], &modes.map(mode)), ["twinUpdated", "deleted", "created"]);
}

#[test]
fn an_empty_type_is_sas_as_null_is() {
    let usual = json!({"symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY},
        "x509Thumbprint": {"primaryThumbprint": null, "secondaryThumbprint": null}, "type": "sas"});
    let export = with(device("a"), json!({"authentication": usual}));
    for kind in [Value::Null, json!("")] {
        for authentication in
            [with(usual.clone(), json!({"type": kind})), json!({"type": kind, "symmetricKey": usual["symmetricKey"]})]
        {
            let line = with(without_etags(export.clone()), json!({"authentication": authentication}));
            assert_eq!(outcomes(std::slice::from_ref(&export), &[line]), ["unchanged"], "{authentication}");
        }
    }
}

#[test]
fn lines_that_can_not_be_read_are_400012_and_those_the_hub_refuses_have_no_number() {
    let export = text(&[device("a")]);
    let import = [
        "[]",
        "not JSON",
        r#"{"id":"a","importMode":"delete"}"#,
        r#"{"status":"enabled"}"#,
        r#"{"id":"a","status":"on"}"#,
        r#"{"id":"a","status":"enabled","importMode":"remove"}"#,
        r#"{"id":"a","status":"enabled","authentication":{"type":"SELF_SIGNED"}}"#,
        r#"{"id":"a","status":"enabled","tags":[]}"#,
        r#"{"id":"a b","status":"enabled"}"#,
        r#"{"id":"a","status":"enabled","authentication":{"symmetricKey":{"primaryKey":"abc=","secondaryKey":"abc="}}}"#,
        r#"{"id":"a","status":"enabled","status":"disabled"}"#,
        r#"{"id":"a","status":"enabled","importmode":"delete"}"#,
        r#"{"id":"a","status":"enabled","importMode":"updateTwin","tags":{"x":null}}"#,
        "",
        r#"{"id":"a","status":"enabled","parentScopes":["x"]}"#,
    ];
    let mut want = vec!["fails 400012"; 8];
    want.extend([
        "fails ?",
        "fails ?",
        "not known duplicate-member",
        "not known member-case",
        "not known twin-null",
        "not known parent-scopes",
    ]);
    let joined = import.map(|line| format!("{line}\n")).concat();
    for (threads, chunk) in [(1, 1 << 20), (3, 60)] {
        // The blank line has no event of its own, and lines are numbered with it.
        let without_blank = joined.replace("\n\n", "\n");
        let rehearsed = rehearse_text(&export, &without_blank, None, threads, chunk);
        assert_eq!(rehearsed.log.outcomes, want);
        assert_eq!(rehearsed.log.errors.lines().filter(|line| line.starts_with("{\"errorCode\":400012,")).count(), 8);
        assert_eq!(rehearsed.log.errors.lines().filter(|line| line.contains("\"errorCode\":null")).count(), 2);
    }
}

#[test]
fn what_a_delete_does_not_use_does_not_keep_it_from_deleting() {
    let line = |mode: &str, more: &str| {
        format!(r#"{{"id":"a","importMode":"{mode}","status":"enabled","eTag":"MQ=="{more}}}"#) + "\n"
    };
    let export = text(&[device("a")]);
    let rehearsed = |line: &str| {
        let rehearsed = rehearse_text(&export, line, None, 1, 1 << 20);
        let risks = rehearsed.summary.risks;
        (rehearsed.log.outcomes[0].clone(), rehearsed.summary.deleted.devices, risks.maybe_deleted)
    };
    let long = format!(r#","statusReason":"{}""#, "x".repeat(129));
    let unused = [
        r#","tags":{"x y":1}"#,
        r#","tags":{"x":null}"#,
        r#","properties":{"desired":{"x":9007199254740993}}"#,
        r#","authentication":{"symmetricKey":{"primaryKey":"123","secondaryKey":"123"}}"#,
        r#","authentication":{"symmetricKey":{"primaryKey":"abc="}}"#,
        r#","authentication":{"x509Thumbprint":{"primaryThumbprint":"AB"},"type":"selfSigned"}"#,
        &long,
    ];
    for more in unused {
        for mode in ["delete", "deleteIfMatchETag"] {
            assert_eq!(rehearsed(&line(mode, more)), ("deleted".to_owned(), 1, 0), "{mode} {more}");
            let other = line(mode, more).replace("MQ==", "Mg==");
            let deletes = u64::from(mode == "delete");
            assert_eq!(rehearsed(&other).1, deletes, "{mode} {more}");
        }
    }
    // Whether the hub's reader takes another type is not known where the delete does not use the member.
    for more in [r#","tags":[]"#, r#","authentication":"x""#, r#","statusReason":5"#, r#","twinETag":5"#] {
        assert_eq!(rehearsed(&line("delete", more)), ("not known member-type".to_owned(), 0, 1), "{more}");
    }
    for (wrong, want) in [
        (line("delete", "").replace("\"a\"", "\"a b\""), "fails ?"),
        (line("delete", "").replace("\"a\"", "5"), "fails 400012"),
        (line("delete", ",\"moduleId\":[]"), "fails 400012"),
        (line("remove", ""), "fails 400012"),
        (line("delete", "").replace("\"enabled\"", "\"on\""), "fails 400012"),
        (line("delete", ",\"authentication\":{\"type\":\"SELF_SIGNED\"}"), "fails 400012"),
        (line("deleteIfMatchETag", "").replace("\"MQ==\"", "5"), "fails 400012"),
    ] {
        assert_eq!(rehearsed(&wrong), (want.to_owned(), 0, 0), "{wrong}");
    }
    // What else is wrong is no certain failure either where the line may be a delete.
    for (odd, want) in [
        (line("delete", "").replace("importMode", "ImportMode"), "not known member-case"),
        (line("create", r#","ImportMode":"delete""#), "not known member-case"),
        (line("delete", r#","importMode":"create""#), "not known duplicate-member"),
    ] {
        for more in ["", unused[0], unused[3], r#","tags":[]"#] {
            let odd = odd.replace("}\n", &format!("{more}}}\n"));
            assert_eq!(rehearsed(&odd), (want.to_owned(), 0, 1), "{odd}");
        }
    }
    // The hub may read what is not read here, and then it deletes something.
    let deep = format!(r#","tags":{}{}"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(rehearsed(&line("delete", &deep)), ("not known json-depth".to_owned(), 0, 1));
    for (mode, maybe) in [("delete", 1), ("update", 0)] {
        for line in [line(mode, "").replace("\"id\"", "\"ID\""), line(mode, r#","Id":"b""#).replace("\"a\"", "null")] {
            assert_eq!(rehearsed(&line), ("not known member-case".to_owned(), 0, maybe), "{line}");
        }
    }
    let twice = line("update", r#","status":"disabled","tags":{"x y":1}"#);
    assert_eq!(rehearsed(&twice), ("fails ?".to_owned(), 0, 0), "no mode that deletes");
}

#[test]
fn a_stale_twin_etag_fails_by_itself_and_leaves_the_device_open() {
    let line = with(device("a"), json!({"eTag": "stale", "twinETag": "stale", "status": "disabled"}));
    let next = json!({"id": "a", "status": "enabled", "importMode": "updateIfMatchETag", "eTag": "MQ=="});
    let rehearsed = run(&[device("a")], &[line, next]);
    assert_eq!(rehearsed.log.outcomes, ["fails ?", "not known etag-not-known"]);
    assert_eq!((rehearsed.summary.failing_partly, rehearsed.written.not_known), (1, 1));
    assert_eq!(rehearsed.result, [device("a")]);
}

#[test]
fn quoted_etags_are_compared_without_their_quotes() {
    let line = |etag: &str| json!({"id": "a", "status": "enabled", "importMode": "deleteIfMatchETag", "eTag": etag});
    for (etag, want) in [
        ("MQ==", "deleted"),
        ("\"MQ==\"", "deleted"),
        ("\"MQ==", "fails ?"),
        ("*", "not known etag-not-known"),
        ("", "fails ?"),
    ] {
        assert_eq!(outcomes(&[device("a")], &[line(etag)]), [want], "{etag}");
    }
    let no_etag = without_etags(device("a"));
    assert_eq!(outcomes(&[no_etag], &[line("MQ==")]), ["not known etag-not-known"]);
}

#[test]
fn the_quota_stops_what_is_created_past_it() {
    let line = |id: &str, mode: &str| json!({"id": id, "status": "enabled", "importMode": mode});
    let export = text(&[device("a"), device("b")]);
    let import = text(&[
        line("c", "create"),
        line("d", "create"),
        line("a", "delete"),
        line("e", "createOrUpdate"),
        line("b", "update"),
    ]);
    let rehearsed = rehearse_text(&export, &import, Some(3), 1, 1 << 20);
    assert_eq!(rehearsed.log.outcomes, ["created", "fails 403002", "deleted", "created", "updated"]);
    assert_eq!(rehearsed.summary.devices, (2, 3));
}

#[test]
fn a_device_takes_fifty_modules_of_its_own() {
    let module = |number: usize| json!({"id": "d", "moduleId": format!("m{number}"), "status": "enabled"});
    let mut export = vec![device("d"), json!({"id": "d", "moduleId": "$edgeHub", "status": "enabled"})];
    export.extend((0..49).map(module));
    let mut import: Vec<Value> = (49..52).map(module).collect();
    import.push(with(module(3), json!({"importMode": "delete"})));
    import.push(module(51));
    let rehearsed = run(&export, &import);
    assert_eq!(rehearsed.log.outcomes, ["created", "fails 413003", "fails 413003", "deleted", "created"]);
}

#[test]
fn untouched_lines_stay_to_the_byte_and_new_ones_follow() {
    let export =
        "\u{feff}{ \"id\" : \"a\" ,\"status\":\"enabled\",\"odd\":1e2}\r\n\n{\"id\":\"b\",\"status\":\"enabled\"}";
    let import = "{\"id\":\"n\",\"status\":\"enabled\",\"unknown\":1}\n{\"id\":\"b\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n";
    let (_export, export) = input(export.as_bytes(), MmapChoice::Auto);
    let (_import, import) = input(import.as_bytes(), MmapChoice::Auto);
    let how = how(1, 1 << 20, MmapChoice::Auto);
    let registry = Registry::build(export, &how, |_| {}).unwrap();
    let (_, after, _) = rehearse(&registry, &import, &how, None, Log::default()).unwrap();
    let mut result = Vec::new();
    after
        .write(|bytes| {
            result.extend_from_slice(bytes);
            Ok(())
        })
        .unwrap();
    let null_keys = r#"{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"}"#;
    let want = format!(
        "{{ \"id\" : \"a\" ,\"status\":\"enabled\",\"odd\":1e2}}\n{{\"id\":\"n\",\"status\":\"enabled\",\"authentication\":{null_keys},\"capabilities\":{{\"iotEdge\":false}}}}\n"
    );
    assert_eq!(String::from_utf8(result).unwrap(), want);
}
