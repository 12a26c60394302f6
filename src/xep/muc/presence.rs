//! XEP-0045 §7.2.3, §7.6, §7.14: the presence of occupants, as sessions are told of it.

use super::names::{affiliation_name, role_name};
use crate::channel::{Affiliation, Channel, Farewell, Member, OccupantRole, ParticipantId, Seats};
use crate::xep::occupant;
use crate::xmpp::{Tag, ns};
use jid::BareJid;
use std::hash::Hash;

/// XEP-0045 §15.6.2: status codes of presence.
pub mod status {
    /// Everybody in the room sees JIDs.
    pub const NON_ANONYMOUS: u16 = 100;
    /// The affiliation of the person changed while it was not in the room.
    pub const AFFILIATION_CHANGED: u16 = 101;
    /// The presence is the client's own.
    pub const SELF: u16 = 110;
    /// The room came to be by this.
    pub const CREATED: u16 = 201;
    /// The occupant was banned.
    pub const BANNED: u16 = 301;
    /// The occupant goes by another nick from here on.
    pub const RENAMED: u16 = 303;
    /// The occupant was put out, or the client is not in the room.
    pub const KICKED: u16 = 307;
    /// The occupant may not be in the room any more.
    pub const NOT_MEMBER: u16 = 321;
    /// The room is for members from here on.
    pub const MEMBERS_ONLY: u16 = 322;
    /// The occupant could not be reached.
    pub const UNREACHABLE: u16 = 333;
    /// The service ends for good.
    pub const SHUTDOWN: u16 = 332;
    /// The room gave the client another nick than it asked for.
    pub const NICK_ASSIGNED: u16 = 210;
}

/// Who caused a change of a role or an affiliation, by its nick, and why.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cause<'a> {
    /// The nick of who caused it.
    pub actor: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
}

impl Cause<'_> {
    fn children(self) -> impl Iterator<Item = Tag> {
        let actor = self.actor.map(|nick| Tag::new("actor").attr("nick", nick));
        actor.into_iter().chain(self.reason.map(|reason| Tag::new("reason").text(reason)))
    }
}

/// An occupant, and what of it is shown.
pub struct Occupant<'a> {
    /// The room.
    pub channel: &'a Channel,
    /// The room's address.
    pub room: &'a str,
    /// Its record, or the one that stands for it.
    pub member: &'a Member,
    /// The address of the session that is shown, where it has one and it is shown.
    pub jid: Option<String>,
    /// The children of its presence.
    pub says: &'a str,
    /// Who sits in the room.
    pub seats: &'a Seats,
    /// What it is told for.
    pub cause: Cause<'a>,
}

impl Occupant<'_> {
    fn address(&self) -> String {
        [self.room, "/", self.member.nick.as_str()].concat()
    }

    fn x(&self, item: Tag, statuses: &[u16]) -> Tag {
        let codes = statuses.iter().map(|code| Tag::new("status").attr("code", code.to_string()));
        Tag::in_ns("x", ns::MUC_USER).child(item).children(codes)
    }

    fn item(&self, role: OccupantRole) -> Tag {
        let affiliation = affiliation_name(self.channel.affiliation_of(&self.member.jid));
        let item = Tag::new("item").attr("affiliation", affiliation).attr("role", role_name(role));
        item.attr_opt("jid", self.jid.as_deref()).children(self.cause.children())
    }

    fn role(&self) -> OccupantRole {
        self.channel.occupant_role(&self.member.jid, self.seats)
    }

    /// All that its presence says, whatever it is told for.
    pub fn facts(&self) -> impl Hash {
        let affiliation = affiliation_name(self.channel.affiliation_of(&self.member.jid));
        let who = (self.member.nick.as_str(), self.member.id.as_str(), self.jid.as_deref());
        (who, affiliation, role_name(self.role()), self.says)
    }

    /// The presence that shows the occupant, without `to`.
    pub fn available(&self, id: Option<&str>, statuses: &[u16]) -> Tag {
        self.itself(id, statuses, None)
    }

    /// The presence that tells an occupant that it is in the room, without `to`; with a version of affiliations where it asked.
    pub fn itself(&self, id: Option<&str>, statuses: &[u16], version: Option<Tag>) -> Tag {
        let x = self.x(self.item(self.role()), statuses).child_opt(version);
        let head = Tag::new("presence").attr("from", self.address()).attr_opt("id", id);
        head.raw(self.says).child(x).child(occupant::id(&self.member.id))
    }

    /// The presence that tells that the occupant left, without `to`.
    pub fn unavailable(&self, id: Option<&str>, statuses: &[u16]) -> Tag {
        self.gone(id, self.x(self.item(OccupantRole::None), statuses))
    }

    /// XEP-0045 §7.6: the presence that tells that the occupant goes by another nick from here on, without `to`.
    pub fn renamed(&self, to: &str, id: Option<&str>, statuses: &[u16]) -> Tag {
        let item = self.item(self.role()).attr("nick", to);
        self.gone(id, self.x(item, statuses))
    }

    fn gone(&self, id: Option<&str>, x: Tag) -> Tag {
        let head = Tag::new("presence").attr("from", self.address()).attr_opt("id", id).attr("type", "unavailable");
        head.raw(self.says).child(x).child(occupant::id(&self.member.id))
    }
}

/// XEP-0045 §10.9: what an occupant is told when its room is destroyed, from its own nick, without `to`.
pub fn destroyed(from: &str, id: &str, (who, said): (&ParticipantId, &Farewell)) -> Tag {
    let destroy = Tag::new("destroy").attr_opt("jid", said.venue.as_ref().map(|venue| venue.as_str()));
    let password = said.password.as_ref().map(|password| Tag::new("password").text(password.as_str()));
    let reason = said.reason.as_ref().map(|reason| Tag::new("reason").text(reason));
    let destroy = destroy.child_opt(password).child_opt(reason);
    out(from, id, who, Tag::in_ns("x", ns::MUC_USER).child(no_item()).child(destroy))
}

/// What an occupant is told when there is no such room, for this reason, from its own nick, without `to`.
pub fn lost(from: &str, id: &str, (who, codes): (&ParticipantId, &[u16])) -> Tag {
    let codes = codes.iter().chain(&[status::SELF]).map(|code| Tag::new("status").attr("code", code.to_string()));
    out(from, id, who, Tag::in_ns("x", ns::MUC_USER).child(no_item()).children(codes))
}

fn no_item() -> Tag {
    Tag::new("item").attr("affiliation", "none").attr("role", "none")
}

fn out(from: &str, id: &str, who: &ParticipantId, x: Tag) -> Tag {
    Tag::new("presence").attr("from", from).attr("id", id).attr("type", "unavailable").child(x).child(occupant::id(who))
}

/// XEP-0045 §10.3, §10.6: the message that tells of the affiliation of somebody who is not in the room, without `to`.
pub fn affiliation_message(
    room: &str,
    account: &BareJid,
    affiliation: Affiliation,
    cause: Cause<'_>,
    (id, statuses): (&str, &[u16]),
) -> Tag {
    let affiliation = affiliation_name(affiliation);
    let item = Tag::new("item").attr("affiliation", affiliation).attr("jid", account.as_str()).attr("role", "none");
    let codes = statuses.iter().map(|code| Tag::new("status").attr("code", code.to_string()));
    let x = Tag::in_ns("x", ns::MUC_USER).child(item.children(cause.children())).children(codes);
    Tag::new("message").attr("from", room).attr("id", id).child(x)
}

/// XEP-0486 §5.2: the picture of a room, by the SHA-1 of its bytes, without `to`. Some clients look for it there. Blank where there
/// is none any more; presence of type `unavailable` never comes from a room.
pub fn picture(room: &str, hash: &str) -> Tag {
    let photo = Tag::new("photo").text(hash);
    Tag::new("presence").attr("from", room).child(Tag::in_ns("x", ns::VCARD_UPDATE).child(photo))
}

/// XEP-0045 §10.2.1: everybody in a room is told that something of it is different, without `to`.
pub fn reconfigured(room: &str, id: &str, codes: &[u16]) -> Tag {
    let codes = codes.iter().map(|code| Tag::new("status").attr("code", code.to_string()));
    let head = Tag::new("message").attr("from", room).attr("id", id).attr("type", "groupchat");
    head.child(Tag::in_ns("x", ns::MUC_USER).children(codes))
}
