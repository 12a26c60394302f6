//! Requests to a channel in the words of MIX.

use super::family::{ALONE, Family, NAMED, Part, named, nothing};
use super::setting::{CORE, configure, iq, join, list, pubsub};
use super::world::Sent;
use mixd::xmpp::ns;

fn hall(type_: &str, who: &str, payload: String) -> Sent {
    Sent::Stanza(iq(type_, who, "hall@mix.h", &payload))
}

fn at(channel: &str, type_: &str, who: &str, payload: String) -> Sent {
    Sent::Stanza(iq(type_, who, &format!("{channel}@mix.h"), &payload))
}

fn joins(who: &str, ns: &str, inner: &str) -> Sent {
    hall("set", who, format!("<join xmlns='{ns}'>{inner}</join>"))
}

/// How many are invited whose invitations are taken back.
const INVITED: usize = NAMED + 1;

/// A request that invites somebody to `club`.
pub fn invite(who: &str) -> String {
    let invite = format!("<invite xmlns='{}'><invitee>{who}</invitee></invite>", ns::MIX_MISC);
    iq("set", "own@h/r", "club@mix.h", &invite)
}

/// What a long name is made of.
const LONG: &[Part] = &[|_, _| "a".repeat(100), |_, _| "ä".repeat(100), |_, _| "\u{AD}".repeat(100)];

/// What repeats in a join.
const JOINED: &[Part] = &[
    |_, _| format!("<subscribe node='{}'/>", ns::NODE_MESSAGES),
    |_, n| format!("<subscribe node='x{n}'/>"),
    |it, n| format!("<nick>N{} {n}</nick>", it.serial),
    |_, n| format!("<x xmlns='jabber:x:data'><field var='FORM_TYPE'><value>x{n}</value></field></x>"),
    |_, _| format!("<invitation xmlns='{}'><inviter>own@h</inviter><token>x</token></invitation>", ns::MIX_MISC),
];

pub const FAMILIES: &[Family] = &[
    Family {
        name: "disco#info of a channel",
        before: nothing,
        around: |_, inner| hall("get", "p1@h/r", format!("<query xmlns='{}'>{inner}</query>", ns::DISCO_INFO)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "disco#items of a channel",
        before: nothing,
        around: |_, inner| {
            hall("get", "p1@h/r", format!("<query xmlns='{}' node='mix'>{inner}</query>", ns::DISCO_ITEMS))
        },
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "disco#items of a room, by a participant",
        before: nothing,
        around: |_, inner| hall("get", "p1@h/r", format!("<query xmlns='{}'>{inner}</query>", ns::DISCO_ITEMS)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "ping a channel",
        before: nothing,
        around: |_, inner| hall("get", "p1@h/r", format!("<ping xmlns='{}'>{inner}</ping>", ns::PING)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "join",
        before: nothing,
        around: |it, inner| joins(&format!("new{}@h/r", it.serial), ns::MIX_CORE, inner),
        parts: JOINED,
        is_end: false,
    },
    Family {
        name: "join as ejabberd does",
        before: nothing,
        around: |it, inner| joins(&format!("new{}@h/r", it.serial), ns::MIX_CORE_0, inner),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "join with preferences",
        before: nothing,
        around: |it, inner| {
            let form = format!("<x xmlns='jabber:x:data' type='submit'>{inner}</x>");
            joins(&format!("new{}@h/r", it.serial), ns::MIX_ANON, &form)
        },
        parts: &[
            |_, _| "<field var='Presence'><value>share</value></field>".into(),
            |_, _| "<field var='vCard'><value>block</value></field>".into(),
        ],
        is_end: false,
    },
    Family {
        name: "join in the words of XEP-0407",
        before: nothing,
        around: |it, inner| joins(&format!("new{}@h/r", it.serial), ns::MIX_MISC, inner),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "join without a nick where the name is taken",
        before: nothing,
        around: |it, inner| joins(&format!("ann@x{}.example/r", it.serial), ns::MIX_CORE, inner),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "join with a nick that is taken",
        before: nothing,
        around: |it, _| joins(&format!("new{}@h/r", it.serial), ns::MIX_CORE, "<nick>ann 7</nick>"),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "join by whoever is banned",
        before: nothing,
        around: |_, inner| joins("b60@h/r", ns::MIX_CORE, inner),
        parts: JOINED,
        is_end: false,
    },
    Family {
        name: "join again",
        before: nothing,
        around: |_, inner| joins("p9@h/r", ns::MIX_CORE, inner),
        parts: JOINED,
        is_end: false,
    },
    Family {
        name: "join where JIDs are hidden",
        before: nothing,
        around: |it, inner| at("mask", "set", &format!("new{}@h/r", it.serial), format!("<join {CORE}>{inner}</join>")),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "join a group",
        before: nothing,
        around: |it, inner| {
            at("wait", "set", &format!("p{}@h/r", it.serial % 50), format!("<join {CORE}>{inner}</join>"))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "join where a list says who may",
        before: nothing,
        around: |it, inner| {
            at("club", "set", &format!("p{}@h/r", it.serial % 50), format!("<join {CORE}>{inner}</join>"))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "leave",
        before: |it| vec![join(&format!("gone{}@h/r", it.serial), "hall", "")],
        around: |it, inner| hall("set", &format!("gone{}@h/r", it.serial), format!("<leave {CORE}>{inner}</leave>")),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "leave a group",
        before: nothing,
        around: |it, _| at("team", "set", &format!("p{}@h/r", 60 + it.serial % 30), format!("<leave {CORE}/>")),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "the end of an account",
        before: |it| vec![join(&format!("end{}@h/r", it.serial), "hall", "")],
        around: |it, _| hall("set", &format!("end{}@h", it.serial), format!("<leave xmlns='{}'/>", ns::MIX_CORE_0)),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "setnick",
        before: nothing,
        around: |it, inner| {
            hall("set", "p9@h/r", format!("<setnick {CORE}><nick>Nick {}</nick>{inner}</setnick>", it.serial))
        },
        parts: &[|_, _| "<nick>x</nick>".into()],
        is_end: false,
    },
    Family {
        name: "setnick to a long one",
        before: nothing,
        around: |_, inner| hall("set", "p9@h/r", format!("<setnick {CORE}><nick>{inner}</nick></setnick>")),
        parts: &[|_, _| "ÄÖÜ ".into(), |_, _| " ".into(), |_, _| "\u{1F98A}".into()],
        is_end: false,
    },
    Family {
        name: "setnick without one",
        before: nothing,
        around: |_, _| hall("set", "p9@h/r", format!("<setnick {CORE}/>")),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "update-subscription",
        before: nothing,
        around: |it, inner| {
            let verb = if it.serial % 2 == 0 { "subscribe" } else { "unsubscribe" };
            let one = format!("<{verb} node='{}'/>", ns::NODE_CONFIG);
            hall("set", "own@h/r", format!("<update-subscription {CORE}>{one}{inner}</update-subscription>"))
        },
        parts: &[|_, _| format!("<subscribe node='{}'/>", ns::NODE_INFO), |_, n| format!("<unsubscribe node='x{n}'/>")],
        is_end: false,
    },
    Family {
        name: "ask for preferences",
        before: nothing,
        around: |_, inner| {
            hall("get", "p9@h/r", format!("<user-preference xmlns='{}'>{inner}</user-preference>", ns::MIX_ANON))
        },
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "set preferences",
        before: nothing,
        around: |it, inner| {
            let share = if it.serial % 2 == 0 { "share" } else { "not share" };
            let one = format!("<field var='Presence'><value>{share}</value></field>");
            let form = format!("<x xmlns='jabber:x:data' type='submit'>{inner}{one}</x>");
            hall("set", "p9@h/r", format!("<user-preference xmlns='{}'>{form}</user-preference>", ns::MIX_ANON))
        },
        parts: &[
            |_, _| "<field var='vCard'><value>block</value></field>".into(),
            |_, _| "<field var='FORM_TYPE'><value>x</value></field>".into(),
        ],
        is_end: false,
    },
    Family {
        name: "invite",
        before: nothing,
        around: |it, inner| {
            let invitee = format!("<invitee>j{}@h</invitee>", it.serial);
            at("club", "set", "own@h/r", format!("<invite xmlns='{}'>{invitee}{inner}</invite>", ns::MIX_MISC))
        },
        parts: &[|_, n| format!("<invitee>x{n}@h</invitee>")],
        is_end: false,
    },
    Family {
        name: "invite whoever has a long name",
        before: nothing,
        around: |_, inner| {
            let invitee = format!("<invitee>{inner}@h</invitee>");
            at("club", "set", "own@h/r", format!("<invite xmlns='{}'>{invitee}</invite>", ns::MIX_MISC))
        },
        parts: LONG,
        is_end: false,
    },
    Family {
        name: "invite by a get",
        before: nothing,
        around: |it, _| {
            let invitee = format!("<invitee>j{}@h</invitee>", it.serial);
            at("club", "get", "own@h/r", format!("<invite xmlns='{}'>{invitee}</invite>", ns::MIX_MISC))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "list invitations",
        before: nothing,
        around: |_, inner| {
            at("club", "get", "own@h/r", format!("<invitations xmlns='{}'>{inner}</invitations>", ns::GROUP))
        },
        parts: &[|_, _| format!("<set xmlns='{}'><max>10</max></set>", ns::RSM)],
        is_end: false,
    },
    Family {
        name: "take invitations back",
        before: |it| (0..INVITED).map(|n| invite(&format!("t{}x{n}@h", it.serial))).collect(),
        around: |it, inner| {
            let one = format!("<revoke invitee='t{}x{}@h'/>", it.serial, INVITED - 1);
            at("club", "set", "own@h/r", format!("<invitations xmlns='{}'>{one}{inner}</invitations>", ns::GROUP))
        },
        parts: &[|it, n| named(n, format!("<revoke invitee='t{}x{n}@h'/>", it.serial))],
        is_end: false,
    },
    Family {
        name: "retract as a moderator",
        before: nothing,
        around: |it, inner| {
            let id = it.world.row("hall", 3 + it.serial as u64 % 90);
            let retract = format!("<retract xmlns='{}'/><reason>x</reason>{inner}", ns::RETRACT);
            hall("set", "own@h/r", format!("<moderate xmlns='{}' id='{id}'>{retract}</moderate>", ns::MODERATE))
        },
        parts: &[|_, _| "<reason>y</reason>".into(), |_, n| format!("<x a='{n}'/>")],
        is_end: false,
    },
    Family {
        name: "retract as an older moderator",
        before: nothing,
        around: |it, inner| {
            let id = it.world.row("hall", 3 + it.serial as u64 % 90);
            let retract = format!("<retract xmlns='{}'/>{inner}", ns::RETRACT_0);
            let moderate = format!("<moderate xmlns='{}'>{retract}</moderate>", ns::MODERATE_0);
            hall("set", "own@h/r", format!("<apply-to xmlns='{}' id='{id}'>{moderate}</apply-to>", ns::FASTEN))
        },
        parts: &[|_, _| "<reason>y</reason>".into()],
        is_end: false,
    },
    Family {
        name: "retract what was corrected often, as a moderator",
        before: nothing,
        around: |it, _| {
            let (id, retract) = (it.world.row("hall", 2), format!("<retract xmlns='{}'/>", ns::RETRACT));
            hall("set", "own@h/r", format!("<moderate xmlns='{}' id='{id}'>{retract}</moderate>", ns::MODERATE))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "replace many owners",
        before: nothing,
        around: |_, inner| {
            let form = format!("<field var='Owner'><value>own@h</value>{inner}</field>");
            let form = format!("<x xmlns='jabber:x:data' type='submit'>{form}</x>");
            let publish = format!("<publish node='{}'><item>{form}</item></publish>", ns::NODE_CONFIG);
            at("yard", "set", "own@h/r", pubsub(&publish))
        },
        parts: &[|it, n| format!("<value>o{}x{n}@h</value>", it.serial)],
        is_end: false,
    },
    Family {
        name: "an option of a channel",
        before: |it| {
            let truth = [(it.serial % 2 != 0).to_string()];
            vec![iq("set", "own@h/r", "hall@mix.h", &configure(&[("Private Messages", &truth)]))]
        },
        around: |it, _| {
            let truth = [(it.serial % 2 == 0).to_string()];
            hall("set", "own@h/r", configure(&[("Private Messages", &truth)]))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "put on a list that says who may join",
        before: nothing,
        around: |it, _| at("club", "set", "own@h/r", list("publish", ns::NODE_ALLOWED, &format!("z{}@h", it.serial))),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "put on the list of a group",
        before: nothing,
        around: |it, _| at("team", "set", "own@h/r", list("publish", ns::NODE_ALLOWED, &format!("z{}@h", it.serial))),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "ban",
        before: nothing,
        around: |it, _| hall("set", "own@h/r", list("publish", ns::NODE_BANNED, &format!("z{}@h", it.serial))),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "ban whoever is in a group",
        before: nothing,
        around: |it, _| {
            at("team", "set", "own@h/r", list("publish", ns::NODE_BANNED, &format!("p{}@h", 20 + it.serial % 30)))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "take off a list",
        before: |it| {
            let ban = list("publish", ns::NODE_BANNED, &format!("y{}@h", it.serial));
            vec![iq("set", "own@h/r", "hall@mix.h", &ban)]
        },
        around: |it, _| hall("set", "own@h/r", list("retract", ns::NODE_BANNED, &format!("y{}@h", it.serial))),
        parts: ALONE,
        is_end: false,
    },
];
