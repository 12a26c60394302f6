//! A channel that is dropped one record at a time, because dropping many at once takes long.

use super::{Channel, Guest, Member, ParticipantId};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap, hash_map};

/// The people of such a channel that are still to be dropped.
pub struct Apart {
    seated: Box<dyn Iterator<Item = ParticipantId> + Send>,
    ids: HashMap<ParticipantId, BareJid>,
    members: HashMap<BareJid, Member>,
    nicks: hash_map::IntoIter<String, BareJid>,
    others: Option<(hash_map::IntoIter<ParticipantId, BareJid>, hash_map::IntoIter<BareJid, Member>)>,
    guests: std::collections::btree_map::IntoValues<BareJid, Guest>,
}

/// A record that was dropped.
#[derive(Debug)]
pub enum Gone {
    /// Somebody who was in it.
    Seated(BareJid),
    /// A record of somebody else.
    Other,
    /// A guest.
    Guest(BareJid),
}

impl Channel {
    /// Begins to drop the channel: first its participants, in the order of ids, last its guests.
    pub fn into_people(self) -> Apart {
        let guests: BTreeMap<BareJid, Guest> = self.kept.guests;
        Apart {
            seated: Box::new(self.crowd.into_ids()),
            ids: self.ids,
            members: self.members,
            // In any order: they are dropped.
            nicks: self.nicks.into_iter(),
            others: None,
            guests: guests.into_values(),
        }
    }
}

impl Iterator for Apart {
    type Item = Gone;

    fn next(&mut self) -> Option<Gone> {
        drop(self.nicks.next());
        for id in self.seated.by_ref() {
            if let Some(jid) = self.ids.remove(&id) {
                drop(self.members.remove(&jid));
                return Some(Gone::Seated(jid));
            }
        }
        let others = (&mut self.ids, &mut self.members);
        // In any order: they are dropped, and all that is told is that there was one.
        let (ids, members) = self
            .others
            .get_or_insert_with(|| (std::mem::take(others.0).into_iter(), std::mem::take(others.1).into_iter()));
        match (ids.next(), members.next()) {
            (None, None) => self.guests.next().map(|guest| Gone::Guest(guest.jid)),
            _ => Some(Gone::Other),
        }
    }
}
