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
        let rights = Rights { owners: vec![profile.creator.clone()].into(), ..Rights::default() };
        let info = information::first(profile.listed.then(|| name.unescaped()).as_deref(), self.now);
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
            due: self.due,
            dice: &mut self.dice,
            limits: &self.service.limits,
            registry: &self.registry,
            operators: &self.service.operators,
            past: &Default::default(),
            facts: &BTreeMap::new(),
            gist_of: &|_| None,
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
        let own_max = self.service.limits.channels_per_creator_max;
        let is_operator = self.service.operators.contains(creator);
        if !is_operator && self.shelf.created_by(creator) >= own_max {
            return Err(Refusal::TooMany { what: "channels of one creator", max: own_max });
        }
        let for_all = !self.own.has_all(&self.service.creators);
        if !self.shelf.has_place_for(creator, for_all) {
            return Err(Refusal::TooMany { what: "channels", max: self.service.limits.channels_max });
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

    /// The channels that an account may find: those that it may join and that are listed, and those that it is in
    /// (XEP-0369 §6.2).
    pub(super) fn list_channels(&self, account: &BareJid, slice: &Slice) -> Result<Effects, Refusal> {
        let (also, hidden) = self.found_besides(account);
        let names = Found {
            listed: self.shelf.listed(),
            also: also.into_iter().collect(),
            hidden: hidden.into_iter().collect(),
        };
        let position = |id: &str| {
            let localpart = id.split_once('@').map_or(id, |(localpart, _)| localpart);
            names.position(localpart)
        };
        let range = rsm::cut(slice, names.len(), CHANNELS_PAGE_MAX, position)?;
        let entries = names.page(range.clone());
        Ok(Effects::none(Answer::Channels(Page { entries, count: names.len(), index: range.start })))
    }

    /// What an account finds besides the channels that everybody finds, and which of those it does not find.
    fn found_besides<'a>(&'a self, account: &BareJid) -> (BTreeSet<&'a ChannelName>, BTreeSet<&'a ChannelName>) {
        let own: BTreeSet<&ChannelName> = self.memberships.get(account).into_iter().flatten().collect();
        let standing = self.standings.get(account);
        let admitted = standing.into_iter().flat_map(|standing| &standing.admitted).map(|name| (name, true));
        let barred = standing.into_iter().flat_map(|standing| &standing.barred).map(|name| (name, false));
        let stored: BTreeMap<&ChannelName, bool> = admitted.chain(barred).collect();
        let (mut also, mut hidden) = (BTreeSet::new(), BTreeSet::new());
        for name in own.iter().copied().chain(stored.keys().copied()).chain(&self.relisted) {
            // Of a channel in memory the turn may know better than the store did.
            let is_found = own.contains(name)
                || match self.shelf.channel(name) {
                    Some(channel) => channel.is_found_by(account),
                    None => stored.get(name).is_some_and(|found| *found),
                };
            match is_found {
                true if self.shelf.is_unlisted(name) => drop(also.insert(name)),
                false if self.shelf.exists(name) && !self.shelf.is_unlisted(name) => drop(hidden.insert(name)),
                _ => {}
            }
        }
        (also, hidden)
    }
}

/// What one account finds, in the order of names: what everybody finds, which may be long, with what it finds besides, and
/// without what is hidden from it.
struct Found<'a> {
    listed: &'a [ChannelName],
    /// None of those that are listed.
    also: Vec<&'a ChannelName>,
    /// Some of those that are listed.
    hidden: Vec<&'a ChannelName>,
}

impl Found<'_> {
    fn len(&self) -> usize {
        self.listed.len() + self.also.len() - self.hidden.len()
    }

    /// How many come before a name.
    fn rank(&self, name: &str) -> usize {
        let before = |names: &[&ChannelName]| names.partition_point(|other| other.as_str() < name);
        let listed = self.listed.partition_point(|other| other.as_str() < name);
        listed + before(&self.also) - before(&self.hidden)
    }

    fn position(&self, name: &str) -> Option<usize> {
        let holds = |names: &[&ChannelName]| names.binary_search_by(|other| other.as_str().cmp(name)).is_ok();
        let is_listed = self.listed.binary_search_by(|other| other.as_str().cmp(name)).is_ok();
        let is_found = (is_listed && !holds(&self.hidden)) || holds(&self.also);
        is_found.then(|| self.rank(name))
    }

    fn page(&self, range: Range<usize>) -> Vec<ChannelName> {
        let is_before = |name: &ChannelName| self.rank(name.as_str()) < range.start;
        let listed = &self.listed[self.listed.partition_point(is_before)..];
        let also = &self.also[self.also.partition_point(|name| is_before(name))..];
        let mut listed = listed.iter().filter(|name| self.hidden.binary_search(name).is_err()).peekable();
        let mut also = also.iter().copied().peekable();
        let next = range.map(|_| match (listed.peek(), also.peek()) {
            (Some(name), other) if other.is_none_or(|other| name < other) => listed.next().cloned(),
            _ => also.next().cloned(),
        });
        next.flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_one_of_what_is_found() {
        let name = |n: usize| ChannelName::new(&format!("c{n:02}")).unwrap();
        let every: Vec<_> = (0..12).map(name).collect();
        for also in [vec![], vec![0], vec![3, 4], vec![0, 5, 11], (0..12).collect::<Vec<_>>()] {
            for hidden in [vec![], vec![0], vec![2, 5, 6], vec![1, 11], (0..12).collect::<Vec<_>>()] {
                let is_hidden = |n: &usize| hidden.contains(n) && !also.contains(n);
                let listed: Vec<_> = (0..12).filter(|n| !also.contains(n)).map(name).collect();
                let found = Found {
                    listed: &listed,
                    also: also.iter().map(|&n| &every[n]).collect(),
                    hidden: (0..12).filter(is_hidden).map(|n| &every[n]).collect(),
                };
                let all: Vec<_> = (0..12).filter(|n| !is_hidden(n)).map(name).collect();
                assert_eq!((found.len(), found.position("c"), found.position("c99")), (all.len(), None, None));
                for name in &every {
                    assert_eq!(found.position(name.as_str()), all.iter().position(|other| other == name));
                }
                for from in 0..all.len() {
                    (from..=all.len()).for_each(|to| assert_eq!(found.page(from..to), all[from..to]));
                }
            }
        }
    }
}
