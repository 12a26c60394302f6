//! XEP-0045: who sits in a room, as the rules see it. The engine keeps it; none of it is part of the channel.

use super::{Member, Nick, NodeSet, Own, ParticipantId, Status};
use jid::BareJid;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

/// The occupants of one room that came by XEP-0045, one seat an account.
#[derive(Clone, Debug, Default)]
pub struct Seats {
    /// `Some`: a passer-by, which has no record in the channel, with one that stands for it.
    seats: BTreeMap<BareJid, Option<Member>>,
    /// Of passers-by.
    ids: HashMap<ParticipantId, BareJid>,
    /// Of passers-by, by the form for comparing (RFC 8266).
    nicks: HashMap<String, BareJid>,
    /// XEP-0045 §9.6: those who were made moderators for their visit.
    moderators: BTreeSet<BareJid>,
}

impl Seats {
    /// Those of a room that nobody sits in.
    pub fn none() -> &'static Seats {
        static NONE: LazyLock<Seats> = LazyLock::new(Seats::default);
        &NONE
    }

    /// The record that stands for somebody who is in the room and not in the channel, since before the row `first` was written.
    pub fn stand_in(account: &BareJid, nick: Nick, (id, first): (ParticipantId, u64)) -> Member {
        Member {
            id,
            jid: account.clone(),
            nick,
            status: Status::Left,
            since: Default::default(),
            subscriptions: NodeSet::default(),
            windows: vec![(first, None)],
            spoke: false,
            preferences: Default::default(),
            veiled: false,
            own: Own::default(),
            ended: false,
            named: true,
            granted: false,
        }
    }

    /// Whether an account has a seat.
    pub fn is_seated(&self, account: &BareJid) -> bool {
        self.seats.contains_key(account)
    }

    /// Whether an account was made a moderator for its visit.
    pub fn is_moderator(&self, account: &BareJid) -> bool {
        self.moderators.contains(account)
    }

    /// Those who were made moderators for their visit, in the order of accounts, which tells who hidden people are.
    pub fn moderators(&self) -> impl Iterator<Item = &BareJid> {
        self.moderators.iter()
    }

    /// Makes an account that has a seat a moderator, or unmakes it.
    pub fn set_moderator(&mut self, account: &BareJid, is_one: bool) {
        let _ = match is_one && self.is_seated(account) {
            true => self.moderators.insert(account.clone()),
            false => self.moderators.remove(account),
        };
    }

    /// How many seats there are.
    pub fn count(&self) -> usize {
        self.seats.len()
    }

    /// How many accounts have a seat and no record in the channel.
    pub fn passer_by_count(&self) -> usize {
        self.ids.len()
    }

    /// The record that stands for an account that has a seat and none in the channel.
    pub fn passer_by(&self, account: &BareJid) -> Option<&Member> {
        self.seats.get(account)?.as_ref()
    }

    /// The passer-by with this id.
    pub fn member_of(&self, id: &ParticipantId) -> Option<&Member> {
        self.passer_by(self.ids.get(id)?)
    }

    /// The passer-by that goes by a nick.
    pub fn holder_of(&self, nick: &Nick) -> Option<&BareJid> {
        self.nicks.get(nick.key())
    }

    /// The records that stand for those who have none in the channel, in the order of accounts, which tells who hidden
    /// people are.
    pub fn passers_by(&self) -> impl Iterator<Item = &Member> {
        self.seats.values().flatten()
    }

    /// All accounts with a seat, in the order of accounts, which tells who hidden people are.
    pub fn accounts(&self) -> impl Iterator<Item = &BareJid> {
        self.seats.keys()
    }

    /// An account takes a seat, or its seat changes. `passer_by`: what stands for it where it has no record.
    pub fn put(&mut self, account: &BareJid, passer_by: Option<Member>) {
        let is_moderator = self.is_moderator(account);
        self.end(account);
        if let Some(member) = &passer_by {
            self.ids.insert(member.id.clone(), account.clone());
            self.nicks.insert(member.nick.key().to_owned(), account.clone());
        }
        self.seats.insert(account.clone(), passer_by);
        self.set_moderator(account, is_moderator);
    }

    /// A seat ends; whether there was one.
    pub fn end(&mut self, account: &BareJid) -> bool {
        let Some(seat) = self.seats.remove(account) else { return false };
        self.moderators.remove(account);
        if let Some(member) = seat {
            if self.ids.get(&member.id) == Some(account) {
                self.ids.remove(&member.id);
            }
            if self.nicks.get(member.nick.key()) == Some(account) {
                self.nicks.remove(member.nick.key());
            }
        }
        true
    }
}
