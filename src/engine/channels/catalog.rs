//! XEP-0433: what published channels are searched by, all of it in memory: their addresses, names, descriptions, and how many
//! people they have.
//!
//! Every three bytes that follow each other in one of these texts are indexed, so a word is found anywhere in it, and a
//! search looks at few channels besides those that it finds.

use crate::channel::ChannelName;
use crate::channel::search::{Hit, SearchOrder, SearchPlace, SearchWish, Sought, folded};
use crate::steps;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

/// The most bytes of a description that are searched and shown.
pub(in crate::engine) const DESCRIPTION_BYTES_MAX: usize = 512;
/// The most results of a page.
const PAGE_MAX: usize = 100;
/// The most channels that one search looks at.
const LOOKED_MAX: usize = 8192;

/// The most channels that one search passes, those that the asker does not find included.
const PASSED_MAX: usize = 65_536;

type Gram = [u8; 3];
type Slot = u32;
type Walk<'a> = Box<dyn Iterator<Item = Option<&'a Sheet>> + 'a>;

/// What an account finds, in the order of names.
pub(in crate::engine) trait Findable {
    /// Whether it finds a channel.
    fn has(&self, name: &str) -> bool;
    /// The first one after this name.
    fn behind(&self, name: Option<&str>) -> Option<&ChannelName>;
    /// The last one before this name.
    fn before(&self, name: Option<&str>) -> Option<&ChannelName>;
    /// How many it finds.
    fn count(&self) -> usize;
}

/// What is known of one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Sheet {
    pub tag: u64,
    pub name: ChannelName,
    /// The name shown to people, where that is another than its localpart.
    pub title: Option<Box<str>>,
    pub description: Option<Box<str>>,
    pub lang: Option<Box<str>>,
    pub is_open: bool,
    pub shows_jids: bool,
    /// How many people are in it; `None`: not known yet.
    pub users: Option<u32>,
}

/// See the module.
#[derive(Default)]
pub(in crate::engine) struct Catalog {
    sheets: Vec<Option<Sheet>>,
    free: Vec<Slot>,
    by_tag: HashMap<u64, Slot>,
    by_name: BTreeMap<ChannelName, Slot>,
    by_users: BTreeSet<(Reverse<u32>, ChannelName)>,
    /// Where three bytes occur, in order.
    grams: HashMap<Gram, Vec<Slot>>,
}

/// What a search found, in order.
#[derive(Debug, Default)]
pub(in crate::engine) struct Search {
    pub hits: Vec<Hit>,
    /// Where it was given up, because it looked at enough.
    pub stopped_at: Option<SearchPlace>,
    /// Whether there is more to look at in its direction.
    pub goes_on: bool,
    /// How many channels it looked at.
    pub looked: usize,
}

impl Sheet {
    fn title(&self) -> String {
        self.title.as_deref().map_or_else(|| self.name.unescaped().into_owned(), str::to_owned)
    }

    fn count(&self) -> u32 {
        self.users.unwrap_or(0)
    }

    fn place(&self) -> SearchPlace {
        SearchPlace { users: self.count(), name: self.name.clone() }
    }

    fn hit(&self) -> Hit {
        Hit {
            name: self.name.clone(),
            title: self.title(),
            description: self.description.as_deref().map(str::to_owned),
            lang: self.lang.as_deref().map(str::to_owned),
            users: self.users,
            is_open: self.is_open,
            shows_jids: self.shows_jids,
        }
    }

    /// The three bytes that follow each other in its texts.
    fn grams(&self) -> BTreeSet<Gram> {
        let texts = [Some(self.title()), Some(self.name.unescaped().into_owned()), Some(self.name.as_str().to_owned())];
        let texts = texts.into_iter().chain([self.description.as_deref().map(str::to_owned)]).flatten();
        texts.flat_map(|text| grams_of(&folded(&text)).collect::<Vec<_>>()).collect()
    }

    fn has(&self, sought: &Sought) -> bool {
        let Sought::Terms { terms, in_name, in_description, in_address } = sought else { return true };
        let title = in_name.then(|| folded(&self.title()));
        let description = self.description.as_deref().filter(|_| *in_description).map(folded);
        let address = in_address.then(|| [self.name.as_str(), " ", &self.name.unescaped()].concat());
        let texts = [title, description, address.as_deref().map(folded)];
        terms.iter().all(|term| texts.iter().flatten().any(|text| text.contains(term)))
    }
}

fn grams_of(text: &str) -> impl Iterator<Item = Gram> {
    text.as_bytes().windows(3).map(|bytes| [bytes[0], bytes[1], bytes[2]])
}

/// What is kept of a description.
pub(in crate::engine) fn kept(description: &str) -> Option<Box<str>> {
    let end = (0..=description.len().min(DESCRIPTION_BYTES_MAX)).rev().find(|at| description.is_char_boundary(*at));
    let text = &description[..end.unwrap_or(0)];
    (!text.trim().is_empty()).then(|| text.into())
}

impl Catalog {
    /// The published channel with this tag.
    pub fn name_of(&self, tag: u64) -> Option<&ChannelName> {
        self.by_tag.get(&tag).and_then(|slot| self.sheets[*slot as usize].as_ref()).map(|sheet| &sheet.name)
    }

    /// Puts a channel in, or what changed of it. Where the number of people is not given, the one that is known stays.
    pub fn put(&mut self, mut sheet: Sheet) {
        let past = self.by_name.get(&sheet.name).and_then(|slot| self.sheets[*slot as usize].as_ref());
        let same_channel = past.filter(|past| past.tag == sheet.tag);
        sheet.users = sheet.users.or(same_channel.and_then(|past| past.users));
        if past == Some(&sheet) {
            return;
        }
        self.strike(&sheet.name.clone());
        let slot = self.free.pop().unwrap_or_else(|| {
            self.sheets.push(None);
            (self.sheets.len() - 1) as Slot
        });
        for gram in sheet.grams() {
            let slots = self.grams.entry(gram).or_default();
            if let Err(at) = slots.binary_search(&slot) {
                slots.insert(at, slot);
            }
        }
        self.by_tag.insert(sheet.tag, slot);
        self.by_name.insert(sheet.name.clone(), slot);
        self.by_users.insert((Reverse(sheet.count()), sheet.name.clone()));
        self.sheets[slot as usize] = Some(sheet);
    }

    /// Removes a channel, if it is there.
    pub fn strike(&mut self, name: &ChannelName) {
        let Some(slot) = self.by_name.remove(name) else { return };
        let Some(sheet) = self.sheets[slot as usize].take() else { return };
        for gram in sheet.grams() {
            let Some(slots) = self.grams.get_mut(&gram) else { continue };
            if let Ok(at) = slots.binary_search(&slot) {
                slots.remove(at);
            }
            if slots.is_empty() {
                self.grams.remove(&gram);
            }
        }
        self.by_tag.remove(&sheet.tag);
        self.by_users.remove(&(Reverse(sheet.count()), sheet.name));
        self.free.push(slot);
    }

    /// How many people a channel has now.
    pub fn count(&mut self, tag: u64, users: u32) {
        let Some(slot) = self.by_tag.get(&tag) else { return };
        let Some(sheet) = self.sheets[*slot as usize].as_mut().filter(|sheet| sheet.users != Some(users)) else {
            return;
        };
        self.by_users.remove(&(Reverse(sheet.count()), sheet.name.clone()));
        sheet.users = Some(users);
        self.by_users.insert((Reverse(users), sheet.name.clone()));
    }

    /// A page of the channels that are sought, of those that the asker finds. Others count for nothing. `None` where there are
    /// too many others in the way.
    pub fn search(&self, wish: &SearchWish, found: &impl Findable) -> Option<Search> {
        let max = wish.max.map_or(PAGE_MAX, |max| max.min(PAGE_MAX));
        let mut search = Search::default();
        let (mut last, mut passed) = (None, 0);
        for sheet in self.walk(wish, max, found) {
            steps::take(1);
            passed += 1;
            if passed > PASSED_MAX {
                return None;
            }
            let Some(sheet) = sheet.filter(|sheet| found.has(sheet.name.as_str())) else { continue };
            if search.hits.len() >= max || search.looked >= LOOKED_MAX {
                search.goes_on = true;
                search.stopped_at = last.filter(|_| search.hits.len() < max);
                break;
            }
            search.looked += 1;
            last = Some(sheet.place());
            if sheet.count() >= wish.users_min && sheet.has(&wish.sought) {
                search.hits.push(sheet.hit());
            }
        }
        if wish.before.is_some() {
            search.hits.reverse();
        }
        Some(search)
    }

    /// The channels among which those that are sought are, in the order of the wish and from its place on. `None` for a channel
    /// that is not published.
    fn walk<'a>(&'a self, wish: &'a SearchWish, max: usize, found: &'a impl Findable) -> Walk<'a> {
        // Few candidates are sorted. Where there are many, results are not far from each other in the list of all.
        let is_few = |count: usize| count.saturating_mul(count) <= self.by_name.len().saturating_mul(max.max(1));
        let sheet = move |slot: &Slot| self.sheets[*slot as usize].as_ref();
        if let Some(slots) = self.candidates(&wish.sought).filter(|slots| is_few(slots.len())) {
            steps::take(slots.len());
            return in_order(slots.iter().filter_map(sheet).collect(), wish);
        }
        let sheet_of = move |name: &ChannelName| self.by_name.get(name).and_then(sheet);
        match wish.order {
            SearchOrder::Address => Box::new(names(wish, found).map(sheet_of)),
            SearchOrder::Users if is_few(found.count()) => {
                let all = std::iter::successors(found.behind(None), |name| found.behind(Some(name.as_str())));
                in_order(all.filter_map(sheet_of).collect(), wish)
            }
            SearchOrder::Users => {
                let (from, to) = (wish.after.as_ref(), wish.before.as_ref().and_then(Option::as_ref));
                let range =
                    range([from, to].map(|place| place.map(|place| (Reverse(place.users), place.name.clone()))));
                let names = range.map(|range| self.by_users.range(range)).into_iter().flatten();
                let sheets = names.map(move |(_, name)| sheet_of(name));
                if wish.before.is_some() { Box::new(sheets.rev()) } else { Box::new(sheets) }
            }
        }
    }

    /// Where the rarest three bytes of the words occur. `None` where no words are searched for.
    fn candidates(&self, sought: &Sought) -> Option<&[Slot]> {
        let Sought::Terms { terms, .. } = sought else { return None };
        let grams = terms.iter().flat_map(|term| grams_of(term));
        let slots = grams.map(|gram| {
            steps::take(1);
            self.grams.get(&gram).map_or(&[][..], |slots| slots)
        });
        slots.min_by_key(|slots| slots.len())
    }
}

/// Channels in the order of the wish, from its place on.
fn in_order<'a>(mut sheets: Vec<&'a Sheet>, wish: &SearchWish) -> Walk<'a> {
    sheets.retain(|sheet| is_between(sheet, wish));
    sheets.sort_unstable_by_key(|sheet| key(wish.order, sheet.count(), &sheet.name));
    match wish.before.is_some() {
        true => Box::new(sheets.into_iter().rev().map(Some)),
        false => Box::new(sheets.into_iter().map(Some)),
    }
}

/// What the asker finds by address, from the place of the wish on.
fn names<'a>(wish: &'a SearchWish, found: &'a impl Findable) -> Box<dyn Iterator<Item = &'a ChannelName> + 'a> {
    let (after, before) = (wish.after.as_ref(), wish.before.as_ref());
    let (from, to) = (after.map(|place| &place.name), before.and_then(Option::as_ref).map(|place| &place.name));
    match before {
        Some(_) => {
            let last = found.before(to.map(ChannelName::as_str));
            let back = std::iter::successors(last, |name| found.before(Some(name.as_str())));
            Box::new(back.take_while(move |name| from.is_none_or(|from| *name > from)))
        }
        None => {
            let first = found.behind(from.map(ChannelName::as_str));
            Box::new(std::iter::successors(first, |name| found.behind(Some(name.as_str()))))
        }
    }
}

/// What channels are sorted by.
fn key(order: SearchOrder, users: u32, name: &ChannelName) -> (Reverse<u32>, &ChannelName) {
    match order {
        SearchOrder::Address => (Reverse(0), name),
        SearchOrder::Users => (Reverse(users), name),
    }
}

/// What lies between two places, neither included. `None` where nothing can: the first may be behind the second.
fn range<T: Ord>([from, to]: [Option<T>; 2]) -> Option<(Bound<T>, Bound<T>)> {
    let is_empty = from.as_ref().zip(to.as_ref()).is_some_and(|(from, to)| from >= to);
    let bound = |place: Option<T>| place.map_or(Bound::Unbounded, Bound::Excluded);
    (!is_empty).then(|| (bound(from), bound(to)))
}

/// Whether a channel is behind the one place and before the other one.
fn is_between(sheet: &Sheet, wish: &SearchWish) -> bool {
    let key = |users: u32, name| key(wish.order, users, name);
    let own = key(sheet.count(), &sheet.name);
    let is_behind = wish.after.as_ref().is_none_or(|place| own > key(place.users, &place.name));
    let before = wish.before.as_ref().and_then(Option::as_ref);
    is_behind && before.is_none_or(|place| own < key(place.users, &place.name))
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
