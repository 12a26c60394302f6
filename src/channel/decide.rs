//! What a command leads to: every rule of a channel, in one place, without effect.

use super::command::HistoryQuery;
use super::{
    Action, Actor, Answer, Change, Channel, Command, Context, Decision, Item, Member, Message, Nick, Node, NodeSet,
    Own, ParticipantId, Refusal, Row, RowKind, Status, change::Relay,
};

type Outcome = Result<Decision, Refusal>;

impl Channel {
    /// Decides a command of `actor`; nothing is changed until the decision is applied.
    ///
    /// # Errors
    /// A [`Refusal`] that says which rule stands against it.
    pub fn decide(&self, actor: &Actor, command: Command, context: &mut Context<'_>) -> Outcome {
        match command {
            Command::Join { nick, subscribe } => self.join(actor, nick, subscribe, context),
            Command::Leave => self.leave(actor, context),
            Command::SetNick { nick } => self.set_nick(actor, nick, context),
            Command::UpdateSubscription { subscribe, unsubscribe } => {
                self.update_subscription(actor, subscribe, unsubscribe)
            }
            Command::Publish(message) => self.publish(actor, message, context),
            Command::SetItem { node, item } => self.set_item(actor, node, item, context),
            Command::ReadItems { node, ids, slice } => {
                self.require(actor, action_of_reading(node))?;
                Ok(Decision::answer(Answer::Items { node, ids, slice }))
            }
            Command::Describe => self.allowed(actor, Action::See, Answer::Description),
            Command::ListNodes => self.allowed(actor, Action::See, Answer::Nodes),
            Command::ReadHistory(query) => self.read_history(actor, query),
            Command::HistoryBounds => self.allowed(actor, Action::ReadHistory, Answer::HistoryBounds),
            Command::HistoryForm => self.allowed(actor, Action::ReadHistory, Answer::HistoryForm),
            Command::Destroy { .. } => {
                self.require(actor, Action::Destroy)?;
                Ok(Decision { changes: vec![Change::Destroyed], answer: Answer::Destroyed })
            }
            Command::Ping => Ok(Decision::answer(Answer::Pong)),
            Command::Group(_) | Command::RetractItem { .. } | Command::PutOnList { .. } | Command::MakeList { .. } => {
                Err(Refusal::NoSuchService)
            }
            Command::CreateGroup(_) | Command::ListGroups { .. } | Command::ClearAll => {
                Err(Refusal::BadRequest("ask the service for this, not a channel".into()))
            }
            Command::Create { .. } | Command::ListChannels(_) | Command::DescribeService { .. } | Command::Version => {
                Err(Refusal::BadRequest("ask the service for this, not a channel".into()))
            }
        }
    }

    /// Refuses what the role of `actor` does not allow.
    fn require(&self, actor: &Actor, action: Action) -> Result<(), Refusal> {
        let role = self.role_of(&actor.account, actor.operator);
        if role.may(action) {
            return Ok(());
        }
        Err(match action {
            Action::Destroy => Refusal::NotAllowed("only an owner may destroy the channel"),
            Action::Describe => Refusal::Forbidden("only an owner may change the information of the channel"),
            _ => Refusal::NotJoined,
        })
    }

    fn allowed(&self, actor: &Actor, action: Action, answer: Answer) -> Outcome {
        self.require(actor, action).map(|()| Decision::answer(answer))
    }

    fn seat(&self, actor: &Actor) -> Result<&Member, Refusal> {
        self.participant(&actor.account).ok_or(Refusal::NotJoined)
    }

    fn join(&self, actor: &Actor, nick: Option<Nick>, subscribe: NodeSet, context: &mut Context<'_>) -> Outcome {
        self.require(actor, Action::Join)?;
        if let Some(seated) = self.participant(&actor.account) {
            return self.join_again(seated, nick, subscribe, context);
        }
        if self.participant_count() >= context.limits.participants_max {
            return Err(Refusal::TooMany { what: "participants", max: context.limits.participants_max });
        }
        let past = self.member(&actor.account);
        let nick = match nick {
            Some(nick) => self.free_nick(actor, nick, context)?,
            None => self.choose_nick(actor, past.map(|past| past.nick.clone()), context),
        };
        let mut windows = past.map(|past| past.windows.clone()).unwrap_or_default();
        match windows.last_mut() {
            // Nothing was missed: the same stay goes on, so that coming and going costs no memory.
            Some(window) if window.1 == Some(self.head().row) => window.1 = None,
            _ => windows.push((self.head().row + 1, None)),
        }
        let member = Member {
            id: past.map_or_else(|| ParticipantId::random(context.dice), |past| past.id.clone()),
            jid: actor.account.clone(),
            nick: nick.clone(),
            status: Status::Joined,
            since: context.now,
            subscriptions: subscribe,
            windows,
            own: past.map(|past| Own { forgotten: false, ..past.own.clone() }).unwrap_or_default(),
        };
        let answer = Answer::Joined { id: member.id.clone(), nick, subscribed: subscribe };
        Ok(Decision { changes: vec![Change::Joined(member)], answer })
    }

    /// A join of somebody who is in: more subscriptions, perhaps another nick, and the same id.
    fn join_again(
        &self,
        seated: &Member,
        nick: Option<Nick>,
        subscribe: NodeSet,
        context: &mut Context<'_>,
    ) -> Outcome {
        let mut member = seated.clone();
        let mut changes = Vec::new();
        subscribe.iter().for_each(|node| member.subscriptions.insert(node));
        if member.subscriptions != seated.subscriptions {
            changes.push(Change::Subscribed(member.clone()));
        }
        if let Some(nick) = nick.filter(|nick| *nick != seated.nick) {
            let actor = Actor { account: seated.jid.clone(), operator: false };
            member.nick = self.free_nick(&actor, nick, context)?;
            changes.push(Change::Renamed(member.clone()));
        }
        let answer = Answer::Joined { id: member.id, nick: member.nick, subscribed: subscribe };
        Ok(Decision { changes, answer })
    }

    fn leave(&self, actor: &Actor, context: &mut Context<'_>) -> Outcome {
        let mut member = self.seat(actor)?.clone();
        member.status = Status::Left;
        member.since = context.now;
        member.subscriptions = NodeSet::default();
        if let Some(window) = member.windows.last_mut() {
            window.1 = Some(self.head().row);
        }
        Ok(Decision { changes: vec![Change::Left(member)], answer: Answer::Left })
    }

    fn set_nick(&self, actor: &Actor, nick: Option<Nick>, context: &mut Context<'_>) -> Outcome {
        let seated = self.seat(actor)?;
        let nick = match nick {
            Some(nick) => self.free_nick(actor, nick, context)?,
            None => self.choose_nick(actor, Some(seated.nick.clone()), context),
        };
        let answer = Answer::Nick(nick.clone());
        if nick == seated.nick {
            return Ok(Decision::answer(answer));
        }
        Ok(Decision { changes: vec![Change::Renamed(Member { nick, ..seated.clone() })], answer })
    }

    /// The nick, if it is short enough and nobody else's.
    fn free_nick(&self, actor: &Actor, nick: Nick, context: &Context<'_>) -> Result<Nick, Refusal> {
        if nick.as_str().len() > context.limits.nick_bytes_max {
            return Err(Refusal::TooLong { what: "the nick", max: context.limits.nick_bytes_max });
        }
        match self.holder_of(&nick) {
            Some(holder) if *holder != actor.account => Err(Refusal::NickTaken),
            _ => Ok(nick),
        }
    }

    /// The wish, or the localpart of the account, with a number behind it where it is taken.
    fn choose_nick(&self, actor: &Actor, wish: Option<Nick>, context: &Context<'_>) -> Nick {
        let max = context.limits.nick_bytes_max;
        let wish = wish.unwrap_or_else(|| Nick::for_account(&actor.account)).cut(max);
        let is_free = |nick: &Nick| self.holder_of(nick).is_none_or(|holder| *holder == actor.account);
        if is_free(&wish) {
            return wish;
        }
        // One of participants + 1 numbers is free.
        let numbers = 2..=self.participant_count() as u64 + 2;
        numbers.map(|n| wish.numbered(n, max)).find(is_free).unwrap_or(wish)
    }

    fn update_subscription(&self, actor: &Actor, subscribe: NodeSet, unsubscribe: NodeSet) -> Outcome {
        let seated = self.seat(actor)?;
        let mut member = seated.clone();
        subscribe.iter().for_each(|node| member.subscriptions.insert(node));
        unsubscribe.iter().for_each(|node| member.subscriptions.remove(node));
        let changed = member.subscriptions != seated.subscriptions;
        let changes = if changed { vec![Change::Subscribed(member)] } else { Vec::new() };
        Ok(Decision { changes, answer: Answer::Subscriptions { subscribe, unsubscribe } })
    }

    fn publish(&self, actor: &Actor, message: Message, context: &mut Context<'_>) -> Outcome {
        let author = self.seat(actor)?;
        if message.payload.len() > context.limits.payload_bytes_max {
            return Err(Refusal::TooLong { what: "the message", max: context.limits.payload_bytes_max });
        }
        for id in [&message.stanza_id, &message.origin_id].into_iter().flatten() {
            if id.len() > context.limits.id_bytes_max {
                return Err(Refusal::TooLong { what: "the id", max: context.limits.id_bytes_max });
            }
        }
        if !message.archived {
            let relay = Relay { author: author.id.clone(), message };
            return Ok(Decision { changes: vec![Change::Relayed(relay)], answer: Answer::Taken });
        }
        let repeated = message.origin_id.as_deref().and_then(|id| self.recent.find(&author.id, id, context.now));
        if let Some(row) = repeated {
            return Ok(Decision::answer(Answer::Repeat { row }));
        }
        let head = self.head();
        let row = Row {
            number: head.row + 1,
            stamp: context.now.max(head.stamp),
            author: author.id.clone(),
            ordinal: head.ordinal + u64::from(message.counted),
            counted: message.counted,
            kind: if message.retracts { RowKind::Retraction } else { RowKind::Message },
            media: message.media,
            corrects: message.corrects.is_some(),
            target: message.target.filter(|&target| target <= head.row),
            nick: author.nick.as_str().to_owned(),
            stanza_id: message.stanza_id,
            origin_id: message.origin_id,
            lang: message.lang,
            payload: message.payload,
        };
        Ok(Decision { changes: vec![Change::Published(row)], answer: Answer::Taken })
    }

    fn set_item(&self, actor: &Actor, node: Node, mut item: Item, context: &mut Context<'_>) -> Outcome {
        if node != Node::Info {
            return Err(Refusal::NotAllowed("this node changes by joining, leaving and sending only"));
        }
        self.require(actor, Action::Describe)?;
        if item.payload.len() > context.limits.info_bytes_max {
            return Err(Refusal::TooLong { what: "the item", max: context.limits.info_bytes_max });
        }
        // XEP-0369 §4.7.4: the item is named by the time at which it was made.
        item.id = context.now.to_xmpp();
        item.stamp = context.now;
        let answer = Answer::ItemSet { node, id: item.id.clone() };
        Ok(Decision { changes: vec![Change::ItemSet { node, item }], answer })
    }

    fn read_history(&self, actor: &Actor, mut query: HistoryQuery) -> Outcome {
        self.require(actor, Action::ReadHistory)?;
        let newest = self.head().row;
        let named = query.ids.iter().flatten().chain(&query.after).chain(&query.before);
        if query.names_unknown_row || named.into_iter().any(|&row| row == 0 || row > newest) {
            return Err(Refusal::NoSuchItem);
        }
        let before = query.before.unwrap_or(u64::MAX).min(newest + 1);
        query.before = Some(before);
        let author = match &query.with {
            Some(with) => match self.member(with) {
                Some(member) => Some(member.id.clone()),
                None => {
                    query.of_empty_node = true;
                    None
                }
            },
            None => None,
        };
        Ok(Decision::answer(Answer::History { query, author }))
    }
}

fn action_of_reading(node: Node) -> Action {
    match node {
        Node::Info | Node::AvatarMetadata | Node::AvatarData | Node::Video => Action::See,
        Node::Messages | Node::Participants => Action::ListParticipants,
        Node::Allowed | Node::Banned | Node::Config => Action::Describe,
    }
}
