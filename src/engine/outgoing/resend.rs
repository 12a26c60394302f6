//! Sends what a crash kept back, from what the earlier process stored.
//!
//! A row is rendered again from the archive, with the same id. Everything else is sent as it was rendered. The
//! recipients are those who were there at the time.

use super::super::{Engine, Needs, Turn};
use super::outbox::{Audience, EntryNo, Lasting, ListId};
use super::showing::Rendered;
use super::unsent::{halves, mail_all};
use crate::channel::{Change, Channel, ChannelName, Guest, Member, Node, NodeSet, Stamp};
use crate::store::{Halves, Part, Unsent};
use crate::xep::{List, Shown};
use jid::BareJid;

impl Engine {
    /// Continues parcel numbers after `newest`, the last one that an earlier process used.
    pub fn number_from(&mut self, newest: u64) {
        self.outgoing.parcel = self.outgoing.parcel.max(newest);
    }

    pub(in crate::engine) fn need_of_unsent(&self, unsent: &Unsent, needs: &mut Needs) {
        for part in &unsent.parts {
            match part {
                Part::Row { name, tag, row } if self.channels.tag_of(name) == Some(*tag) => {
                    self.need_channel(name, needs);
                    self.need_rows(*tag, vec![*row], needs);
                    needs.whole.insert((*tag, *row));
                }
                Part::List { name, tag, .. } if self.channels.tag_of(name) == Some(*tag) => {
                    self.need_channel(name, needs)
                }
                Part::Farewell { tag, whom, .. } if self.channels.brought().remains(*tag, whom).is_none() => {
                    needs.remains.insert((*tag, whom.clone()));
                }
                Part::Row { .. } | Part::List { .. } | Part::Farewell { .. } => {}
                Part::Accounts { .. } | Part::Stanza(_) | Part::Mail { .. } => {}
            }
        }
    }

    /// Sends what an earlier process stored, except retracted or expired rows, and stanzas of destroyed channels.
    pub(in crate::engine) fn resend(&mut self, unsent: Unsent, turn: &mut Turn) {
        self.number_from(unsent.number);
        for part in unsent.parts {
            match part {
                Part::Row { name, tag, row } => self.resend_row(&name, tag, row, turn),
                Part::List { name, tag, node, except, stanza } => {
                    let Some(channel) = self.channels.channel(&name).filter(|it| it.profile().tag == tag) else {
                        continue;
                    };
                    let was_there = |taker: Taker<'_>| taker.since() <= unsent.stamp;
                    let audience = self.audience_again(channel, node, except.as_ref(), was_there);
                    turn.fan(audience, stanza, Lasting::Kept);
                }
                Part::Accounts { accounts, stanza } => self.tell_again(&accounts, stanza, turn),
                Part::Stanza(stanza) => turn.send(stanza),
                Part::Mail { accounts, stanza } => mail_all(&accounts, &stanza, turn),
                Part::Farewell { tag, whom, stanza } => {
                    let is_mailed = whom.is_mailed();
                    let Some(accounts) = self.channels.brought().remains(tag, &whom).map(<[BareJid]>::to_vec) else {
                        continue;
                    };
                    match is_mailed {
                        true => mail_all(&accounts, &stanza, turn),
                        false => self.tell_again(&accounts, stanza, turn),
                    }
                }
            }
        }
        turn.parcel = Some(unsent.number);
    }

    fn tell_again(&mut self, accounts: &[BareJid], stanza: Halves, turn: &mut Turn) {
        let number = |account| {
            let no = self.people.reach(account, &mut turn.outbox);
            no.or_else(|| self.people.accounts().find_guest(account))
        };
        let known: Vec<EntryNo> = accounts.iter().filter_map(number).collect();
        turn.fan(Audience::these(known), stanza, Lasting::Kept);
    }

    fn resend_row(&mut self, name: &ChannelName, tag: u64, row: u64, turn: &mut Turn) {
        let facts = self.channels.brought().rows(tag).get(&row).filter(|facts| !facts.entombed);
        let Some(row) = facts.map(|facts| facts.row.clone()) else { return };
        let (number, stamp) = (row.number, row.stamp);
        let beside = [(name.clone(), Change::Published(row))];
        let rendered = Rendered {
            name,
            change: &beside[0].1,
            before: None,
            nodes_gone: NodeSet::default(),
            actor: None,
            beside: &beside,
        };
        let shown = self.shown_of(rendered);
        let Some(channel) = self.channels.channel(name).filter(|channel| channel.profile().tag == tag) else {
            return;
        };
        if stamp < channel.settings().horizon(self.clock.dial().kept) {
            return;
        }
        for shown in shown {
            let Shown::Fan { list, except, message, groupchat } = shown else { continue };
            // Nor is anything put before somebody again that it has hidden from itself or cleared away.
            let was_there = |taker: Taker<'_>| match taker {
                Taker::Member(it) => {
                    it.was_in_at(number) && it.own.cleared < number && !it.own.hidden.contains_key(&number)
                }
                Taker::Guest(it) => it.first <= number,
            };
            let audience = match list {
                List::Node(node) => Some(self.audience_again(channel, node, except.as_ref(), was_there)),
                List::Sessions => self.sessions_again(channel, |member| was_there(Taker::Member(member))),
            };
            if let Some(audience) = audience {
                turn.fan(audience, halves(&message, groupchat), Lasting::Row);
            }
        }
    }

    /// The recipients of a channel's stanza that is sent again: those who were there at the time. Later ones see
    /// nothing from before.
    #[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
    fn audience_again(
        &self,
        channel: &Channel,
        node: Node,
        except: Option<&BareJid>,
        was_there: impl Fn(Taker<'_>) -> bool,
    ) -> Audience {
        let seated = channel.participants().filter(|it| it.subscriptions.contains(node)).map(Taker::Member);
        let guests = channel.guests().filter(|it| it.subscriptions.contains(node)).map(Taker::Guest);
        let takers: Vec<Taker<'_>> = seated.chain(guests).collect();
        if takers.iter().all(|taker| was_there(*taker)) {
            let except = except.and_then(|account| self.people.accounts().find(account));
            return Audience::List(ListId { tag: channel.profile().tag, list: List::Node(node) }, except);
        }
        let number = |taker: &Taker<'_>| match taker {
            Taker::Member(member) if Some(&member.jid) != except => self.people.accounts().find(&member.jid),
            Taker::Member(_) => None,
            Taker::Guest(guest) => self.people.accounts().find_guest(&guest.jid),
        };
        let mut accounts: Vec<EntryNo> = takers.iter().filter(|taker| was_there(**taker)).filter_map(number).collect();
        accounts.sort_unstable();
        Audience::these(accounts)
    }
}

/// A recipient on a list.
#[derive(Clone, Copy)]
enum Taker<'a> {
    Member(&'a Member),
    Guest(&'a Guest),
}

impl Taker<'_> {
    /// Since when it is a participant or guest.
    fn since(self) -> Stamp {
        match self {
            Taker::Member(member) => member.since,
            Taker::Guest(guest) => guest.since,
        }
    }
}
