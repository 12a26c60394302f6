//! What is shown of an occupant: of a seat, and of a participant that is sent messages by MIX and has none.

use super::Occupants;
use super::room::Room;
use super::seat::{Print, Seat};
use crate::channel::{Channel, ChannelName, Member, OccupantRole, Seats};
use crate::engine::presence::online::Known;
use crate::engine::presence::sharing::shares;
use crate::engine::{Engine, Turn};
use crate::xep::muc;
use crate::xep::muc::presence::{Cause, Occupant};
use jid::{BareJid, FullJid};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What is shown of an occupant.
pub(super) struct Picture<'a> {
    pub channel: &'a Channel,
    pub member: &'a Member,
    /// The full JID of the session that is shown, else the bare JID.
    pub jid: String,
    pub says: Arc<str>,
    pub seats: &'a Seats,
    /// What it is told for.
    pub cause: Cause<'a>,
}

impl Picture<'_> {
    /// The same, for the stanzas about it. `unveiled`: for those who see hidden JIDs.
    pub fn occupant<'b>(&'b self, room: &'b str, unveiled: bool) -> Occupant<'b> {
        let Picture { channel, member, says, seats, cause, .. } = self;
        let jid = Some(self.jid.clone()).filter(|_| unveiled || self.shows_jid());
        Occupant { channel, room, member, jid, says, seats, cause: *cause }
    }

    fn shows_jid(&self) -> bool {
        self.member.shown_jid(self.channel.settings().visibility).is_some()
    }

    /// Its presence, in short, whatever it is told for.
    pub fn print(&self) -> Print {
        let mut hasher = DefaultHasher::new();
        (self.occupant("", true).facts(), self.shows_jid()).hash(&mut hasher);
        hasher.finish()
    }
}

impl Occupants {
    /// The record of whoever sits on a seat, or the one that stands for it.
    pub fn member_on<'a>(&'a self, channel: &'a Channel, account: &BareJid) -> Option<&'a Member> {
        channel.participant(account).or_else(|| self.seats(channel.profile().tag).passer_by(account))
    }

    /// Whoever sits on a seat.
    pub(super) fn picture<'a>(&'a self, channel: &'a Channel, seat: &Seat) -> Option<Picture<'a>> {
        let (shown, shows_jids) = (seat.shown()?, channel.settings().shows_jids());
        let member = self.member_on(channel, &shown.full.to_bare())?;
        let (seats, cause) = (self.seats(channel.profile().tag), self.cause(&member.jid));
        let (jid, says) = (shown.full.to_string(), shown.says.in_room(&member.jid, shows_jids));
        Some(Picture { channel, member, jid, says, seats, cause })
    }

    /// A client that leaves, with what it says.
    pub(super) fn leaver<'a>(
        &'a self,
        channel: &'a Channel,
        member: &'a Member,
        full: &FullJid,
        says: Arc<str>,
    ) -> Picture<'a> {
        let (seats, cause) = (self.seats(channel.profile().tag), self.cause(&member.jid));
        Picture { channel, member, jid: full.to_string(), says, seats, cause }
    }
}

/// Whether a seat is not shown to those who do not know of it yet, because there are too many.
pub(super) fn is_silent(channel: &Channel, room: &Room, account: &BareJid) -> bool {
    let is_opened = room.seat_of(account).is_some_and(|seat| seat.trace.opened.is_some());
    room.is_quiet && !is_opened && !stands_out(channel, room, account)
}

/// Whether a participant is shown as an occupant without having a seat: what is said in the channel reaches it by MIX.
pub(super) fn is_shown(member: &Member) -> bool {
    Channel::is_in_room_by_mix(member)
}

/// Whether an account is shown in a quiet room, whether or not it speaks: in a large one those who moderate, and of any those
/// whose role is shown (XEP-0045 "presencebroadcast").
pub(super) fn stands_out(channel: &Channel, room: &Room, account: &BareJid) -> bool {
    let role = channel.occupant_role(account, &room.seats);
    muc::is_shown(channel, role) && (!room.is_large || role == OccupantRole::Moderator)
}

impl Engine {
    /// A participant without a seat, with what its presence in the channel says (XEP-0403), as far as anything is known.
    pub(super) fn of_mix<'a>(&'a self, channel: &'a Channel, member: &'a Member) -> Picture<'a> {
        let (tag, known) = (channel.profile().tag, self.known_by_mix(channel, member));
        let (jid, says) = match known {
            Some(Known::At(at)) => (format!("{}/{}", member.jid, at.resource), at.shared.says.clone()),
            Some(Known::Offline) => (member.jid.to_string(), Arc::from("<show>xa</show>")),
            None => (member.jid.to_string(), Arc::default()),
        };
        let (seats, cause) = (self.occupants.seats(tag), self.occupants.cause(&member.jid));
        Picture { channel, member, jid, says, seats, cause }
    }

    fn known_by_mix<'a>(&'a self, channel: &Channel, member: &Member) -> Option<Known<'a>> {
        let online = self.presence.online();
        online.known_of(channel.profile().tag, &member.id).filter(|_| shares(channel, member))
    }

    /// What a room shows of a participant without a seat, in short; `None`: it shows nothing.
    pub(in crate::engine) fn print_by_mix(&self, name: &ChannelName, account: &BareJid) -> Option<Print> {
        let channel = self.channels.channel(name)?;
        let room = self.occupants.room(channel.profile().tag)?;
        let member =
            channel.participant(account).filter(|member| is_shown(member) && !room.seats.is_seated(account))?;
        Some(self.of_mix(channel, member).print())
    }

    /// The presence of a participant in a channel has changed: the room is told, if it shows it and something else than before.
    pub(in crate::engine) fn show_by_mix(
        &self,
        name: &ChannelName,
        account: &BareJid,
        before: Option<Print>,
        turn: &mut Turn,
    ) {
        let now = self.print_by_mix(name, account);
        let channel = self.channels.channel(name);
        if let Some((channel, member)) = channel.and_then(|it| Some((it, it.participant(account)?)))
            && now.is_some()
            && now != before
        {
            self.tell_of_participant(name, channel.profile().tag, member, turn);
        }
    }

    /// Whether not all occupants of a room are told of one another: it is large, and stays so until it is a good deal smaller,
    /// or it does not show all roles.
    pub(super) fn weigh(&mut self, channel_tag: u64, people: usize, hides_some: bool) -> bool {
        let max = self.service.limits.presence_participants_max;
        let Some(room) = self.occupants.room_mut(channel_tag) else { return people > max || hides_some };
        let stays = room.is_large && people.saturating_mul(5) > max.saturating_mul(4);
        room.is_large = people > max || stays;
        room.is_quiet = room.is_large || hides_some;
        room.was_quiet |= room.is_quiet;
        room.is_quiet
    }
}
