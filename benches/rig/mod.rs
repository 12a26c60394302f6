//! The host server's side of a component link, as lean as it can be: it lets a component in, sends it stanzas as fast
//! as they go, and counts the copies that come back.

#![allow(clippy::unwrap_used, dead_code)]

pub mod figures;
pub mod ideal;
pub mod mixd;
pub mod service;

use memchr::memmem::{self, Finder};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

pub const DOMAIN: &str = "mix.bench";
pub const USERS: &str = "users.bench";
const BODY: &str = "Harpier cries: 'tis time, 'tis time. Round about the cauldron go; in the poison'd entrails throw.";
/// How long nothing but pings may come before a measurement is given up.
const PATIENCE: Duration = Duration::from_secs(15);

/// What was read so far.
#[derive(Default)]
pub struct Seen {
    /// Copies of messages.
    pub copies: u64,
    /// Answers to requests.
    pub results: u64,
    /// Stanzas of type error.
    pub errors: u64,
    /// Everything, in bytes.
    pub bytes: u64,
    /// When the last copy of each numbered message came, where that is asked for.
    pub arrived: Vec<Option<Instant>>,
    missing: Vec<u32>,
}

/// A link to a component that was let in.
pub struct Rig {
    /// Written to by whoever measures, and by what answers pings.
    wire: Arc<Mutex<TcpStream>>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Rig {
    /// Lets the next component in.
    pub fn accept(listener: &TcpListener) -> Rig {
        let (mut wire, _) = listener.accept().unwrap();
        wire.set_nodelay(true).unwrap();
        read_past(&mut wire, "component:accept");
        let open = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' \
                    xmlns:stream='http://etherx.jabber.org/streams' id='bench'>";
        wire.write_all(open.as_bytes()).unwrap();
        read_past(&mut wire, "</handshake>");
        wire.write_all(b"<handshake/>").unwrap();
        let seen = Arc::new((Mutex::new(Seen::default()), Condvar::new()));
        let (mut reading, shared) = (wire.try_clone().unwrap(), seen.clone());
        let wire = Arc::new(Mutex::new(wire));
        let writing = wire.clone();
        std::thread::Builder::new().name("rig".into()).spawn(move || read(&mut reading, &writing, &shared)).unwrap();
        Rig { wire, seen }
    }

    /// Sends what is whole stanzas.
    pub fn send(&mut self, text: &str) {
        self.wire.lock().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Looks at what was read.
    pub fn seen<T>(&self, look: impl FnOnce(&mut Seen) -> T) -> T {
        look(&mut self.seen.0.lock().unwrap())
    }

    /// Waits until enough was read.
    pub fn wait(&self, enough: impl Fn(&Seen) -> bool) {
        let mut seen = self.seen.0.lock().unwrap();
        let (mut before, mut until) = ((0, 0), Instant::now() + PATIENCE);
        while !enough(&seen) {
            let now = (seen.copies, seen.results);
            if now != before {
                (before, until) = (now, Instant::now() + PATIENCE);
            }
            let stalled = Instant::now() > until;
            assert!(!stalled, "stalled: {} copies, {} results, {} errors", seen.copies, seen.results, seen.errors);
            seen = self.seen.1.wait_timeout(seen, PATIENCE).unwrap().0;
        }
    }

    /// Makes channels `c0`, `c1` … of participants `u0`, `u1` …, every one of them reached at its bare JID.
    pub fn fill(&mut self, channels: usize, participants: usize) {
        let mut asked = self.seen(|seen| seen.results);
        for some in (0..channels).collect::<Vec<_>>().chunks(200) {
            self.send(&some.iter().map(|&c| create(c)).collect::<String>());
            asked += some.len() as u64;
            self.wait(|seen| seen.results >= asked);
        }
        let all: Vec<(usize, usize)> = (0..channels).flat_map(|c| (0..participants).map(move |u| (c, u))).collect();
        for some in all.chunks(500) {
            self.send(&some.iter().map(|&(c, u)| join(c, u)).collect::<String>());
            asked += some.len() as u64;
            self.wait(|seen| seen.results >= asked);
        }
        assert_eq!(self.seen(|seen| seen.errors), 0, "a channel could not be filled");
    }

    /// Has the arrival of `count` numbered messages noted, each when all of its `copies` are there.
    pub fn note_arrivals(&self, count: usize, copies: u32) {
        self.seen(|seen| (seen.arrived, seen.missing) = (vec![None; count], vec![copies; count]));
    }
}

pub fn create(channel: usize) -> String {
    format!(
        "<iq type='set' from='founder{channel}@{USERS}/r' to='{DOMAIN}' id='c{channel}'><create xmlns='urn:xmpp:mix:core:1' \
         channel='c{channel}'/></iq>"
    )
}

pub fn join(channel: usize, user: usize) -> String {
    format!(
        "<iq type='set' from='u{user}@{USERS}' to='c{channel}@{DOMAIN}' id='j{channel}-{user}'>\
         <join xmlns='urn:xmpp:mix:core:1'><nick>n{user}</nick>\
         <subscribe node='urn:xmpp:mix:nodes:messages'/></join></iq>"
    )
}

/// A message as a client sends it, about 300 bytes.
pub fn message(channel: usize, user: usize, number: usize) -> String {
    format!(
        "<message from='u{user}@{USERS}/r' to='c{channel}@{DOMAIN}' id='m{number}' type='groupchat'><body>x{number};{BODY}\
         </body><origin-id xmlns='urn:xmpp:sid:0' id='m{number}'/></message>"
    )
}

/// Reads to the end of `mark`; nothing may be behind it.
fn read_past(wire: &mut TcpStream, mark: &str) {
    let (mut all, mut chunk) = (Vec::new(), [0; 4096]);
    while memmem::find(&all, mark.as_bytes()).is_none() {
        let read = wire.read(&mut chunk).unwrap();
        assert!(read > 0, "closed during the handshake");
        all.extend_from_slice(&chunk[..read]);
    }
}

fn read(wire: &mut TcpStream, writing: &Mutex<TcpStream>, shared: &(Mutex<Seen>, Condvar)) {
    let question = Finder::new("<iq type='get' id='");
    let marks = [Finder::new("</message>"), Finder::new("type='result'"), Finder::new("type='error'")];
    let number = Finder::new("<body>x");
    let mut buffer = vec![0; 512 * 1024];
    let mut held = 0;
    loop {
        let Ok(read @ 1..) = wire.read(&mut buffer[held..]) else { return };
        let filled = held + read;
        // What may be the beginning of a mark waits for the rest: everything behind the last `>`.
        let mut end = buffer[..filled].iter().rposition(|&byte| byte == b'>').map_or(0, |at| at + 1);
        if buffer[..end].ends_with(b"<body>") {
            end -= b"<body>".len();
        }
        let whole = &buffer[..end];
        let counts = marks.each_ref().map(|mark| mark.find_iter(whole).count() as u64);
        {
            let mut seen = shared.0.lock().unwrap();
            seen.bytes += read as u64;
            seen.copies += counts[0];
            seen.results += counts[1];
            seen.errors += counts[2];
            if !seen.arrived.is_empty() {
                let now = Instant::now();
                number.find_iter(whole).for_each(|at| note(&mut seen, &whole[at + 7..], now));
            }
        }
        shared.1.notify_all();
        let answers: String =
            question.find_iter(whole).map(|at| pong(&whole[at + question.needle().len()..])).collect();
        if !answers.is_empty() && writing.lock().unwrap().write_all(answers.as_bytes()).is_err() {
            return;
        }
        buffer.copy_within(end..filled, 0);
        held = filled - end;
    }
}

/// The answer to a question whose id is at the head of `rest`, by whom it was asked of: no other one is taken. The service
/// pings behind what it writes.
fn pong(rest: &[u8]) -> String {
    let question = rest.split(|&byte| byte == b'>').next().unwrap_or_default();
    let question = String::from_utf8_lossy(question);
    let id = question.split('\'').next().unwrap_or_default();
    let asked = question.split_once("to='").and_then(|(_, rest)| rest.split('\'').next()).unwrap_or("bench");
    format!("<iq type='result' id='{id}' from='{asked}' to='{DOMAIN}'/>")
}

fn note(seen: &mut Seen, digits: &[u8], now: Instant) {
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    let number = digits.fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
    if let Some(missing) = seen.missing.get_mut(number) {
        *missing -= 1;
        if *missing == 0 {
            seen.arrived[number] = Some(now);
        }
    }
}
