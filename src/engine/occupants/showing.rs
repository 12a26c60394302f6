//! What is shown of an occupant: of a seat, and of a participant that is sent messages by MIX and has none.

use super::Occupants;
use super::room::Room;
use super::seat::{Print, Seat};
use crate::channel::{Channel, Member, Node};
use crate::engine::Engine;
use crate::xep::muc;
use crate::xep::muc::presence::Occupant;
use crate::xmpp::Tag;
use jid::{BareJid, FullJid};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// What is shown of an occupant.
pub(super) struct Picture<'a> {
    pub channel: &'a Channel,
    pub member: &'a Member,
    pub jid: Option<String>,
    pub says: Arc<str>,
}

impl Picture<'_> {
    /// The same, for the stanzas about it.
    pub fn occupant<'b>(&'b self, room: &'b str) -> Occupant<'b> {
        Occupant { channel: self.channel, room, member: self.member, jid: self.jid.clone(), says: &self.says }
    }

    /// Its presence, in short.
    pub fn print(&self, room: &str) -> Print {
        print_of(self.occupant(room).available(None, &[]))
    }
}

fn print_of(presence: Tag) -> Print {
    let mut hasher = DefaultHasher::new();
    presence.into_xml().hash(&mut hasher);
    hasher.finish()
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
        let jid = shows_jids.then(|| shown.full.to_string());
        Some(Picture { channel, member, jid, says: shown.says.shown(shows_jids) })
    }
}

/// A client that leaves, with what it says.
pub(super) fn leaver<'a>(channel: &'a Channel, member: &'a Member, full: &FullJid, says: Arc<str>) -> Picture<'a> {
    Picture { channel, member, jid: channel.settings().shows_jids().then(|| full.to_string()), says }
}

/// Whether a seat is not shown to those who do not know of it yet, because there are too many.
pub(super) fn is_silent(channel: &Channel, room: &Room, account: &BareJid) -> bool {
    let is_opened = room.seat_of(account).is_some_and(|seat| seat.trace.opened.is_some());
    room.is_quiet && !is_opened && !moderates(channel, account)
}

/// Whether a participant is shown as an occupant without having a seat: what is said in the channel reaches it by MIX.
pub(super) fn is_shown(member: &Member) -> bool {
    member.is_joined() && member.subscriptions.contains(Node::Messages)
}

/// Whether an account moderates.
pub(super) fn moderates(channel: &Channel, account: &BareJid) -> bool {
    muc::role(channel, account) == "moderator"
}

/// A participant without a seat.
pub(super) fn of_mix<'a>(channel: &'a Channel, member: &'a Member) -> Picture<'a> {
    let jid = member.shown_jid(channel.settings().visibility).map(|jid| jid.to_string());
    Picture { channel, member, jid, says: Arc::default() }
}

impl Engine {
    /// Whether a room is so large that its occupants are not told of one another. It stays so until it is a good deal smaller.
    pub(super) fn weigh(&mut self, channel_tag: u64, people: usize) -> bool {
        let max = self.service.limits.presence_participants_max;
        let Some(room) = self.occupants.room_mut(channel_tag) else { return people > max };
        let stays = room.is_quiet && people.saturating_mul(5) > max.saturating_mul(4);
        room.is_quiet = people > max || stays;
        room.was_quiet |= room.is_quiet;
        room.is_quiet
    }
}
