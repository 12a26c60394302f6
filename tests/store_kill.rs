//! A process that commits in a loop is killed at random moments; what it was told is kept, and nothing is half there.
//!
//! The program starts itself again as the one to be killed, which prints a line for every commit that returned.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "store/fixture.rs"]
mod fixture;

use fixture::{NOON, Room, jid, loaded};
use mixd::channel::{Change, Command, NodeSet, Stamp};
use mixd::store::{PagePlan, SledOptions, SledStore, Store};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

const KILLS: usize = 30;
const FOLDER: &str = "MIXD_STORE_KILL_FOLDER";
/// Everyone who joins comes with one commit in so many.
const COMMITS_A_JOIN: u64 = 4;
/// The number of the first channel that comes and goes; the channel that stays has the number 1.
const SIDES_FROM: u64 = 1000;

fn main() {
    match std::env::var_os(FOLDER) {
        Some(folder) => commit_until_killed(Path::new(&folder)),
        None => kill_and_look(),
    }
}

fn open(path: &Path) -> SledStore {
    SledStore::open(SledOptions { cache_bytes: 32 << 20, ..SledOptions::at(path) }).unwrap()
}

/// Commit k, in one batch: every few times a join, one to three rows that say k, and a channel that comes or goes.
fn commit_until_killed(path: &Path) {
    let store = open(path);
    let mut room = match loaded(&store, "coven") {
        Some(channel) => Room::resume(channel, std::process::id().into()),
        None => Room::create(&store, "coven", 1),
    };
    let mut k = commits_of(&store, &room);
    loop {
        room.now = Stamp(NOON.0 + k * 2 * 3600 * 1000);
        let mut records = Vec::new();
        if k.is_multiple_of(COMMITS_A_JOIN) {
            let account = jid(&format!("p{}", k / COMMITS_A_JOIN));
            records.extend(room.decide(
                &account,
                Command::Join(mixd::channel::JoinWish { subscribe: NodeSet::ALL, ..Default::default() }),
            ));
        }
        let rows = room.dice.random_range(1..=3);
        let length = if room.dice.random_ratio(1, 20) { 30_000 } else { 200 };
        for _ in 0..rows {
            let mut message = room.message("");
            message.payload = format!("{k} {}", "x".repeat(length));
            records.extend(room.decide(&jid("p0"), Command::Publish(message)));
        }
        // Its tag is drawn from the seed, and is never that of the channel above.
        let (side, created) = Room::draft("side", SIDES_FROM + k / 2);
        records.push(if k.is_multiple_of(2) { created } else { side.record(Change::Destroyed(Default::default())) });
        store.commit(room.now, &records).unwrap();
        room.rows.clear();
        println!("{}", room.channel.head().row);
        k += 1;
    }
}

/// How many commits the newest row says there were.
fn commits_of(store: &dyn Store, room: &Room) -> u64 {
    let head = room.channel.head().row;
    match store.rows(room.tag(), &[head]).unwrap().remove(0) {
        Some(row) => said(&row.payload) + 1,
        None => 0,
    }
}

fn said(payload: &str) -> u64 {
    payload.split(' ').next().unwrap().parse().unwrap()
}

fn kill_and_look() {
    let seed: u64 = StdRng::from_os_rng().random();
    println!("seed {seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let (mut told_all, mut replayed_all) = (0, 0);
    for _ in 0..KILLS {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn(move || {
            lines.map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok()).last().unwrap_or(0)
        });
        std::thread::sleep(Duration::from_millis(dice.random_range(5..400)));
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        child.kill().unwrap();
        child.wait().unwrap();
        let told = reader.join().unwrap();
        let store = open(folder.path());
        replayed_all += store.replayed();
        told_all = told.max(told_all);
        look(&store, told_all);
        let wrong = fixture::wrong(|watch| store.verify(watch).unwrap());
        assert_eq!(wrong, Vec::<String>::new());
    }
    assert!(told_all > 500, "too little was committed for the kills to mean anything: {told_all} rows");
    assert!(replayed_all > 0, "no kill came before the state was written");
    println!("{KILLS} kills, {told_all} rows, {replayed_all} commits replayed: nothing is missing");
}

fn look(store: &dyn Store, told: u64) {
    let Some(channel) = loaded(store, "coven") else {
        assert_eq!(told, 0, "the channel is lost");
        return;
    };
    let head = channel.head();
    assert!(head.row >= told, "row {told} was acknowledged, and the archive ends at {}", head.row);
    let room = Room::resume(channel, 1);
    let mut rows = Vec::new();
    let mut plan = PagePlan { max: 1000, ..room.plan() };
    loop {
        let page = store.page(&plan).unwrap();
        rows.extend(page.rows.iter().map(|row| (row.number, said(&row.payload))));
        if !page.cut {
            break;
        }
        plan.first = rows.len() as u64 + 1;
    }
    assert!(rows.iter().map(|row| row.0).eq(1..=head.row), "there is a gap");
    assert!(rows.windows(2).all(|two| two[1].1 - two[0].1 <= 1), "a commit is missing");
    let commits = rows.last().map_or(0, |row| row.1 + 1);
    let joined = room.channel.participant_count() as u64;
    assert_eq!(joined, commits.div_ceil(COMMITS_A_JOIN), "the state is not as the archive");
    let side = loaded(store, "side").is_some();
    assert_eq!(side, commits % 2 == 1, "the directory is not as the archive");
    let highest = commits.checked_sub(1).map_or(1, |last| SIDES_FROM + last / 2);
    assert_eq!(u64::from(store.directory().unwrap().gid_highest), highest, "a number may be given twice");
    for n in joined.saturating_sub(20)..joined {
        assert_eq!(store.channels_of(&jid(&format!("p{n}"))).unwrap().len(), 1);
    }
    assert!(store.channels_of(&jid(&format!("p{joined}"))).unwrap().is_empty());
}
