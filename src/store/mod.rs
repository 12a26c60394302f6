//! What is kept, behind one seam: [`Store`].
//!
//! The contract of [`Store::commit`]: when it returns `Ok`, every durable change given to it survives a crash of the
//! process and of the machine; when it returns [`CommitError::Refused`], none of them happened.

mod acquaintance;
mod archive;
mod backup;
mod bare;
mod clear;
mod clock;
mod erase;
mod facts;
mod keyspace;
mod living;
mod memory;
mod narrowing;
mod near;
mod page;
mod paging;
mod past;
mod pieces;
mod plan;
mod reader;
mod receipts;
mod retention;
mod shelf;
mod sled;
mod stops;
mod tour;
mod trace;
mod unsent;
mod upgrade;
mod verify;
mod visible;

pub use self::sled::folder_bytes;
pub use backup::{FileRecord, Manifest, Step, Watch};
pub use erase::{ERASED_NICK, Erased};
pub use memory::{Failure, MemoryStore};
pub use near::{near, stay_near};
pub use page::{Bounds, Narrow, Page, PagePlan};
pub use retention::{Outdated, Retention, Sweep};
pub use sled::{Aged, Compacted, Restored, SledOptions, SledStore, Upgraded};
pub use tour::{Deed, Tour};
pub use trace::{Place, Trace};
pub use unsent::{Halves, Part, Unsent};
pub use verify::{Census, Finding, Sighting};

use crate::channel::whom::Whom;
use crate::channel::{
    Actor, Change, Channel, ChannelName, Ending, Facts, Head, Member, Newcomer, Nick, ParticipantId, Progress, Receipt,
    Report, Row, Stamp, Status, Tombstone,
};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use thiserror::Error;

/// One thing to keep.
#[derive(Clone, Debug)]
// Nearly every record is of the larger kind.
#[allow(clippy::large_enum_variant)]
pub enum Record {
    /// Something happened in a channel. Volatile changes are skipped.
    Channel {
        /// The channel's localpart.
        name: ChannelName,
        /// The channel's tag.
        tag: u64,
        /// What happened.
        change: Change,
    },
    /// What is known of an account's whereabouts; `None` forgets it. Where a commit holds nothing else it is kept lazily: a
    /// crash may lose the newest ones.
    Whereabouts {
        /// The account.
        account: BareJid,
        /// What is known.
        known: Option<Whereabouts>,
    },
    /// The nick that an account registered with the service; `None` where it has none.
    Nick {
        /// The account.
        account: BareJid,
        /// The nick.
        nick: Option<Nick>,
    },
    /// An account is being ended; `None` where that is over.
    Ending {
        /// The account.
        account: BareJid,
        /// How it stands.
        ending: Option<Ending>,
    },
    /// What is known of an account that others added; `None` where it is known to be there, or ended.
    Newcomer {
        /// The account.
        account: BareJid,
        /// What is known.
        newcomer: Option<Newcomer>,
    },
    /// How far something is that an account set off in all of its channels; `None` where it is done.
    Tour {
        /// The account.
        account: BareJid,
        /// What is done.
        deed: Deed,
        /// How far it is.
        tour: Option<Tour>,
    },
    /// What is sent of all this, kept until the host server is known to have it.
    Unsent(Unsent),
    /// The host server has everything up to this number. Kept lazily: a crash may lose the newest ones.
    Sent(u64),
    /// How far the clock is believed to have come. Where a commit holds nothing else it is kept lazily.
    Clock(Belief),
}

/// How far the clock is believed to have come (see `engine::trust`); 0 where nothing is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Belief {
    /// The highest time that is believed to have come.
    pub reached: Stamp,
    /// The same for retention, which waits for the operator where the clock jumped.
    pub kept: Stamp,
}

/// How an account was last reachable (see `engine::people::accounts`).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Whereabouts {
    /// Whether its home server takes MIX traffic at the bare JID (XEP-0405).
    pub bare: bool,
    /// The resources known to take MIX traffic.
    pub resources: Vec<String>,
}

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
pub struct Standing {
    /// The channels on whose lists it is.
    pub mentions: BTreeMap<ChannelName, Mention>,
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

/// Why a commit failed.
#[derive(Debug, Error)]
pub enum CommitError {
    /// Nothing was applied; the store is as it was.
    #[error("the store refused the batch: {0}")]
    Refused(String),
    /// Nothing was applied, and nothing that this process decided counts any more: another one took its place, in a later
    /// epoch. It has to end.
    #[error("the store refused the batch: this process is of epoch {ours}, and the store is at epoch {theirs}")]
    Fenced {
        /// The epoch of this process.
        ours: u64,
        /// That of the newest commit.
        theirs: u64,
    },
    /// What the disk holds is unknown; the process has to end, and its next start replays what is there.
    #[error("the store failed while it made a batch durable: {0}")]
    Unknown(String),
}

/// What is on the disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Everything but rows.
    pub state_bytes: u64,
    /// The rows.
    pub archive_bytes: u64,
    /// The months that have rows.
    pub months: u64,
}

/// The store cannot be read, or not be opened; the text says why and what to do.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// Where channels, members, nodes and archives are kept. Every method may block.
pub trait Store: Send + Sync {
    /// The channels of these names, `None` for one that does not exist.
    ///
    /// # Errors
    /// [`StoreError`] when the disk cannot be read or holds what this version does not understand.
    fn load(&self, names: &[ChannelName]) -> Result<Vec<Option<Channel>>, StoreError>;

    /// Every channel there is, and the highest number that any ever had.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn directory(&self) -> Result<Directory, StoreError>;

    /// Everything kept of accounts' whereabouts.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn whereabouts(&self) -> Result<Vec<(BareJid, Whereabouts)>, StoreError>;

    /// The channels that an account is in, or a guest of, in the order of names.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn channels_of(&self, account: &BareJid) -> Result<Vec<ChannelName>, StoreError>;

    /// The channels that an account is in, waits for, or left and did not forget, in the order of names.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn groups_of(&self, account: &BareJid) -> Result<Vec<(ChannelName, Status)>, StoreError>;

    /// The channels that an account has a record in or is a guest of, up to so many behind one, in an order that stays.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn channels_behind(
        &self,
        account: &BareJid,
        behind: Option<&ChannelName>,
        count: usize,
    ) -> Result<Vec<ChannelName>, StoreError>;

    /// Whether whoever asks may know of the channel of a name; `false` where there is none.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn is_known_to(&self, name: &ChannelName, actor: &Actor) -> Result<bool, StoreError>;

    /// Where an archive stood at a time: at its last row of that time or before.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn head_at(&self, tag: u64, stamp: Stamp) -> Result<Head, StoreError>;

    /// What the lists of channels say of an account, or of a domain.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn standing_of(&self, account: &BareJid) -> Result<Standing, StoreError>;

    /// Where these accounts have a place: looks at `max` entries, from where the part before ended.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn trace(&self, accounts: &BTreeSet<BareJid>, from: &[u8], max: usize) -> Result<Trace, StoreError>;

    /// Makes records durable, all or nothing, in order. `now` names the partition of the archive: the time by which months
    /// begin, which no jump of a clock is to move.
    ///
    /// # Errors
    /// [`CommitError`]; see there what each demands.
    fn commit(&self, now: Stamp, records: &[Record]) -> Result<(), CommitError>;

    /// Does what was put off, where there is something: to be called about once a second, also when nothing is committed.
    ///
    /// # Errors
    /// [`CommitError`], as for a commit.
    fn idle(&self, _now: Stamp) -> Result<(), CommitError> {
        Ok(())
    }

    /// Does all of what was put off that the next start would find undone: to be called once, when nothing more is
    /// committed.
    ///
    /// # Errors
    /// [`CommitError`], as for a commit.
    fn finish(&self, now: Stamp) -> Result<(), CommitError> {
        self.idle(now)
    }

    /// One page of an archive.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn page(&self, plan: &PagePlan) -> Result<Page, StoreError>;

    /// These rows of an archive, in the order asked for; `None` for a row that is not there.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn rows(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Row>>, StoreError>;

    /// What is known of these rows, in the order asked for: with whether each was retracted, and what corrects it.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn facts(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Facts>>, StoreError>;

    /// Whether each of these rows can be looked at in the state and in the current month alone, or else is not there.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn at_hand(&self, tag: u64, numbers: &[u64]) -> Result<Vec<bool>, StoreError>;

    /// What is left of those of these rows that were retracted.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn tombstones(&self, tag: u64, numbers: &[u64]) -> Result<BTreeMap<u64, Tombstone>, StoreError>;

    /// When a row arrived at these participants and was read by them: those of whom it is known how far it came. Two scans
    /// of a range at most, which end as soon as all is found (docs/storage.md).
    ///
    /// # Errors
    /// As [`Store::load`].
    fn receipts(
        &self,
        tag: u64,
        row: u64,
        reached: &[(ParticipantId, Progress)],
    ) -> Result<HashMap<ParticipantId, Receipt>, StoreError>;

    /// The rows that an archive still holds; `None` where it holds none.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn bounds(&self, tag: u64) -> Result<Option<Bounds>, StoreError>;

    /// The records of these participants, without what their reports amount to.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn people(&self, tag: u64, ids: &[ParticipantId]) -> Result<HashMap<ParticipantId, Member>, StoreError>;

    /// Who these accounts were in a channel that gave their records up: those of whom anything is kept, without their stays
    /// and preferences.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn past(&self, tag: u64, accounts: &[BareJid]) -> Result<HashMap<BareJid, Member>, StoreError>;

    /// Everybody whom an account was in a channel that gave up the records, accounts of its name that are no more included.
    /// It goes through all that is left of records there.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn given_up(&self, tag: u64, account: &BareJid) -> Result<Vec<Member>, StoreError>;

    /// The reports of a participant, in no order.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn reports(&self, tag: u64, member: &ParticipantId) -> Result<Vec<Report>, StoreError>;

    /// Erases an account that is out of every channel: what it wrote, what it was called and what it reported. Others
    /// commit and read meanwhile. Tells the channels that are other than before.
    ///
    /// # Errors
    /// Those of reading and writing; it may be done again then.
    fn erase(&self, account: &BareJid) -> Result<Erased, StoreError>;

    /// Every entry that says something of an account, but for what others wrote; nothing where it is erased.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn look_for(&self, account: &BareJid) -> Result<Vec<String>, StoreError>;

    /// What is on the disk.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn sizes(&self) -> Result<Sizes, StoreError> {
        Ok(Sizes::default())
    }

    /// Who is meant of a channel that is no more, in the order of participant ids, and guests last: as long as what is
    /// unsent is for them.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn remains(&self, tag: u64, whom: &Whom) -> Result<Vec<BareJid>, StoreError>;

    /// What the host server is not known to have, oldest first.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn unsent(&self) -> Result<Vec<Unsent>, StoreError>;

    /// Looks at `count` channels, from where the part before ended, and tells which of them have rows that are too old.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn sweep(&self, retention: &Retention, from: &[u8], count: usize) -> Result<Sweep, StoreError>;

    /// Drops the months that are too old and hold no row of any channel. Tells how many went, and how many have to wait:
    /// they hold rows that are not expired yet, or somebody reads or copies them.
    ///
    /// # Errors
    /// As [`Store::load`], and a folder that cannot be removed.
    fn drop_months(&self, retention: &Retention) -> Result<(usize, usize), StoreError>;

    /// Copies everything, as it is at one point between two commits, into a folder that is made for it, or empty; commits
    /// go on meanwhile. `clock` tells the time, `watch` learns how far it is and may end it.
    ///
    /// # Errors
    /// A folder that is not empty, and whatever cannot be read or written; nothing is left of a copy that failed.
    fn backup(&self, _to: &Path, _clock: &dyn Fn() -> Stamp, _watch: &mut Watch<'_>) -> Result<Manifest, StoreError> {
        Err(StoreError("this store is kept in memory alone: there is nothing to back up".into()))
    }

    /// The key that seals row numbers into ids; made when the store was, and never changed.
    fn sealing_key(&self) -> [u8; 16];
}
