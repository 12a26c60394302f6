//! Accounts that sit in rooms, and are in the channels by MIX as well: by which clients they sit there. These get what is said as
//! rooms have it, so nothing of MIX goes to them from these channels.

use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// The rooms that accounts sit in whose channels they are in by MIX, by the channels' tags, with the resources of their clients
/// there.
#[derive(Debug, Default)]
pub(super) struct Seated(BTreeMap<BareJid, BTreeMap<u64, BTreeSet<String>>>);

impl Seated {
    /// Those of one account.
    pub(super) fn of(&self, account: &BareJid) -> Option<&BTreeMap<u64, BTreeSet<String>>> {
        self.0.get(account)
    }

    /// The clients of an account in one room.
    pub(super) fn in_room(&self, account: &BareJid, tag: u64) -> Option<&BTreeSet<String>> {
        self.0.get(account)?.get(&tag)
    }

    /// These are its clients in one room from here on. Returns those before.
    pub(super) fn set(&mut self, account: &BareJid, tag: u64, resources: BTreeSet<String>) -> Option<BTreeSet<String>> {
        if !resources.is_empty() {
            return self.0.entry(account.clone()).or_default().insert(tag, resources);
        }
        let own = self.0.get_mut(account)?;
        let past = own.remove(&tag);
        if own.is_empty() {
            self.0.remove(account);
        }
        past
    }
}
