//! XEP-0433: searching for channels.

use super::super::Engine;
use super::request::Effects;
use crate::channel::search::{ChannelKind, Hits, SearchWish, Sought};
use crate::channel::{Actor, Answer, Refusal};

/// What it takes to look at a channel, in bytes of an answer.
const LOOK_EFFORT: usize = 64;
/// How many channels are looked at for what one request of the plain kind costs.
const LOOKS_A_REQUEST: usize = 256;

impl Engine {
    /// Searches for channels. Whoever asks is charged for those that were looked at.
    pub(in crate::engine) fn search(
        &mut self,
        actor: &Actor,
        wish: Option<Box<SearchWish>>,
    ) -> Result<Effects, Refusal> {
        let Some(wish) = wish else { return Ok(Effects::none(Answer::Hits(None))) };
        if wish.sought == Sought::All {
            self.service.check_search_of_all(&actor.account).map_err(Refusal::Search)?;
        }
        if !self.may_list(&actor.account) {
            return Err(Refusal::Busy);
        }
        let has_kind = match wish.kind {
            Some(ChannelKind::Room) => self.service.limits.muc.enabled,
            Some(ChannelKind::Mix) => true,
            None => false,
        };
        let found = if has_kind { self.channels.search(&actor.account, &wish) } else { Some(Default::default()) };
        let found = found.ok_or(Refusal::Busy)?;
        self.requests.effort.count(&actor.account, found.looked * LOOK_EFFORT);
        self.charge_request(actor, (found.looked / LOOKS_A_REQUEST) as u64);
        let kind = wish.kind.unwrap_or(ChannelKind::Room);
        let (hits, stopped_at, goes_on) = (found.hits, found.stopped_at, found.goes_on);
        let hits = Hits { hits, kind, order: wish.order, stopped_at, goes_on };
        Ok(Effects::none(Answer::Hits(Some(Box::new(hits)))))
    }
}
