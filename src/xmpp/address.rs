//! Addresses as peers state them (RFC 7622).
//!
//! The crate `jid` prepares a text of any length before it checks how long it is, which takes hundreds of steps a byte.
//! So the length is checked here first, and `clippy.toml` disallows the crate's own functions elsewhere.

use jid::{BareJid, Error, Jid};

/// The longest address, in bytes (RFC 7622 §3.1): three parts of 1023, with `@` and `/` between them.
const BYTES_MAX: usize = 3071;

/// Reads an address.
///
/// # Errors
/// The error of the crate where the text is no address.
#[allow(clippy::disallowed_methods, reason = "bounded: the length was looked at")]
pub fn jid(text: &str) -> Result<Jid, Error> {
    if text.len() > BYTES_MAX { Err(Error::ResourceTooLong) } else { Jid::new(text) }
}

/// Reads an address without a resource.
///
/// # Errors
/// The error of the crate where the text is no bare JID.
#[allow(clippy::disallowed_methods, reason = "bounded: the length was looked at")]
pub fn bare_jid(text: &str) -> Result<BareJid, Error> {
    if text.len() > BYTES_MAX { Err(Error::ResourceTooLong) } else { BareJid::new(text) }
}

/// The resource at which a host server's own addresses are asked.
const RESOURCE: &str = "/mixd";

/// Adds a resource to an address that has none. ejabberd 24.12 and later drop requests of a component to a domain
/// without a resource (hosts.md, J.2). Any host server answers a request to this one.
pub fn at_resource(to: &str) -> String {
    if to.contains('/') { to.to_owned() } else { [to, RESOURCE].concat() }
}

/// The IRI that tells a client to join a room (RFC 5122, XEP-0147). What an IRI cannot hold as it is is escaped.
pub fn join_iri(room: &Jid) -> String {
    let mut iri = String::from("xmpp:");
    for part in room.to_bare().as_str().chars() {
        // Beyond ASCII an IRI holds everything.
        match part.is_ascii_alphanumeric() || "-._~!$'()*+,;=:@".contains(part) || !part.is_ascii() {
            true => iri.push(part),
            false => iri.push_str(&format!("%{:02X}", u32::from(part))),
        }
    }
    iri + "?join"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_room_escapes_what_it_cannot_hold() {
        let iri = |text: &str| join_iri(&jid(text).unwrap());
        assert_eq!(iri("coven@chat.example"), "xmpp:coven@chat.example?join");
        assert_eq!(iri("a%b?c\\20ä@chat.example/nick"), "xmpp:a%25b%3Fc%5C20ä@chat.example?join");
    }

    #[test]
    fn what_is_too_long_for_an_address_is_none() {
        let part = |length: usize| "a".repeat(length);
        let longest = format!("{}@{}/{}", part(1023), part(63), part(1023));
        assert_eq!(jid(&longest).unwrap().as_str(), longest);
        assert_eq!(bare_jid("A@H").unwrap().as_str(), "a@h");
        // As many bytes as one address, once the crate were done with them.
        let shrinks = format!("{}@h", "\u{AD}".repeat(200_000) + "a");
        assert!(Jid::new(&shrinks).is_ok() && jid(&shrinks).is_err() && bare_jid(&shrinks).is_err());
    }
}
