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
    let (mut rest, mut from) = (0, 0);
    while let Some((at, marker)) = next_marker(&mut markers, text, from) {
        from = at + marker.len();
        let after = &text[from..];
        let separators =
            |character: char| character.is_whitespace() || matches!(character, '"' | '\'' | '=' | ':' | '\\');
        let value = after.find(|character| !separators(character)).unwrap_or(after.len());
        if !is_told(marker, &after[..value], kind) || value == after.len() {
            // The name of a member that holds a key, and no key.
            continue;
        }
        push_without_keys(&text[rest..at], kind, out);
        out.push_str(REDACTED);
        let ends = |character: char| character.is_whitespace() || matches!(character, '"' | '\'');
        rest = from + value + after[value..].find(ends).unwrap_or(after.len() - value);
        from = rest;
    }
    push_without_keys(&text[rest..], kind, out);
}

/// Whether what follows a marker is its value, by what stands between the two.
fn is_told(marker: &str, between: &str, kind: TextKind) -> bool {
    // `: ` without quotes is how a message goes on after a name.
    let is_json = between.contains(':') && (between.contains(['"', '\'']) || !between.contains(' '));
    let has_sign = |text: &str| text.contains(['=', '%']);
    match kind {
        TextKind::Free => true,
        // `SharedAccessSignature sr=…`
        _ if marker == "sharedaccesssignature" => !between.is_empty(),
        // An escape stands for a sign: `SharedAccessKey\u003dx`.
        TextKind::Path | TextKind::Name => has_sign(marker) || has_sign(between) || is_json || between.contains('\\'),
    }
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
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let run = KeyRun::at_start(rest);
        if run.bytes == 0 {
            out.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        }
        let (text, after) = rest.split_at(run.bytes);
        let padding = padding(after);
        let padded = padding > 0 && run.characters >= KEY_RUN_MIN;
        let unpadded = run.characters >= UNPADDED_KEY_RUN_MIN && run.has_signs;
        if padded || unpadded || (kind == TextKind::Free && run.characters > FREE_RUN_MAX) {
            out.push_str(REDACTED);
            rest = &after[padding..];
        } else {
            out.push_str(text);
            rest = after;
        }
    }
}

/// A run of characters of which base64 keys are made, some of them perhaps spelt as escapes of JSON: `+` is `\u002B` where
/// .NET has written it.
#[derive(Default)]
struct KeyRun {
    bytes: usize,
    characters: usize,
    /// There are `+` or `/` in it, which only base64 has.
    has_signs: bool,
}

impl KeyRun {
    fn at_start(text: &str) -> Self {
        let mut run = Self::default();
        while let Some((character, length)) = character_at_start(&text[run.bytes..]) {
            let is_sign = matches!(character, '+' | '/');
            if !character.is_ascii_alphanumeric() && !is_sign {
                break;
            }
            run.bytes += length;
            run.characters += 1;
            run.has_signs |= is_sign;
        }
        run
    }
}

/// How many bytes of padding a text starts with.
fn padding(text: &str) -> usize {
    let mut bytes = 0;
    while let Some(('=', length)) = character_at_start(&text[bytes..]) {
        bytes += length;
    }
    bytes
}

/// The ASCII character that a text starts with, plain or as an escape of JSON, and in how many bytes it is spelt.
fn character_at_start(text: &str) -> Option<(char, usize)> {
    match text.as_bytes() {
        [b'\\', b'u', digits @ ..] => {
            let digits = str::from_utf8(digits.get(..4)?).ok()?;
            let value = u8::from_str_radix(digits.strip_prefix("00")?, 16).ok()?;
            value.is_ascii().then_some((char::from(value), 6))
        }
        [b'\\', b'/', ..] => Some(('/', 2)),
        [byte, ..] if byte.is_ascii() => Some((char::from(*byte), 1)),
        _ => None,
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
                ("SharedAccessKey\\u003Dc2Vj", "REDACTED"),
                ("primaryKey=", "primaryKey="),
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

    #[test]
    fn keys_go_however_they_are_spelt() {
        for bytes in [16, 32, 48, 64] {
            let key = base64(bytes);
            let spelt = [
                key.replace('+', "\\u002B"),
                key.replace('+', "\\u002b").replace('/', "\\/").replace('=', "\\u003D"),
                key.replace('A', "\\u0041").replace('/', "\\u002F"),
            ];
            for key in spelt {
                for kind in [TextKind::Name, TextKind::Free] {
                    assert_eq!(redacted(&format!("key {key}, end"), kind), "key REDACTED, end");
                }
            }
        }
        let plain = r"a\u00e4b\u002Bc\n \u12";
        assert_eq!(redacted(plain, TextKind::Name), plain);
    }

    #[test]
    fn a_marker_in_free_text_hides_what_follows_without_a_sign() {
        assert_eq!(redacted("the primaryKey abc is", TextKind::Free), "the REDACTED is");
        for kind in [TextKind::Path, TextKind::Name] {
            for text in [
                "the primaryKey abc is",
                "--set authentication.symmetricKey.primaryKey: the value is not JSON",
                "SharedAccessKey",
                "authentication.symmetricKey.PrimaryKey",
                "sensor-primaryKey-01",
            ] {
                assert_eq!(redacted(text, kind), text);
            }
        }
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
