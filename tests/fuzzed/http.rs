//! What comes on one connection to the HTTP API: the input is its bytes, behind it are the real server, engine and store.
//!
//! Ann, Bob and Cy have a group with a few messages; the password of everybody is `pw-` and the name. Time stands still
//! while anything goes on, and jumps where everybody waits, so that nobody's patience is waited for.

#[path = "bound.rs"]
mod bound;
#[path = "../http/logins.rs"]
mod logins;

use jid::{BareJid, DomainPart};
use minidom::Element;
use mixd::channel::group::{GroupCommand, Invitee};
use mixd::channel::{
    Actor, AnyCommand, Command, GroupWish, Limits, Membership, Message, Progress, ServiceCommand, Stamp,
};
use mixd::config::Config;
use mixd::engine::{AddressBook, Addressee, Call, Engine, Inbound, ServiceSettings};
use mixd::runtime::callers::{Callers, complete};
use mixd::runtime::http::{Server, server};
use mixd::runtime::load::load_all;
use mixd::runtime::{Inbox, Metrics, Refuser};
use mixd::store::{MemoryStore, Store};
use mixd::xmpp::ns;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::time::timeout;

const SEALING_KEY: [u8; 16] = [7; 16];
const FROM: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Nothing takes this long; nobody waits for it, since time jumps.
const EVER: Duration = Duration::from_secs(24 * 3600);
/// Ann's login and Bob's, known before the first input. Any other one finds a host server that does not answer in time,
/// since time jumps.
const LOGINS: [&str; 2] = ["Authorization: Basic YW5uOnB3LWFubg==", "Authorization: Basic Ym9iOnB3LWJvYg=="];
/// What is large enough for every method and small enough to be reached.
const LIMITS: &str = r#"{"request_bytes_max": 8192, "upload_bytes_max": 8192, "requests_per_s": 1000000,
    "requests_burst": 1000000, "failed_logins_max": 1000000, "failed_logins_s": 1, "auth_cache_s": 86400}"#;

thread_local! {
    static DOOR: Door = Door::open();
}

/// Opens a connection, sends these bytes, and checks what comes back until it ends.
pub fn feed(input: &[u8]) {
    DOOR.with(|door| {
        let mut service = Service::start();
        let (taken, ended) = door.converse(&mut service, input);
        assert!(ended, "the connection never ends");
        check(input, &taken);
    });
}

/// The server, which outlives inputs as it outlives connections.
struct Door {
    runtime: Runtime,
    server: Arc<Server>,
    inbox: Arc<Inbox>,
    callers: Arc<Callers>,
    _folder: tempfile::TempDir,
}

impl Door {
    fn open() -> Door {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut http: Value = serde_json::from_str(LIMITS).unwrap();
        http["check_port"] = logins::take_logins().port.into();
        let config = json!({
            "component": {"domain": "mix.example.org"},
            "storage": {"path": folder.path(), "cache_bytes": 1 << 20},
            "http": http,
        });
        let config: Config = serde_json::from_value(config).unwrap();
        let (inbox, callers) =
            (Inbox::new(99, 1 << 20, Default::default(), Refuser::default()), Arc::new(Callers::default()));
        let inbox = Arc::new(inbox);
        let store = MemoryStore::new(SEALING_KEY);
        let address = SocketAddr::from(([127, 0, 0, 1], 80));
        let metrics = Arc::new(Metrics::default());
        let server = server(&config, &store, &inbox, &callers, &metrics, address).unwrap();
        let door = Door { runtime, server, inbox, callers, _folder: folder };
        for login in LOGINS {
            let head = "GET /gch.ashx?gm=getGroup&pm={%22id%22:1} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
            let (taken, _) = door.converse(&mut Service::start(), format!("{head}{login}\r\n\r\n").as_bytes());
            assert!(taken.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", String::from_utf8_lossy(&taken));
        }
        door.runtime.block_on(async { tokio::time::pause() });
        door
    }

    /// What came back, and whether the connection came to its end.
    fn converse(&self, service: &mut Service, input: &[u8]) -> (Vec<u8>, bool) {
        let heard = self.runtime.block_on(async {
            let (near, far) = duplex(4096);
            let (_stop, stopping) = watch::channel(false);
            let ours = timeout(EVER + EVER, self.server.clone().converse(near, FROM, stopping));
            let both = async { tokio::join!(ours, speak(far, input)) };
            tokio::select! {
                (ours, heard) = both => (heard, ours.is_ok()),
                () = service.work(&self.inbox, &self.callers) => unreachable!("nobody closes the inbox"),
            }
        });
        // What was asked by somebody who went away.
        let left = self.inbox.take_in_thread((usize::MAX, usize::MAX), Duration::ZERO).unwrap();
        service.turn(left, &self.callers);
        heard
    }
}

/// Sends everything and reads to the end; goes away when there is none.
async fn speak(far: DuplexStream, input: &[u8]) -> Vec<u8> {
    let (mut reading, mut writing) = tokio::io::split(far);
    let mut heard = Vec::new();
    let both = async { tokio::join!(writing.write_all(input), reading.read_to_end(&mut heard)) };
    let _ = timeout(EVER, both).await;
    heard
}

/// The worker's loop.
struct Service {
    engine: Engine,
    store: MemoryStore,
    book: AddressBook,
    now: Stamp,
}

impl Service {
    /// Group 1 is Ann's, with Bob, who joined, and Cy, who waits; rows 1 to 4 of it, the last ones two messages.
    fn start() -> Service {
        let store = MemoryStore::new(SEALING_KEY);
        let settings = ServiceSettings {
            domain: DomainPart::new("mix.example.org").unwrap().into_owned(),
            name: "Channels".into(),
            operators: Vec::new(),
            creators: vec!["example.org".into()],
            limits: Limits::default(),
            page_default: 20,
            page_max: 100,
            channels_memory_bytes_max: usize::MAX,
            pam: Default::default(),
            multicast: Default::default(),
        };
        let engine = Engine::new(settings, store.sealing_key(), [1; 32], Default::default(), Vec::new());
        let mut service = Service { engine, store, book: AddressBook::default(), now: Stamp(1_795_428_000_000) };
        let invitee = |name: &str| Invitee { jid: jid(name), nick: None };
        let wish = GroupWish {
            subject: "Weekend".into(),
            members: vec![invitee("bob"), invitee("cy")],
            membership: Some(Membership::Invite),
            notices: true,
            ..GroupWish::default()
        };
        let said = |body: &str| {
            let payload = format!("<body>{body}</body>");
            Command::Publish(Message { archived: true, echoed: true, counted: true, payload, ..Message::default() })
        };
        let group = Addressee::Gid(1);
        let join = Command::Join(Default::default());
        let read = GroupCommand::Report { row: 3, progress: Progress::Read, exact: false };
        for (who, to, command) in [
            ("ann", Addressee::Service, AnyCommand::from(ServiceCommand::CreateGroup(wish))),
            ("bob", group.clone(), join.into()),
            ("ann", group.clone(), said("Shall we?").into()),
            ("bob", group.clone(), said("Upon the heath").into()),
            ("bob", group, Command::Group(read).into()),
        ] {
            let actor = Actor { account: jid(who), operator: false };
            let call = Inbound::Call(Box::new(Call { token: 0, actor, to, command }));
            service.turn(vec![call], &Callers::default());
        }
        service
    }

    async fn work(&mut self, inbox: &Inbox, callers: &Callers) {
        while let Some(batch) = inbox.take(64).await {
            self.turn(batch, callers);
        }
    }

    fn turn(&mut self, batch: Vec<Inbound>, callers: &Callers) {
        self.now.0 += 1000;
        // What a request may hold, all told.
        let turn = bound::within(8192, || {
            load_all(&mut self.engine, &self.store, &batch).unwrap();
            self.engine.turn(self.now, batch)
        });
        self.store.commit(self.now, &turn.records).unwrap();
        turn.results.into_iter().for_each(|called| callers.tell(called));
        turn.lookups.into_iter().for_each(|lookup| callers.tell(complete(lookup, &self.store)));
        for channel in self.engine.channels() {
            let stored = self.store.load(std::slice::from_ref(channel.name())).unwrap();
            assert_eq!(stored, [Some(channel.clone())], "memory and store differ");
        }
        let mut sent = b"<stream>".to_vec();
        turn.outbox.into_iter().for_each(|out| self.book.pass(out, &mut sent));
        sent.extend(b"</stream>");
        if let Err(error) = Element::from_reader_with_prefixes(&sent[..], ns::COMPONENT.to_owned()) {
            panic!("what goes out is no XML ({error}): {}", String::from_utf8_lossy(&sent));
        }
    }
}

fn jid(name: &str) -> BareJid {
    BareJid::new(&format!("{name}@example.org")).unwrap()
}

/// What comes back is one response after the other, each of its announced length, and JSON where it says so.
fn check(input: &[u8], taken: &[u8]) {
    let shown = || format!("{}\n→ {}", String::from_utf8_lossy(input), String::from_utf8_lossy(taken));
    // A response to HEAD announces what does not come, so what is behind one cannot be told apart.
    let heads = input.windows(4).any(|four| four == b"HEAD");
    let text = String::from_utf8_lossy(input);
    let logins = LOGINS.iter().map(|login| text.matches(login).count()).sum::<usize>();
    let is_known = text.to_ascii_lowercase().matches("authorization").count() == logins;
    let mut rest = taken;
    while !rest.is_empty() {
        let end = rest.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else { panic!("a head without end: {}", shown()) };
        let head = String::from_utf8(rest[..end].to_vec()).unwrap_or_else(|_| panic!("a head of bytes: {}", shown()));
        rest = &rest[end + 4..];
        let status = head.strip_prefix("HTTP/1.").and_then(|line| line.get(2..5)?.parse().ok());
        let status: u16 = status.unwrap_or_else(|| panic!("no response: {}", shown()));
        assert!((100..600).contains(&status) && !(status == 500 && is_known), "{}", shown());
        let header = |name: &str| {
            head.lines().find_map(|line| Some(line.split_once(": ")?.1).filter(|_| line.starts_with(name)))
        };
        if heads {
            return;
        }
        if status == 100 {
            continue;
        }
        let len = header("content-length").map_or(0, |text| text.parse().unwrap());
        assert!(rest.len() >= len, "cut short: {}", shown());
        let (body, behind) = rest.split_at(len);
        rest = behind;
        if header("content-type") == Some("application/json") {
            assert!(serde_json::from_slice::<Value>(body).is_ok(), "no JSON: {}", shown());
        }
    }
}
