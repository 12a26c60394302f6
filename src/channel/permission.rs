//! Who may do what: one table for plain channels and one for groups, by role and action.
//!
//! The owner of a plain channel settles a part of it ([`Settings`]). For groups, the service settles the lowest rank
//! for each action ([`GroupRights`]). It does not settle which role a group demands besides: in it, waiting for it, or
//! in it once.

use super::limits::{GroupRights, Rank};
use super::{Access, Node, Refusal, Settings};

/// The role of an account in a channel, from lowest to highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Never was in the channel, or left it and dropped it from its list.
    Outsider,
    /// Was in the channel.
    Former,
    /// Added, and has not joined yet.
    Waiting,
    /// In the room by XEP-0045 alone, without a record.
    Passing,
    /// In the channel.
    Participant,
    /// XEP-0045 §9.6: in the room, and made a moderator for the visit. Of what others may not do, it may do alone what
    /// [`Action::is_of_moderators`] says.
    Moderator,
    /// An admin of a plain channel who is not in it.
    AbsentAdmin,
    /// An admin who is in the channel.
    Admin,
    /// An owner of a plain channel who is not in it.
    AbsentOwner,
    /// An owner who is in the channel.
    Owner,
    /// An operator of the service who is not in the channel.
    Operator,
}

impl Role {
    /// Every role.
    pub const ALL: [Role; 11] = [
        Role::Outsider,
        Role::Former,
        Role::Waiting,
        Role::Passing,
        Role::Participant,
        Role::Moderator,
        Role::AbsentAdmin,
        Role::Admin,
        Role::AbsentOwner,
        Role::Owner,
        Role::Operator,
    ];
}

/// Something that an account may do in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read the description of the channel, its information and pictures, and its profile.
    See,
    /// Join.
    Join,
    /// Leave, or decline.
    Leave,
    /// Send messages and chat states.
    Send,
    /// Change one's own nick and subscriptions.
    Attend,
    /// Send a request or a private message to another participant through the channel.
    Correspond,
    /// Read the participants node.
    ListParticipants,
    /// Read the archive.
    ReadHistory,
    /// Report how far messages came, and ask how far they came.
    Report,
    /// Hide rows from oneself, or clear the history for oneself.
    OwnView,
    /// Drop the channel from one's own list.
    Forget,
    /// Say what the channel is about at the moment (XEP-0045 §8.1).
    Subject,
    /// Retract one's own messages.
    Retract,
    /// Retract the messages of others.
    Moderate,
    /// XEP-0045 §8.2: put somebody out of the room.
    Kick,
    /// XEP-0045 §8.3: give voice, and take it.
    Voice,
    /// See the JIDs of those in the room where JIDs are hidden.
    SeeJids,
    /// XEP-0045 §9.3, §9.6: make members and moderators.
    Enrol,
    /// Publish to the information node.
    Describe,
    /// Change the picture.
    Picture,
    /// Change the video.
    Video,
    /// Add or invite people.
    Add,
    /// Remove people.
    Remove,
    /// Make admins.
    Promote,
    /// Unmake admins.
    Demote,
    /// Read and change the lists of those who may join and may not.
    Lists,
    /// Change settings.
    Configure,
    /// Announce something to the subscribers of the messages node.
    Announce,
    /// Set how long rows are kept.
    Retain,
    /// Destroy the channel.
    Destroy,
}

impl Action {
    /// Whether whoever was made a moderator for a visit may do more of this than a participant.
    pub fn is_of_moderators(self) -> bool {
        matches!(self, Action::Moderate | Action::Subject | Action::Kick | Action::Voice | Action::SeeJids)
    }
}

/// The role of an account at the service, from lowest to highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceRole {
    /// Anybody.
    Anybody,
    /// An account whose domain may create channels.
    Creator,
    /// An operator.
    Operator,
}

/// Something that an account may do at the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceAction {
    /// Create channels.
    Create,
    /// See all channels, announce something to everybody, and use a channel's commands at the service.
    Administer,
}

impl ServiceRole {
    /// The table of the service: whether this role may do something.
    pub fn may(self, action: ServiceAction) -> bool {
        match action {
            ServiceAction::Create => self >= ServiceRole::Creator,
            ServiceAction::Administer => self >= ServiceRole::Operator,
        }
    }
}

impl ServiceAction {
    /// The refusal where a role is too low for it.
    pub fn refusal(self) -> Refusal {
        match self {
            ServiceAction::Create => Refusal::NotAllowed("you may not create channels here"),
            ServiceAction::Administer => Refusal::Forbidden("only an operator of the service may do this"),
        }
    }
}

impl Role {
    /// XEP-0406 §2.4: the table of plain channels, with the settings of one.
    pub fn may(self, action: Action, settings: &Settings) -> bool {
        use Role::*;
        let grants = &settings.grants;
        match action {
            Action::See | Action::Join => true,
            Action::Send | Action::Attend | Action::Correspond => self.is_seated() || self == Passing,
            Action::Subject if grants.subject == Access::Participants => self.is_seated() || self == Passing,
            Action::Subject => self == Moderator || self.is_among(grants.subject),
            Action::Leave | Action::Report | Action::OwnView => self.is_seated(),
            Action::Retract => (self.is_seated() || self == Passing) && grants.retract_own,
            Action::Forget => self == Former,
            Action::ReadHistory => self >= Passing,
            // An owner may list participants, whatever the settings say.
            Action::ListParticipants => {
                let listed = !settings.switched_off.contains(Node::Participants);
                // Whoever passes by reads what participants may.
                let reader = if self == Passing { Participant } else { self };
                let open = listed && reader >= Participant && reader.is_among(settings.access.participants);
                open || self.is_among(Access::Owners)
            }
            Action::Moderate if self == Moderator => AbsentAdmin.is_among(grants.moderate),
            Action::Moderate => self.is_among(grants.moderate),
            Action::Kick | Action::Voice | Action::SeeJids => self >= Moderator,
            Action::Add if settings.members_add => self >= Participant,
            Action::Add | Action::Remove | Action::Enrol | Action::Lists | Action::Announce | Action::Retain => {
                self >= AbsentAdmin
            }
            Action::Describe => self.is_among(grants.describe),
            Action::Picture | Action::Video => self.is_among(grants.picture),
            Action::Promote | Action::Demote | Action::Configure | Action::Destroy => self >= AbsentOwner,
        }
    }

    /// groups.md §1: the table of groups.
    pub fn may_in_group(self, action: Action, rights: &GroupRights, members_add: bool) -> bool {
        use Role::*;
        let least = match action {
            Action::See | Action::ListParticipants | Action::Join => return self >= Waiting,
            Action::Leave => return self == Waiting || self.is_seated(),
            Action::Forget => return self == Former,
            Action::Attend | Action::Correspond => return self.is_seated(),
            Action::OwnView => return self == Former || self.is_seated(),
            Action::ReadHistory if self == Former => return true,
            Action::Send | Action::Report | Action::Retract if self == Operator => return false,
            Action::Kick | Action::Voice | Action::SeeJids => return self >= Moderator,
            Action::Subject | Action::Moderate if self == Moderator => Rank::Member,
            Action::Send => rights.send,
            Action::ReadHistory => rights.history,
            Action::Report => rights.receipts,
            Action::Retract => rights.retract,
            Action::Moderate => rights.moderate,
            Action::Describe | Action::Subject => rights.rename,
            Action::Picture => rights.picture,
            Action::Video => rights.video,
            Action::Add if members_add => Rank::Member,
            Action::Add | Action::Enrol => rights.add,
            Action::Remove | Action::Lists => rights.remove,
            Action::Promote => rights.promote,
            Action::Demote => rights.demote,
            Action::Configure | Action::Retain => rights.configure,
            Action::Announce => Rank::Admin,
            Action::Destroy => rights.destroy,
        };
        self.rank().is_some_and(|rank| rank >= least)
    }

    /// Whether this role is among those to whom something is open. A role does not tell who may join.
    pub fn is_among(self, access: Access) -> bool {
        match access {
            Access::Nobody => false,
            Access::Owners => self >= Role::AbsentOwner,
            Access::Admins => self >= Role::AbsentAdmin,
            Access::Participants => self >= Role::Participant,
            Access::Allowed | Access::Anyone => true,
        }
    }

    /// Whether this role is that of a participant.
    pub fn is_seated(self) -> bool {
        matches!(self, Role::Participant | Role::Moderator | Role::Admin | Role::Owner)
    }

    fn rank(self) -> Option<Rank> {
        match self {
            Role::Outsider | Role::Former | Role::Waiting | Role::Passing => None,
            Role::Participant | Role::Moderator => Some(Rank::Member),
            Role::AbsentAdmin | Role::Admin => Some(Rank::Admin),
            Role::AbsentOwner | Role::Owner | Role::Operator => Some(Rank::Owner),
        }
    }
}

#[cfg(test)]
#[path = "permission_tests.rs"]
mod tests;
