//! The channels that an account finds, and the groups that it is shown.

use super::super::{Engine, Needs};
use super::Channels;
use super::domains::{ALLOWED, BANNED};
use super::found::Found;
use super::places::{ANY, IN, WAITS};
use crate::channel::answer::Page;
use crate::channel::command::Slice;
use crate::channel::roll::Roll;
use crate::channel::{ChannelName, Refusal};
use jid::BareJid;
use std::collections::BTreeSet;

/// The most groups on a page.
const GROUPS_PAGE_MAX: usize = 100;

impl Channels {
    /// XEP-0369 §6.2: the channels that an account finds. They are those of its domain, corrected for the account's own
    /// channels and for lists that name it.
    pub(in crate::engine) fn found_by(&mut self, account: &BareJid) -> Found<'_> {
        self.compare_places(account);
        self.finds(account)
    }

    /// Marks which of an account's channels its domain does not find.
    pub(super) fn compare_places(&mut self, account: &BareJid) {
        let domain = self.domains.of(&BareJid::from_parts(None, account.domain()));
        self.memberships.compare(account, domain, &self.shelf);
    }

    /// The same, once the account's channels were compared with those of its domain.
    pub(super) fn finds(&self, account: &BareJid) -> Found<'_> {
        let domain = self.domains.of(&BareJid::from_parts(None, account.domain()));
        let mentions = self.mentions.get(account).map(|mentions| &mentions.by_channel);
        let own = self.memberships.of(account);
        let spared: BTreeSet<&ChannelName> = domain.into_iter().flat_map(|domain| domain.spared(account)).collect();
        let named = spared.iter().copied().chain(mentions.into_iter().flat_map(|it| it.keys()));
        let mut found = Found::new(self.shelf.listed(), domain.map(|domain| &domain.names), own);
        for name in named.chain(&self.brought.relisted) {
            // The turn may have changed a channel in memory, so it is asked first.
            let is_found = own.is_some_and(|own| own.marks(name) & IN != 0)
                || match self.shelf.channel(name) {
                    Some(channel) => channel.is_found_by(account),
                    None => {
                        let marks = domain.map_or(0, |domain| domain.names.marks(name));
                        let mention = mentions.and_then(|mentions| mentions.get(name));
                        let banned = marks & BANNED != 0 || mention.is_some_and(|mention| mention.banned);
                        let spared = spared.contains(name) || mention.is_some_and(|it| it.spared.contains(account));
                        let allowed = marks & ALLOWED != 0 || mention.is_some_and(|mention| mention.allowed);
                        // Everybody finds any other listed channel.
                        if banned && !spared { false } else { allowed || !self.shelf.is_unlisted(name) }
                    }
                };
            found.tell(name, is_found && self.shelf.exists(name));
        }
        found.settled()
    }

    /// A page of an account's groups, or of those it shares with `with`.
    pub(in crate::engine) fn page_of_groups(
        &self,
        account: &BareJid,
        with: Option<&BareJid>,
        slice: &Slice,
    ) -> Result<Page<ChannelName>, Refusal> {
        let none = Roll::default();
        let own = self.groups.of(account).unwrap_or(&none);
        let (shared, wanted) = match with {
            None => (own, ANY),
            Some(with) => (&self.shared_groups(account, own, with), IN | WAITS),
        };
        let position = |id: &str| {
            let localpart = id.split_once('@').map_or(id, |(localpart, _)| localpart);
            shared.position(wanted, |name| name.as_str().cmp(localpart))
        };
        let count = shared.count(wanted);
        let range = slice.cut(count, GROUPS_PAGE_MAX, position)?;
        let names = shared.rising(wanted, range.start).take(range.len());
        Ok(Page { entries: names.filter(|name| self.shelf.exists(name)).cloned().collect(), count, index: range.start })
    }

    /// Groups that both have joined or are invited to. The shorter list is looked up in the longer one.
    fn shared_groups(&self, account: &BareJid, own: &Roll<ChannelName>, with: &BareJid) -> Roll<ChannelName> {
        let Some(theirs) = self.groups.of(with) else { return Roll::default() };
        let (fewer, more) = if own.len() <= theirs.len() { (own, theirs) } else { (theirs, own) };
        let shared = fewer.rising(IN | WAITS, 0).filter(|name| more.marks(name) & (IN | WAITS) != 0);
        // XEP-0404 §2.2: a channel that hides JIDs does not reveal that `with` is in it.
        let told = shared.filter(|name| with == account || self.shelf.shows_jids(name));
        told.filter(|name| self.shelf.exists(name)).cloned().collect()
    }
}

impl Engine {
    /// What a page of groups needs to have read.
    pub(in crate::engine) fn need_groups(
        &self,
        account: &BareJid,
        with: Option<&BareJid>,
        slice: &Slice,
        needs: &mut Needs,
    ) {
        for account in [Some(account), with].into_iter().flatten() {
            if !self.channels.groups.knows(account) || (needs.with_warm && !self.channels.groups.stays(account)) {
                needs.groups.insert(account.clone());
            }
        }
        if let Ok(page) = self.channels.page_of_groups(account, with, slice) {
            for name in &page.entries {
                self.need_channel(name, needs);
                self.need_heads(account, name, needs);
            }
        }
    }
}
