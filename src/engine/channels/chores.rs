//! What the service does by itself in many channels: one after the other, over ticks, each with a [`Chore`] of its own.
//!
//! A tick asks each which channels are next. Each of those becomes an [`Inbound::GoOn`], a few at a time, which waits for
//! its channel alone: so however many channels something concerns, few are in memory for it, and what people send goes
//! between. Whatever has something to do in a channel does it when the channel is there.

use super::super::share::{OwnDomains, Shares};
use super::super::{Engine, Inbound, Turn};
use super::step::Step;
use super::tours::{self, Touring, Tours, tour_of};
use crate::channel::{ChannelName, Stamp};
use crate::chore::{Budget, Chore};
use crate::store::{Deed, Tour};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Channels that are looked at, after a start, for whether anybody is in them.
pub(super) const LOOKING: Budget = Budget { things: 4, cost: usize::MAX };
/// Deserted groups that are destroyed.
pub(super) const DESERTED: Budget = Budget { things: 16, cost: usize::MAX };
/// Channels that come to their end.
pub(super) const ENDING: Budget = Budget { things: 16, cost: usize::MAX };
/// Accounts that were added and are not reached, of which it is asked once more whether they are there.
pub(super) const INQUIRING: Budget = Budget { things: 8, cost: usize::MAX };
/// Channels that an announcement looks at, and people who get it.
pub(in crate::engine) const ANNOUNCING: Budget = Budget { things: 8, cost: 200 };
/// Accounts whose channels are gone through, and people who are told of what changes in these.
pub(in crate::engine) const TOURING: Budget = Budget { things: 16, cost: 4096 };
/// Channels that are waited for at once.
pub(super) const ASKED_MAX: usize = 16;

/// See the module.
pub(in crate::engine) struct Chores {
    /// Looks for groups that were deserted before the start.
    pub looking: Chore<ChannelName>,
    pub deserted: Chore<ChannelName>,
    /// Groups that nobody is in, since when.
    pub deserted_since: BTreeMap<ChannelName, Stamp>,
    pub ending: Chore<ChannelName>,
    /// By since when they are not reached.
    pub inquiring: Chore<(Stamp, BareJid)>,
    pub touring: Chore<(BareJid, Deed)>,
    pub tours: Tours,
    pub tour_shares: Shares<BareJid>,
    /// What comes next, in order, and the same as a set.
    pub(super) waiting: VecDeque<Step>,
    pub(super) known: BTreeSet<Step>,
    /// What was given out and did not come back.
    pub(super) asked: BTreeSet<Step>,
    /// A commit was refused: nothing goes on until the next tick.
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

    /// A step is to be done, unless it is already.
    pub fn want(&mut self, step: Step) {
        if !self.asked.contains(&step) && self.known.insert(step.clone()) {
            self.waiting.push_back(step);
        }
    }

    /// A commit was refused: to go on at once would be to try that in a circle.
    pub fn rest(&mut self) {
        self.rests = true;
    }

    /// Gives out some of what waits.
    pub(super) fn give_out(&mut self, turn: &mut Turn) {
        while !self.rests && self.asked.len() < ASKED_MAX {
            let Some(step) = self.waiting.pop_front() else { return };
            self.known.remove(&step);
            turn.next.push(Inbound::GoOn(step.clone()));
            self.asked.insert(step);
        }
    }
}

/// What goes through channels: which come next, and what it does in one.
pub(super) struct ChoreKind {
    pub(super) next: fn(&mut Engine) -> Vec<ChannelName>,
    pub(super) go_on: fn(&mut Engine, &ChannelName, &mut Turn),
    /// Nothing can be done in a channel.
    pub(super) pass: fn(&mut Engine, &ChannelName),
}

pub(super) const KINDS: [ChoreKind; 7] = [
    ChoreKind { next: Engine::next_to_look_at, go_on: Engine::look_at, pass: Engine::pass_looking },
    ChoreKind { next: Engine::next_deserted, go_on: Engine::destroy_deserted, pass: Engine::pass_deserted },
    ChoreKind { next: Engine::next_ending, go_on: Engine::end_lifetime, pass: Engine::pass_ending },
    ChoreKind { next: Engine::next_to_announce, go_on: Engine::announce_in, pass: Engine::pass_announcing },
    ChoreKind { next: Engine::next_presence, go_on: Engine::tell_presence_in, pass: Engine::pass_presence },
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
