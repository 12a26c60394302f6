//! Channels as rooms: who enters, what occupants say, and who leaves.

use super::family::{ALONE, Family, Part, named, nothing};
use super::messages::message;
use super::presences::{SAID, presence};
use super::setting::iq;
use super::world::Sent;
use mixd::xmpp::ns;

/// Somebody enters a room by its own name.
fn entry(who: &str) -> String {
    let x = format!("<x xmlns='{}'><history maxstanzas='0'/></x>", ns::MUC);
    format!("<presence from='{who}@h/r' to='yard@mix.h/{who}'>{x}</presence>")
}

/// What is said of invitations, in the words of rooms.
fn x(inner: &str) -> String {
    format!("<x xmlns='{}'>{inner}</x>", ns::MUC_USER)
}

/// A form that registers a nick.
fn registers(nick: &str, inner: &str) -> String {
    let field = |var: &str, value: &str| format!("<field var='{var}'><value>{value}</value></field>");
    let fields = [field("FORM_TYPE", ns::MUC_REGISTER), field("muc#register_roomnick", nick)];
    let form = format!("<x xmlns='{}' type='submit'>{}{inner}</x>", ns::FORM, fields.concat());
    format!("<query xmlns='{}'>{form}</query>", ns::REGISTER)
}

/// What a form may have more of.
const FIELDS: &[Part] = &[
    |_, _| "<field var='muc#register_roomnick'/>".to_owned(),
    |_, n| format!("<field var='x{n}'><value>Ä</value></field>"),
];
fn owner(inner: &str) -> String {
    format!("<query xmlns='{}'>{inner}</query>", ns::MUC_OWNER)
}

fn field(var: &str, values: &str) -> String {
    format!("<field var='{var}'>{values}</field>")
}

/// An owner submits the form of a room.
fn configured(who: &str, fields: &str) -> Sent {
    let form = format!("<x xmlns='{}' type='submit'>{fields}</x>", ns::FORM);
    Sent::Stanza(iq("set", who, "yard@mix.h", &owner(&form)))
}

/// A request about roles or affiliations.
fn admin(type_: &str, channel: &str, items: &str) -> Sent {
    Sent::Stanza(iq(
        type_,
        "own@h/r",
        &format!("{channel}@mix.h"),
        &format!("<query xmlns='{}'>{items}</query>", ns::MUC_ADMIN),
    ))
}

macro_rules! list {
    ($name:literal, $channel:literal, $item:literal) => {
        Family {
            name: $name,
            before: nothing,
            around: |_, _| admin("get", $channel, concat!("<item ", $item, "/>")),
            parts: ALONE,
            is_end: false,
        }
    };
}

/// Somebody in a room is heard no longer.
fn unheard(nick: &str) -> String {
    let item = format!("<query xmlns='{}'><item nick='{nick}' role='visitor'/></query>", ns::MUC_ADMIN);
    iq("set", "own@h/r", "yard@mix.h", &item)
}

/// A form that asks for voice.
fn asks_for_voice(inner: &str) -> String {
    let field = |var: &str, value: &str| format!("<field var='{var}'><value>{value}</value></field>");
    let fields = [field("FORM_TYPE", ns::MUC_REQUEST), field("muc#role", "participant")];
    format!("<x xmlns='{}' type='submit'>{}{inner}</x>", ns::FORM, fields.concat())
}

pub const FAMILIES: &[Family] = &[
    Family {
        name: "ask for voice",
        before: |it| vec![entry(&format!("v{}", it.serial)), unheard(&format!("v{}", it.serial))],
        around: |it, inner| message("normal", &format!("v{}@h/r", it.serial), "yard@mix.h", &asks_for_voice(inner)),
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "give voice",
        before: |it| vec![entry(&format!("w{}", it.serial)), unheard(&format!("w{}", it.serial))],
        around: |it, inner| {
            let field = |var: &str, value: &str| format!("<field var='{var}'><value>{value}</value></field>");
            let fields = [field("muc#roomnick", &format!("w{}", it.serial)), field("muc#request_allow", "1")];
            message("normal", "own@h/r", "yard@mix.h", &asks_for_voice(&[&fields.concat(), inner].concat()))
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "register with a room",
        before: nothing,
        around: |it, inner| {
            let query = registers(&format!("r{}", it.serial), inner);
            Sent::Stanza(iq("set", &format!("r{}@h/r", it.serial), "yard@mix.h", &query))
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "end a registration with a room",
        before: |it| {
            vec![iq("set", &format!("q{}@h/r", it.serial), "yard@mix.h", &registers(&format!("q{}", it.serial), ""))]
        },
        around: |it, _| {
            let query = format!("<query xmlns='{}'><remove/></query>", ns::REGISTER);
            Sent::Stanza(iq("set", &format!("q{}@h/r", it.serial), "yard@mix.h", &query))
        },
        parts: ALONE,
        is_end: false,
    },
    Family {
        name: "what is registered with a room",
        before: nothing,
        around: |_, inner| {
            let query = format!("<query xmlns='{}'>{inner}</query>", ns::REGISTER);
            Sent::Stanza(iq("get", "own@h/r", "yard@mix.h", &query))
        },
        parts: &[|_, n| format!("<x n='{n}'/>")],
        is_end: false,
    },
    Family {
        name: "one's own nick in a room",
        before: nothing,
        around: |_, inner| {
            let query = format!("<query xmlns='{}' node='x-roomuser-item'>{inner}</query>", ns::DISCO_INFO);
            Sent::Stanza(iq("get", "own@h/r", "yard@mix.h", &query))
        },
        parts: &[|_, n| format!("<x n='{n}'/>")],
        is_end: false,
    },
    Family {
        name: "register a nick with the service, as with a room",
        before: nothing,
        around: |it, inner| {
            let query = registers(&format!("s{}", it.serial), inner);
            Sent::Stanza(iq("set", "own@h/r", "mix.h", &query))
        },
        parts: FIELDS,
        is_end: false,
    },
    Family {
        name: "what nick is registered with the service, as with a room",
        before: nothing,
        around: |_, inner| {
            Sent::Stanza(iq("get", "own@h/r", "mix.h", &format!("<query xmlns='{}'>{inner}</query>", ns::REGISTER)))
        },
        parts: &[|_, n| format!("<x n='{n}'/>")],
        is_end: false,
    },
    Family {
        name: "invite people to a room for members",
        before: nothing,
        around: |_, inner| message("normal", "own@h/r", "club@mix.h", &x(inner)),
        parts: &[
            |it, n| named(n, format!("<invite to='i{}x{n}@h'><reason>Ä</reason></invite>", it.serial)),
            |it, n| named(n, format!("<invite to='j{}x{n}@h'/>", it.serial)),
        ],
        is_end: false,
    },
    Family {
        name: "invite people to a room that is open",
        before: |_| vec![entry("occupant")],
        around: |_, inner| message("normal", "occupant@h/r", "yard@mix.h", &x(inner)),
        parts: &[
            |it, n| named(n, format!("<invite to='i{}x{n}@h'><continue thread='x'/></invite>", it.serial)),
            |_, n| format!("<x n='{n}'/>"),
        ],
        is_end: false,
    },
    Family {
        name: "decline an invitation to a room",
        before: |it| {
            let invite = x(&format!("<invite to='d{}@h'/>", it.serial));
            vec![format!("<message from='own@h/r' to='club@mix.h'>{invite}</message>")]
        },
        around: |it, inner| {
            let decline = x(&format!("<decline to='own@h'><reason>{inner}</reason></decline>"));
            message("normal", &format!("d{}@h/r", it.serial), "club@mix.h", &decline)
        },
        parts: &[|_, _| "Ä".to_owned(), |_, n| format!("<x n='{n}'/>")],
        is_end: false,
    },
    Family {
        name: "presence that enters a room",
        before: nothing,
        around: |it, inner| {
            let x = format!("<x xmlns='{}'><history maxstanzas='0'/></x>", ns::MUC);
            presence("", &format!("e{}@h/r", it.serial), &format!("yard@mix.h/e{}", it.serial), &format!("{x}{inner}"))
        },
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence that enters a room and asks for affiliations",
        before: nothing,
        around: |it, inner| {
            let mav = format!("<mav xmlns='{}' since='{:032x}'/>", ns::MUC_VERSIONS, it.serial);
            let x = format!("<x xmlns='{}'><history maxstanzas='0'/>{mav}</x>", ns::MUC);
            presence("", &format!("m{}@h/r", it.serial), &format!("yard@mix.h/m{}", it.serial), &format!("{x}{inner}"))
        },
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence of an occupant",
        before: |_| vec![entry("occupant")],
        around: |_, inner| presence("", "occupant@h/r", "yard@mix.h/occupant", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "presence of an occupant that goes by ever other nicks",
        before: |_| vec![entry("occupant")],
        around: |it, inner| presence("", "occupant@h/r", &format!("yard@mix.h/o{}", it.serial), inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "the archive of a room, by whoever said much there",
        before: |_| vec![entry("occupant")],
        around: |_, inner| {
            let field = |var: &str, inner: &str| format!("<field var='{var}'>{inner}</field>");
            let fields = [
                field("FORM_TYPE", &format!("<value>{}</value>", ns::MAM)),
                field("with", "<value>yard@mix.h/occupant</value>"),
                field("ids", inner),
            ];
            let form = format!("<x xmlns='{}' type='submit'>{}</x>", ns::FORM, fields.concat());
            Sent::Stanza(iq("set", "occupant@h/r", "yard@mix.h", &format!("<query xmlns='{}'>{form}</query>", ns::MAM)))
        },
        parts: &[|_, _| "<value/>".to_owned()],
        is_end: false,
    },
    Family {
        name: "the form of a room of many admins",
        before: nothing,
        around: |_, inner| Sent::Stanza(iq("get", "own@h/r", "hall@mix.h", &owner(inner))),
        parts: &[|_, _| "<x/>".into()],
        is_end: false,
    },
    Family {
        name: "the form of a room, submitted",
        before: |_| vec![entry("occupant")],
        around: |_, inner| configured("own@h/r", inner),
        parts: &[
            |_, n| field(&format!("x{n}"), "<value>x</value>"),
            |it, n| field("muc#roomconfig_roomname", &format!("<value>Yard {} {n}</value>", it.serial)),
            |_, _| field("muc#roomconfig_membersonly", "<value>0</value>"),
            |_, n| field("muc#roomconfig_roomadmins", &format!("<value>p{n}@h</value>")),
            |_, _| field("muc#roomconfig_presencebroadcast", "<value>visitor</value><value>moderator</value>"),
        ],
        is_end: false,
    },
    Family {
        name: "the form of a room, with many admins",
        before: nothing,
        around: |_, inner| configured("own@h/r", &field("muc#roomconfig_roomadmins", inner)),
        parts: &[|_, n| format!("<value>p{n}@h</value>"), |_, _| "<value/>".into()],
        is_end: false,
    },
    Family {
        name: "the form of a room, with a long description",
        before: nothing,
        around: |_, inner| configured("own@h/r", &field("muc#roomconfig_roomdesc", inner)),
        parts: &[|it, n| format!("<value>{} {n}</value>", it.serial)],
        is_end: false,
    },
    Family {
        name: "presence that creates a room",
        before: nothing,
        around: |it, inner| {
            let (who, room) = (it.serial % 90, it.serial);
            let x = format!("<x xmlns='{}'/>", ns::MUC);
            presence("", &format!("p{who}@h/r"), &format!("new{room}@mix.h/p{who}"), &format!("{x}{inner}"))
        },
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "the form of a room, given up",
        before: nothing,
        around: |_, inner| {
            let form = format!("<x xmlns='{}' type='cancel'>{inner}</x>", ns::FORM);
            Sent::Stanza(iq("set", "own@h/r", "yard@mix.h", &owner(&form)))
        },
        parts: &[|_, n| field(&format!("x{n}"), "<value>x</value>")],
        is_end: false,
    },
    Family {
        name: "the end of a room, with a reason",
        before: |it| {
            let x = format!("<x xmlns='{}'/>", ns::MUC);
            vec![format!("<presence from='own@h/r' to='end{}@mix.h/own'>{x}</presence>", it.serial)]
        },
        around: |it, inner| {
            let destroy = format!("<destroy jid='hall@mix.h'><reason>{inner}</reason></destroy>");
            Sent::Stanza(iq("set", "own@h/r", &format!("end{}@mix.h", it.serial), &owner(&destroy)))
        },
        parts: &[|_, _| "Hail".to_owned()],
        is_end: false,
    },
    Family {
        name: "presence that leaves a room",
        before: |_| vec![entry("gone")],
        around: |_, inner| presence("unavailable", "gone@h/r", "yard@mix.h/gone", inner),
        parts: SAID,
        is_end: false,
    },
    Family {
        name: "roles in a room",
        before: |_| (0..18).flat_map(|n| [entry(&format!("v{n}")), entry(&format!("k{n}"))]).collect(),
        around: |_, inner| admin("set", "yard", inner),
        parts: &[
            |it, n| {
                let role = if it.serial.is_multiple_of(2) { "visitor" } else { "participant" };
                named(n, format!("<item nick='v{n}' role='{role}'><reason>{n}</reason></item>"))
            },
            |_, n| named(n, format!("<item nick='k{n}' role='none'/>")),
        ],
        is_end: false,
    },
    Family {
        name: "affiliations in a room",
        before: nothing,
        around: |_, inner| admin("set", "yard", inner),
        parts: &[
            |it, n| named(n, format!("<item jid='m{}x{n}@h' affiliation='member'/>", it.serial)),
            |it, n| {
                named(n, format!("<item jid='c{}x{n}@h' affiliation='outcast'><reason>x</reason></item>", it.serial))
            },
            |_, n| named(n, format!("<item jid='never{n}@h' affiliation='none'/>")),
        ],
        is_end: false,
    },
    list!("the owners of a room", "hall", "affiliation='owner'"),
    list!("the admins of a room", "hall", "affiliation='admin'"),
    list!("the members of a room", "hall", "affiliation='member'"),
    list!("the members of a room with a list", "club", "affiliation='member'"),
    list!("the outcasts of a room", "hall", "affiliation='outcast'"),
    list!("the moderators in a room", "yard", "role='moderator'"),
    list!("the participants in a room", "yard", "role='participant'"),
    list!("the visitors in a room", "yard", "role='visitor'"),
];
