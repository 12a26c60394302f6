//! A turn of the engine, and the checks of all that it leads to: nothing too much, nothing too little.

use super::asks::{Ask, Op};
use super::hosts::{Item, Note};
use super::model::{Event, Expect, Model};
use super::wire;
use super::world::{Owed, World};
use minidom::Element;
use mixd::channel::{Change, Stamp};
use mixd::engine::channels::parking::Candidate;
use mixd::engine::{Inbound, Moment, Out, Turn};
use mixd::runtime::load::prepare;
use mixd::store::{CommitError, Failure, Record, Store};
use mixd::xmpp::ns;
use rand::Rng;
use rand::seq::IndexedRandom;
use std::collections::BTreeMap;

impl World {
    /// Takes a batch, and checks everything that it leads to.
    pub fn turn(&mut self, size: usize, trouble: Option<Failure>) {
        let size = size.min(self.inbox.len());
        let batch: Vec<Item> = self.ready(size).into_iter().map(|item| self.speaking_mix_first(item)).collect();
        if batch.iter().any(|item| matches!(item.inbound, Inbound::Expired(_))) {
            // It may have waited; what the archive was asked before is answered before.
            self.answer_all();
        }
        let inbound: Vec<Inbound> = batch.iter().map(|item| item.inbound.clone()).collect();
        let before = self.model.clone();
        let moment = self.tell_time();
        self.routes.begin();
        let (mut owed, mut events): (Owed, Vec<Event>) = Default::default();
        for item in batch {
            self.take_note(&item.note);
            // What was asked before a link came up counts as lost with the one before.
            self.epoch += u64::from(matches!(item.inbound, Inbound::LinkUp));
            if let Inbound::Expired(outdated) = &item.inbound {
                self.model.expire(outdated);
                owed.iter_mut().for_each(|(_, expect)| expect.overtake());
            }
            if matches!(item.inbound, Inbound::Tick) {
                let due = self.model.due;
                self.model.held.retain(|_, (_, until)| due < *until);
            }
            let Some(ask) = item.ask else { continue };
            if let (Op::Create(_) | Op::Destroy(_) | Op::Register(_) | Op::Unregister, Some(resource)) =
                (&ask.op, &ask.resource)
            {
                // Whoever asks the service for something of MIX is a client of MIX.
                self.routes.heard(&ask.account, resource);
            }
            let (expect, shown) = self.model.take(&ask, &mut self.routes);
            self.note(format!("{:?} by {} as {} -> {expect:?}", ask.op, ask.from(), ask.id));
            owed.push((ask, expect));
            events.extend(shown);
        }
        let confirmed = inbound.iter().any(|inbound| matches!(inbound, Inbound::ClockConfirmed));
        let mut turn = self.engine.turn(moment, inbound);
        self.next.append(&mut turn.next);
        self.model.end_tours(&turn.records);
        let dial = self.engine.dial();
        if confirmed {
            self.sense.confirm(dial, moment);
        }
        (self.model.now, self.model.due) = (dial.stamp.0, dial.due.0);
        let now = dial.due;
        self.store.fail_next_commits(usize::from(trouble.is_some()), trouble.unwrap_or(Failure::Refused));
        match self.store.commit(now, &turn.records) {
            Ok(()) => {
                self.routes.save(|account| self.model.rooms.values().any(|room| room.knows(account)));
                self.finish(turn, owed, &events);
            }
            Err(CommitError::Refused(_)) => {
                self.note("the store refuses".into());
                self.model = Model { now: self.model.now, due: self.model.due, ..before };
                let out = self.engine.abandon(turn);
                self.learn();
                self.check_refused(out, owed);
            }
            Err(CommitError::Unknown(_) | CommitError::Fenced { .. }) => {
                let kept = trouble == Some(Failure::UnknownKept);
                if kept {
                    self.routes.save(|account| self.model.rooms.values().any(|room| room.knows(account)));
                } else {
                    self.model = before;
                }
                self.unanswered.extend(owed.into_iter().map(|(ask, _)| ask));
                self.restart(if kept { "unknown, kept" } else { "unknown, lost" });
                self.learn();
            }
        }
        self.begin_loads();
    }

    /// XEP-0045 §7.4: a client that says that it takes no MIX, or may have said it, has to show that it does before it speaks. So
    /// has one whose account subscribes to nothing.
    fn speaking_mix_first(&self, item: Item) -> Item {
        let Some(ask) = &item.ask else { return item };
        let (Op::Say { channel, .. }, Some(resource), account) = (&ask.op, &ask.resource, &ask.account) else {
            return item;
        };
        let seat = self.model.rooms.get(channel).and_then(|room| room.seat(account));
        let (is_sure, is_heard) = self.routes.known(account, resource);
        if seat.is_none_or(|seat| seat.nodes != 0 && (is_sure || !is_heard)) {
            return item;
        }
        let op = Op::Items { channel: channel.clone(), node: 2 };
        Item { place: item.place, ..Item::asking(Ask { op, ..ask.clone() }) }
    }

    /// What the service does by itself over several turns: which channel comes when is its own affair, and what it does
    /// there is not.
    pub fn go_on(&mut self, items: Vec<Candidate<Item>>) {
        let (parted, read) = prepare(&mut self.engine, &mut self.cold.parking, &self.store, items);
        read.unwrap();
        if parted.ready.is_empty() {
            return;
        }
        let before = self.model.clone();
        let moment = self.tell_time();
        self.routes.begin();
        let mut turn =
            self.engine.turn(moment, parted.ready.into_iter().map(|candidate| candidate.item.inbound).collect());
        self.next.append(&mut turn.next);
        let now = self.engine.dial().due;
        let mut events = Vec::new();
        for record in &turn.records {
            match record {
                Record::Channel { name, change: Change::Renamed(member), .. } => {
                    events.extend(self.model.take_registered(name.as_str(), member.jid.as_str(), &self.routes));
                }
                Record::Channel { change, .. } => panic!("{change:?} by nobody"),
                _ => {}
            }
        }
        self.model.end_tours(&turn.records);
        let refuses = self.dice.random_bool(0.1);
        self.store.fail_next_commits(usize::from(refuses), Failure::Refused);
        match self.store.commit(now, &turn.records) {
            Ok(()) => {
                self.store.fail_next_commits(0, Failure::Refused);
                self.finish(turn, Owed::default(), &events);
            }
            Err(_) => {
                self.note("the store refuses what goes on".into());
                self.model = Model { now: self.model.now, due: self.model.due, ..before };
                let out = self.engine.abandon(turn);
                self.learn();
                self.check_refused(out, Owed::default());
            }
        }
    }

    /// Has the engine read its clock, and the model know what time it is.
    pub fn tell_time(&mut self) -> Moment {
        let moment = Moment { wall: Stamp(self.clock), steady_ms: self.waited };
        let dial = self.engine.tell_time(moment);
        self.sense.check(dial, moment);
        (self.model.now, self.model.due) = (dial.stamp.0, dial.due.0);
        moment
    }

    pub fn take_note(&mut self, note: &Note) {
        let split = |full: &str| {
            let (account, resource) = full.split_once('/').unwrap_or((full, ""));
            (account.to_owned(), resource.to_owned())
        };
        match note {
            Note::Nothing => {}
            Note::Online(full) => {
                let (account, resource) = split(full);
                self.routes.heard(&account, &resource);
            }
            Note::Offline(full) => {
                let (account, resource) = split(full);
                self.routes.gone(&account, &resource);
            }
            Note::Bounce { from } => self.routes.bounced(from),
            Note::Absent(full) => {
                let (account, resource) = split(full);
                self.routes.absent(&account, &resource);
            }
            Note::Told { full, takes, asked, epoch } => {
                let in_time = *epoch == self.epoch && self.waited.saturating_sub(*asked) <= 60_000;
                let (account, resource) = split(full);
                self.routes.told(&account, &resource, *takes && in_time);
            }
        }
    }

    /// After a commit: what goes out is checked, and reaches the host servers.
    pub fn finish(&mut self, turn: Turn, owed: Owed, events: &[Event]) {
        // Whoever came and went within the turn may have left no record.
        for record in &turn.records {
            if let Record::Channel { name, change: Change::Joined(member), .. } = record {
                self.ids.insert((name.to_string(), member.id.to_string()), member.jid.to_string());
            }
        }
        self.learn();
        let (mut direct, mut asked): (Owed, Owed) = Default::default();
        for (ask, expect) in owed {
            let of_archive =
                matches!(expect, Expect::Page(_) | Expect::Bounds(_) | Expect::Repeat(_) | Expect::Overtaken(_));
            if of_archive { asked.push((ask, expect)) } else { direct.push((ask, expect)) }
        }
        let link = self.link;
        let stanzas = self.send(turn.outbox);
        if !link {
            self.unanswered.extend(direct.into_iter().chain(asked).map(|(ask, _)| ask));
            return;
        }
        let mut got: BTreeMap<String, Vec<wire::Seen>> = BTreeMap::new();
        for stanza in &stanzas {
            if self.take_answer(stanza, &mut direct) || is_question(stanza) {
                continue;
            }
            let seen = wire::see(stanza);
            self.check_id(&seen);
            got.entry(stanza.attr("to").unwrap_or_default().to_owned()).or_default().push(seen);
        }
        let left: Vec<_> = direct.iter().filter(|(_, expect)| !matches!(expect, Expect::Silence)).collect();
        assert!(left.is_empty(), "nobody answers {left:?}");
        wire::check_delivery(events, &got, &self.routes, &self.ids);
        for query in turn.queries {
            let key = (query.reply.to.to_string(), query.reply.id.clone().unwrap_or_default());
            let place = asked.iter().position(|(ask, _)| ask.key() == key);
            let Some(n) = place else { panic!("a query that nobody made: {query:?}") };
            let (ask, expect) = asked.remove(n);
            self.archive.push_back((query, ask, expect));
        }
        assert!(asked.is_empty(), "no query for {asked:?}");
        self.reach_hosts(&stanzas);
    }

    pub fn check_refused(&mut self, out: Vec<Out>, mut owed: Owed) {
        for (ask, expect) in &mut owed {
            let silent = matches!(&ask.op, Op::Garbage { conditions, .. } if conditions.is_empty());
            match expect {
                _ if silent => {}
                Expect::Error(conditions) if matches!(ask.op, Op::Garbage { .. }) => {
                    conditions.push("internal-server-error")
                }
                _ => *expect = Expect::Error(vec!["internal-server-error"]),
            }
        }
        let link = self.link;
        let stanzas = self.send(out);
        self.unanswered.extend(owed.iter().map(|(ask, _)| ask.clone()));
        if !link {
            return;
        }
        for stanza in &stanzas {
            assert!(
                self.take_answer(stanza, &mut owed) || is_question(stanza),
                "a refused turn leaves a trace: {stanza:?}"
            );
        }
        let left: Vec<_> = owed.iter().filter(|(_, expect)| !matches!(expect, Expect::Silence)).collect();
        assert!(left.is_empty(), "nobody hears of the refusal: {left:?}");
        self.reach_hosts(&stanzas);
    }

    /// The address book learns, and the rest is read back as it crosses the link.
    pub fn send(&mut self, out: Vec<Out>) -> Vec<Element> {
        let mut text = String::new();
        for out in out {
            match out {
                Out::Book(delta) => self.book.apply(delta),
                Out::Stanza(stanza)
                | Out::Presence(stanza)
                | Out::Question(stanza)
                | Out::About { text: stanza, .. } => text.push_str(&stanza),
                Out::Fan(fan) => {
                    let recipients = self.book.recipients(&fan);
                    let (mut cursor, size) =
                        (Default::default(), *[1, 2000, usize::MAX].choose(&mut self.dice).unwrap());
                    loop {
                        let mut block = Vec::new();
                        let done = self.book.write(&fan, &recipients, &mut cursor, size, &mut block);
                        text.push_str(std::str::from_utf8(&block).unwrap());
                        if done {
                            break;
                        }
                    }
                }
            }
        }
        for byte in text.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        if self.link { wire::read(&text) } else { Vec::new() }
    }

    /// Whether a stanza is an answer; it is then owed, and right.
    pub fn take_answer(&self, stanza: &Element, owed: &mut Owed) -> bool {
        if !matches!(stanza.attr("type"), Some("result" | "error")) {
            return false;
        }
        let text = |name| stanza.attr(name).unwrap_or_default().to_owned();
        let key = (text("to"), text("id"));
        let place = owed.iter().position(|(ask, expect)| ask.key() == key && !matches!(expect, Expect::Silence));
        let Some(n) = place else { panic!("an answer that nobody is owed: {stanza:?}, but {owed:?}") };
        let (ask, expect) = owed.remove(n);
        wire::check_answer(&ask, &expect, stanza);
        true
    }

    /// A row is in the archive before anybody gets it, with the same content, under an id of its own.
    pub fn check_id(&mut self, seen: &wire::Seen) {
        let wire::Seen::Row { channel, token, id, stanza } = seen else { return };
        let meaning = self.rows.entry(id.clone()).or_insert_with(|| (channel.clone(), token.clone()));
        assert_eq!(*meaning, (channel.clone(), token.clone()), "one id for two rows");
        let Some(room) = self.model.rooms.get(channel) else { return };
        let Some(n) = room.rows.iter().rposition(|row| row.token == *token) else { return };
        let tag = room.tag.unwrap_or_default();
        if room.rows.iter().filter(|row| row.token == *token).count() > 1 || self.sealer.open(tag, id).is_none() {
            return;
        }
        wire::check_row(stanza, n as u64 + 1, &room.rows[n], tag, &self.sealer);
    }

    pub fn reach_hosts(&mut self, stanzas: &[Element]) {
        for stanza in stanzas {
            match self.hosts.deliver(stanza, self.waited, self.epoch, &mut self.dice) {
                Ok(items) => self.inbox.extend(items),
                Err(problem) => panic!("{problem}"),
            }
        }
    }
}

fn is_question(stanza: &Element) -> bool {
    stanza.name() == "iq"
        && matches!(stanza.attr("type"), Some("get" | "set"))
        && [("query", ns::DISCO_INFO), ("query", ns::ROSTER), ("ping", ns::PING)]
            .iter()
            .any(|(name, space)| stanza.has_child(name, *space))
}
