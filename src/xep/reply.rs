//! How the answer to a request goes back.

use crate::xmpp::{Kind, Stanza, StanzaError, Tag, address, ns};
use jid::{BareJid, Jid};
use minidom::Element;
use std::borrow::Cow;

/// Whom to answer, from which address, and in which wrapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The kind of stanza that is answered.
    pub kind: Kind,
    /// Its id.
    pub id: Option<String>,
    /// The service's address that was asked.
    pub from: String,
    /// Who sent it.
    pub to: Jid,
    /// The wrapping, where the request was delegated.
    pub delegated: Option<Delegated>,
    /// XEP-0050 §3.7: what errors repeat of the request, as XML. Clients find the session of a command by it.
    pub repeated: Option<String>,
}

/// XEP-0355 §4.3: the wrapping of a delegated request.
#[derive(Clone, Debug, PartialEq)]
pub struct Delegated {
    /// The host server, which sent the outer iq.
    pub host: String,
    /// The namespace, which is a version of the protocol.
    pub ns: String,
    /// The id of the outer iq.
    pub outer_id: String,
    /// The account whose server delegated the request.
    pub account: BareJid,
    /// `client-join` or `client-leave`.
    pub name: &'static str,
    /// The channel named there.
    pub channel: String,
}

impl Reply {
    /// The reply to the sender of a stanza.
    pub fn to_stanza(stanza: &Stanza) -> Reply {
        Reply {
            kind: stanza.kind,
            id: stanza.id.clone(),
            from: stanza.to.as_str().to_owned(),
            to: stanza.from.clone(),
            delegated: None,
            repeated: stanza.payload().and_then(repeated).map(Tag::into_xml),
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
        // XEP-0355 §4.3: the outer iq is a result, even around an error.
        Tag::new("iq")
            .attr("type", "result")
            .attr("id", &wrapping.outer_id)
            .attr("from", &self.from)
            .attr("to", reached(Some(&wrapping.outer_id), &wrapping.host))
            .child(Tag::in_ns("delegation", &wrapping.ns).child(Tag::in_ns("forwarded", ns::FORWARD).child(inner)))
            .into_xml()
    }
}

/// The prefix of the ids of ejabberd's own requests.
const EJABBERD_ID: &str = "rr-";

/// Whether a stanza is a request of ejabberd itself, by its id (hosts.md, J.2).
pub fn is_of_ejabberd(stanza: &Stanza) -> bool {
    stanza.kind == Kind::Iq && stanza.from.is_bare() && stanza.id.as_ref().is_some_and(|id| id.starts_with(EJABBERD_ID))
}

/// The address of the result of a request. ejabberd 24.12 and later drop a component's results to an address without a
/// resource, and match their own requests by id at any address (hosts.md, J.2).
fn reached<'a>(id: Option<&str>, to: &'a str) -> Cow<'a, str> {
    match id.is_some_and(|id| id.starts_with(EJABBERD_ID)) && !to.contains('/') {
        true => Cow::Owned(address::at_resource(to)),
        false => Cow::Borrowed(to),
    }
}

/// The command that an error repeats, without its form.
fn repeated(payload: &Element) -> Option<Tag> {
    let echo = |command: &Element| {
        let echo = Tag::in_ns("command", ns::COMMANDS).attr_opt("node", command.attr("node"));
        echo.attr_opt("action", command.attr("action")).attr_opt("sessionid", command.attr("sessionid"))
    };
    payload.is("command", ns::COMMANDS).then(|| echo(payload))
}
