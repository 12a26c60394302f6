//! XEP-0045 §5: what accounts are to the room that a channel is, read off records, lists, rights and seats. There is no list
//! of affiliations beside those.

use super::rules::Rules;
use super::{
    Access, Action, Actor, Affiliation, Channel, Limits, Member, Node, OccupantRole, ParticipantId, PrivateMessages,
    Role, Seats, Standing, Status,
};
use crate::steps::Counted;
use jid::BareJid;

impl Channel {
    /// The affiliation of an account.
    pub fn affiliation_of(&self, account: &BareJid) -> Affiliation {
        let rules = Rules::of(self);
        match rules.role_of(account, self.member(account), false) {
            Role::Owner | Role::AbsentOwner | Role::Operator => Affiliation::Owner,
            Role::Admin | Role::AbsentAdmin => Affiliation::Admin,
            Role::Participant | Role::Moderator | Role::Waiting => Affiliation::Member,
            Role::Former | Role::Outsider | Role::Passing if rules.bans(account) => Affiliation::Outcast,
            Role::Former | Role::Outsider | Role::Passing if self.is_on_list(account) => Affiliation::Member,
            Role::Former | Role::Outsider | Role::Passing => Affiliation::None,
        }
    }

    /// Whether an account itself, and not its domain, is on the list of those who may join.
    fn is_on_list(&self, account: &BareJid) -> bool {
        self.kept.allowed.as_ref().is_some_and(|list| list.contains(account))
    }

    /// Whoever has an id: somebody with a record, or who passes by in the room.
    pub fn member_or_passer_by<'a>(&'a self, id: &ParticipantId, seats: &'a Seats) -> Option<&'a Member> {
        self.member_of(id).or_else(|| seats.member_of(id))
    }

    /// The role of somebody who is in the room.
    pub fn occupant_role(&self, account: &BareJid, seats: &Seats) -> OccupantRole {
        match self.affiliation_of(account) {
            Affiliation::Owner | Affiliation::Admin => OccupantRole::Moderator,
            _ if seats.is_moderator(account) => OccupantRole::Moderator,
            affiliation if self.voice_of(account, affiliation) => OccupantRole::Participant,
            _ => OccupantRole::Visitor,
        }
    }

    /// XEP-0045 §8.3: whether an account is heard in the channel.
    pub fn has_voice(&self, account: &BareJid, seats: &Seats) -> bool {
        let is_usual = !self.kept.settings.room.moderated && self.kept.voices.is_empty();
        is_usual || self.occupant_role(account, seats) >= OccupantRole::Participant
    }

    fn voice_of(&self, account: &BareJid, affiliation: Affiliation) -> bool {
        let settled = self.kept.voices.get(account).copied();
        settled.unwrap_or_else(|| self.voice_by_settings(account, affiliation))
    }

    /// Whether somebody below an admin is heard where nobody settled it for that account. In a moderated room those whom
    /// an admin let in are; whoever let itself in is not.
    pub(super) fn voice_by_settings(&self, account: &BareJid, affiliation: Affiliation) -> bool {
        let is_granted = self.participant(account).is_some_and(|member| member.granted);
        !self.kept.settings.room.moderated
            || is_granted
            || (self.is_for_members() && affiliation == Affiliation::Member)
    }

    /// XEP-0404 §2.1, XEP-0045 §7.5: whether an account may send private messages to those in the room.
    pub fn sends_private_messages(&self, account: &BareJid, seats: &Seats) -> bool {
        let private_messages = self.settings().private_messages;
        private_messages == PrivateMessages::Anyone || private_messages.admits(self.occupant_role(account, seats))
    }

    /// The affiliation by which an asker is measured against others.
    pub(super) fn rank_of(&self, actor: &Actor) -> Affiliation {
        if actor.operator { Affiliation::Owner } else { self.affiliation_of(&actor.account) }
    }

    /// Whether a participant is in the room without having a seat: what is said in the channel reaches it by MIX.
    pub fn is_in_room_by_mix(member: &Member) -> bool {
        member.is_joined() && member.subscriptions.contains(Node::Messages)
    }

    /// The account of the occupant that goes by a nick.
    pub fn occupant_called<'a>(&'a self, nick: &super::Nick, seats: &'a Seats) -> Option<&'a BareJid> {
        let is_here = |account: &&BareJid| {
            seats.is_seated(account) || self.participant(account).is_some_and(Channel::is_in_room_by_mix)
        };
        seats.holder_of(nick).or_else(|| self.holder_of(nick)).filter(is_here)
    }

    /// The account of the occupant that an address in the room names: by its nick, or by its id, as people of MIX have it.
    pub fn occupant_at<'a>(&'a self, resource: &str, seats: &'a Seats) -> Option<&'a BareJid> {
        let called = super::Nick::new(resource).and_then(|nick| self.occupant_called(&nick, seats));
        let is_here = |member: &&Member| seats.is_seated(&member.jid) || Channel::is_in_room_by_mix(member);
        let by_id = || self.member_or_passer_by(&ParticipantId::new(resource)?, seats).filter(is_here);
        called.or_else(|| by_id().map(|member| &member.jid))
    }

    /// Whether a nick is the id of somebody else: who answers to that would get what is meant for the other.
    pub(super) fn is_id_of_another(&self, nick: &super::Nick, account: &BareJid, seats: &Seats) -> bool {
        let holder = ParticipantId::new(nick.key()).and_then(|id| self.member_or_passer_by(&id, seats));
        holder.is_some_and(|holder| holder.jid != *account)
    }

    /// The occupants among whom all are who have a role, where these can be found without looking at everybody.
    pub fn may_have_role<'a>(
        &'a self,
        role: OccupantRole,
        seats: &'a Seats,
    ) -> Option<impl Iterator<Item = &'a Member> + 'a> {
        let rights = self.rights();
        let accounts: Vec<&BareJid> = match role {
            OccupantRole::Moderator => rights.owners.iter().chain(&rights.admins).chain(seats.moderators()).collect(),
            OccupantRole::Visitor if !self.kept.settings.room.moderated => self.kept.voices.keys().collect(),
            _ => return None,
        };
        let here = accounts.into_iter().counted().filter_map(|account| {
            let by_mix = || self.participant(account).filter(|member| Channel::is_in_room_by_mix(member));
            let seated = || self.participant(account).filter(|_| seats.is_seated(account));
            seats.passer_by(account).or_else(seated).or_else(by_mix)
        });
        Some(here)
    }

    /// Whether an account sees the JIDs of the room's occupants where they are hidden.
    pub fn unveils_occupants_to(&self, account: &BareJid, seats: &Seats) -> bool {
        self.unveils_to(account) || seats.is_moderator(account)
    }

    /// XEP-0045 §9.5, §10.5, §10.8: whether an account may read the list of those with an affiliation.
    pub fn lists_affiliation_to(&self, actor: &Actor, affiliation: Affiliation, limits: &Limits) -> bool {
        let role = self.role_of(&actor.account, actor.operator);
        let is_member = self.rank_of(actor) >= Affiliation::Member && role != Role::Former;
        let is_open_to_members = self.settings().shows_jids() && is_member;
        match affiliation {
            Affiliation::Owner | Affiliation::Admin => is_open_to_members || self.standing(actor) == Standing::Owner,
            Affiliation::Member if self.settings().access.participants < Access::Participants => {
                self.standing(actor) != Standing::Member
            }
            Affiliation::Member => is_open_to_members || self.standing(actor) != Standing::Member,
            Affiliation::Outcast => self.allows(role, Action::Lists, limits),
            Affiliation::None => false,
        }
    }

    fn standing(&self, actor: &Actor) -> Standing {
        if actor.operator { Standing::Owner } else { self.standing_of(&actor.account) }
    }

    /// Whether an account is in the channel or waits to be.
    pub(super) fn has_place(&self, account: &BareJid) -> bool {
        self.member(account).is_some_and(|member| member.status != Status::Left)
    }
}
