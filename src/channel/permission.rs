//! Who may do what: one table for plain channels, one for groups, role by action.
//!
//! In a plain channel some of it is settled by its owner ([`Settings`]).
//! What a group demands for each action is a setting of the service ([`GroupRights`]); what people have to be to a group
//! at all (in it, waiting for it, once in it) is not.

use super::limits::{GroupRights, Rank};
use super::{Access, Node, Refusal, Settings};

/// What somebody is to a channel, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Never in the channel, or gone from it and forgotten.
    Outsider,
    /// Once in the channel.
    Former,
    /// Added, and not joined yet.
    Waiting,
    /// In the channel.
    Participant,
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
    pub const ALL: [Role; 9] = [
        Role::Outsider,
        Role::Former,
        Role::Waiting,
        Role::Participant,
        Role::AbsentAdmin,
        Role::Admin,
        Role::AbsentOwner,
        Role::Owner,
        Role::Operator,
    ];
}

/// What one may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask what the channel is, and read its information and picture nodes and its profile.
    See,
    /// Join.
    Join,
    /// Leave, or decline.
    Leave,
    /// Send messages and chat states.
    Send,
    /// Change one's own nick and subscriptions.
    Attend,
    /// Reach another participant through the channel.
    Correspond,
    /// Read the participants node.
    ListParticipants,
    /// Read the archive.
    ReadHistory,
    /// Report how far messages came, and ask it.
    Report,
    /// Hide rows from oneself, or clear the history for oneself.
    OwnView,
    /// Drop the channel from one's own list.
    Forget,
    /// Retract one's own messages.
    Retract,
    /// Retract the messages of others.
    Moderate,
    /// Publish to the information node.
    Describe,
    /// Change the picture.
    Picture,
    /// Change the video.
    Video,
    /// Add people, or invite them.
    Add,
    /// Remove people.
    Remove,
    /// Make admins.
    Promote,
    /// Unmake admins.
    Demote,
    /// Read and change who may join and who may not.
    Lists,
    /// Change settings.
    Configure,
    /// Announce something to those who follow the messages.
    Announce,
    /// Settle for how long rows are kept.
    Retain,
    /// Destroy the channel.
    Destroy,
}

/// What somebody is to the service, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceRole {
    /// Anybody.
    Anybody,
    /// Somebody whose domain may create channels.
    Creator,
    /// An operator.
    Operator,
}

/// What one may want to do at the service as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceAction {
    /// Create channels.
    Create,
    /// See every channel, announce something to everybody, do something in a channel by a command at the service.
    Administer,
}

impl ServiceRole {
    /// The table of the service.
    pub fn may(self, action: ServiceAction) -> bool {
        match action {
            ServiceAction::Create => self >= ServiceRole::Creator,
            ServiceAction::Administer => self >= ServiceRole::Operator,
        }
    }
}

impl ServiceAction {
    /// Why a role is not enough for it.
    pub fn refusal(self) -> Refusal {
        match self {
            ServiceAction::Create => Refusal::NotAllowed("you may not create channels here"),
            ServiceAction::Administer => Refusal::Forbidden("only an operator of the service may do this"),
        }
    }
}

impl Role {
    /// The table of plain channels, with these settings (XEP-0406 §2.4).
    pub fn may(self, action: Action, settings: &Settings) -> bool {
        use Role::*;
        let grants = &settings.grants;
        match action {
            Action::See | Action::Join => true,
            Action::Leave | Action::Send | Action::Attend | Action::Correspond | Action::Report | Action::OwnView => {
                self.is_seated()
            }
            Action::Retract => self.is_seated() && grants.retract_own,
            Action::Forget => self == Former,
            Action::ReadHistory => self >= Participant,
            // An owner sees whom there is, whatever it settled.
            Action::ListParticipants => {
                let listed = !settings.switched_off.contains(Node::Participants);
                let open = listed && self >= Participant && self.is_among(settings.access.participants);
                open || self.is_among(Access::Owners)
            }
            Action::Moderate => self.is_among(grants.moderate),
            Action::Add if settings.members_add => self >= Participant,
            Action::Add | Action::Remove | Action::Lists | Action::Announce | Action::Retain => self >= AbsentAdmin,
            Action::Describe => self.is_among(grants.describe),
            Action::Picture | Action::Video => self.is_among(grants.picture),
            Action::Promote | Action::Demote | Action::Configure | Action::Destroy => self >= AbsentOwner,
        }
    }

    /// The table of groups (groups.md §1).
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
            Action::Send => rights.send,
            Action::ReadHistory => rights.history,
            Action::Report => rights.receipts,
            Action::Retract => rights.retract,
            Action::Moderate => rights.moderate,
            Action::Describe => rights.rename,
            Action::Picture => rights.picture,
            Action::Video => rights.video,
            Action::Add if members_add => Rank::Member,
            Action::Add => rights.add,
            Action::Remove | Action::Lists => rights.remove,
            Action::Promote => rights.promote,
            Action::Demote => rights.demote,
            Action::Configure | Action::Retain => rights.configure,
            Action::Announce => Rank::Admin,
            Action::Destroy => rights.destroy,
        };
        self.rank().is_some_and(|rank| rank >= least)
    }

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

    /// Whether it is in the channel.
    pub fn is_seated(self) -> bool {
        matches!(self, Role::Participant | Role::Admin | Role::Owner)
    }

    fn rank(self) -> Option<Rank> {
        match self {
            Role::Outsider | Role::Former | Role::Waiting => None,
            Role::Participant => Some(Rank::Member),
            Role::AbsentAdmin | Role::Admin => Some(Rank::Admin),
            Role::AbsentOwner | Role::Owner | Role::Operator => Some(Rank::Owner),
        }
    }
}

#[cfg(test)]
#[path = "permission_tests.rs"]
mod tests;
