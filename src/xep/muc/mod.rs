//! XEP-0045: a channel as a room. This is the only place that says room and occupant on the wire.

pub mod admin;
pub mod archive;
pub mod description;
pub mod enter;
pub mod errors;
mod fields;
mod form;
pub mod history;
pub mod invite;
pub mod message;
pub mod names;
pub mod owner;
pub mod presence;
pub mod register;
mod retraction;
pub mod subject;
pub mod versions;
pub mod voice;

use crate::channel::{Access, Answer, AnyCommand, Channel, OccupantRole, PrivateMessages, Refusal};
use crate::xep::{Extension, Request, Route, Scope};
use crate::xmpp::{Tag, ns};

/// The roles of occupants, as the forms name them.
const ROLES: [(&str, &str); 3] =
    [("moderator", "Moderators"), ("participant", "Participants"), ("visitor", "Visitors")];
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
        const ROUTES: &[Route] = &[
            Route::get(Scope::Channel, "query", ns::REGISTER),
            Route::set(Scope::Channel, "query", ns::REGISTER),
            Route::get(Scope::Channel, "query", ns::MUC_ADMIN),
            Route::set(Scope::Channel, "query", ns::MUC_ADMIN),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        Ok(match &*request.payload.ns() {
            ns::REGISTER => register::decode(request)?.into(),
            ns::MUC_ADMIN => admin::decode(request)?.into(),
            ns::FORM => voice::decode(request.payload)?.into(),
            _ => invite::decode(request.payload, request)?.into(),
        })
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        match register::encode(answer, request) {
            Some(payload) => Ok(Some(payload)),
            None => admin::encode(answer, request),
        }
    }
}

/// The value of the field "allowpm".
fn private_messages(who: PrivateMessages) -> &'static str {
    match who {
        PrivateMessages::Nobody => "none",
        PrivateMessages::Anyone => "anyone",
        PrivateMessages::Participants => "participants",
        PrivateMessages::Moderators => "moderators",
    }
}

/// XEP-0045 "presencebroadcast": whether others are shown those of a role.
pub fn is_shown(channel: &Channel, role: OccupantRole) -> bool {
    let shown = channel.settings().room.shown_roles;
    match role {
        OccupantRole::Moderator => shown.moderators,
        OccupantRole::Participant => shown.participants,
        OccupantRole::Visitor | OccupantRole::None => shown.visitors,
    }
}

/// Whether every occupant may change the subject.
fn lets_all_set_subject(channel: &Channel) -> bool {
    channel.settings().grants.subject >= Access::Participants
}
