//! Responsible for: lines with the structure and the names of other lines, and with other values. What a thread remembers of
//! the one kind must hold for the other.

use crate::rng::Rng;

/// Contents of texts, some of which mean something in some place.
const TEXTS: [&str; 20] = [
    "",
    "x",
    "dev:1",
    "$edgeHub",
    "enabled",
    "Disabled",
    "sas",
    "selfSigned",
    "certificateAuthority",
    "none",
    "create",
    "delete",
    "updateTwinIfMatchETag",
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "AAEC",
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk==",
    "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk=",
    "0123456789012345678901234567890123456789",
    "é\u{85}漢",
    "\\u00e9\\n\\ud800",
];
/// Numbers and literals.
const SCALARS: [&str; 9] = [
    "null",
    "true",
    "false",
    "0",
    "-1.5e3",
    "4503599627370495",
    "4503599627370496",
    "-12345678901234567",
    "0.123456789012345678",
];

/// Lines with other values than these, wherever lines look like JSON.
#[must_use]
pub fn of(lines: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::with_capacity(lines.len());
    let mut at = 0;
    while at < lines.len() {
        let start = at;
        match lines[at] {
            b'"' => {
                at = text_end(lines, at);
                let after = lines[at..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
                if after == Some(&b':') || rng.chance(50) {
                    out.extend_from_slice(&lines[start..at]);
                } else if rng.chance(2) {
                    out.extend(format!("\"{}\"", "long".repeat(1200)).bytes());
                } else {
                    out.extend(format!("\"{}\"", rng.pick(&TEXTS)).bytes());
                }
            }
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => {
                let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
                at += lines[at..].iter().take_while(|byte| is_part(byte)).count();
                let kept = std::str::from_utf8(&lines[start..at]).unwrap_or_default();
                out.extend_from_slice(if rng.chance(50) { kept } else { rng.pick(&SCALARS) }.as_bytes());
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// So many lines of one form: this one, with other letters and digits in its texts here and there; one in thirty is another
/// sibling of it.
#[must_use]
pub fn stretch(line: &[u8], count: usize, rng: &mut Rng) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..count {
        if rng.below(30) == 0 {
            out.extend(of(line, rng));
        } else {
            let start = out.len();
            out.extend_from_slice(line);
            let letters = letters_of_texts(line);
            for _ in 0..rng.below(4).min(letters.len()) {
                out[start + letters[rng.below(letters.len())]] = b"aZ09"[rng.below(4)];
            }
        }
        out.push(b'\n');
    }
    out
}

/// Where the letters and digits of texts are that are no names; none that an escape is made of.
fn letters_of_texts(line: &[u8]) -> Vec<usize> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < line.len() {
        let start = at;
        if line[at] != b'"' {
            at += 1;
            continue;
        }
        at = text_end(line, at);
        let after = line[at..].iter().find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
        if after != Some(&b':') && !line[start..at].contains(&b'\\') {
            all.extend((start..at).filter(|place| line[*place].is_ascii_alphanumeric()));
        }
    }
    all
}

/// The place after the text that opens at `open`, at the end of its line at the latest.
fn text_end(lines: &[u8], open: usize) -> usize {
    let mut at = open + 1;
    while at < lines.len() {
        match lines[at] {
            b'\n' => return at,
            b'"' => return at + 1,
            b'\\' if at + 1 < lines.len() && lines[at + 1] != b'\n' => at += 2,
            _ => at += 1,
        }
    }
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::{of, stretch};
    use crate::json;
    use crate::rng::Rng;

    #[test]
    fn names_stay_and_values_change() {
        let line = r#"{"id" : "a\"b","n":[1,-2.5e3,null,{"x":true},"plain"],"t":{}}"#;
        let mut rng = Rng::new(1);
        let mut changed = 0;
        for _ in 0..200 {
            let other = of(line.as_bytes(), &mut rng);
            let text = String::from_utf8(other).unwrap();
            assert!(json::parse(text.as_bytes(), 128).is_ok(), "{text}");
            for name in [r#""id" :"#, r#""n":["#, r#"{"x":"#, r#""t":{}"#] {
                assert!(text.contains(name), "{text}");
            }
            changed += usize::from(text != line);
        }
        assert!(changed > 150, "{changed}");
        let lines = String::from_utf8(stretch(line.as_bytes(), 500, &mut rng)).unwrap();
        let is_alike = |other: &&str| other.len() == line.len() && json::parse(other.as_bytes(), 128).is_ok();
        assert_eq!(lines.lines().count(), 500);
        assert!(lines.lines().filter(is_alike).count() > 450);
        assert!(lines.lines().all(|line| line.contains(r#""id" :"#)));
        assert!(lines.lines().filter(|other| *other != line).count() > 200);
        for broken in [&b"\"a\n\"b\\"[..], b"\"\\", b"{\"a\":\"\\\n", b"nul\xff\"\xff"] {
            assert!(of(broken, &mut rng).len() < 10_000);
        }
    }
}
