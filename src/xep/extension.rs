//! What every extension has to say of itself.

use super::request::{Request, Route, Scope};
use crate::channel::{Answer, AnyCommand, Refusal};
use crate::xmpp::Tag;
use minidom::Element;

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
    /// A [`Refusal`] for what makes no sense in its terms.
    fn decode(&self, _request: &Request<'_>) -> Result<AnyCommand, Refusal> {
        Err(Refusal::NoSuchService)
    }

    /// Writes the answer to a request that it decoded; `None` for a result without a payload.
    ///
    /// # Errors
    /// A [`Refusal`] where the answer names what is not there.
    fn encode(&self, _answer: &Answer, _request: &Request<'_>) -> Result<Option<Tag>, Refusal> {
        Ok(None)
    }

    /// Says what a child of a message means for keeping it; `None` where it is not this extension's.
    fn weigh(&self, _child: &Element) -> Option<Weight> {
        None
    }
}
