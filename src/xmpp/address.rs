//! Addresses as peers state them, read only where they can be some.
//!
//! The crate prepares a text of any length before it looks how long it is, at hundreds of steps a byte; so it is used here
//! alone (`clippy.toml`).

use jid::{BareJid, Error, Jid};

/// What an address may be, in bytes: three parts of 1023, and what divides them (RFC 7622 §3.1).
const BYTES_MAX: usize = 3071;

/// Reads an address.
///
/// # Errors
/// What the text is no address for.
#[allow(clippy::disallowed_methods, reason = "bounded: the length was looked at")]
pub fn jid(text: &str) -> Result<Jid, Error> {
    if text.len() > BYTES_MAX { Err(Error::ResourceTooLong) } else { Jid::new(text) }
}

/// Reads an address without a resource.
///
/// # Errors
/// What the text is no such address for.
#[allow(clippy::disallowed_methods, reason = "bounded: the length was looked at")]
pub fn bare_jid(text: &str) -> Result<BareJid, Error> {
    if text.len() > BYTES_MAX { Err(Error::ResourceTooLong) } else { BareJid::new(text) }
}

/// The resource by which a host server's own addresses are spoken to.
const RESOURCE: &str = "/mixd";

/// An address with a resource, where it has none. ejabberd 24.12 and later drop a component's requests to a domain that
/// has none (hosts.md, J.2), and any host server answers such a request in some way.
pub fn at_resource(to: &str) -> String {
    if to.contains('/') { to.to_owned() } else { [to, RESOURCE].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;

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
