//! People who left and whose record the history needs. It tells whose records are given up first where there are too
//! many: those of the domain with most of them, and of that domain, those who left first. A domain counts with all
//! names below the one that was registered, so that having many names is worth no more.

use super::participant::Silent;
use crate::site;
use std::collections::{BTreeMap, BTreeSet};

/// The people who left, by domain.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Departed {
    domains: BTreeMap<String, BTreeSet<Silent>>,
    /// The domains by how many people they have.
    sizes: BTreeSet<(usize, String)>,
    count: usize,
}

impl Departed {
    /// How many people there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Adds somebody who left. Adding the same one again changes nothing.
    pub(super) fn insert(&mut self, who: Silent) {
        let domain = site::of(who.1.domain().as_str()).to_owned();
        self.edit(domain, |people| people.insert(who));
    }

    /// Removes somebody who came back, or whose record is gone.
    pub(super) fn remove(&mut self, who: &Silent) {
        let domain = site::of(who.1.domain().as_str()).to_owned();
        if self.domains.contains_key(&domain) {
            self.edit(domain, |people| people.remove(who));
        }
    }

    fn edit(&mut self, domain: String, edit: impl FnOnce(&mut BTreeSet<Silent>) -> bool) {
        let people = self.domains.entry(domain.clone()).or_default();
        let before = people.len();
        edit(people);
        let after = people.len();
        self.count = self.count + after - before;
        self.sizes.remove(&(before, domain.clone()));
        if after == 0 {
            self.domains.remove(&domain);
        } else {
            self.sizes.insert((after, domain));
        }
    }

    /// The `count` people whose records are given up first. Those for whom `is_spared` is true are left out.
    pub(super) fn first(&self, count: usize, is_spared: impl Fn(&Silent) -> bool) -> Vec<Silent> {
        let mut first = Vec::new();
        // The largest domains. Behind each, how many of its people remain.
        let largest = self.sizes.iter().rev().take(count);
        let (domains, is_spared) = (&self.domains, &is_spared);
        let people = |domain: &String| domains.get(domain).into_iter().flatten().filter(move |who| !is_spared(who));
        let mut left: Vec<_> = largest.map(|(size, domain)| (*size, people(domain))).collect();
        while first.len() < count {
            let Some(most) = left.iter().enumerate().max_by_key(|(at, (size, _))| (*size, usize::MAX - at)) else {
                break;
            };
            let at = most.0;
            match left[at].1.next() {
                Some(who) => {
                    first.push(who.clone());
                    left[at].0 -= 1;
                }
                None => drop(left.swap_remove(at)),
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::{ParticipantId, Stamp};
    use jid::BareJid;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn the_domain_with_most_loses_first_and_of_it_who_left_first() {
        let mut dice = StdRng::seed_from_u64(1);
        let mut departed = Departed::default();
        let mut left = |at: u64, jid: &str| {
            let who = (Stamp(at), BareJid::new(jid).unwrap(), ParticipantId::random(&mut dice));
            departed.insert(who.clone());
            who
        };
        let old = left(1, "old@small.example");
        let many: Vec<Silent> = (0..4).map(|n| left(9 - n, &format!("u{n}@large.example"))).collect();
        departed.insert(old.clone());
        assert_eq!(departed.len(), 5);
        assert_eq!(departed.first(2, |_| false), [many[3].clone(), many[2].clone()]);
        assert_eq!(departed.first(1, |who| *who == many[3]), [many[2].clone()]);
        assert!(departed.first(5, |_| false).contains(&old));
        many.iter().for_each(|who| departed.remove(who));
        departed.remove(&many[0]);
        assert_eq!((departed.len(), departed.first(9, |_| false)), (1, vec![old.clone()]));
        departed.remove(&old);
        assert_eq!(departed, Departed::default());
    }

    #[test]
    fn the_hosts_of_one_domain_are_counted_together() {
        let mut dice = StdRng::seed_from_u64(1);
        let mut departed = Departed::default();
        let mut left = |at: u64, jid: &str| {
            departed.insert((Stamp(at), BareJid::new(jid).unwrap(), ParticipantId::random(&mut dice)));
        };
        (0..2).for_each(|n| left(n, &format!("u{n}@good.example")));
        (0..9).for_each(|n| left(9 + n, &format!("u@x{n}.evil.example")));
        let first = departed.first(7, |_| false);
        assert!(first.iter().all(|(_, jid, _)| jid.domain().as_str().ends_with(".evil.example")), "{first:?}");
    }
}
