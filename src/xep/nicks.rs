//! XEP-0407 §3: nicks that accounts register with the service.
//!
//! The XEP only has registering. The service's own requests are modelled on it: a get of the same element tells the
//! registered nick, and a `<remove/>` in a set gives it up, as XEP-0077 §3.2 has it for accounts. An operator names
//! somebody else's nick by a `<nick/>` beside the `<remove/>`.

use super::mix_core::wanted_nick;
use super::muc::register;
use super::{Extension, Request, Route, Scope};
use crate::channel::{Answer, AnyCommand, Refusal, ServiceCommand};
use crate::xmpp::{Parts, Tag, ns};

/// XEP-0407 §3: the feature by which a service announces it.
pub const FEATURE: &str = "urn:xmpp:mix:misc:0#nick-register";

/// XEP-0407 §3.
pub struct Nicks;

impl Extension for Nicks {
    fn name(&self) -> &'static str {
        "XEP-0407"
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::get(Scope::Service, "register", ns::MIX_MISC),
            Route::set(Scope::Service, "register", ns::MIX_MISC),
            // The same in the words of XEP-0077, for clients of rooms.
            Route::get(Scope::Service, "query", ns::REGISTER),
            Route::set(Scope::Service, "query", ns::REGISTER),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        if !request.set {
            return Ok(ServiceCommand::ReadRegisteredNick.into());
        }
        if request.payload.has_ns(ns::REGISTER) {
            return Ok(match register::wish(request.payload)? {
                register::Wish::Nothing => ServiceCommand::ReadRegisteredNick,
                register::Wish::Nick(nick) => ServiceCommand::RegisterNick { nick: Some(nick) },
                register::Wish::End => ServiceCommand::UnregisterNick { nick: None },
            }
            .into());
        }
        if request.payload.parts().any(|child| child.name() == "remove") {
            return Ok(ServiceCommand::UnregisterNick { nick: wanted_nick(request.payload) }.into());
        }
        Ok(ServiceCommand::RegisterNick { nick: wanted_nick(request.payload) }.into())
    }

    fn encode(&self, answer: &Answer, request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(match answer {
            _ if request.payload.has_ns(ns::REGISTER) => register::encode(answer, request),
            Answer::Registered(nick) => {
                let nick = nick.as_ref().map(|nick| Tag::new("nick").text(nick.as_str()));
                Some(Tag::in_ns("register", ns::MIX_MISC).child_opt(nick))
            }
            _ => None,
        })
    }
}
