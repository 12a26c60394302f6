//! Commands by another door than stanzas: the same rules, results by their marks, and what others are told of them.

#![allow(clippy::unwrap_used)]

use jid::{BareJid, DomainPart};
use mixd::channel::command::Slice;
use mixd::channel::group::{GroupCommand, Invitee};
use mixd::channel::{
    Actor, Answer, AnyCommand, Command, GroupAnswer, GroupWish, Limits, Membership, Message, Progress, Rates, Refusal,
    ServiceCommand, Somebody, Stamp, Status,
};
use mixd::engine::{Addressee, Call, CallResult, Called, Engine, Inbound, Out, ServiceSettings};
use mixd::runtime::callers::complete;
use mixd::runtime::load::load_all;
use mixd::store::{CommitError, Failure, MemoryStore, Store};
use mixd::xmpp::Stanza;
use std::collections::HashMap;

struct World {
    engine: Engine,
    store: MemoryStore,
    now: Stamp,
    token: u64,
}

fn jid(local: &str) -> BareJid {
    BareJid::new(&format!("{local}@example.org")).unwrap()
}

fn engine(store: &MemoryStore, channels_memory_bytes_max: usize) -> Engine {
    let settings = ServiceSettings {
        domain: DomainPart::new("mix.example.org").unwrap().into_owned(),
        name: "Channels".into(),
        operators: Vec::new(),
        creators: vec!["example.org".into()],
        limits: Limits { rates: Rates::unlimited(), ..Limits::default() },
        page_default: 20,
        page_max: 100,
        channels_memory_bytes_max,
        pam: HashMap::new(),
        multicast: Default::default(),
    };
    Engine::new(settings, store.sealing_key(), [1; 32], store.directory().unwrap(), Vec::new())
}

impl World {
    /// With no channel in memory between turns.
    fn new() -> World {
        let store = MemoryStore::new([7; 16]);
        World { engine: engine(&store, 0), store, now: Stamp(1_795_428_000_000), token: 0 }
    }

    /// Makes calls in one turn: their results, and the stanzas that go out, sorted.
    fn turn(&mut self, calls: Vec<(&str, Addressee, impl Into<AnyCommand>)>) -> (Vec<Called>, Vec<String>) {
        self.now.0 += 1000;
        let call = |(who, to, command): (&str, Addressee, _)| {
            self.token += 1;
            let command = Into::into(command);
            let actor = Actor { account: jid(who), operator: false };
            Inbound::Call(Box::new(Call { token: self.token, actor, to, command }))
        };
        let batch: Vec<Inbound> = calls.into_iter().map(call).collect();
        load_all(&mut self.engine, &self.store, &batch).unwrap();
        let turn = self.engine.turn(self.now, batch);
        match self.store.commit(self.now, &turn.records) {
            Ok(()) => {}
            Err(CommitError::Refused(_)) => {
                let refused = turn.refused();
                self.engine.abandon(turn);
                return (refused, Vec::new());
            }
            Err(error) => panic!("{error}"),
        }
        let mut results = turn.results;
        results.extend(turn.lookups.into_iter().map(|lookup| complete(lookup, &self.store)));
        let mut sent: Vec<String> = turn
            .outbox
            .into_iter()
            .filter_map(|out| match out {
                Out::Stanza(stanza)
                | Out::Presence(stanza)
                | Out::Question(stanza)
                | Out::About { text: stanza, .. } => Some(stanza),
                _ => None,
            })
            .collect();
        sent.sort();
        (results, sent)
    }

    fn call(&mut self, who: &str, to: Addressee, command: impl Into<AnyCommand>) -> Result<CallResult, Refusal> {
        let (mut results, _) = self.turn(vec![(who, to, command)]);
        assert_eq!(results.len(), 1);
        let (token, result) = results.remove(0);
        assert_eq!(token, self.token);
        result
    }

    fn group(&mut self, who: &str, gid: u32, command: GroupCommand) -> Result<CallResult, Refusal> {
        self.call(who, Addressee::Gid(gid), Command::Group(command))
    }
}

fn wish(notices: bool) -> ServiceCommand {
    let invitee = |local| Invitee { jid: jid(local), nick: None };
    ServiceCommand::CreateGroup(GroupWish {
        subject: "Weekend".into(),
        members: vec![invitee("bob"), invitee("cy")],
        membership: Some(Membership::Invite),
        notices,
        ..GroupWish::default()
    })
}

fn say(body: &str) -> Command {
    Command::Publish(message(body))
}

fn message(body: &str) -> Message {
    Message {
        archived: true,
        echoed: true,
        counted: true,
        payload: format!("<body>{body}</body>"),
        ..Message::default()
    }
}

/// Whom the stanzas with this text go to.
fn told(sent: &[String], text: &str) -> Vec<String> {
    let to =
        |stanza: &&String| stanza.split(" to='").nth(1).and_then(|rest| rest.split('@').next()).unwrap().to_owned();
    let mut told: Vec<String> = sent.iter().filter(|stanza| stanza.contains(text)).map(|stanza| to(&stanza)).collect();
    told.sort();
    told
}

/// A client of rooms learns of a group that an app made, and enters it.
#[test]
fn a_group_made_by_call_is_a_room_to_those_who_are_added() {
    let mut world = World::new();
    let (_, sent) = world.turn(vec![("ann", Addressee::Service, wish(false))]);
    let invited: Vec<&String> =
        sent.iter().filter(|stanza| stanza.contains("<invite from='ann@example.org'/>")).collect();
    assert_eq!(invited.len(), 2);
    let room = invited[0].split_once("jabber:x:conference' jid='").unwrap().1.split('\'').next().unwrap();
    let enters = |who: &str| {
        let x = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";
        let entry = format!("<presence from='{who}/pc' to='{room}/{who}' id='e'>{x}</presence>");
        let batch = vec![Inbound::Stanza(Stanza::parse(entry.as_bytes()).unwrap())];
        load_all(&mut world.engine, &world.store, &batch).unwrap();
        let turn = world.engine.turn(world.now, batch);
        world.store.commit(world.now, &turn.records).unwrap();
        turn.refusals.is_empty()
    };
    assert_eq!(["bob@example.org", "cy@example.org", "dan@example.net"].map(enters), [true, true, false]);
}

#[test]
fn one_turn_lists_so_many_people_and_no_more() {
    let mut world = World::new();
    let gid = world.call("ann", Addressee::Service, wish(false)).unwrap().group.unwrap().gid;
    let read = |who| (who, Addressee::Gid(gid), Command::Group(GroupCommand::ReadProfile(Default::default())));
    let (results, _) = world.turn([vec![read("ann"); 30_000], vec![read("bob"); 100]].concat());
    let (results, others): (Vec<_>, Vec<_>) = results.into_iter().enumerate().partition(|(place, _)| *place < 30_000);
    assert!(others.into_iter().all(|(_, (_, result))| result.is_ok()), "somebody else has less, and is answered");
    let (served, refused): (Vec<_>, Vec<_>) =
        results.into_iter().map(|(_, (_, result))| result).partition(Result::is_ok);
    assert!(served.len() > 10_000 && !refused.is_empty(), "{} served", served.len());
    assert!(refused.into_iter().all(|result| result == Err(Refusal::Busy)));
    let (results, _) = world.turn(vec![read("ann")]);
    assert!(results[0].1.is_ok(), "the next turn has its own");
}

fn status(one: &Somebody) -> Status {
    match one {
        Somebody::Person(person) => person.status,
        Somebody::Guest(guest) => panic!("{guest:?}"),
    }
}

#[test]
fn a_group_is_made_and_used_by_its_number() {
    let mut world = World::new();
    let made = world.call("ann", Addressee::Service, wish(false)).unwrap();
    let gid = made.group.unwrap().gid;
    let group = world.group("ann", gid, GroupCommand::ReadProfile(Default::default())).unwrap().group.unwrap();
    assert_eq!((group.subject.as_deref(), group.people.len(), group.creator), (Some("Weekend"), 3, jid("ann")));
    let statuses: Vec<Status> = group.people.iter().map(status).collect();
    assert_eq!(statuses, [Status::Joined, Status::Waiting, Status::Waiting]);

    assert_eq!(world.call("bob", Addressee::Gid(gid), say("x")), Err(Refusal::StillWaiting));
    assert_eq!(world.group("dee", gid, GroupCommand::ReadProfile(Default::default())), Err(Refusal::NoSuchChannel));
    assert_eq!(world.group("ann", gid + 1, GroupCommand::ReadProfile(Default::default())), Err(Refusal::NoSuchChannel));
    let join = Command::Join(Default::default());
    assert!(matches!(world.call("bob", Addressee::Gid(gid), join).unwrap().answer, Answer::Joined { .. }));
    let said = world.call("ann", Addressee::Gid(gid), say("Shall we?")).unwrap();
    let row = said.group.unwrap().head.row;

    let report = GroupCommand::Report { row, progress: Progress::Read, exact: true };
    world.group("bob", gid, report).unwrap();
    let info = world.group("ann", gid, GroupCommand::ReadMessageInfo { row }).unwrap();
    assert!(matches!(info.answer, Answer::Group(GroupAnswer::MessageInfo { .. })));
    let [(reader, receipt)] = &info.receipts[..] else { panic!("cy has not joined: {:?}", info.receipts) };
    assert_eq!((reader, receipt.read), (&jid("bob"), receipt.delivered));
    assert!(receipt.read.is_some());

    let list = ServiceCommand::ListGroups { with: Some(jid("bob")), slice: Slice::default() };
    let Answer::Groups(page) = world.call("cy", Addressee::Service, list).unwrap().answer else { panic!() };
    assert_eq!((page.count, page.entries[0].group.gid, page.entries[0].status), (1, gid, Status::Waiting));

    let name = page.entries[0].group.name.clone();
    let gone = world.call("ann", Addressee::Gid(gid), ServiceCommand::Destroy { name }).unwrap();
    assert_eq!((gone.answer, gone.group), (Answer::Destroyed, None));
    assert_eq!(world.group("ann", gid, GroupCommand::ReadProfile(Default::default())), Err(Refusal::NoSuchChannel));
}

#[test]
fn numbers_are_found_again_after_a_start() {
    let mut world = World::new();
    let gid = world.call("ann", Addressee::Service, wish(false)).unwrap().group.unwrap().gid;
    world.engine = engine(&world.store, usize::MAX);
    assert_eq!(world.group("ann", gid, GroupCommand::ReadProfile(Default::default())).unwrap().group.unwrap().gid, gid);
    assert_ne!(world.call("ann", Addressee::Service, wish(false)).unwrap().group.unwrap().gid, gid);
}

#[test]
fn a_refused_commit_is_told_to_every_caller() {
    let mut world = World::new();
    let gid = world.call("ann", Addressee::Service, wish(false)).unwrap().group.unwrap().gid;
    world.store.fail_next_commits(1, Failure::Refused);
    let read = (("ann"), Addressee::Gid(gid), Command::Group(GroupCommand::ReadProfile(Default::default())));
    let (results, _) = world.turn(vec![("ann", Addressee::Gid(gid), say("lost")), read]);
    assert_eq!(results.iter().map(|(_, result)| result.clone()).collect::<Vec<_>>(), vec![Err(Refusal::Internal); 2]);
    assert_eq!(
        world.group("ann", gid, GroupCommand::ReadProfile(Default::default())).unwrap().group.unwrap().head.row,
        1
    );
}

#[test]
fn people_of_a_group_with_notices_are_told_by_them() {
    let mut world = World::new();
    let (results, sent) = world.turn(vec![("ann", Addressee::Service, wish(true))]);
    let gid = results[0].1.as_ref().unwrap().group.as_ref().unwrap().gid;
    let new = format!("<body>~[GC M:&apos;NG&apos; GID:{gid} MID:1]</body>");
    assert_eq!(told(&sent, &new), ["ann", "bob", "cy"]);
    assert!(sent.iter().filter(|stanza| stanza.contains("~[GC")).all(|stanza| stanza.contains("no-store")));

    let rename = Command::Group(GroupCommand::SetSubject("Sunday".into()));
    let (_, sent) = world.turn(vec![("ann", Addressee::Gid(gid), rename)]);
    assert_eq!(told(&sent, &format!("~[GC M:&apos;EG&apos; GID:{gid} MID:2]")), ["ann"], "the others wait");

    let add = GroupCommand::EditMembers { add: vec![Invitee { jid: jid("dee"), nick: None }], remove: Vec::new() };
    let (_, sent) = world.turn(vec![("ann", Addressee::Gid(gid), Command::Group(add))]);
    assert_eq!(told(&sent, "M:&apos;NG&apos;"), ["dee"]);
    assert_eq!(told(&sent, "M:&apos;EG&apos;"), ["ann"]);

    let (_, sent) = world.turn(vec![("ann", Addressee::Service, wish(false))]);
    assert!(told(&sent, "~[GC").is_empty());
}

#[test]
fn the_archive_is_read_over_xmpp_alone() {
    let mut world = World::new();
    let gid = world.call("ann", Addressee::Service, wish(false)).unwrap().group.unwrap().gid;
    let refused = world.call("ann", Addressee::Gid(gid), Command::HistoryBounds);
    assert!(matches!(refused, Err(Refusal::Unsupported(_))), "{refused:?}");
}

#[test]
fn a_number_finds_no_channel_that_is_on_no_list() {
    let mut world = World::new();
    let gid = world.call("ann", Addressee::Service, ServiceCommand::Create { name: None }).unwrap().group.unwrap().gid;
    let join = || Command::Join(Default::default());
    assert_eq!(world.call("eve", Addressee::Gid(gid), join()), Err(Refusal::NoSuchChannel));
    let name = world.call("ann", Addressee::Gid(gid), join()).unwrap().group.unwrap().name;
    world.call("eve", Addressee::Channel(name), join()).unwrap();
    world.call("eve", Addressee::Gid(gid), Command::Leave).unwrap();
}

#[test]
fn a_correction_goes_with_its_message_within_one_batch() {
    let mut world = World::new();
    let gid = world.call("ann", Addressee::Service, wish(false)).unwrap().group.unwrap().gid;
    let made = |id: &str| Message { origin_id: Some(id.into()), ..message("x") };
    let said = world.call("ann", Addressee::Gid(gid), Command::Publish(made("o1"))).unwrap().group.unwrap();
    let (row, tag) = (said.head.row, said.tag);
    let corrected = Command::Publish(Message { corrects: true, target: Some(row), ..made("o2") });
    let retracted = Command::Group(GroupCommand::Moderate { row, reason: None });
    // It corrects the correction, which came in the same batch.
    let again = Command::Publish(Message { corrects: true, target: Some(row + 1), ..made("o3") });
    let late = Command::Publish(Message { corrects: true, target: Some(row + 1), ..made("o4") });
    let to = Addressee::Gid(gid);
    world.turn([corrected, again, retracted, late].map(|command| ("ann", to.clone(), command)).into());
    let facts = world.store.facts(tag, &[row, row + 1, row + 2]).unwrap();
    assert!(facts.into_iter().all(|facts| facts.unwrap().entombed), "all are gone");
    let last = world.store.facts(tag, &[row + 4]).unwrap().remove(0);
    assert_eq!(last, None, "what is gone is not corrected");
}

#[test]
fn a_group_that_closes_is_listed_no_more() {
    let mut world = World::new();
    let open = ServiceCommand::CreateGroup(GroupWish {
        subject: "Weekend".into(),
        membership: Some(Membership::Open),
        ..GroupWish::default()
    });
    let gid = world.call("ann", Addressee::Service, open).unwrap().group.unwrap().gid;
    let listed = |world: &mut World| {
        let list = ServiceCommand::ListChannels(Slice::default());
        let Answer::Channels(page) = world.call("eve", Addressee::Service, list).unwrap().answer else { panic!() };
        (page.count, world.store.directory().unwrap().listings[0].listed)
    };
    assert_eq!(listed(&mut world), (1, true));
    let patch = mixd::channel::group::Patch { membership: Some(Membership::Invite), ..Default::default() };
    world.group("ann", gid, GroupCommand::Configure(patch)).unwrap();
    assert_eq!(listed(&mut world), (0, false));
    world.engine = engine(&world.store, 0);
    assert_eq!(listed(&mut world), (0, false));
}
