//! Whether two JSON values say the same: white space, escapes, the order of members and the spelling of numbers do not
//! matter, and nothing is read into floating point.
//!
//! - Numbers are compared as exact decimals ([`same_number`]).
//! - Strings are compared decoded; half a surrogate pair by itself is a character like any other.
//! - Arrays have to have equal values in the same order.
//! - Of a name that stands twice in an object the last one counts, as the hub's reader has it (§1.5).
//! - What nests deeper than [`DEPTH_MAX`] is equal only where its bytes are: that is deeper than any twin may be (§3.6).
//!
//! Values are bytes that a parser has accepted before. Anything else gives some answer, and no panic: a mapped file may have
//! changed meanwhile.

use std::borrow::Cow;
use std::ops::Range;

use hubmill_parser::decode;

use crate::number::same_number;

/// The deepest nesting that is looked into.
pub const DEPTH_MAX: usize = 256;

/// Whether two JSON values say the same.
pub fn same_json(one: &[u8], other: &[u8]) -> bool {
    same_value(one, other, DEPTH_MAX)
}

/// Whether two objects say the same but for members of these names, at their top, which do not count.
///
/// Of two values that are not both objects, whether they are equal.
pub fn same_object_without(one: &[u8], other: &[u8], left_out: &[&str]) -> bool {
    if one == other {
        return true;
    }
    match (one.first(), other.first()) {
        (Some(b'{'), Some(b'{')) => same_objects(one, other, left_out, DEPTH_MAX),
        _ => same_value(one, other, DEPTH_MAX),
    }
}

/// Whether an object has no members but those of these names.
pub fn is_empty_without(object: &[u8], left_out: &[&str]) -> bool {
    members(object).all(|(name, _)| is_named(&text(name), left_out))
}

fn is_named(name: &[u8], names: &[&str]) -> bool {
    names.iter().any(|known| known.as_bytes() == name)
}

fn same_value(one: &[u8], other: &[u8], depth: usize) -> bool {
    if one == other {
        return true;
    }
    match (one.first(), other.first()) {
        (Some(b'"'), Some(b'"')) => text(inside(one)) == text(inside(other)),
        (Some(b'{'), Some(b'{')) if depth > 0 => same_objects(one, other, &[], depth - 1),
        (Some(b'['), Some(b'[')) if depth > 0 => {
            let (mut left, mut right) = (Scan::new(one), Scan::new(other));
            loop {
                match (left.next_item(), right.next_item()) {
                    (None, None) => return true,
                    (Some(left), Some(right)) if same_value(left, right, depth - 1) => {}
                    _ => return false,
                }
            }
        }
        (Some(b'-' | b'0'..=b'9'), Some(b'-' | b'0'..=b'9')) => same_number(one, other),
        _ => false,
    }
}

/// What stands between the first and the last byte.
fn inside(bytes: &[u8]) -> &[u8] {
    match bytes {
        [_, inside @ .., _] => inside,
        _ => &[],
    }
}

/// What a string says; `content` stands between its quotes.
fn text(content: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', content).is_some() { decode(content) } else { Cow::Borrowed(content) }
}

/// Each member is looked at once, however the objects differ: two ways through them would be two to the power of the depth.
fn same_objects(one: &[u8], other: &[u8], left_out: &[&str], depth: usize) -> bool {
    let sorted = |object| {
        let mut all: Vec<(Cow<'_, [u8]>, &[u8])> = members(object)
            .map(|(name, value)| (text(name), value))
            .filter(|(name, _)| !is_named(name, left_out))
            .collect();
        // A stable sort: of one name the last stays last.
        all.sort_by(|one, other| one.0.cmp(&other.0));
        let mut kept: Vec<(Cow<'_, [u8]>, &[u8])> = Vec::with_capacity(all.len());
        for member in all {
            match kept.last_mut() {
                Some(last) if last.0 == member.0 => *last = member,
                _ => kept.push(member),
            }
        }
        kept
    };
    let (left, right) = (sorted(one), sorted(other));
    left.len() == right.len()
        && left.iter().zip(&right).all(|(left, right)| left.0 == right.0)
        && left.iter().zip(&right).all(|(left, right)| same_value(left.1, right.1, depth))
}

/// The members of an object, in order: what stands between the quotes of the name, and the value.
///
/// What is not an object has none.
pub fn members(object: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let bytes = move |range: Range<usize>| object.get(range).unwrap_or_default();
    member_places(object).map(move |(name, value)| (bytes(name), bytes(value)))
}

/// Where they stand, from the start of the object.
pub(crate) fn member_places(object: &[u8]) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let mut scan = Scan::new(object);
    let is_object = object.first() == Some(&b'{');
    std::iter::from_fn(move || if is_object { scan.next_member() } else { None })
}

/// Goes through the items of an object or an array.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    /// Behind the opening bracket of the value.
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 1 }
    }

    /// Goes over white space and the byte `over`, in any order.
    fn skip(&mut self, over: u8) {
        while let Some(byte) = self.bytes.get(self.at)
            && (*byte == over || matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
        {
            self.at += 1;
        }
    }

    fn next_item(&mut self) -> Option<&'a [u8]> {
        self.skip(b',');
        let start = self.at;
        self.at = value_end(self.bytes, start)?;
        self.bytes.get(start..self.at)
    }

    #[inline]
    fn next_member(&mut self) -> Option<(Range<usize>, Range<usize>)> {
        self.skip(b',');
        let start = self.at;
        if self.bytes.get(start) != Some(&b'"') {
            return None;
        }
        let name_end = string_end(self.bytes, start)?;
        self.at = name_end;
        self.skip(b':');
        let value = self.at;
        self.at = value_end(self.bytes, value)?;
        Some((start + 1..name_end - 1, value..self.at))
    }
}

/// The end of the value that starts at `at`; `None` where there is none.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at),
        b'{' | b'[' => {
            let mut depth = 0usize;
            let mut at = at;
            loop {
                // Few bytes are outside of strings, and all brackets that count are.
                let rest = bytes.get(at..)?;
                let outside = rest.iter().position(|byte| *byte == b'"').unwrap_or(rest.len());
                for (place, byte) in rest[..outside].iter().enumerate() {
                    match byte {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => {
                            depth -= 1;
                            if depth == 0 {
                                return Some(at + place + 1);
                            }
                        }
                        _ => {}
                    }
                }
                at = string_end(bytes, at + outside)?;
            }
        }
        b'}' | b']' | b',' | b':' => None,
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' | b':' | b'"');
            Some(at + bytes[at..].iter().position(ends).unwrap_or(bytes.len() - at))
        }
    }
}

/// The end of the string whose opening quote is at `at`, behind its closing quote.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let quote = from + memchr::memchr(b'"', bytes.get(from..)?)?;
        let backslashes = bytes[at + 1..quote].iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes.is_multiple_of(2) {
            return Some(quote + 1);
        }
        from = quote + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, is_empty_without, members, same_json, same_object_without};

    fn same(one: &str, other: &str) -> bool {
        let result = same_json(one.as_bytes(), other.as_bytes());
        assert_eq!(result, same_json(other.as_bytes(), one.as_bytes()), "{one} {other}");
        result
    }

    #[test]
    fn spelling_does_not_matter() {
        for (one, other) in [
            ("1.0", "1"),
            (r#""a""#, r#""\u0061""#),
            (r#""\ud83d\ude00""#, "\"😀\""),
            (r#""\ud800""#, r#""\uD800""#),
            (r#""\/""#, r#""/""#),
            (r#"{"a":1,"b":[1,2]}"#, "{ \"b\" : [ 1 , 2.0 ] ,\t\"a\" : 1 }"),
            (r#"{"a":{"x":null,"y":true}}"#, r#"{"\u0061":{"y":true,"x":null}}"#),
            ("{}", "{ }"),
            ("[]", "[\t]"),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":1,"b":0,"a":2}"#, r#"{"a":3,"a":2,"b":0}"#),
            (r#"{"a":"\\"}"#, r#"{ "a" : "\u005c" }"#),
            (r#"{"a":"\"}","b":1}"#, r#"{"b":1,"a":"\u0022}"}"#),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_said_matters() {
        for (one, other) in [
            ("1", "2"),
            ("1", "\"1\""),
            ("null", "false"),
            ("true", "false"),
            ("[]", "{}"),
            ("[1,2]", "[2,1]"),
            ("[1]", "[1,1]"),
            (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
            (r#"{"a":1}"#, r#"{"A":1}"#),
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":1,"a":2}"#, r#"{"a":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#""\ud800""#, r#""\ud801""#),
            (r#""a""#, r#""a ""#),
            ("9007199254740993", "9007199254740992"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn names_can_be_left_out_at_the_top_only() {
        let without = |one: &str, other: &str| same_object_without(one.as_bytes(), other.as_bytes(), &["$version"]);
        assert!(without(r#"{"$version":1,"a":1}"#, r#"{"a":1,"\u0024version":2}"#));
        assert!(without(r#"{"$version":1}"#, "{}"));
        assert!(!without(r#"{"a":{"$version":1}}"#, r#"{"a":{"$version":2}}"#));
        assert!(!without(r#"{"$version":1,"b":1}"#, r#"{"a":1}"#));
        assert!(!without("{}", "null"));
        assert!(is_empty_without(br#"{ "$version" : {"a":[1,{}]} }"#, &["$version"]));
        assert!(!is_empty_without(br#"{"a":1}"#, &["$version"]));
    }

    #[test]
    fn deep_nesting_needs_no_deep_stack() {
        let deep = |levels: usize, end: &str| format!("{}{end}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(same(&deep(DEPTH_MAX, "1"), &deep(DEPTH_MAX, "1.0")));
        assert!(!same(&deep(DEPTH_MAX + 1, "1"), &deep(DEPTH_MAX + 1, "1.0")));
        assert!(same(&deep(20_000, "1"), &deep(20_000, "1")));
        assert!(!same(&deep(20_000, "1"), &deep(20_000, "2")));
        // Nor does it need a time that doubles with each level.
        let twice =
            |levels: usize, end: &str| format!("{}{end}{}", r#"{"a":1,"a":"#.repeat(levels), "}".repeat(levels));
        assert!(!same(&twice(DEPTH_MAX, "1"), &twice(DEPTH_MAX, "2")));
        assert!(same(&twice(DEPTH_MAX, "1"), &twice(DEPTH_MAX, "1.0")));
    }

    #[test]
    fn bytes_that_are_no_json_end_all_the_same() {
        let parts = ["{", "}", "[", "]", "\"", ":", ",", "\\", "1", "a", " ", "null", "\"a\":", "e"];
        let mut seed = 7u64;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for _ in 0..20_000 {
            let mut text = || (0..next(9)).map(|_| parts[next(parts.len())]).collect::<String>();
            let (one, other) = (text(), text());
            same_json(one.as_bytes(), other.as_bytes());
            same_json(format!("{{{one}").as_bytes(), format!("{{{other}").as_bytes());
            assert!(members(one.as_bytes()).count() <= one.len());
        }
    }
}
