//! What an operator does to an account from the command line.

use super::scripted::{DOMAIN, Host, Mixd, Peer};
use super::{mixd_on, told};
use std::path::Path;

/// Words that only bob wrote.
const SECRET: &str = "my-bicycle-is-behind-the-house";
const CORE: &str = "xmlns='urn:xmpp:mix:core:1'";

fn ask(peer: &mut Peer, from: &str, to: &str, id: &str, payload: &str) -> String {
    peer.send(&format!("<iq type='set' id='{id}' from='{from}' to='{to}{DOMAIN}'>{payload}</iq>"));
    peer.answer_to(id)
}

/// Says something, and waits for it to come back: it is stored, and behind it is whatever another account says.
fn say(peer: &mut Peer, from: &str, to: &str, body: &str) {
    peer.send(&format!(
        "<message type='groupchat' id='m-{body}' from='{from}' to='{to}@{DOMAIN}'><body>{body}</body></message>"
    ));
    let (place, said) = (format!("from='{to}@"), format!("<body>{body}</body>"));
    let is_it = |stanza: &str| stanza.contains(&place) && stanza.contains(&said);
    while !is_it(&peer.next_stanza()) {}
}

/// A channel of bob's that alice is in, and a group of alice's that he is in, with words of both.
fn people_talk(peer: &mut Peer) {
    assert!(ask(peer, "bob@example.org/r", "", "1", &format!("<create {CORE} channel='bobs'/>")).contains("result"));
    for who in ["alice", "bob"] {
        let join =
            format!("<join {CORE}><nick>{who}-the-nick</nick><subscribe node='urn:xmpp:mix:nodes:messages'/></join>");
        assert!(ask(peer, &format!("{who}@example.org/r"), "bobs@", &format!("j{who}"), &join).contains("result"));
    }
    let wish =
        "<group xmlns='urn:mixd:group:1'><name>g</name><member jid='bob@example.org' nick='bob-the-nick'/></group>";
    let create = format!("<create {CORE} channel='weekend'>{wish}</create>");
    assert!(ask(peer, "alice@example.org/r", "", "2", &create).contains("result"));
    let register = "<register xmlns='urn:xmpp:mix:misc:0'><nick>bob-registered</nick></register>";
    assert!(ask(peer, "bob@example.org/r", "", "3", register).contains("result"));
    for (who, place) in [("bob", "bobs"), ("bob", "weekend"), ("alice", "bobs"), ("alice", "weekend")] {
        let body = if who == "bob" { SECRET.to_owned() } else { format!("hello-{place}") };
        say(peer, &format!("{who}@example.org/r"), place, &body);
    }
    let read = "<receipt xmlns='urn:mixd:group:1' id='3' state='read'/>";
    assert!(ask(peer, "bob@example.org/r", "weekend@", "4", read).contains("result"));
    assert!(
        ask(peer, "alice@example.org/r", "bobs@", "5", "<setnick xmlns='urn:xmpp:mix:core:1'><nick>a</nick></setnick>")
            .contains("result")
    );
}

/// Whether the bytes of a folder hold some words.
fn holds(folder: &Path, words: &str) -> bool {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if std::fs::read(&path).unwrap().windows(words.len()).any(|part| part == words.as_bytes()) => {
                    return true;
                }
                false => {}
            }
        }
    }
    false
}

#[test]
fn an_account_is_shown_exported_and_erased_and_nothing_is_found_of_it_then() {
    let folder = tempfile::tempdir().unwrap();
    let (host, path) = (Host::start(), folder.path().join("store"));
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    people_talk(&mut peer);

    let shown = mixd_on(&["account", "show", "bob@example.org"], &path);
    let summary: serde_json::Value =
        serde_json::from_slice(&shown.stdout).unwrap_or_else(|_| panic!("{}", told(&shown)));
    assert_eq!(
        (&summary["registered_nick"], summary["channels"].as_array().unwrap().len()),
        (&"bob-registered".into(), 2)
    );
    let exported = mixd_on(&["account", "export", "bob@example.org"], &path);
    let all: serde_json::Value =
        serde_json::from_slice(&exported.stdout).unwrap_or_else(|_| panic!("{}", told(&exported)));
    let text = all.to_string();
    assert!(text.contains(SECRET) && text.contains("\"state\":\"read\""), "{text}");
    assert!(!text.contains("alice") && !text.contains("hello-"), "nothing of others: {text}");

    // It says first what it would do.
    let asked = mixd_on(&["account", "erase", "bob@example.org"], &path);
    assert!(asked.status.code() == Some(1) && told(&asked).contains("only owner of 1"), "{}", told(&asked));
    assert!(
        told(&asked).contains("Nothing was done")
            && told(&mixd_on(&["account", "show", "bob@example.org"], &path)).contains("joined")
    );
    let erased = mixd_on(&["account", "erase", "bob@example.org", "--yes"], &path);
    assert!(erased.status.success() && told(&erased).contains("done"), "{}\n{}", told(&erased), mixd.log());

    // What was told live is not what is asked for.
    peer.drain();
    // Others read on, and see that something was there.
    let page = "<query xmlns='urn:xmpp:mam:2' queryid='q'/>";
    for place in ["bobs", "weekend"] {
        peer.send(&format!(
            "<iq type='set' id='p{place}' from='alice@example.org/r' to='{place}@{DOMAIN}'>{page}</iq>"
        ));
        let answer = peer.read_until("<message", &format!("id='p{place}'"));
        assert!(answer.contains(&format!("hello-{place}")) && answer.contains("<retracted"), "{answer}");
        assert!(
            !answer.contains("bob@example.org") && !answer.contains("bob-the-nick") && !answer.contains(SECRET),
            "{answer}"
        );
    }
    mixd.terminate();
    mixd.wait();
    let output = mixd_on(&["verify"], &path);
    assert!(output.status.success(), "{}", told(&output));
    let output = mixd_on(&["verify", "--account", "bob@example.org"], &path);
    assert!(output.status.success(), "{}", told(&output));
    let output = mixd_on(&["verify", "--account", "alice@example.org"], &path);
    assert_eq!(output.status.code(), Some(65), "who is there is found: {}", told(&output));
    let output = mixd_on(&["compact"], &path);
    assert!(output.status.success(), "{}", told(&output));
    for words in [SECRET, "bob@example.org", "bob-the-nick", "bob-registered"] {
        assert!(!holds(&path, words), "{words} is on the disk");
    }
    assert!(holds(&path, "hello-bobs"), "what others wrote is there");
}

#[test]
fn what_is_asked_while_the_service_does_not_run_is_done_once_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let (host, path) = (Host::start(), folder.path().join("store"));
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    people_talk(&mut host.accept_authenticated());
    mixd.terminate();
    mixd.wait();
    let asked = mixd_on(&["account", "erase", "bob@example.org", "--yes"], &path);
    assert!(asked.status.success() && told(&asked).contains("is noted"), "{}", told(&asked));
    let mut mixd = Mixd::start_in(folder.path(), host.port(), "", &[]);
    let mut peer = host.accept_authenticated();
    mixd.wait_for_log("an account is erased", 1);
    peer.check_alive("alive");
    mixd.terminate();
    mixd.wait();
    let output = mixd_on(&["verify", "--account", "bob@example.org"], &path);
    assert!(output.status.success(), "{}", told(&output));
    let shown = told(&mixd_on(&["account", "show", "alice@example.org"], &path));
    assert!(shown.contains("\"status\": \"joined\"") && shown.contains("\"role\": \"owner\""), "{shown}");
    for wrong in ["nobody", "example.org", "a b@c"] {
        let output = mixd_on(&["account", "end", wrong, "--yes"], &path);
        assert!(output.status.code() == Some(1) && told(&output).contains("no account"), "{}", told(&output));
    }
}
