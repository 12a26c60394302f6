//! XEP-0369 §6.2: the channels that one account finds, by name. Any page is found in few steps.
//!
//! They are the listed channels, without those hidden from the account's domain, with those shown to the domain, with
//! the account's own channels, and corrected by what differs for the account alone.

use super::catalog::Findable;
use super::domains::{HIDDEN, SHOWN};
use super::places::BESIDES;
use crate::channel::ChannelName;
use crate::channel::command::Slice;
use crate::channel::roll::{Marks, Roll};
use crate::steps;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The channels that one account finds.
pub(in crate::engine) struct Found<'a> {
    listed: &'a [ChannelName],
    domain: Option<&'a Roll<ChannelName>>,
    /// The account's channels. `BESIDES` marks those that its domain does not find.
    own: Option<&'a Roll<ChannelName>>,
    /// Channels that the account may find although its domain does not, or the reverse: whether the account finds them.
    told: BTreeMap<&'a str, (&'a ChannelName, bool)>,
    /// Those of `told` that the account finds and that are not listed.
    besides: Vec<&'a ChannelName>,
    /// A correction of the count: how many more the account finds, up to and including this name.
    more: Vec<(&'a str, isize)>,
}

impl Findable for Found<'_> {
    fn has(&self, name: &str) -> bool {
        match self.told.get(name) {
            Some((_, is_found)) => *is_found,
            None if self.is_besides(name) => true,
            None => (self.is_listed(name) && self.marks(name) & HIDDEN == 0) || self.marks(name) & SHOWN != 0,
        }
    }

    fn behind(&self, name: Option<&str>) -> Option<&ChannelName> {
        self.next_behind(name)
    }

    fn before(&self, name: Option<&str>) -> Option<&ChannelName> {
        self.next_before(name)
    }

    fn count(&self) -> usize {
        self.len()
    }
}

impl<'a> Found<'a> {
    pub fn new(
        listed: &'a [ChannelName],
        domain: Option<&'a Roll<ChannelName>>,
        own: Option<&'a Roll<ChannelName>>,
    ) -> Found<'a> {
        Found { listed, domain, own, told: BTreeMap::new(), besides: Vec::new(), more: Vec::new() }
    }

    /// Says whether the account finds a channel. The channel may be gone.
    pub fn tell(&mut self, name: &'a ChannelName, is_found: bool) {
        self.told.insert(name.as_str(), (name, is_found));
    }

    /// Computes the corrections, after all [`Found::tell`].
    pub fn settled(mut self) -> Found<'a> {
        let mut more = 0;
        for (&text, &(name, is_found)) in &self.told {
            steps::take(1);
            let is_listed = self.is_listed(text);
            if is_found && !is_listed {
                self.besides.push(name);
            }
            // The kept lists may be older than this turn, and count channels that are gone or not there yet.
            let marks = self.marks(text);
            let counted = [is_listed, marks & SHOWN != 0, self.is_besides(text)].map(isize::from).iter().sum::<isize>();
            let differs = isize::from(is_found) - (counted - isize::from(marks & HIDDEN != 0));
            if differs != 0 {
                more += differs;
                self.more.push((text, more));
            }
        }
        self
    }

    fn is_listed(&self, name: &str) -> bool {
        self.listed.binary_search_by(|other| other.as_str().cmp(name)).is_ok()
    }

    /// The marks of the account's domain.
    fn marks(&self, name: &str) -> Marks {
        let is = |mark| self.domain.is_some_and(|it| it.get(mark, |other| other.as_str().cmp(name)).is_some());
        [HIDDEN, SHOWN].into_iter().filter(|mark| is(*mark)).sum()
    }

    /// Whether the account is in it, and its domain does not find it.
    fn is_besides(&self, name: &str) -> bool {
        self.own.is_some_and(|own| own.get(BESIDES, |other| other.as_str().cmp(name)).is_some())
    }

    /// How many names with a mark come before this name.
    fn rank(&self, mark: Marks, name: &str) -> usize {
        let names = if mark == BESIDES { self.own } else { self.domain };
        names.map_or(0, |names| names.rank(mark, |other| other.as_str().cmp(name)))
    }

    pub fn len(&self) -> usize {
        let all = |mark| self.domain.map_or(0, |names| names.count(mark));
        let more = self.more.last().map_or(0, |(_, more)| *more);
        let own = self.own.map_or(0, |own| own.count(BESIDES));
        told(self.listed.len() + all(SHOWN) + own, all(HIDDEN), more)
    }

    /// The index of a channel, by name.
    pub fn position(&self, name: &str) -> Option<usize> {
        if !self.has(name) {
            return None;
        }
        let listed = self.listed.partition_point(|other| other.as_str() < name);
        let at = self.more.partition_point(|(other, _)| *other < name);
        let more = at.checked_sub(1).map_or(0, |at| self.more[at].1);
        let shown = self.rank(SHOWN, name) + self.rank(BESIDES, name);
        Some(told(listed + shown, self.rank(HIDDEN, name), more))
    }

    /// The page that a slice asks for, of up to `count`.
    pub fn page(&self, slice: &Slice, count: usize) -> Vec<ChannelName> {
        let mut page = Vec::new();
        let mut at = match &slice.before {
            Some(before) => Some(before.as_str()).filter(|name| !name.is_empty()),
            None => slice.after.as_deref(),
        };
        while page.len() < count {
            let next = if slice.before.is_some() { self.next_before(at) } else { self.next_behind(at) };
            let Some(name) = next else { break };
            page.push(name.clone());
            at = Some(name.as_str());
        }
        if slice.before.is_some() {
            page.reverse();
        }
        page
    }

    /// The first name after this one.
    fn next_behind(&self, name: Option<&str>) -> Option<&'a ChannelName> {
        let is_before = |other: &str| name.is_some_and(|name| other <= name);
        let mut at = self.listed.partition_point(|other| is_before(other.as_str()));
        let listed = loop {
            steps::take(1);
            let Some(one) = self.listed.get(at) else { break None };
            match self.told.get(one.as_str()) {
                Some((_, true)) => break Some(one),
                Some(_) => at += 1,
                None if self.marks(one.as_str()) & HIDDEN == 0 => break Some(one),
                None => {
                    let told = self.told.range::<str, _>((Bound::Excluded(one.as_str()), Bound::Unbounded)).next();
                    at = self.end_of_run(at, told.map(|(name, _)| *name));
                }
            }
        };
        let marked = [(self.domain, SHOWN), (self.own, BESIDES)].map(|(names, mark)| {
            let names = names?;
            let from =
                names.rank(mark, |other| if is_before(other.as_str()) { Ordering::Less } else { Ordering::Greater });
            names.rising(mark, from).find(|other| !self.told.contains_key(other.as_str()))
        });
        let besides = self.besides.get(self.besides.partition_point(|other| is_before(other.as_str()))).copied();
        [listed, besides].into_iter().chain(marked).flatten().min()
    }

    /// The last name before this one.
    fn next_before(&self, name: Option<&str>) -> Option<&'a ChannelName> {
        let is_before = |other: &str| name.is_none_or(|name| other < name);
        let mut end = self.listed.partition_point(|other| is_before(other.as_str()));
        let listed = loop {
            steps::take(1);
            let Some(one) = end.checked_sub(1).map(|at| &self.listed[at]) else { break None };
            match self.told.get(one.as_str()) {
                Some((_, true)) => break Some(one),
                Some(_) => end -= 1,
                None if self.marks(one.as_str()) & HIDDEN == 0 => break Some(one),
                None => {
                    let told = self.told.range::<str, _>((Bound::Unbounded, Bound::Excluded(one.as_str()))).next_back();
                    end = self.begin_of_run(end, told.map(|(name, _)| *name));
                }
            }
        };
        let marked = [(self.domain, SHOWN), (self.own, BESIDES)].map(|(names, mark)| {
            let names = names?;
            let to =
                names.rank(mark, |other| if is_before(other.as_str()) { Ordering::Less } else { Ordering::Greater });
            names.falling(mark, to).find(|other| !self.told.contains_key(other.as_str()))
        });
        let at = self.besides.partition_point(|other| is_before(other.as_str()));
        let besides = at.checked_sub(1).map(|at| self.besides[at]);
        [listed, besides].into_iter().chain(marked).flatten().max()
    }

    /// Whether all listed channels of a non-empty range are hidden from the domain. Every hidden channel between its
    /// ends is listed.
    fn are_hidden(&self, from: usize, to: usize) -> bool {
        steps::take(1);
        let (Some(names), first, last) = (self.domain, &self.listed[from], &self.listed[to - 1]) else { return false };
        let up_to = names.rank(HIDDEN, |other| if other <= last { Ordering::Less } else { Ordering::Greater });
        up_to - self.rank(HIDDEN, first.as_str()) == to - from
    }

    /// The end of the run of hidden channels that begins at `from`, before a name.
    fn end_of_run(&self, from: usize, limit: Option<&str>) -> usize {
        let end = limit.map_or(self.listed.len(), |name| self.listed.partition_point(|other| other.as_str() < name));
        let (mut hidden, mut other) = (from + 1, end + 1);
        while other - hidden > 1 {
            let middle = hidden + (other - hidden) / 2;
            if self.are_hidden(from, middle) { hidden = middle } else { other = middle }
        }
        hidden
    }

    /// The beginning of the run of hidden channels that ends at `end`, after a name.
    fn begin_of_run(&self, end: usize, limit: Option<&str>) -> usize {
        let begin = limit.map_or(0, |name| self.listed.partition_point(|other| other.as_str() <= name));
        // Indices are one higher here, so that there is one before the first.
        let (mut other, mut hidden) = (begin, end);
        while hidden - other > 1 {
            let middle = other + (hidden - other) / 2;
            if self.are_hidden(middle - 1, end) { hidden = middle } else { other = middle }
        }
        hidden - 1
    }
}

/// The count. The domain's kept list alone may hide more channels than exist.
fn told(shown: usize, hidden: usize, more: isize) -> usize {
    (shown.saturating_add_signed(more)).saturating_sub(hidden)
}

#[cfg(test)]
mod tests {
    use super::super::places::IN;
    use super::*;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    #[test]
    fn every_page_is_one_of_what_is_found() {
        let mut dice = StdRng::seed_from_u64(3);
        for round in 0..60 {
            let count = 1 + round % 40;
            let every: Vec<_> = (0..count).map(|n| ChannelName::new(&format!("c{n:02}")).unwrap()).collect();
            // Long runs of one kind, and mixtures.
            let often = [0.1, 0.5, 0.95][round % 3];
            let kind: Vec<_> = every.iter().map(|_| (dice.random_bool(0.7), dice.random_bool(often))).collect();
            let names = every.iter().zip(&kind);
            let listed: Vec<_> = names.clone().filter(|(_, (is, _))| *is).map(|(name, _)| name.clone()).collect();
            let mut domain = Roll::default();
            for (name, (is_listed, _)) in names.clone().filter(|(_, (_, differs))| *differs) {
                domain.set(name.clone(), if *is_listed { HIDDEN } else { SHOWN });
            }
            // Kept marks of channels that are gone.
            let gone: Vec<_> = ["a", "c05x", "z"].map(|name| ChannelName::new(name).unwrap()).into();
            gone.iter().for_each(|name| domain.set(name.clone(), if dice.random() { HIDDEN } else { SHOWN }));
            let mut own = Roll::default();
            let finds = |(is, differs): &(bool, bool)| is != differs;
            for (name, _) in names.clone().filter(|(_, kind)| !finds(kind) && dice.random_ratio(1, 3)) {
                own.set(name.clone(), IN | BESIDES);
            }
            for (name, _) in names.clone().filter(|(_, kind)| finds(kind) && dice.random_ratio(1, 3)) {
                own.set(name.clone(), IN);
            }
            let mut found = Found::new(&listed, Some(&domain), Some(&own));
            gone.iter().for_each(|name| found.tell(name, false));
            let mut all = Vec::new();
            for (name, (is_listed, differs)) in names {
                let mut is_found = is_listed != differs || own.contains(name);
                if dice.random_ratio(1, 5) {
                    is_found = dice.random();
                    found.tell(name, is_found);
                }
                all.extend(is_found.then_some(name));
            }
            let found = found.settled();
            assert_eq!(found.len(), all.len());
            for name in every.iter().chain(&gone) {
                assert_eq!(found.position(name.as_str()), all.iter().position(|other| *other == name));
            }
            for at in 0..=all.len() {
                let name = |at: usize| all[at].to_string();
                let max = Some(3);
                let after = Slice { max, after: at.checked_sub(1).map(name), before: None };
                let before =
                    Slice { max, after: None, before: Some(all.get(at).map_or_else(String::new, |it| it.to_string())) };
                for slice in [after, before] {
                    let range = slice.cut(found.len(), 100, |name| found.position(name)).unwrap();
                    let page = found.page(&slice, range.len());
                    assert_eq!(page.iter().collect::<Vec<_>>(), all[range], "{slice:?}");
                }
            }
        }
    }
}
