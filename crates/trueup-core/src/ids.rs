//! Who and what: accounts, actors, models, operations, and the order of an account's history.

use core::fmt;
use core::str::FromStr;

use crate::error::InvalidId;
use crate::window::Timestamp;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// At most 128 visible ASCII characters, at least one.
            ///
            /// # Errors
            /// [`InvalidId`] when the text is empty, longer, or holds anything else.
            pub fn new(text: &str) -> Result<Self, InvalidId> {
                let fits = (1..=128).contains(&text.len());
                if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidId { what: $what })
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }
    };
}

text_id!(
    /// Whose quota it is: a person, or an organisation whose members share it.
    AccountId,
    "account id"
);
text_id!(
    /// The person acting inside an account.
    ActorId,
    "actor id"
);
text_id!(
    /// A model's name in the catalog.
    ModelId,
    "model name"
);
text_id!(
    /// The identity of a database's history; a restored or emptied database has another one.
    Epoch,
    "epoch"
);

impl AccountId {
    /// The actor of a personal account: the account itself.
    pub fn personal_actor(&self) -> ActorId {
        ActorId(self.0.clone())
    }
}

/// How many changes an account has seen. Rises by one with every change; never a clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

impl Version {
    /// The version after one more change.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a request said beyond its charge, in 128 bits: tells a retry from another request under the
/// same operation id. Made by the server; here it is only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// An operation's identity: a `UUIDv7` made by the client once per user action, before anything is
/// sent, and reused by every retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(u128);

impl OperationId {
    /// The `UUIDv7` of `created_at` (milliseconds since 1970) and 74 of `entropy`'s 80 bits.
    pub fn new_v7(created_at: Timestamp, entropy: [u8; 10]) -> Self {
        let millis = u128::from(created_at.millis().unsigned_abs() & ((1 << 48) - 1));
        let random = entropy.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        let rand_a = (random >> 62) & 0xfff;
        let rand_b = random & ((1 << 62) - 1);
        Self((millis << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | rand_b)
    }

    /// When its maker says it was made.
    pub fn created_at(self) -> Timestamp {
        // 48 bits always fit in an i64.
        Timestamp::from_millis(i64::try_from(self.0 >> 80).unwrap_or(i64::MAX))
    }

    /// The id as a 128-bit number.
    pub const fn as_u128(self) -> u128 {
        self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e] = [
            self.0 >> 96,
            (self.0 >> 80) & 0xffff,
            (self.0 >> 64) & 0xffff,
            (self.0 >> 48) & 0xffff,
            self.0 & 0xffff_ffff_ffff,
        ];
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }
}

impl FromStr for OperationId {
    type Err = InvalidId;

    /// Reads the hyphenated form of a version 7 UUID and no other.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId { what: "operation id" };
        if text.len() != 36 {
            return Err(invalid);
        }
        let mut bits = 0_u128;
        for (at, byte) in text.bytes().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if byte != b'-' {
                    return Err(invalid);
                }
                continue;
            }
            let digit = char::from(byte).to_digit(16).ok_or(invalid)?;
            bits = (bits << 4) | u128::from(digit);
        }
        let version_7 = (bits >> 76) & 0xf == 7;
        let variant_rfc = (bits >> 62) & 0b11 == 0b10;
        if version_7 && variant_rfc { Ok(Self(bits)) } else { Err(invalid) }
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountId, OperationId};
    use crate::window::Timestamp;

    #[test]
    fn an_operation_id_is_read_back_as_it_was_written() {
        let at = Timestamp::from_millis(1_795_489_200_123);
        let id = OperationId::new_v7(at, [0xff; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.created_at(), at);
        assert_eq!(&id.to_string()[14..15], "7");
    }

    #[test]
    fn an_operation_id_is_laid_out_as_the_standard_says() {
        // The example of RFC 9562. Of the entropy, the first six bits have no place.
        let at = Timestamp::from_millis(0x017f_22e2_79b0);
        let entropy = [0xff, 0x30, 0xd8, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        let id = OperationId::new_v7(at, entropy);
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn only_a_version_7_uuid_is_an_operation_id() {
        let cases = [
            ("01932f5c-7d2a-7c3e-9a1b-0123456789ab", true),
            ("01932F5C-7D2A-7C3E-9A1B-0123456789AB", true),
            ("01932f5c-7d2a-4c3e-9a1b-0123456789ab", false),
            ("01932f5c-7d2a-7c3e-1a1b-0123456789ab", false),
            ("01932f5c7d2a7c3e9a1b0123456789ab", false),
            ("01932f5c-7d2a-7c3e-9a1b-0123456789a", false),
            ("01932f5c-7d2a-7c3e-9a1b-0123456789ag", false),
            ("+1932f5c-7d2a-7c3e-9a1b-0123456789ab", false),
            ("", false),
        ];
        for (text, valid) in cases {
            assert_eq!(text.parse::<OperationId>().is_ok(), valid, "{text}");
        }
    }

    #[test]
    fn text_ids_are_short_and_visible() {
        let long = "a".repeat(129);
        for (text, valid) in [
            ("acct_7", true),
            ("", false),
            ("a b", false),
            ("a\n", false),
            ("ä", false),
            (&long, false),
        ] {
            assert_eq!(AccountId::new(text).is_ok(), valid, "{text}");
        }
    }
}
