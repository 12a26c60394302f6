//! What is left of a destroyed channel under its name, so that nobody else takes the name over at once.
//!
//! Accounts are kept as marks, so that neither a store nor a backup lists who was in a hidden channel.

use super::{ChannelName, Stamp};
use jid::{BareJid, Jid};
use serde::{Deserialize, Serialize};

/// How long the name of a destroyed channel is its former owners', in milliseconds.
pub const HELD_MS: u64 = 30 * 24 * 3600 * 1000;
/// The most people of a hidden channel who are told of its end later. Owners and admins come first.
pub const PEOPLE_MAX: usize = 1000;
/// The longest reason that is kept, in bytes.
pub const REASON_BYTES_MAX: usize = 512;

/// What stands for an account, under the service's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountMark(pub u64);

/// What is left of a destroyed channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneChannel {
    /// The localpart.
    pub name: ChannelName,
    /// The tag that the channel had.
    pub tag: u64,
    /// In whose share it counts: who created the channel.
    pub creator: BareJid,
    /// Until when the name is held.
    pub until: Stamp,
    /// Whether everybody could find the channel, so that everybody is told that it is gone.
    pub is_open: bool,
    /// Its owners, in order.
    pub owners: Vec<AccountMark>,
    /// Of a channel that not everybody could find: who was in it, in order.
    pub people: Vec<AccountMark>,
    /// Why it ended.
    pub reason: Option<String>,
    /// Where people meet since.
    pub venue: Option<Jid>,
}

impl GoneChannel {
    /// Whether the name is held at this time.
    pub fn holds(&self, due: Stamp) -> bool {
        due < self.until
    }

    /// Whether an account owned the channel.
    pub fn is_owner(&self, mark: AccountMark) -> bool {
        self.owners.binary_search(&mark).is_ok()
    }

    /// Whether an account may know that there was such a channel.
    pub fn is_known_to(&self, mark: AccountMark) -> bool {
        self.is_open || self.is_owner(mark) || self.people.binary_search(&mark).is_ok()
    }

    /// The same without an account that is no more.
    pub fn without(&self, account: &BareJid, mark: AccountMark) -> GoneChannel {
        let rest = |marks: &[AccountMark]| marks.iter().copied().filter(|it| *it != mark).collect();
        let is_creator = self.creator == *account;
        let creator = if is_creator { BareJid::from_parts(None, account.domain()) } else { self.creator.clone() };
        GoneChannel { creator, owners: rest(&self.owners), people: rest(&self.people), ..self.clone() }
    }

    /// Everybody whom it knows, some of them twice.
    pub fn marks(&self) -> impl Iterator<Item = AccountMark> {
        self.owners.iter().chain(&self.people).copied()
    }

    /// About how much memory it takes with its places in indexes, in bytes.
    pub fn bytes(&self) -> usize {
        let texts = self.name.as_str().len() * 3 + self.creator.as_str().len() * 2;
        let said = self.reason.as_ref().map_or(0, String::len) + self.venue.as_ref().map_or(0, |it| it.as_str().len());
        size_of::<GoneChannel>() + 256 + texts + said + (self.owners.len() + self.people.len()) * 40
    }
}

/// The beginning of a reason that is kept.
pub fn kept_reason(reason: &str) -> String {
    let ends = (0..=reason.len().min(REASON_BYTES_MAX)).rev();
    let end = ends.into_iter().find(|end| reason.is_char_boundary(*end)).unwrap_or_default();
    reason[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_is_no_more_is_in_none_of_it() {
        let (account, other) = (BareJid::new("a@x.example").unwrap(), AccountMark(9));
        let gone = GoneChannel {
            name: ChannelName::new("den").unwrap(),
            tag: 1,
            creator: account.clone(),
            until: Stamp(5),
            is_open: false,
            owners: vec![AccountMark(3), other],
            people: vec![AccountMark(3)],
            reason: None,
            venue: None,
        };
        assert!(gone.is_owner(AccountMark(3)) && gone.is_known_to(other) && !gone.is_known_to(AccountMark(4)));
        assert!(gone.holds(Stamp(4)) && !gone.holds(Stamp(5)));
        let rest = gone.without(&account, AccountMark(3));
        assert_eq!((rest.creator.as_str(), &rest.owners[..], &rest.people[..]), ("x.example", &[other][..], &[][..]));
        assert!(rest.bytes() < gone.bytes());
    }

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        assert_eq!(kept_reason("short"), "short");
        assert_eq!(kept_reason(&format!("x{}", "ä".repeat(400))).len(), REASON_BYTES_MAX - 1);
    }
}
