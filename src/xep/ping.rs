//! XEP-0199 ping and XEP-0092 software version: requests that every address answers.

use super::{Extension, Request, Route, Scope};
use crate::channel::{Answer, AnyCommand, Refusal, ServiceCommand};
use crate::xmpp::{Tag, ns};

/// XEP-0199, and XEP-0092 at the service.
pub struct Ping;

impl Extension for Ping {
    fn name(&self) -> &'static str {
        "XEP-0199"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Service => &[ns::PING, ns::VERSION],
            Scope::Channel => &[ns::PING],
        }
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] = &[
            Route::get(Scope::Service, "ping", ns::PING),
            Route::get(Scope::Channel, "ping", ns::PING),
            Route::get(Scope::Service, "query", ns::VERSION),
        ];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let is_ping = request.payload.name() == "ping";
        Ok(if is_ping { ServiceCommand::Ping } else { ServiceCommand::Version }.into())
    }

    fn encode(&self, answer: &Answer, _request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(matches!(answer, Answer::Version).then(|| {
            Tag::in_ns("query", ns::VERSION)
                .child(Tag::new("name").text("mixd"))
                .child(Tag::new("version").text(env!("CARGO_PKG_VERSION")))
        }))
    }
}
