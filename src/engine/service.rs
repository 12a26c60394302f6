//! What is asked of the service as a whole: creating channels and listing them.

use super::Engine;
use super::parley::{Asked, Effects};
use crate::channel::command::{Page, Slice};
use crate::channel::{Answer, Change, Channel, ChannelName, Profile, Refusal, Rights};
use crate::xep::{pubsub, rsm};
use jid::BareJid;
use rand::Rng;
use std::collections::BTreeSet;

/// Channels on one page of a list, at most.
const CHANNELS_PAGE_MAX: usize = 500;

impl Engine {
    /// Creates a channel; an empty one is in memory at once, so that what follows in the turn finds it.
    pub(super) fn create(&mut self, asked: &mut Asked<'_>, wanted: Option<ChannelName>) -> Result<Effects, Refusal> {
        let creator = asked.actor.account.clone();
        if !self.service.may_create(&creator) {
            return Err(Refusal::NotAllowed("you may not create channels here"));
        }
        if wanted.as_ref().is_some_and(|name| self.shelf.exists(name) || self.shelf.is_cold(name)) {
            return Err(Refusal::NameTaken);
        }
        if self.shelf.count() >= self.service.limits.channels_max {
            return Err(Refusal::TooMany { what: "channels", max: self.service.limits.channels_max });
        }
        let named = wanted.is_some();
        let name = wanted.unwrap_or_else(|| ChannelName::random(&mut self.dice));
        let profile = Profile {
            tag: self.dice.random(),
            created: self.now,
            creator: creator.clone(),
            gid: self.shelf.next_gid(),
            listed: named,
        };
        let settings = self.service.limits.plain_settings();
        let rights = Rights { owners: vec![creator], admins: Vec::new() };
        let info = pubsub::first_info(named.then_some(name.as_str()), self.now);
        self.shelf.put(Channel::create(name.clone(), profile.clone(), settings.clone(), rights.clone(), info.clone()));
        asked.channel = Some(name.clone());
        Ok(Effects {
            changes: vec![(name.clone(), Change::Created { profile, settings, rights, info })],
            answer: Answer::Created { name },
            own: None,
        })
    }

    /// The channels that an account may find: those that are listed, and those that it is in (XEP-0369 §6.2).
    pub(super) fn list_channels(&self, account: &BareJid, slice: &Slice) -> Result<Effects, Refusal> {
        let mut names: BTreeSet<&ChannelName> = self.shelf.listed().collect();
        names.extend(self.memberships.get(account).into_iter().flatten().filter(|name| self.shelf.exists(name)));
        let names: Vec<&ChannelName> = names.into_iter().collect();
        let position = |id: &str| {
            let localpart = id.split_once('@').map_or(id, |(localpart, _)| localpart);
            names.binary_search_by(|name| name.as_str().cmp(localpart)).ok()
        };
        let range = rsm::cut(slice, names.len(), CHANNELS_PAGE_MAX, position)?;
        let entries = names[range.clone()].iter().map(|&name| name.clone()).collect();
        Ok(Effects::none(Answer::Channels(Page { entries, count: names.len(), index: range.start })))
    }
}
