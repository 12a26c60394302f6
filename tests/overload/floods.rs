//! What somebody floods the real process with, and how much memory it takes meanwhile: no more than the settings say, while
//! others are answered. What each flood keeps others from is counted in `src/engine/flood_tests.rs`.

use super::scripted::{DOMAIN, Host, Mixd, Peer};
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;
/// What docs/configuration.md has the process take with the settings below, in the order of its sum.
const MEMORY_BYTES_MAX: usize = (16 + 16 + 18 + 16 + 8 + 50) * MIB;
const LIMITS: &str = "[storage]\ncache_bytes = 16777216\n[limits]\nchannels_memory_bytes_max = 16777216\n\
                      inbox_bytes_max = 8388608\noutbox_bytes_max = 8388608\nheld_bytes_max = 8388608";
const PATIENCE: Duration = Duration::from_secs(30);
/// Stanzas that are sent in one go, and how much is read behind each of these at most, in pieces.
const BLOCK: usize = 100;
const PIECES: usize = 32;

/// One flood: further settings, and its stanzas by their number.
#[derive(Default)]
struct Flood<'a> {
    name: &'a str,
    settings: &'a str,
    count: usize,
    /// How many results and errors come back at least. Others are served between, so these may come behind their answers.
    results_min: usize,
    errors_min: usize,
}

/// How many stanzas came back, and how many of these were errors.
#[derive(Default)]
struct Told {
    results: usize,
    errors: usize,
    is_alive: bool,
    /// The end of what was read, where a tag may be cut.
    rest: String,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} results, {} errors", self.results, self.errors)
    }
}

impl Flood<'_> {
    /// Plays it behind what `prepare` sets up, which says what the stanzas need to know.
    fn play<Known>(&self, prepare: impl FnOnce(&mut Peer) -> Known, stanza: impl Fn(&Known, usize) -> String) {
        let host = Host::start();
        let mixd = Mixd::start(&host, &format!("{LIMITS}\n{}", self.settings));
        let mut peer = host.accept_authenticated();
        let known = prepare(&mut peer);
        peer.stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
        let (before, mut peak, mut told) = (mixd.memory_of_its_own(), 0, Told::default());
        for first in (0..self.count).step_by(BLOCK) {
            let block: String = (first..self.count.min(first + BLOCK)).map(|n| stanza(&known, n)).collect();
            peer.send(&block);
            peer.stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            told.read(&mut peer, PIECES);
            peak = peak.max(mixd.memory_of_its_own());
        }
        // Somebody else is answered.
        peer.send(&format!(
            "<iq type='get' id='alive' from='b@example.org/r' to='{DOMAIN}'><ping xmlns='urn:xmpp:ping'/></iq>"
        ));
        let answered = |told: &Told| told.is_alive;
        let whole = |told: &Told| told.results >= self.results_min && told.errors >= self.errors_min;
        for (what, is_done) in
            [("others are not answered", &answered as &dyn Fn(&Told) -> bool), ("more is due", &whole)]
        {
            let until = Instant::now() + PATIENCE;
            while !is_done(&told) {
                assert!(Instant::now() < until, "{}: {what}: {told:?}", self.name);
                told.read(&mut peer, PIECES);
                peak = peak.max(mixd.memory_of_its_own());
            }
        }
        let mib = |bytes: usize| bytes.div_ceil(MIB);
        println!("{}: {} stanzas, {told:?}, {} MiB before, {} at most", self.name, self.count, mib(before), mib(peak));
        assert!(peak < MEMORY_BYTES_MAX, "{}: peak {peak} bytes", self.name);
        assert_eq!(mixd.log().matches("link down").count(), 0, "{}", mixd.log());
    }
}

impl Told {
    /// Counts what is there to be read, so many pieces at most.
    fn read(&mut self, peer: &mut Peer, pieces: usize) {
        for _ in 0..pieces {
            let text = peer.take_some();
            if text.is_empty() {
                break;
            }
            self.rest.push_str(&text);
            let whole = self.rest.rfind('>').map_or(0, |end| end + 1);
            let tags: String = self.rest.drain(..whole).collect();
            self.results += tags.matches("type='result'").count();
            self.errors += tags.matches("<error ").count();
            self.is_alive |= tags.contains("id='alive'");
        }
    }
}

/// Has somebody make a channel and join it with a client, and others by their home server; the id that the first one has
/// there.
fn fill(peer: &mut Peer, people: impl Iterator<Item = String>, nodes: &[&str]) -> String {
    peer.send(&format!(
        "<iq type='set' id='create' from='a@example.org/r' to='{DOMAIN}'>\
         <create xmlns='urn:xmpp:mix:core:1' channel='coven'/></iq>"
    ));
    peer.answer_to("create");
    let subscribed: String =
        nodes.iter().map(|node| format!("<subscribe node='urn:xmpp:mix:nodes:{node}'/>")).collect();
    let mut first = String::new();
    for (n, who) in ["a@example.org/r".to_owned()].into_iter().chain(people).enumerate() {
        peer.send(&format!(
            "<iq type='set' id='join-{n}' from='{who}' to='coven@{DOMAIN}'>\
             <join xmlns='urn:xmpp:mix:core:1'>{subscribed}</join></iq>"
        ));
        let answer = peer.answer_to(&format!("join-{n}"));
        if n == 0 {
            let join = answer.split("<join ").nth(1).unwrap();
            first = join.split(" id='").nth(1).unwrap().split('\'').next().unwrap().to_owned();
        }
    }
    first
}

fn message(who: &str, n: usize, body: &str) -> String {
    format!(
        "<message type='groupchat' id='m{n}' from='{who}' to='coven@{DOMAIN}'><body>{body}</body>\
         <origin-id xmlns='urn:xmpp:sid:0' id='m{n}'/></message>"
    )
}

#[test]
fn questions_of_one_domain() {
    // There is room for 10,000; who asked first is told that there is none any more.
    let flood =
        Flood { name: "questions of one domain", settings: "", count: 14_000, errors_min: 500, ..Flood::default() };
    flood.play(
        |peer| fill(peer, (0..200).map(|n| format!("x{n}@away.example")), &["messages"]),
        |first, n| {
            let who = format!("x{}@away.example/r", n % 200);
            format!(
                "<iq type='get' id='q{n}' from='{who}' to='{first}#coven@{DOMAIN}/r'>\
                 <query xmlns='jabber:iq:version'/></iq>"
            )
        },
    );
}

#[test]
fn presence_into_a_crowded_channel() {
    let settings = "presence_participants_max = 50";
    let flood = Flood { name: "presence into a crowded channel", settings, count: 8000, ..Flood::default() };
    let status = "x".repeat(1000);
    flood.play(
        |peer| fill(peer, (0..200).map(|n| format!("x{n}@away.example")), &["presence"]),
        |_, n| {
            let who = format!("x{}@away.example/r{}", n % 200, n / 200);
            format!("<presence from='{who}' to='coven@{DOMAIN}'><status>{status}</status></presence>")
        },
    );
}

#[test]
fn nicks() {
    let settings = "[service]\nnick_domains = ['*']";
    let flood = Flood { name: "nicks", settings, count: 8000, results_min: 1000, ..Flood::default() };
    flood.play(
        |_| (),
        |(), n| {
            format!(
                "<iq type='set' id='n{n}' from='x{n}@away.example/r' to='{DOMAIN}'>\
                 <register xmlns='urn:xmpp:mix:misc:0'><nick>nick{n}</nick></register></iq>"
            )
        },
    );
}

#[test]
fn channels() {
    let flood = Flood {
        name: "channels",
        settings: "[service]\ncreators = ['*']",
        count: 5000,
        results_min: 1000,
        ..Flood::default()
    };
    flood.play(
        |_| (),
        |(), n| {
            format!(
                "<iq type='set' id='c{n}' from='x{}@away.example/r' to='{DOMAIN}'>\
                 <create xmlns='urn:xmpp:mix:core:1' channel='channel{n}'/></iq>",
                n % 100
            )
        },
    );
}

#[test]
fn invitations() {
    let flood = Flood {
        name: "invitations",
        settings: "invitations_per_s = 0",
        count: 150,
        results_min: 50,
        ..Flood::default()
    };
    flood.play(
        |_| (),
        |(), n| {
            let members: String = (0..29).map(|m| format!("<member jid='s{n}-{m}@away.example'/>")).collect();
            format!(
                "<iq type='set' id='g{n}' from='x@example.org/r' to='{DOMAIN}'><create xmlns='urn:xmpp:mix:core:1'>\
                 <group xmlns='urn:mixd:group:1' membership='auto'><name>x</name>{members}</group></create></iq>"
            )
        },
    );
}

#[test]
fn messages_to_many() {
    let flood = Flood { name: "messages to many", settings: "", count: 4000, ..Flood::default() };
    let body = "x".repeat(300);
    flood.play(
        |peer| fill(peer, (0..400).map(|n| format!("u{n}@example.org")), &["messages"]),
        |_, n| message("u0@example.org/r", n, &body),
    );
}

#[test]
fn queries_of_history() {
    let flood = Flood { name: "queries of history", settings: "", count: 2000, results_min: 1, ..Flood::default() };
    let body = "x".repeat(1000);
    flood.play(
        |peer| {
            fill(peer, (0..50).map(|n| format!("x{n}@away.example")), &["info"]);
            (0..300).for_each(|n| peer.send(&message("a@example.org/r", n, &body)));
            peer.check_alive("said");
        },
        |(), n| {
            format!(
                "<iq type='set' id='h{n}' from='x{}@away.example/r' to='coven@{DOMAIN}'><query xmlns='urn:xmpp:mam:2'>\
                 <set xmlns='http://jabber.org/protocol/rsm'><max>100</max></set></query></iq>",
                n % 50
            )
        },
    );
}

#[test]
fn newcomers_who_come_and_go() {
    let flood = Flood {
        name: "newcomers who come and go",
        settings: "former_max = 500",
        count: 2400,
        results_min: 1000,
        ..Flood::default()
    };
    flood.play(
        |peer| fill(peer, std::iter::empty(), &["messages"]),
        |_, n| {
            let who = format!("x{}@away.example", n / 3);
            match n % 3 {
                0 => format!(
                    "<iq type='set' id='j{n}' from='{who}' to='coven@{DOMAIN}'><join xmlns='urn:xmpp:mix:core:1'/></iq>"
                ),
                1 => message(&format!("{who}/r"), n, "hello"),
                _ => format!(
                    "<iq type='set' id='l{n}' from='{who}' to='coven@{DOMAIN}'><leave xmlns='urn:xmpp:mix:core:1'/></iq>"
                ),
            }
        },
    );
}
