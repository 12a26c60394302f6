//! The live state of a turn: what the engine knows and no channel keeps. Decisions, requests and renderers get it only
//! here, so anything else of that kind becomes a field.

use super::{Invited, Newcomer, Seats, Stamp};
use jid::BareJid;
use std::collections::BTreeMap;

/// What the engine knows and no channel keeps.
#[derive(Clone, Copy)]
pub struct LiveState<'a> {
    /// The time of events.
    pub now: Stamp,
    /// The time by which things end. It stands still while the clock is not trusted.
    pub due: Stamp,
    /// Accounts that others added and that have not acted yet.
    pub newcomers: &'a BTreeMap<BareJid, Newcomer>,
    /// Who sits in the room that the channel is (XEP-0045).
    pub seats: &'a Seats,
    /// Who was invited through that room lately.
    pub invited: &'a Invited,
}

impl LiveState<'static> {
    /// The state at a time, without newcomers.
    pub fn at(now: Stamp) -> LiveState<'static> {
        static NOBODY: BTreeMap<BareJid, Newcomer> = BTreeMap::new();
        LiveState { now, due: now, newcomers: &NOBODY, seats: Seats::none(), invited: Invited::none() }
    }
}
