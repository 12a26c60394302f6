//! A request on its way in, and what it is sent to.

use super::service::Service;
use crate::channel::{Actor, Channel, LiveState};
use minidom::Element;

/// What an address of the service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The domain itself.
    Service,
    /// A channel.
    Channel,
}

/// A request that an extension takes: what it is sent to, whether it sets, and its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// What it is sent to.
    pub scope: Scope,
    /// Whether the iq is a set.
    pub set: bool,
    /// The payload's name.
    pub name: &'static str,
    /// The payload's namespace.
    pub ns: &'static str,
}

impl Route {
    /// An iq of type get.
    pub const fn get(scope: Scope, name: &'static str, ns: &'static str) -> Route {
        Route { scope, set: false, name, ns }
    }

    /// An iq of type set.
    pub const fn set(scope: Scope, name: &'static str, ns: &'static str) -> Route {
        Route { scope, set: true, name, ns }
    }
}

/// One request, with what an extension may look at.
pub struct Request<'a> {
    /// The service.
    pub service: &'a Service,
    /// Who asks.
    pub actor: &'a Actor,
    /// Our address that it is sent to.
    pub at: &'a str,
    /// The channel it is sent to, where it is sent to one; at the service, the one that it is about.
    pub channel: Option<&'a Channel>,
    /// Whether the iq is a set.
    pub set: bool,
    /// The payload of an iq, or the whole message.
    pub payload: &'a Element,
    /// Whether it came through the account's own server by delegation (XEP-0355).
    pub delegated: bool,
    /// Whether the account's home server itself sent it, from the bare JID.
    pub by_home_server: bool,
    /// The live state of the turn.
    pub live: LiveState<'a>,
    /// The id of its stanza.
    pub id: Option<&'a str>,
}

impl Request<'_> {
    /// What it is sent to.
    pub fn scope(&self) -> Scope {
        if self.at.contains('@') { Scope::Channel } else { Scope::Service }
    }
}
