//! The notices of the HTTP API (groups.md §4): bodies that tell clients of groups made there to fetch a group anew.

#![deny(clippy::wildcard_enum_match_arm)]

use super::notification::headed;
use super::{Extension, Render};
use crate::channel::crowd::by_id;
use crate::channel::whom::Whom;
use crate::channel::{Event, EventKind, Member, Status};
use crate::xmpp::{Tag, ns};
use jid::BareJid;

/// The notices.
pub struct Notices;

impl Extension for Notices {
    fn name(&self) -> &'static str {
        "groups"
    }
}

/// Where the last one left, invitations end without an event of their own: who waited is told all the same.
pub fn tell_uninvited(gone: &Member, render: &mut Render<'_>) {
    if is_on(render) && gone.status == Status::Left && render.event_about(&gone.id).is_none() {
        let number = render.channel.head().row;
        tell(render, "EG", number, |member| member.id == gone.id);
    }
}

/// Tells of the end of the group. That has no row; its number is the next one, which no row will have.
pub fn tell_of_end(render: &mut Render<'_>) {
    if !is_on(render) {
        return;
    }
    let number = render.channel.head().row + 1;
    if let Some(message) = notice("EG", number, render) {
        render.bid_farewell(Whom::Members, message);
    }
}

/// Tells of an event: those who joined of every one, who waits of the own invitation, and whoever is out by it, so that
/// it learns that, and nothing after it (groups.md §1 rules 4 and 12).
pub fn tell_of(event: &Event, number: u64, render: &mut Render<'_>) {
    if !is_on(render) {
        return;
    }
    let is_meant = |member: &Member| event.whom.as_ref().is_some_and(|whom| whom.id == member.id);
    match event.kind {
        EventKind::GroupCreated => tell(render, "NG", number, |member| member.status != Status::Left),
        EventKind::MemberAdded => {
            tell(render, "NG", number, is_meant);
            tell(render, "EG", number, |member| member.is_joined() && !is_meant(member));
        }
        EventKind::MemberLeft | EventKind::MemberRemoved => {
            tell(render, "EG", number, |member| member.is_joined() || is_meant(member));
        }
        EventKind::MemberJoined | EventKind::ProfileChanged | EventKind::AdminAdded | EventKind::AdminRemoved => {
            tell(render, "EG", number, Member::is_joined);
        }
    }
}

/// Whether the group has notices.
fn is_on(render: &Render<'_>) -> bool {
    render.channel.settings().notices
}

/// Tells some people, in the order of ids.
#[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
fn tell(render: &mut Render<'_>, mark: &str, number: u64, whom: impl Fn(&Member) -> bool) {
    let Some(message) = notice(mark, number, render) else { return };
    let members = by_id(render.channel.members().filter(|member| whom(member)));
    let jids: Vec<BareJid> = members.into_iter().map(|member| member.jid.clone()).collect();
    render.mail_all(jids, message);
}

/// What they are told; nothing in a group of so many people that it would take long.
fn notice(mark: &str, number: u64, render: &mut Render<'_>) -> Option<Tag> {
    let body = format!("~[GC M:'{mark}' GID:{} MID:{number}]", render.channel.profile().gid);
    if render.channel.participant_count() > render.service.limits.groups.notices_members_max {
        return None;
    }
    let message = headed(render).attr("type", "normal").child(Tag::new("body").text(&body));
    Some(message.child(Tag::in_ns("no-store", ns::HINTS)))
}
