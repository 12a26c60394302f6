//! Calls: decided in the same turns as stanzas, and answered to the caller.

use super::super::{Engine, Turn};
use super::answering::MEMBER_EFFORT;
use super::call::{Addressee, Call, CallResult, Lookup, PEOPLE_MAX};
use super::request::{Asked, Way};
use crate::channel::{Actor, Answer, AnyCommand, Channel, ChannelName, Command, GroupAnswer, Node, Refusal, Role};

impl Engine {
    /// Whether an account may address a channel by its number. Numbers can be guessed, so the channel has to be listed,
    /// or the account has to be known there.
    fn is_found_by(&self, name: &ChannelName, actor: &Actor) -> bool {
        let channel = self.channels.channel(name);
        channel.is_some_and(|it| it.profile().listed || it.role_of(&actor.account, actor.operator) != Role::Outsider)
    }

    pub(in crate::engine) fn call(&mut self, call: Call, turn: &mut Turn) {
        let Call { token, actor, to, command } = call;
        turn.tokens.push(token);
        self.note_act(&actor.account, turn);
        if let Err(refusal) = self.admit_request(&actor) {
            return turn.refuse_call(token, refusal);
        }
        let channel = match to {
            Addressee::Service => None,
            Addressee::Channel(name) => Some(name),
            Addressee::Gid(gid) => {
                match self.channels.shelf().by_gid(gid).filter(|name| self.is_found_by(name, &actor)) {
                    Some(name) => Some(name.clone()),
                    None => return turn.refuse_call(token, Refusal::NoSuchChannel),
                }
            }
        };
        if matches!(command.of_channel(), Some(Command::ReadHistory(_) | Command::HistoryBounds)) {
            let refusal = Refusal::Unsupported("the archive is read over XMPP".into());
            return turn.refuse_call(token, refusal);
        }
        let found = channel.as_ref().and_then(|name| self.channels.channel(name));
        let is_veiled = found.is_some_and(|it| !actor.operator && !it.unveils_to(&actor.account));
        if is_veiled && command != AnyCommand::Channel(Command::Leave) {
            let refusal = Refusal::NotAllowed("this channel hides JIDs, by which people are called here");
            return turn.refuse_call(token, refusal);
        }
        let mut asked = Asked { actor, channel, way: Way::Call(token) };
        if let Some(name) = asked.channel.clone() {
            self.catch_up(&asked.actor.account, &name, turn);
        }
        match self.decide_within_rates(&mut asked, command, turn) {
            Ok(effects) => self.carry_out(asked, effects, turn),
            Err(refusal) => turn.refuse_call(token, refusal),
        }
    }

    /// The result of a call, after its changes are applied.
    fn result_of(&self, channel: Option<&ChannelName>, answer: Answer) -> CallResult {
        let channel = channel.and_then(|name| self.channels.channel(name));
        let gone = matches!(answer, Answer::Destroyed);
        // Members are many, so only a profile request gets them, a page at a time.
        let snapshot = |channel: &Channel| match &answer {
            Answer::Group(GroupAnswer::Profile(slice)) => {
                let count = slice.max.map_or(PEOPLE_MAX, |max| max.min(PEOPLE_MAX));
                channel.snapshot_behind(slice.after.as_deref(), count)
            }
            _ => channel.snapshot(),
        };
        let shown = |node: &Node, ids: &Vec<String>| {
            let item = channel.and_then(|channel| channel.item(*node));
            item.filter(|item| ids.is_empty() || ids.contains(&item.id)).cloned()
        };
        let items = match &answer {
            Answer::Items { node, ids, .. } => shown(node, ids).into_iter().collect(),
            _ => Vec::new(),
        };
        let group = channel.filter(|_| !gone).map(snapshot);
        CallResult { answer, group, items, receipts: Vec::new() }
    }

    /// Answers a call at once, or after a read of the store once the turn is committed.
    pub(in crate::engine) fn answer_call(&mut self, asked: &Asked<'_>, token: u64, answer: Answer, turn: &mut Turn) {
        let tag = asked.channel.as_ref().and_then(|name| self.channels.tag_of(name));
        if matches!(answer, Answer::Group(GroupAnswer::Profile(_))) && !self.may_list(&asked.actor.account) {
            return turn.refuse_call(token, Refusal::Busy);
        }
        let result = self.result_of(asked.channel.as_ref(), answer);
        let people = result.group.as_ref().map_or(0, |group| group.people.len());
        self.charge_list(&asked.actor, MEMBER_EFFORT * people);
        match (&result.answer, tag) {
            (Answer::Group(GroupAnswer::MessageInfo { row, recipients, .. }), Some(tag)) => {
                let (row, recipients, account) = (*row, recipients.clone(), asked.actor.account.clone());
                turn.lookups.push(Lookup { token, account, tag, row, recipients, result });
            }
            _ => turn.results.push((token, Ok(result))),
        }
    }
}
