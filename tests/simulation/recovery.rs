//! The end of a run: when the link is back and everybody answers, everybody is reached again.

use super::asks::{Ask, Op, Said, domain_of};
use super::hosts::{ACCOUNTS, Client, DELEGATING, Item, RESOURCES};
use super::world::World;
use mixd::store::Failure;

impl World {
    /// The end of a run: the link breaks once more and comes back, everybody answers, and everybody is reached.
    pub fn recover(&mut self) {
        self.cold.fails = false;
        if !self.link {
            self.link_up();
        }
        // Whoever is asked and does not answer is asked again on the next link.
        let accounts = ACCOUNTS.iter().filter(|account| domain_of(account) == DELEGATING);
        for (n, account) in accounts.enumerate() {
            let client = Client { capable: true, ..Client::default() };
            self.hosts.users.get_mut(*account).unwrap().online.insert(RESOURCES[0].into(), client);
            self.inbox.extend(self.hosts.presence(account, RESOURCES[0], true));
            let size = self.inbox.len();
            self.turn(size, (n == 0).then_some(Failure::Refused));
        }
        self.link_down();
        self.drain();
        for user in self.hosts.users.values_mut() {
            user.online.clear();
            let client = Client { capable: true, answers: true, ..Client::default() };
            user.online.insert(RESOURCES[0].into(), client);
        }
        self.link_up();
        self.drain();
        let channels: Vec<String> = self.model.rooms.keys().cloned().collect();
        for channel in channels {
            self.serial += 1;
            let nick = None;
            let op = Op::Join { channel: channel.clone(), nick, nodes: 1 };
            let sender = self.model.rooms[&channel].seats.iter().find(|(_, seat)| seat.joined);
            let Some((account, _)) = sender.filter(|(account, _)| domain_of(account) == DELEGATING) else { continue };
            let account = account.clone();
            let (resource, id) = (Some(RESOURCES[0].to_owned()), format!("q{}", self.serial));
            let ask = Ask { account, resource, id, wrapped: false, op };
            self.inbox.push_back(Item::asking(ask.clone()));
            self.drain();
            let (token, said) = (format!("last-{channel}"), Said::Body);
            let op = Op::Say { channel: channel.clone(), token, origin: None, said };
            self.inbox.push_back(Item::asking(Ask { op, id: format!("{}-said", ask.id), ..ask }));
            self.drain();
            self.all_reached(&channel);
        }
    }

    pub fn drain(&mut self) {
        while !self.inbox.is_empty() || !self.cold.parking.is_empty() {
            self.turn(8, None);
        }
    }

    /// Whoever subscribes and lives where presence is told got the newest row.
    pub fn all_reached(&mut self, channel: &str) {
        let room = &self.model.rooms[channel];
        let id = self.sealer.seal(room.tag.unwrap_or_default(), room.rows.len() as u64);
        let there = room
            .seats
            .iter()
            .filter(|(account, seat)| seat.joined && seat.nodes & 1 != 0 && domain_of(account) == DELEGATING);
        for (account, _) in there {
            let got = self.hosts.users[account].online[RESOURCES[0]].seen.contains(&id);
            assert!(got, "{account} was not found again after the link came back, and misses a message of {channel}");
        }
    }
}
