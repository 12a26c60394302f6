//! What operators ask of the service as a whole: every channel there is, numbers, and announcements to everybody.

use crate::channel::{Announcement, ChannelName};
use crate::chore::Chore;
use jid::BareJid;
use std::collections::{HashSet, VecDeque};

/// Channels on one page of the list of all.
pub(super) const CHANNELS_PAGE_MAX: usize = 500;
/// Announcements that may be under way.
pub(super) const ANNOUNCEMENTS_MAX: usize = 8;

/// An announcement on its way to everybody: channel by channel, some people a tick, each of them once.
pub(super) struct UnderWay {
    /// Tells it from others.
    pub(super) number: u64,
    pub(super) announcement: Announcement,
    /// Through all channels.
    pub(super) chore: Chore<ChannelName>,
    /// Who is next.
    pub(super) next: VecDeque<BareJid>,
    /// Who got it, or is next.
    pub(super) told: HashSet<BareJid>,
}

impl UnderWay {
    pub(super) fn is_over(&self) -> bool {
        self.chore.is_over() && self.next.is_empty()
    }
}

/// The announcements that are under way, the oldest first. A process that ends takes them along.
#[derive(Default)]
pub(in crate::engine) struct Announcements {
    pub(super) of: VecDeque<UnderWay>,
    /// The number of the last one.
    pub(super) last: u64,
}

/// What a turn did about an announcement, for when its commit is refused.
#[derive(Debug)]
pub(in crate::engine) enum AnnouncingStep {
    /// It was asked for.
    Begun(u64),
    /// These are told.
    To(u64, Vec<BareJid>),
}

impl Announcements {
    /// The oldest one that is not over.
    pub(super) fn first(&mut self) -> Option<&mut UnderWay> {
        self.of.iter_mut().find(|it| !it.is_over())
    }

    /// Forgets those that are over. Between turns: until a turn is committed, what it told may have to be told again.
    pub fn forget_over(&mut self) {
        self.of.retain(|it| !it.is_over());
    }

    /// How many are under way.
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
