//! groups.md §3.8: every refusal that a channel gives, and the features that can be switched off.

use super::world_tests::{World, jid, people, text, wish};
use crate::channel::crowd::Ordered;
use crate::channel::*;

#[test]
fn a_subject_is_one_to_thirty_characters_after_nfc_and_trim_and_never_cut() {
    let too_long = Refusal::TooManyCharacters { what: "the name", max: 30 };
    // 30 letters that NFC composes of two characters each, with white space around them.
    let composed = format!("  {}\t", "a\u{308}".repeat(30));
    assert_eq!(group_create::subject(&composed, 30), Ok("ä".repeat(30)));
    assert_eq!(group_create::subject(&"ä".repeat(31), 30), Err(too_long.clone()));
    for wrong in ["", " \t ", "a\nb"] {
        assert!(matches!(group_create::subject(wrong, 30), Err(Refusal::Invalid { field: "name", .. })), "{wrong:?}");
    }
    let mut world = World::group(Membership::Auto, &["bob"]);
    let rename = |subject: &str| GroupCommand::SetSubject(subject.into());
    assert_eq!(world.group_ask("ann", rename(&"x".repeat(31))), Err(too_long.clone()));
    world.group_ask("ann", rename(" Picnic ")).unwrap();
    assert_eq!(world.channel.label(), Some("Picnic"));
    assert_eq!(world.channel.info().payload, "<name>Picnic</name>");
    assert_eq!(world.events(), [(EventKind::ProfileChanged, None, Some("name".into()))]);
    let item = |label: &str| Item { label: Some(label.into()), payload: "<x/>".into(), ..Item::default() };
    let publish = |label: &str| Command::SetItem { node: Node::Info, item: item(label) };
    assert_eq!(world.ask("ann", publish(&"x".repeat(31))), Err(too_long));
    assert!(matches!(world.ask("ann", publish(" ")), Err(Refusal::Invalid { .. })));
    world.ask("ann", publish(" Walk ")).unwrap();
    assert_eq!((world.channel.label(), &*world.channel.info().payload), (Some("Walk"), "<name>Walk</name>"));
    assert!(World::wish(group::GroupWish { subject: " ".into(), ..wish(&[]) }, Limits::default()).is_err());
}

#[test]
fn parameters_that_are_missing_or_wrong_are_named() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let nobody = GroupCommand::EditMembers { add: vec![], remove: vec![] };
    assert!(matches!(world.group_ask("ann", nobody), Err(Refusal::Invalid { field: "members", .. })));
    let both = GroupCommand::EditMembers { add: people(&["cy"]), remove: vec![jid("cy")] };
    assert!(matches!(world.group_ask("ann", both), Err(Refusal::Invalid { field: "jid", .. })));
    let domain = group::Invitee { jid: jid::BareJid::new("example.org").unwrap(), nick: None };
    let add = GroupCommand::EditMembers { add: vec![domain.clone()], remove: vec![] };
    assert!(matches!(world.group_ask("ann", add), Err(Refusal::Invalid { field: "jid", .. })));
    let none = GroupCommand::EditAdmins { add: vec![], remove: vec![] };
    assert!(matches!(world.group_ask("ann", none), Err(Refusal::Invalid { field: "admins", .. })));
    let hide = GroupCommand::Hide { rows: vec![] };
    assert!(matches!(world.group_ask("bob", hide), Err(Refusal::Invalid { field: "item", .. })));
    let patch = group::Patch { participants_max: Some(31), ..group::Patch::default() };
    let refused = world.group_ask("ann", GroupCommand::Configure(patch));
    assert!(matches!(refused, Err(Refusal::Invalid { field: "participants_max", .. })));
    let wish = group::GroupWish { members: vec![domain], ..wish(&[]) };
    assert!(matches!(World::wish(wish, Limits::default()).err(), Some(Refusal::Invalid { field: "jid", .. })));
}

#[test]
fn who_has_many_to_add_sends_several_requests() {
    let mut limits = Limits::default();
    limits.groups.participants_max = 100;
    let names: Vec<String> = (0..37).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let refused = World::wish(wish(&names), limits.clone()).err();
    assert!(matches!(refused, Some(Refusal::Invalid { field: "members", .. })), "{refused:?}");
    let mut world = World::wish(wish(&names[..36]), limits).unwrap();
    let too_many = world.remove("ann", &names);
    assert!(matches!(too_many, Err(Refusal::Invalid { field: "members", .. })), "{too_many:?}");
    assert_eq!(world.channel.participant_count(), 37);
    world.add("ann", &names[36..]).unwrap();
    world.remove("ann", &names[..36]).unwrap();
    assert_eq!(world.channel.participant_count(), 2);
    // Too many people for the group are refused as that.
    let crowd: Vec<String> = (0..200).map(|n| format!("q{n}")).collect();
    let crowd: Vec<&str> = crowd.iter().map(String::as_str).collect();
    assert_eq!(world.add("ann", &crowd), Err(Refusal::Crowded { max: 100 }));
}

#[test]
fn a_plain_channel_needs_no_groups() {
    let mut world = World::plain();
    world.limits.features.groups = false;
    for name in ["ann", "bob"] {
        world.ask(name, Command::Join(JoinWish::default())).unwrap();
    }
    let row = world.say("bob", "spam");
    world.group_ask("ann", GroupCommand::Moderate { row, reason: None }).unwrap();
    world.group_ask("ann", GroupCommand::EditMembers { add: vec![], remove: vec![jid("bob")] }).unwrap();
    assert_eq!(world.channel.participant(&jid("bob")), None);
    let off = Err(Refusal::FeatureOff("groups"));
    assert_eq!(world.group_ask("ann", GroupCommand::EditMembers { add: people(&["cy"]), remove: vec![] }), off);
    assert_eq!(world.group_ask("ann", GroupCommand::SetSubject("Picnic".into())), off);
}

#[test]
fn who_may_not_read_the_participants_is_not_told_them_with_a_message() {
    let mut world = World::plain();
    for name in ["ann", "bob", "cy"] {
        world.ask(name, Command::Join(JoinWish::default())).unwrap();
    }
    let row = world.say("bob", "who is there?");
    let read = || GroupCommand::ReadMessageInfo { row };
    assert!(world.group_ask("bob", read()).is_ok());
    let access = Some(NodeAccess { participants: Access::Admins, ..world.channel.settings().access });
    let patch = group::Patch { access, ..group::Patch::default() };
    world.group_ask("ann", GroupCommand::Configure(patch)).unwrap();
    assert!(matches!(world.group_ask("bob", read()), Err(Refusal::Forbidden(_))));
    assert!(world.group_ask("ann", read()).is_ok());
}

#[test]
fn what_is_switched_off_is_refused_by_name() {
    let mut limits = Limits::default();
    let off = |name| Some(Refusal::FeatureOff(name));
    limits.features.groups = false;
    assert_eq!(World::wish(wish(&[]), limits).err(), off("groups"));
    let mut world = World::group(Membership::Auto, &["bob"]);
    let row = world.say("ann", "hi");
    world.limits.features.groups = false;
    assert_eq!(world.ask("bob", Command::Publish(text("no"))).err(), off("groups"));
    world.ask("bob", Command::Leave).unwrap();
    let features = FeatureSwitches {
        groups: true,
        image: false,
        audio: false,
        video: false,
        file: false,
        media: false,
        receipts: false,
        states: false,
        retraction: false,
        nick_registration: false,
    };
    world.limits.features = features;
    let kinds = [
        (MediaKind::Image, "image"),
        (MediaKind::Audio, "audio"),
        (MediaKind::Video, "video"),
        (MediaKind::File, "file"),
    ];
    for (kind, name) in kinds {
        let message = Message { media: Some(kind), ..text(name) };
        assert_eq!(world.ask("ann", Command::Publish(message)).err(), off(name));
    }
    let media = command::HistoryQuery { media: Some(vec![]), ..Default::default() };
    assert_eq!(world.history("ann", media).err(), off("media"));
    let receipt = GroupCommand::Report { row, progress: Progress::Read, exact: true };
    assert_eq!(world.group_ask("ann", receipt).err(), off("receipts"));
    assert_eq!(world.group_ask("ann", GroupCommand::ReadMessageInfo { row }).err(), off("receipts"));
    assert_eq!(world.ask("ann", Command::Publish(Message::default())).err(), off("states"));
    let retract = Message { retracts: true, target: Some(row), ..text("r") };
    assert_eq!(world.ask("ann", Command::Publish(retract)).err(), off("retraction"));
    assert_eq!(world.group_ask("ann", GroupCommand::Moderate { row, reason: None }).err(), off("retraction"));
    world.say("ann", "plain text goes on");
}

#[test]
fn the_creator_and_those_who_wait_count_and_adding_is_all_or_nothing() {
    let names: Vec<String> = (1..=30).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let crowded = Refusal::Crowded { max: 30 };
    assert_eq!(World::wish(wish(&names), Limits::default()).err(), Some(crowded.clone()));
    let mut twice = wish(&names[..29]);
    twice.members.extend(people(&["ann", "p1"]));
    twice.membership = Some(Membership::Invite);
    let mut world = World::wish(twice, Limits::default()).unwrap();
    assert_eq!((world.channel.participant_count(), world.channel.waiting_count()), (1, 29));
    assert_eq!(world.add("ann", &["q"]), Err(crowded.clone()));
    world.remove("ann", &["p1"]).unwrap();
    assert_eq!(world.add("ann", &["q", "r"]), Err(crowded));
    assert_eq!(world.status("q"), None, "nobody of them came in");
    let swap = GroupCommand::EditMembers { add: people(&["q", "r"]), remove: vec![jid("p2")] };
    world.group_ask("ann", swap).unwrap();
    assert_eq!(world.channel.waiting_count(), 29);
}

#[test]
fn what_takes_an_admin_is_refused_to_members() {
    let mut world = World::group(Membership::Auto, &["bob", "cy"]);
    let not_admin = Err(Refusal::NotAdmin);
    let row = world.say("cy", "hi");
    assert_eq!(world.add("bob", &["dee"]), not_admin);
    assert_eq!(world.remove("bob", &["cy"]), not_admin);
    assert_eq!(world.promote("bob", "bob"), not_admin);
    assert_eq!(world.group_ask("bob", GroupCommand::SetSubject("x".into())), not_admin);
    assert_eq!(world.group_ask("bob", GroupCommand::Moderate { row, reason: None }), not_admin);
    for node in [Node::AvatarMetadata, Node::AvatarData, Node::Video, Node::Info] {
        assert_eq!(world.ask("bob", Command::SetItem { node, item: Item::default() }), not_admin, "{node:?}");
    }
    let read = Command::ReadItems { node: Node::Allowed, ids: vec![], slice: Default::default() };
    assert_eq!(world.ask("bob", read), not_admin);
    world.promote("ann", "bob").unwrap();
    assert_eq!(world.events(), [(EventKind::AdminAdded, Some("bob".into()), Some("admin".into()))]);
    let configure = GroupCommand::Configure(group::Patch::default());
    assert_eq!(world.group_ask("bob", configure), not_admin, "that takes the owner");
    let open = group::Patch { members_add: Some(true), ..group::Patch::default() };
    world.group_ask("ann", GroupCommand::Configure(open)).unwrap();
    world.add("cy", &["dee"]).unwrap();
    assert!(matches!(world.remove("bob", &["ann"]), Err(Refusal::Forbidden(_))), "nobody removes the owner");
    let demote = GroupCommand::EditAdmins { add: vec![], remove: vec![jid("ann")] };
    assert!(matches!(world.group_ask("bob", demote), Err(Refusal::Forbidden(_))));
    assert_eq!(world.promote("bob", "zoe"), Err(Refusal::NoSuchItem), "only who is in can be one");
}

#[test]
fn pictures_have_a_size_and_go_with_what_names_them() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let item = |id: &str, bytes: usize| Item { id: id.into(), payload: "x".repeat(bytes), ..Item::default() };
    let set = |node, id: &str, bytes| Command::SetItem { node, item: item(id, bytes) };
    let refused = world.ask("ann", set(Node::AvatarData, "a", 200_000));
    assert_eq!(refused, Err(Refusal::FileTooLarge { max: 102_400 }));
    world.ask("ann", set(Node::AvatarData, "a", 140_000)).unwrap();
    assert_eq!(world.events(), [], "the bytes alone show nobody anything");
    world.ask("ann", set(Node::AvatarMetadata, "a", 10)).unwrap();
    assert_eq!(world.events(), [(EventKind::ProfileChanged, None, Some("avatar".into()))]);
    assert!(world.channel.item(Node::AvatarData).is_some());
    world.ask("ann", set(Node::AvatarMetadata, "b", 10)).unwrap();
    assert!(world.channel.item(Node::AvatarData).is_none());
    let retract = |id: &str| Command::RetractItem { node: Node::AvatarMetadata, id: id.into() };
    assert_eq!(world.ask("ann", retract("a")), Err(Refusal::NoSuchItem));
    world.ask("ann", retract("b")).unwrap();
    assert!(world.channel.item(Node::AvatarMetadata).is_none());
}

#[test]
fn lists_say_who_may_join_a_plain_channel_and_are_its_people_in_a_group() {
    let mut world = World::plain();
    world.join("bob").unwrap();
    let put = |node, name: &str, present| Command::PutOnList { node, jid: jid(name), present };
    assert_eq!(world.ask("ann", put(Node::Banned, "bob", true)), Err(Refusal::NoSuchNode));
    assert!(matches!(world.ask("bob", put(Node::Banned, "cy", true)), Err(Refusal::Forbidden(_))));
    world.ask("ann", Command::MakeList { node: Node::Banned, exists: true }).unwrap();
    world.ask("ann", put(Node::Banned, "bob", true)).unwrap();
    assert_eq!(world.status("bob"), Some(Status::Left));
    assert!(matches!(world.join("bob"), Err(Refusal::NotAllowed(_))));
    world.ask("ann", Command::MakeList { node: Node::Allowed, exists: true }).unwrap();
    assert!(matches!(world.join("cy"), Err(Refusal::NotAllowed(_))));
    let domain = jid::BareJid::new("example.org").unwrap();
    world.ask("ann", Command::PutOnList { node: Node::Allowed, jid: domain, present: true }).unwrap();
    world.join("cy").unwrap();
    assert!(matches!(world.join("bob"), Err(Refusal::NotAllowed(_))), "the banned come first");
    let mut group = World::group(Membership::Auto, &[]);
    group.ask("ann", put(Node::Allowed, "bob", true)).unwrap();
    assert_eq!(group.channel.admitted().rising(0).collect::<Vec<_>>(), [&jid("ann"), &jid("bob")]);
    group.ask("ann", put(Node::Banned, "bob", true)).unwrap();
    assert_eq!(group.events(), [(EventKind::MemberRemoved, Some("bob".into()), None)]);
    assert!(matches!(group.add("ann", &["bob"]), Err(Refusal::Forbidden(_))));
    group.ask("ann", put(Node::Banned, "bob", false)).unwrap();
    group.add("ann", &["bob"]).unwrap();
}

#[test]
fn those_who_wait_reserve_no_nick() {
    let mut world = World::group(Membership::Invite, &[]);
    let nick = |name: &str| Nick::new(name);
    let add =
        vec![group::Invitee { jid: jid("bob"), nick: nick("Bo") }, group::Invitee { jid: jid("cy"), nick: nick("bo") }];
    world.group_ask("ann", GroupCommand::EditMembers { add, remove: vec![] }).unwrap();
    let joined = |answer| match answer {
        Ok(Answer::Joined { nick, .. }) => nick.as_str().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(joined(world.join("cy")), "bo");
    let wanted = Command::Join(JoinWish { nick: nick("BO"), ..JoinWish::default() });
    assert_eq!(world.ask("bob", wanted), Err(Refusal::NickTaken));
    assert_eq!(joined(world.join("bob")), "Bo 2");
}
