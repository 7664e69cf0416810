//! `--dry-run`: the first changed lines as they were and as they would leave, without their secrets.

use std::borrow::Cow;
use std::collections::HashMap;

use hubmill_device::{Printable, TextKind, push_redacted, redacted};
use hubmill_parser::decode;
use hubmill_pipeline::{Piece, Sample};
use hubmill_writer::{Error, Sink};

use crate::excerpt::{first_characters, last_characters};

/// How many changed lines are shown.
pub(crate) const SAMPLES_MAX: usize = 10;
/// Characters of a line that are shown in full.
const WHOLE_MAX: usize = 400;
/// Characters that are shown around what differs in a longer one.
const AROUND_MAX: usize = 60;
/// Characters that are shown of what differs, from its start and up to its end.
const DIFFERENCE_MAX: usize = 300;

/// Words in a member's name that tell of a secret, in lower case.
const SECRET_WORDS: [&str; 8] =
    ["primarykey", "secondarykey", "accountkey", "sharedaccess", "connectionstring", "password", "secret", "token"];

/// Where the changed lines go.
pub(crate) struct Samples {
    sink: Sink,
    left: usize,
}

impl Samples {
    pub(crate) fn new(sink: Sink) -> Self {
        Self { sink, left: SAMPLES_MAX }
    }

    /// Shows changed lines of a piece, as long as few were shown; `lines_before`: of the input, before the batch that they come from.
    pub(crate) fn show(&mut self, samples: &[Sample], piece: Piece<'_>, lines_before: u64) -> Result<(), Error> {
        for sample in samples.iter().take(self.left) {
            self.left -= 1;
            let (line, byte) = (lines_before + sample.line, piece.offset + sample.at() as u64);
            let change = shown(sample.before(piece.bytes), || sample.after(piece.bytes));
            self.sink.write(format!("line {line} (byte {byte}):\n{change}").as_bytes())?;
        }
        Ok(())
    }
}

/// How a line was and how it leaves, on a line each. What it leaves as is made only now: it may be long.
fn shown(before: &[u8], after: impl FnOnce() -> Vec<u8>) -> String {
    let mut secrets = HashMap::new();
    let before = without_secrets(before, &mut secrets);
    let after = without_secrets(&after(), &mut secrets);
    let (before, after) = differing_parts(&before, &after);
    format!("- {}\n+ {}\n", Printable(&before), Printable(&after))
}

/// A valid line with each secret as `REDACTED` and a number: the same for the same secret, so that one sees what changes places.
fn without_secrets(line: &[u8], secrets: &mut HashMap<Vec<u8>, usize>) -> String {
    let mut out = String::with_capacity(line.len());
    let mut under_secret_name = false;
    let mut rest = line;
    while let Some(open) = rest.iter().position(|byte| *byte == b'"') {
        out.push_str(&String::from_utf8_lossy(&rest[..=open]));
        let content = &rest[open + 1..];
        let close = text_end(content);
        let (text, after) = (&content[..close], &content[(close + 1).min(content.len())..]);
        let is_name = after.trim_ascii_start().first() == Some(&b':');
        let readable = String::from_utf8_lossy(text);
        // Words that are looked for may be spelt with escapes.
        let decoded = decode(text);
        let meant = String::from_utf8_lossy(&decoded);
        let hides_one = matches!(decoded, Cow::Owned(_)) && redacted(&meant, TextKind::Name) != meant;
        if is_name {
            let lower = meant.to_ascii_lowercase();
            under_secret_name = SECRET_WORDS.iter().any(|word| lower.contains(word));
        }
        if hides_one {
            out.push_str("REDACTED");
        } else if is_name {
            out.push_str(&redacted(&readable, TextKind::Name));
        } else if under_secret_name && !text.is_empty() {
            let next = secrets.len() + 1;
            let number = secrets.entry(text.to_vec()).or_insert(next);
            out.push_str(&format!("REDACTED {number}"));
        } else {
            push_redacted(&readable, TextKind::Name, &mut out);
        }
        out.push('"');
        rest = after;
    }
    out.push_str(&String::from_utf8_lossy(rest));
    out
}

/// The length of what stands before the closing quote.
fn text_end(content: &[u8]) -> usize {
    let mut at = 0;
    while at < content.len() && content[at] != b'"' {
        at += if content[at] == b'\\' { 2 } else { 1 };
    }
    at.min(content.len())
}

/// Long lines without most of what is the same at their starts and ends.
fn differing_parts(before: &str, after: &str) -> (String, String) {
    if [before, after].iter().all(|line| line.chars().nth(WHOLE_MAX).is_none()) {
        return (before.to_owned(), after.to_owned());
    }
    let same = bytes_of_same(before.chars().zip(after.chars()));
    let same_end = bytes_of_same(before[same..].chars().rev().zip(after[same..].chars().rev()));
    let part = |line: &str| {
        let ends = line.len() - same_end;
        let start = same - last_characters(&line[..same], AROUND_MAX).len();
        let end = ends + first_characters(&line[ends..], AROUND_MAX).len();
        let middle = &line[start..end];
        let (first, last) = (first_characters(middle, DIFFERENCE_MAX), last_characters(middle, DIFFERENCE_MAX));
        let middle = match first.len() + last.len() < middle.len() {
            true => format!("{first}…{last}"),
            false => middle.to_owned(),
        };
        format!("{}{middle}{}", if start > 0 { "…" } else { "" }, if end < line.len() { "…" } else { "" })
    };
    (part(before), part(after))
}

/// How many bytes the first of these characters have that are the same in both.
fn bytes_of_same(pairs: impl Iterator<Item = (char, char)>) -> usize {
    pairs.take_while(|(one, other)| one == other).map(|(one, _)| one.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::shown;

    fn sample(before: &str, after: &str) -> String {
        shown(before.as_bytes(), || after.into())
    }

    #[test]
    fn secrets_are_numbered_and_never_shown() {
        let line = |one: &str, other: &str| {
            format!(
                "{{\"id\":\"a\",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\" : \"{one}\",\"secondaryKey\":\"{other}\"}}}}}}"
            )
        };
        let text = sample(&line("b25l", "dHdv"), &line("dHdv", "b25l"));
        assert!(text.contains("- {\"id\":\"a\",\"authentication\":{\"symmetricKey\":{\"primaryKey\" : \"REDACTED 1\",\"secondaryKey\":\"REDACTED 2\"}}}\n"), "{text}");
        assert!(text.contains("+ {\"id\":\"a\",\"authentication\":{\"symmetricKey\":{\"primaryKey\" : \"REDACTED 2\",\"secondaryKey\":\"REDACTED 1\"}}}\n"), "{text}");
        let text = sample(
            "{\"tags\":{\"sasToken\":[\"abc\"],\"c\":\"HostName=x;SharedAccessKey=c2VjcmV0\",\"d\":\"a\\\"b\"}}",
            "{}",
        );
        assert!(!text.contains("abc") && !text.contains("c2VjcmV0") && text.contains("\"d\":\"a\\\"b\""), "{text}");
    }

    #[test]
    fn secrets_spelt_with_escapes_are_not_shown() {
        let key = "q8+vASNFZ4mrze8BI0+niavN7wEj/WeJq8+vASNFZ4k=";
        for text in [
            key.replace('+', "\\u002B"),
            key.replace('=', "\\u003D"),
            key.replace('q', "\\u0071"),
            format!("HostName=x;Shared\\u0041ccessKey={key}"),
            format!("HostName=x;\\u0053haredAccessKey\\u003Dc2VjcmV0{key}"),
        ] {
            let text = sample(&format!("{{\"tags\":{{\"k\":\"{text}\",\"n\":\"a\\nb\"}}}}"), "{}");
            assert!(!text.contains("ASNFZ4k") && text.contains("\"n\":\"a\\nb\""), "{text}");
        }
        let text = sample(r#"{"tags":{"pass\u0077ord":"abc","primaryKeys":1}}"#, "{}");
        assert!(!text.contains("abc") && text.contains("\"primaryKeys\""), "{text}");
    }

    #[test]
    fn long_lines_are_cut_where_they_do_not_differ() {
        let long = "x".repeat(5000);
        let text = sample(
            &format!("{{\"a\":\"{long}\",\"b\":1,\"c\":\"{long}\"}}"),
            &format!("{{\"a\":\"{long}\",\"b\":22,\"c\":\"{long}\"}}"),
        );
        assert!(text.contains("\"b\":1,") && text.contains("\"b\":22,") && text.len() < 500, "{text}");
    }

    #[test]
    fn what_is_shown_of_a_long_line_is_counted_in_characters() {
        let (same, old, new) = ("é".repeat(500), "a".repeat(1000), "漢".repeat(601));
        let line = |middle: &str| format!("{{\"a\":\"{same}{middle}{same}\"}}");
        let around = "é".repeat(60);
        let part = |letter: &str, most: bool| match most {
            true => format!("{around}{}…{}{around}", letter.repeat(240), letter.repeat(240)),
            false => format!("{around}{around}"),
        };
        for (before, after, want) in [
            (&old, &new, [part("a", true), part("漢", true)]),
            (&old, &String::new(), [part("a", true), part("", false)]),
        ] {
            let want = format!("- …{}…\n+ …{}…\n", want[0], want[1]);
            assert_eq!(sample(&line(before), &line(after)), want);
        }
    }
}
