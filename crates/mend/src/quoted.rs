//! The import line that stands inside of an `errorStatus`: "Invalid device format in line: {…}. Error …" (§5.5).
//!
//! Nothing says where the line ends and the message begins: a line that could not be read may hold anything. So there are
//! several places where it can end, and the import line that is the same, byte by byte, up to one of them is the one.

/// What stands before the line, as far as it is known; the wording is not stable (§5.5).
const INTRODUCTION: &[u8] = b"in line: ";
/// Ends that are looked at, counted from the start and from the end of the text: messages have few full stops.
const ENDS_FIRST_MAX: usize = 4;
const ENDS_LAST_MAX: usize = 24;

/// The text from where a quoted line starts; `None` where there is no such place.
pub(crate) fn quoted_from(status: &[u8]) -> Option<&[u8]> {
    let start = match memchr::memmem::find(status, INTRODUCTION) {
        Some(at) => at + INTRODUCTION.len(),
        None => memchr::memchr(b'{', status)?,
    };
    let text = trimmed(&status[start..]);
    (!text.is_empty()).then_some(text)
}

/// A line without the white space around it, which the log may have lost.
pub(crate) fn trimmed(line: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !is_space(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// Where the line at the start of a text may end: where its outer bracket closes, before full stops, and at the end.
pub(crate) fn ends(text: &[u8]) -> Vec<usize> {
    let is_end = |at: &usize| text.get(at + 1).is_none_or(|byte| *byte == b' ');
    let mut ends: Vec<usize> = memchr::memchr_iter(b'.', text).filter(is_end).take(ENDS_FIRST_MAX).collect();
    ends.extend(memchr::Memchr::new(b'.', text).rev().filter(is_end).take(ENDS_LAST_MAX));
    ends.extend(object_end(text));
    ends.push(text.len());
    ends.iter_mut().for_each(|end| *end = trimmed(&text[..*end]).len());
    ends.sort_unstable();
    ends.dedup();
    ends.retain(|end| *end > 0);
    ends
}

/// The end of the object that a text starts with, told by its brackets and strings alone.
pub(crate) fn object_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut at) = (0usize, false, 0);
    while at < text.len() {
        match (in_string, text[at]) {
            (true, b'\\') => at += 1,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 && !in_string {
            return (at > 1).then_some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{ENDS_FIRST_MAX, ENDS_LAST_MAX, ends, object_end, quoted_from, trimmed};

    #[test]
    fn the_line_is_found_by_the_words_before_it_or_by_its_bracket() {
        for (status, want) in [
            ("Invalid device format in line: {\"id\":1}. Error", Some("{\"id\":1}. Error")),
            ("Invalid device format in line: dev1. Error", Some("dev1. Error")),
            ("Ungültig: {\"id\":1}", Some("{\"id\":1}")),
            ("in line:  \t{ } ", Some("{ }")),
            ("in line: ", None),
            ("a_device_id", None),
            ("", None),
        ] {
            assert_eq!(quoted_from(status.as_bytes()), want.map(str::as_bytes), "{status}");
        }
    }

    #[test]
    fn every_place_where_the_line_may_end_is_one() {
        let of = |text: &str| -> Vec<String> {
            ends(text.as_bytes()).into_iter().map(|end| text[..end].to_owned()).collect()
        };
        assert_eq!(
            of("{\"a\":\"x. }\"}. Error. Path 'a', line 1."),
            [
                "{\"a\":\"x",
                "{\"a\":\"x. }\"}",
                "{\"a\":\"x. }\"}. Error",
                "{\"a\":\"x. }\"}. Error. Path 'a', line 1",
                "{\"a\":\"x. }\"}. Error. Path 'a', line 1.",
            ]
        );
        assert_eq!(of("{\"a\":1.5"), ["{\"a\":1.5"]);
        assert_eq!(of("{} Error"), ["{}", "{} Error"]);
        assert_eq!(of("."), ["."]);
        let many = ends(". a".repeat(10_000).as_bytes());
        assert!(many.len() <= ENDS_FIRST_MAX + ENDS_LAST_MAX + 2, "{}", many.len());
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        for (text, want) in [
            (r#"{"a":"}"} x"#, Some(9)),
            (r#"{"a":"\"}"}"#, Some(11)),
            ("[{}]]", Some(4)),
            ("{\"a\":", None),
            ("}", None),
            ("x{}", None),
            ("", None),
        ] {
            assert_eq!(object_end(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn white_space_around_a_line_is_not_of_it() {
        assert_eq!(trimmed(b" \t{ }\r\r"), b"{ }");
        assert_eq!(trimmed(b" \r\n"), b"");
    }
}
