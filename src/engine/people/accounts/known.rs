//! Which clients are online, as one process hands it to the next. The store keeps those alone that take MIX traffic.

use super::*;
use serde::{Deserialize, Serialize};

/// A client that is online.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownClient {
    full: FullJid,
    /// Whether it takes MIX traffic, if that is known.
    takes: Option<bool>,
    announced: Option<Announced>,
    /// Whether it is being asked what it takes.
    is_asked: bool,
}

impl Accounts {
    /// All clients that are online, by their addresses.
    pub fn known_clients(&self) -> Vec<KnownClient> {
        let mut known = Vec::new();
        for account in self.accounts.iter().flatten() {
            for (name, takes) in &account.resources {
                let Ok(full) = account.jid.with_resource_str(name) else { continue };
                let is_asked = *takes == Takes::Asked;
                let (takes, announced) = match takes {
                    Takes::Yes => (Some(true), None),
                    Takes::No => (Some(false), None),
                    Takes::Unknown(announced) => (None, announced.clone()),
                    Takes::Asked => (None, None),
                };
                known.push(KnownClient { full, takes, announced, is_asked });
            }
        }
        known.sort_unstable_by(|a, b| a.full.cmp(&b.full));
        known
    }

    /// An earlier process on the same link knew this client. Returns one that it was asking, and that has to be asked again.
    pub fn know_client(&mut self, known: KnownClient, out: &mut Vec<Out>) -> Option<FullJid> {
        let KnownClient { full, takes, announced, is_asked } = known;
        if takes == Some(true) {
            self.available(&full, announced, takes, out);
            return None;
        }
        let no = self.number(&full.to_bare());
        let account = self.accounts[no.place()].as_mut()?;
        let name = full.resource().as_str();
        if account.resources.len() < RESOURCES_MAX && !account.resources.contains_key(name) {
            let takes = if takes.is_some() { Takes::No } else { Takes::Unknown(announced) };
            account.resources.insert(name.to_owned(), takes);
        }
        is_asked.then_some(full)
    }
}
