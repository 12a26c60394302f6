//! Requests to the service.

use super::family::{ALONE, Family, Part, named, nothing};
use super::setting::{CORE, FAR, create, iq, join};
use super::world::Sent;
use mixd::xmpp::ns;

const SET: &str = "<set xmlns='http://jabber.org/protocol/rsm'><max>10</max></set>";

fn ask(type_: &str, who: &str, payload: String) -> Sent {
    Sent::Stanza(iq(type_, who, "mix.h", &payload))
}

fn command(node: &str, fields: &str, inner: &str) -> Sent {
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}{inner}</x>");
    ask("set", "op@h/r", format!("<command xmlns='{}' node='{node}'>{form}</command>", ns::COMMANDS))
}

fn field(var: &str, value: &str) -> String {
    format!("<field var='{var}'><value>{value}</value></field>")
}

fn by(order: &str) -> String {
    field("key", &format!("{{urn:xmpp:channel-search:0:order}}{order}"))
}

fn search(who: &str, fields: &str, inner: &str) -> Sent {
    let type_ = field("FORM_TYPE", ns::SEARCH_PARAMS);
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{type_}{fields}{inner}</x>");
    ask("get", who, format!("<search xmlns='{}'>{SET}{form}</search>", ns::SEARCH))
}

/// What repeats in a form: fields that are known, fields that are not, and values.
const FIELDS: &[Part] = &[
    |_, n| field(&format!("f{n}"), "x"),
    |_, _| field("channel", "hall"),
    |_, _| "<field var='account'><value>z@h</value><value>y@h</value></field>".into(),
];

pub const FAMILIES: &[Family] = &[
    Family {
        name: "disco#info of the service",
        before: nothing,
        around: |_, inner| ask("get", "joe@h/r", format!("<query xmlns='{}'>{inner}</query>", ns::DISCO_INFO)),
        parts: &[|_, n| format!("<feature var='x{n}'/>")],
        is_end: false,
    },
    Family {
        name: "disco#info of a node of the service",
        before: nothing,
        around: |_, _| ask("get", "joe@h/r", format!("<query xmlns='{}' node='{}'/>", ns::DISCO_INFO, ns::COMMANDS)),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "disco#items, by somebody who is in all channels",
        before: nothing,
        around: |_, inner| ask("get", "joe@h/r", format!("<query xmlns='{}'>{SET}{inner}</query>", ns::DISCO_ITEMS)),
        parts: &[|_, n| format!("<item jid='x{n}@h'/>")],
        is_end: false,
    },
    Family {
        name: "disco#items, by somebody whose domain many channels ban",
        before: nothing,
        around: |_, _| ask("get", &format!("x@{FAR}/r"), format!("<query xmlns='{}'>{SET}</query>", ns::DISCO_ITEMS)),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "ask for the form of a search",
        before: nothing,
        around: |_, inner| ask("get", "joe@h/r", format!("<search xmlns='{}'>{inner}</search>", ns::SEARCH)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "search for all channels by address",
        before: nothing,
        around: |_, inner| search("joe@h/r", &(field("all", "1") + &by("address")), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "search for all channels by users, by somebody whose domain many channels ban",
        before: nothing,
        around: |_, inner| search(&format!("x@{FAR}/r"), &(field("all", "1") + &by("nusers")), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "search for a word that few channels have",
        before: nothing,
        around: |_, inner| search("p1@h/r", &(field("q", "hall") + &by("nusers")), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "search for long words",
        before: nothing,
        around: |_, inner| search("p1@h/r", &format!("<field var='q'><value>{inner}</value></field>"), ""),
        parts: &[|_, _| "hall ".into(), |_, n| format!("{n}aaaaaaaaaaaaaaaaaaaa"), |_, _| "\u{1E9E}ab".into()],
        is_end: false,
    },
    Family {
        name: "the vCard of the service",
        before: nothing,
        around: |_, inner| ask("get", "joe@h/r", format!("<vCard xmlns='{}'>{inner}</vCard>", ns::VCARD)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "disco#items of commands",
        before: nothing,
        around: |_, _| ask("get", "op@h/r", format!("<query xmlns='{}' node='{}'/>", ns::DISCO_ITEMS, ns::COMMANDS)),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "ping",
        before: nothing,
        around: |_, inner| ask("get", "joe@h/r", format!("<ping xmlns='{}'>{inner}</ping>", ns::PING)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "version",
        before: nothing,
        around: |_, inner| ask("get", "joe@h/r", format!("<query xmlns='{}'>{inner}</query>", ns::VERSION)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "create",
        before: nothing,
        around: |it, inner| {
            ask("set", "maker@h/r", format!("<create {CORE} channel='new{}'>{inner}</create>", it.serial))
        },
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "create a group",
        before: nothing,
        around: |it, inner| {
            let group = format!("<group xmlns='{}'><name>A</name>{inner}</group>", ns::GROUP);
            ask("set", "maker@h/r", format!("<create {CORE} channel='new{}'>{group}</create>", it.serial))
        },
        parts: &[
            |_, n| named(n, format!("<member jid='m{n}@h' nick='Äpfel {n}'/>")),
            |_, n| named(n, format!("<member jid='ann@h{n}'/>")),
            |_, _| "<nick>Anna</nick>".into(),
            |_, _| "<name>A</name>".into(),
        ],
        is_end: false,
    },
    Family {
        name: "destroy",
        before: |it| vec![create("maker@h/r", &format!("d{}", it.serial))],
        around: |it, inner| {
            ask("set", "maker@h/r", format!("<destroy {CORE} channel='d{}'>{inner}</destroy>", it.serial))
        },
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "destroy a channel of many",
        before: nothing,
        around: |_, _| ask("set", "joe@h/r", format!("<destroy {CORE} channel='hall'/>")),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "what nobody serves",
        before: nothing,
        around: |_, inner| ask("set", "joe@h/r", format!("<x xmlns='urn:example:x'>{inner}</x>")),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "nodes of the service",
        before: nothing,
        around: |_, inner| ask("get", "joe@h/r", format!("<pubsub xmlns='{}'>{inner}</pubsub>", ns::PUBSUB)),
        parts: &[|_, _| "<items node='x'/>".into()],
        is_end: false,
    },
    Family {
        name: "publish to the service",
        before: nothing,
        around: |_, inner| ask("set", "joe@h/r", format!("<pubsub xmlns='{}'>{inner}</pubsub>", ns::PUBSUB)),
        parts: &[|_, _| "<publish node='x'/>".into()],
        is_end: false,
    },
    Family {
        name: "ask for a registered nick",
        before: nothing,
        around: |_, inner| ask("get", "r1@h/r", format!("<register xmlns='{}'>{inner}</register>", ns::MIX_MISC)),
        parts: &[|_, _| "<nick>x</nick>".into()],
        is_end: false,
    },
    Family {
        name: "register a nick",
        before: nothing,
        around: |it, inner| {
            let nick = format!("<nick>reg x{}</nick>", it.serial);
            ask("set", "r1@h/r", format!("<register xmlns='{}'>{nick}{inner}</register>", ns::MIX_MISC))
        },
        parts: &[|_, _| "<nick>x</nick>".into()],
        is_end: false,
    },
    Family {
        name: "register a long nick",
        before: nothing,
        around: |_, inner| {
            ask("set", "r1@h/r", format!("<register xmlns='{}'><nick>{inner}</nick></register>", ns::MIX_MISC))
        },
        parts: &[|_, _| "ÄÖÜ ".into(), |_, _| "Witch ".into(), |_, _| "\u{FDFA}".into()],
        is_end: false,
    },
    Family {
        name: "give a nick up",
        before: nothing,
        around: |it, inner| {
            let who = format!("r{}@h/r", 2 + it.serial % 50);
            ask("set", &who, format!("<register xmlns='{}'>{inner}</register>", ns::MIX_MISC))
        },
        parts: &[|_, _| "<remove/>".into()],
        is_end: false,
    },
    Family {
        name: "groups of somebody who is in many channels",
        before: nothing,
        around: |_, inner| ask("get", "joe@h/r", format!("<groups xmlns='{}'>{SET}{inner}</groups>", ns::GROUP)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "groups in common",
        before: nothing,
        around: |_, _| ask("get", "p1@h/r", format!("<groups xmlns='{}' with='own@h'>{SET}</groups>", ns::GROUP)),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "clear-all",
        before: nothing,
        around: |_, inner| ask("set", "p1@h/r", format!("<clear-all xmlns='{}'>{inner}</clear-all>", ns::GROUP)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "what a host server hands over",
        before: nothing,
        around: |it, inner| {
            let join = format!("<join {CORE}>{inner}</join>");
            let asked = format!("<client-join xmlns='{}' channel='hall@mix.h'>{join}</client-join>", ns::MIX_PAM);
            let who = format!("via{}@h/r", it.serial);
            let inner = format!("<iq xmlns='jabber:client' type='set' id='j' from='{who}'>{asked}</iq>");
            let forwarded = format!("<forwarded xmlns='{}'>{inner}</forwarded>", ns::FORWARD);
            ask("set", "h", format!("<delegation xmlns='urn:xmpp:delegation:2'>{forwarded}</delegation>"))
        },
        parts: &[|_, _| format!("<subscribe node='{}'/>", ns::NODE_MESSAGES), |_, n| format!("<x a='{n}'/>")],
        is_end: false,
    },
    Family {
        name: "command: list channels",
        before: nothing,
        around: |_, inner| command("urn:mixd:command:1#list-channels", &field("max_items", "10"), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: create a channel",
        before: nothing,
        around: |it, inner| {
            command("urn:mixd:command:1#create-channel", &field("name", &format!("n{}", it.serial)), inner)
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: configure a channel of a long name",
        before: nothing,
        around: |_, inner| command("urn:mixd:command:1#configure", &field("channel", inner), ""),
        parts: &[|_, _| "a".repeat(100), |_, _| "ä".repeat(100), |_, _| "\u{AD}".repeat(100)],
        is_end: false,
    },
    Family {
        name: "command: ban whoever has a long name",
        before: nothing,
        around: |_, inner| {
            command("urn:mixd:command:1#ban", &(field("channel", "hall") + &field("account", inner)), "")
        },
        parts: &[|_, _| "a".repeat(100), |_, _| "ä".repeat(100), |_, _| "\u{AD}".repeat(100)],
        is_end: false,
    },
    Family {
        name: "command: configure a channel",
        before: nothing,
        around: |_, inner| command("urn:mixd:command:1#configure", &field("channel", "hall"), inner),
        parts: &[
            |_, _| field("Open Presence", "0"),
            |_, n| format!("<field var='Administrator'><value>p{n}@h</value></field>"),
            |_, n| field(&format!("f{n}"), "x"),
        ],
        is_end: false,
    },
    Family {
        name: "command: remove participants",
        before: |it| vec![join(&format!("k{}@h/r", it.serial), "hall", "")],
        around: |it, inner| {
            let who = format!("<field var='accounts'><value>k{}@h</value>{inner}</field>", it.serial);
            command("urn:mixd:command:1#kick", &(field("channel", "hall") + &who), "")
        },
        parts: &[|_, n| named(n, format!("<value>nobody{n}@h</value>"))],
        is_end: false,
    },
    Family {
        name: "command: ban",
        before: nothing,
        around: |it, inner| {
            let who = field("account", &format!("ban{}@h", it.serial));
            command("urn:mixd:command:1#ban", &(field("channel", "hall") + &who), inner)
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: lift a ban",
        before: nothing,
        around: |it, inner| {
            let who = field("account", &format!("b{}@h", it.serial % 50));
            command("urn:mixd:command:1#unban", &(field("channel", "hall") + &who), inner)
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: announce to all",
        before: nothing,
        around: |_, inner| command("http://jabber.org/protocol/admin#announce", &field("announcement", "x"), inner),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: destroy a channel",
        before: |it| vec![create("maker@h/r", &format!("e{}", it.serial))],
        around: |it, inner| {
            let which = field("channel", &format!("e{}", it.serial)) + &field("sure", "1");
            command("urn:mixd:command:1#destroy", &which, inner)
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "an account is gone",
        before: nothing,
        around: |it, inner| {
            let gone = format!("<gone xmlns='{}' jid='gone{}@h'>{inner}</gone>", ns::MIXD_HOST, it.serial);
            ask("set", "h", gone)
        },
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "ask whether an account is out",
        before: nothing,
        around: |it, inner| {
            let gone = format!("<gone xmlns='{}' jid='gone{}@h'>{inner}</gone>", ns::MIXD_HOST, it.serial);
            ask("get", "h", gone)
        },
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "command: end an account",
        before: nothing,
        around: |it, inner| {
            let fields = format!(
                "<field var='account'><value>over{}@h</value></field><field var='sure'><value>1</value></field>",
                it.serial
            );
            command("urn:mixd:command:1#end-account", &fields, inner)
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: erase an account",
        before: nothing,
        around: |it, inner| {
            let fields = format!(
                "<field var='account'><value>over{}@h</value></field><field var='sure'><value>1</value></field>",
                it.serial
            );
            command("urn:mixd:command:1#erase-account", &fields, inner)
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: look at an account",
        before: nothing,
        around: |it, inner| {
            let fields = format!("<field var='account'><value>over{}@h</value></field>", it.serial);
            command("urn:mixd:command:1#show-account", &fields, inner)
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: export an account",
        before: nothing,
        around: |it, inner| {
            let fields = format!("<field var='account'><value>over{}@h</value></field>", it.serial);
            command("urn:mixd:command:1#export-account", &fields, inner)
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "command: close all rooms, unticked",
        before: nothing,
        around: |_, inner| {
            command("urn:mixd:command:1#close-rooms", "<field var='sure'><value>0</value></field>", inner)
        },
        parts: FIELDS,
        is_end: true,
    },
    Family {
        name: "command: statistics of the service",
        before: nothing,
        around: |_, inner| command("urn:mixd:command:1#statistics", "", inner),
        parts: FIELDS,
        is_end: false,
    },
];
