//! Names of destroyed channels, which are their former owners' for a while. All are in memory, bounded in shares.

use super::super::share::{Full, Hit, OwnDomains, Shares};
use crate::channel::{AccountMark, ChannelName, GoneChannel, Stamp};
use jid::{BareJid, FullJid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is kept of destroyed channels, in bytes.
const BYTES_MAX: usize = 32 << 20;
/// Each counts for this much at least, so that there are no more than 32,768.
const BYTES_MIN: usize = 1024;
/// How long an owner that was told that its room is gone may create it by entering again, in milliseconds.
const ASKED_MS: u64 = 60_000;
/// Owners that were told of late.
const ASKED_MAX: usize = 1000;

/// What was left of channels before, by name.
pub type GonePast = (ChannelName, Option<Arc<GoneChannel>>);

/// All names that are held.
pub struct GoneChannels {
    by_name: BTreeMap<ChannelName, Arc<GoneChannel>>,
    by_time: BTreeSet<(Stamp, ChannelName)>,
    by_creator: BTreeMap<BareJid, BTreeSet<(Stamp, ChannelName)>>,
    by_tag: BTreeMap<u64, ChannelName>,
    /// The tags of channels that know each account.
    by_mark: BTreeSet<(AccountMark, u64)>,
    shares: Shares<BareJid>,
    /// Owners whose clients were told that a room is gone, and when, in steady time.
    asked: BTreeMap<(ChannelName, FullJid), u64>,
}

impl GoneChannels {
    /// What the store has.
    pub fn restore(saved: Vec<GoneChannel>, own_domains: &OwnDomains) -> GoneChannels {
        let mut all = GoneChannels {
            by_name: BTreeMap::new(),
            by_time: BTreeSet::new(),
            by_creator: BTreeMap::new(),
            by_tag: BTreeMap::new(),
            by_mark: BTreeSet::new(),
            shares: Shares::new("names of destroyed channels", BYTES_MAX, own_domains.clone()),
            asked: BTreeMap::new(),
        };
        saved.into_iter().for_each(|gone| all.put(Arc::new(gone)));
        all
    }

    /// What is left under a name that is held at this time.
    pub fn of(&self, name: &ChannelName, due: Stamp) -> Option<&Arc<GoneChannel>> {
        self.by_name.get(name).filter(|gone| gone.holds(due))
    }

    /// Makes room for one more: the oldest names of whoever has most are free. Returns which, with what was left under them, and
    /// whether there is room.
    pub fn make_room(&mut self, gone: &GoneChannel) -> (Vec<GonePast>, bool) {
        let mut freed = Vec::new();
        loop {
            let loser = match self.shares.take(&gone.creator, weight(gone)) {
                Ok(()) => {
                    self.shares.give_back(&gone.creator, weight(gone));
                    return (freed, true);
                }
                Err(Full::Own) => gone.creator.clone(),
                Err(Full::Of(loser)) => loser,
            };
            let oldest = self.by_creator.get(&loser).and_then(BTreeSet::first).cloned();
            let Some((_, oldest)) = oldest else { return (freed, false) };
            let past = self.take(&oldest);
            freed.push((oldest, past));
        }
    }

    /// Sets what is left under a name. Returns what was left before.
    pub fn set(&mut self, name: &ChannelName, gone: Option<Arc<GoneChannel>>) -> Option<Arc<GoneChannel>> {
        let past = self.take(name);
        gone.into_iter().for_each(|gone| self.put(gone));
        past
    }

    fn put(&mut self, gone: Arc<GoneChannel>) {
        let entry = (gone.until, gone.name.clone());
        self.by_time.insert(entry.clone());
        self.by_creator.entry(gone.creator.clone()).or_default().insert(entry);
        self.by_tag.insert(gone.tag, gone.name.clone());
        self.by_mark.extend(gone.marks().map(|mark| (mark, gone.tag)));
        self.shares.count(&gone.creator, weight(&gone));
        self.by_name.insert(gone.name.clone(), gone);
    }

    fn take(&mut self, name: &ChannelName) -> Option<Arc<GoneChannel>> {
        let gone = self.by_name.remove(name)?;
        let entry = (gone.until, name.clone());
        self.by_time.remove(&entry);
        if let Some(of_creator) = self.by_creator.get_mut(&gone.creator) {
            of_creator.remove(&entry);
            if of_creator.is_empty() {
                self.by_creator.remove(&gone.creator);
            }
        }
        self.by_tag.remove(&gone.tag);
        for mark in gone.marks() {
            self.by_mark.remove(&(mark, gone.tag));
        }
        self.shares.give_back(&gone.creator, weight(&gone));
        Some(gone)
    }

    /// Up to `count` names that are free by now.
    pub fn over(&self, due: Stamp, count: usize) -> Vec<ChannelName> {
        let over = self.by_time.iter().take_while(|(until, _)| *until <= due);
        over.take(count).map(|(_, name)| name.clone()).collect()
    }

    /// Up to `count` names of channels that an account created or was in.
    pub fn naming(&self, account: &BareJid, mark: AccountMark, count: usize) -> Vec<ChannelName> {
        let known = self.by_mark.range((mark, 0)..=(mark, u64::MAX)).filter_map(|(_, tag)| self.by_tag.get(tag));
        let created = self.by_creator.get(account).into_iter().flatten().map(|(_, name)| name);
        let names: BTreeSet<&ChannelName> = known.take(count).chain(created.take(count)).collect();
        names.into_iter().take(count).cloned().collect()
    }

    /// A client of an owner asks for the room; whether it asked a moment ago as well. So a client that enters rooms by
    /// itself brings none back, and its user can.
    pub fn asks_again(&mut self, name: &ChannelName, full: &FullJid, now_ms: u64) -> bool {
        self.asked.retain(|_, at_ms| now_ms < *at_ms + ASKED_MS);
        let key = (name.clone(), full.clone());
        let again = self.asked.remove(&key).is_some();
        if !again {
            if self.asked.len() >= ASKED_MAX {
                let oldest = self.asked.iter().min_by_key(|(_, at_ms)| **at_ms).map(|(key, _)| key.clone());
                oldest.and_then(|key| self.asked.remove(&key));
            }
            self.asked.insert(key, now_ms);
        }
        again
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }
}

/// What it counts for.
fn weight(gone: &GoneChannel) -> usize {
    gone.bytes().max(BYTES_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(n: usize, creator: &str) -> GoneChannel {
        GoneChannel {
            name: ChannelName::new(&format!("r{n}")).unwrap(),
            tag: n as u64,
            creator: BareJid::new(creator).unwrap(),
            until: Stamp(n as u64),
            is_open: false,
            owners: vec![AccountMark(7)],
            people: vec![AccountMark(7), AccountMark(n as u64)],
            reason: None,
            venue: None,
        }
    }

    #[test]
    fn one_domain_leaves_names_to_others_and_its_oldest_are_free_first() {
        let mut all = GoneChannels::restore(Vec::new(), &OwnDomains::default());
        let held = BYTES_MAX / weight(&gone(0, "a@flood.example"));
        for n in 0..held {
            all.set(&gone(n, "a@flood.example").name, Some(Arc::new(gone(n, "a@flood.example"))));
        }
        let freed = |n| {
            let oldest = gone(n, "a@flood.example");
            (vec![(oldest.name.clone(), Some(Arc::new(oldest)))], true)
        };
        assert_eq!(all.make_room(&gone(held, "a@flood.example")), freed(0));
        all.set(&gone(held, "a@flood.example").name, Some(Arc::new(gone(held, "a@flood.example"))));
        assert_eq!(all.make_room(&gone(held + 1, "a@other.example")), freed(1));
        assert_eq!(all.hits().map(|hit| hit.count).sum::<u64>(), 2);
    }

    #[test]
    fn what_is_taken_leaves_nothing_in_an_index() {
        let mut all =
            GoneChannels::restore(vec![gone(1, "a@x.example"), gone(2, "b@x.example")], &OwnDomains::default());
        let names =
            |all: &GoneChannels, who: &str, mark| all.naming(&BareJid::new(who).unwrap(), AccountMark(mark), 9).len();
        assert_eq!(
            (names(&all, "c@x.example", 7), names(&all, "a@x.example", 5), names(&all, "a@x.example", 7)),
            (2, 1, 2)
        );
        assert!(all.of(&gone(2, "b@x.example").name, Stamp(1)).is_some());
        assert_eq!(all.over(Stamp(1), 9), [gone(1, "b@x.example").name]);
        for n in [1, 2] {
            all.set(&gone(n, "b@x.example").name, None);
        }
        assert!(
            all.by_mark.is_empty() && all.by_time.is_empty() && all.by_creator.is_empty() && all.by_name.is_empty()
        );
        assert_eq!(all.shares.held(), 0);
    }

    #[test]
    fn an_owner_asks_twice_within_a_minute() {
        let mut all = GoneChannels::restore(Vec::new(), &OwnDomains::default());
        let (name, full) = (gone(1, "a@x.example").name, |text: &str| FullJid::new(text).unwrap());
        assert!(!all.asks_again(&name, &full("a@x/1"), 0) && !all.asks_again(&name, &full("a@x/2"), 1));
        assert!(all.asks_again(&name, &full("a@x/1"), 2) && !all.asks_again(&name, &full("a@x/1"), 3));
        assert!(!all.asks_again(&name, &full("a@x/2"), 1 + ASKED_MS));
    }
}
