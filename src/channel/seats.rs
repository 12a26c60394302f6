//! XEP-0045: who sits in a room, as the rules see it. The engine keeps it; none of it is part of the channel.

use super::{Member, Nick, NodeSet, Own, ParticipantId, Status};
use jid::{BareJid, FullJid};
use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

/// The occupants of one room that came by XEP-0045, one seat an account.
#[derive(Clone, Debug, Default)]
pub struct Seats {
    /// `Some`: a passer-by, which has no record in the channel, with one that stands for it.
    seats: BTreeMap<Arc<BareJid>, Seated>,
    /// The passers-by.
    ids: HashSet<ById>,
    /// The passers-by; of those with one nick the last that took it.
    nicks: HashSet<ByNick>,
    /// XEP-0045 §9.6: those who were made moderators for their visit.
    moderators: BTreeSet<BareJid>,
    /// The nicks, by their forms for comparing, of those whose records are gone and whose seats are about to end; and the same by
    /// their accounts. Nobody else takes such a nick before the others were told of the end.
    parting: BTreeMap<Box<str>, Arc<BareJid>>,
    parting_nicks: BTreeMap<Arc<BareJid>, Nick>,
}

/// An account that has a seat.
#[derive(Clone, Debug)]
struct Seated {
    place: u64,
    /// The client that others see.
    client: Option<Arc<FullJid>>,
    passer_by: Option<Arc<Member>>,
}

/// A passer-by, found by its id.
#[derive(Clone, Debug)]
struct ById(Arc<Member>);

/// A passer-by, found by the form of its nick for comparing (RFC 8266).
#[derive(Clone, Debug)]
struct ByNick(Arc<Member>);

impl Borrow<ParticipantId> for ById {
    fn borrow(&self) -> &ParticipantId {
        &self.0.id
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &ById) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl Borrow<str> for ByNick {
    fn borrow(&self) -> &str {
        self.0.nick.key()
    }
}

impl PartialEq for ByNick {
    fn eq(&self, other: &ByNick) -> bool {
        self.0.nick.key() == other.0.nick.key()
    }
}

impl Eq for ByNick {}

impl Hash for ByNick {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.nick.key().hash(state);
    }
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
        self.seats.get(account)?.passer_by.as_deref()
    }

    /// The passer-by with this id.
    pub fn member_of(&self, id: &ParticipantId) -> Option<&Member> {
        self.ids.get(id).map(|it| &*it.0)
    }

    /// The passer-by that goes by a nick, or whoever is shown by it until its seat ends.
    pub fn holder_of(&self, nick: &Nick) -> Option<&BareJid> {
        self.nicks.get(nick.key()).map(|it| &it.0.jid).or_else(|| self.parting.get(nick.key()).map(|it| &**it))
    }

    /// The seat of an account is about to end, by which it is shown with this nick.
    pub fn part(&mut self, account: &BareJid, nick: &Nick) {
        if let Some((account, _)) = self.seats.get_key_value(account) {
            let account = account.clone();
            self.forget_parting(&account);
            self.parting.insert(nick.key().into(), account.clone());
            self.parting_nicks.insert(account, nick.clone());
        }
    }

    fn forget_parting(&mut self, account: &BareJid) {
        let Some(nick) = self.parting_nicks.remove(account) else { return };
        if self.parting.get(nick.key()).is_some_and(|holder| **holder == *account) {
            self.parting.remove(nick.key());
        }
    }

    /// The records that stand for those who have none in the channel, in the order of accounts, which tells who hidden
    /// people are.
    pub fn passers_by(&self) -> impl Iterator<Item = &Member> {
        self.seats.values().filter_map(|seated| seated.passer_by.as_deref())
    }

    /// All accounts with a seat, in the order of accounts, which tells who hidden people are.
    pub fn accounts(&self) -> impl Iterator<Item = &BareJid> {
        self.seats.keys().map(|account| &**account)
    }

    /// The place of an account's seat: seats are in the order in which they were taken.
    pub fn place_of(&self, account: &BareJid) -> Option<u64> {
        self.seats.get(account).map(|seated| seated.place)
    }

    /// The client of an account that others see.
    pub fn client_of(&self, account: &BareJid) -> Option<&FullJid> {
        self.seats.get(account)?.client.as_deref()
    }

    /// Others see this client of an account.
    pub fn show(&mut self, account: &BareJid, client: Option<Arc<FullJid>>) {
        if let Some(seated) = self.seats.get_mut(account) {
            seated.client = client;
        }
    }

    /// An account takes a seat at a place, or its seat changes and stays where it is. `passer_by`: what stands for it where it
    /// has no record. Returns the place.
    pub fn put(&mut self, account: &Arc<BareJid>, place: u64, passer_by: Option<Member>) -> u64 {
        let (place, is_moderator) = (self.place_of(account).unwrap_or(place), self.is_moderator(account));
        let client = self.seats.get(account).and_then(|seated| seated.client.clone());
        self.end(account);
        let passer_by = passer_by.map(Arc::new);
        if let Some(member) = &passer_by {
            self.ids.replace(ById(member.clone()));
            self.nicks.replace(ByNick(member.clone()));
        }
        self.seats.insert(account.clone(), Seated { place, client, passer_by });
        self.set_moderator(account, is_moderator);
        place
    }

    /// What stands for an account that has a seat is something else, or nothing.
    pub fn replace(&mut self, account: &BareJid, passer_by: Option<Member>) {
        if let Some((account, place)) = self.seats.get_key_value(account).map(|(key, it)| (key.clone(), it.place)) {
            self.put(&account, place, passer_by);
        }
    }

    /// Somebody who passes by wrote a row.
    pub fn note_word(&mut self, account: &BareJid) {
        if let Some(member) = self.passer_by(account).cloned() {
            self.replace(account, Some(Member { spoke: true, ..member }));
        }
    }

    /// A seat ends; whether there was one.
    pub fn end(&mut self, account: &BareJid) -> bool {
        let Some(seat) = self.seats.remove(account) else { return false };
        self.moderators.remove(account);
        self.forget_parting(account);
        if let Some(member) = seat.passer_by {
            if self.ids.get(&member.id).is_some_and(|it| it.0.jid == *account) {
                self.ids.remove(&member.id);
            }
            if self.nicks.get(member.nick.key()).is_some_and(|it| it.0.jid == *account) {
                self.nicks.remove(member.nick.key());
            }
        }
        true
    }
}
