//! The presence node of one channel: its people by participant id, since their order is part of what leaves.

use crate::channel::{ChannelName, ParticipantId};
use crate::xep::availability::{Availability, SharedPresence};
use crate::xep::mix_presence::Resource;
use jid::BareJid;
use std::collections::BTreeMap;

/// What an entry costs besides its texts, in bytes.
pub(super) const ENTRY_BYTES: usize = 256;

/// A resource of somebody in a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourcePlace {
    /// The channel's tag.
    pub tag: u64,
    /// Who it is there.
    pub id: ParticipantId,
    /// The real resource.
    pub resource: String,
}

/// What one resource shares with one channel.
#[derive(Debug, Default)]
pub struct PresenceEntry {
    /// What it says; `None`: it is unavailable.
    pub says: Option<Availability>,
    /// What subscribers were told last; `None`: nothing, or that it is unavailable.
    pub told: Option<SharedPresence>,
    /// Whether it became available and was not told of the others yet.
    pub is_new: bool,
}

impl PresenceEntry {
    /// What it takes of the room. Whoever is unavailable is on its way out.
    pub(super) fn bytes(&self) -> usize {
        let Some(says) = &self.says else { return 0 };
        ENTRY_BYTES + says.bytes() + self.told.as_ref().map_or(0, SharedPresence::bytes)
    }
}

/// The resources of one account in a channel.
#[derive(Debug)]
pub(super) struct PersonOnline {
    pub account: BareJid,
    pub resources: BTreeMap<String, PresenceEntry>,
}

impl PersonOnline {
    /// What subscribers know of it, in the order of what is shown: that of the real resources would tell something of
    /// them where they are hidden.
    fn told(&self) -> Vec<Resource<'_>> {
        let told = self.resources.iter().filter_map(|(resource, entry)| {
            Some(Resource { account: &self.account, resource, shared: entry.told.as_ref()? })
        });
        let mut told: Vec<_> = told.collect();
        told.sort_unstable_by_key(Resource::shown_resource);
        told
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct PresenceNode {
    pub name: ChannelName,
    pub people: BTreeMap<ParticipantId, PersonOnline>,
}

impl PresenceNode {
    /// Nobody is in it yet.
    pub fn new(name: ChannelName) -> PresenceNode {
        PresenceNode { name, people: BTreeMap::new() }
    }

    /// What is known of a resource.
    pub fn entry(&self, place: &ResourcePlace) -> Option<&PresenceEntry> {
        self.people.get(&place.id)?.resources.get(&place.resource)
    }

    /// What subscribers know of everybody.
    pub fn told(&self) -> impl Iterator<Item = Resource<'_>> {
        self.people.values().flat_map(PersonOnline::told)
    }

    /// What subscribers know of one person.
    pub fn told_of(&self, id: &ParticipantId) -> Vec<Resource<'_>> {
        self.people.get(id).map(PersonOnline::told).unwrap_or_default()
    }

    /// Every resource in it.
    pub fn places(&self, tag: u64) -> impl Iterator<Item = ResourcePlace> {
        self.people.iter().flat_map(move |(id, person)| places_of(tag, id, person))
    }
}

/// The resources of a person.
pub(super) fn places_of(tag: u64, id: &ParticipantId, person: &PersonOnline) -> impl Iterator<Item = ResourcePlace> {
    person.resources.keys().map(move |resource| ResourcePlace { tag, id: id.clone(), resource: resource.clone() })
}
