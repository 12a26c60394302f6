//! Requests: a stanza or a call is decoded, decided and answered.

pub(super) mod admission;
mod admitting;
mod announcing;
pub(super) mod answering;
mod asking;
pub mod call;
mod calling;
mod context;
pub(super) mod delegated;
pub(super) mod foreign;
pub(super) mod groups;
pub(super) mod nicks;
mod noticing;
pub(super) mod operating;
pub mod pacing;
pub(super) mod parts;
pub(super) mod relay;
pub(super) mod request;
pub(super) mod router;
pub(super) mod searching;
mod service;

use super::share::{Hit, Hits, OwnDomains, Shares};
use crate::channel::{Limits, Nick, Registry};
use jid::BareJid;
use operating::KnownAnnouncement;

/// What has the shares of lists.
const EFFORT: &str = "lists of one turn";

/// State that outlives a request.
pub struct Requests {
    admission: admission::Admission,
    /// Requests that are done in parts.
    parts: parts::PartialRequests,
    announcements: operating::Announcements,
    /// Registered nicks (XEP-0407 §3).
    registry: Registry,
    nick_shares: Shares<BareJid>,
    invitation_hits: Hits,
    /// What lists in answers took in this turn, in bytes.
    effort: Shares<BareJid>,
    own: OwnDomains,
}

impl Requests {
    /// Starts with the stored registrations.
    pub(in crate::engine) fn new(nicks: Vec<(BareJid, Nick)>, limits: &Limits, own: &OwnDomains) -> Requests {
        let mut nick_shares = Shares::new("registered nicks", limits.registered_nicks_max, own.clone());
        nicks.iter().for_each(|(account, _)| nick_shares.count(account, 1));
        Requests {
            admission: admission::Admission::new(&limits.rates),
            parts: parts::PartialRequests::default(),
            announcements: operating::Announcements::default(),
            registry: Registry::restore(nicks, own.iter().cloned()),
            nick_shares,
            invitation_hits: Hits::new("invitations", own.clone()),
            effort: Shares::new(EFFORT, answering::EFFORT_MAX, own.clone()),
            own: own.clone(),
        }
    }

    /// Begins a turn: the one before is committed.
    pub(in crate::engine) fn begin_turn(&mut self) {
        self.announcements.forget_over();
        self.parts.begin_turn();
        if self.effort.held() > 0 {
            self.effort = Shares::new(EFFORT, answering::EFFORT_MAX, self.own.clone());
        }
    }

    /// Announcements in progress, as the next process knows them.
    pub(in crate::engine) fn remembered(&self) -> Vec<KnownAnnouncement> {
        self.announcements.remembered()
    }

    /// Registered nicks (XEP-0407 §3).
    pub(in crate::engine) fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The registered nick of an account.
    pub(in crate::engine) fn nick_of(&self, account: &BareJid) -> Option<&Nick> {
        self.registry.nick_of(account)
    }

    /// Shares that were hit since the last call.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.nick_shares.hits().chain(self.invitation_hits.take()).chain(self.effort.hits())
    }
}
