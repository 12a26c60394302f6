//! Whose share had no room, for the log and for metrics.

use super::domains::OwnDomains;
use std::collections::BTreeMap;

/// How many domains are named of those that hit a share, beside the service's own; all further ones count as one.
pub(super) const NAMED_MAX: usize = 20;
/// What those are called that are not named.
pub const OTHERS: &str = "others";

/// See the module; of one thing.
#[derive(Clone, Debug)]
pub struct Hits {
    what: &'static str,
    own_domains: OwnDomains,
    counts: BTreeMap<String, u64>,
}

impl Hits {
    /// Of something, by the name that the log and metrics have for it.
    pub fn new(what: &'static str, own_domains: OwnDomains) -> Hits {
        Hits { what, own_domains, counts: BTreeMap::new() }
    }

    /// Notes that there was no room for something of a domain.
    pub fn hit(&mut self, domain: &str) {
        let domain = self.own_domains.site(domain);
        let is_named =
            self.own_domains.has(domain) || self.counts.contains_key(domain) || self.counts.len() < NAMED_MAX;
        *self.counts.entry(if is_named { domain } else { OTHERS }.to_owned()).or_default() += 1;
    }

    /// Those since this was asked last.
    pub fn take(&mut self) -> impl Iterator<Item = Hit> + use<> {
        let what = self.what;
        std::mem::take(&mut self.counts).into_iter().map(move |(domain, count)| Hit { what, domain, count })
    }
}

/// Something that somebody's share had no room for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Of what.
    pub what: &'static str,
    /// Whose share: a domain, or [`OTHERS`].
    pub domain: String,
    /// How often.
    pub count: u64,
}
