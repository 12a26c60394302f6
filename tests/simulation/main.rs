//! The simulation: seeded runs of clients, host servers and a failing world against the engine and the store in memory.
//!
//! After every turn a naive model, the store, the engine's memory and everything that crossed the link must agree.
//! A failure prints its seed, its step and the last of what happened. `SEED=7 RUNS=1` repeats a run; `RUNS` and
//! `STEPS` make it longer: `SEED=1000 RUNS=5000 STEPS=1000 cargo test --test simulation --release`.

#![allow(clippy::unwrap_used)]

mod asks;
mod checks;
mod clients;
mod cold;
mod events;
mod group_checks;
mod group_model;
mod groups;
mod hosts;
mod model;
mod reading;
mod recovery;
mod rooms;
mod routes;
mod sense;
mod turn;
mod wire;
mod world;

use world::World;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}

fn run(seed: u64, steps: u64) -> World {
    let mut world = World::new(seed);
    for _ in 0..steps {
        world.step();
    }
    world.recover();
    checks::store_is_whole(&world.store);
    world
}

#[test]
fn whatever_happens_nothing_is_lost_doubled_reordered_or_shown_to_others() {
    let (first, steps) = (setting("SEED", 1), setting("STEPS", 300));
    let (mut waited, mut refused, mut expired, mut jumps, mut falls) = (0, 0, 0, 0, 0);
    let (mut read, mut looked_up) = (0, 0);
    let runs = setting("RUNS", 50);
    for seed in first..first + runs {
        let world = run(seed, steps);
        waited += world.cold.waited.0;
        refused += world.cold.waited.1;
        read += world.cold.errands.0;
        looked_up += world.cold.errands.1;
        expired += world.late.expired;
        jumps += world.sense.jumps;
        falls += world.sense.falls;
    }
    assert!(runs < 50 || (waited > 0 && refused > 0), "nothing waited for a channel, or it never was too much");
    assert!(runs < 50 || read > 0, "nobody named a row of an old month");
    assert!(runs < 50 || looked_up > 0, "nobody asked for what is kept of its account");
    assert!(runs < 50 || expired > 0, "no rows ever were too old");
    assert!(runs < 50 || (jumps > 0 && falls > 0), "no clock ever jumped, or no stamp ever went back");
}

#[test]
fn a_seed_says_all_that_happens() {
    let seed = setting("SEED", 1);
    assert_eq!(run(seed, 150).digest, run(seed, 150).digest);
    assert_ne!(run(seed, 150).digest, run(seed + 1, 150).digest);
}
