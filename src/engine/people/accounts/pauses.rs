//! Channels that are not sent to a client, or to a home server, since what they sent there came back though somebody is
//! there: mostly one that is blocked (XEP-0191). A pause is of one channel and one account; it is over when the account
//! speaks there, or after a day.
//!
//! Bounded: where there is no room, somebody's oldest pause is over, and costs a bounce.

use crate::channel::Stamp;
use crate::engine::fairness::pool::{Pool, Put};
use crate::engine::share::OwnDomains;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// Resources of one account that are followed.
pub(super) const RESOURCES_MAX: usize = 32;
/// How long one lasts, in milliseconds.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// Pauses of all accounts.
const PAUSES_MAX: usize = 20_000;
/// Pauses of one account. Whoever has more at its bare JID did not block channels one by one.
const OWN_MAX: usize = 100;
/// Pauses that end in one go.
const ENDED_MAX: usize = 1000;

/// Where one channel is not sent to one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pause {
    since: Stamp,
    /// It came back from the bare JID, so it is sent to resources instead: the home server may take no such traffic. From
    /// whoever blocks the channel it comes back there as well.
    moved: bool,
    /// The client that it came back from, where the home server had handed it to one.
    mover: Option<String>,
    resources: BTreeSet<String>,
}

impl Pause {
    /// Whether the channel is sent to resources though the account is reached at its bare JID.
    pub(super) fn is_moved(&self) -> bool {
        self.moved
    }

    /// Whether the channel is sent to a resource, where it goes to resources.
    pub(super) fn lets(&self, resource: &str) -> bool {
        !self.resources.contains(resource)
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pauses {
    of: BTreeMap<BareJid, BTreeMap<u64, Pause>>,
    pub(super) room: Pool<BareJid, (Stamp, BareJid, u64)>,
}

/// What came of a pause that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paused {
    /// Nothing: there is no room.
    Not,
    /// It is in force, and that of this account went for it.
    For(Option<BareJid>),
    /// The account is not reached at its bare JID at all.
    Everywhere,
}

impl Pauses {
    /// None yet.
    pub(super) fn new(own_domains: OwnDomains) -> Pauses {
        Pauses { of: BTreeMap::new(), room: Pool::new("paused channels", PAUSES_MAX, own_domains) }
    }

    /// Those of one account, by the tags of channels.
    pub(super) fn of(&self, account: &BareJid) -> Option<&BTreeMap<u64, Pause>> {
        self.of.get(account)
    }

    /// A channel is not sent to an account any more: at a resource, or at its bare JID.
    pub(super) fn begin(&mut self, account: &BareJid, resource: Option<&str>, tag: u64, now: Stamp) -> Paused {
        let own = self.of.get(account);
        let is_known = own.is_some_and(|own| own.contains_key(&tag));
        let mut gone = None;
        if !is_known {
            if own.map_or(0, BTreeMap::len) >= OWN_MAX {
                return if resource.is_none() { Paused::Everywhere } else { Paused::Not };
            }
            match self.room.put(account, (now, account.clone(), tag)) {
                Put::In => {}
                Put::For((_, loser, tag)) => {
                    self.forget(&loser, tag);
                    gone = Some(loser);
                }
                Put::Refused => return Paused::Not,
            }
        }
        let pause = self.of.entry(account.clone()).or_default().entry(tag);
        let pause = pause.or_insert_with(|| Pause { since: now, ..Pause::default() });
        match resource {
            None => (pause.moved, pause.mover) = (true, None),
            Some(resource) if pause.resources.len() < RESOURCES_MAX => {
                pause.resources.insert(resource.to_owned());
            }
            Some(_) => return Paused::Not,
        }
        Paused::For(gone)
    }

    /// An account speaks in a channel, by one of its resources, or its home server joins it there; whether that changes
    /// anything.
    pub(super) fn end(&mut self, account: &BareJid, resource: Option<&str>, tag: u64) -> bool {
        let Some(pause) = self.of.get_mut(account).and_then(|own| own.get_mut(&tag)) else { return false };
        let before = pause.clone();
        match resource {
            None => (pause.moved, pause.mover) = (false, None),
            // It was blocked, and is no more: that says nothing against the bare JID.
            Some(resource) if pause.resources.remove(resource) => (pause.moved, pause.mover) = (false, None),
            Some(_) => {}
        }
        let is_changed = *pause != before;
        self.drop_idle(account, tag);
        is_changed
    }

    /// What a resource of an account is not sent it is sent again. Where that one is gone, what goes to resources because of it
    /// goes to the bare JID. Whether that changes anything.
    pub(super) fn end_all(&mut self, account: &BareJid, resource: &str, is_gone: bool) -> bool {
        let own = self.of.get_mut(account).into_iter().flatten();
        let ended = own.filter_map(|(tag, pause)| {
            let is_let = pause.resources.remove(resource);
            // Other clients have the channel meanwhile: what one that is still there says of itself does not end that.
            let is_back = is_gone && pause.mover.as_deref() == Some(resource);
            if is_let || is_back {
                (pause.moved, pause.mover) = (false, None);
            }
            (is_let || is_back).then_some(*tag)
        });
        let ended: Vec<u64> = ended.collect();
        ended.iter().for_each(|tag| self.drop_idle(account, *tag));
        !ended.is_empty()
    }

    /// That a channel does not go to the bare JID is because of this client.
    pub(super) fn note_mover(&mut self, account: &BareJid, resource: &str, tag: u64) {
        if let Some(pause) = self.of.get_mut(account).and_then(|own| own.get_mut(&tag)) {
            pause.mover = Some(resource.to_owned());
        }
    }

    fn drop_idle(&mut self, account: &BareJid, tag: u64) {
        let pause = self.of.get(account).and_then(|own| own.get(&tag));
        let idle = pause.filter(|pause| !pause.moved && pause.resources.is_empty());
        if let Some(since) = idle.map(|pause| pause.since) {
            self.room.take(&(since, account.clone(), tag));
            self.forget(account, tag);
        }
    }

    /// Ends what is paused since a day; whose that was.
    pub(super) fn expire(&mut self, now: Stamp) -> Vec<BareJid> {
        let is_over = |(since, ..): &&(Stamp, BareJid, u64)| now.0.saturating_sub(since.0) >= DAY_MS;
        let over: Vec<_> = self.room.iter().take(ENDED_MAX).take_while(is_over).cloned().collect();
        let ended = over.into_iter().map(|pause| {
            self.room.take(&pause);
            let (_, account, tag) = pause;
            self.forget(&account, tag);
            account
        });
        ended.collect()
    }

    fn forget(&mut self, account: &BareJid, tag: u64) {
        let Some(own) = self.of.get_mut(account) else { return };
        own.remove(&tag);
        if own.is_empty() {
            self.of.remove(account);
        }
    }
}

impl Default for Pauses {
    fn default() -> Pauses {
        Pauses::new(OwnDomains::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses() -> Pauses {
        Pauses::new(OwnDomains::new(["h".to_owned()]))
    }

    fn jid(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    #[test]
    fn a_pause_is_of_one_channel_and_one_resource_and_ends() {
        let (mut pauses, a) = (pauses(), jid("a@h"));
        assert_eq!(pauses.begin(&a, Some("r"), 1, Stamp(0)), Paused::For(None));
        assert_eq!(pauses.begin(&a, None, 2, Stamp(5)), Paused::For(None));
        let lets = |pauses: &Pauses, tag| {
            let pause = pauses.of(&a).and_then(|own| own.get(&tag));
            pause.map(|it| (it.lets("r"), it.is_moved()))
        };
        assert_eq!([1, 2, 3].map(|tag| lets(&pauses, tag)), [Some((false, false)), Some((true, true)), None]);
        assert!(!pauses.end(&a, Some("r"), 3) && pauses.end(&a, Some("r"), 1) && lets(&pauses, 1).is_none());
        // Whoever speaks there while it takes the channel at a resource blocks nothing: the home server takes no such traffic.
        assert!(!pauses.end(&a, Some("r"), 2) && lets(&pauses, 2) == Some((true, true)));
        pauses.begin(&a, Some("r"), 2, Stamp(6));
        assert!(lets(&pauses, 2) == Some((false, true)) && pauses.end(&a, Some("r"), 2) && lets(&pauses, 2).is_none());
        assert_eq!(pauses.begin(&a, None, 2, Stamp(5)), Paused::For(None));
        assert_eq!((pauses.expire(Stamp(4 + DAY_MS)), pauses.expire(Stamp(5 + DAY_MS))), (vec![], vec![a]));
        assert!(pauses.of.is_empty() && pauses.room.len() == 0);
    }

    #[test]
    fn what_goes_to_resources_because_of_one_client_goes_to_the_bare_jid_when_that_one_is_gone() {
        let (mut pauses, a) = (pauses(), jid("a@h"));
        let is_moved = |pauses: &Pauses, tag| pauses.of(&a).and_then(|own| own.get(&tag)).is_some_and(Pause::is_moved);
        // One came back from a client, one from the bare JID, one from the bare JID and then from the client.
        (1..4).for_each(|tag| drop(pauses.begin(&a, None, tag, Stamp(0))));
        pauses.note_mover(&a, "r", 1);
        pauses.begin(&a, Some("r"), 3, Stamp(0));
        assert!(!pauses.end_all(&a, "other", true) && (1..4).all(|tag| is_moved(&pauses, tag)));
        // What it says of itself while it is there changes nothing for the others.
        assert!(pauses.end_all(&a, "r", false));
        assert_eq!([1, 2, 3].map(|tag| is_moved(&pauses, tag)), [true, true, false]);
        assert!(pauses.end_all(&a, "r", true));
        assert_eq!([1, 2, 3].map(|tag| is_moved(&pauses, tag)), [false, true, false]);
        assert_eq!(pauses.room.len(), 1);
    }

    #[test]
    fn there_is_room_for_so_many_of_one_account() {
        let (mut pauses, a) = (pauses(), jid("a@h"));
        (0..OWN_MAX as u64).for_each(|tag| assert_eq!(pauses.begin(&a, None, tag, Stamp(0)), Paused::For(None)));
        assert_eq!(pauses.begin(&a, None, 1000, Stamp(0)), Paused::Everywhere);
        assert_eq!(pauses.begin(&a, Some("r"), 1000, Stamp(0)), Paused::Not);
        assert_eq!(pauses.begin(&a, Some("r"), 0, Stamp(0)), Paused::For(None));
    }

    #[test]
    fn where_there_is_no_room_whoever_has_most_loses_its_first() {
        let mut pauses = pauses();
        for n in 0..PAUSES_MAX {
            pauses.begin(&jid(&format!("a{}@away", n / 50)), None, n as u64, Stamp(n as u64));
        }
        let one = pauses.begin(&jid("b@h"), None, 1, Stamp(0));
        assert!(matches!(one, Paused::For(Some(loser)) if loser.domain().as_str() == "away"));
        assert_eq!(pauses.room.len(), PAUSES_MAX);
    }
}
