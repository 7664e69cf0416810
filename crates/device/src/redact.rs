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

/// Words after which a secret follows in connection strings, SAS tokens and storage addresses.
const MARKERS: [&str; 6] =
    ["sharedaccesskey", "sharedaccesssignature", "accountkey", "sig=", "primarykey", "secondarykey"];

/// The longest run of key-like characters that is shown where the text is free, not an id.
const FREE_RUN_MAX: usize = 20;

/// Text of unknown content, with what looks like a connection string or a SAS token replaced by `REDACTED`.
///
/// With `free_text` (a line that is no device), any run of more than 20 characters of the base64 alphabet goes, too; an
/// id keeps such runs, since ids are often long.
pub fn redacted(text: &str, free_text: bool) -> String {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = MARKERS.iter().filter_map(|marker| lower.find(marker)).min() {
        return format!("{}REDACTED", redacted(&text[..at], free_text));
    }
    if !free_text {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars().chain(['\0']) {
        if character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=' | '_' | '-' | '%') {
            run.push(character);
            continue;
        }
        out.push_str(if run.len() > FREE_RUN_MAX { "REDACTED" } else { &run });
        run.clear();
        out.push(character);
    }
    out.pop();
    out
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
    use super::{Printable, Secret, redacted};

    #[test]
    fn a_secret_never_prints() {
        let secret = Secret(b"c2VjcmV0");
        assert_eq!(format!("{secret} {secret:?}"), "REDACTED REDACTED");
    }

    #[test]
    fn connection_strings_and_tokens_go() {
        let text = "HostName=hub.example.net;DeviceId=d1;SharedAccessKey=c2VjcmV0c2VjcmV0";
        assert_eq!(redacted(text, false), "HostName=hub.example.net;DeviceId=d1;REDACTED");
        assert_eq!(
            redacted("https://x.example.net/c?sv=2020&sig=abc", false),
            "https://x.example.net/c?sv=2020&REDACTED"
        );
        assert_eq!(redacted("SHAREDACCESSSIGNATURE sr=x", true), "REDACTED");
    }

    #[test]
    fn long_runs_go_from_free_text_only() {
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        assert_eq!(redacted(&format!("key {key}, end"), true), "key REDACTED, end");
        assert_eq!(redacted(key, false), key);
        assert_eq!(redacted("a plain warning of the hub", true), "a plain warning of the hub");
    }

    #[test]
    fn control_and_bidi_are_escaped() {
        assert_eq!(Printable("a\u{1b}[31m\u{202e}é").to_string(), "a\\u{1b}[31m\\u{202e}é");
    }
}
