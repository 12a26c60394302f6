//! A request from its arrival to its answer: decode, decide, apply, answer, render.

use super::outbox::{Audience, Delta, Fan, ListId, Out};
use super::pending::Purpose;
use super::{Engine, Query, QueryKind, Turn};
use crate::channel::{
    Actor, Answer, Change, Channel, ChannelName, Command, Context, Decision, Member, NodeSet, Refusal,
};
use crate::store::Record;
use crate::xep::{EXTENSIONS, Extension, Render, Reply, Request, Shown, incoming, privilege};
use jid::{BareJid, Jid};
use minidom::Element;
use rand::Rng;
use std::collections::BTreeMap;

/// A request on its way.
pub(super) struct Asked<'a> {
    /// Who asks.
    pub actor: Actor,
    /// The channel it is sent to; where a command names another one, that.
    pub channel: Option<ChannelName>,
    /// The way it came by, and its answer goes.
    pub way: Way<'a>,
}

/// The way a request came by.
pub(super) enum Way<'a> {
    /// As a stanza.
    Stanza {
        /// The way back.
        reply: Box<Reply>,
        /// From which address.
        asker: Jid,
        /// The payload of an iq, or the whole message.
        payload: &'a Element,
        /// Whether the iq is a set.
        set: bool,
        /// Who takes it; `None` for a groupchat message.
        extension: Option<&'static dyn Extension>,
    },
    /// As a call, with its token.
    Call(u64),
}

/// What a request leads to, in however many channels.
pub(super) struct Effects {
    /// What happens, in order.
    pub changes: Vec<(ChannelName, Change)>,
    /// What the asker is told.
    pub answer: Answer,
}

impl Asked<'_> {
    /// The way back, where it came as a stanza.
    fn reply(&self) -> Option<&Reply> {
        match &self.way {
            Way::Stanza { reply, .. } => Some(reply),
            Way::Call(_) => None,
        }
    }

    /// The address that asks, where it came as a stanza.
    fn asker(&self) -> Option<&Jid> {
        match &self.way {
            Way::Stanza { asker, .. } => Some(asker),
            Way::Call(_) => None,
        }
    }

    /// Whether it came from an account's bare JID, which only its own server can speak from.
    fn is_at_bare(&self) -> bool {
        self.asker().is_some_and(Jid::is_bare) && self.reply().is_some_and(|reply| reply.delegated.is_none())
    }
}

impl Engine {
    /// A request that came as a stanza.
    pub(super) fn ask(&mut self, mut asked: Asked<'_>, turn: &mut Turn) {
        let Some(reply) = asked.reply().cloned() else { return };
        turn.replies.push(reply.clone());
        let decided = self.decode(&asked).and_then(|command| self.decide(&mut asked, command));
        match decided {
            Ok(effects) => self.carry_out(asked, effects, turn),
            Err(refusal) => turn.send(reply.error(&(&refusal).into())),
        }
    }

    fn decode(&self, asked: &Asked<'_>) -> Result<Command, Refusal> {
        if asked.channel.as_ref().is_some_and(|name| self.shelf.channel(name).is_none()) {
            return Err(Refusal::NoSuchChannel);
        }
        let Some(request) = self.request(asked) else { return Err(Refusal::NoSuchService) };
        match &asked.way {
            Way::Stanza { extension: Some(extension), .. } => extension.decode(&request),
            _ => incoming::decode(&request),
        }
    }

    /// The decision; `asked.channel` becomes the channel that the command is about.
    pub(super) fn decide(&mut self, asked: &mut Asked<'_>, command: Command) -> Result<Effects, Refusal> {
        match command {
            Command::Create { name } => self.create(asked, name),
            Command::ListChannels(slice) => self.list_channels(&asked.actor.account, &slice),
            Command::DescribeService { node } => {
                let may_create = self.service.may_create(&asked.actor.account);
                Ok(Effects::none(Answer::ServiceDescription { node, may_create }))
            }
            Command::Version => Ok(Effects::none(Answer::Version)),
            Command::Ping => Ok(Effects::none(Answer::Pong)),
            Command::Destroy { name } => {
                asked.channel = Some(name.clone());
                self.decide_in(&name, &asked.actor, Command::Destroy { name: name.clone() })
            }
            Command::ListGroups { with, slice } => self.list_groups(&asked.actor.account, with.as_ref(), &slice),
            Command::ClearAll => self.clear_all(asked),
            Command::CreateGroup(wish) => self.create_group(asked, wish),
            command => {
                let name = asked.channel.clone().ok_or(Refusal::NoSuchService)?;
                self.decide_in(&name, &asked.actor, command)
            }
        }
    }

    pub(super) fn decide_in(
        &mut self,
        name: &ChannelName,
        actor: &Actor,
        command: Command,
    ) -> Result<Effects, Refusal> {
        self.shelf.touch(name);
        let channel = self.shelf.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let (tag, none) = (channel.profile().tag, BTreeMap::new());
        let mut context = Context {
            now: self.now,
            dice: &mut self.dice,
            limits: &self.service.limits,
            facts: self.facts.get(&tag).unwrap_or(&none),
        };
        let Decision { changes, answer } = channel.decide(actor, command, &mut context)?;
        Ok(Effects { changes: changes.into_iter().map(|change| (name.clone(), change)).collect(), answer })
    }

    /// Applies a decision, answers it, and shows what happened.
    pub(super) fn carry_out(&mut self, asked: Asked<'_>, effects: Effects, turn: &mut Turn) {
        let Effects { changes, answer } = effects;
        self.notice_asker(&asked, &answer, turn);
        let mut released = Vec::new();
        for (name, change) in &changes {
            released.extend(self.apply(name, change, turn));
        }
        self.keep_roster(&asked, &answer, turn);
        self.answer(&asked, answer, turn);
        self.show(changes, released, turn);
    }

    /// Applies and shows what nobody asked for.
    pub(super) fn carry_on(&mut self, changes: Vec<(ChannelName, Change)>, turn: &mut Turn) {
        let mut released = Vec::new();
        for (name, change) in &changes {
            released.extend(self.apply(name, change, turn));
        }
        self.show(changes, released, turn);
    }

    fn show(&mut self, changes: Vec<(ChannelName, Change)>, released: Vec<BareJid>, turn: &mut Turn) {
        for (name, change) in changes {
            self.render(&name, &change, turn);
            if change == Change::Destroyed {
                self.unshelve(&name, &mut turn.outbox);
                self.shelf.strike(&name);
            }
        }
        released.iter().for_each(|account| self.accounts.release(account));
    }

    /// Memory, the address book and the records learn of a change. Returns who is in the channel no longer.
    fn apply(&mut self, name: &ChannelName, change: &Change, turn: &mut Turn) -> Option<BareJid> {
        let channel = self.shelf.channel(name)?;
        let tag = channel.profile().tag;
        let mut released = None;
        if let Some(member) = change.member() {
            let past = channel.participant(&member.jid).map(|past| past.subscriptions);
            let no = match (past.is_some(), member.is_joined()) {
                (false, true) => Some(self.accounts.hold(&member.jid, &self.hosts, &mut turn.outbox)),
                (false, false) => None,
                (true, joined) => {
                    released = (!joined).then(|| member.jid.clone());
                    Some(self.accounts.number(&member.jid))
                }
            };
            self.note_membership(name, member);
            let next = if member.is_joined() { member.subscriptions } else { NodeSet::default() };
            let out = &mut turn.outbox;
            subscription_deltas(past.unwrap_or_default(), next).for_each(|(node, on)| {
                let list = ListId { tag, node };
                let delta = |no| if on { Delta::Subscribed(list, no) } else { Delta::Unsubscribed(list, no) };
                out.extend(no.map(|no| Out::Book(delta(no))));
            });
        }
        self.shelf.change(name, |channel| channel.apply(change));
        self.note_facts(tag, change);
        if change.member().is_some() {
            self.note_deserted(name);
        }
        if !matches!(change, Change::Relayed(_)) {
            turn.records.push(Record::Channel { name: name.clone(), tag, change: change.clone() });
        }
        released
    }

    /// What a request tells of where the asker is reached: who speaks MIX to a channel takes MIX traffic.
    fn notice_asker(&mut self, asked: &Asked<'_>, answer: &Answer, turn: &mut Turn) {
        let speaks =
            !matches!(answer, Answer::Description | Answer::Nodes | Answer::Pong | Answer::Version | Answer::Left);
        let (Some(name), Some(asker)) = (&asked.channel, asked.asker()) else { return };
        let joined = matches!(answer, Answer::Joined { .. });
        let seated =
            self.shelf.channel(name).is_some_and(|channel| channel.participant(&asked.actor.account).is_some());
        if let (true, true, Ok(full)) = (speaks, seated || joined, asker.try_as_full()) {
            self.accounts.saw(full, None, Some(true), &self.hosts, &mut turn.outbox);
        }
        if joined {
            let at_bare = asked.is_at_bare();
            let unknown = self.accounts.joined(&asked.actor.account, at_bare, &self.hosts, &mut turn.outbox);
            unknown.iter().for_each(|full| self.ask_resource(full, turn));
            if at_bare {
                self.ask_home_server(asked.actor.account.domain().as_str(), turn);
            }
        }
    }

    /// XEP-0405 §6.7: who stands in for the account's server keeps the channel in its roster, where that is granted.
    fn keep_roster(&mut self, asked: &Asked<'_>, answer: &Answer, turn: &mut Turn) {
        let delegated = asked.reply().and_then(|reply| reply.delegated.as_ref());
        let (Some(delegated), Some(name)) = (delegated, &asked.channel) else { return };
        let Some(channel) = self.shelf.channel(name) else { return };
        let label = match answer {
            Answer::Joined { .. } => Some(channel.label().unwrap_or(name.as_str()).to_owned()),
            Answer::Left => None,
            _ => return,
        };
        let account = delegated.account.clone();
        self.set_roster_item(&account, name, label.as_deref(), turn);
    }

    fn set_roster_item(&mut self, account: &BareJid, name: &ChannelName, label: Option<&str>, turn: &mut Turn) {
        let domain = account.domain().as_str().to_owned();
        if !self.hosts.privileges(&domain).roster {
            return;
        }
        let id = self.fresh_id();
        let purpose = Purpose::RosterItem { domain };
        self.pending.ask(id.clone(), Jid::from(account.clone()), purpose, self.now);
        let channel = self.service.address_of(name);
        turn.send(privilege::roster_item(self.service.domain.as_str(), account.as_str(), &id, &channel, label));
    }

    fn answer(&mut self, asked: &Asked<'_>, answer: Answer, turn: &mut Turn) {
        match &asked.way {
            Way::Stanza { reply, extension, .. } => self.answer_stanza(asked, reply, *extension, answer, turn),
            Way::Call(token) => self.answer_call(asked, *token, answer, turn),
        }
    }

    fn answer_stanza(
        &mut self,
        asked: &Asked<'_>,
        reply: &Reply,
        extension: Option<&'static dyn Extension>,
        answer: Answer,
        turn: &mut Turn,
    ) {
        let kind = match answer {
            Answer::Taken => return,
            Answer::Repeat { row } => QueryKind::Reflection { row },
            Answer::History { query, author } => QueryKind::Page { query: Box::new(query), author },
            Answer::HistoryBounds => QueryKind::Bounds,
            Answer::Left if self.needs_error_on_leave(asked) => {
                return turn.send(reply.error(&(&Refusal::NoSuchItem).into()));
            }
            answer => {
                let (Some(extension), Some(request)) = (extension, self.request(asked)) else { return };
                let text = match extension.encode(&answer, &request) {
                    Ok(payload) => reply.result(payload),
                    Err(refusal) => reply.error(&(&refusal).into()),
                };
                return turn.send(text);
            }
        };
        let Some(channel) = asked.channel.as_ref().and_then(|name| self.shelf.channel(name)) else { return };
        turn.queries.push(Query {
            reply: reply.clone(),
            channel: self.service.address_of(channel.name()),
            tag: channel.profile().tag,
            newest: channel.head().row,
            sealer: self.service.sealer.clone(),
            kind,
        });
    }

    fn needs_error_on_leave(&self, asked: &Asked<'_>) -> bool {
        asked.is_at_bare() && self.hosts.chokes_on_leave(asked.actor.account.domain().as_str())
    }

    /// Shows a change that was applied.
    fn render(&mut self, name: &ChannelName, change: &Change, turn: &mut Turn) {
        let Some(channel) = self.shelf.channel(name) else { return };
        let mut shown = Vec::new();
        let mut render = Render { service: &self.service, channel, dice: &mut self.dice, shown: &mut shown };
        EXTENSIONS.iter().for_each(|extension| extension.render(change, &mut render));
        let tag = channel.profile().tag;
        let leavers: Vec<BareJid> = match change {
            Change::Destroyed => roster_of(channel),
            _ => Vec::new(),
        };
        for show in shown {
            let (audience, message, groupchat) = match show {
                Shown::Fan { node, except, message, groupchat } => {
                    let except = except.map(|account| self.accounts.number(&account));
                    (Audience::List(ListId { tag, node }, except), message, groupchat)
                }
                Shown::Tell { account, message } => (Audience::One(self.accounts.number(&account)), message, false),
            };
            let (head, tail) = message.into_halves();
            turn.outbox.push(Out::Fan(Fan { audience, head, tail, groupchat }));
        }
        for account in leavers {
            self.set_roster_item(&account, name, None, turn);
        }
    }

    /// What extensions may look at; `None` for what did not come as a stanza.
    fn request<'a>(&'a self, asked: &'a Asked<'_>) -> Option<Request<'a>> {
        let Way::Stanza { reply, payload, set, .. } = &asked.way else { return None };
        Some(Request {
            service: &self.service,
            actor: &asked.actor,
            channel: asked.channel.as_ref().and_then(|name| self.shelf.channel(name)),
            set: *set,
            payload,
            delegated: reply.delegated.is_some(),
        })
    }

    pub(super) fn fresh_id(&mut self) -> String {
        hex::encode(self.dice.random::<[u8; 12]>())
    }
}

/// The participants of a channel, in the order of their accounts.
fn roster_of(channel: &Channel) -> Vec<BareJid> {
    let mut accounts: Vec<BareJid> = channel.participants().map(|member| member.jid.clone()).collect();
    accounts.sort();
    accounts
}

/// The nodes that came (`true`) or went between two sets of subscriptions.
fn subscription_deltas(past: NodeSet, next: NodeSet) -> impl Iterator<Item = (crate::channel::Node, bool)> {
    let gone = past.iter().filter(move |&node| !next.contains(node)).map(|node| (node, false));
    gone.chain(next.iter().filter(move |&node| !past.contains(node)).map(|node| (node, true)))
}
