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
    /// An object that columns are in: its members, each with its name as JSON and the colon; and what all devices have in its place.
    Object { members: Vec<(Vec<u8>, Node)>, given: Option<Given> },
    /// The cell of a column; where it is empty, what all devices have, if anything.
    Cell { column: usize, as_text: bool, otherwise: Option<Box<Node>> },
}

/// What all devices have where columns would go into it: it stays as it is in rows where those are empty.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    json: Vec<u8>,
    /// Columns can go into it.
    is_object: bool,
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
        let (mut members, given) = match section.take() {
            None => (Vec::new(), None),
            Some(Self::Object { members, given }) => (members, given),
            Some(Self::Fixed(json)) => {
                let members = members_of(&json);
                let given = Given { json, is_object: members.is_some() };
                (members.unwrap_or_default(), Some(given))
            }
            Some(Self::Cell { .. }) => {
                return Err(Problem::new(format!(
                    "column {name} is inside of another column, or another is inside of it"
                )));
            }
        };
        let key = key(first);
        let at = members.iter().position(|(known, _)| *known == key);
        let mut value = at.map(|at| std::mem::replace(&mut members[at].1, Self::Fixed(Vec::new())));
        Self::put(&mut value, rest, column, as_text, name)?;
        let value = value.expect("a column is in it");
        match at {
            Some(at) => members[at].1 = value,
            None => members.push((key, value)),
        }
        *section = Some(Self::Object { members, given });
        Ok(())
    }

    /// How many names of a column's path lead to what all devices have and is no object, so that the path can't go on.
    pub(crate) fn obstacle(&self, path: &[&str]) -> Option<usize> {
        let (Self::Object { members, given }, Some((first, rest))) = (self, path.split_first()) else { return None };
        if given.as_ref().is_some_and(|given| !given.is_object) {
            return Some(0);
        }
        let key = key(first);
        let (_, value) = members.iter().find(|(known, _)| *known == key)?;
        value.obstacle(rest).map(|names| names + 1)
    }

    fn has_columns(&self) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Cell { .. } => true,
            Self::Object { members, .. } => members.iter().any(|(_, value)| value.has_columns()),
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
            Self::Object { members, given } => append_object(members, given.as_ref(), row, values, out),
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
    given: Option<&Given>,
    row: Option<&Row<'_>>,
    values: &mut Vec<(Range<usize>, usize)>,
    out: &mut Vec<u8>,
) -> bool {
    let (start, cells) = (out.len(), values.len());
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
    // Without a cell in it, it is as if no column were there.
    if values.len() == cells {
        out.truncate(start);
        out.extend_from_slice(given.map_or(b"".as_slice(), |given| &given.json));
        return given.is_some();
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

/// The members of an object, in order, each as it is spelt; `None` of a value that is no object.
fn members_of(json: &[u8]) -> Option<Vec<(Vec<u8>, Node)>> {
    let Members(members) = serde_json::from_slice(json).ok()?;
    let key = |name: Box<RawValue>| match serde_json::from_str::<String>(name.get()) {
        Ok(name) => key(&name),
        // With half a character in it, it is the name of no column.
        Err(_) => format!("{}:", name.get()).into_bytes(),
    };
    Some(members.into_iter().map(|(name, value)| (key(name), Node::Fixed(value.get().as_bytes().to_vec()))).collect())
}

/// The members of a JSON object with their names and values as they are spelt.
struct Members(Vec<(Box<RawValue>, Box<RawValue>)>);

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
        assert_eq!(made(Some("{}"), &[""], &[r#"{"a":1}"#]).unwrap(), r#"{"a":1}"#);
        assert_eq!(made(Some("{}"), &[""], &[""]).unwrap(), "{}");
    }

    #[test]
    fn empty_cells_leave_what_all_have_as_it_is() {
        let made = |base, columns: &[&str], cells: &[&str]| made(Some(base), columns, &[], cells).unwrap();
        for base in ["{}", r#"{"a":{}}"#, r#"{"a": 5}"#, r#"{"a":{"b":null}, "\u0063":1}"#, r#"{"a":[1, 2]}"#] {
            assert_eq!(made(base, &["a.b.c", "a.b.d", "c"], &["", "", ""]), base);
        }
        let base = r#"{"a": 5, "b": {"c": {}}, "d": { }}"#;
        assert_eq!(
            made(base, &["a.x", "b.c.x", "b.y", "d.x"], &["", "", "1", ""]),
            r#"{"a":5,"b":{"c":{},"y":1},"d":{ }}"#
        );
    }

    #[test]
    fn what_is_no_object_is_in_the_way() {
        let base = r#"{"a":5,"b":{"c":[{"d":1}]},"e":{"f":{}}}"#;
        for (path, want) in [
            (&["a", "x"][..], Some(1)),
            (&["a", "x", "y"], Some(1)),
            (&["b", "c", "d"], Some(2)),
            (&["b", "c"], None),
            (&["a"], None),
            (&["b", "x", "y"], None),
            (&["e", "f", "x"], None),
            (&["z", "x"], None),
            (&[], None),
        ] {
            let mut section = Some(Node::from_json(base));
            Node::put(&mut section, path, 0, false, "name").unwrap();
            assert_eq!(section.unwrap().obstacle(path), want, "{path:?}");
        }
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
