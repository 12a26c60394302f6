//! What is kept by accounts is read beside the loop. The store fails a test with debug assertions where the loop reads it.

use super::*;
use mixd::engine::{Errand, Loaded, Source};
use mixd::runtime::load::fetch;

const GROUPS: &str = "<iq type='get' id='l' from='amy@h/r' to='mix.h'><groups xmlns='urn:mixd:group:1'/></iq>";

fn groups_of(who: &str, id: &str) -> Inbound {
    stanza(&GROUPS.replace("id='l'", &format!("id='{id}'")).replace("amy", who))
}

fn channels_of(who: &str, id: &str) -> Inbound {
    let query = "<query xmlns='http://jabber.org/protocol/disco#items'/>";
    stanza(&format!("<iq type='get' id='{id}' from='{who}/r' to='mix.h'>{query}</iq>"))
}

fn account(text: &str) -> Source {
    Source::Account(BareJid::new(text).unwrap())
}

/// Whoever asks, and what it sends behind that, waits; nobody else does, whatever channel it is for.
#[test]
fn whoever_asks_waits_alone_and_its_order_is_kept() {
    let mut rig = Rig::new();
    rig.groups(2);
    rig.is_slow = true;
    let told = rig.step(vec![
        ping("amy", 0, "1"),
        groups_of("amy", "2"),
        ping("amy", 0, "3"),
        ping("boss", 0, "4"),
        groups_of("amy", "5"),
        ping("eve", 0, "6"),
        channels_of("eve@h", "7"),
    ]);
    let is_told = |told: &str, id: &str| told.contains(&format!("id='{id}'"));
    assert!(["1", "4", "6"].iter().all(|id| is_told(&told, id)), "what came before, and others: {told}");
    assert!(["2", "3", "5", "7"].iter().all(|id| !is_told(&told, id)), "{told}");
    let told = rig.step(vec![groups_of("amy", "8"), ping("boss", 1, "9")]);
    assert!(is_told(&told, "9") && !is_told(&told, "8"), "{told}");
    let sources: Vec<&Source> = rig.reads.iter().map(|errand| &errand.source).collect();
    assert_eq!(sources, [&account("amy@h"), &account("eve@h")], "one read an account");
    rig.is_slow = false;
    let told = rig.settle();
    let at = |id: &str| told.find(&format!("id='{id}'")).unwrap_or_else(|| panic!("{id}: {told}"));
    assert!(at("2") < at("3") && at("3") < at("5") && at("5") < at("8") && at("7") > 0, "{told}");
    assert!(!told.contains("type='error'"), "{told}");
}

#[test]
fn a_read_of_an_account_that_fails_is_told_to_whoever_asked_for_it_alone() {
    let mut rig = Rig::new();
    rig.groups(1);
    rig.is_slow = true;
    rig.step(vec![groups_of("amy", "1"), ping("amy", 0, "2"), groups_of("boss", "3"), groups_of("amy", "4")]);
    let errand = rig.reads.pop_front().unwrap();
    assert_eq!(errand.source, account("amy@h"));
    let failed = rig.parking.fail_to_bring(&mut rig.engine, &errand, None);
    let id = |inbound: &Inbound| if let Inbound::Stanza(stanza) = inbound { stanza.id.clone() } else { None };
    assert_eq!(failed.iter().filter_map(id).collect::<Vec<_>>(), ["1", "4"]);
    rig.is_slow = false;
    let told = rig.settle();
    assert!(["2", "3"].iter().all(|id| told.contains(&format!("id='{id}'"))), "{told}");
    assert!(!told.contains("type='error'") && rig.ask(GROUPS).contains("g0@mix.h"), "{told}");
}

/// What is known of somebody by chance, since somebody else asked, is not when one's own is read.
#[test]
fn what_needs_several_accounts_has_them_read_together() {
    let mut rig = Rig::new();
    rig.groups(2);
    let with = |who: &str, id: &str| {
        let groups = format!("<groups {GROUP} with='boss@h'/>");
        stanza(&format!("<iq type='get' id='{id}' from='{who}@h/r' to='mix.h'>{groups}</iq>"))
    };
    rig.step(vec![with("amy", "first")]);
    // Here it is known which groups `boss` has, and at the next step it is not.
    let told = rig.step(vec![with("kim", "second")]);
    assert!(told.contains("id='first'") && !told.contains("id='second'"), "{told}");
    assert!(rig.step(Vec::new()).contains("id='second'"), "one read is enough");
    assert!(rig.reads.is_empty() && rig.parking.is_empty());
}

/// What happens to an account while it is read is in what it is told, whether the read saw it or not; where the store
/// refuses something meanwhile, it is read again.
#[test]
fn what_changes_while_an_account_is_read_is_laid_over_what_was_read() {
    for (sees, refuses) in [(false, false), (true, false), (false, true)] {
        let mut rig = Rig::new();
        rig.groups(3);
        let banned = "xmlns='http://jabber.org/protocol/pubsub'";
        let node = "node='urn:xmpp:mix:nodes:banned'";
        let to_news = |what: &str| format!("<iq type='set' id='c' from='boss@h/r' to='news@mix.h'>{what}</iq>");
        rig.ask(&format!("<iq type='set' id='c' from='boss@h/r' to='mix.h'><create {CORE} channel='news'/></iq>"));
        rig.ask(&to_news(&format!("<pubsub {banned}><create {node}/></pubsub>")));
        rig.is_slow = true;
        rig.step(vec![groups_of("amy", "1"), channels_of("zoe@h", "2")]);
        let errands: Vec<Errand> = rig.reads.drain(..).collect();
        let read = |rig: &Rig| -> Vec<Loaded> { errands.iter().map(|it| fetch(&rig.store, it).unwrap()).collect() };
        let early = read(&rig);
        let ban = format!("<pubsub {banned}><publish {node}><item id='zoe@h'/></publish></pubsub>");
        let added =
            format!("<create {CORE} channel='g9'><group {GROUP}><name>g</name><member jid='amy@h'/></group></create>");
        for change in [
            format!("<iq type='set' id='c' from='boss@h/r' to='mix.h'>{added}</iq>"),
            format!("<iq type='set' id='c' from='boss@h/r' to='mix.h'><destroy {CORE} channel='g1'/></iq>"),
            to_news(&ban),
        ] {
            let told = rig.step(vec![stanza(&change)]);
            assert!(told.contains("type='result'"), "nobody else waits: {told}");
        }
        if refuses {
            rig.refuses = Some(1);
            let told = rig.step(vec![stanza(&to_news(&ban.replace("zoe", "kim")))]);
            assert!(told.contains("internal-server-error"), "{told}");
            rig.refuses = None;
        }
        let loaded = if sees { read(&rig) } else { early };
        for (errand, loaded) in errands.iter().zip(loaded) {
            rig.parking.bring(&mut rig.engine, errand, loaded);
        }
        // Once it is known whether there is the channel of which something was refused.
        let told = rig.step(Vec::new()) + &rig.step(Vec::new());
        assert_eq!(
            rig.reads.len(),
            if refuses { 2 } else { 0 },
            "what the store refused is not what was noted: {told}"
        );
        rig.is_slow = false;
        let told = told + &rig.settle();
        let answer = |id: &str| told.split("<iq ").find(|iq| iq.contains(&format!("id='{id}'"))).unwrap_or_default();
        let has = |id: &str, channel: &str| answer(id).contains(&format!("'{channel}@mix.h'"));
        assert!(has("1", "g0") && has("1", "g2") && has("1", "g9") && !has("1", "g1"), "{told}");
        assert!(answer("2").contains("disco#items") && !has("2", "news"), "{told}");
    }
}

/// What the service looks up by itself holds up nobody: where somebody is who left a channel.
#[test]
fn what_the_service_asks_itself_is_read_beside_the_loop_too() {
    let mut rig = Rig::new();
    rig.groups(1);
    rig.is_slow = true;
    let leave = format!("<iq type='set' id='1' from='amy@h' to='g0@mix.h'><leave {CORE}/></iq>");
    let told = rig.step(vec![stanza(&leave)]) + &rig.step(vec![ping("boss", 0, "2")]);
    assert!(told.contains("id='1'") && told.contains("id='2'"), "{told}");
    assert!(rig.reads.iter().any(|errand| errand.source == account("mix.h")), "{:?}", rig.reads);
    let told = rig.step(vec![ping("amy", 0, "3"), Inbound::Tick]);
    assert!(told.contains("id='3'"), "{told}");
    assert_eq!(rig.reads.len(), 1, "it is read already");
    rig.is_slow = false;
    rig.settle();
    assert!(rig.reads.is_empty());
}
