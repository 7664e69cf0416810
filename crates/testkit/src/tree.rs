//! Responsible for: what one does with the tree of [`json`](crate::json): decode strings, look up, put and remove
//! members as the contract says it, write the tree back, compare two trees.
//! Not for: which members a rule touches.

use crate::json::{Array, Document, Json, Member, Object, Text};

/// Stands for a key that can't be predicted, where a tree is written as bytes.
pub const FRESH: &str = "\u{0}FRESH";

impl Text {
    /// A text that is spelled as it is written; quotes, backslashes and control characters are escaped.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let quoted = serde_json::Value::from(text).to_string();
        Self { raw: quoted[1..quoted.len() - 1].to_owned() }
    }

    /// The UTF-16 code units that the spelling stands for: the form in which a lone surrogate has a place, and in which
    /// two spellings of a text are equal.
    #[must_use]
    pub fn units(&self) -> Vec<u16> {
        let mut units = Vec::new();
        let mut rest = self.raw.chars();
        while let Some(letter) = rest.next() {
            if letter != '\\' {
                units.extend_from_slice(letter.encode_utf16(&mut [0; 2]));
                continue;
            }
            match rest.next() {
                Some('b') => units.push(8),
                Some('f') => units.push(12),
                Some('n') => units.push(10),
                Some('r') => units.push(13),
                Some('t') => units.push(9),
                Some('u') => {
                    let digits: String = rest.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap_or_default());
                }
                Some(itself) => units.extend_from_slice(itself.encode_utf16(&mut [0; 2])),
                None => {}
            }
        }
        units
    }

    /// The text, if it has no lone surrogate.
    #[must_use]
    pub fn decoded(&self) -> Option<String> {
        String::from_utf16(&self.units()).ok()
    }

    /// Whether this is that text, however it is spelled.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.decoded().is_some_and(|decoded| decoded == text)
    }

    /// Whether this is that text in another ASCII case.
    #[must_use]
    pub fn is_case_variant(&self, text: &str) -> bool {
        self.decoded().is_some_and(|decoded| decoded != text && decoded.eq_ignore_ascii_case(text))
    }
}

impl Json {
    /// A string value.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::String(Text::of(text))
    }

    /// An object of these members without white space.
    #[must_use]
    pub fn object(members: Vec<(&str, Self)>) -> Self {
        let mut object = Object::default();
        for (name, value) in members {
            object.add(name, value);
        }
        Self::Object(object)
    }

    /// The object, if it is one.
    #[must_use]
    pub fn as_object(&self) -> Option<&Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The object, if it is one.
    pub fn as_object_mut(&mut self) -> Option<&mut Object> {
        if let Self::Object(object) = self { Some(object) } else { None }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&Text> {
        if let Self::String(text) = self { Some(text) } else { None }
    }

    /// Whether two values are spelled the same, in the same order, white space aside.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        difference(self, other, "$", None).is_ok()
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(spelling) => out.push_str(spelling),
            Self::String(text) => {
                out.push('"');
                out.push_str(&text.raw);
                out.push('"');
            }
            Self::Array(Array { items, inner }) => {
                out.push('[');
                out.push_str(inner);
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&item.before);
                    item.value.write(out);
                    out.push_str(&item.after);
                }
                out.push(']');
            }
            Self::Object(Object { members, inner }) => {
                out.push('{');
                out.push_str(inner);
                for (index, member) in members.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    out.push_str(&member.before);
                    out.push('"');
                    out.push_str(&member.name.raw);
                    out.push('"');
                    out.push_str(&member.colon);
                    member.value.write(out);
                    out.push_str(&member.after);
                }
                out.push('}');
            }
            Self::Fresh => {
                out.push('"');
                out.push_str(FRESH);
                out.push('"');
            }
        }
    }
}

impl std::fmt::Display for Json {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = String::new();
        self.write(&mut out);
        formatter.write_str(&out)
    }
}

impl Document {
    /// The line, byte for byte; [`FRESH`] stands for keys that can't be predicted.
    #[must_use]
    pub fn to_line(&self) -> String {
        format!("{}{}{}", self.before, self.root, self.after)
    }
}

impl Object {
    /// The value of the member with this name; of the last one, where it stands twice.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members.iter().rev().find(|member| member.name.is(name)).map(|member| &member.value)
    }

    /// The value of the member with this name; of the last one, where it stands twice.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        self.members.iter_mut().rev().find(|member| member.name.is(name)).map(|member| &mut member.value)
    }

    /// Whether a name stands twice after unescaping.
    #[must_use]
    pub fn has_duplicates(&self) -> bool {
        let names: Vec<Vec<u16>> = self.members.iter().map(|member| member.name.units()).collect();
        names.iter().enumerate().any(|(index, name)| names[..index].contains(name))
    }

    /// Whether a member has one of these names in another ASCII case.
    #[must_use]
    pub fn has_case_variant(&self, names: &[&str]) -> bool {
        self.members.iter().any(|member| names.iter().any(|name| member.name.is_case_variant(name)))
    }

    /// Adds a member directly after the last member's value (after the opening brace, if there is none).
    pub fn add(&mut self, name: &str, value: Json) {
        let after = match self.members.last_mut() {
            Some(last) => std::mem::take(&mut last.after),
            None => std::mem::take(&mut self.inner),
        };
        let (before, name) = (String::new(), Text::of(name));
        let member = Member { before, name, colon: ":".to_owned(), value, after, added: true };
        self.members.push(member);
    }

    /// Adds a member directly before the first member's name.
    pub fn add_first(&mut self, name: &str, value: Json) {
        let Some(first) = self.members.first_mut() else { return self.add(name, value) };
        let before = std::mem::take(&mut first.before);
        let (name, after) = (Text::of(name), String::new());
        let member = Member { before, name, colon: ":".to_owned(), value, after, added: true };
        self.members.insert(0, member);
    }

    /// Replaces the value where the member stands, or adds the member.
    pub fn set(&mut self, name: &str, value: Json) {
        match self.get_mut(name) {
            Some(old) => *old = value,
            None => self.add(name, value),
        }
    }

    /// Removes the members for which `gone` holds, each with its comma and the white space around it.
    pub fn remove_where(&mut self, gone: impl Fn(&Member) -> bool) {
        while let Some(index) = self.members.iter().position(&gone) {
            let removed = self.members.remove(index);
            if index > 0 {
                self.members[index - 1].after = removed.after;
            } else if let Some(next) = self.members.first_mut() {
                next.before = removed.before;
            } else {
                self.inner = removed.before + &removed.after;
            }
        }
    }

    /// Puts the white space before all members behind them, where none but added ones are there.
    pub fn close_up(&mut self) {
        if self.members.iter().all(|member| member.added)
            && let Some(first) = self.members.first_mut()
        {
            let before = std::mem::take(&mut first.before);
            let last = self.members.len() - 1;
            self.members[last].after.insert_str(0, &before);
        }
    }

    /// Removes the members with one of these names.
    pub fn remove(&mut self, names: &[&str]) {
        self.remove_where(|member| names.iter().any(|name| member.name.is(name)));
    }
}

/// Compares an actual value with the expected one: spelling and order count, white space does not. Where the expected
/// value has [`Json::Fresh`], any standard base64 of `key_bytes` bytes without a zero byte is right.
///
/// # Errors
/// Where the values differ, and how.
pub fn matches(expected: &Json, actual: &Json, key_bytes: usize) -> Result<(), String> {
    difference(expected, actual, "$", Some(key_bytes))
}

/// Compares an actual line with the expected one byte for byte; [`Json::Fresh`] as in [`matches()`].
///
/// # Errors
/// Where the lines differ, and how.
pub fn matches_line(expected: &Document, actual: &[u8], key_bytes: usize) -> Result<(), String> {
    let expected_line = expected.to_line();
    let mut rest = actual;
    for (index, piece) in expected_line.split(FRESH).enumerate() {
        if index > 0 {
            let length = key_bytes.div_ceil(3) * 4;
            let key = rest.get(..length).ok_or_else(|| format!("the line ends in key {index}"))?;
            fresh_key(key, key_bytes).map_err(|why| format!("key {index}: {why}"))?;
            rest = &rest[length..];
        }
        rest = rest
            .strip_prefix(piece.as_bytes())
            .ok_or_else(|| format!("expected {expected_line:?}\n  actual {:?}", String::from_utf8_lossy(actual)))?;
    }
    if rest.is_empty() { Ok(()) } else { Err(format!("{} bytes too many", rest.len())) }
}

/// Checks that a text is standard base64 of so many bytes, none of them zero.
///
/// # Errors
/// What is wrong with it.
pub fn fresh_key(text: &[u8], key_bytes: usize) -> Result<(), String> {
    let key = base64_simd::STANDARD.decode_to_vec(text).map_err(|_| "not base64".to_owned())?;
    if key.len() != key_bytes {
        return Err(format!("{} bytes, not {key_bytes}", key.len()));
    }
    if key.contains(&0) {
        return Err("has a zero byte".to_owned());
    }
    Ok(())
}

fn difference(expected: &Json, actual: &Json, path: &str, key_bytes: Option<usize>) -> Result<(), String> {
    match (expected, actual) {
        (Json::Fresh, Json::String(text)) if key_bytes.is_some() => {
            fresh_key(text.raw.as_bytes(), key_bytes.unwrap_or_default()).map_err(|why| format!("{path}: {why}"))
        }
        (Json::Array(left), Json::Array(right)) if left.items.len() == right.items.len() => {
            let pairs = left.items.iter().zip(&right.items).enumerate();
            for (index, (left, right)) in pairs {
                difference(&left.value, &right.value, &format!("{path}[{index}]"), key_bytes)?;
            }
            Ok(())
        }
        (Json::Object(left), Json::Object(right)) => {
            let names =
                |object: &Object| object.members.iter().map(|member| member.name.raw.clone()).collect::<Vec<_>>();
            if names(left) != names(right) {
                return Err(format!("{path}: expected members {:?}, found {:?}", names(left), names(right)));
            }
            for (left, right) in left.members.iter().zip(&right.members) {
                difference(&left.value, &right.value, &format!("{path}.{}", left.name.raw), key_bytes)?;
            }
            Ok(())
        }
        (left, right) if left == right => Ok(()),
        (left, right) => Err(format!("{path}: expected {left}, found {right}")),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
