//! What an account sets off in all of its channels: answered at once, kept in the store until it is done, and done channel
//! by channel over ticks ([`chores`](super::chores)), however many there are.
//!
//! Whoever set something off finds it done wherever it looks: before it is heard in one of its channels, it is done there.

use super::super::share::{OwnDomains, Shares};
use crate::channel::ChannelName;
use crate::chore::{Budget, Chore};
use crate::store::{Deed, Tour};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// Channels of one account that are taken up together.
pub(in crate::engine) const TOUR: Budget = Budget { things: 16, cost: usize::MAX };
/// How many may be under way.
pub(super) const TOURS_MAX: usize = 10_000;
/// Channels that are remembered as done before it was their turn.
pub(super) const EARLY_MAX: usize = 1000;
/// Archives of which it is kept where they stood, beyond those of one turn.
pub(super) const HEADS_MAX: usize = 4096;

/// One that is under way.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Touring {
    /// As it is kept.
    pub(super) tour: Tour,
    /// Through the account's channels, a page at a time.
    pub(super) chore: Chore<ChannelName>,
    /// Where the last page ended that is done.
    pub(super) behind: Option<ChannelName>,
    /// The channels of later pages in which it is done, since the account was heard there.
    pub(super) early: BTreeSet<ChannelName>,
    /// Channels that cannot be read, in which it is not done.
    pub(super) torn: BTreeSet<ChannelName>,
    /// Whether there was one: then a start goes on from before it.
    pub(super) was_torn: bool,
}

/// All that are under way.
pub(in crate::engine) type Tours = BTreeMap<(BareJid, Deed), Touring>;

/// One as it was kept.
pub(in crate::engine) fn tour_of(tour: Tour) -> ((BareJid, Deed), Touring) {
    let (chore, behind) = (Chore::once(TOUR, tour.behind.clone()), tour.behind.clone());
    let (early, torn) = Default::default();
    ((tour.account.clone(), tour.deed), Touring { tour, chore, behind, early, torn, was_torn: false })
}

/// Room for all of them.
pub(in crate::engine) fn shares(own_domains: OwnDomains) -> Shares<BareJid> {
    Shares::new("requests of all channels", TOURS_MAX, own_domains)
}
