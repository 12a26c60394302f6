//! XEP-0406: who may join, who may not, and who administers a channel. XEP-0060 §8: the requests of owners for these
//! nodes.

use super::nodes::{name_of, node_of};
use super::notification::{tell_node, tell_node_at_end};
use super::{Extension, List, Render, Request, Route, Scope, configuration, rsm};
use crate::channel::crowd::{self, Ordered};
use crate::channel::{Action, Actor, Answer, AnyCommand, Channel, Command, Limits, Node, Refusal, Roll, Standing};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::BareJid;
use minidom::Element;
use std::collections::BTreeMap;
use std::sync::LazyLock;

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
        const ROUTES: &[Route] = &[
            Route::get(Scope::Channel, "pubsub", ns::PUBSUB_OWNER),
            Route::set(Scope::Channel, "pubsub", ns::PUBSUB_OWNER),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let action = request.payload.parts().next();
        let action = action.ok_or_else(|| Refusal::BadRequest("the request names no action".into()))?;
        let node = node_of(action.attr("node").unwrap_or_default()).ok_or(Refusal::NoSuchNode)?;
        let item = request.channel.and_then(|channel| channel.item(node));
        if action.name() == "subscriptions" {
            return match request.set {
                false => Ok(Command::ListSubscribers { node, slice: rsm::decode(request.payload)? }.into()),
                true => Ok(Command::SetSubscriptions { node, edits: edits(action)? }.into()),
            };
        }
        if !request.set {
            return Err(Refusal::Unsupported(format!("this node does not tell its '{}'", action.name())));
        }
        match (action.name(), node) {
            ("delete", Node::Allowed | Node::Banned) => Ok(Command::MakeList { node, exists: false }.into()),
            ("delete", _) => Err(Refusal::NotAllowed("every channel has this node")),
            ("purge", Node::Allowed | Node::Banned) => Ok(Command::PurgeList { node }.into()),
            ("purge", Node::AvatarData | Node::AvatarMetadata | Node::Video) => {
                // Whether there is one is told those who may take it away.
                let id = item.map(|item| item.id.clone()).unwrap_or_default();
                Ok(Command::RetractItem { node, id }.into())
            }
            (name, _) => Err(Refusal::Unsupported(format!("this node does not serve '{name}'"))),
        }
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let (Answer::Subscribers { node, slice }, Some(channel)) = (answer, request.channel) else { return Ok(None) };
        let bytes_max = request.service.limits.answer_bytes_max;
        let subscription =
            |jid: &BareJid| Tag::new("subscription").attr("jid", jid.as_str()).attr("subscription", "subscribed");
        let (list, set) = rsm::page(&channel.subscribers(*node), |jid| jid.as_str(), subscription, slice, bytes_max)?;
        let list = Tag::new("subscriptions").attr("node", name_of(*node)).children(list);
        Ok(Some(Tag::in_ns("pubsub", ns::PUBSUB_OWNER).child(list).child_opt(set)))
    }
}

/// Shows an entry that was put on a list, or taken off it.
pub fn show_entry(node: Node, jid: &BareJid, present: bool, render: &mut Render<'_>) {
    let name = if present { "item" } else { "retract" };
    tell_node(node, render, |_| {
        Tag::new("items").attr("node", name_of(node)).child(Tag::new(name).attr("id", jid.as_str()))
    });
}

/// Shows that a list was emptied.
pub fn show_purge(node: Node, render: &mut Render<'_>) {
    tell_node(node, render, |_| Tag::new("purge").attr("node", name_of(node)));
}

/// Shows the configuration, where somebody subscribes to it: it names all owners and administrators, so it may be long.
pub fn show_configuration(render: &mut Render<'_>) {
    if render.has_people(List::Node(Node::Config)) {
        tell_node(Node::Config, render, |render| {
            let item = configuration::item(render.channel, &render.service.limits, false);
            Tag::new("items").attr("node", name_of(Node::Config)).child(item)
        });
    }
}

/// Shows the nodes that a change of settings ended. The end of the participants node is not shown, since clients take
/// it for the end of the channel.
pub fn show_nodes_gone(render: &mut Render<'_>) {
    let gone = render.nodes_gone;
    gone.iter().filter(|node| *node != Node::Participants).for_each(|node| show_end_of(node, render));
}

/// XEP-0060 §8.4: tells the subscribers of a node that it is deleted.
pub fn show_end_of(node: Node, render: &mut Render<'_>) {
    tell_node_at_end(node, render, |_| Tag::new("delete").attr("node", name_of(node)));
}

/// XEP-0060 §8.8.2: whom a request subscribes (true) or unsubscribes. An entry without a state changes nothing.
fn edits(action: &Element) -> Result<BTreeMap<BareJid, bool>, Refusal> {
    let mut edits = BTreeMap::new();
    for entry in action.parts().filter(|child| child.name() == "subscription") {
        let jid = entry.attr("jid").and_then(|jid| address::bare_jid(jid).ok()).filter(|jid| jid.node().is_some());
        let jid = jid.ok_or_else(|| Refusal::BadRequest("a subscription is that of a bare JID".into()))?;
        match entry.attr("subscription") {
            None => {}
            Some("subscribed") => drop(edits.insert(jid, true)),
            Some("none") => drop(edits.insert(jid, false)),
            Some(other) => return Err(Refusal::Unsupported(format!("subscriptions are never '{other}' here"))),
        }
    }
    Ok(edits)
}

/// The list of a node, in order. `None` for the allowed node of a closed channel, which lists participants and those
/// who wait.
pub fn listed(channel: &Channel, node: Node) -> Option<impl Ordered<Item = &BareJid>> {
    static NOBODY: LazyLock<Roll<BareJid>> = LazyLock::new(Roll::default);
    let list = match node {
        Node::Allowed if channel.is_closed() => return None,
        Node::Allowed => &channel.kept().allowed,
        _ => &channel.kept().banned,
    };
    Some(crowd::listed(list.as_ref().unwrap_or(&NOBODY)))
}

/// XEP-0060 §5.7: the affiliations of an account to the nodes that it is shown.
pub fn affiliations(channel: &Channel, actor: &Actor, limits: &Limits) -> Tag {
    let role = channel.role_of(&actor.account, actor.operator);
    let may_publish = |node| match node {
        Node::Info => channel.allows(role, Action::Describe, limits),
        Node::AvatarMetadata | Node::AvatarData => channel.allows(role, Action::Picture, limits),
        Node::Video => channel.allows(role, Action::Video, limits),
        Node::Allowed | Node::Banned => channel.allows(role, Action::Lists, limits),
        Node::Messages | Node::Participants | Node::Config | Node::JidMap | Node::Presence => false,
    };
    let affiliation = |node| {
        let affiliation = match channel.standing_of(&actor.account) {
            Standing::Owner => "owner",
            _ if may_publish(node) => "publisher",
            _ => "member",
        };
        Tag::new("affiliation").attr("node", name_of(node)).attr("affiliation", affiliation)
    };
    Tag::new("affiliations").children(shown_nodes(channel, &actor.account).map(affiliation))
}

/// XEP-0369 §6.4: the nodes that an account is shown. These are the ones that exist and that it may subscribe to, at
/// the latest once it is in the channel. An owner is shown every node that exists.
pub fn shown_nodes<'a>(channel: &'a Channel, account: &'a BareJid) -> impl Iterator<Item = Node> + 'a {
    let is_owner = channel.standing_of(account) == Standing::Owner;
    channel.nodes().filter(move |node| is_owner || channel.may_subscribe_inside(account, *node))
}
