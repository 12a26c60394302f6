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
use crate::xmpp::Tag;
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
    own: Option<Tag>,
    /// As others see it, and as those do who see hidden JIDs.
    others: Option<[Tag; 2]>,
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
        if pacing == Pacing::Paced && news.others.is_some() && !self.may_tell(tag, account) {
            return self.occupants.tell_later(tag, account);
        }
        let Some(seat) = self.occupants.room(tag).and_then(|room| room.seat_of(account)) else { return };
        let trace = seat.trace;
        let own: Vec<EntryNo> = seat.numbers().filter(|no| Some(*no) != entering).collect();
        let audience = self.occupants.room(tag).and_then(|room| room.audience(tag, account, &trace, Knows::Either));
        let since = turn.outbox.len();
        if let Some(presence) = news.own.filter(|_| !own.is_empty()) {
            turn.tell_all(Audience::these(own), halves(&presence, false));
        }
        let is_told = news.others.is_some();
        if let Some(([veiled, unveiled], audience)) = news.others.zip(audience) {
            let presence = |is_unveiled| if is_unveiled { unveiled.clone() } else { veiled.clone() };
            self.tell_apart((name, tag), audience, presence, turn);
        }
        self.load(turn.payer.as_ref().unwrap_or(account), name, &mut turn.outbox[since..]);
        let now_ms = self.steady.0;
        let Some(room) = self.occupants.room_mut(tag) else { return };
        let moment = room.next_moment();
        let place = room.place_of(account);
        room.waiting.retain(|waiting| Some(*waiting) != place);
        let Some(seat) = room.seat_mut(account) else { return };
        (seat.own, seat.nick) = (Some(news.print), Some(news.nick));
        if is_told {
            (seat.others, seat.trace.told) = (Some(news.print), Some(moment));
            if pacing == Pacing::Paced {
                seat.told_ms = Some(now_ms);
            }
        }
    }

    /// What is to be told of a seat; `None`: everybody knows.
    fn news_of(&mut self, name: &ChannelName, tag: u64, account: &BareJid) -> Option<News> {
        let (channel, here) = (self.channels.channel(name)?, self.occupants.room(tag)?);
        let (seat, room) = (here.seat_of(account)?, self.service.address_of(name));
        let picture = self.occupants.picture(channel, seat)?;
        let print = picture.print(&room);
        let is_own = seat.own != Some(print);
        let is_others = seat.others != Some(print) && !is_silent(channel, here, account);
        if !is_own && !is_others {
            return None;
        }
        let id = self.service.sealer.mark(tag, self.dice.random());
        let sees = channel.unveils_occupants_to(account, &here.seats);
        let own = is_own.then(|| picture.occupant(&room, sees).available(Some(&id), &[status::SELF]));
        let as_seen = |unveiled| picture.occupant(&room, unveiled).available(Some(&id), &[]);
        let others = is_others.then(|| [false, true].map(as_seen));
        Some(News { print, nick: picture.member.nick.clone(), own, others })
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
