//! F7: what a service costs whose channels nobody uses at the moment. `cargo bench --bench rest`.
//!
//! `BENCH_CHANNELS` says how many channels (100,000 by default), `BENCH_ACCOUNTS` how many accounts are in them
//! (200,000 by default, each in ten channels).

#![allow(clippy::unwrap_used)]

mod rig;

use rig::figures::at_most;
use rig::mixd::Mixd;
use rig::service::Service;
use rig::{create, join};
use std::time::{Duration, Instant};

const PARTICIPANTS: usize = 20;

fn main() {
    let number = |name: &str, usual| std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(usual);
    let channels: usize = number("BENCH_CHANNELS", 100_000);
    let accounts: usize = number("BENCH_ACCOUNTS", 200_000);
    let folder = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let mut service = Service::create(folder.path());
    for some in (0..channels).collect::<Vec<_>>().chunks(500) {
        service.take(some.iter().map(|&channel| create(channel)));
        let seats = some.iter().flat_map(|&channel| (0..PARTICIPANTS).map(move |seat| (channel, seat)));
        // Spread, so that people are in channels with different ones.
        service
            .take(seats.map(|(channel, seat)| join(channel, (channel + seat * (accounts / PARTICIPANTS)) % accounts)));
    }
    drop(service);
    println!("filling {channels} channels of {PARTICIPANTS}, {accounts} accounts: {:.0?}", begun.elapsed());
    let mut times = Vec::new();
    let mut resident = 0;
    for _ in 0..3 {
        let (mixd, rig, took) = Mixd::start(folder.path());
        std::thread::sleep(Duration::from_secs(3));
        resident = resident.max(mixd.resident());
        println!("  start, until the link is up: {took:.2?}; resident: {} MB", mixd.resident() / 1_000_000);
        times.push(took.as_secs_f64());
        drop((mixd, rig));
    }
    times.sort_by(f64::total_cmp);
    let (mixd, _rig, _) = Mixd::start(folder.path());
    let mut gaps: Vec<f64> = (0..3).map(|_| mixd.hand_over(folder.path())).collect();
    println!("  handed over three times; stanzas waited for {gaps:?} ms");
    gaps.sort_by(f64::total_cmp);
    at_most("F7", "start, in s", times[1], 3.0);
    at_most("F7", "handover, in s", gaps[1] / 1000.0, 2.0);
    at_most("F7", "resident, in MB", resident as f64 / 1e6, 400.0);
}
