//! XEP-0045: who is in the room that a channel is: everybody with a seat, and participants whom the channel sends its messages
//! to.

use super::crowd::{Chosen, Ordered, READING, mark_of};
use super::{Action, Actor, Channel, Limits, Member, Node, Seats};
use crate::steps::Counted;

impl Channel {
    /// How many people are in the room. It looks at those with a seat alone.
    pub fn occupant_count(&self, seats: &Seats) -> usize {
        let listening = self.crowd.seats.count(mark_of(Node::Messages)) - self.crowd.seats.count(READING);
        let is_counted = |member: &Member| member.subscriptions.contains(Node::Messages);
        // Who passes by has no record, so the rest of a room is looked at, where there is one.
        let of_record = if seats.passer_by_count() < seats.count() { usize::MAX } else { 0 };
        let seated = seats.accounts().take(of_record).counted().filter_map(|account| self.participant(account));
        seats.count() + listening - seated.filter(|member| is_counted(member)).count()
    }

    /// Who is in the room, in the order of nicks: the ids of passers-by are made of accounts, which their order would tell
    /// something of.
    pub fn occupants<'a>(&'a self, seats: &'a Seats) -> Chosen<&'a Member> {
        let is_shown = |member: &&Member| member.subscriptions.contains(Node::Messages) || seats.is_seated(&member.jid);
        let members = self.participants_by_id();
        let members: Vec<&Member> = members.rising(0).filter(is_shown).collect();
        Chosen::new(members.into_iter().chain(seats.passers_by().counted()), |member| member.nick.as_str())
    }

    /// XEP-0045 §6.5: whether somebody is shown who is in the room: whoever has a seat has seen them come, and a participant
    /// that is sent the messages sees them where it may read the participants.
    pub(super) fn shows_occupants_to(&self, actor: &Actor, seats: &Seats, limits: &Limits) -> bool {
        let role = self.role_of(&actor.account, actor.operator);
        let listens = |member: &Member| member.subscriptions.contains(Node::Messages);
        let hears = self.participant(&actor.account).is_some_and(listens);
        seats.is_seated(&actor.account) || (hears && self.allows(role, Action::ListParticipants, limits))
    }
}
