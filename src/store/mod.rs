//! Everything that is stored, behind one trait: [`Store`].
//!
//! The contract of [`Store::commit`]: when it returns `Ok`, every durable change given to it survives a crash of the
//! process and of the machine; when it returns [`CommitError::Refused`], none of them happened.

mod acquaintance;
mod archive;
mod backup;
mod bare;
mod clear;
mod clock;
mod databases;
mod directory;
mod erase;
mod error;
mod facts;
mod keyspace;
mod living;
mod look_for;
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
mod record;
mod retention;
mod seen;
mod sled;
mod stops;
mod tour;
mod trace;
mod unsent;
mod upgrade;
mod verify;
mod visible;

pub use self::sled::folder_bytes;
pub use backup::{FileRecord, Manifest, Watch, WorkProgress};
pub use directory::{Directory, Listing, Mention, Mentions, Sign};
pub use erase::{ERASED_NICK, Erased, Unrecorded};
pub use error::{CommitError, StoreError};
pub use memory::{Failure, MemoryStore};
pub use near::{near, stay_near};
pub use page::{Bounds, Narrow, PagePlan, RowPage};
pub use record::{Belief, Record, SavedClient, SavedSeat, TRACED_MAX, Whereabouts};
pub use retention::{Outdated, Retention, Sweep};
pub use sled::{Aged, Compacted, Restored, SledOptions, SledStore, UPGRADED_AT_START_BYTES_MAX, Upgraded};
pub use tour::{Deed, Tour};
pub use trace::{Place, Trace};
pub use unsent::{Halves, Part, Unsent};
pub use verify::{Finding, StoreCensus, VerifyEvent};

use crate::channel::whom::Whom;
use crate::channel::{
    Actor, Channel, ChannelName, Facts, Head, Member, ParticipantId, Progress, Receipt, Report, Row, Stamp, Status,
    Tombstone,
};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// What the store takes on the disk, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Everything but rows.
    pub state_bytes: u64,
    /// The rows.
    pub archive_bytes: u64,
    /// How many months have rows.
    pub months: u64,
}

/// Keeps channels, members, nodes and archives. Every method may block.
pub trait Store: Send + Sync {
    /// The channels of these names, `None` for one that does not exist.
    ///
    /// # Errors
    /// [`StoreError`] when the disk cannot be read or holds what this version does not understand.
    fn load(&self, names: &[ChannelName]) -> Result<Vec<Option<Channel>>, StoreError>;

    /// What a start reads: every channel, and what else is in memory as a whole.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn directory(&self) -> Result<Directory, StoreError>;

    /// What is known of all accounts' whereabouts.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn whereabouts(&self) -> Result<Vec<(BareJid, Whereabouts)>, StoreError>;

    /// The channels that an account is in or a guest of, in the order of names.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn channels_of(&self, account: &BareJid) -> Result<Vec<ChannelName>, StoreError>;

    /// The channels that an account is in, is invited to, or left and did not forget, in the order of names.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn groups_of(&self, account: &BareJid) -> Result<Vec<(ChannelName, Status)>, StoreError>;

    /// Up to `count` channels that an account has a record in or is a guest of. They come in an order that never
    /// changes, and begin after the channel `behind`.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn channels_behind(
        &self,
        account: &BareJid,
        behind: Option<&ChannelName>,
        count: usize,
    ) -> Result<Vec<ChannelName>, StoreError>;

    /// Whether an account may know of the channel of this name; `false` where there is none.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn is_known_to(&self, name: &ChannelName, actor: &Actor) -> Result<bool, StoreError>;

    /// Where an archive stood at a time: at its last row up to then.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn head_at(&self, tag: u64, stamp: Stamp) -> Result<Head, StoreError>;

    /// What the lists of channels say of an account, or of a domain.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn mentions_of(&self, account: &BareJid) -> Result<Mentions, StoreError>;

    /// Where these accounts have a place. Looks at `max` entries from `from` on, which is where the part before ended.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn trace(&self, accounts: &BTreeSet<BareJid>, from: &[u8], max: usize) -> Result<Trace, StoreError>;

    /// Makes records durable, all or nothing, in order. `now` decides in which month rows lie. It is the time by which
    /// months begin, which no jump of a clock moves.
    ///
    /// # Errors
    /// [`CommitError`]; see there what each demands.
    fn commit(&self, now: Stamp, records: &[Record]) -> Result<(), CommitError>;

    /// Does a part of the work that was put off. To be called about once a second, also when nothing is committed.
    ///
    /// # Errors
    /// [`CommitError`], as for a commit.
    fn idle(&self, _now: Stamp) -> Result<(), CommitError> {
        Ok(())
    }

    /// Does all of the work that was put off, so that the next start has none of it. To be called once, after the last
    /// commit.
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
    fn page(&self, plan: &PagePlan) -> Result<RowPage, StoreError>;

    /// Rows of an archive, in the order of `numbers`; `None` for a row that does not exist.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn rows(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Row>>, StoreError>;

    /// What is known of rows, in the order of `numbers`: also whether each was retracted. `None` for a row that does
    /// not exist.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn facts(&self, tag: u64, numbers: &[u64]) -> Result<Vec<Option<Facts>>, StoreError>;

    /// Whether each of these rows can be looked up in the state and the current month alone, or does not exist.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn at_hand(&self, tag: u64, numbers: &[u64]) -> Result<Vec<bool>, StoreError>;

    /// The tombstones of those of these rows that were retracted.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn tombstones(&self, tag: u64, numbers: &[u64]) -> Result<BTreeMap<u64, Tombstone>, StoreError>;

    /// When a row arrived at these participants and was read by them. Each comes with how far the row is known to have
    /// come. Costs at most two scans of a range, which end once everything is found (docs/storage.md).
    ///
    /// # Errors
    /// As [`Store::load`].
    fn receipts(
        &self,
        tag: u64,
        row: u64,
        reached: &[(ParticipantId, Progress)],
    ) -> Result<HashMap<ParticipantId, Receipt>, StoreError>;

    /// The rows that an archive still holds; `None` where there are none.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn bounds(&self, tag: u64) -> Result<Option<Bounds>, StoreError>;

    /// The records of these participants, without the sums of their reports.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn people(&self, tag: u64, ids: &[ParticipantId]) -> Result<HashMap<ParticipantId, Member>, StoreError>;

    /// Who these accounts were in a channel that gave their records up, without stays and preferences. Accounts of
    /// which nothing is kept are left out.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn past(&self, tag: u64, accounts: &[BareJid]) -> Result<HashMap<BareJid, Member>, StoreError>;

    /// Every participant that an account was in a channel and whose record was given up. This includes earlier accounts
    /// of the same name. It reads all traces of the channel.
    /// # Errors
    /// As [`Store::load`].
    fn given_up(&self, tag: u64, account: &BareJid) -> Result<Vec<Member>, StoreError>;

    /// All reports of a participant.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn reports(&self, tag: u64, member: &ParticipantId) -> Result<Vec<Report>, StoreError>;

    /// Erases an account that is out of every channel: what it wrote, its names, and what it reported. Commits and
    /// reads go on meanwhile. `unrecorded` finds what it wrote where it passed by. Returns the channels that were changed.
    ///
    /// # Errors
    /// Those of reading and writing. Erasing may be repeated then.
    fn erase(&self, account: &BareJid, unrecorded: Unrecorded<'_>) -> Result<Erased, StoreError>;

    /// Every entry that names an account, except in what others wrote. None once the account is erased.
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

    /// The people of a destroyed channel whom `whom` means: participants in the order of their ids, then guests. They
    /// are kept as long as anything unsent is for them.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn remains(&self, tag: u64, whom: &Whom) -> Result<Vec<BareJid>, StoreError>;

    /// What the host server is not yet known to have, oldest first.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn unsent(&self) -> Result<Vec<Unsent>, StoreError>;

    /// Looks at `count` channels from `from` on, which is where the part before ended. Returns those with rows that are
    /// too old.
    ///
    /// # Errors
    /// As [`Store::load`].
    fn sweep(&self, retention: &Retention, from: &[u8], count: usize) -> Result<Sweep, StoreError>;

    /// Drops the months that are too old and hold no row of any channel. Returns how many were dropped and how many
    /// have to wait, because they hold rows that are not expired yet, or because somebody reads or copies them.
    ///
    /// # Errors
    /// As [`Store::load`], and a folder that cannot be removed.
    fn drop_months(&self, retention: &Retention) -> Result<(usize, usize), StoreError>;

    /// Copies everything as of one moment between two commits into a new or empty folder. Commits go on meanwhile.
    /// `clock` tells the time; `watch` is told of the progress and may stop the copy.
    ///
    /// # Errors
    /// A folder that is not empty, and whatever cannot be read or written; nothing is left of a copy that failed.
    fn backup(&self, _to: &Path, _clock: &dyn Fn() -> Stamp, _watch: &mut Watch<'_>) -> Result<Manifest, StoreError> {
        Err(StoreError("this store is kept in memory alone: there is nothing to back up".into()))
    }

    /// The file that keeps other processes out of the store, for the next program of this process. `None` where there is none.
    fn lock(&self) -> Option<std::fs::File> {
        None
    }

    /// The key that seals row numbers into ids. It is made with the store and never changes.
    fn sealing_key(&self) -> [u8; 16];
}
