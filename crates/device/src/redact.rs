//! Keeps secrets out of what people and logs see.
//!
//! Two things are here: a type for bytes that are known to be secret, and a filter for text of unknown content (an id,
//! a notice line) that may hold a connection string or a token all the same.

use std::fmt;

/// Bytes that must never be shown, a symmetric key for instance. `Debug` and `Display` print `REDACTED`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Secret<'a>(pub &'a [u8]);

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("REDACTED")
    }
}

impl fmt::Display for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("REDACTED")
    }
}

/// Words after which a secret follows in connection strings, SAS tokens, storage addresses and lines of devices.
const MARKERS: [&str; 8] = [
    "sharedaccesskey",
    "sharedaccesssignature",
    "accountkey",
    "primarykey",
    "secondarykey",
    "sig=",
    "sig%3d",
    "sig%253d",
];

/// The longest run of key-like characters that is shown where the text is free, not an id.
const FREE_RUN_MAX: usize = 20;
/// The shortest run of base64 before padding that is taken for a key: 16 bytes.
const KEY_RUN_MIN: usize = 22;
/// The shortest run without padding that is taken for a key, where it has characters that only base64 has.
const UNPADDED_KEY_RUN_MIN: usize = 32;

const REDACTED: &str = "REDACTED";

/// What a text is, and so how closely it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// A path or a message with one in it: connection strings and SAS tokens go.
    Path,
    /// An id or the name of a member: keys go, too.
    Name,
    /// A line that is no device: any run of more than 20 characters of the base64 alphabet goes, too. Names keep such
    /// runs, since ids are often long.
    Free,
}

/// Text of unknown content, with what looks like a secret replaced by `REDACTED`.
pub fn redacted(text: &str, kind: TextKind) -> String {
    let mut out = String::with_capacity(text.len());
    push_redacted(text, kind, &mut out);
    out
}

/// Appends what [`redacted`] gives.
pub fn push_redacted(text: &str, kind: TextKind, out: &mut String) {
    let mut markers = MARKERS.map(|word| Marker { word, next: find(text, 0, word) });
    let mut rest = 0;
    while let Some((at, marker)) = next_marker(&mut markers, text, rest) {
        push_without_keys(&text[rest..at], kind, out);
        out.push_str(REDACTED);
        let separators =
            |character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '=' | ':' | '\\');
        let value = at + marker.len();
        let value = value + text[value..].find(|character| !separators(character)).unwrap_or(text.len() - value);
        let ends = |character: char| character.is_whitespace() || matches!(character, '"' | '\'');
        rest = value + text[value..].find(ends).unwrap_or(text.len() - value);
    }
    push_without_keys(&text[rest..], kind, out);
}

/// A word that tells of a secret, and where it stands next: each is looked for once in all of a text.
struct Marker {
    word: &'static str,
    next: Option<usize>,
}

/// The first marker from a place on.
fn next_marker(markers: &mut [Marker], text: &str, from: usize) -> Option<(usize, &'static str)> {
    for Marker { word, next } in markers.iter_mut() {
        if next.is_some_and(|at| at < from) {
            *next = find(text, from, word);
        }
    }
    markers.iter().filter_map(|marker| Some((marker.next?, marker.word))).min()
}

/// Where a word in lower case stands from a place on, in any case.
fn find(text: &str, from: usize, word: &str) -> Option<usize> {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let first = *word.first()?;
    let mut starts = memchr::memchr2_iter(first, first.to_ascii_uppercase(), &text[from..]).map(|start| from + start);
    starts.find(|start| text[*start..].get(..word.len()).is_some_and(|there| there.eq_ignore_ascii_case(word)))
}

/// Appends text, with runs of characters that look like a key replaced.
fn push_without_keys(text: &str, kind: TextKind, out: &mut String) {
    if kind == TextKind::Path {
        out.push_str(text);
        return;
    }
    let in_key = |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '/');
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|character| !in_key(character)).unwrap_or(rest.len());
        if run == 0 {
            let next = rest.chars().next().map_or(rest.len(), char::len_utf8);
            out.push_str(&rest[..next]);
            rest = &rest[next..];
            continue;
        }
        let padded = rest[run..].starts_with('=') && run >= KEY_RUN_MIN;
        let unpadded = run >= UNPADDED_KEY_RUN_MIN && rest[..run].contains(['+', '/']);
        if padded || unpadded || (kind == TextKind::Free && run > FREE_RUN_MAX) {
            out.push_str(REDACTED);
            rest = rest[run..].trim_start_matches('=');
        } else {
            out.push_str(&rest[..run]);
            rest = &rest[run..];
        }
    }
}

/// Shows text with control, bidirectional and zero-width characters escaped, so that a terminal shows what is there.
pub struct Printable<'a>(pub &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for character in self.0.chars() {
            let hidden = character.is_control()
                || matches!(character,
                    '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
            if hidden {
                write!(f, "\\u{{{:x}}}", u32::from(character))?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Printable, Secret, TextKind, redacted};

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret(b"c2VjcmV0");
        assert_eq!(format!("{secret} {secret:?}"), "REDACTED REDACTED");
    }

    #[test]
    fn connection_strings_and_tokens_go_from_all_texts() {
        for kind in [TextKind::Path, TextKind::Name, TextKind::Free] {
            for (text, want) in [
                (
                    "HostName=hub.example.net;DeviceId=d1;SharedAccessKey=c2VjcmV0c2VjcmV0 and more",
                    "HostName=hub.example.net;DeviceId=d1;REDACTED and more",
                ),
                ("https://x.example.net/c?sv=2020&sig=abc%2B", "https://x.example.net/c?sv=2020&REDACTED"),
                ("sv%3D1%26sig%3Dabc sig%253Dabc.", "sv%3D1%26REDACTED REDACTED"),
                ("SHAREDACCESSSIGNATURE sr=x&sig=y, or", "REDACTED or"),
                (r#"{"primaryKey": "abc","secondaryKey":"def"}"#, r#"{"REDACTED","REDACTED"}"#),
                ("can't open /a/b/c", "can't open /a/b/c"),
                ("SharedAccessKey", "REDACTED"),
            ] {
                assert_eq!(redacted(text, kind), want);
            }
        }
    }

    #[test]
    fn a_text_of_nothing_but_markers_takes_no_longer_than_others() {
        let mebibytes = |text: &str| text.repeat((4 << 20) / text.len());
        assert_eq!(redacted(&mebibytes("sig=a "), TextKind::Name), mebibytes("sig=a ").replace("sig=a", "REDACTED"));
        let text = mebibytes("primaryKey sig=x,\" AccountKey=y ");
        let out = redacted(&text, TextKind::Free);
        assert!(out.starts_with("REDACTED\" REDACTED REDACTED\""), "{}", &out[..80]);
    }

    #[test]
    fn bare_keys_go_from_names_and_long_runs_from_free_text() {
        for bytes in [16, 32, 48, 64] {
            let key = base64(bytes);
            for kind in [TextKind::Name, TextKind::Free] {
                assert_eq!(redacted(&format!("key {key}, end"), kind), "key REDACTED, end");
            }
        }
        for id in
            ["Device00000042", "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0", "a-b:c.d+e%f_g#h"]
        {
            assert_eq!(redacted(id, TextKind::Name), id);
        }
        assert_eq!(redacted("a plain warning of the hub", TextKind::Free), "a plain warning of the hub");
        assert_eq!(redacted("abcdefghijklmnopqrstu", TextKind::Free), "REDACTED");
        let path = "some/quite/long/relative/path/to/devices";
        assert_eq!(redacted(path, TextKind::Path), path);
    }

    /// A made-up key that has the characters that only base64 has.
    fn base64(bytes: usize) -> String {
        let mut text: String = "Az9+/bY8".chars().cycle().take((bytes * 4).div_ceil(3)).collect();
        while !text.len().is_multiple_of(4) {
            text.push('=');
        }
        text
    }

    #[test]
    fn control_and_bidi_are_escaped() {
        assert_eq!(Printable("a\u{1b}[31m\u{202e}é").to_string(), "a\\u{1b}[31m\\u{202e}é");
    }
}
