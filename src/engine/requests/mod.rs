//! Requests: from a stanza or a call to what is decided, and its answer.

pub(super) mod admission;
mod admitting;
mod announcing;
pub(super) mod answering;
mod asking;
pub mod call;
mod calling;
pub(super) mod delegated;
pub(super) mod foreign;
pub(super) mod groups;
pub(super) mod nicks;
pub(super) mod operating;
pub mod pacing;
pub(super) mod parts;
pub(super) mod relay;
pub(super) mod request;
pub(super) mod router;
pub(super) mod service;

use super::share::{Hit, Hits, OwnDomains, Shares};
use crate::channel::{Limits, Nick, Registry};
use jid::BareJid;

/// What is kept between requests.
pub struct Requests {
    pub(in crate::engine) admission: admission::Admission,
    /// What is done in part.
    pub(in crate::engine) parts: parts::Parts,
    pub(in crate::engine) announcements: operating::Announcements,
    /// The nicks that accounts registered.
    pub(in crate::engine) registry: Registry,
    pub(in crate::engine) nick_shares: Shares<BareJid>,
    pub(in crate::engine) invitation_hits: Hits,
}

impl Requests {
    /// With what was registered so far.
    pub(in crate::engine) fn new(nicks: Vec<(BareJid, Nick)>, limits: &Limits, own: &OwnDomains) -> Requests {
        let mut nick_shares = Shares::new("registered nicks", limits.registered_nicks_max, own.clone());
        nicks.iter().for_each(|(account, _)| nick_shares.count(account, 1));
        Requests {
            admission: admission::Admission::new(&limits.rates),
            parts: parts::Parts::default(),
            announcements: operating::Announcements::default(),
            registry: Registry::restore(nicks, own.iter().cloned()),
            nick_shares,
            invitation_hits: Hits::new("invitations", own.clone()),
        }
    }

    /// Who hit a share since this was asked last.
    pub(in crate::engine) fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.nick_shares.hits().chain(self.invitation_hits.take())
    }
}
