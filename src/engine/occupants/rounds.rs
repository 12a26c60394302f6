//! Clients that enter one room in one turn do so together, as one round: each occupant's presence is sent once for all who enter,
//! and each entrant's once for all occupants and the others who enter. So a round of k into a room of n costs n + 2k stanzas where
//! one stanza reaches many (XEP-0033), instead of n·k. What each of them is sent keeps the order of XEP-0045 §7.2.
//!
//! Who enters is decided when the round is: until then nothing of it has happened. Where many enter, the room has entries wait a
//! moment for one another (`gathering.rs`). Nobody waits who enters alone.

use super::super::outgoing::outbox::{Audience, Delta, EntryNo, ListId, Out};
use super::super::outgoing::unsent::halves;
use super::super::requests::router::Target;
use super::super::{Engine, Inbound, Turn};
use super::gathering::{Entering, Round};
use super::telling::Pacing;
use crate::channel::{ChannelName, ParticipantId};
use crate::xep::List;
use crate::xep::availability::Availability;
use crate::xep::muc::enter;
use crate::xep::muc::{errors, presence, subject};
use crate::xmpp::{Kind, Stanza, Tag};
use jid::BareJid;
use rand::Rng;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// A client that has its seat, and was told nothing yet.
struct Arrival {
    entering: Entering,
    no: EntryNo,
    id: ParticipantId,
    is_renamed: bool,
}

impl Arrival {
    fn account(&self) -> BareJid {
        self.entering.full.to_bare()
    }
}

impl Engine {
    /// When a client that enters a room may do so, in steady milliseconds. All other stanzas may be handled now.
    pub(in crate::engine) fn gathers_until(&mut self, stanza: &Stanza) -> u64 {
        let (now_ms, least) = (self.steady.0, self.service.limits.muc.gathering_sessions_min);
        if !enter::is_entry(stanza) {
            return now_ms;
        }
        let Some(Target::Occupant(name, _)) = self.target(&stanza.to) else { return now_ms };
        let Some(tag) = self.channels.tag_of(&name) else { return now_ms };
        // Whoever is going to be refused is refused at once: a delay would tell of a hidden room, and holds up nobody else.
        let actor = self.actor(stanza.sender());
        let channel = self.channels.channel(&name).filter(|_| !self.is_hidden(&name, &actor));
        if channel.is_none_or(|channel| {
            channel.participant(&actor.account).is_none() && channel.check_entrant(&actor).is_err()
        }) {
            return now_ms;
        }
        let is_inside = stanza.from.try_as_full().is_ok_and(|full| self.occupants.is_session(tag, full));
        match self.occupants.room_mut(tag).filter(|room| !is_inside && room.session_count() >= least) {
            Some(room) => room.gathering.join(now_ms),
            None => now_ms,
        }
    }

    /// Whether presence waits, because seats of its room end by what a turn decided: whoever enters would be told of the end of
    /// somebody whom it was not shown, and a nick that is free could still be on a seat. Nobody waits for a room that it may not
    /// know of, and nothing else waits but what the same client sends the room behind that.
    pub(in crate::engine) fn waits_for_seats(&self, inbound: &Inbound) -> Option<ChannelName> {
        let Inbound::Stanza(stanza) = inbound else { return None };
        if self.occupants.reviews.is_empty() || stanza.kind != Kind::Presence || !stanza.type_.is_empty() {
            return None;
        }
        let Some(Target::Occupant(name, _)) = self.target(&stanza.to) else { return None };
        let may_know = || !self.is_hidden(&name, &self.actor(stanza.sender()));
        (self.ends_seats(&name) && may_know()).then_some(name)
    }

    /// Whether seats of a room are gone through, to end some.
    pub(in crate::engine) fn ends_seats(&self, name: &ChannelName) -> bool {
        let room = self.channels.tag_of(name).and_then(|tag| self.occupants.room(tag));
        room.is_some_and(|room| room.review.is_some())
    }

    /// Whether seats of any room are gone through.
    pub fn ends_any_seats(&self) -> bool {
        !self.occupants.reviews.is_empty()
    }

    /// A client enters with the others of the turn, or now if it cannot.
    pub(super) fn enter_with_others(&mut self, name: &ChannelName, entering: Entering, turn: &mut Turn) {
        let account = entering.full.to_bare();
        if turn.rounds.get(name).is_some_and(|round| round.accounts.contains(&account)) {
            self.settle_round(name, turn);
        }
        if !self.enters_anew(name, &account) {
            self.settle_round(name, turn);
            return self.enter_alone(name, entering, turn);
        }
        let place = turn.rounds.len();
        let round = turn.rounds.entry(name.clone()).or_insert_with(|| Round { place, ..Round::default() });
        round.accounts.insert(account);
        round.entering.push(entering);
    }

    /// Whether an account has no seat in a room that there is, and may know of it.
    fn enters_anew(&self, name: &ChannelName, account: &BareJid) -> bool {
        let tag = self.channels.tag_of(name).filter(|_| !self.is_hidden(name, &self.actor(account.clone())));
        tag.is_some_and(|tag| !self.occupants.seats(tag).is_seated(account))
    }

    /// Before something else is handled: those enter before whom it must not be.
    pub(in crate::engine) fn settle_rounds_before(&mut self, inbound: &Inbound, turn: &mut Turn) {
        if turn.rounds.is_empty() {
            return;
        }
        let Inbound::Stanza(stanza) = inbound else { return self.settle_rounds(turn) };
        match self.target(&stanza.to) {
            Some(Target::Occupant(..)) if enter::is_entry(stanza) => {}
            Some(Target::Channel(name) | Target::Occupant(name, _) | Target::Participant(name, _)) => {
                self.settle_round(&name, turn);
            }
            Some(Target::Service | Target::Nobody) | None => self.settle_rounds(turn),
        }
    }

    /// All enter who are about to, room by room.
    pub(in crate::engine) fn settle_rounds(&mut self, turn: &mut Turn) {
        let mut names: Vec<(usize, ChannelName)> =
            turn.rounds.iter().map(|(name, round)| (round.place, name.clone())).collect();
        names.sort();
        names.iter().for_each(|(_, name)| self.settle_round(name, turn));
    }

    fn settle_round(&mut self, name: &ChannelName, turn: &mut Turn) {
        let Some(Round { entering: mut round, .. }) = turn.rounds.remove(name) else { return };
        match round.pop() {
            Some(entering) if round.is_empty() => self.enter_alone(name, entering, turn),
            Some(last) => {
                round.push(last);
                self.enter_together(name, round, turn);
            }
            None => {}
        }
    }

    fn enter_alone(&mut self, name: &ChannelName, it: Entering, turn: &mut Turn) {
        self.enter_room(&it.stanza, &it.full, (name, &it.nick, it.entry), it.history, turn);
    }

    /// Those of a round are let in one after the other, and welcomed together.
    fn enter_together(&mut self, name: &ChannelName, round: Vec<Entering>, turn: &mut Turn) {
        let since = turn.outbox.len();
        let (mut arrivals, mut joins) = (Vec::with_capacity(round.len()), false);
        for mut entering in round {
            let password = entering.entry.password.take();
            match self.let_in(&entering.full, (name, &entering.nick, password), turn) {
                Ok(entrant) => {
                    self.begin_versions(&entering.stanza, name, turn);
                    joins |= entrant.joins;
                    let Some(tag) = self.channels.tag_of(name) else { continue };
                    self.end_before(name, &entering.full, turn);
                    let no = self.people.enter_session(&entering.full, &mut turn.outbox);
                    let says = Availability::of(&entering.stanza.element);
                    let whom = (&entrant.member, entrant.passes_by, entrant.was_shown);
                    self.occupants.enter((tag, name), &entering.full, whom, (no, says));
                    self.follow_seat(tag, &entering.full.to_bare(), &mut turn.outbox);
                    self.occupants.note_arriving(tag, &entering.full, true);
                    let is_renamed = entrant.member.nick.as_str() != entering.nick;
                    arrivals.push(Arrival { entering, no, id: entrant.member.id, is_renamed });
                }
                Err(refusal) => self.refuse_presence(&entering.stanza, name, &refusal, turn),
            }
        }
        let Some(tag) = self.channels.tag_of(name) else { return };
        // One may have made room for another.
        arrivals.retain(|it| self.occupants.is_session(tag, &it.entering.full));
        self.welcome_all((name, tag), &arrivals, turn);
        // What is shown of a channel that the turn changes goes with the turn's commit.
        if joins || turn.changes(tag) {
            turn.entered.extend(arrivals.iter().map(|it| (tag, it.entering.full.clone())));
            turn.replies.extend(arrivals.iter().map(|it| errors::reply_to_entry(&it.entering.stanza).into()));
            turn.decide_since(since);
        }
    }

    /// XEP-0045 §7.2.3 to §7.2.15: each is sent who is there, who enters with it, itself, what was said before, and the subject.
    fn welcome_all(&mut self, (name, tag): (&ChannelName, u64), arrivals: &[Arrival], turn: &mut Turn) {
        for it in arrivals {
            self.occupants.note_arriving(tag, &it.entering.full, false);
        }
        let versions: Vec<Option<String>> =
            arrivals.iter().map(|it| self.tell_versions_of((name, tag), it, turn)).collect();
        let all = Audience::these(arrivals.iter().map(|it| it.no));
        let hash = self.channels.channel(name).and_then(|channel| channel.picture_hash());
        let picture = hash.map(|hash| presence::picture(&self.service.address_of(name), hash));
        if let Some((picture, payer)) = picture.zip(arrivals.last()) {
            self.welcome_with(name, (&all, &picture, false), payer, turn);
        }
        self.show_others((name, tag), arrivals, turn);
        let list = ListId { tag, list: List::Sessions };
        let placed = arrivals.iter().filter_map(|it| self.occupants.placed(tag, &it.entering.full));
        turn.outbox.extend(placed.map(|it| Out::Book(Delta::Added(list, it))));
        for it in arrivals {
            self.tell_of_seat((name, tag), &it.account(), (Pacing::Now, Some(it.no)), turn);
        }
        for (it, version) in arrivals.iter().zip(versions) {
            let since = turn.outbox.len();
            let whom = (name, tag, &it.entering.full);
            self.tell_itself(&it.entering.stanza, whom, (it.is_renamed, false, version), turn);
            self.load(&it.account(), name, &mut turn.outbox[since..]);
        }
        self.show_said(name, arrivals, turn);
        let Some(payer) = arrivals.last() else { return };
        let id = self.service.sealer.mark(tag, self.dice.random());
        let topic = self.channels.channel(name).and_then(|channel| channel.kept().topic.as_ref());
        let subject = subject::on_entry(&self.service.address_of(name), topic, &id);
        self.welcome_with(name, (&all, &subject, true), payer, turn);
    }

    /// XEP-0045 §7.2.13: each message once, to all who are sent it. Whatever each of them asked for, it gets the messages in
    /// their order.
    fn show_said(&mut self, name: &ChannelName, arrivals: &[Arrival], turn: &mut Turn) {
        let mut said: BTreeMap<u64, (&Arc<Tag>, Vec<&Arrival>)> = BTreeMap::new();
        for it in arrivals {
            for (row, message) in &it.entering.history {
                said.entry(*row).or_insert_with(|| (message, Vec::new())).1.push(it);
            }
        }
        for (turns, (message, those)) in said.into_values().enumerate() {
            let audience = Audience::these(those.iter().map(|it| it.no));
            self.welcome_with(name, (&audience, message, true), those[turns % those.len()], turn);
        }
    }

    /// XEP-0463 §3.2: before any presence, affiliations that changed.
    fn tell_versions_of(&mut self, (name, tag): (&ChannelName, u64), it: &Arrival, turn: &mut Turn) -> Option<String> {
        let since = turn.outbox.len();
        let version = self.tell_versions_to(&it.entering.stanza, (name, tag, &it.entering.full), it.no, turn);
        self.load(&it.account(), name, &mut turn.outbox[since..]);
        version
    }

    /// Those who enter are sent who was there before: once, and where JIDs are hidden once more for those who see them.
    fn show_others(&mut self, (name, tag): (&ChannelName, u64), arrivals: &[Arrival], turn: &mut Turn) {
        let is_quiet = self.is_quiet(name, tag);
        let Some(channel) = self.channels.channel(name) else { return };
        let (shows_jids, seats) = (channel.settings().shows_jids(), self.occupants.seats(tag));
        let sees = |it: &&Arrival| shows_jids || channel.unveils_occupants_to(&it.account(), seats);
        let (those, others): (Vec<&Arrival>, Vec<&Arrival>) = arrivals.iter().partition(sees);
        // In any order: it is asked alone whether somebody is among them.
        let new: HashSet<&ParticipantId> = arrivals.iter().map(|it| &it.id).collect();
        for (viewers, sees) in [(those, true), (others, false)] {
            if viewers.is_empty() {
                continue;
            }
            let audience = Audience::these(viewers.iter().map(|it| it.no));
            let everybody = self.everybody_in((name, tag), sees, is_quiet);
            let old = everybody.iter().filter(|(id, _)| !new.contains(id));
            // Each pays for as much as it is sent.
            for ((_, presence), payer) in old.zip(viewers.iter().cycle()) {
                self.welcome_with(name, (&audience, presence, false), payer, turn);
            }
        }
        for it in arrivals {
            self.occupants.note_listed(tag, &it.entering.full, is_quiet);
        }
    }

    fn welcome_with(
        &mut self,
        name: &ChannelName,
        (audience, stanza, groupchat): (&Audience, &Tag, bool),
        payer: &Arrival,
        turn: &mut Turn,
    ) {
        let since = turn.outbox.len();
        turn.tell_all(audience.clone(), halves(stanza, groupchat));
        self.load(&payer.account(), name, &mut turn.outbox[since..]);
    }
}
