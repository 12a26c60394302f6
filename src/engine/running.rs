//! Runs a turn: takes a batch in order, and completes what follows from it.

use super::turn::{Inbound, Turn};
use super::{Engine, Memory, Moment, Out};
use crate::channel::Refusal;
use crate::store::Record;

impl Engine {
    /// Handles a batch in order. Returns what to store and to send.
    pub fn turn(&mut self, now: impl Into<Moment>, batch: Vec<Inbound>) -> Turn {
        self.tell_time(now);
        self.requests.begin_turn();
        let mut turn = Turn { outbox: std::mem::take(self.outgoing.early()), ..Turn::default() };
        self.open_settled_rooms();
        self.review_rooms(&mut turn);
        self.tell_watchers(&mut turn);
        self.begin_bookmarks(&mut turn);
        for (place, inbound) in batch.into_iter().enumerate() {
            self.settle_rounds_before(&inbound, &mut turn);
            self.take(place, inbound, &mut turn);
        }
        self.settle_rounds(&mut turn);
        self.end_walks(&mut turn);
        self.share_presence_of_rooms(&mut turn);
        self.settle_presence(&mut turn);
        self.look_for_watchers(&mut turn);
        self.settle_shares(&mut turn);
        self.settle_lists();
        self.settle_memberships();
        self.forget_read();
        self.people.save(&mut turn.records);
        self.save_seats(&mut turn);
        self.count_crowds();
        turn.records.extend(self.clock.news(!turn.records.is_empty()).map(Record::Clock));
        self.number_parcel(&mut turn);
        self.make_room(&mut turn);
        turn
    }

    /// Handles an input that is not a request.
    pub(super) fn take_other(&mut self, inbound: Inbound, turn: &mut Turn) {
        match inbound {
            Inbound::Stanza(_) | Inbound::Call(_) => {}
            Inbound::Refused(refused) => self.refused(&refused.0, &refused.1, turn),
            Inbound::Unreadable(unreadable) => self.unreadable(&unreadable, turn),
            Inbound::Resend(unsent) => unsent.into_iter().for_each(|it| self.resend(it, turn)),
            Inbound::Expired(outdated) => self.expire(outdated, turn),
            Inbound::ClockConfirmed => self.confirm_clock(),
            Inbound::Erased(account, names) => self.note_erased(&account, &names, turn),
            Inbound::LinkUp => self.link_up(turn),
            Inbound::LinkKept(memory) => self.link_kept(*memory, turn),
            Inbound::LinkDown => self.outgoing.note_link(false),
            Inbound::Tick => self.tick(turn),
            Inbound::GoOn(step) => self.go_on(step, turn),
        }
    }

    /// Answers askers whose queries gave way to others, and notes the shares that were hit.
    fn settle_shares(&mut self, turn: &mut Turn) {
        self.give_up_ousted(turn);
        let hits = self.people.hits().chain(self.presence.hits()).chain(self.channels.hits());
        let hits = hits.chain(self.requests.hits()).chain(self.outgoing.hits());
        turn.hits.extend(hits.chain(self.occupants.hits()));
    }

    /// Undoes a turn whose commit was refused: its channels leave memory, and all askers get an error. Returns what to
    /// send.
    pub fn abandon(&mut self, turn: Turn) -> Vec<Out> {
        // Presence counts as delivered.
        let stays = |out: &Out| match out {
            Out::Book(_) => true,
            Out::Fan(fan) => fan.presence && !fan.decided,
            Out::Presence(_) => true,
            Out::Stanza(_) | Out::About { .. } | Out::Question(_) => false,
        };
        let (mut out, unsent): (Vec<Out>, Vec<Out>) = turn.outbox.into_iter().partition(stays);
        self.unload(&unsent);
        self.forget_people();
        for record in turn.records {
            match record {
                Record::Channel { name, change, tag } => {
                    self.presence.probe_again(tag);
                    self.undo_in_room(&name, tag, &change);
                    self.undo_lock(&name, &change);
                    self.take_back(&name, tag, &change, &mut out);
                    self.undo_part(&name);
                }
                Record::Whereabouts { account, .. } => self.people.save_again(&account),
                Record::Seat { account, tag, .. } => self.occupants.save_later(&account, tag),
                Record::Clock(_) => self.clock.tell_again(),
                Record::Nick { .. }
                | Record::Ending { .. }
                | Record::Newcomer { .. }
                | Record::Tour { .. }
                | Record::Gone { .. }
                | Record::Ended { .. }
                | Record::Unsent(_)
                | Record::Sent(_) => {}
            }
        }
        self.occupants.forget_settled();
        self.forget_unsaid(turn.indicated);
        self.forget_bookmarks();
        self.undo_entries(&turn.entered, &mut out);
        self.undo_seats(turn.seats_past, turn.passing);
        self.leave_rosters_again(turn.left_rosters);
        self.rest();
        self.take_tours_back(turn.tours_past, &turn.early);
        out.extend(turn.questions.into_iter().map(Out::Question));
        for (account, past) in turn.nicks_past.into_iter().rev() {
            self.set_nick(&account, past);
        }
        self.undo_announced(turn.announced);
        self.undo_endings(turn.endings_past);
        self.undo_newcomers(turn.newcomers_past);
        self.channels.undo_gone(turn.gone_past);
        self.undo_ended(turn.ended_past);
        let error = (&Refusal::Internal).into();
        out.extend(turn.replies.iter().map(|reply| Out::Stanza(reply.error(&error))));
        out
    }

    fn link_up(&mut self, turn: &mut Turn) {
        self.outgoing.note_link(true);
        self.people_link_up(turn);
        self.presence_link_up();
        self.occupants.doubt_all(self.steady.0);
        self.doubt_watchers();
        self.ask_home_servers(turn);
    }

    /// The link of an earlier process goes on, which knew this. Nobody is told anything.
    fn link_kept(&mut self, memory: Memory, turn: &mut Turn) {
        let Memory { people, presence, rooms, announcements } = memory;
        self.outgoing.note_link(true);
        let asked = self.people.remember(people, &mut turn.outbox);
        asked.iter().for_each(|full| self.ask_resource(full, turn));
        self.remember_presence(presence);
        self.remember_rooms(rooms, &mut turn.outbox);
        self.remember_announcements(announcements);
        self.occupants.doubt_all(self.steady.0);
    }

    fn confirm_clock(&mut self) {
        if self.clock.confirm() {
            let dial = self.clock.dial();
            (self.now, self.due) = (dial.stamp, dial.due);
        }
    }

    fn tick(&mut self, turn: &mut Turn) {
        self.end_locks();
        self.give_up_late(turn);
        self.ask_homes_again(turn);
        self.go_on_ending();
        self.free_names(turn);
        self.ask_newcomers(turn);
        self.presence_tick(turn);
        self.ask_ghosts(turn);
        self.forget_ended_rooms();
        self.people.end_pauses(self.steady, &mut turn.outbox);
        self.begin_chores(turn);
    }
}
