//! Unread counts and visible rows, compared with a naive recount of everything that happened. The seed is fixed.

use super::world_tests::{World, jid, text};
use crate::channel::*;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

/// What the recount keeps of a person.
#[derive(Default)]
struct Person {
    seen: BTreeSet<u64>,
    hidden: BTreeSet<u64>,
    cleared: u64,
    /// The highest row that counts as known: read, written, cleared, or there before the person came in.
    mark: u64,
}

const NAMES: [&str; 4] = ["ann", "bob", "cy", "dee"];

struct Recount {
    world: World,
    people: BTreeMap<&'static str, Person>,
    dice: StdRng,
}

impl Recount {
    /// All participants see the rows of the step. Those who leave see the row of their leaving as well.
    fn step(&mut self) {
        let name = NAMES[self.dice.random_range(0..NAMES.len())];
        let (before, was_in) = (self.world.channel.head().row, self.inside());
        let visible: Vec<u64> = self.people[name].seen.iter().copied().collect();
        let pick = |dice: &mut StdRng| visible.get(dice.random_range(0..visible.len().max(1))).copied();
        let row = pick(&mut self.dice);
        let is_in = was_in.contains(name);
        self.world.now.0 += 1;
        match (self.dice.random_range(0..20), row) {
            (0, _) if is_in && name != "ann" => drop(self.world.ask(name, Command::Leave).unwrap()),
            (0..=4, _) if !is_in => {
                self.world.add("ann", &[name]).unwrap();
                let person = self.people.get_mut(name).unwrap();
                person.mark = person.mark.max(before);
            }
            (1, Some(row)) => {
                self.world.group_ask(name, GroupCommand::Hide { rows: vec![row] }).unwrap();
                self.people.get_mut(name).unwrap().hidden.insert(row);
            }
            (2, Some(row)) if self.dice.random_ratio(1, 4) => {
                self.world.group_ask(name, GroupCommand::Clear { up_to: Some(row) }).unwrap();
                let person = self.people.get_mut(name).unwrap();
                (person.cleared, person.mark) = (person.cleared.max(row), person.mark.max(row));
            }
            (3..=6, Some(row)) if is_in => {
                let exact = self.dice.random();
                let own = self.author_of(row) == name;
                self.world.group_ask(name, GroupCommand::Report { row, progress: Progress::Read, exact }).unwrap();
                if !(exact && own) {
                    let person = self.people.get_mut(name).unwrap();
                    person.mark = person.mark.max(row);
                }
            }
            (7, Some(row)) if is_in => {
                drop(self.world.group_ask(name, GroupCommand::Moderate { row, reason: None }));
            }
            _ if is_in => {
                let message = Message { counted: self.dice.random_ratio(4, 5), origin_id: None, ..text("x") };
                let counted = message.counted;
                self.world.ask(name, Command::Publish(message)).unwrap();
                if counted {
                    self.people.get_mut(name).unwrap().mark = self.world.channel.head().row;
                }
            }
            _ => {}
        }
        let now_in = self.inside();
        for row in before + 1..=self.world.channel.head().row {
            for name in was_in.union(&now_in) {
                self.people.get_mut(name).unwrap().seen.insert(row);
            }
        }
    }

    fn inside(&self) -> BTreeSet<&'static str> {
        NAMES.into_iter().filter(|name| self.world.channel.participant(&jid(name)).is_some()).collect()
    }

    fn author_of(&self, row: u64) -> String {
        let author = self.world.channel.member_of(&self.world.facts[&row].row.author).unwrap();
        author.jid.node().unwrap().to_string()
    }

    fn check(&mut self) {
        for name in NAMES {
            let person = &self.people[name];
            let shown: Vec<u64> = person
                .seen
                .iter()
                .filter(|&row| *row > person.cleared && !person.hidden.contains(row))
                .copied()
                .collect();
            let counts = |row: &&u64| self.world.facts[*row].row.counted && !self.world.facts[*row].entombed;
            let unread = (person.mark + 1..=self.world.channel.head().row)
                .filter(|row| counts(&row) && !person.hidden.contains(row))
                .count() as u64;
            match self.world.status(name) {
                None => continue,
                Some(Status::Joined) => assert_eq!(self.world.unread(name), unread, "{name}"),
                Some(_) => assert_eq!(self.world.unread(name), 0, "{name}"),
            }
            assert_eq!(self.world.shown(name), shown, "{name}");
        }
    }
}

#[test]
fn unread_and_visible_rows_agree_with_a_naive_recount() {
    for seed in 0..12 {
        let world = World::group(Membership::Auto, &["bob"]);
        let mut people: BTreeMap<&str, Person> = NAMES.map(|name| (name, Person::default())).into();
        for name in ["ann", "bob"] {
            people.get_mut(name).unwrap().seen.insert(1);
        }
        let mut recount = Recount { world, people, dice: StdRng::seed_from_u64(seed) };
        for _ in 0..150 {
            recount.step();
            recount.check();
        }
        assert!(recount.world.channel.head().row > 60);
    }
}

#[test]
fn a_mark_outlives_the_rows_that_a_load_sees() {
    let mut world = World::group(Membership::Auto, &["bob"]);
    world.say("ann", "a word before");
    let row = world.say("bob", "my only word");
    for n in 0..dedup::REPEATS_MAX {
        // After each message, a loaded channel is compared with the one in memory.
        world.say("ann", &n.to_string());
    }
    let saved = |change: &Change| matches!(change, Change::Noted(member) if member.own.mark.0 == row);
    assert!(world.last.iter().any(saved), "{:?}", world.last);
    assert_eq!(world.unread("bob"), dedup::REPEATS_MAX as u64);
    world.say("ann", "one more");
    assert_eq!(world.last.len(), 1, "saved once");
}
