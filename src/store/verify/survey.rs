//! What all checks use: the channels, ways to read what may be damaged, and a way to report.

use super::super::databases::{Databases, Order, Space};
use super::super::keyspace::{self, Grave, Month};
use super::super::{StoreError, archive::Archive};
use super::finding::{Finding, StoreCensus, VerifyEvent};
use crate::channel::ChannelName;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

/// One check of a store.
pub(super) struct Survey<'a, S> {
    pub(super) dbs: &'a S,
    pub(super) months: Vec<Month>,
    pub(super) on_disk: bool,
    /// The channels of the directory by their tags.
    pub(super) channels: BTreeMap<u64, ChannelName>,
    /// The tags of channels that are being cleared away. What is left of them does not count.
    buried: BTreeSet<u64>,
    check: Cell<&'static str>,
    census: Cell<StoreCensus>,
    watch: RefCell<&'a mut dyn FnMut(VerifyEvent)>,
}

impl<'a, S: Databases> Survey<'a, S> {
    /// Reads which channels exist.
    pub(super) fn new(
        dbs: &'a S,
        months: Vec<Month>,
        on_disk: bool,
        watch: &'a mut dyn FnMut(VerifyEvent),
    ) -> Survey<'a, S> {
        let census = StoreCensus { months: months.len() as u64, ..StoreCensus::default() };
        let mut survey = Survey {
            dbs,
            months,
            on_disk,
            channels: BTreeMap::new(),
            buried: BTreeSet::new(),
            check: Cell::new("directory"),
            census: Cell::new(census),
            watch: RefCell::new(watch),
        };
        let (mut channels, mut buried) = (BTreeMap::new(), BTreeSet::new());
        let read = survey
            .each::<(ChannelName, u64)>(Space::State, &keyspace::all(b'c'), |_, (name, tag)| {
                if let Some(other) = channels.insert(tag, name.clone()) {
                    survey.wrong(format!("channel {name}"), format!("channel {other} has the same tag"));
                }
                Ok(())
            })
            .and_then(|()| {
                survey.each::<Grave>(Space::State, &keyspace::all(b'g'), |_, grave| {
                    if let Grave::Channel { tag, .. } | Grave::Told { tag, .. } = grave {
                        buried.insert(tag);
                    }
                    Ok(())
                })
            });
        if let Err(error) = read {
            survey.wrong("the directory", error.to_string());
        }
        survey.count(|census| census.channels = channels.len() as u64);
        (survey.channels, survey.buried) = (channels, buried);
        survey
    }

    pub(super) fn begin(&self, check: &'static str) {
        self.check.set(check);
        self.watch.borrow_mut()(VerifyEvent::Begins(check));
    }

    pub(super) fn census(&self) -> StoreCensus {
        self.census.get()
    }

    pub(super) fn count(&self, add: impl FnOnce(&mut StoreCensus)) {
        let mut census = self.census.get();
        add(&mut census);
        self.census.set(census);
    }

    /// Reports what is wrong, and where.
    pub(super) fn wrong(&self, place: impl Into<String>, reason: impl Into<String>) {
        self.count(|census| census.wrong += 1);
        let finding = Finding { check: self.check.get(), place: place.into(), reason: reason.into() };
        self.watch.borrow_mut()(VerifyEvent::Wrong(finding));
    }

    /// Reports `reason` at `place` unless `so` holds. Returns `so`.
    pub(super) fn holds(&self, so: bool, place: impl FnOnce() -> String, reason: impl FnOnce() -> String) -> bool {
        if !so {
            self.wrong(place(), reason());
        }
        so
    }

    /// Visits every value whose key begins with `prefix`. A value that cannot be read is reported and skipped.
    pub(super) fn each<T: DeserializeOwned>(
        &self,
        space: Space,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], T) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.dbs.scan(space, prefix, &keyspace::behind(prefix), Order::Rising, &mut |key, entry| {
            match self.dbs.whole(space, key, entry) {
                Ok(value) => visit(key, value)?,
                Err(error) => self.wrong(place_of(space, key), error.to_string()),
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Visits every key that begins with `prefix`.
    pub(super) fn each_key(
        &self,
        space: Space,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8]) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.dbs.scan(space, prefix, &keyspace::behind(prefix), Order::Rising, &mut |key, _| {
            visit(key)?;
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Calls `check` for each channel. A channel that cannot be read is reported, and the next one follows.
    pub(super) fn each_channel(
        &self,
        mut visit: impl FnMut(u64, &ChannelName) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        for (&tag, name) in &self.channels {
            if let Err(error) = visit(tag, name) {
                self.wrong(format!("channel {name}"), error.to_string());
            }
        }
        Ok(())
    }

    /// The archive of a channel; `None` where it cannot be read, which the check of rows reports.
    pub(super) fn archive(&self, tag: u64) -> Option<Archive<'a, S>> {
        Archive::open(self.dbs, tag).ok()
    }

    /// The tags in the keys of one letter. Each costs one seek.
    pub(super) fn tags(&self, space: Space, letter: u8) -> Result<Vec<u64>, StoreError> {
        let (mut tags, end) = (Vec::new(), keyspace::behind(&keyspace::all(letter)));
        let mut from = Some(keyspace::all(letter));
        while let Some(start) = from.take() {
            self.dbs.scan(space, &start, &end, Order::Rising, &mut |key, _| {
                if let Some(tag) = tag_of(key) {
                    tags.push(tag);
                    from = tag.checked_add(1).map(|next| [&[letter][..], &next.to_be_bytes()].concat());
                }
                Ok(ControlFlow::Break(()))
            })?;
        }
        Ok(tags)
    }

    /// Whether a channel with this tag exists or is being cleared away.
    pub(super) fn knows(&self, tag: u64) -> bool {
        self.channels.contains_key(&tag) || self.buried.contains(&tag)
    }
}

/// The tag behind the letter of a key.
fn tag_of(key: &[u8]) -> Option<u64> {
    key.get(1..9).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes)
}

/// An entry, named so that people can look it up.
pub(super) fn place_of(space: Space, key: &[u8]) -> String {
    let letter = key.first().map(|&letter| letter.escape_ascii().to_string()).unwrap_or_default();
    let rest = hex::encode(key.get(1..).unwrap_or_default());
    match space {
        Space::State => format!("state, entry {letter}:{rest}"),
        Space::Month(month) => format!("month {month}, entry {letter}:{rest}"),
    }
}
