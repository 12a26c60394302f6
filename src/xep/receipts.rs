//! XEP-0184 receipts and XEP-0333 markers: what a message reports of earlier ones.

use super::{Extension, Scope, Sealer, Weight};
use crate::channel::Progress;
use crate::xmpp::{Parts, ns};
use minidom::Element;

/// XEP-0184.
pub struct Receipts;

/// XEP-0333.
pub struct Markers;

impl Extension for Receipts {
    fn name(&self) -> &'static str {
        "XEP-0184"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Channel => &[ns::RECEIPTS],
            Scope::Service => &[],
        }
    }

    fn weigh(&self, child: &Element) -> Option<Weight> {
        child.has_ns(ns::RECEIPTS).then_some(Weight::Pass)
    }
}

impl Extension for Markers {
    fn name(&self) -> &'static str {
        "XEP-0333"
    }

    fn features(&self, scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Channel => &[ns::MARKERS],
            Scope::Service => &[],
        }
    }

    fn weigh(&self, child: &Element) -> Option<Weight> {
        child.has_ns(ns::MARKERS).then_some(Weight::Pass)
    }
}

/// What a message reports, and of which row. `None` where it reports nothing. Row 0 stands for an id that the channel
/// never gave out.
pub fn report(stanza: &Element, sealer: &Sealer, tag: u64) -> Option<(Progress, u64)> {
    stanza.parts().find_map(|child| {
        let progress = match (child.name(), &*child.ns()) {
            ("received", ns::RECEIPTS | ns::MARKERS) => Progress::Delivered,
            ("displayed" | "acknowledged", ns::MARKERS) => Progress::Read,
            _ => return None,
        };
        Some((progress, child.attr("id").and_then(|id| sealer.open(tag, id)).unwrap_or(0)))
    })
}
