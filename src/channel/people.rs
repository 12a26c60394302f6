//! The people of a channel as lists in order, of which any part is found at once.

use super::crowd::{JOINED, Marked, Seat, WAITING, mark_of};
use super::roll::Marks;
use super::{Channel, Member, Node, ParticipantId};
use crate::steps::Counted;
use jid::BareJid;
use std::cmp::Ordering;

impl Channel {
    /// Those who bear one of these marks, in the order of accounts, as they are shown.
    pub(super) fn seats<'a, T>(
        &'a self,
        wanted: Marks,
        show: impl Fn(&'a Seat) -> Option<T> + 'a,
    ) -> Marked<'a, Seat, T> {
        Marked { roll: &self.crowd.seats, wanted, compare: by_account, show: Box::new(show) }
    }

    /// Those who bear one of these marks, in the order of accounts; not guests.
    pub fn people<'a>(&'a self, wanted: Marks) -> Marked<'a, Seat, &'a Member> {
        self.seats(wanted, |(_, id)| id.as_ref().and_then(|id| self.member_of(id)))
    }

    /// The accounts of those who bear one of these marks, guests included, in their order.
    fn accounts<'a>(&'a self, wanted: Marks) -> Marked<'a, Seat, &'a BareJid> {
        self.seats(wanted, |(jid, _)| Some(jid))
    }

    /// Everybody who subscribes to a node, in the order of accounts.
    pub fn subscribers(&self, node: Node) -> Marked<'_, Seat, &BareJid> {
        self.accounts(mark_of(node))
    }

    /// Whether anybody subscribes to a node.
    pub fn has_subscribers(&self, node: Node) -> bool {
        self.crowd.seats.count(mark_of(node)) > 0
    }

    /// Those who are in a closed channel or wait: its list of those who may join.
    pub fn admitted(&self) -> Marked<'_, Seat, &BareJid> {
        self.accounts(JOINED | WAITING)
    }

    /// Everybody who is in the channel, in the order of their ids.
    pub fn participants_by_id<'a>(&'a self) -> Marked<'a, ParticipantId, &'a Member> {
        let compare = |key: &ParticipantId, id: &str| key.as_str().cmp(id);
        let show = |id: &'a ParticipantId| self.member_of(id);
        Marked { roll: &self.crowd.ids, wanted: super::roll::LISTED, compare, show: Box::new(show) }
    }

    /// Where somebody stands among those who bear one of these marks.
    pub(super) fn place_of(&self, wanted: Marks, jid: &str, id: Option<&ParticipantId>) -> Option<usize> {
        self.crowd.seats.position(wanted, |seat| by_account_and_id(seat).cmp(&(jid, id)))
    }

    /// How many of those who bear one of these marks come up to a seat, whoever has that one; in the order of accounts.
    pub(super) fn count_up_to(&self, wanted: Marks, jid: &str, id: Option<&ParticipantId>) -> usize {
        let compare = |seat: &Seat| match by_account_and_id(seat) <= (jid, id) {
            true => Ordering::Less,
            false => Ordering::Greater,
        };
        self.crowd.seats.rank(wanted, compare)
    }

    /// How many of a domain are in it or wait.
    pub(super) fn count_of_domain(&self, domain: &str) -> usize {
        self.crowd.domains.get(domain).copied().unwrap_or(0)
    }

    /// Whether any guest is of a domain.
    pub(super) fn has_guests_of(&self, domain: &str) -> bool {
        self.crowd.guest_domains.contains_key(domain)
    }

    /// Those who are in a group, whoever has been there longest first.
    pub(super) fn seniors(&self) -> impl Iterator<Item = &BareJid> {
        self.crowd.seniors.iter().counted().map(|(_, jid)| jid)
    }
}

fn by_account((jid, _): &Seat, id: &str) -> Ordering {
    jid.as_str().cmp(id)
}

fn by_account_and_id((jid, id): &Seat) -> (&str, Option<&ParticipantId>) {
    (jid.as_str(), id.as_ref())
}
