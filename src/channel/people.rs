//! The people of a channel as ordered lists. Any part of a list is found at once.

use super::crowd::{JOINED, Marked, PersonKey, WAITING, mark_of};
use super::roll::Marks;
use super::{Channel, Member, Node, ParticipantId};
use crate::steps::Counted;
use jid::BareJid;
use std::cmp::Ordering;

impl Channel {
    /// Those with one of these marks, in the order of accounts. `show` makes of a seat what is shown.
    pub(super) fn seats<'a, T>(
        &'a self,
        wanted: Marks,
        show: impl Fn(&'a PersonKey) -> Option<T> + 'a,
    ) -> Marked<'a, PersonKey, T> {
        Marked { roll: &self.crowd.seats, wanted, compare: by_account, show: Box::new(show) }
    }

    /// The members with one of these marks, in the order of accounts, without guests.
    pub fn people<'a>(&'a self, wanted: Marks) -> Marked<'a, PersonKey, &'a Member> {
        self.seats(wanted, |(_, id)| id.as_ref().and_then(|id| self.member_of(id)))
    }

    /// The accounts of those with one of these marks, guests included, in order.
    fn accounts<'a>(&'a self, wanted: Marks) -> Marked<'a, PersonKey, &'a BareJid> {
        self.seats(wanted, |(jid, _)| Some(jid))
    }

    /// The subscribers of a node, in the order of accounts.
    pub fn subscribers(&self, node: Node) -> Marked<'_, PersonKey, &BareJid> {
        self.accounts(mark_of(node))
    }

    /// How many subscribe to a node.
    pub fn subscriber_count(&self, node: Node) -> usize {
        self.crowd.seats.count(mark_of(node))
    }

    /// Whether anybody subscribes to a node.
    pub fn has_subscribers(&self, node: Node) -> bool {
        self.subscriber_count(node) > 0
    }

    /// The list of those who may join a closed channel: its participants and those who wait.
    pub fn admitted(&self) -> Marked<'_, PersonKey, &BareJid> {
        self.accounts(JOINED | WAITING)
    }

    /// The participants, in the order of their ids.
    pub fn participants_by_id<'a>(&'a self) -> Marked<'a, ParticipantId, &'a Member> {
        let compare = |key: &ParticipantId, id: &str| key.as_str().cmp(id);
        let show = |id: &'a ParticipantId| self.member_of(id);
        Marked { roll: &self.crowd.ids, wanted: super::roll::LISTED, compare, show: Box::new(show) }
    }

    /// The index of somebody among those with one of these marks.
    pub(super) fn place_of(&self, wanted: Marks, jid: &str, id: Option<&ParticipantId>) -> Option<usize> {
        self.crowd.seats.position(wanted, |seat| by_account_and_id(seat).cmp(&(jid, id)))
    }

    /// How many of those with one of these marks come before a seat or have it, in the order of accounts.
    pub(super) fn count_up_to(&self, wanted: Marks, jid: &str, id: Option<&ParticipantId>) -> usize {
        let compare = |seat: &PersonKey| match by_account_and_id(seat) <= (jid, id) {
            true => Ordering::Less,
            false => Ordering::Greater,
        };
        self.crowd.seats.rank(wanted, compare)
    }

    /// How many participants and people who wait are of a domain.
    pub(super) fn count_of_domain(&self, domain: &str) -> usize {
        self.crowd.domains.get(domain).copied().unwrap_or(0)
    }

    /// Whether a guest is of a domain.
    pub(super) fn has_guests_of(&self, domain: &str) -> bool {
        self.crowd.guest_domains.contains_key(domain)
    }

    /// The participants of a group, those who have been in the longest first.
    pub(super) fn seniors(&self) -> impl Iterator<Item = &BareJid> {
        self.crowd.seniors.iter().counted().map(|(_, jid)| jid)
    }
}

fn by_account((jid, _): &PersonKey, id: &str) -> Ordering {
    jid.as_str().cmp(id)
}

fn by_account_and_id((jid, id): &PersonKey) -> (&str, Option<&ParticipantId>) {
    (jid.as_str(), id.as_ref())
}
