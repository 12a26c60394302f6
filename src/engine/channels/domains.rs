//! What the lists of channels say of whole domains, kept where that is long: thousands of channels may list one, and
//! everybody of such a domain may ask for the list of channels.

use super::shelf::ChannelShelf;
use crate::channel::roll::{Marks, Roll};
use crate::channel::{Channel, ChannelName};
use crate::store::{Mention, Mentions};
use jid::BareJid;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// The domain may join.
pub(in crate::engine) const ALLOWED: Marks = 1;
/// The domain may not.
pub(in crate::engine) const BANNED: Marks = 1 << 1;
/// Everybody else finds the channel, and the domain does not.
pub(in crate::engine) const HIDDEN: Marks = 1 << 2;
/// The domain finds the channel, and not everybody else does.
pub(in crate::engine) const SHOWN: Marks = 1 << 3;

/// What is shorter is looked up each time.
pub(super) const LONG: usize = 64;
/// Channels that are kept of all domains together, at most, beside those of the last one.
pub(super) const NAMES_MAX: usize = 200_000;

/// What lists say of the accounts of one domain that they do not name.
#[derive(Debug, Default, PartialEq)]
pub(in crate::engine) struct DomainLists {
    pub names: Roll<ChannelName>,
    /// Its accounts that own or administer a channel which bans it.
    pub(super) spared: HashMap<BareJid, BTreeSet<ChannelName>>,
}

/// See the module.
#[derive(Default)]
pub(in crate::engine) struct Domains {
    pub(super) kept: HashMap<BareJid, DomainLists>,
    /// The same, kept longest first.
    pub(super) order: VecDeque<BareJid>,
}

impl DomainLists {
    pub(super) fn enter(&mut self, name: &ChannelName, allowed: bool, banned: bool, shelf: &ChannelShelf) {
        let hidden = banned && shelf.exists(name) && !shelf.is_unlisted(name);
        let shown = allowed && !banned && shelf.is_unlisted(name);
        let marks = [(allowed, ALLOWED), (banned, BANNED), (hidden, HIDDEN), (shown, SHOWN)];
        self.names.set(name.clone(), marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).sum());
    }

    /// Whom of its accounts no ban of their domain keeps out of a channel: those who have a role there.
    pub(super) fn spare<'a>(&mut self, name: &ChannelName, accounts: impl Iterator<Item = &'a BareJid>) {
        for account in accounts {
            self.spared.entry(account.clone()).or_default().insert(name.clone());
        }
    }

    /// Learns what became of a channel.
    #[expect(clippy::disallowed_methods, reason = "in any order: each stays or goes for itself")]
    pub(super) fn learn(&mut self, name: &ChannelName, mention: Option<Mention>, shelf: &ChannelShelf) {
        if self.names.marks(name) & BANNED != 0 {
            self.spared.retain(|_, names| !names.remove(name) || !names.is_empty());
        }
        let Mention { allowed, banned, spared } = mention.unwrap_or_default();
        self.enter(name, allowed, banned, shelf);
        self.spare(name, spared.iter());
    }

    /// The channels that ban the domain and in which this account has a role.
    pub fn spared(&self, account: &BareJid) -> impl Iterator<Item = &ChannelName> {
        self.spared.get(account).into_iter().flatten()
    }
}

/// What the lists of a channel say of an account or a domain, as the store would tell.
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

    /// Whether it is known for longer than a turn.
    pub fn stays(&self, domain: &BareJid) -> bool {
        self.of(domain).is_some_and(|kept| kept.names.len() >= LONG)
    }

    /// Takes up what was loaded.
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

    /// Forgets all: what was told of channels may not be so.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.order.clear();
    }
}
