//! XEP-0406 §2.4: the form of the configuration node, with a channel's settings and roles.

use super::forms::form_type;
use super::group_tags::{access, access_of};
use crate::channel::group::Configuration;
use crate::channel::limits::Rank;
use crate::channel::{
    Access, Channel, Grants, Limits, Node, NodeAccess, NodeSet, PrivateMessages, Refusal, Stamp, Visibility,
};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::BareJid;
use minidom::Element;

/// The names of the nodes in 'Nodes Present'.
const NODES: [(&str, Node); 7] = [
    ("participants", Node::Participants),
    ("presence", Node::Presence),
    ("information", Node::Info),
    ("allowed", Node::Allowed),
    ("banned", Node::Banned),
    ("jidmap-visible", Node::JidMap),
    ("avatar", Node::AvatarMetadata),
];
/// Who may subscribe to the nodes that every participant may read.
const OPEN: &[Access] = &[Access::Participants, Access::Allowed, Access::Anyone];
/// Who may subscribe to the participants node.
const PEOPLE: &[Access] =
    &[Access::Participants, Access::Allowed, Access::Anyone, Access::Nobody, Access::Admins, Access::Owners];
/// Who may subscribe to the nodes of those who administer the channel.
const CLOSED: &[Access] = &[Access::Participants, Access::Allowed, Access::Nobody, Access::Admins, Access::Owners];
/// Who may write to a node.
const WRITERS: &[Access] = &[Access::Participants, Access::Admins, Access::Owners];
/// Who may retract the messages of others.
const MODERATORS: &[Access] = &[Access::Nobody, Access::Admins, Access::Owners];

/// The service's own field beside those of XEP-0406: the days after which messages are deleted. 0 keeps them as long as
/// the service does.
const RETENTION: &str = "{urn:mixd:group:1}retention-days";

/// One field of the form.
struct Field {
    var: &'static str,
    kind: &'static str,
    values: Vec<String>,
    options: Vec<&'static str>,
}

fn field(var: &'static str, kind: &'static str, values: impl IntoIterator<Item = String>) -> Field {
    Field { var, kind, values: values.into_iter().collect(), options: Vec::new() }
}

/// The item of the configuration node, with the values in force. Those who may change them get a form to fill in,
/// others a result.
pub fn item(channel: &Channel, limits: &Limits, changeable: bool) -> Tag {
    Tag::new("item").attr("id", channel.configuration_id()).child(form(channel, limits, changeable))
}

/// The form in that item.
pub fn form(channel: &Channel, limits: &Limits, changeable: bool) -> Tag {
    let value = |text: &str| Tag::new("value").text(text);
    let fields = fields(channel, limits).into_iter().map(|field| {
        let tag = Tag::new("field").attr("var", field.var).attr("type", field.kind);
        let tag = tag.attr_opt("label", changeable.then_some(field.var));
        let options = field.options.into_iter().filter(|_| changeable);
        let options = options.map(|option| Tag::new("option").attr("label", option).child(value(option)));
        tag.children(field.values.iter().map(|text| value(text))).children(options)
    });
    let title = changeable.then(|| Tag::new("title").text("Configuration Node Modification"));
    let form = Tag::in_ns("x", ns::FORM).attr("type", if changeable { "form" } else { "result" });
    form.child_opt(title).child(form_type(ns::MIX_ADMIN)).children(fields)
}

fn fields(channel: &Channel, limits: &Limits) -> Vec<Field> {
    let (rights, settings) = (channel.rights(), channel.settings());
    let nodes = &settings.access;
    let choice = |var, value: &str, options: Vec<&'static str>| Field {
        options,
        ..field(var, "list-single", [value.to_owned()])
    };
    let one = |var, value: Access, options: &[Access]| {
        choice(var, access(value), options.iter().map(|option| access(*option)).collect())
    };
    let truth = |var, holds: bool| field(var, "boolean", [holds.to_string()]);
    let jids = |jids: &[BareJid]| jids.iter().map(|jid| jid.to_string()).collect::<Vec<_>>();
    let (grants, retraction) = (grants_in_force(channel, limits), limits.features.retraction);
    let present = NODES.into_iter().filter(|(_, node)| channel.has(*node)).map(|(name, _)| name.to_owned());
    let nodes_present = field("Nodes Present", "list-multi", present);
    let moderation = if retraction { grants.moderate } else { Access::Nobody };
    let visibilities = VISIBILITIES.iter().map(|(name, _)| *name).collect();
    vec![
        field("Last Change Made By", "jid-single", channel.item(Node::Config).and_then(|item| item.label.clone())),
        field("Owner", "jid-multi", jids(&rights.owners)),
        field("Administrator", "jid-multi", jids(&rights.admins)),
        field("End of Life", "text-single", settings.end_of_life.map(Stamp::to_xmpp)),
        Field { options: NODES.iter().map(|(name, _)| *name).collect(), ..nodes_present },
        one("Messages Node Subscription", nodes.messages, OPEN),
        one("Presence Node Subscription", nodes.presence, OPEN),
        one("Participants Node Subscription", nodes.participants, PEOPLE),
        one("Information Node Subscription", nodes.information, OPEN),
        one("Allowed Node Subscription", nodes.allowed, CLOSED),
        one("Banned Node Subscription", nodes.banned, CLOSED),
        one("Configuration Node Access", nodes.configuration, CLOSED),
        one("Information Node Update Rights", grants.describe, WRITERS),
        one("Avatar Nodes Update Rights", grants.picture, WRITERS),
        truth("Open Presence", settings.open_presence),
        truth("Participants Must Provide Presence", settings.presence_required),
        truth("User Message Retraction", retraction && grants.retract_own),
        one("Administrator Message Retraction Rights", moderation, MODERATORS),
        truth("Participation Addition by Invitation from Participant", settings.members_add),
        truth("Private Messages", settings.private_messages.are_passed_on()),
        truth("Mandatory Nicks", true),
        choice("JID Visibility", visibility_name(settings.visibility), visibilities),
        field(RETENTION, "text-single", [settings.retention_days.to_string()]),
    ]
}

/// Who may do what. In groups the service settles it.
fn grants_in_force(channel: &Channel, limits: &Limits) -> Grants {
    let rights = &limits.groups.rights;
    let of_rank = |rank: Rank| match rank {
        Rank::Member => Access::Participants,
        Rank::Admin => Access::Admins,
        Rank::Owner => Access::Owners,
    };
    match channel.is_group() {
        false => channel.settings().grants,
        true => Grants {
            describe: of_rank(rights.rename),
            picture: of_rank(rights.picture),
            moderate: of_rank(rights.moderate).min(Access::Admins),
            retract_own: rights.retract == Rank::Member,
            subject: of_rank(rights.rename),
        },
    }
}

/// Reads a form that was published to the configuration node. Fields that it leaves out stay as they are. A client may
/// send back fields that it may not change, as long as their values are those it was shown.
///
/// # Errors
/// [`Refusal::Unsupported`] for a field that the service does not know or settles itself, [`Refusal::Invalid`] for a
/// value that the field does not have.
pub fn read(item: &Element, channel: &Channel, limits: &Limits) -> Result<Configuration, Refusal> {
    let form = item.part("x", ns::FORM);
    let form = form.ok_or_else(|| Refusal::BadRequest("the configuration node takes a data form".into()))?;
    let shown = fields(channel, limits);
    let mut reading = Reading {
        wanted: Configuration::default(),
        nodes: channel.settings().access,
        grants: grants_in_force(channel, limits),
    };
    for element in form.parts().filter(|child| child.name() == "field") {
        let var = element.attr("var").unwrap_or_default();
        let values = element.parts().filter(|child| child.name() == "value").map(Element::text);
        let values: Vec<String> = values.map(|text| text.trim().to_owned()).collect();
        match shown.iter().find(|field| field.var == var) {
            Some(field) if says_same(field, &values) => {}
            _ => reading.take(var, &values, limits)?,
        }
    }
    let Reading { mut wanted, nodes, grants } = reading;
    // A form that says yes to who is known to be more than nobody changes nothing.
    let private_messages = channel.settings().private_messages;
    let is_other = |wanted: &PrivateMessages| wanted.are_passed_on() != private_messages.are_passed_on();
    wanted.patch.private_messages = wanted.patch.private_messages.filter(is_other);
    wanted.patch.access = Some(nodes).filter(|nodes| *nodes != channel.settings().access);
    wanted.patch.grants = Some(grants).filter(|grants| *grants != grants_in_force(channel, limits));
    Ok(wanted)
}

/// A form that is being read.
struct Reading {
    wanted: Configuration,
    nodes: NodeAccess,
    grants: Grants,
}

impl Reading {
    /// Takes a field whose value differs from the one in force.
    fn take(&mut self, var: &str, values: &[String], limits: &Limits) -> Result<(), Refusal> {
        let Reading { wanted: Configuration { owners, admins, patch, .. }, nodes, grants } = self;
        match var {
            // `channel` names the channel, where the form goes to the service.
            "FORM_TYPE" | "Last Change Made By" | "channel" => {}
            "Owner" => *owners = Some(accounts("Owner", values)?),
            "Administrator" => *admins = Some(accounts("Administrator", values)?),
            "End of Life" => patch.end_of_life = Some(one_time("End of Life", values)?),
            "Nodes Present" => read_nodes(values, &mut self.wanted)?,
            "Messages Node Subscription" => nodes.messages = one_of(OPEN, "Messages Node Subscription", values)?,
            "Presence Node Subscription" => nodes.presence = one_of(OPEN, "Presence Node Subscription", values)?,
            "Participants Node Subscription" => {
                nodes.participants = one_of(PEOPLE, "Participants Node Subscription", values)?;
            }
            "Information Node Subscription" => {
                nodes.information = one_of(OPEN, "Information Node Subscription", values)?;
            }
            "Allowed Node Subscription" => nodes.allowed = one_of(CLOSED, "Allowed Node Subscription", values)?,
            "Banned Node Subscription" => nodes.banned = one_of(CLOSED, "Banned Node Subscription", values)?,
            "Configuration Node Access" => nodes.configuration = one_of(CLOSED, "Configuration Node Access", values)?,
            "Information Node Update Rights" => {
                grants.describe = one_of(WRITERS, "Information Node Update Rights", values)?;
            }
            "Avatar Nodes Update Rights" => grants.picture = one_of(WRITERS, "Avatar Nodes Update Rights", values)?,
            "Open Presence" => patch.open_presence = Some(one_truth("Open Presence", values)?),
            "Participants Must Provide Presence" => {
                patch.presence_required = Some(one_truth("Participants Must Provide Presence", values)?);
            }
            "User Message Retraction" | "Administrator Message Retraction Rights" if !limits.features.retraction => {
                return Err(Refusal::FeatureOff("retraction"));
            }
            "User Message Retraction" => grants.retract_own = one_truth("User Message Retraction", values)?,
            "Administrator Message Retraction Rights" => {
                grants.moderate = one_of(MODERATORS, "Administrator Message Retraction Rights", values)?;
            }
            "Participation Addition by Invitation from Participant" => {
                let holds = one_truth("Participation Addition by Invitation from Participant", values)?;
                patch.members_add = Some(holds);
            }
            "Private Messages" => {
                patch.private_messages = Some(PrivateMessages::of(one_truth("Private Messages", values)?))
            }
            // XEP-0406 §3.2 has this field in its examples, with the opposite meaning.
            "No Private Messages" => {
                patch.private_messages = Some(PrivateMessages::of(!one_truth("No Private Messages", values)?));
            }
            "Mandatory Nicks" if one_truth("Mandatory Nicks", values)? => {}
            "Mandatory Nicks" => {
                return Err(Refusal::Unsupported("every participant has a nick here: who states none gets one".into()));
            }
            "JID Visibility" => patch.visibility = Some(one_visibility(values)?),
            RETENTION => patch.retention_days = Some(one_number_of_days(RETENTION, values)?),
            _ => return Err(Refusal::Unsupported(format!("there is no option '{var}'"))),
        }
        Ok(())
    }
}

/// 'Nodes Present' switches nodes on and off.
fn read_nodes(values: &[String], wanted: &mut Configuration) -> Result<(), Refusal> {
    let named = |name: &str| match name {
        "jidmap" => Some(Node::JidMap),
        "info" => Some(Node::Info),
        name => NODES.iter().find(|(known, _)| *known == name).map(|(_, node)| *node),
    };
    let mut present = NodeSet::default();
    for name in values.iter().filter(|name| !name.is_empty()) {
        let unknown = || Refusal::Unsupported(format!("a channel here has no node '{name}'"));
        present.insert(named(name).ok_or_else(unknown)?);
    }
    (wanted.allowed, wanted.banned) = (Some(present.contains(Node::Allowed)), Some(present.contains(Node::Banned)));
    wanted.patch.presence = Some(present.contains(Node::Presence));
    // The map of JIDs is not switched here: it follows 'JID Visibility'. The picture has two nodes.
    if present.contains(Node::AvatarMetadata) {
        present.insert(Node::AvatarData);
    }
    let switched = [Node::Participants, Node::Info, Node::AvatarMetadata, Node::AvatarData];
    wanted.patch.switched_off = Some(switched.into_iter().filter(|node| !present.contains(*node)).collect());
    Ok(())
}

fn invalid(field: &'static str, expected: &str) -> Refusal {
    Refusal::Invalid { field, why: format!("expected {expected}") }
}

fn accounts(field: &'static str, values: &[String]) -> Result<Vec<BareJid>, Refusal> {
    let account = |text: &String| address::bare_jid(text).ok().filter(|jid| jid.node().is_some());
    let accounts = values.iter().filter(|text| !text.is_empty()).map(account).collect::<Option<Vec<_>>>();
    accounts.ok_or_else(|| invalid(field, "bare JIDs of accounts"))
}

/// The modes of JID visibility, by names made after the one example that XEP-0406 has.
const VISIBILITIES: [(&str, Visibility); 3] = [
    ("jid-mandatory-visible", Visibility::Visible),
    ("jid-optionally-visible", Visibility::Maybe),
    ("jid-hidden", Visibility::Hidden),
];

fn visibility_name(visibility: Visibility) -> &'static str {
    VISIBILITIES.iter().find(|(_, known)| *known == visibility).map_or("", |(name, _)| *name)
}

fn one_visibility(values: &[String]) -> Result<Visibility, Refusal> {
    let found = VISIBILITIES.iter().find(|(name, _)| values.first().is_some_and(|value| value == name));
    let expected = || invalid("JID Visibility", "jid-mandatory-visible, jid-optionally-visible or jid-hidden");
    found.map(|(_, visibility)| *visibility).ok_or_else(expected)
}

fn one_truth(field: &'static str, values: &[String]) -> Result<bool, Refusal> {
    let truth = [("true", true), ("1", true), ("false", false), ("0", false)];
    let found = truth.iter().find(|(text, _)| values.first().is_some_and(|value| value == text));
    Ok(found.ok_or_else(|| invalid(field, "true or false"))?.1)
}

fn one_of(options: &[Access], field: &'static str, values: &[String]) -> Result<Access, Refusal> {
    let found = values.first().and_then(|text| access_of(text)).filter(|found| options.contains(found));
    let names = || options.iter().map(|option| access(*option)).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| invalid(field, &format!("one of: {}", names())))
}

fn one_number_of_days(field: &'static str, values: &[String]) -> Result<u64, Refusal> {
    let number = values.first().and_then(|text| text.parse().ok());
    number.ok_or_else(|| invalid(field, "a number of days"))
}

/// A time. `None` where the field is blank.
fn one_time(field: &'static str, values: &[String]) -> Result<Option<Stamp>, Refusal> {
    let text = values.first().map(String::as_str).unwrap_or_default();
    let wrong = || invalid(field, "a date and time such as 2030-01-31T12:00:00Z (XEP-0082)");
    if text.is_empty() { Ok(None) } else { Stamp::from_xmpp(text).map(Some).ok_or_else(wrong) }
}

/// Whether a field has the values that were shown.
fn says_same(field: &Field, values: &[String]) -> bool {
    let plain = |text: &String| match (field.kind, &**text) {
        ("boolean", "1") => "true".to_owned(),
        ("boolean", "0") => "false".to_owned(),
        _ => text.clone(),
    };
    // A client may send an empty value for a field that has none.
    let stated: Vec<String> = values.iter().filter(|text| !text.is_empty()).map(plain).collect();
    field.values == stated
}
