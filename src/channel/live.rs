//! The live state of a turn: what is known and no channel keeps. It reaches decisions, requests and renderers by this one
//! door, so whatever else the engine knows at the moment, such as who is in a room, becomes a field here.

use super::{Newcomer, Stamp};
use jid::BareJid;
use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Copy)]
pub struct LiveState<'a> {
    /// The time of what happens.
    pub now: Stamp,
    /// What was to end by this time has ended; it stands still while the clock is not believed.
    pub due: Stamp,
    /// The accounts that others added and that did nothing so far.
    pub newcomers: &'a BTreeMap<BareJid, Newcomer>,
}

impl LiveState<'static> {
    /// That of a time at which nobody is there.
    pub fn at(now: Stamp) -> LiveState<'static> {
        static NOBODY: BTreeMap<BareJid, Newcomer> = BTreeMap::new();
        LiveState { now, due: now, newcomers: &NOBODY }
    }
}
