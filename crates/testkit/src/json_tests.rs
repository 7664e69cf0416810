//! Responsible for: the tests of the reference parser on single lines. That it agrees with other parsers is tested in
//! `tests/differential.rs`.

use super::*;

fn fault(line: &[u8]) -> Option<(&'static str, usize)> {
    check_json(line, 128).err().map(|fault| (fault.code, fault.at))
}

#[test]
fn valid_lines_pass_and_come_back_byte_for_byte() {
    for line in [
        "{}",
        " { } ",
        "[]",
        "[ ]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.50",
        "1E+400",
        "-12.5e-7",
        "\"\"",
        "\"\\u00e9\\ud800\\/\"",
        "{ \"a\" : 1 , \"b\" :\t[ 1 , { } ] }",
        "[[[]],{\"\":{}}]",
        "\"\u{7f}\u{80}\u{2028}\u{ffff}\u{10ffff}\"",
        "{\"a\":1,\"a\":2}\r",
    ] {
        let document = parse(line.as_bytes(), 128).unwrap_or_else(|fault| panic!("{line}: {fault:?}"));
        assert_eq!(document.to_line(), line);
    }
}

#[test]
fn faults_are_where_they_are() {
    let cases: [(&[u8], usize); 36] = [
        (b"", 0),
        (b" ", 1),
        (b"{", 1),
        (b"}", 0),
        (b"{\"a\"}", 4),
        (b"{\"a\":}", 5),
        (b"{\"a\":1,}", 7),
        (b"{,}", 1),
        (b"[1,]", 3),
        (b"[1 2]", 3),
        (b"{\"a\" 1}", 5),
        (b"{\"a\"::1}", 5),
        (b"{a:1}", 1),
        (b"{'a':1}", 1),
        (b"{1:1}", 1),
        (b"01", 1),
        (b"1.", 2),
        (b".5", 0),
        (b"+1", 0),
        (b"1e", 2),
        (b"-", 1),
        (b"0x1", 1),
        (b"NaN", 0),
        (b"True", 0),
        (b"nul", 3),
        (b"nulll", 4),
        (b"\"a\tb\"", 2),
        (b"\"\\x\"", 2),
        (b"\"\\u12g4\"", 5),
        (b"\"\\", 2),
        (b"\"abc", 4),
        (b"{} {}", 3),
        (b"[}", 1),
        (b"{\"a\":1]", 6),
        (b"\"a\0\"", 2),
        (b"1\x0c", 1),
    ];
    for (line, at) in cases {
        assert_eq!(fault(line), Some(("json-syntax", at)), "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn encoding_faults_are_told_from_syntax() {
    for (line, at) in [
        (b"\"\xff\"".as_slice(), 1),
        (b"\"a\xc0\xaf\"", 2),
        (b"\"\xed\xa0\x80\"", 1),
        (b"\"\xf4\x90\x80\x80\"", 1),
        (b"\"\xe2\x82\"", 1),
        (b"{}\xff", 2),
        (b"\"\xc3", 1),
    ] {
        assert_eq!(fault(line), Some(("json-utf8", at)), "{line:?}");
    }
    assert_eq!(fault("{}\u{a0}".as_bytes()), Some(("json-syntax", 2)));
    assert_eq!(fault_codes(b"{x\"\xff\"}", 128), ["json-syntax", "json-utf8"]);
    assert_eq!(fault_codes(b"{\"\xff\":1}", 128), ["json-utf8"]);
    assert!(fault_codes(b"{}", 128).is_empty());
}

#[test]
fn depth_is_counted_from_one() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(fault(nested(128).as_bytes()), None);
    assert_eq!(fault(nested(129).as_bytes()), Some(("json-depth", 128)));
    assert_eq!(fault_codes(nested(129).as_bytes(), 128), ["json-depth"]);
    assert_eq!(fault_codes("[".repeat(129).as_bytes(), 128), ["json-depth", "json-syntax"]);
    assert!(check_json(b"{\"a\":{}}", 2).is_ok());
    assert_eq!(check_json(b"{\"a\":{}}", 1), Err(Fault { code: "json-depth", at: 5 }));
    assert!(check_json(b"1", 0).is_ok());
}
