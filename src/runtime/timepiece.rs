//! The time for everything beside the loop, and what an operator is told of a clock that is not believed.

use crate::channel::Stamp;
use crate::engine::{Dial, Doubt};
use std::sync::{Mutex, PoisonError};

const HOUR_MS: u64 = 3600 * 1000;
/// A clock that is set back by less than this is not reported, in milliseconds.
const BACK_MS_MIN: u64 = 60_000;

/// What the engine made of the clock at its last turn.
#[derive(Debug, Default)]
pub struct Timepiece(Mutex<Dial>);

impl Timepiece {
    /// The times of the last turn.
    pub fn dial(&self) -> Dial {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what the engine makes of the clock. The log says what changed.
    pub fn show(&self, dial: Dial) {
        let past = std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), dial);
        let is_new = dial.jumps > past.jumps || dial.doubt.is_some() != past.doubt.is_some() || dial.held != past.held;
        if is_new && dial.doubt.is_none() && (past.doubt.is_some() || past.held) {
            tracing::info!(clock = dial.wall.to_xmpp(), "the clock is believed again");
        }
        if is_new {
            notes(&dial).iter().for_each(|note| tracing::warn!("{note}"));
        }
        let back_ms = past.stamp.0.saturating_sub(dial.stamp.0);
        if back_ms > BACK_MS_MIN {
            tracing::warn!(
                clock = dial.wall.to_xmpp(),
                "the clock went back by {} s, and so do stamps",
                back_ms / 1000
            );
        }
    }
}

/// What waits because the clock is not believed, and what to do. Empty while it is believed.
pub fn notes(dial: &Dial) -> Vec<String> {
    let Stamp(due_ms) = dial.due;
    let clock = dial.wall.to_xmpp();
    let mut notes = Vec::new();
    match dial.doubt {
        Some(Doubt::Ahead { by_ms }) => notes.push(format!(
            "the clock says {clock}, {} h further than it can be: nothing expires and no month begins after {} until \
             'mixd clock confirm', if it is right, or until it is set right; it is believed when it has gone on like \
             this for 24 h",
            by_ms / HOUR_MS,
            Stamp(due_ms).to_xmpp(),
        )),
        Some(Doubt::Unset) => notes.push(format!(
            "the clock says {clock}, a time from before this program: set it; until then time goes on from what was \
             last believed, and nothing expires"
        )),
        None => {}
    }
    if dial.held {
        notes.push(format!(
            "no old messages are removed until 'mixd clock confirm': the clock jumped ahead, and may have been wrong by \
             more than messages are to be kept; they are counted as of {}",
            dial.kept.to_xmpp()
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_the_notes_learns_what_waits_and_what_to_do() {
        let at = |text: &str| Stamp::from_xmpp(text).unwrap();
        let (wall, due) = (at("2036-11-23T10:00:00Z"), at("2026-11-23T10:00:00Z"));
        let dial = Dial { wall, stamp: due, due, kept: due, ..Dial::default() };
        assert_eq!(notes(&dial), [""; 0]);
        let ahead = Dial { doubt: Some(Doubt::Ahead { by_ms: 49 * HOUR_MS }), held: true, ..dial };
        let told = notes(&ahead);
        assert_eq!(told.len(), 2);
        for word in ["2036-11-23", "49 h further", "2026-11-23", "mixd clock confirm", "24 h"] {
            assert!(told[0].contains(word), "{word}: {}", told[0]);
        }
        assert!(told[1].contains("mixd clock confirm") && told[1].contains("2026-11-23"), "{}", told[1]);
        assert!(notes(&Dial { doubt: Some(Doubt::Unset), ..dial })[0].contains("set it"));
    }
}
