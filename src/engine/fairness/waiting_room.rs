//! Room for what waits in order of arrival, with a share for each account and domain. If it is full, the account with
//! the most loses its newest.
//!
//! Bytes are counted. Each thing counts at least `least`, which bounds the number of things, too. The things themselves
//! are kept elsewhere, by number.

use super::super::Inbound;
use super::super::share::{Full, Hit, OwnDomains, Shares};
use crate::xep::delegation;
use crate::xmpp::Stanza;
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};

/// The service's own things may take 1 / `OWN_PART` of all bytes, in addition to what accounts hold.
const OWN_PART: usize = 8;

/// Shares of what waits.
#[derive(Clone, Debug)]
pub struct WaitingRoom {
    shares: Shares<BareJid>,
    /// The least that a thing counts, in bytes.
    least: usize,
    /// What each account has waiting, by number, with the bytes that count.
    waiting: HashMap<BareJid, BTreeMap<u64, usize>>,
    /// The bytes of the service's own things.
    own: usize,
}

/// There is no room, and the asker has the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl WaitingRoom {
    /// Room for `items_max` things and `bytes_max` bytes. `what` names them in the log and in metrics.
    pub fn new(what: &'static str, (items_max, bytes_max): (usize, usize), own_domains: OwnDomains) -> WaitingRoom {
        // Keeps sums from overflowing.
        let bytes_max = bytes_max.min(usize::MAX / 4);
        let least = bytes_max / items_max.max(1);
        WaitingRoom { shares: Shares::new(what, bytes_max, own_domains), least, waiting: HashMap::new(), own: 0 }
    }

    /// Whether `bytes` fit without anything giving way.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.shares.held() == 0 || self.shares.held().saturating_add(bytes.max(self.least)) <= self.shares.max()
    }

    /// Whether an account may add `bytes`, possibly by having others give way. A negative answer counts as a hit.
    pub fn may_enter(&mut self, who: &BareJid, bytes: usize) -> bool {
        let may = self.has_room(bytes) || self.shares.may_take(who, bytes.max(self.least));
        if !may {
            self.shares.hit(who.domain().as_str());
        }
        may
    }

    /// Adds a thing under a fresh number. Returns the numbers of those that gave way. Into an empty room any thing
    /// fits.
    ///
    /// # Errors
    /// [`NoRoom`], with nothing changed.
    pub fn enter(&mut self, who: &BareJid, number: u64, bytes: usize) -> Result<Vec<u64>, NoRoom> {
        let amount = bytes.max(self.least);
        let mut gone = Vec::new();
        while !self.has_room(bytes) {
            let full = self.shares.take(who, amount);
            let newest = match full {
                Ok(()) => {
                    self.shares.give_back(who, amount);
                    break;
                }
                Err(Full::Own) => None,
                Err(Full::Of(loser)) => self.newest_of(&loser).map(|(number, amount)| (loser, number, amount)),
            };
            let Some((loser, number, amount)) = newest else {
                gone.into_iter().for_each(|(loser, number, amount)| self.count(&loser, number, amount));
                return Err(NoRoom);
            };
            self.leave(&loser, number);
            gone.push((loser, number, amount));
        }
        self.count(who, number, amount);
        Ok(gone.into_iter().map(|(_, number, _)| number).collect())
    }

    /// Adds bytes of the service's own. Returns whether there is room. They never give way.
    pub fn enter_own(&mut self, bytes: usize) -> bool {
        let has_room = self.own == 0 || self.own.saturating_add(bytes) <= self.shares.max() / OWN_PART;
        if has_room {
            self.own += bytes;
        }
        has_room
    }

    /// Removes bytes of the service's own.
    pub fn leave_own(&mut self, bytes: usize) {
        self.own = self.own.saturating_sub(bytes);
    }

    /// Removes a thing, if it is there.
    pub fn leave(&mut self, who: &BareJid, number: u64) {
        let Some(waiting) = self.waiting.get_mut(who) else { return };
        let Some(amount) = waiting.remove(&number) else { return };
        if waiting.is_empty() {
            self.waiting.remove(who);
        }
        self.shares.give_back(who, amount);
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    fn count(&mut self, who: &BareJid, number: u64, amount: usize) {
        self.shares.count(who, amount);
        match self.waiting.get_mut(who) {
            Some(waiting) => drop(waiting.insert(number, amount)),
            None => drop(self.waiting.insert(who.clone(), BTreeMap::from([(number, amount)]))),
        }
    }

    fn newest_of(&self, who: &BareJid) -> Option<(u64, usize)> {
        self.waiting.get(who)?.last_key_value().map(|(number, amount)| (*number, *amount))
    }
}

/// The account that a stanza is for: its sender, or the account of a delegated request (XEP-0355) from its own host
/// server.
pub(in crate::engine) fn asker_of(stanza: &Stanza) -> BareJid {
    let forwarded = delegation::forwarded(stanza).and_then(|(_, inner)| delegation::asker(stanza, inner?).ok());
    forwarded.map_or_else(|| stanza.sender(), |(asker, _)| asker.to_bare())
}

impl Inbound {
    /// The account whose share it takes: its sender, or the account of a delegated request. `None` for the service's
    /// own.
    pub fn holder(&self) -> Option<BareJid> {
        match self {
            Inbound::Stanza(stanza) => Some(asker_of(stanza)),
            Inbound::Refused(refused) => refused.0.holder(),
            Inbound::Unreadable(head) => head.from.as_ref().map(|from| from.to_bare()),
            Inbound::Call(call) => Some(call.actor.account.clone()),
            Inbound::Resend(_)
            | Inbound::Expired(_)
            | Inbound::ClockConfirmed
            | Inbound::Erased(..)
            | Inbound::LinkUp
            | Inbound::LinkKept(_)
            | Inbound::LinkDown
            | Inbound::Tick
            | Inbound::GoOn(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmpp::Stanza;

    fn who(text: &str) -> BareJid {
        BareJid::new(text).unwrap()
    }

    fn places(items: usize, bytes: usize) -> WaitingRoom {
        WaitingRoom::new("places", (items, bytes), OwnDomains::new(["home".to_owned()]))
    }

    #[test]
    fn one_floods_and_loses_its_newest_for_everybody_else() {
        let mut places = places(8, usize::MAX);
        assert!((0..8).all(|n| places.enter(&who("flood@away"), n, 1) == Ok(Vec::new())));
        assert_eq!(places.enter(&who("flood@away"), 8, 1), Err(NoRoom));
        assert!(!places.may_enter(&who("flood@away"), 1) && places.may_enter(&who("a@home"), 1));
        let gone: Vec<_> = (0..4).map(|n| places.enter(&who(&format!("{n}@home")), 10 + n, 1)).collect();
        assert_eq!(gone, [Ok(vec![7]), Ok(vec![6]), Ok(vec![5]), Ok(vec![4])]);
        places.leave(&who("flood@away"), 4);
        places.leave(&who("flood@away"), 0);
        assert_eq!(places.enter(&who("flood@away"), 20, 1), Ok(Vec::new()));
        assert!(places.hits().all(|hit| (hit.what, &*hit.domain) == ("places", "away")));
    }

    #[test]
    fn bytes_are_counted_as_well_and_what_finds_no_room_costs_nobody_anything() {
        let mut places = places(100, 1000);
        assert!(
            (0..3).all(|n| places.enter(&who("a@h"), n, 200).is_ok() && places.enter(&who("b@h"), 10 + n, 100).is_ok())
        );
        assert_eq!(places.enter(&who("c@h"), 20, 700), Err(NoRoom));
        assert_eq!(places.enter(&who("c@h"), 21, 300), Ok(vec![2]));
        assert_eq!(places.enter(&who("c@h"), 22, 5000), Err(NoRoom));
        (0..3).for_each(|n| places.leave(&who("a@h"), n));
        (10..13).for_each(|n| places.leave(&who("b@h"), n));
        places.leave(&who("c@h"), 21);
        assert_eq!((places.enter(&who("c@h"), 23, 5000), places.waiting.len()), (Ok(Vec::new()), 1));
    }

    #[test]
    fn the_services_own_things_take_nobodys_place() {
        let mut places = places(8, 800);
        assert!(
            places.enter_own(500) && !places.enter_own(1) && (0..8).all(|n| places.enter(&who("a@h"), n, 1).is_ok())
        );
        places.leave_own(500);
        assert!(places.enter_own(60) && places.enter_own(40) && !places.enter_own(1));
    }

    #[test]
    fn a_host_server_asks_in_the_name_of_its_own_accounts_alone() {
        let wrapped = |from: &str, inner: &str| {
            let xml = format!(
                "<iq type='set' from='{from}' to='mix.h' id='1'><delegation xmlns='urn:xmpp:delegation:2'><forwarded \
                 xmlns='urn:xmpp:forward:0'><iq xmlns='jabber:client' type='set' from='{inner}' id='l'/></forwarded>\
                 </delegation></iq>"
            );
            Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()).holder().unwrap().to_string()
        };
        assert_eq!(wrapped("h", "a@h/r"), "a@h");
        assert_eq!(wrapped("eve@away/r", "a@h/r"), "eve@away");
        assert_eq!(wrapped("away", "a@h/r"), "away");
        assert_eq!(Inbound::Tick.holder(), None);
    }
}
