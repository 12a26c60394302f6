//! XEP-0406 §2.4: who may subscribe to a node, and who is notified of its changes.

use super::rules::Rules;
use super::{Access, Channel, Node};
use jid::BareJid;

impl Channel {
    /// Who may subscribe to a node.
    pub fn access_to(&self, node: Node) -> Access {
        Rules::of(self).access_to(node)
    }

    /// Whether an account may subscribe to a node.
    pub fn may_subscribe(&self, account: &BareJid, node: Node) -> bool {
        Rules::of(self).open(account, node, self.participant(account).is_some())
    }

    /// Whether an account may subscribe to a node as a participant.
    pub fn may_subscribe_inside(&self, account: &BareJid, node: Node) -> bool {
        Rules::of(self).open(account, node, true)
    }

    /// Who is notified of changes on a node that is not open to all participants, by participant id. `None` if it is
    /// open to all. A subscription rests while its right is gone.
    pub fn told_of(&self, node: Node) -> Option<Vec<BareJid>> {
        if self.access_to(node) >= Access::Participants {
            return None;
        }
        if !self.has_subscribers(node) {
            return Some(Vec::new());
        }
        let rights = self.rights();
        let candidates = rights.owners.iter().chain(&rights.admins);
        let is_told = |jid: &&BareJid| self.subscriptions_of(jid).contains(node) && self.may_subscribe(jid, node);
        let mut told: Vec<BareJid> = candidates.filter(is_told).cloned().collect();
        told.sort_unstable();
        told.dedup();
        told.sort_by_cached_key(|jid| self.participant(jid).map(|member| member.id.clone()));
        Some(told)
    }
}
