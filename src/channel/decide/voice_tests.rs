//! Who is heard in a room, and what roles and affiliations become.

use super::world_tests::{World, jid, text};
use crate::channel::command::AffiliationEdit;
use crate::channel::room::VOICES_MAX;
use crate::channel::*;

fn edit(name: &str, affiliation: Affiliation) -> AffiliationEdit {
    AffiliationEdit { jid: jid(name), affiliation, nick: None, reason: None }
}

fn set(world: &mut World, by: &str, name: &str, affiliation: Affiliation) -> Result<Answer, Refusal> {
    world.ask(by, Command::SetAffiliations(vec![edit(name, affiliation)]))
}

fn moderated() -> World {
    let mut world = World::plain();
    let mut settings = world.channel.settings().clone();
    settings.room.moderated = true;
    world.channel.apply(&Change::Configured(settings));
    world
}

#[test]
fn in_a_moderated_room_those_are_heard_whom_an_admin_let_in() {
    let mut world = moderated();
    for name in ["ann", "bob", "cy"] {
        world.join(name).unwrap();
    }
    assert!(world.ask("ann", Command::Publish(text("an owner"))).is_ok());
    let unheard = Err(Refusal::Forbidden("you have no voice in this room"));
    assert_eq!(world.ask("bob", Command::Publish(text("joined by itself"))), unheard);
    set(&mut world, "ann", "bob", Affiliation::Member).unwrap();
    assert!(world.ask("bob", Command::Publish(text("made a member"))).is_ok());
    set(&mut world, "ann", "cy", Affiliation::Admin).unwrap();
    assert!(world.ask("cy", Command::Publish(text("made an admin"))).is_ok());
    // In a room for members all of them are.
    let mut world = moderated();
    world.join("ann").unwrap();
    world.ask("ann", Command::MakeList { node: Node::Allowed, exists: true }).unwrap();
    set(&mut world, "ann", "dee", Affiliation::Member).unwrap();
    let role = world.channel.occupant_role(&jid("dee"), Seats::none());
    assert_eq!((world.channel.affiliation_of(&jid("dee")), role), (Affiliation::Member, OccupantRole::Participant));
    assert_eq!(world.channel.occupant_role(&jid("eve"), Seats::none()), OccupantRole::Visitor);
}

#[test]
fn an_affiliation_is_read_off_records_lists_and_rights() {
    let mut world = World::plain();
    world.join("ann").unwrap();
    let is = |world: &World, name: &str| world.channel.affiliation_of(&jid(name));
    assert_eq!([is(&world, "ann"), is(&world, "bob")], [Affiliation::Owner, Affiliation::None]);
    for affiliation in
        [Affiliation::Member, Affiliation::Admin, Affiliation::Outcast, Affiliation::Owner, Affiliation::None]
    {
        set(&mut world, "ann", "bob", affiliation).unwrap();
        assert_eq!(is(&world, "bob"), affiliation);
    }
    assert_eq!(set(&mut world, "ann", "ann", Affiliation::Admin), Err(Refusal::LastOwner));
    assert_eq!(set(&mut world, "ann", "ann", Affiliation::Outcast), Err(Refusal::Oneself));
    // What one of many does not let be done, is not done to any.
    let both = vec![edit("bob", Affiliation::Admin), edit("ann", Affiliation::None)];
    assert_eq!(world.ask("ann", Command::SetAffiliations(both)), Err(Refusal::LastOwner));
    assert_eq!(is(&world, "bob"), Affiliation::None);
}

#[test]
fn a_reason_is_cut_and_kept_as_long_as_the_ban() {
    let mut world = World::plain();
    world.join("ann").unwrap();
    let reason = Some(format!("x{}", "ä".repeat(200)));
    let ban = AffiliationEdit { reason, ..edit("bob", Affiliation::Outcast) };
    world.ask("ann", Command::SetAffiliations(vec![ban])).unwrap();
    assert_eq!(world.channel.kept().reasons[&jid("bob")].len(), 255);
    set(&mut world, "ann", "bob", Affiliation::None).unwrap();
    assert!(world.channel.kept().reasons.is_empty());
}

#[test]
fn voices_are_bounded_and_only_what_differs_is_kept() {
    let mut world = World::plain();
    world.join("ann").unwrap();
    world.join("bob").unwrap();
    let nick = |world: &World| world.channel.participant(&jid("bob")).unwrap().nick.clone();
    let give = |world: &mut World, role: OccupantRole| {
        let nick = nick(world);
        world.ask("ann", Command::SetRoles(vec![command::RoleEdit { nick, role, reason: None }]))
    };
    // Whoever is not sent what is said is not in the room.
    assert_eq!(give(&mut world, OccupantRole::Visitor), Err(Refusal::NoSuchItem));
    let (subscribe, unsubscribe) = ([Node::Messages].into_iter().collect(), NodeSet::default());
    world.ask("bob", Command::UpdateSubscription { subscribe, unsubscribe }).unwrap();
    give(&mut world, OccupantRole::Visitor).unwrap();
    assert_eq!(world.channel.kept().voices, [(jid("bob"), false)].into());
    give(&mut world, OccupantRole::Participant).unwrap();
    assert!(world.channel.kept().voices.is_empty());
    for n in 0..VOICES_MAX {
        world.channel.apply(&Change::VoiceSet { account: jid(&format!("v{n}")), voice: Some(false) });
    }
    assert!(matches!(give(&mut world, OccupantRole::Visitor), Err(Refusal::TooMany { max: VOICES_MAX, .. })));
}
