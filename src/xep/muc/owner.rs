//! XEP-0045 §10: what owners ask of a room.

use super::form;
use crate::channel::command::RoomWish;
use crate::channel::{Answer, AnyCommand, Command, Farewell, Password, Refusal};
use crate::xep::{Extension, Request, Route, Scope};
use crate::xmpp::{Parts, Tag, address, ns};
use minidom::Element;

/// XEP-0045 §10.
pub struct Owner;

impl Extension for Owner {
    fn name(&self) -> &'static str {
        "XEP-0045"
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] =
            &[Route::get(Scope::Channel, "query", ns::MUC_OWNER), Route::set(Scope::Channel, "query", ns::MUC_OWNER)];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        if !request.set {
            return Ok(Command::DescribeRoom.into());
        }
        if let Some(destroy) = request.payload.part("destroy", ns::MUC_OWNER) {
            return Ok(Command::DestroyRoom(farewell(destroy)?).into());
        }
        let submitted = request.payload.part("x", ns::FORM);
        let submitted = submitted.ok_or_else(|| Refusal::BadRequest("expected a form, or <destroy/>".into()))?;
        let wish: RoomWish = match submitted.attr("type") {
            Some("cancel") => return Ok(Command::CancelRoom.into()),
            Some("submit") => {
                let channel = request.channel.ok_or(Refusal::NoSuchChannel)?;
                // A field that says what is in force changes nothing, so reading the form tells what is.
                channel.require_owner(request.actor, &request.service.limits)?;
                form::read(submitted, channel, &request.service.limits)?
            }
            _ => return Err(Refusal::BadRequest("expected a form of type submit or cancel".into())),
        };
        Ok(Command::ConfigureRoom(Box::new(wish)).into())
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        let (Answer::Prepared, Some(channel)) = (answer, request.channel) else { return Ok(None) };
        let form = form::form(channel, &request.service.limits);
        Ok(Some(Tag::in_ns("query", ns::MUC_OWNER).child(form)))
    }
}

/// XEP-0045 §10.9: what is said of the end of a room.
fn farewell(destroy: &Element) -> Result<Farewell, Refusal> {
    let text = |name| destroy.part(name, ns::MUC_OWNER).map(Element::text).filter(|text| !text.is_empty());
    let venue = destroy.attr("jid").filter(|jid| !jid.is_empty()).map(address::jid).transpose();
    let venue = venue.map_err(|_| Refusal::BadRequest("the alternate venue is no address".into()))?;
    Ok(Farewell { reason: text("reason"), venue, password: text("password").map(Password::new), frees_name: false })
}
