//! Requests to the nodes of a channel and to its archive.

use super::family::{ALONE, Family, Part, nothing};
use super::setting::{iq, pubsub};
use super::world::Sent;
use mixd::xmpp::ns;

fn at(channel: &str, type_: &str, who: &str, payload: String) -> Sent {
    Sent::Stanza(iq(type_, who, &format!("{channel}@mix.h"), &payload))
}

fn items(channel: &str, node: &str, inner: &str) -> Sent {
    at(channel, "get", "own@h/r", pubsub(&format!("<items node='{node}'>{inner}</items>")))
}

fn publish(node: &str, inner: &str) -> Sent {
    at("hall", "set", "own@h/r", pubsub(&format!("<publish node='{node}'>{inner}</publish>")))
}

/// A request that publishes a picture.
pub fn picture() -> String {
    let data = format!("<item><data xmlns='{}'>iVBORw0KGgoA</data></item>", ns::AVATAR_DATA);
    iq("set", "own@h/r", "hall@mix.h", &pubsub(&format!("<publish node='{}'>{data}</publish>", ns::AVATAR_DATA)))
}

fn owner(type_: &str, inner: &str) -> Sent {
    at("hall", type_, "own@h/r", format!("<pubsub xmlns='{}'>{inner}</pubsub>", ns::PUBSUB_OWNER))
}

fn query(fields: &str) -> Sent {
    let set = format!("<set xmlns='{}'><max>10</max></set>", ns::RSM);
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
    at("hall", "set", "p1@h/r", format!("<query xmlns='{}'>{form}{set}</query>", ns::MAM))
}

fn field(var: &str, value: &str) -> String {
    format!("<field var='{var}'><value>{value}</value></field>")
}

/// Items by their ids, that there are and that there are not.
const IDS: &[Part] = &[|_, n| format!("<item id='p{n}@h'/>"), |_, n| format!("<item id='b{n}@h'/>")];

/// What a form for the configuration repeats.
const OPTIONS: &[Part] = &[
    |_, _| field("Open Presence", "false"),
    |_, n| format!("<field var='Owner'><value>own@h</value><value>p{n}@h</value></field>"),
    |_, n| field(&format!("f{n}"), "x"),
    |_, _| "<field var='Administrator'><value>p1@h</value><value>p2@h</value></field>".into(),
];

macro_rules! read {
    ($name:literal, $channel:literal, $node:expr) => {
        Family {
            name: $name,
            before: nothing,
            around: |_, inner| items($channel, $node, inner),
            parts: IDS,
            is_end: false,
        }
    };
}

/// All of a node, a page of it at a time.
macro_rules! page {
    ($name:literal, $channel:literal, $node:expr) => {
        Family {
            name: $name,
            before: nothing,
            around: |_, inner| {
                let set = format!("<set xmlns='{}'><max>10</max></set>", ns::RSM);
                let asked = format!("<items node='{}'/>{set}{inner}", $node);
                at($channel, "get", "own@h/r", pubsub(&asked))
            },
            parts: &[|_, n| format!("<x a='{n}'/>")],
            is_end: false,
        }
    };
}

macro_rules! put {
    ($name:literal, $node:expr, $parts:expr) => {
        Family { name: $name, before: nothing, around: |_, inner| publish($node, inner), parts: $parts, is_end: false }
    };
}

/// Items with nothing in them.
const ITEMS: &[Part] = &[|_, n| format!("<item id='x{n}'/>")];

pub const FAMILIES: &[Family] = &[
    read!("read messages", "hall", ns::NODE_MESSAGES),
    read!("read participants", "hall", ns::NODE_PARTICIPANTS),
    read!("read information", "hall", ns::NODE_INFO),
    read!("read a picture", "hall", ns::AVATAR_DATA),
    read!("read what describes a picture", "hall", ns::AVATAR_METADATA),
    read!("read a video", "hall", ns::NODE_VIDEO),
    read!("read who may join", "club", ns::NODE_ALLOWED),
    read!("read who may not", "hall", ns::NODE_BANNED),
    read!("read the configuration", "hall", ns::NODE_CONFIG),
    read!("read presence", "hall", ns::NODE_PRESENCE),
    read!("read whose ids are whose", "mask", ns::NODE_JIDMAP),
    page!("a page of participants", "hall", ns::NODE_PARTICIPANTS),
    page!("a page of who may join", "club", ns::NODE_ALLOWED),
    page!("a page of who may not", "hall", ns::NODE_BANNED),
    page!("a page of whose ids are whose", "mask", ns::NODE_JIDMAP),
    put!("publish messages", ns::NODE_MESSAGES, ITEMS),
    put!("publish participants", ns::NODE_PARTICIPANTS, ITEMS),
    put!("publish presence", ns::NODE_PRESENCE, ITEMS),
    put!("publish whose ids are whose", ns::NODE_JIDMAP, ITEMS),
    put!("publish a video without one", ns::NODE_VIDEO, ITEMS),
    put!("publish to a node that there is not", "x", ITEMS),
    Family {
        name: "publish information",
        before: nothing,
        around: |_, inner| {
            let form = format!("<x xmlns='jabber:x:data' type='submit'>{}{inner}</x>", field("Name", "Hall"));
            publish(ns::NODE_INFO, &format!("<item>{form}</item>"))
        },
        parts: &[
            |_, n| field(&format!("f{n}"), "x"),
            |_, _| field("NAME", "Hall"),
            |_, n| format!("<field var='Contact'><value>c{n}@h</value></field>"),
        ],
        is_end: false,
    },
    Family {
        name: "publish the configuration",
        before: nothing,
        around: |_, inner| {
            let form = format!("<x xmlns='jabber:x:data' type='submit'>{inner}</x>");
            publish(ns::NODE_CONFIG, &format!("<item>{form}</item>"))
        },
        parts: OPTIONS,
        is_end: false,
    },
    Family {
        name: "publish a picture",
        before: nothing,
        around: |_, inner| {
            let data = format!("<data xmlns='{}'>iVBORw0KGgoA{inner}</data>", ns::AVATAR_DATA);
            publish(ns::AVATAR_DATA, &format!("<item>{data}</item>"))
        },
        parts: &[|_, _| "AAAAAAAA".into(), |_, _| " ".into()],
        is_end: false,
    },
    Family {
        name: "the vCard of a room",
        before: |_| vec![picture()],
        around: |_, inner| at("hall", "get", "p1@h/r", format!("<vCard xmlns='{}'>{inner}</vCard>", ns::VCARD)),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "set the picture of a room by vCard",
        before: nothing,
        around: |_, inner| {
            let photo = format!("<PHOTO><BINVAL>iVBORw0KGgoA{inner}</BINVAL></PHOTO>");
            at("hall", "set", "own@h/r", format!("<vCard xmlns='{}'>{photo}</vCard>", ns::VCARD))
        },
        parts: &[|_, _| "AAAAAAAA".into(), |_, _| " ".into()],
        is_end: false,
    },
    Family {
        name: "set the picture of a room by a vCard of many",
        before: nothing,
        around: |_, inner| at("hall", "set", "own@h/r", format!("<vCard xmlns='{}'>{inner}</vCard>", ns::VCARD)),
        parts: &[|_, _| "<PHOTO/>".into(), |_, n| format!("<FN>{n}</FN>")],
        is_end: false,
    },
    Family {
        name: "publish what describes a picture",
        before: nothing,
        around: |_, inner| {
            let metadata = format!("<metadata xmlns='{}'>{inner}</metadata>", ns::AVATAR_METADATA);
            publish(ns::AVATAR_METADATA, &format!("<item>{metadata}</item>"))
        },
        parts: &[
            |_, _| {
                "<info id='111f4b3c50d7b0df729d299bc6f8e9ef9066971f' url='http://x' bytes='1' type='image/png'/>".into()
            },
            |_, _| "<x/>".into(),
        ],
        is_end: false,
    },
    Family {
        name: "publish a file as a video",
        before: nothing,
        around: |_, inner| {
            let file = format!("<file xmlns='{}'><name>a.mp4</name>{inner}</file>", ns::FILE_METADATA);
            publish(ns::NODE_VIDEO, &format!("<item>{file}</item>"))
        },
        parts: &[|_, _| "<hash/>".into()],
        is_end: false,
    },
    Family {
        name: "retract several items at once",
        before: nothing,
        around: |_, inner| {
            at("hall", "set", "own@h/r", pubsub(&format!("<retract node='{}'>{inner}</retract>", ns::AVATAR_DATA)))
        },
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "subscribe as a guest",
        before: nothing,
        around: |it, inner| {
            let who = format!("w{}@h", it.serial);
            let subscribe = format!("<subscribe node='{}' jid='{who}'/>{inner}", ns::NODE_MESSAGES);
            at("hall", "set", &format!("{who}/r"), pubsub(&subscribe))
        },
        parts: &[|_, _| "<options/>".into()],
        is_end: false,
    },
    Family {
        name: "unsubscribe as a guest",
        before: nothing,
        around: |it, inner| {
            let who = format!("g{}@h", it.serial % 90);
            let unsubscribe = format!("<unsubscribe node='{}' jid='{who}'/>{inner}", ns::NODE_MESSAGES);
            at("hall", "set", &format!("{who}/r"), pubsub(&unsubscribe))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "make a list",
        before: nothing,
        around: |_, inner| {
            at("hall", "set", "own@h/r", pubsub(&format!("<create node='{}'/>{inner}", ns::NODE_BANNED)))
        },
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "which nodes",
        before: nothing,
        around: |_, inner| at("hall", "get", "own@h/r", pubsub(&format!("<affiliations/>{inner}"))),
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "which subscriptions",
        before: nothing,
        around: |_, inner| at("hall", "get", "p9@h/r", pubsub(&format!("<subscriptions/>{inner}"))),
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "a page of who subscribes",
        before: nothing,
        around: |_, inner| {
            let set = format!("<set xmlns='{}'><max>10</max></set>", ns::RSM);
            owner("get", &format!("<subscriptions node='{}'/>{set}{inner}", ns::NODE_MESSAGES))
        },
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "set subscriptions of others",
        before: nothing,
        around: |_, inner| owner("set", &format!("<subscriptions node='{}'>{inner}</subscriptions>", ns::NODE_INFO)),
        parts: &[
            |it, n| {
                let wanted = if it.serial % 2 == 0 { "none" } else { "subscribed" };
                format!("<subscription jid='p{}@h' subscription='{wanted}'/>", n % 90)
            },
            |_, n| format!("<subscription jid='x{n}@h'/>"),
        ],
        is_end: false,
    },
    Family {
        name: "purge a picture",
        before: |_| vec![picture()],
        around: |_, inner| owner("set", &format!("<purge node='{}'/>{inner}", ns::AVATAR_DATA)),
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "the end of a node that every channel has",
        before: nothing,
        around: |_, inner| owner("set", &format!("<delete node='{}'/>{inner}", ns::NODE_INFO)),
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "the filters of the archive",
        before: nothing,
        around: |_, inner| at("hall", "get", "p1@h/r", format!("<query xmlns='{}'>{inner}</query>", ns::MAM)),
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "where the archive begins and ends",
        before: nothing,
        around: |_, inner| at("hall", "get", "p1@h/r", format!("<metadata xmlns='{}'>{inner}</metadata>", ns::MAM)),
        parts: ITEMS,
        is_end: false,
    },
    Family {
        name: "a page of the archive",
        before: nothing,
        around: |_, inner| query(inner),
        parts: &[
            |_, _| field("start", "2010-06-07T00:00:00Z"),
            |_, n| field("with", &format!("p{n}@h")),
            |it, _| field("after-id", &it.world.row("hall", 3)),
            |it, n| format!("<field var='ids'><value>{}</value></field>", it.world.row("hall", 1 + n as u64)),
            |_, _| field("{urn:mixd:group:1}media", "image"),
            |_, n| format!("<x a='{n}'/>"),
        ],
        is_end: false,
    },
    Family {
        name: "rows of somebody of a long name",
        before: nothing,
        around: |_, inner| query(&field("with", inner)),
        parts: &[|_, _| "a".repeat(100), |_, _| "ä".repeat(100), |_, _| "\u{AD}".repeat(100)],
        is_end: false,
    },
    Family {
        name: "owners of names that are long and not plain",
        before: nothing,
        around: |_, inner| {
            let form = format!("<field var='Owner'><value>own@h</value>{inner}</field>");
            let form = format!("<x xmlns='jabber:x:data' type='submit'>{form}</x>");
            publish(ns::NODE_CONFIG, &format!("<item>{form}</item>"))
        },
        parts: &[|_, n| format!("<value>{}{n}@h</value>", "ä".repeat(100))],
        is_end: false,
    },
    Family {
        name: "rows of the archive by their ids",
        before: nothing,
        around: |_, inner| query(&format!("<field var='ids'>{inner}</field>")),
        parts: &[|it, n| format!("<value>{}</value>", it.world.row("hall", 1 + n as u64))],
        is_end: false,
    },
    Family {
        name: "the archive of a group, of whoever hid much",
        before: nothing,
        around: |_, inner| {
            let set = format!("<set xmlns='{}'><max>10</max></set>", ns::RSM);
            at("team", "set", "p1@h/r", format!("<query xmlns='{}'>{set}{inner}</query>", ns::MAM))
        },
        parts: ITEMS,
        is_end: false,
    },
];
