//! The index of what channels are searched by, against a look at everything.

use super::*;
use crate::channel::search::{ChannelKind, terms_of};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const WORDS: [&str; 6] = ["witch", "heath", "thane", "Äpfel", "聊天", "heather"];

fn sheet(tag: u64, dice: &mut StdRng) -> Sheet {
    let mut words = || {
        let count = dice.random_range(0..3);
        (0..count).map(|_| WORDS[dice.random_range(0..WORDS.len())]).collect::<Vec<_>>().join(" ")
    };
    let (title, description) = (words(), words());
    Sheet {
        tag,
        name: ChannelName::new(&format!("c{}", tag % 40)).unwrap(),
        title: (!title.is_empty()).then(|| title.into()),
        description: kept(&description),
        lang: None,
        is_open: true,
        shows_jids: true,
        users: Some(dice.random_range(0..4)),
    }
}

fn wish(sought: Sought, order: SearchOrder) -> SearchWish {
    let (max, after, before) = (None, None, None);
    SearchWish { sought, users_min: 0, kind: Some(ChannelKind::Room), order, max, after, before }
}

fn words(text: &str) -> Sought {
    Sought::Terms { terms: terms_of(text), in_name: true, in_description: true, in_address: true }
}

/// What does not end with this.
struct Without<'a>(&'a str, BTreeSet<ChannelName>);

impl Findable for Without<'_> {
    fn has(&self, name: &str) -> bool {
        !name.ends_with(self.0) && self.1.iter().any(|other| other.as_str() == name)
    }

    fn behind(&self, name: Option<&str>) -> Option<&ChannelName> {
        self.1.iter().find(|other| name.is_none_or(|name| other.as_str() > name) && !other.as_str().ends_with(self.0))
    }

    fn before(&self, name: Option<&str>) -> Option<&ChannelName> {
        let is_before = |other: &&ChannelName| name.is_none_or(|name| other.as_str() < name);
        self.1.iter().rev().find(|other| is_before(other) && !other.as_str().ends_with(self.0))
    }

    fn count(&self) -> usize {
        self.1.iter().filter(|name| !name.as_str().ends_with(self.0)).count()
    }
}

/// Whoever finds everything, of which this many are there.
struct Everything(usize, ChannelName);

impl Findable for Everything {
    fn has(&self, _: &str) -> bool {
        true
    }

    fn behind(&self, _: Option<&str>) -> Option<&ChannelName> {
        Some(&self.1)
    }

    fn before(&self, _: Option<&str>) -> Option<&ChannelName> {
        Some(&self.1)
    }

    fn count(&self) -> usize {
        self.0
    }
}

#[test]
fn a_search_finds_what_a_look_at_everything_finds_page_by_page_and_both_ways() {
    let mut dice = StdRng::seed_from_u64(3);
    for round in 0..60 {
        let (mut catalog, mut all) = (Catalog::default(), BTreeMap::new());
        for step in 0..80 {
            let sheet = sheet(round * 100 + step, &mut dice);
            match dice.random_range(0..4) {
                0 => {
                    catalog.strike(&sheet.name);
                    all.remove(&sheet.name);
                }
                1 => {
                    let users = dice.random_range(0..4);
                    if let Some(past) = all.get_mut(&sheet.name) {
                        let past: &mut Sheet = past;
                        past.users = Some(users);
                        catalog.count(past.tag, users);
                    }
                }
                _ => {
                    catalog.put(sheet.clone());
                    all.insert(sheet.name.clone(), sheet);
                }
            }
        }
        let finds = Without("7", all.keys().cloned().chain(ChannelName::new("own7")).collect());
        for order in [SearchOrder::Address, SearchOrder::Users] {
            for sought in [Sought::All, words("heath"), words("witch eat"), words("聊"), words("c12"), words("none")] {
                let mut wanted: Vec<&Sheet> =
                    all.values().filter(|sheet| finds.has(sheet.name.as_str()) && sheet.has(&sought)).collect();
                wanted.sort_by_key(|sheet| key(order, sheet.count(), &sheet.name));
                let wanted: Vec<Hit> = wanted.into_iter().map(Sheet::hit).collect();
                let plain = wish(sought, order);
                for max in [1, 3, 100] {
                    let (mut forth, mut back) = (Vec::new(), Vec::new());
                    let mut asked = SearchWish { max: Some(max), ..plain.clone() };
                    loop {
                        let search = catalog.search(&asked, &finds).unwrap();
                        assert!(search.stopped_at.is_none() && search.hits.len() <= max);
                        let Some(last) = search.hits.last() else { break };
                        asked.after = Some(last.place());
                        forth.extend(search.hits);
                    }
                    let mut asked = SearchWish { max: Some(max), before: Some(None), ..plain.clone() };
                    loop {
                        let search = catalog.search(&asked, &finds).unwrap();
                        let Some(first) = search.hits.first() else { break };
                        asked.before = Some(Some(first.place()));
                        back.splice(0..0, search.hits);
                    }
                    assert_eq!((&forth, &back), (&wanted, &wanted), "{plain:?}");
                }
            }
        }
        for name in all.keys() {
            catalog.strike(name);
        }
        assert!(catalog.grams.is_empty() && catalog.by_users.is_empty() && catalog.by_tag.is_empty());
    }
}

#[test]
fn a_search_looks_at_no_more_than_its_bound_and_goes_on_where_it_was() {
    let mut catalog = Catalog::default();
    let mut dice = StdRng::seed_from_u64(5);
    for tag in 0..(LOOKED_MAX as u64 + 10) {
        let name = ChannelName::new(&format!("x{tag:06}")).unwrap();
        catalog.put(Sheet { name, description: kept("abc bcd"), title: None, ..sheet(tag, &mut dice) });
    }
    let everything = Everything(catalog.by_name.len(), ChannelName::new("x").unwrap());
    // All three bytes of the word are everywhere, and the word is nowhere.
    let mut asked = wish(words("abcd"), SearchOrder::Users);
    let search = catalog.search(&asked, &everything).unwrap();
    assert_eq!((search.looked, search.hits.len(), search.goes_on), (LOOKED_MAX, 0, true));
    asked.after = search.stopped_at;
    let search = catalog.search(&asked, &everything).unwrap();
    assert_eq!((search.looked, search.goes_on, search.stopped_at), (10, false, None));
    // A list that never ends is given up.
    asked = wish(Sought::All, SearchOrder::Address);
    assert!(catalog.search(&asked, &everything).is_none());
}

#[test]
fn descriptions_are_cut_between_characters() {
    assert_eq!(kept(" \n"), None);
    let long = "ä".repeat(DESCRIPTION_BYTES_MAX);
    assert_eq!(kept(&long).unwrap().len(), DESCRIPTION_BYTES_MAX);
    assert_eq!(kept(&["a", &long].concat()).unwrap().len(), DESCRIPTION_BYTES_MAX - 1);
}
