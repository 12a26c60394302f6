//! Three host servers as hosts.md B to D measured them: one with MIX-PAM of its own at the bare JID, which wants the
//! marker; one that delegates and tells presence; one that does nothing.

use super::asks::{Ask, DOMAIN, domain_of};
use minidom::Element;
use mixd::engine::Inbound;
use mixd::xmpp::{Stanza, Tag, ns};
use rand::Rng;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet};

/// The home server with ejabberd's own PAM.
pub const PAM: &str = "pam.example";
/// The home server that delegates PAM and tells presence.
pub const DELEGATING: &str = "del.example";
/// Every account; one has a channel's name.
pub const ACCOUNTS: [&str; 9] = [
    "amy@pam.example",
    "ann@pam.example",
    "abe@pam.example",
    "bob@del.example",
    "coven@del.example",
    "root@del.example",
    "cat@far.example",
    "cid@far.example",
    "bob@far.example",
];
pub const RESOURCES: [&str; 3] = ["desk", "p'hone", "tab"];

/// A client.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Whether it takes MIX traffic.
    pub capable: bool,
    /// Whether it answers questions.
    pub answers: bool,
    /// The rows that it got, by id.
    pub seen: BTreeSet<String>,
}

/// An account at its home server.
#[derive(Clone, Debug, Default)]
pub struct User {
    pub online: BTreeMap<String, Client>,
    /// The channels that the home server's own PAM knows the account to be in.
    pub channels: BTreeSet<String>,
}

/// What an inbound stanza means to the model.
#[derive(Clone, Debug)]
pub enum Note {
    Nothing,
    Online(String),
    Offline(String),
    Bounce {
        from: String,
    },
    /// There is no such resource, as its home server says.
    Absent(String),
    Told {
        full: String,
        takes: bool,
        asked: u64,
        epoch: u64,
    },
}

/// One thing on its way to the service.
#[derive(Clone, Debug)]
pub struct Item {
    pub inbound: Inbound,
    pub ask: Option<Ask>,
    pub note: Note,
    /// Its place among all that came in, once it did.
    pub place: u64,
}

impl AsRef<Inbound> for Item {
    fn as_ref(&self) -> &Inbound {
        &self.inbound
    }
}

impl Item {
    pub fn new(xml: &str, note: Note) -> Item {
        let inbound = match Stanza::parse(xml.as_bytes()) {
            Ok(stanza) => Inbound::Stanza(stanza),
            Err(unreadable) => Inbound::Unreadable(*unreadable),
        };
        Item { inbound, ask: None, note, place: 0 }
    }

    pub fn asking(ask: Ask) -> Item {
        Item { ask: Some(ask.clone()), ..Item::new(&ask.xml(), Note::Nothing) }
    }

    pub fn event(inbound: Inbound) -> Item {
        Item { inbound, ask: None, note: Note::Nothing, place: 0 }
    }
}

/// All host servers.
#[derive(Clone, Debug)]
pub struct Hosts {
    pub users: BTreeMap<String, User>,
}

impl Hosts {
    pub fn new() -> Hosts {
        Hosts { users: ACCOUNTS.iter().map(|account| ((*account).to_owned(), User::default())).collect() }
    }

    pub fn is_online(&self, account: &str, resource: &str) -> bool {
        self.users.get(account).is_some_and(|user| user.online.contains_key(resource))
    }

    /// What a host says when the link comes up.
    pub fn greet(&self) -> Vec<Item> {
        let delegation = format!(
            "<message from='{DELEGATING}' to='{DOMAIN}'><delegation xmlns='urn:xmpp:delegation:2'>\
             <delegated namespace='urn:xmpp:mix:pam:2'/></delegation></message>"
        );
        let privilege = format!(
            "<message from='{DELEGATING}' to='{DOMAIN}'><privilege xmlns='urn:xmpp:privilege:2'>\
             <perm access='roster' type='both'/><perm access='presence' type='managed_entity'/></privilege></message>"
        );
        let mut items = vec![Item::new(&delegation, Note::Nothing), Item::new(&privilege, Note::Nothing)];
        for (account, user) in self.users.iter().filter(|(account, _)| domain_of(account) == DELEGATING) {
            items.extend(user.online.keys().flat_map(|resource| self.presence(account, resource, true)));
        }
        items
    }

    /// What the service hears of a resource that comes or goes.
    pub fn presence(&self, account: &str, resource: &str, online: bool) -> Option<Item> {
        let to = match domain_of(account) {
            DELEGATING => DOMAIN.to_owned(),
            PAM => self.users.get(account)?.channels.first()?.clone(),
            _ => return None,
        };
        let full = format!("{account}/{resource}");
        let kind = (!online).then_some("unavailable");
        let stanza = Tag::new("presence").attr("from", &full).attr("to", &to).attr_opt("type", kind);
        let note = match online {
            true => Note::Online(full),
            false if to == DOMAIN => Note::Offline(full),
            // It is asked whether it is gone altogether.
            false => Note::Absent(full),
        };
        Some(Item::new(&stanza.into_xml(), note))
    }

    /// Takes a stanza of the service; returns what comes back.
    ///
    /// # Errors
    /// What a client must never see.
    pub fn deliver(&mut self, stanza: &Element, now: u64, epoch: u64, dice: &mut StdRng) -> Result<Vec<Item>, String> {
        let to = stanza.attr("to").unwrap_or_default().to_owned();
        let kind = stanza.attr("type").unwrap_or_default();
        match (stanza.name(), kind) {
            ("iq", "get" | "set") => Ok(self.question(stanza, &to, now, epoch, dice).into_iter().collect()),
            ("iq", "result") => {
                self.note_join(stanza, &to);
                Ok(Vec::new())
            }
            ("message", "groupchat") => self.groupchat(stanza, &to),
            _ => Ok(Vec::new()),
        }
    }

    fn note_join(&mut self, stanza: &Element, to: &str) {
        if domain_of(to) == PAM && !to.contains('/') && stanza.has_child("join", ns::MIX_CORE) {
            let user = self.users.get_mut(to);
            user.zip(stanza.attr("from")).map(|(user, from)| user.channels.insert(from.to_owned()));
        }
    }

    fn question(&self, stanza: &Element, to: &str, now: u64, epoch: u64, dice: &mut StdRng) -> Option<Item> {
        let from = stanza.attr("from").unwrap_or_default();
        let reply = |kind: &str| {
            let id = stanza.attr("id").unwrap_or_default();
            Tag::new("iq").attr("type", kind).attr("id", id).attr("from", to).attr("to", from)
        };
        let error = |condition| {
            let error = Tag::new("error").attr("type", "cancel").child(Tag::in_ns(condition, ns::STANZAS));
            reply("error").child(error).into_xml()
        };
        if stanza.has_child("query", ns::ROSTER) {
            let fails = dice.random_bool(0.1);
            let xml = if fails { error("internal-server-error") } else { reply("result").into_xml() };
            return Some(Item::new(&xml, Note::Nothing));
        }
        if stanza.has_child("ping", ns::PING) {
            let is_there = self.users.contains_key(to) && dice.random_bool(0.5);
            let xml = if is_there { reply("result").into_xml() } else { error("service-unavailable") };
            return Some(Item::new(&xml, Note::Nothing));
        }
        let query = Tag::in_ns("query", ns::DISCO_INFO);
        let Some((account, resource)) = to.split_once('/') else {
            let name = if to == PAM { "ejabberd" } else { "Prosody" };
            let identity = Tag::new("identity").attr("category", "server").attr("type", "im").attr("name", name);
            return Some(Item::new(&reply("result").child(query.child(identity)).into_xml(), Note::Nothing));
        };
        let Some(client) = self.users.get(account).and_then(|user| user.online.get(resource)) else {
            return Some(Item::new(&error("service-unavailable"), Note::Absent(to.to_owned())));
        };
        let feature = Tag::new("feature").attr("var", if client.capable { ns::MIX_CORE } else { ns::PING });
        let note = Note::Told { full: to.to_owned(), takes: client.capable, asked: now, epoch };
        client.answers.then(|| Item::new(&reply("result").child(query.child(feature)).into_xml(), note))
    }

    fn groupchat(&mut self, stanza: &Element, to: &str) -> Result<Vec<Item>, String> {
        let channel = stanza.attr("from").unwrap_or_default().split('/').next().unwrap_or_default().to_owned();
        let row = stanza.children().find(|child| child.is("stanza-id", ns::SID)).and_then(|child| child.attr("id"));
        let Some((account, resource)) = to.split_once('/') else {
            // Only an element `mix` without a namespace gets past ejabberd's own PAM (hosts.md, C.1).
            let marked = stanza.children().any(|child| child.name() == "mix" && child.ns().is_empty());
            let user = self.users.get_mut(to).filter(|user| user.channels.contains(&channel));
            if user.is_some() && !marked {
                return Err(format!("{to} gets a message without the marker that its home server wants"));
            }
            let Some(user) = user.filter(|_| marked && domain_of(to) == PAM) else {
                return Ok(vec![self.bounce(stanza, to)]);
            };
            for (resource, client) in &mut user.online {
                see(client, row).map_err(|what| format!("{to}/{resource} {what}"))?;
            }
            return Ok(Vec::new());
        };
        match self.users.get_mut(account).and_then(|user| user.online.get_mut(resource)) {
            Some(client) => see(client, row).map(|()| Vec::new()).map_err(|what| format!("{to} {what}")),
            None => Ok(vec![self.bounce(stanza, to)]),
        }
    }

    fn bounce(&self, stanza: &Element, from: &str) -> Item {
        let error = Tag::new("error").attr("type", "cancel").child(Tag::in_ns("service-unavailable", ns::STANZAS));
        let bounce = Tag::new("message")
            .attr("type", "error")
            .attr_opt("id", stanza.attr("id"))
            .attr("from", from)
            .attr_opt("to", stanza.attr("from"))
            .child(error);
        Item::new(&bounce.into_xml(), Note::Bounce { from: from.to_owned() })
    }
}

fn see(client: &mut Client, row: Option<&str>) -> Result<(), String> {
    match row {
        Some(row) if !client.seen.insert(row.to_owned()) => Err(format!("gets row {row} a second time")),
        _ => Ok(()),
    }
}
