//! XEP-0463: clients that enter are sent the affiliations that changed since they last knew them, and each change from there on.
//!
//! Who may not read the lists is told of no version. A version is of the lists that its account reads, so one that reads no
//! list of outcasts does not find out that somebody was banned. Which clients asked is not saved: after a restart they ask again
//! as they enter.

use super::super::outgoing::outbox::{Audience, EntryNo};
use super::super::outgoing::unsent::halves;
use super::super::{Engine, Turn};
use super::room::Versioned;
use crate::channel::{Affiliation, Change, Channel, ChannelName, Lists, Node, Refusal, VersionedChange};
use crate::store::Record;
use crate::xep::muc::versions::{self, Spelling, VersionWish};
use crate::xmpp::{Stanza, StanzaError};
use jid::{BareJid, FullJid};
use rand::Rng;
use std::collections::BTreeMap;

/// Clients of one room that are told of each change with its versions. Others are told the version as they enter.
const VERSIONED_MAX: usize = 200;
/// Affiliations that all clients of a room together are sent anew in one turn.
const TOLD_ANEW_MAX: usize = 20_000;

/// What some changes of a channel begin with: affiliations of accounts, and whether lists begin anew that say who is of the room,
/// or who may not enter.
#[derive(Default)]
pub(in crate::engine) struct AffiliationsBefore {
    of: BTreeMap<BareJid, Affiliation>,
    anew: Option<bool>,
}

/// Affiliations that are told, and the version before, if it is known.
type Told = (Option<u64>, Vec<(BareJid, Affiliation)>);

impl Engine {
    /// A client that was let in asks for versions: from now on they are kept, if it may read the lists.
    pub(super) fn begin_versions(&mut self, stanza: &Stanza, name: &ChannelName, turn: &mut Turn) {
        let Some(channel) = self.channels.channel(name).filter(|it| it.has_versions()) else { return };
        let reads = || channel.versions_for(&stanza.sender(), &self.service.limits).is_some();
        if channel.kept().versions.are_kept() || versions::wish(stanza).is_none() || !reads() {
            return;
        }
        let first = channel.kept().versions.next(None, true, self.now.0);
        self.carry_on(vec![(name.clone(), Change::Versioned(vec![first]))], turn);
    }

    /// XEP-0463 §3.2: before any presence, whoever enters is sent the affiliations that it asked for. Returns the version for
    /// its own presence.
    pub(super) fn tell_versions_to(
        &mut self,
        stanza: &Stanza,
        (name, tag, full): (&ChannelName, u64, &FullJid),
        no: EntryNo,
        turn: &mut Turn,
    ) -> Option<String> {
        let account = full.to_bare();
        self.occupants.note_versioned(tag, full, None);
        let wish = versions::wish(stanza)?;
        let channel = self.channels.channel(name).filter(|it| it.has_versions())?;
        let Some(lists) = channel.versions_for(&account, &self.service.limits) else {
            let error = StanzaError::from(&Refusal::Forbidden("you may not read the lists of the room"));
            let refusal = versions::refusal(stanza, &self.service.address_of(name), &error);
            turn.tell_all(Audience::One(no), halves(&refusal, false));
            return None;
        };
        let kept = &channel.kept().versions;
        let spelling = Spelling { sealer: &self.service.sealer, tag, account: &account, lists };
        let known = match &wish {
            VersionWish::Since(text) => spelling.read(text),
            VersionWish::All => None,
        };
        let changed = known.and_then(|version| Some((version, kept.changed_since(lists, version)?)));
        let until = spelling.write(kept.current(lists));
        let told: Option<Told> = match changed {
            Some((_, accounts)) if accounts.is_empty() => None,
            Some((version, accounts)) => {
                let accounts = accounts.into_iter().map(|it| (it.clone(), shown(channel, it, lists)));
                Some((Some(version), accounts.collect()))
            }
            None => Some((None, channel.affiliated(lists))),
        };
        self.occupants.note_versioned(tag, full, Some((no, lists)));
        if let Some(told) = told {
            self.tell_versioned((name, tag), &Versioned { full: full.clone(), no, lists }, told, turn);
        }
        Some(until)
    }

    /// What accounts are before some changes, where versions are kept.
    pub(in crate::engine) fn affiliations_before(
        &self,
        name: &ChannelName,
        changes: &[(ChannelName, Change)],
    ) -> Option<AffiliationsBefore> {
        let channel = self.channels.channel(name).filter(|it| it.kept().versions.are_kept())?;
        let mut before = AffiliationsBefore::default();
        for (_, change) in changes {
            let mut note = |account: &BareJid| {
                before.of.entry(account.clone()).or_insert_with(|| channel.listed_affiliation(account));
            };
            if let Some(member) = change.member() {
                note(&member.jid);
            }
            if let Change::Listed { jid, .. } = change {
                note(jid);
            }
            if let Change::RightsSet(rights) = change {
                let past = channel.rights();
                let all = [&past.owners, &past.admins, &rights.owners, &rights.admins];
                all.into_iter().flat_map(|holders| holders.iter()).for_each(&mut note);
            }
            if let Change::ListMade { node, .. } | Change::ListPurged { node } = change
                && channel.lists_anybody(*node)
            {
                before.anew = Some(before.anew.unwrap_or_default() || *node != Node::Banned);
            }
        }
        Some(before)
    }

    /// Affiliations that are others now make a version each. Clients that asked are told.
    pub(in crate::engine) fn note_versions(
        &mut self,
        name: &ChannelName,
        before: Option<AffiliationsBefore>,
        turn: &mut Turn,
    ) {
        let (Some(before), Some(channel)) = (before, self.channels.channel(name)) else { return };
        let past = channel.kept().versions.clone();
        let changed = before.of.into_iter().filter_map(|(account, was)| {
            let is = channel.listed_affiliation(&account);
            let is_of_affiliated = was.max(is) > Affiliation::None;
            (was != is).then_some((Some(account), is_of_affiliated))
        });
        let changed = changed.chain(before.anew.map(|is_of_affiliated| (None, is_of_affiliated)));
        let (mut next, mut changes) = (past.clone(), Vec::new());
        for (account, is_of_affiliated) in changed {
            let change = next.next(account, is_of_affiliated, self.now.0);
            next.note(change.clone());
            changes.push(change);
        }
        if changes.is_empty() {
            return;
        }
        let tag = channel.profile().tag;
        let (name, change) = (name.clone(), Change::Versioned(changes.clone()));
        self.apply(&name, &change, turn);
        turn.records.push(Record::Channel { name: name.clone(), tag, change });
        let clients = self.occupants.versioned(tag);
        if changes.iter().any(|it| it.account.is_none()) && self.is_too_much(&name, clients.len()) {
            // They ask as they enter the next time, and are sent all of it then.
            return self.occupants.forget_versioned(tag);
        }
        for client in clients {
            let before = past.current(client.lists);
            self.tell_version((&name, tag), client, (before, &changes), turn);
        }
    }

    /// Whether it is too much for one turn to tell so many clients all affiliations of a room.
    fn is_too_much(&self, name: &ChannelName, clients: usize) -> bool {
        let affiliated = self.channels.channel(name).map_or(0, |channel| channel.affiliated(Lists::All).len());
        clients.saturating_mul(affiliated) > TOLD_ANEW_MAX
    }

    /// Tells one client of changes, if they are of lists that it reads.
    fn tell_version(
        &mut self,
        (name, tag): (&ChannelName, u64),
        client: Versioned,
        (before, changes): (u64, &[VersionedChange]),
        turn: &mut Turn,
    ) {
        let account = client.full.to_bare();
        let Some(channel) = self.channels.channel(name) else { return };
        let reads = channel.versions_for(&account, &self.service.limits).filter(|_| channel.has_versions());
        let Some(lists) = reads else { return self.occupants.note_versioned(tag, &client.full, None) };
        let of_them: Vec<_> = changes.iter().filter(|it| lists == Lists::All || it.is_of_affiliated).collect();
        let all = || (None, channel.affiliated(lists));
        let told = if lists != client.lists {
            Some(all())
        } else if of_them.is_empty() {
            None
        } else {
            let accounts: Option<Vec<_>> = of_them.iter().map(|change| change.account.as_ref()).collect();
            let items = |accounts: Vec<&BareJid>| {
                accounts.into_iter().map(|it| (it.clone(), shown(channel, it, lists))).collect::<Vec<_>>()
            };
            Some(accounts.map_or_else(all, |accounts| (Some(before), items(accounts))))
        };
        let client = Versioned { lists, ..client };
        self.occupants.set_lists(tag, &client);
        if let Some(told) = told {
            self.tell_versioned((name, tag), &client, told, turn);
        }
    }

    fn tell_versioned(&mut self, (name, tag): (&ChannelName, u64), client: &Versioned, told: Told, turn: &mut Turn) {
        let account = client.full.to_bare();
        let Some(channel) = self.channels.channel(name) else { return };
        let spelling = Spelling { sealer: &self.service.sealer, tag, account: &account, lists: client.lists };
        let (since, until) = (told.0.map(|it| spelling.write(it)), channel.kept().versions.current(client.lists));
        let (sealer, dice) = (&self.service.sealer, &mut self.dice);
        let mut ids = || sealer.mark(tag, dice.random());
        let between = (since, spelling.write(until));
        for message in versions::messages(&self.service.address_of(name), &mut ids, between, &told.1) {
            turn.tell_all(Audience::One(client.no), halves(&message, false));
        }
    }
}

/// What an account is, to whoever reads these lists.
fn shown(channel: &Channel, account: &BareJid, lists: Lists) -> Affiliation {
    let affiliation = channel.listed_affiliation(account);
    if lists == Lists::All { affiliation } else { affiliation.max(Affiliation::None) }
}

impl super::Occupants {
    /// A client asked for versions, or did not as it entered.
    fn note_versioned(&mut self, tag: u64, full: &FullJid, asked: Option<(EntryNo, Lists)>) {
        let Some(room) = self.rooms.get_mut(&tag) else { return };
        room.versioned.retain(|it| it.full != *full);
        let asked = asked.filter(|_| room.versioned.len() < VERSIONED_MAX);
        room.versioned.extend(asked.map(|(no, lists)| Versioned { full: full.clone(), no, lists }));
    }

    /// Nobody in a room is told of versions any more.
    fn forget_versioned(&mut self, tag: u64) {
        if let Some(room) = self.rooms.get_mut(&tag) {
            room.versioned.clear();
        }
    }

    /// A client reads other lists than it did.
    fn set_lists(&mut self, tag: u64, client: &Versioned) {
        let room = self.rooms.get_mut(&tag);
        let known = room.and_then(|room| room.versioned.iter_mut().find(|it| it.full == client.full));
        known.into_iter().for_each(|it| it.lists = client.lists);
    }

    /// The clients of a room that asked for versions and are still there, in the order in which they asked.
    fn versioned(&mut self, tag: u64) -> Vec<Versioned> {
        let Some(room) = self.rooms.get_mut(&tag) else { return Vec::new() };
        let mut all = std::mem::take(&mut room.versioned);
        all.retain(|it| room.session_mut(&it.full).is_some_and(|session| session.no == it.no));
        room.versioned = all.clone();
        all
    }
}
