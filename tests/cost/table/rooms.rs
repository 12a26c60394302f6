//! Channels as rooms: who enters, what occupants say, and who leaves.

use super::family::{Family, nothing};
use super::presences::{SAID, presence};
use super::setting::iq;
use super::world::Sent;
use mixd::xmpp::ns;

/// Somebody enters a room by its own name.
fn entry(who: &str) -> String {
    let x = format!("<x xmlns='{}'><history maxstanzas='0'/></x>", ns::MUC);
    format!("<presence from='{who}@h/r' to='yard@mix.h/{who}'>{x}</presence>")
}

pub const FAMILIES: &[Family] = &[
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
        name: "presence that leaves a room",
        before: |_| vec![entry("gone")],
        around: |_, inner| presence("unavailable", "gone@h/r", "yard@mix.h/gone", inner),
        parts: SAID,
        is_end: false,
    },
];
