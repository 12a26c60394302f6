//! Shows changes to those they concern: extensions render the stanzas, and this module addresses them.

#![deny(clippy::wildcard_enum_match_arm)]

use super::super::requests::request::Asked;
use super::super::{Engine, Turn};
use super::outbox::{Audience, Lasting, ListId};
use super::unsent::{Traffic, halves, mail_all, told, unsent};
use crate::channel::group::Notice;
use crate::channel::{Change, ChannelName, Member, NodeSet, Progress, Status};
use crate::store::Record;
use crate::xep::muc::message;
use crate::xep::{Render, Shown, faces, group_events};
use jid::BareJid;

/// The result of applying a change.
pub(in crate::engine) struct Done {
    /// The channel's tag.
    pub tag: u64,
    /// The previous status of the member that it concerns.
    pub before: Option<Status>,
    /// Its record before.
    pub was: Option<Member>,
    /// The nodes that there are no longer, where it is one of settings.
    pub nodes_gone: NodeSet,
}

/// A change to be shown.
pub(in crate::engine) struct Rendered<'a> {
    pub name: &'a ChannelName,
    pub change: &'a Change,
    pub before: Option<Status>,
    pub nodes_gone: NodeSet,
    pub actor: Option<&'a BareJid>,
    pub beside: &'a [(ChannelName, Change)],
}

impl Engine {
    /// Applies and shows changes that nobody requested.
    pub(in crate::engine) fn carry_on(&mut self, changes: Vec<(ChannelName, Change)>, turn: &mut Turn) {
        self.apply_and_show(None, changes, turn);
    }

    /// Applies changes one by one, and shows each to those who are subscribed right after it: a member that one adds
    /// sees the next ones, a member that one removes does not.
    pub(in crate::engine) fn apply_and_show(
        &mut self,
        actor: Option<&BareJid>,
        changes: Vec<(ChannelName, Change)>,
        turn: &mut Turn,
    ) {
        let mut all = Vec::with_capacity(changes.len());
        // What follows from the changes is paid for by the same actor.
        let payer = actor.map(|actor| turn.payer.replace(actor.clone()));
        // How an extension shows a change may depend on the channel's other changes.
        for beside in changes.chunk_by(|a, b| a.0 == b.0) {
            let of = &beside[0].0;
            let (standings, told) = (self.room_standings(of, beside), self.told_before(of, beside));
            let affiliations = self.affiliations_before(of, beside);
            for (name, change) in beside {
                let done = self.apply(name, change, turn);
                let before = done.as_ref().and_then(|done| done.before);
                self.note_newcomer(actor, before, change, turn);
                let nodes_gone = done.as_ref().map(|done| done.nodes_gone).unwrap_or_default();
                if let Some(done) = &done {
                    self.announce_speaker(name, done.tag, (actor, change), turn);
                }
                self.render(Rendered { name, change, before, nodes_gone, actor, beside }, turn);
                if let Some(done) = &done {
                    self.follow(name, done.tag, change, turn);
                    let since = turn.outbox.len();
                    self.follow_in_room(name, done.tag, (change, done.was.as_ref()), turn);
                    self.charge_payer(name, since, turn);
                }
                if change.is_end() {
                    self.open_room(name);
                    self.bury(name, &mut turn.outbox);
                }
                all.push(done);
            }
            let since = turn.outbox.len();
            self.tell_standings(of, standings, turn);
            self.note_versions(of, affiliations, turn);
            if let Some(told) = told {
                self.tell_reconfigured(of, &told, turn);
            }
            if beside.iter().any(|(_, change)| change.is_kept()) {
                turn.decide_since(since);
            }
            self.charge_payer(of, since, turn);
        }
        if let Some(payer) = payer {
            turn.payer = payer;
        }
        for ((name, change), done) in changes.into_iter().zip(all) {
            let Some(Done { tag, before, .. }) = done else { continue };
            let gone = change.member().filter(|member| before == Some(Status::Joined) && !member.is_joined());
            if let Some(member) = gone {
                self.people.left(&member.jid, false);
            }
            if let Change::GuestSet { guest, .. } = &change
                && guest.subscriptions.is_empty()
            {
                self.people.left(&guest.jid, true);
            }
            if change.is_kept() {
                turn.records.push(Record::Channel { name, tag, change });
            }
        }
    }

    /// Charges whoever caused it for what a room is told.
    pub(in crate::engine) fn charge_payer(&mut self, name: &ChannelName, since: usize, turn: &mut Turn) {
        if let Some(payer) = &turn.payer {
            self.load(payer, name, &mut turn.outbox[since..]);
        }
    }

    /// groups.md §1 rule 7: notifies authors of how far their messages came, by the turn's records from `since` on.
    pub(in crate::engine) fn tell_authors(
        &mut self,
        asked: &Asked<'_>,
        notices: &[Notice],
        since: usize,
        turn: &mut Turn,
    ) {
        // Reading implies receiving; the author is notified of the last report.
        let report = turn.records[since..].iter().rev().find_map(|record| {
            let Record::Channel { name, tag, change: Change::Reported(report) } = record else { return None };
            Some((name, *tag, report))
        });
        let Some((name, tag, report)) = report.filter(|_| !notices.is_empty()) else { return };
        let (from, name, report) = (self.service.address_of(name), name.clone(), report.clone());
        for notice in notices {
            let (row, id) = (self.service.sealer.seal(tag, notice.row), self.fresh_id_of(tag));
            let unveiled = self.channels.channel(&name).is_some_and(|channel| channel.unveils_to(&notice.author));
            let reporter = unveiled.then_some(&asked.actor.account);
            let message = group_events::notice(notice, &report, reporter, &from, row, id);
            let shown = Shown::Tell { account: notice.author.clone(), message };
            turn.unsent.extend(told(&shown));
            self.send_shown(shown, Some(&name), Lasting::Kept, turn);
            if report.progress == Progress::Read {
                self.mark_read(&name, (tag, &notice.author), (&asked.actor.account, notice.row), turn);
            }
        }
    }

    /// The sessions of an author in the room are told that somebody read its messages up to a row. Other sessions are not.
    fn mark_read(
        &mut self,
        name: &ChannelName,
        (tag, author): (u64, &BareJid),
        (reader, row): (&BareJid, u64),
        turn: &mut Turn,
    ) {
        let numbers = self.occupants.entries_of(tag, author);
        let reader = self.channels.channel(name).and_then(|channel| channel.participant(reader)).cloned();
        let Some(reader) = reader.filter(|_| !numbers.is_empty()) else { return };
        let (row, id) = (self.service.sealer.seal(tag, row), self.fresh_id_of(tag));
        let marker = message::displayed(&self.service.address_of(name), &reader, &row, &id);
        turn.fan(Audience::these(numbers), halves(&marker, true), Lasting::Fleeting);
    }

    /// Shows an applied change.
    fn render(&mut self, rendered: Rendered<'_>, turn: &mut Turn) {
        let (name, change, actor) = (rendered.name, rendered.change, rendered.actor);
        let shown = self.shown_of(rendered);
        let Some(channel) = self.channels.channel(name) else { return };
        let lasting = lasting_of(change);
        if matches!(Traffic::of(change), Traffic::Passing) {
            turn.passing.push((name.clone(), change.clone()));
        }
        turn.unsent.extend(unsent(channel, change, &shown));
        let since = turn.outbox.len();
        if let (Traffic::Row(_), Some(account)) = (Traffic::of(change), actor) {
            self.charge_mail(account, &shown);
        }
        shown.into_iter().for_each(|shown| self.send_shown(shown, Some(name), lasting, turn));
        if let Some(account) = actor {
            self.load(account, name, &mut turn.outbox[since..]);
        }
    }

    /// The stanzas that extensions render for an applied change.
    pub(in crate::engine) fn shown_of(&mut self, rendered: Rendered<'_>) -> Vec<Shown> {
        let Rendered { name, change, before, nodes_gone, actor, beside } = rendered;
        let mut shown = Vec::new();
        let Some(channel) = self.channels.channel(name) else { return shown };
        let mut render = Render {
            service: &self.service,
            channel,
            actor,
            before,
            nodes_gone,
            beside,
            live: self.channels.live((self.now, self.due), self.occupants.known_in(channel.profile().tag)),
            dice: &mut self.dice,
            shown: &mut shown,
        };
        faces::show(change, &mut render);
        shown
    }

    /// Sends a rendered stanza. `of` is needed if it is for people of a channel.
    pub(in crate::engine) fn send_shown(
        &mut self,
        shown: Shown,
        of: Option<&ChannelName>,
        lasting: Lasting,
        turn: &mut Turn,
    ) {
        let channel = of.and_then(|name| self.channels.channel(name));
        let (audience, message, groupchat) = match shown {
            Shown::Mail { account, message } => return turn.send(message.attr("to", account.as_str()).into_xml()),
            Shown::Fan { list, except, message, groupchat } => {
                let Some(tag) = channel.map(|channel| channel.profile().tag) else { return };
                let except = except.map(|account| self.people.number(&account));
                (Audience::List(ListId { tag, list }, except), message, groupchat)
            }
            Shown::Seat { account, message } => {
                let numbers = channel.map(|channel| self.occupants.entries_of(channel.profile().tag, &account));
                match numbers.filter(|numbers| !numbers.is_empty()) {
                    Some(numbers) => (Audience::these(numbers), message, false),
                    None => return turn.send(message.attr("to", account.as_str()).into_xml()),
                }
            }
            Shown::Seats { accounts, message } => {
                let Some(tag) = channel.map(|channel| channel.profile().tag) else { return };
                (Audience::these(self.occupants.entries_of_all(tag, &accounts)), message, false)
            }
            Shown::MailAll { accounts, message } => {
                return mail_all(&accounts, &halves(&message, false), turn);
            }
            Shown::TellGuest { account, message } => {
                let Some(no) = self.people.accounts().find_guest(&account) else { return };
                (Audience::One(no), message, false)
            }
            Shown::Farewell { whom, message } => {
                let accounts = channel.map(|channel| channel.those(&whom)).unwrap_or_default();
                if whom.is_mailed() {
                    return mail_all(&accounts, &halves(&message, false), turn);
                }
                let known = accounts.iter().filter_map(|account| self.people.accounts().find_guest(account));
                (Audience::these(known), message, false)
            }
            Shown::Tell { account, message } => {
                let Some(no) = self.people.reach(&account, &mut turn.outbox) else { return };
                (Audience::One(no), message, false)
            }
        };
        turn.fan(audience, halves(&message, groupchat), lasting);
    }
}

/// What happens to stanzas about a change if the link is lost.
fn lasting_of(change: &Change) -> Lasting {
    match Traffic::of(change) {
        Traffic::Row(_) => Lasting::Row,
        // Chat states are dropped. A message that its sender asked not to archive is kept.
        Traffic::Relay(relay) if !relay.message.echoed => Lasting::Fleeting,
        Traffic::Relay(_) | Traffic::Passing | Traffic::End | Traffic::Other => Lasting::Kept,
    }
}

#[cfg(test)]
#[path = "showing_tests.rs"]
mod tests;
