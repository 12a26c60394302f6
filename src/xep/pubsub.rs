//! XEP-0060, as far as a channel is a pubsub service: reading nodes, publishing to some of them, retracting items,
//! subscribing.

use super::mix_core::participant;
use super::nodes::{name_of, node_of};
use super::notification::{headed, tell_node};
use super::{Extension, Render, Request, Route, Scope, admin, anon, avatar, configuration, information, rsm};
use crate::channel::command::Slice;
use crate::channel::crowd::{Chosen, Ordered};
use crate::channel::{Action, Answer, AnyCommand, Channel, Command, Guest, Item, Member, Node, NodeSet, Refusal};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::BareJid;
use minidom::Element;

/// XEP-0060.
pub struct Pubsub;

/// Whether a request reads a picture, which any client does.
pub fn is_about_picture(payload: &Element) -> bool {
    let is_of_picture = |child: &Element| {
        let node = child.attr("node").and_then(node_of);
        child.name() == "items" && matches!(node, Some(Node::AvatarMetadata | Node::AvatarData))
    };
    payload.has_ns(ns::PUBSUB) && payload.parts().any(is_of_picture)
}

impl Extension for Pubsub {
    fn name(&self) -> &'static str {
        "XEP-0060"
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::get(Scope::Channel, "pubsub", ns::PUBSUB),
            Route::set(Scope::Channel, "pubsub", ns::PUBSUB),
            Route::get(Scope::Service, "pubsub", ns::PUBSUB),
            Route::set(Scope::Service, "pubsub", ns::PUBSUB),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        if request.channel.is_none() {
            // Nodes belong to channels, and the service has none.
            return Err(Refusal::Unsupported("send this to a channel: the service itself has no nodes".into()));
        }
        let mut actions = request.payload.parts().filter(|child| !child.has_ns(ns::RSM));
        let Some(action) = actions.next() else {
            return Err(Refusal::BadRequest("the request names no action".into()));
        };
        if (request.set, action.name()) == (false, "affiliations") {
            return Ok(Command::ListNodes.into());
        }
        if (request.set, action.name()) == (false, "subscriptions") {
            let node = action.attr("node").map(|name| node_of(name).ok_or(Refusal::NoSuchNode)).transpose()?;
            return Ok(Command::ListSubscriptions { node }.into());
        }
        let node = action.attr("node").ok_or_else(|| Refusal::BadRequest("the request names no node".into()))?;
        let node = node_of(node).ok_or(Refusal::NoSuchNode)?;
        let command = match (request.set, action.name()) {
            (false, "items") => {
                let mut slice = rsm::decode(request.payload)?;
                if let Some(max) = action.attr("max_items") {
                    // XEP-0060 §6.5.7: `max_items` asks for the newest ones.
                    let max = max.parse().map_err(|_| Refusal::BadRequest(format!("'{max}' is no number")))?;
                    slice = Slice { max: Some(max), before: Some(String::new()), after: None };
                }
                let ids = action.parts().filter_map(|item| item.attr("id")).map(str::to_owned).collect();
                Ok(Command::ReadItems { node, ids, slice })
            }
            (true, "subscribe") => subscription(node, true, action, request),
            (true, "unsubscribe") => subscription(node, false, action, request),
            (true, "publish") => publish(node, action, request),
            (true, "retract") => retract(node, action),
            (true, "create") => match node {
                Node::Allowed | Node::Banned => Ok(Command::MakeList { node, exists: true }),
                _ => Err(Refusal::NotAllowed("every channel has this node")),
            },
            _ => Err(Refusal::Unsupported(format!("a channel does not serve '{}'", action.name()))),
        };
        command.map(AnyCommand::from)
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let Some(channel) = request.channel else { return Ok(None) };
        Ok(match answer {
            // XEP-0406 §3.3: this answer is empty.
            Answer::Done if matches!(action_of(request), "publish" | "retract") => {
                Some(Tag::in_ns("pubsub", ns::PUBSUB))
            }
            Answer::Subscribed { node, subscribed } => {
                let subscription = subscription_tag(*node, &request.actor.account, *subscribed);
                Some(Tag::in_ns("pubsub", ns::PUBSUB).child(subscription))
            }
            Answer::Subscribing { node: only } => {
                let account = &request.actor.account;
                let nodes = channel.subscriptions_of(account);
                // A subscription is left out while the node is switched off, or the account may not subscribe to it.
                let is_active = |node: &Node| channel.has(*node) && channel.may_subscribe(account, *node);
                let nodes = nodes.iter().filter(|node| only.is_none_or(|only| only == *node)).filter(is_active);
                let list = Tag::new("subscriptions").attr_opt("node", only.map(name_of));
                let list = list.children(nodes.map(|node| subscription_tag(node, account, true)));
                Some(Tag::in_ns("pubsub", ns::PUBSUB).child(list))
            }
            Answer::Nodes => Some(Tag::in_ns("pubsub", ns::PUBSUB).child(admin::affiliations(
                channel,
                request.actor,
                &request.service.limits,
            ))),
            Answer::Items { node, ids, slice } => {
                let (items, set) = items(channel, *node, ids, slice, request)?;
                let items = Tag::new("items").attr("node", name_of(*node)).children(items);
                Some(Tag::in_ns("pubsub", ns::PUBSUB).child(items).child_opt(set))
            }
            Answer::ItemSet { node, id } => {
                let publish = Tag::new("publish").attr("node", name_of(*node)).child(Tag::new("item").attr("id", id));
                Some(Tag::in_ns("pubsub", ns::PUBSUB).child(publish))
            }
            _ => None,
        })
    }
}

/// Shows the new item of a node that has one item.
pub fn show_item(node: Node, item: &Item, render: &mut Render<'_>) {
    tell(node, render, || item_tag(item));
}

/// Shows that the item of a node was retracted.
pub fn show_retraction(node: Node, id: &str, render: &mut Render<'_>) {
    tell(node, render, || Tag::new("retract").attr("id", id));
}

fn tell(node: Node, render: &mut Render<'_>, entry: impl FnOnce() -> Tag) {
    tell_node(node, render, |_| Tag::new("items").attr("node", name_of(node)).child(entry()));
}

/// The name of what a request does.
fn action_of<'a>(request: &Request<'a>) -> &'a str {
    request.payload.parts().next().map(Element::name).unwrap_or_default()
}

/// XEP-0060 §6.1.2: the subscription of an account to a node.
fn subscription_tag(node: Node, account: &BareJid, subscribed: bool) -> Tag {
    Tag::new("subscription")
        .attr("node", name_of(node))
        .attr("jid", account.as_str())
        .attr("subscription", if subscribed { "subscribed" } else { "none" })
}

/// XEP-0060 §8.8.4: tells a guest of subscriptions that others ended.
pub fn tell_guest(guest: &Guest, ended: NodeSet, render: &mut Render<'_>) {
    if render.actor == Some(&guest.jid) {
        return;
    }
    for node in ended.iter() {
        let event = Tag::in_ns("event", ns::PUBSUB_EVENT).child(subscription_tag(node, &guest.jid, false));
        let message = headed(render).child(event);
        render.tell_guest(&guest.jid, message);
    }
}

fn item_tag(item: &Item) -> Tag {
    Tag::new("item").attr("id", &item.id).raw(&item.payload)
}

/// The items of a node. The `<set/>` is there where the request asked for a page, or where not all items have room.
fn items(
    channel: &Channel,
    node: Node,
    ids: &[String],
    slice: &Slice,
    request: &Request<'_>,
) -> Result<(Vec<Tag>, Option<Tag>), Refusal> {
    let limits = &request.service.limits;
    let role = channel.role_of(&request.actor.account, request.actor.operator);
    let bytes_max = limits.answer_bytes_max;
    match node {
        // XEP-0403 §3.5: presence is sent as presence.
        Node::Messages | Node::Presence => Ok((Vec::new(), None)),
        Node::Config => {
            let changeable = channel.allows(role, Action::Lists, limits);
            Ok((vec![configuration::item(channel, limits, changeable)], None))
        }
        Node::Allowed | Node::Banned => {
            let tag = |jid: &BareJid| Tag::new("item").attr("id", jid.as_str());
            match admin::listed(channel, node) {
                Some(listed) => some(&listed, ids, text_of, tag, slice, bytes_max),
                None => some(&channel.admitted(), ids, text_of, tag, slice, bytes_max),
            }
        }
        Node::Info if channel.allows(role, Action::Describe, limits) => {
            let item = channel.item(node).filter(|item| ids.is_empty() || ids.contains(&item.id));
            Ok((item.map(information::form).into_iter().collect(), None))
        }
        Node::Info | Node::AvatarMetadata | Node::AvatarData | Node::Video => {
            let item = channel.item(node).filter(|item| ids.is_empty() || ids.contains(&item.id));
            Ok((item.map(item_tag).into_iter().collect(), None))
        }
        Node::Participants => {
            let tag =
                |member: &Member| Tag::new("item").attr("id", member.id.as_str()).child(participant(member, channel));
            participants(channel, ids, slice, bytes_max, tag)
        }
        Node::JidMap => participants(channel, ids, slice, bytes_max, anon::mapping),
    }
}

fn participants(
    channel: &Channel,
    ids: &[String],
    slice: &Slice,
    bytes_max: usize,
    tag: impl Fn(&Member) -> Tag,
) -> Result<(Vec<Tag>, Option<Tag>), Refusal> {
    some(&channel.participants_by_id(), ids, id_of, tag, slice, bytes_max)
}

fn text_of<'a>(jid: &'a &BareJid) -> &'a str {
    jid.as_str()
}

fn id_of<'a>(member: &'a &Member) -> &'a str {
    member.id.as_str()
}

/// The items of a list that are named, or all of them where none is. A request may name thousands.
fn some<L: Ordered<Item: Copy>>(
    list: &L,
    ids: &[String],
    id: fn(&L::Item) -> &str,
    tag: impl Fn(L::Item) -> Tag,
    slice: &Slice,
    bytes_max: usize,
) -> Result<(Vec<Tag>, Option<Tag>), Refusal> {
    match ids.is_empty() {
        true => rsm::page(list, id, tag, slice, bytes_max),
        false => rsm::page(&Chosen::new(ids.iter().filter_map(|id| list.find(id)), id), id, tag, slice, bytes_max),
    }
}

/// XEP-0060 §6.1.3.1, §6.2.3.3: a request to subscribe or unsubscribe. An account can do so for itself only.
fn subscription(node: Node, wanted: bool, action: &Element, request: &Request<'_>) -> Result<Command, Refusal> {
    let whom = action.attr("jid").and_then(|jid| address::jid(jid).ok());
    match whom.is_some_and(|whom| whom.to_bare() == request.actor.account) {
        true => Ok(Command::Subscribe { node, wanted }),
        false if wanted => Err(Refusal::ForeignSubscriber),
        false => Err(Refusal::Forbidden("one unsubscribes oneself, by one's own bare JID")),
    }
}

fn publish(node: Node, action: &Element, request: &Request<'_>) -> Result<Command, Refusal> {
    let item = one_item(action)?;
    let channel = request.channel.ok_or(Refusal::NoSuchChannel)?;
    match node {
        Node::AvatarMetadata | Node::AvatarData | Node::Video => {
            Ok(Command::SetItem { node, item: avatar::published(node, item, request)? })
        }
        Node::Allowed | Node::Banned => Ok(Command::PutOnList { node, jid: entry(item)?, present: true }),
        Node::Config => {
            // A field that says what is in force changes nothing, so reading the form tells what is.
            channel.check_right(request.actor, Action::Lists, &request.service.limits)?;
            Ok(Command::Reconfigure(configuration::read(item, channel, &request.service.limits)?))
        }
        Node::Info | Node::Messages | Node::Participants | Node::Presence | Node::JidMap => {
            Ok(Command::SetItem { node, item: information::read(item, channel.info())? })
        }
    }
}

fn retract(node: Node, action: &Element) -> Result<Command, Refusal> {
    let item = one_item(action)?;
    match node {
        Node::Allowed | Node::Banned => Ok(Command::PutOnList { node, jid: entry(item)?, present: false }),
        _ => {
            let id = item.attr("id").ok_or_else(|| Refusal::BadRequest("the request names no item".into()))?;
            Ok(Command::RetractItem { node, id: id.to_owned() })
        }
    }
}

/// XEP-0406 §2.2: the account or domain that is the id of an item of a list.
fn entry(item: &Element) -> Result<BareJid, Refusal> {
    let jid = item.attr("id").and_then(|id| address::bare_jid(id).ok());
    jid.ok_or_else(|| Refusal::BadRequest("the item is named by a bare JID or a domain (XEP-0406)".into()))
}

/// The one item of a request. The examples of XEP-0406 wrap it in `<items/>`.
fn one_item(action: &Element) -> Result<&Element, Refusal> {
    let within = action.parts().find(|child| child.name() == "items").unwrap_or(action);
    let mut items = within.parts().filter(|child| child.name() == "item");
    let (Some(item), None) = (items.next(), items.next()) else {
        return Err(Refusal::BadRequest("name one item at a time".into()));
    };
    Ok(item)
}
