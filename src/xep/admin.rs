//! XEP-0406: who may join and who may not, who administers a channel; and XEP-0060's requests of owners for these nodes.

use super::mix_core::{headed, name_of, node_of};
use super::{Extension, Render, Request, Route, Scope, Shown};
use crate::channel::command::Slice;
use crate::channel::group::GroupCommand;
use crate::channel::{Change, Channel, Command, Node, NodeSet, Refusal, Standing};
use crate::xmpp::{Tag, ns};
use jid::BareJid;
use minidom::Element;

/// XEP-0406.
pub struct Admin;

impl Extension for Admin {
    fn name(&self) -> &'static str {
        "XEP-0406"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Channel => &[ns::MIX_ADMIN],
            Scope::Service => &[],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[Route::set(Scope::Channel, "pubsub", ns::PUBSUB_OWNER)];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<Command, Refusal> {
        let action = request.payload.children().next();
        let action = action.ok_or_else(|| Refusal::BadRequest("the request names no action".into()))?;
        let node = node_of(action.attr("node").unwrap_or_default()).ok_or(Refusal::NoSuchNode)?;
        let item = request.channel.and_then(|channel| channel.item(node));
        match (action.name(), node) {
            ("delete", Node::Allowed | Node::Banned) => Ok(Command::MakeList { node, exists: false }),
            ("delete", _) => Err(Refusal::NotAllowed("every channel has this node")),
            ("purge", Node::AvatarData | Node::AvatarMetadata | Node::Video) => {
                let id = item.ok_or(Refusal::NoSuchItem)?.id.clone();
                Ok(Command::RetractItem { node, id })
            }
            (name, _) => Err(Refusal::Unsupported(format!("this node does not serve '{name}'"))),
        }
    }

    fn render(&self, change: &Change, render: &mut Render<'_>) {
        match change {
            Change::Listed { node, jid, present } => {
                let name = if *present { "item" } else { "retract" };
                let entry = Tag::new(name).attr("id", jid.as_str());
                let items = Tag::new("items").attr("node", name_of(*node)).child(entry);
                tell_admins(*node, items, render);
            }
            Change::ListMade { node, exists: false } => {
                tell_admins(*node, Tag::new("delete").attr("node", name_of(*node)), render);
            }
            _ => {}
        }
    }
}

/// Only those who may read a list may subscribe to it (XEP-0406 §3.1.2), and a role may end before a subscription does.
fn tell_admins(node: Node, content: Tag, render: &mut Render<'_>) {
    let channel = render.channel;
    let seated = channel.participants().map(|member| (&member.jid, member.subscriptions));
    let subscribed = seated.chain(channel.guests().map(|guest| (&guest.jid, guest.subscriptions)));
    let is_told = |(jid, nodes): &(&BareJid, NodeSet)| nodes.contains(node) && administers(channel, jid);
    let mut told: Vec<BareJid> = subscribed.filter(is_told).map(|(jid, _)| jid.clone()).collect();
    told.sort_unstable();
    for account in told {
        let event = Tag::in_ns("event", ns::PUBSUB_EVENT).child(content.clone());
        let message = headed(render).child(event);
        match channel.guest(&account) {
            Some(_) => render.shown.push(Shown::TellGuest { account, message }),
            None => render.shown.push(Shown::Tell { account, message }),
        }
    }
}

/// Whether an account is the owner or an admin.
pub fn administers(channel: &Channel, account: &BareJid) -> bool {
    channel.standing_of(account) != Standing::Member
}

/// Who is on the list of a node, in order.
pub fn listed(channel: &Channel, node: Node) -> Vec<&BareJid> {
    match node {
        Node::Allowed => channel.allowed(),
        Node::Banned => channel.kept().banned.iter().flatten().collect(),
        _ => Vec::new(),
    }
}

/// The settings and roles of a channel as a form (XEP-0406 §3.1.1).
pub fn configuration(channel: &Channel) -> Tag {
    let field =
        |var: &str, kind: &str, label: &str| Tag::new("field").attr("var", var).attr("type", kind).attr("label", label);
    let value = |text: &str| Tag::new("value").text(text);
    let jids = |jids: &[BareJid]| jids.iter().map(|jid| value(jid.as_str())).collect::<Vec<_>>();
    let rights = channel.rights();
    let nodes = channel.nodes().filter_map(|node| match node {
        Node::Participants => Some("participants"),
        Node::Info => Some("information"),
        Node::Allowed => Some("allowed"),
        Node::Banned => Some("banned"),
        Node::AvatarMetadata => Some("avatar"),
        _ => None,
    });
    let form_type = Tag::new("field").attr("var", "FORM_TYPE").attr("type", "hidden").child(value(ns::MIX_ADMIN));
    let form = Tag::in_ns("x", ns::FORM)
        .attr("type", "form")
        .child(form_type)
        .child(field("Owner", "jid-multi", "Channel Owners").children(jids(&rights.owners)))
        .child(field("Administrator", "jid-multi", "Channel Administrators").children(jids(&rights.admins)))
        .child(field("Nodes Present", "list-multi", "Nodes Present").children(nodes.map(value)))
        .child(field("User Message Retraction", "boolean", "User Message Retraction").child(value("true")))
        .child(
            field("Administrator Message Retraction Rights", "list-single", "Administrator Message Retraction Rights")
                .child(value("admins")),
        );
    Tag::new("item").attr("id", "current").child(form)
}

/// What a form published to the configuration node changes: the admins (XEP-0406 §3.2).
///
/// # Errors
/// [`Refusal::Unsupported`] for fields that cannot be changed this way.
pub fn reconfigured(item: &Element, channel: &Channel) -> Result<Command, Refusal> {
    let form = item.get_child("x", ns::FORM);
    let form = form.ok_or_else(|| Refusal::BadRequest("the configuration node takes a data form".into()))?;
    let rights = channel.rights();
    let mut admins = rights.admins.clone();
    for field in form.children().filter(|child| child.name() == "field") {
        let values = field.children().filter(|child| child.name() == "value").map(Element::text);
        let jids = || {
            let jids = values.map(|text| BareJid::new(text.trim()));
            jids.collect::<Result<Vec<_>, _>>().map_err(|error| Refusal::BadRequest(error.to_string()))
        };
        match field.attr("var").unwrap_or_default() {
            "FORM_TYPE" => {}
            "Administrator" => admins = jids()?,
            "Owner" => {
                let owners = jids()?;
                let same = owners.len() == rights.owners.len() && owners.iter().all(|jid| rights.owners.contains(jid));
                if !same {
                    return Err(Refusal::Unsupported("owners change by leaving, not by this form".into()));
                }
            }
            // A client sends back what it was shown.
            "Nodes Present" | "User Message Retraction" | "Administrator Message Retraction Rights" => {}
            "Last Change Made By" => {}
            other => return Err(Refusal::Unsupported(format!("'{other}' cannot be changed"))),
        }
    }
    let add = admins.iter().filter(|jid| !rights.admins.contains(jid) && !rights.owners.contains(jid));
    let remove = rights.admins.iter().filter(|jid| !admins.contains(jid));
    let (add, remove): (Vec<BareJid>, Vec<BareJid>) = (add.cloned().collect(), remove.cloned().collect());
    if add.is_empty() && remove.is_empty() {
        return Ok(Command::ReadItems { node: Node::Config, ids: Vec::new(), slice: Slice::default() });
    }
    Ok(Command::Group(GroupCommand::EditAdmins { add, remove }))
}

/// What an account is to each node (XEP-0060 §5.7).
pub fn affiliations(channel: &Channel, account: &BareJid) -> Tag {
    let standing = channel.standing_of(account);
    let may_publish = |node| !matches!(node, Node::Messages | Node::Participants | Node::Config);
    let affiliation = |node| {
        let affiliation = match standing {
            Standing::Owner => "owner",
            Standing::Admin if may_publish(node) => "publisher",
            _ => "member",
        };
        Tag::new("affiliation").attr("node", name_of(node)).attr("affiliation", affiliation)
    };
    let visible =
        |node: &Node| standing != Standing::Member || !matches!(node, Node::Allowed | Node::Banned | Node::Config);
    Tag::new("affiliations").children(channel.nodes().filter(visible).map(affiliation))
}
