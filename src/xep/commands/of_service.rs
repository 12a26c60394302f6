//! Commands at the service: those of operators about any channel or all channels, and those of everybody.

use super::adhoc::{Adhoc, CommandDone, Right, Stage};
use super::forms::{self, FormFields, bad, field, form, hidden, needed, table};
use super::node;
use super::of_channels::{self as in_channel, BAN, DESTROY, KICK, account, accounts, page, paged, slice, sure};
use crate::channel::census::{ListedChannel, ServiceCensus};
use crate::channel::{
    AccountCommand, Action, Answer, AnyCommand, ChannelName, Command, CommandFault, Node, Refusal, ServiceAction,
    ServiceCommand,
};
use crate::xep::Request;
use crate::xmpp::Tag;

/// The most channels on one page.
const CHANNELS_MAX: usize = 200;
const OPERATOR: Right = Right::AtService(ServiceAction::Administer);

pub(super) const COMMANDS: &[Adhoc] = &[
    Adhoc {
        node: node::LIST,
        label: "List channels",
        right: Right::Anybody,
        open: Some(|_, _| Stage::only(form("Channels", "In the order of their names.", page(CHANNELS_MAX)))),
        goes_on: false,
        read: list,
        done: channels,
    },
    Adhoc {
        node: node::CREATE,
        label: "Create a channel",
        right: Right::AtService(ServiceAction::Create),
        open: Some(|_, _| Stage::only(form("Create a channel", CREATE, [field("name", "text-single", "Name")]))),
        goes_on: false,
        read: create,
        done: created,
    },
    Adhoc {
        node: node::CONFIGURE,
        label: "Configure a channel",
        right: OPERATOR,
        open: Some(configure_stage),
        goes_on: true,
        read: configure,
        done: |_, fields, _| CommandDone::told(format!("The configuration of {} is in force.", named(fields))),
    },
    Adhoc {
        node: node::KICK,
        label: "Remove participants of a channel",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("Remove participants", KICK, [channel(), accounts()]))),
        goes_on: false,
        read: |fields, request| of_channel(fields, request, in_channel::kick),
        done: |_, _, _| CommandDone::told("They are out."),
    },
    Adhoc {
        node: node::BAN,
        label: "Ban an account from a channel",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("Ban an account", BAN, [channel(), account()]))),
        goes_on: false,
        read: |fields, request| of_channel(fields, request, in_channel::ban),
        done: |_, fields, _| CommandDone::told(format!("It may not join {}.", named(fields))),
    },
    Adhoc {
        node: node::UNBAN,
        label: "Lift a ban from a channel",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("Lift a ban", "It may join again.", [channel(), account()]))),
        goes_on: false,
        read: |fields, request| {
            of_channel(fields, request, |fields, _| in_channel::listed(fields, Node::Banned, false))
        },
        done: |_, fields, _| CommandDone::told(format!("It may join {}.", named(fields))),
    },
    Adhoc {
        node: node::ANNOUNCE_TO_ALL,
        label: "Announce something",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(announcement_form())),
        goes_on: false,
        read: announce,
        done: |_, _, _| CommandDone::told("It is on its way."),
    },
    Adhoc {
        node: node::DESTROY,
        label: "Destroy a channel",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("Destroy a channel", DESTROY, [channel(), sure()]))),
        goes_on: false,
        read: |fields, request| of_channel(fields, request, in_channel::destroy),
        done: |_, fields, _| CommandDone::told(format!("{} is gone.", named(fields))),
    },
    Adhoc {
        node: node::END_ACCOUNT,
        label: "End an account that is no more",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("End an account", END_ACCOUNT, [account(), for_sure("Yes, end it")]))),
        goes_on: false,
        read: |fields, _| end_account(fields, false),
        done: |_, _, _| CommandDone::told("It is being ended in every channel."),
    },
    Adhoc {
        node: node::ERASE_ACCOUNT,
        label: "Erase an account",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("Erase an account", ERASE_ACCOUNT, [account(), for_sure("Yes, erase it")]))),
        goes_on: false,
        read: |fields, _| end_account(fields, true),
        done: |_, _, _| CommandDone::told("It is being ended in every channel; then what it wrote is erased."),
    },
    Adhoc {
        node: node::SHOW_ACCOUNT,
        label: "Look at an account",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("Look at an account", SHOW_ACCOUNT, [account()]))),
        goes_on: false,
        read: |fields, _| dossier(fields, false),
        done: |_, _, _| CommandDone::told("Nothing is known."),
    },
    Adhoc {
        node: node::EXPORT_ACCOUNT,
        label: "Export what there is of an account",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("Export an account", EXPORT_ACCOUNT, [account()]))),
        goes_on: false,
        read: |fields, _| dossier(fields, true),
        done: |_, _, _| CommandDone::told("Nothing is known."),
    },
    Adhoc {
        node: node::CLOSE_ROOMS,
        label: "Close all rooms for good",
        right: OPERATOR,
        open: Some(|_, _| Stage::only(form("Close all rooms", CLOSE_ROOMS, [for_sure("Yes, close them")]))),
        goes_on: false,
        read: |fields, _| match fields.is_ticked("sure") {
            true => Ok(ServiceCommand::CloseRooms.into()),
            false => Err(bad("'sure' has to be ticked: clients that are out do not come back by themselves")),
        },
        done: |_, _, _| CommandDone::told("Everybody is being told, and nobody enters any more."),
    },
    Adhoc {
        node: node::STATISTICS,
        label: "Statistics of the service",
        right: OPERATOR,
        open: None,
        goes_on: false,
        read: |_, _| Ok(ServiceCommand::TakeCensus.into()),
        done: |answer, _, _| match answer {
            Answer::Census(census) => {
                CommandDone { note: "As of this moment.".into(), results: Some(statistics(census)) }
            }
            _ => CommandDone::told("Nothing is known."),
        },
    },
];

const CREATE: &str = "Without a name it gets one that nobody guesses, and is on no list (XEP-0369 §7.3.3).";
const ANNOUNCE: &str = "To all who follow the messages of one channel; without a channel to everybody who is in any, once, \
                        some hundreds a second. It is in no archive.";

const CLOSE_ROOMS: &str = "For a service that ends for good: all occupants of all rooms are put out and told that it shuts down, and \
                           nobody enters until the service is started anew. Participants by MIX stay.";
const END_ACCOUNT: &str = "For an account that does not exist any more: it leaves every channel and group, those that it owns get \
                           another owner, its registered nick and its invitations go. What it wrote stays.";
const ERASE_ACCOUNT: &str = "It is ended as by the command for that. Besides, what it wrote in any channel gives way to a mark \
                             that something was deleted, and its nicks, its address, its receipts and its place on lists \
                             go. This cannot be undone; backups keep what they have.";

const SHOW_ACCOUNT: &str = "In which channels it is or was, what it is there, and how much it wrote; as JSON.";
const EXPORT_ACCOUNT: &str = "What it wrote, reported and settled, for the account itself; as JSON. What is too long for a \
                              stanza is told by 'mixd account export'.";

fn dossier(fields: &FormFields, whole: bool) -> Result<AnyCommand, Refusal> {
    Ok(ServiceCommand::Account(AccountCommand::Read { account: forms::account(fields, "account")?, whole }).into())
}

fn for_sure(label: &str) -> Tag {
    needed("sure", "boolean", label).child(forms::value("0"))
}

fn end_account(fields: &FormFields, erases: bool) -> Result<AnyCommand, Refusal> {
    let account = forms::account(fields, "account")?;
    if !fields.is_ticked("sure") {
        return Err(bad("'sure' has to be ticked: nobody can take this back"));
    }
    Ok(ServiceCommand::Account(AccountCommand::End { account, erases }).into())
}

fn channel() -> Tag {
    needed("channel", "text-single", "Channel: its name or its address")
}

fn named(fields: &FormFields) -> String {
    fields.one("channel").unwrap_or_default().to_owned()
}

/// A command of the channel that the form names.
fn of_channel(
    fields: &FormFields,
    request: &Request<'_>,
    read: impl Fn(&FormFields, &Request<'_>) -> Result<AnyCommand, Refusal>,
) -> Result<AnyCommand, Refusal> {
    match forms::channel(fields, request.service.domain.as_str())? {
        Some(_) => read(fields, request),
        None => Err(bad("'channel' is missing: name a channel")),
    }
}

fn list(fields: &FormFields, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
    let slice = slice(fields, CHANNELS_MAX)?;
    match OPERATOR.is_held(request) {
        true => Ok(ServiceCommand::ListEveryChannel(slice).into()),
        false => Ok(ServiceCommand::ListChannels(slice).into()),
    }
}

fn channels(answer: &Answer, _: &FormFields, request: &Request<'_>) -> CommandDone {
    let address = |name: &ChannelName| request.service.address_of(name);
    let bytes_max = request.service.limits.answer_bytes_max;
    let column = ("channel", "Channel");
    match answer {
        Answer::Channels(page) => {
            let rows = forms::fitting(page.entries.iter().map(|it| vec![address(&it.name)]), bytes_max);
            let note = paged(page.index, rows.len(), page.count);
            CommandDone { note, results: Some(table("Channels", &[column], rows)) }
        }
        Answer::EveryChannel { entries, count, goes_on } => {
            let columns = [column, ("creator", "Created by"), ("listed", "On the list that everybody sees")];
            let truth = |holds: bool| if holds { "yes" } else { "no" }.to_owned();
            let row = |it: &ListedChannel| vec![address(&it.name), it.creator.to_string(), truth(it.listed)];
            let rows = forms::fitting(entries.iter().map(row), bytes_max);
            let last = rows.last().and_then(|row| row.first()).filter(|_| *goes_on || rows.len() < entries.len());
            let on = last.map(|last| format!(" It goes on behind {last}.")).unwrap_or_default();
            let note = format!("{} of {count}.{on}", rows.len());
            CommandDone { note, results: Some(table("Channels", &columns, rows)) }
        }
        _ => CommandDone::told("Nothing is known."),
    }
}

fn create(fields: &FormFields, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
    let max = request.service.limits.channel_name_bytes_max;
    let name = match fields.one("name") {
        Some(text) if text.len() > max => return Err(Refusal::TooLong { what: "the name of the channel", max }),
        Some(text) => Some(ChannelName::new(text).ok_or_else(|| bad(format!("'name': '{text}' is no localpart")))?),
        None => None,
    };
    Ok(ServiceCommand::Create { name }.into())
}

fn created(answer: &Answer, _: &FormFields, request: &Request<'_>) -> CommandDone {
    let Answer::Created { name } = answer else { return CommandDone::told("There is a new channel.") };
    let address = request.service.address_of(name);
    let results = forms::lines("The channel", [("channel", "Channel", address.clone())]);
    CommandDone { note: format!("{address} is yours. Join it to talk there."), results: Some(results) }
}

/// The two forms of configuring a channel: which channel, then its configuration.
fn configure_stage(fields: &FormFields, request: &Request<'_>) -> Stage {
    let goes_back = request.payload.attr("action") == Some("prev");
    match request.channel.filter(|_| !goes_back) {
        Some(channel) => {
            let actions = Tag::new("actions").attr("execute", "complete");
            let form = in_channel::configuration_form(request);
            Stage {
                actions: actions.child(Tag::new("prev")).child(Tag::new("complete")),
                form: form.child(hidden("channel", channel.name().as_str())),
            }
        }
        None => {
            let asked = channel().children(fields.one("channel").map(forms::value));
            Stage {
                actions: Tag::new("actions").attr("execute", "next").child(Tag::new("next")),
                form: form("Configure a channel", "Its configuration comes next.", [asked]),
            }
        }
    }
}

fn configure(fields: &FormFields, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
    let is_filled_in = fields.has_others_than(&["FORM_TYPE", "channel"]);
    match (request.payload.attr("action"), is_filled_in) {
        (Some("complete"), false) | (Some("next"), true) => Err(Refusal::Command(CommandFault::BadAction)),
        (_, true) => of_channel(fields, request, in_channel::configuration),
        (_, false) => of_channel(fields, request, |_, _| Ok(Command::Prepare(Action::Lists).into())),
    }
}

fn announcement_form() -> Tag {
    let one = field("channel", "text-single", "Channel: its name or its address; without one: everybody");
    let fields = [hidden("FORM_TYPE", "http://jabber.org/protocol/admin"), one];
    form("Announce something", ANNOUNCE, fields.into_iter().chain(in_channel::announcement_fields()))
}

fn announce(fields: &FormFields, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
    let announcement = in_channel::announcement(fields)?;
    match forms::channel(fields, request.service.domain.as_str())? {
        Some(_) => Ok(Command::Announce(announcement).into()),
        None => Ok(ServiceCommand::AnnounceToAll(announcement).into()),
    }
}

fn statistics(census: &ServiceCensus) -> Tag {
    let counted = [
        ("channels", "Channels", census.channels as u64),
        ("channels-listed", "Channels on the list that everybody sees", census.listed as u64),
        ("channels-in-memory", "Channels in memory", census.channels_in_memory as u64),
        ("memory-bytes", "What they take, in bytes", census.memory_bytes as u64),
        (
            "participants-in-memory",
            "Participants of channels in memory, once a channel",
            census.participants_in_memory as u64,
        ),
        ("messages-in-memory", "Messages of the archives of channels in memory", census.messages_in_memory),
        ("questions", "Questions to servers and clients that wait for an answer", census.questions as u64),
        ("announcements", "Announcements under way", census.announcements as u64),
        ("endings", "Accounts that are being ended", census.endings as u64),
    ];
    forms::lines("Statistics of the service", counted.map(|(var, label, count)| (var, label, count.to_string())))
}
