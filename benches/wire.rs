//! The real program between two sockets: what goes in, comes out durable. `cargo bench --bench wire [-- f1 f2 f3 f8]`.
//!
//! Every figure comes with the reference's from the same run: the machine's own speed counts for both.

#![allow(clippy::unwrap_used)]

mod rig;

use rig::figures::{at_least, at_most, ms, within};
use rig::mixd::{Mixd, own_cpu, spent};
use rig::service::Service;
use rig::{Rig, create, ideal, join, message};
use std::fs::File;
use std::io::{Seek, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;
/// The channels of F8, by their numbers, and the participants of the larger one.
const SMALL: usize = 1;
const LARGE: usize = 9;
const LARGE_PARTICIPANTS: usize = 100_000;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|word| word == name);
    let figures: [(&str, fn()); 4] = [("f1", fan_out), ("f2", small_channels), ("f3", latency), ("f8", large_channel)];
    figures.into_iter().filter(|(name, _)| is_wanted(name)).for_each(|(_, measure)| measure());
}

/// Messages to spread, and how many may be under way.
#[derive(Clone, Copy)]
struct Load {
    channels: usize,
    participants: usize,
    messages: usize,
    window: usize,
}

/// Sends messages numbered from `first` to one channel after the other and waits for all copies; how long it took.
fn run(rig: &mut Rig, load: Load, first: usize) -> Duration {
    let Load { channels, participants, messages, window } = load;
    let (copies, errors) = rig.seen(|seen| (seen.copies, seen.errors));
    let begun = Instant::now();
    let step = (window / 4).max(1);
    for from in (0..messages).step_by(step) {
        let some = from..(from + step).min(messages);
        let due = some.end.saturating_sub(window) * participants;
        rig.wait(|seen| seen.copies - copies >= due as u64);
        let author = |n: usize| n / channels % participants;
        rig.send(&some.map(|n| message(n % channels, author(n), first + n)).collect::<String>());
    }
    rig.wait(|seen| seen.copies - copies >= (messages * participants) as u64);
    let elapsed = begun.elapsed();
    assert_eq!(rig.seen(|seen| seen.errors), errors, "messages were refused");
    elapsed
}

/// The ideal component behind a rig of its own.
fn ideal(participants: usize) -> Rig {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    ideal::start(listener.local_addr().unwrap(), participants);
    Rig::accept(&listener)
}

/// Rounds of the service and of the ideal one in turns: copies a second of each, the medians.
fn race(load: Load) -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    println!("  fdatasync of 4 KiB, median: {:.3} ms", ms(median_sync(folder.path())));
    let (mixd, mut ours, _) = Mixd::start(folder.path());
    ours.fill(load.channels, load.participants);
    let mut ideals = ideal(load.participants);
    let deliveries = (load.messages * load.participants) as f64;
    let warm_up = Load { messages: load.messages / 10, ..load };
    run(&mut ours, warm_up, 0);
    run(&mut ideals, warm_up, 0);
    let (mut rates, mut ideal_rates) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let first = (round + 1) * load.messages;
        let (before, own) = (mixd.cpu(), own_cpu());
        let rate = deliveries / run(&mut ours, load, first).as_secs_f64();
        let (threads, all) = spent(&before, &mixd.cpu());
        let (_, rig) = spent(&own, &own_cpu());
        let each = |time: Duration| time.as_secs_f64() * 1e6 / load.messages as f64;
        let threads: Vec<String> = threads.iter().map(|(name, time)| format!("{name} {:.1}", each(*time))).collect();
        println!(
            "  round {round}: {:.0} messages/s in, {rate:.0} copies/s out; CPU a message: {:.1} µs ({}), rig {:.1} µs",
            rate / load.participants as f64,
            each(all),
            threads.join(", "),
            each(rig),
        );
        rates.push(rate);
        ideal_rates.push(deliveries / run(&mut ideals, load, first).as_secs_f64());
    }
    (median(rates), median(ideal_rates))
}

/// F1: a large channel, the archive durable, beside the ideal component.
fn fan_out() {
    for window in [256, 16] {
        println!("F1: one channel of 1,000, {window} under way");
        let (ours, ideal) = race(Load { channels: 1, participants: 1000, messages: 4000, window });
        println!("F1: {window} under way: ours {ours:.0} copies/s, the ideal component {ideal:.0} copies/s");
        at_least("F1", &format!("ours/ideal, {window} under way"), ours / ideal, 0.7);
    }
}

/// F2: many small channels.
fn small_channels() {
    println!("F2: 500 channels of 10, 4,096 messages under way");
    let (ours, ideal) = race(Load { channels: 500, participants: 10, messages: 60_000, window: 4096 });
    println!("F2: ours {:.0} messages/s in, the ideal component {:.0} messages/s in", ours / 10.0, ideal / 10.0);
    at_least("F2", "messages/s in", ours / 10.0, 30_000.0);
}

/// F3: from a message's arrival to its last copy, at a thousand a second.
fn latency() {
    println!("F3: 100 channels of 10, 1,000 messages a second, for 20 s");
    let folder = tempfile::tempdir().unwrap();
    let (_mixd, mut rig, _) = Mixd::start(folder.path());
    let (channels, participants, messages) = (100, 10, 20_000);
    rig.fill(channels, participants);
    let sync = median_sync(folder.path());
    rig.note_arrivals(messages, participants as u32);
    let begun = Instant::now();
    let mut sent = Vec::with_capacity(messages);
    for n in 0..messages {
        let due = begun + Duration::from_millis(n as u64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        sent.push(Instant::now());
        rig.send(&message(n % channels, n / channels % participants, n));
    }
    rig.wait(|seen| seen.arrived.iter().all(Option::is_some));
    let sync_after = median_sync(folder.path());
    let arrived = rig.seen(|seen| std::mem::take(&mut seen.arrived));
    let mut times: Vec<Duration> = arrived.iter().zip(&sent).map(|(at, sent)| at.unwrap() - *sent).collect();
    let (half, most) = (within(&mut times, 50), within(&mut times, 99));
    println!(
        "F3: to the last copy: half within {:.2} ms, 99 of 100 within {:.2} ms; fdatasync of 4 KiB, median: {:.3} ms before, \
         {:.3} ms after",
        ms(half),
        ms(most),
        ms(sync),
        ms(sync_after)
    );
    let sync = (ms(sync) + ms(sync_after)) / 2.0;
    at_most("F3", "half within, in fdatasyncs", ms(half) / sync, 4.0);
    at_most("F3", "99 of 100 within, in fdatasyncs", ms(most) / sync, 10.0);
}

/// F8: what a message to a channel of 100,000 does to one of ten.
fn large_channel() {
    println!("F8: one channel of {LARGE_PARTICIPANTS}, one of 10");
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::create(folder.path());
    // After a start the service looks through its channels by their names, some a second, and loads each. These come
    // before the large one.
    service.take([SMALL, LARGE].into_iter().chain(100..160).map(create));
    service.take((0..LARGE_PARTICIPANTS).map(|user| join(LARGE, user)).chain((0..10).map(|user| join(SMALL, user))));
    drop(service);
    let (mut numbers, mut cold, mut cold_alone) = (0, Vec::new(), Vec::new());
    for _ in 0..5 {
        let (mixd, mut rig, _) = Mixd::start(folder.path());
        beside(&mut rig, &mut numbers, 0);
        cold_alone.push(beside(&mut rig, &mut numbers, 0).1);
        cold.push(beside(&mut rig, &mut numbers, 1).1);
        mixd.stop();
    }
    let (_mixd, mut rig, _) = Mixd::start(folder.path());
    beside(&mut rig, &mut numbers, 1);
    let (mut warm, mut alone) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        alone.push(beside(&mut rig, &mut numbers, 0).1);
        warm.push(beside(&mut rig, &mut numbers, 1).1);
    }
    added("one that is not in memory", &mut cold, &mut cold_alone);
    added("one that is in memory", &mut warm, &mut alone);
}

/// How long the slowest message to the small channel took beside one to the large one, and without.
fn added(to: &str, beside: &mut [Duration], alone: &mut [Duration]) {
    let (half, most) = (within(beside, 50), within(beside, 100));
    let (alone_half, alone_most) = (within(alone, 50), within(alone, 100));
    println!(
        "F8: beside a message to {to}, in {} cases, the slowest message to the small channel took {:.1} ms in half of them \
         and {:.1} ms at most; without, {:.1} and {:.1} ms",
        beside.len(),
        ms(half),
        ms(most),
        ms(alone_half),
        ms(alone_most),
    );
    at_most("F8", &format!("added by {to}, in half of the cases, in ms"), ms(half.saturating_sub(alone_half)), 50.0);
}

/// Sends to the small channel every 5 ms for a second, and a fifth of that later so many messages to the large one; within
/// which time half and all of the small channel's messages are there.
fn beside(rig: &mut Rig, numbers: &mut usize, large: usize) -> (Duration, Duration) {
    const MESSAGES: usize = 200;
    let copies = rig.seen(|seen| seen.copies);
    rig.note_arrivals(*numbers + MESSAGES, 10);
    let (begun, mut sent) = (Instant::now(), Vec::with_capacity(MESSAGES));
    for n in 0..MESSAGES {
        let due = begun + Duration::from_millis(5 * n as u64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if n == MESSAGES / 5 {
            let wanted: String = (0..large).map(|one| message(LARGE, 0, 1_000_000_000 + *numbers + one)).collect();
            rig.send(&wanted);
        }
        sent.push(Instant::now());
        // Others than who writes to the large one: what that one says besides waits for it.
        rig.send(&message(SMALL, 1 + n % 9, *numbers + n));
    }
    rig.wait(|seen| seen.copies - copies >= (MESSAGES * 10 + large * LARGE_PARTICIPANTS) as u64);
    let arrived = rig.seen(|seen| std::mem::take(&mut seen.arrived));
    let times = arrived[*numbers..].iter().zip(&sent).map(|(at, sent)| at.unwrap() - *sent);
    let mut times: Vec<Duration> = times.collect();
    *numbers += MESSAGES;
    (within(&mut times, 50), within(&mut times, 100))
}

/// What the disk takes to make 4 KiB durable, the median of 300.
fn median_sync(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("sync")).unwrap();
    file.write_all(&[0; 1 << 20]).unwrap();
    file.sync_all().unwrap();
    let mut times: Vec<Duration> = (0..300)
        .map(|n| {
            file.seek(std::io::SeekFrom::Start(n % 256 * 4096)).unwrap();
            file.write_all(&[n as u8; 4096]).unwrap();
            let begun = Instant::now();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    within(&mut times, 50)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}
