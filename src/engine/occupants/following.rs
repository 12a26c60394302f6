//! What happens in a channel, for those who sit in it as a room.

use super::super::outgoing::outbox::{Audience, Delta, EntryNo, ListId, Out};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use crate::channel::{Change, ChannelName, Member, Node, Own, Status};
use crate::xep::List;
use crate::xep::muc::presence::{Occupant, status};
use jid::{BareJid, FullJid};
use rand::Rng;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a seat ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Ended {
    /// The account was banned (XEP-0045 §9.1).
    Banned,
    /// The account may not be in the room any more (XEP-0045 §9.4).
    NotMember,
    /// The room is destroyed (XEP-0045 §10.9).
    Destroyed,
}

/// Whether a participant is shown as an occupant without having a seat: what is said in the channel reaches it by MIX.
fn is_shown(member: &Member) -> bool {
    member.is_joined() && member.subscriptions.contains(Node::Messages)
}

impl Engine {
    /// What a change that was applied means for the room. `was`: the record that it is about, as it was before.
    pub(in crate::engine) fn follow_in_room(
        &mut self,
        name: &ChannelName,
        tag: u64,
        (change, was): (&Change, Option<&Member>),
        turn: &mut Turn,
    ) {
        if self.occupants.room(tag).is_none() {
            return;
        }
        match change {
            Change::Destroyed => self.end_seats(name, tag, |_| Some(Ended::Destroyed), turn),
            // Of most changes of lists one account can be meant.
            Change::Listed { jid, .. } if jid.node().is_some() => {
                self.end_seats_of_unwelcome(name, tag, |account| account == jid, turn);
            }
            rules if rules.is_of_rules() => self.end_seats_of_unwelcome(name, tag, |_| true, turn),
            // The record says who it is about; the others are about nobody who sits here, or change nothing there.
            _ => {
                if let Some(member) = change.member() {
                    self.follow_member_in_room(name, tag, member, was, turn);
                }
            }
        }
    }

    fn follow_member_in_room(
        &mut self,
        name: &ChannelName,
        tag: u64,
        member: &Member,
        was: Option<&Member>,
        turn: &mut Turn,
    ) {
        let seats = self.occupants.seats(tag);
        if !seats.is_seated(&member.jid) {
            return self.show_participant(name, tag, member, was, turn);
        }
        let passer_by = seats.passer_by(&member.jid).cloned();
        let past = passer_by.as_ref().or(was.filter(|was| was.is_joined())).cloned();
        let Some(full) = self.occupants.any_session(tag, &member.jid) else { return };
        match member.is_joined() {
            true => {
                self.occupants.identify(tag, &member.jid, &member.id, None);
                if let Some(gone) = passer_by.as_ref().filter(|it| it.id != member.id) {
                    // People of MIX know it by that id.
                    self.carry_on(vec![(name.clone(), Change::Exited(gone.clone()))], turn);
                }
                match past.map(|past| past.nick).filter(|past| *past != member.nick) {
                    Some(past) => self.tell_renamed(name, tag, &full, past.as_str(), turn),
                    // What a member settles for itself is nobody else's concern.
                    None if passer_by.is_none() && was.is_some_and(Member::is_joined) => {}
                    None => self.tell_of_occupant(name, tag, &full, turn),
                }
            }
            false if was.is_some_and(Member::is_joined) => {
                let stays = self.channels.channel(name).is_some_and(|channel| channel.lets_pass(&member.jid));
                if !stays {
                    let ended = |account: &BareJid| (*account == member.jid).then_some(Ended::NotMember);
                    return self.end_seats(name, tag, ended, turn);
                }
                let passer_by = Member { status: Status::Left, own: Own::default(), ..member.clone() };
                self.occupants.identify(tag, &member.jid, &member.id, Some(passer_by.clone()));
                // People of MIX were told that it left, and it is still in the room.
                self.carry_on(vec![(name.clone(), Change::Entered(passer_by))], turn);
                self.tell_of_occupant(name, tag, &full, turn);
            }
            // Its invitation ended: it sits here if its join was not stored.
            false if passer_by.is_none() => {
                let ended = |account: &BareJid| (*account == member.jid).then_some(Ended::NotMember);
                self.end_seats(name, tag, ended, turn);
            }
            false => {}
        }
    }

    /// Ends the seats of those passers-by who may not be in the room any more.
    fn end_seats_of_unwelcome(
        &mut self,
        name: &ChannelName,
        tag: u64,
        is_meant: impl Fn(&BareJid) -> bool,
        turn: &mut Turn,
    ) {
        let Some(channel) = self.channels.channel(name) else { return };
        let passers_by = self.occupants.seats(tag).passers_by().filter(|it| is_meant(&it.jid));
        let unwelcome: BTreeMap<BareJid, Ended> = passers_by
            .filter(|it| !channel.lets_pass(&it.jid))
            .map(|it| (it.jid.clone(), if channel.is_banned(&it.jid) { Ended::Banned } else { Ended::NotMember }))
            .collect();
        if !unwelcome.is_empty() {
            self.end_seats(name, tag, |account| unwelcome.get(account).copied(), turn);
        }
    }

    /// A participant without a seat comes, goes or goes by another nick.
    fn show_participant(&self, name: &ChannelName, tag: u64, member: &Member, was: Option<&Member>, turn: &mut Turn) {
        let Some(channel) = self.channels.channel(name) else { return };
        let room = self.service.address_of(name);
        let jid = member.shown_jid(channel.settings().visibility).map(|jid| jid.to_string());
        let (before, now) = (was.filter(|was| is_shown(was)), is_shown(member));
        let list = || Audience::List(ListId { tag, list: List::Sessions }, None);
        let as_now = Occupant { channel, room: &room, member, jid: jid.clone(), says: "" };
        match before {
            Some(before) if now && before.nick != member.nick => {
                let as_before = Occupant { channel, room: &room, member: before, jid, says: "" };
                let renamed = as_before.renamed(member.nick.as_str(), None, &[status::RENAMED]);
                turn.tell_all(list(), halves(&renamed, false));
                turn.tell_all(list(), halves(&as_now.available(None, &[]), false));
            }
            Some(before) if !now => {
                let as_before = Occupant { channel, room: &room, member: before, jid, says: "" };
                turn.tell_all(list(), halves(&as_before.unavailable(None, &[]), false));
            }
            None if now && !self.is_quiet(channel, tag) => {
                turn.tell_all(list(), halves(&as_now.available(None, &[]), false))
            }
            Some(_) | None => {}
        }
    }

    /// XEP-0045 §7.6: everybody is told that an occupant goes by another nick.
    pub(super) fn tell_renamed(&mut self, name: &ChannelName, tag: u64, full: &FullJid, past: &str, turn: &mut Turn) {
        let account = full.to_bare();
        let Some(channel) = self.channels.channel(name) else { return };
        let member = channel.participant(&account).or_else(|| self.occupants.seats(tag).passer_by(&account));
        let (Some(member), Some(here)) = (member, self.occupants.room(tag)) else { return };
        let Some(nick) = crate::channel::Nick::new(past) else { return };
        let before = Member { nick, ..member.clone() };
        let Some(shown) = here.seat_of(&account).and_then(|seat| seat.shown()) else { return };
        let jid = channel.settings().shows_jids().then(|| shown.full.to_string());
        let room = self.service.address_of(name);
        let occupant = Occupant { channel, room: &room, member: &before, jid, says: "" };
        let id = self.service.sealer.mark(tag, self.dice.random());
        let (own, others) = here.apart(&account);
        let is_told = here.seat_of(&account).is_some_and(|seat| seat.is_told);
        let others = if is_told { others } else { Vec::new() };
        for (numbers, codes) in [(own, &[status::RENAMED, status::SELF][..]), (others, &[status::RENAMED][..])] {
            let renamed = occupant.renamed(member.nick.as_str(), Some(&id), codes);
            turn.tell_all(Audience::These(Arc::new(numbers)), halves(&renamed, false));
        }
        self.tell_of_occupant(name, tag, full, turn);
    }

    /// Ends the seats of some accounts.
    pub(in crate::engine) fn end_seats(
        &mut self,
        name: &ChannelName,
        tag: u64,
        why: impl Fn(&BareJid) -> Option<Ended>,
        turn: &mut Turn,
    ) {
        let Some(here) = self.occupants.room(tag) else { return };
        let sessions: Vec<(Member, FullJid, EntryNo, Ended)> = {
            let Some(channel) = self.channels.channel(name) else { return };
            let seats = self.occupants.seats(tag);
            let ended = here.occupants().filter_map(|seat| {
                let why = why(&seat.shown()?.full.to_bare())?;
                let member = seats.member_of(&seat.id).or_else(|| channel.member_of(&seat.id))?;
                Some(seat.sessions.iter().map(move |it| (member.clone(), it.full.clone(), it.no, why)))
            });
            ended.flatten().collect()
        };
        // Whoever is put out hears of itself alone.
        for (_, _, no, _) in &sessions {
            turn.outbox.push(Out::Book(Delta::Removed(ListId { tag, list: List::Sessions }, *no)));
        }
        let (room, mut gone) = (self.service.address_of(name), Vec::new());
        for (member, full, no, why) in sessions {
            let is_passer_by = self.occupants.seats(tag).passer_by(&member.jid).is_some();
            let Some((_, is_last, is_told)) = self.occupants.leave(tag, &full) else { continue };
            let Some(channel) = self.channels.channel(name) else { continue };
            let jid = channel.settings().shows_jids().then(|| full.to_string());
            let occupant = Occupant { channel, room: &room, member: &member, jid, says: "" };
            let id = self.service.sealer.mark(tag, self.dice.random());
            match why.code() {
                None => turn.tell_all(Audience::One(no), halves(&occupant.destroyed(Some(&id)), false)),
                Some(code) => {
                    let own = occupant.unavailable(Some(&id), &[code, status::SELF]);
                    turn.tell_all(Audience::One(no), halves(&own, false));
                    if is_last && is_told {
                        let left = occupant.unavailable(Some(&id), &[code]);
                        turn.tell_all(Audience::List(ListId { tag, list: List::Sessions }, None), halves(&left, false));
                    }
                }
            }
            self.people.leave_session(no, &mut turn.outbox);
            if is_last && is_passer_by && why != Ended::Destroyed {
                gone.push((name.clone(), Change::Exited(member)));
            }
        }
        self.carry_on(gone, turn);
    }

    /// The sessions of a room, as the address book has to know them when the channel comes into memory.
    pub(in crate::engine) fn sessions_in(&self, tag: u64) -> Vec<EntryNo> {
        let numbers = self.occupants.room(tag).map(|room| room.numbers().collect());
        numbers.unwrap_or_default()
    }
}

impl Ended {
    fn code(self) -> Option<u16> {
        match self {
            Ended::Banned => Some(status::BANNED),
            Ended::NotMember => Some(status::NOT_MEMBER),
            Ended::Destroyed => None,
        }
    }
}
