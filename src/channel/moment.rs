//! What a turn knows of the moment: the one door through which it reaches decisions, requests and what is shown.
//!
//! Nothing of it is part of a channel. Whatever the engine knows besides what channels keep, such as who is there, is a
//! field here.

use super::{Newcomer, Stamp};
use jid::BareJid;
use std::collections::BTreeMap;

/// See the module.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The time of what happens.
    pub now: Stamp,
    /// What was to end by this time has ended; it stands still while the clock is not believed.
    pub due: Stamp,
    /// The accounts that others added and that did nothing so far.
    pub newcomers: &'a BTreeMap<BareJid, Newcomer>,
}

impl Moment<'static> {
    /// A time at which nobody is there.
    pub fn at(now: Stamp) -> Moment<'static> {
        static NOBODY: BTreeMap<BareJid, Newcomer> = BTreeMap::new();
        Moment { now, due: now, newcomers: &NOBODY }
    }
}
