//! Responsible for: rules that take members out, and what becomes of commas and white space around them.

use crate::{becomes, rejects};

#[test]
fn a_member_goes_with_its_comma_and_its_white_space() {
    becomes(
        &["--strip-etags"],
        &[
            (r#"{"id":"a","eTag":"x","b":1}"#, r#"{"id":"a","b":1}"#),
            (r#"{"eTag":"x","id":"a"}"#, r#"{"id":"a"}"#),
            (r#"{"id":"a","eTag":"x"}"#, r#"{"id":"a"}"#),
            (r#"{"id":"a" , "eTag" : "x" , "b" : 1 }"#, r#"{"id":"a" , "b" : 1 }"#),
            (r#"{ "eTag" : "x" , "id" : "a" }"#, r#"{ "id" : "a" }"#),
            (r#"{ "id" : "a" , "eTag" : "x" }"#, r#"{ "id" : "a" }"#),
            (r#"{"eTag":"x","twinETag":"y","id":"a"}"#, r#"{"id":"a"}"#),
            (r#"{"id":"a","eTag":"x","twinETag":"y"}"#, r#"{"id":"a"}"#),
            (r#"{ "eTag":"x" , "id":"a" , "twinETag":"y" , "b":2 }"#, r#"{ "id":"a" , "b":2 }"#),
            (r#"{"eTag":"x"}"#, r#"{}"#),
            (r#"{ "eTag" : "x" }"#, r#"{  }"#),
            (r#"{ "eTag":"x" , "twinETag":"y" }"#, r#"{  }"#),
            (r#"{"\u0065Tag":{"any":[1]},"id":"a"}"#, r#"{"id":"a"}"#),
            (r#"{"id":"a","tags":{"eTag":"x"}}"#, r#"{"id":"a","tags":{"eTag":"x"}}"#),
        ],
    );
}

#[test]
fn a_member_can_be_added_where_another_went() {
    becomes(
        &["--strip-etags", "--import-mode", "create"],
        &[
            (r#"{"id":"a","eTag":"x" }"#, r#"{"id":"a","importMode":"create" }"#),
            (r#"{"eTag":"x"}"#, r#"{"importMode":"create"}"#),
            (r#"{"eTag":"x","importMode":"update","twinETag":"y"}"#, r#"{"importMode":"create"}"#),
            (r#"{"id":"a" , "eTag":"x" , "twinETag":"y"}"#, r#"{"id":"a","importMode":"create"}"#),
        ],
    );
}

#[test]
fn an_empty_status_reason_removes_it() {
    becomes(
        &["--status-reason", ""],
        &[
            (r#"{"id":"a","statusReason":"x","b":1}"#, r#"{"id":"a","b":1}"#),
            (r#"{"statusReason":"x","id":"a"}"#, r#"{"id":"a"}"#),
            (r#"{"id":"a","statusReason":null}"#, r#"{"id":"a"}"#),
            (r#"{"id":"a"}"#, r#"{"id":"a"}"#),
        ],
    );
}

#[test]
fn strip_twin_by_both_names() {
    for flag in ["--strip-twin", "--identity-only"] {
        becomes(
            &[flag],
            &[
                (
                    r#"{"id":"a","eTag":"x","twinETag":"y","tags":{"b":{}},"properties":{"desired":{}},"capabilities":{}}"#,
                    r#"{"id":"a","eTag":"x","capabilities":{}}"#,
                ),
                (r#"{"properties":null,"tags":[],"id":"a","twinETag":1}"#, r#"{"id":"a"}"#),
                (r#"{"id":"a"}"#, r#"{"id":"a"}"#),
            ],
        );
    }
}

#[test]
fn strip_metadata() {
    becomes(
        &["--strip-metadata"],
        &[
            (
                r#"{"id":"a","properties":{"desired":{"$metadata":{"x":1},"a":1,"$version":2},"reported":{"$version":3}}}"#,
                r#"{"id":"a","properties":{"desired":{"a":1},"reported":{}}}"#,
            ),
            (
                r#"{"id":"a","properties":{"desired":{"b":{"$version":1},"$version" : 2 , "c":1}}}"#,
                r#"{"id":"a","properties":{"desired":{"b":{"$version":1} , "c":1}}}"#,
            ),
            (
                r#"{"id":"a","properties":{"desired":null,"reported":[],"$version":1},"tags":{"$version":1}}"#,
                r#"{"id":"a","properties":{"desired":null,"reported":[],"$version":1},"tags":{"$version":1}}"#,
            ),
            (r#"{"id":"a","properties":null,"$version":1}"#, r#"{"id":"a","properties":null,"$version":1}"#),
            (r#"{"id":"a"}"#, r#"{"id":"a"}"#),
            (
                r#"{"id":"a","properties":{"reported":{"\u0024version":1,"$versio":2}}}"#,
                r#"{"id":"a","properties":{"reported":{"$versio":2}}}"#,
            ),
        ],
    );
    rejects(&["--strip-metadata"], "member-type", &[r#"{"id":"a","properties":"x"}"#]);
    rejects(&["--strip-metadata"], "member-case", &[r#"{"id":"a","properties":{"Desired":{"$version":1}}}"#]);
    rejects(
        &["--strip-metadata"],
        "duplicate-member",
        &[r#"{"id":"a","properties":{"desired":{},"desired":{"$version":1}}}"#],
    );
}

/// Everything that a line can have, and something unknown.
const FULL: &str = r#"{"id":"a","moduleId":"m","eTag":"e","importMode":"MODE","status":"enabled","statusReason":"r","authentication":{"type":"sas"},"twinETag":"t","tags":{"x":1},"properties":{"desired":{"d":1},"reported":{"r":1}},"capabilities":{"iotEdge":false},"deviceScope":"s","parentScopes":[],"unknown":1}"#;
const DELETE: &str = r#"{"id":"a","moduleId":"m","eTag":"e","importMode":"MODE","status":"enabled"}"#;
const TWIN: &str = r#"{"id":"a","moduleId":"m","importMode":"MODE","status":"enabled","twinETag":"t","tags":{"x":1},"properties":{"desired":{"d":1}}}"#;

#[test]
fn minimal_by_the_mode_of_the_line() {
    for (modes, kept) in [
        (["delete", "Delete", "DELETEIFMATCHETAG"].as_slice(), DELETE),
        (&["updateTwin", "UPDATETWIN", "updateTwinIfMatchETag"], TWIN),
        (&["create", "createOrUpdate", "update", "updateIfMatchETag", "createOrUpdateIfMatchETag", "2", "0"], FULL),
    ] {
        for mode in modes {
            becomes(&["--minimal"], &[(&FULL.replace("MODE", mode), &kept.replace("MODE", mode))]);
        }
    }
    for (number, kept) in [(5, DELETE), (6, DELETE), (7, TWIN), (8, TWIN), (1, FULL), (3, FULL)] {
        for spelled in [number.to_string(), format!("\"{number}\"")] {
            let line = |text: &str| text.replace("\"MODE\"", &spelled);
            becomes(&["--minimal"], &[(&line(FULL), &line(kept))]);
        }
    }
    becomes(
        &["--minimal", "--import-mode", "delete"],
        &[(&FULL.replace("MODE", "create"), &DELETE.replace("MODE", "delete"))],
    );
    becomes(&["--minimal"], &[(r#"{"id":"a","x":1}"#, r#"{"id":"a","x":1}"#)]);
    rejects(
        &["--minimal"],
        "import-mode-value",
        &[
            r#"{"id":"a","status":"enabled","importMode":"remove"}"#,
            r#"{"id":"a","status":"enabled","importMode":null}"#,
            r#"{"id":"a","status":"enabled","importMode":9}"#,
            r#"{"id":"a","status":"enabled","importMode":5.0}"#,
            r#"{"id":"a","status":"enabled","importMode":["delete"]}"#,
        ],
    );
}

#[test]
fn minimal_keeps_of_properties_what_is_desired() {
    becomes(
        &["--minimal", "--import-mode", "updateTwin"],
        &[
            (
                r#"{"id":"a","importMode":"updateTwin","properties":{"reported":{},"desired":{"a":75.10},"x":1}}"#,
                r#"{"id":"a","importMode":"updateTwin","properties":{"desired":{"a":75.10}}}"#,
            ),
            (r#"{"id":"a","importMode":"updateTwin","properties":null}"#, r#"{"id":"a","importMode":"updateTwin"}"#),
            (r#"{"id":"a","importMode":"updateTwin","properties":{}}"#, r#"{"id":"a","importMode":"updateTwin"}"#),
            (
                r#"{"properties":{"reported":{}},"id":"a","importMode":"updateTwin"}"#,
                r#"{"id":"a","importMode":"updateTwin"}"#,
            ),
            (
                r#"{"id":"a","importMode":"updateTwin","properties":{"desired":null}}"#,
                r#"{"id":"a","importMode":"updateTwin","properties":{"desired":null}}"#,
            ),
        ],
    );
    rejects(
        &["--minimal", "--import-mode", "updateTwin"],
        "member-type",
        &[r#"{"id":"a","status":"enabled","properties":[1]}"#],
    );
    becomes(
        &["--minimal", "--strip-metadata", "--import-mode", "updateTwin"],
        &[(
            r#"{"id":"a","properties":{"desired":{"$version":1,"b":2},"reported":{"$version":1}}}"#,
            r#"{"id":"a","properties":{"desired":{"b":2}},"importMode":"updateTwin"}"#,
        )],
    );
}
