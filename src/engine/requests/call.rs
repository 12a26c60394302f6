//! Commands that come by another door than stanzas, and their results.
//!
//! They are the same commands, decided in the same turn as stanzas and stored with them; a result leaves, like
//! everything else, only once the turn is durable.

use super::super::{Engine, Turn};
use super::answering::{EFFORT_MAX, MEMBER_EFFORT};
use super::parley::{Asked, Effects, Way};
use crate::channel::group::Recipient;
use crate::channel::{
    Actor, Answer, AnyCommand, Channel, ChannelName, Command, GroupAnswer, Item, Node, Receipt, Refusal, Role, Snapshot,
};
use jid::BareJid;

/// How many people of a channel one result tells of, at most.
const PEOPLE_MAX: usize = 500;

/// Something asked of the service or of one channel.
#[derive(Clone, Debug)]
pub struct Call {
    /// The caller's mark for the result.
    pub token: u64,
    /// Who asks.
    pub actor: Actor,
    /// What it is asked of.
    pub to: Addressee,
    /// What is asked.
    pub command: AnyCommand,
}

/// What a call is asked of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// The service.
    Service,
    /// A channel by its localpart.
    Channel(ChannelName),
    /// A channel by its number.
    Gid(u32),
}

/// What a call leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct CallResult {
    /// What the asker is told; lists of groups are in here.
    pub answer: Answer,
    /// The channel right after, with some of its people where its profile was asked for; absent where it is gone and where
    /// the service was asked.
    pub group: Option<Snapshot>,
    /// The items that were asked for.
    pub items: Vec<Item>,
    /// The recipients of the row that was asked for, in the order of accounts, and when it came at each.
    pub receipts: Vec<(BareJid, Receipt)>,
}

/// A result that lacks what only the store knows: who reported a row when.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The caller's mark.
    pub token: u64,
    /// Who asks.
    pub account: BareJid,
    /// The channel's tag.
    pub tag: u64,
    /// The row.
    pub row: u64,
    /// Its recipients.
    pub recipients: Vec<Recipient>,
    /// The result so far.
    pub result: CallResult,
}

/// A result, by the mark of its call.
pub type Called = (u64, Result<CallResult, Refusal>);

impl Engine {
    /// Whether a number is enough for somebody to find a channel: numbers can be guessed, and what is on no list is for
    /// those who were told its name.
    fn is_found_by(&self, name: &ChannelName, actor: &Actor) -> bool {
        let channel = self.channels.shelf.channel(name);
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
                match self.channels.shelf.by_gid(gid).filter(|name| self.is_found_by(name, &actor)) {
                    Some(name) => Some(name.clone()),
                    None => return turn.refuse_call(token, Refusal::NoSuchChannel),
                }
            }
        };
        if matches!(command.of_channel(), Some(Command::ReadHistory(_) | Command::HistoryBounds)) {
            let refusal = Refusal::Unsupported("the archive is read over XMPP".into());
            return turn.refuse_call(token, refusal);
        }
        let found = channel.as_ref().and_then(|name| self.channels.shelf.channel(name));
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

    /// The result of a call whose changes are applied.
    fn result_of(&self, channel: Option<&ChannelName>, answer: Answer) -> CallResult {
        let channel = channel.and_then(|name| self.channels.shelf.channel(name));
        let gone = matches!(answer, Answer::Destroyed);
        // There may be many: who does not ask for them does not pay for them, and who does gets some at a time.
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

    /// Answers a call, at once or by a look into the store after the turn.
    pub(in crate::engine) fn answer_call(&self, asked: &Asked<'_>, token: u64, answer: Answer, turn: &mut Turn) {
        let tag = asked.channel.as_ref().and_then(|name| self.channels.shelf.tag_of(name));
        if matches!(answer, Answer::Group(GroupAnswer::Profile(_))) && turn.effort > EFFORT_MAX {
            return turn.refuse_call(token, Refusal::Busy);
        }
        let result = self.result_of(asked.channel.as_ref(), answer);
        turn.effort += MEMBER_EFFORT * result.group.as_ref().map_or(0, |group| group.people.len());
        match (&result.answer, tag) {
            (Answer::Group(GroupAnswer::MessageInfo { row, recipients, .. }), Some(tag)) => {
                let (row, recipients, account) = (*row, recipients.clone(), asked.actor.account.clone());
                turn.lookups.push(Lookup { token, account, tag, row, recipients, result });
            }
            _ => turn.results.push((token, Ok(result))),
        }
    }
}

impl Effects {
    /// Nothing happens to anything; the asker is told this.
    pub(in crate::engine) fn none(answer: Answer) -> Effects {
        let (changes, registrations, own) = (Vec::new(), Vec::new(), Vec::new());
        Effects { changes, answer, registrations, set_off: None, own, ending: None, is_part: false }
    }
}
