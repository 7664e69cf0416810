//! Every case goes through every SIMD level, in one block and in tiny ones, indexed ahead and window by window, alone and
//! between neighbours: what a line is never depends on any of that.

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use hubmill_parser::{Content, FaultKind, Level, Limits, Members, Parser, Record, Span};

/// What a line is, as text: its members, inner ones too, or its fault and where it is in the line.
fn lines(parser: &mut Parser, chunk: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    let end = parser.parse(chunk, 0, |line| {
        all.push(match line.content {
            Content::Blank => "blank".to_owned(),
            Content::Record(record) => outer(&record),
            Content::Invalid(fault) => format!("{:?} at {}", fault.kind, fault.at as usize - line.start),
        });
        ControlFlow::Continue(())
    });
    assert_eq!(end, chunk.len());
    all
}

fn outer(record: &Record<'_>) -> String {
    let mut text = String::new();
    for member in record.members() {
        let shown = |span| String::from_utf8_lossy(record.bytes(span)).into_owned();
        text += &format!("{}={};", shown(member.name), shown(member.value));
        if let Some(members) = record.object(member) {
            text += &inner(record, members);
        }
    }
    text
}

fn inner(record: &Record<'_>, members: Members<'_>) -> String {
    let mut text = "{".to_owned();
    for member in members {
        let shown = |span| String::from_utf8_lossy(record.bytes(span)).into_owned();
        text += &format!("{}={};", shown(member.name), shown(member.value));
        if let Some(members) = record.object(&member) {
            text += &inner(record, members);
        }
    }
    text + "}"
}

/// All ways to parse: level, block and longest line that is indexed ahead.
fn ways(limits: Limits) -> Vec<(String, Parser)> {
    let mut ways = Vec::new();
    for level in Level::available() {
        for (block_bytes, line_bytes) in [(64 * 1024, 1 << 20), (1, 1 << 20), (100, 1 << 20), (1, 0), (300, 64)] {
            let parser = Parser::new(level, limits).with_block_bytes(block_bytes, line_bytes);
            ways.push((format!("{} {block_bytes} {line_bytes}", level.name()), parser));
        }
    }
    ways
}

/// Checks what a line is, alone and in company.
fn check(line: &[u8], want: &str) {
    const COMPANY: &[u8] = br#"{"id":"neighbour","n":[1,{"a":null}],"b":true}"#;
    let company = "id=\"neighbour\";n=[1,{\"a\":null}];b=true;";
    let crowd = [COMPANY, line, COMPANY, line, line, COMPANY].join(&b'\n');
    for (way, mut parser) in ways(Limits::default()) {
        for _ in 0..3 {
            // Again and again: what was met before must not matter.
            let shown = String::from_utf8_lossy(line);
            assert_eq!(lines(&mut parser, line), [want], "alone, {way}: {shown}");
            assert_eq!(
                lines(&mut parser, &crowd),
                [company, want, company, want, want, company],
                "in company, {way}: {shown}"
            );
        }
    }
}

macro_rules! parses_to {
    ($($name:ident: $line:expr => $want:expr;)+) => {
        $(
            #[test]
            fn $name() {
                let line: &[u8] = $line.as_ref();
                check(line, $want);
            }
        )+
    };
}

parses_to! {
    empty_object: "{}" => "";
    spaces: " \t{ \"a\" : 1 , \"b\" :\t[ ] }\t" => "a=1;b=[ ];";
    carriage_returns: "{\"a\":1}\r\r" => "a=1;";
    a_lone_carriage_return: "{\"a\":\r1}" => "a=1;";
    inner_objects: r#"{"a":{"b":{"c":[1,{"d":2}]},"e":"f"},"g":{}}"# =>
        r#"a={"b":{"c":[1,{"d":2}]},"e":"f"};{b={"c":[1,{"d":2}]};{c=[1,{"d":2}];}e="f";}g={};{}"#;
    numbers: r#"{"a":75.10,"b":1e400,"c":-0,"d":18446744073709551616}"# =>
        "a=75.10;b=1e400;c=-0;d=18446744073709551616;";
    escapes: r#"{"\u0069d":"a\"b\\","c":"\ud800"}"# => r#"\u0069d="a\"b\\";c="\ud800";"#;
    structure_inside_of_strings: r#"{"a":"{[,:]}\"{","b":"}"}"# => r#"a="{[,:]}\"{";b="}";"#;
    non_ascii: "{\"é\":\"日本\u{7f}\u{80}\"}" => "é=\"日本\u{7f}\u{80}\";";
    twice: r#"{"a":1,"a":2}"# => "a=1;a=2;";
    blank: " \t\r" => "blank";
    not_closed: r#"{"a":1"# => "Syntax at 6";
    not_closed_string: r#"{"a":"b"# => "Syntax at 7";
    not_closed_escape: r#"{"a":"b\"# => "Escape at 7";
    closed_twice: r#"{"a":1}}"# => "Syntax at 7";
    mismatched: r#"{"a":[1}"# => "Syntax at 7";
    trailing: r#"{"a":1} x"# => "Syntax at 8";
    trailing_zero_byte: "{\"a\":1}\0" => "Syntax at 7";
    two_objects: r#"{"a":1}{"a":1}"# => "Syntax at 7";
    trailing_comma: r#"{"a":1,}"# => "Syntax at 7";
    no_colon: r#"{"a" 1}"# => "Syntax at 5";
    no_value: r#"{"a":}"# => "Syntax at 5";
    two_strings: r#"{"a":"b""c"}"# => "Syntax at 8";
    name_without_quotes: "{a:1}" => "Syntax at 1";
    control_in_a_string: "{\"a\":\"b\tc\"}" => "Syntax at 7";
    bad_escape: r#"{"a":"b\x"}"# => "Escape at 7";
    bad_hex: r#"{"a":"b\u12G4"}"# => "Escape at 7";
    backslash_outside: r#"{\"a":1}"# => "Syntax at 1";
    backslash_in_a_literal: r#"{"a":nul\}"# => "Syntax at 8";
    leading_zero: r#"{"a":01}"# => "Syntax at 6";
    literal_too_long: r#"{"a":nulll}"# => "Syntax at 9";
    form_feed: "{\"a\":\x0c1}" => "Syntax at 5";
    substitute: "{\"a\"\x1a1}" => "Syntax at 4";
    bad_utf8: b"{\"a\":\"\xc3\x28\"}" => "Utf8 at 6";
    utf8_before_syntax: b"{a\xff" => "Utf8 at 2";
    array: "[1]" => "NotAnObject at 0";
    string: "\"a\"" => "NotAnObject at 0";
    number: "12" => "NotAnObject at 0";
    word: "hello" => "Syntax at 0";
}

#[test]
fn depth_at_the_limit_and_one_past_it() {
    for depth_max in [1, 2, 63, 64, 65, 128, 1000] {
        let limits = Limits { depth_max, ..Limits::default() };
        for (way, mut parser) in ways(limits) {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let nested = |depth: usize| format!("{{\"a\":{}1{}}}", open.repeat(depth - 1), close.repeat(depth - 1));
                assert!(!lines(&mut parser, nested(depth_max).as_bytes())[0].contains("Depth"), "{way}");
                let place = "{\"a\":".len() + open.len() * (depth_max - 1);
                let want = format!("{:?} at {place}", FaultKind::Depth);
                assert_eq!(lines(&mut parser, nested(depth_max + 1).as_bytes()), [want], "{way}");
            }
        }
    }
}

#[test]
fn length_at_the_limit_and_one_past_it() {
    for line_bytes_max in [20, 64, 65, 200] {
        for (way, mut parser) in ways(Limits { line_bytes_max, ..Limits::default() }) {
            for (length, accepted) in [(line_bytes_max, true), (line_bytes_max + 1, false)] {
                for end in ["", "\n", "\nx"] {
                    let line = format!("{{\"a\":\"{}\"}}{end}", "x".repeat(length - 8));
                    let found = &lines(&mut parser, line.as_bytes())[0];
                    assert_eq!(*found != "LineTooLong at 0", accepted, "{way} {length}");
                }
            }
        }
    }
}

#[test]
fn every_fixture_is_the_same_in_every_way() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut files = 0;
    for folder in ["export", "import", "valid", "invalid"] {
        for entry in fs::read_dir(fixtures.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            let want = lines(&mut Parser::new(Level::SCALAR, Limits::default()), &bytes);
            for (way, mut parser) in ways(Limits::default()) {
                for _ in 0..3 {
                    assert_eq!(lines(&mut parser, &bytes), want, "{way}: {}", path.display());
                }
            }
            files += 1;
        }
    }
    assert!(files > 100, "only {files} fixtures were found");
}

/// The spans of the members of the one line that `chunk` is, found by `parser`.
fn outer_spans(mut parser: Parser, chunk: &[u8]) -> Vec<(Span, Span)> {
    let mut spans = Vec::new();
    parser.parse(chunk, 0, |line| {
        let Content::Record(record) = line.content else {
            panic!("{:?}", line.content);
        };
        spans.extend(record.members().iter().map(|member| (member.name, member.value)));
        ControlFlow::Continue(())
    });
    spans
}

#[test]
fn nothing_is_lost_between_the_windows_of_a_long_line() {
    // All that one window hands to the next: that a string is open, that the next byte is escaped, that a scalar goes on.
    const PIECE: &str = r#""a\"{":"[\\\\,","n":-1234567.25e1,"t":true,"#;
    // The sum of the windows before it is where a window ends. Each piece of the line comes to lie over each of these ends
    // with each of its bytes, near the start of the line; further on it is enough that one of few does.
    for (pieces, shifts, levels) in [(130, PIECE.len(), Level::available()), (6000, 8, vec![Level::detect()])] {
        let body = format!("{{{}\"z\":0}}", PIECE.repeat(pieces));
        for shift in 0..shifts {
            let line = format!("{}{body}", " ".repeat(shift * PIECE.len() / shifts));
            for level in &levels {
                let parser = |block_bytes, line_bytes| {
                    Parser::new(*level, Limits::default()).with_block_bytes(block_bytes, line_bytes)
                };
                let ahead = outer_spans(parser(line.len(), line.len()), line.as_bytes());
                let in_windows = outer_spans(parser(1, 0), line.as_bytes());
                assert_eq!(ahead.len(), 3 * pieces + 1);
                assert!(ahead == in_windows, "{} shifted by {shift}", level.name());
            }
        }
    }
}
