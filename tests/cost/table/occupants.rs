//! What is sent to the nicks and ids of those who are in a room with many seats.

use super::family::{ALONE, Family, Part, nothing};
use super::messages::message;
use super::presences::{SAID, presence};
use super::setting::iq;
use super::world::Sent;
use mixd::xmpp::ns;

/// What may repeat in a request.
const INNER: &[Part] = &[|_, n| format!("<x n='{n}'/>")];

/// A request to a nick.
fn asked(who: &str, nick: &str, payload: &str) -> Sent {
    Sent::Stanza(iq("get", who, &format!("porch@mix.h/{nick}"), payload))
}

/// One of each kind for `complete.rs`: an address of a room with a nick.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "presence that enters a room again that it is in",
        before: nothing,
        around: |_, inner| {
            let x = format!("<x xmlns='{}'><history maxstanzas='0'/></x>", ns::MUC);
            presence("", "u3@h/r", "porch@mix.h/u3", &format!("{x}{inner}"))
        },
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence of a client that is not in a room of many",
        before: nothing,
        around: |_, inner| presence("", "never@h/r", "porch@mix.h/never", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "a ping to one's own nick",
        before: nothing,
        around: |_, inner| asked("u3@h/r", "u3", &format!("<ping xmlns='{}'>{inner}</ping>", ns::PING)),
        parts: INNER,
        is_end: false,
    },
    Family {
        name: "a question to a nick",
        before: nothing,
        around: |_, inner| asked("u3@h/r", "u4", &format!("<query xmlns='{}'>{inner}</query>", ns::VERSION)),
        parts: INNER,
        is_end: false,
    },
    Family {
        name: "the vCard of a nick",
        before: nothing,
        around: |_, inner| asked("u3@h/r", "u4", &format!("<vCard xmlns='vcard-temp'>{inner}</vCard>")),
        parts: INNER,
        is_end: false,
    },
    Family {
        name: "a question to a nick, by whoever is not there",
        before: nothing,
        around: |_, inner| asked("never@h/r", "u4", &format!("<query xmlns='{}'>{inner}</query>", ns::VERSION)),
        parts: INNER,
        is_end: false,
    },
    Family {
        name: "a question to the id of somebody who passes by",
        before: nothing,
        around: |it, inner| {
            let query = format!("<query xmlns='{}'>{inner}</query>", ns::VERSION);
            Sent::Stanza(iq("get", "p1@h/r", &it.world.passing("porch", "u5@h"), &query))
        },
        parts: INNER,
        is_end: false,
    },
    Family {
        name: "private message to a nick",
        before: nothing,
        around: |_, inner| message("chat", "u3@h/r", "porch@mix.h/u4", &format!("<body>x</body>{inner}")),
        parts: INNER,
        is_end: false,
    },
    Family {
        name: "private message to the id of somebody who passes by",
        before: nothing,
        around: |it, inner| {
            message("chat", "p1@h/r", &it.world.passing("porch", "u5@h"), &format!("<body>x</body>{inner}"))
        },
        parts: INNER,
        is_end: false,
    },
    Family {
        name: "what came back of a nick",
        before: nothing,
        around: |_, inner| {
            let error = format!("<error type='cancel'><policy-violation xmlns='{}'/>{inner}</error>", ns::STANZAS);
            message("error", "u3@h/r", "porch@mix.h/u4", &error)
        },
        parts: INNER,
        is_end: false,
    },
    Family {
        name: "presence that leaves a room of many",
        before: |_| vec![super::setting::sits("gone")],
        around: |_, inner| presence("unavailable", "gone@h/r", "porch@mix.h/gone", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "somebody of many is put out",
        before: |_| vec![super::setting::sits("kicked")],
        around: |_, _| {
            let item = format!("<query xmlns='{}'><item nick='kicked' role='none'/></query>", ns::MUC_ADMIN);
            Sent::Stanza(iq("set", "own@h/r", "porch@mix.h", &item))
        },
        parts: ALONE,
        is_end: false,
    },
];
