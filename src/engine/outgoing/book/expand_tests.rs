//! Fan-outs as they cross the link: lists, copies, and where they are cut.

use super::*;
use crate::channel::Node;
use crate::engine::outgoing::outbox::{Audience, Delta, Lasting, ListId, MulticastService, Rank, Reached};
use crate::xep::List;

const LIST: ListId = ListId { tag: 7, list: List::Node(Node::Messages) };

fn home(place: usize) -> HomeNo {
    HomeNo::new(place).unwrap()
}

fn multicast(home: HomeNo, to: &str, addresses_max: usize) -> Delta {
    Delta::Multicast {
        home,
        service: Some(MulticastService { to: to.into(), addresses_max, presence_max: None, as_text: false }),
    }
}

/// Accounts with their addresses, marker and home server.
fn book(accounts: &[(&[&str], bool, Option<usize>)]) -> AddressBook {
    let mut book = AddressBook::default();
    for (place, (addresses, marked, at)) in accounts.iter().enumerate() {
        let no = EntryNo::first(place as u32);
        let reached = Reached::new(addresses.iter().map(|&a| a.into()).collect(), None);
        let entry = BookEntry { reached, marked: *marked, home: at.map(home) };
        book.apply(Delta::Entry { no, entry });
        book.apply(Delta::Added(LIST, (Rank::at(0), no)));
    }
    book
}

fn fan() -> Fan {
    Fan {
        audience: Audience::List(LIST, None),
        head: "<message from='c@m'".into(),
        tail: "><b/></message>".into(),
        groupchat: true,
        presence: false,
        decided: false,
        lasting: Lasting::Row,
        charge: None,
    }
}

fn text(book: &AddressBook, fan: &Fan) -> String {
    let mut out = Vec::new();
    let mut cursor = Cursor::default();
    assert!(book.write(fan, &book.recipients(fan), &mut cursor, usize::MAX, &mut out));
    let text = String::from_utf8(out).unwrap();
    let lists = text.matches("<address ").count();
    assert_eq!(cursor.copies, lists + text.matches(" to='").count() - text.matches("<addresses").count());
    assert_eq!(cursor.used != 0, lists > 0);
    text
}

fn list(to: &str, addresses: &[&str], rest: &str) -> String {
    let addresses: String = addresses.iter().map(|a| format!("<address type='bcc' jid='{a}'/>")).collect();
    format!(
        "<message from='c@m' to='{to}'><addresses xmlns='http://jabber.org/protocol/address'>{addresses}\
         </addresses><b/>{rest}</message>"
    )
}

#[test]
fn recipients_of_one_home_server_share_stanzas_and_the_others_get_copies() {
    let mut book = book(&[
        (&["a@h/1", "a@h/2"], false, Some(0)),
        (&["x@far"], false, None),
        (&["b@h"], true, Some(0)),
        (&["c@h"], true, Some(0)),
        (&["d@i"], false, Some(1)),
        (&[], false, Some(0)),
    ]);
    book.apply(multicast(home(0), "m.h", 20));
    assert_eq!(
        text(&book, &fan()),
        "<message from='c@m' to='x@far'><b/></message><message from='c@m' to='d@i'><b/></message>".to_owned()
            + &list("m.h", &["a@h/1", "a@h/2"], "")
            + &list("m.h", &["b@h", "c@h"], "<mix xmlns=''/>")
    );
    book.apply(multicast(home(1), "m.i", 20));
    assert!(text(&book, &fan()).ends_with(&list("m.i", &["d@i"], "")), "one address is a list, too");
}

#[test]
fn presence_takes_the_way_of_messages_where_the_service_takes_presence() {
    let mut book = book(&[(&["a@h/1"], false, Some(0)), (&["b@h/1"], false, Some(0))]);
    let takes = |presence_max| {
        let service = MulticastService { to: "m.h".into(), addresses_max: 20, presence_max, as_text: false };
        Delta::Multicast { home: home(0), service: Some(service) }
    };
    let presence =
        |tail: &str| Fan { head: "<presence from='c@m/n'".into(), tail: tail.into(), presence: true, ..fan() };
    let with_children = presence("><x/></presence>");
    book.apply(takes(None));
    assert_eq!(
        text(&book, &with_children),
        "<presence from='c@m/n' to='a@h/1'><x/></presence><presence from='c@m/n' to='b@h/1'><x/></presence>"
    );
    book.apply(takes(Some(1)));
    let list = |to: &str, rest: &str| {
        format!(
            "<presence from='c@m/n' to='m.h'><addresses xmlns='http://jabber.org/protocol/address'>\
             <address type='bcc' jid='{to}'/></addresses>{rest}</presence>"
        )
    };
    assert_eq!(text(&book, &with_children), list("a@h/1", "<x/>") + &list("b@h/1", "<x/>"));
    assert_eq!(text(&book, &presence("/>")), list("a@h/1", "") + &list("b@h/1", ""));
}

#[test]
fn a_list_ends_where_the_service_takes_no_more() {
    let names: Vec<String> = (0..7).map(|n| format!("u{n}@h")).collect();
    let single: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
    let accounts: Vec<(&[&str], bool, Option<usize>)> = single.iter().map(|a| (&a[..], false, Some(0))).collect();
    let mut book = book(&accounts);
    book.apply(multicast(home(0), "m.h", 3));
    assert_eq!(
        text(&book, &fan()),
        list("m.h", &["u0@h", "u1@h", "u2@h"], "")
            + &list("m.h", &["u3@h", "u4@h", "u5@h"], "")
            + &list("m.h", &["u6@h"], "")
    );
}

#[test]
fn a_list_does_not_grow_beyond_what_a_host_server_takes_in_one_stanza() {
    let name = format!("{}@h", "x".repeat(900));
    let addresses: Vec<&str> = (0..300).map(|_| name.as_str()).collect();
    let mut book = book(&[(&addresses, false, Some(0))]);
    book.apply(multicast(home(0), "m.h", 5000));
    let text = text(&book, &fan());
    assert!(text.split_inclusive("</message>").all(|stanza| stanza.len() < LIST_BYTES + 2000));
    assert_eq!(text.matches("<address ").count(), 300);
}

#[test]
fn everybody_gets_it_once_wherever_it_is_cut_and_the_service_stops() {
    let names: Vec<String> = (0..40).map(|n| format!("u{n}@h")).collect();
    let single: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
    let accounts: Vec<(&[&str], bool, Option<usize>)> =
        single.iter().enumerate().map(|(n, a)| (&a[..], n % 3 == 0, (n % 4 > 0).then_some(n % 2))).collect();
    let fan = fan();
    for stops_after in 0..30 {
        let mut book = book(&accounts);
        book.apply(multicast(home(0), "m.h", 3));
        book.apply(multicast(home(1), "m.i", 4));
        let (recipients, mut cursor, mut all) = (book.recipients(&fan), Cursor::default(), Vec::new());
        for part in 0.. {
            if part == stops_after {
                assert_eq!(book.stop_multicast("m.h"), 1);
            }
            let mut block = Vec::new();
            let done = book.write(&fan, &recipients, &mut cursor, 1, &mut block);
            all.extend(block);
            if done {
                break;
            }
        }
        let all = String::from_utf8(all).unwrap();
        for name in &names {
            assert_eq!(all.matches(&format!("'{name}'")).count(), 1, "{name} after {stops_after}: {all}");
        }
        assert_eq!(cursor.copies, 40);
    }
}

#[test]
fn a_service_that_is_gone_means_copies() {
    let mut book = book(&[(&["a@h"], false, Some(0)), (&["b@h"], false, Some(0))]);
    book.apply(multicast(home(0), "m.h", 20));
    book.apply(Delta::Multicast { home: home(0), service: None });
    assert!(!text(&book, &fan()).contains("addresses"));
    assert_eq!((book.multicast_of(home(0)), book.multicast_of(home(1))), (Some("m.h"), None));
}

#[test]
fn a_service_that_takes_addresses_as_one_text_gets_them_so() {
    let mut book = book(&[(&["a@h/1", "b&amp;c@h/2"], false, Some(0)), (&["d@h"], true, Some(0))]);
    let service = MulticastService { to: "h".into(), addresses_max: 20, presence_max: None, as_text: true };
    book.apply(Delta::Multicast { home: home(0), service: Some(service) });
    let list = |addresses: &str, rest: &str| {
        format!(
            "<message from='c@m' to='h'><addresses xmlns='http://jabber.org/protocol/address'>\
             <list xmlns='urn:mixd:multicast:list:0'>{addresses}</list></addresses><b/>{rest}</message>"
        )
    };
    let (mut out, mut cursor, fan) = (Vec::new(), Cursor::default(), fan());
    assert!(book.write(&fan, &book.recipients(&fan), &mut cursor, usize::MAX, &mut out));
    let expected = list("a@h/1\tb&amp;c@h/2", "") + &list("d@h", "<mix xmlns=''/>");
    assert_eq!((String::from_utf8(out).unwrap(), cursor.copies), (expected, 3));
}
