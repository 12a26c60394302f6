//! Channels as rooms: who enters, what occupants say, and who leaves.

use super::family::{Family, nothing};
use super::presences::{SAID, presence};
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
        name: "presence that leaves a room",
        before: |_| vec![entry("gone")],
        around: |_, inner| presence("unavailable", "gone@h/r", "yard@mix.h/gone", inner),
        parts: SAID,
        is_end: false,
    },
];
