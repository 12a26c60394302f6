//! Nothing is lost, whatever dies: the real process killed, cut off, without a disk and without a sense of time, while
//! people talk. Afterwards every message that was sent is in the archive once, and everybody has it.
//!
//! `scripts/kill-test 100` is the long form. A run is drawn from its seed, though the machine's timing plays a part.

#![allow(clippy::unwrap_used)]

#[path = "ordeal/checks.rs"]
mod checks;
#[path = "ordeal/disk.rs"]
mod disk;
#[path = "ordeal/host.rs"]
mod host;
mod scripted;
#[path = "ordeal/world.rs"]
mod world;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use std::collections::BTreeMap;
use std::time::Duration;
use world::{Calamity, World};

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number")),
        Err(_) => default,
    }
}

/// What happens, in which order: for each kill half a cut, a quarter of a restart of the host server, and so on.
fn calamities(kills: usize, dice: &mut StdRng) -> Vec<Calamity> {
    let mut all = Vec::new();
    for (calamity, share) in [
        (Calamity::Kill, 4),
        (Calamity::Both, 1),
        (Calamity::Cut, 3),
        (Calamity::HostRestart, 2),
        (Calamity::ClockJump, 1),
        (Calamity::DiskFull, 1),
        (Calamity::DiskNearlyFull, 1),
    ] {
        all.extend(std::iter::repeat_n(calamity, (kills * share).div_ceil(5)));
    }
    all.shuffle(dice);
    all
}

#[test]
fn whatever_dies_nothing_is_lost() {
    let (kills, seed) = (setting("KILLS", 20) as usize, setting("SEED", 20261123));
    let mut dice = StdRng::seed_from_u64(seed);
    let mut world = World::start(seed, 64 + kills / 2);
    let all = calamities(kills, &mut dice);
    let mut counts: BTreeMap<Calamity, usize> = BTreeMap::new();
    for (n, calamity) in all.iter().enumerate() {
        world.talk(Duration::from_millis(dice.random_range(2..250)), 200);
        world.suffer(*calamity);
        *counts.entry(*calamity).or_default() += 1;
        if n % 100 == 99 {
            println!("{} of {} behind us, {} messages sent", n + 1, all.len(), world.sent.len());
        }
    }
    let (disk, ended) = (world.disk.kind(), world.ended_by_disk);
    let found = checks::check(world);
    println!("tried, with seed {seed}: {counts:?}");
    println!("the full disk was {disk} and ended the process {ended} times");
    println!(
        "{} messages sent, {} rows kept, {} deliveries of which {} again, {} guests let in",
        found.sent, found.rows, found.deliveries, found.repeats, found.guests
    );
    println!("lost: 0, kept twice: 0, not delivered: 0, stuck: 0");
}
