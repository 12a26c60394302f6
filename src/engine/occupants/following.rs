//! What happens in a channel, for those who sit in it as a room.

use super::super::{Engine, Turn};
use super::audiences::Knows;
use super::ends::{Ended, Why};
use super::room::Review;
use super::seat::{Seat, Trace};
use super::showing::{is_shown, stands_out};
use super::telling::Pacing;
use crate::channel::{Change, ChannelName, Member, Nick, Node, Own, Status};
use crate::engine::outgoing::outbox::Placed;
use crate::xep::muc::presence::status;
use jid::BareJid;

impl Engine {
    /// What a change that was applied means for the room. `was`: the record that it is about, as it was before.
    pub(in crate::engine) fn follow_in_room(
        &mut self,
        name: &ChannelName,
        tag: u64,
        (change, was): (&Change, Option<&Member>),
        turn: &mut Turn,
    ) {
        self.follow_invitations(tag, change);
        self.follow_for_watchers(name, tag, change, turn);
        self.follow_for_bookmarks(name, change, was);
        if self.occupants.room(tag).is_none() {
            return;
        }
        let since = turn.outbox.len();
        self.follow_change_in_room(name, tag, (change, was), turn);
        if change.is_kept() {
            turn.decide_since(since);
        }
    }

    fn follow_change_in_room(
        &mut self,
        name: &ChannelName,
        tag: u64,
        (change, was): (&Change, Option<&Member>),
        turn: &mut Turn,
    ) {
        match change {
            Change::Destroyed(farewell) => self.occupants.end_room(tag, Why::Destroyed(farewell.clone())),
            Change::RoleSet { account, role } => self.set_role(name, tag, (account, *role), turn),
            Change::Traced(member) => self.note_traced(tag, member, turn),
            rules if rules.is_of_rules() => {
                let closes = matches!(rules, Change::ListMade { node: Node::Allowed, exists: true });
                self.occupants.review(tag, Review { closes, ..Review::default() });
            }
            // The record says who it is about; the others are about nobody who sits here, or change nothing there.
            _ => {
                if let Some(member) = change.member() {
                    self.follow_member_in_room(name, tag, member, was, turn);
                }
            }
        }
    }

    /// Whoever passes by leaves one trace a visit.
    fn note_traced(&mut self, tag: u64, member: &Member, turn: &mut Turn) {
        turn.seats_past.extend(self.occupants.past_of(tag, &member.jid));
        if let Some(room) = self.occupants.room_mut(tag) {
            room.seats.note_word(&member.jid);
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
        turn.seats_past.extend(self.occupants.past_of(tag, &member.jid));
        match member.is_joined() {
            true => {
                self.occupants.identify(tag, &member.jid, &member.id, None);
                if let Some(gone) = passer_by.as_ref().filter(|it| it.id != member.id) {
                    // People of MIX know it by that id.
                    self.carry_on(vec![(name.clone(), Change::Exited(gone.clone()))], turn);
                }
                match past.map(|past| past.nick).filter(|past| *past != member.nick) {
                    Some(past) => self.tell_renamed(name, tag, &member.jid, &past, turn),
                    // What a member settles for itself is nobody else's concern.
                    None if passer_by.is_none() && was.is_some_and(Member::is_joined) => {}
                    None => self.tell_of_seat((name, tag), &member.jid, (Pacing::Now, None), turn),
                }
            }
            false if was.is_some_and(Member::is_joined) => {
                let stays = self.channels.channel(name).is_some_and(|channel| channel.lets_pass(&member.jid));
                if !stays {
                    let nick = past.map_or_else(|| member.nick.clone(), |past| past.nick);
                    return self.end_later(tag, &member.jid, &nick);
                }
                let passer_by = Member { status: Status::Left, own: Own::default(), ..member.clone() };
                self.occupants.identify(tag, &member.jid, &member.id, Some(passer_by.clone()));
                // People of MIX were told that it left, and it is still in the room.
                self.carry_on(vec![(name.clone(), Change::Entered(passer_by))], turn);
                self.tell_of_seat((name, tag), &member.jid, (Pacing::Now, None), turn);
            }
            // Its invitation ended: it sits here if its join was not stored.
            false if passer_by.is_none() => self.end_later(tag, &member.jid, &member.nick),
            false => {}
        }
    }

    /// A seat ends in a later turn. Until the others are told, nobody else is shown to them by its nick.
    fn end_later(&mut self, tag: u64, account: &BareJid, nick: &Nick) {
        if let Some(room) = self.occupants.room_mut(tag) {
            room.seats.part(account, nick);
        }
        self.occupants.review(tag, Review::default());
    }

    /// A participant without a seat comes, goes or goes by another nick.
    fn show_participant(
        &mut self,
        name: &ChannelName,
        tag: u64,
        member: &Member,
        was: Option<&Member>,
        turn: &mut Turn,
    ) {
        let is_quiet = self.is_quiet(name, tag);
        let (Some(channel), Some(here)) = (self.channels.channel(name), self.occupants.room(tag)) else { return };
        let (room, trace) = (self.service.address_of(name), here.trace_of(member));
        let (before, now) = (was.filter(|was| is_shown(was)), is_shown(member));
        let is_silent = is_quiet && trace.opened.is_none() && !stands_out(channel, here, &member.jid);
        let audience = |knows: Knows| here.audience(tag, &member.jid, &trace, knows);
        let of = |member| self.of_mix(channel, member);
        let as_now = |unveiled| of(member).occupant(&room, unveiled).available(None, &[]);
        let mut told = false;
        match before {
            Some(before) if now && before.nick != member.nick => {
                let nick = member.nick.as_str();
                let renamed = |unveiled| of(before).occupant(&room, unveiled).renamed(nick, None, &[status::RENAMED]);
                if let Some(audience) = audience(Knows::It) {
                    self.tell_apart((name, tag), audience, renamed, turn);
                }
                told = !is_silent;
                if let Some(audience) = audience(if told { Knows::Either } else { Knows::It }) {
                    self.tell_apart((name, tag), audience, as_now, turn);
                }
            }
            Some(before) if !now => {
                let codes = self.why_gone(channel, member).map(Ended::codes).unwrap_or_default();
                let gone = |unveiled| of(before).occupant(&room, unveiled).unavailable(None, codes);
                if let Some(audience) = audience(Knows::It) {
                    self.tell_apart((name, tag), audience, gone, turn);
                }
            }
            None if now && !is_silent => {
                told = true;
                if let Some(audience) = audience(Knows::Either) {
                    self.tell_apart((name, tag), audience, as_now, turn);
                }
            }
            Some(_) | None => {}
        }
        let begins = before.is_none() && now;
        let Some(room) = self.occupants.room_mut(tag) else { return };
        // In a room that was never quiet everybody knows.
        if !now {
            room.traces.remove(&member.id);
            room.note_trace(&member.id);
        } else if (told || begins) && room.was_quiet {
            let moment = room.next_moment();
            let trace = room.traces.entry(member.id.clone()).or_insert(Trace::default());
            trace.begun = if begins { moment } else { trace.begun };
            trace.told = if told { Some(moment) } else { trace.told };
        }
    }

    /// The sessions of a room, as the address book has to know them when the channel comes into memory.
    pub(in crate::engine) fn sessions_in(&self, tag: u64) -> Vec<Placed> {
        let room = self.occupants.room(tag).into_iter();
        let mut all: Vec<Placed> = room.flat_map(|room| room.occupants()).flat_map(Seat::placed).collect();
        all.sort_by_key(|(rank, _)| *rank);
        all
    }
}

/// Why an account that has no record in a channel may not be in its room; `None`: it may.
pub(super) fn unwelcome(channel: &crate::channel::Channel, account: &BareJid) -> Option<Ended> {
    let ended = if channel.is_banned(account) { Ended::Banned } else { Ended::NotMember };
    (!channel.lets_pass(account)).then_some(ended)
}
