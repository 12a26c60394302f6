//! XEP-0045 §7.2: clients enter rooms.

use super::super::outgoing::outbox::{Audience, Delta, ListId, Out};
use super::super::outgoing::unsent::halves;
use super::super::requests::router::Target;
use super::super::{Engine, Turn};
use super::gathering::{Entering, Said};
use super::seat::Seat;
use super::showing::{is_shown, stands_out};
use super::telling::Pacing;
use crate::channel::command::EnterWish;
use crate::channel::crowd::Ordered;
use crate::channel::{Answer, ChannelName, Command, Member, ParticipantId, Password, Refusal};
use crate::steps::Counted;
use crate::xep::availability::Availability;
use crate::xep::muc::enter::{self, Entry};
use crate::xep::muc::presence::{self, status};
use crate::xep::muc::{errors, subject, versions};
use crate::xep::{List, Reply};
use crate::xmpp::{Stanza, Tag};
use jid::{BareJid, FullJid};
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// Whoever enters, as the rules let it in.
pub(super) struct Entrant {
    pub member: Member,
    pub passes_by: bool,
    /// Whether the others were shown it before it entered.
    pub was_shown: bool,
    /// Whether something is stored of it.
    pub joins: bool,
    /// Whether the room was created for it.
    pub is_created: bool,
}

/// Presences with their occupants' ids, and the accounts and ids of some.
type Listed = (Vec<(ParticipantId, Tag)>, Vec<(BareJid, ParticipantId)>);

impl Engine {
    /// A client sends presence to a nick in a room.
    pub(in crate::engine) fn presence_in_room(
        &mut self,
        stanza: &Stanza,
        full: &FullJid,
        (name, nick): (&ChannelName, &str),
        turn: &mut Turn,
    ) {
        if !self.service.limits.muc.enabled || self.occupants.is_closed {
            return turn.refuse_by(Reply::to_stanza(stanza), &Refusal::NoSuchService);
        }
        let tag = self.channels.tag_of(name);
        let is_session = tag.is_some_and(|tag| self.occupants.is_session(tag, full));
        match (enter::entry(stanza), tag) {
            (Some(_), _) if let Err(refusal) = self.check_pace_in(name, &full.to_bare()) => {
                self.refuse_presence(stanza, name, &refusal, turn);
            }
            (Some(entry), _) => match self.history_in_round(full, name, &entry, turn) {
                Some(history) => {
                    let (stanza, full, nick) = (stanza.clone(), full.clone(), nick.to_owned());
                    self.enter_with_others(name, Entering { stanza, full, nick, entry, history }, turn);
                }
                None => self.wait_for_rows(name),
            },
            (None, Some(tag)) if is_session => self.change_presence(stanza, full, (name, nick, tag), turn),
            (None, _) => turn.tell(errors::not_inside(stanza)),
        }
    }

    /// What a client that enters is sent of what was said before, with what others of its round are.
    fn history_in_round(
        &self,
        full: &FullJid,
        name: &ChannelName,
        entry: &Entry,
        turn: &mut Turn,
    ) -> Option<Vec<Said>> {
        let mut alone = BTreeMap::new();
        let rendered = turn.rounds.get_mut(name).map_or(&mut alone, |round| &mut round.said);
        self.history_for(full, name, entry, rendered)
    }

    /// Refuses an account that entered rooms too often, before anything is read or made for it.
    pub(super) fn check_pace(&self, account: &BareJid) -> Result<(), Refusal> {
        match self.occupants.entries.wait_us(account, 1, self.steady.0) {
            0 => Ok(()),
            wait_us => Err(Refusal::TooFast { what: "entries", wait_s: wait_us.div_ceil(1_000_000) }),
        }
    }

    /// The same, in a room that the account may know of.
    fn check_pace_in(&self, name: &ChannelName, account: &BareJid) -> Result<(), Refusal> {
        let is_hidden = self.channels.tag_of(name).is_none() || self.is_hidden(name, &self.actor(account.clone()));
        if is_hidden { Ok(()) } else { self.check_pace(account) }
    }

    pub(super) fn enter_room(
        &mut self,
        stanza: &Stanza,
        full: &FullJid,
        (name, nick, entry): (&ChannelName, &str, Entry),
        history: Vec<Said>,
        turn: &mut Turn,
    ) {
        let since = turn.outbox.len();
        match self.let_in(full, (name, nick, entry.password), turn) {
            Ok(entrant) => {
                self.begin_versions(stanza, name, turn);
                let tag = self.channels.tag_of(name);
                // What is shown of a channel that the turn changes goes with the turn's commit as well.
                let joins = entrant.joins || tag.is_some_and(|tag| turn.changes(tag));
                let tag = tag.filter(|tag| joins && !self.occupants.is_session(*tag, full));
                turn.entered.extend(tag.map(|tag| (tag, full.clone())));
                // The nick in force is another one than was asked for, also where it was only mended.
                let is_renamed = entrant.member.nick.as_str() != nick;
                self.welcome(stanza, full, (name, entrant, is_renamed), history, turn);
                if joins {
                    turn.decide_since(since);
                    turn.replies.push(errors::reply_to_entry(stanza).into());
                }
            }
            Err(refusal) => self.refuse_presence(stanza, name, &refusal, turn),
        }
    }

    /// Presence is not taken. Whoever wanted to enter is told.
    pub(in crate::engine) fn refuse_entry(&self, stanza: &Stanza, refusal: &Refusal, turn: &mut Turn) {
        match self.target(&stanza.to).filter(|_| enter::entry(stanza).is_some()) {
            Some(Target::Occupant(name, _)) => self.refuse_presence(stanza, &name, refusal, turn),
            _ => turn.refusals.push(refusal.into()),
        }
    }

    /// Refuses presence to a room. Where the commit is refused, too, the answer is that.
    pub(super) fn refuse_presence(&self, stanza: &Stanza, name: &ChannelName, refusal: &Refusal, turn: &mut Turn) {
        turn.refusals.push(refusal.into());
        turn.send(errors::of_entry(stanza, &self.service.address_of(name), refusal).into_xml());
        turn.replies.push(errors::reply_to_entry(stanza).into());
    }

    /// Decides whether a client may enter, and lets the channel know.
    pub(super) fn let_in(
        &mut self,
        full: &FullJid,
        (name, nick, password): (&ChannelName, &str, Option<Password>),
        turn: &mut Turn,
    ) -> Result<Entrant, Refusal> {
        let actor = self.actor(full.to_bare());
        if self.channels.is_ending(&actor.account) {
            // The name's next owner waits until the old account is ended everywhere.
            return Err(Refusal::Busy);
        }
        let nick = self.nick_of(nick, name, &actor.account)?;
        let tag = self.channels.tag_of(name).filter(|_| !self.is_hidden(name, &actor));
        let Some(tag) = tag else { return self.let_in_first((&actor, full), (name, nick), turn) };
        // Everybody is told of it, and it of everybody.
        self.admit_freight(&actor)?;
        let wait = |wait_s: u64| Refusal::TooFast { what: "entries", wait_s };
        self.occupants.entries.take(&actor.account, self.steady.0).map_err(wait)?;
        let is_inside = self.occupants.is_session(tag, full);
        if !is_inside && !self.find_seat(tag, &actor.account, turn) {
            return Err(Refusal::Busy);
        }
        let id = self.service.id_of(tag, &actor.account);
        let nick = nick.cut(self.service.limits.nick_bytes_max);
        let wish = EnterWish { nick, id, password, is_inside };
        let was_shown = self.channels.channel(name).and_then(|it| it.participant(&actor.account)).is_some_and(is_shown);
        let effects = self.decide_in(name, &actor, Command::Enter(wish))?;
        let Answer::Entered { member, passes_by } = effects.answer else { return Err(Refusal::Internal) };
        let joins = effects.changes.iter().any(|(_, change)| change.is_kept());
        self.apply_and_show(Some(&actor.account), effects.changes, turn);
        Ok(Entrant { member: *member, passes_by, was_shown, joins, is_created: false })
    }

    /// Finds room for one more session: whoever has most of them loses one. The others in its room are told of that once the
    /// channel is in memory.
    pub(super) fn find_seat(&mut self, tag: u64, account: &BareJid, turn: &mut Turn) -> bool {
        loop {
            match self.occupants.find_room(tag, account) {
                Ok(()) => return true,
                Err(Some((name, full))) if self.channels.is_cold(&name) => {
                    if !self.occupants.give_place(&name, &full, account) {
                        return false;
                    }
                }
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
        (name, entrant, is_renamed): (&ChannelName, Entrant, bool),
        history: Vec<Said>,
        turn: &mut Turn,
    ) {
        let Some(tag) = self.channels.tag_of(name) else { return };
        let (account, room) = (full.to_bare(), self.service.address_of(name));
        let Entrant { member, passes_by, was_shown, is_created, .. } = entrant;
        self.end_before(name, full, turn);
        let was_there = self.occupants.seats(tag).is_seated(&account);
        let known = self.occupants.entry_of(tag, full);
        let no = known.unwrap_or_else(|| self.people.enter_session(full, &mut turn.outbox));
        let whom = (&member, passes_by, was_shown);
        self.occupants.enter((tag, name), full, whom, (no, Availability::of(&stanza.element)));
        self.follow_seat(tag, &account, &mut turn.outbox);
        let is_quiet = self.is_quiet(name, tag);
        let sees = self.sees_occupants((name, tag), &account);
        let since = turn.outbox.len();
        let version = self.tell_versions_to(stanza, (name, tag, full), no, turn);
        let hash = self.channels.channel(name).and_then(|channel| channel.picture_hash());
        if let Some(picture) = hash.map(|hash| presence::picture(&room, hash)) {
            turn.tell_all(Audience::One(no), halves(&picture, false));
        }
        for (id, presence) in self.everybody_in((name, tag), sees, is_quiet) {
            if id != member.id {
                turn.tell_all(Audience::One(no), halves(&presence, false));
            }
        }
        self.occupants.note_listed(tag, full, is_quiet);
        self.tell_itself(stanza, (name, tag, full), (is_renamed, is_created, version), turn);
        history.iter().for_each(|(_, message)| turn.tell_all(Audience::One(no), halves(message, true)));
        let id = self.service.sealer.mark(tag, self.dice.random());
        let topic = self.channels.channel(name).and_then(|channel| channel.kept().topic.as_ref());
        let subject = subject::on_entry(&room, topic, &id);
        turn.tell_all(Audience::One(no), halves(&subject, true));
        self.load(&account, name, &mut turn.outbox[since..]);
        // Whoever enters anew can say something else each time.
        let pacing = if was_there { Pacing::Paced } else { Pacing::Now };
        self.tell_of_seat((name, tag), &account, (pacing, Some(no)), turn);
        if known.is_none()
            && let Some(placed) = self.occupants.placed(tag, full)
        {
            turn.outbox.push(Out::Book(Delta::Added(ListId { tag, list: List::Sessions }, placed)));
        }
    }

    /// XEP-0045 §7.2.2: whoever enters is sent its own presence behind that of all others.
    pub(super) fn tell_itself(
        &mut self,
        stanza: &Stanza,
        (name, tag, full): (&ChannelName, u64, &FullJid),
        (is_renamed, is_created, version): (bool, bool, Option<String>),
        turn: &mut Turn,
    ) {
        let (Some(channel), Some(here)) = (self.channels.channel(name), self.occupants.room(tag)) else { return };
        let Some((seat, room)) = here.seat_of(&full.to_bare()).zip(Some(self.service.address_of(name))) else { return };
        let Some(picture) = self.occupants.picture(channel, seat) else { return };
        let Some(no) = seat.session_of(full).map(|it| it.no) else { return };
        let shows_jids = channel.settings().shows_jids();
        let mut codes = if shows_jids { vec![status::NON_ANONYMOUS, status::SELF] } else { vec![status::SELF] };
        codes.extend(is_created.then_some(status::CREATED));
        codes.extend(is_renamed.then_some(status::NICK_ASSIGNED));
        let sees = channel.unveils_occupants_to(&full.to_bare(), &here.seats);
        let version = version.map(|until| versions::mav(None, &until));
        let own = picture.occupant(&room, sees).itself(stanza.id.as_deref(), &codes, version);
        turn.tell_all(Audience::One(no), halves(&own, false));
    }

    /// Whether an account sees the JIDs of the occupants of a room.
    pub(super) fn sees_occupants(&self, (name, tag): (&ChannelName, u64), account: &BareJid) -> bool {
        let seats = self.occupants.seats(tag);
        self.channels.channel(name).is_some_and(|channel| channel.unveils_occupants_to(account, seats))
    }

    /// The presence of every occupant, with its id: those with a seat, and participants that are sent messages by MIX. Of a
    /// quiet room those who moderate it and those who spoke in it. They are known to whoever enters from here on. `sees`: for
    /// those who see hidden JIDs.
    pub(super) fn everybody_in(
        &mut self,
        (name, tag): (&ChannelName, u64),
        sees: bool,
        is_quiet: bool,
    ) -> Vec<(ParticipantId, Tag)> {
        let (everybody, opened) = self.listed_in((name, tag), sees, is_quiet);
        opened.iter().for_each(|(account, id)| self.occupants.open(tag, (account, id), false));
        everybody
    }

    /// The same, and those who moderate a quiet room.
    fn listed_in(&self, (name, tag): (&ChannelName, u64), sees: bool, is_quiet: bool) -> Listed {
        let mut listed = Listed::default();
        let (everybody, opened) = (&mut listed.0, &mut listed.1);
        let (Some(channel), Some(here)) = (self.channels.channel(name), self.occupants.room(tag)) else {
            return listed;
        };
        let room = self.service.address_of(name);
        let rights = channel.rights();
        let holders = || rights.owners.iter().chain(&rights.admins);
        // Of a large room few are shown, and nobody is looked for among all.
        let few = || {
            let moderators = holders().chain(here.seats.moderators()).filter_map(|account| here.place_of(account));
            let places: BTreeSet<u64> = here.opened.0.iter().copied().chain(moderators).collect();
            places.into_iter().filter_map(|place| here.seat_at(place)).collect()
        };
        let seats: Vec<&Seat> = if here.is_large { few() } else { here.occupants().collect() };
        for seat in seats.into_iter().counted() {
            let account = seat.shown().map(|session| session.full.to_bare()).filter(|_| is_quiet);
            let stands_out = account.is_some_and(|account| stands_out(channel, here, &account));
            if is_quiet && seat.trace.opened.is_none() && !stands_out {
                continue;
            }
            let Some(picture) = self.occupants.picture(channel, seat) else { continue };
            opened.extend(stands_out.then(|| (picture.member.jid.clone(), seat.id.clone())));
            everybody.push((seat.id.clone(), picture.occupant(&room, sees).available(None, &[])));
        }
        let all = channel.participants_by_id();
        let moderators = holders().filter_map(|account| channel.participant(account)).map(|member| &member.id);
        let few: BTreeSet<&ParticipantId> = moderators.chain(&here.opened.1).collect();
        let of_few = few.into_iter().filter_map(|id| channel.member_of(id));
        let mix: Vec<&Member> = if here.is_large { of_few.collect() } else { all.rising(0).collect() };
        for member in mix.into_iter().filter(|it| is_shown(it) && !here.seats.is_seated(&it.jid)) {
            let stands_out = is_quiet && stands_out(channel, here, &member.jid);
            let is_opened = here.traces.get(&member.id).is_some_and(|trace| trace.opened.is_some());
            if is_quiet && !is_opened && !stands_out {
                continue;
            }
            opened.extend(stands_out.then(|| (member.jid.clone(), member.id.clone())));
            let presence = self.of_mix(channel, member).occupant(&room, sees).available(None, &[]);
            everybody.push((member.id.clone(), presence));
        }
        listed
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
            Ok(true) => {
                let since = turn.outbox.len();
                self.tell_mended(full, (name, nick, tag), turn);
                turn.decide_since(since);
            }
            Ok(false) => {
                self.tell_of_seat((name, tag), &full.to_bare(), (Pacing::Paced, None), turn);
                self.tell_mended(full, (name, nick, tag), turn);
            }
            Err(refusal) => self.refuse_presence(stanza, name, &refusal, turn),
        }
    }
}
