//! A turn's input and output, and what happens when its commit fails.

use super::channels::arrival::Leaving;
use super::channels::tours::Touring;
use super::outgoing::outbox::{Audience, Fan, Lasting};
use super::requests::call::{Call, Called, Lookup};
use super::requests::operating::AnnouncingStep;
use super::share::Hit;
use super::{Out, Query, Step};
use crate::channel::{ChannelName, Ending, Newcomer, Nick, Refusal};
use crate::store::{Deed, Halves, Outdated, Part, Record, Unsent};
use crate::xep::Reply;
use crate::xmpp::{Stanza, StanzaError, Tag, Unreadable};
use jid::BareJid;
use std::sync::Arc;

/// Something that came in.
#[derive(Clone, Debug)]
pub enum Inbound {
    /// A stanza.
    Stanza(Stanza),
    /// A stanza that cannot be read; its sender is owed an error.
    Unreadable(Unreadable),
    /// A stanza or a call that is not read: more came than may, or than there is room for.
    Refused(Box<(Inbound, Refusal)>),
    /// A command that came by another door.
    Call(Box<Call>),
    /// What an earlier process committed and is not known to have sent; it comes alone, before anything else.
    Resend(Vec<Unsent>),
    /// Rows of these channels are too old to be kept.
    Expired(Vec<Outdated>),
    /// The operator says that the clock is right.
    ClockConfirmed,
    /// What this account wrote and was called is gone from these channels, as the store has them.
    Erased(BareJid, Vec<ChannelName>),
    /// The link to the host server is up.
    LinkUp,
    /// It is down.
    LinkDown,
    /// About a second went by.
    Tick,
    /// Something goes on that a turn before had to put off.
    GoOn(Step),
}

/// What a turn leads to. The contract: nothing in `outbox` leaves before `records` are durable.
#[derive(Debug, Default)]
pub struct Turn {
    /// To be stored, in order.
    pub records: Vec<Record>,
    /// To be sent, in order.
    pub outbox: Vec<Out>,
    /// To be answered from the archive, after the commit.
    pub queries: Vec<Query>,
    /// Results of calls, to be handed out after the commit; [`Turn::refused`] where it is refused.
    pub results: Vec<Called>,
    /// Results of calls that are completed from the store, after the commit.
    pub lookups: Vec<Lookup>,
    /// The number under which the store keeps what is sent of the records, where something is.
    pub parcel: Option<u64>,
    /// What is sent of the records so far.
    pub(super) unsent: Vec<Part>,
    /// The channels whose video is another one or none from here on, by their tags; their files are looked through
    /// after the commit.
    pub videos: Vec<(u64, ChannelName)>,
    /// What goes on next, in turns that come right behind this one.
    pub next: Vec<Inbound>,
    /// What was not taken, since it has to wait, by its place in the batch: it comes before whatever came in since.
    pub deferred: Vec<(usize, Inbound)>,
    /// What accounts set off in their channels, and how far it was before the turn, in order.
    pub(super) tours_past: Vec<((BareJid, Deed), Option<Touring>)>,
    /// In which channels something of that was done before it was their turn.
    pub(super) early: Vec<((BareJid, Deed), ChannelName)>,
    /// Whose registered nick the turn changed, and what it was before, in order.
    pub(super) nicks_past: Vec<(BareJid, Option<Nick>)>,
    /// How ends of accounts stood before the turn changed that, in order.
    pub(super) endings_past: Vec<(BareJid, Option<Ending>)>,
    /// What was known of newcomers before the turn changed that, in order.
    pub(super) newcomers_past: Vec<(BareJid, Option<Newcomer>)>,
    /// Whose host servers it tells to take a channel out of a roster, in order.
    pub(super) left_rosters: Vec<Leaving>,
    /// What it did about announcements, in order.
    pub(super) announced: Vec<AnnouncingStep>,
    /// The marks of all calls of the turn.
    pub(super) tokens: Vec<u64>,
    /// What lists in answers have cost so far, in bytes.
    pub(super) effort: usize,
    /// Stanzas with which newcomers were brought up to date so far, roughly.
    pub(super) flood: usize,
    /// Questions of the service's own, which do not wait for any commit.
    pub(super) questions: Vec<String>,
    /// Who hit a share of what everybody uses, for counting and telling.
    pub hits: Vec<Hit>,
    /// Why things were refused, for counting.
    pub refusals: Vec<Reason>,
    /// Whom to tell when the commit is refused.
    pub(super) replies: Vec<Arc<Reply>>,
}

/// Why something was refused, in words that are one of a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason {
    /// The reason.
    pub name: &'static str,
    /// What it was about, where the reason alone does not say; empty otherwise.
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
    /// How many are told when the commit is refused.
    pub fn asked(&self) -> usize {
        self.replies.len() + self.tokens.len()
    }

    /// What the callers of the turn are told when the commit is refused.
    pub fn refused(&self) -> Vec<Called> {
        self.tokens.iter().map(|&token| (token, Err(Refusal::Internal))).collect()
    }

    pub(super) fn send(&mut self, stanza: String) {
        self.outbox.push(Out::Stanza(stanza));
    }

    /// Answers a request. What the account's own server asked for keeps its place among what the channel sends.
    pub(super) fn reply(&mut self, reply: &Reply, text: String) {
        self.outbox.push(match &reply.delegated {
            Some(wrapping) => Out::About { channel: wrapping.channel.clone(), text },
            None => Out::Stanza(text),
        });
    }

    pub(super) fn fan(&mut self, audience: Audience, stanza: Halves, lasting: Lasting) {
        let Halves { head, tail, groupchat } = stanza;
        self.outbox.push(Out::Fan(Fan { audience, head, tail, groupchat, presence: false, lasting, charge: None }));
    }

    /// Presence of a channel for one address.
    pub(super) fn tell(&mut self, presence: Tag) {
        self.outbox.push(Out::Presence(presence.into_xml()));
    }

    /// Presence of a channel for many.
    pub(super) fn tell_all(&mut self, audience: Audience, presence: Halves) {
        let Halves { head, tail, groupchat } = presence;
        self.outbox.push(Out::Fan(Fan {
            audience,
            head,
            tail,
            groupchat,
            presence: true,
            lasting: Lasting::Kept,
            charge: None,
        }));
    }

    /// Asks something that matters whatever becomes of the commit.
    pub(super) fn ask(&mut self, question: String) {
        self.questions.push(question.clone());
        self.outbox.push(Out::Question(question));
    }

    /// Answers what never came to a decision; its sender too is told when the commit is refused.
    pub(super) fn refuse(&mut self, reply: Reply, error: &StanzaError) {
        tracing::debug!(id = reply.id, reason = error.condition.spelling().0, "refused");
        self.refusals.push(Reason { name: error.condition.spelling().0, what: "" });
        self.reply(&reply, reply.error(error));
        self.replies.push(reply.into());
    }

    /// As [`Turn::refuse`], by a refusal.
    pub(super) fn refuse_by(&mut self, reply: Reply, refusal: &Refusal) {
        self.send_refusal(&reply, refusal);
        self.replies.push(reply.into());
    }

    /// Answers what was decided against.
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
