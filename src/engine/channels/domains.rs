//! How the lists of channels (XEP-0406 §2.2, §2.3) treat whole domains. Kept in memory if long: thousands of channels
//! may list one domain, and each of its accounts may ask for the list of channels.

use super::shelf::ChannelShelf;
use crate::channel::roll::{Marks, Roll};
use crate::channel::{Channel, ChannelName};
use crate::store::{Mention, Mentions};
use jid::BareJid;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// The domain is on the `allowed` list.
pub(in crate::engine) const ALLOWED: Marks = 1;
/// The domain is on the `banned` list.
pub(in crate::engine) const BANNED: Marks = 1 << 1;
/// Everybody else finds the channel, but the domain does not.
pub(in crate::engine) const HIDDEN: Marks = 1 << 2;
/// The domain finds the channel, but not everybody does.
pub(in crate::engine) const SHOWN: Marks = 1 << 3;

/// Shorter lists are read again each time.
pub(super) const LONG: usize = 64;
/// The most channels kept for all domains together. The newest domain is kept in any case.
pub(super) const NAMES_MAX: usize = 200_000;

/// What lists say about accounts of a domain that they do not name.
#[derive(Debug, Default, PartialEq)]
pub(in crate::engine) struct DomainLists {
    pub names: Roll<ChannelName>,
    /// Accounts of the domain that own or administer a channel that bans it.
    pub(super) spared: HashMap<BareJid, BTreeSet<ChannelName>>,
}

/// What is kept of domains.
#[derive(Default)]
pub(in crate::engine) struct Domains {
    pub(super) kept: HashMap<BareJid, DomainLists>,
    /// The kept domains, oldest first.
    pub(super) order: VecDeque<BareJid>,
}

impl DomainLists {
    pub(super) fn enter(&mut self, name: &ChannelName, allowed: bool, banned: bool, shelf: &ChannelShelf) {
        let hidden = banned && shelf.exists(name) && !shelf.is_unlisted(name);
        let shown = allowed && !banned && shelf.is_unlisted(name);
        let marks = [(allowed, ALLOWED), (banned, BANNED), (hidden, HIDDEN), (shown, SHOWN)];
        self.names.set(name.clone(), marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).sum());
    }

    /// Notes accounts that a ban of their domain does not affect, because they have a role in the channel.
    pub(super) fn spare<'a>(&mut self, name: &ChannelName, accounts: impl Iterator<Item = &'a BareJid>) {
        for account in accounts {
            self.spared.entry(account.clone()).or_default().insert(name.clone());
        }
    }

    /// Updates what is known of one channel's lists.
    #[expect(clippy::disallowed_methods, reason = "in any order: each stays or goes for itself")]
    pub(super) fn learn(&mut self, name: &ChannelName, mention: Option<Mention>, shelf: &ChannelShelf) {
        if self.names.marks(name) & BANNED != 0 {
            self.spared.retain(|_, names| !names.remove(name) || !names.is_empty());
        }
        let Mention { allowed, banned, spared } = mention.unwrap_or_default();
        self.enter(name, allowed, banned, shelf);
        self.spare(name, spared.iter());
    }

    /// The channels that ban the domain but not this account, which has a role there.
    pub fn spared(&self, account: &BareJid) -> impl Iterator<Item = &ChannelName> {
        self.spared.get(account).into_iter().flatten()
    }
}

/// What the lists of a channel say of an account or a domain: the same answer that the store gives.
pub(in crate::engine) fn mention_of(channel: Option<&Channel>, jid: &BareJid) -> Option<Mention> {
    let kept = channel.map(Channel::kept).filter(|kept| kept.profile.listed)?;
    let on = |list: Option<&Roll<BareJid>>| list.is_some_and(|list| list.contains(jid));
    let (allowed, banned) = (on(kept.allowed.as_ref()), on(kept.banned.as_ref()));
    let holders = kept.rights.owners.iter().chain(&kept.rights.admins).filter(|_| banned);
    let is_meant = |account: &&BareJid| account.domain() == jid.domain() && (jid.node().is_none() || *account == jid);
    let spared = holders.filter(is_meant).cloned().collect();
    (allowed || banned).then_some(Mention { allowed, banned, spared })
}

impl Domains {
    pub fn of(&self, domain: &BareJid) -> Option<&DomainLists> {
        self.kept.get(domain)
    }

    /// Whether this domain is kept beyond a turn.
    pub fn stays(&self, domain: &BareJid) -> bool {
        self.of(domain).is_some_and(|kept| kept.names.len() >= LONG)
    }

    /// Adopts what was loaded.
    pub fn adopt(&mut self, domain: BareJid, mentions: Mentions, shelf: &ChannelShelf) {
        let mut found = DomainLists::default();
        for (name, mention) in &mentions.by_channel {
            found.enter(name, mention.allowed, mention.banned, shelf);
            found.spare(name, mention.spared.iter());
        }
        if self.kept.insert(domain.clone(), found).is_none() {
            self.order.push_back(domain);
        }
    }

    /// Forgets everything, because it may be outdated.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.order.clear();
    }
}
