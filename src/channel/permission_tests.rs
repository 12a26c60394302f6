//! The truth tables of both kinds of channels, cell by cell.

use super::*;
use crate::channel::Limits;

/// One column a role, in the order of `Role::ALL`; `x` is yes.
fn assert_table(table: &[(Action, &str)], may: impl Fn(Role, Action) -> bool) {
    assert_eq!(table.len(), 25, "every action has a line");
    for (action, cells) in table {
        let found: String = Role::ALL.iter().map(|&role| if may(role, *action) { 'x' } else { '.' }).collect();
        assert_eq!(found, cells.replace(' ', ""), "{action:?}");
    }
}

#[test]
fn the_table_of_plain_channels_holds() {
    let table = [
        (Action::See, "xxxx xxxxxx"),
        (Action::Join, "xxxx xxxxxx"),
        (Action::Leave, ".... x.x.x."),
        (Action::Send, "...x x.x.x."),
        (Action::Attend, "...x x.x.x."),
        (Action::ListParticipants, ".... xxxxxx"),
        (Action::ReadHistory, "...x xxxxxx"),
        (Action::Report, ".... x.x.x."),
        (Action::OwnView, ".... x.x.x."),
        (Action::Forget, ".x.. ......"),
        (Action::Retract, "...x x.x.x."),
        (Action::Subject, ".... .xxxxx"),
        (Action::Moderate, ".... ...xxx"),
        (Action::Describe, ".... .xxxxx"),
        (Action::Picture, ".... .xxxxx"),
        (Action::Video, ".... .xxxxx"),
        (Action::Add, ".... .xxxxx"),
        (Action::Remove, ".... .xxxxx"),
        (Action::Promote, ".... ...xxx"),
        (Action::Demote, ".... ...xxx"),
        (Action::Lists, ".... .xxxxx"),
        (Action::Configure, ".... ...xxx"),
        (Action::Announce, ".... .xxxxx"),
        (Action::Retain, ".... .xxxxx"),
        (Action::Destroy, ".... ...xxx"),
    ];
    let settings = Limits::default().plain_settings();
    assert_table(&table, |role, action| role.may(action, &settings));
    let grants = crate::channel::Grants { subject: Access::Participants, ..settings.grants };
    let settings = Settings { grants, ..settings };
    let may_speak = |role: Role| role.is_seated() || role == Role::Passing;
    assert!(Role::ALL.iter().all(|&role| role.may(Action::Subject, &settings) == may_speak(role)));
}

#[test]
fn the_table_of_groups_holds() {
    let table = [
        (Action::See, "..xx xxxxxx"),
        (Action::Join, "..xx xxxxxx"),
        (Action::Leave, "..x. x.x.x."),
        (Action::Send, ".... xxxxx."),
        (Action::Attend, ".... x.x.x."),
        (Action::ListParticipants, "..xx xxxxxx"),
        (Action::ReadHistory, ".x.. xxxxxx"),
        (Action::Report, ".... xxxxx."),
        (Action::OwnView, ".x.. x.x.x."),
        (Action::Forget, ".x.. ......"),
        (Action::Retract, ".... xxxxx."),
        (Action::Subject, ".... .xxxxx"),
        (Action::Moderate, ".... .xxxxx"),
        (Action::Describe, ".... .xxxxx"),
        (Action::Picture, ".... .xxxxx"),
        (Action::Video, ".... .xxxxx"),
        (Action::Add, ".... .xxxxx"),
        (Action::Remove, ".... .xxxxx"),
        (Action::Promote, ".... .xxxxx"),
        (Action::Demote, ".... .xxxxx"),
        (Action::Lists, ".... .xxxxx"),
        (Action::Configure, ".... ...xxx"),
        (Action::Announce, ".... .xxxxx"),
        (Action::Retain, ".... ...xxx"),
        (Action::Destroy, ".... ...xxx"),
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
