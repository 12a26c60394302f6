//! Questions that wait: a queue for each account, served in turns. Each account of the service's own domains has a turn
//! of its own. Each other domain has one turn, which its accounts take one after the other. So a question waits for one
//! question of each other turn, however many questions there are and however many accounts a foreign domain has.
//!
//! One bound covers all queues. When it is reached, the account with most questions loses its newest one.

use crate::engine::share::{Full, Hit, OwnDomains, Shares};
use jid::BareJid;
use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The queues, with one end for the worker and one for the threads.
#[derive(Debug)]
pub struct QuestionQueues<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    /// The questions of each account, and whether each is counted against the bound.
    queues: HashMap<BareJid, VecDeque<(T, bool)>>,
    /// The turns in order: accounts and domains, as text.
    turns: VecDeque<String>,
    /// The accounts that have questions, by turn and in order.
    accounts: HashMap<String, VecDeque<BareJid>>,
    own_domains: OwnDomains,
    shares: Shares<BareJid>,
    closed: bool,
}

impl<T> QuestionQueues<T> {
    /// Queues for `count_max` questions in all.
    pub fn new(count_max: usize, own_domains: OwnDomains) -> QuestionQueues<T> {
        let shares = Shares::new("queries", count_max, own_domains.clone());
        let (queues, accounts, turns) = Default::default();
        let state = State { queues, turns, accounts, own_domains, shares, closed: false };
        QuestionQueues { state: Mutex::new(state), filled: Condvar::new() }
    }

    /// Adds a question. Returns the question that had to go for lack of room, which may be this one.
    pub fn push(&self, account: &BareJid, question: T) -> Option<T> {
        let mut state = self.lock();
        let mut lost = None;
        match state.shares.take(account, 1) {
            Ok(()) => {}
            Err(Full::Own) => return Some(question),
            Err(Full::Of(loser)) => {
                lost = state.queues.get_mut(&loser).and_then(newest_counted);
                state.shares.give_back(&loser, 1);
                state.leave_if_empty(&loser);
                state.shares.count(account, 1);
            }
        }
        state.line_up(account, (question, true));
        drop(state);
        self.filled.notify_one();
        lost
    }

    /// Adds a question that is bounded elsewhere. It does not count here.
    pub fn push_beyond(&self, account: &BareJid, question: T) {
        self.lock().line_up(account, (question, false));
        self.filled.notify_one();
    }

    /// Takes the next question; blocks until there is one. `None` when the queues are closed and empty.
    pub fn take(&self) -> Option<T> {
        let waits = |state: &mut State<T>| state.turns.is_empty() && !state.closed;
        let mut state = self.filled.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        state.next()
    }

    /// How many wait, in all.
    pub fn count(&self) -> usize {
        self.lock().shares.held()
    }

    /// The shares that had no room since the last call.
    pub fn hits(&self) -> Vec<Hit> {
        self.lock().shares.hits().collect()
    }

    /// Takes no more questions. Those that wait can still be taken.
    pub fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn next(&mut self) -> Option<T> {
        let turn = self.turns.pop_front()?;
        let accounts = self.accounts.get_mut(&turn)?;
        let account = accounts.pop_front()?;
        let queue = self.queues.get_mut(&account)?;
        let question = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&account);
        } else {
            accounts.push_back(account.clone());
        }
        if accounts.is_empty() {
            self.accounts.remove(&turn);
        } else {
            self.turns.push_back(turn);
        }
        let (question, is_counted) = question?;
        if is_counted {
            self.shares.give_back(&account, 1);
        }
        Some(question)
    }

    /// The turn that an account's questions belong to.
    fn turn_of(&self, account: &BareJid) -> String {
        let domain = account.domain().as_str();
        if self.own_domains.has(domain) { account.to_string() } else { self.own_domains.site(domain).to_owned() }
    }

    fn line_up(&mut self, account: &BareJid, question: (T, bool)) {
        if let Some(queue) = self.queues.get_mut(account) {
            return queue.push_back(question);
        }
        self.queues.insert(account.clone(), VecDeque::from([question]));
        let turn = self.turn_of(account);
        let accounts = self.accounts.entry(turn.clone()).or_default();
        if accounts.is_empty() {
            self.turns.push_back(turn);
        }
        accounts.push_back(account.clone());
    }

    fn leave_if_empty(&mut self, account: &BareJid) {
        if self.queues.get(account).is_some_and(VecDeque::is_empty) {
            self.queues.remove(account);
            let turn = self.turn_of(account);
            let Some(accounts) = self.accounts.get_mut(&turn) else { return };
            accounts.retain(|other| other != account);
            if accounts.is_empty() {
                self.accounts.remove(&turn);
                self.turns.retain(|other| *other != turn);
            }
        }
    }
}

/// Removes the newest question that is counted.
fn newest_counted<T>(queue: &mut VecDeque<(T, bool)>) -> Option<T> {
    let place = queue.iter().rposition(|(_, is_counted)| *is_counted)?;
    queue.remove(place).map(|(question, _)| question)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> QuestionQueues<String> {
        QuestionQueues::new(64, OwnDomains::new(["h".to_owned()]))
    }

    fn jid(account: &str) -> BareJid {
        account.parse().unwrap()
    }

    /// Asks, with a number for each question. Returns the questions that found no room.
    fn ask(waiting: &QuestionQueues<String>, account: &str, count: usize) -> Vec<String> {
        (0..count).filter_map(|n| waiting.push(&jid(account), format!("{account} {n}"))).collect()
    }

    fn all(waiting: &QuestionQueues<String>) -> Vec<String> {
        waiting.close();
        std::iter::from_fn(|| waiting.take()).collect()
    }

    /// Counted in turns, not in time: one floods, and the others wait for one question of each.
    #[test]
    fn one_floods_and_the_other_waits_for_one_question_of_it() {
        let waiting = waiting();
        assert!(ask(&waiting, "flood@h", 50).is_empty(), "there is room");
        ask(&waiting, "bob@h", 2);
        ask(&waiting, "cat@far", 1);
        let order = all(&waiting);
        let place = |question: &str| order.iter().position(|other| other == question).unwrap();
        assert_eq!((place("flood@h 0"), place("bob@h 0"), place("cat@far 0"), place("bob@h 1")), (0, 1, 2, 4));
        let flood: Vec<String> = order.iter().filter(|other| other.starts_with("flood")).cloned().collect();
        assert_eq!(flood, (0..50).map(|n| format!("flood@h {n}")).collect::<Vec<_>>(), "its own order stays");
    }

    #[test]
    fn where_there_is_no_room_the_flood_loses_what_it_asked_last_and_nobody_else_is_refused() {
        let waiting = waiting();
        assert_eq!(ask(&waiting, "flood@h", 200).len(), 200 - 64);
        for n in 0..20 {
            let lost = ask(&waiting, &format!("user{n}@h"), 1);
            assert_eq!(lost, [format!("flood@h {}", 63 - n)]);
        }
        assert_eq!(waiting.count(), 64);
        assert!(waiting.hits().iter().any(|hit| hit.what == "queries" && hit.domain == "h"));
        let order = all(&waiting);
        let last = order.iter().rposition(|question| question.starts_with("user")).unwrap();
        assert_eq!((order.len(), last), (64, 20), "each of them waited for one round");
        assert_eq!(waiting.count(), 0);
    }

    /// First presence of a thousand people at once: each account is read, even while another one floods the archive.
    #[test]
    fn what_has_a_bound_elsewhere_takes_nobodys_room_and_is_never_lost() {
        let waiting = waiting();
        ask(&waiting, "flood@h", 64);
        for n in 0..1000 {
            waiting.push_beyond(&jid(&format!("user{n}@h")), format!("read {n}"));
        }
        waiting.push_beyond(&jid("flood@h"), "read of the flood".into());
        assert_eq!(ask(&waiting, "bob@h", 1), ["flood@h 63"], "of the flood, what it asked of the archive goes");
        let order = all(&waiting);
        assert_eq!(order.iter().filter(|question| question.starts_with("read")).count(), 1001);
        assert_eq!((order.len(), waiting.count()), (1001 + 64, 0));
    }

    #[test]
    fn many_accounts_of_a_foreign_domain_keep_nobody_of_the_service_out() {
        let waiting = waiting();
        for n in 0..200 {
            ask(&waiting, &format!("u{n}@far"), 1);
        }
        for n in 0..32 {
            let lost = ask(&waiting, &format!("user{n}@h"), 1);
            assert!(lost.len() == 1 && lost[0].ends_with("@far 0"), "{lost:?}");
        }
        assert_eq!(all(&waiting).len(), 64);
    }

    #[test]
    fn a_domain_with_any_number_of_accounts_has_one_turn() {
        let waiting = waiting();
        for n in 0..40 {
            ask(&waiting, &format!("u{n}@s{n}.evil.example"), 1);
        }
        for account in ["a@h", "b@h", "c@good.example"] {
            ask(&waiting, account, 2);
        }
        let order = all(&waiting);
        let places = ["a@h 0", "b@h 0", "c@good.example 0", "a@h 1"].map(|it| order.iter().position(|o| o == it));
        assert_eq!((places, order.len()), ([1, 2, 3, 5].map(Some), 46));
        let evil: Vec<&String> = order.iter().filter(|question| question.contains("evil")).collect();
        assert!(evil.iter().zip(0..).all(|(question, n)| question.starts_with(&format!("u{n}@"))), "{evil:?}");
    }

    #[test]
    fn whoever_waits_for_a_question_is_woken_by_one_and_by_the_end() {
        let waiting = std::sync::Arc::new(waiting());
        let taking = std::thread::spawn({
            let waiting = waiting.clone();
            move || (waiting.take(), waiting.take())
        });
        ask(&waiting, "a@h", 1);
        while waiting.count() > 0 {
            std::thread::yield_now();
        }
        waiting.close();
        assert_eq!(taking.join().unwrap(), (Some("a@h 0".to_owned()), None));
    }
}
