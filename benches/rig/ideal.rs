//! The ideal component: no state, no archive, no checks. It puts each of its fixed recipients into a copy of what comes.

use super::{DOMAIN, USERS};
use memchr::memmem;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

const BLOCK: usize = 64 * 1024;

/// Starts it in a thread that ends with its link.
pub fn start(address: SocketAddr, participants: usize) {
    std::thread::Builder::new().name("ideal".into()).spawn(move || serve(address, participants)).unwrap();
}

fn serve(address: SocketAddr, participants: usize) {
    let mut wire = TcpStream::connect(address).unwrap();
    wire.set_nodelay(true).unwrap();
    let open = format!("<stream:stream xmlns='jabber:component:accept' to='{DOMAIN}'>");
    wire.write_all(open.as_bytes()).unwrap();
    super::read_past(&mut wire, "id='bench'>");
    wire.write_all(b"<handshake>0</handshake>").unwrap();
    super::read_past(&mut wire, "<handshake/>");
    let recipients: Vec<String> = (0..participants).map(|u| format!("u{u}@{USERS}")).collect();
    let (mut kept, mut chunk, mut block) = (Vec::new(), vec![0; 256 * 1024], Vec::with_capacity(2 * BLOCK));
    let mut number = 0;
    loop {
        let Ok(read @ 1..) = wire.read(&mut chunk) else { return };
        kept.extend_from_slice(&chunk[..read]);
        let mut done = 0;
        while let Some(length) = memmem::find(&kept[done..], b"</message>") {
            number += 1;
            let stanza = std::str::from_utf8(&kept[done..done + length]).unwrap();
            let (head, tail) = reflection(stanza, number);
            for to in &recipients {
                for part in [&head, to, &tail] {
                    block.extend_from_slice(part.as_bytes());
                }
                if block.len() >= BLOCK {
                    wire.write_all(&block).unwrap();
                    block.clear();
                }
            }
            done += length + b"</message>".len();
        }
        kept.drain(..done);
        wire.write_all(&block).unwrap();
        block.clear();
    }
}

/// What every recipient gets, around its address: as long as what the service sends.
fn reflection(stanza: &str, number: usize) -> (String, String) {
    let attribute = |name: &str| {
        let from = stanza.find(&format!(" {name}='")).unwrap() + name.len() + 3;
        &stanza[from..from + stanza[from..].find('\'').unwrap()]
    };
    let (channel, author) = (attribute("to"), attribute("from").split('/').next().unwrap());
    let content = &stanza[stanza.find('>').unwrap() + 1..];
    let (mut head, mut tail) = (String::new(), String::new());
    let _ = write!(head, "<message from='{channel}/abcdefghijklmnopqrst' id='{number:032x}' type='groupchat' to='");
    let _ = write!(
        tail,
        "'>{content}<mix xmlns='urn:xmpp:mix:core:1'><nick>n0</nick><jid>{author}</jid></mix>\
         <stanza-id xmlns='urn:xmpp:sid:0' by='{channel}' id='{number:032x}'/></message>"
    );
    (head, tail)
}
