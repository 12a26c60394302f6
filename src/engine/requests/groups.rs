//! Requests about all groups of the asker.

use super::super::outgoing::outbox::Lasting;
use super::super::{Engine, Turn};
use super::request::Effects;
use crate::channel::answer::Page;
use crate::channel::command::Slice;
use crate::channel::group::GroupLine;
use crate::channel::{Answer, Channel, ChannelName, Command, Member, Refusal, Stamp, Status};
use crate::store::Deed;
use crate::xep::{Shown, group_events};
use crate::xmpp::Tag;
use jid::BareJid;

impl Engine {
    /// The asker's groups, or those it shares with another account (groups.md §3.2).
    pub(in crate::engine) fn list_groups(
        &mut self,
        account: &BareJid,
        with: Option<&BareJid>,
        slice: &Slice,
        turn: &mut Turn,
    ) -> Result<Effects, Refusal> {
        let Page { entries, count, index } = self.channels.page_of_groups(account, with, slice)?;
        entries.iter().for_each(|name| self.catch_up(account, name, turn));
        let line = |name: &ChannelName| {
            // A join or leave in this turn moves the page, so the channel may not be in memory.
            let channel = self.channels.channel(name).ok_or(Refusal::Busy)?;
            let member = channel.member(account).ok_or(Refusal::Busy)?;
            Ok(line(channel, member))
        };
        let entries = entries.iter().map(line).collect::<Result<_, Refusal>>()?;
        Ok(Effects::none(Answer::Groups(Page { entries, count, index })))
    }

    /// Clears the asker's history in all of its groups, up to now.
    pub(in crate::engine) fn clear_all(&mut self, account: &BareJid) -> Result<Effects, Refusal> {
        self.may_set_off(account, Deed::Clear)?;
        Ok(Effects { set_off: Some(Deed::Clear), ..Effects::none(Answer::Done) })
    }

    /// Notifies the asker's other resources of a private change.
    pub(in crate::engine) fn own_event(
        &self,
        name: &ChannelName,
        command: &Command,
        stamp: Stamp,
    ) -> Option<(ChannelName, Tag)> {
        let Command::Group(command) = command else { return None };
        let channel = self.channels.channel(name)?;
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
        let id = self.fresh_id_of(self.channels.tag_of(name).unwrap_or_default());
        let from = self.service.address_of(name);
        let message = Tag::new("message").attr("from", from).attr("id", id).attr("type", "normal").child(event);
        let account = account.clone();
        let is_in = self.channels.channel(name).is_some_and(|channel| channel.participant(&account).is_some());
        // The address book has no resources of accounts without channels.
        let shown = if is_in { Shown::Tell { account, message } } else { Shown::Mail { account, message } };
        self.send_shown(shown, None, Lasting::Kept, turn);
    }
}

fn line(channel: &Channel, member: &Member) -> GroupLine {
    let mut group = channel.snapshot();
    // Where JIDs are hidden, the owner is not named.
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
