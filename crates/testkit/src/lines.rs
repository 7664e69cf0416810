//! Responsible for: cutting an input into lines, and telling blank lines and the notice from devices.
//! Not for: what a device line holds.

/// One line of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// From 1.
    pub number: u64,
    /// The 0-based offset of the line's first byte in the input; a byte order mark counts, and is not part of line 1.
    pub at: usize,
    /// The line as read, with its `\r`, without its `\n`.
    pub read: &'a [u8],
}

impl<'a> RawLine<'a> {
    /// The line without the `\r` that belong to its end.
    #[must_use]
    pub fn text(&self) -> &'a [u8] {
        let mut text = self.read;
        while let Some(shorter) = text.strip_suffix(b"\r") {
            text = shorter;
        }
        text
    }

    /// Whether there is nothing but spaces, tabs and `\r`.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.read.iter().all(|byte| b" \t\r".contains(byte))
    }

    /// Whether this is the hub's plain-text notice (§1.6): the first line, not blank, without any brace or bracket.
    #[must_use]
    pub fn is_notice(&self) -> bool {
        self.number == 1 && !self.is_blank() && !self.read.iter().any(|byte| b"{}[]".contains(byte))
    }
}

/// The lines of an input.
#[must_use]
pub fn split(input: &[u8]) -> Vec<RawLine<'_>> {
    let mut lines = Vec::new();
    let mut at = if input.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    while at < input.len() {
        let rest = &input[at..];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        lines.push(RawLine { number: lines.len() as u64 + 1, at, read: &rest[..length] });
        at += length + 1;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(input: &[u8]) -> Vec<&[u8]> {
        split(input).iter().map(RawLine::text).collect()
    }

    #[test]
    fn lines_end_at_newlines_and_at_the_end() {
        assert_eq!(texts(b""), Vec::<&[u8]>::new());
        assert_eq!(texts(b"\xef\xbb\xbf"), Vec::<&[u8]>::new());
        assert_eq!(texts(b"\n"), [b""]);
        assert_eq!(texts(b"a\nb"), [b"a", b"b"]);
        assert_eq!(texts(b"a\r\nb\r\r\n\nc\r"), [b"a".as_slice(), b"b", b"", b"c"]);
        assert_eq!(texts(b"a\rb\n"), [b"a\rb"]);
        assert_eq!(texts(b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n"), [b"a".as_slice(), b"\xef\xbb\xbfb"]);
        assert_eq!(split(b"\xef\xbb\xbfa\r\nb")[1], RawLine { number: 2, at: 6, read: b"b" });
    }

    #[test]
    fn blank_and_notice() {
        let first = |input| split(input)[0];
        assert!(first(b" \t\r\n").is_blank() && !first(b" \n").is_notice());
        assert!(!first(b"\x0c\n").is_blank());
        assert!(first(b"keys were left out\n").is_notice());
        assert!(first(b"null\n").is_notice());
        assert!(!first(b"{0}\n").is_notice() && !first(b"a]\n").is_notice());
        assert!(!split(b"\nnotice\n")[1].is_notice());
    }
}
