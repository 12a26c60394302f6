//! The form of the configuration node (XEP-0406 §3.1.1): what a channel's settings and roles are called there.

use super::group_tags::{access, access_of};
use crate::channel::group::{Configuration, Patch};
use crate::channel::limits::Rank;
use crate::channel::{Channel, Limits, Node, NodeAccess, Refusal};
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
        truth("Private Messages", false),
        truth("Mandatory Nicks", true),
    ]
}

fn nodes_present(channel: &Channel) -> impl Iterator<Item = String> {
    let name = |node| match node {
        Node::Participants => Some("participants"),
        Node::Info => Some("information"),
        Node::Allowed => Some("allowed"),
        Node::Banned => Some("banned"),
        Node::AvatarMetadata => Some("avatar"),
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
            "Participants Node Subscription" => {
                nodes.participants = one_access("Participants Node Subscription", &values)?;
            }
            "Information Node Subscription" => {
                nodes.information = one_access("Information Node Subscription", &values)?;
            }
            "Participation Addition by Invitation from Participant" => {
                let truth = [("true", true), ("1", true), ("false", false), ("0", false)];
                let found = truth.iter().find(|(text, _)| values.first().is_some_and(|value| value == text));
                let expected = || invalid("Participation Addition by Invitation from Participant", "true or false");
                wanted.patch.members_add = Some(found.ok_or_else(expected)?.1);
            }
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
        ..wanted.patch
    };
    Ok(wanted)
}

fn read_nodes(values: &[String], wanted: &mut Configuration) -> Result<(), Refusal> {
    let known = |name: &str| FIXED_NODES.contains(&name) || ["allowed", "banned"].contains(&name);
    if let Some(unknown) = values.iter().find(|name| !known(name)) {
        return Err(Refusal::Unsupported(format!("a channel here has no node '{unknown}'")));
    }
    let has = |name: &str| values.iter().any(|value| value == name);
    if let Some(missing) = FIXED_NODES.into_iter().find(|name| !has(name)) {
        return Err(Refusal::Unsupported(format!("every channel here has the node '{missing}'")));
    }
    (wanted.allowed, wanted.banned) = (Some(has("allowed")), Some(has("banned")));
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
