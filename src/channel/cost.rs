//! The cost of a command, in requests of the plain kind.

use super::command::AffiliationEdit;
use super::group::Invitee;
use super::{Affiliation, AnyCommand, Command, GroupCommand, ServiceCommand};
use jid::BareJid;

/// The cost of creating a channel, and of taking a nick in all of one's channels.
const LASTING: u64 = 20;
/// The cost of writing to a person who did not ask for it.
const PERSON: u64 = 4;
/// The cost of a page.
const PAGE: u64 = 2;

/// The cost of `count` things of `cost` each.
fn each(count: usize, cost: u64) -> u64 {
    (count as u64).saturating_mul(cost).max(1)
}

/// How many of the people are not the asker.
fn others(people: &[Invitee], asker: &BareJid) -> usize {
    people.iter().filter(|it| it.jid != *asker).count()
}

impl AnyCommand {
    /// What the command counts for in the rate of requests. It is more than one where the command is expensive for the
    /// service, or writes to people who did not ask for it.
    pub fn cost(&self) -> u64 {
        match self {
            AnyCommand::Channel(command) => command.cost(),
            AnyCommand::Service(command) => command.cost(),
        }
    }

    /// How many people, besides the asker, it writes to who did not ask for it.
    pub fn people(&self, asker: &BareJid) -> usize {
        match self {
            AnyCommand::Channel(command) => command.people(asker),
            AnyCommand::Service(ServiceCommand::CreateGroup(wish)) => others(&wish.members, asker),
            AnyCommand::Service(_) => 0,
        }
    }
}

impl ServiceCommand {
    fn cost(&self) -> u64 {
        match self {
            ServiceCommand::Create { .. } | ServiceCommand::RegisterNick { .. } => LASTING,
            ServiceCommand::CreateGroup(wish) => LASTING + each(wish.members.len(), PERSON),
            ServiceCommand::ListChannels(_) | ServiceCommand::Search(_) | ServiceCommand::ListGroups { .. } => PAGE,
            _ => 1,
        }
    }
}

impl Command {
    fn cost(&self) -> u64 {
        match self {
            Command::Invite { .. } | Command::RequestVoice => PERSON,
            Command::InviteByRoom(invitees) => each(invitees.len(), PERSON),
            Command::Group(GroupCommand::EditMembers { add, remove }) => each(add.len() + remove.len(), PERSON),
            Command::SetSubscriptions { edits, .. } => each(edits.len(), 1),
            Command::ConfigureRoom(_) => LASTING,
            Command::SetRoles(edits) => each(edits.len(), 1),
            Command::SetAffiliations(edits) => each(edits.len(), PERSON),
            Command::RevokeInvitations { invitees } => each(invitees.len(), 1),
            Command::ReadHistory(_)
            | Command::ReadItems { .. }
            | Command::SetPicture(_)
            | Command::ListPeople(_)
            | Command::DescribeRoom
            | Command::ListOccupants(_)
            | Command::ListRoles { .. }
            | Command::ListAffiliations { .. }
            | Command::ListSubscribers { .. }
            | Command::ListInvitations(_) => PAGE,
            _ => 1,
        }
    }

    fn people(&self, asker: &BareJid) -> usize {
        match self {
            Command::Group(GroupCommand::EditMembers { add, .. }) => others(add, asker),
            Command::SetAffiliations(edits) => {
                let is_written_to =
                    |edit: &&AffiliationEdit| edit.affiliation >= Affiliation::Member && edit.jid != *asker;
                edits.iter().filter(is_written_to).count()
            }
            Command::Invite { .. } => 1,
            Command::InviteByRoom(invitees) => invitees.iter().filter(|it| it.jid != *asker).count(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::RoomInvitee;

    #[test]
    fn whoever_reaches_many_pays_for_each() {
        let invitee = |n: usize| Invitee { jid: BareJid::new(&format!("a{n}@h")).unwrap(), nick: None };
        let add =
            |count: usize| GroupCommand::EditMembers { add: (0..count).map(invitee).collect(), remove: Vec::new() };
        assert_eq!([1, 1000].map(|count| Command::Group(add(count)).cost()), [4, 4000]);
        assert_eq!((Command::Leave.cost(), ServiceCommand::Create { name: None }.cost()), (1, 20));
        let asker = |n: usize| BareJid::new(&format!("a{n}@h")).unwrap();
        assert_eq!([3, 99].map(|n| Command::Group(add(10)).people(&asker(n))), [9, 10]);
        assert_eq!(Command::Leave.people(&asker(1)), 0);
        let invitee = |n: usize| RoomInvitee { jid: asker(n), reason: None, continues: None };
        let invite = Command::InviteByRoom((0..10).map(invitee).collect());
        assert_eq!((invite.cost(), invite.people(&asker(3)), invite.people(&asker(99))), (40, 9, 10));
    }
}
