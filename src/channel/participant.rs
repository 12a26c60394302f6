//! The record of somebody who is or was in a channel.

use super::{
    JidPreference, Named, Nick, NodeSet, ParticipantId, Preferences, Progress, Report, Reported, Stamp, Visibility,
    receipts,
};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whether a member is in the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// In the channel.
    Joined,
    /// Added, and not joined yet; told of nothing but the invitation and its end.
    Waiting,
    /// Left, declined or removed. The record stays, so that history stays attributable and a rejoin gets the same id,
    /// unless it was never in; of those who left without a word only so many stay.
    Left,
}

/// One account's record in one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The stable participant id.
    pub id: ParticipantId,
    /// The account.
    pub jid: BareJid,
    /// The name it goes by.
    pub nick: Nick,
    /// Whether it is in the channel.
    pub status: Status,
    /// When the status last changed.
    pub since: Stamp,
    /// The nodes it subscribes to.
    pub subscriptions: NodeSet,
    /// One window of rows a stay: the first row that came while in, and the last one, open while in.
    pub windows: Vec<(u64, Option<u64>)>,
    /// Whether messages of the archive are its own; set with the first one.
    pub spoke: bool,
    /// What it wants the channel to do about it.
    pub preferences: Preferences,
    /// Whether its JID was hidden when it left, and so stays.
    pub veiled: bool,
    /// What this member settled for itself alone.
    pub own: Own,
    /// Whether the account is no more. The record stays for the sake of its rows; a later account of that name is
    /// somebody else.
    pub ended: bool,
}

/// A member's own view of the history, and how far its reading came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// The rows up to this one are cleared.
    pub cleared: u64,
    /// The rows hidden one by one, and whether each counts as something to read.
    pub hidden: BTreeMap<u64, bool>,
    /// Whether the channel is gone from its list; possible only once it left.
    pub forgotten: bool,
    /// The highest row that it read or wrote, and the ordinal there.
    pub mark: (u64, u64),
    /// What its reports amount to. Kept apart from the record, since each of them changes it.
    #[serde(skip)]
    pub reported: Reported,
}

/// Somebody who left without a word: since when, the account, the participant id.
pub(super) type Silent = (Stamp, BareJid, ParticipantId);

impl Member {
    /// How it is listed where it left without a word.
    pub(super) fn silent(&self) -> Silent {
        (self.since, self.jid.clone(), self.id.clone())
    }

    /// Whether it is in the channel.
    pub fn is_joined(&self) -> bool {
        self.status == Status::Joined
    }

    /// Whether it left without a word: nothing in the archive needs its record, since events name people by themselves.
    pub fn left_silently(&self) -> bool {
        self.status == Status::Left && !self.spoke && self.own.reported.reports == 0
    }

    /// Whether its record serves nobody: it was never in, or the account is no more, and it left without a word.
    pub fn is_moot(&self) -> bool {
        self.left_silently() && (self.windows.is_empty() || self.ended)
    }

    /// Whether it was in the channel when a row came.
    pub fn was_in_at(&self, row: u64) -> bool {
        self.windows.iter().any(|&(first, last)| first <= row && last.is_none_or(|last| row <= last))
    }

    /// The reports that say of these rows, which are in order and apart, how far they came: about those of them that were
    /// not reported so before, so that the first report of a row counts; none where there are no such rows. `at` is the
    /// row that is named, and the ordinal there.
    pub fn reports(&self, progress: Progress, rows: &[(u64, u64)], at: (u64, u64), stamp: Stamp) -> Vec<Report> {
        let Reported { reports, delivered, read } = &self.own.reported;
        let covered = if progress == Progress::Read { read } else { delivered };
        let gaps = rows.iter().flat_map(|&(first, last)| covered.gaps(first, last)).collect();
        let report = |(number, rows): (u64, Vec<(u64, u64)>)| {
            let is_read = progress == Progress::Read;
            let arrived = rows.iter().filter(|_| is_read).flat_map(|&(first, last)| delivered.gaps(first, last));
            Report {
                member: self.id.clone(),
                number,
                progress,
                arrived: arrived.collect(),
                rows,
                mark: is_read.then_some(at),
                stamp,
            }
        };
        (reports + 1..).zip(receipts::cut(gaps)).map(report).collect()
    }

    /// Its JID, where a channel shows it to everybody who sees participants, or messages as they come.
    pub fn shown_jid(&self, visibility: Visibility) -> Option<&BareJid> {
        let shown = match visibility {
            Visibility::Visible => !self.veiled,
            Visibility::Maybe => !self.veiled && self.preferences.jid == JidPreference::Always,
            Visibility::Hidden => false,
        };
        shown.then_some(&self.jid)
    }

    /// Its JID, where the archive shows it: what it holds is read long after, by people who come later (XEP-0404 §2.3).
    pub fn archived_jid(&self, visibility: Visibility) -> Option<&BareJid> {
        self.shown_jid(visibility).filter(|_| visibility == Visibility::Visible)
    }
}

impl From<&Member> for Named {
    fn from(member: &Member) -> Named {
        Named { id: member.id.clone(), jid: member.jid.clone(), nick: member.nick.as_str().to_owned() }
    }
}

impl Own {
    /// Roughly what it costs in memory, in bytes.
    pub fn bytes(&self) -> usize {
        24 * self.hidden.len() + 16 * (self.reported.delivered.pieces() + self.reported.read.pieces())
    }

    /// Takes a report up.
    pub fn take(&mut self, report: &Report) {
        self.reported.take(report);
        self.mark = self.mark.max(report.mark.unwrap_or_default());
    }
}
