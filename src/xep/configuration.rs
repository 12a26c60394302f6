//! The form of the configuration node (XEP-0406 §3.1.1): what a channel's settings and roles are called there.

use super::group_tags::{access, access_of};
use crate::channel::group::{Configuration, Patch};
use crate::channel::limits::Rank;
use crate::channel::{Channel, Limits, Node, NodeAccess, Refusal, Visibility};
use crate::xmpp::{Tag, ns};
use jid::BareJid;
use minidom::Element;

/// Nodes that every channel has, by their names in this form.
const FIXED_NODES: [&str; 3] = ["participants", "information", "avatar"];

/// One field of the form.
struct Field {
    var: &'static str,
    kind: &'static str,
    values: Vec<String>,
}

fn field(var: &'static str, kind: &'static str, values: impl IntoIterator<Item = String>) -> Field {
    Field { var, kind, values: values.into_iter().collect() }
}

/// The item of the configuration node: its form with the values in force.
pub fn item(channel: &Channel, limits: &Limits) -> Tag {
    let value = |text: &String| Tag::new("value").text(text);
    let form_type = Tag::new("field").attr("var", "FORM_TYPE").attr("type", "hidden");
    let form_type = form_type.child(value(&ns::MIX_ADMIN.to_owned()));
    let fields = fields(channel, limits).into_iter().map(|field| {
        let tag = Tag::new("field").attr("var", field.var).attr("type", field.kind).attr("label", field.var);
        tag.children(field.values.iter().map(value))
    });
    let form = Tag::in_ns("x", ns::FORM).attr("type", "form").child(form_type).children(fields);
    Tag::new("item").attr("id", channel.configuration_id()).child(form)
}

fn fields(channel: &Channel, limits: &Limits) -> Vec<Field> {
    let (rights, settings) = (channel.rights(), channel.settings());
    let one = |var, text: &str| field(var, "list-single", [text.to_owned()]);
    let truth = |var, holds: bool| field(var, "boolean", [holds.to_string()]);
    let jids = |jids: &[BareJid]| jids.iter().map(|jid| jid.to_string()).collect::<Vec<_>>();
    let group = channel.is_group().then_some(&limits.groups.rights);
    let rank = |of_group: Option<Rank>| rank_name(of_group.unwrap_or(Rank::Owner));
    let retraction = limits.features.retraction;
    let moderation = match group.map_or(Rank::Admin, |rights| rights.moderate) {
        _ if !retraction => "nobody",
        Rank::Owner => "owners",
        Rank::Admin | Rank::Member => "admins",
    };
    let last_change = channel.item(Node::Config).and_then(|item| item.label.clone());
    vec![
        field("Last Change Made By", "jid-single", last_change),
        field("Owner", "jid-multi", jids(&rights.owners)),
        field("Administrator", "jid-multi", jids(&rights.admins)),
        field("Nodes Present", "list-multi", nodes_present(channel)),
        one("Messages Node Subscription", access(settings.access.messages)),
        one("Presence Node Subscription", access(settings.access.presence)),
        one("Participants Node Subscription", access(settings.access.participants)),
        one("Information Node Subscription", access(settings.access.information)),
        one("Allowed Node Subscription", "admins"),
        one("Banned Node Subscription", "admins"),
        one("Configuration Node Access", "admins"),
        one("Information Node Update Rights", rank(group.map(|rights| rights.rename))),
        one("Avatar Nodes Update Rights", rank(group.map(|rights| rights.picture))),
        truth("User Message Retraction", retraction && group.is_none_or(|rights| rights.retract == Rank::Member)),
        one("Administrator Message Retraction Rights", moderation),
        truth("Participation Addition by Invitation from Participant", settings.members_add),
        truth("Private Messages", settings.private_messages),
        truth("Mandatory Nicks", true),
        one("JID Visibility", visibility_name(settings.visibility)),
    ]
}

fn nodes_present(channel: &Channel) -> impl Iterator<Item = String> {
    let name = |node| match node {
        Node::Participants => Some("participants"),
        Node::Info => Some("information"),
        Node::Allowed => Some("allowed"),
        Node::Banned => Some("banned"),
        Node::AvatarMetadata => Some("avatar"),
        Node::Presence => Some("presence"),
        Node::JidMap => Some("jidmap-visible"),
        _ => None,
    };
    channel.nodes().filter_map(name).map(str::to_owned)
}

fn rank_name(rank: Rank) -> &'static str {
    match rank {
        Rank::Member => "participants",
        Rank::Admin => "admins",
        Rank::Owner => "owners",
    }
}

/// What a form published to the configuration node asks for; what it leaves out stays, and a client may send back what it
/// was shown.
///
/// # Errors
/// [`Refusal::Unsupported`] for a field that this service does not know or settles itself, [`Refusal::Invalid`] for a
/// value that the field does not take.
pub fn read(item: &Element, channel: &Channel, limits: &Limits) -> Result<Configuration, Refusal> {
    let form = item.get_child("x", ns::FORM);
    let form = form.ok_or_else(|| Refusal::BadRequest("the configuration node takes a data form".into()))?;
    let shown = fields(channel, limits);
    let mut wanted = Configuration::default();
    let mut nodes = NodeAccess { ..channel.settings().access };
    for element in form.children().filter(|child| child.name() == "field") {
        let var = element.attr("var").unwrap_or_default();
        let values = element.children().filter(|child| child.name() == "value").map(Element::text);
        let values: Vec<String> = values.map(|text| text.trim().to_owned()).collect();
        match var {
            "FORM_TYPE" | "Last Change Made By" => {}
            "Owner" => wanted.owners = Some(accounts("Owner", &values)?),
            "Administrator" => wanted.admins = Some(accounts("Administrator", &values)?),
            "Nodes Present" => read_nodes(&values, &mut wanted)?,
            "Messages Node Subscription" => nodes.messages = one_access("Messages Node Subscription", &values)?,
            "Presence Node Subscription" => nodes.presence = one_access("Presence Node Subscription", &values)?,
            "Participants Node Subscription" => {
                nodes.participants = one_access("Participants Node Subscription", &values)?;
            }
            "Information Node Subscription" => {
                nodes.information = one_access("Information Node Subscription", &values)?;
            }
            "Participation Addition by Invitation from Participant" => {
                let holds = one_truth("Participation Addition by Invitation from Participant", &values)?;
                wanted.patch.members_add = Some(holds);
            }
            "Private Messages" => wanted.patch.private_messages = Some(one_truth("Private Messages", &values)?),
            // XEP-0406's examples say it the other way round.
            "No Private Messages" => {
                wanted.patch.private_messages = Some(!one_truth("No Private Messages", &values)?);
            }
            "JID Visibility" => wanted.patch.visibility = Some(one_visibility(&values)?),
            var => match shown.iter().find(|field| field.var == var) {
                Some(field) if says_same(field, &values) => {}
                Some(_) => return Err(Refusal::Unsupported(format!("the service settles '{var}', not the channel"))),
                None => return Err(Refusal::Unsupported(format!("'{var}' cannot be changed"))),
            },
        }
    }
    let settings = channel.settings();
    wanted.patch = Patch {
        members_add: wanted.patch.members_add.filter(|wanted| *wanted != settings.members_add),
        access: Some(nodes).filter(|nodes| *nodes != settings.access),
        private_messages: wanted.patch.private_messages.filter(|wanted| *wanted != settings.private_messages),
        visibility: wanted.patch.visibility.filter(|wanted| *wanted != settings.visibility),
        presence: wanted.patch.presence.filter(|wanted| *wanted != settings.presence),
        ..wanted.patch
    };
    Ok(wanted)
}

fn read_nodes(values: &[String], wanted: &mut Configuration) -> Result<(), Refusal> {
    let known = |name: &str| {
        FIXED_NODES.contains(&name) || ["allowed", "banned", "presence", "jidmap", "jidmap-visible"].contains(&name)
    };
    if let Some(unknown) = values.iter().find(|name| !known(name)) {
        return Err(Refusal::Unsupported(format!("a channel here has no node '{unknown}'")));
    }
    let has = |name: &str| values.iter().any(|value| value == name);
    if let Some(missing) = FIXED_NODES.into_iter().find(|name| !has(name)) {
        return Err(Refusal::Unsupported(format!("every channel here has the node '{missing}'")));
    }
    (wanted.allowed, wanted.banned) = (Some(has("allowed")), Some(has("banned")));
    // Whether there is a map of JIDs follows how JIDs are shown.
    wanted.patch.presence = Some(has("presence"));
    Ok(())
}

fn invalid(field: &'static str, expected: &str) -> Refusal {
    Refusal::Invalid { field, why: format!("expected {expected}") }
}

fn accounts(field: &'static str, values: &[String]) -> Result<Vec<BareJid>, Refusal> {
    let account = |text: &String| BareJid::new(text).ok().filter(|jid| jid.node().is_some());
    let accounts = values.iter().filter(|text| !text.is_empty()).map(account).collect::<Option<Vec<_>>>();
    accounts.ok_or_else(|| invalid(field, "bare JIDs of accounts"))
}

/// The names of XEP-0404's modes; XEP-0406 has but this one example of them.
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

fn one_access(field: &'static str, values: &[String]) -> Result<crate::channel::Access, Refusal> {
    let access = values.first().and_then(|text| access_of(text));
    access.ok_or_else(|| invalid(field, "participants, allowed or anyone"))
}

/// Whether a field is sent back as it was shown.
fn says_same(field: &Field, values: &[String]) -> bool {
    let plain = |text: &String| match (field.kind, &**text) {
        ("boolean", "1") => "true".to_owned(),
        ("boolean", "0") => "false".to_owned(),
        _ => text.clone(),
    };
    field.values.iter().eq(values.iter().map(plain).collect::<Vec<_>>().iter())
}
