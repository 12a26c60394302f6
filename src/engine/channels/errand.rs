//! What is read of the store beside the turns: of an archive what lies in months that are not open, rows that requests name
//! and where it stood at a time; and of an account which channels it is in and on which lists it is. Whatever asks for it
//! waits ([`super::parking`]), and with it what came after it for the channel, or from the account.

use super::super::{Engine, Inbound, Needs, Step};
use crate::channel::{ChannelName, Stamp};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// How much is read at a time: rows, times, accounts. What asks for more than there is room for is read for next.
pub(in crate::engine) const READ_MAX: usize = 4096;

/// What something is read of, or loaded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A channel, by its localpart.
    Channel(ChannelName),
    /// What is kept by accounts, for one that asked for it; the service's domain for what the service asks itself.
    Account(BareJid),
}

impl Source {
    /// The channel, where it is one.
    pub(in crate::engine) fn channel(&self) -> Option<&ChannelName> {
        if let Source::Channel(name) = self { Some(name) } else { None }
    }
}

/// What is read of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// Of what.
    pub source: Source,
    /// Whose turn it is when many things are to be read: whoever asked first.
    pub account: BareJid,
    /// What it is, as what a batch needs is told.
    pub wants: Needs,
    /// Since when what changes of it is noted (`engine::channels::lately`).
    pub(in crate::engine) round: u64,
}

impl Errand {
    /// Has one more of the same source done with it, where there is room; whether there is.
    pub(in crate::engine) fn join(&mut self, other: &Errand) -> bool {
        let has_room = self.wants.count() + other.wants.count() <= READ_MAX;
        if has_room {
            self.wants.merge(&other.wants);
        }
        has_room
    }
}

impl Engine {
    /// What something that needs this asks for of what is not at hand.
    pub(in crate::engine) fn errand(&self, inbound: &Inbound, needs: &Needs, far: &Needs) -> Option<Errand> {
        let account = self.asker(inbound);
        if needs.asks_people_in(far) {
            // All of it: what is known by chance now may not be when the rest comes.
            let wants = needs.clone().take_people();
            return Some(Errand { source: Source::Account(account.clone()), account, wants, round: 0 });
        }
        needs.channels.iter().find_map(|name| {
            let tag = self.channels.shelf.tag_of(name)?;
            let far_rows = far.rows.get(&tag);
            let named = needs.rows.get(&tag).into_iter().flatten();
            let rows: BTreeSet<u64> =
                named.filter(|row| far_rows.is_some_and(|far| far.contains(row))).copied().collect();
            let asks = needs.heads.iter().filter(|head| head.0 == tag && far.heads.contains(head));
            let heads: Vec<(u64, Stamp)> = asks.copied().collect();
            let whole = rows.iter().map(|&row| (tag, row)).filter(|row| needs.whole.contains(row)).collect();
            let rows = if rows.is_empty() { BTreeMap::new() } else { BTreeMap::from([(tag, rows)]) };
            let wants = Needs::of_archives(rows, whole, heads);
            let (source, account) = (Source::Channel(name.clone()), account.clone());
            (wants.count() > 0).then_some(Errand { source, account, wants, round: 0 })
        })
    }

    /// What the service asks for itself, whatever comes; nothing waits for it. Where that failed, or a commit did, it is asked
    /// for again at the next tick.
    pub fn own_errand(&self, is_tick: bool) -> Option<Errand> {
        if !is_tick && (self.channels.lately.has_own_failed() || self.is_resting()) {
            return None;
        }
        let wants = self.own_needs(is_tick);
        let account = self.own_account();
        let source = Source::Account(account.clone());
        (!wants.is_empty()).then_some(Errand { source, account, wants, round: 0 })
    }

    /// Whose request something is; the service's own things are its own.
    pub(in crate::engine) fn asker(&self, inbound: &Inbound) -> BareJid {
        match inbound {
            Inbound::Stanza(stanza) => stanza.sender(),
            Inbound::Call(call) => call.actor.account.clone(),
            Inbound::GoOn(Step::Through(account, _)) => account.clone(),
            Inbound::GoOn(Step::Finish(name, _)) if let Some(rest) = self.unfinished(name) => self.asker(rest),
            _ => self.own_account(),
        }
    }

    fn own_account(&self) -> BareJid {
        BareJid::from_parts(None, &self.service.domain)
    }

    /// Whether the service asks for it itself.
    pub(in crate::engine) fn is_own(&self, errand: &Errand) -> bool {
        errand.source == Source::Account(self.own_account())
    }
}
