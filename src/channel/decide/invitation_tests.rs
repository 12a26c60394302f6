//! XEP-0407 §6: invitations: who gives them, whom they let in, and all ways in which they end.

use super::world_tests::{World, actor, jid};
use crate::channel::invitation::InvitationFault;
use crate::channel::*;

fn invite(world: &mut World, by: &str, whom: &str) -> Result<Claim, Refusal> {
    match world.ask(by, Command::Invite { invitee: jid(whom) })? {
        Answer::Invitation(Invitation { inviter, invitee, token, .. }) => {
            Ok(Claim { inviter: Some(inviter), invitee: Some(invitee), token: token.as_str().to_owned() })
        }
        other => panic!("{other:?}"),
    }
}

fn join(world: &mut World, name: &str, claim: &Claim) -> Result<Answer, Refusal> {
    world.ask(name, Command::Join(JoinWish { claim: Some(claim.clone()), ..JoinWish::default() }))
}

fn open(world: &mut World, by: &str) -> Vec<String> {
    match world.ask(by, Command::ListInvitations(Default::default())).unwrap() {
        Answer::Invitations(page) => {
            assert_eq!(page.count, page.entries.len());
            page.entries.iter().map(|it| it.invitee.node().unwrap().as_str().to_owned()).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// A plain channel of ann's with a list of those who may join. Bob is on it, and in.
fn listed() -> World {
    let mut world = World::plain();
    world.join("bob").unwrap();
    world.ask("ann", Command::MakeList { node: Node::Allowed, exists: true }).unwrap();
    world
}

fn set_members_add(world: &mut World, on: bool) {
    let patch = group::Patch { members_add: Some(on), ..group::Patch::default() };
    world.ask("ann", Command::Reconfigure(Configuration { patch, ..Configuration::default() })).unwrap();
}

fn put_on_list(node: Node, name: &str) -> Command {
    Command::PutOnList { node, jid: jid(name), present: true }
}

const UNKNOWN: Refusal = Refusal::BadInvitation(InvitationFault::Unknown);

#[test]
fn owners_and_admins_invite_and_participants_where_the_channel_says_so() {
    let mut world = listed();
    invite(&mut world, "ann", "cy").unwrap();
    assert!(matches!(invite(&mut world, "bob", "cy"), Err(Refusal::Forbidden(_))));
    assert_eq!(invite(&mut world, "eve", "cy"), Err(Refusal::NotJoined));
    set_members_add(&mut world, true);
    let claim = invite(&mut world, "bob", "dee").unwrap();
    assert_eq!(invite(&mut world, "eve", "cy"), Err(Refusal::NotJoined), "who is not in never may");
    join(&mut world, "dee", &claim).unwrap();
    let mut group = World::group(Membership::Auto, &["bob"]);
    assert_eq!(invite(&mut group, "bob", "cy"), Err(Refusal::NotAdmin));
    assert_eq!(invite(&mut group, "eve", "cy"), Err(Refusal::NoSuchChannel));
    let host = jid::BareJid::new("example.org").unwrap();
    let refused = world.ask("ann", Command::Invite { invitee: host });
    assert!(matches!(refused, Err(Refusal::Invalid { field: "invitee", .. })), "a domain is no account");
}

#[test]
fn an_invitation_is_good_for_its_invitee_and_for_one_time() {
    let mut world = listed();
    let before = world.channel.bytes();
    let claim = invite(&mut world, "ann", "cy").unwrap();
    assert_eq!(invite(&mut world, "ann", "cy"), Ok(claim.clone()), "asked again, it is the same one");
    assert_eq!(join(&mut world, "eve", &claim), Err(Refusal::BadInvitation(InvitationFault::Foreign)));
    let bare = Claim { inviter: None, invitee: None, token: claim.token.clone() };
    assert_eq!(join(&mut world, "eve", &bare), Err(Refusal::BadInvitation(InvitationFault::Foreign)));
    let forged = Claim { token: "a".repeat(32), ..claim.clone() };
    assert_eq!(join(&mut world, "cy", &forged), Err(UNKNOWN));
    let by_other = Claim { inviter: Some(jid("bob")), ..claim.clone() };
    assert_eq!(join(&mut world, "cy", &by_other), Err(UNKNOWN));
    join(&mut world, "cy", &claim).unwrap();
    assert!(world.channel.kept().allowed.as_ref().unwrap().contains(&jid("cy")), "it was put on the list");
    assert!(world.channel.kept().invitations.is_empty());
    assert!(world.channel.bytes() > before, "sizes never go below nothing");
    world.ask("cy", Command::Leave).unwrap();
    let off = Command::PutOnList { node: Node::Allowed, jid: jid("cy"), present: false };
    world.ask("ann", off).unwrap();
    assert_eq!(join(&mut world, "cy", &claim), Err(UNKNOWN));
    let other = invite(&mut world, "ann", "cy").unwrap();
    assert_ne!(other.token, claim.token);
}

#[test]
fn whoever_gets_in_anyway_is_not_kept_out_by_an_invitation() {
    let mut world = World::plain();
    let old = Claim { inviter: None, invitee: None, token: "used long ago".into() };
    join(&mut world, "cy", &old).unwrap();
    join(&mut world, "cy", &old).unwrap();
    let claim = invite(&mut world, "ann", "cy").unwrap();
    join(&mut world, "cy", &claim).unwrap();
    assert_eq!(open(&mut world, "ann"), Vec::<String>::new(), "it was used all the same");
}

#[test]
fn an_invitation_ends_by_its_age_and_makes_room() {
    let mut world = listed();
    world.limits.invitations_max = 2;
    let claim = invite(&mut world, "ann", "cy").unwrap();
    invite(&mut world, "ann", "dee").unwrap();
    let full = Refusal::TooMany { what: "open invitations of a channel", max: 2 };
    assert_eq!(invite(&mut world, "ann", "eve"), Err(full));
    invite(&mut world, "ann", "cy").expect("one that there is takes no room");
    world.now.0 += world.limits.invitation_s * 1000 + 1;
    assert_eq!(join(&mut world, "cy", &claim), Err(Refusal::BadInvitation(InvitationFault::Expired)));
    assert_eq!(open(&mut world, "ann"), Vec::<String>::new());
    invite(&mut world, "ann", "eve").unwrap();
    assert_eq!(world.channel.invitations().count(), 1, "the old ones are gone");
    world.limits.invitations_per_inviter_max = 1;
    let own_full = Refusal::TooMany { what: "open invitations of one inviter", max: 1 };
    assert_eq!(invite(&mut world, "ann", "cy"), Err(own_full));
}

/// An event that takes away bob's right to invite.
type End = fn(&mut World);

#[test]
fn an_invitation_ends_with_the_right_of_its_inviter() {
    let ends: [(&str, End); 3] = [
        ("leaves", |world| drop(world.ask("bob", Command::Leave).unwrap())),
        ("loses the setting", |world| set_members_add(world, false)),
        ("is banned", |world| {
            world.ask("ann", Command::MakeList { node: Node::Banned, exists: true }).unwrap();
            world.ask("ann", put_on_list(Node::Banned, "bob")).unwrap();
        }),
    ];
    for (what, end) in ends {
        let mut world = listed();
        set_members_add(&mut world, true);
        let claim = invite(&mut world, "bob", "cy").unwrap();
        let kept = invite(&mut world, "ann", "dee").unwrap();
        end(&mut world);
        assert_eq!(open(&mut world, "ann"), ["dee"], "{what}");
        assert_eq!(join(&mut world, "cy", &claim), Err(UNKNOWN), "{what}");
        join(&mut world, "dee", &kept).unwrap();
    }
    let mut group = World::group(Membership::Auto, &["bob"]);
    group.promote("ann", "bob").unwrap();
    let claim = invite(&mut group, "bob", "cy").unwrap();
    let demote = GroupCommand::EditAdmins { add: vec![], remove: vec![jid("bob")] };
    group.group_ask("ann", demote).unwrap();
    assert_eq!(join(&mut group, "cy", &claim), Err(Refusal::NoSuchChannel), "it may not even know of the group");
    let of_operator = invite(&mut group, "root", "cy").unwrap();
    join(&mut group, "cy", &of_operator).expect("an operator's right is not the channel's to take");
}

#[test]
fn a_banned_account_is_not_invited_and_not_let_in() {
    let mut world = listed();
    world.ask("ann", Command::MakeList { node: Node::Banned, exists: true }).unwrap();
    let claim = invite(&mut world, "ann", "cy").unwrap();
    world.ask("ann", put_on_list(Node::Banned, "cy")).unwrap();
    assert_eq!(join(&mut world, "cy", &claim), Err(UNKNOWN));
    assert!(matches!(invite(&mut world, "ann", "cy"), Err(Refusal::Forbidden(_))));
    let unban = Command::PutOnList { node: Node::Banned, jid: jid("cy"), present: false };
    world.ask("ann", unban).unwrap();
    assert_eq!(join(&mut world, "cy", &claim), Err(UNKNOWN), "an end is an end");
}

#[test]
fn a_closed_group_is_entered_by_invitation_and_nothing_else_of_it_is_told() {
    for membership in [Membership::Auto, Membership::Invite] {
        let mut world = World::group(membership, &[]);
        let claim = invite(&mut world, "ann", "cy").unwrap();
        let hidden = Err(Refusal::NoSuchChannel);
        assert_eq!(world.ask("cy", Command::Describe), hidden, "the invitee learns nothing before it joins");
        assert_eq!(world.ask("cy", Command::ListInvitations(Default::default())), hidden);
        assert_eq!(world.join("cy"), hidden);
        assert_eq!(join(&mut world, "eve", &claim), hidden);
        let forged = Claim { token: "guess".into(), ..claim.clone() };
        assert_eq!(join(&mut world, "cy", &forged), hidden);
        assert!(world.channel.is_hidden_from(&actor("cy")));
        join(&mut world, "cy", &claim).unwrap();
        assert_eq!(world.status("cy"), Some(Status::Joined));
        assert_eq!(world.events(), [(EventKind::MemberAdded, Some("cy".into()), Some("joined".into()))]);
        world.remove("ann", &["cy"]).unwrap();
        assert_eq!(join(&mut world, "cy", &claim), hidden, "used is used");
        let again = invite(&mut world, "ann", "cy").unwrap();
        join(&mut world, "cy", &again).expect("who was removed may be invited anew");
    }
}

#[test]
fn a_channel_that_is_in_no_list_is_entered_by_invitation_too() {
    let mut world = listed();
    world.channel.kept.profile.listed = false;
    let claim = invite(&mut world, "ann", "cy").unwrap();
    let hidden = Err(Refusal::NoSuchChannel);
    assert_eq!(world.join("cy"), hidden);
    assert_eq!(join(&mut world, "cy", &Claim { token: "guess".into(), ..claim.clone() }), hidden);
    world.now.0 += world.limits.invitation_s * 1000 + 1;
    let expired = Err(Refusal::BadInvitation(InvitationFault::Expired));
    assert_eq!(join(&mut world, "cy", &claim), expired, "whoever has one knows of it");
    let claim = invite(&mut world, "ann", "cy").unwrap();
    join(&mut world, "cy", &claim).unwrap();
    assert_eq!(world.status("cy"), Some(Status::Joined));
}

#[test]
fn a_full_channel_takes_nobody_in_and_the_invitation_stays() {
    let mut world = World::group(Membership::Auto, &[]);
    let patch = group::Patch { participants_max: Some(1), ..group::Patch::default() };
    world.group_ask("ann", GroupCommand::Configure(patch)).unwrap();
    let claim = invite(&mut world, "ann", "cy").unwrap();
    assert_eq!(join(&mut world, "cy", &claim), Err(Refusal::Crowded { max: 1 }));
    assert_eq!(open(&mut world, "ann"), ["cy"]);
}

#[test]
fn invitations_are_taken_back_and_declined() {
    let mut world = listed();
    set_members_add(&mut world, true);
    let of_ann = invite(&mut world, "ann", "cy").unwrap();
    let of_bob = invite(&mut world, "bob", "dee").unwrap();
    assert_eq!(open(&mut world, "ann"), ["cy", "dee"], "whoever may remove people sees all");
    assert_eq!(open(&mut world, "bob"), ["dee"], "others see their own");
    let revoke = |name: &str| Command::RevokeInvitations { invitees: vec![jid(name)] };
    assert_eq!(world.ask("bob", revoke("cy")), Err(Refusal::NoSuchItem));
    world.ask("ann", revoke("dee")).unwrap();
    assert_eq!(join(&mut world, "dee", &of_bob), Err(UNKNOWN));
    assert_eq!(
        world.ask("dee", Command::Decline(of_ann.clone())),
        Err(Refusal::BadInvitation(InvitationFault::Foreign))
    );
    world.ask("cy", Command::Decline(of_ann.clone())).unwrap();
    assert!(matches!(&world.last[..], [Change::InvitationEnded { declined: true, .. }]));
    assert_eq!(join(&mut world, "cy", &of_ann), Err(UNKNOWN));
}

#[test]
fn whoever_is_added_otherwise_needs_no_invitation_any_more() {
    let mut world = World::group(Membership::Auto, &[]);
    invite(&mut world, "ann", "cy").unwrap();
    world.add("ann", &["cy"]).unwrap();
    assert!(world.channel.kept().invitations.is_empty());
}
