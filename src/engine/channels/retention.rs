//! Rows that are too old go: the store says which, and the channels in memory learn of it like the store does.

use super::super::{Engine, Turn};
use crate::channel::Change;
use crate::store::{Outdated, Record};

impl Engine {
    /// Takes rows out of the archives of channels. Nobody is told: what is gone is not found any more.
    pub(in crate::engine) fn expire(&mut self, outdated: Vec<Outdated>, turn: &mut Turn) {
        for Outdated { name, tag, base, rest } in outdated {
            // It may have been destroyed since, and made again.
            if self.channels.shelf.tag_of(&name) != Some(tag) {
                continue;
            }
            let change = Change::Expired { base, rest };
            if self.channels.shelf.channel(&name).is_some_and(|channel| channel.base().row >= base.row) {
                continue;
            }
            // One that is not in memory need not be: it is loaded as it is after.
            let _ = self.apply(&name, &change, turn);
            turn.records.push(Record::Channel { name, tag, change });
        }
    }
}
