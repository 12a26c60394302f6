//! Who may do what: one table, role by action.

use super::Channel;
use jid::BareJid;

/// What somebody is to a channel, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Not in the channel.
    Outsider,
    /// In the channel.
    Participant,
    /// An owner who is not in the channel.
    AbsentOwner,
    /// An owner who is in the channel.
    Owner,
    /// An operator of the service.
    Operator,
}

/// What one may want to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask what the channel is, and read its information node.
    See,
    /// Join.
    Join,
    /// Send messages and chat states.
    Send,
    /// Change one's own nick and subscriptions; leave.
    Attend,
    /// Read the participants node.
    ListParticipants,
    /// Read the archive.
    ReadHistory,
    /// Publish to the information node.
    Describe,
    /// Destroy the channel.
    Destroy,
}

impl Role {
    /// The table.
    pub fn may(self, action: Action) -> bool {
        use Role::*;
        match action {
            Action::See | Action::Join => true,
            Action::Send | Action::Attend => matches!(self, Participant | Owner),
            Action::ListParticipants | Action::ReadHistory => self >= Participant,
            Action::Describe | Action::Destroy => self >= AbsentOwner,
        }
    }
}

impl Channel {
    /// What an account is to this channel.
    pub fn role_of(&self, account: &BareJid, operator: bool) -> Role {
        let owner = self.rights().owners.contains(account);
        match (operator, owner, self.participant(account).is_some()) {
            (_, true, true) => Role::Owner,
            (true, _, true) => Role::Owner,
            (true, _, false) => Role::Operator,
            (_, true, false) => Role::AbsentOwner,
            (_, false, true) => Role::Participant,
            (_, false, false) => Role::Outsider,
        }
    }
}
