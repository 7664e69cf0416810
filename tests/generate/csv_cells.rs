//! What the cells of a CSV file become.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{codes_found, generate_from, made};

#[test]
fn members_take_their_own_type() {
    let csv = "id,moduleId,importMode,status,statusReason,eTag,capabilities.iotEdge,deviceScope,parentScopes\n\
        1,,CREATE,Enabled,12,,TRUE,,s1\n\
        2,3,updateIfMatchETag,1,\"a \"\"b\"\"\",7,,4,\"[\"\"s1\"\"]\"\n";
    let lines = made(&["--auth", "ca"], csv);
    assert_eq!(lines[0]["id"], "1");
    assert_eq!((&lines[0]["importMode"], &lines[0]["status"]), (&json!("create"), &json!("enabled")));
    assert_eq!((&lines[0]["statusReason"], &lines[0]["capabilities"]), (&json!("12"), &json!({"iotEdge": true})));
    assert_eq!(lines[0]["parentScopes"], json!(["s1"]));
    assert_eq!((&lines[1]["moduleId"], &lines[1]["status"]), (&json!("3"), &json!("disabled")));
    assert_eq!((&lines[1]["statusReason"], &lines[1]["eTag"]), (&json!("a \"b\""), &json!("7")));
    assert_eq!((&lines[1]["deviceScope"], &lines[1]["parentScopes"]), (&json!("4"), &json!(["s1"])));
    assert!(lines[0].get("moduleId").is_none() && lines[0].get("eTag").is_none());
    let order: Vec<&String> = lines[1].as_object().expect("an object").keys().collect();
    let want = [
        "id",
        "moduleId",
        "eTag",
        "importMode",
        "status",
        "statusReason",
        "authentication",
        "deviceScope",
        "parentScopes",
    ];
    assert_eq!(order, want);
}

#[test]
fn json_is_json_and_the_rest_is_text() {
    let csv = "tags.a,tags.b,properties.desired.c,properties.reported.d.e\n\
        12,0071,1.50,oslo\n\
        true,\"{\"\"x\"\":[1,2]}\",\"\"\"q\"\"\",7e2\n\
        ,,,\n\
        \"{\n \"\"y\"\": 1}\",\"two\nlines\",\"a,b\",-0\n";
    let lines = made(&["--id", "d{index}", "--auth", "ca"], csv);
    assert_eq!(lines[0]["tags"].to_string(), r#"{"a":12,"b":"0071"}"#);
    assert_eq!(lines[0]["properties"].to_string(), r#"{"desired":{"c":1.50},"reported":{"d":{"e":"oslo"}}}"#);
    assert_eq!(lines[1]["tags"].to_string(), r#"{"a":true,"b":{"x":[1,2]}}"#);
    assert_eq!(
        lines[1]["properties"].to_string(),
        r#"{"desired":{"c":"q"},"reported":{"d":{"e":7e+2}}}"#,
        "as this reader spells it"
    );
    assert!(lines[2].get("tags").is_none() && lines[2].get("properties").is_none());
    assert_eq!(lines[3]["tags"], json!({"a": {"y": 1}, "b": "two\nlines"}));
    assert_eq!(lines[3]["properties"]["desired"]["c"], "a,b");
    let spelled = generate_from(&["--id", "d{index}", "--auth", "ca", "--from-csv", "-"], csv).stdout_text();
    assert!(["1.50", "7e2", "-0", "0071"].iter().all(|text| spelled.contains(text)), "as they are spelt: {spelled}");
    let text = made(&["--id", "d{index}", "--auth", "ca", "--csv-text", "tags.a"], csv);
    assert_eq!(text[0]["tags"], json!({"a": "12", "b": "0071"}));
    assert_eq!(text[1]["tags"]["a"], "true");
}

#[test]
fn flags_fill_empty_cells_and_cells_win() {
    let csv = "id,status,importMode,tags.site,tags.place.floor\na,,,,\nb,disabled,create,oslo,3\n";
    let flags = [
        "--auth",
        "ca",
        "--status",
        "enabled",
        "--import-mode",
        "update",
        "--tags",
        r#"{"site":"none","place":{"hall":7}}"#,
    ];
    let lines = made(&flags, csv);
    assert_eq!((&lines[0]["status"], &lines[0]["importMode"]), (&json!("enabled"), &json!("update")));
    assert_eq!(lines[0]["tags"], json!({"site": "none", "place": {"hall": 7}}));
    assert_eq!((&lines[1]["status"], &lines[1]["importMode"]), (&json!("disabled"), &json!("create")));
    assert_eq!(lines[1]["tags"], json!({"site": "oslo", "place": {"hall": 7, "floor": 3}}));
}

#[test]
fn empty_cells_leave_flags_as_they_were_given() {
    let header = "id,tags.a.b,tags.a.c,tags.o.x,properties.desired.d.e.f";
    let tags = r#"{"a": 5, "o": {}, "z":[1, 2]}"#;
    let flags = ["--auth", "ca", "--tags", tags, "--desired", r#"{"d": null}"#];
    let answer =
        generate_from(&[&flags[..], &["--from-csv", "-"]].concat(), format!("{header}\nd1,,,,\nd2,,,,\nd3,,,7,\n"));
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    let text = answer.stdout_text();
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[..2] {
        assert!(line.ends_with(&format!(r#""tags":{tags},"properties":{{"desired":{{"d": null}}}}}}"#)), "{line}");
    }
    assert!(
        lines[2].contains(r#""tags":{"a":5,"o":{"x":7},"z":[1, 2]},"properties":{"desired":{"d": null}}"#),
        "{text}"
    );
    let lines = made(
        &["--auth", "ca", "--tags", "{}", "--desired", r#"{"d":{"e":{}}}"#],
        format!("{header}\nd1,,,,\nd2,1,,,\n"),
    );
    assert_eq!((&lines[0]["tags"], &lines[1]["tags"]), (&json!({}), &json!({"a": {"b": 1}})));
    assert!(lines.iter().all(|line| line["properties"] == json!({"desired": {"d": {"e": {}}}})));
}

#[test]
fn authentication_is_what_the_row_says() {
    let thumbprint = "EA8B25A0439C86A7CC80442539D685E7957143EC";
    let key = "SxtzhNqeWRaViBS2+Zl2zhfmO+B6iH1iy+tm3m8ngKQ=";
    let header = "id,authentication.type,authentication.symmetricKey.primaryKey,authentication.symmetricKey.secondaryKey,\
        authentication.x509Thumbprint.primaryThumbprint\n";
    let csv =
        format!("{header}a,,,,\nb,,,,{thumbprint}\nc,x509_ca,,,\nd,SelfSigned,,,{thumbprint}\ne,sas,{key},{key},\n");
    let lines = made(&[], &csv);
    let kind = |line: &Value| line["authentication"]["type"].as_str().expect("a type").to_owned();
    let kinds: Vec<String> = lines.iter().map(kind).collect();
    assert_eq!(kinds, ["sas", "selfSigned", "certificateAuthority", "selfSigned", "sas"]);
    assert!(lines[0]["authentication"]["symmetricKey"]["primaryKey"].is_string());
    assert_eq!(lines[1]["authentication"]["x509Thumbprint"]["primaryThumbprint"], thumbprint);
    assert!(lines[1]["authentication"]["symmetricKey"]["primaryKey"].is_null());
    assert_eq!(lines[4]["authentication"]["symmetricKey"], json!({"primaryKey": key, "secondaryKey": key}));
    let conflict = generate_from(&["--from-csv", "-", "--auth", "sas"], &csv);
    assert_eq!(conflict.code, 2);
    assert!(conflict.stderr_text().contains("authentication-conflict"), "{}", conflict.stderr_text());
}

#[test]
fn a_twin_update_has_no_authentication() {
    let lines = made(&["--import-mode", "updateTwin"], "id,tags.site\nd1,oslo\n");
    assert_eq!(
        lines[0].to_string(),
        r#"{"id":"d1","importMode":"updateTwin","status":"enabled","tags":{"site":"oslo"}}"#
    );
}

#[test]
fn marks_line_ends_and_blank_lines_are_fine() {
    let plain = made(&["--auth", "ca"], "id,tags.a\nd1,x\nd2,y\n");
    for csv in [
        "\u{feff}id,tags.a\nd1,x\nd2,y\n",
        "id,tags.a\r\nd1,x\r\nd2,y\r\n",
        "id,tags.a\n\n\nd1,x\n\nd2,y",
        "\"id\",\"tags.a\"\n\"d1\",\"x\"\nd2,\"y\"\n",
    ] {
        assert_eq!(made(&["--auth", "ca"], csv), plain, "{csv:?}");
    }
}

/// A cell, quoted.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// What a cell under `tags` should become, by another JSON reader.
fn expected(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zæøå \",;\\\\\n\t\u{1}]{0,12}",
        "-?[0-9]{1,9}(\\.[0-9]{1,4})?",
        "0[0-9]{1,4}",
        Just("true".to_owned()),
        Just("[1, \"a\", {\"b\": 2}]".to_owned()),
        Just("{\"x\":\n{\"y\":\"z\"}}".to_owned()),
        Just("\"quoted\"".to_owned()),
        Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_cells_become_what_another_reader_makes_of_them(rows in prop::collection::vec((cell(), cell(), cell()), 1..20)) {
        let mut csv = "tags.a,id,tags.b.c,tags.b.d\n".to_owned();
        for (number, (a, c, d)) in rows.iter().enumerate() {
            csv.push_str(&format!("{},d{number},{},{}\n", quoted(a), quoted(c), quoted(d)));
        }
        let answer = generate_from(&["--from-csv", "-", "--csv-text", "tags.b.d"], &csv);
        prop_assert_eq!(answer.code, 0, "{}", answer.stderr_text());
        let lines = crate::support::json_lines(&answer.stdout);
        prop_assert_eq!(lines.len(), rows.len());
        for (line, (a, c, d)) in lines.iter().zip(&rows) {
            let mut inner = Map::new();
            if !c.is_empty() { inner.insert("c".to_owned(), expected(c)); }
            if !d.is_empty() { inner.insert("d".to_owned(), json!(d)); }
            let mut tags = Map::new();
            if !a.is_empty() { tags.insert("a".to_owned(), expected(a)); }
            if !inner.is_empty() { tags.insert("b".to_owned(), Value::Object(inner)); }
            let want = if tags.is_empty() { None } else { Some(Value::Object(tags)) };
            prop_assert_eq!(line.get("tags").cloned(), want, "{}", line);
        }
        prop_assert!(codes_found(&answer.stdout).is_empty());
    }
}
