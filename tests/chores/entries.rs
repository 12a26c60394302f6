//! Whoever enters a room waits for what was said before, and nothing is missed or comes twice.

use super::old_groups;
use super::rig::stanza;

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
