//! Who may subscribe to which node, and who may change what, in the words of XEP-0406 §2.1 and §2.4.

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
