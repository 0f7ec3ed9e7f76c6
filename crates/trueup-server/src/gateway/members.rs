//! A JSON object whose members keep their order and their bytes: what the gateway does not
//! understand passes through it untouched.

use core::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use trueup_protocol::body::{Unreadable, twice};

/// An object's members, as they were written.
#[derive(Debug, Default)]
pub struct Members(Vec<(String, Box<RawValue>)>);

impl Members {
    /// Reads a whole body.
    ///
    /// # Errors
    /// When it is no object, or names a member twice.
    pub fn read_body(bytes: &[u8]) -> Result<Self, Unreadable> {
        let body: &RawValue = serde_json::from_slice(bytes)?;
        if !body.get().starts_with('{') {
            return Err(Unreadable::no_object());
        }
        let every: Every = serde_json::from_str(body.get())?;
        every.once().map_err(|name| Unreadable::given_twice(&name))
    }

    /// The text of a member's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(have, _)| have == name).map(|(_, value)| value.get())
    }

    /// Every member's name and the text of its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.get()))
    }

    /// A member's value as `T`; `None` when it is missing or `null`.
    ///
    /// # Errors
    /// When the value is of another type.
    pub fn read<'a, T: Deserialize<'a>>(&'a self, name: &str) -> serde_json::Result<Option<T>> {
        self.get(name).map_or(Ok(None), serde_json::from_str)
    }

    /// Replaces a member where it stands, or adds it at the end.
    ///
    /// # Errors
    /// When `value` cannot be written as JSON.
    pub fn set(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
        let value = to_raw_value(value)?;
        match self.0.iter_mut().find(|(have, _)| have == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
        Ok(())
    }

    /// Takes a member out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(have, _)| have != name);
    }
}

impl Clone for Members {
    fn clone(&self) -> Self {
        Self(self.0.iter().map(|(name, value)| (name.clone(), value.to_owned())).collect())
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Every::deserialize(deserializer)?
            .once()
            .map_err(|name| de::Error::custom(format_args!("member {name:?} is given twice")))
    }
}

/// Members as they come, also those that come twice.
struct Every(Vec<(String, Box<RawValue>)>);

impl Every {
    /// The members, or the name that comes twice: two readers may pick different ones of two equal
    /// names, and then charge for one model and ask another.
    fn once(self) -> Result<Members, String> {
        match twice(self.0.iter().map(|(name, _)| &**name)) {
            Some(name) => Err(name.to_owned()),
            None => Ok(Members(self.0)),
        }
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EveryVisitor)
    }
}

struct EveryVisitor;

impl<'de> Visitor<'de> for EveryVisitor {
    type Value = Every;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Every, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Every(members))
    }
}

#[cfg(test)]
mod tests {
    use super::Members;

    #[test]
    fn what_is_not_touched_keeps_its_order_and_its_bytes() {
        let text =
            r#"{"z":1.50,"model":"a","x":{"b" : [1e3, "\u00e9"]},"big":123456789012345678901}"#;
        let mut members: Members = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&members).unwrap(), text);
        members.set("model", "b").unwrap();
        members.set("new", &true).unwrap();
        members.remove("big");
        assert_eq!(
            serde_json::to_string(&members).unwrap(),
            r#"{"z":1.50,"model":"b","x":{"b" : [1e3, "\u00e9"]},"new":true}"#
        );
    }

    #[test]
    fn a_member_is_read_by_its_name_and_null_is_nothing() {
        let members: Members = serde_json::from_str(r#"{"a":7,"b":null}"#).unwrap();
        assert_eq!(members.read::<u8>("a").unwrap(), Some(7));
        assert_eq!(members.read::<u8>("b").unwrap(), None);
        assert_eq!(members.read::<u8>("c").unwrap(), None);
        assert!(members.read::<String>("a").is_err());
    }

    #[test]
    fn only_an_object_that_names_each_member_once_is_read() {
        for text in [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#, "[]", "7", "null", "{", ""] {
            assert!(serde_json::from_str::<Members>(text).is_err(), "{text}");
        }
    }
}
