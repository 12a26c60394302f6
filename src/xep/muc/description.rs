//! XEP-0045 §6.4, §6.5: what a room tells of itself.

use crate::channel::command::Slice;
use crate::channel::{Access, Channel, PrivateMessages, Refusal, Seats};
use crate::xep::{information, rsm};
use crate::xmpp::{Tag, ns};

/// The features of a room, those that its settings decide included.
pub fn features(channel: &Channel) -> impl Iterator<Item = &'static str> {
    let either = |is: bool, yes: &'static str, no: &'static str| if is { yes } else { no };
    [
        ns::MUC,
        ns::MUC_STABLE_ID,
        ns::MUC_SELF_PING,
        ns::REGISTER,
        ns::MUC_REGISTER,
        ns::MUC_REQUEST,
        either(channel.profile().listed, "muc_public", "muc_hidden"),
        either(is_for_members(channel), "muc_membersonly", "muc_open"),
        "muc_unmoderated",
        either(channel.settings().shows_jids(), "muc_nonanonymous", "muc_semianonymous"),
        "muc_unsecured",
        "muc_persistent",
    ]
    .into_iter()
}

/// The form that says what a room is. Some clients read the first form of an answer alone, so it comes first.
pub fn form(channel: &Channel, seats: &Seats) -> Tag {
    let flag = |is: bool| vec![if is { "1" } else { "0" }.to_owned()];
    let text = |text: &str| vec![text.to_owned()];
    let info = channel.info();
    // What is said in a room for members is for them alone.
    let topic = channel.kept().topic.as_ref().filter(|topic| !topic.text.is_empty() && !is_for_members(channel));
    let subject = topic.map(|topic| topic.text.as_str());
    let may_change = channel.settings().grants.subject == Access::Participants;
    let fields = [
        ("muc#roomconfig_roomname", text(&channel.title())),
        ("muc#roominfo_description", joined(&information::values(info, "Description"))),
        ("muc#roominfo_contactjid", information::values(info, "Contact")),
        ("muc#roominfo_occupants", text(&channel.occupant_count(seats).to_string())),
        ("muc#roominfo_subject", subject.map(text).unwrap_or_default()),
        ("muc#roominfo_subjectmod", flag(may_change)),
        ("muc#roomconfig_changesubject", flag(may_change)),
        ("muc#roominfo_slow_mode_duration", text(&channel.settings().room.slow_mode_s.unwrap_or(0).to_string())),
        ("muc#roomconfig_membersonly", flag(is_for_members(channel))),
        ("muc#roomconfig_allowpm", text(private_messages(channel.settings().private_messages))),
        ("muc#roomconfig_whois", text(if channel.settings().shows_jids() { "anyone" } else { "moderators" })),
    ];
    let field = |var: &str, values: &[String]| {
        Tag::new("field").attr("var", var).children(values.iter().map(|value| Tag::new("value").text(value)))
    };
    let stated = fields.iter().filter(|(_, values)| !values.is_empty()).map(|(var, values)| field(var, values));
    let form_type = field("FORM_TYPE", &text(ns::MUC_ROOMINFO)).attr("type", "hidden");
    Tag::in_ns("x", ns::FORM).attr("type", "result").child(form_type).children(stated)
}

/// The value of the field "allowpm".
fn private_messages(who: PrivateMessages) -> &'static str {
    match who {
        PrivateMessages::Nobody => "none",
        PrivateMessages::Anyone => "anyone",
        PrivateMessages::Participants => "participants",
        PrivateMessages::Moderators => "moderators",
    }
}

/// The items of a room: who is in it.
///
/// # Errors
/// [`Refusal::NoSuchItem`] where the page is asked for by somebody who is not there.
pub fn items(
    channel: &Channel,
    seats: &Seats,
    room: &str,
    slice: &Slice,
    bytes_max: usize,
) -> Result<(Vec<Tag>, Option<Tag>), Refusal> {
    let item = |nick: &str| Tag::new("item").attr("jid", [room, "/", nick].concat());
    rsm::page(
        &channel.occupants(seats),
        |member| member.nick.as_str(),
        |member| item(member.nick.as_str()),
        slice,
        bytes_max,
    )
}

/// Whether only members enter.
fn is_for_members(channel: &Channel) -> bool {
    channel.is_closed() || channel.kept().allowed.is_some()
}

/// A text of some lines.
fn joined(lines: &[String]) -> Vec<String> {
    if lines.is_empty() { Vec::new() } else { vec![lines.join("\n")] }
}
