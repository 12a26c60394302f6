//! Decisions about many people have the same result, whether they are made at once or in parts.

use super::world_tests::{World, jid, wish};
use crate::channel::group::{Configuration, Patch};
use crate::channel::*;

const MANY: usize = 9;

fn name(n: usize) -> String {
    format!("u{n}@crowd.example")
}

/// A plain channel of `ann`, `bob`, and many of another domain who want their JIDs to be visible.
fn crowd() -> World {
    let mut world = World::plain();
    let preferences = PreferencesPatch { jid: Some(JidPreference::Always), ..PreferencesPatch::default() };
    let wish = JoinWish { preferences, ..JoinWish::default() };
    world.ask("ann", Command::Join(JoinWish::default())).unwrap();
    world.ask("bob", Command::Join(JoinWish::default())).unwrap();
    (0..MANY).for_each(|n| drop(world.ask(&name(n), Command::Join(wish.clone())).unwrap()));
    world
}

/// A plain channel of `ann` with many guests.
fn visited() -> World {
    let mut world = World::plain();
    let patch = Patch { guests: Some(Access::Anyone), ..Patch::default() };
    world.ask("ann", Command::Group(GroupCommand::Configure(patch))).unwrap();
    for n in 0..MANY {
        world.ask(&name(n), Command::Subscribe { node: Node::Messages, wanted: true }).unwrap();
    }
    world
}

/// A group with `ann` in it and many who wait.
fn awaited() -> World {
    let names: Vec<String> = (0..MANY).map(name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let membership = Some(Membership::Invite);
    World::wish(group::GroupWish { membership, ..wish(&names) }, Limits::default()).unwrap()
}

/// The state of a channel and its people.
fn outcome(world: &World) -> (Kept, Vec<(jid::BareJid, Status, NodeSet)>) {
    let mut people: Vec<_> = world.channel.members().map(|it| (it.jid.clone(), it.status, it.subscriptions)).collect();
    people.sort_by(|a, b| a.0.cmp(&b.0));
    (world.channel.kept().clone(), people)
}

/// The people whom some changes take out, by their ids.
fn gone(changes: &[Change]) -> Vec<ParticipantId> {
    let ids = changes.iter().filter_map(|change| match change {
        Change::Removed(member) | Change::Left(member) | Change::Invited(member) => Some(member.id.clone()),
        _ => None,
    });
    ids.collect()
}

#[test]
fn what_is_done_in_parts_comes_to_the_same_and_each_part_is_small() {
    let close = |patch: Patch| Command::Reconfigure(Configuration { patch, ..Configuration::default() });
    let hidden = Patch { visibility: Some(Visibility::Hidden), ..Patch::default() };
    let no_guests = Patch { guests: Some(Access::Participants), ..Patch::default() };
    let domain = jid::BareJid::new("crowd.example").unwrap();
    let acts: [(fn() -> World, Command); 7] = [
        (crowd, Command::Ban { jid: domain.clone() }),
        (crowd, close(hidden.clone())),
        (crowd, Command::Group(GroupCommand::Configure(hidden))),
        (visited, close(no_guests.clone())),
        (visited, Command::Group(GroupCommand::Configure(no_guests))),
        (awaited, Command::Leave),
        (awaited, Command::EndAccount),
    ];
    for (world, act) in acts {
        let mut at_once = world();
        let answer = at_once.ask("ann", act.clone()).unwrap();
        assert_eq!(at_once.parts.len(), 1);
        let mut in_parts = world();
        in_parts.limits.part_max = 2;
        assert_eq!(in_parts.ask("ann", act.clone()).unwrap(), answer);
        assert_eq!(in_parts.parts.len(), MANY.div_ceil(2), "{act:?}");
        assert_eq!(outcome(&in_parts), outcome(&at_once), "{act:?}");
        // In the order of ids throughout, which tells nothing of accounts where JIDs may be hidden. The asker goes
        // last.
        let (ids, hides_nobody) = (gone(&in_parts.parts.concat()), in_parts.channel.settings().style == Style::Group);
        assert!(hides_nobody || ids.iter().take(MANY - 1).is_sorted(), "{act:?}: {ids:?}");
        assert!(in_parts.parts.iter().all(|part| part.len() <= 2 * 2 + 3), "{act:?}: {:?}", in_parts.parts);
    }
}

/// The asker goes last, and the rest of a request never asks for more than there is room for.
#[test]
fn whoever_is_named_comes_or_goes_in_parts() {
    let (old, new): (Vec<String>, Vec<String>) =
        ((0..MANY).map(name).collect(), (0..MANY).map(|n| format!("v{n}")).collect());
    let people = |names: &[String]| names.iter().map(|name| jid(name)).collect::<Vec<_>>();
    let invitees =
        |names: &[String]| people(names).into_iter().map(|jid| group::Invitee { jid, nick: None }).collect::<Vec<_>>();
    let group = || {
        let names: Vec<&str> = old.iter().map(String::as_str).collect();
        let mut world = World::wish(wish(&names), Limits::default()).unwrap();
        // It already has more people than it may.
        let patch = Patch { participants_max: Some(3), ..Patch::default() };
        world.group_ask("ann", GroupCommand::Configure(patch)).unwrap();
        world
    };
    let ann = "ann".to_owned();
    // Somebody named twice counts once. Somebody who is in or out already does not count.
    let again = [&old[..], &old[..1], &new[..2]].concat();
    let with_ann = [std::slice::from_ref(&ann), &old[..]].concat();
    for (add, remove, changed) in [
        (&new[..], &old[..], 2 * MANY),
        (&new[..2], &old[2..], MANY),
        (&old[..3], &again[3..], MANY - 3),
        (&[], &with_ann[..], MANY + 1),
    ] {
        let remove: Vec<String> = remove.iter().filter(|name| !add.contains(name)).cloned().collect();
        let edit = GroupCommand::EditMembers { add: invitees(add), remove: people(&remove) };
        let mut at_once = group();
        let answer = at_once.group_ask("ann", edit.clone()).unwrap();
        assert_eq!(at_once.parts.len(), 1);
        let mut in_parts = group();
        in_parts.limits.part_max = 4;
        assert_eq!(in_parts.group_ask("ann", edit.clone()).unwrap(), answer);
        assert_eq!(in_parts.parts.len(), changed.div_ceil(4), "{edit:?}");
        let who = |world: &World| {
            let mut who: Vec<_> = world.channel.members().map(|it| (it.jid.clone(), it.status)).collect();
            who.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            who
        };
        assert_eq!(who(&in_parts), who(&at_once), "{edit:?}");
        assert!(in_parts.parts.iter().all(|part| part.len() <= 2 * 4 + 2), "{edit:?}");
    }
}

/// Where no participant would be left, nobody is invited, since the invitation would end at once.
#[test]
fn a_group_that_is_left_invites_nobody() {
    let edit = |add: &[&str], remove: &[&str]| {
        let remove = remove.iter().map(|name| jid(name)).collect();
        GroupCommand::EditMembers { add: super::world_tests::people(add), remove }
    };
    let people = |world: &World| (world.channel.participant_count(), world.channel.waiting_count());
    for part_max in [1, 2, 20] {
        let mut world = World::group(Membership::Invite, &["bob"]);
        world.limits.part_max = part_max;
        world.group_ask("ann", edit(&["cy", "dee", "eve"], &["ann"])).unwrap();
        assert_eq!(people(&world), (0, 0));
        world.group_ask("root", edit(&["cy", "dee", "eve"], &[])).unwrap();
        assert_eq!(people(&world), (0, 0));
    }
}

/// Nobody who leaves becomes owner on the way, and those who wait are told the same as if all left at once.
#[test]
fn what_is_done_in_parts_leaves_the_same_rows_and_the_same_answer() {
    let names: Vec<String> = (0..MANY).map(name).collect();
    let all: Vec<_> = ["ann"].into_iter().map(jid).chain(names.iter().take(7).map(|name| jid(name))).collect();
    let edit = GroupCommand::EditMembers { add: Vec::new(), remove: all };
    for membership in [Membership::Auto, Membership::Invite] {
        let group = || {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            World::wish(group::GroupWish { membership: Some(membership), ..wish(&names) }, Limits::default()).unwrap()
        };
        let (mut at_once, mut in_parts) = (group(), group());
        in_parts.limits.part_max = 3;
        let answer = at_once.group_ask("root", edit.clone()).unwrap();
        assert_eq!(in_parts.group_ask("root", edit.clone()).unwrap(), answer);
        assert_eq!(in_parts.channel.head().row, at_once.channel.head().row, "so many events");
        assert_eq!(in_parts.channel.rights(), at_once.channel.rights());
    }
}

/// The owner may be among those who did not agree to a setting.
#[test]
fn a_group_whose_owner_is_out_by_a_setting_has_another_one() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let preferences = PreferencesPatch { hides_presence: Some(true), ..PreferencesPatch::default() };
    world.ask("ann", Command::SetPreferences(preferences)).unwrap();
    let patch = Patch { presence_required: Some(true), ..Patch::default() };
    world.ask("ann", Command::Reconfigure(Configuration { patch, ..Configuration::default() })).unwrap();
    assert!(world.channel.participant(&jid("ann")).is_none());
    assert_eq!(world.channel.rights().owners[..], [jid("bob")]);
}

/// Nobody leaves where the asker may not do it.
#[test]
fn a_part_is_nothing_that_the_whole_would_not_be() {
    let mut world = crowd();
    world.limits.part_max = 2;
    let before = outcome(&world);
    let ban = Command::Ban { jid: jid::BareJid::new("crowd.example").unwrap() };
    assert!(world.ask("bob", ban).is_err());
    // An owner is among those who leave.
    world.ask("ann", Command::Reconfigure(owners(&["ann", &name(3)]))).unwrap();
    let ban = Command::Ban { jid: jid::BareJid::new("crowd.example").unwrap() };
    assert!(world.ask("ann", ban).is_err());
    assert_eq!(outcome(&world).1, before.1);
}

fn owners(names: &[&str]) -> Configuration {
    Configuration { owners: Some(names.iter().map(|name| jid(name)).collect()), ..Configuration::default() }
}
