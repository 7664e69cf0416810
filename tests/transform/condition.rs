//! Responsible for: `--where`, which lines it keeps, what it refuses and where its messages point.

use crate::rejects;
use crate::support::{Folder, assert_answer, hubmill, transform};

const ENABLED: &str = "{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{\"type\":\"sas\"},\"tags\":{\"site\":\"oslo\",\"n\":3}}\n";
const DISABLED: &str = "{\"id\":\"b\",\"status\":\"Disabled\",\"authentication\":{\"type\":\"selfSigned\"},\"tags\":{\"site\":\"\\u0062ergen\",\"n\":9007199254740993}}\n";
const MODULE: &str = "{\"id\":\"a\",\"moduleId\":\"m\",\"status\":1,\"authentication\":null,\"properties\":{\"desired\":{\"a.b\":{\"c\":null}}}}\n";
const EDGE: &str = "{\"status\":\"enabled\",\"id\":\"edge-1\",\"eTag\":\"MA==\",\"authentication\":{\"type\":0},\"capabilities\":{\"iotEdge\":true},\"tags\":{\"n\":2.50,\"site\":\"Oslo\",\"group\":[1]}}\n";
const ALL: [&str; 4] = [ENABLED, DISABLED, MODULE, EDGE];

/// Runs all lines through and expects these to be kept, and the others in `--filtered`.
#[track_caller]
fn keeps(expression: &str, kept: &[&str]) {
    let folder = Folder::new();
    let (filtered, report) = (folder.arg("filtered"), folder.arg("report"));
    let args = ["--where", expression, "--filtered", &filtered, "--report", &report];
    assert_answer(&transform(&args, ALL.concat().as_bytes()), 0, kept.concat());
    let left_out: Vec<&str> = ALL.iter().filter(|line| !kept.contains(line)).copied().collect();
    assert_eq!(folder.text("filtered"), left_out.concat(), "{expression}");
    let report = folder.report("report");
    report.assert_adds_up();
    assert_eq!((report.number("filtered"), report.number("edited")), (left_out.len() as u64, 0));
}

#[test]
fn an_expression_may_start_with_a_minus() {
    let answer = transform(&["--where", "-tags.n = -3"], ALL.concat().as_bytes());
    assert_answer(&answer, 0, ENABLED);
}

#[test]
fn comparisons_and_names() {
    keeps("tags.site = 'oslo'", &[ENABLED]);
    keeps("tags.site = \"bergen\"", &[DISABLED]);
    keeps("tags.site != 'oslo'", &[DISABLED, EDGE]);
    keeps("tags.site <> 'oslo'", &[DISABLED, EDGE]);
    keeps("deviceId = 'a'", &[ENABLED, MODULE]);
    keeps("DeviceId = 'a' AND moduleId = 'm'", &[MODULE]);
    keeps("id >= 'b'", &[DISABLED, EDGE]);
    keeps("etag = 'MA=='", &[EDGE]);
    keeps("status = 'disabled'", &[DISABLED, MODULE]);
    keeps("STATUS = 'DISABLED'", &[DISABLED, MODULE]);
    keeps("[[status]] = 'Disabled'", &[DISABLED]);
    keeps("authenticationType = 'sas'", &[ENABLED, EDGE]);
    keeps("authenticationType NIN ['sas', 'none']", &[DISABLED]);
    keeps("capabilities.iotEdge", &[EDGE]);
    keeps("capabilities.iotEdge = true", &[EDGE]);
    keeps("tags.group = 1 OR is_array(tags.[[group]])", &[EDGE]);
    keeps("is_null(properties.desired.[[a.b]].c)", &[MODULE]);
    keeps("is_null(properties.desired['a.b']['c'])", &[MODULE]);
}

#[test]
fn numbers_and_arithmetic() {
    keeps("tags.n = 3", &[ENABLED]);
    keeps("tags.n = 9007199254740993", &[DISABLED]);
    keeps("tags.n = 9007199254740992", &[]);
    keeps("tags.n > 0x02", &[ENABLED, DISABLED, EDGE]);
    keeps("tags.n * 2 = 5", &[EDGE]);
    keeps("tags.n + 1 * 2 = 5.0", &[ENABLED]);
    keeps("(tags.n + 1) * 2 = 8", &[ENABLED]);
    keeps("tags.n % 2 = 1", &[ENABLED, DISABLED]);
    keeps("(-tags.n) < -3", &[DISABLED]);
    keeps("tags.n / 0 = 1 OR NOT (tags.n / 0 = 1)", &[]);
    keeps("tags.n = '3'", &[]);
}

#[test]
fn undefined_is_neither_true_nor_false() {
    keeps("NOT (tags.site = 'oslo')", &[DISABLED, EDGE]);
    keeps("tags.none = 1 OR tags.site = 'oslo'", &[ENABLED]);
    keeps("NOT (tags.none = 1 AND tags.site = 'oslo')", &[DISABLED, EDGE]);
    keeps("is_defined(tags.site)", &[ENABLED, DISABLED, EDGE]);
    keeps("NOT is_defined(tags.site)", &[MODULE]);
    keeps("tags.site IN ['x', 'oslo', tags.n]", &[ENABLED]);
    keeps("tags.site NIN ['oslo']", &[DISABLED, EDGE]);
    keeps("tags.site", &[]);
    keeps("true", &ALL);
    keeps("undefined", &[]);
}

#[test]
fn functions() {
    keeps("startswith(deviceId, 'edge')", &[EDGE]);
    keeps("ENDSWITH(tags.site, 'en')", &[DISABLED]);
    keeps("contains(tags.site, 'slo')", &[ENABLED, EDGE]);
    keeps("contains(tags.n, '3')", &[]);
    keeps("is_string(tags.site) AND is_number(tags.n)", &[ENABLED, DISABLED, EDGE]);
    keeps("is_bool(capabilities.iotEdge)", &[EDGE]);
    keeps("is_object(authentication)", &[ENABLED, DISABLED, EDGE]);
    keeps("is_null(authentication)", &[MODULE]);
}

#[test]
fn conditions_add_up_with_other_selections() {
    let answer = transform(&["--where", "status = 'disabled'", "--devices-only"], ALL.concat().as_bytes());
    assert_answer(&answer, 0, DISABLED);
    let both = ["--where", "status = 'enabled'", "--where", "tags.n < 3"];
    assert_answer(&transform(&both, ALL.concat().as_bytes()), 0, EDGE);
    let edited = ["--where", "tags.n < 3", "--import-mode", "delete"];
    let answer = transform(&edited, ALL.concat().as_bytes());
    assert_answer(&answer, 0, EDGE.replace("[1]}}", "[1]},\"importMode\":\"delete\"}"));
}

#[test]
fn a_line_that_can_t_be_asked_is_invalid() {
    let site = ["--where", "tags.site = 'x'"];
    rejects(&site, "member-case", &["{\"id\":\"a\",\"status\":\"enabled\",\"Tags\":{\"site\":\"x\"}}"]);
    rejects(&site, "duplicate-member", &["{\"id\":\"a\",\"tags\":{},\"tags\":{\"site\":\"x\"}}"]);
    let desired = ["--where", "properties.desired.x = 1"];
    rejects(&desired, "member-case", &["{\"id\":\"a\",\"properties\":{\"Desired\":{}}}"]);
    rejects(&desired, "duplicate-member", &["{\"id\":\"a\",\"properties\":{\"reported\":{},\"x\":1,\"x\":2}}"]);
    rejects(
        &["--where", "authenticationType = 'sas'"],
        "duplicate-member",
        &["{\"id\":\"a\",\"authentication\":{\"type\":\"sas\",\"type\":\"none\"}}"],
    );
    // Deeper, the last one counts (§1.5).
    let twice =
        "{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{},\"tags\":{\"site\":\"y\",\"site\":\"x\"}}\n";
    assert_answer(&transform(&site, twice.repeat(4).as_bytes()), 0, twice.repeat(4));
}

#[test]
fn what_is_wrong_with_an_expression_is_pointed_at() {
    for (expression, message, mark, hint) in [
        ("tags.site = ", "expected a value", "              ^", ""),
        ("tags.site = 'a' AND (deviceId = 'b'", "expected )", "                                     ^", ""),
        ("status == 'enabled'", "expected a comparison", "         ^", "hint: equal is written ="),
        ("connectionState = 'Connected'", "no export holds connectionState", "  ^^^^^^^^^^^^^^^", ""),
        ("is_defined(lastActivityTime)", "no export holds lastActivityTime", "             ^^^^^^^^^^^^^^^^", ""),
        ("tag.site = 'a'", "a line has no member tag", "  ^^^", "hint: tags was probably meant"),
        ("status = 'off'", "'enabled' or 'disabled'", "           ^^^^^", "hint: "),
        ("SELECT * FROM devices", "expected a value", "  ^^^^^^", "hint: only what stands after WHERE is written"),
    ] {
        let folder = Folder::new();
        let output = folder.arg("out");
        let answer = transform(&["--where", expression, "-o", &output], ENABLED.as_bytes());
        assert_answer(&answer, 2, "");
        assert!(folder.names().is_empty());
        let stderr = answer.stderr_text();
        let lines: Vec<&str> = stderr.lines().collect();
        assert!(lines[0].starts_with("error: --where: ") && lines[0].contains(message), "{stderr}");
        assert_eq!(lines[1].trim_end(), format!("  {}", expression.trim_end()), "{stderr}");
        assert_eq!(lines[2], mark, "{stderr}");
        assert!(lines.get(3).copied().unwrap_or_default().starts_with(hint), "{stderr}");
    }
}

#[test]
fn an_expression_with_a_secret_is_not_repeated() {
    let expression = "tags.x = 'HostName=h;SharedAccessKey=c2VjcmV0c2VjcmV0' AND";
    for command in ["transform", "validate", "stats"] {
        let answer = hubmill(&[command, "--where", expression], ENABLED.as_bytes());
        assert_eq!(answer.code, 2);
        assert!(!answer.stderr_text().contains("c2Vj"), "{}", answer.stderr_text());
    }
}

#[test]
fn validate_and_stats_take_conditions_too() {
    let bad = "{\"id\":\"bad id\",\"status\":\"enabled\",\"authentication\":{},\"tags\":{\"site\":\"oslo\"}}\n";
    let input = format!("{}{bad}broken\n", ALL.concat());
    let answer = hubmill(&["validate", "--where", "tags.site = 'oslo'"], input.as_bytes());
    assert_eq!(answer.code, 1);
    let found = answer.stdout_text();
    assert!(found.contains("error[id-charset]: line 5") && found.contains("error[json-syntax]: line 6"), "{found}");
    assert!(
        !found.contains("line 3") && answer.stderr_text().contains("3 filtered"),
        "{found} {}",
        answer.stderr_text()
    );
    let answer = hubmill(&["validate", "--where", "deviceId = 'none'"], ALL.concat().as_bytes());
    assert!(answer.stdout_text().contains("empty-output"), "{}", answer.stdout_text());

    let answer =
        hubmill(&["stats", "--format", "json", "--where", "status = 'disabled'", "--by", "deviceId"], input.as_bytes());
    assert_eq!(answer.code, 1);
    let counts: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("JSON");
    assert_eq!((counts["totalDeviceCount"].as_u64(), counts["modules"].as_u64()), (Some(1), Some(1)));
    assert_eq!(
        (counts["filtered"].as_u64(), counts["invalid"].as_u64(), counts["lines"].as_u64()),
        (Some(3), Some(1), Some(6))
    );
    let by: Vec<&str> =
        counts["by"]["values"].as_array().expect("values").iter().filter_map(|value| value["value"].as_str()).collect();
    assert_eq!(by, ["a", "b"]);
    let answer = hubmill(&["stats", "--by", "properties.desired.[[a.b]].c"], MODULE.as_bytes());
    assert!(answer.stdout_text().contains("null"), "{}", answer.stdout_text());
    assert_eq!(hubmill(&["stats", "--by", "connectionState"], b"").code, 2);
}
