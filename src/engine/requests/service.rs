//! Requests to the service: who may, creating channels, listing channels.

use super::super::{Engine, Turn};
use super::request::{Asked, Effects};
use crate::channel::answer::Page;
use crate::channel::census::FoundChannel;
use crate::channel::command::Slice;
use crate::channel::{
    Answer, Change, Channel, ChannelName, Command, GroupWish, Membership, Profile, Refusal, Rights, ServiceAction,
    ServiceCommand, group_create,
};
use crate::xep::information;
use jid::BareJid;
use rand::Rng;

/// The most channels on a page of a list.
const CHANNELS_PAGE_MAX: usize = 500;

impl Engine {
    /// The decision about a request to the service. `asked.channel` becomes the channel that it is about.
    pub(in crate::engine) fn decide_at_service(
        &mut self,
        asked: &mut Asked<'_>,
        command: ServiceCommand,
        turn: &mut Turn,
    ) -> Result<Effects, Refusal> {
        let account = &asked.actor.account;
        match command {
            ServiceCommand::Account(command) => self.decide_of_account(&asked.actor, command),
            ServiceCommand::Create { name } => self.create(asked, name),
            ServiceCommand::CreateGroup(wish) => self.create_group(asked, wish),
            ServiceCommand::Destroy { name } => {
                asked.channel = Some(name.clone());
                self.decide_in(&name, &asked.actor, Command::Destroy)
            }
            ServiceCommand::ListChannels(slice) => self.list_channels(account, &slice),
            ServiceCommand::Search(wish) => self.search(&asked.actor, wish),
            ServiceCommand::ListGroups { with, slice } => self.list_groups(account, with.as_ref(), &slice, turn),
            ServiceCommand::ClearAll => self.clear_all(account),
            ServiceCommand::RegisterNick { nick } => self.register_nick(asked, nick),
            ServiceCommand::UnregisterNick { nick } => self.unregister_nick(asked, nick.as_ref()),
            ServiceCommand::ReadRegisteredNick => {
                let nick = self.requests.registry.nick_of(account).cloned();
                Ok(Effects::none(Answer::Registered(nick)))
            }
            ServiceCommand::Prepare(action) => {
                self.require_at_service(&asked.actor, action).map(|()| Effects::none(Answer::Prepared))
            }
            ServiceCommand::AnnounceToAll(wanted) => self.announce_to_all(&asked.actor, wanted, turn),
            ServiceCommand::ListEveryChannel(slice) => self.list_every_channel(&asked.actor, &slice),
            ServiceCommand::CloseRooms => {
                self.require_at_service(&asked.actor, ServiceAction::Administer)?;
                self.occupants.close_all();
                Ok(Effects::none(Answer::Done))
            }
            ServiceCommand::TakeCensus => self.take_census(&asked.actor),
            ServiceCommand::Describe { node } => {
                let may_create = self.service.may_create(account);
                Ok(Effects::none(Answer::ServiceDescription { node, may_create }))
            }
            ServiceCommand::Ping => Ok(Effects::none(Answer::Pong)),
            ServiceCommand::Version => Ok(Effects::none(Answer::Version)),
        }
    }

    /// Creates a channel. An empty channel is in memory at once, for the rest of the turn.
    pub(in crate::engine) fn create(
        &mut self,
        asked: &mut Asked<'_>,
        wanted: Option<ChannelName>,
    ) -> Result<Effects, Refusal> {
        let (name, profile) = self.found(&asked.actor.account, wanted)?;
        let settings = self.service.limits.plain_settings();
        let rights = Rights { owners: vec![profile.creator.clone()].into(), ..Rights::default() };
        let info = information::first(profile.listed.then(|| name.unescaped()).as_deref(), self.now);
        let created = Change::Created { profile, settings, rights, info };
        self.put_created(&name, &created);
        asked.channel = Some(name.clone());
        Ok(Effects { changes: vec![(name.clone(), created)], ..Effects::none(Answer::Created { name }) })
    }

    /// Creates a group with its members, all or nothing (groups.md §3.1).
    pub(in crate::engine) fn create_group(
        &mut self,
        asked: &mut Asked<'_>,
        wish: GroupWish,
    ) -> Result<Effects, Refusal> {
        let (name, mut profile) = self.found(&asked.actor.account, wish.name.clone())?;
        let plan = self.in_context(profile.tag, |_, context| group_create::plan(&wish, &asked.actor, context))?;
        // Only members may know of a group (groups.md §1 rule 11), unless its membership is open.
        profile.listed = plan.settings.membership == Membership::Open;
        let info = information::first(Some(&plan.subject), self.now);
        let created = Change::Created { profile, settings: plan.settings, rights: plan.rights, info };
        self.put_created(&name, &created);
        asked.channel = Some(name.clone());
        let changes = std::iter::once(created).chain(plan.changes).map(|change| (name.clone(), change)).collect();
        Ok(Effects { changes, ..Effects::none(Answer::GroupCreated { name, members: plan.members }) })
    }

    /// Checks the name and the bounds, and prepares the profile of a new channel.
    pub(in crate::engine) fn found(
        &mut self,
        creator: &BareJid,
        wanted: Option<ChannelName>,
    ) -> Result<(ChannelName, Profile), Refusal> {
        if !self.service.may_create(creator) {
            return Err(ServiceAction::Create.refusal());
        }
        let is_taken = |name: &ChannelName| {
            self.channels.exists(name) || self.channels.is_cold(name) || self.is_held_from(name, creator)
        };
        if wanted.as_ref().is_some_and(is_taken) {
            return Err(Refusal::NameTaken);
        }
        let own_max = self.service.limits.channels_per_creator_max;
        let is_operator = self.service.operators.contains(creator);
        if !is_operator && self.channels.shelf().created_by(creator) >= own_max {
            return Err(Refusal::TooMany { what: "channels of one creator", max: own_max });
        }
        let for_all = !self.own.has_all(&self.service.creators);
        if !self.channels.has_place_for(creator, for_all) {
            return Err(Refusal::TooMany { what: "channels", max: self.service.limits.channels_max });
        }
        let listed = wanted.is_some();
        let name = wanted.unwrap_or_else(|| ChannelName::random(&mut self.dice));
        let tag = self.dice.random();
        let used_up = Refusal::TooMany { what: "channels ever created", max: u32::MAX as usize };
        let gid = self.channels.shelf().next_gid().ok_or(used_up)?;
        Ok((name, Profile { tag, created: self.now, creator: creator.clone(), gid, listed }))
    }

    pub(in crate::engine) fn put_created(&mut self, name: &ChannelName, created: &Change) {
        if let Change::Created { profile, settings, rights, info } = created.clone() {
            self.channels.add(Channel::create(name.clone(), profile, settings, rights, info));
        }
    }

    /// XEP-0369 §6.2: the channels that an account may find. These are the listed ones that it may join, and those it
    /// is in.
    pub(in crate::engine) fn list_channels(&mut self, account: &BareJid, slice: &Slice) -> Result<Effects, Refusal> {
        let found = self.channels.found_by(account);
        let localpart = |id: &str| id.split_once('@').map_or(id, |(localpart, _)| localpart).to_owned();
        let slice = Slice {
            max: slice.max,
            after: slice.after.as_deref().map(localpart),
            before: slice.before.as_deref().map(localpart),
        };
        let range = slice.cut(found.len(), CHANNELS_PAGE_MAX, |name| found.position(name))?;
        let (names, count) = (found.page(&slice, range.len()), found.len());
        let shelf = self.channels.shelf();
        let entries = names.into_iter().map(|name| FoundChannel { title: shelf.title_of(&name), name }).collect();
        Ok(Effects::none(Answer::Channels(Page { entries, count, index: range.start })))
    }
}
