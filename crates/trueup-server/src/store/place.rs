//! Where a page of a list begins, and how that travels: as a text that only the server reads.

use core::fmt;
use core::str::FromStr;

use trueup_core::{Timestamp, Version};

/// Where a conversation stands in the list of its actor's: the newest come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationPlace {
    /// When something was last said in it.
    pub updated_at: Timestamp,
    /// Tells apart those of the same instant.
    pub id: String,
}

/// Where a message stands in its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessagePlace {
    /// The account's version that it was saved with.
    pub version: Version,
    /// Which of the messages of that batch.
    pub line: u32,
}

/// A text that names no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPlace;

impl fmt::Display for ConversationPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.updated_at.millis(), self.id)
    }
}

impl FromStr for ConversationPlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (at, id) = text.split_once('.').ok_or(NoPlace)?;
        let updated_at = Timestamp::from_millis(at.parse().map_err(|_| NoPlace)?);
        Ok(Self { updated_at, id: id.to_owned() })
    }
}

impl fmt::Display for MessagePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.line)
    }
}

impl FromStr for MessagePlace {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (version, line) = text.split_once('.').ok_or(NoPlace)?;
        let version = Version(version.parse().map_err(|_| NoPlace)?);
        Ok(Self { version, line: line.parse().map_err(|_| NoPlace)? })
    }
}

#[cfg(test)]
mod tests {
    use trueup_core::{Timestamp, Version};

    use super::{ConversationPlace, MessagePlace, NoPlace};

    #[test]
    fn a_place_is_read_back_as_it_was_written() {
        let updated_at = Timestamp::from_millis(1_795_489_200_123);
        let place = ConversationPlace { updated_at, id: "a.b".to_owned() };
        assert_eq!(place.to_string().parse(), Ok(place));
        let place = MessagePlace { version: Version(7), line: 12 };
        assert_eq!(place.to_string().parse(), Ok(place));
    }

    #[test]
    fn other_texts_are_no_places() {
        for text in ["", "7", ".", "7.", ".7", "-1.2", "7.-2", "7.x", "x.7", "7.1.2"] {
            assert_eq!(text.parse::<MessagePlace>(), Err(NoPlace), "{text}");
        }
        for text in ["", "7", ".", "x.7", "9999999999999999999.x"] {
            assert_eq!(text.parse::<ConversationPlace>(), Err(NoPlace), "{text}");
        }
    }
}
