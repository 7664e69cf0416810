use std::ops::ControlFlow;

use super::{NODES_MAX, STALE_AFTER, STENCILS_MAX};
use crate::test_numbers::numbers;
use crate::{Content, Level, Limits, Parser, Span};

/// What each line is: its members as text and what it holds, or its fault.
fn read(parser: &mut Parser, text: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    parser.parse(text, 0, |line| {
        all.push(match line.content {
            Content::Record(record) => {
                let text = |span| String::from_utf8_lossy(record.bytes(span)).into_owned();
                let members = record.members().iter();
                let members: String =
                    members.map(|member| format!("{}={};", text(member.name), text(member.value))).collect();
                let inner = record.members().iter().filter_map(|member| record.object(member)).flatten();
                let inner: String = inner.map(|member| text(member.value)).collect();
                format!("{members}{inner}{}{}", record.may_have_escapes(), record.is_plain())
            }
            Content::Invalid(fault) => {
                format!("{:?} at {} {}", fault.kind, fault.at as usize - line.start, fault.expected)
            }
            Content::Blank => "blank".to_owned(),
        });
        assert!(line.start <= line.end && line.end <= line.end_with_newline);
        all.push(format!("{}", line.end_with_newline - line.end));
        ControlFlow::Continue(())
    });
    all
}

/// How many stencils a parser has made.
fn stencils(parser: &Parser) -> usize {
    parser.stencils.all.len()
}

/// More text, so that no line is too near to the end.
const TAIL: &str = "{\"tail\":\"                                                                \"}\n";

fn fresh(level: Level, line: &str) -> Vec<String> {
    let mut all = read(&mut Parser::new(level, Limits::default()), format!("{line}{TAIL}").as_bytes());
    all.truncate(2);
    all
}

#[test]
fn lines_that_fit_are_what_a_fresh_parser_says_they_are() {
    let model = r#"{"id":"a","n":[1,"x",null,{"größe":-2.5}],"o":{"p":true,"a name of more than thirty-two bytes, so":"q"}, "z" : "" }"#;
    let values = [
        ("\"a\"", "\"\""),
        ("\"a\"", "\"an id of more than thirty-two bytes, which takes a second look\""),
        ("\"a\"", "\"\\\"\""),
        ("\"a\"", "\"\\\\\""),
        ("\"a\"", "\"a\\u00e9\\n, and then more than thirty-two bytes, \\\"quoted\\\"\""),
        ("\"a\"", "\"\\q\""),
        ("\"a\"", "\"\\u12g4\""),
        ("\"a\"", "\"é 修理 🚚\""),
        ("\"a\"", "\"\u{7f}\""),
        ("\"a\"", "\"\t\""),
        ("\"a\"", "\"\u{1f}\""),
        ("\"a\"", "null"),
        ("\"a\"", "12"),
        ("\"a\"", "\"a"),
        ("\"a\"", "\"a\\\""),
        ("1", "-0"),
        ("1", "01"),
        ("1", "1.5e-300"),
        ("1", "123456789012345678901234567890.5"),
        ("1", "false"),
        ("1", "nul"),
        ("1", "nulll"),
        ("1", "\"1\""),
        ("1", " 1"),
        ("1", ""),
        ("null", "12"),
        ("null", "true"),
        ("null", "NULL"),
        ("-2.5", "true"),
        ("-2.5", "2.5.1"),
        ("true", "tru"),
        ("true", "false "),
        ("größe", "grosse"),
        ("thirty-two", "thirty_two"),
        ("bytes, so", "bytes,_so"),
        (" }", "}"),
        (" }", " },"),
        (" }", " } "),
        (" }", " }}"),
        (" }", ""),
    ];
    for level in Level::available() {
        for end in ["\n", "\r\n", "\r\r\n"] {
            let mut parser = Parser::new(level, Limits::default());
            read(&mut parser, format!("{}{TAIL}", format!("{model}{end}").repeat(6)).as_bytes());
            assert_eq!(stencils(&parser), 1, "{}", level.name());
            for (from, to) in values {
                let line = format!("{}{end}", model.replacen(from, to, 1));
                let mut found = read(&mut parser, format!("{line}{TAIL}").as_bytes());
                found.truncate(2);
                assert_eq!(found, fresh(level, &line), "{} {line}", level.name());
            }
            // At the end of a chunk, with and without a line end, alone and after another line.
            for (from, to) in values {
                for (before, end) in [("", ""), ("", end), (model, ""), (model, end)] {
                    let before = if before.is_empty() { String::new() } else { format!("{before}\n") };
                    let text = format!("{before}{}{end}", model.replacen(from, to, 1));
                    let want = read(&mut Parser::new(level, Limits::default()), text.as_bytes());
                    assert_eq!(read(&mut parser, text.as_bytes()), want, "{} {text}", level.name());
                }
            }
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_are_found_in_every_value() {
    for level in Level::available() {
        let mut parser = Parser::new(level, Limits::default());
        let line = "{\"a\":\"x\",\"b\":\"y\"}\n";
        read(&mut parser, format!("{}{TAIL}", line.repeat(8)).as_bytes());
        for bad in [b"\xff".as_slice(), b"\xc3", b"\xed\xa0\x80", b"\xc0\x80"] {
            for place in [6, 14] {
                let mut text = format!("{line}{TAIL}").into_bytes();
                text.splice(place..=place, bad.iter().copied());
                assert!(read(&mut parser, &text)[0].starts_with("Utf8 at"), "{} {bad:?} {place}", level.name());
            }
        }
    }
}

#[test]
fn the_limit_of_a_line_holds() {
    let limits = Limits { line_bytes_max: 40, ..Limits::default() };
    for level in Level::available() {
        let mut parser = Parser::new(level, limits);
        read(&mut parser, format!("{}\n", "{\"a\":\"x\"}\n".repeat(12)).as_bytes());
        assert_eq!(stencils(&parser), 1);
        for (length, fits) in [(40, true), (41, false)] {
            let text = format!("{{\"a\":\"{}\"}}\n{{\"a\":\"{}\"}}\n", "x".repeat(length - 8), "x".repeat(32));
            assert_eq!(!read(&mut parser, text.as_bytes())[0].starts_with("LineTooLong"), fits, "{length}");
            for end in ["", "\n", "\r", "\r\n"] {
                let text = format!("{{\"a\":\"{}\"}}{end}", "x".repeat(length - 8));
                let fits = fits && !end.starts_with('\r');
                assert_eq!(!read(&mut parser, text.as_bytes())[0].starts_with("LineTooLong"), fits, "{length} {end:?}");
            }
        }
    }
}

#[test]
fn a_last_line_fits_at_its_own_place() {
    for level in Level::available() {
        let mut parser = Parser::new(level, Limits::default());
        let line = |value: &str| format!("{{\"a\":\"{value}\",\"b\":[1,{{\"c\":\"{value}\"}}]}}");
        read(&mut parser, format!("{}{TAIL}", format!("{}\n", line("x")).repeat(8)).as_bytes());
        let text =
            format!("{}\n{}", line("before"), line("last, and so long that there is room after the line before"));
        let mut fitting = Vec::new();
        parser.parse(text.as_bytes(), 0, |line| {
            let Content::Record(record) = &line.content else { panic!("a record") };
            let member = record.members()[0];
            // Only of a line that fits a stencil is it known that a name is fixed.
            fitting.push(record.is_fixed(member.name));
            assert_eq!(record.bytes(record.members()[1].value).last(), Some(&b']'));
            ControlFlow::Continue(())
        });
        assert_eq!(fitting, [true, true], "{}", level.name());
    }
}

#[test]
fn a_chunk_may_end_anywhere_in_a_line_of_a_known_form() {
    let value = |length: usize| -> [String; 6] {
        let letters = "x".repeat(length);
        [
            "1".repeat(length),
            format!("-1.{}e9", "7".repeat(length)),
            format!("\"{letters}\""),
            format!("\"{}\"", "\\n".repeat(length)),
            format!("\"{letters}\\u00e9\""),
            "true".to_owned(),
        ]
    };
    for level in Level::available() {
        for values in [value(3), value(40), value(200)] {
            for value in values {
                let line = format!("{{\"id\":\"a\",\"n\":{value},\"m\":[{value}]}}\n");
                let mut parser = Parser::new(level, Limits::default());
                read(&mut parser, line.repeat(10).as_bytes());
                assert!(stencils(&parser) > 0, "{line}");
                for end in 1..=line.len() {
                    let cut = &line[..end];
                    let last = read(&mut Parser::new(level, Limits::default()), cut.as_bytes());
                    let want = [fresh(level, &line), last].concat();
                    assert_eq!(read(&mut parser, format!("{line}{cut}").as_bytes()), want, "{} {cut}", level.name());
                }
            }
        }
    }
}

#[test]
fn what_is_kept_is_bounded_and_made_at_the_second_sighting() {
    let mut parser = Parser::new(Level::detect(), Limits::default());
    let line = |number: usize| format!("{{\"name {number}\":1}}\n");
    let once: String = (0..2000).map(line).collect();
    read(&mut parser, once.as_bytes());
    assert_eq!(stencils(&parser), 0, "no text was met twice");
    for number in 0..3 * STENCILS_MAX + STENCILS_MAX / 2 {
        // A line that fits, so that others are looked at.
        let text = format!("{}{}{}{TAIL}", line(0).repeat(3), line(number), line(number));
        read(&mut parser, text.as_bytes());
        assert!(stencils(&parser) <= STENCILS_MAX && parser.stencils.tree.nodes.len() <= NODES_MAX);
    }
    assert_eq!(stencils(&parser), STENCILS_MAX, "nothing is forgotten for a few lines of another kind");
    let other = "{\"another name\":1}\n".repeat(STALE_AFTER as usize + 10);
    read(&mut parser, format!("{other}{TAIL}").as_bytes());
    assert_eq!(stencils(&parser), 1, "all is forgotten where nothing else comes any more");
}

#[test]
fn one_of_many_names_in_one_place_is_found() {
    let mut next = numbers(3);
    for level in Level::available() {
        let mut parser = Parser::new(level, Limits::default());
        let line = |model: u64, value: u64| {
            // Some names are the start of others, some go on after eight bytes that they share with others.
            let name = ["model ", "m", "model of a kind "][(model % 3) as usize];
            format!(
                "{{\"id\":\"{value}\",\"tags\":{{\"{name}{model}\":{},\"b\":{value}}}}}\n",
                ["1", "\"x\"", "-0.5"][(value % 3) as usize]
            )
        };
        let many: String = (0..10_000).map(|_| line(next(300), next(1_000))).collect();
        read(&mut parser, format!("{many}{TAIL}").as_bytes());
        let lines: Vec<String> = (0..2_000).map(|_| line(next(320), next(1_000))).collect();
        let found = read(&mut parser, format!("{}{TAIL}", lines.concat()).as_bytes());
        for (line, found) in lines.iter().zip(found.chunks(2)) {
            assert_eq!(found, fresh(level, line), "{} {line}", level.name());
        }
        let mut fitting = 0;
        parser.parse(format!("{}{TAIL}", lines.concat()).as_bytes(), 0, |line| {
            let Content::Record(record) = &line.content else { panic!("a record") };
            fitting += usize::from(record.is_fixed(record.members()[0].name));
            ControlFlow::Continue(())
        });
        assert!(fitting > 1_500, "{fitting}");
    }
}

const WORDS: [&str; 3] = ["on", "off", ""];

/// For each line, whether the name of its first member and the value of its last one are known to be fixed text.
fn fixed(parser: &mut Parser, text: &str) -> Vec<(bool, bool)> {
    let mut all = Vec::new();
    parser.parse(text.as_bytes(), 0, |line| {
        let Content::Record(record) = &line.content else { panic!("a record") };
        let (first, last) = (record.members().first(), record.members().last());
        let is_fixed = |span: Option<Span>| span.is_some_and(|span| record.is_fixed(span));
        all.push((is_fixed(first.map(|member| member.name)), is_fixed(last.map(|member| member.value))));
        ControlFlow::Continue(())
    });
    all
}

#[test]
fn words_are_fixed_text_and_change_nothing() {
    let model = r#"{"id":"a","s":"on","r":"","n":["off",null,"of"],"o":{"on":"on","":""},"t":"off"}"#;
    let values =
        ["", "on", "off", "onn", "o", "ON", "\\u006fn", "on\\n", "é", "a longer text than one look at it reaches"];
    let other = ["null", "true", "1", "[]", "\"on", "\"on\"\"", "on"];
    let values: Vec<String> = values.iter().map(|value| format!("\"{value}\"")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).chain(other).collect();
    for level in Level::available() {
        let mut parser = Parser::new(level, Limits::default()).with_words(&WORDS);
        let taught = format!("{}{TAIL}", format!("{model}\n").repeat(6));
        read(&mut parser, taught.as_bytes());
        assert_eq!(fixed(&mut parser, &taught)[0], (true, true));
        // A string that is a word, next to brackets, names and other strings, is another string in its turn.
        for place in model.match_indices('"').step_by(2).map(|(place, _)| place) {
            let end = place + 2 + model[place + 1..].find('"').unwrap();
            for value in &values {
                let line = format!("{}{value}{}\n", &model[..place], &model[end..]);
                for _ in 0..3 {
                    let mut found = read(&mut parser, format!("{line}{TAIL}").as_bytes());
                    found.truncate(2);
                    assert_eq!(found, fresh(level, &line), "{} {line}", level.name());
                }
            }
            read(&mut parser, taught.as_bytes());
        }
    }
}

#[test]
fn a_line_fits_whichever_of_two_lines_came_first() {
    let line = |value: &str, rest: &str| format!("{{\"id\":\"a\",\"r\":{value},\"b\":{rest}}}\n");
    // What may stand in one place: as a value, and as fixed text that starts with what stands before the value.
    for (value, text) in [("\"x\"", "\"\""), ("\"x\"", "\"on\""), ("1", "null"), ("1.5", "true")] {
        for level in Level::available() {
            for others in 0..12 {
                let mut parser = Parser::new(level, Limits::default()).with_words(&WORDS);
                let others: String =
                    (0..others).map(|number| line("2", &format!("{{\"{number}\":3}}")).repeat(3)).collect();
                let both = [line(value, "1"), line(text, "[1]")];
                for lines in [&both, &[both[1].clone(), both[0].clone()]] {
                    let taught = lines.each_ref().map(|line| line.repeat(3)).concat();
                    read(&mut parser, format!("{others}{taught}{others}{taught}{TAIL}").as_bytes());
                    let found = fixed(&mut parser, &format!("{}{TAIL}", lines.concat()));
                    assert!(found[..2].iter().all(|(name, _)| *name), "{} {text} before {value}", level.name());
                }
            }
        }
    }
}

#[test]
fn words_stay_fixed_where_literals_differ_too_much_and_not_where_they_do_themselves() {
    let mut next = numbers(11);
    let mut of = |texts: [&str; 2]| -> String {
        let members: String = (0..12).map(|number| format!("\"{number}\":{},", texts[next(2) as usize])).collect();
        format!("{{\"id\":\"a\",{members}\"last\":\"on\"}}\n")
    };
    for (texts, want) in [(["true", "false"], (true, true)), (["\"on\"", "\"off\""], (true, false))] {
        let lines: String = (0..20_000).map(|_| of(texts)).collect();
        let mut parser = Parser::new(Level::detect(), Limits::default()).with_words(&WORDS);
        read(&mut parser, lines.as_bytes());
        let others = fixed(&mut parser, &lines).into_iter().filter(|found| *found != want).count();
        assert_eq!(others, 0, "{texts:?}");
    }
}

#[test]
fn lines_that_are_read_one_by_one_are_learnt_as_lines_in_a_row_are() {
    let line =
        |number: usize| format!("{{\"id\":\"{number}\",\"name {}\":[true,null],\"last\":\"on\"}}\n", number % 20);
    for level in Level::available() {
        let mut parser = Parser::new(level, Limits::default()).with_words(&WORDS);
        for number in 0..400 {
            let mut is_fixed = false;
            parser.parse(line(number).as_bytes(), 0, |line| {
                let Content::Record(record) = &line.content else { panic!("a record") };
                is_fixed = record.members()[1..].iter().all(|member| record.is_fixed(member.value));
                ControlFlow::Break(())
            });
            assert!(is_fixed || number < 60, "{} {number}", level.name());
        }
    }
}
