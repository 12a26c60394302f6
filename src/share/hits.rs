//! Hits of shares: whose share had no room, for the log and for metrics.

use super::domains::OwnDomains;
use std::collections::BTreeMap;

/// How many domains with hits are named beside the service's own. Further ones count as one.
pub(super) const NAMED_MAX: usize = 20;
/// The name for domains that are not named.
pub const OTHERS: &str = "others";

/// Hits of one thing.
#[derive(Clone, Debug)]
pub struct Hits {
    what: &'static str,
    own_domains: OwnDomains,
    counts: BTreeMap<String, u64>,
}

impl Hits {
    /// No hits yet. The log and metrics call the thing `what`.
    pub fn new(what: &'static str, own_domains: OwnDomains) -> Hits {
        Hits { what, own_domains, counts: BTreeMap::new() }
    }

    /// Notes that a domain's share had no room.
    pub fn hit(&mut self, domain: &str) {
        let domain = self.own_domains.site(domain);
        let is_named =
            self.own_domains.has(domain) || self.counts.contains_key(domain) || self.counts.len() < NAMED_MAX;
        *self.counts.entry(if is_named { domain } else { OTHERS }.to_owned()).or_default() += 1;
    }

    /// The hits since the last call.
    pub fn take(&mut self) -> impl Iterator<Item = Hit> + use<> {
        let what = self.what;
        std::mem::take(&mut self.counts).into_iter().map(move |(domain, count)| Hit { what, domain, count })
    }
}

/// A share that had no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The thing.
    pub what: &'static str,
    /// The domain, or [`OTHERS`].
    pub domain: String,
    /// How often.
    pub count: u64,
}
