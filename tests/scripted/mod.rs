//! A host server that does what a test says, and the real `mixd` beside it.
//!
//! The host speaks XEP-0114 over a plain socket on the loopback, since it has to send what no library would.

#![allow(clippy::unwrap_used, dead_code)]

pub mod faketime;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use xmpp_parsers::component::Handshake;

pub const DOMAIN: &str = "mix.example.org";
pub const SECRET: &str = "s3cr3t<&'\"";
const STREAM_ID: &str = "id&amp;1";
const PATIENCE: Duration = Duration::from_secs(20);

/// A component port on the loopback.
pub struct Host {
    listener: TcpListener,
}

impl Host {
    pub fn start() -> Host {
        Host { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    pub fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The next connection.
    pub fn accept(&self) -> Peer {
        self.listener.set_nonblocking(true).unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    stream.set_nodelay(true).unwrap();
                    return Peer { stream, read: String::new(), answers_pings: true, returns_echoes: true };
                }
                Err(_) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => panic!("mixd does not connect: {error}"),
            }
        }
    }

    /// The next connection, authenticated.
    pub fn accept_authenticated(&self) -> Peer {
        let mut peer = self.accept();
        peer.open();
        peer.check_handshake();
        peer.send("<handshake/>");
        peer
    }
}

/// One connection of the component.
pub struct Peer {
    pub stream: TcpStream,
    /// What was read and not yet asked for, without the pings behind output.
    read: String,
    /// Whether the pings behind output are answered, as every host server does.
    pub answers_pings: bool,
    /// Whether what mixd sends to its own address comes back.
    pub returns_echoes: bool,
}

impl Peer {
    /// Takes the component's stream header and answers with one.
    pub fn open(&mut self) {
        let header = self.read_until("<stream:stream", ">");
        assert!(header.contains(&format!("to='{DOMAIN}'")) && header.contains("jabber:component:accept"), "{header}");
        self.send(&format!(
            "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' \
             xmlns='jabber:component:accept' id='{STREAM_ID}' from='{DOMAIN}'>"
        ));
    }

    /// Takes the handshake and checks its digest.
    pub fn check_handshake(&mut self) {
        let handshake = self.read_until("<handshake>", "</handshake>");
        let digest = Handshake::from_stream_id_and_password("id&1".to_owned(), SECRET).data.unwrap();
        assert_eq!(handshake, format!("<handshake>{}</handshake>", hex::encode(digest)));
    }

    pub fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }

    /// Ends the stream with an error.
    pub fn refuse(&mut self, condition: &str) {
        self.send(&format!(
            "<stream:error><{condition} xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>\
             <text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>why</text></stream:error></stream:stream>"
        ));
    }

    /// Reads up to the first `end` behind `begin`, and returns from `begin` to `end`.
    #[track_caller]
    pub fn read_until(&mut self, begin: &str, end: &str) -> String {
        let found = self.read_within(PATIENCE, begin, end);
        found.unwrap_or_else(|why| panic!("{why}; expected {begin:?} … {end:?}, had {:?}", self.read))
    }

    /// The same, or why there is none after some time.
    fn read_within(&mut self, patience: Duration, begin: &str, end: &str) -> Result<String, String> {
        let until = Instant::now() + patience;
        loop {
            let found = self.read.find(begin).and_then(|from| {
                self.read[from + begin.len()..].find(end).map(|len| (from, from + begin.len() + len + end.len()))
            });
            if let Some((from, to)) = found {
                let piece = self.read[from..to].to_owned();
                self.read.drain(..to);
                return Ok(piece);
            }
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(left)).unwrap();
            let mut chunk = [0; 65536];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err("mixd closed the connection".to_owned()),
                Ok(n) => {
                    self.read.push_str(&String::from_utf8_lossy(&chunk[..n]));
                    self.take_pings();
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// What is there to be read, once nothing comes for as long as the stream's read timeout.
    pub fn drain(&mut self) -> String {
        while self.read_piece() {}
        self.take_read()
    }

    /// One piece of what is there to be read; nothing where none comes for as long as the stream's read timeout.
    pub fn take_some(&mut self) -> String {
        if self.read_piece() { self.take_read() } else { String::new() }
    }

    fn read_piece(&mut self) -> bool {
        let mut chunk = [0; 65536];
        let Ok(n @ 1..) = self.stream.read(&mut chunk) else { return false };
        self.read.push_str(&String::from_utf8_lossy(&chunk[..n]));
        self.take_pings();
        true
    }

    fn take_read(&mut self) -> String {
        // The beginning of a ping stays until the rest of it comes.
        let begins = ["<iq type='get' id='ping-", "<iq type='get' id='echo-"].map(|begin| self.read.rfind(begin));
        let end = begins.into_iter().flatten().min().unwrap_or(self.read.len());
        self.read.drain(..end).collect()
    }

    /// Takes the pings behind output out of what was read, and answers them. Their ids end in a number.
    fn take_pings(&mut self) {
        const BEGIN: &str = "<iq type='get' id='ping-";
        let mut from = 0;
        while let Some(at) = self.read[from..].find(BEGIN).map(|at| at + from) {
            let Some(len) = self.read[at..].find("</iq>").map(|len| len + "</iq>".len()) else { return };
            let id = self.read[at + BEGIN.len() - "ping-".len()..].split('\'').next().unwrap().to_owned();
            if id.matches('-').count() < 2 {
                from = at + len;
                continue;
            }
            let asked = self.read[at..at + len].split(" to='").nth(1).unwrap().split('\'').next().unwrap().to_owned();
            self.read.replace_range(at..at + len, "");
            if self.answers_pings {
                let pong = format!("<iq type='result' id='{id}' from='{asked}' to='{DOMAIN}'/>");
                // A connection that ends is no failure here.
                let _ = self.stream.write_all(pong.as_bytes());
            }
        }
        while let Some(at) = self.read.find("<iq type='get' id='echo-").filter(|_| self.returns_echoes) {
            let Some(len) = self.read[at..].find("</iq>").map(|len| len + "</iq>".len()) else { return };
            let echo: String = self.read.drain(at..at + len).collect();
            let _ = self.stream.write_all(echo.as_bytes());
        }
    }

    /// Reads to the end of the connection.
    pub fn read_to_end(&mut self) -> String {
        self.stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).unwrap();
        std::mem::take(&mut self.read) + &String::from_utf8_lossy(&rest)
    }

    /// Sends a request and waits for its answer, which proves that the link is up and the loop runs.
    #[track_caller]
    pub fn check_alive(&mut self, id: &str) {
        self.send(&format!(
            "<iq type='get' id='{id}' from='a@example.org/r' to='{DOMAIN}'>\
             <query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
        ));
        self.answer_to(id);
    }

    /// The answer that carries this id, from its first attribute on.
    #[track_caller]
    pub fn answer_to(&mut self, id: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < until, "no answer to {id}");
            let stanza = self.next_stanza();
            if stanza.contains(&format!(" id='{id}'")) {
                return stanza;
            }
        }
    }

    /// The next iq, message or presence as text; ours never hold another of their kind at their end.
    #[track_caller]
    pub fn next_stanza(&mut self) -> String {
        self.next_stanza_within(PATIENCE).unwrap_or_else(|| panic!("nothing comes, had {:?}", self.read))
    }

    /// The next one, where one begins before that time is over.
    #[track_caller]
    pub fn next_stanza_within(&mut self, patience: Duration) -> Option<String> {
        let first = self.read_within(patience, "<", ">").ok()?;
        if first.ends_with("/>") {
            return Some(first);
        }
        let name: String = first[1..].chars().take_while(|c| c.is_alphanumeric()).collect();
        Some(first.clone() + &self.read_until("", &format!("</{name}>")))
    }
}

/// The real binary, stopped when it is dropped.
pub struct Mixd {
    child: Child,
    log: Arc<Mutex<String>>,
    _dir: Option<tempfile::TempDir>,
}

impl Mixd {
    /// Starts it beside `host`; `settings` are further lines, which begin in `[component]`.
    pub fn start(host: &Host, settings: &str) -> Mixd {
        Mixd::start_at(host.port(), settings)
    }

    /// Starts it for a host server at `port`.
    pub fn start_at(port: u16, settings: &str) -> Mixd {
        let dir = tempfile::tempdir().unwrap();
        let mut mixd = Mixd::start_in(dir.path(), port, settings, &[]);
        mixd._dir = Some(dir);
        mixd
    }

    /// Starts it with its files in `folder`, which outlives it; the words of `wrapper` go before its command line.
    pub fn start_in(folder: &Path, port: u16, settings: &str, wrapper: &[&str]) -> Mixd {
        Mixd::start_on(folder, &folder.join("store"), port, settings, wrapper)
    }

    /// Starts it with its settings in `folder` and its store elsewhere.
    pub fn start_on(folder: &Path, store: &Path, port: u16, settings: &str, wrapper: &[&str]) -> Mixd {
        let file = folder.join("mixd.toml");
        let text = format!("[component]\ndomain = '{DOMAIN}'\nport = {port}\nbackoff_ms_min = 50\n{settings}\n");
        std::fs::write(&file, text).unwrap();
        let mut words = wrapper.to_vec();
        words.extend([env!("CARGO_BIN_EXE_mixd"), "serve", "--config"]);
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .arg(&file)
            .env("MIXD_COMPONENT__SECRET", SECRET)
            .env("MIXD_STORAGE__PATH", store)
            .envs(wide_rates(settings))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (mut stderr, kept) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = stderr.read(&mut chunk) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&chunk[..n]));
            }
        });
        Mixd { child, log, _dir: None }
    }

    /// Kills it with SIGKILL, at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, where it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log holds `text` at least `times` times.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str, times: usize) {
        let until = Instant::now() + PATIENCE;
        while self.log().matches(text).count() < times {
            assert!(Instant::now() < until, "{text:?} is not {times} times in the log:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    /// Sends it a signal, such as `-HUP`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits for the end, and how long it took.
    #[track_caller]
    pub fn wait(&mut self) -> (ExitStatus, Duration) {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, since.elapsed());
            }
            assert!(since.elapsed() < PATIENCE, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where the process listens, as address and port.
    pub fn listens(&self) -> Vec<String> {
        let folder = format!("/proc/{}", self.child.id());
        let links = std::fs::read_dir(format!("{folder}/fd")).unwrap().flatten();
        let held: Vec<String> = links
            .filter_map(|link| Some(std::fs::read_link(link.path()).ok()?.to_string_lossy().into_owned()))
            .filter_map(|link| Some(link.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
            .collect();
        let mut places = Vec::new();
        for family in ["tcp", "tcp6"] {
            for line in std::fs::read_to_string(format!("{folder}/net/{family}")).unwrap().lines().skip(1) {
                let fields: Vec<&str> = line.split_whitespace().collect();
                // State 0A is LISTEN.
                if fields[3] == "0A" && held.iter().any(|inode| inode == fields[9]) {
                    let (address, port) = fields[1].split_once(':').unwrap();
                    places.push(format!("{address}:{}", u16::from_str_radix(port, 16).unwrap()));
                }
            }
        }
        places
    }

    /// Resident memory and its peak, in bytes.
    pub fn memory(&self) -> (usize, usize) {
        (self.status("VmRSS:"), self.status("VmHWM:"))
    }

    /// What of it is the process's own at present, without the program's text, in bytes.
    pub fn memory_of_its_own(&self) -> usize {
        self.status("RssAnon:")
    }

    fn status(&self, name: &str) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }
}

impl Drop for Mixd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Scripts come as fast as they can: rates are widened where they name none.
fn wide_rates(settings: &str) -> impl Iterator<Item = (String, &'static str)> {
    let names = ["MESSAGES", "MESSAGE_BYTES", "CHANNEL_MESSAGES", "REQUESTS", "PRESENCE"];
    let wide = if settings.contains("messages_per_s") { &[][..] } else { &names[..] }.to_vec();
    wide.into_iter().map(|name| (format!("MIXD_LIMITS__{name}_PER_S"), "0"))
}
