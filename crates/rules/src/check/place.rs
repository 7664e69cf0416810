//! Where in a value a finding is: its path, worked out only for findings that are shown.

use std::collections::HashSet;
use std::fmt::Write as _;

use foldhash::quality::RandomState;
use hubmill_parser::{Span, decode};

/// An array or object that is open.
enum Frame {
    Object(Option<Span>),
    Array(usize),
}

/// One piece of a valid value: where it starts and the byte there, and where it ends.
struct Piece {
    start: usize,
    end: usize,
}

/// The pieces of a valid JSON value from `at` on: strings, scalars and structural characters.
fn pieces(bytes: &[u8], mut at: usize) -> impl Iterator<Item = Piece> {
    std::iter::from_fn(move || {
        while matches!(bytes.get(at)?, b' ' | b'\t' | b'\r') {
            at += 1;
        }
        let start = at;
        at = match bytes[at] {
            b'"' => string_end(bytes, at),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => at + 1,
            _ => bytes[at..]
                .iter()
                .position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n'))
                .map_or(bytes.len(), |length| at + length),
        };
        Some(Piece { start, end: at })
    })
}

/// The place after the closing quote of the string that opens at `open`.
fn string_end(bytes: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The path from the value that starts at `value` to the piece at `at` in it, dotted, with `[2]` for elements.
pub fn path_within(bytes: &[u8], value: u32, at: u32) -> String {
    let mut frames: Vec<Frame> = Vec::new();
    for piece in pieces(bytes, value as usize) {
        let is_name = bytes[piece.start] == b'"' && matches!(frames.last(), Some(Frame::Object(None)));
        if is_name && let Some(Frame::Object(name)) = frames.last_mut() {
            *name = Some(Span::new(piece.start + 1, piece.end - 1));
        }
        if piece.start >= at as usize {
            break;
        }
        match bytes[piece.start] {
            b'{' => frames.push(Frame::Object(None)),
            b'[' => frames.push(Frame::Array(0)),
            b'}' | b']' => {
                frames.pop();
            }
            b',' => match frames.last_mut() {
                Some(Frame::Object(name)) => *name = None,
                Some(Frame::Array(index)) => *index += 1,
                None => break,
            },
            _ => {}
        }
    }
    let mut path = String::new();
    for frame in frames {
        match frame {
            Frame::Object(Some(name)) => {
                let dot = if path.is_empty() { "" } else { "." };
                let _ = write!(path, "{dot}{}", String::from_utf8_lossy(&decode(name.of(bytes))));
            }
            Frame::Object(None) => {}
            Frame::Array(index) => {
                let _ = write!(path, "[{index}]");
            }
        }
    }
    path
}

/// The raw names of the object that opens at `open`, in order.
pub(super) fn names_of(bytes: &[u8], open: u32) -> Vec<Span> {
    let mut names = Vec::new();
    let mut depth = 0;
    let mut expects_name = false;
    for piece in pieces(bytes, open as usize) {
        match bytes[piece.start] {
            b'{' | b'[' => {
                depth += 1;
                expects_name = depth == 1;
            }
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            b',' => expects_name = depth == 1,
            b'"' if expects_name => {
                names.push(Span::new(piece.start + 1, piece.end - 1));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}

/// Of these raw names, in order, the first that repeats an earlier one.
pub(super) fn first_repeated(bytes: &[u8], names: &[Span]) -> Option<Span> {
    let mut seen = HashSet::with_capacity_and_hasher(names.len(), RandomState::default());
    names.iter().copied().find(|name| !seen.insert(decode(name.of(bytes))))
}

#[cfg(test)]
mod tests {
    use super::{first_repeated, names_of, path_within};

    #[test]
    fn paths_lead_to_names_and_values() {
        let text = br#" {"a":{"b":[1,{"c\u0020d":null}]},"e":"x,\"{"}"#;
        let at = |what: &str| std::str::from_utf8(text).unwrap().find(what).unwrap() as u32;
        for (what, want) in [
            ("{\"a", ""),
            ("\"a\"", "a"),
            ("{\"b", "a"),
            ("\"b\"", "a.b"),
            ("[1", "a.b"),
            ("1", "a.b[0]"),
            ("{\"c", "a.b[1]"),
            ("\"c", "a.b[1].c d"),
            ("null", "a.b[1].c d"),
            ("\"x", "e"),
        ] {
            assert_eq!(path_within(text, 1, at(what)), want, "{what}");
        }
    }

    #[test]
    fn names_and_repeated_names() {
        let text = br#"{"a":{"x":1,"x":2},"b":["x"],"\u0061":3,"b":4}"#;
        let names = names_of(text, 0);
        assert_eq!(names.len(), 4);
        assert_eq!(first_repeated(text, &names), Some(names[2]));
        assert_eq!(first_repeated(text, &names[..2]), None);
        let inner = names_of(text, 5);
        assert_eq!(first_repeated(text, &inner).map(|name| name.start), Some(13));
    }
}
