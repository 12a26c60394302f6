//! A request from its arrival to its answer: decode, decide, apply, answer, render.

use super::outbox::{Audience, Delta, Fan, ListId, Out};
use super::pending::Purpose;
use super::{Engine, Query, QueryKind, Turn};
use crate::channel::command::HistoryQuery;
use crate::channel::{
    Actor, Answer, Change, Channel, ChannelName, Command, Context, Decision, GroupAnswer, Member, NodeSet,
    ParticipantId, Refusal, Status, Style, group::Notice,
};
use crate::store::Record;
use crate::xep::{EXTENSIONS, Extension, Render, Reply, Request, Shown, group_events, incoming, privilege, pubsub};
use crate::xmpp::Tag;
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

/// A change that was applied, and what the member whom it is about was before.
struct Done {
    name: ChannelName,
    change: Change,
    before: Option<Status>,
}

/// A change that is to be shown.
struct Rendered<'a> {
    name: &'a ChannelName,
    change: &'a Change,
    before: Option<Status>,
    actor: Option<&'a BareJid>,
    beside: &'a [Change],
}

/// What a request leads to, in however many channels.
pub(super) struct Effects {
    /// What happens, in order.
    pub changes: Vec<(ChannelName, Change)>,
    /// What the asker is told.
    pub answer: Answer,
    /// What the asker's other devices are told of what it settled for itself alone, in which channel.
    pub own: Option<(ChannelName, Tag)>,
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
        if asked.channel.as_ref().is_some_and(|name| self.is_hidden(name, &asked.actor)) {
            return Err(Refusal::NoSuchChannel);
        }
        let Some(request) = self.request(asked) else { return Err(Refusal::NoSuchService) };
        match &asked.way {
            Way::Stanza { extension: Some(extension), .. } => extension.decode(&request),
            _ => incoming::decode(&request),
        }
    }

    /// Whether there is no channel of this name, or none that the asker may know of: either way it tells nothing, not
    /// even what is wrong with a request (groups.md §1 rule 11).
    pub(super) fn is_hidden(&self, name: &ChannelName, actor: &Actor) -> bool {
        self.shelf.channel(name).is_none_or(|channel| channel.is_hidden_from(actor))
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
                let is_group = self.shelf.channel(&name).is_some_and(|it| it.settings().style == Style::Group);
                let command = match command {
                    // What of a group's archive somebody sees has a first and a last row of its own.
                    Command::HistoryBounds if is_group => {
                        Command::ReadHistory(HistoryQuery { ends_only: true, max: 1, ..HistoryQuery::default() })
                    }
                    command => command,
                };
                let own = self.own_event(&name, &command);
                let mut effects = self.decide_in(&name, &asked.actor, command)?;
                effects.own = own;
                Ok(effects)
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
            rename: pubsub::renamed,
        };
        let Decision { changes, answer } = channel.decide(actor, command, &mut context)?;
        Ok(Effects { changes: changes.into_iter().map(|change| (name.clone(), change)).collect(), answer, own: None })
    }

    /// Applies a decision, answers it, and shows what happened.
    pub(super) fn carry_out(&mut self, asked: Asked<'_>, effects: Effects, turn: &mut Turn) {
        let Effects { changes, answer, own } = effects;
        let settled = !changes.is_empty();
        self.notice_asker(&asked, &answer, turn);
        let mut done = Vec::with_capacity(changes.len());
        for (name, change) in changes {
            done.push(self.apply(name, change, turn));
        }
        self.keep_roster(&asked, &answer, turn);
        let notices = match &answer {
            Answer::Group(GroupAnswer::Reported(notices)) => notices.clone(),
            _ => Vec::new(),
        };
        self.answer(&asked, answer, turn);
        self.tell_authors(&asked, &notices, &done, turn);
        self.show(Some(&asked.actor.account), done, turn);
        if let Some((name, event)) = own.filter(|_| settled) {
            self.tell_own_devices(&asked.actor.account, &name, event, turn);
        }
    }

    /// Applies and shows what nobody asked for.
    pub(super) fn carry_on(&mut self, changes: Vec<(ChannelName, Change)>, turn: &mut Turn) {
        let done = changes.into_iter().map(|(name, change)| self.apply(name, change, turn)).collect();
        self.show(None, done, turn);
    }

    fn show(&mut self, actor: Option<&BareJid>, done: Vec<Done>, turn: &mut Turn) {
        // What an extension shows of a change may depend on what else happened in the same channel.
        for of_one in done.chunk_by(|a, b| a.name == b.name) {
            let beside: Vec<Change> = of_one.iter().map(|done| done.change.clone()).collect();
            for Done { name, change, before } in of_one {
                self.render(Rendered { name, change, before: *before, actor, beside: &beside }, turn);
                if *change == Change::Destroyed {
                    self.unshelve(name, &mut turn.outbox);
                    self.shelf.strike(name);
                }
            }
        }
        for Done { change, before, .. } in done {
            let gone = change.member().filter(|member| before == Some(Status::Joined) && !member.is_joined());
            if let Some(member) = gone {
                self.accounts.release(&member.jid);
            }
        }
    }

    /// Memory, the address book and the records learn of a change.
    fn apply(&mut self, name: ChannelName, change: Change, turn: &mut Turn) -> Done {
        let Some(channel) = self.shelf.channel(&name) else { return Done { name, change, before: None } };
        let tag = channel.profile().tag;
        let past = change.member().and_then(|member| channel.member(&member.jid)).cloned();
        if let Some(member) = change.member() {
            self.seat(tag, past.as_ref(), member, turn);
            self.note_membership(&name, member);
        }
        self.shelf.change(&name, |channel| channel.apply(&change));
        self.note_facts(tag, &change);
        if change.member().is_some() {
            self.note_deserted(&name);
        }
        if !matches!(change, Change::Relayed(_)) {
            turn.records.push(Record::Channel { name: name.clone(), tag, change: change.clone() });
        }
        Done { name, change, before: past.map(|past| past.status) }
    }

    /// The address book learns of somebody who came, went or subscribes to something else.
    fn seat(&mut self, tag: u64, past: Option<&Member>, member: &Member, turn: &mut Turn) {
        let past = past.filter(|past| past.is_joined());
        let no = match (past, member.is_joined()) {
            (None, false) => return,
            (None, true) => {
                let no = self.accounts.hold(&member.jid, &self.hosts, &mut turn.outbox);
                let unknown = self.accounts.added(&member.jid, &self.hosts, &mut turn.outbox);
                unknown.iter().for_each(|full| self.ask_resource(full, turn));
                no
            }
            (Some(_), _) => self.accounts.number(&member.jid),
        };
        let past = past.map(|past| past.subscriptions).unwrap_or_default();
        let next = if member.is_joined() { member.subscriptions } else { NodeSet::default() };
        turn.outbox.extend(subscription_deltas(past, next).map(|(node, on)| {
            let list = ListId { tag, node };
            Out::Book(if on { Delta::Subscribed(list, no) } else { Delta::Unsubscribed(list, no) })
        }));
    }

    /// groups.md §1 rule 7: the author of a message is told how far it came.
    fn tell_authors(&mut self, asked: &Asked<'_>, notices: &[Notice], done: &[Done], turn: &mut Turn) {
        // Who read something reports that it arrived, too; the author is told of the last.
        let report = done.iter().rev().find_map(|done| match &done.change {
            Change::Reported(report) => Some((&done.name, report)),
            _ => None,
        });
        let Some((name, report)) = report else { return };
        let Some(tag) = self.shelf.tag_of(name) else { return };
        let from = self.service.address_of(name);
        for notice in notices {
            let (row, id) = (self.service.sealer.seal(tag, notice.row), self.fresh_id());
            let message = group_events::notice(notice, report, &asked.actor.account, &from, row, id);
            self.send_shown(Shown::Tell { account: notice.author.clone(), message }, tag, turn);
        }
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
            Answer::History { query, .. } if query.ends_only => QueryKind::Bounds(Box::new(query)),
            Answer::History { query, author } => QueryKind::Page { query: Box::new(query), author },
            Answer::HistoryBounds => QueryKind::Bounds(Box::default()),
            Answer::Group(GroupAnswer::MessageInfo { row, recipients, aggregate }) => {
                let recipients = self.people_of(asked.channel.as_ref(), &recipients);
                QueryKind::MessageInfo { row, recipients, aggregate }
            }
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
            chained: channel.settings().style == Style::Group,
            kind,
        });
    }

    /// The accounts of participant ids.
    pub(super) fn people_of(&self, name: Option<&ChannelName>, ids: &[ParticipantId]) -> Vec<(ParticipantId, BareJid)> {
        let channel = name.and_then(|name| self.shelf.channel(name));
        let person = |id: &ParticipantId| Some((id.clone(), channel?.member_of(id)?.jid.clone()));
        ids.iter().filter_map(person).collect()
    }

    fn needs_error_on_leave(&self, asked: &Asked<'_>) -> bool {
        asked.is_at_bare() && self.hosts.chokes_on_leave(asked.actor.account.domain().as_str())
    }

    /// Shows a change that was applied.
    fn render(&mut self, rendered: Rendered<'_>, turn: &mut Turn) {
        let Rendered { name, change, before, actor, beside } = rendered;
        let Some(channel) = self.shelf.channel(name) else { return };
        let mut shown = Vec::new();
        let mut render = Render {
            service: &self.service,
            channel,
            actor,
            before,
            beside,
            now: self.now,
            dice: &mut self.dice,
            shown: &mut shown,
        };
        EXTENSIONS.iter().for_each(|extension| extension.render(change, &mut render));
        let tag = channel.profile().tag;
        let leavers: Vec<BareJid> = match change {
            Change::Destroyed => roster_of(channel),
            _ => Vec::new(),
        };
        shown.into_iter().for_each(|shown| self.send_shown(shown, tag, turn));
        for account in leavers {
            self.set_roster_item(&account, name, None, turn);
        }
    }

    /// Sends something to whom it is for.
    pub(super) fn send_shown(&mut self, shown: Shown, tag: u64, turn: &mut Turn) {
        let (audience, message, groupchat) = match shown {
            Shown::Mail { account, message } => return turn.send(message.attr("to", account.as_str()).into_xml()),
            Shown::Fan { node, except, message, groupchat } => {
                let except = except.map(|account| self.accounts.number(&account));
                (Audience::List(ListId { tag, node }, except), message, groupchat)
            }
            Shown::Tell { account, message } => {
                let Some(no) = self.accounts.find(&account) else { return };
                (Audience::One(no), message, false)
            }
        };
        let (head, tail) = message.into_halves();
        turn.outbox.push(Out::Fan(Fan { audience, head, tail, groupchat }));
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
