//! Who of a room is told of an occupant.

use super::Occupants;
use super::room::Room;
use super::seat::{Session, Trace};
use crate::engine::outgoing::outbox::{Audience, EntryNo, ListId};
use crate::xep::List;
use jid::BareJid;

impl Room {
    /// The sessions of everybody but an account.
    fn others(&self, account: &BareJid) -> impl Iterator<Item = &Session> {
        let own = self.place_of(account);
        let others = self.occupants_behind(None).filter(move |(place, _)| Some(*place) != own);
        others.flat_map(|(_, seat)| &seat.sessions).filter(|session| !session.is_arriving)
    }

    /// The sessions of everybody but an account, as an audience. `own`: a session of the account that enters, which is not on
    /// the list before it was sent everybody.
    fn all_others(&self, tag: u64, account: &BareJid) -> Audience {
        let list = ListId { tag, list: List::Sessions };
        let mut own = self.seat_of(account).map_or(&[][..], |seat| &seat.sessions).iter();
        match (own.next(), own.next()) {
            (own, None) => Audience::List(list, own.map(|session| session.no)),
            (_, Some(_)) => Audience::these(self.others(account).map(|session| session.no)),
        }
    }

    /// Those of them who were told of an occupant, or those who were not. `None`: nobody.
    pub fn audience(&self, tag: u64, account: &BareJid, trace: &Trace, knows: Knows) -> Option<Audience> {
        let is_wanted = |session: &&Session| match knows {
            Knows::Either => true,
            Knows::It => trace.is_known_to(session),
            Knows::Nothing => !trace.is_known_to(session),
        };
        let is_anybody = self.session_count() > self.seat_of(account).map_or(0, |seat| seat.sessions.len());
        if !is_anybody || (!self.was_quiet && knows == Knows::Nothing && trace.told.is_some()) {
            return None;
        }
        // Nobody missed anything in a room that was never quiet.
        if knows == Knows::Either || (!self.was_quiet && knows == Knows::It) {
            return Some(self.all_others(tag, account));
        }
        let all = self.others(account).count();
        let numbers: Vec<EntryNo> = self.others(account).filter(is_wanted).map(|session| session.no).collect();
        match numbers.len() {
            0 => None,
            some if some == all => Some(self.all_others(tag, account)),
            _ => Some(Audience::these(numbers)),
        }
    }
}

/// Who of a room is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knows {
    /// Everybody.
    Either,
    /// Those who were told of the occupant.
    It,
    /// Those who were not.
    Nothing,
}

impl Occupants {
    /// How many stanzas go to an audience of a room.
    pub fn reach(&self, audience: &Audience) -> Option<usize> {
        match audience {
            Audience::List(ListId { tag, list: List::Sessions }, _) => Some(self.room(*tag)?.session_count()),
            Audience::List(..) => None,
            Audience::One(_) => Some(1),
            Audience::These(numbers) => Some(numbers.len()),
        }
    }
}
