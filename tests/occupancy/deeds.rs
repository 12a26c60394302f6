//! What people do, by chance.

use super::world::{ACCOUNTS, DOMAIN, OWNER, ROOMS, World};
use rand::Rng;
use rand::seq::IndexedRandom;

const NICKS: [&str; 6] = ["Hecate", "hecate", "Banquo", "three witches", "Duncan", "ghost"];

impl World {
    /// Somebody does something.
    pub fn deed(&mut self) {
        let account = (*ACCOUNTS.choose(&mut self.dice).unwrap()).to_owned();
        let room = ROOMS.choose(&mut self.dice).unwrap().0;
        let device = ["a", "b"][self.dice.random_range(0..2)];
        // A client that went is never back: another one has another resource.
        let generation = self.gone.iter().filter(|gone| gone.starts_with(&format!("{account}/muc-{device}"))).count();
        let client = format!("{account}/muc-{device}{generation}");
        match self.dice.random_range(0..100) {
            0..14 => self.enter(&client, room),
            14..22 => self.come_together(room),
            22..30 => self.leave(&client, room),
            30..55 => self.talk(&client, room),
            55..62 => self.say(&format!("{account}/mix"), room),
            62..68 => self.rename(&client, room),
            68..73 => self.join_mix(&account, room),
            73..76 => self.send(&format!("<iq type='set' from='{account}/mix' to='{room}@{DOMAIN}' id='$ID'><leave xmlns='urn:xmpp:mix:core:1'/></iq>")),
            76..80 => {
                let nick = NICKS.choose(&mut self.dice).unwrap();
                self.send(&format!("<iq type='set' from='{account}/mix' to='{room}@{DOMAIN}' id='$ID'><setnick xmlns='urn:xmpp:mix:core:1'><nick>{nick}</nick></setnick></iq>"));
            }
            80..84 => self.list(&account, room),
            84..88 => self.ping(&client, room),
            88..91 => self.bounce(&client, room),
            91..94 => self.present(&client, room),
            94..97 => self.refuse_next(),
            97 => self.restart(false),
            98 => self.restart(true),
            _ => self.pass_ms(1000),
        }
    }

    /// Several come in one turn, amid others who do something else; the last one may speak.
    fn come_together(&mut self, room: &'static str) {
        self.gather();
        let mut left = Vec::new();
        for _ in 0..self.dice.random_range(4..20) {
            let account = *ACCOUNTS.choose(&mut self.dice).unwrap();
            let client = format!("{account}/muc-{}", ["a0", "b0", "c0"].choose(&mut self.dice).unwrap());
            match self.dice.random_range(0..20) {
                0 => self.list(account, room),
                1 => {
                    self.leave(&client, room);
                    left.push(client);
                }
                2 => self.rename(&client, room),
                3 => self.present(&client, room),
                4 => self.join_mix(account, room),
                _ => self.enter(&client, room),
            }
        }
        if self.dice.random_bool(0.3) {
            let client = format!("{}/muc-a0", ACCOUNTS.choose(&mut self.dice).unwrap());
            // Who speaks as a participant, being in no room, takes MIX.
            if !left.contains(&client) {
                self.talk(&client, room);
            }
        }
        self.send_all();
    }

    fn enter(&mut self, client: &str, room: &'static str) {
        if self.is_waiting(client, room) && self.dice.random_bool(0.3) {
            return self.send(&format!("<presence type='unavailable' from='{client}' to='{room}@{DOMAIN}/any'/>"));
        }
        if self.is_waiting(client, room) || self.is_in(client, room) || self.gone.contains(client) {
            return;
        }
        let nick = NICKS.choose(&mut self.dice).unwrap();
        let history = ["<history maxstanzas='0'/>", ""][self.dice.random_range(0..2)];
        self.begin(client, room);
        self.send(&format!("<presence from='{client}' to='{room}@{DOMAIN}/{nick}' id='$ID'><x xmlns='http://jabber.org/protocol/muc'>{history}</x></presence>"));
    }

    fn leave(&mut self, client: &str, room: &str) {
        if let Some(nick) = self.nick_of(client, room) {
            self.send(&format!("<presence type='unavailable' from='{client}' to='{room}@{DOMAIN}/{nick}'/>"));
        }
    }

    fn talk(&mut self, client: &str, room: &str) {
        let is_in = self.is_in(client, room);
        if is_in || (self.is_sure_to_be_told(client, room) && self.dice.random_bool(0.2)) {
            self.seen.strays += u64::from(!is_in);
            self.say(client, room);
            self.check_heard(client);
        }
    }

    fn say(&mut self, client: &str, room: &str) {
        self.send(&format!(
            "<message type='groupchat' from='{client}' to='{room}@{DOMAIN}' id='$ID'><body>said</body></message>"
        ));
    }

    fn rename(&mut self, client: &str, room: &str) {
        if self.is_in(client, room) {
            let nick = NICKS.choose(&mut self.dice).unwrap();
            self.send(&format!("<presence from='{client}' to='{room}@{DOMAIN}/{nick}' id='$ID'/>"));
        }
    }

    fn present(&mut self, client: &str, room: &str) {
        if let Some(nick) = self.nick_of(client, room) {
            let show = ["<show>away</show>", "<priority>5</priority>", ""][self.dice.random_range(0..3)];
            self.send(&format!("<presence from='{client}' to='{room}@{DOMAIN}/{nick}'>{show}</presence>"));
        }
    }

    fn join_mix(&mut self, account: &str, room: &str) {
        let nodes = ["<subscribe node='urn:xmpp:mix:nodes:messages'/>", ""][self.dice.random_range(0..2)];
        self.send(&format!("<iq type='set' from='{account}/mix' to='{room}@{DOMAIN}' id='$ID'><join xmlns='urn:xmpp:mix:core:1'>{nodes}</join></iq>"));
    }

    /// The owner bans somebody or a domain, or lets it back.
    fn list(&mut self, account: &str, room: &str) {
        let whom = if self.dice.random_bool(0.2) { account.split_once('@').unwrap().1 } else { account };
        let deed = match self.dice.random_bool(0.4) {
            true => format!("<publish node='urn:xmpp:mix:nodes:banned'><item id='{whom}'/></publish>"),
            false => format!("<retract node='urn:xmpp:mix:nodes:banned'><item id='{whom}'/></retract>"),
        };
        self.send(&format!("<iq type='set' from='{OWNER}/mix' to='{room}@{DOMAIN}' id='$ID'><pubsub xmlns='http://jabber.org/protocol/pubsub'>{deed}</pubsub></iq>"));
    }

    /// XEP-0410: a client asks whether it is still in the room.
    pub fn ping(&mut self, client: &str, room: &str) {
        if let Some(nick) = self.nick_of(client, room) {
            self.send(&format!("<iq type='get' from='{client}' to='{room}@{DOMAIN}/{nick}' id='ping-{room}'><ping xmlns='urn:xmpp:ping'/></iq>"));
        }
    }

    /// The client is gone, and something that was sent to it comes back.
    fn bounce(&mut self, client: &str, room: &str) {
        if self.is_in(client, room) {
            self.gone.insert(client.to_owned());
            self.come_back(client, room);
        }
    }

    /// Something that was sent to a client comes back.
    pub fn come_back(&mut self, client: &str, room: &str) {
        self.send(&format!("<message type='error' from='{client}' to='{room}@{DOMAIN}' id='b'><error type='cancel'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"));
    }
}
