//! Rooms by chance: clients of XEP-0045 and of MIX come, talk, go and fall silent in the same channels, while the store refuses
//! commits, channels leave memory and the service starts again. Several clients enter in one turn, and rooms have them wait for
//! one another.
//!
//! Every client keeps what it was told. Whenever all is quiet, the clients of one room know the same occupants, those are the
//! people who are there, each of them has one nick, and each client has every message since its subject, once and in order. Whoever speaks hears what it said, or why it did not.
//! Where JIDs are hidden, no client but an owner's was ever sent the account of another. `SEED=7 RUNS=1` repeats a run.

#![allow(clippy::unwrap_used)]

mod client;
mod deeds;
mod world;

use world::World;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn clients_of_rooms_know_who_is_there_and_miss_nothing() {
    let (first, runs, steps) = (setting("SEED", 1), setting("RUNS", 40), setting("STEPS", 150));
    let (mut entries, mut messages, mut refused, mut ended, mut restarts) = (0, 0, 0, 0, 0);
    let (mut rounds, mut held, mut strays) = (0, 0, 0);
    for seed in first..first + runs {
        let mut world = World::new(seed);
        for _ in 0..steps {
            world.step();
        }
        world.settle();
        entries += world.seen.entries;
        messages += world.seen.messages;
        refused += world.seen.refused_commits;
        ended += world.seen.put_out;
        restarts += world.seen.restarts;
        rounds += world.seen.rounds;
        held += world.seen.held;
        strays += world.seen.strays;
    }
    assert!(runs < 40 || (entries > 500 && messages > 1000), "too little happened: {entries}, {messages}");
    assert!(runs < 40 || (refused > 20 && ended > 20), "nothing went wrong: {refused}, {ended}");
    assert!(runs < 40 || restarts > 20, "it started again {restarts} times alone");
    assert!(runs < 40 || strays > 50, "{strays} times somebody spoke who was not inside");
    assert!(runs < 40 || (rounds > 300 && held > 100), "{rounds} rounds, and {held} times somebody waited");
}
