//! State of operators' requests: announcements that are being delivered.

use crate::channel::{Announcement, ChannelName};
use crate::chore::{Budget, Chore};
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::{HashSet, VecDeque};

/// The most channels on a page of the list of all channels.
pub(super) const CHANNELS_PAGE_MAX: usize = 500;
/// The most announcements at once.
pub(super) const ANNOUNCEMENTS_MAX: usize = 8;

/// An announcement in progress: channel by channel, some recipients a tick, each account once.
pub(super) struct UnderWay {
    /// Identifies it.
    pub(super) number: u64,
    pub(super) announcement: Announcement,
    /// Its way through all channels.
    pub(super) chore: Chore<ChannelName>,
    /// The next recipients.
    pub(super) next: VecDeque<BareJid>,
    /// Accounts that got it or are queued.
    pub(super) told: HashSet<BareJid>,
}

impl UnderWay {
    pub(super) fn is_over(&self) -> bool {
        self.chore.is_over() && self.next.is_empty()
    }
}

/// An announcement in progress, as the next process knows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnownAnnouncement {
    subject: String,
    body: String,
    /// How far it is: the last channel that was taken up, and those that are not done.
    place: (Option<ChannelName>, Vec<ChannelName>),
    next: Vec<BareJid>,
    /// Accounts that got it or are next, in order.
    told: Vec<BareJid>,
}

/// Announcements in progress, oldest first. They are lost when the process ends, but for a handover.
#[derive(Default)]
pub(in crate::engine) struct Announcements {
    pub(super) of: VecDeque<UnderWay>,
    /// The number of the newest.
    pub(super) last: u64,
}

/// A turn's step of an announcement, kept in case the commit is refused.
#[derive(Debug)]
pub(in crate::engine) enum AnnouncingStep {
    /// It was requested.
    Begun(u64),
    /// It was delivered to these accounts.
    To(u64, Vec<BareJid>),
}

impl Announcements {
    /// What is to be remembered, oldest first.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub fn remembered(&self) -> Vec<KnownAnnouncement> {
        let known = self.of.iter().filter(|it| !it.is_over()).map(|it| {
            let mut told: Vec<BareJid> = it.told.iter().cloned().collect();
            told.sort_unstable();
            let Announcement { subject, body } = it.announcement.clone();
            KnownAnnouncement { subject, body, place: it.chore.place(), next: it.next.iter().cloned().collect(), told }
        });
        known.collect()
    }

    /// An earlier process was about to tell this.
    pub fn know(&mut self, known: KnownAnnouncement, budget: Budget) {
        let KnownAnnouncement { subject, body, place: (behind, open), next, told } = known;
        self.last += 1;
        let mut chore = Chore::once(budget, behind);
        open.into_iter().for_each(|name| chore.reopen(name));
        let (number, announcement) = (self.last, Announcement { subject, body });
        let (next, told) = (next.into(), told.into_iter().collect());
        self.of.push_back(UnderWay { number, announcement, chore, next, told });
    }

    /// The oldest unfinished announcement.
    pub(super) fn first(&mut self) -> Option<&mut UnderWay> {
        self.of.iter_mut().find(|it| !it.is_over())
    }

    /// Drops finished announcements. Call it between turns: until a turn is committed, its deliveries may have to be
    /// repeated.
    pub fn forget_over(&mut self) {
        self.of.retain(|it| !it.is_over());
    }

    /// How many are in progress.
    pub(super) fn count(&self) -> usize {
        self.of.iter().filter(|it| !it.is_over()).count()
    }

    pub(super) fn undo(&mut self, announced: AnnouncingStep) {
        match announced {
            AnnouncingStep::Begun(number) => self.of.retain(|it| it.number != number),
            AnnouncingStep::To(number, people) => {
                if let Some(of) = self.of.iter_mut().find(|it| it.number == number) {
                    people.into_iter().rev().for_each(|account| of.next.push_front(account));
                }
            }
        }
    }
}
