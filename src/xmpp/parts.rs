//! The elements within an element, each a step: whoever sends a stanza settles how many there are.
//!
//! What the crate `minidom` has for this is not used in the program (`clippy.toml`), since nothing would count it.

use crate::steps::{Counted, Walk};
use minidom::Element;
use minidom::element::Children;

/// What is in an element.
pub trait Parts {
    /// The elements in it.
    fn parts(&self) -> Walk<Children<'_>>;

    /// The first element in it of this name and namespace.
    fn part(&self, name: &str, ns: &str) -> Option<&Element>;

    /// Whether there is an element in it of this name and namespace.
    fn has_part(&self, name: &str, ns: &str) -> bool {
        self.part(name, ns).is_some()
    }
}

impl Parts for Element {
    #[allow(clippy::disallowed_methods, reason = "bounded: what it gives is counted")]
    fn parts(&self) -> Walk<Children<'_>> {
        self.children().counted()
    }

    fn part(&self, name: &str, ns: &str) -> Option<&Element> {
        self.parts().find(|part| part.is(name, ns))
    }
}
