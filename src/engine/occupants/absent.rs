//! XEP-0045 §9, §10: affiliations of people who are not in the room. Those are told who may read the list that it is about: a
//! room that shows occupants to everybody need not show who is banned.

use super::super::outgoing::outbox::{Audience, EntryNo, ListId};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use crate::channel::{Affiliation, Channel, ChannelName};
use crate::xep::List;
use crate::xep::muc::presence::{Cause, affiliation_message, status};
use jid::BareJid;
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// Who of a room reads the list of those with an affiliation, but for one whose readers are told something else.
pub(super) type Readers = BTreeMap<(Affiliation, Option<Affiliation>), Option<Audience>>;

impl Engine {
    /// Tells of the affiliation of somebody who is not in the room: those who may read the list; and the person itself, where
    /// somebody set it by this protocol. A stranger that is banned is not written to.
    pub(super) fn tell_of_absent(
        &mut self,
        (name, tag): (&ChannelName, u64),
        account: &BareJid,
        (before, now): (Affiliation, Affiliation),
        readers: &mut Readers,
        turn: &mut Turn,
    ) {
        let Some(channel) = self.channels.channel(name) else { return };
        let (room, id) = (self.service.address_of(name), self.service.sealer.mark(tag, self.dice.random()));
        let cause = self.occupants.cause(account);
        let message = |shown, cause, codes| affiliation_message(&room, account, shown, cause, (&id, codes));
        let mut tell = |list: (Affiliation, Option<Affiliation>), message| {
            let audience = readers.entry(list).or_insert_with(|| self.readers_of(channel, tag, list));
            if let Some(audience) = audience {
                turn.tell_all(audience.clone(), halves(&message, false));
            }
        };
        let is_of_ban = now == Affiliation::Outcast || before.max(now) < Affiliation::Member;
        let list = if is_of_ban { Affiliation::Outcast } else { before.max(now) };
        tell((list, None), message(now, cause, &[]));
        if now == Affiliation::Outcast && before >= Affiliation::Member {
            // Others know whoever was on a list that they read, and learn that it is no longer, and not why.
            let gone = message(Affiliation::None, Cause::default(), &[]);
            tell((before, Some(Affiliation::Outcast)), gone);
        }
        let is_ruled = self.occupants.ruling.as_ref().is_some_and(|ruling| ruling.causes.contains_key(account));
        if is_ruled && before.max(now) >= Affiliation::Member {
            let to_itself = message(now, cause, &[status::AFFILIATION_CHANGED]);
            turn.send(to_itself.attr("to", account.as_str()).into_xml());
        }
    }

    /// The sessions of those who may read a list of affiliations, and not another one. `None`: nobody is there who may.
    fn readers_of(
        &self,
        channel: &Channel,
        tag: u64,
        (list, but): (Affiliation, Option<Affiliation>),
    ) -> Option<Audience> {
        let here = self.occupants.room(tag)?;
        let limits = &self.service.limits;
        let reads = |account: &BareJid| {
            let actor = self.actor(account.clone());
            channel.lists_affiliation_to(&actor, list, limits)
                && !but.is_some_and(|but| channel.lists_affiliation_to(&actor, but, limits))
        };
        let seated = |account: &BareJid| here.place_of(account).filter(|_| reads(account));
        // Everybody is looked at only where members may read the list. In the order of seats: one of accounts would tell
        // something of hidden people.
        let places: BTreeSet<u64> =
            if channel.settings().shows_jids() && (list >= Affiliation::Member || channel.is_group()) {
                here.occupants().filter_map(|seat| seated(&seat.shown()?.full.to_bare())).collect()
            } else {
                let rights = channel.rights();
                let high = rights.owners.iter().chain(&rights.admins).chain(&self.service.operators);
                high.filter_map(seated).collect()
            };
        let seats = places.into_iter().filter_map(|place| here.seat_at(place));
        let numbers: Vec<EntryNo> = seats.flat_map(|seat| seat.numbers()).collect();
        match numbers.len() {
            0 => None,
            all if all == here.session_count() => Some(Audience::List(ListId { tag, list: List::Sessions }, None)),
            _ => Some(Audience::these(numbers)),
        }
    }
}
