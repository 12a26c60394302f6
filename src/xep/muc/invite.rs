//! XEP-0045 §7.8.2: invitations through a room.

use crate::channel::{Command, InviterName, Member, Nick, Refusal, RoomDecline, RoomInvitation, RoomInvitee};
use crate::xep::notification::headed;
use crate::xep::{Render, Request, invitations};
use crate::xmpp::{Parts, Stanza, Tag, address, ns};
use minidom::Element;

/// The `<x/>` of a message that invites somebody through the room, or declines that.
pub fn of_message(message: &Stanza) -> Option<&Element> {
    let x = message.element.part("x", ns::MUC_USER)?;
    ["invite", "decline"].iter().any(|name| x.has_part(name, ns::MUC_USER)).then_some(x)
}

/// Reads that `<x/>`.
///
/// # Errors
/// [`Refusal::BadRequest`] where it names nobody, [`Refusal::NoSuchItem`] where nobody can be behind an address,
/// [`Refusal::TooLong`] for a reason.
pub fn decode(x: &Element, request: &Request<'_>) -> Result<Command, Refusal> {
    let invites: Vec<&Element> = x.parts().filter(|part| part.is("invite", ns::MUC_USER)).collect();
    if !invites.is_empty() {
        let invitees = invites.into_iter().map(|invite| invitee(invite, request)).collect::<Result<_, _>>()?;
        return Ok(Command::InviteByRoom(invitees));
    }
    let decline = x.part("decline", ns::MUC_USER);
    let decline = decline.ok_or_else(|| Refusal::BadRequest("this invites nobody and declines nothing".into()))?;
    Ok(Command::DeclineToRoom { inviter: inviter(decline, request)?, reason: reason(decline, request)? })
}

fn invitee(invite: &Element, request: &Request<'_>) -> Result<RoomInvitee, Refusal> {
    let jid = invite.attr("to").and_then(|to| address::jid(to).ok());
    let jid = jid.ok_or_else(|| Refusal::BadRequest("'to' names nobody to invite".into()))?.to_bare();
    // Nobody to invite lives at the service itself, and a domain is no account.
    if jid.node().is_none() || *jid.domain() == *request.service.domain {
        return Err(Refusal::NoSuchItem);
    }
    let goes_on = invite.part("continue", ns::MUC_USER);
    let continues = goes_on.map(|goes_on| goes_on.attr("thread").unwrap_or_default().to_owned());
    if continues.as_ref().is_some_and(|thread| thread.len() > request.service.limits.id_bytes_max) {
        return Err(Refusal::TooLong { what: "the thread", max: request.service.limits.id_bytes_max });
    }
    Ok(RoomInvitee { jid, reason: reason(invite, request)?, continues })
}

/// Whom a decline names: an account, or an occupant of the room.
fn inviter(decline: &Element, request: &Request<'_>) -> Result<InviterName, Refusal> {
    let jid = decline.attr("to").and_then(|to| address::jid(to).ok());
    let jid = jid.ok_or_else(|| Refusal::BadRequest("'to' names nobody who invited".into()))?;
    let nick = jid.resource().filter(|_| jid.to_bare().as_str() == request.at);
    Ok(match nick.and_then(|nick| Nick::new(nick.as_str())) {
        Some(nick) => InviterName::Nick(nick),
        None => InviterName::Account(jid.to_bare()),
    })
}

fn reason(of: &Element, request: &Request<'_>) -> Result<Option<String>, Refusal> {
    let max = request.service.limits.info_bytes_max;
    match of.part("reason", ns::MUC_USER).map(|reason| reason.text().trim().to_owned()) {
        Some(reason) if reason.len() > max => Err(Refusal::TooLong { what: "the reason", max }),
        reason => Ok(reason.filter(|reason| !reason.is_empty())),
    }
}

/// Passes an invitation on to the bare JID of whoever is invited. With a body, servers keep it until the person is online.
pub fn show(of: &RoomInvitation, render: &mut Render<'_>) {
    if render.brings_in(&of.invitee.jid) {
        // It is told of that by the same message.
        return;
    }
    let room = render.address();
    let text = format!("{} invites you to the room {room}", of.nick.as_str());
    let text = of.invitee.reason.iter().fold(text, |text, reason| [&text, ": ", reason].concat());
    let from = match render.channel.settings().shows_jids() {
        true => of.inviter.to_string(),
        false => [&room, "/", of.nick.as_str()].concat(),
    };
    // MIX's invitation names the inviter's JID.
    let shows_jids = render.channel.settings().shows_jids();
    let mix = render.invitation_of(&of.invitee.jid, &of.inviter).filter(|_| shows_jids);
    let mix = mix.map(|it| invitations::written(Tag::in_ns("invitation", ns::MIX_MISC), it, &room));
    let message = headed(render).attr("type", "normal").child(Tag::new("body").text(&text));
    let message = message.children(words(&from, Some(&of.invitee), render)).child_opt(mix);
    render.mail(&of.invitee.jid, message);
}

/// What the invitation of somebody whom others put into the group says beside MIX: XEP-0045 §7.8.2, XEP-0249.
pub fn beside(member: &Member, render: &Render<'_>) -> Vec<Tag> {
    let of_room = render.invited_by_room(&member.jid).map(|it| &it.invitee);
    render.actor.map(|actor| words(actor.as_str(), of_room, render)).unwrap_or_default()
}

fn words(from: &str, invitee: Option<&RoomInvitee>, render: &Render<'_>) -> Vec<Tag> {
    let reason = invitee.and_then(|invitee| invitee.reason.as_deref());
    let continues = invitee.and_then(|invitee| invitee.continues.as_deref());
    let thread = continues.filter(|thread| !thread.is_empty());
    let password = render.channel.settings().room.password.as_ref().map(|it| it.as_str());
    let invite = Tag::new("invite").attr("from", from);
    let invite = invite.child_opt(reason.map(|reason| Tag::new("reason").text(reason)));
    let invite = invite.child_opt(continues.map(|_| Tag::new("continue").attr_opt("thread", thread)));
    let x = Tag::in_ns("x", ns::MUC_USER).child(invite);
    let x = x.child_opt(password.map(|password| Tag::new("password").text(password)));
    let conference = Tag::in_ns("x", ns::CONFERENCE)
        .attr("jid", render.address())
        .attr_opt("password", password)
        .attr_opt("reason", reason)
        .attr_opt("continue", continues.map(|_| "true"))
        .attr_opt("thread", thread);
    vec![x, conference]
}

/// Tells the inviter that somebody declines. Whoever invited by MIX gets MIX's words as well (XEP-0407 §6).
pub fn show_decline(of: &RoomDecline, render: &mut Render<'_>) {
    let reason = of.reason.as_deref().map(|reason| Tag::new("reason").text(reason));
    let decline = Tag::new("decline").attr("from", of.invitee.as_str()).child_opt(reason);
    let message = headed(render).attr("type", "normal").child(Tag::in_ns("x", ns::MUC_USER).child(decline));
    let ended = render.invitation_of(&of.invitee, &of.inviter);
    let room = render.address();
    let ack = ended.filter(|_| !render.live.seats.is_seated(&of.inviter)).map(|it| invitations::declined(it, &room));
    render.tell_seat(&of.inviter, message.child_opt(ack));
}
