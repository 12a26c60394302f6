//! What happens in a run, by chance: people act, come and go; the link breaks, the clock jumps, the store refuses.

use super::asks::{Ask, DOMAIN, Op};
use super::clients::Scene;
use super::hosts::{ACCOUNTS, Client, Item, RESOURCES};
use super::world::World;
use mixd::engine::Inbound;
use mixd::store::Failure;
use rand::Rng;
use rand::seq::IndexedRandom;

impl World {
    /// One step: something happens, and mostly a turn follows.
    pub fn step(&mut self) {
        self.step += 1;
        match self.dice.random_range(0..100) {
            0..12 => self.come_or_go(),
            12..15 if self.link => self.link_down(),
            12..20 if !self.link => self.link_up(),
            20 => self.restart("stopped"),
            21..25 => self.jump(),
            25..29 => self.inbox.push_back(Item::event(Inbound::Tick)),
            29..31 => self.walk(),
            31..35 => self.retry(),
            _ => {
                for _ in 0..self.dice.random_range(1..4) {
                    self.act();
                }
            }
        }
        self.clock += self.dice.random_range(0..1500);
        if self.dice.random_bool(0.7) {
            let size = self.dice.random_range(1..8);
            let trouble = match self.dice.random_range(0..60) {
                0..4 => Some(Failure::Refused),
                4 => Some(*[Failure::UnknownKept, Failure::UnknownLost].choose(&mut self.dice).unwrap()),
                _ => None,
            };
            self.turn(size, trouble);
        }
        if self.dice.random_bool(0.5) {
            self.answer_from_archive();
        }
    }

    pub fn act(&mut self) {
        self.serial += 1;
        let scene = Scene {
            hosts: &self.hosts,
            model: &self.model,
            sealer: &self.sealer,
            clock: self.clock,
            serial: self.serial,
            dice: &mut self.dice,
        };
        match { scene }.act() {
            Some(ask) => self.ask(ask),
            None => self.come_or_go(),
        }
    }

    pub fn ask(&mut self, ask: Ask) {
        if !self.link {
            return;
        }
        if let (Op::Leave { channel }, None) = (&ask.op, &ask.resource) {
            let user = self.hosts.users.get_mut(&ask.account);
            user.map(|user| user.channels.remove(&format!("{channel}@{DOMAIN}")));
        }
        self.inbox.push_back(Item::asking(ask));
    }

    pub fn retry(&mut self) {
        for ask in std::mem::take(&mut self.unanswered) {
            if ask.resource.as_ref().is_none_or(|resource| self.hosts.is_online(&ask.account, resource)) {
                self.ask(ask);
            }
        }
    }

    pub fn come_or_go(&mut self) {
        let account = (*ACCOUNTS.choose(&mut self.dice).unwrap()).to_owned();
        let resource = (*RESOURCES.choose(&mut self.dice).unwrap()).to_owned();
        let online = self.hosts.is_online(&account, &resource);
        let user = self.hosts.users.get_mut(&account).unwrap();
        if online {
            user.online.remove(&resource);
        } else {
            let client = Client {
                capable: self.dice.random_bool(0.7),
                answers: self.dice.random_bool(0.8),
                ..Client::default()
            };
            user.online.insert(resource.clone(), client);
        }
        self.note(format!("{account}/{resource} is {}", if online { "gone" } else { "there" }));
        let told = self.link && (!online || self.dice.random_bool(0.7));
        if told {
            self.inbox.extend(self.hosts.presence(&account, &resource, !online));
        }
    }

    pub fn link_down(&mut self) {
        self.note("link down".into());
        self.link = false;
        // What the reader took stays; what was on the way is lost.
        let kept = self.dice.random_range(0..=self.inbox.len());
        let lost: Vec<Ask> = self.inbox.drain(kept..).filter_map(|item| item.ask).collect();
        self.unanswered.extend(lost);
        self.inbox.push_back(Item::event(Inbound::LinkDown));
    }

    pub fn link_up(&mut self) {
        self.note("link up".into());
        self.link = true;
        self.inbox.push_back(Item::event(Inbound::LinkUp));
        self.inbox.extend(self.hosts.greet());
    }

    pub fn jump(&mut self) {
        let ms = *[10_000, 70_000, 3_600_000, 26 * 3_600_000, 40 * 86_400_000].choose(&mut self.dice).unwrap();
        let back = self.dice.random_bool(0.3);
        self.clock = if back { self.clock.saturating_sub(ms) } else { self.clock + ms };
        self.note(format!("the clock jumps {ms} ms {}", if back { "back" } else { "on" }));
    }
}
