//! XEP-0060 as far as a channel is a pubsub service: reading nodes, publishing to the information node.

use super::mix_core::{headed, name_of, node_of, participant};
use super::{Extension, Render, Request, Route, Scope, rsm};
use crate::channel::command::Slice;
use crate::channel::{Answer, Change, Channel, Command, Item, Member, Node, Refusal, Stamp};
use crate::xmpp::{Tag, ns};
use minidom::Element;

/// XEP-0060.
pub struct Pubsub;

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

    fn decode(&self, request: &Request<'_>) -> Result<Command, Refusal> {
        if request.channel.is_none() {
            // Reading 3: nodes belong to channels.
            return Err(Refusal::Unsupported("send this to a channel: the service itself has no nodes".into()));
        }
        let mut actions = request.payload.children().filter(|child| !child.has_ns(ns::RSM));
        let Some(action) = actions.next() else {
            return Err(Refusal::BadRequest("the request names no action".into()));
        };
        let node = action.attr("node").ok_or_else(|| Refusal::BadRequest("the request names no node".into()))?;
        let node = node_of(node).ok_or(Refusal::NoSuchNode)?;
        match (request.set, action.name()) {
            (false, "items") => {
                let mut slice = rsm::decode(request.payload)?;
                if let Some(max) = action.attr("max_items") {
                    // XEP-0060 §6.5.7: the newest ones.
                    let max = max.parse().map_err(|_| Refusal::BadRequest(format!("'{max}' is no number")))?;
                    slice = Slice { max: Some(max), before: Some(String::new()), after: None };
                }
                let ids = action.children().filter_map(|item| item.attr("id")).map(str::to_owned).collect();
                Ok(Command::ReadItems { node, ids, slice })
            }
            (true, "publish") => Ok(Command::SetItem { node, item: published(action)? }),
            _ => Err(Refusal::Unsupported(format!("a channel does not serve '{}'", action.name()))),
        }
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let Some(channel) = request.channel else { return Ok(None) };
        Ok(match answer {
            Answer::Items { node, ids, slice } => {
                let (items, set) = items(channel, *node, ids, slice, request.service.limits.answer_bytes_max)?;
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

    fn render(&self, change: &Change, render: &mut Render<'_>) {
        if let Change::ItemSet { node, item } = change {
            let items = Tag::new("items").attr("node", name_of(*node)).child(item_tag(item));
            let message = headed(render).child(Tag::in_ns("event", ns::PUBSUB_EVENT).child(items));
            render.fan(*node, message);
        }
    }
}

fn item_tag(item: &Item) -> Tag {
    Tag::new("item").attr("id", &item.id).raw(&item.payload)
}

/// The items of a node, and the `<set/>` where a part was asked for or is all there is room for.
fn items(
    channel: &Channel,
    node: Node,
    ids: &[String],
    slice: &Slice,
    bytes_max: usize,
) -> Result<(Vec<Tag>, Option<Tag>), Refusal> {
    match node {
        Node::Messages | Node::Allowed | Node::Banned | Node::Config => Ok((Vec::new(), None)),
        Node::Info | Node::AvatarMetadata | Node::AvatarData | Node::Video => {
            let item = channel.item(node).filter(|item| ids.is_empty() || ids.contains(&item.id));
            Ok((item.map(item_tag).into_iter().collect(), None))
        }
        Node::Participants => participants(channel, ids, slice, bytes_max),
    }
}

fn participants(
    channel: &Channel,
    ids: &[String],
    slice: &Slice,
    bytes_max: usize,
) -> Result<(Vec<Tag>, Option<Tag>), Refusal> {
    let mut members: Vec<&Member> = channel.participants().collect();
    members.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    if !ids.is_empty() {
        members.retain(|member| ids.iter().any(|id| id == member.id.as_str()));
    }
    let position = |id: &str| members.binary_search_by(|member| member.id.as_str().cmp(id)).ok();
    let mut range = rsm::cut(slice, members.len(), members.len(), position)?;
    let tag = |member: &&Member| Tag::new("item").attr("id", member.id.as_str()).child(participant(member));
    let (mut tags, mut bytes) = (Vec::new(), 0);
    for at in range.clone() {
        // A page before an id keeps what is nearest to it.
        let at = if slice.before.is_some() { range.start + (range.end - 1 - at) } else { at };
        let tag = tag(&members[at]);
        bytes += tag.bytes();
        if bytes > bytes_max && !tags.is_empty() {
            break;
        }
        tags.push(tag);
    }
    if slice.before.is_some() {
        tags.reverse();
        range.start = range.end - tags.len();
    } else {
        range.end = range.start + tags.len();
    }
    let page = &members[range.clone()];
    let (first, last) = (page.first().map(|member| member.id.as_str()), page.last().map(|member| member.id.as_str()));
    let set = (page.len() < members.len() || *slice != Slice::default())
        .then(|| rsm::encode(first, last, Some((members.len() as u64, range.start as u64))));
    Ok((tags, set))
}

/// The one item of a publish request; reading 3: XEP-0406 wraps it in `<items/>`.
fn published(publish: &Element) -> Result<Item, Refusal> {
    let within = publish.children().find(|child| child.name() == "items").unwrap_or(publish);
    let mut items = within.children().filter(|child| child.name() == "item");
    let (Some(item), None) = (items.next(), items.next()) else {
        return Err(Refusal::BadRequest("publish one item at a time".into()));
    };
    let Some(form) = item.get_child("x", ns::FORM) else {
        return Err(Refusal::BadRequest("the information node takes a data form (XEP-0369 §4.7.4)".into()));
    };
    let mut label = None;
    let fields = form.children().filter(|child| child.name() == "field").map(|field| {
        let values: Vec<String> = field.children().filter(|v| v.name() == "value").map(Element::text).collect();
        let var = field.attr("var").unwrap_or_default();
        if var.eq_ignore_ascii_case("name") {
            label = values.first().filter(|name| !name.trim().is_empty()).cloned();
        }
        if var == "FORM_TYPE" {
            return info_field(var, &[ns::MIX_CORE.to_owned()], true);
        }
        info_field(var, &values, false)
    });
    let fields: Vec<Tag> = fields.collect();
    let mut payload = String::new();
    Tag::in_ns("x", ns::FORM).attr("type", "result").children(fields).write(&mut payload);
    Ok(Item { payload, label, ..Item::default() })
}

/// The first item of the information node of a channel that was created with a name, or without one.
pub fn first_info(label: Option<&str>, stamp: Stamp) -> Item {
    let form_type = info_field("FORM_TYPE", &[ns::MIX_CORE.to_owned()], true);
    let name = info_field("Name", &label.map(str::to_owned).into_iter().collect::<Vec<_>>(), false);
    let form = Tag::in_ns("x", ns::FORM).attr("type", "result").child(form_type).child(name);
    Item { id: stamp.to_xmpp(), payload: form.into_xml(), label: label.map(str::to_owned), stamp }
}

/// The payload of an information item with another name in it, and everything else as it was.
pub fn renamed(item: &Item, label: &str) -> String {
    let name = || info_field("Name", &[label.to_owned()], false);
    let Ok(form) = item.payload.parse::<Element>() else { return first_info(Some(label), item.stamp).payload };
    let is_name = |field: &Element| field.attr("var").is_some_and(|var| var.eq_ignore_ascii_case("name"));
    let place = form.children().position(is_name);
    let mut fields: Vec<Tag> = Vec::new();
    for (at, field) in form.children().enumerate() {
        match Some(at) == place {
            true => fields.push(name()),
            false if is_name(field) => {}
            false => {
                let values: Vec<String> = field.children().filter(|v| v.name() == "value").map(Element::text).collect();
                let var = field.attr("var").unwrap_or_default();
                fields.push(info_field(var, &values, var == "FORM_TYPE"));
            }
        }
    }
    if place.is_none() {
        fields.push(name());
    }
    Tag::in_ns("x", ns::FORM).attr("type", "result").children(fields).into_xml()
}

fn info_field(var: &str, values: &[String], hidden: bool) -> Tag {
    Tag::new("field")
        .attr("var", var)
        .attr_opt("type", hidden.then_some("hidden"))
        .children(values.iter().map(|value| Tag::new("value").text(value)))
}
