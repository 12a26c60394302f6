//! XEP-0402: bookmarks that are to be set or taken away, and the questions about that.

use super::super::share::{Hit, OwnDomains, Shares};
use crate::channel::ChannelName;
use jid::BareJid;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Bookmarks that are to be set or taken away.
const WISHES_MAX: usize = 10_000;
/// Bookmarks of which something is asked at the same time.
const OPEN_MAX: usize = 20;
/// How often it is told that a host server fails, in milliseconds.
const TOLD_MS: u64 = 3_600_000;

/// The bookmark of an account for a channel.
pub type Place = (BareJid, ChannelName);

/// What is to become of a bookmark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// The account is in the group, which has this name: it is set, unless there is one.
    Set(String),
    /// The account is in it no more: it goes.
    Gone,
}

/// How far the questions about a bookmark are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Whether there is one. If not, it is set with this name.
    Look(String),
    /// The node for it is created, as there may be none. Then the bookmark is set with this name. If there is a node, it is set
    /// only where it is certain that there is no bookmark.
    Create {
        /// The name.
        title: String,
        /// Whether that is certain.
        is_certain: bool,
    },
    /// It is set, with this name.
    Publish(String),
    /// It is taken away.
    Retract,
}

/// See the module.
#[derive(Debug)]
pub struct Bookmarks {
    /// What the turn's commit settles.
    fresh: Vec<(Place, Wish)>,
    /// What is to be done, oldest first.
    wishes: BTreeMap<u64, (Place, Wish)>,
    /// The numbers of what is to be done.
    of: BTreeMap<Place, u64>,
    /// Those of accounts, to let one go.
    own: BTreeMap<BareJid, BTreeSet<u64>>,
    open: BTreeSet<Place>,
    next: u64,
    shares: Shares<BareJid>,
    /// When it was told of trusted domains that they fail, in steady milliseconds.
    told: HashMap<String, u64>,
}

impl Stage {
    /// What it is for.
    pub fn wish(&self) -> Wish {
        match self {
            Stage::Look(title) | Stage::Create { title, .. } | Stage::Publish(title) => Wish::Set(title.clone()),
            Stage::Retract => Wish::Gone,
        }
    }
}

impl Bookmarks {
    /// Nothing is to be done.
    pub fn new(own_domains: OwnDomains) -> Bookmarks {
        Bookmarks {
            fresh: Vec::new(),
            wishes: BTreeMap::new(),
            of: BTreeMap::new(),
            own: BTreeMap::new(),
            open: BTreeSet::new(),
            next: 0,
            shares: Shares::new("bookmarks", WISHES_MAX, own_domains),
            told: HashMap::new(),
        }
    }

    /// Who hit a share since this was asked last.
    pub fn hits(&mut self) -> impl Iterator<Item = Hit> + use<> {
        self.shares.hits()
    }

    /// A bookmark is to be set or taken away, once the turn is stored.
    pub fn want(&mut self, place: Place, wish: Wish) {
        self.fresh.push((place, wish));
    }

    /// The turn was not stored.
    pub fn forget_fresh(&mut self) {
        self.fresh.clear();
    }

    /// What is still to be done, oldest first.
    pub fn wanted(&self) -> impl Iterator<Item = (Place, Wish)> {
        self.wishes.values().chain(&self.fresh).cloned()
    }

    /// What the turns before wanted is to be done. Where there is no room, the oldest of who has most is not.
    pub fn settle_fresh(&mut self) {
        for (place, wish) in std::mem::take(&mut self.fresh) {
            if let Some(number) = self.of.get(&place) {
                // The last word counts.
                self.wishes.insert(*number, (place, wish));
                continue;
            }
            let Bookmarks { wishes, of, own, shares, .. } = self;
            if !shares.take_over(&place.0, 1, |loser| strike(wishes, of, own, loser)) {
                continue;
            }
            let number = self.next;
            self.next += 1;
            self.of.insert(place.clone(), number);
            self.own.entry(place.0.clone()).or_default().insert(number);
            self.wishes.insert(number, (place, wish));
        }
    }

    /// The next bookmark of which something is to be asked. It is open until [`Bookmarks::close`].
    pub fn open_next(&mut self) -> Option<(Place, Wish)> {
        if self.open.len() >= OPEN_MAX {
            return None;
        }
        let is_free = |entry: &(&u64, &(Place, Wish))| !self.open.contains(&entry.1.0);
        // Of those that come first, no more than those that are open are passed over.
        let number = self.wishes.iter().find(is_free).map(|(number, _)| *number)?;
        let (place, wish) = self.wishes.remove(&number)?;
        self.of.remove(&place);
        if let Some(own) = self.own.get_mut(&place.0) {
            own.remove(&number);
            if own.is_empty() {
                self.own.remove(&place.0);
            }
        }
        self.shares.give_back(&place.0, 1);
        self.open.insert(place.clone());
        Some((place, wish))
    }

    /// Nothing is asked about a bookmark any more.
    pub fn close(&mut self, place: &Place) {
        self.open.remove(place);
    }

    /// Whether something else is to become of a bookmark meanwhile.
    pub fn is_outdated(&self, place: &Place) -> bool {
        self.of.contains_key(place)
    }

    /// Whether it is told now that a domain fails.
    pub fn tells(&mut self, domain: &str, now_ms: u64) -> bool {
        let is_told = self.told.get(domain).is_some_and(|told_ms| now_ms.saturating_sub(*told_ms) < TOLD_MS);
        if !is_told {
            self.told.insert(domain.to_owned(), now_ms);
        }
        !is_told
    }
}

/// Forgets what is to be done for an account first; how many that are.
fn strike(
    wishes: &mut BTreeMap<u64, (Place, Wish)>,
    of: &mut BTreeMap<Place, u64>,
    own: &mut BTreeMap<BareJid, BTreeSet<u64>>,
    account: &BareJid,
) -> usize {
    let Some(numbers) = own.get_mut(account) else { return 0 };
    let Some(number) = numbers.pop_first() else { return 0 };
    if numbers.is_empty() {
        own.remove(account);
    }
    if let Some((place, _)) = wishes.remove(&number) {
        of.remove(&place);
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(n: usize, domain: &str) -> Place {
        (BareJid::new(&format!("a{n}@{domain}")).unwrap(), ChannelName::new("c").unwrap())
    }

    fn wanted(bookmarks: &mut Bookmarks, place: &Place, wish: Wish) {
        bookmarks.want(place.clone(), wish);
        bookmarks.settle_fresh();
    }

    #[test]
    fn of_one_bookmark_the_last_word_counts_and_one_thing_is_asked_at_a_time() {
        let mut bookmarks = Bookmarks::new(OwnDomains::default());
        let one = place(1, "h");
        wanted(&mut bookmarks, &one, Wish::Set("C".into()));
        wanted(&mut bookmarks, &one, Wish::Gone);
        assert_eq!(bookmarks.open_next(), Some((one.clone(), Wish::Gone)));
        wanted(&mut bookmarks, &one, Wish::Set("C".into()));
        assert!(bookmarks.is_outdated(&one) && bookmarks.open_next().is_none());
        bookmarks.close(&one);
        assert_eq!(bookmarks.open_next(), Some((one.clone(), Wish::Set("C".into()))));
        bookmarks.want(one, Wish::Gone);
        bookmarks.forget_fresh();
        bookmarks.settle_fresh();
        assert!(bookmarks.wishes.is_empty() && bookmarks.shares.held() == 0 && bookmarks.own.is_empty());
    }

    #[test]
    fn so_many_are_asked_about_at_the_same_time() {
        let mut bookmarks = Bookmarks::new(OwnDomains::default());
        (0..OPEN_MAX + 5).for_each(|n| wanted(&mut bookmarks, &place(n, "h"), Wish::Gone));
        let opened: Vec<Place> = std::iter::from_fn(|| bookmarks.open_next().map(|(place, _)| place)).collect();
        assert_eq!(opened.len(), OPEN_MAX);
        bookmarks.close(&opened[3]);
        assert!(bookmarks.open_next().is_some() && bookmarks.open_next().is_none());
    }

    #[test]
    fn one_domain_leaves_room_for_bookmarks_of_others() {
        let mut bookmarks = Bookmarks::new(OwnDomains::new(["h".to_owned()]));
        (0..2 * WISHES_MAX).for_each(|n| wanted(&mut bookmarks, &place(n, "evil.example"), Wish::Gone));
        (0..50).for_each(|n| wanted(&mut bookmarks, &place(n, "h"), Wish::Gone));
        assert_eq!((bookmarks.wishes.len(), bookmarks.of.len()), (WISHES_MAX, WISHES_MAX));
        assert!((0..50).all(|n| bookmarks.of.contains_key(&place(n, "h"))));
    }

    #[test]
    fn a_host_that_fails_is_told_of_once_an_hour() {
        let mut bookmarks = Bookmarks::new(OwnDomains::default());
        let told = [("h", 0), ("h", 1), ("x", 1), ("h", TOLD_MS), ("h", TOLD_MS + 1)];
        assert_eq!(told.map(|(domain, now_ms)| bookmarks.tells(domain, now_ms)), [true, false, true, true, false]);
    }
}
