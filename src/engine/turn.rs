//! A turn's inputs and outputs.

use super::channels::arrival::Leaving;
use super::channels::gone::GonePast;
use super::channels::tours::Touring;
use super::occupants::ends::SeatPast;
use super::occupants::gathering::Rounds;
use super::occupants::watchers::Stir;
use super::outgoing::outbox::{Audience, Fan, Lasting};
use super::requests::call::{Call, Called, Lookup};
use super::requests::operating::AnnouncingStep;
use super::share::Hit;
use super::{Memory, Out, Query, Step};
use crate::channel::{AccountMark, Change, ChannelName, Ending, Newcomer, Nick, Refusal};
use crate::store::{Deed, Halves, Outdated, Part, Record, Unsent};
use crate::xep::Reply;
use crate::xmpp::{Stanza, StanzaError, Tag, Unreadable};
use jid::{BareJid, FullJid, Jid};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An input.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// A stanza.
    Stanza(Stanza),
    /// A stanza that cannot be parsed. Its sender gets an error.
    Unreadable(Unreadable),
    /// A stanza or call that is refused unread, because of a rate or for lack of room.
    Refused(Box<(Inbound, Refusal)>),
    /// A command that came as a call.
    Call(Box<Call>),
    /// What an earlier process stored and may not have sent. It comes alone, before anything else.
    Resend(Vec<Unsent>),
    /// Rows of these channels are expired.
    Expired(Vec<Outdated>),
    /// The operator confirms the clock.
    ClockConfirmed,
    /// The rows of this account are erased in these channels, in the store.
    Erased(BareJid, Vec<ChannelName>),
    /// The link to the host server came up.
    LinkUp,
    /// The link of an earlier process goes on in this one, with what that process knew.
    LinkKept(Box<Memory>),
    /// The link went down.
    LinkDown,
    /// About a second passed.
    Tick,
    /// Something that an earlier turn began goes on.
    GoOn(Step),
}

/// The result of a turn. The contract: nothing in `outbox` is sent before `records` are durable.
#[derive(Debug, Default)]
pub struct Turn {
    /// To be stored, in order.
    pub records: Vec<Record>,
    /// To be sent, in order.
    pub outbox: Vec<Out>,
    /// Requests to be answered from the archive, after the commit.
    pub queries: Vec<Query>,
    /// Results of calls, to be returned after the commit. If it is refused, see [`Turn::refused`].
    pub results: Vec<Called>,
    /// Results of calls that need a read of the store, after the commit.
    pub lookups: Vec<Lookup>,
    /// The number under which the store keeps what is sent about the records, if anything.
    pub parcel: Option<u64>,
    /// What is sent about the records so far.
    pub(super) unsent: Vec<Part>,
    /// Channels whose video changed or was removed. Their files are checked after the commit.
    pub videos: Vec<(u64, ChannelName)>,
    /// Inputs for turns that follow right after this one.
    pub next: Vec<Inbound>,
    /// Inputs that have to wait, with their index in the batch. They come before newer ones.
    pub deferred: Vec<(usize, Inbound)>,
    /// Who waits for seats to end, and in which channel: what the same client sends there behind that waits as well.
    pub(super) put_off: BTreeSet<(Jid, Option<String>)>,
    /// The state of tours before the turn, in order.
    pub(super) tours_past: Vec<((BareJid, Deed), Option<Touring>)>,
    /// Tours that were done early in a channel.
    pub(super) early: Vec<((BareJid, Deed), ChannelName)>,
    /// Registered nicks before the turn, in order.
    pub(super) nicks_past: Vec<(BareJid, Option<Nick>)>,
    /// Endings of accounts before the turn, in order.
    pub(super) endings_past: Vec<(BareJid, Option<Ending>)>,
    /// Newcomers before the turn, in order.
    pub(super) newcomers_past: Vec<(BareJid, Option<Newcomer>)>,
    /// What was left of destroyed channels before the turn, in order.
    pub(super) gone_past: Vec<GonePast>,
    /// How many accounts of names had ended before the turn, in order.
    pub(super) ended_past: Vec<(AccountMark, u32)>,
    /// Roster items that the turn removes, in order.
    pub(super) left_rosters: Vec<Leaving>,
    /// The turn's steps of announcements, in order.
    pub(super) announced: Vec<AnnouncingStep>,
    /// The tokens of all calls of the turn.
    pub(super) tokens: Vec<u64>,
    /// About how many stanzas of initial presence were delivered so far.
    pub(super) flood: usize,
    /// What stood for accounts in rooms before the turn, in order.
    pub(super) seats_past: Vec<SeatPast>,
    /// Clients that entered rooms by what the turn's commit decides, with the rooms' tags.
    pub(super) entered: Vec<(u64, FullJid)>,
    /// What those who watch rooms were told, with the rooms' tags and who was told.
    pub(super) indicated: Vec<(u64, Stir, Vec<u64>)>,
    /// Clients that are about to enter rooms.
    pub(super) rounds: Rounds,
    /// The channels that the records change, and how many records were looked at for that.
    pub(super) changed: (BTreeSet<u64>, usize),
    /// Who pays for what rooms are told of what it does to others.
    pub(super) payer: Option<BareJid>,
    /// What people of MIX are told of those who pass by in rooms.
    pub(super) passing: Vec<(ChannelName, Change)>,
    /// Queries of the service, which are sent even if the commit is refused.
    pub(super) questions: Vec<String>,
    /// Shares that were hit, for the log and metrics.
    pub hits: Vec<Hit>,
    /// Reasons of refusals, for metrics.
    pub refusals: Vec<Reason>,
    /// Requests to answer with an error if the commit is refused.
    pub(super) replies: Vec<Arc<Reply>>,
}

/// Why something was refused, as one of few names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    /// The name.
    pub name: &'static str,
    /// What it concerns, if the name does not say. Otherwise empty.
    pub what: &'static str,
}

impl Reason {
    /// Too much is waiting.
    pub const BUSY: Reason = Reason { name: "busy", what: "" };
    /// The store failed.
    pub const STORE_FAILED: Reason = Reason { name: "internal", what: "" };
}

impl From<&Refusal> for Reason {
    fn from(refusal: &Refusal) -> Reason {
        let (name, what) = refusal.reason();
        Reason { name, what }
    }
}

impl Turn {
    /// How many requests get an error if the commit is refused.
    pub fn asked(&self) -> usize {
        self.replies.len() + self.tokens.len()
    }

    /// The results of the turn's calls if the commit is refused.
    pub fn refused(&self) -> Vec<Called> {
        self.tokens.iter().map(|&token| (token, Err(Refusal::Internal))).collect()
    }

    pub(super) fn send(&mut self, stanza: String) {
        self.outbox.push(Out::Stanza(stanza));
    }

    /// Answers a request. An answer to a home server keeps its order with what the channel sends.
    pub(super) fn reply(&mut self, reply: &Reply, text: String) {
        self.outbox.push(match &reply.delegated {
            Some(wrapping) => Out::About { channel: wrapping.channel.clone(), text },
            None => Out::Stanza(text),
        });
    }

    pub(super) fn fan(&mut self, audience: Audience, stanza: Halves, lasting: Lasting) {
        let Halves { head, tail, groupchat } = stanza;
        let (presence, decided, charge) = (false, true, None);
        self.outbox.push(Out::Fan(Fan { audience, head, tail, groupchat, presence, decided, lasting, charge }));
    }

    /// Delivers a channel's presence to one address.
    pub(super) fn tell(&mut self, presence: Tag) {
        self.outbox.push(Out::Presence(presence.into_xml()));
    }

    /// Delivers a channel's presence to an audience.
    pub(super) fn tell_all(&mut self, audience: Audience, Halves { head, tail, groupchat }: Halves) {
        let (presence, decided, lasting, charge) = (true, false, Lasting::Kept, None);
        self.outbox.push(Out::Fan(Fan { audience, head, tail, groupchat, presence, decided, lasting, charge }));
    }

    /// Whether the turn's commit changes a channel, as far as is decided.
    pub(super) fn changes(&mut self, tag: u64) -> bool {
        let (changed, looked_at) = &mut self.changed;
        for record in &self.records[*looked_at..] {
            if let Record::Channel { tag, .. } = record {
                changed.insert(*tag);
            }
        }
        *looked_at = self.records.len();
        changed.contains(&tag)
    }

    /// The presence that was delivered since says what the turn's commit decides, so it goes with it.
    pub(super) fn decide_since(&mut self, since: usize) {
        for out in &mut self.outbox[since..] {
            if let Out::Fan(fan) = out {
                fan.decided = true;
            }
        }
    }

    /// Sends a query, even if the commit is refused.
    pub(super) fn ask(&mut self, question: String) {
        self.questions.push(question.clone());
        self.outbox.push(Out::Question(question));
    }

    /// Answers something undecided with an error, also if the commit is refused.
    pub(super) fn refuse(&mut self, reply: Reply, error: &StanzaError) {
        tracing::debug!(id = reply.id, reason = error.condition.spelling().0, "refused");
        self.refusals.push(Reason { name: error.condition.spelling().0, what: "" });
        self.reply(&reply, reply.error(error));
        self.replies.push(reply.into());
    }

    /// Like [`Turn::refuse`], for a refusal.
    pub(super) fn refuse_by(&mut self, reply: Reply, refusal: &Refusal) {
        self.send_refusal(&reply, refusal);
        self.replies.push(reply.into());
    }

    /// Answers a request that was decided against.
    pub(super) fn send_refusal(&mut self, reply: &Reply, refusal: &Refusal) {
        let Reason { name: reason, what } = refusal.into();
        tracing::debug!(id = reply.id, reason, what, "refused");
        self.refusals.push(refusal.into());
        self.reply(reply, reply.error(&refusal.into()));
    }

    /// Answers a call that was decided against.
    pub(super) fn refuse_call(&mut self, token: u64, refusal: Refusal) {
        self.refusals.push((&refusal).into());
        self.results.push((token, Err(refusal)));
    }
}
