//! Changes of accounts and domains during a read of the store. Other accounts go on meanwhile, so the read may or may
//! not see their changes. Each is noted here and laid over the result.

use super::domains::mention_of;
use super::places::Marks;
use crate::channel::{Channel, ChannelName};
use crate::store::{Mention, Mentions};
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};

/// Noted changes.
#[derive(Default)]
pub(in crate::engine) struct Lately {
    /// How often everything was forgotten. The results of reads that began before are dropped.
    pub(super) round: u64,
    pub(super) of: HashMap<BareJid, Since>,
    /// Accounts and domains that parked items need, with the number of those items.
    pub(super) held: HashMap<BareJid, usize>,
    /// Whether the service's last read for itself failed.
    pub(super) own_failed: bool,
}

/// Changes of one account or domain.
#[derive(Default)]
pub(super) struct Since {
    /// How many reads of it are in progress.
    pub(super) reads: usize,
    pub(super) joined: BTreeMap<ChannelName, Marks>,
    pub(super) groups: BTreeMap<ChannelName, Marks>,
    pub(super) mentions: BTreeMap<ChannelName, Option<Mention>>,
}

impl Lately {
    /// Whether the service's last read for itself failed.
    pub fn has_own_failed(&self) -> bool {
        self.own_failed
    }

    /// Notes how an account stands to a channel that it is in or a guest of.
    pub fn note_joined(&mut self, account: &BareJid, name: &ChannelName, marks: Marks) {
        if let Some(since) = self.of.get_mut(account) {
            since.joined.insert(name.clone(), marks);
        }
    }

    /// Notes how an account stands to one of its groups.
    pub fn note_group(&mut self, account: &BareJid, name: &ChannelName, marks: Marks) {
        if let Some(since) = self.of.get_mut(account) {
            since.groups.insert(name.clone(), marks);
        }
    }

    /// Notes what the lists of a channel say. `None` if there is no such channel.
    #[expect(clippy::iter_over_hash_type, reason = "in any order: each for itself")]
    pub fn note_lists(&mut self, name: &ChannelName, channel: Option<&Channel>) {
        for (jid, since) in &mut self.of {
            since.mentions.insert(name.clone(), mention_of(channel, jid));
        }
    }

    /// Notes that a channel was destroyed.
    #[expect(clippy::disallowed_methods, clippy::iter_over_hash_type, reason = "in any order: each for itself")]
    pub fn strike(&mut self, name: &ChannelName) {
        for since in self.of.values_mut() {
            since.joined.insert(name.clone(), 0);
            since.groups.insert(name.clone(), 0);
        }
    }

    /// Changes of an account's channels.
    pub fn joined(&self, account: &BareJid) -> Vec<(ChannelName, Marks)> {
        self.of.get(account).map_or_else(Vec::new, |since| since.joined.clone().into_iter().collect())
    }

    /// Changes of an account's groups.
    pub fn groups(&self, account: &BareJid) -> Vec<(ChannelName, Marks)> {
        self.of.get(account).map_or_else(Vec::new, |since| since.groups.clone().into_iter().collect())
    }

    /// Lays changes of lists over what was read of an account or a domain.
    pub fn amend(&self, jid: &BareJid, mentions: &mut Mentions) {
        let since = self.of.get(jid).into_iter();
        since.flat_map(|since| &since.mentions).for_each(|(name, mention)| note(mentions, name, mention.clone()));
    }

    /// Whether a parked item needs what is known of an account or a domain.
    pub fn is_held(&self, jid: &BareJid) -> bool {
        self.held.contains_key(jid)
    }

    /// Forgets everything, because it may be outdated.
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

/// Sets what the lists of a channel say of an account or a domain.
pub(in crate::engine) fn note(mentions: &mut Mentions, name: &ChannelName, mention: Option<Mention>) {
    match mention {
        Some(mention) => drop(mentions.by_channel.insert(name.clone(), mention)),
        None => drop(mentions.by_channel.remove(name)),
    }
}
