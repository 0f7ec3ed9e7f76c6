//! What a request said beyond its charge, boiled down: a retry says the same.

use sha2::{Digest as _, Sha256};
use trueup_core::Fingerprint;

use crate::engine::NewMessage;

/// The fingerprint of a list of texts. Where one text ends and the next begins counts.
pub fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Fingerprint {
    let mut digest = Sha256::new();
    for text in texts {
        digest.update(text.len().to_le_bytes());
        digest.update(text);
    }
    let mut bytes = [0; 16];
    // Enough by far: two requests are only ever compared under one operation id.
    bytes.iter_mut().zip(digest.finalize()).for_each(|(byte, from)| *byte = from);
    Fingerprint(bytes)
}

/// The fingerprint of messages to be saved; `None` when there are none.
pub fn of_messages(messages: &[NewMessage]) -> Option<Fingerprint> {
    let texts = messages.iter().flat_map(|message| {
        let NewMessage { conversation, role, content, model } = message;
        [conversation, role, content, model.as_deref().unwrap_or_default()]
    });
    (!messages.is_empty()).then(|| of_texts(texts))
}

#[cfg(test)]
mod tests {
    use super::of_texts;

    #[test]
    fn other_texts_or_other_ends_of_texts_have_another_fingerprint() {
        let all =
            [vec!["ab"], vec!["a", "b"], vec!["a", "b", ""], vec!["", "ab"], vec![], vec![""]];
        for (at, one) in all.iter().enumerate() {
            for (beside, other) in all.iter().enumerate() {
                let same = of_texts(one.iter().copied()) == of_texts(other.iter().copied());
                assert_eq!(same, at == beside, "{one:?} {other:?}");
            }
        }
    }
}
