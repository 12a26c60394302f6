//! What changed of accounts and domains while the store is read for them beside the turns. Other accounts go on
//! during such a read, so it may or may not see what they change. Each change is noted here and laid over what was read.

use super::domains::mention_of;
use super::places::Marks;
use crate::channel::{Channel, ChannelName};
use crate::store::{Mention, Mentions};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};

/// See the module.
#[derive(Default)]
pub(in crate::engine) struct Lately {
    /// How often all that was known was forgotten: what was begun before that counts for nothing.
    pub(super) round: u64,
    pub(super) of: HashMap<BareJid, Since>,
    /// Accounts and domains that parked things need to stay known, with how many of these need each.
    pub(super) held: HashMap<BareJid, usize>,
    /// Whether what the service asked for itself last could not be read.
    pub(super) own_failed: bool,
}

/// What changed of one.
#[derive(Default)]
pub(super) struct Since {
    /// How many reads of it are under way.
    pub(super) reads: usize,
    pub(super) joined: BTreeMap<ChannelName, Marks>,
    pub(super) groups: BTreeMap<ChannelName, Marks>,
    pub(super) mentions: BTreeMap<ChannelName, Option<Mention>>,
}

impl Lately {
    /// Whether what the service asked for itself last could not be read.
    pub fn has_own_failed(&self) -> bool {
        self.own_failed
    }

    /// What an account is to a channel from here on, as one that it is in or a guest of.
    pub fn note_joined(&mut self, account: &BareJid, name: &ChannelName, marks: Marks) {
        if let Some(since) = self.of.get_mut(account) {
            since.joined.insert(name.clone(), marks);
        }
    }

    /// The same, as one of its groups.
    pub fn note_group(&mut self, account: &BareJid, name: &ChannelName, marks: Marks) {
        if let Some(since) = self.of.get_mut(account) {
            since.groups.insert(name.clone(), marks);
        }
    }

    /// What the lists of a channel say from here on; `None` where there is none of that name.
    #[expect(clippy::iter_over_hash_type, reason = "in any order: each for itself")]
    pub fn note_lists(&mut self, name: &ChannelName, channel: Option<&Channel>) {
        for (jid, since) in &mut self.of {
            since.mentions.insert(name.clone(), mention_of(channel, jid));
        }
    }

    /// A channel ceased to be.
    #[expect(clippy::disallowed_methods, clippy::iter_over_hash_type, reason = "in any order: each for itself")]
    pub fn strike(&mut self, name: &ChannelName) {
        for since in self.of.values_mut() {
            since.joined.insert(name.clone(), 0);
            since.groups.insert(name.clone(), 0);
        }
    }

    /// What changed of an account's channels.
    pub fn joined(&self, account: &BareJid) -> Vec<(ChannelName, Marks)> {
        self.of.get(account).map_or_else(Vec::new, |since| since.joined.clone().into_iter().collect())
    }

    /// The same of its groups.
    pub fn groups(&self, account: &BareJid) -> Vec<(ChannelName, Marks)> {
        self.of.get(account).map_or_else(Vec::new, |since| since.groups.clone().into_iter().collect())
    }

    /// Lays what changed of lists over what they said of an account or a domain.
    pub fn amend(&self, jid: &BareJid, mentions: &mut Mentions) {
        let since = self.of.get(jid).into_iter();
        since.flat_map(|since| &since.mentions).for_each(|(name, mention)| note(mentions, name, mention.clone()));
    }

    /// Whether something that waits needs what is known of an account or a domain.
    pub fn is_held(&self, jid: &BareJid) -> bool {
        self.held.contains_key(jid)
    }

    /// Forgets all: what was told of channels may not be so.
    pub fn clear(&mut self) {
        self.round += 1;
        self.of.clear();
    }

    pub(super) fn end(&mut self, jid: &BareJid) {
        let Some(since) = self.of.get_mut(jid) else { return };
        since.reads -= 1;
        if since.reads == 0 {
            self.of.remove(jid);
        }
    }
}

/// What the lists of a channel say of somebody from here on.
pub(in crate::engine) fn note(mentions: &mut Mentions, name: &ChannelName, mention: Option<Mention>) {
    match mention {
        Some(mention) => drop(mentions.by_channel.insert(name.clone(), mention)),
        None => drop(mentions.by_channel.remove(name)),
    }
}
