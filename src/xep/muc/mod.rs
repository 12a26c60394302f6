//! XEP-0045: a channel as a room. This is the only place that says room and occupant on the wire.

pub mod archive;
pub mod description;
pub mod enter;
pub mod errors;
pub mod history;
pub mod invite;
pub mod message;
pub mod presence;
pub mod register;
mod retraction;
pub mod subject;

use crate::channel::{Answer, AnyCommand, Channel, Refusal, Role};
use crate::xep::{Extension, Request, Route, Scope};
use crate::xmpp::{Tag, ns};
use jid::BareJid;

/// XEP-0045.
pub struct Muc;

impl Extension for Muc {
    fn name(&self) -> &'static str {
        "XEP-0045"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Service => &[ns::MUC, ns::MUC_STABLE_ID],
            // Those of a room depend on its settings, and whoever asks for the channel alone is not told of them.
            Scope::Channel => &[],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] =
            &[Route::get(Scope::Channel, "query", ns::REGISTER), Route::set(Scope::Channel, "query", ns::REGISTER)];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        Ok(match &*request.payload.ns() {
            ns::REGISTER => register::decode(request)?.into(),
            _ => invite::decode(request.payload, request)?.into(),
        })
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(register::encode(answer, request))
    }
}

/// XEP-0045 §5.2: what an account is to a room for longer than a visit.
pub fn affiliation(channel: &Channel, account: &BareJid) -> &'static str {
    match channel.role_of(account, false) {
        Role::Owner | Role::AbsentOwner | Role::Operator => "owner",
        Role::Admin | Role::AbsentAdmin => "admin",
        Role::Participant | Role::Waiting => "member",
        Role::Former | Role::Outsider | Role::Passing if channel.is_banned(account) => "outcast",
        Role::Former | Role::Outsider | Role::Passing => "none",
    }
}

/// XEP-0045 §5.1: what an occupant may do during its visit.
pub fn role(channel: &Channel, account: &BareJid) -> &'static str {
    match affiliation(channel, account) {
        "owner" | "admin" => "moderator",
        _ => "participant",
    }
}
