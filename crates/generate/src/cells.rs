//! What the text of a cell becomes in a line.

use serde_json::value::RawValue;

/// Appends text as a JSON string. Bytes that are no UTF-8 stay as they are: the check of the line finds them.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', byte]),
            byte => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// The JSON value that a text is, where it is one (RFC 8259).
pub(crate) fn literal(text: &[u8]) -> Option<&[u8]> {
    // Most cells are plain words, and no JSON begins as they do.
    let first = text.iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))?;
    if !matches!(first, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
        return None;
    }
    // So are most values integers.
    if *first != b'0' && text.iter().all(u8::is_ascii_digit) {
        return Some(text);
    }
    let value: &RawValue = serde_json::from_slice(text).ok()?;
    Some(value.get().as_bytes())
}

/// Appends a JSON value in one line: a line end can only be white space in it.
pub(crate) fn push_json(out: &mut Vec<u8>, json: &[u8]) {
    let start = out.len();
    out.extend_from_slice(json);
    for byte in &mut out[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{literal, push_json, push_string};

    #[test]
    fn strings_read_back_as_they_were() {
        let mut texts: Vec<String> =
            ["", "plain", "a\"b\\c\n\r\t\u{1}\u{1f}é漢😀/", "\"", "\\"].map(str::to_owned).into();
        // Each character at each place, among ones that are not escaped.
        for character in (0..0x100u32).filter_map(char::from_u32) {
            texts.extend((0..20).map(|at| format!("{}{character}{}", "#".repeat(at), "~ é!".repeat(4))));
        }
        for text in texts {
            let mut out = Vec::new();
            push_string(&mut out, text.as_bytes());
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }

    #[test]
    fn literals_are_told_from_text() {
        for (text, want) in [
            ("12", Some("12")),
            ("0", Some("0")),
            ("12345678901234567890123", Some("12345678901234567890123")),
            (" 1.50 ", Some("1.50")),
            ("-0", Some("-0")),
            ("true", Some("true")),
            ("null", Some("null")),
            ("\"x\"", Some("\"x\"")),
            ("{\"a\": [1]}", Some("{\"a\": [1]}")),
            ("0071", None),
            ("1.", None),
            ("+1", None),
            ("True", None),
            ("oslo", None),
            ("1 2", None),
            ("NaN", None),
            ("{a}", None),
            ("", None),
            ("2024-06-01", None),
        ] {
            assert_eq!(literal(text.as_bytes()), want.map(str::as_bytes), "{text}");
        }
        assert_eq!(literal(b"\"\xff\""), None);
    }

    #[test]
    fn json_over_several_lines_becomes_one() {
        let mut out = Vec::new();
        push_json(&mut out, b"{\r\n\"a\":\n1}");
        assert_eq!(out, b"{  \"a\": 1}");
    }
}
