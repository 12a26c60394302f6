//! What the store on disk costs: commits, pages near and far, loads at start. Prints figures; nothing fails.
//!
//! `MIXD_BENCH_ROWS` says how many rows the archive holds (default 1,000,000), `TMPDIR` on which disk. The figures of pages
//! (F6) are meant for 5,000,000, which take some 5 GB.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "rig/figures.rs"]
mod figures;
#[allow(dead_code)]
#[path = "../tests/store/fixture.rs"]
mod fixture;

use figures::{at_most, ms, within};
use fixture::{DAY_MS, NOON, Room, jid};
use mixd::channel::{
    Change, Command, Event, EventKind, MediaKind, NodeSet, ParticipantId, Progress, Row, RowKind, Stamp,
};
use mixd::store::{Narrow, PagePlan, Record, SledOptions, SledStore, Store};
use rand::Rng;
use std::time::{Duration, Instant};

const WARM: &str = "warm";

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let open = || SledStore::open(SledOptions::at(folder.path())).unwrap();
    let store = open();
    let mut room = Room::create(&store, "coven", 1);
    (0..20).for_each(|n| room.join(&store, &format!("p{n}")));
    let authors: Vec<ParticipantId> = room.channel.members().map(|member| member.id.clone()).collect();
    let mut next = 1;
    for (rows, commits) in [(1, 2000), (100, 300)] {
        let batches: Vec<Vec<Record>> = (0..commits).map(|_| batch(&mut room, &authors, &mut next, rows)).collect();
        let times: Vec<Duration> =
            batches.iter().map(|batch| timed(|| store.commit(room.now, batch).unwrap())).collect();
        let total: Duration = times.iter().sum();
        let rate = commits as f64 / total.as_secs_f64();
        tell(&format!("commit of {rows} rows ({rate:.0} a second)"), times);
    }
    let joins: Vec<Duration> = (0..1000)
        .map(|n| {
            let records = room.decide(
                &jid(&format!("late{n}")),
                Command::Join(mixd::channel::JoinWish { subscribe: NodeSet::ALL, ..Default::default() }),
            );
            timed(|| store.commit(room.now, &records).unwrap())
        })
        .collect();
    tell("commit of a join", joins);
    let wanted: u64 = std::env::var("MIXD_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000);
    let filling = timed(|| {
        while next <= wanted {
            let batch = batch(&mut room, &authors, &mut next, 500);
            store.commit(room.now, &batch).unwrap();
        }
    });
    println!("filling to {wanted} rows: {filling:.1?}");
    pages(&store, &room, &authors, wanted, "warm");
    let (first, last) = depths(&store, &room, wanted, WARM);
    at_most("F6", &format!("the last page of 50 of {wanted} rows, in first ones, both warm"), last / first, 1.5);
    picked(&store, &room, wanted);
    receipts(&store, &mut room, &authors, wanted);
    drop(store);
    forget_files(folder.path());
    let opened = Instant::now();
    let store = open();
    println!("open: {:.1?}", opened.elapsed());
    forget_files(folder.path());
    depths(&store, &room, wanted, "cold");
    pages(&store, &room, &authors, wanted, "after a restart");
    tell("load of a channel of 1,020", (0..20).map(|_| timed(|| drop(fixture::loaded(&store, "coven")))).collect());
    drop(store);
    many_channels();
}

/// Pages in ten parts of an archive, from the newest rows to the oldest, at 200 places of each: half of those in the first
/// part, and in the last one, are within so many milliseconds. Warm, every place was read before.
fn depths(store: &SledStore, room: &Room, rows: u64, state: &str) -> (f64, f64) {
    let mut dice = room.dice.clone();
    let page = |behind: &u64| {
        let plan = PagePlan { max: 50, last: rows - behind, from_end: true, ..room.plan() };
        timed(|| assert_eq!(store.page(&plan).unwrap().rows.len(), 50))
    };
    let part = rows / 10;
    let halves: Vec<f64> = (0..10)
        .map(|depth| {
            let places: Vec<u64> = (0..200).map(|_| part * depth + dice.random_range(0..part - 50)).collect();
            if state == WARM {
                for place in &places {
                    page(place);
                }
            }
            ms(within(&mut places.iter().map(page).collect::<Vec<_>>(), 50))
        })
        .collect();
    let most = halves.iter().copied().fold(0.0, f64::max);
    println!("pages of 50, {state}, from the newest to the oldest, half within: {halves:.3?} ms");
    at_most("F6", &format!("a page of 50 of {rows} rows at any depth, {state}, half within, in ms"), most, 1.0);
    (halves[0], halves[9])
}

/// Has the system forget what it has read of the store's files.
fn forget_files(folder: &std::path::Path) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            forget_files(&path);
        } else {
            let of = format!("if={}", path.display());
            let dd = std::process::Command::new("dd").args([&*of, "iflag=nocache", "count=0", "status=none"]).status();
            assert!(dd.unwrap().success());
        }
    }
}

fn pages(store: &SledStore, room: &Room, authors: &[ParticipantId], rows: u64, state: &str) {
    let mut dice = room.dice.clone();
    let plan = PagePlan { max: 50, ..room.plan() };
    let mut measure = |what: &str, plan: &mut dyn FnMut(u64) -> PagePlan| {
        let times = (0..300).map(|_| {
            let plan = plan(dice.random_range(0..rows / 10));
            timed(|| assert_eq!(store.page(&plan).unwrap().rows.len(), 50))
        });
        tell(&format!("page of 50, {what}, {state}"), times.collect());
    };
    measure("the newest", &mut |_| PagePlan { from_end: true, ..plan.clone() });
    measure("the oldest", &mut |_| plan.clone());
    measure("near the end", &mut |n| PagePlan { first: rows - n - 50, ..plan.clone() });
    measure("near the beginning", &mut |n| PagePlan { last: n + 50, from_end: true, ..plan.clone() });
    measure("in the middle", &mut |n| PagePlan { first: rows / 2 + n, ..plan.clone() });
    measure("since a time", &mut |n| PagePlan { start: Some(Stamp(NOON.0 + n * 100)), ..plan.clone() });
    let author = Some(authors[3].clone());
    measure("of an author, from the middle", &mut |n| PagePlan {
        first: rows / 2 + n,
        author: author.clone(),
        ..plan.clone()
    });
}

/// Pages of what one may see.
fn picked(store: &SledStore, room: &Room, rows: u64) {
    let mut dice = room.dice.clone();
    let mut measure = |what: &str, narrow: Narrow| {
        for from_end in [false, true] {
            let times = (0..300).map(|_| {
                let first = dice.random_range(1..rows / 10);
                let last = rows - first;
                let narrow = narrow.clone();
                let plan = PagePlan { first, last, from_end, narrow, max: 50, ..room.plan() };
                timed(|| assert_eq!(store.page(&plan).unwrap().rows.len(), 50))
            });
            tell(
                &format!("page of 50, {what}, from the {}", if from_end { "end" } else { "beginning" }),
                times.collect(),
            );
        }
    };
    let some = Narrow::default;
    let every = |step: u64, length: u64| (0..rows / step).map(|n| (n * step + 1, n * step + length)).collect();
    measure("one window", Narrow { windows: Some(vec![(1, rows)]), ..some() });
    measure("10 windows a page", Narrow { windows: Some(every(500, 5)), ..some() });
    measure("1,000 hidden", Narrow { hidden: (1..=1000).map(|n| n * (rows / 1000) - 3).collect(), ..some() });
    measure("without events", Narrow { no_events: true, ..some() });
    measure("images", Narrow { media: Some(vec![MediaKind::Image]), ..some() });
    let media = Some(vec![MediaKind::Image, MediaKind::Video, MediaKind::Audio, MediaKind::File]);
    measure("files of any kind, in one window", Narrow { windows: Some(vec![(1, rows)]), media, ..some() });
}

/// Reports as they come, and what a row's author asks of them.
fn receipts(store: &SledStore, room: &mut Room, authors: &[ParticipantId], rows: u64) {
    let mut stamps = Vec::new();
    for n in 1..=1000 {
        let last = rows / 1000 * n;
        let report = |member: &ParticipantId| {
            let member = room.channel.member_of(member).unwrap();
            member.reports(Progress::Read, &[(1, last)], (last, last), room.now).into_iter().map(Change::Reported)
        };
        let changes: Vec<Change> = authors.iter().flat_map(report).collect();
        let records = room.apply(changes);
        stamps.push(timed(|| store.commit(room.now, &records).unwrap()));
    }
    tell("commit of 20 reports", stamps);
    let asked = (0..300).map(|_| {
        let row = room.dice.random_range(1..rows / 1000 * 1000);
        let reached: Vec<_> = authors.iter().map(|author| (author.clone(), Progress::Read)).collect();
        timed(|| assert_eq!(store.receipts(room.tag(), row, &reached).unwrap().len(), authors.len()))
    });
    tell("receipts of a row at 20", asked.collect());
    let author = room.channel.members().next().unwrap().clone();
    let noted: Vec<Duration> = (0..300)
        .map(|n| {
            let mut member = author.clone();
            member.own.mark = (n, n);
            let records = [room.record(Change::Noted(member))];
            timed(|| store.commit(room.now, &records).unwrap())
        })
        .collect();
    tell("commit of a note", noted);
}

/// Rows of about 400 bytes, a hundred milliseconds apart; every tenth is an event, and every tenth has a file.
fn batch(room: &mut Room, authors: &[ParticipantId], next: &mut u64, rows: u64) -> Vec<Record> {
    let batch = (*next..*next + rows).map(|number| {
        let row = Row {
            number,
            stamp: Stamp(NOON.0 + number * 100),
            author: authors[room.dice.random_range(0..authors.len())].clone(),
            ordinal: number,
            counted: true,
            target: None,
            corrects: false,
            kind: match number % 10 {
                5 => RowKind::Event(Event { kind: EventKind::MemberJoined, by: None, whom: None, detail: None }),
                _ => RowKind::Message,
            },
            media: (number % 10 == 0).then_some(if number % 20 == 0 { MediaKind::Image } else { MediaKind::File }),
            nick: "hag66".into(),
            stanza_id: Some(format!("{:032x}", room.dice.random::<u128>())),
            origin_id: Some(format!("{:032x}", room.dice.random::<u128>())),
            lang: None,
            payload: format!("<body>{:0300}</body>", number),
        };
        room.record(Change::Published(row))
    });
    let batch = batch.collect();
    *next += rows;
    batch
}

fn many_channels() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(SledOptions::at(folder.path())).unwrap();
    let mut records = Vec::new();
    let filling = timed(|| {
        for n in 0..100_000u64 {
            records.push(Room::draft(&format!("channel-{n}"), n).1);
            let known = Some(mixd::store::Whereabouts { bare: true, resources: vec!["phone".into()] });
            records.push(Record::Whereabouts { account: jid(&format!("someone-{n}")), known });
            if records.len() >= 1000 {
                store.commit(Stamp(NOON.0 + n / 1000 * DAY_MS / 24), &std::mem::take(&mut records)).unwrap();
            }
        }
    });
    println!("filling 100,000 channels and accounts: {filling:.1?}");
    drop(store);
    let opened = Instant::now();
    let store = SledStore::open(SledOptions::at(folder.path())).unwrap();
    println!("open: {:.1?}", opened.elapsed());
    tell("directory of 100,000", vec![timed(|| assert_eq!(store.directory().unwrap().listings.len(), 100_000))]);
    tell("whereabouts of 100,000", vec![timed(|| assert_eq!(store.whereabouts().unwrap().len(), 100_000))]);
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100];
    println!("{what}: p50 {:.1?}, p99 {:.1?}", at(50), at(99));
}
