//! Requests as extensions see them, and what addresses they are for.

use super::service::Service;
use crate::channel::{Actor, Channel, LiveState};
use minidom::Element;

/// What a request is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The service's domain.
    Service,
    /// A channel.
    Channel,
}

/// What an extension handles: address, type and payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// The address.
    pub scope: Scope,
    /// Whether the IQ is a `set`.
    pub set: bool,
    /// The payload's name.
    pub name: &'static str,
    /// The payload's namespace.
    pub ns: &'static str,
}

impl Route {
    /// An IQ of type `get`.
    pub const fn get(scope: Scope, name: &'static str, ns: &'static str) -> Route {
        Route { scope, set: false, name, ns }
    }

    /// An IQ of type `set`.
    pub const fn set(scope: Scope, name: &'static str, ns: &'static str) -> Route {
        Route { scope, set: true, name, ns }
    }
}

/// A request, with what an extension may look at.
pub struct Request<'a> {
    /// The service.
    pub service: &'a Service,
    /// The account that asks.
    pub actor: &'a Actor,
    /// The address that it was sent to.
    pub at: &'a str,
    /// The channel that it was sent to or, if it was sent to the service, the one that it names.
    pub channel: Option<&'a Channel>,
    /// Whether the IQ is a `set`.
    pub set: bool,
    /// The payload of an IQ, or the whole message.
    pub payload: &'a Element,
    /// Whether the account's host server delegated it (XEP-0355).
    pub delegated: bool,
    /// Whether the home server sent it, from the account's bare JID.
    pub by_home_server: bool,
    /// Of a query of the archive: whether a client of a room asks (XEP-0045), which is in it, or takes no MIX.
    pub as_room: bool,
    /// The live state of the turn.
    pub live: LiveState<'a>,
    /// The stanza's id.
    pub id: Option<&'a str>,
}

impl Request<'_> {
    /// What it is addressed to.
    pub fn scope(&self) -> Scope {
        if self.at.contains('@') { Scope::Channel } else { Scope::Service }
    }
}
