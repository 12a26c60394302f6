//! Seats of accounts that may not stay end, some in each turn.

use super::super::outgoing::outbox::Out;
use super::super::{Engine, Turn};
use super::Occupants;
use super::ends::{Ended, Why};
use super::following::unwelcome;
use super::room::{Review, Room};
use super::showing::is_shown;
use super::telling::Pacing;
use crate::channel::crowd::Ordered;
use crate::channel::{Channel, ChannelName, Member};
use jid::BareJid;
use std::ops::Bound;

/// Rooms that one turn looks at; seats in each of them, and those that it ends or tells of.
const ROOMS_MAX: usize = 16;
const LOOKED_AT_MAX: usize = 2000;
const ENDED_MAX: usize = 64;
/// Copies of presence that a turn may send for all of them. Each seat was paid for when its account entered.
const COPIES_MAX: usize = 20_000;

/// What one turn finds in a room.
#[derive(Default)]
struct Found {
    ended: Vec<(BareJid, Ended)>,
    /// Those who stay, and of whom something else may have been told.
    retold: Vec<BareJid>,
    /// Those who sit by records of the channel, and did not when they were saved.
    joined: Vec<BareJid>,
    /// The seat that was looked at last, if there are more.
    behind: Option<u64>,
    /// How many were looked at.
    count: usize,
}

impl Occupants {
    /// The seats of a room are gone through, from the next turn on.
    pub(super) fn review(&mut self, tag: u64, review: Review) {
        let Some(room) = self.room_mut(tag) else { return };
        let doubted = review.doubted || room.review.is_some_and(|review| review.doubted);
        let closes = review.closes || room.review.is_some_and(|review| review.closes);
        let restored = review.restored || room.review.is_some_and(|review| review.restored);
        let retells = review.retells || room.review.is_some_and(|review| review.retells);
        // One that is under way goes on first, or somebody far behind could be kept from ever being looked at.
        let running = room.review.filter(|running| running.behind.is_some());
        let (behind, again) = match (running, review.behind) {
            (Some(running), None) => (running.behind, true),
            (_, behind) => (behind, review.again),
        };
        room.review = Some(Review { behind, doubted, closes, restored, retells, again });
        let name = room.name.clone();
        self.due.insert(name.clone(), tag);
        self.reviews.insert(name);
    }

    /// Occupants of a room are something else from here on, by a setting: they are told of again, from the next turn on.
    /// `payer`: who is charged for that.
    pub(super) fn retell(&mut self, tag: u64, payer: Option<BareJid>) {
        self.review(tag, Review { retells: true, ..Review::default() });
        if let Some(room) = self.room_mut(tag) {
            room.retold_for = payer;
        }
    }
}

/// Whether somebody else of the channel goes by the nick of somebody who passes by.
fn is_taken(channel: &Channel, passer_by: &Member) -> bool {
    channel.holder_of(&passer_by.nick).is_some_and(|holder| *holder != passer_by.jid)
}

/// Looks at no more than `most` seats of a room. `ends`: how many it may end or tell of.
fn look_at(channel: &Channel, room: &Room, review: Review, (most, ends): (usize, usize)) -> Found {
    let mut found = Found::default();
    for (place, seat) in room.occupants_behind(review.behind) {
        if found.count >= most || found.ended.len() + found.retold.len() >= ends {
            return found;
        }
        found.count += 1;
        found.behind = Some(place);
        let Some(account) = seat.shown().map(|session| session.full.to_bare()) else { continue };
        let ended = match (channel.participant(&account), room.seats.passer_by(&account)) {
            (Some(member), stand_in) => {
                let is_other = stand_in.is_some() || member.id != seat.id;
                found.joined.extend((review.restored && is_other).then(|| account.clone()));
                None
            }
            (None, Some(stand_in)) => match unwelcome(channel, &account) {
                Some(Ended::NotMember) if review.closes => Some(Ended::MembersOnly),
                None if review.restored => is_taken(channel, stand_in).then_some(Ended::Lost),
                ended => ended,
            },
            // It passed by since, and it is unknown by which nick.
            (None, None) if review.restored => Some(unwelcome(channel, &account).unwrap_or(Ended::Lost)),
            // Its join was not stored; or it is a participant no longer, and may not pass by.
            (None, None) if review.doubted => Some(Ended::Lost),
            (None, None) => unwelcome(channel, &account).or(Some(Ended::NotMember)),
        };
        match ended {
            Some(ended) => found.ended.push((account, ended)),
            None if review.doubted || review.retells => found.retold.push(account),
            None => {}
        }
    }
    Found { behind: None, ..found }
}

impl Engine {
    /// Goes on with the review of a room, if there is one. The rest is done in the next turns.
    /// Takes off `copies` what is really sent: of most seats nobody has anything to be told.
    fn review_some(&mut self, (name, tag): (&ChannelName, u64), copies: &mut usize, turn: &mut Turn) {
        if self.channels.channel(name).is_none() {
            return;
        }
        let Some(mut review) = self.occupants.room_mut(tag).and_then(|room| room.review.take()) else { return };
        if review.doubted {
            self.forget_traces(name, tag);
        }
        self.occupants.recall_causes(tag);
        let (mut looked_at, mut ended) = (0, 0);
        let is_through = loop {
            let Some((channel, room)) = self.channels.channel(name).zip(self.occupants.room(tag)) else { break true };
            let reach = room.session_count().max(1);
            if looked_at >= LOOKED_AT_MAX || ended >= ENDED_MAX || (looked_at > 0 && *copies < reach) {
                break false;
            }
            let ends = (*copies / reach).clamp(1, ENDED_MAX - ended);
            let found = look_at(channel, room, review, (LOOKED_AT_MAX - looked_at, ends));
            (looked_at, ended, review.behind) = (looked_at + found.count, ended + found.ended.len(), found.behind);
            let since = turn.outbox.len();
            self.settle_found((name, tag), review, found, turn);
            let sent = turn.outbox[since..].iter().map(|out| self.copies_of(out)).sum();
            *copies = copies.saturating_sub(sent);
            if review.behind.is_none() {
                break true;
            }
        };
        let again = review.again.then_some(Review { behind: None, again: false, ..review });
        if let Some(rest) = if is_through { again } else { Some(review) } {
            self.occupants.review(tag, rest);
        }
        self.occupants.end_recall(tag);
    }

    /// What is found of seats is done.
    fn settle_found(&mut self, (name, tag): (&ChannelName, u64), review: Review, found: Found, turn: &mut Turn) {
        self.end_seats(name, tag, found.ended, turn);
        let records = if review.doubted { &found.retold[..] } else { &[] };
        records.iter().chain(&found.joined).for_each(|account| self.sit_by_record(name, tag, account));
        self.retell_seats((name, tag), found.retold, review.retells && found.behind.is_none(), turn);
    }

    /// How many stanzas come of what goes out to a room.
    fn copies_of(&self, out: &Out) -> usize {
        match out {
            Out::Fan(fan) => self.occupants.reach(&fan.audience).unwrap_or(1),
            _ => 0,
        }
    }

    /// Tells of seats where they are something else than what was told. `of_all`: then of those who are there by MIX as well.
    fn retell_seats(&mut self, (name, tag): (&ChannelName, u64), seats: Vec<BareJid>, of_all: bool, turn: &mut Turn) {
        let payer = self.occupants.room(tag).and_then(|room| room.retold_for.clone());
        let payer = std::mem::replace(&mut turn.payer, payer);
        for account in seats {
            self.tell_of_seat((name, tag), &account, (Pacing::Now, None), turn);
        }
        if of_all {
            let since = turn.outbox.len();
            self.shown_by_mix(name, tag).iter().for_each(|member| self.tell_of_participant(name, tag, member, turn));
            self.charge_payer(name, since, turn);
            self.occupants.room_mut(tag).into_iter().for_each(|room| room.retold_for = None);
        }
        turn.payer = payer;
    }

    /// Those who are shown in a room without a seat. Of a large one those whom some sessions know.
    fn shown_by_mix(&self, name: &ChannelName, tag: u64) -> Vec<Member> {
        let (Some(channel), Some(room)) = (self.channels.channel(name), self.occupants.room(tag)) else {
            return Vec::new();
        };
        let is_by_mix = |member: &&Member| is_shown(member) && !room.seats.is_seated(&member.jid);
        match room.is_large {
            true => room.traces.keys().filter_map(|id| channel.member_of(id)).filter(is_by_mix).cloned().collect(),
            false => channel.participants_by_id().rising(0).filter(is_by_mix).cloned().collect(),
        }
    }

    /// Whoever sits in a room sits there by its record in the channel, if it has one.
    fn sit_by_record(&mut self, name: &ChannelName, tag: u64, account: &BareJid) {
        let record = self.channels.channel(name).and_then(|channel| channel.participant(account));
        if let Some(id) = record.map(|member| member.id.clone()) {
            self.occupants.identify(tag, account, &id, None);
        }
    }

    /// What is known of participants that are none is forgotten.
    fn forget_traces(&mut self, name: &ChannelName, tag: u64) {
        let Some(channel) = self.channels.channel(name) else { return };
        if let Some(room) = self.occupants.room_mut(tag) {
            room.traces.retain(|id, _| channel.member_of(id).is_some_and(is_shown));
            room.opened.1.retain(|id| room.traces.contains_key(id));
        }
    }

    /// Whether seats are to be gone through of a room whose channel is in memory, or is no more; and some rooms whose channels
    /// have to be loaded for that.
    pub(in crate::engine) fn reviews(&self) -> (bool, Vec<ChannelName>) {
        let reviews = || self.occupants.reviews.iter();
        let cold = reviews().filter(|name| self.channels.is_cold(name)).take(ROOMS_MAX);
        (reviews().any(|name| !self.channels.is_cold(name)), cold.cloned().collect())
    }

    /// Before anything else of a turn: seats end that the turns before, or the commit that was refused, leave without a reason
    /// to be.
    pub(in crate::engine) fn review_rooms(&mut self, turn: &mut Turn) {
        // They take turns.
        let last = self.occupants.reviewed.as_ref();
        let behind = self.occupants.reviews.range((last.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
        let before = last.map(|last| self.occupants.reviews.range(..=last.clone()));
        let reviews = behind.chain(before.into_iter().flatten()).filter(|name| !self.channels.is_cold(name));
        let reviews: Vec<ChannelName> = reviews.take(ROOMS_MAX).cloned().collect();
        let mut copies = COPIES_MAX;
        for name in reviews {
            if copies == 0 {
                return;
            }
            self.occupants.reviewed = Some(name.clone());
            self.occupants.reviews.remove(&name);
            match (self.channels.tag_of(&name), self.occupants.due.get(&name).copied()) {
                (Some(tag), Some(of)) if tag == of => self.review_some((&name, tag), &mut copies, turn),
                (_, Some(of)) => self.occupants.end_room(of, Why::Lost),
                (_, None) => {}
            }
        }
    }
}
