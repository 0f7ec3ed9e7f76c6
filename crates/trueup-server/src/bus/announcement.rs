//! What servers tell each other, as a text of lines.

use core::fmt;

use trueup_core::{AccountId, Version};

/// The longest number there is, the blank before it and the end of the line.
const AROUND_ID_BYTES: usize = 22;

/// Which accounts changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// These, and the version that each has now.
    Changed(Vec<(AccountId, Version)>),
    /// More than could be told, or nobody knows which.
    Much,
}

const MUCH: &str = "*";

impl Announcement {
    /// How much room an account takes at most.
    pub fn bytes_of(account: &AccountId) -> usize {
        account.as_str().len() + AROUND_ID_BYTES
    }

    /// Reads what another server wrote; `None` when it is none of this.
    pub fn read(text: &str) -> Option<Self> {
        if text == MUCH {
            return Some(Self::Much);
        }
        let line = |line: &str| {
            let (account, version) = line.split_once(' ')?;
            Some((AccountId::new(account).ok()?, Version(version.parse().ok()?)))
        };
        text.lines().map(line).collect::<Option<_>>().map(Self::Changed)
    }
}

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Much => f.write_str(MUCH),
            Self::Changed(accounts) => accounts
                .iter()
                .try_for_each(|(account, version)| writeln!(f, "{account} {version}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let account = |id: &str| AccountId::new(id).unwrap();
        let changed = vec![(account("acct_7"), Version(44)), (account("*"), Version(u64::MAX))];
        let room: usize = changed.iter().map(|(id, _)| Announcement::bytes_of(id)).sum();
        for announcement in [Announcement::Changed(changed), Announcement::Much] {
            let text = announcement.to_string();
            assert!(text.len() <= room, "{text}");
            assert_eq!(Announcement::read(&text), Some(announcement));
        }
    }

    #[test]
    fn what_is_no_announcement_is_not_taken_for_one() {
        for text in ["acct_7", "acct_7 x", "acct_7 -1", " 4", "acct_7 44\n\nacct_8 1", "**"] {
            assert_eq!(Announcement::read(text), None, "{text:?}");
        }
    }
}
