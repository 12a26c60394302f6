//! The lists of one channel. Fan-outs share a list, and it costs the same to change whatever its length.

use super::AccountNo;
use crate::xep::List;
use std::collections::HashMap;
use std::sync::Arc;

/// Up to this length a list is looked through; a longer one is kept with the place of each account.
const SHORT: usize = 64;

/// The lists of one channel, few as they are.
#[derive(Clone, Debug, Default)]
pub(super) struct ChannelLists(Vec<(List, Subscribers)>);

impl ChannelLists {
    /// A list, empty where nobody has been on it.
    pub fn of(&mut self, list: List) -> &mut Subscribers {
        let place = self.0.iter().position(|(other, _)| *other == list).unwrap_or_else(|| {
            self.0.push((list, Subscribers::default()));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }

    /// All who are on a list, as they are: what happens to it afterwards does not change what is returned.
    pub fn share(&self, list: List) -> Arc<Vec<AccountNo>> {
        let found = self.0.iter().find(|(other, _)| *other == list);
        found.map(|(_, subscribers)| subscribers.share()).unwrap_or_default()
    }
}

/// Who is on one list. The order is that in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscribers {
    /// Those who are gone from a long list leave [`AccountNo::NOBODY`] behind.
    accounts: Arc<Vec<AccountNo>>,
    /// Where each stands; empty where the list is short, or did not change since it was filled.
    places: HashMap<AccountNo, usize>,
    gone: usize,
}

impl Subscribers {
    pub fn of(accounts: Vec<AccountNo>) -> Subscribers {
        Subscribers { accounts: Arc::new(accounts), ..Subscribers::default() }
    }

    /// All of them. The next change copies a list that is still in use.
    fn share(&self) -> Arc<Vec<AccountNo>> {
        self.accounts.clone()
    }

    pub fn insert(&mut self, no: AccountNo) {
        if self.accounts.len() <= SHORT {
            if !self.accounts.contains(&no) {
                Arc::make_mut(&mut self.accounts).push(no);
            }
            return;
        }
        self.find_places();
        let end = self.accounts.len();
        if *self.places.entry(no).or_insert(end) == end {
            Arc::make_mut(&mut self.accounts).push(no);
        }
    }

    pub fn remove(&mut self, no: AccountNo) {
        if self.accounts.len() <= SHORT {
            return Arc::make_mut(&mut self.accounts).retain(|&other| other != no);
        }
        self.find_places();
        let Some(place) = self.places.remove(&no) else { return };
        let accounts = Arc::make_mut(&mut self.accounts);
        accounts[place] = AccountNo::NOBODY;
        self.gone += 1;
        if 2 * self.gone > accounts.len() {
            accounts.retain(|&other| other != AccountNo::NOBODY);
            self.places.clear();
            self.gone = 0;
        }
    }

    fn find_places(&mut self) {
        if self.places.is_empty() {
            self.places = self.accounts.iter().enumerate().map(|(place, &no)| (no, place)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(list: &Subscribers) -> Vec<AccountNo> {
        list.share().iter().copied().filter(|&no| no != AccountNo::NOBODY).collect()
    }

    /// Everything that can be done, at any length, beside a list that is looked through.
    #[test]
    fn a_long_list_is_what_a_plain_one_would_be() {
        let (mut list, mut plain) = (Subscribers::of((0..70).map(AccountNo::first).collect()), Vec::new());
        plain.extend((0..70).map(AccountNo::first));
        let mut dice = 7_u32;
        for step in 0..20_000_u32 {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let no = AccountNo::first((dice >> 8) % 200);
            // It grows and shrinks in turns.
            if (dice >> 20) % 10 < if step / 2000 % 2 == 0 { 7 } else { 3 } {
                list.insert(no);
                if !plain.contains(&no) {
                    plain.push(no);
                }
            } else {
                list.remove(no);
                plain.retain(|&other| other != no);
            }
            assert!(
                list.accounts.len() <= (2 * plain.len()).max(SHORT + 1),
                "{} for {}",
                list.accounts.len(),
                plain.len()
            );
            assert_eq!(listed(&list), plain, "after {step}");
        }
    }

    #[test]
    fn what_was_shared_stays_as_it_was() {
        let mut list = Subscribers::of((0..100).map(AccountNo::first).collect());
        let shared = list.share();
        list.remove(AccountNo::first(3));
        list.insert(AccountNo::first(100));
        assert_eq!(*shared, (0..100).map(AccountNo::first).collect::<Vec<_>>());
    }
}
