//! What is remembered of people when another process takes the stream over: what home servers granted and how they take
//! traffic, which clients are online, and requests that are being relayed.

use super::People;
use super::accounts::{Accounts, KnownClient};
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
}

impl People {
    /// What is to be remembered.
    pub(in crate::engine) fn remembered(&self) -> PeopleMemory {
        PeopleMemory {
            hosts: self.accounts.hosts.known(),
            services: self.accounts.hosts.homes.known(),
            clients: self.accounts.known_clients(),
            relays: self.pending.relays(),
        }
    }

    /// It is remembered. Returns the clients that have to be asked again what they take.
    pub(in crate::engine) fn remember(&mut self, memory: PeopleMemory, out: &mut Vec<Out>) -> Vec<FullJid> {
        let PeopleMemory { hosts, services, clients, relays } = memory;
        for host in &hosts {
            let domain = host.domain.as_str();
            self.accounts.hosts.know(host);
            self.accounts.reroute(domain, out);
            self.accounts.readdress(domain, out);
        }
        let accounts: &mut Accounts = &mut self.accounts;
        out.extend(services.into_iter().filter_map(|known| accounts.hosts.homes.know(known)).map(Out::Book));
        relays.into_iter().for_each(|relay| self.pending.know(relay));
        clients.into_iter().filter_map(|client| self.accounts.know_client(client, out)).collect()
    }
}
