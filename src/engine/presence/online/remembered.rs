//! The presence nodes, as one process hands them to the next.

use super::{Online, OwedTo, ResourcePlace};
use crate::channel::{ChannelName, ParticipantId};
use crate::xep::availability::{Availability, SharedPresence};
use jid::{BareJid, FullJid};
use serde::{Deserialize, Serialize};

/// A participant's client in a channel: what it says, and what was delivered of that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownResource {
    /// The channel's tag and name.
    pub channel: (u64, ChannelName),
    id: ParticipantId,
    full: FullJid,
    says: Option<Availability>,
    told: Option<SharedPresence>,
    is_new: bool,
    /// Whether something of it is still to be delivered.
    waits: bool,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OnlineMemory {
    /// What clients say in single channels.
    pub resources: Vec<KnownResource>,
    broadcast: Vec<(FullJid, Availability)>,
    /// Accounts of which it has yet to reach their channels.
    due: Vec<BareJid>,
    coming: Vec<(u64, ChannelName, BareJid)>,
    owed: Vec<(u64, OwedTo)>,
    probed: Vec<u64>,
    probes: Vec<(ChannelName, BareJid)>,
}

impl Online {
    /// What is to be remembered.
    #[expect(clippy::disallowed_methods, clippy::iter_over_hash_type, reason = "in any order: they are sorted")]
    pub fn remembered(&self) -> OnlineMemory {
        let mut memory = OnlineMemory::default();
        for (tag, node) in &self.nodes {
            for (id, person) in &node.people {
                for (resource, entry) in &person.resources {
                    let Ok(full) = person.account.with_resource_str(resource) else { continue };
                    memory.resources.push(KnownResource {
                        channel: (*tag, node.name.clone()),
                        id: id.clone(),
                        full,
                        says: entry.says.clone(),
                        told: entry.told.clone(),
                        is_new: entry.is_new,
                        waits: self.waiting.has(*tag, &(id.clone(), resource.clone())),
                    });
                }
            }
        }
        memory.resources.sort_unstable_by(|a, b| (a.channel.0, &a.full).cmp(&(b.channel.0, &b.full)));
        for (account, resources) in &self.broadcast {
            let known =
                resources.iter().filter_map(|(name, says)| Some((account.with_resource_str(name).ok()?, says.clone())));
            memory.broadcast.extend(known);
        }
        memory.broadcast.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        memory.due = self.due.iter().map(|(_, account)| account.clone()).collect();
        let coming = self.coming.all().map(|(tag, ((_, account), name))| (tag, name.clone(), account.clone()));
        memory.coming = coming.collect();
        memory.owed = self.owed.all().map(|(tag, whom)| (tag, whom.clone())).collect();
        memory.probed = self.probed.iter().copied().collect();
        memory.probed.sort_unstable();
        memory.probes = self.probes.iter().map(|(_, name, account)| (name.clone(), account.clone())).collect();
        memory
    }

    /// An earlier process on the same link knew this. `is_there` says whether a channel still is.
    pub fn remember(&mut self, memory: OnlineMemory, is_there: impl Fn(u64, &ChannelName) -> bool) {
        for (full, says) in memory.broadcast {
            self.broadcast(&full, says, true);
        }
        for known in memory.resources.into_iter().filter(|known| is_there(known.channel.0, &known.channel.1)) {
            self.know(known);
        }
        memory.due.iter().for_each(|account| self.spread(account));
        let coming = memory.coming.iter().filter(|(tag, name, _)| is_there(*tag, name));
        coming.for_each(|(tag, name, account)| self.bring_later(*tag, name, account));
        memory.owed.into_iter().for_each(|(tag, whom)| self.deliver_later(tag, whom));
        self.probed.extend(memory.probed);
        memory.probes.iter().for_each(|(name, account)| self.probe(name, account));
    }

    fn know(&mut self, known: KnownResource) {
        let KnownResource { channel: (tag, name), id, full, says, told, is_new, waits } = known;
        let is_available = says.is_some();
        let Some(place) = self.say(tag, &name, &id, &full, says.unwrap_or_default()) else { return };
        if told.is_some() {
            self.note_seen(tag, &id);
        }
        self.keep_told(&place, told, is_new);
        if !is_available {
            self.unavailable(&place);
        }
        if waits || !is_available {
            self.wait(place);
        }
    }

    fn keep_told(&mut self, place: &ResourcePlace, told: Option<SharedPresence>, is_new: bool) {
        self.change(place, |entry| {
            entry.priority = entry.says.as_ref().map_or(0, Availability::priority);
            (entry.told, entry.is_new) = (told, is_new);
        });
    }
}
