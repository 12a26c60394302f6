//! XEP-0369 MIX-CORE: creating and destroying channels, joining and leaving them, nicks and messages.

use super::nodes::{name_of, node_of};
use super::notification::{headed, passing, tell_node};
use super::{Extension, List, Render, Request, Route, Scope, anon, group_tags, groups, invitations};
use crate::channel::change::Relay;
use crate::channel::whom::Whom;
use crate::channel::{
    Answer, AnyCommand, Channel, ChannelName, Command, JoinWish, Member, Nick, Node, NodeSet, Refusal, Row, RowKind,
    ServiceCommand,
};
use crate::xmpp::{Parts, Tag, ns};
use minidom::Element;

/// XEP-0369.
pub struct MixCore;

impl Extension for MixCore {
    fn name(&self) -> &'static str {
        "XEP-0369"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Service => &[ns::MIX_CORE, "urn:xmpp:mix:core:1#searchable"],
            Scope::Channel => &[ns::MIX_CORE, ns::SID],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::set(Scope::Service, "create", ns::MIX_CORE),
            Route::set(Scope::Service, "destroy", ns::MIX_CORE),
            // The examples of XEP-0404 and XEP-0407 join in their own namespaces, and ejabberd leaves in core:0.
            Route::set(Scope::Channel, "join", ns::MIX_CORE),
            Route::set(Scope::Channel, "join", ns::MIX_CORE_0),
            Route::set(Scope::Channel, "join", ns::MIX_ANON),
            Route::set(Scope::Channel, "join", ns::MIX_MISC),
            Route::set(Scope::Channel, "leave", ns::MIX_CORE),
            Route::set(Scope::Channel, "leave", ns::MIX_CORE_0),
            Route::set(Scope::Channel, "setnick", ns::MIX_CORE),
            Route::set(Scope::Channel, "update-subscription", ns::MIX_CORE),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let payload = request.payload;
        match payload.name() {
            "create" => {
                let name = match payload.attr("channel").filter(|name| !name.is_empty()) {
                    Some(text) => Some(channel_name(text, request)?),
                    None => None,
                };
                match payload.part("group", ns::GROUP) {
                    Some(group) => Ok(ServiceCommand::CreateGroup(groups::wish(name, group)?).into()),
                    None => Ok(ServiceCommand::Create { name }.into()),
                }
            }
            "destroy" => {
                let text = payload.attr("channel").unwrap_or_default();
                Ok(ServiceCommand::Destroy { name: ChannelName::new(text).ok_or(Refusal::NoSuchChannel)? }.into())
            }
            "join" => {
                let subscribe = wanted_nodes(request, "subscribe")?;
                let (nick, preferences) = (wanted_nick(payload), anon::wanted(payload)?);
                let claim = invitations::claim(payload, request)?;
                Ok(Command::Join(JoinWish { nick, subscribe, preferences, claim }).into())
            }
            "leave" if tells_of_an_end(request) => Ok(Command::EndAccount.into()),
            "leave" => Ok(Command::Leave.into()),
            "setnick" => Ok(Command::SetNick { nick: wanted_nick(payload) }.into()),
            _ => Ok(Command::UpdateSubscription {
                subscribe: wanted_nodes(request, "subscribe")?,
                unsubscribe: wanted_nodes(request, "unsubscribe")?,
            }
            .into()),
        }
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let ns = request.payload.ns();
        Ok(match answer {
            // XEP-0369 §7.3.2: the answer repeats the name as the request spelled it.
            Answer::Created { name } => {
                let asked = request.payload.attr("channel").filter(|asked| !asked.is_empty());
                Some(Tag::in_ns("create", &ns).attr("channel", asked.unwrap_or(name.as_str())))
            }
            Answer::GroupCreated { name, members } => {
                let channel = request.channel.ok_or(Refusal::NoSuchChannel)?;
                let group = group_tags::created(channel, name, members, request);
                Some(Tag::in_ns("create", &ns).attr("channel", name.as_str()).child(group))
            }
            Answer::Joined { id, nick, subscribed, preferences } => {
                let channel = request.channel.map(|channel| request.service.address_of(channel.name()));
                let address = channel.filter(|_| request.delegated).map(|channel| format!("{id}#{channel}"));
                let join = Tag::in_ns("join", &ns).attr("id", id.as_str()).attr_opt("jid", address);
                let join = join.children(node_tags("subscribe", *subscribed));
                // Preferences are told to those who use XEP-0404.
                let form = anon::is_asked(request.payload).then(|| anon::result(*preferences));
                Some(join.child_opt(form).child(Tag::new("nick").text(nick.as_str())))
            }
            Answer::Left => Some(Tag::in_ns("leave", &ns)),
            Answer::Nick(nick) => Some(Tag::in_ns("setnick", &ns).child(Tag::new("nick").text(nick.as_str()))),
            Answer::Subscriptions { subscribe, unsubscribe } => Some(
                Tag::in_ns("update-subscription", &ns)
                    .attr("jid", request.actor.account.as_str())
                    .children(node_tags("subscribe", *subscribe))
                    .children(node_tags("unsubscribe", *unsubscribe)),
            ),
            _ => None,
        })
    }
}

/// XEP-0369 §4.7.3: shows a participant who joined, or whose nick changed.
pub fn show_participant(member: &Member, render: &mut Render<'_>) {
    tell_node(Node::Participants, render, |render| {
        items(Tag::new("item").attr("id", member.id.as_str()).child(participant(member, render.channel)))
    });
}

/// XEP-0369 §7.1.3: shows that a participant left.
pub fn show_leave(member: &Member, render: &mut Render<'_>) {
    if !render.is_out(member) {
        return;
    }
    let retraction = items(Tag::new("retract").attr("id", member.id.as_str()));
    let event = headed(render).child(Tag::in_ns("event", ns::PUBSUB_EVENT).child(retraction));
    render.notify(Node::Participants, |_| passing(event.clone()));
    // The account's other resources learn of the leave by this event, and wait for it.
    render.tell(&member.jid, event);
}

/// Shows that somebody left the room who was shown as a participant.
pub fn show_exit(member: &Member, render: &mut Render<'_>) {
    tell_node(Node::Participants, render, |_| items(Tag::new("retract").attr("id", member.id.as_str())));
}

/// Shows a new row.
pub fn show_row(row: &Row, render: &mut Render<'_>) {
    render.fan(List::Node(Node::Messages), None, true, |render| {
        let address = render.address();
        let left = if row.kind == RowKind::Moderation { render.left_by(row) } else { None };
        render.frame(&address).row(Tag::new("message"), row, left, render.channel)
    });
}

/// Shows a message that is not archived.
pub fn show_relay(relay: &Relay, render: &mut Render<'_>) {
    let draw = render.draw();
    let Some(author) = render.channel.member_or_passer_by(&relay.author, render.live.seats) else { return };
    let except = (!relay.message.echoed).then(|| author.jid.clone());
    render.fan(List::Node(Node::Messages), except, true, |render| {
        Some(render.frame(&render.address()).relay(relay, author, &render.id(draw)))
    });
}

/// Shows the end of the channel.
pub fn show_end(render: &mut Render<'_>) {
    let gone = Tag::in_ns("event", ns::PUBSUB_EVENT).child(Tag::new("delete").attr("node", ns::NODE_PARTICIPANTS));
    let message = headed(render).child(gone);
    let channel = render.channel;
    render.bid_farewell(Whom::OtherGuests(Node::Participants), message.clone());
    // Where only some subscribers of the participants node are told of it, the end goes to those of the messages node.
    let heard = channel.has(Node::Participants) && channel.told_of(Node::Participants).is_none();
    let node = if heard { Node::Participants } else { Node::Messages };
    render.fan(List::Node(node), None, false, |_| Some(message));
}

/// Whether a leave says that the home server removed the account. ejabberd then sends a leave in `core:0` from the bare
/// JID. A client that speaks `core:0` leaves from a full JID, or through ejabberd's own PAM, whose request ids begin
/// with `rr-` (hosts.md, C.5).
fn tells_of_an_end(request: &Request<'_>) -> bool {
    let is_passed_on = request.id.is_some_and(|id| id.starts_with("rr-"));
    request.by_home_server && request.payload.has_ns(ns::MIX_CORE_0) && !is_passed_on
}

/// XEP-0369 §4.7.3: the item of a participant.
pub fn participant(member: &Member, channel: &Channel) -> Tag {
    let jid = member.shown_jid(channel.settings().visibility);
    Tag::in_ns("participant", ns::MIX_CORE)
        .child(Tag::new("nick").text(member.nick.as_str()))
        .child_opt(jid.map(|jid| Tag::new("jid").text(jid.as_str())))
}

fn items(entry: Tag) -> Tag {
    Tag::new("items").attr("node", ns::NODE_PARTICIPANTS).child(entry)
}

fn channel_name(text: &str, request: &Request<'_>) -> Result<ChannelName, Refusal> {
    let max = request.service.limits.channel_name_bytes_max;
    if text.len() > max {
        return Err(Refusal::TooLong { what: "the channel's name", max });
    }
    ChannelName::new(text).ok_or_else(|| Refusal::BadRequest(format!("'{text}' cannot name a channel")))
}

/// XEP-0369 §7.1.4: the nick that a request asks for. A nick without a visible character counts as none.
pub(super) fn wanted_nick(payload: &Element) -> Option<Nick> {
    let text = payload.parts().find(|child| child.name() == "nick").map(Element::text);
    text.and_then(|text| Nick::new(&text))
}

/// XEP-0369 §7.1.2: the nodes that a request asks for and that a channel can have. It is an error to ask for unknown
/// nodes alone.
fn wanted_nodes(request: &Request<'_>, name: &str) -> Result<NodeSet, Refusal> {
    let mut asked = request.payload.parts().filter(|child| child.name() == name).peekable();
    let none_asked = asked.peek().is_none();
    let nodes: NodeSet = asked.filter_map(|child| node_of(child.attr("node")?)).collect();
    if nodes.is_empty() && !none_asked { Err(Refusal::NoSuchNode) } else { Ok(nodes) }
}

fn node_tags(name: &'static str, nodes: NodeSet) -> impl Iterator<Item = Tag> {
    nodes.iter().map(move |node| Tag::new(name).attr("node", name_of(node)))
}
