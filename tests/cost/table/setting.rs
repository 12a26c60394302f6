//! What the service holds: so many people, rows, entries of lists, channels and nicks, of each kind.

use super::world::{Sent, World};
use jid::BareJid;
use mixd::channel::{ChannelName, GroupWish, Membership, ServiceCommand};
use mixd::engine::Addressee;
use mixd::xmpp::ns;

pub const CORE: &str = "xmlns='urn:xmpp:mix:core:1'";
/// People whom one request may add.
const NAMED_MAX: usize = 36;
/// Guests whom a channel has room for.
const GUESTS_MAX: usize = 1000;
/// The domain of everybody in `fair`.
pub const CROWD: &str = "crowd.example";
pub const FAR: &str = "far.example";

pub fn iq(type_: &str, from: &str, to: &str, payload: &str) -> String {
    format!("<iq type='{type_}' id='i' from='{from}' to='{to}'>{payload}</iq>")
}

pub fn create(who: &str, name: &str) -> String {
    iq("set", who, "mix.h", &format!("<create {CORE} channel='{name}'/>"))
}

pub fn join(who: &str, channel: &str, nick: &str) -> String {
    let nodes =
        ["messages", "participants", "info"].map(|node| format!("<subscribe node='urn:xmpp:mix:nodes:{node}'/>"));
    let nick = if nick.is_empty() { String::new() } else { format!("<nick>{nick}</nick>") };
    iq("set", who, &format!("{channel}@mix.h"), &format!("<join {CORE}>{}{nick}</join>", nodes.concat()))
}

pub fn pubsub(inner: &str) -> String {
    format!("<pubsub xmlns='{}'>{inner}</pubsub>", ns::PUBSUB)
}

/// A form for a channel's configuration node.
pub fn configure(fields: &[(&str, &[String])]) -> String {
    let field = |(var, values): &(&str, &[String])| {
        let values: String = values.iter().map(|value| format!("<value>{value}</value>")).collect();
        format!("<field var='{var}'>{values}</field>")
    };
    let fields: String = fields.iter().map(field).collect();
    let form = format!("<x xmlns='jabber:x:data' type='submit'>{fields}</x>");
    pubsub(&format!("<publish node='{}'><item>{form}</item></publish>", ns::NODE_CONFIG))
}

pub fn list(verb: &str, node: &str, jid: &str) -> String {
    pubsub(&format!("<{verb} node='{node}'><item id='{jid}'/></{verb}>"))
}

pub fn say(who: &str, channel: &str, id: &str, more: &str) -> String {
    format!(
        "<message type='groupchat' from='{who}' to='{channel}@mix.h' id='{id}'><body>Double, double toil</body>\
         <origin-id xmlns='{}' id='{id}'/>{more}</message>",
        ns::SID
    )
}

/// A service that holds `size` of everything.
pub fn filled(size: usize) -> World {
    let mut world = World::empty(size);
    fill_hall(&mut world);
    fill_others(&mut world);
    fill_groups(&mut world);
    fill_service(&mut world);
    fill_watchers(&mut world);
    fill_absent(&mut world);
    fill_porch(&mut world);
    world
}

/// `nook`: everybody is a member of it, and in no way there; who is mentioned is told of that.
fn fill_absent(world: &mut World) {
    world.fill([create("own@h/r", "nook"), join("own@h/r", "nook", "")]);
    let form = |fields: &str| format!("<x xmlns='{}' type='submit'>{fields}</x>", ns::FORM);
    let field = |var: &str, value: &str| format!("<field var='muc#{var}'><value>{value}</value></field>");
    let forward = form(&field("roomconfig_forwardmentions", "1"));
    let forward = format!("<query xmlns='{}'>{forward}</query>", ns::MUC_OWNER);
    let of_type = format!("<field var='FORM_TYPE'><value>{}</value></field>", ns::MUC_REGISTER);
    let nick = |n| form(&[&*of_type, &field("register_roomnick", &format!("nick {n}"))].concat());
    let register = |n| format!("<query xmlns='{}'>{}</query>", ns::REGISTER, nick(n));
    world.fill([iq("set", "own@h/r", "nook@mix.h", &forward)]);
    world.fill((0..world.size).map(|n| iq("set", &format!("p{n}@h/r"), "nook@mix.h", &register(n))));
}

/// `porch`: a room that as many sit in by clients of rooms, of whom those who moderate are shown alone; and Ann is there by MIX.
fn fill_porch(world: &mut World) {
    world.fill([create("own@h/r", "porch"), join("own@h/r", "porch", "own"), join("p1@h/r", "porch", "ann")]);
    let field = "<field var='muc#roomconfig_presencebroadcast'><value>moderator</value></field>";
    let form = format!("<x xmlns='{}' type='submit'>{field}</x>", ns::FORM);
    let shows_few = format!("<query xmlns='{}'>{form}</query>", ns::MUC_OWNER);
    world.fill([iq("set", "own@h/r", "porch@mix.h", &shows_few)]);
    world.fill((0..world.size).map(|n| sits(&format!("u{n}"))));
}

/// Somebody enters `porch`, or enters it anew.
pub fn sits(who: &str) -> String {
    let x = format!("<x xmlns='{}'><history maxstanzas='0'/></x>", ns::MUC);
    format!("<presence from='{who}@h/r' to='porch@mix.h/{who}'>{x}</presence>")
}

/// Everybody of `fair` is to be told of activity there, by one more client.
fn fill_watchers(world: &mut World) {
    let watch = |n| format!("<presence from='c{n}@{CROWD}/far' to='mix.h'><rai xmlns='{}'/></presence>", ns::RAI);
    world.fill((0..world.size).map(watch));
}

/// `hall`: a plain channel of many people, many of them admins, with as many who are banned, guests, and messages; the first
/// two messages were corrected as often, and a nick is taken with every number behind it. `shop`: as many guests alone.
fn fill_hall(world: &mut World) {
    let size = world.size;
    let all = 0..size;
    world.fill([create("own@h/r", "hall"), join("own@h/r", "hall", "")]);
    let admins: Vec<String> = (0..size / 10).map(|n| format!("p{n}@h")).collect();
    let anyone = ["anyone".to_owned()];
    let open = configure(&[("Administrator", &admins), ("Messages Node Subscription", &anyone)]);
    world.fill([iq("set", "own@h/r", "hall@mix.h", &open)]);
    let nick = |n| if n == 0 { "ann".to_owned() } else { format!("ann {}", n + 1) };
    world.fill(all.clone().map(|n| join(&format!("p{n}@h/r"), "hall", &nick(n))));
    let banned = pubsub(&format!("<create node='{}'/>", ns::NODE_BANNED));
    world.fill([iq("set", "own@h/r", "hall@mix.h", &banned)]);
    let ban = |n| list("publish", ns::NODE_BANNED, &format!("b{n}@h"));
    world.fill(all.clone().map(|n| iq("set", "own@h/r", "hall@mix.h", &ban(n))));
    let subscribe = |n| pubsub(&format!("<subscribe node='{}' jid='g{n}@h'/>", ns::NODE_MESSAGES));
    let guests = all.clone().take(GUESTS_MAX);
    world.fill(guests.clone().map(|n| iq("set", &format!("g{n}@h/r"), "hall@mix.h", &subscribe(n))));
    world.fill([create("own@h/r", "shop"), join("own@h/r", "shop", "")]);
    let open = configure(&[("Messages Node Subscription", &anyone)]);
    world.fill([iq("set", "own@h/r", "shop@mix.h", &open)]);
    world.fill(guests.map(|n| iq("set", &format!("g{n}@h/r"), "shop@mix.h", &subscribe(n))));
    world.fill(all.clone().map(|n| say(&format!("p{n}@h/r"), "hall", &format!("m{n}"), "")));
    for (n, row) in [1, 2].into_iter().enumerate() {
        let replace = format!("<replace xmlns='{}' id='{}'/>", ns::CORRECT, world.row("hall", row));
        world.fill(all.clone().map(|k| say(&format!("p{n}@h/r"), "hall", &format!("k{k}"), &replace)));
    }
}

/// `club`: who may join is on a list, and as many are invited. `mask`: JIDs are hidden. `talk`: one person and as many
/// messages. `yard`: a tenth of the people, who share their presence. `fair`: all but the owner are of one other domain.
fn fill_others(world: &mut World) {
    let size = world.size;
    let all = 0..size;
    for name in ["club", "mask", "yard", "fair", "talk"] {
        world.fill([create("own@h/r", name), join("own@h/r", name, "")]);
    }
    let hidden = configure(&[("JID Visibility", &["jid-hidden".to_owned()])]);
    world.fill([iq("set", "own@h/r", "mask@mix.h", &hidden)]);
    world.fill(all.clone().map(|n| join(&format!("p{n}@h/r"), "mask", &format!("nick {n}"))));
    world.fill(all.clone().map(|n| join(&format!("c{n}@{CROWD}/r"), "fair", &format!("nick {n}"))));
    let allowed = pubsub(&format!("<create node='{}'/>", ns::NODE_ALLOWED));
    world.fill([iq("set", "own@h/r", "club@mix.h", &allowed)]);
    let allow = |n| list("publish", ns::NODE_ALLOWED, &format!("p{n}@h"));
    world.fill(all.clone().map(|n| iq("set", "own@h/r", "club@mix.h", &allow(n))));
    let invite = |n| format!("<invite xmlns='{}'><invitee>i{n}@h</invitee></invite>", ns::MIX_MISC);
    world.fill(all.map(|n| iq("set", "own@h/r", "club@mix.h", &invite(n))));
    world.fill((0..size).map(|n| say("own@h/r", "talk", &format!("o{n}"), "")));
    let few = 0..size / 10;
    world.fill(few.clone().map(|n| join(&format!("p{n}@h/r"), "yard", "")));
    world.fill(few.map(|n| format!("<presence from='p{n}@h/r' to='yard@mix.h'><show>away</show></presence>")));
}

/// `team`: a group of many people with many messages, all of them read. `bell`: one whose
/// people are told by notices. `wait` and `last`: two that as many wait for.
fn fill_groups(world: &mut World) {
    let size = world.size;
    let wish = GroupWish {
        name: ChannelName::new("bell"),
        subject: "Bell".into(),
        membership: Some(Membership::Auto),
        notices: true,
        ..GroupWish::default()
    };
    world.send(&Sent::Call(
        BareJid::new("own@h").unwrap(),
        Addressee::Service,
        ServiceCommand::CreateGroup(wish).into(),
    ));
    for (name, membership) in [("team", "auto"), ("bell", ""), ("wait", "invite"), ("last", "invite")] {
        let group = format!("<group xmlns='{}' membership='{membership}'><name>Team</name></group>", ns::GROUP);
        let create = format!("<create {CORE} channel='{name}'>{group}</create>");
        if !membership.is_empty() {
            world.fill([iq("set", "own@h/r", "mix.h", &create)]);
        }
        let all: Vec<String> = (0..size).map(|n| format!("<add jid='p{n}@h'/>")).collect();
        let some = |some: &[String]| format!("<members xmlns='{}'>{}</members>", ns::GROUP, some.concat());
        let add = all.chunks(NAMED_MAX).map(some);
        world.fill(add.map(|add| iq("set", "own@h/r", &format!("{name}@mix.h"), &add)));
    }
    let admins: String = (0..size / 10).map(|n| format!("<add jid='p{}@h'/>", size - 1 - n)).collect();
    let admins = format!("<admins xmlns='{}'>{admins}</admins>", ns::GROUP);
    world.fill([iq("set", "own@h/r", "team@mix.h", &admins)]);
    world.fill((0..size).map(|n| say(&format!("p{n}@h/r"), "team", &format!("t{n}"), "")));
    let newest = world.head("team");
    world.said = newest + 1 - size as u64;
    let read = |row: u64| format!("<receipt xmlns='{}' state='read' id='{}'/>", ns::GROUP, world.row("team", row));
    let reads: Vec<String> =
        (0..size).map(|n| iq("set", &format!("p{n}@h/r"), "team@mix.h", &read(newest - n as u64 % 7))).collect();
    world.fill(reads);
}

/// Many channels, in which Joe is and which a domain is banned from, and many registered nicks.
fn fill_service(world: &mut World) {
    let all = 0..world.size;
    let nick = |who: usize| format!("<register xmlns='{}'><nick>reg {who}</nick></register>", ns::MIX_MISC);
    world.fill(all.clone().map(|n| iq("set", &format!("r{n}@h/r"), "mix.h", &nick(n))));
    let banned = pubsub(&format!("<create node='{}'/>", ns::NODE_BANNED));
    for n in all {
        let (name, address) = (format!("c{n:05}"), format!("c{n:05}@mix.h"));
        world.fill([
            create("maker@h/r", &name),
            iq("set", "maker@h/r", &address, &banned),
            iq("set", "maker@h/r", &address, &list("publish", ns::NODE_BANNED, FAR)),
            join("joe@h/r", &name, ""),
        ]);
    }
}
