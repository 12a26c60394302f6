//! What is in memory of every channel there is, and what the lists of channels say of an account.

use super::{Belief, Tour};
use crate::channel::{ChannelName, Ending, Newcomer, Nick, Stamp};
use jid::BareJid;
use std::collections::BTreeMap;

/// A channel in the directory, which is in memory as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The localpart.
    pub name: ChannelName,
    /// The tag.
    pub tag: u64,
    /// Its number within the service.
    pub gid: u32,
    /// Whether people who are not in it find it.
    pub listed: bool,
    /// Whether it tells everybody in it who the others are (XEP-0404 §2.2).
    pub shows_jids: bool,
    /// When it is destroyed; never where absent.
    pub end_of_life: Option<Stamp>,
    /// Who created it.
    pub creator: BareJid,
}

/// Every channel there is, what numbers channels have had, and which nicks are registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Directory {
    /// The channels, in the order of names.
    pub listings: Vec<Listing>,
    /// The highest number ever given to a channel, destroyed ones included; 0 where there was none.
    pub gid_highest: u32,
    /// The nicks that accounts registered with the service.
    pub nicks: Vec<(BareJid, Nick)>,
    /// How far the clock was believed to have come.
    pub clock: Belief,
    /// The accounts that are being ended.
    pub endings: Vec<(BareJid, Ending)>,
    /// The accounts that others added and that did nothing so far.
    pub newcomers: Vec<(BareJid, Newcomer)>,
    /// What accounts set off in all of their channels and is not done.
    pub tours: Vec<Tour>,
}

/// What the lists of channels say of an account, or of a domain: only of channels that are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The channels on whose lists it is.
    pub by_channel: BTreeMap<ChannelName, Mention>,
}

/// What the lists of one channel say of an account or a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mention {
    /// It is on the list of those who may join.
    pub allowed: bool,
    /// It is on the list of those who may not.
    pub banned: bool,
    /// The owners and admins that are it, or of it: they may join whatever the lists say.
    pub spared: Vec<BareJid>,
}
