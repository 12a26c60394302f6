//! Messages and presence beyond their rate, held in order and unread until their time.
//!
//! RFC 6120 §10.1: what one account sends stays in order. Messages and presence wait behind earlier ones, as stanzas or
//! as calls; a request waits if the same client has something held for the same channel. Only the newest presence of a
//! resource for each address is held, but for what enters a room (XEP-0045). Held bytes are bounded, in shares of accounts and domains. The wait is short, and
//! a clean stop lets everything through.

mod line;

use self::line::{HeldInbound, PacingLine, channel_of};
use super::super::fairness::waiting_room::asker_of;
use super::super::fairness::weight::weight;
use super::super::share::{Full, Hit, OwnDomains, Shares};
use super::super::{Engine, Inbound, Moment};
use crate::channel::Refusal;
use crate::xmpp::{Kind, Stanza};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// How often a held message is tried again while its sender has too much in the outbound queue.
const FREIGHT_PAUSE_MS: u64 = 100;

/// What is let go on in one turn. The rest is in the next ones.
const RELEASED_MAX: usize = 1024;

/// Held messages and presence, in one queue for each account.
#[derive(Debug)]
pub struct Pacing {
    queues: BTreeMap<BareJid, PacingLine>,
    /// When each account's first entry is looked at. At equal times the older queue comes first, so the order does not
    /// depend on JIDs.
    due: BTreeSet<Due>,
    /// How many queues were ever begun.
    lines: u64,
    /// Held bytes, with shares.
    room: Shares<BareJid>,
    count: usize,
    /// Steady time of the last batch, in milliseconds.
    now_ms: u64,
}

/// When a queue is looked at (ms), the queue's number, and its account.
type Due = (u64, u64, BareJid);

impl Pacing {
    /// Room for about `bytes_max` bytes in memory.
    pub fn new(bytes_max: usize, own_domains: OwnDomains) -> Pacing {
        let room = Shares::new("held messages", bytes_max, own_domains);
        Pacing { queues: BTreeMap::new(), due: BTreeSet::new(), lines: 0, room, count: 0, now_ms: 0 }
    }

    /// How many entries are held, and their bytes.
    pub fn depth(&self) -> (usize, usize) {
        (self.count, self.room.held())
    }

    /// Milliseconds until the next entry is due. `None` if nothing is held.
    pub fn next_in_ms(&self, engine: &Engine) -> Option<u64> {
        if engine.has_relieved() {
            return Some(0);
        }
        self.due.first().map(|(due_ms, ..)| due_ms.saturating_sub(self.now_ms))
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits()
    }

    /// What may go on now: held entries that are due, then incoming ones that need not wait.
    pub fn pass(&mut self, engine: &mut Engine, now: impl Into<Moment>, batch: Vec<Inbound>) -> Vec<Inbound> {
        engine.tell_time(now);
        self.now_ms = engine.steady.0;
        for account in engine.take_relieved(self.queues.len(), |account| self.queues.contains_key(account)) {
            let first = self.queues.get(&account).and_then(PacingLine::first);
            // An entry that is first now may be due later than the one that had no room.
            let due_ms = first.map_or(0, |first| first.due_ms);
            self.look_at(&account, due_ms.max(self.now_ms));
        }
        let mut ready = self.release(self.now_ms, Some(engine));
        for inbound in batch {
            match inbound {
                Inbound::Stanza(_) | Inbound::Call(_) => self.take(engine, inbound, &mut ready),
                other => ready.push(other),
            }
        }
        ready
    }

    /// Moves the time at which an account's queue is looked at.
    fn look_at(&mut self, account: &BareJid, look_ms: u64) {
        let Some(line) = self.queues.get_mut(account) else { return };
        let before = std::mem::replace(&mut line.look_ms, look_ms);
        self.due.remove(&(before, line.number, account.clone()));
        self.due.insert((look_ms, line.number, account.clone()));
    }

    /// Releases everything in order, because the process is about to end.
    pub fn finish(&mut self) -> Vec<Inbound> {
        self.release(u64::MAX, None)
    }

    /// Releases entries that are due. A message waits on while its sender has too much in the outbound queue, at most
    /// `held_ms`; without an engine (clean stop) it does not.
    fn release(&mut self, now_ms: u64, mut engine: Option<&mut Engine>) -> Vec<Inbound> {
        let (mut ready, mut later) = (Vec::new(), Vec::new());
        let most = if engine.is_some() { RELEASED_MAX } else { usize::MAX };
        while let Some((look_ms, _, account)) = self.due.first().cloned().filter(|_| ready.len() < most) {
            if look_ms > now_ms {
                break;
            }
            self.due.pop_first();
            let Some(first) = self.queues.get(&account).and_then(PacingLine::first) else { continue };
            let (due_ms, mut refusal) = (first.due_ms, None);
            if let Some(engine) = engine.as_mut()
                && is_message(&first.inbound, engine)
                && !engine.let_through(&first.inbound, &account, false)
            {
                if now_ms < due_ms.saturating_add(engine.held_ms()) {
                    later.push(account);
                    continue;
                }
                refusal = Some(Refusal::TooFast { what: "messages", wait_s: 1 });
            }
            let Some(held) = self.queues.get_mut(&account).and_then(PacingLine::pop_first) else { continue };
            self.let_go(&account, held.weight);
            ready.push(match refusal {
                Some(refusal) => Inbound::Refused(Box::new((held.inbound, refusal))),
                None => held.inbound,
            });
        }
        later.iter().for_each(|account| self.look_at(account, now_ms.saturating_add(FREIGHT_PAUSE_MS)));
        ready
    }

    /// Accounts for a removed entry, and schedules the queue's new first entry.
    fn let_go(&mut self, account: &BareJid, weight: usize) {
        self.room.give_back(account, weight);
        self.count -= 1;
        let Some(line) = self.queues.get(account) else { return };
        match line.first().map(|first| first.due_ms) {
            Some(due_ms) => self.look_at(account, due_ms.max(line.look_ms)),
            None => {
                self.due.remove(&(line.look_ms, line.number, account.clone()));
                self.queues.remove(account);
            }
        }
    }

    fn take(&mut self, engine: &mut Engine, inbound: Inbound, ready: &mut Vec<Inbound>) {
        let (account, is_counted) = match &inbound {
            Inbound::Stanza(stanza) if is_counted(stanza, engine) => (stanza.sender(), true),
            Inbound::Stanza(stanza) => (asker_of(stanza), false),
            Inbound::Call(call) => (call.actor.account.clone(), call.command.message().is_some()),
            _ => return ready.push(inbound),
        };
        let line = self.queues.get(&account);
        let follows = line.is_some_and(|line| is_counted || line.precedes(&inbound));
        if !is_counted && !follows {
            return ready.push(inbound);
        }
        let last_ms = line.map_or(0, PacingLine::last_ms);
        let admitted = match &inbound {
            Inbound::Stanza(stanza) if is_counted => {
                let admitted = engine.admit_stanza(stanza, &account, channel_of(&stanza.to).as_ref());
                // Many who enter a room wait a moment, and enter together.
                admitted.map(|due_ms| due_ms.max(engine.gathers_until(stanza)))
            }
            Inbound::Call(call) if is_counted => engine.admit_call(call),
            _ => Ok(self.now_ms),
        };
        // Presence is counted even if it replaces a held one. It keeps the due time of the one it replaces.
        if self.renew(&account, &inbound, ready) {
            return;
        }
        match admitted {
            Err(refusal) => ready.push(Inbound::Refused(Box::new((inbound, refusal)))),
            Ok(due_ms)
                if due_ms <= self.now_ms
                    && !follows
                    && (!is_message(&inbound, engine) || engine.let_through(&inbound, &account, true)) =>
            {
                ready.push(inbound);
            }
            Ok(due_ms) => self.hold(account, inbound, due_ms.max(last_ms), ready),
        }
    }

    /// Holds an entry. If there is no room, the account that holds most loses its newest entry.
    fn hold(&mut self, account: BareJid, inbound: Inbound, due_ms: u64, ready: &mut Vec<Inbound>) {
        let weight = weight(&inbound);
        if !self.make_room(&account, weight, ready) {
            return ready.push(Inbound::Refused(Box::new((inbound, Refusal::Busy))));
        }
        self.count += 1;
        if !self.queues.contains_key(&account) {
            let number = self.lines;
            self.lines += 1;
            self.due.insert((due_ms, number, account.clone()));
            self.queues.insert(account.clone(), PacingLine::new(number, due_ms));
        }
        let Some(line) = self.queues.get_mut(&account) else { return };
        line.push(HeldInbound { inbound, weight, due_ms });
    }

    fn refuse_last(&mut self, account: &BareJid, ready: &mut Vec<Inbound>) -> bool {
        let Some(held) = self.queues.get_mut(account).and_then(PacingLine::pop_last) else { return false };
        self.let_go(account, held.weight);
        ready.push(Inbound::Refused(Box::new((held.inbound, Refusal::Busy))));
        true
    }

    /// Replaces held presence of the same resource and address. Returns whether some was held; if there is no room for
    /// the larger one, the new one is refused.
    fn renew(&mut self, account: &BareJid, inbound: &Inbound, ready: &mut Vec<Inbound>) -> bool {
        let line = self.queues.get_mut(account);
        let Some(past) = line.and_then(|line| line.weight_of_older(inbound)) else { return false };
        let next = weight(inbound);
        if next > past && !self.make_room(account, next - past, ready) {
            ready.push(Inbound::Refused(Box::new((inbound.clone(), Refusal::Busy))));
            return true;
        }
        self.room.give_back(account, past.saturating_sub(next));
        if let Some(line) = self.queues.get_mut(account) {
            line.renew(inbound.clone(), next);
        }
        true
    }

    /// Reserves bytes. If there is no room, the account that holds most loses its newest entry. Returns whether there
    /// is room.
    fn make_room(&mut self, account: &BareJid, weight: usize, ready: &mut Vec<Inbound>) -> bool {
        loop {
            match self.room.take(account, weight) {
                Ok(()) => return true,
                Err(Full::Of(loser)) if self.refuse_last(&loser, ready) => {}
                Err(_) => return false,
            }
        }
    }
}

/// Whether this is a message that a channel delivers to everybody. Errors and stanzas of host servers are not.
pub(in crate::engine) fn is_message(inbound: &Inbound, engine: &Engine) -> bool {
    match inbound {
        Inbound::Stanza(stanza) => stanza.kind == Kind::Message && is_counted(stanza, engine),
        Inbound::Call(call) => call.command.message().is_some(),
        _ => false,
    }
}

/// Whether a rate applies: to messages and presence of accounts, but not to errors or to stanzas for another service.
fn is_counted(stanza: &Stanza, engine: &Engine) -> bool {
    stanza.kind != Kind::Iq
        && stanza.type_ != "error"
        && stanza.from.node().is_some()
        && stanza.to.domain() == &*engine.service.domain
}

#[cfg(test)]
#[path = "pacing_tests.rs"]
mod tests;
