//! What is remembered of people when another process takes the stream over: what home servers granted and how they take
//! traffic, which clients are online, requests that are being relayed, and bookmarks that are to be set or
//! taken away.

use super::People;
use super::accounts::{Accounts, KnownClient};
use super::bookmarks::{Place, Wish};
use super::hosts::KnownHost;
use super::pending::KnownRelay;
use crate::engine::outgoing::multicast::KnownService;
use crate::engine::outgoing::outbox::Out;
use jid::FullJid;
use serde::{Deserialize, Serialize};

/// What is remembered of people.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PeopleMemory {
    hosts: Vec<KnownHost>,
    services: Vec<KnownService>,
    clients: Vec<KnownClient>,
    relays: Vec<KnownRelay>,
    bookmarks: Vec<(Place, Wish)>,
}

impl People {
    /// What is to be remembered.
    pub(in crate::engine) fn remembered(&self) -> PeopleMemory {
        // What is asked about is asked anew: it is found as it is by then.
        let asked = self.pending.bookmarkings().into_iter().filter(|it| !self.bookmarks.is_outdated(&it.place));
        let asked = asked.map(|it| (it.place.clone(), it.stage.wish()));
        PeopleMemory {
            hosts: self.accounts.hosts.known(),
            services: self.accounts.hosts.homes.known(),
            clients: self.accounts.known_clients(),
            relays: self.pending.relays(),
            bookmarks: asked.chain(self.bookmarks.wanted()).collect(),
        }
    }

    /// It is remembered. Returns the clients that have to be asked again what they take.
    pub(in crate::engine) fn remember(&mut self, memory: PeopleMemory, out: &mut Vec<Out>) -> Vec<FullJid> {
        let PeopleMemory { hosts, services, clients, relays, bookmarks } = memory;
        for host in &hosts {
            let domain = host.domain.as_str();
            self.accounts.hosts.know(host);
            self.accounts.reroute(domain, out);
            self.accounts.readdress(domain, out);
        }
        let accounts: &mut Accounts = &mut self.accounts;
        out.extend(services.into_iter().filter_map(|known| accounts.hosts.homes.know(known)).map(Out::Book));
        relays.into_iter().for_each(|relay| self.pending.know(relay));
        bookmarks.into_iter().for_each(|(place, wish)| self.bookmarks.want(place, wish));
        self.bookmarks.settle_fresh();
        clients.into_iter().filter_map(|client| self.accounts.know_client(client, out)).collect()
    }
}
