//! XEP-0045 §8, §9, §10: roles and affiliations that are set: who is told of them, and as what.

use super::super::outgoing::outbox::{Audience, EntryNo, Out};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::Occupants;
use super::absent::Readers;
use super::audiences::Knows;
use super::ends::Ended;
use super::ruling::{Causes, Ruling};
use super::showing::{is_shown, stands_out};
use super::telling::Pacing;
use crate::channel::{Affiliation, Answer, Change, Channel, ChannelName, Member, OccupantRole, Rights};
use crate::engine::requests::request::Asked;
use crate::xep::muc::presence::Cause;
use crate::xmpp::Tag;
use jid::BareJid;
use std::collections::{BTreeSet, HashSet};

/// What somebody was to a room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) struct RoomStanding {
    affiliation: Affiliation,
    role: OccupantRole,
    /// Whether its record is of somebody in the channel or who waits.
    has_place: bool,
    /// Whether it is in the room, by a seat or by MIX.
    is_here: bool,
}

/// What the accounts that changes concern were to a room, in the order of the changes.
pub(in crate::engine) type RoomStandings = Vec<(BareJid, RoomStanding)>;

impl Occupants {
    /// Why somebody's role or affiliation is being set.
    pub fn cause(&self, account: &BareJid) -> Cause<'_> {
        match self.ruling.as_ref().and_then(|ruling| ruling.causes.get(account)) {
            Some((actor, reason)) => Cause { actor: actor.as_deref(), reason: reason.as_deref() },
            None => Cause::default(),
        }
    }

    /// Seats end in a later turn than what they end for: it is remembered why.
    pub(super) fn remember_causes(&mut self, tag: u64, causes: Causes) {
        if let Some(room) = self.rooms.get_mut(&tag).filter(|room| room.review.is_some()) {
            let seated = causes.into_iter().filter(|(account, _)| room.seats.is_seated(account));
            room.causes.extend(seated.collect::<Causes>());
        }
    }

    /// What is told from here on has the causes that a room remembers.
    pub(super) fn recall_causes(&mut self, tag: u64) {
        let causes = self.rooms.get_mut(&tag).map(|room| std::mem::take(&mut room.causes)).unwrap_or_default();
        self.ruling = Some(Ruling { of_roles: false, causes });
    }

    /// And no longer. They are remembered as long as the room has more seats to end.
    pub(super) fn end_recall(&mut self, tag: u64) {
        if let Some(ruling) = self.ruling.take() {
            self.remember_causes(tag, ruling.causes);
        }
    }

    fn set_moderator(&mut self, tag: u64, account: &BareJid, is_one: bool) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.seats.set_moderator(account, is_one);
            self.save_later(account, tag);
        }
    }

    /// The sessions of those who see hidden JIDs.
    fn unveiled_sessions(&self, channel: &Channel, tag: u64) -> Vec<EntryNo> {
        let Some(here) = self.rooms.get(&tag) else { return Vec::new() };
        let rights = channel.rights();
        let accounts: BTreeSet<&BareJid> =
            rights.owners.iter().chain(&rights.admins).chain(here.seats.moderators()).collect();
        let unveiled = accounts.into_iter().filter(|account| channel.unveils_occupants_to(account, &here.seats));
        let seats = unveiled.filter_map(|account| here.seat_of(account));
        let numbers: HashSet<EntryNo> = seats.flat_map(|seat| seat.sessions.iter().map(|session| session.no)).collect();
        // In the order of seats: one of accounts would tell something of hidden people.
        here.numbers().filter(|no| numbers.contains(no)).collect()
    }
}

impl Engine {
    /// Those who were made moderators of a room for their visit.
    pub fn moderators(&self, name: &ChannelName) -> impl Iterator<Item = &BareJid> {
        self.seats_of(Some(name)).moderators()
    }

    /// Sends an audience of a room something about an occupant, in the form for those who see hidden JIDs and in that for the
    /// others.
    pub(super) fn tell_apart(
        &self,
        (name, tag): (&ChannelName, u64),
        audience: Audience,
        presence: impl Fn(bool) -> Tag,
        turn: &mut Turn,
    ) {
        let (Some(channel), Some(here)) = (self.channels.channel(name), self.occupants.room(tag)) else { return };
        let shows_jids = channel.settings().shows_jids();
        let unveiled = if shows_jids { Vec::new() } else { self.occupants.unveiled_sessions(channel, tag) };
        if unveiled.is_empty() {
            return turn.tell_all(audience, halves(&presence(false), false));
        }
        let all: Vec<EntryNo> = match &audience {
            Audience::List(_, except) => here.numbers().filter(|no| Some(*no) != *except).collect(),
            Audience::These(numbers) => numbers.to_vec(),
            Audience::One(no) => vec![*no],
        };
        // In any order: it is asked alone whether a session is among them.
        let unveiled: HashSet<EntryNo> = unveiled.into_iter().collect();
        let (those, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|no| unveiled.contains(no));
        for (numbers, is_unveiled) in [(those, true), (others, false)] {
            if !numbers.is_empty() {
                turn.tell_all(Audience::these(numbers), halves(&presence(is_unveiled), false));
            }
        }
    }

    /// Why a participant that left is no occupant any more, where others saw to that.
    pub(super) fn why_gone(&self, channel: &Channel, member: &Member) -> Option<Ended> {
        let ruling = self.occupants.ruling.as_ref().filter(|ruling| ruling.causes.contains_key(&member.jid));
        match (channel.affiliation_of(&member.jid), ruling.map(|ruling| ruling.of_roles)) {
            _ if member.is_joined() => None,
            (Affiliation::Outcast, _) => Some(Ended::Banned),
            (_, Some(true)) => Some(Ended::Kicked),
            (_, Some(false)) => Some(Ended::NotMember),
            (_, None) => None,
        }
    }

    /// XEP-0045 §8.2, §9.6, §9.7: somebody is put out, or moderates for its visit, or does so no longer.
    pub(super) fn set_role(
        &mut self,
        name: &ChannelName,
        tag: u64,
        (account, role): (&BareJid, OccupantRole),
        turn: &mut Turn,
    ) {
        match role {
            OccupantRole::None => {
                self.end_seats(name, tag, vec![(account.clone(), Ended::Kicked)], turn);
            }
            _ => self.occupants.set_moderator(tag, account, role == OccupantRole::Moderator),
        }
    }

    /// Roles or affiliations are about to be set, where the answer says so. Returns the sessions of those who are put out.
    pub(in crate::engine) fn begin_ruling(
        &mut self,
        asked: &Asked<'_>,
        answer: &Answer,
        changes: &[(ChannelName, Change)],
    ) -> HashSet<EntryNo> {
        let (Answer::Ruled { of_roles, people }, Some(name)) = (answer, &asked.channel) else { return HashSet::new() };
        let (tag, asker) = (self.channels.tag_of(name), &asked.actor.account);
        let member = self.channels.channel(name).and_then(|channel| self.occupants.member_on(channel, asker));
        let actor = member.map(|member| member.nick.as_str().to_owned());
        let room = tag.and_then(|tag| self.occupants.room(tag));
        let kicked = changes.iter().filter_map(|(_, change)| match change {
            Change::RoleSet { account, role: OccupantRole::None } => room.and_then(|room| room.seat_of(account)),
            _ => None,
        });
        let kicked = kicked.flat_map(|seat| seat.numbers()).collect();
        let causes = people.iter().map(|(account, reason)| (account.clone(), (actor.clone(), reason.clone())));
        self.occupants.ruling = Some(Ruling { of_roles: *of_roles, causes: causes.collect() });
        kicked
    }

    /// They were set. XEP-0045 §8.2: whoever is put out is told before whoever asked for it: this takes that out of what is
    /// sent.
    pub(in crate::engine) fn end_ruling(
        &mut self,
        asked: &Asked<'_>,
        kicked: &HashSet<EntryNo>,
        shown: &mut Vec<Out>,
    ) -> Vec<Out> {
        let Some(ruling) = self.occupants.ruling.take() else { return Vec::new() };
        if let Some(tag) = asked.channel.as_ref().and_then(|name| self.channels.tag_of(name)) {
            self.occupants.remember_causes(tag, ruling.causes);
        }
        let is_for_them = |out: &Out| match out {
            Out::Fan(fan) => matches!(&fan.audience, Audience::One(no) if kicked.contains(no)),
            _ => false,
        };
        let (first, rest) = std::mem::take(shown).into_iter().partition(is_for_them);
        *shown = rest;
        first
    }

    /// What the accounts that some changes concern are to the room before them.
    pub(in crate::engine) fn room_standings(
        &self,
        name: &ChannelName,
        changes: &[(ChannelName, Change)],
    ) -> RoomStandings {
        let Some(channel) = self.channels.channel(name) else { return Vec::new() };
        let tag = channel.profile().tag;
        if self.occupants.room(tag).is_none() && self.occupants.ruling.is_none() {
            return Vec::new();
        }
        let (mut seen, mut standings) = (HashSet::new(), Vec::new());
        let mut note = |account: &BareJid| {
            if seen.insert(account.clone()) {
                standings.push((account.clone(), self.room_standing(channel, account)));
            }
        };
        for (_, change) in changes {
            match change {
                Change::RightsSet(rights) => changed_rights(channel.rights(), rights).for_each(&mut note),
                Change::Listed { jid, .. } if jid.node().is_some() => note(jid),
                Change::VoiceSet { account, .. } | Change::RoleSet { account, .. } => note(account),
                // `Change::member` says of each change whether it sets a record, so no new change is missed here.
                _ => change.member().map(|member| &member.jid).into_iter().for_each(&mut note),
            }
        }
        standings
    }

    fn room_standing(&self, channel: &Channel, account: &BareJid) -> RoomStanding {
        let seats = self.occupants.seats(channel.profile().tag);
        let is_here_by_mix = channel.participant(account).is_some_and(Channel::is_in_room_by_mix);
        RoomStanding {
            is_here: is_here_by_mix || seats.is_seated(account),
            affiliation: channel.affiliation_of(account),
            role: channel.occupant_role(account, seats),
            has_place: channel.member(account).is_some_and(|member| member.status != crate::channel::Status::Left),
        }
    }

    /// XEP-0045 §8, §9, §10: tells of those whose role or affiliation is another after some changes: by presence where they
    /// are in the room, else by a message. Whoever comes or goes by the same changes was told of as that happened.
    pub(in crate::engine) fn tell_standings(&mut self, name: &ChannelName, before: RoomStandings, turn: &mut Turn) {
        let mut readers = Readers::new();
        for (account, before) in before {
            let Some(channel) = self.channels.channel(name) else { return };
            let (tag, now) = (channel.profile().tag, self.room_standing(channel, &account));
            if now == before {
                continue;
            }
            let seats = self.occupants.seats(tag);
            let is_flip = now.has_place != before.has_place;
            let member = channel.participant(&account).filter(|member| is_shown(member)).cloned();
            if seats.is_seated(&account) && channel.participant(&account).is_none() && !channel.lets_pass(&account) {
                // Its seat ends in the next turn, and it is told then.
                continue;
            }
            if seats.is_seated(&account) {
                self.tell_of_seat((name, tag), &account, (Pacing::Now, None), turn);
                self.unveil(name, tag, &account, (before.role, now.role), turn);
            } else if let (Some(member), false) = (&member, is_flip) {
                self.tell_of_participant(name, tag, member, turn);
            } else if !before.is_here && !now.is_here && now.affiliation != before.affiliation {
                let between = (before.affiliation, now.affiliation);
                self.tell_of_absent((name, tag), &account, between, &mut readers, turn);
            }
        }
    }

    /// A participant without a seat is something else to the room.
    pub(super) fn tell_of_participant(&self, name: &ChannelName, tag: u64, member: &Member, turn: &mut Turn) {
        let (Some(channel), Some(here)) = (self.channels.channel(name), self.occupants.room(tag)) else { return };
        let (room, trace) = (self.service.address_of(name), here.trace_of(member));
        let knows = if stands_out(channel, here, &member.jid) { Knows::Either } else { Knows::It };
        let Some(audience) = here.audience(tag, &member.jid, &trace, knows) else { return };
        let picture = self.of_mix(channel, member);
        let presence = |unveiled| picture.occupant(&room, unveiled).available(None, &[]);
        self.tell_apart((name, tag), audience, presence, turn);
    }

    /// XEP-0045 §4.2: whoever becomes a moderator of a room that hides JIDs sees them from here on.
    fn unveil(
        &mut self,
        name: &ChannelName,
        tag: u64,
        account: &BareJid,
        (before, now): (OccupantRole, OccupantRole),
        turn: &mut Turn,
    ) {
        let is_new = before != OccupantRole::Moderator && now == OccupantRole::Moderator;
        let is_hidden = self.channels.channel(name).is_some_and(|channel| !channel.settings().shows_jids());
        let Some(seat) = self.occupants.room(tag).and_then(|here| here.seat_of(account)) else { return };
        if !is_new || !is_hidden {
            return;
        }
        let (own, id) = (Audience::these(seat.numbers()), seat.id.clone());
        let (is_quiet, sees) = (self.is_quiet(name, tag), self.sees_occupants((name, tag), account));
        for (other, presence) in self.everybody_in((name, tag), sees, is_quiet) {
            if other != id {
                turn.tell_all(own.clone(), halves(&presence, false));
            }
        }
    }
}

/// The accounts whose right is another, in the order of rights.
fn changed_rights<'a>(past: &'a Rights, next: &'a Rights) -> impl Iterator<Item = &'a BareJid> {
    let of = |rights: &Rights, account: &BareJid| (rights.owners.contains(account), rights.admins.contains(account));
    let all = [&next.owners, &next.admins, &past.owners, &past.admins].into_iter().flat_map(|holders| holders.iter());
    all.filter(move |account| of(past, account) != of(next, account))
}
