//! XEP-0452: members who are away are told of messages that mention them, with the message itself.
//!
//! A message mentions somebody by a reference (XEP-0372): to the occupant, or to the account where its author sees JIDs; or by an
//! explicit mention (XEP-0513).

use super::muc::message;
use super::{Render, proxy};
use crate::channel::{Channel, Member, Nick, Node, ParticipantId, Row, RowKind};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::{BareJid, Jid};
use minidom::Element;
use percent_encoding::percent_decode_str;

/// Mentions of one message that are looked at.
const MENTIONS_MAX: usize = 20;
/// What is told of the text of a message, in characters; the message is beside it.
const TEXT_CHARS_MAX: usize = 300;

/// Tells members of a new row that mentions them, if the room is set up so: those who have no seat there and are not sent its
/// messages by MIX.
pub fn show_row(row: &Row, render: &mut Render<'_>) {
    let forwards = render.channel.settings().room.forward_mentions;
    // A correction would tell of the same again.
    if !forwards || row.kind != RowKind::Message || row.corrects || !may_mention(&row.payload) {
        return;
    }
    let Ok(content) = format!("<message xmlns='{}'>{}</message>", ns::CLIENT, row.payload).parse::<Element>() else {
        return;
    };
    let accounts = absent(&content, row, render);
    if !accounts.is_empty()
        && let Some(message) = notification(&content, row, render)
    {
        render.mail_all(accounts, message);
    }
}

/// Whether a payload may have a mention.
fn may_mention(payload: &str) -> bool {
    payload.contains(ns::REFERENCE) || payload.contains(ns::MENTIONS)
}

/// The bare JIDs of those who are mentioned and away, each once, in the order of the mentions.
fn absent(content: &Element, row: &Row, render: &Render<'_>) -> Vec<BareJid> {
    let (channel, seats) = (render.channel, render.live.seats);
    let sees_jids =
        channel.settings().shows_jids() || render.actor.is_some_and(|actor| channel.unveils_occupants_to(actor, seats));
    let mut accounts: Vec<BareJid> = Vec::new();
    for mention in content.parts().filter_map(Mention::of).take(MENTIONS_MAX) {
        let Some(member) = mention.member(channel, sees_jids, &render.service.domain) else { continue };
        let is_told = member.subscriptions.contains(Node::Messages) || seats.is_seated(&member.jid);
        if member.is_joined() && !is_told && member.id != row.author && !accounts.contains(&member.jid) {
            accounts.push(member.jid.clone());
        }
    }
    accounts
}

/// Who is mentioned.
enum Mention {
    /// An occupant, by its id.
    Id(String),
    /// An address: of an occupant, a participant or an account.
    Address(Jid),
}

impl Mention {
    /// Reads a child of a message.
    fn of(child: &Element) -> Option<Mention> {
        let by_address = |name: &str| child.attr(name).and_then(addressed).map(Mention::Address);
        match (child.name(), &*child.ns()) {
            ("reference", ns::REFERENCE) if child.attr("type") == Some("mention") => by_address("uri"),
            // XEP-0513 §3.2, §3.5: groups of people, whoever is active, and whoever is not to be told.
            ("mention", ns::MENTIONS) if child.attr("mentions").is_none() && child.parts().next().is_none() => {
                let id = child.attr("occupantid").map(|id| Mention::Id(id.to_owned()));
                id.or_else(|| by_address("uri")).or_else(|| address::jid(child.attr("jid")?).ok().map(Mention::Address))
            }
            _ => None,
        }
    }

    /// The record of whoever it is. Accounts are found by those alone who see them.
    fn member<'a>(&self, channel: &'a Channel, sees_jids: bool, domain: &jid::DomainRef) -> Option<&'a Member> {
        let jid = match self {
            Mention::Id(id) => return channel.member_of(&ParticipantId::new(id)?),
            Mention::Address(jid) => jid,
        };
        if jid.domain() != domain {
            return channel.participant(&jid.to_bare()).filter(|_| sees_jids);
        }
        let node = jid.node()?;
        if let Some((name, id)) = proxy::parse(node) {
            return channel.member_of(&id).filter(|_| name == *channel.name());
        }
        let is_here = crate::channel::ChannelName::of(node).is_some_and(|name| name == *channel.name());
        let nick = jid.resource().filter(|_| is_here).and_then(|nick| Nick::new(nick))?;
        channel.participant(channel.holder_of(&nick)?)
    }
}

/// The address in a URI of the scheme `xmpp` (RFC 5122), without its query.
fn addressed(uri: &str) -> Option<Jid> {
    let (scheme, rest) = uri.split_once(':')?;
    let address = rest.split(['?', '#']).next().filter(|_| scheme.eq_ignore_ascii_case("xmpp"))?;
    address::jid(&percent_decode_str(address).decode_utf8().ok()?).ok()
}

/// What they are told: the message as the room has it (XEP-0452 §3.2). The text is there for servers that push messages with a
/// body alone.
fn notification(content: &Element, row: &Row, render: &mut Render<'_>) -> Option<Tag> {
    let (room, id) = (render.address(), render.fresh_id());
    let nobody = |_: &ParticipantId| None;
    let outer = Tag::in_ns("message", ns::CLIENT).attr("to", &room);
    let spoken = message::row(&render.frame(&room), outer, (row, None), &nobody)?;
    let said = content.part("body", ns::CLIENT).map(Element::text).unwrap_or_default();
    let text = format!("{} mentions you in {}", row.nick, render.channel.title());
    let text = if said.trim().is_empty() { text } else { [&text, ": ", &cut(&said)].concat() };
    let forwarded = Tag::in_ns("forwarded", ns::FORWARD);
    let forwarded = forwarded.child(Tag::in_ns("delay", ns::DELAY).attr("stamp", row.stamp.to_xmpp())).child(spoken);
    let fallback = Tag::in_ns("fallback", ns::FALLBACK).attr("for", ns::MENTION_NOTIFICATIONS).child(Tag::new("body"));
    let message = Tag::new("message").attr("from", &room).attr("id", &id).child(Tag::new("body").text(&text));
    Some(message.child(Tag::in_ns("mentions", ns::MENTION_NOTIFICATIONS).child(forwarded)).child(fallback))
}

/// The beginning of a text.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((at, _)) => [&text[..at], "…"].concat(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_out_of_a_uri() {
        let read = |uri| addressed(uri).map(|jid| jid.to_string());
        let expected = [
            ("xmpp:hag66@shakespeare.lit", Some("hag66@shakespeare.lit")),
            ("XMPP:coven@chat.shakespeare.lit/second%20witch?join", Some("coven@chat.shakespeare.lit/second witch")),
            ("xmpp:a@h#x", Some("a@h")),
            ("xmpp:1%23coven@h", Some("1#coven@h")),
            ("mailto:hag66@shakespeare.lit", None),
            ("hag66@shakespeare.lit", None),
            ("xmpp:%ff@h", None),
            ("xmpp:", None),
        ];
        for (uri, jid) in expected {
            assert_eq!(read(uri).as_deref(), jid, "{uri}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("è"), "è");
        assert_eq!(cut(&"è".repeat(TEXT_CHARS_MAX + 1)).chars().count(), TEXT_CHARS_MAX + 1);
    }
}
