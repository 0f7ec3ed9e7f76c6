//! Whose token it is. Nothing is verified here, that is the server's task: the names only keep
//! apart what is stored, and tell when somebody else has signed in.

use trueup_core::AccountId;
use trueup_protocol::{claims, text};

/// Who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nobody is signed in.
    Anonymous,
    /// Somebody; who, when the token can be read.
    SignedIn(Option<Holder>),
}

/// The account and the actor that a token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Whose quota it is.
    pub account: AccountId,
    /// Who acts, when it is not the account itself.
    pub actor: Option<String>,
}

impl Identity {
    /// Who `token` speaks for.
    pub fn of(token: Option<&str>) -> Self {
        token.map_or(Self::Anonymous, |token| Self::SignedIn(holder(token)))
    }
}

fn holder(token: &str) -> Option<Holder> {
    let payload = base64url(token.as_bytes().split(|byte| *byte == b'.').nth(1)?)?;
    let claims = claims::read(&text::letters(&payload))?;
    let (account, subject) = (claims.account, claims.subject);
    let account = AccountId::new(account.as_ref().or(subject.as_ref())?).ok()?;
    let actor = subject.filter(|subject| subject != account.as_str());
    Some(Holder { account, actor })
}

/// Without padding, as JWTs have it.
fn base64url(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text {
        let value = match *letter {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'a'..=b'z' => letter - b'a' + 26,
            letter @ b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Identity, base64url};

    fn token(payload: &str) -> String {
        format!("eyJhbGciOiJub25lIn0.{payload}.c2ln")
    }

    #[test]
    fn a_token_names_an_account_and_who_acts_for_it() {
        for (payload, account, actor) in [
            // {"sub":"ada"}
            ("eyJzdWIiOiJhZGEifQ", "ada", None),
            // {"sub":"ada","acct":"acme"}
            ("eyJzdWIiOiJhZGEiLCJhY2N0IjoiYWNtZSJ9", "acme", Some("ada")),
            // {"acct":"acme"}
            ("eyJhY2N0IjoiYWNtZSJ9", "acme", None),
            // {"sub":"acme","acct":"acme"}
            ("eyJzdWIiOiJhY21lIiwiYWNjdCI6ImFjbWUifQ", "acme", None),
        ] {
            let Identity::SignedIn(Some(holder)) = Identity::of(Some(&token(payload))) else {
                panic!("{payload}")
            };
            assert_eq!((holder.account.as_str(), holder.actor.as_deref()), (account, actor));
        }
    }

    #[test]
    fn a_token_that_cannot_be_read_still_speaks_for_somebody() {
        assert_eq!(Identity::of(None), Identity::Anonymous);
        let payloads = [
            "",
            "e30",            // {}
            "W10",            // []
            "eyJzdWIiOjF9",   // {"sub":1}
            "eyJzdWIiOiIifQ", // {"sub":""}
            "eyJzdWIiOiJhZGEifQ==",
            "not base64!",
            "_____w",
        ];
        for payload in payloads {
            let identity = Identity::of(Some(&token(payload)));
            assert_eq!(identity, Identity::SignedIn(None), "{payload}");
        }
        for text in ["", ".", "opaque", "\u{1f511}"] {
            assert_eq!(Identity::of(Some(text)), Identity::SignedIn(None), "{text}");
        }
    }

    #[test]
    fn base64url_is_read_without_padding() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("Zg", b"f"),
            ("Zm8", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg", b"foob"),
            ("-_-_", &[0xfb, 0xff, 0xbf]),
        ] {
            assert_eq!(base64url(text.as_bytes()).as_deref(), Some(bytes), "{text}");
        }
        assert_eq!(base64url(b"+/+/"), None);
    }
}
