//! Responsible for: breaking a valid line in every way that one can think of, so that a checker has something to find.
//! Not for: telling whether the result is broken; by chance it may be valid. It never holds `\n`.

use crate::json::{self, Document, Json, Member, Object, Text};
use crate::rng::Rng;

/// Breaks a line in one to three ways.
#[must_use]
pub fn mutate(rng: &mut Rng, line: &[u8]) -> Vec<u8> {
    let mut bytes = line.to_vec();
    for _ in 0..=rng.below(6) / 3 {
        match rng.below(20) {
            0..=7 => change_bytes(rng, &mut bytes),
            8..=12 => insert_token(rng, &mut bytes),
            13 => bytes = wrap(rng, &bytes),
            _ => bytes = change_members(rng, &bytes).unwrap_or(bytes),
        }
    }
    bytes.retain(|&byte| byte != b'\n');
    bytes
}

/// Changes the members of a line in one to three ways; it stays JSON if it is. A line that is no object comes back.
#[must_use]
pub fn mutate_members(rng: &mut Rng, line: &[u8]) -> Vec<u8> {
    let mut bytes = line.to_vec();
    for _ in 0..=rng.below(6) / 3 {
        bytes = change_members(rng, &bytes).unwrap_or(bytes);
    }
    bytes
}

/// Joins the beginning of one line to the end of another.
#[must_use]
pub fn splice(rng: &mut Rng, first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut bytes = first[..rng.below(first.len() + 1)].to_vec();
    bytes.extend_from_slice(&second[rng.below(second.len() + 1)..]);
    bytes.retain(|&byte| byte != b'\n');
    bytes
}

/// Makes the line a part of another value, or drops it for one that is no object.
fn wrap(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    match rng.below(5) {
        0 => [b"[", bytes, b"]"].concat(),
        1 => [b"{\"id\":\"a\",\"x\":", bytes, b"}"].concat(),
        2 => [bytes, bytes].concat(),
        3 => [bytes, b",", bytes].concat(),
        _ => rng.pick(VALUES).as_bytes().to_vec(),
    }
}

/// Flips, inserts, deletes, repeats, swaps or cuts bytes anywhere.
fn change_bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return bytes.push(rng.nonzero_byte());
    }
    let at = rng.below(bytes.len());
    match rng.below(9) {
        0 => bytes[at] ^= 1 << rng.below(8),
        1 => bytes[at] = rng.nonzero_byte(),
        2 => bytes.insert(at, rng.nonzero_byte()),
        3 => drop(bytes.remove(at)),
        4 => bytes.truncate(at),
        5 => drop(bytes.drain(..at)),
        6 => {
            let end = (at + 1 + rng.below(20)).min(bytes.len());
            let copy = bytes[at..end].to_vec();
            drop(bytes.splice(at..at, copy));
        }
        7 => {
            let other = rng.below(bytes.len());
            bytes.swap(at, other);
        }
        _ => {
            let end = (at + 1 + rng.below(20)).min(bytes.len());
            drop(bytes.drain(at..end));
        }
    }
}

const TOKENS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\"",
    b"\\",
    b"\\\\",
    b"\\\"",
    b" ",
    b"\t",
    b"\r",
    b"\x0c",
    b"\x0b",
    b"\0",
    b"\x01",
    b"\x1f",
    b"\x7f",
    b"'",
    b"/",
    b"//",
    b"/**/",
    b"#",
    b"\\u",
    b"\\u12",
    b"\\u00g0",
    b"\\ud800",
    b"\\udc00",
    b"\\ud83d\\ude00",
    b"\\x41",
    b"\\0",
    b"\\u0000",
    b"\\u0022",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x82",
    b"\x80",
    b"\xc3",
    b"\xc2\xa0",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xa8",
    b"\xc2\x85",
    b"null",
    b"nul",
    b"true",
    b"True",
    b"false",
    b"NaN",
    b"Infinity",
    b"-",
    b"+1",
    b"01",
    b"1.",
    b".5",
    b"1e",
    b"1e+",
    b"0x1",
    b"1_0",
    b"-0",
    b"1e400",
    b"--1",
    b"0",
    b"9",
    b"e",
    b"E5",
    b".",
    b"{}",
    b"[]",
    b"\"\"",
    b"\"a\":1,",
    b",\"a\":1",
    b"{\"a\":",
    b"[[[[[[[[",
    b"]]]]",
    b",,",
    b"::",
    b"\"id\":\"x\",",
    b"\"importMode\":\"delete\",",
];

/// Puts a piece of JSON, or of what is nearly JSON, anywhere, or in place of a byte, or in place of a value.
fn insert_token(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let token = rng.pick(TOKENS).to_vec();
    let at = rng.below(bytes.len() + 1);
    let structural = bytes.iter().enumerate().filter(|(_, byte)| b"{}[]:,\"".contains(byte)).map(|(at, _)| at);
    let structural: Vec<usize> = structural.collect();
    let beside = if structural.is_empty() { at } else { structural[rng.below(structural.len())] };
    match rng.below(5) {
        0 => drop(bytes.splice(at..at, token)),
        1 => drop(bytes.splice(beside..beside, token)),
        2 => {
            let after = (beside + 1).min(bytes.len());
            drop(bytes.splice(after..after, token));
        }
        3 => {
            let end = (at + 1).min(bytes.len());
            drop(bytes.splice(at..end, token));
        }
        _ => {
            let is_end = |byte: &u8| b",}]".contains(byte);
            let end = bytes[beside..].iter().position(is_end).map_or(bytes.len(), |length| beside + length);
            let start = (beside + 1).min(end);
            drop(bytes.splice(start..end, token));
        }
    }
}

const VALUES: &[&str] = &[
    "null",
    "true",
    "0",
    "-1",
    "5",
    "8",
    "9",
    "1.0",
    "1e400",
    "\"\"",
    "\"5\"",
    "\"9\"",
    "\"05\"",
    "\"x\"",
    "\"delete\"",
    "\"DELETE\"",
    "\"create\"",
    "\"UpdateTwin\"",
    "\"SELF_SIGNED\"",
    "\"SelfSigned\"",
    "\"sas\"",
    "\"none\"",
    "\"d\\u0065lete\"",
    "{}",
    "[]",
    "[1]",
    "{\"a\":1}",
    "{\"symmetricKey\":null}",
    "{\"symmetricKey\":{},\"type\":\"sas\"}",
    "\"\\ud800\"",
];

const IDS: &[&str] = &[
    "",
    "a b",
    "a/b",
    "a\\/b",
    "ä",
    "a&b",
    "a~b",
    "a\\tb",
    "a\\u0000b",
    "a\\\"b",
    "a\\\\b",
    "\\ud800",
    "\u{feff}a",
    "a:b;c",
    "$x",
    "\\u0061",
    "\u{7f}",
    "-:.+%_#*?!(),=@;$'",
];

/// Changes members of the line, or of an object in it: twice, away, in another case, escaped, of another type, of another
/// value. Nothing if the line is not an object.
fn change_members(rng: &mut Rng, line: &[u8]) -> Option<Vec<u8>> {
    let Document { before, mut root, after } = json::parse(line, 200).ok()?;
    let target = some_object(rng, root.as_object_mut()?);
    if target.members.is_empty() {
        target.add("id", Json::Null);
    }
    let at = rng.below(target.members.len());
    match rng.below(10) {
        0 => {
            let copy = target.members[at].clone();
            let place = rng.below(target.members.len() + 1);
            target.members.insert(place, copy);
        }
        1 => {
            let mut copy = target.members[at].clone();
            escape_a_letter(rng, &mut copy.name);
            target.members.push(copy);
        }
        2 => drop(target.members.remove(at)),
        3 => change_case(rng, &mut target.members[at].name),
        4 => {
            let mut copy = target.members[at].clone();
            change_case(rng, &mut copy.name);
            target.members.push(copy);
        }
        5 => escape_a_letter(rng, &mut target.members[at].name),
        6 | 7 => target.members[at].value = some_value(rng),
        8 => {
            let long = "x".repeat(128 + rng.below(2));
            let id = if rng.chance(20) { long.as_str() } else { rng.pick(IDS) };
            target.set("id", Json::String(Text { raw: id.to_owned() }));
        }
        _ => {
            let other = rng.below(target.members.len());
            target.members.swap(at, other);
        }
    }
    Some(Document { before, root, after }.to_line().into_bytes())
}

fn some_value(rng: &mut Rng) -> Json {
    json::parse(rng.pick(VALUES).as_bytes(), 10).map_or(Json::Null, |document| document.root)
}

/// The outer object, or one in it.
fn some_object<'a>(rng: &mut Rng, object: &'a mut Object) -> &'a mut Object {
    let is_object = |member: &Member| member.value.as_object().is_some();
    let inner: Vec<usize> = (0..object.members.len()).filter(|&index| is_object(&object.members[index])).collect();
    if inner.is_empty() || rng.chance(60) {
        return object;
    }
    let index = inner[rng.below(inner.len())];
    match &mut object.members[index].value {
        Json::Object(inner) => some_object(rng, inner),
        _ => unreachable!("only objects were chosen"),
    }
}

fn change_case(rng: &mut Rng, name: &mut Text) {
    name.raw = match rng.below(3) {
        0 => name.raw.to_ascii_uppercase(),
        1 => name.raw.to_ascii_lowercase(),
        _ => {
            let mut letters = name.raw.chars();
            letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
        }
    };
    // An escape in capitals is none.
    name.raw = name.raw.replace("\\U", "\\u");
}

fn escape_a_letter(rng: &mut Rng, name: &mut Text) {
    let plain: Vec<usize> = match name.raw.contains('\\') {
        true => Vec::new(),
        false => name.raw.char_indices().filter(|(_, letter)| letter.is_ascii()).map(|(at, _)| at).collect(),
    };
    if plain.is_empty() {
        return;
    }
    let at = plain[rng.below(plain.len())];
    let escape = format!("\\u{:04x}", name.raw.as_bytes()[at]);
    name.raw.replace_range(at..=at, &escape);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::identity_line;
    use std::collections::BTreeMap;

    /// What the plain transform says of so many mutants, by code.
    fn codes_of(count: u64) -> BTreeMap<String, u32> {
        let mut codes = BTreeMap::new();
        for seed in 0..count {
            let mut rng = Rng::new(seed);
            let mut line = Vec::new();
            identity_line(1, seed % 32, &mut line);
            let mutant = mutate(&mut rng, &line);
            assert!(!mutant.contains(&b'\n'));
            let input = [b"{\"id\":\"first\"}\n".as_slice(), &mutant].concat();
            let expected = crate::oracle::transform(&crate::rules::Rules::default(), &input);
            let outcome = expected.lines.get(1).map(|line| &line.outcome);
            let code = match outcome {
                Some(crate::oracle::Outcome::Rejected { codes }) => (*codes.first().expect("a code")).to_owned(),
                Some(crate::oracle::Outcome::Written { .. }) => "written".to_owned(),
                _ => "other".to_owned(),
            };
            *codes.entry(code).or_default() += 1;
        }
        codes
    }

    #[test]
    fn every_kind_of_fault_occurs_and_some_lines_stay_valid() {
        let codes = codes_of(6000);
        for code in [
            "json-syntax",
            "json-utf8",
            "duplicate-member",
            "id-missing",
            "member-type",
            "member-case",
            "id-charset",
            "id-length",
            "not-an-object",
            "written",
        ] {
            assert!(codes.get(code).is_some_and(|&count| count > 5), "{code}: {codes:?}");
        }
        assert!(codes["json-syntax"] > 1500, "{codes:?}");
    }

    #[test]
    fn changed_members_are_still_json() {
        for seed in 0..2000 {
            let mut rng = Rng::new(seed);
            let mut line = Vec::new();
            identity_line(2, seed % 32, &mut line);
            let changed = mutate_members(&mut rng, &line);
            let shown = String::from_utf8_lossy(&changed);
            assert!(json::check_json(&changed, 200).is_ok() && !changed.contains(&b'\n'), "{shown}");
        }
        assert_eq!(mutate_members(&mut Rng::new(1), b"[1]"), b"[1]");
    }

    #[test]
    fn the_same_seed_breaks_the_same_way() {
        let line = b"{\"id\":\"a\",\"tags\":{\"b\":1}}";
        for seed in 0..100 {
            assert_eq!(mutate(&mut Rng::new(seed), line), mutate(&mut Rng::new(seed), line));
        }
        assert!(splice(&mut Rng::new(1), line, line).len() <= 2 * line.len());
        assert!(mutate(&mut Rng::new(5), b"").len() < 100);
    }
}
