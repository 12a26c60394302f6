//! groups.md §4: the notices of the HTTP API. They are messages whose bodies tell clients to fetch a group anew.

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

/// Tells somebody who waited that its invitation is over, because the last member left. That has no event of its own.
pub fn tell_uninvited(gone: &Member, render: &mut Render<'_>) {
    if is_on(render) && gone.status == Status::Left && render.event_about(&gone.id).is_none() {
        let number = render.channel.head().row;
        tell(render, "EG", number, |member| member.id == gone.id);
    }
}

/// Tells of the end of the group. The end is no row, so the notice has the number behind the newest row.
pub fn tell_of_end(render: &mut Render<'_>) {
    if !is_on(render) {
        return;
    }
    let number = render.channel.head().row + 1;
    if let Some(message) = notice("EG", number, render) {
        render.bid_farewell(Whom::Members, message);
    }
}

/// groups.md §1 rules 4, 12: tells of an event. Those who joined are told of every event, those who wait of their own
/// invitation, and those who are out by the event of that one alone.
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

/// Whether the group sends notices.
fn is_on(render: &Render<'_>) -> bool {
    render.channel.settings().notices
}

/// Tells the people for whom `whom` is true, in the order of ids.
#[expect(clippy::disallowed_methods, reason = "in any order: they are sorted")]
fn tell(render: &mut Render<'_>, mark: &str, number: u64, whom: impl Fn(&Member) -> bool) {
    let Some(message) = notice(mark, number, render) else { return };
    let members = by_id(render.channel.members().filter(|member| whom(member)));
    let jids: Vec<BareJid> = members.into_iter().map(|member| member.jid.clone()).collect();
    render.mail_all(jids, message);
}

/// The notice. `None` where so many people are in the group that it is not sent.
fn notice(mark: &str, number: u64, render: &mut Render<'_>) -> Option<Tag> {
    let body = format!("~[GC M:'{mark}' GID:{} MID:{number}]", render.channel.profile().gid);
    if render.channel.participant_count() > render.service.limits.groups.notices_members_max {
        return None;
    }
    let message = headed(render).attr("type", "normal").child(Tag::new("body").text(&body));
    Some(message.child(Tag::in_ns("no-store", ns::HINTS)))
}
