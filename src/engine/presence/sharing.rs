//! XEP-0403: presence that comes to a channel goes out to those who subscribe to its presence node.
//!
//! What is told is kept beside what is so ([`Online`]), and whatever changes either leads through [`Engine::tell_of`]:
//! it tells the difference, once. Coming online and changes are paced an account; going offline follows at once, since it
//! is told only of what was told before.

use super::super::fairness::lot::Lot;
use super::super::fairness::pace::Pace;
use super::super::share::OwnDomains;
use super::online::Online;
use crate::channel::{Channel, Member, Rate, Stamp};
use crate::xep::Service;
use jid::BareJid;

/// How often subscribers of whatever channels are told that somebody came online or changed its presence: somebody in
/// 500 channels can come online at once.
pub(super) const TOLD: Rate = Rate { per_s: 20, burst: 500 };
/// How often somebody is sent everybody's presence, in whatever channels.
pub(super) const FLOODS: Rate = Rate { per_s: 2, burst: 200 };
/// How often a channel asks for a subscription to one account's presence.
pub(super) const SUBSCRIBED_MS: u64 = 60_000;
/// How often a channel asks everybody anew because it is crowded no longer.
pub(super) const SHOWN_AGAIN_MS: u64 = 600_000;
/// Stanzas with which a turn brings newcomers up to date, roughly.
pub(super) const FLOOD_STANZAS: usize = 2000;
/// What the service knows of presence in channels.
pub(in crate::engine) struct Sharing {
    pub online: Online,
    pub(super) told: Pace<BareJid>,
    pub(super) floods: Pace<BareJid>,
    /// Requests of channels to subscribe to the presence of accounts.
    pub(super) subscriptions: Pace<(u64, BareJid)>,
    /// Channels that are crowded no longer.
    pub(super) shown_again: Pace<u64>,
    /// When the link came up.
    pub(super) since: Stamp,
    /// When it was last looked for whoever is gone without a word.
    pub(super) looked: Stamp,
}

impl Sharing {
    /// Nobody is online yet.
    pub fn new(lot: Lot, own_domains: &OwnDomains) -> Sharing {
        Sharing {
            online: Online::new(lot, own_domains),
            told: Pace::new(TOLD),
            floods: Pace::new(FLOODS),
            subscriptions: Pace::within(1, SUBSCRIBED_MS),
            shown_again: Pace::within(1, SHOWN_AGAIN_MS),
            since: Stamp::default(),
            looked: Stamp::default(),
        }
    }
}

/// Whether a channel passes a participant's presence on.
pub(super) fn shares(channel: &Channel, member: &Member) -> bool {
    channel.settings().presence && !member.preferences.hides_presence
}

/// Somebody who is not in a channel and may share its presence with it.
pub(super) fn visitor(channel: &Channel, account: &BareJid, service: &Service) -> Option<Member> {
    let is_open = channel.settings().open_presence && channel.participant(account).is_none();
    let id = is_open.then(|| service.sealer.visitor(channel.profile().tag, account))?;
    channel.visitor(account, id)
}
