//! XEP-0045 §7.7: what changes of an occupant is told to its own sessions and to the others.
//!
//! A seat keeps what either were told of it in short, so nothing is told twice. What an account changes by itself has rates,
//! and waits for its time; of several presences the newest is told.

use super::super::outgoing::outbox::{Audience, EntryNo};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::Occupants;
use super::audiences::Knows;
use super::room::Room;
use super::seat::Print;
use super::showing::is_silent;
use crate::channel::{Channel, ChannelName, Nick, ShownRoles};
use crate::xep::muc::presence::status;
use jid::BareJid;
use rand::Rng;

/// The least time between two changes of a seat that others are told, in milliseconds.
const CHANGES_MS: u64 = 1000;

/// When a change is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pacing {
    /// Now: what it comes from is bounded.
    Now,
    /// As the account's rates let it.
    Paced,
}

/// What is to be told of a seat.
struct News {
    print: Print,
    nick: Nick,
    /// The id of the stanzas.
    id: String,
    /// Whether its own sessions do not know it, and whether the others do not.
    is_own: bool,
    is_others: bool,
}

impl Occupants {
    /// What is kept of a room.
    pub(super) fn room_mut(&mut self, tag: u64) -> Option<&mut Room> {
        self.rooms.get_mut(&tag)
    }

    /// The presence of an account in a room is told later.
    pub(super) fn tell_later(&mut self, tag: u64, account: &BareJid) {
        let Some(room) = self.rooms.get_mut(&tag) else { return };
        if let Some(place) = room.place_of(account) {
            room.waiting.insert(place);
            self.due.insert(room.name.clone(), tag);
        }
    }
}

impl Engine {
    /// Counts the people of a room, and says whether it is quiet.
    pub(super) fn is_quiet(&mut self, name: &ChannelName, tag: u64) -> bool {
        let channel = self.channels.channel(name);
        let participants = channel.map_or(0, Channel::participant_count);
        let hides_some = channel.is_some_and(|it| it.settings().room.shown_roles != ShownRoles::default());
        let people = participants + self.occupants.seats(tag).passer_by_count();
        self.weigh(tag, people, hides_some)
    }

    /// Tells of a seat what its sessions and the others were not told yet. `entering`: a session that is told by its entry.
    pub(super) fn tell_of_seat(
        &mut self,
        (name, tag): (&ChannelName, u64),
        account: &BareJid,
        (pacing, entering): (Pacing, Option<EntryNo>),
        turn: &mut Turn,
    ) {
        self.is_quiet(name, tag);
        let Some(news) = self.news_of(name, tag, account) else { return };
        if pacing == Pacing::Paced && news.is_others && !self.may_tell(tag, account) {
            return self.occupants.tell_later(tag, account);
        }
        let since = turn.outbox.len();
        self.tell_news((name, tag), account, (&news, entering), turn);
        self.load(turn.payer.as_ref().unwrap_or(account), name, &mut turn.outbox[since..]);
        let now_ms = self.steady.0;
        let Some(room) = self.occupants.room_mut(tag) else { return };
        let moment = room.next_moment();
        if let Some(place) = room.place_of(account) {
            room.waiting.remove(&place);
        }
        let Some(seat) = room.seat_mut(account) else { return };
        (seat.own, seat.nick) = (Some(news.print), Some(news.nick));
        if news.is_others {
            (seat.others, seat.trace.told) = (Some(news.print), Some(moment));
            if pacing == Pacing::Paced {
                seat.told_ms = Some(now_ms);
            }
        }
    }

    /// What is to be told of a seat; `None`: everybody knows.
    fn news_of(&mut self, name: &ChannelName, tag: u64, account: &BareJid) -> Option<News> {
        let (channel, here) = (self.channels.channel(name)?, self.occupants.room(tag)?);
        let seat = here.seat_of(account)?;
        let picture = self.occupants.picture(channel, seat)?;
        let print = picture.print();
        let is_own = seat.own != Some(print);
        let is_others = seat.others != Some(print) && !is_silent(channel, here, account);
        if !is_own && !is_others {
            return None;
        }
        let (nick, id) = (picture.member.nick.clone(), self.service.sealer.mark(tag, self.dice.random()));
        Some(News { print, nick, id, is_own, is_others })
    }

    /// Tells it. Each form is rendered once, if anybody is sent it.
    fn tell_news(
        &self,
        (name, tag): (&ChannelName, u64),
        account: &BareJid,
        (news, entering): (&News, Option<EntryNo>),
        turn: &mut Turn,
    ) {
        let (Some(channel), Some(here)) = (self.channels.channel(name), self.occupants.room(tag)) else { return };
        let (Some(seat), room) = (here.seat_of(account), self.service.address_of(name)) else { return };
        let Some(picture) = self.occupants.picture(channel, seat) else { return };
        let own: Vec<EntryNo> = seat.numbers().filter(|no| Some(*no) != entering).collect();
        if news.is_own && !own.is_empty() {
            let sees = channel.unveils_occupants_to(account, &here.seats);
            let presence = picture.occupant(&room, sees).available(Some(&news.id), &[status::SELF]);
            turn.tell_all(Audience::these(own), halves(&presence, false));
        }
        let audience = here.audience(tag, account, &seat.trace, Knows::Either).filter(|_| news.is_others);
        if let Some(audience) = audience {
            let presence = |unveiled| picture.occupant(&room, unveiled).available(Some(&news.id), &[]);
            self.tell_apart((name, tag), audience, presence, turn);
        }
    }

    /// Whether a change of a seat may be told now. If so, it is counted.
    fn may_tell(&mut self, tag: u64, account: &BareJid) -> bool {
        let now_ms = self.steady.0;
        let told_ms = self.occupants.room(tag).and_then(|room| room.seat_of(account)?.told_ms);
        let is_time = told_ms.is_none_or(|told_ms| now_ms >= told_ms.saturating_add(CHANGES_MS));
        let actor = self.actor(account.clone());
        is_time && self.admit_freight(&actor).is_ok() && self.occupants.told.take(account, now_ms).is_ok()
    }
}
