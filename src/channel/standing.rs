//! The role of an account in a channel, and what it may do there.

use super::rules::Rules;
use super::{Action, Channel, Invitation, Limits, Member, Membership, Refusal, Role, Seats, Standing, Style};
use jid::BareJid;

impl Channel {
    /// The role of an account. In a group, only participants have rights.
    pub fn role_of(&self, account: &BareJid, operator: bool) -> Role {
        Rules::of(self).role_of(account, self.member(account), operator)
    }

    /// Whether it was created as a group.
    pub fn is_group(&self) -> bool {
        self.settings().style == Style::Group
    }

    /// Whether nobody gets in without being added.
    pub fn is_closed(&self) -> bool {
        self.settings().membership != Membership::Open
    }

    /// Whether nobody becomes a participant by itself: it has to be added, or to be on the list of those who may join.
    pub fn is_for_members(&self) -> bool {
        self.is_closed() || self.kept.allowed.is_some()
    }

    /// Whether an account may do this because it was made a moderator for its visit.
    pub fn is_let_as_moderator(&self, account: &BareJid, action: Action, seats: &Seats, limits: &Limits) -> bool {
        action.is_of_moderators() && seats.is_moderator(account) && self.allows(Role::Moderator, action, limits)
    }

    /// Whether a role is high enough for an action here.
    pub fn allows(&self, role: Role, action: Action, limits: &Limits) -> bool {
        Rules::of(self).allow(role, action, limits)
    }

    /// The refusal of a role that is too low for an action. People who may not know of the channel are told that there
    /// is none.
    pub(super) fn refusal_of(&self, role: Role, action: Action) -> Refusal {
        match (self.is_group(), action) {
            _ if self.is_closed() && role <= Role::Former => Refusal::NoSuchChannel,
            _ if role == Role::Waiting => Refusal::StillWaiting,
            (_, Action::Forget) => Refusal::NotAllowed("leave the channel first"),
            (false, Action::Destroy) => Refusal::NotAllowed("only an owner may destroy the channel"),
            (false, Action::Describe | Action::Picture | Action::Video) => {
                Refusal::Forbidden("you are not among those who may change this in this channel")
            }
            (false, Action::Retract) => {
                Refusal::Forbidden("messages of this channel are not retracted by their authors")
            }
            _ if role <= Role::Former => Refusal::NotJoined,
            (
                _,
                Action::Send | Action::Attend | Action::Correspond | Action::Leave | Action::Report | Action::OwnView,
            ) if !role.is_seated() => Refusal::NotJoined,
            (true, _) => Refusal::NotAdmin,
            (false, _) => Refusal::Forbidden("you are not among those who may do this in this channel"),
        }
    }

    /// The role of an account, as a participant or not.
    pub fn standing_of(&self, account: &BareJid) -> Standing {
        Rules::of(self).standing_of(account)
    }

    /// Whether a member left while JIDs were hidden. Its JID is not shown, even if JIDs are visible now.
    pub fn stays_hidden(&self, member: &Member) -> bool {
        member.veiled && self.settings().shows_jids()
    }

    /// Whether an account sees whose JID an id stands for: everybody where JIDs are visible, else those who administer
    /// the channel.
    pub fn unveils_to(&self, account: &BareJid) -> bool {
        self.settings().shows_jids() || self.standing_of(account) != Standing::Member
    }

    /// Whether the inviter of an invitation may still invite.
    pub(super) fn upholds(&self, invitation: &Invitation, limits: &Limits) -> bool {
        let role = self.role_of(&invitation.inviter, false);
        invitation.by_operator || self.allows(role, Action::Add, limits)
    }
}
