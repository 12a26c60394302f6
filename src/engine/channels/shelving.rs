//! Moves channels in and out of memory for the engine.

use super::super::outgoing::outbox::Out;
use super::super::{Engine, Inbound, Step, Turn};
use crate::channel::{Change, ChannelName};
use std::collections::BTreeSet;

impl Engine {
    /// Takes a channel out of memory, because a change of it was not committed. The next load reads what the store has.
    pub(in crate::engine) fn take_back(&mut self, name: &ChannelName, tag: u64, change: &Change, out: &mut Vec<Out>) {
        if let Change::Created { profile, .. } = change {
            self.channels.shelf.take_back(profile.gid);
        }
        self.unshelve(name, out);
        self.channels.shelf.doubt(name);
        self.keep_in_rosters(tag);
        if change.is_end() || change.member().is_some() {
            // The group may have been deserted before.
            self.channels.chores.looking.reopen(name.clone());
        }
    }

    /// Takes back a channel that was created in this turn and of which nothing was decided.
    pub(in crate::engine) fn unmake(&mut self, name: &ChannelName, gid: u32, turn: &mut Turn) {
        self.bury(name, &mut turn.outbox);
        self.channels.shelf.take_back(gid);
    }

    /// Takes channels out of memory until the rest is within the bound.
    pub(in crate::engine) fn make_room(&mut self, turn: &mut Turn) {
        for name in self.channels.shelf.surplus() {
            self.unshelve(&name, &mut turn.outbox);
        }
        // Roster items of people removed in this turn are removed in a later one, after the commit.
        self.leave_rosters(turn);
        let mut count = super::arrival::PEOPLE_MAX;
        let (here, cold) = self.reviews();
        cold.into_iter().for_each(|name| self.channels.chores.want(Step::In(name)));
        self.channels.chores.give_out(turn);
        let rooms_go_on = self.occupants.has_ended_rooms() || here;
        if !self.let_go(&mut count) || self.channels.departures.is_leaving() || rooms_go_on {
            turn.next.push(Inbound::GoOn(Step::LetGo));
        }
    }

    /// Keeps exactly these channels in memory, because a parked item needs them together.
    pub fn pin(&mut self, names: BTreeSet<ChannelName>) {
        self.channels.shelf.pinned = names;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Channel;
    use crate::channel::{Item, Limits, Profile, Rights, Stamp};
    use crate::engine::channels::shelf::ChannelShelf;
    use crate::engine::share::Shares;
    use crate::store::Directory;

    fn channel(text: &str, gid: u32) -> Channel {
        let creator = jid::BareJid::new("a@host.example").unwrap();
        let profile = Profile { tag: gid.into(), created: Stamp(0), creator, gid, listed: false };
        let settings = Limits::default().group_settings();
        Channel::create(ChannelName::new(text).unwrap(), profile, settings, Rights::default(), Item::default())
    }

    fn shelf(directory: Directory) -> ChannelShelf {
        ChannelShelf::new(directory, usize::MAX, Shares::new("channels", usize::MAX, Default::default()))
    }

    #[test]
    fn numbers_end_rather_than_come_again() {
        let directory = Directory { gid_highest: u32::MAX - 1, ..Directory::default() };
        let mut shelf = shelf(directory);
        assert_eq!(shelf.next_gid(), Some(u32::MAX));
        shelf.put(channel("last", u32::MAX));
        assert_eq!(shelf.next_gid(), None);
    }

    #[test]
    fn a_number_that_was_taken_back_is_its_next_channels_alone() {
        let (old, new) = (channel("old", 1), channel("new", 1));
        let name = new.name().clone();
        let mut shelf = shelf(Directory::default());
        shelf.put(old.clone());
        shelf.take_back(1);
        shelf.take(old.name());
        shelf.doubt(old.name());
        shelf.put(new);
        shelf.strike(old.name());
        assert_eq!(shelf.by_gid(1), Some(&name));
    }
}
