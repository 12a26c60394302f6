//! What an account is to a channel, and what it may do there.

use super::rules::Rules;
use super::{Action, Channel, Invitation, Limits, Member, Membership, Refusal, Role, Standing, Style};
use jid::BareJid;

impl Channel {
    /// What an account is to this channel. In a group, rights go with being in it.
    pub fn role_of(&self, account: &BareJid, operator: bool) -> Role {
        Rules::of(self).role_of(account, self.member(account), operator)
    }

    /// Whether it was made as a group.
    pub fn is_group(&self) -> bool {
        self.settings().style == Style::Group
    }

    /// Whether only those get in who were added.
    pub fn is_closed(&self) -> bool {
        self.settings().membership != Membership::Open
    }

    /// Whether a role is enough for an action here.
    pub fn allows(&self, role: Role, action: Action, limits: &Limits) -> bool {
        Rules::of(self).allow(role, action, limits)
    }

    /// Why a role is not enough for an action: people who may not know of the channel learn that there is none.
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

    /// The role of an account, whether it is in or not.
    pub fn standing_of(&self, account: &BareJid) -> Standing {
        Rules::of(self).standing_of(account)
    }

    /// Whether somebody left while JIDs were hidden, and so is named to nobody where they are shown since then.
    pub fn stays_hidden(&self, member: &Member) -> bool {
        member.veiled && self.settings().shows_jids()
    }

    /// Whether it tells an account whose JID an id stands for: where JIDs are visible, and those who administer it.
    pub fn unveils_to(&self, account: &BareJid) -> bool {
        self.settings().shows_jids() || self.standing_of(account) != Standing::Member
    }

    /// Whether whoever gave an invitation may still give it.
    pub(super) fn upholds(&self, invitation: &Invitation, limits: &Limits) -> bool {
        let role = self.role_of(&invitation.inviter, false);
        invitation.by_operator || self.allows(role, Action::Add, limits)
    }
}
