//! People of three domains join a channel, write and leave: more than may keep records.

use crate::channel::{Channel, ChannelName, Limits, ParticipantId, Rates, Row, Stamp};
use crate::engine::{Engine, Inbound, Out, ServiceSettings, fixture};
use crate::runtime::load::load_all;
use crate::store::{PagePlan, SledOptions, SledStore, Store, VerifyEvent};
use crate::xmpp::Stanza;
use jid::BareJid;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const FORMER_MAX: usize = 30;
/// People of each domain.
const PEOPLE: usize = 40;

/// A service over a store on disk.
struct World {
    engine: Engine,
    store: SledStore,
    now: u64,
    /// The author and participant id of each row.
    wrote: BTreeMap<u64, (BareJid, ParticipantId)>,
}

fn start(folder: &Path) -> (Engine, SledStore) {
    let store = SledStore::open(SledOptions::at(folder)).unwrap();
    let limits = Limits { former_max: FORMER_MAX, rates: Rates::unlimited(), ..Limits::default() };
    let settings = ServiceSettings { limits, ..fixture::settings() };
    let (key, directory) = (store.sealing_key(), store.directory().unwrap());
    let engine = Engine::new(settings, key, [7; 32], directory, store.whereabouts().unwrap());
    (engine, store)
}

/// The third domain has a host for each account.
fn people() -> Vec<BareJid> {
    let of_each =
        |n: usize| [format!("a{n}@one.example"), format!("a{n}@two.example"), format!("a{n}@x{n}.three.example")];
    (0..PEOPLE).flat_map(of_each).map(|name| BareJid::new(&name).unwrap()).collect()
}

impl World {
    fn take(&mut self, stanzas: &[String]) {
        let mut batch: Vec<Inbound> =
            stanzas.iter().map(|xml| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap())).collect();
        while !batch.is_empty() {
            self.now += 1;
            load_all(&mut self.engine, &self.store, &batch).unwrap();
            let turn = self.engine.turn(Stamp(self.now), batch);
            let refused =
                turn.outbox.iter().find(|out| matches!(out, Out::Stanza(xml) if xml.contains("type='error'")));
            assert_eq!(refused, None);
            self.store.commit(Stamp(self.now), &turn.records).unwrap();
            batch = turn.next;
        }
    }

    /// All of these join, write and leave.
    fn visit(&mut self, people: &[BareJid]) {
        const CORE: &str = "xmlns='urn:xmpp:mix:core:1'";
        let request = |payload: &str| {
            let iq = |who| format!("<iq type='set' id='1' from='{who}/r' to='c@mix.h'>{payload}</iq>");
            people.iter().map(iq).collect::<Vec<_>>()
        };
        let first = self.channel().head().row + 1;
        self.take(&request(&format!("<join {CORE}><subscribe node='urn:xmpp:mix:nodes:messages'/></join>")));
        let ids: Vec<ParticipantId> =
            people.iter().map(|who| self.channel().participant(who).unwrap().id.clone()).collect();
        let say = |who| {
            format!("<message type='groupchat' id='{who}' from='{who}/r' to='c@mix.h'><body>{who}</body></message>")
        };
        self.take(&people.iter().map(say).collect::<Vec<_>>());
        self.wrote.extend((first..).zip(people.iter().cloned().zip(ids)));
        self.take(&request(&format!("<leave {CORE}/>")));
        assert!(self.channel().members().count() <= 1 + FORMER_MAX);
    }

    fn channel(&self) -> &Channel {
        self.engine.channels.channel(&ChannelName::new("c").unwrap()).unwrap()
    }

    fn rows(&self) -> Vec<Row> {
        let (first, last) = (1, u64::MAX);
        let (start, end, author, narrow) = Default::default();
        let tag = self.channel().profile().tag;
        let plan = PagePlan { tag, first, last, start, end, author, max: usize::MAX, from_end: false, narrow };
        self.store.page(&plan).unwrap().rows
    }

    /// Counts rows, and compares their authors with what is known.
    fn check(&self) {
        let rows = self.rows();
        assert_eq!(rows.len(), self.wrote.len());
        let ids: Vec<ParticipantId> = rows.iter().map(|row| row.author.clone()).collect();
        let found = self.store.people(self.channel().profile().tag, &ids).unwrap();
        let authors: HashMap<&ParticipantId, &BareJid> = found.iter().map(|(id, member)| (id, &member.jid)).collect();
        for (row, (number, (who, id))) in rows.iter().zip(&self.wrote) {
            assert_eq!((row.number, &row.author, authors.get(id).copied()), (*number, id, Some(who)));
            assert!(row.payload.contains(&format!(">{who}<")), "{}", row.payload);
        }
        let mut findings = Vec::new();
        let mut watch = |sighting: VerifyEvent| match sighting {
            VerifyEvent::Wrong(finding) => findings.push(finding),
            VerifyEvent::Begins(_) => {}
        };
        self.store.verify(&mut watch).unwrap();
        assert_eq!(findings, []);
    }

    fn restart(self, folder: &Path) -> World {
        let World { engine, store, now, wrote } = self;
        drop((engine, store));
        let (mut engine, store) = start(folder);
        engine.number_from(store.unsent().unwrap().iter().map(|unsent| unsent.number).max().unwrap_or(0));
        let mut world = World { engine, store, now, wrote };
        world
            .take(&["<iq type='get' id='1' from='ann@h/r' to='c@mix.h'><ping xmlns='urn:xmpp:ping'/></iq>".to_owned()]);
        world
    }
}

#[test]
fn no_row_goes_or_loses_its_author_with_a_record_that_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let (engine, store) = start(folder.path());
    let mut world = World { engine, store, now: 0, wrote: BTreeMap::new() };
    for xml in [
        "<iq type='set' id='1' from='ann@h/r' to='mix.h'><create xmlns='urn:xmpp:mix:core:1' channel='c'/></iq>",
        "<iq type='set' id='2' from='ann@h/r' to='c@mix.h'><join xmlns='urn:xmpp:mix:core:1'/></iq>",
    ] {
        world.take(&[xml.to_owned()]);
    }
    let people = people();
    for some in people.chunks(20) {
        world.visit(some);
        world.check();
    }
    let mut world = world.restart(folder.path());
    world.check();
    // A returning account has its old participant id, even if nothing of it was in memory.
    world.visit(&people[..20]);
    world.visit(&people[100..]);
    world.check();
    let ids: HashMap<&BareJid, &ParticipantId> = world.wrote.values().map(|(who, id)| (who, id)).collect();
    assert!(world.wrote.values().all(|(who, id)| ids[who] == id));
    let world = world.restart(folder.path());
    world.check();
    let (rows, records) = (world.wrote.len(), world.channel().members().count() - 1);
    assert_eq!((rows, ids_of(&world)), (people.len() + 40, people.len()));
    println!(
        "flood: {} people of 3 domains came and left: {rows} rows, each with its author; {records} records of at most {FORMER_MAX}",
        people.len()
    );
}

fn ids_of(world: &World) -> usize {
    world.wrote.values().map(|(_, id)| id.as_str()).collect::<std::collections::BTreeSet<_>>().len()
}
