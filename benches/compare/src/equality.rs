//! Whether two outputs are the same: to the byte, or line by line as JSON, and if not, in what they differ.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::value::RawValue;

use crate::members::Members;

/// How an output differs from the one that it is measured by. Each line is counted once in `bytes` and once in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Lines compared.
    pub lines: u64,
    /// Lines that are not the same bytes.
    pub bytes: u64,
    /// Lines with members in another order.
    pub order: u64,
    /// Lines with a number that is spelt otherwise, whether or not it has the same value.
    pub numbers: u64,
    /// Lines with another value anywhere, a member more or less, or that are not JSON.
    pub values: u64,
    /// Lines that are only in one of the two.
    pub unpaired: u64,
}

impl Difference {
    /// Equal as JSON, with numbers and the order of members as they are; strings and white space may be spelt otherwise.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        (self.order, self.numbers, self.values, self.unpaired) == (0, 0, 0, 0)
    }

    /// In a word: `bytes` or `values` where those are equal, else `no`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match (self.is_equal(), self.bytes) {
            (true, 0) => "bytes",
            (true, _) => "values",
            (false, _) => "no",
        }
    }

    fn add(&mut self, found: Found) {
        self.lines += 1;
        self.bytes += 1;
        self.order += u64::from(found.order);
        self.numbers += u64::from(found.number);
        self.values += u64::from(found.value);
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ways = [
            ("members in another order", self.order),
            ("numbers respelt", self.numbers),
            ("other values or members", self.values),
            ("lines missing or too many", self.unpaired),
        ];
        write!(formatter, "{} of {} lines are other bytes", self.bytes, self.lines)?;
        if self.word() == "values" {
            formatter.write_str("; the same values")?;
        }
        for (way, lines) in ways.into_iter().filter(|(_, lines)| *lines > 0) {
            write!(formatter, "; {way}: {lines}")?;
        }
        Ok(())
    }
}

/// What is left out of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Nothing.
    None,
    /// What the keys say; their lengths count.
    Keys,
}

/// Compares two files line by line; of `reference` only the first `limit` lines.
///
/// # Errors
/// If a file can't be read.
pub fn compare(reference: &Path, output: &Path, limit: u64, mask: Mask) -> io::Result<Difference> {
    let [mut reference, mut output] = [open(reference)?, open(output)?];
    let mut difference = Difference::default();
    let mut lines = [Vec::new(), Vec::new()];
    loop {
        let read = difference.lines + difference.unpaired;
        let here = read < limit && next_line(&mut reference, &mut lines[0])?;
        let there = next_line(&mut output, &mut lines[1])?;
        match (here, there) {
            (false, false) => return Ok(difference),
            (true, true) => {}
            _ => {
                difference.unpaired += 1;
                continue;
            }
        }
        if mask == Mask::Keys {
            lines.iter_mut().for_each(|line| mask_keys(line));
        }
        match lines[0] == lines[1] {
            true => difference.lines += 1,
            false => difference.add(compare_lines(&lines[0], &lines[1])),
        }
    }
}

fn open(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(1 << 20, File::open(path)?))
}

fn next_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let count = input.read_until(b'\n', line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(count > 0)
}

/// Writes over the characters of key strings. Keys are base64 and hold no escapes.
fn mask_keys(line: &mut [u8]) {
    for name in ["\"primaryKey\":\"", "\"secondaryKey\":\""] {
        let mut from = 0;
        while let Some(at) = memchr::memmem::find(&line[from..], name.as_bytes()) {
            from += at + name.len();
            let length = memchr::memchr(b'"', &line[from..]).unwrap_or(line.len() - from);
            line[from..from + length].fill(b'*');
        }
    }
}

/// What was found in a pair of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    order: bool,
    number: bool,
    value: bool,
}

fn compare_lines(here: &[u8], there: &[u8]) -> Found {
    let mut found = Found::default();
    let parse = |line| serde_json::from_slice::<&RawValue>(line);
    match (parse(here), parse(there)) {
        (Ok(here), Ok(there)) => found.compare(here, there),
        _ => found.value = true,
    }
    found
}

impl Found {
    fn compare(&mut self, here: &RawValue, there: &RawValue) {
        let [here, there] = [here.get(), there.get()];
        if here == there {
            return;
        }
        match (here.as_bytes()[0], there.as_bytes()[0]) {
            (b'{', b'{') => self.compare_objects(here, there),
            (b'[', b'[') => self.compare_arrays(here, there),
            (b'"', b'"') => self.value |= !same_text(here, there),
            (b'-' | b'0'..=b'9', b'-' | b'0'..=b'9') => self.number = true,
            _ => self.value = true,
        }
    }

    fn compare_objects(&mut self, here: &str, there: &str) {
        let [Some(mut here), Some(mut there)] = [here, there].map(|text| Members::parse(text.as_bytes())) else {
            self.value = true;
            return;
        };
        let names_differ = |here: &Members<'_>, there: &Members<'_>| {
            here.0.len() != there.0.len() || here.0.iter().zip(&there.0).any(|(here, there)| here.0 != there.0)
        };
        if names_differ(&here, &there) {
            // A stable order, so that members of one name stay as they follow each other.
            here.0.sort_by(|one, other| one.0.cmp(&other.0));
            there.0.sort_by(|one, other| one.0.cmp(&other.0));
            if names_differ(&here, &there) {
                self.value = true;
                return;
            }
            self.order = true;
        }
        for (here, there) in here.0.iter().zip(&there.0) {
            self.compare(here.1, there.1);
        }
    }

    fn compare_arrays(&mut self, here: &str, there: &str) {
        let [here, there] = [here, there].map(|text| serde_json::from_str::<Vec<&RawValue>>(text).unwrap_or_default());
        self.value |= here.len() != there.len();
        for (here, there) in here.into_iter().zip(there) {
            self.compare(here, there);
        }
    }
}

/// Whether two strings mean the same. Those that no `String` can hold, for a lone surrogate, must be spelt alike.
fn same_text(here: &str, there: &str) -> bool {
    let [here, there] = [here, there].map(serde_json::from_str::<String>);
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(here: &str, there: &str) -> [bool; 3] {
        let found = compare_lines(here.as_bytes(), there.as_bytes());
        [found.order, found.number, found.value]
    }

    #[test]
    fn lines_are_told_apart_by_what_differs() {
        let equal = [(r#"{"a":"\u00fc\/"}"#, r#"{ "a": "ü/" }"#), (r#"{"\u0061":[1,{}]}"#, r#"{"a":[1, {}]}"#)];
        for (here, there) in equal {
            assert_eq!(found(here, there), [false; 3], "{here}");
        }
        assert_eq!(found(r#"{"a":1,"b":{"c":2,"d":3}}"#, r#"{"a":1,"b":{"d":3,"c":2}}"#), [true, false, false]);
        for there in ["1E2", "1.0", "1e0", "-1"] {
            assert_eq!(found(r#"[{"a":1}]"#, &format!(r#"[{{"a":{there}}}]"#)), [false, true, false], "{there}");
        }
        assert_eq!(found("[9007199254740993]", "[9007199254740992]"), [false, true, false]);
        let others = [
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":1}"#, r#"{"a":"1"}"#),
            (r#"{"a":"x"}"#, r#"{"a":"X"}"#),
            (r#"{"a":1}"#, r#"{"b":1}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            ("[1]", "[1,2]"),
            ("{}", "{"),
            ("{}", ""),
            (r#"["\ud800"]"#, r#"["\udfff"]"#),
        ];
        for (here, there) in others {
            assert_eq!(found(here, there), [false, false, true], "{here} {there}");
        }
        assert_eq!(found(r#"{"a":1,"b":"x"}"#, r#"{"b":"y","a":1.0}"#), [true, true, true]);
    }

    fn files(here: &str, there: &str, limit: u64, mask: Mask) -> Difference {
        let folder = tempfile::tempdir().expect("a folder");
        let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
        std::fs::write(&first, here).expect("a file");
        std::fs::write(&second, there).expect("a file");
        compare(&first, &second, limit, mask).expect("both can be read")
    }

    #[test]
    fn files_are_compared_line_by_line() {
        let all = u64::MAX;
        let same = files("{}\n[1]\n", "{}\n[1]\n", all, Mask::None);
        assert_eq!((same.word(), same.lines), ("bytes", 2));
        assert_eq!(files("{}\n[1]\n", "{}\n[ 1]\n", all, Mask::None).word(), "values");
        let other = files("{}\n[1]\n[2]\n", "{}\n[1.0]\n", all, Mask::None);
        assert_eq!(other, Difference { lines: 2, bytes: 1, numbers: 1, unpaired: 1, ..Difference::default() });
        assert_eq!(other.word(), "no");
        assert_eq!(other.to_string(), "1 of 2 lines are other bytes; numbers respelt: 1; lines missing or too many: 1");
        assert_eq!(files("1\n2\n3\n", "1\n2\n", 2, Mask::None).word(), "bytes");
        assert_eq!(files("1\n2\n3\n", "1\n2\n3\n", 2, Mask::None).unpaired, 1);
        assert_eq!(files("", "1\n2\n", all, Mask::None).unpaired, 2);
    }

    #[test]
    fn masked_keys_are_compared_by_length_only() {
        let line = |key: &str| format!("{{\"primaryKey\":\"{key}\",\"secondaryKey\":\"{key}\",\"id\":\"a\"}}\n");
        let compared = |here: &str, there: &str, mask| files(&line(here), &line(there), u64::MAX, mask).word();
        assert_eq!(compared("AAAA", "BBBB", Mask::Keys), "bytes");
        assert_eq!(compared("AAAA", "BBBB", Mask::None), "no");
        assert_eq!(compared("AAAA", "BB==AAAA", Mask::Keys), "no");
        assert_eq!(files("{\"id\":\"a\"}", "{\"id\":\"b\"}", 1, Mask::Keys).word(), "no");
    }
}
