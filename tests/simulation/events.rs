//! What happens in a run, by chance: people act, come and go; the link breaks, the clock jumps, the store refuses.

use super::asks::{Ask, DOMAIN, Op};
use super::clients::Scene;
use super::hosts::{ACCOUNTS, Client, Item, RESOURCES};
use super::world::{RIGHT_MS, World};
use mixd::channel::Stamp;
use mixd::engine::Inbound;
use mixd::store::{Failure, Retention, Store};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use std::collections::BTreeMap;

impl World {
    /// One step: something happens, and mostly a turn follows.
    pub fn step(&mut self) {
        self.step += 1;
        match self.late.dice.random_range(0..100) {
            0..3 => self.sweep(),
            3..10 => self.retain(),
            _ => {}
        }
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
        let ms = self.dice.random_range(0..1500);
        self.pass(ms);
        if self.dice.random_bool(0.7) {
            let size = self.dice.random_range(1..8);
            let trouble = trouble(&mut self.dice);
            self.turn(size, trouble);
        }
        if self.dice.random_bool(0.5) {
            self.answer_from_archive();
        }
    }

    /// Rows that are too old are looked for, a few channels at a time, and go; the store may refuse that.
    pub fn sweep(&mut self) {
        if self.model.rooms.values().any(|room| room.retention_days > 0) {
            let ms = *[0, 3_600_000, 26 * 3_600_000, 50 * 3_600_000].choose(&mut self.late.dice).unwrap();
            self.pass(ms);
        }
        self.tell_time();
        let dial = self.engine.dial();
        if dial.held {
            return;
        }
        let retention = Retention { now: dial.kept, keep_days: 0 };
        let (mut outdated, mut from) = (Vec::new(), Some(Vec::new()));
        while let Some(part) = from {
            let swept = self.store.sweep(&retention, &part, self.late.dice.random_range(1..4)).unwrap();
            outdated.extend(swept.outdated);
            from = swept.next;
        }
        let found = outdated.iter().map(|it| (it.name.to_string(), it.base.row)).collect::<BTreeMap<_, _>>();
        assert_eq!(found, self.model.outdated(dial.kept.0), "which rows are too old");
        self.note(format!("too old is {found:?}"));
        self.late.expired += found.len() as u64;
        self.inbox.push_front(Item::event(Inbound::Expired(outdated)));
        let trouble = trouble(&mut self.late.dice);
        self.turn(1, trouble);
    }

    /// Somebody settles for how long a channel keeps its rows; mostly its owner.
    fn retain(&mut self) {
        let dice = &mut self.late.dice;
        let owners: Vec<_> = self.model.rooms.iter().map(|(name, room)| (name.clone(), room.owner.clone())).collect();
        let Some((channel, owner)) = owners.choose(dice).cloned() else { return };
        let account = if dice.random_bool(0.8) { owner } else { ACCOUNTS.choose(dice).unwrap().to_string() };
        let resource = self.hosts.users[&account].online.keys().next().cloned();
        let days = *[0, 1, 1, 2, 30].choose(dice).unwrap();
        let Some(resource) = resource else { return };
        self.serial += 1;
        let (op, id) = (Op::Retain { channel, days }, format!("q{}", self.serial));
        self.ask(Ask { account, resource: Some(resource), id, wrapped: false, op });
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

    /// Time passes, and the clock with it.
    pub fn pass(&mut self, ms: u64) {
        self.clock += ms;
        self.waited += ms;
    }

    /// Somebody sets the clock, or says that it is right; or a lot of time passes.
    pub fn jump(&mut self) {
        let ms = *[10_000, 70_000, 3_600_000, 26 * 3_600_000, 40 * 86_400_000].choose(&mut self.dice).unwrap();
        match self.dice.random_range(0..10) {
            0..3 => self.pass(ms),
            3..6 => self.clock += ms,
            6..8 => self.clock -= ms.min(self.clock),
            8 => self.clock = self.waited + RIGHT_MS,
            _ => return self.inbox.push_back(Item::event(Inbound::ClockConfirmed)),
        }
        self.note(format!("the clock says {} after {} ms", Stamp(self.clock).to_xmpp(), self.waited));
    }
}

fn trouble(dice: &mut StdRng) -> Option<Failure> {
    match dice.random_range(0..60) {
        0..4 => Some(Failure::Refused),
        4 => Some(*[Failure::UnknownKept, Failure::UnknownLost, Failure::Fenced].choose(dice).unwrap()),
        _ => None,
    }
}
