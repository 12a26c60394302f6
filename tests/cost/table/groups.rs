//! Requests to a group, and commands at a channel.

use super::family::{ALONE, Case, Family, Part, named, nothing};
use super::setting::{CORE, create, iq, join, list};
use super::world::Sent;
use mixd::xmpp::ns;

fn team(type_: &str, who: &str, name: &str, inner: &str) -> Sent {
    Sent::Stanza(iq(type_, who, "team@mix.h", &format!("<{name} xmlns='{}'>{inner}</{name}>", ns::GROUP)))
}

fn of_row(type_: &str, who: &str, head: &str, inner: &str) -> Sent {
    let name = head.split(' ').next().unwrap_or_default();
    Sent::Stanza(iq(type_, who, "team@mix.h", &format!("<{head} xmlns='{}'>{inner}</{name}>", ns::GROUP)))
}

/// The report that somebody read the row that has so many behind it.
fn read(it: &Case<'_>, behind: u64) -> String {
    let row = it.world.row("team", it.world.head("team") - behind);
    format!("<receipt xmlns='{}' state='read' id='{row}'/>", ns::GROUP)
}

fn command(channel: &str, node: &str, fields: &str, inner: &str) -> Sent {
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}{inner}</x>");
    let command = format!("<command xmlns='{}' node='urn:mixd:command:1#{node}'>{form}</command>", ns::COMMANDS);
    Sent::Stanza(iq("set", "own@h/r", &format!("{channel}@mix.h"), &command))
}

fn field(var: &str, value: &str) -> String {
    format!("<field var='{var}'><value>{value}</value></field>")
}

const ANY: &[Part] = &[|_, n| format!("<x a='{n}'/>")];
const FIELDS: &[Part] = &[|_, n| field(&format!("f{n}"), "x"), |_, _| field("account", "z@h")];
const OPTIONS: &[Part] = &[|_, _| field("Open Presence", "0"), |_, n| field(&format!("f{n}"), "x")];

pub const FAMILIES: &[Family] = &[
    Family {
        name: "profile",
        before: nothing,
        around: |_, inner| {
            let set = format!("<set xmlns='{}'><max>1</max></set>", ns::RSM);
            team("get", "p1@h/r", "profile", &(set + inner))
        },
        parts: ANY,
        is_end: false,
    },
    Family {
        name: "add and remove people",
        before: |it| {
            let group = format!("<group xmlns='{}'><name>Team</name></group>", ns::GROUP);
            let create = format!("<create {CORE} channel='g{}'>{group}</create>", it.serial);
            vec![iq("set", "own@h/r", "mix.h", &create)]
        },
        around: |it, inner| {
            let members = format!("<members xmlns='{}'>{inner}</members>", ns::GROUP);
            Sent::Stanza(iq("set", "own@h/r", &format!("g{}@mix.h", it.serial), &members))
        },
        parts: &[
            |it, n| named(n, format!("<add jid='a{}x{n}@h' nick='Ärger {n}'/>", it.serial)),
            |it, n| named(n, format!("<add jid='ann@h{}x{n}'/>", it.serial)),
            |_, n| named(n, format!("<remove jid='nobody{n}@h'/>")),
        ],
        is_end: false,
    },
    Family {
        name: "add and remove somebody",
        before: |it| {
            let add = format!("<members xmlns='{}'><add jid='one{}@h'/></members>", ns::GROUP, it.serial);
            vec![iq("set", "own@h/r", "team@mix.h", &add)]
        },
        around: |it, _| team("set", "own@h/r", "members", &format!("<remove jid='one{}@h'/>", it.serial)),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "make admins and unmake them",
        before: nothing,
        around: |_, inner| team("set", "own@h/r", "admins", inner),
        parts: &[
            |it, n| {
                let verb = if it.serial % 2 == 0 { "add" } else { "remove" };
                format!("<{verb} jid='p{}@h'/>", 50 + n % 10)
            },
            |_, n| format!("<remove jid='nobody{n}@h'/>"),
        ],
        is_end: false,
    },
    Family {
        name: "settings",
        before: nothing,
        around: |it, inner| {
            let head = format!("settings members-add='{}'", it.serial % 2 == 0);
            of_row("set", "own@h/r", &head, inner)
        },
        parts: ANY,
        is_end: false,
    },
    Family {
        name: "receipt",
        // Whoever reports first after the channel came into memory has everybody counted. A report of a row that is older
        // than the counts that are kept has, too, and is not measured here.
        before: |it| vec![iq("set", "p9@h/r", "team@mix.h", &read(it, 60))],
        around: |it, _| {
            let body = read(it, it.serial as u64 % 50);
            Sent::Stanza(iq("set", &format!("p{}@h/r", 10 + (it.serial + 13) % 50), "team@mix.h", &body))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "message-info",
        before: nothing,
        around: |it, inner| {
            let row = it.world.row("team", it.world.said + 50);
            of_row("get", "p1@h/r", &format!("message-info id='{row}'"), inner)
        },
        parts: ANY,
        is_end: false,
    },
    Family {
        name: "hide",
        before: nothing,
        around: |_, inner| team("set", "p3@h/r", "hide", inner),
        parts: &[
            |it, n| format!("<item id='{}'/>", it.world.row("team", it.world.said + n as u64 % 90)),
            |_, n| format!("<item id='{n}'/>"),
        ],
        is_end: false,
    },
    Family {
        name: "hide, by whoever is not in it",
        before: nothing,
        around: |_, inner| team("set", "nobody@h/r", "hide", inner),
        parts: &[|it, n| format!("<item id='{}'/>", it.world.row("team", it.world.said + n as u64))],
        is_end: false,
    },
    Family {
        name: "clear",
        before: nothing,
        around: |it, inner| {
            let row = it.world.row("team", it.world.said + it.serial as u64 % 50);
            of_row("set", "p4@h/r", &format!("clear up-to='{row}'"), inner)
        },
        parts: ANY,
        is_end: false,
    },
    Family {
        name: "forget",
        before: |it| {
            let who = format!("forgets{}@h", it.serial);
            let add = format!("<members xmlns='{}'><add jid='{who}'/></members>", ns::GROUP);
            let leave = "<leave xmlns='urn:xmpp:mix:core:1'/>";
            vec![iq("set", "own@h/r", "team@mix.h", &add), iq("set", &format!("{who}/r"), "team@mix.h", leave)]
        },
        around: |it, inner| team("set", &format!("forgets{}@h/r", it.serial), "forget", inner),
        parts: ANY,
        is_end: false,
    },
    Family {
        name: "command: configure the channel",
        before: nothing,
        around: |_, inner| command("hall", "configure", "", inner),
        parts: OPTIONS,
        is_end: false,
    },
    Family {
        name: "command: list the participants",
        before: nothing,
        around: |_, inner| command("hall", "list-participants", &field("max_items", "10"), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: remove a participant",
        before: |it| vec![join(&format!("kick{}@h/r", it.serial), "hall", "")],
        around: |it, inner| command("hall", "kick", &field("accounts", &format!("kick{}@h", it.serial)), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: ban an account",
        before: nothing,
        around: |it, inner| command("hall", "ban", &field("account", &format!("no{}@h", it.serial)), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: ban no longer",
        before: |it| {
            let ban = list("publish", ns::NODE_BANNED, &format!("no{}@h", it.serial));
            vec![iq("set", "own@h/r", "hall@mix.h", &ban)]
        },
        around: |it, inner| command("hall", "unban", &field("account", &format!("no{}@h", it.serial)), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: allow",
        before: nothing,
        around: |it, inner| command("club", "allow", &field("account", &format!("ok{}@h", it.serial)), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: disallow",
        before: nothing,
        around: |it, inner| command("club", "disallow", &field("account", &format!("p{}@h", it.serial % 50)), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: announce",
        before: nothing,
        around: |_, inner| command("hall", "announce", &format!("<field var='announcement'>{inner}</field>"), ""),
        parts: &[|_, n| format!("<value>line {n}</value>")],
        is_end: false,
    },
    Family {
        name: "command: destroy the channel",
        before: |it| vec![create("own@h/r", &format!("f{}", it.serial))],
        around: |it, inner| command(&format!("f{}", it.serial), "destroy", &field("sure", "1"), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: statistics of the channel",
        before: nothing,
        around: |_, inner| command("hall", "statistics", "", inner),
        parts: FIELDS,
        is_end: false,
    },
];
