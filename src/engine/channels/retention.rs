//! Removes expired rows: the store names them, and memory follows.

use super::super::{Engine, Turn};
use crate::channel::Change;
use crate::store::{Outdated, Record};

impl Engine {
    /// Moves the beginnings of archives. Nobody is notified.
    pub(in crate::engine) fn expire(&mut self, outdated: Vec<Outdated>, turn: &mut Turn) {
        for Outdated { name, tag, base, rest } in outdated {
            // The channel may have been destroyed and created again.
            if self.channels.shelf.tag_of(&name) != Some(tag) {
                continue;
            }
            let change = Change::Expired { base, rest };
            if self.channels.shelf.channel(&name).is_some_and(|channel| channel.base().row >= base.row) {
                continue;
            }
            // A channel that is not in memory is later loaded without those rows.
            let _ = self.apply(&name, &change, turn);
            turn.records.push(Record::Channel { name, tag, change });
        }
    }
}
