//! Whether a file is no file of lines at all: one JSON array, or objects spread over several lines each.
//!
//! Such a file is one mistake, not one for each of its lines.

use std::ops::ControlFlow;

use hubmill_parser::{Content, FaultKind, Level, Limits, Parser};
use hubmill_reader::FIRST_CHUNK_BYTES;

use crate::BOM;

/// What a file is instead of a device a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One JSON array: every line is a part of it.
    Array,
    /// Objects over several lines each: what is not JSON by itself is a part of one.
    Object,
}

/// Looks at an input whose first line that is not blank is none by itself, and starts at `from` of the first piece. What it is must
/// not depend on how the input is cut: the first so many bytes tell, up to a line end, and two lines that are not blank.
#[cold]
pub(crate) fn detect(first_piece: &[u8], from: usize, level: Level, limits: Limits) -> Option<Layout> {
    let is_line_end = |byte: &u8| *byte == b'\n';
    let head = match first_piece.get(..FIRST_CHUNK_BYTES) {
        Some(head) if head.len() < first_piece.len() => &head[..=head.iter().rposition(is_line_end)?],
        _ => first_piece,
    };
    let start = head.get(from..)?;
    let layout = match start.trim_ascii_start().first()? {
        b'[' => Layout::Array,
        b'{' => Layout::Object,
        _ => return None,
    };
    let newline = start.iter().position(is_line_end)?;
    if is_blank(&start[newline..]) {
        return None;
    }
    // Line ends become tabs: white space between tokens, and still a fault inside of a string.
    let joined: Vec<u8> = start.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b'\t' } else { *byte }).collect();
    let limits = Limits { line_bytes_max: joined.len(), ..limits };
    let mut parser = Parser::new(level, limits);
    let is_value = match first_fault(&mut parser, &joined) {
        None | Some((FaultKind::NotAnObject, _)) => true,
        // All of it is the beginning of a value.
        Some((FaultKind::Syntax, at)) if at == joined.len() => true,
        Some((FaultKind::Escape, at)) if is_cut_escape(&joined[at..]) => true,
        // What comes before the fault may be a whole object, and another one follows.
        Some((FaultKind::Syntax | FaultKind::Escape, at)) if layout == Layout::Object => {
            start[..at].trim_ascii().contains(&b'\n') && first_fault(&mut parser, &joined[..at]).is_none()
        }
        Some(_) => false,
    };
    is_value.then_some(layout)
}

/// Whether these bytes are nothing but blank lines.
pub(crate) fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Whether a line with such a fault may be a part of something over several lines.
pub(crate) fn may_be_part(fault: FaultKind) -> bool {
    matches!(fault, FaultKind::Syntax | FaultKind::Escape | FaultKind::NotAnObject)
}

/// Whether these first bytes tell as much as [`detect`] could see in more.
pub(crate) fn is_told(first: &[u8], level: Level, limits: Limits) -> bool {
    let first = first.strip_prefix(BOM).unwrap_or(first).trim_ascii_start();
    let Some(end) = first.iter().position(|byte| *byte == b'\n') else { return false };
    let fault = first_fault(&mut Parser::new(level, limits), &first[..=end]);
    !(matches!(first[0], b'[' | b'{') && fault.is_some_and(|(kind, _)| may_be_part(kind)))
}

/// Whether a text is the beginning of an escape, and no more.
fn is_cut_escape(rest: &[u8]) -> bool {
    let digits = rest.strip_prefix(b"\\u");
    rest == b"\\" || digits.is_some_and(|digits| digits.len() < 4 && digits.iter().all(u8::is_ascii_hexdigit))
}

/// What is wrong with a text taken as one line, and where; `None` for an object.
fn first_fault(parser: &mut Parser, line: &[u8]) -> Option<(FaultKind, usize)> {
    let mut found = Some((FaultKind::Syntax, 0));
    parser.parse(line, 0, |line| {
        found = match line.content {
            Content::Record(_) => None,
            Content::Invalid(fault) => Some((fault.kind, fault.at as usize)),
            Content::Blank => Some((FaultKind::Syntax, 0)),
        };
        ControlFlow::Break(())
    });
    found
}

#[cfg(test)]
mod tests {
    use hubmill_parser::{Level, Limits};

    use hubmill_reader::FIRST_CHUNK_BYTES;

    use super::{Layout, detect, is_told};

    #[test]
    fn arrays_and_spread_objects_are_told_from_broken_lines() {
        for (start, want) in [
            ("[\n{\"id\":\"a\"},\n{\"id\":\"b\"}\n]\n", Some(Layout::Array)),
            ("[{\"id\":\"a\"},\n {\"id\":\"b\"}]", Some(Layout::Array)),
            ("[\n  {\n    \"id\": \"a\"\n  },\n  {\n", Some(Layout::Array)),
            ("{\n  \"id\": \"a\"\n}\n", Some(Layout::Object)),
            ("{\r\n  \"id\": \"a\"\r\n}\r\n{\r\n  \"id\": \"b\"\r\n}", Some(Layout::Object)),
            ("{\n  \"id\": \"a\",\n", Some(Layout::Object)),
            ("{\n\"id\":\"\\u12", Some(Layout::Object)),
            ("{\n\"id\":1\n}\n{\"a\":\"\\x\"}", Some(Layout::Object)),
            // Lines that are broken, and good ones after them.
            ("{\"id\":\"a\"\n{\"id\":\"b\"}\n", None),
            ("{\"id\":\"a\",\n{\"id\":\"b\"}\n", None),
            ("{\"id\":\"a\",\"sta\n{\"id\":\"b\"}\n", None),
            ("{\"id\":\"a\"},\n{\"id\":\"b\"},\n", None),
            ("{\"id\":\"a\"} x\n{\"id\":\"b\"}\n", None),
            ("[\n]\r", Some(Layout::Array)),
            ("{\r\n\"id\":\"a\",\r", Some(Layout::Object)),
            // One line, whatever it is.
            ("[{\"id\":\"a\"}]", None),
            ("[{\"id\":\"a\"}]\n\n \r\n", None),
            ("[\r", None),
            ("[\n\n\r", None),
            ("{\"id\":\"a\"", None),
            ("{\"id\":\"a\"\n", None),
            ("[\"a\r", None),
            ("[\"\\u00\r", None),
            ("[\n]\n{\"id\":\"b\"}\n", None),
            ("[1] x\n{\"id\":\"b\"}\n", None),
            ("x\n{\"id\":\"b\"}\n", None),
            ("", None),
        ] {
            let before = "\n \t\n";
            for from in [0, before.len()] {
                let piece = [&before[..from], start].concat();
                assert_eq!(detect(piece.as_bytes(), from, Level::detect(), Limits::default()), want, "{start}");
            }
        }
    }

    #[test]
    fn a_stream_is_waited_for_where_its_first_line_does_not_tell() {
        let told = |first: &str| is_told(first.as_bytes(), Level::detect(), Limits::default());
        for first in ["{\"id\":\"a\"}\n", "\n \n{}\n[", "\u{feff}{}\n", "x\n", "\"[\"\n", "{ }\r\n{"] {
            assert!(told(first), "{first:?}");
        }
        for first in [
            "",
            "\n",
            "[\n",
            "[]\n",
            "{\"id\":\"a\"}",
            "{\n",
            "\u{feff}\n {\"a\":{}\r\n",
            "{} {}\n",
            "{\"a\":\"\\x\"}\n",
        ] {
            assert!(!told(first), "{first:?}");
        }
    }

    #[test]
    fn what_is_past_the_head_changes_nothing() {
        let line = |bytes: usize| format!("[\"{}\"]\n", "y".repeat(bytes - 5));
        let devices = "{\"id\":\"b\"}\n".repeat(9);
        let array = format!("[\n{}", "{\"id\":\"é\"},\n".repeat(10_000));
        let whole = FIRST_CHUNK_BYTES;
        for (piece, want) in [
            (line(whole + 1), None),
            (line(whole + 1) + &devices, None),
            (line(whole) + &devices, None),
            (line(whole - 3) + &devices, None),
            (line(whole - 30) + &devices, None),
            (array.clone(), Some(Layout::Array)),
            (format!("{array}]\n{devices}"), Some(Layout::Array)),
        ] {
            let detected = |bytes: &[u8]| detect(bytes, 0, Level::detect(), Limits::default());
            assert_eq!(detected(piece.as_bytes()), want);
            // The shortest piece that the reader may give.
            let head = &piece.as_bytes()[..whole.min(piece.len())];
            let newline = head.iter().rposition(|byte| *byte == b'\n').or(piece.find('\n'));
            let cut = newline.map_or(0, |newline| newline + 1);
            assert_eq!(detected(&piece.as_bytes()[..cut]), want);
        }
    }
}
