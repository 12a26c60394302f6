//! XEP-0045 §7.2.13: what whoever enters a room may be shown of the archive. The cut is that of the archive itself
//! (XEP-0313): members by their windows and their own view, passers-by by the setting of the channel.

use crate::channel::backlog::Backlog;
use crate::channel::{Action, Actor, Channel, History, Limits, Member, Refusal, Role, Seats, Status, Style};

impl Channel {
    /// What `actor` may be shown when it enters. `None` where it may not enter, or where there is nothing to show.
    pub fn backlog_for(&self, actor: &Actor, seats: &Seats, limits: &Limits) -> Option<Backlog> {
        if self.head().row <= self.base().row || !self.reads_on_entry(actor, limits) {
            return None;
        }
        if self.reads_all(actor) {
            return Some(Backlog::default());
        }
        let member = self.member(&actor.account);
        let windows = self.windows_of_visit(member, seats.passer_by(&actor.account));
        if windows.as_ref().is_some_and(|windows| windows.iter().all(|&(_, last)| last <= self.base().row)) {
            return None;
        }
        let hidden = member.map(|member| member.own.hidden.keys().copied().collect()).unwrap_or_default();
        Some(Backlog { windows, hidden })
    }

    /// XEP-0313 §6.1.2: the archive of a room is open to those who may enter it. Whoever was added to a group sees nothing of
    /// it before it accepts.
    pub(super) fn require_room_archive(&self, actor: &Actor, seats: &Seats, limits: &Limits) -> Result<(), Refusal> {
        if self.needs_password(actor, seats) {
            return Err(Refusal::BadPassword);
        }
        let is_plain = self.settings().style == Style::Plain;
        if is_plain && self.reads_on_entry(actor, limits) { Ok(()) } else { self.require_archive(actor, limits) }
    }

    /// Whether somebody may read the archive once it has entered.
    fn reads_on_entry(&self, actor: &Actor, limits: &Limits) -> bool {
        let is_in = self.participant(&actor.account).is_some();
        if !is_in && self.check_entrant(actor).is_err() {
            return false;
        }
        let stands_as = if self.is_for_members() { Role::Participant } else { Role::Passing };
        let role = self.role_of(&actor.account, actor.operator);
        self.allows(if is_in { role } else { role.max(stands_as) }, Action::ReadHistory, limits)
    }

    /// The ranges of rows of somebody who is in the room, without an end where it stays: with its record in the channel,
    /// and with the one that stands for it.
    pub(super) fn windows_of_visit(
        &self,
        member: Option<&Member>,
        passer_by: Option<&Member>,
    ) -> Option<Vec<(u64, u64)>> {
        let from = member.map_or(1, |member| member.own.cleared + 1);
        if self.settings().history == History::Full {
            return (from > 1).then(|| vec![(from, u64::MAX)]);
        }
        let stays = member.filter(|member| member.status != Status::Waiting).into_iter().chain(passer_by);
        let windows = stays.flat_map(|member| &member.windows);
        let windows = windows.map(|&(first, last)| (first.max(from), last.unwrap_or(u64::MAX)));
        Some(windows.filter(|(first, last)| first <= last).collect())
    }
}
