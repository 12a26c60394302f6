//! Accounts that others put into groups and that never did anything: whether there is anybody behind them.
//!
//! A bounce alone says little: whoever blocks a channel bounces likewise. So it raises a question from the service's own
//! address. An account that is refused there is marked; after a week, asked once more, it is ended. A host server that
//! has our module says at once that there is no such account.

use super::pending::Purpose;
use super::{Engine, Turn};
use crate::channel::{Change, Newcomer, Stamp, Status};
use crate::store::Record;
use crate::xmpp::{Parts, Stanza, ns};
use jid::{BareJid, Jid};
use std::collections::BTreeMap;

/// Accounts that are followed.
const NEWCOMERS_MAX: usize = 100_000;
/// How long one stays that is not reached, in milliseconds.
const PATIENCE_MS: u64 = 7 * 24 * 3600 * 1000;
/// How often one is asked at most, in milliseconds.
const ASKED_EVERY_MS: u64 = 3600 * 1000;
/// How often it is looked who is due, in milliseconds, and how many are asked then.
const LOOKED_EVERY_MS: u64 = 60_000;
const ASKED_MAX: usize = 64;
/// The errors by which a server tells that there is no such account, among other things.
const NOBODY: [&str; 3] = ["item-not-found", "gone", "service-unavailable"];

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Newcomers {
    of: BTreeMap<BareJid, Newcomer>,
    /// When those who were asked were asked last.
    asked: BTreeMap<BareJid, Stamp>,
    looked: Stamp,
}

impl Newcomers {
    pub(super) fn restore(newcomers: Vec<(BareJid, Newcomer)>) -> Newcomers {
        Newcomers { of: newcomers.into_iter().collect(), ..Newcomers::default() }
    }

    pub(super) fn all(&self) -> &BTreeMap<BareJid, Newcomer> {
        &self.of
    }

    fn set(&mut self, account: &BareJid, newcomer: Option<Newcomer>) -> Option<Newcomer> {
        match newcomer {
            Some(newcomer) => self.of.insert(account.clone(), newcomer),
            None => {
                self.asked.remove(account);
                self.of.remove(account)
            }
        }
    }
}

impl Engine {
    fn set_newcomer(&mut self, account: &BareJid, newcomer: Option<Newcomer>, turn: &mut Turn) {
        let past = self.newcomers.set(account, newcomer);
        if past != newcomer {
            turn.newcomers_past.push((account.clone(), past));
            turn.records.push(Record::Newcomer { account: account.clone(), newcomer });
        }
    }

    pub(super) fn undo_newcomers(&mut self, past: Vec<(BareJid, Option<Newcomer>)>) {
        for (account, past) in past.into_iter().rev() {
            self.newcomers.set(&account, past);
        }
    }

    /// Somebody put an account into a channel.
    pub(super) fn note_newcomer(
        &mut self,
        actor: Option<&BareJid>,
        before: Option<Status>,
        change: &Change,
        turn: &mut Turn,
    ) {
        let (Change::Joined(member) | Change::Invited(member)) = change else { return };
        let is_in = |status: Status| status != Status::Left;
        let is_added = is_in(member.status) && !before.is_some_and(is_in) && actor.is_some_and(|it| *it != member.jid);
        let is_known = self.newcomers.of.contains_key(&member.jid) || self.accounts.is_reached(&member.jid);
        if is_added && !is_known && self.newcomers.of.len() < NEWCOMERS_MAX {
            self.set_newcomer(&member.jid, Some(Newcomer { unreachable_since: None }), turn);
        }
    }

    /// An account did something: it is there.
    pub(super) fn note_act(&mut self, account: &BareJid, turn: &mut Turn) {
        if self.newcomers.of.contains_key(account) {
            self.set_newcomer(account, None, turn);
        }
    }

    /// Something that was sent to a newcomer came back; whether it was one.
    pub(super) fn bounced_off(&mut self, stanza: &Stanza, turn: &mut Turn) -> bool {
        let account = stanza.sender();
        let is_nobody = stanza.error_condition().is_some_and(|condition| NOBODY.contains(&condition));
        if !stanza.from.is_bare() || !is_nobody || !self.newcomers.of.contains_key(&account) {
            return false;
        }
        let error = stanza.element.parts().find(|child| child.name() == "error");
        let says_so = error.is_some_and(|error| error.parts().any(|child| child.is("no-account", ns::MIXD_HOST)));
        match says_so && self.hosts.delivers(account.domain().as_str()) {
            true => self.begin_ending(account, false, turn),
            false => self.ask_newcomer(&account, turn),
        }
        true
    }

    /// Asks the server of an account whether there is anybody (XEP-0199): both host servers answer for accounts there are.
    fn ask_newcomer(&mut self, account: &BareJid, turn: &mut Turn) {
        let last = self.newcomers.asked.get(account);
        if last.is_some_and(|last| self.steady.0.saturating_sub(last.0) < ASKED_EVERY_MS) {
            return;
        }
        let purpose = Purpose::Newcomer { account: account.clone() };
        if self.ask_ping(Jid::from(account.clone()), purpose, turn) {
            self.newcomers.asked.insert(account.clone(), self.steady);
        }
    }

    /// A server said whether there is such an account.
    pub(super) fn learn_newcomer(&mut self, account: &BareJid, stanza: &Stanza, turn: &mut Turn) {
        let Some(past) = self.newcomers.of.get(account).copied() else { return };
        let is_nobody = stanza.error_condition().is_some_and(|condition| NOBODY.contains(&condition));
        match (&*stanza.type_, past.unreachable_since) {
            ("result", _) => self.set_newcomer(account, Some(Newcomer { unreachable_since: None }), turn),
            ("error", Some(since)) if is_nobody && self.now.0.saturating_sub(since.0) >= PATIENCE_MS => {
                tracing::info!(%account, "an account that was added a week ago is not there");
                self.begin_ending(account.clone(), false, turn);
            }
            ("error", None) if is_nobody => {
                self.set_newcomer(account, Some(Newcomer { unreachable_since: Some(self.now) }), turn);
            }
            _ => {}
        }
    }

    /// Asks once more about those who are not reached for a week.
    pub(super) fn ask_newcomers(&mut self, turn: &mut Turn) {
        if self.steady.0.saturating_sub(self.newcomers.looked.0) < LOOKED_EVERY_MS {
            return;
        }
        self.newcomers.looked = self.steady;
        let is_due = |newcomer: &Newcomer| {
            newcomer.unreachable_since.is_some_and(|since| self.now.0.saturating_sub(since.0) >= PATIENCE_MS)
        };
        let due = self.newcomers.of.iter().filter(|(_, newcomer)| is_due(newcomer));
        let due: Vec<BareJid> = due.map(|(account, _)| account.clone()).take(ASKED_MAX).collect();
        due.iter().for_each(|account| self.ask_newcomer(account, turn));
    }
}
