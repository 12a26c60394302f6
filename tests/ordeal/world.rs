//! People who talk without a pause while everything under them breaks, again and again.

use crate::disk::Disk;
use crate::host::Host;
use crate::scripted::faketime::Clock;
use crate::scripted::{DOMAIN, Mixd};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Who is in the channel all the time; the first one talks.
pub const PEOPLE: [&str; 3] = ["ann@example.org", "bob@example.org", "cy@example.org"];
/// Messages that may wait for their reflection; a client that repeats more than the service remembers doubles them.
const WAITING_MAX: usize = 100;
/// How long anything may take in the end.
const PATIENCE: Duration = Duration::from_secs(120);
const DAY_S: i64 = 86_400;
/// What mixd is told to keep free of the disk, in bytes.
const RESERVE_BYTES: u64 = 8 << 20;

/// What can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Calamity {
    /// mixd is killed.
    Kill,
    /// The link is cut.
    Cut,
    /// The host server stops, and starts again after a while.
    HostRestart,
    /// mixd is killed while the host server is away.
    Both,
    /// The disk is full to its last byte for a while.
    DiskFull,
    /// Less is left of it than is to stay free.
    DiskNearlyFull,
    /// The clock jumps by up to two months, forward or back.
    ClockJump,
}

/// See the module.
pub struct World {
    pub disk: Disk,
    pub host: Host,
    pub mixd: Mixd,
    clock: Clock,
    folder: tempfile::TempDir,
    dice: StdRng,
    /// Every message by its name, in the order of sending.
    pub sent: Vec<String>,
    waiting: Vec<(String, String)>,
    /// Guests who asked to be let in.
    pub guests: usize,
    links: usize,
    /// How often the disk being full ended the process, and how often it went on.
    pub ended_by_disk: usize,
}

impl World {
    pub fn start(seed: u64, disk_mib: usize) -> World {
        let folder = tempfile::tempdir().unwrap();
        let (disk, host, clock) = (Disk::new(disk_mib), Host::start(), Clock::new(folder.path()));
        let mixd = start_mixd(folder.path(), &disk, &host, &clock);
        let dice = StdRng::seed_from_u64(seed);
        let mut world = World {
            disk,
            host,
            mixd,
            clock,
            folder,
            dice,
            sent: Vec::new(),
            waiting: Vec::new(),
            guests: 0,
            links: 0,
            ended_by_disk: 0,
        };
        let create = "<create xmlns='urn:xmpp:mix:core:1' channel='coven'/>";
        world.request("create", &format!("from='{}/r' to='{DOMAIN}'", PEOPLE[0]), create);
        for who in PEOPLE {
            world.request(&format!("join-{who}"), &format!("from='{who}' to='coven@{DOMAIN}'"), &join("messages"));
        }
        world
    }

    /// Asks until it is done.
    fn request(&mut self, id: &str, addresses: &str, inner: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.host.seen().done.contains(id) {
            assert!(Instant::now() < until, "{id} is never answered:\n{}", self.mixd.log());
            self.host.send(&format!("<iq type='set' id='{id}' {addresses}>{inner}</iq>"));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Talks for a while, with this much in a message at most.
    pub fn talk(&mut self, time: Duration, bytes_max: usize) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.repeat_what_was_lost();
            for _ in 0..self.dice.random_range(1..20) {
                if self.waiting.len() < WAITING_MAX {
                    self.say(bytes_max);
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn say(&mut self, bytes_max: usize) {
        let name = format!("m{}", self.sent.len());
        let padding = "x".repeat(self.dice.random_range(0..bytes_max));
        if self.host.send(&message(&name, &padding)) {
            self.sent.push(name.clone());
            self.waiting.push((name, padding));
        }
    }

    /// As a client does: what was not reflected is sent again over the next link, and when it was refused, under its id.
    fn repeat_what_was_lost(&mut self) {
        let (links, mut again) = (self.host.links(), BTreeSet::new());
        {
            let mut seen = self.host.seen();
            self.waiting.retain(|(name, _)| seen.got(PEOPLE[0], name).is_none());
            again.append(&mut seen.refused);
        }
        let anew = links != self.links;
        self.links = links;
        for (name, padding) in self.waiting.iter().filter(|(name, _)| anew || again.contains(name)) {
            self.host.send(&message(name, padding));
        }
    }

    /// Lets something break, and mends it.
    pub fn suffer(&mut self, calamity: Calamity) {
        assert_eq!(self.mixd.ended(), None, "it ended without a reason:\n{}", self.mixd.log());
        if self.dice.random_ratio(1, 2) {
            let who = format!("guest{}", self.guests);
            let request =
                format!("<iq type='set' id='{who}' from='{who}@example.org' to='coven@{DOMAIN}'>{}</iq>", join("info"));
            self.guests += usize::from(self.host.send(&request));
        }
        match calamity {
            Calamity::Kill => self.kill(),
            Calamity::Cut => self.host.cut(),
            Calamity::HostRestart => {
                self.host.stop();
                self.pause();
                self.host.start_again();
            }
            Calamity::Both => {
                self.host.stop();
                self.pause();
                self.kill();
                self.pause();
                self.host.start_again();
            }
            Calamity::DiskFull => self.fill_the_disk(),
            Calamity::DiskNearlyFull if self.disk.fill_up_to(RESERVE_BYTES / 2) => self.go_without_room(),
            Calamity::DiskNearlyFull => self.fill_the_disk(),
            Calamity::ClockJump => {
                self.clock.set(self.dice.random_range(-60 * DAY_S..60 * DAY_S));
                self.talk(Duration::from_millis(100), 200);
            }
        }
    }

    fn pause(&mut self) {
        let ms = self.dice.random_range(0..200);
        std::thread::sleep(Duration::from_millis(ms));
    }

    fn kill(&mut self) {
        self.mixd.kill();
        self.start_again();
    }

    fn start_again(&mut self) {
        self.host.read_to_the_end();
        self.mixd = start_mixd(self.folder.path(), &self.disk, &self.host, &self.clock);
    }

    /// The process says so and goes on, and so does the talk when there is room again.
    fn go_without_room(&mut self) {
        let until = Instant::now() + PATIENCE;
        while !self.mixd.log().contains("storage.reserve_bytes") {
            assert!(Instant::now() < until, "nobody notices that the disk is nearly full:\n{}", self.mixd.log());
            self.talk(Duration::from_millis(20), 4000);
        }
        self.talk(Duration::from_millis(200), 4000);
        self.disk.free(None);
        self.settle();
        assert_eq!(self.mixd.ended(), None, "there was room left:\n{}", self.mixd.log());
    }

    /// The process has to say so, and to take up its work when there is room again.
    fn fill_the_disk(&mut self) {
        self.disk.fill(self.mixd.pid());
        let until = Instant::now() + PATIENCE;
        while !self.mixd.log().contains("ERROR") && self.mixd.ended().is_none() {
            assert!(Instant::now() < until, "nobody notices that the disk is full:\n{}", self.mixd.log());
            self.talk(Duration::from_millis(50), 4000);
        }
        self.talk(Duration::from_millis(200), 4000);
        if self.mixd.ended().is_some() && self.dice.random_ratio(1, 2) {
            // Whoever watches over the process starts it again too early.
            self.start_again();
            self.talk(Duration::from_millis(500), 4000);
        }
        let ended = self.mixd.ended();
        self.disk.free(ended.is_none().then(|| self.mixd.pid()));
        // A write that failed beside the commits shows at the next one only.
        let (said, until) = (self.sent.len(), Instant::now() + PATIENCE);
        while self.mixd.ended().is_none() && !self.is_reflected_from(said) {
            assert!(Instant::now() < until, "it does not go on when there is room again:\n{}", self.mixd.log());
            self.talk(Duration::from_millis(20), 4000);
        }
        if self.mixd.ended().is_some() {
            let log = self.mixd.log();
            assert!(log.contains("ERROR") || log.contains("rror:"), "it ended without a word:\n{log}");
            self.ended_by_disk += 1;
            self.start_again();
        }
    }

    /// Whether a message is reflected that was said later than so many others.
    fn is_reflected_from(&self, said: usize) -> bool {
        let seen = self.host.seen();
        self.sent[said..].iter().any(|name| seen.got(PEOPLE[0], name).is_some())
    }

    /// Waits until everything that was said is reflected.
    pub fn settle(&mut self) {
        let until = Instant::now() + PATIENCE;
        let mut again = Instant::now() + Duration::from_secs(2);
        loop {
            self.repeat_what_was_lost();
            if self.waiting.is_empty() {
                return;
            }
            let some = &self.waiting[..self.waiting.len().min(3)];
            assert!(
                Instant::now() < until,
                "{} messages are stuck, {some:?}:\n{}",
                self.waiting.len(),
                self.mixd.log()
            );
            if Instant::now() > again {
                for (name, padding) in &self.waiting {
                    self.host.send(&message(name, padding));
                }
                again += Duration::from_secs(2);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A message after everything, which has to reach everybody.
    pub fn say_the_last_word(&mut self) {
        self.settle();
        let (said, until) = (self.sent.len(), Instant::now() + PATIENCE);
        while self.sent.len() == said {
            assert!(Instant::now() < until, "there is no link in the end:\n{}", self.mixd.log());
            self.say(10);
            std::thread::sleep(Duration::from_millis(5));
        }
        self.settle();
        let (last, until) = (self.sent[self.sent.len() - 1].clone(), Instant::now() + PATIENCE);
        while !PEOPLE.iter().all(|who| self.host.seen().got(who, &last).is_some()) {
            assert!(Instant::now() < until, "the last word does not reach everybody:\n{}", self.mixd.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where the store lies.
    pub fn store(&self) -> PathBuf {
        self.disk.path().join("store")
    }
}

fn start_mixd(folder: &Path, disk: &Disk, host: &Host, clock: &Clock) -> Mixd {
    let wrapper = clock.wrapper();
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    // Nobody waits longer than a second for the next try.
    let settings = format!("backoff_ms_max = 500\n[storage]\nreserve_bytes = {RESERVE_BYTES}");
    Mixd::start_on(folder, &disk.path().join("store"), host.port(), &settings, &wrapper)
}

fn join(node: &str) -> String {
    format!("<join xmlns='urn:xmpp:mix:core:1'><nick></nick><subscribe node='urn:xmpp:mix:nodes:{node}'/></join>")
}

fn message(name: &str, padding: &str) -> String {
    format!(
        "<message type='groupchat' id='{name}' from='{}/r' to='coven@{DOMAIN}'><body>{name} {padding}</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='{name}'/></message>",
        PEOPLE[0]
    )
}
