//! XEP-0045 §6.4, §6.5: what a room tells of itself.

use super::{ROLES, lets_all_set_subject, private_messages};
use crate::channel::command::Slice;
use crate::channel::room::HISTORY_ROWS_MAX;
use crate::channel::{Channel, LiveState, Node, Refusal, Seats};
use crate::xep::forms::form_type;
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
        ns::RAI,
        ns::VCARD,
        either(channel.profile().listed, "muc_public", "muc_hidden"),
        either(channel.is_for_members(), "muc_membersonly", "muc_open"),
        either(channel.settings().room.moderated, "muc_moderated", "muc_unmoderated"),
        either(channel.settings().shows_jids(), "muc_nonanonymous", "muc_semianonymous"),
        either(channel.settings().room.password.is_some(), "muc_passwordprotected", "muc_unsecured"),
        either(channel.settings().room.temporary, "muc_temporary", "muc_persistent"),
    ]
    .into_iter()
    .chain(channel.has_versions().then_some(ns::MUC_VERSIONS))
    .chain(channel.settings().room.forward_mentions.then_some(ns::MENTION_NOTIFICATIONS))
}

/// The form that says what a room is. Some clients read the first form of an answer alone, so it comes first.
pub fn form(channel: &Channel, live: LiveState<'_>) -> Tag {
    let topic = channel.kept().topic.as_ref().map(|topic| topic.text.clone()).filter(|text| !text.is_empty());
    let count = channel.occupant_count(live.seats).to_string();
    let activity = channel.messages_per_hour(live.now).map(|number| format!("{number:.2}"));
    let now = [
        ("muc#roominfo_occupants", vec![count]),
        ("muc#roominfo_subject", topic.into_iter().collect()),
        (ACTIVITY, activity.into_iter().collect()),
    ];
    let fields = settled(channel).into_iter().chain(now);
    let field = |var: &str, values: &[String]| {
        Tag::new("field").attr("var", var).children(values.iter().map(|value| Tag::new("value").text(value)))
    };
    let stated = fields.filter(|(_, values)| !values.is_empty()).map(|(var, values)| field(var, &values));
    Tag::in_ns("x", ns::FORM).attr("type", "result").child(form_type(ns::MUC_ROOMINFO)).children(stated)
}

/// XEP-0045 §10.2.1: what everybody in a room is told of when it changes: its features, its form, its picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    features: Vec<&'static str>,
    fields: Vec<(&'static str, Vec<String>)>,
    picture: Option<String>,
    shows_jids: bool,
}

impl Told {
    /// As it is now.
    pub fn of(channel: &Channel) -> Told {
        Told {
            features: features(channel).collect(),
            fields: settled(channel),
            picture: channel.item(Node::AvatarMetadata).map(|item| item.id.clone()),
            shows_jids: channel.settings().shows_jids(),
        }
    }

    /// Whether occupants are something else to the room than before, or seen otherwise: who is heard, or who sees JIDs.
    pub fn shows_others(&self, before: &Told) -> bool {
        let is_moderated = |told: &Told| told.features.contains(&"muc_moderated");
        self.shows_jids != before.shows_jids || is_moderated(self) != is_moderated(before)
    }

    /// The SHA-1 of the picture, in hex, where it is another one than before: blank where there is none any more.
    pub fn other_picture(&self, before: &Told) -> Option<String> {
        let hash = |told: &Told| {
            let field = told.fields.iter().find(|(var, _)| *var == "muc#roominfo_avatarhash");
            field.and_then(|(_, values)| values.first().cloned()).unwrap_or_default()
        };
        Some(hash(self)).filter(|now| *now != hash(before))
    }

    /// XEP-0045 §15.6.2: the status codes of what differs.
    pub fn codes(&self, before: &Told) -> Vec<u16> {
        let is_of_jids = |feature: &&str| matches!(*feature, "muc_nonanonymous" | "muc_semianonymous");
        let others = |told: &Told| {
            let features: Vec<&str> = told.features.iter().copied().filter(|it| !is_of_jids(it)).collect();
            let fields: Vec<_> = told.fields.iter().filter(|(var, _)| *var != WHOIS).cloned().collect();
            (features, fields, told.picture.clone())
        };
        let of_jids = (self.shows_jids != before.shows_jids).then_some(if self.shows_jids { 172 } else { 173 });
        of_jids.into_iter().chain((others(self) != others(before)).then_some(104)).collect()
    }
}

/// XEP-0502: how many messages come in an hour.
const ACTIVITY: &str = "{urn:xmpp:muc-activity}message-activity";
const WHOIS: &str = "muc#roomconfig_whois";

/// The fields that settings and information decide.
fn settled(channel: &Channel) -> Vec<(&'static str, Vec<String>)> {
    let flag = |is: bool| vec![if is { "1" } else { "0" }.to_owned()];
    let text = |text: &str| vec![text.to_owned()];
    let info = channel.info();
    let (settings, shown) = (channel.settings(), channel.settings().room.shown_roles);
    let shown = ROLES.iter().zip([shown.moderators, shown.participants, shown.visitors]);
    let shown = shown.filter(|(_, is_shown)| *is_shown).map(|((role, _), _)| (*role).to_owned()).collect();
    vec![
        ("muc#roomconfig_roomname", text(&channel.title())),
        ("muc#roominfo_description", joined(&information::values(info, "Description"))),
        ("muc#roominfo_avatarhash", channel.picture_hash().map(str::to_owned).into_iter().collect()),
        ("muc#roominfo_contactjid", information::values(info, "Contact")),
        ("muc#roominfo_lang", settings.room.lang.iter().cloned().collect()),
        ("muc#roominfo_changesubject", flag(lets_all_set_subject(channel))),
        ("muc#roominfo_subjectmod", flag(lets_all_set_subject(channel))),
        ("muc#roominfo_slow_mode_duration", text(&settings.room.slow_mode_s.unwrap_or(0).to_string())),
        ("muc#maxhistoryfetch", text(&settings.room.history_max.unwrap_or(HISTORY_ROWS_MAX).to_string())),
        ("muc#roomconfig_changesubject", flag(lets_all_set_subject(channel))),
        ("muc#roomconfig_allowinvites", flag(settings.members_add)),
        ("muc#roomconfig_membersonly", flag(channel.is_for_members())),
        ("muc#roomconfig_moderatedroom", flag(settings.room.moderated)),
        ("muc#roomconfig_allowpm", text(private_messages(settings.private_messages))),
        ("muc#roomconfig_presencebroadcast", shown),
        (WHOIS, text(if settings.shows_jids() { "anyone" } else { "moderators" })),
    ]
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

/// A text of some lines.
fn joined(lines: &[String]) -> Vec<String> {
    if lines.is_empty() { Vec::new() } else { vec![lines.join("\n")] }
}
