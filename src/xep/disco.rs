//! XEP-0030: the identity, features and items of the service and its channels.

use super::muc::{description, register};
use super::nodes::name_of;
use super::{Extension, Request, Route, Scope, admin, commands, delegation, nicks, rsm};
use crate::channel::census::FoundChannel;
use crate::channel::{Answer, AnyCommand, Command, Node, Refusal, ServiceCommand};
use crate::xmpp::{Parts, Tag, ns};

/// XEP-0030.
pub struct Disco {
    /// The extensions whose features are told, in order. This one is among them.
    pub extensions: fn() -> &'static [&'static dyn Extension],
}

impl Disco {
    /// The features of an address.
    fn features_of(&self, scope: Scope, has_rooms: bool) -> impl Iterator<Item = Tag> {
        let all = (self.extensions)().iter().flat_map(move |extension| extension.features(scope));
        let is_of_rooms = |var: &str| var.starts_with(ns::MUC) || [ns::RAI, ns::VCARD].contains(&var);
        all.filter(move |var| has_rooms || !is_of_rooms(var)).map(|var| feature(var))
    }

    /// What the service tells of itself.
    fn of_service(&self, request: &Request<'_>, may_create: bool) -> impl Iterator<Item = Tag> {
        let service = request.service;
        let create = may_create.then(|| feature("urn:xmpp:mix:core:1#create-channel"));
        let may_register = service.limits.features.nick_registration && service.may_register(&request.actor.account);
        let nicks = [nicks::FEATURE, ns::REGISTER].into_iter().filter(move |_| may_register).map(feature);
        let has_rooms = service.limits.muc.enabled;
        let identities = identities(&service.name).into_iter().skip(usize::from(!has_rooms));
        identities.chain(self.features_of(Scope::Service, has_rooms)).chain(nicks).chain(create)
    }
}

impl Extension for Disco {
    fn name(&self) -> &'static str {
        "XEP-0030"
    }

    fn features(&self, _scope: Scope) -> &'static [&'static str] {
        &[ns::DISCO_INFO, ns::DISCO_ITEMS]
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::get(Scope::Service, "query", ns::DISCO_INFO),
            Route::get(Scope::Service, "query", ns::DISCO_ITEMS),
            Route::get(Scope::Channel, "query", ns::DISCO_INFO),
            Route::get(Scope::Channel, "query", ns::DISCO_ITEMS),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let node = request.payload.attr("node").filter(|node| !node.is_empty());
        let items = request.payload.has_ns(ns::DISCO_ITEMS);
        match (request.channel, items) {
            (None, false) => Ok(ServiceCommand::Describe { node: node.map(str::to_owned) }.into()),
            (None, true) if node.is_some_and(|node| commands::is_node(node, Scope::Service)) => {
                Ok(ServiceCommand::Describe { node: node.map(str::to_owned) }.into())
            }
            (None, true) if node.is_none() => Ok(ServiceCommand::ListChannels(rsm::decode(request.payload)?).into()),
            (Some(_), false) if node.is_none_or(|node| node == "mix") => Ok(Command::Describe.into()),
            (Some(_), false) if node == Some(register::ITEM_NODE) => Ok(Command::ReadNick.into()),
            // XEP-0045 §16.1.1: a room that discards no payload says so by this error.
            (Some(_), false) if node == Some(ns::MUC_TRAFFIC) => Err(Refusal::NoSuchService),
            (Some(_), _) if node.is_some_and(|node| commands::is_node(node, Scope::Channel)) => {
                Ok(Command::Describe.into())
            }
            (Some(_), true) if node == Some("mix") => Ok(Command::ListNodes.into()),
            // XEP-0369 §6.4: a request for items without the node `mix` asks for the occupants of a MUC room.
            (Some(_), true) if node.is_none() => Ok(Command::ListOccupants(rsm::decode(request.payload)?).into()),
            _ => Err(Refusal::NoSuchNode),
        }
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let query = Tag::in_ns("query", &request.payload.ns()).attr_opt("node", request.payload.attr("node"));
        let of_commands = request.payload.attr("node").filter(|node| commands::is_node(node, request.scope()));
        if let Some(node) = of_commands {
            let told = commands::described(node, request.payload.has_ns(ns::DISCO_ITEMS), request);
            return Ok(Some(query.children(told.ok_or(Refusal::NoSuchNode)?)));
        }
        match answer {
            Answer::ServiceDescription { node: Some(node), .. } => match delegation::features(node) {
                Some(features) => Ok(Some(query.children(features.iter().map(|var| feature(var))))),
                None => Err(Refusal::NoSuchNode),
            },
            Answer::ServiceDescription { node: None, may_create } => {
                Ok(Some(query.children(self.of_service(request, *may_create))))
            }
            Answer::Description => {
                let Some(channel) = request.channel else { return Err(Refusal::NoSuchChannel) };
                let (title, features) = (channel.title(), self.features_of(Scope::Channel, true));
                if request.payload.attr("node") == Some("mix") {
                    return Ok(Some(query.child(identity("mix", &title)).children(features)));
                }
                if !request.service.limits.muc.enabled {
                    return Ok(Some(query.child(identity("mix", &title)).children(features)));
                }
                let told = query.children(identities(&title)).children(features);
                let told = told.children(description::features(channel).map(feature));
                Ok(Some(told.child(description::form(channel, request.live))))
            }
            Answer::Registered(nick) => {
                Ok(Some(query.child_opt(nick.as_ref().map(|nick| identity("text", nick.as_str())))))
            }
            Answer::Occupants(None) => Ok(Some(query)),
            Answer::Occupants(Some(slice)) => {
                let Some(channel) = request.channel else { return Err(Refusal::NoSuchChannel) };
                let bytes_max = request.service.limits.answer_bytes_max;
                let (items, set) = description::items(channel, request.live.seats, request.at, slice, bytes_max)?;
                Ok(Some(query.children(items).child_opt(set)))
            }
            Answer::Nodes => {
                let Some(channel) = request.channel else { return Err(Refusal::NoSuchChannel) };
                let address = request.service.address_of(channel.name());
                let nodes = admin::shown_nodes(channel, &request.actor.account);
                // The video is a node of this service's own, which most channels do not use.
                let is_shown = |node: &Node| *node != Node::Video || channel.item(Node::Video).is_some();
                let item = |node| Tag::new("item").attr("jid", &address).attr("node", name_of(node));
                Ok(Some(query.children(nodes.filter(is_shown).map(item))))
            }
            Answer::Channels(page) => {
                let jids: Vec<String> = page.entries.iter().map(|it| request.service.address_of(&it.name)).collect();
                let counted = Some((page.count as u64, page.index as u64));
                let cut = request.payload.has_part("set", ns::RSM) || jids.len() < page.count;
                let set = cut
                    .then(|| rsm::encode(jids.first().map(String::as_str), jids.last().map(String::as_str), counted));
                // Names are left out where there are too many: that they are there helps people only.
                let mut left = request.service.limits.answer_bytes_max;
                let mut item = |(jid, it): (&String, &FoundChannel)| {
                    let item = Tag::new("item").attr("jid", jid);
                    let title = it.title.as_deref().filter(|title| title.len() <= left);
                    left -= title.map_or(0, str::len);
                    item.attr_opt("name", title)
                };
                Ok(Some(query.children(jids.iter().zip(&page.entries).map(&mut item)).child_opt(set)))
            }
            _ => Ok(None),
        }
    }
}

/// Those of what is a room and a channel. Some clients of XEP-0045 read the first one alone.
fn identities(name: &str) -> [Tag; 2] {
    [identity("text", name), identity("mix", name)]
}

fn identity(kind: &str, name: &str) -> Tag {
    Tag::new("identity").attr("category", "conference").attr("type", kind).attr("name", name)
}

fn feature(var: &str) -> Tag {
    Tag::new("feature").attr("var", var)
}
