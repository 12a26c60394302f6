//! Requests of operators about the service as a whole: the list of all channels, the census, announcements.

use super::super::channels::chores::ANNOUNCING;
use super::super::outgoing::outbox::Lasting;
use super::super::outgoing::unsent::told;
use super::super::{Engine, Turn};
use super::operating::{ANNOUNCEMENTS_MAX, AnnouncingStep, CHANNELS_PAGE_MAX, KnownAnnouncement, UnderWay};
use super::request::Effects;
use crate::channel::census::ServiceCensus;
use crate::channel::command::Slice;
use crate::channel::{Actor, Announcement, Answer, Channel, ChannelName, Refusal, ServiceAction};
use crate::chore::Chore;
use crate::xep::{Shown, commands};
use jid::BareJid;
use std::collections::{HashSet, VecDeque};

impl Engine {
    /// Refuses an action that the account's role at the service does not permit.
    pub(in crate::engine) fn require_at_service(&self, actor: &Actor, action: ServiceAction) -> Result<(), Refusal> {
        match self.service.role_of(&actor.account).may(action) {
            true => Ok(()),
            false => Err(action.refusal()),
        }
    }

    pub(in crate::engine) fn list_every_channel(&self, actor: &Actor, slice: &Slice) -> Result<Effects, Refusal> {
        self.require_at_service(actor, ServiceAction::Administer)?;
        let after = slice.after.as_ref().map(|id| id.split_once('@').map_or(&**id, |(localpart, _)| localpart));
        let behind = match after {
            Some(text) => Some(ChannelName::new(text).ok_or(Refusal::NoSuchItem)?),
            None => None,
        };
        let max = slice.max.unwrap_or(CHANNELS_PAGE_MAX).min(CHANNELS_PAGE_MAX);
        let mut entries = self.channels.shelf().listings_behind(behind.as_ref(), max + 1);
        let goes_on = entries.len() > max;
        entries.truncate(max);
        let count = self.channels.shelf().count();
        Ok(Effects::none(Answer::EveryChannel { entries, count, goes_on }))
    }

    #[expect(clippy::disallowed_methods, reason = "in any order: their sum")]
    pub(in crate::engine) fn take_census(&self, actor: &Actor) -> Result<Effects, Refusal> {
        self.require_at_service(actor, ServiceAction::Administer)?;
        let census = self.channels.shelf().census();
        Ok(Effects::none(Answer::Census(ServiceCensus {
            channels: census.channels,
            listed: self.channels.shelf().listed().len(),
            channels_in_memory: census.channels_in_memory,
            memory_bytes: census.memory_bytes,
            participants_in_memory: census.participants_in_memory,
            messages_in_memory: self.channels.shelf().channels().map(|channel| channel.head().ordinal).sum(),
            questions: self.people.questions(),
            announcements: self.requests.announcements.count(),
            endings: self.channels.ending_count(),
        })))
    }

    pub(in crate::engine) fn announce_to_all(
        &mut self,
        actor: &Actor,
        wanted: Announcement,
        turn: &mut Turn,
    ) -> Result<Effects, Refusal> {
        self.require_at_service(actor, ServiceAction::Administer)?;
        wanted.check(&self.service.limits)?;
        if self.requests.announcements.count() >= ANNOUNCEMENTS_MAX {
            return Err(Refusal::TooMany { what: "announcements under way", max: ANNOUNCEMENTS_MAX });
        }
        self.requests.announcements.last += 1;
        let number = self.requests.announcements.last;
        let (chore, next, told) = (Chore::once(ANNOUNCING, None), VecDeque::new(), HashSet::new());
        self.requests.announcements.of.push_back(UnderWay { number, announcement: wanted, chore, next, told });
        turn.announced.push(AnnouncingStep::Begun(number));
        Ok(Effects::none(Answer::Done))
    }

    /// What an earlier process announced goes on.
    pub(in crate::engine) fn remember_announcements(&mut self, known: Vec<KnownAnnouncement>) {
        known.into_iter().for_each(|known| self.requests.announcements.know(known, ANNOUNCING));
    }

    /// The channels whose participants the oldest announcement reaches next.
    pub(in crate::engine) fn next_to_announce(&mut self) -> Vec<ChannelName> {
        let Some(first) = self.requests.announcements.first() else { return Vec::new() };
        match first.next.len() >= ANNOUNCING.cost {
            // Enough recipients are queued.
            true => first.chore.rest(),
            false => first.chore.step(|behind, count| self.channels.shelf().names_behind(behind, count)),
        }
    }

    /// Queues the participants of a channel for the announcement, each account once.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    pub(in crate::engine) fn announce_in(&mut self, name: &ChannelName, turn: &mut Turn) {
        let Some(first) = self.requests.announcements.first() else { return };
        if !first.chore.done(name) {
            return;
        }
        let mut people: Vec<_> = self.channels.channel(name).into_iter().flat_map(Channel::participants).collect();
        // Sorted by participant id: the order of delivery must not reveal the order of JIDs.
        people.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        first.next.extend(people.into_iter().map(|it| it.jid.clone()).filter(|jid| first.told.insert(jid.clone())));
        self.tell_some(turn);
    }

    pub(in crate::engine) fn pass_announcing(&mut self, name: &ChannelName) {
        for announcement in &mut self.requests.announcements.of {
            announcement.chore.done(name);
        }
    }

    /// Delivers the announcement to the next recipients, within this tick's budget.
    pub(in crate::engine) fn tell_some(&mut self, turn: &mut Turn) {
        let Some(first) = self.requests.announcements.first() else { return };
        let count = first.next.len().min(first.chore.room());
        first.chore.spend(count);
        let people: Vec<BareJid> = first.next.drain(..count).collect();
        let announcement = first.announcement.clone();
        turn.announced.push(AnnouncingStep::To(first.number, people.clone()));
        for account in people {
            let id = self.fresh_id();
            let message = commands::announced(&announcement, self.service.domain.as_str(), &id);
            let shown = Shown::Tell { account, message };
            turn.unsent.extend(told(&shown));
            self.send_shown(shown, None, Lasting::Kept, turn);
        }
    }

    /// After a refused commit: recipients are queued again, and an announcement begun in this turn is dropped.
    pub(in crate::engine) fn undo_announced(&mut self, announced: Vec<AnnouncingStep>) {
        announced.into_iter().rev().for_each(|it| self.requests.announcements.undo(it));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Stamp;
    use crate::engine::{Audience, Inbound, Memory, Out, ServiceSettings, Step, fixture};
    use crate::xmpp::{Stanza, ns};
    use std::collections::BTreeMap;

    const OPERATOR: &str = "op@h/desk";

    fn engine() -> Engine {
        let operators = vec![BareJid::new("op@h").unwrap()];
        let settings = ServiceSettings { operators, channels_memory_bytes_max: usize::MAX, ..fixture::settings() };
        Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new())
    }

    fn turn(engine: &mut Engine, inbound: Inbound) -> Vec<Out> {
        fixture::sent(engine, Stamp(engine.now.0 + 1000), vec![inbound])
    }

    fn send(engine: &mut Engine, xml: &str) -> Vec<String> {
        let turn = turn(engine, Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()));
        let sent = |out| if let Out::Stanza(xml) = out { Some(xml) } else { None };
        turn.into_iter().filter_map(sent).collect()
    }

    fn command(engine: &mut Engine, node: &str, form: &str) -> String {
        let form = format!("<x xmlns='jabber:x:data' type='submit'>{form}</x>");
        let command = format!("<command xmlns='{}' node='{node}'>{form}</command>", ns::COMMANDS);
        send(engine, &format!("<iq type='set' id='1' from='{OPERATOR}' to='mix.h'>{command}</iq>")).concat()
    }

    /// Creates channels `c0`, `c1` …, whose participants are accounts of the given numbers.
    fn fill(engine: &mut Engine, channels: &[std::ops::Range<usize>]) {
        let core = "xmlns='urn:xmpp:mix:core:1'";
        for (n, people) in channels.iter().enumerate() {
            send(
                engine,
                &format!("<iq type='set' id='1' from='{OPERATOR}' to='mix.h'><create {core} channel='c{n}'/></iq>"),
            );
            for p in people.clone() {
                let subscribe = "<subscribe node='urn:xmpp:mix:nodes:messages'/>";
                let join = format!("<join {core}>{subscribe}</join>");
                send(engine, &format!("<iq type='set' id='2' from='p{p}@h' to='c{n}@mix.h'>{join}</iq>"));
            }
        }
    }

    #[test]
    fn everybody_is_told_once_and_some_a_tick() {
        let mut engine = engine();
        // More channels and more participants than one tick handles.
        let mut channels = vec![0..150, 100..350, 0..50];
        channels.extend((0..20).map(|n| 340 + n..345 + n));
        fill(&mut engine, &channels);
        let announce = "http://jabber.org/protocol/admin#announce";
        let text = "<field var='announcement'><value>x</value></field>";
        assert!(command(&mut engine, announce, text).contains("completed"));
        let (mut told, mut ticks) = (BTreeMap::new(), 0);
        while engine.requests.announcements.count() > 0 {
            let sent = turn(&mut engine, Inbound::Tick);
            let fans = sent.iter().filter_map(|out| if let Out::Fan(fan) = out { Some(&fan.audience) } else { None });
            let ones: Vec<_> = fans.map(|it| if let Audience::One(no) = it { *no } else { panic!() }).collect();
            assert!(ones.len() <= ANNOUNCING.cost, "{} at once", ones.len());
            ones.into_iter().for_each(|no| *told.entry(no).or_insert(0) += 1);
            ticks += 1;
            assert!(ticks < 100, "it never ends");
            // Another program goes on with it.
            let memory: Memory = postcard::from_bytes(&postcard::to_allocvec(&engine.memory()).unwrap()).unwrap();
            engine.requests.announcements = Default::default();
            let told = turn(&mut engine, Inbound::LinkKept(Box::new(memory)));
            assert!(!told.iter().any(|out| matches!(out, Out::Fan(_))));
        }
        assert_eq!((told.len(), told.values().max()), (364, Some(&1)));
    }

    #[test]
    fn a_channel_that_is_not_in_memory_is_not_passed_over() {
        let mut engine = engine();
        fill(&mut engine, &[0..2, 2..4, 4..6]);
        let mut out = Vec::new();
        engine.unshelve(&ChannelName::new("c1").unwrap(), &mut out);
        let announce = "http://jabber.org/protocol/admin#announce";
        assert!(
            command(&mut engine, announce, "<field var='announcement'><value>x</value></field>").contains("completed")
        );
        let is_fan = |out: &&Out| matches!(out, Out::Fan(_));
        // The channel left memory before its step.
        let first = turn(&mut engine, Inbound::Tick);
        assert_eq!((first.iter().filter(is_fan).count(), engine.requests.announcements.count()), (4, 1));
        let next = engine.turn(Stamp(engine.now.0 + 1000), vec![Inbound::Tick]).next;
        let name = ChannelName::new("c1").unwrap();
        assert_eq!(format!("{next:?}"), format!("{:?}", [Inbound::GoOn(Step::In(name.clone()))]));
        assert_eq!(engine.needs(&next).channels, [name]);
    }

    #[test]
    fn what_was_not_committed_is_told_again_and_only_that() {
        let mut engine = engine();
        fill(&mut engine, &[0..350, 300..500]);
        let announce = "http://jabber.org/protocol/admin#announce";
        let form = "<x xmlns='jabber:x:data' type='submit'><field var='announcement'><value>x</value></field></x>";
        let asked = format!("<command xmlns='{}' node='{announce}'>{form}</command>", ns::COMMANDS);
        let asked = format!("<iq type='set' id='1' from='{OPERATOR}' to='mix.h'>{asked}</iq>");
        let asked = Inbound::Stanza(Stanza::parse(asked.as_bytes()).unwrap());
        // A refused request leaves no announcement.
        let refused = engine.turn(Stamp(engine.now.0 + 1000), vec![asked.clone()]);
        engine.abandon(refused);
        assert_eq!(engine.requests.announcements.count(), 0);
        turn(&mut engine, asked);
        let mut told = BTreeMap::new();
        for n in 0..120 {
            let mut batch = vec![Inbound::Tick];
            while !batch.is_empty() {
                let mut turn = engine.turn(Stamp(engine.now.0 + 1000), batch);
                batch = std::mem::take(&mut turn.next);
                let sent = match n % 2 {
                    // Every second commit is refused.
                    0 => engine.abandon(turn),
                    _ => turn.outbox,
                };
                let fans = sent.iter().filter_map(|out| if let Out::Fan(fan) = out { Some(fan) } else { None });
                let ones = fans.filter_map(|fan| if let Audience::One(no) = fan.audience { Some(no) } else { None });
                ones.for_each(|no| *told.entry(no).or_insert(0) += 1);
            }
        }
        assert_eq!((told.len(), told.values().max()), (500, Some(&1)));
    }

    #[test]
    fn so_many_announcements_wait_and_no_more() {
        let mut engine = engine();
        fill(&mut engine, std::slice::from_ref(&(0..2)));
        let announce = "http://jabber.org/protocol/admin#announce";
        let text = "<field var='announcement'><value>x</value></field>";
        for _ in 0..ANNOUNCEMENTS_MAX {
            assert!(command(&mut engine, announce, text).contains("completed"));
        }
        assert!(command(&mut engine, announce, text).contains("resource-constraint"));
        turn(&mut engine, Inbound::Tick);
        assert!(command(&mut engine, announce, text).contains("completed"));
        let long = format!("<field var='announcement'><value>{}</value></field>", "x".repeat(20_000));
        assert!(command(&mut engine, announce, &long).contains("not-acceptable"));
    }

    #[test]
    fn a_census_counts_what_there_is() {
        let mut engine = engine();
        fill(&mut engine, &[0..3, 2..4]);
        send(&mut engine, "<message type='groupchat' id='m' from='p1@h/r' to='c0@mix.h'><body>x</body></message>");
        let statistics = format!("<command xmlns='{}' node='urn:mixd:command:1#statistics'/>", ns::COMMANDS);
        let asked = format!("<iq type='set' id='1' from='{OPERATOR}' to='mix.h'>{statistics}</iq>");
        let told = send(&mut engine, &asked).concat();
        let wanted =
            [("channels", 2), ("channels-in-memory", 2), ("participants-in-memory", 5), ("messages-in-memory", 1)];
        for (var, count) in wanted {
            let field = told.split("<field ").find(|field| field.contains(&format!("var='{var}'")));
            assert!(field.is_some_and(|it| it.contains(&format!("<value>{count}</value>"))), "{var}: {told}");
        }
    }
}
