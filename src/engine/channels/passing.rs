//! Takes channels into memory and out of it, some people a turn.

use super::super::outgoing::outbox::{Delta, ListId, Out};
use super::super::{Engine, Turn};
use super::arrival::{Arrival, Departure, Leaving, ROSTERS_MAX, Subscriber};
use crate::channel::apart::Gone;
use crate::channel::{Channel, ChannelName};
use crate::xep::List;

impl Engine {
    /// Takes up to `count` people of a channel into memory, and lowers `count`. Returns whether the channel is
    /// complete.
    pub fn take_in(&mut self, arrival: &mut Arrival, count: &mut usize) -> bool {
        if !self.let_go(count) {
            return false;
        }
        for subscriber in arrival.people.by_ref().take(*count) {
            *count -= 1;
            let Subscriber { jid, rank, is_guest, nodes } = subscriber;
            let no = self.people.hold(&jid, is_guest, self.outgoing.early());
            nodes.iter().for_each(|node| arrival.lists.entry(List::Node(node)).or_default().push((rank, no)));
        }
        if arrival.people.len() > 0 {
            return false;
        }
        self.channels.unreadable.remove(&arrival.name);
        // An empty channel counts as one.
        *count = count.saturating_sub(1);
        match arrival.channel.take() {
            None => self.channels.shelf.strike(&arrival.name),
            Some(channel) => {
                let tag = channel.profile().tag;
                for (list, accounts) in std::mem::take(&mut arrival.lists) {
                    self.outgoing.early().push(Out::Book(Delta::Filled(ListId { tag, list }, accounts)));
                }
                self.occupants.look_again(tag);
                let sessions = self.sessions_in(tag);
                if !sessions.is_empty() {
                    let list = ListId { tag, list: List::Sessions };
                    self.outgoing.early().push(Out::Book(Delta::Filled(list, sessions)));
                }
                self.channels.shelf.put(*channel);
                self.follow_seats(tag);
                self.probe_participants(&arrival.name);
            }
        }
        true
    }

    /// Takes a channel out of memory.
    pub(in crate::engine) fn unshelve(&mut self, name: &ChannelName, out: &mut Vec<Out>) {
        self.depart(name, false, out);
    }

    /// Takes a destroyed channel out of memory.
    pub(in crate::engine) fn bury(&mut self, name: &ChannelName, out: &mut Vec<Out>) {
        self.depart(name, true, out);
        self.channels.shelf.strike(name);
    }

    fn depart(&mut self, name: &ChannelName, is_end: bool, out: &mut Vec<Out>) {
        let Some(channel) = self.channels.shelf.take(name) else { return };
        out.push(Out::Book(Delta::Dropped { tag: channel.profile().tag }));
        let (tag, name) = (channel.profile().tag, name.clone());
        let people = channel.into_people();
        let departure = Departure { tag, name, people, is_end, leaves_rosters: is_end };
        self.channels.departures.open.push_back(departure);
    }

    /// Restores the roster items that a turn should have removed, because its commit was refused.
    pub(in crate::engine) fn leave_rosters_again(&mut self, left: Vec<Leaving>) {
        left.into_iter().rev().for_each(|leaving| self.channels.departures.leaving.push_front(leaving));
    }

    /// Keeps a channel in rosters, because its end was not committed.
    pub(super) fn keep_in_rosters(&mut self, tag: u64) {
        let of_it = self.channels.departures.open.iter_mut().filter(|departure| departure.tag == tag);
        of_it.for_each(|departure| departure.leaves_rosters = false);
        self.channels.departures.leaving.retain(|leaving| leaving.tag != tag);
    }

    /// Removes up to `count` people of unloaded channels from the address book, and lowers `count`. Returns whether
    /// none are left.
    pub(in crate::engine) fn let_go(&mut self, count: &mut usize) -> bool {
        while let Some(departure) = self.channels.departures.open.front_mut() {
            if *count == 0 {
                return false;
            }
            *count -= 1;
            match (departure.people.next(), departure.is_end) {
                (None, _) => drop(self.channels.departures.open.pop_front()),
                (Some(Gone::Other), _) => {}
                (Some(Gone::Guest(jid)), true) => self.people.left(&jid, true),
                (Some(Gone::Guest(jid)), false) => self.people.release(&jid, true),
                (Some(Gone::Seated(jid)), false) => self.people.release(&jid, false),
                (Some(Gone::Seated(jid)), true) => {
                    self.people.left(&jid, false);
                    if departure.leaves_rosters && self.people.hosts().privileges(jid.domain().as_str()).roster {
                        self.channels.departures.leaving.push_back(Leaving {
                            tag: departure.tag,
                            name: departure.name.clone(),
                            jid,
                        });
                    }
                }
            }
        }
        true
    }

    /// Removes destroyed channels from some rosters, unless the account may be in a later channel of the same name.
    pub(in crate::engine) fn leave_rosters(&mut self, turn: &mut Turn) {
        for _ in 0..ROSTERS_MAX {
            let Some(leaving) = self.channels.departures.leaving.pop_front() else { return };
            let (name, jid) = (leaving.name.clone(), leaving.jid.clone());
            turn.left_rosters.push(leaving);
            let is_in = |channel: &Channel| channel.participant(&jid).is_some();
            if !self.channels.shelf.exists(&name) || !self.channels.shelf.channel(&name).is_none_or(is_in) {
                let address = self.service.address_of(&name);
                self.set_roster_item(&jid, &address, None, &mut turn.outbox);
            }
        }
    }
}
