//! Pauses: a channel sends nothing to a client or home server from which its messages bounce although somebody is
//! there. Mostly the channel is blocked there (XEP-0191). A pause concerns one channel and one account. It ends when
//! the account speaks in the channel, or after a day.
//!
//! The number of pauses is bounded. Beyond it, the account with the most loses its oldest pause, at the cost of a
//! bounce.

use crate::channel::Stamp;
use crate::engine::fairness::pool::{Pool, Put};
use crate::engine::share::OwnDomains;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// The most paused resources in one pause.
pub(super) const RESOURCES_MAX: usize = 32;
/// How long a pause lasts, in milliseconds.
const DAY_MS: u64 = 24 * 3600 * 1000;
/// The most pauses of all accounts.
const PAUSES_MAX: usize = 20_000;
/// The most pauses of one account. With more at its bare JID, the home server takes no MIX traffic at all.
const OWN_MAX: usize = 100;
/// The most pauses that end at once.
const ENDED_MAX: usize = 1000;

/// The pause of one channel for one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pause {
    since: Stamp,
    /// A message to the bare JID bounced, so the channel sends to resources: the home server may not take MIX traffic.
    /// If the account blocks the channel, those bounce too.
    moved: bool,
    /// The client that bounced the message, if the home server had delivered it to one.
    mover: Option<String>,
    resources: BTreeSet<String>,
}

impl Pause {
    /// Whether the channel sends to resources although the account is reached at its bare JID.
    pub(super) fn is_moved(&self) -> bool {
        self.moved
    }

    /// Whether the channel sends to this resource, if it sends to resources.
    pub(super) fn lets(&self, resource: &str) -> bool {
        !self.resources.contains(resource)
    }
}

/// All pauses.
#[derive(Debug)]
pub(super) struct Pauses {
    of: BTreeMap<BareJid, BTreeMap<u64, Pause>>,
    pub(super) room: Pool<BareJid, (Stamp, BareJid, u64)>,
}

/// The result of beginning a pause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Paused {
    /// There is no room.
    Not,
    /// It began. The given account lost its oldest pause for it.
    For(Option<BareJid>),
    /// The account cannot be reached at its bare JID at all.
    Everywhere,
}

impl Pauses {
    /// No pauses.
    pub(super) fn new(own_domains: OwnDomains) -> Pauses {
        Pauses { of: BTreeMap::new(), room: Pool::new("paused channels", PAUSES_MAX, own_domains) }
    }

    /// The pauses of one account, by the channels' tags.
    pub(super) fn of(&self, account: &BareJid) -> Option<&BTreeMap<u64, Pause>> {
        self.of.get(account)
    }

    /// Begins a pause for a resource, or for the bare JID (`None`).
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

    /// Ends a pause, because the account speaks in the channel with this resource, or its home server joins it
    /// (`None`). Returns whether anything changed.
    pub(super) fn end(&mut self, account: &BareJid, resource: Option<&str>, tag: u64) -> bool {
        let Some(pause) = self.of.get_mut(account).and_then(|own| own.get_mut(&tag)) else { return false };
        let before = pause.clone();
        match resource {
            None => (pause.moved, pause.mover) = (false, None),
            // This resource had blocked the channel. The bounce said nothing about the bare JID.
            Some(resource) if pause.resources.remove(resource) => (pause.moved, pause.mover) = (false, None),
            Some(_) => {}
        }
        let is_changed = *pause != before;
        self.drop_idle(account, tag);
        is_changed
    }

    /// Ends all pauses of a resource. If it is gone, channels that moved to resources because of it send to the bare
    /// JID again. Returns whether anything changed.
    pub(super) fn end_all(&mut self, account: &BareJid, resource: &str, is_gone: bool) -> bool {
        let own = self.of.get_mut(account).into_iter().flatten();
        let ended = own.filter_map(|(tag, pause)| {
            let is_let = pause.resources.remove(resource);
            // Other clients get the channel at their resources meanwhile, so presence of this one does not end that.
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

    /// Notes the client because of which a channel does not send to the bare JID.
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

    /// Ends pauses that have lasted a day. Returns their accounts.
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
        // The account speaks while it gets the channel at a resource. It blocks nothing, so its home server does not
        // take MIX traffic.
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
        // Bounces: 1 from a client, 2 from the bare JID, 3 from the bare JID and then the client.
        (1..4).for_each(|tag| drop(pauses.begin(&a, None, tag, Stamp(0))));
        pauses.note_mover(&a, "r", 1);
        pauses.begin(&a, Some("r"), 3, Stamp(0));
        assert!(!pauses.end_all(&a, "other", true) && (1..4).all(|tag| is_moved(&pauses, tag)));
        // Presence of the client changes nothing for the others.
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
