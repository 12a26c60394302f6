//! What accounts that have ended leave to others.

use super::world_tests::{World, jid};
use crate::channel::{Change, Command, JoinWish, Member, Node, Refusal, Rights, Status};

fn end(world: &mut World, name: &str) {
    world.ask(name, Command::EndAccount).unwrap();
}

fn rights(owners: &[&str], admins: &[&str]) -> Rights {
    let of = |names: &[&str]| names.iter().map(|name| jid(name)).collect();
    Rights { owners: of(owners), admins: of(admins) }
}

#[test]
fn a_plain_channel_goes_to_the_admin_who_was_made_first_then_to_the_operators_and_never_to_who_takes_part() {
    let mut world = World::plain();
    world.join("ann").unwrap();
    world.join("bob").unwrap();
    for name in ["dee", "cy"] {
        world.promote("ann", name).unwrap();
    }
    // An owner who leaves a plain channel stays its owner.
    world.ask("ann", Command::Leave).unwrap();
    assert_eq!(*world.channel.rights(), rights(&["ann"], &["dee", "cy"]));
    end(&mut world, "ann");
    assert_eq!(*world.channel.rights(), rights(&["dee"], &["cy"]));
    end(&mut world, "cy");
    assert_eq!(*world.channel.rights(), rights(&["dee"], &[]));
    // Dee was never in it.
    end(&mut world, "dee");
    assert_eq!(*world.channel.rights(), rights(&["root"], &[]));
    end(&mut world, "bob");
    assert_eq!(*world.channel.rights(), rights(&["root"], &[]));
    assert_eq!(world.ask("dee", Command::EndAccount), Err(Refusal::NotJoined), "nothing of it is left");
}

#[test]
fn a_channel_with_another_owner_keeps_that_one_alone() {
    let mut world = World::plain();
    world.channel.apply(&Change::RightsSet(rights(&["ann", "bob"], &["cy"])));
    end(&mut world, "ann");
    assert_eq!(*world.channel.rights(), rights(&["bob"], &["cy"]));
}

#[test]
fn whoever_registers_the_name_next_inherits_no_place_on_a_list_and_no_invitation_but_a_ban() {
    let mut world = World::plain();
    world.join("ann").unwrap();
    for node in [Node::Allowed, Node::Banned] {
        world.ask("ann", Command::MakeList { node, exists: true }).unwrap();
    }
    for (node, name) in [(Node::Allowed, "ann"), (Node::Allowed, "bob"), (Node::Banned, "cy")] {
        world.ask("ann", Command::PutOnList { node, jid: jid(name), present: true }).unwrap();
    }
    world.join("bob").unwrap();
    world.promote("ann", "bob").unwrap();
    let invited = |by: &mut World, inviter: &str, invitee: &str| {
        by.ask(inviter, Command::Invite { invitee: jid(invitee) }).unwrap();
    };
    invited(&mut world, "ann", "dee");
    invited(&mut world, "bob", "eve");
    invited(&mut world, "root", "bob");
    assert!(world.channel.holds(&jid("bob")) && world.channel.holds(&jid("dee")));
    end(&mut world, "bob");
    assert!(!world.channel.holds(&jid("bob")));
    let left: Vec<_> = world.channel.invitations().map(|it| it.invitee.clone()).collect();
    assert_eq!(left, [jid("dee")], "what it gave and got is gone");
    assert!(world.ask("bob", Command::Join(JoinWish::default())).is_err(), "its name is on no list any more");
    end(&mut world, "dee");
    assert_eq!(world.channel.invitations().count(), 0);
    assert_eq!(world.ask("cy", Command::EndAccount), Err(Refusal::NotJoined), "a ban is not its own");
    assert!(world.channel.is_banned(&jid("cy")));
}

#[test]
fn a_group_that_nobody_is_in_any_more_voids_what_waits() {
    let mut world = World::group(crate::channel::Membership::Invite, &["bob"]);
    end(&mut world, "ann");
    let is_out = |member: &&Member| member.status == Status::Left;
    assert_eq!(world.channel.members().filter(|it| !is_out(it)).count(), 0);
    assert!(world.channel.rights().owners.is_empty());
}
