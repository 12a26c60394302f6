//! Asks about added accounts that cannot be reached, and ends them.

use super::super::people::pending::Purpose;
use super::super::{Engine, Turn};
use super::newcomers::{ASKED_EVERY_MS, NOBODY, PATIENCE_MS};
use crate::channel::{Change, Newcomer, Stamp, Status};
use crate::store::Record;
use crate::xmpp::{Parts, Stanza, ns};
use jid::{BareJid, Jid};

impl Engine {
    fn set_newcomer(&mut self, account: &BareJid, newcomer: Option<Newcomer>, turn: &mut Turn) {
        let past = self.channels.newcomers.set(account, newcomer);
        if past != newcomer {
            turn.newcomers_past.push((account.clone(), past));
            turn.records.push(Record::Newcomer { account: account.clone(), newcomer });
        }
    }

    pub(in crate::engine) fn undo_newcomers(&mut self, past: Vec<(BareJid, Option<Newcomer>)>) {
        for (account, past) in past.into_iter().rev() {
            self.channels.newcomers.set(&account, past);
        }
    }

    /// Follows an account that another account added to a channel.
    pub(in crate::engine) fn note_newcomer(
        &mut self,
        actor: Option<&BareJid>,
        before: Option<Status>,
        change: &Change,
        turn: &mut Turn,
    ) {
        let (Change::Joined(member) | Change::Invited(member)) = change else { return };
        let is_in = |status: Status| status != Status::Left;
        let is_added = is_in(member.status) && !before.is_some_and(is_in) && actor.is_some_and(|it| *it != member.jid);
        let is_known =
            self.channels.newcomers.of.contains_key(&member.jid) || self.people.accounts().is_reached(&member.jid);
        if is_added && !is_known && self.channels.newcomers.shares.may_settle(&member.jid, 1, true) {
            self.set_newcomer(&member.jid, Some(Newcomer { unreachable_since: None }), turn);
        }
    }

    /// An account that acts exists: it is followed no longer.
    pub(in crate::engine) fn note_act(&mut self, account: &BareJid, turn: &mut Turn) {
        if self.channels.newcomers.of.contains_key(account) {
            self.set_newcomer(account, None, turn);
        }
    }

    /// Handles the bounce of a stanza to a followed account. Returns whether it was one.
    pub(in crate::engine) fn bounced_off(&mut self, stanza: &Stanza, turn: &mut Turn) -> bool {
        let account = stanza.sender();
        let is_nobody = stanza.error_condition().is_some_and(|condition| NOBODY.contains(&condition));
        if !stanza.from.is_bare() || !is_nobody || !self.channels.newcomers.of.contains_key(&account) {
            return false;
        }
        let error = stanza.element.parts().find(|child| child.name() == "error");
        let says_so = error.is_some_and(|error| error.parts().any(|child| child.is("no-account", ns::MIXD_HOST)));
        match says_so && self.people.hosts().delivers(account.domain().as_str()) {
            true => self.begin_ending(account, false, turn),
            false => self.ask_newcomer(&account, turn),
        }
        true
    }

    /// XEP-0199: pings a bare JID. Both host servers answer if the account exists.
    fn ask_newcomer(&mut self, account: &BareJid, turn: &mut Turn) {
        let last = self.channels.newcomers.asked.get(account);
        if last.is_some_and(|last| self.steady.0.saturating_sub(last.0) < ASKED_EVERY_MS) {
            return;
        }
        let purpose = Purpose::Newcomer { account: account.clone() };
        if self.ask_ping(Jid::from(account.clone()), purpose, turn) {
            self.channels.newcomers.asked.insert(account.clone(), self.steady);
        }
    }

    /// Handles the answer to the ping.
    pub(in crate::engine) fn learn_newcomer(&mut self, account: &BareJid, stanza: &Stanza, turn: &mut Turn) {
        let Some(past) = self.channels.newcomers.of.get(account).copied() else { return };
        let is_nobody = stanza.error_condition().is_some_and(|condition| NOBODY.contains(&condition));
        match (&*stanza.type_, past.unreachable_since) {
            ("result", _) => self.set_newcomer(account, Some(Newcomer { unreachable_since: None }), turn),
            ("error", Some(since)) if is_nobody && self.due.0.saturating_sub(since.0) >= PATIENCE_MS => {
                tracing::info!(%account, "an account that was added a week ago is not there");
                self.begin_ending(account.clone(), false, turn);
            }
            ("error", None) if is_nobody => {
                self.set_newcomer(account, Some(Newcomer { unreachable_since: Some(self.now) }), turn);
            }
            _ => {}
        }
    }

    /// Pings again some accounts that could not be reached for a week.
    pub(in crate::engine) fn ask_newcomers(&mut self, turn: &mut Turn) {
        let Some(since) = self.due.0.checked_sub(PATIENCE_MS) else { return };
        let newcomers = &self.channels.newcomers;
        let list = |behind: Option<&_>, count| newcomers.unreachable_since(Stamp(since), behind, count);
        for newcomer in self.channels.chores.inquiring.step(list) {
            self.channels.chores.inquiring.done(&newcomer);
            self.ask_newcomer(&newcomer.1, turn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::channels::newcomers::NEWCOMERS_MAX;
    use crate::engine::channels::newcomers::Newcomers;
    use crate::engine::share::OwnDomains;
    use crate::engine::{Inbound, fixture};
    use crate::store::Directory;
    use std::collections::BTreeSet;

    fn account(text: String) -> BareJid {
        BareJid::new(&text).unwrap()
    }

    fn unreachable(count: u64) -> Vec<(BareJid, Newcomer)> {
        let newcomer = |n: u64| Newcomer { unreachable_since: Some(Stamp(1 + n % 7)) };
        (0..count).map(|n| (account(format!("a{n}@h{n}.example")), newcomer(n))).collect()
    }

    /// The accounts pinged in a tick.
    fn tick(engine: &mut Engine, now: u64) -> Vec<String> {
        let turn = engine.turn(Stamp(now), vec![Inbound::Tick]);
        let pings = turn.outbox.iter().map(|out| format!("{out:?}")).filter(|out| out.contains(ns::PING));
        pings.filter_map(|out| Some(out.split(" to='").nth(1)?.split('\'').next()?.to_owned())).collect()
    }

    #[test]
    fn all_whose_week_is_over_are_asked_one_after_the_other_whether_or_not_anybody_answers() {
        let directory = Directory { newcomers: unreachable(200), ..Directory::default() };
        let mut engine = Engine::new(fixture::settings(), [7; 16], [7; 32], directory, Vec::new());
        assert!(tick(&mut engine, PATIENCE_MS).is_empty(), "nobody's week is over");
        let mut asked = BTreeSet::new();
        for n in 0..25 {
            let now = tick(&mut engine, 2 * PATIENCE_MS + 1000 * n);
            assert_eq!(now.len(), 8);
            asked.extend(now);
        }
        assert_eq!(asked.len(), 200, "each of them once");
        assert!(tick(&mut engine, 2 * PATIENCE_MS + 26_000).is_empty(), "not twice within an hour");
        assert_eq!(tick(&mut engine, 2 * PATIENCE_MS + 2 * ASKED_EVERY_MS).len(), 8);
    }

    #[test]
    fn one_domain_leaves_room_for_newcomers_of_others() {
        let mut newcomers = Newcomers::restore(Vec::new(), OwnDomains::new(["home".to_owned()]));
        let mut follow = |account: BareJid| {
            let may = newcomers.shares.may_settle(&account, 1, true);
            if may {
                newcomers.set(&account, Some(Newcomer { unreachable_since: Some(Stamp(0)) }));
            }
            may
        };
        let taken = (0..NEWCOMERS_MAX).filter(|n| follow(account(format!("a{n}@x{n}.evil.example")))).count();
        assert!((NEWCOMERS_MAX / 8..NEWCOMERS_MAX / 2).contains(&taken), "{taken}");
        assert!(follow(account("b@good.example".into())) && follow(account("b@home".into())));
        let all: Vec<BareJid> = newcomers.of.keys().cloned().collect();
        for account in &all {
            newcomers.set(account, None);
        }
        assert!(newcomers.unreachable.is_empty() && newcomers.shares.held() == 0);
    }
}
