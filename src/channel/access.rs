//! XEP-0406 §2.1, §2.4: who may subscribe to which node, and who may change what.

use serde::{Deserialize, Serialize};

/// To whom something is open, from the fewest to the most. Each value includes those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Nobody at all.
    Nobody,
    /// The owners.
    Owners,
    /// The owners and the admins.
    Admins,
    /// Those, and all participants.
    #[default]
    Participants,
    /// Those, and everybody who may join by the lists.
    Allowed,
    /// Everybody, also those who are banned.
    Anyone,
}

/// Who may subscribe to which node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeAccess {
    /// Who may subscribe to the messages.
    pub messages: Access,
    /// Who may subscribe to the participants and read them.
    pub participants: Access,
    /// Who may subscribe to the presence of participants.
    pub presence: Access,
    /// Who may subscribe to the information, the picture and the video.
    pub information: Access,
    /// Who may subscribe to the list of those who may join, and read it.
    pub allowed: Access,
    /// Who may subscribe to the list of those who may not join, and read it.
    pub banned: Access,
    /// Who may subscribe to the configuration, and read it.
    pub configuration: Access,
}

impl NodeAccess {
    /// The access where guests have the same access to every node that is possible for guests.
    pub fn of_guests(guests: Access, configuration: Access) -> NodeAccess {
        let lists = Access::Admins;
        NodeAccess { allowed: lists, banned: lists, configuration, ..NodeAccess::default() }.with_guests(guests)
    }

    /// The same access with `guests` for every node that is possible for guests.
    pub fn with_guests(self, guests: Access) -> NodeAccess {
        NodeAccess { messages: guests, participants: guests, presence: guests, information: guests, ..self }
    }

    /// Whether the lists and the configuration are open to the same people in both.
    pub fn lists_as(&self, other: &NodeAccess) -> bool {
        (self.allowed, self.banned, self.configuration) == (other.allowed, other.banned, other.configuration)
    }

    /// Whether there is a node to which everybody may subscribe.
    pub fn is_open(&self) -> bool {
        [self.messages, self.participants, self.presence, self.information].contains(&Access::Anyone)
    }
}

impl Default for NodeAccess {
    /// XEP-0406 §2.4 names these defaults.
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

/// Who may do what in a channel, as its owner settled it. For groups, the service settles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grants {
    /// Who may change the information: participants, admins or owners.
    pub describe: Access,
    /// Who may change the picture and the video: participants, admins or owners.
    pub picture: Access,
    /// Who may retract the messages of others: nobody, admins or owners.
    pub moderate: Access,
    /// Whether participants may retract their own messages.
    pub retract_own: bool,
    /// XEP-0045 §8.1: who may change the topic besides moderators: participants or admins.
    pub subject: Access,
}

impl Default for Grants {
    /// XEP-0406 §2.4 names these defaults, and XEP-0045 §8.1 that of the topic.
    fn default() -> Grants {
        Grants {
            describe: Access::Admins,
            picture: Access::Admins,
            moderate: Access::Owners,
            retract_own: false,
            subject: Access::Admins,
        }
    }
}
