//! Hits of shares: counted by domain, and reported in the log once a minute.

use crate::engine::share::{Hit, OTHERS};
use std::collections::{BTreeMap, BTreeSet};

/// How many domains get a name of their own while the process runs. Bounded, because anybody can make up domains.
const NAMED_MAX: usize = 64;
/// The shortest time between two reports, in milliseconds.
const TELL_PAUSE_MS: u64 = 60_000;
/// How many domains a report names.
const TOLD_MAX: usize = 5;

/// The hits so far.
#[derive(Debug, Default)]
pub(super) struct Scarcity {
    named: BTreeSet<String>,
    untold: BTreeMap<(&'static str, String), u64>,
    told_ms: Option<u64>,
}

impl Scarcity {
    /// Notes a hit. Returns the name under which its domain is counted.
    pub fn note(&mut self, hit: &Hit) -> String {
        if self.named.len() < NAMED_MAX {
            self.named.insert(hit.domain.clone());
        }
        let name = if self.named.contains(&hit.domain) { &*hit.domain } else { OTHERS }.to_owned();
        *self.untold.entry((hit.what, name.clone())).or_default() += hit.count;
        name
    }

    /// The report that is due, if any: the domains with most hits.
    pub fn tell(&mut self, now_ms: u64) -> Option<String> {
        let is_early = self.told_ms.is_some_and(|told_ms| now_ms.saturating_sub(told_ms) < TELL_PAUSE_MS);
        if self.untold.is_empty() || is_early {
            return None;
        }
        self.told_ms = Some(now_ms);
        let mut all: Vec<_> = std::mem::take(&mut self.untold).into_iter().collect();
        all.sort_by_key(|it| std::cmp::Reverse(it.1));
        let rest = all.len().saturating_sub(TOLD_MAX);
        let told =
            all.iter().take(TOLD_MAX).map(|((what, domain), count)| format!("{what} by {domain}, {count} times"));
        let told = told.collect::<Vec<_>>().join("; ");
        Some(if rest > 0 { format!("{told}; and {rest} more") } else { told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_hits_a_share_is_told_once_a_minute_and_named_in_bounded_number() {
        let mut scarcity = Scarcity::default();
        let hit = |domain: &str| Hit { what: "questions", domain: domain.to_owned(), count: 2 };
        assert_eq!(
            (scarcity.note(&hit("a.example")), scarcity.tell(5)),
            ("a.example".into(), Some("questions by a.example, 2 times".into()))
        );
        (0..1000).for_each(|n| drop(scarcity.note(&hit(&format!("{n}.example")))));
        assert_eq!((scarcity.note(&hit("b.example")), scarcity.tell(60_004)), (OTHERS.into(), None));
        let told = scarcity.tell(60_005).unwrap();
        assert!(told.starts_with("questions by others, ") && told.ends_with("; and 59 more"), "{told}");
        assert_eq!(scarcity.tell(600_000), None);
    }
}
