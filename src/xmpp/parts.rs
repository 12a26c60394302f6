//! The children of an element. Each one that is looked at counts as a step, because the sender settles how many there
//! are.
//!
//! `clippy.toml` disallows the functions of `minidom` for this, which count nothing.

use crate::steps::{Counted, Walk};
use minidom::Element;
use minidom::element::Children;

/// Access to the children of an element.
pub trait Parts {
    /// The child elements.
    fn parts(&self) -> Walk<Children<'_>>;

    /// The first child element of this name and namespace.
    fn part(&self, name: &str, ns: &str) -> Option<&Element>;

    /// Whether there is a child element of this name and namespace.
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
