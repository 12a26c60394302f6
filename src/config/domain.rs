//! The domain of a server or a service.

use crate::xmpp::address;
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A JID that consists of a domain alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Domain(BareJid);

impl Domain {
    /// The domain as an address.
    pub fn as_jid(&self) -> &BareJid {
        &self.0
    }

    /// The part behind the first dot, if it is a domain.
    pub fn parent(&self) -> Option<Domain> {
        let (_, parent) = self.0.as_str().split_once('.')?;
        Domain::try_from(parent.to_owned()).ok()
    }
}

impl TryFrom<String> for Domain {
    type Error = String;

    fn try_from(text: String) -> Result<Domain, String> {
        match address::bare_jid(&text) {
            Ok(jid) if jid.node().is_none() => Ok(Domain(jid)),
            _ => Err(format!("found {text:?}, expected a domain such as \"mix.example.org\"")),
        }
    }
}

impl From<Domain> for String {
    fn from(domain: Domain) -> String {
        domain.0.to_string()
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}
