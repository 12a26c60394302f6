//! Tours: what an account sets off in all of its channels. A tour is stored and answered at once, then done channel by
//! channel over ticks ([`chores`](super::chores)).
//!
//! To the account it looks done at once: before its stanza is handled in a channel, the tour is done there.

use super::super::share::{OwnDomains, Shares};
use crate::channel::ChannelName;
use crate::chore::{Budget, Chore};
use crate::store::{Deed, Tour};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// The most channels of one tour at once.
pub(in crate::engine) const TOUR: Budget = Budget { things: 16, cost: usize::MAX };
/// The most tours at once.
pub(super) const TOURS_MAX: usize = 10_000;
/// The most channels remembered as done before their turn.
pub(super) const EARLY_MAX: usize = 1000;
/// The most heads of archives kept beyond a turn.
pub(super) const HEADS_MAX: usize = 4096;

/// A running tour.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Touring {
    /// As stored.
    pub(super) tour: Tour,
    /// Its way through the account's channels, page by page.
    pub(super) chore: Chore<ChannelName>,
    /// The last channel of the last page done.
    pub(super) behind: Option<ChannelName>,
    /// Later channels where it is done already, because the account acted there.
    pub(super) early: BTreeSet<ChannelName>,
    /// Channels where it is not done, because they cannot be read.
    pub(super) torn: BTreeSet<ChannelName>,
    /// Whether there was such a channel. Then a restart begins before it.
    pub(super) was_torn: bool,
}

/// All running tours.
pub(in crate::engine) type Tours = BTreeMap<(BareJid, Deed), Touring>;

/// A stored tour, to be continued.
pub(in crate::engine) fn tour_of(tour: Tour) -> ((BareJid, Deed), Touring) {
    let (chore, behind) = (Chore::once(TOUR, tour.behind.clone()), tour.behind.clone());
    let (early, torn) = Default::default();
    ((tour.account.clone(), tour.deed), Touring { tour, chore, behind, early, torn, was_torn: false })
}

/// Shares for all tours.
pub(in crate::engine) fn shares(own_domains: OwnDomains) -> Shares<BareJid> {
    Shares::new("requests of all channels", TOURS_MAX, own_domains)
}
