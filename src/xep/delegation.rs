//! XEP-0355: a host server delegates requests of its users in the namespace of XEP-0405.
//!
//! So a user can join through the own account (`client-join`) although the host server does not know MIX. Both versions
//! of the protocol are spoken: `:2` of Prosody and `:1` of ejabberd (hosts.md, D.1).

use crate::channel::Refusal;
use crate::xmpp::{Parts, Stanza, address, ns};
use jid::{BareJid, Jid};
use minidom::Element;

/// The versions of the protocol.
pub const NAMESPACES: [&str; 2] = ["urn:xmpp:delegation:1", "urn:xmpp:delegation:2"];

/// XEP-0355 §7.2: the features that a host server asks for, to announce them for itself or at the bare JIDs of its
/// users.
pub fn features(node: &str) -> Option<&'static [&'static str]> {
    let (_, asked) = NAMESPACES.iter().find_map(|ns| Some((ns, node.strip_prefix(ns)?)))?;
    match asked {
        "::urn:xmpp:mix:pam:2" => Some(&[]),
        ":bare:urn:xmpp:mix:pam:2" => Some(&[ns::MIX_PAM]),
        _ => None,
    }
}

/// The version of the protocol, where a message announces that PAM is delegated to us.
pub fn advert(message: &Element) -> Option<&'static str> {
    NAMESPACES.into_iter().find(|ns| {
        message
            .part("delegation", ns)
            .is_some_and(|advert| advert.parts().any(|child| child.attr("namespace") == Some(self::ns::MIX_PAM)))
    })
}

/// A delegated request, unwrapped.
pub struct Unwrapped<'a> {
    /// The version of the protocol.
    pub ns: &'static str,
    /// The account whose server delegated the request.
    pub account: BareJid,
    /// The full JID that asked.
    pub asker: Jid,
    /// The id of the inner iq.
    pub id: String,
    /// `client-join` or `client-leave`.
    pub name: &'static str,
    /// The channel named there.
    pub channel: String,
    /// XEP-0405 §2.7, §2.8: the inner `<join/>` or `<leave/>`.
    pub payload: &'a Element,
}

/// The version of the protocol and the iq within a delegation. `None` where the stanza is no delegation.
pub fn forwarded(stanza: &Stanza) -> Option<(&'static str, Option<&Element>)> {
    let outer = stanza.payload()?;
    let version = NAMESPACES.into_iter().find(|ns| outer.is("delegation", *ns))?;
    let inner = outer.part("forwarded", ns::FORWARD).and_then(|forwarded| forwarded.part("iq", ns::CLIENT));
    Some((version, inner))
}

/// The sender and the id of an inner iq, which any answer to it needs.
///
/// # Errors
/// [`Refusal::BadRequest`] where the inner `from` is no account of the host server that sent the delegation.
pub fn asker(stanza: &Stanza, inner: &Element) -> Result<(Jid, String), Refusal> {
    let wrong = |text: &str| Refusal::BadRequest(text.to_owned());
    let from =
        inner.attr("from").and_then(|from| address::jid(from).ok()).ok_or_else(|| wrong("the iq has no sender"))?;
    if stanza.from.node().is_some() || stanza.from.is_full() || from.domain() != stanza.from.domain() {
        return Err(wrong("a host server speaks for its own accounts only"));
    }
    if from.node().is_none() {
        return Err(wrong("the sender is no account"));
    }
    let id = inner.attr("id").ok_or_else(|| wrong("the iq has no id"))?;
    Ok((from, id.to_owned()))
}

/// Reads the inner request of a delegation.
///
/// # Errors
/// A [`Refusal`] where it is addressed to another account, or is no request of XEP-0405.
pub fn unwrap<'a>(version: &'static str, inner: &'a Element, asker: &Jid, id: &str) -> Result<Unwrapped<'a>, Refusal> {
    let account = asker.to_bare();
    // Prosody leaves `to` out where the client addressed its own account. Requests to other accounts are delegated,
    // too.
    let is_own = |to: &str| address::jid(to).is_ok_and(|to| to.is_bare() && to.to_bare() == account);
    if !inner.attr("to").is_none_or(is_own) {
        return Err(Refusal::Forbidden("only the account itself may ask this of the account"));
    }
    if inner.attr("type") != Some("set") {
        return Err(Refusal::NoSuchService);
    }
    let wrapped = inner.parts().find(|child| child.has_ns(ns::MIX_PAM)).ok_or(Refusal::NoSuchService)?;
    let (name, wanted) = match wrapped.name() {
        "client-join" => ("client-join", "join"),
        "client-leave" => ("client-leave", "leave"),
        _ => return Err(Refusal::NoSuchService),
    };
    let channel = wrapped.attr("channel").unwrap_or_default().to_owned();
    let payload = wrapped
        .parts()
        .find(|child| child.name() == wanted)
        .ok_or_else(|| Refusal::BadRequest(format!("<{name}/> needs a <{wanted}/> (XEP-0405)")))?;
    Ok(Unwrapped { ns: version, account, asker: asker.clone(), id: id.to_owned(), name, channel, payload })
}
