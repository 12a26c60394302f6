//! The truth tables of both kinds of channels, cell by cell.

use super::*;
use crate::channel::Limits;

/// One column a role, in the order of `Role::ALL`; `x` is yes.
fn assert_table(table: &[(Action, &str)], may: impl Fn(Role, Action) -> bool) {
    assert_eq!(table.len(), 29, "every action has a line");
    for (action, cells) in table {
        let found: String = Role::ALL.iter().map(|&role| if may(role, *action) { 'x' } else { '.' }).collect();
        assert_eq!(found, cells.replace(' ', ""), "{action:?}");
    }
}

#[test]
fn the_table_of_plain_channels_holds() {
    let table = [
        (Action::See, "xxxx xxxxxxx"),
        (Action::Join, "xxxx xxxxxxx"),
        (Action::Leave, ".... xx.x.x."),
        (Action::Send, "...x xx.x.x."),
        (Action::Attend, "...x xx.x.x."),
        (Action::ListParticipants, "...x xxxxxxx"),
        (Action::ReadHistory, "...x xxxxxxx"),
        (Action::Report, ".... xx.x.x."),
        (Action::OwnView, ".... xx.x.x."),
        (Action::Forget, ".x.. ......."),
        (Action::Retract, "...x xx.x.x."),
        (Action::Moderate, ".... ....xxx"),
        (Action::Kick, ".... .xxxxxx"),
        (Action::Voice, ".... .xxxxxx"),
        (Action::SeeJids, ".... .xxxxxx"),
        (Action::Subject, ".... .xxxxxx"),
        (Action::Enrol, ".... ..xxxxx"),
        (Action::Describe, ".... ..xxxxx"),
        (Action::Picture, ".... ..xxxxx"),
        (Action::Video, ".... ..xxxxx"),
        (Action::Add, ".... ..xxxxx"),
        (Action::Remove, ".... ..xxxxx"),
        (Action::Promote, ".... ....xxx"),
        (Action::Demote, ".... ....xxx"),
        (Action::Lists, ".... ..xxxxx"),
        (Action::Configure, ".... ....xxx"),
        (Action::Announce, ".... ..xxxxx"),
        (Action::Retain, ".... ..xxxxx"),
        (Action::Destroy, ".... ....xxx"),
    ];
    let settings = Limits::default().plain_settings();
    assert_table(&table, |role, action| role.may(action, &settings));
    // Moderators of a visit count where admins may.
    let mut settings = settings;
    settings.grants.moderate = Access::Admins;
    assert!(Role::Moderator.may(Action::Moderate, &settings) && !Role::Participant.may(Action::Moderate, &settings));
    settings.grants.subject = Access::Participants;
    let may_speak = |role: Role| role.is_seated() || role == Role::Passing;
    assert!(Role::ALL.iter().all(|&role| role.may(Action::Subject, &settings) == may_speak(role)));
}

#[test]
fn the_table_of_groups_holds() {
    let table = [
        (Action::See, "..xx xxxxxxx"),
        (Action::Join, "..xx xxxxxxx"),
        (Action::Leave, "..x. xx.x.x."),
        (Action::Send, ".... xxxxxx."),
        (Action::Attend, ".... xx.x.x."),
        (Action::ListParticipants, "..xx xxxxxxx"),
        (Action::ReadHistory, ".x.. xxxxxxx"),
        (Action::Report, ".... xxxxxx."),
        (Action::OwnView, ".x.. xx.x.x."),
        (Action::Forget, ".x.. ......."),
        (Action::Retract, ".... xxxxxx."),
        (Action::Moderate, ".... .xxxxxx"),
        (Action::Kick, ".... .xxxxxx"),
        (Action::Voice, ".... .xxxxxx"),
        (Action::SeeJids, ".... .xxxxxx"),
        (Action::Subject, ".... .xxxxxx"),
        (Action::Enrol, ".... ..xxxxx"),
        (Action::Describe, ".... ..xxxxx"),
        (Action::Picture, ".... ..xxxxx"),
        (Action::Video, ".... ..xxxxx"),
        (Action::Add, ".... ..xxxxx"),
        (Action::Remove, ".... ..xxxxx"),
        (Action::Promote, ".... ..xxxxx"),
        (Action::Demote, ".... ..xxxxx"),
        (Action::Lists, ".... ..xxxxx"),
        (Action::Configure, ".... ....xxx"),
        (Action::Announce, ".... ..xxxxx"),
        (Action::Retain, ".... ....xxx"),
        (Action::Destroy, ".... ....xxx"),
    ];
    let rights = GroupRights::default();
    assert_table(&table, |role, action| role.may_in_group(action, &rights, false));
    assert!(Role::Participant.may_in_group(Action::Add, &rights, true));
    assert!(!Role::Waiting.may_in_group(Action::Add, &rights, true));
}

#[test]
fn each_right_of_groups_is_a_setting() {
    let all = GroupRights::default();
    let owner = Rank::Owner;
    let raised: [(Action, GroupRights); 15] = [
        (Action::Send, GroupRights { send: owner, ..all.clone() }),
        (Action::ReadHistory, GroupRights { history: owner, ..all.clone() }),
        (Action::Report, GroupRights { receipts: owner, ..all.clone() }),
        (Action::Retract, GroupRights { retract: owner, ..all.clone() }),
        (Action::Moderate, GroupRights { moderate: owner, ..all.clone() }),
        (Action::Describe, GroupRights { rename: owner, ..all.clone() }),
        (Action::Picture, GroupRights { picture: owner, ..all.clone() }),
        (Action::Video, GroupRights { video: owner, ..all.clone() }),
        (Action::Add, GroupRights { add: owner, ..all.clone() }),
        (Action::Remove, GroupRights { remove: owner, ..all.clone() }),
        (Action::Promote, GroupRights { promote: owner, ..all.clone() }),
        (Action::Demote, GroupRights { demote: owner, ..all.clone() }),
        (Action::Configure, GroupRights { configure: Rank::Member, ..all.clone() }),
        (Action::Retain, GroupRights { configure: Rank::Member, ..all.clone() }),
        (Action::Destroy, GroupRights { destroy: Rank::Member, ..all.clone() }),
    ];
    for (action, rights) in raised {
        let (before, after) =
            (Role::Admin.may_in_group(action, &all, false), Role::Admin.may_in_group(action, &rights, false));
        assert_ne!(before, after, "{action:?}");
        assert!(Role::Owner.may_in_group(action, &rights, false), "{action:?}");
    }
}

#[test]
fn the_service_has_its_table() {
    let may = |role: ServiceRole| [ServiceAction::Create, ServiceAction::Administer].map(|action| role.may(action));
    assert_eq!(may(ServiceRole::Anybody), [false, false]);
    assert_eq!(may(ServiceRole::Creator), [true, false]);
    assert_eq!(may(ServiceRole::Operator), [true, true]);
}
