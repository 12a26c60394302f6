//! Shares of what everybody uses. While there is room, nobody is held back. Where there is none, the domain that has
//! most loses first, and within it the account that has most.
//!
//! Half of everything is reserved for the service's own domains together, and a quarter for all others together. A
//! domain counts with all below its registered name (`site.rs`), so that many subdomains gain nothing. Shares only
//! count: they say who may have more and who has to give something up. Pure; memory grows with the number of those who
//! have something.

mod domains;
mod hits;
mod ranked;
mod tally;

pub use domains::{Held, OwnDomains};
pub use hits::{Hit, Hits, OTHERS};
pub use tally::{Tally, lower};

use domains::Side;
use jid::BareJid;
use ranked::Ranked;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// An account or another holder of a share, within the share of a domain.
pub trait Holder: Clone + Ord {
    /// The holder's domain.
    fn host(&self) -> Cow<'_, str>;
}

impl Holder for BareJid {
    fn host(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.domain().as_str())
    }
}

/// A domain as a whole.
impl Holder for String {
    fn host(&self) -> Cow<'_, str> {
        Cow::Borrowed(self)
    }
}

/// How much of one thing each holder has.
#[derive(Clone, Debug)]
pub struct Shares<Who> {
    max: usize,
    own_domains: OwnDomains,
    sides: [Ranked<str>; 2],
    domains: HashMap<Arc<str>, Ranked<Who>>,
    hits: Hits,
}

/// There is no room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Full<Who> {
    /// The holder that asks has most of it.
    Own,
    /// Another holder has most of it, and has to give something up.
    Of(Who),
}

impl<Who: Holder> Shares<Who> {
    /// Shares of `max` in all. The log and metrics call the thing `what`.
    pub fn new(what: &'static str, max: usize, own_domains: OwnDomains) -> Shares<Who> {
        let hits = Hits::new(what, own_domains.clone());
        Shares { max, own_domains, sides: [Ranked::default(), Ranked::default()], domains: HashMap::new(), hits }
    }

    /// How much there is in all.
    pub fn max(&self) -> usize {
        self.max
    }

    /// How much all holders have together.
    pub fn held(&self) -> usize {
        self.sides.iter().map(|side| side.sum).sum()
    }

    /// How much a holder has.
    pub fn held_by(&self, who: &Who) -> usize {
        self.domains.get(&*self.site_of(who)).map_or(0, |domain| domain.of(who))
    }

    /// Counts an amount for a holder, whether or not there is room.
    pub fn count(&mut self, who: &Who, amount: usize) {
        self.add(who, amount, || Arc::new(who.clone()));
    }

    /// The same, where the holder's name is kept elsewhere as well.
    pub fn count_for(&mut self, who: &Arc<Who>, amount: usize) {
        self.add(who, amount, || who.clone());
    }

    fn add(&mut self, who: &Who, amount: usize, shared: impl FnOnce() -> Arc<Who>) {
        let domain = self.site_of(who);
        let key = match self.domains.get_key_value(&*domain) {
            Some((key, _)) => key.clone(),
            None => Arc::from(&*domain),
        };
        self.sides[self.own_domains.side(&domain) as usize].add(key.clone(), amount);
        let domain = self.domains.entry(key).or_default();
        domain.add(domain.key(who).unwrap_or_else(shared), amount);
    }

    /// Counts an amount for a holder if there is room.
    ///
    /// # Errors
    /// [`Full`]: there is no room, and nothing was counted.
    pub fn take(&mut self, who: &Who, amount: usize) -> Result<(), Full<Who>> {
        if self.held().saturating_add(amount) <= self.max {
            self.count(who, amount);
            return Ok(());
        }
        match self.loser(who, amount) {
            None => {
                self.hits.hit(&who.host());
                Err(Full::Own)
            }
            Some(loser) => {
                self.hits.hit(&loser.host());
                Err(Full::Of(loser))
            }
        }
    }

    /// Whether a holder may take an amount, even if another one has to give something up for it.
    pub fn may_take(&self, who: &Who, amount: usize) -> bool {
        self.held().saturating_add(amount) <= self.max || self.loser(who, amount).is_some()
    }

    /// Counts an amount for a holder, and has those who have most give something up for it: `let_go` drops one thing of
    /// theirs and returns its amount. Returns whether there is room in the end.
    pub fn take_over(&mut self, who: &Who, amount: usize, mut let_go: impl FnMut(&Who) -> usize) -> bool {
        loop {
            let Full::Of(loser) = (match self.take(who, amount) {
                Ok(()) => return true,
                Err(full) => full,
            }) else {
                return false;
            };
            let freed = let_go(&loser);
            if freed == 0 {
                return false;
            }
            self.give_back(&loser, freed);
        }
    }

    /// Counts an amount that nobody takes away again. Once half of the whole is used, an account with more than a small
    /// part of what is left gets no more; a little later a domain with more gets none either. The service's own domain
    /// is exempt from that if it is the only one. Returns whether there is room. `for_all` says whether other domains
    /// than the service's own may have any.
    pub fn settle(&mut self, who: &Who, amount: usize, for_all: bool) -> bool {
        let may = self.may_settle(who, amount, for_all);
        if may {
            self.count(who, amount);
        }
        may
    }

    /// The same for something that is counted later, once it is there.
    pub fn may_settle(&mut self, who: &Who, amount: usize, for_all: bool) -> bool {
        let name = self.site_of(who).into_owned();
        let side = self.own_domains.side(&name);
        let held = Held {
            own: self.held_by(who),
            domain: self.domains.get(&*name).map_or(0, |domain| domain.sum),
            side: self.sides[side as usize].sum,
            others: self.sides[side.other() as usize].sum,
        };
        let fits = self.own_domains.may_settle(&name, &held, amount, self.max, for_all);
        if !fits {
            self.hits.hit(&name);
        }
        fits
    }

    /// Takes an amount off a holder.
    pub fn give_back(&mut self, who: &Who, amount: usize) {
        let name = self.site_of(who);
        let Some((key, _)) = self.domains.get_key_value(&*name) else { return };
        let key = key.clone();
        let Some(domain) = self.domains.get_mut(&key) else { return };
        let less = domain.remove(who, amount);
        if domain.held.is_empty() {
            self.domains.remove(&key);
        }
        self.sides[self.own_domains.side(&name) as usize].remove(&key, less);
    }

    /// The shares that had no room since the last call.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<Who> {
        self.hits.take()
    }

    /// Notes that a domain's share had no room.
    pub fn hit(&mut self, domain: &str) {
        self.hits.hit(domain);
    }

    fn site_of<'a>(&self, who: &'a Who) -> Cow<'a, str> {
        match who.host() {
            Cow::Borrowed(domain) => Cow::Borrowed(self.own_domains.site(domain)),
            Cow::Owned(domain) => Cow::Owned(self.own_domains.site(&domain).to_owned()),
        }
    }

    /// The holder that has to give something up for what `who` wants; `None` if that is `who` itself.
    fn loser(&self, who: &Who, amount: usize) -> Option<Who> {
        let name = self.site_of(who);
        let side = self.own_domains.side(&name);
        let after = self.sides[side as usize].sum.saturating_add(amount);
        let over = |side: Side| self.sides[side as usize].sum > side.kept(self.max);
        let of_other = over(side.other()).then(|| self.sides[side.other() as usize].most(|_| true)).flatten();
        if after <= side.kept(self.max) {
            return of_other.and_then(|(domain, _)| Some(self.domains.get(domain)?.most(|_| true)?.0.clone()));
        }
        let own = self.sides[side as usize].of(&name).saturating_add(amount);
        let of_own = self.sides[side as usize].most(|domain| *domain != *name);
        let most = of_own.into_iter().chain(of_other).max_by_key(|(_, held)| *held);
        let among = match most {
            Some((domain, held)) if held > own => return Some(self.domains.get(domain)?.most(|_| true)?.0.clone()),
            _ => self.domains.get(&*name)?,
        };
        let own = among.of(who).saturating_add(amount);
        among.most(|other| other != who).filter(|(_, held)| *held > own).map(|(loser, _)| loser.clone())
    }
}

#[cfg(test)]
#[path = "share_tests.rs"]
mod tests;
