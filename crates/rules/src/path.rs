//! Paths of members, as they are written in expressions and on the command line: the one place that reads them.
//!
//! Names are joined by dots. A name of any characters stands in brackets: `tags.[[odd name]]` as in the hub's query language,
//! or `tags['odd name']`.

use std::ops::Range;

use hubmill_parser::decode;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFault {
    /// The bytes that it is about; empty at the end of the text.
    pub at: Range<usize>,
    /// Lower case, no full stop.
    pub message: String,
    /// What could be done.
    pub hint: Option<String>,
}

impl TextFault {
    pub(crate) fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// One name of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// Decoded; a lone surrogate as in [`decode`].
    pub(crate) text: Vec<u8>,
    /// It stands in brackets: taken as it is.
    pub(crate) bracketed: bool,
    /// Where it stands.
    pub(crate) at: Range<usize>,
}

/// What a name without brackets may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    /// Letters, digits, `_` and `$`, as in an expression.
    Identifier,
    /// Anything up to a dot, a bracket or `=`.
    UpToEquals,
    /// Anything up to a dot or a bracket.
    Anything,
}

impl Bare {
    fn length(self, text: &str) -> usize {
        let ends = |character: char| match self {
            Self::Identifier => !(character.is_alphanumeric() || matches!(character, '_' | '$')),
            Self::UpToEquals => matches!(character, '.' | '[' | '='),
            Self::Anything => matches!(character, '.' | '['),
        };
        text.find(ends).unwrap_or(text.len())
    }
}

/// The first character of a name in an expression.
pub(crate) fn starts_name(character: char) -> bool {
    character.is_alphabetic() || matches!(character, '_' | '$')
}

/// Reads a path from `start` on; its names, and where it ends.
pub(crate) fn read_path(text: &str, start: usize, bare: Bare) -> Result<(Vec<Name>, usize), TextFault> {
    let mut names = Vec::new();
    let mut at = start;
    loop {
        let rest = &text[at..];
        if rest.starts_with('[') {
            let (name, end) = read_bracketed(text, at)?;
            names.push(name);
            at = end;
        } else {
            let length = bare.length(rest);
            let fits = bare != Bare::Identifier || rest.starts_with(starts_name);
            if length == 0 || !fits {
                let found = rest.chars().next().map_or(0, char::len_utf8);
                return Err(TextFault::new(at..at + found, "expected the name of a member")
                    .hint("a name of any characters stands in double brackets: tags.[[odd name]]"));
            }
            let name = rest.as_bytes()[..length].to_vec();
            names.push(Name { text: name, bracketed: false, at: at..at + length });
            at += length;
        }
        while text[at..].starts_with('[') {
            let (name, end) = read_bracketed(text, at)?;
            names.push(name);
            at = end;
        }
        if !text[at..].starts_with('.') {
            return Ok((names, at));
        }
        at += 1;
    }
}

/// Reads all of a text as a path.
pub(crate) fn whole_path(text: &str) -> Result<Vec<Name>, TextFault> {
    let (names, end) = read_path(text, 0, Bare::Anything)?;
    match text[end..].chars().next() {
        None => Ok(names),
        Some(found) => Err(TextFault::new(end..end + found.len_utf8(), "expected a dot, or the end of the path")),
    }
}

/// Reads `[[name]]`, `['name']` or `["name"]`.
fn read_bracketed(text: &str, open: usize) -> Result<(Name, usize), TextFault> {
    let rest = &text[open..];
    if let Some(name) = rest.strip_prefix("[[") {
        let Some(length) = name.find("]]") else {
            return Err(TextFault::new(open..open + 2, "these brackets are not closed: expected ]]"));
        };
        let at = open + 2..open + 2 + length;
        return Ok((Name { text: name.as_bytes()[..length].to_vec(), bracketed: true, at }, open + length + 4));
    }
    if rest[1..].starts_with(['\'', '"']) {
        let (name, close) = read_string(text, open + 1)?;
        if !text[close..].starts_with(']') {
            let found = text[close..].chars().next().map_or(0, char::len_utf8);
            return Err(TextFault::new(close..close + found, "expected ] after the name"));
        }
        return Ok((Name { text: name, bracketed: true, at: open + 1..close }, close + 1));
    }
    let fault = TextFault::new(open..open + 1, "expected a name in brackets: [[name]] or ['name']");
    Err(match rest[1..].starts_with(|character: char| character.is_ascii_digit()) {
        true => fault.hint("elements of arrays have no paths; arrays are taken as a whole"),
        false => fault,
    })
}

/// Reads a string in single or double quotes; its decoded text, and where it ends.
pub(crate) fn read_string(text: &str, open: usize) -> Result<(Vec<u8>, usize), TextFault> {
    let bytes = text.as_bytes();
    let quote = bytes[open];
    let mut at = open + 1;
    loop {
        match bytes.get(at) {
            None => {
                return Err(TextFault::new(open..open + 1, "this text is not closed: expected the same quote again"));
            }
            Some(byte) if *byte == quote => return Ok((decode(&bytes[open + 1..at]).into_owned(), at + 1)),
            Some(b'\\') => match bytes.get(at + 1) {
                Some(b'\'' | b'"' | b'\\') => at += 2,
                Some(b'u')
                    if bytes.get(at + 2..at + 6).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)) =>
                {
                    at += 6;
                }
                _ => {
                    return Err(TextFault::new(at..at + 1, "expected an escape: one of \\' \\\" \\\\ \\uXXXX")
                        .hint("a backslash itself is written \\\\"));
                }
            },
            Some(_) => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bare, read_path, whole_path};

    fn names(text: &str) -> Vec<String> {
        let names = whole_path(text).unwrap();
        names.into_iter().map(|name| String::from_utf8(name.text).unwrap()).collect()
    }

    #[test]
    fn names_are_bare_or_in_brackets() {
        assert_eq!(names("tags.site"), ["tags", "site"]);
        assert_eq!(names("tags.my-site x=1.é"), ["tags", "my-site x=1", "é"]);
        assert_eq!(names("tags.[[a.b]].c"), ["tags", "a.b", "c"]);
        assert_eq!(names("tags[[a.b]][[c]]"), ["tags", "a.b", "c"]);
        assert_eq!(names(r#"[["x"]]['y\'z']["q\u0041"].w"#), ["\"x\"", "y'z", "qA", "w"]);
        assert_eq!(names("[[]]"), [""]);
    }

    #[test]
    fn a_path_ends_where_its_kind_says() {
        let end = |text, bare| read_path(text, 0, bare).unwrap().1;
        assert_eq!(end("tags.a=b.c", Bare::UpToEquals), 6);
        assert_eq!(end("tags.[[a=b]]=c", Bare::UpToEquals), 12);
        assert_eq!(end("tags.$a_1-2", Bare::Identifier), 9);
    }

    #[test]
    fn faults_have_their_place() {
        for (text, at) in [
            ("", 0..0),
            ("a..b", 2..3),
            ("a.", 2..2),
            (".a", 0..1),
            ("a[[b", 1..3),
            ("a[0]", 1..2),
            ("a['b", 2..3),
            ("a['b'x", 5..6),
            (r"a['\n']", 3..4),
            ("a[[b]]c", 6..7),
        ] {
            assert_eq!(whole_path(text).unwrap_err().at, at, "{text}");
        }
    }
}
