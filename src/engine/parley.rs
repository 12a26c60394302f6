//! A request from its arrival to its answer: decode, decide, apply, answer, render.

use super::outbox::{Audience, Delta, Fan, ListId, Out};
use super::pending::Purpose;
use super::{Engine, Query, QueryKind, Turn};
use crate::channel::{Actor, Answer, Change, Channel, ChannelName, Command, Context, Decision, NodeSet, Refusal};
use crate::store::Record;
use crate::xep::{EXTENSIONS, Extension, Render, Reply, Request, Shown, incoming, privilege, pubsub};
use jid::{BareJid, Jid};
use minidom::Element;
use rand::Rng;
use std::collections::BTreeMap;

/// What one turn may spend on lists in answers, in bytes; whoever asks for more is told to come again. Listing a
/// participant counts as much as writing one, since the whole list is put in order for each page.
const EFFORT_MAX: usize = 4 << 20;
const MEMBER_EFFORT: usize = 64;

/// A request on its way.
pub(super) struct Asked<'a> {
    /// The way back.
    pub reply: Reply,
    /// Who asks.
    pub actor: Actor,
    /// From which address.
    pub asker: Jid,
    /// The channel it is sent to.
    pub channel: Option<ChannelName>,
    /// The payload of an iq, or the whole message.
    pub payload: &'a Element,
    /// Whether the iq is a set.
    pub set: bool,
    /// Who takes it; `None` for a groupchat message.
    pub extension: Option<&'static dyn Extension>,
}

impl Engine {
    pub(super) fn ask(&mut self, mut asked: Asked<'_>, turn: &mut Turn) {
        turn.replies.push(asked.reply.clone());
        match self.decide(&mut asked) {
            Ok(decision) => self.carry_out(asked, decision, turn),
            Err(refusal) => turn.send(asked.reply.error(&(&refusal).into())),
        }
    }

    /// The decision; `asked.channel` becomes the channel that the command is about.
    fn decide(&mut self, asked: &mut Asked<'_>) -> Result<Decision, Refusal> {
        if asked.channel.as_ref().is_some_and(|name| self.shelf.channel(name).is_none()) {
            return Err(Refusal::NoSuchChannel);
        }
        let request = self.request(asked);
        let command = match asked.extension {
            Some(extension) => extension.decode(&request)?,
            None => incoming::decode(&request)?,
        };
        match command {
            Command::Create { name } => self.create(asked, name),
            Command::ListChannels(slice) => self.list_channels(&asked.actor.account, &slice),
            Command::DescribeService { node } => {
                let may_create = self.service.may_create(&asked.actor.account);
                Ok(Decision::answer(Answer::ServiceDescription { node, may_create }))
            }
            Command::Version => Ok(Decision::answer(Answer::Version)),
            Command::Ping => Ok(Decision::answer(Answer::Pong)),
            Command::Destroy { name } => {
                asked.channel = Some(name.clone());
                self.decide_in(&name, &asked.actor, Command::Destroy { name: name.clone() })
            }
            command => {
                let name = asked.channel.clone().ok_or(Refusal::NoSuchService)?;
                self.decide_in(&name, &asked.actor, command)
            }
        }
    }

    fn decide_in(&mut self, name: &ChannelName, actor: &Actor, command: Command) -> Result<Decision, Refusal> {
        self.shelf.touch(name);
        let channel = self.shelf.channel(name).ok_or(Refusal::NoSuchChannel)?;
        let (tag, none) = (channel.profile().tag, BTreeMap::new());
        let mut context = Context {
            now: self.now,
            dice: &mut self.dice,
            limits: &self.service.limits,
            facts: self.facts.get(&tag).unwrap_or(&none),
            rename: pubsub::renamed,
        };
        channel.decide(actor, command, &mut context)
    }

    /// Applies a decision, answers it, and shows what happened.
    fn carry_out(&mut self, asked: Asked<'_>, decision: Decision, turn: &mut Turn) {
        let Decision { changes, answer } = decision;
        self.notice_asker(&asked, &answer, turn);
        for change in &changes {
            if let Some(name) = &asked.channel {
                self.apply(name, change, turn);
            }
        }
        self.keep_roster(&asked, &answer, turn);
        self.answer(&asked, answer, turn);
        let Some(name) = asked.channel else { return };
        for change in changes {
            self.render(&name, &change, turn);
            if change == Change::Destroyed {
                self.bury(&name, &mut turn.outbox);
            }
        }
    }

    /// Memory, the address book and the records learn of a change.
    fn apply(&mut self, name: &ChannelName, change: &Change, turn: &mut Turn) {
        let Some(channel) = self.shelf.channel(name) else { return };
        let tag = channel.profile().tag;
        if let Change::Joined(member) | Change::Left(member) | Change::Subscribed(member) = change {
            let past = channel.participant(&member.jid).map(|past| past.subscriptions);
            let no = match (past.is_some(), member.is_joined()) {
                (false, true) => self.accounts.hold(&member.jid, &self.hosts, &mut turn.outbox),
                _ => self.accounts.number(&member.jid),
            };
            if let Some(channels) = self.memberships.get_mut(&member.jid) {
                // What was loaded for this turn goes on with the turn.
                channels.retain(|other| other != name);
                channels.extend(member.is_joined().then(|| name.clone()));
            }
            let (past, next) = (past.unwrap_or_default(), member.subscriptions);
            let out = &mut turn.outbox;
            subscription_deltas(past, next).for_each(|(node, on)| {
                let list = ListId { tag, node };
                out.push(Out::Book(if on { Delta::Subscribed(list, no) } else { Delta::Unsubscribed(list, no) }));
            });
        }
        self.shelf.change(name, |channel| channel.apply(change));
        if !matches!(change, Change::Relayed(_)) {
            turn.records.push(Record::Channel { name: name.clone(), tag, change: change.clone() });
        }
    }

    /// What a request tells of where the asker is reached: who speaks MIX to a channel takes MIX traffic.
    fn notice_asker(&mut self, asked: &Asked<'_>, answer: &Answer, turn: &mut Turn) {
        let speaks =
            !matches!(answer, Answer::Description | Answer::Nodes | Answer::Pong | Answer::Version | Answer::Left);
        let Some(name) = &asked.channel else { return };
        let joined = matches!(answer, Answer::Joined { .. });
        let seated =
            self.shelf.channel(name).is_some_and(|channel| channel.participant(&asked.actor.account).is_some());
        if let (true, true, Ok(full)) = (speaks, seated || joined, asked.asker.try_as_full()) {
            self.accounts.saw(full, None, Some(true), &self.hosts, &mut turn.outbox);
        }
        if joined {
            let at_bare = asked.asker.is_bare() && asked.reply.delegated.is_none();
            let unknown = self.accounts.joined(&asked.actor.account, at_bare, &self.hosts, &mut turn.outbox);
            unknown.iter().for_each(|full| self.ask_resource(full, turn));
            if at_bare {
                self.ask_home_server(asked.actor.account.domain().as_str(), turn);
            }
        }
    }

    /// XEP-0405 §6.7: who stands in for the account's server keeps the channel in its roster, where that is granted.
    fn keep_roster(&mut self, asked: &Asked<'_>, answer: &Answer, turn: &mut Turn) {
        let (Some(delegated), Some(name)) = (&asked.reply.delegated, &asked.channel) else { return };
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
        let kind = match answer {
            Answer::Taken => return,
            Answer::Repeat { row } => QueryKind::Reflection { row },
            Answer::History { query, author } => QueryKind::Page { query, author },
            Answer::HistoryBounds => QueryKind::Bounds,
            Answer::Left if self.needs_error_on_leave(asked) => {
                return turn.send(asked.reply.error(&(&Refusal::NoSuchItem).into()));
            }
            Answer::Items { .. } if turn.effort > EFFORT_MAX => {
                return turn.send(asked.reply.error(&(&Refusal::Busy).into()));
            }
            answer => {
                let Some(extension) = asked.extension else { return };
                let request = self.request(asked);
                if let (Answer::Items { .. }, Some(channel)) = (&answer, request.channel) {
                    turn.effort += MEMBER_EFFORT * channel.participant_count();
                }
                let text = match extension.encode(&answer, &request) {
                    Ok(payload) => asked.reply.result(payload),
                    Err(refusal) => asked.reply.error(&(&refusal).into()),
                };
                turn.effort += text.len();
                return turn.send(text);
            }
        };
        let Some(channel) = asked.channel.as_ref().and_then(|name| self.shelf.channel(name)) else { return };
        turn.queries.push(Query {
            reply: asked.reply.clone(),
            channel: self.service.address_of(channel.name()),
            tag: channel.profile().tag,
            newest: channel.head().row,
            sealer: self.service.sealer.clone(),
            kind,
        });
    }

    fn needs_error_on_leave(&self, asked: &Asked<'_>) -> bool {
        asked.asker.is_bare()
            && asked.reply.delegated.is_none()
            && self.hosts.chokes_on_leave(asked.actor.account.domain().as_str())
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
        if let Change::Left(member) = change {
            self.accounts.left(&member.jid);
        }
    }

    fn request<'a>(&'a self, asked: &'a Asked<'_>) -> Request<'a> {
        Request {
            service: &self.service,
            actor: &asked.actor,
            channel: asked.channel.as_ref().and_then(|name| self.shelf.channel(name)),
            set: asked.set,
            payload: asked.payload,
            delegated: asked.reply.delegated.is_some(),
        }
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
