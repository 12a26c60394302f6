//! What has to be loaded before a batch can be taken. It may take rounds: which groups somebody has tells which channels
//! are needed.

use super::super::TraceWish;
use crate::channel::whom::Whom;
use crate::channel::{Actor, Channel, ChannelName, Facts, Head, Member, Stamp, Status};
use crate::store::{Deed, Mentions, Trace};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet};

/// After so many rounds of loading a turn goes on with what it has.
pub const ROUNDS_MAX: usize = 4;

/// What has to be loaded before a turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Channels that exist and are not in memory.
    pub channels: Vec<ChannelName>,
    /// Accounts of which it matters which channels they are in.
    pub accounts: BTreeSet<BareJid>,
    /// Accounts of which it matters on which lists of channels they are.
    pub mentions: BTreeSet<BareJid>,
    /// Accounts of which it matters which channels they are in, wait for or left.
    pub groups: BTreeSet<BareJid>,
    /// Rows of which it matters what they are, by the channel's tag.
    pub rows: BTreeMap<u64, BTreeSet<u64>>,
    /// Accounts of which it matters who they were in a channel, by the channel's tag.
    pub past: BTreeMap<u64, BTreeSet<BareJid>>,
    /// Who is meant of channels that are no more, by their tags.
    pub remains: BTreeSet<(u64, Whom)>,
    /// Where accounts that are being ended have a place.
    pub trace: Option<TraceWish>,
    /// Of which accounts' channels to name some, for what they set off: those behind one, up to so many.
    pub pages: Vec<((BareJid, Deed), Option<ChannelName>, usize)>,
    /// Channels that are not in memory, with accounts of which it matters whether they may know of them.
    pub known: Vec<(ChannelName, Actor)>,
    /// Where archives stood at a time, by the channels' tags.
    pub heads: Vec<(u64, Stamp)>,
    /// Those of them that are wanted with their payloads.
    pub whole: BTreeSet<(u64, u64)>,
    /// Whether what is in memory counts as well.
    pub(in crate::engine) with_warm: bool,
}

impl Needs {
    /// Of it, who may know of which channels.
    pub fn known_alone(self) -> Needs {
        Needs { known: self.known, ..Needs::default() }
    }

    /// Rows and heads of archives, and nothing else.
    pub fn of_archives(
        rows: BTreeMap<u64, BTreeSet<u64>>,
        whole: BTreeSet<(u64, u64)>,
        heads: Vec<(u64, Stamp)>,
    ) -> Needs {
        Needs { rows, whole, heads, ..Needs::default() }
    }

    /// Takes out of it what is kept by accounts.
    pub fn take_people(&mut self) -> Needs {
        let Needs { accounts, mentions, groups, pages, trace, .. } = self;
        let (accounts, mentions) = (std::mem::take(accounts), std::mem::take(mentions));
        let (groups, pages, trace) = (std::mem::take(groups), std::mem::take(pages), trace.take());
        Needs { accounts, mentions, groups, pages, trace, ..Needs::default() }
    }

    /// Whether another one asks for something of what this one needs of what is kept by accounts.
    pub(in crate::engine) fn asks_people_in(&self, other: &Needs) -> bool {
        let share = |a: &BTreeSet<BareJid>, b: &BTreeSet<BareJid>| !a.is_disjoint(b);
        share(&self.accounts, &other.accounts)
            || share(&self.mentions, &other.mentions)
            || share(&self.groups, &other.groups)
            || self.pages.iter().any(|page| other.pages.contains(page))
    }

    /// The accounts and domains of which it matters in which channels or on which lists they are.
    pub(in crate::engine) fn people(&self) -> impl Iterator<Item = &BareJid> {
        let all: BTreeSet<&BareJid> = self.accounts.iter().chain(&self.mentions).chain(&self.groups).collect();
        all.into_iter()
    }

    /// How much is to be read for it, but for channels.
    pub(in crate::engine) fn count(&self) -> usize {
        let of_people = self.accounts.len() + self.mentions.len() + self.groups.len() + self.pages.len();
        of_people + self.heads.len() + self.rows.values().map(BTreeSet::len).sum::<usize>()
    }

    /// Asks for what another one asks for, too, of an archive or of what is kept by accounts.
    pub fn merge(&mut self, other: &Needs) {
        self.accounts.extend(other.accounts.iter().cloned());
        self.mentions.extend(other.mentions.iter().cloned());
        self.groups.extend(other.groups.iter().cloned());
        other.rows.iter().for_each(|(&tag, rows)| self.rows.entry(tag).or_default().extend(rows));
        self.whole.extend(&other.whole);
        self.trace = self.trace.take().or_else(|| other.trace.clone());
        let heads: Vec<_> = other.heads.iter().filter(|head| !self.heads.contains(head)).copied().collect();
        self.heads.extend(heads);
        let pages: Vec<_> = other.pages.iter().filter(|page| !self.pages.contains(page)).cloned().collect();
        self.pages.extend(pages);
    }

    /// Whether nothing has to be loaded.
    pub fn is_empty(&self) -> bool {
        let has_no_people = self.accounts.is_empty() && self.mentions.is_empty() && self.groups.is_empty();
        let has_no_work = self.pages.is_empty() && self.heads.is_empty() && self.trace.is_none();
        let has_no_rows = self.rows.is_empty() && self.past.is_empty() && self.remains.is_empty();
        has_no_people && has_no_work && has_no_rows && self.known.is_empty() && self.channels.is_empty()
    }
}

/// What was loaded.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The channels asked for, `None` for one that does not exist.
    pub channels: Vec<(ChannelName, Option<Channel>)>,
    /// The channels of the accounts asked for.
    pub memberships: Vec<(BareJid, Vec<ChannelName>)>,
    /// What lists mean to the accounts asked for.
    pub mentions: Vec<(BareJid, Mentions)>,
    /// The groups of the accounts asked for.
    pub groups: Vec<(BareJid, Vec<(ChannelName, Status)>)>,
    /// Some channels of the accounts asked for.
    pub pages: Vec<((BareJid, Deed), Vec<ChannelName>)>,
    /// Whether the accounts asked for may know of the channels asked for.
    pub known: Vec<(ChannelName, BareJid, bool)>,
    /// Where the archives asked for stood.
    pub heads: Vec<(u64, Stamp, Head)>,
    /// The rows asked for, by tag and number, `None` for one that does not exist.
    pub facts: Vec<(u64, u64, Option<Facts>)>,
    /// What those rows say in one number that were asked for with their payloads and come without, by tag and number.
    pub said: Vec<(u64, u64, u64)>,
    /// Who accounts were in channels, by tag, `None` for nobody.
    pub past: Vec<(u64, BareJid, Option<Member>)>,
    /// Who is meant of channels that are no more, by their tags.
    pub remains: Vec<((u64, Whom), Vec<BareJid>)>,
    /// What the look for accounts that are being ended found.
    pub trace: Option<Trace>,
}
