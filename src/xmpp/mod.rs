//! Stanzas: how those of others are read and how ours are written.
//!
//! This layer stands on the crates `jid`, `minidom` and `xmpp-parsers` and knows no channel. Invariant: whatever is
//! written here is well-formed XML 1.0, so no host server closes the link over it.

pub mod address;
pub mod error;
pub mod ns;
pub mod parts;
pub mod stanza;
pub mod tag;

pub use error::{Condition, StanzaError, restated};
pub use parts::Parts;
pub use stanza::{Kind, Stanza, Unreadable};
pub use tag::{Tag, Written, escape_into, is_xml, write_children, write_element};
