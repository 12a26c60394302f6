//! What concerns many channels, and who waits for a channel that is not in memory, for rows of old months or for what is
//! kept of its account: the worker's loop over a store in memory, with reads that take their time.

#![allow(clippy::unwrap_used)]

mod entries;
mod parts;
mod people;
mod rig;

use jid::BareJid;
use mixd::channel::{Actor, Command, GroupCommand};
use mixd::engine::{Addressee, Call, Inbound};
use mixd::store::{PagePlan, Store};
use mixd::xep::Sealer;
use rig::{CORE, GROUP, MEMORY_BYTES_MAX, Rig, stanza};

const CLEAR_ALL: &str = "<iq type='set' id='q' from='amy@h/r' to='mix.h'><clear-all xmlns='urn:mixd:group:1'/></iq>";
const REGISTER: &str = "<iq type='set' id='q' from='amy@h/r' to='mix.h'><register xmlns='urn:xmpp:mix:misc:0'>\
    <nick>Queen</nick></register></iq>";

const MANY: usize = 150;

/// However many channels it concerns, what is in memory stays within its limit and the few channels that are asked for.
#[test]
fn what_an_account_sets_off_everywhere_takes_no_more_memory_than_anything_else() {
    let mut rig = Rig::new();
    rig.groups(MANY);
    for request in [REGISTER, CLEAR_ALL] {
        rig.most_bytes = 0;
        let told = rig.step(vec![stanza(request)]);
        assert!(told.contains("type='result'"), "it is answered at once: {told}");
        rig.settle();
        (0..40).for_each(|_| drop(rig.tick()));
        assert_eq!(rig.tours(), 0, "it comes to its end");
        assert!(rig.most_bytes <= MEMORY_BYTES_MAX, "{} bytes", rig.most_bytes);
    }
    let last = rig.store.load(&[mixd::channel::ChannelName::new("g0").unwrap()]).unwrap().remove(0).unwrap().head().row;
    assert!(rig.records("amy@h", MANY).iter().all(|(cleared, nick)| *cleared == last && nick == "Queen"));
}

#[test]
fn a_crash_between_two_channels_leaves_nothing_half_done() {
    let mut rig = Rig::new();
    rig.groups(MANY);
    rig.step(vec![stanza(CLEAR_ALL)]);
    rig.step(vec![stanza(REGISTER)]);
    (0..20).for_each(|_| drop(rig.step(Vec::new())));
    let done = rig.records("amy@h", MANY).iter().filter(|(cleared, _)| *cleared > 0).count();
    assert!((1..MANY).contains(&done), "{done}");
    rig.restart();
    // Not even where the store refuses much of it.
    rig.refuses = Some(3);
    (0..120).for_each(|_| drop(rig.tick()));
    rig.refuses = None;
    (0..40).for_each(|_| drop(rig.tick()));
    assert_eq!(rig.tours(), 0);
    assert!(rig.records("amy@h", MANY).iter().all(|(cleared, nick)| *cleared > 0 && nick == "Queen"));
}

/// A store that refuses everything is tried once a tick, and not in a circle.
#[test]
fn what_the_store_refuses_is_tried_again_at_the_next_tick() {
    let mut rig = Rig::new();
    rig.groups(MANY);
    rig.step(vec![stanza(CLEAR_ALL)]);
    rig.refuses = Some(1);
    rig.settle();
    for _ in 0..5 {
        let before = rig.turns;
        rig.tick();
        assert!((1..100).contains(&(rig.turns - before)), "{} turns", rig.turns - before);
    }
    rig.refuses = None;
    (0..40).for_each(|_| drop(rig.tick()));
    assert_eq!(rig.tours(), 0);
    assert!(rig.records("amy@h", MANY).iter().all(|(cleared, _)| *cleared > 0));
}

/// To whoever asked it is done at once, and what comes later is not cleared.
#[test]
fn clearing_counts_from_when_it_was_asked() {
    let mut rig = Rig::new();
    rig.groups(MANY);
    let told = rig.step(vec![stanza(CLEAR_ALL)]);
    assert!(told.contains("type='result'"));
    // In a channel whose turn has not come.
    let last = MANY - 1;
    let before = rig.records("amy@h", MANY)[last].0;
    assert_eq!(before, 0);
    rig.say(last, "boss", "after");
    let list = format!("<iq type='get' id='l' from='amy@h/r' to='mix.h'><groups {GROUP}/></iq>");
    let told = rig.ask(&list);
    let unread = |told: &str, n: usize| {
        let own = told.split("<group ").find(|group| group.contains(&format!("'g{n}@mix.h'"))).unwrap_or_default();
        own.split("unread='").nth(1).and_then(|rest| rest.split('\'').next()).unwrap_or_default().to_owned()
    };
    assert_eq!((unread(&told, 0), unread(&told, 1)), ("0".to_owned(), "0".to_owned()), "{told}");
    (0..40).for_each(|_| drop(rig.tick()));
    let head = rig.store.load(&[mixd::channel::ChannelName::new(&format!("g{last}")).unwrap()]).unwrap().remove(0);
    assert_eq!(rig.records("amy@h", MANY)[last].0, head.unwrap().head().row - 1, "the later message stays");
}

/// One with many channels holds up nobody with few.
#[test]
fn everybody_has_its_turn() {
    let mut rig = Rig::new();
    rig.groups(MANY);
    for n in 0..30 {
        let create = format!("<create {CORE} channel='own{n}'><group {GROUP}><name>g</name></group></create>");
        rig.ask(&format!("<iq type='set' id='c' from='p{n}@h/r' to='mix.h'>{create}</iq>"));
    }
    rig.step(vec![stanza(REGISTER)]);
    for n in 0..30 {
        rig.step(vec![stanza(&REGISTER.replace("amy@h", &format!("p{n}@h")).replace("Queen", &format!("Q{n}")))]);
    }
    let mut rounds = 0;
    while rig.store.directory().unwrap().tours.iter().any(|tour| tour.account.as_str() != "amy@h") {
        rig.step(Vec::new());
        if rig.is_idle() {
            rig.now += 1000;
            rig.step(vec![Inbound::Tick]);
        }
        rounds += 1;
        assert!(rounds < 600, "somebody waits for ever");
    }
    (0..40).for_each(|_| drop(rig.tick()));
    assert_eq!(rig.tours(), 0);
}

/// Whoever may not know of a group is answered at once and in order, as where there is none, while the group is not in
/// memory; whoever may waits for it, and is answered in order, too.
#[test]
fn nobody_waits_for_a_channel_that_it_may_not_know_of() {
    let mut rig = Rig::new();
    rig.groups(1);
    rig.restart();
    let ping = |who: &str, to: &str, id: &str| {
        stanza(&format!("<iq type='get' id='{id}' from='{who}@h/r' to='{to}@mix.h'><ping xmlns='urn:xmpp:ping'/></iq>"))
    };
    let join = |to: &str, id: &str| {
        let claim = "<invitation xmlns='urn:xmpp:mix:misc:0'><inviter>boss@h</inviter><invitee>eve@h</invitee>\
            <channel>g0@mix.h</channel><token>ABC</token></invitation>";
        stanza(&format!("<iq type='set' id='{id}' from='eve@h/r' to='{to}@mix.h'><join {CORE}>{claim}</join></iq>"))
    };
    let told = rig.step(vec![
        ping("eve", "g0", "1"),
        ping("eve", "nowhere", "2"),
        join("g0", "3"),
        join("nowhere", "4"),
        ping("amy", "g0", "5"),
    ]);
    let at = |id: &str| told.find(&format!("id='{id}'"));
    let places: Vec<usize> = ["1", "2", "3", "4"].iter().map(|id| at(id).unwrap_or_else(|| panic!("{told}"))).collect();
    assert!(places.is_sorted() && at("5").is_none(), "{told}");
    assert_eq!(told.matches("item-not-found").count(), 4, "{told}");
    assert_eq!(rig.loads.len(), 1, "for the one who is in");
    assert!(rig.settle().contains("id='5'"));
}

/// Two groups with a message of an old month each, and one of the current month.
fn old_groups() -> Rig {
    let mut rig = Rig::new();
    rig.groups(2);
    rig.now += 40 * 86_400_000;
    (0..2).for_each(|n| rig.say(n, "boss", "now"));
    rig
}

impl Rig {
    fn tag(&self, n: usize) -> u64 {
        let name = mixd::channel::ChannelName::new(&format!("g{n}")).unwrap();
        self.store.load(&[name]).unwrap().remove(0).unwrap().profile().tag
    }

    /// The message that was there before, and whether it is retracted.
    fn old_row(&self, n: usize) -> (u64, bool) {
        let tag = self.tag(n);
        let plan = PagePlan {
            tag,
            first: 1,
            last: u64::MAX,
            start: None,
            end: None,
            author: None,
            max: 100,
            from_end: false,
            narrow: Default::default(),
        };
        let page = self.store.page(&plan).unwrap();
        let row = page.rows.iter().find(|row| row.payload.contains("before")).unwrap().number;
        (row, page.tombstones.contains_key(&row))
    }

    fn moderates(&self, n: usize, id: &str) -> Inbound {
        let row = Sealer::new([7; 16]).seal(self.tag(n), self.old_row(n).0);
        stanza(&format!(
            "<iq type='set' id='{id}' from='boss@h/r' to='g{n}@mix.h'><moderate xmlns='urn:xmpp:message-moderate:1' \
             id='{row}'><retract xmlns='urn:xmpp:message-retract:1'/></moderate></iq>"
        ))
    }

    fn calls(&self, n: usize) -> Inbound {
        let actor = Actor { account: BareJid::new("boss@h").unwrap(), operator: false };
        let to = Addressee::Channel(mixd::channel::ChannelName::new(&format!("g{n}")).unwrap());
        let command = Command::Group(GroupCommand::Moderate { row: self.old_row(n).0, reason: None });
        Inbound::Call(Box::new(Call { token: 1, actor, to, command: command.into() }))
    }
}

fn ping(who: &str, n: usize, id: &str) -> Inbound {
    stanza(&format!("<iq type='get' id='{id}' from='{who}@h/r' to='g{n}@mix.h'><ping xmlns='urn:xmpp:ping'/></iq>"))
}

/// The loop reads the state and the current month, and waits for no other: with debug assertions the store fails the test
/// where it does.
#[test]
fn what_names_an_old_row_waits_for_it_and_holds_up_its_own_channel_alone() {
    let mut rig = old_groups();
    rig.is_slow = true;
    let told = rig.step(vec![rig.moderates(0, "1"), ping("amy", 0, "2"), ping("amy", 1, "3"), ping("eve", 0, "4")]);
    assert!(told.contains("id='3'"), "another channel goes on: {told}");
    assert!(told.contains("id='4'") && told.contains("item-not-found"), "nobody learns of it by waiting: {told}");
    assert!(!told.contains("id='1'") && !told.contains("id='2'"), "{told}");
    let told = rig.step(vec![ping("amy", 0, "5"), rig.calls(1), ping("amy", 1, "6")]);
    assert!(!told.contains("id='5'") && !told.contains("id='6'"), "a call makes wait as well: {told}");
    assert_eq!(rig.reads.len(), 2, "one read a channel");
    assert!(!rig.old_row(0).1 && !rig.old_row(1).1);
    rig.is_slow = false;
    let told = rig.settle();
    let at = |id: &str| told.find(&format!("id='{id}'")).unwrap_or_else(|| panic!("{id}: {told}"));
    assert!(at("1") < at("2") && at("2") < at("5"), "in the order in which it came: {told}");
    assert!(!told.contains("type='error'") && at("6") > 0, "{told}");
    assert!(rig.old_row(0).1 && rig.old_row(1).1);
}

#[test]
fn a_read_that_fails_is_told_to_whoever_asked_for_it_alone() {
    let mut rig = old_groups();
    rig.is_slow = true;
    rig.step(vec![rig.moderates(0, "1"), ping("amy", 0, "2"), rig.moderates(1, "3")]);
    let errand = rig.reads.pop_front().unwrap();
    let failed = rig.parking.fail_to_bring(&mut rig.engine, &errand, None);
    let id = |inbound: &Inbound| match inbound {
        Inbound::Stanza(stanza) => stanza.id.clone(),
        _ => None,
    };
    assert_eq!(failed.iter().filter_map(id).collect::<Vec<_>>(), ["1"]);
    rig.is_slow = false;
    let told = rig.settle();
    assert!(told.contains("id='2'") && told.contains("id='3'") && !told.contains("type='error'"), "{told}");
    assert!(!rig.old_row(0).1 && rig.old_row(1).1);
}

/// What one turn changes is known to the next one: of two who take back one message one leaves a mark.
#[test]
fn what_was_read_counts_for_one_turn() {
    let mut rig = old_groups();
    rig.is_slow = true;
    rig.step(vec![rig.moderates(0, "1")]);
    rig.step(vec![rig.moderates(0, "2")]);
    rig.is_slow = false;
    let told = rig.settle();
    assert!(told.find("id='1'") < told.find("id='2'"), "{told}");
    assert_eq!(told.matches("<retract ").count(), 1, "{told}");
}
