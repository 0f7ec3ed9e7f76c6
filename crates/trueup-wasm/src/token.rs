//! Whose token it is. Nothing is verified here, that is the server's task: the names only keep
//! apart what is stored, and tell when somebody else has signed in.

use trueup_core::AccountId;
use trueup_protocol::claims;

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
    let payload = base64url(token.split('.').nth(1)?)?;
    let claims = claims::read(str::from_utf8(&payload).ok()?)?;
    let account = claims.account.as_ref().or(claims.subject.as_ref())?;
    Some(Holder {
        account: AccountId::new(account).ok()?,
        actor: claims.subject.filter(|_| claims.account.is_some()),
    })
}

/// Without padding, as JWTs have it.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
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
