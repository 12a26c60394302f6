//! The notices of the HTTP API (groups.md §4): bodies that tell clients of groups made there to fetch a group anew.

use super::mix_core::headed;
use super::{Extension, Render};
use crate::channel::{Change, EventKind, Member, Row, RowKind, Status};
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
        let Change::Published(Row { kind: RowKind::Event(event), number, .. }) = change else { return };
        let is_added = |member: &Member| event.whom.as_ref().is_some_and(|whom| whom.id == member.id);
        match event.kind {
            EventKind::GroupCreated => tell(render, "NG", *number, |_| true),
            EventKind::MemberAdded => {
                tell(render, "NG", *number, is_added);
                tell(render, "EG", *number, |member| member.is_joined() && !is_added(member));
            }
            _ => tell(render, "EG", *number, Member::is_joined),
        }
    }
}

/// Tells some of those who are in or wait, in the order of accounts.
fn tell(render: &mut Render<'_>, mark: &str, number: u64, whom: impl Fn(&Member) -> bool) {
    let body = format!("~[GC M:'{mark}' GID:{} MID:{number}]", render.channel.profile().gid);
    let members = render.channel.members().filter(|member| member.status != Status::Left && whom(member));
    let mut jids: Vec<BareJid> = members.map(|member| member.jid.clone()).collect();
    jids.sort_unstable();
    for jid in jids {
        let message = headed(render)
            .attr("type", "normal")
            .child(Tag::new("body").text(&body))
            .child(Tag::in_ns("no-store", ns::HINTS));
        render.mail(&jid, message);
    }
}
