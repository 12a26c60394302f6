//! XEP-0060 §8.8: an owner sees the subscribers of a node, and begins or ends their subscriptions.

use super::Outcome;
use super::draft::Draft;
use crate::channel::{
    Action, Actor, Answer, Change, Channel, Context, Decision, Guest, Limits, Node, NodeSet, Refusal,
};
use jid::BareJid;
use std::collections::BTreeMap;

impl Channel {
    pub(super) fn list_subscribers(
        &self,
        actor: &Actor,
        node: Node,
        slice: crate::channel::command::Slice,
        limits: &Limits,
    ) -> Outcome {
        self.require(actor, Action::Configure, limits)?;
        match self.has(node) {
            true => Ok(Decision::answer(Answer::Subscribers { node, slice })),
            false => Err(Refusal::NoSuchNode),
        }
    }

    /// XEP-0060 §8.8.2: changes subscriptions of others, all or none. Only participants can be subscribed, to nodes
    /// that are open to them. Others have to subscribe themselves, so that nobody is sent what it did not ask for.
    pub(super) fn set_subscriptions(
        &self,
        actor: &Actor,
        node: Node,
        edits: BTreeMap<BareJid, bool>,
        context: &Context<'_>,
    ) -> Outcome {
        self.require(actor, Action::Configure, context.limits)?;
        if !self.has(node) {
            return Err(Refusal::NoSuchNode);
        }
        let one = NodeSet::from_iter([node]);
        let mut draft = Draft::new(self, context.live.now, context.limits);
        for (account, wanted) in edits {
            if self.subscriptions_of(&account).contains(node) == wanted {
                continue;
            }
            if wanted && !self.may_subscribe(&account, node) {
                return Err(Refusal::ClosedNode);
            }
            if let Some(seated) = self.participant(&account) {
                let past = seated.subscriptions;
                let subscriptions = if wanted { past.with(one) } else { past.without(one) };
                let member = crate::channel::Member { subscriptions, ..seated.clone() };
                draft.put(Change::Subscribed, member);
                continue;
            }
            let guest = self.guest(&account).ok_or(Refusal::ForeignSubscriber)?;
            let (ended, subscriptions) = match wanted {
                true => (NodeSet::default(), guest.subscriptions.with(one)),
                false => (one, guest.subscriptions.without(one)),
            };
            let first = if wanted && node == Node::Messages { self.head().row + 1 } else { guest.first };
            let guest = Guest { subscriptions, first, ..guest.clone() };
            draft.changes.push(Change::GuestSet { guest, ended });
        }
        draft.finish(Answer::Done)
    }
}
