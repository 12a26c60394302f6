//! Messages, and what goes between participants.

use super::channels::invite;
use super::family::{ALONE, Family, Part, nothing};
use super::setting::{configure, iq, say};
use super::world::Sent;
use mixd::xmpp::ns;

pub fn message(type_: &str, who: &str, to: &str, inner: &str) -> Sent {
    Sent::Stanza(format!("<message type='{type_}' id='i' from='{who}' to='{to}'>{inner}</message>"))
}

/// A request that opens `hall` to private messages.
fn private_messages() -> String {
    iq("set", "own@h/r", "hall@mix.h", &configure(&[("Private Messages", &["true".to_owned()])]))
}

/// What a message to everybody may hold, of everything that is known and of what is not.
const PAYLOADS: &[Part] = &[
    |_, n| format!("<body>{n}</body>"),
    |_, _| format!("<fallback xmlns='{}'/>", ns::FALLBACK),
    |_, n| format!("<fallback xmlns='{}' for='urn:example:{n}'><body/></fallback>", ns::FALLBACK),
    |_, n| format!("<x xmlns='urn:example:{n}'/>"),
    |_, n| format!("<origin-id xmlns='{}' id='{n}'/>", ns::SID),
    |_, n| format!("<stanza-id xmlns='{}' id='{n}' by='hall@mix.h'/>", ns::SID),
    |_, n| format!("<stanza-id xmlns='{}' id='{n}' by='p{n}@h'/>", ns::SID),
    |_, n| format!("<delay xmlns='{}' from='p{n}@h/r' stamp='2002-09-10T23:41:07Z'/>", ns::DELAY),
    |it, n| format!("<retract xmlns='{}' id='{}'/>", ns::RETRACT, it.world.row("hall", 1 + n as u64)),
    |it, n| format!("<replace xmlns='{}' id='{}'/>", ns::CORRECT, it.world.row("hall", 1 + n as u64)),
    |it, n| format!("<received xmlns='{}' id='{}'/>", ns::RECEIPTS, it.world.row("hall", 1 + n as u64)),
    |it, n| format!("<displayed xmlns='{}' id='{}'/>", ns::MARKERS, it.world.row("hall", 1 + n as u64)),
    |it, n| format!("<reply xmlns='{}' id='{}'/>", ns::REPLY, it.world.row("hall", 1 + n as u64)),
    |it, n| {
        format!(
            "<reactions xmlns='{}' id='{}'><reaction>a</reaction></reactions>",
            ns::REACTIONS,
            it.world.row("hall", 1 + n as u64)
        )
    },
    |_, n| format!("<apply-to xmlns='{}' id='{n}'><retract xmlns='{}'/></apply-to>", ns::FASTEN, ns::RETRACT_0),
    |_, _| format!("<store xmlns='{}'/>", ns::HINTS),
    |_, _| format!("<composing xmlns='{}'/>", ns::CHAT_STATES),
    |_, _| {
        format!(
            "<file-sharing xmlns='{}'><file xmlns='{}'><media-type>image/png</media-type></file></file-sharing>",
            ns::FILE_SHARING,
            ns::FILE_METADATA
        )
    },
    |_, n| format!("<x xmlns='{}'><url>http://x/{n}.png</url></x>", ns::OOB),
    |_, _| format!("<encrypted xmlns='{}'><header/><payload/></encrypted>", ns::OMEMO),
    |_, _| format!("<encrypted xmlns='{}'><header/></encrypted>", ns::OMEMO_LEGACY),
    |_, _| format!("<openpgp xmlns='{}'>A</openpgp>", ns::OPENPGP),
    |_, n| format!("<forwarded xmlns='{}'><message><body>{n}</body></message></forwarded>", ns::FORWARD),
    |_, n| format!("<addresses xmlns='{}'><address type='to' jid='p{n}@h'/></addresses>", ns::ADDRESS),
    |_, n| format!("<occupant-id xmlns='{}' id='{n}'/>", ns::OCCUPANT_ID),
    |_, n| format!("<archived xmlns='{}' by='p{n}@h' id='{n}'/>", ns::MAM_TMP),
    |_, n| format!("<x xmlns='{}'>{n}</x>", ns::PGP),
    |_, n| format!("<nick xmlns='{}'>{n}</nick>", ns::NICK),
    |_, n| format!("<body xml:lang='l{n}'>{n}</body>"),
];

/// What most of them are, where pairs would only say it again.
const FEW: &[Part] = &[PAYLOADS[0], PAYLOADS[1], PAYLOADS[3], PAYLOADS[6], PAYLOADS[8]];

/// What mentions somebody.
const MENTIONS: &[Part] = &[
    |_, n| format!("<reference xmlns='{}' type='mention' uri='xmpp:p{n}@h'/>", ns::REFERENCE),
    |_, n| format!("<reference xmlns='{}' type='mention' uri='xmpp:nook@mix.h/nick%20{n}'/>", ns::REFERENCE),
    |_, n| format!("<mention xmlns='{}' occupantid='{n}'/>", ns::MENTIONS),
];

pub const FAMILIES: &[Family] = &[
    Family {
        name: "message in a room that many are told of",
        before: nothing,
        around: |_, inner| message("groupchat", "c1@crowd.example/r", "fair@mix.h", inner),
        parts: FEW,
        is_end: false,
    },
    Family {
        name: "message that mentions those who are away",
        before: nothing,
        around: |_, inner| message("groupchat", "own@h/r", "nook@mix.h", &format!("<body>Hail!</body>{inner}")),
        parts: MENTIONS,
        is_end: false,
    },
    Family {
        name: "message",
        before: nothing,
        around: |_, inner| message("groupchat", "p1@h/r", "hall@mix.h", inner),
        parts: PAYLOADS,
        is_end: false,
    },
    Family {
        name: "message of somebody who is in no channel",
        before: nothing,
        around: |_, inner| message("groupchat", "nobody@h/r", "hall@mix.h", inner),
        parts: FEW,
        is_end: false,
    },
    Family {
        name: "message to a group",
        before: nothing,
        around: |_, inner| message("groupchat", "p1@h/r", "team@mix.h", inner),
        parts: FEW,
        is_end: false,
    },
    Family {
        name: "message where JIDs are hidden",
        before: nothing,
        around: |_, inner| message("groupchat", "p1@h/r", "mask@mix.h", inner),
        parts: FEW,
        is_end: false,
    },
    Family {
        name: "message to a channel that there is not",
        before: nothing,
        around: |_, inner| message("groupchat", "p1@h/r", "none@mix.h", inner),
        parts: FEW,
        is_end: false,
    },
    Family {
        name: "a long message",
        before: nothing,
        around: |_, inner| message("groupchat", "p1@h/r", "hall@mix.h", &format!("<body>{inner}</body>")),
        parts: &[|_, _| "Double, double toil and trouble &amp; more ".into()],
        is_end: false,
    },
    Family {
        name: "another message under an id that a long one had",
        before: |it| {
            let long = "Double, double toil and trouble ".repeat(40 * it.world.size);
            let origin = format!("<origin-id xmlns='{}' id='u{}'/>", ns::SID, it.serial);
            vec![say("p1@h/r", "hall", &format!("u{}", it.serial), &format!("<body>{long}</body>{origin}"))]
        },
        around: |it, inner| {
            let origin = format!("<origin-id xmlns='{}' id='u{}'/>", ns::SID, it.serial);
            message("groupchat", "p1@h/r", "hall@mix.h", &format!("<body>x</body>{origin}{inner}"))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "a correction of what was corrected often",
        before: nothing,
        around: |it, inner| {
            let replace = format!("<replace xmlns='{}' id='{}'/>{inner}", ns::CORRECT, it.world.row("hall", 1));
            Sent::Stanza(say("p0@h/r", "hall", &format!("c{}", it.serial), &replace))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "a retraction by its author",
        before: |it| vec![say("p3@h/r", "hall", &format!("r{}", it.serial), "")],
        around: |it, inner| {
            let id = it.world.row("hall", it.world.head("hall"));
            message(
                "groupchat",
                "p3@h/r",
                "hall@mix.h",
                &format!("<retract xmlns='{}' id='{id}'/>{inner}", ns::RETRACT),
            )
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "a retraction in the words of XEP-0407",
        before: |it| vec![say("p3@h/r", "hall", &format!("q{}", it.serial), "")],
        around: |it, inner| {
            let id = it.world.row("hall", it.world.head("hall"));
            message("", "p3@h/r", "hall@mix.h", &format!("<retract xmlns='{}' id='{id}'/>{inner}", ns::MIX_MISC))
        },
        parts: &[|_, n| format!("<x xmlns='urn:example:{n}'/>")],
        is_end: false,
    },
    Family {
        name: "a marker in a group",
        before: nothing,
        around: |it, _| {
            let id = it.world.row("team", it.world.said + 99 - it.serial as u64 % 40);
            let marker = format!("<displayed xmlns='{}' id='{id}'/>", ns::MARKERS);
            message("groupchat", &format!("p{}@h/r", it.serial % 10), "team@mix.h", &marker)
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "an invitation turned down",
        before: |it| vec![invite(&format!("down{}@h", it.serial))],
        around: |it, inner| {
            let ack =
                format!("<invitation-ack xmlns='{}'><value>Declined</value>{inner}</invitation-ack>", ns::MIX_MISC);
            message("normal", &format!("down{}@h/r", it.serial), "club@mix.h", &ack)
        },
        parts: &[|it, _| {
            let token = it.world.token("club", &format!("down{}@h", it.serial));
            format!("<invitation><inviter>own@h</inviter><token>{token}</token></invitation>")
        }],
        is_end: false,
    },
    Family {
        name: "a private message",
        before: |_| vec![private_messages()],
        around: |it, inner| message("chat", "p1@h/r", &it.world.address("hall", "p2@h"), inner),
        parts: FEW,
        is_end: false,
    },
    Family {
        name: "a private message where JIDs are hidden",
        before: nothing,
        around: |it, inner| message("chat", "p1@h/r", &(it.world.address("mask", "p2@h") + "/x"), inner),
        parts: FEW,
        is_end: false,
    },
    Family {
        name: "a private message that came back",
        before: nothing,
        around: |it, inner| {
            let error = format!("<error type='cancel'><item-not-found xmlns='{}'/>{inner}</error>", ns::STANZAS);
            message("error", "p1@h/r", &it.world.address("hall", "p2@h"), &error)
        },
        parts: &[|_, n| format!("<x xmlns='urn:example:{n}'/>")],
        is_end: false,
    },
    Family {
        name: "a question to a participant",
        before: |_| vec![private_messages()],
        around: |it, inner| {
            let to = it.world.address("hall", "p2@h");
            let question = format!("<query xmlns='{}'>{inner}</query>", ns::VERSION);
            Sent::Stanza(format!("<iq type='get' id='i{}' from='p1@h/r' to='{to}'>{question}</iq>", it.serial))
        },
        parts: &[|_, n| format!("<x a='{n}'/>")],
        is_end: false,
    },
    Family {
        name: "a vCard of a participant",
        before: |_| {
            let field = "<field var='vCard'><value>allow</value></field>";
            let form = format!("<x xmlns='jabber:x:data' type='submit'>{field}</x>");
            let preference = format!("<user-preference xmlns='{}'>{form}</user-preference>", ns::MIX_ANON);
            vec![iq("set", "p2@h/r", "hall@mix.h", &preference)]
        },
        around: |it, inner| {
            let to = it.world.address("hall", "p2@h");
            let question = format!("<vCard xmlns='vcard-temp'>{inner}</vCard>");
            Sent::Stanza(format!("<iq type='get' id='i{}' from='p1@h/r' to='{to}'>{question}</iq>", it.serial))
        },
        parts: &[|_, n| format!("<x a='{n}'/>")],
        is_end: false,
    },
    Family {
        name: "a message that came back",
        before: nothing,
        around: |it, inner| {
            let error = format!("<error type='cancel'><gone xmlns='{}'/>{inner}</error>", ns::STANZAS);
            let (who, id) = (it.serial % 90, it.world.row("hall", 1));
            Sent::Stanza(format!("<message type='error' id='{id}' from='p{who}@h' to='hall@mix.h'>{error}</message>"))
        },
        parts: &[|_, n| format!("<x xmlns='urn:example:{n}'/>")],
        is_end: false,
    },
    Family {
        name: "a message that was never sent and comes back",
        before: nothing,
        around: |it, inner| {
            let error = format!("<error type='cancel'><gone xmlns='{}'/>{inner}</error>", ns::STANZAS);
            message("error", &format!("p{}@h/r", it.serial % 90), "hall@mix.h", &error)
        },
        parts: &[|_, n| format!("<x xmlns='urn:example:{n}'/>")],
        is_end: false,
    },
    Family {
        name: "what a host server grants",
        before: nothing,
        around: |_, inner| message("", "h", "mix.h", inner),
        parts: &[
            |_, _| "<privilege xmlns='urn:xmpp:privilege:2'><perm access='roster' type='set'/></privilege>".into(),
            |_, n| format!("<delegation xmlns='urn:xmpp:delegation:2'><delegated namespace='x{n}'/></delegation>"),
            |_, n| format!("<x xmlns='urn:example:{n}'/>"),
        ],
        is_end: false,
    },
    Family {
        name: "an answer that nobody asked for",
        before: nothing,
        around: |_, inner| {
            let query = format!("<query xmlns='{}'>{inner}</query>", ns::DISCO_INFO);
            Sent::Stanza(format!("<iq type='result' id='i' from='p1@h/r' to='mix.h'>{query}</iq>"))
        },
        parts: &[|_, n| format!("<feature var='x{n}'/>")],
        is_end: false,
    },
];
