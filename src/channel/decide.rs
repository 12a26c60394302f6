//! What a command leads to: all rules of a channel, without side effects.
//!
//! This file says who may ask, and which file decides. The rules are in the files below, one for each subject.

mod affiliations;
mod attend;
mod backlog;
mod configuration;
mod configure_room;
mod departure;
mod draft;
mod enter;
mod guests;
mod history;
mod invitations;
mod lists;
mod mediated;
mod membership;
mod own_view;
mod preferences;
mod profile;
mod publish;
mod receipts;
mod register;
mod retract;
mod roles;
mod room_settings;
mod subscribers;
mod voice;
mod voice_requests;

pub(super) use attend::nick_among;
pub(crate) use room_settings::check as check_room;

use super::limits::check;
use super::{
    Access, Action, Actor, Announcement, Answer, Change, Channel, Command, Context, Decision, GroupAnswer,
    GroupCommand, JoinWish, Limits, Member, Node, Refusal, Role, Seats,
};

type Outcome = Result<Decision, Refusal>;

/// The refusal of somebody who is in the room and whose role is too low.
const ROLE_TOO_LOW: Refusal = Refusal::Forbidden("your role in this room does not allow that");

impl Channel {
    /// Decides a command of `actor`. The channel changes only when the decision is applied.
    ///
    /// # Errors
    /// A [`Refusal`] that names the rule which forbids it.
    pub fn decide(&self, actor: &Actor, command: Command, context: &mut Context<'_>) -> Outcome {
        self.check_visible(actor, &command)?;
        self.check_offered(actor, &command, context.limits)?;
        let mut decision = self.decide_visible(actor, command, context)?;
        let void = self.invitations_void(&decision.changes, context.limits);
        decision.changes.extend(void);
        Ok(decision)
    }

    fn decide_visible(&self, actor: &Actor, command: Command, context: &mut Context<'_>) -> Outcome {
        let limits = context.limits;
        match command {
            Command::Join(wish) => self.join(actor, wish, context),
            Command::ReadPreferences => self.read_preferences(actor, limits),
            Command::SetPreferences(patch) => self.set_preferences(actor, patch, limits),
            Command::Invite { invitee } => self.invite(actor, invitee, context),
            Command::Decline(claim) => self.decline(actor, &claim),
            Command::InviteByRoom(invitees) => self.invite_by_room(actor, invitees, context),
            Command::DeclineToRoom { inviter, reason } => self.decline_to_room(actor, &inviter, reason, context),
            Command::RevokeInvitations { invitees } => self.revoke_invitations(actor, &invitees, context),
            Command::ListInvitations(slice) => self.list_invitations(actor, &slice, context),
            Command::ReadRegistration => self.read_registration(actor, context),
            Command::Register { nick } => self.register(actor, nick, context),
            Command::Unregister => self.unregister(actor, context),
            Command::ReadNick => self.read_nick(actor, limits),
            Command::RequestVoice => self.request_voice(actor, context),
            Command::AnswerVoiceRequest(grant) => self.answer_voice_request(actor, grant, context),
            Command::Enter(wish) => self.enter(actor, wish, context),
            Command::Leave => self.leave(actor, context),
            Command::EndAccount => self.end_account(actor, context),
            Command::SetNick { nick } => self.set_nick(actor, nick, context),
            Command::UpdateSubscription { subscribe, unsubscribe } => {
                self.update_subscription(actor, subscribe, unsubscribe, limits)
            }
            Command::Subscribe { node, wanted } => self.subscribe(actor, node, wanted, context),
            Command::ListSubscriptions { node } => Ok(Decision::answer(Answer::Subscribing { node })),
            Command::ListSubscribers { node, slice } => self.list_subscribers(actor, node, slice, limits),
            Command::SetSubscriptions { node, edits } => self.set_subscriptions(actor, node, edits, context),
            Command::Publish(message) => self.publish(actor, message, context),
            Command::SetItem { node, item } => self.set_item(actor, node, item, context),
            Command::SetPicture(picture) => self.set_picture(actor, picture.map(|it| *it), context),
            Command::RetractItem { node, id } => self.retract_item(actor, node, id, context),
            Command::PutOnList { node, jid, present } => self.put_on_list(actor, node, jid, present, context),
            Command::PurgeList { node } => self.purge_list(actor, node, context),
            Command::Reconfigure(wanted) => self.reconfigure(actor, wanted, context),
            Command::DescribeRoom => self.require_owner(actor, limits).map(|()| Decision::answer(Answer::Prepared)),
            Command::ConfigureRoom(wish) => self.configure_room(actor, *wish, context),
            Command::MakeList { node, exists } => self.make_list(actor, node, exists, context),
            Command::ReadItems { node, ids, slice } => {
                self.require_reading(actor, node, context)?;
                match self.has(node) {
                    true => Ok(Decision::answer(Answer::Items { node, ids, slice })),
                    false => Err(Refusal::NoSuchNode),
                }
            }
            Command::Describe => self.described(actor, Answer::Description, limits),
            Command::ListNodes => self.described(actor, Answer::Nodes, limits),
            Command::ListOccupants(slice) => {
                let is_shown = self.shows_occupants_to(actor, context.live.seats, limits);
                self.described(actor, Answer::Occupants(is_shown.then_some(slice)), limits)
            }
            Command::SetRoles(edits) => self.set_roles(actor, edits, context),
            Command::SetAffiliations(edits) => self.set_affiliations(actor, edits, context),
            Command::ListRoles { role, slice } => self.list_roles(actor, role, slice, context),
            Command::ListAffiliations { affiliation: of, slice } => self.list_affiliations(actor, of, slice, context),
            Command::ReadHistory(query) => self.read_history(actor, query, context),
            Command::HistoryBounds => self.archived(actor, Answer::HistoryBounds, limits),
            Command::HistoryForm { as_room } => self.describe_archive(actor, as_room, context),
            Command::Prepare(action) => self.answered(actor, action, Answer::Prepared, limits),
            Command::ListPeople(slice) => self.answered(actor, Action::Lists, Answer::People(slice), limits),
            Command::Ban { jid } => self.ban(actor, jid, context),
            Command::Announce(announcement) => self.announce(actor, announcement, limits),
            Command::CancelRoom => self.answered_owner(actor, Answer::Done, limits),
            Command::Destroy => self.destroy(actor, limits),
            Command::DestroyRoom(farewell) => self.destroy_room(actor, farewell, limits),
            Command::Group(command) => self.decide_group(actor, command, context),
        }
    }

    fn announce(&self, actor: &Actor, announcement: Announcement, limits: &Limits) -> Outcome {
        self.require(actor, Action::Announce, limits)?;
        announcement.check(limits)?;
        Ok(Decision::of(vec![Change::Announced(announcement)], Answer::Done))
    }

    fn decide_group(&self, actor: &Actor, command: GroupCommand, context: &mut Context<'_>) -> Outcome {
        let tells_jids = matches!(command, GroupCommand::ReadProfile(_) | GroupCommand::ReadMessageInfo { .. });
        if tells_jids && !actor.operator && !self.unveils_to(&actor.account) {
            // XEP-0404 §2.2: only those who administer the channel see the JIDs.
            self.require_listing(actor, context)?;
            return Err(Refusal::Forbidden("this channel hides the JIDs of its participants"));
        }
        match command {
            GroupCommand::ReadProfile(slice) => {
                let profile = Answer::Group(GroupAnswer::Profile(slice));
                self.require_listing(actor, context).map(|()| Decision::answer(profile))
            }
            GroupCommand::EditMembers { add, remove } => self.edit_members(actor, add, remove, context),
            GroupCommand::EditAdmins { add, remove } => self.edit_admins(actor, add, remove, context),
            GroupCommand::Configure(patch) => self.configure(actor, &patch, context),
            GroupCommand::SetSubject(subject) => self.set_subject(actor, &subject, context),
            GroupCommand::Report { row, progress, exact } => self.report(actor, row, progress, exact, context),
            GroupCommand::ReadMessageInfo { row } => self.read_message_info(actor, row, context),
            GroupCommand::Hide { rows } => self.hide(actor, &rows, context),
            GroupCommand::Clear { up_to } => self.clear(actor, up_to, context),
            GroupCommand::ClearTo(head) => self.clear_to(actor, head, context.limits),
            GroupCommand::Forget => self.forget(actor, context.limits),
            GroupCommand::Moderate { row, reason } => self.moderate(actor, row, reason, context),
        }
    }

    /// groups.md §1 rule 11: whether `actor` may not know of this channel. It is then told that there is none, whatever
    /// it asks.
    pub fn is_hidden_from(&self, actor: &Actor) -> bool {
        self.check_visible(actor, &Command::Describe).is_err()
    }

    /// groups.md §1 rule 11: a closed channel does not exist for people whom it does not know. Neither does an unlisted
    /// channel for people who may not join. An invitation shows it to the invitee, for joining and declining alone.
    fn check_visible(&self, actor: &Actor, command: &Command) -> Result<(), Refusal> {
        let role = self.role_of(&actor.account, actor.operator);
        let is_invited = match command {
            // The service itself asks for this, where it has found the account.
            Command::EndAccount => true,
            Command::Join(JoinWish { claim: Some(claim), .. }) | Command::Decline(claim) => {
                self.is_shown_its_own(actor, claim)
            }
            _ => false,
        };
        if is_invited {
            return Ok(());
        }
        let hidden = self.is_closed() || (!self.kept.profile.listed && !self.is_admitted(&actor.account));
        if role == Role::Outsider && hidden && !self.is_open_to(&actor.account) {
            Err(Refusal::NoSuchChannel)
        } else {
            Ok(())
        }
    }

    /// Refuses any message of `actor`, as deciding about the message would.
    ///
    /// # Errors
    /// A [`Refusal`] where it may not know of the channel, or may not write in it.
    pub fn check_speaker(&self, actor: &Actor, seats: &Seats, limits: &Limits) -> Result<(), Refusal> {
        self.check_visible(actor, &Command::Describe)?;
        self.check_offered(actor, &Command::Describe, limits)?;
        self.speaker(actor, Action::Send, seats, limits).map(drop)
    }

    /// Refuses commands of groups, where these are switched off. People can still leave existing groups and destroy
    /// them.
    fn check_offered(&self, actor: &Actor, command: &Command, limits: &Limits) -> Result<(), Refusal> {
        let always = matches!(
            command,
            Command::Leave
                | Command::Unregister
                | Command::EndAccount
                | Command::Subscribe { wanted: false, .. }
                | Command::Destroy
                | Command::DestroyRoom(_)
        );
        // Some commands of groups are for every channel: retention, moderation (XEP-0425), and removing people.
        let of_any = match command {
            Command::Group(GroupCommand::Configure(_) | GroupCommand::Moderate { .. }) => true,
            Command::Group(GroupCommand::EditMembers { add, .. }) => add.is_empty(),
            command => !matches!(command, Command::Group(_)),
        };
        let of_groups = self.is_group() || !of_any;
        if !of_groups || always || actor.operator {
            return Ok(());
        }
        check(limits.features.groups, "groups")
    }

    /// Refuses what the role of `actor` does not allow. Returns the role.
    fn require(&self, actor: &Actor, action: Action, limits: &Limits) -> Result<Role, Refusal> {
        let role = self.role_of(&actor.account, actor.operator);
        if self.allows(role, action, limits) { Ok(role) } else { Err(self.refusal_of(role, action)) }
    }

    /// Refuses a request whose reading tells something of the channel, before it is read.
    pub fn check_right(&self, actor: &Actor, action: Action, limits: &Limits) -> Result<(), Refusal> {
        self.require(actor, action, limits).map(drop)
    }

    /// Refuses reading a node that is closed to `actor`. Guests of the participants node may read it.
    fn require_reading(&self, actor: &Actor, node: Node, context: &Context<'_>) -> Result<(), Refusal> {
        match node {
            Node::Info | Node::AvatarMetadata | Node::AvatarData | Node::Video => {
                self.require_seeing(actor, context.limits)
            }
            Node::Participants if self.has(node) && self.is_guest_of(actor, node) => Ok(()),
            Node::Participants if self.has(node) => self.require_listing(actor, context),
            Node::Participants | Node::Messages | Node::Presence => {
                self.require(actor, Action::ReadHistory, context.limits).map(drop)
            }
            Node::Allowed | Node::Banned | Node::Config | Node::JidMap => {
                // Those who may subscribe to a node may read it. An owner may read what it can configure.
                let role = self.role_of(&actor.account, actor.operator);
                let open = self.may_subscribe(&actor.account, node) || role.is_among(Access::Owners);
                if open { Ok(()) } else { Err(self.refusal_of(role, Action::Lists)) }
            }
        }
    }

    /// Refuses the description of the channel where it is closed to `actor`.
    fn require_seeing(&self, actor: &Actor, limits: &Limits) -> Result<(), Refusal> {
        if self.is_open_to(&actor.account) { Ok(()) } else { self.require(actor, Action::See, limits).map(drop) }
    }

    /// Refuses the list of participants where it is closed to `actor`, who may pass by in the room.
    fn require_listing(&self, actor: &Actor, context: &Context<'_>) -> Result<(), Refusal> {
        let passes_by = context.live.seats.passer_by(&actor.account).is_some() && self.lets_pass(&actor.account);
        match passes_by && self.allows(Role::Passing, Action::ListParticipants, context.limits) {
            true => Ok(()),
            false => self.require(actor, Action::ListParticipants, context.limits).map(drop),
        }
    }

    /// Refuses the archive where it is closed to `actor`. Guests of the messages node may read it.
    fn require_archive(&self, actor: &Actor, limits: &Limits) -> Result<(), Refusal> {
        let as_guest = self.is_guest_of(actor, Node::Messages);
        if as_guest { Ok(()) } else { self.require(actor, Action::ReadHistory, limits).map(drop) }
    }

    /// Gives the answer to those who may see the description of the channel.
    fn described(&self, actor: &Actor, answer: Answer, limits: &Limits) -> Outcome {
        self.require_seeing(actor, limits).map(|()| Decision::answer(answer))
    }

    /// Gives the answer to those who may read the archive.
    fn archived(&self, actor: &Actor, answer: Answer, limits: &Limits) -> Outcome {
        self.require_archive(actor, limits).map(|()| Decision::answer(answer))
    }

    fn is_guest_of(&self, actor: &Actor, node: Node) -> bool {
        self.guest(&actor.account).is_some_and(|guest| guest.subscriptions.contains(node))
    }

    fn answered(&self, actor: &Actor, action: Action, answer: Answer, limits: &Limits) -> Outcome {
        self.require(actor, action, limits).map(|_| Decision::answer(answer))
    }

    /// The record of `actor`, or the one that stands for it in the room, where it may do this.
    fn speaker<'a>(
        &'a self,
        actor: &Actor,
        action: Action,
        seats: &'a Seats,
        limits: &Limits,
    ) -> Result<&'a Member, Refusal> {
        let is_raised = self.is_let_as_moderator(&actor.account, action, seats, limits);
        // Whoever administers the channel may do so from the room as well.
        let may = |role| self.allows(role, action, limits);
        let is_let = may(Role::Passing) || may(self.role_of(&actor.account, actor.operator)) || is_raised;
        let own = match seats.passer_by(&actor.account) {
            Some(passer_by) if self.lets_pass(&actor.account) => match is_let {
                true => Ok(passer_by),
                false => Err(ROLE_TOO_LOW),
            },
            _ => self.seat(actor, action, limits),
        }?;
        let is_speech = matches!(action, Action::Send | Action::Subject);
        match is_speech && !self.has_voice(&actor.account, seats) {
            true => Err(Refusal::Forbidden("you have no voice in this room")),
            false => Ok(own),
        }
    }

    /// The record of `actor`, where it is a participant and may do this.
    fn seat(&self, actor: &Actor, action: Action, limits: &Limits) -> Result<&Member, Refusal> {
        let role = self.require(actor, action, limits)?;
        self.participant(&actor.account).ok_or_else(|| self.refusal_of(role, action))
    }
}

#[cfg(test)]
#[path = "decide/departure_tests.rs"]
mod departure_tests;
#[cfg(test)]
#[path = "decide/invitation_tests.rs"]
mod invitation_tests;
#[cfg(test)]
#[path = "decide/part_tests.rs"]
mod part_tests;
#[cfg(test)]
#[path = "decide/records_tests.rs"]
mod records_tests;
#[cfg(test)]
#[path = "decide/refusal_tests.rs"]
mod refusal_tests;
#[cfg(test)]
#[path = "decide/rules_tests.rs"]
mod rules_tests;
#[cfg(test)]
#[path = "decide/unread_tests.rs"]
mod unread_tests;
#[cfg(test)]
#[path = "decide/voice_tests.rs"]
mod voice_tests;
#[cfg(test)]
#[path = "decide/world_tests.rs"]
mod world_tests;
