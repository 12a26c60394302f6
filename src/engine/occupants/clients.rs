//! The clients that sit in any room: in which, and when they were heard of.

use super::heard::Heard;
use crate::xep::availability::Availability;
use jid::{BareJid, FullJid};
use std::collections::HashMap;
use std::sync::Arc;

/// A client that sits in any room.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its address.
    pub full: Arc<FullJid>,
    /// When it was heard of.
    pub heard: Heard,
    /// The tags of the rooms' channels, in order.
    rooms: Vec<u64>,
    /// What it said last in any of them.
    says: Availability,
}

/// The names of a client, for all who keep them.
#[derive(Clone, Debug)]
pub struct Shared {
    /// Its account.
    pub account: Arc<BareJid>,
    /// Its address.
    pub full: Arc<FullJid>,
}

impl Client {
    fn of(full: &FullJid) -> Client {
        let (heard, rooms, says) = Default::default();
        Client { full: Arc::new(full.clone()), heard, rooms, says }
    }

    /// It says something in a room. This is kept once, if it says the same in the next one.
    pub fn share(&mut self, says: Availability) -> Availability {
        self.says = says.shared_with(&self.says);
        self.says.clone()
    }

    /// The tags of the rooms' channels, in order.
    pub fn rooms(&self) -> &[u64] {
        &self.rooms
    }
}

/// See the module. There may be very many, of a few rooms each: nothing has more memory than it needs.
#[derive(Debug, Default)]
pub struct Clients {
    /// By their accounts, in order.
    of: HashMap<Arc<BareJid>, Vec<Client>>,
}

impl Clients {
    /// A client.
    pub fn get(&self, full: &FullJid) -> Option<&Client> {
        let own = self.of.get(&full.to_bare())?;
        Some(&own[place_of(own, full).ok()?])
    }

    /// A client.
    pub fn get_mut(&mut self, full: &FullJid) -> Option<&mut Client> {
        let own = self.of.get_mut(&full.to_bare())?;
        let place = place_of(own, full).ok()?;
        Some(&mut own[place])
    }

    /// The name of an account that has any, to be shared.
    pub fn account(&self, account: &BareJid) -> Option<Arc<BareJid>> {
        self.of.get_key_value(account).map(|(account, _)| account.clone())
    }

    /// The clients of an account, in order.
    pub fn of(&self, account: &BareJid) -> &[Client] {
        self.of.get(account).map_or(&[], Vec::as_slice)
    }

    /// How many accounts have any.
    #[cfg(test)]
    pub fn account_count(&self) -> usize {
        self.of.len()
    }

    /// A client sits in a room. The names to be shared, and whether it did not sit there before.
    pub fn enter(&mut self, full: &FullJid, tag: u64) -> (Shared, bool) {
        let account = full.to_bare();
        let account = self.account(&account).unwrap_or_else(|| Arc::new(account));
        let own = self.of.entry(account.clone()).or_default();
        let place = place_of(own, full).unwrap_or_else(|place| {
            own.reserve_exact(1);
            own.insert(place, Client::of(full));
            place
        });
        let client = &mut own[place];
        let at = client.rooms.binary_search(&tag);
        if let Err(at) = at {
            client.rooms.reserve_exact(1);
            client.rooms.insert(at, tag);
        }
        (Shared { account, full: client.full.clone() }, at.is_err())
    }

    /// A client sits in a room no more. The client, if it sits in no other.
    pub fn leave(&mut self, full: &FullJid, tag: u64) -> Option<Client> {
        let account = full.to_bare();
        let own = self.of.get_mut(&account)?;
        let place = place_of(own, full).ok()?;
        let rooms = &mut own[place].rooms;
        if let Ok(at) = rooms.binary_search(&tag) {
            rooms.remove(at);
        }
        if !rooms.is_empty() {
            return None;
        }
        let client = own.remove(place);
        if own.is_empty() {
            self.of.remove(&account);
        }
        Some(client)
    }
}

fn place_of(own: &[Client], full: &FullJid) -> Result<usize, usize> {
    own.binary_search_by(|client| (*client.full).cmp(full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_there_as_long_as_it_sits_anywhere() {
        let mut clients = Clients::default();
        let [a, b] = ["a@h/1", "a@h/2"].map(|full| FullJid::new(full).unwrap());
        assert!(clients.enter(&b, 7).1 && clients.enter(&a, 9).1 && clients.enter(&a, 7).1);
        assert!(!clients.enter(&a, 9).1);
        assert_eq!((clients.get(&a).unwrap().rooms(), clients.of(&a.to_bare()).len()), (&[7, 9][..], 2));
        assert_eq!(clients.of(&a.to_bare())[0].full.as_ref(), &a);
        assert!(clients.leave(&a, 9).is_none() && clients.leave(&a, 9).is_none());
        assert_eq!(clients.leave(&a, 7).unwrap().full.as_ref(), &a);
        assert!(clients.get(&a).is_none() && clients.get(&b).is_some());
        clients.leave(&b, 7).unwrap();
        assert_eq!(clients.account_count(), 0);
    }
}
