//! The members of a JSON object in their order, their values left as text: what serde_json's `RawValue` is for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Names, and values as they are spelt.
#[derive(Debug, Default)]
pub struct Members<'a>(pub Vec<(Name<'a>, &'a RawValue)>);

/// A name, borrowed where it has no escapes.
#[derive(Debug, serde::Deserialize, serde::Serialize, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl<'a> Members<'a> {
    /// The members of an object; nothing for anything else, and for what is not JSON.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// The value of the first member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|member| member.0.0 == name).map(|member| member.1)
    }

    /// The members of the object that is the value of this member.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<Self> {
        Self::parse(self.get(name)?.get().as_bytes())
    }

    /// Replaces the value of a member, if it is there.
    pub fn replace(&mut self, name: &str, value: &'a RawValue) -> bool {
        let member = self.0.iter_mut().find(|member| member.0.0 == name);
        member.map(|member| member.1 = value).is_some()
    }

    /// Replaces the value of a member, or adds it as the last one.
    pub fn set(&mut self, name: &'a str, value: &'a RawValue) {
        if !self.replace(name, value) {
            self.0.push((Name(Cow::Borrowed(name)), value));
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(12);
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_stays_as_it_is_spelt() {
        let text = r#"{"z":1E+2,"a\u0062":"\u00fc","in":{"b":null,"a":[1, -0.0]},"z":2}"#;
        let mut members = Members::parse(text.as_bytes()).expect("an object");
        members.set("ab", RawValue::NULL);
        members.set("new", RawValue::TRUE);
        assert!(!members.replace("none", RawValue::TRUE));
        let want = r#"{"z":1E+2,"ab":null,"in":{"b":null,"a":[1, -0.0]},"z":2,"new":true}"#;
        assert_eq!(serde_json::to_string(&members).expect("an object"), want);
        assert_eq!(members.object("in").expect("an object").0.len(), 2);
        assert!(members.object("z").is_none());
    }

    #[test]
    fn only_objects_have_members() {
        for text in ["[]", "1", "{", "{}x", "{\"a\":01}", "{\"a\":{]}"] {
            assert!(Members::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
