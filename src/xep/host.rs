//! What our module in a host server tells the service: an account was removed (prosody/README.md).
//!
//! The host server sends `<gone xmlns='urn:mixd:host:1' jid='ACCOUNT'/>` from its domain. A set begins the end of the
//! account, and is answered once that is stored. A get asks whether the end is done. Only then may the host server give
//! the name to somebody else.

use super::{Extension, Request, Route, Scope};
use crate::channel::{AccountAnswer, AccountCommand, Answer, AnyCommand, Refusal, ServiceCommand};
use crate::xmpp::address::bare_jid;
use crate::xmpp::{Tag, ns};

/// The extension of the module.
pub struct Host;

impl Extension for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn routes(&self) -> &'static [Route] {
        const ROUTES: &[Route] =
            &[Route::get(Scope::Service, "gone", ns::MIXD_HOST), Route::set(Scope::Service, "gone", ns::MIXD_HOST)];
        ROUTES
    }

    fn decode(&self, request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        let text = request.payload.attr("jid").unwrap_or_default();
        let invalid = |_| Refusal::Invalid { field: "jid", why: format!("'{text}' is no account") };
        let account = bare_jid(text).map_err(invalid)?;
        let command = match request.set {
            true => AccountCommand::End { account, erases: false },
            false => AccountCommand::AskEnding { account },
        };
        Ok(ServiceCommand::Account(command).into())
    }

    fn encode(&self, answer: &Answer, _: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(match answer {
            Answer::Account(AccountAnswer::Ending { account, under_way }) => {
                let state = if *under_way { "under-way" } else { "over" };
                Some(Tag::in_ns("gone", ns::MIXD_HOST).attr("jid", account.as_str()).attr("state", state))
            }
            _ => None,
        })
    }
}
