//! More comes in than the host server takes out: a host that reads nothing for longer than a ping has while messages to a channel keep
//! coming. Memory stays within the bound that docs/configuration.md states, new messages are refused, and of those that
//! were taken none is lost.

#![allow(clippy::unwrap_used)]

#[path = "overload/floods.rs"]
mod floods;
mod scripted;

use mixd::channel::ChannelName;
use mixd::store::{PagePlan, SledOptions, SledStore, Store};
use scripted::{DOMAIN, Host, Mixd, Peer};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const SILENCE: Duration = Duration::from_secs(35);
const PARTICIPANTS: usize = 50;
/// The queues of these settings, the pages of the store, and what a process of this kind takes anyway.
const MEMORY_BYTES_MAX: usize = 192 << 20;
const SETTINGS: &str = "write_timeout_s = 100\n[storage]\ncache_bytes = 16777216\n[limits]\ninbox_bytes_max = 8388608\n\
                        outbox_bytes_max = 8388608\naccount_sending_bytes_max = 1000000000";

fn fill_channel(peer: &mut Peer) {
    peer.send(&format!(
        "<iq type='set' id='create' from='u0@example.org/r' to='{DOMAIN}'>\
         <create xmlns='urn:xmpp:mix:core:1' channel='coven'/></iq>"
    ));
    peer.answer_to("create");
    for n in 0..PARTICIPANTS {
        peer.send(&format!(
            "<iq type='set' id='join-{n}' from='u{n}@example.org' to='coven@{DOMAIN}'>\
             <join xmlns='urn:xmpp:mix:core:1'><subscribe node='urn:xmpp:mix:nodes:messages'/></join></iq>"
        ));
        peer.answer_to(&format!("join-{n}"));
    }
}

/// Sends messages and reads nothing; how many were sent. The second half of the time brings less, as a backlog does not
/// need more to last.
fn flood(peer: &mut Peer) -> usize {
    let (begun, mut sent) = (Instant::now(), 0);
    let body = "x".repeat(300);
    while begun.elapsed() < SILENCE {
        let mut block = String::new();
        for _ in 0..200 {
            block.push_str(&format!(
                "<message type='groupchat' id='m{sent}' from='u0@example.org/r' to='coven@{DOMAIN}'><body>{body}</body>\
                 <origin-id xmlns='urn:xmpp:sid:0' id='m{sent}'/></message>"
            ));
            sent += 1;
        }
        peer.send(&block);
        let pause = if begun.elapsed() < SILENCE / 2 { 2 } else { 50 };
        std::thread::sleep(Duration::from_millis(pause));
    }
    sent
}

/// The value of an attribute of the first tag.
fn attribute<'a>(stanza: &'a str, name: &str) -> &'a str {
    let behind = stanza.split(&format!(" {name}='")).nth(1).unwrap_or_default();
    behind.split('\'').next().unwrap_or_default()
}

#[test]
fn a_host_that_reads_nothing_for_long_costs_no_memory_and_no_message() {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::start();
    let mut mixd = Mixd::start_in(folder.path(), host.port(), SETTINGS, &[]);
    let mut peer = host.accept_authenticated();
    fill_channel(&mut peer);
    peer.stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    let sent = flood(&mut peer);
    let peak = mixd.memory().1;
    assert!(peak < MEMORY_BYTES_MAX, "peak {peak} bytes after {sent} messages");

    let (mut reflected, mut refused, mut copies) = (BTreeSet::new(), BTreeSet::new(), 0);
    // What a channel answers comes behind what it sent before; the service itself waits for no channel. As long as there
    // is no room even for refusals a request may go without an answer: then it is asked again.
    let end = format!(
        "<iq type='get' id='end' from='u1@example.org/r' to='coven@{DOMAIN}'><ping xmlns='urn:xmpp:ping'/></iq>"
    );
    let mut asked = 0;
    loop {
        let Some(stanza) = peer.next_stanza_within(Duration::from_secs(2)) else {
            asked += 1;
            assert!(asked < 30, "the channel does not answer: {}", mixd.log());
            peer.send(&end);
            continue;
        };
        match (attribute(&stanza, "type"), attribute(&stanza, "id")) {
            ("result", "end") => break,
            // It is refused, too, until there is room again.
            ("error", "end") => {
                std::thread::sleep(Duration::from_millis(50));
                peer.send(&end);
            }
            ("groupchat", _) => {
                copies += 1;
                let origin = stanza.split("urn:xmpp:sid:0' id='").nth(1).unwrap().split('\'').next().unwrap();
                if attribute(&stanza, "to") == "u0@example.org" {
                    assert!(reflected.insert(origin.to_owned()), "{origin} is reflected twice");
                }
            }
            ("error", id) => {
                assert!(stanza.contains("<resource-constraint") && stanza.contains("type='wait'"), "{stanza}");
                refused.insert(id.to_owned());
            }
            _ => {}
        }
    }
    assert!(!reflected.is_empty() && !refused.is_empty(), "{sent} sent, {} {}", reflected.len(), refused.len());
    assert_eq!(copies, reflected.len() * PARTICIPANTS, "everybody gets what its sender saw");
    assert_eq!(reflected.intersection(&refused).next(), None, "what is refused is not sent");
    assert_eq!(mixd.log().matches("link down").count(), 0, "{}", mixd.log());
    mixd.terminate();
    mixd.wait();
    let archived = archived(folder.path());
    assert_eq!(archived.iter().collect::<BTreeSet<_>>().len(), archived.len(), "a message has two rows");
    assert_eq!(archived.into_iter().collect::<BTreeSet<_>>(), reflected);
    println!("{sent} sent, {} taken, {} told of a refusal, peak {} MB", reflected.len(), refused.len(), peak >> 20);
}

/// The origin ids of all rows.
fn archived(folder: &std::path::Path) -> Vec<String> {
    let store = SledStore::open(SledOptions::at(folder.join("store"))).unwrap();
    let channel = store.load(&[ChannelName::new("coven").unwrap()]).unwrap().remove(0).unwrap();
    let plan = PagePlan {
        tag: channel.profile().tag,
        first: 1,
        last: channel.head().row,
        start: None,
        end: None,
        author: None,
        max: usize::MAX,
        from_end: false,
        narrow: Default::default(),
    };
    store.page(&plan).unwrap().rows.into_iter().map(|row| row.origin_id.unwrap()).collect()
}
