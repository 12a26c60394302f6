//! Shares of what everybody uses. While there is room nobody is held back; where it is used up, the domain that has most
//! of it loses first, and within it the account that has most.
//!
//! The service's own domains together always keep half of it, and all others together a quarter. A domain counts with all
//! below the name that was registered (`site.rs`): nobody has more by having many of these. What is counted here is kept
//! elsewhere: this says who may have more, and who has to give something up. Pure; memory grows with those who have
//! something.

use crate::site;
use jid::BareJid;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// How many domains are named of those that hit a share, beside the service's own; all further ones count as one.
const NAMED_MAX: usize = 20;
/// Where something is scarce that is not taken away again, which part of what is left one may have.
const PART: usize = 16;
/// Of less than so much in all a part is nothing: who comes first has it.
const SCARCE_MIN: usize = 4 * PART;
/// What those are called that are not named.
pub const OTHERS: &str = "others";

/// Somebody who has a share, within that of a domain.
pub trait Holder: Clone + Ord {
    /// The domain that it is of.
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

/// The domains that are the service's own: its host's, and those whose users the operator lets create channels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnDomains(Arc<BTreeSet<String>>);

impl OwnDomains {
    /// These domains; `*` is none.
    pub fn new(domains: impl IntoIterator<Item = String>) -> OwnDomains {
        OwnDomains(Arc::new(domains.into_iter().filter(|domain| domain != "*").collect()))
    }

    /// Whether a domain is one of them.
    pub fn has(&self, domain: &str) -> bool {
        self.0.contains(domain)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }

    /// Whether all of these are among them; `*`, which is every domain, is not.
    pub fn has_all(&self, domains: &[String]) -> bool {
        domains.iter().all(|domain| self.has(domain))
    }

    /// How many they are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What a domain has its share with: each of these is one by itself, and of all others those that one name was
    /// registered for are one.
    pub fn site<'a>(&self, domain: &'a str) -> &'a str {
        let site = site::of(domain);
        if self.has(domain) || self.has(site) { domain } else { site }
    }

    /// What is counted, as somebody sees it who wants more; looks at the service's own domains, and at nobody.
    pub fn held(&self, who: &BareJid, tally: &Tally) -> Held {
        let domain = who.domain().as_str();
        let of_domain = |domain: &str| tally.domains.get(domain).copied().unwrap_or(0);
        let home = self.iter().map(|domain| of_domain(domain)).sum::<usize>();
        let (side, others) = match self.side(domain) {
            Side::Home => (home, tally.all - home),
            Side::Foreign => (tally.all - home, home),
        };
        let site = site::of(domain);
        let domain = match self.has(domain) || self.has(site) {
            true => of_domain(domain),
            false => {
                let own = self.iter().filter(|own| site::of(own) == site).map(|own| of_domain(own));
                tally.sites.get(site).copied().unwrap_or(0) - own.sum::<usize>()
            }
        };
        Held { own: tally.accounts.get(who).copied().unwrap_or(0), domain, side, others }
    }

    /// Whether somebody of a domain may have so much more of what nobody will take away again (see [`Shares::settle`]).
    pub fn may_settle(&self, domain: &str, held: &Held, amount: usize, max: usize, for_all: bool) -> bool {
        let side = self.side(self.site(domain));
        let kept = if for_all { side.other().kept(max) } else { 0 };
        // What others have beyond what is kept for them is used up for everybody.
        let room = max.saturating_sub(held.others.max(kept));
        let free = room.saturating_sub(held.side);
        let is_scarce = free.saturating_sub(amount) < room / 2 && max >= SCARCE_MIN;
        let is_alone = side == Side::Home && self.count() == 1;
        // The accounts of a domain that have much do not keep out those that have little. The last part is for domains that
        // have little: of the service's own for each as much, of all others, of which anybody may have any number, more.
        let (for_domains, each) = match side {
            Side::Home => (room / 4, room / 4 / self.count()),
            Side::Foreign => (room / 8 * 3, 0),
        };
        let for_accounts = free.saturating_sub(for_domains);
        let is_small = |held: usize, part: usize| held == 0 || held.saturating_add(amount) <= part;
        let is_fair = !is_scarce
            || (is_small(held.own, free / PART) && (is_alone || is_small(held.domain, each.max(free / PART))))
            || (is_small(held.own, for_accounts / PART) && amount <= for_accounts);
        amount <= free && is_fair
    }

    fn side(&self, domain: &str) -> Side {
        if self.has(domain) { Side::Home } else { Side::Foreign }
    }
}

/// How many of something there are, by those who have them, where it is not known yet which domains are the service's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    all: usize,
    accounts: HashMap<BareJid, usize>,
    domains: HashMap<String, usize>,
    /// By what was registered of the domains.
    sites: HashMap<String, usize>,
}

impl Tally {
    /// Somebody has one more.
    pub fn add(&mut self, who: &BareJid) {
        let domain = who.domain().as_str();
        self.all += 1;
        *self.accounts.entry(who.clone()).or_default() += 1;
        *self.domains.entry(domain.to_owned()).or_default() += 1;
        *self.sites.entry(site::of(domain).to_owned()).or_default() += 1;
    }

    /// Somebody who has some has one less.
    pub fn remove(&mut self, who: &BareJid) {
        let domain = who.domain().as_str();
        self.all -= 1;
        lower(&mut self.accounts, who);
        lower(&mut self.domains, domain);
        lower(&mut self.sites, site::of(domain));
    }
}

/// Takes one off a count, which goes with its last one.
pub fn lower<Key, Name>(counts: &mut HashMap<Key, usize>, key: &Name)
where
    Key: std::borrow::Borrow<Name> + Eq + std::hash::Hash,
    Name: Eq + std::hash::Hash + ?Sized,
{
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// How much of something there is, as somebody sees it who wants more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// What that one has itself.
    pub own: usize,
    /// What its domain has.
    pub domain: usize,
    /// What all have that are the service's own like it, or are not like it.
    pub side: usize,
    /// What the others have.
    pub others: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Home,
    Foreign,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Home => Side::Foreign,
            Side::Foreign => Side::Home,
        }
    }

    /// What is always kept for all of it together.
    fn kept(self, max: usize) -> usize {
        match self {
            Side::Home => max / 2,
            Side::Foreign => max / 4,
        }
    }
}

/// Whose share had no room, of one thing.
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

/// Who has how much of one thing.
#[derive(Clone, Debug)]
pub struct Shares<Who> {
    max: usize,
    own_domains: OwnDomains,
    sides: [Ranked<Arc<str>>; 2],
    domains: HashMap<Arc<str>, Ranked<Who>>,
    hits: Hits,
}

/// Who has how much, and who has most.
#[derive(Clone, Debug)]
struct Ranked<Key> {
    sum: usize,
    held: BTreeMap<Key, usize>,
    order: BTreeSet<(usize, Key)>,
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

/// What is counted is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Full<Who> {
    /// Whoever asks has most of it.
    Own,
    /// Somebody else has most of it, and has to give something up.
    Of(Who),
}

impl<Who: Holder> Shares<Who> {
    /// So much of something, which is named in the log and in metrics.
    pub fn new(what: &'static str, max: usize, own_domains: OwnDomains) -> Shares<Who> {
        let hits = Hits::new(what, own_domains.clone());
        Shares { max, own_domains, sides: [Ranked::default(), Ranked::default()], domains: HashMap::new(), hits }
    }

    /// How much there is in all.
    pub fn max(&self) -> usize {
        self.max
    }

    /// How much all have together.
    pub fn held(&self) -> usize {
        self.sides.iter().map(|side| side.sum).sum()
    }

    /// How much one has.
    pub fn held_by(&self, who: &Who) -> usize {
        self.domains.get(&*self.site_of(who)).map_or(0, |domain| domain.of(who))
    }

    /// Counts what somebody has, whether or not there is room.
    pub fn count(&mut self, who: &Who, amount: usize) {
        let domain = self.site_of(who);
        let key = match self.domains.get_key_value(&*domain) {
            Some((key, _)) => key.clone(),
            None => Arc::from(&*domain),
        };
        self.sides[self.own_domains.side(&domain) as usize].add(&key, amount);
        self.domains.entry(key).or_default().add(who, amount);
    }

    /// Counts what somebody wants to have.
    ///
    /// # Errors
    /// [`Full`] where there is no room: nothing is counted.
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

    /// Whether somebody may have so much, be it that another one has to give something up for it.
    pub fn may_take(&self, who: &Who, amount: usize) -> bool {
        self.held().saturating_add(amount) <= self.max || self.loser(who, amount).is_some()
    }

    /// Counts what somebody wants to have, and has those who have most give something up for it: `let_go` drops one thing
    /// of theirs and returns what it counted for. Whether there is room at last.
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

    /// Counts what somebody wants to have and nobody will take away again. So once half of it is used up, an account that
    /// has more than a small part of what is left gets no more, and a little later no domain that has more; but where a
    /// single domain is the service's own, that one has no others beside it. Whether there is room; `for_all`: whether
    /// domains that are not the service's own may have any.
    pub fn settle(&mut self, who: &Who, amount: usize, for_all: bool) -> bool {
        let may = self.may_settle(who, amount, for_all);
        if may {
            self.count(who, amount);
        }
        may
    }

    /// The same, of something that is counted once it is there.
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

    /// Somebody has so much less.
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

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<Who> {
        self.hits.take()
    }

    /// Notes that there was no room for something of a domain.
    pub fn hit(&mut self, domain: &str) {
        self.hits.hit(domain);
    }

    fn site_of<'a>(&self, who: &'a Who) -> Cow<'a, str> {
        match who.host() {
            Cow::Borrowed(domain) => Cow::Borrowed(self.own_domains.site(domain)),
            Cow::Owned(domain) => Cow::Owned(self.own_domains.site(&domain).to_owned()),
        }
    }

    /// Who has to give something up for what somebody wants; `None`: that one itself.
    fn loser(&self, who: &Who, amount: usize) -> Option<Who> {
        let name = self.site_of(who);
        let side = self.own_domains.side(&name);
        let after = self.sides[side as usize].sum.saturating_add(amount);
        let over = |side: Side| self.sides[side as usize].sum > side.kept(self.max);
        let of_other = over(side.other()).then(|| self.sides[side.other() as usize].most(|_| true)).flatten();
        if after <= side.kept(self.max) {
            return of_other.and_then(|(domain, _)| Some(self.domains.get(domain)?.most(|_| true)?.0.clone()));
        }
        let own = self.sides[side as usize].of_str(&name).saturating_add(amount);
        let of_own = self.sides[side as usize].most(|domain| **domain != *name);
        let most = of_own.into_iter().chain(of_other).max_by_key(|(_, held)| *held);
        let among = match most {
            Some((domain, held)) if held > own => return Some(self.domains.get(domain)?.most(|_| true)?.0.clone()),
            _ => self.domains.get(&*name)?,
        };
        let own = among.of(who).saturating_add(amount);
        among.most(|other| other != who).filter(|(_, held)| *held > own).map(|(loser, _)| loser.clone())
    }
}

impl<Key: Clone + Ord> Ranked<Key> {
    fn of(&self, key: &Key) -> usize {
        self.held.get(key).copied().unwrap_or(0)
    }

    fn add(&mut self, key: &Key, amount: usize) {
        let held = self.of(key);
        self.set(key, held, held + amount);
    }

    /// How much less that is.
    fn remove(&mut self, key: &Key, amount: usize) -> usize {
        let held = self.of(key);
        let less = amount.min(held);
        self.set(key, held, held - less);
        less
    }

    fn set(&mut self, key: &Key, held: usize, next: usize) {
        self.sum = self.sum - held + next;
        self.order.remove(&(held, key.clone()));
        if next == 0 {
            self.held.remove(key);
            return;
        }
        self.order.insert((next, key.clone()));
        self.held.insert(key.clone(), next);
    }

    /// Who has most of those that are meant, and how much.
    fn most(&self, is_meant: impl Fn(&Key) -> bool) -> Option<(&Key, usize)> {
        self.order.iter().rev().find(|(_, key)| is_meant(key)).map(|(held, key)| (key, *held))
    }
}

impl Ranked<Arc<str>> {
    fn of_str(&self, key: &str) -> usize {
        self.held.get(key).copied().unwrap_or(0)
    }
}

impl<Key> Default for Ranked<Key> {
    fn default() -> Ranked<Key> {
        Ranked { sum: 0, held: BTreeMap::new(), order: BTreeSet::new() }
    }
}

#[cfg(test)]
#[path = "share_tests.rs"]
mod tests;
