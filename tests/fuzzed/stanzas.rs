//! Stanzas into the engine: the input is a transcript without answers, so that every state that transcripts come after,
//! every name that they have for an id, and time, restarts, lost links and refused commits are in reach.
//!
//! What `transcript::world` checks after each turn holds: memory is the store, what goes out is well-formed, from the
//! service and addressed, and each request has exactly one answer.

#[path = "../transcript/mod.rs"]
mod transcript;

use std::path::Path;
use transcript::script::{Script, Step};
use transcript::world::{Memory, World};
use transcript::{Unplayable, play};

/// A transcript may come after others so often; each costs as much as a long input.
const SETUPS_MAX: usize = 2;

/// Plays an input. What is no transcript is passed over, a step that cannot be played as well.
pub fn feed(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(script) = Script::parse(Path::new("input"), text.to_owned()) else { return };
    let setups = script.steps().filter(|step| matches!(step, Step::Told { words, .. } if words.starts_with("after")));
    if setups.count() > SETUPS_MAX {
        return;
    }
    // What is in memory and what has to be loaded make the same, which the length of the input draws.
    let memory = if input.len().is_multiple_of(2) { Memory::Kept } else { Memory::Dropped };
    let Ok(mut world) = World::new(&script, memory) else { return };
    for step in script.steps() {
        match play(&mut world, &script, step) {
            Ok(_) | Err(Unplayable(_)) => {}
        }
    }
}
