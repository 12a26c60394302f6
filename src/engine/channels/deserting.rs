//! Destroys groups without participants.

use super::super::{Engine, Turn};
use super::Channels;
use super::chores::Chores;
use crate::channel::{Change, Channel, ChannelName, Stamp};

impl Channels {
    /// Notes whether a group has participants.
    pub(super) fn note_deserted(&mut self, name: &ChannelName, due: Stamp) {
        match self.shelf.channel(name).and_then(Channel::deserted_since) {
            // An earlier note may have come from a clock that was ahead.
            Some(since) => drop(self.chores.deserted_since.insert(name.clone(), since.min(due))),
            None => drop(self.chores.deserted_since.remove(name)),
        }
    }
}

impl Engine {
    /// The next channels of the one walk over all, which finds groups that were deserted before the start.
    pub(in crate::engine) fn next_to_look_at(&mut self) -> Vec<ChannelName> {
        self.channels.chores.looking.step(|behind, count| self.channels.shelf.names_behind(behind, count))
    }

    pub(in crate::engine) fn look_at(&mut self, name: &ChannelName, _: &mut Turn) {
        if self.channels.chores.looking.done(name) {
            self.channels.note_deserted(name, self.due);
        }
    }

    pub(in crate::engine) fn pass_looking(&mut self, name: &ChannelName) {
        self.channels.chores.looking.done(name);
    }

    /// Some of the groups that were deserted long enough.
    pub(in crate::engine) fn next_deserted(&mut self) -> Vec<ChannelName> {
        let patience_ms = self.service.limits.groups.deserted_s.saturating_mul(1000);
        let is_due = |since: &Stamp| self.due.0.saturating_sub(since.0) >= patience_ms;
        let Chores { deserted, deserted_since, .. } = &mut self.channels.chores;
        deserted.step(|_, count| {
            let due = deserted_since.iter().filter(|(_, since)| is_due(since)).map(|(name, _)| name.clone());
            due.take(count).collect()
        })
    }

    /// Destroys a group that was deserted long enough (groups.md §1 rule 2).
    pub(in crate::engine) fn destroy_deserted(&mut self, name: &ChannelName, turn: &mut Turn) {
        if !self.channels.chores.deserted.done(name) {
            return;
        }
        let is_deserted = self.channels.shelf.channel(name).is_some_and(|channel| channel.deserted_since().is_some());
        self.channels.chores.deserted_since.remove(name);
        if is_deserted {
            self.carry_on(vec![(name.clone(), Change::Destroyed(Default::default()))], turn);
        }
    }

    pub(in crate::engine) fn pass_deserted(&mut self, name: &ChannelName) {
        self.channels.chores.deserted.done(name);
        self.channels.chores.deserted_since.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{ServiceSettings, fixture};
    use crate::store::{Directory, Listing};
    use jid::BareJid;

    #[test]
    fn deserted_groups_go_once_it_is_time_and_not_before() {
        let settings = ServiceSettings { creators: Vec::new(), ..fixture::settings() };
        let name = |n: usize| ChannelName::new(&format!("c{n:02}")).unwrap();
        let creator = BareJid::new("a@h").unwrap();
        let listing = |n: usize| {
            let (tag, gid, creator) = (n as u64, n as u32, creator.clone());
            Listing {
                name: name(n),
                tag,
                gid,
                listed: false,
                shows_jids: true,
                end_of_life: None,
                creator,
                title: None,
                sign: None,
            }
        };
        let patience_ms = settings.limits.groups.deserted_s * 1000;
        let directory = Directory { listings: (0..40).map(listing).collect(), gid_highest: 40, ..Directory::default() };
        let mut engine = Engine::new(settings, [7; 16], [7; 32], directory, Vec::new());
        engine.due = Stamp(patience_ms + 1000);
        // The first groups by name are not due yet.
        engine.channels.chores.deserted_since =
            (0..40).map(|n| (name(n), Stamp(if n < 39 { 5000 } else { 1000 }))).collect();
        assert_eq!(engine.next_deserted(), [name(39)]);
    }
}
