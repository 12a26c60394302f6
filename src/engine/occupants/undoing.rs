//! After a refused commit: seats stand for what the store has, and people of MIX hear of those who pass by.

use super::super::outgoing::outbox::{Delta, ListId, Out};
use super::super::{Engine, Turn};
use super::Occupants;
use super::ends::SeatPast;
use super::room::Review;
use crate::channel::{Change, ChannelName, Member};
use crate::xep::List;
use jid::{BareJid, FullJid};

/// People who pass by in rooms, and of whom people of MIX are still to be told.
const OWED_MAX: usize = 10_000;

impl Occupants {
    /// What stands for an account in a room; `None`: it has no seat.
    pub(super) fn past_of(&self, tag: u64, account: &BareJid) -> Option<SeatPast> {
        let room = self.room(tag)?;
        let (id, passer_by) = (room.seat_of(account)?.id.clone(), room.seats.passer_by(account).cloned());
        Some(SeatPast { tag, account: account.clone(), id, passer_by })
    }

    /// People of MIX are to be told of somebody who passes by, or passed by.
    pub(super) fn owe(&mut self, name: ChannelName, tag: u64, member: Member) {
        if self.owed_count >= OWED_MAX {
            return;
        }
        self.due.insert(name.clone(), tag);
        let owed = self.owed.entry(name).or_default();
        if owed.iter().all(|other| other.id != member.id) {
            self.owed_count += 1;
            owed.push(member);
        }
    }

    /// Of whom people of MIX are to be told in a channel.
    pub(super) fn take_owed(&mut self, name: &ChannelName) -> Vec<Member> {
        let owed = self.owed.remove(name).unwrap_or_default();
        self.owed_count -= owed.len();
        owed
    }
}

impl Engine {
    /// What let clients into rooms was not stored: they never entered, and nobody was told that they did.
    pub(in crate::engine) fn undo_entries(&mut self, entered: &[(u64, FullJid)], out: &mut Vec<Out>) {
        for (tag, full) in entered {
            let Some((session, _)) = self.occupants.leave(*tag, full) else { continue };
            out.push(Out::Book(Delta::Removed(ListId { tag: *tag, list: List::Sessions }, session.placed())));
            self.people.leave_session(session.no, out);
        }
    }

    /// A change was not stored: when the channel is in memory again, those who sit in it by that change do not any more.
    pub(in crate::engine) fn undo_in_room(&mut self, name: &ChannelName, tag: u64, change: &Change) {
        self.undo_for_watchers(name, tag, change);
        if change.is_end() {
            self.occupants.revive_room(tag);
        }
        self.occupants.review(tag, Review { doubted: true, ..Review::default() });
    }

    /// A room that was not stored is locked no more.
    pub(in crate::engine) fn undo_lock(&mut self, name: &ChannelName, change: &Change) {
        if matches!(change, Change::Created { .. }) {
            self.open_room(name);
        }
    }

    /// What a turn changed of seats is undone, and what it told people of MIX about those who pass by is told again.
    pub(in crate::engine) fn undo_seats(&mut self, past: Vec<SeatPast>, passing: Vec<(ChannelName, Change)>) {
        for SeatPast { tag, account, id, passer_by } in past.into_iter().rev() {
            self.occupants.identify(tag, &account, &id, passer_by);
        }
        for (name, change) in passing {
            let (Change::Entered(member) | Change::Moved(member) | Change::Exited(member)) = change else { continue };
            if let Some(tag) = self.channels.tag_of(&name) {
                self.occupants.owe(name, tag, member);
            }
        }
    }

    /// Tells people of MIX of those who pass by, as it is now.
    pub(super) fn show_owed(&mut self, name: &ChannelName, tag: u64, turn: &mut Turn) {
        let Some(channel) = self.channels.channel(name) else { return };
        let is_in = |member: &Member| channel.member_of(&member.id).is_some_and(Member::is_joined);
        let owed: Vec<Member> = self.occupants.take_owed(name).into_iter().filter(|it| !is_in(it)).collect();
        let seats = self.occupants.seats(tag);
        let changes = owed.into_iter().map(|member| match seats.member_of(&member.id) {
            Some(here) => (name.clone(), Change::Entered(here.clone())),
            None => (name.clone(), Change::Exited(member)),
        });
        let changes: Vec<(ChannelName, Change)> = changes.collect();
        self.carry_on(changes, turn);
    }
}
