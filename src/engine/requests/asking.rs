//! A request from its command to its answer.

use super::super::outgoing::outbox::{Delta, EntryNo, ListId, Out, Rank};
use super::super::outgoing::showing::Done;
use super::super::{Engine, Turn};
use super::request::{Asked, Effects, Way};
use crate::channel::command::HistoryQuery;
use crate::channel::{
    Actor, Answer, AnyCommand, Change, Channel, ChannelName, Command, Decision, GroupAnswer, Guest, Member, Node,
    NodeSet, OPEN_INVITATIONS, Refusal, Seats, ServiceCommand, Style,
};
use crate::xep::{List, Request, incoming, invitations};
use crate::xmpp::ns;
use rand::Rng;

impl Engine {
    /// Handles a request that came as a stanza.
    pub(in crate::engine) fn ask(&mut self, mut asked: Asked<'_>, turn: &mut Turn) {
        let Way::Stanza { reply, .. } = &asked.way else { return };
        let reply = reply.clone();
        turn.replies.push(reply.clone());
        self.note_act(&asked.actor.account, turn);
        let is_message = matches!(asked.way, Way::Stanza { extension: None, .. });
        // Cheap checks come before decoding, because the sender chooses how much there is to decode.
        let admitted = if is_message { self.check_speaker(&asked, turn) } else { self.admit_request(&asked.actor) };
        if let (Ok(()), Some(name)) = (&admitted, asked.channel.clone()) {
            self.catch_up(&asked.actor.account, &name, turn);
        }
        let command = admitted.and_then(|()| self.decode(&asked));
        let decided = command.and_then(|command| self.decide_within_rates(&mut asked, command, turn));
        let decided = decided.or_else(|refusal| match refusal {
            // XEP-0405 §2.8: the home server removes the channel from the roster only once the leave succeeds. So
            // leaving succeeds if the account is no participant or the channel is gone.
            Refusal::NotJoined | Refusal::NoSuchChannel if asked.leaves_by_home_server() => {
                Ok(Effects::none(Answer::Left))
            }
            // XEP-0045 §7.4: clients whose session is over enter again over this error, and over no other.
            Refusal::NotJoined if is_message => Err(Refusal::NotOccupant),
            refusal => Err(refusal),
        });
        match decided {
            Ok(effects) => {
                self.trace(reply.id.as_deref(), &effects);
                self.carry_out(asked, effects, turn);
            }
            Err(refusal) => turn.send_refusal(&reply, &asked.refine(refusal)),
        }
    }

    /// Logs the decision, so that a stanza can be traced: a row is sent under its own id.
    fn trace(&self, id: Option<&str>, effects: &Effects) {
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        tracing::debug!(id, changes = effects.changes.len(), "decided");
        for (name, change) in &effects.changes {
            if let (Change::Published(row), Some(tag)) = (change, self.channels.tag_of(name)) {
                let row = self.service.sealer.seal(tag, row.number);
                tracing::debug!(id, row, channel = name.as_str(), "becomes a row");
            }
        }
    }

    fn decode(&self, asked: &Asked<'_>) -> Result<AnyCommand, Refusal> {
        let hidden = asked.channel.as_ref().is_some_and(|name| self.is_hidden(name, &asked.actor));
        let Some(request) = self.request(asked) else { return Err(Refusal::NoSuchService) };
        // A hidden channel is decided on only if the request shows an invitation: the decision checks it.
        if hidden && !invitations::is_shown_by(request.payload) {
            return Err(Refusal::NoSuchChannel);
        }
        let command = match &asked.way {
            Way::Stanza { extension: Some(extension), .. } => extension.decode(&request),
            _ => incoming::decode(&request).map(AnyCommand::from),
        };
        command.map_err(|refusal| if hidden { Refusal::NoSuchChannel } else { refusal })
    }

    /// Whether the channel does not exist, or the asker may not know of it. Both are answered alike, whatever else is
    /// wrong with the request (groups.md §1 rule 11).
    pub(in crate::engine) fn is_hidden(&self, name: &ChannelName, actor: &Actor) -> bool {
        self.is_locked_for(name, actor) || self.channels.channel(name).is_none_or(|it| it.is_hidden_from(actor))
    }

    /// The decision, after the rates of messages and invitations.
    pub(in crate::engine) fn decide_within_rates(
        &mut self,
        asked: &mut Asked<'_>,
        command: AnyCommand,
        turn: &mut Turn,
    ) -> Result<Effects, Refusal> {
        let is_stanza = matches!(asked.way, Way::Stanza { extension: None, .. });
        // Messages were counted when they came in.
        let is_paced = is_stanza || (matches!(asked.way, Way::Call(_)) && command.message().is_some());
        let publishes = matches!(command.of_channel(), Some(Command::Publish(_) | Command::Announce(_)));
        let wants_voice = matches!(command.of_channel(), Some(Command::RequestVoice));
        if let Some(command) = command.of_channel() {
            self.admit_in_room(&asked.actor, asked.channel.as_ref(), command)?;
        }
        self.charge_request(&asked.actor, if is_stanza { 1 } else { command.cost() });
        let people = command.people(&asked.actor.account);
        self.admit_invitations(&asked.actor, people)?;
        let effects = self.decide(asked, command, turn)?;
        if !effects.changes.is_empty() {
            self.charge_invitations(&asked.actor, people);
        }
        match &asked.channel {
            Some(name) if publishes && !is_paced && !effects.changes.is_empty() => {
                self.admit_message(&asked.actor, name)?
            }
            Some(name) if wants_voice && !effects.changes.is_empty() => {
                self.note_voice_request(name, &asked.actor.account)
            }
            _ => {}
        }
        Ok(effects)
    }

    /// The decision. `asked.channel` becomes the channel that the command is about.
    pub(in crate::engine) fn decide(
        &mut self,
        asked: &mut Asked<'_>,
        command: AnyCommand,
        turn: &mut Turn,
    ) -> Result<Effects, Refusal> {
        let is_of_an_end = matches!(
            command,
            AnyCommand::Channel(Command::EndAccount) | AnyCommand::Service(ServiceCommand::Account(_))
        );
        if !is_of_an_end && self.channels.is_ending(&asked.actor.account) {
            // The name's next owner waits until the old account is ended everywhere.
            return Err(Refusal::Busy);
        }
        match command {
            AnyCommand::Service(command) => self.decide_at_service(asked, command, turn),
            AnyCommand::Channel(command) => self.decide_at_channel(asked, command),
        }
    }

    /// The decision about a request to one channel.
    fn decide_at_channel(&mut self, asked: &mut Asked<'_>, command: Command) -> Result<Effects, Refusal> {
        if command == Command::EndAccount {
            return self.take_end(asked);
        }
        let name = asked.channel.clone().ok_or(Refusal::NoSuchService)?;
        let is_group = self.channels.channel(&name).is_some_and(|it| it.settings().style == Style::Group);
        let command = match command {
            // In a group, the first and last row depend on the asker.
            Command::HistoryBounds if is_group => {
                Command::ReadHistory(HistoryQuery { ends_only: true, max: 1, ..HistoryQuery::default() })
            }
            Command::CancelRoom if self.is_locked(&name) => Command::Destroy,
            command => command,
        };
        let settles = matches!(command, Command::ConfigureRoom(_));
        let asks = command == Command::DescribeRoom;
        let own = self.own_event(&name, &command, self.now);
        let mut effects = self.decide_in(&name, &asked.actor, command)?;
        if !effects.changes.is_empty() {
            effects.own.extend(own);
        }
        if asks {
            self.note_form_asked(&name);
        }
        if settles && !effects.is_part {
            // It is open once that is stored.
            self.occupants.note_settled(&name);
        }
        Ok(effects)
    }

    pub(in crate::engine) fn decide_in(
        &mut self,
        name: &ChannelName,
        actor: &Actor,
        command: Command,
    ) -> Result<Effects, Refusal> {
        if self.is_locked_for(name, actor) {
            return Err(Refusal::NoSuchChannel);
        }
        self.channels.touch(name, self.due);
        let tag = self.channels.channel(name).ok_or(Refusal::NoSuchChannel)?.profile().tag;
        let decided = self.in_context(tag, |channels, context| {
            channels.channel(name).ok_or(Refusal::NoSuchChannel)?.decide(actor, command, context)
        });
        if matches!(decided, Err(Refusal::TooMany { what: OPEN_INVITATIONS, .. })) {
            self.requests.invitation_hits.hit(actor.account.domain().as_str());
        }
        let Decision { changes, answer, is_part } = decided?;
        let changes = changes.into_iter().map(|change| (name.clone(), change)).collect();
        Ok(Effects { changes, is_part, ..Effects::none(answer) })
    }

    /// Applies a decision, answers it, and shows the changes to those they concern.
    pub(in crate::engine) fn carry_out(&mut self, asked: Asked<'_>, effects: Effects, turn: &mut Turn) {
        if effects.is_part {
            return self.carry_out_part(&asked, effects, turn);
        }
        let Effects { changes, answer, registrations, set_off, own, ending, is_part: _ } = effects;
        self.notice_asker(&asked, &answer, turn);
        // The answer is sent before the notifications.
        let ahead = std::mem::take(&mut turn.outbox);
        for (account, nick) in registrations {
            self.register(account, nick, turn);
        }
        if let Some(deed) = set_off {
            self.set_off(&asked.actor.account, deed, turn);
            self.begin_at_once(turn);
        }
        if let Some((account, erases)) = ending {
            self.begin_ending(account, erases, turn);
        }
        self.note_choice(&asked.actor.account, &changes, turn);
        let since = turn.records.len();
        let ruled = self.begin_ruling(&asked, &answer, &changes);
        self.apply_and_show(Some(&asked.actor.account), changes, turn);
        let mut shown = std::mem::replace(&mut turn.outbox, ahead);
        // Whoever is put out is told before whoever asked for it (XEP-0045 §8.2).
        turn.outbox.extend(self.end_ruling(&asked, &ruled, &mut shown));
        self.keep_roster(&asked, &answer, turn);
        let notices = match &answer {
            Answer::Group(GroupAnswer::Reported(notices)) => notices.clone(),
            _ => Vec::new(),
        };
        self.answer(&asked, answer, turn);
        self.tell_authors(&asked, &notices, since, turn);
        turn.outbox.extend(shown);
        for (name, event) in own {
            self.tell_own_devices(&asked.actor.account, &name, event, turn);
        }
    }

    /// Applies a change to memory and to the address book. `None` if the channel does not exist.
    pub(in crate::engine) fn apply(&mut self, name: &ChannelName, change: &Change, turn: &mut Turn) -> Option<Done> {
        self.note_name(name, change, turn);
        let channel = self.channels.channel(name)?;
        let tag = channel.profile().tag;
        let nodes = |channel: &Channel| channel.nodes().collect::<NodeSet>();
        let nodes_before = matches!(change, Change::Configured(_)).then(|| nodes(channel));
        let past = change.member().and_then(|member| channel.member(&member.jid)).cloned();
        if let Some(member) = change.member() {
            self.seat(tag, past.as_ref(), member, turn);
        }
        if let Change::GuestSet { guest, .. } = change {
            self.seat_guest(tag, name, guest, turn);
        }
        self.channels.apply(name, tag, change, self.due);
        let guest = match change {
            Change::GuestSet { guest, .. } => Some(&guest.jid),
            _ => None,
        };
        if let Some(account) = change.member().map(|member| &member.jid).or(guest)
            && self.occupants.seats(tag).is_seated(account)
        {
            self.follow_seat(tag, account, &mut turn.outbox);
        }
        let nodes_after = nodes_before.and(self.channels.channel(name)).map(nodes);
        let nodes_gone = nodes_before.unwrap_or_default().without(nodes_after.unwrap_or_default());
        if change.is_of_video() {
            turn.videos.push((tag, name.clone()));
        }
        Some(Done { tag, before: past.as_ref().map(|past| past.status), was: past, nodes_gone })
    }

    /// Updates the address book for a participant that joined, left or changed its subscriptions.
    fn seat(&mut self, tag: u64, past: Option<&Member>, member: &Member, turn: &mut Turn) {
        let past = past.filter(|past| past.is_joined());
        let no = match (past, member.is_joined()) {
            (None, false) => return,
            (None, true) => {
                let (no, unknown) = self.people.seat(&member.jid, false, &mut turn.outbox);
                unknown.iter().for_each(|full| self.ask_resource(full, turn));
                no
            }
            (Some(_), _) => self.people.number(&member.jid),
        };
        let listed = |it: &Member| (Rank::of(it.since, &it.id), it.subscriptions);
        let past = past.map(listed).unwrap_or_default();
        let next = Some(member).filter(|member| member.is_joined()).map(listed).unwrap_or_default();
        if next.1.without(past.1).contains(Node::Presence) {
            self.presence.owe(tag, &member.jid);
        }
        turn.outbox.extend(subscription_deltas(tag, no, past, next));
    }

    /// Updates the address book for a guest.
    fn seat_guest(&mut self, tag: u64, name: &ChannelName, guest: &Guest, turn: &mut Turn) {
        let past = self.channels.channel(name).and_then(|channel| channel.guest(&guest.jid));
        let listed = |it: &Guest| (Rank::of_guest(it.since, &it.jid), it.subscriptions);
        let (past, next) = (past.map(listed).unwrap_or_default(), listed(guest));
        let no = match self.people.accounts().find_guest(&guest.jid).filter(|_| !past.1.is_empty()) {
            Some(no) => no,
            None => {
                let (no, unknown) = self.people.seat(&guest.jid, true, &mut turn.outbox);
                unknown.iter().for_each(|full| self.ask_resource(full, turn));
                no
            }
        };
        if next.1.without(past.1).contains(Node::Presence) {
            self.presence.owe(tag, &guest.jid);
        }
        turn.outbox.extend(subscription_deltas(tag, no, past, next));
    }

    /// The request as extensions see it. `None` for a call.
    pub(in crate::engine) fn request<'a>(&'a self, asked: &'a Asked<'_>) -> Option<Request<'a>> {
        let Way::Stanza { reply, payload, set, .. } = &asked.way else { return None };
        Some(Request {
            service: &self.service,
            actor: &asked.actor,
            at: &reply.from,
            channel: asked.channel.as_ref().and_then(|name| self.channels.channel(name)),
            set: *set,
            payload,
            delegated: reply.delegated.is_some(),
            by_home_server: reply.delegated.is_none() && reply.to.is_bare(),
            as_room: payload.has_ns(ns::MAM) && self.asks_as_room(asked),
            live: self
                .channels
                .live((self.now, self.due), self.occupants.known_in(self.tag_of(asked.channel.as_ref()))),
            id: reply.id.as_deref(),
        })
    }

    /// Who sits in the room that a channel is.
    pub(in crate::engine) fn seats_of(&self, name: Option<&ChannelName>) -> &Seats {
        self.occupants.seats(self.tag_of(name))
    }

    /// The tag of a channel; 0, which none has, where there is no such channel.
    fn tag_of(&self, name: Option<&ChannelName>) -> u64 {
        name.and_then(|name| self.channels.tag_of(name)).unwrap_or_default()
    }

    /// An id for a stanza of the service's own.
    pub(in crate::engine) fn fresh_id(&mut self) -> String {
        self.fresh_id_of(0)
    }

    /// A fresh id for a stanza that a channel sends and that has no row.
    pub(in crate::engine) fn fresh_id_of(&mut self, tag: u64) -> String {
        self.service.sealer.mark(tag, self.dice.random())
    }
}

/// What an entry of the address book subscribes to, and its place on those lists.
type Listed = (Rank, NodeSet);

/// The changes in the address book between two sets of subscriptions. Who gets another place is listed anew.
fn subscription_deltas(tag: u64, no: EntryNo, past: Listed, next: Listed) -> impl Iterator<Item = Out> {
    let stays = if past.0 == next.0 { past.1.without(past.1.without(next.1)) } else { NodeSet::default() };
    let list = move |node| ListId { tag, list: List::Node(node) };
    let gone = past.1.without(stays).iter().map(move |node| Delta::Removed(list(node), (past.0, no)));
    let new = next.1.without(stays).iter().map(move |node| Delta::Added(list(node), (next.0, no)));
    gone.chain(new).map(Out::Book)
}
