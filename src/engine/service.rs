//! What is asked of the service as a whole: creating channels and listing them.

use super::Engine;
use super::parley::{Asked, Effects};
use crate::channel::command::{Page, Slice};
use crate::channel::{
    Answer, Change, Channel, ChannelName, Context, GroupWish, Membership, Profile, Refusal, Rights, ServiceAction,
    group_create,
};
use crate::xep::{information, rsm};
use jid::BareJid;
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Channels on one page of a list, at most.
const CHANNELS_PAGE_MAX: usize = 500;

impl Engine {
    /// Creates a channel; an empty one is in memory at once, so that what follows in the turn finds it.
    pub(super) fn create(&mut self, asked: &mut Asked<'_>, wanted: Option<ChannelName>) -> Result<Effects, Refusal> {
        let (name, profile) = self.found(&asked.actor.account, wanted)?;
        let settings = self.service.limits.plain_settings();
        let rights = Rights { owners: vec![profile.creator.clone()], admins: Vec::new() };
        let info = information::first(profile.listed.then_some(name.as_str()), self.now);
        let created = Change::Created { profile, settings, rights, info };
        self.put_created(&name, &created);
        asked.channel = Some(name.clone());
        Ok(Effects { changes: vec![(name.clone(), created)], ..Effects::none(Answer::Created { name }) })
    }

    /// Creates a group with its people, all or nothing (groups.md §3.1).
    pub(super) fn create_group(&mut self, asked: &mut Asked<'_>, wish: GroupWish) -> Result<Effects, Refusal> {
        let (name, mut profile) = self.found(&asked.actor.account, wish.name.clone())?;
        let mut context = Context {
            now: self.now,
            dice: &mut self.dice,
            limits: &self.service.limits,
            registry: &self.registry,
            facts: &BTreeMap::new(),
            rename: information::renamed,
        };
        let plan = group_create::plan(&wish, &asked.actor, &mut context)?;
        // Only those who are in a group learn of it (groups.md §1 rule 11).
        profile.listed = plan.settings.membership == Membership::Open;
        let info = information::first(Some(&plan.subject), self.now);
        let created = Change::Created { profile, settings: plan.settings, rights: plan.rights, info };
        self.put_created(&name, &created);
        asked.channel = Some(name.clone());
        let changes = std::iter::once(created).chain(plan.changes).map(|change| (name.clone(), change)).collect();
        Ok(Effects { changes, ..Effects::none(Answer::GroupCreated { name, members: plan.members }) })
    }

    /// A name that is free, and what a new channel of it is.
    fn found(&mut self, creator: &BareJid, wanted: Option<ChannelName>) -> Result<(ChannelName, Profile), Refusal> {
        if !self.service.may_create(creator) {
            return Err(ServiceAction::Create.refusal());
        }
        if wanted.as_ref().is_some_and(|name| self.shelf.exists(name) || self.shelf.is_cold(name)) {
            return Err(Refusal::NameTaken);
        }
        if self.shelf.count() >= self.service.limits.channels_max {
            return Err(Refusal::TooMany { what: "channels", max: self.service.limits.channels_max });
        }
        let own_max = self.service.limits.channels_per_creator_max;
        let is_operator = self.service.operators.contains(creator);
        if !is_operator && self.shelf.created_by(creator) >= own_max {
            return Err(Refusal::TooMany { what: "channels of one creator", max: own_max });
        }
        let listed = wanted.is_some();
        let name = wanted.unwrap_or_else(|| ChannelName::random(&mut self.dice));
        let tag = self.dice.random();
        let used_up = Refusal::TooMany { what: "channels ever created", max: u32::MAX as usize };
        let gid = self.shelf.next_gid().ok_or(used_up)?;
        Ok((name, Profile { tag, created: self.now, creator: creator.clone(), gid, listed }))
    }

    fn put_created(&mut self, name: &ChannelName, created: &Change) {
        if let Change::Created { profile, settings, rights, info } = created.clone() {
            self.shelf.put(Channel::create(name.clone(), profile, settings, rights, info));
        }
    }

    /// The channels that an account may find: those that are listed, and those that it is in (XEP-0369 §6.2).
    pub(super) fn list_channels(&self, account: &BareJid, slice: &Slice) -> Result<Effects, Refusal> {
        let own = self.memberships.get(account).into_iter().flatten();
        let own: BTreeSet<&ChannelName> = own.filter(|name| self.shelf.is_unlisted(name)).collect();
        let names = Merged { listed: self.shelf.listed(), own: own.into_iter().collect() };
        let position = |id: &str| {
            let localpart = id.split_once('@').map_or(id, |(localpart, _)| localpart);
            names.position(localpart)
        };
        let range = rsm::cut(slice, names.len(), CHANNELS_PAGE_MAX, position)?;
        let entries = names.page(range.clone());
        Ok(Effects::none(Answer::Channels(Page { entries, count: names.len(), index: range.start })))
    }
}

/// Two lists in the order of names, read as one: what everybody finds, which may be long, and one account's own.
struct Merged<'a> {
    listed: &'a [ChannelName],
    own: Vec<&'a ChannelName>,
}

impl Merged<'_> {
    fn len(&self) -> usize {
        self.listed.len() + self.own.len()
    }

    fn position(&self, name: &str) -> Option<usize> {
        let listed = self.listed.binary_search_by(|other| other.as_str().cmp(name));
        let own = self.own.binary_search_by(|other| other.as_str().cmp(name));
        (listed.is_ok() || own.is_ok()).then(|| listed.unwrap_or_else(|at| at) + own.unwrap_or_else(|at| at))
    }

    fn page(&self, range: Range<usize>) -> Vec<ChannelName> {
        let behind = |own: usize| own + self.listed.partition_point(|name| name < self.own[own]);
        let mut own = (0..self.own.len()).find(|&at| behind(at) >= range.start).unwrap_or(self.own.len());
        let mut listed = range.start - own;
        let next = range.map(|_| match (self.listed.get(listed), self.own.get(own)) {
            (Some(name), other) if other.is_none_or(|&other| name < other) => {
                listed += 1;
                Some(name.clone())
            }
            (_, other) => {
                own += 1;
                other.map(|&name| name.clone())
            }
        });
        next.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_of_two_lists_is_that_of_their_union() {
        let name = |n: usize| ChannelName::new(&format!("c{n:02}")).unwrap();
        for own in [vec![], vec![0], vec![3, 4], vec![0, 5, 11], (0..12).collect::<Vec<_>>()] {
            let listed: Vec<_> = (0..12).filter(|n| !own.contains(n)).map(name).collect();
            let own: Vec<_> = own.into_iter().map(name).collect();
            let merged = Merged { listed: &listed, own: own.iter().collect() };
            let all: Vec<_> = (0..12).map(name).collect();
            assert_eq!((merged.len(), merged.position("c"), merged.position("c99")), (12, None, None));
            for from in 0..12 {
                assert_eq!(merged.position(all[from].as_str()), Some(from));
                (from..=12).for_each(|to| assert_eq!(merged.page(from..to), all[from..to]));
            }
        }
    }
}
