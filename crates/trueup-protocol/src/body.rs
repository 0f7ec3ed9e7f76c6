//! Request bodies, read member by member. Strict: an object where an object is meant, every member
//! once and none unknown; and whatever is wrong is said in the API's own words.

pub use value::Value;

mod value;

use std::collections::{BTreeMap, BTreeSet};

use crate::Malformed;
use crate::decode::UNITS_SHAPE;

/// A name in a complaint is no longer than this.
const NAME_CHARS: usize = 128;

/// An object that can be read from a body.
pub trait Body: Sized {
    /// Takes its members out of `object`; what is left over is refused afterwards.
    ///
    /// # Errors
    /// When a member is missing or not what it must be.
    fn read(object: &mut Object) -> Result<Self, Malformed>;
}

/// Anything that can be a member's value.
pub trait Read: Sized {
    /// What the value must be.
    const SHAPE: &'static str;

    /// Reads the value that stands at `path`.
    ///
    /// # Errors
    /// When it is of another shape.
    fn read(value: Value, path: &str) -> Result<Self, Malformed>;
}

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It is no JSON from this place on.
    Syntax {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It ends before its JSON does.
    Unfinished,
    /// A member is missing, unknown, given twice, or not what it must be. Without a `param`, the
    /// body as a whole is meant.
    Shape(Malformed),
}

impl Unreadable {
    /// The body is something else than an object.
    pub fn no_object() -> Self {
        Self::Shape(malformed::<Object>(""))
    }

    /// The body has two members of one name.
    pub fn given_twice(name: &str) -> Self {
        Self::Shape(given_twice("", name))
    }
}

impl From<Malformed> for Unreadable {
    fn from(malformed: Malformed) -> Self {
        Self::Shape(malformed)
    }
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        if error.is_eof() {
            return Self::Unfinished;
        }
        Self::Syntax { line: error.line(), column: error.column() }
    }
}

/// Reads a whole body.
///
/// # Errors
/// [`Unreadable`]: the first thing that is wrong with it.
pub fn read<T: Body>(bytes: &[u8]) -> Result<T, Unreadable> {
    Ok(<T as Read>::read(serde_json::from_slice(bytes)?, "")?)
}

/// Finds a name that stands in the list twice.
pub fn twice<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

/// An object that is being read.
#[derive(Debug)]
pub struct Object {
    path: String,
    members: Vec<(String, Value)>,
    known: Vec<&'static str>,
}

impl Object {
    /// A member that must be there.
    ///
    /// # Errors
    /// When it is missing or of another shape.
    pub fn required<T: Read>(&mut self, name: &'static str) -> Result<T, Malformed> {
        let path = member(&self.path, name);
        match self.take(name) {
            Some(value) => T::read(value, &path),
            None => Err(Malformed::new(path, format!("is missing; it must be {}", T::SHAPE))),
        }
    }

    /// A member that may be missing or `null`.
    ///
    /// # Errors
    /// When it is of another shape.
    pub fn optional<T: Read>(&mut self, name: &'static str) -> Result<Option<T>, Malformed> {
        self.or_default(name)
    }

    /// A member that may be missing.
    ///
    /// # Errors
    /// When it is of another shape.
    pub fn or_default<T: Read + Default>(&mut self, name: &'static str) -> Result<T, Malformed> {
        let path = member(&self.path, name);
        self.take(name).map_or_else(|| Ok(T::default()), |value| T::read(value, &path))
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        let at = self.members.iter().position(|(have, _)| have == name)?;
        Some(self.members.swap_remove(at).1)
    }

    /// Refuses what nobody took: a misspelt name that is silently dropped would be a wrong number.
    fn end(self) -> Result<(), Malformed> {
        let Some((name, _)) = self.members.first() else { return Ok(()) };
        let known = self.known.join(", ");
        let message = format!("is no member of this object; take it out, or use one of {known}");
        Err(Malformed::new(member(&self.path, name), message))
    }
}

impl Read for Object {
    const SHAPE: &'static str = "an object";

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        let Value::Object(members) = value else { return Err(malformed::<Self>(path)) };
        if let Some(name) = twice(members.iter().map(|(name, _)| &**name)) {
            return Err(given_twice(path, name));
        }
        Ok(Self { path: path.to_owned(), members, known: Vec::new() })
    }
}

impl<T: Body> Read for T {
    const SHAPE: &'static str = Object::SHAPE;

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        let mut object = Object::read(value, path)?;
        let body = <T as Body>::read(&mut object)?;
        object.end()?;
        Ok(body)
    }
}

impl Read for String {
    const SHAPE: &'static str = "a text";

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        if let Value::Text(text) = value { Ok(text) } else { Err(malformed::<Self>(path)) }
    }
}

impl Read for bool {
    const SHAPE: &'static str = "true or false";

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        if let Value::Flag(flag) = value { Ok(flag) } else { Err(malformed::<Self>(path)) }
    }
}

/// Read as far as it can be held: what is above 2^53-1 is another complaint, and made where the
/// number is used.
impl Read for u64 {
    const SHAPE: &'static str = UNITS_SHAPE;

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        if let Value::Whole(whole) = value { Ok(whole) } else { Err(malformed::<Self>(path)) }
    }
}

impl Read for u32 {
    const SHAPE: &'static str = "a whole number from 0 to 4294967295";

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        let whole = if let Value::Whole(whole) = value { Self::try_from(whole).ok() } else { None };
        whole.ok_or_else(|| malformed::<Self>(path))
    }
}

impl<T: Read> Read for Option<T> {
    const SHAPE: &'static str = T::SHAPE;

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        if matches!(value, Value::Null) { Ok(None) } else { T::read(value, path).map(Some) }
    }
}

impl<T: Read> Read for Vec<T> {
    const SHAPE: &'static str = "an array";

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        let Value::List(items) = value else { return Err(malformed::<Self>(path)) };
        let item = |(at, value)| T::read(value, &format!("{path}[{at}]"));
        items.into_iter().enumerate().map(item).collect()
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    const SHAPE: &'static str = Object::SHAPE;

    fn read(value: Value, path: &str) -> Result<Self, Malformed> {
        let Object { members, .. } = Object::read(value, path)?;
        let entry = |(name, value): (String, Value)| {
            let value = T::read(value, &member(path, &name))?;
            Ok((name, value))
        };
        members.into_iter().map(entry).collect()
    }
}

fn malformed<T: Read>(path: &str) -> Malformed {
    Malformed::new(path, format!("must be {}", T::SHAPE))
}

fn given_twice(path: &str, name: &str) -> Malformed {
    Malformed::new(member(path, name), "is given twice; give it once")
}

fn member(path: &str, name: &str) -> String {
    let name: String = name.chars().take(NAME_CHARS).collect();
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::{Body, Object, Unreadable, read};
    use crate::Malformed;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq)]
    struct Order {
        id: String,
        units: BTreeMap<String, Option<u64>>,
        parts: Vec<Part>,
        count: Option<u32>,
        now: Option<bool>,
    }

    #[derive(Debug, PartialEq)]
    struct Part(u64);

    impl Body for Order {
        fn read(object: &mut Object) -> Result<Self, Malformed> {
            Ok(Self {
                id: object.required("id")?,
                units: object.or_default("units")?,
                parts: object.or_default("parts")?,
                count: object.optional("count")?,
                now: object.optional("now")?,
            })
        }
    }

    impl Body for Part {
        fn read(object: &mut Object) -> Result<Self, Malformed> {
            Ok(Self(object.required("size")?))
        }
    }

    #[test]
    fn what_may_be_left_out_may_be_left_out() {
        let body = br#" {"parts":[{"size":0}],"count":null,"id":"a","units":{"x":null,"y":7}} "#;
        let expected = Order {
            id: "a".to_owned(),
            units: BTreeMap::from([("x".to_owned(), None), ("y".to_owned(), Some(7))]),
            parts: vec![Part(0)],
            count: None,
            now: None,
        };
        assert_eq!(read::<Order>(body), Ok(expected));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_it_must_be() {
        const WHOLE: &str = "must be a whole number from 0 to 9007199254740991";
        const SMALL: &str = "must be a whole number from 0 to 4294967295";
        for (body, param, message) in [
            (r#"["a"]"#, "", "must be an object"),
            ("null", "", "must be an object"),
            ("7", "", "must be an object"),
            ("{}", "id", "is missing; it must be a text"),
            (r#"{"id":null}"#, "id", "must be a text"),
            (r#"{"id":["a"]}"#, "id", "must be a text"),
            (r#"{"id":"a","id":"a"}"#, "id", "is given twice; give it once"),
            (r#"{"id":"a","\u0069d":"b"}"#, "id", "is given twice; give it once"),
            (r#"{"id":"a","units":{"x":1,"x":1}}"#, "units.x", "is given twice; give it once"),
            (r#"{"id":"a","units":[["x",1]]}"#, "units", "must be an object"),
            (r#"{"id":"a","units":null}"#, "units", "must be an object"),
            (r#"{"id":"a","units":{"x":-1}}"#, "units.x", WHOLE),
            (r#"{"id":"a","units":{"x":1e3}}"#, "units.x", WHOLE),
            (r#"{"id":"a","units":{"x":[1]}}"#, "units.x", WHOLE),
            (r#"{"id":"a","parts":{"size":1}}"#, "parts", "must be an array"),
            (r#"{"id":"a","parts":[[1]]}"#, "parts[0]", "must be an object"),
            (r#"{"id":"a","parts":[{"size":1},{}]}"#, "parts[1].size", "is missing; it"),
            (r#"{"id":"a","parts":[{"size":true}]}"#, "parts[0].size", WHOLE),
            (r#"{"id":"a","parts":[{"size":1,"s":1}]}"#, "parts[0].s", "or use one of size"),
            (r#"{"id":"a","count":4294967296}"#, "count", SMALL),
            (r#"{"id":"a","count":1e30}"#, "count", SMALL),
            (r#"{"id":"a","now":0}"#, "now", "must be true or false"),
            (r#"{"id":"a","Id":1}"#, "Id", "or use one of id, units, parts, count, now"),
        ] {
            let Err(Unreadable::Shape(malformed)) = read::<Order>(body.as_bytes()) else {
                panic!("{body} was read");
            };
            assert_eq!(malformed.param, param, "{body}");
            assert!(malformed.message.contains(message), "{body}: {}", malformed.message);
        }
    }

    #[test]
    fn a_number_too_large_is_a_number_all_the_same() {
        for number in ["18446744073709551615", "18446744073709551616", "1e300"] {
            let body = format!(r#"{{"id":"a","units":{{"x":{number}}}}}"#);
            assert_eq!(read::<Order>(body.as_bytes()).unwrap().units["x"], Some(u64::MAX));
        }
    }

    #[test]
    fn a_name_in_a_complaint_is_short() {
        let body = format!(r#"{{"id":"a","{}":1}}"#, "ä".repeat(1000));
        let Err(Unreadable::Shape(malformed)) = read::<Order>(body.as_bytes()) else {
            panic!("it was read");
        };
        assert_eq!(malformed.param, "ä".repeat(128));
    }

    #[test]
    fn what_is_no_json_is_told_from_where_on() {
        let syntax = |line, column| Unreadable::Syntax { line, column };
        let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        for (body, expected) in [
            (&b""[..], Unreadable::Unfinished),
            (b"{\"id\":\"a\"", Unreadable::Unfinished),
            (b"{\"id\":\n a}", syntax(2, 2)),
            (b"{} x", syntax(1, 4)),
            (b"\xef\xbb\xbf{}", syntax(1, 1)),
            (b"{\"id\":\"\xff\"}", syntax(1, 8)),
            (deep.as_bytes(), syntax(1, 128)),
        ] {
            assert_eq!(read::<Order>(body), Err(expected), "{}", String::from_utf8_lossy(body));
        }
    }
}
