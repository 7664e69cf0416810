//! A section of a twin as it is to be made: what is given for all devices, and what comes from columns.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::cells::{literal, push_json, push_string};
use crate::error::Problem;
use crate::rows::Row;

/// A value of a line.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// JSON that all devices have.
    Fixed(Vec<u8>),
    /// Members, each with its name as JSON and the colon.
    Object(Vec<(Vec<u8>, Node)>),
    /// The cell of a column; where it is empty, what all devices have, if anything.
    Cell { column: usize, as_text: bool, otherwise: Option<Box<Node>> },
}

impl Node {
    /// A section from JSON.
    pub(crate) fn from_json(json: &str) -> Self {
        let mut text = Vec::new();
        push_json(&mut text, json.trim().as_bytes());
        Self::Fixed(text)
    }

    /// Puts a column at a path inside of the section; `path` is what `name` has after the section.
    ///
    /// # Errors
    /// Where another column is inside of this one, or the other way round.
    pub(crate) fn put(
        section: &mut Option<Self>,
        path: &[&str],
        column: usize,
        as_text: bool,
        name: &str,
    ) -> Result<(), Problem> {
        let Some((first, rest)) = path.split_first() else {
            if section.as_ref().is_some_and(Self::has_columns) {
                return Err(Problem::new(format!(
                    "column {name} is inside of another column, or another is inside of it"
                )));
            }
            *section = Some(Self::Cell { column, as_text, otherwise: section.take().map(Box::new) });
            return Ok(());
        };
        let members = match section.take() {
            None => Vec::new(),
            Some(Self::Object(members)) => members,
            Some(Self::Fixed(json)) => members_of(&json),
            Some(Self::Cell { .. }) => {
                return Err(Problem::new(format!(
                    "column {name} is inside of another column, or another is inside of it"
                )));
            }
        };
        let Self::Object(members) = section.insert(Self::Object(members)) else { unreachable!("just put there") };
        let key = key(first);
        let at = match members.iter().position(|(known, _)| *known == key) {
            Some(at) => at,
            None => {
                members.push((key, Self::Object(Vec::new())));
                members.len() - 1
            }
        };
        let mut value = Some(std::mem::replace(&mut members[at].1, Self::Object(Vec::new())));
        if matches!(&value, Some(Self::Object(inner)) if inner.is_empty()) {
            value = None;
        }
        let put = Self::put(&mut value, rest, column, as_text, name);
        members[at].1 = value.unwrap_or(Self::Object(Vec::new()));
        put
    }

    fn has_columns(&self) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Cell { .. } => true,
            Self::Object(members) => members.iter().any(|(_, value)| value.has_columns()),
        }
    }

    /// Appends the value for a row, and notes in `values` where cells are, without quotes; `false`, with nothing appended, where there is none.
    pub(crate) fn append(
        &self,
        row: Option<&Row<'_>>,
        values: &mut Vec<(Range<usize>, usize)>,
        out: &mut Vec<u8>,
    ) -> bool {
        match self {
            Self::Fixed(json) => {
                out.extend_from_slice(json);
                true
            }
            Self::Object(members) => append_object(members, row, values, out),
            Self::Cell { column, as_text, otherwise } => {
                let text = row.map_or(b"".as_slice(), |row| row.cell(*column));
                if text.is_empty() {
                    return otherwise.as_ref().is_some_and(|value| value.append(row, values, out));
                }
                let start = out.len();
                let place = match literal(text).filter(|_| !as_text) {
                    Some(json) => {
                        push_json(out, json);
                        start..out.len()
                    }
                    None => {
                        push_string(out, text);
                        start + 1..out.len() - 1
                    }
                };
                values.push((place, *column));
                true
            }
        }
    }
}

fn append_object(
    members: &[(Vec<u8>, Node)],
    row: Option<&Row<'_>>,
    values: &mut Vec<(Range<usize>, usize)>,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    out.push(b'{');
    for (key, value) in members {
        let before = out.len();
        if before > start + 1 {
            out.push(b',');
        }
        out.extend_from_slice(key);
        if !value.append(row, values, out) {
            out.truncate(before);
        }
    }
    if out.len() == start + 1 {
        out.truncate(start);
        return false;
    }
    out.push(b'}');
    true
}

/// A name as JSON, with the colon.
fn key(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    push_string(&mut key, name.as_bytes());
    key.push(b':');
    key
}

/// The members of an object, in order, each as it is spelt; none of a value that is no object, which a column replaces.
fn members_of(json: &[u8]) -> Vec<(Vec<u8>, Node)> {
    let Ok(Members(members)) = serde_json::from_slice(json) else { return Vec::new() };
    members.into_iter().map(|(name, value)| (key(&name), Node::Fixed(value.get().as_bytes().to_vec()))).collect()
}

/// The members of a JSON object with their values as text.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::Node;
    use crate::rows::Row;

    fn made(base: Option<&str>, columns: &[&str], texts: &[usize], cells: &[&str]) -> Option<String> {
        let mut section = base.map(Node::from_json);
        for (at, name) in columns.iter().enumerate() {
            let path: Vec<&str> = if name.is_empty() { Vec::new() } else { name.split('.').collect() };
            Node::put(&mut section, &path, at, texts.contains(&at), name).unwrap();
        }
        let text = cells.concat();
        let ends: Vec<usize> = (0..cells.len()).map(|last| cells[..=last].concat().len()).collect();
        let row = Row { text: text.as_bytes(), ends: &ends, gap: 0 };
        let mut out = b"x".to_vec();
        let written = section.unwrap().append(Some(&row), &mut Vec::new(), &mut out);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(written, text != "x");
        written.then(|| text[1..].to_owned())
    }

    #[test]
    fn columns_and_what_all_have_go_together() {
        let made = |base, columns: &[&str], cells: &[&str]| made(base, columns, &[], cells);
        assert_eq!(made(None, &["site"], &["oslo"]).unwrap(), r#"{"site":"oslo"}"#);
        assert_eq!(made(None, &["site", "a.b", "a.c"], &["", "1", "x"]).unwrap(), r#"{"a":{"b":1,"c":"x"}}"#);
        assert_eq!(made(None, &["site", "a.b"], &["", ""]), None);
        let base = Some(r#"{"plant":1.50,"site":"none","a":{"z":[1, 2]}}"#);
        assert_eq!(
            made(base, &["site", "a.b"], &["", "true"]).unwrap(),
            r#"{"plant":1.50,"site":"none","a":{"z":[1, 2],"b":true}}"#
        );
        assert_eq!(made(base, &["a"], &["7"]).unwrap(), r#"{"plant":1.50,"site":"none","a":7}"#);
        assert_eq!(made(base, &["plant.x"], &["7"]).unwrap(), r#"{"plant":{"x":7},"site":"none","a":{"z":[1, 2]}}"#);
        assert_eq!(made(Some("{}"), &[""], &[r#"{"a":1}"#]).unwrap(), r#"{"a":1}"#);
        assert_eq!(made(Some("{}"), &[""], &[""]).unwrap(), "{}");
    }

    #[test]
    fn text_is_forced_where_asked_for() {
        assert_eq!(made(None, &["n", "m"], &[0], &["71", "71"]).unwrap(), r#"{"n":"71","m":71}"#);
    }

    #[test]
    fn a_column_inside_of_another_is_refused() {
        let paths: [(&[&str], &[&str]); 3] = [(&["a"], &["a", "b"]), (&["a"], &[]), (&["a", "b"], &["a"])];
        for (one, other) in paths {
            for [first, second] in [[one, other], [other, one]] {
                let mut section = None;
                Node::put(&mut section, first, 0, false, "first").unwrap();
                assert!(Node::put(&mut section, second, 1, false, "second").is_err(), "{first:?} {second:?}");
            }
        }
    }
}
