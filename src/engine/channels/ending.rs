//! Ends an account in one channel after the other.

use super::super::requests::request::{Asked, Effects};
use super::super::{Engine, Needs, Turn};
use super::endings::{ENDED_MAX, ENDINGS_MAX, EndingWalk, Endings, Search, TRACING, TraceWish, WALK};
use super::places::{IN, WAITS};
use crate::channel::{
    AccountAnswer, AccountCommand, AccountMark, Actor, Answer, ChannelName, Command, Ending, Refusal, ServiceAction,
};
use crate::chore::Chore;
use crate::store::{Place, Record, Trace};
use jid::BareJid;
use std::collections::BTreeSet;

impl Engine {
    /// Refuses a request to end an account, unless it is from an operator or from the account's home server.
    fn require_over(&self, actor: &Actor, account: &BareJid) -> Result<(), Refusal> {
        let host = &actor.account;
        let is_its_host = host.node().is_none() && host.domain() == account.domain();
        let is_trusted = is_its_host && self.people.hosts().trusts(host.domain().as_str());
        match actor.operator || is_trusted {
            true if account.node().is_none() || account.domain() == &*self.service.domain => {
                Err(Refusal::Invalid { field: "jid", why: format!("'{account}' is no account") })
            }
            true => Ok(()),
            false => Err(Refusal::Forbidden("only an operator, and the host server of an account, may do this")),
        }
    }

    /// The decision about a request concerning a whole account.
    pub(in crate::engine) fn decide_of_account(
        &self,
        actor: &Actor,
        command: AccountCommand,
    ) -> Result<Effects, Refusal> {
        match command {
            AccountCommand::End { account, erases } => self.end_everywhere(actor, account, erases),
            AccountCommand::AskEnding { account } => self.ask_ending(actor, &account),
            AccountCommand::Read { account, whole } => {
                self.require_at_service(actor, ServiceAction::Administer)?;
                Ok(Effects::none(Answer::Account(AccountAnswer::Dossier { account, whole })))
            }
        }
    }

    /// Ends an account everywhere. Only an operator may also have it erased (`erases`).
    fn end_everywhere(&self, actor: &Actor, account: BareJid, erases: bool) -> Result<Effects, Refusal> {
        self.require_over(actor, &account)?;
        if erases && !actor.operator {
            return Err(Refusal::Forbidden("only an operator may do this"));
        }
        if !self.channels.endings.holds(&account) && self.channels.endings.is_full() {
            return Err(Refusal::TooMany { what: "accounts that are being ended", max: ENDINGS_MAX });
        }
        let answer = Answer::Account(AccountAnswer::Ending { account: account.clone(), under_way: true });
        let ending = Some((account, erases));
        Ok(Effects { ending, ..Effects::none(answer) })
    }

    /// Answers whether an account is being ended.
    fn ask_ending(&self, actor: &Actor, account: &BareJid) -> Result<Effects, Refusal> {
        self.require_over(actor, account)?;
        let under_way = self.channels.endings.holds(account);
        Ok(Effects::none(Answer::Account(AccountAnswer::Ending { account: account.clone(), under_way })))
    }

    /// The home server reports a removed account by a leave in one channel (hosts.md, C.5). The account is ended there
    /// at once, and in all other channels afterwards.
    pub(in crate::engine) fn take_end(&mut self, asked: &Asked<'_>) -> Result<Effects, Refusal> {
        let (name, actor) = (asked.channel.clone().ok_or(Refusal::NoSuchService)?, &asked.actor);
        let ending = (!self.channels.endings.is_full()).then(|| (actor.account.clone(), false));
        let here = match self.is_hidden(&name, actor) {
            true => Effects::none(Answer::Left),
            false => self.decide_in(&name, actor, Command::EndAccount).unwrap_or_else(|_| Effects::none(Answer::Left)),
        };
        Ok(Effects { ending, ..here })
    }

    /// Begins to end an account. Its registered nick is free at once.
    pub(in crate::engine) fn begin_ending(&mut self, account: BareJid, erases: bool, turn: &mut Turn) {
        let past = self.channels.endings.all.get(&account).copied();
        if past.is_some_and(|past| past.erases || !erases) {
            return;
        }
        self.note_act(&account, turn);
        tracing::info!(%account, erases, "an account is no more: it is ended in every channel");
        let since = past.map_or(self.now, |past| past.since);
        self.set_ending(&account, Some(Ending { since, erases, is_out: false }), turn);
        self.end_watchers_of(&account, turn);
        if self.requests.nick_of(&account).is_some() {
            self.register(account, None, turn);
        }
    }

    fn set_ending(&mut self, account: &BareJid, ending: Option<Ending>, turn: &mut Turn) {
        let past = self.channels.endings.set(account, ending);
        turn.endings_past.push((account.clone(), past));
        turn.records.push(Record::Ending { account: account.clone(), ending });
    }

    /// The store has erased the rows of an ended account, so its end is complete.
    pub(in crate::engine) fn note_erased(&mut self, account: &BareJid, names: &[ChannelName], turn: &mut Turn) {
        for name in names {
            // The channel in memory is outdated.
            self.unshelve(name, &mut turn.outbox);
            turn.videos.extend(self.channels.shelf.tag_of(name).map(|tag| (tag, name.clone())));
        }
        self.channels.shelf.forget_creator(account);
        if self.channels.endings.all.get(account).is_some_and(|ending| ending.is_out) {
            tracing::info!(%account, "an account is erased");
            self.set_ending(account, None, turn);
        }
    }

    /// Restores the endings that a refused commit had changed.
    pub(in crate::engine) fn undo_endings(&mut self, past: Vec<(BareJid, Option<Ending>)>) {
        for (account, past) in past.into_iter().rev() {
            self.channels.endings.set(&account, past);
        }
        let walks = std::mem::take(&mut self.channels.endings.walks);
        for place in walks.into_keys() {
            self.channels.endings.walking.done(&place);
            self.channels.endings.waiting.insert(place.1);
        }
    }

    pub(in crate::engine) fn need_of_endings(&self, needs: &mut Needs) {
        if let (Some(search), None) = (&self.channels.endings.search, &self.channels.endings.traced) {
            let Search { accounts, chore, .. } = search;
            let from = chore.behind().cloned().unwrap_or_default();
            needs.trace = Some(TraceWish { accounts: accounts.clone(), from, max: chore.things() });
        }
        for place in self.channels.endings.walking.open() {
            if self.channels.endings.walks.get(place).is_some_and(|walk| walk.channels.is_empty()) {
                self.need_places_of(&place.1, needs);
            }
        }
    }

    /// Asks who the accounts to be ended next in a channel were, if it has no record of them.
    pub(in crate::engine) fn need_past_of_ended(&self, name: &ChannelName, needs: &mut Needs) {
        let Some(channel) = self.channels.shelf.channel(name) else { return };
        let is_next = |place: &&(u64, BareJid)| {
            self.channels.endings.walks.get(*place).is_some_and(|walk| walk.channels.contains(name))
        };
        let accounts = self.channels.endings.walking.open().filter(is_next).map(|place| place.1.clone()).collect();
        self.need_past(channel, accounts, needs);
    }

    /// Asks for the channels and groups of an account, by the index of accounts.
    pub(in crate::engine) fn need_places_of(&self, account: &BareJid, needs: &mut Needs) {
        if !self.channels.memberships.knows(account) {
            needs.accounts.insert(account.clone());
        }
        if !self.channels.groups.knows(account) {
            needs.groups.insert(account.clone());
        }
    }

    pub(in crate::engine) fn adopt_trace(&mut self, trace: Option<Trace>) {
        self.channels.endings.traced = trace.or(self.channels.endings.traced.take());
    }

    /// Takes the found places, and begins the next search.
    pub(in crate::engine) fn go_on_ending(&mut self) {
        if let Some(trace) = self.channels.endings.traced.take() {
            self.take_trace(trace);
        }
        if self.channels.endings.search.is_none() && !self.channels.endings.waiting.is_empty() {
            let accounts = std::mem::take(&mut self.channels.endings.waiting);
            let found = accounts.iter().map(|account| (account.clone(), BTreeSet::new())).collect();
            self.channels.endings.search = Some(Search { accounts, chore: Chore::once(TRACING, None), found });
        }
    }

    /// Completes accounts that are in no channel any more, if that was read.
    pub(in crate::engine) fn end_walks(&mut self, turn: &mut Turn) {
        self.channels.endings.open_walks().iter().for_each(|place| self.end_walk(place, turn));
    }

    fn take_trace(&mut self, trace: Trace) {
        let Some(mut search) = self.channels.endings.search.take() else { return };
        for (account, place) in trace.found {
            let name = match place {
                Place::Named(name) => Some(name),
                Place::Tagged(tag) => self.channels.shelf.name_of(tag).cloned(),
            };
            let (Some(name), Some(found)) = (name, search.found.get_mut(&account)) else { continue };
            found.insert(name);
        }
        search.chore.go_to(trace.next);
        if !search.chore.is_over() {
            self.channels.endings.search = Some(search);
            return;
        }
        for (account, channels) in search.found {
            // The end may have been restarted, or taken back with a refused commit.
            let is_wanted = self.channels.endings.all.get(&account).is_some_and(|ending| !ending.is_out);
            if is_wanted && !self.channels.endings.waiting.contains(&account) {
                let place = self.channels.endings.lot.place(&account);
                self.channels
                    .endings
                    .walks
                    .insert(place, EndingWalk { chore: Chore::queue(WALK), channels, is_torn: false });
            }
        }
    }

    /// The next channels of some accounts.
    pub(in crate::engine) fn next_to_leave(&mut self) -> Vec<ChannelName> {
        let Endings { walks, walking, .. } = &mut self.channels.endings;
        let open = walking.step(|_, count| walks.keys().take(count).cloned().collect());
        let mut names = Vec::new();
        for place in open {
            if let Some(EndingWalk { chore, channels, .. }) = walks.get_mut(&place) {
                names.extend(chore.step(|_, count| channels.iter().take(count).cloned().collect()));
            }
        }
        names
    }

    /// Ends accounts in a channel.
    pub(in crate::engine) fn leave_in(&mut self, name: &ChannelName, turn: &mut Turn) {
        for place in self.channels.endings.open_walks() {
            // Its former record was not read for this turn. The next step reads it.
            if !self.knows_past(name, &place.1) {
                continue;
            }
            let walk = self.channels.endings.walks.get_mut(&place);
            if walk.is_some_and(|walk| walk.chore.done(name) && walk.channels.remove(name))
                && !self.end_in(name, &place.1, turn)
                && let Some(walk) = self.channels.endings.walks.get_mut(&place)
            {
                walk.channels.insert(name.clone());
                walk.chore.reopen(name.clone());
            }
        }
    }

    /// Skips a channel that cannot be read.
    pub(in crate::engine) fn pass_leaving(&mut self, name: &ChannelName) {
        for ((_, account), walk) in &mut self.channels.endings.walks {
            walk.chore.done(name);
            if walk.channels.remove(name) {
                tracing::error!(channel = name.as_str(), %account, "an account cannot be ended in a channel that cannot be read");
                walk.is_torn = true;
            }
        }
    }

    /// Ends an account in a channel, or does one part of that. Returns whether it is complete there.
    fn end_in(&mut self, name: &ChannelName, account: &BareJid, turn: &mut Turn) -> bool {
        let actor = Actor { account: account.clone(), operator: false };
        let Ok(effects) = self.decide_in(name, &actor, Command::EndAccount) else { return true };
        self.apply_and_show(Some(account), effects.changes, turn);
        !effects.is_part
    }

    /// The next account of this name is somebody else, and has other participant ids.
    fn count_end(&mut self, account: &BareJid, turn: &mut Turn) {
        let (mark, all) = (self.service.sealer.account(account), self.service.ended.len());
        let max = if self.own.has(account.domain().as_str()) { ENDED_MAX } else { ENDED_MAX / 2 };
        let past = self.service.ended_of(mark);
        if past == 0 && all >= max {
            return;
        }
        turn.ended_past.push((mark, past));
        self.set_ended(mark, past + 1);
        turn.records.push(Record::Ended { mark, count: past + 1 });
    }

    fn set_ended(&mut self, mark: AccountMark, count: u32) {
        match count {
            0 => drop(self.service.ended.remove(&mark)),
            count => drop(self.service.ended.insert(mark, count)),
        }
    }

    /// Restores how many accounts of each name have ended, because a commit was refused.
    pub(in crate::engine) fn undo_ended(&mut self, past: Vec<(AccountMark, u32)>) {
        past.into_iter().rev().for_each(|(mark, count)| self.set_ended(mark, count));
    }

    /// Completes an account whose channels are all done, unless it was added to another channel meanwhile.
    fn end_walk(&mut self, place: &(u64, BareJid), turn: &mut Turn) {
        let account = &place.1;
        let Some(walk) = self.channels.endings.walks.get_mut(place) else { return };
        let (Some(joined), Some(groups)) = (self.channels.memberships.of(account), self.channels.groups.of(account))
        else {
            return;
        };
        if !walk.channels.is_empty() {
            return;
        }
        let is_readable =
            |name: &&ChannelName| self.channels.shelf.exists(name) && !self.channels.unreadable.contains(*name);
        walk.channels = joined.rising(IN, 0).chain(groups.rising(WAITS, 0)).filter(is_readable).cloned().collect();
        if !walk.channels.is_empty() {
            return;
        }
        if walk.is_torn {
            return self.channels.endings.stop_walk(account);
        }
        if !self.forget_in_gone(account, turn) {
            return;
        }
        self.count_end(account, turn);
        let past = self.channels.endings.all.get(account).copied();
        tracing::info!(%account, "an account is ended in every channel");
        let rest = past.filter(|past| past.erases).map(|past| Ending { is_out: true, ..past });
        self.set_ending(account, rest, turn);
    }
}
