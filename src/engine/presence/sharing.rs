//! XEP-0403: presence that comes to a channel goes out to those who subscribe to its presence node.
//!
//! What is told is kept beside what is so ([`Online`]), and whatever changes either leads through [`Engine::tell_of`]:
//! it tells the difference, once. Coming online and changes are paced an account; going offline follows at once, since it
//! is told only of what was told before.

use super::super::fairness::lot::Lot;
use super::super::fairness::pace::Pace;
use super::super::share::{Hit, OwnDomains};
use super::chores::PresenceChores;
use super::online::{Online, OwedTo};
use crate::channel::{Channel, Member, ParticipantId, Rate, Stamp};
use crate::timers::Timers;
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
/// How long a link is up before whoever was not heard of is asked whether it is still there.
const PATIENCE_MS: u64 = 10_000;
/// How often those are asked whether they are still there whose servers tell of no stream that ends (hosts.md, D.2).
const LOOK_MS: u64 = 900_000;

/// What presence waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PresenceTimer {
    /// Whoever is online says so by itself, now that the link is up.
    Heard,
    /// It is looked again for those who are gone without a word.
    Look,
}

/// What the service knows of presence in channels.
pub(in crate::engine) struct Sharing {
    pub(super) online: Online,
    pub(super) told: Pace<BareJid>,
    pub(super) floods: Pace<BareJid>,
    /// Requests of channels to subscribe to the presence of accounts.
    pub(super) subscriptions: Pace<(u64, BareJid)>,
    /// Channels that are crowded no longer.
    pub(super) shown_again: Pace<u64>,
    pub(super) chores: PresenceChores,
    pub(super) timers: Timers<PresenceTimer>,
}

impl Sharing {
    /// Nobody is online yet.
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

    /// The link is up.
    pub(super) fn link_up(&mut self, steady: Stamp) {
        self.timers.start(PresenceTimer::Heard, steady.0, PATIENCE_MS);
        self.timers.start(PresenceTimer::Look, steady.0, LOOK_MS);
        self.online.link_up();
    }

    /// Whether whoever was not heard of so far may be gone.
    pub(super) fn has_heard(&self, steady: Stamp) -> bool {
        !self.timers.is_running(PresenceTimer::Heard, steady.0)
    }

    /// Whether it is time to look for those who are gone without a word; it is about to be done.
    pub(super) fn is_to_look(&mut self, steady: Stamp) -> bool {
        let is_time = !self.timers.is_running(PresenceTimer::Look, steady.0);
        if is_time {
            self.timers.start(PresenceTimer::Look, steady.0, LOOK_MS);
        }
        is_time
    }

    /// Who is online where, and what was told of it, for whoever looks it up.
    pub fn online(&self) -> &Online {
        &self.online
    }

    /// What an account says to all of its channels goes to each of them, now that more is known of it.
    pub fn spread(&mut self, account: &BareJid) {
        self.online.spread(account);
    }

    /// The same of all accounts of a domain.
    pub fn spread_all(&mut self, domain: &str) {
        self.online.spread_all(domain);
    }

    /// An account subscribed to presence in the channel of this tag: it is sent everybody's.
    pub fn owe(&mut self, tag: u64, account: &BareJid) {
        self.online.deliver_later(tag, OwedTo::Account(account.clone()));
    }

    /// A channel's participants have to be asked again when it comes into memory.
    pub fn probe_again(&mut self, tag: u64) {
        self.online.probe_again(tag);
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.online.hits()
    }

    #[cfg(test)]
    pub fn online_mut(&mut self) -> &mut Online {
        &mut self.online
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

/// Who an account is in a channel, or is where it shares its presence from outside.
pub(super) fn id_in(channel: &Channel, account: &BareJid, service: &Service) -> Option<ParticipantId> {
    let id = channel.participant(account).map(|member| member.id.clone());
    id.or_else(|| visitor(channel, account, service).map(|visitor| visitor.id))
}
