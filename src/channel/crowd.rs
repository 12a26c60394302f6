//! The people of a channel as ordered lists: participants, those who wait, those who left, and guests. Any part of a
//! list is found at once.

use super::roll::{Marks, Roll};
use super::{Guest, JidPreference, Member, Node, NodeSet, ParticipantId, Stamp, Status, Visibility};
use crate::share::lower;
use jid::BareJid;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

/// A participant.
pub const JOINED: Marks = 1 << 12;
/// Added, and has not joined yet.
pub const WAITING: Marks = 1 << 13;
/// Left.
pub const LEFT: Marks = 1 << 14;
/// Left, and its JID was hidden.
pub const VEILED: Marks = 1 << 15;
/// A guest who subscribes to the messages.
pub const READING: Marks = 1 << 16;
/// A participant whose preference does not allow visible JIDs.
const WANTS_HIDING: Marks = 1 << 17;
/// A participant whose preference does not allow hidden JIDs.
const WANTS_SHOWING: Marks = 1 << 18;
/// A participant that does not share its presence.
pub const WANTS_QUIET: Marks = 1 << 19;

/// The marks of participants alone.
pub const JOINED_MARKS: Marks = JOINED | WANTS_HIDING | WANTS_SHOWING | WANTS_QUIET;

/// An account with the participant id of its record. Guests have no id.
pub type PersonKey = (BareJid, Option<ParticipantId>);

/// The lists of a channel's people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crowd {
    /// Everybody, in the order of accounts, with the marks above and a mark for each node that somebody subscribes to.
    pub(super) seats: Roll<PersonKey>,
    /// The participants, in the order of their ids.
    pub(super) ids: Roll<ParticipantId>,
    /// The participants of a group, by how long they have been in, the longest first. Empty in other channels.
    pub(super) seniors: BTreeSet<(Stamp, BareJid)>,
    /// How many participants and people who wait are of each domain.
    pub(super) domains: HashMap<String, usize>,
    /// How many guests are of each domain.
    pub(super) guest_domains: HashMap<String, usize>,
}

impl Crowd {
    /// The ids of participants, in order.
    pub(super) fn into_ids(self) -> impl Iterator<Item = ParticipantId> {
        self.ids.into_keys()
    }
}

/// A list in order, of which parts are shown.
pub trait Ordered {
    /// An entry.
    type Item;

    /// The number of entries.
    fn count(&self) -> usize;

    /// The index of the entry with this id.
    fn position(&self, id: &str) -> Option<usize>;

    /// The entry with this id.
    fn find(&self, id: &str) -> Option<Self::Item>;

    /// The entries from an index on.
    fn rising(&self, from: usize) -> impl Iterator<Item = Self::Item>;

    /// The entries before an index, the last one first.
    fn falling(&self, to: usize) -> impl Iterator<Item = Self::Item>;
}

/// The entries with one of some marks. Each entry has one of these at most.
pub struct Marked<'a, K, T> {
    pub(super) roll: &'a Roll<K>,
    pub(super) wanted: Marks,
    pub(super) compare: fn(&K, &str) -> Ordering,
    pub(super) show: Box<dyn Fn(&'a K) -> Option<T> + 'a>,
}

impl<'a, K: Ord, T> Marked<'a, K, T> {
    /// The marks.
    pub fn wanted(&self) -> Marks {
        self.wanted
    }

    /// How many entries come before the place of this id, whether or not there is such an entry.
    pub fn rank(&self, id: &str) -> usize {
        self.roll.rank(self.wanted, |key| (self.compare)(key, id))
    }
}

impl<'a, K: Ord, T> Ordered for Marked<'a, K, T> {
    type Item = T;

    fn count(&self) -> usize {
        self.roll.count(self.wanted)
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.roll.position(self.wanted, |key| (self.compare)(key, id))
    }

    fn find(&self, id: &str) -> Option<T> {
        self.roll.get(self.wanted, |key| (self.compare)(key, id)).and_then(|key| (self.show)(key))
    }

    fn rising(&self, from: usize) -> impl Iterator<Item = T> {
        self.roll.rising(self.wanted, from).filter_map(|key| (self.show)(key))
    }

    fn falling(&self, to: usize) -> impl Iterator<Item = T> {
        self.roll.falling(self.wanted, to).filter_map(|key| (self.show)(key))
    }
}

/// Some entries, in the order of their ids.
pub struct Chosen<T> {
    chosen: Vec<T>,
    id: fn(&T) -> &str,
}

impl<T: Copy> Chosen<T> {
    /// Puts entries in order.
    pub fn new(chosen: impl Iterator<Item = T>, id: fn(&T) -> &str) -> Chosen<T> {
        let mut chosen: Vec<T> = chosen.collect();
        chosen.sort_unstable_by(|a, b| id(a).cmp(id(b)));
        chosen.dedup_by(|a, b| id(a) == id(b));
        Chosen { chosen, id }
    }
}

impl<T: Copy> Ordered for Chosen<T> {
    type Item = T;

    fn count(&self) -> usize {
        self.chosen.len()
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.chosen.binary_search_by(|one| (self.id)(one).cmp(id)).ok()
    }

    fn find(&self, id: &str) -> Option<T> {
        self.position(id).map(|at| self.chosen[at])
    }

    fn rising(&self, from: usize) -> impl Iterator<Item = T> {
        self.chosen.iter().skip(from).copied()
    }

    fn falling(&self, to: usize) -> impl Iterator<Item = T> {
        self.chosen[..to].iter().rev().copied()
    }
}

/// The accounts and domains of a list, in order.
pub fn listed(list: &Roll<BareJid>) -> Marked<'_, BareJid, &BareJid> {
    let compare = |key: &BareJid, id: &str| key.as_str().cmp(id);
    Marked { roll: list, wanted: super::roll::LISTED, compare, show: Box::new(Some) }
}

fn nodes(subscriptions: NodeSet) -> Marks {
    subscriptions.iter().map(mark_of).sum()
}

/// The mark of those who subscribe to a node.
pub(super) fn mark_of(node: Node) -> Marks {
    1 << node as u32
}

/// The marks of a member in the list of everybody.
pub(super) fn marks_of(member: &Member) -> Marks {
    let preferences = member.preferences;
    match member.status {
        Status::Joined => {
            let hiding = if preferences.jid == JidPreference::Never { WANTS_HIDING } else { 0 };
            let showing = if preferences.jid == JidPreference::Always { WANTS_SHOWING } else { 0 };
            let quiet = if preferences.hides_presence { WANTS_QUIET } else { 0 };
            JOINED | nodes(member.subscriptions) | hiding | showing | quiet
        }
        Status::Waiting => WAITING,
        Status::Left if member.veiled => VEILED,
        Status::Left => LEFT,
    }
}

/// The marks of people whose preferences do not allow a channel with this visibility.
pub fn unbearable(visibility: Visibility) -> Marks {
    match visibility {
        Visibility::Visible => WANTS_HIDING,
        Visibility::Maybe => 0,
        Visibility::Hidden => WANTS_SHOWING,
    }
}

impl Crowd {
    /// Adds a record.
    pub(super) fn note(&mut self, member: &Member, is_group: bool) {
        self.seats.set((member.jid.clone(), Some(member.id.clone())), marks_of(member));
        if member.is_joined() {
            self.ids.insert(member.id.clone());
            if is_group {
                self.seniors.insert((member.since, member.jid.clone()));
            }
        }
        if member.status != Status::Left {
            *self.domains.entry(member.jid.domain().as_str().to_owned()).or_default() += 1;
        }
    }

    /// Puts the participants among these members in order by how long they have been in. There are none, unless the
    /// channel is a group.
    pub(super) fn rank<'a>(&mut self, members: impl Iterator<Item = &'a Member>) {
        let seated = members.filter(|member| member.is_joined());
        self.seniors = seated.map(|member| (member.since, member.jid.clone())).collect();
    }

    /// Removes a record.
    pub(super) fn forget(&mut self, member: &Member) {
        self.seats.set((member.jid.clone(), Some(member.id.clone())), 0);
        if member.is_joined() {
            self.ids.remove(&member.id);
            self.seniors.remove(&(member.since, member.jid.clone()));
        }
        if member.status != Status::Left {
            lower(&mut self.domains, member.jid.domain().as_str());
        }
    }

    /// Adds a guest, or removes one without subscriptions. `was` says whether it was a guest before.
    pub(super) fn note_guest(&mut self, guest: &Guest, was: bool) {
        let domain = guest.jid.domain().as_str();
        match (was, !guest.subscriptions.is_empty()) {
            (false, true) => *self.guest_domains.entry(domain.to_owned()).or_default() += 1,
            (true, false) => lower(&mut self.guest_domains, domain),
            _ => {}
        }
        let reads = if guest.subscriptions.contains(Node::Messages) { READING } else { 0 };
        self.seats.set((guest.jid.clone(), None), nodes(guest.subscriptions) | reads);
    }
}

/// People in the order of their ids, sorted at once.
pub fn by_id<'a>(people: impl Iterator<Item = &'a Member>) -> Vec<&'a Member> {
    // Ids mostly differ in their first characters.
    let mut people: Vec<(u64, &Member)> = people.map(|member| (member.id.head(), member)).collect();
    people.sort_unstable_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.id.cmp(&other.id)));
    people.into_iter().map(|(_, member)| member).collect()
}
