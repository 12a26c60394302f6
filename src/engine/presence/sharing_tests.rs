//! Bounds of presence for one account.

use crate::channel::{ChannelName, Stamp};
use crate::engine::{Engine, Inbound, Out, fixture};
use crate::xep::availability::Availability;
use crate::xmpp::Stanza;
use jid::{BareJid, FullJid};

const PRESENCE: &str = "<subscribe node='urn:xmpp:mix:nodes:presence'/>";

/// A channel with two participants that subscribe to presence. One does not share its own.
fn engine() -> Engine {
    let mut engine = Engine::new(fixture::settings(), [7; 16], [7; 32], Default::default(), Vec::new());
    let form = "<x xmlns='jabber:x:data' type='submit'><field var='Presence'><value>not share</value></field></x>";
    let create = "<create xmlns='urn:xmpp:mix:core:1' channel='c'/>";
    take(&mut engine, 1, &[&format!("<iq type='set' id='1' from='a@h/r' to='mix.h'>{create}</iq>")]);
    for (who, more) in [("a@h", ""), ("b@h", form)] {
        let join = format!("<join xmlns='urn:xmpp:mix:core:1'>{PRESENCE}{more}</join>");
        take(&mut engine, 1, &[&format!("<iq type='set' id='2' from='{who}' to='c@mix.h'>{join}</iq>")]);
    }
    engine
}

/// The presence stanzas that these stanzas cause.
fn take(engine: &mut Engine, second: u64, stanzas: &[&str]) -> Vec<String> {
    let read = |xml: &&str| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
    let batch = stanzas.iter().map(read).chain([Inbound::Tick]).collect();
    let out = fixture::sent(engine, Stamp(second * 1000), batch);
    let sent = out.into_iter().filter_map(|out| match out {
        Out::Fan(fan) => Some(fan.head + &fan.tail),
        Out::Stanza(text) | Out::Presence(text) => Some(text),
        _ => None,
    });
    sent.filter(|text| text.starts_with("<presence from")).collect()
}

#[test]
fn who_comes_and_goes_all_the_time_is_told_at_a_pace_and_as_it_is_in_the_end() {
    let mut engine = engine();
    let mut told = 0;
    for n in 0..2000 {
        let status = format!("<presence from='a@h/r' to='c@mix.h'><status>{n}</status></presence>");
        let gone = "<presence type='unavailable' from='a@h/r' to='c@mix.h'/>";
        told += take(&mut engine, 2, &[&status, gone]).iter().filter(|text| !text.contains("to=")).count();
    }
    assert!((500..1100).contains(&told), "{told}");
    let last = "<presence from='a@h/r' to='c@mix.h'><status>last</status></presence>";
    assert!(!take(&mut engine, 2, &[last]).iter().any(|text| text.contains("last")));
    assert!(take(&mut engine, 60, &[]).iter().any(|text| text.contains("last")));
    assert!(take(&mut engine, 120, &[last]).is_empty());
}

#[test]
fn who_asks_all_the_time_is_sent_everybody_s_presence_at_a_pace() {
    let mut engine = engine();
    let here = take(&mut engine, 2, &["<presence from='a@h/r' to='c@mix.h'><status>here</status></presence>"]);
    assert!(here.iter().any(|text| text.contains("here")), "{here:?}");
    let mut sent = 0;
    for n in 0..1000 {
        // With new resources, and with probes.
        let comes = format!("<presence from='b@h/{}' to='c@mix.h'/>", n % 30);
        let goes = format!("<presence type='unavailable' from='b@h/{}' to='c@mix.h'/>", n % 30);
        let asks = format!("<presence type='probe' from='b@h/{}' to='c@mix.h'/>", n % 30);
        sent += take(&mut engine, 2, &[&comes, &goes, &asks]).len();
    }
    assert!((100..=250).contains(&sent), "{sent}");
    assert!(!take(&mut engine, 100, &[]).is_empty(), "what was owed is sent later");
    assert!(take(&mut engine, 3600, &[]).len() <= 30);
}

#[test]
fn who_asks_under_ever_other_names_takes_no_room_from_others() {
    let mut engine = engine();
    take(&mut engine, 2, &["<presence from='a@h/r' to='c@mix.h'><status>here</status></presence>"]);
    let asks: Vec<String> =
        (0..5000).map(|n| format!("<presence type='probe' from='b@h/{n}' to='c@mix.h'/>")).collect();
    let asks: Vec<&str> = asks.iter().map(String::as_str).collect();
    let sent = take(&mut engine, 2, &asks).len();
    assert!((1..=250).contains(&sent), "{sent}");
    assert!(engine.presence.online.undelivered_count() <= 1000, "{}", engine.presence.online.undelivered_count());
    // The other account has its turn in the circle, and in the end everything is delivered.
    let asks = "<presence type='probe' from='a@h/other' to='c@mix.h'/>";
    let sent = take(&mut engine, 3, &[asks]).concat() + &take(&mut engine, 4, &[]).concat();
    assert!(sent.contains("to='a@h/other'"), "{sent}");
    (0..20).for_each(|minute| drop(take(&mut engine, 1000 + 60 * minute, &[])));
    assert_eq!(engine.presence.online.undelivered_count(), 0);
}

fn says(engine: &mut Engine, full: &FullJid) -> bool {
    let says = Availability::of(&"<presence xmlns='jabber:client'/>".parse().unwrap());
    engine.presence.online.broadcast(full, says, true)
}

#[test]
fn no_channel_is_loaded_for_an_account_none_of_whose_clients_takes_mix() {
    let (mut engine, name) = (engine(), ChannelName::new("c").unwrap());
    let account = BareJid::new("a@h").unwrap();
    let full = |resource: &str| account.with_resource_str(resource).unwrap();
    // A client that writes to a channel supports MIX.
    take(&mut engine, 2, &["<message type='groupchat' from='a@h/r' to='c@mix.h' id='m'><body>x</body></message>"]);
    engine.unshelve(&name, &mut Vec::new());
    assert!(says(&mut engine, &full("other")));
    engine.spread_to(&name, &account);
    assert!(engine.next_presence().is_empty());
    assert!(says(&mut engine, &full("r")));
    engine.spread_to(&name, &account);
    assert_eq!(engine.next_presence(), [name]);
}

#[test]
fn nothing_waits_for_ever_for_a_channel_that_never_came_to_be() {
    let (mut engine, name) = (engine(), ChannelName::new("never").unwrap());
    let read = |xml: &str| Inbound::Stanza(Stanza::parse(xml.as_bytes()).unwrap());
    let join = format!("<join xmlns='urn:xmpp:mix:core:1'>{PRESENCE}</join>");
    let batch = vec![
        read(
            "<iq type='set' id='1' from='a@h/r' to='mix.h'><create xmlns='urn:xmpp:mix:core:1' channel='never'/></iq>",
        ),
        read(&format!("<iq type='set' id='2' from='a@h/r' to='never@mix.h'>{join}</iq>")),
        read("<presence from='a@h/r' to='never@mix.h'/>"),
    ];
    let turn = engine.turn(Stamp(1000), batch);
    let tag = engine.channels.tag_of(&name).unwrap();
    engine.abandon(turn);
    engine.presence.online.bring_later(tag, &name, &BareJid::new("a@h").unwrap());
    // The store has no such channel.
    assert_eq!(engine.next_presence(), std::slice::from_ref(&name));
    engine.bury(&name, &mut Vec::new());
    for _ in 0..3 {
        assert!(engine.next_presence().is_empty());
    }
    assert_eq!(engine.presence.online.account_count(tag), 0);
    assert_eq!(engine.presence.online.channels_to_tell(None, 9), Vec::<u64>::new());
}
