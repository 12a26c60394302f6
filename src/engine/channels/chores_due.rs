//! Runs chores: each tick asks for the next channels, and each channel in memory has all of its chores done.

use super::super::{Engine, Inbound, Turn};
use super::Channels;
use super::chores::KINDS;
use super::step::Step;
use crate::channel::ChannelName;

impl Engine {
    /// Begins no steps before the next tick, because the process is about to end. Stored chores continue at the next
    /// start.
    pub fn rest(&mut self) {
        self.channels.chores.rest();
    }

    /// Whether chores pause until the next tick.
    pub(in crate::engine) fn is_resting(&self) -> bool {
        self.channels.chores.rests
    }

    /// At a tick: asks every chore for its next channels.
    pub(in crate::engine) fn begin_chores(&mut self, turn: &mut Turn) {
        self.channels.chores.rests = false;
        self.channels.chores.touring.rest();
        for kind in &KINDS {
            for name in (kind.next)(self) {
                match self.channels.unreadable.contains(&name) {
                    // A channel that cannot be read must not stop a chore.
                    true => (kind.pass)(self, &name),
                    false => self.channels.chores.want(Step::In(name)),
                }
            }
        }
        self.tell_some(turn);
        self.begin_tours(turn);
        self.channels.chores.give_out(turn);
    }

    /// Begins tours that were just set off, without waiting for the next tick.
    pub(in crate::engine) fn begin_at_once(&mut self, turn: &mut Turn) {
        self.take_up_tours();
        self.channels.chores.give_out(turn);
    }

    /// Does a step that was given out.
    pub(in crate::engine) fn go_on(&mut self, step: Step, turn: &mut Turn) {
        self.channels.chores.asked.remove(&step);
        match step {
            Step::Finish(name, number) => return self.finish(&name, number, turn),
            // The rest is done at the end of every turn.
            Step::LetGo => return self.tell_ended_rooms(turn),
            // It is done in any case.
            Step::Indicate => return,
            // The next tick asks for it again.
            Step::In(_) | Step::Through(..) if self.channels.chores.rests => return,
            // The channel left memory; the next tick asks for it again.
            Step::In(name) if self.channels.shelf.is_cold(&name) => {}
            Step::In(name) => KINDS.iter().for_each(|kind| (kind.go_on)(self, &name, turn)),
            Step::Through(account, deed) => self.turn_page(&account, deed, turn),
        }
        self.tell_some(turn);
        self.begin_tours(turn);
        self.channels.chores.give_out(turn);
    }

    /// A step that was given out is not done now. The next tick asks for it again.
    pub fn put_off(&mut self, step: &Step) {
        self.channels.chores.asked.remove(step);
    }

    /// Skips a step whose channel cannot be read. Returns the request that this ends, if it was in parts.
    pub fn pass_over(&mut self, step: &Step) -> Option<Inbound> {
        self.channels.chores.asked.remove(step);
        match step {
            Step::In(name) => KINDS.iter().for_each(|kind| (kind.pass)(self, name)),
            Step::Through(..) | Step::LetGo | Step::Indicate => {}
            Step::Finish(name, _) => return self.give_part_up(name),
        }
        None
    }
}

impl Channels {
    /// A channel is to be loaded, for the chores with work in it.
    pub(in crate::engine) fn want_in_memory(&mut self, name: ChannelName) {
        self.chores.want(Step::In(name));
    }

    /// Gives out some of the steps that wait.
    pub(in crate::engine) fn give_steps_out(&mut self, turn: &mut Turn) {
        self.chores.give_out(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelName;
    use crate::channel::Stamp;
    use crate::engine::channels::chores::Chores;
    use crate::engine::channels::tours::tour_of;
    use crate::engine::share::OwnDomains;
    use crate::engine::{Loaded, Needs, ServiceSettings, fixture};
    use crate::store::Deed;
    use crate::store::Tour;
    use crate::store::{Directory, Listing, Record};
    use crate::xmpp::Stanza;
    use jid::BareJid;
    use std::collections::BTreeSet;

    fn name() -> ChannelName {
        ChannelName::new("c").unwrap()
    }

    /// A service with one channel, which is not in memory.
    fn with_a_cold_channel() -> Engine {
        let creator = BareJid::new("a@h").unwrap();
        let (listed, shows_jids, end_of_life) = (false, true, None);
        let listing =
            Listing { name: name(), tag: 1, gid: 1, listed, shows_jids, end_of_life, creator, title: None, sign: None };
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
        let settings = ServiceSettings { creators: vec!["h".into()], ..fixture::settings() };
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
        // Channels read for an earlier tour.
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
