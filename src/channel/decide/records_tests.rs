//! What stays of people who left or have ended, and the counts of everybody.

use super::rules_tests::{before, report};
use super::world_tests::{World, jid, text};
use crate::channel::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

/// storage.md §4, for accounts that were removed at their home server.
#[test]
fn an_account_that_is_no_more_keeps_its_rows_and_leaves_nothing_to_a_later_one() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let row = world.say("ann", "mine");
    let id = world.channel.member(&jid("ann")).unwrap().id.clone();
    world.ask("ann", Command::EndAccount).unwrap();
    assert_eq!(world.channel.rights().owners[..], [jid("bob")]);
    assert!(world.channel.member(&jid("ann")).is_none() && world.channel.member_of(&id).unwrap().ended);
    assert_eq!(world.history("ann", before(row)), Err(Refusal::NoSuchChannel));
    world.add("bob", &["ann"]).unwrap();
    let later = world.channel.participant(&jid("ann")).unwrap();
    assert!(later.id != id && later.own.mark.0 >= row);
    assert_eq!(world.channel.member_of(&id).unwrap().jid, jid("ann"));
}

#[test]
fn a_request_that_names_thousands_is_refused_at_once() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    let nick = Nick::new("x");
    let many = |n: usize| -> Vec<group::Invitee> {
        (0..n).map(|n| group::Invitee { jid: jid(&format!("u{n}")), nick: nick.clone() }).collect()
    };
    let add = GroupCommand::EditMembers { add: many(20_000), remove: Vec::new() };
    assert_eq!(world.group_ask("ann", add), Err(Refusal::Crowded { max: 30 }));
    // People who are in do not count, however often they are named.
    world.add("ann", &["bob"; 36]).unwrap();
}

#[test]
fn records_of_invented_people_come_to_an_end() {
    let mut world = World::group(Membership::Auto, &[]);
    world.limits.former_silent_max = 5;
    let mut after = Vec::new();
    for n in 0..40 {
        world.now.0 += 1;
        let name = format!("nobody{n}");
        world.add("ann", &[&name]).unwrap();
        world.remove("ann", &[&name]).unwrap();
        assert!(world.channel.members().count() <= 1 + 5, "{n}");
        after.push(world.channel.bytes());
    }
    let (early, late) = (after[10], after[39]);
    assert!(late.abs_diff(early) < 64, "memory does not grow: {early}, {late}");
    assert!(
        world.status("nobody34").is_none() && world.status("nobody35") == Some(Status::Left),
        "who left first goes"
    );
    assert_eq!(world.last.iter().filter(|change| matches!(change, Change::Struck(_))).count(), 1);
    // One who wrote something stays, and so does one who reported something.
    world.add("ann", &["bob", "cy"]).unwrap();
    let row = world.say("bob", "hi");
    assert!(matches!(&world.last[..], [Change::Noted(bob), Change::Published(_)] if bob.spoke), "{:?}", world.last);
    world.say("bob", "again");
    assert!(matches!(&world.last[..], [Change::Published(_)]), "once is enough: {:?}", world.last);
    report(&mut world, "cy", row, Progress::Delivered, true);
    world.limits.former_silent_max = 0;
    world.remove("ann", &["bob", "cy"]).unwrap();
    assert_eq!(world.channel.members().count(), 3, "the rest goes when the limit falls");
    assert_eq!((world.status("bob"), world.status("cy")), (Some(Status::Left), Some(Status::Left)));
}

#[test]
fn newcomers_are_never_refused_for_the_sake_of_history() {
    let mut world = World::group(Membership::Auto, &[]);
    (world.limits.former_max, world.limits.former_silent_max) = (3, 0);
    let mut ids = Vec::new();
    for n in 0..40 {
        world.now.0 += 1;
        let name = format!("u{n}");
        world.add("ann", &[&name]).unwrap();
        world.say(&name, "hi");
        ids.push(world.channel.member(&jid(&name)).unwrap().id.clone());
        world.remove("ann", &[&name]).unwrap();
        assert!(world.channel.members().count() <= 1 + 3, "{n}");
    }
    assert!(world.status("u0").is_none() && world.status("u39") == Some(Status::Left), "who left first loses first");
    // Nobody gets somebody else's id by that.
    world.add("ann", &["u0", "new"]).unwrap();
    let back = world.channel.member(&jid("u0")).unwrap();
    assert_eq!((&back.id, back.spoke, back.windows.len()), (&ids[0], true, 1));
    assert!(!ids.contains(&world.channel.member(&jid("new")).unwrap().id));
}

#[test]
fn an_account_that_ends_without_a_word_leaves_no_record() {
    let mut world = World::group(Membership::Auto, &["bob", "cy"]);
    world.say("cy", "hi");
    world.ask("bob", Command::EndAccount).unwrap();
    world.ask("cy", Command::EndAccount).unwrap();
    assert_eq!(world.channel.members().count(), 2, "cy's stays for the sake of its message");
}

/// The counts that are kept of rows are compared with a count of everybody after each step.
#[test]
fn how_far_rows_came_is_kept_while_people_come_go_and_report() {
    let mut world = World::group(Membership::Auto, &["p0", "p1", "p2"]);
    let mut dice = StdRng::seed_from_u64(8);
    let mut row = world.say("ann", "first");
    for n in 0..1500 {
        let (name, other) = (format!("p{}", dice.random_range(0..9)), format!("p{}", dice.random_range(0..9)));
        let progress = [Progress::Read, Progress::Delivered][dice.random_range(0..2)];
        let named = row.saturating_sub(dice.random_range(0..4)).max(2);
        let _ = match dice.random_range(0..12) {
            0 => world.add("ann", &[&name, &other]),
            1 => world.remove("ann", &[&name, &other]),
            2 => world.ask(&name, Command::Leave),
            3..=6 => {
                world.now.0 += 1;
                world.ask(&name, Command::Publish(text(&n.to_string())))
            }
            _ => world.group_ask(&name, GroupCommand::Report { row: named, progress, exact: n % 3 == 0 }),
        };
        row = world.channel.head().row;
    }
}
