//! XEP-0463: versions of the affiliations of a room. The newest changes are kept with the channel, from when somebody first
//! asks for a version: a channel of which nobody does keeps none.

use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// The newest changes that are kept.
pub const CHANGES_MAX: usize = 256;
/// Which lists an account may read: a version is one of these lists. Who may not read that of outcasts is not told by another
/// version that somebody was banned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lists {
    /// Owners, admins and members.
    Affiliated = 1,
    /// The same, and outcasts.
    All = 2,
}

/// A change of affiliations, and the versions that it made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionedChange {
    /// The version of all lists.
    pub all: u64,
    /// The version of those without outcasts.
    pub affiliated: u64,
    /// Whether the change made that one.
    pub is_of_affiliated: bool,
    /// Whose affiliation it was. `None`: the change says nothing of what was before.
    pub account: Option<BareJid>,
}

impl VersionedChange {
    /// Where it is kept: as many as there may be have places of their own, and one more takes that of the oldest.
    pub fn place(&self) -> u8 {
        (self.all % CHANGES_MAX as u64) as u8
    }

    fn version(&self, lists: Lists) -> u64 {
        match lists {
            Lists::Affiliated => self.affiliated,
            Lists::All => self.all,
        }
    }

    fn is_of(&self, lists: Lists) -> bool {
        lists == Lists::All || self.is_of_affiliated
    }
}

/// The newest changes, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions {
    changes: VecDeque<VersionedChange>,
}

impl Versions {
    /// What the store has, in any order.
    pub fn restore(mut changes: Vec<VersionedChange>) -> Versions {
        changes.sort_by_key(|change| change.all);
        Versions { changes: changes.into() }
    }

    /// Whether anybody ever asked for a version.
    pub fn are_kept(&self) -> bool {
        !self.changes.is_empty()
    }

    /// The current version; 0 where none is kept.
    pub fn current(&self, lists: Lists) -> u64 {
        self.changes.back().map_or(0, |change| change.version(lists))
    }

    /// The changes as they are kept.
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = &VersionedChange> {
        self.changes.iter()
    }

    /// The next change. Versions begin with the time, so that none comes twice, also after a backup was restored.
    pub fn next(&self, account: Option<BareJid>, is_of_affiliated: bool, now_ms: u64) -> VersionedChange {
        let (all, affiliated) = self.changes.back().map_or((now_ms, now_ms), |it| (it.all, it.affiliated));
        VersionedChange {
            all: all + 1,
            affiliated: affiliated + u64::from(is_of_affiliated),
            is_of_affiliated,
            account,
        }
    }

    /// Puts one more down.
    pub fn note(&mut self, change: VersionedChange) {
        if self.changes.len() >= CHANGES_MAX {
            self.changes.pop_front();
        }
        self.changes.push_back(change);
    }

    /// Whose affiliations are others than in a version. `None` where that is unknown.
    pub fn changed_since(&self, lists: Lists, version: u64) -> Option<BTreeSet<&BareJid>> {
        let mut later = self.changes.iter().filter(|change| change.is_of(lists) && change.version(lists) > version);
        let before_all = self.changes.front().map(|first| first.version(lists) - u64::from(first.is_of(lists)));
        let is_known = version <= self.current(lists) && before_all.is_some_and(|first| version >= first);
        let accounts = later.try_fold(BTreeSet::new(), |mut accounts, change| {
            accounts.insert(change.account.as_ref()?);
            Some(accounts)
        });
        accounts.filter(|_| is_known)
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let accounts = self.changes.iter().flat_map(|change| &change.account).map(|account| account.as_str().len());
        self.changes.len() * size_of::<VersionedChange>() + accounts.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(n: usize) -> BareJid {
        BareJid::new(&format!("p{n}@h")).unwrap()
    }

    fn noted(versions: &mut Versions, n: usize, is_of_affiliated: bool) -> VersionedChange {
        let change = versions.next(Some(jid(n)), is_of_affiliated, 1000);
        versions.note(change.clone());
        change
    }

    #[test]
    fn what_changed_since_a_version_is_known_as_long_as_it_is_kept() {
        let mut versions = Versions::default();
        assert_eq!((versions.are_kept(), versions.changed_since(Lists::All, 0)), (false, None));
        versions.note(versions.next(None, true, 1000));
        assert_eq!(versions.current(Lists::All), 1001);
        let (one, _, three) =
            (noted(&mut versions, 1, true), noted(&mut versions, 2, false), noted(&mut versions, 1, true));
        let since = |lists, version| versions.changed_since(lists, version);
        assert_eq!(since(Lists::All, 1001), Some(BTreeSet::from([&jid(1), &jid(2)])));
        assert_eq!(since(Lists::All, one.all), Some(BTreeSet::from([&jid(1), &jid(2)])));
        assert_eq!(since(Lists::Affiliated, one.affiliated), Some(BTreeSet::from([&jid(1)])));
        assert_eq!(since(Lists::Affiliated, three.affiliated), Some(BTreeSet::new()));
        assert_eq!((since(Lists::All, 1000), since(Lists::All, three.all + 1)), (None, None));
        for n in 0..CHANGES_MAX {
            noted(&mut versions, n, true);
        }
        assert_eq!(versions.changed_since(Lists::All, three.all).map(|changed| changed.len()), Some(CHANGES_MAX));
        assert_eq!(versions.changed_since(Lists::All, three.all - 1), None);
        let places: BTreeSet<u8> = versions.changes().map(VersionedChange::place).collect();
        assert_eq!((places.len(), versions.changes().count()), (CHANGES_MAX, CHANGES_MAX));
        assert_eq!(Versions::restore(versions.changes().rev().cloned().collect()), versions);
    }

    #[test]
    fn a_ban_makes_no_version_for_those_who_do_not_read_of_bans() {
        let mut versions = Versions::default();
        versions.note(versions.next(None, true, 1000));
        let before = versions.current(Lists::Affiliated);
        noted(&mut versions, 1, false);
        assert_eq!(versions.current(Lists::Affiliated), before);
        assert_eq!(versions.changed_since(Lists::Affiliated, before), Some(BTreeSet::new()));
    }
}
