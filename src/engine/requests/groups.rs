//! What is asked of all one's groups at once, and the end of groups that nobody is in.

use super::super::channels::chores::Chores;
use super::super::channels::places::{ANY, IN, Marks, WAITS, mark_of};
use super::super::outgoing::outbox::Lasting;
use super::super::{Engine, Needs, Turn};
use super::request::Effects;
use crate::channel::answer::Page;
use crate::channel::command::Slice;
use crate::channel::group::GroupLine;
use crate::channel::roll::Roll;
use crate::channel::{Answer, Change, Channel, ChannelName, Command, Guest, Member, Refusal, Stamp, Status};
use crate::store::Deed;
use crate::xep::{Shown, group_events};
use crate::xmpp::Tag;
use jid::BareJid;

/// Groups on one page of a list, at most.
const GROUPS_PAGE_MAX: usize = 100;

impl Engine {
    /// A page of somebody's groups, or of those in common with somebody.
    fn page_of_groups(
        &self,
        account: &BareJid,
        with: Option<&BareJid>,
        slice: &Slice,
    ) -> Result<Page<ChannelName>, Refusal> {
        let none = Roll::default();
        let own = self.channels.groups.of(account).unwrap_or(&none);
        let (shared, wanted) = match with {
            None => (own, ANY),
            Some(with) => (&self.shared_groups(account, own, with), IN | WAITS),
        };
        let position = |id: &str| {
            let localpart = id.split_once('@').map_or(id, |(localpart, _)| localpart);
            shared.position(wanted, |name| name.as_str().cmp(localpart))
        };
        let count = shared.count(wanted);
        let range = slice.cut(count, GROUPS_PAGE_MAX, position)?;
        let names = shared.rising(wanted, range.start).take(range.len());
        Ok(Page {
            entries: names.filter(|name| self.channels.shelf.exists(name)).cloned().collect(),
            count,
            index: range.start,
        })
    }

    /// The groups that both are in or wait for: those of whoever has fewer are looked up at the other one.
    fn shared_groups(&self, account: &BareJid, own: &Roll<ChannelName>, with: &BareJid) -> Roll<ChannelName> {
        let Some(theirs) = self.channels.groups.of(with) else { return Roll::default() };
        let (fewer, more) = if own.len() <= theirs.len() { (own, theirs) } else { (theirs, own) };
        let shared = fewer.rising(IN | WAITS, 0).filter(|name| more.marks(name) & (IN | WAITS) != 0);
        // Where JIDs are hidden, that somebody is there is not to be learned by its JID (XEP-0404 §2.2).
        let told = shared.filter(|name| with == account || self.channels.shelf.shows_jids(name));
        told.filter(|name| self.channels.shelf.exists(name)).cloned().collect()
    }

    /// One's groups, or those in common with somebody (groups.md §3.2).
    pub(in crate::engine) fn list_groups(
        &mut self,
        account: &BareJid,
        with: Option<&BareJid>,
        slice: &Slice,
        turn: &mut Turn,
    ) -> Result<Effects, Refusal> {
        let Page { entries, count, index } = self.page_of_groups(account, with, slice)?;
        entries.iter().for_each(|name| self.catch_up(account, name, turn));
        let line = |name: &ChannelName| {
            // What joined or left within this turn moves the page; the rest of it may not be in memory.
            let channel = self.channels.shelf.channel(name).ok_or(Refusal::Busy)?;
            let member = channel.member(account).ok_or(Refusal::Busy)?;
            Ok(line(channel, member))
        };
        let entries = entries.iter().map(line).collect::<Result<_, Refusal>>()?;
        Ok(Effects::none(Answer::Groups(Page { entries, count, index })))
    }

    /// Clears the history of all one's groups for oneself, up to now.
    pub(in crate::engine) fn clear_all(&mut self, account: &BareJid) -> Result<Effects, Refusal> {
        self.may_set_off(account, Deed::Clear)?;
        Ok(Effects { set_off: Some(Deed::Clear), ..Effects::none(Answer::Done) })
    }

    /// What the asker's other devices are told of a command that settles something for itself alone.
    pub(in crate::engine) fn own_event(
        &self,
        name: &ChannelName,
        command: &Command,
        stamp: Stamp,
    ) -> Option<(ChannelName, Tag)> {
        let Command::Group(command) = command else { return None };
        let channel = self.channels.shelf.channel(name)?;
        let tag = channel.profile().tag;
        let seal = |row| self.service.sealer.seal(tag, row);
        Some((name.clone(), group_events::own(command, seal, channel.newest(), stamp)?))
    }

    pub(in crate::engine) fn tell_own_devices(
        &mut self,
        account: &BareJid,
        name: &ChannelName,
        event: Tag,
        turn: &mut Turn,
    ) {
        let id = self.fresh_id_of(self.channels.shelf.tag_of(name).unwrap_or_default());
        let from = self.service.address_of(name);
        let message = Tag::new("message").attr("from", from).attr("id", id).attr("type", "normal").child(event);
        let account = account.clone();
        let is_in = self.channels.shelf.channel(name).is_some_and(|channel| channel.participant(&account).is_some());
        // Of those who are in no channel, no addresses are kept.
        let shown = if is_in { Shown::Tell { account, message } } else { Shown::Mail { account, message } };
        self.send_shown(shown, None, Lasting::Kept, turn);
    }

    pub(in crate::engine) fn need_groups(
        &self,
        account: &BareJid,
        with: Option<&BareJid>,
        slice: &Slice,
        needs: &mut Needs,
    ) {
        for account in [Some(account), with].into_iter().flatten() {
            if !self.channels.groups.knows(account) || (needs.with_warm && !self.channels.groups.stays(account)) {
                needs.groups.insert(account.clone());
            }
        }
        if let Ok(page) = self.page_of_groups(account, with, slice) {
            for name in &page.entries {
                self.need_channel(name, needs);
                self.need_heads(account, name, needs);
            }
        }
    }

    /// What was loaded of people's channels for this turn goes on with the turn.
    pub(in crate::engine) fn note_membership(&mut self, name: &ChannelName, member: &Member) {
        let is_guest = || self.channels.shelf.channel(name).is_some_and(|channel| channel.guest(&member.jid).is_some());
        self.note_place(name, &member.jid, member.is_joined() || is_guest());
        let marks = if member.own.forgotten { 0 } else { mark_of(member.status) };
        self.note_group(name, &member.jid, marks);
    }

    fn note_place(&mut self, name: &ChannelName, account: &BareJid, is_in: bool) {
        // Whether its domain finds it as well is settled with the turn.
        let marks = if is_in { IN } else { 0 };
        self.channels.memberships.note(account, name, marks);
        self.channels.lately.note_joined(account, name, marks);
        if is_in && self.channels.memberships.knows(account) {
            self.channels.relisted.insert(name.clone());
        }
    }

    fn note_group(&mut self, name: &ChannelName, account: &BareJid, marks: Marks) {
        self.channels.groups.note(account, name, marks);
        self.channels.lately.note_group(account, name, marks);
    }

    /// The same of guests.
    pub(in crate::engine) fn note_visit(&mut self, name: &ChannelName, guest: &Guest) {
        self.note_place(name, &guest.jid, !guest.subscriptions.is_empty());
    }

    /// Learns that a record is gone; a later one of the same account stays.
    pub(in crate::engine) fn note_struck(&mut self, name: &ChannelName, member: &Member) {
        let is_known = self.channels.shelf.channel(name).is_some_and(|channel| channel.member(&member.jid).is_some());
        if !is_known {
            self.note_group(name, &member.jid, 0);
        }
    }

    /// Learns whether anybody is in a group.
    pub(in crate::engine) fn note_deserted(&mut self, name: &ChannelName) {
        match self.channels.shelf.channel(name).and_then(Channel::deserted_since) {
            // By a clock that was ahead it may have been after this.
            Some(since) => drop(self.channels.chores.deserted_since.insert(name.clone(), since.min(self.due))),
            None => drop(self.channels.chores.deserted_since.remove(name)),
        }
    }

    /// Groups that were deserted before the start are found by one slow walk over all channels.
    pub(in crate::engine) fn next_to_look_at(&mut self) -> Vec<ChannelName> {
        self.channels.chores.looking.step(|behind, count| self.channels.shelf.names_behind(behind, count))
    }

    pub(in crate::engine) fn look_at(&mut self, name: &ChannelName, _: &mut Turn) {
        if self.channels.chores.looking.done(name) {
            self.note_deserted(name);
        }
    }

    pub(in crate::engine) fn pass_looking(&mut self, name: &ChannelName) {
        self.channels.chores.looking.done(name);
    }

    /// Groups that nobody was in for long enough, some of them.
    pub(in crate::engine) fn next_deserted(&mut self) -> Vec<ChannelName> {
        let patience_ms = self.service.limits.groups.deserted_s.saturating_mul(1000);
        let is_due = |since: &Stamp| self.due.0.saturating_sub(since.0) >= patience_ms;
        let Chores { deserted, deserted_since, .. } = &mut self.channels.chores;
        deserted.step(|_, count| {
            let due = deserted_since.iter().filter(|(_, since)| is_due(since)).map(|(name, _)| name.clone());
            due.take(count).collect()
        })
    }

    /// Destroys a group that nobody was in for long enough (groups.md §1 rule 2).
    pub(in crate::engine) fn destroy_deserted(&mut self, name: &ChannelName, turn: &mut Turn) {
        if !self.channels.chores.deserted.done(name) {
            return;
        }
        let is_deserted = self.channels.shelf.channel(name).is_some_and(|channel| channel.deserted_since().is_some());
        self.channels.chores.deserted_since.remove(name);
        if is_deserted {
            self.carry_on(vec![(name.clone(), Change::Destroyed)], turn);
        }
    }

    pub(in crate::engine) fn pass_deserted(&mut self, name: &ChannelName) {
        self.channels.chores.deserted.done(name);
        self.channels.chores.deserted_since.remove(name);
    }
}

fn line(channel: &Channel, member: &Member) -> GroupLine {
    let mut group = channel.snapshot();
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
    use crate::engine::{ServiceSettings, fixture};
    use crate::store::{Directory, Listing};

    #[test]
    fn deserted_groups_go_once_it_is_time_and_not_before() {
        let settings = ServiceSettings { creators: Vec::new(), ..fixture::settings() };
        let name = |n: usize| ChannelName::new(&format!("c{n:02}")).unwrap();
        let creator = BareJid::new("a@h").unwrap();
        let listing = |n: usize| {
            let (tag, gid, creator) = (n as u64, n as u32, creator.clone());
            Listing { name: name(n), tag, gid, listed: false, shows_jids: true, end_of_life: None, creator }
        };
        let patience_ms = settings.limits.groups.deserted_s * 1000;
        let directory = Directory { listings: (0..40).map(listing).collect(), gid_highest: 40, ..Directory::default() };
        let mut engine = Engine::new(settings, [7; 16], [7; 32], directory, Vec::new());
        engine.due = Stamp(patience_ms + 1000);
        // Those that come first in the order of names have time yet.
        engine.channels.chores.deserted_since =
            (0..40).map(|n| (name(n), Stamp(if n < 39 { 5000 } else { 1000 }))).collect();
        assert_eq!(engine.next_deserted(), [name(39)]);
    }
}
