//! What people do, by chance: sensible things mostly, and some nonsense.

use super::asks::{Ask, DOMAIN, Nodes, Op, Paging, RowName, Said, domain_of};
use super::hosts::{ACCOUNTS, DELEGATING, Hosts, PAM};
use super::model::{Model, NAMES, NICKS, Room};
use mixd::xep::Sealer;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// What a client may look at before it acts.
pub struct Scene<'a> {
    pub hosts: &'a Hosts,
    pub model: &'a Model,
    pub sealer: &'a Sealer,
    pub clock: u64,
    pub serial: u64,
    pub dice: &'a mut StdRng,
}

impl Scene<'_> {
    /// A request of somebody who is online.
    pub fn act(&mut self) -> Option<Ask> {
        let account = *ACCOUNTS.choose(self.dice)?;
        let resources: Vec<&String> = self.hosts.users.get(account)?.online.keys().collect();
        let resource = (*resources.choose(self.dice)?).clone();
        let op = self.op(account);
        let mut ask = Ask {
            account: account.to_owned(),
            resource: Some(resource),
            id: format!("q{}", self.serial),
            wrapped: false,
            op,
        };
        if matches!(ask.op, Op::Join { .. } | Op::Leave { .. }) {
            match domain_of(account) {
                PAM if self.dice.random_bool(0.95) => ask.resource = None,
                DELEGATING => ask.wrapped = self.dice.random_bool(0.7),
                _ => {}
            }
        }
        Some(ask)
    }

    fn op(&mut self, account: &str) -> Op {
        let channel = self.channel(account);
        let dice = &mut *self.dice;
        match dice.random_range(0..100) {
            0..5 => Op::Create((!dice.random_bool(0.15)).then(|| NAMES.choose(dice).map_or("coven", |name| name.0))),
            5..7 => Op::Destroy(channel),
            7..24 => Op::Join { channel, nick: self.nick(), nodes: self.nodes() },
            24..30 => Op::Leave { channel },
            30..35 => Op::SetNick { channel, nick: self.nick() },
            35..38 => Op::Update { channel, add: self.nodes(), remove: self.nodes() },
            38 => self.register(),
            39..44 => {
                let (node, wanted) = (1 << dice.random_range(0..4), dice.random_bool(0.7));
                Op::Subscribe { channel, node, wanted }
            }
            44..70 => self.say(account, channel),
            70..73 => Op::SetInfo { channel, name: format!("name <{}>", self.serial) },
            73..78 => Op::Items { channel, node: 1 << dice.random_range(0..4) },
            78..88 => {
                let paging = Box::new(self.paging(&channel));
                Op::History { channel, paging }
            }
            88..90 => Op::Bounds { channel },
            90..92 => Op::List,
            92..94 => Op::Describe { channel },
            _ => self.garbage(channel),
        }
    }

    /// A channel, most often one that the account is in.
    fn channel(&mut self, account: &str) -> String {
        let all: Vec<&String> = self.model.rooms.keys().collect();
        let own: Vec<&String> =
            self.model.rooms.iter().filter(|(_, room)| room.seat(account).is_some()).map(|(name, _)| name).collect();
        let pick = match self.dice.random_range(0..10) {
            0..6 => own.choose(self.dice).or_else(|| all.choose(self.dice)),
            6..9 => all.choose(self.dice),
            _ => None,
        };
        pick.map_or_else(
            || ["coven", "heath", "nowhere"][self.dice.random_range(0..3)].to_owned(),
            |&name| name.clone(),
        )
    }

    fn nick(&mut self) -> Option<String> {
        match self.dice.random_range(0..20) {
            0..8 => None,
            8 => Some("x".repeat(129)),
            _ => NICKS.choose(self.dice).map(|nick| nick.0.to_owned()),
        }
    }

    fn register(&mut self) -> Op {
        match self.nick().filter(|nick| !nick.trim().is_empty()) {
            Some(nick) => Op::Register(nick),
            None => Op::Unregister,
        }
    }

    fn nodes(&mut self) -> Nodes {
        match self.dice.random_range(0..10) {
            0..5 => 7,
            _ => self.dice.random_range(0..16),
        }
    }

    fn say(&mut self, account: &str, channel: String) -> Op {
        let token = format!("token-{}", self.serial);
        let said = match self.dice.random_range(0..20) {
            0..2 => Said::State,
            2 => Said::Marker,
            3 => Said::NoStore,
            4 => Said::Empty,
            5..7 => Said::Reaction,
            _ => Said::Body,
        };
        let rows = self.model.rooms.get(&channel).map_or(&[][..], |room| &room.rows);
        let own: Vec<_> = rows.iter().filter(|row| row.author == account && row.origin.is_some()).collect();
        if let Some(row) = own.last().filter(|_| self.dice.random_bool(0.15)) {
            // Sent again, or another message under the same id.
            let token = if self.dice.random_bool(0.7) { row.token.clone() } else { token };
            let said = if row.counted { Said::Body } else { Said::Reaction };
            return Op::Say { channel, token, origin: row.origin.clone(), said };
        }
        let origin = self.dice.random_bool(0.7).then(|| format!("origin-{}", self.serial));
        Op::Say { channel, token, origin, said }
    }

    fn row(&mut self, room: Option<&Room>) -> RowName {
        let known = room.and_then(|room| Some((room.tag?, room.rows.len() as u64))).filter(|(_, rows)| *rows > 0);
        match known.filter(|_| self.dice.random_bool(0.95)) {
            Some((tag, rows)) => {
                let row = self.dice.random_range(1..=rows);
                RowName { row: Some((tag, row)), id: self.sealer.seal(tag, row) }
            }
            None => RowName { row: None, id: hex::encode(self.dice.random::<[u8; 16]>()) },
        }
    }

    fn paging(&mut self, channel: &str) -> Paging {
        let room = self.model.rooms.get(channel);
        let mut paging = Paging { flip: self.dice.random_bool(0.2), ..Paging::default() };
        if self.dice.random_bool(0.7) {
            paging.max = Some(self.dice.random_range(0..12));
        }
        if self.dice.random_bool(0.25) {
            let nobody = format!("nobody@{DELEGATING}");
            let own = format!("{channel}@{DOMAIN}");
            let with: Vec<&str> = ACCOUNTS.iter().copied().chain([&*nobody, &*own]).collect();
            paging.with = with.choose(self.dice).map(|with| (*with).to_owned());
        }
        let stamps: Vec<u64> = room.map(|room| room.rows.iter().map(|row| row.stamp).collect()).unwrap_or_default();
        let stamp = |dice: &mut StdRng| match stamps.choose(dice) {
            Some(&stamp) if dice.random_bool(0.9) => stamp,
            _ => self.clock,
        };
        if self.dice.random_bool(0.15) {
            paging.start = Some(stamp(self.dice));
        }
        if self.dice.random_bool(0.15) {
            paging.end = Some(stamp(self.dice));
        }
        match self.dice.random_range(0..10) {
            0..3 => paging.after = Some(self.row(room)),
            3..5 => paging.before = Some(Some(self.row(room))),
            5..7 => paging.before = Some(None),
            7 => paging.ids = (0..self.dice.random_range(1..4)).map(|_| self.row(room)).collect(),
            _ => {}
        }
        if self.dice.random_bool(0.1) {
            paging.after_id = Some(self.row(room));
        }
        if self.dice.random_bool(0.1) {
            paging.before_id = Some(self.row(room));
        }
        paging
    }

    fn garbage(&mut self, channel: String) -> Op {
        let at = format!("{channel}@{DOMAIN}");
        let iq = |to: &str, kind: &str, payload: &str| {
            format!("<iq from=\"$FROM\" to=\"{to}\" id='$ID' type='{kind}'>{payload}</iq>")
        };
        let message = |to: &str, kind: &str| {
            format!("<message from=\"$FROM\" to=\"{to}\" id='$ID' type='{kind}'><body>x</body></message>")
        };
        let join = "<join xmlns='urn:xmpp:mix:core:1'/>";
        let forward = "<delegation xmlns='urn:xmpp:delegation:2'><forwarded xmlns='urn:xmpp:forward:0'>\
            <iq xmlns='jabber:client' type='set' id='1' from='amy@pam.example/desk'/></forwarded></delegation>";
        let field = "<query xmlns='urn:xmpp:mam:2'><x xmlns='jabber:x:data'><field var='cauldron'><value>1</value>\
            </field></x></query>";
        let bare = "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:mix:nodes:info'>\
            <item/></publish></pubsub>";
        let muc = "<presence from=\"$FROM\" to=\"$TO\" id='$ID'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>";
        let (xml, conditions, of_channel): (String, &'static [&'static str], bool) = match self.dice.random_range(0..14)
        {
            0 => (iq(&at, "get", "<brew xmlns='urn:brew'/>"), &["service-unavailable"], true),
            1 => (iq(&at, "set", &join.repeat(2)), &["bad-request"], false),
            2 => (iq(DOMAIN, "set", join), &["service-unavailable"], false),
            3 => (iq(DOMAIN, "get", bare), &["feature-not-implemented"], false),
            4 => (message(&at, "chat"), &["service-unavailable"], false),
            5 => (message(DOMAIN, "groupchat"), &["service-unavailable"], false),
            6 => (message(&at, "headline"), &[], false),
            7 => (iq(&format!("{at}/x"), "get", "<ping xmlns='urn:xmpp:ping'/>"), &["not-acceptable"], false),
            8 => (iq(&at, "result", ""), &[], false),
            9 => (iq(&at, "get", "<p:unbound/>"), &["bad-request"], false),
            10 => (iq(DOMAIN, "set", forward), &["bad-request"], false),
            11 => (iq(&at, "set", field), &["feature-not-implemented"], true),
            12 => (iq(&at, "set", bare), &["bad-request"], true),
            // Those who enter are played by `tests/occupancy`.
            _ => (muc.replace("$TO", &format!("{at}/ ")), &["jid-malformed"], false),
        };
        Op::Garbage { channel: of_channel.then_some(channel), xml, conditions }
    }
}
