//! Responsible for: the tests of the oracle: single edits written out by hand from the contract, and the fixtures.

use super::*;
use crate::process::fixture_files;
use crate::rules::Slot;

/// The one line after the rules, or its codes.
fn after(rules: &Rules, line: &str) -> String {
    let expected = transform(rules, format!("{{}}\n{line}\n").as_bytes());
    match &expected.lines[1].outcome {
        Outcome::Written { document, untouched } => {
            assert_eq!(*untouched, document.to_line() == line);
            let mut text = document.to_line().replace(&format!("\"{}\"", tree::FRESH), "FRESH");
            for warning in expected.lines[1].warnings.iter().filter(|code| **code != "keys-rotate") {
                text = format!("{text} {warning}");
            }
            text
        }
        Outcome::Rejected { codes } => codes.iter().copied().collect::<Vec<_>>().join(" "),
        other => format!("{other:?}"),
    }
}

macro_rules! rules {
    ($($name:ident: $value:expr),* $(,)?) => { Rules { $($name: $value,)* ..Rules::default() } };
}

fn id(rest: &str) -> String {
    format!("{{\"id\":\"a\",\"status\":\"enabled\"{rest}}}")
}

#[test]
fn import_mode_is_replaced_or_added() {
    let rules = rules!(import_mode: Some(5));
    assert_eq!(after(&rules, &id("")), id(",\"importMode\":\"delete\""));
    assert_eq!(after(&rules, &id(",\"importMode\": {} , \"x\":1 ")), id(",\"importMode\": \"delete\" , \"x\":1 "));
    assert_eq!(after(&rules, &id(",\"importMode\":\"Delete\"")), id(",\"importMode\":\"delete\""));
    assert_eq!(after(&rules, &id(",\"ImportMode\":\"x\"")), "member-case");
    assert_eq!(after(&rules, &id(",\"x\":1,\"\\u0078\":1")), "duplicate-member");
}

#[test]
fn status_and_reason() {
    let rules = rules!(disabled: Some(true), status_reason: Some("a \"b\"".to_owned()));
    assert_eq!(
        after(&rules, "{\"status\":\"enabled\",\"id\":\"a\"}"),
        "{\"status\":\"disabled\",\"id\":\"a\",\"statusReason\":\"a \\\"b\\\"\"}"
    );
    let rules = rules!(status_reason: Some(String::new()));
    assert_eq!(after(&rules, &id(",\"statusReason\":\"x\"")), id(""));
    assert_eq!(after(&rules, "{\"id\":\"a\"}"), "{\"id\":\"a\"} status-missing");
}

#[test]
fn keys_are_stripped() {
    let rules = rules!(strip_keys: true);
    let pair = |primary: &str, secondary: &str| {
        id(&format!(
            ",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":{primary},\"secondaryKey\":{secondary}}}}}"
        ))
    };
    assert_eq!(after(&rules, &pair("\"abc=\"", "null")), pair("null", "null"));
    assert_eq!(after(&rules, &id(",\"authentication\":null")), id(",\"authentication\":null"));
    assert_eq!(after(&rules, &id(",\"authentication\":\"x\"")), "member-type");
    assert_eq!(after(&rules, &pair("1", "2").replace("primaryKey", "secondaryKey")), "duplicate-member");
    let rules = rules!(strip_authentication: true);
    assert_eq!(after(&rules, &pair("\"abc=\"", "null")), id(",\"authentication\":null"));
    assert_eq!(after(&rules, &id("")), id(""));
}

#[test]
fn keys_are_made_only_for_lines_that_visibly_have_some() {
    let rules = rules!(regenerate_keys: Some(Slot::Both));
    let line = |authentication: &str| id(&format!(",\"authentication\":{authentication}"));
    let fresh = "\"symmetricKey\":{\"primaryKey\":FRESH,\"secondaryKey\":FRESH}";
    for (before, expected) in [
        ("null", "null} keyless"),
        ("{}", "{}} keyless"),
        ("{\"symmetricKey\":{}}", "{\"symmetricKey\":{}}} keyless"),
        ("{\"type\":\"SelfSigned\"}", "{\"type\":\"SelfSigned\"}} left-x509"),
        ("{\"type\":2}", "{\"type\":2}} left-ca"),
        ("{\"type\":\"none\"}", "{\"type\":\"none\"}} left-none"),
    ] {
        assert_eq!(after(&rules, &line(before)), line(expected).trim_end_matches('}').to_owned(), "{before}");
    }
    assert_eq!(after(&rules, &line("{ \"type\":\"SAS\"}")), line(&format!("{{ {fresh},\"type\":\"SAS\"}}")));
    assert_eq!(after(&rules, &line("{\"symmetricKey\":null,\"type\":0}")), line(&format!("{{{fresh},\"type\":0}}")));
    assert_eq!(
        after(&rules, &line("{\"symmetricKey\":{\"secondaryKey\":null}}")),
        line("{\"symmetricKey\":{\"secondaryKey\":FRESH,\"primaryKey\":FRESH}}")
    );
    assert_eq!(after(&rules, &line("{\"symmetricKey\":{\"primaryKey\":5}}")), "member-type");
    assert_eq!(after(&rules, &line("{\"type\":\"SELF_SIGNED\"}")), "authentication-type");
    assert_eq!(
        after(&rules, &line("{\"x509Thumbprint\":{\"primaryThumbprint\":\"ab\"},\"type\":\"sas\"}"))
            .split(' ')
            .next_back(),
        Some("left-x509")
    );
    let modes = line("{\"type\":\"sas\"},\"importMode\":\"UpdateTwin\"");
    assert_eq!(after(&rules, &modes), format!("{modes} left-mode"));
    let module = line("{\"type\":\"sas\"},\"moduleId\":\"\\u0024x\"");
    assert_eq!(after(&rules, &module), format!("{module} left-system-module"));
    assert_eq!(after(&rules, &line("{\"type\":\"sas\"},\"importMode\":null")), "import-mode-value");
}

#[test]
fn keyless_lines_are_given_the_full_shape() {
    let rules = rules!(regenerate_keys: Some(Slot::Both), keyless_sas: true);
    let full = ",\"authentication\":{\"symmetricKey\":{\"primaryKey\":FRESH,\"secondaryKey\":FRESH},\"x509Thumbprint\":\
                {\"primaryThumbprint\":null,\"secondaryThumbprint\":null},\"type\":\"sas\"}";
    assert_eq!(after(&rules, &id("")), id(full));
    assert_eq!(after(&rules, &id(",\"authentication\":null,\"x\":1")), id(&format!("{full},\"x\":1")));
}

#[test]
fn one_key_needs_the_other() {
    let line = |primary: &str, secondary: &str| {
        id(&format!(
            ",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":{primary},\"secondaryKey\":{secondary}}}}}"
        ))
    };
    let one = rules!(regenerate_keys: Some(Slot::Primary));
    assert_eq!(after(&one, &line("\"p\"", "\"s\"")), line("FRESH", "\"s\""));
    assert_eq!(after(&one, &line("null", "\"s\"")), line("FRESH", "\"s\""));
    assert_eq!(after(&one, &line("\"p\"", "\"\"")), line("\"p\"", "\"\"") + " keys-missing");
    let swap = rules!(swap_keys: true);
    assert_eq!(after(&swap, &line("\"p\"", "\"s\\/\"")), line("\"s\\/\"", "\"p\""));
    assert_eq!(after(&swap, &line("\"p\"", "null")), line("\"p\"", "null") + " keys-missing");
    let promote = rules!(promote_secondary: true);
    assert_eq!(after(&promote, &line("\"p\"", "\"s\"")), line("\"s\"", "FRESH"));
    assert_eq!(after(&promote, &line("\"p\"", "null")), line("\"p\"", "null") + " keys-missing");
}

#[test]
fn minimal_keeps_what_the_mode_needs() {
    let rules = rules!(minimal: true);
    let rest = ",\"eTag\":\"e\",\"x\":1,\"twinETag\":\"t\",\"tags\":{},\"properties\":{\"reported\":{},\"desired\":{}}";
    let line = |mode: &str, rest: &str| id(&format!(",\"importMode\":\"{mode}\"{rest}"));
    assert_eq!(after(&rules, &line("Delete", rest)), line("Delete", ",\"eTag\":\"e\""));
    let twin = ",\"twinETag\":\"t\",\"tags\":{},\"properties\":{\"desired\":{}}";
    assert_eq!(after(&rules, &line("updateTwin", rest)), line("updateTwin", twin));
    assert_eq!(after(&rules, &line("create", rest)), line("create", rest));
    assert_eq!(after(&rules, &line("updateTwin", ",\"properties\":{\"reported\":{}}")), line("updateTwin", ""));
    assert_eq!(after(&rules, &line("updateTwin", ",\"properties\":null")), line("updateTwin", ""));
    assert_eq!(after(&rules, &line("updateTwin", ",\"properties\":5")), "member-type");
    assert_eq!(after(&rules, &line("delete", ",\"etag\":\"e\"")), "member-case");
    assert_eq!(after(&rules, &id(",\"importMode\":9")), "import-mode-value");
}

#[test]
fn etags_twins_and_metadata_are_stripped() {
    let line = id(
        ",\"eTag\":\"e\",\"twinETag\":\"t\",\"tags\":{},\"properties\":{\"desired\":{\"$version\":1,\"a\":{\"$version\":2},\"$metadata\":{}},\"reported\":null}",
    );
    let strip = |rules: Rules| after(&rules, &line);
    assert_eq!(strip(rules!(strip_etags: true)), line.replace(",\"eTag\":\"e\",\"twinETag\":\"t\"", ""));
    assert_eq!(strip(rules!(strip_twin: true)), id(",\"eTag\":\"e\""));
    let expected = line.replace("\"$version\":1,", "").replace(",\"$metadata\":{}", "");
    assert_eq!(strip(rules!(strip_metadata: true)), expected);
}

#[test]
fn migrate_knows_scopes() {
    let scope =
        |scope: &str| id(&format!(",\"authentication\":{{}},\"deviceScope\":\"{scope}\",\"importMode\":\"create\""));
    let old = scope("ms-azure-iot-edge://edge-1-123");
    let mut rules = rules!(preset: Some(Preset::Migrate));
    assert_eq!(after(&rules, &old), "device-scope");
    assert_eq!(after(&rules, &id("")), "keys-by-hub");
    let twins = rules!(preset: Some(Preset::Migrate), import_mode: Some(7));
    assert_eq!(after(&twins, &id("")), id(",\"importMode\":\"updateTwin\""));
    let edge = old.replace("{}", "{},\"capabilities\":{\"iotEdge\":true}");
    assert_eq!(
        after(&rules, &edge),
        id(",\"authentication\":{},\"capabilities\":{\"iotEdge\":true},\"importMode\":\"create\"")
    );
    rules.scope_map = Some(format!("notice\n{}", edge.replace("\"a\"", "\"edge-1\"").replace("1-123", "1-999")));
    assert_eq!(after(&rules, &old), scope("ms-azure-iot-edge://edge-1-999"));
    rules.allow = vec!["device-scope".to_owned(), "keys-by-hub".to_owned()];
    assert_eq!(after(&rules, &scope("else")), scope("else") + " device-scope");
    assert_eq!(after(&rules, &id("")), id(",\"importMode\":\"create\"") + " keys-by-hub");
}

#[test]
fn migrate_looks_into_capabilities_where_there_is_a_scope() {
    let rules = rules!(preset: Some(Preset::Migrate), allow: vec!["device-scope".to_owned()]);
    let line = |capabilities: &str, rest: &str| {
        id(&format!(",\"importMode\":\"create\",\"authentication\":{{}},\"capabilities\":{capabilities}{rest}"))
    };
    let scope = ",\"deviceScope\":\"x\"";
    for (capabilities, expected) in [
        ("5", "member-type"),
        ("[]", "member-type"),
        ("{\"iotEdge\":\"true\"}", "member-type"),
        ("{\"iotEdge\":true,\"x\":1,\"x\":1}", "duplicate-member"),
        ("{\"iotedge\":true}", "member-case"),
    ] {
        assert_eq!(after(&rules, &line(capabilities, scope)), expected, "{capabilities}");
        assert_eq!(after(&rules, &line(capabilities, "")), line(capabilities, ""), "{capabilities}");
    }
    for capabilities in ["null", "{}", "{\"iotEdge\":null}", "{\"iotEdge\":false}"] {
        assert_eq!(after(&rules, &line(capabilities, scope)), line(capabilities, scope) + " device-scope");
    }
    let module = line("{\"iotEdge\":true}", ",\"moduleId\":\"m\"");
    assert_eq!(after(&rules, &module), module);
    assert_eq!(after(&rules, &line("{\"iotEdge\":true}", ",\"deviceScope\":5")), line("{\"iotEdge\":true}", ""));
    assert_eq!(after(&rules, &line("{}", ",\"deviceScope\":5")), "member-type");
}

#[test]
fn scopes_are_found_by_the_parent_and_copied_as_they_are_spelled() {
    let scopes = |export: &str| edits::scopes_of(export).len();
    let edge = "{\"id\":\"e\",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"ms-azure-iot-edge:\\/\\/e-2\"}";
    assert_eq!(scopes(edge), 1);
    assert_eq!(scopes(&format!("\u{feff}notice\r\n{edge}\r\n{edge}")), 1);
    for other in ["{\"x\":1,\"x\":1,", "{\"moduleId\":\"m\","] {
        assert_eq!(scopes(&edge.replacen('{', other, 1)), 0, "{other}");
    }
    assert_eq!(scopes(&edge.replace("true", "1")), 0);
    assert_eq!(scopes(&edge.replace("ms-azure-iot-edge:\\/\\/e-2", "")), 0);
    let rules = rules!(preset: Some(Preset::Migrate), scope_map: Some(edge.to_owned()));
    let line =
        |scope: &str| id(&format!(",\"importMode\":\"create\",\"authentication\":{{}},\"deviceScope\":\"{scope}\""));
    assert_eq!(after(&rules, &line("ms-azure-iot-edge://e-1")), line("ms-azure-iot-edge:\\/\\/e-2"));
    for scope in ["ms-azure-iot-edge://e-x", "ms-azure-iot-edge://e-", "ms-azure-iot-edge://-1", "e-1"] {
        assert_eq!(after(&rules, &line(scope)), "device-scope", "{scope}");
    }
}

#[test]
fn an_etag_that_the_mode_needs_is_missed() {
    let rules = rules!(strip_etags: true);
    let line = |mode: &str| id(&format!(",\"importMode\":{mode}"));
    for (mode, warning) in
        [("\"updateIfMatchETag\"", " etag-missing"), ("6", " etag-missing"), ("\"update\"", ""), ("null", "")]
    {
        assert_eq!(after(&rules, &line(mode)), line(mode) + warning, "{mode}");
    }
    let rules = rules!(strip_etags: true, import_mode: Some(1));
    assert_eq!(after(&rules, &line("6")), line("\"create\""));
}

#[test]
fn twins_that_would_go_back_are_counted() {
    let status = rules!(disabled: Some(true));
    let line = |rest: &str| format!("{{\"id\":\"a\",\"status\":\"disabled\"{rest}}}");
    for (rest, warning) in [
        (",\"tags\":null", " twin-rollback"),
        (",\"properties\":{},\"importMode\":\"UPDATE\"", " twin-rollback"),
        (",\"properties\":{},\"importMode\":\"create\"", ""),
        (",\"properties\":{},\"importMode\":null", ""),
        (",\"twinETag\":\"x\"", ""),
    ] {
        let after = after(&status, &line(rest).replace("disabled", "enabled"));
        assert_eq!(after, line(rest) + warning);
    }
    assert_eq!(after(&status, &line(",\"tags\":{}")), line(",\"tags\":{}"), "a line that is not changed");
    let stripped = rules!(disabled: Some(true), strip_twin: true);
    assert_eq!(after(&stripped, &id(",\"tags\":{}")), line(""));
    let set = |name: &str| rules!(deep: vec![Deep::SetText(vec![name.to_owned()], "x".to_owned())]);
    assert_eq!(
        after(&set("statusReason"), &line(",\"tags\":{}")),
        line(",\"tags\":{},\"statusReason\":\"x\"") + " twin-rollback"
    );
    assert_eq!(after(&set("other"), &line(",\"tags\":{}")), line(",\"tags\":{},\"other\":\"x\""));
    let mode = rules!(import_mode: Some(0));
    assert_eq!(after(&mode, &line(",\"tags\":{}")), line(",\"tags\":{},\"importMode\":\"createOrUpdate\""));
}

#[test]
fn what_goes_whole_is_not_looked_into() {
    let line = id(",\"importMode\":\"updateTwin\",\"properties\":5");
    assert_eq!(after(&rules!(minimal: true), &line), "member-type");
    assert_eq!(after(&rules!(minimal: true, strip_twin: true), &line), id(",\"importMode\":\"updateTwin\""));
    assert_eq!(after(&rules!(strip_metadata: true, strip_twin: true), &line), id(",\"importMode\":\"updateTwin\""));
    let keys = |value: &str| id(&format!(",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":{value}}}}}"));
    for value in ["5", "{\"a\":1}", "\"\"", "true"] {
        assert_eq!(after(&rules!(strip_keys: true), &keys(value)), keys("null"), "{value}");
    }
}

#[test]
fn the_last_of_two_counts_where_nobody_minds_the_first() {
    let rules = rules!(check: Check::None);
    let twice = |first: &str, second: &str| {
        let expected = transform(&rules, format!("{{\"importMode\":{first},\"importMode\":{second}}}\n").as_bytes());
        expected.codes.contains_key("keys-rotate")
    };
    assert!(twice("\"create\"", "\"update\"") && !twice("\"update\"", "\"create\""));
}

#[test]
fn selection_filters_and_edits_come_after() {
    let input = "{\"id\":\"a\"}\n{\"id\":\"a\",\"moduleId\":\"$m\"}\n{\"id\":\"b\",\"moduleId\":5,\"ImportMode\":1}\nbad\n{\"iD\":\"a\"}\n";
    let outcomes = |rules: Rules| -> String {
        let expected = transform(&rules, input.as_bytes());
        expected.lines.iter().map(|line| format!("{:?}", line.outcome).chars().next().unwrap_or(' ')).collect()
    };
    assert_eq!(outcomes(rules!(devices_only: true, check: Check::None)), "WFWRW");
    assert_eq!(outcomes(rules!(modules_only: true, import_mode: Some(1))), "FWFRF");
    assert_eq!(outcomes(rules!(drop_system_modules: true)), "WFWRR");
    assert_eq!(outcomes(rules!(ids: Some(vec!["a".to_owned()]))), "WWFRR");
    assert_eq!(outcomes(rules!(ids_not: Some(vec!["a".to_owned()]), check: Check::None)), "FFWRR");
    assert_eq!(outcomes(rules!(import_mode: Some(1))), "WWRRR");
    assert_eq!(outcomes(rules!(on_invalid: OnInvalid::Keep)), "WWWKK");
}

#[test]
fn enums_are_read_as_the_hub_reads_them() {
    let read = |text: &str| read_enum(Some(&json::parse(text.as_bytes(), 9).expect("JSON").root), &IMPORT_MODES, 0);
    assert_eq!(read_enum(None, &IMPORT_MODES, 0), Some(0));
    for (text, mode) in [("\"DELETE\"", 5), ("5", 5), ("\"5\"", 5), ("\"d\\u0065lete\"", 5), ("8", 8)] {
        assert_eq!(read(text), Some(mode), "{text}");
    }
    for text in ["null", "9", "\"9\"", "5.0", "\"05\"", "\"\"", "\" delete\"", "-0", "{}", "true", "\"\\ud800\""] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn limits_counts_and_the_output() {
    let input = b"\xef\xbb\xbfnotice\r\n\r\n{\"id\":\"a\"}\r\n{\"id\":\"a\",\"x\":[[]]}\n{\"id\":\"abcdefghijklmnopqrstuvwxyz\"}\r\r";
    let rules = rules!(max_depth: 2, max_line_bytes: 20);
    let expected = transform(&rules, input);
    let counts = expected.counts();
    assert_eq!((counts.lines, counts.written, counts.rejected, counts.notices, counts.blank), (5, 1, 2, 1, 1));
    assert_eq!(expected.codes, BTreeMap::from([("keys-rotate", 1), ("status-missing", 1)]));
    assert_eq!(expected.compare(b"{\"id\":\"a\"}\n", 32), Ok(()));
    for wrong in [b"".as_slice(), b"{\"id\":\"b\"}\n", b"{\"id\":\"a\"}\n\n", b"{\"id\":\"a\"}\r\n", b"{\"id\":\"a\"}"]
    {
        assert!(expected.compare(wrong, 32).is_err(), "{wrong:?}");
    }
    assert_eq!(expected.exit_code(), 1);
    assert_eq!(expected.rejects(), b"{\"id\":\"a\",\"x\":[[]]}\n{\"id\":\"abcdefghijklmnopqrstuvwxyz\"}\r\r\n");
    assert_eq!(transform(&Rules::default(), b"").codes, BTreeMap::from([("empty-output", 1)]));
    let keep = transform(&rules!(on_invalid: OnInvalid::Keep), b"{}\r\n");
    assert_eq!((keep.exit_code(), keep.compare(b"{}\r\n", 32)), (1, Ok(())));
}

#[test]
fn good_fixtures_pass_untouched() {
    for folder in ["export", "import", "valid"] {
        for path in fixture_files(folder).expect("a folder") {
            let input = std::fs::read(&path).expect("read");
            let expected = transform(&Rules::default(), &input);
            let counts = expected.counts();
            assert_eq!((counts.rejected, counts.edited), (0, 0), "{}", path.display());
            assert!(folder != "valid" || counts.written == counts.lines, "{}", path.display());
        }
    }
}

#[test]
fn bad_fixtures_have_the_code_of_their_name() {
    for path in fixture_files("invalid").expect("a folder") {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let parts: Vec<&str> = name.split("--").collect();
        let bad_lines = if parts.len() == 3 { parts[1].parse().expect("a number of lines") } else { 1 };
        let expected = transform(&Rules::default(), &std::fs::read(&path).expect("read"));
        assert_eq!(expected.lines.len(), 2 + bad_lines, "{name}");
        for (index, line) in expected.lines.iter().enumerate() {
            let good = index == 0 || index == expected.lines.len() - 1;
            match &line.outcome {
                Outcome::Written { .. } => assert!(good, "{name}"),
                Outcome::Rejected { codes } => assert!(!good && codes.contains(parts[0]), "{name}: {codes:?}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
