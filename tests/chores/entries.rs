//! Whoever enters a room waits for what was said before, and nothing is missed or comes twice.

use super::old_groups;
use super::rig::{CORE, Rig, stanza};
use mixd::engine::{Inbound, Parking};
use mixd::share::OwnDomains;

fn enters(who: &str, inner: &str) -> String {
    format!(
        "<presence from='{who}/muc' to='g0@mix.h/nick'><x xmlns='http://jabber.org/protocol/muc'>{inner}</x></presence>"
    )
}

fn says(text: &str) -> String {
    format!("<message type='groupchat' id='{text}' from='boss@h/r' to='g0@mix.h'><body>{text}</body></message>")
}

/// The sessions' copies of messages, in order, and subjects.
fn shown(sent: &str) -> Vec<String> {
    let room = |stanza: &&str| stanza.contains("from='g0@mix.h") && !stanza.contains("<mix ");
    let stanzas = sent.split("</message>").map(|part| &part[part.find("<message").unwrap_or(part.len())..]);
    let text = |stanza: &str| {
        let body = stanza.split_once("<body>").and_then(|(_, rest)| rest.split_once("</body>"));
        let when = if stanza.contains("<delay ") { "old " } else { "" };
        match body {
            Some((body, _)) => Some(format!("{when}{body}")),
            None => stanza.contains("<subject/>").then(|| "subject".to_owned()),
        }
    };
    stanzas.filter(room).filter_map(text).collect()
}

#[test]
fn history_and_subject_come_first_and_then_what_was_said_meanwhile() {
    for is_cold in [false, true] {
        let mut rig = old_groups();
        if is_cold {
            rig.restart();
        } else {
            rig.ask(&says("warm"));
        }
        let before = if is_cold { vec!["old before", "old now"] } else { vec!["old before", "old now", "old warm"] };
        let before: Vec<&str> = before.into_iter().chain(["old first"]).collect();
        rig.is_slow = true;
        let mut sent = rig.step(vec![stanza(&says("first")), stanza(&enters("amy@h", "")), stanza(&says("second"))]);
        (0..5).for_each(|_| sent += &rig.step(Vec::new()));
        assert!(!sent.contains("<subject/>"), "{sent}");
        sent += &rig.step(vec![stanza(&says("third"))]);
        // Another group goes on.
        sent += &rig.step(vec![stanza(&says("other").replace("g0@", "g1@"))]);
        sent += &rig.step(Vec::new());
        assert!(sent.contains("<body>other</body>") && !sent.contains("<body>second</body>"), "{sent}");
        rig.is_slow = false;
        sent += &rig.settle();
        sent += &rig.ask(&says("last"));
        let expected: Vec<&str> = before.into_iter().chain(["subject", "second", "third", "last"]).collect();
        assert_eq!(shown(&sent), expected, "{sent}");
    }
}

#[test]
fn whoever_asks_for_no_history_waits_for_nothing() {
    let mut rig = old_groups();
    rig.ask(&says("warm"));
    rig.is_slow = true;
    for none in ["maxchars='0'", "maxstanzas='0'", "seconds='0'", "since='2999-01-01T00:00:00Z'"] {
        let sent = rig.step(vec![stanza(&enters("amy@h", &format!("<history {none}/>")))]);
        assert_eq!(shown(&sent), ["subject"], "{none}: {sent}");
    }
}

/// The commit of the entry's turn is refused: it is asked for again, and nothing of the archive is lost.
#[test]
fn an_entry_behind_a_message_whose_commit_is_refused_shows_what_is_stored() {
    let mut rig = old_groups();
    rig.ask(&enters("boss@h", "<history maxchars='0'/>"));
    rig.refuses = Some(1);
    rig.step(vec![stanza(&says("lost"))]);
    rig.refuses = None;
    let sent = rig.ask(&enters("amy@h", ""));
    assert_eq!(shown(&sent), ["old before", "old now", "subject"], "{sent}");
}

/// A room of so many, which its owner makes another one for all of them: that takes turns.
fn changed_room(people: usize) -> (Rig, Inbound) {
    let mut rig = Rig::new();
    rig.ask(&format!("<iq type='set' id='c' from='o@h/r' to='mix.h'><create {CORE} channel='r'/></iq>"));
    let none = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";
    let enter = |n: usize| stanza(&format!("<presence from='x{n}@h/1' to='r@mix.h/x{n}'>{none}</presence>"));
    (0..people).for_each(|n| drop(rig.step(vec![enter(n)])));
    rig.settle();
    let field = "<field var='muc#roomconfig_whois'><value>moderators</value></field>";
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{field}</x>");
    let query = format!("<query xmlns='http://jabber.org/protocol/muc#owner'>{form}</query>");
    (rig, stanza(&format!("<iq type='set' id='f' from='o@h/r' to='r@mix.h'>{query}</iq>")))
}

#[test]
fn whoever_floods_a_room_whose_seats_are_gone_through_waits_in_its_share_and_others_enter() {
    let (mut rig, form) = changed_room(300);
    rig.parking = Parking::new(100, usize::MAX, OwnDomains::new(["h".to_owned()]));
    rig.refused = Some(Vec::new());
    let x = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";
    let flood = |n: usize| stanza(&format!("<presence from='eve@away/{n}' to='r@mix.h/eve'>{x}</presence>"));
    let mut sent = rig.step(std::iter::once(form).chain((0..500).map(flood)).collect());
    let amy = |kind: &str| stanza(&kind.replace("FROM", "from='amy@h/1'"));
    let enters = amy(&format!("<presence FROM to='r@mix.h/amy'>{x}</presence>"));
    let says = amy("<message FROM to='r@mix.h' type='groupchat' id='amy'><body>hello</body></message>");
    // Somebody else is not held up, nor is what the flood sends elsewhere.
    let other = stanza("<message from='x1@h/1' to='r@mix.h' type='groupchat' id='x1'><body>at once</body></message>");
    let ping = stanza("<iq type='get' id='ping' from='eve@away/1' to='mix.h'><ping xmlns='urn:xmpp:ping'/></iq>");
    let now = rig.step(vec![enters, says, other, ping]);
    assert!(now.contains("at once") && now.contains("id='ping'"), "{now}");
    assert!(!now.contains("hello") && !now.contains("amy"), "{now}");
    assert_eq!((rig.deferred.len(), rig.parking.depth().0), (0, 100), "all of them wait in their shares");
    let refused = rig.refused.take().unwrap();
    assert_eq!(refused.len(), 500 + 2 - 100, "the newest of who has most");
    assert!(refused.iter().all(|it| format!("{it:?}").contains("eve")));
    sent.clear();
    let mut turns = 0;
    while !rig.is_idle() {
        sent += &rig.step(Vec::new());
        turns += 1;
    }
    let (entered, said) = (sent.find("r@mix.h/amy'"), sent.find("<body>hello</body>"));
    assert!(entered.is_some() && entered < said, "one behind the other: {entered:?}, {said:?}");
    assert!((3..20).contains(&turns), "{turns}");
}

#[test]
fn what_was_said_is_rendered_once_for_all_who_enter_together_whatever_each_asks_for() {
    let mut rig = Rig::new();
    rig.ask(&format!("<iq type='set' id='c' from='o@h/r' to='mix.h'><create {CORE} channel='r'/></iq>"));
    let enter = |who: &str, history: &str| {
        let x = format!("<x xmlns='http://jabber.org/protocol/muc'>{history}</x>");
        stanza(&format!("<presence from='{who}@h/1' to='r@mix.h/{who}'>{x}</presence>"))
    };
    rig.step(vec![enter("o", "<history maxstanzas='0'/>")]);
    let say =
        |n: usize| format!("<message type='groupchat' id='{n}' from='o@h/1' to='r@mix.h'><body>m{n}</body></message>");
    (0..30).for_each(|n| drop(rig.ask(&say(n))));
    // Nobody asks for the same as whoever comes before it.
    let wish = |n: usize| format!("<history maxstanzas='{}' seconds='{}'/>", 5 + n % 20, 100_000 + n);
    rig.step((0..200).map(|n| enter(&format!("x{n}"), &wish(n))).collect());
    let sent = rig.settle();
    let rendered = |n: usize| sent.matches(&format!("<body>m{n}</body>")).count();
    assert_eq!([0, 5].map(rendered), [0, 0], "nobody asked for these");
    // The first of them is alone in its turn.
    let counts: Vec<usize> = (6..30).map(rendered).collect();
    assert!(
        counts.iter().all(|count| (1..=2).contains(count)) && counts[..19].iter().all(|count| *count == 1),
        "{counts:?}"
    );
    let order: Vec<usize> = (6..30).map(|n| sent.rfind(&format!("<body>m{n}</body>")).unwrap()).collect();
    assert!(order.is_sorted());
}

#[test]
fn whoever_enters_too_often_has_nothing_read_for_it() {
    let (mut rig, _) = changed_room(1);
    let say = "<message type='groupchat' id='1' from='x0@h/1' to='r@mix.h'><body>old</body></message>";
    rig.ask(say);
    let enter = |history: &str| {
        let x = format!("<x xmlns='http://jabber.org/protocol/muc'>{history}</x>");
        stanza(&format!("<presence from='eve@h/1' to='r@mix.h/eve'>{x}</presence>"))
    };
    (0..1000).for_each(|_| drop(rig.step(vec![enter("<history maxstanzas='0'/>")])));
    rig.settle();
    rig.is_slow = true;
    let mut sent = rig.step(vec![enter("")]);
    assert!(rig.reads.iter().all(|errand| errand.wants.backlogs.is_empty()), "{:?}", rig.reads);
    rig.is_slow = false;
    sent += &rig.settle();
    assert!(sent.contains("resource-constraint") && !sent.contains("<body>old</body>"), "{sent}");
    rig.now += 2000;
    sent = rig.step(vec![enter("")]);
    sent += &rig.settle();
    assert!(sent.contains("<body>old</body>"), "{sent}");
}
