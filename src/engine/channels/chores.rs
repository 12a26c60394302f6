//! What the service does by itself in many channels: one after the other, over ticks, each with a [`Chore`] of its own.
//!
//! A tick asks each which channels are next. Each of those becomes an [`Inbound::GoOn`], a few at a time, which waits for
//! its channel alone: so however many channels something concerns, few are in memory for it, and what people send goes
//! between. Whatever has something to do in a channel does it when the channel is there.

use super::super::share::{OwnDomains, Shares};
use super::super::{Engine, Inbound, Turn};
use super::tours::{self, Tours, tour_of};
use crate::channel::{ChannelName, Stamp};
use crate::chore::{Budget, Chore};
use crate::store::{Deed, Tour};
use jid::{BareJid, FullJid};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Channels that are looked at, after a start, for whether anybody is in them.
const LOOKING: Budget = Budget { things: 4, cost: usize::MAX };
/// Deserted groups that are destroyed.
const DESERTED: Budget = Budget { things: 16, cost: usize::MAX };
/// Channels that come to their end.
const ENDING: Budget = Budget { things: 16, cost: usize::MAX };
/// Channels in which somebody is to be told of presence, and resources that are told of.
const PRESENCE: Budget = Budget { things: 512, cost: 4096 };
/// Channels that ask their participants for their presence, once the link is up.
const CALLING: Budget = Budget { things: 64, cost: usize::MAX };
/// Participants that are asked for their presence.
const PROBING: Budget = Budget { things: 200, cost: usize::MAX };
/// Resources that are asked whether they are still there.
const ASKING: Budget = Budget { things: 50, cost: usize::MAX };
/// Accounts that were added and are not reached, of which it is asked once more whether they are there.
const INQUIRING: Budget = Budget { things: 8, cost: usize::MAX };
/// Channels that an announcement looks at, and people who get it.
pub(in crate::engine) const ANNOUNCING: Budget = Budget { things: 8, cost: 200 };
/// Accounts whose channels are gone through, and people who are told of what changes in these.
pub(in crate::engine) const TOURING: Budget = Budget { things: 16, cost: 4096 };
/// Channels of one account that are taken up together.
pub(in crate::engine) const TOUR: Budget = Budget { things: 16, cost: usize::MAX };
/// Channels that are waited for at once.
const ASKED_MAX: usize = 16;

/// One step of something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Whatever has something to do in a channel goes on there.
    In(ChannelName),
    /// It is looked up which channels of an account come next.
    Through(BareJid, Deed),
    /// What was done in part in a channel goes on, by its number.
    Finish(ChannelName, u64),
    /// People of channels that left memory are let go of, which each turn does at its end.
    LetGo,
}

/// See the module.
pub(in crate::engine) struct Chores {
    /// Looks for groups that were deserted before the start.
    pub looking: Chore<ChannelName>,
    pub deserted: Chore<ChannelName>,
    /// Groups that nobody is in, since when.
    pub deserted_since: BTreeMap<ChannelName, Stamp>,
    pub ending: Chore<ChannelName>,
    /// By the tags of channels.
    pub presence: Chore<u64>,
    pub calling: Chore<ChannelName>,
    /// Channels that were in memory when the link came up and have not asked yet.
    pub uncalled: BTreeSet<ChannelName>,
    pub probing: Chore<(ChannelName, BareJid)>,
    pub asking: Chore<FullJid>,
    /// By since when they are not reached.
    pub inquiring: Chore<(Stamp, BareJid)>,
    pub touring: Chore<(BareJid, Deed)>,
    pub tours: Tours,
    pub tour_shares: Shares<BareJid>,
    /// What comes next, in order, and the same as a set.
    waiting: VecDeque<Step>,
    known: BTreeSet<Step>,
    /// What was given out and did not come back.
    asked: BTreeSet<Step>,
    /// A commit was refused: nothing goes on until the next tick.
    rests: bool,
}

impl Chores {
    pub fn new(tours: Vec<Tour>, own_domains: OwnDomains) -> Chores {
        let mut chores = Chores {
            looking: Chore::once(LOOKING, None),
            deserted: Chore::queue(DESERTED),
            deserted_since: BTreeMap::new(),
            ending: Chore::queue(ENDING),
            presence: Chore::circle(PRESENCE),
            calling: Chore::queue(CALLING),
            uncalled: BTreeSet::new(),
            probing: Chore::queue(PROBING),
            asking: Chore::queue(ASKING),
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
    fn give_out(&mut self, turn: &mut Turn) {
        while !self.rests && self.asked.len() < ASKED_MAX {
            let Some(step) = self.waiting.pop_front() else { return };
            self.known.remove(&step);
            turn.next.push(Inbound::GoOn(step.clone()));
            self.asked.insert(step);
        }
    }
}

/// What goes through channels: which come next, and what it does in one.
struct Kind {
    next: fn(&mut Engine) -> Vec<ChannelName>,
    go_on: fn(&mut Engine, &ChannelName, &mut Turn),
    /// Nothing can be done in a channel.
    pass: fn(&mut Engine, &ChannelName),
}

const KINDS: [Kind; 7] = [
    Kind { next: Engine::next_to_look_at, go_on: Engine::look_at, pass: Engine::pass_looking },
    Kind { next: Engine::next_deserted, go_on: Engine::destroy_deserted, pass: Engine::pass_deserted },
    Kind { next: Engine::next_ending, go_on: Engine::end_lifetime, pass: Engine::pass_ending },
    Kind { next: Engine::next_to_announce, go_on: Engine::announce_in, pass: Engine::pass_announcing },
    Kind { next: Engine::next_presence, go_on: Engine::tell_presence_in, pass: Engine::pass_presence },
    Kind { next: Engine::next_to_leave, go_on: Engine::leave_in, pass: Engine::pass_leaving },
    Kind { next: Engine::next_on_tours, go_on: Engine::tour_in, pass: Engine::pass_on_tours },
];

impl Engine {
    /// Nothing more is begun until the next tick: the process is to end, and what is kept goes on at the next start.
    pub fn rest(&mut self) {
        self.channels.chores.rest();
    }

    /// Whether nothing more is begun before the next tick.
    pub(in crate::engine) fn is_resting(&self) -> bool {
        self.channels.chores.rests
    }

    /// A tick: each says what comes next.
    pub(in crate::engine) fn begin_chores(&mut self, turn: &mut Turn) {
        self.channels.chores.rests = false;
        self.channels.chores.touring.rest();
        for kind in &KINDS {
            for name in (kind.next)(self) {
                match self.channels.unreadable.contains(&name) {
                    // It is no reason for what time brings to stand still.
                    true => (kind.pass)(self, &name),
                    false => self.channels.chores.want(Step::In(name)),
                }
            }
        }
        self.tell_some(turn);
        self.begin_tours(turn);
        self.channels.chores.give_out(turn);
    }

    /// Something was set off; nothing says that it has to wait for the next tick.
    pub(in crate::engine) fn begin_at_once(&mut self, turn: &mut Turn) {
        self.take_up_tours();
        self.channels.chores.give_out(turn);
    }

    /// A step that was given out can be done.
    pub(in crate::engine) fn go_on(&mut self, step: Step, turn: &mut Turn) {
        self.channels.chores.asked.remove(&step);
        match step {
            Step::Finish(name, number) => return self.finish(&name, number, turn),
            // The turn does it at its end.
            Step::LetGo => return,
            // It is asked for again.
            Step::In(_) | Step::Through(..) if self.channels.chores.rests => return,
            // Where it left memory meanwhile, it is asked for again.
            Step::In(name) if self.channels.shelf.is_cold(&name) => {}
            Step::In(name) => KINDS.iter().for_each(|kind| (kind.go_on)(self, &name, turn)),
            Step::Through(account, deed) => self.turn_page(&account, deed, turn),
        }
        self.tell_some(turn);
        self.begin_tours(turn);
        self.channels.chores.give_out(turn);
    }

    /// A step that was given out is not done this time: it is asked for again.
    pub fn put_off(&mut self, step: &Step) {
        self.channels.chores.asked.remove(step);
    }

    /// A step that was given out cannot be done, since something cannot be read; whose request that ends.
    pub fn pass_over(&mut self, step: &Step) -> Option<Inbound> {
        self.channels.chores.asked.remove(step);
        match step {
            Step::In(name) => KINDS.iter().for_each(|kind| (kind.pass)(self, name)),
            Step::Through(..) | Step::LetGo => {}
            Step::Finish(name, _) => return self.give_part_up(name),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Loaded, Needs, Settings, fixture};
    use crate::store::{Directory, Listing, Record};
    use crate::xmpp::Stanza;
    use std::collections::BTreeSet;

    fn name() -> ChannelName {
        ChannelName::new("c").unwrap()
    }

    /// A service with one channel, which is not in memory.
    fn with_a_cold_channel() -> Engine {
        let creator = BareJid::new("a@h").unwrap();
        let (listed, shows_jids, end_of_life) = (false, true, None);
        let listing = Listing { name: name(), tag: 1, gid: 1, listed, shows_jids, end_of_life, creator };
        let directory = Directory { listings: vec![listing], gid_highest: 1, ..Directory::default() };
        Engine::new(fixture::settings(), [7; 16], [7; 32], directory, Vec::new())
    }

    #[test]
    fn a_step_that_is_put_off_is_given_out_again_with_the_next_tick() {
        let mut engine = with_a_cold_channel();
        let mut given_out = |now: u64, put_off: bool| {
            let step = Step::In(name());
            if put_off {
                engine.put_off(&step);
            }
            let next = engine.turn(Stamp(now), vec![Inbound::Tick]).next;
            next.iter().filter(|it| matches!(it, Inbound::GoOn(next) if *next == step)).count()
        };
        assert_eq!([given_out(1000, false), given_out(2000, false), given_out(3000, true)], [1, 0, 1]);
    }

    #[test]
    fn a_channel_that_somebody_left_in_a_turn_that_was_refused_is_looked_at_again() {
        let settings = Settings { creators: vec!["h".into()], ..fixture::settings() };
        let mut engine = Engine::new(settings, [7; 16], [7; 32], Directory::default(), Vec::new());
        let mut ask = |to: &str, payload: &str| {
            let payload = payload.replace('>', " xmlns='urn:xmpp:mix:core:1'/>");
            let iq = format!("<iq type='set' id='1' from='a@h/r' to='{to}'>{payload}</iq>");
            let turn = engine.turn(Stamp(1000), vec![Inbound::Stanza(Stanza::parse(iq.as_bytes()).unwrap())]);
            assert!(turn.records.iter().any(|it| matches!(it, Record::Channel { .. })), "{payload}");
            turn
        };
        ask("mix.h", "<create channel='c'>");
        ask("c@mix.h", "<join>");
        let left = ask("c@mix.h", "<leave>");
        assert!(!engine.channels.chores.looking.is_open(&name()));
        engine.abandon(left);
        assert!(engine.channels.chores.looking.is_open(&name()));
    }

    #[test]
    fn what_is_set_off_anew_looks_its_channels_up_anew() {
        let mut engine = with_a_cold_channel();
        let key = (BareJid::new("a@h").unwrap(), Deed::Clear);
        // What was looked up for the one before.
        engine.adopt(Loaded { pages: vec![(key.clone(), Vec::new())], ..Loaded::default() });
        engine.set_off(&key.0, key.1, &mut Turn::default());
        let mut needs = Needs::default();
        engine.need_page(&key.0, key.1, &mut needs);
        assert_eq!(needs.pages.len(), 1);
    }

    #[test]
    fn what_tours_may_cost_they_may_cost_at_each_tick() {
        let mut engine = with_a_cold_channel();
        engine.channels.chores.touring.spend(usize::MAX);
        assert!(!engine.channels.chores.touring.has_room());
        engine.turn(Stamp(1000), vec![Inbound::Tick]);
        assert!(engine.channels.chores.touring.has_room());
    }

    #[test]
    fn one_domain_leaves_room_for_what_others_ask_of_all_their_channels() {
        let mut chores = Chores::new(Vec::new(), OwnDomains::new(["home".to_owned()]));
        let who = |text: String| BareJid::new(&text).unwrap();
        let mut ask = |account: BareJid| {
            let may = chores.tour_shares.may_settle(&account, 1, true);
            if may {
                let settled = BTreeSet::new();
                let tour = Tour { account, deed: Deed::Clear, since: Stamp(0), behind: None, settled };
                let (key, touring) = tour_of(tour);
                chores.put_tour(key, touring);
            }
            may
        };
        let taken = (0..20_000).filter(|n| ask(who(format!("a{n}@away")))).count();
        assert!((1000..10_000).contains(&taken), "{taken}");
        assert!(ask(who("b@home".to_owned())) && ask(who("b@elsewhere".to_owned())));
    }
}
