//! What operators ask of the service as a whole: every channel there is, numbers, and announcements to everybody.

use super::outbox::Lasting;
use super::parley::Effects;
use super::resend::told;
use super::{Engine, Needs, Turn};
use crate::channel::command::{ServiceCensus, Slice};
use crate::channel::{Actor, Announcement, Answer, ChannelName, Refusal, ServiceAction};
use crate::xep::{Shown, commands};
use jid::BareJid;
use std::collections::{HashSet, VecDeque};

/// Channels on one page of the list of all.
const CHANNELS_PAGE_MAX: usize = 500;
/// Channels that one tick looks at for an announcement, and people who get it.
const CHANNELS_A_TICK: usize = 8;
const PEOPLE_A_TICK: usize = 200;
/// Announcements that may be under way.
const ANNOUNCEMENTS_MAX: usize = 8;

/// An announcement on its way to everybody: channel by channel, some people a tick, each of them once.
struct UnderWay {
    announcement: Announcement,
    /// The channel that was looked at last.
    behind: Option<ChannelName>,
    /// Who is next.
    next: VecDeque<BareJid>,
    /// Who got it, or is next.
    told: HashSet<BareJid>,
}

/// The announcements that are under way, the oldest first. A process that ends takes them along.
#[derive(Default)]
pub(super) struct Announcements(VecDeque<UnderWay>);

impl Engine {
    /// Refuses what an account may not do at the service.
    pub(super) fn require_at_service(&self, actor: &Actor, action: ServiceAction) -> Result<(), Refusal> {
        match self.service.role_of(&actor.account).may(action) {
            true => Ok(()),
            false => Err(action.refusal()),
        }
    }

    pub(super) fn list_every_channel(&self, actor: &Actor, slice: &Slice) -> Result<Effects, Refusal> {
        self.require_at_service(actor, ServiceAction::Administer)?;
        let after = slice.after.as_ref().map(|id| id.split_once('@').map_or(&**id, |(localpart, _)| localpart));
        let behind = match after {
            Some(text) => Some(ChannelName::new(text).ok_or(Refusal::NoSuchItem)?),
            None => None,
        };
        let max = slice.max.unwrap_or(CHANNELS_PAGE_MAX).min(CHANNELS_PAGE_MAX);
        let mut entries = self.shelf.listings_behind(behind.as_ref(), max + 1);
        let goes_on = entries.len() > max;
        entries.truncate(max);
        let count = self.shelf.count();
        Ok(Effects::none(Answer::EveryChannel { entries, count, goes_on }))
    }

    pub(super) fn take_census(&self, actor: &Actor) -> Result<Effects, Refusal> {
        self.require_at_service(actor, ServiceAction::Administer)?;
        let census = self.shelf.census();
        Ok(Effects::none(Answer::Census(ServiceCensus {
            channels: census.channels,
            listed: self.shelf.listed().len(),
            channels_in_memory: census.channels_in_memory,
            memory_bytes: census.memory_bytes,
            participants_in_memory: census.participants_in_memory,
            messages_in_memory: self.shelf.channels().map(|channel| channel.head().ordinal).sum(),
            questions: self.pending.count(),
            announcements: self.announcements.0.len(),
            endings: self.endings.count(),
        })))
    }

    pub(super) fn announce_to_all(&mut self, actor: &Actor, wanted: Announcement) -> Result<Effects, Refusal> {
        self.require_at_service(actor, ServiceAction::Administer)?;
        wanted.check(&self.service.limits)?;
        if self.announcements.0.len() >= ANNOUNCEMENTS_MAX {
            return Err(Refusal::TooMany { what: "announcements under way", max: ANNOUNCEMENTS_MAX });
        }
        let (next, told) = (VecDeque::new(), HashSet::new());
        self.announcements.0.push_back(UnderWay { announcement: wanted, behind: None, next, told });
        Ok(Effects::none(Answer::Done))
    }

    fn channels_to_tell(&self) -> Vec<ChannelName> {
        let first = self.announcements.0.front().filter(|it| it.next.len() < PEOPLE_A_TICK);
        first.map(|it| self.shelf.names_behind(it.behind.as_ref(), CHANNELS_A_TICK)).unwrap_or_default()
    }

    pub(super) fn need_of_announcements(&self, needs: &mut Needs) {
        self.channels_to_tell().iter().for_each(|name| self.need_in_time(name, needs));
    }

    /// Goes on with the oldest announcement.
    pub(super) fn go_on_announcing(&mut self, turn: &mut Turn) {
        let mut names = self.channels_to_tell();
        let is_rest = names.len() < CHANNELS_A_TICK;
        // Where a channel ceased to be in this turn, others take its place that nobody loaded: they are for the next one.
        let there = names.iter().take_while(|name| !self.shelf.is_cold(name)).count();
        let are_all_there = there == names.len();
        names.truncate(there);
        let Some(first) = self.announcements.0.front_mut() else { return };
        let is_last = first.next.len() < PEOPLE_A_TICK && is_rest && are_all_there;
        for name in names {
            let mut people: Vec<BareJid> = self
                .shelf
                .channel(&name)
                .into_iter()
                .flat_map(|it| it.participants().map(|it| it.jid.clone()))
                .collect();
            // In an order, so that a run can be repeated.
            people.sort_unstable();
            first.next.extend(people.into_iter().filter(|jid| first.told.insert(jid.clone())));
            first.behind = Some(name);
        }
        let now = first.next.len().min(PEOPLE_A_TICK);
        let people: Vec<BareJid> = first.next.drain(..now).collect();
        let announcement = first.announcement.clone();
        if is_last && first.next.is_empty() {
            self.announcements.0.pop_front();
        }
        for account in people {
            let id = self.fresh_id();
            let message = commands::announced(&announcement, self.service.domain.as_str(), &id);
            let shown = Shown::Tell { account, message };
            turn.unsent.extend(told(&shown));
            self.send_shown(shown, 0, Lasting::Kept, turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::Stamp;
    use crate::engine::{Audience, Inbound, Out, Settings, fixture};
    use crate::xmpp::{Stanza, ns};
    use std::collections::BTreeMap;

    const OPERATOR: &str = "op@h/desk";

    fn engine() -> Engine {
        let operators = vec![BareJid::new("op@h").unwrap()];
        let settings = Settings { operators, channels_memory_bytes_max: usize::MAX, ..fixture::settings() };
        Engine::new(settings, [7; 16], [7; 32], Default::default(), Vec::new())
    }

    fn turn(engine: &mut Engine, inbound: Inbound) -> Turn {
        engine.turn(Stamp(engine.now.0 + 1000), vec![inbound])
    }

    fn send(engine: &mut Engine, xml: &str) -> Vec<String> {
        let turn = turn(engine, Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()));
        let sent = |out| if let Out::Stanza(xml) = out { Some(xml) } else { None };
        turn.outbox.into_iter().filter_map(sent).collect()
    }

    fn command(engine: &mut Engine, node: &str, form: &str) -> String {
        let form = format!("<x xmlns='jabber:x:data' type='submit'>{form}</x>");
        let command = format!("<command xmlns='{}' node='{node}'>{form}</command>", ns::COMMANDS);
        send(engine, &format!("<iq type='set' id='1' from='{OPERATOR}' to='mix.h'>{command}</iq>")).concat()
    }

    /// Channels `c0`, `c1` … with the people of each, by their numbers.
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
        // More channels than one tick looks at, and more people than it tells.
        let mut channels = vec![0..150, 100..350, 0..50];
        channels.extend((0..20).map(|n| 340 + n..345 + n));
        fill(&mut engine, &channels);
        let announce = "http://jabber.org/protocol/admin#announce";
        let text = "<field var='announcement'><value>x</value></field>";
        assert!(command(&mut engine, announce, text).contains("completed"));
        let (mut told, mut ticks) = (BTreeMap::new(), 0);
        while !engine.announcements.0.is_empty() {
            let turn = turn(&mut engine, Inbound::Tick);
            let fans =
                turn.outbox.iter().filter_map(|out| if let Out::Fan(fan) = out { Some(&fan.audience) } else { None });
            let ones: Vec<_> = fans.map(|it| if let Audience::One(no) = it { *no } else { panic!() }).collect();
            assert!(ones.len() <= PEOPLE_A_TICK, "{} at once", ones.len());
            ones.into_iter().for_each(|no| *told.entry(no).or_insert(0) += 1);
            ticks += 1;
            assert!(ticks < 100, "it never ends");
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
        let fans = |turn: Turn| turn.outbox.iter().filter(|out| matches!(out, Out::Fan(_))).count();
        // It was not loaded, as where another one ceased to be in the same turn.
        let first = turn(&mut engine, Inbound::Tick);
        assert_eq!((fans(first), engine.announcements.0.len()), (2, 1));
        let mut needs = Needs::default();
        engine.need_of_announcements(&mut needs);
        assert_eq!(needs.channels, [ChannelName::new("c1").unwrap()]);
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
