//! What accounts have on the way out: what they sent, with all its copies, until the writer is through with it.
//!
//! Who sends one message to a thousand people has the line busy for as long as somebody who sends a thousand messages to one,
//! and whoever is in many channels could fill it through each of them. So an account has a bound over all of them, in
//! recipients times bytes, and where all have much the shares decide. What the writer is through with comes back as an input.
//!
//! What was let through and is not decided yet is promised room, by what it will roughly come to: else all of a batch would
//! be let through by what there was before it. How many people a channel has that is not in memory nobody knows, so its
//! message is promised all of the bound, and goes alone.

use super::super::requests::pacing::is_message;
use super::super::share::{Full, Hit, OwnDomains, Shares};
use super::super::{Engine, Inbound, Out};
use super::outbox::{Audience, Charge, Fan};
use crate::channel::ChannelName;
use crate::engine::requests::call::Addressee;
use crate::xep::proxy;
use jid::BareJid;
use std::collections::{BTreeSet, HashMap};

/// How many accounts' bounds are the bound of all.
const ACCOUNTS: usize = 64;
/// How many who wait no longer are kept at least.
const WAITING_KEPT: usize = 1000;
/// What a copy has beside what came: addresses, ids, who said it. In bytes.
const COPY_BYTES: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(in crate::engine) struct Freight {
    account_max: usize,
    shares: Shares<BareJid>,
    promised: HashMap<BareJid, Promised>,
    /// Those who had no room, and those of them who have more than they had then.
    waiting: BTreeSet<BareJid>,
    relieved: BTreeSet<BareJid>,
    /// Without a link nothing moves, and nobody is before anybody else: the writer lets the oldest go where it gets too much.
    is_moving: bool,
}

/// How much of an account was let through and is not decided yet.
#[derive(Debug, Default)]
struct Promised {
    count: usize,
    bytes: usize,
}

impl Freight {
    /// So many bytes for each account.
    pub fn new(account_max: usize, own_domains: OwnDomains) -> Freight {
        let all = account_max.saturating_mul(ACCOUNTS);
        let shares = Shares::new("the way out", all, own_domains);
        let (promised, waiting, relieved) = Default::default();
        Freight { account_max, shares, promised, waiting, relieved, is_moving: true }
    }

    /// Whether somebody may send something more. What is under way already may be one message beyond the bound.
    pub fn may_send(&mut self, account: &BareJid) -> bool {
        if !self.is_moving || self.account_max == usize::MAX {
            return true;
        }
        let promised = self.promised.get(account).map_or(0, |promised| promised.bytes);
        if self.shares.held_by(account).saturating_add(promised) >= self.account_max {
            return false;
        }
        // Where all of it is used up, who has most of it waits.
        self.shares.held() < self.shares.max() || !matches!(self.shares.take(account, 1), Err(Full::Own))
    }

    /// Something had to wait, or was refused, for the sake of others.
    pub fn note_hit(&mut self, account: &BareJid) {
        self.shares.hit(account.domain().as_str());
    }

    /// Whose share had no room since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    /// The link came up, or went down.
    pub fn note_link(&mut self, up: bool) {
        self.is_moving = up;
    }

    /// Something is let through; `None` where it is not known what it will come to.
    fn promise(&mut self, account: &BareJid, bytes: Option<usize>) {
        let promised = self.promised.entry(account.clone()).or_default();
        promised.count += 1;
        promised.bytes = promised.bytes.saturating_add(bytes.unwrap_or(self.account_max));
    }

    /// It is decided, or will not be. What all of an account's were promised is free when there are none any more.
    fn settle(&mut self, account: &BareJid) {
        let Some(promised) = self.promised.get_mut(account) else { return };
        promised.count = promised.count.saturating_sub(1);
        if promised.count == 0 {
            self.promised.remove(account);
            self.call_up(account);
        }
    }

    /// Whoever waits may look again.
    fn call_up(&mut self, account: &BareJid) {
        if self.waiting.remove(account) {
            self.relieved.insert(account.clone());
        }
    }

    #[cfg(test)]
    pub fn has_promised(&self) -> bool {
        !self.promised.is_empty()
    }

    fn load(&mut self, charge: &Charge) {
        self.shares.count(&charge.account, charge.bytes);
    }

    /// The writer is through with something, or it is not sent after all.
    pub fn unload(&mut self, charge: &Charge) {
        self.shares.give_back(&charge.account, charge.bytes);
        self.call_up(&charge.account);
    }
}

impl Engine {
    /// The writer is through with what these were for.
    pub fn relieve(&mut self, charges: &[Charge]) {
        charges.iter().for_each(|charge| self.outgoing.freight.unload(charge));
    }

    /// Whether a message may go by what its account has on the way out; where it may, it has its room until it is decided.
    /// One that waits already asks again and again; the first time counts as a hit.
    pub(in crate::engine) fn let_through(&mut self, inbound: &Inbound, account: &BareJid, is_first: bool) -> bool {
        if self.service.operators.contains(account) {
            return true;
        }
        let has_room = self.outgoing.freight.may_send(account);
        if has_room {
            let bytes = self.comes_to(inbound);
            self.outgoing.freight.promise(account, bytes);
            self.outgoing.freight.waiting.remove(account);
        } else {
            self.outgoing.freight.waiting.insert(account.clone());
            if is_first {
                self.outgoing.freight.note_hit(account);
            }
        }
        has_room
    }

    /// Something that was let through is to be decided now, or never will be.
    pub fn settle(&mut self, inbound: &Inbound) {
        match inbound {
            _ if !is_message(inbound, self) => {}
            Inbound::Stanza(stanza) => self.outgoing.freight.settle(&stanza.sender()),
            Inbound::Call(call) => self.outgoing.freight.settle(&call.actor.account),
            _ => {}
        }
    }

    /// Whether somebody has room again who waited for it.
    pub(in crate::engine) fn has_relieved(&self) -> bool {
        !self.outgoing.freight.relieved.is_empty()
    }

    /// Who has room again since this was asked last, of those who still wait; they are so many.
    pub(in crate::engine) fn take_relieved(&mut self, count: usize, waits: impl Fn(&BareJid) -> bool) -> Vec<BareJid> {
        // What somebody had waiting may have been refused meanwhile.
        if self.outgoing.freight.waiting.len() > 2 * count + WAITING_KEPT {
            self.outgoing.freight.waiting.retain(|account| waits(account));
        }
        std::mem::take(&mut self.outgoing.freight.relieved).into_iter().filter(|account| waits(account)).collect()
    }

    /// What a message will roughly come to with all its copies, in bytes; `None` where its channel is not in memory.
    fn comes_to(&self, inbound: &Inbound) -> Option<usize> {
        let (name, bytes) = match inbound {
            Inbound::Stanza(stanza) => {
                let node = stanza.to.node().filter(|node| proxy::parse(node).is_none());
                (node.and_then(ChannelName::of), crate::engine::requests::admission::bytes_of(&stanza.element) as usize)
            }
            Inbound::Call(call) => {
                let bytes = call.command.message().map_or(0, |message| message.payload.len());
                (self.channel_called(&call.to), bytes)
            }
            _ => (None, 0),
        };
        let Some(name) = name.filter(|name| self.channels.shelf.exists(name)) else { return Some(0) };
        let people = self.channels.shelf.channel(&name)?.people_count().max(1);
        Some(people.saturating_mul(bytes + COPY_BYTES))
    }

    /// The channel that a call is about.
    pub(in crate::engine) fn channel_called(&self, to: &Addressee) -> Option<ChannelName> {
        match to {
            Addressee::Service => None,
            Addressee::Channel(name) => Some(name.clone()),
            Addressee::Gid(gid) => self.channels.shelf.by_gid(*gid).cloned(),
        }
    }

    /// Counts what somebody sends to everybody in a channel.
    pub(in crate::engine) fn load(&mut self, account: &BareJid, name: &ChannelName, outs: &mut [Out]) {
        let people = self.channels.shelf.channel(name).map_or(1, |channel| channel.people_count().max(1));
        for out in outs {
            let Out::Fan(fan) = out else { continue };
            let people = if matches!(fan.audience, Audience::One(_)) { 1 } else { people };
            let charge = Charge { account: account.clone(), bytes: people * (fan.head.len() + fan.tail.len()) };
            self.outgoing.freight.load(&charge);
            fan.charge = Some(charge);
        }
    }

    /// What is not sent after all counts for nobody.
    pub(in crate::engine) fn unload(&mut self, outs: &[Out]) {
        for out in outs {
            if let Out::Fan(Fan { charge: Some(charge), .. }) = out {
                self.outgoing.freight.unload(charge);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_to_wait_is_counted_for_the_domain() {
        let mut freight = Freight::new(100, OwnDomains::default());
        let account: BareJid = "busy@away".parse().unwrap();
        assert!(freight.may_send(&account));
        freight.load(&Charge { account: account.clone(), bytes: 100 });
        assert!(!freight.may_send(&account) && !freight.may_send(&account));
        freight.note_hit(&account);
        let hits: Vec<Hit> = freight.hits().collect();
        assert_eq!(hits, [Hit { what: "the way out", domain: "away".into(), count: 1 }]);
        freight.unload(&Charge { account: account.clone(), bytes: 100 });
        assert!(freight.may_send(&account) && freight.hits().count() == 0);
    }

    #[test]
    fn what_is_not_decided_yet_has_its_room() {
        let mut freight = Freight::new(100, OwnDomains::default());
        let account: BareJid = "busy@away".parse().unwrap();
        freight.promise(&account, Some(60));
        assert!(freight.may_send(&account));
        freight.promise(&account, Some(60));
        assert!(!freight.may_send(&account));
        freight.waiting.insert(account.clone());
        freight.settle(&account);
        assert!(!freight.may_send(&account) && freight.relieved.is_empty());
        freight.settle(&account);
        assert!(freight.may_send(&account) && freight.relieved.contains(&account) && freight.promised.is_empty());
        // Nobody knows what it comes to: it goes alone.
        freight.promise(&account, None);
        assert!(!freight.may_send(&account));
        freight.settle(&account);
        freight.settle(&account);
        assert!(freight.may_send(&account));
    }
}
