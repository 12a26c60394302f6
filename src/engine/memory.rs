//! What the engine knows beyond the store, in a form that the next process understands when it takes the stream over.
//!
//! With a new stream host servers say all of this again. With the same one they do not: what they grant, who is online, and
//! what that says, is told once. What is not here is found out again or begins anew, as after any start: rates, shares,
//! questions of the service's own.

use super::Engine;
use super::occupants::remembered::RoomsMemory;
use super::people::remembered::PeopleMemory;
use super::presence::remembered::PresenceMemory;
use super::requests::operating::KnownAnnouncement;
use serde::{Deserialize, Serialize};

/// What is remembered. Everything in it is sorted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    pub(super) people: PeopleMemory,
    pub(super) presence: PresenceMemory,
    pub(super) rooms: RoomsMemory,
    pub(super) announcements: Vec<KnownAnnouncement>,
}

impl Engine {
    /// What it knows beyond the store.
    pub fn memory(&self) -> Memory {
        Memory {
            people: self.people.remembered(),
            presence: self.presence.remembered(),
            rooms: self.occupants.remembered(),
            announcements: self.requests.remembered(),
        }
    }
}
