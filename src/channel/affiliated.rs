//! XEP-0463: whose affiliations a room tells, and to whom.

use super::crowd::Ordered;
use super::{Actor, Affiliation, Channel, Limits, Lists, Node, VersionedChange};
use jid::BareJid;
use std::collections::BTreeSet;

/// The most accounts of a room that has versions. A larger one says of itself that it has none.
pub const AFFILIATED_MAX: usize = 2000;

impl Channel {
    /// Notes versions.
    pub(super) fn note_versions(&mut self, changes: &[VersionedChange]) {
        self.bytes -= self.kept.versions.bytes();
        changes.iter().for_each(|change| self.kept.versions.note(change.clone()));
        self.bytes += self.kept.versions.bytes();
    }

    /// Which lists of affiliations an account may have versions of: those that it may read (XEP-0463 §3.4).
    pub fn versions_for(&self, account: &BareJid, limits: &Limits) -> Option<Lists> {
        let actor = Actor { account: account.clone(), operator: false };
        let reads = |affiliation| self.lists_affiliation_to(&actor, affiliation, limits);
        let reads_affiliated = reads(Affiliation::Owner) && reads(Affiliation::Admin) && reads(Affiliation::Member);
        let lists = if reads(Affiliation::Outcast) { Lists::All } else { Lists::Affiliated };
        reads_affiliated.then_some(lists)
    }

    /// Whether it is small enough for versions.
    pub fn has_versions(&self) -> bool {
        let lists = self.kept.allowed.iter().chain(&self.kept.banned).map(|list| list.len()).sum::<usize>();
        let holders = self.kept.rights.owners.len() + self.kept.rights.admins.len();
        self.admitted().count() + lists + holders <= AFFILIATED_MAX
    }

    /// Whether anybody is on a list of those who may join, or may not.
    pub fn lists_anybody(&self, node: Node) -> bool {
        let list = if node == Node::Banned { &self.kept.banned } else { &self.kept.allowed };
        list.as_ref().is_some_and(|list| !list.is_empty())
    }

    /// Every account with an affiliation of these lists, in order.
    pub fn affiliated(&self, lists: Lists) -> Vec<(BareJid, Affiliation)> {
        let kept = &self.kept;
        let holders = kept.rights.owners.iter().chain(&kept.rights.admins);
        let members = self.admitted();
        let listed = kept.allowed.iter().flat_map(|list| list.iter()).filter(|jid| jid.node().is_some());
        let banned = kept.banned.iter().filter(|_| lists == Lists::All).flat_map(|list| list.iter());
        let all: BTreeSet<&BareJid> = holders.chain(members.rising(0)).chain(listed).chain(banned).collect();
        all.into_iter().map(|account| (account.clone(), self.listed_affiliation(account))).collect()
    }

    /// The affiliation of an account or, where it is banned, a domain.
    pub fn listed_affiliation(&self, jid: &BareJid) -> Affiliation {
        match jid.node() {
            Some(_) => self.affiliation_of(jid),
            None if self.kept.banned.as_ref().is_some_and(|list| list.contains(jid)) => Affiliation::Outcast,
            None => Affiliation::None,
        }
    }
}
