//! Members of an object that is set as a whole, where the hub knows their names: each asks for what a flag with its own path
//! would ask for.

use std::collections::HashSet;

use hubmill_device::{Place, TextKind, redacted};
use hubmill_parser::{MemberSpan, Record, decode};

use super::Name;
use super::ask::read_object;
use crate::query::place_inside;

/// A member of an object that the hub knows.
pub(super) struct InnerMember {
    /// What the object is.
    pub(super) place: Place,
    /// Decoded.
    pub(super) name: Vec<u8>,
    /// As it is spelt.
    pub(super) value: String,
}

impl InnerMember {
    /// The path in a line, fit to be shown.
    pub(super) fn shown_path(&self) -> String {
        format!("{}.{}", self.place.path(), self.shown_name())
    }

    /// The name, fit to be shown.
    pub(super) fn shown_name(&self) -> String {
        redacted(&String::from_utf8_lossy(&self.name), TextKind::Name)
    }

    /// The names of the path in a line.
    pub(super) fn names(&self) -> Vec<&[u8]> {
        self.place.path().split('.').map(str::as_bytes).chain([self.name.as_slice()]).collect()
    }
}

/// The members of a value at a path of a line, and of the objects in it; none where the value is no object of which the hub knows
/// the names.
pub(super) fn members_of_value(path: &[Name], value: &str) -> Vec<InnerMember> {
    let place = path.iter().try_fold(Place::Line, |place, name| place_inside(place, &name.text));
    let Some(place) = place.filter(|_| value.starts_with('{')) else {
        return Vec::new();
    };
    let line = format!("{{\"v\":{value}}}");
    let read = read_object(line.as_bytes(), |record, members| {
        let mut all = Vec::new();
        members.iter().for_each(|object| collect(record, object, place, &mut all));
        Ok(all)
    });
    read.unwrap_or_default()
}

fn collect(record: &Record<'_>, object: &MemberSpan, place: Place, all: &mut Vec<InnerMember>) {
    for member in record.object(object).into_iter().flatten() {
        let name = record.name(&member).into_owned();
        let value = String::from_utf8_lossy(record.bytes(member.value)).into_owned();
        let inside = place_inside(place, &name);
        all.push(InnerMember { place, name, value });
        if let Some(inside) = inside {
            collect(record, &member, inside, all);
        }
    }
}

/// The first name that stands twice in an object of a valid value, however deep, decoded.
pub(super) fn name_twice(value: &[u8]) -> Option<Vec<u8>> {
    // The names of each object that is open; `None` for arrays.
    let mut open: Vec<Option<HashSet<Vec<u8>>>> = Vec::new();
    let (mut at, mut before_name) = (0, false);
    while let Some(byte) = value.get(at) {
        at += 1;
        match byte {
            b'"' => {
                let start = at;
                while value.get(at).is_some_and(|byte| *byte != b'"') {
                    at += if value[at] == b'\\' { 2 } else { 1 };
                }
                let content = value.get(start..at).unwrap_or_default();
                at += 1;
                if std::mem::take(&mut before_name)
                    && let Some(Some(names)) = open.last_mut()
                {
                    let name = decode(content).into_owned();
                    if names.contains(&name) {
                        return Some(name);
                    }
                    names.insert(name);
                }
            }
            b'{' | b'[' => {
                before_name = *byte == b'{';
                open.push(before_name.then(HashSet::new));
            }
            b'}' | b']' => {
                before_name = false;
                open.pop();
            }
            b',' => before_name = matches!(open.last(), Some(Some(_))),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::name_twice;

    #[test]
    fn a_name_twice_is_found_in_any_object() {
        for (value, want) in [
            (r#"{"a":1,"a":2}"#, Some("a")),
            (r#"{"a" : {"b":[1,{"c":"}","\u0063":{}}]}}"#, Some("c")),
            (r#"[[{"":0, "":0}]]"#, Some("")),
            (r#"{"a":[],"b":{"a":1},"a":1}"#, Some("a")),
            (r#"{"a":{"a":["a","a",{"a":"a"}]},"b":"a","A":"\"a"}"#, None),
            (r#"[{"a":1},{"a":1}]"#, None),
            (r#""a\"""#, None),
            ("1e5", None),
        ] {
            assert_eq!(name_twice(value.as_bytes()).as_deref(), want.map(str::as_bytes), "{value}");
        }
    }
}
