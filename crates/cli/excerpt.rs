//! The line of a text that something is wrong with, and a line below it that points at the place.

use std::ops::Range;

use hubmill_device::{Printable, TextKind, redacted};

/// Characters that are shown before and after the place.
const AROUND_MAX: usize = 60;

/// Two lines, or none where the text may hold a secret.
pub(crate) fn excerpt(text: &str, at: Range<usize>) -> Vec<String> {
    let start = floor(text, at.start);
    let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let line = &text[line_start..line_end];
    if redacted(line, TextKind::Name) != line {
        return Vec::new();
    }
    let before = tail(&text[line_start..start]);
    let after = head(&text[start..line_end]);
    let marked = text[start..floor(text, at.end).clamp(start, line_end)].chars().count();
    let shown = |text: &str| Printable(&text.replace(['\t', '\r'], " ")).to_string();
    let (before, after) = (shown(&before), shown(&after));
    let width = before.chars().count();
    let marks = marked.clamp(1, after.chars().count().max(1));
    vec![format!("  {before}{after}"), format!("  {}{}", " ".repeat(width), "^".repeat(marks))]
}

/// The last place at or before this one where a character starts.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn tail(text: &str) -> String {
    let last = last_characters(text, AROUND_MAX);
    if last.len() < text.len() { format!("…{last}") } else { text.to_owned() }
}

fn head(text: &str) -> String {
    let first = first_characters(text, AROUND_MAX);
    if first.len() < text.len() { format!("{first}…") } else { text.to_owned() }
}

/// The first characters of a text, so many at most.
pub(crate) fn first_characters(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(end, _)| &text[..end])
}

/// The last characters of a text, so many at most; at least one.
pub(crate) fn last_characters(text: &str, count: usize) -> &str {
    text.char_indices().rev().nth(count.saturating_sub(1)).map_or(text, |(start, _)| &text[start..])
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn the_mark_is_below_the_place() {
        assert_eq!(excerpt("a = )", 4..5), ["  a = )", "      ^"]);
        assert_eq!(excerpt("one\ntwo x\nthree", 8..9), ["  two x", "      ^"]);
        assert_eq!(excerpt("é = é", 5..7), ["  é = é", "      ^"]);
        assert_eq!(excerpt("ends", 4..4), ["  ends", "      ^"]);
        assert_eq!(excerpt("word", 0..4), ["  word", "  ^^^^"]);
        let long = format!("{}{}", "a".repeat(100), "b".repeat(100));
        let shown = excerpt(&long, 100..200);
        assert_eq!(shown[0], format!("  …{}{}…", "a".repeat(60), "b".repeat(60)));
        assert_eq!(shown[1].trim_start(), "^".repeat(61));
    }

    #[test]
    fn a_text_with_a_secret_is_not_shown() {
        assert!(excerpt("tags.x = 'SharedAccessKey=c2VjcmV0' AND )", 40..41).is_empty());
        assert!(excerpt("x = 'JA4yYxPqz9H3fC0kzv0+/Z8lq1c9yT1pVb7Qm2Rw3sE='", 0..1).is_empty());
    }
}
