//! XEP-0045 §10.2: the configuration of a room: one decision about settings, rights, lists and information, all or nothing.

use super::Outcome;
use super::draft::Draft;
use super::room_settings::PASSWORD_BYTES_MAX;
use crate::channel::command::RoomWish;
use crate::channel::{
    Access, Action, Actor, Answer, Change, Channel, Context, Decision, Farewell, Limits, Member, Node, Refusal, Seats,
    Status,
};

/// The longest reason for the end of a room, in bytes.
const FAREWELL_BYTES_MAX: usize = 1024;

impl Channel {
    /// Owners alone see and change the configuration of a room.
    pub fn require_owner(&self, actor: &Actor, limits: &Limits) -> Result<(), Refusal> {
        let role = self.require(actor, Action::Configure, limits)?;
        if role.is_among(Access::Owners) { Ok(()) } else { Err(Refusal::Forbidden("only an owner may do this")) }
    }

    /// Gives the answer to owners.
    pub(super) fn answered_owner(&self, actor: &Actor, answer: Answer, limits: &Limits) -> Outcome {
        self.require_owner(actor, limits).map(|()| Decision::answer(answer))
    }

    pub(super) fn configure_room(&self, actor: &Actor, wish: RoomWish, context: &mut Context<'_>) -> Outcome {
        self.require_owner(actor, context.limits)?;
        let RoomWish { configuration, info } = wish;
        // What cannot be is refused before anybody is taken out.
        let info = match info {
            Some(info) => {
                self.require(actor, Action::Describe, context.limits)?;
                if !self.has(Node::Info) {
                    return Err(Refusal::NoSuchNode);
                }
                Some(self.checked_item(Node::Info, info, context).map_err(of_form)?)
            }
            None => None,
        };
        let decision = self.reconfigure_with(actor, configuration, info, context).map_err(of_form)?;
        Ok(Decision { answer: Answer::Done, ..decision })
    }

    pub(super) fn destroy(&self, actor: &Actor, limits: &Limits) -> Outcome {
        self.require(actor, Action::Destroy, limits)?;
        Ok(Decision::of(vec![Change::Destroyed(Farewell::default())], Answer::Destroyed))
    }

    /// XEP-0045 §10.9: an owner destroys the room, and says why.
    pub(super) fn destroy_room(&self, actor: &Actor, farewell: Farewell, limits: &Limits) -> Outcome {
        self.require_owner(actor, limits)?;
        // It goes to everybody in the room.
        if farewell.reason.as_ref().is_some_and(|it| it.len() > FAREWELL_BYTES_MAX) {
            return Err(Refusal::TooLong { what: "the reason", max: FAREWELL_BYTES_MAX });
        }
        if farewell.password.as_ref().is_some_and(|it| it.as_str().len() > PASSWORD_BYTES_MAX) {
            return Err(Refusal::TooLong { what: "the password", max: PASSWORD_BYTES_MAX });
        }
        Ok(Decision::of(vec![Change::Destroyed(farewell)], Answer::Destroyed))
    }

    /// Owners and admins who pass by become members of a room that is for members from here on.
    pub(super) fn keep_holders(&self, draft: &mut Draft<'_>, seats: &Seats) {
        let is_closing = |change: &Change| matches!(change, Change::ListMade { node: Node::Allowed, exists: true });
        if !draft.changes.iter().any(is_closing) {
            return;
        }
        let rights = draft.rights();
        let passing = rights.owners.iter().chain(&rights.admins).filter_map(|account| seats.passer_by(account));
        let mut passing: Vec<&Member> = passing.collect();
        passing.sort_by(|a, b| a.id.cmp(&b.id));
        for member in passing {
            let past = self.member(&member.jid);
            let windows = [past.map(|past| past.windows.as_slice()).unwrap_or_default(), &member.windows].concat();
            let base = past.unwrap_or(member).clone();
            let (status, since, nick) = (Status::Joined, draft.now, member.nick.clone());
            draft.put(Change::Joined, Member { status, since, nick, windows, named: true, ..base });
        }
    }
}

/// A refusal of a value, in the words of forms.
fn of_form(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::Invalid { field, why } => Refusal::Unacceptable { field, why },
        Refusal::TooMany { what, max } => Refusal::Unacceptable { field: what, why: format!("there may be {max}") },
        Refusal::NoSuchItem => Refusal::Unacceptable { field: "owners, admins", why: "expected participants".into() },
        Refusal::NotAllowed(why) => Refusal::Unacceptable { field: "the form", why: why.into() },
        other => other,
    }
}
