//! The notices of the HTTP API (groups.md §4): bodies that tell clients of groups made there to fetch a group anew.

use super::mix_core::headed;
use super::{Extension, Render};
use crate::channel::crowd::by_id;
use crate::channel::whom::Whom;
use crate::channel::{Change, Event, EventKind, Member, Row, RowKind, Status};
use crate::xmpp::{Tag, ns};
use jid::BareJid;

/// The notices.
pub struct Notices;

impl Extension for Notices {
    fn name(&self) -> &'static str {
        "groups"
    }

    fn render(&self, change: &Change, render: &mut Render<'_>) {
        if !render.channel.settings().notices {
            return;
        }
        match change {
            Change::Published(Row { kind: RowKind::Event(event), number, .. }) => tell_of(event, *number, render),
            // Where the last one left, invitations end without an event of their own.
            Change::Invited(gone) if gone.status == Status::Left && !is_told_beside(gone, render) => {
                let number = render.channel.head().row;
                tell(render, "EG", number, |member| member.id == gone.id);
            }
            // That has no row; its number is the next one, which no row will have.
            Change::Destroyed => {
                let number = render.channel.head().row + 1;
                if let Some(message) = notice("EG", number, render) {
                    render.bid_farewell(Whom::Members, message);
                }
            }
            _ => {}
        }
    }
}

/// Tells of an event: those who joined of every one, who waits of the own invitation, and whoever is out by it, so that
/// it learns that, and nothing after it (groups.md §1 rules 4 and 12).
fn tell_of(event: &Event, number: u64, render: &mut Render<'_>) {
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
        _ => tell(render, "EG", number, Member::is_joined),
    }
}

/// Whether an event of the same turn is about somebody.
fn is_told_beside(member: &Member, render: &Render<'_>) -> bool {
    let is_about = |change: &Change| match change {
        Change::Published(Row { kind: RowKind::Event(event), .. }) => {
            event.whom.as_ref().is_some_and(|whom| whom.id == member.id)
        }
        _ => false,
    };
    render.beside().any(is_about)
}

/// Tells some people, in the order of ids.
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
