//! XEP-0045 §7.10: becoming a member of the room by oneself, with a nick that nobody else may take there.

use super::Outcome;
use crate::channel::{
    Actor, Answer, Change, Channel, Context, Decision, JoinWish, Limits, Nick, NodeSet, PreferencesPatch, Refusal,
    Standing,
};

impl Channel {
    /// The nick of a member; whether others may register.
    pub(super) fn read_registration(&self, actor: &Actor, context: &Context<'_>) -> Outcome {
        let nick = self.participant(&actor.account).map(|member| member.nick.clone());
        if nick.is_none() {
            self.check_registrant(actor, context)?;
        }
        Ok(Decision::answer(Answer::Registered(nick)))
    }

    /// The nick that the room keeps for a member.
    pub(super) fn read_nick(&self, actor: &Actor, limits: &Limits) -> Outcome {
        let nick = self.participant(&actor.account).map(|member| member.nick.clone());
        self.described(actor, Answer::Registered(nick), limits)
    }

    /// Makes somebody a member, without subscriptions of MIX. A member goes by the nick from then on.
    pub(super) fn register(&self, actor: &Actor, nick: Nick, context: &mut Context<'_>) -> Outcome {
        if self.participant(&actor.account).is_some() {
            return Ok(Decision { answer: Answer::Done, ..self.set_nick(actor, Some(nick), context)? });
        }
        self.check_registrant(actor, context)?;
        let (subscribe, preferences) = (NodeSet::default(), PreferencesPatch::default());
        let join = JoinWish { nick: Some(nick), subscribe, preferences, claim: None };
        let mut decision = self.join(actor, join, context)?;
        // What it subscribed to as a guest stays.
        let kept = self.guest(&actor.account).map(|guest| guest.subscriptions).unwrap_or_default();
        for change in &mut decision.changes {
            if let Change::Joined(member) = change {
                member.subscriptions = kept;
            }
        }
        Ok(Decision { answer: Answer::Done, ..decision })
    }

    /// XEP-0077 §3.2: ends what the account registered, with all that it is in the channel.
    pub(super) fn unregister(&self, actor: &Actor, context: &mut Context<'_>) -> Outcome {
        match self.participant(&actor.account) {
            Some(_) => Ok(Decision { answer: Answer::Done, ..self.leave(actor, context)? }),
            None => Err(Refusal::NotRegistered),
        }
    }

    /// Refuses to register whoever could not enter. A password is asked for by entering alone.
    fn check_registrant(&self, actor: &Actor, context: &Context<'_>) -> Result<(), Refusal> {
        let refused = Refusal::NotAllowed("you may not register with this room");
        let is_let_in = || {
            let is_high = actor.operator || self.standing_of(&actor.account) != Standing::Member;
            is_high || context.live.seats.is_seated(&actor.account)
        };
        match self.check_entrant(actor) {
            Ok(()) if self.settings().room.password.is_none() || is_let_in() => Ok(()),
            _ => Err(refused),
        }
    }
}
