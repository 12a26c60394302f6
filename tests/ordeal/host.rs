//! A host server on the loopback whose accounts are all online: it reads what comes, answers what it must, and can be
//! cut off or restarted at any moment. What it had not read by then is lost, as with a real one.

use crate::scripted::DOMAIN;
use minidom::Element;
use mixd::runtime::framer::{Frame, Framer, StanzaLimits};
use mixd::xmpp::ns;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);
const LIMITS: StanzaLimits = StanzaLimits {
    stanza_bytes_max: 1 << 20,
    stanza_depth_max: 64,
    stanza_elements_max: 10_000,
    attribute_bytes_max: 1 << 16,
    start_tag_bytes_max: 1 << 18,
    attributes_max: 64,
};

/// What an account got of one message.
#[derive(Clone, Debug)]
pub struct Got {
    /// The id it came with.
    pub id: String,
    /// How often it came.
    pub times: usize,
    /// Its place among the first times of all messages.
    pub place: usize,
}

/// What came over all links so far.
#[derive(Default)]
pub struct Seen {
    /// By account and name.
    pub messages: BTreeMap<String, BTreeMap<String, Got>>,
    /// Rows of the archive that an account asked for: the id of each and the name of its message.
    pub results: BTreeMap<String, Vec<(String, String)>>,
    /// Ids of requests that succeeded.
    pub done: BTreeSet<String>,
    /// Ids of messages that were refused, until they are taken up again.
    pub refused: BTreeSet<String>,
    /// What must not be.
    pub wrong: Vec<String>,
}

impl Seen {
    /// What an account got of a message.
    pub fn got(&self, who: &str, name: &str) -> Option<&Got> {
        self.messages.get(who)?.get(name)
    }

    /// Takes a stanza in; what to answer.
    fn take(&mut self, bytes: &[u8]) -> Option<String> {
        let stanza = match Element::from_reader_with_prefixes(bytes, ns::COMPONENT.to_owned()) {
            Ok(stanza) => stanza,
            Err(error) => {
                self.wrong.push(format!("{error}: {}", String::from_utf8_lossy(bytes)));
                return None;
            }
        };
        let attr = |name: &'static str| attribute(&stanza, name);
        match (stanza.name(), attr("type")) {
            ("iq", "get" | "set") => {
                let (from, to, id) = (attr("to"), attr("from"), attr("id"));
                return Some(format!("<iq type='result' id='{id}' from='{from}' to='{to}'/>"));
            }
            ("iq", "result") => drop(self.done.insert(attr("id").to_owned())),
            ("message", "error") => drop(self.refused.insert(attr("id").to_owned())),
            ("message", _) => {
                let who = attr("to").split('/').next().unwrap_or_default().to_owned();
                if let Some(result) = stanza.children().find(|child| child.name() == "result") {
                    let row = result.attr("id").unwrap_or_default().to_owned();
                    self.results.entry(who).or_default().push((row, name_of(result)));
                } else if stanza.children().any(|child| child.name() == "body") {
                    self.note(who, name_of(&stanza), attr("id"));
                }
            }
            _ => {}
        }
        None
    }

    fn note(&mut self, who: String, name: String, id: &str) {
        let messages = self.messages.entry(who.clone()).or_default();
        let place = messages.len();
        let got = messages.entry(name.clone()).or_insert_with(|| Got { id: id.to_owned(), times: 0, place });
        got.times += 1;
        if got.id != id {
            self.wrong.push(format!("{who} got {name} under two ids: {} and {id}", got.id));
        }
    }
}

fn attribute<'a>(stanza: &'a Element, name: &'a str) -> &'a str {
    stanza.attr(name).unwrap_or_default()
}

/// The name of the message in an element: its body's first word, behind which it is padded.
fn name_of(element: &Element) -> String {
    if element.name() == "body" {
        return element.text().split(' ').next().unwrap_or_default().to_owned();
    }
    element.children().map(name_of).find(|name| !name.is_empty()).unwrap_or_default()
}

/// A link to mixd.
struct Link {
    writing: Mutex<TcpStream>,
    /// Nothing that still comes on it counts.
    cut: AtomicBool,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    /// The newest link that is authenticated, and how many there were.
    link: Mutex<(Option<Arc<Link>>, usize)>,
    /// Connections under way.
    readers: Mutex<Vec<JoinHandle<()>>>,
}

/// See the module.
pub struct Host {
    port: u16,
    shared: Arc<Shared>,
    open: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
}

impl Host {
    pub fn start() -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut host = Host { port: listener.local_addr().unwrap().port(), shared: Arc::default(), open: None };
        host.listen(listener);
        host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.shared.seen.lock().unwrap()
    }

    /// How many links there were.
    pub fn links(&self) -> usize {
        self.shared.link.lock().unwrap().1
    }

    fn listen(&mut self, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let (shared, stop) = (self.shared.clone(), Arc::new(AtomicBool::new(false)));
        let stopping = stop.clone();
        let thread = std::thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let reading = shared.clone();
                        let reader = std::thread::spawn(move || serve(stream, &reading));
                        shared.readers.lock().unwrap().push(reader);
                    }
                    Err(_) => std::thread::sleep(Duration::from_millis(2)),
                }
            }
        });
        self.open = Some((stop, thread));
    }

    /// Ends like a host server that stops: nobody can connect, and the link is gone.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.open.take() {
            stop.store(true, Ordering::Relaxed);
            thread.join().unwrap();
        }
        self.cut();
    }

    /// Starts again where it was.
    pub fn start_again(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            match TcpListener::bind(("127.0.0.1", self.port)) {
                Ok(listener) => return self.listen(listener),
                Err(error) => assert!(Instant::now() < until, "the port is not free again: {error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Cuts the link, where there is one; what was not read of it is lost.
    pub fn cut(&self) {
        let link = self.shared.link.lock().unwrap().0.take();
        if let Some(link) = link {
            link.cut.store(true, Ordering::Relaxed);
            let _ = link.writing.lock().unwrap().shutdown(Shutdown::Both);
        }
    }

    /// Reads what a dead mixd left on its links, to their ends.
    pub fn read_to_the_end(&self) {
        let readers = std::mem::take(&mut *self.shared.readers.lock().unwrap());
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    }

    /// Sends something over the link; `false` where there is none.
    pub fn send(&self, text: &str) -> bool {
        let link = self.shared.link.lock().unwrap().0.clone();
        link.is_some_and(|link| link.writing.lock().unwrap().write_all(text.as_bytes()).is_ok())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One connection, from its stream header to its end.
fn serve(mut stream: TcpStream, shared: &Shared) {
    stream.set_nonblocking(false).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let writing = Mutex::new(stream.try_clone().unwrap());
    let link = Arc::new(Link { writing, cut: AtomicBool::new(false) });
    let say = |text: &str| link.writing.lock().unwrap().write_all(text.as_bytes()).is_ok();
    let (mut framer, mut chunk) = (Framer::new(LIMITS), vec![0; 1 << 16]);
    let mut goes_on = true;
    while goes_on {
        let read = match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
            Err(_) => break,
        };
        let fed = framer.feed(&chunk[..read], |frame| {
            if link.cut.load(Ordering::Relaxed) {
                return;
            }
            goes_on &= match frame {
                Frame::Header(_) => say(&header()),
                Frame::Handshake => {
                    let said = say("<handshake/>");
                    let mut newest = shared.link.lock().unwrap();
                    *newest = (Some(link.clone()), newest.1 + 1);
                    said
                }
                Frame::Stanza(bytes) => {
                    let answer = shared.seen.lock().unwrap().take(bytes);
                    answer.is_none_or(|answer| say(&answer))
                }
                Frame::StreamError(_) | Frame::End => false,
                Frame::Oversize(..) => panic!("mixd sends more than a host server takes"),
            };
        });
        assert!(fed.is_ok(), "mixd sends what is no stream: {fed:?}");
        goes_on &= !link.cut.load(Ordering::Relaxed);
    }
    let mut newest = shared.link.lock().unwrap();
    if newest.0.as_ref().is_some_and(|newest| Arc::ptr_eq(newest, &link)) {
        newest.0 = None;
    }
}

fn header() -> String {
    format!(
        "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' \
         xmlns='jabber:component:accept' id='1' from='{DOMAIN}'>"
    )
}
