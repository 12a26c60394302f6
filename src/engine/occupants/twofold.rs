//! Accounts that sit in a room and are in its channel by MIX as well, by one client and another: each has what is said once, in
//! its own form.

use super::super::Engine;
use super::super::outgoing::outbox::Out;
use crate::channel::Channel;
use jid::BareJid;

impl Engine {
    /// What is known of the clients by which an account sits in a room is what it should be: a client entered or left, or the
    /// account joined, left, or subscribes to something else.
    pub(in crate::engine) fn follow_seat(&mut self, tag: u64, account: &BareJid, out: &mut Vec<Out>) {
        let room = self.occupants.room(tag);
        let is_in = |channel: &Channel| {
            let is_guest = channel.guest(account).is_some();
            is_guest || channel.participant(account).is_some_and(|member| !member.subscriptions.is_empty())
        };
        let channel = room.and_then(|room| self.channels.channel(&room.name)).filter(|it| it.profile().tag == tag);
        let seat = room.filter(|_| channel.is_some_and(is_in)).and_then(|room| room.seat_of(account));
        let resources = seat.map(|seat| seat.sessions.iter().map(|it| it.full.resource().to_string()).collect());
        self.people.sit(account, tag, resources.unwrap_or_default(), out);
    }

    /// The channel of a room is in memory: the same of all who sit there. An earlier process may have saved their seats.
    pub(in crate::engine) fn follow_seats(&mut self, tag: u64) {
        let accounts: Vec<BareJid> = self.occupants.seats(tag).accounts().cloned().collect();
        let mut out = Vec::new();
        accounts.iter().for_each(|account| self.follow_seat(tag, account, &mut out));
        self.outgoing.early().extend(out);
    }
}
