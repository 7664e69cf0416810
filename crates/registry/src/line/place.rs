//! Where in a line something stands that is wrong: looked for only once there is something to say of it.

use std::ops::Range;

use super::{Ambiguity, DeviceLine, string_is, text_of};
use crate::equality::member_places;

/// Of lines that were [read](crate::LineReader::read) by themselves: places count from the start of the line.
impl DeviceLine<'_> {
    /// The opening quote of the name that makes it ambiguous: the one in another case, or the second of two.
    #[cold]
    pub fn place_of_name(&self, ambiguity: Ambiguity) -> u64 {
        let (path, is_in_other_case) = match ambiguity {
            Ambiguity::Case(path) => (path, true),
            Ambiguity::Twice(path) => (path, false),
        };
        let (parent, wanted) = path.rsplit_once('.').unwrap_or(("", path));
        let object = self.deepest(parent);
        let bytes = self.chunk.get(object.clone()).unwrap_or_default();
        let mut is_again = false;
        let found = member_places(bytes).map(|(name, _)| name).find(|name| {
            let text = text_of(bytes.get(name.clone()).unwrap_or_default());
            let is_exact = *text == *wanted.as_bytes();
            match is_in_other_case {
                true => !is_exact && text.eq_ignore_ascii_case(wanted.as_bytes()),
                false => is_exact && std::mem::replace(&mut is_again, true),
            }
        });
        (object.start + found.map_or(0, |name| name.start - 1)) as u64
    }

    /// The first byte of the value of a member; where it is not there, of what it would be in.
    #[cold]
    pub fn place_of_value(&self, path: &str) -> u64 {
        self.deepest(path).start as u64
    }

    /// The value at the end of a path, or the last one on the way that is there.
    fn deepest(&self, path: &str) -> Range<usize> {
        let open = self.chunk.iter().position(|byte| *byte == b'{').unwrap_or(0);
        let mut value = open..self.chunk.len();
        for wanted in path.split('.').filter(|name| !name.is_empty()) {
            let bytes = self.chunk.get(value.clone()).unwrap_or_default();
            let is_wanted =
                |name: &Range<usize>| string_is(bytes.get(name.clone()).unwrap_or_default(), wanted.as_bytes());
            let Some((_, found)) = member_places(bytes).filter(|(name, _)| is_wanted(name)).last() else { break };
            value = value.start + found.start..value.start + found.end;
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use hubmill_parser::{Level, Limits};

    use crate::places::LineReader;

    /// Where the mark `^` stands in a line that is read without it.
    fn marked(line: &str) -> (String, u64) {
        (line.replace('^', ""), line.find('^').expect("a mark") as u64)
    }

    #[test]
    fn names_are_found_that_are_in_another_case_or_stand_twice() {
        let mut reader = LineReader::new(Level::detect(), Limits::default());
        for line in [
            r#"{"id":"a",^"Status":1}"#,
            r#" { "id":"a", ^"\u0053tatus" : 1, "status":"enabled"}"#,
            r#"{"id":"a","tags":{"tags":1},^"tags":{},"tags":1}"#,
            r#"{"properties":{"desired":{"Desired":1,"desired":2},^"Desired":{}}}"#,
            r#"{"properties":{"desired":{},"reported":{}, ^"desired":{}}}"#,
            r#"{"authentication":{"type":"sas","x":{"Type":1},^"Type":"sas"}}"#,
            r#"{"authentication":{"symmetricKey":{"primaryKey":"}",^"primaryKey":null}}}"#,
            r#"{"authentication":{"x509Thumbprint":{ ^"PRIMARYTHUMBPRINT":null}}}"#,
            r#"{"capabilities":{"iotEdge":true,^"iotEdge":true}}"#,
        ] {
            let (line, want) = marked(line);
            let read = reader.read(line.as_bytes()).expect("a line");
            assert_eq!(read.place_of_name(read.ambiguity().expect("one")), want, "{line}");
        }
    }

    #[test]
    fn values_are_found_or_what_they_would_be_in() {
        let mut reader = LineReader::new(Level::detect(), Limits::default());
        for (line, path) in [
            (r#"{"id":"a","status":^"on"}"#, "status"),
            (r#"  { "type":1, "authentication" : {"x":{"type":1}, "\u0074ype" : ^9 } }"#, "authentication.type"),
            (r#"{"capabilities":^7}"#, "capabilities.iotEdge"),
            (r#"{"capabilities":^{"iotedge":1}}"#, "capabilities.iotEdge"),
            (r#" ^{"id":"a"}"#, "status"),
        ] {
            let (line, want) = marked(line);
            assert_eq!(reader.read(line.as_bytes()).expect("a line").place_of_value(path), want, "{line}");
        }
    }
}
