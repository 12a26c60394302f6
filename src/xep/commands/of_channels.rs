//! Commands at a channel, for those who administer it.

use super::adhoc::{Adhoc, CommandDone, Right, Stage};
use super::forms::{self, FormFields, bad, field, form, needed, table};
use super::node;
use crate::channel::command::Slice;
use crate::channel::crowd::{JOINED, Ordered};
use crate::channel::group::GroupCommand;
use crate::channel::{Action, Announcement, Answer, AnyCommand, Channel, Command, Member, Node, Refusal};
use crate::xep::{Request, configuration, group_tags};
use crate::xmpp::{Tag, ns};

/// The most participants on one page.
const PEOPLE_MAX: usize = 200;

pub(super) const COMMANDS: &[Adhoc] = &[
    Adhoc {
        node: node::CONFIGURE,
        label: "Configure the channel",
        right: Right::InChannel(Action::Lists),
        open: Some(|_, request| Stage::only(configuration_form(request))),
        goes_on: false,
        read: configuration,
        done: |_, _, _| CommandDone::told("The configuration is in force."),
    },
    Adhoc {
        node: node::PARTICIPANTS,
        label: "List the participants",
        right: Right::InChannel(Action::Lists),
        open: Some(|_, _| Stage::only(form("Participants", "In the order of accounts.", page(PEOPLE_MAX)))),
        goes_on: false,
        read: |fields, _| Ok(Command::ListPeople(slice(fields, PEOPLE_MAX)?).into()),
        done: participants,
    },
    Adhoc {
        node: node::KICK,
        label: "Remove participants",
        right: Right::InChannel(Action::Remove),
        open: Some(|_, _| Stage::only(form("Remove participants", KICK, [accounts()]))),
        goes_on: false,
        read: kick,
        done: |_, _, _| CommandDone::told("They are out."),
    },
    Adhoc {
        node: node::BAN,
        label: "Ban an account",
        right: Right::InChannel(Action::Lists),
        open: Some(|_, _| Stage::only(form("Ban an account", BAN, [account()]))),
        goes_on: false,
        read: ban,
        done: |_, fields, _| CommandDone::told(format!("{} may not join.", named(fields))),
    },
    Adhoc {
        node: node::UNBAN,
        label: "Lift a ban",
        right: Right::OfList(Node::Banned),
        open: Some(|_, _| Stage::only(form("Lift a ban", "It may join again.", [account()]))),
        goes_on: false,
        read: |fields, _| listed(fields, Node::Banned, false),
        done: |_, fields, _| CommandDone::told(format!("{} is banned no longer.", named(fields))),
    },
    Adhoc {
        node: node::ALLOW,
        label: "Allow an account to join",
        right: Right::OfList(Node::Allowed),
        open: Some(|_, _| Stage::only(form("Allow an account to join", "An account, or a domain.", [account()]))),
        goes_on: false,
        read: |fields, _| listed(fields, Node::Allowed, true),
        done: |_, fields, _| CommandDone::told(format!("{} may join.", named(fields))),
    },
    Adhoc {
        node: node::DISALLOW,
        label: "Take an account off the list of those who may join",
        right: Right::OfList(Node::Allowed),
        open: Some(|_, _| Stage::only(form("Off the list", "Whoever is in the channel stays in it.", [account()]))),
        goes_on: false,
        read: |fields, _| listed(fields, Node::Allowed, false),
        done: |_, fields, _| CommandDone::told(format!("{} is on the list no longer.", named(fields))),
    },
    Adhoc {
        node: node::ANNOUNCE,
        label: "Announce something",
        right: Right::InChannel(Action::Announce),
        open: Some(|_, _| Stage::only(form("Announce something", ANNOUNCE, announcement_fields()))),
        goes_on: false,
        read: |fields, _| Ok(Command::Announce(announcement(fields)?).into()),
        done: |_, _, _| CommandDone::told("It is on its way."),
    },
    Adhoc {
        node: node::DESTROY,
        label: "Destroy the channel",
        right: Right::InChannel(Action::Destroy),
        open: Some(|_, _| Stage::only(form("Destroy the channel", DESTROY, [sure()]))),
        goes_on: false,
        read: destroy,
        done: |_, _, _| CommandDone::told("The channel is gone."),
    },
    Adhoc {
        node: node::STATISTICS,
        label: "Statistics of the channel",
        right: Right::InChannel(Action::ListParticipants),
        open: None,
        goes_on: false,
        read: |_, _| Ok(Command::Prepare(Action::ListParticipants).into()),
        done: |_, _, request| CommandDone {
            note: "As of this moment.".into(),
            results: request.channel.map(statistics),
        },
    },
];

pub(super) const KICK: &str = "They may join again, unless they are banned or have to be added.";
pub(super) const BAN: &str = "An account, or a domain with all its accounts. Whoever is in the channel is out at once.";
pub(super) const DESTROY: &str = "The channel goes with its participants and its archive, for good.";
const ANNOUNCE: &str = "A message of the channel itself to all who follow its messages. It is in no archive.";

pub(super) fn accounts() -> Tag {
    needed("accounts", "jid-multi", "Accounts")
}

pub(super) fn account() -> Tag {
    needed("account", "jid-single", "Account")
}

pub(super) fn sure() -> Tag {
    needed("sure", "boolean", "Yes, destroy it").child(forms::value("0"))
}

pub(super) fn announcement_fields() -> [Tag; 2] {
    [field("subject", "text-single", "Subject"), needed("announcement", "text-multi", "Announcement")]
}

/// The fields by which a form asks for a page.
pub(super) fn page(max: usize) -> [Tag; 2] {
    let max = max.to_string();
    let sizes: Vec<&str> = ["25", "50", "100"].into_iter().chain([&*max]).collect();
    [forms::choice("max_items", "How many", &sizes, "50"), field("after", "text-single", "Those behind")]
}

/// The page that a form asks for.
pub(super) fn slice(fields: &FormFields, max: usize) -> Result<Slice, Refusal> {
    let wanted = match fields.one("max_items") {
        Some(text) => text.parse().map_err(|_| bad(format!("'max_items': '{text}' is no number")))?,
        None => max,
    };
    Ok(Slice { max: Some(wanted.min(max)), after: fields.one("after").map(str::to_owned), before: None })
}

fn named(fields: &FormFields) -> String {
    fields.one("account").unwrap_or_default().to_owned()
}

pub(super) fn configuration_form(request: &Request<'_>) -> Tag {
    let form = request.channel.map(|channel| configuration::form(channel, &request.service.limits, true));
    form.unwrap_or_else(|| Tag::in_ns("x", ns::FORM).attr("type", "form"))
}

pub(super) fn configuration(_: &FormFields, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
    let channel = request.channel.ok_or(Refusal::NoSuchChannel)?;
    channel.check_right(request.actor, Action::Lists, &request.service.limits)?;
    Ok(Command::Reconfigure(configuration::read(request.payload, channel, &request.service.limits)?).into())
}

pub(super) fn kick(fields: &FormFields, _: &Request<'_>) -> Result<AnyCommand, Refusal> {
    let remove = forms::accounts(fields, "accounts")?;
    Ok(Command::Group(GroupCommand::EditMembers { add: Vec::new(), remove }).into())
}

pub(super) fn ban(fields: &FormFields, _: &Request<'_>) -> Result<AnyCommand, Refusal> {
    Ok(Command::Ban { jid: forms::account(fields, "account")? }.into())
}

pub(super) fn listed(fields: &FormFields, node: Node, present: bool) -> Result<AnyCommand, Refusal> {
    Ok(Command::PutOnList { node, jid: forms::account(fields, "account")?, present }.into())
}

pub(super) fn announcement(fields: &FormFields) -> Result<Announcement, Refusal> {
    let body = fields.text("announcement");
    if body.is_empty() {
        return Err(bad("'announcement' is missing: say what is to be announced"));
    }
    Ok(Announcement { subject: fields.text("subject"), body })
}

pub(super) fn destroy(fields: &FormFields, _: &Request<'_>) -> Result<AnyCommand, Refusal> {
    if !fields.is_ticked("sure") {
        return Err(bad("'sure' has to be ticked: the channel goes for good"));
    }
    Ok(Command::Destroy.into())
}

fn participants(answer: &Answer, _: &FormFields, request: &Request<'_>) -> CommandDone {
    let (Some(channel), Answer::People(slice)) = (request.channel, answer) else { return CommandDone::told("Nobody.") };
    let people = channel.people(JOINED);
    let from =
        slice.after.as_deref().map_or(0, |after| people.rank(after) + usize::from(people.position(after).is_some()));
    let shown = people.rising(from).take(slice.max.unwrap_or(PEOPLE_MAX));
    // XEP-0404 §2.2: those who administer a channel see the JIDs.
    let unveils = request.actor.operator || channel.unveils_to(&request.actor.account);
    let row = |member: &Member| {
        let standing = channel.standing_of(&member.jid);
        vec![
            member.nick.as_str().to_owned(),
            if unveils { member.jid.to_string() } else { String::new() },
            group_tags::role(standing).to_owned(),
            member.since.to_xmpp(),
        ]
    };
    let columns = [("nick", "Nick"), ("jid", "Account"), ("role", "Role"), ("since", "Since")];
    let rows = forms::fitting(shown.map(row), request.service.limits.answer_bytes_max);
    CommandDone { note: paged(from, rows.len(), people.count()), results: Some(table("Participants", &columns, rows)) }
}

/// A sentence that says which part of a list is shown.
pub(super) fn paged(from: usize, shown: usize, count: usize) -> String {
    match shown {
        0 => format!("None of {count}."),
        _ => format!("{} to {} of {count}.", from + 1, from + shown),
    }
}

fn statistics(channel: &Channel) -> Tag {
    let rights = channel.rights();
    let counted = [
        ("participants", "Participants", channel.participant_count()),
        ("waiting", "Added, and not joined yet", channel.waiting_count()),
        ("guests", "Guests", channel.kept().guests.len()),
        ("owners", "Owners", rights.owners.len()),
        ("admins", "Administrators", rights.admins.len()),
    ];
    let (head, base) = (channel.head(), channel.base());
    let archived = [
        ("rows", "Rows of the archive", head.row.saturating_sub(base.row)),
        ("messages", "Messages of the archive with something to read", head.ordinal.saturating_sub(base.ordinal)),
    ];
    let counted = counted.map(|(var, label, count)| (var, label, count.to_string()));
    let archived = archived.map(|(var, label, count)| (var, label, count.to_string()));
    let newest = if head.row > 0 { head.stamp.to_xmpp() } else { String::new() };
    let times = [("created", "Created", channel.profile().created.to_xmpp()), ("newest", "Newest row", newest)];
    forms::lines("Statistics of the channel", counted.into_iter().chain(archived).chain(times))
}
