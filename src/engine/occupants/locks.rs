//! XEP-0045 §10.1: rooms that nobody but their creators finds or enters, until these settle what they are.
//!
//! A room whose form was asked for is destroyed if nothing comes of it, any other one opens as it is. None of it is stored: after
//! a restart rooms are open.

use crate::channel::ChannelName;
use crate::engine::share::{OwnDomains, Shares};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Rooms that are locked.
const LOCKS_MAX: usize = 10_000;
/// How long a room waits for its creator, in milliseconds.
const WAITS_MS: u64 = 60_000;
/// How long it waits once its form was asked for.
const FILLS_MS: u64 = 15 * 60_000;

/// A locked room.
#[derive(Debug)]
pub struct Lock {
    /// The channel's tag.
    pub tag: u64,
    /// Who created it.
    pub creator: BareJid,
    /// Whether its form was asked for.
    pub is_asked: bool,
    from_ms: u64,
    until_ms: u64,
}

/// A locked room, as the next process knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownLock {
    /// Its name.
    pub name: ChannelName,
    /// The channel's tag.
    pub tag: u64,
    creator: BareJid,
    is_asked: bool,
    from_ms: u64,
}

/// All locked rooms.
pub struct Locks {
    by_name: BTreeMap<ChannelName, Lock>,
    by_time: BTreeSet<(u64, ChannelName)>,
    /// The same, of each creator.
    by_creator: BTreeMap<BareJid, BTreeSet<(u64, ChannelName)>>,
    pub(super) shares: Shares<BareJid>,
}

impl Locks {
    /// None is locked.
    pub fn new(own_domains: &OwnDomains) -> Locks {
        let shares = Shares::new("locked rooms", LOCKS_MAX, own_domains.clone());
        Locks { by_name: BTreeMap::new(), by_time: BTreeSet::new(), by_creator: BTreeMap::new(), shares }
    }

    /// All of them, oldest first.
    pub fn known(&self) -> Vec<KnownLock> {
        let locks = self.by_time.iter().filter_map(|(_, name)| Some((name, self.by_name.get(name)?)));
        let known = locks.map(|(name, lock)| KnownLock {
            name: name.clone(),
            tag: lock.tag,
            creator: lock.creator.clone(),
            is_asked: lock.is_asked,
            from_ms: lock.from_ms,
        });
        known.collect()
    }

    /// An earlier process knew this one.
    pub fn know(&mut self, known: KnownLock) {
        let KnownLock { name, tag, creator, is_asked, from_ms } = known;
        // Without room it is open, as after any other start.
        if self.lock(&name, (tag, &creator), from_ms).is_ok() && is_asked {
            self.note_asked(&name);
        }
    }

    /// The lock of a room.
    pub fn of(&self, name: &ChannelName) -> Option<&Lock> {
        self.by_name.get(name)
    }

    /// Locks a room. Where there are too many, the oldest of whoever has most is opened: these.
    ///
    /// # Errors
    /// There are too many, and its creator has most of them.
    pub fn lock(
        &mut self,
        name: &ChannelName,
        (tag, creator): (u64, &BareJid),
        now_ms: u64,
    ) -> Result<Vec<ChannelName>, ()> {
        let mut opened = Vec::new();
        while let Err(full) = self.shares.take(creator, 1) {
            let crate::engine::share::Full::Of(loser) = full else { return Err(()) };
            let oldest = self.by_creator.get(&loser).and_then(|of_loser| of_loser.first());
            let Some((_, oldest)) = oldest.cloned() else { return Err(()) };
            self.end(&oldest);
            opened.push(oldest);
        }
        let until_ms = now_ms + WAITS_MS;
        self.put(name, Lock { tag, creator: creator.clone(), is_asked: false, from_ms: now_ms, until_ms });
        Ok(opened)
    }

    fn put(&mut self, name: &ChannelName, lock: Lock) {
        let of_creator = self.by_creator.entry(lock.creator.clone()).or_default();
        of_creator.insert((lock.until_ms, name.clone()));
        self.by_time.insert((lock.until_ms, name.clone()));
        self.by_name.insert(name.clone(), lock);
    }

    fn take(&mut self, name: &ChannelName) -> Option<Lock> {
        let lock = self.by_name.remove(name)?;
        let entry = (lock.until_ms, name.clone());
        self.by_time.remove(&entry);
        if let Some(of_creator) = self.by_creator.get_mut(&lock.creator) {
            of_creator.remove(&entry);
            if of_creator.is_empty() {
                self.by_creator.remove(&lock.creator);
            }
        }
        Some(lock)
    }

    /// The form of a room was asked for.
    pub fn note_asked(&mut self, name: &ChannelName) {
        if self.of(name).is_some_and(|lock| !lock.is_asked)
            && let Some(lock) = self.take(name)
        {
            self.put(name, Lock { is_asked: true, until_ms: lock.from_ms + FILLS_MS, ..lock });
        }
    }

    /// A room is locked no more; whether it was.
    pub fn end(&mut self, name: &ChannelName) -> bool {
        let Some(lock) = self.take(name) else { return false };
        self.shares.give_back(&lock.creator, 1);
        true
    }

    /// Whether nothing came of a room in time.
    pub fn is_over(&self, name: &ChannelName, now_ms: u64) -> bool {
        self.of(name).is_some_and(|lock| lock.until_ms <= now_ms)
    }

    /// Rooms of which nothing came in time.
    pub fn over(&self, now_ms: u64) -> Vec<ChannelName> {
        self.by_time.iter().take_while(|(until_ms, _)| *until_ms <= now_ms).map(|(_, name)| name.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_domain_leaves_locks_to_others() {
        let jid = |text: &str| BareJid::new(text).unwrap();
        let name = |n: usize| ChannelName::new(&format!("r{n}")).unwrap();
        let mut locks = Locks::new(&OwnDomains::default());
        for n in 0..LOCKS_MAX {
            assert_eq!(
                locks.lock(&name(n), (n as u64, &jid(&format!("a{n}@flood.example"))), n as u64),
                Ok(Vec::new())
            );
        }
        assert_eq!(locks.lock(&name(LOCKS_MAX), (0, &jid("b@flood.example")), 0), Err(()));
        let opened = locks.lock(&name(LOCKS_MAX), (0, &jid("a@other.example")), 0).unwrap();
        assert_eq!(opened.len(), 1);
        // What is kept of each creator goes with its last lock.
        assert_eq!(
            (locks.by_name.len(), locks.by_time.len(), locks.by_creator.len()),
            (LOCKS_MAX, LOCKS_MAX, LOCKS_MAX)
        );
        assert!(locks.of(&opened[0]).is_none() && locks.of(&name(LOCKS_MAX)).is_some());
    }

    #[test]
    fn a_room_waits_longer_once_its_form_was_asked_for() {
        let (name, who) = (ChannelName::new("r").unwrap(), BareJid::new("a@h").unwrap());
        let mut locks = Locks::new(&OwnDomains::default());
        locks.lock(&name, (1, &who), 1000).unwrap();
        assert!(locks.over(1000 + WAITS_MS - 1).is_empty() && locks.over(1000 + WAITS_MS) == [name.clone()]);
        locks.note_asked(&name);
        assert!(!locks.is_over(&name, 1000 + FILLS_MS - 1) && locks.is_over(&name, 1000 + FILLS_MS));
        assert!(locks.end(&name) && !locks.end(&name) && locks.over(u64::MAX).is_empty());
    }
}
