//! What is read of an archive beside the turns, since it lies in months that are not open: rows that requests name, and
//! where the archive stood at a time. Whatever asks for it waits ([`super::parking`]), and with it what came after it for
//! the channel: so what was read is so when it goes on.

use super::{Engine, Inbound, Needs};
use crate::channel::{ChannelName, Stamp};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// How many rows and times are read at a time. What asks for more than there is room for is read for next.
const READ_MAX: usize = 4096;

/// What is read of one channel's archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Errand {
    /// The channel's localpart.
    pub name: ChannelName,
    /// Whose turn it is when many things are to be read: whoever asked first.
    pub account: BareJid,
    tag: u64,
    rows: BTreeSet<u64>,
    /// Those of them that are wanted with their payloads.
    whole: BTreeSet<u64>,
    heads: BTreeSet<Stamp>,
}

impl Errand {
    /// What it is, as what a batch needs is told.
    pub fn needs(&self) -> Needs {
        let heads = self.heads.iter().map(|&stamp| (self.tag, stamp)).collect();
        let whole = self.whole.iter().map(|&row| (self.tag, row)).collect();
        Needs::of_archives(BTreeMap::from([(self.tag, self.rows.clone())]), whole, heads)
    }

    /// How many rows and times it asks for.
    pub(super) fn count(&self) -> usize {
        self.rows.len() + self.heads.len()
    }

    /// Has one more of the same channel done with it, where there is room; whether there is.
    pub(super) fn join(&mut self, other: &Errand) -> bool {
        let has_room = self.count() + other.count() <= READ_MAX;
        if has_room {
            self.rows.extend(&other.rows);
            self.whole.extend(&other.whole);
            self.heads.extend(&other.heads);
        }
        has_room
    }
}

impl Engine {
    /// What something asks for of what is not at hand.
    pub(super) fn errand(&self, inbound: &Inbound, far: &Needs) -> Option<Errand> {
        let needs = self.needs_of(inbound);
        needs.channels.iter().find_map(|name| {
            let tag = self.shelf.tag_of(name)?;
            let far_rows = far.rows.get(&tag);
            let named = needs.rows.get(&tag).into_iter().flatten();
            let rows: BTreeSet<u64> =
                named.filter(|row| far_rows.is_some_and(|far| far.contains(row))).copied().collect();
            let asks = needs.heads.iter().filter(|head| head.0 == tag && far.heads.contains(head));
            let heads: BTreeSet<Stamp> = asks.map(|head| head.1).collect();
            let whole = rows.iter().copied().filter(|&row| needs.whole.contains(&(tag, row))).collect();
            let account = self.asker(inbound);
            let errand = Errand { name: name.clone(), account, tag, rows, whole, heads };
            (errand.count() > 0).then_some(errand)
        })
    }

    /// Whose request something is; the service's own things are its own.
    pub(super) fn asker(&self, inbound: &Inbound) -> BareJid {
        match inbound {
            Inbound::Stanza(stanza) => stanza.sender(),
            Inbound::Call(call) => call.actor.account.clone(),
            _ => BareJid::from_parts(None, &self.service.domain),
        }
    }
}
