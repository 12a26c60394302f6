//! What is kept of long lists, so that nobody walks over them again, says what the store says.

use crate::table::setting::{CORE, configure, create, iq, join, list, pubsub};
use crate::table::world::{Sent, World};
use mixd::engine::Out;
use mixd::xmpp::ns;
use rand::{Rng, SeedableRng, rngs::StdRng};

/// More than are looked up each time.
const CHANNELS: usize = 90;

/// What somebody is answered.
fn answer(world: &mut World, xml: &str) -> String {
    let sent = world.send(&Sent::Stanza(xml.to_owned()));
    let text = |out: &Out| match out {
        Out::Stanza(text) => Some(text.clone()),
        _ => None,
    };
    sent.iter().find_map(text).expect("there is an answer")
}

/// Something that changes what somebody of a domain finds, or is in.
fn event(dice: &mut StdRng) -> String {
    let n = dice.random_range(0..CHANNELS);
    let (name, address) = (format!("c{n:02}"), format!("c{n:02}@mix.h"));
    let (who, of) = (["joe@far.example/r", "zoe@far.example/r"], ["far.example", "joe@far.example", "zoe@far.example"]);
    let (who, of) = (who[dice.random_range(0..2)], of[dice.random_range(0..3)]);
    let node = [ns::NODE_BANNED, ns::NODE_ALLOWED][dice.random_range(0..2)];
    let verb = ["publish", "retract"][dice.random_range(0..2)];
    let made = ["create", "delete"][dice.random_range(0..2)];
    let owned = |payload: String| iq("set", "own@h/r", &address, &payload);
    match dice.random_range(0..12) {
        0..=4 => join(who, &name, ""),
        5 => iq("set", who, &address, &format!("<leave {CORE}/>")),
        6 | 7 => owned(list(verb, node, of)),
        8 => owned(pubsub(&format!("<{made} node='{node}'/>"))),
        9 => iq("set", "own@h/r", "mix.h", &format!("<destroy {CORE} channel='{name}'/>")),
        10 => owned(configure(&[("Messages Node Subscription", &["anyone".to_owned()])])),
        _ => create("own@h/r", &name),
    }
}

#[test]
fn what_is_kept_of_channels_agrees_with_the_store() {
    let mut world = World::empty(0);
    let mut dice = StdRng::seed_from_u64(4);
    world.fill((0..CHANNELS).map(|n| create("own@h/r", &format!("c{n:02}"))));
    for node in [ns::NODE_BANNED, ns::NODE_ALLOWED] {
        let of =
            |n: usize| iq("set", "own@h/r", &format!("c{n:02}@mix.h"), &pubsub(&format!("<create node='{node}'/>")));
        world.fill((0..CHANNELS).step_by(3).map(of));
    }
    for name in ["joe", "zoe"] {
        let come = |n| join(&format!("{name}@far.example/r"), &format!("c{n:02}"), "");
        (0..CHANNELS).for_each(|n| drop(world.send(&Sent::Stanza(come(n)))));
    }
    let set = |more: &str| format!("<set xmlns='{}'><max>7</max>{more}</set>", ns::RSM);
    let mut found = 0;
    for round in 0..240 {
        world.send(&Sent::Stanza(event(&mut dice)));
        if round % 3 > 0 {
            continue;
        }
        let (who, at) = (["joe", "zoe"][dice.random_range(0..2)], dice.random_range(0..CHANNELS));
        let slices = [String::new(), set(""), set("<before/>"), set(&format!("<after>c{at:02}@mix.h</after>"))];
        let slice = &slices[dice.random_range(0..slices.len())];
        let with = format!("<groups xmlns='{}' with='own@h'>{slice}</groups>", ns::GROUP);
        let groups = format!("<groups xmlns='{}'>{slice}</groups>", ns::GROUP);
        let items = format!("<query xmlns='{}'>{slice}</query>", ns::DISCO_ITEMS);
        for payload in [items, groups, with] {
            let asked = iq("get", &format!("{who}@far.example/r"), "mix.h", &payload);
            let (told, known) = (answer(&mut world, &asked), answer(&mut world.begun_anew(), &asked));
            assert_eq!(told, known, "round {round}");
            found += told.matches("<item").count();
        }
    }
    assert!(found > 1000, "{found}");
}
