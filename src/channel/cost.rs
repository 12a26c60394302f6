//! What a command costs whoever asks, in requests of the plain kind.

use super::group::Invitee;
use super::{Command, GroupCommand};
use jid::BareJid;

/// Making a channel, or taking a nick in all of one's own.
const LASTING: u64 = 20;
/// Writing to somebody who did not ask for it.
const PERSON: u64 = 4;
/// A page of something.
const PAGE: u64 = 2;

impl Command {
    /// What counts of it against the rate of requests: what is dear for the service, and what reaches people who did not
    /// ask for it, counts more than once.
    pub fn cost(&self) -> u64 {
        let of = |count: usize, each: u64| (count as u64).saturating_mul(each).max(1);
        match self {
            Command::Create { .. } | Command::RegisterNick { .. } => LASTING,
            Command::CreateGroup(wish) => LASTING + of(wish.members.len(), PERSON),
            Command::Invite { .. } => PERSON,
            Command::Group(GroupCommand::EditMembers { add, remove }) => of(add.len() + remove.len(), PERSON),
            Command::SetSubscriptions { edits, .. } => of(edits.len(), 1),
            Command::RevokeInvitations { invitees } => of(invitees.len(), 1),
            Command::ReadHistory(_)
            | Command::ReadItems { .. }
            | Command::ListChannels(_)
            | Command::ListPeople(_)
            | Command::ListSubscribers { .. }
            | Command::ListInvitations(_)
            | Command::ListGroups { .. } => PAGE,
            _ => 1,
        }
    }
}

impl Command {
    /// To how many people it writes who did not ask for it, the asker itself not counted.
    pub fn people(&self, asker: &BareJid) -> usize {
        let others = |people: &[Invitee]| people.iter().filter(|it| it.jid != *asker).count();
        match self {
            Command::CreateGroup(wish) => others(&wish.members),
            Command::Group(GroupCommand::EditMembers { add, .. }) => others(add),
            Command::Invite { .. } => 1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reaches_many_pays_for_each() {
        let invitee = |n: usize| Invitee { jid: BareJid::new(&format!("a{n}@h")).unwrap(), nick: None };
        let add =
            |count: usize| GroupCommand::EditMembers { add: (0..count).map(invitee).collect(), remove: Vec::new() };
        assert_eq!([1, 1000].map(|count| Command::Group(add(count)).cost()), [4, 4000]);
        assert_eq!((Command::Ping.cost(), Command::Create { name: None }.cost()), (1, 20));
        let asker = |n: usize| BareJid::new(&format!("a{n}@h")).unwrap();
        assert_eq!([3, 99].map(|n| Command::Group(add(10)).people(&asker(n))), [9, 10]);
        assert_eq!(Command::Ping.people(&asker(1)), 0);
    }
}
