//! groups.md §3: group operations in the service's own namespace.

use super::{Extension, Request, Route, Scope, group_tags, rows, rsm};
use crate::channel::group::{GroupCommand, Invitee, Patch};
use crate::channel::{
    Access, Answer, AnyCommand, ChannelName, Command, GroupAnswer, GroupWish, History, Membership, Nick, Progress,
    ReceiptPolicy, Refusal, ServiceCommand, Standing,
};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::BareJid;
use minidom::Element;

/// The extension of groups.
pub struct Groups;

impl Extension for Groups {
    fn name(&self) -> &'static str {
        "groups"
    }

    fn features(&self, _scope: Scope) -> &'static [&'static str] {
        &[ns::GROUP]
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::get(Scope::Service, "groups", ns::GROUP),
            Route::set(Scope::Service, "clear-all", ns::GROUP),
            Route::get(Scope::Channel, "profile", ns::GROUP),
            Route::set(Scope::Channel, "members", ns::GROUP),
            Route::set(Scope::Channel, "admins", ns::GROUP),
            Route::set(Scope::Channel, "settings", ns::GROUP),
            Route::set(Scope::Channel, "receipt", ns::GROUP),
            Route::get(Scope::Channel, "message-info", ns::GROUP),
            Route::set(Scope::Channel, "hide", ns::GROUP),
            Route::set(Scope::Channel, "clear", ns::GROUP),
            Route::set(Scope::Channel, "forget", ns::GROUP),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let payload = request.payload;
        let command = match payload.name() {
            "groups" => {
                let with = payload.attr("with").map(|with| account("with", Some(with))).transpose()?;
                return Ok(ServiceCommand::ListGroups { with, slice: rsm::decode(payload)? }.into());
            }
            "clear-all" => return Ok(ServiceCommand::ClearAll.into()),
            "profile" => GroupCommand::ReadProfile(rsm::decode(payload)?),
            "members" => {
                let (add, remove) = edits(payload)?;
                GroupCommand::EditMembers {
                    add: add.into_iter().map(invitee).collect::<Result<_, _>>()?,
                    remove: accounts(&remove)?,
                }
            }
            "admins" => {
                let (add, remove) = edits(payload)?;
                GroupCommand::EditAdmins { add: accounts(&add)?, remove: accounts(&remove)? }
            }
            "settings" => GroupCommand::Configure(patch(payload)?),
            "receipt" => {
                let progress = match payload.attr("state") {
                    Some("delivered") => Progress::Delivered,
                    Some("read") => Progress::Read,
                    _ => return Err(invalid("state", "delivered or read")),
                };
                GroupCommand::Report { row: row(request, payload, "id")?, progress, exact: true }
            }
            "message-info" => GroupCommand::ReadMessageInfo { row: row(request, payload, "id")? },
            "hide" => {
                let items: Vec<&Element> = payload.parts().filter(|child| child.name() == "item").collect();
                if items.is_empty() || items.len() > rows::ROWS_MAX {
                    return Err(invalid("item", &format!("1 to {} items", rows::ROWS_MAX)));
                }
                let rows = items.into_iter().map(|item| row(request, item, "id")).collect::<Result<_, _>>()?;
                GroupCommand::Hide { rows }
            }
            "clear" => {
                let up_to = payload.attr("up-to").map(|_| row(request, payload, "up-to")).transpose()?;
                GroupCommand::Clear { up_to }
            }
            _ => GroupCommand::Forget,
        };
        Ok(Command::Group(command).into())
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(match answer {
            Answer::Groups(page) => Some(group_tags::list(page, request)),
            Answer::Group(GroupAnswer::Profile(slice)) => {
                let channel = request.channel.ok_or(Refusal::NoSuchChannel)?;
                let (actor, newcomers) = (request.actor, request.live.newcomers);
                let administers = actor.operator || channel.standing_of(&actor.account) != Standing::Member;
                // Accounts that are not reached are shown to those who administer the group.
                let unreachable = |jid: &BareJid| newcomers.get(jid).filter(|_| administers)?.unreachable_since;
                let bytes_max = request.service.limits.answer_bytes_max;
                Some(group_tags::profile(channel, slice, &unreachable, bytes_max)?)
            }
            Answer::Group(GroupAnswer::Edited(people)) => {
                let name = if request.payload.name() == "admins" { "admins" } else { "members" };
                let members = people.iter().map(|(jid, status)| group_tags::edited(jid, *status));
                Some(Tag::in_ns(name, ns::GROUP).children(members))
            }
            _ => None,
        })
    }
}

/// groups.md §3.1: the wish that a `<group/>` of a `<create/>` states.
///
/// # Errors
/// [`Refusal::Invalid`] with the field that is missing or wrong.
pub fn wish(name: Option<ChannelName>, group: &Element) -> Result<GroupWish, Refusal> {
    let text = |name: &str| group.parts().find(|child| child.name() == name).map(Element::text);
    let nick = text("nick").and_then(|nick| Nick::new(&nick));
    let Patch { membership, history, .. } = patch(group)?;
    let members = group.parts().filter(|child| child.name() == "member");
    Ok(GroupWish {
        name,
        subject: text("name").ok_or_else(|| invalid("name", "the group's name"))?,
        nick,
        members: members.map(invitee).collect::<Result<_, _>>()?,
        membership,
        history,
        notices: false,
    })
}

pub(super) fn invalid(field: &'static str, expected: &str) -> Refusal {
    Refusal::Invalid { field, why: format!("expected {expected}") }
}

fn row(request: &Request<'_>, element: &Element, field: &'static str) -> Result<u64, Refusal> {
    let id = element.attr(field).ok_or_else(|| invalid(field, "the id of a message"))?;
    let channel = request.channel.ok_or(Refusal::NoSuchChannel)?;
    // Row 0 does not exist. The right to name rows is checked first, so that others learn nothing of ids.
    Ok(rows::open(&request.service.sealer, channel.profile().tag, id).unwrap_or(0))
}

fn account(field: &'static str, jid: Option<&str>) -> Result<BareJid, Refusal> {
    let jid = jid.and_then(|jid| address::bare_jid(jid).ok()).filter(|jid| jid.node().is_some());
    jid.ok_or_else(|| invalid(field, "an account's bare JID"))
}

fn accounts(children: &[&Element]) -> Result<Vec<BareJid>, Refusal> {
    children.iter().map(|child| account("jid", child.attr("jid"))).collect()
}

fn invitee(child: &Element) -> Result<Invitee, Refusal> {
    Ok(Invitee { jid: account("jid", child.attr("jid"))?, nick: child.attr("nick").and_then(Nick::new) })
}

/// The `<add/>` and `<remove/>` children.
fn edits(payload: &Element) -> Result<(Vec<&Element>, Vec<&Element>), Refusal> {
    let named = |name: &str| payload.parts().filter(|child| child.name() == name).collect::<Vec<_>>();
    let (add, remove) = (named("add"), named("remove"));
    if add.is_empty() && remove.is_empty() {
        return Err(invalid("jid", "whom to add or to remove"));
    }
    Ok((add, remove))
}

/// The settings that the attributes of an element state.
fn patch(element: &Element) -> Result<Patch, Refusal> {
    fn read<T>(
        element: &Element,
        field: &'static str,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        element.attr(field).map(|text| read(text).ok_or_else(|| invalid(field, expected))).transpose()
    }
    let truth = |text: &str| match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    };
    Ok(Patch {
        membership: read(element, "membership", "open, auto or invite", |text| match text {
            "open" => Some(Membership::Open),
            "auto" => Some(Membership::Auto),
            "invite" => Some(Membership::Invite),
            _ => None,
        })?,
        history: read(element, "history", "joined or full", |text| match text {
            "joined" => Some(History::Joined),
            "full" => Some(History::Full),
            _ => None,
        })?,
        events: read(element, "events", "true or false", truth)?,
        receipts: read(element, "receipts", "author or relay", |text| match text {
            "author" => Some(ReceiptPolicy::Author),
            "relay" => Some(ReceiptPolicy::Relay),
            _ => None,
        })?,
        members_add: read(element, "members-add", "true or false", truth)?,
        guests: read(element, "guests", "participants, allowed or anyone", |text| {
            group_tags::access_of(text).filter(|access| *access >= Access::Participants)
        })?,
        participants_max: read(element, "participants-max", "a number", |text| text.parse().ok())?,
        retention_days: read(element, "retention-days", "a number of days", |text| text.parse().ok())?,
        retract_window_s: read(element, "retract-window", "a number of seconds", |text| text.parse().ok())?,
        ..Patch::default()
    })
}
