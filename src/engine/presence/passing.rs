//! What those who pass by in a room say by their presence there is on the presence node of the channel (XEP-0403): people of MIX see
//! them as participants for as long as they sit in the room.

use super::super::{Engine, Turn};
use super::online::ResourcePlace;
use crate::channel::{Channel, ChannelName, Member, Node, ParticipantId};
use crate::engine::occupants::Stirred;
use jid::BareJid;

impl Engine {
    /// At the end of a turn: whoever passes by and said something, came or went is shown so on the presence nodes.
    pub(in crate::engine) fn share_presence_of_rooms(&mut self, turn: &mut Turn) {
        for Stirred { tag, full } in self.occupants.take_stirred() {
            let account = full.to_bare();
            let Some(room) = self.occupants.room(tag) else {
                if let Some(place) = self.presence.online.place_of(tag, &full) {
                    self.end_passing(&place, &account, turn);
                }
                continue;
            };
            let session = room.seat_of(&account).and_then(|seat| seat.sessions.iter().find(|it| it.full == full));
            let (name, says) = (room.name.clone(), session.map(|session| session.says.clone()));
            let passes = room.seats.passer_by(&account).map(|member| member.id.clone());
            let place = match passes.zip(says) {
                Some((id, says)) if self.takes_presence(tag, &name) => {
                    self.presence.online.say(tag, &name, &id, &full, says)
                }
                Some(_) => None,
                None => {
                    if let Some(place) = self.presence.online.place_of(tag, &full) {
                        self.end_passing(&place, &account, turn);
                    }
                    None
                }
            };
            if let Some(place) = place {
                // A client of a room is not sent the presence of participants in the form of MIX.
                self.presence.online.take_news(&place);
                self.deliver_change(&place, turn);
            }
        }
    }

    /// A session is over: what it said is, too, but for a client that is in the channel by MIX as well.
    fn end_passing(&mut self, place: &ResourcePlace, account: &BareJid, turn: &mut Turn) {
        let full = account.with_resource_str(&place.resource);
        if !full.is_ok_and(|full| self.people.accounts().is_known(&full, true)) {
            self.unavailable(place, turn);
        }
    }

    /// Whether what is said in a room is kept for people of MIX: somebody is there to hear it, and not too many say something.
    fn takes_presence(&self, tag: u64, name: &ChannelName) -> bool {
        let people_max = self.service.limits.presence_participants_max;
        self.channels.channel(name).is_some_and(|channel| {
            let people = channel.participant_count() + self.occupants.seats(tag).passer_by_count();
            channel.profile().tag == tag
                && channel.settings().presence
                && channel.has_subscribers(Node::Presence)
                && people <= people_max
        })
    }

    /// Somebody subscribed to presence in a channel. The first one has what those who pass by said before.
    pub(super) fn recall_passing(&mut self, name: &ChannelName, tag: u64) {
        let is_first = self.channels.channel(name).is_some_and(|channel| channel.subscriber_count(Node::Presence) == 1);
        let sessions =
            self.occupants.room(tag).into_iter().flat_map(|room| room.occupants()).flat_map(|seat| &seat.sessions);
        let is_any_unknown =
            || sessions.map(|it| &it.full).any(|full| self.presence.online.place_of(tag, full).is_none());
        if is_first && self.takes_presence(tag, name) && is_any_unknown() {
            self.occupants.stir(tag);
        }
    }

    /// Whoever passes by in the room of a channel.
    pub(super) fn passer_by(&self, channel: &Channel, account: &BareJid) -> Option<&Member> {
        self.occupants.seats(channel.profile().tag).passer_by(account)
    }

    /// The same, if it goes by this id.
    pub(super) fn passes_by_as(&self, tag: u64, id: &ParticipantId) -> Option<&Member> {
        self.occupants.seats(tag).member_of(id)
    }
}
