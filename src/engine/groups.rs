//! What is asked of all one's groups at once, and the end of groups that nobody is in.

use super::outbox::Lasting;
use super::parley::{Asked, Effects};
use super::{Engine, Needs, Turn};
use crate::channel::command::{Page, Slice};
use crate::channel::group::{GroupCommand, GroupLine};
use crate::channel::{Answer, Change, Channel, ChannelName, Command, Guest, Member, Refusal, Stamp, Status};
use crate::xep::{Shown, group_events, rsm};
use crate::xmpp::Tag;
use jid::BareJid;
use std::collections::BTreeMap;
use std::ops::Range;

/// Groups on one page of a list, at most.
const GROUPS_PAGE_MAX: usize = 100;
/// Groups that are cleared by one request, at most.
const CLEARED_MAX: usize = 1000;
/// Deserted groups that are destroyed in one turn, at most.
const DESTROYED_MAX: usize = 16;
/// Channels that are looked at a tick, after a start, for whether anybody is in them.
const LOOKED_AT: usize = 4;

/// Groups that nobody is in. Those that were deserted before the start are found by one slow walk over all channels.
#[derive(Debug, Default)]
pub(super) struct Deserted {
    since: BTreeMap<ChannelName, Stamp>,
    /// How far the walk came; `None` where it is over.
    walk: Walk,
}

#[derive(Debug, Default)]
enum Walk {
    #[default]
    Begins,
    Behind(ChannelName),
    Over,
}

impl Engine {
    /// The names on a page of somebody's groups, in order, and the place of the page in the whole list.
    fn page_of_groups(
        &self,
        account: &BareJid,
        with: Option<&BareJid>,
        slice: &Slice,
    ) -> Result<(Vec<&ChannelName>, Range<usize>), Refusal> {
        let is_in = |status: &Status| *status != Status::Left;
        let shared = |name: &ChannelName, status: &Status| {
            let Some(with) = with else { return true };
            // Where JIDs are hidden, that somebody is there is not to be learned by its JID (XEP-0404 §2.2).
            let tells = with == account || self.shelf.shows_jids(name);
            tells && is_in(status) && self.groups.get(with).and_then(|theirs| theirs.get(name)).is_some_and(is_in)
        };
        let own = self.groups.get(account).into_iter().flatten();
        let names = own.filter(|(name, status)| self.shelf.exists(name) && shared(name, status));
        let names: Vec<&ChannelName> = names.map(|(name, _)| name).collect();
        let position = |id: &str| {
            let localpart = id.split_once('@').map_or(id, |(localpart, _)| localpart);
            names.binary_search_by(|name| name.as_str().cmp(localpart)).ok()
        };
        let range = rsm::cut(slice, names.len(), GROUPS_PAGE_MAX, position)?;
        Ok((names, range))
    }

    /// One's groups, or those in common with somebody (groups.md §3.2).
    pub(super) fn list_groups(
        &self,
        account: &BareJid,
        with: Option<&BareJid>,
        slice: &Slice,
    ) -> Result<Effects, Refusal> {
        let (names, range) = self.page_of_groups(account, with, slice)?;
        let line = |name: &ChannelName| {
            // What joined or left within this turn moves the page; the rest of it may not be in memory.
            let channel = self.shelf.channel(name).ok_or(Refusal::Busy)?;
            let member = channel.member(account).ok_or(Refusal::Busy)?;
            Ok(line(channel, member))
        };
        let entries = names[range.clone()].iter().map(|name| line(name)).collect::<Result<_, Refusal>>()?;
        Ok(Effects::none(Answer::Groups(Page { entries, count: names.len(), index: range.start })))
    }

    /// Clears the history of all one's groups for oneself; one that refuses is passed over.
    pub(super) fn clear_all(&mut self, asked: &Asked<'_>) -> Result<Effects, Refusal> {
        let names: Vec<ChannelName> =
            self.groups.get(&asked.actor.account).into_iter().flatten().map(|(name, _)| name.clone()).collect();
        if names.len() > CLEARED_MAX {
            return Err(Refusal::TooMany { what: "groups to clear at once", max: CLEARED_MAX });
        }
        let mut all = Effects::none(Answer::Done);
        for name in names {
            let command = Command::Group(GroupCommand::Clear { up_to: None });
            let own = self.own_event(&name, &command);
            if let Ok(effects) = self.decide_in(&name, &asked.actor, command)
                && !effects.changes.is_empty()
            {
                all.changes.extend(effects.changes);
                all.own.extend(own);
            }
        }
        Ok(all)
    }

    /// What the asker's other devices are told of a command that settles something for itself alone.
    pub(super) fn own_event(&self, name: &ChannelName, command: &Command) -> Option<(ChannelName, Tag)> {
        let Command::Group(command) = command else { return None };
        let channel = self.shelf.channel(name)?;
        let tag = channel.profile().tag;
        let seal = |row| self.service.sealer.seal(tag, row);
        Some((name.clone(), group_events::own(command, seal, channel.newest(), self.now)?))
    }

    pub(super) fn tell_own_devices(&mut self, account: &BareJid, name: &ChannelName, event: Tag, turn: &mut Turn) {
        let id = self.fresh_id_of(self.shelf.tag_of(name).unwrap_or_default());
        let from = self.service.address_of(name);
        let message = Tag::new("message").attr("from", from).attr("id", id).attr("type", "normal").child(event);
        let account = account.clone();
        let is_in = self.shelf.channel(name).is_some_and(|channel| channel.participant(&account).is_some());
        // Of those who are in no channel, no addresses are kept.
        let shown = if is_in { Shown::Tell { account, message } } else { Shown::Mail { account, message } };
        self.send_shown(shown, 0, Lasting::Kept, turn);
    }

    pub(super) fn need_groups(&self, account: &BareJid, with: Option<&BareJid>, slice: &Slice, needs: &mut Needs) {
        for account in [Some(account), with].into_iter().flatten() {
            if !self.groups.contains_key(account) && !needs.groups.contains(account) {
                needs.groups.push(account.clone());
            }
        }
        if let Ok((names, range)) = self.page_of_groups(account, with, slice) {
            names[range].iter().for_each(|name| self.need_channel(name, needs));
        }
    }

    pub(super) fn need_all_groups(&self, account: &BareJid, needs: &mut Needs) {
        match self.groups.get(account) {
            Some(groups) if groups.len() <= CLEARED_MAX => {
                groups.keys().for_each(|name| self.need_channel(name, needs));
            }
            Some(_) => {}
            None if needs.groups.contains(account) => {}
            None => needs.groups.push(account.clone()),
        }
    }

    /// What was loaded of people's channels for this turn goes on with the turn.
    pub(super) fn note_membership(&mut self, name: &ChannelName, member: &Member) {
        if let Some(channels) = self.memberships.get_mut(&member.jid) {
            channels.retain(|other| other != name);
            channels.extend(member.is_joined().then(|| name.clone()));
        }
        if let Some(groups) = self.groups.get_mut(&member.jid) {
            groups.remove(name);
            if !member.own.forgotten {
                groups.insert(name.clone(), member.status);
            }
        }
    }

    /// The same of guests.
    pub(super) fn note_visit(&mut self, name: &ChannelName, guest: &Guest) {
        if let Some(channels) = self.memberships.get_mut(&guest.jid) {
            channels.retain(|other| other != name);
            channels.extend((!guest.subscriptions.is_empty()).then(|| name.clone()));
        }
    }

    /// Learns that a record is gone; a later one of the same account stays.
    pub(super) fn note_struck(&mut self, name: &ChannelName, member: &Member) {
        let is_known = self.shelf.channel(name).is_some_and(|channel| channel.member(&member.jid).is_some());
        if let Some(groups) = self.groups.get_mut(&member.jid).filter(|_| !is_known) {
            groups.remove(name);
        }
    }

    /// Learns whether anybody is in a group.
    pub(super) fn note_deserted(&mut self, name: &ChannelName) {
        match self.shelf.channel(name).and_then(Channel::deserted_since) {
            // By a clock that was ahead it may have been after this.
            Some(since) => drop(self.deserted.since.insert(name.clone(), since.min(self.due))),
            None => drop(self.deserted.since.remove(name)),
        }
    }

    pub(super) fn need_of_deserted(&self, needs: &mut Needs) {
        self.due().iter().for_each(|name| self.need_in_time(name, needs));
        self.next_to_look_at().iter().for_each(|name| self.need_in_time(name, needs));
    }

    fn next_to_look_at(&self) -> Vec<ChannelName> {
        match &self.deserted.walk {
            Walk::Begins => self.shelf.names_behind(None, LOOKED_AT),
            Walk::Behind(name) => self.shelf.names_behind(Some(name), LOOKED_AT),
            Walk::Over => Vec::new(),
        }
    }

    /// Some of the groups that nobody was in for long enough.
    fn due(&self) -> Vec<ChannelName> {
        let patience_ms = self.service.limits.groups.deserted_s.saturating_mul(1000);
        let is_due = |since: &Stamp| self.due.0.saturating_sub(since.0) >= patience_ms;
        let due = self.deserted.since.iter().filter(|(_, since)| is_due(since)).map(|(name, _)| name.clone());
        due.take(DESTROYED_MAX).collect()
    }

    /// Destroys groups that nobody was in for long enough (groups.md §1 rule 2), some a tick.
    pub(super) fn destroy_deserted(&mut self, turn: &mut Turn) {
        let looked_at = self.next_to_look_at();
        self.deserted.walk = looked_at.last().map_or(Walk::Over, |last| Walk::Behind(last.clone()));
        looked_at.iter().for_each(|name| self.note_deserted(name));
        for name in self.due() {
            if self.shelf.is_cold(&name) {
                continue;
            }
            let is_deserted = self.shelf.channel(&name).is_some_and(|channel| channel.deserted_since().is_some());
            self.deserted.since.remove(&name);
            if is_deserted {
                self.carry_on(vec![(name, Change::Destroyed)], turn);
            }
        }
    }
}

fn line(channel: &Channel, member: &Member) -> GroupLine {
    let mut group = channel.snapshot(false);
    // Nor is anybody else named.
    group.owner = group.owner.filter(|owner| *owner == member.jid || channel.unveils_to(&member.jid));
    let (newest, stamp) = (channel.newest(), channel.head().stamp);
    let (last_row, last_activity) = match member.status {
        Status::Joined => ((newest > 0).then_some(newest), (newest > 0).then_some(stamp)),
        Status::Waiting => (None, None),
        Status::Left => {
            let last = member.windows.last().and_then(|&(_, last)| last);
            (last.filter(|&last| last > channel.base().row), Some(member.since))
        }
    };
    GroupLine {
        group,
        standing: channel.standing_of(&member.jid),
        status: member.status,
        unread: channel.unread_of(member),
        last_row,
        last_activity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Inbound, Settings, fixture};
    use crate::store::{Directory, Listing};

    #[test]
    fn deserted_groups_are_loaded_once_it_is_time_and_not_before() {
        let settings = Settings { creators: Vec::new(), ..fixture::settings() };
        let name = |n: usize| ChannelName::new(&format!("c{n:02}")).unwrap();
        let creator = BareJid::new("a@h").unwrap();
        let listing = |n: usize| {
            let (tag, gid, creator) = (n as u64, n as u32, creator.clone());
            Listing { name: name(n), tag, gid, listed: false, shows_jids: true, end_of_life: None, creator }
        };
        let patience_ms = settings.limits.groups.deserted_s * 1000;
        let directory = Directory { listings: (0..40).map(listing).collect(), gid_highest: 40, ..Directory::default() };
        let mut engine = Engine::new(settings, [7; 16], [7; 32], directory, Vec::new());
        engine.deserted.walk = Walk::Over;
        engine.due = Stamp(patience_ms + 1000);
        // Those that come first in the order of names have time yet.
        engine.deserted.since = (0..40).map(|n| (name(n), Stamp(if n < 39 { 5000 } else { 1000 }))).collect();
        assert_eq!(engine.needs(&[Inbound::Tick]).channels, [name(39)]);
    }
}
