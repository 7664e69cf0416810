//! What one line is found to be: a fixture a reason, and limits at the limit and one past.

use std::collections::BTreeSet;
use std::fs;

use hubmill_device::Code;
use hubmill_testkit::process::fixture_files;

use crate::{findings_of, good, lines_and_codes};

#[test]
fn every_fixture_has_the_finding_of_its_name_and_no_other() {
    let mut met = BTreeSet::new();
    for path in fixture_files("findings").expect("a folder") {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let (code, _) = name.split_once("--").expect("code--reason");
        met.insert(code.to_owned());
        let input = fs::read(&path).expect("a file");
        let found = lines_and_codes(&findings_of(&[], &input));
        assert!(!found.is_empty(), "{name}");
        assert!(found.iter().all(|(_, found)| found == code), "{name}: {found:?}");
        if input.starts_with(b"{\"id\":\"good-1\"") && code != "notice" {
            let last = input.split_inclusive(|byte| *byte == b'\n').count() as u64;
            assert!(found.iter().all(|(line, _)| (2..last).contains(line)), "{name}: {found:?}");
        }
    }
    for about in Code::ALL.iter().map(|code| code.about()) {
        let code = about.code.as_str();
        // Others are said by other commands; a line that is too long is large, and has a test of its own.
        let no_fixture = !about.command.starts_with("validate") || code == "line-too-long";
        assert!(no_fixture || met.contains(code), "no fixture for {code}");
    }
}

/// The codes of one line.
fn codes(line: &str) -> Vec<String> {
    lines_and_codes(&findings_of(&[], format!("{line}\n").as_bytes())).into_iter().map(|(_, code)| code).collect()
}

fn tags(tags: &str) -> String {
    format!(r#"{{"id":"d","status":"enabled","importMode":"updateTwin","tags":{tags}}}"#)
}

fn section(name: &str, content: &str) -> String {
    format!(r#"{{"id":"d","status":"enabled","importMode":"updateTwin","properties":{{"{name}":{content}}}}}"#)
}

#[test]
fn limits_at_the_limit_and_one_past() {
    let text = |length: usize| "x".repeat(length);
    let numbers = |count: usize| vec!["1"; count].join(",");
    let nested = |depth: usize| format!("{}1{}", r#"{"a":"#.repeat(depth + 1), "}".repeat(depth + 1));
    let key = |bytes: usize| {
        // Three bytes are four letters, and what is left over is padded.
        let letters = (bytes * 4).div_ceil(3);
        format!("{}{}", "A".repeat(letters), "=".repeat(letters.next_multiple_of(4) - letters))
    };
    let keys = |bytes: usize| {
        let key = key(bytes);
        format!(
            r#"{{"id":"d","status":"enabled","importMode":"create","authentication":{{"symmetricKey":{{"primaryKey":"{key}","secondaryKey":"{key}"}},"type":"sas"}}}}"#
        )
    };
    let cases: Vec<(String, String, &str)> = vec![
        (
            tags(&format!(r#"{{"a":"{}","b":"{}"}}"#, text(4095), text(4095))),
            tags(&format!(r#"{{"a":"{}","b":"{}"}}"#, text(4095), text(4096))),
            "tags-size",
        ),
        // One for the name, 8 for each number.
        (
            section("desired", &format!(r#"{{"1234567":[{}],"a":0}}"#, numbers(4094))),
            section("desired", &format!(r#"{{"1234567":[{}],"ab":0}}"#, numbers(4094))),
            "desired-size",
        ),
        (
            section(
                "reported",
                &format!(r#"{{"123":[{}],"a":true}}"#, numbers(4095).replacen('1', "true", 1) + ",false"),
            ),
            section(
                "reported",
                &format!(r#"{{"1234":[{}],"a":true}}"#, numbers(4095).replacen('1', "true", 1) + ",false"),
            ),
            "reported-size",
        ),
        (tags(&format!(r#"{{"{}":1}}"#, text(1024))), tags(&format!(r#"{{"{}":1}}"#, text(1025))), "twin-key-length"),
        (
            tags(&format!(r#"{{"a":"{}"}}"#, text(4096))),
            tags(&format!(r#"{{"a":"{}"}}"#, text(4097))),
            "twin-string-length",
        ),
        (tags(&nested(10)), tags(&nested(11)), "twin-depth"),
        (tags(r#"{"a":4503599627370495}"#), tags(r#"{"a":4503599627370496}"#), "twin-integer-range"),
        (tags(r#"{"a":-4503599627370496}"#), tags(r#"{"a":-4503599627370497}"#), "twin-integer-range"),
        (good(&text(128)), good(&text(129)), "id-length"),
        (keys(16), keys(15), "key-length"),
        (keys(64), keys(65), "key-length"),
    ];
    for (at, past, code) in cases {
        assert_eq!(codes(at.trim_end()), [""; 0], "{code} at the limit");
        assert_eq!(codes(past.trim_end()).first().map(String::as_str), Some(code), "{code} one past");
    }
}

#[test]
fn sizes_do_not_count_control_characters_and_what_the_hub_adds() {
    let at_limit = format!(
        r#"{{"$metadata":{{"x.y":"{}"}},"$version":7,"a":[{}],"b\n\u0085":"\r\t"}}"#,
        "m".repeat(5000),
        vec!["1"; 4095].join(",")
    );
    // 1 + 8 * 4095 + 1 leaves 6 of 32768. The names of control characters are refused, but do not count.
    let found = codes(&section("desired", &at_limit));
    assert_eq!(found, ["twin-key-charset"]);
    let past = at_limit.replace("\\r\\t", "1234567");
    assert_eq!(codes(&section("desired", &past)), ["desired-size", "twin-key-charset"]);
}

#[test]
fn an_empty_type_is_a_warning_and_sas() {
    let line = |kind: &str, more: &str| {
        format!(r#"{{"id":"d","status":"enabled","importMode":"create","authentication":{{{more}"type":{kind}}}}}"#)
            + "\n"
    };
    let thumbprint = format!(r#""x509Thumbprint":{{"primaryThumbprint":"{}"}},"#, "AB".repeat(20));
    for more in ["", &thumbprint] {
        let found = findings_of(&[], line("\"\"", more).as_bytes());
        assert!(found.iter().all(|finding| finding["severity"] == "warning"), "{found:?}");
        let mut want = lines_and_codes(&findings_of(&[], line("null", more).as_bytes()));
        want.insert(0, (1, "authentication-type".to_owned()));
        assert_eq!(lines_and_codes(&found), want);
    }
    let found = findings_of(&[], line("\" \"", "").as_bytes());
    assert_eq!((&found[0]["code"], &found[0]["severity"]), (&"authentication-type".into(), &"error".into()));
}

#[test]
fn over_in_bytes_alone_is_a_warning() {
    for (line, severity) in [
        (tags(&format!(r#"{{"a":"{}","b":"{}","c":1}}"#, "é".repeat(2048), "é".repeat(2048))), "warning"),
        (tags(&format!(r#"{{"a":"{}"}}"#, "é".repeat(2049))), "warning"),
        (tags(&format!(r#"{{"a":"{}"}}"#, "é".repeat(4097))), "error"),
    ] {
        let found = findings_of(&[], line.as_bytes());
        assert!(found.iter().any(|finding| finding["severity"] == severity), "{found:?}");
        assert!(severity == "error" || found.iter().all(|finding| finding["severity"] == "warning"), "{found:?}");
    }
}

#[test]
fn unknown_members_say_what_was_probably_meant() {
    for (line, meant) in [
        (r#""thumbprint":null"#, "authentication.x509Thumbprint"),
        (r#""etag":"MA==""#, "eTag"),
        (r#""desiredProperties":{}"#, "properties.desired"),
        (r#""deviceId":"d""#, "id was probably meant"),
        (r#""auth":null"#, "authentication was probably meant"),
    ] {
        let line = format!(r#"{{"id":"d","status":"enabled","importMode":"delete",{line}}}"#);
        let found = findings_of(&[], line.as_bytes());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0]["message"].as_str().expect("a message").contains(meant), "{found:?}");
    }
}

#[test]
fn keys_never_reach_a_message() {
    let key = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";
    for line in [
        format!(
            r#"{{"id":"{key}","status":"enabled","authentication":{{"symmetricKey":{{"primaryKey":"{key}x","secondaryKey":7}}}}}}"#
        ),
        format!(r#"{{"id":"d","status":"{key}","primaryKey":"{key}","{key}":1,"tags":{{"{key}":{{"a.b":null}}}}}}"#),
        format!(r#"{{"id":"d","status":"enabled","tags":{{"a":{{"SharedAccessKey={key}":{{"$":null}}}}}}}}"#),
    ] {
        let found = findings_of(&[], line.as_bytes());
        assert!(!found.is_empty());
        for finding in found {
            assert!(!finding.to_string().contains("c2VjcmV0"), "{finding}");
        }
    }
}

/// What a section of a twin has wrong in several places is told for each of them.
#[test]
fn all_that_is_wrong_in_a_twin_is_found_up_to_sixteen_times_a_line() {
    let line = |tags: &str| {
        format!(
            "{{\"id\":\"a\",\"status\":\"enabled\",\"importMode\":\"updateTwin\",\"tags\":{{{tags}}},\
             \"properties\":{{\"desired\":{{\"x\":99999999999999999,\"y\":99999999999999999}}}}}}\n"
        )
    };
    let of = |code: &str, tags: &str, args: &[&str]| {
        let found = findings_of(args, line(tags).as_bytes());
        let places: Vec<_> =
            found.iter().filter(|found| found["code"] == code).map(|found| found["path"].clone()).collect();
        places
    };
    let names = "\"a b\":1,\"c.d\":2,\"e\":{\"f#g\":3}";
    assert_eq!(of("twin-key-charset", names, &[]), ["tags.a b", "tags.c.d", "tags.e.f#g"]);
    assert_eq!(of("twin-integer-range", names, &[]), ["properties.desired.x", "properties.desired.y"]);
    let many: Vec<String> = (0..40).map(|number| format!("\"{number} \":null")).collect();
    for code in ["twin-key-charset", "twin-null"] {
        assert_eq!(of(code, &many.join(","), &[]).len(), 16, "{code}");
        let allowed = of(code, &many.join(","), &["--allow", code]);
        assert!(allowed.is_empty(), "{allowed:?}");
    }
}
