//! Responsible for: rules that set or replace members.

use crate::support::{Folder, assert_answer, transform};
use crate::{becomes, q, rejects};

const MODES: [&str; 9] = [
    "createOrUpdate",
    "create",
    "update",
    "updateIfMatchETag",
    "createOrUpdateIfMatchETag",
    "delete",
    "deleteIfMatchETag",
    "updateTwin",
    "updateTwinIfMatchETag",
];

#[test]
fn every_import_mode_in_any_case() {
    for mode in MODES {
        for spelled in [mode.to_owned(), mode.to_ascii_uppercase(), mode.to_ascii_lowercase()] {
            becomes(
                &["--import-mode", &spelled],
                &[
                    ("{\"id\":\"a\"}", &q(&format!("{{'id':'a','importMode':'{mode}'}}"))),
                    ("{\"importMode\":7,\"id\":\"a\"}", &q(&format!("{{'importMode':'{mode}','id':'a'}}"))),
                    ("{\"id\":\"a\",\"importMode\" : null }", &q(&format!("{{'id':'a','importMode' : '{mode}' }}"))),
                ],
            );
        }
    }
}

#[test]
fn a_value_is_replaced_where_it_stands() {
    becomes(
        &["--import-mode", "delete"],
        &[
            (r#"{"importMode":"Delete","id":"a"}"#, r#"{"importMode":"delete","id":"a"}"#),
            (r#"{"importMode":"delete","id":"a"}"#, r#"{"importMode":"delete","id":"a"}"#),
            (r#"{"id":"a","importMode":{"x":[1,{}]},"b":1}"#, r#"{"id":"a","importMode":"delete","b":1}"#),
            (r#"{"id":"a","import\u004dode":"create"}"#, r#"{"id":"a","import\u004dode":"delete"}"#),
            (r#"{"id":"a","importMode":"d\u0065lete"}"#, r#"{"id":"a","importMode":"delete"}"#),
            (
                r#"{"id":"a","tags":{"importMode":"x"}}"#,
                r#"{"id":"a","tags":{"importMode":"x"},"importMode":"delete"}"#,
            ),
            (r#"{"id":"a","importMode":5}"#, r#"{"id":"a","importMode":"delete"}"#),
        ],
    );
}

#[test]
fn a_member_is_added_right_after_the_last_value() {
    becomes(
        &["--import-mode", "create"],
        &[
            (r#"{"id":"a"}"#, r#"{"id":"a","importMode":"create"}"#),
            ("  { \"id\" : \"a\" \t } ", "  { \"id\" : \"a\",\"importMode\":\"create\" \t } "),
            (r#"{}"#, r#"{"importMode":"create"}"#),
            (r#"{"id":"a","x":{"y":[]} }"#, r#"{"id":"a","x":{"y":[]},"importMode":"create" }"#),
            (r#"{"id":"a","x":-1.50E+2}"#, r#"{"id":"a","x":-1.50E+2,"importMode":"create"}"#),
            (r#"{"id":"a","x":"}"}"#, r#"{"id":"a","x":"}","importMode":"create"}"#),
        ],
    );
    // More than one: in the order of the contract's table, whatever the order of the flags.
    becomes(
        &[
            "--keyless",
            "skip",
            "--regenerate-keys",
            "--status-reason",
            "r",
            "--status",
            "disabled",
            "--import-mode",
            "update",
        ],
        &[(r#"{"id":"a"}"#, r#"{"id":"a","importMode":"update","status":"disabled","statusReason":"r"}"#)],
    );
}

#[test]
fn status() {
    let lines = [
        r#"{"id":"a"}"#,
        r#"{"status":"Enabled","id":"a"}"#,
        r#"{"status":1,"id":"a"}"#,
        r#"{"id":"a","status":null}"#,
        r#"{"id":"a","status":["x"]}"#,
    ];
    for status in ["enabled", "disabled"] {
        let wanted = [
            "{'id':'a','status':'S'}",
            "{'status':'S','id':'a'}",
            "{'status':'S','id':'a'}",
            "{'id':'a','status':'S'}",
            "{'id':'a','status':'S'}",
        ]
        .map(|line| q(line).replace('S', status));
        let pairs: Vec<(&str, &str)> = lines.into_iter().zip(wanted.iter().map(String::as_str)).collect();
        becomes(&["--status", status], &pairs);
    }
}

#[test]
fn status_reason_is_set_and_escaped() {
    becomes(
        &["--status-reason", "moved"],
        &[
            (r#"{"id":"a"}"#, r#"{"id":"a","statusReason":"moved"}"#),
            (r#"{"statusReason":"old \" one","id":"a"}"#, r#"{"statusReason":"moved","id":"a"}"#),
            (r#"{"statusReason":null,"id":"a"}"#, r#"{"statusReason":"moved","id":"a"}"#),
        ],
    );
    for (text, spelled) in [
        ("say \"x\" \\ /", r#"say \"x\" \\ /"#),
        ("tab\tand\u{1}\u{1f}", r"tab\tand\u0001\u001f"),
        ("zwölf 🚚 \u{2028}", "zwölf 🚚 \u{2028}"),
        (" ", " "),
    ] {
        let wanted = format!("{{\"id\":\"a\",\"statusReason\":\"{spelled}\"}}");
        becomes(&["--status-reason", text], &[(r#"{"id":"a"}"#, &wanted)]);
    }
}

#[test]
fn a_status_reason_that_the_hub_refuses_is_refused() {
    let longest = "é".repeat(128);
    let wanted = format!("{{\"id\":\"a\",\"statusReason\":\"{longest}\"}}");
    becomes(&["--status-reason", &longest], &[(r#"{"id":"a"}"#, &wanted)]);
    let answer = transform(&["--status-reason", &"x".repeat(129)], b"{}\n");
    assert_answer(&answer, 2, "");
}

#[test]
fn strip_keys_leaves_what_is_no_key() {
    becomes(
        &["--strip-keys"],
        &[
            (
                r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":"cDE=","secondaryKey":"cDI="},"x509Thumbprint":{"primaryThumbprint":"AB","secondaryThumbprint":null},"type":"sas"}}"#,
                r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":"AB","secondaryThumbprint":null},"type":"sas"}}"#,
            ),
            (
                r#"{"authentication" : { "symmetricKey" : { "secondaryKey" : "" } } , "id":"a"}"#,
                r#"{"authentication" : { "symmetricKey" : { "secondaryKey" : null } } , "id":"a"}"#,
            ),
            (
                r#"{"id":"a","authentication":{"symmetricKey":{"primar\u0079Key":"x","other":"y"}}}"#,
                r#"{"id":"a","authentication":{"symmetricKey":{"primar\u0079Key":null,"other":"y"}}}"#,
            ),
            (
                r#"{"id":"a","authentication":{"symmetricKey":null}}"#,
                r#"{"id":"a","authentication":{"symmetricKey":null}}"#,
            ),
            (
                r#"{"id":"a","authentication":{"symmetricKey":{}}}"#,
                r#"{"id":"a","authentication":{"symmetricKey":{}}}"#,
            ),
            (r#"{"id":"a","authentication":null}"#, r#"{"id":"a","authentication":null}"#),
            (r#"{"id":"a"}"#, r#"{"id":"a"}"#),
            (
                r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":5,"secondaryKey":{"a":"b"}}}}"#,
                r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null}}}"#,
            ),
            (
                r#"{"id":"a","tags":{"authentication":{"symmetricKey":{"primaryKey":"inner"}}}}"#,
                r#"{"id":"a","tags":{"authentication":{"symmetricKey":{"primaryKey":"inner"}}}}"#,
            ),
        ],
    );
    rejects(
        &["--strip-keys"],
        "member-type",
        &[
            r#"{"id":"a","authentication":"x"}"#,
            r#"{"id":"a","authentication":[]}"#,
            r#"{"id":"a","authentication":{"symmetricKey":"x"}}"#,
        ],
    );
    rejects(
        &["--strip-keys"],
        "duplicate-member",
        &[
            r#"{"id":"a","authentication":{"symmetricKey":null,"symmetricKey":{"primaryKey":"x"}}}"#,
            r#"{"id":"a","authentication":{"symmetricKey":{"primaryKey":"x","primary\u004bey":"y"}}}"#,
        ],
    );
    rejects(
        &["--strip-keys"],
        "member-case",
        &[
            r#"{"id":"a","Authentication":{"symmetricKey":{"primaryKey":"x"}}}"#,
            r#"{"id":"a","authentication":{"SymmetricKey":{"primaryKey":"x"}}}"#,
            r#"{"id":"a","authentication":{"symmetricKey":{"PrimaryKey":"x"}}}"#,
        ],
    );
}

#[test]
fn strip_authentication() {
    becomes(
        &["--strip-authentication"],
        &[
            (r#"{"id":"a","authentication":{"type":"sas"},"x":1}"#, r#"{"id":"a","authentication":null,"x":1}"#),
            (r#"{"id":"a","authentication":"anything"}"#, r#"{"id":"a","authentication":null}"#),
            (r#"{"id":"a","authentication" : null}"#, r#"{"id":"a","authentication" : null}"#),
            (r#"{"id":"a"}"#, r#"{"id":"a"}"#),
        ],
    );
    rejects(&["--strip-authentication"], "member-case", &[r#"{"id":"a","AUTHENTICATION":{"type":"sas"}}"#]);
}

#[test]
fn only_changed_lines_count_as_edited() {
    let folder = Folder::new();
    let report = folder.arg("report");
    let input = "{\"id\":\"a\",\"status\":\"enabled\"}\n{\"id\":\"b\",\"status\":\"Enabled\"}\r\n{\"id\":\"c\"}\r\n";
    let answer = transform(&["--status", "enabled", "--report", &report], input.as_bytes());
    assert_answer(
        &answer,
        0,
        "{\"id\":\"a\",\"status\":\"enabled\"}\n{\"id\":\"b\",\"status\":\"enabled\"}\n{\"id\":\"c\",\"status\":\"enabled\"}\n",
    );
    assert_eq!(folder.report("report").number("edited"), 2);
    // A `\r` that goes is no edit.
    let answer = transform(&["--report", &report], b"{\"id\":\"a\",\"status\":\"enabled\"}\r\n");
    assert_answer(&answer, 0, "{\"id\":\"a\",\"status\":\"enabled\"}\n");
    assert_eq!(folder.report("report").number("edited"), 0);
}

#[test]
fn names_in_another_case_are_not_edited_around() {
    for (args, name) in [
        (["--import-mode", "create"].as_slice(), "ImportMode"),
        (&["--status", "enabled"], "STATUS"),
        (&["--status-reason", "x"], "statusreason"),
        (&["--status-reason", ""], "StatusReason"),
        (&["--strip-etags"], "etag"),
        (&["--strip-etags"], "twinEtag"),
        (&["--strip-twin"], "Tags"),
        (&["--strip-twin"], "Properties"),
        (&["--strip-metadata"], "PROPERTIES"),
        (&["--regenerate-keys"], "ImportMode"),
        (&["--regenerate-keys"], "moduleID"),
        (&["--swap-keys"], "Authentication"),
        (&["--preset", "migrate"], "devicescope"),
        (&["--preset", "migrate"], "Capabilities"),
        (&["--preset", "delete"], "importmode"),
    ] {
        let line = format!("{{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{{}},\"{name}\":null}}");
        rejects(args, "member-case", &[&line]);
    }
    // A rule that has nothing to do with the name lets it pass.
    becomes(
        &["--import-mode", "create"],
        &[(r#"{"id":"a","StatusReason":"x"}"#, r#"{"id":"a","StatusReason":"x","importMode":"create"}"#)],
    );
    rejects(&["--import-mode", "delete", "--minimal"], "member-case", &[r#"{"id":"a","status":"enabled","Tags":{}}"#]);
}

#[test]
fn names_that_stand_twice_are_not_edited() {
    for args in [["--import-mode", "create"].as_slice(), &["--strip-etags"], &["--devices-only"], &[]] {
        rejects(
            args,
            "duplicate-member",
            &[r#"{"id":"a","x":1,"x":1}"#, r#"{"id":"a","status":"enabled","statu\u0073":"enabled"}"#],
        );
    }
    // Without a rule and without a check nobody looks.
    becomes(&[], &[(r#"{"id":"a","x":1,"x":2}"#, r#"{"id":"a","x":1,"x":2}"#)]);
    // Deeper they are nobody's business.
    becomes(
        &["--import-mode", "create"],
        &[(r#"{"id":"a","tags":{"x":1,"x":2}}"#, r#"{"id":"a","tags":{"x":1,"x":2},"importMode":"create"}"#)],
    );
}
