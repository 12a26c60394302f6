//! XEP-0406: who may join and who may not, who administers a channel; and XEP-0060's requests of owners for these nodes.

use super::mix_core::{headed, name_of, node_of};
use super::{Extension, Render, Request, Route, Scope, Shown, configuration};
use crate::channel::{Change, Channel, Command, Node, NodeSet, Refusal, Standing};
use crate::xmpp::{Tag, ns};
use jid::BareJid;

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
            ("purge", Node::Allowed | Node::Banned) => Ok(Command::PurgeList { node }),
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
            Change::ListPurged { node } => {
                tell_admins(*node, Tag::new("purge").attr("node", name_of(*node)), render);
            }
            Change::ItemSet { node: Node::Config, .. } => {
                let item = configuration::item(render.channel, &render.service.limits);
                let items = Tag::new("items").attr("node", name_of(Node::Config)).child(item);
                tell_admins(Node::Config, items, render);
            }
            Change::ListMade { node, exists: false } => {
                tell_admins(*node, Tag::new("delete").attr("node", name_of(*node)), render);
            }
            _ => {}
        }
    }
}

/// Only those who may read a list may subscribe to it (XEP-0406 §3.1.2), and a role may end before a subscription does.
pub fn tell_admins(node: Node, content: Tag, render: &mut Render<'_>) {
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

/// What an account is to each node (XEP-0060 §5.7).
pub fn affiliations(channel: &Channel, account: &BareJid) -> Tag {
    let standing = channel.standing_of(account);
    let may_publish =
        |node| !matches!(node, Node::Messages | Node::Participants | Node::Config | Node::JidMap | Node::Presence);
    let affiliation = |node| {
        let affiliation = match standing {
            Standing::Owner => "owner",
            Standing::Admin if may_publish(node) => "publisher",
            _ => "member",
        };
        Tag::new("affiliation").attr("node", name_of(node)).attr("affiliation", affiliation)
    };
    let visible = |node: &Node| {
        standing != Standing::Member || !matches!(node, Node::Allowed | Node::Banned | Node::Config | Node::JidMap)
    };
    Tag::new("affiliations").children(channel.nodes().filter(visible).map(affiliation))
}
