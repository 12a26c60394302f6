//! What concerns many people, and what comes for a channel while it is done in parts.

use super::rig::{CORE, GROUP, Rig, stanza};
use super::{old_groups, ping};
use mixd::channel::{ChannelName, Rate, Rates};
use mixd::store::Store;

/// How many an act concerns whom it does not name.
const CROWD: usize = 200;
/// How many of them go with one decision.
const PART_MAX: usize = 20;
/// What a turn puts down of one person, and of what a turn puts down besides.
const RECORDS_OF_ONE: usize = 3;
const RECORDS_BESIDES: usize = 12;

/// A plain channel `hall` of `boss@h`, with so many of another domain in it, as many guests, and `amy@h`.
fn crowded() -> Rig {
    let mut rig = Rig::new();
    let join = |who: &str| {
        let nodes = ["messages", "participants"].map(|node| format!("<subscribe node='urn:xmpp:mix:nodes:{node}'/>"));
        format!("<iq type='set' id='j' from='{who}/r' to='hall@mix.h'><join {CORE}>{}</join></iq>", nodes.concat())
    };
    rig.ask(&format!("<iq type='set' id='c' from='boss@h/r' to='mix.h'><create {CORE} channel='hall'/></iq>"));
    rig.ask(&configured(&[("Messages Node Subscription", "anyone")]));
    ["boss@h", "amy@h"].iter().for_each(|who| drop(rig.ask(&join(who))));
    for n in 0..CROWD {
        rig.ask(&join(&format!("u{n}@crowd.example")));
        let jid = format!("g{n}@h");
        let subscribe = format!("<subscribe node='urn:xmpp:mix:nodes:messages' jid='{jid}'/>");
        rig.ask(&pubsub(&format!("{jid}/r"), &subscribe));
    }
    rig
}

fn pubsub(from: &str, inner: &str) -> String {
    let pubsub = format!("<pubsub xmlns='http://jabber.org/protocol/pubsub'>{inner}</pubsub>");
    format!("<iq type='set' id='p' from='{from}' to='hall@mix.h'>{pubsub}</iq>")
}

fn configured(fields: &[(&str, &str)]) -> String {
    let field = |(var, value): &(&str, &str)| format!("<field var='{var}'><value>{value}</value></field>");
    let form: String = fields.iter().map(field).collect();
    let item = format!("<item><x xmlns='jabber:x:data' type='submit'>{form}</x></item>");
    pubsub("boss@h/r", &format!("<publish node='urn:xmpp:mix:nodes:config'>{item}</publish>"))
}

fn ban_domain() -> String {
    let ban = "<item id='crowd.example'/>";
    pubsub("boss@h/r", &format!("<publish node='urn:xmpp:mix:nodes:banned'>{ban}</publish>"))
}

/// How many are in `hall`, and how many guests it has.
fn people(rig: &Rig) -> (usize, usize) {
    let name = ChannelName::new("hall").unwrap();
    let hall = rig.store.load(&[name]).unwrap().remove(0).unwrap();
    (hall.participant_count(), hall.guests().count())
}

/// Some of those whom an act concerns go with each turn, and others are served between. In the channel nothing else happens
/// before it is done.
#[test]
fn what_concerns_many_people_is_done_in_parts_and_what_comes_for_the_channel_waits() {
    let make = pubsub("boss@h/r", "<create node='urn:xmpp:mix:nodes:banned'/>");
    let close = configured(&[("Messages Node Subscription", "participants")]);
    for (act, left) in [(ban_domain(), (2, CROWD)), (close, (CROWD + 2, 0))] {
        let mut rig = crowded();
        rig.ask(&make);
        let say = |who: &str, id: &str| {
            let body = "<body>after</body>";
            stanza(&format!("<message type='groupchat' id='{id}' from='{who}/r' to='hall@mix.h'>{body}</message>"))
        };
        let ping = |id: &str| {
            let ping = "<ping xmlns='urn:xmpp:ping'/>";
            stanza(&format!("<iq type='get' id='{id}' from='amy@h/r' to='mix.h'>{ping}</iq>"))
        };
        // With it come those who speak after it, one of whom it has go.
        let mut told = rig.step(vec![stanza(&act), say("boss@h", "m1"), say("u199@crowd.example", "m2")]);
        let mut turns = 0;
        loop {
            assert!(rig.changes <= PART_MAX * RECORDS_OF_ONE + RECORDS_BESIDES, "{} records", rig.changes);
            if told.contains("id='p'") || rig.is_idle() {
                break;
            }
            assert!(!told.contains("after"), "nobody speaks in between: {told}");
            told = rig.step(vec![ping("q"), say("amy@h", &format!("n{turns}"))]);
            assert!(told.contains("id='q'"), "others are served");
            turns += 1;
        }
        let parts = CROWD.div_ceil(PART_MAX);
        assert!((parts - 1..=2 * parts).contains(&turns), "{turns} turns");
        told += &rig.settle();
        assert_eq!(people(&rig), left);
        let places: Vec<usize> = told.match_indices("<body>after").map(|(at, _)| at).collect();
        let is_banned = left.0 == 2;
        assert_eq!(places.len(), turns + if is_banned { 1 } else { 2 }, "everybody else is heard: {told:.3000}");
        assert_eq!(told.contains("type='error'"), is_banned, "{told:.3000}");
    }
}

/// Where the store refuses some of it, or the process ends, whoever asked learns nothing else, and asks again.
#[test]
fn what_is_done_in_part_comes_to_its_end_whatever_happens() {
    let mut rig = crowded();
    rig.ask(&pubsub("boss@h/r", "<create node='urn:xmpp:mix:nodes:banned'/>"));
    rig.refuses = Some(3);
    rig.turns = 0;
    let told = rig.ask(&ban_domain());
    assert!(told.contains("internal-server-error") && !told.contains("type='result'"), "{told:.3000}");
    let (some, _) = people(&rig);
    assert!((3..CROWD).contains(&some), "{some} are left");
    rig.refuses = None;
    rig.step(vec![stanza(&ban_domain())]);
    rig.step(Vec::new());
    rig.restart();
    let (fewer, _) = people(&rig);
    assert!((3..some).contains(&fewer), "{fewer} are left");
    let told = rig.ask(&ban_domain());
    assert!(told.contains("type='result'"), "{told:.3000}");
    assert_eq!(people(&rig).0, 2);
    // And it is whole: nobody of it comes back.
    let join = format!("<iq type='set' id='j' from='u1@crowd.example/r' to='hall@mix.h'><join {CORE}/></iq>");
    assert!(rig.ask(&join).contains("type='error'"));
}

/// Adds so many of another domain to `g0`.
fn gather(rig: &mut Rig) {
    for some in (0..CROWD).collect::<Vec<_>>().chunks(36) {
        let add: String = some.iter().map(|n| format!("<add jid='u{n}@crowd.example'/>")).collect();
        let members = format!("<members {GROUP}>{add}</members>");
        let told = rig.ask(&format!("<iq type='set' id='a' from='boss@h/r' to='g0@mix.h'>{members}</iq>"));
        assert!(told.contains("type='result'"), "{told:.3000}");
    }
}

/// What waits for rows of an old month when something in its channel begins to be done in parts waits for that as well, and
/// goes on then, in order.
#[test]
fn what_waits_for_a_read_waits_for_what_is_done_in_parts_as_well() {
    let mut rig = old_groups();
    rig.restart_with_room();
    gather(&mut rig);
    let ban = ban_domain().replace("to='hall@mix.h'", "to='g0@mix.h'");
    // The read comes back at once, and after the first part.
    for is_slow in [false, true] {
        rig.is_slow = is_slow;
        let mut told = rig.step(vec![stanza(&ban), rig.moderates(0, "f"), ping("amy", 0, "q")]);
        for _ in 0..3 {
            told += &rig.step(Vec::new());
        }
        rig.is_slow = false;
        for _ in 0..100 {
            told += &rig.step(Vec::new());
        }
        assert!(rig.is_idle(), "something waits for ever: {told:.3000}");
        let at = |id: &str| told.find(&format!("id='{id}'")).unwrap_or_else(|| panic!("{id}: {told:.3000}"));
        assert!(at("p") < at("f") && at("f") < at("q"), "{told:.3000}");
        if !is_slow {
            let lift = "<retract node='urn:xmpp:mix:nodes:banned'><item id='crowd.example'/></retract>";
            rig.ask(&pubsub("boss@h/r", lift).replace("to='hall@mix.h'", "to='g0@mix.h'"));
            gather(&mut rig);
        }
    }
}

/// Whoever asks is let in once, and charged for everybody whom it names once, in however many parts that is done.
#[test]
fn whoever_adds_many_is_charged_for_each_of_them_once() {
    let invitations = Rate { per_s: 1, burst: 45 };
    let mut rig = Rig::at(Rates { invitations, ..Rates::unlimited() });
    let group = format!("<group {GROUP}><name>Late</name></group>");
    let create = format!("<create {CORE} channel='g0'>{group}</create>");
    rig.ask(&format!("<iq type='set' id='c' from='boss@h/r' to='mix.h'>{create}</iq>"));
    let mut add = |people: std::ops::Range<usize>| {
        let add: String = people.map(|n| format!("<add jid='u{n}@crowd.example'/>")).collect();
        rig.ask(&format!("<iq type='set' id='a' from='boss@h/r' to='g0@mix.h'><members {GROUP}>{add}</members></iq>"))
    };
    let told = add(0..36);
    assert!(told.contains("type='result'") && told.contains("u35@crowd.example"), "{told:.3000}");
    assert!(add(36..60).contains("type='error'"), "it may add nine more, and one for each second");
    let told = add(36..44);
    assert!(told.contains("type='result'"), "{told:.3000}");
}

const GRANT: &str = "<message from='h' to='mix.h'><privilege xmlns='urn:xmpp:privilege:2'>\
    <perm access='roster' type='set'/></privilege></message>";

/// A channel `hall` of `boss@h` and so many others of this domain, whose host server has it change rosters.
fn in_rosters() -> Rig {
    let mut rig = Rig::new();
    rig.ask(GRANT);
    rig.ask(&create());
    (0..CROWD).for_each(|n| drop(rig.ask(&join(n))));
    rig
}

fn create() -> String {
    format!("<iq type='set' id='c' from='boss@h/r' to='mix.h'><create {CORE} channel='hall'/></iq>")
}

fn join(n: usize) -> String {
    format!("<iq type='set' id='j' from='u{n}@h/r' to='hall@mix.h'><join {CORE}/></iq>")
}

const DESTROY: &str =
    "<iq type='set' id='d' from='boss@h/r' to='mix.h'><destroy xmlns='urn:xmpp:mix:core:1' channel='hall'/></iq>";

/// Whom a host server is told to take the channel out of whose roster, in order.
fn left(told: &str) -> Vec<&str> {
    let parts = told.split("subscription='remove'");
    let all: Vec<&str> = parts.collect();
    all[..all.len() - 1].iter().filter_map(|before| before.rsplit(" to='").next()?.split('\'').next()).collect()
}

#[test]
fn the_end_of_a_channel_leaves_rosters_some_at_a_time_once_it_is_committed() {
    let mut rig = in_rosters();
    let mut told = rig.step(vec![stanza(DESTROY)]);
    if !told.contains("id='d'") {
        // The channel was not in memory.
        told = rig.step(Vec::new());
    }
    assert!(told.contains("id='d'") && left(&told).is_empty(), "{told:.2000}");
    let (mut all, mut turns) = (Vec::new(), 0);
    while !rig.is_idle() {
        let told = rig.step(Vec::new());
        assert!(left(&told).len() <= 64, "{}", left(&told).len());
        all.extend(left(&told).into_iter().map(str::to_owned));
        turns += 1;
    }
    assert!((4..13).contains(&turns), "{turns} turns");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), CROWD, "each once");
}

#[test]
fn an_end_that_is_refused_leaves_no_roster_and_whoever_is_in_the_next_channel_stays_in_its() {
    let mut rig = in_rosters();
    rig.refuses = Some(1);
    let told = rig.ask(DESTROY);
    assert!(told.contains("internal-server-error") && left(&told).is_empty(), "{told:.2000}");
    rig.refuses = None;
    // Another one of the name, with one of its people, comes before the rosters of the first are left.
    rig.step(vec![stanza(DESTROY)]);
    let mut told = rig.step(vec![stanza(&create()), stanza(&join(7))]);
    told += &rig.settle();
    let all = left(&told);
    assert_eq!(all.len(), CROWD - 1);
    assert!(!all.contains(&"u7@h"));
}
