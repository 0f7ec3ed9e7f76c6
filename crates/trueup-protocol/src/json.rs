//! A JSON reader for browsers. A general library, which must also word every complaint and read
//! every float, would be half of the module that pages load; the server uses one all the same.

/// How deep values may be nested: far more than any reply is, far less than a stack holds.
const MAX_DEPTH: u8 = 64;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// `None` when it has a fraction or an exponent, or is too large: nothing of ours is.
    Number(Option<i64>),
    /// A string, unescaped.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object, its members in their order.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads a whole text; `None` when it is no JSON.
    pub fn read(text: &str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(MAX_DEPTH)?;
        reader.skip_space();
        reader.peek().is_none().then_some(value)
    }

    /// The member of that name; `None` when it is missing or null.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let (_, value) = self.members()?.iter().find(|(key, _)| key == name)?;
        if matches!(value, Self::Null) { None } else { Some(value) }
    }

    /// An object's members.
    pub fn members(&self) -> Option<&[(String, Self)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// An array's items.
    pub fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// A string.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// A whole number.
    pub fn whole(&self) -> Option<i64> {
        if let Self::Number(whole) = self { *whole } else { None }
    }

    /// `true` or `false`.
    pub fn bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: u8) -> Option<Json> {
        self.skip_space();
        match self.peek()? {
            b'"' => self.string().map(Json::Text),
            b'[' => self.list(depth.checked_sub(1)?),
            b'{' => self.object(depth.checked_sub(1)?),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        let found = self.text.get(self.at..)?.starts_with(word);
        self.at += word.len();
        found.then_some(value)
    }

    fn list(&mut self, depth: u8) -> Option<Json> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.take(b']') {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if !self.goes_on(b']')? {
                return Some(Json::List(items));
            }
        }
    }

    fn object(&mut self, depth: u8) -> Option<Json> {
        let mut members = Vec::new();
        self.at += 1;
        self.skip_space();
        if self.take(b'}') {
            return Some(Json::Object(members));
        }
        loop {
            self.skip_space();
            let name = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return None;
            }
            members.push((name, self.value(depth)?));
            if !self.goes_on(b'}')? {
                return Some(Json::Object(members));
            }
        }
    }

    /// After an item: whether another one follows, or the list or object ends.
    fn goes_on(&mut self, end: u8) -> Option<bool> {
        self.skip_space();
        let byte = self.next()?;
        (byte == b',' || byte == end).then_some(byte == b',')
    }

    fn number(&mut self) -> Option<Json> {
        let from = self.at;
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        let whole = self.text.get(from..self.at)?.parse().ok();
        let to = self.at;
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Some(Json::Number(whole.filter(|_| to == self.at)))
    }

    fn digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (from < self.at).then_some(())
    }

    fn string(&mut self) -> Option<String> {
        let mut string = String::new();
        if !self.take(b'"') {
            return None;
        }
        let mut from = self.at;
        loop {
            let to = self.at;
            match self.next()? {
                b'"' => {
                    string.push_str(self.text.get(from..to)?);
                    return Some(string);
                }
                b'\\' => {
                    string.push_str(self.text.get(from..to)?);
                    string.push(self.escape()?);
                    from = self.at;
                }
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = self.hex()?;
                match unit {
                    // Beyond the first plane a character is written as a pair.
                    0xd800..0xdc00 => {
                        let low = (self.next()? == b'\\' && self.next()? == b'u')
                            .then(|| self.hex())??;
                        let low = low.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                        char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + low)?
                    }
                    _ => char::from_u32(unit)?,
                }
            }
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = (unit << 4) | char::from(self.next()?).to_digit(16)?;
        }
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use super::Json;
    use proptest::prelude::*;
    use serde_json::Value;

    /// The same value as the general library holds it.
    fn general(json: &Json) -> Value {
        match json {
            Json::Null | Json::Number(None) => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(Some(whole)) => (*whole).into(),
            Json::Text(text) => text.as_str().into(),
            Json::List(items) => items.iter().map(general).collect(),
            Json::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), general(value))).collect()
            }
        }
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(|whole| Json::Number(Some(whole))),
            any::<String>().prop_map(Json::Text),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::List),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn only_json_is_read() {
        for text in [
            "",
            " ",
            "nul",
            "tru",
            "[",
            "]",
            "{",
            "[1",
            "[1,",
            "[1,]",
            "[,1]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "1 2",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "\"",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "'a'",
        ] {
            assert_eq!(Json::read(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_whole_or_of_no_use() {
        for (text, whole) in [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("9007199254740991", Some(9_007_199_254_740_991)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("1.0", None),
            ("1e3", None),
            ("-1.5E-3", None),
        ] {
            assert_eq!(Json::read(text), Some(Json::Number(whole)), "{text}");
        }
    }

    #[test]
    fn nesting_ends_before_the_stack_does() {
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::read(&nested(64)).is_some());
        assert_eq!(Json::read(&nested(65)), None);
        assert_eq!(Json::read(&"[".repeat(1_000_000)), None);
    }

    proptest! {
        #[test]
        fn what_others_write_is_read(json in any_json()) {
            for text in [general(&json).to_string(), format!("{:#}", general(&json))] {
                prop_assert_eq!(Json::read(&text), Some(json.clone()));
            }
        }

        #[test]
        fn the_same_texts_are_json_as_for_others(
            json in any_json(), at in any::<prop::sample::Index>(), byte in any::<u8>()
        ) {
            let mut bytes = general(&json).to_string().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(text) = String::from_utf8(bytes) {
                let others = serde_json::from_str::<Value>(&text);
                // The general library also refuses numbers that no float can hold.
                let out_of_range = others.as_ref().is_err_and(|it| it.to_string().contains("range"));
                prop_assert!(out_of_range || Json::read(&text).is_some() == others.is_ok(), "{}", text);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,60}") {
            let _ = Json::read(&text);
        }
    }
}
