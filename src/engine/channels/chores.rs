//! What the service does by itself in many channels, one by one over ticks. Each such task has a [`Chore`].
//!
//! Each tick asks every chore for its next channels. Each channel becomes an [`Inbound::GoOn`], a few at a time, which
//! is parked only for this channel. So a chore keeps few channels in memory, and stanzas are handled in between. Once a
//! channel is in memory, every chore does its work there.

use super::super::share::{OwnDomains, Shares};
use super::super::{Engine, Inbound, Turn};
use super::step::Step;
use super::tours::{self, Touring, Tours, tour_of};
use crate::channel::{ChannelName, Stamp};
use crate::chore::{Budget, Chore};
use crate::store::{Deed, Tour};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// After a start: channels to check for having no participants.
pub(super) const LOOKING: Budget = Budget { things: 4, cost: usize::MAX };
/// Deserted groups to destroy.
pub(super) const DESERTED: Budget = Budget { things: 16, cost: usize::MAX };
/// Channels whose end of life has come.
pub(super) const ENDING: Budget = Budget { things: 16, cost: usize::MAX };
/// Added accounts that cannot be reached, to ask about again.
pub(super) const INQUIRING: Budget = Budget { things: 8, cost: usize::MAX };
/// Channels that an announcement reads, and recipients that it reaches.
pub(in crate::engine) const ANNOUNCING: Budget = Budget { things: 8, cost: 200 };
/// Accounts on tours, and people notified of their changes.
pub(in crate::engine) const TOURING: Budget = Budget { things: 16, cost: 4096 };
/// The most channels that chores wait for at once.
pub(super) const ASKED_MAX: usize = 16;

/// The state of all chores.
pub(in crate::engine) struct Chores {
    /// Finds groups that were deserted before the start.
    pub looking: Chore<ChannelName>,
    pub deserted: Chore<ChannelName>,
    /// Groups without participants, and since when.
    pub deserted_since: BTreeMap<ChannelName, Stamp>,
    pub ending: Chore<ChannelName>,
    /// Ordered by the time since when the account cannot be reached.
    pub inquiring: Chore<(Stamp, BareJid)>,
    pub touring: Chore<(BareJid, Deed)>,
    pub tours: Tours,
    pub tour_shares: Shares<BareJid>,
    /// The next steps, in order, and the same as a set.
    pub(super) waiting: VecDeque<Step>,
    pub(super) known: BTreeSet<Step>,
    /// Steps that were given out and are not done.
    pub(super) asked: BTreeSet<Step>,
    /// Whether all chores pause until the next tick, after a refused commit.
    pub(super) rests: bool,
}

impl Chores {
    pub fn new(tours: Vec<Tour>, own_domains: OwnDomains) -> Chores {
        let mut chores = Chores {
            looking: Chore::once(LOOKING, None),
            deserted: Chore::queue(DESERTED),
            deserted_since: BTreeMap::new(),
            ending: Chore::queue(ENDING),
            inquiring: Chore::circle(INQUIRING),
            touring: Chore::circle(TOURING),
            tours: Tours::new(),
            tour_shares: tours::shares(own_domains),
            waiting: VecDeque::new(),
            known: BTreeSet::new(),
            asked: BTreeSet::new(),
            rests: false,
        };
        tours.into_iter().map(tour_of).for_each(|(key, touring)| chores.put_tour(key, touring));
        chores
    }

    /// Queues a step, unless it is queued already.
    pub fn want(&mut self, step: Step) {
        if !self.asked.contains(&step) && self.known.insert(step.clone()) {
            self.waiting.push_back(step);
        }
    }

    /// Pauses until the next tick, so that a refused commit is not retried in a loop.
    pub fn rest(&mut self) {
        self.rests = true;
    }

    /// Gives out some of the queued steps.
    pub(super) fn give_out(&mut self, turn: &mut Turn) {
        while !self.rests && self.asked.len() < ASKED_MAX {
            let Some(step) = self.waiting.pop_front() else { return };
            self.known.remove(&step);
            turn.next.push(Inbound::GoOn(step.clone()));
            self.asked.insert(step);
        }
    }
}

/// One kind of chore: its next channels, and its work in one.
pub(super) struct ChoreKind {
    pub(super) next: fn(&mut Engine) -> Vec<ChannelName>,
    pub(super) go_on: fn(&mut Engine, &ChannelName, &mut Turn),
    /// Skips a channel that cannot be read.
    pub(super) pass: fn(&mut Engine, &ChannelName),
}

pub(super) const KINDS: [ChoreKind; 9] = [
    ChoreKind { next: Engine::next_to_look_at, go_on: Engine::look_at, pass: Engine::pass_looking },
    ChoreKind { next: Engine::next_deserted, go_on: Engine::destroy_deserted, pass: Engine::pass_deserted },
    ChoreKind { next: Engine::next_ending, go_on: Engine::end_lifetime, pass: Engine::pass_ending },
    ChoreKind { next: Engine::next_to_announce, go_on: Engine::announce_in, pass: Engine::pass_announcing },
    ChoreKind { next: Engine::next_presence, go_on: Engine::deliver_presence_in, pass: Engine::pass_presence },
    ChoreKind { next: Engine::next_rooms, go_on: Engine::tend_room, pass: Engine::pass_rooms },
    ChoreKind { next: Engine::next_watched, go_on: Engine::look_for_watchers_in, pass: Engine::pass_watched },
    ChoreKind { next: Engine::next_to_leave, go_on: Engine::leave_in, pass: Engine::pass_leaving },
    ChoreKind { next: Engine::next_on_tours, go_on: Engine::tour_in, pass: Engine::pass_on_tours },
];

impl Chores {
    pub(in crate::engine) fn put_tour(&mut self, key: (BareJid, Deed), touring: Touring) {
        if !self.tours.contains_key(&key) {
            self.tour_shares.count(&key.0, 1);
        }
        self.tours.insert(key, touring);
    }

    pub(super) fn drop_tour(&mut self, key: &(BareJid, Deed)) {
        if self.tours.remove(key).is_some() {
            self.tour_shares.give_back(&key.0, 1);
        }
    }
}
