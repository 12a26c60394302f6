//! What people are sent of a group besides messages: events (groups.md §3.7), invitations (XEP-0407 §6), and to
//! authors, how their messages fare (groups.md §3.4).

use super::events::of_row;
use super::group_tags::{counts, progress, status};
use super::muc::invite;
use super::notification::headed;
use super::{List, Render, Shown};
use crate::channel::group::{GroupCommand, Notice};
use crate::channel::whom::Whom;
use crate::channel::{Event, EventKind, Member, Node, Report, Row, Stamp, Status, Style};
use crate::xmpp::{Tag, ns};
use jid::BareJid;

/// groups.md §1 rule 5: invites somebody whom others put into the group. The person's client then joins, which changes
/// nothing where the person is in already.
pub fn invite(member: &Member, render: &mut Render<'_>) {
    let is_added = member.status != Status::Left && render.actor.is_some_and(|actor| *actor != member.jid);
    // Elsewhere somebody is made a member of a room (XEP-0045 §9.3), and told so as such.
    if !is_added || !render.channel.is_group() {
        return;
    }
    let inviter = render.actor.map(|actor| Tag::new("inviter").text(actor.as_str()));
    let channel = render.channel;
    let group = Tag::in_ns("group", ns::GROUP)
        .attr("gid", channel.profile().gid.to_string())
        .attr_opt("name", channel.label())
        .attr("status", status(member.status));
    let invitation = Tag::in_ns("invitation", ns::MIX_MISC)
        .child_opt(inviter)
        .child(Tag::new("invitee").text(member.jid.as_str()))
        .child(Tag::new("channel").text(render.address()));
    let as_room = invite::beside(member, render);
    let message = headed(render).attr("type", "normal").child(invitation).child(group).children(as_room);
    let message = message.child(Tag::in_ns("store", ns::HINTS));
    render.mail(&member.jid, message);
}

/// groups.md §1 rule 4: tells somebody who waited that the invitation is over, unless the person ended it.
pub fn tell_uninvited(member: &Member, render: &mut Render<'_>) {
    if member.status != Status::Left || render.actor.is_some_and(|actor| *actor == member.jid) {
        return;
    }
    let told = render.event_about(&member.id).map(|(event, stamp)| of_row(event, stamp));
    // The invitations of a group end without an event when its last member leaves.
    let event = told.unwrap_or_else(|| {
        let (kind, whom) = (EventKind::MemberRemoved, Some(member.into()));
        of_row(&Event { kind, by: None, whom, detail: None }, render.live.now)
    });
    let message = headed(render).attr("type", "normal").child(event);
    render.mail(&member.jid, message);
}

/// groups.md §1 rule 12: sends an event to those who are out by it. They get nothing after it.
pub fn show_last(event: &Event, row: &Row, render: &mut Render<'_>) {
    if !matches!(event.kind, EventKind::MemberLeft | EventKind::MemberRemoved) {
        return;
    }
    let Some(gone) = event.whom.as_ref().and_then(|whom| render.channel.member_of(&whom.id)) else { return };
    if gone.was_in_at(row.number) {
        let account = gone.jid.clone();
        let address = render.address();
        let message = render.frame(&address).row(Tag::new("message"), row, None, render.channel);
        render.shown.extend(message.map(|message| Shown::Tell { account, message }));
    }
}

/// Shows the end of a group, also to those who wait.
pub fn show_end(render: &mut Render<'_>) {
    if render.channel.settings().style != Style::Group {
        return;
    }
    let by = render.actor.map(|actor| actor.as_str().to_owned());
    let event = Tag::in_ns("event", ns::GROUP)
        .attr("type", "group-destroyed")
        .attr_opt("by", by)
        .attr("stamp", render.live.now.to_xmpp());
    let message = headed(render).attr("type", "groupchat").child(event.clone());
    render.fan(List::Node(Node::Messages), None, true, |_| Some(message));
    let message = headed(render).attr("type", "normal").child(event);
    render.bid_farewell(Whom::Waiting, message);
}

/// groups.md §3.4: tells an author of a report about a message. The reporter is named where its JID is visible. `to` is
/// missing.
pub fn notice(
    notice: &Notice,
    report: &Report,
    reporter: Option<&BareJid>,
    from: &str,
    row: String,
    id: String,
) -> Tag {
    let told = Tag::in_ns("status", ns::GROUP)
        .attr("id", row)
        .attr_opt("origin-id", notice.origin_id.as_deref())
        .attr_opt("jid", reporter.map(|reporter| reporter.as_str()))
        .attr("state", progress(Some(report.progress)))
        .attr("stamp", report.stamp.to_xmpp())
        .attr("aggregate", progress(notice.aggregate.all));
    Tag::new("message")
        .attr("from", from)
        .attr("id", id)
        .attr("type", "normal")
        .child(counts(told, &notice.aggregate))
        .child(Tag::in_ns("no-store", ns::HINTS))
}

/// Tells somebody's other resources what it settled for itself alone. `None` for commands that settle no such thing.
pub fn own(command: &GroupCommand, seal: impl Fn(u64) -> String, newest: u64, stamp: Stamp) -> Option<Tag> {
    let event = |kind| Tag::in_ns("event", ns::GROUP).attr("type", kind).attr("stamp", stamp.to_xmpp());
    Some(match command {
        GroupCommand::Hide { rows } => {
            event("hidden").children(rows.iter().map(|&row| Tag::new("item").attr("id", seal(row))))
        }
        GroupCommand::Clear { up_to } => {
            let up_to = up_to.unwrap_or(newest);
            event("cleared").attr_opt("up-to", (up_to > 0).then(|| seal(up_to)))
        }
        GroupCommand::ClearTo(head) => event("cleared").attr_opt("up-to", (head.row > 0).then(|| seal(head.row))),
        GroupCommand::Forget => event("forgotten"),
        _ => return None,
    })
}
