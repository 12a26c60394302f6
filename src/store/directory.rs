//! What is kept in memory of every channel, and what the lists of channels say of an account.

use super::{Belief, SavedSeat, Tour};
use crate::channel::{AccountMark, ChannelName, Ending, GoneChannel, Newcomer, Nick, Stamp};
use jid::BareJid;
use std::collections::BTreeMap;

/// A channel in the directory. All listings are in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The localpart.
    pub name: ChannelName,
    /// The tag.
    pub tag: u64,
    /// Its number within the service.
    pub gid: u32,
    /// Whether people outside can find the channel.
    pub listed: bool,
    /// Whether it shows the JIDs of participants to each other (XEP-0404 §2.2).
    pub shows_jids: bool,
    /// When it is destroyed; never where absent.
    pub end_of_life: Option<Stamp>,
    /// Who created it.
    pub creator: BareJid,
    /// Of a listed channel, the name shown to people where that is another than its localpart.
    pub title: Option<Box<str>>,
    /// Of a channel that is published, also to some alone: what else is searched for and told of it. A start takes it out.
    pub sign: Option<Box<Sign>>,
}

/// What a search tells of a channel beside its name (XEP-0433).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sign {
    /// The payload of its information item, which holds the description. Empty where it is very long.
    pub info: Box<str>,
    /// Its language.
    pub lang: Option<String>,
    /// Whether whoever finds it may join without a password.
    pub is_open: bool,
}

/// The longest information of which a start reads the description, in bytes. A longer one is read with its channel.
pub const SIGN_BYTES_MAX: usize = 4096;
/// The longest name that the directory keeps, in bytes. A channel with a longer one is listed by its localpart.
const TITLE_BYTES_MAX: usize = 256;

impl Listing {
    /// What the directory keeps of a channel's name.
    pub fn kept_title<'a>(name: &ChannelName, listed: bool, label: Option<&'a str>) -> Option<&'a str> {
        label.filter(|label| listed && label.len() <= TITLE_BYTES_MAX && *label != name.unescaped())
    }
}

/// What a start reads: every channel, registered nicks, what is under way for accounts, who sat in rooms, what is left
/// of destroyed channels, and how far the clock came.
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
    /// What accounts set off in all of their channels and is not done yet.
    pub tours: Vec<Tour>,
    /// Who sat in rooms.
    pub seats: Vec<SavedSeat>,
    /// What is left of destroyed channels.
    pub gone: Vec<GoneChannel>,
    /// How many accounts of each name have ended, of those of which any has.
    pub ended: Vec<(AccountMark, u32)>,
}

/// What the lists of channels say of an account or a domain. Only channels that are listed count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// The channels on whose lists it is.
    pub by_channel: BTreeMap<ChannelName, Mention>,
}

/// What the lists of one channel say of an account or a domain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mention {
    /// It is on the list of those who may join (the node `allowed`).
    pub allowed: bool,
    /// It is on the list of those who may not join (the node `banned`).
    pub banned: bool,
    /// Owners and admins that are this account or of this domain: they may join whatever the lists say.
    pub spared: Vec<BareJid>,
}
