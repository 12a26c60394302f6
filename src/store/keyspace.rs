//! The layout of the store, in this place alone: keys, values, and the version in front of every value.
//!
//! A key starts with a letter that says what it is. Numbers are big-endian, so keys sort as numbers do. Long names and
//! accounts are replaced by digests, because a page of the tree has to stay small (see `pieces`). A value is a version
//! byte and its postcard encoding. Another version is refused, never guessed at.

mod lists;
mod month;
mod names;
mod parts;
mod rooms;
mod traces;
mod values;

pub(super) use lists::*;
pub(super) use month::Month;
pub(super) use names::*;
pub(super) use rooms::*;
pub(super) use traces::*;
pub(super) use values::*;

use super::{Deed, StoreError};
use crate::channel::receipts::REPORT_ROWS_MAX;
use crate::channel::{
    ChannelName, Head, Invitation, MediaKind, Node, ParticipantId, Profile, Report, Reported, Rights, Settings, Stamp,
    Status,
};
use jid::BareJid;
use parts::{key, short};
use serde::{Deserialize, Serialize};

/// The process of the service that a parcel belongs to. A store on disk serves one.
pub(super) const NODE: u16 = 0;
/// How many rows share one entry of the index of blocks.
pub(super) const BLOCK_ROWS: u64 = 128;
/// How many rows a near report spans at most.
pub(super) const REACH_NEAR: u64 = 128;
/// In the state: the key of the newest commit whose changes the state holds.
pub(super) const APPLIED: &[u8] = b"sapplied";
/// In the state: the key of the sealing key.
pub(super) const SEALING: &[u8] = b"ssealing";
/// In the state: the key of the highest number ever given to a channel, which outlives that channel.
pub(super) const GID_HIGHEST: &[u8] = b"sgid";
/// In the state: the key of how far the clock is believed to have come ([`Belief`](super::record::Belief)).
pub(super) const CLOCK: &[u8] = b"sclock";
/// In a month: the key of its newest [`Commit`].
pub(super) const NEWEST: &[u8] = b"n";
/// In a month: the key of the newest commit whose redo record was dropped, which the state has to hold.
pub(super) const DROPPED: &[u8] = b"d";

/// The directory entry of a channel. Rights may be long, so they come last: a change of the rest copies their bytes.
#[derive(Serialize, Deserialize)]
pub(super) struct DirectoryEntry {
    pub(super) head: EntryHead,
    pub(super) rights: Rights,
}

/// A directory entry without the rights. What a listing needs comes first, so that it can be read alone.
#[derive(Serialize, Deserialize)]
pub(super) struct EntryHead {
    pub(super) name: ChannelName,
    pub(super) tag: u64,
    pub(super) listed: bool,
    pub(super) gid: u32,
    pub(super) profile: Profile,
    pub(super) settings: Settings,
}

impl EntryHead {
    /// That of a new channel.
    pub(super) fn new(name: &ChannelName, tag: u64, profile: &Profile, settings: &Settings) -> EntryHead {
        let (name, profile, settings) = (name.clone(), profile.clone(), settings.clone());
        EntryHead { name, tag, listed: profile.listed, gid: profile.gid, profile, settings }
    }
}

/// An entry of the account index: a channel, its tag, and the account's status there.
#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct IndexedMember {
    pub(super) name: ChannelName,
    pub(super) tag: u64,
    pub(super) status: Status,
    pub(super) forgotten: bool,
}

/// An entry of the account index for a channel that the account is a guest of.
#[derive(Serialize, Deserialize)]
pub(super) struct IndexedGuest {
    pub(super) name: ChannelName,
    pub(super) tag: u64,
}

/// Something that ended at once and whose records are still to be cleared away.
#[derive(Serialize, Deserialize)]
pub(super) enum Grave {
    /// A channel.
    Channel { tag: u64, name: ChannelName },
    /// The entries of a list.
    List { tag: u64, node: Node, generation: u64 },
    /// What is known of the rows of a channel up to `row`, which are gone by their age. `cursor` is the key up to which
    /// it is cleared.
    Below { tag: u64, row: u64, cursor: Vec<u8> },
    /// A channel whose people are told of its end by the parcel of this number. Its members and guests are kept until
    /// the parcel is dropped. `is_bare` says that everything else is cleared.
    Told { tag: u64, name: ChannelName, parcel: u64, is_bare: bool },
}

/// How far apart the first and the last row of a report are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// At most [`REACH_NEAR`] rows.
    Near,
    /// More, and at most [`REPORT_ROWS_MAX`].
    Far,
}

impl Reach {
    fn of(first: u64, last: u64) -> Reach {
        if last - first < REACH_NEAR { Reach::Near } else { Reach::Far }
    }

    /// How many rows a report takes at most, from its first to its last.
    pub(super) fn rows_max(self) -> u64 {
        match self {
            Reach::Near => REACH_NEAR,
            Reach::Far => REPORT_ROWS_MAX,
        }
    }
}

/// The sum of a member's reports, and the mark up to which they say it has read.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) member: ParticipantId,
    pub(super) reported: Reported,
    pub(super) mark: (u64, u64),
}

/// The months that hold rows of a channel, oldest first, and where its archive stood before the oldest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Spans {
    pub(super) base: Head,
    /// How many numbers the next row skips, because this store was restored: rows behind the backup, which are lost,
    /// may have had them.
    pub(super) skip: u64,
    pub(super) months: Vec<Span>,
}

/// The rows of a channel in one month, from `first`, stamped `since`, to the next span or the gap before it. Stamps
/// never fall within a span. So a month has several spans where a gap lies in it, where the clock was set back, and
/// where stamps leave the month. They may leave it because no month begins while the clock is not believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) month: Month,
    pub(super) first: u64,
    pub(super) since: Stamp,
    /// How many numbers before `first` have no row.
    pub(super) gap: u64,
}

impl Span {
    /// A span without rows, with the highest stamp. It marks that stamps may have fallen here, by an unknown amount.
    pub(super) fn fall(month: Month, first: u64, gap: u64) -> Span {
        Span { month, first, since: Stamp(u64::MAX), gap }
    }

    /// Whether its stamps lie behind its month.
    pub(super) fn is_astray(&self) -> bool {
        self.since >= self.month.end()
    }

    /// The last number that a row before this span can have.
    pub(super) fn end_before(&self) -> u64 {
        self.first.saturating_sub(1 + self.gap)
    }
}

/// The first fields of a stored [`Row`], in order: number, stamp, author, ordinal. They fit into the first piece of any
/// row.
pub(super) type RowStart = (u64, Stamp, ParticipantId, u64);

/// Changes of the state: values by key, `None` to delete. Applying them twice has the effect of applying them once.
pub(super) type Ops = std::collections::BTreeMap<Vec<u8>, Option<Vec<u8>>>;

pub(super) fn channel(name: &ChannelName) -> Vec<u8> {
    key(b'c', &[&short(name.as_str())])
}

pub(super) fn members(tag: u64) -> Vec<u8> {
    key(b'm', &[&tag.to_be_bytes()])
}

pub(super) fn member(tag: u64, id: &ParticipantId) -> Vec<u8> {
    key(b'm', &[&tag.to_be_bytes(), &short(id.as_str())])
}

pub(super) fn guests(tag: u64) -> Vec<u8> {
    key(b'u', &[&tag.to_be_bytes()])
}

pub(super) fn guest(tag: u64, jid: &BareJid) -> Vec<u8> {
    key(b'u', &[&tag.to_be_bytes(), &short(jid.as_str())])
}

pub(super) fn invitations(tag: u64) -> Vec<u8> {
    key(b'j', &[&tag.to_be_bytes()])
}

pub(super) fn invitation(tag: u64, invitation: &Invitation) -> Vec<u8> {
    let (invitee, inviter) = (short(invitation.invitee.as_str()), short(invitation.inviter.as_str()));
    key(b'j', &[&tag.to_be_bytes(), &invitee, &inviter])
}

pub(super) fn invitations_of(tag: u64, invitee: &BareJid) -> Vec<u8> {
    key(b'j', &[&tag.to_be_bytes(), &short(invitee.as_str())])
}

/// The channels that an account is a guest of.
pub(super) fn visits(account: &BareJid) -> Vec<u8> {
    key(b'v', &[&short(account.as_str())])
}

pub(super) fn visit(account: &BareJid, name: &ChannelName) -> Vec<u8> {
    key(b'v', &[&short(account.as_str()), &short(name.as_str())])
}

pub(super) fn items(tag: u64) -> Vec<u8> {
    key(b'i', &[&tag.to_be_bytes()])
}

pub(super) fn item(tag: u64, node: Node) -> Vec<u8> {
    key(b'i', &[&tag.to_be_bytes(), &[node as u8]])
}

pub(super) fn tombstones(tag: u64) -> Vec<u8> {
    key(b'o', &[&tag.to_be_bytes()])
}

pub(super) fn tombstone(tag: u64, row: u64) -> Vec<u8> {
    key(b'o', &[&tag.to_be_bytes(), &row.to_be_bytes()])
}

pub(super) fn all_corrections(tag: u64) -> Vec<u8> {
    key(b'k', &[&tag.to_be_bytes()])
}

pub(super) fn corrections(tag: u64, target: u64) -> Vec<u8> {
    key(b'k', &[&tag.to_be_bytes(), &target.to_be_bytes()])
}

pub(super) fn correction(tag: u64, target: u64, row: u64) -> Vec<u8> {
    key(b'k', &[&tag.to_be_bytes(), &target.to_be_bytes(), &row.to_be_bytes()])
}

pub(super) fn all_reports(tag: u64) -> Vec<u8> {
    key(b'q', &[&tag.to_be_bytes()])
}

/// The first key of the reports of this reach that end in row `last` or later. Far reports lie apart, so that few
/// reports lie between a row and the report that covers it.
pub(super) fn reports(tag: u64, reach: Reach, last: u64) -> Vec<u8> {
    key(b'q', &[&tag.to_be_bytes(), &[reach as u8], &last.to_be_bytes()])
}

pub(super) fn report(tag: u64, report: &Report) -> Vec<u8> {
    let (first, last) = report.ends();
    let (reach, member) = (Reach::of(first, last), short(report.member.as_str()));
    key(b'q', &[&tag.to_be_bytes(), &[reach as u8], &last.to_be_bytes(), &[report.progress as u8], &member])
}

/// Whether a key is one of a report.
pub(super) fn is_report(key: &[u8]) -> bool {
    key.first() == Some(&b'q')
}

/// The tag behind the letter of a key.
pub(super) fn tag_of(key: &[u8]) -> Result<u64, StoreError> {
    let tag = key.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
    tag.ok_or_else(|| StoreError("a key is too short".into()))
}

pub(super) fn all_sums(tag: u64) -> Vec<u8> {
    key(b'p', &[&tag.to_be_bytes()])
}

pub(super) fn sum(tag: u64, member: &ParticipantId) -> Vec<u8> {
    key(b'p', &[&tag.to_be_bytes(), &short(member.as_str())])
}

pub(super) fn spans(tag: u64) -> Vec<u8> {
    key(b'h', &[&tag.to_be_bytes()])
}

/// The mark of a destroyed channel that is being cleared away.
pub(super) fn grave(tag: u64) -> Vec<u8> {
    key(b'g', &[&tag.to_be_bytes()])
}

/// The mark of a channel whose rows went by age, while what is known of them is being cleared away.
pub(super) fn horizon_grave(tag: u64) -> Vec<u8> {
    key(b'g', &[&tag.to_be_bytes(), &[u8::MAX]])
}

/// The mark of a list whose entries are being cleared away.
pub(super) fn list_grave(tag: u64, node: Node, generation: u64) -> Vec<u8> {
    key(b'g', &[&tag.to_be_bytes(), &[node as u8], &generation.to_be_bytes()])
}

pub(super) fn memberships(account: &BareJid) -> Vec<u8> {
    key(b'a', &[&short(account.as_str())])
}

pub(super) fn membership(account: &BareJid, name: &ChannelName) -> Vec<u8> {
    key(b'a', &[&short(account.as_str()), &short(name.as_str())])
}

pub(super) fn whereabouts(account: &BareJid) -> Vec<u8> {
    key(b'w', &[&short(account.as_str())])
}

/// The seats of an account in rooms.
pub(super) fn seats(account: &BareJid) -> Vec<u8> {
    key(b'S', &[&short(account.as_str())])
}

/// The seat of an account in a room.
pub(super) fn seat(account: &BareJid, tag: u64) -> Vec<u8> {
    key(b'S', &[&short(account.as_str()), &tag.to_be_bytes()])
}

pub(super) fn registered_nick(account: &BareJid) -> Vec<u8> {
    key(b'y', &[&short(account.as_str())])
}

/// An account that others added.
pub(super) fn newcomer(account: &BareJid) -> Vec<u8> {
    key(b't', &[&short(account.as_str())])
}

/// An account that is being ended.
pub(super) fn ending(account: &BareJid) -> Vec<u8> {
    key(b'n', &[&short(account.as_str())])
}

/// What an account set off in all of its channels.
pub(super) fn tour(account: &BareJid, deed: Deed) -> Vec<u8> {
    key(b'z', &[&short(account.as_str()), &[deed as u8]])
}

pub(super) fn rows(tag: u64) -> Vec<u8> {
    key(b'r', &[&tag.to_be_bytes()])
}

pub(super) fn row(tag: u64, number: u64) -> Vec<u8> {
    key(b'r', &[&tag.to_be_bytes(), &number.to_be_bytes()])
}

pub(super) fn target(tag: u64, target: u64, row: u64) -> Vec<u8> {
    key(b't', &[&tag.to_be_bytes(), &target.to_be_bytes(), &row.to_be_bytes()])
}

pub(super) fn media(tag: u64, kind: MediaKind, row: u64) -> Vec<u8> {
    key(b'f', &[&tag.to_be_bytes(), &[kind as u8], &row.to_be_bytes()])
}

/// An entry of the index of blocks: the block has rows of this author or, without an author, rows that are no events.
pub(super) fn block(tag: u64, author: Option<&ParticipantId>, block: u64) -> Vec<u8> {
    let author = short(author.map_or("", ParticipantId::as_str));
    key(b'b', &[&tag.to_be_bytes(), &author, &block.to_be_bytes()])
}

pub(super) fn redo(commit: u64) -> Vec<u8> {
    key(b'z', &[&commit.to_be_bytes()])
}

pub(super) fn unsent(number: u64) -> Vec<u8> {
    key(b'u', &[&NODE.to_be_bytes(), &number.to_be_bytes()])
}

/// Everything whose key starts with a letter.
pub(super) fn all(letter: u8) -> Vec<u8> {
    vec![letter]
}

/// The number at the end of the key of a row, a block or a redo record.
pub(super) fn number_of(key: &[u8]) -> Result<u64, StoreError> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes)).ok_or_else(|| StoreError("a key is too short".into()))
}

/// The first key behind all keys with a prefix. No prefix consists of 255 alone.
pub(super) fn behind(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while end.last() == Some(&u8::MAX) {
        end.pop();
    }
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::parts::PLAIN_BYTES_MAX;
    use super::*;

    #[test]
    fn keys_of_long_names_stay_short_and_apart() {
        let long = |last: &str| ChannelName::new(&format!("{}{last}", "a".repeat(500))).unwrap();
        let (one, other) = (channel(&long("x")), channel(&long("y")));
        assert_ne!(one, other);
        assert!(one.len() <= PLAIN_BYTES_MAX + 2);
        let account = BareJid::new("ab@x.example").unwrap();
        let longer = BareJid::new("ab@x.example.org").unwrap();
        assert!(!memberships(&longer).starts_with(&memberships(&account)));
    }

    #[test]
    fn the_key_behind_a_prefix_is_behind_all_of_it() {
        assert_eq!(behind(&members(u64::MAX)), b"n".to_vec());
        assert!(behind(&members(5)) == members(6));
    }
}
