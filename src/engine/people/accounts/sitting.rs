//! Where accounts are reached while they sit in rooms.

use super::pauses::Pause;
use super::{Accounts, Takes};
use crate::engine::outgoing::outbox::Out;
use jid::BareJid;
use std::collections::BTreeSet;

impl Accounts {
    /// An account sits in a room by these clients, and is in its channel by MIX as well; none: one of both is not so.
    pub fn sit(&mut self, account: &BareJid, tag: u64, resources: BTreeSet<String>, out: &mut Vec<Out>) {
        if resources.is_empty() && self.seated.in_room(account, tag).is_none() {
            return;
        }
        let next = resources.clone();
        let past = self.seated.set(account, tag, resources).unwrap_or_default();
        let is_apart = self.is_spread(account) && past.is_empty() != next.is_empty();
        let is_of_mix = |resource: &String| {
            self.get(account).is_some_and(|it| it.resources.get(resource).is_some_and(|takes| *takes != Takes::No))
        };
        if is_apart || past.symmetric_difference(&next).any(is_of_mix) {
            self.tell_of_pause(account, out);
        }
    }

    /// Whether the home server of an account hands what comes to its bare JID to all of its clients, whatever they take.
    pub(super) fn is_spread(&self, account: &BareJid) -> bool {
        self.is_at_bare(account) && self.hosts.spreads(account.domain().as_str())
    }

    /// Whether a channel sends to the resources of an account that is reached at its bare JID.
    pub(super) fn is_moved(&self, account: &BareJid, tag: u64) -> bool {
        let is_paused = self.pauses.of(account).and_then(|own| own.get(&tag)).is_some_and(Pause::is_moved);
        is_paused || (self.is_spread(account) && self.seated.in_room(account, tag).is_some())
    }
}
