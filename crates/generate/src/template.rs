//! The template that ids are made by.

use std::ops::Range;

use hubmill_device::{ID_CHARACTERS_MAX, IdFault, Printable, check_id};

use crate::error::Problem;
use crate::random::{Random, UUID_BYTES};

/// Text with places for the number of the device and for a UUID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(Vec<u8>),
    /// `{index}`, filled up with zeros to so many digits.
    Index(usize),
    /// `{uuid}`
    Uuid,
}

/// Where what differs from device to device stands in a made line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IdMarks {
    pub(crate) indexes: Vec<Range<usize>>,
    pub(crate) uuids: Vec<usize>,
}

impl IdTemplate {
    /// Reads a template, `Hub_{index:08}_{uuid}` for instance.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err(Problem::new(format!("--id: the `{{` at {} has no `}}`", text.len() - after.len() - 1)));
            };
            push_text(&mut parts, before);
            parts.push(placeholder(name)?);
            rest = after;
        }
        push_text(&mut parts, rest);
        Ok(Self { parts })
    }

    /// Whether two devices have two ids.
    pub(crate) fn is_unique(&self) -> bool {
        self.parts.iter().any(|part| !matches!(part, Part::Text(_)))
    }

    /// Checks that all ids up to this number are ids (§3.1).
    pub(crate) fn check(&self, last_index: u64) -> Result<(), Problem> {
        let mut longest = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => longest.extend_from_slice(text),
                Part::Index(width) => push_index(&mut longest, last_index, *width),
                Part::Uuid => longest.extend_from_slice(&[b'0'; UUID_BYTES]),
            }
        }
        match check_id(&longest) {
            [None, None] => Ok(()),
            [Some(IdFault::Character { character, .. }), _] => Err(Problem::with_hint(
                format!(
                    "--id has a character that the hub refuses: '{}'",
                    Printable(character.encode_utf8(&mut [0; 4]))
                ),
                "allowed are ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '",
            )),
            [_, Some(IdFault::Length { characters: 0 })] => Err(Problem::new("--id is empty")),
            _ => Err(Problem::new(format!(
                "--id makes ids of up to {} characters; the hub takes at most {ID_CHARACTERS_MAX} (§3.1)",
                longest.len()
            ))),
        }
    }

    /// Appends the id of a device, and notes what is where.
    pub(crate) fn append(&self, index: u64, random: &mut Random, marks: &mut IdMarks, out: &mut Vec<u8>) {
        for part in &self.parts {
            let start = out.len();
            match part {
                Part::Text(text) => out.extend_from_slice(text),
                Part::Index(width) => {
                    push_index(out, index, *width);
                    marks.indexes.push(start..out.len());
                }
                Part::Uuid => {
                    out.extend_from_slice(&[0; UUID_BYTES]);
                    random.uuid_over(&mut out[start..]);
                    marks.uuids.push(start);
                }
            }
        }
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.as_bytes().to_vec()));
    }
}

fn placeholder(name: &str) -> Result<Part, Problem> {
    let unknown = || {
        Problem::with_hint(
            format!("--id: {{{name}}} is no place that can be filled"),
            "there are {index}, {index:08} (filled up with zeros to 8 digits) and {uuid}",
        )
    };
    match name.split_once(':') {
        None if name == "index" => Ok(Part::Index(0)),
        None if name == "uuid" => Ok(Part::Uuid),
        Some(("index", width)) if width.len() > 1 && width.starts_with('0') => match width.parse::<usize>() {
            Ok(width) if (1..=ID_CHARACTERS_MAX).contains(&width) => Ok(Part::Index(width)),
            _ => Err(unknown()),
        },
        _ => Err(unknown()),
    }
}

/// Appends a number, filled up with zeros to `width` digits.
fn push_index(out: &mut Vec<u8>, index: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    let mut rest = index;
    while rest > 0 || start == digits.len() {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let count = digits.len() - start;
    out.resize(out.len() + width.saturating_sub(count), b'0');
    out.extend_from_slice(&digits[start..]);
}

/// Adds one to a number in digits, in place; `false` where it would need one digit more.
#[inline]
pub(crate) fn increment(digits: &mut [u8]) -> bool {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return true;
        }
        *digit = b'0';
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{IdMarks, IdTemplate, increment, push_index};
    use crate::random::Random;

    fn id(template: &str, index: u64) -> (String, IdMarks) {
        let (mut out, mut marks) = (Vec::new(), IdMarks::default());
        let template = IdTemplate::parse(template).unwrap();
        template.append(index, &mut Random::new(32), &mut marks, &mut out);
        (String::from_utf8(out).unwrap(), marks)
    }

    #[test]
    fn places_are_filled_and_noted() {
        assert_eq!(id("Device{index:08}", 42).0, "Device00000042");
        assert_eq!(id("{index}", 7).0, "7");
        assert_eq!(id("{index:02}-{index}", 123).0, "123-123");
        assert_eq!(id("plain", 1), ("plain".to_owned(), IdMarks::default()));
        let (text, marks) = id("a{uuid}b{index:03}", 5);
        assert_eq!((text.len(), marks.uuids.as_slice()), (1 + 36 + 1 + 3, [1].as_slice()));
        assert_eq!(&text[marks.indexes[0].clone()], "005");
    }

    #[test]
    fn what_can_not_be_filled_is_refused() {
        for text in [
            "{",
            "a{index",
            "{Index}",
            "{}",
            "{index:8}",
            "{index:0}",
            "{index:}",
            "{index:0x}",
            "{index:0999}",
            "{uuid:4}",
        ] {
            assert!(IdTemplate::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ids_are_checked_with_the_largest_number() {
        let check = |text: &str, last| IdTemplate::parse(text).unwrap().check(last).map_err(|problem| problem.message);
        assert!(check(&format!("{}{{index}}", "a".repeat(127)), 9).is_ok());
        assert!(check(&format!("{}{{index}}", "a".repeat(127)), 10).unwrap_err().contains("129 characters"));
        assert!(check("a b{index}", 1).unwrap_err().contains("' '"));
        assert!(check("a}{index}", 1).unwrap_err().contains("'}'"));
        assert!(check("", 1).unwrap_err().contains("empty"));
        assert!(check(&"{uuid}".repeat(4), 1).unwrap_err().contains("144"));
    }

    #[test]
    fn counting_in_place_is_counting() {
        let mut digits = b"0997".to_vec();
        for number in 998..10_000u32 {
            assert!(increment(&mut digits));
            assert_eq!(digits, format!("{number:04}").as_bytes());
        }
        assert!(!increment(&mut digits));
        for number in [0, 1, 9, 10, 99, 100, u64::MAX] {
            let mut text = Vec::new();
            push_index(&mut text, number, 0);
            assert_eq!(text, number.to_string().as_bytes());
        }
    }
}
