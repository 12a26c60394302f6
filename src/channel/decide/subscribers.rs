//! Owners see who subscribes to a node, and end or begin single subscriptions (XEP-0060 §8.8).

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

    /// Changes subscriptions of others, all or nothing. Whoever is in the channel may be subscribed to what is open to it;
    /// whoever is not has to ask for it itself, since nobody is to be sent what it never wanted.
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
        let mut draft = Draft::new(self, context.now, context.limits);
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
