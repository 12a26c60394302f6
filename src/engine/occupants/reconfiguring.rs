//! XEP-0045 §10.2.1: everybody in a room is told that it is something else from here on.

use super::super::outgoing::outbox::{Audience, ListId};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use crate::channel::{Change, ChannelName, Node};
use crate::xep::List;
use crate::xep::muc::description::Told;
use crate::xep::muc::presence;
use rand::Rng;

/// Whether a change may be one of what a room tells of itself.
fn is_told(change: &Change) -> bool {
    matches!(
        change,
        Change::Configured(_)
            | Change::ListMade { .. }
            | Change::ItemSet { node: Node::Info | Node::AvatarMetadata, .. }
            | Change::ItemGone { node: Node::AvatarMetadata, .. }
    )
}

impl Engine {
    /// What a room tells of itself, before it changes. `None` where nobody is to be told, or none of the changes is about that.
    pub(in crate::engine) fn told_before(&self, name: &ChannelName, changes: &[(ChannelName, Change)]) -> Option<Told> {
        let channel = self.channels.channel(name)?;
        self.occupants.room(channel.profile().tag)?;
        changes.iter().any(|(_, change)| is_told(change)).then(|| Told::of(channel))
    }

    /// Tells everybody in a room that it tells other things of itself.
    pub(in crate::engine) fn tell_reconfigured(&mut self, name: &ChannelName, before: &Told, turn: &mut Turn) {
        let Some(channel) = self.channels.channel(name) else { return };
        let (tag, codes) = (channel.profile().tag, Told::of(channel).codes(before));
        if codes.is_empty() || self.occupants.room(tag).is_none() {
            return;
        }
        let room = self.service.address_of(name);
        let message = presence::reconfigured(&room, &self.service.sealer.mark(tag, self.dice.random()), &codes);
        turn.tell_all(Audience::List(ListId { tag, list: List::Sessions }, None), halves(&message, true));
        if let Some(hash) = Told::of(channel).other_picture(before) {
            let picture = presence::picture(&room, &hash);
            turn.tell_all(Audience::List(ListId { tag, list: List::Sessions }, None), halves(&picture, false));
        }
        if Told::of(channel).shows_others(before) {
            self.occupants.retell(tag, turn.payer.clone());
        }
    }
}
