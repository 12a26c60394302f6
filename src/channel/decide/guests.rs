//! XEP-0060 §6.1, §6.2: subscribing to single nodes, as a participant or as a guest.

use super::Outcome;
use super::draft::Draft;
use super::lists::is_of;
use crate::channel::rules::{Rules, guests_after};
use crate::channel::{Actor, Answer, Change, Channel, Context, Guest, Node, NodeSet, Refusal, Status};
use jid::BareJid;

impl Channel {
    /// Subscribes to a node or unsubscribes from it.
    pub(super) fn subscribe(&self, actor: &Actor, node: Node, wanted: bool, context: &mut Context<'_>) -> Outcome {
        let account = &actor.account;
        let answer = Answer::Subscribed { node, subscribed: wanted };
        if !wanted && !self.subscriptions_of(account).contains(node) {
            return Err(Refusal::NotSubscribed);
        }
        if wanted && !self.has(node) {
            return Err(Refusal::NoSuchNode);
        }
        if wanted && !self.may_subscribe(account, node) {
            if self.member(account).is_some_and(|member| member.status == Status::Waiting) {
                return Err(Refusal::StillWaiting);
            }
            let banned = self.is_banned(account) && !self.is_closed();
            return Err(if banned {
                Refusal::Forbidden("you are banned from this channel")
            } else {
                Refusal::ClosedNode
            });
        }
        let one = NodeSet::from_iter([node]);
        let (add, remove) = if wanted { (one, NodeSet::default()) } else { (NodeSet::default(), one) };
        if self.participant(account).is_some() {
            let decision = self.update_subscription(actor, add, remove, context.limits)?;
            return Ok(crate::channel::Decision { answer, ..decision });
        }
        let mut draft = Draft::new(self, context.live.now, context.limits);
        let past = self.guest(account);
        let max = context.limits.guests_max;
        if past.is_none() && self.kept.guests.len() >= max {
            return Err(Refusal::TooMany { what: "guests", max });
        }
        let next = match past {
            Some(past) => past.clone(),
            None => {
                Guest { jid: account.clone(), since: context.live.now, subscriptions: NodeSet::default(), first: 0 }
            }
        };
        let first = if wanted && node == Node::Messages { self.head().row + 1 } else { next.first };
        let subscriptions = next.subscriptions.with(add).without(remove);
        if past.is_none_or(|past| past.subscriptions != subscriptions) {
            let guest = Guest { subscriptions, first, ..next };
            draft.changes.push(Change::GuestSet { guest, ended: remove });
        }
        draft.finish(answer)
    }
}

impl Draft<'_> {
    /// Ends the subscriptions of a guest. `ended` are those that it does not keep as a participant.
    pub fn drop_guest(&mut self, guest: &Guest, ended: NodeSet) {
        let guest = Guest { subscriptions: NodeSet::default(), ..guest.clone() };
        self.changes.push(Change::GuestSet { guest, ended });
    }

    /// Ends subscriptions of guests that they could not begin any more after this decision. Where there are many, a
    /// part of them ends first.
    pub(super) fn drop_guests(&mut self) {
        if self.channel.kept.guests.is_empty() || !self.changes.iter().any(Change::is_of_rules) {
            return;
        }
        let after = Rules::after(self.channel, &self.changes);
        if after.open_all_that(&Rules::of(self.channel)) {
            return;
        }
        let end_of = |guest: &Guest| {
            let kept: NodeSet =
                guest.subscriptions.iter().filter(|node| after.open(&guest.jid, *node, false)).collect();
            let ended = guest.subscriptions.without(kept);
            let guest = Guest { subscriptions: kept, ..guest.clone() };
            (!ended.is_empty()).then_some(Change::GuestSet { guest, ended })
        };
        let meant: Vec<&Guest> = match self.listed_alone() {
            Some(listed) if listed.iter().all(|jid| jid.node().is_some()) => {
                listed.into_iter().filter_map(|jid| self.guest_so_far(jid)).collect()
            }
            Some(listed) if !listed.iter().any(|entry| self.may_have_guests_of(entry)) => Vec::new(),
            Some(listed) => {
                let is_meant = |guest: &&Guest| listed.iter().any(|entry| is_of(entry, &guest.jid));
                guests_after(self.channel, &self.changes).into_iter().filter(is_meant).collect()
            }
            None => guests_after(self.channel, &self.changes),
        };
        let mut ends: Vec<Change> = meant.into_iter().filter_map(end_of).take(self.part_max + 1).collect();
        if ends.len() > self.part_max {
            ends.truncate(self.part_max);
            self.begin_part();
        }
        self.changes.append(&mut ends);
    }

    /// Whether an entry of a list may concern a guest.
    fn may_have_guests_of(&self, entry: &BareJid) -> bool {
        let is_guest = |change: &Change| matches!(change, Change::GuestSet { .. });
        entry.node().is_some()
            || self.channel.has_guests_of(entry.domain().as_str())
            || self.changes.iter().any(is_guest)
    }

    /// The entries that were put on lists or taken off, where this decision changes nothing else on which guests
    /// depend.
    fn listed_alone(&self) -> Option<Vec<&BareJid>> {
        self.changes.iter().filter(|change| change.is_of_rules()).map(entry_of).collect()
    }

    /// The record of a guest so far.
    fn guest_so_far(&self, account: &BareJid) -> Option<&Guest> {
        let set = self.changes.iter().rev().find_map(|change| match change {
            Change::GuestSet { guest, .. } if guest.jid == *account => Some(guest),
            _ => None,
        });
        set.or_else(|| self.channel.guest(account)).filter(|guest| !guest.subscriptions.is_empty())
    }
}

/// The entry that a change puts on a list or takes off.
fn entry_of(change: &Change) -> Option<&BareJid> {
    if let Change::Listed { jid, .. } = change { Some(jid) } else { None }
}
