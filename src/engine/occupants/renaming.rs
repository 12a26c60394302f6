//! XEP-0045 §7.6: an occupant goes by another nick.

use super::super::outgoing::outbox::{Audience, EntryNo};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::audiences::Knows;
use super::showing::is_silent;
use super::telling::Pacing;
use crate::channel::{Change, ChannelName, Command, Member, Nick, Refusal};
use crate::xep::muc::presence::status;
use jid::{BareJid, FullJid};
use rand::Rng;

/// The nicks that the service gives in a room to those who name none that is visible.
const NEUTRAL_MAX: u64 = 50;

impl Engine {
    /// The nick that a text is. One of which nothing is visible stands for a nick of the service's choice.
    ///
    /// # Errors
    /// [`Refusal::NoNick`] for a blank text (XEP-0045 §7.2.1).
    pub(super) fn nick_of(&self, text: &str, name: &ChannelName, account: &BareJid) -> Result<Nick, Refusal> {
        if let Some(nick) = Nick::new(text) {
            return Ok(nick);
        }
        if text.trim().is_empty() {
            return Err(Refusal::NoNick);
        }
        let shows_jids = match self.channels.channel(name) {
            Some(channel) => channel.settings().shows_jids(),
            None => self.service.limits.muc.rooms.shows_jids,
        };
        if shows_jids {
            return Ok(Nick::for_account(account));
        }
        // It must not tell who somebody is, so it says in which order they came.
        let (bytes_max, word) = (self.service.limits.nick_bytes_max, Nick::neutral());
        let numbered = (2..=NEUTRAL_MAX).map(|n| Nick::neutral().numbered(n, bytes_max));
        let seats = self.seats_of(Some(name));
        let is_free = |nick: &Nick| {
            let of_channel = self.channels.channel(name).and_then(|channel| channel.holder_of(nick));
            of_channel.or(seats.holder_of(nick)).is_none_or(|holder| holder == account)
        };
        Ok(std::iter::once(word.clone()).chain(numbered).find(is_free).unwrap_or(word))
    }

    /// XEP-0045 §7.6: a client is told that it goes by another nick than it asked for.
    pub(super) fn tell_mended(
        &mut self,
        full: &FullJid,
        (name, asked, tag): (&ChannelName, &str, u64),
        turn: &mut Turn,
    ) {
        let (Some(channel), Some(here)) = (self.channels.channel(name), self.occupants.room(tag)) else { return };
        let Some(seat) = here.seat_of(&full.to_bare()) else { return };
        let Some(picture) = self.occupants.picture(channel, seat).filter(|it| it.member.nick.as_str() != asked) else {
            return;
        };
        let Some(session) = seat.session_of(full) else { return };
        let sees = channel.unveils_occupants_to(&full.to_bare(), &here.seats);
        let id = self.service.sealer.mark(tag, self.dice.random());
        let room = self.service.address_of(name);
        let own = picture.occupant(&room, sees).available(Some(&id), &[status::SELF, status::NICK_ASSIGNED]);
        turn.tell_all(Audience::One(session.no), halves(&own, false));
    }

    /// Gives an occupant the nick that it wants; whether that is another one.
    pub(super) fn rename(
        &mut self,
        full: &FullJid,
        (name, nick, tag): (&ChannelName, &str, u64),
        turn: &mut Turn,
    ) -> Result<bool, Refusal> {
        let actor = self.actor(full.to_bare());
        if self.channels.is_ending(&actor.account) {
            return Err(Refusal::Busy);
        }
        let nick = self.nick_of(nick, name, &actor.account)?.cut(self.service.limits.nick_bytes_max);
        let passer_by = self.occupants.seats(tag).passer_by(&actor.account).cloned();
        let own = self.channels.channel(name).and_then(|channel| self.occupants.member_on(channel, &actor.account));
        if own.is_some_and(|own| own.nick == nick) {
            return Ok(false);
        }
        self.admit_freight(&actor)?;
        let now_ms = self.steady.0;
        let wait = |wait_s: u64| Refusal::TooFast { what: "nicks", wait_s };
        self.occupants.told.take(&actor.account, now_ms).map_err(wait)?;
        let effects = self.decide_in(name, &actor, Command::SetNick { nick: Some(nick) })?;
        let is_renamed = !effects.changes.is_empty();
        if let (Some(passer_by), Some((_, Change::Moved(moved)))) = (passer_by, effects.changes.first()) {
            self.occupants.identify(tag, &actor.account, &moved.id, Some(moved.clone()));
            self.apply_and_show(Some(&actor.account), effects.changes, turn);
            self.tell_renamed(name, tag, &actor.account, &passer_by.nick, turn);
            return Ok(true);
        }
        self.apply_and_show(Some(&actor.account), effects.changes, turn);
        Ok(is_renamed)
    }

    /// Everybody who knows an occupant is told that it goes by another nick.
    pub(super) fn tell_renamed(
        &mut self,
        name: &ChannelName,
        tag: u64,
        account: &BareJid,
        past: &Nick,
        turn: &mut Turn,
    ) {
        let (Some(channel), Some(here)) = (self.channels.channel(name), self.occupants.room(tag)) else { return };
        let Some(seat) = here.seat_of(account) else { return };
        let Some(mut picture) = self.occupants.picture(channel, seat) else { return };
        let (room, now) = (self.service.address_of(name), picture.member);
        let before = Member { nick: past.clone(), ..now.clone() };
        let says = std::mem::take(&mut picture.says);
        picture.member = &before;
        let id = self.service.sealer.mark(tag, self.dice.random());
        let own: Vec<EntryNo> = seat.numbers().collect();
        let audience = here.audience(tag, account, &seat.trace, Knows::It);
        let renamed =
            |unveiled, codes: &[u16]| picture.occupant(&room, unveiled).renamed(now.nick.as_str(), Some(&id), codes);
        let (since, sees) = (turn.outbox.len(), channel.unveils_occupants_to(account, &here.seats));
        turn.tell_all(Audience::these(own), halves(&renamed(sees, &[status::RENAMED, status::SELF]), false));
        if let Some(audience) = audience.clone() {
            self.tell_apart((name, tag), audience, |unveiled| renamed(unveiled, &[status::RENAMED]), turn);
        }
        // Those who know it stay those who do.
        if let Some(audience) = audience.filter(|_| is_silent(channel, here, account)) {
            (picture.says, picture.member) = (says, now);
            let now = |unveiled| picture.occupant(&room, unveiled).available(None, &[]);
            self.tell_apart((name, tag), audience, now, turn);
        }
        self.load(account, name, &mut turn.outbox[since..]);
        self.tell_of_seat((name, tag), account, (Pacing::Now, None), turn);
    }
}
