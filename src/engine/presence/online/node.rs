//! The presence node of one channel, by participant id: the order is visible outside.

use crate::channel::{ChannelName, ParticipantId};
use crate::xep::availability::{Availability, SharedPresence};
use crate::xep::mix_presence::Resource;
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// The size of an entry without its texts, in bytes.
pub(super) const ENTRY_BYTES: usize = 256;

/// A participant's resource in a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourcePlace {
    /// The channel's tag.
    pub tag: u64,
    /// The participant id.
    pub id: ParticipantId,
    /// The real resource.
    pub resource: String,
}

/// The presence of one resource in one channel.
#[derive(Debug, Default)]
pub struct PresenceEntry {
    /// Its presence. `None`: unavailable.
    pub says: Option<Availability>,
    /// What was delivered last. `None`: nothing, or `unavailable`.
    pub told: Option<SharedPresence>,
    /// The priority of what was delivered last.
    pub priority: i8,
    /// Whether it became available and has not got the others' presence.
    pub is_new: bool,
}

impl PresenceEntry {
    /// The bytes that count. An unavailable resource counts nothing, because it will be removed.
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
    /// Of the resources that are shown, the one of the highest priority.
    fn best(&self) -> Option<Resource<'_>> {
        let priority = |it: &Resource<'_>| self.resources.get(it.resource).map(|entry| entry.priority);
        self.told().into_iter().rev().max_by_key(priority)
    }

    /// What was delivered of its resources, ordered by the resource shown. The order of hidden real resources would
    /// reveal something.
    fn told(&self) -> Vec<Resource<'_>> {
        let told = self.resources.iter().filter_map(|(resource, entry)| {
            Some(Resource { account: &self.account, resource, shared: entry.told.as_ref()? })
        });
        let mut told: Vec<_> = told.collect();
        told.sort_unstable_by_key(Resource::shown_resource);
        told
    }
}

/// The presence node of one channel.
#[derive(Debug)]
pub(super) struct PresenceNode {
    pub name: ChannelName,
    pub people: BTreeMap<ParticipantId, PersonOnline>,
    /// Participants whose presence was delivered at some time: one of them that is not among the people is offline.
    pub seen: BTreeSet<ParticipantId>,
}

/// What is known of a participant's presence.
#[derive(Clone, Copy, Debug)]
pub enum Known<'a> {
    /// Of its resources that are shown, the one of the highest priority.
    At(Resource<'a>),
    /// It is offline.
    Offline,
}

impl PresenceNode {
    /// An empty node.
    pub fn new(name: ChannelName) -> PresenceNode {
        PresenceNode { name, people: BTreeMap::new(), seen: BTreeSet::new() }
    }

    /// The entry of a resource.
    pub fn entry(&self, place: &ResourcePlace) -> Option<&PresenceEntry> {
        self.people.get(&place.id)?.resources.get(&place.resource)
    }

    /// What was delivered of everybody.
    pub fn told(&self) -> impl Iterator<Item = Resource<'_>> {
        self.people.values().flat_map(PersonOnline::told)
    }

    /// What was delivered of one participant.
    pub fn told_of(&self, id: &ParticipantId) -> Vec<Resource<'_>> {
        self.people.get(id).map(PersonOnline::told).unwrap_or_default()
    }

    /// What is known of a participant's presence, if anything is.
    pub fn known_of(&self, id: &ParticipantId) -> Option<Known<'_>> {
        let best = self.people.get(id).and_then(PersonOnline::best).map(Known::At);
        best.or_else(|| self.seen.contains(id).then_some(Known::Offline))
    }

    /// Whether nothing is known of anybody.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && self.seen.is_empty()
    }

    /// All entries.
    pub fn places(&self, tag: u64) -> impl Iterator<Item = ResourcePlace> {
        self.people.iter().flat_map(move |(id, person)| places_of(tag, id, person))
    }
}

/// The entries of one participant.
pub(super) fn places_of(tag: u64, id: &ParticipantId, person: &PersonOnline) -> impl Iterator<Item = ResourcePlace> {
    person.resources.keys().map(move |resource| ResourcePlace { tag, id: id.clone(), resource: resource.clone() })
}
