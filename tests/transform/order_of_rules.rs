//! Responsible for: that the order of the flags means nothing, and that rules see what the rules before them did.

use crate::support::{assert_answer, transform};

#[test]
fn the_order_of_flags_means_nothing() {
    let flags: [&[&str]; 8] = [
        &["--drop-system-modules"],
        &["--import-mode", "updateTwin"],
        &["--status", "disabled"],
        &["--status-reason", "out \"of\" use"],
        &["--swap-keys"],
        &["--minimal"],
        &["--strip-metadata"],
        &["--threads", "2"],
    ];
    let input = concat!(
        r#"{"id":"a","moduleId":"$edgeAgent","status":"enabled"}"#,
        "\n",
        r#"{"id":"b","authentication":{"symmetricKey":{"primaryKey":"MQ==","secondaryKey":"Mg=="},"type":"sas"},"properties":{"desired":{"$version":1,"x":1.0},"reported":{}}}"#,
        "\n",
        r#"{"id":"c","importMode":"create","status":"enabled","properties":{"reported":{}}}"#,
        "\n",
    );
    let wanted = concat!(
        r#"{"id":"b","properties":{"desired":{"x":1.0}},"importMode":"updateTwin","status":"disabled"}"#,
        "\n",
        r#"{"id":"c","importMode":"updateTwin","status":"disabled"}"#,
        "\n",
    );
    for first in 0..flags.len() {
        let mut turned = flags.to_vec();
        turned.rotate_left(first);
        if first % 2 == 1 {
            turned.reverse();
        }
        assert_answer(&transform(&turned.concat(), input.as_bytes()), 0, wanted);
    }
}

#[test]
fn later_rules_go_by_the_mode_that_was_set() {
    let keyed = r#"{"id":"a","status":"enabled","importMode":"MODE","authentication":{"symmetricKey":{"primaryKey":"MQ==","secondaryKey":"Mg=="},"type":"sas"}}"#;
    let swapped = keyed.replace("MQ==", "x").replace("Mg==", "MQ==").replace('x', "Mg==");
    // A delete line has no keys to swap, whatever its mode was before; a line that was to be deleted and no longer is, has.
    for (from, to, wanted) in
        [("create", "delete", keyed), ("delete", "update", &swapped), ("updateTwin", "create", &swapped)]
    {
        let input = format!("{}\n", keyed.replace("MODE", from));
        let answer = transform(&["--import-mode", to, "--swap-keys"], input.as_bytes());
        assert_answer(&answer, 0, format!("{}\n", wanted.replace("MODE", to)));
    }
}

#[test]
fn selection_reads_the_line_as_it_came() {
    // `--minimal` takes nothing away that selection needed, and what an edit sets is not what is selected by.
    let input = "{\"id\":\"a\",\"moduleId\":\"m\",\"status\":\"enabled\"}\n{\"id\":\"a\",\"status\":\"enabled\"}\n";
    let answer = transform(&["--minimal", "--import-mode", "delete", "--modules-only"], input.as_bytes());
    assert_answer(&answer, 0, "{\"id\":\"a\",\"moduleId\":\"m\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n");
}

#[test]
fn checks_look_at_the_line_as_it_leaves() {
    let answer = transform(&["--status", "enabled"], b"{\"id\":\"a\",\"authentication\":{}}\n");
    assert_answer(&answer, 0, "{\"id\":\"a\",\"authentication\":{},\"status\":\"enabled\"}\n");
    assert_eq!(answer.stderr_text(), "");
    let answer = transform::<&str>(&[], b"{\"id\":\"a\",\"authentication\":{},\"status\":null}\n");
    assert_answer(&answer, 0, "{\"id\":\"a\",\"authentication\":{},\"status\":null}\n");
    assert!(answer.stderr_text().contains("warning[status-missing]: line 1 (byte "), "{}", answer.stderr_text());
}

#[test]
fn check_none_lets_ids_pass_and_json_not() {
    let input = "{\"id\":\"a b\"}\n{}\n{\"id\":7}\n{\"ID\":\"x\"}\n{\"id\":}\n[]\n";
    let answer = transform(&["--check", "none"], input.as_bytes());
    assert_answer(&answer, 1, "{\"id\":\"a b\"}\n{}\n{\"id\":7}\n{\"ID\":\"x\"}\n");
    let answer = transform(&["--check", "id"], input.as_bytes());
    assert_answer(&answer, 1, "");
    for code in ["id-charset", "id-missing", "member-type", "json-syntax", "not-an-object"] {
        assert!(answer.stderr_text().contains(&format!("error[{code}]: line ")), "{code}: {}", answer.stderr_text());
    }
}
