//! What an upstream was sent in confidence. Some repeat a key in their complaint about it.

use core::fmt;

use bytes::Bytes;

const HIDDEN: &str = "[hidden]";
/// What is shorter could not be a key, and taking it out of an answer would tear words that only
/// look like it.
const SHORTEST_KEY: usize = 16;

/// Texts that no log and no client may see.
#[derive(Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let texts = texts.into_iter().filter(|text| !text.is_empty());
        // JSON may be written with its slashes escaped.
        let written = |text: &str| [text.to_owned(), text.replace('/', "\\/")];
        let mut texts: Vec<String> = texts.flat_map(written).collect();
        // A longer one may have a shorter one in it.
        texts.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        texts.dedup();
        Self(texts)
    }

    /// `text` as a log may have it.
    pub(super) fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }

    /// A body as a client may have it.
    pub(super) fn hide_keys(&self, body: Bytes) -> Bytes {
        let keys = || self.0.iter().filter(|text| text.len() >= SHORTEST_KEY);
        let text = String::from_utf8_lossy(&body);
        if !keys().any(|key| text.contains(key)) {
            return body;
        }
        keys().fold(text.into_owned(), |text, key| text.replace(key, HIDDEN)).into()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secrets;
    use bytes::Bytes;

    const KEY: &str = "sk-0123/456789abcdef";

    #[test]
    fn a_secret_is_hidden_however_it_is_written() {
        let secrets = Secrets::new([KEY, "red", "red/2", ""]);
        for (text, hidden) in [
            ("no key 'sk-0123/456789abcdef'.", "no key '[hidden]'."),
            (r#"{"key":"sk-0123\/456789abcdef"}"#, r#"{"key":"[hidden]"}"#),
            ("team red/2, red", "team [hidden], [hidden]"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(secrets.hide(text), hidden);
        }
        assert!(!format!("{secrets:?}").contains("red"));
    }

    #[test]
    fn only_keys_are_taken_out_of_a_body() {
        let secrets = Secrets::new([KEY, "red"]);
        let body = |text: &str| secrets.hide_keys(Bytes::copy_from_slice(text.as_bytes()));
        assert_eq!(body("redirect with sk-0123/456789abcdef"), "redirect with [hidden]");
        assert_eq!(body("redirect"), "redirect");
    }
}
