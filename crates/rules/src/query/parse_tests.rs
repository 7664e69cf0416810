use super::parse;

#[test]
fn faults_point_at_their_place_and_say_what_would_be_right() {
    for (text, at, says) in [
        ("", 0..0, "expected a value"),
        ("status =", 8..8, "but the expression ends"),
        ("status = )", 9..10, "found )"),
        ("(status = 'enabled'", 19..19, "expected )"),
        ("status = 'enabled' x", 19..20, "expected AND, OR"),
        ("status == 'enabled'", 7..8, "equal is written ="),
        ("status = 'enabled' && a", 19..20, "write AND"),
        ("tags.a = 1 = 2", 11..12, "parentheses"),
        ("tags.a NOT IN [1]", 7..10, "NIN"),
        ("tags.a IN (1)", 10..11, "square brackets"),
        ("tags.a IN [1", 12..12, "comma or ]"),
        ("tags.a LIKE 'x%'", 7..11, "startswith"),
        ("WHERE status = 'enabled'", 0..5, "after WHERE"),
        ("SELECT * FROM devices", 0..6, "after WHERE"),
        ("foo(1)", 0..3, "no function foo"),
        ("lower(tags.a) = 'x'", 0..5, "message routes"),
        ("is_defined tags.a", 0..10, "no member is_defined"),
        ("startswith(tags.a)", 17..18, "second argument"),
        ("tags.a = 'x", 9..10, "not closed"),
        ("tags.a = 'x\\n'", 11..12, "escape"),
        ("tags.a = 007", 9..12, "expected a number"),
        ("tags.a = 1x", 9..11, "expected a number"),
        ("tags.a = 0xg", 9..12, "expected a number"),
        ("tags.a = undefined", 9..18, "is_defined"),
        ("tags.a != null", 10..14, "is_null"),
        ("status = 'disable'", 9..18, "'enabled' or 'disabled'"),
        ("importMode = 5", 13..14, "import modes"),
        ("tags.my-site = 1", 8..12, "[[my-site]]"),
        ("connectionState = 'Connected'", 0..15, "no export holds"),
        ("tags.[[a = 1", 5..7, "]]"),
        ("tags[0] = 1", 4..5, "arrays"),
        ("[1] = tags.a", 0..1, "after IN"),
        ("status = \u{2018}enabled\u{2019}", 9..12, "straight quotes"),
    ] {
        let fault = parse(text).expect_err(text);
        let all = format!("{} {}", fault.message, fault.hint.clone().unwrap_or_default());
        assert_eq!(fault.at, at, "{text}: {all}");
        assert!(all.contains(says), "{text}: {all}");
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |count: usize| format!("{}tags.a{}", "(".repeat(count), ")".repeat(count));
    assert!(parse(&deep(100)).is_ok() && parse(&deep(100_000)).is_err());
    assert!(parse(&format!("{} tags.a", "NOT ".repeat(100_000))).is_err());
    assert!(parse(&format!("tags.a = {}1", "-".repeat(100_000))).is_err());
    assert!(parse(&format!("tags.a = 1{}", "+1".repeat(100_000))).is_err());
    assert!(parse(&["tags.a = 1"; 100_000].join(" OR ")).is_ok());
}
