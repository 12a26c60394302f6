//! XEP-0045 §7.2: clients enter rooms.

use super::super::outgoing::outbox::{Audience, Delta, ListId, Out};
use super::super::outgoing::unsent::halves;
use super::super::requests::router::Target;
use super::super::{Engine, Turn};
use crate::channel::command::EnterWish;
use crate::channel::crowd::Ordered;
use crate::channel::{Answer, Change, Channel, ChannelName, Command, Member, Nick, Node, ParticipantId, Refusal};
use crate::xep::List;
use crate::xep::availability::Availability;
use crate::xep::muc::presence::{Occupant, status};
use crate::xep::muc::{enter, errors, subject};
use crate::xmpp::{Stanza, Tag};
use jid::{BareJid, FullJid};
use rand::Rng;
use std::sync::Arc;

/// Whoever enters, as the rules let it in.
struct Entrant {
    member: Member,
    passes_by: bool,
    is_renamed: bool,
}

impl Engine {
    /// A client sends presence to a nick in a room.
    pub(in crate::engine) fn presence_in_room(
        &mut self,
        stanza: &Stanza,
        full: &FullJid,
        (name, nick): (&ChannelName, &str),
        turn: &mut Turn,
    ) {
        let tag = self.channels.tag_of(name);
        let is_session = tag.is_some_and(|tag| self.occupants.is_session(tag, full));
        match (enter::entry(stanza), tag) {
            (Some(entry), _) => match self.history_for(full, name, &entry) {
                Some(history) => self.enter_room(stanza, full, (name, nick), history, turn),
                None => self.wait_for_rows(name),
            },
            (None, Some(tag)) if is_session => self.change_presence(stanza, full, (name, nick, tag), turn),
            (None, _) => turn.tell(errors::not_inside(stanza)),
        }
    }

    fn enter_room(
        &mut self,
        stanza: &Stanza,
        full: &FullJid,
        (name, nick): (&ChannelName, &str),
        history: Vec<Tag>,
        turn: &mut Turn,
    ) {
        let room = self.service.address_of(name);
        match self.let_in(full, (name, nick), turn) {
            Ok(entrant) => self.welcome(stanza, full, (name, entrant), history, turn),
            Err(refusal) => {
                turn.refusals.push((&refusal).into());
                turn.send(errors::of_entry(stanza, &room, &refusal).into_xml());
            }
        }
    }

    /// Presence is not taken. Whoever wanted to enter is told.
    pub(in crate::engine) fn refuse_entry(&self, stanza: &Stanza, refusal: &Refusal, turn: &mut Turn) {
        turn.refusals.push(refusal.into());
        if let Some(Target::Occupant(name, _)) = self.target(&stanza.to).filter(|_| enter::entry(stanza).is_some()) {
            turn.send(errors::of_entry(stanza, &self.service.address_of(&name), refusal).into_xml());
        }
    }

    /// Decides whether a client may enter, and lets the channel know.
    fn let_in(
        &mut self,
        full: &FullJid,
        (name, nick): (&ChannelName, &str),
        turn: &mut Turn,
    ) -> Result<Entrant, Refusal> {
        let actor = self.actor(full.to_bare());
        let nick = Nick::new(nick).ok_or(Refusal::NoNick)?;
        let tag = self.channels.tag_of(name).filter(|_| !self.is_hidden(name, &actor));
        let tag = tag.ok_or(Refusal::NotAllowed("there is no such room, and you may not create one"))?;
        if !self.occupants.is_session(tag, full) && !self.find_seat(tag, &actor.account, turn) {
            return Err(Refusal::Busy);
        }
        let id = self.service.sealer.visitor(tag, &actor.account);
        let wish = EnterWish { nick: nick.cut(self.service.limits.nick_bytes_max), id };
        let effects = self.decide_in(name, &actor, Command::Enter(wish))?;
        let Answer::Entered { member, passes_by, is_renamed } = effects.answer else { return Err(Refusal::Internal) };
        self.apply_and_show(Some(&actor.account), effects.changes, turn);
        Ok(Entrant { member: *member, passes_by, is_renamed })
    }

    /// Finds room for one more session: whoever has most of them loses one.
    fn find_seat(&mut self, tag: u64, account: &BareJid, turn: &mut Turn) -> bool {
        loop {
            match self.occupants.find_room(tag, account) {
                Ok(()) => return true,
                Err(Some((name, full))) => self.put_out(&name, &full, turn),
                Err(None) => return false,
            }
        }
    }

    /// XEP-0045 §7.2.3 to §7.2.15: a client is sent who is there, itself, and the subject; the others are told of it.
    fn welcome(
        &mut self,
        stanza: &Stanza,
        full: &FullJid,
        (name, entrant): (&ChannelName, Entrant),
        history: Vec<Tag>,
        turn: &mut Turn,
    ) {
        let Some(tag) = self.channels.tag_of(name) else { return };
        let (account, room) = (full.to_bare(), self.service.address_of(name));
        let Entrant { member, passes_by, is_renamed } = entrant;
        let was_there = self.occupants.seats(tag).is_seated(&account);
        let known = self.occupants.entry_of(tag, full);
        let no = known.unwrap_or_else(|| self.people.enter_session(full, &mut turn.outbox));
        let says = Availability::of(&stanza.element);
        self.occupants.enter((tag, name), full, &member, passes_by, (no, says.clone()));
        let Some(channel) = self.channels.channel(name) else { return };
        for (id, presence) in self.everybody_in(channel, tag, &room) {
            if id != member.id {
                turn.tell_all(Audience::One(no), halves(&presence, false));
            }
        }
        let shows_jids = channel.settings().shows_jids();
        let mut codes = if shows_jids { vec![status::NON_ANONYMOUS, status::SELF] } else { vec![status::SELF] };
        codes.extend(is_renamed.then_some(status::NICK_ASSIGNED));
        let jid = shows_jids.then(|| full.to_string());
        let said = says.shown(shows_jids);
        let own = Occupant { channel, room: &room, member: &member, jid, says: &said };
        turn.tell_all(Audience::One(no), halves(&own.available(stanza.id.as_deref(), &codes), false));
        history.iter().for_each(|message| turn.tell_all(Audience::One(no), halves(message, true)));
        let id = self.service.sealer.mark(tag, self.dice.random());
        let subject = subject::on_entry(&room, channel.kept().topic.as_ref(), &id);
        turn.tell_all(Audience::One(no), halves(&subject, true));
        let is_told = !was_there && !self.is_quiet(channel, tag);
        if is_told {
            let presence = own.available(Some(&self.service.sealer.mark(tag, self.dice.random())), &[]);
            turn.tell_all(Audience::List(ListId { tag, list: List::Sessions }, Some(no)), halves(&presence, false));
        }
        if is_told {
            self.occupants.note_told(tag, &account);
        }
        if known.is_none() {
            turn.outbox.push(Out::Book(Delta::Added(ListId { tag, list: List::Sessions }, no)));
        }
    }

    /// Whether a room is so large that its occupants are not told of one another, but of those who moderate it.
    pub(super) fn is_quiet(&self, channel: &Channel, tag: u64) -> bool {
        let people = channel.participant_count() + self.occupants.seats(tag).count();
        people > self.service.limits.presence_participants_max
    }

    /// The presence of every occupant, with its id: those with a seat, and participants that are sent messages by MIX. Of a
    /// quiet room those who moderate it.
    fn everybody_in(&self, channel: &Channel, tag: u64, room: &str) -> Vec<(ParticipantId, Tag)> {
        if self.is_quiet(channel, tag) {
            return self.moderators_in(channel, tag, room);
        }
        let seats = self.occupants.seats(tag);
        let shows_jids = channel.settings().shows_jids();
        let mut everybody = Vec::new();
        if let Some(here) = self.occupants.room(tag) {
            for seat in here.occupants() {
                let member = channel.member_of(&seat.id).or_else(|| seats.member_of(&seat.id));
                let Some((member, session)) = member.zip(seat.shown()) else { continue };
                let jid = shows_jids.then(|| session.full.to_string());
                let says = session.says.shown(shows_jids);
                let occupant = Occupant { channel, room, member, jid, says: &says };
                everybody.push((seat.id.clone(), occupant.available(None, &[])));
            }
        }
        let by_id = channel.participants_by_id();
        let of_mix = by_id.rising(0).filter(|member| member.subscriptions.contains(Node::Messages));
        for member in of_mix.filter(|member| !seats.is_seated(&member.jid)) {
            let jid = member.shown_jid(channel.settings().visibility).map(|jid| jid.to_string());
            let occupant = Occupant { channel, room, member, jid, says: "" };
            everybody.push((member.id.clone(), occupant.available(None, &[])));
        }
        everybody
    }

    fn moderators_in(&self, channel: &Channel, tag: u64, room: &str) -> Vec<(ParticipantId, Tag)> {
        let rights = channel.rights();
        let mut moderators: Vec<&Member> =
            rights.owners.iter().chain(&rights.admins).filter_map(|account| channel.participant(account)).collect();
        moderators.sort_by(|a, b| a.id.cmp(&b.id));
        let shown = moderators.into_iter().map(|member| {
            let seat = self.occupants.room(tag).and_then(|here| here.seat_of(&member.jid)?.shown());
            let full = seat.map(|session| session.full.to_string());
            let jid = full.or_else(|| Some(member.jid.to_string())).filter(|_| channel.settings().shows_jids());
            let says = seat.map(|session| session.says.shown(channel.settings().shows_jids())).unwrap_or_default();
            let occupant = Occupant { channel, room, member, jid, says: &says };
            (member.id.clone(), occupant.available(None, &[]))
        });
        shown.collect()
    }

    /// XEP-0045 §7.6, §7.7: an occupant says something else, perhaps by another nick.
    fn change_presence(
        &mut self,
        stanza: &Stanza,
        full: &FullJid,
        (name, nick, tag): (&ChannelName, &str, u64),
        turn: &mut Turn,
    ) {
        self.occupants.say(tag, full, Availability::of(&stanza.element));
        match self.rename(full, (name, nick, tag), turn) {
            Ok(true) => {}
            Ok(false) => self.tell_of_occupant(name, tag, full, turn),
            Err(refusal) => {
                turn.refusals.push((&refusal).into());
                turn.send(errors::of_entry(stanza, &self.service.address_of(name), &refusal).into_xml());
            }
        }
    }

    /// Gives an occupant the nick that it wants; whether that is another one.
    fn rename(
        &mut self,
        full: &FullJid,
        (name, nick, tag): (&ChannelName, &str, u64),
        turn: &mut Turn,
    ) -> Result<bool, Refusal> {
        let actor = self.actor(full.to_bare());
        let nick = Nick::new(nick).ok_or(Refusal::NoNick)?.cut(self.service.limits.nick_bytes_max);
        let passer_by = self.occupants.seats(tag).passer_by(&actor.account).cloned();
        let past = passer_by.as_ref().map(|passer_by| passer_by.nick.clone());
        if past.is_some_and(|past| past == nick) {
            return Ok(false);
        }
        let effects = self.decide_in(name, &actor, Command::SetNick { nick: Some(nick) })?;
        let is_renamed = !effects.changes.is_empty();
        if let (Some(passer_by), Some((_, Change::Moved(moved)))) = (passer_by, effects.changes.first()) {
            self.occupants.identify(tag, &actor.account, &moved.id, Some(moved.clone()));
            self.apply_and_show(Some(&actor.account), effects.changes, turn);
            self.tell_renamed(name, tag, full, passer_by.nick.as_str(), turn);
            return Ok(true);
        }
        self.apply_and_show(Some(&actor.account), effects.changes, turn);
        Ok(is_renamed)
    }

    /// Tells everybody in a room of the occupant that a client belongs to; its own sessions with status 110.
    pub(super) fn tell_of_occupant(&mut self, name: &ChannelName, tag: u64, full: &FullJid, turn: &mut Turn) {
        let (account, room) = (full.to_bare(), self.service.address_of(name));
        let Some(channel) = self.channels.channel(name) else { return };
        let seats = self.occupants.seats(tag);
        let Some(member) = channel.participant(&account).or_else(|| seats.passer_by(&account)) else { return };
        let Some(here) = self.occupants.room(tag) else { return };
        let Some(shown) = here.seat_of(&account).and_then(|seat| seat.shown()) else { return };
        let (jid, says) = (
            channel.settings().shows_jids().then(|| shown.full.to_string()),
            shown.says.shown(channel.settings().shows_jids()),
        );
        let occupant = Occupant { channel, room: &room, member, jid, says: &says };
        let id = self.service.sealer.mark(tag, self.dice.random());
        let (own, others) = here.apart(&account);
        let presence = occupant.available(Some(&id), &[status::SELF]);
        turn.tell_all(Audience::These(Arc::new(own)), halves(&presence, false));
        if !here.seat_of(&account).is_some_and(|seat| seat.is_told) {
            return;
        }
        turn.tell_all(Audience::These(Arc::new(others)), halves(&occupant.available(Some(&id), &[]), false));
    }
}
