//! XEP-0045 §7.2.13: what whoever enters a room may be shown of the archive. The cut is that of the archive itself
//! (XEP-0313): members by their windows and their own view, passers-by by the setting of the channel.

use crate::channel::backlog::Backlog;
use crate::channel::{Action, Actor, Channel, History, Limits, Member, Role, Status};

impl Channel {
    /// What `actor` may be shown when it enters. `None` where it may not enter, or where there is nothing to show.
    pub fn backlog_for(&self, actor: &Actor, limits: &Limits) -> Option<Backlog> {
        let is_in = self.participant(&actor.account).is_some();
        if self.head().row <= self.base().row || !(is_in || self.check_entrant(actor).is_ok()) {
            return None;
        }
        let joins = self.is_closed() || self.kept.allowed.is_some();
        let stands_as = if joins { Role::Participant } else { Role::Passing };
        let role = self.role_of(&actor.account, actor.operator);
        if !self.allows(if is_in { role } else { role.max(stands_as) }, Action::ReadHistory, limits) {
            return None;
        }
        if self.reads_all(actor) {
            return Some(Backlog::default());
        }
        let member = self.member(&actor.account);
        let windows = self.windows_on_entry(member);
        if windows.as_ref().is_some_and(|windows| windows.iter().all(|&(_, last)| last <= self.base().row)) {
            return None;
        }
        let hidden = member.map(|member| member.own.hidden.keys().copied().collect()).unwrap_or_default();
        Some(Backlog { windows, hidden })
    }

    /// The ranges of rows, without an end where somebody stays in.
    fn windows_on_entry(&self, member: Option<&Member>) -> Option<Vec<(u64, u64)>> {
        let from = member.map_or(1, |member| member.own.cleared + 1);
        match (self.settings().history, member) {
            (History::Full, _) if from == 1 => None,
            (History::Full, _) => Some(vec![(from, u64::MAX)]),
            (History::Joined, Some(member)) if member.status != Status::Waiting => {
                let stays = member.windows.iter().map(|&(first, last)| (first.max(from), last.unwrap_or(u64::MAX)));
                Some(stays.filter(|(first, last)| first <= last).collect())
            }
            (History::Joined, _) => Some(Vec::new()),
        }
    }
}
