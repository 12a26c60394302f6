//! Presence, of everybody to everything.

use super::family::{ALONE, Family, Part, nothing};
use super::world::Sent;
use mixd::xmpp::ns;

pub fn presence(type_: &str, who: &str, to: &str, inner: &str) -> Sent {
    let type_ = if type_.is_empty() { String::new() } else { format!(" type='{type_}'") };
    Sent::Stanza(format!("<presence{type_} from='{who}' to='{to}'>{inner}</presence>"))
}

/// What a resource says of itself.
pub const SAID: &[Part] = &[
    |_, _| "<show>away</show>".into(),
    |_, n| format!("<status xml:lang='l{n}'>Brew</status>"),
    |_, n| format!("<x xmlns='urn:example:{n}'/>"),
    |_, n| format!("<c xmlns='{}' hash='sha-1' node='n' ver='{n}'/>", ns::CAPS),
    |_, _| format!("<idle xmlns='{}' since='2002-09-10T23:41:07Z'/>", ns::IDLE),
    |_, n| format!("<mix xmlns='{}'><nick>{n}</nick></mix>", ns::MIX_PRESENCE),
];

pub const FAMILIES: &[Family] = &[
    Family {
        name: "presence to a channel",
        before: nothing,
        around: |_, inner| presence("", "p2@h/r", "yard@mix.h", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence to a channel of many",
        before: nothing,
        around: |_, inner| presence("", "p2@h/r", "hall@mix.h", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence of somebody who is in no channel",
        before: nothing,
        around: |it, inner| presence("", &format!("s{}@h/r", it.serial), "hall@mix.h", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence to the service",
        before: nothing,
        around: |it, inner| presence("", &format!("s{}@h/r", it.serial), "mix.h", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence to the service, of somebody in many channels",
        before: nothing,
        around: |_, inner| presence("", "joe@h/other", "mix.h", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence that asks for activity in rooms",
        before: nothing,
        around: |_, inner| presence("", "p2@h/far", "mix.h", &format!("<rai xmlns='{}'/>{inner}", ns::RAI)),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence that asks for activity in many rooms",
        before: nothing,
        around: |_, inner| presence("", "joe@h/far", "mix.h", &format!("<rai xmlns='{}'/>{inner}", ns::RAI)),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence to a participant",
        before: nothing,
        around: |it, inner| presence("", "p2@h/r", &it.world.address("yard", "p3@h"), inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence as a MUC client sends it",
        before: nothing,
        around: |_, inner| presence("", "p2@h/r", "hall@mix.h", &format!("{inner}<x xmlns='{}'/>", ns::MUC)),
        parts: &[
            |_, n| format!("<x xmlns='urn:example:{n}'/>"),
            |_, n| format!("<x xmlns='{}' a='{n}'/>", ns::MUC_USER),
        ],
        is_end: false,
    },
    Family {
        name: "unavailable to a channel",
        before: nothing,
        around: |_, inner| presence("unavailable", "p2@h/r", "hall@mix.h", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "unavailable to the service",
        before: nothing,
        around: |_, inner| presence("unavailable", "p2@h/r", "mix.h", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "unavailable, of somebody in many channels",
        before: nothing,
        around: |_, inner| presence("unavailable", "joe@h/r", "mix.h", inner),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "a presence that came back",
        before: nothing,
        around: |it, inner| {
            let error = format!("<error type='cancel'><gone xmlns='{}'/></error>", ns::STANZAS);
            let (who, id) = (it.serial % 90, it.world.row("yard", 1));
            Sent::Stanza(format!(
                "<presence type='error' id='{id}' from='p{who}@h/r' to='yard@mix.h'>{error}{inner}</presence>"
            ))
        },
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "a probe of a channel",
        before: nothing,
        around: |_, inner| presence("probe", "p2@h/r", "yard@mix.h", inner),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "a probe of a channel, by an account",
        before: nothing,
        around: |_, inner| presence("probe", "p2@h", "yard@mix.h", inner),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "a probe of a participant",
        before: nothing,
        around: |it, inner| presence("probe", "p2@h/r", &it.world.address("yard", "p3@h"), inner),
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "a request to subscribe",
        before: nothing,
        around: |_, inner| presence("subscribe", "p2@h", "hall@mix.h", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "an end of a subscription",
        before: nothing,
        around: |_, inner| presence("unsubscribe", "p2@h", "hall@mix.h", inner),
        parts: ALONE,
        is_end: false,
    },
];

/// Entries into rooms, with what was said before.
pub const ENTRIES: &[Family] = &[Family {
    name: "enter a room, with what was said before",
    before: nothing,
    around: |_, inner| presence("", "own@h/r", "talk@mix.h/own", inner),
    parts: &[
        |_, n| format!("<x xmlns='{}'/><y xmlns='urn:example:{n}'/>", ns::MUC),
        |_, n| format!("<x xmlns='{}'><history maxstanzas='50' since='200{}-09-10T23:41:07Z'/></x>", ns::MUC, n % 10),
    ],
    is_end: false,
}];
