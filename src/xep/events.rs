//! groups.md §3.7: how events of a group are written.

use crate::channel::{Event, EventKind, Stamp};
use crate::xmpp::{Tag, ns};

fn name_of(kind: EventKind) -> &'static str {
    match kind {
        EventKind::GroupCreated => "group-created",
        EventKind::MemberAdded => "member-added",
        EventKind::MemberJoined => "member-joined",
        EventKind::MemberLeft => "member-left",
        EventKind::MemberRemoved => "member-removed",
        EventKind::ProfileChanged => "profile-changed",
        EventKind::AdminAdded => "admin-added",
        EventKind::AdminRemoved => "admin-removed",
    }
}

/// An event of the archive. It names people by the nicks they had at the time.
pub fn of_row(event: &Event, stamp: Stamp) -> Tag {
    let (by, whom) = (event.by.as_ref(), event.whom.as_ref());
    let detail = event.detail.as_deref();
    let of = |kinds: &[EventKind]| detail.filter(|_| kinds.contains(&event.kind));
    Tag::in_ns("event", ns::GROUP)
        .attr("type", name_of(event.kind))
        .attr_opt("by", by.map(|by| by.jid.as_str()))
        .attr_opt("by-nick", by.map(|by| by.nick.as_str()))
        .attr_opt("jid", whom.map(|whom| whom.jid.as_str()))
        .attr_opt("nick", whom.map(|whom| whom.nick.as_str()))
        .attr_opt("status", of(&[EventKind::MemberAdded]))
        .attr_opt("what", of(&[EventKind::ProfileChanged]))
        .attr_opt("role", of(&[EventKind::AdminAdded, EventKind::AdminRemoved]))
        .attr("stamp", stamp.to_xmpp())
}
