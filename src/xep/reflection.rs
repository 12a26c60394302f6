//! XEP-0369 §7.1.6: messages as participants see them, live and from the archive.

#![deny(clippy::wildcard_enum_match_arm)]

use super::{Sealer, events, occupant};
use crate::channel::change::Relay;
use crate::channel::{Channel, Member, ParticipantId, Row, RowKind, Tombstone, Visibility};
use crate::xmpp::{Tag, ns};
use jid::BareJid;

/// The usual length of a message besides what its sender wrote, in bytes.
const BESIDE_BYTES: usize = 400;

/// Finds the records of participants.
pub trait Records {
    /// The record of a participant id.
    fn find(&self, id: &ParticipantId) -> Option<&Member>;
}

impl Records for Channel {
    fn find(&self, id: &ParticipantId) -> Option<&Member> {
        self.member_of(id)
    }
}

/// What all rows of one channel share.
#[derive(Clone, Copy)]
pub struct ChannelFrame<'a> {
    /// The channel's address.
    pub channel: &'a str,
    /// The channel's tag.
    pub tag: u64,
    /// Seals row numbers into ids.
    pub sealer: &'a Sealer,
    /// Whether each row names the one before it (storage.md §1).
    pub chained: bool,
    /// Who sees the JIDs of authors.
    pub visibility: Visibility,
    /// Whether the row is read from the archive and not shown live.
    pub archived: bool,
}

/// XEP-0369 §7.1.6: the nick of the sender, and its JID where that is visible.
fn mix(nick: &str, jid: Option<&BareJid>) -> Tag {
    let jid = jid.map(|jid| Tag::new("jid").text(jid.as_str()));
    Tag::in_ns("mix", ns::MIX_CORE).child(Tag::new("nick").text(nick)).child_opt(jid)
}

/// XEP-0359 §2.2: the id of the sender's stanza comes back as `<origin-id/>`, where the client sent no origin id.
fn own_ids(stanza_id: Option<&str>, origin_id: Option<&str>) -> Option<Tag> {
    match (stanza_id, origin_id) {
        (Some(id), None) => Some(Tag::in_ns("origin-id", ns::SID).attr("id", id)),
        (Some(id), Some(origin)) if id != origin => Some(Tag::in_ns("sender-id", ns::GROUP).attr("id", id)),
        _ => None,
    }
}

/// The message that every reflection begins with. `outer` states `to` and the namespace.
fn envelope(outer: Tag, from: String, id: &str, lang: Option<&str>) -> Tag {
    outer.attr("from", from).attr("id", id).attr("type", "groupchat").attr_opt("xml:lang", lang)
}

impl ChannelFrame<'_> {
    /// The JID of a participant, where everybody sees it.
    fn jid_of<'m>(&self, member: &'m Member) -> Option<&'m BareJid> {
        match self.archived {
            true => member.archived_jid(self.visibility),
            false => member.shown_jid(self.visibility),
        }
    }

    /// The id of a row.
    pub fn id(&self, row: u64) -> String {
        self.sealer.seal(self.tag, row)
    }

    /// A row of the archive. `outer` is an empty `<message/>` in the namespace of its place. `tombstone` is that of the
    /// row; for a retraction by a moderator, it is that of the retracted row. `None` where the author has to be named
    /// and has no record.
    pub fn row(&self, outer: Tag, row: &Row, tombstone: Option<&Tombstone>, people: &dyn Records) -> Option<Tag> {
        let author = people.find(&row.author);
        let id = self.id(row.number);
        let by_author = || [self.channel, "/", row.author.as_str()].concat();
        let spoken = |content: Tag| {
            let jid = author.and_then(|author| self.jid_of(author));
            let content = content.child(mix(&row.nick, jid)).child(occupant::id(&row.author));
            Some(content.child_opt(own_ids(row.stanza_id.as_deref(), row.origin_id.as_deref())))
        };
        let message = match &row.kind {
            RowKind::Event(event) => {
                let event = events::of_row(event, row.stamp);
                envelope(outer, self.channel.to_owned(), &id, None).child(event)
            }
            RowKind::Moderation => {
                let retract = self.moderated(row, tombstone);
                envelope(outer, self.channel.to_owned(), &id, None).child(retract)
            }
            RowKind::Retraction if row.payload.is_empty() => {
                let retract = Tag::in_ns("retract", ns::RETRACT).attr_opt("id", row.target.map(|row| self.id(row)));
                spoken(envelope(outer, by_author(), &id, None).child(retract))?
            }
            RowKind::Erased => {
                // An erased row has no moderator, and no message announced the erasure.
                let stamp = row.stamp.to_xmpp();
                let retracted = Tag::in_ns("retracted", ns::RETRACT).attr("id", &id).attr("stamp", &stamp);
                let of_mix = Tag::in_ns("retracted", ns::MIX_MISC).attr("by", self.channel).attr("time", &stamp);
                let message = envelope(outer, by_author(), &id, None).child(retracted).child(of_mix);
                message.child(mix(&row.nick, None)).child(occupant::id(&row.author))
            }
            _ if tombstone.is_some() => {
                let retracted = tombstone.map(|tombstone| self.tombstone(tombstone));
                let of_mix = tombstone.map(|tombstone| self.tombstone_of_mix(tombstone, people));
                let message = envelope(outer, by_author(), &id, None).child_opt(retracted).child_opt(of_mix);
                let jid = author.and_then(|author| self.jid_of(author));
                message.child(mix(&row.nick, jid)).child(occupant::id(&row.author))
            }
            RowKind::Message | RowKind::Retraction => {
                let outer = outer.with_room(row.payload.len() + BESIDE_BYTES);
                spoken(envelope(outer, by_author(), &id, row.lang.as_deref()).raw(&row.payload))?
            }
        };
        let prev =
            (self.chained && row.number > 1).then(|| Tag::in_ns("prev", ns::GROUP).attr("id", self.id(row.number - 1)));
        Some(message.child_opt(prev).child(Tag::in_ns("stanza-id", ns::SID).attr("by", self.channel).attr("id", &id)))
    }

    /// XEP-0425 §3.1: a retraction by a moderator is a message of the channel itself.
    fn moderated(&self, row: &Row, tombstone: Option<&Tombstone>) -> Tag {
        let reason = tombstone.and_then(|tombstone| tombstone.reason.as_deref());
        let target = row.target.map(|target| self.id(target));
        let retract = Tag::in_ns("retract", ns::RETRACT).attr_opt("id", target);
        let by = tombstone.and_then(|tombstone| tombstone.by.as_ref());
        retract.child(self.moderator(by)).child_opt(reason.map(|reason| Tag::new("reason").text(reason)))
    }

    /// XEP-0425 §4: the moderator, who is not named without a record in the channel.
    fn moderator(&self, by: Option<&ParticipantId>) -> Tag {
        let moderated = Tag::in_ns("moderated", ns::MODERATE);
        let named = by.map(|by| moderated.clone().attr("by", format!("{}/{by}", self.channel)).child(occupant::id(by)));
        named.unwrap_or(moderated)
    }

    /// XEP-0424 §4, XEP-0425 §4: the tombstone that replaces the contents.
    fn tombstone(&self, tombstone: &Tombstone) -> Tag {
        let retracted = Tag::in_ns("retracted", ns::RETRACT)
            .attr("id", self.id(tombstone.retraction))
            .attr("stamp", tombstone.stamp.to_xmpp());
        if !tombstone.moderated {
            return retracted;
        }
        let reason = tombstone.reason.as_deref().map(|reason| Tag::new("reason").text(reason));
        retracted.child(self.moderator(tombstone.by.as_ref())).child_opt(reason)
    }

    /// XEP-0407 §4: the same tombstone in MIX, with who retracted the message: the JID where everybody sees it, the
    /// channel's address where the moderator has no record.
    fn tombstone_of_mix(&self, tombstone: &Tombstone, people: &dyn Records) -> Tag {
        let jid = |by| people.find(by).and_then(|member| self.jid_of(member)).map(|jid| jid.as_str().to_owned());
        let by = tombstone.by.as_ref().map(|by| jid(by).unwrap_or_else(|| format!("{}/{by}", self.channel)));
        Tag::in_ns("retracted", ns::MIX_MISC)
            .attr("by", by.as_deref().unwrap_or(self.channel))
            .attr("time", tombstone.stamp.to_xmpp())
    }

    /// A message that is not archived, with a random id and no stanza id.
    pub fn relay(&self, relay: &Relay, member: &Member, id: &str) -> Tag {
        let message = &relay.message;
        let from = format!("{}/{}", self.channel, relay.author);
        envelope(Tag::new("message"), from, id, message.lang.as_deref())
            .raw(&message.payload)
            .child(mix(member.nick.as_str(), self.jid_of(member)))
            .child(occupant::id(&member.id))
            .child_opt(own_ids(message.stanza_id.as_deref(), message.origin_id.as_deref()))
    }
}
