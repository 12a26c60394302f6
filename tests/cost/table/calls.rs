//! Commands that come by the other door, every one that there is.
//!
//! Where a command names many things, the text between the parts says how many.

use super::channels::invite;
use super::family::{ALONE, Family, NAMED, Part, nothing};
use super::nodes::picture;
use super::setting::{CORE, CROWD, iq, join};
use super::world::Sent;
use jid::BareJid;
use mixd::channel::command::Picture;
use mixd::channel::command::{AffiliationEdit, HistoryQuery, Slice};
use mixd::channel::group::{GroupCommand, Invitee, Patch};
use mixd::channel::search::{ChannelKind, SearchOrder, SearchWish, Sought};
use mixd::channel::{
    Access, AccountCommand, Action, Affiliation, Announcement, AnyCommand, ChannelName, Claim, Command, Configuration,
    GroupWish, InviterName, Item, JoinWish, Message, Nick, Node, NodeSet, OccupantRole, PreferencesPatch, Progress,
    RoomInvitee, ServiceAction, ServiceCommand,
};
use mixd::engine::Addressee;
use mixd::xmpp::ns;

const MANY: &[Part] = &[|_, _| "x".into()];

fn jid(text: &str) -> BareJid {
    BareJid::new(text).unwrap()
}

fn name(text: &str) -> ChannelName {
    ChannelName::new(text).unwrap()
}

fn at(channel: &str, who: &str, command: impl Into<AnyCommand>) -> Sent {
    Sent::Call(jid(who), Addressee::Channel(name(channel)), command.into())
}

fn of_service(who: &str, command: ServiceCommand) -> Sent {
    Sent::Call(jid(who), Addressee::Service, command.into())
}

fn of_group(who: &str, command: GroupCommand) -> Sent {
    at("team", who, Command::Group(command))
}

fn ten() -> Slice {
    Slice { max: Some(10), ..Slice::default() }
}

fn said(n: usize, message: Message) -> Command {
    let payload = format!("<body>{}</body>", "x".repeat(n));
    Command::Publish(Message { archived: true, echoed: true, counted: true, payload, ..message })
}

fn people(serial: usize, count: usize) -> Vec<Invitee> {
    (0..count).map(|n| Invitee { jid: jid(&format!("t{serial}x{n}@h")), nick: Nick::new(&format!("Ä {n}")) }).collect()
}

fn announcement(n: usize) -> Announcement {
    Announcement { subject: "x".into(), body: "x".repeat(n) }
}

macro_rules! call {
    ($name:literal, $parts:expr, $around:expr) => {
        call!($name, nothing, $parts, $around)
    };
    ($name:literal, $before:expr, $parts:expr, $around:expr) => {
        Family { name: $name, before: $before, around: $around, parts: $parts, is_end: false }
    };
}

pub const FAMILIES: &[Family] = &[
    call!("call: create", ALONE, |it, _| {
        of_service("maker@h", ServiceCommand::Create { name: Some(name(&format!("y{}", it.serial))) })
    }),
    call!("call: create a group", MANY, |it, inner| {
        let members = people(it.serial, inner.len().min(2 * NAMED));
        of_service(
            "maker@h",
            ServiceCommand::CreateGroup(GroupWish { subject: "A".into(), members, ..GroupWish::default() }),
        )
    }),
    call!("call: list groups", ALONE, |_, _| of_service(
        "joe@h",
        ServiceCommand::ListGroups { with: None, slice: ten() }
    )),
    call!("call: clear all", ALONE, |_, _| of_service("p2@h", ServiceCommand::ClearAll)),
    call!("call: destroy", ALONE, |_, _| of_service("joe@h", ServiceCommand::Destroy { name: name("hall") })),
    call!("call: destroy, asked of the channel", ALONE, |_, _| at("hall", "joe@h", Command::Destroy)),
    call!("call: list channels", ALONE, |_, _| of_service("joe@h", ServiceCommand::ListChannels(ten()))),
    call!("call: search", ALONE, |_, _| {
        let wish = SearchWish {
            sought: Sought::All,
            users_min: 0,
            kind: Some(ChannelKind::Mix),
            order: SearchOrder::Users,
            max: Some(10),
            after: None,
            before: None,
        };
        of_service("joe@h", ServiceCommand::Search(Some(Box::new(wish))))
    }),
    call!("call: set a picture", ALONE, |it, _| {
        let item = |payload: &str| Item { id: it.serial.to_string(), payload: payload.into(), ..Item::default() };
        let picture = Picture { data: item("<data/>"), metadata: item("<metadata/>") };
        at("hall", "own@h", Command::SetPicture(Some(Box::new(picture))))
    }),
    call!("call: join", ALONE, |it, _| {
        at(
            "hall",
            &format!("new{}@h", it.serial),
            Command::Join(JoinWish { subscribe: NodeSet::GROUP, ..JoinWish::default() }),
        )
    }),
    call!("call: invite", ALONE, |it, _| {
        at("club", "own@h", Command::Invite { invitee: jid(&format!("v{}@h", it.serial)) })
    }),
    call!("call: decline", |it| vec![invite(&format!("no{}@h", it.serial))], ALONE, |it, _| {
        let who = format!("no{}@h", it.serial);
        let claim = Claim { inviter: Some(jid("own@h")), invitee: None, token: it.world.token("club", &who) };
        at("club", &who, Command::Decline(claim))
    }),
    call!(
        "call: take invitations back",
        |it| (0..2 * NAMED).map(|n| invite(&format!("back{}x{n}@h", it.serial))).collect(),
        MANY,
        |it, inner| {
            let count = inner.len().min(2 * NAMED);
            let invitees = (0..count).map(|n| jid(&format!("back{}x{n}@h", it.serial))).collect();
            at("club", "own@h", Command::RevokeInvitations { invitees })
        }
    ),
    call!("call: list invitations", ALONE, |_, _| at("club", "own@h", Command::ListInvitations(ten()))),
    call!("call: leave", ALONE, |it, _| at("team", &format!("p{}@h", 90 - it.serial % 20), Command::Leave)),
    call!("call: end an account", ALONE, |it, _| at(
        "fair",
        &format!("c{}@{CROWD}", it.serial % 90),
        Command::EndAccount
    )),
    call!("call: ask how the end of an account stands", ALONE, |_, _| {
        of_service("op@h", ServiceCommand::Account(AccountCommand::AskEnding { account: jid("p1@h") }))
    }),
    call!("call: register a nick", ALONE, |it, _| {
        of_service("r3@h", ServiceCommand::RegisterNick { nick: Nick::new(&format!("call {}", it.serial)) })
    }),
    call!("call: ask for a registered nick", ALONE, |_, _| of_service("r3@h", ServiceCommand::ReadRegisteredNick)),
    call!("call: give a registered nick up", ALONE, |it, _| {
        of_service(&format!("r{}@h", 60 + it.serial % 30), ServiceCommand::UnregisterNick { nick: None })
    }),
    call!("call: set a nick", ALONE, |it, _| {
        at("hall", "p8@h", Command::SetNick { nick: Nick::new(&format!("other {}", it.serial)) })
    }),
    call!("call: ask for preferences", ALONE, |_, _| at("hall", "p8@h", Command::ReadPreferences)),
    call!("call: set preferences", ALONE, |it, _| {
        let patch = PreferencesPatch { hides_presence: Some(it.serial % 2 == 0), ..PreferencesPatch::default() };
        at("hall", "p8@h", Command::SetPreferences(patch))
    }),
    call!("call: update a subscription", ALONE, |it, _| {
        let (one, none) = (NodeSet::from_iter([Node::Video]), NodeSet::default());
        let (subscribe, unsubscribe) = if it.serial % 2 == 0 { (one, none) } else { (none, one) };
        at("hall", "p8@h", Command::UpdateSubscription { subscribe, unsubscribe })
    }),
    call!("call: subscribe", ALONE, |it, _| {
        at("hall", &format!("v{}@h", it.serial), Command::Subscribe { node: Node::Messages, wanted: true })
    }),
    call!("call: list one's subscriptions", ALONE, |_, _| at(
        "hall",
        "p8@h",
        Command::ListSubscriptions { node: None }
    )),
    call!("call: list subscribers", ALONE, |_, _| {
        at("hall", "own@h", Command::ListSubscribers { node: Node::Messages, slice: ten() })
    }),
    call!("call: set subscriptions of others", MANY, |it, inner| {
        let edits = (0..inner.len()).map(|n| (jid(&format!("p{}@h", n % 90)), (it.serial + n) % 2 == 0)).collect();
        at("hall", "own@h", Command::SetSubscriptions { node: Node::Info, edits })
    }),
    call!("call: publish", MANY, |_, inner| at("hall", "p8@h", said(inner.len(), Message::default()))),
    call!("call: retract one's own", ALONE, |it, _| {
        let message = Message { target: Some(2 + it.serial as u64 % 90), retracts: true, ..Message::default() };
        at("hall", &format!("p{}@h", 1 + it.serial % 90), said(1, message))
    }),
    call!("call: retract what was corrected often", ALONE, |_, _| {
        at("hall", "p0@h", said(1, Message { target: Some(1), retracts: true, ..Message::default() }))
    }),
    call!("call: set an item", MANY, |it, inner| {
        let payload = format!("<x xmlns='jabber:x:data'>{}</x>", "x".repeat(inner.len()));
        at(
            "hall",
            "own@h",
            Command::SetItem { node: Node::Info, item: Item { id: it.serial.to_string(), payload, ..Item::default() } },
        )
    }),
    call!("call: retract an item", |_| vec![picture()], ALONE, |it, _| {
        at(
            "hall",
            "own@h",
            Command::RetractItem { node: Node::AvatarData, id: it.world.item("hall", Node::AvatarData) },
        )
    }),
    call!("call: put on a list", ALONE, |it, _| {
        at(
            "hall",
            "own@h",
            Command::PutOnList { node: Node::Banned, jid: jid(&format!("v{}@h", it.serial)), present: true },
        )
    }),
    call!("call: reconfigure", MANY, |it, inner| {
        let admins = (0..inner.len()).map(|n| jid(&format!("q{}x{n}@h", it.serial))).collect();
        at("yard", "own@h", Command::Reconfigure(Configuration { admins: Some(admins), ..Configuration::default() }))
    }),
    call!("call: make a list", ALONE, |_, _| at(
        "hall",
        "own@h",
        Command::MakeList { node: Node::Banned, exists: true }
    )),
    call!("call: read items", MANY, |_, inner| {
        let ids = (0..inner.len()).map(|n| format!("b{n}@h")).collect();
        at("hall", "own@h", Command::ReadItems { node: Node::Banned, ids, slice: Slice::default() })
    }),
    call!("call: may one", ALONE, |_, _| at("hall", "own@h", Command::Prepare(Action::Lists))),
    call!("call: may one at the service", ALONE, |_, _| {
        of_service("op@h", ServiceCommand::Prepare(ServiceAction::Administer))
    }),
    call!("call: ban", ALONE, |it, _| at("hall", "own@h", Command::Ban { jid: jid(&format!("u{}@h", it.serial)) })),
    call!("call: set roles", ALONE, |_, _| { at("yard", "own@h", Command::SetRoles(Vec::new())) }),
    call!("call: set affiliations", MANY, |it, inner| {
        let edit = |n| AffiliationEdit {
            jid: jid(&format!("af{}x{n}@h", it.serial)),
            affiliation: Affiliation::Member,
            nick: None,
            reason: None,
        };
        at("yard", "own@h", Command::SetAffiliations((0..inner.len().min(NAMED)).map(edit).collect()))
    }),
    call!("call: list roles", ALONE, |_, _| {
        at("yard", "own@h", Command::ListRoles { role: OccupantRole::Participant, slice: ten() })
    }),
    call!("call: list affiliations", ALONE, |_, _| {
        at("hall", "own@h", Command::ListAffiliations { affiliation: Affiliation::Member, slice: ten() })
    }),
    call!("call: ban a domain", ALONE, |it, _| {
        at("hall", "own@h", Command::Ban { jid: jid(&format!("d{}.example", it.serial)) })
    }),
    call!("call: list people", ALONE, |_, _| at("hall", "own@h", Command::ListPeople(ten()))),
    call!("call: announce", MANY, |_, inner| at("hall", "own@h", Command::Announce(announcement(inner.len())))),
    call!("call: announce to all", MANY, |_, inner| of_service(
        "op@h",
        ServiceCommand::AnnounceToAll(announcement(inner.len()))
    )),
    call!("call: list every channel", ALONE, |_, _| of_service("op@h", ServiceCommand::ListEveryChannel(ten()))),
    call!("call: close all rooms, by whoever may not", ALONE, |_, _| of_service("joe@h", ServiceCommand::CloseRooms)),
    call!("call: take a census", ALONE, |_, _| of_service("op@h", ServiceCommand::TakeCensus)),
    call!("call: describe", ALONE, |_, _| at("hall", "p8@h", Command::Describe)),
    call!("call: list nodes", ALONE, |_, _| at("hall", "p8@h", Command::ListNodes)),
    call!("call: list occupants", ALONE, |_, _| at("hall", "p8@h", Command::ListOccupants(Slice::default()))),
    call!("call: read history", ALONE, |_, _| at("hall", "p8@h", Command::ReadHistory(HistoryQuery::default()))),
    call!("call: bounds of history", ALONE, |_, _| at("hall", "p8@h", Command::HistoryBounds)),
    call!("call: the form of history", ALONE, |_, _| at("hall", "p8@h", Command::HistoryForm { as_room: false })),
    call!("call: describe the service", ALONE, |_, _| of_service("joe@h", ServiceCommand::Describe { node: None })),
    call!("call: ping", ALONE, |_, _| at("hall", "p8@h", ServiceCommand::Ping)),
    call!("call: version", ALONE, |_, _| of_service("joe@h", ServiceCommand::Version)),
    call!("call: profile", ALONE, |_, _| of_group("p8@h", GroupCommand::ReadProfile(Default::default()))),
    call!("call: add and remove people", MANY, |it, inner| {
        let count = inner.len().min(NAMED);
        let remove = (0..count).map(|n| jid(&format!("nobody{n}@h"))).collect();
        of_group("own@h", GroupCommand::EditMembers { add: people(it.serial, count), remove })
    }),
    call!("call: make admins and unmake them", MANY, |it, inner| {
        let people = (0..inner.len()).map(|n| jid(&format!("p{}@h", 50 + n % 10))).collect();
        let (add, remove) = if it.serial % 2 == 0 { (people, Vec::new()) } else { (Vec::new(), people) };
        of_group("own@h", GroupCommand::EditAdmins { add, remove })
    }),
    call!("call: settings", ALONE, |it, _| {
        of_group("own@h", GroupCommand::Configure(Patch { members_add: Some(it.serial % 2 == 0), ..Patch::default() }))
    }),
    call!("call: set a subject", MANY, |it, inner| {
        of_group("own@h", GroupCommand::SetSubject(format!("{}{}", it.serial, "x".repeat(inner.len() / 2))))
    }),
    call!("call: remove somebody where notices tell of it", ALONE, |it, _| {
        let remove = vec![jid(&format!("p{}@h", it.serial % 90))];
        at("bell", "own@h", Command::Group(GroupCommand::EditMembers { add: Vec::new(), remove }))
    }),
    call!("call: report", ALONE, |it, _| {
        let row = it.world.said + 99 - it.serial as u64 % 40;
        of_group(
            &format!("p{}@h", 1 + it.serial % 49),
            GroupCommand::Report { row, progress: Progress::Read, exact: false },
        )
    }),
    call!("call: how far a message came", ALONE, |it, _| {
        of_group("p8@h", GroupCommand::ReadMessageInfo { row: it.world.said + 50 })
    }),
    call!("call: hide", MANY, |it, inner| of_group(
        "p7@h",
        GroupCommand::Hide { rows: (it.world.said..it.world.said + inner.len() as u64).collect() }
    )),
    call!("call: clear", ALONE, |it, _| of_group(
        "p6@h",
        GroupCommand::Clear { up_to: Some(it.world.said + it.serial as u64 % 50) }
    )),
    call!(
        "call: forget",
        |it| {
            let who = format!("out{}@h", it.serial);
            let add = format!("<members xmlns='{}'><add jid='{who}'/></members>", ns::GROUP);
            let leave = format!("<leave {CORE}/>");
            vec![iq("set", "own@h/r", "team@mix.h", &add), iq("set", &format!("{who}/r"), "team@mix.h", &leave)]
        },
        ALONE,
        |it, _| of_group(&format!("out{}@h", it.serial), GroupCommand::Forget)
    ),
    call!("call: moderate", ALONE, |it, _| {
        of_group("own@h", GroupCommand::Moderate { row: it.world.said + it.serial as u64 % 90, reason: None })
    }),
    // What a row names may depend on how many there are before it.
    call!("call: invite through the room", MANY, |it, inner| {
        let invitee = |n| RoomInvitee { jid: jid(&format!("w{}x{n}@h", it.serial)), reason: None, continues: None };
        at("club", "own@h", Command::InviteByRoom((0..inner.len().min(NAMED)).map(invitee).collect()))
    }),
    call!("call: decline to a room", |it| vec![invite(&format!("dr{}@h", it.serial))], ALONE, |it, _| {
        let inviter = InviterName::Account(jid("own@h"));
        at("club", &format!("dr{}@h", it.serial), Command::DeclineToRoom { inviter, reason: None })
    }),
    call!("call: ask for voice", ALONE, |_, _| at("yard", "own@h", Command::RequestVoice)),
    call!("call: skip who asks for voice", ALONE, |_, _| at("yard", "own@h", Command::AnswerVoiceRequest(None))),
    call!("call: registration with a room", ALONE, |_, _| at("yard", "own@h", Command::ReadRegistration)),
    call!("call: one's own nick in a room", ALONE, |_, _| at("yard", "own@h", Command::ReadNick)),
    call!("call: register with a room", ALONE, |it, _| {
        let nick = Nick::new(&format!("cr{}", it.serial)).unwrap();
        at("yard", &format!("cr{}@h", it.serial), Command::Register { nick })
    }),
    call!(
        "call: end a registration with a room",
        |it| vec![join(&format!("ce{}@h/r", it.serial), "yard", "")],
        ALONE,
        |it, _| at("yard", &format!("ce{}@h", it.serial), Command::Unregister)
    ),
];

macro_rules! end {
    ($name:literal, $around:expr) => {
        Family { name: $name, before: nothing, around: $around, parts: ALONE, is_end: true }
    };
}

/// What takes away at once what there is, and so comes once and last.
pub const ENDS: &[Family] = &[
    end!("call: take everybody off a list", |_, _| at("hall", "own@h", Command::PurgeList { node: Node::Banned })),
    end!("call: do away with a list", |_, _| at(
        "club",
        "own@h",
        Command::MakeList { node: Node::Allowed, exists: false }
    )),
    end!("call: close a channel to guests", |_, _| {
        let patch = Patch { guests: Some(Access::Participants), ..Patch::default() };
        at("shop", "own@h", Command::Reconfigure(Configuration { patch, ..Configuration::default() }))
    }),
    end!("call: ban a domain that many are of", |_, _| at("fair", "own@h", Command::Ban { jid: jid(CROWD) })),
    end!("call: leave as the last one where many wait", |_, _| at("last", "own@h", Command::Leave)),
    end!("call: destroy a group whose people notices tell of it", |_, _| {
        of_service("own@h", ServiceCommand::Destroy { name: name("bell") })
    }),
    end!("call: destroy a large channel", |_, _| of_service("own@h", ServiceCommand::Destroy { name: name("hall") })),
    end!("call: destroy a large group", |_, _| of_service("own@h", ServiceCommand::Destroy { name: name("team") })),
];
