//! What comes faster than it may: held in order until its time has come, before anything of it is read.
//!
//! What one account sends goes on in the order in which it came: messages and presence wait behind those before them, and
//! so does a request to a channel to which the same client has something waiting (RFC 6120 §10.1). Of a resource's
//! presence at one address the newest state alone waits. What is held is bounded by bytes, of which accounts and domains
//! have shares; it is no more than a short wait, and a clean stop lets all of it through.

use super::parking::weight;
use super::share::{Full, Hit, OwnDomains, Shares};
use super::{Engine, Inbound, Moment};
use crate::channel::{ChannelName, Refusal};
use crate::xep::{delegation, proxy};
use crate::xmpp::{Kind, Stanza, address};
use jid::{BareJid, Jid};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How long a message whose time has come waits for what its sender has on the way out, and how often that is looked at.
const PATIENCE_MS: u64 = 30_000;
const FREIGHT_PAUSE_MS: u64 = 100;

/// See the module.
#[derive(Debug)]
pub struct Pacing {
    queues: BTreeMap<BareJid, VecDeque<Held>>,
    /// When the first one of each account has its time.
    due: BTreeSet<(u64, BareJid)>,
    /// What they weigh, in bytes of memory.
    room: Shares<BareJid>,
    count: usize,
    /// The time of the last batch, in milliseconds.
    now_ms: u64,
}

#[derive(Debug)]
struct Held {
    stanza: Stanza,
    weight: usize,
    due_ms: u64,
}

impl Pacing {
    /// Room for so many bytes, roughly as they lie in memory.
    pub fn new(bytes_max: usize, own_domains: OwnDomains) -> Pacing {
        let room = Shares::new("held messages", bytes_max, own_domains);
        Pacing { queues: BTreeMap::new(), due: BTreeSet::new(), room, count: 0, now_ms: 0 }
    }

    /// How many are held, and what they weigh, in bytes.
    pub fn depth(&self) -> (usize, usize) {
        (self.count, self.room.held())
    }

    /// In how many milliseconds something has its time; `None` where nothing waits.
    pub fn next_in_ms(&self) -> Option<u64> {
        self.due.first().map(|(due_ms, _)| due_ms.saturating_sub(self.now_ms))
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.room.hits()
    }

    /// What may go on by now: of what was held whatever has its time, and then of what comes in whatever need not wait.
    pub fn pass(&mut self, engine: &mut Engine, now: impl Into<Moment>, batch: Vec<Inbound>) -> Vec<Inbound> {
        engine.tell_time(now);
        self.now_ms = engine.steady.0;
        let mut ready = self.release(self.now_ms, Some(engine));
        for inbound in batch {
            match inbound {
                Inbound::Stanza(stanza) => self.take(engine, stanza, &mut ready),
                other => ready.push(other),
            }
        }
        ready
    }

    /// All that is held, in order: the process is about to end.
    pub fn finish(&mut self) -> Vec<Inbound> {
        self.release(u64::MAX, None)
    }

    /// What has its time; messages of whoever has too much on the way out wait on, unless the process is to end.
    fn release(&mut self, now_ms: u64, mut engine: Option<&mut Engine>) -> Vec<Inbound> {
        let (mut ready, mut later) = (Vec::new(), Vec::new());
        while let Some((due_ms, account)) = self.due.pop_first() {
            if due_ms > now_ms {
                self.due.insert((due_ms, account));
                break;
            }
            let Some(queue) = self.queues.get_mut(&account) else { continue };
            let Some(first) = queue.front() else { continue };
            let is_message = first.stanza.kind == Kind::Message;
            let may_go = |engine: &mut &mut Engine| !is_message || engine.has_freight_room(&account, false);
            if !engine.as_mut().is_none_or(may_go) && now_ms < first.due_ms.saturating_add(PATIENCE_MS) {
                later.push((now_ms.saturating_add(FREIGHT_PAUSE_MS), account));
                continue;
            }
            let Some(held) = queue.pop_front() else { continue };
            self.let_go(&account, held.weight);
            ready.push(Inbound::Stanza(held.stanza));
        }
        self.due.extend(later);
        ready
    }

    /// Something of an account is not held any more; what is its first then has its time noted.
    fn let_go(&mut self, account: &BareJid, weight: usize) {
        self.room.give_back(account, weight);
        self.count -= 1;
        match self.queues.get(account).and_then(VecDeque::front) {
            Some(first) => drop(self.due.insert((first.due_ms, account.clone()))),
            None => drop(self.queues.remove(account)),
        }
    }

    fn take(&mut self, engine: &mut Engine, stanza: Stanza, ready: &mut Vec<Inbound>) {
        let is_counted = is_counted(&stanza, engine);
        let account = if is_counted { stanza.sender() } else { asker(&stanza) };
        let queue = self.queues.get(&account);
        let follows = queue.is_some_and(|queue| is_counted || queue.iter().any(|held| comes_before(held, &stanza)));
        if !is_counted && !follows {
            return ready.push(Inbound::Stanza(stanza));
        }
        let last_ms = queue.and_then(VecDeque::back).map_or(0, |held| held.due_ms);
        if self.renew(&account, &stanza) {
            return;
        }
        let is_message = stanza.kind == Kind::Message;
        let admitted = match is_counted {
            true => engine.admit_stanza(&stanza, &account, channel_of(&stanza.to).as_ref()),
            false => Ok(self.now_ms),
        };
        match admitted {
            Err(refusal) => ready.push(Inbound::Refused(Box::new((stanza, refusal)))),
            Ok(due_ms)
                if due_ms <= self.now_ms && !follows && (!is_message || engine.has_freight_room(&account, true)) =>
            {
                ready.push(Inbound::Stanza(stanza))
            }
            Ok(due_ms) => self.hold(account, stanza, due_ms.max(last_ms), ready),
        }
    }

    /// Holds something, for which whoever holds most may have to let its last go.
    fn hold(&mut self, account: BareJid, stanza: Stanza, due_ms: u64, ready: &mut Vec<Inbound>) {
        let inbound = Inbound::Stanza(stanza);
        let weight = weight(&inbound);
        let Inbound::Stanza(stanza) = inbound else { return };
        loop {
            match self.room.take(&account, weight) {
                Ok(()) => break,
                Err(Full::Of(loser)) if self.refuse_last(&loser, ready) => {}
                Err(_) => return ready.push(Inbound::Refused(Box::new((stanza, Refusal::Busy)))),
            }
        }
        self.count += 1;
        if !self.queues.contains_key(&account) {
            self.due.insert((due_ms, account.clone()));
        }
        self.queues.entry(account).or_default().push_back(Held { stanza, weight, due_ms });
    }

    fn refuse_last(&mut self, account: &BareJid, ready: &mut Vec<Inbound>) -> bool {
        let Some(queue) = self.queues.get_mut(account) else { return false };
        let Some(held) = queue.pop_back() else { return false };
        if queue.is_empty() {
            self.due.remove(&(held.due_ms, account.clone()));
        }
        self.let_go(account, held.weight);
        ready.push(Inbound::Refused(Box::new((held.stanza, Refusal::Busy))));
        true
    }

    /// Presence that waits becomes the newer one.
    fn renew(&mut self, account: &BareJid, stanza: &Stanza) -> bool {
        let is_state = |stanza: &Stanza| stanza.kind == Kind::Presence && matches!(&*stanza.type_, "" | "unavailable");
        let Some(queue) = self.queues.get_mut(account).filter(|_| is_state(stanza)) else { return false };
        let is_same =
            |held: &Held| is_state(&held.stanza) && held.stanza.from == stanza.from && held.stanza.to == stanza.to;
        let Some(held) = queue.iter_mut().rev().find(|held| is_same(held)) else { return false };
        held.stanza = stanza.clone();
        let next = weight(&Inbound::Stanza(held.stanza.clone()));
        let past = std::mem::replace(&mut held.weight, next);
        self.room.count(account, next);
        self.room.give_back(account, past);
        true
    }
}

/// Whether a stanza is one of those that come at a pace: messages and presence of accounts. Errors and answers are none of
/// those, nor is what is for another service.
fn is_counted(stanza: &Stanza, engine: &Engine) -> bool {
    stanza.kind != Kind::Iq
        && stanza.type_ != "error"
        && stanza.from.node().is_some()
        && stanza.to.domain() == &*engine.service.domain
}

/// Whether something that is held has to go on first: by the same client to the same channel, or, where a host server asks
/// for an account, anything of that one.
fn comes_before(held: &Held, stanza: &Stanza) -> bool {
    let channel = channel_of(&stanza.to);
    let is_same = held.stanza.from == stanza.from && channel.is_some() && channel_of(&held.stanza.to) == channel;
    is_same || stanza.from.node().is_none()
}

/// For whom a request is: a host server asks for its accounts.
fn asker(stanza: &Stanza) -> BareJid {
    let forwarded = delegation::forwarded(stanza).and_then(|(_, inner)| inner?.attr("from"));
    forwarded.and_then(|from| address::jid(from).ok()).map_or_else(|| stanza.sender(), |from| from.to_bare())
}

/// The channel that something is for: itself, or somebody in it.
fn channel_of(to: &Jid) -> Option<ChannelName> {
    let node = to.node()?;
    proxy::parse(node).map(|(channel, _)| channel).or_else(|| ChannelName::of(node))
}

#[cfg(test)]
#[path = "pacing_tests.rs"]
mod tests;
