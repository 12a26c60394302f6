//! XEP-0045 §10.2: the form that owners configure a room with: a row for each field, with what it is of the channel.
//!
//! Clients send whole forms, with values of some time ago. So a field that says what is in force changes nothing, and one
//! that is absent stays.

use super::fields::{Reading, accounts, one_number, one_truth, visibility};
use super::{ROLES, lets_all_set_subject, private_messages};
use crate::channel::command::RoomWish;
use crate::channel::group::{Configuration, Patch};
use crate::channel::room::HISTORY_ROWS_MAX;
use crate::channel::{Access, Channel, Limits, PrivateMessages, Refusal};
use crate::xep::forms::form_type;
use crate::xep::information;
use crate::xmpp::{Parts, Tag, ns};
use jid::BareJid;
use minidom::Element;

/// Who may send private messages.
const WRITERS: [(&str, &str); 4] = [
    ("anyone", "Anyone"),
    ("participants", "Anyone with Voice"),
    ("moderators", "Moderators Only"),
    ("none", "Nobody"),
];
/// Who sees JIDs.
const SEERS: [(&str, &str); 2] = [("moderators", "Moderators Only"), ("anyone", "Anyone")];
/// The field of whether there is a password.
const PROTECTED: &str = "muc#roomconfig_passwordprotectedroom";
/// The field of how many occupants there may be. Any number is taken, whatever it offers.
const SEATS: &str = "muc#roomconfig_maxusers";
/// What groups are, or what the service settles for them.
const FIXED_IN_GROUPS: [&str; 6] = [
    "muc#roomconfig_changesubject",
    "muc#roomconfig_getmemberlist",
    "muc#roomconfig_publicroom",
    "muc#roomconfig_membersonly",
    "muc#roomconfig_persistentroom",
    "muc#roomconfig_whois",
];
/// How many occupants clients offer.
const CROWDS: [usize; 9] = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/// One field of the form.
pub struct Field {
    /// Its name.
    pub var: &'static str,
    kind: &'static str,
    label: &'static str,
    /// The values in force.
    pub values: Vec<String>,
    options: Vec<(String, String)>,
}

/// The form with the values in force.
pub fn form(channel: &Channel, limits: &Limits) -> Tag {
    let value = |text: &str| Tag::new("value").text(text);
    let field = |field: Field| {
        let options =
            field.options.iter().map(|(name, label)| Tag::new("option").attr("label", label).child(value(name)));
        let tag = Tag::new("field").attr("var", field.var).attr("type", field.kind).attr("label", field.label);
        tag.children(field.values.iter().map(|text| value(text))).children(options)
    };
    let title = Tag::new("title").text(["Configuration of ", &channel.title()].concat());
    let form = Tag::in_ns("x", ns::FORM).attr("type", "form").child(title).child(form_type(ns::MUC_ROOMCONFIG));
    form.children(fields(channel, limits).into_iter().map(field))
}

/// The fields of a channel.
pub fn fields(channel: &Channel, limits: &Limits) -> Vec<Field> {
    let (settings, rights, info) = (channel.settings(), channel.rights(), channel.info());
    let room = &settings.room;
    let field = |var, kind, label, values: Vec<String>| Field { var, kind, label, values, options: Vec::new() };
    let text = |var, label, text: &str| {
        field(var, "text-single", label, if text.is_empty() { Vec::new() } else { vec![text.to_owned()] })
    };
    let truth = |var, label, holds: bool| field(var, "boolean", label, vec![if holds { "1" } else { "0" }.to_owned()]);
    let some = |var, kind, label, values: Vec<String>, options: &[(&str, &str)]| {
        let options = options.iter().map(|(name, label)| ((*name).to_owned(), (*label).to_owned())).collect();
        Field { options, ..field(var, kind, label, values) }
    };
    let jids = |jids: &[BareJid]| jids.iter().map(|jid| jid.to_string()).collect::<Vec<_>>();
    let whois = if settings.shows_jids() { "anyone" } else { "moderators" };
    let secret = room.password.as_ref().map_or("", |password| password.as_str());
    let shown = [room.shown_roles.moderators, room.shown_roles.participants, room.shown_roles.visitors];
    let shown = ROLES.iter().zip(shown).filter(|(_, is_shown)| *is_shown).map(|((role, _), _)| (*role).to_owned());
    let seats_max = room.seats_max.unwrap_or(limits.muc.occupants_max);
    let history_max = room.history_max.unwrap_or(HISTORY_ROWS_MAX);
    vec![
        text("muc#roomconfig_roomname", "Name", channel.label().unwrap_or_default()),
        text("muc#roomconfig_roomdesc", "Description", &information::values(info, "Description").join("\n")),
        text("muc#roomconfig_lang", "Language of Discussion", room.lang.as_deref().unwrap_or_default()),
        truth("muc#roomconfig_changesubject", "Occupants May Change the Subject", lets_all_set_subject(channel)),
        truth("muc#roomconfig_allowinvites", "Members May Invite Others", settings.members_add),
        some(
            "muc#roomconfig_allowpm",
            "list-single",
            "Who May Send Private Messages",
            vec![private_messages(settings.private_messages).to_owned()],
            &WRITERS,
        ),
        crowd(seats_max, limits.muc.occupants_max),
        some(
            "muc#roomconfig_presencebroadcast",
            "list-multi",
            "Roles for Which Presence Is Broadcast",
            shown.collect(),
            &ROLES,
        ),
        some(
            "muc#roomconfig_getmemberlist",
            "list-multi",
            "Roles That May Retrieve the Member List",
            readers(settings.access.participants).iter().map(|(role, _)| (*role).to_owned()).collect(),
            &ROLES,
        ),
        truth("muc#roomconfig_publicroom", "Can Be Found by Everybody", channel.profile().listed),
        truth("muc#roomconfig_persistentroom", "Stays When Its Last Occupant Leaves", !room.temporary),
        truth("muc#roomconfig_moderatedroom", "Moderated", room.moderated),
        truth("muc#roomconfig_membersonly", "For Members Only", channel.is_for_members()),
        truth(PROTECTED, "A Password Is Required to Enter", room.password.is_some()),
        Field { kind: "text-private", ..text("muc#roomconfig_roomsecret", "Password", secret) },
        some("muc#roomconfig_whois", "list-single", "Who Sees the JIDs of Occupants", vec![whois.to_owned()], &SEERS),
        text("muc#maxhistoryfetch", "Messages of History at Most", &history_max.to_string()),
        text(SLOW_MODE, "Seconds Between Two Messages of One Occupant", &room.slow_mode_s.unwrap_or(0).to_string()),
        truth(MENTIONS, "Forward Messages with Mentions to Members Who Are Away", room.forward_mentions),
        field("muc#roomconfig_roomadmins", "jid-multi", "Admins", jids(&rights.admins)),
        field("muc#roomconfig_roomowners", "jid-multi", "Owners", jids(&rights.owners)),
        text(RETENTION, "Days After Which Messages Are Deleted; 0 for Never", &settings.retention_days.to_string()),
    ]
}

/// The service's own field beside those of XEP-0045, as the form of XEP-0406 has it.
const RETENTION: &str = "{urn:mixd:group:1}retention-days";

/// XEP-0500 §4.
const SLOW_MODE: &str = "muc#roomconfig_slow_mode_duration";

/// XEP-0452 §3.1.
const MENTIONS: &str = "muc#roomconfig_forwardmentions";

/// How many occupants there may be.
fn crowd(seats_max: usize, max: usize) -> Field {
    let mut sizes: Vec<usize> = CROWDS.iter().copied().filter(|size| *size < max).chain([seats_max, max]).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let options = sizes.into_iter().map(|size| (size.to_string(), size.to_string())).collect();
    let (var, label) = (SEATS, "Occupants at Most");
    Field { var, kind: "list-single", label, values: vec![seats_max.to_string()], options }
}

/// Those who may retrieve the member list, as roles. Owners may always.
fn readers(access: Access) -> &'static [(&'static str, &'static str)] {
    match access {
        Access::Nobody | Access::Owners => &[],
        Access::Admins => &ROLES[..1],
        Access::Participants | Access::Allowed | Access::Anyone => &ROLES,
    }
}

/// Reads a form that was submitted. Fields that it does not have stay as they are, and unknown ones are ignored.
///
/// # Errors
/// [`Refusal::Unacceptable`] for a value that the field cannot have here, [`Refusal::BadRequest`] for a form of another
/// type.
pub fn read(form: &Element, channel: &Channel, limits: &Limits) -> Result<RoomWish, Refusal> {
    let shown = fields(channel, limits);
    let mut reading = Reading::of(channel);
    for element in form.parts().filter(|child| child.name() == "field") {
        let var = element.attr("var").unwrap_or_default();
        let values: Vec<String> = element.parts().filter(|child| child.name() == "value").map(Element::text).collect();
        if var == "FORM_TYPE" && values.first().is_some_and(|text| text != ns::MUC_ROOMCONFIG) {
            return Err(Refusal::BadRequest("this form is not one of a room's configuration".into()));
        }
        let Some(field) = shown.iter().find(|field| field.var == var) else { continue };
        // Whether there is a password is settled by two fields together.
        let counts_always = var == PROTECTED;
        if counts_always || !says_same(field, &values) {
            take(&mut reading, field, &values, channel)?;
        }
    }
    reading.finish(channel, limits)
}

/// Refuses what the field cannot be here.
fn check(field: &Field, values: &[String], channel: &Channel) -> Result<(), Refusal> {
    let invalid = |why: &str| Err(Refusal::Unacceptable { field: field.var, why: why.to_owned() });
    if channel.is_group() && FIXED_IN_GROUPS.contains(&field.var) {
        return invalid("this is fixed in groups");
    }
    let is_option = |value: &String| field.options.iter().any(|(name, _)| name == value.trim());
    let is_one_of_some = field.kind.starts_with("list") && field.var != SEATS;
    if is_one_of_some && (!values.iter().all(is_option) || (field.kind == "list-single" && values.is_empty())) {
        return invalid("expected values of those that it offers");
    }
    Ok(())
}

/// Takes a field whose value differs from the one in force.
fn take(reading: &mut Reading<'_>, field: &Field, values: &[String], channel: &Channel) -> Result<(), Refusal> {
    check(field, values, channel)?;
    let one = values.first().map_or("", |value| value.trim());
    let var = field.var;
    let has = |role: &str| values.iter().any(|value| value.trim() == role);
    let invalid = |why: &str| Err(Refusal::Unacceptable { field: var, why: why.to_owned() });
    let Reading { wanted: Configuration { owners, admins, patch, allowed, .. }, room, info, secret, .. } = reading;
    match var {
        "muc#roomconfig_roomname" if channel.is_group() && one.is_empty() => return invalid("a group has a name"),
        "muc#roomconfig_roomname" => drop(info.insert("Name", some_line(one))),
        "muc#roomconfig_roomdesc" => drop(info.insert("Description", lines(values))),
        "muc#roomconfig_lang" => room.lang = some_line(one).pop(),
        "muc#roomconfig_changesubject" => {
            reading.grants.subject = if one_truth(var, values)? { Access::Participants } else { Access::Admins };
        }
        "muc#roomconfig_allowinvites" => patch.members_add = Some(one_truth(var, values)?),
        "muc#roomconfig_allowpm" => {
            patch.private_messages = Some(match one {
                "none" => PrivateMessages::Nobody,
                "participants" => PrivateMessages::Participants,
                "moderators" => PrivateMessages::Moderators,
                _ => PrivateMessages::Anyone,
            });
        }
        SEATS if one.is_empty() || one == "none" => room.seats_max = None,
        SEATS => room.seats_max = Some(one_number(var, values)?),
        "muc#roomconfig_presencebroadcast" => {
            let shown = &mut room.shown_roles;
            (shown.moderators, shown.participants, shown.visitors) =
                (has("moderator"), has("participant"), has("visitor"));
        }
        "muc#roomconfig_getmemberlist" => {
            reading.access.participants = match () {
                () if has("participant") || has("visitor") => Access::Participants,
                () if has("moderator") => Access::Admins,
                () => Access::Nobody,
            };
        }
        "muc#roomconfig_publicroom" => room.listed = Some(one_truth(var, values)?),
        "muc#roomconfig_persistentroom" => room.temporary = !one_truth(var, values)?,
        "muc#roomconfig_moderatedroom" => room.moderated = one_truth(var, values)?,
        "muc#roomconfig_membersonly" => *allowed = Some(one_truth(var, values)?),
        PROTECTED => reading.is_protected = Some(one_truth(var, values)?),
        "muc#roomconfig_roomsecret" => *secret = Some(values.first().cloned().unwrap_or_default()),
        "muc#roomconfig_whois" => patch.visibility = Some(visibility(one)),
        "muc#maxhistoryfetch" => room.history_max = Some(one_number(var, values)?),
        SLOW_MODE => room.slow_mode_s = Some(one_number(var, values)?).filter(|seconds| *seconds > 0),
        MENTIONS => room.forward_mentions = one_truth(var, values)?,
        "muc#roomconfig_roomadmins" => *admins = Some(accounts(var, values)?),
        "muc#roomconfig_roomowners" => {
            *owners = Some(accounts(var, values)?);
            if owners.as_ref().is_some_and(Vec::is_empty) {
                return invalid("a room has an owner always");
            }
        }
        RETENTION => *patch = Patch { retention_days: Some(one_number(var, values)?), ..std::mem::take(patch) },
        _ => {}
    }
    Ok(())
}

fn some_line(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { vec![text.to_owned()] }
}

/// The lines of a text, which may be one value or a value each.
fn lines(values: &[String]) -> Vec<String> {
    let lines: Vec<String> = values.iter().flat_map(|value| value.split('\n')).map(str::to_owned).collect();
    if lines.iter().all(|line| line.trim().is_empty()) { Vec::new() } else { lines }
}

/// Whether a field has the values that are in force. A client may send an empty value for a field that has none.
fn says_same(field: &Field, values: &[String]) -> bool {
    let plain = |text: &str| match (field.kind, text) {
        ("boolean", "true") => "1".to_owned(),
        ("boolean", "false") => "0".to_owned(),
        _ => text.to_owned(),
    };
    let stated = values.iter().filter(|text| !text.is_empty());
    let mut stated: Vec<String> =
        stated.map(|text| if is_text(field) { text.clone() } else { plain(text.trim()) }).collect();
    if field.kind != "list-multi" {
        return stated == field.values;
    }
    stated.sort_unstable();
    stated.dedup();
    // The roles are in this order.
    stated == field.values
}

fn is_text(field: &Field) -> bool {
    matches!(field.kind, "text-single" | "text-private")
}
