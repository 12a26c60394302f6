//! groups.md §1: the twelve rules, one test each, in their order.

use super::world_tests::{World, jid, text, wish};
use crate::channel::command::{HistoryQuery, Slice};
use crate::channel::group::Aggregate;
use crate::channel::*;

pub(super) fn before(row: u64) -> HistoryQuery {
    HistoryQuery { before: Some(row), max: 20, ..HistoryQuery::default() }
}

pub(super) fn report(world: &mut World, name: &str, row: u64, progress: Progress, exact: bool) -> Vec<group::Notice> {
    world.now.0 += 1;
    match world.group_ask(name, GroupCommand::Report { row, progress, exact }).unwrap() {
        Answer::Group(GroupAnswer::Reported(notices)) => notices,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rule_1_an_anchor_has_to_be_a_row_that_the_asker_may_see() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let early = world.say("ann", "early");
    world.add("ann", &["dee"]).unwrap();
    let late = world.say("bob", "late");
    world.group_ask("bob", GroupCommand::Hide { rows: vec![early] }).unwrap();
    world.ask("ann", Command::Publish(Message { retracts: true, target: Some(early), ..text("gone") })).unwrap();
    // A row that is hidden or retracted still is an anchor. A row that the member does not see, or that does not exist,
    // is none.
    assert_eq!(world.history("bob", before(early)).unwrap().before, Some(early));
    assert_eq!(world.history("dee", before(late)).unwrap().windows, Some(vec![(early + 1, late + 1)]));
    assert_eq!(world.history("dee", before(early)), Err(Refusal::NoSuchItem));
    assert_eq!(world.history("bob", before(late + 9)), Err(Refusal::NoSuchItem));
    let unknown = HistoryQuery { names_unknown_row: true, ..HistoryQuery::default() };
    assert_eq!(world.history("bob", unknown), Err(Refusal::NoSuchItem));
}

#[test]
fn rule_2_when_the_owner_leaves_the_longest_admin_or_else_the_longest_member_follows() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    for name in ["cy", "dee"] {
        world.now.0 += 1000;
        world.add("ann", &[name]).unwrap();
    }
    world.promote("ann", "dee").unwrap();
    world.promote("ann", "cy").unwrap();
    world.ask("ann", Command::Leave).unwrap();
    assert_eq!(world.channel.rights(), &Rights { owners: vec![jid("cy")].into(), admins: vec![jid("dee")].into() });
    let heir = (EventKind::AdminAdded, Some("cy".into()), Some("owner".into()));
    assert_eq!(world.events(), [(EventKind::MemberLeft, Some("ann".into()), None), heir]);
    assert_eq!(world.channel.profile().creator, jid("ann"));
    world.ask("dee", Command::Leave).unwrap();
    world.ask("cy", Command::Leave).unwrap();
    assert_eq!(world.channel.rights().owners[..], [jid("bob")]);
    assert_eq!(world.channel.deserted_since(), None);
    world
        .group_ask(
            "bob",
            GroupCommand::Configure(group::Patch { membership: Some(Membership::Invite), ..group::Patch::default() }),
        )
        .unwrap();
    world.add("bob", &["eve"]).unwrap();
    world.now.0 += 1000;
    world.ask("bob", Command::Leave).unwrap();
    assert_eq!((world.status("eve"), world.channel.waiting_count()), (None, 0));
    assert_eq!(world.channel.deserted_since(), Some(world.now));
    assert_eq!(world.join("eve"), Err(Refusal::NoSuchChannel));
}

#[test]
fn rule_3_exit_forget_and_destroy_are_three_things() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    world.say("ann", "hi");
    let left_first = Refusal::NotAllowed("leave the channel first");
    assert_eq!(world.group_ask("bob", GroupCommand::Forget), Err(left_first));
    world.ask("bob", Command::Leave).unwrap();
    assert_eq!(world.shown("bob").len(), 3);
    world.group_ask("bob", GroupCommand::Forget).unwrap();
    assert!(world.channel.member(&jid("bob")).unwrap().own.forgotten);
    assert_eq!(world.history("bob", HistoryQuery::default()), Err(Refusal::NoSuchChannel));
    world.add("ann", &["bob"]).unwrap();
    assert_eq!(world.shown("bob"), [4], "what was forgotten does not come back");
    assert_eq!(world.ask("bob", Command::Destroy), Err(Refusal::NotAdmin));
    world.ask("ann", Command::Destroy).unwrap();
    assert_eq!(world.last, [Change::Destroyed(Default::default())]);
}

#[test]
fn rule_4_whoever_waits_sees_profile_and_members_and_may_join_or_leave() {
    let mut world = World::group(Membership::Invite, &["bob", "cy"]);
    let row = world.say("ann", "hi");
    world.group_ask("bob", GroupCommand::ReadProfile(Default::default())).unwrap();
    world.ask("bob", Command::Describe).unwrap();
    let waits = Err(Refusal::StillWaiting);
    assert_eq!(world.ask("bob", Command::Publish(text("no"))), waits);
    let receipt = GroupCommand::Report { row, progress: Progress::Read, exact: true };
    assert_eq!(world.group_ask("bob", receipt), waits);
    assert_eq!(world.history("bob", HistoryQuery::default()).map(|_| Answer::Done), waits);
    assert_eq!(world.ask("bob", Command::SetNick { nick: None }), waits);
    assert_eq!(world.add("bob", &["dee"]), waits);
    world.join("bob").unwrap();
    assert_eq!(world.events(), [(EventKind::MemberJoined, Some("bob".into()), Some("joined".into()))]);
    assert_eq!(world.shown("bob"), [row + 1], "it sees its own joining and what follows");
    world.ask("cy", Command::Leave).unwrap();
    assert_eq!(world.events(), [(EventKind::MemberLeft, Some("cy".into()), None)]);
    assert!(matches!(world.last[0], Change::Invited(_)));
    assert_eq!(world.channel.recipients_of(&world.facts[&row].row), []);
}

#[test]
fn rule_5_adding_somebody_who_is_in_changes_nothing_and_who_left_is_added_anew() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let id = world.channel.member(&jid("bob")).unwrap().id.clone();
    let edited = Answer::Group(GroupAnswer::Edited(vec![(jid("bob"), Some(Status::Joined))]));
    assert_eq!(world.add("ann", &["bob", "bob"]), Ok(edited.clone()));
    assert_eq!(world.last, []);
    assert!(matches!(world.join("bob").unwrap(), Answer::Joined { .. }), "client-join is idempotent");
    world.ask("bob", Command::Leave).unwrap();
    world.say("ann", "meanwhile");
    assert_eq!(world.add("ann", &["bob"]), Ok(edited));
    let bob = world.channel.member(&jid("bob")).unwrap();
    assert_eq!((&bob.id, &bob.windows), (&id, &vec![(1, Some(2)), (4, None)]));
    assert_eq!(bob.subscriptions, NodeSet::GROUP);
}

#[test]
fn rule_6_the_first_report_wins_and_read_implies_delivered() {
    let mut world = World::group(Membership::Auto, &["bob", "cy", "dee"]);
    let row = world.say("ann", "hi");
    world.add("ann", &["eve"]).unwrap();
    let notices = report(&mut world, "bob", row, Progress::Read, true);
    let aggregate = Aggregate { recipients: 3, delivered: 1, read: 1, all: None };
    assert_eq!((notices.len(), notices[0].aggregate, &notices[0].author), (1, aggregate, &jid("ann")));
    assert_eq!(notices[0].origin_id.as_deref(), Some("o-hi"));
    let [Change::Reported(told)] = &world.last[..] else { panic!("one report is one record: {:?}", world.last) };
    assert_eq!((told.progress, &told.rows, &told.arrived), (Progress::Read, &vec![(row, row)], &vec![(row, row)]));
    for progress in [Progress::Delivered, Progress::Read] {
        assert_eq!(report(&mut world, "bob", row, progress, true), []);
        assert_eq!(world.last, [], "a repeat changes nothing");
    }
    assert_eq!(report(&mut world, "ann", row, Progress::Read, true), [], "one's own message");
    report(&mut world, "cy", row, Progress::Delivered, false);
    assert_eq!(world.channel.aggregate_of(&world.facts[&row].row).all, None);
    world.ask("dee", Command::Leave).unwrap();
    let aggregate = world.channel.aggregate_of(&world.facts[&row].row);
    assert_eq!(aggregate, Aggregate { recipients: 3, delivered: 2, read: 1, all: Some(Progress::Delivered) });
    report(&mut world, "cy", row, Progress::Read, false);
    let [Change::Reported(told)] = &world.last[..] else { panic!("one report is one record: {:?}", world.last) };
    assert_eq!((&told.rows, &told.arrived, told.number), (&vec![(1, row)], &vec![], 2), "it had arrived before");
    assert_eq!(world.channel.aggregate_of(&world.facts[&row].row).all, Some(Progress::Read));
}

#[test]
fn rule_6_a_marker_covers_everything_up_to_its_row_and_each_author_is_told_once() {
    let mut world = World::group(Membership::Auto, &["bob", "cy"]);
    let rows: Vec<u64> = ["ann", "ann", "cy", "ann", "bob"]
        .iter()
        .zip('a'..)
        .map(|(name, body)| world.say(name, &body.to_string()))
        .collect();
    report(&mut world, "bob", rows[1], Progress::Read, true);
    let notices = report(&mut world, "bob", rows[3], Progress::Read, false);
    let told: Vec<_> = notices.iter().map(|notice| (notice.author.clone(), notice.row)).collect();
    assert_eq!(told.len(), 2);
    assert!(told.contains(&(jid("ann"), rows[3])) && told.contains(&(jid("cy"), rows[2])));
    let [Change::Reported(told)] = &world.last[..] else { panic!("one report is one record: {:?}", world.last) };
    assert_eq!(told.rows, [(1, rows[0]), (rows[2], rows[3])], "what was reported before is not reported again");
}

#[test]
fn rule_7_receipts_go_to_the_author_alone_or_are_relayed() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let row = world.say("ann", "hi");
    let marker = || Message { reports: Some((Progress::Read, row)), echoed: true, ..Message::default() };
    let answer = world.ask("bob", Command::Publish(marker())).unwrap();
    assert!(matches!(&answer, Answer::Group(GroupAnswer::Reported(notices)) if notices.len() == 1));
    assert!(!world.last.iter().any(|change| matches!(change, Change::Relayed(_) | Change::Published(_))));
    let relay = group::Patch { receipts: Some(ReceiptPolicy::Relay), ..group::Patch::default() };
    world.group_ask("ann", GroupCommand::Configure(relay)).unwrap();
    let row = world.say("ann", "again");
    let marker = Message { reports: Some((Progress::Read, row)), echoed: true, ..Message::default() };
    assert_eq!(world.ask("bob", Command::Publish(marker)), Ok(Answer::Taken));
    assert!(matches!(world.last.last(), Some(Change::Relayed(_))));
    assert_eq!(world.channel.aggregate_of(&world.facts[&row].row).read, 1, "and recorded");
}

#[test]
fn rule_8_a_retraction_is_a_row_and_takes_the_message_along_with_its_corrections() {
    let mut world = World::group(Membership::Auto, &["bob", "cy"]);
    let row = world.say("bob", "first");
    let correction = Message { corrects: true, target: Some(row), ..text("second") };
    world.ask("bob", Command::Publish(correction)).unwrap();
    let retract =
        |target| Command::Publish(Message { retracts: true, target: Some(target), ..text(&target.to_string()) });
    assert_eq!(world.ask("cy", retract(row)), Err(Refusal::NotAdmin));
    world.ask("bob", retract(row)).unwrap();
    let [Change::Published(retraction), Change::Entombed(one)] = &world.last[..] else { panic!("{:?}", world.last) };
    assert_eq!((&retraction.kind, retraction.target, retraction.counted), (&RowKind::Retraction, Some(row), false));
    assert_eq!((one.row, one.retraction, one.moderated), (row, retraction.number, false));
    let gone: Vec<u64> = world.facts.iter().filter(|(_, facts)| facts.entombed).map(|(&row, _)| row).collect();
    assert_eq!(gone, [row, row + 1]);
    let other = world.say("cy", "other");
    world.group_ask("ann", GroupCommand::Moderate { row: other, reason: Some("spam".into()) }).unwrap();
    // That the admin wrote for the first time is noted as well.
    let [Change::Noted(_), Change::Published(_), Change::Entombed(tombstone)] = &world.last[..] else {
        panic!("{:?}", world.last)
    };
    assert_eq!((tombstone.moderated, tombstone.reason.as_deref()), (true, Some("spam")));
    world.group_ask("ann", GroupCommand::Moderate { row: other, reason: None }).unwrap();
    assert_eq!(world.last, [], "once is enough");
    let window = group::Patch { retract_window_s: Some(10), ..group::Patch::default() };
    world.group_ask("ann", GroupCommand::Configure(window)).unwrap();
    let (bobs, anns) = (world.say("bob", "late"), world.say("ann", "late too"));
    world.now.0 += 10_001;
    assert!(matches!(world.ask("bob", retract(bobs)), Err(Refusal::Forbidden(_))));
    world.ask("ann", retract(anns)).unwrap();
    assert!(matches!(&world.last[0], Change::Published(row) if row.kind == RowKind::Moderation));
}

#[test]
fn rule_9_the_same_chat_state_is_relayed_once_a_second() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let state = |name: &str| Command::Publish(Message { payload: format!("<{name}/>"), ..Message::default() });
    let mut relayed = Vec::new();
    for (name, step) in [("composing", 0), ("composing", 999), ("gone", 0), ("composing", 0), ("composing", 1000)] {
        world.now.0 += step;
        world.ask("bob", state(name)).unwrap();
        relayed.push(!world.last.is_empty());
    }
    assert_eq!(relayed, [true, false, true, true, true]);
    assert_eq!(world.channel.head().row, 1, "none of them is a row");
    let mut plain = World::plain();
    plain.join("ann").unwrap();
    for _ in 0..2 {
        plain.ask("ann", state("composing")).unwrap();
        assert!(matches!(plain.last[..], [Change::Relayed(_)]));
    }
}

#[test]
fn rule_10_files_are_told_by_kind_within_what_one_sees() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let picture = Message { media: Some(MediaKind::Image), ..text("picture") };
    world.ask("ann", Command::Publish(picture)).unwrap();
    assert!(matches!(&world.last[1], Change::Published(row) if row.media == Some(MediaKind::Image)));
    let query = || HistoryQuery { media: Some(vec![MediaKind::Image]), max: 3, from_end: true, ..Default::default() };
    let found = world.history("bob", query()).unwrap();
    assert_eq!((found.media, found.max, found.windows), (Some(vec![MediaKind::Image]), 3, Some(vec![(1, 2)])));
    world.ask("bob", Command::Leave).unwrap();
    world.say("ann", "later");
    assert_eq!(world.history("bob", query()).unwrap().windows, Some(vec![(1, 3)]), "also who left");
}

fn of_invitations() -> [Command; 5] {
    let claim = Claim { inviter: None, invitee: None, token: "a guess".into() };
    [
        Command::Join(crate::channel::JoinWish { claim: Some(claim.clone()), ..Default::default() }),
        Command::Invite { invitee: jid("eve") },
        Command::Decline(claim),
        Command::RevokeInvitations { invitees: vec![jid("eve")] },
        Command::ListInvitations(Default::default()),
    ]
}

#[test]
fn rule_11_a_closed_group_does_not_exist_for_strangers() {
    for membership in [Membership::Auto, Membership::Invite] {
        let mut world = World::group(membership, &[]);
        let row = world.say("ann", "hi");
        let group = [
            GroupCommand::ReadProfile(Default::default()),
            GroupCommand::EditMembers { add: super::world_tests::people(&["eve"]), remove: vec![] },
            GroupCommand::EditAdmins { add: vec![jid("eve")], remove: vec![] },
            GroupCommand::Configure(group::Patch::default()),
            GroupCommand::SetSubject("mine".into()),
            GroupCommand::Report { row, progress: Progress::Read, exact: true },
            GroupCommand::ReadMessageInfo { row },
            GroupCommand::Hide { rows: vec![row] },
            GroupCommand::Clear { up_to: None },
            GroupCommand::Forget,
            GroupCommand::Moderate { row, reason: None },
        ];
        let mut commands: Vec<Command> = group.into_iter().map(Command::Group).chain(of_invitations()).collect();
        let item = Item::default();
        commands.extend([
            Command::Join(crate::channel::JoinWish { subscribe: NodeSet::ALL, ..Default::default() }),
            Command::Leave,
            Command::SetNick { nick: None },
            Command::UpdateSubscription { subscribe: NodeSet::ALL, unsubscribe: NodeSet::default() },
            Command::Publish(text("let me in")),
            Command::Publish(Message { payload: "<x/>".repeat(100_000), ..text("long") }),
            Command::SetItem { node: Node::Info, item: item.clone() },
            Command::SetItem { node: Node::Participants, item },
            Command::RetractItem { node: Node::AvatarData, id: "x".into() },
            Command::RetractItem { node: Node::Info, id: "x".into() },
            Command::PutOnList { node: Node::Allowed, jid: jid("eve"), present: true },
            Command::PutOnList { node: Node::Info, jid: jid("eve"), present: true },
            Command::MakeList { node: Node::Banned, exists: true },
            Command::ReadItems { node: Node::Info, ids: vec![], slice: Default::default() },
            Command::ReadItems { node: Node::Banned, ids: vec![], slice: Default::default() },
            Command::Describe,
            Command::ListNodes,
            Command::ListOccupants(Slice::default()),
            Command::ReadHistory(HistoryQuery::default()),
            Command::HistoryBounds,
            Command::HistoryForm { as_room: false },
            Command::Destroy,
        ]);
        for command in commands {
            assert_eq!(world.ask("eve", command.clone()), Err(Refusal::NoSuchChannel), "{command:?}");
            world.limits.features.groups = false;
            assert_eq!(world.ask("eve", command.clone()), Err(Refusal::NoSuchChannel), "{command:?}");
            world.limits.features.groups = true;
        }
        assert!(world.ask("root", Command::Describe).is_ok(), "an operator");
    }
}

#[test]
fn rule_12_whoever_is_removed_gets_one_last_event_and_then_nothing() {
    let mut world = World::wish(wish(&["bob"]), Limits::default()).unwrap();
    let row = world.say("bob", "hi");
    world.remove("ann", &["bob"]).unwrap();
    assert_eq!(world.events(), [(EventKind::MemberRemoved, Some("bob".into()), None)]);
    world.say("ann", "he is gone");
    assert_eq!(world.shown("bob"), [1, row, row + 1], "up to its own removal");
    assert_eq!(world.ask("bob", Command::Publish(text("still here"))), Err(Refusal::NoSuchChannel));
    assert_eq!(world.ask("bob", Command::Describe), Err(Refusal::NoSuchChannel));
    assert_eq!(world.history("bob", before(row + 2)), Err(Refusal::NoSuchItem));
    assert!(world.channel.participant(&jid("bob")).is_none());
    assert_eq!(world.unread("bob"), 0);
}

#[test]
fn rule_11_a_group_that_is_closed_leaves_the_public_list_and_an_open_one_names_nobody_to_strangers() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let mut become_of = |membership| {
        let patch = group::Patch { membership: Some(membership), ..group::Patch::default() };
        world.group_ask("ann", GroupCommand::Configure(patch)).unwrap();
        (world.channel.profile().listed, world.group_ask("eve", GroupCommand::ReadProfile(Default::default())))
    };
    assert_eq!(become_of(Membership::Open), (true, Err(Refusal::NotJoined)));
    assert_eq!(become_of(Membership::Invite), (false, Err(Refusal::NoSuchChannel)));
}

#[test]
fn rule_6_a_report_of_somebody_who_was_no_recipient_is_ignored() {
    let wish = GroupWish { membership: Some(Membership::Auto), history: Some(History::Full), ..wish(&["bob"]) };
    let mut world = World::wish(wish, Limits::default()).unwrap();
    let row = world.say("ann", "hi");
    world.add("ann", &["dee"]).unwrap();
    assert!(world.history("dee", before(row)).is_ok());
    assert_eq!(report(&mut world, "dee", row, Progress::Read, true), []);
    assert_eq!(report(&mut world, "bob", row, Progress::Read, true).len(), 1);
}
