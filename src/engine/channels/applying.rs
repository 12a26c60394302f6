//! Applies a change to memory: to the channel, to the lists of its people's channels, and to what was read for the
//! turn.

use super::Channels;
use super::places::{IN, Marks, mark_of};
use super::sheets::concerns_sheet;
use crate::channel::{Change, ChannelName, Guest, Member, Stamp};
use jid::BareJid;

impl Channels {
    /// Applies a change to a channel in memory, which has this tag.
    pub(in crate::engine) fn apply(&mut self, name: &ChannelName, tag: u64, change: &Change, due: Stamp) {
        if let Some(member) = change.member() {
            self.note_membership(name, member);
        }
        if let Change::GuestSet { guest, .. } = change {
            self.note_visit(name, guest);
        }
        self.shelf.change(name, |channel| channel.apply(change));
        if concerns_sheet(change) {
            self.shelf.publish(name);
        }
        if change.member().is_some() {
            self.shelf.note_crowd(tag);
        }
        self.brought.note_change(tag, change);
        self.note_lists(name, change);
        if let Change::Struck(member) | Change::Faded(member) = change {
            self.note_struck(name, member);
        }
        if let Change::Faded(member) = change {
            self.brought.note_past(tag, member);
        }
        if change.member().is_some() {
            self.note_deserted(name, due);
        }
    }

    /// Updates the lists of an account's channels that are in memory.
    fn note_membership(&mut self, name: &ChannelName, member: &Member) {
        let is_guest = || self.shelf.channel(name).is_some_and(|channel| channel.guest(&member.jid).is_some());
        self.note_place(name, &member.jid, member.is_joined() || is_guest());
        let marks = if member.own.forgotten { 0 } else { mark_of(member.status) };
        self.note_group(name, &member.jid, marks);
    }

    fn note_place(&mut self, name: &ChannelName, account: &BareJid, is_in: bool) {
        // Whether its domain finds the channel too (`BESIDES`) is marked at the end of the turn.
        let marks = if is_in { IN } else { 0 };
        self.memberships.note(account, name, marks);
        self.lately.note_joined(account, name, marks);
        if is_in && self.memberships.knows(account) {
            self.brought.relisted.insert(name.clone());
        }
    }

    fn note_group(&mut self, name: &ChannelName, account: &BareJid, marks: Marks) {
        self.groups.note(account, name, marks);
        self.lately.note_group(account, name, marks);
    }

    /// Updates the lists for a guest.
    fn note_visit(&mut self, name: &ChannelName, guest: &Guest) {
        self.note_place(name, &guest.jid, !guest.subscriptions.is_empty());
    }

    /// Updates the lists for a removed record, unless the account has a newer one.
    fn note_struck(&mut self, name: &ChannelName, member: &Member) {
        let is_known = self.shelf.channel(name).is_some_and(|channel| channel.member(&member.jid).is_some());
        if !is_known {
            self.note_group(name, &member.jid, 0);
        }
    }

    /// Notes a channel whose allowed or banned lists, or settings, this turn changed: what was loaded about it is
    /// outdated.
    fn note_lists(&mut self, name: &ChannelName, change: &Change) {
        if change.is_of_rules() || matches!(change, Change::Created { .. } | Change::Destroyed(_)) {
            self.brought.relisted.insert(name.clone());
        }
        if change.is_end() {
            // A later channel of this name has other people.
            self.memberships.strike(name);
            self.groups.strike(name);
            self.lately.strike(name);
        }
    }
}
