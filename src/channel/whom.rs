//! Who is told of the end of a channel. Nobody is named, since there may be many. Their records say who they are, until
//! these are cleared.

use super::crowd::{Ordered, WAITING, by_id};
use super::{Channel, Guest, Member, Node, Status};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// A group of people of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Whom {
    /// Participants and guests who subscribe to a node, without one account.
    Subscribers(Node, Option<BareJid>),
    /// Guests who do not subscribe to a node.
    OtherGuests(Node),
    /// People who wait, at their bare JIDs.
    Waiting,
    /// People who wait and participants, at their bare JIDs.
    Members,
}

impl Whom {
    /// Whether the stanza goes to bare JIDs, even if no resource there takes MIX traffic.
    pub fn is_mailed(&self) -> bool {
        matches!(self, Whom::Waiting | Whom::Members)
    }

    /// Whether a member is among them.
    pub fn has_member(&self, member: &Member) -> bool {
        match self {
            Whom::Subscribers(node, except) => {
                member.is_joined() && member.subscriptions.contains(*node) && except.as_ref() != Some(&member.jid)
            }
            Whom::OtherGuests(_) => false,
            Whom::Waiting => member.status == Status::Waiting,
            Whom::Members => member.status != Status::Left,
        }
    }

    /// Whether a guest is among them.
    pub fn has_guest(&self, guest: &Guest) -> bool {
        match self {
            Whom::Subscribers(node, except) => {
                guest.subscriptions.contains(*node) && except.as_ref() != Some(&guest.jid)
            }
            Whom::OtherGuests(node) => !guest.subscriptions.is_empty() && !guest.subscriptions.contains(*node),
            Whom::Waiting | Whom::Members => false,
        }
    }
}

impl Channel {
    /// Whether anybody is among `whom`.
    pub fn has_those(&self, whom: &Whom) -> bool {
        match whom {
            Whom::Subscribers(..) => true,
            Whom::OtherGuests(_) => self.guests().any(|guest| whom.has_guest(guest)),
            Whom::Waiting => self.waiting_count() > 0,
            Whom::Members => self.waiting_count() + self.participant_count() > 0,
        }
    }

    /// The accounts of `whom`: participants in the order of their ids, others in the order of accounts.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn those(&self, whom: &Whom) -> Vec<BareJid> {
        let members: Vec<&Member> = match whom {
            Whom::OtherGuests(_) => Vec::new(),
            Whom::Waiting => self.people(WAITING).rising(0).collect(),
            Whom::Subscribers(..) | Whom::Members => by_id(self.members().filter(|member| whom.has_member(member))),
        };
        let guests = self.guests().filter(|guest| whom.has_guest(guest)).map(|guest| &guest.jid);
        members.into_iter().map(|member| &member.jid).chain(guests).cloned().collect()
    }
}
