//! The record of an account that is or was in a channel.

use super::{
    JidPreference, Named, Nick, NodeSet, ParticipantId, Preferences, Progress, Report, Reported, Stamp, Visibility,
    receipts,
};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Whether a member is in the channel, waits or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// In the channel.
    Joined,
    /// Added, and has not joined yet. Such a member is told of the invitation and its end alone.
    Waiting,
    /// Left, declined or was removed. The record stays, so that the history can name the member, and a rejoin gets the
    /// same id. Records of those who never were in are dropped, and of those who wrote nothing only so many are kept.
    Left,
}

/// The record of one account in one channel.
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
    /// A range of rows for each stay: the first row and the last row of it. The last is open during the stay.
    pub windows: Vec<(u64, Option<u64>)>,
    /// Whether rows of the archive are by this member. The first such row sets it.
    pub spoke: bool,
    /// XEP-0404 §3.1: the member's preferences.
    pub preferences: Preferences,
    /// Whether its JID was hidden when it left. It then stays hidden.
    pub veiled: bool,
    /// What this member settled for itself alone.
    pub own: Own,
    /// Whether the account has ended. The record stays for its rows. A later account of the same name is somebody else.
    pub ended: bool,
    /// Whether its own person chose the nick. Otherwise the nick is a guess, and that of its first entry takes its place.
    pub named: bool,
    /// XEP-0045 §9.3: whether an admin made it a member. Such a member has voice in a moderated room.
    pub granted: bool,
}

/// A member's own view of the history, and how far it read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// The rows up to this one are cleared.
    pub cleared: u64,
    /// The rows that it hid one by one, each with whether it counts as unread.
    pub hidden: BTreeMap<u64, bool>,
    /// Whether it dropped the channel from its list, after leaving it.
    pub forgotten: bool,
    /// The highest row that it read or wrote, with the ordinal of that row.
    pub mark: (u64, u64),
    /// The sum of its reports, if it made any.
    #[serde(skip)]
    pub(crate) reported: Option<Box<Reported>>,
}

/// A member that left and wrote nothing: when it left, the account, the participant id.
pub(super) type Silent = (Stamp, BareJid, ParticipantId);

impl Member {
    /// Its entry in the list of those who left and wrote nothing.
    pub(super) fn silent(&self) -> Silent {
        (self.since, self.jid.clone(), self.id.clone())
    }

    /// Whether it is a participant.
    pub fn is_joined(&self) -> bool {
        self.status == Status::Joined
    }

    /// Whether it left and no row needs its record. Events need none, since they name people themselves.
    pub fn left_silently(&self) -> bool {
        self.status == Status::Left && !self.spoke && self.own.reported().reports == 0
    }

    /// Whether its record is of no use: no row needs it, and it was never in or the account has ended.
    pub fn is_moot(&self) -> bool {
        self.left_silently() && (self.windows.is_empty() || self.ended)
    }

    /// Whether it was in when a row was archived.
    pub fn was_in_at(&self, row: u64) -> bool {
        self.windows.iter().any(|&(first, last)| first <= row && last.is_none_or(|last| row <= last))
    }

    /// The reports about those of `rows` for which the member has not reported this before: the first report of a row
    /// counts. There is none where no such row is left. `rows` are ranges, in order and apart. `at` is the row that the
    /// member named, with its ordinal.
    pub fn reports(&self, progress: Progress, rows: &[(u64, u64)], at: (u64, u64), stamp: Stamp) -> Vec<Report> {
        let Reported { reports, delivered, read } = self.own.reported();
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

    /// Its JID, where everybody sees it who sees participants or live messages.
    pub fn shown_jid(&self, visibility: Visibility) -> Option<&BareJid> {
        let shown = match visibility {
            Visibility::Visible => !self.veiled,
            Visibility::Maybe => !self.veiled && self.preferences.jid == JidPreference::Always,
            Visibility::Hidden => false,
        };
        shown.then_some(&self.jid)
    }

    /// XEP-0404 §2.3: its JID, where everybody sees it in the archive, which is read long after by people who join
    /// later.
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
    /// Roughly the memory that it takes, in bytes.
    pub fn bytes(&self) -> usize {
        let Reported { delivered, read, .. } = self.reported();
        24 * self.hidden.len() + 16 * (delivered.pieces() + read.pieces())
    }

    /// The sum of its reports. It is stored apart from the record, since each report changes it.
    pub fn reported(&self) -> &Reported {
        static NOTHING: LazyLock<Reported> = LazyLock::new(Reported::default);
        self.reported.as_deref().unwrap_or(&NOTHING)
    }

    /// Sets the sum of its reports.
    pub fn set_reported(&mut self, sum: Reported) {
        self.reported = (sum != Reported::default()).then(|| Box::new(sum));
    }

    /// Adds a report.
    pub fn take(&mut self, report: &Report) {
        self.reported.get_or_insert_default().take(report);
        self.mark = self.mark.max(report.mark.unwrap_or_default());
    }
}
