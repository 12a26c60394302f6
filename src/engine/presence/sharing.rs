//! XEP-0403 §4.1, §4.3: a channel delivers the presence of participants to subscribers of its presence node.
//!
//! What was delivered is kept beside what a resource sent ([`Online`]). Whatever changes either calls
//! [`Engine::deliver_change`], which delivers the difference once. `available` has a rate for each account.
//! `unavailable` is delivered at once, because it follows only a delivered `available`.

use super::super::fairness::lot::Lot;
use super::super::fairness::pace::Pace;
use super::super::share::{Hit, OwnDomains};
use super::chores::PresenceChores;
use super::online::{Online, OwedTo};
use crate::channel::{Channel, Member, ParticipantId, Rate, Stamp};
use crate::timers::Timers;
use crate::xep::Service;
use jid::{BareJid, FullJid};

/// The rate at which presence of an account is delivered, over all channels. An account in 500 channels may come online
/// at once.
pub(super) const TOLD: Rate = Rate { per_s: 20, burst: 500 };
/// The rate at which an account gets the presence of all participants, over all channels.
pub(super) const FLOODS: Rate = Rate { per_s: 2, burst: 200 };
/// The least time between two `subscribe` of a channel to an account, in milliseconds.
pub(super) const SUBSCRIBED_MS: u64 = 60_000;
/// The least time between two probes of a channel that is no longer crowded, in milliseconds.
pub(super) const SHOWN_AGAIN_MS: u64 = 600_000;
/// About how many stanzas of initial presence one turn delivers.
pub(super) const FLOOD_STANZAS: usize = 2000;
/// How long after the link came up unheard resources are asked whether they are online, in milliseconds.
const PATIENCE_MS: u64 = 10_000;
/// The time between two checks of resources whose server sends no `unavailable` when a stream ends (hosts.md, D.2), in
/// milliseconds.
const LOOK_MS: u64 = 900_000;

/// What presence waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PresenceTimer {
    /// Online resources send their presence by themselves after the link came up.
    Heard,
    /// The next check for resources that went offline without `unavailable`.
    Look,
}

/// The presence in all channels.
pub(in crate::engine) struct Sharing {
    pub(super) online: Online,
    pub(super) told: Pace<BareJid>,
    pub(super) floods: Pace<BareJid>,
    /// `subscribe` from channels to accounts.
    pub(super) subscriptions: Pace<(u64, BareJid)>,
    /// Channels that are no longer crowded.
    pub(super) shown_again: Pace<u64>,
    pub(super) chores: PresenceChores,
    pub(super) timers: Timers<PresenceTimer>,
}

impl Sharing {
    /// No presence.
    pub fn new(lot: Lot, own_domains: &OwnDomains) -> Sharing {
        let mut sharing = Sharing {
            online: Online::new(lot, own_domains),
            told: Pace::new(TOLD),
            floods: Pace::new(FLOODS),
            subscriptions: Pace::within(1, SUBSCRIBED_MS),
            shown_again: Pace::within(1, SHOWN_AGAIN_MS),
            chores: PresenceChores::new(),
            timers: Timers::default(),
        };
        sharing.link_up(Stamp::default());
        sharing
    }

    /// The link came up.
    pub(super) fn link_up(&mut self, steady: Stamp) {
        self.timers.start(PresenceTimer::Heard, steady.0, PATIENCE_MS);
        self.timers.start(PresenceTimer::Look, steady.0, LOOK_MS);
        self.online.link_up();
    }

    /// Whether resources that are still unheard may be gone.
    pub(super) fn has_heard(&self, steady: Stamp) -> bool {
        !self.timers.is_running(PresenceTimer::Heard, steady.0)
    }

    /// Whether the check for gone resources is due. Restarts its timer.
    pub(super) fn is_to_look(&mut self, steady: Stamp) -> bool {
        let is_time = !self.timers.is_running(PresenceTimer::Look, steady.0);
        if is_time {
            self.timers.start(PresenceTimer::Look, steady.0, LOOK_MS);
        }
        is_time
    }

    /// The presence nodes.
    pub fn online(&self) -> &Online {
        &self.online
    }

    /// Queues an account whose broadcast presence has to reach its channels.
    pub fn spread(&mut self, account: &BareJid) {
        self.online.spread(account);
    }

    /// The same for all accounts of a domain.
    pub fn spread_all(&mut self, domain: &str) {
        self.online.spread_all(domain);
    }

    /// A client that the service sends something may be gone.
    pub fn doubt(&mut self, full: &FullJid) {
        self.online.doubt(full, true);
    }

    /// An account subscribed to presence in this channel, and will get that of all participants.
    pub fn owe(&mut self, tag: u64, account: &BareJid) {
        self.online.deliver_later(tag, OwedTo::Account(account.clone()));
    }

    /// The channel probes again when it is next in memory.
    pub fn probe_again(&mut self, tag: u64) {
        self.online.probe_again(tag);
    }

    /// Shares that were hit since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.online.hits()
    }

    #[cfg(test)]
    pub fn online_mut(&mut self) -> &mut Online {
        &mut self.online
    }
}

/// XEP-0404 §3.1: whether a channel delivers a participant's presence. A participant may choose not to share it.
pub(in crate::engine) fn shares(channel: &Channel, member: &Member) -> bool {
    channel.settings().presence && !member.preferences.hides_presence
}

/// A non-participant that may share its presence with a channel, as the channel's settings say.
pub(super) fn visitor(channel: &Channel, account: &BareJid, service: &Service) -> Option<Member> {
    let is_open = channel.settings().open_presence && channel.participant(account).is_none();
    let id = is_open.then(|| service.id_of(channel.profile().tag, account))?;
    channel.visitor(account, id)
}

/// The participant id of an account in a channel, or its id as a visitor.
pub(super) fn id_in(channel: &Channel, account: &BareJid, service: &Service) -> Option<ParticipantId> {
    let id = channel.participant(account).map(|member| member.id.clone());
    id.or_else(|| visitor(channel, account, service).map(|visitor| visitor.id))
}
