//! groups.md §3: how groups, their people and the receipts of their messages are written.

use super::{Request, rsm};
use crate::channel::answer::Page;
use crate::channel::command::Slice;
use crate::channel::group::{Aggregate, GroupLine};
use crate::channel::snapshot::Known;
use crate::channel::{
    Access, Channel, ChannelName, History, Item, Member, Membership, Progress, Receipt, ReceiptPolicy, Refusal, Stamp,
    Standing, Status,
};
use crate::xmpp::{Parts, Tag, ns};
use jid::BareJid;

/// The name of a status.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Joined => "joined",
        Status::Waiting => "waiting",
        Status::Left => "left",
    }
}

/// The name of a role.
pub fn role(standing: Standing) -> &'static str {
    match standing {
        Standing::Owner => "owner",
        Standing::Admin => "admin",
        Standing::Member => "member",
    }
}

/// The name of how far a message came.
pub fn progress(progress: Option<Progress>) -> &'static str {
    match progress {
        None => "sent",
        Some(Progress::Delivered) => "delivered",
        Some(Progress::Read) => "read",
    }
}

fn membership(membership: Membership) -> &'static str {
    match membership {
        Membership::Open => "open",
        Membership::Auto => "auto",
        Membership::Invite => "invite",
    }
}

fn history(history: History) -> &'static str {
    match history {
        History::Full => "full",
        History::Joined => "joined",
    }
}

fn receipts(receipts: ReceiptPolicy) -> &'static str {
    match receipts {
        ReceiptPolicy::Relay => "relay",
        ReceiptPolicy::Author => "author",
    }
}

/// XEP-0406 §2.4: the name of those to whom something is open, in forms and in the service's own namespace.
pub fn access(access: Access) -> &'static str {
    match access {
        Access::Nobody => "nobody",
        Access::Owners => "owners",
        Access::Admins => "admins",
        Access::Participants => "participants",
        Access::Allowed => "allowed",
        Access::Anyone => "anyone",
    }
}

/// Reads such a name.
pub fn access_of(text: &str) -> Option<Access> {
    use Access::*;
    [Nobody, Owners, Admins, Participants, Allowed, Anyone].into_iter().find(|it| access(*it) == text)
}

/// Whether the item of a picture or video describes one. The item of a deleted one describes nothing.
fn describes(item: &Item) -> bool {
    item.payload.contains("<info") || item.payload.contains("<file")
}

/// groups.md §3.1: a group that was created.
pub fn created(channel: &Channel, name: &ChannelName, members: &[(BareJid, Status)], request: &Request<'_>) -> Tag {
    let profile = channel.profile();
    Tag::in_ns("group", ns::GROUP)
        .attr("jid", request.service.address_of(name))
        .attr("gid", profile.gid.to_string())
        .attr("created", profile.created.to_xmpp())
        .children(members.iter().map(|(jid, status)| edited(jid, Some(*status))))
}

/// Somebody whom a request added or removed, with the status after it.
pub fn edited(jid: &BareJid, now: Option<Status>) -> Tag {
    Tag::new("member").attr("jid", jid.as_str()).attr_opt("status", now.map(status))
}

/// groups.md §3.2: a page of groups.
pub fn list(page: &Page<GroupLine>, request: &Request<'_>) -> Tag {
    let service = request.service;
    let jid = |line: &GroupLine| service.address_of(&line.group.name);
    let cut = request.payload.has_part("set", ns::RSM) || page.entries.len() < page.count;
    let (first, last) = (page.entries.first().map(jid), page.entries.last().map(jid));
    let counted = Some((page.count as u64, page.index as u64));
    let set = cut.then(|| rsm::encode(first.as_deref(), last.as_deref(), counted));
    let groups = page.entries.iter().map(|line| {
        let group = &line.group;
        let avatar = group.avatar.as_ref();
        Tag::new("group")
            .attr("jid", jid(line))
            .attr("gid", group.gid.to_string())
            .attr_opt("name", group.subject.as_deref())
            .attr_opt("owner", group.owner.as_ref().map(|owner| owner.as_str()))
            .attr("role", role(line.standing))
            .attr("status", status(line.status))
            .attr("created", group.created.to_xmpp())
            .attr_opt("avatar", avatar.filter(|item| describes(item)).map(|item| item.id.as_str()))
            .attr_opt("avatar-updated", avatar.map(|item| item.stamp.to_xmpp()))
            .attr("history", history(group.settings.history))
            .attr_opt("last-row", line.last_row.map(|row| service.sealer.seal(group.tag, row)))
            .attr_opt("last-activity", line.last_activity.map(Stamp::to_xmpp))
            .attr("unread", line.unread.to_string())
    });
    Tag::in_ns("groups", ns::GROUP).children(groups).child_opt(set)
}

/// Since when an account that was added is not reached, where the asker may know it.
pub type Unreachable<'a> = &'a dyn Fn(&BareJid) -> Option<Stamp>;

/// groups.md §3.2: the profile of a group with its people, or with a page of them, in the order of accounts.
///
/// # Errors
/// [`Refusal::NoSuchItem`] where the page begins at an account that is not on the list.
pub fn profile(
    channel: &Channel,
    slice: &Slice,
    unreachable: Unreachable<'_>,
    bytes_max: usize,
) -> Result<Tag, Refusal> {
    let group = channel.snapshot();
    let settings = &group.settings;
    let updated = |name, item: &Item| {
        let id = describes(item).then_some(item.id.as_str());
        Tag::new(name).attr_opt("id", id).attr("updated", item.stamp.to_xmpp())
    };
    let tag = |one: Known<'_>| match one {
        Known::Person(member) => person(member, channel, unreachable),
        Known::Guest(guest) => {
            let tag = Tag::new("guest").attr("jid", guest.jid.as_str()).attr("nick", guest.label());
            tag.attr("since", guest.since.to_xmpp())
        }
    };
    let (people, part) = rsm::page(&channel.known(), Known::id, tag, slice, bytes_max)?;
    let stated = Tag::new("settings")
        .attr("membership", membership(settings.membership))
        .attr("history", history(settings.history))
        .attr("events", settings.events.to_string())
        .attr("receipts", receipts(settings.receipts))
        .attr("members-add", settings.members_add.to_string())
        .attr("guests", access(settings.access.messages))
        .attr("participants-max", settings.participants_max.to_string())
        .attr_opt("retention-days", (settings.retention_days > 0).then(|| settings.retention_days.to_string()))
        .attr("retract-window", settings.retract_window_s.to_string());
    let profile = Tag::in_ns("profile", ns::GROUP)
        .attr("gid", group.gid.to_string())
        .attr_opt("name", group.subject.as_deref())
        .attr_opt("owner", group.owner.as_ref().map(|owner| owner.as_str()))
        .attr("creator", group.creator.as_str())
        .attr("created", group.created.to_xmpp())
        .child(stated)
        .child_opt(group.avatar.as_ref().map(|item| updated("avatar", item)))
        .child_opt(group.video.as_ref().map(|item| updated("video", item)));
    Ok(profile.children(people).child_opt(part))
}

fn person(member: &Member, channel: &Channel, unreachable: Unreachable<'_>) -> Tag {
    Tag::new("member")
        .attr("jid", member.jid.as_str())
        .attr("nick", member.nick.as_str())
        .attr("id", member.id.as_str())
        .attr("role", role(channel.standing_of(&member.jid)))
        .attr("status", status(member.status))
        .attr("since", member.since.to_xmpp())
        .attr_opt("unreachable", unreachable(&member.jid).map(|since| since.to_xmpp()))
}

/// Adds how far a message came in all, as attributes.
pub fn counts(tag: Tag, aggregate: &Aggregate) -> Tag {
    tag.attr("recipients", aggregate.recipients.to_string())
        .attr("delivered", aggregate.delivered.to_string())
        .attr("read", aggregate.read.to_string())
}

/// A recipient of a message, with how far it came there.
pub fn recipient(jid: &BareJid, receipt: &Receipt) -> Tag {
    Tag::new("recipient")
        .attr("jid", jid.as_str())
        .attr_opt("delivered", receipt.delivered.map(Stamp::to_xmpp))
        .attr_opt("read", receipt.read.map(Stamp::to_xmpp))
}
