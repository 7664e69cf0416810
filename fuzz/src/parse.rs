//! `parse`: every SIMD level, every size of blocks and the walk of long lines see the same lines, and these are what the
//! reference parser, serde_json and simd-json say they are.

use std::ops::ControlFlow;

use hubmill_device::WORDS;
use hubmill_parser::{
    Content, DEPTH_MAX_DEFAULT, FaultKind, LINE_BYTES_MAX_DEFAULT, Level, Limits, MemberSpan, Parser,
};
use hubmill_parser::{Record, Span};
use hubmill_testkit::json::{self, Document, Json, Object};
use hubmill_testkit::others;

use crate::choices::Choices;
use crate::inputs::{Maker, Mix};
use crate::text::wtf8;

const HEADER_BYTES: usize = 16;

/// Makes an input.
pub fn make(maker: &mut Maker) -> Vec<u8> {
    let mut data = maker.header(HEADER_BYTES);
    data.extend(maker.file(4, Mix::Broken));
    data
}

/// A member: where its name and its value stand, and how deep.
type Place = (usize, Span, Span);

/// What a parser said of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    start: usize,
    end: usize,
    end_with_newline: usize,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Blank,
    Invalid(FaultKind, usize, &'static str),
    /// Where the object opens, and all members that objects lead to, in the order of the line.
    Record(usize, Vec<Place>),
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let (mut choices, chunk) = Choices::split(data, HEADER_BYTES);
    let limits = Limits {
        line_bytes_max: if choices.chance(10) { choices.below(300) } else { LINE_BYTES_MAX_DEFAULT },
        depth_max: match choices.below(8) {
            0 => 1 + choices.below(8),
            1 => 60 + choices.below(140),
            _ => DEPTH_MAX_DEFAULT,
        },
    };
    let want = seen(&mut Parser::new(Level::SCALAR, limits), chunk, 0, usize::MAX);
    check(chunk, limits, &want);
    let sizes = [(1, 0), (1 + choices.below(2000), choices.below(400)), (usize::MAX >> 1, 0)];
    for level in Level::available() {
        for (block_bytes, line_bytes) in [(64 * 1024, 1 << 20), choices.pick(&sizes)] {
            let mut parser = Parser::new(level, limits).with_block_bytes(block_bytes, line_bytes);
            let break_after = if choices.chance(30) { 1 + choices.below(3) } else { usize::MAX };
            let found = seen(&mut parser, chunk, 0, break_after);
            assert_eq!(found, want, "{} in blocks of {block_bytes}, lines of {line_bytes}", level.name());
        }
        let mut parser = Parser::new(level, limits).with_words(if choices.chance(75) { &WORDS } else { &[] });
        teach(&mut parser, chunk, &want);
        assert_eq!(seen(&mut parser, chunk, 0, usize::MAX), want, "{} with stencils", level.name());
        if let [first, rest @ ..] = want.as_slice()
            && choices.chance(25)
        {
            let found = seen(&mut Parser::new(level, limits), chunk, first.end_with_newline, usize::MAX);
            assert_eq!(found, rest, "{} from the second line on", level.name());
        }
    }
}

/// Has a parser make stencils of the first valid lines of a chunk: each is met some times in a row, with text after it.
fn teach(parser: &mut Parser, chunk: &[u8], lines: &[Seen]) {
    let valid = lines.iter().filter(|line| matches!(line.what, What::Record(..)) && line.end - line.start < 4096);
    for line in valid.take(3) {
        let mut text = [&chunk[line.start..line.end], b"\n"].concat().repeat(5);
        text.extend([b'\n'; 100]);
        seen(parser, &text, 0, usize::MAX);
    }
}

/// What a parser says of a chunk from an offset on, asked for `break_after` lines at once.
fn seen(parser: &mut Parser, chunk: &[u8], from: usize, break_after: usize) -> Vec<Seen> {
    let mut all = Vec::new();
    let mut next = from;
    while next < chunk.len() {
        let before = all.len();
        next = parser.parse(chunk, next, |line| {
            let what = match line.content {
                Content::Blank => What::Blank,
                Content::Invalid(fault) => What::Invalid(fault.kind, fault.at as usize, fault.expected),
                Content::Record(record) => {
                    let mut places = Vec::new();
                    record.members().iter().for_each(|member| add_places(&record, member, 0, &mut places));
                    What::Record(record.open() as usize, places)
                }
            };
            let (start, end, end_with_newline) = (line.start, line.end, line.end_with_newline);
            all.push(Seen { start, end, end_with_newline, what });
            if all.len() - before == break_after { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert!(all.len() > before, "a call gives a line at least");
        assert_eq!(all.last().map(|line| line.end_with_newline), Some(next), "no byte is passed over");
    }
    all
}

/// Adds a member and those in it, as far as objects lead.
fn add_places(record: &Record<'_>, member: &MemberSpan, depth: usize, places: &mut Vec<Place>) {
    places.push((depth, member.name, member.value));
    assert_eq!(member.start() + 1, member.name.start);
    for inner in record.object(member).into_iter().flatten() {
        add_places(record, &inner, depth + 1, places);
    }
}

/// Compares what was seen with what the references say, line by line.
fn check(chunk: &[u8], limits: Limits, seen: &[Seen]) {
    let mut lines = seen.iter();
    let mut start = 0;
    for read in chunk.split_inclusive(|byte| *byte == b'\n') {
        let line = lines.next().expect("a line for every newline");
        let bytes = read.strip_suffix(b"\n").unwrap_or(read);
        let text = &bytes[..bytes.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1)];
        assert_eq!((line.start, line.end), (start, start + text.len()));
        assert_eq!(line.end_with_newline, start + read.len());
        check_line(bytes, text, start, limits, &line.what);
        start += read.len();
    }
    assert_eq!(lines.next(), None, "one more line than there are");
}

fn check_line(bytes: &[u8], text: &[u8], start: usize, limits: Limits, what: &What) {
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    let fault = match what {
        What::Invalid(kind, at, _) => Some((*kind, at - start)),
        What::Blank | What::Record(..) => None,
    };
    if bytes.len() > limits.line_bytes_max {
        return assert_eq!(fault, Some((FaultKind::LineTooLong, 0)), "{:?}", shown());
    }
    if bytes.iter().all(|byte| b" \t\r".contains(byte)) {
        return assert_eq!(*what, What::Blank, "{:?}", shown());
    }
    let reference = json::parse(text, limits.depth_max);
    if let Err(why) = others::agree(text, &reference) {
        panic!("the references disagree: {why}");
    }
    if let Err(error) = std::str::from_utf8(text) {
        return assert_eq!(fault, Some((FaultKind::Utf8, error.valid_up_to())), "{:?}", shown());
    }
    match reference {
        Err(json::Fault { code: "json-depth", at }) => {
            assert_eq!(fault, Some((FaultKind::Depth, at)), "{:?}", shown());
        }
        Err(json::Fault { at, .. }) => {
            let Some((kind, found)) = fault else { panic!("{what:?}, not a fault at {at} of {:?}", shown()) };
            // A bad escape is pointed at by its backslash.
            let good = match kind {
                FaultKind::Escape => found < at && at - found <= 5 && text[found] == b'\\',
                FaultKind::Syntax => found == at,
                _ => false,
            };
            assert!(good, "{kind:?} at {found}, not a fault at {at} of {:?}", shown());
        }
        Ok(Document { root: Json::Object(object), before, .. }) => {
            let What::Record(open, places) = what else { panic!("{what:?}, but it is an object: {:?}", shown()) };
            assert_eq!(*open, start + before.len());
            let mut want = Vec::new();
            want_places(&object, *open, 0, &mut want);
            assert_eq!(*places, want, "{:?}", shown());
            check_texts(bytes, start, &object, places);
        }
        Ok(_) => assert_eq!(fault, Some((FaultKind::NotAnObject, 0)), "{:?}", shown()),
    }
}

/// Where the members of an object stand that opens at `open`, and those in them, as far as objects lead.
fn want_places(object: &Object, open: usize, depth: usize, places: &mut Vec<Place>) {
    let mut at = open + 1;
    for member in &object.members {
        let name = at + member.before.len() + 1;
        let name_end = name + member.name.raw.len();
        let value = name_end + 1 + member.colon.len();
        let end = value + length(&member.value);
        places.push((depth, Span::new(name, name_end), Span::new(value, end)));
        if let Json::Object(inner) = &member.value {
            want_places(inner, value, depth + 1, places);
        }
        at = end + member.after.len() + 1;
    }
}

/// How many bytes a value takes.
fn length(value: &Json) -> usize {
    match value {
        Json::Null => 4,
        Json::Bool(value) => {
            if *value {
                4
            } else {
                5
            }
        }
        Json::Number(spelling) => spelling.len(),
        Json::String(text) => text.raw.len() + 2,
        Json::Array(array) => {
            let items = array.items.iter().map(|item| item.before.len() + length(&item.value) + item.after.len() + 1);
            array.inner.len() + 1 + items.sum::<usize>().max(1)
        }
        Json::Object(object) => {
            let members = object.members.iter().map(|member| {
                let around = member.before.len() + member.colon.len() + member.after.len();
                around + member.name.raw.len() + 2 + length(&member.value) + 1
            });
            object.inner.len() + 1 + members.sum::<usize>().max(1)
        }
        Json::Fresh => unreachable!("never parsed"),
    }
}

/// The decoded names and values of the outer members are those of the reference.
fn check_texts(bytes: &[u8], start: usize, object: &Object, places: &[Place]) {
    let outer = places.iter().filter(|(depth, ..)| *depth == 0);
    for (member, (_, name, value)) in object.members.iter().zip(outer) {
        let of = |span: &Span| &bytes[span.start as usize - start..span.end as usize - start];
        assert_eq!(hubmill_parser::decode(of(name)).as_ref(), wtf8(&member.name.units()));
        let text = hubmill_parser::string_text(of(value));
        assert_eq!(text.as_deref(), member.value.as_text().map(|text| wtf8(&text.units())).as_deref());
    }
}
