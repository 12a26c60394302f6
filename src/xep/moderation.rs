//! XEP-0425: messages that somebody else than their author retracts.

use super::{Extension, Request, Route, Scope};
use crate::channel::group::GroupCommand;
use crate::channel::{AnyCommand, Command, Refusal};
use crate::xmpp::{Parts, ns};
use minidom::Element;

/// XEP-0425.
pub struct Moderation;

impl Extension for Moderation {
    fn name(&self) -> &'static str {
        "XEP-0425"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            // Occupants are told in both forms (`muc/retraction.rs`), and clients of rooms look for either.
            Scope::Channel => &[ns::MODERATE, ns::MODERATE_0],
            Scope::Service => &[],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::set(Scope::Channel, "moderate", ns::MODERATE),
            // The form of XEP-0425 before version 0.3.0.
            Route::set(Scope::Channel, "apply-to", ns::FASTEN),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let payload = request.payload;
        let Some(channel) = request.channel else { return Err(Refusal::NoSuchChannel) };
        let (request_of, retract) = match payload.part("moderate", ns::MODERATE_0) {
            Some(inner) if payload.has_ns(ns::FASTEN) => (inner, ns::RETRACT_0),
            _ => (payload, ns::RETRACT),
        };
        if !request_of.has_part("retract", retract) {
            return Err(Refusal::Unsupported("messages can be retracted, and nothing else be done to them".into()));
        }
        let id = payload.attr("id").ok_or_else(|| Refusal::BadRequest("the request names no message".into()))?;
        // Row 0 does not exist. The right to moderate is checked first, so that others learn nothing of ids.
        let row = request.service.sealer.open(channel.profile().tag, id).unwrap_or(0);
        let reason = request_of.parts().find(|child| child.name() == "reason").map(Element::text);
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        Ok(Command::Group(GroupCommand::Moderate { row, reason }).into())
    }
}
