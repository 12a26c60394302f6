//! XEP-0407 §6: invitations. The channel gives them to those who may invite, and the invitee shows one when it joins.
//!
//! Listing them and taking them back are requests of the service's own, since the XEP has none.

use super::notification::headed;
use super::{Extension, Render, Request, Route, Scope, groups, rsm};
use crate::channel::answer::Page;
use crate::channel::invitation::InvitationFault;
use crate::channel::{Answer, AnyCommand, Claim, Command, Invitation, Refusal};
use crate::xmpp::{Parts, Tag, address, ns};
use jid::BareJid;
use minidom::Element;

/// The most invitees that one request to take invitations back may name.
const INVITEES_MAX: usize = 1000;

/// XEP-0407 §6.
pub struct Invite;

impl Extension for Invite {
    fn name(&self) -> &'static str {
        "XEP-0407"
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            // XEP-0407 §6 asks by a get in its examples, and so do clients. A set is taken as well, since the request
            // creates something.
            Route::get(Scope::Channel, "invite", ns::MIX_MISC),
            Route::set(Scope::Channel, "invite", ns::MIX_MISC),
            Route::get(Scope::Channel, "invitations", ns::GROUP),
            Route::set(Scope::Channel, "invitations", ns::GROUP),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let payload = request.payload;
        match (payload.name(), request.set) {
            ("invite", _) => {
                let invitee = text_of(payload, "invitee").and_then(|text| address::jid(&text).ok());
                let invitee = invitee.ok_or_else(|| groups::invalid("invitee", "the JID of the account to invite"))?;
                Ok(Command::Invite { invitee: invitee.to_bare() }.into())
            }
            ("invitation-ack", _) => decline(request).map(AnyCommand::from),
            (_, false) => Ok(Command::ListInvitations(rsm::decode(payload)?).into()),
            (_, true) => {
                let revoked = payload.parts().filter(|child| child.name() == "revoke");
                let invitee = |child: &Element| child.attr("invitee").and_then(|text| address::bare_jid(text).ok());
                let invitees: Option<Vec<BareJid>> = revoked.map(invitee).collect();
                let named = invitees.filter(|invitees| (1..=INVITEES_MAX).contains(&invitees.len()));
                let invitees = named.ok_or_else(|| groups::invalid("invitee", "whose invitations to take back"))?;
                Ok(Command::RevokeInvitations { invitees }.into())
            }
        }
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(match answer {
            Answer::Invitation(invitation) => {
                let channel = request.channel.ok_or(Refusal::NoSuchChannel)?;
                let address = request.service.address_of(channel.name());
                Some(Tag::in_ns("invite", ns::MIX_MISC).child(written(Tag::new("invitation"), invitation, &address)))
            }
            Answer::Invitations(Page { entries, count, index }) => {
                let id = |it: &Invitation| format!("{} {}", it.invitee, it.inviter);
                let (first, last) = (entries.first().map(id), entries.last().map(id));
                let counted = Some((*count as u64, *index as u64));
                let set = rsm::encode(first.as_deref(), last.as_deref(), counted);
                let line = |it: &Invitation| {
                    Tag::new("invitation")
                        .attr("invitee", it.invitee.as_str())
                        .attr("inviter", it.inviter.as_str())
                        .attr("until", it.until.to_xmpp())
                };
                Some(Tag::in_ns("invitations", ns::GROUP).children(entries.iter().map(line)).child(set))
            }
            _ => None,
        })
    }
}

/// Tells the inviter that the invitee declined.
pub fn tell_declined(invitation: &Invitation, render: &mut Render<'_>) {
    let address = render.address();
    let message = headed(render).attr("type", "normal").child(declined(invitation, &address));
    render.mail(&invitation.inviter, message);
}

/// What an inviter is told of an invitation that was declined; `channel` is the channel's address.
pub fn declined(invitation: &Invitation, channel: &str) -> Tag {
    let value = Tag::new("value").text("Declined");
    let declined = written(Tag::new("invitation"), invitation, channel);
    Tag::in_ns("invitation-ack", ns::MIX_MISC).child(value).child(declined)
}

/// The invitation that a join shows, where it shows one.
///
/// # Errors
/// [`Refusal::BadInvitation`] where it is for another channel, [`Refusal::BadRequest`] where it has no token.
pub fn claim(join: &Element, request: &Request<'_>) -> Result<Option<Claim>, Refusal> {
    let Some(invitation) = join.parts().find(|child| child.name() == "invitation") else { return Ok(None) };
    let jid =
        |name: &str| text_of(invitation, name).map(|text| address::jid(&text).map(|jid| jid.to_bare())).transpose();
    let foreign = |_| Refusal::BadInvitation(InvitationFault::Foreign);
    let channel = request.channel.map(|channel| request.service.address_of(channel.name()));
    let stated = jid("channel").map_err(foreign)?;
    if stated.is_some_and(|stated| channel.as_deref() != Some(stated.as_str())) {
        return Err(Refusal::BadInvitation(InvitationFault::Foreign));
    }
    let token = text_of(invitation, "token");
    let token = token.ok_or_else(|| Refusal::BadRequest("the invitation has no token".into()))?;
    Ok(Some(Claim { inviter: jid("inviter").map_err(foreign)?, invitee: jid("invitee").map_err(foreign)?, token }))
}

/// Whether a request shows an invitation: that may open a channel which is hidden from the asker.
pub fn is_shown_by(payload: &Element) -> bool {
    matches!(payload.name(), "join" | "invitation-ack") && payload.parts().any(|child| child.name() == "invitation")
}

/// XEP-0407 §6: an acknowledgement goes from the invitee to the inviter. One that is sent to the channel and declines
/// ends the invitation, and the channel tells the inviter.
fn decline(request: &Request<'_>) -> Result<Command, Refusal> {
    let claim = claim(request.payload, request)?;
    let claim = claim.ok_or_else(|| Refusal::BadRequest("the acknowledgement names no invitation".into()))?;
    match text_of(request.payload, "value") {
        Some(value) if value.eq_ignore_ascii_case("declined") => Ok(Command::Decline(claim)),
        _ => Err(Refusal::Unsupported("send this to the inviter: a channel only takes that you decline".into())),
    }
}

/// Writes an invitation into a tag; `channel` is the channel's address.
pub fn written(tag: Tag, invitation: &Invitation, channel: &str) -> Tag {
    tag.child(Tag::new("inviter").text(invitation.inviter.as_str()))
        .child(Tag::new("invitee").text(invitation.invitee.as_str()))
        .child(Tag::new("channel").text(channel))
        .child(Tag::new("token").text(invitation.token.as_str()))
}

/// The text of a child, where it has some.
fn text_of(element: &Element, name: &str) -> Option<String> {
    let child = element.parts().find(|child| child.name() == name)?;
    Some(child.text().trim().to_owned()).filter(|text| !text.is_empty())
}
