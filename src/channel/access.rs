//! Who may subscribe to which node, and who may change what, in the words of XEP-0406 §2.1 and §2.4.

use super::rules::Rules;
use super::{Channel, Node, Role};
use jid::BareJid;
use serde::{Deserialize, Serialize};

/// To whom something is open, from fewest to most; owners and admins are among all that are wider than they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Nobody at all.
    Nobody,
    /// The owners.
    Owners,
    /// Those, and the admins.
    Admins,
    /// Those, and whoever is in the channel.
    #[default]
    Participants,
    /// Those, and whoever may join as far as the lists go.
    Allowed,
    /// Everybody, those who are banned included.
    Anyone,
}

/// Who may subscribe to which node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAccess {
    /// To the messages.
    pub messages: Access,
    /// To the participants, and read them.
    pub participants: Access,
    /// To the presence of participants.
    pub presence: Access,
    /// To the information, and to the picture and the video with it.
    pub information: Access,
    /// To the list of those who may join, and read it.
    pub allowed: Access,
    /// To the list of those who may not, and read it.
    pub banned: Access,
    /// To the configuration, and read it.
    pub configuration: Access,
}

impl NodeAccess {
    /// What every guest may subscribe to, or none.
    pub fn of_guests(guests: Access, configuration: Access) -> NodeAccess {
        let lists = Access::Admins;
        NodeAccess { allowed: lists, banned: lists, configuration, ..NodeAccess::default() }.with_guests(guests)
    }

    /// The same for all nodes that guests may subscribe to, and the others as they are.
    pub fn with_guests(self, guests: Access) -> NodeAccess {
        NodeAccess { messages: guests, participants: guests, presence: guests, information: guests, ..self }
    }

    /// Whether lists and configuration are open to the same people.
    pub fn lists_as(&self, other: &NodeAccess) -> bool {
        (self.allowed, self.banned, self.configuration) == (other.allowed, other.banned, other.configuration)
    }

    /// Whether there is a node that everybody may subscribe to.
    pub fn is_open(&self) -> bool {
        [self.messages, self.participants, self.presence, self.information].contains(&Access::Anyone)
    }
}

impl Default for NodeAccess {
    /// The defaults of XEP-0406 §2.4.
    fn default() -> NodeAccess {
        NodeAccess {
            messages: Access::Participants,
            participants: Access::Participants,
            presence: Access::Participants,
            information: Access::Participants,
            allowed: Access::Admins,
            banned: Access::Admins,
            configuration: Access::Owners,
        }
    }
}

/// Who may do what in a plain channel, as its owner settled it. Those of groups are settings of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Change the information: participants, admins or owners.
    pub describe: Access,
    /// Change the picture and the video: the same.
    pub picture: Access,
    /// Retract anybody's messages: nobody, admins or owners.
    pub moderate: Access,
    /// Whether participants retract messages of their own.
    pub retract_own: bool,
}

impl Default for Grants {
    /// The defaults of XEP-0406 §2.4.
    fn default() -> Grants {
        Grants { describe: Access::Admins, picture: Access::Admins, moderate: Access::Owners, retract_own: false }
    }
}

impl Role {
    /// Whether something open to these is open to somebody of this role. A role says nothing of who may join.
    pub fn is_among(self, access: Access) -> bool {
        match access {
            Access::Nobody => false,
            Access::Owners => self >= Role::AbsentOwner,
            Access::Admins => self >= Role::AbsentAdmin,
            Access::Participants => self >= Role::Participant,
            Access::Allowed | Access::Anyone => true,
        }
    }
}

impl Channel {
    /// Who may subscribe to a node.
    pub fn access_to(&self, node: Node) -> Access {
        Rules::of(self).access_to(node)
    }

    /// Whether an account may subscribe to a node.
    pub fn may_subscribe(&self, account: &BareJid, node: Node) -> bool {
        Rules::of(self).open(account, node, self.participant(account).is_some())
    }

    /// Whether an account may subscribe to a node once it is in the channel.
    pub fn may_subscribe_inside(&self, account: &BareJid, node: Node) -> bool {
        Rules::of(self).open(account, node, true)
    }

    /// Those who are told what happens on a node that is not open to all participants, in the order of ids; `None`
    /// where it is. A role may end before a subscription does, which rests then.
    pub fn told_of(&self, node: Node) -> Option<Vec<BareJid>> {
        if self.access_to(node) >= Access::Participants {
            return None;
        }
        if !self.has_subscribers(node) {
            return Some(Vec::new());
        }
        let rights = self.rights();
        let candidates = rights.owners.iter().chain(&rights.admins);
        let is_told = |jid: &&BareJid| self.subscriptions_of(jid).contains(node) && self.may_subscribe(jid, node);
        let mut told: Vec<BareJid> = candidates.filter(is_told).cloned().collect();
        told.sort_unstable();
        told.dedup();
        told.sort_by_cached_key(|jid| self.participant(jid).map(|member| member.id.clone()));
        Some(told)
    }
}
