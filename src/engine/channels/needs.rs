//! What to load before a batch. It may take rounds: an account's groups tell which channels to load.

use super::super::TraceWish;
use crate::channel::backlog::Backlog;
use crate::channel::whom::Whom;
use crate::channel::{Actor, Channel, ChannelName, Facts, Head, Member, ParticipantId, Row, Stamp, Status};
use crate::store::{Deed, Mentions, Trace};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The most rounds of loading. After them, a turn goes on with what it has.
pub const ROUNDS_MAX: usize = 4;

/// What to load before a turn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Channels that exist and are not in memory.
    pub channels: Vec<ChannelName>,
    /// Accounts whose channels are needed.
    pub accounts: BTreeSet<BareJid>,
    /// Accounts and domains whose entries in lists are needed.
    pub mentions: BTreeSet<BareJid>,
    /// Accounts whose groups are needed: joined, invited and left ones.
    pub groups: BTreeSet<BareJid>,
    /// Rows whose facts are needed, by tag.
    pub rows: BTreeMap<u64, BTreeSet<u64>>,
    /// Former members, by tag.
    pub past: BTreeMap<u64, BTreeSet<BareJid>>,
    /// Recipients of stored stanzas of destroyed channels, by tag.
    pub remains: BTreeSet<(u64, Whom)>,
    /// A search for the places of accounts that are being ended.
    pub trace: Option<TraceWish>,
    /// The next channels of tours: after this name, up to this many.
    pub pages: Vec<((BareJid, Deed), Option<ChannelName>, usize)>,
    /// Channels not in memory, and accounts of which it is needed whether they may know of them.
    pub known: Vec<(ChannelName, Actor)>,
    /// Heads of archives at a time, by tag.
    pub heads: Vec<(u64, Stamp)>,
    /// Rows that are needed with their payloads, by tag and number.
    pub whole: BTreeSet<(u64, u64)>,
    /// Of which parts of archives the newest messages are wanted, by the channels' tags, and how many.
    pub backlogs: BTreeMap<(u64, Backlog), usize>,
    /// Whether what is in memory counts as well.
    pub(in crate::engine) with_warm: bool,
}

impl Needs {
    /// The part about who may know of which channels.
    pub fn known_alone(self) -> Needs {
        Needs { known: self.known, ..Needs::default() }
    }

    /// Rows, heads and newest messages of archives, and nothing else.
    pub fn of_archives(
        rows: BTreeMap<u64, BTreeSet<u64>>,
        whole: BTreeSet<(u64, u64)>,
        heads: Vec<(u64, Stamp)>,
        backlogs: BTreeMap<(u64, Backlog), usize>,
    ) -> Needs {
        Needs { rows, whole, heads, backlogs, ..Needs::default() }
    }

    /// Takes out the part that is kept by accounts.
    pub fn take_people(&mut self) -> Needs {
        let Needs { accounts, mentions, groups, pages, trace, .. } = self;
        let (accounts, mentions) = (std::mem::take(accounts), std::mem::take(mentions));
        let (groups, pages, trace) = (std::mem::take(groups), std::mem::take(pages), trace.take());
        Needs { accounts, mentions, groups, pages, trace, ..Needs::default() }
    }

    /// Whether both need something of the same part that is kept by accounts.
    pub(in crate::engine) fn asks_people_in(&self, other: &Needs) -> bool {
        let share = |a: &BTreeSet<BareJid>, b: &BTreeSet<BareJid>| !a.is_disjoint(b);
        share(&self.accounts, &other.accounts)
            || share(&self.mentions, &other.mentions)
            || share(&self.groups, &other.groups)
            || self.pages.iter().any(|page| other.pages.contains(page))
    }

    /// Accounts and domains whose channels or list entries are needed.
    pub(in crate::engine) fn people(&self) -> impl Iterator<Item = &BareJid> {
        let all: BTreeSet<&BareJid> = self.accounts.iter().chain(&self.mentions).chain(&self.groups).collect();
        all.into_iter()
    }

    /// How much to read, without channels.
    pub(in crate::engine) fn count(&self) -> usize {
        let of_people = self.accounts.len() + self.mentions.len() + self.groups.len() + self.pages.len();
        let said = self.backlogs.values().sum::<usize>();
        of_people + self.heads.len() + said + self.rows.values().map(BTreeSet::len).sum::<usize>()
    }

    /// Adds the needs of another one, of an archive or of accounts.
    pub fn merge(&mut self, other: &Needs) {
        self.accounts.extend(other.accounts.iter().cloned());
        self.mentions.extend(other.mentions.iter().cloned());
        self.groups.extend(other.groups.iter().cloned());
        other.rows.iter().for_each(|(&tag, rows)| self.rows.entry(tag).or_default().extend(rows));
        self.whole.extend(&other.whole);
        for (backlog, &count) in &other.backlogs {
            let most = self.backlogs.entry(backlog.clone()).or_default();
            *most = count.max(*most);
        }
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
        let has_no_rows = has_no_rows && self.backlogs.is_empty();
        has_no_people && has_no_work && has_no_rows && self.known.is_empty() && self.channels.is_empty()
    }
}

/// What was loaded, for [`Needs`].
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Channels. `None` if it does not exist.
    pub channels: Vec<(ChannelName, Option<Channel>)>,
    /// Channels of accounts.
    pub memberships: Vec<(BareJid, Vec<ChannelName>)>,
    /// Entries of accounts and domains in lists.
    pub mentions: Vec<(BareJid, Mentions)>,
    /// Groups of accounts.
    pub groups: Vec<(BareJid, Vec<(ChannelName, Status)>)>,
    /// The next channels of tours.
    pub pages: Vec<((BareJid, Deed), Vec<ChannelName>)>,
    /// Whether accounts may know of channels.
    pub known: Vec<(ChannelName, BareJid, bool)>,
    /// Heads of archives at a time.
    pub heads: Vec<(u64, Stamp, Head)>,
    /// Rows by tag and number. `None` if it does not exist.
    pub facts: Vec<(u64, u64, Option<Facts>)>,
    /// Gists of rows that were needed with their payloads but come without, by tag and number.
    pub said: Vec<(u64, u64, u64)>,
    /// Former members, by tag. `None` if the account was none.
    pub past: Vec<(u64, BareJid, Option<Member>)>,
    /// Recipients of stored stanzas of destroyed channels, by tag.
    pub remains: Vec<((u64, Whom), Vec<BareJid>)>,
    /// What was said last in the parts of archives asked for.
    pub backlogs: Vec<((u64, Backlog), LastSaid)>,
    /// What the look for accounts that are being ended found.
    pub trace: Option<Trace>,
}

/// The newest messages of a part of an archive.
#[derive(Clone, Debug, Default)]
pub struct LastSaid {
    /// How many were asked for.
    pub max: usize,
    /// The messages, oldest first.
    pub rows: Vec<Row>,
    /// The records of their authors.
    pub authors: HashMap<ParticipantId, Member>,
}
