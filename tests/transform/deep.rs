//! Responsible for: `--merge-twin`, `--set`, `--set-text`, `--unset`, to the byte.

use crate::support::{Folder, assert_answer, transform};
use crate::{becomes, q, rejects};

#[test]
fn a_member_is_set_where_it_stands_or_added_last() {
    becomes(
        &["--set", "tags.site=\"oslo\""],
        &[
            (r#"{"tags":{"site":"x","n":1.50}}"#, r#"{"tags":{"site":"oslo","n":1.50}}"#),
            (r#"{"tags" : { "n" : 1 } , "z":1}"#, r#"{"tags" : { "n" : 1,"site":"oslo" } , "z":1}"#),
            (r#"{"tags":{}}"#, r#"{"tags":{"site":"oslo"}}"#),
            (r#"{"tags":{ }}"#, r#"{"tags":{"site":"oslo" }}"#),
            (r#"{"tags":null,"z":1}"#, r#"{"tags":{"site":"oslo"},"z":1}"#),
            (r#"{"id":"a" }"#, r#"{"id":"a","tags":{"site":"oslo"} }"#),
            (r#"{}"#, r#"{"tags":{"site":"oslo"}}"#),
            (r#"{"t\u0061gs":{"s\u0069te":{"deep":[1, 2]}}}"#, r#"{"t\u0061gs":{"s\u0069te":"oslo"}}"#),
            (r#"{"tags":{"site":"oslo"}}"#, r#"{"tags":{"site":"oslo"}}"#),
        ],
    );
}

#[test]
fn values_and_texts_are_kept_as_given() {
    for (value, text) in [
        ("1.50", "1.50"),
        ("1e400", "1e400"),
        ("\"\\u0041\"", "\"\\u0041\""),
        ("[ 1 ,2]", "[ 1 ,2]"),
        (" 7 ", "7"),
        ("{\"b\": null}", "{\"b\": null}"),
    ] {
        becomes(&["--set", &format!("tags.a={value}")], &[("{}", &format!("{{\"tags\":{{\"a\":{text}}}}}"))]);
    }
    becomes(&["--set-text", "tags.a=oslo = \"é\" \\"], &[("{}", r#"{"tags":{"a":"oslo = \"é\" \\"}}"#)]);
    becomes(&["--set-text", "tags.a="], &[("{}", r#"{"tags":{"a":""}}"#)]);
    becomes(&["--set", "tags.a=[\n  1,\n  2\n]"], &[("{}", r#"{"tags":{"a":[1,2]}}"#)]);
}

#[test]
fn any_member_at_any_depth() {
    becomes(
        &["--set", "properties.desired.a.b.c=1"],
        &[
            ("{}", r#"{"properties":{"desired":{"a":{"b":{"c":1}}}}}"#),
            (
                r#"{"properties":{"reported":{"x":1},"desired":{"a":{"d":0}}}}"#,
                r#"{"properties":{"reported":{"x":1},"desired":{"a":{"d":0,"b":{"c":1}}}}}"#,
            ),
        ],
    );
    becomes(&["--set", "tags.[[a.b=c]].d=1"], &[("{}", r#"{"tags":{"a.b=c":{"d":1}}}"#)]);
    becomes(&["--set", "tags.my-site é=1"], &[("{}", r#"{"tags":{"my-site é":1}}"#)]);
    becomes(
        &["--set", "capabilities.iotEdge=true"],
        &[(r#"{"capabilities":{"iotEdge":false}}"#, r#"{"capabilities":{"iotEdge":true}}"#)],
    );
    becomes(&["--set", "other=[]"], &[(r#"{"other":1}"#, r#"{"other":[]}"#), ("{}", r#"{"other":[]}"#)]);
    becomes(&["--set", "id=\"new\""], &[(r#"{"id":"bad id"}"#, r#"{"id":"new"}"#)]);
}

#[test]
fn members_are_removed() {
    becomes(
        &["--unset", "properties.reported"],
        &[
            (r#"{"properties":{"desired":{},"reported":{"a":1}},"z":1}"#, r#"{"properties":{"desired":{}},"z":1}"#),
            (r#"{"properties":{"reported":{"a":1} , "desired":{}}}"#, r#"{"properties":{"desired":{}}}"#),
            (r#"{"properties":{ "reported":1 }}"#, r#"{"properties":{  }}"#),
            (r#"{"properties":null}"#, r#"{"properties":null}"#),
            (r#"{"properties":"x"}"#, r#"{"properties":"x"}"#),
            ("{}", "{}"),
        ],
    );
    becomes(
        &["--unset", "tags"],
        &[(r#"{"tags":1,"a":2}"#, r#"{"a":2}"#), (r#"{"a":2, "tags":1}"#, r#"{"a":2}"#), (r#"{"tags":{}}"#, "{}")],
    );
    becomes(&["--unset", "other", "--unset", "z.y"], &[(r#"{"other":1,"z":{"y":1,"x":2}}"#, r#"{"z":{"x":2}}"#)]);
    // Deep in a twin a name may stand twice: all of them go.
    becomes(&["--unset", "tags.a"], &[(r#"{"tags":{"a":1,"b":2,"\u0061":3}}"#, r#"{"tags":{"b":2}}"#)]);
}

#[test]
fn a_later_edit_sees_what_an_earlier_one_made() {
    becomes(
        &["--set", "tags.a={}", "--set", "tags.a.b=1"],
        &[("{}", r#"{"tags":{"a":{"b":1}}}"#), (r#"{"tags":{"a":7}}"#, r#"{"tags":{"a":{"b":1}}}"#)],
    );
    becomes(&["--unset", "tags", "--set", "tags.a=1"], &[(r#"{"tags":{"x":1},"z":2}"#, r#"{"z":2,"tags":{"a":1}}"#)]);
    becomes(
        &["--set", "tags.a=1", "--unset", "tags.a"],
        &[("{}", r#"{"tags":{}}"#), (r#"{"tags":{"a":0,"b":1}}"#, r#"{"tags":{"b":1}}"#)],
    );
    becomes(
        &["--set", "tags.a=1", "--set-text", "tags.a=x", "--set", "tags.a=3"],
        &[(r#"{"tags":{"a":0,"b":1}}"#, r#"{"tags":{"a":3,"b":1}}"#)],
    );
    becomes(
        &["--set", "tags.b=1", "--set", "tags.a=2"],
        &[(r#"{"tags":{"a":0}}"#, r#"{"tags":{"a":2,"b":1}}"#), ("{}", r#"{"tags":{"b":1,"a":2}}"#)],
    );
    // Merges come first, whatever the order of the flags.
    becomes(
        &["--set", "tags.a=1", "--merge-twin", r#"{"tags":{"a":2,"b":3}}"#],
        &[("{}", r#"{"tags":{"a":1,"b":3}}"#)],
    );
}

#[test]
fn merges_are_those_of_rfc_7396() {
    becomes(
        &["--merge-twin", r#"{"tags":{"a":"c","b":null,"c":{"d":null,"e":[1,{"f":null}]}}}"#],
        &[
            (r#"{"tags":{"a":"b","b":1,"x":2}}"#, r#"{"tags":{"a":"c","x":2,"c":{"e":[1,{"f":null}]}}}"#),
            (r#"{"tags":{"c":{"d":1,"y":2}}}"#, r#"{"tags":{"c":{"y":2,"e":[1,{"f":null}]},"a":"c"}}"#),
            (r#"{"tags":["x"]}"#, r#"{"tags":{"a":"c","c":{"e":[1,{"f":null}]}}}"#),
            (r#"{"tags":{"c":"text"}}"#, r#"{"tags":{"c":{"e":[1,{"f":null}]},"a":"c"}}"#),
            ("{}", r#"{"tags":{"a":"c","c":{"e":[1,{"f":null}]}}}"#),
        ],
    );
    becomes(
        &["--merge-twin", r#"{"properties":{"reported":null,"desired":{"a":1.0}}}"#],
        &[
            (r#"{"properties":{"desired":{},"reported":{}}}"#, r#"{"properties":{"desired":{"a":1.0}}}"#),
            ("{}", r#"{"properties":{"desired":{"a":1.0}}}"#),
        ],
    );
    becomes(
        &["--merge-twin", r#"{"tags":{"a":1}}"#, "--merge-twin", r#"{"tags":{"a":{"b":2}}}"#],
        &[("{}", r#"{"tags":{"a":{"b":2}}}"#)],
    );
    let folder = Folder::new();
    let file = folder.write(
        "patch.json",
        "\u{feff}{\r\n  \"tags\": {\r\n    \"list\": [\r\n      1,\r\n      2\r\n    ]\r\n  }\r\n}\r\n",
    );
    becomes(&["--merge-twin", &format!("@{file}")], &[("{}", r#"{"tags":{"list":[1,2]}}"#)]);
}

#[test]
fn what_is_in_the_way_makes_a_line_invalid() {
    let set = ["--set", "tags.a.b=1"];
    let line = |tags: &str| format!("{{\"id\":\"a\",\"status\":\"enabled\",\"tags\":{tags}}}");
    for tags in ["\"x\"", "{\"a\":1}", "{\"a\":[]}"] {
        rejects(&set, "member-type", &[&line(tags)]);
    }
    for tags in ["{\"a\":{},\"a\":{}}", "{\"a\":{\"b\":1,\"\\u0062\":2}}"] {
        rejects(&set, "duplicate-member", &[&line(tags)]);
    }
    rejects(&set, "member-case", &["{\"id\":\"a\",\"status\":\"enabled\",\"TAGS\":{}}"]);
    rejects(&["--set", "properties.desired.a=1"], "member-case", &["{\"id\":\"a\",\"properties\":{\"Desired\":{}}}"]);
    rejects(
        &["--unset", "properties.reported"],
        "duplicate-member",
        &["{\"id\":\"a\",\"properties\":{\"x\":1,\"x\":2}}"],
    );
    let answer = transform(&set, line("{\"a\":1}").as_bytes());
    assert!(
        answer.stderr_text().contains("error[member-type]: line 1 (byte 41): tags.a must be an object or null"),
        "{}",
        answer.stderr_text()
    );
}

#[test]
fn what_the_line_is_after_the_edit_counts() {
    let device = q("{'id':'a','status':'enabled','authentication':{'type':'sas'}}\n");
    let summary = |args: &[&str]| transform(args, device.as_bytes()).stderr_text();
    assert!(summary(&["--unset", "authentication"]).contains("1 line would give an existing device new keys"));
    assert!(!summary(&["--unset", "authentication", "--set", "importMode=\"create\""]).contains("new keys"));
    assert!(summary(&["--unset", "status"]).contains("status-missing"));
    let no_status = q("{'id':'a','authentication':{'type':'sas'}}\n");
    assert_eq!(transform(&["--set", "status=\"enabled\""], no_status.as_bytes()).stderr_text(), "");
    let full = transform(&["--check", "full", "--set", "tags.a=9007199254740993"], device.as_bytes());
    assert!(full.code == 1 && full.stderr_text().contains("twin-integer-range"), "{}", full.stderr_text());
}

#[test]
fn authentication_that_is_taken_out_and_put_in_afresh_is_there() {
    let line = br#"{"id":"a","status":"enabled","authentication":{"type":"sas"}}"#;
    let afresh = ["--unset", "authentication", "--set", "authentication={\"type\":\"certificateAuthority\"}"];
    let answer = transform(&afresh, line);
    assert_eq!(
        answer.stdout_text(),
        "{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{\"type\":\"certificateAuthority\"}}\n"
    );
    assert!(!answer.stderr_text().contains("new keys"), "{}", answer.stderr_text());
    let answer = transform(&afresh[..2], line);
    assert!(answer.stderr_text().contains("1 line would give an existing device new keys"), "{}", answer.stderr_text());
}

#[test]
fn what_can_t_be_meant_is_refused_with_a_mend() {
    for (args, says) in [
        (
            ["--set", "tags.site=oslo"].as_slice(),
            "hint: for a text: --set-text tags.site=oslo, or with JSON's quotes: --set 'tags.site=\"oslo\"'",
        ),
        (&["--set", "tags.site"], "expected = after the path tags.site"),
        (&["--set", "=1"], "expected the name of a member"),
        (&["--set", "tags..a=1"], "expected the name of a member after tags."),
        (&["--set", "tags.list[0]=1"], "elements of arrays have no paths"),
        (&["--set", "tags.a={\"a\":1,}"], "is not JSON"),
        (&["--set", "deviceId=\"a\""], "there it is id"),
        (&["--set", "Tags.a=1"], "write tags"),
        (&["--set", "properties.Desired.a=1"], "write desired"),
        (&["--set", "status.a=1"], "status holds no members"),
        (&["--set", "status=\"off\""], "\"enabled\" or \"disabled\""),
        (&["--set", "importMode=\"remove\""], "import modes"),
        (&["--set", "id=7"], "every line needs an id"),
        (&["--set-text", "id=a b"], "ASCII letters"),
        (
            &["--set", "capabilities={\"iotEdge\":true,\"iot\\u0045dge\":false}"],
            "--set capabilities: iotEdge stands twice",
        ),
        (&["--set", "tags={\"a\":1,\"a\":2}"], "--set tags: a stands twice"),
        (&["--set", "odd.x=[{\"a\":{\"b\":1,\"\\u0062\":1}}]"], "--set odd.x: b stands twice"),
        (&["--unset", "id"], "every line needs its id"),
        (&["--set", "tags.a=1", "--set", "tags.a.b=2"], "--set tags.a.b"),
        (&["--merge-twin", "[]"], "expected an object"),
        (&["--merge-twin", "{\"tags\":1}"], "must be an object or null"),
        (&["--merge-twin", "{\"status\":\"x\"}"], "no part of a twin"),
        (&["--merge-twin", "{\"properties\":{\"x\":{}}}"], "no part of a twin"),
        (&["--merge-twin", "{\"tags\":{\"a\":1,\"\\u0061\":2}}"], "a stands twice"),
        (&["--merge-twin", "{\"tags\":{\"a\":[{\"b\":1,\"b\":2}]}}"], "--merge-twin: b stands twice"),
        (&["--merge-twin", "{"], "not JSON"),
        (&["--max-depth", "3", "--set", "tags.a.b={}"], "--max-depth is 3"),
    ] {
        let answer = transform(args, b"{\"id\":\"a\"}\n");
        assert_answer(&answer, 2, "");
        assert!(answer.stderr_text().contains(says), "{args:?}: {}", answer.stderr_text());
    }
    assert_eq!(transform(&["--merge-twin", "@/none/such"], b"").code, 3);
}

#[test]
fn members_of_an_object_are_looked_at_as_by_their_own_paths() {
    for (whole, path) in [
        (r#"authentication={"type":"x"}"#, r#"authentication.type="x""#),
        (r#"authentication={ "x509Thumbprint":{}, "\u0074ype":7 }"#, "authentication.type=7"),
        (r#"authentication={"symmetricKey":null,"Type":"sas"}"#, r#"authentication.Type="sas""#),
        (r#"authentication={"symmetricKey":{"PrimaryKey":"x"}}"#, "authentication.symmetricKey.PrimaryKey=null"),
        (r#"authentication.symmetricKey={"SecondaryKey":null}"#, "authentication.symmetricKey.SecondaryKey=null"),
        (r#"capabilities={"iotedge":true}"#, "capabilities.iotedge=true"),
        (r#"properties={"desired":{"Desired":1},"Reported":{}}"#, "properties.Reported={}"),
        // What the hub does not know is warned of.
        (r#"authentication={"thumbprint":{},"type":null}"#, "authentication.thumbprint={}"),
        (r#"authentication={"symmetricKey":{"key":1}}"#, "authentication.symmetricKey.key=1"),
    ] {
        let answers = [whole, path].map(|value| transform(&["--set", value, "--unset", "x"], b"{\"id\":\"a\"}\n"));
        let [(whole, whole_code), (path, code)] = answers
            .each_ref()
            .map(|answer| (answer.stderr_text().lines().take(2).collect::<Vec<_>>().join("\n"), answer.code));
        assert_eq!((&whole, whole_code), (&path, code));
        assert!(path.contains("--set "), "{path}");
    }
    let set = r#"authentication={"type":"SAS","symmetricKey":{"primaryKey":null}}"#;
    let line = "{\"id\":\"a\",\"status\":\"enabled\"";
    let expected = format!("{line},{}}}\n", set.replace("authentication=", "\"authentication\":"));
    assert_answer(&transform(&["--set", set], format!("{line}}}\n").as_bytes()), 0, expected);
}

#[test]
fn more_names_on_the_way_than_lines_have_levels_are_refused_at_once() {
    let merge = |objects: usize| format!("{{\"tags\":{}1{}}}", "{\"a\":".repeat(objects), "}".repeat(objects));
    let set = |names: usize| format!("tags{}=1", ".a".repeat(names));
    let folder = Folder::new();
    for names in [128, 20_000] {
        let file = format!("@{}", folder.write("merge", merge(names)));
        let set = set(names);
        let unset = set.trim_end_matches("=1");
        for args in [["--merge-twin", file.as_str()], ["--set", set.as_str()], ["--set-text", &set], ["--unset", unset]]
        {
            let answer = transform(&[&args, ["--max-depth", "10000"].as_slice()].concat(), b"{\"id\":\"a\"}\n");
            assert_eq!(answer.code, 2, "{names} {}", args[0]);
            let stderr = answer.stderr_text();
            assert!(stderr.contains("more than 128 names on the way to a value"), "{names} {}: {stderr}", args[0]);
        }
    }
    let line = "{\"id\":\"a\",\"status\":\"enabled\"";
    for args in [["--merge-twin".to_owned(), merge(127)], ["--set".to_owned(), set(127)]] {
        let args = [args[0].as_str(), &args[1]];
        let expected = format!("{line},{}\n", merge(127).strip_prefix('{').expect("an object"));
        assert_answer(&transform(&args, format!("{line}}}\n").as_bytes()), 0, expected);
    }
}

#[test]
fn a_key_in_a_wrong_value_is_not_shown() {
    for args in [
        ["--set", "authentication.symmetricKey.primaryKey=c2VjcmV0"].as_slice(),
        &["--set", "tags.x=HostName=h;SharedAccessKey=c2VjcmV0"],
        &["--set", "authentication.symmetricKey.primaryKey[=c2VjcmV0"],
        &["--merge-twin", "{\"tags\":{\"x\":c2VjcmV0}}"],
    ] {
        let answer = transform(args, b"");
        assert!(answer.code == 2 && !answer.stderr_text().contains("c2Vj"), "{args:?}: {}", answer.stderr_text());
    }
}

#[test]
fn a_hint_is_whole_where_a_value_is_hidden() {
    let hint = |path: &str, text: &str| {
        format!("hint: for a text: --set-text {path}={text}, or with JSON's quotes: --set '{path}=\"{text}\"'\n")
    };
    let long = "x".repeat(61);
    for (path, value, hint) in [
        ("tags.site", "oslo", hint("tags.site", "oslo")),
        ("tags.site", &long, hint("tags.site", "TEXT")),
        ("authentication.type", "sas", hint("authentication.type", "TEXT")),
        // After these names a text is hidden, whatever it is.
        ("authentication.symmetricKey.primaryKey", "c2VjcmV0", hint("PATH", "TEXT")),
        ("tags.secondaryKey", "c2VjcmV0", hint("PATH", "TEXT")),
    ] {
        let stderr = transform(&["--set", &format!("{path}={value}")], b"").stderr_text();
        assert!(stderr.ends_with(&hint) && !stderr.contains("c2Vj"), "{stderr}");
        assert!(stderr.starts_with(&format!("error: --set {path}: ")), "{stderr}");
    }
}

#[test]
fn contradictions_name_both_flags() {
    for (args, both) in [
        (["--strip-twin", "--merge-twin", "{\"tags\":{}}"].as_slice(), ["--strip-twin", "--merge-twin"]),
        (&["--strip-twin", "--merge-twin", "{}"], ["--strip-twin", "--merge-twin"]),
        (&["--preset", "share", "--merge-twin", " { } "], ["--preset share", "--merge-twin"]),
        (&["--minimal", "--merge-twin", "{\"tags\":{}}"], ["--minimal", "--merge-twin"]),
        (&["--minimal", "--merge-twin", "{}"], ["--minimal", "--merge-twin"]),
        (&["--preset", "delete", "--merge-twin", "{}", "--set", "status=0"], ["--preset delete", "--merge-twin"]),
        (&["--preset", "delete", "--set", "tags.a=1"], ["--preset delete", "--set tags.a"]),
        (&["--preset", "share", "--unset", "tags.a"], ["--preset share", "--unset tags.a"]),
        (&["--preset", "migrate", "--set", "deviceScope=null"], ["--preset migrate", "--set deviceScope"]),
        (&["--import-mode", "create", "--set", "importMode=\"delete\""], ["--import-mode", "--set importMode"]),
        (&["--status", "enabled", "--set-text", "status=disabled"], ["--status", "--set-text status"]),
        (&["--status-reason", "x", "--unset", "statusReason"], ["--status-reason", "--unset statusReason"]),
        (&["--strip-keys", "--set", "authentication.type=\"sas\""], ["--strip-keys", "--set authentication.type"]),
        (
            &["--regenerate-keys", "--set", "authentication.type=\"sas\""],
            ["--regenerate-keys", "--set authentication.type"],
        ),
        (&["--swap-keys", "--set", "importMode=\"update\""], ["--swap-keys", "--set importMode"]),
        (&["--promote-secondary", "--set", "id=\"x\""], ["--promote-secondary", "--set id"]),
        (&["--strip-etags", "--set", "eTag=\"x\""], ["--strip-etags", "--set eTag"]),
        (&["--strip-etags", "--set", "importMode=\"updateIfMatchETag\""], ["--strip-etags", "--set importMode"]),
    ] {
        let answer = transform(args, b"");
        assert_answer(&answer, 2, "");
        let stderr = answer.stderr_text();
        assert!(
            both.iter().all(|flag| stderr.contains(flag)) && stderr.contains("can't be combined with"),
            "{args:?}: {stderr}"
        );
    }
}

#[test]
fn members_that_the_hub_does_not_know_are_warned_of() {
    let answer = transform(&["--set", "tag.site=1"], b"{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{}}\n");
    assert_eq!(answer.code, 0);
    let stderr = answer.stderr_text();
    assert!(
        stderr.contains("warning: --set tag.site: the hub does not know this member")
            && stderr.contains("tags was probably meant"),
        "{stderr}"
    );
}

#[test]
fn metadata_and_edits_go_together() {
    becomes(
        &["--strip-metadata", "--set", "properties.desired.$version=7"],
        &[(
            r#"{"properties":{"desired":{"a":1,"$metadata":{},"$version":3},"reported":{"$version":1}}}"#,
            r#"{"properties":{"desired":{"a":1,"$version":7},"reported":{}}}"#,
        )],
    );
    rejects(
        &["--strip-metadata", "--unset", "properties.desired.a"],
        "member-type",
        &["{\"id\":\"a\",\"properties\":7}"],
    );
}
