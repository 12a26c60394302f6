//! XEP-0085 chat states: relayed to the other participants, never archived.

use super::{Extension, Scope, Weight};
use crate::xmpp::ns;
use minidom::Element;

/// XEP-0085.
pub struct ChatStates;

impl Extension for ChatStates {
    fn name(&self) -> &'static str {
        "XEP-0085"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Channel => &[ns::CHAT_STATES],
            Scope::Service => &[],
        }
    }

    fn weigh(&self, child: &Element) -> Option<Weight> {
        child.has_ns(ns::CHAT_STATES).then_some(Weight::State)
    }
}
