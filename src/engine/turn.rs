//! A turn's input and output, and what happens when its commit fails.

use super::channels::arrival::Leaving;
use super::channels::places;
use super::channels::tours::Touring;
use super::outgoing::outbox::{Audience, Fan, Lasting};
use super::requests::call::{Call, Called, Lookup};
use super::requests::operating::Announced;
use super::share::Hit;
use super::{Arrival, Engine, Loaded, Moment, Out, Query, Step};
use crate::channel::{Change, ChannelName, Ending, Newcomer, Nick, Refusal};
use crate::store::{Deed, Halves, Outdated, Part, Record, Unsent};
use crate::xep::Reply;
use crate::xmpp::{Condition, Stanza, StanzaError, Tag, Unreadable};
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
    pub(super) announced: Vec<Announced>,
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

impl Engine {
    /// Loads what [`Engine::needs`] asked for.
    pub fn adopt(&mut self, mut loaded: Loaded) {
        self.adopt_facts(&mut loaded);
        let mut everybody = usize::MAX;
        for (name, channel) in loaded.channels {
            self.take_in(&mut Arrival::new(name, channel), &mut everybody);
        }
        for (tag, since, head) in loaded.heads {
            self.adopt_head(tag, since, head);
        }
        for (account, channels) in loaded.memberships {
            if !self.channels.memberships.knows(&account) {
                let names =
                    channels.into_iter().map(|name| (name, places::IN)).chain(self.channels.lately.joined(&account));
                self.channels.memberships.adopt(account.clone(), names);
            }
            let is_in = self.channels.memberships.of(&account).is_some_and(|names| names.count(places::IN) > 0);
            self.people.accounts.note_membership(&account, is_in, &mut self.outgoing.early);
        }
    }

    /// Takes a batch, in order, and says what it leads to.
    pub fn turn(&mut self, now: impl Into<Moment>, batch: Vec<Inbound>) -> Turn {
        self.tell_time(now);
        self.requests.announcements.forget_over();
        self.begin_parts();
        let mut turn = Turn { outbox: std::mem::take(&mut self.outgoing.early), ..Turn::default() };
        batch.into_iter().enumerate().for_each(|(place, inbound)| self.take(place, inbound, &mut turn));
        self.end_walks(&mut turn);
        self.settle_presence(&mut turn);
        self.settle_shares(&mut turn);
        self.settle_lists();
        self.settle_memberships();
        self.forget_heads();
        self.channels.brought = Default::default();
        self.people.accounts.save(&mut turn.records);
        turn.records.extend(self.clock.news(!turn.records.is_empty()).map(Record::Clock));
        self.number_parcel(&mut turn);
        self.make_room(&mut turn);
        turn
    }

    /// Takes what is no request of anybody's.
    pub(super) fn take_other(&mut self, inbound: Inbound, turn: &mut Turn) {
        match inbound {
            Inbound::Stanza(_) | Inbound::Call(_) => {}
            Inbound::Refused(refused) => self.refused(&refused.0, &refused.1, turn),
            Inbound::Unreadable(unreadable) => self.unreadable(&unreadable, turn),
            Inbound::Resend(unsent) => unsent.into_iter().for_each(|it| self.resend(it, turn)),
            Inbound::Expired(outdated) => self.expire(outdated, turn),
            Inbound::ClockConfirmed => self.confirm_clock(),
            Inbound::Erased(account, names) => self.note_erased(&account, &names, turn),
            Inbound::LinkUp => self.link_up(turn),
            Inbound::LinkDown => self.outgoing.freight.note_link(false),
            Inbound::Tick => self.tick(turn),
            Inbound::GoOn(step) => self.go_on(step, turn),
        }
    }

    /// Tells whoever had to go for others, and says who hit a share.
    fn settle_shares(&mut self, turn: &mut Turn) {
        let ousted = self.people.pending.ousted();
        self.take_given_up(ousted, &(&Refusal::Busy).into(), turn);
        let hits = self.people.hits().chain(self.presence.online.hits()).chain(self.channels.hits());
        turn.hits.extend(hits.chain(self.requests.hits()).chain(self.outgoing.freight.hits()));
    }

    /// Undoes a turn whose commit was refused: its channels leave memory and reload from the store, and everybody who
    /// asked for something is told that it did not happen. Returns what to send.
    pub fn abandon(&mut self, turn: Turn) -> Vec<Out> {
        // What was told of presence counts as told.
        let stays = |out: &Out| match out {
            Out::Book(_) => true,
            Out::Fan(fan) => fan.presence,
            Out::Presence(_) => true,
            Out::Stanza(_) | Out::About { .. } | Out::Question(_) => false,
        };
        let (mut out, unsent): (Vec<Out>, Vec<Out>) = turn.outbox.into_iter().partition(stays);
        self.unload(&unsent);
        self.forget_people();
        for record in turn.records {
            match record {
                Record::Channel { name, change, tag } => {
                    self.presence.online.probe_again(tag);
                    if let Change::Created { profile, .. } = &change {
                        self.channels.shelf.take_back(profile.gid);
                    }
                    self.doubt(&name, &mut out);
                    self.keep_in_rosters(tag);
                    self.undo_part(&name);
                    if change == Change::Destroyed || change.member().is_some() {
                        // It may have been deserted.
                        self.channels.chores.looking.reopen(name.clone());
                    }
                }
                Record::Whereabouts { account, .. } => self.people.accounts.mark_dirty(&account),
                Record::Clock(_) => self.clock.tell_again(),
                Record::Nick { .. }
                | Record::Ending { .. }
                | Record::Newcomer { .. }
                | Record::Tour { .. }
                | Record::Unsent(_)
                | Record::Sent(_) => {}
            }
        }
        self.leave_rosters_again(turn.left_rosters);
        self.channels.chores.rest();
        self.take_tours_back(turn.tours_past, &turn.early);
        out.extend(turn.questions.into_iter().map(Out::Question));
        for (account, past) in turn.nicks_past.into_iter().rev() {
            self.set_nick(&account, past);
        }
        self.undo_announced(turn.announced);
        self.undo_endings(turn.endings_past);
        self.undo_newcomers(turn.newcomers_past);
        let error = (&Refusal::Internal).into();
        out.extend(turn.replies.iter().map(|reply| Out::Stanza(reply.error(&error))));
        out
    }

    /// How a leave has to be answered depends on the home server's software, so that is asked before one comes.
    fn link_up(&mut self, turn: &mut Turn) {
        self.people.accounts.hosts.link_up();
        self.outgoing.freight.note_link(true);
        self.people.accounts.ask_again();
        let given_up = self.people.pending.give_up();
        self.take_given_up(given_up, &timed_out(), turn);
        self.presence_link_up();
        self.ask_homes(turn);
        for domain in self.people.accounts.bare_domains() {
            self.ask_home_server(&domain, turn);
        }
    }

    fn confirm_clock(&mut self) {
        if self.clock.confirm() {
            let dial = self.clock.dial();
            (self.now, self.due) = (dial.stamp, dial.due);
        }
    }

    fn tick(&mut self, turn: &mut Turn) {
        let given_up = self.people.pending.expire(self.steady);
        self.take_given_up(given_up, &timed_out(), turn);
        self.ask_homes(turn);
        self.ask_homes_again(turn);
        self.go_on_ending();
        self.ask_newcomers(turn);
        self.presence_tick(turn);
        self.people.accounts.end_pauses(self.steady, &mut turn.outbox);
        self.begin_chores(turn);
    }
}

/// Nobody answered in time.
fn timed_out() -> StanzaError {
    StanzaError::new(Condition::RemoteServerTimeout, "")
}
