//! A request on its way in, and the way back for its answer.

use super::{Sealer, commands};
use crate::channel::{Actor, Channel, ChannelName, Limits, Newcomer, ServiceAction, ServiceRole, Stamp};
use crate::xmpp::{Kind, Stanza, StanzaError, Tag, address, ns};
use jid::{BareJid, DomainPart, Jid};
use minidom::Element;
use std::borrow::Cow;
use std::collections::BTreeMap;

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

/// What a child of a message means for keeping the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A state of the moment: relayed to others, never kept, not shown to its sender.
    State,
    /// Relayed and never kept: receipts, markers.
    Pass,
    /// Kept in the archive, and nothing to read by itself.
    Keep,
    /// Kept in the archive, and counted as something to read.
    Count,
}

/// What is the same for every request: the service's names, rights, limits and key.
#[derive(Clone, Debug)]
pub struct Service {
    /// The component's domain.
    pub domain: DomainPart,
    /// The name shown to people.
    pub name: String,
    /// The operators.
    pub operators: Vec<BareJid>,
    /// The domains whose users may create channels; `*` stands for every domain.
    pub creators: Vec<String>,
    /// The limits in force.
    pub limits: Limits,
    /// Rows of a page of history where the asker names no number.
    pub page_default: usize,
    /// Rows of a page of history at most.
    pub page_max: usize,
    /// Seals row numbers into ids.
    pub sealer: Sealer,
}

impl Service {
    /// What an account is to the service.
    pub fn role_of(&self, account: &BareJid) -> ServiceRole {
        match is_among(&self.creators, account) {
            _ if self.operators.contains(account) => ServiceRole::Operator,
            true => ServiceRole::Creator,
            false => ServiceRole::Anybody,
        }
    }

    /// Whether an account may create channels.
    pub fn may_create(&self, account: &BareJid) -> bool {
        self.role_of(account).may(ServiceAction::Create)
    }

    /// Whether an account may register a nick.
    pub fn may_register(&self, account: &BareJid) -> bool {
        self.operators.contains(account) || is_among(self.registrants(), account)
    }

    /// The domains whose accounts may register nicks.
    pub fn registrants(&self) -> &[String] {
        let named = &self.limits.nick_domains;
        if named.is_empty() { &self.creators } else { named }
    }

    /// The address of a channel.
    pub fn address_of(&self, name: &ChannelName) -> String {
        name.at(&self.domain)
    }
}

/// Whether an account is of one of these domains; `*` stands for every domain.
fn is_among(domains: &[String], account: &BareJid) -> bool {
    domains.iter().any(|domain| domain == "*" || domain == account.domain().as_str())
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
    /// The accounts that others added and that did nothing so far.
    pub newcomers: &'a BTreeMap<BareJid, Newcomer>,
    /// The id of its stanza.
    pub id: Option<&'a str>,
    /// What was to end by this time has ended.
    pub due: Stamp,
}

impl Request<'_> {
    /// What it is sent to.
    pub fn scope(&self) -> Scope {
        if self.at.contains('@') { Scope::Channel } else { Scope::Service }
    }
}

/// The way back: whom to answer, as whom, and in what wrapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The kind of stanza that is answered.
    pub kind: Kind,
    /// Its id.
    pub id: Option<String>,
    /// Our address that it was sent to.
    pub from: String,
    /// Who sent it.
    pub to: Jid,
    /// The wrapping, where it came by delegation.
    pub delegated: Option<Delegated>,
    /// What errors repeat of the request, as XML: clients find the session of a command by it (XEP-0050 §3.7).
    pub repeated: Option<String>,
}

/// The wrapping of a delegated request (XEP-0355 §4.3).
#[derive(Clone, Debug, PartialEq)]
pub struct Delegated {
    /// The host server, which sent the outer iq.
    pub host: String,
    /// The namespace of its version of the protocol.
    pub ns: String,
    /// The id of the outer iq.
    pub outer_id: String,
    /// The account for which it stands in.
    pub account: BareJid,
    /// `client-join` or `client-leave`.
    pub name: &'static str,
    /// The channel named there.
    pub channel: String,
}

impl Reply {
    /// The way back to the sender of a stanza.
    pub fn to_stanza(stanza: &Stanza) -> Reply {
        Reply {
            kind: stanza.kind,
            id: stanza.id.clone(),
            from: stanza.to.as_str().to_owned(),
            to: stanza.from.clone(),
            delegated: None,
            repeated: stanza.payload().and_then(commands::repeated).map(Tag::into_xml),
        }
    }

    /// The result of an iq.
    pub fn result(&self, payload: Option<Tag>) -> String {
        match &self.delegated {
            None => {
                let envelope = self.envelope("result", &reached(self.id.as_deref(), self.to.as_str()));
                envelope.child_opt(payload).into_xml()
            }
            Some(wrapping) => {
                let wrapped =
                    Tag::in_ns(wrapping.name, ns::MIX_PAM).attr("channel", &wrapping.channel).child_opt(payload);
                self.wrap(wrapping, self.inner(wrapping, "result").child(wrapped))
            }
        }
    }

    /// An error.
    pub fn error(&self, error: &StanzaError) -> String {
        match &self.delegated {
            None => {
                let repeated = self.repeated.as_deref().unwrap_or_default();
                self.envelope("error", self.to.as_str()).raw(repeated).child(error.to_tag()).into_xml()
            }
            Some(wrapping) => self.wrap(wrapping, self.inner(wrapping, "error").child(error.to_tag())),
        }
    }

    fn envelope(&self, type_: &str, to: &str) -> Tag {
        Tag::new(self.kind.name())
            .attr("type", type_)
            .attr_opt("id", self.id.as_deref())
            .attr("from", &self.from)
            .attr("to", to)
    }

    fn inner(&self, wrapping: &Delegated, type_: &str) -> Tag {
        Tag::in_ns("iq", ns::CLIENT)
            .attr("type", type_)
            .attr_opt("id", self.id.as_deref())
            .attr("from", wrapping.account.as_str())
            .attr("to", self.to.as_str())
    }

    fn wrap(&self, wrapping: &Delegated, inner: Tag) -> String {
        // The outer iq is a result even around an error (XEP-0355 §4.3).
        Tag::new("iq")
            .attr("type", "result")
            .attr("id", &wrapping.outer_id)
            .attr("from", &self.from)
            .attr("to", reached(Some(&wrapping.outer_id), &wrapping.host))
            .child(Tag::in_ns("delegation", &wrapping.ns).child(Tag::in_ns("forwarded", ns::FORWARD).child(inner)))
            .into_xml()
    }
}

/// With what the ids of ejabberd's own requests begin.
const EJABBERD_ID: &str = "rr-";

/// Whether a stanza is a request of ejabberd itself, by its id (hosts.md, J.2).
pub fn is_of_ejabberd(stanza: &Stanza) -> bool {
    stanza.kind == Kind::Iq && stanza.from.is_bare() && stanza.id.as_ref().is_some_and(|id| id.starts_with(EJABBERD_ID))
}

/// Where the result of a request goes. ejabberd 24.12 and later drop results of a component to an address without a
/// resource, and find their own question by its id wherever the result goes (hosts.md, J.2).
fn reached<'a>(id: Option<&str>, to: &'a str) -> Cow<'a, str> {
    match id.is_some_and(|id| id.starts_with(EJABBERD_ID)) && !to.contains('/') {
        true => Cow::Owned(address::at_resource(to)),
        false => Cow::Borrowed(to),
    }
}
