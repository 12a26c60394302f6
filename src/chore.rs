//! A chore goes through many things one after the other, some at each step: channels, people of channels, records of
//! the store. [`Chore`] says how far it is, what a step may take, and what it waits for.
//!
//! It is pure: its user lists the things and does the work.

use std::collections::BTreeSet;

/// What one step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many things are looked at, including those that are waited for.
    pub things: usize,
    /// What they may cost together, in a unit of the user's. The last one may exceed it.
    pub cost: usize,
}

/// The order of the things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// All of them once, in order.
    Once,
    /// All of them in a circle: the first one follows the last one.
    Circle,
    /// Always the first ones: things that are done are no longer listed.
    Queue,
}

/// How far a chore is.
#[derive(Clone, Debug)]
pub struct Chore<K> {
    budget: Budget,
    way: Way,
    /// The last thing that was taken up.
    behind: Option<K>,
    /// The things that were taken up and are not done.
    open: BTreeSet<K>,
    /// What this step has cost so far.
    cost: usize,
    ended: bool,
}

impl<K: Ord + Clone> Chore<K> {
    fn new(budget: Budget, way: Way, behind: Option<K>) -> Chore<K> {
        Chore { budget, way, behind, open: BTreeSet::new(), cost: 0, ended: false }
    }

    /// A chore that goes through everything behind a thing once.
    pub fn once(budget: Budget, behind: Option<K>) -> Chore<K> {
        Chore::new(budget, Way::Once, behind)
    }

    /// A chore that goes through things in a circle. Each thing gets its turn whatever becomes of the others.
    pub fn circle(budget: Budget) -> Chore<K> {
        Chore::new(budget, Way::Circle, None)
    }

    /// A chore whose things are no longer listed once they are done.
    pub fn queue(budget: Budget) -> Chore<K> {
        Chore::new(budget, Way::Queue, None)
    }

    /// Begins a step. Returns what is to be done: open things first, then new ones. `list` returns up to a number of
    /// things behind a given one, in order.
    pub fn step(&mut self, list: impl FnMut(Option<&K>, usize) -> Vec<K>) -> Vec<K> {
        let mut all = self.rest();
        all.append(&mut self.take_up(list));
        all
    }

    /// Takes up the next things, as far as the budget goes.
    pub fn take_up(&mut self, mut list: impl FnMut(Option<&K>, usize) -> Vec<K>) -> Vec<K> {
        let room = self.budget.things.saturating_sub(self.open.len());
        let mut found = match self.way {
            Way::Once if self.ended || room == 0 => Vec::new(),
            // Open things are still among the first ones.
            Way::Queue => list(None, self.budget.things),
            Way::Once => list(self.behind.as_ref(), room),
            Way::Circle => {
                let mut found = list(self.behind.as_ref(), room);
                if found.len() < room && self.behind.is_some() {
                    let known: BTreeSet<K> = found.iter().cloned().collect();
                    let first = list(None, room - found.len()).into_iter();
                    found.extend(first.filter(|thing| !known.contains(thing)));
                }
                found
            }
        };
        self.ended |= self.way == Way::Once && found.len() < room;
        self.behind = found.last().cloned().or(self.behind.take());
        found.retain(|thing| !self.open.contains(thing));
        found.truncate(room);
        self.open.extend(found.iter().cloned());
        found
    }

    /// Begins a step that takes up nothing. Returns the open things.
    pub fn rest(&mut self) -> Vec<K> {
        self.cost = 0;
        self.open.iter().cloned().collect()
    }

    /// How far it is: the last thing that was taken up, and those that are not done.
    pub fn place(&self) -> (Option<K>, Vec<K>) {
        (self.behind.clone(), self.open.iter().cloned().collect())
    }

    /// Opens a thing again, whether or not it was taken up before.
    pub fn reopen(&mut self, thing: K) {
        self.open.insert(thing);
    }

    /// A thing is done or skipped. Returns whether it was open.
    pub fn done(&mut self, thing: &K) -> bool {
        self.open.remove(thing)
    }

    /// Counts a cost.
    pub fn spend(&mut self, cost: usize) {
        self.cost = self.cost.saturating_add(cost);
    }

    /// Whether this step may spend more.
    pub fn has_room(&self) -> bool {
        self.cost < self.budget.cost
    }

    /// How much more this step may spend.
    pub fn room(&self) -> usize {
        self.budget.cost.saturating_sub(self.cost)
    }

    /// The things that were taken up and are not done.
    pub fn open(&self) -> impl Iterator<Item = &K> {
        self.open.iter()
    }

    /// Whether a thing was taken up and is not done.
    pub fn is_open(&self, thing: &K) -> bool {
        self.open.contains(thing)
    }

    /// Whether nothing is open.
    pub fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// The last thing that was taken up.
    pub fn behind(&self) -> Option<&K> {
        self.behind.as_ref()
    }

    /// How many things a step goes through.
    pub fn things(&self) -> usize {
        self.budget.things
    }

    /// Goes on behind a thing at the next step; ends where it is `None`.
    pub fn go_to(&mut self, behind: Option<K>) {
        self.ended = behind.is_none();
        self.behind = behind;
        self.cost = 0;
    }

    /// Whether it went through everything.
    pub fn is_over(&self) -> bool {
        self.ended && self.open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::Bound;

    const BUDGET: Budget = Budget { things: 3, cost: 10 };

    fn listed(things: &BTreeSet<u8>) -> impl Fn(Option<&u8>, usize) -> Vec<u8> {
        |behind, max| {
            let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
            things.range((from, Bound::Unbounded)).take(max).copied().collect()
        }
    }

    #[test]
    fn each_thing_comes_once_and_the_end_waits_for_what_is_open() {
        let things: BTreeSet<u8> = (0..7).collect();
        let mut chore = Chore::once(BUDGET, None);
        assert_eq!(chore.step(listed(&things)), [0, 1, 2]);
        assert_eq!(chore.step(listed(&things)), [0, 1, 2], "there is room for three");
        assert!(chore.done(&1) && !chore.done(&1) && !chore.done(&6));
        assert_eq!(chore.step(listed(&things)), [0, 2, 3]);
        [0, 2, 3].iter().for_each(|thing| assert!(chore.done(thing)));
        assert_eq!(chore.step(listed(&things)), [4, 5, 6]);
        assert!(!chore.is_over());
        [4, 5, 6].iter().for_each(|thing| assert!(chore.done(thing)));
        assert_eq!(chore.step(listed(&things)), [0; 0]);
        assert!(chore.is_over());
        chore.reopen(2);
        assert_eq!((chore.is_over(), chore.step(listed(&things))), (false, vec![2]));
    }

    #[test]
    fn in_a_circle_everything_has_its_turn_and_nothing_comes_twice_at_once() {
        let things: BTreeSet<u8> = (0..5).collect();
        let mut chore = Chore::circle(BUDGET);
        let mut rounds = Vec::new();
        for _ in 0..4 {
            let step = chore.step(listed(&things));
            step.iter().for_each(|thing| assert!(chore.done(thing)));
            rounds.push(step);
        }
        assert_eq!(rounds, [vec![0, 1, 2], vec![3, 4, 0], vec![1, 2, 3], vec![4, 0, 1]]);
        let mut few = Chore::circle(BUDGET);
        assert_eq!(few.step(listed(&BTreeSet::from([8]))), [8]);
        assert_eq!(few.step(listed(&BTreeSet::from([8]))), [8], "it is open");
        few.done(&8);
        assert_eq!(few.step(listed(&BTreeSet::from([8]))), [8]);
    }

    #[test]
    fn a_queue_goes_on_behind_what_is_open() {
        let mut things: BTreeSet<u8> = (0..5).collect();
        let mut chore = Chore::queue(BUDGET);
        assert_eq!(chore.step(listed(&things)), [0, 1, 2]);
        chore.done(&0);
        things.remove(&0);
        assert_eq!(chore.step(listed(&things)), [1, 2, 3]);
    }

    #[test]
    fn what_a_step_costs_is_counted_anew_each_time() {
        let mut chore: Chore<u8> = Chore::queue(BUDGET);
        chore.spend(9);
        assert!(chore.has_room() && chore.room() == 1);
        chore.spend(9);
        assert!(!chore.has_room());
        chore.step(|_, _| Vec::new());
        assert_eq!(chore.room(), 10);
    }
}
