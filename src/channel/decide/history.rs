//! groups.md §1 rule 1, storage.md §4: which rows of the archive an account sees.

use super::Outcome;
use crate::channel::command::HistoryQuery;
use crate::channel::limits::check;
use crate::channel::receipts::is_within;
use crate::channel::{
    Actor, Answer, Channel, Context, Decision, Member, Node, ParticipantId, Refusal, Role, Seats, Standing, Style,
};
use jid::BareJid;

impl Channel {
    /// Gives the form to those who may read the archive, by MIX or as a room.
    pub(super) fn describe_archive(&self, actor: &Actor, as_room: bool, context: &Context<'_>) -> Outcome {
        self.require_reader(actor, as_room, context)?;
        Ok(Decision::answer(Answer::HistoryForm))
    }

    fn require_reader(&self, actor: &Actor, as_room: bool, context: &Context<'_>) -> Result<(), Refusal> {
        match as_room {
            true => self.require_room_archive(actor, context.live.seats, context.limits),
            false => self.require_archive(actor, context.limits),
        }
    }

    pub(super) fn read_history(&self, actor: &Actor, mut query: HistoryQuery, context: &Context<'_>) -> Outcome {
        let (limits, seats) = (context.limits, context.live.seats);
        self.require_reader(actor, query.as_room, context)?;
        check(limits.features.media || query.media.is_none(), "media")?;
        // Operators, and owners of a plain channel, may read it without being in it.
        let member = self.member(&actor.account).filter(|_| !self.reads_all(actor));
        let as_guest = self.is_guest_of(actor, Node::Messages) && !self.reads_all(actor);
        let guest = self.guest(&actor.account).filter(|_| as_guest);
        let is_in = self.participant(&actor.account).is_some();
        let is_plain = self.settings().style == Style::Plain;
        let visits = query.as_room && is_plain && guest.is_none() && !is_in && !self.reads_all(actor);
        let windows = match guest {
            Some(guest) => self.shown_to_guest(guest, member),
            None if visits => self.windows_of_visit(member, seats.passer_by(&actor.account)),
            None => member.and_then(|member| self.shown_to(member)),
        };
        let newest = self.head().row;
        let named = query.ids.iter().flatten().chain(&query.after).chain(&query.before);
        let is_there = |row: u64| self.base().row < row && row <= newest;
        let unseen = |&row: &u64| match (guest, member, &windows) {
            (Some(_), _, Some(windows)) => !is_within(windows, row),
            (None, _, Some(windows)) if visits => !is_there(row) || !is_within(windows, row),
            (None, Some(member), _) if !visits => !self.sees(member, row),
            _ => !is_there(row),
        };
        if query.names_unknown_row || named.into_iter().any(unseen) {
            return Err(Refusal::NoSuchItem);
        }
        query.windows = windows;
        query.hidden = member.map(|member| member.own.hidden.keys().copied().collect()).unwrap_or_default();
        query.before = Some(query.before.unwrap_or(u64::MAX).min(newest + 1));
        let author = match &query.with {
            Some(with) => match self.member_named(actor, with, seats) {
                Some(member) => Some(member.id.clone()),
                None => {
                    query.of_empty_node = true;
                    None
                }
            },
            None => None,
        };
        Ok(Decision::answer(Answer::History { query, author }))
    }

    /// XEP-0403 §3.2: the member that an account, or the address of a participant, stands for. Where JIDs are hidden,
    /// an account finds its own rows alone by its JID.
    fn member_named<'a>(&'a self, actor: &Actor, with: &BareJid, seats: &'a Seats) -> Option<&'a Member> {
        let id = with.node().and_then(|node| node.as_str().split_once('#')).and_then(|(id, _)| ParticipantId::new(id));
        match id {
            Some(id) => self.member_or_passer_by(&id, seats),
            None if *with == actor.account || actor.operator => self.member(with),
            None if self.standing_of(&actor.account) != Standing::Member => self.member(with),
            None if self.unveils_occupants_to(&actor.account, seats) => {
                self.member(with).filter(|member| !self.stays_hidden(member))
            }
            None => None,
        }
    }

    /// Whether somebody outside the channel may read all of its archive.
    pub(super) fn reads_all(&self, actor: &Actor) -> bool {
        let role = self.role_of(&actor.account, actor.operator);
        !role.is_seated() && role > Role::Participant
    }
}
