//! XEP-0045 §7.2, §7.6, §7.14: entering a room, another nick there, and leaving it.

use super::Outcome;
use crate::channel::command::EnterWish;
use crate::channel::{
    Actor, Answer, Change, Channel, Context, Decision, JoinWish, Member, Membership, Nick, NodeSet, Password,
    PreferencesPatch, Refusal, Role, Seats, Standing, Status,
};
use jid::BareJid;

/// Owners and admins of a full room get in as long as there are no more of them above the limit.
const ROOM_FOR_ADMINS: usize = 20;

impl Channel {
    /// XEP-0045 §7.2: whoever may not be in the channel does not enter. A member sits there by its record. In a channel
    /// that is open to all, others pass by and leave nothing; elsewhere entering is joining.
    pub(super) fn enter(&self, actor: &Actor, wish: EnterWish, context: &mut Context<'_>) -> Outcome {
        let account = &actor.account;
        if let Some(member) = self.participant(account) {
            self.check_password(&wish)?;
            self.check_seats(actor, context)?;
            return Ok(self.enter_by_record(actor, member, wish.nick, context));
        }
        self.check_entrant(actor)?;
        self.check_password(&wish)?;
        self.check_seats(actor, context)?;
        if self.is_for_members() {
            let nick = Some(wish.nick.clone());
            let subscribe = NodeSet::default();
            let join = JoinWish { nick, subscribe, preferences: PreferencesPatch::default(), claim: None };
            return self.join_room(actor, join, context);
        }
        if let Some(member) = context.live.seats.passer_by(account) {
            return Ok(Decision::answer(entered(member, true)));
        }
        let nick = self.free_in_room(actor, wish.nick.clone(), context)?;
        // Whoever was in the channel is who it was.
        let past = self.member(account).or_else(|| context.past.get(account).and_then(Option::as_ref));
        let id = past.map_or_else(|| wish.id.clone(), |past| past.id.clone());
        let member = Seats::stand_in(account, nick, (id, self.head().row + 1));
        let answer = entered(&member, true);
        Ok(Decision::of(vec![Change::Entered(member)], answer))
    }

    /// XEP-0045 §7.2.9: a member goes by its own nick. One that others gave it is replaced by the first that it states.
    fn enter_by_record(&self, actor: &Actor, member: &Member, nick: Nick, context: &Context<'_>) -> Decision {
        if member.named {
            return Decision::answer(entered(member, false));
        }
        match self.free_in_room(actor, nick, context) {
            Ok(nick) => {
                let change = if nick == member.nick { Change::Noted } else { Change::Renamed };
                let member = Member { nick, named: true, ..member.clone() };
                let answer = entered(&member, false);
                Decision::of(vec![change(member)], answer)
            }
            Err(_) => Decision::answer(entered(member, false)),
        }
    }

    /// XEP-0045 §7.2.6: everybody has to know the password, owners too. A client that is inside is not asked again.
    fn check_password(&self, wish: &EnterWish) -> Result<(), Refusal> {
        if wish.is_inside || self.opens_with(wish.password.as_ref()) { Ok(()) } else { Err(Refusal::BadPassword) }
    }

    /// Whether a password is the one of the room, or the room has none.
    pub fn opens_with(&self, offered: Option<&Password>) -> bool {
        let password = self.settings().room.password.as_ref();
        password.is_none_or(|password| offered.is_some_and(|offered| password.is(offered)))
    }

    /// Whether somebody gets around the password of a room: it is inside, or administers the channel.
    pub(super) fn needs_password(&self, actor: &Actor, seats: &Seats) -> bool {
        let account = &actor.account;
        let is_known = actor.operator
            || self.member(account).is_some_and(|member| member.status != Status::Left)
            || seats.is_seated(account)
            || self.standing_of(account) != Standing::Member;
        self.settings().room.password.is_some() && !is_known
    }

    /// XEP-0045 §7.2.6, §7.2.7: whether somebody who is not in the channel may enter it.
    pub fn check_entrant(&self, actor: &Actor) -> Result<(), Refusal> {
        let role = self.role_of(&actor.account, actor.operator);
        match role {
            Role::Operator | Role::AbsentOwner | Role::AbsentAdmin => Ok(()),
            _ if self.is_banned(&actor.account) => Err(Refusal::Banned),
            Role::Waiting => Ok(()),
            _ if self.settings().membership != Membership::Open || !self.is_admitted(&actor.account) => {
                Err(Refusal::NotMember)
            }
            _ => Ok(()),
        }
    }

    /// Whether somebody who is not in the channel may sit in it as a room.
    pub fn lets_pass(&self, account: &BareJid) -> bool {
        !self.is_for_members() && self.is_admitted(account)
    }

    /// XEP-0045 §7.2.9: the most occupants that a room may have.
    fn check_seats(&self, actor: &Actor, context: &Context<'_>) -> Result<(), Refusal> {
        let seats = context.live.seats;
        let is_high = self.standing_of(&actor.account) != Standing::Member;
        let max = self.settings().room.seats_max.unwrap_or(usize::MAX).min(context.limits.muc.occupants_max);
        let max = max + if is_high { ROOM_FOR_ADMINS } else { 0 };
        if seats.is_seated(&actor.account) || seats.count() < max { Ok(()) } else { Err(Refusal::RoomFull) }
    }

    fn join_room(&self, actor: &Actor, join: JoinWish, context: &mut Context<'_>) -> Outcome {
        let invitation = self.invitation_needed(actor, &join, context)?;
        let mut decision = self.come_in(actor, join, invitation, context)?;
        let joined = decision.changes.iter_mut().find_map(|change| match change {
            Change::Joined(member) => Some(member),
            _ => None,
        });
        if let Some(member) = joined {
            // A room delivers to sessions; MIX subscriptions come with a join by MIX.
            member.subscriptions = NodeSet::default();
            decision.answer = entered(member, false);
        }
        Ok(decision)
    }

    /// A nick that nobody has, neither in the channel nor in the room.
    pub(super) fn free_in_room(&self, actor: &Actor, nick: Nick, context: &Context<'_>) -> Result<Nick, Refusal> {
        let nick = self.free_nick(actor, nick, context)?;
        match context.live.seats.holder_of(&nick) {
            Some(holder) if *holder != actor.account => Err(Refusal::NickTaken),
            _ => Ok(nick),
        }
    }
}

fn entered(member: &Member, passes_by: bool) -> Answer {
    Answer::Entered { member: Box::new(member.clone()), passes_by }
}
