//! Whether a file is no file of lines at all: one JSON array, or objects spread over several lines each.
//!
//! Such a file is one mistake, not one for each of its lines.

use std::ops::ControlFlow;

use hubmill_parser::{Content, FaultKind, Level, Limits, Parser};

/// What a file is instead of a device a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One JSON array: every line is a part of it.
    Array,
    /// Objects over several lines each: what is not JSON by itself is a part of one.
    Object,
}

/// Looks at the start of an input, whose first line that is not blank starts here and is not an object by itself.
#[cold]
pub(crate) fn detect(start: &[u8], level: Level, limits: Limits) -> Option<Layout> {
    let layout = match start.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'))? {
        b'[' => Layout::Array,
        b'{' => Layout::Object,
        _ => return None,
    };
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

    use super::{Layout, detect};

    #[test]
    fn arrays_and_spread_objects_are_told_from_broken_lines() {
        for (start, want) in [
            ("[\n{\"id\":\"a\"},\n{\"id\":\"b\"}\n]\n", Some(Layout::Array)),
            ("[{\"id\":\"a\"},\n {\"id\":\"b\"}]", Some(Layout::Array)),
            ("[{\"id\":\"a\"}]", Some(Layout::Array)),
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
            ("[\r", Some(Layout::Array)),
            ("[\n\n\r", Some(Layout::Array)),
            ("{\r\n\"id\":\"a\",\r", Some(Layout::Object)),
            ("[\"a\r", None),
            ("[\"\\u00\r", None),
            ("[\n]\n{\"id\":\"b\"}\n", None),
            ("[1] x\n{\"id\":\"b\"}\n", None),
            ("x\n{\"id\":\"b\"}\n", None),
            ("", None),
        ] {
            assert_eq!(detect(start.as_bytes(), Level::detect(), Limits::default()), want, "{start}");
        }
    }
}
