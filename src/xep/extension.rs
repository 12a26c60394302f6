//! What an extension implements.

use super::request::{Request, Route, Scope};
use crate::channel::{Answer, AnyCommand, Refusal};
use crate::xmpp::Tag;
use minidom::Element;

/// Whether a child makes a message one to archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A chat state: relayed to the others, never archived, not reflected to its sender.
    State,
    /// Relayed and never archived: receipts, markers.
    Pass,
    /// Archived, not counted as unread.
    Keep,
    /// Archived, and counted as unread.
    Count,
}

/// One XMPP extension. Every method has a default: a file states only what its specification adds.
pub trait Extension: Sync {
    /// The specification, as `XEP-0369`.
    fn name(&self) -> &'static str;

    /// The features it adds to the disco#info of an address.
    fn features(&self, _scope: Scope) -> &'static [&'static str] {
        &[]
    }

    /// The requests it takes.
    fn routes(&self) -> &'static [Route] {
        &[]
    }

    /// Reads a request that came by one of its routes.
    ///
    /// # Errors
    /// A [`Refusal`] for a request that is malformed in its terms.
    fn decode(&self, _request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        Err(Refusal::NoSuchService)
    }

    /// Writes the answer to a request that it decoded. `None` for a result without a payload.
    ///
    /// # Errors
    /// A [`Refusal`] where the answer names something that does not exist.
    fn encode(&self, _answer: &Answer, _request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(None)
    }

    /// The refusal of a request that it takes, in its own terms.
    fn refine(&self, refusal: Refusal) -> Refusal {
        refusal
    }

    /// The weight of a child of a message. `None` where the child belongs to another extension.
    fn weigh(&self, _child: &Element) -> Option<Weight> {
        None
    }
}
