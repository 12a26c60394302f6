//! Accounts are ended everywhere, over ticks, and a start goes on with it.

#![allow(clippy::unwrap_used)]

use jid::{BareJid, DomainPart};
use mixd::channel::{AccountCommand, Actor, ChannelName, Limits, Row, RowKind, ServiceCommand, Stamp};
use mixd::engine::{Addressee, Call, Engine, Inbound, ServiceSettings, Step};
use mixd::runtime::eraser::erase;
use mixd::runtime::{dossier, load::load_all};
use mixd::store::{Failure, MemoryStore, Store, VerifyEvent};
use mixd::xmpp::Stanza;
use std::collections::{BTreeSet, HashMap};

/// Channels that one tick goes through.
const CHANNELS_A_TICK: usize = 8;

/// An engine on a store, as the worker has it.
struct World {
    engine: Engine,
    store: MemoryStore,
    now: Stamp,
}

impl World {
    fn new() -> World {
        let store = MemoryStore::new([7; 16]);
        World { engine: start(&store), store, now: Stamp(1_000_000) }
    }

    /// A turn, and those that go on behind it.
    fn turn(&mut self, inbound: Inbound) -> String {
        self.now.0 += 1000;
        let (mut told, mut next) = self.turn_once(vec![inbound]);
        while !next.is_empty() {
            let (more, later) = self.turn_once(vec![next.remove(0)]);
            told += &more;
            next.extend(later);
        }
        told
    }

    fn turn_once(&mut self, batch: Vec<Inbound>) -> (String, Vec<Inbound>) {
        load_all(&mut self.engine, &self.store, &batch).unwrap();
        let mut turn = self.engine.turn(self.now, batch);
        let next = std::mem::take(&mut turn.next);
        let told = match self.store.commit(self.now, &turn.records) {
            Ok(()) => std::mem::take(&mut turn.outbox),
            Err(_) => self.engine.abandon(turn),
        };
        (format!("{told:?}"), next)
    }

    fn send(&mut self, from: &str, to: &str, id: &str, payload: &str) -> String {
        let xml = format!("<iq type='set' id='{id}' from='{from}' to='{to}'>{payload}</iq>");
        self.turn(Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()))
    }

    /// Channels `c0` … of `a@h`, in all of which `p@h` is.
    fn fill(&mut self, count: usize) {
        let core = "xmlns='urn:xmpp:mix:core:1'";
        for n in 0..count {
            self.send("a@h/r", "mix.h", "1", &format!("<create {core} channel='c{n:02}'/>"));
            let join = format!("<join {core}><subscribe node='urn:xmpp:mix:nodes:messages'/></join>");
            self.send("p@h/r", &format!("c{n:02}@mix.h"), "2", &join);
        }
    }

    fn ask_everywhere(&mut self, account: &str) -> String {
        self.send("h", "mix.h", "g", &format!("<gone xmlns='urn:mixd:host:1' jid='{account}'/>"))
    }

    /// Ticks until nothing is under way; how many it took.
    fn tick(&mut self) -> usize {
        let ticks = (1..200).find(|_| {
            self.turn(Inbound::Tick);
            self.under_way() == 0
        });
        let mut wrong = Vec::new();
        self.store.verify(&mut |sighting| match sighting {
            VerifyEvent::Wrong(finding) => wrong.push(finding),
            VerifyEvent::Begins(_) => {}
        });
        assert_eq!(wrong, []);
        ticks.expect("it never ends")
    }

    /// How many accounts are being ended.
    fn under_way(&self) -> usize {
        self.store.directory().unwrap().endings.len()
    }

    /// In how many channels somebody is.
    fn seats(&self, account: &str) -> usize {
        self.store.channels_of(&jid(account)).unwrap().len()
    }
}

fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

fn start(store: &MemoryStore) -> Engine {
    start_within(store, Limits::default())
}

fn start_within(store: &MemoryStore, mut limits: Limits) -> Engine {
    limits.rates.requests.burst = 10_000;
    let settings = ServiceSettings {
        domain: DomainPart::new("mix.h").unwrap().into_owned(),
        name: "a service".into(),
        operators: Vec::new(),
        creators: vec!["h".into()],
        limits,
        page_default: 20,
        page_max: 100,
        // No channel has to stay in memory.
        channels_memory_bytes_max: 0,
        pam: HashMap::new(),
        multicast: HashMap::new(),
    };
    Engine::new(settings, [7; 16], [7; 32], store.directory().unwrap(), store.whereabouts().unwrap())
}

#[test]
fn an_account_is_out_of_all_its_channels_some_a_tick() {
    let mut world = World::new();
    world.fill(30);
    assert!(world.ask_everywhere("p@h").contains("under-way"));
    assert_eq!(world.seats("p@h"), 30, "not all at once");
    let ticks = world.tick();
    assert!(ticks >= 30 / CHANNELS_A_TICK, "{ticks}");
    assert_eq!((world.seats("p@h"), world.under_way()), (0, 0));
}

#[test]
fn a_start_goes_on_where_the_process_before_ended() {
    let mut world = World::new();
    world.fill(30);
    world.ask_everywhere("p@h");
    (0..3).for_each(|_| drop(world.turn(Inbound::Tick)));
    assert!((1..30).contains(&world.seats("p@h")), "it is on its way: {}", world.seats("p@h"));
    world.engine = start(&world.store);
    world.tick();
    assert_eq!(world.seats("p@h"), 0);
}

#[test]
fn a_refused_commit_undoes_what_was_begun_and_what_was_done() {
    let mut world = World::new();
    world.fill(12);
    world.store.fail_next_commits(1, Failure::Refused);
    assert!(world.ask_everywhere("p@h").contains("internal-server-error"));
    assert_eq!(world.under_way(), 0);
    world.ask_everywhere("p@h");
    for _ in 0..6 {
        world.store.fail_next_commits(1, Failure::Refused);
        world.turn(Inbound::Tick);
        world.turn(Inbound::Tick);
    }
    world.tick();
    assert_eq!(world.seats("p@h"), 0);
}

#[test]
fn many_accounts_share_one_look_through_the_store() {
    let mut world = World::new();
    world.fill(3);
    // Owners who are in no channel are in no index.
    let admins: String = (0..40).map(|n| format!("<add jid='b{n}@h'/>")).collect();
    world.send("a@h/r", "c01@mix.h", "a", &format!("<admins xmlns='urn:mixd:group:1'>{admins}</admins>"));
    (0..40).for_each(|n| drop(world.ask_everywhere(&format!("b{n}@h"))));
    world.ask_everywhere("a@h");
    world.tick();
    let name = ChannelName::new("c01").unwrap();
    let channel = world.store.load(&[name]).unwrap().remove(0).unwrap();
    assert!(channel.rights().owners.is_empty() && channel.rights().admins.is_empty(), "{:?}", channel.rights());
}

#[test]
fn its_own_host_server_is_believed_and_nobody_else() {
    let mut world = World::new();
    world.fill(1);
    let gone = "<gone xmlns='urn:mixd:host:1' jid='p@h'/>";
    for stranger in ["x@h", "x@h/r", "p@h/r", "other.h", "h.other"] {
        let told = world.send(stranger, "mix.h", "s", gone);
        assert!(told.contains("forbidden"), "{stranger}: {told}");
    }
    for wrong in ["h", "mix.h", "c00@mix.h", "", "p@h/r"] {
        assert!(world.ask_everywhere(wrong).contains("type='error'"), "{wrong}");
    }
    assert_eq!((world.under_way(), world.seats("p@h")), (0, 1));
}

#[test]
fn whoever_is_being_ended_can_do_nothing_meanwhile() {
    let mut world = World::new();
    world.fill(1);
    world.ask_everywhere("p@h");
    let told = world.send("p@h/r", "c00@mix.h", "1", "<leave xmlns='urn:xmpp:mix:core:1'/>");
    assert!(told.contains("resource-constraint"), "{told}");
    // Somebody adds it to a group meanwhile, behind what was gone through.
    (0..2).for_each(|_| drop(world.turn(Inbound::Tick)));
    let wish = "<group xmlns='urn:mixd:group:1'><name>g</name><member jid='p@h'/></group>";
    world.send("a@h/r", "mix.h", "2", &format!("<create xmlns='urn:xmpp:mix:core:1' channel='g'>{wish}</create>"));
    assert_eq!((world.seats("p@h"), world.under_way()), (1, 1));
    world.tick();
    assert_eq!(world.seats("p@h"), 0);
    assert!(world.send("p@h/r", "mix.h", "3", "<groups xmlns='urn:mixd:group:1'/>").contains("type='error'"), "a set");
    let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
    assert!(world.send("p@h/r", "c00@mix.h", "4", join).contains("<join"), "somebody else of its name");
}

impl World {
    fn say(&mut self, from: &str, to: &str, body: &str) {
        let xml = format!(
            "<message type='groupchat' id='{body}' from='{from}' to='{to}@mix.h'><body>{body}</body></message>"
        );
        self.turn(Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()));
    }

    /// An operator has an account erased, as the runtime does it.
    fn erase(&mut self, account: &str) {
        let actor = Actor { account: jid("mix.h"), operator: true };
        let command = ServiceCommand::Account(AccountCommand::End { account: jid(account), erases: true }).into();
        self.turn(Inbound::Call(Box::new(Call { token: 1, actor, to: Addressee::Service, command })));
        for _ in 0..100 {
            self.turn(Inbound::Tick);
            let endings = self.store.directory().unwrap().endings;
            if endings.iter().all(|(_, ending)| ending.is_out) {
                break;
            }
        }
        for (account, _) in self.store.directory().unwrap().endings {
            let names = erase(&self.store, &account).unwrap();
            self.turn(Inbound::Erased(account, names));
        }
    }
}

#[test]
fn of_an_erased_account_nothing_is_found_and_what_others_have_is_whole() {
    let mut world = World::new();
    world.fill(2);
    let wish = "<group xmlns='urn:mixd:group:1'><name>g</name><member jid='p@h' nick='pp'/><member jid='q@h'/></group>";
    world.send("a@h/r", "mix.h", "1", &format!("<create xmlns='urn:xmpp:mix:core:1' channel='g'>{wish}</create>"));
    // Months apart.
    for n in 0..3 {
        world.say("p@h/r", "g", &format!("own-{n}"));
        world.say("a@h/r", "g", &format!("others-{n}"));
        world.say("p@h/r", "c01", &format!("own-c-{n}"));
        world.now.0 += 40 * 86_400_000;
    }
    world.send("q@h/r", "g@mix.h", "2", "<receipt xmlns='urn:mixd:group:1' id='6' state='read'/>");
    world.send("p@h/r", "g@mix.h", "3", "<receipt xmlns='urn:mixd:group:1' id='7' state='read'/>");
    world.send("a@h/r", "g@mix.h", "4", "<members xmlns='urn:mixd:group:1'><remove jid='q@h'/></members>");
    assert!(!world.store.look_for(&jid("p@h")).unwrap().is_empty());
    let names = ["c00", "c01", "g"].map(|name| ChannelName::new(name).unwrap());
    let heads = |world: &World| {
        world.store.load(&names).unwrap().into_iter().flatten().map(|it| it.head().row).collect::<Vec<_>>()
    };
    let before = heads(&world);
    world.erase("p@h");
    assert_eq!(world.under_way(), 0);
    world.tick();
    assert_eq!(world.store.look_for(&jid("p@h")).unwrap(), [""; 0]);
    let after = heads(&world);
    assert!(before.iter().zip(&after).all(|(before, after)| before <= after), "no row is lost: {before:?} {after:?}");
    let group = world.store.load(&names[2..]).unwrap().remove(0).unwrap();
    let rows = world.store.rows(group.profile().tag, &(1..=group.head().row).collect::<Vec<_>>()).unwrap();
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let erased = rows.iter().filter(|row| row.kind == RowKind::Erased);
    assert_eq!(erased.filter(|row| row.payload.is_empty() && row.nick == "deleted account").count(), 3);
    assert_eq!(rows.iter().filter(|row| row.payload.contains("others-")).count(), 3);
    // To do it again changes nothing, and somebody of its name later is somebody else.
    assert_eq!(erase(&world.store, &jid("p@h")).unwrap(), Vec::<ChannelName>::new());
    world.tick();
    world.send("a@h/r", "g@mix.h", "5", "<members xmlns='urn:mixd:group:1'><add jid='p@h'/></members>");
    world.tick();
    assert_eq!(world.seats("p@h"), 1);
}

#[test]
fn what_an_erased_account_said_in_passing_is_erased_and_its_successor_is_somebody_else() {
    let mut world = World::new();
    world.send("a@h/r", "mix.h", "1", "<create xmlns='urn:xmpp:mix:core:1' channel='den'/>");
    let presence = |world: &mut World, kind: &str| {
        let xml = format!(
            "<presence from='p@h/r' to='den@mix.h/pp'{kind}><x xmlns='http://jabber.org/protocol/muc'/></presence>"
        );
        world.turn(Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()))
    };
    let den = [ChannelName::new("den").unwrap()];
    let mut ids = BTreeSet::new();
    for n in 1..=2 {
        presence(&mut world, "");
        world.say("p@h/r", "den", &format!("own-{n}"));
        presence(&mut world, " type='unavailable'");
        let channel = world.store.load(&den).unwrap().remove(0).unwrap();
        assert!(channel.member(&jid("p@h")).is_none() && channel.head().row == n, "it passed by");
        let (tag, row) =
            (channel.profile().tag, world.store.rows(channel.profile().tag, &[n]).unwrap().remove(0).unwrap());
        assert_eq!(world.store.people(tag, std::slice::from_ref(&row.author)).unwrap()[&row.author].jid, jid("p@h"));
        assert!(ids.insert(row.author.clone()), "somebody else of its name");
        assert!(!world.store.look_for(&jid("p@h")).unwrap().is_empty());
        world.erase("p@h");
        assert_eq!(world.under_way(), 0);
        assert_eq!(world.store.look_for(&jid("p@h")).unwrap(), [""; 0]);
        let row = world.store.rows(tag, &[n]).unwrap().remove(0).unwrap();
        assert_eq!((row.kind, &*row.payload, &*row.nick), (RowKind::Erased, "", "deleted account"));
    }
    assert_eq!(erase(&world.store, &jid("p@h")).unwrap(), Vec::<ChannelName>::new());
}

/// A channel that gave up the record of `p@h`, who spoke there and left; the id that it had.
fn given_up() -> (World, String) {
    let mut world = World::new();
    world.engine = start_within(&world.store, Limits { former_max: 1, ..Limits::default() });
    world.fill(1);
    for account in ["p@h", "q@h", "r@h"] {
        let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
        world.send(&format!("{account}/r"), "c00@mix.h", "1", join);
        world.say(&format!("{account}/r"), "c00", &format!("said by {account}"));
        world.send(&format!("{account}/r"), "c00@mix.h", "2", "<leave xmlns='urn:xmpp:mix:core:1'/>");
    }
    let channel = world.store.load(&[ChannelName::new("c00").unwrap()]).unwrap().remove(0).unwrap();
    assert!(channel.member(&jid("p@h")).is_none(), "it is not given up");
    let past = world.store.past(channel.profile().tag, &[jid("p@h")]).unwrap();
    let id = past[&jid("p@h")].id.to_string();
    (world, id)
}

#[test]
fn whoever_comes_back_behind_an_end_is_somebody_else_though_the_record_was_given_up() {
    let (mut world, id) = given_up();
    let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
    // The commit of its end may be refused meanwhile.
    world.ask_everywhere("p@h");
    world.store.fail_next_commits(2, Failure::Refused);
    world.tick();
    let tag = world.store.directory().unwrap().listings[0].tag;
    let left = world.store.given_up(tag, &jid("p@h")).unwrap();
    assert_eq!(left.iter().map(|it| (it.id.to_string(), it.ended)).collect::<Vec<_>>(), [(id.clone(), true)]);
    assert_eq!(world.store.past(tag, &[jid("p@h")]).unwrap(), HashMap::new());
    let told = world.send("p@h/r", "c00@mix.h", "3", join);
    assert!(told.contains("<join") && !told.contains(&id), "{told}");
    world.tick();
}

#[test]
fn what_was_given_up_ends_though_its_channel_has_its_turn_for_something_else() {
    let (mut world, _) = given_up();
    world.ask_everywhere("p@h");
    let step = || Inbound::GoOn(Step::In(ChannelName::new("c00").unwrap()));
    for _ in 0..50 {
        world.now.0 += 1000;
        let (_, next) = world.turn_once(vec![Inbound::Tick, step()]);
        next.into_iter().for_each(|inbound| drop(world.turn_once(vec![inbound])));
    }
    let tag = world.store.directory().unwrap().listings[0].tag;
    let left = world.store.given_up(tag, &jid("p@h")).unwrap();
    assert_eq!((left.len(), left[0].ended, world.under_way()), (1, true, 0));
}

#[test]
fn of_an_erased_account_nothing_is_found_though_its_record_was_given_up() {
    let (mut world, id) = given_up();
    world.erase("p@h");
    world.tick();
    assert_eq!(world.store.look_for(&jid("p@h")).unwrap(), [""; 0]);
    let tag = world.store.directory().unwrap().listings[0].tag;
    assert_eq!(world.store.given_up(tag, &jid("p@h")).unwrap(), []);
    let rows: Vec<Row> = world.store.rows(tag, &[1, 2, 3]).unwrap().into_iter().flatten().collect();
    let (own, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.author.to_string() == id);
    assert!(own.iter().all(|row| row.kind == RowKind::Erased && row.payload.is_empty()) && own.len() == 1, "{own:?}");
    assert_eq!(others.iter().filter(|row| row.payload.contains("said by")).count(), 2);
}

#[test]
fn what_is_exported_holds_what_an_account_wrote_though_its_record_was_given_up() {
    let (world, id) = given_up();
    let mut told = String::new();
    dossier::export(&world.store, &jid("p@h"), &mut |part| {
        told += &part;
        true
    })
    .unwrap();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let stay = &told["channels"][0]["stays"][0];
    assert_eq!(stay["participant"], id);
    assert!(stay["rows"].to_string().contains("said by p@h"), "{stay}");
    assert_eq!(dossier::summary(&world.store, &jid("p@h")).unwrap()["rows"], 1);
}

#[test]
fn whoever_our_module_says_is_nobody_is_out_at_once_and_nobody_else_is_believed() {
    let mut world = World::new();
    let wish = "<group xmlns='urn:mixd:group:1'><name>g</name><member jid='n@h'/><member jid='n@other'/></group>";
    let create = format!("<create xmlns='urn:xmpp:mix:core:1' channel='g'>{wish}</create>");
    let made = world.send("a@h/r", "mix.h", "1", &create);
    let sent = made.split("from='g@mix.h' id='").nth(1).and_then(|rest| rest.split('\'').next()).unwrap().to_owned();
    let bounce_of = |world: &mut World, id: &str, account: &str, more: &str| {
        let error = format!(
            "<error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>{more}</error>"
        );
        let xml = format!("<message type='error' id='{id}' from='{account}' to='g@mix.h'>{error}</message>");
        world.turn(Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap()))
    };
    let bounce = |world: &mut World, account: &str, more: &str| bounce_of(world, &sent, account, more);
    let says_so = "<no-account xmlns='urn:mixd:host:1'/>";
    // Nothing is known of the module yet.
    assert!(bounce(&mut world, "n@h", says_so).contains("urn:xmpp:ping"));
    assert_eq!(world.under_way(), 0);
    let join = "<join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join>";
    let asked = world.send("a@h", "g@mix.h", "2", join);
    let id = asked.split("to='h'").next().and_then(|head| head.rsplit("id='").next()).unwrap_or_default();
    let id = id.split('\'').next().unwrap();
    let features = "<identity category='server' type='im' name='Prosody'/><feature var='urn:mixd:host:1'/>";
    let told = format!("<query xmlns='http://jabber.org/protocol/disco#info'>{features}</query>");
    let answer = format!("<iq type='result' id='{id}' from='h' to='mix.h'>{told}</iq>");
    world.turn(Inbound::Stanza(Stanza::parse(answer.as_bytes()).unwrap()));
    bounce(&mut world, "n@other", says_so);
    assert_eq!(world.under_way(), 0, "another server has no module of ours");
    bounce(&mut world, "a@h", says_so);
    assert_eq!(world.under_way(), 0, "whoever did something is there");
    bounce_of(&mut world, "b", "n@h", says_so);
    assert_eq!(world.under_way(), 0, "nothing of that id was sent");
    bounce(&mut world, "n@h", says_so);
    assert_eq!(world.under_way(), 1, "{asked}");
    world.tick();
    assert_eq!((world.seats("n@h"), world.seats("n@other")), (0, 1));
}
