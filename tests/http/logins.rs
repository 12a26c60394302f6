//! A host server that checks passwords and does nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A port for clients where the password of everybody is `pw-` and the name; it lives as long as the process.
pub fn take_logins() -> Logins {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, came) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
    let counted = came.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::Relaxed);
            std::thread::spawn(move || take_login(stream));
        }
    });
    Logins { port, came }
}

/// The port, and how often somebody logged in there.
pub struct Logins {
    pub port: u16,
    came: Arc<AtomicUsize>,
}

impl Logins {
    #[allow(dead_code)]
    pub fn count(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }
}

fn take_login(mut stream: TcpStream) {
    let sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
    let until = |stream: &mut TcpStream, end: &str| {
        let (mut text, mut byte) = (String::new(), [0]);
        while !text.ends_with(end) && stream.read(&mut byte).is_ok_and(|n| n == 1) {
            text.push(char::from(byte[0]));
        }
        text
    };
    until(&mut stream, "streams'>");
    let features = format!(
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' \
         version='1.0'><stream:features><mechanisms xmlns='{sasl}'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
    );
    let _ = stream.write_all(features.as_bytes());
    let auth = until(&mut stream, "</auth>");
    let coded = auth.split('>').nth(1).and_then(|text| text.split('<').next()).unwrap_or_default();
    let plain = String::from_utf8(STANDARD.decode(coded).unwrap_or_default()).unwrap_or_default();
    let mut words = plain.split('\0').skip(1);
    let good = words.next().zip(words.next()).is_some_and(|(name, password)| password == format!("pw-{name}"));
    let said = match good {
        true => format!("<success xmlns='{sasl}'/>"),
        false => format!("<failure xmlns='{sasl}'><not-authorized/></failure>"),
    };
    let _ = stream.write_all(said.as_bytes());
}
